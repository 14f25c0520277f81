//! Reads one provisioning system and stores what changed.
//!
//! In: Babylon, the Sandbox API, AAP, Demolition, Labagator or AgnosticV. Writes: `records`, `sources`, `collections`, and what follows from
//! records. Emits: `collection.completed`. A system that cannot be read keeps what was read before and says so in `sources`.
//!
//! ```text
//! lease ─> source's client ─> Readings ─> store.rs: records, history, collections, sources, outbox     one transaction a source
//! ```

mod settings;
mod store;

use std::time::Duration;

use anyhow::Context as _;
use stargate_common::boot::{Context, Job};
use stargate_common::db::{lease, sources as db_sources};
use stargate_common::events::EventType;
use stargate_common::sources::{self, Collected, Run, SourceName};
use tokio::time::Instant;

pub use self::settings::Settings;

/// The job.
#[derive(Debug)]
pub struct Collect;

impl Job for Collect {
    const NAME: &'static str = "collect";
    const EMITS: &'static [EventType] = &[EventType::CollectionCompleted, EventType::ScanCompleted];
    type Settings = Settings;

    async fn run(context: &Context<Settings>) -> anyhow::Result<String> {
        let settings = &context.settings;
        let source = settings.source;
        let Some(_lease) = lease::try_take(&context.db, &format!("collect/{source}"))
            .await
            .with_context(|| format!("collecting {source}"))?
        else {
            return Ok(format!("{source} is left to a run that is still going"));
        };
        let run = Run {
            clock: context.clock.clone(),
            deadline: Instant::now() + Duration::from_secs(settings.budget_s),
            event_prefix: settings.event_prefix.clone(),
        };
        let collected = read(settings, &run).await;
        if collected.is_empty() {
            db_sources::disable(&context.db, source.as_str(), source.interval_s()).await?;
            return Ok(format!("{source} is not configured"));
        }
        let mut told = Vec::new();
        for one in &collected {
            told.push(store::store(context, one).await.with_context(|| format!("storing what {} said", one.source))?);
        }
        Ok(told.join("; "))
    }
}

async fn read(settings: &Settings, run: &Run) -> Vec<Collected> {
    match settings.source {
        SourceName::Babylon => sources::babylon::collect(&settings.babylon, run).await,
        SourceName::SandboxApi => sources::sandbox_api::collect(&settings.sandbox_api, run).await,
        SourceName::Aap => sources::aap::collect(&settings.aap, run).await,
        SourceName::Demolition => sources::demolition::collect(&settings.demolition, run).await,
        SourceName::Labagator => sources::labagator::collect(&settings.labagator, run).await,
        SourceName::Agnosticv => sources::agnosticv::collect(&settings.agnosticv, run).await,
    }
}
