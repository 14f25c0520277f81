//! One cluster, read once: reach it, learn what it serves, LIST every kind of the tier, put it together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::discover::{Presence, Served};
use super::list::{self, Run};
use crate::clock::Clock;
use crate::cluster::{ConnectError, ReadClient, RequestError};
use crate::objects::api::Resource;
use crate::objects::{Assembler, Kind, NamespaceSelection, Reachability, Snapshot};
use crate::tier::Tier;
use crate::unknown::UnknownReason;

/// How long the first question may take; a cluster that needs longer to say its version counts as unreachable.
const REACH: Duration = Duration::from_secs(10);
/// How often it is asked.
const REACH_TRIES: u32 = 2;

/// What a run yields: always a snapshot, however little is in it.
#[derive(Debug, Clone)]
pub struct Collected {
    /// What was read, and of the rest why not.
    pub snapshot: Snapshot,
    /// What it took.
    pub report: Report,
}

/// What a run took, in all and for each kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The cluster.
    pub cluster: String,
    /// What was to be read.
    pub tier: Tier,
    /// When it began, by the clock.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub duration: Duration,
    /// One entry for each kind of the tier.
    pub kinds: BTreeMap<Kind, KindReport>,
    /// Requests besides the LISTs: version and discovery.
    pub other_requests: u64,
}

/// What one kind took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KindReport {
    /// Requests, tries included.
    pub requests: u64,
    /// Requests that were made again.
    pub retries: u64,
    /// Answers that asked us to slow down.
    pub throttled: u64,
    /// Pages read.
    pub pages: u64,
    /// Objects read, also those of namespaces that are not looked at.
    pub items: u64,
    /// Bytes of bodies.
    pub bytes: u64,
    /// Time from the first request to the last answer.
    pub duration: Duration,
    /// Whether the pages show different moments, because the list expired on the way.
    pub mixed: bool,
    /// Why it was not read to its end, if it was not.
    pub missing: Option<UnknownReason>,
    /// The same for people.
    pub detail: String,
}

impl KindReport {
    fn unread(reason: UnknownReason, detail: impl Into<String>) -> Self {
        Self {
            missing: Some(reason),
            detail: detail.into(),
            ..Self::default()
        }
    }

    fn absorb(&mut self, other: Self) {
        self.requests += other.requests;
        self.retries += other.retries;
        self.throttled += other.throttled;
        self.pages += other.pages;
        self.items += other.items;
        self.bytes += other.bytes;
        self.duration = self.duration.max(other.duration);
        self.mixed |= other.mixed;
        if other.missing.is_some() {
            self.missing = other.missing;
            self.detail = other.detail;
        }
    }
}

impl Report {
    /// Requests in all.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.other_requests + self.kinds.values().map(|kind| kind.requests).sum::<u64>()
    }

    /// What was counted on the way: as complete as the list of pods, and no request of its own.
    fn count_backlogs(&mut self, snapshot: &Snapshot) {
        if let Some(pods) = self.kinds.get(&Kind::Pod) {
            let backlogs = &snapshot.cluster.job_backlogs;
            let counted = KindReport {
                items: backlogs.items.len() as u64,
                missing: pods.missing.or(backlogs.missing),
                detail: pods.detail.clone(),
                ..KindReport::default()
            };
            self.kinds.insert(Kind::JobBacklog, counted);
        }
    }

    /// Kinds that were listed, whatever came of it.
    #[must_use]
    pub fn lists(&self) -> usize {
        self.kinds.values().filter(|kind| kind.requests > 0).count()
    }

    /// Bytes of bodies in all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.kinds.values().map(|kind| kind.bytes).sum()
    }

    /// Objects read in all.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.kinds.values().map(|kind| kind.items).sum()
    }

    /// Whether every kind that the cluster serves was read to its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.kinds
            .values()
            .all(|kind| matches!(kind.missing, None | Some(UnknownReason::ApiAbsent)))
    }
}

