use super::*;
use crate::evidence::testing::{World, hours, minutes, pod, pod_of, probe, route, service, slice};
use crate::objects::network::ProbeFailure;
use crate::objects::{Listing, Probe};

fn said(world: &World, name: &str) -> Observation {
    observe(&world.view()).observations.remove(name).expect("a name of this stage")
}

fn value(world: &World, name: &str) -> Value {
    said(world, name).value
}

const TRUE: Value = Value::Bool(true);
const FALSE: Value = Value::Bool(false);

const fn unknown(reason: UnknownReason) -> Value {
    Value::Unknown(reason)
}

/// A showroom with that pod, not probed.
fn unprobed(pod: Pod) -> World {
    World::new()
        .routes([route("git"), route("showroom")])
        .services([service("git"), service("showroom")])
        .endpoint_slices([slice("git", 1), slice("showroom", 1)])
        .pods([pod])
}

fn content() -> Pod {
    pod_of("showroom", "6d769469cf").label("app", "showroom")
}

fn healthy() -> World {
    unprobed(content()).probes([
        probe(ProbeKind::Route, "git"),
        probe(ProbeKind::ShowroomReadiness, "showroom"),
        probe(ProbeKind::ShowroomContent, "showroom"),
    ])
}

/// The showroom with both probes changed.
fn probed(change: impl Fn(&mut Probe)) -> World {
    let mut world = healthy();
    for probe in world.inventory.probes.items.iter_mut().filter(|probe| probe.target == "showroom") {
        change(probe);
    }
    world
}

#[test]
fn says_every_name_and_nothing_else() {
    let said: Vec<&str> = observe(&healthy().view()).observations.into_keys().collect();
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(said, names);
}

#[test]
fn a_healthy_showroom_is_true_everywhere() {
    for (name, observation) in observe(&healthy().view()).observations {
        assert_eq!(observation.value, TRUE, "{name}");
    }
}

#[test]
fn what_nobody_asked_is_not_known() {
    let world = unprobed(content());
    assert_eq!(value(&world, "showroom_pod_running"), TRUE);
    for name in [
        "showroom_route_reachable",
        "readyz_returns_200",
        "content_loaded",
        "response_time_acceptable",
    ] {
        assert_eq!(value(&world, name), unknown(UnknownReason::NotProbed), "{name}");
    }
}

#[test]
fn where_the_showroom_is() {
    let found = |world: &World| -> Vec<String> { find(&world.view()).targets.iter().map(|target| target.meta.name.clone()).collect() };
    assert_eq!(found(&healthy()), ["showroom"]);
    let labelled = World::new().routes([route("lab").label("app.kubernetes.io/name", "showroom"), route("git")]);
    assert_eq!(found(&labelled), ["lab"]);
    let by_service = World::new().routes([route("lab").to("showroom"), route("git")]);
    assert_eq!(found(&by_service), ["lab"]);
    let by_label = World::new()
        .routes([route("lab").to("docs")])
        .services([service("docs").label("app.kubernetes.io/name", "showroom")]);
    assert_eq!(found(&by_label), ["lab"]);
    let users = World::new().routes([route("showroom-user1"), route("user2-showroom"), route("showrooms")]);
    assert_eq!(found(&users), ["showroom-user1", "user2-showroom"]);
}

#[test]
fn without_showroom_nothing_can_be_read() {
    let world = World::new().routes([route("git")]).services([service("git")]);
    assert_eq!(value(&world, "showroom_route_reachable"), FALSE);
    let mut unread = world;
    unread.inventory.services = Listing::unknown(UnknownReason::Forbidden);
    assert_eq!(value(&unread, "showroom_route_reachable"), unknown(UnknownReason::Forbidden));
}

#[test]
fn pods_behind_the_service_decide() {
    let twelve = || {
        let mut pod = content();
        let one = pod.status.container_statuses[0].clone();
        pod.status.container_statuses = (0..12)
            .map(|index| crate::objects::workload::ContainerStatus {
                name: format!("terminal-{index}"),
                ready: index != 7,
                ..one.clone()
            })
            .collect();
        let mut condition = crate::evidence::testing::condition("Ready", "False", "ContainersNotReady");
        condition.last_transition_time = pod.metadata.creation_timestamp;
        pod.status.conditions = vec![condition];
        pod
    };
    let down = said(&unprobed(twelve()), "showroom_pod_running");
    assert_eq!(down.value, FALSE);
    assert_eq!(
        down.failing[0].reason,
        "pod showroom-6d769469cf-x2x4z: container terminal-7 not ready"
    );
    let cases = [
        ("init container loops", unprobed(init_loop()), FALSE),
        (
            "starting",
            unprobed(content().unready().age(minutes(1))),
            unknown(UnknownReason::Progressing),
        ),
        ("another pod", unprobed(pod("other")), FALSE),
        (
            "stopped",
            unprobed(twelve()).intent(Intent::Stopped, hours(1)),
            unknown(UnknownReason::IntentionallyStopped),
        ),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "showroom_pod_running"), expected, "{case}");
    }
    let mut unread = unprobed(content());
    unread.inventory.pods = Listing::default();
    assert_eq!(value(&unread, "showroom_pod_running"), unknown(UnknownReason::NotCollected));
    assert!(!observe(&unprobed(init_loop()).view()).signals.is_empty());
}

fn init_loop() -> Pod {
    let mut pod = content().unready().age(minutes(1));
    pod.status.init_container_statuses = content().crash_loops(9, "Error", 128).status.container_statuses;
    pod
}

#[test]
fn a_route_that_answers_is_reachable() {
    for (status, expected) in [(200, TRUE), (302, TRUE), (403, TRUE), (404, TRUE), (500, FALSE), (503, FALSE)] {
        let world = probed(|probe| probe.status = Some(status));
        assert_eq!(value(&world, "showroom_route_reachable"), expected, "{status}");
    }
    let down = probed(|probe| {
        probe.status = None;
        probe.failure = Some(ProbeFailure::Unreachable("certificate expired".to_owned()));
    });
    assert_eq!(value(&down, "showroom_route_reachable"), FALSE);
    let mut degraded = healthy();
    degraded.inventory.probes.items[1].status = Some(503);
    assert_eq!(value(&degraded, "showroom_route_reachable"), TRUE);
    assert_eq!(value(&degraded, "readyz_returns_200"), FALSE);
}

#[test]
fn readiness_by_a_second_best_path_is_graded() {
    let world = probed(|probe| probe.fallback = true);
    let readiness = said(&world, "readyz_returns_200");
    assert_eq!((readiness.value, readiness.grade), (TRUE, Grade::Fallback));
}

#[test]
fn content_is_a_page_of_some_substance() {
    let showing = |status, content| {
        value(
            &probed(|probe| {
                probe.status = Some(status);
                probe.content = content;
            }),
            "content_loaded",
        )
    };
    assert_eq!(showing(200, Some(Content::Page)), TRUE);
    assert_eq!(showing(200, Some(Content::Missing)), FALSE);
    assert_eq!(showing(404, Some(Content::Missing)), FALSE);
    assert_eq!(showing(503, None), FALSE);
    assert_eq!(showing(200, Some(Content::Login)), unknown(UnknownReason::NotProbed));
    assert_eq!(showing(401, None), unknown(UnknownReason::NotProbed));
    assert_eq!(showing(200, None), unknown(UnknownReason::ParseError));
}

#[test]
fn slow_is_five_seconds() {
    let taking = |ms| value(&probed(|probe| probe.duration_ms = Some(ms)), "response_time_acceptable");
    assert_eq!(taking(4999), TRUE);
    assert_eq!(taking(5000), FALSE);
}
