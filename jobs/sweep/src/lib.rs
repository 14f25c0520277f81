//! Whatever an event should have caused and did not: sends unsent events, judges scans that wait, lets time do its work on verdicts.
//!
//! Reads: outbox, scans, evidence. Writes and emits: what `evaluate` writes and emits, and the outbox. Events make StarGate fast, this job
//! makes it right: with the broker away for a day, everything is still judged within five minutes.

use anyhow::Context as _;
use stargate_common::boot::{Context, Function, Job};
use stargate_common::db::{clusters, dead_letters};
use stargate_common::events::EventType;
use stargate_evaluate::rubrics::Rubrics;
use stargate_evaluate::{Evaluate, Evaluated, Evaluator, Settings, refresh_cluster};

/// The job.
#[derive(Debug)]
pub struct Sweep;

impl Job for Sweep {
    const NAME: &'static str = "sweep";
    /// Only those of `evaluate`; the relay that follows a job sends everybody's.
    const EMITS: &'static [EventType] = Evaluate::EMITS;
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
        let letters = dead_letters::count_open(&context.db).await.context("counting dead letters")?;
        if letters > 0 {
            tracing::warn!("{letters} events could not be handled by anyone; `stargate deadletters` shows them");
        }
        let summary = format!(
            "{} clusters, {} evaluations, {} transitions, {} rows written, {letters} dead letters",
            known.len(),
            done.evaluations,
            done.transitions,
            done.written
        );
        match failures.pop() {
            None => Ok(summary),
            Some(first) => Err(first.context(format!("{summary}, {} clusters not evaluated", failures.len() + 1))),
        }
    }
}
