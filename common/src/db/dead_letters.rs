//! Events that no function could handle, kept until somebody has looked and sends them again.
//!
//! ```text
//! keep ──> open ──> replay (marked, and put back into the outbox, in one transaction) ──> handled
//!            ^                                                                       └──> fails again: keep
//!            └───────────────────────────────────────────────────────────────────────────────────┘
//! ```

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{DbError, Doing};

/// An event that could not be handled.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Derived from the next three, so that the same letter is the same row.
    pub dead_letter_id: Uuid,
    /// Who could not handle it; `unknown` when the broker did not say.
    pub consumer: String,
    /// CloudEvents `source`.
    pub event_source: String,
    /// CloudEvents `id`.
    pub event_id: String,
    /// CloudEvents `type`.
    pub event_type: String,
    /// The whole event in the JSON format, without what the broker added.
    pub payload: Value,
    /// HTTP status of the last try, if there was an answer.
    pub error_code: Option<i32>,
    /// What the answer said.
    pub error: Option<String>,
    /// When it last arrived.
    pub received_at: DateTime<Utc>,
    /// When it was sent again; `None` while it is open.
    pub replayed_at: Option<DateTime<Utc>>,
}

/// Keeps a letter. One that was sent again and fails again is open again.
///
/// # Errors
/// The statement failed.
pub async fn keep(db: impl PgExecutor<'_>, letter: &DeadLetter) -> Result<(), DbError> {
    sqlx::query!(
        "-- dead_letters::keep
         insert into dead_letters as kept (dead_letter_id, consumer, event_source, event_id, event_type, payload, error_code, error, received_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict on constraint dead_letter_once_per_consumer
         do update set error_code = excluded.error_code, error = excluded.error, received_at = excluded.received_at, replayed_at = null",
        letter.dead_letter_id,
        letter.consumer,
        letter.event_source,
        letter.event_id,
        letter.event_type,
        letter.payload,
        letter.error_code,
        letter.error,
        letter.received_at,
    )
    .execute(db)
    .await
    .doing("keeping a dead letter")?;
    Ok(())
}

/// Open letters, oldest first; of one consumer, or of all.
///
/// # Errors
/// The statement failed.
pub async fn open(db: impl PgExecutor<'_>, consumer: Option<&str>, limit: i64) -> Result<Vec<DeadLetter>, DbError> {
    sqlx::query_as!(
        DeadLetter,
        "-- dead_letters::open
         select dead_letter_id, consumer, event_source, event_id, event_type, payload, error_code, error, received_at, replayed_at
         from dead_letters
         where replayed_at is null and ($1::text is null or consumer = $1)
         order by received_at, dead_letter_id
         limit $2",
        consumer,
        limit,
    )
    .fetch_all(db)
    .await
    .doing("reading dead letters")
}

/// How many letters are open.
///
/// # Errors
/// The statement failed.
pub async fn count_open(db: impl PgExecutor<'_>) -> Result<i64, DbError> {
    sqlx::query_scalar!(
        r#"-- dead_letters::count_open
        select count(*) as "count!" from dead_letters where replayed_at is null"#
    )
    .fetch_one(db)
    .await
    .doing("counting dead letters")
}

/// Marks an open letter as sent again and returns it; `None` when it is not there or not open. The caller puts the event into the
/// outbox in the same transaction.
///
/// # Errors
/// The statement failed.
pub async fn take_for_replay(conn: &mut PgConnection, dead_letter_id: Uuid, now: DateTime<Utc>) -> Result<Option<DeadLetter>, DbError> {
    sqlx::query_as!(
        DeadLetter,
        "-- dead_letters::take_for_replay
         update dead_letters set replayed_at = $2
         where dead_letter_id = $1 and replayed_at is null
         returning dead_letter_id, consumer, event_source, event_id, event_type, payload, error_code, error, received_at, replayed_at",
        dead_letter_id,
        now,
    )
    .fetch_optional(conn)
    .await
    .doing("taking a dead letter for replay")
}
