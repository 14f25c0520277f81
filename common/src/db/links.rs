//! How things of different systems belong together, and what belongs to nothing. What is unchanged keeps its `since`.

mod load;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

pub use self::load::{Configured, world};
use super::rows::{BATCH, to_json};
use super::{DbError, Doing};
use crate::provisioning::link::{Link, NodeKind, Resolved, Unmatched};

/// What writing changed, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Edges that are new or other than before.
    pub linked: usize,
    /// Edges that are gone.
    pub unlinked: usize,
    /// Changes of what is unmatched.
    pub unmatched: usize,
}

impl Written {
    /// All rows.
    #[must_use]
    pub const fn rows(self) -> usize {
        self.linked + self.unlinked + self.unmatched
    }
}

/// Waits until nobody else joins, to the end of the transaction: who loads and writes later has loaded what is newer.
///
/// # Errors
/// The statement failed, or somebody joins for longer than a minute.
pub async fn hold(conn: &mut PgConnection) -> Result<(), DbError> {
    // Joining the largest fleet takes some seconds; the usual limit would make a second collector fail for nothing.
    sqlx::query!(
        r#"-- links::hold
        select set_config('lock_timeout', '60s', true) as "set!""#
    )
    .fetch_one(&mut *conn)
    .await
    .doing("waiting for the lock of the joins")?;
    sqlx::query!("-- links::hold\nselect pg_advisory_xact_lock(hashtextextended('stargate/links', 0))")
        .execute(conn)
        .await
        .doing("waiting for the lock of the joins")?;
    Ok(())
}

#[derive(Serialize)]
struct LinkRow<'a> {
    from_kind: &'a str,
    from_key: &'a str,
    to_kind: &'a str,
    to_key: &'a str,
    method: &'a str,
    strength: &'a str,
    since: DateTime<Utc>,
}

/// Makes the tables say what was resolved; rows that say it already stay as they are. The caller [holds](hold) the joins.
///
/// # Errors
/// A statement failed.
pub async fn write(conn: &mut PgConnection, resolved: &Resolved, now: DateTime<Utc>) -> Result<Written, DbError> {
    let (linked, unlinked) = write_links(conn, &resolved.links, now).await?;
    let unmatched = write_unmatched(conn, &resolved.unmatched, now).await?;
    Ok(Written {
        linked,
        unlinked,
        unmatched,
    })
}

async fn write_links(conn: &mut PgConnection, links: &[Link], now: DateTime<Utc>) -> Result<(usize, usize), DbError> {
    let mut stands = vec![false; links.len()];
    let mut gone: [Vec<String>; 4] = Default::default();
    let kinds = sqlx::query_scalar!("-- links::write (kinds)\nselect distinct from_kind from links")
        .fetch_all(&mut *conn)
        .await
        .doing("reading what is joined")?;
    // One kind at a time: memory follows the largest.
    for from_kind in kinds {
        let rows = sqlx::query!(
            "-- links::write (stored)
            select from_key, to_kind, to_key, method, strength from links where from_kind = $1",
            from_kind
        )
        .fetch_all(&mut *conn)
        .await
        .doing("reading what is joined")?;
        for row in rows {
            let ends = (from_kind.as_str(), row.from_key.as_str(), row.to_kind.as_str(), row.to_key.as_str());
            match links.binary_search_by(|link| ends_of(link).cmp(&ends)) {
                Ok(found) => {
                    if let (Some(link), Some(stands)) = (links.get(found), stands.get_mut(found)) {
                        *stands = link.method == row.method && link.strength.as_str() == row.strength;
                    }
                }
                Err(_) => {
                    let [kinds, keys, to_kinds, to_keys] = &mut gone;
                    kinds.push(from_kind.clone());
                    keys.push(row.from_key);
                    to_kinds.push(row.to_kind);
                    to_keys.push(row.to_key);
                }
            }
        }
    }
    let changed = links.iter().zip(&stands).filter(|(_, stands)| !**stands).map(|(link, _)| link);
    let changed: Vec<LinkRow<'_>> = changed.map(|link| row_of(link, now)).collect();
    for some in changed.chunks(BATCH) {
        sqlx::query!(
            "-- links::write
            insert into links select n.* from json_populate_recordset(null::links, $1::text::json) n
            on conflict (from_kind, from_key, to_kind, to_key) do update
            set method = excluded.method, strength = excluded.strength, since = excluded.since",
            to_json(some)?
        )
        .execute(&mut *conn)
        .await
        .doing("writing what is joined")?;
    }
    let [kinds, keys, to_kinds, to_keys] = &gone;
    if !kinds.is_empty() {
        sqlx::query!(
            "-- links::write (gone)
            delete from links l using unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n (from_kind, from_key, to_kind, to_key)
            where (l.from_kind, l.from_key, l.to_kind, l.to_key) = (n.from_kind, n.from_key, n.to_kind, n.to_key)",
            kinds,
            keys,
            to_kinds,
            to_keys
        )
        .execute(conn)
        .await
        .doing("removing what is no longer joined")?;
    }
    Ok((changed.len(), kinds.len()))
}

