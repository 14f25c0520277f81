//! Runs a suite: every situation is judged and compared, every file is audited. What cannot be judged is never passed.

use std::collections::BTreeMap;

use super::super::rubric::RubricSet;
use super::coverage::Coverage;
use super::suite::{About, CaseFile, Suite};
use super::{Case, CaseError, Flaw, Mismatch, audit, compare, judge, load};

/// What became of a suite.
#[derive(Debug, Clone)]
pub struct Run {
    /// Every situation that was run, by file and line.
    pub tested: Vec<Tested>,
    /// What is wrong with files and folders: each keeps the suite from passing.
    pub flaws: Vec<Flaw>,
    /// What of the rubrics the passed situations have shown.
    pub coverage: Coverage,
}

/// One situation and how it came out.
#[derive(Debug, Clone)]
pub struct Tested {
    /// The file, as it was named.
    pub file: String,
    /// Line of the title.
    pub line: u64,
    /// Column of the title.
    pub column: u64,
    /// Title of the case, and of the variant if it is one.
    pub title: String,
    /// Where the verdict is not as expected; empty when it passed.
    pub mismatches: Vec<Mismatch>,
}

impl Run {
    /// Situations that came out as they must.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.tested.iter().filter(|tested| tested.mismatches.is_empty()).count()
    }

    /// Situations that did not.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.tested.len() - self.passed()
    }

    /// Whether everything passed, and there was something to pass.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.tested.is_empty() && self.flaws.is_empty() && self.failed() == 0
    }
}

/// Runs the situations of a suite for which `select` holds; it is asked with `file: title`.
#[must_use]
pub fn run_suite(rubrics: &RubricSet, suite: &Suite, select: &dyn Fn(&str) -> bool) -> Run {
    let mut run = Run {
        tested: Vec::new(),
        flaws: suite.flaws.clone(),
        coverage: Coverage::new(rubrics),
    };
    let mut titles: BTreeMap<(About, String), String> = BTreeMap::new();
    for file in &suite.files {
        let case = match load(&file.path) {
            Ok(case) => case,
            Err(CaseError::Invalid(flaws)) => {
                run.flaws.extend(flaws);
                continue;
            }
            Err(CaseError::Read { path, source }) => {
                run.flaws
                    .push(whole(&path.display().to_string(), format!("cannot be read: {source}")));
                continue;
            }
        };
        if let Some(other) = titles.insert((file.about.clone(), case.title.clone()), case.file.clone()) {
            run.flaws
                .push(whole(&case.file, format!("has the same title as {other}: rename one of the two")));
        }
        run.case(rubrics, file, &case, select);
    }
    if run.tested.is_empty() && run.flaws.is_empty() {
        let what = if suite.files.is_empty() {
            "there is no case here"
        } else {
            "no case was chosen: the expression of --run is searched in `file: title`"
        };
        run.flaws.push(whole("(suite)", what.to_owned()));
    }
    run
}

impl Run {
    fn case(&mut self, rubrics: &RubricSet, file: &CaseFile, case: &Case, select: &dyn Fn(&str) -> bool) {
        let chosen = |title: &str| select(&format!("{}: {title}", case.file));
        if !case.situations.iter().any(|situation| chosen(&situation.title)) {
            return;
        }
        let flaws = audit(rubrics, case);
        // What is wrong with a name is told there, and would be told again as a mismatch.
        let is_sound = flaws.is_empty();
        self.flaws.extend(flaws);
        self.flaws.extend(beside_the_point(rubrics, file, case));
        for situation in case.situations.iter().filter(|situation| chosen(&situation.title)) {
            let verdict = judge(rubrics, situation);
            let mismatches = compare::compare(rubrics, &case.file, situation, &verdict);
            if mismatches.is_empty() && is_sound {
                self.coverage.see(situation, &verdict, rubrics);
            }
            self.tested.push(Tested {
                file: case.file.clone(),
                line: situation.line,
                column: situation.column,
                title: situation.title.clone(),
                mismatches,
            });
        }
    }
}

/// Situations that say nothing of the rubric in whose folder they are, and files named for a class that they never show.
fn beside_the_point(rubrics: &RubricSet, file: &CaseFile, case: &Case) -> Vec<Flaw> {
    let stages = match &file.about {
        About::Anything => return Vec::new(),
        About::Stage(stage) => vec![*stage],
        About::Lab(name) => match rubrics.labs.iter().find(|lab| lab.id == *name) {
            Some(lab) => vec![lab.rubric.stage],
            None => {
                return vec![whole(
                    &case.file,
                    format!("the rubrics have no lab `{name}`: judge by the set that the case is in"),
                )];
            }
        },
    };
    let names: Vec<&str> = stages.iter().map(|stage| stage.as_str()).collect();
    let mut flaws = Vec::new();
    for situation in &case.situations {
        if !situation.expect.stages.iter().any(|expected| stages.contains(&expected.stage)) {
            flaws.push(Flaw {
                file: case.file.clone(),
                line: situation.expect.line,
                column: situation.expect.column,
                detail: format!(
                    "nothing is expected of {}, whose case this is: add it, or move the case",
                    names.join(", ")
                ),
            });
        }
    }
    let stem = file.path.file_stem().unwrap_or_default().to_string_lossy();
    let shown = |class: &str| {
        let expected = case.situations.iter().flat_map(|situation| &situation.expect.stages);
        expected.into_iter().any(|expected| expected.class.as_deref() == Some(class))
    };
    if rubrics.class(&stem).is_some() && !shown(&stem) {
        flaws.push(whole(
            &case.file,
            format!("is named for the class `{stem}`, which it never expects: rename it, or expect the class"),
        ));
    }
    flaws
}

fn whole(file: &str, detail: String) -> Flaw {
    Flaw {
        file: file.to_owned(),
        line: 0,
        column: 0,
        detail,
    }
}
