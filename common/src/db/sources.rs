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
    /// It asked to be left alone until then.
    pub retry_at: Option<DateTime<Utc>>,
}

/// Stores how a source stands. An attempt that is older than the stored one changes nothing.
///
/// # Errors
/// The statement failed.
pub async fn record(db: impl PgExecutor<'_>, source: &Source<'_>) -> Result<(), DbError> {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    sqlx::query!(
        "-- sources::record
        insert into sources as s (source, interval_s, last_attempt_at, last_success_at, last_error, expected, reporting, missing, retry_at, failures)
        values ($1, $2, $3, $4, left($5, 1000), $6, $7, to_jsonb($8::text[]), $9, case when $5::text is null then 0 else 1 end)
        on conflict (source) do update
        set enabled = true, interval_s = excluded.interval_s, last_attempt_at = excluded.last_attempt_at,
            retry_at = excluded.retry_at, failures = case when excluded.last_error is null then 0 else s.failures + 1 end,
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
        source.missing,
        source.retry_at
    )
    .execute(db)
    .await
    .doing("storing how a source stands")?;
    Ok(())
}

/// A row and until when its system asked to be left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Its name: the source, or `source/part`.
    pub name: String,
    /// Until then; none when it did not ask.
    pub retry_at: Option<DateTime<Utc>>,
}

/// The enabled rows of a source: its own, or one for each of its parts.
///
/// # Errors
/// The statement failed.
pub async fn of(db: impl PgExecutor<'_>, source: &str) -> Result<Vec<Rest>, DbError> {
    sqlx::query_as!(
        Rest,
        "-- sources::of
        select source as name, retry_at from sources where enabled and (source = $1 or starts_with(source, $1 || '/')) order by source",
        source
    )
    .fetch_all(db)
    .await
    .doing("reading how a source stands")
}

/// Notes which rows of a source are configured: the others are shown as disabled, and what is stored of them stays. Without any, the source
/// itself is.
///
/// # Errors
/// The statement failed.
pub async fn keep(db: impl PgExecutor<'_>, source: &str, interval_s: i32, names: &[String]) -> Result<(), DbError> {
    sqlx::query!(
        "-- sources::keep
        with others as (
            update sources set enabled = false, retry_at = null
            where enabled and (source = $1 or starts_with(source, $1 || '/')) and source <> all($3)
        ), replaced as (
            -- a source that is now read in parts
            delete from sources where source = $1 and cardinality($3) > 0 and source <> all($3) and not enabled
        )
        insert into sources (source, enabled, interval_s) select $1, false, $2 where cardinality($3) = 0
        on conflict (source) do nothing",
        source,
        interval_s,
        names
    )
    .execute(db)
    .await
    .doing("noting which sources are disabled")?;
    Ok(())
}
