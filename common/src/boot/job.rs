//! One run of a CronJob.

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

/// Runs the job, then sends what is in the outbox: also what a job that failed half-way had committed.
///
/// # Errors
/// When the job failed or was told to stop before it was done. Events that could not be sent are no error: `sweep` sends them.
pub async fn run<J: Job>(context: &Context<J::Settings>) -> anyhow::Result<()> {
    let started = context.clock.now();
    let result = tokio::select! {
        biased;
        result = J::run(context) => result,
        () = stopped_too_long(context) => anyhow::bail!("told to stop before it was done"),
    };
    if let Ok(summary) = &result {
        let duration_ms = (context.clock.now() - started).num_milliseconds();
        tracing::info!(job = J::NAME, duration_ms, "{}: {summary}", J::NAME);
    }
    if !J::EMITS.is_empty() {
        match relay::flush(&context.db, &context.sink, &context.clock, relay::JOB_BUDGET).await {
            Ok(sent) => tracing::info!(
                job = J::NAME,
                events.sent = sent.sent,
                events.failed = sent.failed,
                "{}: {sent}",
                J::NAME
            ),
            Err(error) => tracing::warn!(error = format!("{:#}", anyhow::Error::from(error)), "events stay in the outbox"),
        }
    }
    result.map(drop)
}

/// Gives a job that watches the token ten seconds to end by itself.
async fn stopped_too_long<S>(context: &Context<S>) {
    context.shutdown.cancelled().await;
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
}
