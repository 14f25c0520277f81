//! Mutants of the tables: which stages apply to which kind of lab, and the finer labels under the classes.

use serde_yaml::Location;

use super::rubric::{next, word};
use super::{Maker, Named, Operator, text};
use crate::evaluate::LabKind;
use crate::evaluate::kind::{Applies, RawKinds};
use crate::evaluate::lint::raw::{Ordered, RawSet};
use crate::evaluate::subclass::{Confidence, RawRule, RawSubClasses};

/// A pattern that no text matches.
const NOTHING: &str = r"[^\s\S]";

pub(super) fn kinds(maker: &mut Maker<'_>, kinds: &RawKinds) {
    for (row, (kind, cells)) in kinds.stages.0.iter().enumerate() {
        for (cell, (stage, applies)) in cells.0.iter().enumerate() {
            for now in [Applies::Always, Applies::Data, Applies::Never] {
                if now == *applies {
                    continue;
                }
                let named = Named {
                    operator: Operator::KindCell,
                    at: stage.referenced,
                    what: &format!("{}.{}={}", kind.value, stage.value, word(now)),
                    subject: format!("{} for {}", stage.value, kind.value),
                };
                maker.add(named, &word(*applies), &word(now), move |set| {
                    if let Some(file) = &mut set.kinds {
                        file.content.stages.0[row].1.0[cell].1 = now;
                    }
                });
            }
        }
    }
    names(maker, &kinds.prefixes, "prefix", |kinds| &mut kinds.prefixes);
    names(maker, &kinds.bases, "base", |kinds| &mut kinds.bases);
}

fn names(maker: &mut Maker<'_>, list: &Ordered<LabKind>, what: &str, of: fn(&mut RawKinds) -> &mut Ordered<LabKind>) {
    for (index, (name, kind)) in list.0.iter().enumerate() {
        let named = |now: &str| format!("{}={now}", name.value);
        let mut add = |now: Option<LabKind>| {
            let shown = now.map_or("", LabKind::as_str);
            let named = Named {
                operator: Operator::KindName,
                at: name.referenced,
                what: &named(shown),
                subject: format!("{what} {}", name.value),
            };
            maker.add(named, kind.as_str(), shown, move |set: &mut RawSet| {
                if let Some(file) = &mut set.kinds {
                    let list = &mut of(&mut file.content).0;
                    match now {
                        Some(now) => list[index].1 = now,
                        None => {
                            list.remove(index);
                        }
                    }
                }
            });
        };
        add(None);
        add(Some(next(&LabKind::ALL, *kind)));
    }
}

pub(super) fn sub_classes(maker: &mut Maker<'_>, sub_classes: &RawSubClasses) {
    for (entry, (class, content)) in sub_classes.classes.0.iter().enumerate() {
        for (index, rule) in content.rules.iter().enumerate() {
            let mut of_rule = OfRule { maker, entry, index, rule };
            of_rule.whole();
            of_rule.pattern();
            of_rule.facts();
            if let Some(below) = content.rules.get(index + 1) {
                of_rule.swap(&class.value, below);
            }
        }
    }
}

struct OfRule<'m, 'a, 'r> {
    maker: &'m mut Maker<'a>,
    entry: usize,
    index: usize,
    rule: &'r RawRule,
}

impl OfRule<'_, '_, '_> {
    fn add(&mut self, operator: Operator, at: Location, was: &str, now: &str, edit: impl Fn(&mut Vec<RawRule>) + Send + Sync + 'static) {
        let name = &self.rule.name.value;
        let named = Named {
            operator,
            at,
            what: name,
            subject: format!("sub-class {name}"),
        };
        let entry = self.entry;
        self.maker.add(named, was, now, move |set| {
            if let Some(file) = &mut set.sub_classes {
                edit(&mut file.content.classes.0[entry].1.rules);
            }
        });
    }

    fn whole(&mut self) {
        let (index, rule) = (self.index, self.rule);
        let at = rule.name.referenced;
        self.add(Operator::DropSubClass, at, &rule.name.value, "", move |rules| {
            rules.remove(index);
        });
        let confidence = rule.auto_fix_confidence;
        let now = next(&[Confidence::Low, Confidence::Medium, Confidence::High], confidence);
        self.add(Operator::Confidence, at, &word(confidence), &word(now), move |rules| {
            rules[index].auto_fix_confidence = now;
        });
    }

    fn pattern(&mut self) {
        let (index, rule) = (self.index, self.rule);
        let Some(pattern) = &rule.pattern else { return };
        for now in std::iter::once(NOTHING.to_owned()).chain(text::narrowed(&pattern.value)) {
            let edited = now.clone();
            self.add(Operator::SubClassPattern, pattern.referenced, &pattern.value, &now, move |rules| {
                if let Some(pattern) = &mut rules[index].pattern {
                    pattern.value.clone_from(&edited);
                }
            });
        }
    }

    fn facts(&mut self) {
        let index = self.index;
        for (item, facts) in self.rule.facts.iter().enumerate() {
            let was = format!("facts {}", item + 1);
            self.add(Operator::SubClassFact, facts.referenced, &was, "", move |rules| {
                rules[index].facts.remove(item);
            });
        }
    }

    fn swap(&mut self, class: &str, below: &RawRule) {
        let index = self.index;
        let (first, second) = (&self.rule.name.value, &below.name.value);
        let (was, now) = (format!("{class}: {first}, {second}"), format!("{class}: {second}, {first}"));
        self.add(Operator::SwapSubClasses, below.name.referenced, &was, &now, move |rules| {
            rules.swap(index, index + 1)
        });
    }
}
