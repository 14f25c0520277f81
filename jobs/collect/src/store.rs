//! One collection into the database, in one transaction.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use stargate_common::boot::Context;
use stargate_common::db::collection_requests;
use stargate_common::db::collections::{self, NewCollection};
use stargate_common::db::records::{self, Stored};
use stargate_common::db::scans::{ScanState, Trigger};
use stargate_common::db::sources::{self, Source};
use stargate_common::db::subject_transitions;
use stargate_common::db::views::{self, View};
use stargate_common::db::{DbError, outbox};
use stargate_common::events::{self, CollectionCompleted};
use stargate_common::objects::Problem;
use stargate_common::provisioning::Record;
use stargate_common::sources::{Collected, Reading, Readings, SourceName};
use uuid::Uuid;

use crate::{Settings, history};

/// What storing came to, over all kinds.
#[derive(Debug, Default)]
struct Tally {
    items: usize,
    changed: usize,
    expected: usize,
    missing: Vec<String>,
    problems: Vec<Problem>,
}

/// What storing came to.
#[derive(Debug)]
pub(crate) struct Told {
    /// What to tell: numbers.
    pub(crate) told: String,
    /// Whether any of it was read.
    pub(crate) read: bool,
}

/// Stores a collection. `answers`: with it, if it was read, all of the source was, as whoever asked for a collection wants it.
pub(crate) async fn store(context: &Context<Settings>, collected: &Collected, trigger: Trigger, answers: bool) -> anyhow::Result<Told> {
    let now = context.clock.now();
    let mut tx = context.db.begin().await?;
    let mut tally = Tally {
        problems: collected.problems.clone(),
        ..Tally::default()
    };
    store_all(&mut tx, collected, &mut tally, now).await?;
    let state = match tally.missing.len() {
        0 if collected.readings.late.is_empty() => ScanState::Complete,
        0 => ScanState::Partial,
        missing if missing == tally.expected => ScanState::Failed,
        _ => ScanState::Partial,
    };
    let id = Uuid::now_v7();
    let run = NewCollection {
        id,
        source: &collected.source,
        trigger,
        state,
        started_at: collected.observed_at,
        requests: collected.requests,
        bytes: collected.bytes,
        items: tally.items,
        changed: tally.changed,
        problems: &tally.problems,
    };
    collections::insert(&mut *tx, &run, now).await?;
    let error = (!tally.missing.is_empty()).then(|| tally.missing.join("; "));
    let lacking: Vec<String> = tally.missing.iter().chain(&collected.readings.late).cloned().collect();
    let source = Source {
        name: &collected.source,
        interval_s: context.settings.source.interval_s(),
        attempt_at: collected.observed_at,
        // What is late was read all the same.
        success_at: tally.missing.is_empty().then_some(collected.observed_at),
        error: error.as_deref(),
        expected: tally.expected + collected.readings.late.len(),
        missing: &lacking,
        retry_at: collected.retry_at,
    };
    sources::record(&mut *tx, &source).await?;
    let completed = CollectionCompleted {
        collection_id: id,
        source: collected.source.clone(),
    };
    let read = state != ScanState::Failed;
    if read && answers {
        collection_requests::satisfy(&mut *tx, context.settings.source.as_str(), id, collected.observed_at, now).await?;
    }
    outbox::append(&mut tx, &[events::outgoing("collect", &completed, collected.observed_at)?], now).await?;
    let finer = match context.settings.source {
        SourceName::Labagator => Some(View::Sessions),
        SourceName::Babylon => Some(View::Pools),
        _ => None,
    };
    // What was ordered also when nothing changed: how old it is did.
    let raised = [View::Provisioning].into_iter().chain(finer.filter(|_| tally.changed > 0));
    views::raise(&mut tx, raised, now).await?;
    tx.commit().await.context("storing a collection")?;
    let Tally {
        items, changed, missing, ..
    } = &tally;
    let missing = if missing.is_empty() {
        String::new()
    } else {
        format!(", not read: {}", missing.join("; "))
    };
    let told = format!("{}: {items} objects, {changed} changed{missing}", collected.source);
    Ok(Told { told, read })
}

async fn store_all(conn: &mut PgConnection, collected: &Collected, tally: &mut Tally, now: DateTime<Utc>) -> Result<(), DbError> {
    let Readings {
        subjects,
        runs,
        claims,
        handles,
        pools,
        providers,
        catalog_items,
        workshops,
        workshop_provisions,
        components,
        labs,
        sessions,
        smoke_sessions,
        jobs,
        placements,
        sandbox_clusters,
        late: _,
    } = &collected.readings;
    let source = &collected.source;
    let previous = subject_transitions::read_before(&mut *conn, source).await?;
    let stored = one(conn, source, subjects.as_ref(), tally, now).await?;
    if let Some(subjects) = subjects {
        history::subjects(conn, subjects, &stored, previous, collected.observed_at).await?;
    }
    one(conn, source, runs.as_ref(), tally, now).await?;
    one(conn, source, claims.as_ref(), tally, now).await?;
    one(conn, source, handles.as_ref(), tally, now).await?;
    one(conn, source, pools.as_ref(), tally, now).await?;
    if let (Some(pools), Some(handles)) = (pools, handles) {
        history::pools(conn, pools, handles, collected.observed_at).await?;
    }
    one(conn, source, providers.as_ref(), tally, now).await?;
    one(conn, source, catalog_items.as_ref(), tally, now).await?;
    one(conn, source, workshops.as_ref(), tally, now).await?;
    one(conn, source, workshop_provisions.as_ref(), tally, now).await?;
    one(conn, source, components.as_ref(), tally, now).await?;
    one(conn, source, labs.as_ref(), tally, now).await?;
    one(conn, source, sessions.as_ref(), tally, now).await?;
    one(conn, source, smoke_sessions.as_ref(), tally, now).await?;
    one(conn, source, jobs.as_ref(), tally, now).await?;
    one(conn, source, placements.as_ref(), tally, now).await?;
    one(conn, source, sandbox_clusters.as_ref(), tally, now).await?;
    Ok(())
}

async fn one<R: Record>(
    conn: &mut PgConnection,
    source: &str,
    reading: Option<&Reading<R>>,
    tally: &mut Tally,
    now: DateTime<Utc>,
) -> Result<Stored, DbError> {
    let Some(reading) = reading else {
        return Ok(Stored::default());
    };
    tally.expected += 1;
    tally.items += reading.items.len();
    if let Some(missing) = &reading.missing {
        tally.missing.push(format!("{}: {} ({})", R::KIND, missing.reason, missing.detail));
    }
    tally.problems.extend(reading.refused.iter().cloned());
    let stored = records::store(conn, source, reading, now).await?;
    tally.changed += stored.rows();
    Ok(stored)
}
