//! What was ordered, what is held ready, who is coming: over a small fleet that is known, and over sources that are away.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::app::App;

fn rows(body: &Value) -> &Vec<Value> {
    body["data"].as_array().expect("rows")
}

/// A small fleet whose schedule was just read.
async fn app() -> App {
    let app = App::small().await;
    app.execute(
        "update sources set last_success_at = '2026-11-23T05:58:00Z', last_error = null, missing = '[]' where source = 'labagator'",
    )
    .await;
    app
}

#[tokio::test]
async fn the_summary_adds_up() {
    let app = app().await;
    let body = app.ok("/api/v1/provisioning/summary?range=7d").await;
    let data = &body["data"];
    let subjects = app.text("select count(*)::text from subjects").await;
    assert_eq!(data["subjects"].to_string(), subjects);
    let states: i64 = data["by_state"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["subjects"].as_i64().unwrap())
        .sum();
    assert_eq!(states.to_string(), subjects);
    let provision = &data["provision"];
    let n = |field: &str| provision[field].as_i64().unwrap();
    assert_eq!(n("attempts"), n("succeeded") + n("failed") + n("errors"));
    assert_eq!(
        n("failed").to_string(),
        app.text("select count(*)::text from subjects where doc ->> 'current_state' = 'provision-failed'")
            .await
    );
    assert!(n("failed") > 0 && provision["rate"].as_f64().unwrap() < 1.0);
    assert_eq!(data["destroy"]["rate"], Value::Null, "no attempt is no rate");
    assert_eq!((&data["queue_depth"], &data["sandbox_api"]["healthy"]), (&4.into(), &true.into()));
    assert_eq!(data["sandbox_api"]["replicas_ready"], Value::Null);
    assert_eq!(data["rate_slots"].as_array().unwrap().len(), 3);
    assert_eq!(data["unmatched"], json!([{ "kind": "instance", "wanted": "subject", "count": 6 }]));
    assert_eq!(data["unknown"], json!([]));
    let sessions = &data["sessions"];
    let n = |field: &str| sessions[field].as_i64().unwrap();
    assert!(n("total") > 0);
    assert_eq!(n("total"), n("ready") + n("at_risk") + n("not_ready") + n("unknown"));
    let overview = app.ok("/api/v1/overview").await;
    assert_eq!(&overview["data"]["sessions_next"], sessions);
    assert_eq!(overview["data"]["provisioning"]["subjects"].to_string(), subjects);
    let names: Vec<&str> = body["meta"]["sources"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|source| source["source"].as_str())
        .collect();
    assert_eq!(names[3..], ["babylon", "sandbox-api", "labagator", "agnosticv"]);
}

#[tokio::test]
async fn a_source_that_is_away_makes_its_numbers_null_with_the_reason_never_zero() {
    for (statement, reason) in [
        (
            "update sources set enabled = false where source = 'babylon'",
            "babylon is not collected (disabled)",
        ),
        ("delete from sources where source = 'babylon'", "babylon was never read"),
        (
            "update sources set last_success_at = '2026-11-23T04:00:00Z', last_error = 'HTTP 403' where source = 'babylon'",
            "babylon was not read for 2 h: HTTP 403",
        ),
    ] {
        let app = app().await;
        app.execute(statement).await;
        let summary = app.ok("/api/v1/provisioning/summary").await;
        let data = &summary["data"];
        for field in [
            "subjects",
            "by_state",
            "provision",
            "destroy",
            "stuck",
            "overdue",
            "pools",
            "unmatched",
        ] {
            assert_eq!(data[field], Value::Null, "{field}: {statement}");
        }
        assert_eq!(data["unknown"], json!([reason]));
        let pool = app.ok("/api/v1/pools/acme-labs.topic-001.event").await;
        assert_eq!(
            (&pool["data"]["state"], &pool["data"]["reason"]),
            (&"unknown".into(), &reason.into())
        );
        for field in [
            "usable",
            "available",
            "unready",
            "claimed",
            "min_available",
            "velocity",
            "created_6h",
        ] {
            assert_eq!(pool["data"][field], Value::Null, "{field}: {statement}");
        }
        let subject = app.ok("/api/v1/subjects?limit=1").await;
        let subject = &rows(&subject)[0];
        assert_eq!((&subject["state"], &subject["class"]), (&Value::Null, &"unknown".into()));
        assert!(subject["last_known_state"].is_string());
        let sessions = app.ok("/api/v1/sessions?limit=200").await;
        assert!(rows(&sessions).iter().all(|row| row["pool_usable"] == Value::Null));
        assert!(!rows(&sessions).is_empty());
        let overview = app.ok("/api/v1/overview").await;
        assert_eq!(overview["data"]["provisioning"]["stuck"], Value::Null);
        assert_eq!(overview["data"]["provisioning"]["unknown_reason"], reason);
    }
}

