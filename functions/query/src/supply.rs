//! What is ordered, held ready and expected, as one value: pools, sessions, catalog, and the subjects that do not move.
//!
//! Kept in memory under the versions of the read models, at most a minute old: whether something is stuck is a matter of time. Subjects and
//! handles that just run are counted by PostgreSQL and never loaded.

mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use stargate_common::provisioning::catalog::{CatalogItem, Component};
use stargate_common::provisioning::event::{Lab, Session, SmokeSession};
use stargate_common::provisioning::placement::SandboxCluster;
use stargate_common::provisioning::pool::ResourcePool;
use stargate_common::provisioning::pool_state::{self, Activity, Circumstances, Fill, PoolVerdict, Sample, Velocity};
use stargate_common::provisioning::session_readiness::Sharing;
use stargate_common::provisioning::stuck::Stuck;

use crate::access::kept::PerScope;
use crate::access::reading::Reading;
use crate::basis::{Basis, ViewVersion};
use crate::problem::ApiError;

/// In which time the activity and the velocity of a pool are looked at. Source: readiness-domain 7.3, `pool_depletion_predicted`.
pub const POOL_WINDOW: TimeDelta = TimeDelta::hours(6);

/// Everything that lists of pools and sessions are made from.
#[derive(Debug, Clone, Default)]
pub struct Supply {
    /// Live subjects by what their state means, and by state.
    pub states: Vec<StateCount>,
    /// Subjects that do not move by themselves, by uid.
    pub stuck: BTreeMap<String, Stuck>,
    /// Live pools, by key.
    pub pools: BTreeMap<String, PoolFacts>,
    /// Live sessions, by start; those without a time last.
    pub sessions: Vec<Session>,
    /// Labs, by code.
    pub labs: BTreeMap<String, Lab>,
    /// The newest smoke run of each lab that has one, by code.
    pub smoke: BTreeMap<String, SmokeSession>,
    /// What of each lab can be ordered, by code.
    pub offers: BTreeMap<String, Offer>,
    /// How the clusters stand in the Sandbox API, by its names; `*` is the whole.
    pub sandbox: Vec<SandboxCluster>,
    /// What should have joined something and did not: kind, wanted kind, how many.
    pub unmatched: Vec<UnmatchedCount>,
}

/// Subjects that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field says itself")]
pub struct StateCount {
    pub class: String,
    pub state: String,
    pub subjects: i64,
}

/// Things of a kind that did not join.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct UnmatchedCount {
    pub kind: String,
    pub wanted: String,
    pub things: i64,
}

/// A pool with everything that is known about it.
#[derive(Debug, Clone)]
pub struct PoolFacts {
    /// The pool.
    pub pool: ResourcePool,
    /// How full it is.
    pub fill: Fill,
    /// What happened to its handles lately.
    pub activity: Activity,
    /// How fast it empties or fills.
    pub velocity: Option<Velocity>,
    /// Catalog items it serves.
    pub items: Vec<String>,
    /// Labs of these items.
    pub labs: Vec<String>,
    /// Whether one of its providers creates nothing.
    pub provider_disabled: Option<bool>,
    /// How long its items take to provision.
    pub provision: Option<TimeDelta>,
    /// When the newest sample of its history differed from the one before.
    pub sampled_at: Option<DateTime<Utc>>,
}

impl PoolFacts {
    /// How it stands, when so many seats are wanted of it.
    #[must_use]
    pub fn verdict(&self, demand: Option<u32>, now: DateTime<Utc>) -> PoolVerdict {
        let circumstances = Circumstances {
            provider_disabled: self.provider_disabled,
            demand,
            activity: Some(self.activity),
            provision_time: self.provision,
        };
        pool_state::state(&self.fill, &circumstances, now)
    }
}

/// What of a lab can be ordered.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// Its catalog items.
    pub items: Vec<CatalogItem>,
    /// Learners an instance of each multi-user item carries, where its definition says so.
    pub learners: Vec<Option<i64>>,
    /// Keys of its pools.
    pub pools: Vec<String>,
}

impl Offer {
    /// How many learners share an instance. Items of one lab that differ leave that open.
    #[must_use]
    pub fn sharing(&self) -> Sharing {
        let shared: Vec<Option<i64>> = self
            .items
            .iter()
            .zip(&self.learners)
            .map(|(item, learners)| if item.multiuser { learners.filter(|n| *n > 0) } else { Some(1) })
            .collect();
        match shared.split_first() {
            None | Some((Some(1), [])) => Sharing::Single,
            Some((Some(1), rest)) if rest.iter().all(|n| *n == Some(1)) => Sharing::Single,
            Some((Some(n), rest)) if rest.iter().all(|other| *other == Some(*n)) => Sharing::Shared(*n),
            Some(_) => Sharing::Unknown,
        }
    }

    /// How long its slowest item takes to provision.
    #[must_use]
    pub fn provision(&self) -> Option<TimeDelta> {
        let estimates = self.items.iter().filter_map(|item| item.provision_estimate_s);
        estimates.filter(|s| (1..=86_400).contains(s)).max().map(TimeDelta::seconds)
    }
}

