//! Rules × facts → advice, and what could not be told.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::augment::{self, Context};
use super::input::{self, Basis, Facts, Group};
use super::rule::{Ladder, Row, Rule, RuleSet};
use super::text;
use super::{Scope, Urgency, recommendation_id};
use crate::expr::{Document, Expr, Fuel, Value};
use crate::unknown::UnknownReason;

/// Things named of one group of evidence; the rest is counted.
pub const MOST_EVIDENCE: usize = 20;

/// What there is to advise on.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Which one of its scope.
    pub key: String,
    /// What is known of it.
    pub facts: Facts,
    /// What to show beside advice.
    pub evidence: BTreeMap<Group, Vec<EvidenceRef>>,
    /// What else is known of a lab.
    pub context: Context,
}

impl Subject {
    /// A subject of which nothing is known.
    #[must_use]
    pub fn unknown(scope: Scope, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            facts: Facts::unknown(scope),
            evidence: BTreeMap::new(),
            context: Context::default(),
        }
    }

    /// Its scope.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.facts.scope()
    }
}

/// Something that advice rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRef {
    /// What it is: the name of a record kind, `instance`, `cluster`, `kind`.
    pub kind: String,
    /// Which one.
    pub key: String,
    /// What matters of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// One group of evidence of a piece of advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The group.
    pub group: Group,
    /// How many there are.
    pub count: usize,
    /// The first of them, at most [`MOST_EVIDENCE`].
    pub items: Vec<EvidenceRef>,
}

/// What a rule makes of a subject.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// There is advice.
    Fires(Box<Advice>),
    /// There is none.
    Quiet,
    /// It cannot be told.
    Unknown(Doubt),
}

/// Advice. Nobody acts on it but people.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// The same for the same rule and subject, in every run.
    pub id: Uuid,
    /// The rule.
    pub rule: String,
    /// What it is about.
    pub scope: Scope,
    /// Which one.
    pub key: String,
    /// How soon somebody should look.
    pub urgency: Urgency,
    /// How sure it is, in hundredths.
    pub confidence: u8,
    /// The decision in words.
    pub decision: String,
    /// What makes it another decision when it changes: `needed` → `30`.
    pub key_facts: BTreeMap<String, String>,
    /// What it rests on: names of sources.
    pub sources: Vec<String>,
    /// What to look at.
    pub evidence: Vec<Evidence>,
    /// What else is known.
    pub context: Context,
    /// What could have made it more urgent and is not known.
    pub doubts: Vec<String>,
}

/// What a rule could not tell of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The rule.
    pub rule: String,
    /// What it is about.
    pub scope: Scope,
    /// Which one.
    pub key: String,
    /// The first reason.
    pub reason: UnknownReason,
    /// Facts that are not known, by name.
    pub facts: Vec<String>,
    /// Who knows them.
    pub sources: Vec<Basis>,
}

/// What all rules make of all subjects.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluated {
    /// Advice, the most urgent first.
    pub advice: Vec<Advice>,
    /// What could not be told, by rule and key.
    pub doubts: Vec<Doubt>,
    /// How often a rule was asked.
    pub asked: usize,
    /// Every subject there is.
    pub subjects: BTreeSet<(Scope, String)>,
}

/// Asks every rule about every subject of its scope. The order of the subjects does not matter.
#[must_use]
pub fn evaluate(rules: &RuleSet, subjects: &[Subject], now: DateTime<Utc>) -> Evaluated {
    let mut all = Evaluated::default();
    for subject in subjects {
        all.subjects.insert((subject.scope(), subject.key.clone()));
        for rule in rules.rules.iter().filter(|rule| rule.scope == subject.scope()) {
            all.asked += 1;
            match judge(rule, subject, now) {
                Verdict::Fires(advice) => all.advice.push(*advice),
                Verdict::Quiet => {}
                Verdict::Unknown(doubt) => all.doubts.push(doubt),
            }
        }
    }
    all.advice.sort_by(|a, b| order(a).cmp(&order(b)));
    all.doubts
        .sort_by(|a, b| (&a.rule, a.scope, &a.key).cmp(&(&b.rule, b.scope, &b.key)));
    all
}

