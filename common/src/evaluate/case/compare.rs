//! Whether a verdict is as expected.

use serde::Serialize;

use super::super::rubric::RubricSet;
use super::super::{CriterionResult, FleetVerdict, Outcome, Verdict};
use super::expect::{NO_PATTERN, Others, StageExpectation, UNCLASSIFIED};
use super::{Mismatch, Situation, names};
use crate::evidence::Member;
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// Where the verdict is not as expected.
pub(super) fn compare(rubrics: &RubricSet, file: &str, situation: &Situation, fleet: &FleetVerdict) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let mut miss = |(line, column): (u64, u64), stage: Option<Stage>, detail: String| {
        found.push(Mismatch {
            file: file.to_owned(),
            line,
            column,
            title: situation.title.clone(),
            stage,
            detail,
        });
    };
    let expect = &situation.expect;
    let whole = (expect.line, expect.column);
    let Some((_, instance)) = fleet.instances.first() else {
        miss(whole, None, "no instance was judged".to_owned());
        return found;
    };
    if let Some(kind) = expect.kind.filter(|kind| *kind != instance.kind) {
        miss(whole, None, format!("expected kind {kind}, is {}", instance.kind));
    }
    if let Some(phase) = expect.phase.filter(|phase| *phase != instance.lifecycle.phase) {
        miss(
            whole,
            None,
            format!("expected phase {}, is {}", word(phase), word(instance.lifecycle.phase)),
        );
    }
    for stage in &expect.stages {
        let verdict = match stage.stage {
            Stage::ClusterHealth => fleet.clusters.values().next(),
            _ => instance.stages.iter().find(|verdict| verdict.stage == stage.stage),
        };
        let mut say = |detail: String| miss((stage.line, stage.column), Some(stage.stage), detail);
        match verdict {
            None => say("was not judged".to_owned()),
            Some(verdict) => {
                names::unknown(rubrics, stage).into_iter().for_each(|(_, unknown)| say(unknown));
                compare_stage(stage, verdict, &mut say);
                compare_class(rubrics, stage, verdict, &mut say);
            }
        }
    }
    if expect.others == Others::PassOrSkipped {
        for verdict in &instance.stages {
            let listed = expect.stages.iter().any(|stage| stage.stage == verdict.stage);
            if !listed && !matches!(verdict.outcome, Outcome::Pass | Outcome::Skipped) {
                let detail = format!("is not listed, so it must pass or be skipped; is {}", summary(verdict));
                miss(whole, Some(verdict.stage), detail);
            }
        }
    }
    found
}

fn compare_stage(expected: &StageExpectation, verdict: &Verdict, say: &mut impl FnMut(String)) {
    if expected.outcome != verdict.outcome {
        return say(format!("expected {}, is {}", expected.outcome, summary(verdict)));
    }
    let reason = verdict.reason.map(|reason| reason.to_string());
    let class = verdict.failure_class.as_deref();
    let class = class.or(matches!(verdict.outcome, Outcome::Fail | Outcome::Warn).then_some(UNCLASSIFIED));
    let class_match = verdict.class_match.map(word);
    let expected_match = expected.class_match.map(word);
    let texts = [
        ("reason", expected.reason.as_deref(), reason.as_deref()),
        ("class", expected.class.as_deref(), class),
        ("class_match", expected_match.as_deref(), class_match.as_deref()),
        (
            "pattern_class",
            expected.pattern_class.as_deref(),
            Some(verdict.pattern_class.as_deref().unwrap_or(NO_PATTERN)),
        ),
        ("sub_class", expected.sub_class.as_deref(), verdict.sub_class.as_deref()),
        (
            "recommended_action",
            expected.recommended_action.as_deref(),
            verdict.recommended_action.as_deref(),
        ),
    ];
    for (what, expected, is) in texts {
        if expected.is_some() && expected != is {
            say(format!(
                "expected {what} {}, is {} in {}",
                expected.unwrap_or_default(),
                is.unwrap_or("none"),
                summary(verdict)
            ));
        }
    }
    if let Some(part) = expected.message.as_deref().filter(|part| !verdict.message.contains(part)) {
        say(format!("expected a message with `{part}`, is `{}`", verdict.message));
    }
    if let Some(until) = expected.until.filter(|until| Some(*until) != verdict.until) {
        let is = verdict.until.map_or_else(|| "never".to_owned(), |until| until.to_rfc3339());
        say(format!("expected until {}, is {is}", until.to_rfc3339()));
    }
    compare_criteria(expected, verdict, say);
    compare_members(expected, verdict, say);
}

