//! How a handler says no, and which HTTP status that becomes.
//!
//! The broker reads the status and nothing else: it delivers 404, 408, 409, 429 and 5xx again, and sends every other 4xx straight
//! to the dead letter sink. So the author of a handler chooses the variant; no error turns into a retry by itself.

use std::time::Duration;

use http::StatusCode;

use crate::db::DbError;

/// The longest text a failed delivery may answer with, in bytes. Knative's in-memory dispatcher dies of an answer above 768.
pub const MAX_TEXT: usize = 512;

/// Why an event was not handled.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The request holds no event that can be read. 400, never delivered again.
    #[error("unreadable event: {0}")]
    Unreadable(String),
    /// The request is larger than [`crate::events::MAX_INTAKE`]. 413, never delivered again.
    #[error("the event is larger than {0} bytes")]
    TooLarge(usize),
    /// The event was understood and can never be handled. 422, never delivered again.
    #[error("{0}")]
    Reject(String),
    /// Another worker holds what this event needs. 409, delivered again.
    #[error("{0}")]
    Busy(String),
    /// We are at a limit of our own. 429, delivered again.
    #[error("{what}")]
    Limit {
        /// Which limit.
        what: String,
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The world may recover: the database or a cluster is away. 503, delivered again.
    #[error("{what}")]
    Retry {
        /// What was being done; the answer carries this and not the source, which may hold rows or addresses.
        what: String,
        /// Why it did not work, for the log.
        #[source]
        source: Option<anyhow::Error>,
    },
}

impl Failure {
    /// A failure that the next delivery may not meet.
    pub fn retry(what: impl Into<String>, source: impl Into<anyhow::Error>) -> Self {
        Self::Retry {
            what: what.into(),
            source: Some(source.into()),
        }
    }

    /// What a database error means for the event.
    ///
    /// Data that PostgreSQL refuses (SQLSTATE class 22, 23) is refused again next time: `Reject`. A lock that another worker holds
    /// is `Busy`. Everything else (connections, restarts, serialization, a migration not yet run) may pass: `Retry`.
    pub fn database(what: impl Into<String>, source: sqlx::Error) -> Self {
        let what = what.into();
        let code = source
            .as_database_error()
            .and_then(|e| e.code().map(|code| code.into_owned()))
            .unwrap_or_default();
        match code.as_str() {
            "55P03" => Self::Busy(format!("{what}: another worker holds the lock")),
            code if code.starts_with("22") || code.starts_with("23") => Self::Reject(format!("{what}: refused by the database ({code})")),
            _ => Self::Retry {
                what,
                source: Some(source.into()),
            },
        }
    }

    /// The status that makes the broker do the right thing.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Reject(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy(_) => StatusCode::CONFLICT,
            Self::Limit { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Retry { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// When the sender should try again. Knative only advises itself of it, people and proxies obey.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limit { retry_after, .. } => Some(*retry_after),
            Self::Busy(_) | Self::Retry { .. } => Some(Duration::from_secs(1)),
            Self::Unreadable(_) | Self::TooLarge(_) | Self::Reject(_) => None,
        }
    }

    /// The value of the metric label `outcome`.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::TooLarge(_) => "too_large",
            Self::Reject(_) => "rejected",
            Self::Busy(_) => "busy",
            Self::Limit { .. } => "limited",
            Self::Retry { .. } => "retry",
        }
    }

    /// What goes over the wire: one line, at most [`MAX_TEXT`] bytes, no control characters.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text: String = self.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        text
    }
}

impl From<DbError> for Failure {
    /// See [`Failure::database`].
    fn from(error: DbError) -> Self {
        Self::database(error.doing, error.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_is_told_to_retry_only_what_may_pass() {
        let retried = |failure: &Failure| matches!(failure.status().as_u16(), 404 | 408 | 409 | 429 | 500..);
        assert!(!retried(&Failure::Unreadable(String::new())));
        assert!(!retried(&Failure::TooLarge(1)));
        assert!(!retried(&Failure::Reject(String::new())));
        assert!(retried(&Failure::Busy(String::new())));
        assert!(retried(&Failure::Limit {
            what: String::new(),
            retry_after: Duration::from_secs(1)
        }));
        assert!(retried(&Failure::database("reading", sqlx::Error::PoolTimedOut)));
    }

    #[test]
    fn the_answer_is_one_short_line_that_hides_the_source() {
        let failure = Failure::retry(format!("first\nsecond {}", "é".repeat(600)), anyhow::anyhow!("password=hunter2"));
        let text = failure.text();
        assert!(text.len() <= MAX_TEXT, "{} bytes", text.len());
        assert!(text.starts_with("first second é"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
