//! What Babylon and Demolition say becomes a verdict: records, joins, evidence, judgement. Whoever dies on the way loses nothing.

#![cfg(test)]

use chrono::{DateTime, TimeDelta, Utc};
use stargate_collect::link;
use stargate_collect::publish::{self, Heard, Published};
use stargate_common::db::links::Configured;
use stargate_common::db::records;
use stargate_common::db::scans::Tier;
use stargate_common::db::sources::{self as db_sources, Source};
use stargate_common::provisioning::ObjectRef;
use stargate_common::provisioning::catalog::CatalogItem;
use stargate_common::provisioning::event::{Lab, SmokeSession};
use stargate_common::provisioning::pool::{ResourceClaim, ResourceHandle};
use stargate_common::provisioning::subject::{AnarchySubject, TowerJob};
use stargate_common::sources::{Collected, Reading, Readings, SourceName};
use stargate_common::unknown::UnknownReason;
use stargate_tests::TestWorld;
use stargate_tests::fleet::{Condition, TestCluster};
use stargate_tests::world::morning;

fn name(namespace: &str, name: impl Into<String>) -> ObjectRef {
    ObjectRef {
        namespace: namespace.to_owned(),
        name: name.into(),
    }
}

fn subject(guid: &str, state: &str, desired: &str, job: &str) -> AnarchySubject {
    let job = TowerJob {
        host: "aap-1.example.test".to_owned(),
        id: Some(4711),
        status: job.to_owned(),
        ..TowerJob::default()
    };
    AnarchySubject {
        uid: format!("uid-{guid}"),
        namespace: "anarchy-1".to_owned(),
        name: format!("acme.web.event-{guid}"),
        created_at: Some(morning() - TimeDelta::days(2)),
        governor: "acme.web.event".to_owned(),
        current_state: state.to_owned(),
        desired_state: desired.to_owned(),
        guid: guid.to_owned(),
        handle: Some(name("poolboy", format!("guid-{}", &guid[..5]))),
        jobs: [("provision".to_owned(), job)].into(),
        ..AnarchySubject::default()
    }
}

fn started(guid: &str) -> AnarchySubject {
    subject(guid, "started", "started", "successful")
}

/// An order of the item `acme.web.event` for each of these guids.
fn orders(guids: &[&str]) -> (Vec<ResourceHandle>, Vec<ResourceClaim>) {
    let handle = |guid: &&str| ResourceHandle {
        uid: format!("handle-{guid}"),
        namespace: "poolboy".to_owned(),
        name: format!("guid-{guid}"),
        claim: Some(name("user-1", format!("order-{guid}"))),
        ..ResourceHandle::default()
    };
    let claim = |guid: &&str| ResourceClaim {
        uid: format!("claim-{guid}"),
        namespace: "user-1".to_owned(),
        name: format!("order-{guid}"),
        handle: Some(name("poolboy", format!("guid-{guid}"))),
        catalog_item: Some(name("babylon-catalog-event", "acme.web.event")),
        ..ResourceClaim::default()
    };
    (guids.iter().map(handle).collect(), guids.iter().map(claim).collect())
}

fn babylon(subjects: Reading<AnarchySubject>) -> Readings {
    let (handles, claims) = orders(&["q0000", "q0001", "q0002"]);
    let item = CatalogItem {
        uid: "item".to_owned(),
        name: "acme.web.event".to_owned(),
        ..CatalogItem::default()
    };
    Readings {
        subjects: Some(subjects),
        handles: Some(Reading::complete(handles)),
        claims: Some(Reading::complete(claims)),
        catalog_items: Some(Reading::complete(vec![item])),
        ..Readings::default()
    }
}

fn collected(source: SourceName, readings: Readings, observed_at: DateTime<Utc>) -> Collected {
    Collected {
        source: source.as_str().to_owned(),
        readings,
        observed_at,
        requests: 1,
        bytes: 1,
        problems: Vec::new(),
        retry_at: None,
    }
}

