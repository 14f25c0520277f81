//! The closed list of changes that StarGate can make.
//!
//! What is true of an operation by itself stands here and not in a file: its method, the least risk that an entry may claim, what must be checked
//! before it, which parameters it has. An entry of the catalog can be stricter, never laxer.

use serde::{Deserialize, Serialize};

/// One kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Replaces the pods of a workload, one after another.
    RolloutRestart,
    /// Deletes one pod that is not ready; its controller makes another.
    DeletePod,
    /// Asks for one pod to go; a disruption budget can refuse.
    EvictPod,
    /// Deletes a Job that failed, so that its owner makes another.
    DeleteFailedJob,
    /// Sets the number of replicas of a Deployment.
    ScaleDeployment,
    /// Restarts a running virtual machine.
    RestartVm,
    /// Starts a stopped virtual machine.
    StartVm,
    /// Deletes a virtual machine's instance; its machine makes another.
    RestartVmi,
    /// Deletes a DataVolume that failed; its template makes another.
    DeleteDataVolume,
    /// Deletes a claim that was never bound, or lost its volume.
    DeletePvc,
    /// Deletes a namespace that Launchpad made and nobody uses.
    DeleteNamespace,
    /// Lets the runner try an AnarchyRun again.
    RetryAnarchyRun,
    /// Asks a governor to run one of its actions on a subject.
    StartAnarchyAction,
    /// Deletes an unhealthy pool member that nobody has claimed.
    RecycleUnclaimedHandle,
    /// Sets how many unclaimed members a pool keeps.
    SetPoolMinAvailable,
    /// Starts what a placement holds.
    StartPlacement,
    /// Stops what a placement holds.
    StopPlacement,
    /// Gives a placement back.
    DeletePlacement,
    /// Tells Launchpad what became of a session.
    NotifyLaunchpad,
}

/// Whose interface a change goes through. It follows from the operation: nobody chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The API of the cluster that the lab runs on.
    Kubernetes,
    /// Anarchy's objects on the control plane.
    RhdpAnarchy,
    /// Poolboy's objects on the control plane.
    RhdpPoolboy,
    /// The Sandbox API.
    RhdpSandboxApi,
    /// Launchpad's address for results.
    Launchpad,
}

/// Who reconciles what a change touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// An object inside a lab's namespace that no controller of RHDP sets back.
    One,
    /// Something that a controller of RHDP owns: only through its own interface.
    Two,
}

/// What can be lost by a change. How bad the failure is, its class says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing, or what comes back by itself.
    Low,
    /// Work of the last minutes.
    Medium,
    /// What nobody can bring back.
    High,
    /// What others depend on: never offered to automation or to the queue.
    Critical,
}

/// What is checked before a change, beside the gates that hold for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "`ALL` says what each one asks")]
pub enum Precondition {
    NotPaused,
    NoRolloutInProgress,
    HasReplicas,
    SomeReplicaUnhealthy,
    HasController,
    NotReady,
    Ready,
    NotVirtLauncher,
    JobFailed,
    NoAutoscaler,
    QuotaHeadroom,
    CurrentEqualsExpected,
    Running,
    Stopped,
    NoMigration,
    WantedRunning,
    RestartedByOwner,
    PhaseFailed,
    RecreatedByTemplate,
    NeverHeldData,
    PhasePendingOrLost,
    NotMounted,
    MadeByLaunchpad,
    SessionEnded,
    NoLiveUsers,
    RunFailedOrLost,
    FirstActiveRun,
    SubjectNotDeleting,
    ActionSupported,
    NothingActive,
    GovernorConfirmed,
    OrphanedSubject,
    Unclaimed,
    Unhealthy,
    OlderThanProvisioning,
    PoolShareLeft,
    NoUnhealthyMajority,
    BuildSlotsLeft,
    CapacityLeft,
    NoEventFreeze,
    NobodyOwnsPlacement,
    PlacementNotQueued,
    DeletionConfirmed,
}

