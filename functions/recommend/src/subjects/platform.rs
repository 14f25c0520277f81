//! Facts of the platform as a whole.

use chrono::{DateTime, TimeDelta, Utc};
use stargate_common::db::recommendations::Sample;
use stargate_common::policy::evaluate::Subject;
use stargate_common::policy::input::{Facts, Group, Known, PlatformFacts};
use stargate_common::policy::{PLATFORM, Scope, tally};
use stargate_common::provisioning::placement::SandboxCluster;
use stargate_common::provisioning::sli::Outcome;
use stargate_common::sources::SourceName;
use stargate_common::unknown::UnknownReason;

use super::{count, reference};
use crate::load::{Provision, World};

/// The row of the Sandbox API as a whole.
const WHOLE: &str = "*";
/// Over which time a queue is watched. Source: readiness-domain 7.3, `sandbox_api_degraded`.
const QUEUE_SPAN: TimeDelta = TimeDelta::minutes(15);
const QUEUE: &str = "queued_placements";

pub(super) fn one(world: &World, now: DateTime<Utc>) -> Subject {
    let mut subject = Subject::unknown(Scope::Platform, PLATFORM);
    let babylon = |fact: Known<i64>| world.sources.given(SourceName::Babylon, fact);
    let sandbox = |fact: Known<i64>| world.sources.given(SourceName::SandboxApi, fact);
    let failed: Vec<&Provision> = ended(world, &[Outcome::Failed, Outcome::Error]);
    let successful = ended(world, &[Outcome::Succeeded]).len();
    let finished = failed.len() + successful;
    #[expect(clippy::cast_precision_loss, reason = "counts of a day are far below 2^52")]
    let success = (finished > 0).then(|| successful as f64 * 100.0 / finished as f64);
    let whole = world.sandbox.iter().find(|row| row.name == WHOLE);
    let of_whole = |get: fn(&SandboxCluster) -> Option<i64>| sandbox(whole.and_then(get).ok_or(UnknownReason::MissingField));
    let samples = world.samples.get(&(QUEUE.to_owned(), WHOLE.to_owned()));
    let samples: Vec<tally::Sample> = samples
        .into_iter()
        .flatten()
        .filter(|(at, _)| *at >= now - QUEUE_SPAN * 3)
        .copied()
        .collect();
    let full: Vec<&SandboxCluster> = world
        .sandbox
        .iter()
        .filter(|row| row.name != WHOLE && row.rate_free == Some(0))
        .collect();
    subject.facts = Facts::Platform(Box::new(PlatformFacts {
        provisions_finished: babylon(count(finished)),
        provisions_failed: babylon(count(failed.len())),
        provisions_canceled: babylon(count(ended(world, &[Outcome::Canceled]).len())),
        provision_success_percent: world
            .sources
            .given(SourceName::Babylon, success.ok_or(UnknownReason::NotComputable)),
        sandbox_healthy: world.sources.given(
            SourceName::SandboxApi,
            whole.and_then(|row| row.healthy).ok_or(UnknownReason::MissingField),
        ),
        sandbox_replicas_ready: of_whole(|row| row.replicas_ready),
        sandbox_replicas_wanted: of_whole(|row| row.replicas_wanted),
        queued_placements: of_whole(|row| row.queued_placements),
        queue_rising: world.sources.given(SourceName::SandboxApi, tally::rising(&samples, QUEUE_SPAN)),
        clusters_without_slots: sandbox(count(full.len())),
    }));
    let refused = failed.iter().map(|provision| {
        let at = provision.ended_at.format("%Y-%m-%d %H:%M UTC");
        reference(
            "subject",
            &provision.key,
            format!("{}: {} at {at}", provision.name, provision.outcome.as_str()),
        )
    });
    subject.evidence.insert(Group::FailedProvisions, refused.collect());
    let slots = full.iter().map(|row| reference("sandbox-cluster", &row.name, "no slots left"));
    subject.evidence.insert(Group::ClustersWithoutSlots, slots.collect());
    let api = whole.map(|row| {
        let word = match row.healthy {
            Some(true) => "healthy",
            Some(false) => "not healthy",
            None => "health unknown",
        };
        reference("sandbox-cluster", WHOLE, word)
    });
    subject.evidence.insert(Group::SandboxApi, api.into_iter().collect());
    subject
}

/// Provisions that ended so, the newest first.
fn ended<'w>(world: &'w World, outcomes: &[Outcome]) -> Vec<&'w Provision> {
    let mut ended: Vec<&Provision> = world
        .provisions
        .iter()
        .filter(|provision| outcomes.contains(&provision.outcome))
        .collect();
    ended.sort_by(|a, b| (b.ended_at, &b.key).cmp(&(a.ended_at, &a.key)));
    ended
}

/// How many placements wait, as of the newest reading.
#[must_use]
pub fn samples(world: &World) -> Vec<Sample> {
    let waiting = world
        .sandbox
        .iter()
        .find(|row| row.name == WHOLE)
        .and_then(|row| row.queued_placements);
    match (world.sources.read_at(SourceName::SandboxApi), waiting) {
        #[expect(clippy::cast_precision_loss, reason = "a queue is far below 2^52")]
        (Ok(at), Some(waiting)) => vec![Sample {
            series: QUEUE.to_owned(),
            key: WHOLE.to_owned(),
            at,
            value: waiting as f64,
        }],
        _ => Vec::new(),
    }
}
