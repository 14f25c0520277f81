//! Services, what stands behind them, Routes, and StarGate's own probes.

use std::collections::BTreeMap;

use super::object;
use crate::expr::schema::record;
use crate::expr::{Element, List, Type, Value};
use crate::objects::network::{Content, ProbeFailure};
use crate::objects::{Ingress, Inventory, Probe, ProbeKind, Route, Service, meta};
use crate::unknown::UnknownReason;

object! {
    pub(super) static SERVICE for Service as "Service", "A Service.";
    "type": Type::Text, "ClusterIP, NodePort, LoadBalancer or ExternalName." => |it, _| Value::text_if_set(&it.spec.kind);
    "selector": Type::Map, "Labels of the pods that it stands for; empty when it selects none." => |it, _| Value::Map(&it.spec.selector);
}

/// What stands behind one Service.
#[derive(Debug)]
pub(super) struct EndpointsOf<'a> {
    service: &'a str,
    ready: usize,
    not_ready: usize,
}

record! {
    pub(super) static ENDPOINTS for EndpointsOf<'_> as "Endpoints", called |it| ("Service", it.service), "What stands behind a Service.";
    "service": Type::Text, "Name of the Service." => |it, _| Value::text(it.service);
    "ready": Type::Int, "Addresses that take traffic." => |it, _| Value::count(it.ready);
    "not_ready": Type::Int, "Addresses that do not." => |it, _| Value::count(it.not_ready);
}

/// Of slices, or of core endpoints where slices were not read.
pub(super) fn endpoints(inventory: &Inventory) -> Vec<EndpointsOf<'_>> {
    let mut by_service: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    if from_slices(inventory) {
        for slice in &inventory.endpoint_slices.items {
            let Some(service) = slice.metadata.labels.get("kubernetes.io/service-name") else {
                continue;
            };
            let entry = by_service.entry(service).or_default();
            for endpoint in &slice.endpoints {
                let counts = endpoint.conditions.ready.unwrap_or(true);
                *(if counts { &mut entry.0 } else { &mut entry.1 }) += 1;
            }
        }
    } else {
        for endpoints in &inventory.endpoints.items {
            let entry = by_service.entry(&endpoints.metadata.name).or_default();
            for subset in &endpoints.subsets {
                entry.0 += subset.addresses.len();
                entry.1 += subset.not_ready_addresses.len();
            }
        }
    }
    by_service
        .into_iter()
        .map(|(service, (ready, not_ready))| EndpointsOf { service, ready, not_ready })
        .collect()
}

/// Why there may be more endpoints.
pub(super) const fn endpoints_missing(inventory: &Inventory) -> Option<UnknownReason> {
    if from_slices(inventory) {
        inventory.endpoint_slices.missing
    } else {
        inventory.endpoints.missing
    }
}

const fn from_slices(inventory: &Inventory) -> bool {
    inventory.endpoint_slices.missing.is_none() || !inventory.endpoint_slices.items.is_empty() || inventory.endpoints.missing.is_some()
}

object! {
    pub(super) static ROUTE for Route as "Route", "An OpenShift Route.";
    "host": Type::Text, "Its host." => |it, _| Value::text_if_set(&it.spec.host);
    "path": Type::Text, "Its path; absent when it takes all." => |it, _| Value::text_if_set(&it.spec.path);
    "service": Type::Text, "Name of its first backend." => |it, _| Value::text_if_set(&it.spec.to.name);
    "tls": Type::Text, "edge, reencrypt or passthrough; absent without TLS."
        => |it, _| Value::or_absent(it.spec.tls.as_ref(), |tls| Value::text_if_set(&tls.termination));
    "admitted": Type::Bool, "Whether a router has taken it; absent before one has looked at it." => |it, _| admitted(it);
}

fn admitted(route: &Route) -> Value<'_> {
    let mut answers = route
        .status
        .ingress
        .iter()
        .filter_map(|router| meta::condition(&router.conditions, "Admitted"))
        .peekable();
    if answers.peek().is_none() {
        return Value::ABSENT;
    }
    Value::Bool(answers.any(meta::Condition::is_true))
}

object! {
    pub(super) static INGRESS for Ingress as "Ingress", "An Ingress.";
    "hosts": Type::List(Element::Text), "Hosts of its rules."
        => |it, _| Value::List(List::made(it.spec.rules.iter().filter(|rule| !rule.host.is_empty()).map(|rule| Value::text(&rule.host)), None));
}

record! {
    pub(super) static PROBE for Probe as "Probe", called |it| (kind(it), &it.target), "One question that StarGate asked from outside.";
    "kind": Type::Text, "Route, ShowroomReadiness, ShowroomContent or Inference." => |it, _| Value::text(kind(it));
    "target": Type::Text, "Name of the Route, Ingress or InferenceService." => |it, _| Value::text(&it.target);
    "status": Type::Int, "HTTP status; absent without an answer, unknown when nothing was asked."
        => |it, _| asked(it, Value::or_absent(it.status, |status| Value::Int(status.into())));
    "duration_ms": Type::Int, "Milliseconds until the answer." => |it, _| asked(it, Value::or_absent(it.duration_ms, |ms| Value::Int(ms.into())));
    "content": Type::Text, "page, login or missing, for probes that read the page."
        => |it, _| asked(it, Value::or_absent(it.content, |content| Value::text(found(content))));
    "certificate_valid": Type::Bool, "Whether the certificate is trusted and names the host."
        => |it, _| asked(it, Value::or_absent(it.certificate.as_ref(), |certificate| Value::Bool(certificate.valid)));
    "certificate_seconds_left": Type::Int, "Seconds until the certificate ends; negative after it."
        => |it, now| asked(it, Value::or_absent(it.certificate.as_ref().and_then(|certificate| certificate.not_after), |end| Value::Int((end - now).num_seconds())));
    "age_seconds": Type::Int, "Seconds since it was asked." => |it, now| Value::seconds_since(Some(it.at), now);
}

/// What a probe found. One that was not allowed to run found nothing, and so nothing is missing.
fn asked<'v>(probe: &Probe, found: Value<'v>) -> Value<'v> {
    match probe.failure {
        Some(ProbeFailure::NotProbed(reason)) => Value::Unknown(reason),
        _ => found,
    }
}

const fn kind(probe: &Probe) -> &'static str {
    match probe.kind {
        ProbeKind::Route => "Route",
        ProbeKind::ShowroomReadiness => "ShowroomReadiness",
        ProbeKind::ShowroomContent => "ShowroomContent",
        ProbeKind::Inference => "Inference",
    }
}

const fn found(content: Content) -> &'static str {
    match content {
        Content::Page => "page",
        Content::Login => "login",
        Content::Missing => "missing",
    }
}
