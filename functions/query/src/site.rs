//! The dashboard's files, and what a browser is told about them.
//!
//! ```text
//! GET, not of the interface ──> a file? ──> it (hashed ones for ever, others asked for again; .br and .gz beside it are used)
//!                                 └─ no ──> does it want a page? ──> index.html: the dashboard finds the page by the path
//!                                                └─ no ──> 404
//! ```
//! The files hold no data and are the same for everybody, so they ask nobody who he is.

use std::path::{Path, PathBuf};

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;
use tower::ServiceExt;
use tower_http::services::ServeDir;

/// What a page may load: its own files and nothing else, no inline script or style, and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What is not the dashboard's: first segments of paths.
const OTHERS: [&str; 6] = ["api", "metrics", "health", "healthz", "readyz", "hooks"];

/// The page where there is no dashboard.
const ABSENT: &str = "<!doctype html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><title>StarGate</title></head>
<body>
<h1>StarGate</h1>
<p>The dashboard is not built. Build it with <code>make dashboard</code>, or name its directory with <code>STARGATE_DASHBOARD_DIR</code>;
then load this page again.</p>
<p>The interface works without it: <a href=\"/api/v1/overview\">/api/v1/overview</a>,
<a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p>
</body>
</html>
";

/// The dashboard.
#[derive(Debug, Clone)]
pub struct Site {
    files: Option<ServeDir>,
}

impl Site {
    /// The dashboard in that directory, if there is one. Files are read when they are asked for: a new build is served at once.
    #[must_use]
    pub fn new(directory: Option<&Path>) -> Self {
        let serve = |directory: &Path| {
            ServeDir::new(directory)
                .append_index_html_on_directories(false)
                .redirect_to_trailing_slash(false)
                .precompressed_br()
                .precompressed_gzip()
        };
        Self {
            files: directory.map(serve),
        }
    }

    /// Answers what no operation answers.
    pub async fn answer(self, request: Request) -> Response {
        let path = request.uri().path().to_owned();
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let mut segments = path.trim_start_matches('/').split('/');
        let first = segments.next().unwrap_or_default();
        if !reads || OTHERS.contains(&first) || path.split('/').any(|segment| segment.starts_with('.')) {
            return StatusCode::NOT_FOUND.into_response();
        }
        let wants_page = wants_page(request.headers());
        if path == "/" && !wants_page {
            return way_in().into_response();
        }
        let headers = request.headers().clone();
        if let Some(file) = self.file(&path, &headers, request.method()).await {
            return kept(file, &path);
        }
        if !wants_page {
            return StatusCode::NOT_FOUND.into_response();
        }
        match self.file("/index.html", &headers, request.method()).await {
            Some(page) => kept(page, "/index.html"),
            None => (StatusCode::NOT_FOUND, page_headers(), Html(ABSENT)).into_response(),
        }
    }

    /// The file at that path; none when there is none.
    async fn file(&self, path: &str, headers: &HeaderMap, method: &Method) -> Option<Response> {
        let files = self.files.clone()?;
        let mut request = Request::builder().method(method).uri(path).body(Body::empty()).ok()?;
        *request.headers_mut() = headers.clone();
        let Ok(found) = files.oneshot(request).await;
        (found.status() != StatusCode::NOT_FOUND).then(|| found.map(Body::new))
    }
}

/// What a program finds at the root.
fn way_in() -> impl IntoResponse {
    let way = json!({
        "name": "stargate-query",
        "version": env!("CARGO_PKG_VERSION"),
        "overview": "/api/v1/overview",
        "documentation": "/api/v1/openapi.json",
    });
    Json(way)
}

/// Whether whoever asks names HTML: a browser that goes somewhere, not one that fetches a script or an image.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).any(|range| {
        range
            .split(';')
            .next()
            .is_some_and(|media| media.trim().eq_ignore_ascii_case("text/html"))
    })
}

fn page_headers() -> [(HeaderName, HeaderValue); 2] {
    [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ]
}

/// A file with how long it may be kept: the name of what lies under `assets` changes with what is in it.
fn kept(mut file: Response, path: &str) -> Response {
    let found = file.status().is_success() || file.status() == StatusCode::NOT_MODIFIED;
    let headers = file.headers_mut();
    for (name, value) in page_headers() {
        headers.insert(name, value);
    }
    if found && path.starts_with("/assets/") {
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        );
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    file
}

/// Where the dashboard lies: the named directory, else `dashboard/dist` below `here` when it was built there.
#[must_use]
pub fn find(named: Option<&Path>, here: &Path) -> Option<PathBuf> {
    let built = here.join("dashboard").join("dist");
    named
        .map(Path::to_owned)
        .or_else(|| built.join("index.html").is_file().then_some(built))
}
