//! Retention: rows are never refused, move into their partition when it is made, and leave with it when their time is over.

#![cfg(test)]

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::PgPool;
use stargate_common::boot::{Context, Job};
use stargate_common::clock::Clock;
use stargate_common::db::partitions::{PARTITIONED, make};
use stargate_common::events::sink::Sink;
use stargate_common::settings::NoSettings;
use stargate_retain::Retain;
use stargate_tests::TestDb;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

fn noon(day: &str) -> DateTime<Utc> {
    format!("{day}T12:00:00Z").parse().expect("a time")
}

async fn retain_at(pool: &PgPool, now: DateTime<Utc>) -> String {
    let context = Context {
        name: Retain::NAME,
        settings: NoSettings {},
        db: pool.clone(),
        clock: Clock::manual(now),
        sink: Sink::Nowhere,
        shutdown: CancellationToken::new(),
    };
    Retain::run(&context).await.expect("retention works")
}

async fn transition_at(pool: &PgPool, at: DateTime<Utc>) {
    sqlx::query("insert into transitions (transition_id, at, subject_id, cluster_id, stage, direction, to_outcome) values ($1, $2, $1, $1, 'route-ready', 'degraded', 'fail')")
        .bind(Uuid::now_v7())
        .bind(at)
        .execute(pool)
        .await
        .expect("a row is never refused");
}

async fn event_at(pool: &PgPool, created: DateTime<Utc>, sent: Option<DateTime<Utc>>) {
    sqlx::query(
        "insert into outbox (event_id, type, source, subject, time, partition_key, data, created_at, available_at, sent_at)
         values ($1, 't', '/s', 'x', $2, 'k', '{}', $2, $2, $3)",
    )
    .bind(Uuid::now_v7())
    .bind(created)
    .bind(sent)
    .execute(pool)
    .await
    .expect("an event");
}

async fn count(pool: &PgPool, table: &'static str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
        .fetch_one(pool)
        .await
        .expect("a count")
}

#[tokio::test]
async fn rows_of_the_default_partition_move_into_the_new_one() {
    let db = TestDb::new().await;
    let now = noon("2026-11-23");
    transition_at(&db.pool, now).await;
    assert_eq!(count(&db.pool, "transitions_default").await, 1);
    retain_at(&db.pool, now).await;
    assert_eq!(count(&db.pool, "transitions_default").await, 0);
    assert_eq!(count(&db.pool, "transitions_p20261101").await, 1);
    transition_at(&db.pool, noon("2026-11-30")).await;
    assert_eq!(count(&db.pool, "transitions_p20261101").await, 2);
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_seven_days_are_ahead() {
    let db = TestDb::new().await;
    let now = noon("2026-11-23");
    retain_at(&db.pool, now).await;
    assert_eq!(
        retain_at(&db.pool, now).await,
        "0 partitions made, 0 dropped, 0 old rows removed, 0 records forgotten"
    );
    for table in &PARTITIONED {
        let next_week = NaiveDate::from_ymd_opt(2026, 11, 30).expect("a day");
        assert!(
            !make(&db.pool, table, table.period.first(next_week)).await.expect("asks"),
            "{} has no partition for next week",
            table.table
        );
    }
}

#[tokio::test]
async fn old_partitions_go_but_an_event_that_was_never_sent_stays() {
    let db = TestDb::new().await;
    let first = noon("2026-11-01");
    retain_at(&db.pool, first).await;
    event_at(&db.pool, first, Some(first)).await;
    event_at(&db.pool, first + TimeDelta::days(1), None).await;
    retain_at(&db.pool, noon("2026-11-23")).await;
    let left: Vec<Option<DateTime<Utc>>> = sqlx::query_scalar("select sent_at from outbox")
        .fetch_all(&db.pool)
        .await
        .expect("rows");
    assert_eq!(left, [None], "the sent one left with its partition, the other must still be sent");
}

#[tokio::test]
async fn rows_too_old_for_any_partition_leave_the_default_one_too() {
    let db = TestDb::new().await;
    transition_at(&db.pool, noon("2024-01-01")).await;
    retain_at(&db.pool, noon("2026-11-23")).await;
    assert_eq!(count(&db.pool, "transitions").await, 0);
}
