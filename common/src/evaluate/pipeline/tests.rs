//! Whole instances: which stages apply, and that a failure is told once.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::*;
use crate::evaluate::lint::raw::RawSet;
use crate::evidence::testing::{
    World, ago, condition, data_volume, deployment, hours, minutes, model, pod_of, probe, route, service, slice, vm, vmi,
};
use crate::objects::{Listing, Namespace, ProbeKind, Reachability, Subject};
use crate::unknown::UnknownReason;

static RUBRICS: LazyLock<RubricSet> = LazyLock::new(|| RubricSet::embedded().unwrap_or_else(|error| panic!("{error}")));

fn judged(world: &World) -> InstanceVerdict {
    judged_by(&RUBRICS, world)
}

fn judged_by(rubrics: &RubricSet, world: &World) -> InstanceVerdict {
    let input = Input {
        now: world.now,
        cluster: &world.cluster,
        cluster_verdict: &evaluate_cluster(rubrics, &world.cluster, world.now),
        inventory: &world.inventory,
        declared: &world.declared,
    };
    evaluate_instance(rubrics, &input)
}

/// One line per stage that is not skipped: stage, outcome, reason, class.
fn told(world: &World) -> String {
    judged(world)
        .stages
        .iter()
        .filter(|verdict| verdict.outcome != Outcome::Skipped)
        .fold(String::new(), |mut text, verdict| {
            let _ = write!(text, "{} {}", verdict.stage, verdict.outcome);
            if let Some(reason) = verdict.reason {
                let _ = write!(text, " {reason}");
            }
            if let Some(class) = &verdict.failure_class {
                let _ = write!(text, " {class}");
            }
            text.push('\n');
            text
        })
}

fn namespace(world: &mut World) -> &mut Namespace {
    let namespace = &mut world.inventory.namespace.items[0];
    namespace.metadata.uid = "0b7e".to_owned();
    namespace
}

/// One Deployment behind one Route, on a cluster that has a name.
fn healthy() -> World {
    let mut world = World::new()
        .deployments([deployment("web")])
        .pods([pod_of("web", "5c9")])
        .services([service("web")])
        .endpoint_slices([slice("web", 1)])
        .routes([route("web")]);
    world.cluster.name = "cluster-a".to_owned();
    namespace(&mut world);
    world
}

fn subject(current: &str, desired: &str) -> Subject {
    Subject {
        name: "acme.web.prod-q7f2k".to_owned(),
        current_state: current.to_owned(),
        desired_state: desired.to_owned(),
        provision_job_status: "successful".to_owned(),
        state_since: Some(ago(hours(1))),
        ..Subject::default()
    }
}

#[test]
fn every_stage_but_the_clusters_is_accounted_for() {
    let stages: Vec<Stage> = judged(&healthy()).stages.iter().map(|verdict| verdict.stage).collect();
    assert_eq!(stages, Stage::ALL[1..]);
}

#[test]
fn a_healthy_container_lab() {
    assert_eq!(
        told(&healthy()),
        "run-created pass\nnamespace-ready pass\ndeployment-ready pass\nroute-ready pass\n"
    );
}

#[test]
fn a_namespace_that_is_gone_is_told_once() {
    let mut world = healthy();
    world.declared.kind = Some("container".to_owned());
    world.inventory = crate::objects::Inventory {
        name: world.inventory.name,
        ..World::new().inventory
    };
    world.inventory.namespace = Listing::complete(Vec::new());
    assert_eq!(
        told(&world),
        "run-created pass\nnamespace-ready fail namespace_missing\n\
         deployment-ready indeterminate blocked_by:namespace-ready\nroute-ready indeterminate blocked_by:namespace-ready\n"
    );
}

#[test]
fn a_vanished_namespace_of_unknown_kind_keeps_every_stage_open() {
    let mut world = World::new();
    world.inventory.namespace = Listing::complete(Vec::new());
    let blocked = judged(&world)
        .stages
        .iter()
        .filter(|verdict| verdict.reason.map(|r| r.to_string()).as_deref() == Some("blocked_by:namespace-ready"))
        .count();
    assert_eq!(blocked, 7, "what was known before must not be forgotten");
}

