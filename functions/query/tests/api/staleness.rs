//! Unknown is never ready: what happens to every number when readings stop.

use chrono::TimeDelta;

use crate::app::App;

#[tokio::test]
async fn when_everything_stops_nothing_stays_ready() {
    let app = App::small().await;
    let fresh = app.ok("/api/v1/overview").await;
    assert!(fresh["data"]["instances"]["ready"].as_i64().unwrap() > 200);
    assert_eq!(fresh["meta"]["partial"], false);

    app.clock.advance(TimeDelta::minutes(45));
    let stale = app.ok("/api/v1/overview").await;
    let counts = &stale["data"]["instances"];
    assert_eq!((&counts["ready"], &counts["failing"]), (&0.into(), &0.into()));
    assert_eq!(counts["unknown"], counts["total"]);
    assert_eq!(stale["data"]["verdict"]["level"], "unknown");
    assert_eq!(stale["data"]["health"]["rate"], serde_json::Value::Null);
    assert_eq!(stale["meta"]["partial"], true);
    assert!(
        stale["meta"]["sources"]
            .as_array()
            .unwrap()
            .iter()
            .all(|source| source["state"] == "stale")
    );
    assert_eq!(stale["data"]["clusters"][0]["status"], "unknown");

    assert_eq!(app.ok("/api/v1/instances?state=ready").await["data"], serde_json::json!([]));
    let unknown = app.ok("/api/v1/instances?state=unknown&limit=1").await;
    assert_eq!(unknown["data"][0]["state"], "unknown");
    assert_eq!(unknown["data"][0]["last_known_state"], "ready");
    let id = unknown["data"][0]["id"].as_str().unwrap();
    let detail = app.ok(&format!("/api/v1/instances/{id}")).await;
    assert!(
        detail["data"]["stages"]
            .as_array()
            .unwrap()
            .iter()
            .all(|stage| stage["outcome"] == "indeterminate" && stage["reason"] == "stale")
    );
    let lab = app.ok("/api/v1/labs/LB0001").await;
    assert_eq!(lab["data"]["instances"]["unknown"], lab["data"]["instances"]["total"]);
    let pipeline = app.ok("/api/v1/labs/LB0001/pipeline").await;
    assert!(
        pipeline["data"]
            .as_array()
            .unwrap()
            .iter()
            .all(|stage| stage["outcomes"]["pass"] == 0 && stage["worst"] == serde_json::json!([]))
    );
}

#[tokio::test]
async fn one_cluster_that_is_away_costs_only_its_own() {
    let app = App::small().await;
    let before = app.ok("/api/v1/overview").await;
    let tag = app.get("/api/v1/overview?cluster=cnv-01").await.header("etag").to_owned();
    app.execute(
        "update cluster_kinds set missing = 'unreachable', detail = 'connection refused', last_attempt_at = '2026-11-23T05:59:00Z',
                last_success_at = '2026-11-23T05:54:00Z'
         where cluster_id = (select cluster_id from clusters where name = 'cnv-02')",
    )
    .await;
    app.execute("update clusters set api_reachable = false, api_detail = 'connection refused' where name = 'cnv-02'")
        .await;
    app.execute("update view_versions set version = version + 1 where view = 'clusters'")
        .await;

    let after = app.ok("/api/v1/overview").await;
    let sentence = after["data"]["verdict"]["sentence"].as_str().unwrap();
    assert!(sentence.contains("cnv-02 is unreachable for 6 min"), "{sentence}");
    assert_eq!(after["data"]["verdict"]["level"], "critical");
    assert_eq!(
        after["data"]["instances"], before["data"]["instances"],
        "six minutes are not stale yet"
    );
    assert_eq!(after["meta"]["partial"], true);
    let source = app.ok("/api/v1/clusters/cnv-02").await;
    assert_eq!(source["data"]["source"], "failed");
    assert_eq!(source["data"]["status"], "critical");

    app.clock.advance(TimeDelta::minutes(25));
    app.execute("update cluster_kinds set last_attempt_at = last_attempt_at + interval '25 min', last_success_at = last_success_at + interval '25 min'
                 where missing is distinct from 'unreachable'")
    .await;
    let later = app.ok("/api/v1/clusters").await;
    let ready: Vec<_> = later["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), row["instances"]["ready"] != 0))
        .collect();
    assert_eq!(ready, [("cnv-01", true), ("cnv-02", false), ("cnv-03", true)]);
    assert_ne!(
        app.get("/api/v1/overview?cluster=cnv-01").await.header("etag"),
        tag,
        "the age of a source is part of the answer"
    );
}

#[tokio::test]
async fn a_tag_ends_when_a_source_becomes_stale_by_mere_time() {
    let app = App::small().await;
    let tag = app.get("/api/v1/instances").await.header("etag").to_owned();
    app.clock.advance(TimeDelta::minutes(5));
    assert_eq!(app.get("/api/v1/instances").await.header("etag"), tag, "still fresh");
    app.clock.advance(TimeDelta::minutes(40));
    assert_ne!(app.get("/api/v1/instances").await.header("etag"), tag, "stale");
}

#[tokio::test]
async fn an_empty_database_is_unknown_not_fine() {
    let app = App::empty().await;
    let body = app.ok("/api/v1/overview").await;
    assert_eq!(body["data"]["verdict"]["level"], "unknown");
    assert_eq!(body["data"]["verdict"]["sentence"], "no lab instance is known yet");
    assert_eq!(body["meta"]["as_of"], serde_json::Value::Null);
    for list in ["clusters", "labs", "instances", "incidents", "transitions", "scans"] {
        assert_eq!(app.ok(&format!("/api/v1/{list}")).await["data"], serde_json::json!([]), "{list}");
    }
    let sources = app.ok("/api/v1/sources").await;
    assert!(
        sources["data"].as_array().unwrap().iter().all(|source| source["state"] == "never"),
        "{sources}"
    );
}

#[tokio::test]
async fn a_cluster_that_was_switched_off_is_left_out_of_the_verdict_and_shown_as_such() {
    let app = App::small().await;
    app.execute("update clusters set enabled = false where name = 'cnv-03'").await;
    app.execute("update view_versions set version = version + 1 where view = 'clusters'")
        .await;
    app.clock.advance(TimeDelta::minutes(1));
    let body = app.ok("/api/v1/clusters/cnv-03").await;
    assert_eq!(
        (&body["data"]["status"], &body["data"]["source"]),
        (&"unknown".into(), &"disabled".into())
    );
    let sentence = app.ok("/api/v1/overview").await["data"]["verdict"]["sentence"].clone();
    assert!(!sentence.as_str().unwrap().contains("cnv-03"), "{sentence}");
}
