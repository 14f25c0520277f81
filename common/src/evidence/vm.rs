//! Stage 8, vm-runtime-ready: are the VMs running?
//!
//! For each VM it is decided first whether it should run ([`wanted`]): a VM that its author or its user keeps stopped is
//! excluded, one that the platform forgot to start again is not. A paused VMI keeps phase `Running`, so the condition is
//! read; a guest that never had an agent is not asked for one.

use chrono::{DateTime, Utc};

use super::quantify::{Judged, Known, all, any};
use super::signals::{Signal, Signals, clip};
use super::{Intent, MAX_MEMBERS, Observation, StageEvidence, Value, View, pods, storage, thresholds};
use crate::objects::meta::condition;
use crate::objects::{Condition, Pod, VirtualMachine, VirtualMachineInstance};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// What this stage can say.
pub const NAMES: &[&str] = &[
    "datavolume_succeeded",
    "vm_exists",
    "vmi_running",
    "no_paused_vmis",
    "vmi_paused_on_error",
    "no_guest_shutdowns",
    "guest_agent_connected",
    "guest_os_ready",
];

/// Set by the platform when it halts a VM to stop a service. VMs with the older `spec.running` get no mark.
pub const ORIGINAL_RUN_STRATEGY: &str = "sandbox.redhat.com/original-run-strategy";

/// Observes the VMs of one namespace.
#[must_use]
pub fn observe(view: &View) -> StageEvidence {
    let vmi_running = vmi_running(view);
    let signals = signals(view, &vmi_running);
    let observations = [
        ("datavolume_succeeded", storage::disks_of_wanted_vms(view)),
        ("vm_exists", vm_exists(view)),
        ("vmi_running", vmi_running),
        ("no_paused_vmis", no_paused_vmis(view)),
        ("vmi_paused_on_error", vmi_paused_on_error(view)),
        ("no_guest_shutdowns", no_guest_shutdowns(view)),
        ("guest_agent_connected", over_running(view, agent)),
        ("guest_os_ready", over_running(view, guest_os)),
    ];
    StageEvidence {
        observations: observations.into_iter().collect(),
        signals,
    }
}

/// Whether a VM should run now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Yes.
    Running,
    /// It should, but is halted since the service was last stopped.
    Restarted,
    /// No, and who decided.
    Stopped(&'static str),
    /// Not known.
    Unknown(UnknownReason, &'static str),
}

/// The instance of a VM.
#[derive(Debug, Clone, Copy)]
enum Instance<'a> {
    There(&'a VirtualMachineInstance),
    Absent,
    Unread(UnknownReason),
}

fn instance<'a>(view: &View<'a>, vm: &VirtualMachine) -> Instance<'a> {
    let vmis = &view.inventory.vmis;
    match (vmis.items.iter().find(|vmi| vmi.metadata.name == vm.metadata.name), vmis.missing) {
        (Some(vmi), _) => Instance::There(vmi),
        (None, Some(reason)) => Instance::Unread(reason),
        (None, None) => Instance::Absent,
    }
}

/// Whether a VM should run now: by its run strategy, and for halted ones by what the service is meant to do.
#[must_use]
pub fn wanted(view: &View, vm: &VirtualMachine) -> Wanted {
    match by_spec(view, vm) {
        Wanted::Stopped(HALTED) => {}
        decided => return decided,
    }
    if view.lifecycle.intent != Intent::Started {
        return Wanted::Stopped(HALTED);
    }
    if vm.metadata.annotations.contains_key(ORIGINAL_RUN_STRATEGY) {
        return Wanted::Restarted;
    }
    let vms = &view.inventory.vms;
    let others: Vec<Wanted> = vms.items.iter().map(|other| by_spec(view, other)).collect();
    if others.contains(&Wanted::Running) {
        return Wanted::Stopped(HALTED);
    }
    let undecided = others.iter().filter_map(|other| match other {
        Wanted::Unknown(reason, _) => Some(*reason),
        Wanted::Running | Wanted::Restarted | Wanted::Stopped(_) => None,
    });
    match vms.missing.or(undecided.min()) {
        Some(reason) => Wanted::Unknown(reason, "halted; whether any other VM should run is not known"),
        None => Wanted::Restarted,
    }
}

