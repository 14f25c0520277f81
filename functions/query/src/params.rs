//! Query parameters, strictly: repeated means OR, an unknown name or value is an error that names it.
//!
//! A parameter struct derives `Deserialize` with `deny_unknown_fields` and `IntoParams`, so the document and the parser are one
//! text. The deserializer below exists because the usual one keeps only the last of a repeated parameter and says of an error
//! neither which parameter it is about nor what is allowed.

use std::collections::BTreeMap;
use std::fmt::Display;

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::value::SeqDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, VariantAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use stargate_common::stage::Stage;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::{ApiError, Fault};

/// Reads a parameter struct from the pairs of a query string.
///
/// # Errors
/// A parameter is unknown, repeated where it may not be, or has a value that is not allowed.
pub fn parse<P: DeserializeOwned>(pairs: &[(String, String)]) -> Result<P, ApiError> {
    let mut given: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in pairs {
        given.entry(name).or_default().push(value);
    }
    P::deserialize(Given(given)).map_err(|Wrong(fault)| ApiError::Parameter(fault))
}

/// Parameters of an operation that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoParams {}

/// Declares a closed list of words: an enum that parses from them, documents them and gives them back for SQL.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:tt,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}
pub(crate) use words;

/// A stage in a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct StageName(pub Stage);

impl PartialSchema for StageName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Stage::ALL.map(Stage::as_str)))
            .into()
    }
}

impl ToSchema for StageName {}

/// How many rows a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "i64")]
#[schema(value_type = i64, minimum = 1, maximum = 200, default = 50)]
pub struct Limit(u8);

impl Limit {
    /// What needs attention in the first view.
    pub const FIRST_VIEW: Self = Self(10);
    /// As many as a page can hold.
    pub const MOST: Self = Self(200);
    /// The best of a list.
    pub const TOP: Self = Self(3);

    /// As a count.
    #[must_use]
    pub fn rows(self) -> usize {
        self.0.into()
    }

    /// One row more than the page: whether there is more is then known without counting.
    #[must_use]
    pub fn and_one(self) -> i64 {
        i64::from(self.0) + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<i64> for Limit {
    type Error = String;

    fn try_from(rows: i64) -> Result<Self, String> {
        u8::try_from(rows)
            .ok()
            .filter(|rows| (1..=200).contains(rows))
            .map(Self)
            .ok_or_else(|| format!("{rows} is not a number from 1 to 200"))
    }
}

/// A text to search for, 2 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 2, max_length = 100)]
pub struct Needle(String);

impl Needle {
    /// The text in lower case, as Kubernetes writes names.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A `like` pattern that matches what begins with the text, taken literally.
    #[must_use]
    pub fn prefix_pattern(&self) -> String {
        let mut pattern = String::with_capacity(self.0.len() + 1);
        for c in self.0.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        pattern
    }
}

impl TryFrom<String> for Needle {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim().to_lowercase();
        match text.chars().count() {
            // PostgreSQL's text cannot hold NUL; no name has one.
            2..=100 if !text.contains('\0') => Ok(Self(text)),
            length => Err(format!("{length} characters; a search takes 2 to 100")),
        }
    }
}

/// A span of time that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "each variant says itself")]
pub enum Range {
    #[serde(rename = "15m")]
    Minutes15,
    #[serde(rename = "1h")]
    Hour,
    #[serde(rename = "6h")]
    Hours6,
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "7d")]
    Days7,
    #[serde(rename = "30d")]
    Days30,
}

impl Range {
    /// How long it is.
    #[must_use]
    pub const fn length(self) -> TimeDelta {
        match self {
            Self::Minutes15 => TimeDelta::minutes(15),
            Self::Hour => TimeDelta::hours(1),
            Self::Hours6 => TimeDelta::hours(6),
            Self::Day => TimeDelta::days(1),
            Self::Days7 => TimeDelta::days(7),
            Self::Days30 => TimeDelta::days(30),
        }
    }
}

/// Rows are kept and read by day; more than a month at once is what the rollups are for.
const LONGEST: TimeDelta = TimeDelta::days(31);

