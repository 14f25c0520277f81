//! Expressions of rubrics: what they may mention, and where in the file something in them is wrong.

use std::borrow::Cow;

use serde_yaml::Spanned;

use super::Report;
use super::raw::RawCriterion;
use crate::evaluate::rubric::{Check, Criterion};
use crate::evidence::{self, document};
use crate::expr::{self, Expr, ExprError, Schema, Type, Variable};
use crate::stage::Stage;

/// What the conditions of a rubric's classes may mention, in this order: what its stage observes, the evidence document, and the
/// criteria that the rubric itself declares as expressions.
#[must_use]
pub fn when_schema(stage: Stage, exit: &[Criterion]) -> Schema {
    let observed = evidence::names(stage)
        .iter()
        .map(|name| Variable::fixed(name, evidence::type_of(stage, name), ""));
    let own = exit.iter().filter(|criterion| criterion.check.is_some()).map(|criterion| Variable {
        name: criterion.name.clone(),
        ty: Type::Bool,
        doc: Cow::Owned(criterion.description.clone()),
    });
    observed.chain(documented(stage).iter().cloned()).chain(own).collect()
}

/// The same with the criteria whose expression was not understood: one mistake is one error.
pub(super) fn lenient_schema(stage: Stage, raw: &[RawCriterion], exit: &[Criterion]) -> Schema {
    let mut schema = when_schema(stage, exit);
    for criterion in raw.iter().filter(|criterion| criterion.expr.is_some()) {
        if schema.variable(&criterion.name.value).is_none() {
            schema.variables.push(Variable {
                name: Cow::Owned(criterion.name.value.clone()),
                ty: Type::Bool,
                doc: Cow::Borrowed(""),
            });
        }
    }
    schema
}

/// The evidence document, as far as the stage has one.
pub(in crate::evaluate) fn documented(stage: Stage) -> &'static [Variable] {
    if stage == Stage::ClusterHealth {
        document::cluster_variables()
    } else {
        document::variables()
    }
}

/// Compiles a condition, or says where in it something is wrong.
pub(crate) fn condition(schema: &Schema, text: &Spanned<String>, report: &mut Report<'_>) -> Option<Expr> {
    told(expr::compile(schema, &text.value), text, report)
}

fn told(compiled: Result<Expr, Vec<ExprError>>, text: &Spanned<String>, report: &mut Report<'_>) -> Option<Expr> {
    compiled
        .inspect_err(|errors| {
            for error in errors {
                report.error_inside(place(text, error.offset), &error.message, &error.help);
            }
        })
        .ok()
}

/// Line and column in the file of an offset in a text of it.
pub(crate) fn place(text: &Spanned<String>, offset: usize) -> (u64, u64) {
    let (line, column) = expr::position(&text.value, offset);
    let (line, column) = (u64::try_from(line).unwrap_or(1), u64::try_from(column).unwrap_or(1));
    let at = text.referenced;
    if text.value.trim_end().contains('\n') {
        // A block: its lines are those of the file, as far to the right as its first.
        return (at.line() + line - 1, at.column() + column - 1);
    }
    let written = at.span().len();
    let quoted = written == u64::try_from(text.value.chars().count() + 2).unwrap_or(0);
    (at.line(), at.column() + column - 1 + u64::from(quoted))
}

/// The expression of a criterion, when it has one that can be understood.
pub(super) fn check(stage: Stage, criterion: &RawCriterion, is_entry: bool, report: &mut Report<'_>) -> Option<Check> {
    let Some(text) = &criterion.expr else {
        let stray = criterion.members.as_ref().map(|members| ("members", members.referenced));
        let stray = stray.or_else(|| {
            criterion
                .settle_seconds
                .as_ref()
                .map(|settle| ("settle_seconds", settle.referenced))
        });
        if let Some((field, at)) = stray {
            report.error(
                at,
                &format!("`{field}` without `expr`"),
                "add `expr`, or remove it: it says more about an expression",
            );
        }
        return None;
    };
    if is_entry {
        report.error(
            text.referenced,
            "an entry criterion with an expression",
            "make it an exit criterion: entry criteria restate what earlier stages know",
        );
        return None;
    }
    let schema: Schema = documented(stage).iter().cloned().collect();
    let condition = condition(&schema, text, report);
    if let Some(settle) = criterion.settle_seconds.as_ref().filter(|settle| settle.value == 0) {
        report.error(settle.referenced, "settle_seconds is 0", "give a positive number, or leave it out");
    }
    let members = criterion
        .members
        .as_ref()
        .map(|members| told(expr::compile_records(&schema, &members.value), members, report));
    let members = match members {
        Some(None) => return None,
        Some(members) => members,
        None => None,
    };
    Some(Check {
        expr: condition?,
        members,
        settle_seconds: criterion.settle_seconds.as_ref().map(|settle| settle.value),
    })
}

/// The name of a criterion with an expression: its own, and nobody else's.
pub(super) fn own_name(stage: Stage, name: &Spanned<String>, report: &mut Report<'_>) -> Option<Cow<'static, str>> {
    let snake_case = name
        .value
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !snake_case || !name.value.starts_with(|c: char| c.is_ascii_lowercase()) {
        report.error(
            name.referenced,
            &format!("criterion `{}` is not a snake-case name", name.value),
            "rename it",
        );
        return None;
    }
    let taken = if evidence::names(stage).contains(&name.value.as_str()) {
        Some("what the stage observes itself")
    } else {
        documented(stage)
            .iter()
            .any(|variable| variable.name == name.value)
            .then_some("a part of the evidence document")
    };
    if let Some(what) = taken {
        report.error(
            name.referenced,
            &format!("`{}` is already {what}", name.value),
            "give the criterion another name, or remove `expr`",
        );
        return None;
    }
    Some(Cow::Owned(name.value.clone()))
}
