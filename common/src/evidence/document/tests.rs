//! The document by examples: what is read, what is not, and what must never be asked.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::*;
use crate::evidence::testing::*;
use crate::expr::{Document, Fuel, Truth, compile};
use crate::objects::network::ProbeFailure;
use crate::objects::{Inventory, ProbeKind};

fn says(world: &World, text: &str) -> Truth {
    let expr = compile(&schema(), text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    let lab = Lab {
        kind: Some("container"),
        guid: Some("q7f2k"),
        ..Lab::default()
    };
    let document = EvidenceDocument::of_instance(world.view(), lab);
    expr.eval(&document, &mut Fuel::default())
}

/// A lab of every kind of object.
fn world() -> World {
    let mut world = World::new()
        .pods([
            pod("web-1").owned_by("ReplicaSet", "web"),
            pod("web-2").crash_loops(7, "OOMKilled", 137),
            pod("old").deleted(minutes(1)),
        ])
        .deployments([deployment("web").replicas(2).ready(1)])
        .services([service("web").selecting("app", "web")])
        .endpoint_slices([slice("web", 2)])
        .routes([route("web").to("web").tls("edge"), route("new").unanswered()])
        .data_volumes([data_volume("disk")])
        .vmis([vmi("rhel").with_agent()])
        .events([event("Pod", "web-2", "BackOff", "Back-off restarting", minutes(5))]);
    world.cluster.name = "east".to_owned();
    world
}

#[test]
fn reads_every_kind_of_object() {
    let world = world();
    for (text, expected) in [
        (r#"cluster.name == "east""#, Ok(true)),
        (
            r#"ns.name.startsWith("sandbox-") && ns.phase == "Active" && !ns.terminating"#,
            Ok(true),
        ),
        ("ns.age_seconds == 10800", Ok(true)),
        (r#"lab.kind == "container" && lab.guid == "q7f2k""#, Ok(true)),
        (r#"lab.catalog_item == "x""#, Err(UnknownReason::NotCollected)),
        ("has(lab.catalog_item)", Err(UnknownReason::NotCollected)),
        (r#"pods.exists(p, p.owner_kind == "ReplicaSet" && p.ready)"#, Ok(true)),
        ("pods.filter(p, !p.terminating).all(p, p.restarts <= 5)", Ok(false)),
        (
            r#"pods.exists(p, p.troubled_containers.exists(c, c.exit_reason == "OOMKilled" && c.exit_code == 137))"#,
            Ok(true),
        ),
        (
            r#"pods.exists(p, has(p.waiting_reason) && p.waiting_reason == "CrashLoopBackOff")"#,
            Ok(true),
        ),
        ("deployments.all(d, d.ready_replicas < d.replicas && !d.ready)", Ok(true)),
        (r#"services.exists(s, s.selector["app"] == "web")"#, Ok(true)),
        (r#"endpoints.exists(e, e.service == "web" && e.ready == 2)"#, Ok(true)),
        (r#"routes.exists(r, r.service == "web" && has(r.tls) && r.admitted)"#, Ok(true)),
        (
            r#"routes.filter(r, r.name == "new").all(r, r.admitted)"#,
            Err(UnknownReason::MissingField),
        ),
        ("vmis.all(v, v.agent_connected && !v.paused)", Ok(true)),
        (
            r#"events.exists(e, e.object == "web-2" && e.reason == "BackOff" && e.age_seconds == 300)"#,
            Ok(true),
        ),
        ("size(jobs) == 0 && size(statefulsets) == 0", Ok(true)),
        ("size(nodes) == 0", Err(UnknownReason::NotCollected)),
    ] {
        assert_eq!(says(&world, text), expected, "{text}");
    }
}

#[test]
fn what_was_not_read_carries_the_reason_of_its_kind() {
    let mut world = world();
    world.inventory.pods.missing = Some(UnknownReason::Truncated);
    world.inventory.routes = Listing::unknown(UnknownReason::Forbidden);
    world.inventory.namespace = Listing::unknown(UnknownReason::Timeout);
    for (text, expected) in [
        ("pods.all(p, p.restarts <= 5)", Ok(false)),
        ("pods.all(p, p.restarts <= 50)", Err(UnknownReason::Truncated)),
        ("size(routes) > 0", Err(UnknownReason::Forbidden)),
        ("has(ns.phase)", Err(UnknownReason::Timeout)),
        ("probes.all(p, p.status == 200)", Err(UnknownReason::NotCollected)),
    ] {
        assert_eq!(says(&world, text), expected, "{text}");
    }
    world.inventory.namespace = Listing::complete(Vec::new());
    assert_eq!(says(&world, "ns.age_seconds > 0"), Err(UnknownReason::MissingField));
    let nothing = EvidenceDocument::unread(now());
    for (index, variable) in variables().iter().enumerate() {
        let value = nothing.variable(index);
        assert!(matches!(value, Value::Unknown(UnknownReason::NotCollected)), "{}", variable.name);
    }
}

#[test]
fn a_probe_that_could_not_ask_found_nothing_missing() {
    let mut world = world();
    let refused = crate::objects::Probe {
        status: None,
        failure: Some(ProbeFailure::NotProbed(UnknownReason::NotProbed)),
        ..probe(ProbeKind::Route, "web")
    };
    world.inventory.probes = Listing::complete(vec![refused]);
    assert_eq!(says(&world, "probes.all(p, p.status == 200)"), Err(UnknownReason::NotProbed));
    assert_eq!(says(&world, "probes.exists(p, has(p.status))"), Err(UnknownReason::NotProbed));
}

#[test]
fn annotations_that_are_dropped_are_not_absent() {
    let world = World::new().deployments([deployment("web").annotated("sandbox.redhat.com/original-replicas", "2")]);
    let of = |key: &str| says(&world, &format!(r#"deployments.all(d, "{key}" in d.annotations)"#));
    assert_eq!(of("sandbox.redhat.com/original-replicas"), Ok(true));
    assert_eq!(of("haproxy.router.openshift.io/timeout"), Ok(false));
    assert_eq!(of("example.com/owner"), Err(UnknownReason::NotCollected));
    assert_eq!(
        says(&world, "deployments.all(d, size(d.annotations) == 1)"),
        Err(UnknownReason::NotCollected)
    );
}

#[test]
fn the_same_is_seen_of_a_pod_before_and_after_it_was_made_slim() {
    let mut pods = vec![pod("web-1"), pod("web-2").crash_loops(7, "OOMKilled", 137), pod("web-3").unready()];
    pods[0].status.container_statuses[0].restart_count = 2;
    let slim = pods.iter().cloned().map(|mut pod| {
        pod.slim_down();
        pod
    });
    let (whole, slim) = (World::new().pods(pods.clone()), World::new().pods(slim));
    for text in [
        r#"pods.exists(p, p.name == "web-1" && p.restarts == 2)"#,
        r#"pods.exists(p, p.name == "web-1" && size(p.troubled_containers) == 1)"#,
        r#"pods.exists(p, p.name == "web-2" && p.troubled_containers.all(c, c.restarts == 7))"#,
        "pods.exists_one(p, p.ready)",
    ] {
        assert_eq!(says(&whole, text), says(&slim, text), "{text}");
    }
}

/// Every field of every record can be read from a real object and is of the type that it declares.
#[test]
fn fields_are_what_they_declare() {
    let world = world();
    let document = EvidenceDocument::of_instance(world.view(), Lab::default());
    let mut seen = BTreeSet::new();
    for (index, variable) in variables().iter().enumerate() {
        check(&variable.name, variable.ty, &document.variable(index), &mut seen);
    }
    for read in [
        "Cluster",
        "Namespace",
        "Lab",
        "Pod",
        "Container",
        "Deployment",
        "Endpoints",
        "Route",
        "Event",
    ] {
        assert!(seen.contains(read), "{read} was not read");
    }
}

fn check(name: &str, ty: Type, value: &Value<'_>, seen: &mut BTreeSet<&'static str>) {
    match (ty, value) {
        (_, Value::Unknown(_))
        | (Type::Bool, Value::Bool(_))
        | (Type::Int, Value::Int(_))
        | (Type::Double, Value::Double(_))
        | (Type::Text, Value::Text(_))
        | (Type::Map, Value::Map(_)) => {}
        (Type::Record(record), Value::Record(object)) => {
            assert_eq!(object.record(), record, "{name}");
            seen.insert(record.name);
            for (index, field) in record.fields.iter().enumerate() {
                check(
                    &format!("{name}.{}", field.name),
                    field.ty,
                    &object.field(index, now() + TimeDelta::zero()),
                    seen,
                );
            }
        }
        (Type::List(element), Value::List(list)) => {
            for item in (0..list.known()).filter_map(|index| list.get(index)) {
                check(name, element.into(), &item, seen);
            }
        }
        _ => panic!("{name} is declared {ty} and is {value:?}"),
    }
}

#[test]
fn names_are_well_chosen_and_explained() {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for variable in variables() {
        assert!(names.insert(&variable.name), "{} twice", variable.name);
        assert!(variable.doc.ends_with('.'), "{}", variable.name);
    }
    for stage in crate::stage::Stage::ALL {
        for name in crate::evidence::names(stage) {
            assert!(!names.contains(name), "{name} of {stage} hides the variable");
        }
    }
    assert_eq!(cluster_variables().len(), OF_CLUSTER);
    assert!(
        cluster_variables()
            .iter()
            .all(|variable| ["cluster", "nodes", "operators"].contains(&&*variable.name))
    );
    let text = explain();
    for part in [
        "pods ",
        "troubled_containers",
        "\nContainer: ",
        "map(string, string)",
        "waiting_reason",
    ] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    for secret in ["env", "token", "password", "command"] {
        assert!(!text.contains(&format!("  {secret}")), "{secret} must not be offered");
    }
}

/// The expressions that the documentation shows.
fn shown() -> Vec<String> {
    let text = include_str!("../../../../rubrics/README.md");
    let section = text.split("## Criteria with an expression").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let in_rubric = section
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "))
        .map(str::to_owned);
    let table = section.split("| Question | Expression |").nth(1).unwrap();
    let in_table = table.lines().filter_map(|line| line.split(" | `").nth(1)?.strip_suffix("` |"));
    let shown: Vec<String> = in_rubric.chain(in_table.map(|expr| expr.replace("\\|", "|"))).collect();
    assert!(shown.len() >= 8, "{shown:?}");
    shown
}

#[test]
fn what_the_documentation_shows_is_understood() {
    for expr in shown() {
        compile(&schema(), &expr).unwrap_or_else(|errors| panic!("{expr}: {errors:?}"));
    }
}

/// Hiding any list, or the rest of it, only makes an answer unknown.
#[test]
fn what_is_hidden_turns_no_answer_around() {
    let hide: [fn(&mut Inventory); 8] = [
        |it| it.namespace = Listing::unknown(UnknownReason::Forbidden),
        |it| it.pods = Listing::unknown(UnknownReason::Forbidden),
        |it| it.pods.items.truncate(1),
        |it| it.deployments = Listing::unknown(UnknownReason::Forbidden),
        |it| it.jobs = Listing::unknown(UnknownReason::Forbidden),
        |it| it.claims = Listing::unknown(UnknownReason::Forbidden),
        |it| it.routes.items.clear(),
        |it| it.events.items.clear(),
    ];
    for expr in shown() {
        let whole = says(&world(), &expr);
        for (at, hide) in hide.iter().enumerate() {
            let mut world = world();
            hide(&mut world.inventory);
            let less_read = |listing: &mut Option<UnknownReason>| *listing = Some(UnknownReason::Truncated);
            match at {
                2 => less_read(&mut world.inventory.pods.missing),
                6 => less_read(&mut world.inventory.routes.missing),
                7 => less_read(&mut world.inventory.events.missing),
                _ => {}
            }
            let less = says(&world, &expr);
            assert!(less == whole || less.is_err(), "{expr}: {whole:?} became {less:?}");
        }
    }
}
