//! The worked examples of readiness: `tests/examples/E01…` to `E25…`, each a situation and the verdicts that follow from it.

#![cfg(test)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use stargate_common::evaluate::case;
use stargate_common::evaluate::rubric::RubricSet;

/// How many worked examples there are.
const EXAMPLES: usize = 25;

fn examples() -> Vec<PathBuf> {
    case::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).expect("the examples are there")
}

#[test]
fn every_worked_example_comes_out_as_it_must() {
    let rubrics = RubricSet::embedded().expect("the rubrics are right");
    let mut wrong = Vec::new();
    let mut situations = 0;
    for path in examples() {
        match case::load(&path) {
            Ok(case) => {
                situations += case.situations.len();
                wrong.extend(case::run(&rubrics, &case).iter().map(ToString::to_string));
            }
            Err(error) => wrong.push(error.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{} mismatches:\n{}", wrong.len(), wrong.join("\n"));
    assert!(situations >= EXAMPLES, "{situations} situations");
}

#[test]
fn no_worked_example_is_missing() {
    let numbers: BTreeSet<String> = examples()
        .iter()
        .filter_map(|path| path.file_name()?.to_str()?.split_once('-').map(|(number, _)| number.to_owned()))
        .collect();
    let expected: BTreeSet<String> = (1..=EXAMPLES).map(|n| format!("E{n:02}")).collect();
    assert_eq!(numbers, expected);
}
