//! The simulated API server against what clients rely on: paging, versions, watches, preconditions, refusals, broken wires.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::time::Duration;

use axum::body::{Body, to_bytes};
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, Request, StatusCode};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, WatchEvent, WatchParams},
};
use serde_json::{Value, json};
use stargate_sim::{Cluster, Effect, Fleet, Kind, Seed, SimClock, WireFault};
use tower::ServiceExt;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// A cluster with a namespace `lab` and as many configuration maps in it, `map-000` and on.
fn cluster(maps: usize) -> Cluster {
    let cluster = Cluster::new("test", SimClock::starting_at(start()), &Seed::new(1));
    cluster.set_controllers(false);
    cluster.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}, "status": {"phase": "Active"}}));
    for number in 0..maps {
        cluster.put(config_map(
            &format!("map-{number:03}"),
            if number % 2 == 0 { "even" } else { "odd" },
        ));
    }
    cluster
}

fn config_map(name: &str, parity: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "lab", "labels": {"parity": parity}}})
}

async fn ask(cluster: &Cluster, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
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
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes))),
    )
}

async fn get(cluster: &Cluster, path: &str) -> (StatusCode, Value) {
    ask(cluster, Method::GET, path, Value::Null).await
}

const MAPS: &str = "/api/v1/namespaces/lab/configmaps";

