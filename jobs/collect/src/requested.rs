//! A collection that somebody asked for: the same run as by schedule, now.
//!
//! In: `collection.requested`. Writes and emits: what [`crate::Collect`] writes and emits, which marks the request as done when what it read
//! is stored. A request that is done already needs nothing, so the event may come twice or late; while another process reads the source,
//! the broker is asked to come again, for that run may have begun before the change that was told.

use clap::Args;
use stargate_common::boot::{Accepts, Context, Function};
use stargate_common::db::collection_requests as requests;
use stargate_common::db::scans::Trigger;
use stargate_common::events::wire::CloudEvent;
use stargate_common::events::{CollectionRequested, EventType};
use stargate_common::failure::Failure;
use stargate_common::sources::SourceName;

use crate::{Ended, Settings, Systems, collect};

/// The function.
#[derive(Debug, Clone, Copy)]
pub struct CollectRequested;

/// What only this function needs.
#[derive(Debug, Clone, Args)]
pub struct RequestedSettings {
    /// How the systems are reached.
    #[command(flatten)]
    pub systems: Systems,
}

impl Function for CollectRequested {
    const NAME: &'static str = "collect-requested";
    const ACCEPTS: Accepts = Accepts::Only(&[EventType::CollectionRequested]);
    const EMITS: &'static [EventType] = &[EventType::CollectionCompleted, EventType::ScanCompleted];
    type Settings = RequestedSettings;

    async fn start(_: &Context<RequestedSettings>) -> anyhow::Result<Self> {
        Ok(Self)
    }

    async fn handle(&self, context: &Context<RequestedSettings>, event: &CloudEvent) -> Result<(), Failure> {
        let CollectionRequested { request_id, source } = event.payload()?;
        let Some(source) = SourceName::parse(&source) else {
            return Err(Failure::Reject(format!("no source {source:?} is known")));
        };
        if requests::find_open(&context.db, request_id).await?.is_none() {
            tracing::debug!(request.id = %request_id, "request {request_id} needs nothing any more");
            return Ok(());
        }
        let job = Context {
            name: Self::NAME,
            settings: Settings {
                source,
                by_command: false,
                systems: context.settings.systems.clone(),
            },
            db: context.db.clone(),
            clock: context.clock.clone(),
            sink: context.sink.clone(),
            shutdown: context.shutdown.clone(),
        };
        let collected = collect(&job, Trigger::Request).await;
        let ended = collected.map_err(|error| Failure::retry(format!("collecting {source}"), error))?;
        tracing::info!(request.id = %request_id, source.name = %source, "request {request_id}: {ended}");
        match ended {
            Ended::Overlap(_) => Err(Failure::Busy(format!("{source} is being read by another process"))),
            // What could not be read now is asked for again by `sweep`, while the request is open.
            Ended::Disabled(_) => Ok(requests::abandon(&context.db, request_id, context.clock.now()).await?),
            Ended::Stored(_) | Ended::Resting(..) => Ok(()),
        }
    }
}
