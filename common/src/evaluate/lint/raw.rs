//! A rubric as it is written, with the place of everything a finding may point to.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_yaml::Spanned;

use crate::evaluate::rubric::{Area, ClassGrade};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRubric {
    pub(super) id: Spanned<String>,
    pub(super) version: Spanned<String>,
    pub(super) stage: Spanned<String>,
    pub(super) summary: Spanned<String>,
    pub(super) timeout_seconds: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) entry_criteria: Vec<RawCriterion>,
    pub(super) exit_criteria: Spanned<Vec<RawCriterion>>,
    pub(super) failure_classes: Ordered<RawClass>,
    #[serde(default)]
    pub(super) allowed_remediations: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) forbidden_remediations: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCriterion {
    pub(super) name: Spanned<String>,
    pub(super) description: Spanned<String>,
    #[serde(default = "required_unless_said")]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) optional_until_read: bool,
    pub(super) class: Option<Spanned<String>>,
    pub(super) owner: Option<Spanned<String>>,
}

const fn required_unless_said() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawClass {
    pub(super) title: Spanned<String>,
    pub(super) description: Spanned<String>,
    #[serde(default)]
    pub(super) when: Vec<Spanned<String>>,
    pub(super) recommended_action: Option<Spanned<String>>,
    pub(super) severity: Spanned<u8>,
    pub(super) grade: ClassGrade,
    pub(super) area: Area,
}

/// A map that keeps the order and the places of its keys: order is precedence.
pub(crate) struct Ordered<V>(pub(crate) Vec<(Spanned<String>, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Ordered<V>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
