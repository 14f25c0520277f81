//! Which open incidents are one problem: the same class on many instances of a cluster or a catalog item, or on several clusters.
//!
//! ```text
//! symptoms ──> the incident of the same instance that causes them
//! other instance incidents ──> cluster parent ──┐
//!                └───────────> item parent      ├──> fleet parent
//! cluster incidents (cluster-health) ───────────┘
//! ```
//!
//! A route without a backend is a symptom while the pods or machines of the same instance fail: it is counted nowhere, or twenty
//! labs that fail in ten ways would look like one failure of the platform's network.
//!
//! Correlation is over *open incidents*, never over events, so running it again or in another order gives the same parents.
//! A parent opens by thresholds and stays while one child is open: it does not flicker around a percentage. A child keeps its
//! parent. Unclassified and muted incidents have no common cause to name and are left alone.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::stage::Stage;

/// Instances of one cluster, or of one catalog item, that must share a class.
pub const MIN_INSTANCES: usize = 3;
/// Share of the cluster's failing instances they must be more than.
pub const MIN_SHARE_OF_FAILING: f64 = 0.20;
/// Share of the cluster's evaluated instances they must be more than.
pub const MIN_SHARE_OF_EVALUATED: f64 = 0.05;
/// Share of the catalog item's instances they must be more than.
pub const MIN_SHARE_OF_ITEM: f64 = 0.20;
/// Clusters on which the class must be systemic at about the same time.
pub const MIN_CLUSTERS: usize = 2;
/// From this many clusters on it is the platform.
pub const PLATFORM_CLUSTERS: usize = 3;
/// What "about the same time" means.
pub const CLUSTER_WINDOW: TimeDelta = TimeDelta::minutes(60);

/// What is a symptom, and the stages whose open incident is its cause, the likeliest first. The same edges name the likely cause
/// in the verdict's message.
const SYMPTOMS: [(Stage, &str, &[Stage]); 1] = [(
    Stage::RouteReady,
    "service_has_no_endpoints",
    &[Stage::DeploymentReady, Stage::VmRuntimeReady],
)];

const IDS: Uuid = Uuid::from_u128(0x0c1d_97b2_52e0_4c3f_8a6b_1f0e_6d2a_9b34);

/// What a parent is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// One class on one cluster.
    Cluster(Uuid, String),
    /// One class on one catalog item, wherever it runs.
    CatalogItem(String, String),
    /// One class on several clusters.
    Fleet(String),
}

impl Group {
    /// The failure class.
    #[must_use]
    pub fn class(&self) -> &str {
        match self {
            Self::Cluster(_, class) | Self::CatalogItem(_, class) | Self::Fleet(class) => class,
        }
    }

    /// What makes the parent unique while it is open.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Cluster(cluster, class) => format!("cluster/{cluster}/{class}"),
            Self::CatalogItem(item, class) => format!("catalog_item/{item}/{class}"),
            Self::Fleet(class) => format!("fleet/{class}"),
        }
    }

    /// The group of a fingerprint, if it is one of a parent.
    #[must_use]
    pub fn parse(fingerprint: &str) -> Option<Self> {
        let (head, class) = fingerprint.rsplit_once('/')?;
        let class = class.to_owned();
        match head.split_once('/') {
            Some(("cluster", id)) => Some(Self::Cluster(id.parse().ok()?, class)),
            Some(("catalog_item", item)) => Some(Self::CatalogItem(item.to_owned(), class)),
            None if head == "fleet" => Some(Self::Fleet(class)),
            Some(_) | None => None,
        }
    }
}

/// An open incident that is no parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The incident.
    pub id: Uuid,
    /// Where.
    pub cluster: Uuid,
    /// Which instance; `None` for an incident of the cluster itself.
    pub instance: Option<Uuid>,
    /// What the instance was ordered as.
    pub catalog_item: Option<String>,
    /// Its class.
    pub class: String,
    /// Its stage.
    pub stage: Stage,
    /// When it began.
    pub onset_at: DateTime<Utc>,
    /// When it was confirmed.
    pub opened_at: DateTime<Utc>,
    /// The parent it belongs to, if any.
    pub parent: Option<Uuid>,
}

