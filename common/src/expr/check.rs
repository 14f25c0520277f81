//! Syntax tree to typed tree: every name looked up, every type fitting, every cost bounded, or an error that says what to write.

mod calls;

use cel::common::ast::{Expr as Ast, IdedExpr, LiteralValue, operators};

use super::ir::{Arithmetic, Node, Op};
use super::parse::Tree;
use super::schema::{RecordType, Schema, Type};
use super::{ExprError, MAX_LOOPS, MAX_NODES};
use crate::suggest::suggest;

/// A part of the expression with its type.
type Typed = (Node, Type);

/// What is supported, for those who tried something else.
const SUPPORTED: &str = "supported are: comparisons, && || ! ?:, + - * / %, in, size(), double(), has(), lists, fields, .all(), .exists(), \
     .exists_one(), .filter(), .map(), and of texts .contains(), .startsWith(), .endsWith(), .matches(), .lowerAscii()";

/// Checks a tree against a schema.
pub(super) fn check(schema: &Schema, text: &str, tree: &Tree) -> Result<Typed, Vec<ExprError>> {
    let mut checker = Checker {
        schema,
        tree,
        locals: Vec::new(),
        nodes: 0,
        errors: Vec::new(),
    };
    let typed = checker.expression(&tree.root);
    let mut errors = checker.errors;
    match typed {
        Some(typed) if errors.is_empty() => Ok(typed),
        _ => {
            if errors.is_empty() {
                errors.push(ExprError {
                    offset: 0,
                    message: format!("`{text}` is not understood"),
                    help: SUPPORTED.to_owned(),
                });
            }
            errors.sort_by_key(|error| error.offset);
            Err(errors)
        }
    }
}

struct Checker<'a> {
    schema: &'a Schema,
    tree: &'a Tree,
    /// Name and type of the variables of the loops around, outermost first.
    locals: Vec<(String, Type)>,
    nodes: usize,
    errors: Vec<ExprError>,
}

