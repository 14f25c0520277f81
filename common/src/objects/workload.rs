//! Namespaces, pods and the controllers that run them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::meta::{Condition, Meta, is_false, null_is_default};
use super::showroom::PodTemplate;

/// A namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Namespace {
    /// Identity and deletion.
    pub metadata: Meta,
    /// Phase and, while terminating, what holds it.
    #[serde(deserialize_with = "null_is_default")]
    pub status: NamespaceStatus,
}

/// Status of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the Kubernetes status field of that name")]
pub struct NamespaceStatus {
    pub phase: String,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
}

/// A pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// Identity, owner, labels, deletion.
    pub metadata: Meta,
    /// Where it runs and which claims it mounts.
    #[serde(deserialize_with = "null_is_default")]
    pub spec: PodSpec,
    /// Phase, conditions, containers.
    #[serde(deserialize_with = "null_is_default")]
    pub status: PodStatus,
}

impl Pod {
    /// Drops what no criterion reads: conditions that hold and say no more than `Ready`, containers that run as they
    /// should and never ended, init containers that are done, and volumes that are no claims.
    ///
    /// A cluster has tens of thousands of pods, nearly all of them healthy, and they are in memory together.
    pub fn slim_down(&mut self) {
        let PodStatus {
            conditions,
            init_container_statuses,
            container_statuses,
            ..
        } = &mut self.status;
        let ready = conditions.iter().any(|condition| condition.kind == "Ready" && condition.is_true());
        conditions.retain(|condition| match condition.kind.as_str() {
            "Ready" | "DisruptionTarget" => true,
            "PodScheduled" => !ready || !condition.is_true(),
            _ => !condition.is_true(),
        });
        container_statuses.retain(ContainerStatus::is_troubled);
        init_container_statuses.retain(ContainerStatus::is_troubled);
        conditions.shrink_to_fit();
        container_statuses.shrink_to_fit();
        init_container_statuses.shrink_to_fit();
        self.spec.volumes.retain(|volume| volume.persistent_volume_claim.is_some());
        self.spec.volumes.shrink_to_fit();
        self.metadata.owner_references.shrink_to_fit();
    }
}

/// What is read of a pod's spec: no environment, no commands, no images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes spec field of that name")]
pub struct PodSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub volumes: Vec<PodVolume>,
}

/// A pod volume, as far as it names a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodVolume {
    /// The claim it mounts, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<ClaimRef>,
}

/// A reference to a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClaimRef {
    /// The claim's name.
    pub claim_name: String,
}

/// Status of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes status field of that name")]
pub struct PodStatus {
    pub phase: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub init_container_statuses: Vec<ContainerStatus>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub container_statuses: Vec<ContainerStatus>,
}

/// Status of one container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes status field of that name")]
pub struct ContainerStatus {
    pub name: String,
    #[serde(skip_serializing_if = "is_false")]
    pub ready: bool,
    pub restart_count: i64,
    #[serde(deserialize_with = "null_is_default")]
    pub state: ContainerState,
    #[serde(skip_serializing_if = "ContainerState::is_unset", deserialize_with = "null_is_default")]
    pub last_state: ContainerState,
}

impl ContainerStatus {
    /// Whether there is anything to tell of it: it is not up and ready, ended other than well, or began anew.
    #[must_use]
    pub fn is_troubled(&self) -> bool {
        let done = self.state.terminated.as_ref().is_some_and(|end| end.exit_code == 0);
        let runs = self.state.running.is_some();
        !self.ready || !(done || runs) || !self.last_state.is_unset() || self.restart_count > 0
    }
}

/// The state a container is or was in; at most one field is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the Kubernetes state of that name")]
pub struct ContainerState {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<Running>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminated: Option<Terminated>,
}

impl ContainerState {
    /// Whether no state is given.
    #[must_use]
    pub const fn is_unset(&self) -> bool {
        self.waiting.is_none() && self.running.is_none() && self.terminated.is_none()
    }
}

