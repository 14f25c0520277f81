//! Labs of every kind, healthy, with the noise that real ones have.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::{
    cluster::State,
    control::derive,
    kinds::Kind,
    objects::{name, number, pod::is_finished, text},
    seed::Seed,
    yard::{Container, Termination, Yard},
};

/// What a lab is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LabKind {
    /// Workloads in containers.
    Container,
    /// Virtual machines.
    Machine,
    /// Both.
    ContainerAndMachine,
    /// A served model.
    Model,
    /// Only instructions, for a lab that runs elsewhere.
    Showroom,
    /// A cluster made of virtual machines.
    NestedCluster,
}

impl LabKind {
    /// Every kind.
    pub const ALL: [LabKind; 6] = [
        Self::Container,
        Self::Machine,
        Self::ContainerAndMachine,
        Self::Model,
        Self::Showroom,
        Self::NestedCluster,
    ];

    /// Names of the catalog bases that labs of this kind are made from; namespaces end in them.
    pub(crate) fn bases(self) -> &'static [&'static str] {
        match self {
            Self::Container => &["quickstart", "webshop", "gitops-basics", "devspaces", "pipelines", "serverless"],
            Self::Machine => &["cnv-rhel", "cnv-winbasics", "cnv-migration", "cnv-netlab"],
            Self::ContainerAndMachine => &["zt-rhelbu", "zt-ansiblebu", "zt-ocpbu"],
            Self::Model => &["llm-serving", "rag-workshop"],
            Self::Showroom => &["showroom"],
            Self::NestedCluster => &["ocp4-cluster", "ocp4-sno"],
        }
    }
}

/// A lab of a generated fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lab {
    /// Cluster that it runs on.
    pub cluster: String,
    /// Its namespace.
    pub namespace: String,
    /// Its guid.
    pub guid: String,
    /// What it is made of.
    pub kind: LabKind,
    /// When it was made.
    pub created: DateTime<Utc>,
}

/// Invents a lab.
pub(crate) fn invent(cluster: &str, kind: LabKind, created: DateTime<Utc>, seed: &mut Seed) -> Lab {
    let guid = seed.guid();
    let base = seed.pick(kind.bases(), "quickstart");
    called(cluster, kind, guid, base, created, seed)
}

/// Invents a lab of a catalog base.
pub(crate) fn invent_of(cluster: &str, kind: LabKind, base: &str, created: DateTime<Utc>, seed: &mut Seed) -> Lab {
    let guid = seed.guid();
    called(cluster, kind, guid, base, created, seed)
}

fn called(cluster: &str, kind: LabKind, guid: String, base: &str, created: DateTime<Utc>, seed: &mut Seed) -> Lab {
    let namespace = match kind {
        LabKind::Showroom if seed.chance(50) => format!("user-{guid}-showroom"),
        LabKind::Showroom => format!("showroom-{guid}"),
        _ => format!("sandbox-{guid}-{base}"),
    };
    Lab {
        cluster: cluster.to_owned(),
        namespace,
        guid,
        kind,
        created,
    }
}

/// Builds a lab in its cluster.
pub(crate) fn build(state: &mut State, lab: &Lab, seed: &mut Seed) {
    let mut yard = Yard {
        state,
        namespace: &lab.namespace,
        at: lab.created,
    };
    yard.open(&json!({}));
    if lab.kind != LabKind::Showroom {
        let service_uuid = seed.uuid();
        yard.sandbox_labels(&lab.guid, &service_uuid);
    }
    fill(&mut yard, lab.kind, seed);
    noise(&mut yard, lab.kind, seed);
    yard.close();
}

/// What every lab of a kind has, with chance deciding on size.
pub(crate) fn fill(yard: &mut Yard<'_>, kind: LabKind, seed: &mut Seed) {
    match kind {
        LabKind::Container => {
            yard.deployment("web", seed.between(1, 2)).service("web", 8080).route("web", "web");
            if seed.chance(60) {
                yard.deployment("api", 1).service("api", 8080);
            }
            if seed.chance(40) {
                yard.stateful_set("postgres", 1).service("postgres", 5432);
            }
            if seed.chance(15) {
                yard.deployment_config("legacy", 1)
                    .service("legacy", 8080)
                    .route("legacy", "legacy");
            }
            // Hardly any lab goes without its instructions; what was ordered has them.
            if seed.chance(96) {
                yard.showroom();
            }
        }
        LabKind::Machine => {
            for (name, os) in [("node1", "rhel"), ("node2", "rhel"), ("router", "appliance")]
                .into_iter()
                .take(1 + seed.below(3))
            {
                machine_with_service(yard, name, os);
            }
            yard.route("node1-console", "node1");
            if seed.chance(50) {
                yard.showroom();
            }
        }
        LabKind::ContainerAndMachine => {
            machine_with_service(yard, "rhel", if seed.chance(70) { "rhel" } else { "appliance" });
            yard.deployment("gitea", 1).service("gitea", 8080).route("gitea", "gitea");
            yard.showroom();
        }
        LabKind::Model => {
            yard.claim("model-cache", "80Gi").inference_service("granite");
            yard.deployment("chat", 1).service("chat", 8080).route("chat", "chat");
        }
        LabKind::Showroom => {
            yard.showroom();
        }
        LabKind::NestedCluster => {
            for name in ["bastion", "control-plane-1", "worker-1"]
                .into_iter()
                .chain(seed.chance(50).then_some("worker-2"))
            {
                machine_with_service(yard, name, if name == "bastion" { "rhel" } else { "appliance" });
            }
            yard.route_with("api", "control-plane-1", Termination::Passthrough)
                .route_with("console", "worker-1", Termination::Passthrough);
        }
    }
}

