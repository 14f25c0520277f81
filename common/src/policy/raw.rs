//! A rule as it is written, with the place of everything a finding may point to. Unknown and doubled fields are refused.

use serde::Deserialize;
use serde_yaml::Spanned;

use crate::evaluate::lint::Ordered;

/// `<rule>/rule.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) id: Spanned<String>,
    pub(super) scope: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) summary: Spanned<String>,
    pub(super) sources: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) evidence: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) stages: Vec<Spanned<String>>,
    pub(super) thresholds: Option<Ordered<Spanned<serde_json::Number>>>,
    #[serde(default)]
    pub(super) needs: Vec<Spanned<String>>,
    pub(super) when: Spanned<String>,
    #[serde(default)]
    pub(super) table: Vec<RawRow>,
    #[serde(default)]
    pub(super) urgency_rules: Vec<RawStep<String>>,
    pub(super) urgency: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) confidence_rules: Vec<RawStep<f64>>,
    pub(super) confidence: Option<Spanned<f64>>,
    #[serde(default)]
    pub(super) decision_rules: Vec<RawStep<String>>,
    pub(super) decision: Spanned<String>,
    #[serde(default)]
    pub(super) key_facts: Vec<Spanned<String>>,
}

/// One item of `urgency_rules`, `confidence_rules` or `decision_rules`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep<T> {
    pub(super) when: Spanned<String>,
    pub(super) value: Spanned<T>,
}

/// One row of `table`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRow {
    pub(super) name: Spanned<String>,
    pub(super) when: Option<Spanned<String>>,
    pub(super) recommend: bool,
    pub(super) values: Ordered<Spanned<String>>,
}
