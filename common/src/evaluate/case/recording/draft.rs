//! What was read of a namespace, as the objects of a case, without what is nobody's business.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::time::is_time;
use crate::collect::record::scrub;
use crate::objects::{ClusterInventory, Inventory, Kind, Listing, Snapshot};
use crate::unknown::UnknownReason;

/// Labels that criteria read, or that say what belongs to what.
const LABELS: [&str; 9] = [
    "app",
    "app.kubernetes.io/name",
    "batch.kubernetes.io/job-name",
    "cluster.ocs.openshift.io/openshift-storage",
    "created-by",
    "guid",
    "kubernetes.io/service-name",
    "pod-template-hash",
    "vm",
];
/// The same, by what they begin with.
const LABEL_PREFIXES: [&str; 7] = [
    "cdi.kubevirt.io",
    "kubevirt.io",
    "node-role.kubernetes.io/",
    "node.kubernetes.io/",
    "serving.kserve.io/",
    "serving.knative.dev/",
    "vm.kubevirt.io/",
];
/// Fields with the wording of a person or a program, and names made of ids. They stay only where a verdict depends on them.
const TEXTS: [&str; 3] = ["message", "note", "volumeName"];

/// The parts of a case.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) namespace: String,
    pub(super) gone: bool,
    pub(super) resources: Vec<Value>,
    pub(super) subjects: Vec<Value>,
    pub(super) probes: Vec<Value>,
    pub(super) smoke_runs: Vec<Value>,
    pub(super) read: BTreeSet<Kind>,
    pub(super) not_read: BTreeMap<Kind, UnknownReason>,
    pub(super) cluster_facts: Map<String, Value>,
    pub(super) no_effect: Vec<String>,
}

/// Whether anything of the cluster itself was recorded.
pub(super) fn is_about_cluster(cluster: &ClusterInventory) -> bool {
    let missing = [
        cluster.nodes.missing,
        cluster.node_metrics.missing,
        cluster.operators.missing,
        cluster.versions.missing,
        cluster.critical_alerts.missing,
    ];
    cluster.reachable.is_some() || missing.iter().any(|missing| *missing != Some(UnknownReason::NotCollected))
}

impl Draft {
    /// Everything of one namespace and its cluster.
    pub(super) fn of(snapshot: &Snapshot, namespace: &str, at: DateTime<Utc>) -> Self {
        let mut draft = Self {
            namespace: namespace.to_owned(),
            gone: false,
            resources: Vec::new(),
            subjects: Vec::new(),
            probes: Vec::new(),
            smoke_runs: Vec::new(),
            read: BTreeSet::new(),
            not_read: BTreeMap::new(),
            cluster_facts: Map::new(),
            no_effect: Vec::new(),
        };
        draft.cluster(&snapshot.cluster);
        for inventory in snapshot.namespaces.values() {
            draft.inventory(inventory);
        }
        let selectors = draft.selectors();
        let nodes = draft.nodes();
        let lists = [&mut draft.resources, &mut draft.subjects, &mut draft.probes, &mut draft.smoke_runs];
        for item in lists.into_iter().flatten() {
            clean(item, at, &selectors, &nodes);
            scrub::value(item);
        }
        draft
    }

    fn cluster(&mut self, cluster: &ClusterInventory) {
        let ClusterInventory {
            name: _,
            reachable,
            nodes,
            node_metrics,
            operators,
            versions,
            // No criterion reads it.
            subscriptions: _,
            critical_alerts,
            job_backlogs,
        } = cluster;
        self.list(Kind::Node, nodes);
        self.list(Kind::NodeMetrics, node_metrics);
        self.list(Kind::ClusterOperator, operators);
        self.list(Kind::ClusterVersion, versions);
        match reachable {
            None => drop(self.cluster_facts.insert("reachable".to_owned(), json!({"asked": false}))),
            Some(asked) if asked.answered && asked.authorized => {}
            Some(asked) => {
                let said = json!({"answered": asked.answered, "authorized": asked.authorized, "detail": asked.detail});
                self.cluster_facts.insert("reachable".to_owned(), said);
            }
        }
        if critical_alerts.missing.is_none() {
            self.cluster_facts
                .insert("critical_alerts".to_owned(), json!(critical_alerts.items));
        }
        if job_backlogs.missing.is_none() {
            self.cluster_facts.insert("job_backlogs".to_owned(), json!(job_backlogs.items));
        }
    }

