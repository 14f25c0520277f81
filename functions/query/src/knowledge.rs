//! What the rubrics say about stages and failure classes, as far as readers want to know.

use serde::Serialize;
use serde_json::Value;
use stargate_common::evaluate::catalog::Catalog;
use stargate_common::evaluate::rubric::{Criterion, FailureClass, Rubric, RubricSet};
use stargate_common::stage::Stage;

/// Texts of stages and failure classes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Knowledge {
    /// What is said about stages, in any order.
    pub stages: Vec<StageInfo>,
    /// Every failure class.
    pub classes: Vec<ClassInfo>,
}

/// What a rubric says about its stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageInfo {
    /// The stage.
    pub stage: Stage,
    /// What it looks for, why that matters, when a fix is unsafe, where its numbers come from.
    pub summary: String,
    /// How long something may be on its way before it counts as failed, in seconds.
    pub timeout_s: Option<u32>,
    /// What is checked: entry criteria first, each kind in the rubric's order.
    pub criteria: Vec<CriterionInfo>,
}

/// What a rubric says about a criterion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CriterionInfo {
    /// Its name.
    pub name: String,
    /// Whether it is checked before everything else.
    pub is_entry: bool,
    /// Whether the outcome depends on it.
    pub required: bool,
    /// What is expected, in a sentence.
    pub description: String,
}

/// What a rubric says about a failure class.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the rubric's field of that name")]
pub struct ClassInfo {
    pub name: String,
    pub stage: Stage,
    pub title: String,
    pub description: String,
    pub grade: String,
    pub area: String,
    pub severity: u8,
    pub recommended_action: Option<ActionInfo>,
}

/// What looks into a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionInfo {
    /// Its id.
    pub id: String,
    /// A few words.
    pub title: String,
    /// What it looks at, and what to make of it.
    pub description: String,
}

impl From<&RubricSet> for Knowledge {
    fn from(set: &RubricSet) -> Self {
        Self {
            stages: set.rubrics().iter().map(StageInfo::from).collect(),
            classes: set.classes().map(|class| ClassInfo::new(class, &set.catalog)).collect(),
        }
    }
}

impl From<&Rubric> for StageInfo {
    fn from(rubric: &Rubric) -> Self {
        Self {
            stage: rubric.stage,
            summary: rubric.summary.clone(),
            timeout_s: rubric.timeout_seconds,
            criteria: criteria(&rubric.entry, true).chain(criteria(&rubric.exit, false)).collect(),
        }
    }
}

fn criteria(criteria: &[Criterion], is_entry: bool) -> impl Iterator<Item = CriterionInfo> {
    criteria.iter().map(move |criterion| CriterionInfo {
        name: criterion.name.to_string(),
        is_entry,
        required: criterion.required,
        description: criterion.description.clone(),
    })
}

impl ClassInfo {
    fn new(class: &FailureClass, catalog: &Catalog) -> Self {
        let action = |id: &String| ActionInfo {
            id: id.clone(),
            title: catalog.get(id).map_or_else(|| id.clone(), |action| action.title.clone()),
            description: catalog.get(id).map_or_else(String::new, |action| action.description.clone()),
        };
        Self {
            name: class.name.clone(),
            stage: class.stage,
            title: class.title.clone(),
            description: class.description.clone(),
            grade: word(&class.grade),
            area: word(&class.area),
            severity: class.severity,
            recommended_action: class.recommended_action.as_ref().map(action),
        }
    }
}

/// The word that an enum without data is written as.
fn word(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
