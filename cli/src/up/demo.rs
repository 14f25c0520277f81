//! The simulated fleet of `stargate up` without credentials.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::TimeDelta;
use stargate_common::cluster::ClusterSettings;
use stargate_common::collect::probe::{Override, ProbeSettings};
use stargate_sim::{Fleet, Running, Scenario, SimClock};

/// A fleet that lives in this process, behind real sockets and kubeconfigs.
#[derive(Debug)]
pub struct Demo {
    fleet: Fleet,
    running: Running,
    kubeconfigs: PathBuf,
}

impl Demo {
    /// Makes the fleet, serves it, and writes a kubeconfig for each cluster. Also says what it made.
    ///
    /// # Errors
    /// When no port is to be had or the kubeconfigs cannot be written.
    pub async fn start(seed: u64, data_dir: &Path) -> anyhow::Result<(Self, String)> {
        let fleet = Fleet::demo(seed, SimClock::following_real_time(TimeDelta::zero()));
        let mut running = fleet.serve().await.context("serving the simulated clusters")?;
        // Faults come and go, labs arrive and leave, from now on.
        running.play(Scenario::new(&fleet, seed));
        let kubeconfigs = data_dir.join("demo").join("kubeconfigs");
        std::fs::create_dir_all(&kubeconfigs).with_context(|| format!("creating {}", kubeconfigs.display()))?;
        running
            .write_kubeconfigs(&kubeconfigs)
            .with_context(|| format!("writing kubeconfigs to {}", kubeconfigs.display()))?;
        let said = format!("{} simulated clusters, {} lab namespaces", fleet.clusters.len(), fleet.labs.len());
        Ok((
            Self {
                fleet,
                running,
                kubeconfigs,
            },
            said,
        ))
    }

    /// How the clusters' routes are reached: there is no name service for them.
    pub fn probes(&self) -> ProbeSettings {
        let overrides = self.fleet.clusters.iter().filter_map(|cluster| {
            let address = self.running.probe_address(&format!("any.{}", cluster.domain()))?;
            Some(Override {
                domain: cluster.domain(),
                address,
            })
        });
        ProbeSettings {
            overrides: overrides.collect(),
            ..ProbeSettings::default()
        }
    }

    /// Where the clusters' credentials are.
    pub fn clusters(&self) -> ClusterSettings {
        ClusterSettings {
            kubeconfig_dir: Some(self.kubeconfigs.clone()),
            kubeconfig: None,
            ssl_verify: true,
            ..ClusterSettings::default()
        }
    }

    /// Stops serving.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}
