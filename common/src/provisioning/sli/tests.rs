use proptest::prelude::*;

use super::super::subject::{ActionTimes, TowerJob};
use super::*;

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_352_000 + hour * 3600, 0).unwrap()
}

/// Hours 0 to 24.
fn day() -> Period {
    Period {
        from: at(0),
        until: at(24),
    }
}

fn subject(uid: &str, current_state: &str) -> AnarchySubject {
    AnarchySubject {
        uid: uid.into(),
        current_state: current_state.into(),
        ..AnarchySubject::default()
    }
}

fn with_action(mut subject: AnarchySubject, action: &str, state: &str, completed: Option<i64>) -> AnarchySubject {
    let times = ActionTimes {
        state: state.into(),
        completed_at: completed.map(at),
        ..ActionTimes::default()
    };
    subject.actions.insert(action.into(), times);
    subject
}

fn with_job(mut subject: AnarchySubject, action: &str, status: &str, completed: Option<i64>) -> AnarchySubject {
    let job = TowerJob {
        status: status.into(),
        completed_at: completed.map(at),
        ..TowerJob::default()
    };
    subject.jobs.insert(action.into(), job);
    subject
}

fn provisions(subjects: &[AnarchySubject]) -> Sli {
    of_subjects(subjects.iter().map(Seen::from), Phase::Provision, day())
}

#[test]
fn the_action_decides_before_its_job_and_its_job_before_the_state() {
    let cases = [
        (
            with_action(subject("a", "started"), "provision", "successful", Some(1)),
            Some(Outcome::Succeeded),
        ),
        // A completion time is no success.
        (
            with_action(subject("a", "provision-failed"), "provision", "failed", Some(1)),
            Some(Outcome::Failed),
        ),
        (
            with_job(subject("a", "provision-error"), "provision", "error", Some(1)),
            Some(Outcome::Error),
        ),
        (
            with_job(
                with_action(subject("a", ""), "provision", "canceled", Some(1)),
                "provision",
                "failed",
                Some(1),
            ),
            Some(Outcome::Canceled),
        ),
        // An unknown word of the action: the job is asked.
        (
            with_job(
                with_action(subject("a", ""), "provision", "odd", None),
                "provision",
                "failed",
                Some(1),
            ),
            Some(Outcome::Failed),
        ),
        (subject("a", "stopped"), Some(Outcome::Succeeded)),
        (subject("a", "start-failed"), Some(Outcome::Succeeded)),
        (subject("a", "provision-canceled"), Some(Outcome::Canceled)),
        (subject("a", "provisioning"), None),
        (subject("a", "provision-pending"), None),
        (subject("a", "destroying"), None),
        (subject("a", "a-new-state"), None),
        (subject("a", ""), None),
    ];
    for (subject, expected) in cases {
        let found = outcome(Seen::from(&subject), Phase::Provision).map(|(outcome, _)| outcome);
        assert_eq!(found, expected, "{subject:?}");
    }
}

#[test]
fn only_ends_inside_the_window_count_and_each_subject_once() {
    let ended = |uid: &str, state: &str, hour| with_action(subject(uid, ""), "provision", state, Some(hour));
    let sli = provisions(&[
        ended("a", "successful", 0),
        ended("a", "failed", 1),
        ended("b", "successful", 23),
        ended("c", "failed", 5),
        ended("d", "error", 5),
        ended("e", "canceled", 5),
        ended("f", "successful", 24),
        ended("g", "failed", -1),
        subject("h", "started"),
        subject("i", "provisioning"),
    ]);
    let expected = Sli {
        attempts: 4,
        succeeded: 2,
        failed: 1,
        errors: 1,
        canceled: 1,
        undated: 1,
    };
    assert_eq!((sli, sli.rate(), sli.unsuccessful()), (expected, Some(0.5), 2));
}

#[test]
fn without_an_attempt_there_is_no_rate() {
    assert_eq!(provisions(&[]).rate(), None);
    let canceled = with_action(subject("a", ""), "provision", "canceled", Some(1));
    assert_eq!(provisions(&[canceled]).rate(), None);
}

#[test]
fn a_subject_that_disappeared_was_destroyed() {
    let begun = subject("a", "destroying");
    let failed = with_action(subject("b", "destroy-failed"), "destroy", "failed", Some(2));
    let alive = subject("c", "destroying");
    let seen = [
        Seen {
            subject: &begun,
            gone_at: Some(at(3)),
        },
        Seen {
            subject: &failed,
            gone_at: None,
        },
        Seen::from(&alive),
    ];
    let sli = of_subjects(seen, Phase::Destroy, day());
    assert_eq!((sli.attempts, sli.succeeded, sli.failed), (2, 1, 1));
    // That it went says nothing about whether it was ever provisioned.
    assert_eq!(of_subjects(seen, Phase::Provision, day()), Sli::default());
}

/// What every state of the governor tells of a provision that nothing else tells of.
#[test]
fn a_state_tells_exactly_what_the_machine_means() {
    let told = |state: &str| outcome(Seen::from(&subject("a", state)), Phase::Provision).map(|(outcome, _)| outcome);
    let well = "started stopped start-pending starting start-failed start-error start-canceled stop-pending stopping stop-failed stop-error \
        stop-canceled update-pending updating update-failed update-error update-canceled";
    for state in well.split_whitespace() {
        assert_eq!(told(state), Some(Outcome::Succeeded), "{state}");
    }
    let nothing = "new provision-pending provision-queued provisioning provision-complete provision-cancelled destroy-pending destroying \
        destroy-failed destroy-error destroy-canceled destroy-complete levitating-failed";
    for state in nothing.split_whitespace() {
        assert_eq!(told(state), None, "{state}");
    }
    let destroyed = subject("a", "destroy-complete");
    let of_destroy = outcome(Seen::from(&destroyed), Phase::Destroy).map(|(outcome, _)| outcome);
    assert_eq!(of_destroy, Some(Outcome::Succeeded));
}

proptest! {
    #[test]
    fn the_order_of_subjects_makes_no_difference_and_the_rate_is_a_share(
        all in prop::collection::vec((0..4usize, -2..30i64), 0..40),
        seed in any::<u64>(),
    ) {
        let states = ["successful", "failed", "error", "canceled"];
        let mut subjects: Vec<AnarchySubject> = all
            .iter()
            .enumerate()
            .map(|(id, (state, hour))| with_action(subject(&id.to_string(), ""), "provision", states[*state], Some(*hour)))
            .collect();
        let sli = provisions(&subjects);
        let turn = usize::try_from(seed % 40).unwrap() % subjects.len().max(1);
        subjects.rotate_left(turn);
        prop_assert_eq!(provisions(&subjects), sli);
        prop_assert_eq!(sli.attempts, sli.succeeded + sli.unsuccessful());
        prop_assert!(sli.attempts + sli.canceled <= subjects.len());
        prop_assert_eq!(sli.rate().is_none(), sli.attempts == 0);
        prop_assert!(sli.rate().is_none_or(|rate| (0.0..=1.0).contains(&rate)));
    }
}
