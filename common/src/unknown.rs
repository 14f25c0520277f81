//! Why a value is not known: the vocabulary every layer shares.
//!
//! Missing data is never a pass and never a failure, so "we do not know" always travels with its reason.

use serde::{Deserialize, Serialize};

/// Why an observation has no value. The snake-case name is stable: it is stored, printed and documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownReason {
    /// Nobody tried, or the kind was not part of this scan or recording.
    NotCollected,
    /// Needs an active probe that was not run.
    NotProbed,
    /// 401 from the API: the credential is expired or wrong.
    Unauthorized,
    /// 403 from the API: a permission is missing.
    Forbidden,
    /// The cluster does not serve this resource type.
    ApiAbsent,
    /// A client or server deadline passed.
    Timeout,
    /// 429 after retries.
    Throttled,
    /// 5xx after retries.
    ServerError,
    /// No connection to the API server: network, DNS or TLS.
    Unreachable,
    /// The answer was not understood.
    ParseError,
    /// A paged LIST did not finish.
    Truncated,
    /// The newest observation is older than twice its collection interval.
    Stale,
    /// Legitimately not there yet; the settle budget is not spent.
    Progressing,
    /// Somebody stopped it on purpose.
    IntentionallyStopped,
    /// The namespace is being deleted.
    Terminating,
    /// The volume waits for its first consumer by design.
    WaitingForConsumer,
    /// The guest never had an agent.
    AgentNotExpected,
    /// An enum value we do not know.
    UnrecognizedState,
    /// An expression asks for a field, key or element that is not there.
    MissingField,
    /// An expression divides by zero or leaves the range of numbers.
    NotComputable,
    /// An expression needs more steps than one may take.
    TooCostly,
}

impl UnknownReason {
    /// Every reason, in the order of their documentation.
    pub const ALL: [Self; 21] = [
        Self::NotCollected,
        Self::NotProbed,
        Self::Unauthorized,
        Self::Forbidden,
        Self::ApiAbsent,
        Self::Timeout,
        Self::Throttled,
        Self::ServerError,
        Self::Unreachable,
        Self::ParseError,
        Self::Truncated,
        Self::Stale,
        Self::Progressing,
        Self::IntentionallyStopped,
        Self::Terminating,
        Self::WaitingForConsumer,
        Self::AgentNotExpected,
        Self::UnrecognizedState,
        Self::MissingField,
        Self::NotComputable,
        Self::TooCostly,
    ];

    /// The stable snake-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotCollected => "not_collected",
            Self::NotProbed => "not_probed",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::ApiAbsent => "api_absent",
            Self::Timeout => "timeout",
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::Unreachable => "unreachable",
            Self::ParseError => "parse_error",
            Self::Truncated => "truncated",
            Self::Stale => "stale",
            Self::Progressing => "progressing",
            Self::IntentionallyStopped => "intentionally_stopped",
            Self::Terminating => "terminating",
            Self::WaitingForConsumer => "waiting_for_consumer",
            Self::AgentNotExpected => "agent_not_expected",
            Self::UnrecognizedState => "unrecognized_state",
            Self::MissingField => "missing_field",
            Self::NotComputable => "not_computable",
            Self::TooCostly => "too_costly",
        }
    }

    /// The reason of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

impl UnknownReason {
    /// What it means, for people: one sentence.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::NotCollected => "Nobody tried, or the kind was not part of this scan or recording.",
            Self::NotProbed => "Needs an active probe that was not run.",
            Self::Unauthorized => "401 from the API: the credential is expired or wrong.",
            Self::Forbidden => "403 from the API: a permission is missing.",
            Self::ApiAbsent => "The cluster does not serve this resource type.",
            Self::Timeout => "A client or server deadline passed.",
            Self::Throttled => "429 after retries.",
            Self::ServerError => "5xx after retries.",
            Self::Unreachable => "No connection to the API server: network, DNS or TLS.",
            Self::ParseError => "The answer was not understood.",
            Self::Truncated => "A paged LIST did not finish.",
            Self::Stale => "The newest observation is older than twice its collection interval.",
            Self::Progressing => "Legitimately not there yet; the settle budget is not spent.",
            Self::IntentionallyStopped => "Somebody stopped it on purpose.",
            Self::Terminating => "The namespace is being deleted.",
            Self::WaitingForConsumer => "The volume waits for its first consumer by design.",
            Self::AgentNotExpected => "The guest never had an agent.",
            Self::UnrecognizedState => "An enum value we do not know.",
            Self::MissingField => "An expression asks for a field, key or element that is not there.",
            Self::NotComputable => "An expression divides by zero or leaves the range of numbers.",
            Self::TooCostly => "An expression needs more steps than one may take.",
        }
    }
}

impl std::fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
