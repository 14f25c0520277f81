//! Subjects and smoke runs as evidence of the instances that they are joined to, so that they are judged like everything else.
//!
//! ```text
//! how the reading went ─┐
//! joined world ─────────┼─> objects of each instance ──persist──> evidence, joined_kinds, cluster_kinds, scans, outbox    one transaction a cluster
//! smoke_results ────────┘
//! ```
//!
//! Everything is published each time and only what differs is written: what a run that was killed left out, the next one makes good. A reading
//! that failed makes the kind unknown on every cluster and touches no evidence.

mod smoke;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use stargate_common::clock::Clock;
use stargate_common::db::clusters::Cluster;
use stargate_common::db::evidence::{self, Reading};
use stargate_common::db::kinds::{self, KindRead};
use stargate_common::db::scans::{Tier, Trigger};
use stargate_common::db::{clusters, instances, smoke_results};
use stargate_common::objects::{ClusterInventory, Inventory, Kind, Listing, Problem, Snapshot};
use stargate_common::provisioning::link::InstanceNode;
use stargate_common::sources::{self, Collected, SourceName};
use stargate_common::unknown::UnknownReason;
use uuid::Uuid;

use crate::link::Joined;

/// How the reading of something that is published went: all that is needed of a collection once it is stored.
#[derive(Debug, Clone)]
pub struct Heard {
    kind: Kind,
    missing: Option<sources::Missing>,
    /// Objects that could not be understood: what is stored of them is older.
    refused: BTreeSet<String>,
    observed_at: DateTime<Utc>,
    interval_s: i32,
}

impl Heard {
    /// What a collection says of subjects or smoke runs, if it was to read them.
    #[must_use]
    pub fn of(collected: &Collected) -> Option<Self> {
        let readings = &collected.readings;
        let heard = |kind, source: SourceName, missing: &Option<sources::Missing>, refused: &[Problem]| Self {
            kind,
            missing: missing.clone(),
            refused: refused.iter().map(|problem| problem.subject.clone()).collect(),
            observed_at: collected.observed_at,
            interval_s: source.interval_s(),
        };
        let subjects = readings.subjects.as_ref();
        let subjects = subjects.map(|it| heard(Kind::Subject, SourceName::Babylon, &it.missing, &it.refused));
        let runs = readings.smoke_sessions.as_ref();
        subjects.or_else(|| runs.map(|it| heard(Kind::SmokeRun, SourceName::Demolition, &it.missing, &it.refused)))
    }

    /// That a source is no longer asked.
    fn disabled(kind: Kind, source: SourceName, now: DateTime<Utc>) -> Self {
        Self {
            kind,
            missing: Some(sources::Missing {
                reason: UnknownReason::NotCollected,
                detail: format!("{source} is not configured"),
            }),
            refused: BTreeSet::new(),
            observed_at: now,
            interval_s: source.interval_s(),
        }
    }

    /// Whether that object is one that could not be understood.
    fn refused(&self, name: &str) -> bool {
        let is_it = |refused: &String| refused == name || refused.strip_suffix(name).is_some_and(|before| before.ends_with('/'));
        !self.refused.is_empty() && self.refused.iter().any(is_it)
    }
}

/// What is said of instances: by id, what of them is known. An instance that is not in it is unknown.
type Said<T> = BTreeMap<String, Vec<T>>;

/// What publishing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Published {
    /// Clusters that are to be judged again.
    pub clusters: usize,
    /// Documents that changed.
    pub changed: usize,
}

impl std::ops::AddAssign for Published {
    fn add_assign(&mut self, more: Self) {
        self.clusters += more.clusters;
        self.changed += more.changed;
    }
}

/// Publishes a reading to every cluster.
///
/// # Errors
/// The database; clusters before the one that failed are done, the others are with the next collection.
pub async fn publish(db: &PgPool, clock: &Clock, heard: &Heard, joined: &Joined, narrowed: bool) -> anyhow::Result<Published> {
    let mut said = Everything::default();
    if heard.missing.is_none() {
        let mut tx = db.begin().await?;
        if heard.kind == Kind::Subject {
            said.subjects = subject::of_instances(&mut tx, heard, joined, narrowed).await?;
            said.covered = subject::covered(joined);
        } else {
            let ages = smoke_results::note(&mut tx, &joined.world.smoke_sessions, heard.observed_at).await?;
            said.runs = smoke::of_instances(heard, joined, &ages);
            said.covered = joined.world.clusters.keys().cloned().collect();
        }
        tx.commit().await.context("noting what is published")?;
    }
    let mut of_cluster: BTreeMap<&str, Vec<&InstanceNode>> = BTreeMap::new();
    for instance in &joined.world.instances {
        of_cluster.entry(&instance.cluster).or_default().push(instance);
    }
    let mut published = Published::default();
    for cluster in clusters::enabled(db).await? {
        let instances = of_cluster.remove(cluster.name.as_str()).unwrap_or_default();
        let done = to_cluster(db, clock, heard, &cluster, &instances, &mut said).await;
        let (quiet, changed) = done.with_context(|| format!("publishing {} to {}", heard.kind, cluster.name))?;
        published.clusters += usize::from(!quiet);
        published.changed += changed;
    }
    Ok(published)
}

