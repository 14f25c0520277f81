//! `stargate rubric explain`: what rubrics may ask.

use std::process::ExitCode;

use clap::ValueEnum;
use stargate_common::evidence::document;

use crate::output;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to explain
    topic: Topic,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Topic {
    /// The evidence document: variables and fields for `expr:` criteria and conditions
    Evidence,
}

/// Runs the command.
///
/// # Errors
/// Standard output that does not take it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match args.topic {
        Topic::Evidence => output::text(&document::explain())?,
    }
    Ok(ExitCode::SUCCESS)
}
