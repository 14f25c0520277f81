//! What all objects of the control plane have in common, as far as it is read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::lenient::{Flag, Or, Text};
use crate::provisioning::ObjectRef;

/// One kind of object: how it is read, and what is kept of it.
pub(super) trait Wire: serde::de::DeserializeOwned + Send {
    /// What is kept.
    type Kept: Send;

    /// What is kept of this one; the error says what it lacks.
    fn keep(self) -> Result<Self::Kept, Unfit>;
}

/// An object that lacks what it cannot be without.
#[derive(Debug)]
pub(super) struct Unfit {
    /// `namespace/name`, as far as they are there.
    pub(super) name: String,
    /// What it lacks.
    pub(super) detail: String,
}

/// Metadata: `L` are the labels that are read, `A` the annotations. Others never leave the parser.
#[derive(Debug, Default, Deserialize)]
#[serde(
    default,
    rename_all = "camelCase",
    bound(deserialize = "L: Default + Deserialize<'de>, A: Default + Deserialize<'de>")
)]
pub(super) struct Meta<L, A> {
    pub(super) name: Text,
    pub(super) namespace: Text,
    pub(super) uid: Text,
    // Written by the API server: one that cannot be read is no time of Kubernetes, and must not read as "is not being deleted".
    pub(super) creation_timestamp: Option<DateTime<Utc>>,
    pub(super) deletion_timestamp: Option<DateTime<Utc>>,
    pub(super) finalizers: Or<Vec<Text>>,
    pub(super) labels: Or<L>,
    pub(super) annotations: Or<A>,
}

impl<L, A> Meta<L, A> {
    /// Refuses an object that cannot be told from others.
    pub(super) fn check(&self) -> Result<(), Unfit> {
        let missing = match (self.uid.0.is_empty(), self.name.0.is_empty()) {
            (true, _) => "metadata.uid",
            (_, true) => "metadata.name",
            _ => return Ok(()),
        };
        Err(Unfit {
            name: format!("{}/{}", self.namespace.0, self.name.0),
            detail: format!("it has no {missing}"),
        })
    }
}

/// Labels or annotations of which none is read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Nothing {}

/// Labels by name, to choose from.
pub(super) type Labels = BTreeMap<String, Text>;

/// Names another object.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ref {
    pub(super) kind: Text,
    pub(super) name: Text,
    pub(super) namespace: Text,
}

impl Ref {
    /// The name; none when there is none.
    pub(super) fn named(self) -> Option<ObjectRef> {
        object(self.namespace, self.name)
    }
}

/// A reference, unless the name is missing.
pub(super) fn object(namespace: Text, name: Text) -> Option<ObjectRef> {
    (!name.0.is_empty()).then_some(ObjectRef {
        namespace: namespace.0,
        name: name.0,
    })
}

/// A label that says yes by being there, unless it says no.
pub(super) fn says_yes(label: Option<Text>) -> bool {
    label.is_some_and(|text| !matches!(text.0.to_ascii_lowercase().as_str(), "false" | "no"))
}

/// One resource of a pool or handle.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Resource {
    pub(super) provider: Or<Ref>,
    // Deprecated; of handles.
    pub(super) reference: Or<Ref>,
}

/// Names of providers, each once: that of the object, and those of its resources.
pub(super) fn providers(own: &Ref, resources: &[Resource]) -> Vec<String> {
    let mut names = Vec::new();
    for provider in std::iter::once(own).chain(resources.iter().map(|resource| &resource.provider.0)) {
        let name = &provider.name.0;
        if !name.is_empty() && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// A window in which something is to run.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Schedule {
    pub(super) start: super::lenient::Time,
    #[serde(alias = "end")]
    pub(super) stop: super::lenient::Time,
}

impl Schedule {
    pub(super) const fn window(&self) -> crate::provisioning::Window {
        crate::provisioning::Window {
            start: self.start.0,
            stop: self.stop.0,
        }
    }
}

/// How a resource stands, as Poolboy says.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    pub(super) name: Text,
    pub(super) healthy: Flag,
    pub(super) ready: Flag,
}
