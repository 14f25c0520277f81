//! Somebody wants a source read now: one open request a source, done when a collection of it that began later has read something.
//!
//! ```text
//! webhook, person ─> request ─(collection.requested)─> collect ─> satisfy, in the transaction of what was read
//!                                                  sweep: again, while the request is open
//! ```

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{DbError, Doing};

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its id.
    pub id: Uuid,
    /// Which source.
    pub source: String,
    /// When it was made.
    pub requested_at: DateTime<Utc>,
}

/// Makes a request, unless one for the source is open. The answer is the request, and whether it is new.
///
/// An open one is as good: the collection that answers it has not begun, or it will be made again because it began too early. That is why
/// its time moves to `now`.
///
/// # Errors
/// The statement failed.
pub async fn request(conn: &mut PgConnection, id: Uuid, source: &str, reason: &str, now: DateTime<Utc>) -> Result<(Uuid, bool), DbError> {
    let row = sqlx::query!(
        r#"-- collection_requests::request
        insert into collection_requests as r (request_id, source, reason, requested_at, asked_at) values ($1, $2, left($3, 500), $4, $4)
        on conflict (source) where done_at is null
        do update set requested_at = greatest(r.requested_at, excluded.requested_at), reason = excluded.reason
        returning request_id as "request_id!""#,
        id,
        source,
        reason,
        now
    )
    .fetch_one(conn)
    .await
    .doing("requesting a collection")?;
    Ok((row.request_id, row.request_id == id))
}

/// The open request of that id.
///
/// # Errors
/// The statement failed.
pub async fn find_open(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Waiting>, DbError> {
    sqlx::query_as!(
        Waiting,
        "-- collection_requests::find_open
        select request_id as id, source, requested_at from collection_requests where request_id = $1 and done_at is null",
        id
    )
    .fetch_optional(db)
    .await
    .doing("finding a request")
}

/// Marks what a collection of `source` that began at `began` satisfies. The caller has stored what it read, in the same transaction.
///
/// # Errors
/// The statement failed.
pub async fn satisfy(
    db: impl PgExecutor<'_>,
    source: &str,
    collection: Uuid,
    began: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u64, DbError> {
    let done = sqlx::query!(
        "-- collection_requests::satisfy
        update collection_requests set done_at = $4, collection_id = $2 where source = $1 and done_at is null and requested_at <= $3",
        source,
        collection,
        began,
        now
    )
    .execute(db)
    .await
    .doing("marking requests as done")?;
    Ok(done.rows_affected())
}

/// Ends a request that nothing can satisfy: its source is not configured.
///
/// # Errors
/// The statement failed.
pub async fn abandon(db: impl PgExecutor<'_>, id: Uuid, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "-- collection_requests::abandon
        update collection_requests set done_at = $2 where request_id = $1 and done_at is null",
        id,
        now
    )
    .execute(db)
    .await
    .doing("ending a request")?;
    Ok(())
}

/// Claims the open requests that were last sent before `before`, to send them again: a relay that runs beside takes the others.
///
/// # Errors
/// The statement failed.
pub async fn claim_waiting(conn: &mut PgConnection, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<Vec<Waiting>, DbError> {
    sqlx::query_as!(
        Waiting,
        "-- collection_requests::claim_waiting
        update collection_requests set asked_at = $2, attempts = attempts + 1
        where request_id in (
            select request_id from collection_requests where done_at is null and coalesce(asked_at, requested_at) < $1
            order by requested_at for update skip locked)
        returning request_id as id, source, requested_at",
        before,
        now
    )
    .fetch_all(conn)
    .await
    .doing("claiming requests that wait")
}

/// Notes a delivery of the webhook and what it asked for. `false`: it came before.
///
/// # Errors
/// The statement failed.
pub async fn note_delivery(db: impl PgExecutor<'_>, delivery: &str, request: Uuid, now: DateTime<Utc>) -> Result<bool, DbError> {
    let noted = sqlx::query!(
        "-- collection_requests::note_delivery
        insert into webhook_deliveries (delivery_id, request_id, received_at) values ($1, $2, $3) on conflict do nothing",
        delivery,
        request,
        now
    )
    .execute(db)
    .await
    .doing("noting a delivery")?;
    Ok(noted.rows_affected() > 0)
}

/// Whether a delivery came before.
///
/// # Errors
/// The statement failed.
pub async fn is_known_delivery(db: impl PgExecutor<'_>, delivery: &str) -> Result<bool, DbError> {
    sqlx::query_scalar!(
        r#"-- collection_requests::is_known_delivery
        select exists (select 1 from webhook_deliveries where delivery_id = $1) as "known!""#,
        delivery
    )
    .fetch_one(db)
    .await
    .doing("looking for a delivery")
}

/// Removes deliveries and finished requests of before `before`.
///
/// # Errors
/// A statement failed.
pub async fn forget(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64, DbError> {
    let deliveries = sqlx::query!(
        "-- collection_requests::forget_deliveries
        delete from webhook_deliveries where received_at < $1",
        before
    )
    .execute(&mut *conn)
    .await
    .doing("removing old deliveries")?;
    let requests = sqlx::query!(
        "-- collection_requests::forget
        delete from collection_requests r where done_at < $1
            and not exists (select 1 from webhook_deliveries d where d.request_id = r.request_id)",
        before
    )
    .execute(conn)
    .await
    .doing("removing old requests")?;
    Ok(deliveries.rows_affected() + requests.rows_affected())
}
