use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::provisioning::ObjectRef;
use crate::provisioning::subject::{ActionTimes, ActiveAction, TowerJob};

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(1000)
}

fn ago(minutes: i64) -> Option<DateTime<Utc>> {
    Some(now() - TimeDelta::minutes(minutes))
}

/// A subject of 40 days in that state, with nothing scheduled.
fn subject(state: &str) -> AnarchySubject {
    AnarchySubject {
        namespace: "babylon-anarchy-1".into(),
        name: "acme-labs.mesh.event-k7m2q".into(),
        created_at: ago(40 * 24 * 60),
        anarchy_finalizer: true,
        current_state: state.into(),
        ..AnarchySubject::default()
    }
}

fn deleted(state: &str, minutes: i64) -> AnarchySubject {
    AnarchySubject {
        deleting_since: ago(minutes),
        ..subject(state)
    }
}

fn action(name: &str, started: i64, completed: Option<i64>) -> BTreeMap<String, ActionTimes> {
    let times = ActionTimes {
        started_at: ago(started),
        completed_at: completed.and_then(ago),
        ..ActionTimes::default()
    };
    [(name.to_owned(), times)].into()
}

fn run(runner: &str, minutes: i64, message: &str) -> AnarchyRun {
    AnarchyRun {
        namespace: "babylon-anarchy-1".into(),
        name: "run-1".into(),
        subject: "acme-labs.mesh.event-k7m2q".into(),
        created_at: ago(minutes),
        runner: runner.into(),
        failures: 7,
        message: message.into(),
        ..AnarchyRun::default()
    }
}

fn kind(subject: &AnarchySubject) -> Option<StuckKind> {
    stuck(subject, &[], &[], now()).map(|stuck| stuck.kind)
}

/// First row: deletion timestamp, Anarchy's finalizer, no action, no runs, older than 15 minutes.
#[test]
fn a_teardown_without_anything_scheduled_is_stuck() {
    let mut subject = deleted("provision-failed", 20);
    subject.run_status = "failed".into();
    let verdict = stuck(&subject, &[], &[], now()).unwrap();
    assert_eq!(verdict.kind, StuckKind::TeardownNotScheduled);
    assert_eq!(verdict.since, ago(20).unwrap(), "from the deletion, not from the creation");
    assert_eq!(
        verdict.detail,
        "deleted while provision-failed, and nothing is scheduled that would destroy it, its last governor run is failed"
    );
    // Created long ago, deleted just now.
    assert_eq!(kind(&deleted("provision-failed", 14)), None);
    subject.pending_actions = 1;
    assert_eq!(kind(&subject), None);
}

#[test]
fn what_only_a_foreign_finalizer_keeps_is_not_stuck() {
    let mut subject = deleted("destroy-failed", 30 * 24 * 60);
    subject.anarchy_finalizer = false;
    subject.foreign_finalizers = vec!["demo.redhat.com/reporting".into()];
    assert_eq!(kind(&subject), None);
    subject.anarchy_finalizer = true;
    assert_eq!(kind(&subject), Some(StuckKind::TeardownNotScheduled));
}

/// Second row: `destroy-failed` whose next try lies ahead is retrying; only the number of retries alerts.
#[test]
fn a_destroy_that_is_tried_again_is_not_stuck_until_it_failed_often() {
    let mut subject = deleted("destroy-failed", 300);
    subject.actions = action("destroy", 290, Some(4));
    let after = |minutes: i64| {
        Some(ActiveAction {
            name: "destroy-1".into(),
            after: ago(-minutes),
        })
    };
    subject.active_action = after(26);
    assert_eq!(kind(&subject), None);
    let waits = retrying(&subject, now()).unwrap();
    assert_eq!(
        (waits.action, waits.next, waits.retries),
        (Action::Destroy, ago(-26).unwrap(), Some(3))
    );
    subject.active_action = after(56);
    let verdict = stuck(&subject, &[], &[], now()).unwrap();
    assert_eq!(verdict.kind, StuckKind::ManyRetries);
    assert!(verdict.detail.contains("after at least 4 retries"), "{}", verdict.detail);
    // Its time came and passed.
    subject.active_action = after(-16);
    assert_eq!(
        (kind(&subject), retrying(&subject, now())),
        (Some(StuckKind::NoRetryScheduled), None)
    );
    subject.active_runs = vec!["run-1".into()];
    assert_eq!(kind(&subject), None);
}

