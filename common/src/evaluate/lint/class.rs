//! The failure classes of a rubric: each on its own, and whether one can be reached behind those above it.

use std::collections::BTreeMap;

use serde_yaml::Spanned;

use super::Report;
use super::expression;
use super::raw::{RawClass, RawRubric};
use crate::evaluate::rubric::{Criterion, FailureClass, When};
use crate::expr::analyse::{self, Answer};
use crate::expr::{Expr, Schema};
use crate::stage::Stage;

/// Compiles the classes of a stage in their order. `defined` are those of the stages before; these are added.
pub(super) fn compile_all(
    stage: Stage,
    raw: &RawRubric,
    (entry, exit): (&[Criterion], &[Criterion]),
    defined: &mut BTreeMap<String, Stage>,
    report: &mut Report<'_>,
) -> Vec<FailureClass> {
    let schema = expression::lenient_schema(stage, &raw.exit_criteria.value, exit);
    let mut classes: Vec<FailureClass> = Vec::new();
    for (name, class) in &raw.failure_classes.0 {
        if !name
            .value
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            report.error(
                name.referenced,
                &format!("class `{}` is not a snake-case name", name.value),
                "rename it",
            );
        }
        if let Some(other) = defined.insert(name.value.clone(), stage) {
            report.error(
                name.referenced,
                &format!("class `{}` is also defined by `{other}`", name.value),
                "a class has one meaning: rename one of the two, or name it as the `class` of an entry criterion",
            );
        }
        let compiled = compile(stage, &schema, name, class, raw, report);
        if compiled.when.is_empty() && class.when.is_empty() && !entry.iter().any(|c| leads_to(c, &name.value)) {
            report.error(
                name.referenced,
                &format!(
                    "class `{}` can never match: it has no conditions and no entry criterion names it",
                    name.value
                ),
                "add `when`, or name it as the `class` of an entry criterion",
            );
        }
        let above: Vec<String> = shadows(&classes, &compiled)
            .iter()
            .map(|class| format!("`{}`", class.name))
            .collect();
        if let [one] = above.as_slice() {
            report.error(
                name.referenced,
                &format!("class `{}` can never match: {one} above it matches whenever it would", name.value),
                "move it up, or add a condition to the class above",
            );
        } else if !above.is_empty() {
            report.error(
                name.referenced,
                &format!(
                    "class `{}` can never match: whenever it would, one of {} above it does",
                    name.value,
                    above.join(", ")
                ),
                "move it up, or add a condition to one of the classes above",
            );
        }
        classes.push(compiled);
    }
    classes
}

/// Warns of required exit criteria whose failure no class would name.
pub(super) fn unclassified(stage: Stage, exit: &[Criterion], classes: &[FailureClass], raw: &RawRubric, report: &mut Report<'_>) {
    let schema = expression::when_schema(stage, exit);
    for (criterion, raw) in exit.iter().zip(&raw.exit_criteria.value) {
        let mentioned = schema.variable(&criterion.name).is_some_and(|(index, _)| {
            let mut conditions = classes.iter().flat_map(|class| &class.when);
            conditions.any(|when| when.expr.mentions(index))
        });
        if criterion.required && !mentioned {
            report.warning(
                raw.name.referenced,
                &format!("no class mentions the required criterion `{}`", criterion.name),
                "its failures will be unclassified: add a class",
            );
        }
    }
}

