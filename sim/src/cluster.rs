//! One simulated cluster: its objects, its wire and its request log behind one cheap handle.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    clock::{SimClock, stamp},
    control::{self, Control},
    draw::Draw,
    fault::{Ailment, Fault},
    kinds::{CONTROL_PLANE_GROUPS, Kind, LAB_GROUPS},
    seed::Seed,
    store::Store,
    web::Manner,
    wire::{RequestLog, Wire, WireFault},
};

/// A handle on one simulated cluster; clones share the cluster.
#[derive(Clone, Debug)]
pub struct Cluster(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    clock: SimClock,
    state: Mutex<State>,
    wire: Mutex<Wire>,
    log: Mutex<RequestLog>,
    /// Version of the last write; watches wait on it.
    changed: watch::Sender<u64>,
    /// Whether the cluster is down; open connections wait on it.
    down: watch::Sender<bool>,
}

/// What writes to a cluster change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) draw: Draw,
    /// Domain of the routes.
    pub(crate) domain: String,
    /// API groups that this cluster does not serve.
    pub(crate) absent: BTreeSet<String>,
    /// What the controllers remember.
    pub(crate) control: Control,
    /// Faults in force, by namespace.
    pub(crate) ailments: BTreeMap<(String, Fault), Ailment>,
    /// How applications behave, by the host of their route.
    pub(crate) manners: BTreeMap<String, Manner>,
}

/// A poisoned lock means that a test panicked while it held one; what it guards is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cluster {
    /// An empty cluster. Its uids, suffixes and versions come from `seed` and its name.
    #[must_use]
    pub fn new(name: &str, clock: SimClock, seed: &Seed) -> Self {
        let mut seed = seed.for_name(name);
        let version = 100_000_000 + seed.bits() % 1_000_000_000;
        Self(Arc::new(Inner {
            name: name.to_owned(),
            clock,
            state: Mutex::new(State::new(
                Store::new(version),
                Draw::new(seed),
                format!("apps.{name}.example.test"),
            )),
            wire: Mutex::default(),
            log: Mutex::default(),
            changed: watch::Sender::new(version),
            down: watch::Sender::new(false),
        }))
    }

    /// An empty control plane: it serves Anarchy, Poolboy and Babylon instead of what labs run on. Nothing happens there by itself.
    #[must_use]
    pub fn control_plane(name: &str, clock: SimClock, seed: &Seed) -> Self {
        let cluster = Self::new(name, clock, seed);
        {
            let mut state = lock(&cluster.0.state);
            state.absent = LAB_GROUPS.iter().map(|group| (*group).to_owned()).collect();
            state.control.enabled = false;
        }
        cluster
    }

    /// The cluster's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Domain of the cluster's routes: `apps.<name>.example.test`.
    #[must_use]
    pub fn domain(&self) -> String {
        format!("apps.{}.example.test", self.0.name)
    }

    /// The clock the cluster lives by.
    #[must_use]
    pub fn clock(&self) -> &SimClock {
        &self.0.clock
    }

    /// The cluster's present.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// The bearer token that the served API expects.
    #[must_use]
    pub fn token(&self) -> String {
        format!("sim-token-{}", self.0.name)
    }

    /// Reads or changes the state, then tells watches of what was written. The cluster catches up with its clock before, and
    /// its controllers react to the work after.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State, DateTime<Utc>) -> T) -> T {
        let now = self.now();
        let mut state = lock(&self.0.state);
        control::settle(&mut state, now);
        let result = work(&mut state, now);
        control::settle(&mut state, now);
        let version = state.store.version();
        drop(state);
        self.0.changed.send_if_modified(|last| {
            let newer = *last < version;
            *last = version.max(*last);
            newer
        });
        result
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    // Objects

    /// An object, or none. `namespace` is empty for cluster-scoped kinds.
    #[must_use]
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        self.with(|state, now| state.store.value(kind, namespace, name, now))
    }

    /// The objects of a kind in a namespace, or in all when it is empty.
    #[must_use]
    pub fn list(&self, kind: Kind, namespace: &str) -> Vec<Value> {
        self.with(|state, now| state.store.objects(kind, namespace).map(|object| object.value(now)).collect())
    }

    /// How many objects of a kind there are.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.with(|state, _| state.store.count(kind))
    }

    /// Switches the controllers off or on: without them every object stays as it was put, and pods that are deleted stay away.
    pub fn set_controllers(&self, enabled: bool) {
        lock(&self.0.state).control.enabled = enabled;
    }

    /// Lets the controllers catch up with the clock; every read and write does so by itself.
    pub fn settle(&self) {
        self.with(|_, _| ());
    }

    /// Stores an object as it is, filling in uid, creation time and version where they are missing. It must name a kind of
    /// [`Kind::ALL`]; one that does not is ignored. Controllers react as to any write; see [`Cluster::set_controllers`].
    pub fn put(&self, object: Value) {
        if let Some(kind) = Kind::of_object(&object) {
            self.with(|state, now| {
                let object = state.complete(object, now);
                state.store.put(kind, object, now);
            });
        }
    }

    /// Changes an object in place; false when it does not exist.
    pub fn edit(&self, kind: Kind, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) -> bool {
        self.with(|state, now| {
            let Some(mut object) = state.store.value(kind, namespace, name, now) else {
                return false;
            };
            change(&mut object);
            state.store.put(kind, object, now);
            true
        })
    }

    /// Deletes a namespace as `kubectl delete` does: it terminates, and goes with its content a little later.
    pub fn destroy_namespace(&self, name: &str) -> bool {
        let now = self.now();
        self.edit(Kind::Namespace, "", name, |namespace| {
            namespace["metadata"]["deletionTimestamp"] = json!(stamp(now));
            namespace["status"]["phase"] = json!("Terminating");
        })
    }

    /// Namespaces that the controllers gave up on, because their work in them never ended. Always empty, or the simulation has a bug.
    #[must_use]
    pub fn restless(&self) -> Vec<String> {
        lock(&self.0.state).control.restless.iter().cloned().collect()
    }

    /// Removes an object at once, whatever its finalizers; false when it does not exist.
    pub fn remove(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        self.with(|state, now| state.store.remove(kind, namespace, name, now).is_some())
    }

    /// Takes an API group away, as on a cluster without that operator: `kubevirt.io`, `route.openshift.io`.
    pub fn drop_api_group(&self, group: &str) {
        self.with(|state, _| state.absent.insert(group.to_owned()));
    }

    pub(crate) fn serves(&self, group: &str) -> bool {
        self.with(|state, _| !state.absent.contains(group))
    }

    /// Forgets history and page snapshots, as etcd does every five minutes: later pages and old watches answer 410.
    pub fn compact(&self) {
        self.with(|state, _| state.store.compact());
    }

    // The wire

    /// Adds a fault on the wire.
    pub fn inject_wire(&self, fault: WireFault) {
        lock(&self.0.wire).add(fault);
    }

    /// Removes every wire fault, brings the cluster up, renews its token and allows all.
    pub fn clear_wire(&self) {
        lock(&self.0.wire).clear();
        self.0.down.send_replace(false);
    }

    /// Takes the API server down (connections are closed without an answer) or brings it up.
    pub fn set_down(&self, down: bool) {
        lock(&self.0.wire).down = down;
        self.0.down.send_replace(down);
    }

    /// Whether the API server is down.
    #[must_use]
    pub fn is_down(&self) -> bool {
        lock(&self.0.wire).down
    }

    pub(crate) fn down(&self) -> watch::Receiver<bool> {
        self.0.down.subscribe()
    }

    /// Refuses every token with 401, or accepts the cluster's own again.
    pub fn set_token_expired(&self, expired: bool) {
        lock(&self.0.wire).token_expired = expired;
    }

    /// Answers 403 to a verb on a resource (`list`, `pods`; `*`, `routes.route.openshift.io`).
    pub fn forbid(&self, verb: &str, resource: &str) {
        lock(&self.0.wire).forbidden.push((verb.to_owned(), resource.to_owned()));
    }

    pub(crate) fn wire<T>(&self, work: impl FnOnce(&mut Wire) -> T) -> T {
        work(&mut lock(&self.0.wire))
    }

    // The log

    /// What clients asked for so far.
    #[must_use]
    pub fn requests(&self) -> RequestLog {
        lock(&self.0.log).clone()
    }

    /// Starts the request log anew.
    pub fn reset_requests(&self) {
        *lock(&self.0.log) = RequestLog::default();
    }

    pub(crate) fn log<T>(&self, work: impl FnOnce(&mut RequestLog) -> T) -> T {
        work(&mut lock(&self.0.log))
    }
}