fn machine_with_service(yard: &mut Yard<'_>, name: &str, os: &str) {
    yard.machine(name, os)
        .service_for(name, &json!({"kubevirt.io/domain": name}), 443, true);
}

/// What real labs have besides: finished jobs and builds, a pod that somebody forgot, services that nobody routes to.
fn noise(yard: &mut Yard<'_>, kind: LabKind, seed: &mut Seed) {
    if seed.chance(25) {
        yard.job("seed-data", true);
    }
    if kind == LabKind::Container && seed.chance(15) {
        yard.cron_job("nightly-backup");
    }
    if kind == LabKind::Container && seed.chance(25) {
        yard.build("web", 1).build("web", 2);
    }
    // Where nothing else runs in pods, nobody could tell a pod that somebody forgot from the lab itself.
    if seed.chance(5) && !matches!(kind, LabKind::Machine | LabKind::NestedCluster) {
        yard.stray_pod("debug-tools");
    }
    if seed.chance(30) {
        yard.service_for("metrics", &json!({"app": "metrics-exporter"}), 9100, false);
    }
    if kind == LabKind::Container && seed.chance(10) {
        yard.deployment_of("nightly", 0, &[], &[Container::new("nightly", "nightly:1", None)], &[]);
    }
    if matches!(kind, LabKind::Machine | LabKind::NestedCluster) && seed.chance(10) {
        yard.halted_machine("spare");
    }
}

/// Orders a lab: what a deployer writes is there, nothing of what controllers make of it.
pub(crate) fn provision(state: &mut State, lab: &Lab, seed: &mut Seed) {
    build(state, lab, seed);
    let (namespace, now) = (lab.namespace.as_str(), lab.created);
    for volume in derive::values(state, Kind::DataVolume, namespace, now) {
        state.store.remove(Kind::PersistentVolumeClaim, namespace, name(&volume), now);
    }
    for kind in [
        Kind::Pod,
        Kind::ReplicaSet,
        Kind::VirtualMachineInstance,
        Kind::DataVolume,
        Kind::EndpointSlice,
        Kind::Endpoints,
        Kind::Job,
        Kind::Build,
    ] {
        for object in derive::values(state, kind, namespace, now) {
            state.store.remove(kind, namespace, name(&object), now);
        }
    }
    for kind in [
        Kind::Deployment,
        Kind::StatefulSet,
        Kind::DeploymentConfig,
        Kind::VirtualMachine,
        Kind::InferenceService,
    ] {
        for mut object in derive::values(state, kind, namespace, now) {
            let url = object["status"]["url"].clone();
            object["status"] = json!({});
            if !url.is_null() {
                object["status"]["url"] = url;
            }
            state.store.put(kind, object, now);
        }
    }
    state.store.take_removed_uids(namespace);
}

/// Stops a lab the way the platform does: replicas and machines down, with annotations to find the way back.
pub(crate) fn stop(state: &mut State, namespace: &str, now: DateTime<Utc>) {
    for kind in [Kind::Deployment, Kind::StatefulSet] {
        for mut workload in derive::values(state, kind, namespace, now) {
            let replicas = number(&workload, "/spec/replicas", 1);
            if replicas > 0 {
                workload["metadata"]["annotations"]["sandbox.redhat.com/original-replicas"] = json!(replicas.to_string());
                workload["spec"]["replicas"] = json!(0);
                state.store.put(kind, workload, now);
            }
        }
    }
    for mut set in derive::values(state, Kind::ReplicaSet, namespace, now) {
        set["spec"]["replicas"] = json!(0);
        state.store.put(Kind::ReplicaSet, set, now);
    }
    for mut machine in derive::values(state, Kind::VirtualMachine, namespace, now) {
        if machine["spec"]["runStrategy"] != "Halted" {
            machine["metadata"]["annotations"]["sandbox.redhat.com/original-run-strategy"] = machine["spec"]["runStrategy"].clone();
            machine["spec"]["runStrategy"] = json!("Halted");
        }
        state.store.remove(Kind::VirtualMachineInstance, namespace, name(&machine), now);
        state.store.put(Kind::VirtualMachine, machine, now);
    }
    // The platform knows nothing of deployment configs, so their pods stay.
    for pod in derive::values(state, Kind::Pod, namespace, now) {
        let owner = text(&pod, "/metadata/ownerReferences/0/kind");
        if !is_finished(&pod) && matches!(owner, "ReplicaSet" | "StatefulSet" | "VirtualMachineInstance") {
            state.store.remove(Kind::Pod, namespace, name(&pod), now);
        }
    }
    derive::namespace(state, namespace, now);
}

/// Starts a lab that was stopped, by what [`stop`] left behind.
pub(crate) fn start(state: &mut State, namespace: &str, now: DateTime<Utc>) {
    for kind in [Kind::Deployment, Kind::StatefulSet] {
        for mut workload in derive::values(state, kind, namespace, now) {
            let taken = workload
                .pointer_mut("/metadata/annotations")
                .and_then(serde_json::Value::as_object_mut)
                .and_then(|annotations| annotations.remove("sandbox.redhat.com/original-replicas"));
            let replicas = taken.and_then(|replicas| replicas.as_str()?.parse::<i64>().ok());
            if let Some(replicas) = replicas {
                workload["spec"]["replicas"] = json!(replicas);
                state.store.put(kind, workload, now);
            }
        }
    }
    for mut machine in derive::values(state, Kind::VirtualMachine, namespace, now) {
        let taken = machine
            .pointer_mut("/metadata/annotations")
            .and_then(serde_json::Value::as_object_mut)
            .and_then(|annotations| annotations.remove("sandbox.redhat.com/original-run-strategy"));
        if let Some(strategy) = taken {
            machine["spec"]["runStrategy"] = strategy;
            state.store.put(Kind::VirtualMachine, machine, now);
        }
    }
}
