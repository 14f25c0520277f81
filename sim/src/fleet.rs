//! A fleet: simulated clusters under one clock.

use std::io;

use crate::{clock::SimClock, cluster::Cluster, seed::Seed, serve::Running};

/// Simulated clusters that share a clock and a seed.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The clock all clusters live by.
    pub clock: SimClock,
    /// The clusters, in order of their names.
    pub clusters: Vec<Cluster>,
}

impl Fleet {
    /// Empty clusters with these names.
    #[must_use]
    pub fn empty(names: &[&str], seed: u64, clock: SimClock) -> Self {
        let seed = Seed::new(seed);
        let mut clusters: Vec<Cluster> = names.iter().map(|name| Cluster::new(name, clock.clone(), &seed)).collect();
        clusters.sort_by(|left, right| left.name().cmp(right.name()));
        Self { clock, clusters }
    }

    /// The cluster with this name.
    #[must_use]
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.name() == name)
    }

    /// Serves every cluster on a loopback port.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn serve(&self) -> io::Result<Running> {
        Running::start(&self.clusters).await
    }
}
