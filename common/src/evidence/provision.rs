//! Stage `provision-complete`: did Babylon finish and start it? The subjects live on the control plane, not in the namespace.
//!
//! | current state | job | started |
//! |---|---|---|
//! | unset, `provision-queued`, `-pending`, `provisioning` | progressing | progressing |
//! | `provision-failed`, `-error`, `-canceled` | no | no |
//! | `started` | yes | yes; stopped on purpose when it should stop |
//! | `start-pending`, `starting`, `update-pending`, `updating` | yes | progressing |
//! | `start-…` and `update-failed`, `-error`, `-canceled` | yes | no |
//! | `stopped`, `stop-…`, `stopping` | yes | stopped on purpose; when it should start: progressing for 15 min, then no |
//! | `destroy-…` | left out | left out |
//!
//! What the provision job itself says outweighs the state: a failed job has a completion time too.

use chrono::{DateTime, Utc};

use super::namespace::made_by_sandbox_api;
use super::quantify::{self, Judged, Known};
use super::{Observation, StageEvidence, Value, View, thresholds};
use crate::objects::Subject;
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// Criteria of this stage.
pub const NAMES: &[&str] = &[
    "anarchysubject_exists",
    "provision_job_succeeded",
    "state_is_started",
    "no_error_conditions",
];

/// Observes the subjects of the service. A namespace that the Sandbox API did not make has none: nothing to observe.
///
/// Members are the subjects that are not themselves on their way out.
#[must_use]
pub fn observe(view: &View<'_>) -> StageEvidence {
    let namespace = &view.inventory.namespace;
    let subjects = &view.inventory.subjects;
    let mut missing = subjects.missing;
    if subjects.items.is_empty() && !made_by_sandbox_api(view.inventory) {
        // Without the namespace's labels nobody knows whether there should be any.
        let Some(reason) = namespace.missing.filter(|_| namespace.items.is_empty()) else {
            return StageEvidence::default();
        };
        missing = Some(reason);
    }
    let members: Vec<&Subject> = subjects
        .items
        .iter()
        .filter(|s| !s.deleting && !is_destroying(&s.current_state))
        .collect();
    let judge = |empty: Value, state: &dyn Fn(&Subject) -> Known| {
        let judged = members.iter().map(|subject| Judged {
            kind: "AnarchySubject",
            name: subject.name.clone(),
            state: state(subject),
        });
        quantify::all(judged.collect(), missing, empty)
    };
    let exists = match (members.is_empty(), missing) {
        (false, _) => Observation::known(true),
        (true, Some(reason)) => Observation::unknown(reason),
        (true, None) => Observation::known(false),
    };
    StageEvidence {
        observations: [
            ("anarchysubject_exists", exists),
            ("provision_job_succeeded", judge(Value::Bool(false), &|subject| job(view, subject))),
            ("state_is_started", judge(Value::Bool(false), &|subject| started(view, subject))),
            ("no_error_conditions", judge(Value::Unknown(UnknownReason::NotCollected), &errors)),
        ]
        .into(),
        signals: Vec::new(),
    }
}

/// Whether a subject in that state is on its way out.
#[must_use]
pub fn is_destroying(state: &str) -> bool {
    matches!(
        state,
        "destroy-pending" | "destroying" | "destroy-complete" | "destroy-failed" | "destroy-error" | "destroy-canceled"
    )
}