/// Makes what a source said unknown, once: it is not configured any more.
///
/// # Errors
/// The database.
pub async fn retract(db: &PgPool, clock: &Clock, source: SourceName) -> anyhow::Result<()> {
    let kind = match source {
        SourceName::Babylon => Kind::Subject,
        SourceName::Demolition => Kind::SmokeRun,
        SourceName::SandboxApi | SourceName::Aap | SourceName::Labagator | SourceName::Agnosticv => return Ok(()),
    };
    let heard = Heard::disabled(kind, source, clock.now());
    for cluster in clusters::enabled(db).await? {
        let mut conn = db.acquire().await?;
        let known = kinds::of_cluster(&mut conn, cluster.id).await?;
        drop(conn);
        if known
            .get(&kind)
            .is_some_and(|state| state.missing != Some(UnknownReason::NotCollected))
        {
            to_cluster(db, clock, &heard, &cluster, &[], &mut Everything::default()).await?;
        }
    }
    Ok(())
}

/// What is published, of all instances.
#[derive(Debug, Default)]
struct Everything {
    subjects: Said<stargate_common::objects::Subject>,
    runs: Said<stargate_common::objects::SmokeRun>,
    /// Clusters of which the source can say anything.
    covered: BTreeSet<String>,
}

/// One cluster in one transaction. Returns whether nothing was to be told, and how many documents changed.
async fn to_cluster(
    db: &PgPool,
    clock: &Clock,
    heard: &Heard,
    cluster: &Cluster,
    instances: &[&InstanceNode],
    said: &mut Everything,
) -> anyhow::Result<(bool, usize)> {
    let (missing, detail) = match &heard.missing {
        Some(missing) => (Some(missing.reason), missing.detail.clone()),
        None if said.covered.contains(&cluster.name) => (None, String::new()),
        None => {
            let detail = "nothing that is provisioned is known to be on this cluster; STARGATE_CLUSTER_ALIASES may name it";
            (Some(UnknownReason::NotCollected), detail.to_owned())
        }
    };
    let mut tx = db.begin().await?;
    let now = clock.now();
    clusters::hold(&mut tx, &cluster.name, false, now).await?;
    // Joined a moment ago: a namespace that was made again since is another instance.
    let live: BTreeMap<String, String> = instances::live(&mut tx, cluster.id)
        .await?
        .into_iter()
        .map(|instance| (instance.namespace, instance.id.to_string()))
        .collect();
    let mut items = 0;
    let mut namespaces = BTreeMap::new();
    let still = |instance: &&&InstanceNode| live.get(&instance.namespace) == Some(&instance.id);
    for instance in instances.iter().filter(|_| missing.is_none()).filter(still) {
        let mut inventory = Inventory {
            name: instance.namespace.clone(),
            ..Inventory::default()
        };
        inventory.subjects = listing(said.subjects.remove(&instance.id));
        inventory.smoke_runs = listing(said.runs.remove(&instance.id));
        items += inventory.subjects.items.len() + inventory.smoke_runs.items.len();
        namespaces.insert(instance.namespace.clone(), inventory);
    }
    let snapshot = Snapshot {
        cluster: ClusterInventory {
            name: cluster.name.clone(),
            ..ClusterInventory::default()
        },
        namespaces,
        observed_at: heard.observed_at,
        problems: Vec::new(),
    };
    let read = KindRead {
        kind: heard.kind,
        missing,
        detail,
        items,
        interval_s: heard.interval_s,
    };
    let reading = Reading {
        scan_id: Uuid::now_v7(),
        tier: Tier::Provisioning,
        trigger: Trigger::Schedule,
        started_at: heard.observed_at,
        snapshot: &snapshot,
        kinds: &[read],
        requests: 0,
        bytes: 0,
        simulated: false,
    };
    let done = evidence::persist(&mut tx, &reading, now).await?;
    tx.commit().await?;
    Ok((done.quiet, done.changed))
}

fn listing<T>(said: Option<Vec<T>>) -> Listing<T> {
    match said {
        Some(items) => Listing::complete(items),
        None => Listing::unknown(UnknownReason::NotCollected),
    }
}
