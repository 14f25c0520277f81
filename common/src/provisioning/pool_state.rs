//! How full a pool is, what that means, and where it goes. Source: rhdp-contracts 2.2, readiness-domain 7.4.
//!
//! A pool's "available" counts every unclaimed handle, also those that are still provisioned or broken. What can be handed out is *usable*:
//! unclaimed, ready, and not known to be unhealthy. Counts that are absent are unknown, never zero.

use chrono::{DateTime, TimeDelta, Utc};

use super::pool::{HandleCondition, ResourceHandle, ResourcePool};

/// How long a handle may take to become ready when its item does not say: the provision budget of readiness-domain 3.5.
const PROVISION: TimeDelta = TimeDelta::seconds(7200);
/// From so many handles that went unclaimed on, without one that became ready, a pool churns: fewer may be a coincidence.
const CHURN: u32 = 3;
/// A velocity needs so many samples. Source: readiness-domain 7.3, `pool_depletion_predicted`.
const SAMPLES: usize = 6;
/// And so much time between the first and the last of them.
const SPAN: TimeDelta = TimeDelta::hours(1);
/// Handles an hour from which on a pool empties or fills. Source: readiness-domain 7.4.
const STEADY: f64 = 0.5;

/// How full a pool is. Numbers of handles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fill {
    /// Unclaimed, ready, and not known to be unhealthy; none when the pool does not say.
    pub usable: Option<u32>,
    /// Unclaimed, in any condition; none when the pool does not say.
    pub available: Option<u32>,
    /// Unclaimed and not ready; none when the pool does not say.
    pub unready: Option<u32>,
    /// Handles of the pool that have a claim.
    pub claimed: u32,
    /// How many it should hold unclaimed.
    pub min_available: u32,
    /// How many may be unready while it fills; none: no cap.
    pub max_unready: Option<u32>,
    /// Since when the oldest unready handle exists; none when there is none, or when handles are not known.
    pub oldest_unready: Option<DateTime<Utc>>,
}

impl Fill {
    /// Whether the cap of unready handles keeps it from creating what it lacks. None when the counts are unknown.
    #[must_use]
    pub fn at_cap(&self) -> Option<bool> {
        let (available, unready) = (self.available?, self.unready?);
        Some(available < self.min_available && self.max_unready.is_some_and(|most| unready >= most))
    }
}

/// How full a pool is, by its own status and by the handles. `handles` may be those of all pools.
#[must_use]
pub fn fill(pool: &ResourcePool, handles: &[ResourceHandle]) -> Fill {
    let handles: Vec<&ResourceHandle> = handles.iter().collect();
    fill_of(pool, &handles)
}

/// The same with handles that were sorted by pool before.
#[must_use]
pub fn fill_of(pool: &ResourcePool, handles: &[&ResourceHandle]) -> Fill {
    let own = || handles.iter().copied().filter(|handle| belongs(handle, pool));
    let unclaimed = || own().filter(|handle| handle.claim.is_none() && handle.deleting_since.is_none());
    let mut fill = Fill {
        claimed: count(own().filter(|handle| handle.claim.is_some()).count()),
        min_available: number(pool.min_available),
        max_unready: pool.max_unready.map(number),
        oldest_unready: unclaimed()
            .filter(|handle| handle.ready != Some(true))
            .filter_map(|handle| handle.created_at)
            .min(),
        ..Fill::default()
    };
    let Some(available) = pool.available.map(number) else {
        return fill;
    };
    let listed: Vec<HandleCondition> = if pool.unclaimed.is_empty() {
        let condition = |handle: &ResourceHandle| HandleCondition {
            name: handle.name.clone(),
            healthy: handle.healthy,
            ready: handle.ready,
        };
        unclaimed().map(condition).collect()
    } else {
        pool.unclaimed.clone()
    };
    let usable = listed
        .iter()
        .filter(|handle| handle.ready == Some(true) && handle.healthy != Some(false))
        .count();
    let ready = pool.ready.map(number);
    fill.available = Some(available);
    fill.usable = match (available, ready) {
        (0, _) | (_, Some(0)) => Some(0),
        // The pool counts handles that nobody lists: which of them are healthy is not known.
        _ if listed.is_empty() => None,
        // Handles that came after the count are in the list already.
        _ => Some(count(usable).min(available)),
    };
    let listed_ready = (!listed.is_empty() || available == 0).then(|| count(listed.iter().filter(|h| h.ready == Some(true)).count()));
    fill.unready = ready.or(listed_ready).map(|ready| available.saturating_sub(ready));
    fill
}

