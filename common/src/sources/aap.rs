//! AAP controllers: jobs, and for those that failed the task that failed them. Several controllers, each its own source.
//!
//! ```text
//! Ask (what is stored) ─> per controller: jobs.rs   new and changed since the watermark, and open ones by id
//!                                         evidence.rs   job, failing events, statistics ─> failure.rs ─> class of the text
//! ```
//!
//! | File | What it holds |
//! |---|---|
//! | `controllers` | the file that lists them |
//! | [`known`] | what is stored, and what to read because of it |
//! | `jobs`, `evidence` | the requests |
//! | `name`, `failure` | what a name tells; which event failed a job |
//! | `wire` | what is read of the answers |
//!
//! Tokens are StarGate's own, with scope read. Variables, credentials and outputs of jobs are never kept; a message is redacted and cut.

mod controllers;
mod evidence;
mod failure;
mod jobs;
pub mod known;
mod name;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::task::JoinSet;

pub use self::controllers::{Controller, ControllersError, load};
use self::known::Known;
use super::http::{Client, ClientSettings, Token};
use super::{Collected, Reading, Readings, Run, SourceName};
use crate::provisioning::job::AapJob;
use crate::unknown::UnknownReason;

/// Where it is and how to get in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "AAP controllers settings")]
pub struct AapSettings {
    /// YAML file that lists the controllers: host, url, prefix, token_file, ca_file of each. Not set: AAP is disabled.
    #[arg(
        id = "aap-controllers",
        long = "aap-controllers",
        env = "STARGATE_AAP_CONTROLLERS",
        value_name = "FILE"
    )]
    pub controllers: Option<PathBuf>,
}

/// Finds the failure class of what a job says of its failure.
pub type ClassOf = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a reading needs to know before.
#[derive(Clone)]
pub struct Ask {
    /// What is stored, by the controller's host.
    pub known: BTreeMap<String, Known>,
    /// UUIDs of the orders of the event that the run is narrowed to; not asked for without one.
    pub orders: Arc<BTreeSet<String>>,
    /// Failure class of error, task and role.
    pub class_of: ClassOf,
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ask")
            .field("known", &self.known)
            .field("orders", &self.orders.len())
            .finish_non_exhaustive()
    }
}

/// Reads every controller once, all at the same time: one that fails or is slow costs only itself. Empty: none is configured. When the list
/// of controllers is wrong, every controller that is stored says so.
pub async fn collect(settings: &AapSettings, ask: &Ask, run: &Run) -> Vec<Collected> {
    let Some(path) = &settings.controllers else { return Vec::new() };
    let controllers = match load(path) {
        Ok(controllers) => controllers,
        Err(error) => {
            let why = format!("STARGATE_AAP_CONTROLLERS: {error}");
            let sources = ask.known.keys().map(|host| controllers::source(host));
            return [SourceName::Aap.as_str().to_owned()]
                .into_iter()
                .chain(sources)
                .map(|source| without_client(source, Reading::failed(UnknownReason::ParseError, why.clone()), run))
                .collect();
        }
    };
    let mut reading = JoinSet::new();
    for controller in controllers.into_iter().filter(|one| !run.resting.contains(&one.source())) {
        let known = ask.known.get(&controller.host).cloned().unwrap_or_default();
        let (ask, run) = (ask.clone(), run.clone());
        reading.spawn(async move { one(&controller, &known, &ask, &run).await });
    }
    let mut all = reading.join_all().await;
    all.sort_by(|one, other| one.source.cmp(&other.source));
    all
}

async fn one(controller: &Controller, known: &Known, ask: &Ask, run: &Run) -> Collected {
    let source = controller.source();
    let client = match Client::new(&client_settings(controller), run) {
        Ok(client) => client,
        Err(missing) => return without_client(source, Reading::failed(missing.reason, missing.detail), run),
    };
    let reader = jobs::Reader {
        client: &client,
        controller,
        known,
        now: run.clock.now(),
    };
    let (mut reading, mut problems) = reader.read().await;
    if !run.event_prefix.is_empty() {
        reading.items.retain(|job| is_of_event(job, known, &ask.orders, &run.event_prefix));
    }
    if reading.missing.is_none() {
        problems.extend(evidence::attach(&client, &source, known, &ask.class_of, &mut reading.items).await);
    }
    let readings = Readings {
        jobs: Some(part(reading)),
        ..Readings::default()
    };
    client.collected(source, readings, problems)
}

/// Whether a job is of the event: what it was started for says so, or its order does. One that is stored and goes on is read to its end, and one
/// whose name says nothing of what it was started for belongs to every event.
fn is_of_event(job: &AapJob, known: &Known, orders: &BTreeSet<String>, prefix: &str) -> bool {
    let named = name::subject(&job.name);
    named.is_none_or(|subject| subject.starts_with(prefix)) || orders.contains(&job.service_uuid) || known.open.contains(&job.id)
}

/// Jobs are read since a watermark: what is not in a reading is not gone.
fn part(reading: Reading<AapJob>) -> Reading<AapJob> {
    Reading {
        extent: super::Extent::Part,
        ..reading
    }
}

fn without_client(source: String, jobs: Reading<AapJob>, run: &Run) -> Collected {
    Collected {
        source,
        readings: Readings {
            jobs: Some(part(jobs)),
            ..Readings::default()
        },
        observed_at: run.clock.now(),
        requests: 0,
        bytes: 0,
        problems: Vec::new(),
        retry_at: None,
    }
}

fn client_settings(controller: &Controller) -> ClientSettings {
    let host = &controller.host;
    let setting = |field: &str| format!("{field} of {host} in STARGATE_AAP_CONTROLLERS");
    ClientSettings {
        url_setting: setting("url or prefix"),
        token_setting: setting("token_file"),
        ca_setting: setting("ca_file"),
        token: Some(Token::File(controller.token_file.clone())),
        ca: controller.ca_file.clone(),
        ..ClientSettings::new(&format!("the controller {host}"), "STARGATE_AAP", controller.api.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_of_the_event_by_its_name_or_its_order() {
        const UUID: &str = "3f0c2f5e-7a41-5d1b-9a57-6f1d0c9be201";
        let job = |name: &str, id| AapJob {
            id,
            name: name.to_owned(),
            service_uuid: name::service_uuid(name),
            ..AapJob::default()
        };
        let known = Known {
            open: BTreeSet::from([7]),
            ..Known::default()
        };
        let none = BTreeSet::new();
        let of = |name: &str, id, orders: &BTreeSet<String>| is_of_event(&job(name, id), &known, orders, "acme.");
        let other = format!("org zoo.bike.prod-k7m2q-provision-8fj2 {UUID}");
        assert!(of(&format!("org acme.mesh.event-k7m2q-provi… {UUID}"), 1, &none));
        assert!(!of(&other, 1, &none));
        assert!(of(&other, 1, &BTreeSet::from([UUID.to_owned()])), "from a pool of the event");
        assert!(of(&other, 7, &none), "it is stored and had not ended");
        assert!(of("Nightly provision of the mirror", 1, &none), "it says nothing");
    }
}
