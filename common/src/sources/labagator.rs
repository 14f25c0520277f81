//! Labagator: labs and their sessions. Source: rhdp-contracts 6.1, as observed; so everything is read leniently and nothing is guessed.
//!
//! People (developers, whoever deploys) are never read. Times come without a zone: the zone of the event is a setting, and both the time as
//! received and the time it means are kept.

mod session;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;

use chrono_tz::Tz;
use clap::Args;
use serde_json::value::RawValue;

use super::http::{Client, ClientSettings, Fields, Token};
use super::{Collected, Extent, Missing, Reading, Readings, Run, redact};
use crate::objects::Problem;
use crate::provisioning::Record;
use crate::provisioning::event::{Lab, Session};
use crate::settings::SecretString;

/// Its name in `sources`.
const SOURCE: &str = "labagator";
/// How many labs are asked for at a time. Source: rhdp-contracts 6.1.
const LABS: usize = 200;
/// How many sessions are asked for at a time. Source: the same.
const SESSIONS: usize = 500;

/// Where it is and how to get in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Labagator settings")]
pub struct LabagatorSettings {
    /// Address of Labagator, usually ending in /api/v1. Not set: it is disabled.
    #[arg(id = "labagator-url", long = "labagator-url", env = "STARGATE_LABAGATOR_URL", value_name = "URL")]
    pub url: Option<reqwest::Url>,

    /// Token for Labagator, where it wants one. A secret.
    #[arg(
        id = "labagator-token",
        long = "labagator-token",
        env = "STARGATE_LABAGATOR_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub token: Option<SecretString>,

    /// File that holds the token instead; it is read again when the token is refused.
    #[arg(
        id = "labagator-token-file",
        long = "labagator-token-file",
        env = "STARGATE_LABAGATOR_TOKEN_FILE",
        value_name = "FILE"
    )]
    pub token_file: Option<PathBuf>,

    /// PEM file of certificates to trust at Labagator besides the system's.
    #[arg(id = "labagator-ca", long = "labagator-ca", env = "STARGATE_LABAGATOR_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,

    /// Id of the event whose labs and sessions are read. Not set: all.
    #[arg(
        id = "labagator-event",
        long = "labagator-event",
        env = "STARGATE_LABAGATOR_EVENT",
        value_name = "ID"
    )]
    pub event: Option<i64>,

    /// Time zone of the event, by its IANA name such as Europe/Berlin: sessions come without one, and in the wrong one urgency is off by hours.
    #[arg(id = "event-timezone", long = "event-timezone", env = "STARGATE_EVENT_TIMEZONE", value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    pub time_zone: Tz,
}

fn zone(name: &str) -> Result<Tz, String> {
    name.parse()
        .map_err(|_| "not a time zone of the IANA database, such as Europe/Berlin or America/New_York".to_owned())
}

/// Reads it once. Empty: it is not configured.
pub async fn collect(settings: &LabagatorSettings, run: &Run) -> Vec<Collected> {
    let Some(url) = &settings.url else { return Vec::new() };
    let client = ClientSettings {
        token: Token::from_settings(settings.token.as_ref(), settings.token_file.as_deref()),
        ca: settings.ca.clone(),
        ..ClientSettings::new("Labagator", "STARGATE_LABAGATOR", url.clone())
    };
    vec![with(&client, settings, run).await]
}

