//! One consistent story around a fleet's labs: who ordered them, out of which pool, for which session, and how that went.
//!
//! ```text
//! labs of the fleet ──> plot: orders, pools, workshops, sessions, jobs ──> objects of the control plane (a Cluster)
//!                          ^                                       └────> answers of the services (services/)
//!                          ├── life: arrivals, departures, jobs that end, pools that refill (Scenario steps it)
//!                          └── smoke: learners who walk through the labs, again and again
//! ```
//! The same seed and fleet tell the same story. A few things do not fit together on purpose: leaked namespaces, a ghost, a teardown
//! that was lost, a lab without an item, one whose item is only named by its code, a smoke run of no lab, showrooms with other content
//! than was ordered. What is not on purpose is a defect.

mod cast;
mod content;
pub mod job;
mod life;
mod objects;
pub mod order;
pub mod plot;
pub mod program;
pub mod schedule;
pub mod smoke;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

pub use self::cast::planted;
pub(crate) use self::cast::{pair as person, secret};
use self::{
    job::Job,
    objects::{Meta, catalog, object, poolboy, subject, workshop},
    order::Order,
    plot::{Plot, Pool, Workshop},
    program::{ANARCHY_NAMESPACES, ITEMS, Item, LINKED},
    schedule::Room,
    smoke::Smoke,
};
use crate::{
    cluster::Cluster,
    fleet::{Fleet, Lab},
    kinds::Kind,
    objects::{name, text},
    seed::Seed,
};

/// Name of the control plane.
pub const CONTROL_PLANE: &str = "babylon";

/// A handle on the story; clones share it.
#[derive(Clone, Debug)]
pub struct Story(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    control_plane: Cluster,
    clusters: Vec<Cluster>,
    plot: Mutex<Told>,
}

/// The plot, and what of it is written to the control plane.
#[derive(Debug)]
struct Told {
    plot: Plot,
    /// By guid: kind, namespace and name of the objects of each order.
    written: BTreeMap<String, BTreeSet<(Kind, String, String)>>,
}

impl Story {
    /// Tells the story of a fleet.
    #[must_use]
    pub fn of(fleet: &Fleet, seed: u64) -> Self {
        let seed = Seed::new(seed).for_name("story");
        let control_plane = Cluster::control_plane(CONTROL_PLANE, fleet.clock.clone(), &seed);
        let mut told = Told {
            plot: Plot::of(fleet, &seed),
            written: BTreeMap::new(),
        };
        let now = fleet.clock.now();
        let platform = platform(&told.plot, now);
        control_plane.with(|state, _| {
            for object in platform {
                put(state, object, now);
            }
        });
        told.write(&control_plane, now);
        control_plane.with(|state, _| state.store.forget());
        Self(Arc::new(Inner {
            control_plane,
            clusters: fleet.clusters.clone(),
            plot: Mutex::new(told),
        }))
    }

    /// The cluster that Anarchy, Poolboy and Babylon run on. It has no labs: do not scan it.
    #[must_use]
    pub fn control_plane(&self) -> &Cluster {
        &self.0.control_plane
    }

    /// The clusters with labs.
    #[must_use]
    pub fn clusters(&self) -> &[Cluster] {
        &self.0.clusters
    }

