//! Which records keep a condition from holding: an operator must see the pod's name.

use super::{Evaluation, Fuel};
use crate::expr::Culprit;
use crate::expr::ir::{Loop, Node, Op};
use crate::expr::value::{Document, Value};

/// Whether the form of the expression lets culprits be named.
pub(in crate::expr) fn names_culprits(node: &Node) -> bool {
    match node {
        Node::And(left, right) => names_culprits(left) || names_culprits(right),
        Node::Loop { kind: Loop::All, .. } => true,
        Node::Not(of) => matches!(&**of, Node::Loop { kind: Loop::Exists, .. }),
        _ => false,
    }
}

/// Each record for which the part of the condition that is about it does not hold.
pub(in crate::expr) fn culprits<'v>(root: &'v Node, document: &'v dyn Document, fuel: &mut Fuel) -> Vec<Culprit<'v>> {
    let mut found = Vec::new();
    Evaluation::new(document, fuel).collect(root, &mut found);
    found
}

impl<'v> Evaluation<'v, '_> {
    fn collect(&mut self, node: &'v Node, found: &mut Vec<Culprit<'v>>) {
        let (range, slot, body, name, wanted) = match node {
            Node::And(left, right) => {
                self.collect(left, found);
                self.collect(right, found);
                return;
            }
            Node::Loop {
                kind: Loop::All,
                range,
                slot,
                body,
                name,
            } => (range, *slot, body, name, true),
            Node::Loop {
                kind: Loop::Filter,
                range,
                slot,
                body,
                name,
            } => (range, *slot, body, name, false),
            Node::Not(of) => match &**of {
                Node::Loop {
                    kind: Loop::Exists,
                    range,
                    slot,
                    body,
                    name,
                } => (range, *slot, body, name, false),
                _ => return,
            },
            _ => {
                self.collect_all(node, found);
                return;
            }
        };
        let Ok(list) = self.list(range) else { return };
        for item in (0..list.known()).map_while(|index| list.get(index)) {
            let Value::Record(object) = item else { return };
            self.enter(slot, Some(item));
            if self.truth(body) == Ok(!wanted) {
                let reason = self.reason(body, name, wanted);
                let (kind, name) = object.identity();
                found.push(Culprit { kind, name, reason });
            }
            if self.fuel.is_spent() {
                return;
            }
        }
    }

    /// The records of a list that somebody else has chosen.
    fn collect_all(&mut self, node: &'v Node, found: &mut Vec<Culprit<'v>>) {
        let Value::List(list) = self.value(node) else { return };
        for item in (0..list.known()).map_while(|index| list.get(index)) {
            if let Value::Record(object) = item {
                let (kind, name) = object.identity();
                let reason = String::new();
                found.push(Culprit { kind, name, reason });
            }
        }
    }

    /// Why the body is not as it should be for the item that the loop is at, in the words of the expression.
    fn reason(&mut self, body: &'v Node, name: &str, wanted: bool) -> String {
        // Of several things that must all hold, the first that does not; of several of which none may hold, the first that does.
        match (body, wanted) {
            (Node::And(left, right), true) | (Node::Or(left, right), false) => {
                let part = if self.truth(left) == Ok(!wanted) { left } else { right };
                return self.reason(part, name, wanted);
            }
            (Node::Not(of), _) => return self.reason(of, name, !wanted),
            _ => {}
        }
        let prefix = format!("{name}.");
        let short = |node: &Node| {
            let text = node.to_string();
            text.strip_prefix(&prefix).map_or_else(|| text.clone(), str::to_owned)
        };
        match body {
            Node::Compare { op, left, right } => {
                let wanted_op = if wanted { op.as_str() } else { opposite(*op).as_str() };
                let value = self.value(left);
                format!("{} is {}, not {wanted_op} {}", short(left), spelled(&value), short(right))
            }
            _ if wanted => format!("not {}", short(body)),
            _ => short(body),
        }
    }
}

const fn opposite(op: Op) -> Op {
    match op {
        Op::Eq => Op::Ne,
        Op::Ne => Op::Eq,
        Op::Lt => Op::Ge,
        Op::Le => Op::Gt,
        Op::Gt => Op::Le,
        Op::Ge => Op::Lt,
    }
}

fn spelled(value: &Value<'_>) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Unknown(reason) => reason.to_string(),
        Value::Map(_) | Value::Record(_) | Value::List(_) => "something else".to_owned(),
    }
}
