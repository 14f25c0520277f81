//! Stage 5, deployment-ready: are the container workloads up?
//!
//! The workload is every controller ([`super::controllers`]) and the pods they keep. Pods without a controller are the
//! workload only where the lab's definition says so, or where there is no controller at all: a forgotten debug pod beside
//! healthy Deployments says nothing about the lab, and is listed as excluded.
//!
//! Pods of VMs, disks and models belong to other stages. Pods that are meant to end count through their Job only.

use super::controllers::{self, Controller, Controllers};
use super::pods::{self, Home, Life, Standing};
use super::quantify::{Judged, Known, all, any, inferred_if};
use super::signals::{Signal, Signals};
use super::{Grade, Intent, MAX_MEMBERS, Observation, StageEvidence, Value, View, entry, thresholds};
use crate::objects::meta::condition;
use crate::objects::{Job, Pod};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// What this stage can say.
pub const NAMES: &[&str] = &[
    "namespace_exists",
    "deployment_exists",
    "desired_replicas_ready",
    "no_crashloop_pods",
    "no_failed_jobs",
    "no_stuck_terminations",
    "no_oom_kills",
    "no_image_pull_failures",
    "no_config_errors",
    "no_unschedulable_pods",
];

/// Observes the container workloads of one namespace.
#[must_use]
pub fn observe(view: &View) -> StageEvidence {
    let workload = Workload::of(view);
    let desired_replicas_ready = workload.desired_replicas_ready();
    let no_crashloop_pods = workload.no_crashloop_pods();
    let no_failed_jobs = no_failed_jobs(view);
    let signals = workload.signals(&[&desired_replicas_ready, &no_crashloop_pods, &no_failed_jobs]);
    let now = view.now;
    let observations = [
        ("namespace_exists", entry::namespace_exists(view)),
        ("deployment_exists", workload.deployment_exists()),
        ("desired_replicas_ready", desired_replicas_ready),
        ("no_crashloop_pods", no_crashloop_pods),
        ("no_failed_jobs", no_failed_jobs),
        ("no_stuck_terminations", no_stuck_terminations(view)),
        ("no_oom_kills", workload.over_pods(|pod| false_if(pods::out_of_memory(pod, now)))),
        ("no_image_pull_failures", workload.over_pods(|pod| image_pull(view, pod))),
        ("no_config_errors", workload.over_pods(|pod| false_if(pods::bad_configuration(pod)))),
        ("no_unschedulable_pods", workload.over_pods(|pod| unschedulable(view, pod))),
    ];
    StageEvidence {
        observations: observations.into_iter().collect(),
        signals,
    }
}

/// Whether pods without a controller are part of the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BarePods {
    Counted,
    LeftOut,
    /// There may be a controller that nobody saw.
    Undecided(UnknownReason),
}

struct Workload<'v, 'a> {
    view: &'v View<'a>,
    controllers: Controllers<'a>,
    bare: BarePods,
}

impl<'v, 'a> Workload<'v, 'a> {
    fn of(view: &'v View<'a>) -> Self {
        let controllers = controllers::of(view.inventory);
        let bare = match controllers.missing {
            _ if view.declared.bare_pods => BarePods::Counted,
            _ if !controllers.counted.is_empty() => BarePods::LeftOut,
            Some(reason) => BarePods::Undecided(reason),
            None => BarePods::Counted,
        };
        Self { view, controllers, bare }
    }

    fn deployment_exists(&self) -> Observation {
        let mut members = self.excluded_controllers();
        members.extend(self.controllers.counted.iter().map(|it| member(it, Known::True)));
        if self.bare == BarePods::Counted {
            members.extend(self.bare_pods().map(|(pod, _)| pod_member(pod, Known::True)));
        }
        let observation = any(members, self.missing_with_bare_pods(), Value::Bool(false));
        if self.controllers.counted.is_empty() {
            self.graded(observation)
        } else {
            observation
        }
    }

