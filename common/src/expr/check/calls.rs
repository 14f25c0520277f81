//! Functions, methods and loops.

use cel::common::ast::{Expr as Ast, IdedExpr, operators};
use regex::RegexBuilder;

use super::{Checker, SUPPORTED, Typed};
use crate::expr::ir::{Loop, Node, TextTest};
use crate::expr::schema::Type;
use crate::suggest::suggest;

/// Largest compiled pattern, in bytes. A long alternation of words takes a tenth of it.
const MAX_PATTERN_BYTES: usize = 256 << 10;

/// Everything that is called by name.
const FUNCTIONS: [&str; 3] = ["has", "size", "double"];
const METHODS: [&str; 11] = [
    "all",
    "exists",
    "exists_one",
    "filter",
    "map",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "lowerAscii",
    "size",
];

impl Checker<'_> {
    /// `name(…)`.
    pub(super) fn function(&mut self, at: &IdedExpr, name: &str, args: &[IdedExpr]) -> Option<Typed> {
        match (name, args) {
            ("size", [of]) => self.size(of),
            (operators::HAS, [of]) => self.has(of),
            ("double", [of]) => match self.expression(of)? {
                (node, Type::Int) => Some((Node::ToDouble(Box::new(node)), Type::Double)),
                same @ (_, Type::Double) => Some(same),
                (_, ty) => self.error(of, format!("{ty} is not a number"), "double() is for whole numbers"),
            },
            ("size" | "has" | "double", _) => self.error(at, format!("`{name}` takes one argument"), "write one value in the brackets"),
            _ if METHODS.contains(&name) => self.error(at, format!("`{name}` is asked of a value"), format!("write `x.{name}(…)`")),
            _ => self.error(
                at,
                format!("there is no function `{name}`"),
                format!("{} ({SUPPORTED})", suggest(name, FUNCTIONS.into_iter())),
            ),
        }
    }

    /// `target.name(…)`.
    pub(super) fn method(&mut self, at: &IdedExpr, target: &IdedExpr, name: &str, args: &[IdedExpr]) -> Option<Typed> {
        match (name, args) {
            ("all", [variable, body]) => self.quantifier(Loop::All, target, variable, body),
            ("exists", [variable, body]) => self.quantifier(Loop::Exists, target, variable, body),
            ("exists_one" | "existsOne", [variable, body]) => self.quantifier(Loop::ExistsOne, target, variable, body),
            ("filter", [variable, body]) => self.filter(target, variable, body),
            ("map", [variable, body]) => {
                let range = self.expression(target)?;
                self.map(range, target, variable, body)
            }
            ("map", [variable, condition, body]) => {
                let filtered = self.filter(target, variable, condition)?;
                self.map(filtered, target, variable, body)
            }
            ("all" | "exists" | "exists_one" | "existsOne" | "filter" | "map", _) => self.error(
                at,
                format!("`{name}` takes a name and what is said of it"),
                format!("write `list.{name}(x, …)`"),
            ),
            ("size", []) => self.size(target),
            ("lowerAscii", []) => {
                let text = self.text(target)?;
                Some((Node::LowerAscii(Box::new(text)), Type::Text))
            }
            ("contains", [part]) => self.text_test(TextTest::Contains, target, part),
            ("startsWith", [part]) => self.text_test(TextTest::StartsWith, target, part),
            ("endsWith", [part]) => self.text_test(TextTest::EndsWith, target, part),
            ("matches", [pattern]) => self.matches(target, pattern),
            _ if METHODS.contains(&name) => self.error(at, format!("`{name}` has the wrong number of arguments"), SUPPORTED),
            _ => self.error(
                at,
                format!("there is no method `{name}`"),
                format!("{} ({SUPPORTED})", suggest(name, METHODS.into_iter())),
            ),
        }
    }

    fn size(&mut self, at: &IdedExpr) -> Option<Typed> {
        match self.expression(at)? {
            (node, Type::List(_) | Type::Map | Type::Text) => Some((Node::Size(Box::new(node)), Type::Int)),
            (_, ty) => self.error(at, format!("{ty} has no size"), "size() is for lists, maps and texts"),
        }
    }

    /// `has(x.field)`: whether it is there, of something that was read.
    fn has(&mut self, at: &IdedExpr) -> Option<Typed> {
        match self.expression(at)? {
            (node @ (Node::Field { .. } | Node::Key { .. }), _) => Some((Node::Has(Box::new(node)), Type::Bool)),
            _ => self.error(
                at,
                "has() asks for a field of something",
                "write `has(x.field)`; whether something was read at all cannot be asked: the answer is unknown by itself",
            ),
        }
    }

    fn quantifier(&mut self, kind: Loop, target: &IdedExpr, variable: &IdedExpr, body: &IdedExpr) -> Option<Typed> {
        let (node, _) = self.selection(kind, target, variable, body)?;
        Some((node, Type::Bool))
    }

    fn filter(&mut self, target: &IdedExpr, variable: &IdedExpr, body: &IdedExpr) -> Option<Typed> {
        let (node, element) = self.selection(Loop::Filter, target, variable, body)?;
        Some((node, Type::List(element.element()?)))
    }

    /// A loop whose body is a condition, and the type of the items.
    fn selection(&mut self, kind: Loop, target: &IdedExpr, variable: &IdedExpr, body: &IdedExpr) -> Option<Typed> {
        let (range, ty) = self.expression(target)?;
        let element = self.element(target, ty)?;
        let (slot, name) = (self.locals.len(), self.loop_name(variable)?);
        let body = self.in_loop(variable, &name, element, |checker| checker.condition(body))?;
        let node = Node::Loop {
            kind,
            range: Box::new(range),
            slot,
            name,
            body: Box::new(body),
        };
        Some((node, element))
    }

    fn map(&mut self, (range, ty): Typed, target: &IdedExpr, variable: &IdedExpr, body_at: &IdedExpr) -> Option<Typed> {
        let element = self.element(target, ty)?;
        let (slot, name) = (self.locals.len(), self.loop_name(variable)?);
        let (body, made) = self.in_loop(variable, &name, element, |checker| checker.expression(body_at))?;
        let Some(made) = made.element() else {
            return self.error(body_at, "a list of lists", "make one list, of one value for each item");
        };
        let node = Node::Loop {
            kind: Loop::Map,
            range: Box::new(range),
            slot,
            name,
            body: Box::new(body),
        };
        Some((node, Type::List(made)))
    }

    fn element(&mut self, target: &IdedExpr, ty: Type) -> Option<Type> {
        match ty {
            Type::List(element) => Some(element.into()),
            other => self.error(target, format!("{other} is not a list"), "loops go over lists"),
        }
    }

    fn loop_name(&mut self, variable: &IdedExpr) -> Option<String> {
        match &variable.expr {
            Ast::Ident(name) => Some(name.clone()),
            _ => self.error(
                variable,
                "the first argument is the name of an item",
                "write for example `pods.all(p, p.ready)`",
            ),
        }
    }

    fn text(&mut self, at: &IdedExpr) -> Option<Node> {
        match self.expression(at)? {
            (node, Type::Text) => Some(node),
            (_, ty) => self.error(at, format!("{ty} is not a text"), "texts are written in quotes"),
        }
    }

    fn text_test(&mut self, test: TextTest, text: &IdedExpr, part: &IdedExpr) -> Option<Typed> {
        let (text, part) = (self.text(text), self.text(part));
        let node = Node::TextTest {
            test,
            text: Box::new(text?),
            part: Box::new(part?),
        };
        Some((node, Type::Bool))
    }

    fn matches(&mut self, target: &IdedExpr, pattern_at: &IdedExpr) -> Option<Typed> {
        let text = self.text(target)?;
        let Some(Node::Text(pattern)) = self.text(pattern_at) else {
            return self.error(
                pattern_at,
                "the pattern is not a text in quotes",
                "write it out: it is compiled once, when the rules are loaded",
            );
        };
        match RegexBuilder::new(&pattern).size_limit(MAX_PATTERN_BYTES).nest_limit(50).build() {
            Ok(pattern) => {
                let text = Box::new(text);
                Some((Node::Matches { text, pattern }, Type::Bool))
            }
            Err(error) => {
                let why = error.to_string();
                let why = why
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim()
                    .trim_start_matches("error: ")
                    .to_owned();
                self.error(
                    pattern_at,
                    format!("the pattern is not one: {why}"),
                    "write a regular expression without look-around and back references",
                )
            }
        }
    }
}
