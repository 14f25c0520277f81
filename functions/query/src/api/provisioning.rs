//! How provisioning goes, on one page: states, outcomes, what does not move, queues and limits, what joins nothing.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use stargate_common::provisioning::job::Phase;
use stargate_common::provisioning::placement::SandboxCluster;
use stargate_common::provisioning::sli::{self, Period, Seen, Sli};
use stargate_common::provisioning::subject::AnarchySubject;
use stargate_common::sources::SourceName;
use utoipa::{IntoParams, ToSchema};

use super::pools;
use super::sessions::{self, SessionCounts};
use super::subjects::SubjectClassName;
use crate::QueryState;
use crate::answer::{Ask, One, Scope};
use crate::basis::Basis;
use crate::fleet::Fleet;
use crate::params::{Range, words};
use crate::problem::ApiError;
use crate::supply::Supply;

words! {
    /// In which time outcomes are counted.
    SummaryRange {
        /// An hour.
        Hour = "1h",
        /// Six hours.
        Hours6 = "6h",
        /// A day.
        Day = "24h",
        /// A week.
        Days7 = "7d",
    }
}

impl SummaryRange {
    const fn range(self) -> Range {
        match self {
            Self::Hour => Range::Hour,
            Self::Hours6 => Range::Hours6,
            Self::Day => Range::Day,
            Self::Days7 => Range::Days7,
        }
    }
}

/// Subjects in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StateRow {
    /// What the state means: `initializing`, `in_progress`, `started`, `stopped`, `failed_terminal`, `failed_retrying`, `gone`, `unknown`.
    #[schema(value_type = SubjectClassName)]
    pub class: String,
    /// The state, as the governor writes it; empty before it writes one.
    pub state: String,
    /// How many.
    #[schema(minimum = 0)]
    pub subjects: i64,
}

/// How an action of subjects came out, each subject counted once.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OutcomeCounts {
    /// Succeeded and failed; canceled ones are neither.
    #[schema(minimum = 0)]
    pub attempts: usize,
    /// It worked.
    #[schema(minimum = 0)]
    pub succeeded: usize,
    /// It ran with failures.
    #[schema(minimum = 0)]
    pub failed: usize,
    /// It could not run: the platform's fault.
    #[schema(minimum = 0)]
    pub errors: usize,
    /// Somebody canceled it.
    #[schema(minimum = 0)]
    pub canceled: usize,
    /// Share of attempts that succeeded; null without an attempt.
    #[schema(minimum = 0, maximum = 1)]
    pub rate: Option<f64>,
}

/// Things that are alike, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KindCount {
    /// What is counted.
    pub kind: String,
    /// How many.
    #[schema(minimum = 0)]
    pub count: i64,
}

/// What the Sandbox API says of itself. Numbers are null when they are not known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct SandboxApiRow {
    /// Whether its own health check is good.
    pub healthy: Option<bool>,
    /// Replicas that are ready.
    pub replicas_ready: Option<i64>,
    /// Replicas there should be.
    pub replicas_wanted: Option<i64>,
    /// Placements that wait for a slot.
    pub queued_placements: Option<i64>,
    /// Resources that wait for a slot.
    pub queued_resources: Option<i64>,
    /// Why nothing is known.
    pub unknown_reason: Option<String>,
}

/// How many placements a cluster takes at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RateSlots {
    /// The Sandbox API's name of the cluster.
    pub cluster: String,
    /// Slots in use.
    pub used: Option<i64>,
    /// Slots there are.
    pub most: Option<i64>,
    /// Slots that are free.
    pub free: Option<i64>,
    /// Whether placements go there.
    pub valid: Option<bool>,
}

/// What should have joined something and did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnmatchedRow {
    /// What it is.
    pub kind: String,
    /// What it should have been joined to.
    pub wanted: String,
    /// How many.
    #[schema(minimum = 0)]
    pub count: i64,
}

