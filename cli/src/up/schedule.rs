//! The schedules of the CronJob manifests, run in this process instead of by a cluster.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use serde::Deserialize;

/// The manifests that a cluster gets: the one place where schedules are written down.
const MANIFESTS: [(&str, &str); 4] = [
    ("jobs/scan/cronjob.yaml", include_str!("../../../jobs/scan/cronjob.yaml")),
    ("jobs/collect/cronjob.yaml", include_str!("../../../jobs/collect/cronjob.yaml")),
    ("jobs/sweep/cronjob.yaml", include_str!("../../../jobs/sweep/cronjob.yaml")),
    ("jobs/retain/cronjob.yaml", include_str!("../../../jobs/retain/cronjob.yaml")),
];

/// One CronJob: when, and which program with which arguments.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Name of the CronJob.
    pub name: String,
    /// Program and arguments of its container.
    pub args: Vec<String>,
    cron: Cron,
}

#[derive(Deserialize)]
struct CronJob {
    kind: String,
    metadata: Metadata,
    spec: CronJobSpec,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CronJobSpec {
    schedule: String,
    job_template: JobTemplate,
}

#[derive(Deserialize)]
struct JobTemplate {
    spec: JobSpec,
}

#[derive(Deserialize)]
struct JobSpec {
    template: PodTemplate,
}

#[derive(Deserialize)]
struct PodTemplate {
    spec: PodSpec,
}

#[derive(Deserialize)]
struct PodSpec {
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    args: Vec<String>,
}

/// All schedules, in the order of the manifests.
///
/// # Errors
/// When a manifest cannot be understood; they are part of the program, so that is a defect of it.
pub fn all() -> anyhow::Result<Vec<Schedule>> {
    let mut schedules = Vec::new();
    for (file, text) in MANIFESTS {
        let documents: Vec<CronJob> =
            serde_yaml::from_multiple_with_options(text, stargate_common::yaml::options()).with_context(|| file)?;
        for job in documents.into_iter().filter(|document| document.kind == "CronJob") {
            let cron = job
                .spec
                .schedule
                .parse::<Cron>()
                .with_context(|| format!("{file}: schedule of {}", job.metadata.name))?;
            let args = job
                .spec
                .job_template
                .spec
                .template
                .spec
                .containers
                .into_iter()
                .next()
                .map(|container| container.args)
                .unwrap_or_default();
            schedules.push(Schedule {
                name: job.metadata.name,
                args,
                cron,
            });
        }
    }
    Ok(schedules)
}

impl Schedule {
    /// The next time to run after `now`. A `pace` of n runs n times as often: with 20, a job of every five minutes runs every
    /// fifteen seconds. One means the schedule as written, aligned to the clock.
    ///
    /// # Errors
    /// When the schedule has no next time.
    pub fn next(&self, now: DateTime<Utc>, pace: u32) -> anyhow::Result<DateTime<Utc>> {
        let next = self
            .cron
            .find_next_occurrence(&now, false)
            .with_context(|| format!("schedule of {}", self.name))?;
        if pace <= 1 {
            return Ok(next);
        }
        let after = self
            .cron
            .find_next_occurrence(&next, false)
            .with_context(|| format!("schedule of {}", self.name))?;
        let wait: TimeDelta = (after - next) / i32::try_from(pace).unwrap_or(i32::MAX);
        Ok(now + wait.max(TimeDelta::seconds(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_shortens_the_period() -> anyhow::Result<()> {
        let schedule = Schedule {
            name: "scan".into(),
            args: Vec::new(),
            cron: "3-59/5 * * * *".parse()?,
        };
        let now: DateTime<Utc> = "2026-03-02T08:00:00Z".parse()?;
        assert_eq!(schedule.next(now, 1)?, "2026-03-02T08:03:00Z".parse::<DateTime<Utc>>()?);
        assert_eq!(schedule.next(now, 20)?, "2026-03-02T08:00:15Z".parse::<DateTime<Utc>>()?);
        Ok(())
    }

    #[test]
    fn every_manifest_has_a_schedule_and_arguments() -> anyhow::Result<()> {
        let schedules = all()?;
        assert!(
            schedules.len() >= 11,
            "three scan tiers, six sources, sweep and retain: {schedules:?}"
        );
        assert!(schedules.iter().all(|schedule| !schedule.args.is_empty()));
        Ok(())
    }
}
