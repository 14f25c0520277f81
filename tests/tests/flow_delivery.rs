//! Nothing is lost and nothing happens twice: whatever is killed, repeated, late, shuffled or run side by side, the story ends the same.

#![cfg(test)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use chrono::TimeDelta;
use sqlx::PgPool;
use stargate_common::events::EventType;
use stargate_common::events::wire::CloudEvent;
use stargate_common::failure::Failure;
use stargate_evaluate::Evaluator;
use stargate_tests::kill::cut_at_every_step;
use stargate_tests::postgres::Server;
use stargate_tests::story::{self, assert_same, ending, store};
use stargate_tests::{TestDb, TestWorld};

/// Where a transaction of `evaluate` can be stopped in its middle: the tables it writes, in order.
const TABLES: [&str; 8] = [
    "scans",
    "stage_state",
    "instances",
    "transitions",
    "incidents",
    "instance_rollup",
    "outbox",
    "view_versions",
];

async fn deliver(evaluator: &Evaluator, event: &CloudEvent) -> Result<(), Failure> {
    if event.event_type == EventType::ScanCompleted.as_str() {
        stargate_evaluate::take_event_in(evaluator, event).await?;
    }
    Ok(())
}

/// Delivers as a broker does: again while the answer says that it may pass.
async fn deliver_until_taken(evaluator: &Evaluator, event: &CloudEvent) {
    for _ in 0..1000 {
        match deliver(evaluator, event).await {
            Ok(()) => return,
            Err(failure) => assert!(matches!(failure, Failure::Busy(_) | Failure::Retry { .. }), "{failure}"),
        }
    }
    panic!("event {} is never taken in", event.id);
}

/// A shuffle that is the same for the same seed.
fn shuffle<T>(items: &mut [T], mut seed: u64) {
    for last in (1..items.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(seed >> 33).unwrap() % (last + 1);
        items.swap(last, other);
    }
}

#[tokio::test]
async fn every_event_three_times_and_shuffled_ends_the_same() {
    let baseline = story::baseline().await;
    for seed in 1..=4 {
        let world = TestWorld::new().await;
        for scan in story::scans() {
            store(&world.db.pool, &scan).await;
        }
        let once = world.take_events().await;
        let mut events: Vec<CloudEvent> = once.iter().chain(&once).chain(&once).cloned().collect();
        shuffle(&mut events, seed);
        for event in &events {
            deliver(&world.evaluator, event).await.unwrap();
        }
        assert_same(&ending(&world.db.pool).await, baseline, &format!("shuffle {seed}"));
        let taken: i64 = sqlx::query_scalar("select count(*) from inbox")
            .fetch_one(&world.db.pool)
            .await
            .unwrap();
        assert_eq!(
            usize::try_from(taken).unwrap(),
            story::scans().len(),
            "each event is in the inbox once"
        );
    }
}

#[tokio::test]
async fn lost_events_are_made_up_for() {
    let baseline = story::baseline().await;
    let world = TestWorld::new().await;
    for scan in story::scans() {
        store(&world.db.pool, &scan).await;
    }
    for cluster in ["cnv-1", "cnv-2"] {
        stargate_evaluate::evaluate_cluster(&world.evaluator, cluster).await.unwrap();
    }
    assert_same(&ending(&world.db.pool).await, baseline, "without any event");
}

#[tokio::test]
async fn dropped_at_every_await_point_ends_the_same() {
    let baseline = story::baseline().await;
    let mut world = TestWorld::new().await;
    let (mut steps, mut works) = (0, 0);
    for scan in story::scans() {
        let stored_at = story::stored_at(&scan);
        let (polls, stored) = cut_at_every_step(|| scan.store(&world.db.pool, stored_at)).await;
        (steps, works) = (steps + polls, works + 1);
        // A commit that was cut off may have happened: then the same scan is there already.
        if let Err(error) = stored {
            let there: i64 = sqlx::query_scalar("select count(*) from scans where scan_id = $1")
                .bind(scan.scan_id)
                .fetch_one(&world.db.pool)
                .await
                .unwrap();
            assert_eq!(there, 1, "{error:?}");
        }
        for event in world.take_events().await {
            let (polls, done) = cut_at_every_step(|| deliver(&world.evaluator, &event)).await;
            (steps, works) = (steps + polls, works + 1);
            done.unwrap();
            world.heard.push(event);
        }
    }
    // How often a future waits depends on how fast the database answers: on a busy machine an answer is often there before anybody
    // asks. One cut for each scan and event is the least.
    assert!(
        steps >= 2 * works,
        "{steps} steps in {works} pieces of work: every await point was to be a cut"
    );
    assert_same(&ending(&world.db.pool).await, baseline, "cut off at every step");
}

/// Waits until a backend of that application stands at a lock; true when it does, false when `gone` says that it never will.
async fn waits_for_lock(pool: &PgPool, application: &str, mut gone: impl FnMut() -> bool) -> bool {
    loop {
        let waiting: i64 =
            sqlx::query_scalar("select count(*) from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'")
                .bind(application)
                .fetch_one(pool)
                .await
                .unwrap();
        if waiting > 0 {
            return true;
        }
        if gone() {
            return false;
        }
        tokio::task::yield_now().await;
    }
}

