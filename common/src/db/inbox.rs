//! Which events a consumer has taken in: one row in the transaction of the event's effect.
//!
//! A crash before the commit leaves no row, so the redelivery does the work; after it, the redelivery is recognised.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{DbError, Doing};

/// Whether an event is new to a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Novelty {
    /// First time: its effect belongs in this transaction.
    New,
    /// Its effect is already committed.
    Seen,
}

/// Claims an event for a consumer. `(source, id)` is what makes an event the same one; `time` is the event's own time, which a
/// redelivery repeats, so that it meets the same partition. Waits while another transaction holds the same event.
///
/// # Errors
/// The statement failed; a lock timeout means that another worker is at it.
pub async fn begin(
    conn: &mut PgConnection,
    consumer: &str,
    source: &str,
    id: &str,
    time: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Novelty, DbError> {
    let inserted = sqlx::query!(
        "-- inbox::begin
         insert into inbox (consumer, event_day, source, event_id, received_at) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        consumer,
        time.date_naive(),
        source,
        id,
        now,
    )
    .execute(conn)
    .await
    .doing("claiming an event in the inbox")?;
    Ok(if inserted.rows_affected() == 1 {
        Novelty::New
    } else {
        Novelty::Seen
    })
}
