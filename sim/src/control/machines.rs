//! KubeVirt and CDI: machines that should run get disks, then an instance that boots; machines that should not, lose it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Step, delete,
    derive::{disks_ready, should_run, values},
};
use crate::{
    cluster::State,
    kinds::Kind,
    objects::{
        Site, array, is_leaving, is_owned_by, machine, name, number,
        pod::{self, PodState},
        storage, text, uid,
    },
};

pub(crate) fn reconcile(state: &mut State, namespace: &str, pods: &[Value], now: DateTime<Utc>) {
    for machine in values(state, Kind::VirtualMachine, namespace, now)
        .into_iter()
        .filter(|machine| !is_leaving(machine))
    {
        make_disks(state, namespace, &machine, now);
        let instance = state.store.value(Kind::VirtualMachineInstance, namespace, name(&machine), now);
        match instance {
            None if should_run(&machine) && disks_ready(state, namespace, &machine, now) => boot(state, namespace, &machine, now),
            Some(instance) if !should_run(&machine) && machine.pointer("/spec/runStrategy") != Some(&json!("Manual")) => {
                delete(state, Kind::VirtualMachineInstance, &instance, now);
            }
            _ => {}
        }
    }
    // The launcher of an instance that leaves is shut down with it.
    let instances = values(state, Kind::VirtualMachineInstance, namespace, now);
    for pod in pods {
        let of_leaving = instances
            .iter()
            .any(|instance| is_leaving(instance) && is_owned_by(pod, uid(instance)));
        if of_leaving {
            delete(state, Kind::Pod, pod, now);
        }
    }
    // An instance whose launcher is gone has failed, and is made anew.
    for instance in instances
        .iter()
        .filter(|instance| !is_leaving(instance) && text(instance, "/status/phase") == "Running")
    {
        if !pods.iter().any(|pod| is_owned_by(pod, uid(instance)) && !is_leaving(pod)) {
            delete(state, Kind::VirtualMachineInstance, instance, now);
        }
    }
    for volume in values(state, Kind::DataVolume, namespace, now) {
        let phase = text(&volume, "/status/phase");
        if !matches!(phase, "Succeeded" | "Failed")
            && volume
                .pointer("/metadata/annotations/cdi.kubevirt.io~1storage.pod.stalled")
                .is_none()
        {
            state.later(&volume, Step::VolumeFills, now + TimeDelta::seconds(6));
        }
    }
}

/// Makes the data volumes that a machine has templates for.
fn make_disks(state: &mut State, namespace: &str, machine: &Value, now: DateTime<Utc>) {
    for template in array(machine, "/spec/dataVolumeTemplates") {
        let volume_name = name(template);
        let exists = |kind| state.store.object(kind, namespace, volume_name).is_some();
        if exists(Kind::DataVolume) || exists(Kind::PersistentVolumeClaim) {
            continue;
        }
        let size = text(template, "/spec/pvc/resources/requests/storage").to_owned();
        let mut volume = storage::data_volume(
            &mut Site {
                draw: &mut state.draw,
                namespace,
                at: now,
            },
            volume_name,
            &size,
            Some(machine),
        );
        volume["status"] = json!({});
        storage::set_volume_phase(&mut volume, "Pending", 0, now);
        let mut claim = storage::claim_of_volume(
            &mut Site {
                draw: &mut state.draw,
                namespace,
                at: now,
            },
            &volume,
        );
        claim["status"] = json!({"phase": "Pending"});
        super::pods::report(
            state,
            machine,
            now,
            "Normal",
            "SuccessfulDataVolumeCreate",
            &format!("Created DataVolume {volume_name}"),
            "virtualmachine-controller",
        );
        state.store.put(Kind::DataVolume, volume, now);
        state.store.put(Kind::PersistentVolumeClaim, claim, now);
    }
}

