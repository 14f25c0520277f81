//! The cluster, the namespace, and what the lab is.

use super::{Lab, condition, object};
use crate::evidence::{Intent, Lifecycle, Phase};
use crate::expr::schema::record;
use crate::expr::{Type, Value};
use crate::objects::{ClusterInventory, ClusterOperator, Namespace, Node};
use crate::unknown::UnknownReason;

record! {
    pub(super) static CLUSTER for ClusterInventory as "Cluster", called |it| ("Cluster", &it.name), "A cluster.";
    "name": Type::Text, "Its name." => |it, _| Value::text(&it.name);
    "version": Type::Text, "OpenShift version that is wanted, for example 4.18.3." => |it, _| match (it.versions.items.first(), it.versions.missing) {
        (Some(version), _) => Value::text_if_set(&version.status.desired.version),
        (None, Some(reason)) => Value::Unknown(reason),
        (None, None) => Value::ABSENT,
    };
}

object! {
    pub(super) static NODE for Node as "Node", "A node.";
    "ready": Type::Bool, "Condition Ready." => |it, _| condition(&it.status.conditions, "Ready");
    "cordoned": Type::Bool, "Whether it takes no new pods." => |it, _| Value::Bool(it.spec.unschedulable);
    "kubelet_version": Type::Text, "Version of its kubelet." => |it, _| Value::text_if_set(&it.status.node_info.kubelet_version);
}

object! {
    pub(super) static OPERATOR for ClusterOperator as "ClusterOperator", "An operator of the cluster.";
    "available": Type::Bool, "Condition Available." => |it, _| condition(&it.status.conditions, "Available");
    "degraded": Type::Bool, "Condition Degraded." => |it, _| condition(&it.status.conditions, "Degraded");
    "progressing": Type::Bool, "Condition Progressing." => |it, _| condition(&it.status.conditions, "Progressing");
}

object! {
    pub(super) static NAMESPACE for Namespace as "Namespace", "A namespace.";
    "phase": Type::Text, "Active or Terminating." => |it, _| Value::text_if_set(&it.status.phase);
}

/// A lab with its lifecycle.
#[derive(Debug, Default)]
pub(super) struct LabRecord<'a> {
    lab: Lab<'a>,
    intent: Option<&'static str>,
    phase: Option<&'static str>,
}

impl<'a> LabRecord<'a> {
    pub(super) const fn of(lab: Lab<'a>, lifecycle: &Lifecycle) -> Self {
        let intent = match lifecycle.intent {
            Intent::Started => Some("started"),
            Intent::Stopped => Some("stopped"),
            Intent::Unknown => None,
        };
        let phase = match lifecycle.phase {
            Phase::Requested => Some("requested"),
            Phase::Provisioning => Some("provisioning"),
            Phase::Started => Some("started"),
            Phase::Starting => Some("starting"),
            Phase::Stopping => Some("stopping"),
            Phase::Stopped => Some("stopped"),
            Phase::Failed => Some("failed"),
            Phase::Destroying => Some("destroying"),
            Phase::Unknown => None,
        };
        Self { lab, intent, phase }
    }
}

/// Nobody told: which is not the same as that there is none.
fn told(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Unknown(UnknownReason::NotCollected), Value::text)
}

record! {
    pub(super) static LAB for LabRecord<'_> as "Lab", called |it| ("Lab", it.lab.guid.unwrap_or_default()), "What the lab is.";
    "kind": Type::Text, "vm, container, container-vm, model, showroom-tenant or nested-cluster." => |it, _| told(it.lab.kind);
    "intent": Type::Text, "What it is meant to be: started or stopped." => |it, _| told(it.intent);
    "phase": Type::Text, "requested, provisioning, starting, started, stopping, stopped, failed or destroying." => |it, _| told(it.phase);
    "catalog_item": Type::Text, "Catalog item, account.item.stage." => |it, _| told(it.lab.catalog_item);
    "guid": Type::Text, "Random id of the order." => |it, _| told(it.lab.guid);
    "service_uuid": Type::Text, "UUID of the placement." => |it, _| told(it.lab.service_uuid);
}
