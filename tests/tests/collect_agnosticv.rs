//! Each way in which AgnosticV can fail a collection, through the whole job: what people are told, what is kept, and how the source stands.

#![cfg(test)]

use axum::body::{Body, to_bytes};
use axum::http::Request;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use stargate_common::clock::Clock;
use stargate_query::access::Identity;
use stargate_query::{QueryState, router};
use stargate_tests::TestDb;
use stargate_tests::plane::{COMPONENTS, Plane, REPOSITORIES, component, list};
use stargate_tests::system::{Reply, collect, collect_settings};
use tower::ServiceExt;

/// Stands wherever nothing may be kept.
const PLANTED: &str = "sha256~planted-token-aaaaaaaaaaaaaaaaaaaa";

struct World {
    db: TestDb,
    clock: Clock,
    plane: Plane,
}

fn ten_o_clock() -> DateTime<Utc> {
    "2031-03-04T10:00:00Z".parse().expect("a time")
}

fn components() -> [Value; 2] {
    [
        component(
            "acme.web.event",
            &json!({"cloud_provider": "none", "num_users": 20, "admin_password": PLANTED, "ocp4_workload_token": PLANTED}),
        ),
        component(
            "acme.mesh.event",
            &json!({"worker_instance_count": 3, "vaulted": "$ANSIBLE_VAULT;1.1;AES256\nplanted"}),
        ),
    ]
}

impl World {
    async fn new() -> Self {
        let clock = Clock::manual(ten_o_clock());
        let plane = Plane::start(&clock, PLANTED).await;
        plane.components(&components());
        Self {
            db: TestDb::new().await,
            clock,
            plane,
        }
    }

    async fn collect(&self) -> String {
        let kubeconfig = self.plane.kubeconfig();
        let args = ["--source", "agnosticv", "--babylon-kubeconfig", &kubeconfig, "--budget-s", "2"];
        let line = collect(&self.db.pool, &self.clock, collect_settings(&args)).await;
        line.expect("a source that fails is no failed job")
    }

    /// The row of the source in the API.
    async fn source(&self) -> Value {
        let app = router(QueryState::new(self.db.pool.clone(), self.clock.clone()).open_to(Identity::local_admin()));
        let request = Request::get("/api/v1/sources").body(Body::empty()).expect("a request");
        let response = app.oneshot(request).await.expect("an answer");
        let body: Value = serde_json::from_slice(&to_bytes(response.into_body(), 1 << 20).await.expect("a body")).expect("JSON");
        let rows = body["data"].as_array().expect("rows");
        rows.iter().find(|row| row["source"] == "agnosticv").expect("the source").clone()
    }

    /// Everything that is kept, with when it was written.
    async fn kept(&self) -> Vec<String> {
        sqlx::query_scalar("select format('%s %s gone=%s changed=%s', key, doc, gone_at, changed_at) from components order by key")
            .fetch_all(&self.db.pool)
            .await
            .expect("components")
    }

    async fn problems(&self) -> String {
        sqlx::query_scalar("select problems::text from collections order by started_at desc limit 1")
            .fetch_one(&self.db.pool)
            .await
            .expect("a collection")
    }

    async fn nothing_planted(&self) {
        let rows: String = sqlx::query_scalar("select database_to_xml(true, false, '')::text")
            .fetch_one(&self.db.pool)
            .await
            .expect("a dump");
        assert!(rows.contains("acme.web.event") && !rows.contains("planted"), "a secret is kept");
    }
}

