//! Resource pools: what can be claimed from them now, whether they fill, and why not.

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stargate_common::provisioning::pool_state::PoolState;
use stargate_common::provisioning::session_readiness::{Phase, Verdict};
use stargate_common::sources::SourceName;
use utoipa::{IntoParams, ToSchema};

use super::sessions;
use crate::QueryState;
use crate::answer::{Ask, List, One, Scope};
use crate::basis::Basis;
use crate::page::{Key, Sort, short};
use crate::params::{Limit, Needle, NoParams, words};
use crate::problem::ApiError;
use crate::supply::{PoolFacts, Supply};
use crate::words::PoolTrend;

mod series;

pub use self::series::{__path_series, Bucket, PoolPoint, PoolSeries, SeriesParams, series};

/// What pools rest on.
pub(super) const SOURCES: [SourceName; 1] = [SourceName::Babylon];

words! {
    /// How a pool stands.
    PoolStateName {
        /// It holds as many usable handles as it should.
        Healthy = "healthy",
        /// It holds fewer, and more are on their way.
        Filling = "filling",
        /// It holds fewer, and none come.
        Blocked = "blocked",
        /// Handles are replaced without any becoming ready.
        Churning = "churning",
        /// Nothing is usable, and somebody waits.
        Exhausted = "exhausted",
        /// It should hold none.
        EmptyByDesign = "empty_by_design",
        /// Its provider creates none.
        ProviderDisabled = "provider_disabled",
        /// Not known.
        Unknown = "unknown",
    }
}

/// A pool. Numbers are null when they are not known.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PoolRow {
    /// Its name.
    #[schema(example = "acme-labs.webshop.event")]
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Catalog items it serves.
    pub items: Vec<String>,
    /// Labs of these.
    pub labs: Vec<String>,
    /// How it stands: `healthy`, `filling`, `blocked`, `churning`, `exhausted`, `empty_by_design`, `provider_disabled`, `unknown`.
    #[schema(value_type = PoolStateName)]
    pub state: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Unclaimed, ready, and not known to be unhealthy: what can be claimed now.
    #[schema(minimum = 0)]
    pub usable: Option<u32>,
    /// Unclaimed in any condition, also what is still provisioned or broken. Not seats.
    #[schema(minimum = 0)]
    pub available: Option<u32>,
    /// Unclaimed and not ready.
    #[schema(minimum = 0)]
    pub unready: Option<u32>,
    /// Claimed.
    #[schema(minimum = 0)]
    pub claimed: Option<u32>,
    /// How many it should hold unclaimed.
    #[schema(minimum = 0)]
    pub min_available: Option<u32>,
    /// How many may be unready while it fills; null: no cap.
    #[schema(minimum = 0)]
    pub max_unready: Option<u32>,
    /// How fast its usable handles change over the last six hours.
    pub velocity: Option<PoolVelocity>,
    /// Handles that came in the last six hours.
    #[schema(minimum = 0)]
    pub created_6h: Option<u32>,
    /// Handles that went unclaimed in the last six hours.
    #[schema(minimum = 0)]
    pub deleted_6h: Option<u32>,
    /// Handles that became ready in the last six hours, at least.
    #[schema(minimum = 0)]
    pub became_ready_6h: Option<u32>,
    /// Seats that sessions of its labs lack now, in the next two hours.
    #[schema(minimum = 0)]
    pub wanted: Option<u32>,
}

/// How fast a pool empties or fills.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PoolVelocity {
    /// Usable handles an hour.
    pub per_hour: f64,
    /// `depleting`, `steady`, `recovering`.
    #[schema(value_type = PoolTrend)]
    pub trend: String,
    /// Hours until none is usable; null unless it is depleting.
    pub hours_to_empty: Option<f64>,
    /// Samples it rests on.
    pub samples: usize,
}

/// A pool in detail.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolDetail {
    /// As in the list.
    #[serde(flatten)]
    pub row: PoolRow,
    /// When it was created.
    pub created_at: Option<DateTime<Utc>>,
    /// Since when it is being deleted.
    pub deleting_since: Option<DateTime<Utc>>,
    /// Its providers.
    pub providers: Vec<String>,
    /// Whether one of them creates nothing; null when that is not known.
    pub provider_disabled: Option<bool>,
    /// Whether it deletes unhealthy handles.
    pub deletes_unhealthy: bool,
    /// Since when its oldest unready handle exists.
    pub oldest_unready_at: Option<DateTime<Utc>>,
    /// When its newest sample was taken.
    pub sampled_at: Option<DateTime<Utc>>,
}

/// What the list of pools can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the field of that name")]
pub enum PoolField {
    Name,
    State,
    Usable,
    Claimed,
    Wanted,
}

