//! Load of clusters over time: what evaluations find is added up by quarters of an hour.

#![cfg(test)]

use chrono::{DateTime, Utc};
use stargate_common::db::cluster_samples::{Sample, add};
use stargate_tests::TestDb;
use uuid::Uuid;

#[tokio::test]
async fn samples_of_a_quarter_are_added_and_what_is_not_known_counts_nowhere() {
    let db = TestDb::new().await;
    let mut conn = db.pool.acquire().await.expect("a connection");
    let cluster = Uuid::from_u128(7);
    let at = |time: &str| -> DateTime<Utc> { format!("2026-11-23T{time}Z").parse().expect("a time") };
    let sample = |cpu_pct, looked| Sample {
        cpu_pct,
        mem_pct: Some(50.0),
        density: None,
        looked,
    };
    for (time, sample) in [
        ("06:00:00", sample(Some(30.0), true)),
        ("06:05:00", sample(None, false)),
        ("06:14:59", sample(Some(40.0), true)),
        ("06:15:00", sample(Some(99.0), false)),
    ] {
        add(&mut conn, cluster, sample, at(time)).await.expect("adding");
    }
    let rows: Vec<(DateTime<Utc>, f64, i32, i32, i32, i32)> =
        sqlx::query_as("select at, cpu_sum, cpu_n, mem_n, density_n, looks from cluster_samples where cluster_id = $1 order by at")
            .bind(cluster)
            .fetch_all(&db.pool)
            .await
            .expect("rows");
    assert_eq!(rows, [(at("06:00:00"), 70.0, 2, 3, 0, 2), (at("06:15:00"), 99.0, 1, 1, 0, 0)]);
}