const HALTED: &str = "halted";

fn by_spec(view: &View, vm: &VirtualMachine) -> Wanted {
    if vm.metadata.deletion_timestamp.is_some() {
        return Wanted::Stopped("being deleted");
    }
    let strategy = match (vm.spec.run_strategy.as_deref(), vm.spec.running) {
        (Some(strategy), _) => strategy,
        (None, Some(true)) => "Always",
        (None, Some(false)) => "Halted",
        (None, None) => return Wanted::Unknown(UnknownReason::UnrecognizedState, "neither running nor runStrategy is set"),
    };
    let on_instance = |absent: Wanted, ended: &'static str| match instance(view, vm) {
        Instance::There(vmi) if vmi.status.phase == "Succeeded" => Wanted::Stopped(ended),
        Instance::There(_) => Wanted::Running,
        Instance::Absent => absent,
        Instance::Unread(reason) => Wanted::Unknown(reason, "its run strategy depends on its instance, which was not read"),
    };
    match strategy {
        "Always" => Wanted::Running,
        "Halted" => Wanted::Stopped(HALTED),
        "Manual" => on_instance(Wanted::Stopped("stopped by its user"), "shut down by its user"),
        "Once" => on_instance(Wanted::Running, "finished its only run"),
        "RerunOnFailure" => on_instance(Wanted::Running, "its guest shut itself down"),
        "WaitAsReceiver" => Wanted::Stopped("waits to receive a migration"),
        _ => Wanted::Unknown(UnknownReason::UnrecognizedState, "its run strategy is not known"),
    }
}

/// Instances that belong to no VM object: they count for themselves.
fn bare_instances<'a>(view: &View<'a>) -> impl Iterator<Item = &'a VirtualMachineInstance> {
    let vmis = view.inventory.vmis.items.iter();
    vmis.filter(|vmi| !vmi.metadata.owner_references.iter().any(|owner| owner.kind == "VirtualMachine"))
}

fn vm_exists(view: &View) -> Observation {
    let (vms, vmis) = (&view.inventory.vms, &view.inventory.vmis);
    let is_there =
        |name: &str| vms.items.iter().any(|vm| vm.metadata.name == name) || bare_instances(view).any(|vmi| vmi.metadata.name == name);
    let missing = vms.missing.or(vmis.missing);
    if view.declared.vms.is_empty() {
        let there = vms.items.iter().map(|vm| vm_member(vm, Known::True));
        let bare = bare_instances(view).map(|vmi| vmi_member(vmi, Known::True));
        return any(there.chain(bare).collect(), missing, Value::Bool(false));
    }
    let declared = view.declared.vms.iter().map(|name| Judged {
        kind: "VirtualMachine",
        name: name.clone(),
        state: match missing {
            _ if is_there(name) => Known::True,
            Some(reason) => Known::Unknown(reason, "declared; VMs were not read".to_owned(), None),
            None => Known::False("declared, does not exist".to_owned()),
        },
    });
    all(declared.collect(), None, Value::Bool(false))
}

fn vmi_running(view: &View) -> Observation {
    let inventory = view.inventory;
    let vms = inventory.vms.items.iter().map(|vm| vm_member(vm, judge(view, vm)));
    let bare = bare_instances(view).map(|vmi| vmi_member(vmi, judge_bare(view, vmi)));
    let members: Vec<Judged> = vms.chain(bare).collect();
    let empty = if members.is_empty() {
        Value::Bool(false)
    } else {
        Value::Unknown(UnknownReason::IntentionallyStopped)
    };
    all(members, inventory.vms.missing.or(inventory.vmis.missing), empty)
}

