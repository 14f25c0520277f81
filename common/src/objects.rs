//! Slim projections of Kubernetes objects: only the fields that a criterion reads.
//!
//! One vocabulary for every way in (live LIST, recording, stored evidence, test builder): they deserialize
//! straight from the API's JSON, unknown fields are skipped, and they serialize back compactly as stored evidence.
//! Nothing here judges. Credentials never enter: no environment but two values that say where a showroom's content
//! comes from, no commands, no data of secrets.

pub mod api;
pub mod assemble;
pub mod backlog;
pub mod cluster;
pub mod labels;
pub mod meta;
pub mod network;
pub mod operator;
pub mod provisioning;
pub mod repository;
pub mod select;
pub mod showroom;
pub mod storage;
pub mod virt;
pub mod workload;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::unknown::UnknownReason;

pub use assemble::Assembler;
pub use backlog::{JobBacklog, JobOwner};
pub use cluster::{ClusterOperator, ClusterVersion, Node, NodeMetrics};
pub use labels::Labels;
pub use meta::{Condition, Meta, Owner};
pub use network::{EndpointSlice, Endpoints, Ingress, Probe, ProbeKind, Route, Service};
pub use operator::Subscription;
pub use provisioning::{SmokeRun, Subject};
pub use select::NamespaceSelection;
pub use storage::{DataVolume, PersistentVolumeClaim};
pub use virt::{VirtualMachine, VirtualMachineInstance};
pub use workload::{
    DaemonSet, Deployment, DeploymentConfig, InferenceService, Job, Namespace, Pod, ResourceQuota, StatefulSet, WarningEvent,
};

/// A kind of thing that is read. The kebab-case name is stable: it is stored with evidence and coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant is the Kubernetes kind of that name")]
pub enum Kind {
    Node,
    NodeMetrics,
    ClusterOperator,
    ClusterVersion,
    Namespace,
    Pod,
    Deployment,
    StatefulSet,
    DaemonSet,
    DeploymentConfig,
    Job,
    Service,
    EndpointSlice,
    Endpoints,
    Route,
    Ingress,
    VirtualMachine,
    VirtualMachineInstance,
    DataVolume,
    PersistentVolumeClaim,
    ResourceQuota,
    InferenceService,
    Event,
    /// Operators of the Operator Lifecycle Manager.
    Subscription,
    /// HTTP and TLS observations made by StarGate itself.
    Probe,
    /// Babylon AnarchySubjects of the service.
    Subject,
    /// Demolition smoke runs of the lab.
    SmokeRun,
    /// Failed pods that jobs outside the labs left behind, counted while the pods are read.
    JobBacklog,
}

impl Kind {
    /// Every kind, in the order of the declaration.
    pub const ALL: [Self; 28] = [
        Self::Node,
        Self::NodeMetrics,
        Self::ClusterOperator,
        Self::ClusterVersion,
        Self::Namespace,
        Self::Pod,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::DeploymentConfig,
        Self::Job,
        Self::Service,
        Self::EndpointSlice,
        Self::Endpoints,
        Self::Route,
        Self::Ingress,
        Self::VirtualMachine,
        Self::VirtualMachineInstance,
        Self::DataVolume,
        Self::PersistentVolumeClaim,
        Self::ResourceQuota,
        Self::InferenceService,
        Self::Event,
        Self::Subscription,
        Self::Probe,
        Self::Subject,
        Self::SmokeRun,
        Self::JobBacklog,
    ];

    /// The stable kebab-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::NodeMetrics => "node-metrics",
            Self::ClusterOperator => "cluster-operator",
            Self::ClusterVersion => "cluster-version",
            Self::Namespace => "namespace",
            Self::Pod => "pod",
            Self::Deployment => "deployment",
            Self::StatefulSet => "stateful-set",
            Self::DaemonSet => "daemon-set",
            Self::DeploymentConfig => "deployment-config",
            Self::Job => "job",
            Self::Service => "service",
            Self::EndpointSlice => "endpoint-slice",
            Self::Endpoints => "endpoints",
            Self::Route => "route",
            Self::Ingress => "ingress",
            Self::VirtualMachine => "virtual-machine",
            Self::VirtualMachineInstance => "virtual-machine-instance",
            Self::DataVolume => "data-volume",
            Self::PersistentVolumeClaim => "persistent-volume-claim",
            Self::ResourceQuota => "resource-quota",
            Self::InferenceService => "inference-service",
            Self::Event => "event",
            Self::Subscription => "subscription",
            Self::Probe => "probe",
            Self::Subject => "subject",
            Self::SmokeRun => "smoke-run",
            Self::JobBacklog => "job-backlog",
        }
    }

    /// The kind of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one LIST told us. `missing` says why the list is not the whole truth; the items that were read still count.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// What was read.
    pub items: Vec<T>,
    /// Why there may be more, or `None` when the list is complete.
    pub missing: Option<UnknownReason>,
}

