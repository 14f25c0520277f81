//! `stargate scan`: one scan, now.

use std::process::ExitCode;

use anyhow::bail;
use stargate_common::boot::{self, Context};
use stargate_common::clock::Clock;
use stargate_common::events::sink::Sink;
use stargate_common::settings::LogFormat;
use tokio_util::sync::CancellationToken;

use crate::store::Store;

/// Scan clusters now and store what changed, as the scheduled job does.
///
/// The next sweep has it judged, unless the broker of K_SINK does so at once.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  stargate scan --kubeconfig-dir ~/clusters\n  stargate scan --kubeconfig ~/.kube/config --tier cluster\n  stargate scan --kubeconfig-dir .stargate/demo/kubeconfigs --cluster cnv-east-1 --simulated"
)]
pub struct Args {
    #[command(flatten)]
    settings: stargate_scan::Settings,
    #[command(flatten)]
    store: Store,
}

/// Runs the command.
///
/// # Errors
/// When there is no cluster or no database, or something could not be stored.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.settings.clusters.kubeconfig.is_none() && args.settings.clusters.kubeconfig_dir.is_none() {
        bail!("which clusters? Set --kubeconfig FILE, --kubeconfig-dir DIR or STARGATE_KUBECONFIG_DIR");
    }
    boot::init_logs("info", LogFormat::Text);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        boot::on_signal(&shutdown);
        let settings = stargate_scan::Settings {
            by_command: true,
            ..args.settings
        };
        let context = Context {
            name: "scan",
            settings,
            db: args.store.open().await?,
            clock: Clock::System,
            sink: Sink::Nowhere,
            shutdown,
        };
        // The outbox is left to the relay of whoever runs here: without a sink nothing could be sent.
        let summary = <stargate_scan::Scan as boot::Job>::run(&context).await?;
        crate::output::note(&summary);
        context.db.close().await;
        Ok(ExitCode::SUCCESS)
    })
}
