//! A lease ends with its work, however that ends, and nobody waits for it.

#![cfg(test)]

use std::future::pending;

use stargate_common::db::lease::hold;
use stargate_tests::TestDb;
use stargate_tests::kill::cut_off;
use tokio::sync::oneshot;

/// Locks that are held in the database of the test.
async fn locks(db: &TestDb) -> i64 {
    let sql = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
        where l.locktype = 'advisory' and d.datname = current_database()";
    sqlx::query_scalar(sql).fetch_one(&db.pool).await.unwrap()
}

#[tokio::test]
async fn the_next_run_may_begin_when_one_has_reported() {
    let db = TestDb::new().await;
    let other = db.another_pool().await;
    for run in 0..50 {
        let pool = if run % 2 == 0 { &db.pool } else { &other };
        assert_eq!(hold(pool, "work", async { run }).await.unwrap(), Some(run));
        assert_eq!(locks(&db).await, 0, "nothing is left on a connection");
    }
}

#[tokio::test]
async fn work_that_fails_gives_it_back() {
    let db = TestDb::new().await;
    let failed = async { Err::<(), _>("no") };
    assert_eq!(hold(&db.pool, "work", failed).await.unwrap(), Some(Err("no")));
    assert_eq!(hold(&db.pool, "work", async { "yes" }).await.unwrap(), Some("yes"));
}

#[tokio::test]
async fn who_comes_while_it_is_held_does_not_begin() {
    let db = TestDb::new().await;
    let other = db.another_pool().await;
    let (begun, has_begun) = oneshot::channel();
    let (go_on, may_go_on) = oneshot::channel::<()>();
    let first = hold(&db.pool, "work", async {
        begun.send(()).unwrap();
        may_go_on.await.unwrap();
    });
    let second = async {
        has_begun.await.unwrap();
        let mut ran = false;
        for pool in [&db.pool, &other] {
            assert_eq!(hold(pool, "work", async { ran = true }).await.unwrap(), None);
        }
        assert!(!ran);
        assert_eq!(hold(&other, "other work", async { 1 }).await.unwrap(), Some(1));
        go_on.send(()).unwrap();
    };
    let (first, ()) = tokio::join!(first, second);
    assert_eq!(first.unwrap(), Some(()));
    assert_eq!(hold(&other, "work", async { 2 }).await.unwrap(), Some(2));
}

#[tokio::test]
async fn killed_anywhere_it_ends_with_its_connection() {
    let db = TestDb::new().await;
    let other = db.another_pool().await;
    for polls in 1..12 {
        let ended = cut_off(hold(&other, "work", tokio::task::yield_now()), polls).await;
        db.lease_ends("work").await;
        if let Some(ended) = ended {
            assert_eq!(ended.unwrap(), Some(()));
        }
    }
    // And while it works.
    let (begun, has_begun) = oneshot::channel();
    let never = hold(&other, "work", async {
        begun.send(()).unwrap();
        pending::<()>().await;
    });
    tokio::select! {
        ended = never => panic!("{ended:?}"),
        heard = has_begun => heard.unwrap(),
    }
    db.lease_ends("work").await;
    assert_eq!(hold(&other, "work", async { 3 }).await.unwrap(), Some(3));
}

#[tokio::test]
async fn work_whose_lease_is_lost_is_still_done() {
    let db = TestDb::new().await;
    let other = db.another_pool().await;
    let cut = async {
        let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'stargate-test-other'";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&db.pool).await.unwrap()
    };
    assert!(hold(&other, "work", cut).await.unwrap().is_some_and(|cut| cut > 0));
    assert_eq!(hold(&other, "work", async { 2 }).await.unwrap(), Some(2), "on a new connection");
}
