//! Conditions of failure classes: `name op literal`, alternatives joined by `||`: the plain form that CEL also has.
//!
//! A condition holds, is contradicted, or neither: an unknown value satisfies neither `== true` nor `== false`.
//! Whoever parses text goes through [`parse`]; whoever judges through [`Condition::holds`]. An expression language can
//! take the place of both without the rest noticing.

use crate::evidence::Value;

/// How value and literal are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the operator of that name")]
pub enum Op {
    Eq,
    Ne,
    Ge,
    Le,
    Gt,
    Lt,
}

impl Op {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Ge => ">=",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Lt => "<",
        }
    }
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is the literal of that type")]
pub enum Literal {
    Bool(bool),
    Number(f64),
    Text(String),
}

/// One condition on one criterion or fact.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The criterion or fact, one of the stage's names.
    pub name: &'static str,
    /// Comparison.
    pub op: Op,
    /// What to compare with.
    pub literal: Literal,
}

/// A condition as it was written, its name not yet looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed<'a> {
    /// The name before the operator.
    pub name: &'a str,
    /// Comparison.
    pub op: Op,
    /// What to compare with.
    pub literal: Literal,
}

/// One list item of a class: at least one of its conditions must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause(pub Vec<Condition>);

impl Clause {
    /// Whether one holds; `None` when none does and some are unknown. `value` looks up what was observed.
    pub fn holds<'v>(&self, value: impl Fn(&str) -> Option<&'v Value>) -> Option<bool> {
        let mut known = true;
        for condition in &self.0 {
            match value(condition.name).and_then(|value| condition.holds(value)) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => known = false,
            }
        }
        known.then_some(false)
    }

    /// Whether no values can satisfy both.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        self.0.iter().all(|a| other.0.iter().all(|b| a.contradicts(b)))
    }

    /// Whether whatever satisfies `other` satisfies this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|b| self.0.iter().any(|a| a.same_as(b)))
    }

    /// Whether it asks for that criterion or fact.
    #[must_use]
    pub fn mentions(&self, name: &str) -> bool {
        self.0.iter().any(|condition| condition.name == name)
    }
}

impl std::fmt::Display for Clause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, condition) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" || ")?;
            }
            condition.fmt(f)?;
        }
        Ok(())
    }
}

/// Why a text is not a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No operator, or one we do not have.
    #[error("`{0}` has no operator that conditions know")]
    Operator(String),
    /// Something is missing before or after the operator.
    #[error("`{0}` has nothing on one side of its operator")]
    Side(String),
    /// The name is not one word.
    #[error("`{0}` is not a name: names are lower-case words joined by underscores")]
    Name(String),
    /// Order of things that have none.
    #[error("`{0}` orders something that is not a number")]
    Order(String),
}

impl ParseError {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Operator(_) | Self::Side(_) => {
                "write `name op literal` with one of == != >= <= > <, alternatives with ||, and one list item for each thing that must hold"
            }
            Self::Name(_) => "name one criterion or fact of the stage",
            Self::Order(_) => "compare words and booleans with == or !=",
        }
    }
}

/// Parses the alternatives of one list item.
///
/// # Errors
/// [`ParseError`] when one of them is not `name op literal`.
pub fn parse_clause(text: &str) -> Result<Vec<Parsed<'_>>, ParseError> {
    text.split("||").map(|part| parse(part.trim())).collect()
}

/// Parses one condition.
///
/// # Errors
/// [`ParseError`] when the text is not `name op literal`.
pub fn parse(text: &str) -> Result<Parsed<'_>, ParseError> {
    let start = text
        .find(['=', '!', '<', '>'])
        .ok_or_else(|| ParseError::Operator(text.to_owned()))?;
    let rest = &text[start..];
    let (op, width) = [
        ("==", Op::Eq),
        ("!=", Op::Ne),
        (">=", Op::Ge),
        ("<=", Op::Le),
        (">", Op::Gt),
        ("<", Op::Lt),
    ]
    .into_iter()
    .find(|(sign, _)| rest.starts_with(sign))
    .map(|(sign, op)| (op, sign.len()))
    .ok_or_else(|| ParseError::Operator(text.to_owned()))?;
    let (name, literal) = (text[..start].trim(), rest[width..].trim());
    if name.is_empty() || literal.is_empty() {
        return Err(ParseError::Side(text.to_owned()));
    }
    if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(ParseError::Name(name.to_owned()));
    }
    if literal.contains(['=', '!', '<', '>', '&', '|']) {
        return Err(ParseError::Operator(text.to_owned()));
    }
    let literal = match literal {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        other => match other.parse::<f64>() {
            Ok(number) if number.is_finite() => Literal::Number(number),
            _ => Literal::Text(other.trim_matches(['"', '\'']).to_owned()),
        },
    };
    if !matches!(op, Op::Eq | Op::Ne) && !matches!(literal, Literal::Number(_)) {
        return Err(ParseError::Order(text.to_owned()));
    }
    Ok(Parsed { name, op, literal })
}