#[test]
fn a_stop_that_nobody_tries_again_is_stuck() {
    for state in ["stop-failed", "stop-error", "stop-canceled"] {
        let mut subject = subject(state);
        assert_eq!(kind(&subject), None, "nobody knows since when");
        subject.actions = action("stop", 25, Some(20));
        assert_eq!(kind(&subject), Some(StuckKind::NoRetryScheduled));
        subject.active_action = Some(ActiveAction {
            name: "stop-2".into(),
            after: ago(-3),
        });
        assert_eq!(kind(&subject), None);
    }
}

/// Third row: pending for long with a failed run is the platform's fault, with the run's own words.
#[test]
fn a_pending_subject_with_failed_runs_is_a_fault_of_the_platform() {
    for (state, runner) in [
        ("provision-pending", "failed"),
        ("provision-queued", "lost"),
        ("stop-pending", "failed"),
        ("", "failed"),
    ] {
        let runs = [run(runner, 16, "Sandbox API answered 503")];
        let verdict = stuck(&subject(state), &runs, &[], now()).unwrap();
        assert_eq!(verdict.kind, StuckKind::PlatformFault, "{state}");
        assert!(verdict.kind.is_shared());
        assert_eq!(
            verdict.detail,
            format!("its governor run run-1 is {runner} after 7 failures: Sandbox API answered 503")
        );
        assert_eq!(verdict.since, ago(16).unwrap());
    }
    let fresh = AnarchySubject {
        created_at: ago(5),
        ..subject("provision-pending")
    };
    assert_eq!(stuck(&fresh, &[run("failed", 4, "")], &[], now()), None);
    let other = AnarchyRun {
        subject: "another".into(),
        ..run("failed", 60, "")
    };
    assert_eq!(stuck(&fresh, &[other], &[], now()), None);
    // The failed run of an action that came to its end explains nothing.
    assert_eq!(stuck(&subject("started"), &[run("failed", 60, "")], &[], now()), None);
}

#[test]
fn pending_alone_is_long_after_half_an_hour_and_a_queue_never_is() {
    let mut pending = subject("provision-pending");
    pending.created_at = ago(29);
    assert_eq!(kind(&pending), None);
    pending.created_at = ago(31);
    assert_eq!(kind(&pending), Some(StuckKind::PendingLong));
    let queued = subject("provision-queued");
    assert_eq!(kind(&queued), None);
    // The times of the start before this one tell nothing.
    let mut starting = subject("start-pending");
    starting.actions = action("start", 500, Some(490));
    assert_eq!(kind(&starting), None);
    assert_eq!(
        kind(&AnarchySubject {
            created_at: ago(16),
            ..subject("")
        }),
        Some(StuckKind::NotInitialized)
    );
}

/// Fourth row: the job is over and the subject does not know.
#[test]
fn a_finished_job_of_a_subject_that_still_provisions_is_a_missed_callback() {
    let mut subject = subject("provisioning");
    subject.created_at = ago(200);
    let job = TowerJob {
        host: "aap-a.example.test".into(),
        id: Some(41_872),
        started_at: ago(197),
        ..TowerJob::default()
    };
    subject.jobs = [("provision".to_owned(), job)].into();
    let of = |host: &str, finished: Option<i64>| AapJob {
        controller: host.into(),
        id: 41_872,
        status: "successful".into(),
        finished_at: finished.and_then(ago),
        ..AapJob::default()
    };
    let at = |jobs: &[AapJob]| stuck(&subject, &[], jobs, now());
    let verdict = at(&[of("aap-a.example.test", Some(17))]).unwrap();
    assert_eq!(verdict.kind, StuckKind::MissedCallback);
    assert_eq!(
        verdict.detail,
        "its provision job 41872 on aap-a.example.test is successful, and the subject is still provisioning"
    );
    assert_eq!(at(&[of("aap-a.example.test", Some(3))]), None, "the next poll will see it");
    // The same number on another controller is another job; without the job it is only overdue.
    assert_eq!(at(&[of("aap-b.example.test", Some(170))]).unwrap().kind, StuckKind::JobOverdue);
    assert_eq!(at(&[of("aap-a.example.test", None)]).unwrap().kind, StuckKind::JobOverdue);
    assert_eq!(at(&[]).unwrap().since, ago(197).unwrap());
}

