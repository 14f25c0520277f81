//! Answers what people and programs ask about the fleet: read-only, over HTTP.
//!
//! In: GET requests. Reads: every table of the spine, as a role that can only read. Writes nothing, calls nothing but PostgreSQL.
//!
//! | File | What it holds |
//! |---|---|
//! | [`frame`] | around every request: id, headers, the shape of errors, metrics |
//! | [`access`] | who asks, and what he may see |
//! | [`answer`], [`basis`], [`sources`], [`collectors`] | before and after every operation: versions, sources and their age, ETag, envelope |
//! | [`params`], [`page`], [`words`], [`problem`] | strict parameters, cursors, problem+json |
//! | [`supply`] | pools, sessions, stuck subjects as one value |
//! | [`fleet`], [`counts`], [`verdict`], [`knowledge`] | the rollups as one value, counting, the overview's sentence, what rubrics say |
//! | [`api`] | the operations, one file each subject |
//! | [`feed`] | what changed, for live updates |
//! | [`openapi`] | the document, from the handlers |
//! | [`root`], [`metrics`] | health, the fleet's gauges |
//! | [`site`] | the dashboard's files |

pub mod access;
pub mod answer;
pub mod api;
pub mod basis;
pub mod collectors;
pub mod counts;
pub mod feed;
pub mod fleet;
pub mod frame;
pub mod knowledge;
pub mod metrics;
pub mod openapi;
pub mod page;
pub mod params;
pub mod problem;
pub mod root;
pub mod site;
pub mod sources;
pub mod supply;
pub mod verdict;
pub mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::{Extension, Router, middleware};
use clap::Args;
use serde_json::Value;
use sqlx::PgPool;
use stargate_common::boot::{Context, Server};
use stargate_common::clock::Clock;
use stargate_common::db::Access;
use stargate_common::evaluate::rubric::RubricSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::guard::{self, Gate, Guard};
use crate::access::reading::{Door, Reading};
use crate::access::settings::AccessSettings;
use crate::access::{Identity, LabScope, writes};
use crate::api::me::Event;
use crate::api::overview::first::FirstCache;
use crate::feed::Feed;
use crate::fleet::FleetCache;
use crate::frame::Operations;
use crate::knowledge::Knowledge;
use crate::problem::ApiError;
use crate::site::Site;
use crate::supply::SupplyCache;

/// No answer takes longer: twice the statement timeout, so that a slow statement is reported as what it is.
const DEADLINE: Duration = Duration::from_secs(10);

/// What every handler may use.
#[derive(Debug, Clone)]
pub struct QueryState {
    /// Who may come in. By default nobody.
    pub guard: Guard,
    /// The event that is under way.
    pub event: Event,
    /// Where the dashboard's files lie.
    pub dashboard: Option<PathBuf>,
    /// The way to the tables.
    door: Door,
    /// Where the time comes from.
    pub clock: Clock,
    /// What the rubrics say.
    pub knowledge: Arc<Knowledge>,
    /// Cancelled when the process should end: streams end then.
    pub shutdown: CancellationToken,
    fleet: FleetCache,
    supply: SupplyCache,
    first: FirstCache,
    feed: Feed,
}

impl QueryState {
    /// A state that reads through `pool`, which should be [`Access::ReadOnly`]. Its guard lets nobody in, it knows no rubrics, and nothing
    /// ends its streams early.
    #[must_use]
    pub fn new(pool: PgPool, clock: Clock) -> Self {
        Self {
            guard: Guard::default(),
            event: Event::default(),
            dashboard: None,
            door: Door::new(pool),
            clock,
            knowledge: Arc::default(),
            shutdown: CancellationToken::new(),
            fleet: FleetCache::default(),
            supply: SupplyCache::default(),
            first: FirstCache::default(),
            feed: Feed::default(),
        }
    }

    /// The same state with a guard that takes everybody for this one: for tests and measurements.
    #[must_use]
    pub fn open_to(self, identity: Identity) -> Self {
        Self {
            guard: Guard::everybody_is(identity),
            ..self
        }
    }

    /// Begins reading what this identity may see. Every handler reads through this, and only this.
    ///
    /// # Errors
    /// PostgreSQL does not answer.
    pub async fn read(&self, identity: &Identity) -> Result<Reading, ApiError> {
        Ok(self.door.read(&identity.scope).await?)
    }

    /// Begins reading for nobody in particular: what the process itself must know, such as its readiness and the fleet's gauges.
    ///
    /// # Errors
    /// PostgreSQL does not answer.
    pub async fn read_for_itself(&self) -> Result<Reading, sqlx::Error> {
        self.door.read(&LabScope::All).await
    }
}

