//! Clusters, and how well they can be read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use stargate_common::db::DbError;
use uuid::Uuid;

use super::{World, doing};

/// A cluster as it is stored.
#[derive(Debug, Clone, Default)]
pub struct ClusterRow {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether its API answered when it was last asked.
    pub reachable: Option<bool>,
    /// What it said, or did not.
    pub detail: String,
    /// Mean CPU use, in percent.
    pub cpu_pct: Option<f64>,
    /// Mean memory use, in percent.
    pub mem_pct: Option<f64>,
    /// Virtual machines of labs.
    pub vms: Option<i32>,
    /// Nodes that are ready.
    pub ready_nodes: Option<i64>,
    /// When it was first seen.
    pub first_seen_at: Option<DateTime<Utc>>,
    /// Up to when evidence is judged.
    pub evaluated_as_of: Option<DateTime<Utc>>,
    /// How each kind was last read.
    pub kinds: BTreeMap<String, KindRow>,
    /// Instances with pods that crash again and again.
    pub crash_loops: i64,
    /// Labs with failing instances.
    pub failing_labs: i64,
    /// Instances there.
    pub instances: i64,
}

/// How a kind was last read on a cluster.
#[derive(Debug, Clone)]
pub struct KindRow {
    /// Why not, when it was not.
    pub missing: Option<String>,
    /// What it says about that.
    pub detail: String,
    /// How often it should be, in seconds.
    pub interval_s: i32,
    /// When it was last read to its end.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When that was last tried.
    pub last_attempt_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
struct Nodes {
    ready: Option<i64>,
}

pub(super) async fn read(conn: &mut PgConnection, world: &mut World) -> Result<(), DbError> {
    let rows = sqlx::query!(
        r#"-- load::clusters
        select c.cluster_id, c.name, c.api_reachable, c.api_detail, c.cpu_pct, c.mem_pct, c.vms, c.nodes as "nodes: Json<Nodes>",
               c.first_seen_at, c.evaluated_as_of,
               (select count(*) from stage_state s
                where s.cluster_id = c.cluster_id and s.failure_class = 'pods_crashlooping' and s.observed = 'fail') as "crash_loops!",
               (select count(distinct r.lab) from instance_rollup r where r.cluster_id = c.cluster_id and r.state = 'failing') as "failing_labs!",
               (select coalesce(sum(r.instances), 0) from instance_rollup r where r.cluster_id = c.cluster_id) as "instances!"
        from clusters c where c.enabled order by c.name"#
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(doing("reading clusters"))?;
    let kinds = sqlx::query!(
        "-- load::cluster_kinds
        select cluster_id, kind, missing, detail, interval_s, last_success_at, last_attempt_at from cluster_kinds order by cluster_id, kind"
    )
    .fetch_all(conn)
    .await
    .map_err(doing("reading how clusters were read"))?;
    let mut by_cluster: BTreeMap<Uuid, BTreeMap<String, KindRow>> = BTreeMap::new();
    for row in kinds {
        let kind = KindRow {
            missing: row.missing,
            detail: row.detail,
            interval_s: row.interval_s,
            last_success_at: row.last_success_at,
            last_attempt_at: row.last_attempt_at,
        };
        by_cluster.entry(row.cluster_id).or_default().insert(row.kind, kind);
    }
    world.clusters = rows
        .into_iter()
        .map(|row| ClusterRow {
            kinds: by_cluster.remove(&row.cluster_id).unwrap_or_default(),
            id: row.cluster_id,
            name: row.name,
            reachable: row.api_reachable,
            detail: row.api_detail,
            cpu_pct: row.cpu_pct.map(f64::from),
            mem_pct: row.mem_pct.map(f64::from),
            vms: row.vms,
            ready_nodes: row.nodes.0.ready,
            first_seen_at: Some(row.first_seen_at),
            evaluated_as_of: row.evaluated_as_of,
            crash_loops: row.crash_loops,
            failing_labs: row.failing_labs,
            instances: row.instances,
        })
        .collect();
    Ok(())
}
