//! What a case expects, and whether a verdict is so.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_yaml::Spanned;

use super::super::pattern::Source;
use super::super::rubric::{Area, ClassGrade, RubricSet};
use super::super::subclass::Confidence;
use super::super::{ClassMatch, CriterionResult, FleetVerdict, LabKind, Outcome, Verdict};
use super::raw::{RawExpect, RawFields, RawValue};
use super::{Flaws, Mismatch, Situation};
use crate::evidence::{Member, Phase};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// The class of a failure that no class of the rubric describes.
const UNCLASSIFIED: &str = "unclassified";

/// What `pattern_class` is expected to be when the members say nothing that is known.
const NO_PATTERN: &str = "none";

/// What must come out of a situation.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Line of the expectation.
    pub line: u64,
    /// What kind of lab it is.
    pub kind: Option<LabKind>,
    /// Where the service is on its way.
    pub phase: Option<Phase>,
    /// What holds for stages of the namespace that are not listed.
    pub others: Others,
    /// At least one, in pipeline order.
    pub stages: Vec<StageExpectation>,
}

/// What holds for stages that are not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Others {
    /// Anything.
    #[default]
    Any,
    /// They pass or do not apply.
    PassOrSkipped,
}

/// What must come out of one stage.
#[derive(Debug, Clone)]
pub struct StageExpectation {
    /// Which.
    pub stage: Stage,
    /// Line of the expectation.
    pub line: u64,
    /// How it comes out.
    pub outcome: Outcome,
    /// Why, as verdicts print it.
    pub reason: Option<String>,
    /// Class of the failure or warning; `unclassified` when there must be none.
    pub class: Option<String>,
    /// How the class is found.
    pub class_match: Option<ClassMatch>,
    /// What the members' own texts say; `none` when they must say nothing that is known.
    pub pattern_class: Option<String>,
    /// Finer label.
    pub sub_class: Option<String>,
    /// What the rubric recommends.
    pub recommended_action: Option<String>,
    /// Severity of the class.
    pub severity: Option<u8>,
    /// Grade of the class.
    pub grade: Option<ClassGrade>,
    /// Area of the class.
    pub area: Option<Area>,
    /// How sure an automatic fix of the sub-class would be.
    pub auto_fix_confidence: Option<Confidence>,
    /// A part of the message.
    pub message: Option<String>,
    /// When a progressing criterion turns false.
    pub until: Option<DateTime<Utc>>,
    /// Every member at fault, as `kind/name` or name.
    pub failing: Option<Vec<String>>,
    /// Members that must be left out.
    pub excluded: Vec<String>,
    /// Criteria: true or false, or why unknown.
    pub criteria: BTreeMap<String, Result<bool, UnknownReason>>,
}

/// Understands what is expected; `anchor` is what offsets count from.
pub(super) fn understand(raw: &Spanned<RawExpect>, anchor: DateTime<Utc>, flaws: &mut Flaws<'_>) -> Option<Expectation> {
    let mut stages = Vec::new();
    for (stage, said) in raw.value.stages() {
        let fields = said.value.0.clone();
        if let Some(flaw) = flaw_of(&fields) {
            flaws.add(said.referenced, format!("{stage}: {flaw}"));
        }
        let RawFields {
            outcome,
            reason,
            class,
            class_match,
            pattern_class,
            sub_class,
            recommended_action,
            severity,
            grade,
            area,
            auto_fix_confidence,
            message,
            until,
            failing,
            excluded,
            criteria,
        } = fields;
        stages.push(StageExpectation {
            stage,
            line: said.referenced.line(),
            outcome,
            reason: reason.map(|reason| reason.0),
            class,
            class_match,
            pattern_class,
            sub_class,
            recommended_action,
            severity,
            grade,
            area,
            auto_fix_confidence,
            message,
            until: until.map(|until| until.from(anchor)),
            failing,
            excluded,
            criteria: criteria.into_iter().map(|(name, value)| (name, expected_value(value))).collect(),
        });
    }
    if stages.is_empty() {
        flaws.add(raw.referenced, "nothing is expected: list at least one stage");
        return None;
    }
    Some(Expectation {
        line: raw.referenced.line(),
        kind: raw.value.kind,
        phase: raw.value.phase,
        others: raw.value.others,
        stages,
    })
}

