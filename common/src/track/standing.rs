//! What an instance is called as a whole: its worst stage, or the phase that takes an outcome's place.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::transition::{StageState, Standing};
use crate::evaluate::{Outcome, Reason};
use crate::evidence::{Phase, SkipReason};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// The word for an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// On its way up, inside its budget.
    Provisioning,
    /// Every stage that applies passes.
    Ready,
    /// Ready, with something to look at.
    Warning,
    /// Some stage fails, confirmed.
    Failing,
    /// Stopped on purpose.
    Stopped,
    /// Being destroyed.
    Terminating,
    /// The namespace does not exist any more.
    Gone,
    /// Not known: never "ready".
    Unknown,
}

impl InstanceState {
    /// The stable snake-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Ready => "ready",
            Self::Warning => "warning",
            Self::Failing => "failing",
            Self::Stopped => "stopped",
            Self::Terminating => "terminating",
            Self::Gone => "gone",
            Self::Unknown => "unknown",
        }
    }
}

/// One stage, as far as the roll-up reads it.
#[derive(Debug, Clone, Copy)]
pub struct StageNow<'a> {
    /// Which stage.
    pub stage: Stage,
    /// What the newest evaluation said.
    pub observed: Outcome,
    /// Why, when it is indeterminate or skipped.
    pub reason: Option<Reason>,
    /// What is confirmed.
    pub state: &'a StageState,
}

/// An instance as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceStanding {
    /// The word for it.
    pub state: InstanceState,
    /// The stage that decides: of the worst outcome, the first in the pipeline.
    pub worst_stage: Option<Stage>,
    /// That stage's failure class.
    pub failure_class: Option<String>,
    /// That stage's finer label.
    pub sub_class: Option<String>,
    /// Onset of the oldest open incident.
    pub failing_since: Option<DateTime<Utc>>,
}

/// How bad a stage is. The order is the precedence of the roll-up: fail > indeterminate > warn > pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Badness {
    Pass,
    Warn,
    Indeterminate,
    Fail,
}

