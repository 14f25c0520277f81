//! The line of a verdict that people read, from fixed templates: the same verdict gives the same bytes.

use std::fmt::Write as _;

use super::{CriterionResult, Outcome, Reason, Verdict};
use crate::evidence::SkipReason;

/// The message of a verdict: what is wrong, criterion by criterion in order of their names, the first culprit of each.
#[must_use]
pub fn of(verdict: &Verdict) -> String {
    let fixed = match (verdict.outcome, verdict.reason) {
        (_, Some(Reason::Skipped(why))) => match why {
            SkipReason::NotApplicable => "does not apply: nothing in this lab calls for it",
            SkipReason::Destroying => "does not apply: the service is being destroyed",
            SkipReason::Terminating => "does not apply: the namespace is being deleted",
            SkipReason::KindUnknown => "does not apply: nobody knows what kind of lab this is",
        },
        (_, Some(Reason::BlockedBy(stage))) => return format!("not judged: {stage} failed, look there"),
        (Outcome::Pass, _) => "all required criteria hold",
        (Outcome::Skipped, _) => "does not apply",
        (Outcome::Fail, _) => return told(verdict, "failed", |c| c.required && is_false(c)),
        (Outcome::Warn, _) => return told(verdict, "passed with a warning", |c| !c.required && is_false(c)),
        (Outcome::Indeterminate, _) => return told(verdict, "not known", |c| c.required && c.unknown_reason.is_some()),
    };
    fixed.to_owned()
}

/// The message of a route failure that an earlier or later stage explains.
#[must_use]
pub fn with_likely_cause(message: &str, cause: &Verdict) -> String {
    let class = cause.failure_class.as_deref().unwrap_or("unclassified");
    format!("{message}; likely cause: {} failed, {class}", cause.stage)
}

fn is_false(criterion: &CriterionResult) -> bool {
    criterion.value == serde_json::Value::Bool(false)
}

fn told(verdict: &Verdict, word: &str, concerns: impl Fn(&CriterionResult) -> bool) -> String {
    let mut text = word.to_owned();
    if let Some(class) = &verdict.failure_class {
        let _ = write!(text, ", {class}");
    }
    let mut criteria: Vec<&CriterionResult> = verdict.criteria.iter().filter(|c| concerns(c)).collect();
    criteria.sort_by(|a, b| a.name.cmp(&b.name));
    for (at, criterion) in criteria.iter().enumerate() {
        text.push_str(if at == 0 { ": " } else { "; " });
        text.push_str(&criterion.name);
        if let Some(rubric) = &criterion.rubric {
            let _ = write!(text, " of {rubric}");
        }
        if let Some(reason) = criterion.unknown_reason {
            let _ = write!(text, " {reason}");
        }
        if let Some(first) = criterion.failing.first() {
            let _ = write!(text, ": {} {}", first.kind, first.name);
            if !first.reason.is_empty() {
                let _ = write!(text, " ({})", first.reason);
            }
            let more = criterion.failing_count.unwrap_or(criterion.failing.len()) - 1;
            if more > 0 {
                let _ = write!(text, " and {more} more");
            }
        }
    }
    text
}
