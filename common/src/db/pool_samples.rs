//! How full pools were: written when it differs, and once an hour. 14 days.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};

use super::rows::{BATCH, to_json};
use super::{DbError, Doing};
use crate::provisioning::pool_state::Sample;

/// Longest time without a sample of a pool that does not change.
const EVERY: TimeDelta = TimeDelta::hours(1);

#[derive(Serialize)]
struct Row<'a> {
    at: DateTime<Utc>,
    pool_key: &'a str,
    usable: u32,
    available: u32,
    unready: u32,
    claimed: u32,
    min_available: u32,
}

/// Stores the samples that say something new: another fill than the newest stored one, or the first in an hour. The answer is how many.
///
/// # Errors
/// A statement failed.
pub async fn record(conn: &mut PgConnection, samples: &BTreeMap<&str, Sample>) -> Result<usize, DbError> {
    let Some(at) = samples.values().map(|sample| sample.at).min() else {
        return Ok(0);
    };
    let keys: Vec<String> = samples.keys().map(|key| (*key).to_owned()).collect();
    let newest = newest(&mut *conn, &keys, at - EVERY).await?;
    let is_same = |a: &Sample, b: &Sample| Sample { at: a.at, ..*b } == *a;
    let said = |key: &str, sample: &Sample| newest.get(key).is_some_and(|newest| is_same(newest, sample));
    let rows: Vec<Row<'_>> = samples
        .iter()
        .filter(|(key, sample)| !said(key, sample))
        .map(|(key, sample)| {
            let Sample {
                at,
                usable,
                available,
                unready,
                claimed,
                min_available,
            } = *sample;
            Row {
                at,
                pool_key: key,
                usable,
                available,
                unready,
                claimed,
                min_available,
            }
        })
        .collect();
    for some in rows.chunks(BATCH) {
        sqlx::query!(
            "-- pool_samples::record
            insert into pool_samples (at, pool_key, usable, available, unready, claimed, min_available)
            select n.at, n.pool_key, n.usable, n.available, n.unready, n.claimed, n.min_available
            from json_populate_recordset(null::pool_samples, $1::text::json) as n
            on conflict (pool_key, at) do nothing",
            to_json(some)?
        )
        .execute(&mut *conn)
        .await
        .doing("storing samples of pools")?;
    }
    Ok(rows.len())
}

async fn newest(db: impl PgExecutor<'_>, pools: &[String], since: DateTime<Utc>) -> Result<BTreeMap<String, Sample>, DbError> {
    let rows = sqlx::query!(
        r#"-- pool_samples::newest
        select asked.key as "key!", s.at as "at!", s.usable as "usable!", s.available as "available!", s.unready as "unready!",
            s.claimed as "claimed!", s.min_available as "min_available!"
        from unnest($1::text[]) as asked (key)
        cross join lateral (
            select p.at, p.usable, p.available, p.unready, p.claimed, p.min_available
            from pool_samples p where p.pool_key = asked.key and p.at > $2 order by p.at desc limit 1
        ) as s"#,
        pools,
        since
    )
    .fetch_all(db)
    .await
    .doing("reading the newest samples of pools")?;
    let sample = |at, [usable, available, unready, claimed, min_available]: [i32; 5]| Sample {
        at,
        usable: number(usable),
        available: number(available),
        unready: number(unready),
        claimed: number(claimed),
        min_available: number(min_available),
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                row.key,
                sample(row.at, [row.usable, row.available, row.unready, row.claimed, row.min_available]),
            )
        })
        .collect())
}

/// Samples of all pools since a time, oldest first, by the pool's uid.
///
/// # Errors
/// The statement failed.
pub async fn since(db: impl PgExecutor<'_>, since: DateTime<Utc>) -> Result<BTreeMap<String, Vec<Sample>>, DbError> {
    let rows = sqlx::query!(
        "-- pool_samples::since
        select pool_key, at, usable, available, unready, claimed, min_available from pool_samples where at >= $1 order by pool_key, at",
        since
    )
    .fetch_all(db)
    .await
    .doing("loading samples of pools")?;
    let mut samples: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    for row in rows {
        samples.entry(row.pool_key).or_default().push(Sample {
            at: row.at,
            usable: number(row.usable),
            available: number(row.available),
            unready: number(row.unready),
            claimed: number(row.claimed),
            min_available: number(row.min_available),
        });
    }
    Ok(samples)
}

fn number(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}
