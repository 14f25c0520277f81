//! What each operation says about a small fleet that is known.

use serde_json::{Value, json};

use crate::app::App;

fn rows(body: &Value) -> &Vec<Value> {
    body["data"].as_array().expect("rows")
}

#[tokio::test]
async fn the_overview_adds_up() {
    let app = App::small().await;
    let body = app.ok("/api/v1/overview").await;
    let data = &body["data"];
    let n = |name: &str| data["instances"][name].as_i64().unwrap();
    assert_eq!(n("total"), 240);
    let states = ["ready", "warning", "failing", "provisioning", "stopped", "terminating", "unknown"];
    assert_eq!(states.into_iter().map(n).sum::<i64>(), 240);
    assert_eq!(data["unmapped"], 6);
    assert_eq!(data["simulated"], true);
    let failing = app.text("select count(*)::text from instances where state = 'failing'").await;
    let sentence = data["verdict"]["sentence"].as_str().unwrap();
    assert!(
        sentence.starts_with(&format!("{failing} of 240 lab instances are failing; ")),
        "{sentence}"
    );
    let by_cluster: i64 = data["clusters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["instances"]["failing"].as_i64().unwrap())
        .sum();
    assert_eq!(by_cluster.to_string(), failing);
    let rate = data["health"]["rate"].as_f64().unwrap();
    let outcome = |name: &str| data["health"]["outcomes"][name].as_f64().unwrap();
    let known = outcome("pass") + outcome("warn") + outcome("fail");
    assert!((rate - (outcome("pass") + outcome("warn")) / known).abs() < 1e-9);
    assert_eq!(body["meta"]["as_of"], "2026-11-23T05:58:30Z");
    assert_eq!(body["meta"]["sources"][0]["age_s"], 90);

    let one = app.ok("/api/v1/overview?cluster=cnv-01").await;
    assert_eq!(one["data"]["instances"]["total"], 80);
    assert_eq!(rows(&json!({ "data": one["data"]["clusters"] })).len(), 1);
}

#[tokio::test]
async fn filters_are_or_inside_and_and_between() {
    let app = App::small().await;
    let count = async |path: &str| rows(&app.ok(path).await).len();
    let one = count("/api/v1/instances?limit=200&state=failing").await;
    let other = count("/api/v1/instances?limit=200&state=warning").await;
    assert_eq!(count("/api/v1/instances?limit=200&state=failing&state=warning").await, one + other);
    let body = app.ok("/api/v1/instances?limit=200&state=failing&cluster=cnv-01").await;
    assert!(!rows(&body).is_empty());
    assert!(
        rows(&body)
            .iter()
            .all(|row| row["state"] == "failing" && row["cluster"] == "cnv-01")
    );
    assert_eq!(
        body["meta"]["sources"].as_array().unwrap().len(),
        1,
        "only the clusters that were asked for"
    );
    let class = rows(&body)[0]["class"].as_str().unwrap();
    let body = app.ok(&format!("/api/v1/instances?class={class}&limit=200")).await;
    assert!(rows(&body).iter().all(|row| row["class"] == class));
    let body = app.ok("/api/v1/instances?lab=unmapped").await;
    assert_eq!(rows(&body).len(), 6);
    assert!(rows(&body).iter().all(|row| row["mapping"] == "none" && row["lab"] == "unmapped"));
    let body = app.ok("/api/v1/instances?lab=LB0001&limit=1").await;
    assert_eq!(rows(&body)[0]["mapping"], "lab_code");
    let guid = rows(&body)[0]["guid"].as_str().unwrap();
    assert_eq!(count(&format!("/api/v1/instances?q={guid}")).await, 1);
    assert_eq!(count(&format!("/api/v1/instances?q=sandbox-{guid}")).await, 1);
    assert_eq!(count("/api/v1/instances?q=%25%25").await, 0, "a wildcard is a character");
    assert_eq!(
        count("/api/v1/instances?kind=vm&kind=model&stage=route-ready").await,
        count("/api/v1/instances?kind=model&kind=vm&stage=route-ready").await
    );
}

#[tokio::test]
async fn labs_count_what_instances_say() {
    let app = App::small().await;
    let body = app.ok("/api/v1/labs?limit=200").await;
    let sum = |field: &str| rows(&body).iter().map(|row| row["instances"][field].as_i64().unwrap()).sum::<i64>();
    assert_eq!(sum("total"), 240);
    let mapping = |code: &str| rows(&body).iter().find(|row| row["code"] == code).map(|row| row["mapping"].clone());
    assert_eq!(mapping("LB0001"), Some("lab_code".into()));
    assert_eq!(mapping("topic-003"), Some("catalog".into()));
    assert_eq!(mapping("unmapped"), Some("none".into()));
    let issues = app.ok("/api/v1/labs?limit=200&health=issues").await;
    assert!(rows(&issues).iter().all(|row| {
        let n = |field: &str| row["instances"][field].as_i64().unwrap();
        n("failing") + n("warning") + n("unknown") > 0
    }));
    assert_eq!(
        rows(&app.ok("/api/v1/labs?q=lb00").await).len(),
        rows(&body)
            .iter()
            .filter(|row| row["code"].as_str().unwrap().starts_with("LB"))
            .count()
    );

    let worst = rows(&body)[0]["code"].as_str().unwrap();
    let lab = app.ok(&format!("/api/v1/labs/{worst}")).await;
    assert_eq!(lab["data"]["instances"], rows(&body)[0]["instances"]);
    let failing: i64 = lab["data"]["top_classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|class| class["instances"].as_i64().unwrap())
        .sum();
    assert_eq!(failing, lab["data"]["instances"]["failing"].as_i64().unwrap());
    let pipeline = app.ok(&format!("/api/v1/labs/{worst}/pipeline")).await;
    assert_eq!(rows(&pipeline).len(), 11);
    assert!(
        rows(&pipeline)
            .iter()
            .any(|stage| stage["worst"].as_array().is_some_and(|worst| !worst.is_empty()))
    );
    assert_eq!(rows(&pipeline)[0]["applicable"], false, "cluster-health is not judged per instance");
}

#[tokio::test]
async fn an_instance_tells_its_whole_story() {
    let app = App::small().await;
    let failing = app.ok("/api/v1/instances?state=failing&limit=1").await;
    let row = &rows(&failing)[0];
    let id = row["id"].as_str().unwrap();
    let body = app.ok(&format!("/api/v1/instances/{id}")).await;
    let data = &body["data"];
    assert_eq!(data["namespace"], row["namespace"]);
    let stages = data["stages"].as_array().unwrap();
    let orders: Vec<i64> = stages.iter().map(|stage| stage["order"].as_i64().unwrap()).collect();
    assert!(orders.is_sorted() && orders.len() == 6);
    let failed = stages.iter().find(|stage| stage["outcome"] == "fail").unwrap();
    assert_eq!(failed["stage"], row["failing_stage"]);
    assert_eq!(failed["criteria"][1]["failing"][0]["kind"], "Deployment");
    assert_eq!(data["incidents"][0]["id"], failed["incident_id"]);
    assert!(
        data["incidents"]
            .as_array()
            .unwrap()
            .iter()
            .any(|incident| incident["state"] == "open")
    );

    let evidence = app.ok(&format!("/api/v1/instances/{id}/evidence")).await;
    let kind = |kind: &str| rows(&evidence).iter().find(|row| row["kind"] == kind).unwrap().clone();
    assert_eq!(kind("pod")["content_hash"].as_str().unwrap().len(), 64);
    assert_eq!(kind("pod")["document"][0]["metadata"]["name"], row["namespace"]);
    assert_eq!(kind("pod")["age_s"], 90);
    assert_eq!(kind("service")["document"], json!([]), "it was read and there are none");
    assert!(!rows(&evidence).iter().any(|row| row["kind"] == "node"));
    let only = app.ok(&format!("/api/v1/instances/{id}/evidence?kind=pod&kind=route")).await;
    assert_eq!(rows(&only).len(), 2);
}

#[tokio::test]
async fn a_document_too_large_for_an_answer_is_left_out_and_said_so() {
    let app = App::small().await;
    let id = app.text("select instance_id::text from evidence limit 1").await;
    app.execute(
        "update evidence set doc = json_build_array(repeat('x', 300000))
         where kind = 'pod' and instance_id = (select instance_id from evidence limit 1)",
    )
    .await;
    let body = app.ok(&format!("/api/v1/instances/{id}/evidence?kind=pod")).await;
    assert_eq!(rows(&body)[0]["document"], Value::Null);
    assert!(rows(&body)[0]["size_bytes"].as_i64().unwrap() > 300_000);
}

#[tokio::test]
async fn attention_shows_parents_and_incidents_show_what_they_cover() {
    let app = App::small().await;
    let attention = app.ok("/api/v1/overview/attention").await;
    assert!(
        rows(&attention)
            .iter()
            .all(|row| row["parent_id"].is_null() && row["state"] == "open")
    );
    let parent = rows(&attention).iter().find(|row| row["scope"] == "cluster").unwrap();
    let id = parent["id"].as_str().unwrap();
    let detail = app.ok(&format!("/api/v1/incidents/{id}")).await;
    let children = detail["data"]["children"].as_array().unwrap();
    assert_eq!(children.len(), detail["data"]["members"].as_array().unwrap().len());
    assert!(!children.is_empty());
    let child = app.ok(&format!("/api/v1/incidents/{}", children[0]["id"].as_str().unwrap())).await;
    assert_eq!(child["data"]["parent"]["id"], id);
    assert_eq!(rows(&app.ok(&format!("/api/v1/incidents?parent={id}")).await).len(), children.len());
    let open = rows(&app.ok("/api/v1/incidents?limit=200").await).len();
    let top = rows(&app.ok("/api/v1/incidents?limit=200&top_level=true").await).len();
    assert!(top < open);
    assert!(
        rows(&app.ok("/api/v1/incidents?state=resolved").await)
            .iter()
            .all(|row| row["resolution"] == "self_resolved")
    );
}

#[tokio::test]
async fn transitions_and_scans_keep_to_their_window() {
    let app = App::small().await;
    let hour = app.ok("/api/v1/transitions?range=6h&limit=200").await;
    assert!(!rows(&hour).is_empty());
    assert!(rows(&hour).iter().all(|row| row["at"].as_str().unwrap() >= "2026-11-23T00:00:00Z"));
    let between = app
        .ok("/api/v1/transitions?from=2026-11-22T00:00:00Z&to=2026-11-22T12:00:00Z&limit=200")
        .await;
    assert!(!rows(&between).is_empty());
    assert!(
        rows(&between)
            .iter()
            .all(|row| ("2026-11-22T00:00:00Z".."2026-11-22T12:00:00Z").contains(&row["at"].as_str().unwrap()))
    );
    let recovered = app.ok("/api/v1/transitions?direction=recovered&class=route_missing").await;
    assert!(rows(&recovered).iter().all(|row| row["direction"] == "recovered"));
    let scans = app.ok("/api/v1/scans?tier=everything&cluster=cnv-02&range=24h").await;
    assert_eq!(rows(&scans).len(), 24);
}

#[tokio::test]
async fn nodes_show_load_and_readiness() {
    let app = App::small().await;
    let body = app.ok("/api/v1/clusters/cnv-01/nodes").await;
    assert_eq!(rows(&body).len(), 24);
    let node = |name: &str| rows(&body).iter().find(|row| row["node"] == name).unwrap().clone();
    assert_eq!(node("worker-05")["ready"], false);
    assert_eq!(node("worker-03")["unschedulable"], true);
    assert_eq!(node("worker-10")["roles"], json!(["worker"]));
    let share = node("worker-16")["cpu_pct"].as_f64().unwrap();
    assert!((share - 37.5).abs() < 0.01, "{share}");
}

#[tokio::test]
async fn sources_are_clusters_and_collectors() {
    let app = App::small().await;
    let body = app.ok("/api/v1/sources").await;
    let state = |source: &str| {
        rows(&body)
            .iter()
            .find(|row| row["source"] == source)
            .map(|row| row["state"].clone())
    };
    assert_eq!(state("cluster/cnv-01"), Some("fresh".into()));
    assert_eq!(state("labagator"), Some("stale".into()));
    assert_eq!(state("aap"), Some("disabled".into()));
}

#[tokio::test]
async fn a_source_says_how_often_it_failed_and_until_when_it_rests() {
    let app = App::empty().await;
    app.execute(
        "insert into sources (source, enabled, interval_s, last_attempt_at, last_success_at, last_error, expected, reporting, missing, failures, retry_at)
         values ('labagator', true, 900, '2026-11-23T05:59:00Z', '2026-11-23T05:40:00Z', 'session: throttled', 2, 1, '[\"session: throttled\"]', 3,
                 '2026-11-23T06:10:00Z'),
                ('demolition', true, 900, '2026-11-23T05:59:00Z', '2026-11-23T05:59:00Z', null, 1, 1, '[]', 0, '2026-11-23T05:00:00Z')",
    )
    .await;
    let body = app.ok("/api/v1/sources").await;
    let row = |source: &str| rows(&body).iter().find(|row| row["source"] == source).unwrap().clone();
    let resting = row("labagator");
    assert_eq!(resting["state"], "failed", "what was read before is not stale yet");
    assert_eq!(resting["failures"], 3);
    assert_eq!(resting["retry_at"], "2026-11-23T06:10:00Z");
    assert_eq!(
        resting["coverage"],
        serde_json::json!({"expected": 2, "reporting": 1, "missing": ["session: throttled"]})
    );
    assert_eq!(
        (row("demolition")["state"].as_str(), row("demolition")["retry_at"].is_null()),
        (Some("fresh"), true),
        "that time is over"
    );
}

#[tokio::test]
async fn knowledge_comes_from_the_rubrics_and_counts_from_the_fleet() {
    let app = App::small().await;
    let stages = app.ok("/api/v1/stages").await;
    assert_eq!(rows(&stages).len(), 11);
    assert_eq!(rows(&stages)[0]["outcomes"]["pass"], 3, "three clusters are healthy");
    assert!(rows(&stages).iter().all(|row| !row["summary"].as_str().unwrap().is_empty()));
    let active = app.ok("/api/v1/failure-classes?active=true&sort=-instances,id").await;
    assert_eq!(rows(&active).len(), 4);
    let failing: i64 = rows(&active).iter().map(|row| row["instances"].as_i64().unwrap()).sum();
    assert_eq!(
        failing.to_string(),
        app.text("select count(*)::text from instances where state = 'failing'").await
    );
    let one = app.ok("/api/v1/failure-classes/pods_crashlooping").await;
    assert!(!one["data"]["description"].as_str().unwrap().is_empty());
    app.execute("update instance_rollup set failure_class = 'from_tomorrow' where failure_class = 'pods_crashlooping'")
        .await;
    app.execute("update view_versions set version = version + 1 where view = 'instances'")
        .await;
    let odd = app.ok("/api/v1/failure-classes/from_tomorrow").await;
    assert_eq!(
        odd["data"]["stage"],
        Value::Null,
        "a class that the rubrics do not have is shown, not dropped"
    );
}

#[tokio::test]
async fn search_finds_by_every_name() {
    let app = App::small().await;
    let kinds = async |path: &str| -> Vec<String> {
        let body = app.ok(path).await;
        rows(&body).iter().map(|hit| hit["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds("/api/v1/search?q=CNV-0").await, ["cluster"; 3]);
    assert_eq!(kinds("/api/v1/search?q=topic-003").await, ["lab"]);
    assert_eq!(kinds("/api/v1/search?q=crashloop").await, ["failure-class"]);
    assert_eq!(kinds("/api/v1/search?q=sandbox-").await.len(), 20);
    assert!(kinds("/api/v1/search?q=sandbox-&kind=lab").await.is_empty());
    let body = app.ok("/api/v1/search?q=sandbox-").await;
    app.ok(rows(&body)[0]["href"].as_str().unwrap()).await;
}

#[tokio::test]
async fn metrics_count_what_the_interface_counts() {
    let app = App::small().await;
    let text = app.get("/metrics").await.text;
    let failing: f64 = text
        .lines()
        .filter(|line| line.starts_with("stargate_instances{") && line.contains("state=\"failing\""))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum();
    assert_eq!(
        failing.to_string(),
        app.text("select count(*)::text from instances where state = 'failing'").await
    );
    for line in [
        "stargate_outbox_unpublished 3",
        "stargate_outbox_lag_seconds 40",
        "stargate_dead_letters{consumer=\"evaluate\"} 2",
        "stargate_source_up{source=\"cluster/cnv-01\"} 1",
        "stargate_incidents_open{severity=\"critical\",scope=\"cluster\"} 2",
        "stargate_cluster_utilization_ratio{cluster=\"cnv-01\",resource=\"cpu\"} 0.43",
    ] {
        assert!(text.contains(line), "{line} is missing from\n{text}");
    }
    assert!(!text.contains("sandbox-"), "a namespace is a label");
}

#[tokio::test]
async fn advice_comes_by_urgency_then_by_how_sure_it_is_and_is_found_by_lab() {
    let app = App::small().await;
    let keys = async |query: &str| -> Vec<String> {
        let body = app.ok(&format!("/api/v1/recommendations{query}")).await;
        rows(&body)
            .iter()
            .map(|row| row["scope_key"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(keys("").await, ["LB0002", "poolboy/db", "poolboy/web", "LB0001"]);
    assert_eq!(keys("?scope=pool&urgency=high").await, ["poolboy/db", "poolboy/web"]);
    assert_eq!(keys("?lab=LB0001").await, ["LB0001"]);
    assert_eq!(keys("?lab=LB0001&state=withdrawn&state=issued").await, ["LB0001", "LB0001"]);
    assert_eq!(keys("?rule=route_not_created").await, ["LB0001"]);
    assert_eq!(keys("?sort=-updated_at").await, ["LB0001", "LB0002", "poolboy/web", "poolboy/db"]);
    let first = app.ok("/api/v1/recommendations?limit=3").await;
    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    assert_eq!(keys(&format!("?limit=3&cursor={cursor}")).await, ["LB0001"]);

    let body = app.ok("/api/v1/recommendations?scope=pool").await;
    let rests_on: Vec<&str> = (body["meta"]["sources"].as_array().unwrap().iter())
        .map(|source| source["source"].as_str().unwrap())
        .collect();
    for source in [
        "cluster/cnv-01",
        "babylon",
        "sandbox-api",
        "aap/",
        "demolition",
        "labagator",
        "agnosticv",
    ] {
        assert!(
            rests_on.iter().any(|name| name.starts_with(source)),
            "{source} is not in {rests_on:?}"
        );
    }
    let in_doubt = rows(&body).iter().find(|row| row["scope_key"] == "poolboy/web").unwrap();
    assert_eq!(
        (&in_doubt["unknown_reason"], &in_doubt["confidence"]),
        (&json!("stale"), &json!(0.8))
    );
    let one = app
        .ok(&format!("/api/v1/recommendations/{}", in_doubt["id"].as_str().unwrap()))
        .await;
    assert_eq!(
        one["data"]["evidence"],
        json!([{"group": "pools", "count": 1, "kind": "resource-pool", "key": "p1", "detail": "usable 0"}])
    );
    assert_eq!(one["data"]["context"]["failing"][0]["class"], "route_missing");
    assert_eq!(app.get("/api/v1/recommendations/nothing").await.status, 404);
    let unknown = app.ok("/api/v1/policy/unknowns").await;
    assert_eq!(
        (&unknown["data"][0]["subjects"], &unknown["data"][0]["sources"]),
        (&json!(40), &json!(["aap"]))
    );
}

#[tokio::test]
async fn the_overview_names_what_the_lists_begin_with() {
    let app = App::small().await;
    let first = app.ok("/api/v1/overview").await["data"].clone();

    let attention = app.ok("/api/v1/overview/attention?limit=10").await;
    assert_eq!(first["attention"], attention["data"]);
    assert!(!rows(&attention).is_empty());
    let here = app.ok("/api/v1/overview?cluster=cnv-02").await["data"].clone();
    assert_eq!(
        here["attention"],
        app.ok("/api/v1/overview/attention?limit=10&cluster=cnv-02").await["data"]
    );
    assert_ne!(here["attention"], first["attention"]);

    let advice = app.ok("/api/v1/recommendations").await;
    assert_eq!(first["recommendations"]["top"].as_array().unwrap()[..], rows(&advice)[..3]);
    assert_eq!(
        (&first["recommendations"]["open"], &first["recommendations"]["urgent"]),
        (&json!(4), &json!(3))
    );

    let sources = app.ok("/api/v1/sources").await;
    let fields = ["source", "state", "age_s", "last_success_at", "last_error", "coverage"];
    let pick = |row: &Value| fields.map(|field| row[field].clone());
    let told: Vec<_> = first["sources"].as_array().unwrap().iter().map(pick).collect();
    assert_eq!(told, rows(&sources).iter().map(pick).collect::<Vec<_>>());
    assert_eq!(
        first["sources"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["kind"] == "cluster")
            .count(),
        3
    );

    let sessions = app.ok("/api/v1/sessions?phase=running&phase=upcoming&limit=200").await;
    let soon = |row: &&Value| row["starts_at"].as_str().unwrap() <= "2026-11-23T10:00:00Z";
    let soon: Vec<&Value> = rows(&sessions).iter().filter(soon).take(8).collect();
    assert!(!soon.is_empty());
    assert_eq!(first["next_sessions"].as_array().unwrap().iter().collect::<Vec<_>>(), soon);
}

#[tokio::test]
async fn the_overview_counts_incidents_by_hour_and_says_in_which_nobody_looked() {
    let app = App::small().await;
    app.execute("delete from incidents where opened_at between '2026-11-22 23:00Z' and '2026-11-23 02:00Z'")
        .await;
    app.execute(
        "update incidents set resolved_at = '2026-11-22 10:20Z' where resolved_at between '2026-11-22 23:00Z' and '2026-11-23 02:00Z'",
    )
    .await;
    app.execute("delete from cluster_samples where at between '2026-11-22 22:50Z' and '2026-11-23 01:20Z'")
        .await;
    let first = app.ok("/api/v1/overview").await["data"].clone();
    let hours = first["incident_hours"].as_array().unwrap();
    assert_eq!(hours.len(), 24);
    assert_eq!(
        (&hours[0]["start"], &hours[23]["start"]),
        (&json!("2026-11-22T07:00:00Z"), &json!("2026-11-23T06:00:00Z"))
    );
    let hour = |start: &str| hours.iter().find(|hour| hour["start"] == start).unwrap();
    assert_eq!(hour("2026-11-22T23:00:00Z")["opened"], 0, "the reading of 22:45 still holds");
    assert_eq!(hour("2026-11-23T00:00:00Z")["opened"], Value::Null);
    assert_eq!(hour("2026-11-23T00:00:00Z")["resolved"], Value::Null);
    assert_eq!(hour("2026-11-23T01:00:00Z")["opened"], 0);
    for (field, counted) in [
        (
            "opened",
            "select count(*)::text from incidents where opened_at between '2026-11-22 07:00Z' and '2026-11-23 06:00Z'",
        ),
        (
            "resolved",
            "select count(*)::text from incidents where resolved_at between '2026-11-22 07:00Z' and '2026-11-23 06:00Z'",
        ),
    ] {
        let sum: i64 = hours.iter().filter_map(|hour| hour[field].as_i64()).sum();
        assert_eq!(sum.to_string(), app.text(counted).await);
        assert_ne!(sum, 0);
    }
}

#[tokio::test]
async fn a_trend_tells_none_where_somebody_looked_and_nothing_where_nobody_did() {
    let app = App::small().await;
    app.execute("delete from incidents where resolved_at between '2026-11-22 20:00Z' and '2026-11-23 00:00Z'")
        .await;
    app.execute("delete from cluster_samples where at between '2026-11-22 20:00Z' and '2026-11-22 22:00Z'")
        .await;
    let body = app.ok("/api/v1/trends?metric=incidents_resolved&group_by=cluster&range=24h").await;
    let trend = &body["data"];
    assert_eq!(
        (&trend["bucket_s"], &trend["unit"], &trend["other"]),
        (&json!(900), &json!("incidents"), &json!(false))
    );
    let series = trend["series"].as_array().unwrap();
    let mut keys: Vec<_> = series.iter().map(|series| series["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["cnv-01", "cnv-02", "cnv-03"]);
    let value = |t: &str| {
        let points = series[0]["points"].as_array().unwrap();
        assert_eq!(points.len(), 96);
        points.iter().find(|point| point["t"] == t).unwrap()["value"].clone()
    };
    assert_eq!(value("2026-11-22T20:15:00Z"), 0.0, "the look of 19:45 still holds");
    assert_eq!(value("2026-11-22T21:30:00Z"), Value::Null);
    assert_eq!(value("2026-11-22T23:00:00Z"), 0.0);
    let sum: f64 = series
        .iter()
        .flat_map(|series| series["points"].as_array().unwrap())
        .filter_map(|point| point["value"].as_f64())
        .sum();
    let counted = app
        .text("select count(*)::text from incidents where resolved_at between '2026-11-22 06:15Z' and '2026-11-23 06:00Z'")
        .await;
    assert_eq!(sum.to_string(), counted);
    assert_ne!(counted, "0");
}

#[tokio::test]
async fn the_newest_bucket_of_failing_instances_is_what_fails_now() {
    let app = App::small().await;
    for (group, key, counted) in [
        (
            "class",
            "pods_crashlooping",
            "select count(*)::text from instances where state = 'failing' and failure_class = 'pods_crashlooping'",
        ),
        (
            "cluster",
            "cnv-02",
            "select count(*)::text from instances where state = 'failing' and cluster_id = md5('cluster2')::uuid",
        ),
    ] {
        let body = app
            .ok(&format!("/api/v1/trends?metric=instances_failing&group_by={group}&range=6h"))
            .await;
        let series = body["data"]["series"].as_array().unwrap();
        let newest = series.iter().find(|series| series["key"] == key).unwrap()["points"]
            .as_array()
            .unwrap()
            .last()
            .unwrap();
        assert_eq!(newest["n"].to_string(), app.text(counted).await, "{key}");
    }
    let narrow = app
        .ok("/api/v1/trends?metric=instances_failing&class=pods_crashlooping&cluster=cnv-02&lab=LB0001")
        .await;
    assert!(narrow["data"]["series"].as_array().unwrap().len() <= 1);
    app.get("/api/v1/trends?metric=cluster_cpu&group_by=lab")
        .await
        .is_problem(400, "invalid-parameter", Some("group_by"));
    app.get("/api/v1/trends").await.is_problem(400, "invalid-parameter", Some("metric"));
}

#[tokio::test]
async fn load_of_clusters_and_time_to_ready_are_means_and_medians_of_what_was_measured() {
    let app = App::small().await;
    app.execute("delete from cluster_samples where cluster_id = md5('cluster3')::uuid")
        .await;
    app.execute("update cluster_samples set cpu_sum = 90, cpu_n = 3 where cluster_id = md5('cluster1')::uuid")
        .await;
    let body = app
        .ok("/api/v1/trends?metric=cluster_cpu&range=6h&cluster=cnv-01&cluster=cnv-03")
        .await;
    let series = body["data"]["series"].as_array().unwrap();
    assert_eq!((&series[0]["key"], &series[1]["key"]), (&json!("cnv-01"), &json!("cnv-03")));
    let points = series[0]["points"].as_array().unwrap();
    assert_eq!(points.len(), 24);
    assert_eq!((&points[3]["value"], &points[3]["n"]), (&json!(30.0), &json!(3)));
    let blind = series[1]["points"].as_array().unwrap();
    assert!(
        blind.iter().all(|point| point["value"].is_null()),
        "what was never measured is not 0 %"
    );

    let body = app.ok("/api/v1/trends?metric=time_to_ready&range=90d&group_by=lab").await;
    let series = body["data"]["series"].as_array().unwrap();
    let known: Vec<&Value> = series
        .iter()
        .flat_map(|series| series["points"].as_array().unwrap())
        .filter(|point| point["n"] != 0)
        .collect();
    assert!(!known.is_empty());
    assert!(
        known.iter().all(|point| point["value"] == 1200.0),
        "every provision of the seed takes 20 minutes"
    );
}

#[tokio::test]
async fn facets_count_the_rows_that_the_filter_would_leave() {
    let app = App::small().await;
    for (list, filters, fields) in [
        ("instances", "", &["lab", "cluster", "state", "stage", "class"][..]),
        ("instances", "&cluster=cnv-01&state=failing", &["lab", "stage", "class"]),
        ("instances", "&q=sandbox-a", &["lab", "cluster", "state"]),
        ("labs", "", &["cluster", "state", "stage", "class", "health"]),
        ("labs", "&health=issues&cluster=cnv-02", &["state", "class"]),
        ("incidents", "", &["severity", "scope", "class", "stage"]),
        ("incidents", "&lab=LB0001", &["severity", "stage", "state"]),
        ("incidents", "&state=resolved&cluster=cnv-01", &["severity", "class"]),
    ] {
        let facets = app.ok(&format!("/api/v1/{list}/facets?limit=1{filters}")).await["data"].clone();
        for &field in fields {
            let values = facets[field].as_array().unwrap();
            assert!(!values.is_empty(), "{list} {filters}: {field}");
            let value = &values[values.len() - 1];
            // The field's own filter narrows what is there already.
            let others: Vec<&str> = filters.split('&').filter(|pair| !pair.starts_with(&format!("{field}="))).collect();
            let path = format!(
                "/api/v1/{list}?limit=200{}&{field}={}",
                others.join("&"),
                value["value"].as_str().unwrap()
            );
            let listed = app.ok(&path).await;
            assert_eq!(listed["page"]["has_more"], false, "{path} is too large to count");
            assert_eq!(rows(&listed).len().to_string(), value["count"].to_string(), "{path}");
        }
    }
    app.get("/api/v1/instances/facets?colour=red")
        .await
        .is_problem(400, "unknown-parameter", Some("colour"));
}

#[tokio::test]
async fn an_incident_is_found_by_the_lab_that_its_instance_was_joined_to_later() {
    let app = App::small().await;
    let before = rows(&app.ok("/api/v1/incidents?lab=LB0001&limit=200").await).len();
    assert_ne!(before, 0);
    app.execute("update incidents set lab = 'topic-001' where lab = 'LB0001'").await;
    app.execute("update view_versions set version = version + 1 where view = 'incidents'")
        .await;
    let after = app.ok("/api/v1/incidents?lab=LB0001&limit=200").await;
    assert_eq!(rows(&after).len(), before);
}
