//! Every CloudEvent: its type, its payload, and what makes two of them the same.
//!
//! An event carries ids and routing attributes, never facts to act on: the reader looks the facts up. `events/wire.rs` puts events on
//! HTTP, `events/sink.rs` posts them, `events/relay.rs` sends what the outbox holds, `events/broker.rs` is the broker of
//! `stargate up` and the tests.

pub mod broker;
pub mod relay;
pub mod sink;
pub mod wire;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::outbox::Outgoing;
use crate::failure::Failure;
use crate::stage::Stage;
use wire::{CloudEvent, Data};

/// The largest event StarGate sends, in bytes of structured JSON. Every hop must forward 64 KiB; headers need room too.
pub const MAX_SENT: usize = 32 * 1024;

/// The largest event StarGate takes in, in bytes of body: what a Kafka broker lets through.
pub const MAX_INTAKE: usize = 1024 * 1024;

/// Every event type. A new one comes with its trigger in `knative/` and a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// Somebody wants a cluster read now.
    ScanRequested,
    /// A tier of a cluster was read and its evidence is stored.
    ScanCompleted,
    /// A stage of an instance or a cluster changed for good.
    ReadinessChanged,
    /// An incident began.
    IncidentOpened,
    /// An incident changed: class, priority, children.
    IncidentUpdated,
    /// An incident ended.
    IncidentResolved,
    /// A stage failed and no failure class matched.
    FailureUnclassified,
    /// Somebody wants a provisioning system read now.
    CollectionRequested,
    /// A provisioning system was read and what it said is stored.
    CollectionCompleted,
    /// The policy engine advises something, or something else than before.
    RecommendationIssued,
    /// What the policy engine advised is no longer called for.
    RecommendationWithdrawn,
}

impl EventType {
    /// All types, in the order of the flow.
    pub const ALL: [Self; 11] = [
        Self::ScanRequested,
        Self::ScanCompleted,
        Self::ReadinessChanged,
        Self::IncidentOpened,
        Self::IncidentUpdated,
        Self::IncidentResolved,
        Self::FailureUnclassified,
        Self::CollectionRequested,
        Self::CollectionCompleted,
        Self::RecommendationIssued,
        Self::RecommendationWithdrawn,
    ];

    /// The CloudEvent `type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScanRequested => "io.stargate.scan.requested.v1",
            Self::ScanCompleted => "io.stargate.scan.completed.v1",
            Self::ReadinessChanged => "io.stargate.readiness.changed.v1",
            Self::IncidentOpened => "io.stargate.incident.opened.v1",
            Self::IncidentUpdated => "io.stargate.incident.updated.v1",
            Self::IncidentResolved => "io.stargate.incident.resolved.v1",
            Self::FailureUnclassified => "io.stargate.failure.unclassified.v1",
            Self::CollectionRequested => "io.stargate.collection.requested.v1",
            Self::CollectionCompleted => "io.stargate.collection.completed.v1",
            Self::RecommendationIssued => "io.stargate.recommendation.issued.v1",
            Self::RecommendationWithdrawn => "io.stargate.recommendation.withdrawn.v1",
        }
    }

    /// The type of that name, if StarGate knows it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event_type| event_type.as_str() == name)
    }
}

impl std::fmt::Display for EventType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one event type carries, and what follows from it.
pub trait Payload: Serialize + DeserializeOwned {
    /// The type this is the payload of.
    const TYPE: EventType;

    /// What it is about: `<cluster>`, `<cluster>/<namespace>`, `<cluster>/<namespace>/<stage>`.
    fn subject(&self) -> String;

    /// What must stay in order: the cluster, or the namespace's uid.
    fn partition_key(&self) -> String;

    /// The fields that tell this event from every other of its type. Same key, same id, whoever sends it and how often.
    fn dedup_key(&self) -> String;

    /// Extensions that triggers route by.
    fn routing(&self) -> BTreeMap<String, String>;
}

