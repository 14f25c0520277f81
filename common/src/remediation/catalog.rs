//! The catalog of what can be done, as data: `remediations/<id>/operation.yaml` changes something, `remediations/<id>/diagnosis.yaml` only looks.
//!
//! An entry says for which failure classes one [`Operation`] is offered, how far automation may go, how its target is found in evidence, what must be
//! seen afterwards and what it cannot undo. It holds no command, no template and no default: what an entry does not say cannot be done. An entry
//! can be stricter than its operation, never laxer. Advice of the rubrics (`action.yaml`) that reads something is a diagnosis as well.
//!
//! | File | What it holds |
//! |---|---|
//! | `raw` | the files as they are written |
//! | `load` | from files to entries, with every mistake by file, line and field |
//! | `embedded` | the files this program was built with |

mod embedded;
mod load;
mod raw;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::operation::{Method, Operation, Precondition, Risk, Tier};
use crate::evaluate::files::{self, File, Text};
use crate::evaluate::lint::{Finding, Place, render_in};
use crate::evaluate::rubric::{LoadError, RubricSet};
use crate::policy::rule::RuleSet;
use crate::stage::Stage;

/// Objects that one list of a diagnosis may yield.
pub const MOST_OBJECTS: usize = 500;
/// Events that a diagnosis may keep.
pub const MOST_EVENTS: usize = 200;
/// Lines of one log that a diagnosis may keep.
pub const MOST_LOG_LINES: usize = 200;
/// Bytes of one answer that a diagnosis may keep.
pub const MOST_BYTES: usize = 64 * 1024;

/// What others tell StarGate, and what is no failure of a lab: an entry can be for these too.
pub const SIGNALS: [(&str, &str); 5] = [
    ("launchpad_cleanup_failed", "Launchpad could not clean up after a session"),
    (
        "launchpad_session_expired",
        "the session that Launchpad made a namespace for has ended",
    ),
    ("launchpad_workshop_cleanup_failed", "Launchpad could not clean up after a workshop"),
    (
        "launchpad_workshop_ended",
        "the workshop that Launchpad made a namespace for has ended",
    ),
    ("namespace_reclaimed", "a namespace of Launchpad was deleted and seen to be gone"),
];

/// How far automation may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is shown to people, who act elsewhere.
    RecommendOnly,
    /// It is queued until a person approves.
    ManualApproval,
    /// It is done, where the lab allows it and it has proven itself.
    AutoExecute,
}

/// How far an entry reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One object of one lab instance.
    Namespace,
    /// Something that many instances share.
    Cluster,
}

/// How the target is found. A caller never names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetRule {
    /// The one object that the failing criterion names.
    FailingObject,
    /// The workload that owns the one object that the failing criterion names.
    OwnerOfFailingObject,
    /// The subject or run that the joins lead to from the namespace.
    JoinedSubject,
    /// The pool that the policy's advice is about.
    AdvisedPool,
    /// A member of the pool that the policy's advice is about, the longest unhealthy first.
    AdvisedPoolMember,
    /// The placement with the service UUID of the namespace.
    JoinedPlacement,
    /// The namespace of the session that Launchpad told of.
    SignalledNamespace,
}

/// One parameter as an entry narrows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// A whole number within a range, both ends included.
    Integer {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// One of these words.
    OneOf(Vec<String>),
    /// An RFC 4122 UUID in lower case.
    Uuid,
}

/// What must be seen afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verify {
    /// In words.
    pub expect: String,
    /// Stages that are judged again, by the same rubrics, on the same uid.
    pub stages: Vec<Stage>,
    /// How long it may be on its way before anybody looks, in seconds.
    pub settle_seconds: u32,
    /// When looking ends: what is not seen by then did not happen. In seconds after the call.
    pub deadline_seconds: u32,
}

/// One way to change something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Stable snake-case name, the same as the folder's.
    pub id: String,
    /// Version, raised by whoever changes what it does.
    pub version: u32,
    /// A few words for a heading.
    pub title: String,
    /// What it is for, what people will notice, when it is wrong.
    pub description: String,
    /// The change.
    pub operation: Operation,
    /// Whose interface it goes through.
    pub method: Method,
    /// Who reconciles what it touches.
    pub tier: Tier,
    /// What can be lost by it.
    pub risk: Risk,
    /// How far automation may go.
    pub mode: Mode,
    /// Whether a person always decides.
    pub requires_approval: bool,
    /// How far it reaches.
    pub scope: Scope,
    /// Failure classes it is offered for.
    pub failure_classes: Vec<String>,
    /// Policy rules it is offered for.
    pub policies: Vec<String>,
    /// Signals it is offered for.
    pub signals: Vec<String>,
    /// Kinds of objects it is done to.
    pub kinds: Vec<String>,
    /// How its target is found.
    pub target: TargetRule,
    /// Its parameters.
    pub parameters: BTreeMap<String, Allowed>,
    /// What is checked before it.
    pub preconditions: Vec<Precondition>,
    /// What must be seen afterwards.
    pub verify: Verify,
    /// What nobody can take back.
    pub cannot_undo: String,
    /// The operation that takes it back, where there is one.
    pub undo: Option<Operation>,
    /// How long the same is not tried again, in minutes.
    pub cooldown_minutes: u32,
    /// How often it is tried by itself for one failure in 24 hours.
    pub max_attempts: u32,
    /// The team that answers for it.
    pub owner: String,
    /// The team that has read it. None: nobody yet.
    pub reviewed_by: Option<String>,
    /// SHA-256 of the file, hexadecimal: part of every record about it.
    pub hash: String,
    /// Where it is written.
    #[serde(skip)]
    pub place: Place,
}

