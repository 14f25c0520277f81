//! Runs of the collectors. 90 days.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::scans::{ScanState, Trigger};
use super::{DbError, Doing};
use crate::objects::Problem;

/// One run.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct NewCollection<'a> {
    pub id: Uuid,
    pub source: &'a str,
    pub trigger: Trigger,
    pub state: ScanState,
    pub started_at: DateTime<Utc>,
    pub requests: u32,
    pub bytes: u64,
    pub items: usize,
    pub changed: usize,
    pub problems: &'a [Problem],
}

/// Stores a run.
///
/// # Errors
/// The statement failed.
pub async fn insert(db: impl PgExecutor<'_>, run: &NewCollection<'_>, now: DateTime<Utc>) -> Result<(), DbError> {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let problems = serde_json::to_value(run.problems).unwrap_or_default();
    sqlx::query!(
        "-- collections::insert
        insert into collections (collection_id, source, trigger, state, started_at, finished_at, requests, bytes, items, changed, problems)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        run.id,
        run.source,
        run.trigger.as_str(),
        run.state.as_str(),
        run.started_at,
        now,
        i32::try_from(run.requests).unwrap_or(i32::MAX),
        i64::try_from(run.bytes).unwrap_or(i64::MAX),
        count(run.items),
        count(run.changed),
        problems
    )
    .execute(db)
    .await
    .doing("storing a collection")?;
    Ok(())
}