#[test]
fn leaving_skips_all_but_the_watch_over_it() {
    let mut world = healthy();
    namespace(&mut world).metadata.deletion_timestamp = Some(ago(minutes(5)));
    assert_eq!(told(&world), "namespace-ready indeterminate terminating\n");
    assert_eq!(judged(&world).lifecycle.phase, Phase::Destroying);
    namespace(&mut world).metadata.deletion_timestamp = Some(ago(hours(3)));
    assert_eq!(
        told(&world),
        "namespace-ready fail teardown_stuck\n\
         deployment-ready indeterminate blocked_by:namespace-ready\nroute-ready indeterminate blocked_by:namespace-ready\n"
    );
}

#[test]
fn a_service_that_is_being_destroyed_is_not_judged() {
    let mut world = healthy();
    let mut leaving = subject("destroying", "started");
    leaving.state_since = Some(ago(minutes(5)));
    world.inventory.subjects = Listing::complete(vec![leaving]);
    assert_eq!(told(&world), "namespace-ready pass\n");
}

#[test]
fn a_cluster_that_does_not_answer_is_told_once() {
    let mut world = healthy();
    world.cluster.reachable = Some(Reachability {
        answered: false,
        authorized: false,
        detail: "connection refused".to_owned(),
    });
    let text = told(&world);
    assert!(text.contains("namespace-ready indeterminate blocked_by:cluster-health"), "{text}");
    assert!(text.contains("deployment-ready indeterminate blocked_by:cluster-health"), "{text}");
    assert!(!text.contains("fail"), "{text}");
}

#[test]
fn an_old_empty_namespace_is_of_unknown_kind() {
    let mut world = World::new();
    namespace(&mut world);
    assert_eq!(told(&world), "namespace-ready pass\n");
    namespace(&mut world).metadata.creation_timestamp = Some(ago(minutes(19)));
    world.cluster.name = "cluster-a".to_owned();
    assert_eq!(told(&world), "run-created indeterminate progressing\nnamespace-ready pass\n");
}

#[test]
fn a_failed_provision_is_judged_though_nothing_tells_the_kind() {
    let mut world = World::new();
    namespace(&mut world)
        .metadata
        .labels
        .insert("created-by".to_owned(), "sandbox-api".to_owned());
    let mut failed = subject("provision-failed", "started");
    failed.provision_job_status = "failed".to_owned();
    world.inventory.subjects = Listing::complete(vec![failed]);
    assert_eq!(told(&world), "provision-complete fail provision_failed\nnamespace-ready pass\n");
}

#[test]
fn what_was_refused_is_not_absent() {
    let mut world = World::new();
    namespace(&mut world);
    world.cluster.name = "cluster-a".to_owned();
    world.inventory.deployments = Listing::unknown(UnknownReason::Forbidden);
    let text = told(&world);
    assert!(text.contains("deployment-ready indeterminate forbidden"), "{text}");
    assert!(text.contains("run-created indeterminate forbidden"), "{text}");
    assert!(!text.contains("fail"), "{text}");
}

#[test]
fn a_recording_without_the_namespace_still_judges_what_is_in_it() {
    let mut world = healthy();
    world.inventory.namespace = Listing::default();
    assert_eq!(
        told(&world),
        "run-created indeterminate not_collected\nprovision-complete indeterminate not_collected\n\
         namespace-ready indeterminate not_collected\ndeployment-ready pass\nroute-ready pass\n"
    );
}

#[test]
fn container_disks_leave_nothing_to_clone() {
    let mut bare = vm("rhel1");
    bare.spec.template.spec.volumes.clear();
    bare.spec.data_volume_templates.clear();
    let mut world = World::new().vms([bare]);
    world.declared.kind = Some("vm".to_owned());
    namespace(&mut world);
    assert!(!told(&world).contains("storage-clone-ready"), "{}", told(&world));
}