impl State {
    pub(crate) fn new(store: Store, draw: Draw, domain: String) -> Self {
        Self {
            store,
            draw,
            domain,
            absent: CONTROL_PLANE_GROUPS.iter().map(|group| (*group).to_owned()).collect(),
            manners: BTreeMap::new(),
            control: Control::new(),
            ailments: BTreeMap::new(),
        }
    }

    /// Fills in what the API server gives every object: uid, creation time, the generation where there is a spec, and what
    /// every namespace has.
    pub(crate) fn complete(&mut self, mut object: Value, now: DateTime<Utc>) -> Value {
        if Kind::of_object(&object) == Some(Kind::Namespace) {
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
            if object.pointer("/spec/finalizers").is_none() {
                object["spec"]["finalizers"] = json!(["kubernetes"]);
            }
            if object.pointer("/status/phase").is_none() {
                object["status"]["phase"] = json!("Active");
            }
        }
        let has_spec = object.get("spec").is_some();
        let (uid, created) = (self.draw.uid(), stamp(now));
        if !object.get("metadata").is_some_and(Value::is_object) {
            object["metadata"] = json!({});
        }
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.entry("uid").or_insert_with(|| json!(uid));
            metadata.entry("creationTimestamp").or_insert_with(|| json!(created));
            if has_spec {
                metadata.entry("generation").or_insert_with(|| json!(1));
            }
        }
        object
    }
}
