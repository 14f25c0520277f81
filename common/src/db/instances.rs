//! Instances: which lab namespaces there are, and since when.
//!
//! An instance is a namespace by its uid: one that is deleted and created again under the same name is another instance.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{DbError, Doing};

/// The id of an instance follows from its cluster and its namespace's uid.
#[must_use]
pub fn id_of(cluster: Uuid, uid: &str) -> Uuid {
    Uuid::new_v5(&cluster, uid.as_bytes())
}

/// An instance that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: Uuid,
    /// The namespace's name.
    pub namespace: String,
    /// The namespace's uid.
    pub uid: String,
    /// When it was first read.
    pub first_seen_at: DateTime<Utc>,
}

/// An instance to be made known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInstance<'a> {
    /// Its id.
    pub id: Uuid,
    /// The namespace's name.
    pub namespace: &'a str,
    /// The namespace's uid.
    pub uid: &'a str,
    /// When the namespace was created.
    pub created_at: Option<DateTime<Utc>>,
}

/// Live instances of the cluster, by namespace.
///
/// # Errors
/// The statement failed.
pub async fn live(conn: &mut PgConnection, cluster: Uuid) -> Result<Vec<Instance>, DbError> {
    sqlx::query_as!(
        Instance,
        "-- instances::live
        select instance_id as id, namespace, uid, first_seen_at from instances
        where cluster_id = $1 and deleted_at is null order by namespace",
        cluster
    )
    .fetch_all(conn)
    .await
    .doing("listing the instances of a cluster")
}

/// Instances that were there at `at`, by namespace.
///
/// # Errors
/// The statement failed.
pub async fn there_at(conn: &mut PgConnection, cluster: Uuid, at: DateTime<Utc>) -> Result<Vec<Instance>, DbError> {
    sqlx::query_as!(
        Instance,
        "-- instances::there_at
        select instance_id as id, namespace, uid, first_seen_at from instances
        where cluster_id = $1 and first_seen_at <= $2 and (deleted_at is null or deleted_at > $2) order by namespace",
        cluster,
        at
    )
    .fetch_all(conn)
    .await
    .doing("listing the instances of a cluster")
}

/// Makes instances known. One that had been gone and is back under the same uid (its deletion was undone by a restored backup, or it
/// had not been ours to look at for a while) is there again.
///
/// # Errors
/// The statement failed.
pub async fn insert(conn: &mut PgConnection, cluster: Uuid, new: &[NewInstance<'_>], observed_at: DateTime<Utc>) -> Result<(), DbError> {
    if new.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = new.iter().map(|instance| instance.id).collect();
    let namespaces: Vec<&str> = new.iter().map(|instance| instance.namespace).collect();
    let uids: Vec<&str> = new.iter().map(|instance| instance.uid).collect();
    let created: Vec<Option<DateTime<Utc>>> = new.iter().map(|instance| instance.created_at).collect();
    sqlx::query!(
        "-- instances::insert
        insert into instances (instance_id, cluster_id, namespace, uid, created_at, first_seen_at, changed_at)
        select id, $1, namespace, uid, created_at, $6, $6
        from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) as n (id, namespace, uid, created_at)
        on conflict (cluster_id, uid) do update
        set namespace = excluded.namespace, deleted_at = null, state = 'unknown', changed_at = excluded.changed_at,
            version = instances.version + 1",
        cluster,
        &ids,
        &namespaces as &[&str],
        &uids as &[&str],
        &created as &[Option<DateTime<Utc>>],
        observed_at
    )
    .execute(conn)
    .await
    .doing("making instances known")?;
    Ok(())
}

/// Notes that instances are gone. Their stages are closed by the evaluation that follows.
///
/// # Errors
/// The statement failed.
pub async fn mark_gone(conn: &mut PgConnection, ids: &[Uuid], observed_at: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "-- instances::mark_gone
        update instances set deleted_at = $2, version = version + 1 where instance_id = any($1) and deleted_at is null",
        ids,
        observed_at
    )
    .execute(conn)
    .await
    .doing("noting that instances are gone")?;
    Ok(())
}