/// A parent as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// The incident.
    pub id: Uuid,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Open instances it covers.
    pub instances: usize,
    /// Clusters it covers.
    pub clusters: usize,
    /// The parent it belongs to, if any.
    pub parent: Option<Uuid>,
}

/// How many instances there are to compare with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Population {
    /// Live, evaluated instances per cluster.
    pub evaluated: BTreeMap<Uuid, usize>,
    /// Of these, instances with an open incident.
    pub failing: BTreeMap<Uuid, usize>,
    /// Live instances per catalog item.
    pub of_item: BTreeMap<String, usize>,
}

/// What is to happen to a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Open,
    /// It covers more or fewer than before.
    Resize,
    /// Nothing about it differs.
    Keep,
    /// Its last child is gone.
    Resolve,
}

/// A parent as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it is about.
    pub group: Group,
    /// The incident.
    pub id: Uuid,
    /// What is to happen to it.
    pub fate: Fate,
    /// Its own parent.
    pub parent: Option<Uuid>,
    /// The first stage of the pipeline among its children.
    pub stage: Option<Stage>,
    /// Onset of its oldest child.
    pub onset_at: DateTime<Utc>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Open instances it covers.
    pub instances: usize,
    /// Clusters it covers.
    pub clusters: usize,
}

/// Everything that correlation decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Correlation {
    /// Every parent that is open or was until now.
    pub parents: Vec<Plan>,
    /// Leaves whose parent differs from what is stored, with the new one.
    pub moved: Vec<(Uuid, Option<Uuid>)>,
}

/// Sorts open incidents under parents. `parents` are those stored as open.
#[must_use]
pub fn correlate(leaves: &[Leaf], parents: &BTreeMap<Group, Parent>, population: &Population, now: DateTime<Utc>) -> Correlation {
    let open_ids: BTreeMap<Uuid, &Group> = parents.iter().map(|(group, parent)| (parent.id, group)).collect();
    let all = leaves;
    let symptoms = symptoms(all);
    let leaves: Vec<Leaf> = all.iter().filter(|leaf| !symptoms.contains_key(&leaf.id)).cloned().collect();
    let leaves = leaves.as_slice();
    let systemic = systemic_groups(leaves, parents, population);

    let mut members: BTreeMap<Group, Vec<&Leaf>> = BTreeMap::new();
    let mut chosen: BTreeMap<Uuid, Group> = BTreeMap::new();
    for leaf in leaves.iter().filter(|leaf| leaf.instance.is_some()) {
        let kept = leaf
            .parent
            .and_then(|id| open_ids.get(&id))
            .filter(|group| group.class() == leaf.class);
        if let Some(group) = kept.map(|group| (*group).clone()).or_else(|| group_of(leaf, leaves, &systemic)) {
            chosen.insert(leaf.id, group.clone());
            members.entry(group).or_default().push(leaf);
        }
    }

    let mut plans: BTreeMap<Group, Plan> = members
        .iter()
        .map(|(group, of)| (group.clone(), plan(group, of, parents, now)))
        .collect();
    add_fleet(leaves, parents, now, &mut plans, &mut chosen);
    for (group, parent) in parents {
        plans.entry(group.clone()).or_insert_with(|| Plan {
            group: group.clone(),
            id: parent.id,
            fate: Fate::Resolve,
            parent: parent.parent,
            stage: None,
            onset_at: parent.opened_at,
            opened_at: parent.opened_at,
            instances: 0,
            clusters: 0,
        });
    }

    let moved = all
        .iter()
        .filter_map(|leaf| {
            let of_group = || chosen.get(&leaf.id).and_then(|group| plans.get(group)).map(|plan| plan.id);
            let parent = symptoms.get(&leaf.id).copied().or_else(of_group);
            (parent != leaf.parent).then_some((leaf.id, parent))
        })
        .collect();
    Correlation {
        parents: plans.into_values().collect(),
        moved,
    }
}

