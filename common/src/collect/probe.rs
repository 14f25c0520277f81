//! HTTP and TLS probes: what a learner's browser would meet at the routes and showrooms of a snapshot.
//!
//! ```text
//! targets(snapshot) ──> queue per ingress domain ──> visit.rs ──> Probes, attached to the snapshot
//!                                                     guard.rs (who may be asked)  showroom.rs (what a page is)
//! ```
//!
//! A probe sends nothing but a GET: no credentials, no cookies. It asks no private address outside the configured ingress
//! domains, and none at all on this machine or its link. A route that was not asked says so; it is never down for that.

mod certificate;
mod guard;
mod showroom;
mod visit;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use guard::Guard;
pub use guard::{Override, OverrideError};
use visit::Visitor;

use crate::clock::Clock;
use crate::objects::meta::condition;
use crate::objects::network::ProbeFailure;
use crate::objects::{Inventory, Listing, Probe, ProbeKind, Problem, Route, Snapshot};
use crate::unknown::UnknownReason;

/// Visits in flight over all domains.
const IN_FLIGHT: usize = 50;
/// Visits in flight to one ingress domain: one router, one cluster.
const PER_DOMAIN: usize = 5;

/// Who may be probed and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Probe settings")]
pub struct ProbeSettings {
    /// Domains of the clusters' routers, such as `apps.east.example.com`. Their hosts may resolve to private addresses; no others may.
    #[arg(
        long = "ingress-domain",
        env = "STARGATE_INGRESS_DOMAINS",
        value_name = "DOMAIN",
        value_delimiter = ','
    )]
    pub ingress_domains: Vec<String>,

    /// Path at which a showroom says whether it is ready.
    #[arg(long, env = "STARGATE_SHOWROOM_READINESS_PATH", value_name = "PATH", default_value = "/readyz")]
    pub showroom_readiness_path: String,

    /// Hosts that are answered elsewhere, over plain HTTP: for simulated fleets. A host, or a domain with all below it.
    #[arg(
        long = "probe-override",
        env = "STARGATE_PROBE_OVERRIDES",
        value_name = "HOST=ADDRESS:PORT",
        value_delimiter = ','
    )]
    pub overrides: Vec<Override>,
}

impl Default for ProbeSettings {
    fn default() -> Self {
        Self {
            ingress_domains: Vec::new(),
            showroom_readiness_path: "/readyz".to_owned(),
            overrides: Vec::new(),
        }
    }
}

/// One Route or Ingress to visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The namespace it is in.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where it answers.
    pub host: String,
    /// The path to ask for.
    pub path: String,
    /// How it speaks TLS.
    pub tls: Tls,
    /// Whether it is a showroom, of which the pages are looked at.
    pub showroom: bool,
    /// Higher is visited earlier.
    pub priority: i64,
}

/// How a target speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    None,
    /// At the router, whose certificate must verify.
    Router,
    /// At the application, which may sign for itself and need not speak HTTP.
    Passthrough,
}

/// What probing a snapshot came to.
#[derive(Debug, Clone, Default)]
pub struct Probed {
    /// Probes by namespace; a namespace without targets is missing here.
    pub probes: BTreeMap<String, Vec<Probe>>,
    /// Targets visited.
    pub visited: usize,
    /// Targets for which there was no time.
    pub late: usize,
    /// What people must know, for example that hosts may not be asked.
    pub problems: Vec<Problem>,
    /// How long it took.
    pub duration: Duration,
}

impl Probed {
    /// Puts the probes into the snapshot that they were made for.
    pub fn attach(self, snapshot: &mut Snapshot) {
        let Self { mut probes, problems, .. } = self;
        for (name, inventory) in &mut snapshot.namespaces {
            inventory.probes = Listing::complete(probes.remove(name).unwrap_or_default());
        }
        snapshot.problems.extend(problems);
    }
}

/// Everything in a snapshot that a learner may open: admitted Routes, and Ingresses that have no Route of their own.
#[must_use]
pub fn targets(snapshot: &Snapshot) -> Vec<Target> {
    snapshot.namespaces.values().flat_map(of_namespace).collect()
}

fn of_namespace(inventory: &Inventory) -> Vec<Target> {
    let target = |name: &str, host: &str, path: &str, tls: Tls, showroom: bool| Target {
        namespace: inventory.name.clone(),
        name: name.to_owned(),
        host: host.to_owned(),
        path: if path.starts_with('/') { path.to_owned() } else { "/".to_owned() },
        tls,
        showroom,
        priority: 0,
    };
    let is_host = |host: &str| !host.is_empty() && !host.contains('*');
    let routes = inventory.routes.items.iter().filter(|route| {
        let admitted = |route: &Route| {
            let mut routers = route.status.ingress.iter();
            routers.any(|router| condition(&router.conditions, "Admitted").is_some_and(|admitted| admitted.is_true()))
        };
        route.metadata.deletion_timestamp.is_none() && is_host(&route.spec.host) && admitted(route)
    });
    let mut targets = routes
        .map(|route| {
            let tls = match route.spec.tls.as_ref().map(|tls| tls.termination.as_str()) {
                None => Tls::None,
                Some("passthrough") => Tls::Passthrough,
                Some(_) => Tls::Router,
            };
            let showroom = route.metadata.is_showroom() || backed_by_showroom(inventory, route);
            target(&route.metadata.name, &route.spec.host, &route.spec.path, tls, showroom)
        })
        .collect::<Vec<_>>();
    for ingress in &inventory.ingresses.items {
        let name = &ingress.metadata.name;
        let mut owners = inventory.routes.items.iter().flat_map(|route| &route.metadata.owner_references);
        if ingress.metadata.deletion_timestamp.is_some() || owners.any(|owner| owner.kind == "Ingress" && owner.name == *name) {
            continue;
        }
        if let Some(rule) = ingress.spec.rules.iter().find(|rule| is_host(&rule.host)) {
            targets.push(target(name, &rule.host, "/", Tls::None, ingress.metadata.is_showroom()));
        }
    }
    targets
}

