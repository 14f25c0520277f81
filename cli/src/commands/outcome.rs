//! `stargate outcome`: what a pipeline run came to, as a small file that people and other systems can read.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use stargate_common::clock::Clock;

/// Write what a pipeline run came to.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  stargate outcome --run promote-x7k2f --subject netbasics --status Failed --gate Failed reports/outcome.json"
)]
pub struct Args {
    /// File to write
    file: PathBuf,
    /// Name of the run
    #[arg(long)]
    run: String,
    /// What it was about
    #[arg(long)]
    subject: String,
    /// How it ended, in the words of the pipeline: Succeeded, Failed, Completed, None
    #[arg(long)]
    status: String,
    /// How the task that gates ended, in the same words
    #[arg(long)]
    gate: String,
}

/// Runs the command.
///
/// # Errors
/// When the file cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Args {
        file,
        run,
        subject,
        status,
        gate,
    } = args;
    let outcome = json!({
        "run": run,
        "subject": subject,
        "status": status,
        "gate": gate,
        // Completed means that a task was skipped; whether the gate let the run pass is what counts.
        "passed": matches!(status.as_str(), "Succeeded" | "Completed") && gate == "Succeeded",
        "at": Clock::System.now(),
    });
    std::fs::write(file, format!("{outcome:#}\n")).with_context(|| format!("writing {}", file.display()))?;
    Ok(ExitCode::SUCCESS)
}
