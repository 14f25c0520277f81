//! Kleene's logic over the typed tree.
//!
//! `false && unknown` is false, `true || unknown` is true; everything else that touches an unknown is unknown, for the reason of
//! the first. A loop decides as early as one item decides it, and a list of which a part is missing decides only what its known
//! part decides. Nothing is copied or allocated but the lists that `filter`, `map` and list literals make, and texts that
//! `lowerAscii` has to change.

mod culprit;
mod operation;

use std::borrow::Cow;

use chrono::{DateTime, Utc};

pub(super) use self::culprit::{culprits, names_culprits};
use super::MAX_LOOPS;
use super::ir::{Loop, Node, TextTest};
use super::value::{Document, Entries, List, Truth, Value};
use crate::unknown::UnknownReason;

/// Steps that evaluations may still take. One operation is a step; texts count by their length.
#[derive(Debug, Clone, Copy)]
pub struct Fuel(u32);

impl Default for Fuel {
    /// What one evaluation may take: 2,000 pods with 40 operations each; about two milliseconds.
    fn default() -> Self {
        Self(100_000)
    }
}

impl Fuel {
    /// That many steps.
    #[must_use]
    pub const fn steps(steps: u32) -> Self {
        Self(steps)
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_spent(self) -> bool {
        self.0 == 0
    }

    /// Takes steps; whether there were that many. What is left after a no is nothing.
    const fn burn(&mut self, steps: u32) -> bool {
        let enough = self.0 >= steps;
        self.0 = self.0.saturating_sub(steps);
        enough
    }
}

pub(super) fn truth(root: &Node, document: &dyn Document, fuel: &mut Fuel) -> Truth {
    Evaluation::new(document, fuel).truth(root)
}

/// Whether it holds by an alternative that mentions one of the variables.
pub(super) fn holds_by(node: &Node, document: &dyn Document, fuel: &mut Fuel, of: &dyn Fn(usize) -> bool) -> bool {
    if let Node::Or(left, right) = node {
        return holds_by(left, document, fuel, of) || holds_by(right, document, fuel, of);
    }
    let mut mentions = false;
    node.visit(&mut |part| mentions |= matches!(part, Node::Variable { index, .. } if of(*index)));
    mentions && truth(node, document, fuel) == Ok(true)
}

pub(super) fn value<'v>(root: &'v Node, document: &'v dyn Document, fuel: &mut Fuel) -> Value<'v> {
    Evaluation::new(document, fuel).value(root)
}

struct Evaluation<'v, 'f> {
    document: &'v dyn Document,
    now: DateTime<Utc>,
    /// Items that the loops around are at, by slot.
    locals: [Value<'v>; MAX_LOOPS],
    fuel: &'f mut Fuel,
}

/// What is there, or the reason why not, from the place where it stands.
macro_rules! known {
    ($value:expr) => {
        match $value {
            Value::Unknown(reason) => return Value::Unknown(reason),
            known => known,
        }
    };
}

impl<'v, 'f> Evaluation<'v, 'f> {
    fn new(document: &'v dyn Document, fuel: &'f mut Fuel) -> Self {
        Self {
            document,
            now: document.now(),
            locals: [const { Value::ABSENT }; MAX_LOOPS],
            fuel,
        }
    }

    /// A part that is true or false.
    fn truth(&mut self, node: &'v Node) -> Truth {
        match node {
            Node::Bool(value) => Ok(*value),
            Node::Not(of) => self.truth(of).map(|value| !value),
            Node::And(left, right) => self.both(left, right, false),
            Node::Or(left, right) => self.both(left, right, true),
            Node::Loop {
                kind: kind @ (Loop::All | Loop::Exists | Loop::ExistsOne),
                range,
                slot,
                body,
                ..
            } => self.quantified(*kind, range, *slot, body),
            Node::Compare { op, left, right } => {
                self.step(1)?;
                let left = self.value(left);
                let right = self.value(right);
                operation::compare(*op, &left, &right)
            }
            _ => match self.value(node) {
                Value::Bool(value) => Ok(value),
                Value::Unknown(reason) => Err(reason),
                // Ruled out when the expression was checked, unless a document breaks its own schema.
                _ => Err(UnknownReason::ParseError),
            },
        }
    }

