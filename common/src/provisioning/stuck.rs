//! Subjects that do not move by themselves. Source: rhdp-contracts 1.7; the times are its suggestions.
//!
//! What waits for its next try is not stuck, and neither is what only another service's finalizer keeps visible. Every verdict names what it
//! was read from; what was not read (no job known, no time given) never makes one.

use chrono::{DateTime, TimeDelta, Utc};

use super::job::AapJob;
use super::state::{Action, Ending, State, is_gone, retries_before};
use super::subject::{AnarchyRun, AnarchySubject};

/// How long something that should happen within moments may take: three of the governor's checks, which come every 5 minutes.
const GRACE: TimeDelta = TimeDelta::minutes(15);
/// How long a teardown may take that is scheduled and not retrying. Source: readiness-domain 3.5, `teardown_stuck`.
const TEARDOWN: TimeDelta = TimeDelta::hours(2);
/// How long an action may be pending without a failed run: a controller that is full is asked again every 5 minutes.
const PENDING: TimeDelta = TimeDelta::minutes(30);
/// How long a job may take, when its item does not say. Source: rhdp-contracts 5.4, `__meta__.tower.timeout`.
const JOB_TIMEOUT: TimeDelta = TimeDelta::seconds(10_800);
/// From this retry on somebody should look: the governor waits an hour and more by then.
const MANY_RETRIES: usize = 4;

/// Why a subject does not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StuckKind {
    /// The operator is told to leave it alone while something is still to be done.
    Ignored,
    /// It waits for a governor run that does not exist, or that is to run on a pod that does not exist.
    OrphanedRun,
    /// The governor's own runs fail: a fault of the platform, shared by many subjects.
    PlatformFault,
    /// It is deleted, and nothing is scheduled that would destroy it.
    TeardownNotScheduled,
    /// It is being destroyed for longer than that may take.
    TeardownOverdue,
    /// A start, stop or destroy fails again and again.
    ManyRetries,
    /// A start, stop or destroy failed, and no new try is scheduled.
    NoRetryScheduled,
    /// The job is over, and the subject was not told.
    MissedCallback,
    /// The job runs longer than it may.
    JobOverdue,
    /// An action is not begun, and nothing says why.
    PendingLong,
    /// Its create event is not handled.
    NotInitialized,
    /// A canceled provision of an order: not replaced, not counted as failed, a seat that nobody can use.
    DeadSeat,
}

impl StuckKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Ignored,
        Self::OrphanedRun,
        Self::PlatformFault,
        Self::TeardownNotScheduled,
        Self::TeardownOverdue,
        Self::ManyRetries,
        Self::NoRetryScheduled,
        Self::MissedCallback,
        Self::JobOverdue,
        Self::PendingLong,
        Self::NotInitialized,
        Self::DeadSeat,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::OrphanedRun => "orphaned_run",
            Self::PlatformFault => "platform_fault",
            Self::TeardownNotScheduled => "teardown_not_scheduled",
            Self::TeardownOverdue => "teardown_overdue",
            Self::ManyRetries => "many_retries",
            Self::NoRetryScheduled => "no_retry_scheduled",
            Self::MissedCallback => "missed_callback",
            Self::JobOverdue => "job_overdue",
            Self::PendingLong => "pending_long",
            Self::NotInitialized => "not_initialized",
            Self::DeadSeat => "dead_seat",
        }
    }

    /// Whether its cause lies with the platform, so that many subjects of one control plane share it: one incident, not many.
    #[must_use]
    pub const fn is_shared(self) -> bool {
        matches!(self, Self::PlatformFault | Self::OrphanedRun | Self::NotInitialized)
    }
}

impl std::fmt::Display for StuckKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A subject that does not move by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// Why.
    pub kind: StuckKind,
    /// For people: one sentence.
    pub detail: String,
    /// Since when it is in the condition that the verdict rests on.
    pub since: DateTime<Utc>,
}

