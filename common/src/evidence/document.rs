//! The evidence document: what `expr:` criteria and class conditions may ask, as typed variables over the objects that were read.
//!
//! Every field is declared once, with its type, its sentence for people and how it is read; `stargate rubric explain evidence` prints
//! the tables. Nothing is copied: a variable that no rubric mentions costs nothing, a field is read when it is asked for.
//!
//! What was not read is unknown with the reason of its kind: the whole variable, or what a list lacks. Objects hold no secrets,
//! environment or commands, and of annotations only those that readiness reads; a map says so when it is asked for others.

mod cluster;
mod machines;
mod network;
mod workload;

use std::cell::OnceCell;
use std::fmt::Write as _;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};

use self::cluster::{CLUSTER, LAB, NAMESPACE, NODE, OPERATOR};
use self::machines::{DATA_VOLUME, MODEL, PVC, VM, VMI};
use self::network::{ENDPOINTS, EndpointsOf, INGRESS, PROBE, ROUTE, SERVICE};
use self::workload::{DAEMON_SET, DEPLOYMENT, DEPLOYMENT_CONFIG, EVENT, JOB, POD, STATEFUL_SET};
use super::View;
use crate::expr::{self, Element, Entries, List, Object, RecordType, Schema, Sequence, Type, Value, Variable};
use crate::objects::meta::KEPT_ANNOTATIONS;
use crate::objects::{ClusterInventory, Condition, Labels, Listing, Meta, meta};
use crate::unknown::UnknownReason;

/// Declares the record of a Kubernetes object: the fields that all have, then its own.
macro_rules! object {
    (
        $(#[$meta:meta])*
        $visibility:vis static $table:ident for $rust:ty as $kind:literal, $doc:literal;
        $($rest:tt)*
    ) => {
        $crate::expr::schema::record! {
            $(#[$meta])*
            $visibility static $table for $rust as $kind, called |it| ($kind, &it.metadata.name), $doc;
            "name": $crate::expr::Type::Text, "Its name." => |it, _| $crate::expr::Value::text(&it.metadata.name);
            "labels": $crate::expr::Type::Map, "Its labels." => |it, _| $crate::expr::Value::Map(&it.metadata.labels);
            "annotations": $crate::expr::Type::Map, "Its annotations, of those that are kept: others are unknown."
                => |it, _| $crate::expr::Value::Map(&it.metadata);
            "age_seconds": $crate::expr::Type::Int, "Seconds since it was created."
                => |it, now| $crate::expr::Value::seconds_since(it.metadata.creation_timestamp, now);
            "terminating": $crate::expr::Type::Bool, "Whether it is being deleted."
                => |it, _| $crate::expr::Value::Bool(it.metadata.deletion_timestamp.is_some());
            $($rest)*
        }
    };
}

use object;

/// How many of the variables are about the cluster: these come first, and `cluster-health` knows no others.
const OF_CLUSTER: usize = 3;

/// Every variable, by index. The order is part of compiled expressions, not of anything that is stored.
static VARIABLES: LazyLock<Vec<Variable>> = LazyLock::new(|| {
    let list = |name, record: &'static RecordType, doc| Variable::fixed(name, Type::List(Element::Record(record)), doc);
    vec![
        Variable::fixed("cluster", Type::Record(&CLUSTER), "The cluster that it runs on."),
        list("nodes", &NODE, "Nodes of the cluster."),
        list("operators", &OPERATOR, "Cluster operators."),
        Variable::fixed(
            "ns",
            Type::Record(&NAMESPACE),
            "The namespace of the lab (CEL reserves the long word); absent when it does not exist.",
        ),
        Variable::fixed(
            "lab",
            Type::Record(&LAB),
            "The lab as it is called and meant; what nobody told is unknown.",
        ),
        list("pods", &POD, "Pods, those of VMs, disks, Jobs and models too."),
        list("deployments", &DEPLOYMENT, "Deployments."),
        list("statefulsets", &STATEFUL_SET, "StatefulSets."),
        list("daemonsets", &DAEMON_SET, "DaemonSets."),
        list("deploymentconfigs", &DEPLOYMENT_CONFIG, "OpenShift DeploymentConfigs."),
        list("jobs", &JOB, "Jobs."),
        list("services", &SERVICE, "Services."),
        list(
            "endpoints",
            &ENDPOINTS,
            "What stands behind each Service that has any endpoints, ready or not.",
        ),
        list("routes", &ROUTE, "OpenShift Routes."),
        list("ingresses", &INGRESS, "Ingresses."),
        list("pvcs", &PVC, "PersistentVolumeClaims."),
        list("datavolumes", &DATA_VOLUME, "CDI DataVolumes."),
        list("vms", &VM, "KubeVirt VirtualMachines."),
        list("vmis", &VMI, "KubeVirt VirtualMachineInstances: VMs that run."),
        list("inferenceservices", &MODEL, "KServe InferenceServices."),
        list("events", &EVENT, "Warning events."),
        list("probes", &PROBE, "What StarGate itself saw when it asked from outside."),
    ]
});

/// The variables that rubrics of an instance's stages may mention.
#[must_use]
pub fn variables() -> &'static [Variable] {
    &VARIABLES
}

/// The variables that the rubric of `cluster-health` may mention: the first of [`variables`].
#[must_use]
pub fn cluster_variables() -> &'static [Variable] {
    VARIABLES.get(..OF_CLUSTER).unwrap_or_default()
}

