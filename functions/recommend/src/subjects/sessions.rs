//! Who comes next.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use stargate_common::policy::evaluate::EvidenceRef;
use stargate_common::policy::input::Known;
use stargate_common::provisioning::event::Session;
use stargate_common::unknown::UnknownReason;

use super::{count, reference};

/// What is known of the sessions of some labs.
#[derive(Debug, Clone, Default)]
pub(super) struct Coming<'a> {
    /// Those that are not over and not cancelled, the next first; those without a time last.
    sessions: Vec<&'a Session>,
}

impl<'a> Coming<'a> {
    pub(super) fn of(sessions: impl Iterator<Item = &'a Session>, now: DateTime<Utc>) -> Self {
        let mut sessions: Vec<&Session> = sessions.filter(|session| is_to_come(session, now)).collect();
        sessions.sort_by_key(|session| (session.starts_at.is_none(), session.starts_at, session.date, &session.id));
        Self { sessions }
    }

    pub(super) fn number(&self) -> Known<i64> {
        count(self.sessions.len())
    }

    pub(super) fn next_in_seconds(&self, now: DateTime<Utc>) -> Known<i64> {
        let next = self.sessions.first().and_then(|session| session.starts_at);
        next.map(|at| (at - now).num_seconds()).ok_or(UnknownReason::MissingField)
    }

    /// Of those that begin with the next one, together: rooms fill side by side.
    pub(super) fn attendees(&self) -> Known<i64> {
        let next = self
            .sessions
            .first()
            .and_then(|session| session.starts_at)
            .ok_or(UnknownReason::MissingField)?;
        let together = self.sessions.iter().filter(|session| session.starts_at == Some(next));
        let attendees: Option<i64> = together.map(|session| session.attendees).sum();
        attendees.ok_or(UnknownReason::MissingField)
    }

    pub(super) fn evidence(&self) -> Vec<EvidenceRef> {
        let each = self.sessions.iter().map(|session| {
            let when = session
                .starts_at
                .map_or_else(|| session.date.to_string(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string());
            let attendees = session.attendees.map_or_else(|| "unknown".to_owned(), |number| number.to_string());
            reference(
                "session",
                &session.id,
                format!("{} {when}, attendees: {attendees}", session.lab_code),
            )
        });
        each.collect()
    }
}

/// Without an end, a session is over when its day is, wherever on earth that is.
fn is_to_come(session: &Session, now: DateTime<Utc>) -> bool {
    let is_off = session.status.to_lowercase().contains("cancel");
    let last_moment = session.date.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(36);
    !is_off && session.ends_at.unwrap_or(last_moment) > now
}