fn belongs(handle: &ResourceHandle, pool: &ResourcePool) -> bool {
    let Some(named) = &handle.pool else {
        return false;
    };
    // The label gives only the name.
    named.name == pool.name && (named.namespace.is_empty() || named.namespace == pool.namespace)
}

fn number(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// What happened to the handles of a pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    /// In which time until now.
    pub window: TimeDelta,
    /// Handles that came.
    pub created: u32,
    /// Handles that went without ever being claimed.
    pub deleted: u32,
    /// Handles that became ready.
    pub became_ready: u32,
}

impl Activity {
    /// Whether handles are replaced without any becoming ready: a broken item, whose failed handles the governor deletes.
    #[must_use]
    pub const fn is_churn(&self) -> bool {
        self.became_ready == 0 && self.created >= CHURN && self.deleted >= CHURN
    }
}

/// What else bears on a pool. What is not known is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// `spec.disableCreation` of one of its providers.
    pub provider_disabled: Option<bool>,
    /// Seats that are wanted and not served: claims that wait, seats of sessions that come.
    pub demand: Option<u32>,
    /// What happened to its handles.
    pub activity: Option<Activity>,
    /// How long a handle takes to become ready, when that is known.
    pub provision_time: Option<TimeDelta>,
}

/// How a pool stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PoolState {
    /// It holds as many usable handles as it should.
    Healthy,
    /// It holds fewer, and more are on their way.
    Filling,
    /// It holds fewer, and none come: those that do not become ready take their places. More seats do not help.
    Blocked,
    /// Handles are replaced without any becoming ready.
    Churning,
    /// Nothing is usable, and somebody waits.
    Exhausted,
    /// It should hold none.
    EmptyByDesign,
    /// Its provider creates none.
    ProviderDisabled,
    /// It does not say what it holds, or nothing tells why it holds so few.
    Unknown,
}

impl PoolState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Healthy,
        Self::Filling,
        Self::Blocked,
        Self::Churning,
        Self::Exhausted,
        Self::EmptyByDesign,
        Self::ProviderDisabled,
        Self::Unknown,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Filling => "filling",
            Self::Blocked => "blocked",
            Self::Churning => "churning",
            Self::Exhausted => "exhausted",
            Self::EmptyByDesign => "empty_by_design",
            Self::ProviderDisabled => "provider_disabled",
            Self::Unknown => "unknown",
        }
    }

    /// The state of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl std::fmt::Display for PoolState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a pool stands, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolVerdict {
    /// How.
    pub state: PoolState,
    /// Why: one sentence for people.
    pub reason: String,
}

/// Judges a pool. The first that fits counts: what hides everything else (no provider, no counts), then what is well, then need, then causes.
#[must_use]
pub fn state(fill: &Fill, circumstances: &Circumstances, now: DateTime<Utc>) -> PoolVerdict {
    let verdict = |state, reason: String| PoolVerdict { state, reason };
    if circumstances.provider_disabled == Some(true) {
        let holds = fill
            .usable
            .map_or_else(|| "an unknown number of".to_owned(), |usable| usable.to_string());
        let reason = format!("its provider has creation disabled; it holds {holds} usable handles");
        return verdict(PoolState::ProviderDisabled, reason);
    }
    let (Some(usable), Some(available), Some(unready)) = (fill.usable, fill.available, fill.unready) else {
        return verdict(PoolState::Unknown, "its status has no counts of handles".to_owned());
    };
    let minimum = fill.min_available;
    let held = format!("{usable} of {minimum} usable, {unready} not ready");
    if minimum == 0 && usable == 0 {
        return verdict(PoolState::EmptyByDesign, "it should hold no handles (minAvailable is 0)".to_owned());
    }
    if usable >= minimum {
        return verdict(PoolState::Healthy, held);
    }
    let cause = why_not_full(fill, circumstances, (available, unready), now);
    if let (0, Some(demand @ 1..)) = (usable, circumstances.demand) {
        let reason = format!("{held}, and {demand} seats are wanted; {}", cause.reason);
        return verdict(PoolState::Exhausted, reason);
    }
    verdict(cause.state, format!("{held}; {}", cause.reason))
}

