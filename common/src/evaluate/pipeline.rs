//! All stages of an instance, in an order that lets a failure be told once, where it began.
//!
//! ```text
//! cluster-health ──(unreachable)──> everything read from that cluster      blocked
//! namespace-ready ──(fail)────────> deployment … model                     blocked
//! storage ──> vm-runtime    route ──> smoke, showroom                      blocked when their entry criterion is false
//! deployment, vm-runtime ~~> route                                         named as likely cause
//! ```

use chrono::{DateTime, Utc};

use super::judge::{self, Upstream};
use super::kind::{self, Applies, Detected, Presence};
use super::lab::{self, About, LabRubric, Match};
use super::rubric::RubricSet;
use super::{FleetVerdict, InstanceVerdict, LabKind, Outcome, Role, Verdict, identity, lifecycle, message};
use crate::evidence::document::{EvidenceDocument, Lab};
use crate::evidence::{self, Declared, Phase, SkipReason, StageEvidence, View, thresholds};
use crate::objects::{ClusterInventory, Inventory, Snapshot};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// What the definitions of labs declare, asked for by namespace.
pub type DeclaredLookup<'a> = dyn Fn(&Inventory) -> Option<&'a Declared> + 'a;

/// Judges a cluster and every lab namespace read from it. Pure: the same snapshot and time give the same verdict.
#[must_use]
pub fn evaluate_snapshot<'a>(rubrics: &RubricSet, snapshot: &Snapshot, now: DateTime<Utc>, declared: &DeclaredLookup<'a>) -> FleetVerdict {
    let name = &snapshot.cluster.name;
    let cluster = evaluate_cluster(rubrics, &snapshot.cluster, now);
    let nothing = Declared::default();
    let instances = snapshot.namespaces.values().map(|inventory| {
        let input = Input {
            now,
            cluster: &snapshot.cluster,
            cluster_verdict: &cluster,
            inventory,
            declared: declared(inventory).unwrap_or(&nothing),
        };
        (name.clone(), evaluate_instance(rubrics, &input))
    });
    let instances = instances.collect();
    FleetVerdict {
        clusters: [(name.clone(), cluster)].into(),
        instances,
    }
}

/// Judges the cluster itself.
#[must_use]
pub fn evaluate_cluster(rubrics: &RubricSet, cluster: &ClusterInventory, now: DateTime<Utc>) -> Verdict {
    let evidence = evidence::cluster::observe(cluster, now);
    let document = EvidenceDocument::of_cluster(cluster, now);
    judge::judge(rubrics, Stage::ClusterHealth, &evidence, &document, Upstream::default())
}

/// What an instance is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Evaluation time.
    pub now: DateTime<Utc>,
    /// The cluster it is on.
    pub cluster: &'a ClusterInventory,
    /// How that cluster was judged.
    pub cluster_verdict: &'a Verdict,
    /// What was read about the namespace.
    pub inventory: &'a Inventory,
    /// What the lab's definition says.
    pub declared: &'a Declared,
}

/// Judges one instance.
#[must_use]
pub fn evaluate_instance(rubrics: &RubricSet, input: &Input<'_>) -> InstanceVerdict {
    let identity = identity::of(input.inventory, input.declared);
    let lifecycle = lifecycle::derive(input.inventory);
    let view = View {
        now: input.now,
        inventory: input.inventory,
        cluster: input.cluster,
        declared: input.declared,
        lifecycle: &lifecycle,
        settle: &rubrics.settle,
    };
    let detected = rubrics.kinds.detect(&view, &identity);
    let judging = Judging {
        rubrics,
        input,
        detected,
        view,
        document: EvidenceDocument::of_instance(
            view,
            Lab {
                kind: (detected.kind != LabKind::Unknown).then(|| detected.kind.as_str()),
                catalog_item: identity.catalog_item.as_deref(),
                guid: identity.guid.as_deref(),
                service_uuid: identity.service_uuid.as_deref(),
            },
        ),
        run: evidence::run::Run {
            cluster: &input.cluster.name,
            catalog_item: identity.catalog_item.as_deref(),
            kind_known: detected.kind != LabKind::Unknown,
            kind_unread: match detected.source {
                kind::Source::Nobody(reason) => reason,
                _ => None,
            },
            rubric_version: &rubrics.version,
        },
        labs: labs_of(rubrics, input, detected, &identity),
    };
    let stages = judging.all();
    let namespace = input.inventory.namespace.items.first();
    InstanceVerdict {
        namespace: input.inventory.name.clone(),
        uid: namespace.map_or_else(String::new, |namespace| namespace.metadata.uid.clone()),
        identity,
        kind: detected.kind,
        lifecycle,
        stages,
    }
}

