//! What the provisioning systems say about an instance. The sources come with `jobs/collect`; the vocabulary is here
//! because readiness already judges by it. Only named fields: these objects carry credentials.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The facts of one AnarchySubject that criteria read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Subject {
    /// Name of the subject on the control plane.
    pub name: String,
    /// `spec.vars.current_state`; empty when unset.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub current_state: String,
    /// `spec.vars.desired_state`, else `default_desired_state`; empty when neither is set.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub desired_state: String,
    /// `status.towerJobs.provision.jobStatus`; empty when there is no job.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub provision_job_status: String,
    /// The provision job, as `controller/id`; empty when there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub provision_job: String,
    /// When the provision job ended, well or badly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provision_job_completed_at: Option<DateTime<Utc>>,
    /// Whether `status.sandboxAPIJobs.provision` is present.
    pub sandbox_api_job: bool,
    /// `spec.vars.healthy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
    /// `status.runStatus`: the last run of any action.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub run_status: String,
    /// Creation time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When the current state was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_since: Option<DateTime<Utc>>,
    /// The subject itself is being deleted: it does not count.
    pub deleting: bool,
}

/// One Demolition smoke run of a lab.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmokeRun {
    /// Id in Demolition; newer is larger.
    pub id: i64,
    /// Workers that took part.
    pub workers: i64,
    /// Simulated learners in all.
    pub total: i64,
    /// Learners that finished.
    pub completed: i64,
    /// Learners that failed.
    pub failed: i64,
    /// Whether all assertions held; `None` when none were declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertions_passed: Option<bool>,
    /// When it ended, or the earliest time it can have ended; `None`: nobody knows how old it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
    /// That it is about this lab is a guess: by the text of its name.
    #[serde(skip_serializing_if = "is_false")]
    pub guessed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
