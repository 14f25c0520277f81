//! AnarchySubjects as evidence: those of the service of an instance, with all components of its order.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use stargate_common::db::{DbError, subject_states};
use stargate_common::objects::Subject;
use stargate_common::provisioning::link::{Link, NodeKind, reason};
use stargate_common::provisioning::subject::AnarchySubject;
use stargate_common::provisioning::{RecordKind, Strength};

use super::{Heard, Said};
use crate::link::Joined;

const SUBJECT: NodeKind = NodeKind::Record(RecordKind::Subject);
const HANDLE: NodeKind = NodeKind::Record(RecordKind::ResourceHandle);

/// Clusters of which Babylon can say that an instance has no subject: something on them is known to be of its making.
pub(super) fn covered(joined: &Joined) -> BTreeSet<String> {
    let links = &joined.resolved.links;
    let booked = [SUBJECT, NodeKind::Record(RecordKind::Placement)];
    let instances: BTreeSet<&str> = links
        .iter()
        .filter(|link| link.from.0 == NodeKind::Instance && booked.contains(&link.to.0) && link.strength > Strength::Weak)
        .map(|link| link.from.1.as_str())
        .collect();
    let of_instances = joined
        .world
        .instances
        .iter()
        .filter(|instance| instances.contains(instance.id.as_str()));
    let named = links.iter().filter(|link| link.to.0 == NodeKind::Cluster);
    of_instances
        .map(|instance| instance.cluster.clone())
        .chain(named.map(|link| link.to.1.clone()))
        .collect()
}

/// Subjects of every instance of which it is known which ones these are, perhaps none. A guess by name is not evidence.
pub(super) async fn of_instances(
    conn: &mut PgConnection,
    heard: &Heard,
    joined: &Joined,
    narrowed: bool,
) -> Result<Said<Subject>, DbError> {
    let world = &joined.world;
    let by_uid: BTreeMap<&str, &AnarchySubject> = world.subjects.iter().map(|subject| (subject.uid.as_str(), subject)).collect();
    let edges = Edges::of(&joined.resolved.links);
    let entered = subject_states::entered(conn, &by_uid.keys().copied().collect::<Vec<_>>(), heard.observed_at).await?;
    let unclear: BTreeSet<&str> = joined
        .resolved
        .unmatched
        .iter()
        .filter(|one| one.kind == NodeKind::Instance && one.reason.starts_with(reason::AMBIGUOUS))
        .map(|one| one.key.as_str())
        .collect();
    let mut said = Said::new();
    for instance in &world.instances {
        let own = edges.subjects.get(instance.id.as_str());
        let known = match own {
            Some(subjects) => subjects.iter().all(|(_, strength)| *strength > Strength::Weak),
            // It may have come after the subjects were read, or be of another event.
            None => !narrowed && !unclear.contains(instance.id.as_str()) && instance.created_at.is_some_and(|at| at < heard.observed_at),
        };
        let uids = own.into_iter().flatten().flat_map(|(uid, _)| edges.components(uid));
        let subjects: BTreeMap<&str, &AnarchySubject> = uids
            .filter_map(|uid| by_uid.get_key_value(uid))
            .map(|(uid, it)| (*uid, *it))
            .collect();
        if !known || subjects.values().any(|subject| heard.refused(&subject.name)) {
            continue;
        }
        let evidence = subjects
            .values()
            .map(|subject| evidence_of(subject, entered.get(&subject.uid), heard.observed_at));
        let mut evidence: Vec<Subject> = evidence.collect();
        evidence.sort_by(|a, b| a.name.cmp(&b.name));
        said.insert(instance.id.clone(), evidence);
    }
    Ok(said)
}

