//! The scenario of the demo: a share of labs is broken at any time, every class has its turn, labs come up and go away.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta};
use stargate_sim::{Fleet, Kind, Scenario, SimClock};

#[test]
fn faults_and_labs_come_and_go() {
    let clock = SimClock::starting_at(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
    let fleet = Fleet::demo(42, clock.clone());
    let mut scenario = Scenario::new(&fleet, 42);
    let classes = |scenario: &Scenario| scenario.active().map(|(_, _, fault)| fault.class()).collect::<BTreeSet<_>>();
    let mut seen = classes(&scenario);
    assert!(seen.len() >= 20, "at the start: {seen:?}");
    let first: BTreeSet<String> = scenario.active().map(|(_, namespace, _)| namespace.to_owned()).collect();
    let mut most_on_one = 0;
    for _ in 0..40 {
        clock.advance(TimeDelta::seconds(60));
        scenario.step();
        seen.extend(classes(&scenario));
        let broken = scenario.active().count();
        assert!((20..60).contains(&broken), "{broken}");
        most_on_one = fleet
            .clusters
            .iter()
            .map(|cluster| scenario.active().filter(|(name, _, _)| *name == cluster.name()).count())
            .max()
            .unwrap()
            .max(most_on_one);
    }
    assert!(seen.len() >= 30, "{} classes: {seen:?}", seen.len());
    assert!(most_on_one >= 10, "an outbreak hits many labs of one cluster");
    let last: BTreeSet<String> = scenario.active().map(|(_, namespace, _)| namespace.to_owned()).collect();
    assert!(first.intersection(&last).count() < 5);
    for cluster in &fleet.clusters {
        assert_eq!(cluster.restless(), Vec::<String>::new());
    }

    // Labs ordered on the way have come up.
    let known: BTreeSet<&str> = fleet.labs.iter().map(|lab| lab.namespace.as_str()).collect();
    let arrived: Vec<_> = scenario
        .labs()
        .iter()
        .filter(|lab| !known.contains(lab.namespace.as_str()) && !last.contains(&lab.namespace))
        .collect();
    assert!(arrived.len() > 5);
    for lab in arrived.iter().filter(|lab| lab.created < clock.now() - TimeDelta::minutes(5)) {
        let cluster = fleet.cluster(&lab.cluster).unwrap();
        for deployment in cluster.list(Kind::Deployment, &lab.namespace) {
            assert_eq!(
                deployment["status"]["readyReplicas"].as_i64().unwrap_or(0),
                deployment["spec"]["replicas"].as_i64().unwrap(),
                "{}",
                lab.namespace
            );
        }
        for machine in cluster.list(Kind::VirtualMachine, &lab.namespace) {
            let expected = if machine["spec"]["runStrategy"] == "Halted" {
                "Stopped"
            } else {
                "Running"
            };
            assert_eq!(machine["status"]["printableStatus"], expected, "{}", lab.namespace);
        }
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let story = |seed| {
        let clock = SimClock::starting_at(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
        let mut scenario = Scenario::new(&Fleet::demo(5, clock.clone()), seed);
        clock.advance(TimeDelta::minutes(7));
        scenario.step();
        scenario
            .active()
            .map(|(cluster, namespace, fault)| format!("{cluster} {namespace} {fault:?}"))
            .collect::<Vec<_>>()
    };
    let first = story(1);
    assert_eq!(first, story(1));
    assert_ne!(first, story(2));
}
