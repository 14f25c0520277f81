//! What a cluster does by itself: pods come back, rollouts progress, machines boot, disks fill, namespaces and jobs end.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use axum::body::{Body, to_bytes};
use chrono::{DateTime, TimeDelta};
use http::{Method, Request};
use serde_json::{Value, json};
use stargate_sim::{Cluster, Fleet, Kind, Seed, SimClock};
use tower::ServiceExt;

const LAB: &str = "sandbox-q7f2k-netbasics";

fn cluster() -> Cluster {
    let clock = SimClock::starting_at(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
    let cluster = Cluster::new("test", clock.clone(), &Seed::new(1));
    cluster.build(LAB, clock.now() - TimeDelta::hours(3), |yard| {
        yard.deployment("web", 2)
            .service("web", 8080)
            .route("web", "web")
            .machine("rhel", "rhel")
            .stateful_set("postgres", 1);
    });
    cluster
}

async fn call(cluster: &Cluster, method: Method, path: &str, body: Value) -> Value {
    let media = if method == Method::PATCH {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", media)
        .body(body)
        .unwrap();
    let response = cluster.router().oneshot(request).await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    serde_json::from_slice(&to_bytes(response.into_body(), usize::MAX).await.unwrap()).unwrap()
}

fn pods(cluster: &Cluster, app: &str) -> Vec<Value> {
    cluster
        .list(Kind::Pod, LAB)
        .into_iter()
        .filter(|pod| pod["metadata"]["labels"]["app"] == app)
        .collect()
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}

fn ready_replicas(cluster: &Cluster) -> i64 {
    cluster.get(Kind::Deployment, LAB, "web").unwrap()["status"]["readyReplicas"]
        .as_i64()
        .unwrap_or(0)
}

fn ready_endpoints(cluster: &Cluster) -> usize {
    let slices = cluster.list(Kind::EndpointSlice, LAB);
    slices[0]["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|endpoint| endpoint["conditions"]["ready"] == true)
        .count()
}

fn condition<'a>(object: &'a Value, sort: &str) -> &'a Value {
    object["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|condition| condition["type"] == sort)
        .unwrap_or(&Value::Null)
}

#[test]
fn a_healthy_fleet_is_at_rest() {
    let fleet = Fleet::demo(3, SimClock::starting_at(DateTime::from_timestamp(1_790_000_000, 0).unwrap()));
    for lab in &fleet.labs {
        let cluster = fleet.cluster(&lab.cluster).unwrap();
        let note = |text: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note", "namespace": lab.namespace}, "data": {"text": text}});
        let version = || {
            cluster.get(Kind::ConfigMap, &lab.namespace, "note").unwrap()["metadata"]["resourceVersion"]
                .as_str()
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        cluster.put(note("one"));
        let before = version();
        cluster.put(note("two"));
        fleet.clock.advance(TimeDelta::minutes(1));
        cluster.put(note("three"));
        if version() == before + 2 {
            continue;
        }
        let newer = |object: &Value| object["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap() > before;
        let objects = Kind::ALL
            .iter()
            .filter(|kind| **kind != Kind::NodeMetrics)
            .flat_map(|kind| cluster.list(*kind, ""));
        let changed: Vec<String> = objects
            .filter(newer)
            .map(|object| format!("{} {}", object["kind"], name(&object)))
            .collect();
        panic!("the controllers changed something in {}: {changed:?}", lab.namespace);
    }
}

#[tokio::test]
async fn a_deleted_pod_comes_back() {
    let cluster = cluster();
    let gone = name(&pods(&cluster, "web")[0]);
    call(
        &cluster,
        Method::DELETE,
        &format!("/api/v1/namespaces/{LAB}/pods/{gone}"),
        Value::Null,
    )
    .await;
    assert_eq!((ready_replicas(&cluster), ready_endpoints(&cluster)), (1, 1));
    let deployment = cluster.get(Kind::Deployment, LAB, "web").unwrap();
    assert_eq!(condition(&deployment, "Available")["status"], "False");
    assert_eq!(condition(&deployment, "Progressing")["reason"], "NewReplicaSetAvailable");

    cluster.clock().advance(TimeDelta::seconds(30));
    assert_eq!((ready_replicas(&cluster), ready_endpoints(&cluster)), (2, 2));
    let now = pods(&cluster, "web");
    assert!(now.len() == 2 && now.iter().all(|pod| name(pod) != gone));
    let pod = cluster.get(Kind::Pod, LAB, "postgres-0").unwrap();
    cluster.remove(Kind::Pod, LAB, "postgres-0");
    cluster.clock().advance(TimeDelta::seconds(30));
    assert_ne!(
        cluster.get(Kind::Pod, LAB, "postgres-0").unwrap()["metadata"]["uid"],
        pod["metadata"]["uid"]
    );
}

#[tokio::test]
async fn a_restarted_rollout_replaces_the_pods_one_set_after_the_other() {
    let cluster = cluster();
    let before = pods(&cluster, "web");
    let path = format!("/apis/apps/v1/namespaces/{LAB}/deployments/web");
    let restart =
        json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-09-22T00:00:00Z"}}}}});
    call(&cluster, Method::PATCH, &path, restart).await;
    let deployment = cluster.get(Kind::Deployment, LAB, "web").unwrap();
    assert_eq!(condition(&deployment, "Progressing")["reason"], "ReplicaSetUpdated");
    assert_eq!(ready_replicas(&cluster), 2, "the old pods serve on");
    cluster.clock().advance(TimeDelta::minutes(1));
    let deployment = cluster.get(Kind::Deployment, LAB, "web").unwrap();
    assert_eq!(condition(&deployment, "Progressing")["reason"], "NewReplicaSetAvailable");
    assert_eq!(deployment["status"]["observedGeneration"], 2);
    let after = pods(&cluster, "web");
    assert!(after.len() == 2 && after.iter().all(|pod| before.iter().all(|old| name(old) != name(pod))));
    assert_eq!(cluster.count(Kind::ReplicaSet), 2);

    call(&cluster, Method::PATCH, &format!("{path}/scale"), json!({"spec": {"replicas": 0}})).await;
    cluster.clock().advance(TimeDelta::seconds(30));
    assert!(pods(&cluster, "web").is_empty());
}

#[tokio::test]
async fn a_deleted_instance_boots_again() {
    let cluster = cluster();
    call(
        &cluster,
        Method::DELETE,
        &format!("/apis/kubevirt.io/v1/namespaces/{LAB}/virtualmachineinstances/rhel"),
        Value::Null,
    )
    .await;
    let status = |seconds| {
        cluster.clock().advance(TimeDelta::seconds(seconds));
        cluster.get(Kind::VirtualMachine, LAB, "rhel").unwrap()["status"]["printableStatus"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (status(1), status(7), status(60)),
        ("Stopping".to_owned(), "Starting".to_owned(), "Running".to_owned())
    );
    let instance = cluster.get(Kind::VirtualMachineInstance, LAB, "rhel").unwrap();
    let phases: Vec<&str> = instance["status"]["phaseTransitionTimestamps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["phase"].as_str().unwrap())
        .collect();
    assert_eq!(phases, ["Pending", "Scheduling", "Scheduled", "Running"]);
    assert_eq!(condition(&instance, "AgentConnected")["status"], "True");
    assert_eq!(pods(&cluster, "rhel").len(), 1);
}

#[tokio::test]
async fn a_new_machine_waits_for_its_disk() {
    let cluster = cluster();
    let mut machine = cluster.get(Kind::VirtualMachine, LAB, "rhel").unwrap();
    let text = machine
        .to_string()
        .replace("rhel-root", "other-root")
        .replace("\"name\":\"rhel\"", "\"name\":\"other\"")
        .replace("domain\":\"rhel", "domain\":\"other")
        .replace("app\":\"rhel", "app\":\"other");
    machine = serde_json::from_str(&text).unwrap();
    for field in ["uid", "resourceVersion", "creationTimestamp"] {
        machine["metadata"].as_object_mut().unwrap().remove(field);
    }
    call(
        &cluster,
        Method::POST,
        &format!("/apis/kubevirt.io/v1/namespaces/{LAB}/virtualmachines"),
        machine,
    )
    .await;
    let status = |kind, name: &str, pointer: &str| {
        cluster
            .get(kind, LAB, name)
            .unwrap()
            .pointer(pointer)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(status(Kind::DataVolume, "other-root", "/status/phase"), "Pending");
    assert_eq!(status(Kind::VirtualMachine, "other", "/status/printableStatus"), "Provisioning");
    cluster.clock().advance(TimeDelta::seconds(25));
    assert_eq!(status(Kind::DataVolume, "other-root", "/status/phase"), "CSICloneInProgress");
    assert_eq!(status(Kind::PersistentVolumeClaim, "other-root", "/status/phase"), "Pending");
    cluster.clock().advance(TimeDelta::minutes(2));
    assert_eq!(status(Kind::PersistentVolumeClaim, "other-root", "/status/phase"), "Bound");
    assert_eq!(status(Kind::VirtualMachine, "other", "/status/printableStatus"), "Running");
    // What a machine owns goes with it.
    call(
        &cluster,
        Method::DELETE,
        &format!("/apis/kubevirt.io/v1/namespaces/{LAB}/virtualmachines/other"),
        Value::Null,
    )
    .await;
    cluster.clock().advance(TimeDelta::minutes(1));
    assert!(cluster.get(Kind::VirtualMachine, LAB, "other").is_none());
    assert!(
        cluster.get(Kind::DataVolume, LAB, "other-root").is_none() && cluster.get(Kind::PersistentVolumeClaim, LAB, "other-root").is_none()
    );
    assert!(pods(&cluster, "other").is_empty());
}

#[tokio::test]
async fn a_deleted_namespace_terminates() {
    let cluster = cluster();
    call(&cluster, Method::DELETE, &format!("/api/v1/namespaces/{LAB}"), Value::Null).await;
    assert_eq!(cluster.get(Kind::Namespace, "", LAB).unwrap()["status"]["phase"], "Terminating");
    cluster.clock().advance(TimeDelta::minutes(1));
    assert!(cluster.get(Kind::Namespace, "", LAB).is_none());
    assert!(Kind::ALL.iter().all(|kind| cluster.list(*kind, LAB).is_empty()));
}

#[tokio::test]
async fn a_job_runs_to_its_end() {
    let cluster = cluster();
    let template = json!({"metadata": {"labels": {"app": "seed"}}, "spec": {"restartPolicy": "Never", "volumes": [], "containers": [{"name": "seed", "image": "seed:1"}]}});
    let job = json!({"metadata": {"name": "seed"}, "spec": {"backoffLimit": 1, "template": template}});
    call(&cluster, Method::POST, &format!("/apis/batch/v1/namespaces/{LAB}/jobs"), job).await;
    assert_eq!(cluster.get(Kind::Job, LAB, "seed").unwrap()["status"]["active"], 1);
    cluster.clock().advance(TimeDelta::minutes(2));
    let job = cluster.get(Kind::Job, LAB, "seed").unwrap();
    assert_eq!(
        (&job["status"]["succeeded"], &condition(&job, "Complete")["status"]),
        (&json!(1), &json!("True"))
    );
    assert_eq!(pods(&cluster, "seed")[0]["status"]["phase"], "Succeeded");
    cluster.clock().advance(TimeDelta::hours(4));
    assert_eq!(cluster.list(Kind::Event, LAB).len(), 0, "events are kept for three hours");
}
