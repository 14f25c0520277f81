//! Cases as they are written. Names of kinds, reasons, stages, outcomes are checked while reading, so that errors have a place.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_yaml::Spanned;

use super::super::lint::Ordered;
use super::super::rubric::{Area, ClassGrade};
use super::super::subclass::Confidence;
use super::super::{ClassMatch, LabKind, Outcome};
use super::expect::Others;
use super::time::When;
use crate::evidence::{Declared, Phase};
use crate::objects::JobBacklog;
use crate::objects::{Kind, Reachability};
use crate::stage::Stage;
use crate::suggest::suggest;
use crate::unknown::UnknownReason;

/// A case, or one of its variants.
///
/// A field that is there says something: `expect:` with nothing after it is refused, not taken as left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) title: Spanned<String>,
    #[serde(default, deserialize_with = "said")]
    pub(super) at: Option<Spanned<When>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) cluster: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) namespace: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) namespace_gone: Option<Spanned<bool>>,
    #[serde(default)]
    pub(super) resources: Vec<Spanned<Value>>,
    #[serde(default)]
    pub(super) without: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) no_effect: Vec<Spanned<String>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) read: Option<Spanned<Vec<Spanned<Kind>>>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) not_read: Option<Ordered<UnknownReason>>,
    #[serde(default)]
    pub(super) subjects: Vec<Spanned<Value>>,
    #[serde(default)]
    pub(super) probes: Vec<Spanned<Value>>,
    #[serde(default)]
    pub(super) smoke_runs: Vec<Spanned<Value>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) declared: Option<Spanned<Declared>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) cluster_facts: Option<Spanned<ClusterFacts>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) evidence: Option<Spanned<Ordered<Ordered<RawObservation>>>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) expect: Option<Spanned<RawExpect>>,
    #[serde(default)]
    pub(super) variants: Vec<Self>,
}

/// A field that is there, also when nothing stands after it.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A kind, or all of the namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KindOrAll {
    All,
    One(Kind),
}

impl KindOrAll {
    /// The kind of that name, or `all`; else what to write.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let names = Kind::ALL.map(Kind::as_str).into_iter().chain(["all"]);
        Kind::parse(text)
            .map(Self::One)
            .ok_or_else(|| format!("there is no kind `{text}`; {}", suggest(text, names)))
    }
}

/// What is said of the cluster itself, besides its objects.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterFacts {
    #[serde(default)]
    reachable: Asked,
    pub(super) critical_alerts: Option<Vec<String>>,
    pub(super) job_backlogs: Option<Vec<JobBacklog>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    asked: bool,
    answered: bool,
    authorized: bool,
    detail: String,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            asked: true,
            answered: true,
            authorized: true,
            detail: String::new(),
        }
    }
}

impl ClusterFacts {
    pub(super) fn reachability(&self) -> Option<Reachability> {
        let Asked {
            asked,
            answered,
            authorized,
            detail,
        } = &self.reachable;
        asked.then(|| Reachability {
            answered: *answered,
            authorized: *answered && *authorized,
            detail: detail.clone(),
        })
    }
}

/// What is expected, per stage and of the whole.
#[derive(Default)]
pub(super) struct RawExpect {
    pub(super) kind: Option<LabKind>,
    pub(super) phase: Option<Phase>,
    pub(super) others: Others,
    /// The stages that are listed, in pipeline order.
    pub(super) stages: BTreeMap<Stage, Spanned<RawStage>>,
}

impl<'de> Deserialize<'de> for RawExpect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = RawExpect;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of stages")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawExpect, A::Error> {
                let mut expect = RawExpect::default();
                while let Some(field) = map.next_key::<String>()? {
                    match field.as_str() {
                        "kind" => expect.kind = Some(map.next_value()?),
                        "phase" => expect.phase = Some(map.next_value()?),
                        "others" => expect.others = map.next_value()?,
                        name => {
                            let stage = Stage::parse(name).ok_or_else(|| {
                                let known = Stage::ALL.into_iter().map(Stage::as_str).chain(["kind", "phase", "others"]);
                                de::Error::custom(format!("there is no stage `{name}`; {}", suggest(name, known)))
                            })?;
                            expect.stages.insert(stage, map.next_value()?);
                        }
                    }
                }
                Ok(expect)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// What is expected of one stage.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFields {
    pub(super) outcome: Outcome,
    #[serde(default, deserialize_with = "said")]
    pub(super) reason: Option<RawReason>,
    #[serde(default, deserialize_with = "said")]
    pub(super) class: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) class_match: Option<ClassMatch>,
    #[serde(default, deserialize_with = "said")]
    pub(super) pattern_class: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) sub_class: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) recommended_action: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) severity: Option<u8>,
    #[serde(default, deserialize_with = "said")]
    pub(super) grade: Option<ClassGrade>,
    #[serde(default, deserialize_with = "said")]
    pub(super) area: Option<Area>,
    #[serde(default, deserialize_with = "said")]
    pub(super) auto_fix_confidence: Option<Confidence>,
    #[serde(default, deserialize_with = "said")]
    pub(super) message: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) until: Option<When>,
    #[serde(default, deserialize_with = "said")]
    pub(super) failing: Option<Spanned<Vec<String>>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) excluded: Option<Spanned<Vec<String>>>,
    #[serde(default, deserialize_with = "said")]
    pub(super) criteria: Option<Spanned<Ordered<RawValue>>>,
}

