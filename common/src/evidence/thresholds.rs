//! Every number a criterion compares with, in one place, each with its origin.
//!
//! How long the things of a stage may be on their way is not here: that is `timeout_seconds` of its rubric ([`super::Settle`]).
//! Budgets that only some of them have, beside it, are.

use chrono::TimeDelta;

/// Age after which an image that cannot be pulled counts at once: the first back-off of a busy registry is shorter.
pub const IMAGE_PULL_SETTLE: TimeDelta = TimeDelta::minutes(2);

/// How long a termination counts as recent: the kubelet's back-off between two crashes never exceeds five minutes, so a
/// loop shows at least one termination in twice that time.
pub const RECENT_RESTART: TimeDelta = TimeDelta::minutes(10);

/// Restarts from which an unready container that ended recently is in a crash loop, even between two crashes.
pub const CRASH_LOOP_RESTARTS: i64 = 3;

/// How long a pod may outlive the end of its grace period before it is stuck.
pub const STUCK_TERMINATION: TimeDelta = TimeDelta::minutes(10);

/// How long a failed Job matters. A nightly CronJob has run again by then.
pub const FAILED_JOB_MATTERS: TimeDelta = TimeDelta::hours(24);

/// Failed pods of one job from which it is a backlog. Source: the largest usual history is 3 failed Jobs with 7 pods each
/// (`failedJobsHistoryLimit` 3, `backoffLimit` 6); more than twice that is a job that nobody cleans up after.
pub const JOB_BACKLOG_PODS: usize = 50;

/// How long after the service was started the platform's stop marks may still be there.
pub const START_GRACE: TimeDelta = TimeDelta::minutes(15);

/// How long a namespace may be terminating before its teardown is stuck.
pub const STUCK_TEARDOWN: TimeDelta = TimeDelta::hours(2);

/// Longest acceptable import or clone of a disk, once it is done.
pub const CLONE_DURATION: TimeDelta = TimeDelta::seconds(600);

/// A certificate that ends sooner is worth a warning: renewals run at least two weeks ahead.
pub const CERTIFICATE_EXPIRES_SOON: TimeDelta = TimeDelta::days(7);

/// How long a VMI may be in phase Unknown (its node does not answer) before it counts as down.
pub const VMI_NODE_LOST: TimeDelta = TimeDelta::minutes(5);

/// How long a guest agent may be away: a guest that reboots is back by then.
pub const GUEST_AGENT_AWAY: TimeDelta = TimeDelta::minutes(5);

/// A smoke run that ended longer ago says nothing about today.
pub const SMOKE_RUN_FRESH: TimeDelta = TimeDelta::hours(24);

/// Smoke runs with more workers than this are real rehearsals; smaller ones are somebody trying something.
pub const SMOKE_REHEARSAL_WORKERS: i64 = 10;

/// Longest acceptable answer of a lab's main page, in milliseconds.
pub const SMOKE_RESPONSE_MS: u32 = 5000;

/// Longest acceptable answer of a showroom's readiness path, in milliseconds.
pub const SHOWROOM_RESPONSE_MS: u32 = 5000;

/// Longest acceptable inference, in milliseconds. No product states a limit; a declared one would win.
pub const INFERENCE_MS: u32 = 5000;

/// Mean CPU of the compute nodes, in percent of what they can allocate, that a cluster must stay below.
pub const CLUSTER_CPU_PERCENT: f64 = 80.0;

/// The same for memory.
pub const CLUSTER_MEMORY_PERCENT: f64 = 90.0;

/// A compute node above this share of its CPU is hot.
pub const HOT_NODE_PERCENT: f64 = 80.0;

/// A measurement of a node older than this says nothing of now: the metrics pipeline measures every minute.
pub const NODE_SAMPLE_FRESH: TimeDelta = TimeDelta::minutes(3);

/// Share of the compute nodes that must be measured: a mean over fewer would mislead.
pub const NODE_SAMPLE_COVERAGE: f64 = 0.8;

/// How long a namespace may stay without a sign of what lab it is: ordered, but not yet filled.
pub const PROVISIONING_GRACE: TimeDelta = TimeDelta::minutes(20);
