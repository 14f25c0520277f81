//! Everything that a rubric may ask of one stage: what the stage observed, the evidence document, and the rubric's own expressions.

use chrono::{DateTime, TimeDelta, Utc};

use super::lint;
use super::rubric::{Check, Criterion, Rubric};
use crate::evidence::document::EvidenceDocument;
use crate::evidence::{self, MAX_MEMBERS, Member, Observation, StageEvidence, signals};
use crate::expr::{Document, Fuel, Value};
use crate::unknown::UnknownReason;

/// What one stage is judged by.
pub(super) struct Facts<'a, 'd> {
    rubric: &'a Rubric,
    evidence: &'a StageEvidence,
    document: &'a EvidenceDocument<'d>,
    /// The exit criteria with an expression, in the order of the rubric; none before [`Facts::check`].
    own: Vec<(&'a str, Observation)>,
}

impl<'a, 'd> Facts<'a, 'd> {
    pub(super) const fn new(rubric: &'a Rubric, evidence: &'a StageEvidence, document: &'a EvidenceDocument<'d>) -> Self {
        Self {
            rubric,
            evidence,
            document,
            own: Vec::new(),
        }
    }

    /// Evaluates the rubric's own expressions: not before the entry criteria are met.
    pub(super) fn check(&mut self) {
        let checks = self
            .rubric
            .exit
            .iter()
            .filter_map(|criterion| Some((criterion, criterion.check.as_ref()?)));
        self.own = checks
            .map(|(criterion, check)| (&*criterion.name, observe(check, self.document)))
            .collect();
    }

    /// What is known of a criterion.
    pub(super) fn observation(&self, criterion: &Criterion) -> Option<&Observation> {
        if criterion.check.is_none() {
            return self.evidence.observations.get(&*criterion.name);
        }
        let mut own = self.own.iter();
        own.find(|(name, _)| *name == criterion.name).map(|(_, observation)| observation)
    }

    /// Name of the criterion or fact that a variable is; none for what is in the document.
    pub(super) fn name(&self, variable: usize) -> Option<&str> {
        match self.place(variable) {
            Place::Observed(name) => Some(name),
            Place::Document(_) => None,
            Place::Own(index) => self.own.get(index).map(|(name, _)| *name),
        }
    }

    /// Where [`lint::when_schema`] has put a variable.
    fn place(&self, variable: usize) -> Place {
        let names = evidence::names(self.rubric.stage);
        if let Some(name) = names.get(variable) {
            return Place::Observed(name);
        }
        let index = variable - names.len();
        let documented = lint::documented(self.rubric.stage).len();
        index.checked_sub(documented).map_or(Place::Document(index), Place::Own)
    }
}

enum Place {
    Observed(&'static str),
    Document(usize),
    Own(usize),
}

impl Document for Facts<'_, '_> {
    fn variable(&self, index: usize) -> Value<'_> {
        let observation = match self.place(index) {
            Place::Observed(name) => self.evidence.observations.get(name),
            Place::Document(index) => return self.document.variable(index),
            Place::Own(index) => self.own.get(index).map(|(_, observation)| observation),
        };
        match observation.map(|observation| &observation.value) {
            Some(evidence::Value::Bool(value)) => Value::Bool(*value),
            Some(evidence::Value::Number(value)) => Value::Double(*value),
            Some(evidence::Value::Text(value)) => Value::text(value),
            Some(evidence::Value::Unknown(reason)) => Value::Unknown(*reason),
            None => Value::Unknown(UnknownReason::NotCollected),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.document.now()
    }
}

/// A criterion with an expression: what it says, and who is at fault.
fn observe(check: &Check, document: &EvidenceDocument<'_>) -> Observation {
    match check.expr.eval(document, &mut Fuel::default()) {
        Ok(true) => return Observation::known(true),
        Err(reason) => return Observation::unknown(reason),
        Ok(false) => {}
    }
    let tells = check.members.as_ref().unwrap_or(&check.expr);
    let culprits = tells.culprits(document, &mut Fuel::default()).into_iter();
    let mut failing: Vec<Member> = culprits
        .map(|culprit| Member {
            kind: culprit.kind.to_owned(),
            name: culprit.name.to_owned(),
            reason: signals::clip(&culprit.reason, 160).to_owned(),
        })
        .collect();
    failing.sort();
    failing.dedup();
    let failing_count = failing.len();
    failing.truncate(MAX_MEMBERS);
    let settled = check
        .settle_seconds
        .and_then(|seconds| Some(document.created_at()? + TimeDelta::seconds(seconds.into())));
    let until = settled.filter(|settled| document.now() < *settled);
    let value = if until.is_some() {
        evidence::Value::Unknown(UnknownReason::Progressing)
    } else {
        evidence::Value::Bool(false)
    };
    Observation {
        failing,
        failing_count,
        until,
        ..Observation::of(value)
    }
}

#[cfg(test)]
mod tests;
