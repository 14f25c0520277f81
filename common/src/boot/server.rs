//! Serving HTTP until told to stop.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Context, telemetry};
use crate::db::Access;
use crate::events::EventType;

/// How long open requests may take after the signal: less than Kubernetes waits before it kills.
const GRACE: Duration = Duration::from_secs(10);
/// How often metric samples are folded. Ten scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// An HTTP API.
pub trait Server: Send + Sync + 'static {
    /// Its name: of the binary, in logs and manifests.
    const NAME: &'static str;
    /// Whether it may write.
    const ACCESS: Access;
    /// What it writes to the outbox. Empty: it needs no broker.
    const EMITS: &'static [EventType] = &[];
    /// What only it needs.
    type Settings: Args + Clone + std::fmt::Debug + Send + Sync + 'static;

    /// Its routes, with health and metrics: [`super::with_health`], or its own when it has more to say.
    fn start(context: &Context<Self::Settings>) -> impl Future<Output = anyhow::Result<Router>> + Send;
}

/// Serves until `shutdown` is cancelled, then finishes open requests, for ten seconds at most.
///
/// # Errors
/// When the port cannot be had.
pub async fn serve(router: Router, address: SocketAddr, shutdown: CancellationToken) -> anyhow::Result<()> {
    let listener = match TcpListener::bind(address).await {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            anyhow::bail!(
                "port {} on {} is in use by another process; choose one with PORT or --port",
                address.port(),
                address.ip()
            )
        }
        listener => listener.with_context(|| format!("listening on {address}"))?,
    };
    tracing::info!("listening on http://{}", listener.local_addr().unwrap_or(address));
    let serving = axum::serve(listener, router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let too_late = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let folding = async {
        let mut tick = tokio::time::interval(UPKEEP);
        loop {
            tick.tick().await;
            telemetry::upkeep();
        }
    };
    tokio::select! {
        served = serving => served.context("serving")?,
        () = too_late => tracing::warn!("requests still open {} s after the signal are dropped", GRACE.as_secs()),
        () = folding => {}
    }
    Ok(())
}