/// Stores what a source said, as the job does in its first transaction.
async fn store(world: &TestWorld, source: SourceName, readings: Readings) -> Option<Heard> {
    let collected = collected(source, readings, world.clock.now());
    let now = collected.observed_at;
    let mut tx = world.db.pool.begin().await.unwrap();
    let it = &collected.readings;
    let missing = it.subjects.as_ref().is_some_and(|reading| reading.missing.is_some())
        || it.smoke_sessions.as_ref().is_some_and(|reading| reading.missing.is_some());
    if let Some(reading) = &it.subjects {
        records::store(&mut tx, source.as_str(), reading, now).await.unwrap();
    }
    if let Some(reading) = &it.handles {
        records::store(&mut tx, source.as_str(), reading, now).await.unwrap();
    }
    if let Some(reading) = &it.claims {
        records::store(&mut tx, source.as_str(), reading, now).await.unwrap();
    }
    if let Some(reading) = &it.catalog_items {
        records::store(&mut tx, source.as_str(), reading, now).await.unwrap();
    }
    if let Some(reading) = &it.labs {
        records::store(&mut tx, source.as_str(), reading, now).await.unwrap();
    }
    if let Some(reading) = &it.smoke_sessions {
        records::store(&mut tx, source.as_str(), reading, now).await.unwrap();
    }
    let source = Source {
        name: source.as_str(),
        interval_s: source.interval_s(),
        attempt_at: now,
        success_at: (!missing).then_some(now),
        error: missing.then_some("it failed"),
        expected: 1,
        missing: &[],
        retry_at: None,
    };
    db_sources::record(&mut *tx, &source).await.unwrap();
    tx.commit().await.unwrap();
    Heard::of(&collected)
}

fn configured() -> Configured {
    Configured {
        lab_stages: ["event".to_owned()].into(),
        ..Configured::default()
    }
}

/// What follows a collection that is stored: joins, and evidence.
async fn follow_up(world: &TestWorld, heard: &Heard) -> Published {
    let joined = link::join(&world.db.pool, &world.clock, &configured()).await.unwrap();
    publish::publish(&world.db.pool, &world.clock, heard, &joined, false).await.unwrap()
}

async fn collect(world: &mut TestWorld, source: SourceName, readings: Readings) -> Published {
    let heard = store(world, source, readings).await.expect("subjects or smoke runs");
    let published = follow_up(world, &heard).await;
    world.deliver_until_quiet().await;
    published
}

/// What is stored of a stage, by namespace number.
async fn stage(world: &TestWorld, stage: &str) -> Vec<String> {
    sqlx::query_scalar(
        "select format('%s %s %s%s', right(split_part(i.namespace, '-', 2), 1), s.observed, coalesce(s.reason, '-'),
                       case when s.observed = 'fail' then ' ' || coalesce(s.failure_class, '-') else '' end)
         from stage_state s join instances i using (instance_id) where s.stage = $1 order by i.namespace",
    )
    .bind(stage)
    .fetch_all(&world.db.pool)
    .await
    .unwrap()
}

async fn count(world: &TestWorld, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(&world.db.pool).await.unwrap()
}

async fn fleet(labs: usize) -> (TestWorld, TestCluster) {
    let mut world = TestWorld::new().await;
    let fleet = TestCluster::new("east", labs, morning());
    world.scan_and_judge(&fleet, Tier::Everything).await;
    world.wait(1);
    (world, fleet)
}

#[tokio::test]
async fn records_become_verdicts() {
    let (mut world, mut fleet) = fleet(4).await;
    let unknown: Vec<String> = (0..4).map(|number| format!("{number} indeterminate not_collected")).collect();
    assert_eq!(
        stage(&world, "provision-complete").await,
        unknown,
        "nobody reads the control plane yet"
    );

    fleet.set(2, Condition::CrashLooping);
    world.scan_and_judge(&fleet, Tier::Everything).await;
    let subjects = vec![
        started("q0000"),
        subject("q0001", "provision-failed", "started", "failed"),
        subject("q0002", "stopped", "stopped", "successful"),
    ];
    collect(&mut world, SourceName::Babylon, babylon(Reading::complete(subjects))).await;
    assert_eq!(
        stage(&world, "provision-complete").await,
        [
            "0 pass -",
            "1 fail - provision_failed",
            "2 indeterminate intentionally_stopped",
            "3 fail - anarchysubject_missing"
        ]
    );
    let message: String = sqlx::query_scalar("select message from stage_state where failure_class = 'provision_failed'")
        .fetch_one(&world.db.pool)
        .await
        .unwrap();
    assert!(
        message.contains("acme.web.event-q0001") && message.contains("aap-1.example.test/4711"),
        "{message}"
    );
    let deployment = stage(&world, "deployment-ready").await;
    assert_eq!(
        deployment[2], "2 indeterminate intentionally_stopped",
        "what is stopped on purpose does not fail"
    );
    assert_eq!(
        count(&world, "select count(*) from instances where catalog_item = 'acme.web.event'").await,
        3,
        "the claim says what was ordered"
    );
    let leaked = count(
        &world,
        "select count(*) from unmatched where kind = 'instance' and reason like 'not-found: east/sandbox-q0003%'",
    );
    assert_eq!(leaked.await, 1);
}

