//! Labagator: labs and their sessions.

use clap::Args;

use super::{Collected, Run};

/// Where it is and how to get in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Labagator settings")]
pub struct LabagatorSettings {
    /// Address of Labagator, usually ending in /api/v1. Not set: it is disabled.
    #[arg(long = "labagator-url", env = "STARGATE_LABAGATOR_URL", value_name = "URL")]
    pub url: Option<reqwest::Url>,
}

/// Reads it once. Empty: it is not configured.
pub async fn collect(_settings: &LabagatorSettings, _run: &Run) -> Vec<Collected> {
    Vec::new()
}
