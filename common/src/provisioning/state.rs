//! What the state of an AnarchySubject means: the state machine of the governor, exactly. Source: rhdp-contracts 1.4.
//!
//! ```text
//! (unset), new ─> provision-pending ─> provision-queued ─> provisioning ─┬─> started <──> stopping, stopped, starting ─> destroy-… ─> gone
//!                                                                        └─> provision-failed, -error, -canceled
//! ```
//!
//! A text that is not in the machine is [`SubjectClass::Unknown`]: it is kept, shown, and never taken for one of the others because it
//! resembles it.

use chrono::{DateTime, TimeDelta, Utc};

use super::subject::AnarchySubject;

/// What a governor does to a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the action of that name")]
pub enum Action {
    Provision,
    Start,
    Stop,
    Update,
    Destroy,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 5] = [Self::Provision, Self::Start, Self::Stop, Self::Update, Self::Destroy];

    /// The name that Anarchy gives it: the key in `status.actions`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Update => "update",
            Self::Destroy => "destroy",
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How an action ended badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// It ran with failures.
    Failed,
    /// It could not run.
    Error,
    /// Somebody canceled it.
    Canceled,
}

impl Ending {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "failed" => Self::Failed,
            "error" => Self::Error,
            "canceled" => Self::Canceled,
            _ => return None,
        })
    }
}

/// One state of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not set, or `new`: the create event is not handled yet.
    New,
    /// The action is scheduled.
    Pending(Action),
    /// `provision-queued`: the Sandbox API holds the placement back.
    Queued,
    /// The action is carried out.
    Running(Action),
    /// The action ended badly.
    Ended(Action, Ending),
    /// `started`.
    Started,
    /// `stopped`, on purpose.
    Stopped,
    /// `destroy-complete`.
    Destroyed,
}

impl State {
    /// The state of that name; none for a text that the machine does not have.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "" | "new" => Self::New,
            "provision-queued" => Self::Queued,
            "provisioning" => Self::Running(Action::Provision),
            "starting" => Self::Running(Action::Start),
            "stopping" => Self::Running(Action::Stop),
            "updating" => Self::Running(Action::Update),
            "destroying" => Self::Running(Action::Destroy),
            "started" => Self::Started,
            "stopped" => Self::Stopped,
            "destroy-complete" => Self::Destroyed,
            _ => {
                let (action, rest) = text.split_once('-')?;
                let action = Action::ALL.into_iter().find(|known| known.as_str() == action)?;
                match rest {
                    "pending" => Self::Pending(action),
                    _ => Self::Ended(action, Ending::parse(rest)?),
                }
            }
        })
    }

    /// The action that the state belongs to, while it is scheduled, carried out or ended badly.
    #[must_use]
    pub const fn action(self) -> Option<Action> {
        match self {
            Self::Queued => Some(Action::Provision),
            Self::Pending(action) | Self::Running(action) | Self::Ended(action, _) => Some(action),
            Self::New | Self::Started | Self::Stopped | Self::Destroyed => None,
        }
    }
}

/// What a subject's state means for those who wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectClass {
    /// Just created: nothing was begun.
    Initializing,
    /// An action is scheduled or carried out.
    InProgress(Action),
    /// It runs.
    Started,
    /// It is off on purpose.
    Stopped,
    /// An action ended badly and nobody tries again: a provision, an update.
    FailedTerminal,
    /// An action ended badly and the governor tries again: start, stop, destroy.
    FailedRetrying,
    /// Destroyed, whatever else keeps the object visible.
    Gone,
    /// A state that we do not know.
    Unknown,
}