#[tokio::test]
async fn a_schedule_that_is_away_leaves_every_session_unknown() {
    let app = App::small().await; // Labagator was last read two hours ago.
    let body = app.ok("/api/v1/sessions").await;
    assert!(!rows(&body).is_empty());
    assert!(rows(&body).iter().all(|row| row["verdict"] == "unknown"));
    let sentence = rows(&body)[0]["sentence"].as_str().unwrap();
    assert!(
        sentence.starts_with("the schedule is not known: labagator was not read for 2 h: 503 from the API; it said: "),
        "{sentence}"
    );
    assert_eq!(body["meta"]["partial"], true);
    let overview = app.ok("/api/v1/overview").await;
    assert_eq!(overview["data"]["sessions_next"]["total"], Value::Null);
    let lab = app.ok("/api/v1/labs/LB0001").await;
    assert_eq!(
        (&lab["data"]["next_session"], &lab["data"]["title"]),
        (&Value::Null, &"Learn topic-001".into())
    );
}

#[tokio::test]
async fn sessions_compare_what_is_ready_with_what_is_needed() {
    let app = app().await;
    let body = app.ok("/api/v1/sessions?limit=200").await;
    let starts: Vec<&str> = rows(&body).iter().filter_map(|row| row["starts_at"].as_str()).collect();
    assert!(starts.is_sorted());
    for row in rows(&body) {
        let (ready, needed) = (row["ready"].as_i64().unwrap(), row["needed"].as_i64());
        match (row["verdict"].as_str().unwrap(), needed) {
            ("ready", needed) => assert!(needed.is_some_and(|needed| ready >= needed), "{row}"),
            ("unknown", None) => assert_eq!(row["attendees"], Value::Null, "{row}"),
            (_, needed) => assert!(needed.is_some_and(|needed| ready < needed), "{row}"),
        }
        assert_ne!(row["sentence"], "");
    }
    assert!(rows(&body).iter().any(|row| row["phase"] == "running"));
    let lab = app.ok("/api/v1/labs/LB0001/sessions?limit=200").await;
    assert!(
        rows(&lab)
            .iter()
            .all(|row| row["lab_code"] == "LB0001" && row["title"] == "Learn topic-001")
    );
    let code = rows(&lab)[0]["lab_code"].as_str().unwrap();
    let instances = app.ok(&format!("/api/v1/labs/{code}")).await;
    let counts = &instances["data"]["instances"];
    assert_eq!(
        rows(&lab)[0]["ready"].as_i64(),
        Some(counts["ready"].as_i64().unwrap() + counts["warning"].as_i64().unwrap())
    );
    // All clusters stop: what was ready is unknown, and no session is ready any more.
    app.clock.advance(TimeDelta::minutes(45));
    app.execute("update sources set last_success_at = '2026-11-23T06:44:00Z', last_attempt_at = '2026-11-23T06:44:00Z'")
        .await;
    let body = app.ok("/api/v1/sessions?limit=200").await;
    assert!(rows(&body).iter().all(|row| row["ready"] == 0 && row["verdict"] != "ready"));
    assert!(rows(&body).iter().any(|row| row["unknown"] != 0));
}