    fn desired_replicas_ready(&self) -> Observation {
        let all_at_zero = self.controllers.all_at_zero();
        let mut members = self.excluded_controllers();
        members.extend(self.controllers.counted.iter().map(|it| member(it, self.judge(it, all_at_zero))));
        if self.bare != BarePods::LeftOut {
            members.extend(self.bare_pods().map(|(pod, life)| pod_member(pod, self.judge_bare(pod, &life))));
        }
        // Only read when no member is left: all stopped, or all waiting for demand (as they should), or none there.
        let empty = if all_at_zero {
            Value::Unknown(UnknownReason::IntentionallyStopped)
        } else {
            Value::Bool(!self.controllers.counted.is_empty())
        };
        self.graded(all(members, self.missing_with_bare_pods(), empty))
    }

    /// What is known of one controller. `all_at_zero`: no controller of the namespace is meant to run.
    fn judge(&self, controller: &Controller, all_at_zero: bool) -> Known {
        if controller.desired == 0 {
            return self.judge_zero(controller, all_at_zero);
        }
        if controller.is_satisfied() {
            return Known::True;
        }
        let mut counts = format!("{}/{} ready", controller.ready, controller.desired);
        if controller.ready >= controller.desired {
            counts.push_str(", not yet by its present specification");
        }
        if self.view.lifecycle.intent == Intent::Stopped {
            return stopped(format!("{counts}, the service is meant to be stopped"));
        }
        let worst = self.worst_pod(controller);
        let words = worst
            .as_ref()
            .map(|worst| worst.words.clone())
            .or_else(|| condition_words(controller));
        let reason = words.map_or_else(|| counts.clone(), |words| format!("{counts}, {words}"));
        if worst.is_some_and(|worst| worst.hopeless) {
            return Known::False(reason);
        }
        match controller.settles_at(self.view.settle.of(Stage::DeploymentReady)) {
            Some(until) if self.view.now < until => Known::Unknown(UnknownReason::Progressing, reason, Some(until)),
            _ => Known::False(reason),
        }
    }

    /// A controller that wants no pods: by design, by demand, by the platform, or by mistake.
    fn judge_zero(&self, controller: &Controller, all_at_zero: bool) -> Known {
        if controller.is_scaled_by_demand() {
            return Known::Excluded("scaled to zero until there is demand".to_owned());
        }
        let lifecycle = self.view.lifecycle;
        let by_platform = controller.is_stopped_by_platform();
        match lifecycle.intent {
            Intent::Started if by_platform => {
                let until = lifecycle.since.map(|since| since + thresholds::START_GRACE);
                match until {
                    Some(until) if self.view.now >= until => {
                        Known::False("still scaled to zero by the platform although the service was started".to_owned())
                    }
                    _ => Known::Unknown(
                        UnknownReason::Progressing,
                        "waits to be scaled up by the platform".to_owned(),
                        until,
                    ),
                }
            }
            _ if by_platform => Known::Excluded("scaled to zero by the platform".to_owned()),
            Intent::Stopped => Known::Excluded("scaled to zero, the service is meant to be stopped".to_owned()),
            _ if all_at_zero && !self.controllers.any_stopped_by_platform() => {
                Known::False("scaled to zero, like every controller here".to_owned())
            }
            _ => Known::Excluded("scaled to zero".to_owned()),
        }
    }

    fn judge_bare(&self, pod: &Pod, life: &Life) -> Known {
        if let BarePods::Undecided(reason) = self.bare {
            return Known::Unknown(reason, "a pod without controller; controllers were not read".to_owned(), None);
        }
        let standing = match life {
            Life::Lost(why) => Standing::NotReady(format!("no longer runs: {why}")),
            Life::Alive | Life::Terminating | Life::Finished => {
                pods::standing(pod, self.view.now, self.view.settle.of(Stage::DeploymentReady))
            }
        };
        match standing {
            Standing::Ready => Known::True,
            Standing::Starting(detail, _) | Standing::NotReady(detail) if self.view.lifecycle.intent == Intent::Stopped => stopped(detail),
            Standing::Starting(detail, until) => Known::Unknown(UnknownReason::Progressing, detail, until),
            Standing::NotReady(detail) => Known::False(detail),
        }
    }

