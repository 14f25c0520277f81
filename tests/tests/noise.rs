//! What a healthy but noisy namespace holds must not fail it, and what was not read must not decide anything.

#![cfg(test)]

use std::path::{Path, PathBuf};

use stargate_common::evaluate::case::{self, Situation};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::evaluate::{Outcome, Reason, Verdict};
use stargate_common::evidence::SkipReason;
use stargate_common::objects::{Inventory, Kind, Listing};
use stargate_common::stage::Stage;
use stargate_common::unknown::UnknownReason;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every situation that anybody has written down.
fn situations() -> Vec<Situation> {
    let mut folders = vec![root().join("tests/examples"), root().join("tests/examples/noise")];
    folders.extend(Stage::ALL.map(|stage| root().join("rubrics").join(stage.as_str()).join("cases")));
    let mut situations = Vec::new();
    for folder in folders {
        for file in case::files(&folder).unwrap() {
            situations.extend(case::load(&file).unwrap_or_else(|error| panic!("{error}")).situations);
        }
    }
    situations
}

fn verdicts(rubrics: &RubricSet, situation: &Situation) -> Vec<Verdict> {
    let mut instances = case::judge(rubrics, situation).instances;
    instances.pop().map(|(_, instance)| instance.stages).unwrap_or_default()
}

/// The same as if that kind could not be read.
fn without(situation: &Situation, kind: Kind, reason: UnknownReason) -> Option<Situation> {
    let mut situation = situation.clone();
    let inventory = situation.snapshot.namespaces.values_mut().next()?;
    let was_read = unread(inventory, kind, reason)?;
    was_read.then_some(situation)
}

/// Forgets what was read of a kind; `None` when it is not a kind of the namespace, false when it was not read before.
fn unread(inventory: &mut Inventory, kind: Kind, reason: UnknownReason) -> Option<bool> {
    fn forget<T>(listing: &mut Listing<T>, reason: UnknownReason) -> bool {
        std::mem::replace(listing, Listing::unknown(reason)).missing.is_none()
    }
    Some(match kind {
        Kind::Node | Kind::NodeMetrics | Kind::ClusterOperator | Kind::ClusterVersion | Kind::Subscription | Kind::JobBacklog => {
            return None;
        }
        Kind::Namespace => forget(&mut inventory.namespace, reason),
        Kind::Pod => forget(&mut inventory.pods, reason),
        Kind::Deployment => forget(&mut inventory.deployments, reason),
        Kind::StatefulSet => forget(&mut inventory.stateful_sets, reason),
        Kind::DaemonSet => forget(&mut inventory.daemon_sets, reason),
        Kind::DeploymentConfig => forget(&mut inventory.deployment_configs, reason),
        Kind::Job => forget(&mut inventory.jobs, reason),
        Kind::Service => forget(&mut inventory.services, reason),
        // Two views of one thing: a cluster that hides one and has nothing in the other is not of this world.
        Kind::EndpointSlice => forget(&mut inventory.endpoint_slices, reason) | forget(&mut inventory.endpoints, reason),
        Kind::Endpoints => return None,
        Kind::Route => forget(&mut inventory.routes, reason),
        Kind::Ingress => forget(&mut inventory.ingresses, reason),
        Kind::VirtualMachine => forget(&mut inventory.vms, reason),
        Kind::VirtualMachineInstance => forget(&mut inventory.vmis, reason),
        Kind::DataVolume => forget(&mut inventory.data_volumes, reason),
        Kind::PersistentVolumeClaim => forget(&mut inventory.claims, reason),
        Kind::ResourceQuota => forget(&mut inventory.quotas, reason),
        Kind::InferenceService => forget(&mut inventory.inference_services, reason),
        Kind::Event => forget(&mut inventory.events, reason),
        Kind::Probe => forget(&mut inventory.probes, reason),
        Kind::Subject => forget(&mut inventory.subjects, reason),
        Kind::SmokeRun => forget(&mut inventory.smoke_runs, reason),
    })
}