const fn expected_value(value: RawValue) -> Result<bool, UnknownReason> {
    match value {
        RawValue::Known(known) => Ok(known),
        RawValue::Unknown(reason) => Err(reason),
    }
}

/// What an expectation leaves open that it must not, or says that cannot be.
fn flaw_of(fields: &RawFields) -> Option<&'static str> {
    let of_class = fields.severity.is_some() || fields.grade.is_some() || fields.area.is_some();
    let classified =
        fields.class.is_some() || fields.class_match.is_some() || fields.pattern_class.is_some() || fields.sub_class.is_some() || of_class;
    match fields.outcome {
        Outcome::Fail | Outcome::Warn if fields.class.is_none() => Some("say which `class`, or `unclassified`"),
        Outcome::Fail | Outcome::Warn if fields.reason.is_some() => Some("only what is indeterminate or skipped has a `reason`"),
        Outcome::Indeterminate if fields.reason.is_none() => Some("say the `reason`"),
        Outcome::Pass if fields.reason.is_some() => Some("only what is indeterminate or skipped has a `reason`"),
        Outcome::Pass | Outcome::Indeterminate | Outcome::Skipped if classified => Some("only what fails or warns has a class"),
        _ if of_class && fields.class.as_deref() == Some(UNCLASSIFIED) => Some("what is unclassified has no severity, grade or area"),
        _ if fields.auto_fix_confidence.is_some() && fields.sub_class.is_none() => Some("say which `sub_class` has the confidence"),
        _ => None,
    }
}

/// Where the verdict is not as expected.
pub(super) fn compare(rubrics: &RubricSet, file: &str, situation: &Situation, fleet: &FleetVerdict) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let mut miss = |line: u64, stage: Option<Stage>, detail: String| {
        found.push(Mismatch {
            file: file.to_owned(),
            line,
            title: situation.title.clone(),
            stage,
            detail,
        });
    };
    let expect = &situation.expect;
    let Some((_, instance)) = fleet.instances.first() else {
        miss(expect.line, None, "no instance was judged".to_owned());
        return found;
    };
    if let Some(kind) = expect.kind.filter(|kind| *kind != instance.kind) {
        miss(expect.line, None, format!("expected kind {kind}, is {}", instance.kind));
    }
    if let Some(phase) = expect.phase.filter(|phase| *phase != instance.lifecycle.phase) {
        miss(
            expect.line,
            None,
            format!("expected phase {}, is {}", word(phase), word(instance.lifecycle.phase)),
        );
    }
    for stage in &expect.stages {
        let verdict = match stage.stage {
            Stage::ClusterHealth => fleet.clusters.values().next(),
            _ => instance.stages.iter().find(|verdict| verdict.stage == stage.stage),
        };
        let mut say = |detail: String| miss(stage.line, Some(stage.stage), detail);
        match verdict {
            None => say("was not judged".to_owned()),
            Some(verdict) => {
                unknown_names(rubrics, stage, &mut say);
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
                miss(expect.line, Some(verdict.stage), detail);
            }
        }
    }
    found
}

/// Names that no rubric knows can never be met.
fn unknown_names(rubrics: &RubricSet, expected: &StageExpectation, say: &mut impl FnMut(String)) {
    let class = expected.class.as_deref().filter(|class| *class != UNCLASSIFIED);
    let of_pattern = |name: &str| rubrics.patterns.class(Source::K8sEvents, name).is_some();
    if let Some(class) = class.filter(|class| rubrics.class(class).is_none() && !of_pattern(class)) {
        say(format!("no rubric has a class `{class}`"));
    }
    let said = expected.pattern_class.as_deref().filter(|class| *class != NO_PATTERN);
    if let Some(class) = said.filter(|class| !of_pattern(class)) {
        say(format!("`k8s_events` has no class `{class}`"));
    }
    if let Some(sub_class) = expected
        .sub_class
        .as_deref()
        .filter(|name| rubrics.sub_classes.named(name).is_none())
    {
        say(format!("there is no sub-class `{sub_class}`"));
    }
    let rubric = rubrics.rubric(expected.stage);
    let names: Vec<&str> = rubric.entry.iter().chain(&rubric.exit).map(|criterion| criterion.name).collect();
    for name in expected.criteria.keys().filter(|name| !names.contains(&name.as_str())) {
        say(format!("the rubric has no criterion `{name}`; it has {}", names.join(", ")));
    }
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
