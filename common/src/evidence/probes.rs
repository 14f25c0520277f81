//! What StarGate's own probes saw, in the words of criteria.

use super::quantify::Known;
use super::{Observation, Value, View};
use crate::objects::network::ProbeFailure;
use crate::objects::{Probe, ProbeKind};
use crate::unknown::UnknownReason;

/// The newest probe of that kind for that target, or why there is none.
///
/// # Errors
/// Why nobody asked: `not_probed` when no probes were made at all.
pub fn newest<'a>(view: &View<'a>, kind: ProbeKind, target: &str) -> Result<&'a Probe, UnknownReason> {
    let probes = &view.inventory.probes;
    let of_target = probes.items.iter().filter(|probe| probe.kind == kind && probe.target == target);
    of_target.max_by_key(|probe| (probe.at, probe.status)).ok_or(match probes.missing {
        None | Some(UnknownReason::NotCollected) => UnknownReason::NotProbed,
        Some(reason) => reason,
    })
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An HTTP status.
    Status(u16),
    /// TLS worked, what answers does not speak HTTP.
    NotHttp,
    /// Nothing.
    Down(String),
    /// Nobody asked.
    NotAsked(UnknownReason),
}

/// What came back to a probe.
#[must_use]
pub fn answer(probe: &Probe) -> Answer {
    match (probe.status, &probe.failure) {
        (Some(status), _) => Answer::Status(status),
        (None, Some(ProbeFailure::NotHttp)) => Answer::NotHttp,
        (None, Some(ProbeFailure::Unreachable(why))) => Answer::Down(why.clone()),
        (None, Some(ProbeFailure::NotProbed(reason))) => Answer::NotAsked(*reason),
        (None, None) => Answer::NotAsked(UnknownReason::ParseError),
    }
}

/// Not asked.
#[must_use]
pub fn unasked(reason: UnknownReason) -> Known {
    Known::Unknown(reason, "not probed".to_owned(), None)
}

/// Somebody answers: any status below 500. A login page is an answer.
#[must_use]
pub fn is_reachable(probe: &Probe) -> Known {
    match answer(probe) {
        Answer::Status(status) if status < 500 => Known::True,
        Answer::NotHttp => Known::True,
        Answer::Status(status) => Known::False(format!("answers {status}")),
        Answer::Down(why) => Known::False(format!("does not answer: {why}")),
        Answer::NotAsked(reason) => unasked(reason),
    }
}

/// It works: 200 to 399, or 401 and 403 (alive, wants a login), or TLS without HTTP.
#[must_use]
pub fn is_healthy(probe: &Probe) -> Known {
    match answer(probe) {
        Answer::Status(200..=399 | 401 | 403) | Answer::NotHttp => Known::True,
        Answer::Status(status) => Known::False(format!("answers {status}")),
        Answer::Down(why) => Known::False(format!("does not answer: {why}")),
        Answer::NotAsked(reason) => unasked(reason),
    }
}

/// It answered in less than `limit_ms`. What did not answer has no duration.
#[must_use]
pub fn is_fast(probe: Result<&Probe, UnknownReason>, limit_ms: u32) -> Observation {
    let probe = match probe {
        Ok(probe) => probe,
        Err(reason) => return Observation::unknown(reason),
    };
    match (answer(probe), probe.duration_ms) {
        (Answer::Status(_) | Answer::NotHttp, Some(duration)) => Observation::of(Value::Bool(duration < limit_ms)),
        (Answer::NotAsked(reason), _) => Observation::unknown(reason),
        _ => Observation::unknown(UnknownReason::NotProbed),
    }
}