/// A container that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the Kubernetes field of that name")]
pub struct Waiting {
    pub reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// A container that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes field of that name")]
pub struct Running {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
}

/// A container that ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes field of that name")]
pub struct Terminated {
    pub reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    pub exit_code: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
}

macro_rules! controller {
    ($(#[$doc:meta])* $name:ident, $spec:ident, $status:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $name {
            /// Identity and owner.
            pub metadata: Meta,
            /// What is wanted.
            #[serde(deserialize_with = "null_is_default")]
            pub spec: $spec,
            /// What is there.
            #[serde(deserialize_with = "null_is_default")]
            pub status: $status,
        }
    };
}

controller!(
    /// A Deployment.
    Deployment, ReplicasSpec, ReplicasStatus
);
controller!(
    /// A StatefulSet.
    StatefulSet, ReplicasSpec, ReplicasStatus
);
controller!(
    /// An OpenShift DeploymentConfig.
    DeploymentConfig, ReplicasSpec, ReplicasStatus
);
controller!(
    /// A DaemonSet.
    DaemonSet, DaemonSetSpec, DaemonSetStatus
);
controller!(
    /// A batch Job.
    Job, JobSpec, JobStatus
);

/// Spec of a controller that counts replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReplicasSpec {
    /// Wanted replicas; absent means 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i64>,
    /// Whether the rollout is paused.
    #[serde(skip_serializing_if = "is_false")]
    pub paused: bool,
    /// How long a rollout may take, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_deadline_seconds: Option<i64>,
    /// Of the pods it makes: where a showroom takes its content from.
    #[serde(skip_serializing_if = "PodTemplate::is_empty", deserialize_with = "null_is_default")]
    pub template: PodTemplate,
}

/// Status of a controller that counts replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes status field of that name")]
pub struct ReplicasStatus {
    pub replicas: i64,
    pub ready_replicas: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
}

/// Spec of a DaemonSet: nothing is read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DaemonSetSpec {}

/// Status of a DaemonSet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes status field of that name")]
pub struct DaemonSetStatus {
    pub desired_number_scheduled: i64,
    pub number_ready: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// Spec of a Job: nothing is read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobSpec {}

/// Status of a Job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes status field of that name")]
pub struct JobStatus {
    pub succeeded: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
}

/// A resource quota.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceQuota {
    /// Identity.
    pub metadata: Meta,
    /// Used against hard limits.
    #[serde(deserialize_with = "null_is_default")]
    pub status: QuotaStatus,
}

/// Status of a quota: resource name to Kubernetes quantity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the Kubernetes status field of that name")]
pub struct QuotaStatus {
    #[serde(deserialize_with = "null_is_default")]
    pub hard: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_is_default")]
    pub used: BTreeMap<String, String>,
}

/// A KServe InferenceService.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InferenceService {
    /// Identity and the stop annotation.
    pub metadata: Meta,
    /// Readiness and model state.
    #[serde(deserialize_with = "null_is_default")]
    pub status: InferenceServiceStatus,
}

/// Status of an InferenceService.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the KServe status field of that name")]
pub struct InferenceServiceStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
    #[serde(deserialize_with = "null_is_default")]
    pub model_status: ModelStatus,
}

/// `status.modelStatus`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the KServe status field of that name")]
pub struct ModelStatus {
    #[serde(deserialize_with = "null_is_default")]
    pub states: ModelStates,
}

/// `status.modelStatus.states`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the KServe status field of that name")]
pub struct ModelStates {
    pub active_model_state: String,
    pub target_model_state: String,
}

/// A Warning event, from either API group. Only what sub-classes and messages need.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WarningEvent {
    /// Identity.
    pub metadata: Meta,
    /// `Warning`; others are dropped on the way in.
    #[serde(rename = "type")]
    pub kind: String,
    /// Machine-readable reason.
    pub reason: String,
    /// `message` (core/v1) or `note` (events.k8s.io).
    #[serde(alias = "note")]
    pub message: String,
    /// What it is about: `involvedObject` (core/v1) or `regarding` (events.k8s.io).
    #[serde(alias = "regarding", deserialize_with = "null_is_default")]
    pub involved_object: ObjectRef,
    /// Last time seen, core/v1.
    #[serde(alias = "deprecatedLastTimestamp", skip_serializing_if = "Option::is_none")]
    pub last_timestamp: Option<DateTime<Utc>>,
    /// First time seen, events.k8s.io.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_time: Option<DateTime<Utc>>,
    /// Repetition, where the API counts it as a series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<EventSeries>,
}

impl WarningEvent {
    /// When it was last seen: series, then last timestamp, then event time.
    #[must_use]
    pub fn last_seen(&self) -> Option<DateTime<Utc>> {
        self.series
            .as_ref()
            .and_then(|series| series.last_observed_time)
            .or(self.last_timestamp)
            .or(self.event_time)
    }
}

/// A series of equal events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventSeries {
    /// Newest occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_observed_time: Option<DateTime<Utc>>,
}

/// A reference to another object of the namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the reference field of that name")]
pub struct ObjectRef {
    pub kind: String,
    pub name: String,
}
