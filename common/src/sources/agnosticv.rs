//! AgnosticV: components with their merged definitions, from the control plane.
//!
//! ```text
//! agnosticvcomponents ── page by page, each definition read by an allow-list and dropped ──> components with what they demand
//! agnosticvrepos      ── status.error ──> the configuration no longer updates: a part of the source that is late
//! ```
//!
//! The repository is not cloned and its files are not merged here: the operator has done it (docs/decisions/0013). An event's prefix does not
//! narrow it: components are few, and what is linked to one may be of another event.

mod component;
mod definition;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use super::babylon::BabylonSettings;
use super::{Collected, Extent, Missing, Reading, Readings, Run, redact};
use crate::cluster::{ConnectError, ReadClient};
use crate::collect::KindReport;
use crate::collect::page;
use crate::collect::pager::{Collection, Pager, Sink, Taken};
use crate::objects::Problem;
use crate::unknown::UnknownReason;

/// Row in `sources`, where there is one control plane.
const SOURCE: &str = "agnosticv";
/// Objects that cannot be understood are named up to this many.
const NAMED: usize = 20;
/// Longest message of others that is kept, in characters.
const MESSAGE: usize = 300;

/// Where it is and how to get in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "AgnosticV settings")]
pub struct AgnosticvSettings {
    /// Whether components are read from the control planes of STARGATE_BABYLON_KUBECONFIG or STARGATE_BABYLON_KUBECONFIG_DIR.
    #[arg(long = "agnosticv", env = "STARGATE_AGNOSTICV", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub enabled: bool,
}

/// Reads every control plane once: with a directory of them each is a source `agnosticv/<file's name>`, as for Babylon. Empty: none is
/// configured.
pub async fn collect(settings: &AgnosticvSettings, babylon: &BabylonSettings, run: &Run) -> Vec<Collected> {
    if !settings.enabled {
        return Vec::new();
    }
    let mut collected = Vec::new();
    let mut reading = JoinSet::new();
    for (source, connection) in babylon.connect(SOURCE).await {
        // One that asked to be left alone is not asked.
        if run.resting.contains(&source) {
            continue;
        }
        match connection {
            Ok(client) => {
                let run = run.clone();
                reading.spawn(async move { read(&source, &client, &run).await });
            }
            Err(error) => collected.push(unconnected(&source, &error, run)),
        }
    }
    // One that panicked has no collection: its source grows stale, as it should.
    collected.extend(reading.join_all().await);
    collected.sort_by(|a, b| a.source.cmp(&b.source));
    collected
}

