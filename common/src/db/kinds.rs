//! What the last attempt to read each kind of a cluster came to: the freshness of everything on it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{DbError, Doing};
use crate::objects::{Kind, Reachability};
use crate::unknown::UnknownReason;

/// Evidence older than this many of its intervals is stale.
pub const STALE_AFTER: i32 = 2;

/// How an attempt to read a kind went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindRead {
    /// Which kind.
    pub kind: Kind,
    /// Why it is not the whole truth; `None` when the list was read to its end.
    pub missing: Option<UnknownReason>,
    /// What went wrong, for people; empty when nothing did.
    pub detail: String,
    /// Objects read, labs' or not.
    pub items: usize,
    /// How often the kind is read, in seconds: the interval of its fastest tier, the same in every tier.
    pub interval_s: i32,
}

/// What is known of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindState {
    /// Why the last attempt is not the whole truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<UnknownReason>,
    /// How often it is read, in seconds.
    pub interval_s: i32,
    /// When it was last tried: when that reading began.
    pub attempt_at: DateTime<Utc>,
    /// When it was last read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_at: Option<DateTime<Utc>>,
}

/// What is known of every kind of a cluster, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// What the API server said when it was last asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reachable: Option<Reachability>,
    /// Kinds that were tried at least once.
    pub kinds: BTreeMap<Kind, KindState>,
}

impl Coverage {
    /// Up to when evidence of that kind may be used, or why not.
    ///
    /// # Errors
    /// The reason: never tried, the last attempt failed, or the last success is older than [`STALE_AFTER`] intervals.
    pub fn until(&self, kind: Kind, now: DateTime<Utc>) -> Result<DateTime<Utc>, UnknownReason> {
        let state = self.kinds.get(&kind).ok_or(UnknownReason::NotCollected)?;
        if let Some(reason) = state.missing {
            return Err(reason);
        }
        let success_at = state.success_at.ok_or(UnknownReason::NotCollected)?;
        let stale = now - success_at > TimeDelta::seconds(i64::from(state.interval_s)) * STALE_AFTER;
        if stale { Err(UnknownReason::Stale) } else { Ok(success_at) }
    }

    /// When one of these kinds was last tried.
    #[must_use]
    pub fn newest_attempt(&self, kinds: &[Kind]) -> Option<DateTime<Utc>> {
        kinds
            .iter()
            .filter_map(|kind| self.kinds.get(kind))
            .map(|state| state.attempt_at)
            .max()
    }
}

/// What is stored of every kind of the cluster.
///
/// # Errors
/// The statement failed.
pub async fn of_cluster(conn: &mut PgConnection, cluster: Uuid) -> Result<BTreeMap<Kind, KindState>, DbError> {
    let rows = sqlx::query!(
        "-- kinds::of_cluster
        select kind, missing, interval_s, last_attempt_at, last_success_at from cluster_kinds where cluster_id = $1",
        cluster
    )
    .fetch_all(conn)
    .await
    .doing("reading what is known of a cluster's kinds")?;
    let state = |missing: Option<String>| {
        missing
            .as_deref()
            .map(|name| UnknownReason::parse(name).unwrap_or(UnknownReason::ParseError))
    };
    // A kind of a newer version is none of ours.
    let known = rows.into_iter().filter_map(|row| {
        let value = KindState {
            missing: state(row.missing),
            interval_s: row.interval_s,
            attempt_at: row.last_attempt_at,
            success_at: row.last_success_at,
        };
        Some((Kind::parse(&row.kind)?, value))
    });
    Ok(known.collect())
}

/// Stores the outcome of attempts that began at `observed_at`.
///
/// # Errors
/// The statement failed.
pub async fn record(conn: &mut PgConnection, cluster: Uuid, reads: &[&KindRead], observed_at: DateTime<Utc>) -> Result<(), DbError> {
    let kinds: Vec<&str> = reads.iter().map(|read| read.kind.as_str()).collect();
    let missing: Vec<Option<&str>> = reads.iter().map(|read| read.missing.map(UnknownReason::as_str)).collect();
    let details: Vec<&str> = reads.iter().map(|read| read.detail.as_str()).collect();
    let items: Vec<Option<i32>> = reads.iter().map(|read| i32::try_from(read.items).ok()).collect();
    let intervals: Vec<i32> = reads.iter().map(|read| read.interval_s).collect();
    sqlx::query!(
        r#"-- kinds::record
        insert into cluster_kinds as k (cluster_id, kind, missing, detail, items, interval_s, last_attempt_at, last_success_at)
        select $1, kind, missing, left(detail, 1000), items, interval_s, $7, case when missing is null then $7::timestamptz end
        from unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::int[]) as r (kind, missing, detail, items, interval_s)
        on conflict (cluster_id, kind) do update
        set missing = excluded.missing, detail = excluded.detail, items = excluded.items, interval_s = excluded.interval_s,
            last_attempt_at = excluded.last_attempt_at, last_success_at = coalesce(excluded.last_success_at, k.last_success_at)"#,
        cluster,
        &kinds as &[&str],
        &missing as &[Option<&str>],
        &details as &[&str],
        &items as &[Option<i32>],
        &intervals,
        observed_at
    )
    .execute(conn)
    .await
    .doing("storing what was read of a cluster's kinds")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    #[test]
    fn evidence_serves_until_it_is_stale_or_an_attempt_failed() {
        let state = |missing, success_at| KindState {
            missing,
            interval_s: 900,
            attempt_at: at(0),
            success_at,
        };
        let coverage = |state| Coverage {
            reachable: None,
            kinds: BTreeMap::from([(Kind::Pod, state)]),
        };
        let read = coverage(state(None, Some(at(0))));
        assert_eq!(read.until(Kind::Pod, at(30)), Ok(at(0)));
        assert_eq!(read.until(Kind::Pod, at(31)), Err(UnknownReason::Stale));
        assert_eq!(read.until(Kind::Route, at(0)), Err(UnknownReason::NotCollected));
        let failed = coverage(state(Some(UnknownReason::Forbidden), Some(at(0))));
        assert_eq!(failed.until(Kind::Pod, at(1)), Err(UnknownReason::Forbidden));
    }
}
