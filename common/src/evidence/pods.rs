//! The pod taxonomy: which stage judges a pod, and what state it is in.
//!
//! ```text
//! owner and labels ──> Home      whose pod it is
//! status           ──> Life      does it still count
//!                  ──> Trouble   what is wrong with it, worst first
//!                  ──> Standing  ready, still starting, or not ready
//! ```
//!
//! A pod is ready by its `Ready` condition, never by counting containers. Restart counts alone never fail a pod.

use chrono::{DateTime, TimeDelta, Utc};

use super::thresholds;
use crate::objects::meta::condition;
use crate::objects::workload::{ContainerStatus, Terminated};
use crate::objects::{Condition, Owner, Pod};

/// Whose pod it is, and so which stage judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// A service of the lab: deployment-ready.
    Workload,
    /// Runs to its end (Job, Build, deployer, pipeline): deployment-ready, by the rules for Jobs only.
    Task,
    /// Carries a VM: vm-runtime-ready.
    Machine,
    /// Fills a disk: storage-clone-ready.
    Disk,
    /// Serves a model: model-endpoint-ready.
    Model,
}

/// Kinds whose pods are meant to end.
const TASK_OWNERS: [&str; 6] = ["Job", "Build", "TaskRun", "PipelineRun", "CustomRun", "Workflow"];

/// Labels on pods that are meant to end, for pods that lost their owner reference.
const TASK_LABELS: [&str; 5] = [
    "openshift.io/build.name",
    "openshift.io/deployer-pod-for.name",
    "batch.kubernetes.io/job-name",
    "job-name",
    "tekton.dev/taskRun",
];

/// Whose pod it is. Labels and owners decide; names only where neither says anything, so that a lab's own Deployment
/// called `importer` stays a Deployment.
#[must_use]
pub fn home(pod: &Pod) -> Home {
    let label = |key: &str| pod.metadata.labels.get(key).map(String::as_str);
    let owned_by = |kind: &str| owner(pod).is_some_and(|owner| owner.kind == kind);
    let name = &pod.metadata.name;
    let nameless = owner(pod).is_none();

    if matches!(label("kubevirt.io"), Some("virt-launcher" | "hotplug-disk"))
        || owned_by("VirtualMachineInstance")
        || (nameless && name.starts_with("virt-launcher-"))
    {
        return Home::Machine;
    }
    if label("app") == Some("containerized-data-importer")
        || label("cdi.kubevirt.io").is_some()
        || owned_by("DataVolume")
        || owned_by("PersistentVolumeClaim")
        || (nameless && (name.starts_with("importer-") || name.starts_with("cdi-upload-") || name.ends_with("-source-pod")))
    {
        return Home::Disk;
    }
    if label("serving.kserve.io/inferenceservice").is_some() {
        return Home::Model;
    }
    if TASK_OWNERS.iter().any(|kind| owned_by(kind)) || TASK_LABELS.iter().any(|key| label(key).is_some()) {
        return Home::Task;
    }
    Home::Workload
}

/// The owner that controls the pod, or the only hint at one.
#[must_use]
pub fn owner(pod: &Pod) -> Option<&Owner> {
    let owners = &pod.metadata.owner_references;
    owners.iter().find(|owner| owner.controller).or_else(|| owners.first())
}

/// Whether nobody would replace the pod.
#[must_use]
pub fn is_bare(pod: &Pod) -> bool {
    owner(pod).is_none()
}

/// Whether a pod still counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// Being deleted.
    Terminating,
    /// Ended well.
    Finished,
    /// Evicted, failed, or lost with its node; why.
    Lost(String),
    /// Meant to run.
    Alive,
}

/// Whether the pod still counts.
#[must_use]
pub fn life(pod: &Pod) -> Life {
    if pod.metadata.deletion_timestamp.is_some() {
        return Life::Terminating;
    }
    let status = &pod.status;
    match status.phase.as_str() {
        "Succeeded" => Life::Finished,
        "Failed" | "Unknown" => Life::Lost(if status.reason.is_empty() {
            status.phase.to_lowercase()
        } else {
            status.reason.clone()
        }),
        _ => Life::Alive,
    }
}

/// When a pod that is being deleted became stuck, if it is. The API sets the deletion timestamp to the *end* of the grace
/// period, so the period is already inside.
#[must_use]
pub fn stuck_since(pod: &Pod, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let stuck = pod.metadata.deletion_timestamp? + thresholds::STUCK_TERMINATION;
    (now >= stuck).then_some(stuck)
}

/// Whether the pod's `Ready` condition is True.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    condition(&pod.status.conditions, "Ready").is_some_and(Condition::is_true)
}