#[tokio::test]
async fn a_session_without_time_and_one_that_was_canceled() {
    let app = app().await;
    app.execute(
        "update records set doc = doc || '{\"starts_at\": null, \"ends_at\": null, \"start_time\": null}' where key = 'session-2-0'",
    )
    .await;
    app.execute("update records set doc = doc || '{\"status\": \"canceled\"}' where key = 'session-2-1'")
        .await;
    app.execute("update view_versions set version = version + 1 where view = 'provisioning'")
        .await;
    let body = app.ok("/api/v1/sessions?phase=no_time").await;
    let row = &rows(&body)[0];
    assert_eq!(
        (&row["id"], &row["starts_at"], &row["deadline"]),
        (&"session-2-0".into(), &Value::Null, &Value::Null)
    );
    assert!(row["sentence"].as_str().unwrap().contains("no time set on "), "{row}");
    let body = app.ok("/api/v1/sessions?phase=canceled").await;
    assert_eq!(
        (&rows(&body)[0]["verdict"], &rows(&body)[0]["sentence"]),
        (&Value::Null, &"it was canceled.".into())
    );
    let ahead = app.ok("/api/v1/sessions?limit=200").await;
    assert!(
        rows(&ahead).iter().all(|row| row["id"] != "session-2-1"),
        "unasked, only what comes is shown"
    );
}

#[tokio::test]
async fn subjects_are_filtered_as_asked() {
    let app = app().await;
    let failed = app.ok("/api/v1/subjects?class=failed_terminal&limit=200").await;
    assert!(!rows(&failed).is_empty());
    assert!(
        rows(&failed)
            .iter()
            .all(|row| row["state"] == "provision-failed" && row["class"] == "failed_terminal")
    );
    let count = async |path: &str| rows(&app.ok(path).await).len();
    assert_eq!(
        count("/api/v1/subjects?state=provision-failed&limit=200").await,
        rows(&failed).len()
    );
    assert_eq!(count("/api/v1/subjects?state=nonsense").await, 0);
    let of_lab = app.ok("/api/v1/subjects?lab=LB0001&limit=200").await;
    assert!(!rows(&of_lab).is_empty());
    assert!(
        rows(&of_lab)
            .iter()
            .all(|row| row["lab_code"] == "LB0001" && row["instance_id"].is_string())
    );
    assert_eq!(
        count("/api/v1/subjects?pool=acme-labs.topic-001.event&limit=200").await,
        rows(&of_lab).len(),
        "one pool serves the lab"
    );
    let name = rows(&of_lab)[0]["guid"].as_str().unwrap();
    assert_eq!(count(&format!("/api/v1/subjects?q={name}")).await, 1);
    let stuck = app.ok("/api/v1/subjects?stuck=true&limit=200").await;
    assert!(!rows(&stuck).is_empty(), "the old provisions of the seed are stuck");
    assert!(
        rows(&stuck)
            .iter()
            .all(|row| row["stuck"]["kind"].is_string() && row["stuck"]["age_s"].as_i64() > Some(0))
    );
    let all = count("/api/v1/subjects?limit=200").await;
    assert_eq!(count("/api/v1/subjects?stuck=false&limit=200").await + rows(&stuck).len(), all);
    let uid = rows(&failed)[0]["uid"].as_str().unwrap();
    let one = app.ok(&format!("/api/v1/subjects/{uid}")).await;
    assert_eq!(one["data"]["transitions"][0]["to_state"], "provision-failed");
    assert_eq!(one["data"]["jobs"][0]["failure"]["task"], "Wait for the operator");
    assert_eq!(one["data"]["last_job"]["controller"], "aap-1.example.test");
}

#[tokio::test]
async fn jobs_say_what_failed_where() {
    let app = app().await;
    let failed = app.ok("/api/v1/provisioning/jobs?outcome=failed&limit=200").await;
    assert!(!rows(&failed).is_empty());
    assert!(
        rows(&failed)
            .iter()
            .all(|row| row["failure"]["class"] == "operator_not_ready" && row["subject"].is_string())
    );
    let began: Vec<&str> = rows(&failed).iter().filter_map(|row| row["started_at"].as_str()).collect();
    assert!(began.is_sorted_by(|a, b| a >= b), "newest first");
    let active = app.ok("/api/v1/provisioning/jobs?outcome=active&limit=200").await;
    assert!(
        rows(&active)
            .iter()
            .all(|row| row["finished_at"] == Value::Null && row["duration_s"].as_i64() > Some(0))
    );
    let count = async |query: &str| rows(&app.ok(&format!("/api/v1/provisioning/jobs?limit=200&{query}")).await).len();
    assert_eq!(count("class=operator_not_ready").await, rows(&failed).len());
    assert_eq!(count("controller=elsewhere").await, 0);
    assert_eq!(count("phase=destroy").await, 0);
    assert!(count("range=24h").await < count("range=30d").await);
    assert!(count("lab=LB0001").await > 0);
}

