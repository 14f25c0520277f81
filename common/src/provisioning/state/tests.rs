use proptest::prelude::*;

use super::*;

fn subject(state: &str) -> AnarchySubject {
    AnarchySubject {
        current_state: state.into(),
        anarchy_finalizer: true,
        ..AnarchySubject::default()
    }
}

/// Every state of the governor, with its class and what it tells of the provision.
const MACHINE: [(&str, SubjectClass, ProvisionOutcome); 33] = {
    use ProvisionOutcome as P;
    use SubjectClass as C;
    [
        ("", C::Initializing, P::Pending),
        ("new", C::Initializing, P::Pending),
        ("provision-pending", C::InProgress(Action::Provision), P::Pending),
        ("provision-queued", C::InProgress(Action::Provision), P::Pending),
        ("provisioning", C::InProgress(Action::Provision), P::Pending),
        ("started", C::Started, P::Successful),
        ("provision-failed", C::FailedTerminal, P::Failed),
        ("provision-error", C::FailedTerminal, P::Error),
        ("provision-canceled", C::FailedTerminal, P::Canceled),
        ("stop-pending", C::InProgress(Action::Stop), P::Successful),
        ("start-pending", C::InProgress(Action::Start), P::Successful),
        ("stopping", C::InProgress(Action::Stop), P::Successful),
        ("starting", C::InProgress(Action::Start), P::Successful),
        ("stopped", C::Stopped, P::Successful),
        ("stop-failed", C::FailedRetrying, P::Successful),
        ("stop-error", C::FailedRetrying, P::Successful),
        ("stop-canceled", C::FailedRetrying, P::Successful),
        ("start-failed", C::FailedRetrying, P::Successful),
        ("start-error", C::FailedRetrying, P::Successful),
        ("start-canceled", C::FailedRetrying, P::Successful),
        ("destroy-pending", C::InProgress(Action::Destroy), P::Unknown),
        ("destroying", C::InProgress(Action::Destroy), P::Unknown),
        ("destroy-failed", C::FailedRetrying, P::Unknown),
        ("destroy-error", C::FailedRetrying, P::Unknown),
        ("destroy-canceled", C::FailedRetrying, P::Unknown),
        ("destroy-complete", C::Gone, P::Unknown),
        ("update-pending", C::InProgress(Action::Update), P::Successful),
        ("updating", C::InProgress(Action::Update), P::Successful),
        ("update-failed", C::FailedTerminal, P::Successful),
        ("update-error", C::FailedTerminal, P::Successful),
        ("update-canceled", C::FailedTerminal, P::Successful),
        ("provision-cancelled", C::Unknown, P::Unknown),
        ("levitating-failed", C::Unknown, P::Unknown),
    ]
};

#[test]
fn every_state_of_the_governor_has_its_class_and_its_outcome() {
    for (state, class, outcome) in MACHINE {
        let subject = subject(state);
        assert_eq!(SubjectClass::of(&subject), class, "{state}");
        assert_eq!(ProvisionOutcome::of(&subject), outcome, "{state}");
        assert_eq!(unrecognized(&subject).is_some(), class == SubjectClass::Unknown, "{state}");
    }
}

#[test]
fn a_deletion_outweighs_the_state() {
    for (state, ..) in MACHINE {
        let deleted = AnarchySubject {
            deleting_since: Some(DateTime::UNIX_EPOCH),
            ..subject(state)
        };
        let expected = match state {
            "destroy-complete" => SubjectClass::Gone,
            "destroy-failed" | "destroy-error" | "destroy-canceled" => SubjectClass::FailedRetrying,
            _ => SubjectClass::InProgress(Action::Destroy),
        };
        assert_eq!(SubjectClass::of(&deleted), expected, "{state}");
        let released = AnarchySubject {
            anarchy_finalizer: false,
            foreign_finalizers: vec!["demo.redhat.com/reporting".into()],
            ..deleted
        };
        assert_eq!(SubjectClass::of(&released), SubjectClass::Gone, "{state}");
    }
}

