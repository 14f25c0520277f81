//! Mutants: the rubric set changed in one small way, and whether any case notices. What no case notices could be wrong today.
//!
//! ```text
//! RawSet ──mutants()──> Mutant ──edit, compile──> RubricSet ──cases──> Fate
//! ```
//!
//! A mutant is *caught* when a case that passes on the original fails on it; *rejected* when the lints would refuse to load it, which is
//! no merit of any case and is counted apart; *equivalent* when an analysis proves that it cannot make a difference; else it has
//! *survived*, and the author has a case to write. The score is caught / (caught + survived).
//!
//! | File | What it holds |
//! |---|---|
//! | [`operator`] | the ways in which a set is changed |
//! | `text` | changes within a condition |
//! | `rubric` | mutants of one rubric |
//! | `tables` | mutants of `kinds.yaml` and `sub-classes.yaml` |
//! | `pattern` | mutants of `patterns/<source>.yaml`, which bring their cases along as examples |
//! | `trial` | mutants against cases |
//! | `equivalent` | what cannot make a difference, and why |

mod equivalent;
pub mod operator;
mod pattern;
mod rubric;
mod tables;
mod text;
mod trial;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_yaml::Location;

pub use self::operator::Operator;
pub use self::trial::{Trial, TrialError};
use super::case::{self, CaseError};
use super::lint::Place;
use super::lint::raw::RawSet;
use super::pattern::Source;
use crate::stage::Stage;

/// A rubric set changed in one place.
#[derive(Clone)]
pub struct Mutant {
    /// File group, operator, subject and line: `deployment-ready:flip:oom_killed.no_oom_kills@34`. Unique in a set.
    pub id: String,
    /// How it was changed.
    pub operator: Operator,
    /// Where.
    pub place: Place,
    /// What was changed: `class oom_killed`.
    pub subject: String,
    /// What stood there.
    pub was: String,
    /// What stands there now.
    pub now: String,
    scope: Scope,
    edit: Edit,
}

/// Makes the change.
type Edit = Arc<dyn Fn(&mut RawSet) + Send + Sync>;

/// What a mutant can have an effect on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// A stage, and those that depend on it.
    Rubric(Stage),
    /// Which stages apply.
    Kinds,
    /// Labels under classes.
    SubClasses,
    /// Classes found in texts of a source.
    Patterns(Source),
}

impl std::fmt::Debug for Mutant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mutant")
            .field("id", &self.id)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Display for Mutant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            place,
            operator,
            subject,
            was,
            now,
            ..
        } = self;
        write!(f, "{place}: {operator}: {subject}: `{was}` became `{now}`")
    }
}

impl Mutant {
    /// The set with the change.
    #[must_use]
    pub fn applied_to(&self, set: &RawSet) -> RawSet {
        let mut changed = set.clone();
        (self.edit)(&mut changed);
        changed
    }
}

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// A case fails on it: which, and how.
    Caught(String),
    /// Every case passes.
    Survived,
    /// It would not load: the first finding.
    Rejected(String),
    /// It cannot make a difference: why.
    Equivalent(&'static str),
}

impl Fate {
    /// The stable snake-case name.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Caught(_) => "caught",
            Self::Survived => "survived",
            Self::Rejected(_) => "rejected",
            Self::Equivalent(_) => "equivalent",
        }
    }
}

/// How many mutants came to which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each field counts the fate of that name")]
pub struct Score {
    pub caught: usize,
    pub survived: usize,
    pub rejected: usize,
    pub equivalent: usize,
}