/// What is wrong with a pod, for people. The order is the order of telling: the worst first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// A container, init containers included, keeps ending.
    CrashLoop(String),
    /// An image cannot be pulled.
    ImagePull(String),
    /// The container cannot be made from its specification.
    Configuration(String),
    /// No node takes the pod.
    Unschedulable(String),
}

impl Trouble {
    /// The sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::CrashLoop(detail) | Self::ImagePull(detail) | Self::Configuration(detail) | Self::Unschedulable(detail) => detail,
        }
    }
}

/// The worst trouble of a pod, if it has any.
#[must_use]
pub fn trouble(pod: &Pod, now: DateTime<Utc>) -> Option<Trouble> {
    crash_loop(pod, now)
        .map(Trouble::CrashLoop)
        .or_else(|| image_pull(pod).map(Trouble::ImagePull))
        .or_else(|| bad_configuration(pod).map(Trouble::Configuration))
        .or_else(|| unschedulable(pod).map(Trouble::Unschedulable))
}

/// Init containers first: the others wait for them.
fn containers(pod: &Pod) -> impl Iterator<Item = (&'static str, &ContainerStatus)> {
    let init = pod.status.init_container_statuses.iter().map(|status| ("init container", status));
    init.chain(pod.status.container_statuses.iter().map(|status| ("container", status)))
}

fn waiting_reason(status: &ContainerStatus) -> &str {
    status.state.waiting.as_ref().map_or("", |waiting| waiting.reason.as_str())
}

/// The newest end of a container: the present one if it has just ended, else the one before.
fn last_end(status: &ContainerStatus) -> Option<&Terminated> {
    status.state.terminated.as_ref().or(status.last_state.terminated.as_ref())
}

fn ended_recently(status: &ContainerStatus, now: DateTime<Utc>) -> bool {
    last_end(status)
        .and_then(|end| end.finished_at)
        .is_some_and(|at| now - at <= thresholds::RECENT_RESTART)
}

/// The crash loop a pod is in: a container in back-off, or one that is not ready, has restarted often and ended recently
/// (a loop between two crashes).
#[must_use]
pub fn crash_loop(pod: &Pod, now: DateTime<Utc>) -> Option<String> {
    containers(pod).find_map(|(what, status)| {
        let backing_off = waiting_reason(status) == "CrashLoopBackOff";
        let between_crashes = !status.ready && status.restart_count >= thresholds::CRASH_LOOP_RESTARTS && ended_recently(status, now);
        (backing_off || between_crashes).then(|| {
            let state = if backing_off { "in CrashLoopBackOff" } else { "keeps ending" };
            let last = last_end(status).map_or_else(String::new, |end| format!(", last {}", exit(end)));
            format!("{what} {} {state}, {} restarts{last}", status.name, status.restart_count)
        })
    })
}

/// `exit 137 (OOMKilled)`.
fn exit(end: &Terminated) -> String {
    if end.reason.is_empty() {
        format!("exit {}", end.exit_code)
    } else {
        format!("exit {} ({})", end.exit_code, end.reason)
    }
}

/// The container that was killed for its memory and is down because of it: it, or its pod, is not ready, and the kill is
/// its present state, recent, or what it backs off from. An old kill is no cause of what fails now: the container may
/// have recovered, or may since wait for an image.
#[must_use]
pub fn out_of_memory(pod: &Pod, now: DateTime<Utc>) -> Option<String> {
    let killed = |end: &Option<Terminated>| end.as_ref().is_some_and(|end| end.reason == "OOMKilled");
    let pod_ready = is_ready(pod);
    containers(pod).find_map(|(what, status)| {
        let still_matters = waiting_reason(status) == "CrashLoopBackOff" || ended_recently(status, now);
        let down = killed(&status.state.terminated) || (killed(&status.last_state.terminated) && still_matters);
        let unready = !status.ready || !pod_ready;
        (down && unready).then(|| format!("{what} {} was OOMKilled, {} restarts", status.name, status.restart_count))
    })
}

/// Waiting reasons that mean the image is out of reach.
const IMAGE_REASONS: [&str; 5] = [
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "ErrImageNeverPull",
    "RegistryUnavailable",
];

/// Waiting reasons that mean the specification is wrong.
const CONFIGURATION_REASONS: [&str; 4] = [
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
];

fn waiting_for_one_of(pod: &Pod, reasons: &[&str]) -> Option<String> {
    containers(pod).find_map(|(what, status)| {
        let reason = waiting_reason(status);
        reasons.contains(&reason).then(|| format!("{what} {} in {reason}", status.name))
    })
}

