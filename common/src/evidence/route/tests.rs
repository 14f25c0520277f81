use super::*;
use crate::evidence::controllers::ORIGINAL_REPLICAS;
use crate::evidence::testing::{
    World, core_endpoints, deployment, event, hours, ingress, minutes, now, pod, probe, route, service, slice, told, vm, vmi,
};
use crate::objects::network::ProbeFailure;
use crate::objects::{Listing, Probe, Route, Service};

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

/// A Route to a Service with that many ready endpoints.
fn portal(ready: usize) -> World {
    World::new()
        .routes([route("portal")])
        .services([service("portal")])
        .endpoint_slices([slice("portal", ready)])
}

fn with(route: Route) -> World {
    World::new()
        .routes([route])
        .services([service("portal")])
        .endpoint_slices([slice("portal", 1)])
}

fn served_by(service: Service) -> World {
    World::new().routes([route("portal")]).services([service])
}

#[test]
fn says_every_name_and_nothing_else() {
    let said: Vec<&str> = observe(&portal(1).view()).observations.into_keys().collect();
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(said, names);
}

#[test]
fn an_admitted_route_with_endpoints() {
    let world = portal(2).probes([probe(ProbeKind::Route, "portal")]);
    for name in ["service_exists", "route_exists", "route_admitted", "service_has_ready_endpoints"] {
        assert_eq!(value(&world, name), TRUE, "{name}");
    }
    assert_eq!(value(&world, "ready_endpoint_count"), Value::Number(2.0));
    assert_eq!(value(&world, "health_endpoint_returns_200"), TRUE);
    assert_eq!(value(&world, "certificate_valid"), TRUE);
    assert_eq!(value(&portal(1), "health_endpoint_returns_200"), unknown(UnknownReason::NotProbed));
    assert_eq!(value(&portal(1), "certificate_valid"), unknown(UnknownReason::NotProbed));
}

#[test]
fn one_dead_route_decides_whatever_the_order() {
    for names in [["alive", "dead"], ["dead", "alive"]] {
        let world = World::new()
            .routes(names.map(route))
            .services(names.map(service))
            .endpoint_slices([slice("alive", 3), slice("dead", 0)]);
        let endpoints = said(&world, "service_has_ready_endpoints");
        assert_eq!(endpoints.value, FALSE);
        assert_eq!(endpoints.failing[0].name, "dead");
        assert_eq!(endpoints.failing[0].reason, "Service dead has no ready endpoint");
        assert_eq!(value(&world, "ready_endpoint_count"), Value::Number(0.0));
    }
}

#[test]
fn without_routes() {
    let lonely = World::new().services([service("portal")]).endpoint_slices([slice("portal", 1)]);
    assert_eq!(value(&lonely, "service_exists"), TRUE);
    assert_eq!(value(&lonely, "route_exists"), FALSE);
    assert_eq!(value(&lonely, "route_admitted"), FALSE);
    // Not zero: that would blame the Service.
    assert_eq!(value(&lonely, "ready_endpoint_count"), unknown(UnknownReason::NotCollected));
    assert_eq!(value(&World::new(), "service_exists"), FALSE);

    let mut absent = lonely;
    absent.inventory.routes = Listing::unknown(UnknownReason::ApiAbsent);
    assert_eq!(value(&absent, "route_exists"), unknown(UnknownReason::ApiAbsent));
    let declared = |names: &[&str]| {
        let mut world = portal(1);
        world.declared.routes = names.iter().map(|&name| name.to_owned()).collect();
        value(&world, "route_exists")
    };
    assert_eq!(declared(&["portal"]), TRUE);
    assert_eq!(declared(&["portal", "console"]), FALSE);
}

#[test]
fn admission() {
    let progressing = unknown(UnknownReason::Progressing);
    let refused = || route("portal").admitted("default", "False", "HostAlreadyClaimed");
    let cases = [
        ("refused", with(refused()), FALSE),
        ("one of two routers", with(refused().admitted("external", "True", "")), TRUE),
        ("two routers", with(route("portal").admitted("external", "True", "")), TRUE),
        ("no answer, young", with(route("portal").unanswered().age(minutes(1))), progressing),
        ("no answer, old", with(route("portal").unanswered()), FALSE),
        (
            "being deleted beside a good one",
            with(route("portal")).routes([refused().deleted(minutes(1))]),
            TRUE,
        ),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "route_admitted"), expected, "{case}");
    }
    let refused = said(&with(refused()), "route_admitted");
    assert_eq!(refused.failing[0].reason, "router default refuses it: HostAlreadyClaimed");
    let half = said(
        &with(route("portal").admitted("shard", "False", "RouteNotAdmitted")),
        "route_admitted",
    );
    assert_eq!(half.excluded[0].reason, "router shard refuses it: RouteNotAdmitted");
}

