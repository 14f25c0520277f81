//! Quantifiers over members: every member counts, never only the last one.

use chrono::{DateTime, Utc};

use super::{MAX_MEMBERS, Member, Observation, Value};
use crate::unknown::UnknownReason;

/// What is known of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It holds.
    True,
    /// It does not hold, and why.
    False(String),
    /// Not known, why, what to say of it, and until when that may last.
    Unknown(UnknownReason, String, Option<DateTime<Utc>>),
    /// Left out on purpose, and why.
    Excluded(String),
}

/// A member with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Kubernetes kind.
    pub kind: &'static str,
    /// Name of the object.
    pub name: String,
    /// What is known of it.
    pub state: Known,
}

/// True when every member holds; false when some member does not; else unknown when some member is unknown or the list
/// has `missing` parts. `empty` is the answer for a complete list in which no member counts: never silently true.
#[must_use]
pub fn all(members: Vec<Judged>, missing: Option<UnknownReason>, empty: Value) -> Observation {
    let Sorted {
        failing,
        unknown,
        excluded,
        held,
        until,
        first_unknown,
    } = sort(members);
    let value = if !failing.is_empty() {
        Value::Bool(false)
    } else if let Some(reason) = first_unknown.or(missing) {
        Value::Unknown(reason)
    } else if held == 0 {
        empty
    } else {
        Value::Bool(true)
    };
    let named = if failing.is_empty() { unknown } else { failing };
    finish(value, named, excluded, until)
}

/// True when some member holds; else unknown when some member is unknown or the list has `missing` parts; else false.
/// `empty` is the answer for a complete list in which no member counts.
#[must_use]
pub fn any(members: Vec<Judged>, missing: Option<UnknownReason>, empty: Value) -> Observation {
    let Sorted {
        failing,
        unknown,
        excluded,
        held,
        until,
        first_unknown,
    } = sort(members);
    if held > 0 {
        return finish(Value::Bool(true), Vec::new(), excluded, None);
    }
    let value = if let Some(reason) = first_unknown.or(missing) {
        Value::Unknown(reason)
    } else if failing.is_empty() {
        empty
    } else {
        Value::Bool(false)
    };
    let named = if failing.is_empty() { unknown } else { failing };
    finish(value, named, excluded, until)
}

struct Sorted {
    failing: Vec<Member>,
    unknown: Vec<Member>,
    excluded: Vec<Member>,
    held: usize,
    until: Option<DateTime<Utc>>,
    first_unknown: Option<UnknownReason>,
}

fn sort(mut members: Vec<Judged>) -> Sorted {
    members.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    let mut sorted = Sorted {
        failing: Vec::new(),
        unknown: Vec::new(),
        excluded: Vec::new(),
        held: 0,
        until: None,
        first_unknown: None,
    };
    for Judged { kind, name, state } in members {
        let member = |reason| Member {
            kind: kind.to_owned(),
            name,
            reason,
        };
        match state {
            Known::True => sorted.held += 1,
            Known::False(reason) => sorted.failing.push(member(reason)),
            Known::Excluded(reason) => sorted.excluded.push(member(reason)),
            Known::Unknown(reason, detail, until) => {
                sorted.first_unknown.get_or_insert(reason);
                sorted.until = [sorted.until, until].into_iter().flatten().min();
                sorted.unknown.push(member(detail));
            }
        }
    }
    sorted
}

fn finish(value: Value, mut failing: Vec<Member>, mut excluded: Vec<Member>, until: Option<DateTime<Utc>>) -> Observation {
    let failing_count = failing.len();
    failing.truncate(MAX_MEMBERS);
    excluded.truncate(MAX_MEMBERS);
    let until = matches!(value, Value::Unknown(_)).then_some(until).flatten();
    Observation {
        value,
        failing,
        failing_count,
        excluded,
        until,
        grade: super::Grade::Direct,
    }
}

/// Grades a conclusion that rests on kinds nobody read. A named culprit is direct all the same.
#[must_use]
pub fn inferred_if(inferred: bool, observation: Observation) -> Observation {
    let concluded = !matches!(observation.value, Value::Unknown(_)) && observation.failing.is_empty();
    if inferred && concluded {
        return Observation {
            grade: super::Grade::Inferred,
            ..observation
        };
    }
    observation
}

/// The opposite statement, with the same members: for facts that name something bad.
#[must_use]
pub fn negated(observation: Observation) -> Observation {
    let value = match observation.value {
        Value::Bool(value) => Value::Bool(!value),
        other => other,
    };
    Observation { value, ..observation }
}
