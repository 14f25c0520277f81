//! Metadata and conditions, as far as criteria read them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use super::labels::Labels;

/// Object metadata without what nobody judges by (`managedFields`, resource version, most annotations).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes metadata field of that name")]
pub struct Meta {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    #[serde(skip_serializing_if = "Labels::is_empty", deserialize_with = "null_is_default")]
    pub labels: Labels,
    /// Only annotations whose prefix is in [`KEPT_ANNOTATIONS`]: annotations may hold anything, secrets included.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "kept_annotations")]
    pub annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_grace_period_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub owner_references: Vec<Owner>,
}

impl Meta {
    /// Whether the object is named or labelled as a showroom: `showroom`, `showroom-<user>`, `<user>-showroom`.
    #[must_use]
    pub fn is_showroom(&self) -> bool {
        let says = |name: &str| name.split('-').any(|part| part == "showroom");
        says(&self.name) || self.labels.get("app.kubernetes.io/name").is_some_and(|name| says(name))
    }
}

/// The owner of an object, without its uid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the owner reference field of that name")]
pub struct Owner {
    pub kind: String,
    pub name: String,
    #[serde(skip_serializing_if = "is_false")]
    pub controller: bool,
}

/// A status condition. The heartbeat is left out on purpose: it changes without meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the condition field of that name")]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub reason: String,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<DateTime<Utc>>,
}

impl Condition {
    /// Whether the status is `True`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// Whether the status is `False`.
    #[must_use]
    pub fn is_false(&self) -> bool {
        self.status == "False"
    }
}

/// The condition of that type, if the list has one.
#[must_use]
pub fn condition<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

/// Prefixes of the annotations that carry meaning for readiness.
pub const KEPT_ANNOTATIONS: [&str; 5] = [
    "sandbox.redhat.com/original-",
    "cdi.kubevirt.io/garbageCollected",
    "serving.kserve.io/stop",
    "kubevirt.io/restart",
    "haproxy.router.openshift.io/timeout",
];

fn kept_annotations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let mut all: BTreeMap<String, String> = null_is_default(deserializer)?;
    all.retain(|key, _| KEPT_ANNOTATIONS.iter().any(|prefix| key.starts_with(prefix)));
    Ok(all)
}

/// The API writes `null` for what is not set; for us that is the default.
pub(crate) fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}
