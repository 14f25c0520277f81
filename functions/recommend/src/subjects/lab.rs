//! Facts of labs.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use stargate_common::policy::evaluate::{EvidenceRef, Subject};
use stargate_common::policy::input::{Facts, Group, Known, LabFacts};
use stargate_common::policy::{Scope, tally};
use stargate_common::provisioning::catalog::Component;
use stargate_common::provisioning::job::Phase;
use stargate_common::provisioning::state::{Action, SubjectClass};
use stargate_common::sources::SourceName;
use stargate_common::stage::Stage;
use stargate_common::unknown::UnknownReason;

use super::sessions::Coming;
use super::{count, reference, seconds_since};
use crate::load::{ClusterRow, JobRow, LabReadiness, Part, PoolRow, SmokeRow, World, has_result};

/// What belongs to one lab.
#[derive(Default)]
struct Lab<'w> {
    coming: Coming<'w>,
    items: BTreeSet<&'w str>,
    parts: Vec<&'w Part>,
    jobs: Vec<&'w JobRow>,
    pools: Vec<&'w PoolRow>,
    smoke_runs: Vec<&'w SmokeRow>,
}

/// Every lab: those that are planned, and what was ordered or runs without being of one.
pub(super) fn all(world: &World, now: DateTime<Utc>) -> Vec<Subject> {
    let mut labs: BTreeMap<&str, Lab<'_>> = BTreeMap::new();
    for lab in &world.labs {
        labs.entry(&lab.code).or_default();
    }
    let mut sessions: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for session in &world.sessions {
        sessions.entry(&session.lab_code).or_default().push(session);
    }
    for (code, sessions) in sessions {
        labs.entry(code).or_default().coming = Coming::of(sessions.into_iter(), now);
    }
    for name in world.readiness.keys() {
        labs.entry(name).or_default();
    }
    for (name, item) in &world.items {
        if let Some(lab) = item.lab.as_deref().and_then(|lab| labs.get_mut(lab)) {
            lab.items.insert(name);
        }
    }
    for part in world.parts.iter().filter(|part| !part.gone && part.class != SubjectClass::Gone) {
        if let Some(lab) = lab_of(world, &part.item) {
            let lab = labs.entry(lab).or_default();
            lab.items.insert(&part.item);
            lab.parts.push(part);
        }
    }
    for job in &world.jobs {
        if let Some(lab) = lab_of(world, &job.item) {
            labs.entry(lab).or_default().jobs.push(job);
        }
    }
    for pool in &world.pools {
        let served: BTreeSet<&str> = pool.items.iter().filter_map(|item| lab_of(world, item)).collect();
        for lab in served {
            labs.entry(lab).or_default().pools.push(pool);
        }
    }
    for run in &world.smoke_runs {
        labs.entry(&run.lab).or_default().smoke_runs.push(run);
    }
    labs.into_iter().map(|(key, lab)| subject(world, key, &lab, now)).collect()
}

/// What an item's orders are grouped by: its lab, else the item itself.
fn lab_of<'w>(world: &'w World, item: &'w str) -> Option<&'w str> {
    let lab = world.items.get(item).and_then(|known| known.lab.as_deref());
    lab.or(Some(item)).filter(|name| !name.is_empty())
}

fn subject(world: &World, key: &str, lab: &Lab<'_>, now: DateTime<Utc>) -> Subject {
    let mut subject = Subject::unknown(Scope::Lab, key);
    subject.context = world.contexts.get(key).cloned().unwrap_or_default();
    let evidence = &mut subject.evidence;
    let mut facts = LabFacts::default();
    planned(&mut facts, world, lab, now);
    ordered(&mut facts, world, lab, now);
    smoke(&mut facts, evidence, world, lab, now);
    jobs(&mut facts, world, lab);
    running(&mut facts, evidence, world, key, now);
    definition(&mut facts, evidence, world, lab);
    evidence.insert(Group::Sessions, lab.coming.evidence());
    evidence.insert(Group::UnstartedOrders, parts(&oldest_first(lab, unstarted), |part| part.created_at));
    evidence.insert(
        Group::FailedOrders,
        parts(&oldest_first(lab, provision_failed), |part| part.created_at),
    );
    evidence.insert(
        Group::Teardowns,
        parts(&oldest_first(lab, |part| part.teardown_failed || tearing_down(part)), |part| {
            part.teardown_since
        }),
    );
    let pools = lab.pools.iter().map(|pool| super::pool::evidence(pool));
    evidence.insert(Group::Pools, pools.collect());
    evidence.insert(Group::FailedProvisionJobs, failed_jobs(lab, Phase::Provision));
    evidence.insert(Group::FailedDestroyJobs, failed_jobs(lab, Phase::Destroy));
    subject.facts = Facts::Lab(Box::new(facts));
    subject
}

