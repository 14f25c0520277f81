//! How loaded clusters were, by quarters of an hour. 100 days.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::clusters::Summary;
use super::{DbError, Doing};

/// How long a row covers.
pub const EVERY: TimeDelta = TimeDelta::minutes(15);

/// What one evaluation of a scan found; `None` is not known and counts nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// Mean CPU use of the compute nodes, in percent.
    pub cpu_pct: Option<f64>,
    /// Mean memory use of the compute nodes, in percent.
    pub mem_pct: Option<f64>,
    /// Running VMs per ready node.
    pub density: Option<f64>,
    /// Whether it was known which instances there are, and what their pods do.
    pub looked: bool,
}

impl Sample {
    /// The sample that a summary gives.
    #[must_use]
    pub fn of(summary: &Summary, looked: bool) -> Self {
        let ready = summary
            .nodes
            .get("ready")
            .and_then(serde_json::Value::as_f64)
            .filter(|ready| *ready > 0.0);
        Self {
            cpu_pct: summary.cpu_pct.map(f64::from),
            mem_pct: summary.mem_pct.map(f64::from),
            density: summary.vms.zip(ready).map(|(vms, ready)| f64::from(vms) / ready),
            looked,
        }
    }
}

/// Adds a sample to the quarter of an hour that `at` lies in.
///
/// # Errors
/// The statement failed.
pub async fn add(conn: &mut PgConnection, cluster: Uuid, sample: Sample, at: DateTime<Utc>) -> Result<(), DbError> {
    let Sample {
        cpu_pct,
        mem_pct,
        density,
        looked,
    } = sample;
    let counted = |value: Option<f64>| i32::from(value.is_some());
    sqlx::query!(
        "-- cluster_samples::add
        insert into cluster_samples as s (cluster_id, at, cpu_sum, cpu_n, mem_sum, mem_n, density_sum, density_n, looks)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (cluster_id, at) do update
        set cpu_sum = s.cpu_sum + excluded.cpu_sum, cpu_n = s.cpu_n + excluded.cpu_n,
            mem_sum = s.mem_sum + excluded.mem_sum, mem_n = s.mem_n + excluded.mem_n,
            density_sum = s.density_sum + excluded.density_sum, density_n = s.density_n + excluded.density_n,
            looks = s.looks + excluded.looks",
        cluster,
        at.duration_trunc(EVERY).unwrap_or(at),
        cpu_pct.unwrap_or_default(),
        counted(cpu_pct),
        mem_pct.unwrap_or_default(),
        counted(mem_pct),
        density.unwrap_or_default(),
        counted(density),
        i32::from(looked)
    )
    .execute(conn)
    .await
    .doing("adding a sample of a cluster")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vms_per_node_need_a_node_that_is_ready() {
        let summary = |ready: i32| Summary {
            nodes: serde_json::json!({ "total": 4, "ready": ready }),
            vms: Some(12),
            ..Summary::default()
        };
        assert_eq!(Sample::of(&summary(3), true).density, Some(4.0));
        assert_eq!(Sample::of(&summary(0), true).density, None);
        let unread = Summary {
            vms: Some(12),
            ..Summary::default()
        };
        assert_eq!(Sample::of(&unread, false), Sample::default());
    }
}