#[tokio::test]
async fn pools_tell_seats_not_objects() {
    let app = app().await;
    let body = app.ok("/api/v1/pools?limit=200").await;
    assert_eq!(rows(&body).len(), 12);
    let usable: Vec<i64> = rows(&body).iter().map(|row| row["usable"].as_i64().unwrap()).collect();
    assert!(usable.contains(&0) && usable.contains(&3));
    assert!(
        rows(&body).iter().all(|row| row["available"] == 3),
        "what is not ready counts there, and only there"
    );
    let disabled = app.ok("/api/v1/pools?state=healthy&limit=200").await;
    assert!(
        rows(&disabled)
            .iter()
            .all(|row| row["usable"].as_i64() >= row["min_available"].as_i64())
    );
    let pool = app.ok("/api/v1/pools/acme-labs.topic-001.event").await;
    assert_eq!(pool["data"]["labs"], json!(["LB0001"]));
    let series = app.ok("/api/v1/pools/acme-labs.topic-001.event/series?range=6h&bucket=1h").await;
    let points = series["data"]["points"].as_array().unwrap();
    assert!(
        points.len() >= 6 && points.iter().all(|point| point["usable_min"].is_i64()),
        "{points:#?}"
    );
    let long = app.ok("/api/v1/pools/acme-labs.topic-001.event/series?range=7d").await;
    let points = long["data"]["points"].as_array().unwrap();
    assert_eq!(points[0]["usable_min"], Value::Null, "nobody looked a week ago");
    app.get("/api/v1/pools/nonsense").await.is_problem(404, "not-found", None);
    app.get("/api/v1/pools/acme-labs.topic-001.event/series?range=30d&bucket=5m")
        .await
        .is_problem(400, "invalid-parameter", Some("bucket"));
}

#[tokio::test]
async fn mappings_show_both_what_joined_and_what_did_not() {
    let app = app().await;
    let body = app.ok("/api/v1/mappings?kind=subject&limit=5").await;
    assert!(
        rows(&body)
            .iter()
            .all(|row| row["to_kind"] == "subject" || row["from_kind"] == "subject")
    );
    assert!(rows(&body).iter().all(|row| row["to_name"].is_string()));
    let weak = app.ok("/api/v1/mappings?strength=weak").await;
    assert_eq!(rows(&weak), &Vec::<Value>::new());
    let unmatched = app.ok("/api/v1/mappings?unmatched=true").await;
    assert_eq!(rows(&unmatched).len(), 6);
    let row = &rows(&unmatched)[0];
    assert!(row["from_name"].as_str().unwrap().starts_with("sandbox-"), "{row}");
    assert_eq!((&row["to_key"], &row["strength"]), (&Value::Null, &Value::Null));
    assert!(row["reason"].as_str().unwrap().starts_with("leaked"));
    let namespace = row["from_name"].as_str().unwrap();
    assert_eq!(
        rows(&app.ok(&format!("/api/v1/mappings?unmatched=true&q={namespace}")).await).len(),
        1
    );
    assert_eq!(rows(&app.ok("/api/v1/mappings?method=service_uuid&kind=lab").await).len(), 0);
}

