//! A cluster is read as it is, and what cannot be read is unknown with the reason: over every fault a wire can have.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use stargate_common::clock::Clock;
use stargate_common::cluster::{ClusterSettings, ReadClient};
use stargate_common::collect::{self, Collected, Tier};
use stargate_common::objects::{Inventory, Kind, Listing, NamespaceSelection};
use stargate_common::unknown::UnknownReason;
use stargate_sim::{Cluster, Effect, Fleet, Seed, SimClock, WireFault};

const LAB: &str = "sandbox-k7m2q-web";
/// Pods in the lab: three pages and a bit.
const PODS: usize = 1_700;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_352_000, 0).unwrap_or_default() // 2026-03-01T08:00:00Z
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

/// A cluster with one lab, a system namespace, and more pods than fit on a page.
fn cluster() -> Cluster {
    let cluster = Cluster::new("east", SimClock::starting_at(now()), &Seed::new(7));
    let mut lab = object("v1", "Namespace", "", LAB);
    lab["metadata"]["labels"] = json!({"created-by": "sandbox-api", "guid": "k7m2q"});
    cluster.put(lab);
    cluster.put(object("v1", "Namespace", "", "openshift-dns"));
    cluster.put(object("v1", "Node", "", "worker-1"));
    for index in 0..PODS {
        let mut pod = object("v1", "Pod", LAB, &format!("pod-{index:04}"));
        pod["status"] = json!({"phase": "Running"});
        cluster.put(pod);
    }
    let mut finished = object("v1", "Pod", LAB, "finished");
    finished["status"] = json!({"phase": "Succeeded"});
    cluster.put(finished);
    cluster.put(object("v1", "Pod", "openshift-dns", "dns"));
    cluster.put(object("v1", "Service", LAB, "web"));
    for (name, kind) in [("bad", "Warning"), ("good", "Normal")] {
        let mut event = object("v1", "Event", LAB, name);
        event["type"] = json!(kind);
        cluster.put(event);
    }
    cluster.reset_requests();
    cluster
}

/// Also a system pod, which sorts first and is dropped.
const FIRST_PAGE: usize = 500 - 1;

fn client(cluster: &Cluster) -> ReadClient {
    rustls::crypto::ring::default_provider().install_default().ok();
    ReadClient::new(cluster.name(), kube::Client::new(cluster.service(), "default"))
}

async fn collect(cluster: &Cluster, tier: Tier) -> Collected {
    collect_within(cluster, tier, Duration::from_mins(10)).await
}

async fn collect_within(cluster: &Cluster, tier: Tier, budget: Duration) -> Collected {
    let selection = NamespaceSelection::default();
    collect::cluster(&client(cluster), tier, selection, &Clock::manual(now()), budget).await
}

fn lab(collected: &Collected) -> &Inventory {
    let namespaces = &collected.snapshot.namespaces;
    assert_eq!(namespaces.keys().collect::<Vec<_>>(), [LAB]);
    &namespaces[LAB]
}

fn problems(collected: &Collected) -> Vec<String> {
    let problems = collected.snapshot.problems.iter();
    problems.map(|problem| format!("{}: {}", problem.subject, problem.detail)).collect()
}

