//! A broker inside the process, for `stargate up` and the tests: routes by the manifests of `knative/`.
//!
//! ```text
//! accept ─> check ─> every Trigger whose filters match ─> POST in binary mode ─> 2xx, empty: delivered
//!            400                                             ^      └─ 404 408 409 429 5xx, a body, no answer ─┐
//!                                                            └──────────── wait, at most `retry` times ────────┤
//!                                                                          other 4xx, or all tries used ───────┴─> dead letter sink
//! ```
//! It behaves as Knative's broker over the in-memory channel: an event is taken only when every subscriber, or the dead letter
//! sink in its place, has it; there is no order. Where that broker would lose an event (the dead letter sink fails, the process stops), this
//! one refuses it, so that it stays in the sender's outbox. Replies are not routed: they count as failures.

pub mod filter;
pub mod manifest;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::SecondsFormat;
use http::{HeaderValue, StatusCode};
use reqwest::Url;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use self::manifest::{Delivery, Manifests, Trigger};
use super::sink::{Accept, SendError};
use super::wire::CloudEvent;
use crate::clock::Clock;
use crate::events::MAX_INTAKE;

/// How much of a failed answer goes into `knativeerrordata`, in bytes before base64: what keeps that below 1024 characters.
const ERROR_DATA: usize = 768;
/// How long a try may take when no manifest says.
const TIMEOUT: Duration = Duration::from_secs(180);

/// Who takes events.
#[derive(Debug, Clone)]
pub enum Subscriber {
    /// A function in this process.
    Local(Router),
    /// A function elsewhere.
    Remote(Url),
}

/// How waits between tries pass.
#[derive(Debug, Clone)]
pub enum Pause {
    /// In real time.
    Real,
    /// At once, noted for the test to see.
    Noted(Arc<Mutex<Vec<Duration>>>),
}

/// The broker.
#[derive(Debug)]
pub struct Broker {
    manifests: Manifests,
    subscribers: RwLock<BTreeMap<String, Subscriber>>,
    client: reqwest::Client,
    clock: Clock,
    pause: Pause,
    shutdown: CancellationToken,
}

/// How a delivery to one subscriber ended.
#[derive(Debug, PartialEq, Eq)]
enum Delivered {
    /// It has the event.
    Taken,
    /// It refused, or failed too often.
    GivenUp { code: Option<StatusCode>, said: Bytes },
    /// We are stopping: the sender keeps the event.
    Stopping,
}

