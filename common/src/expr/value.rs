//! Values while an expression is evaluated: borrowed from the document, computed when a field is asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{DateTime, Utc};

use super::schema::RecordType;
use crate::unknown::UnknownReason;

/// A yes, a no, or why there is neither.
pub type Truth = Result<bool, UnknownReason>;

/// What an expression or a part of it yields.
#[derive(Debug, Clone)]
pub enum Value<'v> {
    /// Not known, and why.
    Unknown(UnknownReason),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// A text.
    Text(Cow<'v, str>),
    /// Texts by name.
    Map(&'v dyn Entries),
    /// An object.
    Record(&'v dyn Object),
    /// Values of one type.
    List(List<'v>),
}

impl<'v> Value<'v> {
    /// A field, key or element that is not there.
    pub const ABSENT: Self = Self::Unknown(UnknownReason::MissingField);

    /// A text.
    #[must_use]
    pub const fn text(text: &'v str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A text that is absent when it is empty, as the API leaves out what is not set.
    #[must_use]
    pub const fn text_if_set(text: &'v str) -> Self {
        if text.is_empty() { Self::ABSENT } else { Self::text(text) }
    }

    /// Whatever is there, or [`Value::ABSENT`].
    #[must_use]
    pub fn or_absent<T>(value: Option<T>, of: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::ABSENT, of)
    }

    /// A whole number of things.
    #[must_use]
    pub fn count(count: usize) -> Self {
        i64::try_from(count).map_or(Self::Unknown(UnknownReason::NotComputable), Self::Int)
    }

    /// Whole seconds since a moment, which is absent when nobody noted it.
    #[must_use]
    pub fn seconds_since(moment: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        moment.map_or(Self::ABSENT, |moment| Self::Int((now - moment).num_seconds()))
    }

    /// A complete list that the document keeps.
    #[must_use]
    pub fn list(items: &'v dyn Sequence) -> Self {
        Self::List(List::of(items, None))
    }
}

/// A list: what is known of it, and why there may be more.
#[derive(Debug, Clone)]
pub struct List<'v> {
    items: Items<'v>,
    /// Why the list may have more items than these, or `None` when these are all.
    pub missing: Option<UnknownReason>,
}

#[derive(Debug, Clone)]
enum Items<'v> {
    Kept(&'v dyn Sequence),
    Made(Rc<[Value<'v>]>),
}

impl<'v> List<'v> {
    /// A list that the document keeps.
    #[must_use]
    pub const fn of(items: &'v dyn Sequence, missing: Option<UnknownReason>) -> Self {
        Self {
            items: Items::Kept(items),
            missing,
        }
    }

    /// A list that was made for the occasion.
    #[must_use]
    pub fn made(items: impl IntoIterator<Item = Value<'v>>, missing: Option<UnknownReason>) -> Self {
        Self {
            items: Items::Made(items.into_iter().collect()),
            missing,
        }
    }

    /// How many items are known.
    #[must_use]
    pub fn known(&self) -> usize {
        match &self.items {
            Items::Kept(items) => items.count(),
            Items::Made(items) => items.len(),
        }
    }

    /// One of the known items.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value<'v>> {
        match &self.items {
            Items::Kept(items) => items.item(index),
            Items::Made(items) => items.get(index).cloned(),
        }
    }
}

/// An object with named fields, as its [`RecordType`] declares them.
pub trait Object: std::fmt::Debug {
    /// Which record it is.
    fn record(&self) -> &'static RecordType;

    /// The field of that index. `now` is the time of the evaluation, for ages.
    fn field(&self, index: usize, now: DateTime<Utc>) -> Value<'_>;

    /// How people call this one: kind and name.
    fn identity(&self) -> (&str, &str);
}

/// Items that a document keeps in one place.
pub trait Sequence: std::fmt::Debug {
    /// How many there are.
    fn count(&self) -> usize;

    /// One of them.
    fn item(&self, index: usize) -> Option<Value<'_>>;
}

impl<T: Object> Sequence for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).map(|object| Value::Record(object))
    }
}

impl Sequence for Vec<String> {
    fn count(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).map(|text| Value::text(text))
    }
}

/// Texts by name.
pub trait Entries: std::fmt::Debug {
    /// The text of that name, if there is one.
    ///
    /// # Errors
    /// Why that is not known.
    fn entry(&self, name: &str) -> Result<Option<&str>, UnknownReason>;

    /// How many there are.
    ///
    /// # Errors
    /// Why that is not known.
    fn count(&self) -> Result<usize, UnknownReason>;
}

impl Entries for BTreeMap<String, String> {
    fn entry(&self, name: &str) -> Result<Option<&str>, UnknownReason> {
        Ok(self.get(name).map(String::as_str))
    }

    fn count(&self) -> Result<usize, UnknownReason> {
        Ok(self.len())
    }
}

/// What an expression is about: the variables of its schema, by their index there.
pub trait Document {
    /// The variable of that index.
    fn variable(&self, index: usize) -> Value<'_>;

    /// Time of the evaluation.
    fn now(&self) -> DateTime<Utc>;
}
