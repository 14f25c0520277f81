//! One stage of one subject over time: when a verdict becomes a confirmed change, and what that does to its incident.
//!
//! ```text
//!              pass, warn                        fail, twice or for 5 min
//!   (none) ───────────────> GOOD <──────────────────────────────────────> BAD   incident open
//!      └── fail, twice or for 5 min ──────────> initial_fail ───────────────^
//!                            good twice, or once on new pods
//! ```
//!
//! An observation counts once: evidence that was not read again since is no second witness, but time passes on it.
//! Late and repeated evaluations change nothing. Not knowing changes nothing but since when we do not know.

mod incident;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Incident, IncidentChange, Resolution};
use crate::evaluate::{Outcome, Reason, Verdict};
use crate::evidence::SkipReason;
use crate::stage::Stage;

/// A failure that lasts this long is confirmed without a second observation. Source: half the shortest interval at which workloads are
/// read, so that nobody waits for a tier.
pub const CONFIRM_AFTER: TimeDelta = TimeDelta::minutes(5);
/// A change is confirmed by this many consecutive observations.
pub const CONFIRM_COUNT: u32 = 2;
/// This many confirmed changes within [`FLAP_WINDOW`] are flapping.
pub const FLAP_CHANGES: usize = 4;
/// The window for flapping, and how long it must be quiet afterwards.
pub const FLAP_WINDOW: TimeDelta = TimeDelta::minutes(60);
/// Details of an incident that goes on are told at most this often.
pub const DETAIL_EVERY: TimeDelta = TimeDelta::hours(1);
/// After this many intervals without a definite verdict a stage is stale.
pub const STALE_AFTER_INTERVALS: i32 = 3;
/// Classes that are certain at first sight. Source: waiting would only add delay to what cannot be noise.
pub const IMMEDIATE_CLASSES: [&str; 3] = ["cluster_unreachable", "namespace_missing", "provision_failed"];

/// Fixed namespace of the ids that follow from what they identify.
const IDS: Uuid = Uuid::from_u128(0x5a6e_2f4c_7d13_4b0e_9c55_31d0_84a7_61f2);

/// What a state is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// An instance, or a cluster for `cluster-health`.
    pub subject: Uuid,
    /// Which stage.
    pub stage: Stage,
}

/// A confirmed outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Ready.
    Pass,
    /// Ready, with something to look at.
    Warn,
    /// Not ready; an incident is open.
    Fail,
}

impl Standing {
    /// The outcome it confirms.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Pass => Outcome::Pass,
            Self::Warn => Outcome::Warn,
            Self::Fail => Outcome::Fail,
        }
    }
}

/// What may become the next standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The newest good outcome, or the failure.
    Standing(Standing),
    /// The stage does not apply any more, while an incident is open.
    Leaving,
}

/// A change that waits for its confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// What it would become.
    pub next: Next,
    /// When it was first observed.
    pub since: DateTime<Utc>,
    /// How many observations agree.
    pub count: u32,
}

/// Everything remembered about one stage of one subject.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StageState {
    /// The newest evaluation that was taken in; older ones are ignored.
    pub evaluated_at: Option<DateTime<Utc>>,
    /// When the evidence behind it was read.
    pub observed_at: Option<DateTime<Utc>>,
    /// Which objects the evidence was about when the standing or the pending change last moved.
    pub identity: Vec<u8>,
    /// The confirmed outcome and since when it holds.
    pub confirmed: Option<(Standing, DateTime<Utc>)>,
    /// Failure class of a confirmed `warn`; a failure's class is the incident's.
    pub warn_class: Option<String>,
    /// The change that waits.
    pub pending: Option<Pending>,
    /// Since when nothing definite is known.
    pub unknown_since: Option<DateTime<Utc>>,
    /// Confirmed changes of the last hour.
    pub changes: Vec<DateTime<Utc>>,
    /// Until when it counts as flapping if nothing changes.
    pub flapping_until: Option<DateTime<Utc>>,
    /// The open incident.
    pub incident: Option<Incident>,
}