/// The schema of an instance's document.
#[must_use]
pub fn schema() -> Schema {
    variables().iter().cloned().collect()
}

/// How a lab is called elsewhere and what it is: what others have found out, and nobody does again.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lab<'a> {
    /// Kind of lab, when it is known.
    pub kind: Option<&'a str>,
    /// Catalog item.
    pub catalog_item: Option<&'a str>,
    /// Id of the order.
    pub guid: Option<&'a str>,
    /// UUID of the placement.
    pub service_uuid: Option<&'a str>,
}

/// The document of one instance, of one cluster, or of nothing.
#[derive(Debug)]
pub struct EvidenceDocument<'a> {
    now: DateTime<Utc>,
    cluster: Option<&'a ClusterInventory>,
    view: Option<View<'a>>,
    lab: cluster::LabRecord<'a>,
    endpoints: OnceCell<Vec<EndpointsOf<'a>>>,
}

impl<'a> EvidenceDocument<'a> {
    /// What is known of an instance.
    #[must_use]
    pub fn of_instance(view: View<'a>, lab: Lab<'a>) -> Self {
        Self {
            now: view.now,
            cluster: Some(view.cluster),
            lab: cluster::LabRecord::of(lab, view.lifecycle),
            view: Some(view),
            endpoints: OnceCell::new(),
        }
    }

    /// What is known of a cluster.
    #[must_use]
    pub fn of_cluster(cluster: &'a ClusterInventory, now: DateTime<Utc>) -> Self {
        Self {
            cluster: Some(cluster),
            ..Self::unread(now)
        }
    }

    /// Nothing was read at all: every variable is `not_collected`.
    #[must_use]
    pub fn unread(now: DateTime<Utc>) -> Self {
        Self {
            now,
            cluster: None,
            view: None,
            lab: cluster::LabRecord::default(),
            endpoints: OnceCell::new(),
        }
    }

    /// When the namespace was created, if it was read.
    #[must_use]
    pub fn created_at(&self) -> Option<DateTime<Utc>> {
        super::namespace::created_at(self.view?.inventory)
    }

    fn of_view(&self, index: usize) -> Option<Value<'_>> {
        let inventory = self.view.as_ref()?.inventory;
        Some(match index {
            3 => match (inventory.namespace.items.first(), inventory.namespace.missing) {
                (Some(namespace), _) => Value::Record(namespace),
                (None, Some(reason)) => Value::Unknown(reason),
                (None, None) => Value::ABSENT,
            },
            4 => Value::Record(&self.lab),
            5 => list(&inventory.pods),
            6 => list(&inventory.deployments),
            7 => list(&inventory.stateful_sets),
            8 => list(&inventory.daemon_sets),
            9 => list(&inventory.deployment_configs),
            10 => list(&inventory.jobs),
            11 => list(&inventory.services),
            12 => {
                let endpoints = self.endpoints.get_or_init(|| network::endpoints(inventory));
                Value::List(List::of(endpoints, network::endpoints_missing(inventory)))
            }
            13 => list(&inventory.routes),
            14 => list(&inventory.ingresses),
            15 => list(&inventory.claims),
            16 => list(&inventory.data_volumes),
            17 => list(&inventory.vms),
            18 => list(&inventory.vmis),
            19 => list(&inventory.inference_services),
            20 => list(&inventory.events),
            21 => list(&inventory.probes),
            _ => return None,
        })
    }
}

