//! Who tells the kind, and which stages have something to judge.

use super::*;
use crate::evaluate::identity;
use crate::evaluate::rubric::RubricSet;
use crate::evidence::testing::{World, deployment, meta, pod, vm};
use crate::objects::{InferenceService, Listing, Pod};

fn detect(world: &World) -> (LabKind, Source) {
    let kinds = RubricSet::embedded().unwrap_or_else(|error| panic!("{error}")).kinds;
    let identity = identity::of(&world.inventory, &world.declared);
    let Detected { kind, source } = kinds.detect(&world.view(), &identity);
    (kind, source)
}

fn named(name: &str) -> World {
    let mut world = World::new();
    name.clone_into(&mut world.inventory.name);
    world
}

#[test]
fn the_definition_wins_over_the_name_and_the_name_over_the_objects() {
    let mut world = named("sandbox-q7f2k-zt-rhelbu").deployments([deployment("showroom")]);
    assert_eq!(detect(&world), (LabKind::ContainerVm, Source::Name));
    world.declared.kind = Some("vm".to_owned());
    assert_eq!(detect(&world), (LabKind::Vm, Source::Declared));
}

#[test]
fn a_base_matches_whole_words_only() {
    assert_eq!(detect(&named("sandbox-q7f2k-ocp4-cluster")).0, LabKind::NestedCluster);
    assert_eq!(detect(&named("sandbox-q7f2k-ocp4-cluster-x")).0, LabKind::NestedCluster);
    assert_eq!(detect(&named("sandbox-q7f2k-ztunnel")).0, LabKind::Unknown);
    assert_eq!(detect(&named("sandbox-q7f2k-my-ocp4-cluster")).0, LabKind::Unknown);
    assert_eq!(detect(&named("showroom-abc")).0, LabKind::ShowroomTenant);
}

#[test]
fn objects_tell_the_rest() {
    let objects = |world: &World| detect(world).0;
    assert_eq!(objects(&World::new().deployments([deployment("web")])), LabKind::Container);
    assert_eq!(objects(&World::new().pods([pod("bare")])), LabKind::Container);
    assert_eq!(objects(&World::new().vms([vm("rhel1")])), LabKind::Vm);
    assert_eq!(
        objects(&World::new().vms([vm("rhel1")]).deployments([deployment("web")])),
        LabKind::ContainerVm
    );
    let model = InferenceService {
        metadata: meta("llm"),
        ..InferenceService::default()
    };
    assert_eq!(objects(&World::new().inference_services([model])), LabKind::Model);
}

#[test]
fn helpers_are_no_application() {
    let launcher = Pod {
        metadata: meta("virt-launcher-rhel1-abcde"),
        ..Pod::default()
    };
    let seed = pod("seed-x").owned_by("Job", "seed");
    assert_eq!(
        detect(&World::new().pods([launcher, seed])),
        (LabKind::Unknown, Source::Nobody(None))
    );
}

#[test]
fn what_could_not_be_read_is_not_nothing() {
    let mut world = World::new();
    world.inventory.deployments = Listing::unknown(UnknownReason::Forbidden);
    assert_eq!(detect(&world), (LabKind::Unknown, Source::Nobody(Some(UnknownReason::Forbidden))));
    world.inventory.namespace = Listing::complete(Vec::new());
    world.inventory.deployments = Listing::complete(Vec::new());
    assert_eq!(detect(&world).1, Source::Nobody(Some(UnknownReason::NotCollected)));
}

#[test]
fn a_list_that_nobody_asked_for_is_no_reason_for_doubt() {
    let mut world = World::new();
    let vms = |world: &World| presence(Stage::VmRuntimeReady, &world.view());
    world.inventory.vms = Listing::unknown(UnknownReason::NotCollected);
    assert_eq!(vms(&world), Presence::Absent);
    world.inventory.vms = Listing::unknown(UnknownReason::Timeout);
    assert_eq!(vms(&world), Presence::Unread(UnknownReason::Timeout));
    world.declared.vms = vec!["rhel1".to_owned()];
    assert_eq!(vms(&world), Presence::Found);
}
