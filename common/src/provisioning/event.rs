//! Who is coming: labs and their sessions as Labagator plans them, and the smoke runs of Demolition.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Record, RecordKind};

/// One lab. Source: rhdp-contracts 6.1. People are never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lab {
    /// `lab_code`.
    pub code: String,
    /// `title`.
    pub title: String,
    /// `status`, as received.
    pub status: String,
    /// `cloud`, as received.
    pub cloud: String,
    /// `deploy_mode`, as received.
    pub deploy_mode: String,
    /// `ci_name`: free text; the item without its stage, or a lab code.
    pub ci_name: String,
    /// Id of its event.
    pub event_id: Option<i64>,
}

impl Record for Lab {
    const KIND: RecordKind = RecordKind::Lab;

    fn key(&self) -> String {
        self.code.clone()
    }
}

/// One session: a lab in a room at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Its id in Labagator; without one, made of lab, date, time and room.
    pub id: String,
    /// `lab_code`.
    pub lab_code: String,
    /// `session_date`, as received.
    pub date: NaiveDate,
    /// `start_time`, as received; may be open.
    pub start_time: Option<NaiveTime>,
    /// `end_time`, as received.
    pub end_time: Option<NaiveTime>,
    /// The zone these times were read in, by its IANA name: configured, because they come without one.
    pub time_zone: String,
    /// When it begins; none while the time is open. A day without a time begins at no known time.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends.
    pub ends_at: Option<DateTime<Utc>>,
    /// Why a time could not be resolved exactly (a clock change), for people.
    pub time_note: String,
    /// `room`.
    pub room: String,
    /// `attendees`.
    pub attendees: Option<i64>,
    /// `status`, as received.
    pub status: String,
    /// Id of its event.
    pub event_id: Option<i64>,
}

impl Record for Session {
    const KIND: RecordKind = RecordKind::Session;

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// One session of Demolition: simulated learners going through a lab. Source: rhdp-contracts 6.2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmokeSession {
    /// `id`.
    pub id: i64,
    /// `name`, shortened.
    pub name: String,
    /// `status`, as received: `completed` means that it ran, not that it passed.
    pub status: String,
    /// `worker_count`, or `workers`.
    pub workers: Option<i64>,
    /// `workshop_url`, without query and credentials.
    pub workshop_url: String,
    /// `last_result.total`.
    pub total: Option<i64>,
    /// `last_result.completed`.
    pub completed: Option<i64>,
    /// `last_result.failed`.
    pub failed: Option<i64>,
}

impl Record for SmokeSession {
    const KIND: RecordKind = RecordKind::SmokeRun;

    fn key(&self) -> String {
        self.id.to_string()
    }
}
