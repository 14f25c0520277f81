//! The corpus of recorded namespaces: every root cause is found and named, and nothing else is said.
//!
//! `make bench-verdicts` prints the score behind these assertions; `tests/corpus/README.md` says how to add a namespace.

#![cfg(test)]

use stargate_common::evaluate::rubric::RubricSet;
use stargate_tests::corpus::{self, score};

#[test]
fn every_root_cause_is_found_and_nothing_else_is_said() {
    let rubrics = RubricSet::embedded().unwrap();
    let cases = corpus::load(&corpus::directory()).unwrap_or_else(|error| panic!("{error:#}"));
    let score = score::score(&rubrics, &cases);
    assert!(
        score.is_perfect(),
        "{} deviations:\n{}",
        score.deviations.len(),
        score.deviations.join("\n")
    );
}
