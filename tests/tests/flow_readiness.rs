//! A lab breaks and comes back: what an operator sees, from scan to incident.

#![cfg(test)]

use stargate_common::db::scans::Tier;
use stargate_common::objects::Kind;
use stargate_common::unknown::UnknownReason;
use stargate_tests::fleet::{Condition, TestCluster};
use stargate_tests::world::morning;
use stargate_tests::{TestDb, TestWorld};

/// Scans `times` times, a quarter of an hour apart.
async fn quarters(world: &mut TestWorld, fleet: &TestCluster, times: usize) {
    for _ in 0..times {
        world.wait(15);
        world.scan_and_judge(fleet, Tier::Workloads).await;
    }
}

fn heard(world: &TestWorld) -> Vec<String> {
    let line = |event: &stargate_common::events::wire::CloudEvent| {
        let kind = event.event_type.trim_start_matches("io.stargate.").trim_end_matches(".v1");
        format!("{kind} {}", event.subject.as_deref().unwrap_or_default())
    };
    world.heard.iter().map(line).collect()
}

#[tokio::test]
async fn a_lab_crashes_and_recovers() {
    let mut world = TestWorld::new().await;
    let mut fleet = TestCluster::new("cnv-1", 20, morning());
    world.scan_and_judge(&fleet, Tier::Everything).await;
    assert_eq!(world.states().await, ["ready 20"]);
    assert!(world.heard.is_empty(), "a first look at healthy labs is no news");

    fleet.set(3, Condition::CrashLooping);
    quarters(&mut world, &fleet, 1).await;
    assert_eq!(world.states().await, ["ready 20"], "seen once is not confirmed");
    quarters(&mut world, &fleet, 1).await;
    assert_eq!(world.states().await, ["failing 1", "ready 19"]);
    assert_eq!(
        world.incidents().await,
        ["instance sandbox-q0003-netbasics deployment-ready pods_crashlooping open 30..  x1"]
    );

    fleet.set(3, Condition::Healthy);
    quarters(&mut world, &fleet, 2).await;
    assert_eq!(world.states().await, ["ready 20"]);
    assert_eq!(
        world.transitions().await,
        [
            "30 sandbox-q0003-netbasics deployment-ready degraded - -> pods_crashlooping",
            "60 sandbox-q0003-netbasics deployment-ready recovered pods_crashlooping -> -"
        ]
    );
    assert_eq!(
        world.incidents().await,
        ["instance sandbox-q0003-netbasics deployment-ready pods_crashlooping resolved 30..60 self_resolved x1"]
    );
    let about = "cnv-1/sandbox-q0003-netbasics/deployment-ready";
    assert_eq!(
        heard(&world),
        [
            format!("readiness.changed {about}"),
            format!("incident.opened {about}"),
            format!("readiness.changed {about}"),
            format!("incident.resolved {about}")
        ]
    );
}

#[tokio::test]
async fn new_pods_are_believed_at_once_and_a_new_class_is_the_same_incident() {
    let mut world = TestWorld::new().await;
    let mut fleet = TestCluster::new("cnv-1", 20, morning());
    world.scan_and_judge(&fleet, Tier::Everything).await;
    fleet.set(3, Condition::CrashLooping);
    quarters(&mut world, &fleet, 2).await;
    fleet.set(3, Condition::ImagePull);
    quarters(&mut world, &fleet, 1).await;
    assert_eq!(
        world.incidents().await,
        ["instance sandbox-q0003-netbasics deployment-ready image_pull_backoff open 30..  x1"]
    );
    fleet.set(3, Condition::Healthy);
    fleet.labs.get_mut(&TestCluster::namespace(3)).unwrap().generation = 2;
    quarters(&mut world, &fleet, 1).await;
    assert_eq!(
        world.incidents().await,
        ["instance sandbox-q0003-netbasics deployment-ready image_pull_backoff resolved 30..60 self_resolved x1"]
    );
}

