//! Services, endpoints, routes, and what StarGate's own probes saw.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::meta::{Condition, Meta, is_false, null_is_default};
use super::workload::ObjectRef;
use crate::unknown::UnknownReason;

/// A Service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Service {
    /// Identity and labels.
    pub metadata: Meta,
    /// Kind and selector.
    #[serde(deserialize_with = "null_is_default")]
    pub spec: ServiceSpec,
}

/// Spec of a Service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes spec field of that name")]
pub struct ServiceSpec {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(rename = "clusterIP", skip_serializing_if = "Option::is_none")]
    pub cluster_ip: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "null_is_default")]
    pub selector: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_false")]
    pub publish_not_ready_addresses: bool,
}

/// An EndpointSlice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointSlice {
    /// Identity; the label `kubernetes.io/service-name` names the Service.
    pub metadata: Meta,
    /// The endpoints, without addresses.
    #[serde(deserialize_with = "null_is_default")]
    pub endpoints: Vec<Endpoint>,
}

/// One endpoint of a slice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Endpoint {
    /// Readiness as the endpoint controller sees it.
    #[serde(deserialize_with = "null_is_default")]
    pub conditions: EndpointConditions,
    /// The pod behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_ref: Option<ObjectRef>,
}

/// Conditions of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointConditions {
    /// Absent means ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
    /// Absent means not terminating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminating: Option<bool>,
}

/// Core endpoints, named like their Service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Endpoints {
    /// Identity.
    pub metadata: Meta,
    /// Address sets.
    #[serde(deserialize_with = "null_is_default")]
    pub subsets: Vec<EndpointSubset>,
}

/// One address set. The addresses themselves are not kept, only what stands behind them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes field of that name")]
pub struct EndpointSubset {
    #[serde(deserialize_with = "null_is_default")]
    pub addresses: Vec<EndpointAddress>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub not_ready_addresses: Vec<EndpointAddress>,
}

/// One address of a subset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointAddress {
    /// The pod behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_ref: Option<ObjectRef>,
}

/// An OpenShift Route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Route {
    /// Identity, labels, owner (a Route generated for an Ingress is owned by it).
    pub metadata: Meta,
    /// Host, backends, TLS.
    #[serde(deserialize_with = "null_is_default")]
    pub spec: RouteSpec,
    /// Admission per router.
    #[serde(deserialize_with = "null_is_default")]
    pub status: RouteStatus,
}

/// Spec of a Route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Route spec field of that name")]
pub struct RouteSpec {
    pub host: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    #[serde(deserialize_with = "null_is_default")]
    pub to: RouteBackend,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub alternate_backends: Vec<RouteBackend>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<RouteTls>,
}

/// A backend of a Route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteBackend {
    /// `Service`.
    pub kind: String,
    /// Name of the Service.
    pub name: String,
    /// Share of traffic; absent means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
}

/// TLS of a Route, without certificates and keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteTls {
    /// `edge`, `reencrypt` or `passthrough`.
    pub termination: String,
}

/// Status of a Route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteStatus {
    /// One entry per router that looked at it.
    #[serde(deserialize_with = "null_is_default")]
    pub ingress: Vec<RouteIngress>,
}

/// What one router says of a Route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Route status field of that name")]
pub struct RouteIngress {
    pub router_name: String,
    #[serde(deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
}

/// A Kubernetes Ingress.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ingress {
    /// Identity.
    pub metadata: Meta,
    /// Rules, as far as they name hosts and Services.
    #[serde(deserialize_with = "null_is_default")]
    pub spec: IngressSpec,
}

/// Spec of an Ingress.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the Kubernetes spec field of that name")]
pub struct IngressSpec {
    #[serde(deserialize_with = "null_is_default")]
    pub rules: Vec<IngressRule>,
}

/// A rule of an Ingress.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the Kubernetes field of that name")]
pub struct IngressRule {
    pub host: String,
    #[serde(deserialize_with = "null_is_default")]
    pub http: IngressHttp,
}

/// HTTP paths of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the Kubernetes field of that name")]
pub struct IngressHttp {
    #[serde(deserialize_with = "null_is_default")]
    pub paths: Vec<IngressPath>,
}

/// One path of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the Kubernetes field of that name")]
pub struct IngressPath {
    #[serde(deserialize_with = "null_is_default")]
    pub backend: IngressBackend,
}

/// Backend of a path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the Kubernetes field of that name")]
pub struct IngressBackend {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ObjectName>,
}

/// A bare name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectName {
    /// The name.
    pub name: String,
}

/// What a probe asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    /// Main page or declared health path of a Route.
    Route,
    /// Readiness path of the showroom.
    ShowroomReadiness,
    /// Main page of the showroom.
    ShowroomContent,
    /// A sample request to a model.
    Inference,
}

/// One observation from outside: what a learner's browser would have met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// What was asked.
    pub kind: ProbeKind,
    /// The Route, Ingress or InferenceService probed.
    pub target: String,
    /// When.
    pub at: DateTime<Utc>,
    /// HTTP status, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Time to the answer, in milliseconds. Left out of the evidence hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    /// Why there was no answer; the probe itself may also not have been allowed to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<ProbeFailure>,
    /// Whether the readiness path itself answered or a fallback did.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fallback: bool,
    /// What was found in the page, for content probes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// The certificate, for TLS targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// Why a probe has no HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum ProbeFailure {
    /// The target could not be reached: DNS, connection, TLS, deadline. The text says which.
    Unreachable(String),
    /// TLS worked, but what answers does not speak HTTP (passthrough routes): alive.
    NotHttp,
    /// We did not ask, or may not: the host resolves to a refused address, or the budget was spent.
    NotProbed(UnknownReason),
}

/// What a content probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// An HTML page of some substance.
    Page,
    /// A login page or a redirect to one: alive, content unknown.
    Login,
    /// The router's or web server's own default page, a "not found" title, or next to nothing.
    Missing,
}

/// What the TLS handshake showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whether it is trusted and names the host.
    pub valid: bool,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<DateTime<Utc>>,
    /// Why it is not valid; empty when it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}
