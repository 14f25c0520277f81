//! Anarchy, Poolboy, the catalog and workshops, over the Kubernetes API of the control plane.
//!
//! ```text
//! kubeconfig(s) ── a control plane ── nine LISTs, two at a time, page by page ──> records (allow-list: wire structs name what is read)
//!                                  └─ the runners' pods; active runs that no list has, one by one ──> missing_runs, pod_missing
//! ```
//!
//! | File | What |
//! |---|---|
//! | `wire`, `lenient` | what all objects share, and how values are read |
//! | `anarchy`, `poolboy`, `catalog` | the fields of each kind |
//! | `read` | one kind to its end |
//!
//! A kind that is refused (403), not served (404) or broken off keeps what is stored of it, and the others go on.

mod anarchy;
mod catalog;
mod lenient;
mod poolboy;
mod read;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use tokio::task::JoinSet;

use self::anarchy::RunnerPods;
use self::read::{Listed, Place};
use super::{Collected, Reading, Readings, Run};
use crate::cluster::{ClusterSettings, ConnectError, ReadClient};
use crate::collect::KindReport;
use crate::collect::pager::{Collection, Failure, Pager, Sink, Taken};
use crate::objects::Problem;
use crate::provisioning::pool::{ResourceHandle, ResourcePool};
use crate::provisioning::state::unrecognized;
use crate::provisioning::subject::{AnarchyRun, AnarchySubject};
use crate::sources::redact;
use crate::unknown::UnknownReason;

/// LISTs in flight: subjects are large, and memory holds one page of each.
const IN_FLIGHT: usize = 2;
/// Active runs that no list has are asked for one by one, up to this many a collection.
const ASKED_RUNS: usize = 50;
/// Clocks that differ by less are not mentioned.
const SKEW: TimeDelta = TimeDelta::minutes(2);
/// Longest state that is shown of those that are not known, in characters.
const STATE: usize = 40;

const ANARCHY: &str = "anarchy.gpte.redhat.com";
const POOLBOY: &str = "poolboy.gpte.redhat.com";
const BABYLON: &str = "babylon.gpte.redhat.com";

const fn place(group: &'static str, plural: &'static str) -> Place {
    Place {
        group,
        plural,
        selector: None,
    }
}

const RUNS: Place = Place {
    selector: Some(("labelSelector", "anarchy.gpte.redhat.com/runner notin (successful,canceled)")),
    ..place(ANARCHY, "anarchyruns")
};

/// Where it is and how to get in.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Babylon settings")]
pub struct BabylonSettings {
    /// Kubeconfig of the control plane that runs Anarchy and Poolboy. Neither this nor the directory: Babylon is disabled.
    #[arg(long = "babylon-kubeconfig", env = "STARGATE_BABYLON_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Directory of kubeconfigs where there are several control planes, in place of the file; each is a source `babylon/<file's name>`.
    #[arg(long = "babylon-kubeconfig-dir", env = "STARGATE_BABYLON_KUBECONFIG_DIR", value_name = "DIR")]
    pub kubeconfig_dir: Option<PathBuf>,
}

impl BabylonSettings {
    /// Connects to every control plane, each with the row in `sources` that what is read of `source` there belongs to. Empty: none is
    /// configured. When nobody can say which there are, the source itself says why.
    pub(super) async fn connect(&self, source: &str) -> Vec<(String, Result<ReadClient, ConnectError>)> {
        if self.kubeconfig.is_none() && self.kubeconfig_dir.is_none() {
            return Vec::new();
        }
        let alone = self.kubeconfig.is_some();
        let clusters = ClusterSettings {
            kubeconfig: self.kubeconfig.clone(),
            kubeconfig_dir: self.kubeconfig_dir.clone(),
            ssl_verify: true,
            ..ClusterSettings::default()
        };
        let row = |name: String| if alone { source.to_owned() } else { format!("{source}/{name}") };
        match clusters.connect().await {
            Ok(connections) => connections.into_iter().map(|(name, connection)| (row(name), connection)).collect(),
            Err(error) => vec![(source.to_owned(), Err(error))],
        }
    }
}

