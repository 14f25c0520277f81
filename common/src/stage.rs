//! The eleven readiness stages, in pipeline order.

use serde::{Deserialize, Serialize};

/// One step of readiness. The order of the variants is the order of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Can this cluster carry labs?
    ClusterHealth,
    /// Do we know what we are evaluating?
    RunCreated,
    /// Did Babylon finish and start it?
    ProvisionComplete,
    /// Is the namespace there and usable?
    NamespaceReady,
    /// Are the container workloads up?
    DeploymentReady,
    /// Are the VM disks populated?
    StorageCloneReady,
    /// Can traffic reach a backend?
    RouteReady,
    /// Are the VMs running?
    VmRuntimeReady,
    /// Does the lab do its job?
    SmokeTestReady,
    /// Can the learner read the instructions?
    ShowroomHealthy,
    /// Does the model answer?
    ModelEndpointReady,
}

impl Stage {
    /// All stages in pipeline order.
    pub const ALL: [Self; 11] = [
        Self::ClusterHealth,
        Self::RunCreated,
        Self::ProvisionComplete,
        Self::NamespaceReady,
        Self::DeploymentReady,
        Self::StorageCloneReady,
        Self::RouteReady,
        Self::VmRuntimeReady,
        Self::SmokeTestReady,
        Self::ShowroomHealthy,
        Self::ModelEndpointReady,
    ];

    /// The stable kebab-case name, as in rubrics, events and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClusterHealth => "cluster-health",
            Self::RunCreated => "run-created",
            Self::ProvisionComplete => "provision-complete",
            Self::NamespaceReady => "namespace-ready",
            Self::DeploymentReady => "deployment-ready",
            Self::StorageCloneReady => "storage-clone-ready",
            Self::RouteReady => "route-ready",
            Self::VmRuntimeReady => "vm-runtime-ready",
            Self::SmokeTestReady => "smoke-test-ready",
            Self::ShowroomHealthy => "showroom-healthy",
            Self::ModelEndpointReady => "model-endpoint-ready",
        }
    }

    /// Whether the stage is not judged by the cluster's own objects: its source may not be connected at all, which says nothing of
    /// a lab.
    #[must_use]
    pub const fn is_from_elsewhere(self) -> bool {
        matches!(self, Self::ProvisionComplete | Self::SmokeTestReady)
    }

    /// The stage of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
