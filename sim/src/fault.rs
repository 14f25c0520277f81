//! Faults by failure class: each writes the objects, statuses and events that a real cluster shows when this happens, and
//! can be healed again.
//!
//! A fault that makes pods fail stays in force: a pod that replaces a broken one breaks as well, until the fault is healed
//! (or, when injected as curable, until the pods have been restarted).

mod cluster;
mod machines;
mod network;
mod workloads;

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::{
    cluster::{Cluster, State},
    control::{self, Affliction, Step, derive::values, pods},
    kinds::Kind,
    objects::{
        Report, machine, name,
        pod::{self, PodState},
        text,
    },
    web::Manner,
};

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $class:literal;)*) => {
        /// Something that can go wrong, named for its failure class.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault { $($(#[$doc])* $name,)* }

        impl Fault {
            /// Every fault.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];

            /// The failure class that it should be recognised as. Several faults can have one class.
            #[must_use]
            pub fn class(self) -> &'static str {
                match self { $(Fault::$name => $class,)* }
            }
        }
    };
}

faults! {
    /// The API server does not answer.
    ClusterUnreachable "cluster_unreachable";
    /// Workers use nine tenths of their CPU.
    ClusterOverloaded "cluster_overloaded";
    /// Workers have no memory left.
    ClusterMemoryPressure "cluster_memory_pressure";
    /// A worker stopped reporting.
    NodeNotReady "node_not_ready";
    /// The namespace is gone.
    NamespaceMissing "namespace_missing";
    /// The namespace has been terminating for more than two hours.
    TeardownStuck "teardown_stuck";
    /// A container needs more memory than it may have.
    OomKilled "oom_killed";
    /// A container ends with an error right after its start.
    PodsCrashlooping "pods_crashlooping";
    /// An init container does.
    InitCrashlooping "pods_crashlooping";
    /// The registry wants a login.
    ImagePullUnauthorized "image_pull_backoff";
    /// The image does not exist.
    ImagePullNotFound "image_pull_backoff";
    /// A container names a secret that does not exist.
    InvalidConfiguration "invalid_configuration";
    /// No node has room.
    SchedulingFailed "scheduling_failed";
    /// A container runs but is never ready.
    PodsNotReady "pods_not_ready";
    /// Somebody scaled everything to zero.
    ScaledToZero "pods_not_ready";
    /// The workloads were deleted, the rest is there.
    DeploymentMissing "deployment_missing";
    /// A job used up its retries.
    BackoffLimitExceeded "backoff_limit_exceeded";
    /// The quota is used up, and a pod cannot be replaced.
    QuotaExceeded "quota_exceeded";
    /// A machine names a disk that is not there.
    DatavolumeMissing "datavolume_missing";
    /// A disk could not be cloned.
    DatavolumeFailed "datavolume_failed";
    /// A disk stopped being cloned halfway.
    DatavolumeNotReady "datavolume_not_ready";
    /// A claim lost its volume.
    PvcNotBound "pvc_not_bound";
    /// A route leads to a service that is not there.
    ServiceMissing "service_missing";
    /// A service selects no pod.
    ServiceHasNoEndpoints "service_has_no_endpoints";
    /// The routes were deleted.
    RouteMissing "route_missing";
    /// The router refuses a route: somebody else has the host.
    RouteNotAdmitted "route_not_admitted";
    /// The application answers with errors.
    HealthCheckFailed "health_check_failed";
    /// The machines were deleted, their disks are there.
    VmMissing "vm_missing";
    /// A machine was paused by an I/O error.
    VmiPausedError "vmi_paused_error";
    /// No node has room for a machine.
    VmiUnschedulable "vmi_not_running";
    /// A machine crashed.
    VmiFailed "vmi_not_running";
    /// A person paused a machine.
    VmiPaused "vmi_paused";
    /// A guest lost its agent.
    GuestAgentNotConnected "guest_agent_not_connected";
    /// A container of the showroom is not ready.
    ShowroomPodDown "showroom_pod_down";
    /// The showroom runs and says that it is not ready.
    ShowroomNotReady "showroom_not_ready";
    /// The showroom closes connections.
    ShowroomNotReachable "showroom_not_reachable";
    /// The showroom serves no content.
    ShowroomContentMissing "showroom_content_missing";
    /// The inference service was deleted.
    InferenceserviceMissing "inferenceservice_missing";
    /// The model cannot be loaded.
    InferenceserviceNotReady "inferenceservice_not_ready";
    /// The model answers with errors.
    InferenceFailed "inference_failed";
}

