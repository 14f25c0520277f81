//! Facts of pools.

use chrono::{DateTime, Utc};
use stargate_common::policy::Scope;
use stargate_common::policy::evaluate::{EvidenceRef, Subject};
use stargate_common::policy::input::{Facts, Group, Known, PoolFacts};
use stargate_common::provisioning::pool_state::{Sample, Trend, velocity};
use stargate_common::sources::SourceName;
use stargate_common::unknown::UnknownReason;

use super::reference;
use super::sessions::Coming;
use crate::load::{PoolRow, World};

/// Every pool that is not being deleted.
pub(super) fn all(world: &World, now: DateTime<Utc>) -> Vec<Subject> {
    let there = world.pools.iter().filter(|row| row.pool.deleting_since.is_none());
    there.map(|row| subject(world, row, now)).collect()
}

fn subject(world: &World, row: &PoolRow, now: DateTime<Utc>) -> Subject {
    let mut subject = Subject::unknown(Scope::Pool, &format!("{}/{}", row.pool.namespace, row.pool.name));
    let babylon = |fact: Known<i64>| world.sources.given(SourceName::Babylon, fact);
    let labs: Vec<&str> = row.items.iter().filter_map(|item| world.items.get(item)?.lab.as_deref()).collect();
    let coming = Coming::of(
        world.sessions.iter().filter(|session| labs.contains(&session.lab_code.as_str())),
        now,
    );
    let planned = |fact: Known<i64>| {
        // Whom a pool serves that belongs to no lab, nobody knows.
        let fact = if labs.is_empty() { Err(UnknownReason::MissingField) } else { fact };
        world.sources.given(SourceName::Labagator, babylon(fact))
    };
    let counted = |count: Option<u32>| babylon(count.map(i64::from).ok_or(UnknownReason::MissingField));
    let speed = velocity(&row.samples).ok_or(UnknownReason::Progressing);
    let depleting = speed.and_then(|speed| {
        speed
            .hours_to_empty
            .filter(|_| speed.trend == Trend::Depleting)
            .ok_or(UnknownReason::NotComputable)
    });
    subject.facts = Facts::Pool(Box::new(PoolFacts {
        minimum: babylon(Ok(i64::from(row.fill.min_available))),
        usable: counted(row.fill.usable),
        available: counted(row.fill.available),
        unready: counted(row.fill.unready),
        claimed: babylon(Ok(i64::from(row.fill.claimed))),
        creation_disabled: row.creation_disabled,
        unusable_seconds: babylon(unusable_seconds(row, now)),
        sessions: planned(coming.number()),
        next_session_in_seconds: planned(coming.next_in_seconds(now)),
        velocity_per_hour: world.sources.given(SourceName::Babylon, speed.map(|speed| speed.per_hour)),
        hours_to_empty: world.sources.given(SourceName::Babylon, depleting),
    }));
    subject.evidence.insert(Group::Pools, vec![evidence(row)]);
    subject.evidence.insert(Group::Sessions, coming.evidence());
    subject
}

/// For how long handles have been there of which none is usable.
fn unusable_seconds(row: &PoolRow, now: DateTime<Utc>) -> Known<i64> {
    match row.fill.usable {
        None => return Err(UnknownReason::MissingField),
        Some(0) => {}
        Some(_) => return Ok(0),
    }
    let is_so = |sample: &&Sample| sample.usable == 0 && sample.available > 0;
    let first = row.samples.iter().rev().take_while(is_so).last();
    Ok(first.map_or(0, |sample| (now - sample.at).num_seconds()))
}

pub(super) fn evidence(row: &PoolRow) -> EvidenceRef {
    let number = |count: Option<u32>| count.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    let fill = &row.fill;
    let detail = format!(
        "{}/{}: usable {}, existing {}, minimum {}",
        row.pool.namespace,
        row.pool.name,
        number(fill.usable),
        number(fill.available),
        fill.min_available
    );
    reference("resource-pool", &row.pool.uid, detail)
}