impl Score {
    /// Counts fates.
    #[must_use]
    pub fn of<'a>(fates: impl IntoIterator<Item = &'a Fate>) -> Self {
        fates.into_iter().fold(Self::default(), |mut score, fate| {
            match fate {
                Fate::Caught(_) => score.caught += 1,
                Fate::Survived => score.survived += 1,
                Fate::Rejected(_) => score.rejected += 1,
                Fate::Equivalent(_) => score.equivalent += 1,
            }
            score
        })
    }

    /// How many there are in all.
    #[must_use]
    pub const fn total(self) -> usize {
        self.caught + self.survived + self.rejected + self.equivalent
    }

    /// How many the cases had to decide: those that load and make a difference.
    #[must_use]
    pub const fn decided(self) -> usize {
        self.caught + self.survived
    }

    /// Percentage of these that a case caught: the mutation score.
    #[must_use]
    pub fn by_cases(self) -> f64 {
        percentage(self.caught, self.decided())
    }

    /// Percentage that lints and cases caught together.
    #[must_use]
    pub fn with_lints(self) -> f64 {
        percentage(self.caught + self.rejected, self.decided() + self.rejected)
    }
}

#[expect(clippy::cast_precision_loss, reason = "thousands at most")]
fn percentage(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// Every mutant of a set, always in the same order.
#[must_use]
pub fn mutants(set: &RawSet) -> Vec<Mutant> {
    let mut made = Vec::new();
    for (stage, file) in &set.rubrics {
        rubric::mutants(
            &mut Maker::new(stage.as_str(), Scope::Rubric(*stage), &file.path, &mut made),
            *stage,
            &file.content,
        );
    }
    if let Some(file) = &set.kinds {
        tables::kinds(&mut Maker::new("kinds", Scope::Kinds, &file.path, &mut made), &file.content);
    }
    if let Some(file) = &set.sub_classes {
        tables::sub_classes(
            &mut Maker::new("sub-classes", Scope::SubClasses, &file.path, &mut made),
            &file.content,
        );
    }
    for (source, file) in &set.pattern_files {
        let mut maker = Maker::new(source.as_str(), Scope::Patterns(*source), &file.path, &mut made);
        pattern::mutants(&mut maker, *source, &file.content);
    }
    tell_apart(&mut made);
    made
}

/// Numbers mutants that would have the same id.
fn tell_apart(made: &mut [Mutant]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for mutant in made {
        let count = seen.entry(mutant.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            mutant.id.push_str(&format!("#{count}"));
        }
    }
}

/// Makes the mutants of one file.
struct Maker<'a> {
    group: &'a str,
    scope: Scope,
    path: &'a Arc<str>,
    made: &'a mut Vec<Mutant>,
}

/// What a mutant is called and says.
struct Named<'a> {
    operator: Operator,
    at: Location,
    /// Short, for the id: `oom_killed.no_oom_kills`.
    what: &'a str,
    /// For people: `class oom_killed`.
    subject: String,
}

impl<'a> Maker<'a> {
    fn new(group: &'a str, scope: Scope, path: &'a Arc<str>, made: &'a mut Vec<Mutant>) -> Self {
        Self { group, scope, path, made }
    }

    fn add(&mut self, named: Named<'_>, was: &str, now: &str, edit: impl Fn(&mut RawSet) + Send + Sync + 'static) {
        let Named {
            operator,
            at,
            what,
            subject,
        } = named;
        let place = Place {
            file: Arc::clone(self.path),
            line: at.line(),
            column: at.column(),
        };
        self.made.push(Mutant {
            id: format!("{}:{operator}:{what}@{}", self.group, place.line),
            operator,
            place,
            subject,
            was: was.to_owned(),
            now: now.to_owned(),
            scope: self.scope,
            edit: Arc::new(edit),
        });
    }
}

/// Every file of cases under a directory of rubrics: those in a folder that is called `cases`, sorted.
///
/// # Errors
/// [`CaseError::Read`] when a directory cannot be read.
pub fn case_files(rubrics: &Path) -> Result<Vec<PathBuf>, CaseError> {
    let mut files = Vec::new();
    let mut left = vec![rubrics.to_owned()];
    while let Some(dir) = left.pop() {
        if dir.file_name().is_some_and(|name| name == "cases") {
            files.extend(case::files(&dir)?);
        }
        let read = |source| CaseError::Read { path: dir.clone(), source };
        for entry in std::fs::read_dir(&dir).map_err(read)? {
            let path = entry.map_err(read)?.path();
            if path.is_dir() {
                left.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
