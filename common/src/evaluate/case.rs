//! Cases: a situation in YAML and the verdict it must lead to. `rubrics/<stage>/cases/` and `tests/examples/` hold them.
//!
//! ```yaml
//! title: One of two Deployments keeps crashing
//! namespace: sandbox-m4x8d-webshop
//! resources:
//!   - apiVersion: apps/v1
//!     kind: Deployment
//!     metadata: {name: worker, creationTimestamp: -40m}
//!     status: {readyReplicas: 0}
//! expect:
//!   deployment-ready: {outcome: fail, class: pods_not_ready, failing: [worker]}
//! ```
//!
//! | Field | What it says | When it is left out |
//! |---|---|---|
//! | `title` | what the case is about | an error |
//! | `at` | time of the evaluation, RFC 3339 | 2026-03-02T09:00:00Z |
//! | `cluster`, `namespace` | names | `cluster-a`; the namespace must be named |
//! | `resources` | Kubernetes objects with only the fields that matter; others are refused as misspelt | none |
//! | `namespace_gone` | the namespace was looked for and is not there | it is there, active, without labels |
//! | `read` | kinds that were read to their end; those of `resources` are, too | every kind of the namespace; kinds of the cluster when given |
//! | `not_read` | kind (or `all`) to the reason why it was not read, or not to its end | nothing |
//! | `subjects`, `probes`, `smoke_runs` | what provisioning, StarGate's probes and Demolition say | none |
//! | `declared` | what the lab's definition declares | nothing |
//! | `no_effect` | objects (`Pod/x`) and kinds of `not_read` that must change no verdict in the least; all others must be able to | none |
//! | `evidence` | in place of all that: stage to criterion or fact to value, to test a rubric's own rules | none |
//! | `cluster_facts` | `reachable`, `critical_alerts`, `job_backlogs` | it answers; the rest was not read |
//! | `expect` | per stage an outcome, or a map of what matters; also `kind`, `phase`, `others` | an error |
//! | `variants` | other situations: everything above again, laid over the case | none |
//!
//! Times may be relative to `at`: `-40m`, `-1h30m`, `+2d`. An object that does not say when it was created is three hours old.
//! In a variant `at: +10m` moves the clock and leaves the objects where they are; an object of the same kind and name is patched
//! (RFC 7396: maps are merged, lists replaced, null removes), `without: [Deployment/worker]` takes one away. `expect` is
//! replaced. A case that has variants is itself a situation only if it has an `expect`.
//!
//! What a stage is expected to be is compared as far as it is written: `outcome`, `reason`, `class`, `class_match`, `pattern_class`
//! (`none` when the members say nothing that is known), `sub_class`, `recommended_action`, the `severity`, `grade` and `area` of the class, the `auto_fix_confidence` of the sub-class, `message` (a part of
//! it), `until`, `criteria` (true, false, or why unknown). `excluded` names members that
//! must be left out. `failing` names every member that is at fault (or that an indeterminate stage waits for), as
//! `Deployment/worker`, or as `worker`, which stands for whatever has that name or a name that begins `worker-`; a member too
//! many is a mismatch. `others: pass_or_skipped` is about the stages
//! of the namespace that are not listed; the default is `any`. `skipped` alone means `not_applicable`.
//!
//! ```yaml
//! title: Out of memory comes before everything else
//! evidence:
//!   deployment-ready: {desired_replicas_ready: false, no_oom_kills: {value: false, failing: [Pod/worker-1]}, rest: true}
//! expect:
//!   deployment-ready: {outcome: fail, class: oom_killed, failing: [worker]}
//! ```
//!
//! Evidence is true, false, a number, a word, `{unknown: forbidden}`, or a map with `value` or `unknown`, `failing`, `excluded`,
//! `until`. What is not mentioned is unknown as `not_collected`; `rest` stands for every criterion that is not named, `signals` for
//! the texts that sub-classes are told by. Several stages are judged in pipeline order, so that one can block another.
//!
//! [`runner`] runs a suite of files. Beyond the expectations it refuses whatever would let a case pass that proves nothing: see
//! `audit.rs` and `suite.rs`; `rotten.rs` has examples of all of it.

mod audit;
mod change;
mod compare;
pub mod coverage;
mod effect;
mod expect;
mod given;
mod names;
mod observed;
mod raw;
pub mod recording;
pub mod report;
pub mod runner;
mod snapshot;
pub mod suite;
mod time;
mod values;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde_yaml::Location;

pub use audit::audit;
pub use expect::{Expectation, Others, StageExpectation};

use super::FleetVerdict;
use super::pipeline;
use super::rubric::RubricSet;
use crate::evidence::Declared;
use crate::objects::Snapshot;
use crate::stage::Stage;
use crate::suggest::suggest;

/// One file of cases.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file, as it was named.
    pub file: String,
    /// What it is about.
    pub title: String,
    /// At least one.
    pub situations: Vec<Situation>,
    /// What the case says before any variant.
    said: given::Given,
}