fn judge(view: &View, vm: &VirtualMachine) -> Known {
    let state = match wanted(view, vm) {
        Wanted::Stopped(who) => return Known::Excluded(who.to_owned()),
        Wanted::Unknown(reason, why) => return Known::Unknown(reason, why.to_owned(), None),
        Wanted::Restarted => restarted(view),
        Wanted::Running => running(view, vm),
    };
    unless_stopped(view, state)
}

fn judge_bare(view: &View, vmi: &VirtualMachineInstance) -> Known {
    if vmi.metadata.deletion_timestamp.is_some() {
        return Known::Excluded("being deleted".to_owned());
    }
    if vmi.status.phase == "Succeeded" {
        return Known::Excluded("finished".to_owned());
    }
    unless_stopped(view, instance_state(view, vmi, ""))
}

/// A service that is meant to be stopped has no VM that fails to run.
fn unless_stopped(view: &View, state: Known) -> Known {
    match state {
        Known::False(detail) | Known::Unknown(UnknownReason::Progressing, detail, _) if view.lifecycle.intent == Intent::Stopped => {
            Known::Unknown(UnknownReason::IntentionallyStopped, detail, None)
        }
        state => state,
    }
}

/// Halted although the service was started: right after the start that is still under way.
fn restarted(view: &View) -> Known {
    let until = view.lifecycle.since.map(|since| since + thresholds::START_GRACE);
    match until {
        Some(until) if view.now >= until => Known::False("halted although the service was started".to_owned()),
        _ => Known::Unknown(UnknownReason::Progressing, "waits to be started by the platform".to_owned(), until),
    }
}

/// Printable statuses after which waiting cannot help.
const BROKEN: [&str; 7] = [
    "CrashLoopBackOff",
    "ErrorUnschedulable",
    "ErrorPvcNotFound",
    "ErrorDataVolumeNotFound",
    "DataVolumeError",
    "ErrImagePull",
    "ImagePullBackOff",
];

fn running(view: &View, vm: &VirtualMachine) -> Known {
    let printable = vm.status.printable_status.as_str();
    let words = || with_message(printable, &vm.status.conditions);
    if BROKEN.contains(&printable) {
        return Known::False(words());
    }
    match instance(view, vm) {
        Instance::There(vmi) => instance_state(view, vmi, printable),
        Instance::Unread(reason) => Known::Unknown(reason, "its instance was not read".to_owned(), None),
        Instance::Absent => {
            let started = view.lifecycle.since.filter(|_| view.lifecycle.intent == Intent::Started);
            let detail = if printable.is_empty() {
                "no instance".to_owned()
            } else {
                format!("no instance, {}", words())
            };
            settling(view, vm.metadata.creation_timestamp.max(started), detail)
        }
    }
}

fn instance_state(view: &View, vmi: &VirtualMachineInstance, printable: &str) -> Known {
    let phase = vmi.status.phase.as_str();
    let created = vmi.metadata.creation_timestamp;
    let entered = || {
        let transitions = vmi.status.phase_transition_timestamps.iter();
        transitions
            .filter(|it| it.phase == phase)
            .filter_map(|it| it.phase_transition_timestamp)
            .max()
    };
    let words = || {
        let mut words = format!("instance in phase {}", if phase.is_empty() { "unset" } else { phase });
        if !printable.is_empty() && printable != phase {
            words = format!("{words}, {printable}");
        }
        with_message(&words, &vmi.status.conditions)
    };
    if let Some(deleted) = vmi.metadata.deletion_timestamp {
        return settling(view, Some(deleted), "its instance is being stopped".to_owned());
    }
    match phase {
        "Running" => match pause(vmi) {
            Some(Pause::Error(why)) => Known::False(format!("paused: {why}")),
            Some(Pause::Person | Pause::Migration) | None => Known::True,
        },
        "Failed" => Known::False(words()),
        "" | "Pending" | "Scheduling" | "Scheduled" | "WaitingForSync" => settling(view, created, words()),
        "Succeeded" => settling(view, entered().or(created), words()),
        "Unknown" => {
            let until = entered().map(|at| at + thresholds::VMI_NODE_LOST);
            match until {
                Some(until) if view.now >= until => Known::False("instance in phase Unknown, its node does not answer".to_owned()),
                _ => Known::Unknown(UnknownReason::Progressing, "instance in phase Unknown".to_owned(), until),
            }
        }
        _ => Known::Unknown(UnknownReason::UnrecognizedState, words(), None),
    }
}

