//! A push to the repository requests one collection, however often it is delivered, and whoever did not sign requests none.
//! A request is satisfied by what began after it, and is made again while nobody took it.

#![cfg(test)]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use stargate_agnosticv_hook::{Hook, Settings};
use stargate_common::boot::{Context, Server};
use stargate_common::clock::Clock;
use stargate_common::db::collection_requests as requests;
use stargate_common::events::sink::Sink;
use stargate_tests::TestDb;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::Uuid;

const SECRET: &str = "a-secret-of-the-tests-long-enough";

struct World {
    db: TestDb,
    clock: Clock,
    hook: Router,
}

async fn hook(pool: &PgPool, clock: &Clock) -> Router {
    let context = Context {
        name: Hook::NAME,
        settings: Settings {
            secret: SECRET.into(),
            repositories: vec!["acme/agnosticv".to_owned()],
            branches: vec!["main".to_owned()],
        },
        db: pool.clone(),
        clock: clock.clone(),
        sink: Sink::Nowhere,
        shutdown: CancellationToken::new(),
    };
    Hook::start(&context).await.expect("starts")
}

async fn world() -> World {
    let db = TestDb::new().await;
    let clock = Clock::manual("2026-11-23T10:00:00Z".parse().expect("a time"));
    let hook = hook(&db.pool, &clock).await;
    World { db, clock, hook }
}

/// HMAC-SHA256 as RFC 2104 writes it, so that the test does not sign with what it tests.
fn sign(secret: &str, body: &str) -> String {
    let mut key = [0_u8; 64];
    key[..secret.len()].copy_from_slice(secret.as_bytes());
    let padded = |pad: u8| key.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(body).finalize();
    let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    format!("sha256={outer:x}")
}

fn push(branch: &str, commit: &str) -> String {
    format!(
        r#"{{"ref":"refs/heads/{branch}","after":"{commit}","repository":{{"full_name":"acme/agnosticv"}},"pusher":{{"email":"planted@example.org"}}}}"#
    )
}

impl World {
    async fn deliver(&self, id: &str, body: &str, signature: Option<&str>) -> StatusCode {
        let mut request = Request::post("/webhook")
            .header("x-github-event", "push")
            .header("x-github-delivery", id);
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        let response = self
            .hook
            .clone()
            .oneshot(request.body(Body::from(body.to_owned())).expect("a request"))
            .await;
        let response = response.expect("an answer");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1024).await.expect("a body");
        assert!(body.is_empty(), "an answer says no more than its status");
        status
    }

    async fn signed(&self, id: &str, body: &str) -> StatusCode {
        self.deliver(id, body, Some(&sign(SECRET, body))).await
    }

    /// Open requests, and events that wait.
    async fn standing(&self) -> (i64, i64) {
        let open = sqlx::query_scalar("select count(*) from collection_requests where done_at is null");
        let events = sqlx::query_scalar("select count(*) from outbox where type = 'io.stargate.collection.requested.v1'");
        let open = open.fetch_one(&self.db.pool).await.expect("a count");
        (open, events.fetch_one(&self.db.pool).await.expect("a count"))
    }
}

#[tokio::test]
async fn a_push_is_requested_once_however_often_it_is_delivered() {
    let world = world().await;
    let first = push("main", "0123456789abcdef");
    for _ in 0..3 {
        assert_eq!(world.signed("d-1", &first).await, StatusCode::ACCEPTED);
    }
    assert_eq!(world.standing().await, (1, 1));
    assert_eq!(
        world.signed("d-2", &first).await,
        StatusCode::ACCEPTED,
        "replayed under another id, which nobody signed"
    );
    assert_eq!(world.standing().await, (1, 1));
    assert_eq!(world.signed("d-3", &push("main", "fedcba9876543210")).await, StatusCode::ACCEPTED);
    assert_eq!(world.standing().await, (1, 2), "the open request is reused, and said again");
}

#[tokio::test]
async fn forgeries_and_what_is_not_ours_request_nothing() {
    let world = world().await;
    let body = push("main", "0123456789abcdef");
    let other = push("main", "another");
    assert_eq!(world.deliver("d", &body, None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        world.deliver("d", &body, Some(&sign("another secret of the tests", &body))).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        world.deliver("d", &body, Some(&sign(SECRET, &other))).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(world.deliver("d", &body, Some("sha256=zz")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.signed("d", &push("feature", "1")).await, StatusCode::NO_CONTENT);
    assert_eq!(world.signed("d", "{\"ref\":").await, StatusCode::BAD_REQUEST);
    assert_eq!(world.signed("not a name", &body).await, StatusCode::BAD_REQUEST);
    let huge = "x".repeat((4 << 20) + 1);
    assert_eq!(
        world.deliver("d", &huge, Some(&sign(SECRET, &huge))).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(world.standing().await, (0, 0));
}

#[tokio::test]
async fn only_a_collection_that_began_later_satisfies_a_request() {
    let world = world().await;
    world.signed("d-1", &push("main", "0123456789abcdef")).await;
    let asked = world.clock.now();
    let satisfy = async |began| {
        requests::satisfy(&world.db.pool, "agnosticv", Uuid::now_v7(), began, asked)
            .await
            .expect("stored")
    };
    assert_eq!(satisfy(asked - TimeDelta::seconds(1)).await, 0, "it began before the push");
    assert_eq!(world.standing().await.0, 1);
    assert_eq!(satisfy(asked + TimeDelta::seconds(1)).await, 1);
    assert_eq!(satisfy(asked + TimeDelta::seconds(2)).await, 0, "once");
    assert_eq!(world.standing().await.0, 0);
}

#[tokio::test]
async fn a_request_that_nobody_took_is_claimed_again_and_by_one_only() {
    let world = world().await;
    world.signed("d-1", &push("main", "0123456789abcdef")).await;
    let claim = async |after: TimeDelta| {
        let now = world.clock.now() + after;
        let mut conn = world.db.pool.acquire().await.expect("a connection");
        let claimed = requests::claim_waiting(&mut conn, now - TimeDelta::minutes(2), now).await;
        claimed.expect("claimed").len()
    };
    assert_eq!(claim(TimeDelta::seconds(90)).await, 0, "its event may still be on its way");
    assert_eq!(claim(TimeDelta::minutes(3)).await, 1);
    assert_eq!(claim(TimeDelta::minutes(4)).await, 0, "it was sent a minute ago");
    assert_eq!(claim(TimeDelta::minutes(6)).await, 1, "and again, while it is open");
}

#[tokio::test]
async fn without_a_database_the_repository_is_told_to_come_again() {
    let world = world().await;
    let away = world.db.another_pool().await;
    away.close().await;
    let hook = hook(&away, &world.clock).await;
    let body = push("main", "0123456789abcdef");
    let request = Request::post("/webhook")
        .header("x-github-event", "push")
        .header("x-github-delivery", "d-1")
        .header("x-hub-signature-256", sign(SECRET, &body))
        .body(Body::from(body))
        .expect("a request");
    let answered = tokio::time::timeout(Duration::from_secs(60), hook.oneshot(request)).await;
    let answer = answered.expect("in time").expect("an answer");
    assert_eq!(
        (answer.status(), answer.headers()["retry-after"].as_bytes()),
        (StatusCode::SERVICE_UNAVAILABLE, &b"30"[..])
    );
    assert_eq!(world.standing().await, (0, 0));
}
