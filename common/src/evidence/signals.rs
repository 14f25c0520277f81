//! What the failing members of a stage say themselves: input of pattern classes and sub-classes, never our own message.
//!
//! Per member, in this order: what it is and who owns it, why its containers wait, how they ended last, why no node takes
//! it, and the newest warning events about it. Facts (owner, reason, exit code) have fields of their own, so that rules can
//! ask for them before they search a text.

use std::collections::BTreeSet;

use super::{Member, View, pods};
use crate::objects::meta::condition;
use crate::objects::{Condition, Pod};

/// Longest text, in characters.
pub const MAX_TEXT: usize = 500;

/// Events told per object.
const MAX_EVENTS: usize = 5;

/// Where a signal was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalSource {
    /// That the object is concerned, and who owns it: no text.
    Object,
    /// The state an object shows, as a stage tells it.
    #[default]
    State,
    /// Why a container waits.
    Waiting,
    /// How a container ended.
    Terminated,
    /// A condition of the object.
    Condition,
    /// A warning event about the object: what was, not necessarily what is.
    Event,
}

/// One thing that one object says about itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Signal {
    /// Where it was read.
    pub source: SignalSource,
    /// Kind of the object, for example `Pod`.
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// Kind of its owner; empty when nothing owns it.
    pub owner_kind: String,
    /// Name of its owner.
    pub owner: String,
    /// Which container speaks; empty when the object as a whole does.
    pub container: String,
    /// The machine's word for it: `CrashLoopBackOff`, `OOMKilled`, `FailedMount`.
    pub reason: String,
    /// How a container ended.
    pub exit_code: Option<i64>,
    /// The wording, at most [`MAX_TEXT`] characters.
    pub text: String,
}

impl Signal {
    /// A signal about an object, without anything said yet.
    #[must_use]
    pub fn about(kind: &str, name: &str) -> Self {
        Self {
            source: SignalSource::Object,
            kind: kind.to_owned(),
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// What is searched for words: reason and text. Names are no words: a pod may be called anything.
    #[must_use]
    pub fn wording(&self) -> String {
        format!("{} {}", self.reason, self.text).trim().to_owned()
    }
}

/// A text that nobody is known to have said.
impl From<&str> for Signal {
    fn from(text: &str) -> Self {
        Self {
            text: clip(text.trim(), MAX_TEXT).to_owned(),
            ..Self::default()
        }
    }
}

/// The signal as a line for people.
impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.source {
            SignalSource::Object if self.owner_kind.is_empty() => return write!(f, "{} {}", self.kind, self.name),
            SignalSource::Object => return write!(f, "{} {} of {} {}", self.kind, self.name, self.owner_kind, self.owner),
            SignalSource::State if self.kind.is_empty() => {}
            SignalSource::State => write!(f, "{} {}: ", self.kind, self.name)?,
            SignalSource::Waiting => write!(f, "container {} waiting: ", self.container)?,
            SignalSource::Terminated => write!(
                f,
                "container {} ended with exit code {} ",
                self.container,
                self.exit_code.unwrap_or_default()
            )?,
            SignalSource::Condition | SignalSource::Event => {}
        }
        f.write_str(&self.wording())
    }
}

/// The text, cut after `max` characters.
#[must_use]
pub fn clip(text: &str, max: usize) -> &str {
    text.char_indices().nth(max).map_or(text, |(end, _)| &text[..end])
}

/// Gathers signals; says nothing twice.
#[derive(Debug, Default)]
pub struct Signals {
    said: Vec<Signal>,
    seen: BTreeSet<Signal>,
}

impl Signals {
    /// Adds one signal, its text clipped. Without a reason or a text it says nothing, unless it is about the object itself.
    pub fn say(&mut self, mut signal: Signal) {
        signal.text = clip(signal.text.trim(), MAX_TEXT).to_owned();
        let speaks = signal.source == SignalSource::Object || !signal.reason.is_empty() || !signal.text.is_empty();
        if speaks && self.seen.insert(signal.clone()) {
            self.said.push(signal);
        }
    }

