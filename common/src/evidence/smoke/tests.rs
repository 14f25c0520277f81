use super::*;
use crate::evidence::testing::{World, ago, hours, probe, route, service, smoke_run};
use crate::objects::Listing;

fn value(world: &World, name: &str) -> Value {
    observe(&world.view())
        .observations
        .remove(name)
        .expect("a name of this stage")
        .value
}

const TRUE: Value = Value::Bool(true);
const FALSE: Value = Value::Bool(false);

const fn unknown(reason: UnknownReason) -> Value {
    Value::Unknown(reason)
}

fn lab() -> World {
    World::new()
        .routes([route("showroom"), route("git")])
        .services([service("showroom"), service("git")])
}

#[test]
fn says_every_name_and_nothing_else() {
    let said: Vec<&str> = observe(&World::new().view()).observations.into_keys().collect();
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(said, names);
}

#[test]
fn a_lab_that_passed_its_rehearsal() {
    let world = lab().probes([probe(ProbeKind::Route, "showroom")]).smoke_runs([smoke_run(7)]);
    for name in NAMES {
        assert_eq!(value(&world, name), TRUE, "{name}");
    }
}

#[test]
fn a_lab_that_nobody_tried() {
    assert_eq!(value(&lab(), "route_reachable"), unknown(UnknownReason::NotProbed));
    assert_eq!(value(&lab(), "smoke_test_passed"), unknown(UnknownReason::NotProbed));
    let mut unread = lab();
    unread.inventory.smoke_runs = Listing::default();
    assert_eq!(value(&unread, "smoke_test_passed"), unknown(UnknownReason::NotCollected));
    assert_eq!(value(&unread, "expected_response_received"), unknown(UnknownReason::NotCollected));
}

#[test]
fn results_of_a_run() {
    let with = |change: &dyn Fn(&mut SmokeRun)| {
        let mut run = smoke_run(7);
        change(&mut run);
        value(&lab().smoke_runs([run]), "smoke_test_passed")
    };
    assert_eq!(with(&|run| run.failed = 1), FALSE);
    assert_eq!(with(&|run| run.total = 0), unknown(UnknownReason::NotProbed));
    assert_eq!(with(&|run| run.completed = 0), unknown(UnknownReason::Progressing));
    assert_eq!(with(&|run| run.finished_at = Some(ago(hours(25)))), unknown(UnknownReason::Stale));
    assert_eq!(with(&|run| run.completed = run.total - 1), unknown(UnknownReason::Progressing));
    let asserted = |assertions_passed| {
        let run = SmokeRun {
            assertions_passed,
            ..smoke_run(7)
        };
        value(&lab().smoke_runs([run]), "expected_response_received")
    };
    assert_eq!(asserted(Some(false)), FALSE);
    assert_eq!(asserted(None), unknown(UnknownReason::NotProbed));
}

#[test]
fn the_newest_rehearsal_counts() {
    let small = |id| SmokeRun {
        workers: 3,
        failed: 3,
        ..smoke_run(id)
    };
    assert_eq!(value(&lab().smoke_runs([smoke_run(7), small(9)]), "smoke_test_passed"), TRUE);
    assert_eq!(value(&lab().smoke_runs([small(9)]), "smoke_test_passed"), FALSE);
}

#[test]
fn the_main_page_is_the_showroom_where_there_is_one() {
    let answering = |status| {
        let mut main = probe(ProbeKind::Route, "showroom");
        main.status = Some(status);
        lab().probes([main, probe(ProbeKind::Route, "git")])
    };
    assert_eq!(value(&answering(404), "route_reachable"), TRUE);
    assert_eq!(value(&answering(503), "route_reachable"), FALSE);
    let mut slow = probe(ProbeKind::Route, "showroom");
    slow.duration_ms = Some(5000);
    assert_eq!(value(&lab().probes([slow]), "response_time_acceptable"), FALSE);

    let plain = World::new().routes([route("a"), route("b")]).probes([probe(ProbeKind::Route, "b")]);
    assert_eq!(value(&plain, "route_reachable"), TRUE);
    assert_eq!(value(&World::new(), "route_reachable"), FALSE);
}

#[test]
fn a_run_of_unknown_age_makes_no_lab_green() {
    let of = |failed| SmokeRun {
        finished_at: None,
        failed,
        ..smoke_run(7)
    };
    assert_eq!(
        value(&lab().smoke_runs([of(0)]), "smoke_test_passed"),
        unknown(UnknownReason::Stale)
    );
    assert_eq!(
        value(&lab().smoke_runs([of(0)]), "expected_response_received"),
        unknown(UnknownReason::Stale)
    );
    assert_eq!(
        value(&lab().smoke_runs([of(1)]), "smoke_test_passed"),
        FALSE,
        "a failure is worth a look, however old"
    );
}

#[test]
fn a_run_that_was_joined_by_a_guess_is_inferred() {
    let guessed = SmokeRun {
        guessed: true,
        ..smoke_run(7)
    };
    let mut said = observe(&lab().smoke_runs([guessed]).view()).observations;
    let passed = said.remove("smoke_test_passed").unwrap();
    assert_eq!((passed.value, passed.grade), (TRUE, Grade::Inferred));
}
