//! Stage `cluster-health`: can this cluster carry labs? Observed once per cluster, shared by its instances.
//!
//! A mean counts only when enough compute nodes were measured lately; an empty list of nodes is unknown, never healthy.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::quantify::{self, Judged, Known};
use super::{MAX_MEMBERS, Member, Observation, StageEvidence, Value, quantity, thresholds};
use crate::objects::{ClusterInventory, JobBacklog, Listing, Node, NodeMetrics};
use crate::unknown::UnknownReason;

/// Criteria and facts of this stage. `cpu_percent` and `memory_percent` are means over the compute nodes.
pub const NAMES: &[&str] = &[
    "cluster_reachable",
    "cpu_usage_acceptable",
    "memory_usage_acceptable",
    "no_critical_alerts",
    "nodes_healthy",
    "no_hot_nodes",
    "no_failed_job_backlog",
    "cpu_percent",
    "memory_percent",
];

/// What of it is a number.
pub const NUMBERS: &[&str] = &["cpu_percent", "memory_percent"];

/// Observes a cluster.
#[must_use]
pub fn observe(cluster: &ClusterInventory, now: DateTime<Utc>) -> StageEvidence {
    let mut evidence = StageEvidence::default();
    let reachable = reachable(cluster);
    let refused = cluster.reachable.as_ref().is_some_and(|api| api.answered && !api.authorized);
    let gone = reachable.value == Value::Bool(false);
    let mut put = |name, observation: Observation| {
        let observation = match (name, refused, gone) {
            ("cluster_reachable", ..) => observation,
            (_, true, _) => Observation::unknown(UnknownReason::Unauthorized),
            (_, _, true) => Observation::unknown(UnknownReason::Unreachable),
            _ => observation,
        };
        evidence.observations.insert(name, observation);
    };
    put("cluster_reachable", reachable);
    let cpu = Usage::of(cluster, "cpu", now);
    let memory = Usage::of(cluster, "memory", now);
    put(
        "cpu_usage_acceptable",
        acceptable(&cluster.name, "CPU", &cpu, thresholds::CLUSTER_CPU_PERCENT),
    );
    put(
        "memory_usage_acceptable",
        acceptable(&cluster.name, "memory", &memory, thresholds::CLUSTER_MEMORY_PERCENT),
    );
    put("no_critical_alerts", alerts(&cluster.critical_alerts));
    put("nodes_healthy", nodes_healthy(&cluster.nodes));
    put("no_hot_nodes", hot_nodes(&cpu));
    put("no_failed_job_backlog", backlogs(&cluster.job_backlogs));
    put("cpu_percent", mean(&cpu));
    put("memory_percent", mean(&memory));
    evidence
}

/// Any answer counts. When nobody asked for the version, a list that was read proves as much.
fn reachable(cluster: &ClusterInventory) -> Observation {
    let member = |reason: String| Member {
        kind: "Cluster".to_owned(),
        name: cluster.name.clone(),
        reason,
    };
    match &cluster.reachable {
        Some(api) if api.answered => Observation::known(true),
        Some(api) => Observation {
            failing: vec![member(api.detail.clone())],
            failing_count: 1,
            ..Observation::known(false)
        },
        None => {
            let read = [
                cluster.nodes.missing,
                cluster.node_metrics.missing,
                cluster.operators.missing,
                cluster.versions.missing,
            ];
            if read.contains(&None) {
                Observation {
                    grade: super::Grade::Inferred,
                    ..Observation::known(true)
                }
            } else {
                Observation::unknown(UnknownReason::NotCollected)
            }
        }
    }
}

/// Load of the compute nodes in percent of what they can allocate, or why it is not known.
struct Usage(Result<BTreeMap<String, f64>, UnknownReason>);

impl Usage {
    fn of(cluster: &ClusterInventory, resource: &str, now: DateTime<Utc>) -> Self {
        Self(usage(&cluster.nodes, &cluster.node_metrics, resource, now))
    }
}