fn names(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn pages_show_one_snapshot() {
    let cluster = cluster(7);
    let (_, first) = get(&cluster, &format!("{MAPS}?limit=3")).await;
    assert_eq!(names(&first), ["map-000", "map-001", "map-002"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 4);
    cluster.remove(Kind::ConfigMap, "lab", "map-004");
    cluster.put(config_map("map-0035", "new"));
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (_, second) = get(&cluster, &format!("{MAPS}?limit=3&continue={token}")).await;
    assert_eq!(names(&second), ["map-003", "map-004", "map-005"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let token = second["metadata"]["continue"].as_str().unwrap();
    let (_, last) = get(&cluster, &format!("{MAPS}?limit=3&continue={token}")).await;
    assert_eq!(names(&last), ["map-006"]);
    assert!(last["metadata"].get("continue").is_none());
    assert_eq!(cluster.requests().lists(), 1);
    assert_eq!(cluster.requests().count("list", "configmaps").requests, 3);
}

#[tokio::test]
async fn an_expired_token_answers_410_with_a_token_for_the_inconsistent_rest() {
    let cluster = cluster(5);
    let (_, first) = get(&cluster, &format!("{MAPS}?limit=3")).await;
    cluster.remove(Kind::ConfigMap, "lab", "map-003");
    cluster.clock().advance(TimeDelta::minutes(6));
    let (status, expired) = get(
        &cluster,
        &format!("{MAPS}?limit=3&continue={}", first["metadata"]["continue"].as_str().unwrap()),
    )
    .await;
    assert_eq!((status, expired["reason"].as_str()), (StatusCode::GONE, Some("Expired")));
    let (_, rest) = get(
        &cluster,
        &format!("{MAPS}?limit=3&continue={}", expired["metadata"]["continue"].as_str().unwrap()),
    )
    .await;
    assert_eq!(names(&rest), ["map-004"]);
    assert_eq!(get(&cluster, &format!("{MAPS}?continue=nonsense")).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn resource_version_zero_ignores_the_limit() {
    let cluster = cluster(5);
    let (_, list) = get(&cluster, &format!("{MAPS}?limit=2&resourceVersion=0")).await;
    assert_eq!(names(&list).len(), 5);
    let (status, too_large) = get(&cluster, &format!("{MAPS}?resourceVersion=9999999999999")).await;
    assert_eq!(
        (status, too_large["details"]["retryAfterSeconds"].as_u64()),
        (StatusCode::GATEWAY_TIMEOUT, Some(1))
    );
    assert_eq!(
        get(&cluster, &format!("{MAPS}?resourceVersionMatch=Exact")).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn selectors_select() {
    let cluster = cluster(5);
    let (_, odd) = get(&cluster, "/api/v1/configmaps?labelSelector=parity%3Dodd&limit=1").await;
    assert_eq!(names(&odd), ["map-001"]);
    assert!(
        odd["metadata"].get("remainingItemCount").is_none(),
        "the server does not count behind a selector"
    );
    let (_, one) = get(&cluster, "/api/v1/configmaps?fieldSelector=metadata.name%3Dmap-002").await;
    assert_eq!(names(&one), ["map-002"]);
    let (status, refusal) = get(&cluster, "/api/v1/configmaps?fieldSelector=data.key%3Dx").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(refusal["message"].as_str().unwrap().contains("field label not supported: data.key"));
}

#[tokio::test]
async fn only_custom_resources_carry_their_kind_in_lists() {
    let cluster = cluster(1);
    cluster.put(json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "rhel", "namespace": "lab"}}));
    let (_, maps) = get(&cluster, MAPS).await;
    assert!(maps["items"][0].get("kind").is_none());
    let (_, machines) = get(&cluster, "/apis/kubevirt.io/v1/virtualmachines").await;
    assert_eq!(machines["items"][0]["kind"], "VirtualMachine");
    assert_eq!(get(&cluster, &format!("{MAPS}/map-000")).await.1["apiVersion"], "v1");
}

#[tokio::test]
async fn a_missing_group_is_404_and_absent_from_discovery() {
    let cluster = cluster(0);
    cluster.drop_api_group("kubevirt.io");
    assert_eq!(
        get(&cluster, "/apis/kubevirt.io/v1/virtualmachines").await,
        (StatusCode::NOT_FOUND, json!("404 page not found\n"))
    );
    let (_, groups) = get(&cluster, "/apis").await;
    let known: Vec<&str> = groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["name"].as_str().unwrap())
        .collect();
    assert!(known.contains(&"apps") && !known.contains(&"kubevirt.io"));
    let (status, unknown) = get(&cluster, "/apis/apps/v1/widgets").await;
    assert_eq!((status, unknown["reason"].as_str()), (StatusCode::NOT_FOUND, Some("NotFound")));
}

#[tokio::test]
async fn clients_discover_the_groups() {
    let client = Client::new(cluster(0).service(), "default");
    assert_eq!(client.apiserver_version().await.unwrap().major, "1");
    let groups = client.list_api_groups().await.unwrap();
    assert!(groups.groups.iter().any(|group| group.name == "route.openshift.io"));
    let resources = client.list_api_group_resources("apps/v1").await.unwrap();
    assert!(resources.resources.iter().any(|resource| resource.name == "deployments/scale"));
    assert!(client.list_core_api_resources("v1").await.unwrap().resources.len() > 8);
    let aggregated = client.list_api_groups_aggregated().await.unwrap();
    assert!(aggregated.items.len() > 8);
}

#[tokio::test]
async fn objects_are_written_with_preconditions() {
    let cluster = cluster(0);
    let maps: Api<ConfigMap> = Api::namespaced(Client::new(cluster.service(), "lab"), "lab");
    let created = maps
        .create(&PostParams::default(), &serde_json::from_value(config_map("one", "odd")).unwrap())
        .await
        .unwrap();
    assert!(created.uid().is_some() && created.resource_version().is_some());

    let again = maps.create(&PostParams::default(), &created).await.unwrap_err();
    assert!(matches!(again, kube::Error::Api(status) if status.code == 409 && status.reason == "AlreadyExists"));

    let patched = maps
        .patch("one", &PatchParams::default(), &Patch::Merge(json!({"data": {"k": "v"}})))
        .await
        .unwrap();
    assert_eq!(patched.data.as_ref().unwrap()["k"], "v");
    let stale = maps.replace("one", &PostParams::default(), &created).await.unwrap_err();
    assert!(matches!(stale, kube::Error::Api(status) if status.code == 409 && status.reason == "Conflict"));

    let wrong = DeleteParams {
        preconditions: Some(Preconditions {
            uid: Some("other".to_owned()),
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    assert!(matches!(maps.delete("one", &wrong).await.unwrap_err(), kube::Error::Api(status) if status.code == 409));
    let right = DeleteParams {
        preconditions: Some(Preconditions {
            uid: created.uid(),
            resource_version: patched.resource_version(),
        }),
        ..DeleteParams::default()
    };
    maps.delete("one", &right).await.unwrap();
    assert!(maps.get_opt("one").await.unwrap().is_none());
}

#[tokio::test]
async fn status_is_written_on_its_own() {
    let cluster = cluster(0);
    cluster.put(
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "lab"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}}, "status": {"readyReplicas": 1}}),
    );
    let path = "/apis/apps/v1/namespaces/lab/deployments/web";
    let (_, object) = ask(
        &cluster,
        Method::PATCH,
        path,
        json!({"spec": {"replicas": 2}, "status": {"readyReplicas": 9}}),
    )
    .await;
    assert_eq!(
        (&object["status"]["readyReplicas"], &object["metadata"]["generation"]),
        (&json!(1), &json!(2))
    );
    let (_, object) = ask(
        &cluster,
        Method::PATCH,
        &format!("{path}/status"),
        json!({"spec": {"replicas": 7}, "status": {"readyReplicas": 2}}),
    )
    .await;
    assert_eq!(
        (&object["status"]["readyReplicas"], &object["spec"]["replicas"]),
        (&json!(2), &json!(2))
    );
    let (_, scale) = ask(&cluster, Method::PATCH, &format!("{path}/scale"), json!({"spec": {"replicas": 0}})).await;
    assert_eq!(
        (&scale["kind"], &scale["spec"]["replicas"], &scale["status"]["selector"]),
        (&json!("Scale"), &json!(0), &json!("app=web"))
    );
}

#[tokio::test]
async fn finalizers_and_grace_delay_deletion() {
    let cluster = cluster(0);
    let mut held = config_map("held", "odd");
    held["metadata"]["finalizers"] = json!(["example.test/hold"]);
    cluster.put(held);
    let path = format!("{MAPS}/held");
    let (_, leaving) = ask(&cluster, Method::DELETE, &path, Value::Null).await;
    assert!(leaving["metadata"]["deletionTimestamp"].is_string());
    assert!(cluster.get(Kind::ConfigMap, "lab", "held").is_some());
    ask(&cluster, Method::PATCH, &path, json!({"metadata": {"finalizers": null}})).await;
    assert!(cluster.get(Kind::ConfigMap, "lab", "held").is_none());

    let (_, namespace) = ask(&cluster, Method::DELETE, "/api/v1/namespaces/lab", Value::Null).await;
    assert_eq!(namespace["status"]["phase"], "Terminating");
    let (status, refusal) = ask(&cluster, Method::POST, MAPS, config_map("late", "odd")).await;
    assert_eq!(
        (status, refusal["details"]["causes"][0]["reason"].as_str()),
        (StatusCode::FORBIDDEN, Some("NamespaceTerminating"))
    );
}

#[tokio::test]
async fn evictions_ask_the_budget() {
    let cluster = cluster(0);
    for name in ["web-1", "web-2"] {
        cluster.put(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "lab", "labels": {"app": "web"}}}));
    }
    cluster.put(
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web", "namespace": "lab"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}}, "status": {"disruptionsAllowed": 1}}),
    );
    let pods: Api<Pod> = Api::namespaced(Client::new(cluster.service(), "lab"), "lab");
    pods.evict("web-1", &Default::default()).await.unwrap();
    let refused = pods.evict("web-2", &Default::default()).await.unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 429));
    assert_eq!(cluster.count(Kind::Pod), 1);
}

