//! AgnosticV: components with their merged definitions, from the control plane.

mod component;
mod definition;

use clap::Args;

use super::{Collected, Run};

/// Where it is and how to get in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "AgnosticV settings")]
pub struct AgnosticvSettings {
    /// Whether components are read from the control plane of STARGATE_BABYLON_KUBECONFIG.
    #[arg(long = "agnosticv", env = "STARGATE_AGNOSTICV", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub enabled: bool,
}

/// Reads it once. Empty: it is not configured.
pub async fn collect(_settings: &AgnosticvSettings, _run: &Run) -> Vec<Collected> {
    Vec::new()
}
