//! The shipped rubrics as an example of what mutants are like. That cases catch them is tested over `rubrics/`, with the cases there.

use std::collections::BTreeSet;

use super::*;
use crate::evaluate::case::Case;
use crate::evaluate::rubric::RubricSet;

fn set() -> RawSet {
    RawSet::embedded().unwrap()
}

fn of<'a>(mutants: &'a [Mutant], id: &str) -> &'a Mutant {
    let mut found = mutants.iter().filter(|mutant| mutant.id.starts_with(id));
    let first = found.next().unwrap_or_else(|| panic!("there is no mutant {id}"));
    assert!(found.next().is_none(), "several mutants {id}");
    first
}

const MISSING: &str = "
title: No controller
namespace: sandbox-a
declared: {kind: container}
expect: {deployment-ready: {outcome: fail, class: deployment_missing}}
";

fn cases() -> Vec<Case> {
    vec![case::parse("deployment-ready/cases/missing.yaml", MISSING).unwrap()]
}

#[test]
fn ids_are_unique_and_the_order_is_always_the_same() {
    let ids = |mutants: &[Mutant]| mutants.iter().map(|mutant| mutant.id.clone()).collect::<Vec<_>>();
    let first = ids(&mutants(&set()));
    assert_eq!(first, ids(&mutants(&set())));
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), first.len());
}

#[test]
fn each_mutant_changes_one_thing_and_says_where() {
    let set = set();
    let same = format!("{set:?}");
    for mutant in mutants(&set) {
        assert_ne!(mutant.was, mutant.now, "{mutant}");
        assert!(mutant.place.line > 0, "{mutant}");
        assert_ne!(format!("{:?}", mutant.applied_to(&set)), same, "{mutant} changes nothing");
    }
    assert_eq!(format!("{set:?}"), same, "the original stays");
}

#[test]
fn a_case_catches_what_it_shows_and_nothing_else() {
    let (set, cases) = (set(), cases());
    let trial = Trial::new(&set, &cases).unwrap();
    let mutants = mutants(&set);
    let fate = |id: &str| trial.fate(of(&mutants, id));
    let Fate::Caught(by) = fate("deployment-ready:drop-class:deployment_missing@") else {
        panic!("nobody missed the class");
    };
    assert!(
        by.starts_with("deployment-ready/cases/missing.yaml:5:28: No controller: deployment-ready:"),
        "{by}"
    );
    assert_eq!(fate("deployment-ready:severity:deployment_missing@"), Fate::Survived);
}

#[test]
fn what_the_lints_refuse_is_no_merit_of_a_case() {
    let (set, cases) = (set(), cases());
    let trial = Trial::new(&set, &cases).unwrap();
    let mutants = mutants(&set);
    let fate = trial.fate(of(&mutants, "deployment-ready:drop:deployment_missing.deployment_exists@"));
    let Fate::Rejected(finding) = fate else { panic!("{fate:?}") };
    assert!(finding.contains("`deployment_missing` can never match"), "{finding}");
}

#[test]
fn what_cannot_make_a_difference_says_why() {
    let (set, cases) = (set(), cases());
    let trial = Trial::new(&set, &cases).unwrap();
    let mutants = mutants(&set);
    for id in [
        "route-ready:swap-classes:service_missing+service_has_no_endpoints@",
        "model-endpoint-ready:swap-classes:inferenceservice_missing+inferenceservice_not_ready@",
        "deployment-ready:drop-owner:namespace_exists@",
    ] {
        assert!(matches!(trial.fate(of(&mutants, id)), Fate::Equivalent(_)), "{id}");
    }
    // Both match a pod without memory and without its image.
    let both = "deployment-ready:swap-classes:image_pull_backoff+invalid_configuration@";
    assert_eq!(trial.fate(of(&mutants, both)), Fate::Survived);
}

#[test]
fn a_trial_begins_with_cases_that_pass() {
    let set = set();
    assert!(matches!(Trial::new(&set, &[]), Err(TrialError::NoCases)));
    let wrong = MISSING.replace("deployment_missing", "pods_not_ready");
    let cases = [case::parse("wrong.yaml", &wrong).unwrap()];
    let error = Trial::new(&set, &cases).unwrap_err().to_string();
    assert!(error.contains("wrong.yaml:5:28: No controller"), "{error}");
}

#[test]
fn the_score_is_of_those_that_cases_had_to_decide() {
    let caught = || Fate::Caught(String::new());
    let fates = [
        caught(),
        caught(),
        caught(),
        Fate::Survived,
        Fate::Rejected(String::new()),
        Fate::Equivalent(""),
    ];
    let score = Score::of(&fates);
    assert_eq!((score.total(), score.decided()), (6, 4));
    assert!((score.by_cases() - 75.0).abs() < f64::EPSILON);
    assert!((score.with_lints() - 80.0).abs() < f64::EPSILON);
    assert!(Score::default().by_cases().abs() < f64::EPSILON);
}

#[test]
fn the_set_that_loads_is_the_set_that_is_changed() {
    let set = set();
    assert_eq!(RubricSet::from_raw(&set).unwrap().version, RubricSet::embedded().unwrap().version);
}
