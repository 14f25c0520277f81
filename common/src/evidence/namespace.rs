//! Stage `namespace-ready`: is the namespace there and usable?

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};

use super::provision::is_destroying;
use super::quantify::{self, Judged, Known};
use super::signals::{Signal, SignalSource, Signals};
use super::thresholds::STUCK_TEARDOWN;
use super::{Member, Observation, StageEvidence, Value, View, quantity};
use crate::objects::{Inventory, Listing, Namespace, ResourceQuota, WarningEvent};
use crate::unknown::UnknownReason;

/// Criteria and facts of this stage. `teardown_stuck`: it has been leaving for two hours or more.
pub const NAMES: &[&str] = &["namespace_exists", "quota_not_exhausted", "teardown_stuck"];

/// Most refusals that are told: enough to tell causes apart.
const REFUSALS: usize = 5;

/// Observes the namespace.
#[must_use]
pub fn observe(view: &View<'_>) -> StageEvidence {
    let namespace = &view.inventory.namespace;
    let mut evidence = StageEvidence::default();
    let leaving = leaving_since(view.inventory);
    let stuck = leaving.as_ref().is_some_and(|(since, _)| view.now - *since >= STUCK_TEARDOWN);
    evidence.observations.insert(
        "teardown_stuck",
        match namespace.missing {
            Some(reason) if !stuck => Observation::unknown(reason),
            _ => Observation::known(stuck),
        },
    );
    evidence.observations.insert("namespace_exists", exists(view, leaving, stuck));
    let quota = quota(&view.inventory.quotas);
    evidence.signals = match namespace.items.first().filter(|_| stuck) {
        Some(namespace) => remaining(namespace),
        None if quota.value == Value::Bool(false) => refusals(&view.inventory.events),
        None => Vec::new(),
    };
    evidence.observations.insert("quota_not_exhausted", quota);
    evidence
}

/// Whether the namespace was made by the Sandbox API, so that Babylon has a record of it.
#[must_use]
pub fn made_by_sandbox_api(inventory: &Inventory) -> bool {
    let namespace = inventory.namespace.items.first();
    namespace.is_some_and(|n| n.metadata.labels.get("created-by").is_some_and(|by| by == "sandbox-api"))
}

/// Whether somebody looked for the namespace and it is not there.
#[must_use]
pub fn is_gone(inventory: &Inventory) -> bool {
    inventory.namespace.missing.is_none() && inventory.namespace.items.is_empty()
}

/// Since when the namespace exists.
#[must_use]
pub fn created_at(inventory: &Inventory) -> Option<DateTime<Utc>> {
    inventory
        .namespace
        .items
        .first()
        .and_then(|namespace| namespace.metadata.creation_timestamp)
}

fn exists(view: &View<'_>, leaving: Option<(DateTime<Utc>, String)>, stuck: bool) -> Observation {
    let listing = &view.inventory.namespace;
    let failing = |reason: String| Observation {
        failing: vec![Member {
            kind: "Namespace".to_owned(),
            name: view.inventory.name.clone(),
            reason,
        }],
        failing_count: 1,
        ..Observation::known(false)
    };
    if let Some((since, what)) = leaving.filter(|_| stuck) {
        return failing(format!("{what} for {}", hours(view.now - since)));
    }
    let Some(namespace) = listing.items.first() else {
        // Its service may have been destroyed: then nothing is missing. Whoever was asked and did not answer may know of that.
        let unanswered = view
            .inventory
            .subjects
            .missing
            .filter(|reason| *reason != UnknownReason::NotCollected);
        return listing
            .missing
            .or(unanswered)
            .map_or_else(|| failing("does not exist".to_owned()), Observation::unknown);
    };
    match (namespace.metadata.deletion_timestamp, namespace.status.phase.as_str()) {
        (Some(_), _) | (None, "Terminating") => Observation {
            until: namespace.metadata.deletion_timestamp.map(|since| since + STUCK_TEARDOWN),
            ..Observation::unknown(UnknownReason::Terminating)
        },
        (None, "Active") => Observation::known(true),
        (None, _) => Observation::unknown(UnknownReason::UnrecognizedState),
    }
}

