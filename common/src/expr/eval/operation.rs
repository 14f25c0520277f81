//! Comparing and calculating. Whole numbers and others are compared exactly, not by way of each other.

use std::cmp::Ordering;

use crate::expr::ir::{Arithmetic, Op};
use crate::expr::value::{Truth, Value};
use crate::unknown::UnknownReason;

/// `left op right`.
pub(super) fn compare(op: Op, left: &Value<'_>, right: &Value<'_>) -> Truth {
    Ok(op.accepts(order(left, right)?))
}

/// Whether two values are equal.
pub(super) fn equal(left: &Value<'_>, right: &Value<'_>) -> Truth {
    Ok(order(left, right)?.is_eq())
}

fn order(left: &Value<'_>, right: &Value<'_>) -> Result<Ordering, UnknownReason> {
    match (left, right) {
        (Value::Unknown(reason), _) | (_, Value::Unknown(reason)) => Err(*reason),
        (Value::Bool(left), Value::Bool(right)) => Ok(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Ok(left.cmp(right)),
        (Value::Int(left), Value::Int(right)) => Ok(left.cmp(right)),
        // Something that is not a number is neither more nor less nor equal: there is no answer.
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right).ok_or(UnknownReason::NotComputable),
        (Value::Int(left), Value::Double(right)) => mixed(*left, *right),
        (Value::Double(left), Value::Int(right)) => mixed(*right, *left).map(Ordering::reverse),
        _ => Err(UnknownReason::ParseError),
    }
}

/// The first whole number that does not fit an `i64`, as a double: 2 to the 63rd.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

fn mixed(int: i64, double: f64) -> Result<Ordering, UnknownReason> {
    if double.is_nan() {
        return Err(UnknownReason::NotComputable);
    }
    if double >= BEYOND {
        return Ok(Ordering::Less);
    }
    if double < -BEYOND {
        return Ok(Ordering::Greater);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the fraction is compared next, the range was checked above"
    )]
    let whole = double.trunc() as i64;
    let fraction = 0.0_f64.partial_cmp(&double.fract()).ok_or(UnknownReason::NotComputable)?;
    Ok(int.cmp(&whole).then(fraction))
}

/// `left op right`, or nothing where numbers end.
pub(super) fn calculate<'v>(op: Arithmetic, left: &Value<'v>, right: &Value<'v>) -> Value<'v> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => {
            let result = match op {
                Arithmetic::Add => left.checked_add(*right),
                Arithmetic::Subtract => left.checked_sub(*right),
                Arithmetic::Multiply => left.checked_mul(*right),
                Arithmetic::Divide => left.checked_div(*right),
                Arithmetic::Remainder => left.checked_rem(*right),
            };
            result.map_or(Value::Unknown(UnknownReason::NotComputable), Value::Int)
        }
        (Value::Double(left), Value::Double(right)) => finite(match op {
            Arithmetic::Add => left + right,
            Arithmetic::Subtract => left - right,
            Arithmetic::Multiply => left * right,
            Arithmetic::Divide => left / right,
            Arithmetic::Remainder => f64::NAN,
        }),
        _ => Value::Unknown(UnknownReason::ParseError),
    }
}

fn finite<'v>(number: f64) -> Value<'v> {
    if number.is_finite() {
        Value::Double(number)
    } else {
        Value::Unknown(UnknownReason::NotComputable)
    }
}

/// `-value`.
pub(super) fn negate<'v>(value: &Value<'v>) -> Value<'v> {
    match value {
        Value::Int(value) => value.checked_neg().map_or(Value::Unknown(UnknownReason::NotComputable), Value::Int),
        Value::Double(value) => finite(-value),
        _ => Value::Unknown(UnknownReason::ParseError),
    }
}

/// `double(value)`.
pub(super) fn to_double<'v>(value: &Value<'v>) -> Value<'v> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "what double() is asked to do")]
        Value::Int(value) => Value::Double(*value as f64),
        _ => Value::Unknown(UnknownReason::ParseError),
    }
}