/// Reads one cluster. Cannot fail as a whole: what could not be read is unknown in the snapshot, with the reason.
///
/// Ends after `budget` at the latest and yields what it has by then. With [`NamespaceSelection::Named`] the kinds are
/// listed in these namespaces only; else cluster-wide, with as many LISTs as the tier has kinds.
pub async fn cluster(client: &ReadClient, tier: Tier, selection: NamespaceSelection, clock: &Clock, budget: Duration) -> Collected {
    let started_at = clock.now();
    let begun = Instant::now();
    let deadline = begun + budget;
    let mut assembler = Assembler::new(client.name(), selection.clone());
    let mut report = Report {
        cluster: client.name().to_owned(),
        tier,
        started_at,
        duration: Duration::ZERO,
        kinds: BTreeMap::new(),
        other_requests: 0,
    };
    let reached = reach(client, deadline, &mut report).await;
    let refused = match &reached {
        Reachability { answered: false, .. } => Some(UnknownReason::Unreachable),
        Reachability { authorized: false, .. } => Some(UnknownReason::Unauthorized),
        _ => None,
    };
    if let Some(reason) = refused {
        give_up(&mut assembler, &mut report, reason, &reached.detail);
        assembler.reachable(reached);
    } else {
        assembler.reachable(reached);
        assembler = sweep(client, tier, &selection, assembler, deadline, &mut report).await;
    }
    report.duration = begun.elapsed();
    let snapshot = assembler.finish(started_at);
    report.count_backlogs(&snapshot);
    Collected { snapshot, report }
}

/// What is known of a cluster to which there is no connection at all.
#[must_use]
pub fn unconnected(cluster: &str, tier: Tier, error: &ConnectError, now: DateTime<Utc>) -> Collected {
    let mut assembler = Assembler::new(cluster, NamespaceSelection::default());
    let mut report = Report {
        cluster: cluster.to_owned(),
        tier,
        started_at: now,
        duration: Duration::ZERO,
        kinds: BTreeMap::new(),
        other_requests: 0,
    };
    // Nobody asked the cluster: it is the credential that is wrong, not the network.
    give_up(&mut assembler, &mut report, UnknownReason::Unauthorized, &error.to_string());
    let snapshot = assembler.finish(now);
    report.count_backlogs(&snapshot);
    Collected { snapshot, report }
}

fn give_up(assembler: &mut Assembler, report: &mut Report, reason: UnknownReason, detail: &str) {
    for &kind in report.tier.kinds() {
        assembler.missing(kind, reason);
        report.kinds.insert(kind, KindReport::unread(reason, detail));
    }
    assembler.problem(report.cluster.clone(), detail);
}

/// Asks for the version. Any answer means that the cluster is there, also a refusal.
async fn reach(client: &ReadClient, deadline: Instant, report: &mut Report) -> Reachability {
    let mut detail = String::new();
    for _ in 0..REACH_TRIES {
        report.other_requests += 1;
        match client
            .get("/version", "application/json", deadline.min(Instant::now() + REACH))
            .await
        {
            Ok(answer) => {
                let authorized = answer.status.as_u16() != 401;
                let detail = if authorized {
                    String::new()
                } else {
                    format!("the credential was refused: {}; renew its token", answer.refusal().message)
                };
                return Reachability {
                    answered: true,
                    authorized,
                    detail,
                };
            }
            Err(error @ RequestError::Credential(_)) => {
                return Reachability {
                    answered: true,
                    authorized: false,
                    detail: error.to_string(),
                };
            }
            Err(error) => detail = error.to_string(),
        }
    }
    Reachability {
        answered: false,
        authorized: false,
        detail,
    }
}