#[test]
fn an_action_may_take_as_long_as_a_job() {
    let mut stopping = subject("stopping");
    stopping.actions = action("stop", 194, None);
    assert_eq!(kind(&stopping), None);
    stopping.actions = action("stop", 196, None);
    assert_eq!(kind(&stopping), Some(StuckKind::JobOverdue));
    let mut destroying = deleted("destroying", 119);
    destroying.active_action = Some(ActiveAction::default());
    assert_eq!(kind(&destroying), None);
    destroying.deleting_since = ago(121);
    assert_eq!(kind(&destroying), Some(StuckKind::TeardownOverdue));
}

/// Fifth row: runs that do not exist, or are on a pod that does not.
#[test]
fn a_run_that_nobody_runs_is_orphaned() {
    let mut waits = subject("stopping");
    waits.active_runs = vec!["run-9".into()];
    assert_eq!(kind(&waits), None, "it was not asked for, or it is there");
    waits.missing_runs = Some(vec!["run-9".into()]);
    assert_eq!(kind(&waits), Some(StuckKind::OrphanedRun));
    waits.created_at = ago(10);
    assert_eq!(kind(&waits), None);
    let on_pod = |missing, minutes| AnarchyRun {
        pod_missing: missing,
        ..run("anarchy-runner-5d9", minutes, "")
    };
    let of = |run| stuck(&subject("stopping"), &[run], &[], now()).map(|stuck| stuck.kind);
    assert_eq!(of(on_pod(Some(true), 16)), Some(StuckKind::OrphanedRun));
    assert_eq!(of(on_pod(Some(true), 14)), None);
    assert_eq!(of(on_pod(Some(false), 16)), None);
    assert_eq!(of(on_pod(None, 16)), None, "unknown");
}

#[test]
fn a_canceled_order_is_a_dead_seat() {
    let mut canceled = subject("provision-canceled");
    assert_eq!(kind(&canceled), None, "no order, no seat");
    canceled.claim = Some(ObjectRef {
        namespace: "user-a".into(),
        name: "mesh-1".into(),
    });
    let verdict = stuck(&canceled, &[], &[], now()).unwrap();
    assert_eq!(verdict.kind, StuckKind::DeadSeat);
    assert!(verdict.detail.contains("user-a/mesh-1"), "{}", verdict.detail);
}

#[test]
fn what_the_operator_ignores_is_stuck_only_on_its_way() {
    for (state, expected) in [
        ("started", None),
        ("levitating", None),
        ("", Some(StuckKind::Ignored)),
        ("provision-pending", Some(StuckKind::Ignored)),
    ] {
        let ignored = AnarchySubject {
            ignored: true,
            ..subject(state)
        };
        assert_eq!(kind(&ignored), expected, "{state}");
    }
}

proptest! {
    /// A verdict needs time to pass, never comes from the age of the object alone, and what is gone has none.
    #[test]
    fn verdicts_rest_on_times(
        state in prop::sample::select(vec!["", "started", "stopped", "provision-pending", "provisioning", "starting", "destroying",
            "destroy-failed", "stop-failed", "provision-failed", "provision-canceled", "levitating"]),
        created in 0_i64..100_000, deleted in prop::option::of(0_i64..100_000), finalizer: bool, attended: bool,
    ) {
        let subject = AnarchySubject {
            created_at: ago(created),
            deleting_since: deleted.and_then(ago),
            anarchy_finalizer: finalizer,
            active_action: attended.then(ActiveAction::default),
            ..subject(state)
        };
        let verdict = stuck(&subject, &[], &[], now());
        if let Some(Stuck { since, detail, .. }) = &verdict {
            prop_assert!(*since <= now());
            prop_assert!(!detail.is_empty());
        }
        if deleted.is_some() {
            prop_assert!(finalizer || verdict.is_none());
            let since = verdict.map(|verdict| verdict.since);
            prop_assert!(since.is_none_or(|since| Some(since) == subject.deleting_since), "measured from the deletion");
        }
        let at_deletion = deleted.is_some() && stuck(&subject, &[], &[], subject.deleting_since.unwrap()).is_some();
        prop_assert!(!at_deletion, "nothing is stuck at the moment of its deletion");
    }
}