#[tokio::test]
async fn an_order_is_as_ready_as_its_slowest_component() {
    let (mut world, _) = fleet(1).await;
    let base = subject("q0000-1", "provisioning", "started", "running");
    collect(
        &mut world,
        SourceName::Babylon,
        babylon(Reading::complete(vec![started("q0000"), base])),
    )
    .await;
    // Two days are more than a provisioning may take.
    assert_eq!(stage(&world, "provision-complete").await, ["0 fail - provision_failed"]);
    world.wait(5);
    let base = subject("q0000-1", "destroying", "started", "successful");
    collect(
        &mut world,
        SourceName::Babylon,
        babylon(Reading::complete(vec![started("q0000"), base])),
    )
    .await;
    assert_eq!(
        stage(&world, "deployment-ready").await,
        Vec::<String>::new(),
        "what is destroyed is not judged"
    );
}

#[tokio::test]
async fn a_babylon_that_fails_makes_it_unknown_and_keeps_what_was_read() {
    let (mut world, fleet) = fleet(1).await;
    let good = || babylon(Reading::complete(vec![started("q0000")]));
    collect(&mut world, SourceName::Babylon, good()).await;
    assert_eq!(stage(&world, "provision-complete").await, ["0 pass -"]);

    world.wait(5);
    let failed = babylon(Reading::failed(UnknownReason::Forbidden, "subjects: 403"));
    collect(&mut world, SourceName::Babylon, failed).await;
    assert_eq!(stage(&world, "provision-complete").await, ["0 indeterminate forbidden"]);
    assert_eq!(count(&world, "select count(*) from subjects where gone_at is null").await, 1);
    assert_eq!(count(&world, "select count(*) from evidence where kind = 'subject'").await, 1);
    assert_eq!(
        count(&world, "select count(*) from unmatched").await,
        0,
        "what was not read is not missing"
    );

    world.wait(5);
    collect(&mut world, SourceName::Babylon, good()).await;
    assert_eq!(stage(&world, "provision-complete").await, ["0 pass -"]);
    // Nobody reads it any more.
    world.wait(11);
    world.scan_and_judge(&fleet, Tier::Cluster).await;
    assert_eq!(stage(&world, "provision-complete").await, ["0 indeterminate stale"]);
    publish::retract(&world.db.pool, &world.clock, SourceName::Babylon).await.unwrap();
    world.deliver_until_quiet().await;
    assert_eq!(stage(&world, "provision-complete").await, ["0 indeterminate not_collected"]);
    let scans = count(&world, "select count(*) from scans").await;
    world.wait(5);
    publish::retract(&world.db.pool, &world.clock, SourceName::Babylon).await.unwrap();
    assert_eq!(count(&world, "select count(*) from scans").await, scans, "said once");
}

#[tokio::test]
async fn a_quiet_fleet_stays_fresh_without_a_scan() {
    let (mut world, fleet) = fleet(3).await;
    let all = || babylon(Reading::complete(["q0000", "q0001", "q0002"].map(started).to_vec()));
    let first = collect(&mut world, SourceName::Babylon, all()).await;
    assert_eq!((first.clusters, first.changed), (1, 3));
    let scans = count(&world, "select count(*) from scans").await;
    for _ in 0..6 {
        world.wait(5);
        assert_eq!(collect(&mut world, SourceName::Babylon, all()).await, Published::default());
        assert_eq!(world.take_events().await.len(), 0);
    }
    assert_eq!(count(&world, "select count(*) from scans").await, scans);
    world.scan_and_judge(&fleet, Tier::Cluster).await;
    assert_eq!(stage(&world, "provision-complete").await, ["0 pass -", "1 pass -", "2 pass -"]);
}

#[tokio::test]
async fn an_instance_that_came_after_the_reading_has_unknown_subjects() {
    let (mut world, _) = fleet(1).await;
    collect(&mut world, SourceName::Babylon, babylon(Reading::complete(vec![started("q0000")]))).await;
    world.wait(1);
    let grown = TestCluster::new("east", 2, morning());
    world.scan_and_judge(&grown, Tier::Everything).await;
    assert_eq!(
        stage(&world, "provision-complete").await,
        ["0 pass -", "1 indeterminate not_collected"]
    );
    world.wait(4);
    let both = vec![started("q0000"), started("q0001")];
    collect(&mut world, SourceName::Babylon, babylon(Reading::complete(both))).await;
    assert_eq!(stage(&world, "provision-complete").await, ["0 pass -", "1 pass -"]);
}