/// What the rubrics say of the class and the sub-class that were found.
fn compare_class(rubrics: &RubricSet, expected: &StageExpectation, verdict: &Verdict, say: &mut impl FnMut(String)) {
    let class = verdict.failure_class.as_deref().and_then(|name| rubrics.class(name));
    let sub_class = verdict.sub_class.as_deref().and_then(|name| rubrics.sub_classes.named(name));
    let mut differs = |what: &str, expected: Option<String>, is: Option<String>| {
        if let Some(expected) = expected.filter(|expected| Some(expected) != is.as_ref()) {
            say(format!("expected {what} {expected}, is {}", is.as_deref().unwrap_or("none")));
        }
    };
    differs(
        "severity",
        expected.severity.map(|severity| severity.to_string()),
        class.map(|class| class.severity.to_string()),
    );
    differs("grade", expected.grade.map(word), class.map(|class| word(class.grade)));
    differs("area", expected.area.map(word), class.map(|class| word(class.area)));
    differs(
        "auto_fix_confidence",
        expected.auto_fix_confidence.map(word),
        sub_class.map(|sub| word(sub.auto_fix_confidence)),
    );
}

fn compare_criteria(expected: &StageExpectation, verdict: &Verdict, say: &mut impl FnMut(String)) {
    for (name, value) in &expected.criteria {
        let criterion = verdict.criteria.iter().find(|criterion| criterion.name == *name);
        let is = criterion.map_or_else(|| "not judged".to_owned(), |criterion| shown(value_of(criterion)));
        let wanted = shown(*value);
        if is != wanted {
            say(format!("expected {name} {wanted}, is {is}"));
        }
    }
}

fn compare_members(expected: &StageExpectation, verdict: &Verdict, say: &mut impl FnMut(String)) {
    // What is known to be wrong; where nothing is, what a stage that cannot decide waits for.
    let at_fault = || {
        let decides = |criterion: &&CriterionResult| match value_of(criterion) {
            Ok(known) => !known,
            Err(_) => criterion.required && verdict.outcome == Outcome::Indeterminate,
        };
        verdict.criteria.iter().filter(decides).flat_map(|criterion| &criterion.failing)
    };
    if let Some(failing) = &expected.failing {
        for named in failing.iter().filter(|named| !at_fault().any(|member| stands_for(named, member))) {
            say(format!("expected {named} to be at fault, is {}", list(at_fault())));
        }
        for member in at_fault().filter(|member| !failing.iter().any(|named| stands_for(named, member))) {
            say(format!(
                "{}/{} is at fault ({}) but not expected",
                member.kind, member.name, member.reason
            ));
        }
    }
    let left_out = || verdict.criteria.iter().flat_map(|criterion| &criterion.excluded);
    for named in expected
        .excluded
        .iter()
        .filter(|named| !left_out().any(|member| stands_for(named, member)))
    {
        say(format!("expected {named} to be left out, is {}", list(left_out())));
    }
}

/// Whether `Kind/name`, or a name with what is named after it, is this member.
fn stands_for(named: &str, member: &Member) -> bool {
    match named.split_once('/') {
        Some((kind, name)) => member.kind == kind && member.name == name,
        None => {
            let rest = member.name.strip_prefix(named);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        }
    }
}

fn list<'a>(members: impl Iterator<Item = &'a Member>) -> String {
    let mut names: Vec<String> = members.map(|member| format!("{}/{}", member.kind, member.name)).collect();
    names.sort();
    names.dedup();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn value_of(criterion: &CriterionResult) -> Result<bool, UnknownReason> {
    match (criterion.unknown_reason, criterion.value.as_bool()) {
        (Some(reason), _) => Err(reason),
        (None, Some(known)) => Ok(known),
        (None, None) => Err(UnknownReason::ParseError),
    }
}

fn shown(value: Result<bool, UnknownReason>) -> String {
    match value {
        Ok(known) => known.to_string(),
        Err(reason) => reason.to_string(),
    }
}

/// One line about a verdict, enough to see why it is another one than expected.
fn summary(verdict: &Verdict) -> String {
    let mut text = verdict.outcome.to_string();
    if let Some(reason) = verdict.reason {
        text.push_str(&format!(" {reason}"));
    }
    if let Some(class) = &verdict.failure_class {
        text.push_str(&format!(" {class}"));
    }
    text.push_str(&format!(" [{}]", verdict.message));
    text
}

/// The stable word of a value, as it is written in files.
fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => format!("{other:?}"),
    }
}