impl<T> Listing<T> {
    /// A list that was read to its end.
    #[must_use]
    pub const fn complete(items: Vec<T>) -> Self {
        Self { items, missing: None }
    }

    /// A list that was not read.
    #[must_use]
    pub const fn unknown(reason: UnknownReason) -> Self {
        Self {
            items: Vec::new(),
            missing: Some(reason),
        }
    }
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self::unknown(UnknownReason::NotCollected)
    }
}

/// Everything that was read about one lab namespace. A kind that was not read is `Listing::unknown`, never empty.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "each field is the list of the kind of that name")]
pub struct Inventory {
    /// The namespace's name.
    pub name: String,
    /// The namespace object: at most one item; complete and empty means it does not exist.
    pub namespace: Listing<Namespace>,
    pub pods: Listing<Pod>,
    pub deployments: Listing<Deployment>,
    pub stateful_sets: Listing<StatefulSet>,
    pub daemon_sets: Listing<DaemonSet>,
    pub deployment_configs: Listing<DeploymentConfig>,
    pub jobs: Listing<Job>,
    pub services: Listing<Service>,
    pub endpoint_slices: Listing<EndpointSlice>,
    /// Core endpoints, for recordings and clusters where only these are.
    pub endpoints: Listing<Endpoints>,
    pub routes: Listing<Route>,
    pub ingresses: Listing<Ingress>,
    pub vms: Listing<VirtualMachine>,
    pub vmis: Listing<VirtualMachineInstance>,
    pub data_volumes: Listing<DataVolume>,
    pub claims: Listing<PersistentVolumeClaim>,
    pub quotas: Listing<ResourceQuota>,
    pub inference_services: Listing<InferenceService>,
    pub events: Listing<WarningEvent>,
    /// Probes made for this namespace's routes, showroom and models.
    pub probes: Listing<Probe>,
    /// AnarchySubjects of this service, from the Babylon control plane.
    pub subjects: Listing<Subject>,
    /// Smoke runs of this lab, from Demolition.
    pub smoke_runs: Listing<SmokeRun>,
}

/// Everything that was read about a cluster itself.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "each field is the list of the kind of that name")]
pub struct ClusterInventory {
    /// The cluster's name.
    pub name: String,
    /// Whether the API answered at all: `None` when nobody asked (a recording without cluster files).
    pub reachable: Option<Reachability>,
    pub nodes: Listing<Node>,
    pub node_metrics: Listing<NodeMetrics>,
    pub operators: Listing<ClusterOperator>,
    pub versions: Listing<ClusterVersion>,
    pub subscriptions: Listing<Subscription>,
    /// Critical alerts that are active and not silenced; unknown until an alert source is read.
    pub critical_alerts: Listing<String>,
    /// Failed pods that jobs outside the labs left behind. As complete as the list of all pods.
    pub job_backlogs: Listing<JobBacklog>,
}

/// What the API server said when asked for its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reachability {
    /// Any HTTP answer counts, including 401 and 403.
    pub answered: bool,
    /// A refused credential makes everything else unknown.
    pub authorized: bool,
    /// What went wrong, in words; empty when nothing did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// One cluster at one moment: what a collection or a recording yields.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The cluster itself.
    pub cluster: ClusterInventory,
    /// Lab namespaces by name.
    pub namespaces: BTreeMap<String, Inventory>,
    /// When the reading began; observations are no older than this.
    pub observed_at: DateTime<Utc>,
    /// What could not be read or understood, for people.
    pub problems: Vec<Problem>,
}

/// Something that could not be read or understood. Never a reason to stop, never silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What it is about: a file, or `<cluster>/<kind>`.
    pub subject: String,
    /// What is wrong and what to do, in one line.
    pub detail: String,
}
