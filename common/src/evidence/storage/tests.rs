use super::*;
use crate::evidence::Grade;
use crate::evidence::testing::{World, ago, claim, condition, data_volume, event, hours, minutes, now, pod, told, vm, vmi};

fn said(world: &World, name: &str) -> Observation {
    observe(&world.view()).observations.remove(name).expect("a name of this stage")
}

fn value(world: &World, name: &str) -> Value {
    said(world, name).value
}

const TRUE: Value = Value::Bool(true);
const FALSE: Value = Value::Bool(false);

const fn unknown(reason: UnknownReason) -> Value {
    Value::Unknown(reason)
}

/// A running VM whose disk has that data volume and that claim.
fn disk(source: Option<DataVolume>, claim: Option<PersistentVolumeClaim>) -> World {
    World::new()
        .vms([vm("rhel")])
        .vmis([vmi("rhel")])
        .data_volumes(source)
        .claims(claim)
}

#[test]
fn says_every_name_and_nothing_else() {
    let said: Vec<&str> = observe(&World::new().view()).observations.into_keys().collect();
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(said, names);
}

#[test]
fn a_populated_disk_is_true_everywhere() {
    let world = disk(Some(data_volume("rhel")), Some(claim("rhel")));
    for (name, observation) in observe(&world.view()).observations {
        let expected = if name == "datavolume_phase_failed" { FALSE } else { TRUE };
        assert_eq!(observation.value, expected, "{name}");
    }
}

#[test]
fn a_collected_data_volume_is_no_lack() {
    let collected = claim("rhel")
        .annotated("cdi.kubevirt.io/garbageCollected", "true")
        .owned_by("VirtualMachine", "rhel");
    let world = disk(None, Some(collected));
    for name in ["datavolume_exists", "datavolume_succeeded", "pvc_bound"] {
        assert_eq!(value(&world, name), TRUE, "{name}");
    }
    assert_eq!(value(&world, "clone_duration_acceptable"), unknown(UnknownReason::NotCollected));
}

#[test]
fn a_disk_of_which_nothing_is_there() {
    let world = disk(None, None);
    let exists = said(&world, "datavolume_exists");
    assert_eq!(exists.value, FALSE);
    assert_eq!(exists.failing[0].reason, "VM rhel mounts it; neither data volume nor claim exists");
    assert_eq!(value(&world, "datavolume_succeeded"), FALSE);
    assert_eq!(value(&world, "pvc_bound"), FALSE);
    assert_eq!(value(&world, "datavolume_phase_failed"), FALSE);
}

#[test]
fn the_broken_disk_decides_whatever_the_order() {
    let bad = data_volume("windows").phase("Failed");
    for sources in [[data_volume("rhel"), bad.clone()], [bad, data_volume("rhel")]] {
        let world = World::new()
            .vms([vm("rhel"), vm("windows")])
            .vmis([vmi("rhel"), vmi("windows")])
            .data_volumes(sources)
            .claims([claim("rhel"), claim("windows")]);
        let succeeded = said(&world, "datavolume_succeeded");
        assert_eq!(succeeded.value, FALSE);
        assert_eq!(succeeded.failing_count, 1);
        assert_eq!(succeeded.failing[0].name, "windows");
        assert_eq!(value(&world, "datavolume_phase_failed"), TRUE);
    }
}

#[test]
fn phases_of_a_data_volume() {
    let progressing = unknown(UnknownReason::Progressing);
    let of = |phase: &str, age| {
        disk(
            Some(data_volume("rhel").phase(phase).age(age)),
            Some(claim("rhel").phase("Pending").age(age)),
        )
    };
    for phase in IN_PROGRESS {
        assert_eq!(value(&of(phase, minutes(3)), "datavolume_succeeded"), progressing, "{phase}");
        assert_eq!(value(&of(phase, minutes(3)), "pvc_bound"), progressing, "{phase}");
        assert_eq!(value(&of(phase, minutes(25)), "datavolume_succeeded"), FALSE, "{phase}");
        assert_eq!(value(&of(phase, minutes(25)), "pvc_bound"), FALSE, "{phase}");
        assert_eq!(value(&of(phase, minutes(25)), "datavolume_phase_failed"), FALSE, "{phase}");
    }
    assert_eq!(value(&of("Failed", minutes(1)), "datavolume_succeeded"), FALSE);
    assert_eq!(
        value(&of("Unknown", hours(1)), "datavolume_succeeded"),
        unknown(UnknownReason::UnrecognizedState)
    );
    assert_eq!(
        value(&of("Levitating", hours(1)), "datavolume_succeeded"),
        unknown(UnknownReason::UnrecognizedState)
    );
}

