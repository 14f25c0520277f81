//! An answer of an API server, taken whole and in bounds.

use std::pin::Pin;
use std::time::Duration;

use axum::body::HttpBody;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};
use kube::client::Body;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use crate::unknown::UnknownReason;

/// The largest answer taken, in bytes. A page of 500 pods is 4 to 8 MB; a server that ignores the limit must not fill memory.
const LARGEST: usize = 192 << 20;
/// How much is reserved on a server's word, in bytes.
const RESERVED: usize = 16 << 20;

/// What a server answered, whatever the status.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Why there is no whole answer.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No connection: DNS, network, TLS.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The credential cannot be had, for example because its file is gone.
    #[error("no credential: {0}")]
    Credential(String),
    /// A deadline passed.
    #[error("{0}")]
    Timeout(String),
    /// The connection broke in the middle of the answer.
    #[error("the answer was cut after {received} bytes: {detail}")]
    Cut {
        /// Bytes received.
        received: usize,
        /// What the connection says.
        detail: String,
    },
    /// The answer is larger than anything that can be right.
    #[error("the answer is larger than {} MiB", LARGEST >> 20)]
    TooLarge,
}

impl RequestError {
    /// Tells from kube's error why there was no answer.
    pub(super) fn of(error: &kube::Error) -> Self {
        match error {
            kube::Error::Auth(_) => Self::Credential(chain(error)),
            _ => Self::Unreachable(chain(error)),
        }
    }

    /// What this makes of the things that were asked for.
    #[must_use]
    pub const fn reason(&self) -> UnknownReason {
        match self {
            Self::Unreachable(_) => UnknownReason::Unreachable,
            Self::Credential(_) => UnknownReason::Unauthorized,
            Self::Timeout(_) => UnknownReason::Timeout,
            Self::Cut { .. } => UnknownReason::Truncated,
            Self::TooLarge => UnknownReason::ParseError,
        }
    }
}

/// An error and what caused it, in one line, each part once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        cause = error.source();
    }
    text
}

/// What Kubernetes says with an error status.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// Machine-readable reason, for example `Expired`.
    pub reason: String,
    /// For people.
    pub message: String,
    metadata: RefusalMeta,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct RefusalMeta {
    #[serde(rename = "continue")]
    more: Option<String>,
}

impl Refusal {
    /// A token to go on with where an expired one was refused.
    #[must_use]
    pub fn fresh_token(&self) -> Option<&str> {
        self.metadata.more.as_deref().filter(|token| !token.is_empty())
    }
}

impl Answer {
    /// How long the server asks to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    /// What the server says with an error status; of a proxy's page only that it is one.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| Refusal {
            message: format!("not an answer of an API server ({})", self.content_type()),
            ..Refusal::default()
        })
    }

    /// The type of the body, as the server states it.
    #[must_use]
    pub fn content_type(&self) -> &str {
        self.headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("no content type")
    }
}

/// Takes the body of a response, frame by frame.
pub(super) async fn take(response: Response<Body>, deadline: Instant, idle: Duration) -> Result<Answer, RequestError> {
    let (parts, mut body) = response.into_parts();
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or(0);
    let mut bytes = Vec::with_capacity(announced.min(RESERVED));
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let pause = Instant::now() + idle;
        match timeout_at(deadline.min(pause), frame).await {
            Err(_) if pause < deadline => {
                return Err(RequestError::Timeout(format!(
                    "the answer stalled for {} s after {} bytes",
                    idle.as_secs(),
                    bytes.len()
                )));
            }
            Err(_) => {
                return Err(RequestError::Timeout(format!(
                    "the answer was not over in time, after {} bytes",
                    bytes.len()
                )));
            }
            Ok(None) => break,
            Ok(Some(Err(error))) => {
                return Err(RequestError::Cut {
                    received: bytes.len(),
                    detail: chain(&error),
                });
            }
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    if bytes.len() + data.len() > LARGEST {
                        return Err(RequestError::TooLarge);
                    }
                    bytes.extend_from_slice(&data);
                }
            }
        }
    }
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body: bytes,
    })
}
