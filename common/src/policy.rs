//! Advice: what the joined facts of a lab, a pool, a cluster or the platform call for. Pure; nothing here acts.
//!
//! ```text
//! policies/<rule>/rule.yaml ──load, lint──> RuleSet ─┐
//! facts of each lab, pool, cluster, the platform ────┴─evaluate─> fires | does not | unknown, and why ──diff with what is stored──> issue,
//!                                                                                                     update, refresh, withdraw, keep
//! ```
//!
//! A condition is CEL over a documented input document ([`input`]); what was not read is unknown with its reason, and a rule whose
//! condition is unknown neither advises nor takes advice back: it is reported.
//!
//! | File | What it holds |
//! |---|---|
//! | [`input`] | what rules may ask of each scope, with the source of every fact |
//! | [`rule`] | a rule as it is used, the set of all, loading |
//! | `raw`, `lint` | a rule as it is written, and what can be wrong with it |
//! | [`text`] | decisions in words: templates with bound values |
//! | [`evaluate`] | rules × facts → advice, doubts |
//! | [`augment`] | what else is known of a lab that there is advice for |
//! | [`diff`] | advice × what is stored → what changes |
//! | [`tally`] | arithmetic of the facts: need, complexity, what lasts |
//! | [`case`] | situations in YAML and what each rule must make of them |
//! | [`schema`] | JSON Schema of `rule.yaml`, for editors |

pub mod augment;
pub mod case;
pub mod diff;
mod embedded;
pub mod evaluate;
pub mod input;
mod lint;
mod raw;
pub mod rule;
pub mod schema;
pub mod tally;
pub mod text;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a rule is about. The snake-case name is stable: it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// A lab: by its code, else by the catalog item that was ordered.
    Lab,
    /// A resource pool: `namespace/name`.
    Pool,
    /// A cluster: by name.
    Cluster,
    /// Everything at once: there is one, `platform`.
    Platform,
}

/// The key of the one subject of [`Scope::Platform`].
pub const PLATFORM: &str = "platform";

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Lab, Self::Pool, Self::Cluster, Self::Platform];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lab => "lab",
            Self::Pool => "pool",
            Self::Cluster => "cluster",
            Self::Platform => "platform",
        }
    }

    /// The scope of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How soon somebody should look. The most urgent is the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Attendees meet it, now or within hours.
    Critical,
    /// Today.
    High,
    /// This week.
    Medium,
    /// When there is time.
    Low,
}

impl Urgency {
    /// Every urgency, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// The urgency of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|urgency| urgency.as_str() == name)
    }
}

impl std::fmt::Display for Urgency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The id of the advice of a rule on a subject: the same in every run.
#[must_use]
pub fn recommendation_id(rule: &str, scope: Scope, key: &str) -> Uuid {
    // Any fixed namespace does; this one is UUIDv5 of the URL namespace and "io.stargate".
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"io.stargate");
    Uuid::new_v5(&namespace, format!("recommendation\n{rule}\n{scope}\n{key}").as_bytes())
}