/// Moves a data volume forward by a step of ten seconds' cloning.
pub(crate) fn fill(state: &mut State, mut volume: Value, at: DateTime<Utc>) {
    let namespace = text(&volume, "/metadata/namespace").to_owned();
    let percent = text(&volume, "/status/progress")
        .trim_end_matches('%')
        .parse::<f64>()
        .unwrap_or(0.0);
    let next = match text(&volume, "/status/phase") {
        "Pending" => ("CloneScheduled", 0),
        "CloneScheduled" => ("CSICloneInProgress", 8),
        _ if percent >= 88.0 => ("Succeeded", 100),
        #[expect(clippy::cast_possible_truncation, reason = "a percentage")]
        _ => ("CSICloneInProgress", percent as i64 + 16),
    };
    storage::set_volume_phase(&mut volume, next.0, next.1, at);
    if next.0 == "Succeeded"
        && let Some(mut claim) = state.store.value(Kind::PersistentVolumeClaim, &namespace, name(&volume), at)
    {
        let size = text(&claim, "/spec/resources/requests/storage").to_owned();
        storage::bind(&mut claim, &size);
        state.store.put(Kind::PersistentVolumeClaim, claim, at);
    }
    state.store.put(Kind::DataVolume, volume, at);
}

/// Creates the instance of a machine and its launcher.
fn boot(state: &mut State, namespace: &str, machine: &Value, now: DateTime<Utc>) {
    let mut site = Site {
        draw: &mut state.draw,
        namespace,
        at: now,
    };
    let mut instance = machine::instance(&mut site, machine);
    let launcher = machine::launcher(&mut site, &instance);
    machine::set_phase(&mut instance, "Pending", None, now);
    let message = format!(
        "Started the virtual machine by creating the new virtual machine instance {}",
        name(machine)
    );
    super::pods::report(
        state,
        machine,
        now,
        "Normal",
        "SuccessfulCreate",
        &message,
        "virtualmachine-controller",
    );
    state.later(&instance, Step::InstanceBoots, now + TimeDelta::seconds(2));
    state.store.put(Kind::VirtualMachineInstance, instance, now);
    state.store.put(Kind::Pod, launcher, now);
}

/// Takes a step in the boot of an instance.
pub(crate) fn step(state: &mut State, mut instance: Value, step: Step, at: DateTime<Utc>) {
    let namespace = text(&instance, "/metadata/namespace").to_owned();
    if step == Step::AgentConnects {
        if machine::has_agent(&instance) && text(&instance, "/status/phase") == "Running" {
            machine::set_agent(&mut instance, true, at);
            state.store.put(Kind::VirtualMachineInstance, instance, at);
        }
        return;
    }
    let launcher = values(state, Kind::Pod, &namespace, at)
        .into_iter()
        .find(|pod| is_owned_by(pod, uid(&instance)));
    let started = launcher.as_ref().is_some_and(pod::is_ready);
    let next = match text(&instance, "/status/phase") {
        "Pending" => "Scheduling",
        "Scheduling" if started => "Scheduled",
        "Scheduled" => "Running",
        _ => "Scheduling",
    };
    machine::set_phase(&mut instance, next, launcher.as_ref(), at);
    let refused = launcher.as_ref().and_then(|pod| {
        array(pod, "/status/conditions")
            .iter()
            .find(|condition| condition["reason"] == "Unschedulable")
    });
    let unschedulable = refused.is_some();
    if let Some(refused) = refused {
        let message = text(refused, "/message");
        crate::objects::set_condition(
            &mut instance,
            crate::objects::Condition {
                sort: "PodScheduled",
                status: false,
                reason: "Unschedulable",
                message,
            },
            at,
        );
    }
    if next == "Running" {
        super::pods::report(
            state,
            &instance,
            at,
            "Normal",
            "Started",
            "VirtualMachineInstance started.",
            "virt-handler",
        );
        let generation = number(&instance, "/metadata/generation", 1);
        instance["metadata"]["generation"] = json!(generation + 1);
        state.later(&instance, Step::AgentConnects, at + TimeDelta::seconds(28));
    } else {
        let pause = TimeDelta::seconds(if unschedulable { 60 } else { 4 });
        state.later(&instance, Step::InstanceBoots, at + pause);
    }
    state.store.put(Kind::VirtualMachineInstance, instance, at);
}

/// The state that a launcher has to be in for its instance to wait.
pub(crate) fn unschedulable() -> PodState {
    PodState::Unschedulable("0/42 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/master: }, 39 Insufficient memory. preemption: 0/42 nodes are available.".to_owned())
}
