//! Values as templates and operators of several versions write them: numbers as text, `null` for what is not set, one where there may be many.
//!
//! Lenient about the form, strict about the meaning: what is there and cannot be understood is an error of its object, never "not set". Only
//! times that people or templates write may be unreadable without harm.

use std::marker::PhantomData;
use std::ops::Deref;

use chrono::{DateTime, Utc};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// An object, list or map; `null` is an empty one.
#[derive(Debug, Default)]
pub(super) struct Or<T>(pub(super) T);

impl<T> Deref for Or<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Or<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::<T>::deserialize(deserializer)?.unwrap_or_default()))
    }
}

/// A scalar of any type.
enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Other,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E: Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::Null)
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Bool(value))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar::Int(value))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Scalar, E> {
                Ok(i64::try_from(value).map_or(Scalar::Other, Scalar::Int))
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(value.to_owned()))
            }
            fn visit_string<E: Error>(self, value: String) -> Result<Scalar, E> {
                Ok(Scalar::Text(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A text; numbers and booleans are taken as they are written.
#[derive(Debug, Default, Clone)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Null => String::new(),
            Scalar::Bool(value) => value.to_string(),
            Scalar::Int(value) => value.to_string(),
            Scalar::Text(value) => value,
            Scalar::Other => return Err(D::Error::custom("a text was expected")),
        }))
    }
}

/// A whole number, also as text.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Int(pub(super) Option<i64>);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = match Scalar::deserialize(deserializer)? {
            Scalar::Null => return Ok(Self(None)),
            Scalar::Int(value) => Some(value),
            Scalar::Text(text) if text.trim().is_empty() => return Ok(Self(None)),
            Scalar::Text(text) => text.trim().parse().ok(),
            Scalar::Bool(_) | Scalar::Other => None,
        };
        value
            .map(|value| Self(Some(value)))
            .ok_or_else(|| D::Error::custom("a whole number was expected"))
    }
}

/// Yes or no, also as the text of a template.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Flag(pub(super) Option<bool>);

impl Flag {
    pub(super) fn is_set(self) -> bool {
        self.0 == Some(true)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = match Scalar::deserialize(deserializer)? {
            Scalar::Null => return Ok(Self(None)),
            Scalar::Bool(value) => Some(value),
            Scalar::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "" => return Ok(Self(None)),
                "true" | "yes" => Some(true),
                "false" | "no" => Some(false),
                _ => None,
            },
            Scalar::Int(_) | Scalar::Other => None,
        };
        value
            .map(|value| Self(Some(value)))
            .ok_or_else(|| D::Error::custom("true or false was expected"))
    }
}

/// A time that a template may have written; an unreadable one is none.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Time(pub(super) Option<DateTime<Utc>>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Text(text) => text.trim().parse().ok(),
            Scalar::Null | Scalar::Bool(_) | Scalar::Int(_) | Scalar::Other => None,
        }))
    }
}

/// A duration such as `4h`, `1h30m`, `2d`, or seconds; an unreadable one is none.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Span(pub(super) Option<i64>);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Int(seconds) => Some(seconds),
            Scalar::Text(text) => seconds(&text),
            Scalar::Null | Scalar::Bool(_) | Scalar::Other => None,
        }))
    }
}

/// Seconds of a duration: `90`, `90s`, `4h`, `1h30m`, `1d 12h`, `1:30:00`.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    if text.contains(':') {
        let parts: Option<Vec<i64>> = text.split(':').map(|part| part.parse().ok()).collect();
        return match parts?.as_slice() {
            [minutes, seconds] => minutes.checked_mul(60)?.checked_add(*seconds),
            [hours, minutes, seconds] => hours
                .checked_mul(3600)?
                .checked_add(minutes.checked_mul(60)?)?
                .checked_add(*seconds),
            _ => None,
        };
    }
    let mut total: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?.trim_start();
        let unit = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let factor = match rest.get(..unit)? {
            "w" => 604_800,
            "d" | "day" | "days" => 86_400,
            "h" | "hour" | "hours" => 3600,
            "m" | "min" | "minute" | "minutes" => 60,
            "s" | "sec" | "second" | "seconds" => 1,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = rest.get(unit..)?.trim_start();
    }
    (!text.is_empty()).then_some(total)
}

/// One, or a list of them.
#[derive(Debug)]
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = Many<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object or a list of objects")
            }
            fn visit_unit<E: Error>(self) -> Result<Many<T>, E> {
                Ok(Many(Vec::new()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Many<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Many)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Many<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|one| Many(vec![one]))
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, expected) in [
            ("4h", Some(14_400)),
            ("1h30m", Some(5400)),
            ("1d 12h", Some(129_600)),
            ("90", Some(90)),
            ("1:30:00", Some(5400)),
            ("2:05", Some(125)),
            ("", None),
            ("h", None),
            ("4x", None),
            ("soon", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn lenient_in_form_and_strict_in_meaning() {
        assert_eq!(serde_json::from_str::<Int>("\"41872\"").unwrap().0, Some(41_872));
        assert_eq!(serde_json::from_str::<Int>("null").unwrap().0, None);
        assert!(serde_json::from_str::<Int>("\"many\"").is_err());
        assert_eq!(serde_json::from_str::<Flag>("\"False\"").unwrap().0, Some(false));
        assert!(serde_json::from_str::<Flag>("{\"a\":1}").is_err());
        assert_eq!(
            serde_json::from_str::<Time>("\"2031-03-04T09:00:00Z\"")
                .unwrap()
                .0
                .unwrap()
                .to_rfc3339(),
            "2031-03-04T09:00:00+00:00"
        );
        assert_eq!(serde_json::from_str::<Time>("\"{{ when }}\"").unwrap().0, None);
        assert_eq!(serde_json::from_str::<Text>("12").unwrap().0, "12");
        assert!(serde_json::from_str::<Text>("[1]").is_err());
        assert_eq!(serde_json::from_str::<Many<i64>>("[1,2]").unwrap().0, [1, 2]);
    }
}
