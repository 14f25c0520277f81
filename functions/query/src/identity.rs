//! Who is asking.
//!
//! Everybody may read everything until people sign in; the answer's cache tag holds the role already, so that an answer made for
//! one role is never taken for another's.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::access::scope::LabScope;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// All reads.
    Viewer,
}

impl Role {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
        }
    }
}

/// The person or program behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What it may do.
    pub role: Role,
    /// Which labs it sees.
    pub scope: LabScope,
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = Infallible;

    async fn from_request_parts(_parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self {
            role: Role::Viewer,
            scope: LabScope::All,
        })
    }
}