impl StageState {
    /// Whether nothing definite is known for [`STALE_AFTER_INTERVALS`] intervals. Derived, never stored.
    #[must_use]
    pub fn is_stale(&self, now: DateTime<Utc>, interval: TimeDelta) -> bool {
        self.unknown_since
            .is_some_and(|since| now - since >= interval * STALE_AFTER_INTERVALS)
    }

    /// Whether there is nothing to store: the times of the evaluation itself do not count.
    #[must_use]
    pub fn reads_like(&self, other: &Self) -> bool {
        let Self {
            evaluated_at: _,
            observed_at: _,
            identity,
            confirmed,
            warn_class,
            pending,
            unknown_since,
            changes,
            flapping_until,
            incident,
        } = self;
        *confirmed == other.confirmed
            && *identity == other.identity
            && *warn_class == other.warn_class
            && *pending == other.pending
            && *unknown_since == other.unknown_since
            && *changes == other.changes
            && *flapping_until == other.flapping_until
            && *incident == other.incident
    }
}

/// Circumstances of one evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Time of the evaluation. Of two evaluations of a subject the newer one counts.
    pub as_of: DateTime<Utc>,
    /// When the newest evidence that the stage reads was read.
    pub observed_at: DateTime<Utc>,
    /// Digest of uids and generations of the workload: another one means new pods or a new rollout.
    pub identity: &'a [u8],
    /// A session starts within the hour: every failure is confirmed at once.
    pub session_near: bool,
    /// The service is being provisioned inside its budget: incidents open muted.
    pub provisioning: bool,
}

/// Which way a confirmed change went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The first thing known about the stage is that it fails.
    InitialFail,
    /// Good before, failing now.
    Degraded,
    /// Failing before, good now.
    Recovered,
    /// Pass before, warn now.
    Softened,
    /// Warn before, pass now.
    Cleared,
}

impl Direction {
    /// The stable snake-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InitialFail => "initial_fail",
            Self::Degraded => "degraded",
            Self::Recovered => "recovered",
            Self::Softened => "softened",
            Self::Cleared => "cleared",
        }
    }
}

/// A confirmed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Follows from subject, stage and time.
    pub id: Uuid,
    /// The evaluation that confirmed it.
    pub at: DateTime<Utc>,
    /// Which way.
    pub direction: Direction,
    /// Confirmed outcome before.
    pub from: Option<Standing>,
    /// Confirmed outcome after.
    pub to: Standing,
    /// Failure class before.
    pub from_class: Option<String>,
    /// Failure class after.
    pub to_class: Option<String>,
    /// The incident it opened or resolved.
    pub incident: Option<Uuid>,
}

/// What one evaluation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is remembered from now on.
    pub state: StageState,
    /// The confirmed change, if there is one.
    pub transition: Option<Transition>,
    /// What it does to the incident.
    pub incident: Option<IncidentChange>,
}

/// Takes one verdict in.
#[must_use]
pub fn step(key: Key, state: &StageState, verdict: &Verdict, context: &Context<'_>) -> Step {
    let late = state.evaluated_at.is_some_and(|newest| context.as_of <= newest) || state.observed_at > Some(context.observed_at);
    if late {
        return Step {
            state: state.clone(),
            transition: None,
            incident: None,
        };
    }
    let mut next = Machine {
        key,
        context,
        verdict,
        before: state,
        state: state.clone(),
        transition: None,
        change: None,
    };
    next.state.evaluated_at = Some(context.as_of);
    match verdict.outcome {
        Outcome::Indeterminate => {
            next.state.unknown_since.get_or_insert(context.as_of);
        }
        Outcome::Skipped => next.leave(),
        Outcome::Pass => next.good(Standing::Pass),
        Outcome::Warn => next.good(Standing::Warn),
        Outcome::Fail => next.bad(),
    }
    next.settle();
    next.finish()
}