async fn sweep(
    client: &ReadClient,
    tier: Tier,
    selection: &NamespaceSelection,
    mut assembler: Assembler,
    deadline: Instant,
    report: &mut Report,
) -> Assembler {
    let (served, problem) = Served::ask(client, deadline).await;
    report.other_requests += 1;
    if let Some(problem) = problem {
        assembler.problem(client.name(), problem);
    }
    let mut cluster_level = Vec::new();
    let mut namespaced = Vec::new();
    let mut namespaces = None;
    for resource in tier.kinds().iter().filter_map(|kind| kind.resource()) {
        match wanted(resource, &served) {
            Ok(()) if resource.kind == Kind::Namespace => namespaces = Some(resource),
            Ok(()) if resource.namespaced => namespaced.push(resource),
            Ok(()) => cluster_level.push(resource),
            Err(None) => {}
            Err(Some(detail)) => {
                assembler.missing(resource.kind, UnknownReason::ApiAbsent);
                report
                    .kinds
                    .insert(resource.kind, KindReport::unread(UnknownReason::ApiAbsent, detail));
            }
        }
    }
    let run = Arc::new(Run::new(client.clone(), assembler, deadline));
    let scopes = match selection {
        NamespaceSelection::Named(names) => names.iter().cloned().map(Some).collect(),
        NamespaceSelection::Labs(_) | NamespaceSelection::Recorded => vec![None],
    };
    let mut tasks = JoinSet::new();
    let start = |tasks: &mut JoinSet<_>, resource: &'static Resource, scope: Option<String>| {
        let run = Arc::clone(&run);
        tasks.spawn(async move { (resource.kind, list::list(&run, resource, scope.as_deref()).await) });
    };
    for resource in cluster_level {
        start(&mut tasks, resource, None);
    }
    // The namespaces decide what is kept of everything else, so they come first.
    if let Some(resource) = namespaces {
        for scope in &scopes {
            let done = list::list(&run, resource, scope.as_deref()).await;
            let complete = done.missing.is_none();
            report.kinds.entry(resource.kind).or_default().absorb(done);
            if complete && scope.is_none() {
                run.assembler().close_namespaces();
            }
        }
    }
    for resource in namespaced {
        for scope in &scopes {
            start(&mut tasks, resource, scope.clone());
        }
    }
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok((kind, done)) => report.kinds.entry(kind).or_default().absorb(done),
            Err(error) => run.assembler().problem(client.name(), format!("reading a kind broke off: {error}")),
        }
    }
    finish(run, client)
}

/// Takes the assembler back, and says once what stopped the cluster, if something did.
fn finish(run: Arc<Run>, client: &ReadClient) -> Assembler {
    let stopped = run.stopped().cloned();
    let mut assembler = match Arc::try_unwrap(run) {
        Ok(run) => run.into_assembler(),
        // Every task has ended, so nobody else holds it.
        Err(run) => std::mem::replace(&mut *run.assembler(), Assembler::new(client.name(), NamespaceSelection::default())),
    };
    if let Some(failure) = stopped {
        let answered = failure.reason != UnknownReason::Unreachable;
        assembler.problem(client.name(), failure.detail.clone());
        assembler.reachable(Reachability {
            answered,
            authorized: answered && failure.reason != UnknownReason::Unauthorized,
            detail: failure.detail,
        });
    }
    assembler
}

/// Whether to list the resource: `Err` says why not, without words where that is no loss.
fn wanted(resource: &Resource, served: &Served) -> Result<(), Option<String>> {
    if resource.kind == Kind::Endpoints {
        let slices = Kind::EndpointSlice.resource().map(|slices| served.presence(slices));
        if slices == Some(Presence::Likely) {
            return Err(None);
        }
    }
    match served.presence(resource) {
        Presence::Likely => Ok(()),
        Presence::Absent => Err(Some(format!("the cluster does not serve {}", resource.plural))),
        Presence::OtherVersion(versions) => Err(Some(format!(
            "the cluster serves {} only as {versions}, and StarGate knows {}; update StarGate",
            resource.group, resource.version
        ))),
    }
}