    fn inventory(&mut self, inventory: &Inventory) {
        let Inventory {
            name: _,
            namespace,
            pods,
            deployments,
            stateful_sets,
            daemon_sets,
            deployment_configs,
            jobs,
            services,
            endpoint_slices,
            endpoints,
            routes,
            ingresses,
            vms,
            vmis,
            data_volumes,
            claims,
            quotas,
            inference_services,
            events,
            probes,
            subjects,
            smoke_runs,
        } = inventory;
        self.gone = namespace.items.is_empty() && namespace.missing.is_none();
        self.list(Kind::Namespace, namespace);
        self.list(Kind::Pod, pods);
        self.list(Kind::Deployment, deployments);
        self.list(Kind::StatefulSet, stateful_sets);
        self.list(Kind::DaemonSet, daemon_sets);
        self.list(Kind::DeploymentConfig, deployment_configs);
        self.list(Kind::Job, jobs);
        self.list(Kind::Service, services);
        self.list(Kind::EndpointSlice, endpoint_slices);
        self.list(Kind::Endpoints, endpoints);
        self.list(Kind::Route, routes);
        self.list(Kind::Ingress, ingresses);
        self.list(Kind::VirtualMachine, vms);
        self.list(Kind::VirtualMachineInstance, vmis);
        self.list(Kind::DataVolume, data_volumes);
        self.list(Kind::PersistentVolumeClaim, claims);
        self.list(Kind::ResourceQuota, quotas);
        self.list(Kind::InferenceService, inference_services);
        self.list(Kind::Event, events);
        self.probes = self.items(Kind::Probe, probes);
        self.subjects = self.items(Kind::Subject, subjects);
        self.smoke_runs = self.items(Kind::SmokeRun, smoke_runs);
    }

    fn list<T: Serialize>(&mut self, kind: Kind, listing: &Listing<T>) {
        let mut objects = self.items(kind, listing);
        for object in &mut objects {
            if let Some(resource) = kind.resource() {
                object["apiVersion"] = json!(resource.api_version());
                object["kind"] = json!(resource.object);
            }
        }
        self.resources.append(&mut objects);
    }

    fn items<T: Serialize>(&mut self, kind: Kind, listing: &Listing<T>) -> Vec<Value> {
        match (listing.missing, listing.items.is_empty()) {
            (None, true) => drop(self.read.insert(kind)),
            // Nobody asked, and the case says so by what it lists as read.
            (None, false) | (Some(UnknownReason::NotCollected), true) => {}
            (Some(reason), _) => drop(self.not_read.insert(kind, reason)),
        }
        // The projections have names for keys, which every value can be written with.
        listing.items.iter().filter_map(|item| serde_json::to_value(item).ok()).collect()
    }

    /// Keys that Services select by.
    fn selectors(&self) -> BTreeSet<String> {
        let services = self.resources.iter().filter_map(|object| object["spec"]["selector"].as_object());
        services.flat_map(Map::keys).cloned().collect()
    }