/// The most urgent first, then the surest, then by rule and key.
fn order(advice: &Advice) -> (Urgency, std::cmp::Reverse<u8>, &str, &str) {
    (advice.urgency, std::cmp::Reverse(advice.confidence), &advice.rule, &advice.key)
}

/// Asks one rule about one subject of its scope.
#[must_use]
pub fn judge(rule: &Rule, subject: &Subject, now: DateTime<Utc>) -> Verdict {
    told(rule, subject, now).0
}

/// Which steps of a rule were decisive, for whoever counts what cases show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// Row of the table.
    pub row: Option<usize>,
    /// Step of the urgency; the number of steps for the last word.
    pub urgency: Option<usize>,
    /// The same of the confidence.
    pub confidence: Option<usize>,
    /// The same of the text.
    pub decision: Option<usize>,
}

pub(super) fn told(rule: &Rule, subject: &Subject, now: DateTime<Utc>) -> (Verdict, Trace) {
    let mut trace = Trace::default();
    let bound = Bound { rule, subject, now };
    let doubt = |reason, asked: &[&Expr]| (Verdict::Unknown(bound.doubt(reason, asked)), Trace::default());
    for need in &rule.needs {
        if let Value::Unknown(reason) = subject.facts.value(*need) {
            return doubt(reason, &[]);
        }
    }
    match bound.holds(&rule.when) {
        Ok(true) => {}
        Ok(false) => return (Verdict::Quiet, trace),
        Err(reason) => return doubt(reason, &[&rule.when]),
    }
    let mut row = None;
    for (at, candidate) in rule.table.iter().enumerate() {
        match candidate.when.as_ref().map_or(Ok(true), |when| bound.holds(when)) {
            Ok(false) => {}
            Err(reason) => {
                return doubt(
                    reason,
                    candidate.when.as_ref().map(|when| vec![when]).unwrap_or_default().as_slice(),
                );
            }
            Ok(true) => {
                trace.row = Some(at);
                if !candidate.recommend {
                    return (Verdict::Quiet, trace);
                }
                row = Some(candidate);
                break;
            }
        }
    }
    let mut doubts = Vec::new();
    let (urgency, at) = bound.climb(&rule.urgency, |value, why| {
        if *value < rule.urgency.otherwise {
            doubts.push(format!("perhaps {value}: {why}"));
        }
    });
    let urgency = *urgency;
    trace.urgency = Some(at);
    let (confidence, at) = bound.climb(&rule.confidence, |_, _| {});
    trace.confidence = Some(at);
    let (template, at) = bound.climb(&rule.decision, |_, _| {});
    trace.decision = Some(at);
    let decision = template.render(now, |name| bound.named(name, row));
    let key_facts = rule.key_facts.iter().map(|slot| {
        let text = text::write(&bound.named(&slot.name, row), slot.format, now);
        (slot.name.clone(), text)
    });
    let mut key_facts: BTreeMap<String, String> = key_facts.collect();
    // Another row or another text is another decision.
    key_facts.extend(row.map(|row| ("decision".to_owned(), row.name.clone())));
    if !rule.decision.steps.is_empty() {
        key_facts.insert("text".to_owned(), at.to_string());
    }
    let advice = Advice {
        id: recommendation_id(&rule.id, rule.scope, &subject.key),
        rule: rule.id.clone(),
        scope: rule.scope,
        key: subject.key.clone(),
        urgency,
        confidence: hundredths(*confidence),
        decision,
        key_facts,
        sources: rule.sources.iter().map(ToString::to_string).collect(),
        evidence: evidence(rule, subject),
        context: subject.context.clone(),
        doubts,
    };
    (Verdict::Fires(Box::new(augment::surer(advice, &rule.stages))), trace)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the loader has checked that it is between 0 and 1"
)]
fn hundredths(confidence: f64) -> u8 {
    (confidence * 100.0).round() as u8
}