/// The lab rubrics that are, or may be, about an instance: decided once for all its stages.
fn labs_of<'a>(
    rubrics: &'a RubricSet,
    input: &Input<'_>,
    detected: Detected,
    identity: &identity::Identity,
) -> Vec<(&'a LabRubric, Match)> {
    if rubrics.labs.is_empty() {
        return Vec::new();
    }
    let Inventory { namespace, subjects, .. } = input.inventory;
    let unread = |missing: Option<UnknownReason>| Err(missing.unwrap_or(UnknownReason::NotCollected));
    let about = About {
        kind: match detected.source {
            kind::Source::Nobody(Some(reason)) => Err(reason),
            _ => Ok(detected.kind),
        },
        // Where nobody reads the control plane, no instance has a known catalog item: then such rubrics are about none.
        catalog_item: match (&identity.catalog_item, subjects.missing) {
            (Some(item), _) => Ok(Some(item)),
            (None, None | Some(UnknownReason::NotCollected)) => Ok(None),
            (None, Some(reason)) => Err(reason),
        },
        labels: match namespace.items.first() {
            Some(namespace) => Ok(&namespace.metadata.labels),
            None => unread(namespace.missing),
        },
    };
    let fitting = rubrics.labs.iter().map(|lab| (lab, lab.applies_to.fits(&about)));
    fitting.filter(|(_, fits)| *fits != Match::No).collect()
}

struct Judging<'a> {
    rubrics: &'a RubricSet,
    input: &'a Input<'a>,
    detected: Detected,
    view: View<'a>,
    document: EvidenceDocument<'a>,
    run: evidence::run::Run<'a>,
    /// Lab rubrics that are, or may be, about the instance.
    labs: Vec<(&'a LabRubric, Match)>,
}

/// What to do about a stage.
enum Next {
    Judge,
    Block(Stage),
    Skip(SkipReason),
}