/// Which subjects an instance has, and which belong to one order.
struct Edges<'a> {
    subjects: BTreeMap<&'a str, Vec<(&'a str, Strength)>>,
    handle: BTreeMap<&'a str, &'a str>,
    of_handle: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Edges<'a> {
    fn of(links: &'a [Link]) -> Self {
        let mut edges = Self {
            subjects: BTreeMap::new(),
            handle: BTreeMap::new(),
            of_handle: BTreeMap::new(),
        };
        for link in links {
            let (from, to) = (link.from.1.as_str(), link.to.1.as_str());
            if link.from.0 == NodeKind::Instance && link.to.0 == SUBJECT {
                edges.subjects.entry(from).or_default().push((to, link.strength));
            } else if link.from.0 == SUBJECT && link.to.0 == HANDLE {
                edges.handle.insert(from, to);
                edges.of_handle.entry(to).or_default().push(from);
            }
        }
        edges
    }

    /// A subject and the others of its order.
    fn components(&self, uid: &'a str) -> impl Iterator<Item = &'a str> {
        let others = self.handle.get(uid).and_then(|handle| self.of_handle.get(handle));
        std::iter::once(uid).chain(others.into_iter().flatten().copied())
    }
}

/// What is judged of a subject. `entered` is the last change of its state that a collection saw.
fn evidence_of(subject: &AnarchySubject, entered: Option<&subject_states::Entered>, observed_at: DateTime<Utc>) -> Subject {
    let job = subject.jobs.get("provision");
    let action = subject.actions.get("provision");
    let status = |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned();
    let job_status = status(job.map(|job| &job.status))
        .or_else(|| status(subject.sandbox_jobs.get("provision")))
        .or_else(|| status(action.map(|action| &action.state)));
    let seen = entered
        .filter(|entered| entered.state == subject.current_state)
        .map(|entered| entered.at);
    let mut state_since = seen.or_else(|| said_since(subject));
    // A stopped service that is wanted again is on its way since somebody wanted it, not since it stopped.
    if subject.current_state == "stopped" && subject.desired_state == "started" {
        let wanted = subject.schedule.start.filter(|start| *start <= observed_at);
        state_since = state_since.max(wanted);
    }
    Subject {
        name: subject.name.clone(),
        current_state: subject.current_state.clone(),
        desired_state: subject.desired_state.clone(),
        provision_job_status: job_status.unwrap_or_default(),
        provision_job: job.and_then(|job| Some(format!("{}/{}", job.host, job.id?))).unwrap_or_default(),
        provision_job_completed_at: job
            .and_then(|job| job.completed_at)
            .or_else(|| action.and_then(|action| action.completed_at)),
        sandbox_api_job: subject.sandbox_jobs.contains_key("provision"),
        healthy: subject.healthy,
        run_status: subject.run_status.clone(),
        created_at: subject.created_at,
        state_since,
        deleting: subject.deleting_since.is_some(),
    }
}

/// Since when a subject is in its state, by the times of its actions and their jobs.
fn said_since(subject: &AnarchySubject) -> Option<DateTime<Utc>> {
    let began = |name: &str| {
        let action = subject.actions.get(name).and_then(|action| action.started_at);
        action.or_else(|| subject.jobs.get(name).and_then(|job| job.started_at))
    };
    let ended = |name: &str| {
        let action = subject.actions.get(name).and_then(|action| action.completed_at);
        action.max(subject.jobs.get(name).and_then(|job| job.completed_at))
    };
    match subject.current_state.as_str() {
        "" | "provision-queued" | "provision-pending" => subject.created_at,
        "provisioning" => began("provision"),
        "starting" => began("start"),
        "stopping" => began("stop"),
        "updating" => began("update"),
        "destroying" => began("destroy"),
        "started" => ended("provision").max(ended("start")).max(ended("update")),
        "stopped" => ended("stop"),
        state => {
            let (action, ending) = state.rsplit_once('-')?;
            matches!(ending, "failed" | "error" | "canceled" | "complete").then(|| ended(action))?
        }
    }
}

#[cfg(test)]
mod tests;