/// Since when the namespace is being deleted, or its service destroyed, and how to say it.
fn leaving_since(inventory: &Inventory) -> Option<(DateTime<Utc>, String)> {
    let namespace = inventory.namespace.items.first();
    if let Some((namespace, since)) = namespace.and_then(|n| Some((n, n.metadata.deletion_timestamp?))) {
        let held = remaining(namespace);
        let why = held.first().map_or_else(String::new, |held| format!(" ({})", held.text));
        return Some((since, format!("being deleted{why}")));
    }
    let exists = namespace.is_some();
    // A component that is being deleted while others stay says nothing of the service.
    let all_deleting = inventory.subjects.items.iter().all(|subject| subject.deleting);
    let subjects = inventory
        .subjects
        .items
        .iter()
        .filter(|subject| exists && is_destroying(&subject.current_state) && (all_deleting || !subject.deleting));
    let oldest = subjects
        .filter_map(|subject| Some((subject.state_since?, subject.current_state.as_str())))
        .min();
    oldest.map(|(since, state)| (since, format!("service in state {state}")))
}

/// What the namespace itself says holds it: content, finalizers, discovery.
fn remaining(namespace: &Namespace) -> Vec<Signal> {
    let telling = |kind: &str| kind.ends_with("Remaining") || kind.ends_with("Failure") || kind.ends_with("Failed");
    let mut signals = Signals::default();
    // In what order conditions come means nothing.
    let mut held: Vec<_> = namespace
        .status
        .conditions
        .iter()
        .filter(|c| c.is_true() && telling(&c.kind))
        .collect();
    held.sort_by_key(|condition| &condition.kind);
    for condition in held {
        let text = if condition.message.is_empty() {
            &condition.kind
        } else {
            &condition.message
        };
        signals.say(Signal {
            source: SignalSource::Condition,
            text: text.clone(),
            ..Signal::about("Namespace", &namespace.metadata.name)
        });
    }
    signals.finish()
}

/// What was refused because of a quota, newest first.
fn refusals(events: &Listing<WarningEvent>) -> Vec<Signal> {
    let mut refused: Vec<&WarningEvent> = events
        .items
        .iter()
        .filter(|event| event.message.contains("exceeded quota"))
        .collect();
    refused.sort_by_key(|event| (Reverse(event.last_seen()), &event.message));
    let mut signals = Signals::default();
    for event in refused {
        signals.say(Signal {
            source: SignalSource::Event,
            reason: event.reason.clone(),
            text: event.message.clone(),
            ..Signal::about(&event.involved_object.kind, &event.involved_object.name)
        });
    }
    let mut signals = signals.finish();
    signals.truncate(REFUSALS);
    signals
}

fn hours(span: TimeDelta) -> String {
    format!("{} h {:02} min", span.num_hours(), span.num_minutes() % 60)
}

/// A hard limit of zero forbids a thing; it is not an exhausted supply of it.
fn quota(quotas: &Listing<ResourceQuota>) -> Observation {
    let judged = quotas.items.iter().map(|quota| {
        let full: Vec<String> = quota
            .status
            .hard
            .iter()
            .filter_map(|(resource, hard)| used_up(quota, resource, hard))
            .collect();
        Judged {
            kind: "ResourceQuota",
            name: quota.metadata.name.clone(),
            state: if full.is_empty() {
                Known::True
            } else {
                Known::False(full.join(", "))
            },
        }
    });
    quantify::all(judged.collect(), quotas.missing, Value::Bool(true))
}

fn used_up(quota: &ResourceQuota, resource: &str, hard: &str) -> Option<String> {
    let used = quota.status.used.get(resource)?;
    let (limit, amount) = (quantity::parse(hard)?, quantity::parse(used)?);
    (limit > 0.0 && amount >= limit).then(|| format!("{resource} {used} of {hard}"))
}

#[cfg(test)]
mod tests;