/// Why an event cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// The payload does not become JSON.
    #[error("payload of {0} is not JSON")]
    Payload(EventType, #[source] serde_json::Error),
    /// It would not pass every hop.
    #[error("{event_type} about {subject} is {size} bytes, more than {MAX_SENT}: send ids, not facts")]
    TooLarge {
        /// Which type.
        event_type: EventType,
        /// What it is about.
        subject: String,
        /// Its size in structured mode.
        size: usize,
    },
}

/// The outbox row that says `payload` happened at `time`, told by `producer`: the name of a function or a job.
///
/// # Errors
/// When the payload is not JSON or the event is larger than [`MAX_SENT`].
pub fn outgoing<P: Payload>(producer: &str, payload: &P, time: DateTime<Utc>) -> Result<Outgoing, OutgoingError> {
    let event = Outgoing {
        event_id: event_id(P::TYPE, &payload.dedup_key()),
        kind: P::TYPE.as_str().into(),
        source: format!("/stargate/{producer}"),
        subject: payload.subject(),
        time,
        partition_key: payload.partition_key(),
        extensions: payload.routing(),
        data: serde_json::to_value(payload).map_err(|source| OutgoingError::Payload(P::TYPE, source))?,
    };
    let size = CloudEvent::from(&event).to_structured().len();
    if size > MAX_SENT {
        return Err(OutgoingError::TooLarge {
            event_type: P::TYPE,
            subject: event.subject,
            size,
        });
    }
    Ok(event)
}

impl From<&Outgoing> for CloudEvent {
    fn from(event: &Outgoing) -> Self {
        let mut extensions = event.extensions.clone();
        extensions.insert("partitionkey".into(), event.partition_key.clone());
        Self {
            id: event.event_id.to_string(),
            source: event.source.clone(),
            event_type: event.kind.clone(),
            subject: Some(event.subject.clone()).filter(|subject| !subject.is_empty()),
            time: Some(event.time),
            content_type: Some("application/json".into()),
            data_schema: None,
            extensions,
            data: Data::Json(event.data.clone()),
        }
    }
}

/// UUIDv5 over type and dedup key: a producer that is killed and runs again sends the same event, not a second one.
#[must_use]
pub fn event_id(event_type: EventType, dedup_key: &str) -> Uuid {
    // Any fixed namespace does; this one is UUIDv5 of the URL namespace and "io.stargate".
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"io.stargate");
    Uuid::new_v5(&namespace, format!("{event_type}\n{dedup_key}").as_bytes())
}

impl CloudEvent {
    /// The payload of an event whose type the caller has checked.
    ///
    /// # Errors
    /// [`Failure::Unreadable`] when there is no JSON, [`Failure::Reject`] when it is not a `P`.
    pub fn payload<P: Payload>(&self) -> Result<P, Failure> {
        let Data::Json(value) = &self.data else {
            return Err(Failure::Unreadable(format!("data of {} is not JSON", self.event_type)));
        };
        P::deserialize(value).map_err(|error| Failure::Reject(format!("data of {}: {error}", self.event_type)))
    }
}

/// Payload of [`EventType::ScanRequested`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRequested {
    /// Cluster name.
    pub cluster: String,
    /// `cluster`, `workloads` or `everything`.
    pub tier: String,
    /// Who asked and which time: makes the request one of its kind.
    pub request_id: Uuid,
}

impl Payload for ScanRequested {
    const TYPE: EventType = EventType::ScanRequested;
    fn subject(&self) -> String {
        self.cluster.clone()
    }
    fn partition_key(&self) -> String {
        self.cluster.clone()
    }
    fn dedup_key(&self) -> String {
        self.request_id.to_string()
    }
    fn routing(&self) -> BTreeMap<String, String> {
        routing([("sgcluster", &self.cluster), ("sgtier", &self.tier)])
    }
}