/// Incidents that only show another one of the same instance, each with that one.
fn symptoms(leaves: &[Leaf]) -> BTreeMap<Uuid, Uuid> {
    let by_place: BTreeMap<(Uuid, Stage), Uuid> = leaves
        .iter()
        .filter_map(|leaf| Some(((leaf.instance?, leaf.stage), leaf.id)))
        .collect();
    let cause = |leaf: &Leaf| {
        let instance = leaf.instance?;
        let (.., causes) = SYMPTOMS
            .iter()
            .find(|(stage, class, _)| (*stage, *class) == (leaf.stage, leaf.class.as_str()))?;
        let cause = causes.iter().find_map(|stage| by_place.get(&(instance, *stage)))?;
        Some((leaf.id, *cause))
    };
    leaves.iter().filter_map(cause).collect()
}

/// Cluster and item groups that are open or reach the thresholds.
fn systemic_groups(leaves: &[Leaf], parents: &BTreeMap<Group, Parent>, population: &Population) -> BTreeSet<Group> {
    let mut instances: BTreeMap<Group, BTreeSet<Uuid>> = BTreeMap::new();
    for leaf in leaves {
        let Some(instance) = leaf.instance else { continue };
        instances
            .entry(Group::Cluster(leaf.cluster, leaf.class.clone()))
            .or_default()
            .insert(instance);
        if let Some(item) = &leaf.catalog_item {
            instances
                .entry(Group::CatalogItem(item.clone(), leaf.class.clone()))
                .or_default()
                .insert(instance);
        }
    }
    let more_than = |count: usize, share: f64, of: usize| as_f64(count) > share * as_f64(of);
    instances
        .into_iter()
        .filter(|(group, of)| {
            let count = of.len();
            parents.contains_key(group)
                || count >= MIN_INSTANCES
                    && match group {
                        Group::Cluster(cluster, _) => {
                            let size = |per: &BTreeMap<Uuid, usize>| per.get(cluster).copied().unwrap_or(count);
                            more_than(count, MIN_SHARE_OF_FAILING, size(&population.failing))
                                && more_than(count, MIN_SHARE_OF_EVALUATED, size(&population.evaluated))
                        }
                        Group::CatalogItem(item, _) => {
                            more_than(count, MIN_SHARE_OF_ITEM, population.of_item.get(item).copied().unwrap_or(count))
                        }
                        Group::Fleet(_) => false,
                    }
        })
        .map(|(group, _)| group)
        .collect()
}

/// The group that explains a leaf best: the catalog item, when nothing else on the cluster has the class; else the cluster.
fn group_of(leaf: &Leaf, leaves: &[Leaf], systemic: &BTreeSet<Group>) -> Option<Group> {
    let on_cluster = Group::Cluster(leaf.cluster, leaf.class.clone());
    let of_item = leaf.catalog_item.clone().map(|item| Group::CatalogItem(item, leaf.class.clone()));
    let item = of_item.filter(|group| systemic.contains(group));
    let cluster = Some(on_cluster).filter(|group| systemic.contains(group));
    let only_this_item = || {
        leaves
            .iter()
            .filter(|other| other.instance.is_some() && other.cluster == leaf.cluster && other.class == leaf.class)
            .all(|other| other.catalog_item == leaf.catalog_item)
    };
    match (cluster, item) {
        (Some(_), Some(item)) if only_this_item() => Some(item),
        (Some(cluster), _) => Some(cluster),
        (None, item) => item,
    }
}

fn plan(group: &Group, members: &[&Leaf], parents: &BTreeMap<Group, Parent>, now: DateTime<Utc>) -> Plan {
    let instances: BTreeSet<Uuid> = members.iter().filter_map(|leaf| leaf.instance).collect();
    let clusters: BTreeSet<Uuid> = members.iter().map(|leaf| leaf.cluster).collect();
    let stage = members.iter().map(|leaf| leaf.stage).min();
    let onset_at = members.iter().map(|leaf| leaf.onset_at).min().unwrap_or(now);
    sized(group, parents, now, stage, onset_at, instances.len(), clusters.len())
}

