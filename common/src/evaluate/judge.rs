//! One stage: its evidence against its rubric.
//!
//! ```text
//! entry criteria, in order ── first required one false ──> fail (or blocked by the stage that owns it)
//!        │                 └─ first required one unknown ─> indeterminate
//!        v
//! exit criteria, all ── a required one false ──> fail, whatever else is unknown
//!                     ├ a required one unknown ─> indeterminate
//!                     ├ an optional one false ──> warn
//!                     └ else ───────────────────> pass
//! ```
//!
//! Fail and warn look for a class: the first whose conditions all hold; for fail also the first that nothing contradicts and that
//! names what failed, and classes that count as failures before those that only warn; then the one that the members' own texts say.
//! Unknown optional criteria are listed and change nothing.

use super::facts::Facts;
use super::rubric::{ClassGrade, Criterion, FailureClass, Rubric, RubricSet, When};
use super::{ClassMatch, CriterionResult, Outcome, Reason, Role, Verdict, message};
use crate::evidence::document::EvidenceDocument;
use crate::evidence::{Observation, SkipReason, StageEvidence, Value};
use crate::expr::Fuel;
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// Which earlier stages of this evaluation failed. Empty for a stage that is judged alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upstream {
    failed: u16,
}

impl Upstream {
    /// Remembers how a stage came out.
    pub const fn record(&mut self, verdict: &Verdict) {
        if matches!(verdict.outcome, Outcome::Fail) {
            self.failed |= 1 << verdict.stage as u16;
        }
    }

    /// Whether the stage failed.
    #[must_use]
    pub const fn failed(self, stage: Stage) -> bool {
        self.failed & (1 << stage as u16) != 0
    }
}

/// Judges one stage by what it observed and by the evidence document.
#[must_use]
pub fn judge(rubrics: &RubricSet, stage: Stage, evidence: &StageEvidence, document: &EvidenceDocument<'_>, upstream: Upstream) -> Verdict {
    judge_by(rubrics, rubrics.rubric(stage), evidence, document, upstream)
}

/// Judges one stage by a rubric of it: its own, or one that a lab adds.
#[must_use]
pub fn judge_by(
    rubrics: &RubricSet,
    rubric: &Rubric,
    evidence: &StageEvidence,
    document: &EvidenceDocument<'_>,
    upstream: Upstream,
) -> Verdict {
    let stage = rubric.stage;
    let mut facts = Facts::new(rubric, evidence, document);
    let mut criteria = Vec::with_capacity(rubric.entry.len() + rubric.exit.len());
    let mut worst = Worst::default();
    for criterion in &rubric.entry {
        let seen = worst.see(criterion, &facts);
        criteria.push(result(criterion, Role::Entry, &facts));
        match (seen, criterion.required) {
            (Some(true), _) | (_, false) => {}
            (Some(false), true) => {
                if let Some(owner) = criterion.owner.filter(|owner| upstream.failed(*owner)) {
                    return blocked(stage, owner);
                }
                let mut verdict = finish(rubric, &facts, criteria, worst);
                if let Some(class) = &criterion.class {
                    verdict.failure_class = Some(class.name.clone());
                    verdict.class_match = Some(ClassMatch::Strict);
                    verdict.recommended_action.clone_from(&class.recommended_action);
                }
                return labelled(rubrics, evidence, verdict);
            }
            (None, true) => return labelled(rubrics, evidence, finish(rubric, &facts, criteria, worst)),
        }
    }
    facts.check();
    for criterion in &rubric.exit {
        worst.see(criterion, &facts);
        criteria.push(result(criterion, Role::Exit, &facts));
    }
    let mut verdict = finish(rubric, &facts, criteria, worst);
    if let Some((class, how)) = classify(rubric, &facts, &verdict) {
        verdict.failure_class = Some(class.name.clone());
        verdict.class_match = Some(how);
        verdict.recommended_action.clone_from(&class.recommended_action);
    }
    labelled(rubrics, evidence, verdict)
}

/// A stage that an earlier failure keeps from being judged: the root cause is there, once.
#[must_use]
pub fn blocked(stage: Stage, by: Stage) -> Verdict {
    without_criteria(stage, Outcome::Indeterminate, Reason::BlockedBy(by))
}

/// A stage that does not apply.
#[must_use]
pub fn skipped(stage: Stage, why: SkipReason) -> Verdict {
    without_criteria(stage, Outcome::Skipped, Reason::Skipped(why))
}

fn without_criteria(stage: Stage, outcome: Outcome, reason: Reason) -> Verdict {
    let mut verdict = Verdict {
        outcome,
        reason: Some(reason),
        ..blank(stage)
    };
    verdict.message = message::of(&verdict);
    verdict
}

/// A verdict that says nothing yet.
pub(super) const fn blank(stage: Stage) -> Verdict {
    Verdict {
        stage,
        outcome: Outcome::Pass,
        reason: None,
        failure_class: None,
        class_match: None,
        pattern_class: None,
        sub_class: None,
        recommended_action: None,
        message: String::new(),
        criteria: Vec::new(),
        until: None,
    }
}

/// The worst that was seen so far, by weight: required false, required unknown, optional false.
#[derive(Debug, Clone, Copy, Default)]
struct Worst {
    required_false: bool,
    unknown: Option<UnknownReason>,
    optional_false: bool,
}

