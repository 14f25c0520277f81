//! Texts about the failing members of a stage, for sub-classification.
//!
//! Per member, in this order: what it is and who owns it, why its containers wait, how they ended last, why no node takes
//! it, and the newest warning events about it. Facts from the status come before the wording of events.

use std::collections::BTreeSet;

use super::{View, pods};
use crate::objects::Pod;
use crate::objects::meta::condition;

/// Longest text, in characters.
pub const MAX_TEXT: usize = 500;

/// Events told per object.
const MAX_EVENTS: usize = 5;

/// The text, cut after `max` characters.
#[must_use]
pub fn clip(text: &str, max: usize) -> &str {
    text.char_indices().nth(max).map_or(text, |(end, _)| &text[..end])
}

/// Gathers texts; says nothing twice.
#[derive(Debug, Default)]
pub struct Signals {
    texts: Vec<String>,
    seen: BTreeSet<String>,
}

impl Signals {
    /// Adds one text, clipped.
    pub fn say(&mut self, text: &str) {
        let text = clip(text.trim(), MAX_TEXT);
        if !text.is_empty() && self.seen.insert(text.to_owned()) {
            self.texts.push(text.to_owned());
        }
    }

    /// Adds what the status of a pod says, and the events about it.
    pub fn pod(&mut self, view: &View, pod: &Pod) {
        let name = &pod.metadata.name;
        match pods::owner(pod) {
            Some(owner) => self.say(&format!("Pod {name} of {} {}", owner.kind, owner.name)),
            None => self.say(&format!("Pod {name}")),
        }
        let statuses = || pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses);
        for (status, waiting) in statuses().filter_map(|status| Some((status, status.state.waiting.as_ref()?))) {
            self.say(&format!(
                "container {} waiting: {} {}",
                status.name, waiting.reason, waiting.message
            ));
        }
        for status in statuses() {
            for end in [&status.state.terminated, &status.last_state.terminated].into_iter().flatten() {
                if end.exit_code != 0 || end.reason == "OOMKilled" {
                    self.say(&format!(
                        "container {} ended with exit code {} {} {}",
                        status.name, end.exit_code, end.reason, end.message
                    ));
                }
            }
        }
        if let Some(scheduled) = condition(&pod.status.conditions, "PodScheduled").filter(|scheduled| scheduled.is_false()) {
            self.say(&format!("{} {}", scheduled.reason, scheduled.message));
        }
        self.say(&format!("{} {}", pod.status.reason, pod.status.message));
        self.events(view, "Pod", name);
    }

    /// Adds the newest warning events about an object, newest first.
    pub fn events(&mut self, view: &View, kind: &str, name: &str) {
        self.events_where(view, |about_kind, about_name| about_kind == kind && about_name == name);
    }

    /// Adds the newest warning events about the objects that `about(kind, name)` picks, newest first.
    pub fn events_where(&mut self, view: &View, about: impl Fn(&str, &str) -> bool) {
        let mut events: Vec<_> = view
            .inventory
            .events
            .items
            .iter()
            .filter(|event| about(&event.involved_object.kind, &event.involved_object.name))
            .map(|event| (std::cmp::Reverse(event.last_seen()), &event.reason, &event.message))
            .collect();
        events.sort();
        events.dedup_by(|a, b| (a.1, a.2) == (b.1, b.2));
        for (_, reason, message) in events.into_iter().take(MAX_EVENTS) {
            self.say(&format!("{reason} {message}"));
        }
    }

    /// Everything said, in order.
    #[must_use]
    pub fn finish(self) -> Vec<String> {
        self.texts
    }
}
