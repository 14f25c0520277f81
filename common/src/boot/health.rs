//! `/health/live`, `/health/ready` and `/metrics`, the same in everything that serves.
//!
//! Ready means: the process is up and its settings are good. It does not ask PostgreSQL: a blip there must not make every
//! copy of every function unready at the same moment; the broker retries on 503 as it is.

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;

/// Adds the three routes.
pub fn with_health(router: Router) -> Router {
    let metrics = || async { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], super::render_metrics()) };
    router
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(|| async { "ready\n" }))
        .route("/metrics", get(metrics))
}