/// A parameter beside the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub domain: Domain,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// A whole number within a range, both ends included.
    Integer {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// An RFC 4122 UUID in lower case.
    Uuid,
}

impl Operation {
    /// Every operation, Tier 1 first.
    pub const ALL: [Self; 19] = [
        Self::RolloutRestart,
        Self::DeletePod,
        Self::EvictPod,
        Self::DeleteFailedJob,
        Self::ScaleDeployment,
        Self::RestartVm,
        Self::StartVm,
        Self::RestartVmi,
        Self::DeleteDataVolume,
        Self::DeletePvc,
        Self::DeleteNamespace,
        Self::RetryAnarchyRun,
        Self::StartAnarchyAction,
        Self::RecycleUnclaimedHandle,
        Self::SetPoolMinAvailable,
        Self::StartPlacement,
        Self::StopPlacement,
        Self::DeletePlacement,
        Self::NotifyLaunchpad,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RolloutRestart => "rollout_restart",
            Self::DeletePod => "delete_pod",
            Self::EvictPod => "evict_pod",
            Self::DeleteFailedJob => "delete_failed_job",
            Self::ScaleDeployment => "scale_deployment",
            Self::RestartVm => "restart_vm",
            Self::StartVm => "start_vm",
            Self::RestartVmi => "restart_vmi",
            Self::DeleteDataVolume => "delete_data_volume",
            Self::DeletePvc => "delete_pvc",
            Self::DeleteNamespace => "delete_namespace",
            Self::RetryAnarchyRun => "retry_anarchy_run",
            Self::StartAnarchyAction => "start_anarchy_action",
            Self::RecycleUnclaimedHandle => "recycle_unclaimed_handle",
            Self::SetPoolMinAvailable => "set_pool_min_available",
            Self::StartPlacement => "start_placement",
            Self::StopPlacement => "stop_placement",
            Self::DeletePlacement => "delete_placement",
            Self::NotifyLaunchpad => "notify_launchpad",
        }
    }

    /// The operation of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == name)
    }

    /// Whose interface it goes through.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::RolloutRestart
            | Self::DeletePod
            | Self::EvictPod
            | Self::DeleteFailedJob
            | Self::ScaleDeployment
            | Self::RestartVm
            | Self::StartVm
            | Self::RestartVmi
            | Self::DeleteDataVolume
            | Self::DeletePvc
            | Self::DeleteNamespace => Method::Kubernetes,
            Self::RetryAnarchyRun | Self::StartAnarchyAction => Method::RhdpAnarchy,
            Self::RecycleUnclaimedHandle | Self::SetPoolMinAvailable => Method::RhdpPoolboy,
            Self::StartPlacement | Self::StopPlacement | Self::DeletePlacement => Method::RhdpSandboxApi,
            Self::NotifyLaunchpad => Method::Launchpad,
        }
    }

    /// Who reconciles what it touches.
    #[must_use]
    pub const fn tier(self) -> Tier {
        match self.method() {
            Method::Kubernetes => Tier::One,
            Method::RhdpAnarchy | Method::RhdpPoolboy | Method::RhdpSandboxApi | Method::Launchpad => Tier::Two,
        }
    }

    /// The least risk that an entry may claim for it. Source: remediation-and-ai-domain 1.4.
    #[must_use]
    pub const fn least_risk(self) -> Risk {
        match self {
            Self::RolloutRestart | Self::DeletePod | Self::EvictPod | Self::NotifyLaunchpad => Risk::Low,
            Self::DeleteFailedJob
            | Self::ScaleDeployment
            | Self::RestartVm
            | Self::StartVm
            | Self::RestartVmi
            | Self::RetryAnarchyRun
            | Self::StartAnarchyAction
            | Self::RecycleUnclaimedHandle
            | Self::SetPoolMinAvailable
            | Self::StartPlacement
            | Self::StopPlacement => Risk::Medium,
            Self::DeleteDataVolume | Self::DeletePvc | Self::DeleteNamespace | Self::DeletePlacement => Risk::High,
        }
    }

    /// The operation that takes it back, where that is honest: one field with one earlier value.
    #[must_use]
    pub const fn undo(self) -> Option<Self> {
        match self {
            Self::ScaleDeployment => Some(Self::ScaleDeployment),
            Self::SetPoolMinAvailable => Some(Self::SetPoolMinAvailable),
            _ => None,
        }
    }

    /// The kinds of objects that it can be done to.
    #[must_use]
    pub const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::RolloutRestart => &["Deployment", "StatefulSet", "DaemonSet"],
            Self::DeletePod | Self::EvictPod => &["Pod"],
            Self::DeleteFailedJob => &["Job"],
            Self::ScaleDeployment => &["Deployment"],
            Self::RestartVm | Self::StartVm => &["VirtualMachine"],
            Self::RestartVmi => &["VirtualMachineInstance"],
            Self::DeleteDataVolume => &["DataVolume"],
            Self::DeletePvc => &["PersistentVolumeClaim"],
            Self::DeleteNamespace => &["Namespace"],
            Self::RetryAnarchyRun => &["AnarchyRun"],
            Self::StartAnarchyAction => &["AnarchySubject"],
            Self::RecycleUnclaimedHandle => &["ResourceHandle"],
            Self::SetPoolMinAvailable => &["ResourcePool"],
            Self::StartPlacement | Self::StopPlacement | Self::DeletePlacement => &["Placement"],
            Self::NotifyLaunchpad => &["LaunchpadSession"],
        }
    }

    /// Its parameters beside the target.
    #[must_use]
    pub const fn parameters(self) -> &'static [Parameter] {
        const fn integer(name: &'static str, min: i64, max: i64) -> Parameter {
            Parameter {
                name,
                domain: Domain::Integer { min, max },
            }
        }
        const SESSION: Parameter = Parameter {
            name: "session",
            domain: Domain::Uuid,
        };
        match self {
            Self::ScaleDeployment => &[const { integer("replicas", 0, 10) }, const { integer("expected_replicas", 0, 10) }],
            Self::SetPoolMinAvailable => &[const { integer("min_available", 1, 99) }, const { integer("expected_min", 0, 99) }],
            Self::StartAnarchyAction => &[Parameter {
                name: "action",
                domain: Domain::Word(&["provision", "start", "stop", "destroy"]),
            }],
            Self::DeleteNamespace => &[SESSION],
            Self::NotifyLaunchpad => &[
                SESSION,
                Parameter {
                    name: "result",
                    domain: Domain::Word(&["reclaimed", "failed"]),
                },
            ],
            _ => &[],
        }
    }

    /// What every entry has to check before it. Source: remediation-and-ai-domain 1.4, 4.3 to 4.5.
    #[must_use]
    pub const fn needs(self) -> &'static [Precondition] {
        use Precondition as P;
        match self {
            Self::RolloutRestart => &[P::NotPaused, P::NoRolloutInProgress, P::HasReplicas, P::SomeReplicaUnhealthy],
            Self::DeletePod => &[P::HasController, P::NotReady, P::NotVirtLauncher],
            Self::EvictPod => &[P::HasController, P::Ready, P::NotVirtLauncher],
            Self::DeleteFailedJob => &[P::JobFailed, P::RestartedByOwner],
            Self::ScaleDeployment => &[P::NoAutoscaler, P::QuotaHeadroom, P::CurrentEqualsExpected],
            Self::RestartVm => &[P::Running, P::NoMigration],
            Self::StartVm => &[P::Stopped, P::WantedRunning],
            Self::RestartVmi => &[P::RestartedByOwner, P::NoMigration],
            Self::DeleteDataVolume => &[P::PhaseFailed, P::RecreatedByTemplate, P::NeverHeldData],
            Self::DeletePvc => &[P::PhasePendingOrLost, P::NotMounted],
            Self::DeleteNamespace => &[P::MadeByLaunchpad, P::SessionEnded, P::NoLiveUsers],
            Self::RetryAnarchyRun => &[P::RunFailedOrLost, P::FirstActiveRun, P::SubjectNotDeleting],
            Self::StartAnarchyAction => &[P::ActionSupported, P::NothingActive],
            Self::RecycleUnclaimedHandle => &[P::Unclaimed, P::Unhealthy, P::OlderThanProvisioning, P::PoolShareLeft],
            Self::SetPoolMinAvailable => &[
                P::CurrentEqualsExpected,
                P::NoUnhealthyMajority,
                P::BuildSlotsLeft,
                P::CapacityLeft,
                P::NoEventFreeze,
            ],
            Self::StartPlacement | Self::StopPlacement => &[P::NobodyOwnsPlacement, P::PlacementNotQueued],
            Self::DeletePlacement => &[P::NobodyOwnsPlacement],
            Self::NotifyLaunchpad => &[P::DeletionConfirmed],
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 5] = [
        Self::Kubernetes,
        Self::RhdpAnarchy,
        Self::RhdpPoolboy,
        Self::RhdpSandboxApi,
        Self::Launchpad,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::RhdpAnarchy => "rhdp_anarchy",
            Self::RhdpPoolboy => "rhdp_poolboy",
            Self::RhdpSandboxApi => "rhdp_sandbox_api",
            Self::Launchpad => "launchpad",
        }
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl Risk {
    /// Every risk, the least first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// One level more; the highest stays.
    #[must_use]
    pub const fn raised(self) -> Self {
        match self {
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }
}

impl std::fmt::Display for Risk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl Precondition {
    /// Every check with its name and what it asks.
    pub const ALL: [(Self, &'static str, &'static str); 43] = [
        (Self::NotPaused, "not_paused", "its rollouts are not paused"),
        (Self::NoRolloutInProgress, "no_rollout_in_progress", "no rollout is in progress"),
        (Self::HasReplicas, "has_replicas", "it wants at least one replica"),
        (
            Self::SomeReplicaUnhealthy,
            "some_replica_unhealthy",
            "at least one of its replicas is unhealthy",
        ),
        (Self::HasController, "has_controller", "a controller owns it and makes another"),
        (Self::NotReady, "not_ready", "it is not ready: nobody is served by it"),
        (Self::Ready, "ready", "it is ready, so only the disruption budget may let it go"),
        (Self::NotVirtLauncher, "not_virt_launcher", "it does not carry a virtual machine"),
        (Self::JobFailed, "job_failed", "the Job has failed for good"),
        (Self::NoAutoscaler, "no_autoscaler", "no autoscaler sets its replicas"),
        (Self::QuotaHeadroom, "quota_headroom", "the quota has room for what is added"),
        (
            Self::CurrentEqualsExpected,
            "current_equals_expected",
            "the value is still the one that the decision saw",
        ),
        (Self::Running, "running", "the machine runs"),
        (Self::Stopped, "stopped", "the machine is stopped"),
        (Self::NoMigration, "no_migration", "no live migration is in progress"),
        (Self::WantedRunning, "wanted_running", "its AnarchySubject wants it to run"),
        (
            Self::RestartedByOwner,
            "restarted_by_owner",
            "its owner makes another when it is gone",
        ),
        (Self::PhaseFailed, "phase_failed", "its phase is Failed"),
        (
            Self::RecreatedByTemplate,
            "recreated_by_template",
            "a template makes another when it is gone",
        ),
        (Self::NeverHeldData, "never_held_data", "its volume never held a learner's data"),
        (
            Self::PhasePendingOrLost,
            "phase_pending_or_lost",
            "its phase is Pending or Lost, never Bound",
        ),
        (Self::NotMounted, "not_mounted", "no running pod uses it"),
        (
            Self::MadeByLaunchpad,
            "made_by_launchpad",
            "Launchpad made it, by its label and by our own record",
        ),
        (Self::SessionEnded, "session_ended", "the session it was made for has ended"),
        (Self::NoLiveUsers, "no_live_users", "nobody uses it now"),
        (
            Self::RunFailedOrLost,
            "run_failed_or_lost",
            "the run's runner label is `failed` or `lost`",
        ),
        (
            Self::FirstActiveRun,
            "first_active_run",
            "it is the first active run of its subject",
        ),
        (Self::SubjectNotDeleting, "subject_not_deleting", "its subject is not being deleted"),
        (
            Self::ActionSupported,
            "action_supported",
            "the governor supports the action in the subject's present state",
        ),
        (
            Self::NothingActive,
            "nothing_active",
            "no action or run is active or pending on the subject",
        ),
        (
            Self::GovernorConfirmed,
            "governor_confirmed",
            "the platform team has confirmed that this governor may do it twice",
        ),
        (
            Self::OrphanedSubject,
            "orphaned_subject",
            "the subject has no handle and no claim, and its destroy has failed",
        ),
        (Self::Unclaimed, "unclaimed", "no claim holds the handle"),
        (Self::Unhealthy, "unhealthy", "the handle says that it is unhealthy"),
        (
            Self::OlderThanProvisioning,
            "older_than_provisioning",
            "it is older than provisioning normally takes",
        ),
        (
            Self::PoolShareLeft,
            "pool_share_left",
            "at most 2 an hour and a fifth of the pool are recycled",
        ),
        (
            Self::NoUnhealthyMajority,
            "no_unhealthy_majority",
            "less than half of the unclaimed members are unready or unhealthy",
        ),
        (Self::BuildSlotsLeft, "build_slots_left", "`maxUnready` is not reached"),
        (
            Self::CapacityLeft,
            "capacity_left",
            "clusters and cloud quota have room for what is added",
        ),
        (Self::NoEventFreeze, "no_event_freeze", "no event has frozen changes"),
        (
            Self::NobodyOwnsPlacement,
            "nobody_owns_placement",
            "no subject, handle or claim refers to the placement",
        ),
        (
            Self::PlacementNotQueued,
            "placement_not_queued",
            "the placement is not waiting in the queue",
        ),
        (Self::DeletionConfirmed, "deletion_confirmed", "the namespace was seen to be gone"),
    ];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::entry(self).1
    }

    /// What it asks.
    #[must_use]
    pub fn question(self) -> &'static str {
        Self::entry(self).2
    }

    /// The check of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(_, known, _)| *known == name)
            .map(|(check, _, _)| check)
    }

    fn entry(self) -> (Self, &'static str, &'static str) {
        // The list is in the order of the variants, which a test holds.
        Self::ALL[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_complete_and_in_order() {
        for (at, (check, name, _)) in Precondition::ALL.into_iter().enumerate() {
            assert_eq!(check as usize, at, "{name} stands where its variant does");
            assert_eq!(Precondition::parse(name), Some(check));
        }
        for (at, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, at, "{operation}");
            assert_eq!(Operation::parse(operation.as_str()), Some(operation));
            assert!(!operation.kinds().is_empty() && !operation.needs().is_empty(), "{operation}");
        }
    }

    #[test]
    fn what_nobody_brings_back_is_high() {
        for operation in Operation::ALL {
            let deletes_for_good = matches!(
                operation,
                Operation::DeleteNamespace | Operation::DeletePvc | Operation::DeleteDataVolume | Operation::DeletePlacement
            );
            assert_eq!(operation.least_risk() >= Risk::High, deletes_for_good, "{operation}");
            assert!(operation.undo().is_none() || operation.least_risk() == Risk::Medium, "{operation}");
        }
    }
}
