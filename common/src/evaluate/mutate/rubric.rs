//! Mutants of one rubric: its criteria, its classes, its budget.

use serde_yaml::{Location, Spanned};

use super::{Maker, Named, Operator, text};
use crate::evaluate::lint::raw::{RawClass, RawCriterion, RawRubric, RawSet};
use crate::evaluate::rubric::{Area, ClassGrade};
use crate::stage::Stage;

const AREAS: [Area; 10] = [
    Area::Cluster,
    Area::Platform,
    Area::Provisioning,
    Area::Workload,
    Area::Storage,
    Area::Network,
    Area::VirtualMachine,
    Area::Showroom,
    Area::Application,
    Area::Model,
];

/// Which list of a rubric a criterion is in.
#[derive(Clone, Copy)]
enum List {
    Entry,
    Exit,
}

impl List {
    fn of(self, rubric: &mut RawRubric) -> &mut Vec<RawCriterion> {
        match self {
            Self::Entry => &mut rubric.entry_criteria,
            Self::Exit => &mut rubric.exit_criteria.value,
        }
    }
}

pub(super) fn mutants(maker: &mut Maker<'_>, stage: Stage, rubric: &RawRubric) {
    let mut maker = OfStage { maker, stage };
    if let Some(budget) = &rubric.timeout_seconds {
        maker.budget(budget);
    }
    for (index, criterion) in rubric.entry_criteria.iter().enumerate() {
        maker.criterion(List::Entry, index, criterion);
        maker.entry(index, criterion, rubric);
    }
    for (index, pair) in rubric.entry_criteria.windows(2).enumerate() {
        let [first, second] = pair else { continue };
        maker.swap_entry(index, first, second);
    }
    for (index, criterion) in rubric.exit_criteria.value.iter().enumerate() {
        maker.criterion(List::Exit, index, criterion);
    }
    for (index, (name, class)) in rubric.failure_classes.0.iter().enumerate() {
        maker.conditions(index, name, class);
        maker.class(index, name, class, rubric);
        if let Some((next, _)) = rubric.failure_classes.0.get(index + 1) {
            maker.swap_classes(index, name, next);
        }
    }
}

struct OfStage<'m, 'a> {
    maker: &'m mut Maker<'a>,
    stage: Stage,
}

impl OfStage<'_, '_> {
    fn add(&mut self, named: Named<'_>, was: &str, now: &str, edit: impl Fn(&mut RawRubric) + Send + Sync + 'static) {
        let stage = self.stage;
        self.maker.add(named, was, now, move |set: &mut RawSet| {
            if let Some(file) = set.rubrics.get_mut(&stage) {
                edit(&mut file.content);
            }
        });
    }

    fn budget(&mut self, budget: &Spanned<u32>) {
        for now in [budget.value / 2, budget.value.saturating_mul(2)] {
            let named = Named {
                operator: Operator::Budget,
                at: budget.referenced,
                what: &format!("timeout_seconds={now}"),
                subject: "settle budget".to_owned(),
            };
            self.add(named, &budget.value.to_string(), &now.to_string(), move |rubric| {
                if let Some(budget) = &mut rubric.timeout_seconds {
                    budget.value = now;
                }
            });
        }
    }

    fn criterion(&mut self, list: List, index: usize, criterion: &RawCriterion) {
        let name = &criterion.name.value;
        let named = |operator| Named {
            operator,
            at: criterion.name.referenced,
            what: name,
            subject: format!("criterion {name}"),
        };
        let required = |required| if required { "required" } else { "optional" };
        let waits = |waits| if waits { "optional until read" } else { "needed unread" };
        self.add(named(Operator::DropCriterion), name, "", move |rubric| {
            list.of(rubric).remove(index);
        });
        self.add(
            named(Operator::Require),
            required(criterion.required),
            required(!criterion.required),
            move |rubric| {
                let criterion = &mut list.of(rubric)[index];
                criterion.required = !criterion.required;
            },
        );
        let until_read = criterion.optional_until_read;
        if matches!(list, List::Exit) && criterion.required {
            self.add(named(Operator::UntilRead), waits(until_read), waits(!until_read), move |rubric| {
                list.of(rubric)[index].optional_until_read = !until_read;
            });
        }
    }

    fn entry(&mut self, index: usize, criterion: &RawCriterion, rubric: &RawRubric) {
        let name = &criterion.name.value;
        let named = |operator, at: Location| Named {
            operator,
            at,
            what: name,
            subject: format!("entry criterion {name}"),
        };
        if let Some(owner) = &criterion.owner {
            self.add(named(Operator::DropOwner, owner.referenced), &owner.value, "", move |rubric| {
                rubric.entry_criteria[index].owner = None;
            });
        }
        let mut others = rubric.failure_classes.0.iter().map(|(other, _)| &other.value);
        if let Some(class) = &criterion.class
            && let Some(other) = others.rfind(|other| **other != class.value)
        {
            let now = other.clone();
            self.add(named(Operator::EntryClass, class.referenced), &class.value, other, move |rubric| {
                if let Some(class) = &mut rubric.entry_criteria[index].class {
                    class.value.clone_from(&now);
                }
            });
        }
    }

