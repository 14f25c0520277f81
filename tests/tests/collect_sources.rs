//! Each way in which Labagator or Demolition can fail a collection: what people are told, what is kept, and how the source stands.

#![cfg(test)]

use axum::body::{Body, to_bytes};
use axum::http::Request;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use stargate_collect::Settings;
use stargate_common::boot::Job;
use stargate_common::clock::Clock;
use stargate_query::access::Identity;
use stargate_query::{QueryState, router};
use stargate_tests::TestDb;
use stargate_tests::system::{Reply, System, collect, collect_context, collect_settings, http_date};
use tower::ServiceExt;

const LABS: &str = "/labs/";
const SESSIONS: &str = "/room-sessions/";
const SMOKE: &str = "/integration/sessions";

struct World {
    db: TestDb,
    clock: Clock,
    system: System,
}

fn ten_o_clock() -> DateTime<Utc> {
    "2031-03-04T10:00:00Z".parse().expect("a time")
}

impl World {
    /// Both systems at one address, with one lab, one session and one smoke run.
    async fn new() -> Self {
        let clock = Clock::manual(ten_o_clock());
        let world = Self {
            db: TestDb::new().await,
            system: System::start(&clock).await,
            clock,
        };
        world.heal();
        world
    }

    fn heal(&self) {
        self.system
            .tell(LABS, Reply::json(&json!([{"lab_code": "LB0042", "title": "Virtual machines"}])));
        self.system.tell(
            SESSIONS,
            Reply::json(&json!([{"id": 1, "lab_code": "LB0042", "session_date": "2031-03-05", "start_time": "09:00:00", "attendees": 40}])),
        );
        self.system.tell(
            SMOKE,
            Reply::json(&json!([{"id": 7, "name": "LB0042", "status": "completed", "worker_count": 20}])),
        );
    }

    fn settings(&self, source: &str) -> Settings {
        let url = self.system.url.as_str();
        collect_settings(&[
            "--source",
            source,
            "--labagator-url",
            url,
            "--demolition-url",
            url,
            "--budget-s",
            "4",
        ])
    }

    async fn collect(&self, source: &str) -> String {
        collect(&self.db.pool, &self.clock, self.settings(source))
            .await
            .expect("a source that fails is no failed job")
    }

    /// The row of the source in the API.
    async fn source(&self, name: &str) -> Value {
        let app = router(QueryState::new(self.db.pool.clone(), self.clock.clone()).open_to(Identity::local_admin()));
        let response = app
            .oneshot(Request::get("/api/v1/sources").body(Body::empty()).expect("a request"))
            .await
            .expect("an answer");
        let body: Value = serde_json::from_slice(&to_bytes(response.into_body(), 1 << 20).await.expect("a body")).expect("JSON");
        let rows = body["data"].as_array().expect("rows");
        rows.iter().find(|row| row["source"] == name).expect("the source").clone()
    }

    /// Everything that is kept, with when it was written.
    async fn kept(&self) -> Vec<String> {
        sqlx::query_scalar(
            "select format('%s %s %s gone=%s changed=%s', kind, key, doc, gone_at, changed_at) from records order by kind, key",
        )
        .fetch_all(&self.db.pool)
        .await
        .expect("records")
    }
}

#[tokio::test]
async fn every_fault_is_told_keeps_what_was_read_and_is_forgotten_when_it_is_over() {
    let world = World::new().await;
    world.collect("labagator").await;
    world.collect("demolition").await;
    let kept = world.kept().await;
    assert_eq!(kept.len(), 3);
    let page: Vec<Value> = (0..500)
        .map(|n| json!({"id": n, "lab_code": "LB1", "session_date": "2031-03-05"}))
        .collect();
    let repeats = json!({"results": page, "next": "?page=1"});
    let faults = [
        (
            Reply::new(401, "bad token hunter2"),
            "unauthorized (GET {} answered 401: it wants a token: set STARGATE_",
        ),
        (Reply::new(403, ""), "forbidden (GET {} answered 403: the token"),
        (Reply::new(429, ""), "throttled (GET {} answered 429:"),
        (Reply::new(500, "<html>"), "server_error (GET {} answered 500:"),
        (Reply::never(), "timeout (GET {}: "),
        (
            Reply::new(200, "[{\"id\": 1,"),
            "parse_error (GET {} answered JSON that is not understood: EOF",
        ),
        (Reply::new(200, "<html>log in</html>"), "parse_error (GET {} answered a web page"),
        (Reply::json(&repeats), "truncated ({} answered a page that was read before"),
    ];
    for (source, paths, parts) in [("labagator", &[LABS, SESSIONS][..], 2), ("demolition", &[SMOKE][..], 1)] {
        world.collect(source).await;
        for (fault, told) in &faults {
            let before = world.source(source).await;
            for path in paths {
                world.system.tell(path, fault.clone());
            }
            let line = world.collect(source).await;
            let told = told.replace("{}", paths[0]);
            assert!(line.contains(&told), "{told:?} is not in {line:?}");
            assert!(!line.contains("hunter2"));
            assert_eq!(world.kept().await, kept, "{told}");
            let after = world.source(source).await;
            assert_eq!(
                (after["state"].as_str(), after["failures"].as_i64()),
                (Some("failed"), Some(1)),
                "{told}"
            );
            assert_eq!(after["last_success_at"], before["last_success_at"], "{told}");
            assert!(after["last_error"].as_str().is_some_and(|error| error.contains(&told)), "{after}");
            assert_eq!(
                (after["coverage"]["expected"].as_i64(), after["coverage"]["reporting"].as_i64()),
                (Some(parts), Some(0))
            );
            world.heal();
            world.collect(source).await;
            let healed = world.source(source).await;
            assert_eq!(
                (healed["state"].as_str(), healed["failures"].as_i64(), &healed["last_error"]),
                (Some("fresh"), Some(0), &Value::Null)
            );
        }
    }
    assert_eq!(world.kept().await, kept, "unchanged collections write no record");
}

