//! How one object is kept: as the JSON the API server would send, or as a shared template with the few values that differ.
//!
//! A fleet for benchmarks has 60,000 pods of 10 to 16 KB. Kept whole they would take more memory than the program under
//! test, so a generated object is two pointers and a version, and its bytes are put together when it is read.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    kinds::Kind,
    selector::Selector,
    template::{Spliced, Stamp, Template},
};

/// One stored version of an object. Never changed in place: a write stores a new one.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    /// `namespace/name`, or the name alone: the order in which etcd keeps and lists objects.
    pub(crate) key: Box<str>,
    pub(crate) version: u64,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// Everything but `apiVersion` and `kind`, serialized.
    Json {
        bytes: Bytes,
        probe: Probe,
    },
    Stamped {
        template: Arc<Template>,
        stamp: Arc<Stamp>,
    },
}

/// What selectors look at, kept beside the bytes so that a selection need not parse them.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    pub(crate) labels: Vec<(Box<str>, Spliced)>,
    /// One for each of [`crate::kinds::Info::selectable`] that the object has.
    pub(crate) fields: Vec<(&'static str, Spliced)>,
}

impl Probe {
    /// Collects the labels and selectable fields of an object; `text` turns a string into what is kept of it.
    pub(crate) fn of(kind: Kind, value: &Value, text: impl Fn(&str) -> Spliced) -> Self {
        let labels = value.pointer("/metadata/labels").and_then(Value::as_object);
        let labels = labels
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str().into(), text(value.as_str().unwrap_or_default())))
            .collect();
        let fields = kind.info().selectable.iter().filter_map(|path| {
            let found = value.pointer(&format!("/{}", path.replace('.', "/")))?;
            let found = found.as_str().map_or_else(|| Cow::Owned(found.to_string()), Cow::Borrowed);
            Some((*path, text(&found)))
        });
        Self {
            labels,
            fields: fields.collect(),
        }
    }
}

/// The key under which an object is kept.
pub(crate) fn key_of(namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
}

/// The namespace part of a key; empty for a cluster-scoped object.
pub(crate) fn namespace_of(key: &str) -> &str {
    key.split_once('/').map_or("", |(namespace, _)| namespace)
}

/// The name part of a key.
pub(crate) fn name_of(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, name)| name)
}

/// Removes what every object of a kind has in common.
pub(crate) fn strip_kind(value: &mut Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
}

impl Object {
    /// Stores a whole object. Its `metadata.resourceVersion` must be set already.
    pub(crate) fn from_value(kind: Kind, key: &str, version: u64, mut value: Value) -> Self {
        strip_kind(&mut value);
        let probe = Probe::of(kind, &value, Spliced::plain);
        Self {
            kind,
            key: key.into(),
            version,
            body: Body::Json {
                bytes: value.to_string().into(),
                probe,
            },
        }
    }

    /// Stores an object as a template and what to put into it.
    pub(crate) fn from_template(kind: Kind, key: &str, version: u64, template: Arc<Template>, stamp: Arc<Stamp>) -> Self {
        Self {
            kind,
            key: key.into(),
            version,
            body: Body::Stamped { template, stamp },
        }
    }

    /// Whether the object says the same as a value without `apiVersion` and `kind`. Serializing the value is cheaper than
    /// parsing the object.
    pub(crate) fn says(&self, value: &Value, now: DateTime<Utc>) -> bool {
        let bytes = value.to_string();
        match &self.body {
            Body::Json { bytes: own, .. } => own == bytes.as_bytes(),
            Body::Stamped { .. } => {
                let mut own = Vec::new();
                self.write_json(&mut own, false, now);
                own == bytes.as_bytes()
            }
        }
    }

    pub(crate) fn namespace(&self) -> &str {
        namespace_of(&self.key)
    }

    pub(crate) fn name(&self) -> &str {
        name_of(&self.key)
    }

    /// Whether both selectors accept the object.
    pub(crate) fn matches(&self, labels: &Selector, fields: &Selector) -> bool {
        let (probe, stamp) = match &self.body {
            Body::Json { probe, .. } => (probe, None),
            Body::Stamped { template, stamp } => (&template.probe, Some(stamp.as_ref())),
        };
        let read = |text: &Spliced| Cow::Owned(text.to_string_with(stamp, self.version));
        labels.holds(false, |key| {
            probe.labels.iter().find(|(label, _)| **label == *key).map(|(_, value)| read(value))
        }) && fields.holds(true, |path| match path {
            "metadata.name" => Some(Cow::Borrowed(self.name())),
            "metadata.namespace" => Some(Cow::Borrowed(self.namespace())),
            _ => probe.fields.iter().find(|(field, _)| *field == path).map(|(_, value)| read(value)),
        })
    }

    /// Appends the object as JSON, with or without its `apiVersion` and `kind`.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>, with_kind: bool, now: DateTime<Utc>) {
        if with_kind {
            let info = self.kind.info();
            out.extend_from_slice(format!(r#"{{"apiVersion":"{}","kind":"{}""#, info.api_version(), info.kind).as_bytes());
        }
        let start = out.len();
        match &self.body {
            Body::Json { bytes, .. } => out.extend_from_slice(bytes),
            Body::Stamped { template, stamp } => template.write(out, stamp, self.version, now),
        }
        // The stored bytes start with the brace that was just written.
        if with_kind && let Some(brace) = out.get_mut(start) {
            *brace = b',';
        }
    }

    /// Appends the object cut down to its metadata.
    pub(crate) fn write_metadata(&self, out: &mut Vec<u8>, now: DateTime<Utc>) {
        #[derive(Deserialize)]
        struct OnlyMetadata<'a> {
            #[serde(borrow)]
            metadata: &'a RawValue,
        }
        let mut whole = Vec::new();
        self.write_json(&mut whole, false, now);
        let metadata = serde_json::from_slice::<OnlyMetadata<'_>>(&whole).map_or("{}", |object| object.metadata.get());
        out.extend_from_slice(br#"{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":"#);
        out.extend_from_slice(metadata.as_bytes());
        out.push(b'}');
    }

    /// The object parsed, complete with `apiVersion` and `kind`.
    pub(crate) fn value(&self, now: DateTime<Utc>) -> Value {
        let mut bytes = Vec::new();
        self.write_json(&mut bytes, true, now);
        serde_json::from_slice(&bytes).unwrap_or_default()
    }
}
