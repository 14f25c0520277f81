//! Instances: which lab namespaces there are, and since when.
//!
//! An instance is a namespace by its uid: one that is deleted and created again under the same name is another instance.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::{self, BATCH};
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

/// What an evaluation says of an instance as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct Standing {
    pub instance_id: Uuid,
    pub guid: Option<String>,
    pub service_uuid: Option<String>,
    pub suffix: Option<String>,
    pub catalog_item: Option<String>,
    pub lab_code: Option<String>,
    pub kind: String,
    pub intent: String,
    pub phase: String,
    pub state: String,
    pub worst_stage: Option<String>,
    pub failure_class: Option<String>,
    pub sub_class: Option<String>,
    pub failing_since: Option<DateTime<Utc>>,
}

/// An instance that is not closed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What the last evaluation said of it.
    pub standing: Standing,
    /// The namespace's name.
    pub namespace: String,
    /// What lists group it by.
    pub lab: String,
    /// Since when it is gone.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// What is stored of each instance of the cluster that is not closed yet.
///
/// # Errors
/// The statement failed.
pub async fn standings(conn: &mut PgConnection, cluster: Uuid) -> Result<BTreeMap<Uuid, Known>, DbError> {
    let rows = sqlx::query!(
        "-- instances::standings
        select instance_id, guid, service_uuid, suffix, catalog_item, lab_code, kind, intent, phase, state, worst_stage, failure_class,
               sub_class, failing_since, namespace, lab, deleted_at
        from instances where cluster_id = $1 and (deleted_at is null or state <> 'gone')",
        cluster
    )
    .fetch_all(conn)
    .await
    .doing("reading what is stored of instances")?;
    let known = rows.into_iter().map(|row| {
        let standing = Standing {
            instance_id: row.instance_id,
            guid: row.guid,
            service_uuid: row.service_uuid,
            suffix: row.suffix,
            catalog_item: row.catalog_item,
            lab_code: row.lab_code,
            kind: row.kind,
            intent: row.intent,
            phase: row.phase,
            state: row.state,
            worst_stage: row.worst_stage,
            failure_class: row.failure_class,
            sub_class: row.sub_class,
            failing_since: row.failing_since,
        };
        let known = Known {
            standing,
            namespace: row.namespace,
            lab: row.lab,
            deleted_at: row.deleted_at,
        };
        (row.instance_id, known)
    });
    Ok(known.collect())
}

/// Writes what evaluations say of instances.
///
/// # Errors
/// The statement failed.
pub async fn write(conn: &mut PgConnection, standings: &[Standing], at: DateTime<Utc>) -> Result<(), DbError> {
    for some in standings.chunks(BATCH) {
        sqlx::query!(
            "-- instances::write
            update instances i
            set guid = n.guid, service_uuid = n.service_uuid, suffix = n.suffix, catalog_item = n.catalog_item, lab_code = n.lab_code,
                kind = n.kind, intent = n.intent, phase = n.phase, worst_stage = n.worst_stage, failure_class = n.failure_class,
                sub_class = n.sub_class, failing_since = n.failing_since, state = n.state,
                changed_at = case when i.state = n.state then i.changed_at else $2 end, version = i.version + 1
            from json_populate_recordset(null::instances, $1::text::json) n
            where i.instance_id = n.instance_id",
            rows::to_json(some)?,
            at
        )
        .execute(&mut *conn)
        .await
        .doing("writing what evaluations say of instances")?;
    }
    Ok(())
}