impl Checker<'_> {
    /// Notes an error. Always `None`, so that it can be the last word on a part.
    fn error<T>(&mut self, at: &IdedExpr, message: impl Into<String>, help: impl Into<String>) -> Option<T> {
        self.errors.push(ExprError {
            offset: self.tree.offset(at),
            message: message.into(),
            help: help.into(),
        });
        None
    }

    fn expression(&mut self, at: &IdedExpr) -> Option<Typed> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            if self.nodes == MAX_NODES + 1 {
                return self.error(at, format!("more than {MAX_NODES} operations"), "make two expressions of it");
            }
            return None;
        }
        match &at.expr {
            Ast::Literal(literal) => self.literal(at, literal),
            Ast::Ident(name) => self.name(at, name),
            Ast::Select(select) => {
                let of = self.expression(&select.operand)?;
                self.select(at, of, &select.field)
            }
            Ast::List(list) => self.list(at, &list.elements),
            Ast::Call(call) => match call.target.as_deref() {
                None => self.operator(at, &call.func_name, &call.args),
                Some(target) => self.method(at, target, &call.func_name, &call.args),
            },
            Ast::Map(_) | Ast::Struct(_) => self.error(at, "maps and messages cannot be written here", SUPPORTED),
            Ast::Comprehension(_) | Ast::Unspecified => self.error(at, "this form is not understood", SUPPORTED),
        }
    }

    fn literal(&mut self, at: &IdedExpr, literal: &LiteralValue) -> Option<Typed> {
        match literal {
            LiteralValue::Boolean(value) => Some((Node::Bool(**value), Type::Bool)),
            LiteralValue::Int(value) => Some((Node::Int(**value), Type::Int)),
            LiteralValue::Double(value) if value.is_finite() => Some((Node::Double(**value), Type::Double)),
            LiteralValue::String(text) => Some((Node::Text((**text).to_owned()), Type::Text)),
            LiteralValue::Double(_) => self.error(at, "the number is too large", "write a smaller one"),
            LiteralValue::UInt(_) => self.error(at, "unsigned numbers are not needed here", "write the number without `u`"),
            LiteralValue::Bytes(_) => self.error(at, "bytes cannot be written here", "write a text without `b` before it"),
            LiteralValue::Null => self.error(
                at,
                "nothing here is ever null: what is absent is unknown",
                "ask with `has(x.field)` whether it is there",
            ),
        }
    }

    fn name(&mut self, at: &IdedExpr, name: &str) -> Option<Typed> {
        // The innermost of that name counts.
        if let Some((slot, (name, ty))) = self.locals.iter().enumerate().rev().find(|(_, (local, _))| local == name) {
            return Some((Node::Local { slot, name: name.clone() }, *ty));
        }
        if let Some((index, variable)) = self.schema.variable(name) {
            let name = variable.name.clone();
            return Some((Node::Variable { index, name }, variable.ty));
        }
        let locals = self.locals.iter().map(|(name, _)| name.as_str());
        let known: Vec<&str> = self.schema.variables.iter().map(|variable| &*variable.name).chain(locals).collect();
        let mut help = suggest(name, known.into_iter());
        if !help.starts_with("did you mean") {
            help.push_str("; a text is written in quotes");
        }
        self.error(at, format!("there is no `{name}`"), help)
    }

    /// `x.name`, for a record or a map.
    fn select(&mut self, at: &IdedExpr, (of, ty): Typed, name: &str) -> Option<Typed> {
        match ty {
            Type::Record(record) => {
                let Some((index, field)) = record.field(name) else {
                    return self.error(at, format!("a {} has no field `{name}`", record.name), fields_like(name, record));
                };
                let node = Node::Field {
                    of: Box::new(of),
                    index,
                    name: field.name,
                };
                Some((node, field.ty))
            }
            Type::Map => {
                let node = Node::Key {
                    of: Box::new(of),
                    key: Box::new(Node::Text(name.to_owned())),
                };
                Some((node, Type::Text))
            }
            Type::List(_) => self.error(
                at,
                format!("a list has no field `{name}`"),
                "say of which item: `list.all(x, x.field …)`, `list.exists(x, x.field …)`",
            ),
            other => self.error(at, format!("{other} has no fields"), "take `.` and what follows away"),
        }
    }

    /// A list literal: constants of one type.
    fn list(&mut self, at: &IdedExpr, items: &[IdedExpr]) -> Option<Typed> {
        let mut nodes = Vec::with_capacity(items.len());
        let mut common: Option<Type> = None;
        for item in items {
            let (node, ty) = self.expression(item)?;
            if *common.get_or_insert(ty) != ty {
                return self.error(
                    item,
                    "the items of a list differ in type",
                    "write numbers all with or all without a fraction",
                );
            }
            nodes.push(node);
        }
        let Some(element) = common.and_then(Type::element) else {
            return self.error(
                at,
                "an empty list, or a list of lists, cannot be written here",
                "write `size(list) == 0` to ask for none",
            );
        };
        Some((Node::List(nodes), Type::List(element)))
    }

    /// Operators and functions without a target.
    fn operator(&mut self, at: &IdedExpr, name: &str, args: &[IdedExpr]) -> Option<Typed> {
        match (name, args) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [left, right]) => {
                let (left, right) = (self.condition(left), self.condition(right));
                let (left, right) = (Box::new(left?), Box::new(right?));
                let node = if name == operators::LOGICAL_AND {
                    Node::And(left, right)
                } else {
                    Node::Or(left, right)
                };
                Some((node, Type::Bool))
            }
            (operators::LOGICAL_NOT, [of]) => Some((Node::Not(Box::new(self.condition(of)?)), Type::Bool)),
            (operators::CONDITIONAL, [condition, yes, no]) => self.choice(condition, yes, no),
            (operators::EQUALS, [left, right]) => self.compare(at, Op::Eq, left, right),
            (operators::NOT_EQUALS, [left, right]) => self.compare(at, Op::Ne, left, right),
            (operators::LESS, [left, right]) => self.compare(at, Op::Lt, left, right),
            (operators::LESS_EQUALS, [left, right]) => self.compare(at, Op::Le, left, right),
            (operators::GREATER, [left, right]) => self.compare(at, Op::Gt, left, right),
            (operators::GREATER_EQUALS, [left, right]) => self.compare(at, Op::Ge, left, right),
            (operators::ADD, [left, right]) => self.arithmetic(at, Arithmetic::Add, left, right),
            (operators::SUBSTRACT, [left, right]) => self.arithmetic(at, Arithmetic::Subtract, left, right),
            (operators::MULTIPLY, [left, right]) => self.arithmetic(at, Arithmetic::Multiply, left, right),
            (operators::DIVIDE, [left, right]) => self.arithmetic(at, Arithmetic::Divide, left, right),
            (operators::MODULO, [left, right]) => self.arithmetic(at, Arithmetic::Remainder, left, right),
            (operators::NEGATE, [of]) => self.negate(of),
            (operators::IN, [value, of]) => self.membership(at, value, of),
            (operators::INDEX, [of, key]) => self.index(of, key),
            _ => self.function(at, name, args),
        }
    }

    /// A part that must be true or false.
    fn condition(&mut self, at: &IdedExpr) -> Option<Node> {
        match self.expression(at)? {
            (node, Type::Bool) => Some(node),
            (node, ty) => self.error(at, format!("`{node}` is {ty}, not true or false"), "compare it with something"),
        }
    }

    fn choice(&mut self, condition: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Option<Typed> {
        let (condition, yes, no_node) = (self.condition(condition), self.expression(yes), self.expression(no));
        let (condition, (yes, ty), (no_node, no_ty)) = (condition?, yes?, no_node?);
        if ty != no_ty {
            return self.error(
                no,
                format!("one side of `? :` is {ty}, the other {no_ty}"),
                "give both the same type",
            );
        }
        Some((Node::If(Box::new([condition, yes, no_node])), ty))
    }

    fn compare(&mut self, at: &IdedExpr, op: Op, left: &IdedExpr, right: &IdedExpr) -> Option<Typed> {
        let (left, right) = (self.expression(left), self.expression(right));
        let ((left, left_ty), (right, right_ty)) = (left?, right?);
        let ordered = !matches!(op, Op::Eq | Op::Ne);
        match (left_ty, right_ty) {
            (Type::Int | Type::Double, Type::Int | Type::Double) => {}
            (Type::Bool, Type::Bool) | (Type::Text, Type::Text) if !ordered => {}
            (Type::Bool, Type::Bool) | (Type::Text, Type::Text) => {
                return self.error(
                    at,
                    format!("`{}` orders something that is not a number", op.as_str()),
                    "compare texts and booleans with == or !=",
                );
            }
            (Type::Bool, _) | (_, Type::Bool) => {
                let (truth, other) = if left_ty == Type::Bool {
                    (left, right_ty)
                } else {
                    (right, left_ty)
                };
                return self.error(
                    at,
                    format!("`{truth}` is true or false and is compared with {other}"),
                    "compare it with true or false, or name a fact that is a number or a text",
                );
            }
            (left, right) if left == right => {
                return self.error(at, format!("{left} cannot be compared"), "compare its fields, or its size()");
            }
            (left, right) => {
                return self.error(
                    at,
                    format!("{left} cannot be compared with {right}"),
                    "compare values of one type; texts are written in quotes",
                );
            }
        }
        let node = Node::Compare {
            op,
            left: Box::new(left),
            right: Box::new(right),
        };
        Some((node, Type::Bool))
    }

    fn arithmetic(&mut self, at: &IdedExpr, op: Arithmetic, left: &IdedExpr, right: &IdedExpr) -> Option<Typed> {
        let (left, right) = (self.expression(left), self.expression(right));
        let ((left, left_ty), (right, right_ty)) = (left?, right?);
        match (left_ty, right_ty) {
            (Type::Int, Type::Int) => {}
            (Type::Double, Type::Double) if op != Arithmetic::Remainder => {}
            (Type::Double, Type::Double) => return self.error(at, "`%` is for whole numbers", "compare with a limit instead"),
            (a, b) if a.is_number() && b.is_number() => {
                return self.error(
                    at,
                    format!("`{}` mixes a whole number and one with a fraction", op.as_str()),
                    "write `2.0` instead of `2`, or `double(x)`",
                );
            }
            (a, b) => {
                return self.error(at, format!("`{}` between {a} and {b}", op.as_str()), "calculate with numbers only");
            }
        }
        let node = Node::Arithmetic {
            op,
            left: Box::new(left),
            right: Box::new(right),
        };
        Some((node, left_ty))
    }

    fn negate(&mut self, of: &IdedExpr) -> Option<Typed> {
        match self.expression(of)? {
            (Node::Int(value), ty) if value != i64::MIN => Some((Node::Int(-value), ty)),
            (Node::Double(value), ty) => Some((Node::Double(-value), ty)),
            (node, ty) if ty.is_number() => Some((Node::Negate(Box::new(node)), ty)),
            (_, ty) => self.error(of, format!("`-` before {ty}"), "write `!` for the opposite of a condition"),
        }
    }

    fn membership(&mut self, at: &IdedExpr, value: &IdedExpr, of: &IdedExpr) -> Option<Typed> {
        let (value, of) = (self.expression(value), self.expression(of));
        let ((value, value_ty), (of, of_ty)) = (value?, of?);
        let fits = match of_ty {
            Type::Map => value_ty == Type::Text,
            Type::List(element) => {
                let element = Type::from(element);
                (element.is_number() && value_ty.is_number()) || (element == value_ty && matches!(element, Type::Text | Type::Bool))
            }
            _ => false,
        };
        if !fits {
            return self.error(
                at,
                format!("{value_ty} cannot be in {of_ty}"),
                "look for a text or number in a list of these, or for a text among the names of a map",
            );
        }
        let node = Node::In {
            value: Box::new(value),
            of: Box::new(of),
        };
        Some((node, Type::Bool))
    }

    fn index(&mut self, of_at: &IdedExpr, key_at: &IdedExpr) -> Option<Typed> {
        let (of, key) = (self.expression(of_at), self.expression(key_at));
        let ((of, of_ty), (key, key_ty)) = (of?, key?);
        let of = Box::new(of);
        match (of_ty, key_ty) {
            (Type::Map, Type::Text) => Some((Node::Key { of, key: Box::new(key) }, Type::Text)),
            (Type::List(element), Type::Int) => Some((Node::Item { of, at: Box::new(key) }, element.into())),
            (Type::Map, _) => self.error(key_at, "the key of a map is a text", "write it in quotes"),
            (Type::List(_), _) => self.error(key_at, "the place in a list is a whole number", "write for example `list[0]`"),
            (Type::Record(record), _) => self.error(
                key_at,
                format!("a {} has fields, not keys", record.name),
                "write `x.field` instead of `x[\"field\"]`",
            ),
            (other, _) => self.error(of_at, format!("{other} has no parts"), "take `[…]` away"),
        }
    }

    /// Runs `check` with a loop's variable in sight.
    fn in_loop<T>(&mut self, at: &IdedExpr, name: &str, ty: Type, check: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.locals.len() >= MAX_LOOPS {
            return self.error(
                at,
                format!("more than {MAX_LOOPS} loops within each other"),
                "make two criteria of it, or filter a list first",
            );
        }
        if self.schema.variable(name).is_some() || self.locals.iter().any(|(other, _)| other == name) {
            return self.error(
                at,
                format!("`{name}` already means something else"),
                "give the loop's variable another name",
            );
        }
        self.locals.push((name.to_owned(), ty));
        let checked = check(self);
        self.locals.pop();
        checked
    }
}

fn fields_like(name: &str, record: &RecordType) -> String {
    suggest(name, record.fields.iter().map(|field| field.name))
}
