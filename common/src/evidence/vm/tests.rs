use super::*;
use crate::evidence::testing::{World, ago, claim, condition, data_volume, event, hours, minutes, now, pod, told, vm, vmi};
use crate::objects::Listing;

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

fn failing(observation: &Observation) -> Vec<&str> {
    observation.failing.iter().map(|member| member.name.as_str()).collect()
}

/// A lab of one VM with its disk.
fn rhel() -> World {
    World::new()
        .vms([vm("rhel")])
        .vmis([vmi("rhel")])
        .data_volumes([data_volume("rhel")])
        .claims([claim("rhel")])
}

fn only(vm: VirtualMachine) -> World {
    World::new().vms([vm.container_disk()])
}

#[test]
fn says_every_name_and_nothing_else() {
    let said: Vec<&str> = observe(&rhel().view()).observations.into_keys().collect();
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(said, names);
}

#[test]
fn a_running_vm_without_agent_is_healthy() {
    let world = rhel();
    for name in [
        "datavolume_succeeded",
        "vm_exists",
        "vmi_running",
        "no_paused_vmis",
        "no_guest_shutdowns",
    ] {
        assert_eq!(value(&world, name), TRUE, "{name}");
    }
    assert_eq!(value(&world, "vmi_paused_on_error"), FALSE);
    let agent = said(&world, "guest_agent_connected");
    assert_eq!(agent.value, unknown(UnknownReason::AgentNotExpected));
    assert_eq!(agent.excluded.len(), 1);
    assert_eq!(value(&world, "guest_os_ready"), unknown(UnknownReason::AgentNotExpected));
}

#[test]
fn whether_a_vm_should_run() {
    let ended = || [vmi("a").phase("Succeeded", hours(1))];
    let up = || [vmi("a")];
    let stopped = unknown(UnknownReason::IntentionallyStopped);
    let cases = [
        ("Always, up", only(vm("a")).vmis(up()), TRUE),
        ("Always, absent", only(vm("a")), FALSE),
        ("running: true, up", only(vm("a").running_field(true)).vmis(up()), TRUE),
        ("running: false", only(vm("a").running_field(false)), stopped.clone()),
        ("Halted", only(vm("a").strategy("Halted")), stopped.clone()),
        ("Manual, up", only(vm("a").strategy("Manual")).vmis(up()), TRUE),
        ("Manual, down", only(vm("a").strategy("Manual")), stopped.clone()),
        ("Manual, shut down", only(vm("a").strategy("Manual")).vmis(ended()), stopped.clone()),
        (
            "Manual, failed",
            only(vm("a").strategy("Manual")).vmis([vmi("a").phase("Failed", hours(1))]),
            FALSE,
        ),
        ("Once, up", only(vm("a").strategy("Once")).vmis(up()), TRUE),
        ("Once, done", only(vm("a").strategy("Once")).vmis(ended()), stopped.clone()),
        (
            "RerunOnFailure, done",
            only(vm("a").strategy("RerunOnFailure")).vmis(ended()),
            stopped.clone(),
        ),
        (
            "RerunOnFailure, failed",
            only(vm("a").strategy("RerunOnFailure")).vmis([vmi("a").phase("Failed", hours(1))]),
            FALSE,
        ),
        ("WaitAsReceiver", only(vm("a").strategy("WaitAsReceiver")), stopped),
        (
            "new strategy",
            only(vm("a").strategy("Sometimes")),
            unknown(UnknownReason::UnrecognizedState),
        ),
        ("being deleted", rhel().vms([vm("old").container_disk().deleted(minutes(1))]), TRUE),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "vmi_running"), expected, "{case}");
    }
    let mut neither = vm("a");
    neither.spec.run_strategy = None;
    assert_eq!(value(&only(neither), "vmi_running"), unknown(UnknownReason::UnrecognizedState));
    assert_eq!(
        value(&only(vm("a").strategy("RerunOnFailure")).vmis(ended()), "no_guest_shutdowns"),
        FALSE
    );
}

#[test]
fn a_spare_vm_halted_by_its_author_is_left_out() {
    let world = rhel().vms([vm("spare").strategy("Halted")]).intent(Intent::Started, hours(2));
    let running = said(&world, "vmi_running");
    assert_eq!(running.value, TRUE);
    assert_eq!(running.excluded[0].name, "spare");
}

#[test]
fn halted_vms_of_a_started_service() {
    let marked = || {
        vm("a")
            .strategy("Halted")
            .annotated(ORIGINAL_RUN_STRATEGY, "Always")
            .container_disk()
    };
    let halted = || vm("b").running_field(false).container_disk();
    let started = |world: World, age| world.intent(Intent::Started, age);
    let stopped = unknown(UnknownReason::IntentionallyStopped);
    let cases = [
        ("marked, started long ago", started(rhel().vms([marked()]), hours(1)), FALSE),
        (
            "marked, just started",
            started(rhel().vms([marked()]), minutes(5)),
            unknown(UnknownReason::Progressing),
        ),
        (
            "all halted, started long ago",
            started(World::new().vms([halted()]), hours(1)),
            FALSE,
        ),
        (
            "all halted, just started",
            started(World::new().vms([halted()]), minutes(5)),
            unknown(UnknownReason::Progressing),
        ),
        (
            "all halted, stopped",
            World::new().vms([marked(), halted()]).intent(Intent::Stopped, hours(1)),
            stopped.clone(),
        ),
        ("all halted, intent unknown", World::new().vms([marked(), halted()]), stopped),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "vmi_running"), expected, "{case}");
    }
}

