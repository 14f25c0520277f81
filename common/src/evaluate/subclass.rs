//! The finer label under a failure class: rules over the signals of the failing members, from `rubrics/sub-classes.yaml`.
//!
//! ```text
//! signals ── a fact holds (kind, name, owner, reason, exit code) ──> the first such rule
//!         └─ a pattern is found in reason and text ────────────────> the first such rule
//!         └─ neither ──────────────────────────────────────────────> the default, if the class has one
//! ```
//!
//! The signals are what the members themselves say (waiting reasons, exit codes, warning events), never our own message:
//! a message would only ever match the default. Names are no words: a pod may be called anything. Expressions run in linear time.

mod compile;
mod raw;

use std::collections::BTreeMap;

use regex::bytes::Regex;
use serde::{Deserialize, Serialize};
use serde_yaml::Location;

pub use self::raw::RawSubClasses;
use self::raw::Source;
pub(super) use self::raw::{RawRule, RawSignal};
use crate::evidence::signals::Signal;

/// The sub-classes of every class that has any.
#[derive(Debug, Clone, Default)]
pub struct SubClasses {
    classes: BTreeMap<String, Vec<SubClass>>,
    /// Every class of the file: where it must be defined, and where it is named.
    named: Vec<(String, Source, Location)>,
}

/// One sub-class.
#[derive(Debug, Clone)]
pub struct SubClass {
    /// Stable snake-case name, one of a kind among all classes.
    pub name: String,
    /// What an operator should know.
    pub description: String,
    /// Alternatives: one of them holds for one signal.
    pub facts: Vec<Facts>,
    /// What it is searched by in reason and text of a signal.
    pub pattern: Option<Regex>,
    /// What kind of workload it concerns.
    pub workload: String,
    /// How sure an automatic fix would be. An input of gates, never of the outcome.
    pub auto_fix_confidence: Confidence,
}

impl SubClass {
    /// Whether it is what remains when nothing else fits.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.facts.is_empty() && self.pattern.is_none()
    }
}

/// What must be true of one signal: everything that is given.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Kind of the object.
    pub kind: Option<String>,
    /// Searched in the name of the object.
    pub name: Option<Regex>,
    /// Kind of its owner.
    pub owner_kind: Option<String>,
    /// The machine's word for what happened.
    pub reason: Option<String>,
    /// How a container ended.
    pub exit_code: Option<i64>,
}

impl Facts {
    /// Whether all of it is true of the signal.
    #[must_use]
    pub fn hold(&self, signal: &Signal) -> bool {
        let Self {
            kind,
            name,
            owner_kind,
            reason,
            exit_code,
        } = self;
        let is = |wanted: &Option<String>, said: &str| wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(said));
        is(kind, &signal.kind)
            && is(owner_kind, &signal.owner_kind)
            && is(reason, &signal.reason)
            && exit_code.is_none_or(|wanted| signal.exit_code == Some(wanted))
            && name.as_ref().is_none_or(|name| name.is_match(signal.name.as_bytes()))
    }
}

impl std::fmt::Display for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let told = [
            ("kind", self.kind.clone()),
            ("name", self.name.as_ref().map(|name| format!("/{name}/"))),
            ("owner", self.owner_kind.clone()),
            ("reason", self.reason.clone()),
            ("exit code", self.exit_code.map(|code| code.to_string())),
        ];
        let told: Vec<String> = told
            .into_iter()
            .filter_map(|(what, fact)| Some(format!("{what} {}", fact?)))
            .collect();
        f.write_str(&told.join(" and "))
    }
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

impl SubClasses {
    /// The sub-class of a class whose failing members gave these signals: by fact, else by word, else the default.
    #[must_use]
    pub fn find(&self, class: &str, signals: &[Signal]) -> Option<&SubClass> {
        pick(self.classes.get(class)?, signals)
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
}

fn pick<'a>(rules: &'a [SubClass], signals: &[Signal]) -> Option<&'a SubClass> {
    let by_fact = |rule: &&SubClass| rule.facts.iter().any(|facts| signals.iter().any(|signal| facts.hold(signal)));
    if let Some(rule) = rules.iter().find(by_fact) {
        return Some(rule);
    }
    let words: Vec<String> = signals.iter().map(Signal::wording).collect();
    let by_word = |rule: &&SubClass| {
        let pattern = rule.pattern.as_ref();
        pattern.is_some_and(|pattern| words.iter().any(|words| pattern.is_match(words.as_bytes())))
    };
    let default = || rules.iter().find(|rule| rule.is_default());
    rules.iter().find(by_word).or_else(default)
}

#[cfg(test)]
mod tests;
