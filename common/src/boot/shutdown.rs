//! SIGTERM and Ctrl-C, turned into a token.

use tokio_util::sync::CancellationToken;

/// Cancels `shutdown` when the process is told to stop. As PID 1 a process without a handler would not stop at all.
///
/// A second signal ends the process at once: somebody is impatient.
pub fn on_signal(shutdown: &CancellationToken) {
    let shutdown = shutdown.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "lives as long as the process and ends it; there is nothing to join"
    )]
    tokio::spawn(async move {
        let first = wait().await;
        tracing::info!("{first} received, finishing what is begun");
        shutdown.cancel();
        let second = wait().await;
        tracing::warn!("{second} received again, leaving at once");
        std::process::exit(1);
    });
}

async fn wait() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::error!("no signal handler could be installed; only SIGKILL will stop this process");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