#[test]
fn a_dead_backend_names_its_likely_cause() {
    let mut world = healthy();
    world.inventory.deployments.items[0] = deployment("web").ready(0);
    world.inventory.pods.items.clear();
    world.inventory.endpoint_slices.items = vec![slice("web", 0)];
    let verdict = judged(&world);
    let route = verdict.stages.iter().find(|verdict| verdict.stage == Stage::RouteReady).unwrap();
    assert_eq!(route.failure_class.as_deref(), Some("service_has_no_endpoints"));
    assert!(
        route.message.ends_with("likely cause: deployment-ready failed, pods_not_ready"),
        "{}",
        route.message
    );
}

#[test]
fn the_same_input_gives_the_same_verdict() {
    let world = healthy();
    assert_eq!(judged(&world), judged(&world));
}

/// A minute is inside every shipped budget; a rubric that allows half of that turns what is on its way into a failure.
#[test]
fn the_rubrics_number_is_the_settle_budget() {
    let young = minutes(1);
    let provisioning = Subject {
        created_at: Some(ago(young)),
        provision_job_status: "running".to_owned(),
        ..subject("provisioning", "started")
    };
    let mut with_subject = healthy();
    with_subject.inventory.subjects = Listing::complete(vec![provisioning]);
    let cases = [
        (Stage::ProvisionComplete, "provision_job_succeeded", with_subject),
        (
            Stage::DeploymentReady,
            "desired_replicas_ready",
            healthy().deployments([deployment("worker").ready(0).age(young)]),
        ),
        (
            Stage::StorageCloneReady,
            "datavolume_succeeded",
            healthy()
                .vms([vm("rhel")])
                .vmis([vmi("rhel")])
                .data_volumes([data_volume("rhel").phase("CloneInProgress").age(young)]),
        ),
        (
            Stage::RouteReady,
            "route_admitted",
            healthy().routes([route("other").to("web").unanswered().age(young)]),
        ),
        (
            Stage::VmRuntimeReady,
            "vmi_running",
            healthy()
                .vms([vm("rhel").prints("Starting").container_disk()])
                .vmis([vmi("rhel").phase("Scheduling", young).age(young)]),
        ),
        (
            Stage::ShowroomHealthy,
            "showroom_pod_running",
            healthy()
                .routes([route("showroom")])
                .services([service("showroom")])
                .pods([pod_of("showroom", "6d7").label("app", "showroom").unready().age(young)])
                .probes([probe(ProbeKind::Route, "showroom")]),
        ),
        (
            Stage::ModelEndpointReady,
            "inferenceservice_ready",
            healthy().inference_services([model("granite").age(young).with(condition("Ready", "False", "PredictorNotReady"))]),
        ),
    ];
    let covered: Vec<Stage> = cases.iter().map(|(stage, ..)| *stage).collect();
    let settling: Vec<Stage> = Stage::ALL.into_iter().filter(|stage| evidence::settles(*stage)).collect();
    assert_eq!(covered, settling);
    for (stage, name, world) in cases {
        let mut raw = RawSet::embedded().unwrap();
        raw.rubrics.get_mut(&stage).unwrap().content.timeout_seconds.as_mut().unwrap().value = 30;
        let hasty = RubricSet::from_raw(&raw).unwrap();
        let value = |rubrics: &RubricSet| {
            let stages = judged_by(rubrics, &world).stages;
            let verdict = stages.into_iter().find(|verdict| verdict.stage == stage).unwrap();
            let criterion = verdict.criteria.into_iter().find(|criterion| criterion.name == name);
            criterion.map(|criterion| (criterion.value.as_bool(), criterion.unknown_reason))
        };
        assert_eq!(
            value(&RUBRICS),
            Some((None, Some(UnknownReason::Progressing))),
            "{stage}, as shipped"
        );
        assert_eq!(value(&hasty), Some((Some(false), None)), "{stage}, with 30 s");
    }
}
