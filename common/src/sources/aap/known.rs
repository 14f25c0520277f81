//! What is already stored of the jobs of a controller, and what follows for the next reading of it. Pure.
//!
//! ```text
//!   ── stored ──────────────────┤ newest time that the controller wrote
//!                   ├─ overlap ─┤
//!                   └──> created or finished since then     and, by their ids, jobs that had not ended yet
//! ```
//!
//! Times are the controller's own, so a clock there that is wrong loses nothing; one that was ahead is held back by ours.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::provisioning::job::{AapJob, JobFailure};

/// How far a reading goes back behind the newest time that is stored: nodes of one controller whose clocks differ, and jobs that were
/// created while a list was read.
const OVERLAP: TimeDelta = TimeDelta::minutes(15);
/// How far a first reading goes back. Source: the window of the success rate, readiness-domain 7.3.
const FIRST: TimeDelta = TimeDelta::hours(24);
/// How far any reading goes back: after a longer absence older jobs decide nothing any more.
pub const LOOK_BACK: TimeDelta = TimeDelta::days(7);
/// How long a failure whose evidence could not be read is tried again: events do not come a day later.
const OWED: TimeDelta = TimeDelta::hours(24);

/// States after which nothing follows. Any other, also one we do not know, may still change.
const FINAL: [&str; 4] = ["successful", "failed", "error", "canceled"];

/// Whether a job in that state is over.
#[must_use]
pub fn is_final(status: &str) -> bool {
    FINAL.contains(&status)
}

/// Whether a job that is over failed. A cancelled one is neither good nor bad.
#[must_use]
pub fn is_failed(status: &str) -> bool {
    matches!(status, "failed" | "error")
}

/// What is stored of one controller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The newest time of creation or end of its jobs, by its own clock.
    pub newest: Option<DateTime<Utc>>,
    /// Jobs to read again by their ids: they had not ended, or their evidence is owed.
    pub open: BTreeSet<i64>,
    /// Failures that are concluded. They do not change, and events are read once a job.
    pub failures: BTreeMap<i64, JobFailure>,
}

impl Known {
    /// What follows from stored jobs of one controller.
    #[must_use]
    pub fn of(newest: Option<DateTime<Utc>>, jobs: impl IntoIterator<Item = AapJob>, now: DateTime<Utc>) -> Self {
        let mut known = Self { newest, ..Self::default() };
        for job in jobs {
            let concluded = job.failure.as_ref().is_some_and(|failure| failure.unread.is_empty());
            let owed = is_failed(&job.status) && !concluded && job.finished_at.is_none_or(|finished| finished >= now - OWED);
            let active = !is_final(&job.status) && job.created_at.is_none_or(|created| created >= now - LOOK_BACK);
            if owed || active {
                known.open.insert(job.id);
            }
            if let (true, Some(failure)) = (concluded, job.failure) {
                known.failures.insert(job.id, failure);
            }
        }
        known
    }

    /// Since when jobs are to be read.
    #[must_use]
    pub fn since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self.newest {
            Some(newest) => (newest.min(now) - OVERLAP).max(now - LOOK_BACK),
            None => now - FIRST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn job(id: i64, status: &str, created: &str, finished: Option<&str>, failure: Option<JobFailure>) -> AapJob {
        AapJob {
            id,
            status: status.into(),
            created_at: Some(at(created)),
            finished_at: finished.map(at),
            failure,
            ..AapJob::default()
        }
    }

    #[test]
    fn a_reading_goes_back_behind_the_newest_time() {
        let now = at("2026-03-10T12:00:00Z");
        let since = |newest: Option<&str>| Known::of(newest.map(at), [], now).since(now).to_rfc3339();
        assert_eq!(since(None), "2026-03-09T12:00:00+00:00");
        assert_eq!(since(Some("2026-03-10T11:50:00Z")), "2026-03-10T11:35:00+00:00");
        // Its clock was, or is, hours ahead: what it writes when it is right again must not be missed.
        assert_eq!(since(Some("2026-03-10T15:00:00Z")), "2026-03-10T11:45:00+00:00");
        // Its clock is hours behind: what it writes next is still behind ours.
        assert_eq!(since(Some("2026-03-10T09:00:00Z")), "2026-03-10T08:45:00+00:00");
        assert_eq!(since(Some("2026-01-10T09:00:00Z")), "2026-03-03T12:00:00+00:00");
    }

    #[test]
    fn what_may_still_change_is_read_again() {
        let now = at("2026-03-10T12:00:00Z");
        let read = JobFailure {
            task: "Clone".into(),
            ..JobFailure::default()
        };
        let unread = JobFailure {
            unread: "403".into(),
            ..JobFailure::default()
        };
        let (long_ago, yesterday, today) = ("2026-02-01T00:00:00Z", "2026-03-09T00:00:00Z", "2026-03-10T10:00:00Z");
        let jobs = [
            job(1, "running", today, None, None),
            job(2, "pending", long_ago, None, None),
            job(3, "a-new-state", yesterday, None, None),
            job(4, "successful", today, Some(today), None),
            job(5, "canceled", today, Some(today), None),
            job(6, "failed", today, Some(today), Some(read.clone())),
            job(7, "failed", today, Some(today), Some(unread.clone())),
            job(8, "error", today, Some(today), None),
            job(9, "failed", yesterday, Some(yesterday), Some(unread)),
        ];
        let known = Known::of(None, jobs, now);
        assert_eq!(known.open, BTreeSet::from([1, 3, 7, 8]));
        assert_eq!(known.failures, BTreeMap::from([(6, read)]));
    }
}
