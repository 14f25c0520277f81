//! What the first view names besides the rollups: the most urgent incidents and advice, and the incidents of the last 24 hours.
//!
//! Kept in memory like the fleet: under the versions of the read models, at most a minute old.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use stargate_common::db::cluster_samples::EVERY;
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

/// Incidents that are named.
const ATTENTION: Limit = Limit::FIRST_VIEW;

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
    /// Open incidents that no other covers, most urgent first, at most [`Limit::MOST`].
    urgent: Vec<IncidentRow>,
    /// Advice that stands.
    pub advice: AdviceSummary,
    changes: Vec<Counted>,
    looks: Vec<Look>,
}

/// Incidents of a cluster that began or ended in an hour.
#[derive(Debug, Clone)]
struct Counted {
    cluster_id: Option<Uuid>,
    start: DateTime<Utc>,
    opened: i64,
    resolved: i64,
}

/// A quarter of an hour in which somebody looked at a cluster.
#[derive(Debug, Clone)]
struct Look {
    cluster_id: Uuid,
    at: DateTime<Utc>,
}

impl First {
    /// What needs attention on these clusters, or on all.
    ///
    /// # Errors
    /// A statement failed.
    pub async fn attention(&self, db: &mut PgConnection, basis: &Basis, only: Option<&[Uuid]>) -> Result<Vec<IncidentRow>, ApiError> {
        let names: Option<Vec<String>> = only.map(|ids| ids.iter().map(|&id| basis.cluster_name(id)).collect());
        let wanted = |row: &&IncidentRow| {
            names
                .as_ref()
                .is_none_or(|names| row.clusters.iter().any(|name| names.contains(name)))
        };
        let first: Vec<IncidentRow> = self.urgent.iter().filter(wanted).take(ATTENTION.rows()).cloned().collect();
        if first.len() == ATTENTION.rows() || self.urgent.len() < Limit::MOST.rows() {
            return Ok(first);
        }
        // The most urgent of the fleet are elsewhere, and there are more of them than are kept.
        incidents::most_urgent(db, basis, only, ATTENTION).await
    }

    /// The last hours of these clusters, or of all, oldest first.
    #[must_use]
    pub fn hours(&self, now: DateTime<Utc>, only: Option<&[Uuid]>) -> Vec<IncidentHour> {
        by_hour(first_hour(now), &self.changes, &self.looks, only)
    }
}

type Kept = (Vec<ViewVersion>, i64, Arc<First>);

/// The last reading of the whole fleet, for each scope.
#[derive(Debug, Clone, Default)]
pub struct FirstCache(PerScope<Kept>);

impl FirstCache {
    /// What the first view names, at the basis' versions or newer.
    ///
    /// # Errors
    /// A statement failed.
    pub async fn get(&self, db: &mut Reading, basis: &Basis) -> Result<Arc<First>, ApiError> {
        let minute = basis.now.timestamp() / 60;
        let slot = self.0.slot(db.scope());
        let mut kept = slot.lock().await;
        if let Some((at, then, first)) = kept.as_ref()
            && *then == minute
            && is_current(at, &basis.versions)
        {
            return Ok(Arc::clone(first));
        }
        let first = Arc::new(read(db, basis).await?);
        *kept = Some((basis.versions.clone(), minute, Arc::clone(&first)));
        Ok(first)
    }
}

fn first_hour(now: DateTime<Utc>) -> DateTime<Utc> {
    now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now) - TimeDelta::hours((HOURS - 1).into())
}

async fn read(db: &mut PgConnection, basis: &Basis) -> Result<First, ApiError> {
    let from = first_hour(basis.now);
    let changes = sqlx::query_as!(
        Counted,
        r#"-- overview::incident_hours
        select cluster_id, date_bin('1 hour', at, $1) as "start!", sum(opened)::bigint as "opened!", sum(resolved)::bigint as "resolved!"
        from (
            select cluster_id, opened_at as at, 1 as opened, 0 as resolved from incidents where opened_at >= $1 and opened_at <= $2
            union all
            select cluster_id, resolved_at, 0, 1 from incidents where resolved_at >= $1 and resolved_at <= $2
        ) changes
        group by 1, 2"#,
        from,
        basis.now
    )
    .fetch_all(&mut *db)
    .await?;
    let clusters: Vec<Uuid> = basis.clusters.iter().map(|cluster| cluster.cluster_id).collect();
    let looks = sqlx::query_as!(
        Look,
        "-- overview::looks
        select cluster_id, at from cluster_samples where cluster_id = any($1) and at > $2 and looks > 0",
        &clusters,
        from - HOLDS - EVERY
    )
    .fetch_all(&mut *db)
    .await?;
    Ok(First {
        urgent: incidents::most_urgent(&mut *db, basis, None, Limit::MOST).await?,
        advice: recommendations::summary(db).await?,
        changes,
        looks,
    })
}

/// Every hour from `from` on. Without a look that still held, nobody knows what began or ended in it.
fn by_hour(from: DateTime<Utc>, changes: &[Counted], looks: &[Look], only: Option<&[Uuid]>) -> Vec<IncidentHour> {
    let wanted = |id: Uuid| only.is_none_or(|only| only.contains(&id));
    // What is about the whole fleet has no cluster.
    let concerns = |id: Option<Uuid>| id.map_or(only.is_none(), wanted);
    let looks: BTreeSet<DateTime<Utc>> = looks.iter().filter(|look| wanted(look.cluster_id)).map(|look| look.at).collect();
    let hour = |i: i32| {
        let start = from + TimeDelta::hours(i.into());
        let mut counts = changes
            .iter()
            .filter(|counts| counts.start == start && concerns(counts.cluster_id))
            .peekable();
        let since = start - HOLDS - EVERY;
        let looked = looks
            .range((Bound::Excluded(since), Bound::Excluded(start + TimeDelta::hours(1))))
            .next()
            .is_some();
        let known = looked || counts.peek().is_some();
        let (opened, resolved) = counts.fold((0, 0), |sum, counts| (sum.0 + counts.opened, sum.1 + counts.resolved));
        IncidentHour {
            start,
            opened: known.then_some(opened),
            resolved: known.then_some(resolved),
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
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let changes = [Counted {
            cluster_id: Some(one),
            start: at(60),
            opened: 2,
            resolved: 1,
        }];
        let look = |minute| Look {
            cluster_id: one,
            at: at(minute),
        };
        let looks = [look(90), look(300)];
        let hours = |only: Option<&[Uuid]>| -> Vec<_> {
            let hours = by_hour(from, &changes, &looks, only);
            hours.iter().map(|hour| (hour.opened, hour.resolved)).collect()
        };
        let told = hours(None);
        assert_eq!(told.len(), 24);
        assert_eq!(told[0], (None, None));
        assert_eq!(told[1], (Some(2), Some(1)));
        assert_eq!(told[2], (Some(0), Some(0)), "the look that ended at 07:45 still holds at 08:00");
        assert_eq!(told[3], (None, None));
        assert_eq!(told[5], (Some(0), Some(0)));
        assert_eq!(told[6], (None, None));
        assert_eq!(hours(Some(&[one])), told);
        assert_eq!(
            hours(Some(&[two])),
            vec![(None, None); 24],
            "a look at another cluster says nothing of this one"
        );
    }
}
