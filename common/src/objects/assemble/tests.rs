//! What must hold of a snapshot, however it was put together.

use chrono::DateTime;
use serde_json::json;

use super::*;

fn assembler() -> Assembler {
    Assembler::new("east", NamespaceSelection::default())
}

fn pod(namespace: &str, name: &str, resource_version: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": name, "resourceVersion": resource_version,
                     "creationTimestamp": "2026-03-01T08:00:00Z"},
        "spec": {"containers": [{"name": "main", "env": [{"name": "PASSWORD", "value": "hunter2"}]}]},
        "status": {"phase": "Running"}
    })
}

fn namespace(name: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": name}, "status": {"phase": "Active"}})
}

#[test]
fn a_kind_that_nobody_read_is_unknown_and_one_that_was_read_and_empty_is_complete() {
    let mut assembler = assembler();
    assembler.add_json(&namespace("sandbox-k7m2q-web")).unwrap();
    assembler.read(Kind::Namespace);
    assembler.read(Kind::Pod);
    assembler.missing(Kind::VirtualMachine, UnknownReason::ApiAbsent);
    let snapshot = assembler.finish(DateTime::UNIX_EPOCH);

    let inventory = &snapshot.namespaces["sandbox-k7m2q-web"];
    assert_eq!(inventory.namespace.items.len(), 1);
    assert_eq!(inventory.pods, Listing::complete(vec![]));
    assert_eq!(inventory.vms, Listing::unknown(UnknownReason::ApiAbsent));
    assert_eq!(inventory.routes, Listing::unknown(UnknownReason::NotCollected));
    assert_eq!(snapshot.cluster.nodes, Listing::unknown(UnknownReason::NotCollected));
    assert_eq!(snapshot.cluster.reachable, None);
}

#[test]
fn objects_of_other_namespaces_are_dropped() {
    let mut assembler = assembler();
    assembler.add_json(&namespace("sandbox-k7m2q-web")).unwrap();
    assembler.add_json(&namespace("openshift-dns")).unwrap();
    assembler.close_namespaces();
    for name in ["sandbox-k7m2q-web", "openshift-dns", "sandbox-deleted-meanwhile"] {
        assembler.add_json(&pod(name, "main", "1")).unwrap();
    }
    let snapshot = assembler.finish(DateTime::UNIX_EPOCH);
    assert_eq!(snapshot.namespaces.keys().collect::<Vec<_>>(), ["sandbox-k7m2q-web"]);
}

#[test]
fn labs_are_known_by_name_where_namespaces_cannot_be_read() {
    let mut assembler = assembler();
    assembler.missing(Kind::Namespace, UnknownReason::Forbidden);
    assembler.add_json(&pod("sandbox-k7m2q-web", "main", "1")).unwrap();
    let snapshot = assembler.finish(DateTime::UNIX_EPOCH);
    assert_eq!(
        snapshot.namespaces["sandbox-k7m2q-web"].namespace,
        Listing::unknown(UnknownReason::Forbidden)
    );
}

#[test]
fn a_user_namespace_is_a_lab_only_with_a_showroom() {
    let mut assembler = assembler();
    for name in ["user-1", "user-2"] {
        assembler.add_json(&namespace(name)).unwrap();
    }
    assembler.close_namespaces();
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "showroom", "namespace": "user-2"}});
    assembler.add_json(&service).unwrap();
    let snapshot = assembler.finish(DateTime::UNIX_EPOCH);
    assert_eq!(snapshot.namespaces.keys().collect::<Vec<_>>(), ["user-2"]);
}

#[test]
fn of_several_copies_the_newest_is_kept_in_whatever_order_they_come() {
    for versions in [["9", "10"], ["10", "9"]] {
        let mut assembler = assembler();
        for version in versions {
            let mut object = pod("sandbox-a", "main", version);
            object["status"]["reason"] = json!(version);
            assembler.add_json(&object).unwrap();
        }
        let snapshot = assembler.finish(DateTime::UNIX_EPOCH);
        let pods = &snapshot.namespaces["sandbox-a"].pods.items;
        assert_eq!(pods.len(), 1);
        assert_eq!(pods[0].status.reason, "10");
    }
}

#[test]
fn complete_reading_of_a_namespace_outweighs_a_cut_list_of_the_cluster() {
    let mut assembler = assembler();
    assembler.read_in(Kind::Pod, "sandbox-a");
    assembler.add_json(&pod("sandbox-b", "main", "1")).unwrap();
    assembler.missing(Kind::Pod, UnknownReason::Truncated);
    let snapshot = assembler.finish(DateTime::UNIX_EPOCH);
    assert_eq!(snapshot.namespaces["sandbox-a"].pods, Listing::complete(vec![]));
    assert_eq!(snapshot.namespaces["sandbox-b"].pods.missing, Some(UnknownReason::Truncated));
}

