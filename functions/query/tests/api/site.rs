//! The dashboard's files: which are served, how long they may be kept, and what a browser may do with them.

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use stargate_query::access::Identity;
use stargate_query::{QueryState, router, site};

use crate::app::{Answer, App};

const PAGE: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

fn built(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    let dist = folder.join("dashboard").join("dist");
    std::fs::create_dir_all(dist.join("assets")).expect("a folder");
    for (file, text) in [
        ("index.html", "<!doctype html><title>dashboard</title>"),
        ("assets/index-1a2b.js", "export {}"),
        ("assets/index-1a2b.js.br", "brotli"),
        ("assets/index-1a2b.js.gz", "gzip"),
        (".secret", "hidden"),
    ] {
        std::fs::write(dist.join(file), text).expect("a file");
    }
    folder
}

async fn app(dashboard: Option<&Path>) -> App {
    let mut app = App::empty().await;
    let mut state = QueryState::new(app.reader.clone(), app.clock.clone()).open_to(Identity::demo());
    state.dashboard = dashboard.map(Path::to_owned);
    app.router = router(state);
    app
}

async fn ask(app: &App, path: &str, accept: &str, encoding: &str) -> Answer {
    let request = Request::get(path).header("accept", accept).header("accept-encoding", encoding);
    app.ask(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn files_pages_and_nothing_else() {
    let folder = built("files");
    let found = site::find(None, &folder).expect("dashboard/dist is found");
    let app = app(Some(&found)).await;
    for path in ["/", "/index.html", "/labs/LB0001?tab=sessions", "/incidents"] {
        let page = ask(&app, path, PAGE, "identity").await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text.contains("<title>dashboard"), "{path}: {}", page.text);
        assert_eq!(page.header("cache-control"), "no-cache", "{path}");
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(page.header(name), value, "{path}");
        }
    }
    let script = ask(&app, "/assets/index-1a2b.js", "*/*", "identity").await;
    assert_eq!((script.status, script.text.as_str()), (StatusCode::OK, "export {}"));
    assert_eq!(script.header("cache-control"), "public, max-age=31536000, immutable");
    for (encoding, wanted) in [("br, gzip", "br"), ("gzip", "gzip")] {
        let packed = ask(&app, "/assets/index-1a2b.js", "*/*", encoding).await;
        assert_eq!(packed.header("content-encoding"), wanted);
        assert!(
            packed.header("content-type").contains("javascript"),
            "{}",
            packed.header("content-type")
        );
        assert!(packed.header("vary").to_ascii_lowercase().contains("accept-encoding"));
    }
    // A script that is no more must not become a page, and nothing of the interface does.
    for (path, accept) in [
        ("/assets/index-old.js", "*/*"),
        ("/.secret", PAGE),
        ("/../Cargo.toml", PAGE),
        ("/%2e%2e/%2e%2e/secret", "*/*"),
        ("/api/v1/nothing", PAGE),
        ("/hooks/agnosticv", PAGE),
        ("/metrics/more", PAGE),
    ] {
        let answer = ask(&app, path, accept, "identity").await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert!(
            !answer.text.contains("<title>dashboard") && !answer.text.contains("hidden"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn without_a_dashboard_a_page_says_how_to_build_it() {
    assert_eq!(site::find(None, Path::new("/nowhere")), None);
    let app = app(None).await;
    let page = ask(&app, "/labs", PAGE, "identity").await;
    assert!(page.text.contains("make dashboard"), "{}", page.text);
    assert!(page.header("content-type").starts_with("text/html"));
    // A program at the root finds its way.
    let way = ask(&app, "/", "application/json", "identity").await;
    assert_eq!(way.body["overview"], "/api/v1/overview");
}
