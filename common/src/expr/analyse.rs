//! Exact answers about conditions, for whoever checks rules before they are used.
//!
//! Every comparison of something with literals (`cpu_percent >= 80`, `phase in ["Lost", "Pending"]`) reads a term, and every term
//! takes a few values that stand for all others: each literal, a value between any two, one beyond either end, and unknown. What is neither
//! a comparison nor logic (`pods.all(p, p.ready)`) is a term that is true, false or unknown. Terms are taken to be independent, which they may
//! not be: so a yes is a proof, and a no says only that logic does not forbid it.
//!
//! The search gives up after a number of steps and says so; it never guesses.

use std::collections::BTreeMap;

use super::Expr;
use super::ir::{Node, Op};

/// What the analysis found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Proven.
    Yes,
    /// There is a way that it is otherwise.
    No,
    /// Too many possibilities to tell.
    Undecided,
}

/// Possibilities that are looked at before the search gives up: well below a second. Rubrics of a stage need a few hundred.
const MAX_STEPS: u32 = 50_000;

/// Whether the conditions can never all be true.
#[must_use]
pub fn never_true(conditions: &[&Expr]) -> Answer {
    let mut terms = Terms::default();
    let claim = Claim {
        true_all: terms.read_all(conditions),
        ..Claim::default()
    };
    terms.search(claim).negated()
}

/// Whether the conditions are all true as soon as everything they read is known: they say nothing.
#[must_use]
pub fn always_true(conditions: &[&Expr]) -> Answer {
    let mut terms = Terms::default();
    let claim = Claim {
        false_some: Some(terms.read_all(conditions)),
        ..Claim::default()
    };
    terms.search(claim).negated()
}

/// Whether, whenever the conditions are all true, all conditions of at least one of `others` are true, too: what comes after these others
/// is never reached. It may take several of them together.
#[must_use]
pub fn covered_by(conditions: &[&Expr], others: &[Vec<&Expr>]) -> Answer {
    let mut terms = Terms::default();
    let claim = Claim {
        true_all: terms.read_all(conditions),
        true_none: others.iter().map(|other| terms.read_all(other)).collect(),
        ..Claim::default()
    };
    terms.search(claim).negated()
}

impl Answer {
    const fn negated(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Undecided => Self::Undecided,
        }
    }
}

/// What the search looks for: values with which all of this holds.
#[derive(Default)]
struct Claim {
    /// Every one is true.
    true_all: Vec<Formula>,
    /// Of each of these groups at least one is not true.
    true_none: Vec<Vec<Formula>>,
    /// At least one is false.
    false_some: Option<Vec<Formula>>,
}

/// Logic over terms.
enum Formula {
    Constant(bool),
    /// The term is true.
    Holds(usize),
    Compare(usize, Op, Point),
    OneOf(usize, Vec<Point>),
    Not(Box<Formula>),
    And(Box<Formula>, Box<Formula>),
    Or(Box<Formula>, Box<Formula>),
    If(Box<[Formula; 3]>),
}

/// A value that stands for others like it.
#[derive(Debug, Clone, PartialEq)]
enum Point {
    Unknown,
    Bool(bool),
    Number(f64),
    /// `None` is a text that nobody mentions.
    Text(Option<String>),
}

/// What may come out of a formula while some terms are open: any of true, false, unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outcomes(u8);

impl Outcomes {
    const TRUE: Self = Self(1);
    const FALSE: Self = Self(2);
    const UNKNOWN: Self = Self(4);
    const ANY: Self = Self(7);
    const NONE: Self = Self(0);

    const fn of(value: bool) -> Self {
        if value { Self::TRUE } else { Self::FALSE }
    }

    const fn may(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn negated(self) -> Self {
        Self((self.0 & 4) | ((self.0 & 1) << 1) | ((self.0 & 2) >> 1))
    }

    fn each(self) -> impl Iterator<Item = Self> {
        [Self::TRUE, Self::FALSE, Self::UNKNOWN]
            .into_iter()
            .filter(move |one| self.may(*one))
    }

    fn and(self, other: Self) -> Self {
        let pairs = self.each().flat_map(|a| other.each().map(move |b| (a, b)));
        pairs.fold(Self::NONE, |all, (a, b)| {
            all.with(match (a, b) {
                (Self::FALSE, _) | (_, Self::FALSE) => Self::FALSE,
                (Self::TRUE, Self::TRUE) => Self::TRUE,
                _ => Self::UNKNOWN,
            })
        })
    }

    fn or(self, other: Self) -> Self {
        self.negated().and(other.negated()).negated()
    }
}

/// The terms of some formulas, by how they are written, and the points they take.
#[derive(Default)]
struct Terms {
    by_text: BTreeMap<String, usize>,
    points: Vec<Vec<Point>>,
}

impl Terms {
    fn read_all(&mut self, conditions: &[&Expr]) -> Vec<Formula> {
        conditions.iter().map(|condition| self.read(&condition.root)).collect()
    }

