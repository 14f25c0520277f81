//! Demolition: smoke runs.

use clap::Args;

use super::{Collected, Run};

/// Where it is and how to get in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Demolition settings")]
pub struct DemolitionSettings {
    /// Address of Demolition. Not set: it is disabled.
    #[arg(long = "demolition-url", env = "STARGATE_DEMOLITION_URL", value_name = "URL")]
    pub url: Option<reqwest::Url>,
}

/// Reads it once. Empty: it is not configured.
pub async fn collect(_settings: &DemolitionSettings, _run: &Run) -> Vec<Collected> {
    Vec::new()
}
