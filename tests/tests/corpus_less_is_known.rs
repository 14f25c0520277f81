//! What was not read decides nothing: over the whole corpus and every example, removing evidence moves no verdict to pass or to
//! fail.
//!
//! Removed is what can be missing in the world: a kind that was refused, timed out, is not served or was not recorded; two kinds at
//! once; single objects of a list that was cut; whole files of a recording. A stage then keeps its outcome or becomes
//! indeterminate. Two moves are explained and checked, not waved through:
//!
//! - `warn` becomes `pass` when everything that warned is now listed as unknown: an optional criterion never decides (4.2).
//! - a stage that was blocked is judged by itself when its cause is no longer known to fail.

#![cfg(test)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use stargate_common::evaluate::case;
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::evaluate::{Outcome, Reason, Verdict};
use stargate_common::evidence::SkipReason;
use stargate_common::objects::{Inventory, Kind, Listing};
use stargate_common::stage::Stage;
use stargate_common::unknown::UnknownReason;
use stargate_tests::corpus::{self, Case, World, score};

/// Why a list can be missing. That a cluster does not serve a kind is not among them: it says that there are no such objects.
const REASONS: [UnknownReason; 10] = [
    UnknownReason::NotCollected,
    UnknownReason::Unauthorized,
    UnknownReason::Forbidden,
    UnknownReason::Timeout,
    UnknownReason::Throttled,
    UnknownReason::ServerError,
    UnknownReason::Unreachable,
    UnknownReason::ParseError,
    UnknownReason::Truncated,
    UnknownReason::Stale,
];

/// Something that may be known less of: a case of the corpus, or a situation of the examples.
struct Known {
    name: String,
    case: Case,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn cases() -> Vec<Case> {
    corpus::load(&corpus::directory()).unwrap_or_else(|error| panic!("{error:#}"))
}

/// The corpus, and every situation of the examples.
fn known() -> Vec<Known> {
    let corpus = cases();
    let template = corpus.first().expect("the corpus is not empty").clone();
    let mut known: Vec<Known> = corpus
        .into_iter()
        .map(|case| Known {
            name: case.name.clone(),
            case,
        })
        .collect();
    for folder in ["tests/examples", "tests/examples/noise"] {
        for file in case::files(&root().join(folder)).unwrap() {
            let example = case::load(&file).unwrap_or_else(|error| panic!("{error}"));
            for situation in example.situations {
                let mut case = template.clone();
                case.truth.at = situation.now;
                case.truth.namespace = situation.snapshot.namespaces.keys().next().cloned().unwrap_or_default();
                case.world = World {
                    snapshots: vec![situation.snapshot],
                    declared: situation.declared,
                };
                known.push(Known {
                    name: situation.title,
                    case,
                });
            }
        }
    }
    known
}

fn verdicts(rubrics: &RubricSet, case: &Case, world: &World) -> Vec<Verdict> {
    let fleet = corpus::judge(rubrics, world, &case.truth);
    score::verdicts(&fleet, world, &case.truth.namespace).into_iter().cloned().collect()
}

/// One list of an inventory, whatever it holds.
trait AnyList {
    /// Forgets what was read; whether anything was.
    fn forget(&mut self, reason: UnknownReason) -> bool;
    fn len(&self) -> usize;
    /// Drops one item, and says that the list was cut.
    fn cut(&mut self, index: usize);
}

impl<T> AnyList for Listing<T> {
    fn forget(&mut self, reason: UnknownReason) -> bool {
        std::mem::replace(self, Self::unknown(reason)).missing.is_none()
    }

    fn len(&self) -> usize {
        self.items.len()
    }

    fn cut(&mut self, index: usize) {
        self.items.remove(index);
        self.missing = Some(UnknownReason::Truncated);
    }
}

/// The lists of a namespace. Core endpoints and slices are two views of one thing: a cluster that hides one and has nothing in
/// the other is not of this world, so they go together.
fn lists(inventory: &mut Inventory) -> Vec<(Kind, Vec<&mut dyn AnyList>)> {
    let Inventory {
        name: _,
        namespace,
        pods,
        deployments,
        stateful_sets,
        daemon_sets,
        deployment_configs,
        jobs,
        services,
        endpoint_slices,
        endpoints,
        routes,
        ingresses,
        vms,
        vmis,
        data_volumes,
        claims,
        quotas,
        inference_services,
        events,
        probes,
        subjects,
        smoke_runs,
    } = inventory;
    vec![
        (Kind::Namespace, vec![namespace]),
        (Kind::Pod, vec![pods]),
        (Kind::Deployment, vec![deployments]),
        (Kind::StatefulSet, vec![stateful_sets]),
        (Kind::DaemonSet, vec![daemon_sets]),
        (Kind::DeploymentConfig, vec![deployment_configs]),
        (Kind::Job, vec![jobs]),
        (Kind::Service, vec![services]),
        (Kind::EndpointSlice, vec![endpoint_slices, endpoints]),
        (Kind::Route, vec![routes]),
        (Kind::Ingress, vec![ingresses]),
        (Kind::VirtualMachine, vec![vms]),
        (Kind::VirtualMachineInstance, vec![vmis]),
        (Kind::DataVolume, vec![data_volumes]),
        (Kind::PersistentVolumeClaim, vec![claims]),
        (Kind::ResourceQuota, vec![quotas]),
        (Kind::InferenceService, vec![inference_services]),
        (Kind::Event, vec![events]),
        (Kind::Probe, vec![probes]),
        (Kind::Subject, vec![subjects]),
        (Kind::SmokeRun, vec![smoke_runs]),
    ]
}

fn inventory<'a>(world: &'a mut World, namespace: &str) -> &'a mut Inventory {
    let mut found = world
        .snapshots
        .iter_mut()
        .filter_map(|snapshot| snapshot.namespaces.get_mut(namespace));
    found.next().expect("the namespace is there")
}

