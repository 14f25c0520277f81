//! One stage's rubric: its head and its criteria.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Location;

use super::raw::{RawCriterion, RawFile, RawRubric};
use super::{Report, class, expression};
use crate::evaluate::catalog::{Catalog, List};
use crate::evaluate::rubric::{Criterion, EntryClass, Rubric};
use crate::evidence;
use crate::stage::Stage;
use crate::suggest::suggest;

/// Compiles the rubric of a stage. `class_names` are those of the whole set, `defined` those of the stages before.
pub(super) fn compile(
    stage: Stage,
    file: &RawFile<RawRubric>,
    class_names: &BTreeSet<&str>,
    catalog: &Catalog,
    defined: &mut BTreeMap<String, Stage>,
    report: &mut Report<'_>,
) -> Rubric {
    settle_budget(stage, &file.content, report);
    parts(stage, file, class_names, catalog, defined, report)
}

/// The same for what a lab rubric has, too.
pub(super) fn parts(
    stage: Stage,
    file: &RawFile<RawRubric>,
    class_names: &BTreeSet<&str>,
    catalog: &Catalog,
    defined: &mut BTreeMap<String, Stage>,
    report: &mut Report<'_>,
) -> Rubric {
    let raw = &file.content;
    head(raw, catalog, report);
    let (entry, exit) = criteria(stage, raw, class_names, report);
    let classes = class::compile_all(stage, raw, (&entry, &exit), defined, report);
    class::unclassified(stage, &exit, &classes, raw, report);
    Rubric {
        stage,
        version: raw.version.value.clone(),
        summary: raw.summary.value.trim().to_owned(),
        timeout_seconds: raw.timeout_seconds.as_ref().map(|seconds| seconds.value),
        entry,
        exit,
        classes,
        allowed_remediations: raw.allowed_remediations.iter().map(|action| action.value.clone()).collect(),
        forbidden_remediations: raw.forbidden_remediations.iter().map(|action| action.value.clone()).collect(),
        hash: file.hash.clone(),
    }
}

fn settle_budget(stage: Stage, raw: &RawRubric, report: &mut Report<'_>) {
    match &raw.timeout_seconds {
        Some(seconds) if !evidence::settles(stage) => report.error(
            seconds.referenced,
            &format!("timeout_seconds changes nothing: nothing of `{stage}` is ever on its way"),
            "remove it",
        ),
        Some(seconds) if seconds.value == 0 => report.error(seconds.referenced, "timeout_seconds is 0", "give a positive number"),
        None if evidence::settles(stage) => report.error(
            raw.stage.referenced,
            "timeout_seconds is missing",
            "say for how many seconds something of this stage may be on its way before it counts as failed",
        ),
        _ => {}
    }
}

fn head(raw: &RawRubric, catalog: &Catalog, report: &mut Report<'_>) {
    let parts: Vec<&str> = raw.version.value.split('.').collect();
    if parts.len() != 3 || parts.iter().any(|part| part.parse::<u32>().is_err()) {
        report.error(
            raw.version.referenced,
            &format!("version `{}` is not major.minor.patch", raw.version.value),
            "write for example 1.0.0",
        );
    }
    if raw.summary.value.trim().is_empty() {
        report.error(
            raw.summary.referenced,
            "the summary is empty",
            "say what the rubric looks for and why",
        );
    }
    if raw.exit_criteria.value.is_empty() {
        report.error(
            raw.exit_criteria.referenced,
            "exit_criteria is empty",
            "a rubric checks at least one criterion",
        );
    }
    for action in &raw.forbidden_remediations {
        catalog.check(action, List::Forbidden, report);
    }
    for action in &raw.allowed_remediations {
        catalog.check(action, List::Allowed, report);
        if raw.forbidden_remediations.iter().any(|other| other.value == action.value) {
            report.error(
                action.referenced,
                &format!("action `{}` is both allowed and forbidden", action.value),
                "remove it from one of the lists",
            );
        }
    }
}

fn criteria(stage: Stage, raw: &RawRubric, class_names: &BTreeSet<&str>, report: &mut Report<'_>) -> (Vec<Criterion>, Vec<Criterion>) {
    let mut seen = BTreeSet::new();
    let mut compile = |criterion: &RawCriterion, is_entry: bool, report: &mut Report<'_>| {
        let at = criterion.name.referenced;
        let (name, check) = match expression::check(stage, criterion, is_entry, report) {
            Some(check) => (expression::own_name(stage, &criterion.name, report), Some(check)),
            None if criterion.expr.is_some() => (None, None),
            None => (known_name(stage, &criterion.name.value, at, report).map(Cow::Borrowed), None),
        };
        if !seen.insert(criterion.name.value.clone()) {
            report.error(at, &format!("criterion `{}` is listed twice", criterion.name.value), "remove one");
        }
        if criterion.description.value.trim().is_empty() {
            report.error(
                criterion.description.referenced,
                "the description is empty",
                "say what the criterion states",
            );
        }
        if let Some(class) = &criterion.class
            && !class_names.contains(class.value.as_str())
        {
            report.error(
                class.referenced,
                &format!("no rubric has a class `{}`", class.value),
                &suggest(&class.value, class_names.iter().copied()),
            );
        }
        match (is_entry, criterion.required, &criterion.class) {
            (true, true, None) => report.error(
                at,
                &format!("entry criterion `{}` names no class", criterion.name.value),
                "add `class`: what this failure is called",
            ),
            (false, _, Some(class)) => report.error(
                class.referenced,
                "an exit criterion has no class of its own",
                "remove it: exit failures are classified by `failure_classes`",
            ),
            _ => {}
        }
        if criterion.optional_until_read && (is_entry || !criterion.required) {
            report.error(
                at,
                &format!(
                    "`optional_until_read` on `{}`, which is not a required exit criterion",
                    criterion.name.value
                ),
                "remove it: it only says what a required exit criterion does while its source is not read",
            );
        }
        let owner = criterion.owner.as_ref().and_then(|owner| {
            let found = Stage::parse(&owner.value).filter(|earlier| *earlier < stage && is_entry);
            if found.is_none() {
                report.error(
                    owner.referenced,
                    &format!("`{}` is not an earlier stage, or this is not an entry criterion", owner.value),
                    "name the earlier stage that states this, or remove `owner`",
                );
            }
            found
        });
        name.map(|name| Criterion {
            name,
            check,
            description: criterion.description.value.trim().to_owned(),
            required: criterion.required,
            optional_until_read: criterion.optional_until_read,
            class: criterion.class.as_ref().map(|class| EntryClass {
                name: class.value.clone(),
                recommended_action: None,
            }),
            owner,
            place: report.place(at),
        })
    };
    let entry = raw.entry_criteria.iter().filter_map(|c| compile(c, true, report)).collect();
    let exit = raw.exit_criteria.value.iter().filter_map(|c| compile(c, false, report)).collect();
    (entry, exit)
}

/// The stage's own spelling of a name, or a finding.
pub(super) fn known_name(stage: Stage, name: &str, at: Location, report: &mut Report<'_>) -> Option<&'static str> {
    let names = evidence::names(stage);
    let known = names.iter().copied().find(|known| *known == name);
    if known.is_none() {
        report.error(
            at,
            &format!("`{stage}` observes no criterion or fact `{name}`"),
            &suggest(name, names.iter().copied()),
        );
    }
    known
}
