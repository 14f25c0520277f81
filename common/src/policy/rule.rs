//! Rules as they are used, and where they come from: those this program was built with, or a directory.

use std::path::{Path, PathBuf};

use super::input::{self, Basis, Group};
use super::text::{Slot, Template};
use super::{Scope, Urgency, embedded, lint};
use crate::evaluate::files::{self, File, Text};
use crate::evaluate::lint::{Finding, Place, render_in};
use crate::evaluate::rubric::LoadError;
use crate::expr::{Expr, Schema, Type, Value, Variable};
use crate::stage::Stage;

/// What `confidence` is when a rule does not say: as likely as not.
pub const DEFAULT_CONFIDENCE: f64 = 0.5;
/// What `urgency` is when a rule does not say.
pub const DEFAULT_URGENCY: Urgency = Urgency::Medium;

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, the same as the folder's.
    pub id: String,
    /// What it is about.
    pub scope: Scope,
    /// A few words for a heading.
    pub title: String,
    /// What it looks for, why, when the advice is wrong, where the numbers come from.
    pub summary: String,
    /// What it rests on.
    pub sources: Vec<Basis>,
    /// What is shown beside the advice.
    pub evidence: Vec<Group>,
    /// The stages that it is about: a violation that belongs to one of them, while it fails, makes the advice surer.
    pub stages: Vec<Stage>,
    /// Named numbers, in the order of the file.
    pub thresholds: Vec<Threshold>,
    /// Facts that must be known, or the rule says nothing: places in the inputs of the scope.
    pub needs: Vec<usize>,
    /// When there is advice.
    pub when: Expr,
    /// What it is then, where that takes more than yes or no: the first row that fits.
    pub table: Vec<Row>,
    /// How soon somebody should look.
    pub urgency: Ladder<Urgency>,
    /// How sure it is, 0 to 1.
    pub confidence: Ladder<f64>,
    /// The decision in words.
    pub decision: Ladder<Template>,
    /// What makes it another decision when it changes.
    pub key_facts: Vec<Slot>,
    /// Where it is written.
    pub place: Place,
}

/// A named number.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// Its name in expressions and texts.
    pub name: String,
    /// Whole, or with a fraction.
    pub number: Number,
}

/// The number of a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Written without a fraction.
    Whole(i64),
    /// Written with one.
    Fraction(f64),
}

impl Number {
    /// As expressions see it.
    #[must_use]
    pub const fn value(self) -> Value<'static> {
        match self {
            Self::Whole(number) => Value::Int(number),
            Self::Fraction(number) => Value::Double(number),
        }
    }

    pub(super) const fn ty(self) -> Type {
        match self {
            Self::Whole(_) => Type::Int,
            Self::Fraction(_) => Type::Double,
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Fraction(number) => write!(f, "{number:?}"),
        }
    }
}

/// The first step whose condition holds, else the last word.
#[derive(Debug, Clone)]
pub struct Ladder<T> {
    /// In order.
    pub steps: Vec<Step<T>>,
    /// When none holds.
    pub otherwise: T,
}

/// A condition and what follows from it.
#[derive(Debug, Clone)]
pub struct Step<T> {
    /// When.
    pub when: Expr,
    /// What.
    pub value: T,
    /// Where it is written.
    pub place: Place,
}

/// A row of a decision table.
#[derive(Debug, Clone)]
pub struct Row {
    /// What the decision is called.
    pub name: String,
    /// When; none: otherwise.
    pub when: Option<Expr>,
    /// Whether it is advice, or what is right already.
    pub recommend: bool,
    /// The columns, by name, in the order of the file.
    pub values: Vec<(String, String)>,
    /// Where it is written.
    pub place: Place,
}

/// Every rule, by scope and id.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// The rules.
    pub rules: Vec<Rule>,
    /// The first 16 hexadecimal digits of a SHA-256 over all files.
    pub version: String,
    /// What could be better but does not stop the load.
    pub warnings: Vec<Finding>,
}

/// Why rules could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A file or directory could not be read.
    #[error("reading policies from {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// At least one rule is wrong.
    #[error("{}", render_in("policies", .0))]
    Invalid(Vec<Finding>),
}

impl RuleSet {
    /// The rules this program was built with.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`] when they are wrong, which a test rules out for released programs.
    pub fn embedded() -> Result<Self, PolicyError> {
        lint::load(&embedded::FILES)
    }

    /// Rules of a directory that looks like `policies/`: one folder per rule. It stands for itself: none of the built-in rules is added.
    ///
    /// # Errors
    /// [`PolicyError`] when a file cannot be read or says something wrong.
    pub fn from_dir(dir: &Path) -> Result<Self, PolicyError> {
        let read = files::in_folders(dir, "rule.yaml");
        let mut texts: Vec<Text> = match read {
            Ok(found) => found.into_iter().map(|(_, text)| text).collect(),
            Err(LoadError::Read { path, source }) => return Err(PolicyError::Read { path, source }),
            Err(LoadError::Invalid(findings)) => return Err(PolicyError::Invalid(findings)),
        };
        texts.sort_by(|a, b| a.path.cmp(&b.path));
        lint::load(&texts.iter().map(Text::file).collect::<Vec<_>>())
    }

    /// Rules from texts that were already read.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`] with everything that is wrong, not only the first.
    pub fn from_files(files: &[File<'_>]) -> Result<Self, PolicyError> {
        lint::load(files)
    }

    /// The rule of that name.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

impl Rule {
    /// The place of the first threshold among the variables of its expressions.
    pub(super) fn first_threshold(&self) -> usize {
        input::inputs(self.scope).len()
    }

    /// Every expression that it has.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let rows = self.table.iter().filter_map(|row| row.when.as_ref());
        let urgency = self.urgency.steps.iter().map(|step| &step.when);
        let confidence = self.confidence.steps.iter().map(|step| &step.when);
        let decision = self.decision.steps.iter().map(|step| &step.when);
        std::iter::once(&self.when)
            .chain(rows)
            .chain(urgency)
            .chain(confidence)
            .chain(decision)
    }

    /// Its texts.
    pub fn texts(&self) -> impl Iterator<Item = &Template> {
        self.decision
            .steps
            .iter()
            .map(|step| &step.value)
            .chain(std::iter::once(&self.decision.otherwise))
    }

    /// Whether anything that it says depends on that input.
    #[must_use]
    pub fn asks_for(&self, input: usize) -> bool {
        let name = input::inputs(self.scope).get(input).map(|input| input.name);
        let in_texts = self.texts().flat_map(Template::slots).chain(&self.key_facts);
        self.needs.contains(&input)
            || self.expressions().any(|expr| expr.mentions(input))
            || in_texts.into_iter().any(|slot| Some(slot.name.as_str()) == name)
    }

    /// What its expressions may mention: the facts of its scope, then its thresholds.
    #[must_use]
    pub fn schema(scope: Scope, thresholds: &[Threshold]) -> Schema {
        let facts = input::inputs(scope).iter().map(input::Input::variable);
        let numbers = thresholds.iter().map(|threshold| Variable {
            name: threshold.name.clone().into(),
            ty: threshold.number.ty(),
            doc: "A threshold of the rule.".into(),
        });
        facts.chain(numbers).collect()
    }
}
