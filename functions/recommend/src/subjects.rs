//! From what is stored to the facts that rules ask for. Pure: the time is an argument.

mod cluster;
mod lab;
mod platform;
mod pool;
mod sessions;

use chrono::{DateTime, Utc};
use stargate_common::db::recommendations::Sample;
use stargate_common::policy::evaluate::{EvidenceRef, Subject};
use stargate_common::policy::input::Known;
use stargate_common::unknown::UnknownReason;

use crate::load::World;

pub use self::cluster::samples as cluster_samples;
pub use self::platform::samples as platform_samples;

/// Everything that rules are asked about.
#[must_use]
pub fn all(world: &World, now: DateTime<Utc>) -> Vec<Subject> {
    let mut subjects = lab::all(world, now);
    subjects.extend(pool::all(world, now));
    subjects.extend(cluster::all(world, now));
    subjects.push(platform::one(world, now));
    subjects
}

/// What is measured now and asked about over time.
#[must_use]
pub fn samples(world: &World) -> Vec<Sample> {
    let mut samples = cluster_samples(world);
    samples.extend(platform_samples(world));
    samples
}

fn reference(kind: &str, key: impl Into<String>, detail: impl Into<String>) -> EvidenceRef {
    EvidenceRef {
        kind: kind.to_owned(),
        key: key.into(),
        detail: detail.into(),
    }
}

fn count(count: usize) -> Known<i64> {
    i64::try_from(count).map_err(|_| UnknownReason::NotComputable)
}

/// Whole seconds from a moment to now; unknown when nobody noted the moment.
fn seconds_since(moment: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Known<i64> {
    moment.map(|moment| (now - moment).num_seconds()).ok_or(UnknownReason::MissingField)
}

#[cfg(test)]
mod tests;
