//! A rubric set as it is written, with the place of everything a finding may point to.
//!
//! These structs are the format of the files: unknown and doubled fields are refused. They can be cloned, changed and compiled
//! ([`RubricSet::from_raw`](crate::evaluate::rubric::RubricSet::from_raw)) without going through text again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_yaml::Spanned;

use crate::evaluate::catalog::RawAction;
use crate::evaluate::kind::RawKinds;
use crate::evaluate::pattern::{Patterns, RawPatterns, Source};
use crate::evaluate::rubric::{Area, ClassGrade};
use crate::evaluate::subclass::RawSubClasses;
use crate::stage::Stage;

/// The files of a set, read but not yet checked.
#[derive(Debug, Clone, Default)]
pub struct RawSet {
    /// One per stage.
    pub rubrics: BTreeMap<Stage, RawFile<RawRubric>>,
    /// `labs/<name>/rubric.yaml`, by folder.
    pub labs: BTreeMap<String, RawFile<RawLab>>,
    /// `sub-classes.yaml`.
    pub sub_classes: Option<RawFile<RawSubClasses>>,
    /// `kinds.yaml`.
    pub kinds: Option<RawFile<RawKinds>>,
    /// `remediations/<action>/action.yaml`, by folder.
    pub actions: BTreeMap<String, RawFile<RawAction>>,
    /// `patterns/<source>.yaml`. These depend on no other file and are costly to compile, so they come compiled.
    pub patterns: Patterns,
    /// The same as they are written.
    pub(in crate::evaluate) pattern_files: BTreeMap<Source, Arc<RawFile<RawPatterns>>>,
    /// Version of the set: a hash over the texts but those of actions, which stays when the set is changed here.
    pub version: String,
}

/// One file of a set.
#[derive(Debug, Clone)]
pub struct RawFile<T> {
    /// Path, as the caller named it.
    pub path: Arc<str>,
    /// SHA-256 of the text, hexadecimal.
    pub hash: String,
    /// What it says.
    pub content: T,
}

/// `<stage>/rubric.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRubric {
    /// The stage's name, the same as the folder's.
    pub id: Spanned<String>,
    /// Semantic version, for people.
    pub version: Spanned<String>,
    /// The stage it judges.
    pub stage: Spanned<String>,
    /// What it looks for, why, when a fix is unsafe, where the numbers come from.
    pub summary: Spanned<String>,
    /// Settle budget: how long something may be on its way.
    pub timeout_seconds: Option<Spanned<u32>>,
    /// Checked first, in order.
    #[serde(default)]
    pub entry_criteria: Vec<RawCriterion>,
    /// All checked.
    pub exit_criteria: Spanned<Vec<RawCriterion>>,
    /// In order of precedence.
    pub failure_classes: Ordered<RawClass>,
    /// Actions that may be offered.
    #[serde(default)]
    pub allowed_remediations: Vec<Spanned<String>>,
    /// Actions that must never be offered.
    #[serde(default)]
    pub forbidden_remediations: Vec<Spanned<String>>,
}

/// `labs/<name>/rubric.yaml`: what a lab adds to a stage.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawLab {
    /// Its name, the same as the folder's.
    pub id: Spanned<String>,
    /// Semantic version, for people.
    pub version: Spanned<String>,
    /// The stage it adds to.
    pub extends: Spanned<String>,
    /// What it looks for, why, when a fix is unsafe, where the numbers come from.
    pub summary: Spanned<String>,
    /// Which instances it is about.
    pub applies_to: Spanned<RawAppliesTo>,
    /// All checked, beside those of the stage.
    pub exit_criteria: Spanned<Vec<RawCriterion>>,
    /// In order of precedence, behind those of the stage.
    pub failure_classes: Ordered<RawClass>,
    /// Actions that may be offered.
    #[serde(default)]
    pub allowed_remediations: Vec<Spanned<String>>,
}

/// `applies_to`: all that is written must fit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAppliesTo {
    /// One of these kinds of labs.
    pub kinds: Option<Spanned<Vec<Spanned<String>>>>,
    /// A catalog item that one of these patterns fits.
    pub catalog_items: Option<Spanned<Vec<Spanned<String>>>>,
    /// All these labels on the namespace.
    pub labels: Option<Spanned<Ordered<Spanned<String>>>>,
}

/// One item of `entry_criteria` or `exit_criteria`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawCriterion {
    /// One of the names that the stage observes; with `expr` a name of its own.
    pub name: Spanned<String>,
    /// What it says, for people.
    pub description: Spanned<String>,
    /// What must hold, over the evidence document.
    pub expr: Option<Spanned<String>>,
    /// Who is at fault when `expr` does not hold: a list of records.
    pub members: Option<Spanned<String>>,
    /// How long after the namespace's creation `expr` need not hold yet.
    pub settle_seconds: Option<Spanned<u32>>,
    /// Whether the outcome depends on it.
    #[serde(default = "required_unless_said")]
    pub required: bool,
    /// Whether it changes nothing while nobody reads its source.
    #[serde(default)]
    pub optional_until_read: bool,
    /// What an entry criterion's failure is called.
    pub class: Option<Spanned<String>>,
    /// The earlier stage that states an entry criterion.
    pub owner: Option<Spanned<String>>,
}

const fn required_unless_said() -> bool {
    true
}

/// One entry of `failure_classes`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawClass {
    /// A few words for a heading.
    pub title: Spanned<String>,
    /// What an operator should know.
    pub description: Spanned<String>,
    /// All must hold.
    #[serde(default)]
    pub when: Vec<Spanned<String>>,
    /// Name of an action that looks into it.
    pub recommended_action: Option<Spanned<String>>,
    /// 1 (cosmetic) to 10 (nothing works).
    pub severity: Spanned<u8>,
    /// How loud it is.
    pub grade: ClassGrade,
    /// What part of the platform it is about.
    pub area: Area,
}

/// A map that keeps the order and the places of its keys: order is precedence.
#[derive(Debug, Clone)]
pub struct Ordered<V>(pub Vec<(Spanned<String>, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Ordered<V>;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}