impl Judging<'_> {
    fn all(&self) -> Vec<Verdict> {
        let mut upstream = Upstream::default();
        upstream.record(self.input.cluster_verdict);
        // The others depend on it, also those that come before it in the pipeline.
        let namespace = if self.cluster_gone() {
            judge::blocked(Stage::NamespaceReady, Stage::ClusterHealth)
        } else if self.retired() {
            judge::skipped(Stage::NamespaceReady, SkipReason::Destroying)
        } else {
            self.judge(Stage::NamespaceReady, &self.observe(Stage::NamespaceReady), upstream)
        };
        upstream.record(&namespace);
        let mut namespace = Some(namespace);
        let mut stages: Vec<Verdict> = Vec::with_capacity(Stage::ALL.len() - 1);
        for stage in Stage::ALL.into_iter().skip(1) {
            if stage == Stage::NamespaceReady {
                stages.extend(namespace.take());
                continue;
            }
            let verdict = match self.next(stage, upstream) {
                Next::Block(by) => judge::blocked(stage, by),
                Next::Skip(why) => judge::skipped(stage, why),
                Next::Judge => {
                    let evidence = self.observe(stage);
                    if evidence.observations.is_empty() {
                        judge::skipped(stage, SkipReason::NotApplicable)
                    } else {
                        self.judge(stage, &evidence, upstream)
                    }
                }
            };
            upstream.record(&verdict);
            stages.push(verdict);
        }
        name_likely_cause(&mut stages);
        stages
    }

    fn judge(&self, stage: Stage, evidence: &StageEvidence, upstream: Upstream) -> Verdict {
        let mut verdict = judge::judge(self.rubrics, stage, evidence, &self.document, upstream);
        // Before the entry criteria are met there is nothing to add to.
        let is_complete = verdict.criteria.iter().any(|criterion| criterion.role == Role::Exit);
        for (lab, fits) in self.labs.iter().filter(|(lab, _)| is_complete && lab.rubric.stage == stage) {
            let extra = match fits {
                Match::Yes => judge::judge_by(self.rubrics, &lab.rubric, evidence, &self.document, upstream),
                Match::Undecided(reason) => lab::undecided(lab, *reason),
                Match::No => continue,
            };
            verdict = lab::merge(verdict, lab, extra);
        }
        verdict
    }

    fn observe(&self, stage: Stage) -> StageEvidence {
        evidence::observe(stage, &self.view, &self.run)
    }

    /// Whether the cluster did not answer at all, so that nothing read from it can be new.
    fn cluster_gone(&self) -> bool {
        let verdict = self.input.cluster_verdict;
        let reachable = verdict.criteria.iter().find(|criterion| criterion.name == "cluster_reachable");
        verdict.outcome == Outcome::Fail && reachable.is_some_and(|criterion| criterion.value == serde_json::Value::Bool(false))
    }

    /// Whether the namespace is gone because its service was destroyed: nothing is left to judge, and nothing is missing.
    fn retired(&self) -> bool {
        self.view.lifecycle.phase == Phase::Destroying && evidence::namespace::is_gone(self.input.inventory)
    }

    fn next(&self, stage: Stage, upstream: Upstream) -> Next {
        let leaving = self.view.lifecycle.phase == Phase::Destroying;
        let from_cluster = stage > Stage::NamespaceReady;
        let block = if from_cluster && self.cluster_gone() {
            Some(Stage::ClusterHealth)
        } else if from_cluster
            && (upstream.failed(Stage::NamespaceReady) || (!leaving && evidence::namespace::is_gone(self.input.inventory)))
        {
            // Gone, and perhaps destroyed with its service: either way nothing in it can be judged.
            Some(Stage::NamespaceReady)
        } else {
            None
        };
        if leaving && block.is_none() {
            return Next::Skip(self.why_leaving());
        }
        match (self.applies(stage), block) {
            (Presence::Found | Presence::Unread(_), Some(by)) => Next::Block(by),
            (Presence::Found | Presence::Unread(_), None) => Next::Judge,
            // What is gone cannot tell that a stage does not apply.
            (Presence::Absent, Some(by)) if matches!(self.detected.source, kind::Source::Nobody(Some(_))) => Next::Block(by),
            (Presence::Absent, _) if self.nobody_knows() => Next::Skip(SkipReason::KindUnknown),
            (Presence::Absent, _) => Next::Skip(SkipReason::NotApplicable),
        }
    }

    /// Whether the stage applies; unread when only what could not be read may tell.
    fn applies(&self, stage: Stage) -> Presence {
        if self.nobody_knows() && stage != Stage::ProvisionComplete {
            return Presence::Absent;
        }
        match self.rubrics.kinds.applies(self.detected.kind, stage) {
            Applies::Never => Presence::Absent,
            Applies::Always if stage == Stage::StorageCloneReady && kind::has_no_disks(&self.view) => Presence::Absent,
            Applies::Always => Presence::Found,
            Applies::Data => match kind::presence(stage, &self.view) {
                Presence::Unread(_) if self.detected.is_told() => Presence::Absent,
                presence => presence,
            },
        }
    }

    /// Whether the kind is unknown though everything was read and the namespace is no longer young.
    fn nobody_knows(&self) -> bool {
        let old = || {
            evidence::namespace::created_at(self.input.inventory).is_none_or(|since| self.view.now - since > thresholds::PROVISIONING_GRACE)
        };
        self.detected.kind == LabKind::Unknown && self.detected.source == kind::Source::Nobody(None) && old()
    }

    fn why_leaving(&self) -> SkipReason {
        let namespace = self.input.inventory.namespace.items.first();
        if namespace.is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_some()) {
            SkipReason::Terminating
        } else {
            SkipReason::Destroying
        }
    }
}

/// A route without a backend is often a workload that is down: say so, and leave the verdict as it is.
fn name_likely_cause(stages: &mut [Verdict]) {
    let cause = |stage| move |verdict: &&Verdict| verdict.stage == stage && verdict.outcome == Outcome::Fail;
    let likely = stages
        .iter()
        .find(cause(Stage::DeploymentReady))
        .or_else(|| stages.iter().find(cause(Stage::VmRuntimeReady)))
        .cloned();
    let route = stages
        .iter_mut()
        .find(|verdict| verdict.stage == Stage::RouteReady && verdict.outcome == Outcome::Fail);
    if let (Some(route), Some(likely)) = (route, likely) {
        route.message = message::with_likely_cause(&route.message, &likely);
    }
}

#[cfg(test)]
mod tests;