impl Fault {
    /// Whether it strikes a whole cluster instead of a namespace.
    #[must_use]
    pub fn strikes_cluster(self) -> bool {
        matches!(
            self,
            Self::ClusterUnreachable | Self::ClusterOverloaded | Self::ClusterMemoryPressure | Self::NodeNotReady
        )
    }
}

/// A name that is not that of a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault {0:?}")]
pub struct UnknownFault(String);

impl FromStr for Fault {
    type Err = UnknownFault;

    /// Reads the name of a fault: `PodsCrashlooping`, `pods-crashlooping` and `pods_crashlooping` are one.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let plain = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
        let wanted = plain(name);
        let known = Self::ALL.iter().find(|fault| plain(&format!("{fault:?}")) == wanted);
        known.copied().ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

/// A fault in force, and how to undo it.
#[derive(Debug)]
pub(crate) struct Ailment {
    since: DateTime<Utc>,
    repairs: Vec<Repair>,
}

/// One step of healing.
#[derive(Debug)]
enum Repair {
    /// Puts an object back as it was.
    Restore(Kind, Box<Value>),
    /// Removes an object, which its controller then makes anew.
    Remove(Kind, String),
    /// Lets the application behind a host behave.
    Behave(String),
    /// Takes the affliction from a workload and has its pods replaced.
    Cure(String),
    /// Unpauses an instance.
    Unpause(String),
    /// Connects the agent of an instance again.
    Reconnect(String),
    /// Lets the namespace go.
    LetGo,
    /// Brings nodes back to normal.
    Nodes(Vec<String>),
}

impl Cluster {
    /// Breaks something in a namespace (empty for faults of the cluster) now, as something that goes on until healed. False
    /// when there is nothing there that could break so, or it is broken so already.
    pub fn inject(&self, namespace: &str, fault: Fault) -> bool {
        self.inject_since(namespace, fault, self.now())
    }

    /// The same, as if it had happened at `since`.
    pub fn inject_since(&self, namespace: &str, fault: Fault, since: DateTime<Utc>) -> bool {
        if fault == Fault::ClusterUnreachable {
            self.set_down(true);
        }
        self.with(|state, now| inject(state, namespace, fault, since, false, now))
    }

    /// The same as [`Cluster::inject`], but pods that replace the broken ones are well: the sort of fault that a restart cures.
    pub fn inject_curable(&self, namespace: &str, fault: Fault) -> bool {
        self.with(|state, now| inject(state, namespace, fault, now, true, now))
    }

    /// Undoes a fault; what has to start again takes its time. False when it is not in force.
    pub fn heal(&self, namespace: &str, fault: Fault) -> bool {
        if fault == Fault::ClusterUnreachable {
            self.set_down(false);
        }
        self.with(|state, now| heal(state, namespace, fault, now))
    }