#[tokio::test]
async fn one_list_that_fails_costs_only_itself_and_the_source_is_not_called_fresh() {
    let world = World::new().await;
    world.collect("labagator").await;
    world.system.tell(
        LABS,
        Reply::json(&json!([{"lab_code": "LB0042", "title": "Another title"}, {"lab_code": "LB0043"}])),
    );
    world.system.tell(SESSIONS, Reply::new(403, ""));
    let line = world.collect("labagator").await;
    assert!(
        line.starts_with("labagator: 2 objects, 2 changed, not read: session: forbidden"),
        "{line}"
    );
    let source = world.source("labagator").await;
    assert_eq!(source["state"], "failed");
    assert_eq!(source["last_success_at"], "2031-03-04T10:15:00Z");
    assert_eq!(
        (&source["coverage"]["expected"], &source["coverage"]["reporting"]),
        (&json!(2), &json!(1))
    );
    let kept = world.kept().await;
    assert_eq!(kept.len(), 3, "{kept:#?}");
    assert!(kept.iter().all(|record| record.contains("gone= ")), "{kept:#?}");
}

#[tokio::test]
async fn what_is_gone_is_told_only_by_a_list_that_is_whole() {
    let world = World::new().await;
    world.collect("labagator").await;
    world.system.tell(
        SESSIONS,
        Reply::json(&json!([{"id": 2, "lab_code": "LB0042", "session_date": "soon"}])),
    );
    world.collect("labagator").await;
    let gone = |kept: &[String]| kept.iter().filter(|record| !record.contains("gone= ")).count();
    assert_eq!(
        gone(&world.kept().await),
        0,
        "the one that was not understood may be the one that is stored"
    );
    let problems: String = sqlx::query_scalar("select problems::text from collections order by started_at desc limit 1")
        .fetch_one(&world.db.pool)
        .await
        .expect("a collection");
    assert!(
        problems.contains("its session_date \\\"soon\\\" is no date such as 2031-03-04"),
        "{problems}"
    );
    world.system.tell(SESSIONS, Reply::json(&json!([])));
    world.collect("labagator").await;
    assert_eq!(gone(&world.kept().await), 1, "an empty list that is whole is an answer");
}

#[tokio::test]
async fn a_system_that_wants_to_rest_is_not_asked_until_then() {
    let world = World::new().await;
    world.collect("labagator").await;
    world.system.tell(LABS, Reply::new(429, "").with("retry-after", "1800"));
    let line = world.collect("labagator").await;
    assert!(line.contains("it asks to be left alone until 11:00:00 UTC"), "{line}");
    assert_eq!(world.source("labagator").await["retry_at"], "2031-03-04T11:00:00Z");
    let asked = world.system.asked().len();
    assert_eq!(
        world.collect("labagator").await,
        "labagator was not asked: it asked to be left alone until 2031-03-04 11:00:00 UTC"
    );
    assert_eq!(world.system.asked().len(), asked);
    world.heal();
    let line = world.collect("labagator").await;
    assert_eq!(line, "labagator: 2 objects, 0 changed");
    assert_eq!(world.source("labagator").await["state"], "fresh");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_a_problem_and_no_failure() {
    let world = World::new().await;
    let wrong = http_date(ten_o_clock() - TimeDelta::hours(1));
    world.system.tell(SMOKE, Reply::json(&json!([])).with("date", wrong));
    world.collect("demolition").await;
    assert_eq!(world.source("demolition").await["state"], "fresh");
    let problems: String = sqlx::query_scalar("select problems::text from collections")
        .fetch_one(&world.db.pool)
        .await
        .expect("one");
    assert!(problems.contains("its clock is 4500 s behind ours"), "{problems}");
}

#[tokio::test]
async fn what_is_not_configured_is_disabled_and_keeps_what_was_read() {
    let world = World::new().await;
    world.collect("labagator").await;
    let kept = world.kept().await;
    let line = collect(&world.db.pool, &world.clock, collect_settings(&["--source", "labagator"]))
        .await
        .expect("a line");
    assert_eq!(line, "labagator is not configured: it is shown as disabled");
    assert_eq!(world.source("labagator").await["state"], "disabled");
    assert_eq!(world.kept().await, kept);
    world.collect("labagator").await;
    assert_eq!(world.source("labagator").await["state"], "fresh");
    assert_eq!(world.source("babylon").await["state"], "never");
}

#[tokio::test]
async fn a_run_that_is_killed_leaves_nothing_and_the_next_one_begins_anew() {
    let world = World::new().await;
    world.system.tell(SESSIONS, Reply::never());
    let context = collect_context(&world.db.pool, &world.clock, world.settings("labagator"));
    let running = stargate_collect::Collect::run(&context);
    tokio::select! {
        ended = running => panic!("{ended:?}"),
        () = async { while !world.system.asked().iter().any(|asked| asked.contains(SESSIONS)) { world.system.heard().await } } => {}
    }
    assert_eq!(world.kept().await, Vec::<String>::new());
    world.heal();
    world.db.lease_ends("collect/labagator").await;
    let line = world.collect("labagator").await;
    assert_eq!(line, "labagator: 2 objects, 2 changed");
}
