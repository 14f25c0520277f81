//! Entries as they are written, with the place of everything a finding may point to. Unknown and doubled fields are refused.

use serde::Deserialize;
use serde_yaml::Spanned;

use crate::evaluate::lint::Ordered;

/// `<id>/operation.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEntry {
    pub(super) id: Spanned<String>,
    pub(super) version: Spanned<u32>,
    pub(super) title: Spanned<String>,
    pub(super) description: Spanned<String>,
    pub(super) operation: Spanned<String>,
    pub(super) method: Spanned<String>,
    pub(super) tier: Spanned<u8>,
    pub(super) risk: Spanned<String>,
    pub(super) mode: Spanned<String>,
    pub(super) requires_approval: Spanned<bool>,
    pub(super) scope: Spanned<String>,
    #[serde(default)]
    pub(super) failure_classes: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) signals: Vec<Spanned<String>>,
    pub(super) target: RawTarget,
    pub(super) parameters: Option<Ordered<RawParameter>>,
    pub(super) preconditions: Spanned<Vec<Spanned<String>>>,
    pub(super) verify: RawVerify,
    pub(super) cannot_undo: Spanned<String>,
    pub(super) undo: Option<Spanned<String>>,
    pub(super) cooldown_minutes: Spanned<u32>,
    pub(super) max_attempts: Spanned<u32>,
    pub(super) owner: Spanned<String>,
    pub(super) reviewed_by: Option<Spanned<String>>,
}

/// `target`: how the object is found in evidence.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    pub(super) kinds: Spanned<Vec<Spanned<String>>>,
    pub(super) rule: Spanned<String>,
}

/// One of `parameters`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawParameter {
    pub(super) min: Option<Spanned<i64>>,
    pub(super) max: Option<Spanned<i64>>,
    pub(super) one_of: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) uuid: Option<Spanned<bool>>,
}

/// `verify`: what must be seen afterwards.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVerify {
    pub(super) expect: Spanned<String>,
    #[serde(default)]
    pub(super) stages: Vec<Spanned<String>>,
    pub(super) settle_seconds: Spanned<u32>,
    pub(super) deadline_seconds: Spanned<u32>,
}

/// `<id>/diagnosis.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDiagnosis {
    pub(super) id: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) description: Spanned<String>,
    pub(super) scope: Spanned<String>,
    pub(super) failure_classes: Spanned<Vec<Spanned<String>>>,
    pub(super) reads: Spanned<Vec<Spanned<String>>>,
}