fn usage(
    nodes: &Listing<Node>,
    metrics: &Listing<NodeMetrics>,
    resource: &str,
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, f64>, UnknownReason> {
    if let Some(reason) = nodes.missing {
        return Err(reason);
    }
    let compute: Vec<&Node> = nodes.items.iter().filter(|node| is_compute(node)).collect();
    if compute.is_empty() {
        return Err(UnknownReason::NotCollected);
    }
    if let Some(reason) = metrics.missing.filter(|_| metrics.items.is_empty()) {
        return Err(reason);
    }
    let fresh = |sample: &&NodeMetrics| sample.timestamp.is_none_or(|at| now - at <= thresholds::NODE_SAMPLE_FRESH);
    let samples: BTreeMap<&str, &NodeMetrics> = metrics.items.iter().filter(fresh).map(|s| (s.metadata.name.as_str(), s)).collect();
    if samples.is_empty() && !metrics.items.is_empty() {
        return Err(UnknownReason::Stale);
    }
    let mut shares = BTreeMap::new();
    for node in &compute {
        let allocatable = node.status.allocatable.get(resource).and_then(|text| quantity::parse(text));
        let used = samples
            .get(node.metadata.name.as_str())
            .and_then(|s| quantity::parse(s.usage.get(resource)?));
        if let (Some(allocatable), Some(used)) = (allocatable.filter(|amount| *amount > 0.0), used) {
            shares.insert(node.metadata.name.clone(), 100.0 * used / allocatable);
        }
    }
    if count(shares.len()) < thresholds::NODE_SAMPLE_COVERAGE * count(compute.len()) {
        return Err(UnknownReason::Truncated);
    }
    Ok(shares)
}

/// A node that carries labs: schedulable, a worker or without role, not set aside for storage or, by a taint, for anything
/// else. Infrastructure nodes often keep the worker role beside theirs; idle, they would hide that the others are full.
fn is_compute(node: &Node) -> bool {
    let labels = &node.metadata.labels;
    let role = |name: &str| labels.contains_key(&format!("node-role.kubernetes.io/{name}"));
    let set_aside = ["control-plane", "master", "infra"].iter().any(|name| role(name)) && !role("worker");
    let storage = labels
        .keys()
        .any(|key| key == "cluster.ocs.openshift.io/openshift-storage" || key == "node-role.kubernetes.io/storage");
    let tainted = node.spec.taints.iter().any(crate::objects::cluster::Taint::sets_aside);
    !node.spec.unschedulable && !set_aside && !storage && !tainted
}

fn mean(usage: &Usage) -> Observation {
    match &usage.0 {
        Ok(shares) => Observation::of(Value::Number(shares.values().sum::<f64>() / count(shares.len().max(1)))),
        Err(reason) => Observation::unknown(*reason),
    }
}

fn acceptable(cluster: &str, what: &str, usage: &Usage, limit: f64) -> Observation {
    let (Ok(shares), Value::Number(mean)) = (&usage.0, mean(usage).value) else {
        return mean(usage);
    };
    if mean < limit {
        return Observation::known(true);
    }
    Observation {
        failing: vec![Member {
            kind: "Cluster".to_owned(),
            name: cluster.to_owned(),
            reason: format!("{what} at {mean:.1} % over {} compute nodes, limit {limit:.0} %", shares.len()),
        }],
        failing_count: 1,
        ..Observation::known(false)
    }
}

fn hot_nodes(cpu: &Usage) -> Observation {
    let shares = match &cpu.0 {
        Ok(shares) => shares,
        Err(reason) => return Observation::unknown(*reason),
    };
    let nodes = shares.iter().map(|(name, share)| Judged {
        kind: "Node",
        name: name.clone(),
        state: if *share > thresholds::HOT_NODE_PERCENT {
            Known::False(format!("CPU at {share:.1} %"))
        } else {
            Known::True
        },
    });
    quantify::all(nodes.collect(), None, Value::Unknown(UnknownReason::NotCollected))
}

fn alerts(alerts: &Listing<String>) -> Observation {
    match alerts.missing {
        Some(UnknownReason::NotCollected) => Observation::unknown(UnknownReason::NotProbed),
        missing => {
            let firing = alerts.items.iter().map(|alert| Judged {
                kind: "Alert",
                name: alert.clone(),
                state: Known::False("firing, not silenced".to_owned()),
            });
            quantify::all(firing.collect(), missing, Value::Bool(true))
        }
    }
}

/// Jobs that leave more failed pods than any sensible history limit keeps. Of very many only the worst are named.
fn backlogs(backlogs: &Listing<JobBacklog>) -> Observation {
    let mut jobs: Vec<&JobBacklog> = backlogs.items.iter().collect();
    jobs.sort_by_key(|job| std::cmp::Reverse(job.pods));
    let judged = jobs.into_iter().take(MAX_MEMBERS).map(|job| Judged {
        kind: job.owner_kind.as_str(),
        name: format!("{}/{}", job.namespace, job.owner),
        state: if job.pods >= thresholds::JOB_BACKLOG_PODS {
            let since = job.oldest.map(|at| format!(", the oldest of {}", at.format("%Y-%m-%d")));
            Known::False(format!("{} failed pods{}", job.pods, since.unwrap_or_default()))
        } else {
            Known::True
        },
    });
    quantify::all(judged.collect(), backlogs.missing, Value::Bool(true))
}

fn nodes_healthy(nodes: &Listing<Node>) -> Observation {
    let judged = nodes.items.iter().map(|node| Judged {
        kind: "Node",
        name: node.metadata.name.clone(),
        state: health(node),
    });
    quantify::all(judged.collect(), nodes.missing, Value::Unknown(UnknownReason::NotCollected))
}

fn health(node: &Node) -> Known {
    if node.spec.unschedulable {
        return Known::Excluded("cordoned".to_owned());
    }
    let conditions = &node.status.conditions;
    let state = |kind| crate::objects::meta::condition(conditions, kind);
    match state("Ready") {
        None => return Known::Unknown(UnknownReason::NotCollected, "no Ready condition".to_owned(), None),
        Some(ready) if !ready.is_true() => {
            let why = if ready.reason.is_empty() { "NotReady" } else { &ready.reason };
            return Known::False(format!("not ready: {why}"));
        }
        Some(_) => {}
    }
    let pressed = ["DiskPressure", "MemoryPressure", "PIDPressure"]
        .into_iter()
        .find(|kind| state(kind).is_some_and(crate::objects::Condition::is_true));
    pressed.map_or(Known::True, |kind| Known::False(kind.to_owned()))
}

/// A number of nodes as a share needs it.
#[expect(clippy::cast_precision_loss, reason = "a cluster has far fewer than 2^52 nodes")]
const fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests;
