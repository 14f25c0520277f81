//! Kinds that are joined to instances: which instances they say something of, and since when.
//!
//! A list of pods says of every namespace of its cluster which pods it has. A list of subjects says that only of the instances that were there
//! when it was joined, and that could be joined at all: of the others nothing is known, which is not "none".

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::documents;
use crate::db::{DbError, Doing};
use crate::objects::{Kind, Snapshot};

/// Kinds of objects that live elsewhere.
const JOINED: [Kind; 2] = [Kind::Subject, Kind::SmokeRun];

/// Whether a kind is joined.
pub(super) fn is_joined(kind: Kind) -> bool {
    JOINED.contains(&kind)
}

/// Notes of which instances a reading says something. Returns how many rows that changed.
///
/// # Errors
/// A statement failed.
pub(super) async fn write(
    conn: &mut PgConnection,
    snapshot: &Snapshot,
    ids: &BTreeMap<String, Uuid>,
    complete: &BTreeSet<Kind>,
) -> Result<u64, DbError> {
    let mut changed = 0;
    for kind in JOINED.into_iter().filter(|kind| complete.contains(kind)) {
        let (mut told, mut untold) = (Vec::new(), Vec::new());
        for (name, inventory) in &snapshot.namespaces {
            let Some(id) = ids.get(name) else { continue };
            match documents::missing_in_instance(inventory, kind) {
                None => told.push(*id),
                Some(_) => untold.push(*id),
            }
        }
        let done = sqlx::query!(
            "-- joined::write
            insert into joined_kinds (instance_id, kind, since) select id, $2, $3 from unnest($1::uuid[]) as n (id) on conflict do nothing",
            &told,
            kind.as_str(),
            snapshot.observed_at
        )
        .execute(&mut *conn)
        .await
        .doing("noting what is joined to instances")?;
        changed += done.rows_affected();
        let done = sqlx::query!(
            "-- joined::write (untold)
            delete from joined_kinds where kind = $2 and instance_id = any($1)",
            &untold,
            kind.as_str()
        )
        .execute(&mut *conn)
        .await
        .doing("noting what is no longer joined to instances")?;
        changed += done.rows_affected();
    }
    Ok(changed)
}

/// Forgets what is joined to instances that are gone.
///
/// # Errors
/// The statement failed.
pub(super) async fn forget(conn: &mut PgConnection, gone: &[Uuid]) -> Result<(), DbError> {
    sqlx::query!("-- joined::forget\ndelete from joined_kinds where instance_id = any($1)", gone)
        .execute(conn)
        .await
        .doing("forgetting what is joined to instances that are gone")?;
    Ok(())
}

/// Since when each of these kinds is joined to each of these instances.
///
/// # Errors
/// The statement failed.
pub(super) async fn since(conn: &mut PgConnection, instances: &[Uuid]) -> Result<BTreeMap<(Uuid, Kind), DateTime<Utc>>, DbError> {
    let rows = sqlx::query!(
        "-- joined::since
        select instance_id, kind, since from joined_kinds where instance_id = any($1)",
        instances
    )
    .fetch_all(conn)
    .await
    .doing("reading what is joined to instances")?;
    let known = rows
        .into_iter()
        .filter_map(|row| Some(((row.instance_id, Kind::parse(&row.kind)?), row.since)));
    Ok(known.collect())
}
