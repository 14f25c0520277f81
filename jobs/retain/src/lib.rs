//! Makes partitions ahead of time and drops those whose time is over; forgets records of provisioning systems that are gone for long.
//!
//! Reads and writes: the partitions of every table in `db/partitions.rs`, `records`, closed `constraint_violations`, finished
//! `collection_requests`. Emits: nothing. A day without it loses
//! nothing: rows land in the default partitions and are moved when it runs again.

use anyhow::Context as _;
use chrono::{Days, NaiveDate, TimeDelta};
use stargate_common::boot::{Context, Job};
use stargate_common::db::partitions::{self, PARTITIONED, Partitioned};
use stargate_common::db::{collection_requests, constraint_violations, records};
use stargate_common::events::EventType;
use stargate_common::settings::NoSettings;

/// How far ahead partitions are made: a week of failed runs does no harm.
const DAYS_AHEAD: u64 = 7;
/// How far back they are made: what a first run finds in the default partitions.
const DAYS_BACK: u64 = 3;

/// How long a violation is kept after it was closed, as long as a season of events.
const KEEP_CLOSED: TimeDelta = TimeDelta::days(90);
/// How long finished requests and deliveries are kept: longer than anybody delivers again.
const KEEP_REQUESTS: TimeDelta = TimeDelta::days(30);

/// The job.
#[derive(Debug)]
pub struct Retain;

impl Job for Retain {
    const NAME: &'static str = "retain";
    const EMITS: &'static [EventType] = &[];
    type Settings = NoSettings;

    async fn run(context: &Context<NoSettings>) -> anyhow::Result<String> {
        let today = context.clock.now().date_naive();
        let (mut made, mut dropped) = (0, 0);
        for table in &PARTITIONED {
            let name = table.table;
            for first in periods(table, today) {
                // One statement each: a busy table costs only this partition, and the next run makes it.
                let is_new = partitions::make(&context.db, table, first)
                    .await
                    .with_context(|| format!("table {name}, partition of {first}"))?;
                made += i32::from(is_new);
            }
            let oldest = today - Days::new(table.keep_days);
            dropped += partitions::drop_before(&context.db, table, oldest)
                .await
                .with_context(|| format!("table {name}, before {oldest}"))?;
        }
        let now = context.clock.now();
        let closed = constraint_violations::forget(&context.db, now - KEEP_CLOSED)
            .await
            .context("old violations")?;
        let mut conn = context.db.acquire().await.context("old requests")?;
        let requests = collection_requests::forget(&mut conn, now - KEEP_REQUESTS)
            .await
            .context("old requests")?;
        let forgotten = records::forget(&context.db, now).await.context("table records")?;
        let rows = closed + requests;
        Ok(format!(
            "{made} partitions made, {dropped} dropped, {rows} old rows removed, {forgotten} records forgotten"
        ))
    }
}

/// The first days of all periods from a little before `today` to a little after.
fn periods(table: &Partitioned, today: NaiveDate) -> Vec<NaiveDate> {
    let last = today + Days::new(DAYS_AHEAD);
    let mut first = table.period.first(today - Days::new(DAYS_BACK.min(table.keep_days)));
    let mut periods = Vec::new();
    while first <= last {
        periods.push(first);
        first = table.period.next(first);
    }
    periods
}