/// An action that failed and will be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retrying {
    /// What is tried.
    pub action: Action,
    /// When.
    pub next: DateTime<Utc>,
    /// How many retries came before, as the wait tells; none when the source does not say when the last try ended.
    pub retries: Option<usize>,
}

/// The next try of a start, stop or destroy that ended badly, while one is scheduled.
#[must_use]
pub fn retrying(subject: &AnarchySubject, now: DateTime<Utc>) -> Option<Retrying> {
    let action = failed_action(subject)?;
    let next = subject.active_action.as_ref()?.after.filter(|after| *after > now)?;
    let failed_at = subject.actions.get(action.as_str()).and_then(|times| times.completed_at);
    let failed_at = failed_at.or_else(|| subject.jobs.get(action.as_str()).and_then(|job| job.completed_at));
    Some(Retrying {
        action,
        next,
        retries: failed_at.filter(|at| *at < next).map(|at| retries_before(next - at)),
    })
}

/// Whether, why and since when a subject does not move by itself. `runs` and `jobs` may be those of all subjects.
#[must_use]
pub fn stuck(subject: &AnarchySubject, runs: &[AnarchyRun], jobs: &[AapJob], now: DateTime<Utc>) -> Option<Stuck> {
    if is_gone(subject) {
        return None;
    }
    let facts = Facts {
        subject,
        state: current(subject),
        now,
    };
    ignored(&facts)
        .or_else(|| orphaned(&facts, runs))
        .or_else(|| platform_fault(&facts, runs))
        .or_else(|| failing(&facts))
        .or_else(|| teardown(&facts))
        .or_else(|| running(&facts, jobs))
        .or_else(|| waiting(&facts))
        .or_else(|| dead_seat(&facts))
}

struct Facts<'a> {
    subject: &'a AnarchySubject,
    state: Option<State>,
    now: DateTime<Utc>,
}

impl Facts<'_> {
    /// A verdict, once `since` is longer ago than `at_most`.
    fn after(&self, since: Option<DateTime<Utc>>, at_most: TimeDelta, kind: StuckKind, detail: impl FnOnce() -> String) -> Option<Stuck> {
        let since = since.filter(|since| self.now - *since > at_most)?;
        Some(Stuck {
            kind,
            detail: detail(),
            since,
        })
    }

    /// Whether something is scheduled or carried out for it.
    fn is_attended(&self) -> bool {
        let AnarchySubject {
            active_action,
            pending_actions,
            active_runs,
            missing_runs,
            ..
        } = self.subject;
        active_action.is_some()
            || *pending_actions > 0
            || active_runs
                .iter()
                .any(|run| !missing_runs.iter().flatten().any(|missing| missing == run))
    }

    /// When the action that is pending or carried out began; none when the source has only the times of an earlier one.
    fn begun(&self, action: Action) -> Option<DateTime<Utc>> {
        if action == Action::Destroy && self.subject.deleting_since.is_some() {
            return self.subject.deleting_since;
        }
        let times = self.subject.actions.get(action.as_str());
        let begun = times
            .filter(|times| times.completed_at.is_none())
            .and_then(|times| times.started_at);
        // A subject is provisioned once, and at once.
        begun.or_else(|| self.subject.created_at.filter(|_| action == Action::Provision && times.is_none()))
    }
}

/// The state that still says something: that of a deleted subject only once its destruction began.
fn current(subject: &AnarchySubject) -> Option<State> {
    let state = State::parse(&subject.current_state)?;
    (subject.deleting_since.is_none() || state.action() == Some(Action::Destroy)).then_some(state)
}

/// The action of a state that ended badly and that the governor tries again.
fn failed_action(subject: &AnarchySubject) -> Option<Action> {
    match current(subject)? {
        State::Ended(action @ (Action::Start | Action::Stop | Action::Destroy), _) => Some(action),
        _ => None,
    }
}

