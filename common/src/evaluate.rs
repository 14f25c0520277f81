//! The verdict: evidence judged by rubrics. Pure; the same input gives the same bytes.
//!
//! ```text
//! StageEvidence × Rubric × verdicts of earlier stages ──> Verdict       pipeline.rs walks the stages in order
//! ```
//!
//! | File | What it holds |
//! |---|---|
//! | [`rubric`] | loading rubrics, embedded or from a directory; [`lint`] says what is wrong with one and where |
//! | [`judge`] | one stage: criteria, outcome, class |
//! | [`lab`] | what a lab's developer demands beyond that |
//! | [`pipeline`] | all stages of an instance, a cluster, a snapshot |
//! | [`catalog`] | actions that rubrics recommend |
//! | [`kind`], [`lifecycle`], [`identity`] | what an instance is, what it is supposed to do, how it is called |
//! | [`pattern`], [`subclass`], [`message`] | what the members' own texts say, the finer label, the line for people |
//! | [`report`] | verdicts as JSON, YAML, table, JUnit |
//! | [`diff`] | verdicts that change between two rubric sets |
//! | [`schema`] | the files' JSON Schema, for editors |
//! | [`case`] | a situation in YAML and the verdict it must lead to |
//! | [`mutate`] | rubrics changed in small ways, and whether a case notices |

pub mod case;
pub mod catalog;
pub mod diff;
mod embedded;
mod facts;
pub(crate) mod files;
pub mod gate;
pub mod identity;
pub mod judge;
pub mod kind;
pub mod lab;
pub mod lifecycle;
pub mod lint;
pub mod message;
pub mod mutate;
pub mod pattern;
pub mod pipeline;
pub mod report;
pub mod rubric;
pub mod scaffold;
pub mod schema;
pub mod subclass;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::evidence::{Lifecycle, Member, SkipReason};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// How a stage came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every required criterion holds, and no optional one fails.
    Pass,
    /// Every required criterion holds, an optional one fails.
    Warn,
    /// A required criterion is known to be false.
    Fail,
    /// A required criterion is not known: neither ready nor broken.
    Indeterminate,
    /// The stage does not apply: counted nowhere.
    Skipped,
}

impl Outcome {
    /// The stable snake-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Indeterminate => "indeterminate",
            Self::Skipped => "skipped",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a stage is indeterminate or skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A required value is not known.
    Unknown(UnknownReason),
    /// An earlier stage failed: the root cause is there, once.
    BlockedBy(Stage),
    /// The stage does not apply.
    Skipped(SkipReason),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(reason) => reason.fmt(f),
            Self::BlockedBy(stage) => write!(f, "blocked_by:{stage}"),
            Self::Skipped(SkipReason::NotApplicable) => f.write_str("not_applicable"),
            Self::Skipped(SkipReason::Destroying) => f.write_str("destroying"),
            Self::Skipped(SkipReason::Terminating) => f.write_str("terminating"),
            Self::Skipped(SkipReason::KindUnknown) => f.write_str("kind_unknown"),
        }
    }
}

/// How the failure class was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassMatch {
    /// All conditions hold on known values.
    Strict,
    /// None is contradicted, at least one holds on a criterion that failed.
    Partial,
    /// No class of the rubric fits; it is the one that the members' own texts say.
    Pattern,
}

/// Which list of the rubric a criterion is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Checked first, in order.
    Entry,
    /// All checked.
    Exit,
}

/// One criterion as it was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CriterionResult {
    /// Name, as in the rubric.
    pub name: Cow<'static, str>,
    /// Entry or exit.
    pub role: Role,
    /// Whether the outcome depends on it.
    pub required: bool,
    /// The value: boolean, number or text; null when unknown.
    pub value: serde_json::Value,
    /// Why it is unknown; null when it is known.
    pub unknown_reason: Option<UnknownReason>,
    /// Members that make it false or unknown, at most twenty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<Member>,
    /// How many members fail in all, when more than are named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_count: Option<usize>,
    /// Members left out on purpose, at most twenty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Member>,
    /// The lab rubric that asks for it; none for the stage's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rubric: Option<String>,
}

/// The verdict on one stage of one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Which stage.
    pub stage: Stage,
    /// How it came out.
    pub outcome: Outcome,
    /// Why, when it is indeterminate or skipped.
    pub reason: Option<Reason>,
    /// Named cause or symptom, for `fail` and `warn`; `None` on `fail` is an unclassified failure.
    pub failure_class: Option<String>,
    /// How the class was found.
    pub class_match: Option<ClassMatch>,
    /// What the members' own texts say, for `fail` and `warn`: a class of the source `k8s_events`.
    pub pattern_class: Option<String>,
    /// Finer label under the class.
    pub sub_class: Option<String>,
    /// What the rubric recommends looking at.
    pub recommended_action: Option<String>,
    /// One line for people, from a fixed template.
    pub message: String,
    /// Every criterion of the rubric, in its order. Empty for skipped and blocked stages.
    pub criteria: Vec<CriterionResult>,
    /// When a progressing criterion turns false if nothing moves.
    pub until: Option<DateTime<Utc>>,
}

/// What kind of lab an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant says itself")]
pub enum LabKind {
    Vm,
    Container,
    ContainerVm,
    Model,
    ShowroomTenant,
    NestedCluster,
    Unknown,
}

impl LabKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Vm,
        Self::Container,
        Self::ContainerVm,
        Self::Model,
        Self::ShowroomTenant,
        Self::NestedCluster,
        Self::Unknown,
    ];

    /// The stable kebab-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Container => "container",
            Self::ContainerVm => "container-vm",
            Self::Model => "model",
            Self::ShowroomTenant => "showroom-tenant",
            Self::NestedCluster => "nested-cluster",
            Self::Unknown => "unknown",
        }
    }

    /// The kind of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl std::fmt::Display for LabKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The verdict on one instance: every stage but `cluster-health`, in pipeline order. That one is the cluster's: judged once, reported
/// and remembered once, never once per instance.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceVerdict {
    /// Namespace name.
    pub namespace: String,
    /// Namespace uid: state is kept by it, so that a re-created namespace starts clean. Empty when the object was not read.
    pub uid: String,
    /// How it is called elsewhere.
    pub identity: identity::Identity,
    /// What kind of lab it is.
    pub kind: LabKind,
    /// Intent and phase.
    pub lifecycle: Lifecycle,
    /// One verdict per stage, ten in all, skipped ones included.
    pub stages: Vec<Verdict>,
}

/// The verdict on clusters and the lab namespaces read from them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FleetVerdict {
    /// Cluster name to its `cluster-health` verdict.
    pub clusters: BTreeMap<String, Verdict>,
    /// Cluster name and verdict of each instance, sorted by cluster and namespace.
    pub instances: Vec<(String, InstanceVerdict)>,
}

impl FleetVerdict {
    /// Adds the verdict on another cluster.
    pub fn merge(&mut self, other: Self) {
        self.clusters.extend(other.clusters);
        self.instances.extend(other.instances);
        self.instances
            .sort_by(|(a_cluster, a), (b_cluster, b)| (a_cluster, &a.namespace).cmp(&(b_cluster, &b.namespace)));
    }
}
