//! What `stargate up` says while it starts: one line per step, and how long it took.

use std::time::Instant;

use crate::output;

/// Runs one step of the start and says how it went.
///
/// # Errors
/// Those of the step.
pub async fn step<T>(what: &str, work: impl Future<Output = anyhow::Result<(T, String)>>) -> anyhow::Result<T> {
    let begun = Instant::now();
    let mut work = std::pin::pin!(work);
    let mut waited = tokio::time::interval(std::time::Duration::from_secs(5));
    waited.tick().await;
    let (value, said) = loop {
        tokio::select! {
            done = &mut work => break done?,
            // A step that takes long must not look like a step that hangs.
            _ = waited.tick() => output::note(&format!("  {what:<12} still working after {} s", begun.elapsed().as_secs())),
        }
    };
    output::note(&format!("  {what:<12} {said} ({:.1} s)", begun.elapsed().as_secs_f64()));
    Ok(value)
}