fn progressing(detail: String, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Known {
    match until {
        Some(until) if now >= until => Known::False(format!("{detail}, longer than it may take")),
        until => Known::Unknown(UnknownReason::Progressing, detail, until),
    }
}

/// What of provisioning the state alone tells.
fn job(view: &View, subject: &Subject) -> Known {
    let now = view.now;
    let budget = subject.created_at.map(|since| since + view.settle.of(Stage::ProvisionComplete));
    match subject.provision_job_status.as_str() {
        "successful" => return Known::True,
        status @ ("failed" | "error" | "canceled") => {
            return Known::False(match subject.provision_job.as_str() {
                "" => format!("provision job {status}"),
                job => format!("provision job {job} {status}"),
            });
        }
        _ => {}
    }
    match subject.current_state.as_str() {
        "" => Known::Unknown(UnknownReason::Progressing, "requested".to_owned(), None),
        // Time in the queue does not count.
        state @ ("provision-queued" | "provision-pending") => Known::Unknown(UnknownReason::Progressing, state.to_owned(), None),
        "provisioning" => progressing("provisioning".to_owned(), budget, now),
        state if state.starts_with("provision-") => failed_or_unknown(state, "provision"),
        _ if !subject.provision_job_status.is_empty() => {
            progressing(format!("provision job {}", subject.provision_job_status), budget, now)
        }
        state if is_past_provisioning(state) => Known::True,
        state => unrecognized(state),
    }
}

fn started(view: &View, subject: &Subject) -> Known {
    let now = view.now;
    let stop_wanted = subject.desired_state == "stopped";
    let stopped = |state: &str| Known::Unknown(UnknownReason::IntentionallyStopped, state.to_owned(), None);
    match subject.current_state.as_str() {
        "" => Known::Unknown(UnknownReason::Progressing, "requested".to_owned(), None),
        state @ ("provision-queued" | "provision-pending") => Known::Unknown(UnknownReason::Progressing, state.to_owned(), None),
        "provisioning" => progressing(
            "provisioning".to_owned(),
            subject.created_at.map(|since| since + view.settle.of(Stage::ProvisionComplete)),
            now,
        ),
        state if state.starts_with("provision-") => failed_or_unknown(state, "provision"),
        state if stop_wanted && is_past_provisioning(state) => stopped(state),
        "started" => Known::True,
        state @ ("start-pending" | "starting" | "update-pending" | "updating") => {
            Known::Unknown(UnknownReason::Progressing, state.to_owned(), None)
        }
        state if state.starts_with("start-") => failed_or_unknown(state, "start"),
        state if state.starts_with("update-") => failed_or_unknown(state, "update"),
        state @ ("stop-pending" | "stopping") => stopped(state),
        state if is_past_provisioning(state) && subject.desired_state == "started" => {
            let until = subject.state_since.map(|since| since + thresholds::START_GRACE);
            progressing(format!("{state}, start requested"), until, now)
        }
        state if is_past_provisioning(state) => stopped(state),
        state => unrecognized(state),
    }
}

fn errors(subject: &Subject) -> Known {
    if matches!(subject.current_state.as_str(), "stop-failed" | "stop-error" | "stop-canceled") {
        return Known::False(subject.current_state.clone());
    }
    match subject.healthy {
        Some(true) => Known::True,
        Some(false) => Known::False("reported unhealthy".to_owned()),
        None if subject.run_status == "failed" => Known::False("last run failed".to_owned()),
        None => Known::True,
    }
}

/// `provision-failed` and its kin; anything else that begins so is new to us.
fn failed_or_unknown(state: &str, action: &str) -> Known {
    let ending = state.strip_prefix(action).and_then(|rest| rest.strip_prefix('-'));
    match ending {
        Some("failed" | "error" | "canceled") => Known::False(state.to_owned()),
        _ => unrecognized(state),
    }
}

fn unrecognized(state: &str) -> Known {
    Known::Unknown(UnknownReason::UnrecognizedState, format!("state {state}"), None)
}

fn is_past_provisioning(state: &str) -> bool {
    let action = |name: &str| {
        state
            .strip_prefix(name)
            .is_some_and(|rest| matches!(rest, "-pending" | "-failed" | "-error" | "-canceled"))
    };
    matches!(state, "started" | "starting" | "updating" | "stopped" | "stopping") || action("start") || action("update") || action("stop")
}

#[cfg(test)]
mod tests;
