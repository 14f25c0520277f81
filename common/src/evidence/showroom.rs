//! Stage 10, showroom-healthy: can the learner read the instructions?
//!
//! The showroom is found by its Route: named or labelled so, else the one whose Service is. A namespace may hold several
//! (one per user); each must be fine. Ready pods prove no content and a reachable page proves no ready pod: both are read.

use std::cell::Cell;

use super::backends::{self, Excuse, Target, Targets};
use super::quantify::{Judged, Known, all, inferred_if};
use super::signals::Signals;
use super::{Grade, Intent, Observation, StageEvidence, Value, View, pods, probes, thresholds};
use crate::objects::network::Content;
use crate::objects::{Meta, Pod, Probe, ProbeKind};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// What this stage can say.
pub const NAMES: &[&str] = &[
    "showroom_route_reachable",
    "showroom_pod_running",
    "readyz_returns_200",
    "content_loaded",
    "response_time_acceptable",
];

/// Observes the showroom of one namespace.
#[must_use]
pub fn observe(view: &View) -> StageEvidence {
    let showrooms = find(view);
    let pod_running = pod_running(view, &showrooms);
    let mut signals = Signals::default();
    if pod_running.value == Value::Bool(false) {
        for pod in unready_pods(view, &showrooms) {
            signals.pod(view, pod);
        }
    }
    let observations = [
        ("showroom_route_reachable", over(view, &showrooms, reachable)),
        ("showroom_pod_running", pod_running),
        ("readyz_returns_200", readiness(view, &showrooms)),
        ("content_loaded", over(view, &showrooms, content_loaded)),
        ("response_time_acceptable", response_time(view, &showrooms)),
    ];
    StageEvidence {
        observations: observations.into_iter().collect(),
        signals: signals.finish(),
    }
}

/// The Routes of the showrooms, and why there may be more.
#[derive(Debug, Clone)]
pub struct Showrooms<'a> {
    /// Named or labelled, else backed by a Service that is.
    pub targets: Vec<Target<'a>>,
    /// Why there may be more.
    pub missing: Option<UnknownReason>,
    /// Whether Ingresses that nobody read were concluded to be among the Routes.
    pub inferred: bool,
    /// Whether none is named so, and the Services behind decide.
    pub by_service: bool,
}

impl Showrooms<'_> {
    /// An Ingress that nobody read might have been the showroom: then even a culprit is concluded.
    fn graded(&self, observation: Observation) -> Observation {
        if self.inferred && self.by_service && !matches!(observation.value, Value::Unknown(_)) {
            return Observation {
                grade: Grade::Inferred,
                ..observation
            };
        }
        inferred_if(self.inferred, observation)
    }
}

/// The showrooms of the namespace.
#[must_use]
pub fn find<'a>(view: &View<'a>) -> Showrooms<'a> {
    let Targets {
        live, missing, inferred, ..
    } = backends::targets(view);
    let (mut named, others): (Vec<Target>, Vec<Target>) = live.into_iter().partition(|target| is_showroom(target.meta));
    let mut missing = missing;
    // Where a named one may be among what was not read, the next best is no answer.
    let by_service = named.is_empty() && missing.is_none();
    if by_service {
        named = others;
        named.retain(|target| target.services.iter().any(|name| backed_by_showroom(view, name)));
        missing = view.inventory.services.missing;
    }
    Showrooms {
        targets: named,
        missing,
        inferred,
        by_service,
    }
}

fn backed_by_showroom(view: &View, name: &str) -> bool {
    is_showroom_name(name)
        || backends::service(view, name)
            .ok()
            .flatten()
            .is_some_and(|service| is_showroom(&service.metadata))
}

/// Whether name or label say that the object is a showroom's.
#[must_use]
pub fn is_showroom(meta: &Meta) -> bool {
    is_showroom_name(&meta.name) || meta.labels.get("app.kubernetes.io/name").is_some_and(|name| is_showroom_name(name))
}

/// `showroom`, `showroom-<user>`, `<user>-showroom`.
fn is_showroom_name(name: &str) -> bool {
    name.split('-').any(|part| part == "showroom")
}