/// Payload of [`EventType::ScanCompleted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanCompleted {
    /// Row in `scans`.
    pub scan_id: Uuid,
    /// Cluster name.
    pub cluster: String,
    /// `cluster`, `workloads` or `everything`.
    pub tier: String,
}

impl Payload for ScanCompleted {
    const TYPE: EventType = EventType::ScanCompleted;
    fn subject(&self) -> String {
        self.cluster.clone()
    }
    fn partition_key(&self) -> String {
        self.cluster.clone()
    }
    fn dedup_key(&self) -> String {
        self.scan_id.to_string()
    }
    fn routing(&self) -> BTreeMap<String, String> {
        routing([("sgcluster", &self.cluster), ("sgtier", &self.tier)])
    }
}

/// Payload of [`EventType::CollectionRequested`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionRequested {
    /// Row in `collection_requests`.
    pub request_id: Uuid,
    /// Which source: a [`crate::sources::SourceName`].
    pub source: String,
}

impl Payload for CollectionRequested {
    const TYPE: EventType = EventType::CollectionRequested;
    fn subject(&self) -> String {
        self.source.clone()
    }
    fn partition_key(&self) -> String {
        self.source.clone()
    }
    fn dedup_key(&self) -> String {
        self.request_id.to_string()
    }
    fn routing(&self) -> BTreeMap<String, String> {
        routing([("sgsource", &self.source)])
    }
}

/// Payload of [`EventType::CollectionCompleted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionCompleted {
    /// Row in `collections`.
    pub collection_id: Uuid,
    /// Row in `sources`.
    pub source: String,
}

impl Payload for CollectionCompleted {
    const TYPE: EventType = EventType::CollectionCompleted;
    fn subject(&self) -> String {
        self.source.clone()
    }
    fn partition_key(&self) -> String {
        self.source.clone()
    }
    fn dedup_key(&self) -> String {
        self.collection_id.to_string()
    }
    fn routing(&self) -> BTreeMap<String, String> {
        routing([("sgsource", &self.source)])
    }
}

/// What the two recommendation events carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecommendationRef {
    /// Row in `recommendations`.
    pub recommendation_id: Uuid,
    /// Its revision when this was said: readers ignore what is older than they know.
    pub revision: i32,
    /// The rule.
    pub rule: String,
    /// `lab`, `pool`, `cluster` or `platform`.
    pub scope: String,
    /// Which one.
    pub scope_key: String,
    /// `critical`, `high`, `medium` or `low`. For routing.
    pub urgency: String,
}

macro_rules! recommendation_payload {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub RecommendationRef);

        impl Payload for $name {
            const TYPE: EventType = EventType::$name;
            fn subject(&self) -> String {
                format!("{}/{}/{}", self.0.scope, self.0.scope_key, self.0.rule)
            }
            fn partition_key(&self) -> String {
                self.0.recommendation_id.to_string()
            }
            fn dedup_key(&self) -> String {
                format!("{}/{}", self.0.recommendation_id, self.0.revision)
            }
            fn routing(&self) -> BTreeMap<String, String> {
                routing([("sgrule", &self.0.rule), ("sgscope", &self.0.scope), ("sgseverity", &self.0.urgency)])
            }
        }
    };
}

recommendation_payload!(
    /// Payload of [`EventType::RecommendationIssued`].
    RecommendationIssued
);
recommendation_payload!(
    /// Payload of [`EventType::RecommendationWithdrawn`].
    RecommendationWithdrawn
);

/// Payload of [`EventType::ReadinessChanged`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadinessChanged {
    /// Row in `transitions`.
    pub transition_id: Uuid,
    /// The instance or the cluster.
    pub subject_id: Uuid,
    /// Cluster name.
    pub cluster: String,
    /// Namespace; `None` for a cluster's own stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Which stage.
    pub stage: Stage,
    /// What it changed to: `pass`, `warn` or `fail`. For routing: read the transition before acting.
    pub outcome: String,
    /// The failure class, if one matched. For routing, as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_class: Option<String>,
}