#[test]
fn backends_and_weights() {
    let of = |route, ready: &[(&str, usize)]| {
        World::new()
            .routes([route])
            .services(ready.iter().map(|(name, _)| service(name)))
            .endpoint_slices(ready.iter().map(|(name, ready)| slice(name, *ready)))
    };
    let cases = [
        ("second backend is up", of(route("a").or_to("b", 50), &[("a", 0), ("b", 1)]), TRUE),
        (
            "only the one with weight 0 is up",
            of(route("a").or_to("b", 0), &[("a", 0), ("b", 1)]),
            FALSE,
        ),
        (
            "the one with weight 0 is down",
            of(route("a").or_to("b", 0), &[("a", 1), ("b", 0)]),
            TRUE,
        ),
        ("no weight anywhere", of(route("a").weight(0), &[("a", 1)]), FALSE),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "service_has_ready_endpoints"), expected, "{case}");
        assert_eq!(value(&world, "service_exists"), TRUE, "{case}");
    }
}

#[test]
fn a_service_that_does_not_exist() {
    let world = World::new().routes([route("portal")]).services([service("other")]);
    let exists = said(&world, "service_exists");
    assert_eq!(exists.value, FALSE);
    assert_eq!(exists.failing[0].name, "portal");
    assert_eq!(value(&world, "service_has_ready_endpoints"), FALSE);
}

#[test]
fn kinds_of_services() {
    let ready = || pod("portal-1").label("app", "portal");
    let not_probed = unknown(UnknownReason::NotProbed);
    let cases = [
        (
            "headless",
            served_by(service("portal").headless()).endpoint_slices([slice("portal", 1)]),
            TRUE,
        ),
        (
            "selector-less, managed",
            served_by(service("portal").without_selector()).endpoint_slices([slice("portal", 1)]),
            TRUE,
        ),
        ("selector-less, nothing", served_by(service("portal").without_selector()), FALSE),
        ("ExternalName", served_by(service("portal").external_name()), not_probed),
        (
            "ExternalName, probed",
            served_by(service("portal").external_name()).probes([probe(ProbeKind::Route, "portal")]),
            TRUE,
        ),
        (
            "published early, pod not ready",
            served_by(service("portal").publishing_not_ready())
                .endpoint_slices([slice("portal", 1)])
                .pods([ready().unready()]),
            FALSE,
        ),
        (
            "published early, pod ready",
            served_by(service("portal").publishing_not_ready())
                .endpoint_slices([slice("portal", 1)])
                .pods([ready()]),
            TRUE,
        ),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "service_has_ready_endpoints"), expected, "{case}");
    }
    let others = said(
        &portal(1).services([service("db"), service("cache").external_name()]),
        "service_has_ready_endpoints",
    );
    assert_eq!(others.value, TRUE);
    assert_eq!(others.excluded.len(), 2);
}

#[test]
fn endpoints_count_when_they_are_ready_and_stay() {
    let conditions = |ready, terminating| {
        let mut slice = slice("portal", 1);
        slice.endpoints[0].conditions.ready = ready;
        slice.endpoints[0].conditions.terminating = terminating;
        served_by(service("portal")).endpoint_slices([slice])
    };
    assert_eq!(value(&conditions(None, None), "service_has_ready_endpoints"), TRUE);
    assert_eq!(value(&conditions(Some(false), None), "service_has_ready_endpoints"), FALSE);
    assert_eq!(value(&conditions(Some(true), Some(true)), "service_has_ready_endpoints"), FALSE);
    let dual_stack = served_by(service("portal")).endpoint_slices([slice("portal", 2), slice("portal", 2)]);
    assert_eq!(value(&dual_stack, "ready_endpoint_count"), Value::Number(2.0));
}

