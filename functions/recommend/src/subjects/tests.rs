//! Facts of small worlds: what was not read is unknown, what was read and is not there is none.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use stargate_common::policy::input::{Facts, LabFacts, PoolFacts};
use stargate_common::provisioning::catalog::{Component, Constraints};
use stargate_common::provisioning::event::{Lab, Session};
use stargate_common::provisioning::job::Phase;
use stargate_common::provisioning::pool::ResourcePool;
use stargate_common::provisioning::pool_state::{self, Fill};
use stargate_common::provisioning::state::{Action, SubjectClass};

use super::*;
use crate::load::{Item, JobRow, Part, PoolRow, Sources};

fn now() -> DateTime<Utc> {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

/// Every source read a minute ago, but for these.
fn sources(without: &[&str]) -> Sources {
    let all = ["babylon", "labagator", "demolition", "agnosticv", "aap/one", "sandbox-api"];
    let rows = all.into_iter().filter(|source| !without.contains(source));
    let rows: Vec<crate::load::SourceRow> = rows
        .map(|source| crate::load::SourceRow {
            source: source.to_owned(),
            enabled: true,
            interval_s: 300,
            last_success_at: Some(now() - TimeDelta::minutes(1)),
        })
        .collect();
    Sources::of(&rows, now())
}

fn session(hours: i64, attendees: Option<i64>, status: &str) -> Session {
    let starts_at = now() + TimeDelta::hours(hours);
    Session {
        id: format!("{hours}/{status}"),
        lab_code: "WEB-1".to_owned(),
        date: starts_at.date_naive(),
        start_time: None,
        end_time: None,
        time_zone: "UTC".to_owned(),
        starts_at: Some(starts_at),
        ends_at: Some(starts_at + TimeDelta::hours(2)),
        time_note: String::new(),
        room: String::new(),
        attendees,
        status: status.to_owned(),
        event_id: None,
    }
}

fn part(key: &str, claim: Option<&str>, class: SubjectClass, state: &str, age_minutes: i64) -> Part {
    Part {
        key: key.to_owned(),
        name: key.to_owned(),
        state: state.to_owned(),
        class,
        teardown_failed: state.starts_with("destroy-"),
        should_run: !state.starts_with("destroy"),
        created_at: Some(now() - TimeDelta::minutes(age_minutes)),
        teardown_since: state.starts_with("destroy").then(|| now() - TimeDelta::minutes(age_minutes)),
        claim: claim.map(str::to_owned),
        item: "acme.web.prod".to_owned(),
        service_uuid: String::new(),
        gone: false,
    }
}

fn world(without: &[&str]) -> World {
    let item = Item {
        lab: Some("WEB-1".to_owned()),
        multiuser: false,
        estimate_s: None,
    };
    World {
        sources: sources(without),
        labs: vec![Lab {
            code: "WEB-1".to_owned(),
            ..Lab::default()
        }],
        items: BTreeMap::from([("acme.web.prod".to_owned(), item)]),
        ..World::default()
    }
}

fn lab(world: &World) -> LabFacts {
    let subject = all(world, now()).into_iter().find(|subject| subject.key == "WEB-1");
    match subject.map(|subject| subject.facts) {
        Some(Facts::Lab(facts)) => *facts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_next_session_is_the_one_that_is_not_over_and_not_cancelled() {
    let mut it = world(&[]);
    it.sessions = vec![
        session(30, Some(40), "scheduled"),
        session(-5, Some(9), "scheduled"),
        session(1, Some(9), "Cancelled"),
        session(5, Some(20), "scheduled"),
        session(5, Some(10), "confirmed"),
    ];
    let facts = lab(&it);
    assert_eq!((facts.sessions, facts.next_session_in_seconds), (Ok(3), Ok(5 * 3600)));
    // Two rooms at once.
    assert_eq!((facts.attendees, facts.needed), (Ok(30), Ok(30)));
    it.sessions[3].attendees = None;
    assert_eq!(
        (lab(&it).attendees, lab(&it).needed),
        (Err(UnknownReason::MissingField), Err(UnknownReason::MissingField))
    );
    it.sessions = vec![session(-1, Some(9), "scheduled")];
    assert_eq!(lab(&it).next_session_in_seconds, Ok(-3600), "it runs");
    it.sessions.clear();
    assert_eq!(
        (lab(&it).sessions, lab(&it).next_session_in_seconds),
        (Ok(0), Err(UnknownReason::MissingField))
    );
    it.sources = sources(&["labagator"]);
    assert_eq!(lab(&it).sessions, Err(UnknownReason::NotCollected));
}

#[test]
fn attendees_that_share_instances_need_fewer_and_nobody_guesses_how_many() {
    let mut it = world(&[]);
    it.sessions = vec![session(5, Some(45), "scheduled")];
    if let Some(item) = it.items.get_mut("acme.web.prod") {
        item.multiuser = true;
    }
    assert_eq!(lab(&it).needed, Err(UnknownReason::MissingField));
    let component = Component {
        name: "acme.web.prod".to_owned(),
        constraints: Constraints {
            num_users: Some(20),
            ..Constraints::default()
        },
        ..Component::default()
    };
    it.components.insert(component.name.clone(), component);
    assert_eq!(lab(&it).needed, Ok(3));
}

#[test]
fn an_order_of_several_components_is_one_and_started_when_all_are() {
    let mut it = world(&[]);
    it.parts = vec![
        part("a1", Some("u/a"), SubjectClass::Started, "started", 100),
        part("a2", Some("u/a"), SubjectClass::InProgress(Action::Provision), "provisioning", 90),
        part("b1", Some("u/b"), SubjectClass::Started, "started", 80),
        part("c1", Some("u/c"), SubjectClass::FailedTerminal, "provision-failed", 70),
        part("d1", None, SubjectClass::InProgress(Action::Provision), "provisioning", 500),
        part("e1", Some("u/e"), SubjectClass::InProgress(Action::Destroy), "destroying", 130),
        part("f1", Some("u/f"), SubjectClass::FailedRetrying, "destroy-failed", 300),
    ];
    let facts = lab(&it);
    assert_eq!(
        (facts.orders, facts.started, facts.provision_failed, facts.unstarted),
        (Ok(3), Ok(1), Ok(1), Ok(2))
    );
    assert_eq!(facts.oldest_unstarted_seconds, Ok(90 * 60));
    assert_eq!((facts.teardown_failed, facts.tearing_down), (Ok(1), Ok(1)));
    assert_eq!(
        (facts.destroying_oldest_seconds, facts.oldest_teardown_seconds),
        (Ok(130 * 60), Ok(300 * 60))
    );
    it.sources = sources(&["babylon"]);
    let facts = lab(&it);
    assert_eq!(
        (facts.started, facts.teardown_failed),
        (Err(UnknownReason::NotCollected), Err(UnknownReason::NotCollected))
    );
}

#[test]
fn of_a_lab_that_no_item_belongs_to_nobody_knows_what_was_ordered() {
    let mut it = world(&[]);
    it.items.clear();
    it.sessions = vec![session(5, Some(45), "scheduled")];
    let facts = lab(&it);
    assert_eq!(
        (facts.started, facts.ready_handles),
        (Err(UnknownReason::MissingField), Err(UnknownReason::MissingField))
    );
    assert_eq!(facts.needed, Ok(45));
}

#[test]
fn cancelled_jobs_and_those_of_another_kind_do_not_count() {
    let mut it = world(&[]);
    let job = |minutes: i64, phase, status: &str, task: &str| JobRow {
        key: format!("one/{minutes}"),
        phase,
        status: status.to_owned(),
        finished_at: now() - TimeDelta::minutes(minutes),
        task: task.to_owned(),
        item: "acme.web.prod".to_owned(),
    };
    it.jobs = vec![
        job(1, Phase::Provision, "canceled", ""),
        job(2, Phase::Provision, "failed", "Create"),
        job(3, Phase::Destroy, "failed", "Remove"),
        job(4, Phase::Provision, "error", "Create"),
        job(5, Phase::Provision, "successful", ""),
        job(6, Phase::Provision, "failed", ""),
    ];
    let facts = lab(&it);
    assert_eq!(
        (
            facts.provision_jobs,
            facts.provision_jobs_failed,
            facts.provision_jobs_failed_in_a_row
        ),
        (Ok(4), Ok(3), Ok(2))
    );
    assert_eq!(
        (facts.provision_top_task.as_deref(), facts.destroy_top_task.as_deref()),
        (Ok("Create"), Ok("Remove"))
    );
    it.sources = sources(&["aap/one"]);
    assert_eq!(lab(&it).provision_jobs_failed, Err(UnknownReason::NotCollected));
}

#[test]
fn what_runs_is_unknown_where_no_cluster_was_read() {
    let facts = lab(&world(&[]));
    assert_eq!(
        (facts.instances, facts.route_missing),
        (Err(UnknownReason::NotCollected), Err(UnknownReason::NotCollected))
    );
}

#[test]
fn a_pool_says_for_how_long_nothing_was_usable() {
    let mut it = world(&[]);
    let sample = |minutes: i64, usable, available| pool_state::Sample {
        at: now() - TimeDelta::minutes(minutes),
        usable,
        available,
        unready: available - usable,
        claimed: 0,
        min_available: 10,
    };
    let row = |usable| PoolRow {
        pool: ResourcePool {
            namespace: "poolboy".to_owned(),
            name: "web".to_owned(),
            ..ResourcePool::default()
        },
        fill: Fill {
            usable: Some(usable),
            available: Some(4),
            min_available: 10,
            ..Fill::default()
        },
        creation_disabled: Ok(false),
        items: vec!["acme.web.prod".to_owned()],
        samples: vec![sample(120, 2, 4), sample(90, 0, 4), sample(30, 0, 5)],
    };
    let pool = |it: &World| -> PoolFacts {
        let facts = all(it, now()).into_iter().map(|subject| subject.facts);
        facts
            .filter_map(|facts| if let Facts::Pool(facts) = facts { Some(*facts) } else { None })
            .next()
            .unwrap()
    };
    it.pools = vec![row(0)];
    assert_eq!(
        (pool(&it).unusable_seconds, pool(&it).velocity_per_hour),
        (Ok(90 * 60), Err(UnknownReason::Progressing))
    );
    assert_eq!(lab(&it).ready_handles, Ok(0));
    it.pools = vec![row(3)];
    assert_eq!((pool(&it).unusable_seconds, lab(&it).ready_handles), (Ok(0), Ok(3)));
}