/// The same, read in the opposite order.
fn reversed(situation: &Situation) -> Situation {
    let mut situation = situation.clone();
    for inventory in situation.snapshot.namespaces.values_mut() {
        let Inventory {
            name: _,
            namespace: _,
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
        pods.items.reverse();
        deployments.items.reverse();
        stateful_sets.items.reverse();
        daemon_sets.items.reverse();
        deployment_configs.items.reverse();
        jobs.items.reverse();
        services.items.reverse();
        endpoint_slices.items.reverse();
        endpoints.items.reverse();
        routes.items.reverse();
        ingresses.items.reverse();
        vms.items.reverse();
        vmis.items.reverse();
        data_volumes.items.reverse();
        claims.items.reverse();
        quotas.items.reverse();
        inference_services.items.reverse();
        events.items.reverse();
        probes.items.reverse();
        subjects.items.reverse();
        smoke_runs.items.reverse();
    }
    let cluster = &mut situation.snapshot.cluster;
    cluster.nodes.items.reverse();
    cluster.node_metrics.items.reverse();
    cluster.critical_alerts.items.reverse();
    situation
}

/// Whether a verdict may become that one when less is known.
fn may_become(before: &Verdict, after: &Verdict) -> bool {
    match (before.outcome, after.outcome) {
        (before, after) if before == after => true,
        (_, Outcome::Indeterminate | Outcome::Skipped) => true,
        // An optional criterion that is no longer known is ignored.
        (Outcome::Warn, Outcome::Pass) => true,
        // The cause is no longer known to fail, so the symptom is told where it is seen.
        (Outcome::Indeterminate, Outcome::Fail) => matches!(before.reason, Some(Reason::BlockedBy(_))),
        // What may be hidden could tell the kind of lab: then what is there is judged.
        (Outcome::Skipped, Outcome::Pass | Outcome::Warn) => before.reason == Some(Reason::Skipped(SkipReason::KindUnknown)),
        _ => false,
    }
}

/// Where a stage decides without a kind that could hold an excuse, on purpose: when it was not read for that reason, or any.
const BRIDGED: &[(Stage, Kind, Option<UnknownReason>)] = &[
    // Without Babylon the intent of a service is unknown, and what is at zero without the platform's mark is down (3.3): a
    // control plane that is away must not silence every failure of the fleet.
    (Stage::DeploymentReady, Kind::Subject, None),
    (Stage::RouteReady, Kind::Subject, None),
    (Stage::ShowroomHealthy, Kind::Subject, None),
    // That a namespace is gone, or there and active, is known without Babylon.
    (Stage::NamespaceReady, Kind::Subject, None),
    (Stage::RunCreated, Kind::Subject, None),
    // What lives in a namespace proves that it exists.
    (Stage::DeploymentReady, Kind::Namespace, Some(UnknownReason::NotCollected)),
    // No ready endpoint is known; that a pod is starting or a VM halted would excuse it, and nobody looked.
    (Stage::RouteReady, Kind::Pod, Some(UnknownReason::NotCollected)),
    (Stage::RouteReady, Kind::VirtualMachine, Some(UnknownReason::NotCollected)),
];

fn is_bridged(stage: Stage, kind: Kind, reason: UnknownReason) -> bool {
    BRIDGED
        .iter()
        .any(|(at, of, why)| (*at, *of) == (stage, kind) && why.is_none_or(|why| why == reason))
}

#[test]
fn leftovers_fail_nothing_and_hide_nothing() {
    let rubrics = RubricSet::embedded().unwrap();
    let files = case::files(&root().join("tests/examples/noise")).unwrap();
    assert!(!files.is_empty());
    let cases = files.iter().map(|file| case::load(file).unwrap_or_else(|error| panic!("{error}")));
    let wrong: Vec<String> = cases.flat_map(|case| case::run(&rubrics, &case)).map(|it| it.to_string()).collect();
    assert!(wrong.is_empty(), "{} mismatches:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_order_of_reading_decides_nothing() {
    let rubrics = RubricSet::embedded().unwrap();
    for situation in situations() {
        let verdict = case::judge(&rubrics, &situation);
        let again = case::judge(&rubrics, &reversed(&situation));
        assert!(again == verdict, "{}:\n{again:?}\n{verdict:?}", situation.title);
    }
}

#[test]
fn what_was_not_read_decides_nothing() {
    let rubrics = RubricSet::embedded().unwrap();
    let mut wrong = Vec::new();
    for situation in situations() {
        let before = verdicts(&rubrics, &situation);
        for kind in Kind::ALL {
            for reason in [UnknownReason::Forbidden, UnknownReason::NotCollected] {
                let Some(less) = without(&situation, kind, reason) else { continue };
                for (before, after) in before.iter().zip(verdicts(&rubrics, &less)) {
                    if !may_become(before, &after) && !is_bridged(before.stage, kind, reason) {
                        wrong.push(format!(
                            "{} without {kind} ({reason}): {} was {} [{}], is {} [{}]",
                            situation.title, before.stage, before.outcome, before.message, after.outcome, after.message
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} verdicts:\n{}", wrong.len(), wrong.join("\n"));
}
