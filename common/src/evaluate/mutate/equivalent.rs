//! Mutants that provably make no difference. Each rule is a proof over how sets are judged, never over which values are likely.

use super::{Mutant, Operator, Scope};
use crate::evaluate::condition::{Condition, Literal, Op};
use crate::evaluate::rubric::{FailureClass, RubricSet};
use crate::stage::Stage;

/// Why no evidence at all could tell the mutant from the original; `None` when some might.
pub(super) fn reason(original: &RubricSet, mutant: &Mutant) -> Option<&'static str> {
    let Scope::Rubric(stage) = mutant.scope else { return None };
    match mutant.operator {
        Operator::SwapClasses => {
            let (first, second) = mutant.was.split_once(", ")?;
            swap(original.class(first)?, original.class(second)?)
        }
        Operator::DropOwner => owner(stage, &mutant.was),
        _ => None,
    }
}

fn swap(first: &FailureClass, second: &FailureClass) -> Option<&'static str> {
    if first.when.is_empty() || second.when.is_empty() {
        return Some("one of the classes has no conditions: only an entry criterion leads to it, whatever its place");
    }
    let exclusive = first.when.iter().any(|a| {
        second.when.iter().any(|b| match (a.clause.0.as_slice(), b.clause.0.as_slice()) {
            ([one], [other]) => one.contradicts(other) && !(may_be_partial(first, one) && may_be_partial(second, other)),
            _ => false,
        })
    });
    exclusive.then_some("the classes contradict each other, and one of them cannot match in part either while it is unknown which")
}

/// Whether the class could match in part while the name of `condition` is unknown: something else in it would have to name a failure.
fn may_be_partial(class: &FailureClass, condition: &Condition) -> bool {
    let names_a_failure = |other: &Condition| {
        let of_false = matches!(
            (other.op, &other.literal),
            (Op::Eq, Literal::Bool(false)) | (Op::Ne, Literal::Bool(true))
        );
        of_false && other.name != condition.name
    };
    class.when.iter().flat_map(|when| &when.clause.0).any(names_a_failure)
}

fn owner(stage: Stage, owner: &str) -> Option<&'static str> {
    let blocks_all = Stage::parse(owner) == Some(Stage::NamespaceReady) && stage > Stage::NamespaceReady;
    blocks_all.then_some("the pipeline blocks every later stage when namespace-ready failed, before it looks at entry criteria")
}
