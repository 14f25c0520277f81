//! AnarchySubjects: one deployed component of an order each, with the state of its life.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ObjectRef, Record, RecordKind, Window};

/// One AnarchySubject. Source of every field: rhdp-contracts 1.2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnarchySubject {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`: one of several Anarchy namespaces.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.creationTimestamp`.
    pub created_at: Option<DateTime<Utc>>,
    /// `metadata.deletionTimestamp`: since when it is on its way out.
    pub deleting_since: Option<DateTime<Utc>>,
    /// Whether one of Anarchy's own finalizers is there; without one a deleted subject is functionally gone.
    pub anarchy_finalizer: bool,
    /// Other finalizers.
    pub foreign_finalizers: Vec<String>,
    /// The operator is told to leave it alone.
    pub ignored: bool,
    /// `spec.governor`: the component, `account.item.stage`.
    pub governor: String,
    /// `spec.vars.current_state`; empty when the create event is not handled yet.
    pub current_state: String,
    /// `spec.vars.desired_state`, else `default_desired_state`; empty when neither is set.
    pub desired_state: String,
    /// `spec.vars.healthy`.
    pub healthy: Option<bool>,
    /// `spec.vars.action_schedule`.
    pub schedule: Window,
    /// `job_vars.guid`, with the component's index: `k7m2q-1`.
    pub guid: String,
    /// `job_vars.uuid`: unique for ever, the `serviceUuid` label of the namespace.
    pub service_uuid: String,
    /// `job_vars.sandbox_openshift_cluster`: the Sandbox API's name of the cluster.
    pub lab_cluster: String,
    /// `job_vars.sandbox_openshift_api_url`.
    pub lab_api_url: String,
    /// `job_vars.sandbox_openshift_namespace`.
    pub lab_namespace: String,
    /// `job_vars.cloud_provider`.
    pub cloud_provider: String,
    /// Owning handle, from the annotations.
    pub handle: Option<ObjectRef>,
    /// Owning claim, from the annotations; none while unclaimed.
    pub claim: Option<ObjectRef>,
    /// Pool of origin, from the annotations.
    pub pool: Option<ObjectRef>,
    /// Provider, from the annotations.
    pub provider: Option<ObjectRef>,
    /// Index in the handle, from the annotations.
    pub resource_index: Option<i64>,
    /// `status.runStatus`: the last governor run, which says nothing about the job.
    pub run_status: String,
    /// `status.runStatusMessage`, redacted and shortened.
    pub run_message: String,
    /// `status.actions` by action.
    pub actions: BTreeMap<String, ActionTimes>,
    /// `status.towerJobs` by action.
    pub jobs: BTreeMap<String, TowerJob>,
    /// Actions that the Sandbox API does itself: `status.sandboxAPIJobs` by action, with their `jobStatus`.
    pub sandbox_jobs: BTreeMap<String, String>,
    /// `status.activeAction`.
    pub active_action: Option<ActiveAction>,
    /// Actions that wait: how many.
    pub pending_actions: usize,
    /// `status.runs.active`: names of AnarchyRuns.
    pub active_runs: Vec<String>,
    /// Those of them that are known not to exist: the control plane was asked for each after the lists were read, and where it did not
    /// answer an earlier reading knew. None: nothing is known of any.
    pub missing_runs: Option<Vec<String>>,
}

/// When an action began and ended, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActionTimes {
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, well or badly.
    pub completed_at: Option<DateTime<Utc>>,
    /// `successful`, `failed`, `error` or `canceled`; empty while it runs.
    pub state: String,
}

/// The AAP job of an action.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TowerJob {
    /// Host of the controller.
    pub host: String,
    /// Id on that controller.
    pub id: Option<i64>,
    /// `jobStatus`; empty while unknown.
    pub status: String,
    /// When it was launched.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, well or badly.
    pub completed_at: Option<DateTime<Utc>>,
}

/// The action that holds a subject's slot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActiveAction {
    /// Its name.
    pub name: String,
    /// Not before this time: a retry that waits.
    pub after: Option<DateTime<Utc>>,
}

impl Record for AnarchySubject {
    const KIND: RecordKind = RecordKind::Subject;

    fn key(&self) -> String {
        self.uid.clone()
    }
}

/// One AnarchyRun that is not finished well: what explains a subject that does not move. Source: rhdp-contracts 1.3.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnarchyRun {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.creationTimestamp`.
    pub created_at: Option<DateTime<Utc>>,
    /// Name of its subject.
    pub subject: String,
    /// Label `anarchy.gpte.redhat.com/runner`: `queued`, `pending`, `failed`, `lost`, or the pod that runs it.
    pub runner: String,
    /// Whether no AnarchyRunner of its namespace has the pod that is to run it; none when it is on no pod, or the runners were not read.
    pub pod_missing: Option<bool>,
    /// `status.failures`.
    pub failures: i64,
    /// `status.retryAfter`.
    pub retry_after: Option<DateTime<Utc>>,
    /// `status.result.statusMessage`, redacted and shortened.
    pub message: String,
}

impl Record for AnarchyRun {
    const KIND: RecordKind = RecordKind::AnarchyRun;

    fn key(&self) -> String {
        self.uid.clone()
    }
}
