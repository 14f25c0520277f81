//! Sources that are no clusters: when each was last tried, when that worked, and why not.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{DbError, Doing};

/// How a source stands after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source<'a> {
    /// Its name.
    pub name: &'a str,
    /// It should be tried every so many seconds.
    pub interval_s: i32,
    /// When it was tried.
    pub attempt_at: DateTime<Utc>,
    /// When it last worked; none leaves what is stored.
    pub success_at: Option<DateTime<Utc>>,
    /// Why it did not work this time.
    pub error: Option<&'a str>,
    /// Parts there should be.
    pub expected: usize,
    /// The parts that are missing, each with the reason.
    pub missing: &'a [String],
}

/// Stores how a source stands. An attempt that is older than the stored one changes nothing.
///
/// # Errors
/// The statement failed.
pub async fn record(db: impl PgExecutor<'_>, source: &Source<'_>) -> Result<(), DbError> {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    sqlx::query!(
        "-- sources::record
        insert into sources as s (source, interval_s, last_attempt_at, last_success_at, last_error, expected, reporting, missing)
        values ($1, $2, $3, $4, left($5, 1000), $6, $7, to_jsonb($8::text[]))
        on conflict (source) do update
        set interval_s = excluded.interval_s, last_attempt_at = excluded.last_attempt_at,
            last_success_at = coalesce(excluded.last_success_at, s.last_success_at), last_error = excluded.last_error,
            expected = excluded.expected, reporting = excluded.reporting, missing = excluded.missing
        where s.last_attempt_at is null or s.last_attempt_at <= excluded.last_attempt_at",
        source.name,
        source.interval_s,
        source.attempt_at,
        source.success_at,
        source.error,
        count(source.expected),
        count(source.expected.saturating_sub(source.missing.len())),
        source.missing
    )
    .execute(db)
    .await
    .doing("storing how a source stands")?;
    Ok(())
}
