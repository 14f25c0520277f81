//! What of the rubrics cases have shown: each criterion true, false and unknown, each class found by all its conditions, each
//! sub-class, each kind of lab. Only what a case expects and what came out as expected counts.

use std::collections::BTreeMap;

use super::super::lint::Place;
use super::super::rubric::RubricSet;
use super::super::{ClassMatch, FleetVerdict, LabKind, Outcome, Reason, Verdict};
use super::Situation;
use crate::stage::Stage;

/// One thing that cases can show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// A stage came out like that.
    Outcome {
        /// Which.
        stage: Stage,
        /// How.
        outcome: Outcome,
    },
    /// A criterion had a value.
    Criterion {
        /// Of this stage.
        stage: Stage,
        /// Its name.
        name: String,
        /// What it was.
        value: Seen,
    },
    /// A class was found by all its conditions, or by its entry criterion.
    Class {
        /// Of this stage.
        stage: Stage,
        /// Its name.
        name: String,
    },
    /// A sub-class was found.
    SubClass {
        /// Under this class.
        class: String,
        /// Its name.
        name: String,
    },
    /// A lab was of that kind.
    Kind(LabKind),
}

/// What a criterion was seen to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// It held.
    True,
    /// It did not.
    False,
    /// Nobody could tell.
    Unknown,
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Outcome { stage, outcome } => write!(f, "{stage}: never comes out as {outcome}"),
            Self::Criterion { stage, name, value } => {
                let value = match value {
                    Seen::True => "true",
                    Seen::False => "false",
                    Seen::Unknown => "unknown",
                };
                write!(f, "{stage}: criterion {name} is never {value}")
            }
            Self::Class { stage, name } => write!(f, "{stage}: class {name} is never found"),
            Self::SubClass { class, name } => write!(f, "{class}: sub-class {name} is never found"),
            Self::Kind(kind) => write!(f, "no lab is of kind {kind}"),
        }
    }
}

/// Everything that cases can show of a rubric set, and what they have.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    points: BTreeMap<Point, Covered>,
}

#[derive(Debug, Clone, Default)]
struct Covered {
    place: Option<Place>,
    seen: bool,
}

impl Coverage {
    /// Nothing shown yet.
    #[must_use]
    pub fn new(rubrics: &RubricSet) -> Self {
        let mut points = BTreeMap::new();
        let mut add = |point: Point, place: Option<Place>| drop(points.insert(point, Covered { place, seen: false }));
        let of_labs = rubrics.labs.iter().map(|lab| &lab.rubric);
        for rubric in rubrics.rubrics().iter().chain(of_labs) {
            let stage = rubric.stage;
            for outcome in [Outcome::Pass, Outcome::Fail, Outcome::Indeterminate] {
                add(Point::Outcome { stage, outcome }, None);
            }
            for criterion in rubric.entry.iter().chain(&rubric.exit) {
                for value in [Seen::True, Seen::False, Seen::Unknown] {
                    let name = criterion.name.to_string();
                    add(Point::Criterion { stage, name, value }, Some(criterion.place.clone()));
                }
            }
            for class in &rubric.classes {
                let name = class.name.clone();
                add(Point::Class { stage, name }, Some(class.place.clone()));
            }
        }
        for (class, sub_classes) in rubrics.sub_classes.iter().filter(|(class, _)| rubrics.class(class).is_some()) {
            for sub_class in sub_classes {
                let (class, name) = (class.to_owned(), sub_class.name.clone());
                add(Point::SubClass { class, name }, None);
            }
        }
        LabKind::ALL.into_iter().for_each(|kind| add(Point::Kind(kind), None));
        Self { points }
    }

    /// Takes in a situation that came out as expected.
    pub(super) fn see(&mut self, situation: &Situation, fleet: &FleetVerdict, rubrics: &RubricSet) {
        let expects = |stage: Stage| situation.expect.stages.iter().any(|expected| expected.stage == stage);
        let instance = fleet.instances.first().map(|(_, instance)| instance);
        let stages = instance.iter().flat_map(|instance| &instance.stages);
        for verdict in fleet.clusters.values().chain(stages).filter(|verdict| expects(verdict.stage)) {
            self.verdict(verdict, rubrics);
        }
        if let Some(instance) = instance.filter(|_| situation.expect.kind.is_some()) {
            self.mark(Point::Kind(instance.kind));
        }
    }

    fn verdict(&mut self, verdict: &Verdict, rubrics: &RubricSet) {
        let (stage, outcome) = (verdict.stage, verdict.outcome);
        self.mark(Point::Outcome { stage, outcome });
        for criterion in &verdict.criteria {
            let value = match criterion.value.as_bool() {
                Some(true) => Seen::True,
                Some(false) => Seen::False,
                None => Seen::Unknown,
            };
            let name = criterion.name.to_string();
            self.mark(Point::Criterion { stage, name, value });
        }
        // When the stage behind an entry criterion fails, that criterion is false and its stage blocked.
        for entry in &rubrics.rubric(stage).entry {
            if entry.owner.is_some_and(|owner| verdict.reason == Some(Reason::BlockedBy(owner))) {
                let (name, value) = (entry.name.to_string(), Seen::False);
                self.mark(Point::Criterion { stage, name, value });
            }
        }
        let Some(class) = verdict
            .failure_class
            .as_ref()
            .filter(|_| verdict.class_match == Some(ClassMatch::Strict))
        else {
            return;
        };
        // An entry criterion may lead to a class that an earlier stage defines.
        if let Some(found) = rubrics.class(class) {
            let name = class.clone();
            self.mark(Point::Class { stage: found.stage, name });
        }
        if let Some(sub_class) = &verdict.sub_class {
            let (class, name) = (class.clone(), sub_class.clone());
            self.mark(Point::SubClass { class, name });
        }
    }

    fn mark(&mut self, point: Point) {
        if let Some(covered) = self.points.get_mut(&point) {
            covered.seen = true;
        }
    }

    /// How many things cases can show.
    #[must_use]
    pub fn total(&self) -> usize {
        self.points.len()
    }

    /// How many of them they have.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.points.values().filter(|covered| covered.seen).count()
    }

    /// The share that was seen, in percent, rounded down: 100 means everything.
    #[must_use]
    pub fn percent(&self) -> usize {
        self.seen() * 100 / self.total().max(1)
    }

    /// What no case has shown, and where it is written.
    pub fn missing(&self) -> impl Iterator<Item = (&Point, Option<&Place>)> {
        let missing = self.points.iter().filter(|(_, covered)| !covered.seen);
        missing.map(|(point, covered)| (point, covered.place.as_ref()))
    }

    /// Keeps only what is about these stages.
    pub fn only(&mut self, rubrics: &RubricSet, stages: &[Stage]) {
        self.points.retain(|point, _| match point {
            Point::Outcome { stage, .. } | Point::Criterion { stage, .. } | Point::Class { stage, .. } => stages.contains(stage),
            Point::SubClass { class, .. } => rubrics.class(class).is_some_and(|class| stages.contains(&class.stage)),
            Point::Kind(_) => false,
        });
    }
}