fn planned(facts: &mut LabFacts, world: &World, lab: &Lab<'_>, now: DateTime<Utc>) {
    let of_labagator = |fact| world.sources.given(SourceName::Labagator, fact);
    facts.sessions = of_labagator(lab.coming.number());
    facts.next_session_in_seconds = of_labagator(lab.coming.next_in_seconds(now));
    facts.attendees = of_labagator(lab.coming.attendees());
    let shared = lab
        .items
        .iter()
        .any(|item| world.items.get(*item).is_some_and(|item| item.multiuser));
    let users = || -> Known<i64> {
        if !shared {
            return Ok(1);
        }
        let users = components(world, lab).filter_map(|component| component.constraints.num_users).min();
        // Attendees share instances, and nobody says how many.
        users.ok_or(UnknownReason::MissingField)
    };
    facts.needed = facts.attendees.and_then(|attendees| {
        world
            .sources
            .given(SourceName::Babylon, users())
            .map(|users| tally::needed(attendees, users))
    });
}

fn components<'l>(world: &'l World, lab: &'l Lab<'_>) -> impl Iterator<Item = &'l Component> {
    lab.items.iter().filter_map(|item| world.components.get(*item))
}

fn unstarted(part: &Part) -> bool {
    let on_its_way_out = part.teardown_failed || tearing_down(part);
    part.claim.is_some() && part.should_run && !on_its_way_out && !matches!(part.class, SubjectClass::Started | SubjectClass::Stopped)
}

fn provision_failed(part: &Part) -> bool {
    part.claim.is_some() && part.class == SubjectClass::FailedTerminal && part.state.starts_with("provision-")
}

fn tearing_down(part: &Part) -> bool {
    part.class == SubjectClass::InProgress(Action::Destroy)
}

/// What is ordered; a claim is one order, whatever it consists of.
fn ordered(facts: &mut LabFacts, world: &World, lab: &Lab<'_>, now: DateTime<Utc>) {
    let given = |fact: Known<i64>| world.sources.given(SourceName::Babylon, fact);
    let mut orders: BTreeMap<&str, Vec<&Part>> = BTreeMap::new();
    for part in lab.parts.iter().filter(|part| !part.teardown_failed && !tearing_down(part)) {
        if let Some(claim) = &part.claim {
            orders.entry(claim).or_default().push(part);
        }
    }
    // Of a lab that no item belongs to, nobody knows what was ordered.
    let is_known = !lab.items.is_empty() || !lab.pools.is_empty();
    let mapped = |fact: Known<i64>| given(if is_known { fact } else { Err(UnknownReason::MissingField) });
    let some = |wanted: &dyn Fn(&Part) -> bool| count(orders.values().filter(|parts| parts.iter().any(|part| wanted(part))).count());
    let started = orders
        .values()
        .filter(|parts| parts.iter().all(|part| part.class == SubjectClass::Started));
    facts.started = mapped(count(started.count()));
    facts.orders = mapped(count(orders.len()));
    let usable = lab.pools.iter().map(|pool| pool.fill.usable.map(i64::from)).sum::<Option<i64>>();
    facts.ready_handles = mapped(usable.ok_or(UnknownReason::MissingField));
    facts.provision_failed = mapped(some(&provision_failed));
    facts.unstarted = mapped(some(&unstarted));
    let oldest = lab
        .parts
        .iter()
        .filter(|part| unstarted(part))
        .filter_map(|part| part.created_at)
        .min();
    facts.oldest_unstarted_seconds = mapped(seconds_since(oldest, now));
    let estimate = lab.items.iter().filter_map(|item| world.items.get(*item)?.estimate_s).max();
    facts.has_provision_estimate = world.sources.given(SourceName::Babylon, Ok(estimate.is_some()));
    facts.provision_estimate_seconds = given(estimate.ok_or(UnknownReason::MissingField));
    facts.teardown_failed = mapped(count(lab.parts.iter().filter(|part| part.teardown_failed).count()));
    facts.tearing_down = mapped(count(lab.parts.iter().filter(|part| tearing_down(part)).count()));
    let since = |wanted: &dyn Fn(&Part) -> bool| {
        lab.parts
            .iter()
            .filter(|part| wanted(part))
            .filter_map(|part| part.teardown_since)
            .min()
    };
    facts.destroying_oldest_seconds = mapped(seconds_since(since(&tearing_down), now));
    facts.oldest_teardown_seconds = mapped(seconds_since(since(&|part| part.teardown_failed || tearing_down(part)), now));
}