    /// Adds what a stage found wrong with a member.
    pub fn member(&mut self, member: &Member) {
        self.say(Signal {
            source: SignalSource::State,
            text: member.reason.clone(),
            ..Signal::about(&member.kind, &member.name)
        });
    }

    /// Adds what the status of a pod says, and the events about it.
    pub fn pod(&mut self, view: &View, pod: &Pod) {
        let mut about = Signal::about("Pod", &pod.metadata.name);
        if let Some(owner) = pods::owner(pod) {
            (about.owner_kind, about.owner) = (owner.kind.clone(), owner.name.clone());
        }
        self.say(about.clone());
        let statuses = || pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses);
        for (status, waiting) in statuses().filter_map(|status| Some((status, status.state.waiting.as_ref()?))) {
            self.say(Signal {
                source: SignalSource::Waiting,
                container: status.name.clone(),
                reason: waiting.reason.clone(),
                text: waiting.message.clone(),
                ..about.clone()
            });
        }
        for status in statuses() {
            for end in [&status.state.terminated, &status.last_state.terminated].into_iter().flatten() {
                if end.exit_code != 0 || end.reason == "OOMKilled" {
                    self.say(Signal {
                        source: SignalSource::Terminated,
                        container: status.name.clone(),
                        reason: end.reason.clone(),
                        exit_code: Some(end.exit_code),
                        text: end.message.clone(),
                        ..about.clone()
                    });
                }
            }
        }
        let scheduled = condition(&pod.status.conditions, "PodScheduled").filter(|scheduled| scheduled.is_false());
        let conditions = [
            scheduled.map(|scheduled| (&scheduled.reason, &scheduled.message)),
            Some((&pod.status.reason, &pod.status.message)),
        ];
        for (reason, message) in conditions.into_iter().flatten() {
            self.say(Signal {
                source: SignalSource::Condition,
                reason: reason.clone(),
                text: message.clone(),
                ..about.clone()
            });
        }
        self.events_of(view, |kind, name| kind == "Pod" && name == about.name, &about);
    }

    /// Adds what a condition of an object says, if it is true.
    pub fn condition(&mut self, kind: &str, name: &str, conditions: &[Condition], sort: &str) {
        if let Some(said) = condition(conditions, sort).filter(|said| said.is_true()) {
            self.say(Signal {
                source: SignalSource::Condition,
                reason: said.reason.clone(),
                text: said.message.clone(),
                ..Signal::about(kind, name)
            });
        }
    }

    /// Adds the newest warning events about an object, newest first.
    pub fn events(&mut self, view: &View, kind: &str, name: &str) {
        self.events_where(view, |about_kind, about_name| about_kind == kind && about_name == name);
    }

    /// Adds the newest warning events about the objects that `about(kind, name)` picks, newest first.
    pub fn events_where(&mut self, view: &View, about: impl Fn(&str, &str) -> bool) {
        self.events_of(view, about, &Signal::default());
    }

    /// The same, with an owner that is known.
    fn events_of(&mut self, view: &View, about: impl Fn(&str, &str) -> bool, owned: &Signal) {
        let mut events: Vec<_> = view
            .inventory
            .events
            .items
            .iter()
            .filter(|event| about(&event.involved_object.kind, &event.involved_object.name))
            .map(|event| {
                let object = (&event.involved_object.kind, &event.involved_object.name);
                (std::cmp::Reverse(event.last_seen()), &event.reason, &event.message, object)
            })
            .collect();
        events.sort();
        events.dedup_by(|a, b| (a.1, a.2) == (b.1, b.2));
        for (_, reason, message, (kind, name)) in events.into_iter().take(MAX_EVENTS) {
            self.say(Signal {
                source: SignalSource::Event,
                owner_kind: owned.owner_kind.clone(),
                owner: owned.owner.clone(),
                reason: reason.clone(),
                text: message.clone(),
                ..Signal::about(kind, name)
            });
        }
    }

    /// Everything said, in order.
    #[must_use]
    pub fn finish(self) -> Vec<Signal> {
        self.said
    }
}
