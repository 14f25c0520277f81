//! The finer label under a failure class: rules over the signals of the failing members, from `rubrics/sub-classes.yaml`.
//!
//! The signals are what the members themselves say (waiting reasons, exit codes, warning events), never our own message:
//! a message would only ever match the default. Expressions run in linear time.

use std::collections::{BTreeMap, BTreeSet};

use regex::bytes::Regex;
use serde::{Deserialize, Serialize};
use serde_yaml::{Location, Spanned};

use super::lint::{Ordered, Report};
use super::pattern::search_for;
use crate::evidence::signals::Signal;

/// The sub-classes of every class that has any.
#[derive(Debug, Clone, Default)]
pub struct SubClasses {
    classes: BTreeMap<String, Vec<SubClass>>,
    /// Classes that some rubric must define, and where they are named.
    of_rubrics: Vec<(String, Location)>,
}

/// One sub-class.
#[derive(Debug, Clone)]
pub struct SubClass {
    /// Stable snake-case name.
    pub name: String,
    /// What an operator should know.
    pub description: String,
    /// What it is searched by in a signal; none for the default.
    pub pattern: Option<Regex>,
    /// What kind of workload it concerns.
    pub workload: String,
    /// How sure an automatic fix would be. An input of gates, never of the outcome.
    pub auto_fix_confidence: Confidence,
}

/// How sure an automatic fix would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant says itself")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// Where a class is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    /// A rubric of this set.
    Rubric,
    /// A pattern over texts of events, alerts or jobs.
    Pattern,
}

/// `sub-classes.yaml` as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSubClasses {
    pub(super) classes: Ordered<RawEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEntry {
    source: Source,
    pub(super) rules: Vec<RawRule>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) name: Spanned<String>,
    description: String,
    pub(super) pattern: Option<Spanned<String>>,
    workload: String,
    pub(super) auto_fix_confidence: Confidence,
}

impl SubClasses {
    pub(super) fn compile(raw: &RawSubClasses, report: &mut Report<'_>) -> Self {
        let mut set = Self::default();
        let mut names = BTreeSet::new();
        for (class, entry) in &raw.classes.0 {
            let mut rules: Vec<SubClass> = Vec::new();
            for rule in &entry.rules {
                let at = rule.name.referenced;
                if !names.insert(rule.name.value.clone()) {
                    report.error(
                        at,
                        &format!("sub-class `{}` is defined twice", rule.name.value),
                        "rename one of them",
                    );
                }
                if rules.last().is_some_and(|last| last.pattern.is_none()) {
                    report.error(
                        at,
                        &format!("sub-class `{}` can never match: the one above it is the default", rule.name.value),
                        "move the rule without a pattern to the end",
                    );
                }
                rules.push(SubClass {
                    name: rule.name.value.clone(),
                    description: rule.description.clone(),
                    pattern: rule.pattern.as_ref().and_then(|pattern| search_for(pattern, report)),
                    workload: rule.workload.clone(),
                    auto_fix_confidence: rule.auto_fix_confidence,
                });
            }
            if entry.source == Source::Rubric {
                set.of_rubrics.push((class.value.clone(), class.referenced));
            }
            set.classes.insert(class.value.clone(), rules);
        }
        set
    }

    /// The sub-class of a class whose failing members gave these signals: the first rule that any of them matches.
    #[must_use]
    pub fn find(&self, class: &str, signals: &[Signal]) -> Option<&SubClass> {
        let rules = self.classes.get(class)?;
        rules.iter().find(|rule| match &rule.pattern {
            Some(pattern) => signals.iter().any(|signal| pattern.is_match(signal.to_string().as_bytes())),
            None => true,
        })
    }

    /// The sub-class of that name: it is one of a kind among all classes.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&SubClass> {
        self.classes.values().flatten().find(|sub_class| sub_class.name == name)
    }

    /// Every class with its sub-classes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[SubClass])> {
        self.classes.iter().map(|(class, rules)| (class.as_str(), rules.as_slice()))
    }

    pub(super) fn rubric_classes(&self) -> impl Iterator<Item = (&str, &Location)> {
        self.of_rubrics.iter().map(|(class, at)| (class.as_str(), at))
    }
}
