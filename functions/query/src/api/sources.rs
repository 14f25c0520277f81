//! Sources: where data comes from, whether it still comes, and why not.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use stargate_common::sources::SourceName;
use utoipa::{IntoParams, ToSchema};

use crate::QueryState;
use crate::answer::{Ask, List, Scope};
use crate::basis::Basis;
use crate::page::{Key, Sort, short};
use crate::params::Limit;
use crate::problem::ApiError;
use crate::sources::{Attempts, ClusterSource, Coverage, SourceState};

/// A source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SourceRow {
    /// Its name: `cluster/<name>`, or that of a collector.
    #[schema(example = "cluster/cnv-west-2")]
    pub source: String,
    /// How far it can be relied on.
    pub state: SourceState,
    /// When it was last read completely.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When it was last tried.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// How long ago it was last read completely, in seconds.
    #[schema(minimum = 0)]
    pub age_s: Option<i64>,
    /// It should be read every so many seconds; null when it was never tried.
    pub interval_s: Option<i32>,
    /// What rests on it is unknown after so many seconds.
    pub stale_after_s: Option<i32>,
    /// Why it is not fresh.
    pub last_error: Option<String>,
    /// How often in a row it could not be read completely.
    #[schema(minimum = 0)]
    pub failures: i32,
    /// It asked to be left alone until then.
    pub retry_at: Option<DateTime<Utc>>,
    /// How much of it was read.
    pub coverage: Coverage,
}

/// What the list of sources can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the field of that name")]
pub enum SourceField {
    Source,
    AgeS,
}

/// Parameters of the list of sources.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SourceParams {
    /// Fields, each with `-` for descending: source, age_s.
    #[param(value_type = String, example = "-age_s")]
    pub sort: Sort<SourceField>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for SourceParams {
    fn default() -> Self {
        Self {
            sort: Sort::ascending(SourceField::Source),
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// Where data comes from and how old it is.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/sources", operation_id = "listSources", tag = "sources", params(SourceParams),
    responses((status = 200, description = "Sources", body = List<SourceRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<SourceParams>) -> Result<Response, ApiError> {
    let SourceParams { sort, limit, cursor } = &ask.params;
    let wanted = ask.page(*limit, cursor.as_deref())?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    ask.list(&basis, Scope::Fleet, async || {
        let rows = every(&mut db, &basis).await?;
        let key = |row: &SourceRow, field| match field {
            SourceField::Source => Key::text(Some(&row.source)),
            SourceField::AgeS => Key::number(row.age_s),
        };
        Ok(short(rows, sort, &wanted, key, |row| row.source.clone()))
    })
    .await
}

/// Every source, in no order.
pub(super) async fn every(db: &mut PgConnection, basis: &Basis) -> Result<Vec<SourceRow>, ApiError> {
    let mut rows = collectors(db, basis.now).await?;
    rows.extend(basis.clusters.iter().map(|cluster| of_cluster(cluster, basis.now)));
    Ok(rows)
}

fn of_cluster(cluster: &ClusterSource, now: DateTime<Utc>) -> SourceRow {
    let heading = cluster.heading(now);
    let interval_s = cluster.interval_s();
    let failed = cluster
        .kinds
        .iter()
        .find(|kind| kind.state(now) == SourceState::Failed && !kind.detail.is_empty());
    SourceRow {
        source: heading.source,
        state: heading.state,
        last_success_at: heading.observed_at,
        last_attempt_at: cluster.kinds.iter().map(|kind| kind.last_attempt_at).max(),
        age_s: heading.age_s,
        interval_s,
        stale_after_s: interval_s.map(|interval| interval * 2),
        last_error: if cluster.api_reachable == Some(false) {
            Some(cluster.api_detail.clone())
        } else {
            failed.map(|kind| format!("{}: {}", kind.kind, kind.detail))
        },
        failures: 0,
        retry_at: None,
        coverage: heading.coverage,
    }
}

/// What is not a cluster.
async fn collectors(db: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<SourceRow>, ApiError> {
    let records = sqlx::query!(
        "-- sources::collectors
        select source, enabled, interval_s, last_attempt_at, last_success_at, last_error, expected, reporting, missing, failures, retry_at from sources"
    )
    .fetch_all(db)
    .await?;
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let attempts = Attempts {
            interval_s: record.interval_s,
            last_success_at: record.last_success_at,
            last_failed: record.last_attempt_at > record.last_success_at,
        };
        let missing: Vec<String> = serde_json::from_value(record.missing).map_err(|source| ApiError::Document {
            what: format!("what source {} misses", record.source),
            source,
        })?;
        let count = |n: Option<i32>| usize::try_from(n.unwrap_or_default()).unwrap_or_default();
        rows.push(SourceRow {
            state: if record.enabled {
                attempts.state(now)
            } else {
                SourceState::Disabled
            },
            last_success_at: record.last_success_at,
            last_attempt_at: record.last_attempt_at,
            age_s: record.last_success_at.map(|at| (now - at).num_seconds().max(0)),
            interval_s: Some(record.interval_s),
            stale_after_s: Some(record.interval_s.saturating_mul(2)),
            last_error: record.last_error,
            failures: record.failures,
            retry_at: record.retry_at.filter(|at| *at > now),
            coverage: Coverage {
                expected: count(record.expected),
                reporting: count(record.reporting),
                missing,
            },
            source: record.source,
        });
    }
    // Nobody ran it yet: that is told, too.
    for source in SourceName::ALL {
        let part = format!("{source}/");
        if !rows
            .iter()
            .any(|row| row.source == source.as_str() || row.source.starts_with(&part))
        {
            rows.push(never(source));
        }
    }
    Ok(rows)
}

fn never(source: SourceName) -> SourceRow {
    SourceRow {
        source: source.as_str().to_owned(),
        state: SourceState::Never,
        last_success_at: None,
        last_attempt_at: None,
        age_s: None,
        interval_s: Some(source.interval_s()),
        stale_after_s: Some(source.interval_s() * 2),
        last_error: None,
        failures: 0,
        retry_at: None,
        coverage: Coverage::default(),
    }
}