/// Reads every control plane once. Empty: none is configured.
pub async fn collect(settings: &BabylonSettings, run: &Run) -> Vec<Collected> {
    let mut collected = Vec::new();
    let mut reading = JoinSet::new();
    for (source, connection) in settings.connect("babylon").await {
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

/// A control plane to which there is no connection: the credential is wrong, not the network.
fn unconnected(source: &str, error: &ConnectError, run: &Run) -> Collected {
    let mut detail = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        detail = format!("{detail}: {error}");
        cause = error.source();
    }
    fn failed<R>(detail: &str) -> Option<Reading<R>> {
        Some(Reading::failed(UnknownReason::Unauthorized, detail))
    }
    Collected {
        source: source.to_owned(),
        readings: Readings {
            subjects: failed(&detail),
            runs: failed(&detail),
            claims: failed(&detail),
            handles: failed(&detail),
            pools: failed(&detail),
            providers: failed(&detail),
            catalog_items: failed(&detail),
            workshops: failed(&detail),
            workshop_provisions: failed(&detail),
            ..Readings::default()
        },
        observed_at: run.clock.now(),
        requests: 0,
        bytes: 0,
        problems: Vec::new(),
        retry_at: None,
    }
}

/// Reads one control plane. Cannot fail as a whole: what could not be read says so in its reading.
pub async fn read(source: &str, client: &ReadClient, run: &Run) -> Collected {
    let observed_at = run.clock.now();
    let pager = Pager::new(client.clone(), IN_FLIGHT, run.deadline);
    let (mut subjects, handles, claims, pools, providers, items, shops, provisions, mut runs) = tokio::join!(
        read::list::<anarchy::Subject>(&pager, place(ANARCHY, "anarchysubjects")),
        read::list::<poolboy::Handle>(&pager, place(POOLBOY, "resourcehandles")),
        read::list::<poolboy::Claim>(&pager, place(POOLBOY, "resourceclaims")),
        read::list::<poolboy::Pool>(&pager, place(POOLBOY, "resourcepools")),
        read::list::<poolboy::Provider>(&pager, place(POOLBOY, "resourceproviders")),
        read::list::<catalog::Item>(&pager, place(BABYLON, "catalogitems")),
        read::list::<catalog::Shop>(&pager, place(BABYLON, "workshops")),
        read::list::<catalog::Provision>(&pager, place(BABYLON, "workshopprovisions")),
        read::list::<anarchy::Run>(&pager, RUNS),
    );
    let mut reports = vec![
        std::mem::take(&mut subjects.report),
        handles.report.clone(),
        claims.report.clone(),
        pools.report.clone(),
        providers.report.clone(),
        items.report.clone(),
        shops.report.clone(),
        provisions.report.clone(),
        std::mem::take(&mut runs.report),
    ];
    let mut problems = Vec::new();
    if runs.missing.is_none() {
        reports.push(runners(&pager, &mut runs, &mut problems).await);
    }
    if runs.missing.is_none() {
        let (report, problem) = missing_runs(&pager, &mut subjects.items, &runs.items).await;
        reports.push(report);
        problems.extend(problem);
    }
    problems.extend(unknown_states(client.name(), &subjects.items));
    problems.extend(skew(client.name(), &subjects, &handles, observed_at));
    let prefix = run.event_prefix.as_str();
    let narrowed = !prefix.is_empty();
    let of_event = |name: &str| name.starts_with(prefix);
    let wanted_subject =
        |subject: &AnarchySubject| of_event(&subject.governor) || subject.pool.as_ref().is_some_and(|pool| of_event(&pool.name));
    let wanted_handle = |handle: &ResourceHandle| {
        handle.pool.as_ref().is_some_and(|pool| of_event(&pool.name)) || handle.providers.iter().any(|provider| of_event(provider))
    };
    let wanted_pool = |pool: &ResourcePool| of_event(&pool.name);
    Collected {
        source: source.to_owned(),
        readings: Readings {
            subjects: Some(subjects.reading(narrowed.then_some(&wanted_subject))),
            runs: Some(runs.reading(None)),
            claims: Some(claims.reading(None)),
            handles: Some(handles.reading(narrowed.then_some(&wanted_handle))),
            pools: Some(pools.reading(narrowed.then_some(&wanted_pool))),
            providers: Some(providers.reading(None)),
            catalog_items: Some(items.reading(None)),
            workshops: Some(shops.reading(None)),
            workshop_provisions: Some(provisions.reading(None)),
            ..Readings::default()
        },
        observed_at,
        requests: reports
            .iter()
            .map(|report| u32::try_from(report.requests).unwrap_or(u32::MAX))
            .fold(0, u32::saturating_add),
        bytes: reports.iter().map(|report| report.bytes).sum(),
        problems,
        retry_at: pager
            .retry_after()
            .and_then(|wait| Some(run.clock.now() + TimeDelta::from_std(wait).ok()?)),
    }
}

/// Notes which runs are to run on pods that no runner has. Who may not list runners does not know, and neither do the runs.
async fn runners(pager: &Pager, runs: &mut Listed<AnarchyRun>, problems: &mut Vec<Problem>) -> KindReport {
    let Listed {
        items, missing, report, ..
    } = read::list::<anarchy::Runner>(pager, place(ANARCHY, "anarchyrunners")).await;
    if let Some(missing) = missing {
        problems.push(Problem {
            subject: format!("{}/anarchyrunners", pager.client.name()),
            detail: format!("{}; whether governor runs wait for lost pods is unknown", missing.detail),
        });
        // What may pass must not unsay what was known: then the runs stay as they are stored.
        if !matches!(missing.reason, UnknownReason::Forbidden | UnknownReason::ApiAbsent) {
            runs.items.clear();
            runs.missing = Some(missing);
        }
        return report;
    }
    let mut pods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for RunnerPods { namespace, pods: of } in items {
        pods.entry(namespace).or_default().extend(of);
    }
    for run in &mut runs.items {
        if matches!(
            run.runner.as_str(),
            "" | "queued" | "pending" | "failed" | "lost" | "successful" | "canceled"
        ) {
            continue;
        }
        // Of a namespace without runners nothing is known.
        run.pod_missing = pods.get(&run.namespace).map(|pods| !pods.contains(&run.runner));
    }
    report
}

/// Asks for active runs that no list has: one that ended well between two lists is no orphan, one that does not exist is. A subject with a
/// run of which nobody could be told keeps what is known of an earlier reading; then the rest is not asked for, and people are told.
async fn missing_runs(pager: &Pager, subjects: &mut [AnarchySubject], runs: &[AnarchyRun]) -> (KindReport, Option<Problem>) {
    let mut report = KindReport::default();
    let listed: BTreeSet<(&str, &str)> = runs.iter().map(|run| (run.namespace.as_str(), run.name.as_str())).collect();
    let (mut asked, mut untold) = (0, 0);
    let mut why: Option<String> = None;
    for subject in subjects {
        let mut missing = Vec::new();
        let mut known = true;
        for run in &subject.active_runs {
            let is_name =
                |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
            if listed.contains(&(subject.namespace.as_str(), run)) || !is_name(run) || !is_name(&subject.namespace) {
                continue;
            }
            if asked == ASKED_RUNS {
                why.get_or_insert_with(|| format!("more than {ASKED_RUNS} are in no list"));
            }
            if why.is_some() {
                known = false;
                break;
            }
            asked += 1;
            let of = Collection {
                path: format!("/apis/{ANARCHY}/v1/namespaces/{}/anarchyruns/{run}", subject.namespace),
                ..RUNS.all()
            };
            match pager.one(&of, &mut Exists, &mut report).await {
                Ok(true) => {}
                Ok(false) => missing.push(run.clone()),
                Err(Failure { reason, detail }) => {
                    why = Some(format!("{reason} ({})", redact::text(&detail, STATE * 5)));
                    known = false;
                    break;
                }
            }
        }
        untold += usize::from(!known);
        subject.missing_runs = known.then_some(missing);
    }
    let problem = why.map(|why| Problem {
        subject: format!("{}/anarchyruns", pager.client.name()),
        detail: format!("whether the active runs of {untold} subjects exist was not read; what was known of them stays: {why}"),
    });
    (report, problem)
}

/// Takes an object without reading it.
struct Exists;

impl Sink for Exists {
    fn page(&mut self, _: &[u8]) -> Result<Taken, String> {
        Ok(Taken::default())
    }

    fn forget(&mut self) {}
}

/// Says which states the machine does not have, each once.
fn unknown_states(control_plane: &str, subjects: &[AnarchySubject]) -> Vec<Problem> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for state in subjects.iter().filter_map(unrecognized) {
        *counts.entry(state).or_default() += 1;
    }
    let told = counts.into_iter().map(|(state, count)| Problem {
        subject: format!("{control_plane}/anarchysubjects"),
        detail: format!(
            "{count} subjects are in the state {}, which is not known; they count as unknown",
            redact::text(state, STATE)
        ),
    });
    told.collect()
}

/// Says that the clocks differ, by the newest time that cannot lie ahead.
fn skew(control_plane: &str, subjects: &Listed<AnarchySubject>, handles: &Listed<ResourceHandle>, now: DateTime<Utc>) -> Option<Problem> {
    let of_subjects = subjects
        .items
        .iter()
        .flat_map(|subject| [subject.created_at, subject.deleting_since]);
    let newest = of_subjects
        .chain(handles.items.iter().map(|handle| handle.created_at))
        .flatten()
        .max()?;
    // Reading takes time; what was created meanwhile is not ahead.
    let ahead = newest - now;
    (ahead > SKEW + TimeDelta::minutes(3)).then(|| Problem {
        subject: control_plane.to_owned(),
        detail: format!(
            "its clock is ahead of ours by at least {} s: ages and stuck states are too young by as much",
            ahead.num_seconds()
        ),
    })
}

#[cfg(test)]
mod tests;