/// The kinds of which something was read.
fn read_kinds(world: &World, namespace: &str) -> Vec<Kind> {
    let mut world = world.clone();
    let lists = lists(inventory(&mut world, namespace));
    let read = lists.into_iter().filter_map(|(kind, mut lists)| {
        let read = lists.iter_mut().map(|list| list.forget(UnknownReason::Stale)).max();
        read.unwrap_or(false).then_some(kind)
    });
    read.collect()
}

/// The same world without these kinds.
fn without(world: &World, namespace: &str, kinds: &[(Kind, UnknownReason)]) -> World {
    let mut world = world.clone();
    for (kind, lists) in lists(inventory(&mut world, namespace)) {
        if let Some((_, reason)) = kinds.iter().find(|(gone, _)| *gone == kind) {
            lists.into_iter().for_each(|list| {
                list.forget(*reason);
            });
        }
    }
    world
}

/// Why a verdict must not have become that one, if so.
fn objection(before: &Verdict, after: &Verdict, all_after: &[Verdict], removed: UnknownReason) -> Option<&'static str> {
    // What is hidden tells that a stage applies; that it is hidden is then told where it is missed for certain.
    let told = all_after.iter().any(|verdict| {
        verdict.reason == Some(Reason::Unknown(removed))
            || (verdict.stage == Stage::RunCreated && verdict.outcome == Outcome::Indeterminate)
    });
    // What nobody asked for may leave nothing to judge.
    let unasked = removed == UnknownReason::NotCollected;
    match (before.outcome, after.outcome) {
        (before, after) if before == after => None,
        (_, Outcome::Indeterminate) => None,
        (_, Outcome::Skipped) if told || unasked => None,
        (Outcome::Skipped, Outcome::Pass) if before.reason == Some(Reason::Skipped(SkipReason::KindUnknown)) => None,
        (Outcome::Warn, Outcome::Pass) => {
            let warned = before
                .criteria
                .iter()
                .filter(|criterion| criterion.value == serde_json::Value::Bool(false));
            let known = |name: &str| {
                after
                    .criteria
                    .iter()
                    .any(|criterion| criterion.name == name && criterion.unknown_reason.is_none())
            };
            let hidden = warned.into_iter().any(|criterion| known(&criterion.name));
            hidden.then_some("what warned is still known and no longer warns")
        }
        (Outcome::Indeterminate, _) => match before.reason {
            Some(Reason::BlockedBy(stage)) => {
                let cause = all_after.iter().find(|verdict| verdict.stage == stage);
                let still = cause.is_some_and(|cause| cause.outcome == Outcome::Fail);
                still.then_some("its cause still fails")
            }
            _ => Some("what was not known is now decided"),
        },
        // Without objects nothing tells that a stage applies; a failure must not vanish with them.
        (Outcome::Pass, Outcome::Skipped) => None,
        (Outcome::Fail | Outcome::Warn, Outcome::Skipped) => Some("a finding vanishes"),
        (Outcome::Skipped, _) => Some("it did not apply, and is now decided"),
        (_, Outcome::Fail) => Some("it fails for what is not known"),
        (Outcome::Fail, Outcome::Warn) => Some("a failure is played down"),
        (_, Outcome::Pass) => Some("it passes for what is not known"),
        (_, Outcome::Warn) => Some("it warns for what is not known"),
    }
}

fn compare(
    what: &str,
    before: &[Verdict],
    after: &[Verdict],
    removed: UnknownReason,
    explained: &dyn Fn(&Verdict) -> bool,
    wrong: &mut BTreeSet<String>,
) {
    for verdict in before {
        let Some(now) = after.iter().find(|now| now.stage == verdict.stage) else {
            continue;
        };
        if let Some(objection) = objection(verdict, now, after, removed)
            && !explained(now)
        {
            let said = |verdict: &Verdict| {
                let why = verdict.reason.map_or_else(|| verdict.message.clone(), |reason| reason.to_string());
                format!("{} [{why}]", verdict.outcome)
            };
            wrong.insert(format!(
                "{what}: {}: {objection}: was {}, is {}",
                verdict.stage,
                said(verdict),
                said(now)
            ));
        }
    }
}

