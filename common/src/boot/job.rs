//! One run of a CronJob.

use anyhow::Context as _;
use clap::Args;

use super::Context;
use crate::events::{EventType, relay};

/// A job: runs once, leaves with an exit code.
pub trait Job: Send + Sync + 'static {
    /// Its name: of the binary, in logs and manifests.
    const NAME: &'static str;
    /// What it writes to the outbox. Empty: it needs no broker.
    const EMITS: &'static [EventType];
    /// What only it needs.
    type Settings: Args + Clone + std::fmt::Debug + Send + Sync + 'static;

    /// Does the work. The answer is one line for the log: what was done, with numbers. What the work finds is data, not an error.
    fn run(context: &Context<Self::Settings>) -> impl Future<Output = anyhow::Result<String>> + Send;
}

/// Runs the job and sends what it left in the outbox.
///
/// # Errors
/// When the job failed or was told to stop before it was done. Events that could not be sent are no error: `sweep` sends them.
pub async fn run<J: Job>(context: &Context<J::Settings>) -> anyhow::Result<()> {
    let started = context.clock.now();
    let summary = tokio::select! {
        biased;
        result = J::run(context) => result?,
        () = stopped_too_long(context) => anyhow::bail!("told to stop before it was done"),
    };
    let duration_ms = (context.clock.now() - started).num_milliseconds();
    tracing::info!(job = J::NAME, duration_ms, "{}: {summary}", J::NAME);
    if !J::EMITS.is_empty() {
        let sent = relay::flush(&context.db, &context.sink, &context.clock, relay::JOB_BUDGET)
            .await
            .context("sending the outbox")?;
        tracing::info!(
            job = J::NAME,
            sent.events = sent.sent,
            sent.failed = sent.failed,
            "{}: {sent}",
            J::NAME
        );
    }
    Ok(())
}

/// Gives a job that watches the token ten seconds to end by itself.
async fn stopped_too_long<S>(context: &Context<S>) {
    context.shutdown.cancelled().await;
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
}
