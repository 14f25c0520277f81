//! A bad morning replayed: 27,929 unhealthy pods on ten clusters, 27,298 of them the fault of one clean-up job, 49 broken labs among
//! the rest. What matters must fit on a page, and nothing else may be on it.
//!
//! The whole way: clusters over HTTP, the scan job, PostgreSQL, the function that judges, the interface that an operator reads.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use chrono::TimeDelta;
use serde_json::Value;
use stargate_common::boot::{Context, Job};
use stargate_common::cluster::ClusterSettings;
use stargate_common::db::{self, PoolSettings};
use stargate_common::events::sink::Sink;
use stargate_common::settings;
use stargate_common::tier::Tier;
use stargate_query::access::Identity;
use stargate_query::{QueryState, router};
use stargate_scan::Scan;
use stargate_sim::{Fleet, Kind, Running, SimClock, Storm, is_unhealthy};
use stargate_tests::TestWorld;
use stargate_tests::world::morning;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// A failure is confirmed when it is seen twice; a pod that is not ready is first given its time.
const SCANS: usize = 3;

/// Scans every cluster of the storm as the CronJob does, and judges.
async fn scan_and_judge(world: &mut TestWorld, served: &Running) {
    let folder = std::env::temp_dir().join(format!("stargate-storm-{}", std::process::id()));
    served.write_kubeconfigs(&folder).unwrap();
    let mut settings: stargate_scan::Settings = settings::read("scan", ["scan".into()]).unwrap();
    settings.tier = Tier::Everything;
    // The storm is about pods; routes of simulated clusters do not resolve.
    settings.probe_budget_s = 0;
    settings.concurrency = 4;
    settings.clusters = ClusterSettings {
        kubeconfig_dir: Some(folder.clone()),
        ssl_verify: true,
        ..ClusterSettings::default()
    };
    let context = Context {
        name: "scan",
        settings,
        db: world.db.pool.clone(),
        clock: world.clock.clone(),
        sink: Sink::Nowhere,
        shutdown: CancellationToken::new(),
    };
    Scan::run(&context).await.unwrap();
    std::fs::remove_dir_all(&folder).ok();
    world.deliver_until_quiet().await;
}

/// What the interface answers.
async fn ask(world: &TestWorld, path: &str) -> Value {
    let reader = db::connect(&world.db.url, &PoolSettings::read_only("storm")).await.unwrap();
    let mut state = QueryState::new(reader, world.clock.clone()).open_to(Identity::local_admin());
    state.knowledge = std::sync::Arc::new((&*world.evaluator.rubrics).into());
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router(state).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    serde_json::from_slice(&to_bytes(response.into_body(), usize::MAX).await.unwrap()).unwrap()
}

/// That the storm is what it says it is.
fn assert_is_the_storm(storm: &Storm) {
    let (namespace, _) = storm.clean_up;
    let (mut unhealthy, mut left_behind) = (0, 0);
    for cluster in &storm.fleet.clusters {
        let pods = cluster.list(Kind::Pod, "");
        let of_job = pods.iter().filter(|pod| pod["metadata"]["namespace"] == namespace).count();
        unhealthy += pods.iter().filter(|pod| is_unhealthy(pod)).count();
        left_behind += of_job;
    }
    assert_eq!((unhealthy, left_behind), (27_929, 27_298));
    assert_eq!((storm.fleet.clusters.len(), storm.broken.len()), (10, 49));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_is_ten_lines_and_every_broken_lab_is_named() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut world = TestWorld::new().await;
    let clock = SimClock::starting_at(morning());
    let storm = Fleet::storm(7, &clock);
    assert_is_the_storm(&storm);
    let served = storm.fleet.serve().await.unwrap();
    for _ in 0..SCANS {
        scan_and_judge(&mut world, &served).await;
        world.wait(15);
        clock.advance(TimeDelta::minutes(15));
    }
    tokio::time::timeout(Duration::from_secs(60), served.stop()).await.unwrap();

    // At most ten groups; all 49 labs named, and no lab that is healthy.
    let answer = ask(&world, "/api/v1/overview/groups").await;
    let groups = answer["data"]["groups"].as_array().unwrap();
    let titles: Vec<String> = groups
        .iter()
        .map(|group| format!("{} x{}", group["title"].as_str().unwrap(), group["instances"]))
        .collect();
    assert!((1..=10).contains(&groups.len()), "{titles:#?}");
    let named: BTreeSet<(&str, &str)> = groups
        .iter()
        .flat_map(|group| group["members"].as_array().unwrap())
        .map(|member| (member["cluster"].as_str().unwrap(), member["namespace"].as_str().unwrap()))
        .collect();
    let broken: BTreeMap<(&str, &str), &str> = storm
        .broken
        .iter()
        .map(|(lab, fault)| ((lab.cluster.as_str(), lab.namespace.as_str()), fault.class()))
        .collect();
    let missed: Vec<_> = broken.iter().filter(|(lab, _)| !named.contains(*lab)).collect();
    let invented: Vec<_> = named.iter().filter(|lab| !broken.contains_key(*lab)).collect();
    assert!(
        missed.is_empty() && invented.is_empty(),
        "missed {missed:#?}\ninvented {invented:#?}\n{titles:#?}"
    );
    assert_eq!(answer["data"]["instances"], 49);

    // What has one cause is one incident, and nothing is said of causes that are not there.
    let parents: Vec<String> =
        sqlx::query_scalar("select message from incidents where scope <> 'instance' and state = 'open' order by message")
            .fetch_all(&world.db.pool)
            .await
            .unwrap();
    assert!(
        parents.contains(&"vmi_not_running on 8 instances of cnv-03".to_owned()),
        "{parents:#?}"
    );
    assert!(!parents.iter().any(|parent| parent.contains("platform")), "{parents:#?}");

    // The job is named once a cluster, with its namespace and the number of its pods: no incident, for no lab fails of it.
    let (namespace, job) = storm.clean_up;
    let findings: Vec<String> = sqlx::query_scalar(
        "select message from stage_state where instance_id is null and failure_class = 'job_backlog' and confirmed = 'warn'",
    )
    .fetch_all(&world.db.pool)
    .await
    .unwrap();
    let mut pods = 0;
    for finding in &findings {
        let (_, count) = finding.split_once(&format!("CronJob {namespace}/{job} (")).unwrap();
        pods += count.split(' ').next().unwrap().parse::<usize>().unwrap();
    }
    assert_eq!((findings.len(), pods), (10, storm.left_behind), "{findings:#?}");

    // Nobody asked the clusters for more than a quiet morning takes.
    for cluster in &storm.fleet.clusters {
        assert_eq!(cluster.requests().lists(), SCANS * (Tier::Everything.kinds().len() - 1));
    }
}
