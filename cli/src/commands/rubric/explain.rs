//! `stargate rubric explain`: what an author of rubrics meets. The words of answers are those of `stargate explain`; the evidence
//! document is added.

use std::process::ExitCode;

use stargate_common::evidence::document;

use crate::commands::explain;
use crate::output;

/// Explain a stage, criterion, failure class or reason, or the evidence document that expressions ask.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  stargate rubric explain evidence\n  stargate rubric explain route-ready\n  stargate rubric explain pods_crashlooping"
)]
pub struct Args {
    /// The word, or `evidence`; without it, all words are listed
    #[arg(value_name = "evidence|STAGE|CRITERION|CLASS|REASON")]
    word: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When nothing is known by that word; words like it are named.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.word.as_deref() == Some("evidence") {
        output::text(&document::explain())?;
        return Ok(ExitCode::SUCCESS);
    }
    explain::word(args.word.as_deref())
}
