//! What expressions may talk about: types, records, variables, and a sentence about each for the people who write expressions.

use std::borrow::Cow;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Double,
    /// A text.
    Text,
    /// Texts by name: labels, annotations.
    Map,
    /// An object with named fields.
    Record(&'static RecordType),
    /// Any number of values of one type. There are no lists of lists.
    List(Element),
}

/// The type of what a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the type of that name")]
pub enum Element {
    Bool,
    Int,
    Double,
    Text,
    Map,
    Record(&'static RecordType),
}

impl From<Element> for Type {
    fn from(element: Element) -> Self {
        match element {
            Element::Bool => Self::Bool,
            Element::Int => Self::Int,
            Element::Double => Self::Double,
            Element::Text => Self::Text,
            Element::Map => Self::Map,
            Element::Record(record) => Self::Record(record),
        }
    }
}

impl Type {
    /// The element that this type is, unless it is a list itself.
    #[must_use]
    pub const fn element(self) -> Option<Element> {
        Some(match self {
            Self::Bool => Element::Bool,
            Self::Int => Element::Int,
            Self::Double => Element::Double,
            Self::Text => Element::Text,
            Self::Map => Element::Map,
            Self::Record(record) => Element::Record(record),
            Self::List(_) => return None,
        })
    }

    /// Whether it is a number.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool => f.pad("bool"),
            Self::Int => f.pad("int"),
            Self::Double => f.pad("double"),
            Self::Text => f.pad("string"),
            Self::Map => f.pad("map(string, string)"),
            Self::Record(record) => f.pad(record.name),
            Self::List(element) => f.pad(&format!("list({})", Self::from(*element))),
        }
    }
}

/// An object with named fields.
#[derive(Debug)]
pub struct RecordType {
    /// What one is called, for example `Pod`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    /// Its fields, in the order of their index.
    pub fields: &'static [Field],
}

impl PartialEq for RecordType {
    /// Records are told apart by name.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for RecordType {}

impl RecordType {
    /// Index and declaration of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(usize, &'static Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }
}

/// A field of a record.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// What it says, in a sentence; also when it is absent.
    pub doc: &'static str,
}

/// Something that a document knows by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its type.
    pub ty: Type,
    /// What it is, in a sentence.
    pub doc: Cow<'static, str>,
}

impl Variable {
    /// A variable that is known when the program is built.
    #[must_use]
    pub const fn fixed(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            ty,
            doc: Cow::Borrowed(doc),
        }
    }
}

/// The variables that expressions may mention. A document hands them out by their index.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schema {
    /// In the order of their index. Of two that have the same name the first counts.
    pub variables: Vec<Variable>,
}

impl Schema {
    /// Index and declaration of a variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<(usize, &Variable)> {
        self.variables.iter().enumerate().find(|(_, variable)| variable.name == name)
    }
}

impl FromIterator<Variable> for Schema {
    fn from_iter<I: IntoIterator<Item = Variable>>(variables: I) -> Self {
        Self {
            variables: variables.into_iter().collect(),
        }
    }
}

/// Declares a record type and how its fields are read from a Rust type, in one table, so that they cannot drift apart.
///
/// ```text
/// record! {
///     /// For rustdoc.
///     pub static POD for Pod as "Pod", called |pod| ("Pod", &pod.name), "A pod, for people.";
///     "name": Type::Text, "Name of the pod." => |pod, _| Value::text(&pod.name);
/// }
/// ```
macro_rules! record {
    (
        $(#[$meta:meta])*
        $visibility:vis static $table:ident for $rust:ty as $name:literal, called $called:expr, $doc:literal;
        $($field:literal: $ty:expr, $field_doc:literal => $get:expr;)+
    ) => {
        $(#[$meta])*
        $visibility static $table: $crate::expr::RecordType = $crate::expr::RecordType {
            name: $name,
            doc: $doc,
            fields: &[$($crate::expr::Field { name: $field, ty: $ty, doc: $field_doc }),+],
        };

        impl $crate::expr::Object for $rust {
            fn record(&self) -> &'static $crate::expr::RecordType {
                &$table
            }

            fn field(&self, index: usize, now: chrono::DateTime<chrono::Utc>) -> $crate::expr::Value<'_> {
                type Get = for<'v> fn(&'v $rust, chrono::DateTime<chrono::Utc>) -> $crate::expr::Value<'v>;
                const GETTERS: &[Get] = &[$($get),+];
                GETTERS.get(index).map_or($crate::expr::Value::ABSENT, |get| get(self, now))
            }

            fn identity(&self) -> (&str, &str) {
                const CALLED: for<'v> fn(&'v $rust) -> (&'v str, &'v str) = $called;
                CALLED(self)
            }
        }
    };
}

pub(crate) use record;
