//! Stage 7, route-ready: can traffic reach a backend?
//!
//! Every Route of the namespace counts, and every Ingress for which the cluster generated none. Services that no Route
//! points to say nothing about traffic from outside: they are listed, not judged. Health comes from probes alone; ready
//! endpoints are never taken for an answer.

use super::backends::{self, Behind, Excuse, Source, Target, Targets};
use super::quantify::{Judged, Known, all, any, inferred_if};
use super::signals::{Signal, Signals, clip};
use super::{Grade, Intent, MAX_MEMBERS, Observation, StageEvidence, Value, View, probes, thresholds};
use crate::objects::ProbeKind;
use crate::objects::meta::condition;
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// What this stage can say.
pub const NAMES: &[&str] = &[
    "service_exists",
    "route_exists",
    "route_admitted",
    "service_has_ready_endpoints",
    "ready_endpoint_count",
    "health_endpoint_returns_200",
    "certificate_valid",
];

/// What of it is a number.
pub const NUMBERS: &[&str] = &["ready_endpoint_count"];

/// Observes the way in to one namespace.
#[must_use]
pub fn observe(view: &View) -> StageEvidence {
    let targets = backends::targets(view);
    let reach = Reach::of(view, &targets);
    // An Ingress reports no admission: where nothing else leads in, there is nothing that a router could refuse.
    let nothing_to_admit = Value::Bool(!targets.live.is_empty());
    let route_admitted = over(&targets, nothing_to_admit, |target| admission(view, target));
    let service_has_ready_endpoints = reach.has_ready_endpoints(view, &targets);
    let signals = signals(view, [&route_admitted, &service_has_ready_endpoints]);
    let observations = [
        ("service_exists", service_exists(view, &targets)),
        ("route_exists", route_exists(view, &targets)),
        ("route_admitted", route_admitted),
        ("ready_endpoint_count", reach.count(&targets)),
        ("service_has_ready_endpoints", service_has_ready_endpoints),
        ("health_endpoint_returns_200", reach.health(view, &targets)),
        (
            "certificate_valid",
            over(&targets, Value::Unknown(UnknownReason::NotProbed), |target| {
                vec![certificate(view, target)]
            }),
        ),
    ];
    StageEvidence {
        observations: observations.into_iter().collect(),
        signals,
    }
}

fn member(target: &Target, state: Known) -> Judged {
    Judged {
        kind: target.kind,
        name: target.meta.name.clone(),
        state,
    }
}

/// `judge` over every Route; those being deleted are left out.
fn over(targets: &Targets, empty: Value, judge: impl Fn(&Target) -> Vec<Known>) -> Observation {
    let mut members = leaving(targets);
    for target in &targets.live {
        members.extend(judge(target).into_iter().map(|state| member(target, state)));
    }
    inferred_if(targets.inferred, all(members, targets.missing, empty))
}

fn leaving(targets: &Targets) -> Vec<Judged> {
    let leaving = targets.leaving.iter().map(|(kind, name)| Judged {
        kind,
        name: (*name).to_owned(),
        state: Known::Excluded("being deleted".to_owned()),
    });
    leaving.collect()
}

fn route_exists(view: &View, targets: &Targets) -> Observation {
    if view.declared.routes.is_empty() {
        let mut members = leaving(targets);
        members.extend(targets.live.iter().map(|target| member(target, Known::True)));
        let observation = any(members, targets.missing, Value::Bool(false));
        return if targets.live.is_empty() {
            inferred_if(targets.inferred, observation)
        } else {
            observation
        };
    }
    let declared = view.declared.routes.iter().map(|name| Judged {
        kind: "Route",
        name: name.clone(),
        state: match targets.missing {
            _ if targets.live.iter().any(|target| target.meta.name == *name) => Known::True,
            Some(reason) => Known::Unknown(reason, "declared; Routes were not read".to_owned(), None),
            None => Known::False("declared, does not exist".to_owned()),
        },
    });
    all(declared.collect(), None, Value::Bool(false))
}

/// Every Service that a Route points to; without Routes, any Service.
fn service_exists(view: &View, targets: &Targets) -> Observation {
    let services = &view.inventory.services;
    if targets.live.is_empty() {
        if let Some(reason) = targets.missing {
            return Observation::unknown(reason);
        }
        let there = services.items.iter();
        let there = there.map(|service| service_member(&service.metadata.name, Known::True));
        return inferred_if(targets.inferred, any(there.collect(), services.missing, Value::Bool(false)));
    }
    let mut named: Vec<(&str, &str)> = Vec::new();
    for target in &targets.live {
        named.extend(target.services.iter().map(|service| (*service, target.meta.name.as_str())));
    }
    named.sort_unstable();
    named.dedup_by_key(|(service, _)| *service);
    let members = named.into_iter().map(|(name, route)| {
        let state = match backends::service(view, name) {
            Ok(Some(_)) => Known::True,
            Ok(None) => Known::False(format!("Route {route} points to it, it does not exist")),
            Err(reason) => Known::Unknown(reason, "not read".to_owned(), None),
        };
        service_member(name, state)
    });
    // A Route without any backend is judged by its endpoints.
    inferred_if(targets.inferred, all(members.collect(), targets.missing, Value::Bool(true)))
}