#[test]
fn core_endpoints_stand_in_for_slices() {
    let recorded = |endpoints| {
        let mut world = served_by(service("portal"));
        world.inventory.endpoint_slices = Listing::default();
        world.inventory.endpoints = endpoints;
        said(&world, "service_has_ready_endpoints")
    };
    let alive = recorded(Listing::complete(vec![core_endpoints("portal", 1)]));
    assert_eq!((alive.value, alive.grade), (TRUE, Grade::Fallback));
    assert_eq!(recorded(Listing::complete(vec![core_endpoints("portal", 0)])).value, FALSE);
    assert_eq!(recorded(Listing::complete(Vec::new())).value, FALSE);
    assert_eq!(recorded(Listing::default()).value, unknown(UnknownReason::NotCollected));
    let both = portal(0).endpoints([core_endpoints("portal", 1)]);
    assert_eq!(value(&both, "service_has_ready_endpoints"), FALSE);
}

#[test]
fn what_was_not_read_is_unknown() {
    let mut services = portal(1);
    services.inventory.services = Listing::default();
    assert_eq!(value(&services, "service_exists"), unknown(UnknownReason::NotCollected));
    assert_eq!(
        value(&services, "service_has_ready_endpoints"),
        unknown(UnknownReason::NotCollected)
    );
    assert_eq!(value(&services, "ready_endpoint_count"), unknown(UnknownReason::NotCollected));
    let mut routes = portal(1);
    routes.inventory.routes.missing = Some(UnknownReason::Truncated);
    assert_eq!(value(&routes, "route_exists"), TRUE);
    assert_eq!(value(&routes, "route_admitted"), unknown(UnknownReason::Truncated));
    let mut dead = portal(0);
    dead.inventory.routes.missing = Some(UnknownReason::Truncated);
    assert_eq!(value(&dead, "service_has_ready_endpoints"), FALSE);
    assert_eq!(value(&dead, "ready_endpoint_count"), Value::Number(0.0));
}

#[test]
fn ingresses() {
    let plain = World::new()
        .ingresses([ingress("shop", "portal")])
        .services([service("portal")])
        .endpoint_slices([slice("portal", 1)]);
    assert_eq!(value(&plain, "route_exists"), TRUE);
    assert_eq!(value(&plain, "service_has_ready_endpoints"), TRUE);
    let generated = with(route("portal").owned_by("Ingress", "shop")).ingresses([ingress("shop", "gone")]);
    assert_eq!(value(&generated, "service_has_ready_endpoints"), TRUE);

    let mut unread = portal(1);
    unread.inventory.ingresses = Listing::default();
    let endpoints = said(&unread, "service_has_ready_endpoints");
    assert_eq!((endpoints.value, endpoints.grade), (TRUE, Grade::Inferred));
    unread.inventory.ingresses = Listing::unknown(UnknownReason::Forbidden);
    assert_eq!(value(&unread, "service_has_ready_endpoints"), unknown(UnknownReason::Forbidden));
    unread.inventory.ingresses = Listing::unknown(UnknownReason::ApiAbsent);
    assert_eq!(value(&unread, "service_has_ready_endpoints"), TRUE);
}

#[test]
fn nothing_behind_a_route_may_have_a_reason() {
    let stopped = unknown(UnknownReason::IntentionallyStopped);
    let halted = || portal(0).vms([vm("portal").strategy("Halted")]);
    let starting = || pod("portal-1").label("app", "portal").unready();
    let marked = || portal(0).deployments([deployment("portal").replicas(0).annotated(ORIGINAL_REPLICAS, "1")]);
    let cases = [
        ("none", portal(0), FALSE),
        ("meant to be stopped", portal(0).intent(Intent::Stopped, hours(1)), stopped.clone()),
        ("stopped by the platform", marked(), stopped.clone()),
        ("not started again", marked().intent(Intent::Started, hours(1)), FALSE),
        (
            "just started",
            marked().intent(Intent::Started, minutes(5)),
            unknown(UnknownReason::Progressing),
        ),
        ("its VM is halted", halted(), stopped),
        ("a VM beside it runs", portal(0).vms([vm("portal")]).vmis([vmi("portal")]), FALSE),
        (
            "its pod starts",
            portal(0).pods([starting().age(minutes(1))]),
            unknown(UnknownReason::Progressing),
        ),
        ("its pod never got ready", portal(0).pods([starting()]), FALSE),
        (
            "another pod starts",
            portal(0).pods([pod("other").unready().age(minutes(1))]),
            FALSE,
        ),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "service_has_ready_endpoints"), expected, "{case}");
    }
    let beside = halted()
        .routes([route("web")])
        .services([service("web")])
        .endpoint_slices([slice("web", 1)]);
    let endpoints = said(&beside, "service_has_ready_endpoints");
    assert_eq!(endpoints.value, TRUE);
    assert_eq!(endpoints.excluded[0].name, "portal");
    assert_eq!(value(&beside, "ready_endpoint_count"), Value::Number(1.0));
}