#[test]
fn one_of_three_cannot_be_placed() {
    let world = World::new()
        .vms(["node1", "node2"].map(|name| vm(name).container_disk()))
        .vms([vm("node3").container_disk().prints("ErrorUnschedulable")])
        .vmis([
            vmi("node1"),
            vmi("node2"),
            vmi("node3").phase("Scheduling", minutes(14)).age(minutes(14)),
        ]);
    let running = said(&world, "vmi_running");
    assert_eq!(running.value, FALSE);
    assert_eq!(failing(&running), ["node3"]);
    assert_eq!(running.failing[0].reason, "ErrorUnschedulable");
}

#[test]
fn phases_of_an_instance() {
    let progressing = unknown(UnknownReason::Progressing);
    let of = |instance| only(vm("a").prints("")).vmis([instance]);
    let cases = [
        (
            "Pending, young",
            of(vmi("a").phase("Pending", minutes(3)).age(minutes(3))),
            progressing.clone(),
        ),
        (
            "Scheduled, old",
            of(vmi("a").phase("Scheduled", minutes(11)).age(minutes(11))),
            FALSE,
        ),
        ("Failed", of(vmi("a").phase("Failed", minutes(1)).age(minutes(1))), FALSE),
        (
            "Succeeded, being restarted",
            of(vmi("a").phase("Succeeded", minutes(1))),
            progressing.clone(),
        ),
        ("Succeeded, left lying", of(vmi("a").phase("Succeeded", hours(1))), FALSE),
        (
            "Unknown for two minutes",
            of(vmi("a").phase("Unknown", minutes(2))),
            progressing.clone(),
        ),
        ("Unknown for six minutes", of(vmi("a").phase("Unknown", minutes(6))), FALSE),
        (
            "new phase",
            of(vmi("a").phase("Dreaming", hours(1))),
            unknown(UnknownReason::UnrecognizedState),
        ),
        ("being stopped", of(vmi("a").deleted(minutes(1))), progressing.clone()),
        ("stopping for ever", of(vmi("a").deleted(minutes(20))), FALSE),
        (
            "VM just made",
            only(vm("a").age(minutes(1)).prints("Provisioning")),
            progressing.clone(),
        ),
        ("no instance", only(vm("a").prints("WaitingForVolumeBinding")), FALSE),
        (
            "no instance, just started",
            only(vm("a")).intent(Intent::Started, minutes(2)),
            progressing,
        ),
    ];
    for (case, world, expected) in cases {
        assert_eq!(value(&world, "vmi_running"), expected, "{case}");
    }
}

#[test]
fn printable_errors_fail_at_once() {
    for status in BROKEN {
        let world = only(vm("a").prints(status).age(minutes(1))).vmis([vmi("a").phase("Scheduling", minutes(1)).age(minutes(1))]);
        assert_eq!(value(&world, "vmi_running"), FALSE, "{status}");
    }
    let migrating = only(vm("a").prints("Migrating")).vmis([vmi("a")]);
    assert_eq!(value(&migrating, "vmi_running"), TRUE);
}

#[test]
fn the_settle_budget_ends_when_it_says() {
    let mut world = only(vm("a").prints("Starting")).vmis([vmi("a").phase("Scheduling", minutes(3)).age(minutes(3))]);
    assert_eq!(said(&world, "vmi_running").until, Some(now() + minutes(7)));
    world.now = now() + minutes(7);
    assert_eq!(value(&world, "vmi_running"), FALSE);
}

#[test]
fn paused_instances_keep_phase_running() {
    let paused = |reason: &str, message: &str| {
        let mut paused = condition("Paused", "True", reason);
        paused.message = message.to_owned();
        only(vm("a").prints("Paused")).vmis([vmi("a").with(paused)])
    };
    let by_error = paused("PausedIOError", "VMI was paused, low-level IO error detected");
    assert_eq!(value(&by_error, "vmi_running"), FALSE);
    assert_eq!(value(&by_error, "vmi_paused_on_error"), TRUE);
    let by_person = paused("PausedByUser", "VMI was paused by user");
    assert_eq!(value(&by_person, "vmi_running"), TRUE);
    assert_eq!(value(&by_person, "no_paused_vmis"), FALSE);
    assert_eq!(value(&by_person, "vmi_paused_on_error"), FALSE);
    let by_migration = paused("PausedByMigrationMonitor", "VMI was paused by the migration monitor");
    assert_eq!(value(&by_migration, "no_paused_vmis"), unknown(UnknownReason::Progressing));
}

