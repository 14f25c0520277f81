//! Advice × what is stored → what changes. docs/decisions/0012.
//!
//! | Now | Stored | Then |
//! |---|---|---|
//! | fires | nothing, or withdrawn | issued |
//! | fires, and something that matters differs | issued | updated: a new revision, told |
//! | fires, and only other words or numbers differ | issued | refreshed: written, not told |
//! | fires, the same | issued | nothing |
//! | does not fire, or the subject or the rule is gone | issued | withdrawn |
//! | cannot be told | issued | kept, and marked with the reason |
//!
//! What matters: the urgency, the confidence by [`CONFIDENCE_STEP`] or more, the key facts of the rule, and `escalated`.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::evaluate::{Advice, Doubt, Evaluated};
use super::rule::RuleSet;
use super::{Scope, Urgency};
use crate::unknown::UnknownReason;

/// From how many hundredths on another confidence is another decision.
pub const CONFIDENCE_STEP: u8 = 5;

/// Advice as it is stored.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is that of the advice, or the column of that name")]
pub struct Stored {
    pub id: Uuid,
    pub rule: String,
    pub scope: Scope,
    pub key: String,
    pub issued: bool,
    pub revision: i32,
    pub urgency: Urgency,
    pub confidence: u8,
    pub key_facts: BTreeMap<String, String>,
    pub escalated: bool,
    /// Over everything that people see of it.
    pub content_hash: Vec<u8>,
    pub unknown_reason: Option<UnknownReason>,
}

/// Why advice is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal {
    /// The condition no longer holds.
    NoLonger,
    /// The lab, pool or cluster is gone.
    SubjectGone,
    /// The rule is gone.
    RuleGone,
}

impl Withdrawal {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoLonger => "no_longer",
            Self::SubjectGone => "subject_gone",
            Self::RuleGone => "rule_gone",
        }
    }
}

/// One change of what is stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<'a> {
    /// New, or back again: with the revision it gets.
    Issue(&'a Advice, i32),
    /// Another decision: with the revision it gets.
    Update(&'a Advice, i32),
    /// The same decision in other words: nobody is told.
    Refresh(&'a Advice),
    /// No longer called for: with the revision it gets.
    Withdraw(&'a Stored, Withdrawal, i32),
    /// Kept, though it cannot be told whether it still holds.
    Doubt(&'a Stored, &'a Doubt),
}

/// What differs, in the order of the advice, then of what is stored. `hash` is over everything that people see of a piece of advice.
#[must_use]
pub fn diff<'a>(rules: &RuleSet, stored: &'a [Stored], evaluated: &'a Evaluated, hash: impl Fn(&Advice) -> Vec<u8>) -> Vec<Change<'a>> {
    let by_id: BTreeMap<Uuid, &Stored> = stored.iter().map(|stored| (stored.id, stored)).collect();
    let mut changes = Vec::new();
    let mut advised = BTreeSet::new();
    for advice in &evaluated.advice {
        advised.insert(advice.id);
        match by_id.get(&advice.id) {
            None => changes.push(Change::Issue(advice, 1)),
            Some(stored) if !stored.issued => changes.push(Change::Issue(advice, stored.revision + 1)),
            Some(stored) if matters(stored, advice) => changes.push(Change::Update(advice, stored.revision + 1)),
            Some(stored) if stored.unknown_reason.is_some() || stored.content_hash != hash(advice) => {
                changes.push(Change::Refresh(advice));
            }
            Some(_) => {}
        }
    }
    let doubts: BTreeMap<(&str, Scope, &str), &Doubt> = evaluated
        .doubts
        .iter()
        .map(|doubt| ((doubt.rule.as_str(), doubt.scope, doubt.key.as_str()), doubt))
        .collect();
    for stored in stored.iter().filter(|stored| stored.issued && !advised.contains(&stored.id)) {
        if let Some(doubt) = doubts.get(&(stored.rule.as_str(), stored.scope, stored.key.as_str())) {
            if stored.unknown_reason != Some(doubt.reason) {
                changes.push(Change::Doubt(stored, doubt));
            }
            continue;
        }
        let why = if rules.rule(&stored.rule).is_none() {
            Withdrawal::RuleGone
        } else if evaluated.subjects.contains(&(stored.scope, stored.key.clone())) {
            Withdrawal::NoLonger
        } else {
            Withdrawal::SubjectGone
        };
        changes.push(Change::Withdraw(stored, why, stored.revision + 1));
    }
    changes
}

/// Whether it is another decision than the one that people know.
fn matters(stored: &Stored, advice: &Advice) -> bool {
    stored.urgency != advice.urgency
        || stored.confidence.abs_diff(advice.confidence) >= CONFIDENCE_STEP
        || stored.key_facts != advice.key_facts
        || stored.escalated != advice.context.escalated
}

#[cfg(test)]
mod tests;
