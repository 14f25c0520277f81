//! Builders of healthy objects. A test states only what differs:
//! `deployment("worker").ready(0).unavailable_since(ago(minutes(40)))`.
//!
//! Everything was created [`AGE`] before [`now`] unless a test says otherwise.

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Declared, Intent, Lifecycle, Settle, StageEvidence, View};
use crate::evaluate::rubric::RubricSet;
use crate::objects::network::{
    Certificate, Content, Endpoint, EndpointAddress, EndpointConditions, EndpointSubset, IngressBackend, IngressPath, IngressRule,
    ObjectName, RouteBackend, RouteIngress, RouteTls,
};
use crate::objects::virt::{DataVolumeRef, DataVolumeTemplate, PhaseTransition, VmVolume};
use crate::objects::workload::{
    ClaimRef, ContainerState, ContainerStatus, NamespaceStatus, ObjectRef, PodVolume, Running, Terminated, Waiting,
};
use crate::objects::{
    ClusterInventory, Condition, DaemonSet, DataVolume, Deployment, DeploymentConfig, EndpointSlice, Endpoints, InferenceService, Ingress,
    Inventory, Job, Listing, Meta, Namespace, Owner, PersistentVolumeClaim, Pod, Probe, ProbeKind, Route, Service, SmokeRun, StatefulSet,
    VirtualMachine, VirtualMachineInstance, WarningEvent,
};

/// Age of everything that does not say otherwise.
pub const AGE: TimeDelta = TimeDelta::hours(3);

/// The time of every test.
#[must_use]
pub fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_600)
}

/// A moment before [`now`].
#[must_use]
pub fn ago(age: TimeDelta) -> DateTime<Utc> {
    now() - age
}

/// Minutes.
#[must_use]
pub const fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

/// Hours.
#[must_use]
pub const fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

/// Everything a stage looks at, owned.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// Evaluation time.
    pub now: DateTime<Utc>,
    /// The namespace's objects.
    pub inventory: Inventory,
    /// The cluster's objects.
    pub cluster: ClusterInventory,
    /// What the definition declares.
    pub declared: Declared,
    /// What the service should do.
    pub lifecycle: Lifecycle,
    /// How long things may be on their way.
    pub settle: Settle,
}

/// The budgets of the shipped rubrics.
static SHIPPED_SETTLE: LazyLock<Settle> = LazyLock::new(|| RubricSet::embedded().map(|set| set.settle).unwrap_or_default());

impl World {
    /// An active namespace in which every list was read to its end and holds nothing. Nobody told us an intent, nobody
    /// probed, and core endpoints are not read beside slices.
    #[must_use]
    pub fn new() -> Self {
        fn none<T>() -> Listing<T> {
            Listing::complete(Vec::new())
        }
        let namespace = Namespace {
            metadata: meta("sandbox-q7f2k-netbasics"),
            status: NamespaceStatus {
                phase: "Active".to_owned(),
                conditions: Vec::new(),
            },
        };
        Self {
            now: now(),
            inventory: Inventory {
                name: namespace.metadata.name.clone(),
                namespace: Listing::complete(vec![namespace]),
                pods: none(),
                deployments: none(),
                stateful_sets: none(),
                daemon_sets: none(),
                deployment_configs: none(),
                jobs: none(),
                services: none(),
                endpoint_slices: none(),
                endpoints: Listing::default(),
                routes: none(),
                ingresses: none(),
                vms: none(),
                vmis: none(),
                data_volumes: none(),
                claims: none(),
                quotas: none(),
                inference_services: none(),
                events: none(),
                probes: Listing::default(),
                subjects: none(),
                smoke_runs: none(),
            },
            cluster: ClusterInventory::default(),
            declared: Declared::default(),
            lifecycle: Lifecycle::default(),
            settle: *SHIPPED_SETTLE,
        }
    }