#[test]
fn objects_that_are_not_understood_are_named() {
    let mut assembler = assembler();
    let text = |result: Result<Added, AddError>| result.unwrap_err().to_string();
    assert_eq!(
        text(assembler.add_raw(br#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}"#)),
        "v1 Secret is not a kind that StarGate judges by"
    );
    assert_eq!(text(assembler.add_raw(br#"{"a":1}"#)), "not a Kubernetes object: it has no `kind`");
    let broken = br#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"sandbox-a"},"status":{"phase":7}}"#;
    let message = text(assembler.add_raw(broken));
    assert!(
        message.starts_with("pod sandbox-a/p cannot be understood: invalid type: integer `7`"),
        "{message}"
    );
}

#[test]
fn items_of_a_typed_list_take_their_kind_from_it() {
    let mut assembler = assembler();
    let list = TypeMeta {
        api_version: "v1".into(),
        kind: "Pod".into(),
    };
    let item: &[u8] = br#"{"metadata":{"name":"p","namespace":"sandbox-a"}}"#;
    let added = assembler.add_document(item, &list).unwrap();
    assert_eq!(
        added,
        Added {
            kind: Kind::Pod,
            namespace: Some("sandbox-a".into())
        }
    );
}

#[test]
fn only_warnings_are_kept_of_events() {
    let mut assembler = assembler();
    for (name, kind) in [("a", "Normal"), ("b", "Warning")] {
        let event = json!({"apiVersion": "v1", "kind": "Event", "type": kind,
                           "metadata": {"name": name, "namespace": "sandbox-a"}, "reason": "BackOff"});
        assembler.add_json(&event).unwrap();
    }
    let snapshot = assembler.finish(DateTime::UNIX_EPOCH);
    assert_eq!(snapshot.namespaces["sandbox-a"].events.items.len(), 1);
}

#[test]
fn parts_of_one_cluster_are_put_together() {
    let (mut one, mut two) = (assembler(), assembler());
    one.add_json(&pod("sandbox-a", "first", "1")).unwrap();
    one.read_in(Kind::Pod, "sandbox-a");
    two.add_json(&pod("sandbox-a", "second", "1")).unwrap();
    two.read(Kind::Node);
    one.absorb(two);
    let snapshot = one.finish(DateTime::UNIX_EPOCH);
    let pods = &snapshot.namespaces["sandbox-a"].pods;
    assert_eq!((pods.items.len(), pods.missing), (2, None));
    assert_eq!(snapshot.cluster.nodes, Listing::complete(vec![]));
}

#[test]
fn of_a_healthy_pod_only_what_may_matter_is_kept() {
    let container = |name: &str, ready: bool, state: serde_json::Value, last: serde_json::Value| json!({"name": name, "ready": ready, "restartCount": 0, "state": state, "lastState": last});
    let running = json!({"running": {"startedAt": "2026-03-01T08:00:00Z"}});
    let done = json!({"terminated": {"reason": "Completed", "exitCode": 0}});
    let killed = json!({"terminated": {"reason": "OOMKilled", "exitCode": 137}});
    let condition = |kind: &str, status: &str| json!({"type": kind, "status": status});
    let mut healthy = pod("sandbox-a", "healthy", "1");
    healthy["spec"]["volumes"] = json!([{"name": "config"}, {"name": "data", "persistentVolumeClaim": {"claimName": "disk"}}]);
    healthy["status"] = json!({"phase": "Running",
        "conditions": [condition("Initialized", "True"), condition("PodScheduled", "True"), condition("Ready", "True")],
        "initContainerStatuses": [container("clone", true, done, json!({}))],
        "containerStatuses": [container("web", true, running.clone(), json!({})), container("db", true, running.clone(), killed)]});
    let mut unready = pod("sandbox-a", "unready", "1");
    unready["status"] = json!({"phase": "Running",
        "conditions": [condition("Initialized", "True"), condition("PodScheduled", "True"), condition("Ready", "False")],
        "containerStatuses": [container("web", false, running, json!({}))]});
    let mut assembler = assembler();
    assembler.add_json(&healthy).unwrap();
    assembler.add_json(&unready).unwrap();
    let snapshot = assembler.finish(DateTime::UNIX_EPOCH);
    let [healthy, unready] = snapshot.namespaces["sandbox-a"].pods.items.as_slice() else {
        panic!()
    };
    let conditions = |pod: &Pod| {
        pod.status
            .conditions
            .iter()
            .map(|condition| condition.kind.clone())
            .collect::<Vec<_>>()
    };
    let containers = |pod: &Pod| {
        pod.status
            .container_statuses
            .iter()
            .map(|status| status.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (conditions(healthy), containers(healthy)),
        (vec!["Ready".to_owned()], vec!["db".to_owned()])
    );
    assert!(healthy.status.init_container_statuses.is_empty());
    assert_eq!(healthy.spec.volumes.len(), 1);
    assert_eq!(conditions(unready), ["PodScheduled", "Ready"]);
    assert_eq!(containers(unready), ["web"]);
}
