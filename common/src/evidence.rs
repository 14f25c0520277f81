//! From objects to typed, tri-state observations: what each stage's criteria say about one instance.
//!
//! ```text
//! Inventory ──(evidence/<stage>.rs, pure)──> StageEvidence ──(evaluate, rubric)──> Verdict
//! ```
//!
//! Every stage has one file and one function `observe(&View) -> StageEvidence`. An observation is true, false, a number,
//! a text, or unknown with a reason. Which criteria are required is the rubric's business, not ours.

pub mod backends;
pub mod cluster;
pub mod controllers;
pub mod deployment;
pub mod document;
pub mod entry;
pub mod model;
pub mod namespace;
pub mod pods;
pub mod probes;
#[cfg(test)]
mod properties;
pub mod provision;
pub mod quantify;
pub mod quantity;
pub mod route;
pub mod run;
pub mod showroom;
pub mod signals;
pub mod smoke;
pub mod storage;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod thresholds;
pub mod vm;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::expr::Type;
use crate::objects::{ClusterInventory, Inventory};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// What an observation says. Never coerced: a criterion that should be a boolean and is not is unknown.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A count, a percentage, a number of milliseconds: the criterion's documentation says which.
    Number(f64),
    /// A word.
    Text(String),
    /// Not known, and why.
    Unknown(UnknownReason),
}

/// A resource that an observation names: the culprit, or one that was left out and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// Kubernetes kind, for example `Deployment`.
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// What is wrong with it, or why it is excluded: short, for people.
    pub reason: String,
}

/// How an observation was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Read where it is stated.
    #[default]
    Direct,
    /// Read from a second-best place.
    Fallback,
    /// Concluded from something else.
    Inferred,
}

/// At most this many members are named; the count is always complete.
pub const MAX_MEMBERS: usize = 20;

/// One named observation about an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// What is known.
    pub value: Value,
    /// Members that make it false (or unknown), sorted, at most [`MAX_MEMBERS`].
    pub failing: Vec<Member>,
    /// How many members fail in all.
    pub failing_count: usize,
    /// Members that were left out on purpose, sorted, at most [`MAX_MEMBERS`].
    pub excluded: Vec<Member>,
    /// When a `progressing` observation turns false if nothing moves.
    pub until: Option<DateTime<Utc>>,
    /// How it was observed.
    pub grade: Grade,
}

impl Observation {
    /// An observation with that value and no members.
    #[must_use]
    pub const fn of(value: Value) -> Self {
        Self {
            value,
            failing: Vec::new(),
            failing_count: 0,
            excluded: Vec::new(),
            until: None,
            grade: Grade::Direct,
        }
    }

    /// A known yes or no.
    #[must_use]
    pub const fn known(value: bool) -> Self {
        Self::of(Value::Bool(value))
    }

    /// Not known, and why.
    #[must_use]
    pub const fn unknown(reason: UnknownReason) -> Self {
        Self::of(Value::Unknown(reason))
    }
}

/// Why a stage does not apply to an instance right now. Skipped is not an outcome: no row, no event, no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Nothing in this lab calls for the stage.
    NotApplicable,
    /// The service is being destroyed.
    Destroying,
    /// The namespace is being deleted.
    Terminating,
    /// Nobody knows what kind of lab this is, and it is no longer young.
    KindUnknown,
}

/// Everything one stage has observed about one instance. No observations at all means that there is nothing for the stage to
/// judge (container disks only, nothing declared): the stage is skipped as not applicable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StageEvidence {
    /// Criteria and facts by name.
    pub observations: BTreeMap<&'static str, Observation>,
    /// What the failing members say themselves, for pattern classes and sub-classes: facts first, then the newest events.
    pub signals: Vec<signals::Signal>,
}

/// What a stage may look at: one instance, its cluster, what is declared about it, and the time.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Evaluation time. Everything pure takes it from here.
    pub now: DateTime<Utc>,
    /// The namespace's objects.
    pub inventory: &'a Inventory,
    /// The cluster's objects.
    pub cluster: &'a ClusterInventory,
    /// What the lab's definition declares.
    pub declared: &'a Declared,
    /// What the service is supposed to do.
    pub lifecycle: &'a Lifecycle,
    /// How long something may be on its way.
    pub settle: &'a Settle,
}

/// Settle budgets: how long something of a stage may legitimately not be there yet. Inside the budget it is unknown (`progressing`), after
/// it the criterion is false. The numbers are the rubrics' `timeout_seconds`; what has a budget of its own beside them is in [`thresholds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settle([TimeDelta; Stage::ALL.len()]);

