//! The tables of what was ordered, on a real database: violations, records that are forgotten, samples of pools.

#![cfg(test)]

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use stargate_common::db::constraint_violations::{self as violations, Row};
use stargate_common::db::{aap_jobs, pool_samples, records};
use stargate_common::provisioning::ObjectRef;
use stargate_common::provisioning::job::AapJob;
use stargate_common::provisioning::pool::ResourcePool;
use stargate_common::provisioning::pool_state::Sample;
use stargate_common::provisioning::subject::AnarchySubject;
use stargate_common::sources::{Extent, Reading};
use stargate_common::tier::Tier;
use stargate_tests::fleet::TestCluster;
use stargate_tests::world::morning;
use stargate_tests::{TestDb, TestWorld};
use uuid::Uuid;

/// A world with two clusters, and of each its id and the id of its instance.
async fn two_clusters() -> (TestWorld, [(Uuid, Uuid); 2]) {
    let mut world = TestWorld::new().await;
    for name in ["east", "west"] {
        let cluster = TestCluster::new(name, 1, morning());
        world.scan_and_judge(&cluster, Tier::Everything).await;
    }
    let rows: Vec<(Uuid, Uuid)> =
        sqlx::query_as("select i.cluster_id, i.instance_id from instances i join clusters c using (cluster_id) order by c.name")
            .fetch_all(&world.db.pool)
            .await
            .unwrap();
    (world, rows.try_into().unwrap())
}

fn row<'a>(instance: Uuid, expected: &'a str, actual: &'a str, now: DateTime<Utc>) -> Row<'a> {
    Row {
        violation_id: Uuid::now_v7(),
        instance_id: instance,
        kind: "showroom_wrong_ref",
        expected,
        actual,
        severity: "warning",
        detail: "Deployment showroom clones it",
        stage: "showroom-healthy",
        catalog_item: "acme.web.event",
        detected_at: now,
    }
}

/// Every violation: demand, what is there, when it was detected and cleared, in minutes, and the version of its row.
async fn stored(world: &TestWorld) -> Vec<(String, String, i32, Option<i32>, String)> {
    sqlx::query_as(
        "select expected, actual, (extract(epoch from detected_at - $1) / 60)::int, (extract(epoch from cleared_at - $1) / 60)::int,
                xmin::text || ctid::text
         from constraint_violations order by detected_at, expected, actual",
    )
    .bind(morning())
    .fetch_all(&world.db.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_violation_is_one_open_row_a_demand_that_tells_what_is_there_now() {
    let (world, [(east, instance), (west, other)]) = two_clusters().await;
    let mut conn = world.db.pool.acquire().await.unwrap();
    let at = |minutes| morning() + TimeDelta::minutes(minutes);
    let first = [
        row(instance, "main", "v1", at(1)),
        row(instance, "v9", "v1", at(1)),
        row(other, "main", "v1", at(1)),
    ];
    violations::write(&mut conn, &first).await.unwrap();
    let open = violations::open(&mut conn, east).await.unwrap();
    assert_eq!(open.len(), 1, "of the cluster that is asked for");
    let open: Vec<(&str, &str)> = open[&instance]
        .iter()
        .map(|one| (one.expected.as_str(), one.actual.as_str()))
        .collect();
    assert_eq!(open, [("main", "v1"), ("v9", "v1")]);

    // Something else is there now: the same row, detected when it was.
    violations::write(&mut conn, &[row(instance, "main", "v2", at(5))]).await.unwrap();
    let rows = stored(&world).await;
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[1].1.as_str(), rows[1].2, rows[1].3), ("v2", 1, None), "{rows:?}");

    // It is as it should be: closed, not removed, and once.
    let id = violations::open(&mut conn, east).await.unwrap()[&instance][0].id;
    for minutes in [7, 8] {
        violations::clear(&mut *conn, &[id], at(minutes)).await.unwrap();
    }
    assert_eq!(stored(&world).await[1].3, Some(7));
    assert_eq!(violations::open(&mut conn, east).await.unwrap()[&instance].len(), 1);
    assert_eq!(
        violations::open(&mut conn, west).await.unwrap()[&other].len(),
        1,
        "the other cluster's stays"
    );

    // And it comes back: another row.
    violations::write(&mut conn, &[row(instance, "main", "v3", at(9))]).await.unwrap();
    let rows = stored(&world).await;
    assert_eq!((rows.len(), rows[3].1.as_str(), rows[3].2, rows[3].3), (4, "v3", 9, None));

    // Only what was closed before is forgotten.
    assert_eq!(violations::forget(&mut *conn, at(7)).await.unwrap(), 0);
    assert_eq!(violations::forget(&mut *conn, at(8)).await.unwrap(), 1);
    assert_eq!(stored(&world).await.len(), 3);
}

