//! The shipped rubrics, changed in small ways: their cases must notice nearly all of it, so that nobody can add a rubric that is
//! not shown to be right.

#![cfg(test)]

use std::path::Path;

use stargate_common::evaluate::case::{self, Case};
use stargate_common::evaluate::lint::raw::RawSet;
use stargate_common::evaluate::mutate::{self, Fate, Score, Trial};

/// Fewest mutants that load and make a difference.
const MUTANTS: usize = 500;
/// Smallest percentage of these that cases must catch.
const SCORE: f64 = 95.0;

#[test]
fn cases_notice_what_is_changed_in_the_rubrics() {
    let rubrics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rubrics");
    let set = RawSet::from_dir(&rubrics).unwrap_or_else(|error| panic!("{error}"));
    let files = mutate::case_files(&rubrics).unwrap();
    let cases: Vec<Case> = files
        .iter()
        .map(|file| case::load(file).unwrap_or_else(|error| panic!("{error}")))
        .collect();
    let trial = Trial::new(&set, &cases).unwrap_or_else(|error| panic!("{error}"));
    let mutants = mutate::mutants(&set);
    let fates = trial.fates(&mutants, &|_| {});
    let score = Score::of(&fates);
    let survivors: Vec<String> = mutants
        .iter()
        .zip(&fates)
        .filter(|(_, fate)| matches!(fate, Fate::Survived))
        .map(|(mutant, _)| format!("{mutant}\n  would notice: {}", mutant.operator.hint()))
        .collect();
    assert!(score.decided() >= MUTANTS, "only {} mutants: {score:?}", score.decided());
    assert!(
        score.by_cases() >= SCORE,
        "cases catch {:.1} % of {} mutants, at least {SCORE} % are wanted; see `stargate rubric mutate rubrics`. Survivors:\n{}",
        score.by_cases(),
        score.decided(),
        survivors.join("\n")
    );
}