/// Parameters of the list of pools.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PoolParams {
    /// Only pools in these states.
    #[param(inline)]
    pub state: Vec<PoolStateName>,
    /// Only pools that serve these labs.
    pub lab: Vec<String>,
    /// Only pools whose name contains this.
    #[param(inline)]
    pub q: Option<Needle>,
    /// Fields, each with `-` for descending: name, state, usable, claimed, wanted.
    #[param(value_type = String, example = "-wanted,name")]
    pub sort: Sort<PoolField>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for PoolParams {
    fn default() -> Self {
        Self {
            state: Vec::new(),
            lab: Vec::new(),
            q: None,
            sort: Sort::ascending(PoolField::Name),
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// Resource pools.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/pools", operation_id = "listPools", tag = "provisioning", params(PoolParams),
    responses((status = 200, description = "Pools", body = List<PoolRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<PoolParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let wanted = ask.page(params.limit, params.cursor.as_deref())?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    ask.list(&basis, Scope::Systems(Some(&[]), &SOURCES), async || {
        let supply = app.supply.get(&mut db, &basis).await?;
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let judged = sessions::judged(&supply, &fleet, &basis);
        let mut rows: Vec<PoolRow> = supply.pools.values().map(|facts| row(facts, &judged, &basis)).collect();
        rows.retain(|row| {
            (params.state.is_empty() || params.state.iter().any(|state| state.as_str() == row.state))
                && (params.lab.is_empty() || params.lab.iter().any(|lab| row.labs.contains(lab)))
                && params.q.as_ref().is_none_or(|q| row.name.to_lowercase().contains(q.as_str()))
        });
        let key = |row: &PoolRow, field| match field {
            PoolField::Name => Key::text(Some(&row.name)),
            PoolField::State => Key::text(Some(&row.state)),
            PoolField::Usable => Key::number(row.usable.map(Into::into)),
            PoolField::Claimed => Key::number(row.claimed.map(Into::into)),
            PoolField::Wanted => Key::number(row.wanted.map(Into::into)),
        };
        Ok(short(rows, &params.sort, &wanted, key, |row| {
            format!("{}/{}", row.namespace, row.name)
        }))
    })
    .await
}

/// One pool.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/pools/{name}", operation_id = "getPool", tag = "provisioning",
    params(("name" = String, Path, description = "Name of the pool")),
    responses((status = 200, description = "The pool", body = One<PoolDetail>)))]
pub async fn get(State(app): State<QueryState>, Path(name): Path<String>, ask: Ask<NoParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    ask.one(&basis, Scope::Systems(Some(&[]), &SOURCES), async || {
        let supply = app.supply.get(&mut db, &basis).await?;
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let facts = named(&supply, &name)?;
        Ok(PoolDetail {
            row: row(facts, &sessions::judged(&supply, &fleet, &basis), &basis),
            created_at: facts.pool.created_at,
            deleting_since: facts.pool.deleting_since,
            providers: facts.pool.providers.clone(),
            provider_disabled: facts.provider_disabled,
            deletes_unhealthy: facts.pool.deletes_unhealthy,
            oldest_unready_at: facts.fill.oldest_unready,
            sampled_at: facts.sampled_at,
        })
    })
    .await
}

/// The pool of that name.
fn named<'a>(supply: &'a Supply, name: &str) -> Result<&'a PoolFacts, ApiError> {
    supply
        .pools
        .values()
        .find(|facts| facts.pool.name == name)
        .ok_or_else(|| ApiError::NotFound {
            what: "pool",
            name: name.to_owned(),
        })
}

/// Seats that sessions lack which run, or begin in the next two hours.
const SOON: chrono::TimeDelta = chrono::TimeDelta::hours(2);

fn wanted(facts: &PoolFacts, judged: &[sessions::Judged<'_>], basis: &Basis) -> Option<u32> {
    let soon = |one: &&sessions::Judged<'_>| match one.readiness.phase {
        Phase::Running => true,
        Phase::Upcoming => one.session.starts_at.is_some_and(|at| at - basis.now <= SOON),
        Phase::NoTime | Phase::Over | Phase::Canceled => false,
    };
    let mut lacking = 0;
    for one in judged.iter().filter(|one| facts.labs.contains(&one.session.lab_code)).filter(soon) {
        if one.readiness.verdict != Some(Verdict::Ready) {
            lacking += (one.readiness.needed? - one.seats.as_ref().ok()?.ready).max(0);
        }
    }
    u32::try_from(lacking).ok()
}

/// The row of a pool. When Babylon was not read, no number of it is known.
pub(super) fn row(facts: &PoolFacts, judged: &[sessions::Judged<'_>], basis: &Basis) -> PoolRow {
    let known = basis.known(&SOURCES);
    let wanted = wanted(facts, judged, basis);
    let (state, reason) = match &known {
        Ok(()) => {
            let verdict = facts.verdict(wanted, basis.now);
            (verdict.state, verdict.reason)
        }
        Err(why) => (PoolState::Unknown, why.clone()),
    };
    let known = known.is_ok();
    let fill = &facts.fill;
    PoolRow {
        name: facts.pool.name.clone(),
        namespace: facts.pool.namespace.clone(),
        items: facts.items.clone(),
        labs: facts.labs.clone(),
        state: state.as_str().to_owned(),
        reason,
        usable: fill.usable.filter(|_| known),
        available: fill.available.filter(|_| known),
        unready: fill.unready.filter(|_| known),
        claimed: known.then_some(fill.claimed),
        min_available: known.then_some(fill.min_available),
        max_unready: fill.max_unready.filter(|_| known),
        velocity: facts.velocity.filter(|_| known).map(|velocity| PoolVelocity {
            per_hour: (velocity.per_hour * 100.0).round() / 100.0,
            trend: velocity.trend.as_str().to_owned(),
            hours_to_empty: velocity.hours_to_empty.map(|hours| (hours * 10.0).round() / 10.0),
            samples: velocity.samples,
        }),
        created_6h: known.then_some(facts.activity.created),
        deleted_6h: known.then_some(facts.activity.deleted),
        became_ready_6h: known.then_some(facts.activity.became_ready),
        wanted,
    }
}
