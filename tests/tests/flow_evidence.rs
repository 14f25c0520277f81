//! What was read is stored when it differs, and can be loaded as any scan left it.

#![cfg(test)]

use chrono::{DateTime, TimeDelta, Utc};
use stargate_common::db::clusters::{self, Cluster};
use stargate_common::db::evidence::{self, AsOf};
use stargate_common::db::scans::{self, ScanState, Tier};
use stargate_common::objects::{Kind, Snapshot};
use stargate_common::unknown::UnknownReason;
use stargate_tests::TestDb;
use stargate_tests::fleet::{Condition, TestCluster};

fn at(minutes: i64) -> DateTime<Utc> {
    "2026-11-23T06:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

async fn cluster(db: &TestDb) -> Cluster {
    clusters::find(&db.pool, "cnv-1").await.unwrap().unwrap()
}

async fn loaded(db: &TestDb, minutes: i64) -> Snapshot {
    let cluster = cluster(db).await;
    let scan = scans::newest(&db.pool, cluster.id).await.unwrap().unwrap();
    let as_of = AsOf {
        cluster: &cluster,
        coverage: &scan.coverage,
        now: at(minutes),
    };
    evidence::load(&mut db.pool.acquire().await.unwrap(), as_of).await.unwrap()
}

#[tokio::test]
async fn what_is_loaded_is_what_was_read() {
    let db = TestDb::new().await;
    let fleet = TestCluster::new("cnv-1", 5, at(0));
    let taken = fleet.take(Tier::Everything, at(0));
    let stored = taken.store(&db.pool, at(1)).await.unwrap();
    assert_eq!((stored.new, stored.gone, stored.state), (5, 0, ScanState::Complete));

    let loaded = loaded(&db, 1).await;
    assert_eq!(loaded.namespaces.len(), 5);
    for (name, read) in &taken.snapshot.namespaces {
        assert_eq!(loaded.namespaces.get(name), Some(read), "{name}");
    }
    assert_eq!(loaded.cluster, taken.snapshot.cluster);
}

#[tokio::test]
async fn an_unchanged_reading_writes_nothing_of_an_instance() {
    let db = TestDb::of_one_connection().await;
    let fleet = TestCluster::new("cnv-1", 50, at(0));
    fleet.take(Tier::Everything, at(0)).store(&db.pool, at(1)).await.unwrap();
    let before = db.rows_written().await;
    let again = fleet.take(Tier::Everything, at(60)).store(&db.pool, at(61)).await.unwrap();
    assert_eq!((again.new, again.gone, again.changed), (0, 0, 0));
    // 23 kinds, the scan, its event, the view.
    let written = db.rows_written().await - before;
    assert!(written < 40, "{written} rows");
}

#[tokio::test]
async fn one_change_is_one_document_and_the_old_one_is_history() {
    let db = TestDb::new().await;
    let mut fleet = TestCluster::new("cnv-1", 5, at(0));
    fleet.take(Tier::Everything, at(0)).store(&db.pool, at(1)).await.unwrap();
    fleet.set(2, Condition::NoRoute);
    let second = fleet.take(Tier::Everything, at(60)).store(&db.pool, at(61)).await.unwrap();
    assert_eq!(second.changed, 1);
    let history: Vec<(String, DateTime<Utc>, DateTime<Utc>)> =
        sqlx::query_as("select kind, observed_at, replaced_at from evidence_history")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    assert_eq!(history, [("route".to_owned(), at(0), at(60))]);
    let routes = &loaded(&db, 61).await.namespaces[&TestCluster::namespace(2)].routes;
    assert_eq!((routes.items.len(), routes.missing), (0, None), "read, and there are none");
}

#[tokio::test]
async fn a_kind_that_was_not_read_keeps_what_is_stored_and_is_unknown() {
    let db = TestDb::new().await;
    let mut fleet = TestCluster::new("cnv-1", 3, at(0));
    fleet.take(Tier::Everything, at(0)).store(&db.pool, at(1)).await.unwrap();
    fleet.unreadable.insert(Kind::Route, UnknownReason::Forbidden);
    fleet.unreadable.insert(Kind::Namespace, UnknownReason::Truncated);
    let stored = fleet.take(Tier::Everything, at(60)).store(&db.pool, at(61)).await.unwrap();
    assert_eq!((stored.changed, stored.gone, stored.state), (0, 0, ScanState::Partial));

    let now = loaded(&db, 61).await;
    let lab = &now.namespaces[&TestCluster::namespace(0)];
    assert_eq!((lab.routes.items.len(), lab.routes.missing), (0, Some(UnknownReason::Forbidden)));
    assert_eq!(lab.namespace.missing, Some(UnknownReason::Truncated));
    assert_eq!(lab.pods.items.len(), 1);

    fleet.unreadable.clear();
    let third = fleet.take(Tier::Everything, at(120)).store(&db.pool, at(121)).await.unwrap();
    assert_eq!(third.changed, 0, "the route is still the one that was stored");
    assert_eq!(loaded(&db, 121).await.namespaces[&TestCluster::namespace(0)].routes.items.len(), 1);
}

#[tokio::test]
async fn old_evidence_is_stale_and_a_dead_cluster_only_says_so() {
    let db = TestDb::new().await;
    let mut fleet = TestCluster::new("cnv-1", 3, at(0));
    fleet.take(Tier::Everything, at(0)).store(&db.pool, at(1)).await.unwrap();
    let stale = loaded(&db, 31).await;
    let lab = &stale.namespaces[&TestCluster::namespace(0)];
    assert_eq!(lab.pods.missing, Some(UnknownReason::Stale));
    assert_eq!((lab.routes.missing, lab.routes.items.len()), (None, 1), "routes are read hourly");

    fleet.reachable = false;
    let stored = fleet.take(Tier::Workloads, at(15)).store(&db.pool, at(16)).await.unwrap();
    assert_eq!((stored.changed, stored.gone, stored.state), (0, 0, ScanState::Failed));
    let dead = loaded(&db, 16).await;
    assert_eq!(dead.cluster.reachable.as_ref().map(|seen| seen.answered), Some(false));
    assert_eq!(
        dead.namespaces[&TestCluster::namespace(0)].pods.missing,
        Some(UnknownReason::Unreachable)
    );
    let detail: (Option<bool>, String) = sqlx::query_as("select api_reachable, api_detail from clusters")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(detail, (Some(false), "connection refused".to_owned()));
}

#[tokio::test]
async fn a_namespace_is_gone_only_when_a_complete_list_lacks_it() {
    let db = TestDb::new().await;
    let mut fleet = TestCluster::new("cnv-1", 3, at(0));
    fleet.take(Tier::Everything, at(0)).store(&db.pool, at(1)).await.unwrap();
    fleet.labs.remove(&TestCluster::namespace(0));
    fleet.unreadable.insert(Kind::Namespace, UnknownReason::Timeout);
    let cut = fleet.take(Tier::Workloads, at(15)).store(&db.pool, at(16)).await.unwrap();
    assert_eq!(cut.gone, 0);
    fleet.unreadable.clear();
    let whole = fleet.take(Tier::Workloads, at(30)).store(&db.pool, at(31)).await.unwrap();
    assert_eq!((whole.gone, whole.new), (1, 0));
    assert_eq!(loaded(&db, 31).await.namespaces.len(), 2);
    let left: i64 =
        sqlx::query_scalar("select count(*) from evidence e join instances i using (instance_id) where i.deleted_at is not null")
            .fetch_one(&db.pool)
            .await
            .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn the_same_name_with_another_uid_is_another_instance() {
    let db = TestDb::new().await;
    let mut fleet = TestCluster::new("cnv-1", 2, at(0));
    fleet.take(Tier::Everything, at(0)).store(&db.pool, at(1)).await.unwrap();
    fleet.labs.get_mut(&TestCluster::namespace(1)).unwrap().uid = "uid-again".to_owned();
    let stored = fleet.take(Tier::Workloads, at(15)).store(&db.pool, at(16)).await.unwrap();
    assert_eq!((stored.new, stored.gone), (1, 1));
    let uids: Vec<(String, bool)> =
        sqlx::query_as("select uid, deleted_at is null from instances where namespace = $1 order by first_seen_at")
            .bind(TestCluster::namespace(1))
            .fetch_all(&db.pool)
            .await
            .unwrap();
    assert_eq!(uids, [("uid-cnv-1-1".to_owned(), false), ("uid-again".to_owned(), true)]);
}

#[tokio::test]
async fn of_two_overlapping_readings_the_later_one_counts() {
    let db = TestDb::new().await;
    let mut fleet = TestCluster::new("cnv-1", 2, at(0));
    let early = fleet.take(Tier::Everything, at(0));
    fleet.set(0, Condition::CrashLooping);
    fleet.take(Tier::Workloads, at(1)).store(&db.pool, at(2)).await.unwrap();
    early.store(&db.pool, at(3)).await.unwrap();
    let loaded = loaded(&db, 3).await;
    let lab = &loaded.namespaces[&TestCluster::namespace(0)];
    assert!(
        !lab.pods.items[0].status.container_statuses[0].ready,
        "pods are those of the later reading"
    );
    assert_eq!(lab.routes.items.len(), 1, "routes were only read by the earlier one");
}

#[tokio::test]
async fn a_scan_that_waits_is_loaded_as_it_was() {
    let db = TestDb::new().await;
    let mut fleet = TestCluster::new("cnv-1", 3, at(0));
    let mut taken = Vec::new();
    for (minutes, condition) in [
        (0, Condition::Healthy),
        (15, Condition::CrashLooping),
        (30, Condition::NoDeployment),
        (45, Condition::Healthy),
    ] {
        fleet.set(0, condition);
        if minutes == 30 {
            fleet.labs.remove(&TestCluster::namespace(1));
        }
        let scan = fleet.take(Tier::Everything, at(minutes));
        scan.store(&db.pool, at(minutes + 1)).await.unwrap();
        taken.push(scan);
    }
    let cluster = cluster(&db).await;
    let mut conn = db.pool.acquire().await.unwrap();
    for scan in &taken {
        let waiting = scans::next_waiting(&mut *conn, cluster.id).await.unwrap().unwrap();
        assert_eq!(waiting.id, scan.scan_id, "scans wait in the order they were stored");
        let as_of = AsOf {
            cluster: &cluster,
            coverage: &waiting.coverage,
            now: waiting.observed_at,
        };
        let loaded = evidence::load(&mut conn, as_of).await.unwrap();
        assert_eq!(loaded.namespaces, scan.snapshot.namespaces, "scan of {}", waiting.observed_at);
        assert_eq!(loaded.cluster, scan.snapshot.cluster);
        assert!(
            scans::mark_evaluated(&mut conn, waiting.id, waiting.started_at, at(60))
                .await
                .unwrap()
        );
        assert!(
            !scans::mark_evaluated(&mut conn, waiting.id, waiting.started_at, at(61))
                .await
                .unwrap()
        );
    }
    assert_eq!(scans::next_waiting(&mut *conn, cluster.id).await.unwrap(), None);
}

#[tokio::test]
async fn what_jsonb_refuses_is_kept() {
    let db = TestDb::new().await;
    let fleet = TestCluster::new("cnv-1", 1, at(0));
    let mut taken = fleet.take(Tier::Workloads, at(0));
    let lab = taken.snapshot.namespaces.get_mut(&TestCluster::namespace(0)).unwrap();
    lab.pods.items[0].status.message = "exit\u{0}ed".to_owned();
    taken.store(&db.pool, at(1)).await.unwrap();
    assert_eq!(
        loaded(&db, 1).await.namespaces[&TestCluster::namespace(0)].pods.items[0]
            .status
            .message,
        "exit\u{0}ed"
    );
}
