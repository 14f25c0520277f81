//! Demolition: smoke runs. Source: rhdp-contracts 6.2, as observed; so everything is read leniently and nothing is guessed.
//!
//! It tells no times: when a result is from can only be said from when it was first seen to change. The tasks of a run, what learners typed and
//! their names are never read.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::Args;

use super::http::{Client, ClientSettings, Fields, Token};
use super::{Collected, Reading, Readings, Run, redact};
use crate::objects::Problem;
use crate::provisioning::event::SmokeSession;
use crate::settings::SecretString;

/// Its name in `sources`.
const SOURCE: &str = "demolition";

/// Where it is and how to get in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Demolition settings")]
pub struct DemolitionSettings {
    /// Address of Demolition. Not set: it is disabled.
    #[arg(
        id = "demolition-url",
        long = "demolition-url",
        env = "STARGATE_DEMOLITION_URL",
        value_name = "URL"
    )]
    pub url: Option<reqwest::Url>,

    /// Token for Demolition, where it wants one. A secret.
    #[arg(
        id = "demolition-token",
        long = "demolition-token",
        env = "STARGATE_DEMOLITION_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub token: Option<SecretString>,

    /// File that holds the token instead; it is read again when the token is refused.
    #[arg(
        id = "demolition-token-file",
        long = "demolition-token-file",
        env = "STARGATE_DEMOLITION_TOKEN_FILE",
        value_name = "FILE"
    )]
    pub token_file: Option<PathBuf>,

    /// PEM file of certificates to trust at Demolition besides the system's.
    #[arg(id = "demolition-ca", long = "demolition-ca", env = "STARGATE_DEMOLITION_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// Reads it once. Empty: it is not configured.
pub async fn collect(settings: &DemolitionSettings, run: &Run) -> Vec<Collected> {
    let Some(url) = &settings.url else { return Vec::new() };
    let client = ClientSettings {
        token: Token::from_settings(settings.token.as_ref(), settings.token_file.as_deref()),
        ca: settings.ca.clone(),
        ..ClientSettings::new("Demolition", "STARGATE_DEMOLITION", url.clone())
    };
    vec![with(&client, run).await]
}

async fn with(settings: &ClientSettings, run: &Run) -> Collected {
    let readings = |smoke_sessions| Readings {
        smoke_sessions: Some(smoke_sessions),
        ..Readings::default()
    };
    let client = match Client::new(settings, run) {
        Ok(client) => client,
        Err(missing) => return run.nothing(SOURCE, readings(Reading::failed(missing.reason, missing.detail))),
    };
    let items = match client
        .get_all("/integration/sessions", &[], &["results", "sessions", "items"])
        .await
    {
        Ok(items) => items,
        Err(missing) => return client.collected(SOURCE, readings(Reading::failed(missing.reason, missing.detail)), Vec::new()),
    };
    let mut reading = Reading::complete(Vec::with_capacity(items.len()));
    for (i, item) in items.iter().enumerate() {
        match Fields::of(item).and_then(|fields| smoke(&fields)) {
            Some(smoke) => reading.items.push(smoke),
            None => reading.refused.push(Problem {
                subject: format!("{SOURCE}/sessions/#{}", i + 1),
                detail: "it has no id that is a number".to_owned(),
            }),
        }
    }
    client.collected(SOURCE, readings(reading), Vec::new())
}

fn smoke(fields: &Fields<'_>) -> Option<SmokeSession> {
    let result = fields.object("last_result").unwrap_or_default();
    Some(SmokeSession {
        id: fields.number("id")?,
        name: fields.text("name").map(|name| redact::text(&name, 200)).unwrap_or_default(),
        status: fields.text("status").map(|status| redact::text(&status, 60)).unwrap_or_default(),
        workers: fields.count("worker_count").or_else(|| fields.count("workers")),
        workshop_url: fields
            .text("workshop_url")
            .map(|address| redact::url(&address, 300))
            .unwrap_or_default(),
        total: result.count("total"),
        completed: result.count("completed"),
        failed: result.count("failed"),
    })
}
