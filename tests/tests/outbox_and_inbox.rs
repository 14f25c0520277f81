//! The plumbing of events on a real database: nothing is sent without a claim, nothing is taken in twice.

#![cfg(test)]

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use stargate_common::db::inbox::{self, Novelty};
use stargate_common::db::outbox::{self, Backlog, Outgoing};
use stargate_tests::TestDb;
use uuid::Uuid;

fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn event(subject: &str) -> Outgoing {
    Outgoing {
        event_id: Uuid::new_v5(&Uuid::NAMESPACE_URL, subject.as_bytes()),
        kind: "io.stargate.scan.completed.v1".to_owned(),
        source: "/stargate/scan".to_owned(),
        subject: subject.to_owned(),
        time: noon(),
        partition_key: subject.to_owned(),
        extensions: BTreeMap::from([("sgcluster".to_owned(), subject.to_owned())]),
        data: serde_json::json!({ "cluster": subject }),
    }
}

async fn append(db: &TestDb, events: &[Outgoing]) {
    let mut tx = db.pool.begin().await.unwrap();
    outbox::append(&mut tx, events, noon()).await.unwrap();
    tx.commit().await.unwrap();
}

fn subjects(rows: &[outbox::OutboxRow]) -> Vec<&str> {
    rows.iter().map(|row| row.event.subject.as_str()).collect()
}

#[tokio::test]
async fn events_come_out_once_in_order_and_unchanged() {
    let db = TestDb::new().await;
    append(&db, &[event("a"), event("b"), event("c")]).await;
    let lease = TimeDelta::seconds(30);

    let first = outbox::claim(&db.pool, 2, lease, noon()).await.unwrap();
    let second = outbox::claim(&db.pool, 2, lease, noon()).await.unwrap();
    assert_eq!(subjects(&first), ["a", "b"]);
    assert_eq!(first[0].event, event("a"));
    assert_eq!(subjects(&second), ["c"]);

    let seqs: Vec<i64> = first.iter().map(|row| row.seq).collect();
    assert_eq!(
        outbox::mark_sent(&db.pool, &seqs, second[0].token, noon()).await.unwrap(),
        0,
        "another claim's token"
    );
    assert_eq!(outbox::mark_sent(&db.pool, &seqs, first[0].token, noon()).await.unwrap(), 2);
    assert_eq!(
        outbox::backlog(&db.pool).await.unwrap(),
        Backlog {
            events: 1,
            oldest: Some(noon())
        }
    );
}

#[tokio::test]
async fn a_claim_that_ran_out_is_taken_over_and_its_late_answer_ignored() {
    let db = TestDb::new().await;
    append(&db, &[event("a")]).await;
    let died = outbox::claim(&db.pool, 10, TimeDelta::seconds(30), noon()).await.unwrap();
    assert!(
        outbox::claim(&db.pool, 10, TimeDelta::seconds(30), noon() + TimeDelta::seconds(29))
            .await
            .unwrap()
            .is_empty()
    );

    let taken = outbox::claim(&db.pool, 10, TimeDelta::seconds(30), noon() + TimeDelta::seconds(30))
        .await
        .unwrap();
    assert_eq!(taken[0].attempts, 1);
    assert_eq!(outbox::mark_sent(&db.pool, &[died[0].seq], died[0].token, noon()).await.unwrap(), 0);
    outbox::mark_failed(&db.pool, died[0].seq, died[0].token, "late", noon())
        .await
        .unwrap();
    assert_eq!(
        outbox::mark_sent(&db.pool, &[taken[0].seq], taken[0].token, noon()).await.unwrap(),
        1
    );
}

#[tokio::test]
async fn a_failed_event_waits_for_its_time() {
    let db = TestDb::new().await;
    append(&db, &[event("a")]).await;
    let (lease, later) = (TimeDelta::seconds(30), noon() + TimeDelta::minutes(1));
    let claimed = outbox::claim(&db.pool, 10, lease, noon()).await.unwrap();
    outbox::mark_failed(&db.pool, claimed[0].seq, claimed[0].token, "503", later)
        .await
        .unwrap();
    assert!(
        outbox::claim(&db.pool, 10, lease, later - TimeDelta::seconds(1))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(subjects(&outbox::claim(&db.pool, 10, lease, later).await.unwrap()), ["a"]);
}

#[tokio::test]
async fn two_relays_never_claim_the_same_event() {
    let db = TestDb::new().await;
    let events: Vec<_> = (0..40).map(|n| event(&format!("s{n}"))).collect();
    append(&db, &events).await;
    let claim = || outbox::claim(&db.pool, 25, TimeDelta::seconds(30), noon());
    let (one, two) = tokio::join!(claim(), claim());
    let (one, two) = (one.unwrap(), two.unwrap());
    let mut all: Vec<i64> = one.iter().chain(&two).map(|row| row.seq).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), one.len() + two.len());
}

#[tokio::test]
async fn an_event_is_new_once_per_consumer_and_a_rollback_forgets_it() {
    let db = TestDb::new().await;
    let mut tx = db.pool.begin().await.unwrap();
    assert_eq!(
        inbox::begin(&mut tx, "evaluate", "/scan", "1", noon(), noon()).await.unwrap(),
        Novelty::New
    );
    assert_eq!(
        inbox::begin(&mut tx, "evaluate", "/scan", "1", noon(), noon()).await.unwrap(),
        Novelty::Seen
    );
    assert_eq!(
        inbox::begin(&mut tx, "notify", "/scan", "1", noon(), noon()).await.unwrap(),
        Novelty::New
    );
    assert_eq!(
        inbox::begin(&mut tx, "evaluate", "/other", "1", noon(), noon()).await.unwrap(),
        Novelty::New
    );
    tx.rollback().await.unwrap();

    let mut tx = db.pool.begin().await.unwrap();
    assert_eq!(
        inbox::begin(&mut tx, "evaluate", "/scan", "1", noon(), noon()).await.unwrap(),
        Novelty::New
    );
}

#[tokio::test]
async fn the_query_role_reads_and_cannot_write() {
    let db = TestDb::new().await;
    append(&db, &[event("a")]).await;
    let settings = stargate_common::db::PoolSettings::read_only("stargate-query");
    let reader = stargate_common::db::connect(&db.url, &settings).await.unwrap();
    assert_eq!(outbox::backlog(&reader).await.unwrap().events, 1);
    let refused = sqlx::query("insert into view_versions values ('x', 1, now())")
        .execute(&reader)
        .await
        .unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("25006"));
    let mut conn = reader.acquire().await.unwrap();
    sqlx::query("set default_transaction_read_only = off")
        .execute(&mut *conn)
        .await
        .unwrap();
    let refused = sqlx::query("insert into view_versions values ('x', 1, now())")
        .execute(&mut *conn)
        .await
        .unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"));
}
