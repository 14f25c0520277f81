//! How busy the nodes of a cluster are: it comes and goes within minutes, and one cluster has more to do than the others.

use chrono::{DateTime, Utc};

use crate::{cluster::Cluster, fault::Fault, generate::platform, seed::Seed};

/// The cluster that is nearly full.
const BUSY: &str = "cnv-west-2";
/// Seconds from one quiet time of a cluster to the next.
const PERIOD: i64 = 1500;
/// Percent that the load of a cluster comes and goes by.
const SWING: i64 = 7;
/// Percent that a node can differ from its cluster.
const SPREAD: i64 = 6;

/// CPU and memory of a node in percent.
fn usage(cluster: &str, node: &str, now: DateTime<Utc>) -> (i64, i64) {
    let mut of_cluster = Seed::new(23).for_name(cluster);
    let (cpu, memory) = if cluster == BUSY {
        (68, 76)
    } else {
        (of_cluster.between(33, 50), of_cluster.between(46, 62))
    };
    let at = (now.timestamp() + of_cluster.between(0, PERIOD)).rem_euclid(PERIOD);
    // Up in the first half, down in the second.
    let height = (PERIOD - (2 * at - PERIOD).abs()) * 2 * SWING / PERIOD - SWING;
    let mut of_node = Seed::new(24).for_name(node).for_index((now.timestamp() / 60).unsigned_abs());
    let (own_cpu, own_memory) = (of_node.between(-SPREAD, SPREAD), of_node.between(-SPREAD / 2, SPREAD / 2));
    (cpu + height + own_cpu, memory + height / 2 + own_memory)
}

/// Writes how busy the nodes of a cluster are now. What a fault says of them stays.
pub(super) fn breathe(cluster: &Cluster, now: DateTime<Utc>) {
    let strained = |fault: Fault| matches!(fault, Fault::ClusterOverloaded | Fault::ClusterMemoryPressure);
    if cluster.ailments().into_iter().any(|(_, fault, _)| strained(fault)) {
        return;
    }
    cluster.with(|state, _| {
        for node in state.draw.nodes.clone() {
            let (cpu, memory) = usage(cluster.name(), &node, now);
            platform::set_usage(state, &node, cpu, memory, now);
        }
    });
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn load_comes_and_goes_below_what_alarms() {
        let start = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        for cluster in [BUSY, "cnv-east-1", "ai-gpu-1"] {
            let mean = |minute: i64| {
                let at = start + TimeDelta::minutes(minute);
                let nodes = (0..20).map(|node| usage(cluster, &format!("worker-{node}"), at));
                nodes.fold((0, 0), |sum, (cpu, memory)| (sum.0 + cpu, sum.1 + memory))
            };
            let cpu: Vec<i64> = (0..25).map(|minute| mean(minute).0 / 20).collect();
            let memory: Vec<i64> = (0..25).map(|minute| mean(minute).1 / 20).collect();
            let (least, most) = (cpu.iter().min().unwrap(), cpu.iter().max().unwrap());
            assert!(
                most - least >= SWING && *most < 80 && *memory.iter().max().unwrap() < 90,
                "{cluster}: {cpu:?}"
            );
            assert_eq!(*least > 55, cluster == BUSY, "{cluster}: {cpu:?}");
        }
    }
}
