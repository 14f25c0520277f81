//! Nodes, their load, cluster operators and the version.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::meta::{Condition, Meta, is_false, null_is_default};

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Identity and role labels.
    pub metadata: Meta,
    /// Cordoned or not.
    #[serde(deserialize_with = "null_is_default")]
    pub spec: NodeSpec,
    /// Conditions and capacity.
    #[serde(deserialize_with = "null_is_default")]
    pub status: NodeStatus,
}

/// Spec of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the Kubernetes spec field of that name")]
pub struct NodeSpec {
    #[serde(skip_serializing_if = "is_false")]
    pub unschedulable: bool,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub taints: Vec<Taint>,
}

/// What keeps pods off a node, unless they tolerate it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the Kubernetes taint field of that name")]
pub struct Taint {
    pub key: String,
    pub effect: String,
}

impl Taint {
    /// Whether it sets the node aside for some purpose. What Kubernetes itself taints is in trouble or cordoned, not set aside.
    #[must_use]
    pub fn sets_aside(&self) -> bool {
        matches!(self.effect.as_str(), "NoSchedule" | "NoExecute") && !self.key.starts_with("node.kubernetes.io/")
    }
}

/// Status of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes status field of that name")]
pub struct NodeStatus {
    #[serde(deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
    /// Resource name to quantity.
    #[serde(deserialize_with = "null_is_default")]
    pub allocatable: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_is_default")]
    pub node_info: NodeInfo,
}

/// `status.nodeInfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes status field of that name")]
pub struct NodeInfo {
    pub kubelet_version: String,
}

/// Load of a node, from `metrics.k8s.io`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeMetrics {
    /// Named like the node.
    pub metadata: Meta,
    /// When it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<DateTime<Utc>>,
    /// `cpu` and `memory` as quantities.
    #[serde(deserialize_with = "null_is_default")]
    pub usage: BTreeMap<String, String>,
}

/// An OpenShift ClusterOperator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterOperator {
    /// Identity.
    pub metadata: Meta,
    /// Available, Degraded, Progressing.
    #[serde(deserialize_with = "null_is_default")]
    pub status: OperatorStatus,
}

/// Status of a ClusterOperator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the OpenShift status field of that name")]
pub struct OperatorStatus {
    #[serde(deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
}

/// The OpenShift ClusterVersion.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterVersion {
    /// Identity.
    pub metadata: Meta,
    /// Which version, and whether an upgrade runs.
    #[serde(deserialize_with = "null_is_default")]
    pub status: VersionStatus,
}

/// Status of the ClusterVersion.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the OpenShift status field of that name")]
pub struct VersionStatus {
    #[serde(deserialize_with = "null_is_default")]
    pub desired: DesiredVersion,
    #[serde(deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
}

/// `status.desired`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the OpenShift status field of that name")]
pub struct DesiredVersion {
    pub version: String,
}
