//! What belongs to the cluster: nodes and their usage, version, operators, namespaces, quotas.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Condition, Site, set_condition};
use crate::{clock::stamp, kinds::Kind, template::Slot};

/// What a node is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Control plane, tainted.
    ControlPlane,
    /// Routers, registry, monitoring.
    Infra,
    /// Storage daemons.
    Storage,
    /// Labs.
    Worker,
}

/// CPU of every node: 64 cores, of which the system keeps half a core.
pub(crate) const ALLOCATABLE_MILLICORES: i64 = 63_500;
/// Memory of every node in KiB: 256 GiB less what the system keeps.
pub(crate) const ALLOCATABLE_KIB: i64 = 262_930_000;

/// A ready node.
pub(crate) fn node(site: &mut Site<'_>, node_name: &str, role: Role) -> Value {
    let role_label = match role {
        Role::ControlPlane => "node-role.kubernetes.io/control-plane",
        Role::Infra => "node-role.kubernetes.io/infra",
        Role::Storage => "cluster.ocs.openshift.io/openshift-storage",
        Role::Worker => "node-role.kubernetes.io/worker",
    };
    let mut labels = json!({"kubernetes.io/hostname": node_name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", (role_label): "",
        "topology.kubernetes.io/zone": "zone-a", "kubevirt.io/schedulable": if role == Role::Worker { "true" } else { "false" }});
    if matches!(role, Role::Infra | Role::Storage) {
        labels["node-role.kubernetes.io/worker"] = json!("");
    }
    let taints = match role {
        Role::ControlPlane => json!([{"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"}]),
        Role::Infra => json!([{"key": "node-role.kubernetes.io/infra", "effect": "NoSchedule"}]),
        Role::Storage => json!([{"key": "node.ocs.openshift.io/storage", "value": "true", "effect": "NoSchedule"}]),
        Role::Worker => Value::Null,
    };
    let mut spec = json!({"providerID": format!("baremetalhost:///openshift-machine-api/{node_name}")});
    if !taints.is_null() {
        spec["taints"] = taints;
    }
    let amounts = |millicores: i64, kib: i64| {
        json!({"cpu": format!("{millicores}m"), "memory": format!("{kib}Ki"), "pods": "500", "ephemeral-storage": "862000000Ki",
        "devices.kubevirt.io/kvm": "1k"})
    };
    let status = json!({"allocatable": amounts(ALLOCATABLE_MILLICORES, ALLOCATABLE_KIB), "capacity": amounts(64_000, 268_435_456),
        "addresses": [{"type": "InternalIP", "address": "192.0.2.10"}, {"type": "Hostname", "address": node_name}],
        "nodeInfo": {"kubeletVersion": "v1.33.5", "osImage": "Red Hat Enterprise Linux CoreOS 9.6", "kernelVersion": "5.14.0-570.el9.x86_64",
            "containerRuntimeVersion": "cri-o://1.33.4", "architecture": "amd64", "operatingSystem": "linux", "machineID": node_name, "systemUUID": node_name, "bootID": node_name}});
    let mut object = site.object(Kind::Node, node_name, &labels, json!({"spec": spec, "status": status}));
    set_node_ready(&mut object, true, site.at);
    object
}