/// The credential is wrong, not the network: nobody was asked.
fn unconnected(source: &str, error: &ConnectError, run: &Run) -> Collected {
    let detail = chain(error);
    let readings = Readings {
        components: Some(Reading::failed(UnknownReason::Unauthorized, redact::text(&detail, MESSAGE))),
        ..Readings::default()
    };
    Collected {
        source: source.to_owned(),
        readings,
        observed_at: run.clock.now(),
        requests: 0,
        bytes: 0,
        problems: Vec::new(),
        retry_at: None,
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Reads one control plane. Cannot fail as a whole: what could not be read says so in its reading.
pub async fn read(source: &str, client: &ReadClient, run: &Run) -> Collected {
    let observed_at = run.clock.now();
    let pager = Pager::new(client.clone(), 1, run.deadline);
    let mut components = Keeper::new(component::component);
    let mut report = KindReport::default();
    let outcome = pager.list(&place("agnosticvcomponents"), &mut components, &mut report).await;
    let missing = outcome.err().map(|failure| Missing {
        reason: failure.reason,
        detail: redact::text(&failure.detail, MESSAGE),
    });
    let mut repositories = Keeper::new(component::repository);
    let mut more = KindReport::default();
    let repositories_read = pager.list(&place("agnosticvrepos"), &mut repositories, &mut more).await;
    let mut problems = Vec::new();
    if let Err(failure) = repositories_read {
        problems.push(Problem {
            subject: "agnosticvrepos".to_owned(),
            detail: format!(
                "whether the configuration still updates is unknown: {}",
                redact::text(&failure.detail, MESSAGE)
            ),
        });
    }
    problems.extend(repositories.problems("agnosticvrepos"));
    let mut late = Vec::new();
    for stuck in repositories.items.into_iter().flatten() {
        let (name, told) = stale(&stuck, observed_at);
        late.push(format!("repository {name}: {told}"));
        problems.push(Problem {
            subject: format!("agnosticvrepos/{name}"),
            detail: format!("{told}; the operator says: {}", redact::text(&stuck.message, MESSAGE)),
        });
    }
    let refused = components.problems("agnosticvcomponents");
    let components = match missing {
        None => Reading {
            items: components.items,
            refused,
            missing: None,
            extent: Extent::Whole,
        },
        Some(Missing { reason, detail }) => Reading::failed(reason, detail),
    };
    Collected {
        source: source.to_owned(),
        readings: Readings {
            components: Some(components),
            late,
            ..Readings::default()
        },
        observed_at,
        requests: u32::try_from(report.requests + more.requests).unwrap_or(u32::MAX),
        bytes: report.bytes + more.bytes,
        problems,
        retry_at: pager
            .retry_after()
            .and_then(|wait| Some(run.clock.now() + TimeDelta::from_std(wait).ok()?)),
    }
}

/// Name of a repository that no longer updates, and since when.
fn stale(stuck: &component::Stuck, now: DateTime<Utc>) -> (String, String) {
    let age = stuck.since.map(|since| (since, (now - since).max(TimeDelta::zero())));
    let since = age.map_or_else(String::new, |(since, age)| {
        let since = since.format("%Y-%m-%d %H:%M UTC");
        format!(" since {since} ({} h {} min)", age.num_hours(), age.num_minutes() % 60)
    });
    (
        redact::text(&stuck.name, MESSAGE),
        format!("its configuration no longer updates{since}"),
    )
}

fn place(plural: &str) -> Collection {
    Collection {
        path: format!("/apis/gpte.redhat.com/v1/{plural}"),
        name: format!("{plural}.gpte.redhat.com"),
        namespace: None,
        selector: None,
        grant: "grant the collector's role get and list on it",
    }
}

/// Takes pages of one kind: each object is read where it lies, and its definition is never copied.
struct Keeper<T> {
    read: fn(&str) -> Result<T, String>,
    items: Vec<T>,
    /// Name, and what is wrong with it.
    refused: Vec<(String, String)>,
}

impl<T> Keeper<T> {
    const fn new(read: fn(&str) -> Result<T, String>) -> Self {
        Self {
            read,
            items: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Objects that were not understood, by name.
    fn problems(&self, plural: &str) -> Vec<Problem> {
        let named = self.refused.iter().take(NAMED).map(|(name, detail)| Problem {
            subject: format!("{plural}/{}", redact::text(name, MESSAGE)),
            detail: format!("cannot be understood: {detail}"),
        });
        let rest = self.refused.len().saturating_sub(NAMED);
        let rest = (rest > 0).then(|| Problem {
            subject: plural.to_owned(),
            detail: format!("{rest} more cannot be understood"),
        });
        named.chain(rest).collect()
    }
}

impl<T> Sink for Keeper<T> {
    fn page(&mut self, body: &[u8]) -> Result<Taken, String> {
        let page = page::items::<&RawValue>(body).map_err(|error| component::place(&error))?;
        for object in page.items {
            match (self.read)(object.get()) {
                Ok(item) => self.items.push(item),
                Err(detail) => self.refused.push((page::name(object), detail)),
            }
        }
        Ok(Taken {
            items: page.count,
            more: page.more,
        })
    }

    fn forget(&mut self) {
        self.items.clear();
        self.refused.clear();
    }
}

#[cfg(test)]
mod tests;
