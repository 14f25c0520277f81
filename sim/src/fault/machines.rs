//! Faults of virtual machines and of storage.

use serde_json::{Value, json};

use super::{Repair, Wound};
use crate::{
    clock::stamp,
    control::{derive::should_run, machines::unschedulable},
    kinds::Kind,
    objects::{Condition, Site, condition_status, machine, name, set_condition, storage, text},
};

impl Wound<'_> {
    /// A machine that should run; the last by name, so that judging only the first is noticed.
    fn machine(&self) -> Option<Value> {
        self.values(Kind::VirtualMachine).into_iter().rfind(should_run)
    }

    /// Takes the instance of a machine down with its launcher.
    fn power_off(&mut self, machine_name: &str) {
        self.drop_object(Kind::VirtualMachineInstance, machine_name);
        for pod in self
            .values(Kind::Pod)
            .iter()
            .filter(|pod| text(pod, "/metadata/labels/vm.kubevirt.io~1name") == machine_name)
        {
            self.drop_object(Kind::Pod, name(pod));
        }
    }

    pub(super) fn lose_disk(&mut self) -> bool {
        let Some(machine) = self.machine() else {
            return false;
        };
        let machine_name = name(&machine).to_owned();
        let volume = format!("{machine_name}-root");
        let message = format!("DataVolume {volume} not found");
        self.report(
            &machine,
            "Warning",
            "FailedDataVolumeCreate",
            &message,
            "virtualmachine-controller",
            12,
        );
        // Without a template nothing makes the disk anew.
        self.change(Kind::VirtualMachine, machine, |machine| {
            if let Some(spec) = machine.get_mut("spec").and_then(Value::as_object_mut) {
                spec.remove("dataVolumeTemplates");
            }
        });
        self.power_off(&machine_name);
        self.drop_object(Kind::DataVolume, &volume);
        self.drop_object(Kind::PersistentVolumeClaim, &volume);
        true
    }

    /// Stops the clone of a disk in a phase.
    pub(super) fn stop_clone(&mut self, phase: &str) -> bool {
        let Some(machine) = self.machine() else {
            return false;
        };
        let machine_name = name(&machine).to_owned();
        let volume_name = format!("{machine_name}-root");
        self.power_off(&machine_name);
        self.drop_object(Kind::DataVolume, &volume_name);
        self.drop_object(Kind::PersistentVolumeClaim, &volume_name);
        let mut site = Site {
            draw: &mut self.state.draw,
            namespace: self.namespace,
            at: self.since,
        };
        let mut volume = storage::data_volume(&mut site, &volume_name, "40Gi", Some(&machine));
        let mut claim = storage::claim_of_volume(&mut site, &volume);
        volume["status"] = json!({});
        storage::set_volume_phase(&mut volume, phase, 37, self.since);
        volume["metadata"]["annotations"]["cdi.kubevirt.io/storage.pod.stalled"] = json!("true");
        claim["status"] = json!({"phase": "Pending"});
        let (reason, message) = if phase == "Failed" {
            ("CloneFailed", "Unable to clone: source volume not found")
        } else {
            ("ErrorResizeFailed", "clone has made no progress")
        };
        self.report(&volume, "Warning", reason, message, "datavolume-pvc-clone-controller", 7);
        self.state.store.put(Kind::DataVolume, volume, self.now);
        self.state.store.put(Kind::PersistentVolumeClaim, claim, self.now);
        self.repairs.extend([
            Repair::Remove(Kind::DataVolume, volume_name.clone()),
            Repair::Remove(Kind::PersistentVolumeClaim, volume_name),
        ]);
        true
    }

    pub(super) fn lose_volume(&mut self) -> bool {
        let Some(claim) = self.values(Kind::PersistentVolumeClaim).into_iter().next() else {
            return false;
        };
        self.report(
            &claim,
            "Warning",
            "ClaimLost",
            "Bound claim has lost its PersistentVolume. Data on the volume is lost!",
            "persistentvolume-controller",
            1,
        );
        self.change(Kind::PersistentVolumeClaim, claim, |claim| {
            claim["status"] = json!({"phase": "Lost"})
        });
        true
    }

    pub(super) fn delete_machines(&mut self) -> bool {
        let machines = self.values(Kind::VirtualMachine);
        let any = !machines.is_empty();
        // The disks stay: they are orphaned before their owners go.
        for mut volume in self.values(Kind::DataVolume) {
            if let Some(metadata) = volume.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("ownerReferences");
            }
            self.state.store.put(Kind::DataVolume, volume, self.now);
        }
        for machine in machines {
            self.power_off(name(&machine));
            self.take(Kind::VirtualMachine, machine);
        }
        any
    }

    /// A running instance, the last by name.
    fn instance(&self, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        self.values(Kind::VirtualMachineInstance)
            .into_iter()
            .rfind(|instance| text(instance, "/status/phase") == "Running" && wanted(instance))
    }

    pub(super) fn pause(&mut self, reason: &str, message: &str) -> bool {
        let Some(mut instance) = self.instance(|instance| condition_status(instance, "Paused").is_none()) else {
            return false;
        };
        machine::set_paused(&mut instance, Some((reason, message)), self.since);
        self.repairs.push(Repair::Unpause(name(&instance).to_owned()));
        self.report(
            &instance,
            if reason == "PausedIOError" { "Warning" } else { "Normal" },
            reason,
            message,
            "virt-handler",
            1,
        );
        self.state.store.put(Kind::VirtualMachineInstance, instance, self.now);
        true
    }

    pub(super) fn lose_agent(&mut self) -> bool {
        let Some(mut instance) = self.instance(|instance| condition_status(instance, "AgentConnected") == Some("True")) else {
            return false;
        };
        machine::set_agent(&mut instance, false, self.since);
        self.repairs.push(Repair::Reconnect(name(&instance).to_owned()));
        self.state.store.put(Kind::VirtualMachineInstance, instance, self.now);
        true
    }

    pub(super) fn crash_machine(&mut self) -> bool {
        let Some(mut instance) = self.instance(|_| true) else {
            return false;
        };
        let instance_name = name(&instance).to_owned();
        machine::set_phase(&mut instance, "Failed", None, self.since);
        self.report(
            &instance,
            "Warning",
            "Stopped",
            "The VirtualMachineInstance crashed.",
            "virt-handler",
            1,
        );
        self.power_off(&instance_name);
        self.state.store.put(Kind::VirtualMachineInstance, instance, self.now);
        self.repairs.push(Repair::Remove(Kind::VirtualMachineInstance, instance_name));
        true
    }

    pub(super) fn find_no_node_for_machine(&mut self) -> bool {
        let Some(machine) = self.machine() else {
            return false;
        };
        let machine_name = name(&machine).to_owned();
        self.power_off(&machine_name);
        let mut site = Site {
            draw: &mut self.state.draw,
            namespace: self.namespace,
            at: self.since,
        };
        let mut instance = machine::instance(&mut site, &machine);
        let mut launcher = machine::launcher(&mut site, &instance);
        machine::set_phase(&mut instance, "Pending", None, self.since);
        machine::set_phase(&mut instance, "Scheduling", None, self.since);
        let state = unschedulable();
        crate::objects::pod::set_state(&mut launcher, &state, self.since, &mut self.state.draw);
        let message = text(&launcher, "/status/conditions/0/message").to_owned();
        set_condition(
            &mut instance,
            Condition {
                sort: "PodScheduled",
                status: false,
                reason: "Unschedulable",
                message: &message,
            },
            self.since,
        );
        instance["metadata"]["creationTimestamp"] = json!(stamp(self.since));
        self.state.store.put(Kind::VirtualMachineInstance, instance, self.now);
        self.state.store.put(Kind::Pod, launcher, self.now);
        self.afflict(&machine_name, state);
        self.repairs.push(Repair::Remove(Kind::VirtualMachineInstance, machine_name));
        true
    }
}