fn service_member(name: &str, state: Known) -> Judged {
    Judged {
        kind: "Service",
        name: name.to_owned(),
        state,
    }
}

/// One router that admits the Route is enough; those that refuse it are listed all the same.
fn admission(view: &View, target: &Target) -> Vec<Known> {
    let Some(route) = target.route else {
        return vec![Known::Excluded("an Ingress reports no admission".to_owned())];
    };
    let mut admitted = false;
    let mut refusals: Vec<String> = Vec::new();
    for router in &route.status.ingress {
        match condition(&router.conditions, "Admitted") {
            Some(admission) if admission.is_true() => admitted = true,
            Some(admission) if admission.is_false() => {
                let why = format!("{} {}", admission.reason, clip(&admission.message, 160));
                refusals.push(format!("router {} refuses it: {}", router.router_name, why.trim()));
            }
            _ => {}
        }
    }
    refusals.sort();
    if admitted {
        let mut states = vec![Known::True];
        states.extend(refusals.into_iter().map(Known::Excluded));
        return states;
    }
    if !refusals.is_empty() {
        return vec![Known::False(refusals.join("; "))];
    }
    let detail = "no router has answered for it".to_owned();
    vec![match target
        .meta
        .creation_timestamp
        .map(|created| created + view.settle.of(Stage::RouteReady))
    {
        Some(until) if view.now < until => Known::Unknown(UnknownReason::Progressing, detail, Some(until)),
        _ => Known::False(detail),
    }]
}

fn health(view: &View, target: &Target) -> Known {
    probes::newest(view, ProbeKind::Route, &target.meta.name).map_or_else(probes::unasked, probes::is_healthy)
}

/// The certificate that the router shows: only for Routes whose TLS ends, or is renewed, at the router.
fn certificate(view: &View, target: &Target) -> Known {
    let tls = target.route.and_then(|route| route.spec.tls.as_ref());
    match tls.map(|tls| tls.termination.as_str()) {
        Some("edge" | "reencrypt") => {}
        Some(_) => return Known::Excluded("TLS ends at the application".to_owned()),
        None => return Known::Excluded("no TLS".to_owned()),
    }
    let certificate = match probes::newest(view, ProbeKind::Route, &target.meta.name) {
        Ok(probe) => probe.certificate.as_ref().ok_or(UnknownReason::NotProbed),
        Err(reason) => Err(reason),
    };
    match certificate {
        Err(reason) => probes::unasked(reason),
        Ok(it) if !it.valid => Known::False(if it.detail.is_empty() {
            "certificate not valid".to_owned()
        } else {
            format!("certificate not valid: {}", clip(&it.detail, 160))
        }),
        Ok(it) => match it.not_after {
            Some(end) if end <= view.now => Known::False(format!("certificate ended {}", end.format("%F"))),
            Some(end) if end - view.now < thresholds::CERTIFICATE_EXPIRES_SOON => {
                Known::False(format!("certificate ends {}", end.format("%F")))
            }
            _ => Known::True,
        },
    }
}