fn operations() -> OpenApiRouter<QueryState> {
    OpenApiRouter::with_openapi(openapi::Declared::openapi()).nest(
        "/api/v1",
        OpenApiRouter::new()
            .routes(routes!(api::me::get))
            .routes(routes!(api::overview::get))
            .routes(routes!(api::trends::get))
            .routes(routes!(api::incidents::attention))
            .routes(routes!(api::incidents::groups::groups))
            .routes(routes!(api::clusters::list))
            .routes(routes!(api::clusters::get))
            .routes(routes!(api::nodes::list))
            .routes(routes!(api::labs::list))
            .routes(routes!(api::labs::facets::facets))
            .routes(routes!(api::labs::get))
            .routes(routes!(api::labs::pipeline))
            .routes(routes!(api::instances::list))
            .routes(routes!(api::instances::facets::facets))
            .routes(routes!(api::instances::get))
            .routes(routes!(api::evidence::list))
            .routes(routes!(api::incidents::list))
            .routes(routes!(api::incidents::facets::facets))
            .routes(routes!(api::incidents::get))
            .routes(routes!(api::transitions::list))
            .routes(routes!(api::recommendations::list))
            .routes(routes!(api::recommendations::get))
            .routes(routes!(api::recommendations::unknowns))
            .routes(routes!(api::scans::list))
            .routes(routes!(api::sources::list))
            .routes(routes!(api::knowledge::classes))
            .routes(routes!(api::knowledge::class))
            .routes(routes!(api::knowledge::stages))
            .routes(routes!(api::search::search))
            .routes(routes!(api::provisioning::summary))
            .routes(routes!(api::subjects::list))
            .routes(routes!(api::subjects::get))
            .routes(routes!(api::jobs::list))
            .routes(routes!(api::pools::list))
            .routes(routes!(api::pools::get))
            .routes(routes!(api::pools::series))
            .routes(routes!(api::sessions::list))
            .routes(routes!(api::sessions::of_lab))
            .routes(routes!(api::mappings::list))
            .routes(routes!(api::violations::list))
            .routes(routes!(api::why::get))
            .routes(routes!(api::openapi))
            .routes(routes!(api::stream::stream)),
    )
}

/// The OpenAPI document of this build.
#[must_use]
pub fn document() -> Value {
    openapi::finish(&operations().into_openapi())
}

/// What only this function needs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Query settings")]
pub struct Settings {
    /// Who may come in.
    #[command(flatten)]
    pub access: AccessSettings,

    /// Directory of the dashboard's files, as `make dashboard` builds them.
    #[arg(long, env = "STARGATE_DASHBOARD_DIR", value_name = "DIR")]
    pub dashboard_dir: Option<PathBuf>,

    /// What pools, catalog items and labs of the event begin with, for the dashboard to show. Empty: continuous operation.
    #[arg(long, env = "STARGATE_EVENT_PREFIX", value_name = "PREFIX", default_value = "")]
    pub event_prefix: String,

    /// Time zone of the event by its IANA name, for the dashboard to show times in.
    #[arg(long, env = "STARGATE_EVENT_TIMEZONE", value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    pub event_timezone: String,
}

impl Settings {
    fn event(&self) -> Event {
        Event {
            time_zone: self.event_timezone.clone(),
            prefix: Some(self.event_prefix.clone()).filter(|prefix| !prefix.is_empty()),
        }
    }
}

fn zone(name: &str) -> Result<String, String> {
    let zone: chrono_tz::Tz = name
        .parse()
        .map_err(|_| format!("{name:?} is no time zone; give an IANA name such as Europe/Berlin"))?;
    Ok(zone.name().to_owned())
}

/// The query function.
#[derive(Debug)]
pub struct Query;

impl Server for Query {
    const NAME: &'static str = "query";
    const ACCESS: Access = Access::ReadOnly;
    type Settings = Settings;

    async fn start(context: &Context<Settings>) -> anyhow::Result<Router> {
        let knowledge = Knowledge::from(&RubricSet::embedded().context("loading the rubrics")?);
        Ok(router(QueryState {
            guard: Guard::new(&context.settings.access)?,
            event: context.settings.event(),
            dashboard: context.settings.dashboard_dir.clone(),
            knowledge: Arc::new(knowledge),
            shutdown: context.shutdown.clone(),
            ..QueryState::new(context.db.clone(), context.clock.clone())
        }))
    }
}

/// Everything this function serves: the interface under `/api/v1`, health and metrics at the root, and the dashboard's files.
pub fn router(state: QueryState) -> Router {
    let (routes, declared) = operations().split_for_parts();
    let document = openapi::finish(&declared);
    let operations = Operations(Arc::new(openapi::operations(&document)));
    let gate = Gate {
        guard: state.guard.clone(),
        clock: state.clock.clone(),
        roles: Arc::new(openapi::roles(&document)),
    };
    let site = Site::new(state.dashboard.as_deref());
    let api = routes
        .route_layer(middleware::from_fn(frame::negotiate))
        .route_layer(middleware::from_fn(writes::only_meant))
        .route_layer(middleware::from_fn_with_state(gate, guard::let_in))
        .route_layer(middleware::from_fn_with_state(operations, frame::measure))
        .layer(Extension(api::Document::new(&document)))
        .fallback(async move |request: Request| site.clone().answer(request).await);
    surround(api.merge(root::routes()).with_state(state))
}

/// Puts the frame around routes: whatever happens inside, the answer has its id, its headers and the shape of an error.
fn surround(routes: Router) -> Router {
    routes.layer(
        ServiceBuilder::new()
            .layer(CompressionLayer::new())
            .layer(middleware::from_fn(frame::frame))
            .layer(CatchPanicLayer::custom(frame::panicked))
            .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, DEADLINE)),
    )
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn problem_of(routes: Router) -> Value {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = surround(routes).oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing_of_the_inside() {
        async fn broken() -> StatusCode {
            panic!("secret")
        }
        let problem = problem_of(Router::new().route("/", get(broken))).await;
        assert_eq!((&problem["status"], &problem["type"]), (&500.into(), &"/problems/internal".into()));
        assert!(!problem.to_string().contains("secret"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_takes_too_long_is_a_504() {
        let problem = problem_of(Router::new().route("/", get(std::future::pending::<StatusCode>))).await;
        assert_eq!((&problem["status"], &problem["type"]), (&504.into(), &"/problems/timeout".into()));
        assert_eq!(problem["retry_after_s"], 5);
    }
}
