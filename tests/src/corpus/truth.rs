//! What is true of a recorded namespace.
//!
//! ```yaml
//! title: The queue worker dies at every start, and the shop in front of it runs
//! at: 2026-03-02T09:00:00Z
//! namespace: sandbox-m4x8d-webshop
//! root_cause: {stage: deployment-ready, class: pods_crashlooping, sub_class: crashloop_app_pod, members: [Deployment/worker]}
//! beside: [route-ready/service_has_no_endpoints]     # what follows from it, and may be told as well
//! unknown: {showroom-healthy: not_probed}            # what nobody can know
//! passes: [namespace-ready]                          # what works
//! ```
//!
//! A namespace without `root_cause` must have no finding. With `healthy: true` every stage that is not listed under `unknown`
//! passes or does not apply; without it (stopped, being built, unread) stages may be indeterminate as well.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use stargate_common::evidence::Phase;
use stargate_common::stage::Stage;

/// The truth about one namespace.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// What is the matter, in a sentence.
    pub title: String,
    /// When it is judged.
    pub at: DateTime<Utc>,
    /// Which namespace of the recording is meant.
    pub namespace: String,
    /// Whether everything that can be known is as it should be.
    #[serde(default)]
    pub healthy: bool,
    /// What is broken: usually one thing.
    #[serde(default, deserialize_with = "one_or_several")]
    pub root_cause: Vec<Cause>,
    /// `stage/class` of findings that follow from the cause; `stage/*` for any class.
    #[serde(default)]
    pub beside: Vec<String>,
    /// Stages that must be indeterminate, with the reason where it matters.
    #[serde(default)]
    pub unknown: BTreeMap<Stage, Option<String>>,
    /// Stages that must pass.
    #[serde(default)]
    pub passes: Vec<Stage>,
    /// Stages that must not be judged.
    #[serde(default)]
    pub skipped: Vec<Stage>,
    /// Where the service is on its way.
    pub phase: Option<Phase>,
}

/// Something that is broken.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Where it must show.
    pub stage: Stage,
    /// As what.
    pub class: String,
    /// As what in particular, where that can be told.
    pub sub_class: Option<String>,
    /// Who must be named, `Kind/name`; `*` at the end of a name stands for anything.
    #[serde(default)]
    pub members: Vec<String>,
}

fn one_or_several<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Cause>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(Cause),
        Several(Vec<Cause>),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::One(cause) => vec![cause],
        Either::Several(causes) => causes,
    })
}

/// Whether `Kind/name` is what was meant, `*` at the end of `meant` standing for anything.
#[must_use]
pub fn is_meant(meant: &str, member: &str) -> bool {
    meant.strip_suffix('*').map_or(meant == member, |start| member.starts_with(start))
}
