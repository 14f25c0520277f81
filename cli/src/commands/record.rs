//! `stargate record`: the objects of a live cluster as files, secrets removed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use stargate_common::clock::Clock;
use stargate_common::cluster::ClusterSettings;
use stargate_common::collect::record;
use stargate_common::objects::NamespaceSelection;

use crate::api::runtime;
use crate::output;

/// Write the objects of live clusters to a directory that `stargate evaluate --from` reads. Secrets are left out.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  stargate record --kubeconfig ~/.kube/config recording
  stargate record --kubeconfig-dir ~/clusters --namespace sandbox-m4x8d-webshop recording
  stargate evaluate --from recording")]
pub struct Args {
    /// Directory to write to; it is made when it is not there
    directory: PathBuf,
    /// Only this namespace; may be repeated. By default all lab namespaces
    #[arg(long, short, value_name = "NAME")]
    namespace: Vec<String>,
    /// Seconds one cluster may take
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    budget_s: u64,
    #[command(flatten)]
    clusters: ClusterSettings,
}

/// Runs the command.
///
/// # Errors
/// When there is no cluster, a cluster cannot be reached, or files cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.clusters.kubeconfig.is_none() && args.clusters.kubeconfig_dir.is_none() {
        bail!("which clusters? Set --kubeconfig FILE, --kubeconfig-dir DIR or STARGATE_KUBECONFIG_DIR");
    }
    let selection = if args.namespace.is_empty() {
        NamespaceSelection::default()
    } else {
        NamespaceSelection::Named(args.namespace.iter().cloned().collect())
    };
    runtime()?.block_on(async {
        for (name, connection) in args.clusters.connect().await? {
            let client = connection.with_context(|| format!("cluster {name}"))?;
            let budget = Duration::from_secs(args.budget_s);
            let recorded = record::record(&client, selection.clone(), &Clock::System, budget, &args.directory).await?;
            for problem in &recorded.problems {
                output::note(&format!("problem  {}: {}", problem.subject, problem.detail));
            }
            output::note(&format!(
                "{}: {} namespaces, {} objects",
                recorded.path.display(),
                recorded.namespaces,
                recorded.objects
            ));
        }
        Ok(ExitCode::SUCCESS)
    })
}