/// Usable seats in the pools of a lab that can be claimed now; the error says why that is not known.
///
/// # Errors
/// One of its pools does not say what it holds.
pub fn pool_seats(supply: &Supply, offer: Option<&Offer>) -> Result<i64, String> {
    let pools = offer
        .into_iter()
        .flat_map(|offer| &offer.pools)
        .filter_map(|key| supply.pools.get(key));
    let mut seats = 0;
    for facts in pools {
        let Some(usable) = facts.fill.usable else {
            return Err(format!("pool {} does not say what it holds", facts.pool.name));
        };
        seats += i64::from(usable);
    }
    Ok(seats)
}

/// What the readings of a lab's offer are, before they are put together.
#[derive(Debug, Default)]
struct Catalog {
    items: BTreeMap<String, CatalogItem>,
    components: BTreeMap<String, Component>,
    /// Item to lab codes.
    labs_of: BTreeMap<String, Vec<String>>,
    /// Pool to items.
    items_of: BTreeMap<String, Vec<String>>,
}

impl Catalog {
    fn offers(&self) -> BTreeMap<String, Offer> {
        let mut offers: BTreeMap<String, Offer> = BTreeMap::new();
        for (name, labs) in &self.labs_of {
            let Some(item) = self.items.get(name) else { continue };
            for lab in labs {
                let offer = offers.entry(lab.clone()).or_default();
                offer.items.push(item.clone());
                offer
                    .learners
                    .push(self.components.get(name).and_then(|component| component.constraints.num_users));
            }
        }
        for (pool, items) in &self.items_of {
            let labs = items.iter().filter_map(|item| self.labs_of.get(item)).flatten();
            for lab in labs {
                let offer = offers.entry(lab.clone()).or_default();
                if !offer.pools.contains(pool) {
                    offer.pools.push(pool.clone());
                }
            }
        }
        offers
    }
}

/// Samples as their velocity is computed from.
fn velocity(samples: &[Sample]) -> Option<Velocity> {
    pool_state::velocity(samples)
}

type Kept = (Vec<ViewVersion>, i64, Arc<Supply>);

/// The last supply that was read, for each scope.
#[derive(Debug, Clone, Default)]
pub struct SupplyCache(PerScope<Kept>);

impl SupplyCache {
    /// The supply of the reading's scope, at the basis' versions or newer. Requests that come while it is read wait for the one reading.
    ///
    /// # Errors
    /// A statement failed, or a stored record is not one.
    pub async fn get(&self, db: &mut Reading, basis: &Basis) -> Result<Arc<Supply>, ApiError> {
        let minute = basis.now.timestamp() / 60;
        let wanted = basis.versions.iter().find(|view| view.view == PROVISIONING);
        let slot = self.0.slot(db.scope());
        let mut kept = slot.lock().await;
        if let Some((at, then, supply)) = kept.as_ref()
            && *then == minute
            && wanted.is_none_or(|wanted| at.iter().any(|at| at.view == wanted.view && at.version >= wanted.version))
        {
            return Ok(Arc::clone(supply));
        }
        let supply = Arc::new(read::supply(db, basis.now).await?);
        *kept = Some((basis.versions.clone(), minute, Arc::clone(&supply)));
        Ok(supply)
    }
}

/// The view that collections raise.
const PROVISIONING: &str = stargate_common::db::views::View::Provisioning.as_str();

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(items: &[(bool, Option<i64>)]) -> Offer {
        Offer {
            items: items
                .iter()
                .map(|&(multiuser, _)| CatalogItem {
                    multiuser,
                    provision_estimate_s: Some(600),
                    ..CatalogItem::default()
                })
                .collect(),
            learners: items.iter().map(|&(_, learners)| learners).collect(),
            pools: Vec::new(),
        }
    }

    #[test]
    fn learners_share_what_is_made_for_several_and_doubt_is_doubt() {
        for (items, sharing) in [
            (&[][..], Sharing::Single),
            (&[(false, None)], Sharing::Single),
            // `num_users` of an item for one learner says something else.
            (&[(false, Some(20))], Sharing::Single),
            (&[(true, Some(20))], Sharing::Shared(20)),
            (&[(true, None)], Sharing::Unknown),
            (&[(true, Some(0))], Sharing::Unknown),
            (&[(true, Some(20)), (true, Some(20))], Sharing::Shared(20)),
            (&[(true, Some(20)), (true, Some(10))], Sharing::Unknown),
            (&[(true, Some(20)), (false, None)], Sharing::Unknown),
        ] {
            assert_eq!(offer(items).sharing(), sharing, "{items:?}");
        }
    }

    #[test]
    fn an_estimate_that_makes_no_sense_is_none() {
        let mut it = offer(&[(false, None)]);
        assert_eq!(it.provision(), Some(TimeDelta::minutes(10)));
        it.items[0].provision_estimate_s = Some(i64::MAX);
        assert_eq!(it.provision(), None);
    }
}