#[test]
fn an_excuse_that_could_not_be_looked_for() {
    let mut world = portal(0);
    world.inventory.vms = Listing::unknown(UnknownReason::Forbidden);
    assert_eq!(value(&world, "service_has_ready_endpoints"), unknown(UnknownReason::Forbidden));
    world.inventory.vms = Listing::default();
    let endpoints = said(&world, "service_has_ready_endpoints");
    assert_eq!((endpoints.value, endpoints.grade), (FALSE, Grade::Inferred));
}

#[test]
fn health_is_what_a_probe_saw() {
    let answering = |change: &dyn Fn(&mut Probe)| {
        let mut probe = probe(ProbeKind::Route, "portal");
        change(&mut probe);
        value(&portal(1).probes([probe]), "health_endpoint_returns_200")
    };
    for (status, expected) in [
        (200, TRUE),
        (302, TRUE),
        (401, TRUE),
        (403, TRUE),
        (404, FALSE),
        (500, FALSE),
        (503, FALSE),
    ] {
        assert_eq!(answering(&|probe| probe.status = Some(status)), expected, "{status}");
    }
    let failing = |failure: ProbeFailure| {
        answering(&move |probe| {
            probe.status = None;
            probe.failure = Some(failure.clone());
        })
    };
    assert_eq!(failing(ProbeFailure::NotHttp), TRUE);
    assert_eq!(failing(ProbeFailure::Unreachable("no route to host".to_owned())), FALSE);
    assert_eq!(
        failing(ProbeFailure::NotProbed(UnknownReason::Throttled)),
        unknown(UnknownReason::Throttled)
    );

    let older = Probe {
        at: now() - hours(1),
        status: Some(503),
        ..probe(ProbeKind::Route, "portal")
    };
    let world = portal(1).probes([older.clone(), probe(ProbeKind::Route, "portal")]);
    assert_eq!(value(&world, "health_endpoint_returns_200"), TRUE);
    let stopped = portal(0).probes([older]).intent(Intent::Stopped, hours(1));
    assert_eq!(
        value(&stopped, "health_endpoint_returns_200"),
        unknown(UnknownReason::IntentionallyStopped)
    );
}

#[test]
fn certificates() {
    let days = chrono::TimeDelta::days;
    let showing = |valid, ends, termination: &str| {
        let mut probe = probe(ProbeKind::Route, "portal");
        if let Some(certificate) = &mut probe.certificate {
            certificate.valid = valid;
            certificate.not_after = Some(now() + days(ends));
        }
        value(&with(route("portal").tls(termination)).probes([probe]), "certificate_valid")
    };
    let not_asked = unknown(UnknownReason::NotProbed);
    assert_eq!(showing(true, 60, "edge"), TRUE);
    assert_eq!(showing(true, 60, "reencrypt"), TRUE);
    assert_eq!(showing(true, 6, "edge"), FALSE);
    assert_eq!(showing(true, -1, "edge"), FALSE);
    assert_eq!(showing(false, 60, "edge"), FALSE);
    assert_eq!(showing(false, 60, "passthrough"), not_asked);
    assert_eq!(showing(false, 60, ""), not_asked);
}

#[test]
fn signals_tell_refusals_and_events() {
    let world = with(route("portal").admitted("default", "False", "HostAlreadyClaimed")).events([event(
        "Route",
        "portal",
        "HostAlreadyClaimed",
        "a route in another namespace holds it",
        minutes(3),
    )]);
    assert_eq!(
        told(&observe(&world.view())),
        [
            "Route portal: router default refuses it: HostAlreadyClaimed",
            "HostAlreadyClaimed a route in another namespace holds it",
        ]
    );
}