impl Payload for ReadinessChanged {
    const TYPE: EventType = EventType::ReadinessChanged;
    fn subject(&self) -> String {
        stage_subject(&self.cluster, self.namespace.as_deref(), self.stage)
    }
    fn partition_key(&self) -> String {
        self.subject_id.to_string()
    }
    fn dedup_key(&self) -> String {
        self.transition_id.to_string()
    }
    fn routing(&self) -> BTreeMap<String, String> {
        let mut routing = routing([
            ("sgcluster", &self.cluster),
            ("sgstage", self.stage.as_str()),
            ("sgoutcome", &self.outcome),
        ]);
        routing.extend(self.failure_class.iter().map(|class| ("sgclass".to_owned(), class.clone())));
        routing
    }
}

/// What the three incident events carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentRef {
    /// Row in `incidents`.
    pub incident_id: Uuid,
    /// Its revision when this was said: readers ignore what is older than they know.
    pub revision: i32,
    /// Cluster name; `None` when it spans clusters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Namespace; `None` when it spans instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Which stage.
    pub stage: Stage,
    /// `critical`, `high`, `medium` or `low`. For routing.
    pub level: String,
    /// The failure class, if one matched. For routing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_class: Option<String>,
}

macro_rules! incident_payload {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub IncidentRef);

        impl Payload for $name {
            const TYPE: EventType = EventType::$name;
            fn subject(&self) -> String {
                stage_subject(self.0.cluster.as_deref().unwrap_or("fleet"), self.0.namespace.as_deref(), self.0.stage)
            }
            fn partition_key(&self) -> String {
                self.0.incident_id.to_string()
            }
            fn dedup_key(&self) -> String {
                format!("{}/{}", self.0.incident_id, self.0.revision)
            }
            fn routing(&self) -> BTreeMap<String, String> {
                let mut routing = routing([("sgstage", self.0.stage.as_str()), ("sgseverity", &self.0.level)]);
                routing.extend(self.0.cluster.iter().map(|cluster| ("sgcluster".to_owned(), cluster.clone())));
                routing.extend(self.0.failure_class.iter().map(|class| ("sgclass".to_owned(), class.clone())));
                routing
            }
        }
    };
}

incident_payload! {
    /// Payload of [`EventType::IncidentOpened`].
    IncidentOpened
}
incident_payload! {
    /// Payload of [`EventType::IncidentUpdated`].
    IncidentUpdated
}
incident_payload! {
    /// Payload of [`EventType::IncidentResolved`].
    IncidentResolved
}

/// Payload of [`EventType::FailureUnclassified`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureUnclassified {
    /// The instance or the cluster.
    pub subject_id: Uuid,
    /// Cluster name.
    pub cluster: String,
    /// Namespace; `None` for a cluster's own stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Which stage.
    pub stage: Stage,
    /// Hex hash over the failing criteria: the same failure on the same stage is said once.
    pub signature: String,
}

impl Payload for FailureUnclassified {
    const TYPE: EventType = EventType::FailureUnclassified;
    fn subject(&self) -> String {
        stage_subject(&self.cluster, self.namespace.as_deref(), self.stage)
    }
    fn partition_key(&self) -> String {
        self.subject_id.to_string()
    }
    fn dedup_key(&self) -> String {
        format!("{}/{}/{}", self.subject_id, self.stage, self.signature)
    }
    fn routing(&self) -> BTreeMap<String, String> {
        routing([("sgcluster", &self.cluster), ("sgstage", self.stage.as_str())])
    }
}

fn stage_subject(cluster: &str, namespace: Option<&str>, stage: Stage) -> String {
    namespace.map_or_else(
        || format!("{cluster}/{stage}"),
        |namespace| format!("{cluster}/{namespace}/{stage}"),
    )
}

fn routing<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests;