/// One situation and what is expected of it.
#[derive(Debug, Clone)]
pub struct Situation {
    /// Title of the case, and of the variant if it is one.
    pub title: String,
    /// Line of the title.
    pub line: u64,
    /// Column of the title.
    pub column: u64,
    /// Everything that was read.
    pub snapshot: Snapshot,
    /// Time of the evaluation.
    pub now: DateTime<Utc>,
    /// What the lab's definition declares.
    pub declared: Declared,
    /// What must come out.
    pub expect: Expectation,
    /// What was written, to judge it again with something changed.
    given: given::Given,
}

/// Why a file is not a case.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// It could not be read.
    #[error("reading {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It says something wrong: one line for each thing, with file, line and column.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<Flaw>),
}

/// Something wrong in a file of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1; 0 when the whole file is meant.
    pub line: u64,
    /// Column, from 1; 0 when the whole line is meant.
    pub column: u64,
    /// What is wrong and what to do.
    pub detail: String,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.detail)
    }
}

/// Gathers what is wrong in one file.
struct Flaws<'a> {
    file: &'a str,
    found: Vec<Flaw>,
}

impl Flaws<'_> {
    fn add(&mut self, at: Location, detail: impl Into<String>) {
        let known = at != Location::UNKNOWN;
        self.found.push(Flaw {
            file: self.file.to_owned(),
            line: if known { at.line() } else { 0 },
            column: if known { at.column() } else { 0 },
            detail: detail.into(),
        });
    }

    fn at_line(&mut self, line: u64, column: u64, detail: impl Into<String>) {
        self.found.push(Flaw {
            file: self.file.to_owned(),
            line,
            column,
            detail: detail.into(),
        });
    }
}

/// An expectation that was not met, or that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The file, as it was named.
    pub file: String,
    /// Line of the expectation.
    pub line: u64,
    /// Column of the expectation.
    pub column: u64,
    /// Which situation.
    pub title: String,
    /// Which stage, when it is about one.
    pub stage: Option<Stage>,
    /// What was expected and what is.
    pub detail: String,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}: {}: ", self.file, self.line, self.column, self.title)?;
        if let Some(stage) = self.stage {
            write!(f, "{stage}: ")?;
        }
        f.write_str(&self.detail)
    }
}

/// The files of cases in a directory, sorted; not in its folders.
///
/// # Errors
/// [`CaseError::Read`] when the directory cannot be read.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>, CaseError> {
    let read = |source| CaseError::Read {
        path: dir.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a file of cases.
///
/// # Errors
/// [`CaseError`] when it cannot be read, or says something wrong.
pub fn load(path: &Path) -> Result<Case, CaseError> {
    let text = std::fs::read_to_string(path).map_err(|source| CaseError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&path.display().to_string(), &text)
}

/// Reads the text of a file of cases. `file` is its name in messages.
///
/// # Errors
/// [`CaseError::Invalid`] with everything that is wrong.
pub fn parse(file: &str, text: &str) -> Result<Case, CaseError> {
    let mut flaws = Flaws { file, found: Vec::new() };
    let case = match crate::yaml::from_str::<raw::Raw>(text) {
        Ok(raw) => given::case(&raw, &mut flaws),
        Err(error) => {
            let what = error.without_snippet().to_string();
            let what = plain(what.lines().next().unwrap_or("not understood"));
            flaws.add(error.location().unwrap_or(Location::UNKNOWN), what);
            None
        }
    };
    match case {
        Some(case) if flaws.found.is_empty() => Ok(case),
        _ => Err(CaseError::Invalid(flaws.found)),
    }
}

/// What the parser says, without the place that we print ourselves, and with the word that was probably meant.
fn plain(message: &str) -> String {
    let message = message.trim_start_matches("error: ");
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    let message = message
        .split_once(", set DuplicateKeyPolicy")
        .map_or(message, |(message, _)| message);
    let word = message.split('`').nth(1);
    let known = message.split_once(", expected one of ").map(|(_, known)| known.split(", "));
    match (word, known) {
        (Some(word), Some(known)) if message.starts_with("unknown ") => {
            let what = message.split_once(", expected").map_or(message, |(what, _)| what);
            format!("{what}; {}", suggest(word, known.map(|known| known.trim_matches('`'))))
        }
        _ => message.to_owned(),
    }
}

/// What comes out of a situation.
#[must_use]
pub fn judge(rubrics: &RubricSet, situation: &Situation) -> FleetVerdict {
    if let Some(observed) = &situation.given.observed {
        return observed.judge(rubrics, situation);
    }
    pipeline::evaluate_snapshot(rubrics, &situation.snapshot, situation.now, &|_| Some(&situation.declared))
}

/// Judges every situation of a case and says where the verdicts are not as expected.
#[must_use]
pub fn run(rubrics: &RubricSet, case: &Case) -> Vec<Mismatch> {
    let mismatches = case.situations.iter().map(|situation| {
        let verdict = judge(rubrics, situation);
        compare::compare(rubrics, &case.file, situation, &verdict)
    });
    mismatches.flatten().collect()
}

#[cfg(test)]
mod rotten;
#[cfg(test)]
mod tests;