    fn swap_entry(&mut self, index: usize, first: &RawCriterion, second: &RawCriterion) {
        let (first, name) = (&first.name.value, &second.name.value);
        let named = Named {
            operator: Operator::SwapEntry,
            at: second.name.referenced,
            what: name,
            subject: format!("entry criterion {name}"),
        };
        self.add(named, &format!("{first}, {name}"), &format!("{name}, {first}"), move |rubric| {
            rubric.entry_criteria.swap(index, index + 1);
        });
    }

    fn conditions(&mut self, index: usize, name: &Spanned<String>, class: &RawClass) {
        for (item, condition) in class.when.iter().enumerate() {
            let was = &condition.value;
            let subject = || format!("class {}", name.value);
            let named = Named {
                operator: Operator::Drop,
                at: condition.referenced,
                what: &format!("{}.{}", name.value, text::first_word(was)),
                subject: subject(),
            };
            self.add(named, was, "", move |rubric| {
                rubric.failure_classes.0[index].1.when.remove(item);
            });
            for change in text::changes(was) {
                let named = Named {
                    operator: change.operator,
                    at: condition.referenced,
                    what: &format!("{}.{}", name.value, change.about),
                    subject: subject(),
                };
                let now = change.text.clone();
                self.add(named, was, &change.text, move |rubric| {
                    rubric.failure_classes.0[index].1.when[item].value.clone_from(&now);
                });
            }
        }
    }

    fn swap_classes(&mut self, index: usize, name: &Spanned<String>, next: &Spanned<String>) {
        let (name, next_name) = (&name.value, &next.value);
        let named = Named {
            operator: Operator::SwapClasses,
            at: next.referenced,
            what: &format!("{name}+{next_name}"),
            subject: format!("classes {name} and {next_name}"),
        };
        self.add(
            named,
            &format!("{name}, {next_name}"),
            &format!("{next_name}, {name}"),
            move |rubric| {
                rubric.failure_classes.0.swap(index, index + 1);
            },
        );
    }

    fn class(&mut self, index: usize, name: &Spanned<String>, class: &RawClass, rubric: &RawRubric) {
        let named = |operator, at: Location| Named {
            operator,
            at,
            what: &name.value,
            subject: format!("class {}", name.value),
        };
        self.add(named(Operator::DropClass, name.referenced), &name.value, "", move |rubric| {
            rubric.failure_classes.0.remove(index);
        });
        let severity = class.severity.value;
        let other = if severity >= 10 { severity - 1 } else { severity + 1 };
        self.add(
            named(Operator::Severity, class.severity.referenced),
            &severity.to_string(),
            &other.to_string(),
            move |rubric| rubric.failure_classes.0[index].1.severity.value = other,
        );
        let grade = match class.grade {
            ClassGrade::Failure => ClassGrade::Warning,
            ClassGrade::Warning => ClassGrade::Informational,
            ClassGrade::Informational => ClassGrade::Failure,
        };
        self.add(
            named(Operator::Grade, name.referenced),
            &word(class.grade),
            &word(grade),
            move |rubric| {
                rubric.failure_classes.0[index].1.grade = grade;
            },
        );
        let area = next(&AREAS, class.area);
        self.add(
            named(Operator::Area, name.referenced),
            &word(class.area),
            &word(area),
            move |rubric| {
                rubric.failure_classes.0[index].1.area = area;
            },
        );
        let allowed: Vec<&String> = rubric.allowed_remediations.iter().map(|action| &action.value).collect();
        if let Some(action) = &class.recommended_action {
            // Another action, or none where there is no other.
            let other = Some(next(&allowed, &action.value)).filter(|other| **other != action.value).cloned();
            let shown = other.clone().unwrap_or_default();
            self.add(named(Operator::Action, action.referenced), &action.value, &shown, move |rubric| {
                let action = &mut rubric.failure_classes.0[index].1.recommended_action;
                match (action.as_mut(), &other) {
                    (Some(action), Some(other)) => action.value.clone_from(other),
                    _ => *action = None,
                }
            });
        }
    }
}

/// The one after this in a list that begins again at its end.
pub(super) fn next<T: Copy + PartialEq>(all: &[T], this: T) -> T {
    let at = all.iter().position(|other| *other == this).unwrap_or_default();
    all.get(at + 1).or(all.first()).copied().unwrap_or(this)
}

/// The stable word of a value, as it is written in files.
pub(super) fn word<T: serde::Serialize + std::fmt::Debug>(value: T) -> String {
    match serde_json::to_value(&value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => format!("{value:?}"),
    }
}
