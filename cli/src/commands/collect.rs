//! `stargate collect`: one collection of provisioning systems, now.

use std::process::ExitCode;

use stargate_collect::{Ended, Settings, Systems};
use stargate_common::boot::{self, Context};
use stargate_common::clock::Clock;
use stargate_common::db::scans::Trigger;
use stargate_common::events::sink::Sink;
use stargate_common::settings::LogFormat;
use stargate_common::sources::SourceName;
use tokio_util::sync::CancellationToken;

use crate::output;
use crate::store::Store;

/// Read provisioning systems now and store what changed, as the scheduled jobs do.
///
/// Exit code 1 when one that was named is not configured, or one that is configured could not be read completely.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  stargate collect                        every system that is configured\n  stargate collect labagator demolition\n  stargate collect labagator --labagator-url https://labs.example.com/api/v1 --event-timezone Europe/Berlin"
)]
pub struct Args {
    /// Which systems; by default every one that is configured
    #[arg(value_enum, value_name = "SOURCE")]
    sources: Vec<SourceName>,
    #[command(flatten)]
    systems: Systems,
    #[command(flatten)]
    store: Store,
}

/// Runs the command.
///
/// # Errors
/// When there is no database, or something could not be stored.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    boot::init_logs("warn", LogFormat::Text);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        boot::on_signal(&shutdown);
        let named = !args.sources.is_empty();
        let sources = if named { args.sources } else { SourceName::ALL.to_vec() };
        let db = args.store.open().await?;
        let mut all_well = true;
        for source in sources {
            if shutdown.is_cancelled() {
                output::note("Told to stop: the others were not begun.");
                all_well = false;
                break;
            }
            let context = Context {
                name: "collect",
                settings: Settings {
                    source,
                    by_command: true,
                    systems: args.systems.clone(),
                },
                db: db.clone(),
                clock: Clock::System,
                // The outbox is left to the relay of whoever runs here: without a sink nothing could be sent.
                sink: Sink::Nowhere,
                shutdown: shutdown.clone(),
            };
            match stargate_collect::collect(&context, Trigger::Command).await {
                Ok(ended) => {
                    all_well &= match &ended {
                        Ended::Stored(told) => !told.iter().any(|line| line.contains(", not read: ")),
                        Ended::Disabled(_) => !named,
                        Ended::Overlap(_) => true,
                        Ended::Resting(..) => false,
                    };
                    output::note(&ended.to_string());
                }
                // What one system said must not wait for another.
                Err(error) => {
                    all_well = false;
                    output::error(&error);
                }
            }
        }
        db.close().await;
        Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::from(1) })
    })
}
