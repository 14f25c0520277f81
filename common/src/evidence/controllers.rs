//! Everything that keeps pods running, in one shape: Deployments, StatefulSets, DaemonSets and DeploymentConfigs.
//!
//! Left out are controllers that belong to another one of the list or to KServe: their owner's stage judges them. A
//! Deployment that an operator made for a custom resource stays in: it is the lab's service all the same.

use chrono::{DateTime, TimeDelta, Utc};

use super::pods;
use crate::objects::meta::condition;
use crate::objects::workload::{ReplicasSpec, ReplicasStatus};
use crate::objects::{Condition, Inventory, Listing, Meta, Pod};
use crate::unknown::UnknownReason;

/// Set by the platform when it scales a controller down to stop a service, removed when it starts it again.
pub const ORIGINAL_REPLICAS: &str = "sandbox.redhat.com/original-replicas";

/// One controller.
#[derive(Debug, Clone, Copy)]
pub struct Controller<'a> {
    /// `Deployment`, `StatefulSet`, `DaemonSet` or `DeploymentConfig`.
    pub kind: &'static str,
    /// Identity, annotations, owner, deletion.
    pub meta: &'a Meta,
    /// Pods it should have.
    pub desired: i64,
    /// Pods that are ready.
    pub ready: i64,
    /// Whether its status is about its present specification.
    pub current: bool,
    /// Available, Progressing, ReplicaFailure; empty where the kind has none.
    pub conditions: &'a [Condition],
    /// How long a rollout may stand still, by its own specification.
    pub deadline: Option<TimeDelta>,
}

impl<'a> Controller<'a> {
    fn new(kind: &'static str, meta: &'a Meta, spec: &ReplicasSpec, status: &'a ReplicasStatus) -> Self {
        let deadline = spec.progress_deadline_seconds.and_then(TimeDelta::try_seconds);
        Self {
            kind,
            meta,
            desired: spec.replicas.unwrap_or(1),
            ready: status.ready_replicas,
            // A paused rollout never becomes current: its replicas count all the same.
            current: spec.paused || is_current(meta, status.observed_generation),
            conditions: &status.conditions,
            deadline,
        }
    }

    /// Whether all its pods are there and ready, by its present specification.
    #[must_use]
    pub const fn is_satisfied(&self) -> bool {
        self.current && self.ready >= self.desired
    }

    /// Whether the platform has scaled it to zero to stop the service.
    #[must_use]
    pub fn is_stopped_by_platform(&self) -> bool {
        self.desired == 0 && self.meta.annotations.contains_key(ORIGINAL_REPLICAS)
    }

    /// Whether Knative scales it, to zero too, by demand.
    #[must_use]
    pub fn is_scaled_by_demand(&self) -> bool {
        self.meta.labels.contains_key("serving.knative.dev/revision")
            || self.meta.owner_references.iter().any(|owner| owner.kind == "Revision")
    }

    /// Until when missing replicas may be on their way: the budget, or its own deadline when that is shorter, after its creation, its
    /// last step in a rollout, or the moment it lost its availability (that is also when a scaled-up controller starts to wait).
    #[must_use]
    pub fn settles_at(&self, budget: TimeDelta) -> Option<DateTime<Utc>> {
        let progressing = condition(self.conditions, "Progressing");
        if progressing.is_some_and(|progressing| progressing.is_false() || progressing.reason == "ProgressDeadlineExceeded") {
            return None;
        }
        let moved = progressing.and_then(|progressing| progressing.last_transition_time);
        let lost = condition(self.conditions, "Available").filter(|available| available.is_false());
        let lost = lost.and_then(|available| available.last_transition_time);
        let newest = self.meta.creation_timestamp.max(moved).max(lost)?;
        Some(newest + self.deadline.map_or(budget, |deadline| deadline.min(budget)))
    }

    /// Whether the pod is one of its own.
    #[must_use]
    pub fn owns(&self, pod: &Pod) -> bool {
        let Some(owner) = pods::owner(pod) else { return false };
        match self.kind {
            "Deployment" => owner.kind == "ReplicaSet" && replica_set_of(pod, &owner.name) == Some(self.meta.name.as_str()),
            "DeploymentConfig" => owner.kind == "ReplicationController" && stem(&owner.name) == Some(self.meta.name.as_str()),
            kind => owner.kind == kind && owner.name == self.meta.name,
        }
    }
}

fn is_current(meta: &Meta, observed: Option<i64>) -> bool {
    // Without a generation (hand-made recordings) there is nothing to lag behind.
    meta.generation.is_none_or(|generation| observed.unwrap_or(0) >= generation)
}

/// The Deployment behind a ReplicaSet: its name without the template hash.
fn replica_set_of<'n>(pod: &Pod, replica_set: &'n str) -> Option<&'n str> {
    match pod.metadata.labels.get("pod-template-hash") {
        Some(hash) => replica_set.strip_suffix(hash.as_str())?.strip_suffix('-'),
        None => stem(replica_set),
    }
}