impl Worst {
    /// Takes in one criterion; `None` when its value is unknown.
    fn see(&mut self, criterion: &Criterion, facts: &Facts<'_, '_>) -> Option<bool> {
        let value = truth(facts.observation(criterion));
        match (value, criterion.required) {
            (Ok(true), _) | (Err(_), false) => {}
            (Ok(false), true) => self.required_false = true,
            (Ok(false), false) => self.optional_false = true,
            (Err(UnknownReason::NotCollected | UnknownReason::NotProbed), true) if criterion.optional_until_read => {}
            (Err(reason), true) => {
                self.unknown.get_or_insert(reason);
            }
        }
        value.ok()
    }

    const fn outcome(self) -> Outcome {
        match self {
            Self { required_false: true, .. } => Outcome::Fail,
            Self { unknown: Some(_), .. } => Outcome::Indeterminate,
            Self { optional_false: true, .. } => Outcome::Warn,
            _ => Outcome::Pass,
        }
    }
}

/// A criterion is yes or no; anything else, and anything that was not observed, is unknown.
fn truth(observation: Option<&Observation>) -> Result<bool, UnknownReason> {
    match observation.map(|observation| &observation.value) {
        Some(Value::Bool(value)) => Ok(*value),
        Some(Value::Unknown(reason)) => Err(*reason),
        Some(Value::Number(_) | Value::Text(_)) => Err(UnknownReason::ParseError),
        None => Err(UnknownReason::NotCollected),
    }
}

fn result(criterion: &Criterion, role: Role, facts: &Facts<'_, '_>) -> CriterionResult {
    let observation = facts.observation(criterion);
    let value = truth(observation);
    let named = observation.filter(|_| value != Ok(true));
    CriterionResult {
        name: criterion.name.clone(),
        role,
        required: criterion.required,
        value: value.map_or(serde_json::Value::Null, serde_json::Value::Bool),
        unknown_reason: value.err(),
        failing: named.map(|observation| observation.failing.clone()).unwrap_or_default(),
        failing_count: named
            .map(|o| o.failing_count)
            .filter(|count| named.is_some_and(|o| *count > o.failing.len())),
        excluded: observation.map(|observation| observation.excluded.clone()).unwrap_or_default(),
        rubric: None,
    }
}

/// A verdict without class and message.
fn finish(rubric: &Rubric, facts: &Facts<'_, '_>, criteria: Vec<CriterionResult>, worst: Worst) -> Verdict {
    let outcome = worst.outcome();
    let judged = rubric.entry.iter().chain(&rubric.exit).zip(&criteria);
    let waits = judged.filter(|(_, result)| result.required && result.unknown_reason.is_some());
    let until = waits.filter_map(|(criterion, _)| facts.observation(criterion)?.until).min();
    Verdict {
        stage: rubric.stage,
        outcome,
        reason: worst.unknown.filter(|_| outcome == Outcome::Indeterminate).map(Reason::Unknown),
        failure_class: None,
        class_match: None,
        pattern_class: None,
        sub_class: None,
        recommended_action: None,
        message: String::new(),
        criteria,
        until: until.filter(|_| outcome == Outcome::Indeterminate),
    }
}

/// The class of a failure or warning, from criteria, facts and the document.
fn classify<'a>(rubric: &'a Rubric, facts: &Facts<'_, '_>, verdict: &Verdict) -> Option<(&'a FailureClass, ClassMatch)> {
    if !matches!(verdict.outcome, Outcome::Fail | Outcome::Warn) {
        return None;
    }
    let failed = |variable: usize| {
        facts.name(variable).is_some_and(|name| {
            let mut criteria = verdict.criteria.iter();
            criteria.any(|c| c.name == name && c.value == serde_json::Value::Bool(false))
        })
    };
    let holds = |when: &When| when.expr.eval(facts, &mut Fuel::default());
    let names_a_failure = |when: &When| when.expr.holds_by(facts, &mut Fuel::default(), &failed);
    let first = |among: &dyn Fn(&FailureClass) -> bool| {
        let candidates = || rubric.classes.iter().filter(|class| !class.when.is_empty() && among(class));
        let strict = candidates().find(|class| class.when.iter().all(|when| holds(when) == Ok(true)));
        if let Some(class) = strict {
            return Some((class, ClassMatch::Strict));
        }
        let partial =
            candidates().find(|class| class.when.iter().all(|when| holds(when) != Ok(false)) && class.when.iter().any(names_a_failure));
        partial.map(|class| (class, ClassMatch::Partial))
    };
    let counts = |class: &FailureClass| class.grade == ClassGrade::Failure;
    match verdict.outcome {
        // That something also deserves a warning must not make a failure look like one.
        Outcome::Fail => first(&counts).or_else(|| first(&|class| !counts(class))),
        _ => first(&|_| true),
    }
}

/// The verdict with what the failing members say themselves, its sub-class and its message.
fn labelled(rubrics: &RubricSet, evidence: &StageEvidence, mut verdict: Verdict) -> Verdict {
    if matches!(verdict.outcome, Outcome::Fail | Outcome::Warn) {
        let said = rubrics.patterns.of_signals(&evidence.signals);
        verdict.pattern_class = said.map(|class| class.name.clone());
        if verdict.failure_class.is_none() && verdict.pattern_class.is_some() {
            verdict.failure_class.clone_from(&verdict.pattern_class);
            verdict.class_match = Some(ClassMatch::Pattern);
        }
        // What the rubric says comes first; a class without sub-classes leaves the word to the members.
        let classes = [&verdict.failure_class, &verdict.pattern_class].into_iter().flatten();
        let mut found = classes.filter_map(|class| rubrics.sub_classes.find(class, &evidence.signals));
        verdict.sub_class = found.next().map(|sub_class| sub_class.name.clone());
    }
    verdict.message = message::of(&verdict);
    verdict
}

#[cfg(test)]
mod tests;