/// The image that cannot be pulled.
#[must_use]
pub fn image_pull(pod: &Pod) -> Option<String> {
    waiting_for_one_of(pod, &IMAGE_REASONS)
}

/// The container that cannot be made.
#[must_use]
pub fn bad_configuration(pod: &Pod) -> Option<String> {
    waiting_for_one_of(pod, &CONFIGURATION_REASONS)
}

/// Why no node takes the pod.
#[must_use]
pub fn unschedulable(pod: &Pod) -> Option<String> {
    let scheduled = condition(&pod.status.conditions, "PodScheduled")?;
    (pod.status.phase == "Pending" && scheduled.is_false() && scheduled.reason == "Unschedulable").then(|| {
        if scheduled.message.is_empty() {
            "unschedulable".to_owned()
        } else {
            format!("unschedulable: {}", super::signals::clip(&scheduled.message, 160))
        }
    })
}

/// Whether a scheduling gate holds the pod.
fn is_gated(pod: &Pod) -> bool {
    condition(&pod.status.conditions, "PodScheduled").is_some_and(|scheduled| scheduled.is_false() && scheduled.reason == "SchedulingGated")
}

/// Where a pod that counts stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Ready.
    Ready,
    /// Not there yet, and why; until when that may last.
    Starting(String, Option<DateTime<Utc>>),
    /// Not ready, and why.
    NotReady(String),
}

/// Where a pod stands that is [`Life::Alive`]. `budget`: how long it may take to be ready. A pod of unknown age gets none.
#[must_use]
pub fn standing(pod: &Pod, now: DateTime<Utc>, budget: TimeDelta) -> Standing {
    if is_ready(pod) {
        return Standing::Ready;
    }
    if is_gated(pod) {
        return Standing::Starting("held by a scheduling gate".to_owned(), None);
    }
    let trouble = trouble(pod, now);
    if let Some(trouble) = trouble.as_ref().filter(|trouble| cuts_budget(pod, trouble, now)) {
        return Standing::NotReady(trouble.detail().to_owned());
    }
    let detail = trouble.map_or_else(|| unready_words(pod), |trouble| trouble.detail().to_owned());
    let unready_since = condition(&pod.status.conditions, "Ready").and_then(|ready| ready.last_transition_time);
    let until = pod.metadata.creation_timestamp.max(unready_since).map(|since| since + budget);
    match until {
        Some(until) if now < until => Standing::Starting(detail, Some(until)),
        _ => Standing::NotReady(detail),
    }
}

/// Whether waiting longer cannot help: crash loops and wrong specifications at once, images after a first back-off.
#[must_use]
pub fn cuts_budget(pod: &Pod, trouble: &Trouble, now: DateTime<Utc>) -> bool {
    match trouble {
        Trouble::CrashLoop(_) | Trouble::Configuration(_) => true,
        Trouble::ImagePull(_) => image_pull_is_settled(pod, now),
        Trouble::Unschedulable(_) => false,
    }
}

/// Whether the pod is old enough for a failed image pull to be more than a hiccup.
#[must_use]
pub fn image_pull_is_settled(pod: &Pod, now: DateTime<Utc>) -> bool {
    pod.metadata
        .creation_timestamp
        .is_none_or(|created| now - created >= thresholds::IMAGE_PULL_SETTLE)
}

/// What to say of a pod that is not ready and has no named trouble: which containers hold it back.
fn unready_words(pod: &Pod) -> String {
    let initializing = pod.status.init_container_statuses.iter().find(|status| !status.ready);
    if let Some(status) = initializing {
        return format!("init container {} not finished", status.name);
    }
    let unready: Vec<&str> = pod
        .status
        .container_statuses
        .iter()
        .filter(|status| !status.ready)
        .map(|status| status.name.as_str())
        .collect();
    match (pod.status.phase.as_str(), unready.as_slice()) {
        ("Pending", _) => "pending".to_owned(),
        (_, []) => "running, not ready".to_owned(),
        (_, [one]) => format!("container {one} not ready"),
        (_, many) => format!("containers {} not ready", many.join(", ")),
    }
}

/// One line about a pod that is not ready, whatever its life: for messages of the controller behind it.
#[must_use]
pub fn describe(pod: &Pod, now: DateTime<Utc>) -> Option<String> {
    match life(pod) {
        Life::Terminating | Life::Finished => None,
        Life::Lost(why) => Some(format!("a pod was lost: {why}")),
        Life::Alive if is_ready(pod) => None,
        Life::Alive => Some(trouble(pod, now).map_or_else(|| unready_words(pod), |trouble| trouble.detail().to_owned())),
    }
}
