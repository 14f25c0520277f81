//! From a recording to a case: what one namespace showed, as far as the verdicts depend on it, and the verdicts as expectation.
//!
//! ```text
//! Snapshot ──draft.rs──> objects that anybody may see ──as little as gives the same verdicts──> text of a case
//! ```
//!
//! Nobody's secrets and names are in it: only fields that criteria read, labels and annotations of a list, free text only where a
//! verdict depends on its wording and then scrubbed, no uids, no names of nodes and hosts. Times count from the evaluation.

mod draft;
mod text;

use chrono::{DateTime, Utc};

use super::super::pipeline::evaluate_snapshot;
use super::super::rubric::RubricSet;
use super::super::{CriterionResult, FleetVerdict, Verdict};
use super::{Case, effect, judge, parse};
use crate::objects::Snapshot;
use crate::stage::Stage;
use draft::Draft;

/// Why a recording cannot become a case.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The namespace is not in it.
    #[error("namespace {0} is not in the recording")]
    NoNamespace(String),
    /// What was written cannot be read.
    #[error("the case would not be understood:\n{0}")]
    NotUnderstood(String),
    /// The case would give another verdict: it lacks something that decides.
    #[error(
        "the case would give another verdict on {0} than the recording: it cannot hold what decides there; use --stage for another one"
    )]
    Differs(Stage),
}

/// The text of a case that gives the same verdicts as the recording: on all stages, or on one.
///
/// # Errors
/// The namespace is not there, or a case cannot say what decides a verdict.
pub fn record(
    rubrics: &RubricSet,
    snapshot: &Snapshot,
    namespace: &str,
    at: DateTime<Utc>,
    stage: Option<Stage>,
) -> Result<String, RecordingError> {
    let mut alone = snapshot.clone();
    alone.namespaces.retain(|name, _| name == namespace);
    if alone.namespaces.is_empty() {
        return Err(RecordingError::NoNamespace(namespace.to_owned()));
    }
    let verdict = evaluate_snapshot(rubrics, &alone, at, &|_| None);
    let expected = Expected {
        verdict: &verdict,
        about_cluster: draft::is_about_cluster(&alone.cluster),
        stage,
    };
    let full = Draft::of(&alone, namespace, at);
    let shortest = shorten(rubrics, &expected, full)?;
    Ok(text::of(&shortest, &expected))
}

/// What must come out.
struct Expected<'a> {
    verdict: &'a FleetVerdict,
    /// Whether the recording says anything of the cluster itself.
    about_cluster: bool,
    /// The only stage that is asked for.
    stage: Option<Stage>,
}

impl Expected<'_> {
    /// The verdicts that the case is about.
    fn verdicts<'v>(&self, fleet: &'v FleetVerdict) -> Vec<&'v Verdict> {
        let clusters = fleet.clusters.values().filter(|_| self.about_cluster);
        let stages = fleet.instances.iter().flat_map(|(_, instance)| &instance.stages);
        clusters
            .chain(stages)
            .filter(|verdict| self.stage.is_none_or(|stage| stage == verdict.stage))
            .collect()
    }

    /// The first stage on which the draft gives another verdict.
    fn differs(&self, rubrics: &RubricSet, draft: &Draft) -> Result<Option<Stage>, RecordingError> {
        let case = self.case(draft)?;
        let Some(situation) = case.situations.first() else {
            return Err(RecordingError::NotUnderstood("it has no situation".to_owned()));
        };
        let again = judge(rubrics, situation);
        let kinds = |fleet: &FleetVerdict| {
            fleet
                .instances
                .first()
                .map(|(_, instance)| (instance.kind, instance.lifecycle.phase))
        };
        if kinds(self.verdict) != kinds(&again) {
            return Ok(Some(Stage::RunCreated));
        }
        let (wanted, is) = (self.verdicts(self.verdict), self.verdicts(&again));
        let other = wanted.iter().zip(&is).find(|(wanted, is)| said(wanted) != said(is));
        Ok(other.map(|(wanted, _)| wanted.stage))
    }

    fn case(&self, draft: &Draft) -> Result<Case, RecordingError> {
        parse("(recording)", &text::of(draft, self)).map_err(|error| RecordingError::NotUnderstood(error.to_string()))
    }
}

/// What of a verdict must stay: all but the wording of messages and members.
fn said(verdict: &Verdict) -> impl PartialEq + '_ {
    let criteria: Vec<_> = verdict.criteria.iter().map(value).collect();
    let classes = (
        &verdict.failure_class,
        verdict.class_match,
        &verdict.pattern_class,
        &verdict.sub_class,
    );
    (
        verdict.stage,
        verdict.outcome,
        verdict.reason,
        classes,
        &verdict.recommended_action,
        criteria,
    )
}

fn value(criterion: &CriterionResult) -> impl PartialEq + '_ {
    (&criterion.name, &criterion.value, criterion.unknown_reason, criterion.failing_count)
}

/// The value of a criterion as cases write it: true, false, or why it is unknown.
fn value_of(criterion: &CriterionResult) -> Option<serde_json::Value> {
    match criterion.unknown_reason {
        Some(reason) => Some(serde_json::json!(reason)),
        None => criterion.value.is_boolean().then(|| criterion.value.clone()),
    }
}

/// As little of a draft as gives the same verdicts: first without free text, then without what has no effect.
fn shorten(rubrics: &RubricSet, expected: &Expected<'_>, full: Draft) -> Result<Draft, RecordingError> {
    if let Some(stage) = expected.differs(rubrics, &full)? {
        return Err(RecordingError::Differs(stage));
    }
    let mut draft = full;
    let silent = draft.without_texts();
    if expected.differs(rubrics, &silent)?.is_none() {
        draft = silent;
    } else {
        for index in 0..draft.resources.len() {
            let less = draft.without_texts_of(index);
            if less.resources != draft.resources && expected.differs(rubrics, &less)?.is_none() {
                draft = less;
            }
        }
    }
    let idle: Vec<String> = idle(rubrics, expected, &draft)?;
    let less = draft.without(&idle);
    if expected.differs(rubrics, &less)?.is_none() {
        draft = less;
    }
    // Each alone has no effect, together they might: then they stay, and the case says that each must have none.
    draft.no_effect = self::idle(rubrics, expected, &draft)?;
    Ok(draft)
}

fn idle(rubrics: &RubricSet, expected: &Expected<'_>, draft: &Draft) -> Result<Vec<String>, RecordingError> {
    let case = expected.case(draft)?;
    Ok(effect::idle(rubrics, &case)
        .into_iter()
        .map(|(_, what)| what.replace('`', ""))
        .collect())
}
