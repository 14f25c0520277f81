//! The worked examples of readiness: `tests/examples/E01…` to `E25…` are all there. That they come out as they must is for
//! `rubric_cases.rs` to say.

#![cfg(test)]

use std::collections::BTreeSet;
use std::path::Path;

use stargate_common::evaluate::case;

/// How many worked examples there are.
const EXAMPLES: usize = 25;

#[test]
fn no_worked_example_is_missing() {
    let examples = case::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).expect("the examples are there");
    let numbers: BTreeSet<String> = examples
        .iter()
        .filter_map(|path| path.file_name()?.to_str()?.split_once('-').map(|(number, _)| number.to_owned()))
        .collect();
    let expected: BTreeSet<String> = (1..=EXAMPLES).map(|n| format!("E{n:02}")).collect();
    assert_eq!(numbers, expected);
}