/// Where nothing more is to happen, nobody misses the operator.
fn ignored(facts: &Facts<'_>) -> Option<Stuck> {
    let subject = facts.subject;
    if !subject.ignored {
        return None;
    }
    let since = match facts.state {
        _ if subject.deleting_since.is_some() => subject.deleting_since,
        Some(State::New) => subject.created_at,
        Some(State::Queued) => facts.begun(Action::Provision),
        Some(State::Pending(action) | State::Running(action)) => facts.begun(action),
        Some(State::Started | State::Stopped | State::Destroyed | State::Ended(..)) | None => None,
    };
    facts.after(since, GRACE, StuckKind::Ignored, || {
        "Anarchy is told to leave it alone (label anarchy.gpte.redhat.com/ignore), so nothing happens to it".to_owned()
    })
}

fn orphaned(facts: &Facts<'_>, runs: &[AnarchyRun]) -> Option<Stuck> {
    let subject = facts.subject;
    if let Some(run) = subject.missing_runs.iter().flatten().next() {
        let since = subject.deleting_since.or_else(|| {
            let begun = facts.state.and_then(State::action).and_then(|action| facts.begun(action));
            begun.or(subject.created_at)
        });
        let found = facts.after(since, GRACE, StuckKind::OrphanedRun, || {
            format!("it waits for the governor run {run}, which does not exist; take it out of status.runs.active")
        });
        return found;
    }
    let run = of_subject(subject, runs).find(|run| run.pod_missing == Some(true))?;
    facts.after(run.created_at, GRACE, StuckKind::OrphanedRun, || {
        format!(
            "its governor run {} is to run on {}, which does not exist; set its runner label to pending",
            run.name, run.runner
        )
    })
}

fn of_subject<'a>(subject: &'a AnarchySubject, runs: &'a [AnarchyRun]) -> impl Iterator<Item = &'a AnarchyRun> {
    let belongs = |run: &&AnarchyRun| run.subject == subject.name && run.namespace == subject.namespace;
    runs.iter().filter(belongs)
}

/// A run that failed is tried again for ever: only one that goes on failing while something waits for it is a fault.
fn platform_fault(facts: &Facts<'_>, runs: &[AnarchyRun]) -> Option<Stuck> {
    let waits = match facts.state {
        Some(State::New | State::Pending(_) | State::Queued) => true,
        Some(State::Running(_) | State::Ended(..) | State::Started | State::Stopped | State::Destroyed) | None => {
            facts.subject.deleting_since.is_some()
        }
    };
    if !waits {
        return None;
    }
    let failed = of_subject(facts.subject, runs).filter(|run| matches!(run.runner.as_str(), "failed" | "lost"));
    let run = failed.min_by_key(|run| run.created_at)?;
    facts.after(run.created_at, GRACE, StuckKind::PlatformFault, || {
        let message = match run.message.trim() {
            "" => "without a message",
            message => message,
        };
        format!(
            "its governor run {} is {} after {} failures: {message}",
            run.name, run.runner, run.failures
        )
    })
}

/// A start, stop or destroy that ended badly: stuck when no new try is scheduled, or when many failed.
fn failing(facts: &Facts<'_>) -> Option<Stuck> {
    let subject = facts.subject;
    let action = failed_action(subject)?;
    let times = subject.actions.get(action.as_str());
    let failed_at = times.and_then(|times| times.completed_at.or(times.started_at));
    let since = failed_at.or(subject.deleting_since.filter(|_| action == Action::Destroy));
    if let Some(Retrying { next, retries, .. }) = retrying(subject, facts.now) {
        let retries = retries.filter(|retries| *retries >= MANY_RETRIES)?;
        return facts.after(since, TimeDelta::zero(), StuckKind::ManyRetries, || {
            format!(
                "{action} failed again after at least {retries} retries; the next one is at {}",
                time(next)
            )
        });
    }
    if !facts.is_attended() {
        let kind = if subject.deleting_since.is_some() {
            StuckKind::TeardownNotScheduled
        } else {
            StuckKind::NoRetryScheduled
        };
        let since = if subject.deleting_since.is_some() {
            subject.deleting_since
        } else {
            since
        };
        return facts.after(since, GRACE, kind, || {
            format!("{} and no new try is scheduled", subject.current_state)
        });
    }
    // The time of the new try has passed and no run took it up.
    let due = subject.active_action.as_ref()?.after.filter(|_| subject.active_runs.is_empty());
    facts.after(due, GRACE, StuckKind::NoRetryScheduled, || {
        format!("{} and the new try that was due did not begin", subject.current_state)
    })
}

