//! Evidence on its way out: a cluster as one of its scans left it, some instances at a time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{EvidenceError, documents, joined};
use crate::db::clusters::Cluster;
use crate::db::instances::{self, Instance};
use crate::db::kinds::Coverage;
use crate::db::{DbError, Doing};
use crate::objects::{ClusterInventory, Inventory, Kind, Snapshot};
use crate::unknown::UnknownReason;

/// What is looked at: a cluster as one of its scans left it.
#[derive(Debug, Clone, Copy)]
pub struct AsOf<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// What was known of every kind then.
    pub coverage: &'a Coverage,
    /// The time of the evaluation: what is stale by then is unknown.
    pub now: DateTime<Utc>,
}

impl AsOf<'_> {
    /// When the namespaces were last read to their end; `None` when they never were.
    #[must_use]
    pub fn populated_at(&self) -> Option<DateTime<Utc>> {
        self.coverage.kinds.get(&Kind::Namespace).and_then(|state| state.success_at)
    }

    /// Kinds that may be used, each up to when.
    fn usable(&self, kinds: &[Kind]) -> (Vec<&'static str>, Vec<DateTime<Utc>>) {
        kinds
            .iter()
            .filter_map(|kind| Some((kind.as_str(), self.coverage.until(*kind, self.now).ok()?)))
            .unzip()
    }

    fn missing(&self, kind: Kind) -> Option<UnknownReason> {
        self.coverage.until(kind, self.now).err()
    }
}

/// The cluster itself.
///
/// # Errors
/// A statement failed, or a stored document cannot be read.
pub async fn cluster_inventory(conn: &mut PgConnection, as_of: AsOf<'_>) -> Result<ClusterInventory, EvidenceError> {
    let mut inventory = documents::empty_cluster(as_of.cluster.name.clone(), |kind| as_of.missing(kind));
    inventory.reachable.clone_from(&as_of.coverage.reachable);
    let (kinds, until) = as_of.usable(documents::CLUSTER_LEVEL);
    let rows = sqlx::query!(
        r#"-- evidence::cluster_inventory
        with k as (select * from unnest($2::text[], $3::timestamptz[]) as k (kind, until))
        select e.kind as "kind!", e.doc::text as "doc!", k.until as "until!"
        from cluster_evidence e join k using (kind) where e.cluster_id = $1 and e.observed_at <= k.until
        union all
        select h.kind, h.doc::text, k.until
        from evidence_history h join k using (kind)
        where h.subject_id = $1 and h.observed_at <= k.until and h.replaced_at > k.until and h.replaced_at > $4"#,
        as_of.cluster.id,
        &kinds as &[&str],
        &until,
        until.iter().min().copied().unwrap_or(as_of.now)
    )
    .fetch_all(conn)
    .await
    .doing("loading the evidence of a cluster")?;
    for row in rows {
        if let Some(kind) = Kind::parse(&row.kind) {
            documents::into_cluster(&mut inventory, kind, &row.doc, row.until)?;
        }
    }
    Ok(inventory)
}

/// Instances that were there.
///
/// # Errors
/// The statement failed.
pub async fn population(conn: &mut PgConnection, as_of: AsOf<'_>) -> Result<Vec<Instance>, DbError> {
    match as_of.populated_at() {
        Some(at) => instances::there_at(conn, as_of.cluster.id, at).await,
        None => Ok(Vec::new()),
    }
}

/// What was known of each of these instances, in their order. Ask for some at a time: memory follows their number.
///
/// # Errors
/// A statement failed, or a stored document cannot be read.
pub async fn inventories(conn: &mut PgConnection, as_of: AsOf<'_>, of: &[Instance]) -> Result<Vec<Inventory>, EvidenceError> {
    let position: BTreeMap<Uuid, usize> = of.iter().enumerate().map(|(position, instance)| (instance.id, position)).collect();
    let ids: Vec<Uuid> = of.iter().map(|instance| instance.id).collect();
    let since = joined::since(conn, &ids).await?;
    let missing = |instance: &Instance, kind: Kind| {
        let until = match as_of.coverage.until(kind, as_of.now) {
            Ok(until) => until,
            Err(reason) => return Some(reason),
        };
        // The reading was joined before this instance was there, or could not be joined to it: it says nothing of it.
        let told = !joined::is_joined(kind) || since.get(&(instance.id, kind)).is_some_and(|since| *since <= until);
        (!told).then_some(UnknownReason::NotCollected)
    };
    let empty = |instance: &Instance| documents::empty_instance(instance.namespace.clone(), |kind| missing(instance, kind));
    let mut found: Vec<Inventory> = of.iter().map(empty).collect();
    let (kinds, until) = as_of.usable(documents::NAMESPACED);
    let rows = sqlx::query!(
        r#"-- evidence::inventories
        with k as (select * from unnest($2::text[], $3::timestamptz[]) as k (kind, until))
        select e.instance_id as "instance_id!", e.kind as "kind!", e.doc::text as "doc!", k.until as "until!"
        from evidence e join k using (kind) where e.instance_id = any($1) and e.observed_at <= k.until
        union all
        select h.subject_id, h.kind, h.doc::text, k.until
        from evidence_history h join k using (kind)
        where h.subject_id = any($1) and h.observed_at <= k.until and h.replaced_at > k.until and h.replaced_at > $4"#,
        &ids,
        &kinds as &[&str],
        &until,
        until.iter().min().copied().unwrap_or(as_of.now)
    )
    .fetch_all(conn)
    .await
    .doing("loading the evidence of instances")?;
    for row in rows {
        let inventory = position.get(&row.instance_id).and_then(|position| found.get_mut(*position));
        if let (Some(inventory), Some(kind)) = (inventory, Kind::parse(&row.kind))
            && documents::missing_in_instance(inventory, kind).is_none()
        {
            documents::into_instance(inventory, kind, &row.doc, row.until)?;
        }
    }
    Ok(found)
}

/// The whole cluster in one piece, for people and small clusters.
///
/// # Errors
/// A statement failed, or a stored document cannot be read.
pub async fn load(conn: &mut PgConnection, as_of: AsOf<'_>) -> Result<Snapshot, EvidenceError> {
    let cluster = cluster_inventory(conn, as_of).await?;
    let instances = population(conn, as_of).await?;
    let mut namespaces = BTreeMap::new();
    for some in instances.chunks(100) {
        let some = inventories(conn, as_of, some).await?;
        namespaces.extend(some.into_iter().map(|inventory| (inventory.name.clone(), inventory)));
    }
    Ok(Snapshot {
        cluster,
        namespaces,
        observed_at: as_of.now,
        problems: Vec::new(),
    })
}