    /// The faults in force, with their namespaces and beginnings.
    #[must_use]
    pub fn ailments(&self) -> Vec<(String, Fault, DateTime<Utc>)> {
        self.with(|state, _| {
            state
                .ailments
                .iter()
                .map(|((namespace, fault), ailment)| (namespace.clone(), *fault, ailment.since))
                .collect()
        })
    }
}

fn inject(state: &mut State, namespace: &str, fault: Fault, since: DateTime<Utc>, cured_by_restart: bool, now: DateTime<Utc>) -> bool {
    let key = (namespace.to_owned(), fault);
    if state.ailments.contains_key(&key) || fault.strikes_cluster() != namespace.is_empty() {
        return false;
    }
    let mut wound = Wound {
        state,
        namespace,
        since,
        now,
        cured_by_restart,
        repairs: Vec::new(),
    };
    if !wound.strike(fault) {
        return false;
    }
    let repairs = wound.repairs;
    state.ailments.insert(key, Ailment { since, repairs });
    true
}

fn heal(state: &mut State, namespace: &str, fault: Fault, now: DateTime<Utc>) -> bool {
    let Some(ailment) = state.ailments.remove(&(namespace.to_owned(), fault)) else {
        return false;
    };
    for repair in ailment.repairs {
        apply(state, namespace, repair, now);
    }
    true
}

fn apply(state: &mut State, namespace: &str, repair: Repair, now: DateTime<Utc>) {
    match repair {
        Repair::Restore(kind, object) => {
            state.store.put(kind, *object, now);
        }
        Repair::Remove(kind, object) => {
            state.store.remove(kind, namespace, &object, now);
        }
        Repair::Behave(host) => state.set_manner(&host, None),
        Repair::Cure(app) => {
            state.control.afflictions.remove(&(namespace.to_owned(), app.clone()));
            for pod in values(state, Kind::Pod, namespace, now)
                .iter()
                .filter(|pod| text(pod, "/metadata/labels/app") == app && !pod::is_ready(pod))
            {
                state.store.remove(Kind::Pod, namespace, name(pod), now);
            }
        }
        Repair::Unpause(instance) => {
            if let Some(mut instance) = state.store.value(Kind::VirtualMachineInstance, namespace, &instance, now) {
                machine::set_paused(&mut instance, None, now);
                state.store.put(Kind::VirtualMachineInstance, instance, now);
            }
        }
        Repair::Reconnect(instance) => {
            if let Some(instance) = state.store.value(Kind::VirtualMachineInstance, namespace, &instance, now) {
                state.later(&instance, Step::AgentConnects, now);
            }
        }
        Repair::LetGo => control::remove_namespace(state, namespace, now),
        Repair::Nodes(nodes) => cluster::restore(state, &nodes, now),
    }
}

/// A fault being injected: where, since when, and what has to be undone one day.
struct Wound<'a> {
    state: &'a mut State,
    namespace: &'a str,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    cured_by_restart: bool,
    repairs: Vec<Repair>,
}

