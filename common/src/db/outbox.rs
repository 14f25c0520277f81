//! Events on their way out: written with the change they tell of, sent by the relay afterwards.
//!
//! ```text
//! append (in the handler's transaction) ──> claim (lease, token) ──> POST ──> mark_sent
//!                                              ^                       └───> mark_failed (later again)
//!                                              └── the lease ran out: the relay died
//! ```
//! At least once by design: an event may be sent twice, never lost; its id makes that harmless.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::{DbError, Doing};

/// An event to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Deterministic: the same fact always has the same id.
    pub event_id: Uuid,
    /// CloudEvents `type`.
    pub kind: String,
    /// CloudEvents `source`.
    pub source: String,
    /// CloudEvents `subject`.
    pub subject: String,
    /// When the fact happened: the observation's time.
    pub time: DateTime<Utc>,
    /// What must stay in order: an instance's uid, or the cluster.
    pub partition_key: String,
    /// Routing attributes, names in lower-case letters and digits.
    pub extensions: BTreeMap<String, String>,
    /// Ids, never facts to act on.
    pub data: Value,
}

/// A claimed event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Position in the outbox; what `mark_sent` and `mark_failed` take.
    pub seq: i64,
    /// How often it was claimed before.
    pub attempts: i32,
    /// Proof of the claim.
    pub token: Uuid,
    /// The event.
    pub event: Outgoing,
}

/// Writes events in the caller's transaction.
///
/// # Errors
/// The statement failed.
pub async fn append(conn: &mut PgConnection, events: &[Outgoing], now: DateTime<Utc>) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let mut ids = Vec::with_capacity(events.len());
    let mut kinds = Vec::with_capacity(events.len());
    let mut sources = Vec::with_capacity(events.len());
    let mut subjects = Vec::with_capacity(events.len());
    let mut times = Vec::with_capacity(events.len());
    let mut keys = Vec::with_capacity(events.len());
    let mut extensions = Vec::with_capacity(events.len());
    let mut data = Vec::with_capacity(events.len());
    for event in events {
        ids.push(event.event_id);
        kinds.push(event.kind.as_str());
        sources.push(event.source.as_str());
        subjects.push(event.subject.as_str());
        times.push(event.time);
        keys.push(event.partition_key.as_str());
        extensions.push(
            event
                .extensions
                .iter()
                .map(|(k, v)| (k.clone(), Value::from(v.as_str())))
                .collect::<Value>(),
        );
        data.push(&event.data);
    }
    sqlx::query!(
        r#"-- outbox::append
        insert into outbox (event_id, type, source, subject, time, partition_key, extensions, data, created_at, available_at)
        select event_id, type, source, subject, time, partition_key, extensions, data, $9, $9
        from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::jsonb[], $8::jsonb[])
            with ordinality as e (event_id, type, source, subject, time, partition_key, extensions, data, position)
        order by position"#,
        &ids,
        &kinds as &[&str],
        &sources as &[&str],
        &subjects as &[&str],
        &times,
        &keys as &[&str],
        &extensions,
        &data as &[&Value],
        now,
    )
    .execute(conn)
    .await
    .doing("writing events to the outbox")?;
    Ok(())
}

/// Claims up to `limit` unsent events, oldest first, for the time of `lease`. Rows that another relay holds are passed over.
///
/// # Errors
/// The statement failed.
pub async fn claim(pool: &PgPool, limit: i64, lease: TimeDelta, now: DateTime<Utc>) -> Result<Vec<OutboxRow>, DbError> {
    let token = Uuid::new_v4();
    let rows = sqlx::query!(
        r#"-- outbox::claim
        with due as (
            select seq, created_at from outbox
            where sent_at is null and available_at <= $2 and (claimed_until is null or claimed_until <= $2)
            order by seq
            limit $1
            for update skip locked
        )
        update outbox o
        set claim_token = $3, claimed_until = $4, attempts = o.attempts + 1
        from due where o.seq = due.seq and o.created_at = due.created_at
        returning o.seq, o.attempts, o.event_id, o.type, o.source, o.subject, o.time, o.partition_key, o.extensions, o.data"#,
        limit,
        now,
        token,
        now + lease,
    )
    .fetch_all(pool)
    .await
    .doing("claiming events from the outbox")?;
    let mut claimed: Vec<_> = rows
        .into_iter()
        .map(|row| OutboxRow {
            seq: row.seq,
            attempts: row.attempts - 1,
            token,
            event: Outgoing {
                event_id: row.event_id,
                kind: row.r#type,
                source: row.source,
                subject: row.subject,
                time: row.time,
                partition_key: row.partition_key,
                extensions: strings(row.extensions),
                data: row.data,
            },
        })
        .collect();
    claimed.sort_by_key(|row| row.seq);
    Ok(claimed)
}

/// The attributes of a JSON object; a value that is no string is written as JSON.
fn strings(object: Value) -> BTreeMap<String, String> {
    let Value::Object(object) = object else { return BTreeMap::new() };
    object
        .into_iter()
        .map(|(key, value)| match value {
            Value::String(text) => (key, text),
            other => (key, other.to_string()),
        })
        .collect()
}

/// Notes that the claimed events arrived. Rows whose claim ran out meanwhile and was taken over are left alone; returns how many
/// were marked.
///
/// # Errors
/// The statement failed.
pub async fn mark_sent(pool: &PgPool, seqs: &[i64], token: Uuid, now: DateTime<Utc>) -> Result<u64, DbError> {
    let done = sqlx::query!(
        "-- outbox::mark_sent
        update outbox set sent_at = $3, claim_token = null, claimed_until = null, last_error = null
        where seq = any($1) and claim_token = $2 and sent_at is null",
        seqs,
        token,
        now,
    )
    .execute(pool)
    .await
    .doing("marking events of the outbox as sent")?;
    Ok(done.rows_affected())
}

/// Notes why a claimed event did not arrive and when to try again.
///
/// # Errors
/// The statement failed.
pub async fn mark_failed(pool: &PgPool, seq: i64, token: Uuid, error: &str, retry_at: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "-- outbox::mark_failed
        update outbox set available_at = $4, last_error = left($3, 500), claim_token = null, claimed_until = null
        where seq = $1 and claim_token = $2 and sent_at is null",
        seq,
        token,
        error,
        retry_at,
    )
    .execute(pool)
    .await
    .doing("noting an event that could not be sent")?;
    Ok(())
}

/// How much waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Unsent events.
    pub events: i64,
    /// The oldest of them was written then.
    pub oldest: Option<DateTime<Utc>>,
}

/// Counts what waits to be sent.
///
/// # Errors
/// The statement failed.
pub async fn backlog(db: impl PgExecutor<'_>) -> Result<Backlog, DbError> {
    sqlx::query_as!(
        Backlog,
        r#"-- outbox::backlog
        select count(*) as "events!", min(created_at) as oldest from outbox where sent_at is null"#
    )
    .fetch_one(db)
    .await
    .doing("counting unsent events")
}