#[test]
fn the_settle_budget_ends_when_it_says() {
    let mut world = disk(Some(data_volume("rhel").phase("CloneInProgress").age(minutes(3))), None);
    assert_eq!(said(&world, "datavolume_succeeded").until, Some(now() + minutes(7)));
    world.now = now() + minutes(7);
    assert_eq!(value(&world, "datavolume_succeeded"), FALSE);
}

#[test]
fn volumes_may_wait_for_their_first_consumer() {
    let waiting = unknown(UnknownReason::WaitingForConsumer);
    let source = |age| data_volume("rhel").phase("WaitForFirstConsumer").age(age);
    let pending = || claim("rhel").phase("Pending");
    let halted = |age| {
        World::new()
            .vms([vm("rhel").strategy("Halted")])
            .data_volumes([source(age)])
            .claims([pending()])
    };
    let running = |age| disk(Some(source(age)), Some(pending()));
    let nobody = |age| World::new().data_volumes([source(age)]).claims([pending()]);
    let a_pod = |age| nobody(age).pods([pod("app").mounts("rhel").unready()]);
    let cases = [
        ("halted VM", halted(hours(1)), waiting.clone()),
        ("running VM, young", running(minutes(1)), unknown(UnknownReason::Progressing)),
        ("running VM, old", running(hours(1)), FALSE),
        ("nobody mounts it", nobody(hours(1)), waiting),
        ("a pod mounts it", a_pod(hours(1)), FALSE),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "datavolume_succeeded"), expected, "{case}");
        assert_eq!(value(&world, "pvc_bound"), expected, "{case}");
    }
}

#[test]
fn claims_of_applications() {
    let of = |claim| World::new().claims([claim]);
    let pending = |age| claim("data").phase("Pending").age(age);
    let mounted = |age| of(pending(age)).pods([pod("db-0").mounts("data").unready()]);
    let cases = [
        ("bound", of(claim("data")), TRUE),
        ("lost", of(claim("data").phase("Lost")), FALSE),
        (
            "nobody mounts it",
            of(pending(hours(1))),
            unknown(UnknownReason::WaitingForConsumer),
        ),
        ("mounted, young", mounted(minutes(2)), unknown(UnknownReason::Progressing)),
        ("mounted, old", mounted(hours(1)), FALSE),
        (
            "new phase",
            of(claim("data").phase("Floating")),
            unknown(UnknownReason::UnrecognizedState),
        ),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "pvc_bound"), expected, "{case}");
        assert_eq!(value(&world, "datavolume_exists"), TRUE, "{case}");
        assert_eq!(value(&world, "datavolume_succeeded"), TRUE, "{case}");
    }
}

#[test]
fn helper_claims_are_no_volumes() {
    let world = disk(Some(data_volume("rhel")), Some(claim("rhel"))).claims([
        claim("prime-9c1e").phase("Pending"),
        claim("rhel-scratch").phase("Lost"),
        claim("tmp-pvc-77").phase("Pending"),
        claim("web-tmp").phase("Lost").owned_by("Pod", "web-1"),
        claim("populated").phase("Pending").owned_by("PersistentVolumeClaim", "rhel"),
        claim("old").phase("Lost").deleted(minutes(1)),
    ]);
    assert_eq!(value(&world, "pvc_bound"), TRUE);
}

#[test]
fn a_data_volume_may_fill_a_claim_of_another_name() {
    let mut source = data_volume("rhel");
    source.status.claim_name = Some("disk-7".to_owned());
    let world = disk(Some(source.clone()), Some(claim("disk-7")));
    assert_eq!(value(&world, "pvc_bound"), TRUE);
    let lost = disk(Some(source), Some(claim("disk-7").phase("Lost")));
    assert_eq!(value(&lost, "pvc_bound"), FALSE);
    assert_eq!(said(&lost, "pvc_bound").failing_count, 1);
}

#[test]
fn a_vm_may_mount_a_claim_directly() {
    let world = World::new().vms([vm("rhel").on_claim("data")]).claims([claim("data")]);
    assert_eq!(value(&world, "datavolume_succeeded"), TRUE);
    let pending = World::new()
        .vms([vm("rhel").on_claim("data")])
        .claims([claim("data").phase("Pending")]);
    assert_eq!(value(&pending, "datavolume_succeeded"), FALSE);
    assert_eq!(value(&pending, "pvc_bound"), FALSE);
}

#[test]
fn a_claim_that_went_away_under_its_data_volume() {
    assert_eq!(value(&disk(Some(data_volume("rhel")), None), "pvc_bound"), FALSE);
}

