//! Fields as they come: a number as text, text as a number, nothing at all. What cannot be read is none, never zero and never a guess.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// One object of a list, of which single fields are asked for by name. The others are never looked at.
#[derive(Debug, Default)]
pub struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// The object, or none when it is no object.
    #[must_use]
    pub fn of(item: &'a RawValue) -> Option<Self> {
        serde_json::from_str(item.get()).ok().map(Self)
    }

    fn value(&self, name: &str) -> Option<Value> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    /// Text, or a number as text. Empty text is none.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        let text = match self.value(name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// A whole number, also one that came as text.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A count: a whole number that is not negative.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<i64> {
        self.number(name).filter(|count| *count >= 0)
    }

    /// An object within.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<Fields<'a>> {
        Fields::of(self.0.get(name)?)
    }
}