/// One way to look into a failure. It changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnosis {
    /// Stable snake-case name, the same as the folder's.
    pub id: String,
    /// A few words for a heading.
    pub title: String,
    /// What it looks at, and what to make of it.
    pub description: String,
    /// How far it reaches.
    pub scope: Scope,
    /// Failure classes whose question it can answer.
    pub failure_classes: Vec<String>,
    /// What it reads, by the names of [`crate::evaluate::catalog::READS`] and [`PLATFORM_READS`].
    pub reads: Vec<&'static str>,
}

/// What only a diagnosis of the platform reads, with a credential of its own.
pub const PLATFORM_READS: [(&str, &str); 12] = [
    ("api_resources", "the list of kinds that the API serves"),
    ("ceph_clusters", "CephClusters and what they say of themselves"),
    ("cluster_operators", "ClusterOperators and the cluster's version"),
    ("cluster_service_versions", "ClusterServiceVersions and InstallPlans"),
    ("horizontal_pod_autoscalers", "HorizontalPodAutoscalers"),
    ("image_registry_pods", "pods of the internal image registry"),
    ("machines", "Machines and MachineSets"),
    ("migrations", "VirtualMachineInstanceMigrations"),
    ("network_policies", "NetworkPolicies"),
    ("persistent_volumes", "PersistentVolumes"),
    ("pod_disruption_budgets", "PodDisruptionBudgets"),
    ("resource_pools", "ResourcePools on the Babylon control plane"),
];

/// Everything that can be done or looked at.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// By id.
    pub entries: BTreeMap<String, Entry>,
    /// By id.
    pub diagnoses: BTreeMap<String, Diagnosis>,
    /// The first 16 hexadecimal digits of a SHA-256 over all files.
    pub version: String,
}

/// Why the catalog could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// A file or directory could not be read.
    #[error("reading the catalog from {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// At least one entry is wrong.
    #[error("{}", render_in("catalog", .0))]
    Invalid(Vec<Finding>),
}

impl Catalog {
    /// The catalog this program was built with.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] when it is wrong, which a test rules out for released programs.
    pub fn embedded(rubrics: &RubricSet, rules: &RuleSet) -> Result<Self, CatalogError> {
        load::load(&embedded::FILES, rubrics, rules)
    }

    /// The catalog of a directory that looks like `remediations/`.
    ///
    /// # Errors
    /// [`CatalogError`] when a file cannot be read or says something wrong.
    pub fn from_dir(dir: &Path, rubrics: &RubricSet, rules: &RuleSet) -> Result<Self, CatalogError> {
        let mut texts: Vec<Text> = Vec::new();
        for name in ["operation.yaml", "diagnosis.yaml"] {
            match files::in_folders(dir, name) {
                Ok(found) => texts.extend(found.into_iter().map(|(_, text)| text)),
                Err(LoadError::Read { path, source }) => return Err(CatalogError::Read { path, source }),
                Err(LoadError::Invalid(findings)) => return Err(CatalogError::Invalid(findings)),
            }
        }
        texts.sort_by(|a, b| a.path.cmp(&b.path));
        load::load(&texts.iter().map(Text::file).collect::<Vec<_>>(), rubrics, rules)
    }

    /// The catalog from texts that were already read.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] with everything that is wrong, not only the first.
    pub fn from_files(files: &[File<'_>], rubrics: &RubricSet, rules: &RuleSet) -> Result<Self, CatalogError> {
        load::load(files, rubrics, rules)
    }

    /// Entries that are offered for exactly that failure class.
    pub fn for_class<'a>(&'a self, class: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries
            .values()
            .filter(move |entry| entry.failure_classes.iter().any(|known| known == class))
    }

    /// Diagnoses of exactly that failure class.
    pub fn diagnoses_for<'a>(&'a self, class: &'a str) -> impl Iterator<Item = &'a Diagnosis> {
        self.diagnoses
            .values()
            .filter(move |diagnosis| diagnosis.failure_classes.iter().any(|known| known == class))
    }
}

impl Mode {
    /// Every mode, the strictest first.
    pub const ALL: [Self; 3] = [Self::RecommendOnly, Self::ManualApproval, Self::AutoExecute];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RecommendOnly => "recommend_only",
            Self::ManualApproval => "manual_approval",
            Self::AutoExecute => "auto_execute",
        }
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 2] = [Self::Namespace, Self::Cluster];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Cluster => "cluster",
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl TargetRule {
    /// Every rule.
    pub const ALL: [Self; 7] = [
        Self::FailingObject,
        Self::OwnerOfFailingObject,
        Self::JoinedSubject,
        Self::AdvisedPool,
        Self::AdvisedPoolMember,
        Self::JoinedPlacement,
        Self::SignalledNamespace,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FailingObject => "failing_object",
            Self::OwnerOfFailingObject => "owner_of_failing_object",
            Self::JoinedSubject => "joined_subject",
            Self::AdvisedPool => "advised_pool",
            Self::AdvisedPoolMember => "advised_pool_member",
            Self::JoinedPlacement => "joined_placement",
            Self::SignalledNamespace => "signalled_namespace",
        }
    }
}

#[cfg(test)]
mod tests;