impl expr::Document for EvidenceDocument<'_> {
    fn variable(&self, index: usize) -> Value<'_> {
        let known = match (index, self.cluster) {
            (0, Some(cluster)) => Some(Value::Record(cluster)),
            (1, Some(cluster)) => Some(list(&cluster.nodes)),
            (2, Some(cluster)) => Some(list(&cluster.operators)),
            _ => self.of_view(index),
        };
        known.unwrap_or(Value::Unknown(UnknownReason::NotCollected))
    }

    fn now(&self) -> DateTime<Utc> {
        self.now
    }
}

fn list<T: Object>(listing: &Listing<T>) -> Value<'_>
where
    Vec<T>: Sequence,
{
    Value::List(List::of(&listing.items, listing.missing))
}

impl Entries for Labels {
    fn entry(&self, name: &str) -> Result<Option<&str>, UnknownReason> {
        Ok(self.get(name).map(String::as_str))
    }

    fn count(&self) -> Result<usize, UnknownReason> {
        Ok(self.keys().count())
    }
}

/// The annotations of an object. Most are dropped when it is read, so of those nothing is known.
impl Entries for Meta {
    fn entry(&self, name: &str) -> Result<Option<&str>, UnknownReason> {
        if KEPT_ANNOTATIONS.iter().any(|prefix| name.starts_with(prefix)) {
            Ok(self.annotations.get(name).map(String::as_str))
        } else {
            Err(UnknownReason::NotCollected)
        }
    }

    fn count(&self) -> Result<usize, UnknownReason> {
        Err(UnknownReason::NotCollected)
    }
}

/// Whether a condition is true; absent while nobody has written it, unknown while it is `Unknown`.
fn condition<'v>(conditions: &'v [Condition], kind: &str) -> Value<'v> {
    match meta::condition(conditions, kind) {
        None => Value::ABSENT,
        Some(condition) if condition.is_true() => Value::Bool(true),
        Some(condition) if condition.is_false() => Value::Bool(false),
        Some(_) => Value::Unknown(UnknownReason::UnrecognizedState),
    }
}

/// The variables and their fields, for people who write expressions.
#[must_use]
pub fn explain() -> String {
    let mut text = String::from(
        "The evidence document: what `expr:` criteria and the conditions of failure classes may ask.\n\
         What was not read is unknown with its reason, and so is every answer that depends on it.\n\
         A field that is not there is unknown, too; `has(x.field)` says whether it is.\n",
    );
    let mut records: Vec<&'static RecordType> = Vec::new();
    text.push_str("\nVariables\n");
    for variable in variables() {
        line(&mut text, &variable.name, variable.ty, &variable.doc);
        note(&mut records, variable.ty);
    }
    let mut at = 0;
    while let Some(record) = records.get(at).copied() {
        let _ = write!(text, "\n{}: {}\n", record.name, record.doc);
        for field in record.fields {
            line(&mut text, field.name, field.ty, field.doc);
            note(&mut records, field.ty);
        }
        at += 1;
    }
    text
}

fn line(text: &mut String, name: &str, ty: Type, doc: &str) {
    let _ = writeln!(text, "  {name:<20} {ty:<28} {doc}");
}

fn note(records: &mut Vec<&'static RecordType>, ty: Type) {
    if let Type::Record(record) | Type::List(Element::Record(record)) = ty
        && !records.contains(&record)
    {
        records.push(record);
    }
}

#[cfg(test)]
mod tests;
