//! What the cases of a rule show: that it fires, does not, cannot tell; each step of its ladders; each row of its table.

use std::collections::BTreeMap;

use crate::evaluate::lint::Place;
use crate::policy::evaluate::{Trace, Verdict};
use crate::policy::rule::{Ladder, Rule, RuleSet};

/// Something that a case should show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "its text says each; numbers are places in the file's order")]
pub enum Point {
    Fires,
    Quiet,
    Indeterminate,
    Row(usize),
    Urgency(usize),
    Confidence(usize),
    Decision(usize),
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fires => f.write_str("that it fires"),
            Self::Quiet => f.write_str("that it does not fire"),
            Self::Indeterminate => f.write_str("that it cannot tell"),
            Self::Row(at) => write!(f, "row {} of the table", at + 1),
            Self::Urgency(at) => write!(f, "urgency {}", at + 1),
            Self::Confidence(at) => write!(f, "confidence {}", at + 1),
            Self::Decision(at) => write!(f, "decision {}", at + 1),
        }
    }
}

/// What was shown of what there is to show, by rule.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    points: BTreeMap<(String, Point), (Place, bool)>,
}

impl Coverage {
    /// Everything that cases of these rules should show.
    pub(super) fn of<'a>(rules: &RuleSet, named: impl Iterator<Item = &'a str>) -> Self {
        let mut coverage = Self::default();
        for rule in named.filter_map(|id| rules.rule(id)) {
            let mut add = |point: Point, place: &Place| {
                coverage.points.insert((rule.id.clone(), point), (place.clone(), false));
            };
            for point in [Point::Fires, Point::Quiet, Point::Indeterminate] {
                add(point, &rule.place);
            }
            for (at, row) in rule.table.iter().enumerate() {
                add(Point::Row(at), &row.place);
            }
            ladder(&rule.urgency, &rule.place, |at, place| add(Point::Urgency(at), place));
            ladder(&rule.confidence, &rule.place, |at, place| add(Point::Confidence(at), place));
            ladder(&rule.decision, &rule.place, |at, place| add(Point::Decision(at), place));
        }
        coverage
    }

    pub(super) fn saw(&mut self, rule: &Rule, verdict: &Verdict, trace: &Trace) {
        let outcome = match verdict {
            Verdict::Fires(_) => Point::Fires,
            Verdict::Quiet => Point::Quiet,
            Verdict::Unknown(_) => Point::Indeterminate,
        };
        let steps = [
            Some(outcome),
            trace.row.map(Point::Row),
            trace.urgency.map(Point::Urgency),
            trace.confidence.map(Point::Confidence),
            trace.decision.map(Point::Decision),
        ];
        for point in steps.into_iter().flatten() {
            if let Some((_, seen)) = self.points.get_mut(&(rule.id.clone(), point)) {
                *seen = true;
            }
        }
    }

    /// What no case has shown: rule, what, and where it is written.
    pub fn missing(&self) -> impl Iterator<Item = (&str, &Point, &Place)> {
        let missing = self.points.iter().filter(|(_, (_, seen))| !seen);
        missing.map(|((rule, point), (place, _))| (rule.as_str(), point, place))
    }

    /// How much there is to show.
    #[must_use]
    pub fn total(&self) -> usize {
        self.points.len()
    }

    /// How much was shown.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.points.values().filter(|(_, seen)| *seen).count()
    }

    /// The share that was shown, in whole percent, rounded down.
    #[must_use]
    pub fn percent(&self) -> usize {
        (self.seen() * 100).checked_div(self.total()).unwrap_or(0)
    }
}

/// The steps of a ladder, and its last word.
fn ladder<T>(ladder: &Ladder<T>, rule: &Place, mut add: impl FnMut(usize, &Place)) {
    for (at, step) in ladder.steps.iter().enumerate() {
        add(at, &step.place);
    }
    add(ladder.steps.len(), rule);
}
