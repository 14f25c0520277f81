//! What counts as a new observation of a stage: one of the kinds it rests on was read again.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::objects::{Inventory, Kind, Listing, Meta};
use crate::stage::Stage;

/// The kinds a stage is judged by, its own ones first. What other stages decide (a missing namespace, a cluster that does not answer) is
/// observed there.
#[must_use]
pub const fn kinds(stage: Stage) -> &'static [Kind] {
    match stage {
        Stage::ClusterHealth => &[
            Kind::Node,
            Kind::NodeMetrics,
            Kind::ClusterOperator,
            Kind::ClusterVersion,
            Kind::JobBacklog,
        ],
        Stage::RunCreated | Stage::NamespaceReady => &[Kind::Namespace],
        Stage::ProvisionComplete => &[Kind::Subject],
        Stage::DeploymentReady => &[
            Kind::Pod,
            Kind::Deployment,
            Kind::StatefulSet,
            Kind::DaemonSet,
            Kind::DeploymentConfig,
            Kind::Job,
        ],
        Stage::StorageCloneReady => &[Kind::DataVolume, Kind::PersistentVolumeClaim],
        Stage::RouteReady => &[
            Kind::Route,
            Kind::Ingress,
            Kind::Service,
            Kind::EndpointSlice,
            Kind::Endpoints,
            Kind::Probe,
        ],
        Stage::VmRuntimeReady => &[Kind::VirtualMachine, Kind::VirtualMachineInstance],
        Stage::SmokeTestReady => &[Kind::SmokeRun],
        Stage::ShowroomHealthy => &[Kind::Pod, Kind::Route, Kind::Probe],
        Stage::ModelEndpointReady => &[Kind::InferenceService, Kind::Probe],
    }
}

/// Which objects the workload consists of: uids and generations of pods, controllers and machines. Empty when the pods were not read, for then
/// nobody knows whether they are new.
#[must_use]
pub fn identity(inventory: &Inventory) -> Vec<u8> {
    if inventory.pods.missing.is_some() {
        return Vec::new();
    }
    let mut digest = Digester(Sha256::new());
    digest.add(&inventory.pods, |pod| &pod.metadata);
    digest.add(&inventory.deployments, |controller| &controller.metadata);
    digest.add(&inventory.stateful_sets, |controller| &controller.metadata);
    digest.add(&inventory.daemon_sets, |controller| &controller.metadata);
    digest.add(&inventory.deployment_configs, |controller| &controller.metadata);
    digest.add(&inventory.vmis, |machine| &machine.metadata);
    // Half of it is plenty to tell two rollouts apart, and it is stored with every stage.
    digest.0.finalize().iter().copied().take(16).collect()
}

struct Digester(Sha256);

impl Digester {
    fn add<T>(&mut self, listing: &Listing<T>, metadata: fn(&T) -> &Meta) {
        for item in &listing.items {
            let metadata = metadata(item);
            self.0.update(metadata.uid.as_bytes());
            self.0.update(metadata.generation.unwrap_or_default().to_be_bytes());
        }
        self.0.update([0]);
    }
}

/// When a stage was last observed: the newest reading of a kind it rests on, else `otherwise`.
#[must_use]
pub fn observed_at(stage: Stage, newest_attempt: impl Fn(&[Kind]) -> Option<DateTime<Utc>>, otherwise: DateTime<Utc>) -> DateTime<Utc> {
    newest_attempt(kinds(stage)).unwrap_or(otherwise)
}