fn compile(
    stage: Stage,
    schema: &Schema,
    name: &Spanned<String>,
    class: &RawClass,
    raw: &RawRubric,
    report: &mut Report<'_>,
) -> FailureClass {
    for text in [&class.title, &class.description] {
        if text.value.trim().is_empty() {
            report.error(
                text.referenced,
                "the text is empty",
                "operators read it: say what happened and what to look at",
            );
        }
    }
    if !(1..=10).contains(&class.severity.value) {
        report.error(
            class.severity.referenced,
            "severity is out of range",
            "give 1 (cosmetic) to 10 (nothing works)",
        );
    }
    if let Some(action) = &class.recommended_action {
        let in_list = |list: &[Spanned<String>]| list.iter().any(|other| other.value == action.value);
        if in_list(&raw.forbidden_remediations) || !in_list(&raw.allowed_remediations) {
            report.error(
                action.referenced,
                &format!("recommended action `{}` is not among the allowed ones", action.value),
                "add it to allowed_remediations, or recommend another",
            );
        }
    }
    let mut when: Vec<When> = Vec::new();
    for text in &class.when {
        let Some(expr) = expression::condition(schema, text, report) else {
            continue;
        };
        when.push(When {
            expr,
            place: report.place(text.referenced),
        });
    }
    if when.len() < class.when.len() {
        // What was not understood must not make the rest look too broad.
        when.clear();
    }
    if impossible(name, class, &when, report) {
        // Whatever never matches is hidden by everything: one finding is enough.
        when.clear();
    }
    FailureClass {
        name: name.value.clone(),
        stage,
        title: class.title.value.trim().to_owned(),
        description: class.description.value.trim().to_owned(),
        when,
        recommended_action: class.recommended_action.as_ref().map(|action| action.value.clone()),
        severity: class.severity.value,
        grade: class.grade,
        area: class.area,
        place: report.place(name.referenced),
    }
}

/// Tells of conditions that can never hold together; also of those that say nothing.
fn impossible(name: &Spanned<String>, class: &RawClass, when: &[When], report: &mut Report<'_>) -> bool {
    let exprs: Vec<&Expr> = when.iter().map(|when| &when.expr).collect();
    for (at, when) in exprs.iter().enumerate() {
        let Some(text) = class.when.get(at) else { break };
        if analyse::never_true(&[when]) == Answer::Yes {
            report.error(
                text.referenced,
                &format!("class `{}` can never match: `{when}` never holds", name.value),
                "correct the condition, or remove the class",
            );
            return true;
        }
        if analyse::always_true(&[when]) == Answer::Yes {
            report.error(
                text.referenced,
                &format!("`{when}` always holds: it says nothing"),
                "remove the condition, or say what sets the class apart",
            );
        }
        // The first that the conditions before it rule out.
        if analyse::never_true(exprs.get(..=at).unwrap_or_default()) == Answer::Yes {
            let alone = exprs
                .iter()
                .take(at)
                .find(|other| analyse::never_true(&[when, other]) == Answer::Yes);
            let against = alone.map_or_else(
                || "what the conditions above it say together".to_owned(),
                |other| format!("`{other}`"),
            );
            report.error(
                text.referenced,
                &format!("class `{}` can never match: `{when}` contradicts {against}", name.value),
                "remove one of the conditions",
            );
            return true;
        }
    }
    false
}

/// The classes above that take everything this one would match: one alone, or as few as it takes together.
fn shadows<'a>(earlier: &'a [FailureClass], class: &FailureClass) -> Vec<&'a FailureClass> {
    let own = conditions(class);
    let covered = |others: &[&FailureClass]| {
        let others: Vec<Vec<&Expr>> = others.iter().map(|other| conditions(other)).collect();
        analyse::covered_by(&own, &others) == Answer::Yes
    };
    let candidates: Vec<&FailureClass> = earlier.iter().filter(|earlier| !earlier.when.is_empty()).collect();
    if own.is_empty() || candidates.is_empty() {
        return Vec::new();
    }
    if let Some(alone) = candidates.iter().find(|other| covered(&[other])) {
        return vec![alone];
    }
    if !covered(&candidates) {
        return Vec::new();
    }
    let mut needed = candidates;
    let mut at = 0;
    while at < needed.len() {
        let without: Vec<&FailureClass> = needed
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != at)
            .map(|(_, class)| *class)
            .collect();
        if covered(&without) {
            needed = without;
        } else {
            at += 1;
        }
    }
    needed
}

fn conditions(class: &FailureClass) -> Vec<&Expr> {
    class.when.iter().map(|when| &when.expr).collect()
}

fn leads_to(criterion: &Criterion, class: &str) -> bool {
    criterion.class.as_ref().is_some_and(|entry| entry.name == class)
}
