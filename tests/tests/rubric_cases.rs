//! Every rubric against its cases, `rubrics/<stage>/cases/`: each class, each criterion and each reason not to know is seen.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use stargate_common::evaluate::case::{self, Case};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::evaluate::{FleetVerdict, Outcome, Reason, Verdict};
use stargate_common::stage::Stage;

/// Classes that no single moment can show.
const NEED_HISTORY: &[&str] = &[
    // Progress that stands still shows only between two scans.
    "clone_stalled",
];

/// Criteria and values that cannot come about.
const NEVER: &[(Stage, &str, Seen)] = &[
    // The set that judges always has a version.
    (Stage::RunCreated, "rubric_version_present", Seen::False),
    (Stage::RunCreated, "rubric_version_present", Seen::Unknown),
    // What nobody can tell after twenty minutes is not judged at all.
    (Stage::RunCreated, "demo_id_present", Seen::False),
    // Where Routes were not read, the Services that they lead to are not known either: the entry criterion says so first.
    (Stage::RouteReady, "route_exists", Seen::Unknown),
    // As for `clone_stalled`.
    (Stage::StorageCloneReady, "no_stalled_clone", Seen::False),
];

/// What a criterion was seen to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    True,
    False,
    Unknown,
}

fn rubrics() -> RubricSet {
    RubricSet::embedded().unwrap()
}

fn folder(stage: Stage) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../rubrics")
        .join(stage.as_str())
        .join("cases")
}

/// The cases of a stage.
fn cases(stage: Stage) -> Vec<Case> {
    let files = case::files(&folder(stage)).unwrap();
    files
        .iter()
        .map(|file| case::load(file).unwrap_or_else(|error| panic!("{error}")))
        .collect()
}

fn of_stage(verdicts: &FleetVerdict, stage: Stage) -> Option<&Verdict> {
    match stage {
        Stage::ClusterHealth => verdicts.clusters.values().next(),
        _ => verdicts.instances.first()?.1.stages.iter().find(|verdict| verdict.stage == stage),
    }
}

/// Every situation of a stage's cases that expects something of this stage, with what came out.
fn judged(rubrics: &RubricSet, stage: Stage) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for case in cases(stage) {
        for situation in &case.situations {
            let expects = situation.expect.stages.iter().any(|expected| expected.stage == stage);
            verdicts.extend(of_stage(&case::judge(rubrics, situation), stage).filter(|_| expects).cloned());
        }
    }
    verdicts
}

#[test]
fn every_case_comes_out_as_it_must() {
    let rubrics = rubrics();
    let mut wrong = Vec::new();
    for stage in Stage::ALL {
        for file in case::files(&folder(stage)).unwrap() {
            match case::load(&file) {
                Ok(case) => wrong.extend(case::run(&rubrics, &case).iter().map(ToString::to_string)),
                Err(error) => wrong.push(error.to_string()),
            }
        }
    }
    assert!(wrong.is_empty(), "{} mismatches:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_stage_passes_and_is_in_doubt_somewhere() {
    let rubrics = rubrics();
    for stage in Stage::ALL {
        let verdicts = judged(&rubrics, stage);
        let seen = |outcome| verdicts.iter().any(|verdict| verdict.outcome == outcome);
        assert!(seen(Outcome::Pass), "no case of {stage} passes");
        assert!(seen(Outcome::Fail), "no case of {stage} fails");
        assert!(seen(Outcome::Indeterminate), "no case of {stage} is indeterminate");
    }
}

#[test]
fn every_class_has_a_case() {
    let rubrics = rubrics();
    let mut without = Vec::new();
    for stage in Stage::ALL {
        let verdicts = judged(&rubrics, stage);
        let seen: BTreeSet<&str> = verdicts.iter().filter_map(|verdict| verdict.failure_class.as_deref()).collect();
        let classes = rubrics.rubric(stage).classes.iter().map(|class| class.name.as_str());
        without.extend(classes.filter(|class| !seen.contains(class) && !NEED_HISTORY.contains(class)));
        let named: BTreeSet<String> = cases(stage).iter().map(|case| case.file.clone()).collect();
        for class in rubrics
            .rubric(stage)
            .classes
            .iter()
            .filter(|class| !NEED_HISTORY.contains(&class.name.as_str()))
        {
            let file = format!("/{}.yaml", class.name);
            assert!(named.iter().any(|name| name.ends_with(&file)), "{stage} has no cases{file}");
        }
    }
    assert!(without.is_empty(), "no case shows {without:?}");
}

#[test]
fn every_criterion_is_seen_true_false_and_unknown() {
    let rubrics = rubrics();
    let mut missing = Vec::new();
    for stage in Stage::ALL {
        let mut seen: BTreeMap<String, BTreeSet<Seen>> = BTreeMap::new();
        for verdict in judged(&rubrics, stage) {
            for criterion in &verdict.criteria {
                let value = match criterion.value.as_bool() {
                    Some(true) => Seen::True,
                    Some(false) => Seen::False,
                    None => Seen::Unknown,
                };
                seen.entry(criterion.name.clone().into_owned()).or_default().insert(value);
            }
            // When the stage behind an entry criterion fails, that criterion is false and its stage blocked.
            for entry in &rubrics.rubric(stage).entry {
                if entry.owner.is_some_and(|owner| verdict.reason == Some(Reason::BlockedBy(owner))) {
                    seen.entry(entry.name.to_owned()).or_default().insert(Seen::False);
                }
            }
        }
        let rubric = rubrics.rubric(stage);
        for criterion in rubric.entry.iter().chain(&rubric.exit) {
            for value in [Seen::True, Seen::False, Seen::Unknown] {
                let is = seen.get(criterion.name).is_some_and(|seen| seen.contains(&value));
                if !is && !NEVER.contains(&(stage, criterion.name, value)) {
                    missing.push(format!("{stage}: {} {value:?}", criterion.name));
                }
            }
        }
    }
    assert!(missing.is_empty(), "no case shows:\n{}", missing.join("\n"));
}