    fn no_crashloop_pods(&self) -> Observation {
        self.over_pods(|pod| match pods::crash_loop(pod, self.view.now) {
            None => Known::True,
            Some(detail) if self.view.lifecycle.intent == Intent::Stopped => stopped(detail),
            Some(detail) => Known::False(detail),
        })
    }

    /// `judge` over every live pod of the workload.
    fn over_pods(&self, judge: impl Fn(&Pod) -> Known) -> Observation {
        let listing = &self.view.inventory.pods;
        let members = listing.items.iter().map(|pod| {
            let state = match self.why_not(pod) {
                Some(reason) => Known::Excluded(reason),
                None => match (self.bare, judge(pod)) {
                    (BarePods::Undecided(reason), Known::False(detail)) if pods::is_bare(pod) => Known::Unknown(reason, detail, None),
                    (_, state) => state,
                },
            };
            pod_member(pod, state)
        });
        let observation = all(members.collect(), listing.missing, Value::Bool(true));
        if self.counts_for_want_of_controllers() {
            self.graded(observation)
        } else {
            observation
        }
    }

    /// Why a pod is not one of the live pods of the workload.
    fn why_not(&self, pod: &Pod) -> Option<String> {
        let reason = match pods::home(pod) {
            Home::Machine => "carries a VM, see vm-runtime-ready",
            Home::Disk => "fills a disk, see storage-clone-ready",
            Home::Model => "serves a model, see model-endpoint-ready",
            Home::Task if pods::life(pod) == Life::Finished => "finished",
            Home::Task => "meant to end, judged by its Job",
            Home::Workload => match pods::life(pod) {
                Life::Terminating => "being deleted",
                Life::Finished => "finished",
                Life::Lost(why) => return Some(format!("no longer runs: {why}")),
                Life::Alive if pods::is_bare(pod) && self.bare == BarePods::LeftOut => {
                    "no controller, beside controllers: not part of the lab"
                }
                Life::Alive => return None,
            },
        };
        Some(reason.to_owned())
    }

    /// Pods without a controller that run, or should.
    fn bare_pods(&self) -> impl Iterator<Item = (&'a Pod, Life)> {
        let pods = self.view.inventory.pods.items.iter();
        pods.filter(|pod| pods::is_bare(pod) && pods::home(pod) == Home::Workload)
            .map(|pod| (pod, pods::life(pod)))
            .filter(|(_, life)| matches!(life, Life::Alive | Life::Lost(_)))
    }

    fn excluded_controllers(&self) -> Vec<Judged> {
        let excluded = self.controllers.excluded.iter();
        excluded
            .map(|(it, reason)| member(it, Known::Excluded((*reason).to_owned())))
            .collect()
    }

    /// Where bare pods may be the workload, unread pods may hide some of it.
    fn missing_with_bare_pods(&self) -> Option<UnknownReason> {
        let pods = match self.bare {
            BarePods::LeftOut => None,
            BarePods::Counted | BarePods::Undecided(_) => self.view.inventory.pods.missing,
        };
        self.controllers.missing.or(pods)
    }

    fn worst_pod(&self, controller: &Controller) -> Option<Worst> {
        let now = self.view.now;
        let mut own: Vec<&Pod> = self.view.inventory.pods.items.iter().filter(|pod| controller.owns(pod)).collect();
        own.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        let worst = own
            .iter()
            .filter(|pod| pods::life(pod) == Life::Alive)
            .filter_map(|pod| Some((pods::trouble(pod, now)?, *pod)))
            .min_by(|(a, _), (b, _)| a.cmp(b));
        if let Some((trouble, pod)) = worst {
            return Some(Worst {
                hopeless: pods::cuts_budget(pod, &trouble, now),
                words: trouble.detail().to_owned(),
            });
        }
        let words = own.iter().find_map(|pod| pods::describe(pod, now))?;
        Some(Worst { words, hopeless: false })
    }

