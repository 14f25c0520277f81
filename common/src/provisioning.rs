//! What the provisioning systems know: what was ordered, what exists, who is coming. Values only, and what follows from them.
//!
//! | Module | What it holds | Said by |
//! |---|---|---|
//! | [`subject`] | AnarchySubjects and their governor runs | Babylon |
//! | [`pool`] | pools, handles, claims, providers | Babylon (Poolboy) |
//! | [`catalog`] | catalog items, workshops, components and their constraints | Babylon, AgnosticV |
//! | [`constraint`] | what a component demands against what runs | - |
//! | [`event`] | labs and their sessions; smoke runs | Labagator, Demolition |
//! | [`job`] | jobs of the AAP controllers | AAP |
//! | [`sli`] | how often provisioning succeeds | from subjects |
//! | [`placement`] | placements and the clusters they go to | Sandbox API |
//! | [`state`], [`stuck`] | what a subject's state means; what does not move by itself | – |
//! | [`pool_state`] | how full a pool is and where that goes | – |
//! | [`session_readiness`] | whether a session will find what it needs | – |
//!
//! Every record is an allow-list: a field that is not named here is never read, so credentials, mail addresses and names of people cannot
//! reach the database. Every field may be missing at its source; a missing one is `None` or empty, never a guess.

pub mod catalog;
pub mod constraint;
pub mod event;
pub mod job;
pub mod link;
pub mod placement;
pub mod pool;
pub mod pool_state;
pub mod session_readiness;
pub mod sli;
pub mod state;
pub mod stuck;
pub mod subject;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A kind of record. The kebab-case name is stable: it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant is the record of that name")]
pub enum RecordKind {
    Subject,
    AnarchyRun,
    ResourceClaim,
    ResourceHandle,
    ResourcePool,
    ResourceProvider,
    CatalogItem,
    Workshop,
    WorkshopProvision,
    Component,
    Lab,
    Session,
    SmokeRun,
    AapJob,
    Placement,
    SandboxCluster,
}

impl RecordKind {
    /// Every kind, in the order of the declaration.
    pub const ALL: [Self; 16] = [
        Self::Subject,
        Self::AnarchyRun,
        Self::ResourceClaim,
        Self::ResourceHandle,
        Self::ResourcePool,
        Self::ResourceProvider,
        Self::CatalogItem,
        Self::Workshop,
        Self::WorkshopProvision,
        Self::Component,
        Self::Lab,
        Self::Session,
        Self::SmokeRun,
        Self::AapJob,
        Self::Placement,
        Self::SandboxCluster,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::AnarchyRun => "anarchy-run",
            Self::ResourceClaim => "resource-claim",
            Self::ResourceHandle => "resource-handle",
            Self::ResourcePool => "resource-pool",
            Self::ResourceProvider => "resource-provider",
            Self::CatalogItem => "catalog-item",
            Self::Workshop => "workshop",
            Self::WorkshopProvision => "workshop-provision",
            Self::Component => "component",
            Self::Lab => "lab",
            Self::Session => "session",
            Self::SmokeRun => "smoke-run",
            Self::AapJob => "aap-job",
            Self::Placement => "placement",
            Self::SandboxCluster => "sandbox-cluster",
        }
    }

    /// The kind of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl std::fmt::Display for RecordKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something that a provisioning system knows and StarGate keeps.
pub trait Record: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Which kind it is.
    const KIND: RecordKind;

    /// What identifies it in its source, for ever: a uid; `host/id` where ids repeat; else `namespace/name`.
    fn key(&self) -> String;
}

/// How surely two things belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Guessed from names, or kept by hand.
    Weak,
    /// By a key that may repeat over time.
    Strong,
    /// By a key that means exactly this.
    Exact,
}

impl Strength {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Strong => "strong",
            Self::Exact => "exact",
        }
    }
}

/// Name of a namespaced object.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Labels and annotations that are read, by their full name. A projection keeps only those it names.
pub type Names = BTreeMap<String, String>;

/// A window in which something is to run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Window {
    /// From when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<DateTime<Utc>>,
}

/// The entries of `all` that are named in `kept`.
#[must_use]
pub fn only(all: &Names, kept: &[&str]) -> Names {
    let found = kept.iter().filter_map(|name| all.get_key_value(*name));
    found.map(|(name, value)| (name.clone(), value.clone())).collect()
}
