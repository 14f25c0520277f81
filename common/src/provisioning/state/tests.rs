use proptest::prelude::*;

use super::*;

fn subject(state: &str) -> AnarchySubject {
    AnarchySubject {
        current_state: state.into(),
        anarchy_finalizer: true,
        ..AnarchySubject::default()
    }
}

/// Every state of the governor, with its class.
const MACHINE: [(&str, SubjectClass); 33] = {
    use SubjectClass as C;
    [
        ("", C::Initializing),
        ("new", C::Initializing),
        ("provision-pending", C::InProgress(Action::Provision)),
        ("provision-queued", C::InProgress(Action::Provision)),
        ("provisioning", C::InProgress(Action::Provision)),
        ("started", C::Started),
        ("provision-failed", C::FailedTerminal),
        ("provision-error", C::FailedTerminal),
        ("provision-canceled", C::FailedTerminal),
        ("stop-pending", C::InProgress(Action::Stop)),
        ("start-pending", C::InProgress(Action::Start)),
        ("stopping", C::InProgress(Action::Stop)),
        ("starting", C::InProgress(Action::Start)),
        ("stopped", C::Stopped),
        ("stop-failed", C::FailedRetrying),
        ("stop-error", C::FailedRetrying),
        ("stop-canceled", C::FailedRetrying),
        ("start-failed", C::FailedRetrying),
        ("start-error", C::FailedRetrying),
        ("start-canceled", C::FailedRetrying),
        ("destroy-pending", C::InProgress(Action::Destroy)),
        ("destroying", C::InProgress(Action::Destroy)),
        ("destroy-failed", C::FailedRetrying),
        ("destroy-error", C::FailedRetrying),
        ("destroy-canceled", C::FailedRetrying),
        ("destroy-complete", C::Gone),
        ("update-pending", C::InProgress(Action::Update)),
        ("updating", C::InProgress(Action::Update)),
        ("update-failed", C::FailedTerminal),
        ("update-error", C::FailedTerminal),
        ("update-canceled", C::FailedTerminal),
        ("provision-cancelled", C::Unknown),
        ("levitating-failed", C::Unknown),
    ]
};

#[test]
fn every_state_of_the_governor_has_its_class() {
    for (state, class) in MACHINE {
        let subject = subject(state);
        assert_eq!(SubjectClass::of(&subject), class, "{state}");
        assert_eq!(unrecognized(&subject).is_some(), class == SubjectClass::Unknown, "{state}");
    }
}

#[test]
fn a_deletion_outweighs_the_state() {
    for (state, _) in MACHINE {
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
        let known = MACHINE.iter().any(|(state, class)| *state == text && *class != SubjectClass::Unknown);
        let subject = subject(&text);
        prop_assert_eq!(SubjectClass::of(&subject) == SubjectClass::Unknown, !known);
        prop_assert_eq!(unrecognized(&subject).is_none(), known);
    }

    /// What the interval was made of is what is told from it.
    #[test]
    fn a_wait_tells_the_number_of_retries(retries in 0_usize..10, late in 0_i64..50) {
        prop_assert_eq!(retries_before(retry_interval(retries) + TimeDelta::seconds(late)), retries);
    }
}