#[tokio::test(start_paused = true)]
async fn everything_is_read_with_one_list_a_kind() {
    let cluster = cluster();
    let collected = collect(&cluster, Tier::Everything).await;
    let lab = lab(&collected);
    assert_eq!((lab.pods.items.len(), lab.pods.missing), (PODS, None));
    assert_eq!(lab.services.items.len(), 1);
    assert_eq!(lab.events.items.len(), 1);
    assert_eq!(lab.vms, Listing::complete(vec![]));
    assert_eq!(lab.namespace.items.len(), 1);
    assert_eq!(collected.snapshot.cluster.nodes.items.len(), 1);
    assert_eq!(problems(&collected), Vec::<String>::new());
    assert!(collected.report.is_complete());

    // One LIST for each kind that the cluster serves, none for each namespace. Slices stand for endpoints.
    let requests = cluster.requests();
    assert_eq!(lab.endpoints, Listing::unknown(UnknownReason::NotCollected));
    assert_eq!(requests.lists(), Tier::Everything.kinds().len() - 1);
    assert_eq!(collected.report.lists(), requests.lists());
    assert_eq!(collected.report.kinds[&Kind::Pod].pages, 4);
    assert!(requests.lines().all(|line| !line.path.contains("/namespaces/")));
    assert!(
        requests
            .lines()
            .all(|line| line.agent.is_empty() || line.agent.starts_with("stargate/"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_small_tier_leaves_the_rest_unknown() {
    let cluster = cluster();
    let collected = collect(&cluster, Tier::Cluster).await;
    assert_eq!(collected.snapshot.cluster.nodes.items.len(), 1);
    assert!(collected.snapshot.namespaces.is_empty());
    assert_eq!(cluster.requests().lists(), Tier::Cluster.kinds().len());

    let collected = collect(&cluster, Tier::Workloads).await;
    assert_eq!(lab(&collected).pods.missing, None);
    assert_eq!(lab(&collected).services.missing, Some(UnknownReason::NotCollected));
}

#[tokio::test(start_paused = true)]
async fn what_the_cluster_lacks_is_absent_and_what_it_forbids_is_forbidden() {
    let cluster = cluster();
    cluster.drop_api_group("kubevirt.io");
    cluster.drop_api_group("discovery.k8s.io");
    cluster.forbid("list", "services");
    let collected = collect(&cluster, Tier::Everything).await;
    let lab = lab(&collected);
    assert_eq!(lab.vms, Listing::unknown(UnknownReason::ApiAbsent));
    assert_eq!(lab.services, Listing::unknown(UnknownReason::Forbidden));
    assert_eq!(lab.pods.missing, None);
    assert_eq!(lab.endpoint_slices.missing, Some(UnknownReason::ApiAbsent));
    assert_eq!(lab.endpoints, Listing::complete(vec![]));
    assert_eq!(
        problems(&collected),
        ["east/service: may not list services cluster-wide; grant the scanner's role get and list on it"]
    );
}

#[tokio::test(start_paused = true)]
async fn labs_are_found_by_name_where_namespaces_are_forbidden() {
    let cluster = cluster();
    cluster.forbid("list", "namespaces");
    let collected = collect(&cluster, Tier::Everything).await;
    assert_eq!(lab(&collected).namespace, Listing::unknown(UnknownReason::Forbidden));
    assert_eq!(lab(&collected).pods.items.len(), PODS);
}

fn gone() -> Effect {
    Effect::Status {
        code: 410,
        retry_after: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_expires_goes_on_or_starts_over() {
    let cluster = cluster();
    // Without a fresh token in the answer: start over.
    cluster.inject_wire(WireFault::on("/api/v1/pods", gone()).after(2).times(1));
    let collected = collect(&cluster, Tier::Everything).await;
    assert_eq!((lab(&collected).pods.items.len(), lab(&collected).pods.missing), (PODS, None));

    // With one, as after compaction: go on, and say that the pages show different moments.
    cluster.inject_wire(
        WireFault::on("/api/v1/pods", Effect::Slow(Duration::from_secs(5)))
            .after(2)
            .times(1),
    );
    let compaction = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        cluster.compact();
    };
    let (collected, ()) = tokio::join!(collect(&cluster, Tier::Everything), compaction);
    assert_eq!((lab(&collected).pods.items.len(), lab(&collected).pods.missing), (PODS, None));
    assert!(collected.report.kinds[&Kind::Pod].mixed);

    // Twice: what was read counts, and that it is not all.
    cluster.inject_wire(WireFault::on("/api/v1/pods", gone()).after(1).times(1));
    cluster.inject_wire(WireFault::on("/api/v1/pods", gone()).after(3).times(1));
    let collected = collect(&cluster, Tier::Everything).await;
    assert_eq!(lab(&collected).pods.missing, Some(UnknownReason::Truncated));
    assert_eq!(problems(&collected), ["east/pod: the list expired twice while it was read"]);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_list_waits_as_it_is_told_and_comes_back() {
    let cluster = cluster();
    let storm = Effect::Status {
        code: 429,
        retry_after: Some(Duration::from_secs(2)),
    };
    cluster.inject_wire(WireFault::on("/api*", storm.clone()).verb("list").times(20));
    let collected = collect(&cluster, Tier::Everything).await;
    assert!(collected.report.is_complete(), "{:?}", problems(&collected));
    let throttled: u64 = collected.report.kinds.values().map(|kind| kind.throttled).sum();
    assert_eq!(throttled, 20);

    cluster.inject_wire(WireFault::on("/api/v1/pods", storm));
    let collected = collect(&cluster, Tier::Everything).await;
    assert_eq!(lab(&collected).pods, Listing::unknown(UnknownReason::Throttled));
    assert_eq!(lab(&collected).services.missing, None);
}

#[tokio::test(start_paused = true)]
async fn faults_that_pass_cost_nothing_and_faults_that_stay_cost_one_kind() {
    let html = || Effect::Html;
    let error = || Effect::Status {
        code: 500,
        retry_after: None,
    };
    for (effect, reason) in [
        (error as fn() -> Effect, UnknownReason::ServerError),
        (html, UnknownReason::ParseError),
        (|| Effect::Malformed, UnknownReason::ParseError),
        (|| Effect::CutAfter(2_000), UnknownReason::Truncated),
        (|| Effect::StallAfter(2_000), UnknownReason::Timeout),
        (
            || Effect::Status {
                code: 504,
                retry_after: None,
            },
            UnknownReason::Timeout,
        ),
    ] {
        let cluster = cluster();
        let fault = || WireFault::on("/api/v1/pods", effect()).after(1);
        cluster.inject_wire(fault().times(1));
        let collected = collect(&cluster, Tier::Everything).await;
        assert_eq!(lab(&collected).pods.missing, None, "{:?}", effect());
        assert_eq!(lab(&collected).pods.items.len(), PODS, "{:?}", effect());

        cluster.inject_wire(fault());
        let collected = collect(&cluster, Tier::Everything).await;
        assert_eq!(lab(&collected).pods.missing, Some(reason), "{:?}", effect());
        assert_eq!(lab(&collected).pods.items.len(), FIRST_PAGE, "{:?}", effect());
        assert_eq!(lab(&collected).services.missing, None, "{:?}", effect());
        let problems = problems(&collected);
        assert!(problems.len() == 1 && problems[0].starts_with("east/pod: "), "{problems:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_takes_too_long_yields_what_it_has() {
    let cluster = cluster();
    cluster.inject_wire(WireFault::on("/api/v1/pods", Effect::Slow(Duration::from_secs(8))));
    let collected = collect_within(&cluster, Tier::Everything, Duration::from_secs(20)).await;
    let pods = &lab(&collected).pods;
    assert_eq!((pods.items.len(), pods.missing), (FIRST_PAGE + 500, Some(UnknownReason::Timeout)));
    assert_eq!(lab(&collected).services.missing, None);
    assert!(collected.report.duration <= Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn a_dead_cluster_is_one_failure_and_everything_of_it_unknown() {
    let cluster = cluster();
    cluster.set_down(true);
    let collected = collect(&cluster, Tier::Everything).await;
    let reachable = collected.snapshot.cluster.reachable.as_ref().unwrap();
    assert!(!reachable.answered && !reachable.detail.is_empty());
    assert_eq!(collected.snapshot.cluster.nodes, Listing::unknown(UnknownReason::Unreachable));
    assert_eq!(problems(&collected).len(), 1);
    assert_eq!(cluster.requests().lists(), 0);
    assert_eq!(collected.report.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_dies_on_the_way_is_given_up_once() {
    let cluster = cluster();
    cluster.inject_wire(WireFault::on("/api*", Effect::NoAnswer).verb("list").after(8));
    let collected = collect(&cluster, Tier::Everything).await;
    let unread = collected
        .report
        .kinds
        .values()
        .filter(|kind| kind.missing == Some(UnknownReason::Unreachable))
        .count();
    assert!(unread > 10, "{unread}");
    assert_eq!(problems(&collected).len(), 1, "{:?}", problems(&collected));
    assert!(!collected.snapshot.cluster.reachable.as_ref().unwrap().answered);
}

#[tokio::test(start_paused = true)]
async fn without_discovery_the_lists_tell_what_is_there() {
    let cluster = cluster();
    cluster.drop_api_group("kubevirt.io");
    cluster.inject_wire(WireFault::on("/apis", gone()));
    let collected = collect(&cluster, Tier::Everything).await;
    assert_eq!(lab(&collected).vms, Listing::unknown(UnknownReason::ApiAbsent));
    assert_eq!(lab(&collected).pods.missing, None);
}

#[tokio::test(start_paused = true)]
async fn named_namespaces_are_read_without_any_right_on_the_cluster() {
    let cluster = cluster();
    let selection = NamespaceSelection::Named(["openshift-dns".to_owned(), "gone".to_owned()].into());
    let budget = Duration::from_mins(1);
    let collected = collect::cluster(&client(&cluster), Tier::Workloads, selection, &Clock::manual(now()), budget).await;
    let namespaces = &collected.snapshot.namespaces;
    assert_eq!(namespaces.keys().collect::<Vec<_>>(), ["gone", "openshift-dns"]);
    assert_eq!(namespaces["openshift-dns"].pods.items.len(), 1);
    assert_eq!(namespaces["openshift-dns"].pods.missing, None);
    assert_eq!(namespaces["gone"].namespace, Listing::complete(vec![]));
    assert!(cluster.requests().lines().all(|line| !line.path.starts_with("/api/v1/pods")));
}

#[tokio::test]
async fn over_sockets_a_kubeconfig_leads_to_each_cluster_and_an_expired_token_is_told() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let fleet = Fleet::empty(&["east", "west"], 7, SimClock::starting_at(now()));
    let east = fleet.cluster("east").unwrap();
    east.put(object("v1", "Node", "", "worker-1"));
    fleet.cluster("west").unwrap().set_token_expired(true);
    let running = fleet.serve().await.unwrap();
    let directory = std::env::temp_dir().join(format!("stargate-collect-live-{}", std::process::id()));
    running.write_kubeconfigs(&directory).unwrap();
    let settings = ClusterSettings {
        kubeconfig_dir: Some(directory.clone()),
        ssl_verify: true,
        ..ClusterSettings::default()
    };
    let connections = settings.connect().await.unwrap();
    let mut collected = Vec::new();
    for connection in connections.values() {
        let client = connection.as_ref().unwrap();
        let selection = NamespaceSelection::default();
        let budget = Duration::from_mins(1);
        collected.push(collect::cluster(client, Tier::Everything, selection, &Clock::manual(now()), budget).await);
    }
    running.stop().await;
    std::fs::remove_dir_all(&directory).unwrap();

    let [east_read, west_read] = collected.as_slice() else { panic!() };
    assert_eq!(east_read.snapshot.cluster.nodes.items.len(), 1);
    assert!(east.requests().lines().all(|line| line.agent.starts_with("stargate/")));
    let reachable = west_read.snapshot.cluster.reachable.as_ref().unwrap();
    assert!(reachable.answered && !reachable.authorized);
    assert_eq!(west_read.snapshot.cluster.nodes, Listing::unknown(UnknownReason::Unauthorized));
    assert_eq!(problems(west_read).len(), 1, "{:?}", problems(west_read));
    assert!(problems(west_read)[0].contains("renew its token"), "{:?}", problems(west_read));
}
