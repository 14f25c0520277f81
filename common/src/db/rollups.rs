//! Counts that lists and overviews read instead of counting: replaced per cluster in the transaction that changes what they count.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{DbError, Doing};

/// What instances are counted by. An empty text stands for none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct InstanceGroup {
    pub lab: String,
    pub state: String,
    pub stage: String,
    pub failure_class: String,
}

/// Instances of a group, and since when the longest failing of them fails.
pub type InstanceCounts = BTreeMap<InstanceGroup, (i32, Option<DateTime<Utc>>)>;

/// Instances by lab, stage and outcome.
pub type StageCounts = BTreeMap<(String, String, String), i32>;

/// Brings the instance counts of a cluster to `counts`; writes only what differs. Returns how many rows that were.
///
/// # Errors
/// The statement failed.
pub async fn set_instances(conn: &mut PgConnection, cluster: Uuid, counts: &InstanceCounts) -> Result<u64, DbError> {
    let (groups, values): (Vec<&InstanceGroup>, Vec<_>) = counts.iter().unzip();
    let column = |field: fn(&InstanceGroup) -> &str| groups.iter().map(|group| field(group)).collect::<Vec<_>>();
    let (instances, since): (Vec<i32>, Vec<Option<DateTime<Utc>>>) = values.into_iter().copied().unzip();
    let done = sqlx::query_scalar!(
        r#"-- rollups::set_instances
        with new as (
            select * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::timestamptz[])
                as n (lab, state, stage, failure_class, instances, oldest_failing_since)
        ), gone as (
            delete from instance_rollup r where cluster_id = $1 and not exists (
                select from new n where (n.lab, n.state, n.stage, n.failure_class) = (r.lab, r.state, r.stage, r.failure_class))
            returning 1
        ), changed as (
            insert into instance_rollup as r (cluster_id, lab, state, stage, failure_class, instances, oldest_failing_since)
            select $1, lab, state, stage, failure_class, instances, oldest_failing_since from new
            on conflict (cluster_id, lab, state, stage, failure_class) do update
            set instances = excluded.instances, oldest_failing_since = excluded.oldest_failing_since
            where (r.instances, r.oldest_failing_since) is distinct from (excluded.instances, excluded.oldest_failing_since)
            returning 1
        )
        select (select count(*) from gone) + (select count(*) from changed) as "rows!""#,
        cluster,
        &column(|group| &group.lab) as &[&str],
        &column(|group| &group.state) as &[&str],
        &column(|group| &group.stage) as &[&str],
        &column(|group| &group.failure_class) as &[&str],
        &instances,
        &since as &[Option<DateTime<Utc>>]
    )
    .fetch_one(conn)
    .await
    .doing("counting instances")?;
    Ok(u64::try_from(done).unwrap_or_default())
}

/// As [`set_instances`], for stage outcomes.
///
/// # Errors
/// The statement failed.
pub async fn set_stages(conn: &mut PgConnection, cluster: Uuid, counts: &StageCounts) -> Result<u64, DbError> {
    let labs: Vec<&str> = counts.keys().map(|(lab, ..)| lab.as_str()).collect();
    let stages: Vec<&str> = counts.keys().map(|(_, stage, _)| stage.as_str()).collect();
    let outcomes: Vec<&str> = counts.keys().map(|(.., outcome)| outcome.as_str()).collect();
    let instances: Vec<i32> = counts.values().copied().collect();
    let done = sqlx::query_scalar!(
        r#"-- rollups::set_stages
        with new as (
            select * from unnest($2::text[], $3::text[], $4::text[], $5::int[]) as n (lab, stage, outcome, instances)
        ), gone as (
            delete from stage_rollup r where cluster_id = $1 and not exists (
                select from new n where (n.lab, n.stage, n.outcome) = (r.lab, r.stage, r.outcome))
            returning 1
        ), changed as (
            insert into stage_rollup as r (cluster_id, lab, stage, outcome, instances)
            select $1, lab, stage, outcome, instances from new
            on conflict (cluster_id, lab, stage, outcome) do update set instances = excluded.instances
            where r.instances <> excluded.instances
            returning 1
        )
        select (select count(*) from gone) + (select count(*) from changed) as "rows!""#,
        cluster,
        &labs as &[&str],
        &stages as &[&str],
        &outcomes as &[&str],
        &instances
    )
    .fetch_one(conn)
    .await
    .doing("counting stage outcomes")?;
    Ok(u64::try_from(done).unwrap_or_default())
}