/// `pass`, or a map.
pub(super) struct RawStage(pub(super) RawFields);

impl<'de> Deserialize<'de> for RawStage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = RawStage;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an outcome, or a map with `outcome`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawStage, E> {
                let outcome = Outcome::deserialize(de::value::StrDeserializer::<E>::new(text))?;
                Ok(RawStage(RawFields {
                    outcome,
                    reason: None,
                    class: None,
                    class_match: None,
                    pattern_class: None,
                    sub_class: None,
                    recommended_action: None,
                    severity: None,
                    grade: None,
                    area: None,
                    auto_fix_confidence: None,
                    message: None,
                    until: None,
                    failing: None,
                    excluded: None,
                    criteria: None,
                }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawStage, A::Error> {
                RawFields::deserialize(de::value::MapAccessDeserializer::new(map)).map(RawStage)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// A reason, as verdicts print it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawReason(pub(super) String);

impl<'de> Deserialize<'de> for RawReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let skipped = SKIPPED.contains(&text.as_str());
        let blocked = text.strip_prefix("blocked_by:").is_some_and(|stage| Stage::parse(stage).is_some());
        if skipped || blocked || unknown(&text).is_some() {
            return Ok(Self(text));
        }
        let words = UnknownReason::ALL.map(UnknownReason::as_str).into_iter().chain(SKIPPED);
        Err(de::Error::custom(format!(
            "there is no reason `{text}`; write blocked_by:<stage>, or {}",
            suggest(&text, words)
        )))
    }
}

/// Why a stage does not apply.
const SKIPPED: [&str; 4] = ["not_applicable", "destroying", "terminating", "kind_unknown"];

/// What a criterion is expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RawValue {
    Known(bool),
    Unknown(UnknownReason),
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let read = match &value {
            Value::Bool(known) => Some(Self::Known(*known)),
            Value::String(text) => unknown(text).map(Self::Unknown),
            _ => None,
        };
        read.ok_or_else(|| {
            let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let known = UnknownReason::ALL.map(UnknownReason::as_str).into_iter().chain(["true", "false"]);
            de::Error::custom(format!(
                "a criterion is true, false, or unknown for a reason, not `{word}`; {}",
                suggest(&word, known)
            ))
        })
    }
}

/// What evidence says of one name: `false`, `12.5`, a word, `{unknown: forbidden}`, `{value: false, failing: [Pod/web-1]}`; for
/// `signals` a list of texts, or of what members say in parts: `{kind: Pod, name: web-1, reason: OOMKilled}`.
pub(super) enum RawObservation {
    Plain(Value),
    List(Vec<Value>),
    Full(RawFull),
}

/// An observation with its members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFull {
    #[serde(default, deserialize_with = "said")]
    pub(super) value: Option<Value>,
    #[serde(default, deserialize_with = "said")]
    pub(super) unknown: Option<UnknownReason>,
    #[serde(default)]
    pub(super) failing: Vec<String>,
    #[serde(default)]
    pub(super) excluded: Vec<String>,
    #[serde(default, deserialize_with = "said")]
    pub(super) until: Option<When>,
}

impl<'de> Deserialize<'de> for RawObservation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match value {
            Value::Object(_) => RawFull::deserialize(value).map(Self::Full).map_err(de::Error::custom),
            Value::Array(items) => Ok(Self::List(items)),
            Value::Null => Err(de::Error::custom(
                "nothing is said: write true, false, a number, a word, or {unknown: <reason>}",
            )),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(Self::Plain(value)),
        }
    }
}

fn unknown(text: &str) -> Option<UnknownReason> {
    UnknownReason::ALL.into_iter().find(|reason| reason.as_str() == text)
}
