//! What is seen on the lab clusters.

use serde_json::Value;

use crate::{
    cluster::Cluster,
    fleet::Lab,
    kinds::Kind,
    objects::{array, text},
};

/// What a lab's namespace ends in.
pub(super) fn base_of(lab: &Lab) -> &str {
    let bases = lab.kind.bases();
    let named = bases.iter().find(|base| lab.namespace.ends_with(*base));
    named.or(bases.first()).copied().unwrap_or("quickstart")
}

/// The label that the Sandbox API gives a namespace.
pub(crate) fn service_uuid(cluster: &Cluster, namespace: &str) -> Option<String> {
    let namespace = cluster.get(Kind::Namespace, "", namespace)?;
    let uuid = text(&namespace, "/metadata/labels/serviceUuid");
    (!uuid.is_empty()).then(|| uuid.to_owned())
}

/// Whether a lab was stopped: the platform leaves annotations to find the way back.
pub(super) fn is_stopped(cluster: &Cluster, namespace: &str) -> bool {
    let marked = |object: &Value| {
        let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
        annotations.is_some_and(|annotations| annotations.keys().any(|key| key.starts_with("sandbox.redhat.com/original-")))
    };
    let kinds = [Kind::Deployment, Kind::StatefulSet, Kind::VirtualMachine];
    kinds.iter().any(|kind| cluster.list(*kind, namespace).iter().any(marked))
}

/// Whether any pod of a namespace that should run is not ready yet.
pub(crate) fn is_coming_up(cluster: &Cluster, namespace: &str) -> bool {
    let ready = |pod: &Value| {
        let conditions = array(pod, "/status/conditions");
        conditions
            .iter()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    };
    let pods = cluster.list(Kind::Pod, namespace);
    pods.is_empty() || !pods.iter().all(|pod| ready(pod) || text(pod, "/status/phase") == "Succeeded")
}