    /// Where a culprit is one only for want of other controllers (bare pods, or all of them at zero), and these were
    /// concluded to be absent, the culprit is concluded too.
    fn graded(&self, observation: Observation) -> Observation {
        let for_want_of_others = self.counts_for_want_of_controllers() || self.controllers.all_at_zero();
        if self.controllers.inferred && for_want_of_others && !matches!(observation.value, Value::Unknown(_)) {
            return Observation {
                grade: Grade::Inferred,
                ..observation
            };
        }
        inferred_if(self.controllers.inferred, observation)
    }

    fn counts_for_want_of_controllers(&self) -> bool {
        self.bare == BarePods::Counted && !self.view.declared.bare_pods
    }

    /// What the pods behind the failing members, their controllers and failed Jobs say.
    fn signals(&self, observations: &[&Observation]) -> Vec<Signal> {
        let mut signals = Signals::default();
        let named = |kind: &str, name: &str| {
            observations
                .iter()
                .flat_map(|it| &it.failing)
                .any(|member| member.kind == kind && member.name == name)
        };
        let mut culprits: Vec<&Controller> = self.controllers.counted.iter().filter(|it| named(it.kind, &it.meta.name)).collect();
        culprits.sort_by_key(|it| (it.kind, &it.meta.name));
        let mut pods: Vec<&Pod> = self
            .view
            .inventory
            .pods
            .items
            .iter()
            .filter(|pod| named("Pod", &pod.metadata.name) || (culprits.iter().any(|it| it.owns(pod)) && !pods::is_ready(pod)))
            .collect();
        pods.sort_by_key(|pod| (pods::trouble(pod, self.view.now).is_none(), &pod.metadata.name));
        for pod in pods.into_iter().take(MAX_MEMBERS) {
            signals.pod(self.view, pod);
        }
        for controller in culprits.into_iter().take(MAX_MEMBERS) {
            let name = controller.meta.name.as_str();
            // A pod that was refused leaves no pod to ask.
            signals.condition(controller.kind, name, controller.conditions, "ReplicaFailure");
            signals.events_where(self.view, |kind, about| {
                (kind == controller.kind && about == name)
                    || (matches!(kind, "ReplicaSet" | "ReplicationController")
                        && about.rsplit_once('-').is_some_and(|(stem, _)| stem == name))
            });
        }
        let mut failed: Vec<&Job> = self
            .view
            .inventory
            .jobs
            .items
            .iter()
            .filter(|job| named("Job", &job.metadata.name))
            .collect();
        failed.sort_by_key(|job| &job.metadata.name);
        for job in failed.into_iter().take(MAX_MEMBERS) {
            let name = job.metadata.name.as_str();
            signals.condition("Job", name, &job.status.conditions, "Failed");
            signals.events(self.view, "Job", name);
        }
        signals.finish()
    }
}

/// The pod that explains a controller best.
struct Worst {
    words: String,
    /// Waiting longer cannot help.
    hopeless: bool,
}

/// What the controller itself says of missing pods.
fn condition_words(controller: &Controller) -> Option<String> {
    if let Some(failure) = condition(controller.conditions, "ReplicaFailure").filter(|failure| failure.is_true()) {
        return Some(format!("cannot create pods: {}", super::signals::clip(&failure.message, 160)));
    }
    let progressing = condition(controller.conditions, "Progressing")?;
    (progressing.reason == "ProgressDeadlineExceeded").then(|| "progress deadline exceeded".to_owned())
}

fn member(controller: &Controller, state: Known) -> Judged {
    Judged {
        kind: controller.kind,
        name: controller.meta.name.clone(),
        state,
    }
}