#[tokio::test]
async fn a_cluster_of_another_control_plane_is_not_covered() {
    let (mut world, _) = fleet(1).await;
    collect(&mut world, SourceName::Babylon, babylon(Reading::complete(Vec::new()))).await;
    assert_eq!(stage(&world, "provision-complete").await, ["0 indeterminate not_collected"]);
}

fn smoke(id: i64, done: Option<i64>) -> SmokeSession {
    SmokeSession {
        id,
        name: "LB0042 rehearsal".to_owned(),
        workers: Some(12),
        total: done.map(|_| 12),
        completed: done,
        failed: done.map(|_| 0),
        ..SmokeSession::default()
    }
}

async fn smoke_evidence(world: &TestWorld) -> String {
    let found: Option<String> = sqlx::query_scalar("select doc::text from evidence where kind = 'smoke-run'")
        .fetch_optional(&world.db.pool)
        .await
        .unwrap();
    found.unwrap_or_default()
}

#[tokio::test]
async fn a_smoke_run_has_the_age_of_the_reading_before() {
    let (mut world, _) = fleet(1).await;
    let lab = Lab {
        code: "LB0042".to_owned(),
        ci_name: "acme.web".to_owned(),
        ..Lab::default()
    };
    let labs = Readings {
        labs: Some(Reading::complete(vec![lab])),
        ..Readings::default()
    };
    store(&world, SourceName::Labagator, labs).await;
    collect(&mut world, SourceName::Babylon, babylon(Reading::complete(vec![started("q0000")]))).await;
    let runs = |run| Readings {
        smoke_sessions: Some(Reading::complete(vec![run])),
        ..Readings::default()
    };
    collect(&mut world, SourceName::Demolition, runs(smoke(1, Some(12)))).await;
    assert_eq!(
        count(
            &world,
            "select count(*) from instances where lab_code = 'LB0042' and lab = 'LB0042'"
        )
        .await,
        1
    );
    let first = smoke_evidence(&world).await;
    assert!(
        first.contains("\"guessed\":true") && !first.contains("finished_at"),
        "nobody knows how old it is: {first}"
    );

    let before = world.clock.now();
    world.wait(15);
    collect(&mut world, SourceName::Demolition, runs(smoke(2, Some(12)))).await;
    let second = smoke_evidence(&world).await;
    let stamp = before.format("%Y-%m-%dT%H:%M").to_string();
    assert!(second.contains(&format!("\"finished_at\":\"{stamp}")), "{second}");
    world.wait(15);
    assert_eq!(
        collect(&mut world, SourceName::Demolition, runs(smoke(2, Some(12)))).await,
        Published::default()
    );
    assert_eq!(smoke_evidence(&world).await, second, "its age stays");
}

#[tokio::test]
async fn killed_between_storing_and_publishing_nothing_is_lost_or_twice() {
    let (mut world, _) = fleet(2).await;
    let all = || {
        babylon(Reading::complete(vec![
            started("q0000"),
            subject("q0001", "provision-failed", "started", "failed"),
        ]))
    };
    // Killed after the first transaction, and after the second.
    store(&world, SourceName::Babylon, all()).await;
    world.wait(1);
    let heard = store(&world, SourceName::Babylon, all()).await.unwrap();
    link::join(&world.db.pool, &world.clock, &configured()).await.unwrap();
    let links = count(&world, "select count(*) from links").await;
    assert!(links > 0);
    // The same reading published twice is once.
    assert_eq!(follow_up(&world, &heard).await.clusters, 1);
    assert_eq!(follow_up(&world, &heard).await, Published::default());
    assert_eq!(count(&world, "select count(*) from links").await, links);
    assert_eq!(count(&world, "select count(*) from evidence where kind = 'subject'").await, 2);

    world.wait(5);
    let broken = babylon(Reading::complete(vec![
        subject("q0000", "start-failed", "started", "successful"),
        started("q0001"),
    ]));
    let heard = store(&world, SourceName::Babylon, broken).await.unwrap();
    follow_up(&world, &heard).await;
    // Two readings wait: their events come three times, the last one first.
    let events = world.take_events().await;
    for _ in 0..3 {
        for event in events.iter().rev() {
            world.deliver(event).await.unwrap();
        }
    }
    world.deliver_until_quiet().await;
    assert_eq!(
        stage(&world, "provision-complete").await,
        ["0 fail - provision_not_started", "1 pass -"]
    );
    assert_eq!(count(&world, "select count(*) from scans where evaluated_at is null").await, 0);
}
