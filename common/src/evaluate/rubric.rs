//! Rubrics: what each stage must show, how its failures are called, and what to look at then.
//!
//! A set always holds one rubric per stage. It is loaded once, checked as a whole ([`lint`]) and shared behind an
//! `Arc`; judging never parses anything. Its version is a hash over every file, so a verdict says by which rules it was made.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::catalog::Catalog;
use super::files::{self, Text};
use super::kind::KindTable;
use super::lab::LabRubric;
use super::lint::raw::RawSet;
use super::lint::{self, Finding, Place};
use super::pattern::{Patterns, Source};
use super::subclass::SubClasses;
use crate::evidence::Settle;
use crate::expr::Expr;
use crate::stage::Stage;

pub use super::files::{File, Texts};

/// One stage's rubric.
#[derive(Debug, Clone, PartialEq)]
pub struct Rubric {
    /// The stage it judges.
    pub stage: Stage,
    /// Semantic version, for people.
    pub version: String,
    /// What it looks for, why that matters, when a fix is unsafe, where the numbers come from.
    pub summary: String,
    /// Settle budget in seconds: how long something may be on its way before it counts as failed. None where nothing ever is.
    pub timeout_seconds: Option<u32>,
    /// Checked first, in order; the first that is required and not met ends the evaluation.
    pub entry: Vec<Criterion>,
    /// All checked.
    pub exit: Vec<Criterion>,
    /// In order of precedence.
    pub classes: Vec<FailureClass>,
    /// Actions that may be offered for this stage.
    pub allowed_remediations: Vec<String>,
    /// Actions that must never be offered.
    pub forbidden_remediations: Vec<String>,
    /// SHA-256 of the file, hexadecimal.
    pub hash: String,
}

/// A criterion as the rubric uses it.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// One of the names that the stage observes; for a criterion with an expression a name of its own.
    pub name: Cow<'static, str>,
    /// What it is judged by, when it is not observed by the stage.
    pub check: Option<Check>,
    /// What it says, for people.
    pub description: String,
    /// Whether the outcome depends on it.
    pub required: bool,
    /// Whether it changes nothing while nobody reads its source at all (`not_collected`, `not_probed`). A source that is read and fails makes the
    /// stage indeterminate as ever.
    pub optional_until_read: bool,
    /// The class of the failure when this entry criterion is false.
    pub class: Option<EntryClass>,
    /// The earlier stage that this entry criterion restates: when that one failed, this stage is blocked by it.
    pub owner: Option<Stage>,
    /// Where it stands.
    pub place: Place,
}

/// A criterion that is written as an expression over the evidence document.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What must hold.
    pub expr: Expr,
    /// Who is at fault when it does not: a list of records. Without it, the expression itself may tell.
    pub members: Option<Expr>,
    /// How long after the namespace's creation it need not hold yet.
    pub settle_seconds: Option<u32>,
}

/// The class that a false entry criterion leads to. It may be defined in another stage's rubric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryClass {
    /// Name of the class.
    pub name: String,
    /// What that class recommends.
    pub recommended_action: Option<String>,
}

/// A named way to fail.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureClass {
    /// Stable snake-case name.
    pub name: String,
    /// The stage whose rubric defines it.
    pub stage: Stage,
    /// A few words for a heading.
    pub title: String,
    /// What an operator should know: what it means, usual causes, what to look at.
    pub description: String,
    /// All must hold. Empty: only an entry criterion leads here.
    pub when: Vec<When>,
    /// Name of an action that looks into it; none changes anything by itself.
    pub recommended_action: Option<String>,
    /// 1 (cosmetic) to 10 (nothing works): the start of triage.
    pub severity: u8,
    /// How loud it is.
    pub grade: ClassGrade,
    /// What part of the platform it is about.
    pub area: Area,
    /// Where its name stands.
    pub place: Place,
}

/// One item of a class's conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    /// What must hold, in the variables of [`lint::when_schema`].
    pub expr: Expr,
    /// Where it stands.
    pub place: Place,
}

/// How loud a class is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassGrade {
    /// Counts as a failure.
    Failure,
    /// Shown, not counted.
    Warning,
    /// Hidden from operations views.
    Informational,
}

/// Part of the platform, for grouping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant says itself")]
pub enum Area {
    Cluster,
    Platform,
    Provisioning,
    Workload,
    Storage,
    Network,
    VirtualMachine,
    Showroom,
    Application,
    Model,
}

/// The rubrics of all stages, the sub-classes and the kinds of labs.
#[derive(Debug, Clone)]
pub struct RubricSet {
    /// In pipeline order, exactly one per stage.
    rubrics: Vec<Rubric>,
    /// What labs add, by name.
    pub labs: Vec<LabRubric>,
    /// Finer labels under the classes.
    pub sub_classes: SubClasses,
    /// Which stages apply to which kind of lab.
    pub kinds: KindTable,
    /// Actions that the rubrics may name.
    pub catalog: Catalog,
    /// How long the things of each stage may be on their way.
    pub settle: Settle,
    /// Failure classes that are found in texts.
    pub patterns: Patterns,
    /// The first 16 hexadecimal digits of a SHA-256 over all files.
    pub version: String,
    /// What could be better but does not stop the load.
    pub warnings: Vec<Finding>,
}

/// Why rubrics could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or directory could not be read.
    #[error("reading rubrics from {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// At least one rubric is wrong.
    #[error("{}", lint::render(.0))]
    Invalid(Vec<Finding>),
}