impl Wound<'_> {
    /// Does what the fault does; false when there is nothing to do it to.
    fn strike(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::ClusterUnreachable => true,
            Fault::ClusterOverloaded => self.load_nodes(91, 58),
            Fault::ClusterMemoryPressure => self.load_nodes(52, 95),
            Fault::NodeNotReady => self.lose_node(),
            Fault::NamespaceMissing => self.lose_namespace(),
            Fault::TeardownStuck => self.stick_teardown(),
            Fault::OomKilled => self.kill_for_memory(),
            Fault::PodsCrashlooping => self.crash_loop(),
            Fault::InitCrashlooping => self.crash_init(),
            Fault::ImagePullUnauthorized => self.refuse_image("unauthorized: access to the requested resource is not authorized"),
            Fault::ImagePullNotFound => self.refuse_image("manifest unknown: manifest unknown"),
            Fault::InvalidConfiguration => self.lack_secret(),
            Fault::SchedulingFailed => self.find_no_node(),
            Fault::PodsNotReady => self.fail_readiness(),
            Fault::ScaledToZero => self.scale_to_zero(),
            Fault::DeploymentMissing => self.delete_workloads(),
            Fault::BackoffLimitExceeded => self.fail_job(),
            Fault::QuotaExceeded => self.use_up_quota(),
            Fault::DatavolumeMissing => self.lose_disk(),
            Fault::DatavolumeFailed => self.stop_clone("Failed"),
            Fault::DatavolumeNotReady => self.stop_clone("CSICloneInProgress"),
            Fault::PvcNotBound => self.lose_volume(),
            Fault::ServiceMissing => self.delete_service(),
            Fault::ServiceHasNoEndpoints => self.mislabel_service(),
            Fault::RouteMissing => self.delete_routes(),
            Fault::RouteNotAdmitted => self.refuse_route(),
            Fault::HealthCheckFailed => self.misbehave(Backend::Application, Manner::Status(500)),
            Fault::VmMissing => self.delete_machines(),
            Fault::VmiPausedError => self.pause("PausedIOError", "VMI was paused, IO error"),
            Fault::VmiUnschedulable => self.find_no_node_for_machine(),
            Fault::VmiFailed => self.crash_machine(),
            Fault::VmiPaused => self.pause("PausedByUser", "VMI was paused by user"),
            Fault::GuestAgentNotConnected => self.lose_agent(),
            Fault::ShowroomPodDown => self.down_showroom(),
            Fault::ShowroomNotReady => self.misbehave(Backend::Showroom, Manner::NotReady),
            Fault::ShowroomNotReachable => self.misbehave(Backend::Showroom, Manner::NoAnswer),
            Fault::ShowroomContentMissing => self.misbehave(Backend::Showroom, Manner::ContentMissing),
            Fault::InferenceserviceMissing => self.delete_model(),
            Fault::InferenceserviceNotReady => self.fail_model(),
            Fault::InferenceFailed => self.misbehave(Backend::Model, Manner::Status(500)),
        }
    }

    fn values(&self, kind: Kind) -> Vec<Value> {
        values(self.state, kind, self.namespace, self.now)
    }

    /// Changes an object, to be put back as it was.
    fn change(&mut self, kind: Kind, mut object: Value, change: impl FnOnce(&mut Value)) {
        self.repairs.push(Repair::Restore(kind, Box::new(object.clone())));
        change(&mut object);
        self.state.store.put(kind, object, self.now);
    }

    /// Takes an object away, to be put back.
    fn take(&mut self, kind: Kind, object: Value) {
        self.state.store.remove(kind, self.namespace, name(&object), self.now);
        self.repairs.push(Repair::Restore(kind, Box::new(object)));
    }

    /// Takes an object away for good; a controller makes another when the fault is healed.
    fn drop_object(&mut self, kind: Kind, object: &str) {
        self.state.store.remove(kind, self.namespace, object, self.now);
    }

    /// Makes the pods labelled `app=<app>` fail, those there are and those to come.
    fn afflict(&mut self, app: &str, state: PodState) {
        let affliction = Affliction {
            state: state.clone(),
            since: self.now,
            cured_by_restart: self.cured_by_restart,
        };
        self.state
            .control
            .afflictions
            .insert((self.namespace.to_owned(), app.to_owned()), affliction);
        self.repairs.push(Repair::Cure(app.to_owned()));
        for mut pod in self.values(Kind::Pod) {
            if text(&pod, "/metadata/labels/app") != app || pod::is_finished(&pod) {
                continue;
            }
            // A pod that could not start was made when the fault began; one that crashes may be older.
            let starts = matches!(state, PodState::Waiting { .. } | PodState::Unschedulable(_));
            if starts {
                pod["metadata"]["creationTimestamp"] = crate::clock::stamp(self.since).into();
            }
            let at = if matches!(state, PodState::CrashLoop { .. }) {
                self.since.max(self.now - TimeDelta::minutes(2))
            } else {
                self.since
            };
            pod::set_state(&mut pod, &state, at, &mut self.state.draw);
            if matches!(state, PodState::CrashLoop { .. }) {
                self.state.later(&pod, Step::PodRestarted, self.now + TimeDelta::minutes(3));
            }
            self.report_state(&pod, &state);
            self.state.store.put(Kind::Pod, pod, self.now);
        }
    }

    /// The events that go with a failing pod.
    fn report_state(&mut self, pod: &Value, state: &PodState) {
        let count = 1 + (self.now - self.since).num_minutes().max(0);
        match state {
            PodState::CrashLoop { container, .. } => {
                let message = format!(
                    "Back-off restarting failed container {container} in pod {}_{}",
                    name(pod),
                    self.namespace
                );
                self.report(pod, "Warning", "BackOff", &message, "kubelet", count);
            }
            PodState::Waiting { reason, message, .. } if reason.contains("Image") => {
                self.report(
                    pod,
                    "Warning",
                    "Failed",
                    &format!("Failed to pull image: {message}"),
                    "kubelet",
                    count,
                );
                self.report(pod, "Warning", "BackOff", "Back-off pulling image", "kubelet", count);
            }
            PodState::Waiting { message, .. } => self.report(pod, "Warning", "Failed", &format!("Error: {message}"), "kubelet", count),
            PodState::Unschedulable(message) => self.report(pod, "Warning", "FailedScheduling", message, "default-scheduler", count),
            PodState::Unready { .. } => {
                self.report(
                    pod,
                    "Warning",
                    "Unhealthy",
                    "Readiness probe failed: HTTP probe failed with statuscode: 503",
                    "kubelet",
                    count * 6,
                );
            }
            _ => {}
        }
    }

    fn report(&mut self, about: &Value, sort: &str, reason: &str, message: &str, from: &str, count: i64) {
        pods::report_since(
            self.state,
            about,
            self.since,
            self.now,
            Report {
                sort,
                reason,
                message,
                from,
                count,
            },
        );
    }
}

/// Which sort of application is behind a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backend {
    Application,
    Showroom,
    Model,
}
