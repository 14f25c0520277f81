//! What is read of a cluster, and how often: vocabulary of the scan, its manifests and its stored runs.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::objects::Kind;

/// How much of a cluster one run reads. Each tier holds the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The cluster itself; every 5 minutes.
    Cluster,
    /// Also what runs: namespaces, pods, controllers, machines; every 15 minutes.
    Workloads,
    /// Also what the workloads need and serve; every hour.
    Everything,
    /// No tier of `scan`: what a collection of the provisioning systems brought about the instances of a cluster.
    #[value(skip)]
    Provisioning,
}

impl Tier {
    /// Every tier of `scan`, smallest first.
    pub const ALL: [Self; 3] = [Self::Cluster, Self::Workloads, Self::Everything];

    /// The stable kebab-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Workloads => "workloads",
            Self::Everything => "everything",
            Self::Provisioning => "provisioning",
        }
    }

    /// The tier of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut tiers = Self::ALL.into_iter().chain([Self::Provisioning]);
        tiers.find(|tier| tier.as_str() == name)
    }

    /// How often it runs, in seconds. Source: the CronJob manifests of `scan`, which a test compares.
    #[must_use]
    pub const fn interval_s(self) -> i32 {
        match self {
            Self::Cluster => 300,
            Self::Workloads => 900,
            Self::Everything => 3600,
            // As often as Babylon is read.
            Self::Provisioning => 300,
        }
    }

    /// How often a kind is read, in seconds: the interval of the fastest tier that holds it.
    #[must_use]
    pub fn interval_of(kind: Kind) -> i32 {
        // Counted while the pods are read.
        let kind = if kind == Kind::JobBacklog { Kind::Pod } else { kind };
        let tier = Self::ALL.into_iter().find(|tier| tier.kinds().contains(&kind));
        tier.unwrap_or(Self::Everything).interval_s()
    }

    /// The kinds it reads.
    ///
    /// One LIST each, whatever the number of namespaces. Machines are read together with their instances, because they
    /// are judged together. Core endpoints are read only where the cluster has no slices.
    #[must_use]
    pub const fn kinds(self) -> &'static [Kind] {
        const KINDS: [Kind; 24] = [
            Kind::ClusterVersion,
            Kind::Node,
            Kind::NodeMetrics,
            Kind::ClusterOperator,
            Kind::Namespace,
            Kind::Pod,
            Kind::Deployment,
            Kind::StatefulSet,
            Kind::DaemonSet,
            Kind::DeploymentConfig,
            Kind::VirtualMachine,
            Kind::VirtualMachineInstance,
            Kind::Job,
            Kind::Service,
            Kind::EndpointSlice,
            Kind::Endpoints,
            Kind::Route,
            Kind::Ingress,
            Kind::DataVolume,
            Kind::PersistentVolumeClaim,
            Kind::ResourceQuota,
            Kind::InferenceService,
            Kind::Event,
            Kind::Subscription,
        ];
        let (cluster, more) = KINDS.split_at(4);
        match self {
            Self::Cluster => cluster,
            Self::Workloads => KINDS.split_at(4 + more.split_at(8).0.len()).0,
            Self::Everything => &KINDS,
            Self::Provisioning => &[Kind::Subject, Kind::SmokeRun],
        }
    }
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::api::RESOURCES;

    #[test]
    fn tiers_grow_and_the_last_holds_every_kind_that_a_cluster_has() {
        for (smaller, larger) in Tier::ALL.into_iter().zip(Tier::ALL.into_iter().skip(1)) {
            assert!(smaller.kinds().iter().all(|kind| larger.kinds().contains(kind)));
            assert!(smaller.kinds().len() < larger.kinds().len());
        }
        assert!(RESOURCES.iter().all(|resource| Tier::Everything.kinds().contains(&resource.kind)));
        assert_eq!(Tier::Workloads.kinds().last(), Some(&Kind::VirtualMachineInstance));
    }
}
