//! Whatever an event should have caused and did not: sends unsent events, judges scans that wait, lets time do its work on verdicts and
//! advice.
//!
//! Reads: outbox, scans, evidence, records. Writes and emits: what `evaluate` and `recommend` write and emit, and the outbox. Events make
//! StarGate fast, this job makes it right: with the broker away for a day, everything is still judged within five minutes.

use std::sync::Arc;

use anyhow::Context as _;
use chrono::TimeDelta;
use stargate_common::boot::{Context, Job};
use stargate_common::db::{clusters, collection_requests, dead_letters, outbox};
use stargate_common::events::{self, CollectionRequested, EventType};
use stargate_common::policy::rule::RuleSet;
use stargate_evaluate::rubrics::Rubrics;
use stargate_evaluate::{Evaluated, Evaluator, Settings, refresh_cluster};
use stargate_recommend::Recommender;

/// How long a request for a collection may wait before it is sent again: an event takes seconds, a collection less than two minutes.
const PATIENCE: TimeDelta = TimeDelta::minutes(2);

/// The job.
#[derive(Debug)]
pub struct Sweep;

impl Job for Sweep {
    const NAME: &'static str = "sweep";
    /// Those of `evaluate` and `recommend`, and its own; the relay that follows a job sends everybody's.
    const EMITS: &'static [EventType] = &[
        EventType::ReadinessChanged,
        EventType::IncidentOpened,
        EventType::IncidentUpdated,
        EventType::IncidentResolved,
        EventType::FailureUnclassified,
        EventType::RecommendationIssued,
        EventType::RecommendationWithdrawn,
        EventType::CollectionRequested,
    ];
    type Settings = Settings;

    async fn run(context: &Context<Settings>) -> anyhow::Result<String> {
        let now = context.clock.now();
        let rubrics = Rubrics::start(&context.settings, now)?.current(now);
        let evaluator = Evaluator {
            db: context.db.clone(),
            clock: context.clock.clone(),
            rubrics,
        };
        let known = clusters::enabled(&context.db).await.context("listing clusters")?;
        let mut done = Evaluated::default();
        let mut failures = Vec::new();
        for cluster in &known {
            if context.shutdown.is_cancelled() {
                break;
            }
            // One cluster after the other: this job is the slow and sure way, and needs the memory of one.
            match refresh_cluster(&evaluator, &cluster.name).await {
                Ok(more) => done += more,
                Err(error) => {
                    let error = anyhow::Error::from(error).context(format!("evaluating {}", cluster.name));
                    tracing::error!(cluster.name = cluster.name, error = format!("{error:#}"), "{error:#}");
                    failures.push(error);
                }
            }
        }
        let advised = advise(context).await;
        let advice = advised.as_ref().map_or(0, |done| done.issued + done.updated + done.withdrawn);
        failures.extend(advised.err());
        let asked = ask_again(context).await.context("sending requests for collections again")?;
        let letters = dead_letters::count_open(&context.db).await.context("counting dead letters")?;
        if letters > 0 {
            tracing::warn!("{letters} events could not be handled by anyone; `stargate deadletters` shows them");
        }
        let summary = format!(
            "{} clusters, {} evaluations, {} transitions, {} rows written, {advice} changes of advice, {asked} collections requested again, \
             {letters} dead letters",
            known.len(),
            done.evaluations,
            done.transitions,
            done.written
        );
        match failures.pop() {
            None => Ok(summary),
            Some(first) => Err(first.context(format!("{summary}, {} steps failed", failures.len() + 1))),
        }
    }
}

/// Sends the event of every request that still waits once more. The request is satisfied by any collection that began after it, so one event
/// too many costs nothing.
async fn ask_again(context: &Context<Settings>) -> anyhow::Result<usize> {
    let now = context.clock.now();
    let mut tx = context.db.begin().await?;
    let waiting = collection_requests::claim_waiting(&mut tx, now - PATIENCE, now).await?;
    let mut again = Vec::with_capacity(waiting.len());
    for request in &waiting {
        tracing::warn!(
            request.id = %request.id,
            source.name = request.source,
            "request {} for {} of {} still waits; it is sent again",
            request.id,
            request.source,
            request.requested_at.format("%H:%M:%S UTC")
        );
        let payload = CollectionRequested {
            request_id: request.id,
            source: request.source.clone(),
        };
        again.push(events::outgoing(Sweep::NAME, &payload, now)?);
    }
    outbox::append(&mut tx, &again, now).await?;
    tx.commit().await?;
    Ok(again.len())
}

/// Looks at the advice anew when anything changed without an event, or the newest look is long ago.
async fn advise(context: &Context<Settings>) -> anyhow::Result<stargate_recommend::Done> {
    let recommender = Recommender {
        db: context.db.clone(),
        clock: context.clock.clone(),
        rules: Arc::new(RuleSet::embedded().context("loading the policies")?),
    };
    let done = stargate_recommend::refresh(&recommender).await;
    done.map_err(|error| {
        let error = anyhow::Error::from(error).context("looking at the advice anew");
        tracing::error!(error = format!("{error:#}"), "{error:#}");
        error
    })
}
