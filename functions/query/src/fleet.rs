//! The fleet's rollups as one value: what overview, clusters and labs are computed from.
//!
//! Kept in memory under the versions of the read models it was read at. A version is raised in the transaction that changes its
//! model, so a reader cannot tell a kept value from one read anew. Counts of the last hour move with the clock; they are at most a
//! minute old.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::access::kept::PerScope;
use crate::access::reading::Reading;
use crate::basis::{Basis, ViewVersion};
use crate::problem::ApiError;

/// Everything that lists of clusters and labs and the overview are made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// By name.
    pub clusters: Vec<ClusterFacts>,
    /// By lab.
    pub instances: Vec<InstanceCount>,
    /// Stage outcomes over all labs.
    pub stages: Vec<StageCount>,
    /// Open incidents.
    pub open: Vec<OpenIncidents>,
    /// Labs that have a lab code.
    pub coded: BTreeSet<String>,
    /// What happened in the last hour, by cluster.
    pub recent: Vec<Recent>,
}

/// A cluster as stored, with the verdict of its `cluster-health` stage.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct ClusterFacts {
    pub cluster_id: Uuid,
    pub name: String,
    pub enabled: bool,
    pub simulated: bool,
    pub openshift_version: Option<String>,
    pub api_reachable: Option<bool>,
    pub api_detail: String,
    pub nodes: Value,
    pub cpu_pct: Option<f32>,
    pub mem_pct: Option<f32>,
    pub vms: Option<i32>,
    pub evaluated_as_of: Option<DateTime<Utc>>,
    pub version: i32,
    pub health: Option<String>,
    pub health_class: Option<String>,
    pub health_message: Option<String>,
    pub health_since: Option<DateTime<Utc>>,
}

/// Instances of a lab on a cluster that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of that name; class is empty when there is none")]
pub struct InstanceCount {
    pub cluster_id: Uuid,
    pub lab: String,
    pub state: String,
    pub stage: String,
    pub failure_class: String,
    pub instances: i32,
    pub oldest_failing_since: Option<DateTime<Utc>>,
}

/// Outcomes of a stage on a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct StageCount {
    pub cluster_id: Uuid,
    pub stage: String,
    pub outcome: String,
    pub instances: i64,
}

/// Open incidents that are alike. Children of a parent are counted apart from what stands alone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct OpenIncidents {
    pub cluster_id: Option<Uuid>,
    pub lab: Option<String>,
    pub level: String,
    pub child: bool,
    pub incidents: i64,
}

/// What happened in the last hour; no cluster is the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the count of that name")]
pub struct Recent {
    pub cluster_id: Option<Uuid>,
    pub incidents_opened: i64,
    pub degraded: i64,
    pub recovered: i64,
}

type Kept = (Vec<ViewVersion>, i64, Arc<Fleet>);

/// The last fleet that was read, for each scope.
#[derive(Debug, Clone, Default)]
pub struct FleetCache(PerScope<Kept>);

impl FleetCache {
    /// The fleet of the reading's scope, at the basis' versions or newer. Requests that come while it is read wait for the one reading.
    ///
    /// # Errors
    /// A statement failed.
    pub async fn get(&self, db: &mut Reading, basis: &Basis) -> Result<Arc<Fleet>, ApiError> {
        let minute = basis.now.timestamp() / 60;
        let slot = self.0.slot(db.scope());
        let mut kept = slot.lock().await;
        if let Some((at, then, fleet)) = kept.as_ref()
            && *then == minute
            && is_current(at, &basis.versions)
        {
            return Ok(Arc::clone(fleet));
        }
        let fleet = Arc::new(read(db, basis.now).await?);
        *kept = Some((basis.versions.clone(), minute, Arc::clone(&fleet)));
        Ok(fleet)
    }
}

/// Whether nothing was changed since `kept`, as far as `wanted` knows. Versions only rise.
pub(crate) fn is_current(kept: &[ViewVersion], wanted: &[ViewVersion]) -> bool {
    let at_least = |wanted: &ViewVersion| kept.iter().any(|kept| kept.view == wanted.view && kept.version >= wanted.version);
    wanted.iter().all(at_least)
}

async fn read(db: &mut PgConnection, now: DateTime<Utc>) -> Result<Fleet, sqlx::Error> {
    Ok(Fleet {
        clusters: clusters(&mut *db).await?,
        instances: sqlx::query_as!(
            InstanceCount,
            "-- fleet::instances
            select cluster_id, lab, state, stage, failure_class, instances, oldest_failing_since
            from instance_rollup where instances > 0 order by lab"
        )
        .fetch_all(&mut *db)
        .await?,
        stages: sqlx::query_as!(
            StageCount,
            r#"-- fleet::stages
            select cluster_id, stage, outcome, sum(instances) as "instances!"
            from stage_rollup group by cluster_id, stage, outcome"#
        )
        .fetch_all(&mut *db)
        .await?,
        open: sqlx::query_as!(
            OpenIncidents,
            r#"-- fleet::open_incidents
            select cluster_id, lab, level, parent_id is not null as "child!", count(*) as "incidents!"
            from incidents where state = 'open' group by cluster_id, lab, level, parent_id is not null"#
        )
        .fetch_all(&mut *db)
        .await?,
        coded: sqlx::query_scalar!(
            "-- fleet::coded
            select distinct lab from instances where deleted_at is null and lab_code is not null"
        )
        .fetch_all(&mut *db)
        .await?
        .into_iter()
        .collect(),
        recent: sqlx::query_as!(
            Recent,
            r#"-- fleet::recent
            select cluster_id, 0::bigint as "incidents_opened!",
                   count(*) filter (where direction in ('initial_fail', 'degraded')) as "degraded!",
                   count(*) filter (where direction = 'recovered') as "recovered!"
            from transitions where at > $1 group by cluster_id
            union all
            select cluster_id, count(*), 0, 0 from incidents where opened_at > $1 group by cluster_id"#,
            now - TimeDelta::hours(1)
        )
        .fetch_all(&mut *db)
        .await?,
    })
}

async fn clusters(db: &mut PgConnection) -> Result<Vec<ClusterFacts>, sqlx::Error> {
    sqlx::query_as!(
        ClusterFacts,
        r#"-- fleet::clusters
        select c.cluster_id, c.name, c.enabled, c.simulated, c.openshift_version, c.api_reachable, c.api_detail, c.nodes, c.cpu_pct,
               c.mem_pct, c.vms, c.evaluated_as_of, c.version,
               s.observed as "health?", s.failure_class as health_class, s.message as "health_message?", s.since as health_since
        from clusters c left join stage_state s on s.subject_id = c.cluster_id and s.stage = 'cluster-health'
        order by c.name"#
    )
    .fetch_all(db)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_fleet_serves_until_a_version_rises() {
        let at = |versions: &[(&str, i64)]| -> Vec<ViewVersion> {
            let version = |&(view, version): &(&str, i64)| ViewVersion {
                view: view.to_owned(),
                version,
            };
            versions.iter().map(version).collect()
        };
        let kept = at(&[("incidents", 4), ("instances", 7)]);
        assert!(is_current(&kept, &kept));
        assert!(is_current(&kept, &at(&[("incidents", 4), ("instances", 6)])), "a slower reader");
        assert!(!is_current(&kept, &at(&[("incidents", 5), ("instances", 7)])));
        assert!(!is_current(&kept, &at(&[("incidents", 4), ("instances", 7), ("scans", 1)])));
    }
}