/// Writes the conditions of a node that is ready, or that stopped reporting.
pub(crate) fn set_node_ready(node: &mut Value, ready: bool, at: DateTime<Utc>) {
    for (sort, reason, message) in [
        (
            "MemoryPressure",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ] {
        set_condition(
            node,
            Condition {
                sort,
                status: false,
                reason,
                message,
            },
            at,
        );
    }
    let (reason, message) = if ready {
        ("KubeletReady", "kubelet is posting ready status")
    } else {
        ("NodeStatusUnknown", "Kubelet stopped posting node status.")
    };
    set_condition(
        node,
        Condition {
            sort: "Ready",
            status: ready,
            reason,
            message,
        },
        at,
    );
    if !ready {
        for condition in node
            .pointer_mut("/status/conditions")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            condition["status"] = json!("Unknown");
            condition["reason"] = json!(reason);
            condition["message"] = json!(message);
        }
        node["spec"]["taints"] = json!([{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": stamp(at)}]);
    } else if super::array(node, "/spec/taints")
        .iter()
        .any(|taint| taint["key"] == "node.kubernetes.io/unreachable")
        && let Some(spec) = node.get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.remove("taints");
    }
}

/// A usage sample in percent of what is allocatable. Its timestamp is filled in when it is read.
pub(crate) fn node_metrics(node_name: &str, cpu_percent: i64, memory_percent: i64) -> Value {
    let usage = json!({"cpu": format!("{}n", ALLOCATABLE_MILLICORES * 10_000 * cpu_percent), "memory": format!("{}Ki", ALLOCATABLE_KIB / 100 * memory_percent)});
    json!({"apiVersion": "metrics.k8s.io/v1beta1", "kind": "NodeMetrics", "metadata": {"name": node_name, "creationTimestamp": Slot::Sampled.mark()},
        "timestamp": Slot::Sampled.mark(), "window": "5m0s", "usage": usage})
}

/// The cluster's version object.
pub(crate) fn cluster_version(site: &mut Site<'_>, version: &str) -> Value {
    let id = site.draw.uid();
    let mut object = site.object(
        Kind::ClusterVersion,
        "version",
        &Value::Null,
        json!({"spec": {"channel": "stable-4.20", "clusterID": id}, "status": {"desired": {"version": version},
            "history": [{"state": "Completed", "version": version, "startedTime": stamp(site.at), "completionTime": stamp(site.at), "verified": true}]}}),
    );
    for (sort, status) in [("Available", true), ("Failing", false), ("Progressing", false)] {
        set_condition(
            &mut object,
            Condition {
                sort,
                status,
                reason: "",
                message: if sort == "Available" { "Done applying" } else { "" },
            },
            site.at,
        );
    }
    object
}

/// A healthy cluster operator.
pub(crate) fn cluster_operator(site: &mut Site<'_>, operator: &str, version: &str) -> Value {
    let status = json!({"versions": [{"name": "operator", "version": version}], "relatedObjects": []});
    let mut object = site.object(Kind::ClusterOperator, operator, &Value::Null, json!({"spec": {}, "status": status}));
    for (sort, status) in [
        ("Available", true),
        ("Degraded", false),
        ("Progressing", false),
        ("Upgradeable", true),
    ] {
        set_condition(
            &mut object,
            Condition {
                sort,
                status,
                reason: "AsExpected",
                message: "",
            },
            site.at,
        );
    }
    object
}

/// An active namespace.
pub(crate) fn namespace(site: &mut Site<'_>, namespace_name: &str, labels: &Value) -> Value {
    let mut labels = labels.clone();
    labels["kubernetes.io/metadata.name"] = json!(namespace_name);
    labels["pod-security.kubernetes.io/audit"] = json!("restricted");
    labels["pod-security.kubernetes.io/warn"] = json!("restricted");
    site.object(
        Kind::Namespace,
        namespace_name,
        &labels,
        json!({"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}),
    )
}

/// The quota that the Sandbox API gives a namespace.
pub(crate) fn quota(site: &mut Site<'_>) -> Value {
    let hard = json!({"limits.cpu": "60", "limits.memory": "120Gi", "pods": "60", "persistentvolumeclaims": "30", "requests.cpu": "30", "requests.memory": "80Gi"});
    let used = json!({"limits.cpu": "9", "limits.memory": "14Gi", "pods": "6", "persistentvolumeclaims": "2", "requests.cpu": "2350m", "requests.memory": "9Gi"});
    site.object(
        Kind::ResourceQuota,
        "sandbox-quota",
        &Value::Null,
        json!({"spec": {"hard": hard}, "status": {"hard": hard, "used": used}}),
    )
}
