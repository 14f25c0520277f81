//! Facts of clusters.

use chrono::{DateTime, TimeDelta, Utc};
use stargate_common::db::recommendations::Sample;
use stargate_common::policy::evaluate::{EvidenceRef, Subject};
use stargate_common::policy::input::{ClusterFacts, Facts, Group, Known};
use stargate_common::policy::{Scope, tally};
use stargate_common::unknown::UnknownReason;

use super::{count, reference};
use crate::load::{ClusterRow, World};

/// How long a kind may go unread before somebody should look. Source: readiness-domain 7.3, `scanner_blind`.
const BLIND: TimeDelta = TimeDelta::minutes(30);
/// How many samples, of what time, make something last. Source: readiness-domain 7.3, `cluster_capacity`.
const SUSTAINED: usize = 3;
const SUSTAINED_WITHIN: TimeDelta = TimeDelta::hours(1);
/// Series of measurements, and the kind whose reading brings a new one.
const CPU: (&str, &str) = ("cluster_cpu_percent", "node-metrics");
const VMS: (&str, &str) = ("cluster_vms_per_node", "virtual-machine-instance");

/// Every cluster that is watched.
pub(super) fn all(world: &World, now: DateTime<Utc>) -> Vec<Subject> {
    world.clusters.iter().map(|cluster| subject(world, cluster, now)).collect()
}

/// Measurements that are new: of readings that are judged already.
#[must_use]
pub fn samples(world: &World) -> Vec<Sample> {
    let mut samples = Vec::new();
    for cluster in &world.clusters {
        for ((series, kind), value) in [(CPU, cluster.cpu_pct), (VMS, vms_per_node(cluster))] {
            let read = cluster.kinds.get(kind).and_then(|kind| kind.last_success_at);
            let judged = read.filter(|read| cluster.evaluated_as_of.is_some_and(|as_of| as_of >= *read));
            if let (Some(at), Some(value)) = (judged, value) {
                let (series, key) = (series.to_owned(), cluster.name.clone());
                samples.push(Sample { series, key, at, value });
            }
        }
    }
    samples
}

fn vms_per_node(cluster: &ClusterRow) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "clusters have fewer than 2^52 nodes")]
    let nodes = cluster.ready_nodes.filter(|nodes| *nodes > 0)? as f64;
    Some(f64::from(cluster.vms?) / nodes)
}

fn subject(world: &World, cluster: &ClusterRow, now: DateTime<Utc>) -> Subject {
    let mut subject = Subject::unknown(Scope::Cluster, &cluster.name);
    let known = |value: Option<f64>, kind: &str| fresh(cluster, kind, now).and(value.ok_or(UnknownReason::MissingField));
    let sustained = |(series, kind): (&str, &str)| {
        let samples = world.samples.get(&(series.to_owned(), cluster.name.clone()));
        let lasts = tally::sustained(samples.map_or(&[], Vec::as_slice), SUSTAINED, now - SUSTAINED_WITHIN);
        fresh(cluster, kind, now).and(lasts)
    };
    let blind: Vec<(&str, TimeDelta)> = blind(cluster, now);
    let was_read = !cluster.kinds.is_empty();
    let read = |fact: Known<i64>| if was_read { fact } else { Err(UnknownReason::NotCollected) };
    let longest = blind.iter().map(|(_, since)| since.num_seconds()).max().unwrap_or(0);
    subject.facts = Facts::Cluster(Box::new(ClusterFacts {
        reachable: cluster.reachable.ok_or(UnknownReason::NotCollected),
        cpu_percent: known(cluster.cpu_pct, CPU.1),
        sustained_cpu_percent: sustained(CPU),
        vms: fresh(cluster, VMS.1, now).and(cluster.vms.map(i64::from).ok_or(UnknownReason::MissingField)),
        ready_nodes: fresh(cluster, "node", now).and(cluster.ready_nodes.ok_or(UnknownReason::MissingField)),
        vms_per_node: known(vms_per_node(cluster), VMS.1),
        sustained_vms_per_node: sustained(VMS),
        memory_percent: known(cluster.mem_pct, CPU.1),
        blind_kinds: read(count(blind.len())),
        longest_blind_seconds: read(Ok(longest)),
        provisioning: fresh(cluster, "namespace", now).map(|()| cluster.instances > 0),
        crash_loops: fresh(cluster, "pod", now).map(|()| cluster.crash_loops),
        failing_labs: fresh(cluster, "pod", now).map(|()| cluster.failing_labs),
        // Nobody reads the metrics of accelerators yet, and their use is never guessed.
        ..ClusterFacts::default()
    }));
    let kinds = blind.iter().map(|(kind, since)| {
        let row = cluster.kinds.get(*kind);
        let why = row.and_then(|row| row.missing.as_deref()).unwrap_or("stale");
        let detail = row.map(|row| row.detail.as_str()).unwrap_or_default();
        reference(
            "kind",
            *kind,
            format!("{why} for {} min {detail}", since.num_minutes()).trim().to_owned(),
        )
    });
    subject.evidence.insert(Group::BlindKinds, kinds.collect());
    subject.evidence.insert(Group::Clusters, vec![evidence(cluster)]);
    subject
}

/// Whether a kind was read within twice its interval.
fn fresh(cluster: &ClusterRow, kind: &str, now: DateTime<Utc>) -> Known<()> {
    let row = cluster.kinds.get(kind).ok_or(UnknownReason::NotCollected)?;
    match row.last_success_at {
        None => Err(row
            .missing
            .as_deref()
            .and_then(UnknownReason::parse)
            .unwrap_or(UnknownReason::NotCollected)),
        Some(at) if now - at > TimeDelta::seconds(i64::from(row.interval_s) * 2) => Err(UnknownReason::Stale),
        Some(_) => Ok(()),
    }
}

/// Kinds that could not be read for long, each with how long. What a cluster does not serve is an answer.
fn blind(cluster: &ClusterRow, now: DateTime<Utc>) -> Vec<(&str, TimeDelta)> {
    let blind = cluster.kinds.iter().filter_map(|(kind, row)| {
        if row.missing.as_deref() == Some(UnknownReason::ApiAbsent.as_str()) {
            return None;
        }
        let unread = now - row.last_success_at.or(cluster.first_seen_at)?;
        // What is read once an hour is not blind after half of it.
        let allowed = BLIND.max(TimeDelta::seconds(i64::from(row.interval_s) * 2));
        let too_long = if row.missing.is_some() {
            BLIND.max(TimeDelta::seconds(row.interval_s.into()))
        } else {
            allowed
        };
        (unread > too_long).then_some((kind.as_str(), unread))
    });
    blind.collect()
}

pub(super) fn evidence(cluster: &ClusterRow) -> EvidenceRef {
    let percent = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.1} %"));
    let api = match cluster.reachable {
        Some(true) => String::new(),
        Some(false) => format!(", does not answer: {}", cluster.detail),
        None => ", never asked".to_owned(),
    };
    reference(
        "cluster",
        &cluster.name,
        format!("CPU {}, memory {}{api}", percent(cluster.cpu_pct), percent(cluster.mem_pct)),
    )
}
