//! The failure classes of a rubric: each on its own, and whether one can be reached behind those above it.

use std::collections::BTreeMap;

use serde_yaml::Spanned;

use super::Report;
use super::raw::{RawClass, RawRubric};
use super::stage::known_name;
use crate::evaluate::condition::{self, Clause, Condition, Literal};
use crate::evaluate::rubric::{Criterion, FailureClass, When};
use crate::stage::Stage;

/// Compiles the classes of a stage in their order. `defined` are those of the stages before; these are added.
pub(super) fn compile_all(
    stage: Stage,
    raw: &RawRubric,
    entry: &[Criterion],
    defined: &mut BTreeMap<String, Stage>,
    report: &mut Report<'_>,
) -> Vec<FailureClass> {
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
        let compiled = compile(stage, name, class, raw, report);
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
        let shadow = classes.iter().find(|earlier| shadows(earlier, &compiled));
        if let Some(earlier) = shadow {
            report.error(
                name.referenced,
                &format!(
                    "class `{}` can never match: `{}` above it matches whenever it would",
                    name.value, earlier.name
                ),
                "move it up, or add a condition to the class above",
            );
        }
        classes.push(compiled);
    }
    classes
}

/// Warns of required exit criteria whose failure no class would name.
pub(super) fn unclassified(exit: &[Criterion], classes: &[FailureClass], raw: &RawRubric, report: &mut Report<'_>) {
    for (criterion, raw) in exit.iter().zip(&raw.exit_criteria.value) {
        let mentioned = classes
            .iter()
            .any(|class| class.when.iter().any(|when| when.clause.mentions(criterion.name)));
        if criterion.required && !mentioned {
            report.warning(
                raw.name.referenced,
                &format!("no class mentions the required criterion `{}`", criterion.name),
                "its failures will be unclassified: add a class",
            );
        }
    }
}

fn compile(stage: Stage, name: &Spanned<String>, class: &RawClass, raw: &RawRubric, report: &mut Report<'_>) -> FailureClass {
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
        let Some(clause) = clause(stage, text, report) else {
            continue;
        };
        if let Some(condition) = clause.0.iter().find(|condition| is_no_answer(condition, raw)) {
            report.error(
                text.referenced,
                &format!("`{condition}` never holds: the criterion is true or false"),
                "compare it with true or false, or name a fact that is a number or a word",
            );
        }
        if let Some(other) = when.iter().find(|other| other.clause.contradicts(&clause)) {
            report.error(
                text.referenced,
                &format!("class `{}` can never match: `{clause}` contradicts `{}`", name.value, other.clause),
                "remove one of the conditions",
            );
        }
        when.push(When {
            clause,
            place: report.place(text.referenced),
        });
    }
    if when.len() < class.when.len() {
        // What was not understood must not make the rest look too broad.
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

fn clause(stage: Stage, text: &Spanned<String>, report: &mut Report<'_>) -> Option<Clause> {
    let at = text.referenced;
    let parsed = match condition::parse_clause(&text.value) {
        Ok(parsed) => parsed,
        Err(error) => {
            report.error(at, &error.to_string(), error.help());
            return None;
        }
    };
    let known = parsed.into_iter().map(|parsed| {
        Some(Condition {
            name: known_name(stage, parsed.name, at, report)?,
            op: parsed.op,
            literal: parsed.literal,
        })
    });
    known.collect::<Option<Vec<_>>>().map(Clause)
}

/// Whether a criterion, which is yes or no, is compared with something else.
fn is_no_answer(condition: &Condition, raw: &RawRubric) -> bool {
    let criteria = raw.entry_criteria.iter().chain(&raw.exit_criteria.value);
    !matches!(condition.literal, Literal::Bool(_)) && criteria.into_iter().any(|criterion| criterion.name.value == condition.name)
}

/// Whether `earlier` matches whenever `later` does: its conditions are a subset.
fn shadows(earlier: &FailureClass, later: &FailureClass) -> bool {
    !earlier.when.is_empty() && !later.when.is_empty() && earlier.when.iter().all(|a| later.when.iter().any(|b| a.clause.covers(&b.clause)))
}

fn leads_to(criterion: &Criterion, class: &str) -> bool {
    criterion.class.as_ref().is_some_and(|entry| entry.name == class)
}
