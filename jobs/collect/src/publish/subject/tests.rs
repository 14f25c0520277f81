use chrono::TimeDelta;
use stargate_common::db::links::Written;
use stargate_common::provisioning::link::{InstanceNode, World, resolve};
use stargate_common::provisioning::subject::{ActionTimes, TowerJob};

use super::*;

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(22_000) + TimeDelta::minutes(minutes)
}

fn times(began: i64, ended: Option<i64>) -> ActionTimes {
    ActionTimes {
        started_at: Some(at(began)),
        completed_at: ended.map(at),
        ..ActionTimes::default()
    }
}

fn subject(state: &str, desired: &str) -> AnarchySubject {
    AnarchySubject {
        uid: "s1".to_owned(),
        name: "acme.web.event-k7m2q".to_owned(),
        current_state: state.to_owned(),
        desired_state: desired.to_owned(),
        service_uuid: "u1".to_owned(),
        created_at: Some(at(0)),
        actions: [
            ("provision".to_owned(), times(1, Some(20))),
            ("stop".to_owned(), times(60, Some(65))),
        ]
        .into(),
        ..AnarchySubject::default()
    }
}

fn since(subject: &AnarchySubject, seen: Option<(&str, i64)>) -> Option<i64> {
    let entered = seen.map(|(state, minute)| subject_states::Entered {
        state: state.to_owned(),
        at: at(minute),
    });
    let evidence = evidence_of(subject, entered.as_ref(), at(100));
    evidence.state_since.map(|since| (since - at(0)).num_minutes())
}

#[test]
fn a_state_began_when_it_was_seen_to_else_when_its_action_says() {
    assert_eq!(since(&subject("started", "started"), None), Some(20));
    assert_eq!(since(&subject("started", "started"), Some(("started", 22))), Some(22));
    assert_eq!(
        since(&subject("started", "started"), Some(("provisioning", 1))),
        Some(20),
        "what was seen is over"
    );
    assert_eq!(since(&subject("provisioning", "started"), None), Some(1));
    assert_eq!(since(&subject("provision-failed", "started"), None), Some(20));
    assert_eq!(since(&subject("stopping", "stopped"), None), Some(60));
    assert_eq!(since(&subject("stopped", "stopped"), None), Some(65));
    assert_eq!(since(&subject("", "started"), None), Some(0));
    assert_eq!(since(&subject("levitating", "started"), None), None);
}

#[test]
fn a_start_is_due_since_it_was_asked_for() {
    let mut wanted = subject("stopped", "started");
    wanted.schedule.start = Some(at(95));
    assert_eq!(since(&wanted, None), Some(95));
    wanted.schedule.start = Some(at(500));
    assert_eq!(since(&wanted, None), Some(65), "a plan for later asks for nothing yet");
}

#[test]
fn a_provision_job_is_named_and_says_how_it_went() {
    let mut failed = subject("provision-failed", "started");
    let job = TowerJob {
        host: "aap-1.example.test".to_owned(),
        id: Some(4711),
        status: "failed".to_owned(),
        ..TowerJob::default()
    };
    failed.jobs = [("provision".to_owned(), job)].into();
    let evidence = evidence_of(&failed, None, at(100));
    assert_eq!(evidence.provision_job, "aap-1.example.test/4711");
    assert_eq!(evidence.provision_job_status, "failed");
    // Without a job, what Anarchy says of the action.
    failed.jobs.clear();
    failed.actions = [(
        "provision".to_owned(),
        ActionTimes {
            state: "error".to_owned(),
            ..times(1, Some(2))
        },
    )]
    .into();
    assert_eq!(evidence_of(&failed, None, at(100)).provision_job_status, "error");
}

#[test]
fn a_cluster_is_covered_by_something_that_was_provisioned_to_it() {
    let instance = |id: &str, cluster: &str, uuid: &str| InstanceNode {
        id: id.to_owned(),
        cluster: cluster.to_owned(),
        namespace: format!("sandbox-{id}-web"),
        service_uuid: uuid.to_owned(),
        created_at: Some(at(5)),
        ..InstanceNode::default()
    };
    let world = World {
        subjects: vec![subject("started", "started")],
        instances: vec![instance("k7m2q", "east", "u1"), instance("zzzzz", "west", "other")],
        ..World::default()
    };
    let resolved = resolve(&world);
    let joined = Joined {
        world,
        resolved,
        written: Written::default(),
    };
    assert_eq!(covered(&joined), ["east".to_owned()].into());
}