    fn step(&mut self, steps: u32) -> Result<(), UnknownReason> {
        if self.fuel.burn(steps) {
            Ok(())
        } else {
            Err(UnknownReason::TooCostly)
        }
    }

    /// `&&` and `||`: `decisive` on either side decides, whatever is unknown on the other.
    fn both(&mut self, left: &'v Node, right: &'v Node, decisive: bool) -> Truth {
        let left = self.truth(left);
        if left == Ok(decisive) {
            return left;
        }
        let right = self.truth(right);
        if right == Ok(decisive) { right } else { left.and(right) }
    }

    fn quantified(&mut self, kind: Loop, range: &'v Node, slot: usize, body: &'v Node) -> Truth {
        let list = self.list(range)?;
        let mut unknown = None;
        let mut holding = 0_usize;
        for index in 0..list.known() {
            self.enter(slot, list.get(index));
            match (self.truth(body), kind) {
                (Ok(true), Loop::Exists) => return Ok(true),
                (Ok(false), Loop::All) => return Ok(false),
                (Ok(true), Loop::ExistsOne) => {
                    holding += 1;
                    if holding > 1 {
                        return Ok(false);
                    }
                }
                (Ok(_), _) => {}
                (Err(reason), _) => {
                    unknown.get_or_insert(reason);
                    if self.fuel.is_spent() {
                        break;
                    }
                }
            }
        }
        match (unknown.or(list.missing), kind) {
            (Some(reason), _) => Err(reason),
            (None, Loop::All) => Ok(true),
            (None, Loop::ExistsOne) => Ok(holding == 1),
            (None, _) => Ok(false),
        }
    }

    fn enter(&mut self, slot: usize, item: Option<Value<'v>>) {
        if let Some(local) = self.locals.get_mut(slot) {
            *local = item.unwrap_or(Value::ABSENT);
        }
    }