/// How provisioning goes. What rests on a source that was not read is null, with the reason in `unknown`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProvisioningSummary {
    /// From when outcomes are counted.
    pub from: DateTime<Utc>,
    /// Until when.
    pub to: DateTime<Utc>,
    /// Live subjects.
    pub subjects: Option<i64>,
    /// Live subjects by state.
    pub by_state: Option<Vec<StateRow>>,
    /// Provisions that ended in that time.
    pub provision: Option<OutcomeCounts>,
    /// Destructions that ended in that time.
    pub destroy: Option<OutcomeCounts>,
    /// Subjects that do not move by themselves.
    pub stuck: Option<i64>,
    /// These, by why.
    pub stuck_kinds: Option<Vec<KindCount>>,
    /// Subjects for which something takes longer than it may.
    pub overdue: Option<i64>,
    /// Placements that wait in the queue of the Sandbox API.
    pub queue_depth: Option<i64>,
    /// The Sandbox API.
    pub sandbox_api: SandboxApiRow,
    /// Rate limits of the clusters.
    pub rate_slots: Vec<RateSlots>,
    /// Pools, by how they stand.
    pub pools: Option<Vec<KindCount>>,
    /// Sessions that run or come soon.
    pub sessions: SessionCounts,
    /// What joined nothing.
    pub unmatched: Option<Vec<UnmatchedRow>>,
    /// Why numbers are null, one sentence each.
    pub unknown: Vec<String>,
}

/// Parameters of the summary.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SummaryParams {
    /// In which time up to now outcomes are counted.
    #[param(inline)]
    pub range: SummaryRange,
}

impl Default for SummaryParams {
    fn default() -> Self {
        Self { range: SummaryRange::Day }
    }
}

/// What the summary rests on, besides the clusters.
const SOURCES: [SourceName; 4] = [
    SourceName::Babylon,
    SourceName::SandboxApi,
    SourceName::Labagator,
    SourceName::Agnosticv,
];

/// How provisioning goes.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/provisioning/summary", operation_id = "getProvisioningSummary", tag = "provisioning", params(SummaryParams),
    responses((status = 200, description = "The summary", body = One<ProvisioningSummary>)))]
pub async fn summary(State(app): State<QueryState>, ask: Ask<SummaryParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    ask.one(&basis, Scope::Systems(None, &SOURCES), async || {
        let supply = app.supply.get(&mut db, &basis).await?;
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let period = Period {
            from: ask.now - ask.params.range.range().length(),
            until: ask.now,
        };
        let ended = match basis.known(&[SourceName::Babylon]) {
            Ok(()) => Some(ended(&mut db, period).await?),
            Err(_) => None,
        };
        Ok(assemble(&supply, &fleet, &basis, period, ended.as_deref()))
    })
    .await
}

/// A subject, and when a complete reading no longer had it.
type Ended = (AnarchySubject, Option<DateTime<Utc>>);

