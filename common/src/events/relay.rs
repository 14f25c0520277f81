//! Sending what the outbox holds. Runs after the commit of every function and job, and in `sweep` for what they left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use sqlx::PgPool;
use tokio::task::JoinSet;

use super::EventType;
use super::sink::{SendError, Sink};
use super::wire::CloudEvent;
use crate::clock::Clock;
use crate::db::DbError;
use crate::db::outbox::{self, OutboxRow};

/// How long a function sends before it answers. Its deadline plus this stays below `timeoutSeconds` of its service.
pub const FUNCTION_BUDGET: Duration = Duration::from_secs(20);
/// How long a job sends before it leaves: below the shortest `activeDeadlineSeconds`, minus a scan.
pub const JOB_BUDGET: Duration = Duration::from_secs(120);

/// Events claimed at a time.
const BATCH: i64 = 200;
/// Partitions sent side by side.
const LANES: usize = 8;
/// A claim outlives the longest send; after that the relay is taken for dead.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// First wait after a failure; doubles up to the next.
const BACKOFF: TimeDelta = TimeDelta::seconds(15);
/// Longest wait: every event is tried at least four times an hour.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// What became of the outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Taken by the sink.
    pub sent: usize,
    /// Not taken; tried again later.
    pub failed: usize,
}

impl std::fmt::Display for Flushed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} events sent", self.sent)?;
        if self.failed > 0 {
            write!(f, ", {} left for later", self.failed)?;
        }
        Ok(())
    }
}

/// Sends all due events, until none is left or `budget` is spent. What is cut off by the budget is sent again when its claim
/// has run out; its id makes a second arrival harmless.
///
/// # Errors
/// When the database is away. An event that is not taken is no error.
pub async fn flush(db: &PgPool, sink: &Sink, clock: &Clock, budget: Duration) -> Result<Flushed, DbError> {
    let mut total = Flushed::default();
    let sending = async {
        loop {
            let rows = outbox::claim(db, BATCH, LEASE, clock.now()).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let sent = send_all(db, sink, clock, rows).await?;
            total.sent += sent.sent;
            total.failed += sent.failed;
            if sent.failed > 0 {
                return Ok(());
            }
        }
    };
    match tokio::time::timeout(budget, sending).await {
        Ok(result) => result?,
        Err(_) => tracing::warn!("the outbox is not empty after {} s; the rest is left to sweep", budget.as_secs()),
    }
    Ok(total)
}

/// Sends one claim: partitions side by side, each in its own order.
async fn send_all(db: &PgPool, sink: &Sink, clock: &Clock, rows: Vec<OutboxRow>) -> Result<Flushed, DbError> {
    let mut partitions: BTreeMap<String, Vec<OutboxRow>> = BTreeMap::new();
    for row in rows {
        partitions.entry(row.event.partition_key.clone()).or_default().push(row);
    }
    let away = Arc::new(AtomicBool::new(false));
    let mut waiting = partitions.into_values();
    let mut lanes = JoinSet::new();
    let mut total = Flushed::default();
    loop {
        while lanes.len() < LANES
            && let Some(partition) = waiting.next()
        {
            lanes.spawn(send_partition(db.clone(), sink.clone(), clock.clone(), partition, away.clone()));
        }
        let Some(lane) = lanes.join_next().await else { return Ok(total) };
        // A lane that panicked leaves its claim to run out.
        let Ok(sent) = lane else { continue };
        let sent = sent?;
        total.sent += sent.sent;
        total.failed += sent.failed;
    }
}

/// Sends the events of one partition in order, up to the first that fails.
async fn send_partition(db: PgPool, sink: Sink, clock: Clock, rows: Vec<OutboxRow>, away: Arc<AtomicBool>) -> Result<Flushed, DbError> {
    let mut sent = Vec::new();
    let mut failure = None;
    for row in &rows {
        if away.load(Ordering::Relaxed) {
            failure = Some("the sink is away".to_owned());
            break;
        }
        let result = sink.send(&CloudEvent::from(&row.event)).await;
        let event_type = EventType::parse(&row.event.kind).map_or("other", EventType::as_str);
        let outcome = if result.is_ok() { "sent" } else { "failed" };
        metrics::counter!("stargate_events_sent_total", "type" => event_type, "outcome" => outcome).increment(1);
        match result {
            Ok(()) => sent.push(row.seq),
            Err(error) => {
                away.fetch_or(matches!(error, SendError::Unanswered(_) | SendError::NoSink), Ordering::Relaxed);
                let chain = format!("{:#}", anyhow::Error::from(error));
                tracing::warn!(event.id = %row.event.event_id, error = chain, "event {} was not taken: {chain}", row.event.event_id);
                failure = Some(chain);
                break;
            }
        }
    }
    let now = clock.now();
    if let Some(row) = rows.first()
        && !sent.is_empty()
    {
        outbox::mark_sent(&db, &sent, row.token, now).await?;
    }
    for row in rows.iter().skip(sent.len()) {
        let wait = BACKOFF * 2_i32.pow(row.attempts.clamp(0, 6).unsigned_abs());
        outbox::mark_failed(
            &db,
            row.seq,
            row.token,
            failure.as_deref().unwrap_or_default(),
            now + wait.min(LONGEST),
        )
        .await?;
    }
    Ok(Flushed {
        sent: sent.len(),
        failed: rows.len() - sent.len(),
    })
}
