//! AnarchySubjects, AnarchyRuns and the pods of AnarchyRunners. Source: rhdp-contracts 1.2 and 1.3.
//!
//! `provision_data`, messages to people, job variables but those of identity, callback tokens and snapshots in runs are never read.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::lenient::{Flag, Int, Many, Or, Text, Time};
use super::wire::{Meta, Nothing, Ref, Schedule, Unfit, Wire, object};
use crate::provisioning::subject::{ActionTimes, ActiveAction, AnarchyRun, AnarchySubject, TowerJob};
use crate::sources::redact;

/// Longest message that is kept, in characters.
const MESSAGE: usize = 300;
/// Actions that are read.
const ACTIONS: [&str; 6] = ["provision", "start", "stop", "status", "update", "destroy"];
const FINALIZERS: &str = "anarchy.gpte.redhat.com";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Subject {
    metadata: Meta<SubjectLabels, SubjectAnnotations>,
    spec: Or<Spec>,
    status: Or<Status>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SubjectLabels {
    #[serde(rename = "anarchy.gpte.redhat.com/ignore")]
    ignore: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SubjectAnnotations {
    #[serde(rename = "poolboy.gpte.redhat.com/resource-handle-name")]
    handle: Text,
    #[serde(rename = "poolboy.gpte.redhat.com/resource-handle-namespace")]
    handle_namespace: Text,
    #[serde(rename = "poolboy.gpte.redhat.com/resource-claim-name")]
    claim: Text,
    #[serde(rename = "poolboy.gpte.redhat.com/resource-claim-namespace")]
    claim_namespace: Text,
    #[serde(rename = "poolboy.gpte.redhat.com/resource-pool-name")]
    pool: Text,
    #[serde(rename = "poolboy.gpte.redhat.com/resource-pool-namespace")]
    pool_namespace: Text,
    #[serde(rename = "poolboy.gpte.redhat.com/resource-provider-name")]
    provider: Text,
    #[serde(rename = "poolboy.gpte.redhat.com/resource-provider-namespace")]
    provider_namespace: Text,
    #[serde(rename = "poolboy.gpte.redhat.com/resource-index")]
    index: Int,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    governor: Text,
    vars: Or<Vars>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Vars {
    current_state: Text,
    desired_state: Text,
    default_desired_state: Text,
    healthy: Flag,
    action_schedule: Or<Schedule>,
    job_vars: Or<JobVars>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct JobVars {
    guid: Text,
    uuid: Text,
    cloud_provider: Text,
    sandbox_openshift_cluster: Text,
    sandbox_openshift_namespace: Text,
    sandbox_openshift_api_url: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    active_action: Or<Active>,
    pending_actions: Or<Vec<IgnoredAny>>,
    runs: Or<Runs>,
    run_status: Text,
    run_status_message: Text,
    actions: Or<BTreeMap<String, Or<Action>>>,
    tower_jobs: Jobs,
    #[serde(rename = "sandboxAPIJobs")]
    sandbox_jobs: Or<BTreeMap<String, Or<SandboxJob>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Active {
    name: Text,
    after: Time,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Runs {
    active: Or<Vec<Ref>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Action {
    start_timestamp: Time,
    complete_timestamp: Time,
    state: Text,
    // Written in place of `state` when the deployer is disabled for the action.
    status: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Job {
    // Of the legacy list only.
    action: Text,
    deployer_job: Int,
    tower_host: Text,
    job_status: Text,
    start_timestamp: Time,
    complete_timestamp: Time,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SandboxJob {
    job_status: Text,
}

/// `status.towerJobs`: by action, each one job or a list of them; in the legacy form one list of all.
#[derive(Debug, Default)]
struct Jobs(BTreeMap<String, Vec<Job>>);

impl<'de> Deserialize<'de> for Jobs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> serde::de::Visitor<'de> for Forms {
            type Value = Jobs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("jobs by action, or a list of jobs")
            }
            fn visit_unit<E>(self) -> Result<Jobs, E> {
                Ok(Jobs::default())
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Jobs, A::Error> {
                let mut jobs = BTreeMap::new();
                while let Some((action, Many(of))) = map.next_entry::<String, Many<Job>>()? {
                    jobs.insert(action, of);
                }
                Ok(Jobs(jobs))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Jobs, A::Error> {
                let mut jobs: BTreeMap<String, Vec<Job>> = BTreeMap::new();
                while let Some(Or(job)) = seq.next_element::<Or<Job>>()? {
                    // The list dates from when only the provision had a job of its own.
                    let action = if job.action.0.is_empty() { "provision" } else { &job.action.0 };
                    jobs.entry(action.to_owned()).or_default().push(job);
                }
                Ok(Jobs(jobs))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl Jobs {
    /// The newest job of each action: the last of those that began last.
    fn newest(self) -> BTreeMap<String, TowerJob> {
        let known = self.0.into_iter().filter(|(action, _)| is_known(action));
        let newest = known.filter_map(|(action, jobs)| Some((action, jobs.into_iter().max_by_key(|job| job.start_timestamp.0)?)));
        let kept = |job: Job| TowerJob {
            host: job.tower_host.0,
            id: job.deployer_job.0,
            status: job.job_status.0,
            started_at: job.start_timestamp.0,
            completed_at: job.complete_timestamp.0,
        };
        newest.map(|(action, job)| (action, kept(job))).collect()
    }
}

fn is_known(action: &str) -> bool {
    ACTIONS.contains(&action)
}

impl Wire for Subject {
    type Kept = AnarchySubject;

    fn keep(self) -> Result<AnarchySubject, Unfit> {
        let Self { metadata, spec, status } = self;
        metadata.check()?;
        let (labels, annotations, spec, status) = (metadata.labels.0, metadata.annotations.0, spec.0, status.0);
        let (vars, governor) = (spec.vars.0, spec.governor.0);
        let job_vars = vars.job_vars.0;
        let is_anarchys =
            |finalizer: &Text| finalizer.0 == FINALIZERS || finalizer.0.strip_prefix(FINALIZERS).is_some_and(|rest| rest.starts_with('/'));
        let desired_state = if vars.desired_state.0.is_empty() {
            vars.default_desired_state
        } else {
            vars.desired_state
        };
        let active = status.active_action.0;
        let actions = status
            .actions
            .0
            .into_iter()
            .filter(|(action, _)| is_known(action))
            .map(|(action, Or(times))| {
                let state = if times.state.0.is_empty() { times.status } else { times.state };
                let times = ActionTimes {
                    started_at: times.start_timestamp.0,
                    completed_at: times.complete_timestamp.0,
                    state: state.0,
                };
                (action, times)
            });
        let sandbox_jobs = status.sandbox_jobs.0.into_iter().filter(|(action, _)| is_known(action));
        Ok(AnarchySubject {
            uid: metadata.uid.0,
            namespace: metadata.namespace.0,
            name: metadata.name.0,
            created_at: metadata.creation_timestamp,
            deleting_since: metadata.deletion_timestamp,
            anarchy_finalizer: metadata.finalizers.iter().any(is_anarchys),
            foreign_finalizers: metadata
                .finalizers
                .0
                .into_iter()
                .filter(|finalizer| !is_anarchys(finalizer))
                .map(|text| text.0)
                .collect(),
            ignored: labels.ignore.is_some(),
            governor,
            current_state: vars.current_state.0,
            desired_state: desired_state.0,
            healthy: vars.healthy.0,
            schedule: vars.action_schedule.window(),
            guid: job_vars.guid.0,
            service_uuid: job_vars.uuid.0,
            lab_cluster: job_vars.sandbox_openshift_cluster.0,
            lab_api_url: redact::url(&job_vars.sandbox_openshift_api_url.0, MESSAGE),
            lab_namespace: job_vars.sandbox_openshift_namespace.0,
            cloud_provider: job_vars.cloud_provider.0,
            handle: object(annotations.handle_namespace, annotations.handle),
            claim: object(annotations.claim_namespace, annotations.claim),
            pool: object(annotations.pool_namespace, annotations.pool),
            provider: object(annotations.provider_namespace, annotations.provider),
            resource_index: annotations.index.0,
            run_status: status.run_status.0,
            run_message: redact::text(&status.run_status_message.0, MESSAGE),
            actions: actions.collect(),
            jobs: status.tower_jobs.newest(),
            sandbox_jobs: sandbox_jobs.map(|(action, Or(job))| (action, job.job_status.0)).collect(),
            active_action: (!active.name.0.is_empty()).then_some(ActiveAction {
                name: active.name.0,
                after: active.after.0,
            }),
            pending_actions: status.pending_actions.len(),
            active_runs: status
                .runs
                .0
                .active
                .0
                .into_iter()
                .map(|run| run.name.0)
                .filter(|name| !name.is_empty())
                .collect(),
            missing_runs: None,
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Run {
    metadata: Meta<RunLabels, Nothing>,
    spec: Or<RunSpec>,
    status: Or<RunStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RunLabels {
    #[serde(rename = "anarchy.gpte.redhat.com/runner")]
    runner: Text,
    #[serde(rename = "anarchy.gpte.redhat.com/subject")]
    subject: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RunSpec {
    subject: Or<Ref>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RunStatus {
    failures: Int,
    retry_after: Time,
    result: Or<RunResult>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RunResult {
    status_message: Text,
}

impl Wire for Run {
    type Kept = AnarchyRun;

    fn keep(self) -> Result<AnarchyRun, Unfit> {
        let Self { metadata, spec, status } = self;
        metadata.check()?;
        let labels = metadata.labels.0;
        let subject = spec.0.subject.0.name;
        Ok(AnarchyRun {
            uid: metadata.uid.0,
            namespace: metadata.namespace.0,
            name: metadata.name.0,
            created_at: metadata.creation_timestamp,
            subject: if subject.0.is_empty() { labels.subject.0 } else { subject.0 },
            runner: labels.runner.0,
            pod_missing: None,
            failures: status.failures.0.unwrap_or_default(),
            retry_after: status.retry_after.0,
            message: redact::text(&status.0.result.status_message.0, MESSAGE),
        })
    }
}

/// Where governor runs are carried out: only the names of the pods are read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Runner {
    metadata: Meta<Nothing, Nothing>,
    status: Or<RunnerStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RunnerStatus {
    pods: Or<Vec<Ref>>,
}

/// The pods of the runners of a namespace.
#[derive(Debug, Default)]
pub(super) struct RunnerPods {
    pub(super) namespace: String,
    pub(super) pods: Vec<String>,
}

impl Wire for Runner {
    type Kept = RunnerPods;

    fn keep(self) -> Result<RunnerPods, Unfit> {
        self.metadata.check()?;
        Ok(RunnerPods {
            namespace: self.metadata.namespace.0,
            pods: self.status.0.pods.0.into_iter().map(|pod| pod.name.0).collect(),
        })
    }
}
