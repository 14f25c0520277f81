//! What is written reads back the same, and holds no secrets.

use super::*;
use crate::collect::recorded;
use crate::objects::Assembler;

const LAB: &str = "sandbox-k7m2q-web";

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("stargate-record-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

/// A snapshot with something of everything that can go wrong in a round trip.
fn snapshot() -> Snapshot {
    let mut assembler = Assembler::new("east", NamespaceSelection::Recorded);
    let named = |api_version: &str, kind: &str, name: &str| {
        json!({"apiVersion": api_version, "kind": kind,
               "metadata": {"name": name, "namespace": LAB, "uid": name, "creationTimestamp": "2026-03-01T08:00:00Z"}})
    };
    let mut pod = named("v1", "Pod", "web-1");
    pod["metadata"]["annotations"] = json!({"secret.example/token": "hunter2"});
    pod["spec"] = json!({"nodeName": "worker-1", "imagePullSecrets": [{"name": "pull"}],
        "containers": [{"name": "main", "image": "registry.example/app", "command": ["serve", "hunter2"],
                        "env": [{"name": "PASSWORD", "value": "hunter2"}]}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "disk"}}]});
    pod["status"] = json!({"phase": "Running", "containerStatuses": [{"name": "main", "ready": false, "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "password=hunter2 was refused"}}}]});
    let mut namespace = named("v1", "Namespace", LAB);
    namespace["metadata"]["labels"] = json!({"guid": "k7m2q"});
    namespace["metadata"].as_object_mut().unwrap().remove("namespace");
    let mut event = named("v1", "Event", "web-1.17");
    event["type"] = json!("Warning");
    event["lastTimestamp"] = json!("2026-03-01T08:30:00Z");
    event["involvedObject"] = json!({"kind": "Pod", "name": "web-1"});
    let mut node = named("v1", "Node", "worker-1");
    node["metadata"].as_object_mut().unwrap().remove("namespace");
    let mut metrics = node.clone();
    metrics["apiVersion"] = json!("metrics.k8s.io/v1beta1");
    metrics["kind"] = json!("NodeMetrics");
    metrics["usage"] = json!({"cpu": "100m"});
    for object in [
        pod,
        namespace,
        event,
        node,
        metrics,
        named("kubevirt.io/v1", "VirtualMachine", "vm"),
    ] {
        assembler.add_json(&object).unwrap();
    }
    for kind in [
        Kind::Namespace,
        Kind::Pod,
        Kind::Event,
        Kind::Node,
        Kind::NodeMetrics,
        Kind::Service,
    ] {
        assembler.read(kind);
    }
    assembler.missing(Kind::Route, UnknownReason::Forbidden);
    assembler.missing(Kind::DataVolume, UnknownReason::ApiAbsent);
    assembler.missing(Kind::VirtualMachine, UnknownReason::Truncated);
    assembler.finish("2026-03-01T08:30:00Z".parse().unwrap())
}

#[test]
fn a_recording_reads_back_as_it_was_and_holds_no_secrets() {
    let directory = directory("round-trip");
    let mut snapshot = snapshot();
    let (path, objects) = write(&snapshot, &directory).unwrap();
    assert_eq!((path.as_path(), objects), (directory.join("east").as_path(), 6));

    let recording = recorded::read(&directory, None).unwrap();
    let [read] = recording.clusters.as_slice() else { panic!() };
    // Pods outside the labs are not written, so nobody can count them again.
    assert_eq!(read.cluster.job_backlogs.missing, Some(UnknownReason::NotCollected));
    snapshot.cluster.job_backlogs = read.cluster.job_backlogs.clone();
    // What is written is scrubbed; the rest is the same.
    let waiting = &mut snapshot.namespaces.get_mut(LAB).unwrap().pods.items[0].status.container_statuses[0]
        .state
        .waiting;
    waiting.as_mut().unwrap().message = "password=[removed] was refused".to_owned();
    assert_eq!(read, &snapshot);
    assert_eq!(recording.at, snapshot.observed_at);

    for file in fs::read_dir(path.join("namespaces").join(LAB)).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("imagePullSecrets"), "{text}");
    }
    fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn nothing_is_overwritten_and_nothing_leaves_the_folder() {
    let directory = directory("careful");
    let mut snapshot = snapshot();
    write(&snapshot, &directory).unwrap();
    let error = write(&snapshot, &directory).unwrap_err().to_string();
    assert!(
        error.ends_with("east is there already; choose another directory or remove it"),
        "{error}"
    );
    for name in ["../west", "", ".hidden", "a/b"] {
        snapshot.cluster.name = name.to_owned();
        assert!(matches!(write(&snapshot, &directory), Err(RecordError::Name { .. })), "{name}");
    }
    snapshot.cluster.name = "west".to_owned();
    let mut lab = snapshot.namespaces.remove(LAB).unwrap();
    lab.name = "../../escape".to_owned();
    snapshot.namespaces.insert(lab.name.clone(), lab);
    assert!(matches!(write(&snapshot, &directory), Err(RecordError::Name { .. })));
    let left = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect::<Vec<_>>();
    assert_eq!(left, ["east"]);
    fs::remove_dir_all(&directory).unwrap();
}
