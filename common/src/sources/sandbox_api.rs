//! The Sandbox API: placements without credentials, limits and queues of its clusters, health.
//!
//! ```text
//! login token ─> session.rs: access token, renewed before it ends and on 401
//!                 ├─ GET /accounts/OcpSandbox ──────────────────> placements
//!                 ├─ GET /health, /version ─────────────────────> the row `*`
//!                 └─ GET /ocp-shared-cluster-configurations ────> connection and limits, where the role may read them
//! GET /metrics (without a token) ─> metrics.rs ─────────────────> rates and queues
//! ```
//!
//! The role `app` is enough: it cannot list placements, so what it can list, the resources that were placed, is what counts as one. It may
//! not read the configurations of clusters either; then what they say is unknown, which is no failure. Source: rhdp-contracts 4.

mod clusters;
mod metrics;
mod session;
mod wire;

use std::path::PathBuf;

use clap::Args;
use reqwest::Url;
use secrecy::SecretString;

use self::clusters::Seen;
use self::metrics::Metrics;
use self::session::Session;
use self::wire::{RawConfiguration, RawResource, RawVersion};
use super::http::{Client, ClientSettings, Token, json_error};
use super::{Collected, Extent, Missing, Reading, Readings, Run, SourceName};
use crate::objects::Problem;
use crate::provisioning::placement::{Placement, SandboxCluster};
use crate::unknown::UnknownReason;

/// Where it is and how to get in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The Sandbox API settings")]
pub struct SandboxApiSettings {
    /// Address of the Sandbox API, without /api/v1. Not set: it is disabled.
    #[arg(
        id = "sandbox-api-url",
        long = "sandbox-api-url",
        env = "STARGATE_SANDBOX_API_URL",
        value_name = "URL"
    )]
    pub url: Option<Url>,

    /// Login token with the role `app`. A secret.
    #[arg(
        id = "sandbox-api-login-token",
        long = "sandbox-api-login-token",
        env = "STARGATE_SANDBOX_API_LOGIN_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub login_token: Option<SecretString>,

    /// File of the login token; wins over the token itself.
    #[arg(
        id = "sandbox-api-login-token-file",
        long = "sandbox-api-login-token-file",
        env = "STARGATE_SANDBOX_API_LOGIN_TOKEN_FILE",
        value_name = "FILE"
    )]
    pub login_token_file: Option<PathBuf>,

    /// PEM file of certificates to trust at the Sandbox API besides the system's.
    #[arg(
        id = "sandbox-api-ca",
        long = "sandbox-api-ca",
        env = "STARGATE_SANDBOX_API_CA",
        value_name = "FILE"
    )]
    pub ca: Option<PathBuf>,
}

/// What one reading works with.
struct Reader {
    session: Result<Session, Missing>,
    /// Without a token: what needs none gets none.
    open: Client,
}

/// Reads it once. Empty: it is not configured.
pub async fn collect(settings: &SandboxApiSettings, run: &Run) -> Vec<Collected> {
    let Some(url) = &settings.url else { return Vec::new() };
    let name = SourceName::SandboxApi.as_str();
    let open = match Client::new(&client_settings(settings, root(url)), run) {
        Ok(open) => open,
        Err(missing) => {
            return vec![Collected {
                source: name.into(),
                readings: failed(&missing),
                observed_at: run.clock.now(),
                requests: 0,
                bytes: 0,
                problems: Vec::new(),
                retry_at: None,
            }];
        }
    };
    let mut api = client_settings(settings, root(url));
    let base = format!("{}/api/v1/", api.base.path().trim_end_matches('/'));
    api.base.set_path(&base);
    let token = Token::from_settings(settings.login_token.as_ref(), settings.login_token_file.as_deref());
    let reader = Reader {
        session: Session::start(&api, token, run).await,
        open,
    };
    let mut problems = Vec::new();
    let placements = reader.placements(&mut problems).await;
    let sandbox_clusters = reader.clusters(&mut problems).await;
    let readings = Readings {
        placements: Some(placements.unwrap_or_else(|missing| Reading::failed(missing.reason, missing.detail))),
        sandbox_clusters: Some(sandbox_clusters.unwrap_or_else(|missing| Reading::failed(missing.reason, missing.detail))),
        ..Readings::default()
    };
    let mut collected = reader.open.collected(name, readings, problems);
    if let Ok(session) = &reader.session {
        session.add_to(&mut collected);
    }
    vec![collected]
}

impl Reader {
    fn session(&self) -> Result<&Session, Missing> {
        self.session.as_ref().map_err(Clone::clone)
    }