#[tokio::test]
async fn watches_stream_what_changes() {
    use futures_util::TryStreamExt;

    let cluster = cluster(1);
    let maps: Api<ConfigMap> = Api::namespaced(Client::new(cluster.service(), "lab"), "lab");
    let version = maps
        .list_metadata(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    let stream = maps
        .watch(&WatchParams::default().labels("parity=odd").timeout(5), &version)
        .await
        .unwrap();
    let mut stream = std::pin::pin!(stream);
    cluster.put(config_map("map-001", "odd"));
    cluster.put(config_map("map-002", "even"));
    cluster.edit(Kind::ConfigMap, "lab", "map-001", |map| map["data"] = json!({"k": "v"}));
    // Stops matching the selector: gone as far as this watch is concerned.
    cluster.edit(Kind::ConfigMap, "lab", "map-001", |map| {
        map["metadata"]["labels"]["parity"] = json!("even")
    });
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.push(match stream.try_next().await.unwrap().unwrap() {
            WatchEvent::Added(map) => format!("+{}", map.name_any()),
            WatchEvent::Modified(map) => format!("~{}", map.name_any()),
            WatchEvent::Deleted(map) => format!("-{}", map.name_any()),
            other => format!("{other:?}"),
        });
    }
    assert_eq!(seen, ["+map-001", "~map-001", "-map-001"]);

    cluster.compact();
    cluster.put(config_map("map-003", "odd"));
    let stream = maps.watch(&WatchParams::default(), &version).await.unwrap();
    let event = std::pin::pin!(stream).try_next().await.unwrap().unwrap();
    assert!(matches!(event, WatchEvent::Error(status) if status.code == 410));
}

