//! The controllers of a simulated cluster: what Kubernetes, KubeVirt, CDI and the rest do by themselves when somebody writes
//! or time passes.
//!
//! There is no background thread: whoever reads or writes a cluster first lets it catch up ([`settle`]). Writes mark their
//! namespace as touched; [`reconcile`] brings it in order and sets timers for what takes time; timers run in their order, each
//! at its own time, so that a clock that leaps an hour leaves the same traces as an hour of small steps.

pub(crate) mod derive;
pub(crate) mod machines;
pub(crate) mod pods;
pub(crate) mod workloads;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use self::derive::values;
use crate::{
    clock::stamp,
    cluster::State,
    kinds::Kind,
    objects::{
        is_leaving, is_owned_by, name,
        pod::{PodState, is_finished},
        text, uid,
    },
};

/// Something that happens by itself at a later time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timer {
    namespace: String,
    name: String,
    /// Uid of the object it is about; nothing happens when that object is gone by then.
    uid: String,
    step: Step,
}

/// The step that a timer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A pod's containers have started.
    PodStarted,
    /// A container that crashes has been started once more, and crashed.
    PodRestarted,
    /// A pod that is leaving has gone.
    PodGone,
    /// The pod of a job has ended.
    PodEnded,
    /// An instance enters the next phase of its boot.
    InstanceBoots,
    /// The agent of a guest connects.
    AgentConnects,
    /// An instance or a machine that is leaving has gone.
    MachineGone,
    /// A data volume has made progress.
    VolumeFills,
    /// A namespace that is leaving loses its content, then itself.
    NamespaceGoes,
    /// An event has been kept long enough.
    EventForgotten,
    /// A rollout may have run out of time.
    RolloutDeadline,
}

/// What makes the pods of a workload fail, again and again, until it is taken away.
#[derive(Clone, Debug)]
pub(crate) struct Affliction {
    pub(crate) state: PodState,
    pub(crate) since: DateTime<Utc>,
    /// Whether pods started later are well: the sort of failure that a restart cures.
    pub(crate) cured_by_restart: bool,
}

/// The memory of the controllers.
#[derive(Debug)]
pub(crate) struct Control {
    /// Controllers can be switched off, for objects put together by hand.
    pub(crate) enabled: bool,
    timers: BTreeMap<(DateTime<Utc>, u64), Timer>,
    /// The same timers, to set none twice.
    pending: BTreeSet<Timer>,
    sequence: u64,
    /// By namespace and the `app` label of the pods.
    pub(crate) afflictions: BTreeMap<(String, String), Affliction>,
    /// Namespaces whose deletion something holds up.
    pub(crate) stuck: BTreeSet<String>,
    /// Namespaces in which the controllers never came to rest.
    pub(crate) restless: BTreeSet<String>,
}

impl Control {
    pub(crate) fn new() -> Self {
        Self {
            enabled: true,
            timers: BTreeMap::new(),
            pending: BTreeSet::new(),
            sequence: 0,
            afflictions: BTreeMap::new(),
            stuck: BTreeSet::new(),
            restless: BTreeSet::new(),
        }
    }

    fn set(&mut self, timer: Timer, at: DateTime<Utc>) {
        if self.pending.insert(timer.clone()) {
            self.sequence += 1;
            self.timers.insert((at, self.sequence), timer);
        }
    }

    fn pop_due(&mut self, now: DateTime<Utc>) -> Option<(DateTime<Utc>, Timer)> {
        let entry = self.timers.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((at, _), timer) = entry.remove_entry();
        self.pending.remove(&timer);
        Some((at, timer))
    }
}

impl State {
    /// Sets a timer about an object.
    pub(crate) fn later(&mut self, object: &Value, step: Step, at: DateTime<Utc>) {
        let owned = |pointer| text(object, pointer).to_owned();
        let timer = Timer {
            namespace: owned("/metadata/namespace"),
            name: owned("/metadata/name"),
            uid: owned("/metadata/uid"),
            step,
        };
        self.control.set(timer, at);
    }
}

/// Lets a cluster catch up with `now`.
pub(crate) fn settle(state: &mut State, now: DateTime<Utc>) {
    if !state.control.enabled {
        state.store.take_touched();
        return;
    }
    reconcile_touched(state, now);
    while let Some((at, timer)) = state.control.pop_due(now) {
        run(state, &timer, at);
        reconcile_touched(state, at);
    }
}

/// Rounds of reconciling after which something is wrong: each round only ever moves forward, so a handful is enough.
const ROUNDS: usize = 20;

/// Reconciles until nothing changes any more.
fn reconcile_touched(state: &mut State, now: DateTime<Utc>) {
    for _ in 0..ROUNDS {
        let touched = state.store.take_touched();
        if touched.is_empty() {
            return;
        }
        for namespace in touched {
            reconcile(state, &namespace, now);
        }
    }
    let restless = state.store.take_touched();
    tracing::warn!("controllers of a simulated cluster do not come to rest in {restless:?}");
    state.control.restless.extend(restless);
}

