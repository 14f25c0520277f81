//! The Broker and the Triggers of `knative/`, read from the very files that a cluster gets.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::jiff::SignedDuration;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::filter::Filter;
use crate::yaml;

/// Every manifest of `knative/`. A test compares this list with the folder.
pub const FILES: [(&str, &str); 10] = [
    (
        "knative/agnosticv-hook.yaml",
        include_str!("../../../../knative/agnosticv-hook.yaml"),
    ),
    ("knative/broker.yaml", include_str!("../../../../knative/broker.yaml")),
    ("knative/collect.yaml", include_str!("../../../../knative/collect.yaml")),
    ("knative/deadletter.yaml", include_str!("../../../../knative/deadletter.yaml")),
    ("knative/evaluate.yaml", include_str!("../../../../knative/evaluate.yaml")),
    ("knative/eventtypes.yaml", include_str!("../../../../knative/eventtypes.yaml")),
    ("knative/namespace.yaml", include_str!("../../../../knative/namespace.yaml")),
    ("knative/query.yaml", include_str!("../../../../knative/query.yaml")),
    ("knative/recommend.yaml", include_str!("../../../../knative/recommend.yaml")),
    ("knative/sinkbinding.yaml", include_str!("../../../../knative/sinkbinding.yaml")),
];

/// A Broker and everything that listens to it.
#[derive(Debug, Clone)]
pub struct Manifests {
    /// Delivery for every Trigger that does not say otherwise.
    pub delivery: Delivery,
    /// In the order of the files.
    pub triggers: Vec<Trigger>,
}

/// Who gets which events.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// All must match.
    pub filters: Vec<Filter>,
    /// Name of the service that is called.
    pub subscriber: String,
    /// Its own delivery, completed with the Broker's.
    pub delivery: Delivery,
}

/// How hard to try, and where to give up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delivery {
    /// Tries after the first.
    pub retry: Option<u32>,
    /// How waits grow.
    pub backoff_policy: Option<BackoffPolicy>,
    /// The unit of waits; ISO 8601.
    #[serde(default, deserialize_with = "iso8601")]
    pub backoff_delay: Option<Duration>,
    /// How long one try may take; ISO 8601.
    #[serde(default, deserialize_with = "iso8601")]
    pub timeout: Option<Duration>,
    /// Who gets what nobody could handle.
    pub dead_letter_sink: Option<Destination>,
}

/// How waits grow between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackoffPolicy {
    /// By one unit each time, from none.
    Linear,
    /// Twofold each time, from one unit.
    Exponential,
}

/// Where events are sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// A service by name.
    #[serde(rename = "ref")]
    pub reference: Reference,
}

/// A Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields of every reference in Kubernetes")]
pub struct Reference {
    pub api_version: String,
    pub kind: String,
    pub name: String,
    pub namespace: Option<String>,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file is not YAML, or a Broker or Trigger in it is not one.
    #[error("{file}: {detail}")]
    Malformed {
        /// Which file.
        file: String,
        /// What is wrong, with line or field.
        detail: String,
    },
    /// There must be exactly one.
    #[error("{0} Brokers in knative/, there must be one")]
    Brokers(usize),
}

impl Delivery {
    /// What this one leaves open is taken from `fallback`.
    #[must_use]
    pub fn or(self, fallback: &Self) -> Self {
        Self {
            retry: self.retry.or(fallback.retry),
            backoff_policy: self.backoff_policy.or(fallback.backoff_policy),
            backoff_delay: self.backoff_delay.or(fallback.backoff_delay),
            timeout: self.timeout.or(fallback.timeout),
            dead_letter_sink: self.dead_letter_sink.or_else(|| fallback.dead_letter_sink.clone()),
        }
    }

    /// The wait before the `retry`-th retry, counted from 0.
    #[must_use]
    pub fn wait(&self, retry: u32) -> Duration {
        let unit = self.backoff_delay.unwrap_or_default();
        match self.backoff_policy.unwrap_or(BackoffPolicy::Exponential) {
            BackoffPolicy::Linear => unit * retry,
            BackoffPolicy::Exponential => unit * 2_u32.saturating_pow(retry),
        }
    }
}

/// The manifests this program was built with.
///
/// # Errors
/// When one of them is malformed, which the tests would have found.
pub fn embedded() -> Result<Manifests, ManifestError> {
    read(&FILES)
}

/// Reads Broker and Triggers from files of any manifests.
///
/// # Errors
/// The file and what is wrong in it.
pub fn read(files: &[(&str, &str)]) -> Result<Manifests, ManifestError> {
    let mut brokers = Vec::new();
    let mut triggers = Vec::new();
    for (file, text) in files {
        let malformed = |detail: String| ManifestError::Malformed {
            file: (*file).to_owned(),
            detail,
        };
        let documents: Vec<Value> =
            serde_yaml::from_multiple_with_options(text, yaml::options()).map_err(|error| malformed(error.to_string()))?;
        for document in documents {
            match document["kind"].as_str() {
                Some("Broker") => {
                    brokers.push(serde_json::from_value::<Object<BrokerSpec>>(document).map_err(|error| malformed(error.to_string()))?)
                }
                Some("Trigger") => {
                    triggers.push(serde_json::from_value::<Object<TriggerSpec>>(document).map_err(|error| malformed(error.to_string()))?)
                }
                _ => {}
            }
        }
    }
    let broker = match brokers.as_slice() {
        [broker] => broker,
        others => return Err(ManifestError::Brokers(others.len())),
    };
    let delivery = broker.spec.delivery.clone();
    let triggers = triggers
        .into_iter()
        .filter(|trigger| trigger.spec.broker == broker.metadata.name)
        .map(|Object { metadata, spec }| Trigger {
            name: metadata.name,
            // `filters`, where there are any, replace `filter`.
            filters: if spec.filters.is_empty() {
                vec![Filter::Attributes(spec.filter.attributes)]
            } else {
                spec.filters
            },
            subscriber: spec.subscriber.reference.name,
            delivery: spec.delivery.or(&delivery),
        })
        .collect();
    Ok(Manifests { delivery, triggers })
}

#[derive(Debug, Deserialize)]
struct Object<S> {
    metadata: Metadata,
    spec: S,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BrokerSpec {
    #[serde(default)]
    delivery: Delivery,
    #[serde(default, rename = "config")]
    _config: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerSpec {
    broker: String,
    #[serde(default)]
    filter: AttributesFilter,
    #[serde(default)]
    filters: Vec<Filter>,
    subscriber: Destination,
    #[serde(default)]
    delivery: Delivery,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttributesFilter {
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

fn iso8601<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    // Knative takes ISO 8601 only; the parser would take `200ms` too.
    let parsed = if text.starts_with('P') {
        text.parse::<SignedDuration>().ok()
    } else {
        None
    };
    let duration = parsed.and_then(|duration| Duration::try_from(duration).ok());
    duration
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not an ISO 8601 duration such as PT0.5S")))
}
