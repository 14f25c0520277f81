//! Jobs of the AAP controllers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Record, RecordKind};

/// What a job does for a lab.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the action of that name")]
pub enum Phase {
    Provision,
    Destroy,
    Start,
    Stop,
    Status,
    /// None of these, or not to be told.
    #[default]
    Other,
}

/// One job. Source: rhdp-contracts 5. Ids are unique only on their controller.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AapJob {
    /// Host of the controller.
    pub controller: String,
    /// Id on it.
    pub id: i64,
    /// `name`: `<organization> <action name> <uuid>`.
    pub name: String,
    /// What it does.
    pub phase: Phase,
    /// UUID of the subject: the end of the name.
    pub service_uuid: String,
    /// `status`, as received.
    pub status: String,
    /// `created`.
    pub created_at: Option<DateTime<Utc>>,
    /// `started`.
    pub started_at: Option<DateTime<Utc>>,
    /// `finished`.
    pub finished_at: Option<DateTime<Utc>>,
    /// `elapsed`, in whole seconds.
    pub elapsed_s: Option<i64>,
    /// `job_explanation`, redacted and shortened.
    pub explanation: String,
    /// `scm_revision`.
    pub scm_revision: String,
    /// `execution_node`.
    pub execution_node: String,
    /// The task that failed it.
    pub failure: Option<JobFailure>,
}

/// The failing task of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobFailure {
    /// `task`, shortened.
    pub task: String,
    /// `role`.
    pub role: String,
    /// `event_data.task_action`.
    pub module: String,
    /// The message, redacted and shortened. Empty when it is censored.
    pub message: String,
    /// The result was hidden at the controller (`no_log`).
    pub censored: bool,
    /// Failure class by pattern; none when no pattern matches.
    pub class: Option<String>,
    /// The evidence could not be read: why.
    pub unread: String,
}

impl Record for AapJob {
    const KIND: RecordKind = RecordKind::AapJob;

    fn key(&self) -> String {
        format!("{}/{}", self.controller, self.id)
    }
}
