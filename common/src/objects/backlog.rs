//! What jobs left behind outside the labs: failed pods, counted by the job they belong to.
//!
//! ```text
//! pod of a namespace that is no lab ──> Tally::see ──> Tally::finish ──> one JobBacklog a job
//! ```
//!
//! A broken clean-up job can leave tens of thousands of failed pods. They are counted while the pods are read anyway and then
//! dropped: memory follows the number of jobs, which is bounded, and never the number of pods. Failed pods of a lab's own jobs are
//! not counted here, they are judged with the lab.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Listing, Pod};
use crate::unknown::UnknownReason;

/// Jobs that are told apart on one cluster. Source: a busy cluster has a few hundred CronJobs.
const MOST_JOBS: usize = 4096;
/// Fewer failed pods than this are a job's usual history and no backlog, whoever judges.
const LEAST_PODS: usize = 10;
/// Digits that the CronJob controller ends the name of a Job in: its scheduled time in minutes since 1970.
const SCHEDULED_DIGITS: usize = 8;

/// What made the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum JobOwner {
    /// A Job that somebody made.
    Job,
    /// A CronJob, by way of its Jobs.
    CronJob,
}

impl JobOwner {
    /// The Kubernetes kind.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Job => "Job",
            Self::CronJob => "CronJob",
        }
    }
}

/// The failed pods of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobBacklog {
    /// Where the job runs.
    pub namespace: String,
    /// What it is.
    pub owner_kind: JobOwner,
    /// Its name.
    pub owner: String,
    /// How many of its pods are there and have failed.
    pub pods: usize,
    /// When the oldest of them was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<DateTime<Utc>>,
}

/// Counts failed pods of jobs.
#[derive(Debug, Default)]
pub(super) struct Tally {
    jobs: BTreeMap<(String, JobOwner, String), Count>,
    /// A job was not counted because there were too many.
    overflown: bool,
}

#[derive(Debug, Default)]
struct Count {
    pods: usize,
    oldest: Option<DateTime<Utc>>,
}

impl Tally {
    /// Takes a pod into account, if a job left it behind.
    pub(super) fn see(&mut self, pod: &Pod) {
        if pod.status.phase != "Failed" {
            return;
        }
        let owner = pod.metadata.owner_references.iter().find(|owner| owner.kind == "Job");
        let (Some(owner), Some(namespace)) = (owner, &pod.metadata.namespace) else {
            return;
        };
        let (kind, name) = job_of(&owner.name);
        let key = (namespace.clone(), kind, name.to_owned());
        if self.jobs.len() >= MOST_JOBS && !self.jobs.contains_key(&key) {
            self.overflown = true;
            return;
        }
        let count = self.jobs.entry(key).or_default();
        count.pods += 1;
        count.oldest = [count.oldest, pod.metadata.creation_timestamp].into_iter().flatten().min();
    }

    /// Takes in what another one counted.
    pub(super) fn absorb(&mut self, other: Self) {
        self.overflown |= other.overflown;
        for (key, Count { pods, oldest }) in other.jobs {
            let count = self.jobs.entry(key).or_default();
            count.pods += pods;
            count.oldest = [count.oldest, oldest].into_iter().flatten().min();
        }
    }

    /// What was counted, by namespace and job. `missing` says why not all pods were seen.
    pub(super) fn finish(self, missing: Option<UnknownReason>) -> Listing<JobBacklog> {
        let noted = self.jobs.into_iter().filter(|(_, count)| count.pods >= LEAST_PODS);
        let items = noted.map(|((namespace, owner_kind, owner), Count { pods, oldest })| JobBacklog {
            namespace,
            owner_kind,
            owner,
            pods,
            oldest,
        });
        Listing {
            items: items.collect(),
            missing: missing.or(self.overflown.then_some(UnknownReason::Truncated)),
        }
    }
}

/// The CronJob behind a Job's name, or the Job itself.
fn job_of(job: &str) -> (JobOwner, &str) {
    match job.rsplit_once('-') {
        Some((cron_job, minutes))
            if !cron_job.is_empty() && minutes.len() == SCHEDULED_DIGITS && minutes.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            (JobOwner::CronJob, cron_job)
        }
        _ => (JobOwner::Job, job),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{Meta, Owner};

    fn failed(namespace: &str, job: &str, hour: i64) -> Pod {
        let mut pod = Pod {
            metadata: Meta {
                namespace: Some(namespace.to_owned()),
                creation_timestamp: DateTime::from_timestamp(hour * 3600, 0),
                owner_references: vec![Owner {
                    kind: "Job".to_owned(),
                    name: job.to_owned(),
                    controller: true,
                }],
                ..Meta::default()
            },
            ..Pod::default()
        };
        pod.status.phase = "Failed".to_owned();
        pod
    }

    #[test]
    fn pods_of_a_cron_jobs_many_jobs_are_one_backlog() {
        let mut tally = Tally::default();
        for run in 0..2730 {
            tally.see(&failed("storage", &format!("clean-up-{}", 29_300_000 + run), 5 + run));
        }
        for _ in 0..LEAST_PODS - 1 {
            tally.see(&failed("storage", "by-hand", 1));
        }
        let mut running = failed("storage", "clean-up-29300000", 1);
        running.status.phase = "Running".to_owned();
        tally.see(&running);
        let mut evicted = failed("storage", "x", 1);
        evicted.metadata.owner_references.clear();
        tally.see(&evicted);
        let found = tally.finish(None);
        assert_eq!(
            found,
            Listing::complete(vec![JobBacklog {
                namespace: "storage".to_owned(),
                owner_kind: JobOwner::CronJob,
                owner: "clean-up".to_owned(),
                pods: 2730,
                oldest: DateTime::from_timestamp(5 * 3600, 0),
            }])
        );
    }

    #[test]
    fn only_the_cron_job_controllers_own_numbers_are_taken_off() {
        for (job, expected) in [
            ("clean-up-29300115", (JobOwner::CronJob, "clean-up")),
            ("clean-up-2930011", (JobOwner::Job, "clean-up-2930011")),
            ("clean-up-2930011x", (JobOwner::Job, "clean-up-2930011x")),
            ("-29300115", (JobOwner::Job, "-29300115")),
            ("migrate", (JobOwner::Job, "migrate")),
        ] {
            assert_eq!(job_of(job), expected);
        }
    }

    #[test]
    fn jobs_beyond_the_limit_are_not_silently_nothing() {
        let mut tally = Tally::default();
        for job in 0..=MOST_JOBS {
            tally.see(&failed("storage", &format!("job-{job}"), 1));
        }
        assert_eq!(tally.finish(None).missing, Some(UnknownReason::Truncated));
        assert_eq!(
            Tally::default().finish(Some(UnknownReason::Forbidden)).missing,
            Some(UnknownReason::Forbidden)
        );
    }
}