/// Brings one namespace in order.
fn reconcile(state: &mut State, namespace: &str, now: DateTime<Utc>) {
    let Some(object) = state.store.value(Kind::Namespace, "", namespace, now) else {
        return;
    };
    collect_garbage(state, namespace, now);
    if is_leaving(&object) {
        if !state.control.stuck.contains(namespace) {
            state.later(&object, Step::NamespaceGoes, now + TimeDelta::seconds(12));
        }
    } else {
        let pods = values(state, Kind::Pod, namespace, now);
        workloads::reconcile(state, namespace, &pods, now);
        machines::reconcile(state, namespace, &pods, now);
    }
    finish_leaving(state, namespace, now);
    let pods = values(state, Kind::Pod, namespace, now);
    pods::reconcile(state, &pods, now);
    derive::namespace(state, namespace, now);
}

/// Removes what was owned by objects that are gone.
fn collect_garbage(state: &mut State, namespace: &str, now: DateTime<Utc>) {
    let gone = state.store.take_removed_uids(namespace);
    if gone.is_empty() {
        return;
    }
    for kind in Kind::ALL.iter().copied().filter(|kind| kind.info().namespaced) {
        for object in values(state, kind, namespace, now) {
            if gone.iter().any(|owner| is_owned_by(&object, owner)) {
                delete(state, kind, &object, now);
            }
        }
    }
}

/// Deletes as a controller does: what has finalizers, and pods that run, leave in their own time.
pub(crate) fn delete(state: &mut State, kind: Kind, object: &Value, now: DateTime<Utc>) {
    if is_leaving(object) {
        return;
    }
    let held = object
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .is_some_and(|finalizers| !finalizers.is_empty());
    let runs = kind == Kind::Pod && !is_finished(object) && !text(object, "/spec/nodeName").is_empty();
    if held || runs {
        let grace = if runs { 30 } else { 0 };
        let mut object = object.clone();
        object["metadata"]["deletionTimestamp"] = json!(stamp(now + TimeDelta::seconds(grace)));
        object["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
        state.store.put(kind, object, now);
    } else {
        state.store.remove(kind, text(object, "/metadata/namespace"), name(object), now);
    }
}

/// Objects whose finalizers are nobody's concern here leave at once; machines take their time.
fn finish_leaving(state: &mut State, namespace: &str, now: DateTime<Utc>) {
    for kind in [Kind::PersistentVolumeClaim, Kind::InferenceService, Kind::DataVolume] {
        for object in values(state, kind, namespace, now).iter().filter(|object| is_leaving(object)) {
            state.store.remove(kind, namespace, name(object), now);
        }
    }
    if state.control.stuck.contains(namespace) {
        return;
    }
    for kind in [Kind::VirtualMachine, Kind::VirtualMachineInstance] {
        for object in values(state, kind, namespace, now).iter().filter(|object| is_leaving(object)) {
            state.later(object, Step::MachineGone, now + TimeDelta::seconds(5));
        }
    }
}

/// Takes the step of a timer whose time has come.
fn run(state: &mut State, timer: &Timer, at: DateTime<Utc>) {
    let Timer {
        namespace,
        name,
        uid: wanted,
        step,
    } = timer;
    let find = |state: &State, kind: Kind| {
        let found = state.store.value(kind, namespace, name, at);
        found.filter(|object| uid(object) == wanted)
    };
    match step {
        Step::PodStarted | Step::PodRestarted | Step::PodEnded => {
            if let Some(pod) = find(state, Kind::Pod).filter(|pod| !is_leaving(pod)) {
                pods::step(state, pod, *step, at);
            }
        }
        Step::PodGone => {
            if find(state, Kind::Pod).is_some() {
                state.store.remove(Kind::Pod, namespace, name, at);
            }
        }
        Step::InstanceBoots | Step::AgentConnects => {
            let instance = find(state, Kind::VirtualMachineInstance).filter(|instance| !is_leaving(instance));
            if let Some(instance) = instance {
                machines::step(state, instance, *step, at);
            }
        }
        Step::MachineGone => {
            for kind in [Kind::VirtualMachineInstance, Kind::VirtualMachine] {
                if find(state, kind).is_some_and(|object| is_leaving(&object)) {
                    state.store.remove(kind, namespace, name, at);
                }
            }
        }
        Step::VolumeFills => {
            if let Some(volume) = find(state, Kind::DataVolume) {
                machines::fill(state, volume, at);
            }
        }
        Step::NamespaceGoes => {
            let leaving = find(state, Kind::Namespace).is_some_and(|object| is_leaving(&object));
            if leaving && !state.control.stuck.contains(name) {
                remove_namespace(state, name, at);
            }
        }
        Step::EventForgotten => {
            if find(state, Kind::Event).is_some() {
                state.store.remove(Kind::Event, namespace, name, at);
            }
        }
        Step::RolloutDeadline => state.store.touch(namespace),
    }
}

/// Removes a namespace with all that is in it.
pub(crate) fn remove_namespace(state: &mut State, namespace: &str, now: DateTime<Utc>) {
    for kind in Kind::ALL.iter().copied().filter(|kind| kind.info().namespaced) {
        let names: Vec<String> = state
            .store
            .objects(kind, namespace)
            .map(|object| object.name().to_owned())
            .collect();
        for name in names {
            state.store.remove(kind, namespace, &name, now);
        }
    }
    state.store.remove(Kind::Namespace, "", namespace, now);
    state.store.take_removed_uids(namespace);
    state.control.afflictions.retain(|(afflicted, _), _| afflicted != namespace);
    state.control.stuck.remove(namespace);
}