/// A generated name without its last part.
fn stem(name: &str) -> Option<&str> {
    Some(name.rsplit_once('-')?.0)
}

/// The controllers of a namespace.
#[derive(Debug, Clone)]
pub struct Controllers<'a> {
    /// Those that deployment-ready judges.
    pub counted: Vec<Controller<'a>>,
    /// Those it does not judge, and why.
    pub excluded: Vec<(Controller<'a>, &'static str)>,
    /// Why there may be more.
    pub missing: Option<UnknownReason>,
    /// Whether a kind that nobody read was concluded to be absent from the pods.
    pub inferred: bool,
}

impl Controllers<'_> {
    /// Whether every controller is known, there are some, and none of them is meant to run a pod now or on demand.
    #[must_use]
    pub fn all_at_zero(&self) -> bool {
        let at_zero = |controller: &Controller| controller.desired == 0 && !controller.is_scaled_by_demand();
        self.missing.is_none() && !self.counted.is_empty() && self.counted.iter().all(at_zero)
    }

    /// Whether the platform has scaled down at least one of them.
    #[must_use]
    pub fn any_stopped_by_platform(&self) -> bool {
        self.counted.iter().any(Controller::is_stopped_by_platform)
    }
}

/// The controllers of the namespace.
#[must_use]
pub fn of(inventory: &Inventory) -> Controllers<'_> {
    let (missing, inferred) = completeness(inventory);
    let mut controllers = Controllers {
        counted: Vec::new(),
        excluded: Vec::new(),
        missing,
        inferred,
    };
    for controller in all(inventory) {
        match why_not(&controller) {
            Some(reason) => controllers.excluded.push((controller, reason)),
            None => controllers.counted.push(controller),
        }
    }
    controllers
}

fn all(inventory: &Inventory) -> Vec<Controller<'_>> {
    let mut found = Vec::new();
    for it in &inventory.deployments.items {
        found.push(Controller::new("Deployment", &it.metadata, &it.spec, &it.status));
    }
    for it in &inventory.stateful_sets.items {
        found.push(Controller::new("StatefulSet", &it.metadata, &it.spec, &it.status));
    }
    for it in &inventory.deployment_configs.items {
        found.push(Controller::new("DeploymentConfig", &it.metadata, &it.spec, &it.status));
    }
    for it in &inventory.daemon_sets.items {
        found.push(Controller {
            kind: "DaemonSet",
            meta: &it.metadata,
            desired: it.status.desired_number_scheduled,
            ready: it.status.number_ready,
            current: is_current(&it.metadata, it.status.observed_generation),
            conditions: &[],
            deadline: None,
        });
    }
    found
}

/// Why deployment-ready does not judge the controller.
fn why_not(controller: &Controller) -> Option<&'static str> {
    let meta = controller.meta;
    if meta.deletion_timestamp.is_some() {
        return Some("being deleted");
    }
    if meta.labels.contains_key("serving.kserve.io/inferenceservice")
        || meta.owner_references.iter().any(|owner| owner.kind == "InferenceService")
    {
        return Some("serves a model, see model-endpoint-ready");
    }
    let controlled = meta
        .owner_references
        .iter()
        .any(|owner| owner.controller && matches!(owner.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet" | "DeploymentConfig"));
    controlled.then_some("run by another controller")
}

/// Why there may be more controllers than were read, and whether that was bridged by inference.
///
/// A kind that the cluster does not serve has no members. A kind that nobody asked for (a recording rarely holds all
/// four) is concluded to be absent when Deployments and pods were read and no pod names it as its owner; reads that failed
/// are never bridged.
fn completeness(inventory: &Inventory) -> (Option<UnknownReason>, bool) {
    let owned_by = |kind: &str| {
        let pods = &inventory.pods;
        pods.items
            .iter()
            .any(|pod| pods::owner(pod).is_some_and(|owner| owner.kind == kind))
    };
    let mut inferred = false;
    let mut missing = None;
    let Inventory {
        deployments,
        stateful_sets,
        deployment_configs,
        daemon_sets,
        pods,
        ..
    } = inventory;
    let others = [
        (state(stateful_sets), "StatefulSet"),
        (state(deployment_configs), "ReplicationController"),
        (state(daemon_sets), "DaemonSet"),
    ];
    for (reason, owner) in others {
        match reason {
            None | Some(UnknownReason::ApiAbsent) => {}
            Some(UnknownReason::NotCollected) if state(deployments).is_none() && state(pods).is_none() && !owned_by(owner) => {
                inferred = true
            }
            Some(reason) => missing = missing.or(Some(reason)),
        }
    }
    let missing = state(deployments).or(missing);
    (missing, inferred && missing.is_none())
}

const fn state<T>(listing: &Listing<T>) -> Option<UnknownReason> {
    listing.missing
}
