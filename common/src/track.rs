//! Verdicts over time: confirmed transitions, incidents, correlation. Pure.
//!
//! ```text
//! Verdict + StageState ──(transition::step)──> StageState', Transition?, IncidentChange?      one stage of one subject
//! stage states ──(standing)──> what the instance is called: ready, failing, stopped …         one instance
//! open incidents ──(correlate)──> parents and who belongs to them                             the fleet
//! open incidents ──(digest)──> at most ten groups to read                                      the fleet
//! Incident ──(triage)──> priority and level
//! ```
//!
//! Nothing here knows where state is kept. A handler loads it, calls these functions and writes only what differs.

pub mod correlate;
pub mod digest;
pub mod standing;
pub mod transition;
pub mod triage;
pub mod witness;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An open interval between degraded and recovered of one stage of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Follows from subject, stage and onset: the same history gives the same id.
    pub id: Uuid,
    /// The newest named cause; `None` while it is unclassified.
    pub class: Option<String>,
    /// What the failing members say themselves.
    pub pattern_class: Option<String>,
    /// Finer label under the class.
    pub sub_class: Option<String>,
    /// Every class it has had, the newest last.
    pub class_history: Vec<ClassSince>,
    /// Nobody is told yet: the service is still being provisioned.
    pub muted: bool,
    /// The stage changes too often to tell people each time.
    pub flapping: bool,
    /// One line for people.
    pub message: String,
    /// When the failure was first observed.
    pub onset_at: DateTime<Utc>,
    /// When it was confirmed.
    pub opened_at: DateTime<Utc>,
    /// When any of this last changed.
    pub updated_at: DateTime<Utc>,
    /// Raised with every change; part of the ids of its events.
    pub revision: i32,
}

/// A class an incident has had, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassSince {
    /// The class; `None` for unclassified.
    pub class: Option<String>,
    /// When it was first seen with it.
    pub since: DateTime<Utc>,
}

/// What happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentChange {
    /// It began.
    Opened(Incident),
    /// It goes on, differently.
    Updated(Incident, Vec<Update>),
    /// It ended.
    Resolved(Incident, Resolution),
}

impl IncidentChange {
    /// The incident as it is after the change.
    #[must_use]
    pub const fn incident(&self) -> &Incident {
        match self {
            Self::Opened(incident) | Self::Updated(incident, _) | Self::Resolved(incident, _) => incident,
        }
    }
}

/// What is different about an incident that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Update {
    /// It has another failure class.
    ClassChanged,
    /// It began to flap.
    Flapping,
    /// It has been quiet long enough.
    Settled,
    /// Provisioning is over, or has taken too long: people may be told now.
    Unmuted,
    /// Other members fail, or for another detail: told at most hourly.
    Detail,
}

/// Why an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The same stage of the same namespace came back.
    SelfResolved,
    /// The namespace is gone or being destroyed.
    NamespaceRecycled,
    /// The last child of a parent incident ended.
    ChildrenResolved,
}

impl Resolution {
    /// The stable snake-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SelfResolved => "self_resolved",
            Self::NamespaceRecycled => "namespace_recycled",
            Self::ChildrenResolved => "children_resolved",
        }
    }
}
