//! The typed tree: what `check` makes, `eval` walks and `analyse` reasons about.

use std::borrow::Cow;

use regex::Regex;

/// One operation. Names are kept for messages; what is looked up goes by index.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    List(Vec<Node>),
    Variable {
        index: usize,
        name: Cow<'static, str>,
    },
    /// The variable of a loop, by how many loops are around it.
    Local {
        slot: usize,
        name: String,
    },
    Field {
        of: Box<Node>,
        index: usize,
        name: &'static str,
    },
    /// `map["key"]`, `map.key`.
    Key {
        of: Box<Node>,
        key: Box<Node>,
    },
    /// `list[0]`.
    Item {
        of: Box<Node>,
        at: Box<Node>,
    },
    /// Whether the `Field` or `Key` inside is there.
    Has(Box<Node>),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    /// Condition, then, else.
    If(Box<[Node; 3]>),
    Compare {
        op: Op,
        left: Box<Node>,
        right: Box<Node>,
    },
    /// Whether a list has the value, or a map the key.
    In {
        value: Box<Node>,
        of: Box<Node>,
    },
    Arithmetic {
        op: Arithmetic,
        left: Box<Node>,
        right: Box<Node>,
    },
    Negate(Box<Node>),
    /// `double(x)`.
    ToDouble(Box<Node>),
    Size(Box<Node>),
    TextTest {
        test: TextTest,
        text: Box<Node>,
        part: Box<Node>,
    },
    Matches {
        text: Box<Node>,
        pattern: Regex,
    },
    LowerAscii(Box<Node>),
    Loop {
        kind: Loop,
        range: Box<Node>,
        slot: usize,
        name: String,
        body: Box<Node>,
    },
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Op {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }

    /// The operator that says the same with the sides exchanged.
    pub(super) const fn mirrored(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            same @ (Self::Eq | Self::Ne) => same,
        }
    }

    /// Whether values in that order satisfy it.
    pub(super) const fn accepts(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }
}

/// What is done with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

/// What is asked of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
}

impl TextTest {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
        }
    }
}

/// What is done with each item of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loop {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

impl Loop {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::ExistsOne => "exists_one",
            Self::Filter => "filter",
            Self::Map => "map",
        }
    }
}

impl Node {
    /// Shows every node to `see`, parents before children.
    pub(super) fn visit<'n>(&'n self, see: &mut impl FnMut(&'n Self)) {
        see(self);
        match self {
            Self::Bool(_) | Self::Int(_) | Self::Double(_) | Self::Text(_) | Self::Variable { .. } | Self::Local { .. } => {}
            Self::List(items) => items.iter().for_each(|item| item.visit(see)),
            Self::If(parts) => parts.iter().for_each(|part| part.visit(see)),
            Self::Field { of, .. } => of.visit(see),
            Self::Has(of) | Self::Not(of) | Self::Negate(of) | Self::ToDouble(of) | Self::Size(of) | Self::LowerAscii(of) => of.visit(see),
            Self::Matches { text, .. } => text.visit(see),
            Self::Key { of: a, key: b }
            | Self::Item { of: a, at: b }
            | Self::And(a, b)
            | Self::Or(a, b)
            | Self::Compare { left: a, right: b, .. }
            | Self::In { value: a, of: b }
            | Self::Arithmetic { left: a, right: b, .. }
            | Self::TextTest { text: a, part: b, .. }
            | Self::Loop { range: a, body: b, .. } => {
                a.visit(see);
                b.visit(see);
            }
        }
    }

    /// Whether it has an operator that may need brackets around it.
    const fn is_compound(&self) -> bool {
        matches!(
            self,
            Self::And(..) | Self::Or(..) | Self::If(_) | Self::Compare { .. } | Self::In { .. } | Self::Arithmetic { .. }
        )
    }
}

/// In one spelling, whatever blanks and brackets it was written with: equal texts mean the same.
impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = |node: &Self, f: &mut std::fmt::Formatter<'_>| {
            if node.is_compound() {
                write!(f, "({node})")
            } else {
                write!(f, "{node}")
            }
        };
        let mut binary = |left: &Self, op: &str, right: &Self| {
            side(left, f)?;
            write!(f, " {op} ")?;
            side(right, f)
        };
        match self {
            Self::And(left, right) => return binary(left, "&&", right),
            Self::Or(left, right) => return binary(left, "||", right),
            Self::Compare { op, left, right } => return binary(left, op.as_str(), right),
            Self::Arithmetic { op, left, right } => return binary(left, op.as_str(), right),
            Self::In { value, of } => return binary(value, "in", of),
            _ => {}
        }
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Self::Variable { name, .. } => f.write_str(name),
            Self::Local { name, .. } => f.write_str(name),
            Self::Field { of, name, .. } => {
                side(of, f)?;
                write!(f, ".{name}")
            }
            Self::Key { of, key: at } | Self::Item { of, at } => {
                side(of, f)?;
                write!(f, "[{at}]")
            }
            Self::Has(of) => write!(f, "has({of})"),
            Self::Not(of) => {
                f.write_str("!")?;
                side(of, f)
            }
            Self::Negate(of) => {
                f.write_str("-")?;
                side(of, f)
            }
            Self::If(parts) => {
                let [condition, yes, no] = &**parts;
                side(condition, f)?;
                f.write_str(" ? ")?;
                side(yes, f)?;
                f.write_str(" : ")?;
                side(no, f)
            }
            Self::ToDouble(of) => write!(f, "double({of})"),
            Self::Size(of) => write!(f, "size({of})"),
            Self::TextTest { test, text, part } => {
                side(text, f)?;
                write!(f, ".{}({part})", test.as_str())
            }
            Self::Matches { text, pattern } => {
                side(text, f)?;
                write!(f, ".matches({:?})", pattern.as_str())
            }
            Self::LowerAscii(text) => {
                side(text, f)?;
                f.write_str(".lowerAscii()")
            }
            Self::Loop {
                kind, range, name, body, ..
            } => {
                side(range, f)?;
                write!(f, ".{}({name}, {body})", kind.as_str())
            }
            Self::And(..) | Self::Or(..) | Self::Compare { .. } | Self::Arithmetic { .. } | Self::In { .. } => Ok(()),
        }
    }
}