    async fn placements(&self, problems: &mut Vec<Problem>) -> Result<Reading<Placement>, Missing> {
        // Answers 404 with an empty list when there is nothing; the client knows that.
        let page = self.session()?.list("accounts/OcpSandbox").await?;
        let mut reading = Reading::complete(Vec::new());
        for item in &page.items {
            match serde_json::from_str::<RawResource>(item.get()) {
                Ok(raw) if raw.is_other_kind() => problems.push(problem("an account of another kind than was asked for was left out")),
                Ok(raw) => match raw.placement() {
                    Ok(placement) => reading.items.push(placement),
                    Err(refused) => reading.refused.push(refused),
                },
                Err(error) => reading
                    .refused
                    .push(problem(&format!("a placement is not understood: {}", json_error(&error)))),
            }
        }
        Ok(reading)
    }

    async fn clusters(&self, problems: &mut Vec<Problem>) -> Result<Reading<SandboxCluster>, Missing> {
        let session = self.session()?;
        let healthy = match session.text("health").await {
            Ok(_) => true,
            // Its status decides; what it says besides may belong to another answer.
            Err(missing) if missing.reason == UnknownReason::ServerError => {
                problems.push(problem(&format!("it says that it is not well: {}", missing.detail)));
                false
            }
            Err(missing) => return Err(missing),
        };
        let version = permitted(session.json::<RawVersion>("version").await)?.ok();
        let text = self.open.get_text("metrics", &[]).await?;
        let metrics = Metrics::parse(&text);
        if !metrics.series.keys().any(|name| name.starts_with("sandbox_")) {
            return Err(Missing {
                reason: UnknownReason::ParseError,
                detail: "GET /metrics answered no series of the Sandbox API: is STARGATE_SANDBOX_API_URL right?".into(),
            });
        }
        if metrics.not_understood > 0 {
            problems.push(problem(&format!("{} lines of /metrics are not understood", metrics.not_understood)));
        }
        let mut refused = Vec::new();
        let configurations = match permitted(session.list("ocp-shared-cluster-configurations").await)? {
            Ok(page) => Some(
                page.items
                    .iter()
                    .filter_map(|item| match RawConfiguration::read(item.get()) {
                        Ok(configuration) => Some(configuration),
                        Err(wrong) => {
                            refused.push(problem(&wrong));
                            None
                        }
                    })
                    .collect::<Vec<_>>(),
            ),
            Err(missing) => {
                problems.push(problem(&format!(
                    "connection and limits of clusters are unknown, because the role of the token may not read them: {}",
                    missing.detail
                )));
                None
            }
        };
        let seen = Seen {
            metrics: &metrics,
            configurations: configurations.as_deref(),
            healthy,
            version: version.and_then(|version| version.version),
        };
        if !seen.names_clusters() {
            problems.push(problem("nothing says which clusters there are: what is stored of them stays"));
        }
        Ok(Reading {
            extent: if seen.names_clusters() { Extent::Whole } else { Extent::Part },
            refused,
            ..Reading::complete(seen.clusters())
        })
    }
}

/// What a role may not read, or an older version does not have, is known to be unknown; anything else that comes to nothing is a failure.
fn permitted<T>(answer: Result<T, Missing>) -> Result<Result<T, Missing>, Missing> {
    match answer {
        Err(missing) if !matches!(missing.reason, UnknownReason::Forbidden | UnknownReason::ApiAbsent) => Err(missing),
        known => Ok(known),
    }
}

/// The address without `/api/v1`: people write it both ways, and `/metrics` stands beside it.
fn root(url: &Url) -> Url {
    let mut root = url.clone();
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/api/v1").unwrap_or(path).to_owned();
    root.set_path(&path);
    root
}

fn client_settings(settings: &SandboxApiSettings, base: Url) -> ClientSettings {
    ClientSettings {
        token_setting: "STARGATE_SANDBOX_API_LOGIN_TOKEN_FILE".into(),
        ca: settings.ca.clone(),
        ..ClientSettings::new("the Sandbox API", "STARGATE_SANDBOX_API", base)
    }
}

fn failed(missing: &Missing) -> Readings {
    Readings {
        placements: Some(Reading::failed(missing.reason, missing.detail.clone())),
        sandbox_clusters: Some(Reading::failed(missing.reason, missing.detail.clone())),
        ..Readings::default()
    }
}

fn problem(detail: &str) -> Problem {
    Problem {
        subject: SourceName::SandboxApi.as_str().into(),
        detail: detail.into(),
    }
}
