//! Names in expectations that the rubrics do not know: such an expectation can never be met, or says nothing.

use serde_yaml::Location;

use super::super::pattern::Source;
use super::super::rubric::RubricSet;
use super::expect::{NO_PATTERN, Name, StageExpectation, UNCLASSIFIED};
use crate::stage::Stage;
use crate::suggest::suggest;

/// What is expected by names that do not exist, and where.
pub(super) fn unknown(rubrics: &RubricSet, expected: &StageExpectation) -> Vec<(Location, String)> {
    let stage = expected.stage;
    let found = expected.places.iter().filter_map(|(name, at)| {
        let flaw = match name {
            Name::Class(class) => class_flaw(rubrics, stage, class),
            Name::Pattern(class) => pattern_flaw(rubrics, class),
            Name::SubClass(sub_class) => sub_class_flaw(rubrics, sub_class),
            Name::Action(action) => action_flaw(rubrics, stage, action),
            Name::Criterion(criterion) => criterion_flaw(rubrics, stage, criterion),
        };
        Some((*at, flaw?))
    });
    found.collect()
}

fn class_flaw(rubrics: &RubricSet, stage: Stage, class: &str) -> Option<String> {
    let rubric = rubrics.rubric(stage);
    let own = rubric.classes.iter().map(|class| class.name.as_str());
    let of_labs = rubrics.of_labs(stage).flat_map(|lab| &lab.classes).map(|class| class.name.as_str());
    let entry = rubric
        .entry
        .iter()
        .filter_map(|criterion| Some(criterion.class.as_ref()?.name.as_str()));
    let known: Vec<&str> = own.chain(entry).chain(of_labs).chain([UNCLASSIFIED]).collect();
    if known.contains(&class) || rubrics.patterns.class(Source::K8sEvents, class).is_some() {
        return None;
    }
    let near = suggest(class, known.into_iter());
    Some(match rubrics.class(class) {
        Some(other) => format!("`{class}` is a class of {}, which {stage} never comes to; {near}", other.stage),
        None => format!("no rubric has a class `{class}`; {near}"),
    })
}

fn pattern_flaw(rubrics: &RubricSet, class: &str) -> Option<String> {
    let known = class == NO_PATTERN || rubrics.patterns.class(Source::K8sEvents, class).is_some();
    (!known).then(|| format!("`k8s_events` has no class `{class}`: look into patterns/, or write `{NO_PATTERN}`"))
}

fn sub_class_flaw(rubrics: &RubricSet, sub_class: &str) -> Option<String> {
    if rubrics.sub_classes.named(sub_class).is_some() {
        return None;
    }
    let known = rubrics.sub_classes.iter().flat_map(|(_, subs)| subs).map(|sub| sub.name.as_str());
    Some(format!("there is no sub-class `{sub_class}`; {}", suggest(sub_class, known)))
}

fn action_flaw(rubrics: &RubricSet, stage: Stage, action: &str) -> Option<String> {
    let rubric = rubrics.rubric(stage);
    let entry = rubric
        .entry
        .iter()
        .filter_map(|criterion| criterion.class.as_ref()?.recommended_action.as_deref());
    let known: Vec<&str> = rubric
        .allowed_remediations
        .iter()
        .chain(rubrics.of_labs(stage).flat_map(|lab| &lab.allowed_remediations))
        .map(String::as_str)
        .chain(entry)
        .collect();
    if known.contains(&action) {
        return None;
    }
    let near = suggest(action, known.into_iter());
    Some(format!("{stage} has no action `{action}` among its allowed ones; {near}"))
}

fn criterion_flaw(rubrics: &RubricSet, stage: Stage, criterion: &str) -> Option<String> {
    let rubric = rubrics.rubric(stage);
    let known: Vec<&str> = rubric
        .entry
        .iter()
        .chain(&rubric.exit)
        .chain(rubrics.of_labs(stage).flat_map(|lab| &lab.exit))
        .map(|criterion| &*criterion.name)
        .collect();
    if known.contains(&criterion) {
        return None;
    }
    let near = suggest(criterion, known.into_iter());
    Some(format!("the rubric has no criterion `{criterion}`; {near}"))
}
