//! Generated fleets: their size, their health, and that a seed decides everything.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use chrono::{DateTime, TimeDelta, Utc};
use http::Request;
use serde_json::Value;
use stargate_sim::{Cluster, Fleet, Kind, LabKind, Manner, SimClock};
use tower::ServiceExt;

fn clock() -> SimClock {
    SimClock::starting_at(DateTime::from_timestamp(1_790_000_000, 0).unwrap())
}

async fn get(cluster: &Cluster, path: &str) -> Vec<u8> {
    let response = cluster
        .router()
        .oneshot(Request::get(path).body(Body::empty()).unwrap())
        .await
        .unwrap();
    to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}

fn ready(pod: &Value) -> bool {
    pod["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

#[test]
fn the_demo_is_eight_clusters_with_four_hundred_labs_of_all_kinds() {
    let fleet = Fleet::demo(42, clock());
    assert_eq!(fleet.clusters.len(), 8);
    assert!((380..=420).contains(&fleet.labs.len()), "{}", fleet.labs.len());
    for kind in LabKind::ALL {
        assert!(fleet.labs.iter().filter(|lab| lab.kind == kind).count() >= 15, "{kind:?}");
    }
    for cluster in &fleet.clusters {
        assert!((15..=45).contains(&cluster.count(Kind::Node)));
        assert_eq!(cluster.count(Kind::Node), cluster.count(Kind::NodeMetrics));
    }
}

#[test]
fn the_demo_is_healthy_apart_from_its_noise() {
    let fleet = Fleet::demo(42, clock());
    for cluster in &fleet.clusters {
        for pod in cluster.list(Kind::Pod, "") {
            let name = pod["metadata"]["name"].as_str().unwrap();
            let finished = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
            assert!(ready(&pod) || finished || name.starts_with("debug-"), "{} {name}", cluster.name());
        }
        for deployment in cluster.list(Kind::Deployment, "") {
            let wanted = deployment["spec"]["replicas"].as_i64().unwrap();
            assert_eq!(
                deployment["status"]["readyReplicas"].as_i64().unwrap_or(0),
                wanted,
                "{}",
                deployment["metadata"]["name"]
            );
        }
        for slice in cluster.list(Kind::EndpointSlice, "") {
            for endpoint in slice["endpoints"].as_array().unwrap() {
                assert_eq!(endpoint["conditions"]["ready"], true);
            }
        }
        for machine in cluster.list(Kind::VirtualMachine, "") {
            let halted = machine["spec"]["runStrategy"] == "Halted";
            assert_eq!(machine["status"]["printableStatus"], if halted { "Stopped" } else { "Running" });
        }
    }
}

#[tokio::test]
async fn the_same_seed_makes_the_same_fleet() {
    let listing = async |seed| get(&Fleet::demo(seed, clock()).clusters[1], "/api/v1/pods").await;
    let first = listing(7).await;
    assert!(first == listing(7).await, "two fleets of one seed differ");
    assert!(first != listing(8).await, "two seeds made one fleet");
}

#[tokio::test]
async fn a_benchmark_fleet_has_as_many_pods_of_real_weight() {
    let fleet = Fleet::bench(1, 60, 1200, clock());
    let cluster = &fleet.clusters[0];
    assert_eq!(fleet.labs.len(), 60);
    let body = get(cluster, "/api/v1/pods?labelSelector=!app.kubernetes.io/part-of").await;
    let list: Value = serde_json::from_slice(&body).unwrap();
    let labs: BTreeSet<&str> = fleet.labs.iter().map(|lab| lab.namespace.as_str()).collect();
    let pods: Vec<&Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|pod| labs.contains(pod["metadata"]["namespace"].as_str().unwrap()))
        .collect();
    assert_eq!(pods.len(), 1200);
    let mean = pods.iter().map(|pod| pod.to_string().len()).sum::<usize>() / pods.len();
    assert!((10_000..18_000).contains(&mean), "{mean}");

    let text = String::from_utf8(body).unwrap();
    assert!(!text.contains("prototype") && !text.contains('\u{e000}'), "a slot was not filled");
    let uids: BTreeSet<&str> = pods.iter().map(|pod| pod["metadata"]["uid"].as_str().unwrap()).collect();
    assert_eq!(uids.len(), pods.len());
    for pod in &pods {
        let created: DateTime<Utc> = pod["metadata"]["creationTimestamp"].as_str().unwrap().parse().unwrap();
        assert!(created < cluster.now() && ready(pod));
    }
}

#[tokio::test]
async fn usage_samples_are_always_fresh() {
    let fleet = Fleet::demo(1, clock());
    let cluster = &fleet.clusters[0];
    fleet.clock.advance(TimeDelta::hours(5));
    let list: Value = serde_json::from_slice(&get(cluster, "/apis/metrics.k8s.io/v1beta1/nodes").await).unwrap();
    let sampled: DateTime<Utc> = list["items"][0]["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(cluster.now() - sampled < TimeDelta::minutes(1));
}

#[tokio::test]
async fn routes_lead_to_what_is_behind_them() {
    let fleet = Fleet::demo(42, clock());
    let lab = fleet.labs.iter().find(|lab| lab.kind == LabKind::Showroom).unwrap();
    let cluster = fleet.cluster(&lab.cluster).unwrap();
    let host = cluster.hosts(&lab.namespace).remove(0);
    let running = fleet.serve().await.unwrap();
    let address = running.probe_address(&host).unwrap();
    assert!(running.probe_address("example.com").is_none());
    let connector = async |path: &str| {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    };
    assert!(connector("/").await.unwrap().contains("Welcome to the lab"));
    assert!(connector("/readyz").await.unwrap().contains("\"service\":\"nookbag\""));

    cluster.set_manner(&host, Some(Manner::NotReady));
    assert!(connector("/readyz").await.unwrap().starts_with("HTTP/1.1 503"));
    cluster.set_manner(&host, Some(Manner::ContentMissing));
    assert!(connector("/").await.unwrap().contains("404 Not Found"));
    cluster.set_manner(&host, Some(Manner::NoAnswer));
    assert!(
        connector("/")
            .await
            .is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
            || connector("/").await.is_ok_and(|answer| answer.is_empty())
    );
    cluster.set_manner(&host, None);
    cluster.remove(Kind::Service, &lab.namespace, "showroom");
    assert!(connector("/").await.unwrap().contains("Application is not available"));
    running.stop().await;
}