impl RubricSet {
    /// The rubrics this program was built with.
    ///
    /// # Errors
    /// [`LoadError::Invalid`] when they are wrong, which a test rules out for released programs.
    pub fn embedded() -> Result<Self, LoadError> {
        Self::from_files(&files::embedded())
    }

    /// Rubrics of a directory that looks like `rubrics/`: one folder per stage, `kinds.yaml`, `sub-classes.yaml`. The actions of the
    /// built-in catalog are known; a folder `remediations/` in the directory can add to them or replace them.
    ///
    /// # Errors
    /// [`LoadError`] when a file cannot be read or says something wrong.
    pub fn from_dir(dir: &Path) -> Result<Self, LoadError> {
        Texts::read(dir)?.load()
    }

    /// Rubrics from texts that were already read.
    ///
    /// # Errors
    /// [`LoadError::Invalid`] with everything that is wrong, not only the first.
    pub fn from_files(files: &[File<'_>]) -> Result<Self, LoadError> {
        let (raw, findings) = lint::parse(files);
        Self::compile(&raw, findings)
    }

    /// Rubrics from a raw set, perhaps one that was changed since it was read.
    ///
    /// # Errors
    /// [`LoadError::Invalid`] with everything that is wrong, not only the first.
    pub fn from_raw(raw: &RawSet) -> Result<Self, LoadError> {
        Self::compile(raw, Vec::new())
    }

    fn compile(raw: &RawSet, earlier: Vec<Finding>) -> Result<Self, LoadError> {
        let checked = lint::check(raw, earlier);
        let (errors, warnings): (Vec<_>, Vec<_>) = checked.findings.into_iter().partition(|f| f.level == lint::Level::Error);
        let (Some(sub_classes), Some(kinds), true) = (checked.sub_classes, checked.kinds, errors.is_empty()) else {
            return Err(LoadError::Invalid(errors));
        };
        let mut settle = Settle::default();
        for rubric in &checked.rubrics {
            if let Some(seconds) = rubric.timeout_seconds {
                settle.set(rubric.stage, TimeDelta::seconds(seconds.into()));
            }
        }
        Ok(Self {
            rubrics: checked.rubrics,
            labs: checked.labs,
            sub_classes,
            kinds,
            catalog: checked.catalog,
            settle,
            patterns: raw.patterns.clone(),
            version: raw.version.clone(),
            warnings,
        })
    }

    /// The rubric of a stage.
    #[must_use]
    pub fn rubric(&self, stage: Stage) -> &Rubric {
        &self.rubrics[stage as usize]
    }

    /// What labs add to a stage.
    pub fn of_labs(&self, stage: Stage) -> impl Iterator<Item = &Rubric> {
        let of_stage = move |lab: &&LabRubric| lab.rubric.stage == stage;
        self.labs.iter().filter(of_stage).map(|lab| &lab.rubric)
    }

    /// All rubrics in pipeline order.
    #[must_use]
    pub fn rubrics(&self) -> &[Rubric] {
        &self.rubrics
    }

    /// Every class, by stage and precedence; behind them those that labs add.
    pub fn classes(&self) -> impl Iterator<Item = &FailureClass> {
        let of_labs = self.labs.iter().flat_map(|lab| &lab.rubric.classes);
        self.rubrics.iter().flat_map(|rubric| &rubric.classes).chain(of_labs)
    }

    /// The class of that name.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&FailureClass> {
        self.classes().find(|class| class.name == name)
    }

    /// How bad failures of that class are, 1 to 10, as its rubric grades it, else as its pattern does; none for a class that this
    /// set does not define.
    #[must_use]
    pub fn severity(&self, class: &str) -> Option<u8> {
        let of_pattern = || self.patterns.class(Source::K8sEvents, class).map(|class| class.severity.of_ten());
        self.class(class).map(|class| class.severity).or_else(of_pattern)
    }

    /// Where a criterion of that name is used, with its stage.
    pub fn criteria<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (Stage, super::Role, &'a Criterion)> {
        let of_labs = self.labs.iter().map(|lab| &lab.rubric);
        self.rubrics.iter().chain(of_labs).flat_map(move |rubric| {
            let entry = rubric.entry.iter().map(|c| (rubric.stage, super::Role::Entry, c));
            let exit = rubric.exit.iter().map(|c| (rubric.stage, super::Role::Exit, c));
            entry.chain(exit).filter(move |(_, _, criterion)| criterion.name == name)
        })
    }
}

impl RawSet {
    /// The set this program was built with.
    ///
    /// # Errors
    /// [`LoadError::Invalid`] when a file cannot be understood, which a test rules out for released programs.
    pub fn embedded() -> Result<Self, LoadError> {
        Self::from_files(&files::embedded())
    }

    /// The set in a directory.
    ///
    /// # Errors
    /// [`LoadError`] when a file cannot be read or understood.
    pub fn from_dir(dir: &Path) -> Result<Self, LoadError> {
        let texts = files::read_dir(dir)?;
        Self::from_files(&texts.iter().map(Text::file).collect::<Vec<_>>())
    }

    /// A set from texts that were already read. Each file is understood; that they fit together is for
    /// [`RubricSet::from_raw`] to say.
    ///
    /// # Errors
    /// [`LoadError::Invalid`] when a file cannot be understood.
    pub fn from_files(files: &[File<'_>]) -> Result<Self, LoadError> {
        match lint::parse(files) {
            (raw, findings) if findings.is_empty() => Ok(raw),
            (_, findings) => Err(LoadError::Invalid(findings)),
        }
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
