//! The story as objects of the control plane, whole: with labels, finalizers, managed fields, and the credentials and people that real ones carry.

pub(crate) mod catalog;
pub(crate) mod poolboy;
pub(crate) mod subject;
pub(crate) mod workshop;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::{clock::stamp, kinds::Kind, managed};

/// What every object has.
pub(crate) struct Meta<'a> {
    pub(crate) kind: Kind,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) uid: &'a str,
    pub(crate) created: DateTime<Utc>,
    pub(crate) deleted: Option<DateTime<Utc>>,
    pub(crate) labels: Value,
    pub(crate) annotations: Value,
    pub(crate) finalizers: &'a [&'a str],
}

/// An object with these fields beside its metadata, and managed fields as the API server would keep them.
pub(crate) fn object(meta: Meta<'_>, fields: Value) -> Value {
    let info = meta.kind.info();
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(meta.name));
    if info.namespaced {
        metadata.insert("namespace".to_owned(), json!(meta.namespace));
    }
    metadata.insert("uid".to_owned(), json!(meta.uid));
    metadata.insert("creationTimestamp".to_owned(), json!(stamp(meta.created)));
    metadata.insert("generation".to_owned(), json!(1));
    if let Some(deleted) = meta.deleted {
        metadata.insert("deletionTimestamp".to_owned(), json!(stamp(deleted)));
        metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(0));
    }
    for (field, value) in [
        ("labels", without_nulls(meta.labels)),
        ("annotations", without_nulls(meta.annotations)),
    ] {
        if value.as_object().is_some_and(|fields| !fields.is_empty()) {
            metadata.insert(field.to_owned(), value);
        }
    }
    if !meta.finalizers.is_empty() {
        metadata.insert("finalizers".to_owned(), json!(meta.finalizers));
    }
    let mut object = json!({"apiVersion": info.api_version(), "kind": info.kind, "metadata": metadata});
    if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
        object.extend(fields);
    }
    managed::add(&mut object);
    object
}

/// Fields without those that are null: what does not apply is absent, as on real objects.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}

/// A time, or null.
pub(crate) fn maybe(at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Null, |at| json!(stamp(at)))
}
