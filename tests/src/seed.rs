//! A fleet of any size straight into the tables, by SQL: for tests and benchmarks of readers.
//!
//! Shares are those of a real day: nine tenths of the instances are ready, one in twenty-five fails.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// How large a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetSize {
    /// Clusters: `cnv-01`, `cnv-02`, ….
    pub clusters: i32,
    /// Live instances over all clusters.
    pub instances: i32,
    /// Labs they belong to. Three in five have a lab code, the others are grouped by suffix; every fortieth instance belongs to none.
    pub labs: i32,
    /// Days of transitions, resolved incidents and scans.
    pub days: i32,
    /// Transitions a day.
    pub transitions_per_day: i32,
}

impl FleetSize {
    /// A fleet that a test can look through.
    pub const SMALL: Self = Self {
        clusters: 3,
        instances: 240,
        labs: 12,
        days: 2,
        transitions_per_day: 40,
    };

    /// The fleet the budgets are about.
    pub const FULL: Self = Self {
        clusters: 8,
        instances: 24_000,
        labs: 300,
        days: 90,
        transitions_per_day: 2_000,
    };
}

/// Fills an empty, migrated database with a fleet that was read just before `now`.
///
/// # Panics
/// When a statement fails.
pub async fn fleet(pool: &PgPool, size: FleetSize, now: DateTime<Utc>) {
    let mut tx = pool.begin().await.expect("beginning to seed");
    sqlx::query(
        "create temporary table seed on commit drop as
         select $1::timestamptz as now, $2::int as clusters, $3::int as instances, $4::int as labs, $5::int as days, $6::int as per_day",
    )
    .bind(now)
    .bind(size.clusters)
    .bind(size.instances)
    .bind(size.labs)
    .bind(size.days)
    .bind(size.transitions_per_day)
    .execute(&mut *tx)
    .await
    .expect("noting the size of the seed");
    sqlx::raw_sql(include_str!("seed.sql"))
        .execute(&mut *tx)
        .await
        .unwrap_or_else(|error| panic!("seeding the fleet: {error}"));
    sqlx::raw_sql(include_str!("seed_provisioning.sql"))
        .execute(&mut *tx)
        .await
        .unwrap_or_else(|error| panic!("seeding what was ordered: {error}"));
    tx.commit().await.expect("committing the seed");
    sqlx::raw_sql("analyze").execute(pool).await.expect("gathering statistics");
}
