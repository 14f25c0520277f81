//! Stage `run-created`: do we know what we are evaluating?

use chrono::TimeDelta;

use super::namespace::created_at;
use super::{Member, Observation, StageEvidence, View, thresholds};
use crate::unknown::UnknownReason;

/// Criteria of this stage.
pub const NAMES: &[&str] = &["run_id_present", "demo_id_present", "namespace_present", "rubric_version_present"];

/// What is known of the evaluation itself.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Cluster name.
    pub cluster: &'a str,
    /// Catalog item, if anybody told it.
    pub catalog_item: Option<&'a str>,
    /// Whether it is known what kind of lab this is.
    pub kind_known: bool,
    /// What could not be read, when that is why the kind is unknown.
    pub kind_unread: Option<UnknownReason>,
    /// Version of the rubrics.
    pub rubric_version: &'a str,
}

/// Observes the run. Its id is made of cluster and namespace uid, so these are what must be there.
#[must_use]
pub fn observe(view: &View<'_>, run: &Run<'_>) -> StageEvidence {
    let namespace = &view.inventory.namespace;
    let uid = namespace.items.first().map_or("", |namespace| namespace.metadata.uid.as_str());
    let named = !view.inventory.name.is_empty();
    let identified = match namespace.missing {
        Some(reason) if uid.is_empty() => Observation::unknown(reason),
        // A namespace that is known not to exist has no uid to ask for; that it is gone is the next stage's matter.
        _ => told(
            view,
            named && (!uid.is_empty() || namespace.items.is_empty()),
            "the namespace has no uid",
        ),
    };
    let id = if run.cluster.is_empty() {
        told(view, false, "the cluster has no name")
    } else {
        identified.clone()
    };
    let version = told(view, !run.rubric_version.is_empty(), "no rubrics are loaded");
    StageEvidence {
        observations: [
            ("run_id_present", id),
            ("demo_id_present", demo(view, run)),
            ("namespace_present", identified),
            ("rubric_version_present", version),
        ]
        .into(),
        signals: Vec::new(),
    }
}

/// Somebody must tell what lab this is, or its objects must; young namespaces get time for it.
fn demo(view: &View<'_>, run: &Run<'_>) -> Observation {
    if run.catalog_item.is_some_and(|item| !item.is_empty()) || run.kind_known {
        return Observation::known(true);
    }
    if let Some(reason) = run.kind_unread {
        return Observation::unknown(reason);
    }
    let until = created_at(view.inventory).map(|since| since + thresholds::PROVISIONING_GRACE);
    match until {
        Some(until) if view.now - until <= TimeDelta::zero() => Observation {
            until: Some(until),
            ..Observation::unknown(UnknownReason::Progressing)
        },
        _ => told(view, false, "no catalog item, and nothing in the namespace tells the kind of lab"),
    }
}

fn told(view: &View<'_>, value: bool, otherwise: &str) -> Observation {
    if value {
        return Observation::known(true);
    }
    Observation {
        failing: vec![Member {
            kind: "Namespace".to_owned(),
            name: view.inventory.name.clone(),
            reason: otherwise.to_owned(),
        }],
        failing_count: 1,
        ..Observation::known(false)
    }
}