/// Stops every write to a table for as long as the transaction lives.
async fn block(pool: &PgPool, table: &'static str) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut blocker = pool.begin().await.unwrap();
    let lock = match table {
        "scans" => "lock table scans in share mode",
        "stage_state" => "lock table stage_state in share mode",
        "instances" => "lock table instances in share mode",
        "transitions" => "lock table transitions in share mode",
        "incidents" => "lock table incidents in share mode",
        "instance_rollup" => "lock table instance_rollup in share mode",
        "outbox" => "lock table outbox in share mode",
        other => {
            assert_eq!(other, "view_versions");
            "lock table view_versions in share mode"
        }
    };
    sqlx::query(lock).execute(&mut *blocker).await.unwrap();
    blocker
}

#[tokio::test]
async fn connections_lost_in_the_middle_of_a_transaction_end_the_same() {
    let baseline = story::baseline().await;
    let mut world = TestWorld::new().await;
    let victim = world.evaluator_on(world.db.another_pool().await);
    let mut killed = 0;
    for scan in story::scans() {
        store(&world.db.pool, &scan).await;
        for event in world.take_events().await {
            for table in TABLES {
                let blocker = block(&world.db.pool, table).await;
                let finished = std::cell::Cell::new(false);
                let work = async {
                    let done = deliver(&victim, &event).await;
                    finished.set(true);
                    done
                };
                let kill = async {
                    if waits_for_lock(&world.db.pool, "stargate-test-other", || finished.get()).await {
                        let terminated: i64 = sqlx::query_scalar(
                            "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'stargate-test-other'",
                        )
                        .fetch_one(&world.db.pool)
                        .await
                        .unwrap();
                        killed += terminated;
                    }
                };
                let (done, ()) = tokio::join!(work, kill);
                blocker.rollback().await.unwrap();
                if let Err(failure) = done {
                    assert_eq!(failure.status().as_u16(), 503, "at {table}: {failure}");
                }
            }
            deliver_until_taken(&victim, &event).await;
            world.heard.push(event);
        }
    }
    assert!(killed > 50, "{killed} connections were lost");
    assert_same(&ending(&world.db.pool).await, baseline, "connections lost");
}

#[tokio::test]
async fn two_processes_on_the_same_events_end_the_same() {
    let baseline = story::baseline().await;
    let world = TestWorld::new().await;
    let others = [
        world.evaluator_on(world.db.another_pool().await),
        world.evaluator_on(world.db.another_pool().await),
    ];
    for scan in story::scans() {
        store(&world.db.pool, &scan).await;
    }
    let events = world.take_events().await;
    let run = |evaluator: Evaluator, seed| {
        let mut events = events.clone();
        shuffle(&mut events, seed);
        async move {
            for event in &events {
                deliver_until_taken(&evaluator, event).await;
            }
        }
    };
    let [one, two] = others;
    tokio::join!(run(one, 7), run(two, 8), run(world.evaluator.clone(), 9));
    assert_same(&ending(&world.db.pool).await, baseline, "three at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_postgresql_ends_the_same() {
    let baseline = story::baseline().await;
    let server = Server::private();
    let world = TestWorld::on(TestDb::on(&server).await);
    for scan in story::scans() {
        store(&world.db.pool, &scan).await;
    }
    let events = world.take_events().await;
    let mut refused = 0;
    for (number, event) in events.iter().enumerate() {
        if number % 4 == 1 {
            // The server dies while the event is worked on; where exactly is chance, that nothing is lost is not.
            let (done, ()) = tokio::join!(deliver(&world.evaluator, event), async {
                tokio::task::block_in_place(|| server.crash_and_restart());
            });
            refused += u32::from(done.is_err());
        }
        deliver_until_taken(&world.evaluator, event).await;
    }
    assert_same(
        &ending(&world.db.pool).await,
        baseline,
        &format!("server restarted, {refused} deliveries refused"),
    );
}

/// A process of its own that evaluates what waits on a cluster.
fn evaluating_process(url: &str, cluster: &str) -> Child {
    let now = stargate_tests::world::morning() + TimeDelta::hours(3);
    Command::new(env!("CARGO_BIN_EXE_evaluate-once"))
        .args([url, cluster, &now.to_rfc3339()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn wait_until_it_began(child: &mut Child) {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
}

#[tokio::test]
async fn a_killed_process_ends_the_same() {
    let baseline = story::baseline().await;
    let world = TestWorld::new().await;
    let mut killed = 0;
    for (number, scan) in story::scans().iter().enumerate() {
        store(&world.db.pool, scan).await;
        let cluster = &scan.snapshot.cluster.name;
        // Starting a process is slow: two tables a scan, other ones each time.
        for table in TABLES.iter().cycle().skip(2 * number).take(2) {
            let blocker = block(&world.db.pool, table).await;
            let mut child = evaluating_process(&world.db.url, cluster);
            wait_until_it_began(&mut child);
            if waits_for_lock(&world.db.pool, "stargate-evaluate-once", || child.try_wait().unwrap().is_some()).await {
                // SIGKILL: nothing of it runs any more.
                child.kill().unwrap();
                killed += 1;
            }
            child.wait().unwrap();
            blocker.rollback().await.unwrap();
        }
        let mut child = evaluating_process(&world.db.url, cluster);
        assert!(child.wait().unwrap().success());
    }
    assert!(killed > 9, "{killed} processes were killed");
    assert_same(&ending(&world.db.pool).await, baseline, "killed");
}
