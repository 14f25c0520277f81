//! What else is known of a lab that there is advice for: how its stages stand, what was demanded and does not run, what was escalated.
//!
//! All of it is of this lab. A lab without verdicts has none: another lab's are never borrowed.

use serde::{Deserialize, Serialize};

use super::evaluate::Advice;
use crate::stage::Stage;

/// How much surer advice is when a violation explains its stage, in hundredths. Source: readiness-domain 7.4.
const SURER: u8 = 5;
/// Surer than this is nothing, in hundredths.
const SUREST: u8 = 99;

/// What else is known of a lab.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// Stages that were judged on any instance of the lab.
    #[serde(skip_serializing_if = "is_zero")]
    pub stages_judged: usize,
    /// Those of them that pass on every instance.
    #[serde(skip_serializing_if = "is_zero")]
    pub stages_passing: usize,
    /// Stages that fail or warn, in the order of the pipeline.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<FailingStage>,
    /// What was demanded and does not run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// Something of priority 7 or more happened within the last 60 minutes on a cluster that the lab runs on.
    #[serde(skip_serializing_if = "is_false")]
    pub escalated: bool,
    /// What could have made the advice more urgent and is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

/// A stage of a lab that does not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingStage {
    /// Which.
    pub stage: Stage,
    /// Instances on which it fails or warns.
    pub instances: i64,
    /// How the newest of them came out: `fail` or `warn`.
    pub outcome: String,
    /// Its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Criteria that it does not meet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// How many criteria it meets.
    #[serde(default)]
    pub passed: usize,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<chrono::DateTime<chrono::Utc>>,
}

/// A demand of the lab's definition that what runs does not meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Which kind: `showroom_wrong_ref`.
    pub violation: String,
    /// What was demanded.
    pub expected: String,
    /// What runs.
    pub actual: String,
    /// `critical` or `warning`.
    pub severity: String,
    /// The stage that it shows in.
    pub stage: Stage,
    /// What that stage fails with now, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Instances that have it.
    pub instances: i64,
}

/// Makes advice surer when a stage that it is about fails and a violation explains that, and says so. An outcome never changes by it.
pub(super) fn surer(mut advice: Advice, stages: &[Stage]) -> Advice {
    advice.context.doubts.clone_from(&advice.doubts);
    for violation in &mut advice.context.violations {
        let failing = advice.context.failing.iter().find(|failing| failing.stage == violation.stage);
        violation.class = failing.and_then(|failing| failing.class.clone());
    }
    let context = &advice.context;
    let explains = |violation: &&Violation| {
        stages.contains(&violation.stage) && context.failing.iter().any(|failing| failing.stage == violation.stage)
    };
    let mut names: Vec<&str> = context
        .violations
        .iter()
        .filter(explains)
        .map(|violation| violation.violation.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        let names = names.join(", ");
        advice.confidence = advice.confidence.saturating_add(SURER).min(SUREST.max(advice.confidence));
        advice.decision = format!("{}; the definition demands otherwise: {names}", advice.decision);
        advice.key_facts.insert("violations".to_owned(), names);
    }
    advice
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests;
