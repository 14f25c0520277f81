//! The table of the state machine row by row, and what must hold for every history.

use proptest::prelude::*;

use super::*;
use crate::track::{ClassSince, Update};
use crate::unknown::UnknownReason;

const KEY: Key = Key {
    subject: Uuid::from_u128(7),
    stage: Stage::DeploymentReady,
};

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

fn verdict(outcome: Outcome, class: Option<&str>, reason: Option<Reason>) -> Verdict {
    Verdict {
        stage: KEY.stage,
        outcome,
        reason,
        failure_class: class.map(str::to_owned),
        class_match: None,
        pattern_class: None,
        sub_class: None,
        recommended_action: None,
        message: format!("{outcome} {class:?}"),
        criteria: Vec::new(),
        until: None,
    }
}

fn pass() -> Verdict {
    verdict(Outcome::Pass, None, None)
}

fn warn() -> Verdict {
    verdict(Outcome::Warn, Some("backoff_limit_exceeded"), None)
}

fn fail(class: &str) -> Verdict {
    verdict(Outcome::Fail, Some(class), None)
}

fn unknown() -> Verdict {
    verdict(Outcome::Indeterminate, None, Some(Reason::Unknown(UnknownReason::Forbidden)))
}

fn skipped(reason: SkipReason) -> Verdict {
    verdict(Outcome::Skipped, None, Some(Reason::Skipped(reason)))
}

fn context(as_of: DateTime<Utc>) -> Context<'static> {
    Context {
        as_of,
        observed_at: as_of,
        identity: b"same pods",
        session_near: false,
        provisioning: false,
    }
}

/// Plays verdicts one minute apart, each on fresh evidence, and writes down what came of it.
struct Play {
    state: StageState,
    minute: i64,
    log: Vec<String>,
}

impl Play {
    fn new() -> Self {
        Self {
            state: StageState::default(),
            minute: 0,
            log: Vec::new(),
        }
    }

    fn see(mut self, verdict: &Verdict) -> Self {
        self.minute += 1;
        let context = context(at(self.minute));
        self.take(verdict, &context);
        self
    }

    fn after(mut self, minutes: i64, verdict: &Verdict) -> Self {
        self.minute += minutes - 1;
        self.see(verdict)
    }

    fn take(&mut self, verdict: &Verdict, context: &Context<'_>) {
        let done = step(KEY, &self.state, verdict, context);
        let minute = (context.as_of - at(0)).num_minutes();
        if let Some(transition) = &done.transition {
            self.log.push(format!(
                "{minute}: {} to {}",
                transition.direction.as_str(),
                transition.to.outcome()
            ));
        }
        match &done.incident {
            Some(IncidentChange::Opened(incident)) => self
                .log
                .push(format!("{minute}: opened {:?}", incident.class.as_deref().unwrap_or("?"))),
            Some(IncidentChange::Updated(_, updates)) => self.log.push(format!("{minute}: updated {updates:?}")),
            Some(IncidentChange::Resolved(incident, resolution)) => {
                let class = incident.class.as_deref().unwrap_or("?");
                self.log.push(format!("{minute}: resolved {class:?} {}", resolution.as_str()));
            }
            None => {}
        }
        self.state = done.state;
    }
}

fn failing() -> Play {
    let mut play = Play::new().see(&fail("pods_not_ready")).see(&fail("pods_not_ready"));
    play.log.clear();
    play
}

#[test]
fn nothing_known_then_good_is_confirmed_in_silence() {
    for (verdict, standing) in [(pass(), Standing::Pass), (warn(), Standing::Warn)] {
        let play = Play::new().see(&verdict);
        assert_eq!(play.state.confirmed, Some((standing, at(1))));
        assert!(play.log.is_empty());
    }
}

#[test]
fn nothing_known_then_two_failures_are_an_initial_fail() {
    let play = Play::new().see(&fail("pods_not_ready"));
    assert_eq!((play.state.confirmed, play.log.len()), (None, 0));
    let play = play.see(&fail("pods_not_ready"));
    assert_eq!(play.log, ["2: initial_fail to fail", "2: opened \"pods_not_ready\""]);
    let incident = play.state.incident.unwrap();
    assert_eq!((incident.onset_at, incident.opened_at), (at(1), at(2)));
}

#[test]
fn good_then_two_failures_are_degraded() {
    for good in [pass(), warn()] {
        let play = Play::new().see(&good).see(&fail("pods_not_ready")).see(&fail("pods_not_ready"));
        assert_eq!(play.log, ["3: degraded to fail", "3: opened \"pods_not_ready\""]);
    }
}

#[test]
fn one_failure_between_passes_is_nothing() {
    let play = Play::new()
        .see(&pass())
        .see(&fail("pods_not_ready"))
        .see(&pass())
        .see(&fail("pods_not_ready"));
    assert!(play.log.is_empty());
    assert_eq!(play.state.pending.unwrap().count, 1);
}