/// `judge` over every showroom. Without one there is nothing to read.
fn over(view: &View, showrooms: &Showrooms, judge: impl Fn(&View, &Target) -> Known) -> Observation {
    let members = showrooms.targets.iter().map(|target| Judged {
        kind: target.kind,
        name: target.meta.name.clone(),
        state: unless_stopped(view, judge(view, target)),
    });
    let empty = if showrooms.targets.is_empty() {
        Value::Bool(false)
    } else {
        Value::Unknown(UnknownReason::IntentionallyStopped)
    };
    showrooms.graded(all(members.collect(), showrooms.missing, empty))
}

fn unless_stopped(view: &View, state: Known) -> Known {
    match state {
        Known::False(detail) | Known::Unknown(UnknownReason::Progressing, detail, _) if view.lifecycle.intent == Intent::Stopped => {
            Known::Unknown(UnknownReason::IntentionallyStopped, detail, None)
        }
        state => state,
    }
}

/// The probes that ask for pages of the showroom, the main page first.
const PAGES: [ProbeKind; 3] = [ProbeKind::ShowroomContent, ProbeKind::Route, ProbeKind::ShowroomReadiness];

fn reachable(view: &View, target: &Target) -> Known {
    let mut worst = None;
    for kind in PAGES {
        let state = probes::newest(view, kind, &target.meta.name).map_or_else(probes::unasked, probes::is_reachable);
        match state {
            Known::True => return Known::True,
            Known::False(_) => worst = worst.filter(|it| matches!(it, Known::False(_))).or(Some(state)),
            other => worst = worst.or(Some(other)),
        }
    }
    worst.unwrap_or_else(|| probes::unasked(UnknownReason::NotProbed))
}

fn readiness(view: &View, showrooms: &Showrooms) -> Observation {
    let observation = over(view, showrooms, |view, target| {
        match probes::newest(view, ProbeKind::ShowroomReadiness, &target.meta.name).map(probes::answer) {
            Ok(probes::Answer::Status(200)) => Known::True,
            Ok(probes::Answer::Status(status)) => Known::False(format!("readiness answers {status}")),
            Ok(probes::Answer::NotHttp) => Known::False("readiness does not speak HTTP".to_owned()),
            Ok(probes::Answer::Down(why)) => Known::False(format!("readiness does not answer: {why}")),
            Ok(probes::Answer::NotAsked(reason)) | Err(reason) => probes::unasked(reason),
        }
    });
    let fell_back = newest_readiness(view, showrooms).any(|probe| probe.fallback);
    if fell_back && !matches!(observation.value, Value::Unknown(_)) {
        return Observation {
            grade: Grade::Fallback,
            ..observation
        };
    }
    observation
}

fn newest_readiness<'a>(view: &View<'a>, showrooms: &Showrooms) -> impl Iterator<Item = &'a Probe> {
    let targets = showrooms.targets.iter();
    targets.filter_map(|target| probes::newest(view, ProbeKind::ShowroomReadiness, &target.meta.name).ok())
}

fn content_loaded(view: &View, target: &Target) -> Known {
    let probe = match probes::newest(view, ProbeKind::ShowroomContent, &target.meta.name) {
        Ok(probe) => probe,
        Err(reason) => return probes::unasked(reason),
    };
    match (probes::answer(probe), probe.content) {
        (_, Some(Content::Login)) | (probes::Answer::Status(401 | 403), _) => {
            Known::Unknown(UnknownReason::NotProbed, "a login page hides the content".to_owned(), None)
        }
        (probes::Answer::Status(200), Some(Content::Page)) => Known::True,
        (probes::Answer::Status(200), Some(Content::Missing)) => Known::False("answers 200 without instructions".to_owned()),
        (probes::Answer::Status(200), None) => Known::Unknown(UnknownReason::ParseError, "the page was not looked at".to_owned(), None),
        (probes::Answer::Status(status), _) => Known::False(format!("main page answers {status}")),
        (probes::Answer::NotHttp, _) => Known::False("main page does not speak HTTP".to_owned()),
        (probes::Answer::Down(why), _) => Known::False(format!("main page does not answer: {why}")),
        (probes::Answer::NotAsked(reason), _) => probes::unasked(reason),
    }
}