/// Closes what is open because the subject is gone. Calling it again changes nothing.
#[must_use]
pub fn retire(state: &StageState, at: DateTime<Utc>) -> Step {
    let mut after = state.clone();
    let incident = after
        .incident
        .take()
        .map(|incident| incident::resolved(incident, at, Resolution::NamespaceRecycled));
    after.confirmed = None;
    after.warn_class = None;
    after.pending = None;
    Step {
        state: after,
        transition: None,
        incident,
    }
}

struct Machine<'a> {
    key: Key,
    context: &'a Context<'a>,
    verdict: &'a Verdict,
    before: &'a StageState,
    state: StageState,
    transition: Option<Transition>,
    change: Option<IncidentChange>,
}

impl Machine<'_> {
    fn good(&mut self, to: Standing) {
        self.state.unknown_since = None;
        match self.state.confirmed {
            Some((Standing::Fail, _)) => {
                let pending = self.pend(Next::Standing(to));
                let renewed = !self.context.identity.is_empty() && self.context.identity != self.before.identity;
                if pending.count >= CONFIRM_COUNT || renewed {
                    self.confirm(Direction::Recovered, to);
                }
            }
            Some((from, _)) if from != to => {
                self.confirm(
                    if to == Standing::Warn {
                        Direction::Softened
                    } else {
                        Direction::Cleared
                    },
                    to,
                );
            }
            Some(_) => {
                self.state.pending = None;
                self.state.warn_class = self.class_when(to);
            }
            None => {
                self.state.pending = None;
                self.state.confirmed = Some((to, self.context.as_of));
                self.state.warn_class = self.class_when(to);
            }
        }
    }

    fn bad(&mut self) {
        self.state.unknown_since = None;
        let direction = match self.state.confirmed {
            Some((Standing::Fail, _)) => {
                self.state.pending = None;
                self.remember_identity();
                return self.goes_on();
            }
            Some((Standing::Pass | Standing::Warn, _)) => Direction::Degraded,
            None => Direction::InitialFail,
        };
        let pending = self.pend(Next::Standing(Standing::Fail));
        let certain = self
            .verdict
            .failure_class
            .as_deref()
            .is_some_and(|class| IMMEDIATE_CLASSES.contains(&class));
        let lasted = self.context.as_of - pending.since >= CONFIRM_AFTER;
        if pending.count >= CONFIRM_COUNT || lasted || certain || self.context.session_near {
            self.confirm(direction, Standing::Fail);
        }
    }

    /// The stage does not apply any more. A service that is being destroyed closes its incidents at once; else it must be seen twice.
    fn leave(&mut self) {
        self.state.unknown_since = None;
        let destroyed = matches!(
            self.verdict.reason,
            Some(Reason::Skipped(SkipReason::Destroying | SkipReason::Terminating))
        );
        if self.state.incident.is_some() && !destroyed && self.pend(Next::Leaving).count < CONFIRM_COUNT {
            return;
        }
        let resolution = if destroyed {
            Resolution::NamespaceRecycled
        } else {
            Resolution::SelfResolved
        };
        self.change = self
            .state
            .incident
            .take()
            .map(|incident| incident::resolved(incident, self.context.as_of, resolution));
        self.state.confirmed = None;
        self.state.warn_class = None;
        self.state.pending = None;
    }

    /// Counts this observation towards `next`. Evidence that was counted before is not counted again.
    fn pend(&mut self, next: Next) -> Pending {
        let same = |a: Next, b: Next| match (a, b) {
            (Next::Leaving, Next::Leaving) => true,
            (Next::Standing(a), Next::Standing(b)) => (a == Standing::Fail) == (b == Standing::Fail),
            (Next::Leaving, Next::Standing(_)) | (Next::Standing(_), Next::Leaving) => false,
        };
        let pending = match self.state.pending {
            Some(Pending {
                next: waiting,
                since,
                count,
            }) if same(waiting, next) => {
                let seen_before = self.before.observed_at == Some(self.context.observed_at);
                Pending {
                    next,
                    since,
                    count: if seen_before { count } else { count + 1 },
                }
            }
            _ => Pending {
                next,
                since: self.context.as_of,
                count: 1,
            },
        };
        if self.state.pending != Some(pending) {
            self.state.pending = Some(pending);
            self.state.observed_at = Some(self.context.observed_at);
        }
        pending
    }

    fn confirm(&mut self, direction: Direction, to: Standing) {
        let at = self.context.as_of;
        let from = self.state.confirmed.map(|(standing, _)| standing);
        let from_class = self
            .state
            .incident
            .as_ref()
            .map_or_else(|| self.state.warn_class.clone(), |incident| incident.class.clone());
        let onset = self.state.pending.take().map_or(at, |pending| pending.since);
        self.state.confirmed = Some((to, at));
        self.state.warn_class = self.class_when(to);
        self.remember_identity();
        self.count_change();

        let change = match direction {
            Direction::InitialFail | Direction::Degraded => {
                let incident = incident::opened(self.key, self.verdict, onset, self.context, self.state.flapping_until.is_some());
                self.state.incident = Some(incident.clone());
                Some(IncidentChange::Opened(incident))
            }
            Direction::Recovered => self
                .state
                .incident
                .take()
                .map(|incident| incident::resolved(incident, at, Resolution::SelfResolved)),
            Direction::Softened | Direction::Cleared => None,
        };
        let id = format!("transition/{}/{}/{}", self.key.subject, self.key.stage, at.timestamp_micros());
        self.transition = Some(Transition {
            id: Uuid::new_v5(&IDS, id.as_bytes()),
            at,
            direction,
            from,
            to,
            from_class,
            to_class: self.verdict.failure_class.clone(),
            incident: change.as_ref().map(|change| change.incident().id),
        });
        self.change = change;
    }

    fn goes_on(&mut self) {
        if let Some(incident) = self.state.incident.take() {
            let (incident, updates) = incident::continued(incident, self.verdict, self.context);
            self.state.incident = Some(incident.clone());
            if !updates.is_empty() {
                self.change = Some(IncidentChange::Updated(incident, updates));
            }
        }
    }

    fn count_change(&mut self) {
        let at = self.context.as_of;
        self.state.changes.retain(|change| at - *change < FLAP_WINDOW);
        self.state.changes.push(at);
        if self.state.changes.len() >= FLAP_CHANGES || self.state.flapping_until.is_some_and(|until| at < until) {
            self.state.flapping_until = Some(at + FLAP_WINDOW);
        }
    }

    /// Ends flapping after an hour of quiet, and keeps the open incident's mark in step.
    fn settle(&mut self) {
        if self.state.flapping_until.is_some_and(|until| self.context.as_of >= until) {
            self.state.flapping_until = None;
        }
        let flapping = self.state.flapping_until.is_some();
        let Some(incident) = self.state.incident.as_mut().filter(|incident| incident.flapping != flapping) else {
            return;
        };
        incident::mark_flapping(incident, flapping, self.context.as_of, &mut self.change);
    }

    /// The class belongs to the standing only when it is a warning.
    fn class_when(&self, to: Standing) -> Option<String> {
        (to == Standing::Warn).then(|| self.verdict.failure_class.clone()).flatten()
    }

    fn remember_identity(&mut self) {
        if self.state.identity != self.context.identity {
            self.state.identity = self.context.identity.to_vec();
        }
    }

    fn finish(mut self) -> Step {
        if !self.state.reads_like(self.before) || self.state.observed_at.is_none() {
            self.state.observed_at = Some(self.context.observed_at);
        }
        Step {
            state: self.state,
            transition: self.transition,
            incident: self.change,
        }
    }
}