#[test]
fn a_failure_that_lasts_five_minutes_needs_no_second_observation() {
    let mut play = Play::new().see(&pass()).see(&fail("pods_not_ready"));
    let observed_at = at(2);
    play.take(
        &fail("pods_not_ready"),
        &Context {
            observed_at,
            ..context(at(6))
        },
    );
    assert!(play.log.is_empty(), "the same evidence is no second witness: {:?}", play.log);
    play.take(
        &fail("pods_not_ready"),
        &Context {
            observed_at,
            ..context(at(7))
        },
    );
    assert_eq!(play.log, ["7: degraded to fail", "7: opened \"pods_not_ready\""]);
}

#[test]
fn what_cannot_be_noise_is_confirmed_at_once() {
    for class in IMMEDIATE_CLASSES {
        let play = Play::new().see(&pass()).see(&fail(class));
        assert_eq!(play.log.first().map(String::as_str), Some("2: degraded to fail"), "{class}");
    }
    let mut play = Play::new().see(&pass());
    play.take(
        &fail("pods_not_ready"),
        &Context {
            session_near: true,
            ..context(at(2))
        },
    );
    assert_eq!(play.log.len(), 2, "a session is near: {:?}", play.log);
}

#[test]
fn a_failure_that_goes_on_is_told_hourly_at_most_and_only_when_its_detail_differs() {
    let same = failing().after(59, &fail("pods_not_ready")).after(59, &fail("pods_not_ready"));
    assert!(same.log.is_empty(), "{:?}", same.log);

    let mut other = fail("pods_not_ready");
    other.message = "2 of 3 members fail".to_owned();
    let play = failing().after(58, &other).after(2, &other).after(2, &other);
    assert_eq!(play.log, ["62: updated [Detail]"]);
    assert_eq!(play.state.incident.unwrap().message, "2 of 3 members fail");
}

#[test]
fn another_class_is_the_same_incident_with_a_history() {
    let play = failing().see(&fail("image_pull_backoff")).see(&pass()).see(&pass());
    assert_eq!(
        play.log,
        [
            "3: updated [ClassChanged]",
            "5: recovered to pass",
            "5: resolved \"image_pull_backoff\" self_resolved"
        ]
    );
    let play = failing().see(&fail("image_pull_backoff"));
    let history = play.state.incident.unwrap().class_history;
    let since = |class: &str, minute| ClassSince {
        class: Some(class.to_owned()),
        since: at(minute),
    };
    assert_eq!(history, [since("pods_not_ready", 2), since("image_pull_backoff", 3)]);
}

#[test]
fn two_good_results_recover_and_the_resolution_names_the_incidents_class() {
    let play = failing().see(&pass());
    assert!(play.log.is_empty());
    let play = play.see(&warn());
    assert_eq!(play.log, ["4: recovered to warn", "4: resolved \"pods_not_ready\" self_resolved"]);
    assert_eq!(play.state.warn_class.as_deref(), Some("backoff_limit_exceeded"));
}

#[test]
fn one_good_result_on_new_pods_recovers_at_once() {
    let mut play = failing();
    play.take(
        &pass(),
        &Context {
            identity: b"new pods",
            ..context(at(3))
        },
    );
    assert_eq!(play.log, ["3: recovered to pass", "3: resolved \"pods_not_ready\" self_resolved"]);

    let mut play = failing();
    play.take(
        &fail("pods_not_ready"),
        &Context {
            identity: b"new pods",
            ..context(at(3))
        },
    );
    play.take(
        &pass(),
        &Context {
            identity: b"new pods",
            ..context(at(4))
        },
    );
    assert!(play.log.is_empty(), "these pods have failed too: {:?}", play.log);
}

#[test]
fn pass_and_warn_follow_each_other_at_once_without_an_incident() {
    let play = Play::new().see(&pass()).see(&warn()).see(&pass());
    assert_eq!(play.log, ["2: softened to warn", "3: cleared to pass"]);
}

#[test]
fn not_knowing_keeps_what_is_confirmed_and_says_since_when() {
    let play = failing().see(&unknown()).see(&unknown());
    assert!(play.log.is_empty());
    assert_eq!(play.state.confirmed, Some((Standing::Fail, at(2))));
    assert_eq!(play.state.unknown_since, Some(at(3)));
    let interval = TimeDelta::minutes(15);
    assert!(!play.state.is_stale(at(47), interval));
    assert!(play.state.is_stale(at(48), interval));

    let play = play.see(&pass()).see(&pass());
    assert_eq!(play.log, ["6: recovered to pass", "6: resolved \"pods_not_ready\" self_resolved"]);
    assert_eq!(play.state.unknown_since, None);
}