fn oldest_first<'w>(lab: &Lab<'w>, wanted: impl Fn(&Part) -> bool) -> Vec<&'w Part> {
    let mut parts: Vec<&Part> = lab.parts.iter().copied().filter(|part| wanted(part)).collect();
    parts.sort_by_key(|part| (part.created_at, &part.key));
    parts
}

fn parts(parts: &[&Part], since: impl Fn(&Part) -> Option<DateTime<Utc>>) -> Vec<EvidenceRef> {
    let each = parts.iter().map(|part| {
        let state = if part.state.is_empty() { "new" } else { &part.state };
        let since = since(part).map_or_else(String::new, |at| format!(" since {}", at.format("%Y-%m-%d %H:%M UTC")));
        reference("subject", &part.key, format!("{}: {state}{since}", part.name))
    });
    each.collect()
}

fn smoke(facts: &mut LabFacts, evidence: &mut BTreeMap<Group, Vec<EvidenceRef>>, world: &World, lab: &Lab<'_>, now: DateTime<Utc>) {
    let given = |fact: Known<i64>| world.sources.given(SourceName::Demolition, fact);
    let with_result = || lab.smoke_runs.iter().filter(|row| has_result(&row.run));
    let newest = with_result().max_by_key(|row| (row.seen_at, row.run.id));
    facts.smoke_runs = given(count(with_result().count()));
    facts.smoke_total = given(newest.and_then(|row| row.run.total).ok_or(UnknownReason::MissingField));
    facts.smoke_failed = given(newest.and_then(|row| row.run.failed).ok_or(UnknownReason::MissingField));
    facts.smoke_age_seconds = given(seconds_since(newest.map(|row| row.seen_at), now));
    let named = newest.map(|row| {
        let number = |number: Option<i64>| number.map_or_else(|| "unknown".to_owned(), |number| number.to_string());
        let detail = format!("{} of {} failed", number(row.run.failed), number(row.run.total));
        reference("smoke-run", row.run.id.to_string(), detail)
    });
    evidence.insert(Group::SmokeRun, named.into_iter().collect());
}

fn failed(job: &JobRow) -> bool {
    matches!(job.status.as_str(), "failed" | "error")
}

/// Jobs of a phase that came to an end of their own, the newest first.
fn ended<'w>(lab: &Lab<'w>, phase: Phase) -> Vec<&'w JobRow> {
    let ended = |job: &&JobRow| job.phase == phase && (job.status == "successful" || failed(job));
    lab.jobs.iter().copied().filter(ended).collect()
}

fn failed_jobs(lab: &Lab<'_>, phase: Phase) -> Vec<EvidenceRef> {
    let failed = ended(lab, phase).into_iter().filter(|job| failed(job));
    failed.map(|job| reference("aap-job", &job.key, task(job))).collect()
}

fn task(job: &JobRow) -> &str {
    if job.task.is_empty() { "unknown task" } else { &job.task }
}

fn jobs(facts: &mut LabFacts, world: &World, lab: &Lab<'_>) {
    let given = |fact: Known<i64>| world.sources.given(SourceName::Aap, fact);
    let of = |phase| {
        let ended = ended(lab, phase);
        let mut tasks: BTreeMap<&str, usize> = BTreeMap::new();
        for job in ended.iter().filter(|job| failed(job)) {
            *tasks.entry(task(job)).or_default() += 1;
        }
        let top = tasks.iter().max_by_key(|(task, count)| (**count, std::cmp::Reverse(**task)));
        let top = top.map(|(task, _)| (*task).to_owned()).ok_or(UnknownReason::MissingField);
        (
            given(count(ended.len())),
            given(count(ended.iter().filter(|job| failed(job)).count())),
            given(Ok(tally::failed_in_a_row(ended.iter().map(|job| failed(job))))),
            world.sources.given(SourceName::Aap, top),
        )
    };
    (
        facts.provision_jobs,
        facts.provision_jobs_failed,
        facts.provision_jobs_failed_in_a_row,
        facts.provision_top_task,
    ) = of(Phase::Provision);
    (
        facts.destroy_jobs,
        facts.destroy_jobs_failed,
        facts.destroy_jobs_failed_in_a_row,
        facts.destroy_top_task,
    ) = of(Phase::Destroy);
}

