//! From a scan through the verdict to the interface: what the functions write is what this one reads.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use stargate_common::db::scans::Tier;
use stargate_common::db::{self, PoolSettings};
use stargate_query::access::Identity;
use stargate_query::{QueryState, router};
use stargate_tests::TestWorld;
use stargate_tests::fleet::{Condition, TestCluster};
use stargate_tests::world::morning;
use tower::ServiceExt;

use crate::schema::faults;

async fn interface(world: &TestWorld) -> Router {
    let reader = db::connect(&world.db.url, &PoolSettings::read_only("stargate-query-test"))
        .await
        .expect("connecting as a reader");
    router(QueryState::new(reader, world.clock.clone()).open_to(Identity::local_admin()))
}

/// The answer to `path`, which must have the documented shape.
async fn ask(router: &Router, template: &str, path: &str) -> Value {
    let request = Request::get(format!("/api/v1{path}")).body(Body::empty()).expect("a request");
    let response = router.clone().oneshot(request).await.expect("the router cannot fail");
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let body: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert!(status.is_success(), "{path}: {body:#}");
    let document = stargate_query::document();
    let schema = &document["paths"][format!("/api/v1{template}")]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(faults(&document, schema, &body), [""; 0], "{path}");
    body
}

#[tokio::test]
async fn a_lab_that_crashes_is_shown_where_why_and_since_when() {
    let mut world = TestWorld::new().await;
    let mut fleet = TestCluster::new("cnv-1", 20, morning());
    world.scan_and_judge(&fleet, Tier::Everything).await;
    let router = interface(&world).await;
    let overview = ask(&router, "/overview", "/overview").await;
    assert_eq!(overview["data"]["instances"]["ready"], 20, "{overview:#}");

    fleet.set(3, Condition::CrashLooping);
    for _ in 0..2 {
        world.wait(15);
        world.scan_and_judge(&fleet, Tier::Workloads).await;
    }
    let overview = ask(&router, "/overview", "/overview").await;
    let sentence = overview["data"]["verdict"]["sentence"].as_str().expect("a sentence");
    assert!(sentence.starts_with("1 of 20 lab instances is failing"), "{sentence}");
    assert_eq!(overview["data"]["top_classes"][0]["class"], "pods_crashlooping");

    let failing = ask(&router, "/instances", "/instances?state=failing").await;
    let row = &failing["data"][0];
    assert_eq!(
        (&row["namespace"], &row["class"]),
        (&"sandbox-q0003-netbasics".into(), &"pods_crashlooping".into())
    );
    assert_eq!(row["lab"], "netbasics");
    let id = row["id"].as_str().expect("an id");
    let instance = ask(&router, "/instances/{id}", &format!("/instances/{id}")).await;
    let stages = instance["data"]["stages"].as_array().expect("stages");
    let failed = stages.iter().find(|stage| stage["outcome"] == "fail").expect("a stage that fails");
    assert!(!failed["criteria"].as_array().expect("criteria").is_empty());
    let incident = instance["data"]["incidents"][0]["id"].as_str().expect("an incident");
    let incident = ask(&router, "/incidents/{id}", &format!("/incidents/{incident}")).await;
    assert_eq!(incident["data"]["class_history"][0]["class"], "pods_crashlooping");
    let evidence = ask(&router, "/instances/{id}/evidence", &format!("/instances/{id}/evidence?kind=pod")).await;
    assert_eq!(evidence["data"][0]["state"], "fresh");

    for (template, path) in [
        ("/clusters", "/clusters"),
        ("/clusters/{name}", "/clusters/cnv-1"),
        ("/clusters/{name}/nodes", "/clusters/cnv-1/nodes"),
        ("/labs", "/labs"),
        ("/labs/{code}", "/labs/netbasics"),
        ("/labs/{code}/pipeline", "/labs/netbasics/pipeline"),
        ("/transitions", "/transitions"),
        ("/scans", "/scans"),
        ("/sources", "/sources"),
    ] {
        let body = ask(&router, template, path).await;
        assert_ne!(body["data"], serde_json::json!([]), "{path} is empty");
    }

    fleet.reachable = false;
    world.wait(5);
    world.scan_and_judge(&fleet, Tier::Cluster).await;
    let overview = ask(&router, "/overview", "/overview").await;
    let sentence = overview["data"]["verdict"]["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains("cnv-1 is unreachable for "), "{sentence}");
}