/// Teardown is measured from the deletion: the age of the object says nothing about it.
fn teardown(facts: &Facts<'_>) -> Option<Stuck> {
    let subject = facts.subject;
    let since = subject.deleting_since?;
    if failed_action(subject).is_some() {
        return None;
    }
    if !facts.is_attended() {
        return facts.after(Some(since), GRACE, StuckKind::TeardownNotScheduled, || {
            let run = match subject.run_status.as_str() {
                "" | "successful" => String::new(),
                status => format!(", its last governor run is {status}"),
            };
            let state = if subject.current_state.is_empty() {
                "without a state"
            } else {
                &subject.current_state
            };
            format!("deleted while {state}, and nothing is scheduled that would destroy it{run}")
        });
    }
    facts.after(Some(since), TEARDOWN, StuckKind::TeardownOverdue, || {
        format!("it is being destroyed for longer than {} hours", TEARDOWN.num_hours())
    })
}

/// An action that is carried out: its job may be over without anybody having noticed, or take longer than it may.
fn running(facts: &Facts<'_>, jobs: &[AapJob]) -> Option<Stuck> {
    let Some(State::Running(action)) = facts.state else {
        return None;
    };
    let subject = facts.subject;
    let job = subject.jobs.get(action.as_str());
    let known = job.and_then(|job| jobs.iter().find(|known| Some(known.id) == job.id && known.controller == job.host));
    let ended_at = known
        .and_then(|known| known.finished_at)
        .or_else(|| job.and_then(|job| job.completed_at));
    if let Some(job) = job
        && ended_at.is_some()
    {
        let status = match (known, job.status.as_str()) {
            (Some(known), _) => known.status.as_str(),
            (None, "") => "over",
            (None, status) => status,
        };
        let id = job.id.map_or_else(String::new, |id| format!(" {id} on {}", job.host));
        return facts.after(ended_at, GRACE, StuckKind::MissedCallback, || {
            format!(
                "its {action} job{id} is {status}, and the subject is still {}",
                subject.current_state
            )
        });
    }
    let begun = job.and_then(|job| job.started_at).or_else(|| facts.begun(action));
    facts.after(begun, JOB_TIMEOUT + GRACE, StuckKind::JobOverdue, || {
        format!(
            "{} for longer than a job may take ({} hours)",
            subject.current_state,
            JOB_TIMEOUT.num_hours()
        )
    })
}

/// Something that should have begun. What the Sandbox API holds in its queue waits for its turn, however long.
fn waiting(facts: &Facts<'_>) -> Option<Stuck> {
    let subject = facts.subject;
    match facts.state? {
        State::New => facts.after(subject.created_at, GRACE, StuckKind::NotInitialized, || {
            "its create event is not handled: the Anarchy operator of its namespace is behind or away".to_owned()
        }),
        State::Pending(action) => facts.after(facts.begun(action), PENDING, StuckKind::PendingLong, || {
            format!("{action} is pending: no AAP controller with room, trouble of the Sandbox API, or a backlog of governor runs")
        }),
        State::Queued | State::Running(_) | State::Ended(..) | State::Started | State::Stopped | State::Destroyed => None,
    }
}

fn dead_seat(facts: &Facts<'_>) -> Option<Stuck> {
    let subject = facts.subject;
    let canceled = facts.state == Some(State::Ended(Action::Provision, Ending::Canceled));
    let claim = subject.claim.as_ref().filter(|_| canceled && subject.deleting_since.is_none())?;
    let since = super::state::provision_ended_at(subject).or(subject.created_at);
    facts.after(since, TimeDelta::zero(), StuckKind::DeadSeat, || {
        format!("its provision was canceled: the order {claim} keeps a seat that is neither replaced nor counted as failed")
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests;
