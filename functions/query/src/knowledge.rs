//! What the rubrics say about stages and failure classes, as far as readers want to know.

use serde::Serialize;
use serde_json::Value;
use stargate_common::evaluate::rubric::{FailureClass, Rubric, RubricSet};
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
    pub recommended_action: Option<String>,
}

impl From<&RubricSet> for Knowledge {
    fn from(set: &RubricSet) -> Self {
        Self {
            stages: set.rubrics().iter().map(StageInfo::from).collect(),
            classes: set.classes().map(ClassInfo::from).collect(),
        }
    }
}

impl From<&Rubric> for StageInfo {
    fn from(rubric: &Rubric) -> Self {
        Self {
            stage: rubric.stage,
            summary: rubric.summary.clone(),
            timeout_s: rubric.timeout_seconds,
        }
    }
}

impl From<&FailureClass> for ClassInfo {
    fn from(class: &FailureClass) -> Self {
        Self {
            name: class.name.clone(),
            stage: class.stage,
            title: class.title.clone(),
            description: class.description.clone(),
            grade: word(&class.grade),
            area: word(&class.area),
            severity: class.severity,
            recommended_action: class.recommended_action.clone(),
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