    fn read(&mut self, node: &Node) -> Formula {
        match node {
            Node::Bool(value) => Formula::Constant(*value),
            Node::Not(of) => Formula::Not(Box::new(self.read(of))),
            Node::And(left, right) => Formula::And(Box::new(self.read(left)), Box::new(self.read(right))),
            Node::Or(left, right) => Formula::Or(Box::new(self.read(left)), Box::new(self.read(right))),
            Node::If(parts) => {
                let [condition, yes, no] = &**parts;
                Formula::If(Box::new([self.read(condition), self.read(yes), self.read(no)]))
            }
            Node::Compare { op, left, right } => match (literal(left), literal(right)) {
                (None, Some(literal)) => self.comparison(left, *op, literal),
                (Some(literal), None) => self.comparison(right, op.mirrored(), literal),
                _ => self.opaque(node),
            },
            Node::In { value, of } => {
                let Node::List(items) = &**of else { return self.opaque(node) };
                let literals: Option<Vec<Point>> = items.iter().map(literal).collect();
                match literals {
                    Some(literals) if literal(value).is_none() => {
                        let term = self.term(value);
                        literals.iter().for_each(|literal| self.mention(term, literal));
                        Formula::OneOf(term, literals)
                    }
                    _ => self.opaque(node),
                }
            }
            _ => self.opaque(node),
        }
    }

    fn comparison(&mut self, node: &Node, op: Op, literal: Point) -> Formula {
        if let (Point::Bool(value), Op::Eq | Op::Ne) = (&literal, op) {
            let holds = self.read(node);
            return if *value == (op == Op::Eq) {
                holds
            } else {
                Formula::Not(Box::new(holds))
            };
        }
        let term = self.term(node);
        self.mention(term, &literal);
        Formula::Compare(term, op, literal)
    }

    fn opaque(&mut self, node: &Node) -> Formula {
        let term = self.term(node);
        self.mention(term, &Point::Bool(true));
        self.mention(term, &Point::Bool(false));
        Formula::Holds(term)
    }

    fn term(&mut self, node: &Node) -> usize {
        let next = self.points.len();
        let term = *self.by_text.entry(node.to_string()).or_insert(next);
        if term == next {
            // Unknown first: it keeps other conditions from being true soonest.
            self.points.push(vec![Point::Unknown]);
        }
        term
    }

    fn mention(&mut self, term: usize, literal: &Point) {
        if let Some(points) = self.points.get_mut(term)
            && !points.contains(literal)
        {
            points.push(literal.clone());
        }
    }

    /// The points of a term: those mentioned, and one for each gap between them.
    fn fill_gaps(points: &mut Vec<Point>) {
        let mut numbers: Vec<f64> = points
            .iter()
            .filter_map(|point| if let Point::Number(number) = point { Some(*number) } else { None })
            .collect();
        numbers.sort_by(f64::total_cmp);
        let neighbours = numbers.iter().flat_map(|number| [number.next_down(), number.next_up()]);
        for number in neighbours.filter(|number| number.is_finite()) {
            if !points.contains(&Point::Number(number)) {
                points.push(Point::Number(number));
            }
        }
        if points.iter().any(|point| matches!(point, Point::Text(_))) {
            points.push(Point::Text(None));
        }
    }