    /// What a stage gets to see.
    #[must_use]
    pub const fn view(&self) -> View<'_> {
        View {
            now: self.now,
            inventory: &self.inventory,
            cluster: &self.cluster,
            declared: &self.declared,
            lifecycle: &self.lifecycle,
            settle: &self.settle,
        }
    }

    /// The same with that intent, entered that long ago.
    #[must_use]
    pub fn intent(mut self, intent: Intent, since: TimeDelta) -> Self {
        self.lifecycle.intent = intent;
        self.lifecycle.since = Some(self.now - since);
        self
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! holds {
    ($($(#[$doc:meta])* $field:ident: $type:ty),* $(,)?) => {
        impl World {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $field(mut self, items: impl IntoIterator<Item = $type>) -> Self {
                    self.inventory.$field.items.extend(items);
                    self
                }
            )*
        }
    };
}

holds! {
    /// Adds pods.
    pods: Pod,
    /// Adds Deployments.
    deployments: Deployment,
    /// Adds StatefulSets.
    stateful_sets: StatefulSet,
    /// Adds DaemonSets.
    daemon_sets: DaemonSet,
    /// Adds DeploymentConfigs.
    deployment_configs: DeploymentConfig,
    /// Adds Jobs.
    jobs: Job,
    /// Adds Services.
    services: Service,
    /// Adds EndpointSlices.
    endpoint_slices: EndpointSlice,
    /// Adds core endpoints.
    endpoints: Endpoints,
    /// Adds Routes.
    routes: Route,
    /// Adds Ingresses.
    ingresses: Ingress,
    /// Adds VMs.
    vms: VirtualMachine,
    /// Adds VMIs.
    vmis: VirtualMachineInstance,
    /// Adds DataVolumes.
    data_volumes: DataVolume,
    /// Adds claims.
    claims: PersistentVolumeClaim,
    /// Adds InferenceServices.
    inference_services: InferenceService,
    /// Adds warning events.
    events: WarningEvent,
    /// Adds probes.
    probes: Probe,
    /// Adds smoke runs.
    smoke_runs: SmokeRun,
}

/// Metadata of that name, [`AGE`] old.
#[must_use]
pub fn meta(name: &str) -> Meta {
    Meta {
        name: name.to_owned(),
        creation_timestamp: Some(ago(AGE)),
        ..Meta::default()
    }
}

/// A condition that took its status [`AGE`] ago.
#[must_use]
pub fn condition(kind: &str, status: &str, reason: &str) -> Condition {
    Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: String::new(),
        last_transition_time: Some(ago(AGE)),
    }
}

/// A controlling owner.
#[must_use]
pub fn owner(kind: &str, name: &str) -> Owner {
    Owner {
        kind: kind.to_owned(),
        name: name.to_owned(),
        controller: true,
    }
}

fn set(conditions: &mut Vec<Condition>, condition: Condition) {
    conditions.retain(|old| old.kind != condition.kind);
    conditions.push(condition);
}

macro_rules! objects {
    ($($type:ty),* $(,)?) => {
        $(
            impl $type {
                /// Created that long ago.
                #[must_use]
                pub fn age(mut self, age: TimeDelta) -> Self {
                    self.metadata.creation_timestamp = Some(ago(age));
                    self
                }

                /// With a label.
                #[must_use]
                pub fn label(mut self, key: &str, value: &str) -> Self {
                    self.metadata.labels.insert(key.to_owned(), value.to_owned());
                    self
                }

                /// With an annotation.
                #[must_use]
                pub fn annotated(mut self, key: &str, value: &str) -> Self {
                    self.metadata.annotations.insert(key.to_owned(), value.to_owned());
                    self
                }

                /// Owned, and controlled, by that object.
                #[must_use]
                pub fn owned_by(mut self, kind: &str, name: &str) -> Self {
                    self.metadata.owner_references.push(owner(kind, name));
                    self
                }

                /// With a deletion timestamp that long ago.
                #[must_use]
                pub fn deleted(mut self, ago_: TimeDelta) -> Self {
                    self.metadata.deletion_timestamp = Some(ago(ago_));
                    self
                }
            }
        )*
    };
}

objects!(
    Pod,
    Deployment,
    StatefulSet,
    DaemonSet,
    DeploymentConfig,
    Job,
    Service,
    Route,
    Ingress,
    VirtualMachine,
    VirtualMachineInstance,
    DataVolume,
    PersistentVolumeClaim,
    InferenceService,
    Namespace,
);

macro_rules! replicated {
    ($($type:ty),* $(,)?) => {
        $(
            impl $type {
                /// That many replicas wanted and ready.
                #[must_use]
                pub fn replicas(mut self, replicas: i64) -> Self {
                    self.spec.replicas = Some(replicas);
                    self.status.replicas = replicas;
                    self.status.ready_replicas = replicas;
                    self
                }

                /// That many replicas ready.
                #[must_use]
                pub fn ready(mut self, ready: i64) -> Self {
                    self.status.ready_replicas = ready;
                    self
                }

                /// With that condition instead of the present one of its type.
                #[must_use]
                pub fn with(mut self, condition: Condition) -> Self {
                    set(&mut self.status.conditions, condition);
                    self
                }

                /// With metadata generation `generation`, of which `observed` was acted upon.
                #[must_use]
                pub fn generation(mut self, generation: i64, observed: i64) -> Self {
                    self.metadata.generation = Some(generation);
                    self.status.observed_generation = Some(observed);
                    self
                }
            }
        )*
    };
}

replicated!(Deployment, StatefulSet, DeploymentConfig);

/// A Deployment with one ready replica.
#[must_use]
pub fn deployment(name: &str) -> Deployment {
    Deployment {
        metadata: meta(name),
        ..Deployment::default()
    }
    .replicas(1)
    .generation(1, 1)
    .with(condition("Progressing", "True", "NewReplicaSetAvailable"))
    .with(condition("Available", "True", "MinimumReplicasAvailable"))
}

/// A StatefulSet with one ready replica.
#[must_use]
pub fn stateful_set(name: &str) -> StatefulSet {
    StatefulSet {
        metadata: meta(name),
        ..StatefulSet::default()
    }
    .replicas(1)
}

/// A DeploymentConfig with one ready replica.
#[must_use]
pub fn deployment_config(name: &str) -> DeploymentConfig {
    DeploymentConfig {
        metadata: meta(name),
        ..DeploymentConfig::default()
    }
    .replicas(1)
}

/// A DaemonSet that is ready on that many of the nodes it wants.
#[must_use]
pub fn daemon_set(name: &str, ready: i64, desired: i64) -> DaemonSet {
    let mut it = DaemonSet {
        metadata: meta(name),
        ..DaemonSet::default()
    };
    it.status.desired_number_scheduled = desired;
    it.status.number_ready = ready;
    it
}

/// A Job that completed.
#[must_use]
pub fn job(name: &str) -> Job {
    let mut it = Job {
        metadata: meta(name),
        ..Job::default()
    };
    it.status.succeeded = 1;
    it.status.completion_time = Some(ago(AGE));
    it.status.conditions = vec![condition("Complete", "True", "")];
    it
}

impl Job {
    /// Failed that long ago instead.
    #[must_use]
    pub fn failed(mut self, age: TimeDelta) -> Self {
        self.status.succeeded = 0;
        self.status.completion_time = None;
        self.status.conditions = vec![Condition {
            last_transition_time: Some(ago(age)),
            ..condition("Failed", "True", "BackoffLimitExceeded")
        }];
        self
    }
}

/// A pod without owner: running, ready, one container `app`.
#[must_use]
pub fn pod(name: &str) -> Pod {
    let mut it = Pod {
        metadata: meta(name),
        ..Pod::default()
    };
    it.spec.node_name = Some("node-1".to_owned());
    it.status.phase = "Running".to_owned();
    it.status.conditions = vec![condition("PodScheduled", "True", ""), condition("Ready", "True", "")];
    it.status.container_statuses = vec![ContainerStatus {
        name: "app".to_owned(),
        ready: true,
        state: ContainerState {
            running: Some(Running {
                started_at: Some(ago(AGE)),
            }),
            ..ContainerState::default()
        },
        ..ContainerStatus::default()
    }];
    it
}

/// A pod of a Deployment, through a ReplicaSet of that template hash.
#[must_use]
pub fn pod_of(deployment: &str, hash: &str) -> Pod {
    pod(&format!("{deployment}-{hash}-x2x4z"))
        .label("pod-template-hash", hash)
        .owned_by("ReplicaSet", &format!("{deployment}-{hash}"))
}

/// A container that ended with that exit code a minute ago.
#[must_use]
pub fn ended(reason: &str, exit_code: i64) -> ContainerState {
    ContainerState {
        terminated: Some(Terminated {
            reason: reason.to_owned(),
            exit_code,
            finished_at: Some(ago(minutes(1))),
            ..Terminated::default()
        }),
        ..ContainerState::default()
    }
}

/// A container that waits.
#[must_use]
pub fn waiting(reason: &str, message: &str) -> ContainerState {
    ContainerState {
        waiting: Some(Waiting {
            reason: reason.to_owned(),
            message: message.to_owned(),
        }),
        ..ContainerState::default()
    }
}

impl Pod {
    /// In another phase, for that reason.
    #[must_use]
    pub fn phase(mut self, phase: &str, reason: &str) -> Self {
        self.status.phase = phase.to_owned();
        self.status.reason = reason.to_owned();
        set(&mut self.status.conditions, condition("Ready", "False", ""));
        self
    }

    /// Running, not ready since creation.
    #[must_use]
    pub fn unready(mut self) -> Self {
        let condition = Condition {
            last_transition_time: self.metadata.creation_timestamp,
            ..condition("Ready", "False", "ContainersNotReady")
        };
        set(&mut self.status.conditions, condition);
        for status in &mut self.status.container_statuses {
            status.ready = false;
        }
        self
    }

    /// Its container waits for that reason; the pod is not ready.
    #[must_use]
    pub fn waits(self, reason: &str, message: &str) -> Self {
        let mut pod = self.unready();
        for status in &mut pod.status.container_statuses {
            status.state = waiting(reason, message);
        }
        pod
    }

    /// Its container is in back-off after that many restarts and that end.
    #[must_use]
    pub fn crash_loops(self, restarts: i64, reason: &str, exit_code: i64) -> Self {
        let mut pod = self.waits("CrashLoopBackOff", "back-off restarting failed container");
        for status in &mut pod.status.container_statuses {
            status.restart_count = restarts;
            status.last_state = ended(reason, exit_code);
        }
        pod
    }

    /// No node takes it.
    #[must_use]
    pub fn unschedulable(self, message: &str) -> Self {
        let mut pod = self.unready();
        pod.status.phase = "Pending".to_owned();
        pod.spec.node_name = None;
        pod.status.container_statuses.clear();
        let scheduled = Condition {
            message: message.to_owned(),
            last_transition_time: pod.metadata.creation_timestamp,
            ..condition("PodScheduled", "False", "Unschedulable")
        };
        set(&mut pod.status.conditions, scheduled);
        pod
    }

    /// Mounts a claim.
    #[must_use]
    pub fn mounts(mut self, claim: &str) -> Self {
        self.spec.volumes.push(PodVolume {
            persistent_volume_claim: Some(ClaimRef {
                claim_name: claim.to_owned(),
            }),
        });
        self
    }
}

/// The signals of a stage as lines for people.
#[must_use]
pub fn told(evidence: &StageEvidence) -> Vec<String> {
    evidence.signals.iter().map(ToString::to_string).collect()
}

/// A warning event about an object, seen that long ago.
#[must_use]
pub fn event(kind: &str, name: &str, reason: &str, message: &str, age: TimeDelta) -> WarningEvent {
    WarningEvent {
        metadata: meta(&format!("{name}.{reason}")),
        kind: "Warning".to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        involved_object: ObjectRef {
            kind: kind.to_owned(),
            name: name.to_owned(),
        },
        last_timestamp: Some(ago(age)),
        ..WarningEvent::default()
    }
}

/// A Service that selects pods labelled `app=<name>`.
#[must_use]
pub fn service(name: &str) -> Service {
    let mut it = Service {
        metadata: meta(name),
        ..Service::default()
    };
    it.spec.kind = "ClusterIP".to_owned();
    it.spec.cluster_ip = Some("172.30.4.8".to_owned());
    it.selecting("app", name)
}

impl Service {
    /// Selects by that label alone.
    #[must_use]
    pub fn selecting(mut self, key: &str, value: &str) -> Self {
        self.spec.selector = [(key.to_owned(), value.to_owned())].into();
        self
    }

    /// Selects nothing.
    #[must_use]
    pub fn without_selector(mut self) -> Self {
        self.spec.selector.clear();
        self
    }

    /// Without cluster address.
    #[must_use]
    pub fn headless(mut self) -> Self {
        self.spec.cluster_ip = Some("None".to_owned());
        self
    }

    /// An alias for a name outside.
    #[must_use]
    pub fn external_name(mut self) -> Self {
        self.spec.kind = "ExternalName".to_owned();
        self.spec.cluster_ip = None;
        self.without_selector()
    }

    /// Publishes pods before they are ready.
    #[must_use]
    pub fn publishing_not_ready(mut self) -> Self {
        self.spec.publish_not_ready_addresses = true;
        self
    }
}

/// A slice of a Service with that many ready endpoints.
#[must_use]
pub fn slice(service: &str, ready: usize) -> EndpointSlice {
    let endpoints = (0..ready).map(|index| Endpoint {
        conditions: EndpointConditions {
            ready: Some(true),
            terminating: None,
        },
        target_ref: Some(ObjectRef {
            kind: "Pod".to_owned(),
            name: format!("{service}-{index}"),
        }),
    });
    let mut it = EndpointSlice {
        metadata: meta(&format!("{service}-x7k2p")),
        endpoints: endpoints.collect(),
    };
    it.metadata
        .labels
        .insert("kubernetes.io/service-name".to_owned(), service.to_owned());
    it
}

/// Core endpoints of a Service, that many ready.
#[must_use]
pub fn core_endpoints(service: &str, ready: usize) -> Endpoints {
    Endpoints {
        metadata: meta(service),
        subsets: vec![EndpointSubset {
            addresses: vec![EndpointAddress::default(); ready],
            not_ready_addresses: Vec::new(),
        }],
    }
}

/// An admitted edge Route to the Service of the same name.
#[must_use]
pub fn route(name: &str) -> Route {
    let mut it = Route {
        metadata: meta(name),
        ..Route::default()
    };
    it.spec.host = format!("{name}.apps.example.test");
    it.spec.tls = Some(RouteTls {
        termination: "edge".to_owned(),
    });
    it.to(name).admitted("default", "True", "")
}

impl Route {
    /// Points to that Service alone.
    #[must_use]
    pub fn to(mut self, service: &str) -> Self {
        self.spec.to = RouteBackend {
            kind: "Service".to_owned(),
            name: service.to_owned(),
            weight: Some(100),
        };
        self
    }

    /// Gives its first backend that weight.
    #[must_use]
    pub fn weight(mut self, weight: i64) -> Self {
        self.spec.to.weight = Some(weight);
        self
    }

    /// Points to that Service too.
    #[must_use]
    pub fn or_to(mut self, service: &str, weight: i64) -> Self {
        self.spec.alternate_backends.push(RouteBackend {
            kind: "Service".to_owned(),
            name: service.to_owned(),
            weight: Some(weight),
        });
        self
    }

    /// Where TLS ends; empty for none.
    #[must_use]
    pub fn tls(mut self, termination: &str) -> Self {
        self.spec.tls = (!termination.is_empty()).then(|| RouteTls {
            termination: termination.to_owned(),
        });
        self
    }

    /// What a router says of it, instead of what it said before.
    #[must_use]
    pub fn admitted(mut self, router: &str, status: &str, reason: &str) -> Self {
        self.status.ingress.retain(|it| it.router_name != router);
        self.status.ingress.push(RouteIngress {
            router_name: router.to_owned(),
            conditions: vec![condition("Admitted", status, reason)],
        });
        self
    }

    /// No router has answered.
    #[must_use]
    pub fn unanswered(mut self) -> Self {
        self.status.ingress.clear();
        self
    }
}

/// An Ingress to that Service.
#[must_use]
pub fn ingress(name: &str, service: &str) -> Ingress {
    let mut rule = IngressRule::default();
    rule.http.paths = vec![IngressPath {
        backend: IngressBackend {
            service: Some(ObjectName { name: service.to_owned() }),
        },
    }];
    let mut it = Ingress {
        metadata: meta(name),
        ..Ingress::default()
    };
    it.spec.rules = vec![rule];
    it
}

/// A probe that got 200 in 420 ms: an HTML page, for content probes.
#[must_use]
pub fn probe(kind: ProbeKind, target: &str) -> Probe {
    Probe {
        kind,
        target: target.to_owned(),
        at: ago(minutes(1)),
        status: Some(200),
        duration_ms: Some(420),
        failure: None,
        fallback: false,
        content: (kind == ProbeKind::ShowroomContent).then_some(Content::Page),
        certificate: Some(Certificate {
            valid: true,
            not_after: Some(now() + TimeDelta::days(60)),
            detail: String::new(),
        }),
    }
}

/// A VM that runs, with one stored disk named like it.
#[must_use]
pub fn vm(name: &str) -> VirtualMachine {
    let mut it = VirtualMachine {
        metadata: meta(name),
        ..VirtualMachine::default()
    };
    it.spec.run_strategy = Some("Always".to_owned());
    it.spec.template.metadata.labels.insert("app".to_owned(), name.to_owned());
    it.spec.data_volume_templates = vec![DataVolumeTemplate { metadata: meta(name) }];
    it.spec.template.spec.volumes = vec![VmVolume {
        name: "root".to_owned(),
        data_volume: Some(DataVolumeRef { name: name.to_owned() }),
        persistent_volume_claim: None,
    }];
    it.status.printable_status = "Running".to_owned();
    it
}

impl VirtualMachine {
    /// With that run strategy.
    #[must_use]
    pub fn strategy(mut self, strategy: &str) -> Self {
        self.spec.run_strategy = Some(strategy.to_owned());
        self
    }

    /// In the older style.
    #[must_use]
    pub fn running_field(mut self, running: bool) -> Self {
        self.spec.run_strategy = None;
        self.spec.running = Some(running);
        self
    }

    /// What KubeVirt prints.
    #[must_use]
    pub fn prints(mut self, status: &str) -> Self {
        self.status.printable_status = status.to_owned();
        self
    }

    /// On a container disk.
    #[must_use]
    pub fn container_disk(mut self) -> Self {
        self.spec.data_volume_templates.clear();
        self.spec.template.spec.volumes.clear();
        self
    }

    /// On an existing claim.
    #[must_use]
    pub fn on_claim(self, claim: &str) -> Self {
        let mut it = self.container_disk();
        it.spec.template.spec.volumes.push(VmVolume {
            name: "data".to_owned(),
            data_volume: None,
            persistent_volume_claim: Some(ClaimRef {
                claim_name: claim.to_owned(),
            }),
        });
        it
    }
}

/// The running instance of a VM, without guest agent.
#[must_use]
pub fn vmi(name: &str) -> VirtualMachineInstance {
    let mut it = VirtualMachineInstance {
        metadata: meta(name),
        ..VirtualMachineInstance::default()
    }
    .owned_by("VirtualMachine", name);
    it.status.phase = "Running".to_owned();
    it.status.node_name = Some("node-1".to_owned());
    it.status.conditions = vec![condition("Ready", "True", "")];
    it
}

impl VirtualMachineInstance {
    /// In that phase, entered that long ago.
    #[must_use]
    pub fn phase(mut self, phase: &str, age: TimeDelta) -> Self {
        self.status.phase = phase.to_owned();
        self.status.phase_transition_timestamps.push(PhaseTransition {
            phase: phase.to_owned(),
            phase_transition_timestamp: Some(ago(age)),
        });
        self
    }

    /// With that condition instead of the present one of its type.
    #[must_use]
    pub fn with(mut self, condition: Condition) -> Self {
        set(&mut self.status.conditions, condition);
        self
    }

    /// With a connected agent that names the guest.
    #[must_use]
    pub fn with_agent(mut self) -> Self {
        self.status.guest_os_info.name = "Red Hat Enterprise Linux".to_owned();
        self.with(condition("AgentConnected", "True", ""))
    }
}

/// A data volume that succeeded within two minutes.
#[must_use]
pub fn data_volume(name: &str) -> DataVolume {
    let mut it = DataVolume {
        metadata: meta(name),
        ..DataVolume::default()
    };
    it.status.phase = "Succeeded".to_owned();
    it.status.progress = "100.0%".to_owned();
    it.status.claim_name = Some(name.to_owned());
    it.status.conditions = vec![Condition {
        last_transition_time: Some(ago(AGE - minutes(2))),
        ..condition("Ready", "True", "")
    }];
    it
}

impl DataVolume {
    /// In that phase.
    #[must_use]
    pub fn phase(mut self, phase: &str) -> Self {
        self.status.phase = phase.to_owned();
        self.status.progress.clear();
        self.status.conditions.clear();
        self
    }
}

/// A bound claim.
#[must_use]
pub fn claim(name: &str) -> PersistentVolumeClaim {
    let mut it = PersistentVolumeClaim {
        metadata: meta(name),
        ..PersistentVolumeClaim::default()
    };
    it.status.phase = "Bound".to_owned();
    it
}

impl PersistentVolumeClaim {
    /// In that phase.
    #[must_use]
    pub fn phase(mut self, phase: &str) -> Self {
        self.status.phase = phase.to_owned();
        self
    }
}

/// A model that is loaded and ready.
#[must_use]
pub fn model(name: &str) -> InferenceService {
    let mut it = InferenceService {
        metadata: meta(name),
        ..InferenceService::default()
    };
    it.status.model_status.states.active_model_state = "Loaded".to_owned();
    it.status.model_status.states.target_model_state = "Loaded".to_owned();
    it.with(condition("Ready", "True", ""))
}

impl InferenceService {
    /// With that condition instead of the present one of its type.
    #[must_use]
    pub fn with(mut self, condition: Condition) -> Self {
        set(&mut self.status.conditions, condition);
        self
    }

    /// In these states: served now, wanted next.
    #[must_use]
    pub fn states(mut self, active: &str, target: &str) -> Self {
        self.status.model_status.states.active_model_state = active.to_owned();
        self.status.model_status.states.target_model_state = target.to_owned();
        self
    }
}

/// A rehearsal of twenty learners that passed an hour ago.
#[must_use]
pub fn smoke_run(id: i64) -> SmokeRun {
    SmokeRun {
        id,
        workers: 20,
        total: 20,
        completed: 20,
        failed: 0,
        assertions_passed: Some(true),
        finished_at: Some(ago(hours(1))),
        guessed: false,
    }
}
