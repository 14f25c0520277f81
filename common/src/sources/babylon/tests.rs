//! What is read of objects in the forms that several versions give them. Faults of the wire are in `tests/tests/collect_babylon.rs`.

use serde_json::{Value, json};

use super::wire::Wire;
use super::*;

fn subject(status: &Value) -> AnarchySubject {
    let object = json!({"metadata": {"uid": "u", "name": "s", "namespace": "n", "finalizers": ["anarchy.gpte.redhat.com", "demo.redhat.com/reporting"]},
        "spec": {"vars": {"default_desired_state": "started", "check_status_state": null}}, "status": status});
    let wire: anarchy::Subject = serde_json::from_value(object).unwrap();
    wire.keep().unwrap()
}

#[test]
fn jobs_are_read_in_every_form_and_the_newest_counts() {
    let (old, new) = (
        json!({"deployerJob": 1, "jobStatus": "failed", "startTimestamp": "2031-03-04T09:00:00Z"}),
        json!({"deployerJob": "2", "jobStatus": "successful", "startTimestamp": "2031-03-04T10:00:00Z", "towerJobURL": "aap#/jobs/2/"}),
    );
    for form in [
        json!({"provision": new}),
        json!({"provision": [new, old]}),
        json!([old, new]),
        json!([{"action": "destroy", "deployerJob": 9}, old, new]),
    ] {
        let read = subject(&json!({"towerJobs": form}));
        assert_eq!(
            (read.jobs["provision"].id, read.jobs["provision"].status.as_str()),
            (Some(2), "successful"),
            "{form}"
        );
    }
    assert!(subject(&json!({"towerJobs": null})).jobs.is_empty());
    // Names of actions are a closed set: what a governor invents is not kept.
    let odd = json!({"actions": {"hunter2": {"state": "failed"}, "stop": {"status": "successful"}}, "sandboxAPIJobs": {"start": {"jobStatus": "failed"}}});
    let read = subject(&odd);
    assert_eq!(read.actions.keys().collect::<Vec<_>>(), ["stop"]);
    assert_eq!(
        (read.actions["stop"].state.as_str(), read.sandbox_jobs["start"].as_str()),
        ("successful", "failed")
    );
}

#[test]
fn what_is_missing_is_unknown() {
    let read = subject(&Value::Null);
    assert_eq!(
        (
            read.healthy,
            read.created_at,
            read.current_state.as_str(),
            read.desired_state.as_str()
        ),
        (None, None, "", "started")
    );
    assert!(read.anarchy_finalizer);
    assert_eq!(read.foreign_finalizers, ["demo.redhat.com/reporting"]);
    let handle: poolboy::Handle = serde_json::from_value(json!({"metadata": {"uid": "h", "name": "guid-a", "labels": {"poolboy.gpte.redhat.com/resource-pool-name": "mesh"}},
        "spec": {"resources": [{"reference": {"kind": "AnarchySubject", "name": "s", "namespace": "n"}, "provider": {"name": "p"}}]},
        "status": {"resources": [{"waitingFor": "ResourceClaim"}, {"waitingFor": "ResourceClaim", "reference": {"kind": "Secret", "name": "x"}}]}}))
    .unwrap();
    let handle = handle.keep().unwrap();
    assert_eq!((handle.ready, handle.healthy, handle.claim), (None, None, None));
    assert_eq!(
        (handle.pool.unwrap().name.as_str(), handle.subjects.len(), handle.waiting_for.len()),
        ("mesh", 1, 1)
    );
    let pool: poolboy::Pool =
        serde_json::from_value(json!({"metadata": {"uid": "p", "name": "mesh"}, "spec": {"minAvailable": 3}})).unwrap();
    let pool = pool.keep().unwrap();
    assert_eq!((pool.available, pool.ready, pool.min_available), (None, None, 3));
}

#[test]
fn what_is_there_and_cannot_be_understood_is_an_error() {
    for wrong in [
        json!({"metadata": {"uid": "p", "name": "mesh", "deletionTimestamp": "soon"}}),
        json!({"metadata": {"uid": "p", "name": "mesh"}, "spec": {"minAvailable": "many"}}),
        json!({"metadata": {"uid": "p", "name": "mesh"}, "status": {"resourceHandles": [{"name": "a", "ready": "perhaps"}]}}),
    ] {
        assert!(serde_json::from_value::<poolboy::Pool>(wrong.clone()).is_err(), "{wrong}");
    }
    let nameless: poolboy::Pool = serde_json::from_value(json!({"metadata": {"name": "mesh"}})).unwrap();
    assert!(nameless.keep().is_err());
}
