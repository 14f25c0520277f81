//! Mutants against cases.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Fate, Mutant, Scope, equivalent};
use crate::evaluate::case::{self, Case, Mismatch};
use crate::evaluate::lint::Finding;
use crate::evaluate::lint::raw::RawSet;
use crate::evaluate::pattern::{self, Source};
use crate::evaluate::rubric::{LoadError, RubricSet};

/// A pattern that costs nothing to compile.
const CHEAP: &str = "x";

/// A rubric set and the cases that it passes.
#[derive(Debug)]
pub struct Trial<'a> {
    set: &'a RawSet,
    /// The same with cheap patterns: compiling these is most of the work, and mutants of rubrics do not touch them.
    light: RawSet,
    /// Nothing but the files of pattern classes.
    texts: RawSet,
    original: RubricSet,
    cases: &'a [Case],
}

/// Why mutants cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The set itself is wrong.
    #[error("the rubrics")]
    Load(#[from] LoadError),
    /// Cases fail on the original.
    #[error("{} expectation(s) fail on the unchanged rubrics; repair them first:\n{}", .0.len(), lines(.0))]
    Failing(Vec<Mismatch>),
    /// There is nothing to catch mutants with.
    #[error("there are no cases")]
    NoCases,
}

fn without_examples(set: &mut RawSet) {
    if let Some(file) = &mut set.sub_classes {
        file.content.without_examples = true;
    }
}

fn lines(mismatches: &[Mismatch]) -> String {
    let lines: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

impl<'a> Trial<'a> {
    /// Prepares, and makes sure that every case passes on the set as it is.
    ///
    /// # Errors
    /// [`TrialError`] when the set does not load, a case fails on it, or there is no case.
    pub fn new(set: &'a RawSet, cases: &'a [Case]) -> Result<Self, TrialError> {
        let original = RubricSet::from_raw(set)?;
        if cases.is_empty() {
            return Err(TrialError::NoCases);
        }
        let failing: Vec<Mismatch> = cases.iter().flat_map(|case| case::run(&original, case)).collect();
        if !failing.is_empty() {
            return Err(TrialError::Failing(failing));
        }
        let mut light = set.clone();
        without_examples(&mut light);
        let rules = light.sub_classes.iter_mut().flat_map(|file| &mut file.content.classes.0);
        for pattern in rules
            .flat_map(|(_, entry)| &mut entry.rules)
            .filter_map(|rule| rule.pattern.as_mut())
        {
            CHEAP.clone_into(&mut pattern.value);
        }
        Ok(Self {
            set,
            light,
            texts: RawSet {
                pattern_files: set.pattern_files.clone(),
                ..RawSet::default()
            },
            original,
            cases,
        })
    }

    /// What becomes of a mutant.
    #[must_use]
    pub fn fate(&self, mutant: &Mutant) -> Fate {
        if let Scope::Patterns(source) = mutant.scope {
            return self.fate_of_pattern(mutant, source);
        }
        let changed = match self.compile(mutant) {
            Ok(changed) => changed,
            Err(LoadError::Invalid(findings)) => return Fate::Rejected(findings.first().map(ToString::to_string).unwrap_or_default()),
            Err(error) => return Fate::Rejected(error.to_string()),
        };
        let mismatch = self
            .cases_for(mutant.scope)
            .find_map(|case| case::run(&changed, case).into_iter().next());
        match mismatch {
            Some(mismatch) => Fate::Caught(mismatch.to_string()),
            None => match equivalent::reason(&self.original, &changed, mutant) {
                Some(why) => Fate::Equivalent(why),
                None if mutant.scope == Scope::SubClasses => self.fate_by_examples(mutant),
                None => Fate::Survived,
            },
        }
    }

    /// Rules of sub-classes have examples beside them, which are cases of the rule alone.
    fn fate_by_examples(&self, mutant: &Mutant) -> Fate {
        match RubricSet::from_raw(&mutant.applied_to(self.set)) {
            Err(LoadError::Invalid(findings)) => Fate::Caught(findings.first().map(ToString::to_string).unwrap_or_default()),
            _ => Fate::Survived,
        }
    }

    /// A pattern class brings its cases along: what its examples say against the change has caught it.
    fn fate_of_pattern(&self, mutant: &Mutant, source: Source) -> Fate {
        let changed = mutant.applied_to(&self.texts);
        let first = |findings: &[Finding]| findings.first().map(ToString::to_string).unwrap_or_default();
        match changed.pattern_files.get(&source).map(|file| pattern::against(file, source)) {
            None => Fate::Survived,
            Some(Err(refused)) => Fate::Rejected(first(&refused)),
            Some(Ok(said)) if said.is_empty() => Fate::Survived,
            Some(Ok(said)) => Fate::Caught(first(&said)),
        }
    }

    /// What becomes of each mutant, in their order. `done` is told how many are through.
    #[must_use]
    pub fn fates(&self, mutants: &[Mutant], done: &(dyn Fn(usize) + Sync)) -> Vec<Fate> {
        let workers = std::thread::available_parallelism()
            .map_or(1, NonZero::get)
            .min(mutants.len().max(1));
        let (next, through) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            let mut fates = Vec::new();
            while let at = next.fetch_add(1, Ordering::Relaxed)
                && let Some(mutant) = mutants.get(at)
            {
                fates.push((at, self.fate(mutant)));
                done(through.fetch_add(1, Ordering::Relaxed) + 1);
            }
            fates
        };
        let mut fates: Vec<(usize, Fate)> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
            let mut fates = work();
            for other in others {
                match other.join() {
                    Ok(more) => fates.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            fates
        });
        fates.sort_by_key(|(at, _)| *at);
        fates.into_iter().map(|(_, fate)| fate).collect()
    }

    fn compile(&self, mutant: &Mutant) -> Result<RubricSet, LoadError> {
        if mutant.scope == Scope::SubClasses {
            // That the examples beside the rules disagree is no matter of the lints here.
            let mut changed = mutant.applied_to(self.set);
            without_examples(&mut changed);
            return RubricSet::from_raw(&changed);
        }
        let mut changed = RubricSet::from_raw(&mutant.applied_to(&self.light))?;
        changed.sub_classes = self.original.sub_classes.clone();
        Ok(changed)
    }

    /// All cases, those that most likely notice first.
    fn cases_for(&self, scope: Scope) -> impl Iterator<Item = &Case> {
        let near = move |case: &&Case| match scope {
            Scope::Rubric(stage) => case.file.contains(stage.as_str()),
            Scope::Kinds => case.file.contains("kinds"),
            Scope::SubClasses | Scope::Patterns(_) => case.file.contains("said_"),
        };
        let first = self.cases.iter().filter(near);
        first.chain(self.cases.iter().filter(move |case| !near(case)))
    }
}