#[test]
fn agents_that_were_there_are_expected_back() {
    let agent = |status: &str, age| {
        let mut agent = condition("AgentConnected", status, "");
        agent.last_transition_time = Some(ago(age));
        agent
    };
    let of = |instance| only(vm("a")).vmis([instance, vmi("b")]);
    let cases = [
        ("connected", of(vmi("a").with_agent()), TRUE, TRUE),
        (
            "away a minute",
            of(vmi("a").with_agent().with(agent("False", minutes(1)))),
            unknown(UnknownReason::Progressing),
            unknown(UnknownReason::AgentNotExpected),
        ),
        (
            "away an hour",
            of(vmi("a").with_agent().with(agent("False", hours(1)))),
            FALSE,
            unknown(UnknownReason::AgentNotExpected),
        ),
        ("nameless guest", of(vmi("a").with(agent("True", hours(1)))), TRUE, FALSE),
        (
            "connected just now",
            of(vmi("a").with(agent("True", minutes(1)))),
            TRUE,
            unknown(UnknownReason::Progressing),
        ),
    ];
    for (case, world, connected, named) in cases {
        assert_eq!(value(&world, "guest_agent_connected"), connected, "{case}");
        assert_eq!(value(&world, "guest_os_ready"), named, "{case}");
    }
    let mut forgotten = vmi("a").with_agent();
    forgotten.status.conditions.retain(|it| it.kind != "AgentConnected");
    assert_eq!(value(&of(forgotten), "guest_agent_connected"), FALSE);
}

#[test]
fn what_exists() {
    assert_eq!(value(&World::new(), "vm_exists"), FALSE);
    assert_eq!(value(&World::new(), "vmi_running"), FALSE);
    let mut bare = vmi("pool-1");
    bare.metadata.owner_references.clear();
    assert_eq!(value(&World::new().vmis([bare.clone()]), "vm_exists"), TRUE);
    assert_eq!(value(&World::new().vmis([bare.phase("Failed", hours(1))]), "vmi_running"), FALSE);

    let mut absent = World::new();
    absent.inventory.vms = Listing::unknown(UnknownReason::ApiAbsent);
    absent.inventory.vmis = Listing::unknown(UnknownReason::ApiAbsent);
    for name in ["datavolume_succeeded", "vm_exists", "vmi_running"] {
        assert_eq!(value(&absent, name), unknown(UnknownReason::ApiAbsent), "{name}");
    }

    let mut declared = rhel();
    declared.declared.vms = vec!["rhel".to_owned(), "windows".to_owned()];
    let exists = said(&declared, "vm_exists");
    assert_eq!((exists.value.clone(), failing(&exists)), (FALSE, vec!["windows"]));
}

#[test]
fn an_instance_that_was_not_read_says_nothing_good() {
    let mut world = rhel();
    world.inventory.vmis = Listing::default();
    assert_eq!(value(&world, "vm_exists"), TRUE);
    assert_eq!(value(&world, "vmi_running"), unknown(UnknownReason::NotCollected));
    world.inventory.vms.items[0].status.printable_status = "ErrorPvcNotFound".to_owned();
    assert_eq!(value(&world, "vmi_running"), FALSE);
}

#[test]
fn disks_of_stopped_vms_hold_nobody_back() {
    let broken = data_volume("spare").phase("Failed");
    let world = rhel()
        .vms([vm("spare").strategy("Halted")])
        .data_volumes([broken.clone()])
        .claims([claim("spare")]);
    assert_eq!(value(&world, "datavolume_succeeded"), TRUE);
    let wanted = rhel().vms([vm("spare")]).data_volumes([broken]).claims([claim("spare")]);
    assert_eq!(value(&wanted, "datavolume_succeeded"), FALSE);
    assert_eq!(value(&only(vm("a")), "datavolume_succeeded"), TRUE);
}

#[test]
fn a_service_that_is_meant_to_be_stopped_never_fails() {
    let world = only(vm("a").prints("ErrorUnschedulable"))
        .vmis([vmi("a").phase("Failed", hours(1))])
        .intent(Intent::Stopped, hours(1));
    assert_eq!(value(&world, "vmi_running"), unknown(UnknownReason::IntentionallyStopped));
}

#[test]
fn signals_tell_the_launcher_pod() {
    let launcher = pod("virt-launcher-a-x2x4z")
        .label("kubevirt.io", "virt-launcher")
        .owned_by("VirtualMachineInstance", "a")
        .unschedulable("0/9 nodes are available: 9 Insufficient memory.");
    let world = only(vm("a").prints("ErrorUnschedulable"))
        .vmis([vmi("a").phase("Scheduling", minutes(14))])
        .pods([launcher])
        .events([event("VirtualMachineInstance", "a", "FailedCreate", "exceeded quota", minutes(2))]);
    assert_eq!(
        told(&observe(&world.view())),
        [
            "VirtualMachine a: ErrorUnschedulable",
            "Pod virt-launcher-a-x2x4z of VirtualMachineInstance a",
            "Unschedulable 0/9 nodes are available: 9 Insufficient memory.",
            "FailedCreate exceeded quota",
        ]
    );
}