fn assert_none(wrong: &BTreeSet<String>) {
    let first: Vec<&str> = wrong.iter().take(60).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} verdicts:\n{}", wrong.len(), first.join("\n"));
}

/// Where a stage becomes that without a kind, on purpose: when it was not read for that reason, or any.
const BRIDGED: &[(Stage, Outcome, Kind, Option<UnknownReason>)] = &[
    // That a namespace is gone is told although nobody asked whether its service was destroyed: where Babylon is not read at all,
    // a lab that vanished must not be silent (3.5, stage 4: 404 is false).
    (
        Stage::NamespaceReady,
        Outcome::Fail,
        Kind::Subject,
        Some(UnknownReason::NotCollected),
    ),
    // What lives in a namespace proves that it exists, though not that it stays: most recordings hold no namespace, and none of
    // them holds one that is leaving without the marks of that on what it holds.
    (
        Stage::DeploymentReady,
        Outcome::Fail,
        Kind::Namespace,
        Some(UnknownReason::NotCollected),
    ),
    // The same where it was refused, and the Services of the lab are gone already.
    (Stage::RouteReady, Outcome::Fail, Kind::Namespace, None),
    // Somebody who knows the lab told its kind: what such a lab need not have is not missed when it cannot be read.
    (Stage::RouteReady, Outcome::Skipped, Kind::Route, None),
];

fn is_bridged(verdict: &Verdict, kind: Kind, reason: UnknownReason) -> bool {
    BRIDGED.iter().any(|(stage, outcome, of, why)| {
        (*stage, *outcome, *of) == (verdict.stage, verdict.outcome, kind) && why.is_none_or(|why| why == reason)
    })
}

#[test]
fn a_kind_that_was_not_read_decides_nothing() {
    let rubrics = RubricSet::embedded().unwrap();
    let mut wrong = BTreeSet::new();
    for Known { name, case } in known() {
        let before = verdicts(&rubrics, &case, &case.world);
        for kind in read_kinds(&case.world, &case.truth.namespace) {
            for reason in REASONS {
                let less = without(&case.world, &case.truth.namespace, &[(kind, reason)]);
                let after = verdicts(&rubrics, &case, &less);
                let what = format!("{name} without {kind} ({reason})");
                compare(&what, &before, &after, reason, &|now| is_bridged(now, kind, reason), &mut wrong);
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn two_kinds_that_were_not_read_decide_nothing() {
    let rubrics = RubricSet::embedded().unwrap();
    let mut wrong = BTreeSet::new();
    for Known { name, case } in known() {
        let before = verdicts(&rubrics, &case, &case.world);
        let kinds = read_kinds(&case.world, &case.truth.namespace);
        for (index, one) in kinds.iter().enumerate() {
            for (distance, other) in kinds.iter().skip(index + 1).enumerate() {
                // Two reasons share the pairs: one that speaks of a failure, one that does not.
                let reason = [UnknownReason::Forbidden, UnknownReason::NotCollected][(index + distance) % 2];
                let less = without(&case.world, &case.truth.namespace, &[(*one, reason), (*other, reason)]);
                let after = verdicts(&rubrics, &case, &less);
                let what = format!("{name} without {one} and {other} ({reason})");
                let explained = |now: &Verdict| is_bridged(now, *one, reason) || is_bridged(now, *other, reason);
                compare(&what, &before, &after, reason, &explained, &mut wrong);
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn an_object_that_a_cut_list_lacks_decides_nothing() {
    let rubrics = RubricSet::embedded().unwrap();
    let mut wrong = BTreeSet::new();
    for Known { name, case } in known() {
        let before = verdicts(&rubrics, &case, &case.world);
        let mut world = case.world.clone();
        let sizes: Vec<(Kind, Vec<usize>)> = lists(inventory(&mut world, &case.truth.namespace))
            .into_iter()
            .map(|(kind, lists)| (kind, lists.iter().map(|list| list.len()).collect()))
            .collect();
        for (kind, sizes) in sizes {
            // Of two views of one thing only the one that is looked at first can be cut alone.
            for (list, size) in sizes.into_iter().enumerate().take(1) {
                for index in 0..size {
                    let mut less = case.world.clone();
                    for (gone, mut lists) in lists(inventory(&mut less, &case.truth.namespace)) {
                        if gone != kind {
                            continue;
                        }
                        for (place, list_of_kind) in lists.iter_mut().enumerate() {
                            if place == list {
                                list_of_kind.cut(index);
                            } else {
                                list_of_kind.forget(UnknownReason::Truncated);
                            }
                        }
                    }
                    let after = verdicts(&rubrics, &case, &less);
                    let what = format!("{name} with {kind} cut at {index}");
                    compare(
                        &what,
                        &before,
                        &after,
                        UnknownReason::Truncated,
                        &|now| is_bridged(now, kind, UnknownReason::Truncated),
                        &mut wrong,
                    );
                }
            }
        }
    }
    assert_none(&wrong);
}
