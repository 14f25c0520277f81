//! Which things of different systems are one thing: instance ↔ subject ↔ handle ↔ claim ↔ catalog item ↔ lab ↔ session. Pure.
//!
//! ```text
//! namespace ──serviceUuid──> subject ──annotation──> handle, claim ──labels──> catalog item ──ci_name──> lab <──lab_code── session
//!      └──────serviceUuid──> placement ──service_uuid──┘      └──labels──> workshop <──url── smoke run
//! ```
//!
//! | Module | Edges |
//! |---|---|
//! | `clusters` | the Sandbox API's cluster -> ours |
//! | `places` | instance -> subject, placement; placement, job -> subject |
//! | `orders` | subject -> handle, claim, component; claim -> catalog item, workshop; pool -> catalog item |
//! | `offers` | catalog item -> lab; session, smoke run -> lab |
//!
//! Every edge has the key that made it and how surely that key joins. An edge that follows from others is as weak as the weakest of them. What
//! should have joined something and did not is an [`Unmatched`], but only where the other side was read: what nobody read may well be
//! there. Nothing is invented: where a key fits two things alike, it joins none. Source: rhdp-contracts 2.7 and 9.

pub mod clusters;
mod edges;
mod index;
pub mod mappings;
mod offers;
mod orders;
mod places;
mod unmatched;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use self::clusters::ClusterAliases;
use self::edges::Edges;
use self::index::Index;
use self::mappings::LabMappings;
use super::catalog::{CatalogItem, Component, Workshop, WorkshopProvision};
use super::event::{Lab, Session, SmokeSession};
use super::placement::{Placement, SandboxCluster};
use super::pool::{ResourceClaim, ResourceHandle, ResourcePool, ResourceProvider};
use super::subject::AnarchySubject;
use super::{RecordKind, Strength};

/// What an edge joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// An instance; its key is the instance's id.
    Instance,
    /// A cluster that is scanned; its key is its name.
    Cluster,
    /// A record; its key is that of the record, and the name of a catalog item, which has one record in each catalog.
    Record(RecordKind),
}

impl NodeKind {
    /// The stable name: it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Cluster => "cluster",
            Self::Record(kind) => kind.as_str(),
        }
    }

    /// The kind of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "instance" => Some(Self::Instance),
            "cluster" => Some(Self::Cluster),
            name => RecordKind::parse(name).map(Self::Record),
        }
    }
}

impl From<RecordKind> for NodeKind {
    fn from(kind: RecordKind) -> Self {
        Self::Record(kind)
    }
}

impl std::fmt::Display for NodeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// As the stored names: in memory and in the database the order is the same.
impl Ord for NodeKind {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for NodeKind {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for NodeKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Two things that belong together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Link {
    /// One end: its kind and key.
    pub from: (NodeKind, String),
    /// The other end.
    pub to: (NodeKind, String),
    /// Which keys joined them, in the order of the path: `service_uuid > claim > label`.
    pub method: String,
    /// How surely.
    pub strength: Strength,
}

/// What should have joined something and did not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unmatched {
    /// What it is.
    pub kind: NodeKind,
    /// Its key.
    pub key: String,
    /// What it should have been joined to.
    pub wanted: NodeKind,
    /// Why it was not: one of the words of [`reason`], a colon, and a sentence for people.
    pub reason: String,
}

/// What [`Unmatched::reason`] begins with.
pub mod reason {
    /// A namespace that neither a subject nor a placement knows: it was left behind.
    pub const LEAKED: &str = "leaked";
    /// A namespace or placement whose subject is gone: its teardown was lost.
    pub const TEARDOWN_LOST: &str = "teardown-lost";
    /// A subject that is started, and its namespace is not there.
    pub const GHOST: &str = "ghost";
    /// Nothing says what it is.
    pub const UNIDENTIFIED: &str = "unidentified";
    /// Several fit alike.
    pub const AMBIGUOUS: &str = "ambiguous";
    /// Nothing of that name is there.
    pub const NOT_FOUND: &str = "not-found";
}

/// An instance, as far as joins read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceNode {
    /// Its id.
    pub id: String,
    /// Name of its cluster.
    pub cluster: String,
    /// The namespace.
    pub namespace: String,
    /// Label `serviceUuid`; empty when it has none.
    pub service_uuid: String,
    /// Label `guid`; empty when it has none.
    pub guid: String,
    /// What the namespace's name says the guid is; empty when it says nothing.
    pub guid_in_name: String,
    /// When the namespace was created.
    pub created_at: Option<DateTime<Utc>>,
}

/// An AAP job, as far as joins read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobNode {
    /// `host/id`.
    pub key: String,
    /// UUID of its subject.
    pub service_uuid: String,
}

/// Everything that is joined.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each list holds the live records of that name")]
pub struct World {
    /// Instances that are there.
    pub instances: Vec<InstanceNode>,
    /// Namespaces, each with its cluster, that were seen to be gone after the subjects were last read.
    pub left: BTreeSet<(String, String)>,
    /// Clusters that are scanned: up to when their namespaces are known; none when they were not read lately.
    pub clusters: BTreeMap<String, Option<DateTime<Utc>>>,
    /// Kinds whose source was read to its end lately: up to when. What is missing of another kind is not missing, but unknown.
    pub known: BTreeMap<RecordKind, DateTime<Utc>>,
    /// What the Sandbox API calls our clusters.
    pub aliases: ClusterAliases,
    /// Catalog items whose lab people have settled.
    pub mappings: LabMappings,
    /// Stages whose items are what a lab's sessions use, such as `event`.
    pub lab_stages: BTreeSet<String>,
    pub subjects: Vec<AnarchySubject>,
    pub handles: Vec<ResourceHandle>,
    pub claims: Vec<ResourceClaim>,
    pub pools: Vec<ResourcePool>,
    pub providers: Vec<ResourceProvider>,
    pub catalog_items: Vec<CatalogItem>,
    pub workshops: Vec<Workshop>,
    pub workshop_provisions: Vec<WorkshopProvision>,
    pub components: Vec<Component>,
    pub labs: Vec<Lab>,
    pub sessions: Vec<Session>,
    pub smoke_sessions: Vec<SmokeSession>,
    pub placements: Vec<Placement>,
    pub sandbox_clusters: Vec<SandboxCluster>,
    pub jobs: Vec<JobNode>,
}

/// What joins what, and what joined nothing. Both are sorted and without repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Edges, by their ends; two ends have one edge.
    pub links: Vec<Link>,
    /// What should have joined something.
    pub unmatched: Vec<Unmatched>,
}

/// Joins everything. The order of the input does not matter.
#[must_use]
pub fn resolve(world: &World) -> Resolved {
    let index = Index::of(world);
    let mut edges = Edges::default();
    clusters::join(&index, &mut edges);
    let orders = orders::join(&index, &mut edges);
    let offers = offers::join(&index, &orders, &mut edges);
    let found = places::join(&index, &orders, &offers, &mut edges);
    let unmatched = unmatched::of(&index, &offers, &found, &edges);
    Resolved {
        links: edges.into_links(),
        unmatched,
    }
}

#[cfg(test)]
mod tests;
