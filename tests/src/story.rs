//! One morning on two clusters, scan by scan: labs break, change their cause, recover, flap, are recycled, a cluster goes away. Flows play
//! it under bad conditions and compare with how it ends when everything goes well.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use stargate_common::db::scans::Tier;
use stargate_common::objects::Kind;
use stargate_common::unknown::UnknownReason;
use tokio::sync::OnceCell;

use crate::TestWorld;
use crate::fleet::{Condition, Taken, TestCluster};
use crate::world::morning;

/// The scans of the story, in the order they are stored.
#[must_use]
pub fn scans() -> Vec<Taken> {
    let at = |minutes: i64| morning() + TimeDelta::minutes(minutes);
    let mut one = TestCluster::new("cnv-1", 12, morning());
    let mut two = TestCluster::new("cnv-2", 6, morning());
    let mut scans = vec![one.take(Tier::Everything, at(0)), two.take(Tier::Everything, at(1))];
    let mut both = |one: &TestCluster, two: &TestCluster, minutes: i64| {
        scans.push(one.take(Tier::Workloads, at(minutes)));
        scans.push(two.take(Tier::Workloads, at(minutes + 1)));
    };
    // Four labs with one cause, another one that only blinks.
    for number in 0..4 {
        one.set(number, Condition::ImagePull);
    }
    two.set(5, Condition::CrashLooping);
    both(&one, &two, 15);
    two.set(5, Condition::Healthy);
    two.set(0, Condition::NoDeployment);
    both(&one, &two, 30);
    // One changes its cause, one is recycled, the pods of the other cluster cannot be read.
    one.set(0, Condition::CrashLooping);
    one.labs.remove(&TestCluster::namespace(1));
    two.unreadable.insert(Kind::Pod, UnknownReason::Forbidden);
    both(&one, &two, 45);
    two.unreadable.clear();
    two.reachable = false;
    both(&one, &two, 60);
    // Everything comes back, one lab as another namespace.
    two.reachable = true;
    two.set(0, Condition::Healthy);
    one.set(0, Condition::Healthy);
    one.set(2, Condition::Healthy);
    if let Some(lab) = one.labs.get_mut(&TestCluster::namespace(3)) {
        lab.uid = "uid-recreated".to_owned();
        lab.condition = Condition::Healthy;
    }
    both(&one, &two, 75);
    both(&one, &two, 90);
    scans
}

/// Stores a scan twenty seconds after it began.
///
/// # Panics
/// When it cannot be stored.
pub async fn store(pool: &PgPool, scan: &Taken) {
    scan.store(pool, stored_at(scan)).await.expect("storing a scan of the story");
}

/// When a scan of the story is stored.
#[must_use]
pub fn stored_at(scan: &Taken) -> DateTime<Utc> {
    scan.snapshot.observed_at + TimeDelta::seconds(20)
}

/// How the story ends when every scan is stored, told and judged in order, each once.
///
/// # Panics
/// When anything fails.
pub async fn baseline() -> &'static [String] {
    static BASELINE: OnceCell<Vec<String>> = OnceCell::const_new();
    BASELINE.get_or_init(play).await
}

async fn play() -> Vec<String> {
    let mut world = TestWorld::new().await;
    for scan in scans() {
        store(&world.db.pool, &scan).await;
        world.deliver_until_quiet().await;
    }
    let ending = ending(&world.db.pool).await;
    let said = |what: &str| ending.iter().filter(|line| line.starts_with(what)).count();
    // The story must be worth telling.
    let told = [said("transition"), said("incident"), said("event io.stargate.incident")];
    assert!(told.iter().zip([8, 7, 12]).all(|(told, least)| *told >= least), "{told:?}");
    ending
}

/// Everything that the story leaves behind and that must not depend on how it was delivered, as lines.
///
/// # Panics
/// When the database fails.
pub async fn ending(pool: &PgPool) -> Vec<String> {
    let statements = [
        "select format('transition %s', to_jsonb(t)) from transitions t order by at, transition_id",
        "select format('incident %s', to_jsonb(i)) from incidents i order by incident_id",
        "select format('stage %s', to_jsonb(s)) from stage_state s order by subject_id, stage",
        "select format('instance %s', to_jsonb(i) - 'version') from instances i order by instance_id",
        "select format('rollup %s', to_jsonb(r)) from instance_rollup r order by r",
        "select format('rollup %s', to_jsonb(r)) from stage_rollup r order by r",
        "select format('event %s %s %s x%s', type, subject, event_id, count(*)) from outbox group by type, subject, event_id order by 1",
        "select format('evidence %s %s %s', instance_id, kind, content_hash) from evidence order by 1",
        "select format('history %s %s %s %s', subject_id, kind, content_hash, replaced_at) from evidence_history order by 1",
        "select format('cluster %s %s', name, evaluated_as_of) from clusters order by name",
        "select format('scan %s %s', scan_id, evaluated_at is not null) from scans order by 1",
    ];
    let mut lines = Vec::new();
    for statement in statements {
        let some: Vec<String> = sqlx::query_scalar(statement)
            .fetch_all(pool)
            .await
            .expect("reading how the story ended");
        lines.extend(some);
    }
    lines
}

/// Fails with the lines that differ.
///
/// # Panics
/// When they differ.
pub fn assert_same(got: &[String], expected: &[String], how: &str) {
    let missing: Vec<_> = expected.iter().filter(|line| !got.contains(line)).collect();
    let extra: Vec<_> = got.iter().filter(|line| !expected.contains(line)).collect();
    let some = |lines: &[&String]| lines.iter().take(5).map(|line| format!("\n  {line}")).collect::<String>();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{how}: lost {}{}\nadded {}{}",
        missing.len(),
        some(&missing),
        extra.len(),
        some(&extra)
    );
    assert_eq!(got.len(), expected.len(), "{how}: something is there twice");
}