    /// The time it is told in.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.control_plane.now()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.plot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the plot.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Plot) -> T) -> T {
        look(&self.told().plot)
    }

    /// Changes the plot and writes what follows from it.
    fn change<T>(&self, change: impl FnOnce(&mut Plot, DateTime<Utc>) -> T) -> T {
        let now = self.now();
        let mut told = self.told();
        let result = change(&mut told.plot, now);
        told.write(&self.0.control_plane, now);
        result
    }

    /// Orders as they are now.
    #[must_use]
    pub fn orders(&self) -> Vec<Order> {
        self.read(|plot| plot.orders.clone())
    }

    /// Pools.
    #[must_use]
    pub fn pools(&self) -> Vec<Pool> {
        self.read(|plot| plot.pools.clone())
    }

    /// Workshops.
    #[must_use]
    pub fn workshops(&self) -> Vec<Workshop> {
        self.read(|plot| plot.workshops.clone())
    }

    /// Sessions of the event, as planned now.
    #[must_use]
    pub fn rooms(&self) -> Vec<Room> {
        self.read(|plot| plot.rooms.clone())
    }

    /// Smoke runs.
    #[must_use]
    pub fn smoke(&self) -> Vec<Smoke> {
        self.read(|plot| plot.smoke.clone())
    }

    /// Jobs of all controllers.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        self.read(|plot| plot.jobs.values().cloned().collect())
    }

    /// Lab namespaces, (cluster, namespace), that no order explains: leaked, or their teardown was lost.
    #[must_use]
    pub fn unexplained(&self) -> Vec<(String, String)> {
        self.read(|plot| {
            let lost = plot
                .lost_placements
                .iter()
                .map(|(_, _, cluster, namespace)| (cluster.clone(), namespace.clone()));
            plot.leaked.iter().cloned().chain(lost).collect()
        })
    }

    /// Placements that outlived their subject: guid, uuid, cluster, namespace.
    pub(crate) fn lost_placements(&self) -> Vec<(String, String, String, String)> {
        self.read(|plot| plot.lost_placements.clone())
    }

    /// When the telling began.
    pub(crate) fn began(&self) -> DateTime<Utc> {
        self.read(|plot| plot.began)
    }

    /// A lab was ordered; its namespace is there.
    pub fn arrive(&self, lab: &Lab) {
        let cluster = self.0.clusters.iter().find(|cluster| cluster.name() == lab.cluster);
        if let Some(cluster) = cluster {
            self.change(|plot, _| plot.arrive(cluster, lab));
        }
    }

    /// The owner of a lab gives it back. True when the story takes its namespace away in time; false when it knows nothing of it.
    #[must_use]
    pub fn depart(&self, lab: &Lab) -> bool {
        self.change(|plot, now| plot.depart(lab, now))
    }

    /// The base that a pool needs next.
    #[must_use]
    pub fn wanted_base(&self) -> Option<&'static str> {
        self.read(Plot::wanted_base)
    }

    /// Whether a lab is being provisioned, stopped, started or taken away, or lies still.
    #[must_use]
    pub fn is_at_rest(&self, cluster: &str, namespace: &str) -> bool {
        self.read(|plot| plot.is_at_rest(cluster, namespace))
    }

    /// Does what is due. `broken` are the labs, (cluster, namespace), that something else is wrong with: nobody stops those.
    pub fn step(&self, broken: &BTreeSet<(String, String)>) {
        self.change(|plot, now| plot.step(&self.0.clusters, broken, now));
    }
}

impl Told {
    /// Writes what changed to the control plane.
    fn write(&mut self, cluster: &Cluster, now: DateTime<Utc>) {
        let dirty = std::mem::take(&mut self.plot.dirty);
        if dirty.is_empty() {
            return;
        }
        let plot = &self.plot;
        let by_guid: BTreeMap<&str, &Order> = plot.orders.iter().map(|order| (order.guid.as_str(), order)).collect();
        let written = &mut self.written;
        cluster.with(|state, _| {
            for guid in dirty {
                let objects = by_guid
                    .get(guid.as_str())
                    .map(|order| of_order(plot, order, now))
                    .unwrap_or_default();
                let keys: BTreeSet<(Kind, String, String)> = objects.iter().filter_map(key).collect();
                for (kind, namespace, name) in written.remove(&guid).unwrap_or_default().difference(&keys) {
                    state.store.remove(*kind, namespace, name, now);
                }
                if !keys.is_empty() {
                    written.insert(guid, keys);
                }
                for object in objects {
                    put(state, object, now);
                }
            }
            for (position, pool) in plot.pools.iter().enumerate() {
                put(state, poolboy::pool(plot, position, pool, plot.began - TimeDelta::days(30)), now);
            }
            for (position, one) in plot.workshops.iter().enumerate() {
                for object in workshop::workshop(plot, position, one) {
                    put(state, object, now);
                }
            }
        });
    }
}

fn key(object: &Value) -> Option<(Kind, String, String)> {
    Some((
        Kind::of_object(object)?,
        text(object, "/metadata/namespace").to_owned(),
        name(object).to_owned(),
    ))
}

fn put(state: &mut crate::cluster::State, object: Value, now: DateTime<Utc>) {
    if let Some(kind) = Kind::of_object(&object) {
        state.store.put_quietly(kind, object, now);
    }
}

/// The objects of one order.
fn of_order(plot: &Plot, order: &Order, now: DateTime<Utc>) -> Vec<Value> {
    let mut objects = Vec::new();
    for (index, part) in order.parts.iter().enumerate() {
        objects.push(subject::subject(plot, order, part, index));
        objects.extend(subject::actions_and_runs(part, now));
    }
    if order.has_handle() {
        objects.push(poolboy::handle(plot, order));
    }
    if let Some(claim) = &order.claim {
        objects.push(poolboy::claim(plot, order, claim));
    }
    objects
}

