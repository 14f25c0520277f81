//! AAP controllers: jobs and the tasks that failed them.

mod controllers;
mod failure;
pub mod known;
mod name;
mod wire;

use clap::Args;

use super::{Collected, Run};

/// Where it is and how to get in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "AAP controllers settings")]
pub struct AapSettings {
    /// File that lists the controllers. Not set: AAP is disabled.
    #[arg(long = "aap-controllers", env = "STARGATE_AAP_CONTROLLERS", value_name = "FILE")]
    pub controllers: Option<std::path::PathBuf>,
}

/// Reads it once. Empty: it is not configured.
pub async fn collect(_settings: &AapSettings, _run: &Run) -> Vec<Collected> {
    Vec::new()
}