impl Condition {
    /// Whether the condition holds on that value; `None` when the value is unknown or of another type.
    #[must_use]
    pub fn holds(&self, value: &Value) -> Option<bool> {
        match (value, &self.literal) {
            (Value::Bool(value), Literal::Bool(literal)) => self.op.equality(value == literal),
            (Value::Text(value), Literal::Text(literal)) => self.op.equality(value == literal),
            (Value::Number(value), Literal::Number(literal)) => Some(match self.op {
                Op::Ge => value >= literal,
                Op::Le => value <= literal,
                Op::Gt => value > literal,
                Op::Lt => value < literal,
                #[expect(clippy::float_cmp, reason = "counts and limits are written, not computed")]
                Op::Eq => value == literal,
                #[expect(clippy::float_cmp, reason = "counts and limits are written, not computed")]
                Op::Ne => value != literal,
            }),
            _ => None,
        }
    }

    /// Whether no value can satisfy both.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        if self.name != other.name {
            return false;
        }
        match (&self.literal, &other.literal) {
            (Literal::Bool(a), Literal::Bool(b)) => (a == b) != (self.op == other.op),
            (Literal::Number(a), Literal::Number(b)) => {
                numbers_exclude(self.op, *a, other.op, *b) || numbers_exclude(other.op, *b, self.op, *a)
            }
            (Literal::Text(a), Literal::Text(b)) => match (self.op, other.op) {
                (Op::Eq, Op::Eq) => a != b,
                (Op::Eq, Op::Ne) | (Op::Ne, Op::Eq) => a == b,
                _ => false,
            },
            // One value has one type.
            _ => true,
        }
    }

    /// Whether every value that satisfies `self` satisfies `other` because they say the same.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        if self.name != other.name {
            return false;
        }
        match (&self.literal, &other.literal) {
            (Literal::Bool(a), Literal::Bool(b)) => (a == b) == (self.op == other.op),
            (a, b) => self.op == other.op && a == b,
        }
    }
}

impl Op {
    const fn equality(self, equal: bool) -> Option<bool> {
        match self {
            Self::Eq => Some(equal),
            Self::Ne => Some(!equal),
            Self::Ge | Self::Le | Self::Gt | Self::Lt => None,
        }
    }
}

/// Whether `x a_op a` leaves no room for `x b_op b`, seen from `a`.
fn numbers_exclude(a_op: Op, a: f64, b_op: Op, b: f64) -> bool {
    match a_op {
        // The only candidate is `a` itself.
        Op::Eq => {
            Condition {
                name: "",
                op: b_op,
                literal: Literal::Number(b),
            }
            .holds(&Value::Number(a))
                == Some(false)
        }
        Op::Ge => matches!(b_op, Op::Le) && b < a || matches!(b_op, Op::Lt) && b <= a,
        Op::Gt => matches!(b_op, Op::Le | Op::Lt) && b <= a,
        Op::Ne | Op::Le | Op::Lt => false,
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ", self.name, self.op.as_str())?;
        match &self.literal {
            Literal::Bool(value) => write!(f, "{value}"),
            Literal::Number(value) => write!(f, "{value}"),
            Literal::Text(value) => f.write_str(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unknown::UnknownReason;

    fn condition(text: &str) -> Condition {
        let Parsed { op, literal, .. } = parse(text).unwrap();
        Condition { name: "a", op, literal }
    }

    #[test]
    fn reads_what_the_grammar_allows() {
        assert_eq!(parse("ready_count>=3").unwrap().literal, Literal::Number(3.0));
        assert_eq!(parse("state != started").unwrap().literal, Literal::Text("started".into()));
        assert_eq!(parse("a == true").unwrap().op, Op::Eq);
    }

    #[test]
    fn refuses_the_rest_with_a_way_out() {
        for text in [
            "a = true",
            "a",
            "a ==",
            "== true",
            "A == true",
            "a == true && b == true",
            "a > true",
            "a =~ x",
        ] {
            let error = parse(text).expect_err(text);
            assert!(!error.help().is_empty(), "{text}");
        }
    }

    #[test]
    fn unknown_satisfies_neither_side() {
        let unknown = Value::Unknown(UnknownReason::Forbidden);
        assert_eq!(condition("a == true").holds(&unknown), None);
        assert_eq!(condition("a == false").holds(&unknown), None);
        assert_eq!(condition("a != true").holds(&unknown), None);
        assert_eq!(condition("a == 1").holds(&Value::Bool(true)), None, "types are never coerced");
    }

    #[test]
    fn knows_contradictions() {
        for (a, b) in [
            ("a == true", "a == false"),
            ("a == true", "a != true"),
            ("a > 5", "a <= 5"),
            ("a >= 5", "a < 5"),
            ("a == 3", "a > 3"),
            ("a == x", "a == y"),
            ("a == 0", "a == false"),
        ] {
            assert!(condition(a).contradicts(&condition(b)), "{a} and {b}");
            assert!(condition(b).contradicts(&condition(a)), "{b} and {a}");
        }
        for (a, b) in [
            ("a == true", "a != false"),
            ("a > 5", "a < 7"),
            ("a != 3", "a != 4"),
            ("a >= 5", "a <= 5"),
        ] {
            assert!(!condition(a).contradicts(&condition(b)), "{a} and {b}");
        }
    }
}