    fn list(&mut self, node: &'v Node) -> Result<List<'v>, UnknownReason> {
        match self.value(node) {
            Value::List(list) => Ok(list),
            Value::Unknown(reason) => Err(reason),
            _ => Err(UnknownReason::ParseError),
        }
    }

    fn value(&mut self, node: &'v Node) -> Value<'v> {
        if let Err(reason) = self.step(1) {
            return Value::Unknown(reason);
        }
        match node {
            Node::Bool(value) => Value::Bool(*value),
            Node::Int(value) => Value::Int(*value),
            Node::Double(value) => Value::Double(*value),
            Node::Text(text) => Value::text(text),
            Node::List(items) => {
                let items: Vec<Value<'v>> = items.iter().map(|item| self.value(item)).collect();
                Value::List(List::made(items, None))
            }
            Node::Variable { index, .. } => self.document.variable(*index),
            Node::Local { slot, .. } => self.locals.get(*slot).cloned().unwrap_or(Value::ABSENT),
            Node::Field { of, index, .. } => match known!(self.value(of)) {
                Value::Record(object) => object.field(*index, self.now),
                _ => Value::Unknown(UnknownReason::ParseError),
            },
            Node::Key { of, key } => self.key(of, key),
            Node::Item { of, at } => self.item(of, at),
            Node::Has(of) => self.has(of),
            Node::If(parts) => {
                let [condition, yes, no] = &**parts;
                match self.truth(condition) {
                    Ok(true) => self.value(yes),
                    Ok(false) => self.value(no),
                    Err(reason) => Value::Unknown(reason),
                }
            }
            Node::In { value, of } => self.membership(value, of),
            Node::Arithmetic { op, left, right } => {
                let left = known!(self.value(left));
                let right = known!(self.value(right));
                operation::calculate(*op, &left, &right)
            }
            Node::Negate(of) => operation::negate(&known!(self.value(of))),
            Node::ToDouble(of) => operation::to_double(&known!(self.value(of))),
            Node::Size(of) => match known!(self.value(of)) {
                Value::List(list) => list.missing.map_or_else(|| Value::count(list.known()), Value::Unknown),
                Value::Map(map) => map.count().map_or_else(Value::Unknown, Value::count),
                Value::Text(text) => Value::count(text.chars().count()),
                _ => Value::Unknown(UnknownReason::ParseError),
            },
            Node::TextTest { test, text, part } => {
                let (Value::Text(text), Value::Text(part)) = (known!(self.value(text)), known!(self.value(part))) else {
                    return Value::Unknown(UnknownReason::ParseError);
                };
                if self.step(length(&text, 32)).is_err() {
                    return Value::Unknown(UnknownReason::TooCostly);
                }
                Value::Bool(match test {
                    TextTest::Contains => text.contains(&*part),
                    TextTest::StartsWith => text.starts_with(&*part),
                    TextTest::EndsWith => text.ends_with(&*part),
                })
            }
            Node::Matches { text, pattern } => {
                let Value::Text(text) = known!(self.value(text)) else {
                    return Value::Unknown(UnknownReason::ParseError);
                };
                if self.step(length(&text, 4)).is_err() {
                    return Value::Unknown(UnknownReason::TooCostly);
                }
                Value::Bool(pattern.is_match(&text))
            }
            Node::LowerAscii(text) => match known!(self.value(text)) {
                Value::Text(text) if text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                    if self.step(length(&text, 16)).is_err() {
                        return Value::Unknown(UnknownReason::TooCostly);
                    }
                    Value::Text(Cow::Owned(text.to_ascii_lowercase()))
                }
                same @ Value::Text(_) => same,
                _ => Value::Unknown(UnknownReason::ParseError),
            },
            Node::Loop {
                kind: Loop::Filter,
                range,
                slot,
                body,
                ..
            } => self.filtered(range, *slot, body),
            Node::Loop {
                kind: Loop::Map,
                range,
                slot,
                body,
                ..
            } => self.mapped(range, *slot, body),
            Node::Not(_) | Node::And(..) | Node::Or(..) | Node::Compare { .. } | Node::Loop { .. } => match self.truth(node) {
                Ok(value) => Value::Bool(value),
                Err(reason) => Value::Unknown(reason),
            },
        }
    }

    fn key(&mut self, of: &'v Node, key: &'v Node) -> Value<'v> {
        let of = known!(self.value(of));
        let key = known!(self.value(key));
        match (of, key) {
            (Value::Map(map), Value::Text(key)) => match map.entry(&key) {
                Ok(entry) => Value::or_absent(entry, Value::text),
                Err(reason) => Value::Unknown(reason),
            },
            _ => Value::Unknown(UnknownReason::ParseError),
        }
    }

    fn item(&mut self, of: &'v Node, at: &'v Node) -> Value<'v> {
        let of = known!(self.value(of));
        let at = known!(self.value(at));
        match (of, at) {
            // Which item is first is not known while some may be missing.
            (Value::List(List { missing: Some(reason), .. }), _) => Value::Unknown(reason),
            (Value::List(list), Value::Int(at)) => {
                let item = usize::try_from(at).ok().and_then(|at| list.get(at));
                item.unwrap_or(Value::ABSENT)
            }
            _ => Value::Unknown(UnknownReason::ParseError),
        }
    }

