//! Failure classes that are found in texts: what events, alerts, jobs and metrics say, from `rubrics/patterns/<source>.yaml`.
//!
//! ```text
//! text ──clip──> one RegexSet of its source, one pass ──> the first class that matches and is not vetoed
//! ```
//!
//! A class is known by its source and its name: the same word may mean two things in two sources, and no source can hide a class of
//! another. Within a source the order of the file is precedence, the specific before the general. Matching takes time linear in
//! the text, whatever the pattern and whatever the text.
//!
//! | File | What it holds |
//! |---|---|
//! | `raw` | the files as they are written |
//! | `compile` | what can be wrong with one, with its place and the way out |

mod compile;
mod raw;

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::bytes::RegexSet;
use serde::{Deserialize, Serialize};

pub(super) use self::compile::{against, search_for};
pub(super) use self::raw::RawPatterns;
use super::lint::Report;
use super::rubric::Area;
use crate::evidence::signals::{Signal, SignalSource, clip};

/// Longest text that is searched, in characters: an event has 1,024 at most, what a job says of its end a few lines.
pub const MAX_TEXT: usize = 4_096;

/// Who says the texts that a class is found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Kubernetes: reason and message of an event, a waiting reason, a termination, a condition.
    K8sEvents,
    /// Alertmanager: the name of an alert, and its summary.
    Alertmanager,
    /// Ansible Automation Platform: error, task and role of a failed provisioning job.
    Aap,
    /// The cluster's own parts: storage, ingress, nodes, operators, machines.
    Infrastructure,
    /// What goes wrong when hundreds of learners start at once.
    Summit,
    /// The platform that runs topologies of VMs on libvirt hosts.
    TopologyHosts,
    /// Metrics: what a query of the class returned.
    Prometheus,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 7] = [
        Self::K8sEvents,
        Self::Alertmanager,
        Self::Aap,
        Self::Infrastructure,
        Self::Summit,
        Self::TopologyHosts,
        Self::Prometheus,
    ];

    /// The stable snake-case name, the same as the file's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::K8sEvents => "k8s_events",
            Self::Alertmanager => "alertmanager",
            Self::Aap => "aap",
            Self::Infrastructure => "infrastructure",
            Self::Summit => "summit",
            Self::TopologyHosts => "topology_hosts",
            Self::Prometheus => "prometheus",
        }
    }

    /// The source of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How bad a pattern class is, in the one vocabulary of all sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant says itself")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// The stable snake-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The same on the scale of rubric classes, 1 (cosmetic) to 10 (nothing works).
    #[must_use]
    pub const fn of_ten(self) -> u8 {
        match self {
            Self::Info => 1,
            Self::Low => 3,
            Self::Medium => 5,
            Self::High => 7,
            Self::Critical => 9,
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A kind of failure that is known by its wording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternClass {
    /// Whose texts it is found in.
    pub source: Source,
    /// Stable snake-case name, one of a kind within its source.
    pub name: String,
    /// A few words for a heading.
    pub title: String,
    /// What an operator should know: what it means, usual causes, what to look at.
    pub description: String,
    /// How bad it is.
    pub severity: Severity,
    /// Who looks after it, where somebody does.
    pub team: Option<String>,
    /// What part of the platform it is about.
    pub area: Area,
    /// For metrics: the query whose answer is searched.
    pub query: Option<String>,
    /// Any of these is found in a text of the class.
    pub patterns: Vec<String>,
    /// None of these is.
    pub unless: Vec<String>,
}

/// The pattern classes of every source. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    tables: BTreeMap<Source, Arc<Table>>,
}

/// One source, ready to search.
#[derive(Debug)]
struct Table {
    /// In order of precedence.
    classes: Vec<PatternClass>,
    /// Every expression of the source: class by class, each with its vetoes first.
    set: RegexSet,
    /// What each expression of the set is for.
    roles: Vec<(usize, Role)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Veto,
    Match,
}

impl Table {
    /// The class of a text, as its place in the order of precedence.
    fn rank(&self, text: &str) -> Option<usize> {
        let mut vetoed = None;
        for hit in &self.set.matches(clip(text, MAX_TEXT).as_bytes()) {
            match self.roles.get(hit)? {
                (class, Role::Veto) => vetoed = Some(*class),
                (class, Role::Match) if vetoed != Some(*class) => return Some(*class),
                (_, Role::Match) => {}
            }
        }
        None
    }
}

impl Patterns {
    /// Adds what a file says, if nothing is wrong with it.
    pub(super) fn add(&mut self, raw: &raw::RawPatterns, source: Source, report: &mut Report<'_>) {
        if let Some(table) = compile::compile(raw, source, report) {
            self.tables.insert(source, Arc::new(table));
        }
    }

    /// Whether the file of that source was read and nothing is wrong with it.
    pub(super) fn has(&self, source: Source) -> bool {
        self.tables.contains_key(&source)
    }

    /// The class of a text of that source: the first, in order of precedence, that matches.
    #[must_use]
    pub fn classify(&self, source: Source, text: &str) -> Option<&PatternClass> {
        self.classify_all(source, [text])
    }

    /// The class of several texts about the same thing: the first, in order of precedence, that any of them matches. The
    /// order of the texts makes no difference.
    #[must_use]
    pub fn classify_all(&self, source: Source, texts: impl IntoIterator<Item = impl AsRef<str>>) -> Option<&PatternClass> {
        let table = self.tables.get(&source)?;
        let ranks = texts.into_iter().filter_map(|text| table.rank(text.as_ref()));
        table.classes.get(ranks.min()?)
    }

    /// What the failing members of a stage say themselves. Their state decides before their events do: a pod that found no
    /// node an hour ago and crashes now, crashes.
    #[must_use]
    pub fn of_signals(&self, signals: &[Signal]) -> Option<&PatternClass> {
        let of = |events: bool| {
            let said = signals.iter().filter(|signal| (signal.source == SignalSource::Event) == events);
            self.classify_all(Source::K8sEvents, said.map(Signal::wording))
        };
        of(false).or_else(|| of(true))
    }

    /// Every class, by source and precedence.
    pub fn classes(&self) -> impl Iterator<Item = &PatternClass> {
        self.tables.values().flat_map(|table| &table.classes)
    }

    /// The class of that source and name.
    #[must_use]
    pub fn class(&self, source: Source, name: &str) -> Option<&PatternClass> {
        let table = self.tables.get(&source)?;
        table.classes.iter().find(|class| class.name == name)
    }

    /// The classes of that name, one per source at most.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a PatternClass> {
        self.classes().filter(move |class| class.name == name)
    }
}

#[cfg(test)]
mod tests;
