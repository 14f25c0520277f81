//! One namespace of a live cluster, read and judged on the spot: no database, nothing stored.
//!
//! Reads only that namespace, so a role in it is enough. Shared by `evaluate` and `gate`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use stargate_common::clock::Clock;
use stargate_common::cluster::ClusterSettings;
use stargate_common::collect::probe::{ProbeSettings, Prober, targets};
use stargate_common::collect::{self, Collected, Tier};
use stargate_common::objects::{NamespaceSelection, Snapshot};

/// How long routes, showrooms and models may take to answer, all together.
const PROBES: Duration = Duration::from_secs(60);

/// Where the namespace is.
#[derive(Debug, Clone, Copy)]
pub struct Live<'a> {
    /// Credentials.
    pub kubeconfig: &'a Path,
    /// The context in it; none is the current one.
    pub context: Option<&'a str>,
    /// Which namespaces.
    pub namespaces: &'a [String],
    /// How they are probed; none leaves out what only a probe knows.
    pub probes: Option<&'a ProbeSettings>,
}

/// What was read, and when.
#[derive(Debug)]
pub struct Looked {
    /// The namespaces, and of the cluster what their reader may see.
    pub snapshot: Snapshot,
    /// When the reading was over: the verdict is as of then.
    pub at: DateTime<Utc>,
}

/// Reads the namespaces now, within `budget`.
///
/// # Errors
/// There is no connection, or the cluster does not answer or refuses the credential.
pub async fn look(live: Live<'_>, budget: Duration) -> anyhow::Result<Looked> {
    let client = ClusterSettings::open(live.kubeconfig, live.context, true).await?;
    let selection = NamespaceSelection::Named(live.namespaces.iter().cloned().collect());
    let clock = Clock::System;
    let Collected { mut snapshot, .. } = collect::cluster(&client, Tier::Everything, selection, &clock, budget).await;
    if let Some(reached) = snapshot
        .cluster
        .reachable
        .as_ref()
        .filter(|reached| !reached.answered || !reached.authorized)
    {
        bail!("cluster {} cannot be read: {}", client.name(), reached.detail);
    }
    if let Some(settings) = live.probes {
        let prober = Prober::new(settings).context("preparing probes")?;
        let probed = prober.run(targets(&snapshot), &clock, PROBES.min(budget)).await;
        probed.attach(&mut snapshot);
    }
    Ok(Looked { snapshot, at: clock.now() })
}