/// Under way until the settle budget after `since` is spent. What has no age gets no budget.
fn settling(view: &View, since: Option<DateTime<Utc>>, detail: String) -> Known {
    match since.map(|since| since + view.settle.of(Stage::VmRuntimeReady)) {
        Some(until) if view.now < until => Known::Unknown(UnknownReason::Progressing, detail, Some(until)),
        _ => Known::False(detail),
    }
}

/// `words`, and what the first condition that complains has to say.
fn with_message(words: &str, conditions: &[Condition]) -> String {
    let complaint = |kind: &str, status: &str| condition(conditions, kind).filter(|it| it.status == status && !it.message.is_empty());
    let complaint = complaint("Failure", "True")
        .or_else(|| complaint("PodScheduled", "False"))
        .or_else(|| complaint("Synchronized", "False"))
        .or_else(|| complaint("DataVolumesReady", "False"))
        .or_else(|| complaint("Ready", "False"));
    complaint.map_or_else(|| words.to_owned(), |it| format!("{words}: {}", clip(&it.message, 160)))
}

/// Why an instance is paused.
enum Pause {
    /// The hypervisor stopped it: disk or memory trouble.
    Error(String),
    /// Somebody paused it.
    Person,
    /// A live migration holds it for a moment.
    Migration,
}

/// Why the instance is paused, if it is. Reasons that we do not know count as a person's: a warning, not a failure.
fn pause(vmi: &VirtualMachineInstance) -> Option<Pause> {
    let paused = condition(&vmi.status.conditions, "Paused").filter(|paused| paused.is_true())?;
    let text = format!("{} {}", paused.reason, paused.message);
    let lower = text.to_lowercase();
    Some(if lower.contains("migrationmonitor") || lower.contains("migration monitor") {
        Pause::Migration
    } else if ["ioerror", "i/o error", "io error", "error", "failed"]
        .iter()
        .any(|word| lower.contains(word))
    {
        Pause::Error(clip(text.trim(), 160).to_owned())
    } else {
        Pause::Person
    })
}

fn no_paused_vmis(view: &View) -> Observation {
    let vmis = &view.inventory.vmis;
    let members = vmis.items.iter().map(|vmi| {
        let state = match pause(vmi) {
            None => Known::True,
            Some(Pause::Error(why)) => Known::False(format!("paused: {why}")),
            Some(Pause::Person) => Known::False("paused by a person".to_owned()),
            Some(Pause::Migration) => Known::Unknown(UnknownReason::Progressing, "paused by a live migration".to_owned(), None),
        };
        vmi_member(vmi, state)
    });
    all(members.collect(), vmis.missing, Value::Bool(true))
}

/// A fact: some instance is paused because of an error.
fn vmi_paused_on_error(view: &View) -> Observation {
    let vmis = &view.inventory.vmis;
    let members = vmis.items.iter().map(|vmi| {
        let state = match pause(vmi) {
            Some(Pause::Error(why)) => Known::False(why),
            Some(Pause::Person | Pause::Migration) | None => Known::True,
        };
        vmi_member(vmi, state)
    });
    super::quantify::negated(all(members.collect(), vmis.missing, Value::Bool(true)))
}

