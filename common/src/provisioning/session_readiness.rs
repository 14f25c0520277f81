//! Whether a session will find what its attendees need: one word, and one sentence that says why.
//!
//! ```text
//!                ready ≥ needed ──────────────────────────────> ready
//!  short, but what starts or waits in pools would fill it ────> at_risk      (not_ready once it runs: too late to wait)
//!  short, and what is not known might fill it ────────────────> unknown
//!  short, and nothing will fill it ── before the deadline ────> at_risk
//!                                   └─ after it ──────────────> not_ready
//! ```
//! What is not known never makes a session ready. A pool's usable seats are not ready instances: somebody has to claim them.

use chrono::{DateTime, TimeDelta, Utc};

use super::event::Session;

/// Added to the time that provisioning takes: room for one repair. Source: a proposal; Babylon's own estimates are medians.
pub const MARGIN: TimeDelta = TimeDelta::minutes(30);

/// How long provisioning takes when no catalog item says so. Source: a proposal; virtual machines take up to this long.
pub const USUAL_PROVISION: TimeDelta = TimeDelta::minutes(90);

/// A session without an end is taken to run this long. Source: a proposal; the longest seen are a working day.
pub const LONGEST: TimeDelta = TimeDelta::hours(8);

/// Where a session stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It runs now.
    Running,
    /// It begins later.
    Upcoming,
    /// Nobody said when it begins.
    NoTime,
    /// It ended.
    Over,
    /// It does not take place.
    Canceled,
}

impl Phase {
    /// The phase of a session at a time.
    #[must_use]
    pub fn of(session: &Session, now: DateTime<Utc>) -> Self {
        if matches!(session.status.to_ascii_lowercase().as_str(), "canceled" | "cancelled") {
            return Self::Canceled;
        }
        let Some(start) = session.starts_at else {
            return Self::NoTime;
        };
        if now < start {
            Self::Upcoming
        } else if now < session.ends_at.unwrap_or(start + LONGEST) {
            Self::Running
        } else {
            Self::Over
        }
    }

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Upcoming => "upcoming",
            Self::NoTime => "no_time",
            Self::Over => "over",
            Self::Canceled => "canceled",
        }
    }

    /// Whether it still matters if it is ready.
    #[must_use]
    pub const fn is_ahead(self) -> bool {
        matches!(self, Self::Running | Self::Upcoming | Self::NoTime)
    }
}

/// The answer in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As many instances are ready as are needed.
    Ready,
    /// Not yet, and it may still come right.
    AtRisk,
    /// It will not come right by itself.
    NotReady,
    /// It cannot be told.
    Unknown,
}

impl Verdict {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::AtRisk => "at_risk",
            Self::NotReady => "not_ready",
            Self::Unknown => "unknown",
        }
    }
}

/// Live instances of the session's lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seats {
    /// Every stage that applies passes, with or without something to look at.
    pub ready: i64,
    /// On their way, and in time.
    pub starting: i64,
    /// Failing.
    pub failing: i64,
    /// Not known.
    pub unknown: i64,
}

/// How many learners share an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// One each.
    Single,
    /// So many; at least one.
    Shared(i64),
    /// Several, and nobody says how many.
    Unknown,
}

/// Everything that the verdict rests on. `Err` says why something is not known.
#[derive(Debug, Clone)]
pub struct Given<'a> {
    /// The session.
    pub session: &'a Session,
    /// What of the lab runs.
    pub seats: Result<Seats, String>,
    /// Seats in the lab's pools that somebody could claim now.
    pub pool: Result<i64, String>,
    /// How many learners share an instance.
    pub sharing: Sharing,
    /// What its catalog item says how long provisioning takes.
    pub provision: Option<TimeDelta>,
}

/// What a session comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Where it stands in time.
    pub phase: Phase,
    /// Instances it needs; none when nobody says how many come.
    pub needed: Option<i64>,
    /// When it should be ready at the latest.
    pub deadline: Option<DateTime<Utc>>,
    /// The verdict; none when it is over or canceled.
    pub verdict: Option<Verdict>,
    /// Why, for people.
    pub sentence: String,
}

