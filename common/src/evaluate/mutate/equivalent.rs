//! Mutants that provably make no difference: never what is merely unlikely.
//!
//! A changed failure class is proved by trying everything: every combination of values that the criteria and facts of the stage can
//! have, whether evidence ever shows it or not. Whatever cannot be tried through is not called equivalent.

use std::collections::BTreeMap;

use chrono::DateTime;

use super::{Mutant, Operator, Scope};
use crate::evaluate::judge::{self, Upstream};
use crate::evaluate::rubric::{Rubric, RubricSet};
use crate::evidence::document::EvidenceDocument;
use crate::evidence::{self, Observation, StageEvidence, Value};
use crate::expr::Type;
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// Most combinations that are tried.
const LIMIT: usize = 100_000;

/// Why no evidence at all could tell the mutant from the original; `None` when some might.
pub(super) fn reason(original: &RubricSet, changed: &RubricSet, mutant: &Mutant) -> Option<&'static str> {
    if mutant.operator == Operator::SwapSubClasses {
        return facts_and_words(original, mutant);
    }
    let Scope::Rubric(stage) = mutant.scope else { return None };
    match mutant.operator {
        Operator::DropOwner => owner(stage, &mutant.was),
        Operator::Flip
        | Operator::Shift
        | Operator::Drop
        | Operator::Narrow
        | Operator::Connective
        | Operator::Negate
        | Operator::SwapClasses => {
            let same = same_verdicts(original, changed, stage)?;
            same.then_some("no combination of values of the stage's criteria and facts leads to another verdict: all were tried")
        }
        _ => None,
    }
}

/// Facts are asked before any words are searched, whatever the order of the rules.
fn facts_and_words(original: &RubricSet, mutant: &Mutant) -> Option<&'static str> {
    let (_, names) = mutant.was.split_once(": ")?;
    let (first, second) = names.split_once(", ")?;
    let rules = [original.sub_classes.named(first)?, original.sub_classes.named(second)?];
    let facts = rules.iter().any(|rule| rule.pattern.is_none() && !rule.facts.is_empty());
    let words = rules.iter().any(|rule| rule.pattern.is_some() && rule.facts.is_empty());
    (facts && words).then_some("one rule asks for facts alone and the other for words alone, and facts come first whatever the order")
}

/// Entry criteria are looked at by a stage that the pipeline has not blocked already.
fn owner(stage: Stage, owner: &str) -> Option<&'static str> {
    let blocks_all = Stage::parse(owner) == Some(Stage::NamespaceReady) && stage > Stage::NamespaceReady;
    blocks_all.then_some("the pipeline blocks every later stage when namespace-ready failed, before it looks at entry criteria")
}

/// Whether both sets judge the stage alike whatever is observed; `None` when that cannot be tried through.
fn same_verdicts(original: &RubricSet, changed: &RubricSet, stage: Stage) -> Option<bool> {
    let mut domains: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
    for rubric in [original.rubric(stage), changed.rubric(stage)] {
        collect(rubric, &mut domains)?;
    }
    let domains: Vec<(&'static str, Vec<Value>)> = domains.into_iter().collect();
    let combinations = domains.iter().try_fold(1_usize, |all, (_, values)| all.checked_mul(values.len()));
    if combinations.is_none_or(|all| all > LIMIT) {
        return None;
    }
    let document = EvidenceDocument::unread(DateTime::UNIX_EPOCH);
    let mut chosen = vec![0_usize; domains.len()];
    let mut evidence = StageEvidence::default();
    for (name, values) in &domains {
        evidence.observations.insert(name, Observation::of(values.first()?.clone()));
    }
    loop {
        let verdict = |set: &RubricSet| judge::judge(set, stage, &evidence, &document, Upstream::default());
        if verdict(original) != verdict(changed) {
            return Some(false);
        }
        // The next combination, as an odometer counts.
        let mut wheel = 0;
        loop {
            let Some((name, values)) = domains.get(wheel) else {
                return Some(true);
            };
            chosen[wheel] = (chosen[wheel] + 1) % values.len();
            evidence.observations.insert(name, Observation::of(values[chosen[wheel]].clone()));
            if chosen[wheel] > 0 {
                break;
            }
            wheel += 1;
        }
    }
}

/// What each name of a rubric can be, as far as its conditions can tell values apart; `None` when they ask the evidence document, too.
fn collect(rubric: &Rubric, domains: &mut BTreeMap<&'static str, Vec<Value>>) -> Option<()> {
    let names = evidence::names(rubric.stage);
    let mut add = |name: &'static str, value: Value| {
        let values = domains.entry(name).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    };
    for criterion in rubric.entry.iter().chain(&rubric.exit) {
        let name = names.iter().copied().find(|name| *name == criterion.name)?;
        add(name, Value::Bool(true));
        add(name, Value::Bool(false));
        add(name, Value::Unknown(UnknownReason::Forbidden));
        if criterion.optional_until_read {
            add(name, Value::Unknown(UnknownReason::NotCollected));
        }
    }
    for when in rubric.classes.iter().flat_map(|class| &class.when) {
        for variable in when.expr.variables() {
            let name = names.get(*variable).copied()?;
            add(name, Value::Unknown(UnknownReason::Forbidden));
            if evidence::type_of(rubric.stage, name) == Type::Bool {
                add(name, Value::Bool(true));
                add(name, Value::Bool(false));
                continue;
            }
            for limit in when.expr.numbers() {
                for number in [limit - 1.0, limit - 0.5, limit, limit + 0.5, limit + 1.0] {
                    add(name, Value::Number(number));
                }
            }
        }
    }
    Some(())
}