fn backed_by_showroom(inventory: &Inventory, route: &Route) -> bool {
    let mut backends = std::iter::once(&route.spec.to).chain(&route.spec.alternate_backends);
    backends.any(|backend| {
        let mut services = inventory.services.items.iter();
        services.any(|service| service.metadata.name == backend.name && service.metadata.is_showroom())
    })
}

/// Why probes cannot be made at all.
#[derive(Debug, thiserror::Error)]
#[error("setting up the HTTP client for probes")]
pub struct ProberError(#[source] reqwest::Error);

/// Makes probes.
#[derive(Clone)]
pub struct Prober {
    visitor: Arc<Visitor>,
}

impl std::fmt::Debug for Prober {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prober").finish_non_exhaustive()
    }
}

impl Prober {
    /// Prepares to probe. The rustls provider must have been installed.
    ///
    /// # Errors
    /// The HTTP client cannot be built, for example because the system has no certificate store.
    pub fn new(settings: &ProbeSettings) -> Result<Self, ProberError> {
        let guard = Guard::new(&settings.ingress_domains, &settings.overrides);
        let visitor = Visitor::new(guard, &settings.showroom_readiness_path).map_err(ProberError)?;
        Ok(Self {
            visitor: Arc::new(visitor),
        })
    }

    /// Visits every target, the most urgent first, for at most `budget`; those for which there is no time say so.
    pub async fn run(&self, mut targets: Vec<Target>, clock: &Clock, budget: Duration) -> Probed {
        let begun = Instant::now();
        let deadline = begun + budget;
        targets.sort_by(|a, b| {
            b.priority
                .cmp(&a.priority)
                .then_with(|| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)))
        });
        let mut domains: BTreeMap<String, VecDeque<Target>> = BTreeMap::new();
        for target in targets {
            let domain = target.host.split_once('.').map_or("", |(_, domain)| domain).to_owned();
            domains.entry(domain).or_default().push_back(target);
        }
        let slots = Arc::new(Semaphore::new(IN_FLIGHT));
        let mut workers = JoinSet::new();
        for queue in domains.into_values() {
            let visitors = queue.len().min(PER_DOMAIN);
            let queue = Arc::new(Mutex::new(queue));
            for _ in 0..visitors {
                let (this, queue, slots, clock) = (self.clone(), Arc::clone(&queue), Arc::clone(&slots), clock.clone());
                workers.spawn(async move { this.work(&queue, &slots, &clock, deadline).await });
            }
        }
        let mut probed = Probed::default();
        let mut refused = 0_usize;
        let mut example = None;
        while let Some(done) = workers.join_next().await {
            match done {
                Ok(visits) => {
                    for Visited { target, probes, late } in visits {
                        if late {
                            probed.late += 1;
                        } else {
                            probed.visited += 1;
                        }
                        if !late && probes.iter().any(|probe| matches!(probe.failure, Some(ProbeFailure::NotProbed(_)))) {
                            refused += 1;
                            example.get_or_insert(target.host);
                        }
                        probed.probes.entry(target.namespace).or_default().extend(probes);
                    }
                }
                Err(error) => probed.problems.push(problem(format!("a probe broke off: {error}"))),
            }
        }
        for probes in probed.probes.values_mut() {
            probes.sort_by(|a, b| (&a.target, a.kind).cmp(&(&b.target, b.kind)));
        }
        if let Some(host) = example {
            probed.problems.push(problem(format!(
                "{refused} hosts were not probed because they resolve to private addresses, for example {host}; name the routers' domains in STARGATE_INGRESS_DOMAINS"
            )));
        }
        if probed.late > 0 {
            probed
                .problems
                .push(problem(format!("{} targets were not probed in time", probed.late)));
        }
        probed.duration = begun.elapsed();
        probed
    }

    /// Takes targets off a queue until it is empty.
    async fn work(&self, queue: &Mutex<VecDeque<Target>>, slots: &Semaphore, clock: &Clock, deadline: Instant) -> Vec<Visited> {
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let mut visits = Vec::new();
        while let Some(target) = next() {
            let slot = slots.acquire().await;
            let late = Instant::now() >= deadline || slot.is_err();
            let probes = if late {
                not_asked(&target, clock)
            } else {
                self.visitor.visit(&target, clock, deadline).await
            };
            visits.push(Visited { target, probes, late });
        }
        visits
    }
}

struct Visited {
    target: Target,
    probes: Vec<Probe>,
    late: bool,
}

fn problem(detail: String) -> Problem {
    Problem {
        subject: "probes".to_owned(),
        detail,
    }
}

/// The kinds of probe that a visit to the target makes.
fn kinds(target: &Target) -> &'static [ProbeKind] {
    if target.showroom {
        &[ProbeKind::Route, ProbeKind::ShowroomReadiness, ProbeKind::ShowroomContent]
    } else {
        &[ProbeKind::Route]
    }
}

fn not_asked(target: &Target, clock: &Clock) -> Vec<Probe> {
    let probe = |&kind: &ProbeKind| Probe {
        kind,
        target: target.name.clone(),
        at: clock.now(),
        status: None,
        duration_ms: None,
        failure: Some(ProbeFailure::NotProbed(UnknownReason::Timeout)),
        fallback: false,
        content: None,
        certificate: None,
    };
    kinds(target).iter().map(probe).collect()
}

#[cfg(test)]
mod tests;
