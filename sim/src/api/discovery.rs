//! What the API server says of itself: version, groups and resources, in the classic and the aggregated form.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{cluster::Cluster, kinds::Kind};

/// Version that every simulated cluster reports.
const GIT_VERSION: &str = "v1.33.5";

pub(crate) fn version() -> Value {
    json!({"major": "1", "minor": "33", "gitVersion": GIT_VERSION, "gitTreeState": "clean", "goVersion": "go1.24.6",
        "compiler": "gc", "platform": "linux/amd64"})
}

/// Groups served, each with its version and kinds, in order. The core group is "".
fn groups(cluster: &Cluster) -> BTreeMap<&'static str, (&'static str, Vec<Kind>)> {
    let mut groups = BTreeMap::new();
    for kind in Kind::ALL {
        let info = kind.info();
        if cluster.serves(info.group) {
            groups.entry(info.group).or_insert((info.version, Vec::new())).1.push(*kind);
        }
    }
    groups
}

/// `/api`
pub(crate) fn core_versions() -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]})
}

/// `/apis`
pub(crate) fn group_list(cluster: &Cluster) -> Value {
    let groups: Vec<Value> = groups(cluster)
        .into_iter()
        .filter(|(group, _)| !group.is_empty())
        .map(|(group, (version, _))| api_group(group, version))
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/{group}`
pub(crate) fn group(cluster: &Cluster, wanted: &str) -> Option<Value> {
    groups(cluster)
        .into_iter()
        .find(|(group, _)| *group == wanted)
        .map(|(group, (version, _))| {
            let mut body = api_group(group, version);
            body["kind"] = json!("APIGroup");
            body["apiVersion"] = json!("v1");
            body
        })
}

fn api_group(group: &str, version: &str) -> Value {
    let version = json!({"groupVersion": format!("{group}/{version}"), "version": version});
    json!({"name": group, "versions": [version], "preferredVersion": version})
}

/// `/api/v1`, `/apis/{group}/{version}`
pub(crate) fn resource_list(cluster: &Cluster, wanted_group: &str, wanted_version: &str) -> Option<Value> {
    let (_, (version, kinds)) = groups(cluster)
        .into_iter()
        .find(|(group, (version, _))| *group == wanted_group && *version == wanted_version)?;
    let mut resources = Vec::new();
    for kind in kinds {
        let info = kind.info();
        resources.push(
            json!({"name": info.plural, "singularName": info.kind.to_lowercase(), "namespaced": info.namespaced, "kind": info.kind,
            "verbs": verbs(kind)}),
        );
        for sub in subresources(kind) {
            resources.push(
                json!({"name": format!("{}/{sub}", info.plural), "singularName": "", "namespaced": info.namespaced, "kind": info.kind,
                "verbs": ["get", "patch", "update"]}),
            );
        }
    }
    let group_version = if wanted_group.is_empty() {
        version.to_owned()
    } else {
        format!("{wanted_group}/{version}")
    };
    Some(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}))
}

/// `/api` or `/apis` as `APIGroupDiscoveryList`: everything in one answer.
pub(crate) fn aggregated(cluster: &Cluster, core: bool) -> Value {
    let items = groups(cluster).into_iter().filter(|(group, _)| group.is_empty() == core).map(|(group, (version, kinds))| {
        let resources: Vec<Value> = kinds
            .into_iter()
            .map(|kind| {
                let info = kind.info();
                let response_kind = json!({"group": info.group, "version": info.version, "kind": info.kind});
                let subresources: Vec<Value> = subresources(kind)
                    .into_iter()
                    .map(|sub| json!({"subresource": sub, "responseKind": response_kind, "verbs": ["get", "patch", "update"]}))
                    .collect();
                json!({"resource": info.plural, "responseKind": response_kind, "scope": if info.namespaced { "Namespaced" } else { "Cluster" },
                    "singularResource": info.kind.to_lowercase(), "verbs": verbs(kind), "subresources": subresources})
            })
            .collect();
        let metadata = if core { json!({"creationTimestamp": null}) } else { json!({"name": group, "creationTimestamp": null}) };
        json!({"metadata": metadata, "versions": [{"version": version, "resources": resources, "freshness": "Current"}]})
    });
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items.collect::<Vec<_>>()})
}

fn verbs(kind: Kind) -> Value {
    match kind {
        Kind::NodeMetrics => json!(["get", "list"]),
        _ => json!(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]),
    }
}

fn subresources(kind: Kind) -> Vec<&'static str> {
    let info = kind.info();
    let mut found = Vec::new();
    if info.status {
        found.push("status");
    }
    if info.scale {
        found.push("scale");
    }
    if kind == Kind::Pod {
        found.extend(["eviction", "log"]);
    }
    found
}
