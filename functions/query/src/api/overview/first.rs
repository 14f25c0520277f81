//! What the first view names besides the rollups: the most urgent incidents and advice, and the incidents of the last 24 hours.
//!
//! Kept in memory like the fleet: under the versions of the read models, at most a minute old.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::kept::PerScope;
use crate::access::reading::Reading;
use crate::api::incidents::{self, IncidentRow};
use crate::api::recommendations::{self, AdviceSummary};
use crate::basis::{Basis, ViewVersion};
use crate::fleet::is_current;
use crate::params::Limit;
use crate::problem::ApiError;

/// Hours that are counted, the current one among them.
const HOURS: i32 = 24;

/// For so long a reading of namespaces and pods is believed: twice its interval. Source: design, section 5.
const HOLDS: TimeDelta = TimeDelta::minutes(30);

/// An hour's incidents, those that others cover among them; null when nobody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncidentHour {
    /// When the hour begins.
    pub start: DateTime<Utc>,
    /// Incidents that were opened in it.
    #[schema(minimum = 0)]
    pub opened: Option<i64>,
    /// Incidents that were resolved in it.
    #[schema(minimum = 0)]
    pub resolved: Option<i64>,
}

/// What is read for the first view.
#[derive(Debug, Clone)]
pub struct First {
    /// Open incidents that no other covers, most urgent first.
    pub attention: Vec<IncidentRow>,
    /// Advice that stands.
    pub advice: AdviceSummary,
    /// The last hours, oldest first.
    pub hours: Vec<IncidentHour>,
}

type Kept = (Vec<ViewVersion>, i64, Arc<First>);

/// The last reading of the whole fleet, for each scope.
#[derive(Debug, Clone, Default)]
pub struct FirstCache(PerScope<Kept>);

impl FirstCache {
    /// What the first view names of these clusters, or of all, at the basis' versions or newer.
    ///
    /// # Errors
    /// A statement failed.
    pub async fn get(&self, db: &mut Reading, basis: &Basis, only: Option<&[Uuid]>) -> Result<Arc<First>, ApiError> {
        if only.is_some() {
            return Ok(Arc::new(read(db, basis, only).await?));
        }
        let minute = basis.now.timestamp() / 60;
        let slot = self.0.slot(db.scope());
        let mut kept = slot.lock().await;
        if let Some((at, then, first)) = kept.as_ref()
            && *then == minute
            && is_current(at, &basis.versions)
        {
            return Ok(Arc::clone(first));
        }
        let first = Arc::new(read(db, basis, None).await?);
        *kept = Some((basis.versions.clone(), minute, Arc::clone(&first)));
        Ok(first)
    }
}

async fn read(db: &mut PgConnection, basis: &Basis, only: Option<&[Uuid]>) -> Result<First, ApiError> {
    Ok(First {
        attention: incidents::most_urgent(&mut *db, basis, only, Limit::FIRST_VIEW).await?,
        advice: recommendations::summary(&mut *db).await?,
        hours: hours(db, basis.now, only).await?,
    })
}

struct Counted {
    start: DateTime<Utc>,
    opened: i64,
    resolved: i64,
}

async fn hours(db: &mut PgConnection, now: DateTime<Utc>, only: Option<&[Uuid]>) -> Result<Vec<IncidentHour>, ApiError> {
    let this_hour = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
    let from = this_hour - TimeDelta::hours((HOURS - 1).into());
    let counted = sqlx::query_as!(
        Counted,
        r#"-- overview::incident_hours
        select date_bin('1 hour', at, $1) as "start!", sum(opened)::bigint as "opened!", sum(resolved)::bigint as "resolved!"
        from (
            select opened_at as at, 1 as opened, 0 as resolved from incidents
            where opened_at >= $1 and opened_at <= $2 and ($3::uuid[] is null or cluster_id = any($3))
            union all
            select resolved_at, 0, 1 from incidents
            where resolved_at >= $1 and resolved_at <= $2 and ($3::uuid[] is null or cluster_id = any($3))
        ) changes
        group by 1"#,
        from,
        now,
        only as _
    )
    .fetch_all(&mut *db)
    .await?;
    let looked = sqlx::query_scalar!(
        r#"-- overview::looked
        select distinct date_bin('15 min', started_at, $1) as "at!" from scans
        where started_at > $1::timestamptz - $4::interval and started_at <= $2 and tier in ('workloads', 'everything') and state <> 'failed'
          and ($3::uuid[] is null or cluster_id = any($3))"#,
        from,
        now,
        only as _,
        HOLDS as _
    )
    .fetch_all(db)
    .await?;
    Ok(by_hour(from, &counted, &looked.into_iter().collect()))
}

/// Every hour from `from` on. Without a reading that still held, nobody knows what began or ended in it.
fn by_hour(from: DateTime<Utc>, counted: &[Counted], looked: &BTreeSet<DateTime<Utc>>) -> Vec<IncidentHour> {
    let hour = |i: i32| {
        let start = from + TimeDelta::hours(i.into());
        let counts = counted.iter().find(|counts| counts.start == start);
        let known = counts.is_some() || looked.range(start - HOLDS..start + TimeDelta::hours(1)).next().is_some();
        IncidentHour {
            start,
            opened: known.then(|| counts.map_or(0, |counts| counts.opened)),
            resolved: known.then(|| counts.map_or(0, |counts| counts.resolved)),
        }
    };
    (0..HOURS).map(hour).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_in_which_nobody_looked_is_not_known_to_be_quiet() {
        let from: DateTime<Utc> = "2026-11-23T06:00:00Z".parse().unwrap();
        let at = |minute| from + TimeDelta::minutes(minute);
        let counted = [Counted {
            start: at(60),
            opened: 2,
            resolved: 1,
        }];
        let hours = by_hour(from, &counted, &BTreeSet::from([at(105), at(300)]));
        let told: Vec<_> = hours.iter().map(|hour| (hour.opened, hour.resolved)).collect();
        assert_eq!(hours.len(), 24);
        assert_eq!(told[0], (None, None));
        assert_eq!(told[1], (Some(2), Some(1)));
        assert_eq!(told[2], (Some(0), Some(0)), "the reading of 07:45 still holds at 08:00");
        assert_eq!(told[3], (None, None));
        assert_eq!(told[5], (Some(0), Some(0)));
        assert_eq!(told[6], (None, None));
    }
}