#[test]
fn vms_on_container_disks_have_no_volume() {
    let world = World::new().vms([vm("rhel").container_disk()]);
    assert_eq!(observe(&world.view()), StageEvidence::default());
    assert_eq!(value(&World::new(), "datavolume_exists"), FALSE);
}

#[test]
fn a_recording_of_a_container_lab_holds_no_files_of_vms() {
    let mut world = World::new().claims([claim("data")]).pods([pod("db-0").mounts("data")]);
    world.inventory.vms = Listing::default();
    world.inventory.data_volumes = Listing::default();
    let succeeded = said(&world, "datavolume_succeeded");
    assert_eq!((succeeded.value, succeeded.grade), (TRUE, Grade::Inferred));
    let with_vm_claim = world.clone().claims([claim("rhel").label("app", "containerized-data-importer")]);
    assert_eq!(value(&with_vm_claim, "datavolume_succeeded"), unknown(UnknownReason::NotCollected));
    let with_launcher = world.pods([pod("virt-launcher-rhel-x2x4z")]);
    assert_eq!(value(&with_launcher, "datavolume_succeeded"), unknown(UnknownReason::NotCollected));
}

#[test]
fn the_duration_of_a_clone() {
    let took = |span| {
        let mut source = data_volume("rhel");
        let mut ready = condition("Ready", "True", "");
        ready.last_transition_time = Some(ago(crate::evidence::testing::AGE) + span);
        source.status.conditions = vec![ready];
        disk(Some(source), Some(claim("rhel")))
    };
    assert_eq!(value(&took(minutes(9)), "clone_duration_acceptable"), TRUE);
    assert_eq!(value(&took(minutes(14)), "clone_duration_acceptable"), FALSE);
    let running = disk(Some(data_volume("rhel").phase("CloneInProgress").age(minutes(2))), None);
    assert_eq!(value(&running, "clone_duration_acceptable"), unknown(UnknownReason::Progressing));
    assert_eq!(value(&running, "no_stalled_clone"), unknown(UnknownReason::NotCollected));
}

#[test]
fn what_was_not_read_is_unknown() {
    let full = || disk(Some(data_volume("rhel")), Some(claim("rhel")));
    let forbidden = UnknownReason::Forbidden;
    let mut no_sources = full();
    no_sources.inventory.data_volumes = Listing::unknown(forbidden);
    assert_eq!(value(&no_sources, "datavolume_succeeded"), unknown(forbidden));
    assert_eq!(value(&no_sources, "datavolume_phase_failed"), unknown(forbidden));
    let mut no_claims = full();
    no_claims.inventory.claims = Listing::unknown(forbidden);
    assert_eq!(value(&no_claims, "pvc_bound"), unknown(forbidden));
    let mut no_vms = full();
    no_vms.inventory.vms = Listing::unknown(forbidden);
    assert_eq!(value(&no_vms, "datavolume_exists"), unknown(forbidden));
    let mut failed = disk(Some(data_volume("rhel").phase("Failed")), None);
    failed.inventory.claims = Listing::unknown(forbidden);
    assert_eq!(value(&failed, "datavolume_succeeded"), FALSE);
}

#[test]
fn a_cluster_without_kubevirt() {
    let mut world = World::new().claims([claim("data")]);
    world.inventory.vms = Listing::unknown(UnknownReason::ApiAbsent);
    world.inventory.data_volumes = Listing::unknown(UnknownReason::ApiAbsent);
    assert_eq!(value(&world, "datavolume_succeeded"), TRUE);
    world.declared.kind = Some("vm".to_owned());
    assert_eq!(value(&world, "datavolume_succeeded"), unknown(UnknownReason::ApiAbsent));
}

#[test]
fn signals_tell_events_and_importers() {
    let importer = pod("importer-prime-1")
        .label("app", "containerized-data-importer")
        .owned_by("PersistentVolumeClaim", "rhel")
        .crash_loops(3, "Error", 1);
    let world = disk(
        Some(data_volume("rhel").phase("ImportInProgress")),
        Some(claim("rhel").phase("Pending")),
    )
    .pods([importer])
    .events([event(
        "PersistentVolumeClaim",
        "rhel",
        "ProvisioningFailed",
        "no volumes available",
        minutes(2),
    )]);
    assert_eq!(
        told(&observe(&world.view())),
        [
            "DataVolume rhel: ImportInProgress",
            "ProvisioningFailed no volumes available",
            "Pod importer-prime-1 of PersistentVolumeClaim rhel",
            "container app waiting: CrashLoopBackOff back-off restarting failed container",
            "container app ended with exit code 1 Error",
            "PersistentVolumeClaim rhel: Pending, data volume ImportInProgress",
        ]
    );
}
