//! The namespace on its way in and out.

use super::*;
use crate::evidence::testing::{World, ago, condition, event, hours, meta, minutes};
use crate::objects::Subject;

fn value(world: &World, name: &str) -> Value {
    observe(&world.view()).observations[name].value.clone()
}

fn terminating(age: TimeDelta) -> World {
    let mut world = World::new();
    let namespace = &mut world.inventory.namespace.items[0];
    namespace.metadata.deletion_timestamp = Some(ago(age));
    namespace.status.phase = "Terminating".to_owned();
    let mut held = condition("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain");
    held.message = "kubevirt.io/finalizer in 1 resource instances".to_owned();
    namespace.status.conditions = vec![held];
    world
}

#[test]
fn active_is_there() {
    assert_eq!(value(&World::new(), "namespace_exists"), Value::Bool(true));
    assert_eq!(value(&World::new(), "teardown_stuck"), Value::Bool(false));
}

#[test]
fn a_namespace_that_does_not_exist_is_false_and_one_that_was_not_read_is_unknown() {
    let mut world = World::new();
    world.inventory.namespace = Listing::complete(Vec::new());
    assert_eq!(value(&world, "namespace_exists"), Value::Bool(false));
    world.inventory.namespace = Listing::unknown(UnknownReason::Forbidden);
    assert_eq!(value(&world, "namespace_exists"), Value::Unknown(UnknownReason::Forbidden));
    assert_eq!(value(&world, "teardown_stuck"), Value::Unknown(UnknownReason::Forbidden));
}

#[test]
fn leaving_is_unknown_for_two_hours_and_then_stuck_with_what_holds_it() {
    assert_eq!(
        value(&terminating(minutes(5)), "namespace_exists"),
        Value::Unknown(UnknownReason::Terminating)
    );
    let world = terminating(hours(3));
    let evidence = observe(&world.view());
    assert_eq!(evidence.observations["teardown_stuck"].value, Value::Bool(true));
    let exists = &evidence.observations["namespace_exists"];
    assert_eq!(exists.value, Value::Bool(false));
    assert_eq!(
        exists.failing[0].reason,
        "being deleted (kubevirt.io/finalizer in 1 resource instances) for 3 h 00 min"
    );
}

#[test]
fn a_destroy_that_failed_two_hours_ago_is_stuck_too() {
    let mut world = World::new();
    let subject = Subject {
        name: "s".to_owned(),
        current_state: "destroy-failed".to_owned(),
        state_since: Some(ago(hours(2))),
        ..Subject::default()
    };
    world.inventory.subjects = Listing::complete(vec![subject]);
    assert_eq!(value(&world, "teardown_stuck"), Value::Bool(true));
    world.inventory.subjects.items[0].state_since = Some(ago(hours(1)));
    assert_eq!(value(&world, "teardown_stuck"), Value::Bool(false));
}

#[test]
fn a_quota_is_used_up_at_its_limit_and_a_limit_of_zero_is_a_ban() {
    let mut world = World::new();
    let mut quota = ResourceQuota {
        metadata: meta("sandbox"),
        ..ResourceQuota::default()
    };
    let pairs = |pairs: [(&str, &str); 3]| pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    quota.status.hard = pairs([("pods", "20"), ("requests.cpu", "4"), ("services.loadbalancers", "0")]);
    quota.status.used = pairs([("pods", "19"), ("requests.cpu", "3900m"), ("services.loadbalancers", "0")]);
    world.inventory.quotas = Listing::complete(vec![quota]);
    assert_eq!(value(&world, "quota_not_exhausted"), Value::Bool(true));
    let used = &mut world.inventory.quotas.items[0].status.used;
    used.insert("requests.cpu".to_owned(), "4000m".to_owned());
    let evidence = observe(&world.view());
    assert_eq!(
        evidence.observations["quota_not_exhausted"].failing[0].reason,
        "requests.cpu 4000m of 4"
    );
}

#[test]
fn an_exhausted_quota_brings_what_it_refused() {
    let mut world = World::new();
    let mut quota = ResourceQuota {
        metadata: meta("sandbox"),
        ..ResourceQuota::default()
    };
    quota.status.hard = [("pods".to_owned(), "2".to_owned())].into();
    quota.status.used = [("pods".to_owned(), "2".to_owned())].into();
    world.inventory.quotas = Listing::complete(vec![quota]);
    let refused = |name: &str, age| {
        let message = format!("pods \"{name}\" is forbidden: exceeded quota: sandbox");
        event("ReplicaSet", name, "FailedCreate", &message, age)
    };
    let world = world.events([
        refused("old", hours(1)),
        refused("new", minutes(1)),
        event("Pod", "web", "BackOff", "Back-off restarting", minutes(1)),
    ]);
    let signals = observe(&world.view()).signals;
    assert_eq!(signals.len(), 2);
    assert!(signals[0].text.contains("new"), "{signals:?}");
}
