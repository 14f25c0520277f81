//! Cases as they are written. Names of kinds, reasons, stages, outcomes are checked while reading, so that errors have a place.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_yaml::Spanned;

use super::super::rubric::{Area, ClassGrade};
use super::super::subclass::Confidence;
use super::super::{ClassMatch, LabKind, Outcome};
use super::expect::Others;
use super::time::When;
use crate::evidence::{Declared, Phase};
use crate::objects::JobBacklog;
use crate::objects::{Kind, Reachability};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// A case, or one of its variants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) title: Spanned<String>,
    pub(super) at: Option<Spanned<When>>,
    pub(super) cluster: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) namespace_gone: Option<bool>,
    #[serde(default)]
    pub(super) resources: Vec<Spanned<Value>>,
    #[serde(default)]
    pub(super) without: Vec<Spanned<String>>,
    pub(super) read: Option<Vec<Kind>>,
    #[serde(default)]
    pub(super) not_read: BTreeMap<KindOrAll, UnknownReason>,
    #[serde(default)]
    pub(super) subjects: Vec<Spanned<Value>>,
    #[serde(default)]
    pub(super) probes: Vec<Spanned<Value>>,
    #[serde(default)]
    pub(super) smoke_runs: Vec<Spanned<Value>>,
    pub(super) declared: Option<Declared>,
    pub(super) cluster_facts: Option<ClusterFacts>,
    pub(super) expect: Option<Spanned<RawExpect>>,
    #[serde(default)]
    pub(super) variants: Vec<Self>,
}

/// A kind, or all of the namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KindOrAll {
    All,
    One(Kind),
}

impl<'de> Deserialize<'de> for KindOrAll {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "all" {
            return Ok(Self::All);
        }
        Kind::parse(&text)
            .map(Self::One)
            .ok_or_else(|| de::Error::custom(format!("there is no kind `{text}`; write `all` or one of {}", kinds())))
    }
}

fn kinds() -> String {
    Kind::ALL.map(Kind::as_str).join(", ")
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
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawExpect {
    pub(super) kind: Option<LabKind>,
    pub(super) phase: Option<Phase>,
    #[serde(default)]
    pub(super) others: Others,
    cluster_health: Option<Spanned<RawStage>>,
    run_created: Option<Spanned<RawStage>>,
    provision_complete: Option<Spanned<RawStage>>,
    namespace_ready: Option<Spanned<RawStage>>,
    deployment_ready: Option<Spanned<RawStage>>,
    storage_clone_ready: Option<Spanned<RawStage>>,
    route_ready: Option<Spanned<RawStage>>,
    vm_runtime_ready: Option<Spanned<RawStage>>,
    smoke_test_ready: Option<Spanned<RawStage>>,
    showroom_healthy: Option<Spanned<RawStage>>,
    model_endpoint_ready: Option<Spanned<RawStage>>,
}

impl RawExpect {
    /// The stages that are listed, in pipeline order.
    pub(super) fn stages(&self) -> impl Iterator<Item = (Stage, &Spanned<RawStage>)> {
        let Self {
            kind: _,
            phase: _,
            others: _,
            cluster_health,
            run_created,
            provision_complete,
            namespace_ready,
            deployment_ready,
            storage_clone_ready,
            route_ready,
            vm_runtime_ready,
            smoke_test_ready,
            showroom_healthy,
            model_endpoint_ready,
        } = self;
        let listed = [
            cluster_health,
            run_created,
            provision_complete,
            namespace_ready,
            deployment_ready,
            storage_clone_ready,
            route_ready,
            vm_runtime_ready,
            smoke_test_ready,
            showroom_healthy,
            model_endpoint_ready,
        ];
        Stage::ALL
            .into_iter()
            .zip(listed)
            .filter_map(|(stage, said)| Some((stage, said.as_ref()?)))
    }
}

/// What is expected of one stage.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFields {
    pub(super) outcome: Outcome,
    pub(super) reason: Option<RawReason>,
    pub(super) class: Option<String>,
    pub(super) class_match: Option<ClassMatch>,
    pub(super) pattern_class: Option<String>,
    pub(super) sub_class: Option<String>,
    pub(super) recommended_action: Option<String>,
    pub(super) severity: Option<u8>,
    pub(super) grade: Option<ClassGrade>,
    pub(super) area: Option<Area>,
    pub(super) auto_fix_confidence: Option<Confidence>,
    pub(super) message: Option<String>,
    pub(super) until: Option<When>,
    pub(super) failing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) excluded: Vec<String>,
    #[serde(default)]
    pub(super) criteria: BTreeMap<String, RawValue>,
}

/// `pass`, or a map.
#[derive(Debug, Clone)]
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
                    excluded: Vec::new(),
                    criteria: BTreeMap::new(),
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
        let skipped = matches!(text.as_str(), "not_applicable" | "destroying" | "terminating" | "kind_unknown");
        let blocked = text.strip_prefix("blocked_by:").is_some_and(|stage| Stage::parse(stage).is_some());
        if skipped || blocked || unknown(&text).is_some() {
            return Ok(Self(text));
        }
        Err(de::Error::custom(format!(
            "there is no reason `{text}`; write blocked_by:<stage>, not_applicable, destroying, kind_unknown, or one of {}",
            UnknownReason::ALL.map(UnknownReason::as_str).join(", ")
        )))
    }
}

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
            let reasons = UnknownReason::ALL.map(UnknownReason::as_str).join(", ");
            de::Error::custom(format!(
                "a criterion is true, false, or unknown for a reason, not {value}; reasons are {reasons}"
            ))
        })
    }
}

fn unknown(text: &str) -> Option<UnknownReason> {
    UnknownReason::ALL.into_iter().find(|reason| reason.as_str() == text)
}
