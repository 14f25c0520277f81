//! What surrounds every request: its id, the security headers, the shape of errors, request metrics.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use tracing::Instrument;

use crate::problem::Problem;

/// Carries the request's id in and out.
pub static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names a request in the answer and in the logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestId(String);

/// The request's path from the root: inside a nested router the URI begins later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FullPath(pub String);

impl RequestId {
    /// The client's, when it is short and harmless in a log line; else a new one.
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(&X_REQUEST_ID).and_then(|id| id.to_str().ok());
        let harmless = |id: &&str| (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        Self(
            given
                .filter(harmless)
                .map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned),
        )
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The outermost layer: gives the request its id and the answer its headers, and writes every error as a problem.
pub async fn frame(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let path = request.uri().path().to_owned();
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(FullPath(path.clone()));
    // What goes wrong inside is logged with the id that the client is told.
    let span = tracing::info_span!("request", request.id = id.as_str(), http.path = path);
    let mut response = next.run(request).instrument(span).await;
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    // Probes outside the interface say what is wrong in their own words.
    let in_words = !path.starts_with("/api") && response.headers().contains_key(header::CONTENT_TYPE);
    if failed && !in_words {
        response = as_problem(response, path, &id);
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::VARY, "Authorization, Accept-Encoding"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::try_from(id.0) {
        headers.insert(&X_REQUEST_ID, id);
    }
    response
}

/// The problem behind an answer, written out. The framework's own errors have none; their status says enough.
fn as_problem(mut answer: Response, path: String, id: &RequestId) -> Response {
    let status = answer.status();
    let problem = answer
        .extensions_mut()
        .remove::<Problem>()
        .unwrap_or_else(|| Problem::of_status(status));
    let problem = Problem {
        instance: path,
        request_id: id.0.clone(),
        ..problem
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
    if let Some(allow) = answer.headers_mut().remove(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"stargate\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = problem.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Refuses a request whose `Accept` rules out what the operation has to give.
pub async fn negotiate(request: Request, next: Next) -> Response {
    let stream = request.uri().path().ends_with("/stream");
    let (family, subtype) = if stream {
        ("text", "event-stream")
    } else {
        ("application", "json")
    };
    let mut accepts = request.headers().get_all(header::ACCEPT).iter().peekable();
    let anything = accepts.peek().is_none();
    let accepted = accepts
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let refused = parts.any(|parameter| matches!(parameter, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            let fits = matches!(media.split_once('/'), Some((f, s)) if (f == "*" || f == family) && (s == "*" || s == subtype));
            fits && !refused
        });
    if anything || accepted {
        next.run(request).await
    } else {
        StatusCode::NOT_ACCEPTABLE.into_response()
    }
}

/// Operation ids by path.
#[derive(Debug, Clone)]
pub struct Operations(pub Arc<BTreeMap<String, String>>);

/// Counts and times requests by operation.
pub async fn measure(State(Operations(operations)): State<Operations>, request: Request, next: Next) -> Response {
    let operation = request
        .extensions()
        .get::<MatchedPath>()
        .and_then(|path| operations.get(path.as_str()))
        .map_or("other", String::as_str)
        .to_owned();
    let method = if request.method() == Method::HEAD { "HEAD" } else { "GET" };
    let begun = Instant::now();
    let response = next.run(request).await;
    let class = match response.status().as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    metrics::counter!("stargate_http_requests_total", "operation" => operation.clone(), "method" => method, "code_class" => class)
        .increment(1);
    if response.status() == StatusCode::NOT_MODIFIED {
        metrics::counter!("stargate_http_not_modified_total", "operation" => operation.clone()).increment(1);
    }
    metrics::histogram!("stargate_http_request_duration_seconds", "operation" => operation).record(begun.elapsed());
    response
}

/// What a panic in a handler becomes: a problem like every other, and an error in the log.
#[must_use]
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let what = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(error = what, "a handler panicked: {what}");
    Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_that_could_forge_a_log_line_is_replaced() {
        let id = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(&X_REQUEST_ID, HeaderValue::from_static(value));
            RequestId::of(&headers).0
        };
        assert_eq!(id("deploy-7.1"), "deploy-7.1");
        assert_eq!(id("a b").len(), 36);
        assert_eq!(id("").len(), 36);
        assert_eq!(RequestId::of(&HeaderMap::new()).0.len(), 36);
    }
}
