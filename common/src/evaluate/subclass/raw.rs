//! `sub-classes.yaml` as it is written, with the place of everything a finding may point to.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_yaml::Spanned;

use super::Confidence;
use crate::evaluate::lint::raw::Ordered;
use crate::evidence::signals::{Signal, SignalSource};

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSubClasses {
    pub(in crate::evaluate) classes: Ordered<RawEntry>,
    /// Whether the examples are left alone: they have been run on the file as it was read, and it was changed on purpose since.
    #[serde(skip)]
    pub(in crate::evaluate) without_examples: bool,
}

/// The rules of one class.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::evaluate) struct RawEntry {
    pub(super) source: Source,
    pub(in crate::evaluate) rules: Vec<RawRule>,
}

/// Where a class is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::evaluate) enum Source {
    /// A rubric of this set.
    Rubric,
    /// A pattern over texts of events.
    Pattern,
}

/// One sub-class.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::evaluate) struct RawRule {
    pub(in crate::evaluate) name: Spanned<String>,
    pub(super) description: String,
    #[serde(default)]
    pub(in crate::evaluate) facts: Vec<Spanned<RawFacts>>,
    pub(in crate::evaluate) pattern: Option<Spanned<String>>,
    pub(super) workload: String,
    pub(in crate::evaluate) auto_fix_confidence: Confidence,
    #[serde(default)]
    pub(super) matches: Vec<Spanned<RawSignal>>,
    #[serde(default)]
    pub(super) near_misses: Vec<Spanned<RawSignal>>,
}

/// What must be true of one signal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::evaluate) struct RawFacts {
    pub(super) kind: Option<String>,
    pub(super) name: Option<Spanned<String>>,
    pub(super) owner_kind: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) exit_code: Option<i64>,
}

/// A signal of an example: a text, or its parts.
#[derive(Debug, Clone)]
pub(in crate::evaluate) struct RawSignal(pub(in crate::evaluate) Signal);

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Parts {
    kind: String,
    name: String,
    owner_kind: String,
    owner: String,
    reason: String,
    exit_code: Option<i64>,
    text: String,
}

impl<'de> Deserialize<'de> for RawSignal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = RawSignal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a map of `kind`, `name`, `owner_kind`, `owner`, `reason`, `exit_code`, `text`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(RawSignal(Signal::from(text)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let Parts {
                    kind,
                    name,
                    owner_kind,
                    owner,
                    reason,
                    exit_code,
                    text,
                } = Parts::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawSignal(Signal {
                    source: SignalSource::State,
                    kind,
                    name,
                    owner_kind,
                    owner,
                    container: String::new(),
                    reason,
                    exit_code,
                    text,
                }))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
