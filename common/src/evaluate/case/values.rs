//! Values that no API server would say: a misspelt word makes an object that is not of this world, and a case about it proves nothing.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::objects::Kind;
use crate::objects::meta::KEPT_ANNOTATIONS;
use crate::suggest::{distance, suggest};

/// Phases of a kind whose phases are a closed set.
const fn phases(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Pod => &["Pending", "Running", "Succeeded", "Failed", "Unknown"],
        Kind::Namespace => &["Active", "Terminating"],
        Kind::PersistentVolumeClaim => &["Pending", "Bound", "Lost"],
        Kind::VirtualMachineInstance => &[
            "Pending",
            "Scheduling",
            "Scheduled",
            "Running",
            "Succeeded",
            "Failed",
            "Unknown",
            "WaitingForSync",
        ],
        _ => &[],
    }
}

/// What cannot be in an object of that kind, which is complete and speaks of moments before `now`.
pub(super) fn flaws(kind: Kind, object: &Value, now: DateTime<Utc>) -> Vec<String> {
    let mut found = Vec::new();
    let phase = object["status"]["phase"].as_str().filter(|phase| !phase.is_empty());
    let phases = phases(kind);
    // A word that is far from all of them is meant to be one that nobody knows.
    let misspelt = |phase: &str| !phases.contains(&phase) && phases.iter().any(|known| distance(known, phase) <= 2);
    if let Some(phase) = phase.filter(|phase| misspelt(phase)) {
        let near = suggest(phase, phases.iter().copied());
        found.push(format!("status.phase is never `{phase}`; {near}"));
    }
    let conditions = object["status"]["conditions"].as_array();
    for condition in conditions.into_iter().flatten() {
        let status = condition["status"].as_str();
        if let Some(status) = status.filter(|status| !matches!(*status, "True" | "False" | "Unknown")) {
            let near = suggest(status, ["True", "False", "Unknown"].into_iter());
            found.push(format!("the status of a condition is never `{status}`; {near}"));
        }
    }
    if kind == Kind::Event
        && let Some(other) = object["type"].as_str().filter(|text| *text != "Warning")
    {
        found.push(format!(
            "an event of type `{other}` is never read: write `Warning`, or leave it out"
        ));
    }
    let annotations = object["metadata"]["annotations"].as_object();
    for name in annotations.into_iter().flat_map(serde_json::Map::keys) {
        if !KEPT_ANNOTATIONS.iter().any(|prefix| name.starts_with(prefix)) {
            let near = suggest(name, KEPT_ANNOTATIONS.into_iter());
            found.push(format!("nothing reads the annotation `{name}`; {near}"));
        }
    }
    let created = object["metadata"]["creationTimestamp"].as_str();
    let created = created.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    if created.is_some_and(|created| created > now) {
        found.push("it is created after the evaluation: offsets of the past begin with `-`".to_owned());
    }
    found
}
