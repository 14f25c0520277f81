//! Reads one provisioning system and stores what changed.
//!
//! In: Babylon, the Sandbox API, AAP, Demolition, Labagator or AgnosticV. Writes: `records`, `sources`, `collections`, and what follows from
//! records. Emits: `collection.completed`. A system that cannot be read keeps what was read before and says so in `sources`.
//!
//! ```text
//! lease ─> who rests? ─> source's client ─> Readings ─> store.rs: records, history, collections, sources, outbox     one transaction a source
//!                                                        link.rs: links, unmatched                                  one transaction
//!                                                        publish.rs: evidence of instances, scans, outbox           one transaction a cluster
//! ```
//! Killed anywhere, it leaves what was there before: nothing is written until everything was read. The lease is given back before the run
//! reports, and ends with its connection when it is killed.

mod aap;
mod history;
pub mod link;
pub mod publish;
mod requested;
mod runs;
mod settings;
mod store;

use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use stargate_common::boot::{Context, Job};
use stargate_common::db::links::Configured;
use stargate_common::db::scans::Trigger;
use stargate_common::db::{lease, sources as db_sources};
use stargate_common::events::EventType;
use stargate_common::sources::{self, Collected, Run, SourceName};
use tokio::time::Instant;

use self::publish::{Heard, Published};
pub use self::requested::{CollectRequested, RequestedSettings};
pub use self::settings::{Settings, Systems};

/// The job.
#[derive(Debug)]
pub struct Collect;

impl Job for Collect {
    const NAME: &'static str = "collect";
    const EMITS: &'static [EventType] = &[EventType::CollectionCompleted, EventType::ScanCompleted];
    type Settings = Settings;

    async fn run(context: &Context<Settings>) -> anyhow::Result<String> {
        let trigger = if context.settings.by_command {
            Trigger::Command
        } else {
            Trigger::Schedule
        };
        Ok(collect(context, trigger).await?.to_string())
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was read, as far as it could be, and stored: a line for each row in `sources`.
    Stored(Vec<String>),
    /// It is not configured.
    Disabled(SourceName),
    /// Another process is reading it.
    Overlap(SourceName),
    /// It asked to be left alone and was.
    Resting(SourceName, DateTime<Utc>),
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stored(told) => f.write_str(&told.join("; ")),
            Self::Disabled(source) => write!(f, "{source} is not configured: it is shown as disabled"),
            Self::Overlap(source) => write!(f, "{source} is left to a run that is still going"),
            Self::Resting(source, until) => write!(
                f,
                "{source} was not asked: it asked to be left alone until {}",
                until.format("%Y-%m-%d %H:%M:%S UTC")
            ),
        }
    }
}

/// Reads the system that the settings name, once, and stores what it said.
///
/// # Errors
/// The database failed. That a system cannot be read is no error but what is stored.
pub async fn collect(context: &Context<Settings>, trigger: Trigger) -> anyhow::Result<Ended> {
    let source = context.settings.source;
    let work = collect_alone(context, trigger);
    let held = lease::hold(&context.db, &format!("collect/{source}"), work).await;
    let ended = held.with_context(|| format!("collecting {source}"))?;
    ended.unwrap_or(Ok(Ended::Overlap(source)))
}

/// The same, by whoever holds the lease on the source.
async fn collect_alone(context: &Context<Settings>, trigger: Trigger) -> anyhow::Result<Ended> {
    let Settings { source, systems, .. } = &context.settings;
    let source = *source;
    let doing = || format!("collecting {source}");
    // A table that is wrong is told before anything is stored by it.
    let configured = systems.links.read(&systems.event_prefix)?;
    let now = context.clock.now();
    let known = db_sources::of(&context.db, source.as_str()).await.with_context(doing)?;
    let (resting, others): (Vec<_>, Vec<_>) = known.into_iter().partition(|row| row.retry_at.is_some_and(|at| at > now));
    let until = resting.iter().filter_map(|row| row.retry_at).min();
    if let (Some(until), true) = (until, others.is_empty()) {
        return Ok(Ended::Resting(source, until));
    }
    let resting: Vec<String> = resting.into_iter().map(|row| row.name).collect();
    let run = Run {
        clock: context.clock.clone(),
        deadline: Instant::now() + Duration::from_secs(systems.budget_s),
        event_prefix: systems.event_prefix.clone(),
        resting: resting.clone(),
    };
    let mut collected = read(context, &run).await.with_context(doing)?;
    collected.retain(|one| !resting.contains(&one.source));
    let here: Vec<String> = collected.iter().map(|one| one.source.clone()).chain(resting).collect();
    db_sources::keep(&context.db, source.as_str(), source.interval_s(), &here)
        .await
        .with_context(doing)?;
    if here.is_empty() {
        publish::retract(&context.db, &context.clock, source).await.with_context(doing)?;
        return Ok(Ended::Disabled(source));
    }
    let (mut told, mut heard, mut failed) = (Vec::new(), Vec::new(), None);
    let parts = collected.len();
    let mut all_read = true;
    for (at, mut one) in collected.into_iter().enumerate() {
        // A request is for all of the source: the part that is stored last satisfies it, if every other was read as well.
        let answers = all_read && at + 1 == parts;
        // What one controller said must not be lost because another's could not be stored.
        match store(context, &mut one, trigger, answers).await {
            Ok(stored) => {
                all_read &= stored.read;
                told.push(stored.told);
                heard.extend(Heard::of(&one));
            }
            Err(error) => {
                all_read = false;
                tracing::error!(source.name = one.source, error = format!("{error:#}"), "{}: {error:#}", one.source);
                failed = Some(error.context(format!("storing what {} said", one.source)));
            }
        }
    }
    told.extend(follow_up(context, &configured, &heard).await?);
    failed.map_or(Ok(Ended::Stored(told)), Err)
}

/// What follows from what is stored: joins, and evidence of the instances. Killed before or within, the next collection does it.
async fn follow_up(context: &Context<Settings>, configured: &Configured, heard: &[Heard]) -> anyhow::Result<Option<String>> {
    let joined = link::join_and_tell(context, configured).await?;
    let mut done = Published::default();
    for heard in heard {
        done += publish::publish(&context.db, &context.clock, heard, &joined, configured.narrowed).await?;
    }
    let Published { clusters, changed } = done;
    Ok((clusters > 0).then(|| format!("{changed} documents of evidence changed on {clusters} clusters")))
}

async fn store(context: &Context<Settings>, one: &mut Collected, trigger: Trigger, answers: bool) -> anyhow::Result<store::Told> {
    runs::keep_known(&context.db, one).await?;
    store::store(context, one, trigger, answers).await
}

async fn read(context: &Context<Settings>, run: &Run) -> anyhow::Result<Vec<Collected>> {
    let Settings { source, systems, .. } = &context.settings;
    Ok(match source {
        SourceName::Babylon => sources::babylon::collect(&systems.babylon, run).await,
        SourceName::SandboxApi => sources::sandbox_api::collect(&systems.sandbox_api, run).await,
        SourceName::Aap => sources::aap::collect(&systems.aap, &aap::ask(context).await?, run).await,
        SourceName::Demolition => sources::demolition::collect(&systems.demolition, run).await,
        SourceName::Labagator => sources::labagator::collect(&systems.labagator, run).await,
        SourceName::Agnosticv => sources::agnosticv::collect(&systems.agnosticv, &systems.babylon, run).await,
    })
}