/// What stands behind each Route, in the order of the Routes.
struct Reach {
    /// Kind and name of the Route, what is known of it, its ready endpoints where that is a number.
    behind: Vec<((&'static str, String), Known, Option<usize>)>,
    fallback: bool,
    inferred: bool,
}

impl Reach {
    fn of(view: &View, targets: &Targets) -> Self {
        let mut reach = Self {
            behind: Vec::new(),
            fallback: false,
            inferred: targets.inferred,
        };
        for target in &targets.live {
            let (state, count) = reach.judge(view, target);
            reach.behind.push(((target.kind, target.meta.name.clone()), state, count));
        }
        reach
    }

    /// What is known of a Route, and its ready endpoints where that is a number.
    fn judge(&mut self, view: &View, target: &Target) -> (Known, Option<usize>) {
        if target.services.is_empty() {
            return (Known::False("no Service gets a share of its traffic".to_owned()), Some(0));
        }
        let mut ready = 0;
        let mut unknown = None;
        let mut nothing = Vec::new();
        for name in &target.services {
            match backends::behind(view, name) {
                Behind::Ready(count, source) => {
                    ready += count;
                    self.fallback |= source == Source::Endpoints;
                }
                Behind::Nothing(why, source) => {
                    nothing.push(why);
                    self.fallback |= source == Source::Endpoints;
                }
                Behind::Unknown(reason, why) => {
                    unknown.get_or_insert((reason, why));
                }
            }
        }
        if ready > 0 {
            return (Known::True, unknown.is_none().then_some(ready));
        }
        if let Some((reason, why)) = unknown {
            return (Known::Unknown(reason, why, None), None);
        }
        let why = nothing.join("; ");
        let excuse = backends::excuse(view, &target.services, view.settle.of(Stage::DeploymentReady));
        if let Excuse::None(silent) = excuse {
            self.inferred |= silent;
            return (Known::False(why), Some(0));
        }
        (excuse.state(why), None)
    }

    fn state(&self, target: &Target) -> Option<&Known> {
        let mut behind = self.behind.iter();
        behind
            .find(|((kind, name), _, _)| *kind == target.kind && *name == target.meta.name)
            .map(|(_, state, _)| state)
    }

    /// A Route whose backend is stopped on purpose, or may be, owes nobody an answer. An ExternalName has no endpoints to
    /// wait for: there the answer counts.
    fn unless_excused(&self, view: &View, target: &Target, answer: Known) -> Known {
        match (self.state(target), answer) {
            (_, Known::True) => Known::True,
            (Some(Known::Excluded(why)), _) => Known::Excluded(why.clone()),
            (Some(Known::Unknown(reason, _, until)), Known::False(detail)) if *reason != UnknownReason::NotProbed => {
                Known::Unknown(*reason, detail, *until)
            }
            (_, Known::False(detail)) if view.lifecycle.intent == Intent::Stopped => {
                Known::Unknown(UnknownReason::IntentionallyStopped, detail, None)
            }
            (_, answer) => answer,
        }
    }

    fn health(&self, view: &View, targets: &Targets) -> Observation {
        let observation = over(targets, Value::Unknown(UnknownReason::NotProbed), |target| {
            vec![self.unless_excused(view, target, health(view, target))]
        });
        let concluded = self.inferred && observation.value == Value::Bool(false);
        let grade = if concluded { Grade::Inferred } else { observation.grade };
        Observation { grade, ..observation }
    }

    fn has_ready_endpoints(&self, view: &View, targets: &Targets) -> Observation {
        let mut members = leaving(targets);
        members.extend(self.behind.iter().zip(&targets.live).map(|((_, state, _), target)| {
            // An ExternalName has no endpoints by nature: the probe decides.
            let state = match state {
                Known::Unknown(UnknownReason::NotProbed, why, until) => match probes::newest(view, ProbeKind::Route, &target.meta.name) {
                    Ok(probe) => self.unless_excused(view, target, probes::is_reachable(probe)),
                    Err(reason) => Known::Unknown(reason, why.clone(), *until),
                },
                state => state.clone(),
            };
            member(target, state)
        }));
        let served: Vec<&str> = targets.live.iter().flat_map(|target| target.services.iter().copied()).collect();
        let unserved = view.inventory.services.items.iter().map(|service| service.metadata.name.as_str());
        members.extend(
            unserved
                .filter(|name| !served.contains(name))
                .map(|name| service_member(name, Known::Excluded("no Route points to it".to_owned()))),
        );
        let empty = if targets.live.is_empty() {
            Value::Bool(false)
        } else {
            Value::Unknown(UnknownReason::IntentionallyStopped)
        };
        self.graded(all(members, targets.missing, empty))
    }

    /// The smallest number of ready endpoints behind a Route; a dead one is known whatever else is not.
    fn count(&self, targets: &Targets) -> Observation {
        let judged = || self.behind.iter().filter(|(_, state, _)| !matches!(state, Known::Excluded(_)));
        let least = judged().filter_map(|(_, _, count)| *count).min();
        let unknown = judged().find_map(|(_, state, count)| match (count, state) {
            (Some(_), _) => None,
            (None, Known::Unknown(reason, _, _)) => Some(*reason),
            (None, _) => Some(UnknownReason::NotCollected),
        });
        let value = match (least, unknown.or(targets.missing)) {
            (Some(0), _) => Value::Number(0.0),
            (_, Some(reason)) => Value::Unknown(reason),
            (Some(least), None) => {
                u32::try_from(least).map_or(Value::Unknown(UnknownReason::ParseError), |least| Value::Number(least.into()))
            }
            (None, None) => Value::Unknown(UnknownReason::NotCollected),
        };
        self.graded(Observation::of(value))
    }

    fn graded(&self, observation: Observation) -> Observation {
        let grade = match observation.value {
            Value::Unknown(_) => Grade::Direct,
            _ if self.inferred => Grade::Inferred,
            _ if self.fallback => Grade::Fallback,
            _ => Grade::Direct,
        };
        Observation { grade, ..observation }
    }
}

/// Texts about the failing Routes: why, and events about them and their Services.
fn signals(view: &View, observations: [&Observation; 2]) -> Vec<Signal> {
    let mut signals = Signals::default();
    if view.lifecycle.intent == Intent::Stopped {
        return signals.finish();
    }
    for member in observations.iter().flat_map(|it| &it.failing).take(2 * MAX_MEMBERS) {
        signals.member(member);
        signals.events(view, &member.kind, &member.name);
    }
    signals.finish()
}

#[cfg(test)]
mod tests;