impl Broker {
    /// A broker for these Triggers. It ends waits between tries when `shutdown` is cancelled.
    ///
    /// # Errors
    /// When no HTTP client is to be had.
    pub fn new(manifests: Manifests, clock: Clock, pause: Pause, shutdown: CancellationToken) -> Result<Arc<Self>, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Arc::new(Self {
            manifests,
            subscribers: RwLock::default(),
            client,
            clock,
            pause,
            shutdown,
        }))
    }

    /// Says who the service `name` of the manifests is. Functions need the broker before the broker can know them, so this comes later.
    pub fn subscribe(&self, name: &str, subscriber: Subscriber) {
        self.subscribers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), subscriber);
    }

    /// The broker behind HTTP: 202 when the event is taken, as the ingress of a Knative broker answers.
    pub fn ingress(self: Arc<Self>) -> Router {
        Router::new()
            .route("/", post(ingress))
            .route("/{namespace}/{name}", post(ingress))
            .with_state(self)
    }

    /// Takes an event: returns when every subscriber, or the dead letter sink, has it.
    ///
    /// # Errors
    /// 400 for an event that breaks the rules; 503 when it could not even become a dead letter.
    pub async fn take(self: &Arc<Self>, mut event: CloudEvent) -> Result<(), SendError> {
        if let Err(error) = event.check() {
            tracing::warn!(event.id = event.id, "event {} refused: {error}", event.id);
            return Err(SendError::Refused(StatusCode::BAD_REQUEST));
        }
        let arrival = self.clock.now().to_rfc3339_opts(SecondsFormat::AutoSi, true);
        event.extensions.entry("knativearrivaltime".into()).or_insert(arrival);
        let event = Arc::new(event);
        let mut deliveries = JoinSet::new();
        for trigger in self
            .manifests
            .triggers
            .iter()
            .filter(|trigger| trigger.filters.iter().all(|filter| filter.matches(&event)))
        {
            let (broker, event, trigger) = (self.clone(), event.clone(), trigger.clone());
            deliveries.spawn(async move { broker.serve(&trigger, &event).await });
        }
        let mut result = Ok(());
        while let Some(delivery) = deliveries.join_next().await {
            // A delivery that panicked has not delivered.
            let delivery = delivery.unwrap_or(Err(SendError::Refused(StatusCode::INTERNAL_SERVER_ERROR)));
            result = result.and(delivery);
        }
        result
    }

    /// Delivers to the subscriber of one Trigger, and what it does not take to the dead letter sink.
    async fn serve(&self, trigger: &Trigger, event: &CloudEvent) -> Result<(), SendError> {
        let delivered = self.deliver(&trigger.subscriber, &trigger.delivery, event).await;
        let outcome = match &delivered {
            Delivered::Taken => "taken",
            Delivered::GivenUp { .. } => "dead_letter",
            Delivered::Stopping => "stopping",
        };
        metrics::counter!("stargate_broker_deliveries_total", "trigger" => trigger.name.clone(), "outcome" => outcome).increment(1);
        let (code, said) = match delivered {
            Delivered::Taken => return Ok(()),
            Delivered::Stopping => return Err(SendError::Refused(StatusCode::SERVICE_UNAVAILABLE)),
            Delivered::GivenUp { code, said } => (code, said),
        };
        let said = said.slice(..said.len().min(ERROR_DATA));
        tracing::warn!(
            event.id = event.id,
            trigger = trigger.name,
            status = code.map(|code| code.as_u16()),
            "{} did not take event {}: {}",
            trigger.subscriber,
            event.id,
            String::from_utf8_lossy(&said).trim()
        );
        let Some(sink) = &trigger.delivery.dead_letter_sink else {
            return Err(SendError::Refused(StatusCode::BAD_GATEWAY));
        };
        let mut letter = event.clone();
        letter.extensions.insert(
            "knativeerrordest".into(),
            format!("http://{}.stargate.svc.cluster.local", trigger.subscriber),
        );
        if let Some(code) = code {
            letter.extensions.insert("knativeerrorcode".into(), code.as_u16().to_string());
        }
        if !said.is_empty() {
            letter.extensions.insert("knativeerrordata".into(), STANDARD.encode(&said));
        }
        match self.deliver(&sink.reference.name, &trigger.delivery, &letter).await {
            Delivered::Taken => Ok(()),
            Delivered::GivenUp { .. } | Delivered::Stopping => {
                tracing::error!(
                    event.id = event.id,
                    "the dead letter sink did not take event {}; it stays with its sender",
                    event.id
                );
                Err(SendError::Refused(StatusCode::SERVICE_UNAVAILABLE))
            }
        }
    }

    /// Tries until the service takes the event, refuses it, or has failed as often as `delivery` allows.
    async fn deliver(&self, service: &str, delivery: &Delivery, event: &CloudEvent) -> Delivered {
        let timeout = delivery.timeout.unwrap_or(TIMEOUT);
        let mut retry = 0;
        loop {
            let answer = tokio::time::timeout(timeout, self.post(service, event)).await.unwrap_or(None);
            let (code, said) = match answer {
                Some((code, said)) if code.is_success() && said.is_empty() => return Delivered::Taken,
                Some((code, said)) => (Some(code), said),
                None => (None, Bytes::new()),
            };
            // A success with a body is taken for a reply, and ours is none.
            let again =
                code.is_none_or(|code| code.is_success() || code.is_server_error() || matches!(code.as_u16(), 404 | 408 | 409 | 429));
            if !again || retry >= delivery.retry.unwrap_or(0) {
                return Delivered::GivenUp { code, said };
            }
            if !self.wait(delivery.wait(retry)).await {
                return Delivered::Stopping;
            }
            retry += 1;
        }
    }

    /// One try. `None`: no answer.
    async fn post(&self, service: &str, event: &CloudEvent) -> Option<(StatusCode, Bytes)> {
        let subscriber = self
            .subscribers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(service)
            .cloned();
        let (mut headers, body) = event.to_binary();
        headers.insert("prefer", HeaderValue::from_static("reply"));
        match subscriber {
            Some(Subscriber::Local(router)) => {
                let mut request = Request::post("/").body(Body::from(body)).ok()?;
                *request.headers_mut() = headers;
                let Ok(response) = router.oneshot(request).await;
                let code = response.status();
                Some((code, to_bytes(response.into_body(), MAX_INTAKE).await.unwrap_or_default()))
            }
            Some(Subscriber::Remote(url)) => {
                let response = self.client.post(url).headers(headers).body(body).send().await.ok()?;
                Some((response.status(), response.bytes().await.unwrap_or_default()))
            }
            None => {
                tracing::error!("the manifests name the service {service}, but nobody is it here");
                None
            }
        }
    }

    /// Lets `wait` pass; false when the process is stopping.
    async fn wait(&self, wait: Duration) -> bool {
        match &self.pause {
            Pause::Noted(waits) => waits.lock().unwrap_or_else(PoisonError::into_inner).push(wait),
            Pause::Real => tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            },
        }
        !self.shutdown.is_cancelled()
    }
}

/// The broker as an address for [`super::sink::Sink::Local`].
#[derive(Debug, Clone)]
pub struct LocalBroker(pub Arc<Broker>);

impl Accept for LocalBroker {
    fn accept(&self, event: CloudEvent) -> Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + '_>> {
        Box::pin(self.0.take(event))
    }
}

async fn ingress(State(broker): State<Arc<Broker>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_INTAKE).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, format!("more than {MAX_INTAKE} bytes, or cut off\n")).into_response();
    };
    let event = match CloudEvent::read(&parts.headers, &body) {
        Ok(event) => event,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    match broker.take(event).await {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(SendError::Refused(code)) => code.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[cfg(test)]
mod tests;
