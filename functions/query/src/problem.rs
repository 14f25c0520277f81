//! Errors as `application/problem+json` (RFC 9457).
//!
//! Handlers return [`ApiError`]. Its answer carries a [`Problem`] without address and request id; `frame` fills these in and writes
//! the body, so that errors of the framework (405, 504, a panic) take the same shape.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Role;
use crate::access::guard::Refusal;
use crate::access::writes::Doubt;

/// What went wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Which kind of problem: a stable relative reference.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid-parameter")]
    pub kind: String,
    /// The kind in words.
    #[schema(example = "A parameter is not valid")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 400, minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong with this request, and what to do.
    #[schema(example = "limit: 500 is not a number from 1 to 200")]
    pub detail: String,
    /// The path that was asked for.
    #[schema(example = "/api/v1/instances")]
    pub instance: String,
    /// Repeat it when you report the problem: the logs have it too.
    pub request_id: String,
    /// Each parameter that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// Try again after so many seconds; absent when trying again is of no use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retry_after_s: Option<u32>,
    /// The role that this needs, when who asks has not got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "viewer")]
    pub required_role: Option<String>,
}

/// One parameter that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// Name of the parameter.
    #[schema(example = "limit")]
    pub parameter: String,
    /// What kind of fault: `unknown`, `invalid`, `repeated`, `conflict`.
    #[schema(example = "invalid")]
    pub code: &'static str,
    /// What is wrong with it, and what is allowed.
    pub detail: String,
    /// Every allowed value or name, when there is a closed list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A parameter is wrong.
    #[error("{}: {}", .0.parameter, .0.detail)]
    Parameter(Fault),
    /// The cursor belongs to another list, filter or order.
    #[error("this cursor was made for another list, filter or sort order: start again without a cursor")]
    CursorMismatch,
    /// There is no such thing.
    #[error("there is no {what} {name:?}")]
    NotFound {
        /// What was looked for: `instance`.
        what: &'static str,
        /// Its name or id, as it was asked for.
        name: String,
    },
    /// Who asks is not let in.
    #[error("{0}")]
    NotLetIn(#[from] Refusal),
    /// It cannot be told that who asks meant to change something.
    #[error("{0}")]
    Doubtful(Doubt),
    /// PostgreSQL did not answer as it should.
    #[error("reading from the database")]
    Database(#[from] sqlx::Error),
    /// A stored document is not what it should be.
    #[error("reading {what}")]
    Document {
        /// Which document.
        what: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Seconds after which a client should try again when PostgreSQL is away or busy: longer than a failover of a warm standby's probe.
const RETRY_AFTER_S: u32 = 5;

impl Problem {
    /// The problem of an HTTP status, as the framework reports it.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        let (kind, title, detail) = match status {
            StatusCode::NOT_FOUND => (
                "not-found",
                "There is no such thing",
                "there is nothing at this path; see /api/v1/openapi.json",
            ),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method-not-allowed",
                "The method is not allowed",
                "this interface is read-only: use GET or HEAD",
            ),
            StatusCode::NOT_ACCEPTABLE => (
                "not-acceptable",
                "The wanted media type is not available",
                "accept application/json, or text/event-stream for /api/v1/stream",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => (
                "payload-too-large",
                "The request is too large",
                "send no body: every operation is a GET",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "unsupported-media-type",
                "The media type of the body is not supported",
                "send no body: every operation is a GET",
            ),
            StatusCode::SERVICE_UNAVAILABLE => (
                "dependency-unavailable",
                "The database does not answer",
                "PostgreSQL does not answer; try again shortly",
            ),
            StatusCode::GATEWAY_TIMEOUT => (
                "timeout",
                "The answer took too long",
                "the answer took longer than its deadline; narrow the filter or try again",
            ),
            status if status.is_client_error() => (
                "invalid-parameter",
                "The request is not valid",
                "the path or the query cannot be read: check its percent encoding",
            ),
            _ => (
                "internal",
                "Something is wrong on this side",
                "this is a defect: report it with the request id",
            ),
        };
        Self {
            kind: format!("/problems/{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.to_owned(),
            instance: String::new(),
            request_id: String::new(),
            errors: Vec::new(),
            required_role: None,
            retry_after_s: matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT).then_some(RETRY_AFTER_S),
        }
    }
}

impl ApiError {
    /// A fault of one parameter.
    #[must_use]
    pub fn invalid(parameter: &str, detail: impl Into<String>) -> Self {
        Self::Parameter(Fault {
            parameter: parameter.to_owned(),
            code: "invalid",
            detail: detail.into(),
            allowed: Vec::new(),
        })
    }

    fn problem(&self) -> Problem {
        let of = |status, kind: &str, title: &str| Problem {
            kind: format!("/problems/{kind}"),
            title: title.to_owned(),
            detail: self.to_string(),
            ..Problem::of_status(status)
        };
        match self {
            Self::Parameter(fault) => Problem {
                errors: vec![fault.clone()],
                ..if fault.code == "unknown" {
                    of(StatusCode::BAD_REQUEST, "unknown-parameter", "A parameter is not known")
                } else {
                    of(StatusCode::BAD_REQUEST, "invalid-parameter", "A parameter is not valid")
                }
            },
            Self::CursorMismatch => of(StatusCode::BAD_REQUEST, "cursor-mismatch", "The cursor does not fit the request"),
            Self::NotFound { .. } => of(StatusCode::NOT_FOUND, "not-found", "There is no such thing"),
            Self::NotLetIn(refusal) => refused(refusal, of),
            Self::Doubtful(doubt) => of(doubt.status(), "not-meant", "The request may not have been meant"),
            Self::Database(error) => Problem::of_status(database_status(error)),
            Self::Document { .. } => Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// Why somebody is not let in. 401: sign in, then it may work. 403: it will not, until somebody gives a role.
fn refused(refusal: &Refusal, of: impl Fn(StatusCode, &str, &str) -> Problem) -> Problem {
    let kind = refusal.as_str();
    let forbidden = |role: Role| Problem {
        required_role: Some(role.as_str().to_owned()),
        ..of(StatusCode::FORBIDDEN, kind, "You may not do this")
    };
    let too_often = |retry_s| Problem {
        retry_after_s: Some(retry_s),
        ..of(StatusCode::TOO_MANY_REQUESTS, kind, "You ask too often")
    };
    match refusal {
        Refusal::Nobody => of(StatusCode::UNAUTHORIZED, kind, "Nobody is signed in"),
        Refusal::Unproven => of(StatusCode::UNAUTHORIZED, kind, "It is not proven who asks"),
        Refusal::Headers(_) => of(StatusCode::UNAUTHORIZED, kind, "It cannot be told who asks"),
        Refusal::Key | Refusal::Expired(_) => of(StatusCode::UNAUTHORIZED, kind, "The API key lets nobody in"),
        Refusal::NoRole(_) => forbidden(Role::Viewer),
        Refusal::Role { wanted, .. } => forbidden(*wanted),
        Refusal::TooOften { retry_s } | Refusal::TooManyStreams { retry_s } => too_often(*retry_s),
    }
}

/// A statement that was cut off is a timeout; a database that is away, starting or full is unavailable; the rest is our defect.
fn database_status(error: &sqlx::Error) -> StatusCode {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => StatusCode::SERVICE_UNAVAILABLE,
        sqlx::Error::Database(db) => match db.code().as_deref() {
            // query_canceled: the statement timeout; lock_not_available: the lock timeout
            Some("57014" | "55P03") => StatusCode::GATEWAY_TIMEOUT,
            Some(code) if code.starts_with("57P") || code.starts_with("08") || code.starts_with("53") => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        },
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = StatusCode::from_u16(self.status)
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            .into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = self.problem();
        if problem.status >= 500 {
            let error: &dyn std::error::Error = &self;
            // Retries and a database that restarts are everyday; a defect is not.
            if problem.retry_after_s.is_some() {
                tracing::warn!(error, "answering {}: {self}", problem.status);
            } else {
                tracing::error!(error, "answering {}: {self}", problem.status);
            }
        }
        problem.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_worth_a_retry_and_a_defect_is_not() {
        let away = ApiError::from(sqlx::Error::PoolTimedOut).problem();
        assert_eq!((away.status, away.retry_after_s), (503, Some(5)));
        let defect = ApiError::from(sqlx::Error::RowNotFound).problem();
        assert_eq!((defect.status, defect.retry_after_s), (500, None));
        assert!(
            !defect.detail.contains("row"),
            "no inner message may reach the client: {}",
            defect.detail
        );
    }

    #[test]
    fn an_unknown_parameter_has_a_type_of_its_own() {
        let fault = |code| {
            ApiError::Parameter(Fault {
                parameter: "hours".into(),
                code,
                detail: "not known".into(),
                allowed: vec![],
            })
        };
        assert_eq!(fault("unknown").problem().kind, "/problems/unknown-parameter");
        assert_eq!(fault("invalid").problem().kind, "/problems/invalid-parameter");
    }
}