fn pod_member(pod: &Pod, state: Known) -> Judged {
    Judged {
        kind: "Pod",
        name: pod.metadata.name.clone(),
        state,
    }
}

const fn stopped(detail: String) -> Known {
    Known::Unknown(UnknownReason::IntentionallyStopped, detail, None)
}

fn false_if(trouble: Option<String>) -> Known {
    trouble.map_or(Known::True, Known::False)
}

fn image_pull(view: &View, pod: &Pod) -> Known {
    match pods::image_pull(pod) {
        None => Known::True,
        Some(detail) if pods::image_pull_is_settled(pod, view.now) => Known::False(detail),
        Some(detail) => {
            let until = pod
                .metadata
                .creation_timestamp
                .map(|created| created + thresholds::IMAGE_PULL_SETTLE);
            Known::Unknown(UnknownReason::Progressing, detail, until)
        }
    }
}

fn unschedulable(view: &View, pod: &Pod) -> Known {
    let Some(detail) = pods::unschedulable(pod) else {
        return Known::True;
    };
    match pods::standing(pod, view.now, view.settle.of(Stage::DeploymentReady)) {
        Standing::Starting(_, until) => Known::Unknown(UnknownReason::Progressing, detail, until),
        Standing::Ready | Standing::NotReady(_) => Known::False(detail),
    }
}

/// No Job has failed lately, unless a later run of the same CronJob succeeded. True where there are no Jobs.
fn no_failed_jobs(view: &View) -> Observation {
    let jobs = &view.inventory.jobs;
    let members = jobs.items.iter().map(|job| Judged {
        kind: "Job",
        name: job.metadata.name.clone(),
        state: judge_job(view, job),
    });
    all(members.collect(), jobs.missing, Value::Bool(true))
}

fn judge_job(view: &View, job: &Job) -> Known {
    if job.metadata.deletion_timestamp.is_some() {
        return Known::Excluded("being deleted".to_owned());
    }
    let Some(failed) = condition(&job.status.conditions, "Failed").filter(|failed| failed.is_true()) else {
        return Known::True;
    };
    let at = failed.last_transition_time.or(job.metadata.creation_timestamp);
    if at.is_some_and(|at| view.now - at > thresholds::FAILED_JOB_MATTERS) {
        return Known::Excluded("failed more than a day ago".to_owned());
    }
    if let Some(cron_job) = cron_job(job) {
        let recovered = view.inventory.jobs.items.iter().any(|other| {
            let succeeded = condition(&other.status.conditions, "Complete").is_some_and(crate::objects::Condition::is_true);
            self::cron_job(other) == Some(cron_job) && succeeded && other.status.completion_time.max(other.metadata.creation_timestamp) > at
        });
        if recovered {
            return Known::Excluded(format!("a later run of CronJob {cron_job} succeeded"));
        }
        if let Some(reason) = view.inventory.jobs.missing {
            return Known::Unknown(reason, format!("failed; not every run of CronJob {cron_job} was read"), None);
        }
    }
    let reason = if failed.reason.is_empty() { "Failed" } else { &failed.reason };
    Known::False(format!("failed: {reason}"))
}

fn cron_job(job: &Job) -> Option<&str> {
    let mut owners = job.metadata.owner_references.iter();
    owners.find(|owner| owner.kind == "CronJob").map(|owner| owner.name.as_str())
}

/// No pod, whichever stage it belongs to, has outlived its deletion.
fn no_stuck_terminations(view: &View) -> Observation {
    let listing = &view.inventory.pods;
    let members = listing.items.iter().map(|pod| {
        let stuck = pods::stuck_since(pod, view.now);
        pod_member(pod, false_if(stuck.map(|_| "still there after its deletion was due".to_owned())))
    });
    all(members.collect(), listing.missing, Value::Bool(true))
}

#[cfg(test)]
mod tests;
