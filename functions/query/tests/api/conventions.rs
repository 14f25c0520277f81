//! What holds for every operation: problems, headers, tags, negotiation.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};

use crate::app::{App, get};

#[tokio::test]
async fn a_wrong_parameter_is_named_with_what_is_allowed() {
    let app = App::small().await;
    for (path, kind, parameter) in [
        ("/api/v1/instances?hours=3", "unknown-parameter", "hours"),
        ("/api/v1/stages?limit=3", "unknown-parameter", "limit"),
        ("/api/v1/instances?limit=201", "invalid-parameter", "limit"),
        ("/api/v1/instances?limit=1&limit=2", "invalid-parameter", "limit"),
        ("/api/v1/instances?state=broken", "invalid-parameter", "state"),
        ("/api/v1/instances?sort=colour", "invalid-parameter", "sort"),
        ("/api/v1/labs?sort=-failing,colour", "invalid-parameter", "sort"),
        ("/api/v1/instances?cluster=cnv-99", "invalid-parameter", "cluster"),
        ("/api/v1/incidents?since=yesterday", "invalid-parameter", "since"),
        ("/api/v1/incidents?parent=7", "invalid-parameter", "parent"),
        ("/api/v1/transitions?range=2h", "invalid-parameter", "range"),
        (
            "/api/v1/transitions?range=1h&from=2026-11-23T00:00:00Z",
            "invalid-parameter",
            "range",
        ),
        ("/api/v1/search", "invalid-parameter", "q"),
        ("/api/v1/search?q=x", "invalid-parameter", "q"),
    ] {
        app.get(path).await.is_problem(400, kind, Some(parameter));
    }
    let answer = app.get("/api/v1/instances?cluster=cnv-99").await;
    assert_eq!(
        answer.body["errors"][0]["allowed"],
        serde_json::json!(["cnv-01", "cnv-02", "cnv-03"])
    );
    let answer = app.get("/api/v1/labs?sort=colour").await;
    assert!(
        answer.body["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("open_incidents"))
    );
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_never_a_page() {
    let app = App::small().await;
    for path in [
        "/api/v1/nothing",
        "/api/v1/",
        "/api",
        "/api/v2/overview",
        "/nothing",
        "/api/v1/clusters/cnv-99",
        "/api/v1/clusters/cnv-99/nodes",
        "/api/v1/labs/LB9999",
        "/api/v1/labs/LB9999/pipeline",
        "/api/v1/instances/7",
        "/api/v1/instances/00000000-0000-0000-0000-000000000000",
        "/api/v1/instances/00000000-0000-0000-0000-000000000000/evidence",
        "/api/v1/incidents/7",
        "/api/v1/failure-classes/coffee",
    ] {
        let answer = app.get(path).await;
        answer.is_problem(404, "not-found", None);
        assert_eq!(answer.body["instance"], path);
    }
}

#[tokio::test]
async fn methods_and_media_types_are_negotiated() {
    let app = App::empty().await;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let request = Request::builder()
            .method(method)
            .uri("/api/v1/overview")
            .header("host", "stargate.example.com")
            .header("origin", "https://stargate.example.com")
            .header("content-type", "application/json")
            .body(Body::from("{}"))
            .unwrap();
        let answer = app.ask(request).await;
        answer.is_problem(405, "method-not-allowed", None);
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }
    let head = Request::head("/api/v1/overview").body(Body::empty()).unwrap();
    let answer = app.ask(head).await;
    assert_eq!((answer.status, answer.bytes), (StatusCode::OK, 0));
    for (accept, status) in [
        ("application/json", 200),
        ("text/html, application/*;q=0.8", 200),
        ("*/*", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("text/event-stream", 406),
    ] {
        let answer = app
            .ask(get("/api/v1/overview").header("accept", accept).body(Body::empty()).unwrap())
            .await;
        assert_eq!(answer.status.as_u16(), status, "{accept}");
        if status == 406 {
            answer.is_problem(406, "not-acceptable", None);
        }
    }
    let answer = app
        .ask(
            get("/api/v1/stream")
                .header("accept", "application/json")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    answer.is_problem(406, "not-acceptable", None);
}

#[tokio::test]
async fn every_answer_has_its_headers() {
    let app = App::small().await;
    for path in ["/api/v1/overview", "/api/v1/nothing", "/", "/health/live", "/metrics"] {
        let answer = app.get(path).await;
        assert_eq!(answer.header("cache-control"), "private, no-cache", "{path}");
        assert_eq!(answer.header("vary"), "Authorization, Accept-Encoding");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("x-request-id").len(), 36);
        assert!(!answer.header("content-type").contains("html"));
    }
    let answer = app
        .ask(get("/api/v1/labs").header("x-request-id", "deploy-7").body(Body::empty()).unwrap())
        .await;
    assert_eq!(answer.header("x-request-id"), "deploy-7");
    assert_eq!(answer.body["meta"]["request_id"], "deploy-7");
    let answer = app
        .ask(get("/api/v1/labs").header("accept-encoding", "br").body(Body::empty()).unwrap())
        .await;
    assert_eq!(answer.header("content-encoding"), "br");
    assert_eq!(answer.header("vary"), "Authorization, Accept-Encoding");
}

#[tokio::test]
async fn a_tag_holds_until_something_changes() {
    let app = App::small().await;
    let ask = async |path: &str, tag: &str| app.ask(get(path).header("if-none-match", tag).body(Body::empty()).unwrap()).await;
    for path in [
        "/api/v1/overview",
        "/api/v1/labs?limit=3",
        "/api/v1/instances?state=failing",
        "/api/v1/stages",
        "/api/v1/openapi.json",
    ] {
        let tag = app.get(path).await.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{path}: {tag}");
        let again = ask(path, &tag).await;
        assert_eq!((again.status, again.bytes), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(again.header("etag"), tag);
    }
    let tag = app.get("/api/v1/labs?limit=3&q=lb").await.header("etag").to_owned();
    assert_eq!(
        ask("/api/v1/labs?q=lb&limit=3", &tag).await.status,
        StatusCode::NOT_MODIFIED,
        "the order of parameters is no question"
    );
    assert_eq!(
        ask("/api/v1/labs?limit=4&q=lb", &tag).await.status,
        StatusCode::OK,
        "another question"
    );
    app.execute("update view_versions set version = version + 1 where view = 'instances'")
        .await;
    assert_eq!(
        ask("/api/v1/labs?limit=3&q=lb", &tag).await.status,
        StatusCode::OK,
        "something changed"
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_a_503_with_a_time_to_retry() {
    let app = App::small().await;
    app.reader.close().await;
    let answer = app.get("/api/v1/overview").await;
    answer.is_problem(503, "dependency-unavailable", None);
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(answer.body["retry_after_s"], 5);
    let ready = app.get("/health/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(app.get("/health/live").await.status, StatusCode::OK);
    assert_eq!(
        app.get("/metrics").await.status,
        StatusCode::OK,
        "what the process knows is still worth having"
    );
}

#[tokio::test]
async fn the_root_leads_to_the_interface_and_readiness_knows_the_schema() {
    let app = App::small().await;
    let root = app.ok("/").await;
    for way in ["overview", "documentation"] {
        assert_eq!(app.get(root[way].as_str().unwrap()).await.status, StatusCode::OK);
    }
    assert_eq!(app.get("/health/ready").await.status, StatusCode::OK);
    app.execute("update _sqlx_migrations set version = 1 where version = (select max(version) from _sqlx_migrations)")
        .await;
    let behind = app.get("/health/ready").await;
    assert_eq!(behind.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(behind.text, "the database schema is older than this build\n");
}

#[tokio::test]
async fn the_reader_cannot_write() {
    let app = App::small().await;
    for statement in [
        "delete from clusters",
        "set default_transaction_read_only = off",
        "update clusters set name = 'x'",
    ] {
        let refused = sqlx::query(statement).execute(&app.reader).await;
        assert!(refused.is_err() || statement.starts_with("set "), "{statement}");
    }
    // Even a session that switched its default off has no right to.
    let mut session = app.reader.acquire().await.unwrap();
    sqlx::query("set default_transaction_read_only = off")
        .execute(&mut *session)
        .await
        .unwrap();
    let refused = sqlx::query("delete from clusters").execute(&mut *session).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
}
