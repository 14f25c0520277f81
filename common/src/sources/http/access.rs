//! Where a system is, how to get in, and how much patience it gets.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};

use crate::sources::Missing;
use crate::unknown::UnknownReason;

/// Redirects that are followed: a missing slash at the end of a path costs one.
const REDIRECTS: usize = 3;

/// A system and how to reach it.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// What people call it, for messages: `Labagator`.
    pub system: String,
    /// The setting that holds its address, for messages: `STARGATE_LABAGATOR_URL`.
    pub url_setting: String,
    /// The setting that holds its token.
    pub token_setting: String,
    /// The setting that holds its certificates.
    pub ca_setting: String,
    /// What all paths are below.
    pub base: Url,
    /// What gets in; none: nothing is sent.
    pub token: Option<Token>,
    /// How the token is sent.
    pub header: Header,
    /// PEM file of certificates to trust besides the system's.
    pub ca: Option<PathBuf>,
    /// How long it may take and how often it is tried.
    pub patience: Patience,
}

/// A secret that gets in.
#[derive(Debug, Clone)]
pub enum Token {
    /// The secret itself.
    Value(SecretString),
    /// A file that holds it; read again when it is refused, because mounted secrets are renewed.
    File(PathBuf),
}

impl Token {
    /// From the two settings that every source has. The file wins; an empty value is none.
    #[must_use]
    pub fn from_settings(value: Option<&SecretString>, file: Option<&Path>) -> Option<Self> {
        let value = value.filter(|value| !value.expose_secret().trim().is_empty());
        file.map(|file| Self::File(file.to_owned()))
            .or_else(|| value.cloned().map(Self::Value))
    }
}

/// How a token is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Header {
    /// `Authorization: Bearer TOKEN`.
    #[default]
    Bearer,
    /// A header of that name with nothing but the token: `X-API-Key: TOKEN`.
    Named(HeaderName),
}

impl Header {
    pub(super) fn put(&self, request: RequestBuilder, token: &SecretString) -> RequestBuilder {
        let (name, value) = match self {
            Self::Bearer => (AUTHORIZATION, format!("Bearer {}", token.expose_secret())),
            Self::Named(name) => (name.clone(), token.expose_secret().to_owned()),
        };
        match HeaderValue::from_str(&value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                request.header(name, value)
            }
            // Checked when it was read; one that a header cannot hold is refused by the system like any wrong one.
            Err(_) => request,
        }
    }
}

/// How long one request may take, and how often it is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// To come to a connection.
    pub connect: Duration,
    /// From the first byte sent to the last received.
    pub per_request: Duration,
    /// Without a byte: what stalls for this long does not come back.
    pub idle: Duration,
    /// Times that one GET is tried.
    pub tries: usize,
    /// Before the second try; it doubles, with jitter.
    pub first_wait: Duration,
    /// The longest wait before another try, also when the system asks for more: then the next run asks.
    pub longest_wait: Duration,
    /// Requests in a row that come to nothing, after which nothing more is asked in this run.
    pub failures: u32,
    /// The longest answer, in bytes after unpacking.
    pub body: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            per_request: Duration::from_secs(30),
            idle: Duration::from_secs(15),
            tries: 3,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            failures: 3,
            body: 32 << 20,
        }
    }
}

impl ClientSettings {
    /// A system at that address, with no token and the usual patience. `prefix` begins the names of its settings: `STARGATE_LABAGATOR`.
    #[must_use]
    pub fn new(system: &str, prefix: &str, base: Url) -> Self {
        Self {
            system: system.to_owned(),
            url_setting: format!("{prefix}_URL"),
            token_setting: format!("{prefix}_TOKEN_FILE"),
            ca_setting: format!("{prefix}_CA"),
            base,
            token: None,
            header: Header::default(),
            ca: None,
            patience: Patience::default(),
        }
    }

    /// Checks the address and reads the token.
    pub(super) fn check(&self) -> Result<Option<SecretString>, Missing> {
        let wrong = |detail: String| Missing {
            reason: UnknownReason::Unreachable,
            detail,
        };
        let (system, setting) = (&self.system, &self.url_setting);
        let Some(host) = self.base.host_str().filter(|_| matches!(self.base.scheme(), "http" | "https")) else {
            return Err(wrong(format!("{setting} must be an http:// or https:// address of {system}")));
        };
        if !self.base.username().is_empty() || self.base.password().is_some() {
            return Err(wrong(format!(
                "{setting} must not hold a user or password: put the token into {}",
                self.token_setting
            )));
        }
        let token = self.read_token()?;
        if token.is_some() && self.base.scheme() == "http" && !is_near(host) {
            return Err(wrong(format!(
                "{setting} is http://, which would send the token in the clear: use https://"
            )));
        }
        Ok(token)
    }

    /// Reads the token anew.
    pub(super) fn read_token(&self) -> Result<Option<SecretString>, Missing> {
        let token = match &self.token {
            None => return Ok(None),
            Some(Token::Value(token)) => token.expose_secret().trim().to_owned(),
            Some(Token::File(path)) => std::fs::read_to_string(path)
                .map_err(|error| self.no_token(&format!("file {} cannot be read: {error}", path.display())))?
                .trim()
                .to_owned(),
        };
        if token.is_empty() {
            return Err(self.no_token("is empty"));
        }
        if HeaderValue::from_str(&token).is_err() {
            return Err(self.no_token("holds characters that no token has"));
        }
        Ok(Some(SecretString::from(token)))
    }

    fn no_token(&self, what: &str) -> Missing {
        Missing {
            reason: UnknownReason::Unauthorized,
            detail: format!("the token of {} ({}) {what}", self.system, self.token_setting),
        }
    }

    pub(super) fn build(&self) -> Result<reqwest::Client, Missing> {
        let wrong = |detail: String| Missing {
            reason: UnknownReason::Unreachable,
            detail,
        };
        let origin = self.base.origin();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(self.patience.connect)
            .read_timeout(self.patience.idle)
            .redirect(Policy::custom(move |attempt: Attempt<'_>| {
                if attempt.url().origin() == origin && attempt.previous().len() <= REDIRECTS {
                    attempt.follow()
                } else {
                    attempt.stop()
                }
            }))
            .user_agent(concat!("stargate/", env!("CARGO_PKG_VERSION")));
        if self.base.host_str().is_some_and(is_this_machine) {
            builder = builder.no_proxy();
        }
        if let Some(path) = &self.ca {
            let unusable = |why: String| wrong(format!("the certificates of {} ({}) {why}", self.system, self.ca_setting));
            let pem = std::fs::read(path).map_err(|error| unusable(format!("file {} cannot be read: {error}", path.display())))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| unusable(format!("file {} is not PEM", path.display())))?;
            if certificates.is_empty() {
                return Err(unusable(format!("file {} holds no certificate", path.display())));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        builder
            .build()
            .map_err(|error| wrong(format!("no client for {}: {}", self.system, error.without_url())))
    }
}

/// Whether two tokens are the same.
pub(super) fn same(one: Option<&SecretString>, other: &SecretString) -> bool {
    one.is_some_and(|one| one.expose_secret() == other.expose_secret())
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']);
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether plain HTTP stays on this machine or within the cluster's own network.
fn is_near(host: &str) -> bool {
    is_this_machine(host) || host.ends_with(".svc") || host.ends_with(".svc.cluster.local")
}