/// What is there before the first order: namespaces, the catalog, providers, governors, components, the event, the Sandbox API's deployment.
fn platform(plot: &Plot, now: DateTime<Utc>) -> Vec<Value> {
    let at = now - TimeDelta::days(90);
    let mut objects = Vec::new();
    let mut namespaces: BTreeSet<String> = [
        "poolboy",
        catalog::CONFIG_NAMESPACE,
        "babylon-sandbox-api",
        "babylon-multi-workshops",
    ]
    .into_iter()
    .chain(ANARCHY_NAMESPACES)
    .map(str::to_owned)
    .collect();
    namespaces.extend(ITEMS.iter().map(Item::catalog));
    namespaces.extend(plot.workshops.iter().map(|workshop| workshop.namespace.clone()));
    namespaces.extend(
        plot.orders
            .iter()
            .filter_map(|order| order.claim.as_ref())
            .map(|claim| claim.namespace.clone()),
    );
    objects.extend(namespaces.iter().map(|namespace| control_plane_namespace(namespace, at)));
    objects.extend(ITEMS.iter().map(|item| catalog::item(item, at)));
    objects.extend(ITEMS.iter().map(|item| catalog::component(item, at)));
    objects.extend(catalog::linked_components(at));
    objects.extend(catalog::repos(now, at));
    objects.extend(ITEMS.iter().map(|item| poolboy::provider(item, at)));
    objects.extend(poolboy::linked_providers(at));
    for namespace in ANARCHY_NAMESPACES {
        let of_items = ITEMS.iter().filter(|item| shares(item, namespace));
        objects.extend(of_items.map(|item| subject::governor(&item.name(), namespace, at)));
    }
    objects.extend(LINKED.iter().map(|(linked, _)| subject::governor(linked, "babylon-anarchy-1", at)));
    objects.push(workshop::multi_workshop(plot, at));
    objects.push(sandbox_api(at));
    objects
}

/// Whether subjects of an item can be in this Anarchy namespace.
fn shares(item: &Item, namespace: &str) -> bool {
    match item.stage {
        "event" => namespace.starts_with("babylon-anarchy-events"),
        "prod" => namespace == "babylon-anarchy-1",
        _ => namespace == "babylon-anarchy",
    }
}

fn control_plane_namespace(namespace: &str, at: DateTime<Utc>) -> Value {
    let mut labels = json!({"kubernetes.io/metadata.name": namespace});
    let mut annotations = Value::Null;
    if namespace.starts_with("babylon-catalog-") {
        labels["babylon.gpte.redhat.com/catalog"] = json!(namespace.trim_start_matches("babylon-catalog-"));
    }
    if let Some(user) = namespace.strip_prefix("user-") {
        labels["usernamespace.gpte.redhat.com/user-uid"] = json!(Seed::new(15).for_name(user).uuid());
        annotations = json!({"openshift.io/requester": format!("{user}@people.example.test")});
    }
    let uid = Seed::new(16).for_name(namespace).uuid();
    let meta = Meta {
        kind: Kind::Namespace,
        namespace: "",
        name: namespace,
        uid: &uid,
        created: at,
        deleted: None,
        labels,
        annotations,
        finalizers: &[],
    };
    object(meta, json!({"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}))
}

/// The Deployment of the Sandbox API.
fn sandbox_api(at: DateTime<Utc>) -> Value {
    let uid = Seed::new(17).uuid();
    let meta = Meta {
        kind: Kind::Deployment,
        namespace: "babylon-sandbox-api",
        name: "sandbox-api",
        uid: &uid,
        created: at,
        deleted: None,
        labels: json!({"app": "sandbox-api"}),
        annotations: Value::Null,
        finalizers: &[],
    };
    let template = json!({"metadata": {"labels": {"app": "sandbox-api"}}, "spec": {"containers": [{"name": "api", "image": "registry.example.test/sandbox-api:1",
        "env": [{"name": "JWT_AUTH_SECRET", "value": cast::secret("jwt", "sandbox-api")}]}]}});
    object(
        meta,
        json!({"spec": {"replicas": 2, "selector": {"matchLabels": {"app": "sandbox-api"}}, "template": template},
        "status": {"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "updatedReplicas": 2}}),
    )
}