#[tokio::test]
async fn writing_and_clearing_nothing_touches_nothing() {
    let (world, [(_, instance), _]) = two_clusters().await;
    let mut conn = world.db.pool.acquire().await.unwrap();
    violations::write(&mut conn, &[row(instance, "main", "v1", morning())])
        .await
        .unwrap();
    let before = stored(&world).await;
    violations::write(&mut conn, &[]).await.unwrap();
    violations::clear(&mut *conn, &[], morning()).await.unwrap();
    violations::clear(&mut *conn, &[Uuid::now_v7()], morning()).await.unwrap();
    assert_eq!(stored(&world).await, before);
}

#[tokio::test]
async fn demands_come_by_links_that_are_sure_and_only_of_what_is_there() {
    let (world, [(east, instance), (west, other)]) = two_clusters().await;
    let mut conn = world.db.pool.acquire().await.unwrap();
    sqlx::query(
        "insert into links (from_kind, from_key, to_kind, to_key, method, strength, since)
         values ('instance', $1, 'catalog-item', 'acme.web.event', 'claim', 'strong', now()), ('instance', $2, 'catalog-item', 'acme.web.event', 'name', 'weak', now())",
    )
    .bind(instance.to_string())
    .bind(other.to_string())
    .execute(&mut *conn)
    .await
    .unwrap();
    let of = async |conn: &mut sqlx::PgConnection, cluster, instance| {
        let demands = violations::demands(conn, cluster).await.unwrap();
        demands.of(instance).map(|(item, wanted)| (item.to_owned(), wanted.worker_count))
    };
    assert_eq!(of(&mut conn, east, instance).await, None, "no definition is known");
    let component = |uid: &str, name: &str, workers| stargate_common::provisioning::catalog::Component {
        uid: uid.to_owned(),
        name: name.to_owned(),
        constraints: stargate_common::provisioning::catalog::Constraints {
            worker_count: Some(workers),
            ..Default::default()
        },
        ..Default::default()
    };
    let reading = Reading::complete(vec![component("u1", "acme.web.event", 3), component("u2", "acme.web.prod", 9)]);
    records::store(&mut conn, "agnosticv", &reading, morning()).await.unwrap();
    assert_eq!(of(&mut conn, east, instance).await, Some(("acme.web.event".to_owned(), Some(3))));
    assert_eq!(of(&mut conn, west, other).await, None, "what is only guessed demands nothing");
    assert_eq!(of(&mut conn, west, instance).await, None, "it is on another cluster");
    let none: Reading<stargate_common::provisioning::catalog::Component> = Reading::complete(Vec::new());
    records::store(&mut conn, "agnosticv", &none, morning()).await.unwrap();
    assert_eq!(of(&mut conn, east, instance).await, None, "the definition is gone");
}

fn job(id: i64, created: Option<i64>, finished: Option<i64>) -> AapJob {
    let days_ago = |days| morning() - TimeDelta::days(days);
    AapJob {
        controller: "aap-a.example.test".to_owned(),
        id,
        created_at: created.map(days_ago),
        finished_at: finished.map(days_ago),
        ..AapJob::default()
    }
}

