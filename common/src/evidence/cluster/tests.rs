//! Clusters of a few nodes, one thing wrong at a time.

use super::*;
use crate::evidence::testing::{ago, condition, meta, minutes, now};
use crate::objects::{JobOwner, Reachability};

fn node(name: &str, role: &str) -> Node {
    let mut node = Node {
        metadata: meta(name),
        ..Node::default()
    };
    node.metadata
        .labels
        .insert(format!("node-role.kubernetes.io/{role}"), String::new());
    node.status.allocatable = [("cpu", "8"), ("memory", "32Gi")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    node.status.conditions = vec![condition("Ready", "True", "KubeletReady")];
    node
}

fn sample(name: &str, cpu: &str, memory: &str) -> NodeMetrics {
    NodeMetrics {
        metadata: meta(name),
        timestamp: Some(ago(minutes(1))),
        usage: [("cpu", cpu), ("memory", memory)].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
    }
}

/// Three workers at half load and a control plane at full load, which does not count.
fn cluster() -> ClusterInventory {
    let workers = ["w1", "w2", "w3"];
    let mut nodes: Vec<Node> = workers.map(|name| node(name, "worker")).into();
    nodes.push(node("m1", "master"));
    let mut samples: Vec<NodeMetrics> = workers.map(|name| sample(name, "4000m", "16Gi")).into();
    samples.push(sample("m1", "8", "32Gi"));
    ClusterInventory {
        name: "cluster-a".to_owned(),
        reachable: Some(Reachability {
            answered: true,
            authorized: true,
            detail: String::new(),
        }),
        nodes: Listing::complete(nodes),
        node_metrics: Listing::complete(samples),
        critical_alerts: Listing::complete(Vec::new()),
        ..ClusterInventory::default()
    }
}

fn value(cluster: &ClusterInventory, name: &str) -> Value {
    observe(cluster, now()).observations[name].value.clone()
}

const fn unknown(reason: UnknownReason) -> Value {
    Value::Unknown(reason)
}

#[test]
fn observes_all_its_names_and_no_others() {
    let observed: Vec<&str> = observe(&cluster(), now()).observations.into_keys().collect();
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(observed, names);
}

#[test]
fn only_compute_nodes_count() {
    let cluster = cluster();
    assert_eq!(value(&cluster, "cpu_percent"), Value::Number(50.0));
    for name in [
        "cpu_usage_acceptable",
        "memory_usage_acceptable",
        "nodes_healthy",
        "no_hot_nodes",
        "no_critical_alerts",
    ] {
        assert_eq!(value(&cluster, name), Value::Bool(true), "{name}");
    }
}

#[test]
fn the_limit_itself_is_too_much() {
    let mut cluster = cluster();
    for sample in &mut cluster.node_metrics.items {
        sample.usage.insert("cpu".to_owned(), "6400m".to_owned());
    }
    let observed = &observe(&cluster, now()).observations["cpu_usage_acceptable"];
    assert_eq!(observed.value, Value::Bool(false));
    assert_eq!(observed.failing[0].reason, "CPU at 80.0 % over 3 compute nodes, limit 80 %");
    assert_eq!(value(&cluster, "no_hot_nodes"), Value::Bool(true), "80 % is not above 80 %");
}

#[test]
fn too_few_samples_are_no_mean() {
    let mut cluster = cluster();
    cluster.node_metrics.items[0].timestamp = Some(ago(minutes(4)));
    assert_eq!(value(&cluster, "cpu_usage_acceptable"), unknown(UnknownReason::Truncated));
    for sample in &mut cluster.node_metrics.items {
        sample.timestamp = Some(ago(minutes(4)));
    }
    assert_eq!(value(&cluster, "cpu_usage_acceptable"), unknown(UnknownReason::Stale));
    cluster.node_metrics = Listing::unknown(UnknownReason::ApiAbsent);
    assert_eq!(value(&cluster, "memory_usage_acceptable"), unknown(UnknownReason::ApiAbsent));
}

#[test]
fn an_empty_list_of_nodes_is_never_healthy() {
    let mut cluster = cluster();
    cluster.nodes = Listing::complete(Vec::new());
    for name in ["nodes_healthy", "cpu_usage_acceptable", "no_hot_nodes"] {
        assert!(matches!(value(&cluster, name), Value::Unknown(_)), "{name}");
    }
}

#[test]
fn cordoned_nodes_are_left_out_and_named() {
    let mut cluster = cluster();
    cluster.nodes.items[0].spec.unschedulable = true;
    cluster.nodes.items[0].status.conditions[0].status = "False".to_owned();
    let observed = &observe(&cluster, now()).observations["nodes_healthy"];
    assert_eq!((&observed.value, observed.excluded.len()), (&Value::Bool(true), 1));
}

#[test]
fn pressure_and_not_ready_are_named() {
    let mut cluster = cluster();
    cluster.nodes.items[1].status.conditions.push(condition("DiskPressure", "True", ""));
    cluster.nodes.items[2].status.conditions[0] = condition("Ready", "Unknown", "NodeStatusUnknown");
    let observed = &observe(&cluster, now()).observations["nodes_healthy"];
    let reasons: Vec<&str> = observed.failing.iter().map(|member| member.reason.as_str()).collect();
    assert_eq!(reasons, ["DiskPressure", "not ready: NodeStatusUnknown"]);
}

#[test]
fn a_refused_credential_is_an_answer_and_makes_the_rest_unknown() {
    let mut cluster = cluster();
    cluster.reachable = Some(Reachability {
        answered: true,
        authorized: false,
        detail: "401".to_owned(),
    });
    assert_eq!(value(&cluster, "cluster_reachable"), Value::Bool(true));
    assert_eq!(value(&cluster, "nodes_healthy"), unknown(UnknownReason::Unauthorized));
}

#[test]
fn silence_is_the_only_failure_to_answer() {
    let mut cluster = cluster();
    cluster.reachable = Some(Reachability {
        answered: false,
        authorized: false,
        detail: "connection refused".to_owned(),
    });
    assert_eq!(value(&cluster, "cluster_reachable"), Value::Bool(false));
    assert_eq!(value(&cluster, "cpu_usage_acceptable"), unknown(UnknownReason::Unreachable));
}

#[test]
fn a_recording_proves_its_cluster_by_what_it_holds() {
    let mut cluster = cluster();
    cluster.reachable = None;
    assert_eq!(value(&cluster, "cluster_reachable"), Value::Bool(true));
    assert_eq!(
        value(&ClusterInventory::default(), "cluster_reachable"),
        unknown(UnknownReason::NotCollected)
    );
}

#[test]
fn alerts_that_nobody_asked_for_are_not_absent() {
    let mut cluster = cluster();
    cluster.critical_alerts = Listing::default();
    assert_eq!(value(&cluster, "no_critical_alerts"), unknown(UnknownReason::NotProbed));
    cluster.critical_alerts = Listing::complete(vec!["etcdMembersDown".to_owned()]);
    assert_eq!(value(&cluster, "no_critical_alerts"), Value::Bool(false));
}

#[test]
fn a_backlog_is_known_as_soon_as_one_job_has_it_and_unknown_while_pods_are_unread() {
    let backlog = |owner: &str, pods| JobBacklog {
        namespace: "storage".to_owned(),
        owner_kind: JobOwner::CronJob,
        owner: owner.to_owned(),
        pods,
        oldest: Some(ago(minutes(60 * 24))),
    };
    let with = |items: Vec<JobBacklog>, missing| ClusterInventory {
        job_backlogs: Listing { items, missing },
        ..cluster()
    };
    let name = "no_failed_job_backlog";
    let not_read = Some(UnknownReason::NotCollected);
    let limit = thresholds::JOB_BACKLOG_PODS;
    assert_eq!(value(&with(vec![], None), name), Value::Bool(true));
    assert_eq!(value(&with(vec![], not_read), name), unknown(UnknownReason::NotCollected));
    assert_eq!(value(&with(vec![backlog("a", limit - 1)], None), name), Value::Bool(true));
    assert_eq!(
        value(&with(vec![backlog("a", limit)], Some(UnknownReason::Truncated)), name),
        Value::Bool(false)
    );
    let many = (0..MAX_MEMBERS).map(|job| backlog(&format!("a{job:02}"), limit));
    let many = with(many.chain([backlog("worst", 27_298)]).collect(), None);
    let failing = &observe(&many, now()).observations[name].failing;
    let worst = failing.last().unwrap();
    assert_eq!(
        (failing.len(), worst.kind.as_str(), worst.name.as_str()),
        (MAX_MEMBERS, "CronJob", "storage/worst")
    );
    assert!(worst.reason.starts_with("27298 failed pods, the oldest of "), "{worst:?}");
}
