//! Jobs of the AAP controllers, and what fails them.

use chrono::{DateTime, Utc};

use super::order::Action;

/// A controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Controller {
    /// The host that subjects name as their `towerHost`.
    pub host: &'static str,
    /// Path of its API.
    pub prefix: &'static str,
}

/// The controllers: one that is asked directly, and a newer one behind the platform's gateway.
pub const CONTROLLERS: [Controller; 2] = [
    Controller {
        host: "aap-a.example.test",
        prefix: "/api/v2",
    },
    Controller {
        host: "aap-b.example.test",
        prefix: "/api/controller/v2",
    },
];

/// The task that fails a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `failed`, or `error` when the controller could not run it.
    pub status: &'static str,
    /// What the controller explains; then no task failed.
    pub explanation: &'static str,
    /// Name of the task.
    pub task: &'static str,
    /// Its role.
    pub role: &'static str,
    /// Its module.
    pub module: &'static str,
    /// What it said.
    pub message: &'static str,
    /// Whether the controller hides what it said.
    pub censored: bool,
}

/// What fails jobs here.
pub const FAILURES: [Failure; 8] = [
    Failure {
        status: "failed",
        explanation: "",
        task: "Wait until all pods of the workload are ready",
        role: "ocp4_workload_showroom",
        module: "kubernetes.core.k8s_info",
        message: "Failed to gather information about Pod(s) even after waiting for 600 seconds",
        censored: false,
    },
    Failure {
        status: "failed",
        explanation: "",
        task: "Import the disk image",
        role: "ocp4_workload_virt_vms",
        module: "kubernetes.core.k8s",
        message: "Failed to create object: DataVolume.cdi.kubevirt.io \"rhel-disk\" is forbidden: exceeded quota: sandbox-quota, requested: requests.storage=60Gi, used: requests.storage=480Gi, limited: requests.storage=500Gi",
        censored: false,
    },
    Failure {
        status: "failed",
        explanation: "",
        task: "Register the machine",
        role: "host_common_repos",
        module: "ansible.builtin.command",
        message: "non-zero return code",
        censored: true,
    },
    Failure {
        status: "failed",
        explanation: "",
        task: "Clone the content repository",
        role: "ocp4_workload_showroom",
        module: "ansible.builtin.git",
        message: "Failed to download remote objects and refs: fatal: unable to access 'https://deploy:planted-token-git@git.example.test/labs/content.git/': Could not resolve host: git.example.test",
        censored: false,
    },
    Failure {
        status: "failed",
        explanation: "",
        task: "Log in to the cluster",
        role: "ocp4_workload_authentication",
        module: "kubernetes.core.k8s_auth",
        message: "Status code was 401 and not [200]: HTTP Error 401: Unauthorized, Authorization: Bearer planted-token-cluster",
        censored: false,
    },
    Failure {
        status: "failed",
        explanation: "Job terminated due to timeout",
        task: "",
        role: "",
        module: "",
        message: "",
        censored: false,
    },
    Failure {
        status: "failed",
        explanation: "Previous Task Failed: {\"job_type\": \"project_update\", \"job_name\": \"labs https://git.example.test/agnosticd.git (main)\", \"job_id\": \"40117\"}",
        task: "",
        role: "",
        module: "",
        message: "",
        censored: false,
    },
    Failure {
        status: "error",
        explanation: "Task was marked as running but was not present in the job queue, so it has been marked as failed.",
        task: "",
        role: "",
        module: "",
        message: "",
        censored: false,
    },
];

/// One job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Position of its controller.
    pub controller: usize,
    /// Its id there.
    pub id: i64,
    /// Name of the AnarchyAction that it is for.
    pub action_name: String,
    /// The action.
    pub action: Action,
    /// Uuid of the subject.
    pub uuid: String,
    /// Guid of the subject.
    pub guid: String,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it began to run.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished: Option<DateTime<Utc>>,
    /// `pending`, `running`, `successful`, `failed`, `error`, `canceled`.
    pub status: &'static str,
    /// What failed it.
    pub failure: Option<&'static Failure>,
}

impl Job {
    /// `<organization> <action name> <uuid>`; long action names are cut, as Anarchy cuts them.
    #[must_use]
    pub fn name(&self) -> String {
        format!("babylon {} {}", self.action_name, self.uuid)
    }
}