/// The slowest showroom decides.
fn response_time(view: &View, showrooms: &Showrooms) -> Observation {
    let observations = showrooms.targets.iter().map(|target| {
        let probe = probes::newest(view, ProbeKind::ShowroomReadiness, &target.meta.name);
        let fast = probes::is_fast(probe, thresholds::SHOWROOM_RESPONSE_MS);
        let state = match fast.value {
            Value::Bool(true) => Known::True,
            Value::Bool(false) => Known::False(format!("readiness took {} ms or more", thresholds::SHOWROOM_RESPONSE_MS)),
            Value::Unknown(reason) => probes::unasked(reason),
            Value::Number(_) | Value::Text(_) => probes::unasked(UnknownReason::ParseError),
        };
        Judged {
            kind: target.kind,
            name: target.meta.name.clone(),
            state,
        }
    });
    let observation = all(observations.collect(), showrooms.missing, Value::Unknown(UnknownReason::NotProbed));
    showrooms.graded(observation)
}

/// Behind every showroom some pod is ready.
fn pod_running(view: &View, showrooms: &Showrooms) -> Observation {
    // Set when an excuse was not found because nobody read where it would be.
    let silent = Cell::new(false);
    let observation = over(view, showrooms, |view, target| {
        let mut best = Known::False("no Service behind it".to_owned());
        for name in &target.services {
            match behind(view, name, &silent) {
                Known::True => return Known::True,
                other => best = other,
            }
        }
        best
    });
    if silent.get() && observation.value == Value::Bool(false) {
        return Observation {
            grade: Grade::Inferred,
            ..observation
        };
    }
    observation
}

fn behind(view: &View, name: &str, silent: &Cell<bool>) -> Known {
    let service = match backends::service(view, name) {
        Ok(Some(service)) => service,
        Ok(None) => return Known::False(format!("Service {name} does not exist")),
        Err(reason) => return Known::Unknown(reason, format!("Service {name} was not read"), None),
    };
    if service.spec.selector.is_empty() {
        // Content outside the namespace has no pod to look at.
        return Known::Unknown(UnknownReason::NotCollected, format!("Service {name} selects no pods"), None);
    }
    let mut states: Vec<(&str, pods::Standing)> = backends::selected(view, service)
        .map(|pod| {
            (
                pod.metadata.name.as_str(),
                pods::standing(pod, view.now, view.settle.of(Stage::ShowroomHealthy)),
            )
        })
        .collect();
    states.sort_by(|a, b| a.0.cmp(b.0));
    if states.iter().any(|(_, standing)| *standing == pods::Standing::Ready) {
        return Known::True;
    }
    if let Some(reason) = view.inventory.pods.missing {
        return Known::Unknown(reason, "pods were not read".to_owned(), None);
    }
    let mut not_ready = None;
    for (name, standing) in states {
        match standing {
            pods::Standing::Starting(detail, until) => {
                return Known::Unknown(UnknownReason::Progressing, format!("pod {name}: {detail}"), until);
            }
            pods::Standing::NotReady(detail) => not_ready = not_ready.or(Some(format!("pod {name}: {detail}"))),
            pods::Standing::Ready => {}
        }
    }
    let why = not_ready.unwrap_or_else(|| format!("no pod behind Service {name}"));
    let excuse = backends::excuse(view, &[name], view.settle.of(Stage::ShowroomHealthy));
    if excuse == Excuse::None(true) {
        silent.set(true);
    }
    excuse.state(why)
}

fn unready_pods<'a>(view: &View<'a>, showrooms: &Showrooms) -> Vec<&'a Pod> {
    let services = showrooms.targets.iter().flat_map(|target| &target.services);
    let services = services.filter_map(|name| backends::service(view, name).ok().flatten());
    let mut unready: Vec<&Pod> = services
        .flat_map(|service| backends::selected(view, service))
        .filter(|pod| !pods::is_ready(pod))
        .collect();
    unready.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    unready.dedup_by(|a, b| a.metadata.name == b.metadata.name);
    unready
}

#[cfg(test)]
mod tests;