#[tokio::test]
async fn a_lab_that_is_recycled_while_failing_closes_its_incident() {
    let mut world = TestWorld::new().await;
    let mut fleet = TestCluster::new("cnv-1", 20, morning());
    world.scan_and_judge(&fleet, Tier::Everything).await;
    fleet.set(3, Condition::CrashLooping);
    quarters(&mut world, &fleet, 2).await;
    fleet.labs.remove(&TestCluster::namespace(3));
    quarters(&mut world, &fleet, 1).await;
    assert_eq!(
        world.incidents().await,
        ["instance sandbox-q0003-netbasics deployment-ready pods_crashlooping resolved 30..45 namespace_recycled x1"]
    );
    assert_eq!(world.states().await, ["gone 1", "ready 19"]);
    let left: i64 =
        sqlx::query_scalar("select count(*) from stage_state s join instances i using (instance_id) where i.deleted_at is not null")
            .fetch_one(&world.db.pool)
            .await
            .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn many_labs_with_one_cause_are_one_problem_of_the_cluster() {
    let mut world = TestWorld::new().await;
    let mut fleet = TestCluster::new("cnv-1", 20, morning());
    world.scan_and_judge(&fleet, Tier::Everything).await;
    for number in 0..5 {
        fleet.set(number, Condition::ImagePull);
    }
    quarters(&mut world, &fleet, 2).await;
    let parent = "cluster - deployment-ready image_pull_backoff open 30..  x5";
    let incidents = world.incidents().await;
    assert_eq!((incidents.len(), incidents[0].as_str()), (6, parent));
    let children: i64 =
        sqlx::query_scalar("select count(*) from incidents c join incidents p on p.incident_id = c.parent_id where p.scope = 'cluster'")
            .fetch_one(&world.db.pool)
            .await
            .unwrap();
    assert_eq!(children, 5);

    for number in 0..4 {
        fleet.set(number, Condition::Healthy);
    }
    quarters(&mut world, &fleet, 2).await;
    assert_eq!(
        world.incidents().await[0],
        "cluster - deployment-ready image_pull_backoff open 30..  x1"
    );
    fleet.set(4, Condition::Healthy);
    quarters(&mut world, &fleet, 2).await;
    assert_eq!(
        world.incidents().await[0],
        "cluster - deployment-ready image_pull_backoff resolved 30..90 children_resolved x1"
    );
}

#[tokio::test]
async fn a_cause_on_several_clusters_is_one_problem_of_the_fleet() {
    let mut world = TestWorld::new().await;
    let mut clusters: Vec<TestCluster> = ["cnv-1", "cnv-2", "cnv-3"].map(|name| TestCluster::new(name, 10, morning())).into();
    for cluster in &mut clusters {
        world.scan_and_judge(cluster, Tier::Everything).await;
        cluster.reachable = false;
    }
    world.wait(5);
    for cluster in &clusters {
        world.scan_and_judge(cluster, Tier::Cluster).await;
    }
    assert_eq!(
        world.incidents().await,
        [
            "cluster - cluster-health cluster_unreachable open 5..  x0",
            "cluster - cluster-health cluster_unreachable open 5..  x0",
            "cluster - cluster-health cluster_unreachable open 5..  x0",
            "fleet - cluster-health cluster_unreachable open 5..  x0"
        ],
        "an unreachable cluster is certain at first sight"
    );
    let message: String = sqlx::query_scalar("select message from incidents where scope = 'fleet'")
        .fetch_one(&world.db.pool)
        .await
        .unwrap();
    assert_eq!(message, "cluster_unreachable on 3 clusters: likely the platform");
    let failing: i64 = sqlx::query_scalar("select count(*) from instances where state = 'failing'")
        .fetch_one(&world.db.pool)
        .await
        .unwrap();
    assert_eq!(failing, 0, "labs on a cluster that does not answer are not failing");
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown_and_opens_nothing() {
    let mut world = TestWorld::new().await;
    let mut fleet = TestCluster::new("cnv-1", 10, morning());
    world.scan_and_judge(&fleet, Tier::Everything).await;
    fleet.unreadable.insert(Kind::Pod, UnknownReason::Forbidden);
    fleet.unreadable.insert(Kind::Deployment, UnknownReason::Forbidden);
    quarters(&mut world, &fleet, 3).await;
    assert_eq!(world.states().await, ["unknown 10"]);
    assert!(world.incidents().await.is_empty());
    fleet.unreadable.clear();
    quarters(&mut world, &fleet, 1).await;
    assert_eq!(world.states().await, ["ready 10"]);
    assert!(
        world.transitions().await.is_empty(),
        "they were ready all the time, as far as anybody knows"
    );
}

#[tokio::test]
async fn a_failure_is_confirmed_by_time_but_never_by_looking_twice_at_the_same_evidence() {
    let mut world = TestWorld::new().await;
    let mut fleet = TestCluster::new("cnv-1", 10, morning());
    world.scan_and_judge(&fleet, Tier::Everything).await;
    fleet.set(3, Condition::CrashLooping);
    quarters(&mut world, &fleet, 1).await;
    for minutes in [1, 1, 2] {
        world.wait(minutes);
        world.scan_and_judge(&fleet, Tier::Cluster).await;
        assert!(world.incidents().await.is_empty(), "the pods were not read again");
    }
    world.wait(1);
    world.scan_and_judge(&fleet, Tier::Cluster).await;
    assert_eq!(
        world.incidents().await,
        ["instance sandbox-q0003-netbasics deployment-ready pods_crashlooping open 20..  x1"]
    );
}

#[tokio::test]
async fn without_scans_the_known_becomes_unknown_and_incidents_stay() {
    let mut world = TestWorld::new().await;
    let mut fleet = TestCluster::new("cnv-1", 10, morning());
    world.scan_and_judge(&fleet, Tier::Everything).await;
    fleet.set(3, Condition::CrashLooping);
    quarters(&mut world, &fleet, 2).await;
    world.wait(31);
    let done = stargate_evaluate::refresh_cluster(&world.evaluator, "cnv-1").await.unwrap();
    assert_eq!((done.evaluations, done.transitions, done.incidents), (1, 0, 0));
    assert_eq!(world.states().await, ["failing 1", "unknown 9"]);
    assert_eq!(world.incidents().await.len(), 1);

    // A scan that had begun before is still taken in, after what is known already.
    let observed_at = world.clock.now() - chrono::TimeDelta::minutes(1);
    fleet.set(3, Condition::Healthy);
    fleet
        .take(Tier::Workloads, observed_at)
        .store(&world.db.pool, world.clock.now())
        .await
        .unwrap();
    world.deliver_until_quiet().await;
    assert_eq!(world.states().await, ["failing 1", "ready 9"], "good once");
}

#[tokio::test]
async fn an_event_of_another_installation_is_refused_for_good() {
    let world = TestWorld::new().await;
    world.scan(&TestCluster::new("cnv-1", 1, morning()), Tier::Everything).await;
    let mut events = world.take_events().await;
    sqlx::query("update clusters set name = 'renamed'")
        .execute(&world.db.pool)
        .await
        .unwrap();
    let failure = world.deliver(&events.remove(0)).await.unwrap_err();
    assert_eq!(failure.status().as_u16(), 422, "{failure}");
}

#[tokio::test]
async fn an_unchanged_sweep_writes_rows_in_the_tens() {
    let mut world = TestWorld::on(TestDb::of_one_connection().await);
    let fleet = TestCluster::new("cnv-1", 200, morning());
    world.scan_and_judge(&fleet, Tier::Everything).await;
    let first = world.db.rows_written().await;
    world.wait(60);
    world.scan_and_judge(&fleet, Tier::Everything).await;
    let second = world.db.rows_written().await - first;
    assert!(first > 2000 && second < 60, "{second} rows after {first}");
}