/// A half-open interval: from `from`, up to but without `to`. `None` is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the interval's two ends")]
pub struct Window {
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

/// The interval that `range` or `from` and `to` ask for; without any, everything that is kept.
///
/// # Errors
/// Both are given, the ends are in the wrong order, or the interval is longer than 31 days.
pub fn window(
    range: Option<Range>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Window, ApiError> {
    let fault = |parameter: &str, code, detail: &str| {
        ApiError::Parameter(Fault {
            parameter: parameter.to_owned(),
            code,
            detail: detail.to_owned(),
            allowed: Vec::new(),
        })
    };
    match (range, from, to) {
        (None, None, None) => Ok(Window { from: None, to: None }),
        (Some(range), None, None) => Ok(Window {
            from: Some(now - range.length()),
            to: None,
        }),
        (Some(_), ..) => Err(fault("range", "conflict", "give either range or from and to, not both")),
        (None, None, Some(_)) => Err(fault("from", "invalid", "to needs a from")),
        (None, Some(from), to) => {
            let end = to.unwrap_or(now);
            if end <= from {
                Err(fault("from", "invalid", "from must be before to"))
            } else if end - from > LONGEST {
                Err(fault("from", "invalid", "the interval is longer than 31 days"))
            } else {
                Ok(Window { from: Some(from), to })
            }
        }
    }
}

/// The error of the deserializer: always about one parameter.
#[derive(Debug)]
struct Wrong(Fault);

impl Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl std::error::Error for Wrong {}

impl Wrong {
    fn new(code: &'static str, parameter: &str, detail: String, allowed: &[&str]) -> Self {
        Self(Fault {
            parameter: parameter.to_owned(),
            code,
            detail,
            allowed: allowed.iter().map(|&word| word.to_owned()).collect(),
        })
    }
}

impl de::Error for Wrong {
    fn custom<T: Display>(message: T) -> Self {
        Self::new("invalid", "", message.to_string(), &[])
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let detail = if expected.is_empty() {
            "is not known: this operation has no parameters".to_owned()
        } else {
            format!("is not known; known are {}", expected.join(", "))
        };
        Self::new("unknown", field, detail, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let detail = format!("{variant:?} is not allowed; allowed are {}", expected.join(", "));
        Self::new("invalid", "", detail, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("invalid", field, "is required".to_owned(), &[])
    }
}

/// The whole query: names to values.
struct Given<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'de> de::Deserializer<'de> for Given<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_map(Pairs {
            rest: self.0.into_iter(),
            current: None,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Pairs<'a> {
    rest: std::collections::btree_map::IntoIter<&'a str, Vec<&'a str>>,
    current: Option<(&'a str, Vec<&'a str>)>,
}

impl<'de> MapAccess<'de> for Pairs<'_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        self.current = self.rest.next();
        match &self.current {
            Some((name, _)) => seed.deserialize((*name).into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        let (name, values) = self.current.take().unwrap_or_default();
        seed.deserialize(Values(&values)).map_err(|Wrong(fault)| {
            Wrong(Fault {
                parameter: name.to_owned(),
                ..fault
            })
        })
    }
}

/// All values of one parameter: a list where a list is wanted, else exactly one.
#[derive(Clone, Copy)]
struct Values<'a>(&'a [&'a str]);

impl<'a> Values<'a> {
    fn only(self) -> Result<&'a str, Wrong> {
        match self.0 {
            [value] => Ok(value),
            _ => Err(Wrong::new("repeated", "", "may be given only once".to_owned(), &[])),
        }
    }

    fn number<T: std::str::FromStr>(self) -> Result<T, Wrong> {
        let value = self.only()?;
        value
            .parse()
            .map_err(|_| Wrong::new("invalid", "", format!("{value:?} is not a number"), &[]))
    }
}

impl<'de> IntoDeserializer<'de, Wrong> for Values<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> de::Deserializer<'de> for Values<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.only()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let mut values = self.0.chunks(1).map(Values);
        visitor.visit_seq(SeqDeserializer::new(&mut values))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.only()? {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            other => Err(Wrong::new(
                "invalid",
                "",
                format!("{other:?} is neither true nor false"),
                &["true", "false"],
            )),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_i64(self.number()?)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_enum(Word(self.only()?))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// One word of a closed list.
struct Word<'a>(&'a str);

impl<'de> EnumAccess<'de> for Word<'_> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Wrong> {
        let variant = seed.deserialize(self.0.into_deserializer())?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _seed: T) -> Result<T::Value, Wrong> {
        Err(de::Error::custom("is a plain word"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _visitor: V) -> Result<V::Value, Wrong> {
        Err(de::Error::custom("is a plain word"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _fields: &'static [&'static str], _visitor: V) -> Result<V::Value, Wrong> {
        Err(de::Error::custom("is a plain word"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Asked {
        cluster: Vec<String>,
        stage: Vec<Stage>,
        limit: Limit,
        q: Option<Needle>,
        top_level: bool,
        since: Option<DateTime<Utc>>,
        id: Option<uuid::Uuid>,
    }

    fn ask(query: &[(&str, &str)]) -> Result<Asked, Fault> {
        let pairs: Vec<_> = query.iter().map(|&(n, v)| (n.to_owned(), v.to_owned())).collect();
        parse(&pairs).map_err(|error| match error {
            ApiError::Parameter(fault) => fault,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn repeated_parameters_are_a_list_and_absent_ones_have_defaults() {
        let asked = ask(&[
            ("cluster", "a"),
            ("limit", "7"),
            ("cluster", "b"),
            ("stage", "route-ready"),
            ("top_level", "true"),
        ])
        .unwrap();
        assert_eq!(asked.cluster, ["a", "b"]);
        assert_eq!(asked.stage, [Stage::RouteReady]);
        assert_eq!(asked.limit.rows(), 7);
        assert!(asked.top_level);
        assert_eq!(ask(&[]).unwrap().limit.rows(), 50);
        let id = "9f0f4a3e-6f4e-4c57-9a34-2f1d0f0a9d10";
        let asked = ask(&[("id", id), ("since", "2026-11-23T06:00:00Z"), ("q", " LB_0001 ")]).unwrap();
        assert_eq!(asked.id.unwrap().to_string(), id);
        assert_eq!(asked.since.unwrap().timestamp(), 1_795_413_600);
        assert_eq!(asked.q.unwrap().prefix_pattern(), "lb\\_0001%");
    }

    #[test]
    fn every_fault_names_the_parameter_and_what_is_allowed() {
        let fault = ask(&[("hours", "3")]).unwrap_err();
        assert_eq!((fault.parameter.as_str(), fault.code), ("hours", "unknown"));
        assert!(fault.allowed.contains(&"cluster".to_owned()));

        let fault = ask(&[("stage", "route-ready"), ("stage", "coffee-ready")]).unwrap_err();
        assert_eq!(
            (fault.parameter.as_str(), fault.code, fault.allowed.len()),
            ("stage", "invalid", 11)
        );

        for (value, says) in [
            ("0", "1 to 200"),
            ("201", "1 to 200"),
            ("-1", "1 to 200"),
            ("x", "not a number"),
            ("", "not a number"),
        ] {
            let fault = ask(&[("limit", value)]).unwrap_err();
            assert_eq!(fault.parameter, "limit");
            assert!(fault.detail.contains(says), "{value}: {}", fault.detail);
        }
        assert_eq!(ask(&[("limit", "1"), ("limit", "2")]).unwrap_err().code, "repeated");
        assert_eq!(ask(&[("q", "a")]).unwrap_err().parameter, "q");
        assert_eq!(ask(&[("id", "7")]).unwrap_err().parameter, "id");
        assert_eq!(ask(&[("since", "yesterday")]).unwrap_err().parameter, "since");
        assert_eq!(ask(&[("top_level", "yes")]).unwrap_err().allowed, ["true", "false"]);
    }

    #[test]
    fn a_window_is_a_range_or_two_ends_of_at_most_a_month() {
        let now: DateTime<Utc> = "2026-11-23T06:00:00Z".parse().unwrap();
        let hours = TimeDelta::hours;
        assert_eq!(window(Some(Range::Hour), None, None, now).unwrap().from, Some(now - hours(1)));
        assert_eq!(window(None, None, None, now).unwrap(), Window { from: None, to: None });
        assert!(window(Some(Range::Hour), Some(now), None, now).is_err());
        assert!(window(None, None, Some(now), now).is_err());
        assert!(window(None, Some(now), Some(now), now).is_err());
        assert!(window(None, Some(now - hours(24 * 32)), None, now).is_err());
        assert!(window(None, Some(now - hours(2)), Some(now), now).is_ok());
    }
}
