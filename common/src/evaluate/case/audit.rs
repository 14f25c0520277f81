//! What makes a case prove less than it seems to, though every expectation in it is met.

use std::collections::BTreeMap;

use super::super::rubric::RubricSet;
use super::{Case, Flaw, Flaws, effect, names};

/// Names that the rubrics do not know, statements without effect, situations that are there twice. By line and column.
#[must_use]
pub fn audit(rubrics: &RubricSet, case: &Case) -> Vec<Flaw> {
    let mut flaws = Flaws {
        file: &case.file,
        found: Vec::new(),
    };
    twins(case, &mut flaws);
    for situation in &case.situations {
        for expected in &situation.expect.stages {
            for (at, unknown) in names::unknown(rubrics, expected) {
                flaws.add(at, format!("{}: {unknown}", expected.stage));
            }
        }
    }
    let mut found = flaws.found;
    found.extend(effect::flaws(rubrics, case));
    found.sort_by(|a, b| (a.line, a.column, &a.detail).cmp(&(b.line, b.column, &b.detail)));
    found.dedup();
    found
}

/// Situations of one file with the same title, or with the same content: one of them was meant to be another.
fn twins(case: &Case, flaws: &mut Flaws<'_>) {
    let mut titles = BTreeMap::new();
    for (index, situation) in case.situations.iter().enumerate() {
        let (line, column) = (situation.line, situation.column);
        if let Some(earlier) = titles.insert(&situation.title, line) {
            flaws.at_line(
                line,
                column,
                format!("the title is the same as in line {earlier}: rename one of the two"),
            );
        }
        let twin = case.situations[..index].iter().find(|earlier| {
            earlier.now == situation.now
                && earlier.declared == situation.declared
                && earlier.snapshot == situation.snapshot
                && earlier.given.observed == situation.given.observed
        });
        if let Some(twin) = twin {
            let what = format!(
                "nothing differs from line {}: change something, or remove one of the two",
                twin.line
            );
            flaws.at_line(line, column, what);
        }
    }
}