#[test]
fn not_knowing_neither_confirms_nor_contradicts_a_pending_failure() {
    let play = Play::new()
        .see(&pass())
        .see(&fail("pods_not_ready"))
        .see(&unknown())
        .after(10, &unknown());
    assert!(play.log.is_empty());
    assert_eq!(play.see(&fail("pods_not_ready")).log.len(), 2);
}

#[test]
fn a_retired_subject_closes_its_incident_once() {
    let play = failing();
    let done = retire(&play.state, at(9));
    assert!(
        matches!(&done.incident, Some(IncidentChange::Resolved(incident, Resolution::NamespaceRecycled)) if incident.updated_at == at(9))
    );
    assert_eq!((done.state.confirmed, done.transition), (None, None));
    assert_eq!(retire(&done.state, at(10)).incident, None);
}

#[test]
fn a_stage_that_stops_applying_closes_its_incident() {
    let play = failing().see(&skipped(SkipReason::Destroying));
    assert_eq!(play.log, ["3: resolved \"pods_not_ready\" namespace_recycled"]);
    let play = failing().see(&skipped(SkipReason::NotApplicable));
    assert!(play.log.is_empty());
    let play = play.see(&skipped(SkipReason::NotApplicable));
    assert_eq!(play.log, ["4: resolved \"pods_not_ready\" self_resolved"]);
    assert_eq!(play.state.confirmed, None);
    let play = failing()
        .see(&skipped(SkipReason::NotApplicable))
        .see(&fail("pods_not_ready"))
        .see(&skipped(SkipReason::NotApplicable));
    assert!(play.log.is_empty());
}

#[test]
fn four_changes_in_an_hour_are_flapping_until_an_hour_is_quiet() {
    let bad = fail("pods_not_ready");
    let play = Play::new().see(&bad).see(&bad).see(&pass()).see(&pass()).see(&bad).see(&bad);
    assert_eq!(play.state.flapping_until, None);
    let play = play.see(&pass()).see(&pass());
    assert_eq!(play.state.flapping_until, Some(at(68)), "{:?}", play.log);

    let mut play = play.see(&bad).see(&bad);
    assert!(play.state.incident.as_ref().unwrap().flapping, "it opens with the mark");
    assert_eq!(play.state.flapping_until, Some(at(70)));
    play.log.clear();
    let play = play.after(59, &bad);
    assert!(play.log.is_empty());
    let play = play.see(&bad);
    assert_eq!(play.log, ["70: updated [Settled]"]);
    assert!(!play.state.incident.unwrap().flapping);
}

#[test]
fn incidents_of_a_service_on_its_way_up_open_muted_and_speak_up_afterwards() {
    let mut play = Play::new();
    for minute in 1..=2 {
        play.take(
            &fail("pods_not_ready"),
            &Context {
                provisioning: true,
                ..context(at(minute))
            },
        );
    }
    assert!(play.state.incident.as_ref().unwrap().muted);
    play.log.clear();
    play.minute = 2;
    let play = play.see(&fail("pods_not_ready")).see(&fail("pods_not_ready"));
    assert_eq!(play.log, ["3: updated [Unmuted]"]);
}

#[test]
fn late_evidence_and_late_evaluations_are_ignored() {
    let play = failing();
    let older = step(KEY, &play.state, &pass(), &context(at(1)));
    assert_eq!(
        older,
        Step {
            state: play.state.clone(),
            transition: None,
            incident: None
        }
    );
    let late_evidence = step(
        KEY,
        &play.state,
        &pass(),
        &Context {
            observed_at: at(1),
            ..context(at(9))
        },
    );
    assert_eq!(late_evidence.state, play.state);
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(pass()),
        1 => Just(warn()),
        3 => Just(fail("pods_not_ready")),
        1 => Just(fail("image_pull_backoff")),
        1 => Just(fail("namespace_missing")),
        1 => Just(verdict(Outcome::Fail, None, None)),
        2 => Just(unknown()),
        1 => Just(skipped(SkipReason::NotApplicable)),
        1 => Just(skipped(SkipReason::Terminating)),
    ]
}

#[derive(Debug, Clone)]
struct Seen {
    verdict: Verdict,
    as_of: DateTime<Utc>,
    observed_at: DateTime<Utc>,
    identity: [u8; 1],
    provisioning: bool,
}