/// What runs on clusters. A cluster that was not read lately makes all of it unknown, for the instances that are there and for those that may be.
fn running(facts: &mut LabFacts, evidence: &mut BTreeMap<Group, Vec<EvidenceRef>>, world: &World, key: &str, now: DateTime<Utc>) {
    let none = LabReadiness::default();
    let lab = world.readiness.get(key).unwrap_or(&none);
    let clusters: Vec<&ClusterRow> = world
        .clusters
        .iter()
        .filter(|cluster| lab.instances.contains_key(&cluster.id))
        .collect();
    let asked: Vec<&ClusterRow> = if clusters.is_empty() {
        world.clusters.iter().collect()
    } else {
        clusters.clone()
    };
    let reliable = match asked.as_slice() {
        [] => Err(UnknownReason::NotCollected),
        asked => asked.iter().try_for_each(|cluster| cluster.reliable(now)),
    };
    facts.instances = reliable.map(|()| lab.instances.values().sum());
    facts.showroom_failing = reliable.map(|()| lab.showroom_failing);
    facts.route_missing = reliable.and_then(|()| told(lab.route_missing, &lab.route_doubt));
    facts.agent_missing = reliable.and_then(|()| told(lab.agent_missing, &lab.agent_doubt));
    let busiest = clusters
        .iter()
        .filter_map(|cluster| Some((*cluster, cluster.cpu_pct?)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b));
    let known = reliable.and(busiest.ok_or(UnknownReason::MissingField));
    facts.busiest_cluster_cpu_percent = known.map(|(_, percent)| percent);
    facts.busiest_cluster = known.map(|(cluster, _)| cluster.name.clone());
    evidence.insert(
        Group::Clusters,
        clusters.iter().map(|cluster| super::cluster::evidence(cluster)).collect(),
    );
    for (group, stage) in [
        (Group::FailingShowrooms, Stage::ShowroomHealthy),
        (Group::MissingRoutes, Stage::RouteReady),
        (Group::MissingAgents, Stage::VmRuntimeReady),
    ] {
        let named = lab.failing.iter().filter(|instance| instance.stage == stage).map(|instance| {
            let class = instance.class.as_deref().unwrap_or("unclassified");
            reference("instance", instance.id.to_string(), format!("{}: {class}", instance.namespace))
        });
        evidence.insert(group, named.collect());
    }
}

/// Some are enough; none are none only when each could be told. What is on its way, off or blocked by an earlier stage is not missing.
fn told(found: i64, doubts: &[String]) -> Known<i64> {
    let harmless = [
        UnknownReason::Progressing,
        UnknownReason::IntentionallyStopped,
        UnknownReason::Terminating,
    ];
    let doubt = doubts
        .iter()
        .filter_map(|reason| UnknownReason::parse(reason))
        .find(|reason| !harmless.contains(reason));
    match doubt {
        Some(reason) if found == 0 => Err(reason),
        _ => Ok(found),
    }
}

fn definition(facts: &mut LabFacts, evidence: &mut BTreeMap<Group, Vec<EvidenceRef>>, world: &World, lab: &Lab<'_>) {
    let heaviest = components(world, lab)
        .map(|component| (component, tally::complexity(&component.constraints)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b));
    let complexity = heaviest.map(|(_, complexity)| complexity).ok_or(UnknownReason::MissingField);
    facts.complexity = world.sources.given(SourceName::Agnosticv, complexity);
    let named =
        heaviest.map(|(component, complexity)| reference("component", &component.uid, format!("{}: {complexity:.2}", component.name)));
    evidence.insert(Group::Component, named.into_iter().collect());
}

impl ClusterRow {
    /// Whether its namespaces and pods were read within twice their interval.
    fn reliable(&self, now: DateTime<Utc>) -> Known<()> {
        for name in ["namespace", "pod"] {
            let kind = self.kinds.get(name).ok_or(UnknownReason::NotCollected)?;
            let read = kind.last_success_at.ok_or(UnknownReason::NotCollected)?;
            if now - read > TimeDelta::seconds(i64::from(kind.interval_s) * 2) {
                return Err(UnknownReason::Stale);
            }
        }
        Ok(())
    }
}