/// A fact worth a warning: no guest with `RerunOnFailure` has shut itself down.
fn no_guest_shutdowns(view: &View) -> Observation {
    let (vms, vmis) = (&view.inventory.vms, &view.inventory.vmis);
    let reruns = vms
        .items
        .iter()
        .filter(|vm| vm.spec.run_strategy.as_deref() == Some("RerunOnFailure"));
    let members = reruns.map(|vm| {
        let state = match instance(view, vm) {
            Instance::There(vmi) if vmi.status.phase == "Succeeded" => Known::False("its guest shut itself down".to_owned()),
            Instance::There(_) | Instance::Absent => Known::True,
            Instance::Unread(reason) => Known::Unknown(reason, "its instance was not read".to_owned(), None),
        };
        vm_member(vm, state)
    });
    all(members.collect(), vms.missing.or(vmis.missing), Value::Bool(true))
}

/// `judge` over every running instance that is known to have an agent.
fn over_running(view: &View, judge: impl Fn(&View, &VirtualMachineInstance) -> Known) -> Observation {
    let vmis = &view.inventory.vmis;
    let running = vmis
        .items
        .iter()
        .filter(|vmi| vmi.status.phase == "Running" && vmi.metadata.deletion_timestamp.is_none());
    let members = running.map(|vmi| vmi_member(vmi, judge(view, vmi)));
    all(members.collect(), vmis.missing, Value::Unknown(UnknownReason::AgentNotExpected))
}

const NO_AGENT: &str = "no guest agent has ever connected";

fn agent(view: &View, vmi: &VirtualMachineInstance) -> Known {
    let detail = || "its guest agent is gone".to_owned();
    match condition(&vmi.status.conditions, "AgentConnected") {
        Some(agent) if agent.is_true() => Known::True,
        Some(agent) => away(view, agent, detail()),
        // KubeVirt drops the condition when the agent goes; what the agent once told stays.
        None if !vmi.status.guest_os_info.name.is_empty() => Known::False(detail()),
        None => Known::Excluded(NO_AGENT.to_owned()),
    }
}

fn guest_os(view: &View, vmi: &VirtualMachineInstance) -> Known {
    match condition(&vmi.status.conditions, "AgentConnected") {
        Some(agent) if agent.is_true() && vmi.status.guest_os_info.name.is_empty() => {
            away(view, agent, "its guest agent does not name the operating system".to_owned())
        }
        Some(agent) if agent.is_true() => Known::True,
        Some(_) => Known::Excluded("its guest agent is gone".to_owned()),
        None => Known::Excluded(NO_AGENT.to_owned()),
    }
}

/// Not there since the condition changed: a guest that reboots gets a moment.
fn away(view: &View, agent: &Condition, detail: String) -> Known {
    match agent.last_transition_time.map(|at| at + thresholds::GUEST_AGENT_AWAY) {
        Some(until) if view.now < until => Known::Unknown(UnknownReason::Progressing, detail, Some(until)),
        _ => Known::False(detail),
    }
}

/// Texts about the failing VMs: what KubeVirt prints, their launcher pods, events about VM and instance.
fn signals(view: &View, running: &Observation) -> Vec<Signal> {
    let mut signals = Signals::default();
    for member in running.failing.iter().take(MAX_MEMBERS) {
        signals.member(member);
        let mut launchers: Vec<&Pod> = view
            .inventory
            .pods
            .items
            .iter()
            .filter(|pod| pods::home(pod) == pods::Home::Machine && !pods::is_ready(pod))
            .filter(|pod| pods::owner(pod).is_some_and(|owner| owner.name == member.name))
            .collect();
        launchers.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        for pod in launchers {
            signals.pod(view, pod);
        }
        signals.events_where(view, |kind, name| {
            matches!(kind, "VirtualMachine" | "VirtualMachineInstance") && name == member.name
        });
    }
    signals.finish()
}

fn vm_member(vm: &VirtualMachine, state: Known) -> Judged {
    Judged {
        kind: "VirtualMachine",
        name: vm.metadata.name.clone(),
        state,
    }
}

fn vmi_member(vmi: &VirtualMachineInstance, state: Known) -> Judged {
    Judged {
        kind: "VirtualMachineInstance",
        name: vmi.metadata.name.clone(),
        state,
    }
}

#[cfg(test)]
mod tests;
