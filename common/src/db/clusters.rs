//! Clusters: who is watched, and what is known of each as a whole.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{DbError, Doing};
use crate::objects::Reachability;

/// Fixed namespace of cluster ids.
const IDS: Uuid = Uuid::from_u128(0x91b3_7a0e_2d5c_4f68_b1c7_40f2_9e6d_0a85);

/// The id of a cluster follows from its name.
#[must_use]
pub fn id_of(name: &str) -> Uuid {
    Uuid::new_v5(&IDS, name.as_bytes())
}

/// A cluster as a handler needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The newest evaluation; `None` before the first.
    pub evaluated_as_of: Option<DateTime<Utc>>,
}

/// Every enabled cluster, by name.
///
/// # Errors
/// The statement failed.
pub async fn enabled(db: impl PgExecutor<'_>) -> Result<Vec<Cluster>, DbError> {
    sqlx::query_as!(
        Cluster,
        "-- clusters::enabled
        select cluster_id as id, name, evaluated_as_of from clusters where enabled order by name"
    )
    .fetch_all(db)
    .await
    .doing("listing clusters")
}

/// Name of every cluster.
///
/// # Errors
/// The statement failed.
pub async fn names(db: impl PgExecutor<'_>) -> Result<BTreeMap<Uuid, String>, DbError> {
    let rows = sqlx::query!("-- clusters::names\nselect cluster_id, name from clusters")
        .fetch_all(db)
        .await;
    Ok(rows
        .doing("reading names of clusters")?
        .into_iter()
        .map(|row| (row.cluster_id, row.name))
        .collect())
}

/// The cluster of that name.
///
/// # Errors
/// The statement failed.
pub async fn find(db: impl PgExecutor<'_>, name: &str) -> Result<Option<Cluster>, DbError> {
    sqlx::query_as!(
        Cluster,
        "-- clusters::find
        select cluster_id as id, name, evaluated_as_of from clusters where name = $1",
        name
    )
    .fetch_optional(db)
    .await
    .doing("looking for a cluster")
}

/// Makes the cluster known and waits until nobody else changes it: from here to the end of the transaction, everything about the
/// cluster is ours. Two writers of one cluster never interleave; two clusters never wait for each other.
///
/// # Errors
/// The statement failed; a lock timeout means that another worker is at it.
pub async fn hold(conn: &mut PgConnection, name: &str, simulated: bool, now: DateTime<Utc>) -> Result<Cluster, DbError> {
    let id = id_of(name);
    sqlx::query!(
        "-- clusters::hold
        select pg_advisory_xact_lock(hashtextextended($1, 0))",
        format!("stargate/cluster/{id}")
    )
    .execute(&mut *conn)
    .await
    .doing("waiting for the cluster's lock")?;
    sqlx::query!(
        "-- clusters::hold
        insert into clusters (cluster_id, name, simulated, first_seen_at, updated_at) values ($1, $2, $3, $4, $4)
        on conflict do nothing",
        id,
        name,
        simulated,
        now
    )
    .execute(&mut *conn)
    .await
    .doing("making a cluster known")?;
    let found = find(conn, name).await?;
    found.ok_or(DbError {
        doing: "making a cluster known",
        source: sqlx::Error::RowNotFound,
    })
}

/// Notes whether the API answered, if that differs from what is stored. Returns whether it did.
///
/// # Errors
/// The statement failed.
pub async fn set_reachability(conn: &mut PgConnection, id: Uuid, seen: &Reachability, now: DateTime<Utc>) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "-- clusters::set_reachability
        update clusters set api_reachable = $2, api_detail = $3, updated_at = $4, version = version + 1
        where cluster_id = $1 and (api_reachable, api_detail) is distinct from ($2, $3)",
        id,
        seen.answered,
        seen.detail,
        now
    )
    .execute(conn)
    .await
    .doing("noting whether a cluster answers")?;
    Ok(done.rows_affected() > 0)
}

/// What the cluster's own evidence says of it at a glance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// OpenShift version.
    pub openshift_version: Option<String>,
    /// Counts of nodes: `total`, `ready`, `unschedulable`.
    pub nodes: serde_json::Value,
    /// Mean CPU use of the compute nodes, in percent.
    pub cpu_pct: Option<f32>,
    /// Mean memory use of the compute nodes, in percent.
    pub mem_pct: Option<f32>,
    /// Running VMs.
    pub vms: Option<i32>,
}

/// Stores the summary, if it differs; a version that is not known now stays the one that was. Returns whether it did.
///
/// # Errors
/// The statement failed.
pub async fn set_summary(conn: &mut PgConnection, id: Uuid, summary: &Summary, now: DateTime<Utc>) -> Result<bool, DbError> {
    let Summary {
        openshift_version,
        nodes,
        cpu_pct,
        mem_pct,
        vms,
    } = summary;
    let done = sqlx::query!(
        "-- clusters::set_summary
        update clusters
        set openshift_version = coalesce($2, openshift_version), nodes = $3, cpu_pct = $4, mem_pct = $5, vms = $6, updated_at = $7,
            version = version + 1
        where cluster_id = $1
          and (openshift_version, nodes, cpu_pct, mem_pct, vms) is distinct from (coalesce($2, openshift_version), $3, $4, $5, $6)",
        id,
        openshift_version.as_deref(),
        nodes,
        *cpu_pct,
        *mem_pct,
        *vms,
        now
    )
    .execute(conn)
    .await
    .doing("storing the summary of a cluster")?;
    Ok(done.rows_affected() > 0)
}

/// Notes up to when the cluster is evaluated.
///
/// # Errors
/// The statement failed.
pub async fn set_evaluated(conn: &mut PgConnection, id: Uuid, as_of: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "-- clusters::set_evaluated
        update clusters set evaluated_as_of = $2 where cluster_id = $1",
        id,
        as_of
    )
    .execute(conn)
    .await
    .doing("noting the evaluation of a cluster")?;
    Ok(())
}