fn evidence(rule: &Rule, subject: &Subject) -> Vec<Evidence> {
    let found = rule.evidence.iter().filter_map(|group| {
        let all = subject.evidence.get(group).filter(|all| !all.is_empty())?;
        Some(Evidence {
            group: *group,
            count: all.len(),
            items: all.iter().take(MOST_EVIDENCE).cloned().collect(),
        })
    });
    found.collect()
}

/// A rule and a subject: what expressions see.
struct Bound<'a> {
    rule: &'a Rule,
    subject: &'a Subject,
    now: DateTime<Utc>,
}

impl Document for Bound<'_> {
    fn variable(&self, index: usize) -> Value<'_> {
        let first = self.rule.first_threshold();
        match index.checked_sub(first) {
            None => self.subject.facts.value(index),
            Some(at) => Value::or_absent(self.rule.thresholds.get(at), |threshold| threshold.number.value()),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.now
    }
}

impl Bound<'_> {
    fn holds(&self, when: &Expr) -> Result<bool, UnknownReason> {
        when.eval(self, &mut Fuel::default())
    }

    /// The first step that holds. One that is not known is passed over and told.
    fn climb<'l, T>(&self, ladder: &'l Ladder<T>, mut unknown: impl FnMut(&T, String)) -> (&'l T, usize) {
        for (at, step) in ladder.steps.iter().enumerate() {
            match self.holds(&step.when) {
                Ok(true) => return (&step.value, at),
                Ok(false) => {}
                Err(reason) => {
                    let facts = self.doubt(reason, &[&step.when]).facts;
                    unknown(&step.value, format!("{} not known ({reason})", facts.join(", ")));
                }
            }
        }
        (&ladder.otherwise, ladder.steps.len())
    }

    fn named<'v>(&'v self, name: &str, row: Option<&'v Row>) -> Value<'v> {
        if name == "key" {
            return Value::text(&self.subject.key);
        }
        let inputs = input::inputs(self.rule.scope);
        if let Some(index) = inputs.iter().position(|input| input.name == name) {
            return self.subject.facts.value(index);
        }
        if let Some(threshold) = self.rule.thresholds.iter().find(|threshold| threshold.name == name) {
            return threshold.number.value();
        }
        let column = |row: &'v Row| match name {
            "decision" => Some(Value::text(&row.name)),
            name => row
                .values
                .iter()
                .find(|(column, _)| column == name)
                .map(|(_, value)| Value::text(value)),
        };
        row.and_then(column).unwrap_or(Value::ABSENT)
    }

    /// Which facts that these expressions, and the rule's needs, ask for are not known.
    fn doubt(&self, reason: UnknownReason, asked: &[&Expr]) -> Doubt {
        let inputs = input::inputs(self.rule.scope);
        let is_asked = |index: usize| {
            if asked.is_empty() {
                self.rule.needs.contains(&index)
            } else {
                asked.iter().any(|expr| expr.mentions(index))
            }
        };
        let unknown = inputs
            .iter()
            .enumerate()
            .filter(|(index, _)| is_asked(*index) && matches!(self.subject.facts.value(*index), Value::Unknown(_)));
        let unknown: Vec<&input::Input> = unknown.map(|(_, input)| input).collect();
        let sources: BTreeSet<Basis> = unknown.iter().flat_map(|input| input.sources).copied().collect();
        Doubt {
            rule: self.rule.id.clone(),
            scope: self.rule.scope,
            key: self.subject.key.clone(),
            reason,
            facts: unknown.iter().map(|input| input.name.to_owned()).collect(),
            sources: sources.into_iter().collect(),
        }
    }
}