/// Why a pool holds fewer usable handles than it should.
fn why_not_full(fill: &Fill, circumstances: &Circumstances, (available, unready): (u32, u32), now: DateTime<Utc>) -> PoolVerdict {
    let verdict = |state, reason: String| PoolVerdict { state, reason };
    let activity = circumstances.activity;
    if let Some(activity) = activity.filter(Activity::is_churn) {
        let Activity {
            created, deleted, window, ..
        } = activity;
        let reason = format!(
            "in {} minutes {created} handles came, {deleted} went unclaimed and none became ready",
            window.num_minutes()
        );
        return verdict(PoolState::Churning, reason);
    }
    let progress = activity.map(|activity| activity.became_ready > 0);
    let provision = circumstances.provision_time.unwrap_or(PROVISION);
    if fill.at_cap() == Some(true) && progress != Some(true) {
        let most = fill.max_unready.unwrap_or_default();
        let reason = format!("as many are unready as may be ({most}), so none is created until one becomes ready or goes");
        return verdict(PoolState::Blocked, reason);
    }
    let overdue = fill.oldest_unready.is_some_and(|since| now - since > provision);
    if unready > 0 && overdue && progress == Some(false) {
        let reason = format!(
            "none became ready, though one is tried for longer than {} minutes",
            provision.num_minutes()
        );
        return verdict(PoolState::Blocked, reason);
    }
    if unready > 0 {
        return verdict(PoolState::Filling, format!("{unready} are on their way"));
    }
    match activity {
        Some(Activity { created: 1.., .. }) => verdict(PoolState::Filling, "handles are created".to_owned()),
        // Ready and unhealthy: they count as available and serve nobody.
        _ if available >= fill.min_available => verdict(PoolState::Blocked, "unhealthy handles take the places".to_owned()),
        Some(_) => verdict(PoolState::Blocked, "none is created".to_owned()),
        None => verdict(PoolState::Unknown, "whether any is created is not known yet".to_owned()),
    }
}

/// How full a pool was at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: DateTime<Utc>,
    /// Usable handles.
    pub usable: u32,
    /// Unclaimed handles in any condition.
    pub available: u32,
    /// Unclaimed handles that are not ready.
    pub unready: u32,
    /// Claimed handles.
    pub claimed: u32,
    /// How many it should hold.
    pub min_available: u32,
}

/// Where a pool's level goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// It loses more than half a handle an hour.
    Depleting,
    /// Neither.
    Steady,
    /// It gains more than half a handle an hour.
    Recovering,
}

impl Trend {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Depleting => "depleting",
            Self::Steady => "steady",
            Self::Recovering => "recovering",
        }
    }
}

/// How fast a pool's usable handles change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Velocity {
    /// Usable handles an hour, between the first and the last sample.
    pub per_hour: f64,
    /// Where it goes.
    pub trend: Trend,
    /// Hours from the last sample until none is usable; none unless it is depleting.
    pub hours_to_empty: Option<f64>,
    /// Samples it rests on.
    pub samples: usize,
}

/// How fast a pool empties or fills; none with fewer than six samples or less than an hour between them. What is claimed and what is refilled
/// are both in it: nothing is to be added to it. `samples` need no order.
#[must_use]
pub fn velocity(samples: &[Sample]) -> Option<Velocity> {
    let first = samples.iter().min_by_key(|sample| sample.at)?;
    let last = samples.iter().max_by_key(|sample| sample.at)?;
    let span = last.at - first.at;
    if samples.len() < SAMPLES || span < SPAN {
        return None;
    }
    let hours = span.as_seconds_f64() / 3600.0;
    let per_hour = (f64::from(last.usable) - f64::from(first.usable)) / hours;
    let trend = if per_hour < -STEADY {
        Trend::Depleting
    } else if per_hour > STEADY {
        Trend::Recovering
    } else {
        Trend::Steady
    };
    Some(Velocity {
        per_hour,
        trend,
        hours_to_empty: (trend == Trend::Depleting).then(|| f64::from(last.usable) / -per_hour),
        samples: samples.len(),
    })
}

/// How many handles became ready between samples, at least: a claim takes one from the usable and adds it to the claimed.
#[must_use]
pub fn became_ready(samples: &[Sample]) -> u32 {
    let mut sorted: Vec<&Sample> = samples.iter().collect();
    sorted.sort_by_key(|sample| sample.at);
    let served = |sample: &Sample| sample.usable.saturating_add(sample.claimed);
    sorted
        .windows(2)
        .map(|pair| served(pair[1]).saturating_sub(served(pair[0])))
        .fold(0, u32::saturating_add)
}

#[cfg(test)]
mod tests;
