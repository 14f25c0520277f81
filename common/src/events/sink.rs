//! Where events go: the address in `K_SINK`, or the broker inside this process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use http::StatusCode;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use super::wire::{CloudEvent, STRUCTURED};

/// How long one POST may take. Knative's in-memory broker answers only after every subscriber and its retries have finished.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Time to reach the broker at all.
const CONNECT: Duration = Duration::from_secs(5);
/// Tries within one send; what still fails stays in the outbox and `sweep` sends it again.
const TRIES: usize = 3;

/// Extensions that the platform wants on every event: the value of `K_CE_OVERRIDES`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Overrides {
    /// Extension name to value.
    #[serde(default)]
    pub extensions: BTreeMap<String, String>,
}

impl Overrides {
    /// Puts the extensions on an event, replacing what is there.
    pub fn apply(&self, event: &mut CloudEvent) {
        event
            .extensions
            .extend(self.extensions.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}

impl std::str::FromStr for Overrides {
    type Err = serde_json::Error;

    /// Reads the JSON of `K_CE_OVERRIDES`. A SinkBinding without overrides sets the variable to nothing.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            Ok(Self::default())
        } else {
            serde_json::from_str(text)
        }
    }
}

/// Where events go.
#[derive(Debug, Clone)]
pub enum Sink {
    /// The address in `K_SINK`.
    Http(HttpSink),
    /// A broker in this process, as in `stargate up` and the tests.
    Local(Arc<dyn Accept>),
    /// Nowhere: this binary emits nothing, or the outbox is left to `sweep`.
    Nowhere,
}

/// Takes events inside the process.
pub trait Accept: std::fmt::Debug + Send + Sync {
    /// Takes an event as an HTTP ingress would: `Ok` means 202.
    fn accept(&self, event: CloudEvent) -> std::pin::Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + '_>>;
}

/// Posts events to one address.
#[derive(Debug, Clone)]
pub struct HttpSink {
    client: reqwest::Client,
    url: Url,
    overrides: Overrides,
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The sink answered with something else than success.
    #[error("the sink answered {0}")]
    Refused(StatusCode),
    /// The sink did not answer.
    #[error("the sink did not answer")]
    Unanswered(#[source] reqwest::Error),
    /// The binary has no sink: `K_SINK` is not set.
    #[error("there is no sink: K_SINK is not set")]
    NoSink,
}

impl SendError {
    /// Whether the same event may be taken later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused(status) => matches!(status.as_u16(), 404 | 408 | 409 | 429) || status.is_server_error(),
            Self::Unanswered(_) | Self::NoSink => true,
        }
    }
}

impl HttpSink {
    /// A sink at `url`. `ca_certs` is the PEM of `K_CA_CERTS`, trusted besides the system's roots.
    ///
    /// # Errors
    /// When `ca_certs` is not PEM or no TLS is to be had.
    pub fn new(url: Url, overrides: Overrides, ca_certs: Option<&str>) -> Result<Self, reqwest::Error> {
        let mut client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("stargate/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = ca_certs {
            client = client.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem.as_bytes())?);
        }
        Ok(Self {
            client: client.build()?,
            url,
            overrides,
        })
    }

    async fn post(&self, body: Vec<u8>) -> Result<(), SendError> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, STRUCTURED).body(body);
        let answer = request.send().await.map_err(|error| SendError::Unanswered(error.without_url()))?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(SendError::Refused(answer.status()))
        }
    }
}

impl Sink {
    /// Sends one event and waits until it is taken. Tries again with jitter while that can help.
    ///
    /// # Errors
    /// When the event was not taken; it stays the caller's.
    pub async fn send(&self, event: &CloudEvent) -> Result<(), SendError> {
        match self {
            Self::Nowhere => Err(SendError::NoSink),
            Self::Local(broker) => broker.accept(event.clone()).await,
            Self::Http(sink) => {
                let mut event = event.clone();
                sink.overrides.apply(&mut event);
                let body = event.to_structured();
                (|| sink.post(body.clone()))
                    .retry(
                        ExponentialBuilder::default()
                            .with_min_delay(Duration::from_millis(200))
                            .with_max_times(TRIES - 1)
                            .with_jitter(),
                    )
                    .when(SendError::may_pass)
                    .await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_applied_and_may_be_empty() {
        assert_eq!("".parse::<Overrides>().expect("empty is none"), Overrides::default());
        assert!("{".parse::<Overrides>().is_err());
        let overrides: Overrides = r#"{"extensions":{"sgcluster":"forced","env":"prod"}}"#.parse().expect("JSON");
        let scan = crate::events::ScanCompleted {
            scan_id: uuid::Uuid::nil(),
            cluster: "demo-1".into(),
            tier: "cluster".into(),
        };
        let mut event = CloudEvent::from(&crate::events::outgoing("scan", &scan, chrono::DateTime::UNIX_EPOCH).expect("small"));
        overrides.apply(&mut event);
        assert_eq!(event.extensions["sgcluster"], "forced");
        assert_eq!(event.extensions["env"], "prod");
    }
}
