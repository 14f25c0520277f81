//! Smoke runs as evidence: of an instance, those of its lab and of its workshop.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use stargate_common::evidence::thresholds::SMOKE_REHEARSAL_WORKERS;
use stargate_common::objects::SmokeRun;
use stargate_common::provisioning::event::SmokeSession;
use stargate_common::provisioning::link::{Link, NodeKind};
use stargate_common::provisioning::{Record as _, RecordKind, Strength};

use super::{Heard, Said};
use crate::link::Joined;

/// What a run or an instance belongs to: a lab or a workshop.
type Place<'a> = (NodeKind, &'a str);

/// Runs of every instance whose lab or workshop is known, perhaps none. `ages` holds the earliest time that each result can have come.
pub(super) fn of_instances(heard: &Heard, joined: &Joined, ages: &BTreeMap<String, Option<DateTime<Utc>>>) -> Said<SmokeRun> {
    let links = &joined.resolved.links;
    let sessions: BTreeMap<String, &SmokeSession> = joined.world.smoke_sessions.iter().map(|session| (session.key(), session)).collect();
    let mut runs: BTreeMap<Place<'_>, Vec<(&SmokeSession, Strength)>> = BTreeMap::new();
    for (link, session) in from(links, RecordKind::SmokeRun.into()).filter_map(|link| Some((link, *sessions.get(&link.from.1)?))) {
        runs.entry((link.to.0, &link.to.1)).or_default().push((session, link.strength));
    }
    let mut places: BTreeMap<&str, Vec<(Place<'_>, Strength)>> = BTreeMap::new();
    for link in from(links, NodeKind::Instance) {
        places
            .entry(&link.from.1)
            .or_default()
            .push(((link.to.0, &link.to.1), link.strength));
    }
    let mut said = Said::new();
    for (instance, places) in places {
        let mut found: BTreeMap<i64, (&SmokeSession, Strength)> = BTreeMap::new();
        for (place, strength) in places {
            for (session, joined) in runs.get(&place).into_iter().flatten() {
                let surest = found.entry(session.id).or_insert((session, Strength::Weak));
                surest.1 = surest.1.max(strength.min(*joined));
            }
        }
        if found.keys().any(|id| heard.refused(&id.to_string())) {
            continue;
        }
        let counted = counted(&found.values().map(|(session, _)| *session).collect::<Vec<_>>());
        let runs = found.into_iter().filter(|(id, _)| counted.contains(id));
        let runs = runs.map(|(_, (session, strength))| evidence_of(session, strength, ages.get(&session.key()).copied().flatten()));
        said.insert(instance.to_owned(), runs.collect());
    }
    said
}

/// Edges from one kind to what smoke runs belong to.
fn from(links: &[Link], kind: NodeKind) -> impl Iterator<Item = &Link> {
    let places = [NodeKind::Record(RecordKind::Lab), NodeKind::Record(RecordKind::Workshop)];
    links.iter().filter(move |link| link.from.0 == kind && places.contains(&link.to.0))
}

/// The newest run and the newest rehearsal: no criterion looks at another.
fn counted(sessions: &[&SmokeSession]) -> BTreeSet<i64> {
    let rehearsals = sessions
        .iter()
        .filter(|session| session.workers.is_some_and(|workers| workers > SMOKE_REHEARSAL_WORKERS));
    let newest = sessions.iter().map(|session| session.id).max();
    newest.into_iter().chain(rehearsals.map(|session| session.id).max()).collect()
}

/// What is judged of a run. A result that is told in part is none.
fn evidence_of(session: &SmokeSession, strength: Strength, not_before: Option<DateTime<Utc>>) -> SmokeRun {
    let result = || Some((session.total?, session.completed?, session.failed?));
    let (total, completed, failed) = result().unwrap_or_default();
    SmokeRun {
        id: session.id,
        workers: session.workers.unwrap_or_default(),
        total,
        completed,
        failed,
        assertions_passed: None,
        finished_at: not_before,
        guessed: strength == Strength::Weak,
    }
}

#[cfg(test)]
mod tests;
