//! The time a simulated fleet lives in: it stands still until moved, or follows the real clock at an offset.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::SystemTime,
};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// A clock shared by everything in one fleet. Cloning gives another handle on the same clock.
#[derive(Clone, Debug)]
pub struct SimClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Start of a standing clock; none for one that follows real time.
    start: Option<DateTime<Utc>>,
    /// Milliseconds added to the start, or to real time.
    offset_ms: AtomicI64,
}

impl SimClock {
    /// A clock that stands at `start` until [`SimClock::advance`] moves it.
    #[must_use]
    pub fn starting_at(start: DateTime<Utc>) -> Self {
        Self(Arc::new(Inner {
            start: Some(start),
            offset_ms: AtomicI64::new(0),
        }))
    }

    /// A clock that runs with real time, `offset` ahead of it (negative: behind it).
    #[must_use]
    pub fn following_real_time(offset: TimeDelta) -> Self {
        Self(Arc::new(Inner {
            start: None,
            offset_ms: AtomicI64::new(offset.num_milliseconds()),
        }))
    }

    /// The present of the fleet.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let base = self.0.start.unwrap_or_else(|| DateTime::from(SystemTime::now()));
        base + TimeDelta::milliseconds(self.0.offset_ms.load(Ordering::SeqCst))
    }

    /// Moves the clock forward (backward with a negative `by`).
    pub fn advance(&self, by: TimeDelta) {
        self.0.offset_ms.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

/// A time as Kubernetes writes it: RFC 3339, whole seconds, `Z`.
#[must_use]
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A time with microseconds, as `metadata.managedFields` of leases and `eventTime` of events have it.
#[must_use]
pub fn micro_stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
