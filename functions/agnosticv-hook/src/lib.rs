//! Requests a collection when the AgnosticV repository changes, so that a new lab configuration is known in minutes and without a restart.
//!
//! In: `POST /webhook`, signed by the repository. Writes: `collection_requests`, `webhook_deliveries`, outbox. Out: `collection.requested`.
//!
//! ```text
//! body limit ─> signature ─> event, branch, repository ─> came before? ─> request + delivery + outbox ─> 202
//!     413          401        400, or 204 for what requests nothing   202         one transaction, 503 without a database
//! ```
//!
//! It is the only door that is open to the outside: nothing of a delivery is read before its signature is found genuine, no answer says
//! more than its status, and what is lost here the schedule of `collect` finds within the hour.

mod delivery;
mod settings;
mod signature;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use stargate_common::boot::{Context, Server};
use stargate_common::db::{Access, DbError, collection_requests as requests, outbox};
use stargate_common::events::{self, CollectionRequested, EventType, OutgoingError, relay};
use stargate_common::settings::SecretString;
use stargate_common::sources::SourceName;
use uuid::Uuid;

pub use self::settings::Settings;
use crate::delivery::{Delivery, Push};

/// The largest delivery that is taken, in bytes. A push of hundreds of commits is about 1 MiB.
const LARGEST: usize = 4 << 20;
/// How long sending may take before the answer: the repository waits 10 s for it.
const SENDING: Duration = Duration::from_secs(5);
/// The header with the signature.
const SIGNATURE: &str = "x-hub-signature-256";

/// The server.
#[derive(Debug)]
pub struct Hook;

struct Door {
    context: Context<Settings>,
    secrets: Vec<SecretString>,
}

/// Why a push was not taken in. Nothing is stored then.
#[derive(Debug, thiserror::Error)]
enum TakeError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("taking a push in")]
    Transaction(#[from] sqlx::Error),
    #[error(transparent)]
    Event(#[from] OutgoingError),
}

impl Server for Hook {
    const NAME: &'static str = "agnosticv-hook";
    const ACCESS: Access = Access::ReadWrite;
    const EMITS: &'static [EventType] = &[EventType::CollectionRequested];
    type Settings = Settings;

    /// Health, but no metrics: whoever can reach the webhook could read them.
    async fn start(context: &Context<Settings>) -> anyhow::Result<Router> {
        let door = Door {
            secrets: context.settings.secrets()?,
            context: context.clone(),
        };
        Ok(Router::new()
            .route("/webhook", post(take))
            .route("/health/live", get(|| async { "live\n" }))
            .route("/health/ready", get(|| async { "ready\n" }))
            .with_state(Arc::new(door)))
    }
}

async fn take(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (outcome, status) = answer(&door, request).await;
    metrics::counter!("stargate_webhook_deliveries_total", "outcome" => outcome).increment(1);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return (status, [(RETRY_AFTER, "30")]).into_response();
    }
    status.into_response()
}

async fn answer(door: &Door, request: Request<Body>) -> (&'static str, StatusCode) {
    let (parts, body) = request.into_parts();
    let body = match to_bytes(body, LARGEST).await {
        Ok(body) => body,
        Err(error) => {
            let too_large = std::error::Error::source(&error).is_some_and(|source| source.to_string().contains("limit"));
            tracing::warn!(too_large, "a delivery was not taken: its body is too large or ended too early");
            return if too_large {
                ("too_large", StatusCode::PAYLOAD_TOO_LARGE)
            } else {
                ("unreadable", StatusCode::BAD_REQUEST)
            };
        }
    };
    let signed = parts.headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    if !signature::is_genuine(&door.secrets, signed.unwrap_or_default(), &body) {
        let how = if signed.is_some() {
            "its signature is not ours"
        } else {
            "it is not signed"
        };
        tracing::warn!("a delivery was refused: {how}; compare the webhook's secret with STARGATE_AGNOSTICV_WEBHOOK_SECRET");
        return ("not_genuine", StatusCode::UNAUTHORIZED);
    }
    match delivery::read(&parts.headers, &body) {
        Err(error) => {
            tracing::warn!(error = %error, "a signed delivery was not understood: {error}");
            ("unreadable", StatusCode::BAD_REQUEST)
        }
        Ok(Delivery::Ping) => {
            tracing::info!("the repository's ping came, and its signature is ours");
            ("ping", StatusCode::NO_CONTENT)
        }
        Ok(Delivery::Nothing(what)) => {
            tracing::debug!("a delivery requests nothing: {what}");
            ("ignored", StatusCode::NO_CONTENT)
        }
        Ok(Delivery::Push(push)) if !door.context.settings.wants(&push.repository, &push.branch) => {
            tracing::info!(
                "a push to {} of {} requests nothing: it is not among those that count",
                push.branch,
                push.repository
            );
            ("ignored", StatusCode::NO_CONTENT)
        }
        Ok(Delivery::Push(push)) => pushed(door, &parts.headers, &body, &push).await,
    }
}

async fn pushed(door: &Door, headers: &HeaderMap, body: &Bytes, push: &Push) -> (&'static str, StatusCode) {
    let identities = match delivery::identities(headers, body) {
        Ok(identities) => identities,
        Err(error) => {
            tracing::warn!(error = %error, "a signed delivery was not understood: {error}");
            return ("unreadable", StatusCode::BAD_REQUEST);
        }
    };
    let Push {
        repository,
        branch,
        commit,
    } = push;
    match request(door, &identities, &format!("push of {commit} to {branch} of {repository}")).await {
        Ok(Some((id, new))) => {
            let how = if new { "requested" } else { "already requested" };
            tracing::info!(request.id = %id, "push of {commit} to {branch} of {repository}: a collection of agnosticv is {how} as {id}");
            // The request is committed: whatever happens now, `sweep` sees to it.
            let Context { db, sink, clock, .. } = &door.context;
            if let Err(error) = relay::flush(db, sink, clock, SENDING).await {
                tracing::warn!(error = %error, "events stay in the outbox: {error}");
            }
            ("requested", StatusCode::ACCEPTED)
        }
        Ok(None) => {
            tracing::info!("push of {commit} to {branch} of {repository} came before");
            ("repeated", StatusCode::ACCEPTED)
        }
        Err(error) => {
            let chain = format!("{:#}", anyhow::Error::from(error));
            tracing::error!(error = chain, "a push was not taken in: {chain}");
            ("failed", StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// Makes the request and notes the delivery, in one transaction. `None`: the delivery came before.
async fn request(door: &Door, identities: &[String], reason: &str) -> Result<Option<(Uuid, bool)>, TakeError> {
    let now = door.context.clock.now();
    let source = SourceName::Agnosticv.as_str();
    let mut tx = door.context.db.begin().await?;
    for identity in identities {
        if requests::is_known_delivery(&mut *tx, identity).await? {
            return Ok(None);
        }
    }
    let (id, new) = requests::request(&mut tx, Uuid::now_v7(), source, reason, now).await?;
    for identity in identities {
        // Two of the same at the same moment: the other one was faster, and this transaction leaves nothing.
        if !requests::note_delivery(&mut *tx, identity, id, now).await? {
            return Ok(None);
        }
    }
    let payload = CollectionRequested {
        request_id: id,
        source: source.to_owned(),
    };
    outbox::append(&mut tx, &[events::outgoing(Hook::NAME, &payload, now)?], now).await?;
    tx.commit().await?;
    Ok(Some((id, new)))
}
