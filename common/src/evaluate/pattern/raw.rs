//! A file of pattern classes as it is written, with the place of everything a finding may point to.

use serde::Deserialize;
use serde_yaml::Spanned;

use super::Severity;
use crate::evaluate::lint::raw::Ordered;
use crate::evaluate::rubric::Area;

/// `patterns/<source>.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::evaluate) struct RawPatterns {
    /// The source's name, the same as the file's.
    pub(super) source: Spanned<String>,
    /// In order of precedence.
    pub(in crate::evaluate) classes: Ordered<RawPatternClass>,
}

/// One entry of `classes`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::evaluate) struct RawPatternClass {
    /// A few words for a heading.
    pub(super) title: Spanned<String>,
    /// What an operator should know.
    pub(super) description: Spanned<String>,
    /// How bad it is.
    pub(super) severity: Severity,
    /// Who looks after it.
    pub(super) team: Option<String>,
    /// What part of the platform it is about.
    pub(super) area: Area,
    /// For metrics: the query, over a span of time.
    pub(super) query: Option<Spanned<String>>,
    /// Any of these is found in a text of the class.
    pub(in crate::evaluate) patterns: Vec<RawPattern>,
    /// None of these is.
    #[serde(default)]
    pub(in crate::evaluate) unless: Vec<Spanned<String>>,
}

/// One item of `patterns`: an expression, and what shows that it means what it should.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::evaluate) struct RawPattern {
    /// What is searched, whatever the case of letters.
    pub(in crate::evaluate) regex: Spanned<String>,
    /// Texts that it leads from to the class.
    #[serde(default)]
    pub(super) matches: Vec<Spanned<String>>,
    /// Texts much like these that are not of the class.
    #[serde(default)]
    pub(super) near_misses: Vec<Spanned<String>>,
}