fn assemble(supply: &Supply, fleet: &Fleet, basis: &Basis, period: Period, ended: Option<&[Ended]>) -> ProvisioningSummary {
    let unknown: Vec<String> = SOURCES
        .iter()
        .filter_map(|&name| basis.collectors.trouble(name, basis.now))
        .collect();
    let babylon = basis.known(&[SourceName::Babylon]).is_ok();
    let sandbox = basis.known(&[SourceName::SandboxApi]);
    let judged = sessions::judged(supply, fleet, basis);
    let mut states: BTreeMap<String, i64> = BTreeMap::new();
    for facts in supply.pools.values() {
        *states.entry(pools::row(facts, &judged, basis).state).or_default() += 1;
    }
    let mut stuck: BTreeMap<&str, i64> = BTreeMap::new();
    for one in supply.stuck.values() {
        *stuck.entry(one.kind.as_str()).or_default() += 1;
    }
    let kinds = |counts: BTreeMap<String, i64>| counts.into_iter().map(|(kind, count)| KindCount { kind, count }).collect();
    let overdue = ["teardown_overdue", "job_overdue", "pending_long", "missed_callback"];
    let outcomes = |phase| {
        let seen = ended?.iter().map(|(subject, gone_at)| Seen {
            subject,
            gone_at: *gone_at,
        });
        Some(outcome_counts(sli::of_subjects(seen, phase, period)))
    };
    let api = sandbox_api(&supply.sandbox, sandbox);
    ProvisioningSummary {
        from: period.from,
        to: period.until,
        subjects: babylon.then(|| supply.states.iter().map(|state| state.subjects).sum()),
        by_state: babylon.then(|| {
            let row = |count: &crate::supply::StateCount| StateRow {
                class: count.class.clone(),
                state: count.state.clone(),
                subjects: count.subjects,
            };
            supply.states.iter().map(row).collect()
        }),
        provision: outcomes(Phase::Provision),
        destroy: outcomes(Phase::Destroy),
        stuck: babylon.then_some(stuck.values().sum()),
        overdue: babylon.then(|| overdue.iter().filter_map(|kind| stuck.get(kind)).sum()),
        stuck_kinds: babylon.then(|| kinds(stuck.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect())),
        queue_depth: api.queued_placements,
        rate_slots: if api.unknown_reason.is_none() {
            slots(&supply.sandbox)
        } else {
            Vec::new()
        },
        sandbox_api: api,
        pools: babylon.then(|| kinds(states)),
        sessions: sessions::counts(&judged, basis),
        unmatched: babylon.then(|| {
            let row = |count: &crate::supply::UnmatchedCount| UnmatchedRow {
                kind: count.kind.clone(),
                wanted: count.wanted.clone(),
                count: count.things,
            };
            supply.unmatched.iter().map(row).collect()
        }),
        unknown,
    }
}

fn outcome_counts(sli: Sli) -> OutcomeCounts {
    OutcomeCounts {
        attempts: sli.attempts,
        succeeded: sli.succeeded,
        failed: sli.failed,
        errors: sli.errors,
        canceled: sli.canceled,
        rate: sli.rate(),
    }
}

/// The row `*` is the Sandbox API as a whole.
fn sandbox_api(rows: &[SandboxCluster], known: Result<(), String>) -> SandboxApiRow {
    match (known, rows.iter().find(|row| row.name == "*")) {
        (Err(why), _) => SandboxApiRow {
            unknown_reason: Some(why),
            ..SandboxApiRow::default()
        },
        (Ok(()), None) => SandboxApiRow {
            unknown_reason: Some("sandbox-api told nothing of itself".to_owned()),
            ..SandboxApiRow::default()
        },
        (Ok(()), Some(row)) => SandboxApiRow {
            healthy: row.healthy,
            replicas_ready: row.replicas_ready,
            replicas_wanted: row.replicas_wanted,
            queued_placements: row.queued_placements,
            queued_resources: row.queued_resources,
            unknown_reason: None,
        },
    }
}

fn slots(rows: &[SandboxCluster]) -> Vec<RateSlots> {
    let clusters = rows.iter().filter(|row| row.name != "*");
    clusters
        .map(|row| RateSlots {
            cluster: row.name.clone(),
            used: row.rate_used,
            most: row.rate_limit,
            free: row.rate_free,
            valid: row.valid,
        })
        .collect()
}

/// Subjects whose provision or destruction ended in the period, gone or not: what they came to still counts.
async fn ended(db: &mut PgConnection, period: Period) -> Result<Vec<Ended>, ApiError> {
    let from = period.from.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let rows = sqlx::query!(
        r#"-- provisioning::ended
        select key, doc::text as "doc!", gone_at from subjects
        where coalesce(doc #>> '{actions,provision,completed_at}', doc #>> '{jobs,provision,completed_at}', '') collate "C" >= $1
           or gone_at >= $2
           or (gone_at is null and subject_class(doc) = 'failed_retrying')"#,
        from,
        period.from
    )
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| Ok((super::document(&row.doc, || format!("subject {}", row.key))?, row.gone_at)))
        .collect()
}