#[tokio::test]
async fn differences_are_listed_while_they_last() {
    let app = app().await;
    app.execute(
        "insert into constraint_violations (violation_id, instance_id, type, expected, actual, severity, detail, stage, catalog_item, detected_at, cleared_at)
         select md5('v' || n)::uuid, (select instance_id from instances where lab = 'LB0001' order by namespace limit 1), 'showroom_wrong_ref',
                'v' || n, 'main', case when n % 2 = 0 then 'critical' else 'warning' end, 'the content is of another branch', 'showroom-healthy', 'item',
                '2026-11-23T05:00:00Z'::timestamptz + n * interval '1 min', case when n = 9 then '2026-11-23T05:30:00Z'::timestamptz end
         from generate_series(1, 9) n",
    )
    .await;
    let body = app.ok("/api/v1/constraints/violations").await;
    assert_eq!(rows(&body).len(), 8, "what is cleared is not there");
    assert_eq!(rows(&body)[0]["expected"], "v8", "newest first");
    assert_eq!(
        rows(&app.ok("/api/v1/constraints/violations?severity=critical&lab=LB0001").await).len(),
        4
    );
    let page = app.ok("/api/v1/constraints/violations?limit=5").await;
    let cursor = page["page"]["next_cursor"].as_str().unwrap();
    let rest = app.ok(&format!("/api/v1/constraints/violations?limit=5&cursor={cursor}")).await;
    assert_eq!(rows(&rest).len(), 3);
    let id = rows(&body)[0]["instance_id"].as_str().unwrap();
    let why = app.ok(&format!("/api/v1/instances/{id}/why")).await;
    assert_eq!(why["data"]["violations"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn why_tells_the_whole_chain() {
    let app = app().await;
    let id = app
        .text(
            "select i.instance_id::text from instances i join links l on l.from_kind = 'instance' and l.from_key = i.instance_id::text and l.to_kind = 'subject'
             join subjects s on s.key = l.to_key where s.doc ->> 'current_state' = 'provision-failed' and i.lab_code is not null limit 1",
        )
        .await;
    let why = app.ok(&format!("/api/v1/instances/{id}/why")).await;
    let data = &why["data"];
    let sentence = data["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("Not ready: provisioning failed "), "{sentence}");
    assert!(
        sentence.contains(" ago in task \"Wait for the operator\" (operator_not_ready); session LB"),
        "{sentence}"
    );
    let chain: Vec<&str> = data["chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["kind"].as_str().unwrap())
        .collect();
    assert_eq!(chain, ["subject", "resource-handle", "resource-pool", "catalog-item", "lab"]);
    let link = |kind: &str| data["chain"].as_array().unwrap().iter().find(|row| row["kind"] == kind).unwrap();
    assert_eq!(
        (&link("subject")["state"], &link("subject")["strength"]),
        (&"provision-failed".into(), &"exact".into())
    );
    assert_eq!(link("lab")["method"], "service_uuid > claim > label > ci_name");
    assert_eq!(data["pool"]["name"], link("resource-pool")["name"]);
    assert_eq!(data["stages"][0]["criteria"][1]["failing"][0]["name"], "web");
    assert!(!data["incidents"].as_array().unwrap().is_empty());
    assert_eq!(data["jobs"][0]["outcome"], "failed");
    assert!(data["next_session"]["lab_code"].is_string());
    // Nothing of what was ordered is known any more: that is said, and what the scans saw still counts.
    app.execute("update sources set enabled = false where source in ('babylon', 'labagator')")
        .await;
    app.execute("update view_versions set version = version + 1 where view = 'provisioning'")
        .await;
    let blind = app.ok(&format!("/api/v1/instances/{id}/why")).await;
    let sentence = blind["data"]["sentence"].as_str().unwrap();
    assert!(
        sentence.starts_with("Not ready: ") && sentence.contains(" fails with "),
        "{sentence}"
    );
    let not_known = blind["data"]["not_known"].to_string();
    assert!(
        not_known.contains("babylon is not collected (disabled)") && not_known.contains("labagator is not collected"),
        "{not_known}"
    );
}

#[tokio::test]
async fn why_of_what_joined_nothing_says_so() {
    let app = app().await;
    let id = app.text("select key from unmatched limit 1").await;
    let why = app.ok(&format!("/api/v1/instances/{id}/why")).await;
    assert_eq!(why["data"]["chain"], json!([]));
    let not_known = why["data"]["not_known"].to_string();
    assert!(
        not_known.contains("leaked: neither a subject nor a placement knows it"),
        "{not_known}"
    );
}

#[tokio::test]
async fn filters_are_values_and_never_statements() {
    let app = app().await;
    let before = app.text("select count(*)::text from subjects").await;
    for evil in ["'%3B%20drop%20table%20subjects%3B--", "%25", "a'or'1'='1", "%5C%5C", "%22%3B", "$1"] {
        for path in [
            "subjects?state=",
            "subjects?q=x",
            "subjects?lab=",
            "subjects?pool=",
            "subjects?cluster=",
            "subjects?desired=",
            "provisioning/jobs?class=",
            "provisioning/jobs?lab=",
            "provisioning/jobs?controller=",
            "mappings?kind=",
            "mappings?method=",
            "mappings?q=x",
            "mappings?unmatched=true&q=x",
            "pools?q=x",
            "pools?lab=",
            "sessions?lab=",
            "sessions?q=x",
            "sessions?status=",
            "constraints/violations?lab=",
            "constraints/violations?kind=",
        ] {
            let body = app.ok(&format!("/api/v1/{path}{evil}")).await;
            assert_eq!(body["data"], json!([]), "{path}{evil}");
        }
        for path in ["subjects/", "pools/"] {
            app.get(&format!("/api/v1/{path}{evil}")).await.is_problem(404, "not-found", None);
        }
    }
    assert_eq!(app.text("select count(*)::text from subjects").await, before);
    for (path, parameter) in [
        ("subjects?state=%00", "state"),
        ("subjects?class=broken", "class"),
        ("subjects?stuck=maybe", "stuck"),
        ("subjects?q=%00%00", "q"),
        ("provisioning/jobs?lab=%00", "lab"),
        ("provisioning/jobs?range=1h&from=2026-11-23T00:00:00Z", "range"),
        ("provisioning/summary?range=15m", "range"),
        ("mappings?kind=%00", "kind"),
        ("mappings?strength=sure", "strength"),
        ("sessions?event=seven", "event"),
        ("sessions?range=1h&to=2026-11-23T00:00:00Z", "range"),
        ("sessions?sort=colour", "sort"),
        ("pools?state=full", "state"),
        (
            "pools/acme-labs.topic-001.event/series?from=2026-12-01T00:00:00Z&to=2026-12-02T00:00:00Z",
            "from",
        ),
        ("constraints/violations?instance=7", "instance"),
        ("constraints/violations?lab=%00", "lab"),
    ] {
        app.get(&format!("/api/v1/{path}"))
            .await
            .is_problem(400, "invalid-parameter", Some(parameter));
    }
    app.get("/api/v1/subjects/%00").await.is_problem(404, "not-found", None);
    app.get("/api/v1/labs/LB9999/sessions").await.is_problem(404, "not-found", None);
    app.get("/api/v1/instances/7/why").await.is_problem(404, "not-found", None);
}

#[tokio::test]
async fn a_document_that_nobody_understands_is_a_defect_that_names_it_in_the_log_alone() {
    let app = app().await;
    app.execute("update records set doc = '{\"name\": 7}' where kind = 'subject' and key = (select min(key) from subjects)")
        .await;
    let key = app.text("select min(key) from subjects").await;
    let answer = app.get(&format!("/api/v1/subjects/{key}")).await;
    answer.is_problem(500, "internal", None);
    assert!(!answer.body.to_string().contains("invalid type"));
}

#[tokio::test]
async fn what_a_state_means_is_the_same_in_the_database_and_in_the_code() {
    use stargate_common::provisioning::state::SubjectClass;
    use stargate_common::provisioning::subject::AnarchySubject;

    let app = App::empty().await;
    let mut states = vec![
        "",
        "new",
        "provision-queued",
        "started",
        "stopped",
        "destroy-complete",
        "nonsense",
        "provision-",
        "restarting",
    ];
    states.extend(["provisioning", "starting", "stopping", "updating", "destroying"]);
    let made: Vec<String> = ["provision", "start", "stop", "update", "destroy"]
        .iter()
        .flat_map(|action| ["pending", "failed", "error", "canceled", "complete"].map(|ending| format!("{action}-{ending}")))
        .collect();
    states.extend(made.iter().map(String::as_str));
    for state in states {
        for deleting_since in [None, Some("2026-11-23T05:00:00Z".parse().unwrap())] {
            for anarchy_finalizer in [false, true] {
                let subject = AnarchySubject {
                    current_state: state.to_owned(),
                    deleting_since,
                    anarchy_finalizer,
                    ..AnarchySubject::default()
                };
                let told: String = sqlx::query_scalar("select subject_class($1)")
                    .bind(serde_json::to_value(&subject).unwrap())
                    .fetch_one(&app.reader)
                    .await
                    .unwrap();
                assert_eq!(
                    told,
                    SubjectClass::of(&subject).as_str(),
                    "{state} {deleting_since:?} {anarchy_finalizer}"
                );
            }
        }
    }
}