#[tokio::test]
async fn what_is_gone_for_a_month_and_jobs_of_a_season_ago_are_forgotten() {
    let db = TestDb::new().await;
    let mut conn = db.pool.acquire().await.unwrap();
    let part = |items| Reading {
        extent: Extent::Part,
        ..Reading::complete(items)
    };
    let jobs = part(vec![
        job(1, Some(100), Some(89)),
        job(2, Some(100), Some(91)),
        // Nobody saw their end: deleted on the controller, or never told.
        job(3, Some(91), None),
        job(4, Some(89), None),
        job(5, None, None),
    ]);
    records::store(&mut conn, "aap/aap-a.example.test", &jobs, morning() - TimeDelta::days(89))
        .await
        .unwrap();
    let timeless = part(vec![job(6, None, None)]);
    records::store(&mut conn, "aap/aap-a.example.test", &timeless, morning() - TimeDelta::days(91))
        .await
        .unwrap();
    let pool = |uid: &str| ResourcePool {
        uid: uid.to_owned(),
        ..ResourcePool::default()
    };
    let mut there = vec![pool("gone-31"), pool("gone-29"), pool("there")];
    records::store(
        &mut conn,
        "babylon",
        &Reading::complete(there.clone()),
        morning() - TimeDelta::days(200),
    )
    .await
    .unwrap();
    for days in [31, 29] {
        there.remove(0);
        records::store(
            &mut conn,
            "babylon",
            &Reading::complete(there.clone()),
            morning() - TimeDelta::days(days),
        )
        .await
        .unwrap();
    }
    assert_eq!(records::forget(&db.pool, morning()).await.unwrap(), 4);
    let left: Vec<String> = sqlx::query_scalar("select key from records order by kind, key")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    let jobs = ["1", "4", "5"].map(|id| format!("aap-a.example.test/{id}"));
    assert_eq!(left, [&jobs[..], &["gone-29".to_owned(), "there".to_owned()]].concat());
    assert_eq!(records::forget(&db.pool, morning()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_pool_is_sampled_when_it_differs_and_once_an_hour() {
    let db = TestDb::new().await;
    let mut conn = db.pool.acquire().await.unwrap();
    let sample = |minutes, usable| Sample {
        at: morning() + TimeDelta::minutes(minutes),
        usable,
        available: 4,
        unready: 4 - usable,
        claimed: 2,
        min_available: 5,
    };
    let record = async |conn: &mut sqlx::PgConnection, samples: &[(&'static str, Sample)]| {
        let samples: BTreeMap<&str, Sample> = samples.iter().copied().collect();
        pool_samples::record(conn, &samples).await.unwrap()
    };
    assert_eq!(record(&mut conn, &[]).await, 0);
    assert_eq!(record(&mut conn, &[("a", sample(0, 3)), ("b", sample(0, 3))]).await, 2);
    assert_eq!(
        record(&mut conn, &[("a", sample(5, 3)), ("b", sample(5, 2))]).await,
        1,
        "only b differs"
    );
    assert_eq!(record(&mut conn, &[("a", sample(59, 3)), ("b", sample(59, 2))]).await, 0);
    assert_eq!(
        record(&mut conn, &[("a", sample(60, 3)), ("b", sample(60, 2))]).await,
        1,
        "an hour has passed for a"
    );
    let since = async |minutes| -> Vec<(String, Vec<(i64, u32)>)> {
        let found = pool_samples::since(&db.pool, morning() + TimeDelta::minutes(minutes))
            .await
            .unwrap();
        let of = |samples: Vec<Sample>| samples.iter().map(|one| ((one.at - morning()).num_minutes(), one.usable)).collect();
        found.into_iter().map(|(pool, samples)| (pool, of(samples))).collect()
    };
    assert_eq!(
        since(0).await,
        [("a".to_owned(), vec![(0, 3), (60, 3)]), ("b".to_owned(), vec![(0, 3), (5, 2)])]
    );
    assert_eq!(since(5).await, [("a".to_owned(), vec![(60, 3)]), ("b".to_owned(), vec![(5, 2)])]);
    assert!(since(61).await.is_empty());
}

#[tokio::test]
async fn orders_of_an_event_are_those_of_its_items_and_of_its_pools() {
    let db = TestDb::new().await;
    let mut conn = db.pool.acquire().await.unwrap();
    let subject = |uuid: &str, governor: &str, pool: Option<&str>| AnarchySubject {
        uid: format!("{governor}-{uuid}"),
        governor: governor.to_owned(),
        service_uuid: uuid.to_owned(),
        pool: pool.map(|name| ObjectRef {
            namespace: "poolboy".to_owned(),
            name: name.to_owned(),
        }),
        ..AnarchySubject::default()
    };
    let mut subjects = vec![
        subject("gone", "acme.web.event", None),
        subject("a", "acme.web.event", None),
        subject("b", "zoo.bike.prod", Some("acme-pool")),
        subject("c", "zoo.bike.prod", Some("not-acme")),
        subject("d", "zoo.acme.prod", None),
        subject("", "acme.web.event", None),
    ];
    for _ in 0..2 {
        records::store(&mut conn, "babylon", &Reading::complete(subjects.clone()), morning())
            .await
            .unwrap();
        subjects.remove(0);
    }
    let orders = async |prefix| aap_jobs::orders_of_event(&db.pool, prefix).await.unwrap();
    assert_eq!(orders("acme").await.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    assert!(orders("acme%").await.is_empty(), "a prefix is no pattern");
}
