//! What lets a request in.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::bail;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use stargate_common::clock::Clock;
use stargate_common::settings::ExposeSecret;

use super::identity::{Identity, Via};
use super::keys::{Hashed, Keys};
use super::limits::{Limits, Place};
use super::people::People;
use super::proxy::{self, Proxy, ProxyKind};
use super::role::Role;
use super::settings::AccessSettings;
use crate::problem::ApiError;

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody is signed in.
    #[error("sign in first: through the proxy in front of StarGate, or with Authorization: Bearer and an API key")]
    Nobody,
    /// Forwarded headers, and nothing that proves who wrote them.
    #[error("the request names a user in forwarded headers, but does not prove that it came through the proxy that signs people in")]
    Unproven,
    /// Forwarded headers that no proxy writes.
    #[error("{0}")]
    Headers(&'static str),
    /// A key of nobody.
    #[error("this API key is not known")]
    Key,
    /// A key that was good once.
    #[error("{0} has expired: ask an administrator for another")]
    Expired(String),
    /// Somebody without a role.
    #[error(
        "{0} is signed in but has no role here: none of his groups, and not he himself, stands in the access file; ask an administrator"
    )]
    NoRole(String),
    /// Somebody whose roles are not enough.
    #[error("this needs the role {wanted}; you have {have}")]
    Role {
        /// What is needed.
        wanted: Role,
        /// What there is.
        have: String,
    },
    /// Too many requests.
    #[error("you ask too often: try again in {retry_s} s")]
    TooOften {
        /// When the next one is let in.
        retry_s: u32,
    },
    /// Too many streams.
    #[error("you have as many streams open as one may have: close a window, or try again in {retry_s} s")]
    TooManyStreams {
        /// When to try again.
        retry_s: u32,
    },
}

impl Refusal {
    /// The stable name, for metrics and as the kind of the problem.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Nobody => "unauthenticated",
            Self::Unproven => "identity-not-proven",
            Self::Headers(_) => "identity-not-valid",
            Self::Key => "api-key-not-valid",
            Self::Expired(_) => "api-key-expired",
            Self::NoRole(_) | Self::Role { .. } => "forbidden",
            Self::TooOften { .. } | Self::TooManyStreams { .. } => "rate-limited",
        }
    }
}

#[derive(Debug, Default)]
struct Ways {
    everybody: Option<Identity>,
    proxy: Option<Proxy>,
    people: People,
    keys: Keys,
    limits: Option<Limits>,
}

/// Who may come in, and how. By default nobody.
#[derive(Debug, Clone, Default)]
pub struct Guard(Arc<Ways>);

impl Guard {
    /// A guard who takes everybody for this one and never refuses: for `stargate up` on the loopback interface, and for tests.
    #[must_use]
    pub fn everybody_is(identity: Identity) -> Self {
        Self(Arc::new(Ways {
            everybody: Some(identity),
            ..Ways::default()
        }))
    }

    /// The guard that the settings ask for.
    ///
    /// # Errors
    /// They let nobody in, contradict each other, or name a file that is wrong.
    pub fn new(settings: &AccessSettings) -> anyhow::Result<Self> {
        if !settings.is_given() {
            return match &settings.everybody {
                Some(identity) => Ok(Self::everybody_is(identity.clone())),
                None => bail!(
                    "nobody could sign in: set STARGATE_PROXY_SECRET with STARGATE_ACCESS_FILE, or STARGATE_ADMIN_API_KEY, or \
                     STARGATE_API_KEYS_FILE (docs/configuration.md)"
                ),
            };
        }
        let mut keys = Keys::default();
        if let Some(key) = &settings.admin_api_key {
            keys.add_admin(key.expose_secret())?;
        }
        if let Some(path) = &settings.api_keys_file {
            keys.add_file(path)?;
        }
        let (proxy, people) = match (&settings.proxy_secret, &settings.access_file) {
            (None, None) => (None, People::default()),
            (None, Some(_)) => {
                bail!("STARGATE_ACCESS_FILE gives roles to people whom no proxy signs in: set STARGATE_PROXY_SECRET too, or remove it")
            }
            (Some(_), None) => bail!("STARGATE_PROXY_SECRET lets people in to whom nothing gives a role: set STARGATE_ACCESS_FILE too"),
            (Some(secret), Some(path)) => {
                let secret = secret.expose_secret().trim();
                if secret.len() < 16 {
                    bail!("STARGATE_PROXY_SECRET: a secret has 16 characters at least");
                }
                let people = People::read(path)?;
                if settings.proxy_kind == ProxyKind::Openshift && people.names_groups() {
                    bail!(
                        "STARGATE_ACCESS_FILE gives roles to groups, but OpenShift's oauth-proxy forwards none: name users, or put \
                         oauth2-proxy before StarGate and set STARGATE_PROXY_KIND=oauth2-proxy (docs/configuration.md)"
                    );
                }
                let secret = Hashed::of(secret.as_bytes());
                let kind = settings.proxy_kind;
                (Some(Proxy { secret, kind }), people)
            }
        };
        Ok(Self(Arc::new(Ways {
            everybody: None,
            proxy,
            people,
            keys,
            limits: Some(Limits::new(settings.rate_limit)),
        })))
    }