#[tokio::test]
async fn refusals_have_their_reasons() {
    let cluster = cluster(1);
    cluster.forbid("list", "configmaps");
    let (status, refusal) = get(&cluster, "/api/v1/configmaps").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(
        refusal["message"],
        "configmaps is forbidden: User \"system:serviceaccount:stargate:reader\" cannot list resource \"configmaps\" in API group \"\" at the cluster scope"
    );
    let review = json!({"spec": {"resourceAttributes": {"verb": "list", "resource": "configmaps"}}});
    let (_, review) = ask(
        &cluster,
        Method::POST,
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        review,
    )
    .await;
    assert_eq!(review["status"]["allowed"], false);
    cluster.set_token_expired(true);
    assert_eq!(get(&cluster, MAPS).await.0, StatusCode::UNAUTHORIZED);
    cluster.clear_wire();
    assert_eq!(get(&cluster, MAPS).await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_wire_breaks_on_demand() {
    let cluster = cluster(200);
    let client = Client::new(cluster.service(), "lab");
    let maps: Api<ConfigMap> = Api::namespaced(client, "lab");

    cluster.inject_wire(
        WireFault::on(
            "*/configmaps",
            Effect::Status {
                code: 429,
                retry_after: Some(Duration::from_secs(7)),
            },
        )
        .times(1),
    );
    let request = Request::get(MAPS).body(Body::empty()).unwrap();
    let response = cluster.router().oneshot(request).await.unwrap();
    assert_eq!(
        (response.status(), response.headers()["retry-after"].to_str().unwrap()),
        (StatusCode::TOO_MANY_REQUESTS, "7")
    );

    for effect in [Effect::Malformed, Effect::CutAfter(500), Effect::Html, Effect::NoAnswer] {
        cluster.inject_wire(WireFault::on("*/configmaps", effect.clone()).times(1));
        assert!(maps.list(&ListParams::default()).await.is_err(), "{effect:?}");
    }
    assert_eq!(maps.list(&ListParams::default()).await.unwrap().items.len(), 200);

    cluster.set_down(true);
    assert!(maps.list(&ListParams::default()).await.is_err());
}

#[tokio::test]
async fn served_clusters_want_their_token_and_can_go_down() {
    let clock = SimClock::starting_at(start());
    let fleet = Fleet::empty(&["west", "east"], 7, clock);
    let east = fleet.cluster("east").unwrap().clone();
    east.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}}));
    east.put(config_map("one", "odd"));
    let running = fleet.serve().await.unwrap();
    let directory = std::env::temp_dir().join(format!("stargate-sim-{}", std::process::id()));
    let files = running.write_kubeconfigs(&directory).unwrap();
    assert_eq!(files.len(), 2);

    let kubeconfig = kube::config::Kubeconfig::read_from(&files[0]).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
    let client = Client::try_from(config).unwrap();
    let maps: Api<ConfigMap> = Api::all(client);
    assert_eq!(maps.list(&ListParams::default()).await.unwrap().items.len(), 1);
    assert_eq!(east.requests().count("list", "configmaps").requests, 1);

    let anonymous = Client::try_from(kube::Config::new(running.url("east").unwrap().parse().unwrap())).unwrap();
    let refused = Api::<ConfigMap>::all(anonymous).list(&ListParams::default()).await.unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 403));

    east.set_down(true);
    assert!(matches!(
        maps.list(&ListParams::default()).await.unwrap_err(),
        kube::Error::Service(_) | kube::Error::HyperError(_)
    ));
    east.set_down(false);
    assert_eq!(maps.list(&ListParams::default()).await.unwrap().items.len(), 1);
    east.inject_wire(WireFault::on("*", Effect::NoAnswer).times(1));
    assert!(maps.list(&ListParams::default()).await.is_err());
    running.stop().await;
    assert!(maps.list(&ListParams::default()).await.is_err());
}