/// A history: gaps of 1 to 40 minutes; sometimes the evidence is the one of before.
fn any_history() -> impl Strategy<Value = Vec<Seen>> {
    let one = (
        any_verdict(),
        1..40i64,
        any::<bool>(),
        prop_oneof![4 => Just(0u8), 1 => 1..4u8],
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(one, 1..40).prop_map(|steps| {
        let (mut minute, mut observed_at) = (0, at(0));
        let one = |(verdict, gap, fresh, pods, provisioning)| {
            minute += gap;
            if fresh {
                observed_at = at(minute);
            }
            Seen {
                verdict,
                as_of: at(minute),
                observed_at,
                identity: [pods],
                provisioning,
            }
        };
        steps.into_iter().map(one).collect()
    })
}

fn play(state: &StageState, seen: &Seen) -> Step {
    let Seen {
        verdict,
        as_of,
        observed_at,
        identity,
        provisioning,
    } = seen;
    let context = Context {
        as_of: *as_of,
        observed_at: *observed_at,
        identity,
        session_near: false,
        provisioning: *provisioning,
    };
    step(KEY, state, verdict, &context)
}

fn replay(history: &[Seen]) -> (StageState, Vec<Transition>, Vec<IncidentChange>) {
    let (mut state, mut transitions, mut changes) = (StageState::default(), Vec::new(), Vec::new());
    for seen in history {
        let done = play(&state, seen);
        transitions.extend(done.transition);
        changes.extend(done.incident);
        state = done.state;
    }
    (state, transitions, changes)
}

proptest! {
    /// Deliver everything again, late and in any order, after each step: nothing changes.
    #[test]
    fn late_and_repeated_observations_change_nothing(history in any_history(), picks in prop::collection::vec(any::<prop::sample::Index>(), 3)) {
        let mut state = StageState::default();
        for (done, seen) in history.iter().enumerate() {
            state = play(&state, seen).state;
            for pick in &picks {
                let late = pick.get(&history[..=done]);
                prop_assert_eq!(play(&state, late), Step { state: state.clone(), transition: None, incident: None });
            }
        }
    }

    /// The same history with repetitions gives the same state, transitions and incidents.
    #[test]
    fn replays_converge(history in any_history(), repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let once = replay(&history);
        let mut noisy = history.clone();
        for repeat in repeats {
            let at = repeat.index(noisy.len());
            let again = noisy[at].clone();
            noisy.insert(at + 1, again);
        }
        prop_assert_eq!(replay(&noisy), once);
    }

    /// An incident is opened once and resolved once; it is open exactly while the standing is `fail`; its revision only grows.
    #[test]
    fn an_incident_is_opened_once_and_resolved_once(history in any_history()) {
        let mut state = StageState::default();
        let mut open: Option<Incident> = None;
        let mut ids = std::collections::BTreeSet::new();
        for seen in &history {
            let done = play(&state, seen);
            match done.incident {
                Some(IncidentChange::Opened(incident)) => {
                    prop_assert!(open.is_none());
                    prop_assert!(ids.insert(incident.id), "an id is used once");
                    prop_assert!(incident.onset_at <= incident.opened_at);
                    open = Some(incident);
                }
                Some(IncidentChange::Updated(incident, updates)) => {
                    let before = open.replace(incident.clone());
                    prop_assert!(!updates.is_empty());
                    prop_assert_eq!(before.map(|before| (before.id, before.revision + 1)), Some((incident.id, incident.revision)));
                }
                Some(IncidentChange::Resolved(incident, _)) => {
                    prop_assert_eq!(open.take().map(|before| before.id), Some(incident.id));
                }
                None => {}
            }
            prop_assert_eq!(&done.state.incident, &open);
            let failing = matches!(done.state.confirmed, Some((Standing::Fail, _)));
            prop_assert_eq!(failing, open.is_some());
            state = done.state;
        }
    }

    /// Each transition starts where the one before ended, unless the stage did not apply in between.
    #[test]
    fn transitions_chain(history in any_history()) {
        let mut state = StageState::default();
        for seen in &history {
            let before = state.confirmed.map(|(standing, _)| standing);
            let done = play(&state, seen);
            if let Some(transition) = &done.transition {
                prop_assert_eq!(transition.from, before);
                prop_assert_ne!(Some(transition.to), before);
                prop_assert_eq!(done.state.confirmed, Some((transition.to, seen.as_of)));
            }
            if seen.verdict.outcome == Outcome::Indeterminate {
                prop_assert_eq!(&done.state.confirmed, &state.confirmed);
                prop_assert!(done.transition.is_none() && done.incident.is_none() || matches!(done.incident, Some(IncidentChange::Updated(_, ref updates)) if *updates == [Update::Settled]));
            }
            state = done.state;
        }
    }

    /// What happened does not depend on how often we looked while nothing was new.
    #[test]
    fn a_second_look_at_the_same_evidence_is_no_second_witness(history in any_history()) {
        let mut state = StageState::default();
        for seen in &history {
            let done = play(&state, seen);
            let again = Seen { as_of: seen.as_of + TimeDelta::seconds(1), ..seen.clone() };
            let second = play(&done.state, &again);
            prop_assert!(second.transition.is_none(), "{:?}", second.transition);
            state = done.state;
        }
    }
}
