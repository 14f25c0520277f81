//! What a case expects.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_yaml::{Location, Spanned};

use super::super::rubric::{Area, ClassGrade};
use super::super::subclass::Confidence;
use super::super::{ClassMatch, LabKind, Outcome};
use super::Flaws;
use super::raw::{RawExpect, RawFields, RawStage, RawValue};
use crate::evidence::Phase;
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// The class of a failure that no class of the rubric describes.
pub(super) const UNCLASSIFIED: &str = "unclassified";
/// What `pattern_class` is expected to be when the members say nothing that is known.
pub(super) const NO_PATTERN: &str = "none";

/// What must come out of a situation.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Line of the expectation.
    pub line: u64,
    /// Column of the expectation.
    pub column: u64,
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
    /// Column of the expectation.
    pub column: u64,
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
    /// Where names stand that only the rubrics know.
    pub(super) places: BTreeMap<Name, Location>,
}

/// A name in an expectation that only the rubrics know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// Of a class.
    Class(String),
    /// Of a class that is told by texts.
    Pattern(String),
    /// Of a sub-class.
    SubClass(String),
    /// Of an action.
    Action(String),
    /// Of a criterion.
    Criterion(String),
}

/// Understands what is expected; `anchor` is what offsets count from.
pub(super) fn understand(raw: &Spanned<RawExpect>, anchor: DateTime<Utc>, flaws: &mut Flaws<'_>) -> Option<Expectation> {
    let stages: Vec<StageExpectation> = raw
        .value
        .stages
        .iter()
        .map(|(stage, said)| stage_expectation(*stage, said, anchor, flaws))
        .collect();
    if stages.is_empty() {
        flaws.add(raw.referenced, "nothing is expected: list at least one stage");
        return None;
    }
    Some(Expectation {
        line: raw.referenced.line(),
        column: raw.referenced.column(),
        kind: raw.value.kind,
        phase: raw.value.phase,
        others: raw.value.others,
        stages,
    })
}

fn stage_expectation(stage: Stage, said: &Spanned<RawStage>, anchor: DateTime<Utc>, flaws: &mut Flaws<'_>) -> StageExpectation {
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
    } = &said.value.0;
    if let Some(flaw) = flaw_of(&said.value.0) {
        flaws.add(said.referenced, format!("{stage}: {flaw}"));
    }
    empty_ones(stage, &said.value.0, flaws);
    let mut places = BTreeMap::new();
    let mut name = |said: &Option<Spanned<String>>, of: fn(String) -> Name| {
        let said = said.as_ref()?;
        places.insert(of(said.value.clone()), said.referenced);
        Some(said.value.clone())
    };
    let (class, pattern_class, sub_class, recommended_action) = (
        name(class, Name::Class),
        name(pattern_class, Name::Pattern),
        name(sub_class, Name::SubClass),
        name(recommended_action, Name::Action),
    );
    let mut values = BTreeMap::new();
    for (name, value) in criteria.iter().flat_map(|criteria| &criteria.value.0) {
        places.insert(Name::Criterion(name.value.clone()), name.referenced);
        values.insert(name.value.clone(), expected_value(*value));
    }
    let reason = reason.as_ref().map(|reason| reason.0.clone());
    StageExpectation {
        stage,
        line: said.referenced.line(),
        column: said.referenced.column(),
        outcome: *outcome,
        // `skipped` alone means that the stage does not apply, not that nobody knows.
        reason: reason.or_else(|| (*outcome == Outcome::Skipped).then(|| "not_applicable".to_owned())),
        class,
        class_match: *class_match,
        pattern_class,
        sub_class,
        recommended_action,
        severity: *severity,
        grade: *grade,
        area: *area,
        auto_fix_confidence: *auto_fix_confidence,
        message: message.as_ref().map(|message| message.value.clone()),
        until: until.map(|until| until.from(anchor)),
        failing: failing.as_ref().map(|failing| failing.value.clone()),
        excluded: excluded.as_ref().map(|excluded| excluded.value.clone()).unwrap_or_default(),
        criteria: values,
        places,
    }
}

/// The shortest part of a message that says anything: shorter ones are in every message.
const SHORTEST: usize = 3;

/// Fields that are there and assert nothing, or the same twice.
fn empty_ones(stage: Stage, fields: &RawFields, flaws: &mut Flaws<'_>) {
    if let Some(message) = fields.message.as_ref().filter(|message| message.value.trim().len() < SHORTEST) {
        let what = format!("{stage}: every message holds `{}`: name a part that says something", message.value);
        flaws.add(message.referenced, what);
    }
    if let Some(criteria) = fields.criteria.as_ref().filter(|criteria| criteria.value.0.is_empty()) {
        flaws.add(
            criteria.referenced,
            format!("{stage}: `criteria` is empty: name one, or leave it out"),
        );
    }
    if let Some(excluded) = fields.excluded.as_ref().filter(|excluded| excluded.value.is_empty()) {
        flaws.add(
            excluded.referenced,
            format!("{stage}: `excluded` is empty: name a member, or leave it out"),
        );
    }
    for names in [&fields.failing, &fields.excluded].into_iter().flatten() {
        let mut seen = BTreeSet::new();
        for name in &names.value {
            if name.trim().is_empty() {
                flaws.add(names.referenced, format!("{stage}: an empty name stands for nothing: remove it"));
            } else if !seen.insert(name) {
                flaws.add(names.referenced, format!("{stage}: `{name}` is listed twice"));
            }
        }
    }
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
        _ if of_class && fields.class.as_ref().is_some_and(|class| class.value == UNCLASSIFIED) => {
            Some("what is unclassified has no severity, grade or area")
        }
        _ if fields.auto_fix_confidence.is_some() && fields.sub_class.is_none() => Some("say which `sub_class` has the confidence"),
        _ => None,
    }
}
