//! An event handler behind HTTP: what the broker posts, and what it may read in the answer.
//!
//! ```text
//! POST / ─> body limit ─> read the event ─> known type? ─> handle, within the deadline ─> send the outbox ─> 204
//!            413           400               no: 204        4xx, 5xx: failure.rs           (never fails)
//! ```
//! A success has no body: Knative takes any other for a reply event and delivers again. A failure has one short line.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use clap::Args;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use super::Context;
use crate::events::wire::CloudEvent;
use crate::events::{EventType, MAX_INTAKE, relay};
use crate::failure::Failure;

/// Which events a function is there for.
#[derive(Debug, Clone, Copy)]
pub enum Accepts {
    /// These types. Any other is answered with 204 and counted: a trigger is wider than it should be.
    Only(&'static [EventType]),
    /// Whatever comes, known or not.
    Anything,
}

/// An event handler. Runs at least once per event, so it must be safe to run twice.
pub trait Function: Sized + Send + Sync + 'static {
    /// Its name: of the binary, in logs, manifests and the inbox.
    const NAME: &'static str;
    /// Which events it is there for.
    const ACCEPTS: Accepts;
    /// What it writes to the outbox. Empty: it needs no broker.
    const EMITS: &'static [EventType];
    /// What only it needs.
    type Settings: Args + Clone + std::fmt::Debug + Send + Sync + 'static;

    /// Prepares it. Must not need the database or a cluster: a function has to start while they are away.
    fn start(context: &Context<Self::Settings>) -> impl Future<Output = anyhow::Result<Self>> + Send;

    /// Takes one event in: inbox, effect and outbox in one transaction. `Ok` for a duplicate, too.
    fn handle(&self, context: &Context<Self::Settings>, event: &CloudEvent) -> impl Future<Output = Result<(), Failure>> + Send;
}

struct Hosted<F: Function> {
    function: F,
    context: Context<F::Settings>,
    deadline: Duration,
}

/// The function behind `POST /`. Public so that `stargate up` and the tests post events with no socket.
///
/// # Errors
/// When the function does not start.
pub async fn router<F: Function>(context: Context<F::Settings>, deadline: Duration) -> anyhow::Result<Router> {
    let function = F::start(&context).await?;
    let hosted = Arc::new(Hosted {
        function,
        context,
        deadline,
    });
    let panicked = |_| text(StatusCode::INTERNAL_SERVER_ERROR, "the handler panicked; its log says where");
    Ok(Router::new()
        .route("/", post(take::<F>))
        .with_state(hosted)
        .layer(CatchPanicLayer::custom(panicked)))
}

async fn take<F: Function>(State(hosted): State<Arc<Hosted<F>>>, request: Request) -> Response {
    let started = Instant::now();
    let read = read(request).await;
    let event_type = match &read {
        Ok(event) => EventType::parse(&event.event_type).map_or("other", EventType::as_str),
        Err(_) => "unreadable",
    };
    let (outcome, response) = match read {
        Ok(event) if !accepts(F::ACCEPTS, &event) => {
            tracing::debug!(
                event.r#type = event.event_type,
                "event {} of type {} is not for {}",
                event.id,
                event.event_type,
                F::NAME
            );
            ("ignored", StatusCode::NO_CONTENT.into_response())
        }
        Ok(event) => {
            let span = tracing::info_span!("event", function = F::NAME, event.id = event.id, event.r#type = event.event_type);
            answer(F::NAME, handle(&hosted, &event).instrument(span.clone()).await, &span)
        }
        Err(failure) => answer(F::NAME, Err(failure), &tracing::Span::none()),
    };
    metrics::counter!("stargate_events_total", "function" => F::NAME, "type" => event_type, "outcome" => outcome).increment(1);
    metrics::histogram!("stargate_event_duration_seconds", "function" => F::NAME, "type" => event_type).record(started.elapsed());
    response
}

async fn read(request: Request<Body>) -> Result<CloudEvent, Failure> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_INTAKE).await.map_err(|error| {
        let too_large = std::error::Error::source(&error).is_some_and(|source| source.to_string().contains("limit"));
        if too_large {
            Failure::TooLarge(MAX_INTAKE)
        } else {
            Failure::Unreadable("the body ended too early".into())
        }
    })?;
    CloudEvent::read(&parts.headers, &body).map_err(|error| Failure::Unreadable(error.to_string()))
}

fn accepts(accepts: Accepts, event: &CloudEvent) -> bool {
    match accepts {
        Accepts::Anything => true,
        Accepts::Only(types) => types.iter().any(|event_type| event_type.as_str() == event.event_type),
    }
}

async fn handle<F: Function>(hosted: &Hosted<F>, event: &CloudEvent) -> Result<(), Failure> {
    let context = &hosted.context;
    // The handler is dropped at the deadline: its transaction rolls back, and the broker delivers again.
    tokio::time::timeout(hosted.deadline, hosted.function.handle(context, event))
        .await
        .map_err(|_| Failure::Retry {
            what: format!("not done within {} s", hosted.deadline.as_secs()),
            source: None,
        })??;
    if !F::EMITS.is_empty() {
        // The effect is committed and its events are in the outbox: whatever happens now, `sweep` sends them.
        if let Err(error) = relay::flush(&context.db, &context.sink, &context.clock, relay::FUNCTION_BUDGET).await {
            tracing::warn!(error = %error, "events stay in the outbox: {error}");
        }
    }
    Ok(())
}

fn answer(name: &str, handled: Result<(), Failure>, span: &tracing::Span) -> (&'static str, Response) {
    let Err(failure) = handled else {
        return ("done", StatusCode::NO_CONTENT.into_response());
    };
    let outcome = failure.label();
    let mut response = text(failure.status(), &failure.text());
    if let Some(after) = failure.retry_after() {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    }
    let chain = format!("{:#}", anyhow::Error::from(failure));
    span.in_scope(|| {
        tracing::warn!(
            error = chain,
            status = response.status().as_u16(),
            "{name} did not take the event: {chain}"
        )
    });
    (outcome, response)
}

fn text(status: StatusCode, line: &str) -> Response {
    (status, format!("{line}\n")).into_response()
}

#[cfg(test)]
mod tests;
