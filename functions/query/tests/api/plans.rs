//! At 24,000 instances: what is asked often reads through indexes, answers stay small, and a statement that hangs is cut off.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use sqlx::{Connection, PgConnection, Row};
use stargate_common::db::PoolSettings;
use stargate_tests::seed::FleetSize;

use crate::app::App;

/// Tables that grow with the fleet or with time. A default partition holds what tests seed.
const LARGE: [&str; 12] = [
    "instances",
    "stage_state",
    "transitions_default",
    "scans_default",
    "incidents",
    "evidence",
    "subjects",
    "resource_handles",
    "aap_jobs",
    "links",
    "subject_transitions_default",
    "cluster_samples_default",
];

/// How often each large table was read from end to end. The reader has one connection, so its counts are told to the server first.
async fn sequential_scans(app: &App) -> BTreeMap<String, i64> {
    sqlx::query("select pg_stat_force_next_flush()")
        .execute(&app.reader)
        .await
        .expect("asking for statistics");
    let rows = sqlx::query("select relname::text, seq_scan from pg_stat_user_tables where relname = any($1)")
        .bind(LARGE)
        .fetch_all(&app.reader)
        .await
        .expect("reading statistics");
    assert_eq!(rows.len(), LARGE.len());
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn pages_of_a_full_fleet_are_small_and_read_through_indexes() {
    let size = FleetSize {
        days: 30,
        ..FleetSize::FULL
    };
    let one_connection = PoolSettings {
        connections: 1,
        ..PoolSettings::read_only("stargate-query-test")
    };
    let app = App::of(size, &one_connection).await;
    // What the seeding counted arrives when its connections end.
    app.db.pool.close().await;
    let mut admin = PgConnection::connect(&app.db.url).await.expect("a connection");
    let instance: String = sqlx::query_scalar("select instance_id::text from instances where state = 'failing' limit 1")
        .fetch_one(&mut admin)
        .await
        .expect("an instance");
    let subject: String = sqlx::query_scalar("select key from subjects limit 1")
        .fetch_one(&mut admin)
        .await
        .expect("a subject");
    admin.close().await.expect("closing");

    // The rollups are read once for all these pages; labs with a code are found in the instances then, and what waits among what was ordered.
    app.ok("/api/v1/provisioning/summary").await;
    let overview = app.get("/api/v1/overview").await;
    assert!(overview.bytes <= 100_000, "{} bytes", overview.bytes);
    for path in [
        "overview",
        "overview?cluster=cnv-03",
        "trends?metric=instances_failing&range=6h",
        "trends?metric=incidents_resolved&range=24h&group_by=lab",
        "trends?metric=cluster_cpu&range=24h",
        "trends?metric=time_to_ready&range=24h&group_by=lab",
        "overview/attention",
        "overview/groups",
        "overview/groups?cluster=cnv-03",
        "clusters",
        "clusters/cnv-01",
        "clusters/cnv-01/nodes",
        "labs",
        "labs?health=issues&cluster=cnv-02",
        "labs/LB0001",
        "labs/LB0001/pipeline",
        "instances",
        "instances?sort=-namespace",
        "instances?state=failing",
        "instances?lab=LB0001",
        "instances?lab=LB0001&cluster=cnv-03&state=failing",
        "instances?class=pods_crashlooping",
        "instances?q=sandbox-ab",
        &format!("instances/{instance}"),
        &format!("instances/{instance}/evidence"),
        "instances/facets",
        "instances/facets?state=failing&cluster=cnv-03",
        "labs/facets?health=issues",
        "incidents",
        "incidents?severity=critical&top_level=true",
        "incidents?state=resolved&sort=-opened_at",
        &format!("incidents?instance={instance}&state=open&state=resolved"),
        "transitions",
        "transitions?lab=LB0001",
        "transitions?cluster=cnv-01&range=24h",
        &format!("transitions?instance={instance}"),
        "scans",
        "scans?cluster=cnv-02&tier=everything",
        "sources",
        "provisioning/summary?range=1h",
        "subjects",
        "subjects?sort=-changed_at",
        "subjects?class=failed_terminal",
        "subjects?class=failed_terminal&class=in_progress&sort=changed_at",
        "subjects?lab=LB0001",
        "subjects?pool=acme-labs.topic-001.event",
        "subjects?stuck=true",
        "subjects?q=acme-labs.topic-001",
        &format!("subjects/{subject}"),
        "provisioning/jobs",
        "provisioning/jobs?outcome=failed&range=24h",
        "pools",
        "pools?state=healthy",
        "pools/acme-labs.topic-001.event",
        "pools/acme-labs.topic-001.event/series",
        "sessions",
        "labs/LB0001/sessions",
        "mappings",
        "mappings?kind=subject&strength=exact",
        "mappings?unmatched=true",
        "constraints/violations",
        &format!("instances/{instance}/why"),
        "stages",
        "failure-classes",
        "search?q=sandbox-ab",
    ] {
        let before = sequential_scans(&app).await;
        let answer = app.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {:#}", answer.body);
        assert_eq!(sequential_scans(&app).await, before, "{path} reads a large table from end to end");
        assert!(answer.bytes <= 100_000, "{path}: {} bytes", answer.bytes);
    }
}

#[tokio::test]
async fn a_statement_that_hangs_is_cut_off_and_said_so() {
    let impatient = PoolSettings {
        statement_timeout: Duration::from_millis(200),
        ..PoolSettings::read_only("stargate-query-test")
    };
    let app = App::of(FleetSize::SMALL, &impatient).await;
    let mut blocker = app.db.pool.begin().await.expect("a transaction");
    sqlx::query("lock table instances in access exclusive mode")
        .execute(&mut *blocker)
        .await
        .expect("the lock");
    let answer = app.get("/api/v1/instances").await;
    answer.is_problem(504, "timeout", None);
    assert_eq!(answer.header("retry-after"), "5");
    blocker.rollback().await.expect("the end of the lock");
    app.ok("/api/v1/instances").await;
}