/// Instances that so many attendees need.
#[must_use]
pub fn needed(attendees: Option<i64>, sharing: Sharing) -> Option<i64> {
    let attendees = attendees.filter(|n| *n >= 0)?;
    match sharing {
        Sharing::Single => Some(attendees),
        Sharing::Shared(learners) if learners > 0 => Some(attendees / learners + i64::from(attendees % learners > 0)),
        Sharing::Shared(_) | Sharing::Unknown => None,
    }
}

/// Judges a session.
#[must_use]
pub fn judge(given: &Given<'_>, now: DateTime<Utc>) -> Readiness {
    let session = given.session;
    let phase = Phase::of(session, now);
    let needed = needed(session.attendees, given.sharing);
    let deadline = session
        .starts_at
        .map(|start| start - (given.provision.unwrap_or(USUAL_PROVISION) + MARGIN));
    let (verdict, why) = if phase.is_ahead() {
        let (verdict, why) = compare(given, needed, phase, deadline.is_some_and(|deadline| now >= deadline));
        (Some(verdict), why)
    } else if phase == Phase::Over {
        (None, "it is over".to_owned())
    } else {
        (None, "it was canceled".to_owned())
    };
    Readiness {
        phase,
        needed,
        deadline,
        verdict,
        sentence: sentence(&why, phase, session, deadline, verdict, now),
    }
}

fn compare(given: &Given<'_>, needed: Option<i64>, phase: Phase, is_due: bool) -> (Verdict, String) {
    let seats = match &given.seats {
        Ok(seats) => *seats,
        Err(why) => return (Verdict::Unknown, format!("not known how many are ready: {why}")),
    };
    let Some(needed) = needed else {
        let why = match given.session.attendees {
            Some(n) if n >= 0 => "how many attendees share an instance",
            _ => "how many attendees come",
        };
        return (Verdict::Unknown, format!("{} ready; not known {why}", seats.ready));
    };
    let mut told = vec![format!("{} of {needed} ready", seats.ready)];
    if seats.ready >= needed {
        return (Verdict::Ready, told.remove(0));
    }
    for (count, what) in [(seats.starting, "starting"), (seats.failing, "failing"), (seats.unknown, "unknown")] {
        if count > 0 {
            told.push(format!("{count} {what}"));
        }
    }
    let runs = phase == Phase::Running;
    match &given.pool {
        Ok(0) => {}
        Ok(usable) => told.push(format!("{usable} usable in pools")),
        Err(why) => told.push(format!("pools not known: {why}")),
    }
    let verdict = {
        let sure = seats.ready + seats.starting + given.pool.as_ref().copied().unwrap_or_default();
        if sure >= needed {
            if runs { Verdict::NotReady } else { Verdict::AtRisk }
        } else if sure + seats.unknown >= needed || given.pool.is_err() {
            Verdict::Unknown
        } else if is_due {
            Verdict::NotReady
        } else if phase == Phase::NoTime {
            Verdict::Unknown
        } else {
            Verdict::AtRisk
        }
    };
    (verdict, told.join(", "))
}

fn sentence(
    why: &str,
    phase: Phase,
    session: &Session,
    deadline: Option<DateTime<Utc>>,
    verdict: Option<Verdict>,
    now: DateTime<Utc>,
) -> String {
    let when = match (phase, session.starts_at) {
        (Phase::Running, Some(start)) => format!("; running now, since {}", span(now - start)),
        (Phase::Upcoming, Some(start)) => {
            let late = deadline.filter(|deadline| now >= *deadline && verdict != Some(Verdict::Ready));
            let late = late.map_or_else(String::new, |deadline| format!(", {} past its deadline", span(now - deadline)));
            format!("; begins in {}{late}", span(start - now))
        }
        (Phase::NoTime, _) => format!("; no time set on {}", session.date),
        _ => String::new(),
    };
    let note = if session.time_note.is_empty() {
        String::new()
    } else {
        format!(" ({})", session.time_note)
    };
    format!("{why}{when}{note}.")
}

/// A span of time as people say it.
#[must_use]
pub fn span(length: TimeDelta) -> String {
    match length.num_minutes().max(0) {
        0 => "less than a minute".to_owned(),
        minutes @ 1..120 => format!("{minutes} min"),
        minutes @ 120..2_880 => format!("{} h", minutes / 60),
        minutes => format!("{} days", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests;