async fn with(client: &ClientSettings, settings: &LabagatorSettings, run: &Run) -> Collected {
    let client = match Client::new(client, run) {
        Ok(client) => client,
        Err(missing) => {
            let readings = Readings {
                labs: Some(Reading::failed(missing.reason, missing.detail.clone())),
                sessions: Some(Reading::failed(missing.reason, missing.detail)),
                ..Readings::default()
            };
            return run.nothing(SOURCE, readings);
        }
    };
    let event = settings.event.map(|id| id.to_string());
    let query: Vec<(&str, &str)> = event.iter().map(|id| ("event_id", id.as_str())).collect();
    let labs = client.get_limited("/labs/", &query, &["results", "labs", "items"], LABS).await;
    let sessions = client
        .get_limited("/room-sessions/", &query, &["results", "sessions", "items"], SESSIONS)
        .await;
    let mut problems = Vec::new();
    let mut labs = reading("labs", labs, &mut problems, |fields, _| lab(fields));
    let mut sessions = reading("room-sessions", sessions, &mut problems, |fields, problems| {
        session::session(fields, settings.time_zone, problems)
    });
    if let Some(event) = settings.event {
        // It may not know the filter.
        labs.items.retain(|lab| lab.event_id.is_none_or(|id| id == event));
        sessions.items.retain(|session| session.event_id.is_none_or(|id| id == event));
    }
    narrow(&mut labs, &mut sessions, &run.event_prefix);
    let readings = Readings {
        labs: Some(labs),
        sessions: Some(sessions),
        ..Readings::default()
    };
    client.collected(SOURCE, readings, problems)
}

/// Items one by one: one that is odd is told and costs only itself.
fn reading<R: Record>(
    list: &str,
    answer: Result<Vec<Box<RawValue>>, Missing>,
    problems: &mut Vec<Problem>,
    read: impl Fn(&Fields<'_>, &mut Vec<Problem>) -> Result<R, String>,
) -> Reading<R> {
    let items = match answer {
        Ok(items) => items,
        Err(missing) => return Reading::failed(missing.reason, missing.detail),
    };
    let mut reading = Reading {
        items: Vec::with_capacity(items.len()),
        refused: Vec::new(),
        missing: None,
        extent: Extent::Whole,
    };
    let mut keys = BTreeSet::new();
    for (i, item) in items.iter().enumerate() {
        let fields = Fields::of(item);
        let subject = |fields: Option<&Fields<'_>>| {
            let id = fields.and_then(|fields| fields.text("id").or_else(|| fields.text("lab_code")));
            format!(
                "{SOURCE}/{list}/{}",
                id.map_or_else(|| format!("#{}", i + 1), |id| redact::text(&id, 60))
            )
        };
        match fields
            .as_ref()
            .map_or_else(|| Err("it is no object".to_owned()), |fields| read(fields, problems))
        {
            Ok(record) if keys.insert(record.key()) => reading.items.push(record),
            Ok(record) => problems.push(Problem {
                subject: subject(fields.as_ref()),
                detail: format!(
                    "there is a second one with key {}: the first is kept",
                    redact::text(&record.key(), 100)
                ),
            }),
            Err(detail) => reading.refused.push(Problem {
                subject: subject(fields.as_ref()),
                detail,
            }),
        }
    }
    reading
}

fn lab(fields: &Fields<'_>) -> Result<Lab, String> {
    let text = |name: &str, max: usize| fields.text(name).map(|text| redact::text(&text, max)).unwrap_or_default();
    let code = fields.text("lab_code").ok_or("it has no lab_code")?;
    Ok(Lab {
        code: redact::shorten(&code, 100),
        title: text("title", 200),
        status: text("status", 60),
        cloud: text("cloud", 60),
        deploy_mode: text("deploy_mode", 60),
        ci_name: fields.text("ci_name").map(|name| redact::shorten(&name, 200)).unwrap_or_default(),
        event_id: fields.number("event_id"),
    })
}

/// Leaves out labs of other events, and their sessions. A lab whose item says nothing about its event stays: it may be one of ours.
fn narrow(labs: &mut Reading<Lab>, sessions: &mut Reading<Session>, prefix: &str) {
    if prefix.is_empty() || labs.missing.is_some() {
        return;
    }
    let is_other = |lab: &Lab| lab.ci_name.contains('.') && !lab.ci_name.starts_with(prefix) && !lab.code.starts_with(prefix);
    let others: BTreeSet<String> = labs.items.iter().filter(|lab| is_other(lab)).map(|lab| lab.code.clone()).collect();
    labs.items.retain(|lab| !others.contains(&lab.code));
    sessions.items.retain(|session| !others.contains(&session.lab_code));
}
