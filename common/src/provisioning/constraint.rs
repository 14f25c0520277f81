//! What a definition demands against what runs: five kinds of violation. Pure. Source: readiness-domain 7.4.
//!
//! A violation never changes an outcome; it says what to look at beside a stage. What was not read, and what a template decides, is
//! neither kept nor broken: it is told as unchecked, with the reason.
//!
//! Most items order a cluster of their own, inside virtual machines or a cloud: then the cluster that hosts the namespace says nothing
//! about their workloads, operators or version. Only items that run on the hosting cluster itself (`cloud_provider: none`) are compared in
//! these; objects in the instance's own namespace always count.

mod resources;
mod showroom;
mod workloads;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::catalog::{Constraints, Wanted};
use crate::objects::{ClusterInventory, Inventory, Listing};
use crate::stage::Stage;

/// What kind of demand is not met. The snake-case name is stable: it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// A declared workload left nothing that is named for it.
    WorkloadNotDeployed,
    /// An operator follows another channel.
    OperatorVersionDrift,
    /// The showroom clones another repository.
    ShowroomWrongContent,
    /// The showroom clones another branch, tag or commit of the right repository.
    ShowroomWrongRef,
    /// Fewer or smaller workers, or another OpenShift version.
    ResourceBelowSpec,
}

impl ViolationKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::WorkloadNotDeployed,
        Self::OperatorVersionDrift,
        Self::ShowroomWrongContent,
        Self::ShowroomWrongRef,
        Self::ResourceBelowSpec,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorkloadNotDeployed => "workload_not_deployed",
            Self::OperatorVersionDrift => "operator_version_drift",
            Self::ShowroomWrongContent => "showroom_wrong_content",
            Self::ShowroomWrongRef => "showroom_wrong_ref",
            Self::ResourceBelowSpec => "resource_below_spec",
        }
    }

    /// The stage that it says something about.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::WorkloadNotDeployed | Self::OperatorVersionDrift => Stage::DeploymentReady,
            Self::ShowroomWrongContent | Self::ShowroomWrongRef => Stage::ShowroomHealthy,
            Self::ResourceBelowSpec => Stage::VmRuntimeReady,
        }
    }

    /// `critical` or `warning`.
    #[must_use]
    pub const fn severity(self) -> &'static str {
        match self {
            Self::ShowroomWrongContent => "critical",
            Self::WorkloadNotDeployed | Self::OperatorVersionDrift | Self::ShowroomWrongRef | Self::ResourceBelowSpec => "warning",
        }
    }
}

/// A demand that is not met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// What kind of demand.
    pub kind: ViolationKind,
    /// What is demanded. Tells it from the others of its kind.
    pub expected: String,
    /// What is there instead.
    pub actual: String,
    /// Where that was seen, in words.
    pub detail: String,
}

/// A demand that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unchecked {
    /// What kind of demand.
    pub kind: ViolationKind,
    /// What is demanded.
    pub expected: String,
    /// Why nobody can say.
    pub reason: String,
}

/// What a comparison came to. A demand that is in neither list is met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Not met.
    pub violations: Vec<Violation>,
    /// Not known.
    pub unchecked: Vec<Unchecked>,
}

impl Compared {
    fn broken(&mut self, kind: ViolationKind, expected: impl Into<String>, actual: impl Into<String>, detail: impl Into<String>) {
        self.violations.push(Violation {
            kind,
            expected: expected.into(),
            actual: actual.into(),
            detail: detail.into(),
        });
    }

    fn unknown(&mut self, kind: ViolationKind, expected: impl Into<String>, reason: impl Into<String>) {
        self.unchecked.push(Unchecked {
            kind,
            expected: expected.into(),
            reason: reason.into(),
        });
    }

    /// Whether a stored violation stays open although it was not found again: nobody could look.
    #[must_use]
    pub fn leaves_open(&self, kind: &str, expected: &str) -> bool {
        let mut unchecked = self.unchecked.iter();
        unchecked.any(|one| one.kind.as_str() == kind && one.expected == expected)
    }
}

/// Compares one instance with what its catalog item demands.
#[must_use]
pub fn compare(wanted: &Constraints, inventory: &Inventory, cluster: &ClusterInventory) -> Compared {
    let mut compared = Compared::default();
    let at = Place::of(wanted);
    workloads::compare(wanted, at, inventory, cluster, &mut compared);
    workloads::channels(wanted, at, inventory, cluster, &mut compared);
    showroom::compare(wanted, inventory, &mut compared);
    resources::compare(wanted, at, inventory, cluster, &mut compared);
    compared.violations.sort();
    compared.unchecked.sort();
    compared
}

/// Where the workloads of an item run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On the cluster that hosts the namespace.
    Here,
    /// On machines in the namespace.
    Machines,
    /// In a cloud, or nobody said where.
    Elsewhere,
}

impl Place {
    fn of(wanted: &Constraints) -> Self {
        match &wanted.cloud_provider {
            Wanted::Exactly(provider) if provider == "none" => Self::Here,
            Wanted::Exactly(provider) if provider == "openshift_cnv" => Self::Machines,
            Wanted::Exactly(_) | Wanted::Dynamic | Wanted::Nothing => Self::Elsewhere,
        }
    }

    /// Why the hosting cluster says nothing.
    const fn why_not(self) -> &'static str {
        match self {
            Self::Here => "",
            Self::Machines => "the item runs on a cluster of its own, inside virtual machines, which is not read",
            Self::Elsewhere => "the item does not say that it runs on this cluster (cloud_provider: none)",
        }
    }
}

/// The parts of a name that dashes, underscores, dots and slashes separate, in lower case.
fn words(name: &str) -> Vec<String> {
    let parts = name.split(['-', '_', '.', '/']).filter(|part| !part.is_empty());
    parts.map(str::to_ascii_lowercase).collect()
}

/// Whether `words` stand in `name`, whole and next to each other: `git` is not in `gitops`.
fn stands_in(words: &[String], name: &[String]) -> bool {
    !words.is_empty() && name.windows(words.len()).any(|window| window == words)
}

/// Why a list is not the whole truth, for people.
fn unread<T>(what: &str, listing: &Listing<T>) -> Option<String> {
    listing.missing.map(|reason| format!("{what} were not read: {reason}"))
}

/// Names in one line, each once.
fn joined<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.into_iter().collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
