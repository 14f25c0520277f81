//! The state table, row by row.

use super::*;
use crate::evidence::testing::{World, ago, hours, minutes};
use crate::objects::Listing;

fn subject(current: &str, desired: &str, job: &str) -> Subject {
    Subject {
        name: format!("acme.lab.prod-q7f2k-{current}"),
        current_state: current.to_owned(),
        desired_state: desired.to_owned(),
        provision_job_status: job.to_owned(),
        created_at: Some(ago(minutes(30))),
        state_since: Some(ago(minutes(10))),
        ..Subject::default()
    }
}

fn world(subjects: Vec<Subject>) -> World {
    let mut world = World::new();
    let labels = &mut world.inventory.namespace.items[0].metadata.labels;
    labels.insert("created-by".to_owned(), "sandbox-api".to_owned());
    world.inventory.subjects = Listing::complete(subjects);
    world
}

/// Job, started and no errors, as `y`, `n` or the reason.
fn short(subjects: Vec<Subject>) -> [String; 3] {
    let evidence = observe(&world(subjects).view());
    ["provision_job_succeeded", "state_is_started", "no_error_conditions"].map(|name| match &evidence.observations[name].value {
        Value::Bool(true) => "y".to_owned(),
        Value::Bool(false) => "n".to_owned(),
        Value::Unknown(reason) => reason.to_string(),
        other => format!("{other:?}"),
    })
}

#[test]
fn the_state_table() {
    let (p, s) = ("progressing", "intentionally_stopped");
    for (current, desired, job, expected) in [
        ("", "started", "", [p, p, "y"]),
        ("provision-queued", "started", "", [p, p, "y"]),
        ("provision-pending", "started", "", [p, p, "y"]),
        ("provisioning", "started", "running", [p, p, "y"]),
        ("provision-failed", "started", "failed", ["n", "n", "y"]),
        ("provision-error", "started", "", ["n", "n", "y"]),
        ("provision-canceled", "started", "canceled", ["n", "n", "y"]),
        ("started", "started", "successful", ["y", "y", "y"]),
        ("started", "stopped", "successful", ["y", s, "y"]),
        ("starting", "started", "successful", ["y", p, "y"]),
        ("update-pending", "started", "successful", ["y", p, "y"]),
        ("start-error", "started", "successful", ["y", "n", "y"]),
        ("update-canceled", "started", "successful", ["y", "n", "y"]),
        ("stopped", "stopped", "successful", ["y", s, "y"]),
        ("stopping", "stopped", "successful", ["y", s, "y"]),
        ("stopped", "started", "successful", ["y", p, "y"]),
        ("stop-failed", "stopped", "successful", ["y", s, "n"]),
        ("started", "started", "", ["y", "y", "y"]),
        ("started", "started", "failed", ["n", "y", "y"]),
        ("levitating", "started", "", ["unrecognized_state", "unrecognized_state", "y"]),
        (
            "provision-strange",
            "started",
            "",
            ["unrecognized_state", "unrecognized_state", "y"],
        ),
    ] {
        assert_eq!(
            short(vec![subject(current, desired, job)]),
            expected.map(str::to_owned),
            "{current}, wanted {desired}, job {job}"
        );
    }
}

#[test]
fn budgets_end() {
    let mut late = subject("provisioning", "started", "running");
    late.created_at = Some(ago(hours(3)));
    assert_eq!(short(vec![late])[0], "n");
    let mut late = subject("stopped", "started", "successful");
    late.state_since = Some(ago(minutes(16)));
    assert_eq!(short(vec![late])[1], "n");
    let mut queued = subject("provision-queued", "started", "");
    queued.created_at = Some(ago(hours(9)));
    assert_eq!(short(vec![queued])[0], "progressing", "time in the queue does not count");
}

#[test]
fn one_component_still_provisioning_keeps_the_service_waiting() {
    let both = vec![
        subject("started", "started", "successful"),
        subject("provisioning", "started", "running"),
    ];
    assert_eq!(short(both), ["progressing", "progressing", "y"].map(str::to_owned));
}

#[test]
fn what_is_being_destroyed_does_not_count() {
    let gone = Subject {
        deleting: true,
        ..subject("provision-failed", "started", "failed")
    };
    assert_eq!(short(vec![gone, subject("started", "started", "successful")])[0], "y");
}

#[test]
fn health_outweighs_the_last_run() {
    let mut told = subject("started", "started", "successful");
    told.run_status = "failed".to_owned();
    assert_eq!(short(vec![told.clone()])[2], "n");
    told.healthy = Some(true);
    assert_eq!(short(vec![told.clone()])[2], "y");
    told.healthy = Some(false);
    assert_eq!(short(vec![told])[2], "n");
}

#[test]
fn a_record_that_was_not_read_is_unknown_and_one_that_cannot_be_is_not_asked_for() {
    let mut unread = world(Vec::new());
    unread.inventory.subjects = Listing::default();
    let exists = observe(&unread.view()).observations["anarchysubject_exists"].value.clone();
    assert_eq!(exists, Value::Unknown(UnknownReason::NotCollected));
    let none = observe(&world(Vec::new()).view()).observations["anarchysubject_exists"]
        .value
        .clone();
    assert_eq!(none, Value::Bool(false));
    assert!(observe(&World::new().view()).observations.is_empty(), "not made by the Sandbox API");
}