impl Settle {
    /// The budget of a stage; nothing where none was set. What a workload may take is that of `deployment-ready`, whichever stage asks.
    #[must_use]
    pub const fn of(&self, stage: Stage) -> TimeDelta {
        self.0[stage as usize]
    }

    /// Sets the budget of a stage.
    pub const fn set(&mut self, stage: Stage, budget: TimeDelta) {
        self.0[stage as usize] = budget;
    }
}

/// Whether anything of a stage can be on its way, so that its rubric needs a settle budget. The others have none: what they look at is
/// there or not.
#[must_use]
pub const fn settles(stage: Stage) -> bool {
    match stage {
        Stage::ProvisionComplete
        | Stage::DeploymentReady
        | Stage::StorageCloneReady
        | Stage::RouteReady
        | Stage::VmRuntimeReady
        | Stage::ShowroomHealthy
        | Stage::ModelEndpointReady => true,
        Stage::ClusterHealth | Stage::RunCreated | Stage::NamespaceReady | Stage::SmokeTestReady => false,
    }
}

/// What a lab's definition declares about its instances. Empty until a catalog source is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Declared {
    /// Catalog item, `account.item.stage`.
    pub catalog_item: Option<String>,
    /// Kind of lab, when the definition says so (`vm`, `container`, `container-vm`, `model`, `showroom-tenant`, `nested-cluster`).
    pub kind: Option<String>,
    /// Route names that must exist.
    pub routes: Vec<String>,
    /// VM names that must exist.
    pub vms: Vec<String>,
    /// InferenceService names that must exist.
    pub models: Vec<String>,
    /// Whether bare application pods are the workload.
    pub bare_pods: bool,
}

/// What the service is supposed to do: derived once per instance, read by every stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lifecycle {
    /// Desired state.
    pub intent: Intent,
    /// Where it is on the way.
    pub phase: Phase,
    /// Since when the subject is in its state, if known.
    pub since: Option<DateTime<Utc>>,
}

/// Desired state of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// It should run.
    Started,
    /// It should be stopped.
    Stopped,
    /// Nobody told us.
    #[default]
    Unknown,
}

/// Where a service is on its way. The word an operator sees instead of an outcome while it is not simply running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant says itself")]
pub enum Phase {
    Requested,
    Provisioning,
    Started,
    Starting,
    Stopping,
    Stopped,
    Failed,
    Destroying,
    /// Nobody told us; judged by what is there.
    #[default]
    Unknown,
}

/// The criteria and facts that a stage observes: the only names its rubric may use.
#[must_use]
pub const fn names(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::ClusterHealth => cluster::NAMES,
        Stage::RunCreated => run::NAMES,
        Stage::ProvisionComplete => provision::NAMES,
        Stage::NamespaceReady => namespace::NAMES,
        Stage::DeploymentReady => deployment::NAMES,
        Stage::StorageCloneReady => storage::NAMES,
        Stage::RouteReady => route::NAMES,
        Stage::VmRuntimeReady => vm::NAMES,
        Stage::SmokeTestReady => smoke::NAMES,
        Stage::ShowroomHealthy => showroom::NAMES,
        Stage::ModelEndpointReady => model::NAMES,
    }
}

/// The type of such a name: criteria are yes or no, a few facts are numbers.
#[must_use]
pub fn type_of(stage: Stage, name: &str) -> Type {
    let numbers: &[&str] = match stage {
        Stage::ClusterHealth => cluster::NUMBERS,
        Stage::RouteReady => route::NUMBERS,
        _ => &[],
    };
    if numbers.contains(&name) { Type::Double } else { Type::Bool }
}

/// What a stage observes. `cluster-health` is the same for every instance of a cluster: observe it once.
#[must_use]
pub fn observe(stage: Stage, view: &View<'_>, run: &run::Run<'_>) -> StageEvidence {
    match stage {
        Stage::RunCreated => run::observe(view, run),
        Stage::ProvisionComplete => provision::observe(view),
        Stage::NamespaceReady => namespace::observe(view),
        Stage::DeploymentReady => deployment::observe(view),
        Stage::StorageCloneReady => storage::observe(view),
        Stage::RouteReady => route::observe(view),
        Stage::VmRuntimeReady => vm::observe(view),
        Stage::SmokeTestReady => smoke::observe(view),
        Stage::ShowroomHealthy => showroom::observe(view),
        Stage::ModelEndpointReady => model::observe(view),
        Stage::ClusterHealth => cluster::observe(view.cluster, view.now),
    }
}
