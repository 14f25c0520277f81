//! Anarchy, Poolboy, the catalog and workshops, over the Kubernetes API of the control plane.

use clap::Args;

use super::{Collected, Run};

/// Where it is and how to get in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Anarchy settings")]
pub struct BabylonSettings {
    /// Kubeconfig of the control plane that runs Anarchy and Poolboy. Not set: Babylon is disabled.
    #[arg(long = "babylon-kubeconfig", env = "STARGATE_BABYLON_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<std::path::PathBuf>,
}

/// Reads it once. Empty: it is not configured.
pub async fn collect(_settings: &BabylonSettings, _run: &Run) -> Vec<Collected> {
    Vec::new()
}