    /// Whether a field or key is there. What it is asked of must have been read: an unknown owner is an unknown answer, and so is a
    /// field that is unknown for any reason but that it is not there.
    fn has(&mut self, part: &'v Node) -> Value<'v> {
        match part {
            Node::Field { of, index, .. } => match known!(self.value(of)) {
                Value::Record(object) => match object.field(*index, self.now) {
                    Value::Unknown(UnknownReason::MissingField) => Value::Bool(false),
                    Value::Unknown(reason) => Value::Unknown(reason),
                    _ => Value::Bool(true),
                },
                _ => Value::Unknown(UnknownReason::ParseError),
            },
            Node::Key { of, key } => {
                let of = known!(self.value(of));
                let key = known!(self.value(key));
                match (of, key) {
                    (Value::Map(map), Value::Text(key)) => has_entry(map, &key),
                    _ => Value::Unknown(UnknownReason::ParseError),
                }
            }
            _ => Value::Unknown(UnknownReason::ParseError),
        }
    }

    fn membership(&mut self, value: &'v Node, of: &'v Node) -> Value<'v> {
        let value = known!(self.value(value));
        let mut unknown = None;
        if let Node::List(items) = of {
            for item in items {
                match operation::equal(&value, &self.value(item)) {
                    Ok(true) => return Value::Bool(true),
                    Ok(false) => {}
                    Err(reason) => {
                        unknown.get_or_insert(reason);
                    }
                }
            }
            return unknown.map_or(Value::Bool(false), Value::Unknown);
        }
        let list = match (known!(self.value(of)), &value) {
            (Value::Map(map), Value::Text(key)) => return has_entry(map, key),
            (Value::List(list), _) => list,
            _ => return Value::Unknown(UnknownReason::ParseError),
        };
        for item in (0..list.known()).map_while(|index| list.get(index)) {
            let outcome = self.step(1).and_then(|()| operation::equal(&value, &item));
            match outcome {
                Ok(true) => return Value::Bool(true),
                Ok(false) => {}
                Err(reason) => {
                    unknown.get_or_insert(reason);
                    if self.fuel.is_spent() {
                        break;
                    }
                }
            }
        }
        unknown.or(list.missing).map_or(Value::Bool(false), Value::Unknown)
    }

    /// The items that are known to satisfy the body. Where that is not known of one, the list is one of which a part is missing.
    fn filtered(&mut self, range: &'v Node, slot: usize, body: &'v Node) -> Value<'v> {
        let list = match self.list(range) {
            Ok(list) => list,
            Err(reason) => return Value::Unknown(reason),
        };
        let mut missing = None;
        let mut kept = Vec::new();
        for item in (0..list.known()).map_while(|index| list.get(index)) {
            self.enter(slot, Some(item.clone()));
            match self.truth(body) {
                Ok(true) => kept.push(item),
                Ok(false) => {}
                Err(reason) => {
                    missing.get_or_insert(reason);
                    if self.fuel.is_spent() {
                        break;
                    }
                }
            }
        }
        Value::List(List::made(kept, missing.or(list.missing)))
    }

    /// One value for each item; an unknown one is an item, too.
    fn mapped(&mut self, range: &'v Node, slot: usize, body: &'v Node) -> Value<'v> {
        let list = match self.list(range) {
            Ok(list) => list,
            Err(reason) => return Value::Unknown(reason),
        };
        let mut made = Vec::with_capacity(list.known());
        for item in (0..list.known()).map_while(|index| list.get(index)) {
            if self.fuel.is_spent() {
                return Value::List(List::made(made, Some(UnknownReason::TooCostly)));
            }
            self.enter(slot, Some(item));
            made.push(self.value(body));
        }
        Value::List(List::made(made, list.missing))
    }
}

fn has_entry<'v>(map: &dyn Entries, key: &str) -> Value<'v> {
    match map.entry(key) {
        Ok(entry) => Value::Bool(entry.is_some()),
        Err(reason) => Value::Unknown(reason),
    }
}

/// Steps that a look at a text takes: one for so many bytes.
fn length(text: &str, bytes_a_step: usize) -> u32 {
    u32::try_from(text.len() / bytes_a_step).unwrap_or(u32::MAX)
}
