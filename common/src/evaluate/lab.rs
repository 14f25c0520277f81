//! Lab rubrics: what a lab's developer demands of a stage beyond the stage's own rubric, for the instances it is about.
//!
//! ```text
//! stage's own rubric ──> verdict ─┐
//! each lab rubric that applies ───┴─ merge ──> the worse outcome; the stage's own class first
//! ```
//!
//! A lab rubric can only add: a criterion of its own, and classes for when that fails. It is judged after the stage's own rubric and
//! beside it, so it can neither reorder nor hide anything. Which instances it is about is decided once per instance; when that cannot be
//! known because something was not read, its criteria are unknown: not knowing must never look like passing.

use std::collections::BTreeMap;

use super::rubric::Rubric;
use super::{CriterionResult, LabKind, Outcome, Reason, Role, Verdict, message};
use crate::objects::Labels;
use crate::unknown::UnknownReason;

/// A rubric that adds to a stage for some labs.
#[derive(Debug, Clone, PartialEq)]
pub struct LabRubric {
    /// Its name, the same as the folder's.
    pub id: String,
    /// Which instances it is about.
    pub applies_to: AppliesTo,
    /// Its exit criteria and classes, for the stage that it extends.
    pub rubric: Rubric,
}

/// Which instances a lab rubric is about: all that is written must fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppliesTo {
    /// One of these kinds; empty: any.
    pub kinds: Vec<LabKind>,
    /// A catalog item that one of these patterns fits, `*` for any text; empty: any.
    pub catalog_items: Vec<String>,
    /// All these labels on the namespace.
    pub labels: BTreeMap<String, String>,
}

/// Whether a lab rubric is about an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// What would tell was not read.
    Undecided(UnknownReason),
}

/// What is known of an instance that a lab rubric can ask for; each with the reason when it was not read.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Its kind.
    pub kind: Result<LabKind, UnknownReason>,
    /// Its catalog item; `None` when it has none.
    pub catalog_item: Result<Option<&'a str>, UnknownReason>,
    /// The labels of its namespace.
    pub labels: Result<&'a Labels, UnknownReason>,
}

impl AppliesTo {
    /// Whether everything that is written fits.
    #[must_use]
    pub fn fits(&self, about: &About<'_>) -> Match {
        let kind = about.kind.map(|kind| self.kinds.contains(&kind));
        let catalog_item = about
            .catalog_item
            .map(|item| item.is_some_and(|item| self.catalog_items.iter().any(|pattern| glob(pattern, item))));
        let labels = about
            .labels
            .map(|labels| self.labels.iter().all(|(name, value)| labels.get(name) == Some(value)));
        let asked = [
            (!self.kinds.is_empty(), kind),
            (!self.catalog_items.is_empty(), catalog_item),
            (!self.labels.is_empty(), labels),
        ];
        let mut all = Match::Yes;
        for (_, answer) in asked.into_iter().filter(|(is_asked, _)| *is_asked) {
            match answer {
                Ok(true) => {}
                Ok(false) => return Match::No,
                Err(reason) => all = Match::Undecided(reason),
            }
        }
        all
    }
}

/// Whether a pattern fits a text from end to end: `*` stands for any text, also for none. In linear time for any number of `*`, up to
/// the length of the pattern.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(tail)
}

/// The verdict of a lab rubric whose instances cannot be told.
#[must_use]
pub fn undecided(lab: &LabRubric, reason: UnknownReason) -> Verdict {
    let unread = matches!(reason, UnknownReason::NotCollected | UnknownReason::NotProbed);
    let matters = lab.rubric.exit.iter().any(|c| c.required && !(c.optional_until_read && unread));
    let criteria = lab.rubric.exit.iter().map(|criterion| CriterionResult {
        name: criterion.name.clone(),
        role: Role::Exit,
        required: criterion.required,
        value: serde_json::Value::Null,
        unknown_reason: Some(reason),
        failing: Vec::new(),
        failing_count: None,
        excluded: Vec::new(),
        rubric: None,
    });
    Verdict {
        outcome: if matters { Outcome::Indeterminate } else { Outcome::Pass },
        reason: matters.then_some(Reason::Unknown(reason)),
        criteria: criteria.collect(),
        ..super::judge::blank(lab.rubric.stage)
    }
}

/// The stage's own verdict with that of a lab rubric. The worse outcome counts; class, sub-class and action are those of the verdict that
/// it comes from, the stage's own when both say the same and it has one.
#[must_use]
pub fn merge(own: Verdict, lab: &LabRubric, mut extra: Verdict) -> Verdict {
    for criterion in &mut extra.criteria {
        criterion.rubric = Some(lab.id.clone());
    }
    let added = std::mem::take(&mut extra.criteria);
    let is_worse = weight(extra.outcome) > weight(own.outcome);
    let names_it = extra.outcome == own.outcome && own.failure_class.is_none() && extra.failure_class.is_some();
    let until = [own.until, extra.until].into_iter().flatten().min();
    let (mut worse, criteria) = if is_worse || names_it {
        (extra, own.criteria)
    } else {
        let mut own = own;
        let criteria = std::mem::take(&mut own.criteria);
        (own, criteria)
    };
    worse.criteria = criteria;
    worse.criteria.extend(added);
    worse.until = until.filter(|_| worse.outcome == Outcome::Indeterminate);
    worse.message = message::of(&worse);
    worse
}

const fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Skipped => 0,
        Outcome::Pass => 1,
        Outcome::Warn => 2,
        Outcome::Indeterminate => 3,
        Outcome::Fail => 4,
    }
}

#[cfg(test)]
mod tests;
