//! The router over a database of its own.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgPool;
use stargate_common::clock::Clock;
use stargate_common::db::{self, PoolSettings};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_query::access::Identity;
use stargate_query::{QueryState, router};
use stargate_tests::TestDb;
use stargate_tests::seed::{self, FleetSize};
use tower::ServiceExt;

/// When every test begins.
pub fn start() -> DateTime<Utc> {
    "2026-11-23T06:00:00Z".parse().expect("a time")
}

/// The interface, in process.
pub struct App {
    pub db: TestDb,
    pub clock: Clock,
    pub router: Router,
    /// What the interface reads through.
    pub reader: PgPool,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body, when it is JSON.
    pub body: Value,
    /// The body, when it is text.
    pub text: String,
    pub bytes: usize,
}

impl App {
    /// Over a database without a single row.
    pub async fn empty() -> Self {
        Self::over(TestDb::new().await, &PoolSettings::read_only("stargate-query-test")).await
    }

    /// Over a fleet of that size.
    pub async fn of(size: FleetSize, settings: &PoolSettings) -> Self {
        let db = TestDb::new().await;
        seed::fleet(&db.pool, size, start()).await;
        Self::over(db, settings).await
    }

    async fn over(db: TestDb, settings: &PoolSettings) -> Self {
        let reader = db::connect(&db.url, settings).await.expect("connecting as a reader");
        let clock = Clock::manual(start());
        let mut state = QueryState::new(reader.clone(), clock.clone()).open_to(Identity::local_admin());
        state.knowledge = Arc::new((&RubricSet::embedded().expect("the rubrics")).into());
        Self {
            db,
            clock,
            router: router(state),
            reader,
        }
    }

    pub async fn small() -> Self {
        Self::of(FleetSize::SMALL, &PoolSettings::read_only("stargate-query-test")).await
    }

    pub async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("the router cannot fail")
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.send(request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("reading the body");
        let plain = !bytes.is_empty() && !headers.contains_key(header::CONTENT_ENCODING);
        let json = plain
            && headers
                .get(header::CONTENT_TYPE)
                .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.ends_with("json")));
        Answer {
            status,
            headers,
            body: if json {
                serde_json::from_slice(&bytes).expect("JSON")
            } else {
                Value::Null
            },
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.len(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(get(path).body(Body::empty()).expect("a request")).await
    }

    /// The body of an answer that must be a success.
    pub async fn ok(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {:#}", answer.body);
        answer.body
    }

    /// Runs a statement on the tables.
    pub async fn execute(&self, statement: &'static str) {
        sqlx::query(statement)
            .execute(&self.db.pool)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// One text from the tables.
    pub async fn text(&self, statement: &'static str) -> String {
        sqlx::query_scalar(statement)
            .fetch_one(&self.db.pool)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"))
    }
}

pub fn get(path: &str) -> axum::http::request::Builder {
    Request::get(path)
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// That the answer is this problem, about this parameter if it is about one.
    #[track_caller]
    pub fn is_problem(&self, status: u16, kind: &str, parameter: Option<&str>) {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["type"], format!("/problems/{kind}"), "{:#}", self.body);
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        assert!(self.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        assert_eq!(self.body["errors"][0]["parameter"].as_str(), parameter, "{:#}", self.body);
    }
}
