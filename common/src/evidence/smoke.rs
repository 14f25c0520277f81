//! Stage 9, smoke-test-ready: does the lab do its job?
//!
//! Smoke runs come from Demolition; the main page is probed by StarGate. Without either nothing is known: a namespace
//! that merely runs has not been tried.
//!
//! | Newest run | Somebody failed | All of them finished |
//! |---|---|---|
//! | of the last 24 hours | no | yes |
//! | of an age that nobody knows | no | unknown: it may be years old, and never makes a lab green |
//! | joined by its name alone | no, inferred | yes, inferred |

use super::quantify::{Judged, Known, any};
use super::{Grade, Observation, StageEvidence, Value, View, backends, probes, showroom, thresholds};
use crate::objects::{Probe, ProbeKind, SmokeRun};
use crate::unknown::UnknownReason;

/// What this stage can say.
pub const NAMES: &[&str] = &[
    "route_reachable",
    "smoke_test_passed",
    "expected_response_received",
    "response_time_acceptable",
];

/// Observes the smoke tests of one lab.
#[must_use]
pub fn observe(view: &View) -> StageEvidence {
    let main = main_routes(view);
    let observations = [
        ("route_reachable", unless_unread(view, route_reachable(view, &main))),
        ("smoke_test_passed", smoke_test_passed(view)),
        ("expected_response_received", expected_response(view)),
        ("response_time_acceptable", response_time(view, &main)),
    ];
    StageEvidence {
        observations: observations.into_iter().collect(),
        signals: Vec::new(),
    }
}

/// Without smoke runs this stage does not apply; where these were asked for in vain, nobody knows whether it does.
fn unless_unread(view: &View, observation: Observation) -> Observation {
    let runs = &view.inventory.smoke_runs;
    let refused = runs.missing.filter(|reason| *reason != UnknownReason::NotCollected);
    match refused.filter(|_| runs.items.is_empty()) {
        Some(reason) => Observation::unknown(reason),
        None => observation,
    }
}

/// The lab's main URL: its showroom; else the first declared Route; else whichever answers.
struct MainRoutes {
    names: Vec<String>,
    missing: Option<UnknownReason>,
    inferred: bool,
}

impl MainRoutes {
    /// An Ingress that nobody read might have been the main page.
    fn graded(&self, observation: Observation) -> Observation {
        if self.inferred && !matches!(observation.value, Value::Unknown(_)) {
            return Observation {
                grade: Grade::Inferred,
                ..observation
            };
        }
        observation
    }
}

fn main_routes(view: &View) -> MainRoutes {
    let showrooms = showroom::find(view);
    let targets = backends::targets(view);
    let mut names: Vec<String> = showrooms.targets.iter().map(|target| target.meta.name.clone()).collect();
    if names.is_empty() && showrooms.missing.is_some() {
        return MainRoutes {
            names,
            missing: showrooms.missing,
            inferred: showrooms.inferred,
        };
    }
    if names.is_empty() {
        names.extend(view.declared.routes.first().cloned());
    }
    if names.is_empty() {
        names.extend(targets.live.iter().map(|target| target.meta.name.clone()));
    }
    MainRoutes {
        names,
        missing: targets.missing,
        inferred: targets.inferred,
    }
}

/// The probes that ask for the main page.
const PAGES: [ProbeKind; 2] = [ProbeKind::Route, ProbeKind::ShowroomContent];

fn newest<'a>(view: &View<'a>, name: &str) -> Result<&'a Probe, UnknownReason> {
    let mut reason = UnknownReason::NotProbed;
    let mut found: Option<&Probe> = None;
    for kind in PAGES {
        match probes::newest(view, kind, name) {
            Ok(probe) if found.is_none_or(|it| it.at < probe.at) => found = Some(probe),
            Ok(_) => {}
            Err(why) => reason = why,
        }
    }
    found.ok_or(reason)
}

fn route_reachable(view: &View, main: &MainRoutes) -> Observation {
    let members = main.names.iter().map(|name| Judged {
        kind: "Route",
        name: name.clone(),
        state: newest(view, name).map_or_else(probes::unasked, probes::is_reachable),
    });
    main.graded(any(members.collect(), main.missing, Value::Bool(false)))
}

/// The fastest answer decides, as any of the main pages may be the one.
fn response_time(view: &View, main: &MainRoutes) -> Observation {
    let members = main.names.iter().map(|name| {
        let fast = probes::is_fast(newest(view, name), thresholds::SMOKE_RESPONSE_MS);
        let state = match fast.value {
            Value::Bool(true) => Known::True,
            Value::Bool(false) => Known::False(format!("took {} ms or more", thresholds::SMOKE_RESPONSE_MS)),
            Value::Unknown(reason) => probes::unasked(reason),
            Value::Number(_) | Value::Text(_) => probes::unasked(UnknownReason::ParseError),
        };
        Judged {
            kind: "Route",
            name: name.clone(),
            state,
        }
    });
    let observation = any(members.collect(), main.missing, Value::Unknown(UnknownReason::NotProbed));
    main.graded(observation)
}

/// The run that counts: the newest rehearsal, else the newest run. Ids grow with time.
fn run<'a>(view: &View<'a>) -> Result<&'a SmokeRun, UnknownReason> {
    let runs = &view.inventory.smoke_runs;
    // A newer run may be in the part of the list that was not read.
    if let Some(reason) = runs.missing {
        return Err(reason);
    }
    let newest = |rehearsal: bool| {
        let fitting = runs
            .items
            .iter()
            .filter(|run| !rehearsal || run.workers > thresholds::SMOKE_REHEARSAL_WORKERS);
        fitting.max_by_key(|run| run.id)
    };
    let run = newest(true).or_else(|| newest(false)).ok_or(UnknownReason::NotProbed)?;
    match run.finished_at {
        Some(finished) if view.now - finished > thresholds::SMOKE_RUN_FRESH => Err(UnknownReason::Stale),
        _ => Ok(run),
    }
}

fn smoke_test_passed(view: &View) -> Observation {
    let run = match run(view) {
        Ok(run) => run,
        Err(reason) => return Observation::unknown(reason),
    };
    if run.failed > 0 {
        let failing = super::Member {
            kind: "SmokeRun".to_owned(),
            name: run.id.to_string(),
            reason: format!("{} of {} learners failed", run.failed, run.total),
        };
        return Observation {
            failing: vec![failing],
            failing_count: 1,
            ..graded(run, Observation::known(false))
        };
    }
    match (run.total, run.completed) {
        (total, _) if total <= 0 => Observation::unknown(UnknownReason::NotProbed),
        // Demolition calls a run completed that ended, however many got through.
        (total, completed) if completed < total => Observation::unknown(UnknownReason::Progressing),
        _ if run.finished_at.is_none() => Observation::unknown(UnknownReason::Stale),
        _ => graded(run, Observation::known(true)),
    }
}

/// What a run says of a lab that it was joined to by a guess is concluded, not read.
fn graded(run: &SmokeRun, observation: Observation) -> Observation {
    if run.guessed {
        return Observation {
            grade: Grade::Inferred,
            ..observation
        };
    }
    observation
}

fn expected_response(view: &View) -> Observation {
    match run(view).map(|run| (run, run.assertions_passed)) {
        Ok((run, Some(true))) if run.finished_at.is_none() => Observation::unknown(UnknownReason::Stale),
        Ok((run, Some(passed))) => graded(run, Observation::known(passed)),
        Ok((_, None)) => Observation::unknown(UnknownReason::NotProbed),
        Err(reason) => Observation::unknown(reason),
    }
}

#[cfg(test)]
mod tests;