    /// Nodes by name, and what they are called instead.
    fn nodes(&self) -> BTreeMap<String, String> {
        let mut names = BTreeSet::new();
        for object in &self.resources {
            let of_cluster = matches!(object["kind"].as_str(), Some("Node" | "NodeMetrics")).then(|| &object["metadata"]["name"]);
            let all = [of_cluster, Some(&object["spec"]["nodeName"]), Some(&object["status"]["nodeName"])];
            names.extend(all.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        }
        (1..).zip(names).map(|(number, name)| (name, format!("node-{number}"))).collect()
    }

    /// The same without any free text.
    pub(super) fn without_texts(&self) -> Self {
        let mut less = self.clone();
        less.resources.iter_mut().for_each(drop_texts);
        less
    }

    /// The same without the free text of one object.
    pub(super) fn without_texts_of(&self, index: usize) -> Self {
        let mut less = self.clone();
        less.resources.get_mut(index).into_iter().for_each(drop_texts);
        less
    }

    /// The same without these statements, by what they are called.
    pub(super) fn without(&self, idle: &[String]) -> Self {
        let mut less = self.clone();
        let is_idle = |name: String| idle.contains(&name);
        less.resources
            .retain(|object| !is_idle(format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))));
        less.subjects
            .retain(|subject| !is_idle(format!("subject/{}", text(&subject["name"]))));
        less.probes
            .retain(|probe| !is_idle(format!("probe/{}/{}", text(&probe["kind"]), text(&probe["target"]))));
        less.smoke_runs.retain(|run| !is_idle(format!("smoke-run/{}", run["id"])));
        less.not_read.retain(|kind, _| !is_idle(format!("not_read: {kind}")));
        less.cluster_facts.retain(|name, _| !is_idle(format!("cluster_facts: {name}")));
        // What was read is said with the objects that were there: where these are gone, that they were read must stay.
        for object in &self.resources {
            let kind = Kind::recognise(text(&object["apiVersion"]), text(&object["kind"]));
            less.read.extend(kind.filter(|kind| !less.not_read.contains_key(kind)));
        }
        for (kind, items) in [
            (Kind::Subject, &self.subjects),
            (Kind::Probe, &self.probes),
            (Kind::SmokeRun, &self.smoke_runs),
        ] {
            if !items.is_empty() && !less.not_read.contains_key(&kind) {
                less.read.insert(kind);
            }
        }
        less
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn drop_texts(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|field, _| !TEXTS.contains(&field.as_str()));
            map.values_mut().for_each(drop_texts);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Takes out what is nobody's business, and counts times from the evaluation.
fn clean(object: &mut Value, at: DateTime<Utc>, selectors: &BTreeSet<String>, nodes: &BTreeMap<String, String>) {
    let name = text(&object["metadata"]["name"]).to_owned();
    let is_namespace = text(&object["kind"]) == "Namespace";
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("namespace");
        // A namespace without a uid is one that was not made yet; all other uids say nothing.
        match metadata.remove("uid") {
            None if is_namespace => drop(metadata.insert("uid".to_owned(), json!(""))),
            _ => {}
        }
    }
    walk(object, &|map| {
        if let Some(labels) = map.get_mut("labels").and_then(Value::as_object_mut) {
            labels.retain(|key, value| is_kept(key, text(value), selectors));
        }
        for (field, value) in map.iter_mut() {
            let Some(said) = value.as_str() else { continue };
            if is_time(field) {
                let moment = DateTime::parse_from_rfc3339(said).ok();
                if let Some(moment) = moment {
                    *value = json!(offset((moment.with_timezone(&Utc) - at).num_seconds()));
                }
            } else if matches!(field.as_str(), "nodeName" | "name")
                && let Some(other) = nodes.get(said)
            {
                *value = json!(other);
            } else if field == "host" && !said.is_empty() {
                *value = json!(format!("{name}.apps.example.com"));
            } else if field == "url" {
                *value = json!(format!("https://{name}.apps.example.com"));
            }
        }
    });
}

fn is_kept(key: &str, value: &str, selectors: &BTreeSet<String>) -> bool {
    if key == "created-by" {
        return value == "sandbox-api";
    }
    LABELS.contains(&key) || LABEL_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) || selectors.contains(key)
}

fn walk(value: &mut Value, change: &dyn Fn(&mut Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            change(map);
            map.values_mut().for_each(|value| walk(value, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| walk(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Seconds as cases write them: `-1h30m`.
fn offset(seconds: i64) -> String {
    let sign = if seconds > 0 { '+' } else { '-' };
    let mut rest = seconds.unsigned_abs();
    let mut out = String::from(sign);
    for (unit, length) in [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)] {
        if rest >= length {
            out.push_str(&format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if out.len() == 1 { "-0s".to_owned() } else { out }
}
