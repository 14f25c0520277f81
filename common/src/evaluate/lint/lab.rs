//! A lab rubric: what it adds, that it takes nothing away, and that somebody is meant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_yaml::Spanned;

use super::raw::{RawAppliesTo, RawFile, RawLab, RawRubric};
use super::{Report, stage};
use crate::evaluate::LabKind;
use crate::evaluate::catalog::Catalog;
use crate::evaluate::lab::{AppliesTo, LabRubric};
use crate::evaluate::rubric::Rubric;
use crate::stage::Stage;
use crate::suggest::suggest;

/// Compiles a lab rubric. `own` are the rubrics of the stages; `defined` the classes so far, to which these are added.
pub(super) fn compile(
    folder: &str,
    file: &RawFile<RawLab>,
    own: &[Rubric],
    catalog: &Catalog,
    defined: &mut BTreeMap<String, Stage>,
    report: &mut Report<'_>,
) -> Option<LabRubric> {
    let raw = &file.content;
    if raw.id.value != folder || Stage::parse(folder).is_some() {
        report.error(
            raw.id.referenced,
            &format!("folder `{folder}` and id `{}` should be the same word, and no stage", raw.id.value),
            "name the id like the folder, and both for the lab",
        );
    }
    let applies_to = applies_to(&raw.applies_to, report);
    let extends = &raw.extends;
    let Some(stage) = Stage::parse(&extends.value).filter(|stage| *stage != Stage::ClusterHealth) else {
        report.error(
            extends.referenced,
            &format!("`{}` is no stage of an instance", extends.value),
            &suggest(&extends.value, Stage::ALL.into_iter().skip(1).map(Stage::as_str)),
        );
        return None;
    };
    let as_rubric = RawFile {
        path: Arc::clone(&file.path),
        hash: file.hash.clone(),
        content: RawRubric {
            id: raw.id.clone(),
            version: raw.version.clone(),
            stage: raw.extends.clone(),
            summary: raw.summary.clone(),
            timeout_seconds: None,
            entry_criteria: Vec::new(),
            exit_criteria: raw.exit_criteria.clone(),
            failure_classes: raw.failure_classes.clone(),
            allowed_remediations: raw.allowed_remediations.clone(),
            forbidden_remediations: Vec::new(),
        },
    };
    let rubric = stage::parts(stage, &as_rubric, &BTreeSet::new(), catalog, defined, report);
    if let Some(own) = own.iter().find(|rubric| rubric.stage == stage) {
        takes_nothing_away(raw, own, report);
    }
    Some(LabRubric {
        id: raw.id.value.clone(),
        applies_to,
        rubric,
    })
}

/// What the stage's own rubric says stays: its criteria are not restated, what it forbids is not offered.
fn takes_nothing_away(raw: &RawLab, own: &Rubric, report: &mut Report<'_>) {
    for criterion in &raw.exit_criteria.value {
        let name = &criterion.name;
        if own.entry.iter().chain(&own.exit).any(|of_stage| of_stage.name == name.value) {
            report.error(
                name.referenced,
                &format!("`{}` has the criterion `{}` already", own.stage, name.value),
                "remove it: a lab rubric adds to its stage and changes nothing of it",
            );
        }
    }
    for action in &raw.allowed_remediations {
        if own.forbidden_remediations.contains(&action.value) {
            report.error(
                action.referenced,
                &format!("`{}` forbids the action `{}`", own.stage, action.value),
                "remove it: a lab rubric cannot allow what its stage forbids",
            );
        }
    }
}

fn applies_to(raw: &Spanned<RawAppliesTo>, report: &mut Report<'_>) -> AppliesTo {
    let RawAppliesTo {
        kinds,
        catalog_items,
        labels,
    } = &raw.value;
    if kinds.is_none() && catalog_items.is_none() && labels.is_none() {
        report.error(
            raw.referenced,
            "applies_to is empty: the rubric would be about every lab",
            "name kinds, catalog_items or labels; what every lab must show belongs into the stage's own rubric",
        );
    }
    for list in [kinds, catalog_items].into_iter().flatten().filter(|list| list.value.is_empty()) {
        report.error(
            list.referenced,
            "the list is empty: no lab fits it",
            "name at least one, or remove the list",
        );
    }
    if let Some(labels) = labels.as_ref().filter(|labels| labels.value.0.is_empty()) {
        report.error(
            labels.referenced,
            "labels is empty: every lab fits it",
            "name at least one, or remove it",
        );
    }
    let mut known = Vec::new();
    for kind in kinds.iter().flat_map(|kinds| &kinds.value) {
        match LabKind::parse(&kind.value) {
            Some(kind) => known.push(kind),
            None => report.error(
                kind.referenced,
                &format!("there is no kind `{}`", kind.value),
                &suggest(&kind.value, LabKind::ALL.into_iter().map(LabKind::as_str)),
            ),
        }
    }
    for pattern in catalog_items.iter().flat_map(|items| &items.value) {
        if pattern.value.trim_matches('*').is_empty() {
            report.error(
                pattern.referenced,
                &format!("`{}` fits every catalog item", pattern.value),
                "write at least a part of the name, for example `acme.web.*`",
            );
        }
    }
    AppliesTo {
        kinds: known,
        catalog_items: catalog_items
            .iter()
            .flat_map(|items| &items.value)
            .map(|item| item.value.clone())
            .collect(),
        labels: labels
            .iter()
            .flat_map(|labels| &labels.value.0)
            .map(|(name, value)| (name.value.clone(), value.value.clone()))
            .collect(),
    }
}