#[tokio::test]
async fn every_fault_is_told_keeps_what_was_read_and_is_forgotten_when_it_is_over() {
    let world = World::new().await;
    assert_eq!(world.collect().await, "agnosticv: 2 objects, 2 changed");
    let kept = world.kept().await;
    assert_eq!(kept.len(), 2);
    let said = |code: u16, message: &str| Reply::new(code, json!({"kind": "Status", "code": code, "message": message}).to_string());
    let again = Reply::json(&json!({"kind": "List", "metadata": {"continue": "again"}, "items": components()}));
    let faults = [
        (said(401, "Unauthorized"), "unauthorized (", "renew its token"),
        (said(403, "no"), "forbidden (", "agnosticvcomponents.gpte.redhat.com"),
        (said(404, "no"), "api_absent (", "agnosticvcomponents"),
        (said(429, "slow down").with("retry-after", "600"), "throttled (", "slow down"),
        (said(500, "etcd is away"), "server_error (", "etcd is away"),
        (Reply::never(), "timeout (", ""),
        (
            Reply::new(200, format!("{{\"metadata\":{{}},\"items\":[{{\"x\": \"{PLANTED}")),
            "parse_error (",
            "",
        ),
        (again, "truncated (", "a page that was read before"),
    ];
    for (fault, reason, words) in faults {
        let before = world.source().await;
        assert_eq!(before["state"], "fresh");
        world.plane.system.tell(COMPONENTS, fault);
        let line = world.collect().await;
        assert!(
            line.contains(&format!("not read: component: {reason}")) && line.contains(words),
            "{reason}{words}: {line}"
        );
        assert_eq!(world.kept().await, kept, "{reason}");
        let after = world.source().await;
        assert_eq!(
            (after["state"].as_str(), after["failures"].as_i64()),
            (Some("failed"), Some(1)),
            "{reason}"
        );
        assert_eq!(after["last_success_at"], before["last_success_at"], "{reason}");
        assert_eq!(after["retry_at"].is_string(), reason.starts_with("throttled"), "{after}");
        assert_eq!(
            (&after["coverage"]["expected"], &after["coverage"]["reporting"]),
            (&json!(1), &json!(0))
        );
        world.plane.components(&components());
        assert_eq!(world.collect().await, "agnosticv: 2 objects, 0 changed", "{reason}");
        let healed = world.source().await;
        assert_eq!(
            (healed["failures"].as_i64(), &healed["last_error"]),
            (Some(0), &Value::Null),
            "{reason}"
        );
    }
    world.nothing_planted().await;
}

#[tokio::test]
async fn a_definition_that_lacks_something_costs_only_itself_and_is_not_gone() {
    let world = World::new().await;
    world.collect().await;
    let [web, mut mesh] = components();
    mesh["spec"]["definition"] = json!(PLANTED);
    let unnamed = json!({"metadata": {"uid": "u"}, "spec": {"definition": {}}});
    world.plane.components(&[web, mesh, unnamed]);
    assert_eq!(world.collect().await, "agnosticv: 1 objects, 0 changed");
    let kept = world.kept().await;
    assert!(kept.len() == 2 && kept.iter().all(|row| row.contains("gone= ")), "{kept:#?}");
    let problems = world.problems().await;
    for told in ["acme.mesh.event", "its spec.definition is no mapping", "no metadata.name"] {
        assert!(problems.contains(told), "{told} is not in {problems}");
    }
    // A list that is whole and lacks one says that it is gone.
    world.plane.components(&components()[..1]);
    assert_eq!(world.collect().await, "agnosticv: 1 objects, 1 changed");
    assert_eq!(world.kept().await.iter().filter(|row| !row.contains("gone= ")).count(), 1);
    world.nothing_planted().await;
}

#[tokio::test]
async fn a_repository_that_is_stuck_is_late_whatever_its_clock_says() {
    let world = World::new().await;
    let stuck = |at: DateTime<Utc>| {
        json!({"metadata": {"name": "labs"}, "status": {"error": {"timestamp": at.to_rfc3339(),
            "message": format!("cloning https://bot:{PLANTED}@git.example.org/a/b failed: token={PLANTED}")}}})
    };
    // Two hours ago, and by a clock that is two hours ahead.
    for (hours, age) in [(-2, "(2 h 15 min)"), (4, "(0 h 0 min)")] {
        let at = world.clock.now() + TimeDelta::hours(hours);
        world.plane.system.tell(REPOSITORIES, list(&[stuck(at)]));
        world.collect().await;
        let source = world.source().await;
        assert_eq!(source["state"], "fresh", "its components were read");
        let missing = source["coverage"]["missing"].to_string();
        assert!(
            missing.contains("repository labs: its configuration no longer updates") && missing.contains(age),
            "{missing}"
        );
        assert_eq!(world.kept().await.len(), 2);
        assert!(world.problems().await.contains("git.example.org"));
    }
    world.plane.system.tell(REPOSITORIES, list(&[]));
    world.collect().await;
    assert_eq!(world.source().await["coverage"]["missing"], json!([]));
    world.nothing_planted().await;
}
