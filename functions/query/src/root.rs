//! What lies outside the interface: health and metrics. Open to whoever reaches the port, which is the cluster.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use stargate_common::db::newest_migration;

use crate::QueryState;

/// The routes at the root.
pub fn routes() -> Router<QueryState> {
    Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/healthz", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// Ready when PostgreSQL answers and has every table this build reads. No detail: anybody may ask.
async fn ready(State(app): State<QueryState>) -> (StatusCode, &'static str) {
    match schema_version(&app).await {
        Ok(Some(version)) if version >= newest_migration() => (StatusCode::OK, "ready\n"),
        Ok(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database schema is older than this build\n"),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready: PostgreSQL does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "PostgreSQL does not answer\n")
        }
    }
}

async fn schema_version(app: &QueryState) -> Result<Option<i64>, sqlx::Error> {
    let mut db = app.read_for_itself().await?;
    // Not a checked statement: the table is sqlx's own and not in the migrations.
    sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
        .fetch_one(&mut *db)
        .await
}

/// Metrics of this process, then the fleet's gauges. Without PostgreSQL the former are still worth having.
async fn metrics(State(app): State<QueryState>) -> impl IntoResponse {
    let mut text = stargate_common::boot::render_metrics();
    match crate::metrics::fleet(&app).await {
        Ok(fleet) => text.push_str(&fleet),
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the fleet's gauges are missing from this scrape"
        ),
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