/// Rolls the stages up. `provisioning`: the service is on its way up and inside its budget.
#[must_use]
pub fn standing(phase: Phase, provisioning: bool, stages: &[StageNow<'_>]) -> InstanceStanding {
    let judged = stages.iter().filter_map(|now| badness(now).map(|badness| (badness, now)));
    // Later entries win a tie in `max_by_key`; the first stage of the pipeline shall.
    let worst = judged.rev().max_by_key(|(badness, _)| *badness);
    let leaving = |now: &StageNow<'_>| matches!(now.reason, Some(Reason::Skipped(SkipReason::Destroying | SkipReason::Terminating)));
    let state = if phase == Phase::Destroying || stages.iter().any(leaving) {
        InstanceState::Terminating
    } else if matches!(phase, Phase::Stopped | Phase::Stopping) {
        InstanceState::Stopped
    } else if provisioning {
        InstanceState::Provisioning
    } else {
        match worst {
            Some((Badness::Fail, _)) => InstanceState::Failing,
            Some((Badness::Indeterminate, _)) | None => InstanceState::Unknown,
            Some((Badness::Warn, _)) => InstanceState::Warning,
            Some((Badness::Pass, _)) => InstanceState::Ready,
        }
    };
    let named = worst.filter(|(badness, _)| *badness != Badness::Pass).map(|(_, now)| now);
    let incident = named.and_then(|now| now.state.incident.as_ref());
    InstanceStanding {
        state,
        worst_stage: named.map(|now| now.stage),
        failure_class: named.and_then(|now| incident.map_or_else(|| now.state.warn_class.clone(), |incident| incident.class.clone())),
        sub_class: incident.and_then(|incident| incident.sub_class.clone()),
        failing_since: stages
            .iter()
            .filter_map(|now| now.state.incident.as_ref())
            .map(|incident| incident.onset_at)
            .min(),
    }
}

/// How a stage counts, or `None` when it does not: skipped, blocked by a stage that counts itself, or fed by a source that is not connected.
fn badness(now: &StageNow<'_>) -> Option<Badness> {
    let confirmed = now.state.confirmed.map(|(standing, _)| standing);
    if confirmed == Some(Standing::Fail) {
        return Some(Badness::Fail);
    }
    match (now.observed, now.reason) {
        (Outcome::Skipped, _) | (Outcome::Indeterminate, Some(Reason::BlockedBy(_))) => None,
        (Outcome::Indeterminate, Some(Reason::Unknown(UnknownReason::NotCollected))) if now.stage.is_from_elsewhere() => None,
        (Outcome::Indeterminate, _) => Some(Badness::Indeterminate),
        (Outcome::Pass | Outcome::Warn | Outcome::Fail, _) => Some(match confirmed {
            Some(Standing::Pass) => Badness::Pass,
            Some(Standing::Warn) => Badness::Warn,
            // A first failure that is not confirmed yet: neither ready nor failing.
            Some(Standing::Fail) | None => Badness::Indeterminate,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirmed(standing: Standing) -> StageState {
        StageState {
            confirmed: Some((standing, DateTime::UNIX_EPOCH)),
            ..StageState::default()
        }
    }

    fn now(stage: Stage, observed: Outcome, reason: Option<Reason>, state: &StageState) -> StageNow<'_> {
        StageNow {
            stage,
            observed,
            reason,
            state,
        }
    }

    #[test]
    fn the_worst_stage_decides_and_the_first_of_equals_is_named() {
        let (none, pass, warn, fail) = (
            StageState::default(),
            confirmed(Standing::Pass),
            confirmed(Standing::Warn),
            confirmed(Standing::Fail),
        );
        let unread = Some(Reason::Unknown(UnknownReason::Forbidden));
        let ready = now(Stage::NamespaceReady, Outcome::Pass, None, &pass);
        let softened = now(Stage::VmRuntimeReady, Outcome::Warn, None, &warn);
        let unknown = now(Stage::RouteReady, Outcome::Indeterminate, unread, &none);
        let failing = now(Stage::DeploymentReady, Outcome::Fail, None, &fail);
        let also_failing = now(Stage::ShowroomHealthy, Outcome::Fail, None, &fail);
        let first_fail = now(Stage::DeploymentReady, Outcome::Fail, None, &none);
        let pending_fail = now(Stage::DeploymentReady, Outcome::Fail, None, &pass);
        let blocked = now(
            Stage::RouteReady,
            Outcome::Indeterminate,
            Some(Reason::BlockedBy(Stage::NamespaceReady)),
            &none,
        );
        let failed_then_unread = now(Stage::DeploymentReady, Outcome::Indeterminate, unread, &fail);
        let not_connected = now(
            Stage::SmokeTestReady,
            Outcome::Indeterminate,
            Some(Reason::Unknown(UnknownReason::NotCollected)),
            &none,
        );
        let not_read_yet = now(
            Stage::RouteReady,
            Outcome::Indeterminate,
            Some(Reason::Unknown(UnknownReason::NotCollected)),
            &none,
        );

        let cases = [
            (vec![ready], InstanceState::Ready, None),
            (vec![ready, softened], InstanceState::Warning, Some(Stage::VmRuntimeReady)),
            (vec![ready, unknown, softened], InstanceState::Unknown, Some(Stage::RouteReady)),
            (
                vec![ready, failing, unknown, also_failing],
                InstanceState::Failing,
                Some(Stage::DeploymentReady),
            ),
            (vec![ready, first_fail], InstanceState::Unknown, Some(Stage::DeploymentReady)),
            (vec![ready, pending_fail], InstanceState::Ready, None),
            (vec![ready, pending_fail, blocked], InstanceState::Ready, None),
            (
                vec![ready, failed_then_unread],
                InstanceState::Failing,
                Some(Stage::DeploymentReady),
            ),
            (vec![ready, not_connected], InstanceState::Ready, None),
            (vec![ready, not_read_yet], InstanceState::Unknown, Some(Stage::RouteReady)),
            (vec![], InstanceState::Unknown, None),
        ];
        for (number, (stages, state, worst)) in cases.into_iter().enumerate() {
            let got = standing(Phase::Started, false, &stages);
            assert_eq!((got.state, got.worst_stage), (state, worst), "case {number}");
        }
    }

    #[test]
    fn a_phase_takes_the_place_of_the_outcome_but_not_of_its_cause() {
        let fail = confirmed(Standing::Fail);
        let stages = [now(Stage::DeploymentReady, Outcome::Fail, None, &fail)];
        for (phase, provisioning, state) in [
            (Phase::Provisioning, true, InstanceState::Provisioning),
            (Phase::Provisioning, false, InstanceState::Failing),
            (Phase::Stopped, false, InstanceState::Stopped),
            (Phase::Destroying, false, InstanceState::Terminating),
            (Phase::Failed, false, InstanceState::Failing),
        ] {
            let got = standing(phase, provisioning, &stages);
            assert_eq!((got.state, got.worst_stage), (state, Some(Stage::DeploymentReady)), "{phase:?}");
        }
        let terminating = [now(
            Stage::RouteReady,
            Outcome::Skipped,
            Some(Reason::Skipped(SkipReason::Terminating)),
            &fail,
        )];
        assert_eq!(standing(Phase::Unknown, false, &terminating).state, InstanceState::Terminating);
    }
}