/// `actions.provision.state`, `towerJobs.provision.jobStatus`, `current_state`: the first that says something counts.
#[test]
fn the_action_speaks_before_the_job_and_the_job_before_the_state() {
    let of = |action: &str, job: &str, state: &str| {
        let completed_at = Some(DateTime::UNIX_EPOCH);
        ProvisionOutcome::of(&AnarchySubject {
            actions: [(
                "provision".into(),
                ActionTimes {
                    state: action.into(),
                    completed_at,
                    ..ActionTimes::default()
                },
            )]
            .into(),
            jobs: [(
                "provision".into(),
                TowerJob {
                    status: job.into(),
                    completed_at,
                    ..TowerJob::default()
                },
            )]
            .into(),
            ..subject(state)
        })
    };
    assert_eq!(of("failed", "successful", "started"), ProvisionOutcome::Failed);
    assert_eq!(of("", "error", "started"), ProvisionOutcome::Error);
    assert_eq!(
        of("", "", "provisioning"),
        ProvisionOutcome::Pending,
        "a completion time alone is no success"
    );
    assert_eq!(of("", "running", "provisioning"), ProvisionOutcome::Pending);
    assert_eq!(of("", "successful", "destroying"), ProvisionOutcome::Successful);
    assert_eq!(of("levitated", "successful", "started"), ProvisionOutcome::Unknown);
    assert_eq!(of("canceled", "", "destroy-pending"), ProvisionOutcome::Canceled);
}

#[test]
fn the_rate_leaves_out_what_was_canceled_and_is_unknown_without_an_end() {
    let of = |states: &[&str]| Outcomes::of(&states.iter().map(|state| subject(state)).collect::<Vec<_>>());
    let counted = of(&[
        "started",
        "stopped",
        "starting",
        "provision-failed",
        "provision-canceled",
        "provisioning",
        "destroying",
    ]);
    assert_eq!(counted.success_rate(), Some(0.75));
    assert_eq!((counted.canceled, counted.pending, counted.unknown), (1, 1, 1));
    assert_eq!(of(&["provision-canceled", "provisioning"]).success_rate(), None);
}

#[test]
fn retries_wait_longer_each_time() {
    let minutes: Vec<i64> = (0..12).map(|retries| retry_interval(retries).num_minutes()).collect();
    assert_eq!(minutes, [1, 5, 10, 30, 60, 120, 240, 480, 960, 1440, 1440, 1440]);
    assert_eq!(retries_before(TimeDelta::zero()), 0);
    assert_eq!(retries_before(TimeDelta::seconds(59 * 60 + 58)), 4);
    assert_eq!(retries_before(TimeDelta::days(3)), 9);
    let seconds: Vec<i64> = [0, 1, 3, 9, 10, 64, 200]
        .map(|failures| run_retry_interval(failures).num_seconds())
        .into();
    assert_eq!(seconds, [1, 2, 8, 512, 600, 600, 600]);
}

proptest! {
    /// Nothing but the machine's own words is understood, however much a text resembles one of them.
    #[test]
    fn an_unknown_state_is_never_taken_for_another(text in "[a-zA-Z]{0,9}(-| |_)?(failed|started|pending|complete|error)?s?") {
        let known = MACHINE.iter().any(|(state, class, _)| *state == text && *class != SubjectClass::Unknown);
        let subject = subject(&text);
        prop_assert_eq!(SubjectClass::of(&subject) == SubjectClass::Unknown, !known);
        prop_assert_eq!(unrecognized(&subject).is_none(), known);
        if !known {
            prop_assert_eq!(ProvisionOutcome::of(&subject), ProvisionOutcome::Unknown);
        }
    }

    /// What the interval was made of is what is told from it.
    #[test]
    fn a_wait_tells_the_number_of_retries(retries in 0_usize..10, late in 0_i64..50) {
        prop_assert_eq!(retries_before(retry_interval(retries) + TimeDelta::seconds(late)), retries);
    }
}