    /// Who asks.
    ///
    /// # Errors
    /// Nobody who could be recognized.
    pub fn identify(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Result<Identity, Refusal> {
        let ways = &*self.0;
        if let Some(identity) = &ways.everybody {
            return Ok(identity.clone());
        }
        if proxy::claims(headers) {
            let proxy = ways.proxy.as_ref().ok_or(Refusal::Unproven)?;
            return proxy.identify(headers, &ways.people);
        }
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        match (given.next(), given.next()) {
            (None, _) => Err(Refusal::Nobody),
            (Some(_), Some(_)) => Err(Refusal::Headers("there are two Authorization headers")),
            (Some(value), None) => match value.to_str().ok().and_then(|value| value.split_once(' ')) {
                Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => ways.keys.identify(key.trim(), now),
                _ => Err(Refusal::Nobody),
            },
        }
    }

    /// Lets somebody in who is recognized, or not.
    ///
    /// # Errors
    /// He has not the role, or asks too often.
    pub fn admit(&self, identity: &Identity, wanted: Role) -> Result<(), Refusal> {
        if let Some(limits) = &self.0.limits {
            limits.count(&identity.subject)?;
        }
        if identity.roles.is_empty() {
            return Err(Refusal::NoRole(identity.subject.clone()));
        }
        if !identity.may(wanted) {
            let have: Vec<&str> = identity.roles.iter().map(|role| role.as_str()).collect();
            return Err(Refusal::Role {
                wanted,
                have: have.join(", "),
            });
        }
        Ok(())
    }

    /// A place for a stream; none where there is nobody to share with.
    ///
    /// # Errors
    /// He has as many as one may have.
    pub fn stream(&self, identity: &Identity) -> Result<Option<Place>, Refusal> {
        self.0.limits.as_ref().map(|limits| limits.stream(&identity.subject)).transpose()
    }

    /// Where this one signs out; none when that is no matter of ours.
    #[must_use]
    pub fn sign_out(&self, identity: &Identity) -> Option<&'static str> {
        (identity.via == Via::Proxy).then_some(())?;
        self.0.proxy.as_ref().map(Proxy::sign_out)
    }
}

/// What the layer needs.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Who may come in.
    pub guard: Guard,
    /// When keys expire.
    pub clock: Clock,
    /// The role that each path asks for, from the document.
    pub roles: Arc<BTreeMap<String, Role>>,
}

/// Lets a request in with the identity of who asks, or answers why not. A path that the document does not know is an administrator's.
pub async fn let_in(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let wanted = path.and_then(|path| gate.roles.get(path)).copied().unwrap_or(Role::Admin);
    let identified = gate.guard.identify(request.headers(), gate.clock.now());
    let admitted = identified.and_then(|identity| gate.guard.admit(&identity, wanted).map(|()| identity));
    match admitted {
        Ok(identity) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Err(refusal) => {
            metrics::counter!("stargate_http_refusals_total", "reason" => refusal.as_str()).increment(1);
            tracing::info!(reason = refusal.as_str(), "not let in");
            ApiError::NotLetIn(refusal).into_response()
        }
    }
}