fn sized(
    group: &Group,
    parents: &BTreeMap<Group, Parent>,
    now: DateTime<Utc>,
    stage: Option<Stage>,
    onset_at: DateTime<Utc>,
    instances: usize,
    clusters: usize,
) -> Plan {
    let stored = parents.get(group);
    let id = || Uuid::new_v5(&IDS, format!("{}/{}", group.fingerprint(), now.timestamp_micros()).as_bytes());
    let fate = match stored {
        None => Fate::Open,
        Some(parent) if parent.instances == instances && parent.clusters == clusters => Fate::Keep,
        Some(_) => Fate::Resize,
    };
    Plan {
        group: group.clone(),
        id: stored.map_or_else(id, |parent| parent.id),
        fate,
        parent: None,
        stage,
        onset_at,
        opened_at: stored.map_or(now, |parent| parent.opened_at),
        instances,
        clusters,
    }
}

/// Puts cluster parents and cluster incidents of one class under a fleet parent when several clusters are struck within the window.
fn add_fleet(
    leaves: &[Leaf],
    parents: &BTreeMap<Group, Parent>,
    now: DateTime<Utc>,
    plans: &mut BTreeMap<Group, Plan>,
    chosen: &mut BTreeMap<Uuid, Group>,
) {
    #[derive(Default)]
    struct Struck {
        recent: BTreeSet<Uuid>,
        clusters: BTreeSet<Uuid>,
        instances: usize,
        stage: Option<Stage>,
        onset_at: Option<DateTime<Utc>>,
        cluster_incidents: Vec<Uuid>,
        cluster_parents: Vec<Group>,
    }
    impl Struck {
        fn add(&mut self, cluster: Uuid, opened_at: DateTime<Utc>, onset_at: DateTime<Utc>, stage: Option<Stage>, now: DateTime<Utc>) {
            if now - opened_at < CLUSTER_WINDOW {
                self.recent.insert(cluster);
            }
            self.clusters.insert(cluster);
            self.stage = [self.stage, stage].into_iter().flatten().min();
            self.onset_at = [self.onset_at, Some(onset_at)].into_iter().flatten().min();
        }
    }
    let mut by_class: BTreeMap<String, Struck> = BTreeMap::new();
    for leaf in leaves.iter().filter(|leaf| leaf.instance.is_none()) {
        let struck = by_class.entry(leaf.class.clone()).or_default();
        struck.add(leaf.cluster, leaf.opened_at, leaf.onset_at, Some(leaf.stage), now);
        struck.cluster_incidents.push(leaf.id);
    }
    for (group, plan) in plans.iter() {
        let Group::Cluster(cluster, class) = group else { continue };
        let struck = by_class.entry(class.clone()).or_default();
        struck.add(*cluster, plan.opened_at, plan.onset_at, plan.stage, now);
        struck.instances += plan.instances;
        struck.cluster_parents.push(group.clone());
    }
    for (class, struck) in by_class {
        let fleet = Group::Fleet(class);
        if struck.recent.len() < MIN_CLUSTERS && !parents.contains_key(&fleet) {
            continue;
        }
        let onset_at = struck.onset_at.unwrap_or(now);
        let plan = sized(
            &fleet,
            parents,
            now,
            struck.stage,
            onset_at,
            struck.instances,
            struck.clusters.len(),
        );
        for child in &struck.cluster_parents {
            if let Some(child) = plans.get_mut(child) {
                child.parent = Some(plan.id);
            }
        }
        for child in struck.cluster_incidents {
            chosen.insert(child, fleet.clone());
        }
        plans.insert(fleet, plan);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of instances are far below 2^52")]
const fn as_f64(count: usize) -> f64 {
    count as f64
}