impl SubjectClass {
    /// The class of a subject. A deletion outweighs the state that the subject was in when it began.
    #[must_use]
    pub fn of(subject: &AnarchySubject) -> Self {
        if is_gone(subject) {
            return Self::Gone;
        }
        let state = State::parse(&subject.current_state);
        match (state, subject.deleting_since) {
            (Some(State::Destroyed), _) => Self::Gone,
            (Some(State::Ended(Action::Start | Action::Stop | Action::Destroy, _)), None) => Self::FailedRetrying,
            (Some(State::Ended(Action::Destroy, _)), Some(_)) => Self::FailedRetrying,
            (_, Some(_)) => Self::InProgress(Action::Destroy),
            (None, None) => Self::Unknown,
            (Some(State::New), None) => Self::Initializing,
            (Some(State::Queued), None) => Self::InProgress(Action::Provision),
            (Some(State::Pending(action) | State::Running(action)), None) => Self::InProgress(action),
            (Some(State::Ended(Action::Provision | Action::Update, _)), None) => Self::FailedTerminal,
            (Some(State::Started), None) => Self::Started,
            (Some(State::Stopped), None) => Self::Stopped,
        }
    }

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initializing => "initializing",
            Self::InProgress(_) => "in_progress",
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::FailedTerminal => "failed_terminal",
            Self::FailedRetrying => "failed_retrying",
            Self::Gone => "gone",
            Self::Unknown => "unknown",
        }
    }

    /// Whether something went wrong, for good or for now.
    #[must_use]
    pub const fn is_failed(self) -> bool {
        matches!(self, Self::FailedTerminal | Self::FailedRetrying)
    }
}

impl std::fmt::Display for SubjectClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Functionally destroyed: deleted, and neither of Anarchy's finalizers is left. What keeps it visible belongs to others.
#[must_use]
pub const fn is_gone(subject: &AnarchySubject) -> bool {
    subject.deleting_since.is_some() && !subject.anarchy_finalizer
}

/// The state as its source wrote it, if the machine does not have it.
#[must_use]
pub fn unrecognized(subject: &AnarchySubject) -> Option<&str> {
    match State::parse(&subject.current_state) {
        Some(_) => None,
        None => Some(&subject.current_state),
    }
}

/// When a subject's provision ended, well or badly. Older governors say so only of those that ended well.
#[must_use]
pub fn provision_ended_at(subject: &AnarchySubject) -> Option<DateTime<Utc>> {
    let action = Action::Provision.as_str();
    let of_action = subject.actions.get(action).and_then(|times| times.completed_at);
    of_action.or_else(|| subject.jobs.get(action).and_then(|job| job.completed_at))
}

/// Waits, in minutes, before each new try of a start, stop or destroy; the last one repeats. Source: rhdp-contracts 1.4.
const RETRY_MINUTES: [i64; 10] = [1, 5, 10, 30, 60, 120, 240, 480, 960, 1440];

/// How long the governor waits before a new try of a start, stop or destroy that ended badly this many times before (0: the first time).
#[must_use]
pub fn retry_interval(retries: usize) -> TimeDelta {
    let last = RETRY_MINUTES.len() - 1;
    TimeDelta::minutes(RETRY_MINUTES.get(retries.min(last)).copied().unwrap_or(1440))
}

/// How many retries came before, told from how long the governor waits for the next one. The number itself is a variable of the action,
/// which is not read. From the tenth on it is "at least".
#[must_use]
pub fn retries_before(wait: TimeDelta) -> usize {
    // Scheduling takes moments; a wait is taken for the interval that it comes nearest to from below.
    let reached = RETRY_MINUTES
        .iter()
        .take_while(|minutes| wait + TimeDelta::seconds(30) >= TimeDelta::minutes(**minutes));
    reached.count().saturating_sub(1)
}

/// Longest wait before a failed AnarchyRun is tried again, in seconds. Source: rhdp-contracts 1.3.
const RUN_RETRY_MOST_S: i64 = 600;

/// How long Anarchy waits before it tries a failed AnarchyRun again: two to the power of its failures, in seconds, at most ten minutes.
#[must_use]
pub fn run_retry_interval(failures: u32) -> TimeDelta {
    let seconds = 1_i64.checked_shl(failures).filter(|s| (1..=RUN_RETRY_MOST_S).contains(s));
    TimeDelta::seconds(seconds.unwrap_or(RUN_RETRY_MOST_S))
}

#[cfg(test)]
mod tests;