    /// Whether there are values with which the claim holds.
    fn search(mut self, claim: Claim) -> Answer {
        self.points.iter_mut().for_each(Self::fill_gaps);
        let mut search = Search {
            values: vec![None; self.points.len()],
            points: self.points,
            claim,
            steps: 0,
        };
        search.run(0)
    }
}

/// A literal as a point. Whole numbers beyond those that a double tells apart are none.
fn literal(node: &Node) -> Option<Point> {
    const EXACT: i64 = 1 << 53;
    match node {
        Node::Bool(value) => Some(Point::Bool(*value)),
        #[expect(clippy::cast_precision_loss, reason = "the range is checked")]
        Node::Int(value) if (-EXACT..=EXACT).contains(value) => Some(Point::Number(*value as f64)),
        // Minus zero is zero.
        Node::Double(value) => Some(Point::Number(*value + 0.0)),
        Node::Text(text) => Some(Point::Text(Some(text.clone()))),
        _ => None,
    }
}

struct Search {
    points: Vec<Vec<Point>>,
    /// The point that each term has, as far as the search has come.
    values: Vec<Option<Point>>,
    claim: Claim,
    steps: u32,
}

impl Search {
    /// Tries every value of the terms from `term` on, as long as it can still become what is looked for.
    fn run(&mut self, term: usize) -> Answer {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Answer::Undecided;
        }
        match self.claim_holds() {
            Some(true) => return Answer::Yes,
            Some(false) => return Answer::No,
            None => {}
        }
        let Some(points) = self.points.get(term) else { return Answer::No };
        for at in 0..points.len() {
            let point = self.points.get(term).and_then(|points| points.get(at)).cloned();
            if let Some(value) = self.values.get_mut(term) {
                *value = point;
            }
            let answer = self.run(term + 1);
            if answer != Answer::No {
                return answer;
            }
        }
        if let Some(value) = self.values.get_mut(term) {
            *value = None;
        }
        Answer::No
    }

    /// Whether the claim holds whatever the open terms are, cannot hold, or neither.
    fn claim_holds(&self) -> Option<bool> {
        let mut certain = true;
        for formula in &self.claim.true_all {
            let outcomes = self.outcomes(formula);
            if !outcomes.may(Outcomes::TRUE) {
                return Some(false);
            }
            certain &= outcomes == Outcomes::TRUE;
        }
        for group in &self.claim.true_none {
            let mut never = false;
            let mut always = true;
            for formula in group {
                let outcomes = self.outcomes(formula);
                never |= !outcomes.may(Outcomes::TRUE);
                always &= outcomes == Outcomes::TRUE;
            }
            if always {
                return Some(false);
            }
            certain &= never;
        }
        if let Some(group) = &self.claim.false_some {
            let outcomes: Vec<Outcomes> = group.iter().map(|formula| self.outcomes(formula)).collect();
            if !outcomes.iter().any(|outcomes| outcomes.may(Outcomes::FALSE)) {
                return Some(false);
            }
            certain &= outcomes.contains(&Outcomes::FALSE);
        }
        certain.then_some(true)
    }

    fn outcomes(&self, formula: &Formula) -> Outcomes {
        match formula {
            Formula::Constant(value) => Outcomes::of(*value),
            Formula::Holds(term) => self.test(*term, |point| *point == Point::Bool(true)),
            Formula::Compare(term, op, literal) => self.test(*term, |point| accepts(*op, point, literal)),
            Formula::OneOf(term, literals) => self.test(*term, |point| literals.contains(point)),
            Formula::Not(of) => self.outcomes(of).negated(),
            Formula::And(left, right) => self.outcomes(left).and(self.outcomes(right)),
            Formula::Or(left, right) => self.outcomes(left).or(self.outcomes(right)),
            Formula::If(parts) => {
                let [condition, yes, no] = &**parts;
                self.outcomes(condition).each().fold(Outcomes::NONE, |all, condition| {
                    all.with(match condition {
                        Outcomes::TRUE => self.outcomes(yes),
                        Outcomes::FALSE => self.outcomes(no),
                        _ => Outcomes::UNKNOWN,
                    })
                })
            }
        }
    }

    fn test(&self, term: usize, test: impl Fn(&Point) -> bool) -> Outcomes {
        match self.values.get(term) {
            Some(Some(Point::Unknown)) => Outcomes::UNKNOWN,
            Some(Some(point)) => Outcomes::of(test(point)),
            _ => Outcomes::ANY,
        }
    }
}

fn accepts(op: Op, point: &Point, literal: &Point) -> bool {
    match (point, literal) {
        (Point::Number(a), Point::Number(b)) => a.partial_cmp(b).is_some_and(|order| op.accepts(order)),
        (a, b) => op.accepts(if a == b {
            std::cmp::Ordering::Equal
        } else {
            std::cmp::Ordering::Less
        }),
    }
}

#[cfg(test)]
mod tests;
