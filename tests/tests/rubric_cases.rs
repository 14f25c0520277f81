//! Every rubric against its cases, and the worked examples, by the runner of `stargate rubric test`: everything comes out as it
//! must, nothing is unused, and each class, each criterion and each reason not to know is shown.

#![cfg(test)]

use std::path::{Path, PathBuf};

use stargate_common::evaluate::case::coverage::Point;
use stargate_common::evaluate::case::runner::{Run, run_suite};
use stargate_common::evaluate::case::suite;
use stargate_common::evaluate::rubric::RubricSet;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run(path: &str) -> Run {
    let rubrics = RubricSet::from_dir(&root().join("rubrics")).unwrap();
    run_suite(&rubrics, &suite::find(&[root().join(path)]).unwrap(), &|_| true)
}

fn assert_good(run: &Run) {
    let mut wrong: Vec<String> = run.flaws.iter().map(ToString::to_string).collect();
    wrong.extend(run.tested.iter().flat_map(|tested| &tested.mismatches).map(ToString::to_string));
    assert!(run.is_good(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_case_comes_out_as_it_must() {
    assert_good(&run("rubrics"));
}

#[test]
fn every_worked_example_comes_out_as_it_must() {
    assert_good(&run("tests/examples"));
}

#[test]
fn cases_show_everything_that_the_rubrics_say() {
    let run = run("rubrics");
    let missing: Vec<String> = run
        .coverage
        .missing()
        // Sub-classes are tested with the rules that tell them.
        .filter(|(point, _)| !matches!(point, Point::SubClass { .. }))
        .map(|(point, place)| format!("{}: {point}", place.map_or_else(|| "(set)".to_owned(), ToString::to_string)))
        .collect();
    assert!(missing.is_empty(), "no case shows:\n{}", missing.join("\n"));
}
