//! Services, endpoints, routes and ingresses.

use serde_json::{Value, json};

use super::{Site, array, is_leaving, name, owner_of, text};
use crate::{clock::stamp, kinds::Kind, objects::pod};

/// A service that selects pods by these labels; headless ones have no address of their own.
pub(crate) fn service(site: &mut Site<'_>, service_name: &str, selector: &Value, port: u16, headless: bool) -> Value {
    let address = if headless {
        "None".to_owned()
    } else {
        format!("172.30.{}.{}", site.draw.seed.below(256), 2 + site.draw.seed.below(250))
    };
    let spec = json!({"type": "ClusterIP", "clusterIP": address, "clusterIPs": [address], "selector": selector, "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
        "ports": [{"name": "http", "port": port, "protocol": "TCP", "targetPort": port}]});
    site.object(
        Kind::Service,
        service_name,
        selector,
        json!({"spec": spec, "status": {"loadBalancer": {}}}),
    )
}

/// Where the traffic of a service goes: its pods' addresses, and whether each is ready and on its way out.
fn backends<'a>(service: &Value, pods: &[&'a Value]) -> Vec<(&'a Value, bool)> {
    let publishes_all = service.pointer("/spec/publishNotReadyAddresses") == Some(&json!(true));
    let addressed = pods
        .iter()
        .filter(|pod| !text(pod, "/status/podIP").is_empty() && !pod::is_finished(pod));
    addressed
        .map(|pod| (*pod, pod::is_ready(pod) && !is_leaving(pod) || publishes_all))
        .collect()
}

fn target(pod: &Value) -> Value {
    json!({"kind": "Pod", "name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"], "uid": pod["metadata"]["uid"]})
}

/// The endpoint slice of a service for the pods that it selects.
pub(crate) fn endpoint_slice(site: &mut Site<'_>, service: &Value, pods: &[&Value]) -> Value {
    let slice_name = format!("{}-{}", name(service), site.draw.suffix());
    let labels = json!({"kubernetes.io/service-name": service["metadata"]["name"], "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"});
    let mut slice = site.object(Kind::EndpointSlice, &slice_name, &labels, json!({"addressType": "IPv4"}));
    slice["metadata"]["ownerReferences"] = owner_of(service);
    fill_slice(&mut slice, service, pods);
    slice
}

/// Writes the endpoints of a slice.
pub(crate) fn fill_slice(slice: &mut Value, service: &Value, pods: &[&Value]) {
    let endpoints: Vec<Value> = backends(service, pods)
        .into_iter()
        .map(|(pod, ready)| {
            json!({"addresses": [text(pod, "/status/podIP")], "nodeName": pod["spec"]["nodeName"], "targetRef": target(pod),
                "conditions": {"ready": ready, "serving": pod::is_ready(pod), "terminating": is_leaving(pod)}})
        })
        .collect();
    slice["endpoints"] = json!(endpoints);
    let ports = array(service, "/spec/ports").iter();
    slice["ports"] = json!(
        ports
            .map(|port| json!({"name": port["name"], "port": port["targetPort"], "protocol": "TCP"}))
            .collect::<Vec<_>>()
    );
}

/// The core endpoints of a service, which newer clusters still write.
pub(crate) fn endpoints(site: &mut Site<'_>, service: &Value) -> Value {
    site.object(Kind::Endpoints, name(service), &service["metadata"]["labels"], json!({}))
}

/// Writes the subsets of endpoints.
pub(crate) fn fill_endpoints(endpoints: &mut Value, service: &Value, pods: &[&Value]) {
    let (mut ready, mut unready) = (Vec::new(), Vec::new());
    for (pod, is_ready) in backends(service, pods) {
        let address = json!({"ip": text(pod, "/status/podIP"), "nodeName": pod["spec"]["nodeName"], "targetRef": target(pod)});
        if is_ready { ready.push(address) } else { unready.push(address) }
    }
    let ports: Vec<Value> = array(service, "/spec/ports")
        .iter()
        .map(|port| json!({"name": port["name"], "port": port["targetPort"], "protocol": "TCP"}))
        .collect();
    let mut subset = json!({"ports": ports});
    for (field, addresses) in [("addresses", ready), ("notReadyAddresses", unready)] {
        if !addresses.is_empty() {
            subset[field] = json!(addresses);
        }
    }
    let empty = subset.get("addresses").is_none() && subset.get("notReadyAddresses").is_none();
    if let Some(fields) = endpoints.as_object_mut() {
        if empty {
            fields.remove("subsets");
        } else {
            fields.insert("subsets".to_owned(), json!([subset]));
        }
    }
}

/// How a route ends TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// At the router.
    Edge,
    /// At the router, and again to the application.
    Reencrypt,
    /// At the application.
    Passthrough,
}

/// An admitted route to a service.
pub(crate) fn route(site: &mut Site<'_>, route_name: &str, host: &str, service: &str, termination: Termination) -> Value {
    let tls = match termination {
        Termination::Edge => json!({"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}),
        Termination::Reencrypt => json!({"termination": "reencrypt", "insecureEdgeTerminationPolicy": "Redirect"}),
        Termination::Passthrough => json!({"termination": "passthrough"}),
    };
    let labels = json!({"app.kubernetes.io/name": service});
    let mut object = site.object(
        Kind::Route,
        route_name,
        &labels,
        json!({"spec": {"host": host, "to": {"kind": "Service", "name": service, "weight": 100}, "port": {"targetPort": "http"}, "tls": tls, "wildcardPolicy": "None"}}),
    );
    admit(&mut object, None, site.at);
    object
}

/// Writes a router's answer to a route: admitted, or refused for a reason.
pub(crate) fn admit(route: &mut Value, refusal: Option<(&str, &str)>, at: chrono::DateTime<chrono::Utc>) {
    let host = text(route, "/spec/host").to_owned();
    let domain = host.split_once('.').map_or("", |(_, domain)| domain).to_owned();
    let mut condition =
        json!({"type": "Admitted", "status": if refusal.is_none() { "True" } else { "False" }, "lastTransitionTime": stamp(at)});
    if let Some((reason, message)) = refusal {
        condition["reason"] = json!(reason);
        condition["message"] = json!(message);
    }
    route["status"] = json!({"ingress": [{"conditions": [condition], "host": host, "routerName": "default", "wildcardPolicy": "None",
        "routerCanonicalHostname": format!("router-default.{domain}")}]});
}

/// An ingress to a service.
pub(crate) fn ingress(site: &mut Site<'_>, ingress_name: &str, host: &str, service: &str, port: u16) -> Value {
    let backend = json!({"service": {"name": service, "port": {"number": port}}});
    let spec = json!({"ingressClassName": "openshift-default", "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]});
    let status = json!({"loadBalancer": {"ingress": [{"hostname": format!("router-default.{}", host.split_once('.').map_or(host, |(_, domain)| domain))}]}});
    site.object(Kind::Ingress, ingress_name, &Value::Null, json!({"spec": spec, "status": status}))
}
