//! A fleet: simulated clusters under one clock.

use std::io;

pub use crate::generate::labs::{Lab, LabKind};
pub use crate::generate::storm::{Storm, is_unhealthy};
use crate::{clock::SimClock, cluster::Cluster, fault::Fault, generate, seed::Seed, serve::Running};

/// Simulated clusters that share a clock and a seed.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The clock all clusters live by.
    pub clock: SimClock,
    /// The clusters, in order of their names.
    pub clusters: Vec<Cluster>,
    /// The labs that were generated, in order of cluster and namespace. Tenants and platform namespaces are not among them.
    pub labs: Vec<Lab>,
}

impl Fleet {
    /// Empty clusters with these names.
    #[must_use]
    pub fn empty(names: &[&str], seed: u64, clock: SimClock) -> Self {
        let seed = Seed::new(seed);
        let mut clusters: Vec<Cluster> = names.iter().map(|name| Cluster::new(name, clock.clone(), &seed)).collect();
        clusters.sort_by(|left, right| left.name().cmp(right.name()));
        Self {
            clock,
            clusters,
            labs: Vec::new(),
        }
    }

    /// Eight clusters with about four hundred labs of every kind, healthy, the same for the same seed.
    #[must_use]
    pub fn demo(seed: u64, clock: SimClock) -> Self {
        generate::demo::fleet(seed, &clock)
    }

    /// One cluster, `bench-1`, with as many labs and pods (up to 3,000 and 60,000 are sensible). Its objects carry managed
    /// fields and weigh what real ones weigh; they take little memory because they are rendered when read.
    #[must_use]
    pub fn bench(seed: u64, namespaces: usize, pods: usize, clock: SimClock) -> Self {
        generate::bench::fleet(seed, namespaces, pods, &clock)
    }

    /// Ten clusters on a bad morning: 27,929 unhealthy pods, 27,298 of them left behind by one clean-up job, 49 broken labs
    /// among the rest. The same for the same seed.
    #[must_use]
    pub fn storm(seed: u64, clock: &SimClock) -> Storm {
        generate::storm::storm(seed, clock)
    }

    /// The cluster with this name.
    #[must_use]
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.name() == name)
    }

    /// Breaks something in a lab now, until [`Fleet::heal`]; an empty namespace is the whole cluster. A [`crate::Scenario`] that plays leaves
    /// the lab alone meanwhile. False when there is no such cluster, nothing in it could break so, or it is broken so already.
    ///
    /// ```
    /// use stargate_sim::{Fault, Fleet, SimClock};
    ///
    /// let fleet = Fleet::demo(42, SimClock::starting_at(chrono::DateTime::UNIX_EPOCH));
    /// let lab = fleet.labs.iter().find(|lab| lab.kind == stargate_sim::LabKind::Showroom).expect("the demo has some");
    /// let fault: Fault = "showroom-pod-down".parse().expect("a fault");
    /// assert!(fleet.inject(&lab.cluster, &lab.namespace, fault));
    /// assert!(fleet.heal(&lab.cluster, &lab.namespace, fault));
    /// ```
    #[must_use]
    pub fn inject(&self, cluster: &str, namespace: &str, fault: Fault) -> bool {
        self.cluster(cluster).is_some_and(|cluster| cluster.inject(namespace, fault))
    }

    /// Undoes a fault; what has to start again takes its time. False when it is not in force there.
    #[must_use]
    pub fn heal(&self, cluster: &str, namespace: &str, fault: Fault) -> bool {
        self.cluster(cluster).is_some_and(|cluster| cluster.heal(namespace, fault))
    }

    /// Serves every cluster on a loopback port.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn serve(&self) -> io::Result<Running> {
        Running::start(&self.clusters).await
    }
}
