//! How often what is ordered comes to be: successes of an action over a window, each subject counted once. Pure.
//!
//! ```text
//! actions.<action>.state ──> towerJobs.<action>.jobStatus ──> current_state      the first that tells an end
//! ```
//!
//! Cancelled is neither good nor bad and stays out of the rate. Without a single attempt there is no rate: 0 ÷ 0 is not 0 %.
//! Jobs of controllers alone would miss what failed before a launch. Source: rhdp-contracts 5.5. That an action has a completion time says nothing: failures have one, too.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::job::Phase;
use super::state::{Action, Ending, State};
use super::subject::AnarchySubject;

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what it should.
    Succeeded,
    /// It ran and failed: the item or its surroundings.
    Failed,
    /// It could not run: the platform.
    Error,
    /// Somebody stopped it.
    Canceled,
}

impl Outcome {
    /// The outcome that a state of an action or of a job means; none while it goes on or when the word is not known.
    #[must_use]
    pub fn of_status(status: &str) -> Option<Self> {
        match status {
            "successful" => Some(Self::Succeeded),
            "failed" => Some(Self::Failed),
            "error" => Some(Self::Error),
            "canceled" => Some(Self::Canceled),
            _ => None,
        }
    }

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Canceled => "canceled",
        }
    }
}

/// The time that is looked at: from `from` on, before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first moment of it.
    pub from: DateTime<Utc>,
    /// The first moment after it.
    pub until: DateTime<Utc>,
}

impl Period {
    fn holds(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.until
    }
}

/// Attempts of an action and how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sli {
    /// Attempts that came to an end of their own: succeeded + failed + errors.
    pub attempts: usize,
    /// It did what it should.
    pub succeeded: usize,
    /// It ran and failed.
    pub failed: usize,
    /// It could not run: the platform.
    pub errors: usize,
    /// Stopped by somebody; no attempt.
    pub canceled: usize,
    /// Ended at no known time, so in no window; no attempt.
    pub undated: usize,
}

impl Sli {
    /// Share of attempts that succeeded, 0 to 1. None without an attempt.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of subjects are far below 2^52")]
    pub fn rate(&self) -> Option<f64> {
        (self.attempts > 0).then(|| self.succeeded as f64 / self.attempts as f64)
    }

    /// Attempts that did not succeed.
    #[must_use]
    pub const fn unsuccessful(&self) -> usize {
        self.failed + self.errors
    }

    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Succeeded => self.succeeded += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Error => self.errors += 1,
            Outcome::Canceled => self.canceled += 1,
        }
        self.attempts = self.succeeded + self.failed + self.errors;
    }
}

/// A subject as it was last seen: objects disappear, and what they came to still counts.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The subject.
    pub subject: &'a AnarchySubject,
    /// When a complete reading no longer had it.
    pub gone_at: Option<DateTime<Utc>>,
}

impl<'a> From<&'a AnarchySubject> for Seen<'a> {
    fn from(subject: &'a AnarchySubject) -> Self {
        Self { subject, gone_at: None }
    }
}

/// Name of an action as subjects know it.
const fn action(phase: Phase) -> &'static str {
    match phase {
        Phase::Provision => "provision",
        Phase::Destroy => "destroy",
        Phase::Start => "start",
        Phase::Stop => "stop",
        Phase::Status => "status",
        Phase::Other => "",
    }
}

/// How that action of a subject ended, and when. None: not at all, not yet, or in a way that is not known. The time is none when
/// nothing tells it.
#[must_use]
pub fn outcome(seen: Seen<'_>, phase: Phase) -> Option<(Outcome, Option<DateTime<Utc>>)> {
    let Seen { subject, gone_at } = seen;
    let name = action(phase);
    let (times, job) = (subject.actions.get(name), subject.jobs.get(name));
    let told = [times.map(|times| &times.state), job.map(|job| &job.status)];
    let told = told.into_iter().flatten().find_map(|status| Outcome::of_status(status));
    let gone = (phase == Phase::Destroy && gone_at.is_some()).then_some(Outcome::Succeeded);
    let outcome = told.or_else(|| of_state(&subject.current_state, phase)).or(gone)?;
    // An action that was begun again has left its last end behind.
    let ended = [
        times.and_then(|times| times.completed_at),
        job.and_then(|job| job.completed_at),
        // A subject that is gone was destroyed at the latest when it was missed.
        gone_at.filter(|_| phase == Phase::Destroy && outcome == Outcome::Succeeded),
    ];
    Some((outcome, ended.into_iter().flatten().next()))
}

/// What the state of a subject says about an action that nothing else tells of.
fn of_state(state: &str, phase: Phase) -> Option<Outcome> {
    match (State::parse(state)?, phase) {
        (State::Ended(ended, ending), _) if ended.as_str() == action(phase) => Some(match ending {
            Ending::Failed => Outcome::Failed,
            Ending::Error => Outcome::Error,
            Ending::Canceled => Outcome::Canceled,
        }),
        (State::Destroyed, Phase::Destroy) => Some(Outcome::Succeeded),
        // What was never provisioned is destroyed, too, so states of destroying say nothing about it.
        (State::Pending(next) | State::Running(next) | State::Ended(next, _), Phase::Provision) => {
            matches!(next, Action::Start | Action::Stop | Action::Update).then_some(Outcome::Succeeded)
        }
        (State::Started | State::Stopped, Phase::Provision) => Some(Outcome::Succeeded),
        _ => None,
    }
}

/// Outcomes of an action of subjects that ended in the period. A subject that is given twice counts once, by its first place.
#[must_use]
pub fn of_subjects<'a>(subjects: impl IntoIterator<Item = Seen<'a>>, phase: Phase, period: Period) -> Sli {
    let mut once: BTreeMap<&str, Seen<'a>> = BTreeMap::new();
    for seen in subjects {
        once.entry(seen.subject.uid.as_str()).or_insert(seen);
    }
    let mut sli = Sli::default();
    for seen in once.into_values() {
        match outcome(seen, phase) {
            Some((outcome, Some(at))) if period.holds(at) => sli.count(outcome),
            Some((_, None)) => sli.undated += 1,
            Some(_) | None => {}
        }
    }
    sli
}

#[cfg(test)]
mod tests;
