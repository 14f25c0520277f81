//! Changes that somebody has agreed to: a YAML list, each with the reason and, if wanted, the last day that it holds.
//!
//! ```yaml
//! - namespace: sandbox-*-netbasics
//!   stage: route-ready
//!   old: pass
//!   new: fail certificate_invalid
//!   reason: certificates are judged since 1.4.0
//!   until: 2026-06-30
//! ```
//!
//! `namespace` and `stage` may hold `*`; `namespace: ''` is about clusters. `old` and `new` are an outcome, or an outcome with its
//! class or reason, or `not judged`.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_yaml::Spanned;

use super::{Change, Said};
use crate::evaluate::Outcome;
use crate::yaml;

/// The changes that are allowed.
#[derive(Debug, Clone, Default)]
pub struct Allow {
    file: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    raw: Raw,
    line: u64,
    used: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    namespace: String,
    stage: String,
    old: Spanned<String>,
    new: Spanned<String>,
    reason: Spanned<String>,
    until: Option<NaiveDate>,
}

/// Why an allow file cannot be used: one line, with file, line and column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {detail}")]
pub struct AllowError {
    file: String,
    line: u64,
    column: u64,
    detail: String,
}

impl Allow {
    /// Reads the text of an allow file. `file` is its name in messages.
    ///
    /// # Errors
    /// [`AllowError`] with the first thing that is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, AllowError> {
        let wrong = |line, column, detail: String| AllowError {
            file: file.to_owned(),
            line,
            column,
            detail,
        };
        let entries: Vec<Raw> = yaml::from_str(text).map_err(|error| {
            let what = error.without_snippet().to_string();
            let what = what.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            error
                .location()
                .map_or_else(|| wrong(0, 0, what.clone()), |at| wrong(at.line(), at.column(), what.clone()))
        })?;
        for entry in &entries {
            for side in [&entry.old, &entry.new] {
                let word = side.value.split(' ').next().unwrap_or_default();
                if !OUTCOMES.iter().any(|outcome| outcome.as_str() == word) && side.value != NOT_JUDGED {
                    let detail = format!(
                        "`{}` does not begin with an outcome: write for example `fail oom_killed`",
                        side.value
                    );
                    return Err(wrong(side.referenced.line(), side.referenced.column(), detail));
                }
            }
            if entry.reason.value.trim().is_empty() {
                let at = entry.reason.referenced;
                return Err(wrong(
                    at.line(),
                    at.column(),
                    "the reason is empty: say why the change is right".to_owned(),
                ));
            }
        }
        let entries = entries.into_iter().map(|raw| Entry {
            line: raw.old.referenced.line(),
            raw,
            used: false,
        });
        Ok(Self {
            file: file.to_owned(),
            entries: entries.collect(),
        })
    }

    /// Marks the changes that are allowed today.
    pub fn apply(&mut self, changes: &mut [Change], today: NaiveDate) {
        for change in changes {
            let entry = self
                .entries
                .iter_mut()
                .find(|entry| entry.raw.covers(change) && !entry.raw.is_over(today));
            if let Some(entry) = entry {
                entry.used = true;
                change.allowed = Some(entry.raw.reason.value.clone());
            }
        }
    }

    /// Entries that allowed nothing, one line each.
    #[must_use]
    pub fn unused(&self, today: NaiveDate) -> Vec<String> {
        let unused = self.entries.iter().filter(|entry| !entry.used && !entry.raw.is_over(today));
        unused
            .map(|entry| format!("{}:{}: allows nothing that changes: remove it", self.file, entry.line))
            .collect()
    }

    /// Entries whose last day is over, one line each.
    #[must_use]
    pub fn expired(&self, today: NaiveDate) -> Vec<String> {
        let expired = self.entries.iter().filter(|entry| entry.raw.is_over(today));
        expired
            .map(|entry| {
                format!(
                    "{}:{}: was allowed until a day that is over: remove it, or agree anew",
                    self.file, entry.line
                )
            })
            .collect()
    }
}

/// Every outcome that a side may begin with.
const OUTCOMES: [Outcome; 5] = [
    Outcome::Pass,
    Outcome::Warn,
    Outcome::Fail,
    Outcome::Indeterminate,
    Outcome::Skipped,
];
/// A side on which there is no verdict.
const NOT_JUDGED: &str = "not judged";

impl Raw {
    fn is_over(&self, today: NaiveDate) -> bool {
        self.until.is_some_and(|until| until < today)
    }

    fn covers(&self, change: &Change) -> bool {
        let namespace = change.namespace.as_deref().unwrap_or_default();
        // A star for namespaces does not reach the clusters themselves.
        self.namespace.is_empty() == namespace.is_empty()
            && glob(&self.namespace, namespace)
            && glob(&self.stage, change.stage.as_str())
            && is(&self.old.value, change.old.as_ref())
            && is(&self.new.value, change.new.as_ref())
    }
}

/// Whether a verdict is what a side says: its outcome, and its class or reason when that is said.
fn is(side: &str, said: Option<&Said>) -> bool {
    let Some(said) = said else { return side == NOT_JUDGED };
    let mut words = side.split(' ').filter(|word| !word.is_empty());
    let word = [&said.class, &said.reason];
    words.next() == Some(said.outcome.as_str()) && words.all(|part| word.iter().any(|it| it.as_deref() == Some(part)))
}

/// Whether a text is like a pattern in which `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text
            .strip_prefix(head)
            .is_some_and(|tail| (0..=tail.len()).any(|at| tail.get(at..).is_some_and(|tail| glob(rest, tail)))),
    }
}
