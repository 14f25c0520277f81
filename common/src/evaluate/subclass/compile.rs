//! From the file of sub-classes to rules that can be trusted: every fact and every pattern shows a signal that leads to its
//! rule, in spite of the rules above, and every rule one that does not.

use std::collections::BTreeSet;

use serde_yaml::{Location, Spanned};

use super::raw::{RawFacts, RawRule, RawSignal, RawSubClasses, Source};
use super::{Facts, SubClass, SubClasses, pick};
use crate::evaluate::lint::Report;
use crate::evaluate::pattern::search_for;
use crate::evidence::signals::Signal;

impl SubClasses {
    pub(in crate::evaluate) fn compile(raw: &RawSubClasses, report: &mut Report<'_>) -> Self {
        let mut set = Self::default();
        let mut names = BTreeSet::new();
        for (class, entry) in &raw.classes.0 {
            let mut rules: Vec<SubClass> = Vec::with_capacity(entry.rules.len());
            for rule in &entry.rules {
                let at = rule.name.referenced;
                if !names.insert(rule.name.value.clone()) {
                    report.error(
                        at,
                        &format!("sub-class `{}` is defined twice", rule.name.value),
                        "rename one of them",
                    );
                }
                if rules.last().is_some_and(SubClass::is_default) {
                    report.error(
                        at,
                        &format!("sub-class `{}` can never match: the one above it is the default", rule.name.value),
                        "move the rule without facts and pattern to the end",
                    );
                }
                rules.push(SubClass {
                    name: rule.name.value.clone(),
                    description: rule.description.clone(),
                    facts: rule.facts.iter().map(|facts| compile_facts(facts, report)).collect(),
                    pattern: rule.pattern.as_ref().and_then(|pattern| search_for(pattern, report)),
                    workload: rule.workload.clone(),
                    auto_fix_confidence: rule.auto_fix_confidence,
                });
            }
            let complete = rules
                .iter()
                .zip(&entry.rules)
                .all(|(rule, raw)| rule.pattern.is_some() == raw.pattern.is_some());
            if complete && !raw.without_examples {
                for (at, rule) in entry.rules.iter().enumerate() {
                    examples(at, rule, &rules, report);
                }
            }
            set.named.push((class.value.clone(), entry.source, class.referenced));
            set.classes.insert(class.value.clone(), rules);
        }
        set
    }

    /// Classes that some rubric must define, and where they are named.
    pub(in crate::evaluate) fn rubric_classes(&self) -> impl Iterator<Item = (&str, Location)> {
        self.of(Source::Rubric)
    }

    /// Classes that some pattern must define, and where they are named.
    pub(in crate::evaluate) fn pattern_classes(&self) -> impl Iterator<Item = (&str, Location)> {
        self.of(Source::Pattern)
    }

    fn of(&self, source: Source) -> impl Iterator<Item = (&str, Location)> {
        let wanted = self.named.iter().filter(move |(_, of, _)| *of == source);
        wanted.map(|(class, _, at)| (class.as_str(), *at))
    }
}

fn compile_facts(raw: &Spanned<RawFacts>, report: &mut Report<'_>) -> Facts {
    let RawFacts {
        kind,
        name,
        owner_kind,
        reason,
        exit_code,
    } = &raw.value;
    if kind.is_none() && name.is_none() && owner_kind.is_none() && reason.is_none() && exit_code.is_none() {
        report.error(
            raw.referenced,
            "these facts are true of everything",
            "give `kind`, `name`, `owner_kind`, `reason` or `exit_code`",
        );
    }
    Facts {
        kind: kind.clone(),
        name: name.as_ref().and_then(|name| search_for(name, report)),
        owner_kind: owner_kind.clone(),
        reason: reason.clone(),
        exit_code: *exit_code,
    }
}

/// Runs the examples of one rule.
fn examples(at: usize, raw: &RawRule, rules: &[SubClass], report: &mut Report<'_>) {
    let Some(rule) = rules.get(at) else { return };
    let leads_here = |example: &Spanned<RawSignal>| {
        let found = pick(rules, std::slice::from_ref(&example.value.0));
        found.is_some_and(|found| std::ptr::eq(found, rule))
    };
    // Where a class has one rule and that is the default, everything leads to it.
    let misses = rules.len() > 1 || !rule.is_default();
    for (list, field, wanted) in [(&raw.matches, "matches", true), (&raw.near_misses, "near_misses", misses)] {
        if list.is_empty() && wanted {
            report.error(
                raw.name.referenced,
                &format!("sub-class `{}` has no {field}", rule.name),
                "add a signal: a text, or `{reason: …, text: …}`",
            );
        }
    }
    for example in raw.matches.iter().filter(|example| !leads_here(example)) {
        let other = pick(rules, std::slice::from_ref(&example.value.0)).map_or("none", |it| it.name.as_str());
        report.error(
            example.referenced,
            &format!("this signal leads to sub-class `{other}`, not to `{}`", rule.name),
            "correct the rule or the signal, or move the rule",
        );
    }
    for example in raw.near_misses.iter().filter(|example| leads_here(example)) {
        report.error(
            example.referenced,
            &format!("this near miss leads to sub-class `{}`", rule.name),
            "tighten the rule, or choose another signal",
        );
    }
    let shown = |test: &dyn Fn(&Signal) -> bool| raw.matches.iter().any(|example| test(&example.value.0));
    for (facts, raw) in rule.facts.iter().zip(&raw.facts) {
        if !shown(&|signal| facts.hold(signal)) {
            report.error(raw.referenced, "no example shows these facts", "add one to `matches`");
        }
    }
    if let (Some(pattern), Some(raw)) = (&rule.pattern, &raw.pattern)
        && !shown(&|signal| pattern.is_match(signal.wording().as_bytes()))
    {
        report.error(raw.referenced, "no example shows this pattern", "add one to `matches`");
    }
}
