//! Runs of a tier on a cluster: what was read, at what cost, and whether it has been judged.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::kinds::Coverage;
use super::{DbError, Doing};
use crate::objects::Problem;
pub use crate::tier::Tier;

/// Who asked for a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The CronJob.
    Schedule,
    /// An event.
    Request,
    /// A person at the command line.
    Command,
}

impl Trigger {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Request => "request",
            Self::Command => "command",
        }
    }
}

/// How a scan came out as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanState {
    /// Every kind that the cluster serves was read to its end.
    Complete,
    /// Some kinds were not.
    Partial,
    /// The cluster did not answer.
    Failed,
}

impl ScanState {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}

/// A scan to be stored.
#[derive(Debug, Clone)]
pub struct NewScan<'a> {
    /// Chosen by the caller.
    pub id: Uuid,
    /// Which tier.
    pub tier: Tier,
    /// Who asked.
    pub trigger: Trigger,
    /// How it came out.
    pub state: ScanState,
    /// When the reading began; observations are no older.
    pub observed_at: DateTime<Utc>,
    /// When the run began.
    pub started_at: DateTime<Utc>,
    /// Requests made.
    pub requests: u32,
    /// Bytes received.
    pub bytes: u64,
    /// Objects read.
    pub items: usize,
    /// Lab namespaces seen.
    pub namespaces: usize,
    /// Evidence documents that changed.
    pub changed: usize,
    /// What could not be read or understood.
    pub problems: &'a [Problem],
    /// What is known of every kind, this scan included.
    pub coverage: &'a Coverage,
}

/// Most problems a scan keeps; the rest is counted in the last one.
const MAX_PROBLEMS: usize = 100;

/// Stores a scan. Returns when it counts as stored: later than every scan of the cluster before, so that scans have one order. The
/// caller holds the cluster.
///
/// # Errors
/// The statement failed.
pub async fn insert(conn: &mut PgConnection, cluster: Uuid, scan: &NewScan<'_>, now: DateTime<Utc>) -> Result<DateTime<Utc>, DbError> {
    let mut problems = scan.problems.iter().take(MAX_PROBLEMS).cloned().collect::<Vec<_>>();
    if let Some(more) = scan.problems.len().checked_sub(MAX_PROBLEMS).filter(|more| *more > 0) {
        problems.push(Problem {
            subject: "scan".to_owned(),
            detail: format!("{more} more problems are in the log of the job"),
        });
    }
    let int = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    sqlx::query_scalar!(
        r#"-- scans::insert
        insert into scans (scan_id, cluster_id, tier, trigger, state, observed_at, started_at, finished_at, requests, bytes, items,
                           namespaces, changed, problems, coverage)
        values ($1, $2, $3, $4, $5, $6, $7,
                greatest($8, (select max(finished_at) + interval '1 microsecond' from scans where cluster_id = $2 and started_at > $8::timestamptz - interval '1 day')),
                $9, $10, $11, $12, $13, $14, $15)
        returning finished_at"#,
        scan.id,
        cluster,
        scan.tier.as_str(),
        scan.trigger.as_str(),
        scan.state.as_str(),
        scan.observed_at,
        scan.started_at,
        now,
        i32::try_from(scan.requests).unwrap_or(i32::MAX),
        i64::try_from(scan.bytes).unwrap_or(i64::MAX),
        int(scan.items),
        int(scan.namespaces),
        int(scan.changed),
        Json(&problems) as _,
        Json(scan.coverage) as _
    )
    .fetch_one(conn)
    .await
    .doing("storing a scan")
}

/// A scan that waits for its evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The scan.
    pub id: Uuid,
    /// Its partition.
    pub started_at: DateTime<Utc>,
    /// When its reading began.
    pub observed_at: DateTime<Utc>,
    /// What was known of every kind once it was stored.
    pub coverage: Coverage,
}

/// The oldest scan of the cluster that nobody has evaluated.
///
/// # Errors
/// The statement failed.
pub async fn next_waiting(db: impl PgExecutor<'_>, cluster: Uuid) -> Result<Option<Waiting>, DbError> {
    let row = sqlx::query!(
        r#"-- scans::next_waiting
        select scan_id, started_at, observed_at, coverage as "coverage: Json<Coverage>" from scans
        where cluster_id = $1 and evaluated_at is null
        order by finished_at limit 1"#,
        cluster
    )
    .fetch_optional(db)
    .await
    .doing("looking for a scan to evaluate")?;
    Ok(row.map(|row| Waiting {
        id: row.scan_id,
        started_at: row.started_at,
        observed_at: row.observed_at,
        coverage: row.coverage.0,
    }))
}

/// The newest scan of the cluster, evaluated or not.
///
/// # Errors
/// The statement failed.
pub async fn newest(db: impl PgExecutor<'_>, cluster: Uuid) -> Result<Option<Waiting>, DbError> {
    let row = sqlx::query!(
        r#"-- scans::newest
        select scan_id, started_at, observed_at, coverage as "coverage: Json<Coverage>" from scans
        where cluster_id = $1
        order by finished_at desc limit 1"#,
        cluster
    )
    .fetch_optional(db)
    .await
    .doing("looking for the newest scan")?;
    Ok(row.map(|row| Waiting {
        id: row.scan_id,
        started_at: row.started_at,
        observed_at: row.observed_at,
        coverage: row.coverage.0,
    }))
}

/// Notes that a scan is evaluated. Returns false when somebody else had done it.
///
/// # Errors
/// The statement failed.
pub async fn mark_evaluated(conn: &mut PgConnection, id: Uuid, started_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "-- scans::mark_evaluated
        update scans set evaluated_at = $3 where scan_id = $1 and started_at = $2 and evaluated_at is null",
        id,
        started_at,
        now
    )
    .execute(conn)
    .await
    .doing("noting the evaluation of a scan")?;
    Ok(done.rows_affected() > 0)
}

/// Clusters with a scan stored before `before` that nobody has evaluated.
///
/// # Errors
/// The statement failed.
pub async fn clusters_waiting(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> Result<Vec<String>, DbError> {
    sqlx::query_scalar!(
        "-- scans::clusters_waiting
        select distinct c.name from scans s join clusters c using (cluster_id)
        where s.evaluated_at is null and s.finished_at < $1 order by c.name",
        before
    )
    .fetch_all(db)
    .await
    .doing("looking for scans that nobody evaluated")
}
