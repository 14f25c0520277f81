//! The Sandbox API: placements without credentials, limits, health.

mod metrics;

use clap::Args;

use super::{Collected, Run};

/// Where it is and how to get in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The Sandbox API settings")]
pub struct SandboxApiSettings {
    /// Address of the Sandbox API. Not set: it is disabled.
    #[arg(
        id = "sandbox-api-url",
        long = "sandbox-api-url",
        env = "STARGATE_SANDBOX_API_URL",
        value_name = "URL"
    )]
    pub url: Option<reqwest::Url>,
}

/// Reads it once. Empty: it is not configured.
pub async fn collect(_settings: &SandboxApiSettings, _run: &Run) -> Vec<Collected> {
    Vec::new()
}