fn ends_of(link: &Link) -> (&str, &str, &str, &str) {
    (link.from.0.as_str(), &link.from.1, link.to.0.as_str(), &link.to.1)
}

fn row_of(link: &Link, since: DateTime<Utc>) -> LinkRow<'_> {
    let (from_kind, from_key, to_kind, to_key) = ends_of(link);
    LinkRow {
        from_kind,
        from_key,
        to_kind,
        to_key,
        method: &link.method,
        strength: link.strength.as_str(),
        since,
    }
}

#[derive(Serialize)]
struct UnmatchedRow<'a> {
    kind: NodeKind,
    key: &'a str,
    wanted: NodeKind,
    reason: &'a str,
    since: DateTime<Utc>,
}

async fn write_unmatched(conn: &mut PgConnection, unmatched: &[Unmatched], now: DateTime<Utc>) -> Result<usize, DbError> {
    let stored = sqlx::query!("-- links::write_unmatched (stored)\nselect kind, key, wanted, reason from unmatched")
        .fetch_all(&mut *conn)
        .await
        .doing("reading what is unmatched")?;
    let mut stored: BTreeMap<(String, String, String), String> = stored
        .into_iter()
        .map(|row| ((row.kind, row.key, row.wanted), row.reason))
        .collect();
    let mut changed = Vec::new();
    for one in unmatched {
        let ends = (one.kind.as_str().to_owned(), one.key.clone(), one.wanted.as_str().to_owned());
        if stored.remove(&ends).is_none_or(|reason| reason != one.reason) {
            changed.push(UnmatchedRow {
                kind: one.kind,
                key: &one.key,
                wanted: one.wanted,
                reason: &one.reason,
                since: now,
            });
        }
    }
    for some in changed.chunks(BATCH) {
        // What is unmatched for another reason has been unmatched since.
        sqlx::query!(
            "-- links::write_unmatched
            insert into unmatched select n.* from json_populate_recordset(null::unmatched, $1::text::json) n
            on conflict (kind, key, wanted) do update set reason = excluded.reason",
            to_json(some)?
        )
        .execute(&mut *conn)
        .await
        .doing("writing what is unmatched")?;
    }
    let (mut kinds, mut keys, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
    for (kind, key, to) in stored.into_keys() {
        kinds.push(kind);
        keys.push(key);
        wanted.push(to);
    }
    if !kinds.is_empty() {
        sqlx::query!(
            "-- links::write_unmatched (gone)
            delete from unmatched u using unnest($1::text[], $2::text[], $3::text[]) as n (kind, key, wanted)
            where (u.kind, u.key, u.wanted) = (n.kind, n.key, n.wanted)",
            &kinds,
            &keys,
            &wanted
        )
        .execute(conn)
        .await
        .doing("removing what is matched by now")?;
    }
    Ok(changed.len() + kinds.len())
}

/// What an instance was ordered as, and which lab that is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offer {
    /// Name of its catalog item.
    pub catalog_item: Option<String>,
    /// Code of its lab.
    pub lab_code: Option<String>,
}

/// What each instance of a cluster is joined to. An instance without either is not in it.
///
/// # Errors
/// The statement failed.
pub async fn offers(conn: &mut PgConnection, cluster: Uuid) -> Result<BTreeMap<Uuid, Offer>, DbError> {
    let rows = sqlx::query!(
        "-- links::offers
        select i.instance_id, l.to_kind, l.to_key
        from instances i join links l on l.from_kind = 'instance' and l.from_key = i.instance_id::text and l.to_kind in ('catalog-item', 'lab')
        where i.cluster_id = $1 and i.deleted_at is null
        order by i.instance_id, l.to_kind, l.to_key desc",
        cluster
    )
    .fetch_all(conn)
    .await
    .doing("reading what instances are joined to")?;
    let mut offers: BTreeMap<Uuid, Offer> = BTreeMap::new();
    for row in rows {
        let offer = offers.entry(row.instance_id).or_default();
        if row.to_kind == "lab" {
            offer.lab_code = Some(row.to_key);
        } else {
            offer.catalog_item = Some(row.to_key);
        }
    }
    Ok(offers)
}
