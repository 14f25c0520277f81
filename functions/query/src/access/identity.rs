//! The person or program behind a request.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::role::Role;
use super::scope::LabScope;
use crate::problem::ApiError;

/// How somebody was recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// A proxy signed him in.
    Proxy,
    /// An API key.
    Key,
    /// Nobody signs in on this machine: the user of the demo fleet.
    Demo,
    /// Nobody signs in on this machine: whoever runs it.
    Local,
}

/// The person or program behind a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who: the proxy's user name, or `key:` and the key's name. It is what limits are counted by and what audits will name.
    pub subject: String,
    /// His name, for people.
    pub display_name: String,
    /// What he may do.
    pub roles: BTreeSet<Role>,
    /// Which labs he sees.
    pub scope: LabScope,
    /// How he was recognized.
    pub via: Via,
}

impl Identity {
    /// Whoever runs StarGate on this machine, over real clusters: may do everything, as he may with the database beside it.
    #[must_use]
    pub fn local_admin() -> Self {
        Self {
            subject: "local".to_owned(),
            display_name: "Local administrator".to_owned(),
            roles: BTreeSet::from([Role::Admin]),
            scope: LabScope::All,
            via: Via::Local,
        }
    }

    /// The user of the demo fleet: an operator, so that everything can be looked at and a scan be asked for, while approvals and
    /// settings show what they look like to somebody who may not.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            subject: "demo".to_owned(),
            display_name: "Demo user (simulated fleet)".to_owned(),
            roles: BTreeSet::from([Role::Operator]),
            scope: LabScope::All,
            via: Via::Demo,
        }
    }

    /// Whether he may do what asks for this role.
    #[must_use]
    pub fn may(&self, wanted: Role) -> bool {
        self.roles.iter().any(|role| role.covers(wanted))
    }

    /// Everything that an answer may differ by from one person to another, as one text: part of every answer's tag.
    #[must_use]
    pub fn seal(&self) -> String {
        let roles: Vec<&str> = self.roles.iter().map(|role| role.as_str()).collect();
        format!("{:?} {} {}", self.subject, roles.join(","), self.scope.setting())
    }
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = ApiError;

    /// Who the guard recognized. Where no guard stands, nobody is let in.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(ApiError::NotLetIn(super::guard::Refusal::Nobody))
    }
}
