//! Virtual machines, their instances and their launcher pods.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Condition, Site, drop_condition, name, owner_of,
    pod::{self, Container},
    set_condition, text,
};
use crate::{clock::stamp, kinds::Kind};

/// A virtual machine with one disk; it should run. `os` decides whether its guest has an agent: `rhel` has one.
pub(crate) fn machine(site: &mut Site<'_>, machine_name: &str, volume: &str, os: &str, memory: &str) -> Value {
    let labels = json!({"app": machine_name, "kubevirt.io/domain": machine_name});
    let disk = |disk_name: &str| json!({"name": disk_name, "disk": {"bus": "virtio"}});
    let template = json!({
        "metadata": {"creationTimestamp": null, "labels": labels, "annotations": {"vm.kubevirt.io/os": os}},
        "spec": {
            "architecture": "amd64", "hostname": machine_name, "evictionStrategy": "LiveMigrate", "terminationGracePeriodSeconds": 180,
            "domain": {"cpu": {"cores": 2, "sockets": 1, "threads": 1}, "memory": {"guest": memory}, "machine": {"type": "pc-q35-rhel9.4.0"},
                "devices": {"disks": [disk(volume), disk("cloudinitdisk")], "interfaces": [{"name": "default", "masquerade": {}, "model": "virtio"}]}, "resources": {}},
            "networks": [{"name": "default", "pod": {}}],
            "volumes": [{"name": volume, "dataVolume": {"name": volume}}, {"name": "cloudinitdisk", "cloudInitNoCloud": {"networkDataBase64": "bmV0d29yazogMg=="}}],
        },
    });
    let volume_template = json!({"metadata": {"name": volume, "creationTimestamp": null}, "spec": {
        "pvc": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "40Gi"}}, "volumeMode": "Block"},
        "source": {"pvc": {"name": "rhel-10-golden", "namespace": "cnv-images"}}}});
    let spec = json!({"runStrategy": "Always", "dataVolumeTemplates": [volume_template], "template": template});
    let mut object = site.object(Kind::VirtualMachine, machine_name, &labels, json!({"spec": spec}));
    object["metadata"]["finalizers"] = json!(["kubevirt.io/virtualMachineControllerFinalize"]);
    object
}

/// Whether the guest of a machine runs an agent.
pub(crate) fn has_agent(machine_or_instance: &Value) -> bool {
    let of_machine = text(machine_or_instance, "/spec/template/metadata/annotations/vm.kubevirt.io~1os");
    let of_instance = text(machine_or_instance, "/metadata/annotations/vm.kubevirt.io~1os");
    of_machine == "rhel" || of_instance == "rhel"
}

/// The instance of a machine, just created; see [`set_phase`].
pub(crate) fn instance(site: &mut Site<'_>, machine: &Value) -> Value {
    let template = &machine["spec"]["template"];
    let mut object = site.object(
        Kind::VirtualMachineInstance,
        name(machine),
        &template["metadata"]["labels"],
        json!({"spec": template["spec"]}),
    );
    object["metadata"]["annotations"] = template["metadata"]["annotations"].clone();
    object["metadata"]["annotations"]["kubevirt.io/vm-generation"] = json!("1");
    object["metadata"]["finalizers"] = json!(["kubevirt.io/virtualMachineControllerFinalize", "foregroundDeleteVirtualMachine"]);
    object["metadata"]["ownerReferences"] = owner_of(machine);
    object
}

/// The pod that runs an instance.
pub(crate) fn launcher(site: &mut Site<'_>, instance: &Value) -> Value {
    let labels = json!({"kubevirt.io": "virt-launcher", "kubevirt.io/created-by": instance["metadata"]["uid"],
        "vm.kubevirt.io/name": instance["metadata"]["name"], "app": instance["metadata"]["labels"]["app"],
        "kubevirt.io/domain": instance["metadata"]["labels"]["kubevirt.io/domain"]});
    let compute = Container {
        requests: ("200m", "4560Mi"),
        ..Container::new("compute", "registry.example.test/cnv/virt-launcher-rhel9:v4.20", None)
    };
    let template = pod::template(&labels, &[], &[compute], &[]);
    let pod_name = format!("virt-launcher-{}-{}", name(instance), site.draw.suffix());
    let mut object = pod::from_template(site, &template, &pod_name, Some(instance));
    object["metadata"]["generateName"] = json!(format!("virt-launcher-{}-", name(instance)));
    object["metadata"]["annotations"]["kubevirt.io/domain"] = instance["metadata"]["name"].clone();
    object
}

/// Puts an instance into a phase since `at`; `launcher` is its pod, once there is one.
pub(crate) fn set_phase(instance: &mut Value, phase: &str, launcher: Option<&Value>, at: DateTime<Utc>) {
    let mut history = instance
        .pointer("/status/phaseTransitionTimestamps")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if text(instance, "/status/phase") != phase {
        history.push(json!({"phase": phase, "phaseTransitionTimestamp": stamp(at)}));
    }
    let conditions = instance.pointer("/status/conditions").cloned().unwrap_or_else(|| json!([]));
    let mut status = json!({"phase": phase, "phaseTransitionTimestamps": history, "conditions": conditions, "guestOSInfo": {}, "qosClass": "Burstable",
        "runtimeUser": 107, "virtualMachineRevisionName": format!("revision-start-vm-{}-1", super::uid(instance))});
    if let Some(launcher) = launcher.filter(|_| phase == "Running" || phase == "Scheduled") {
        let (node, address) = (&launcher["spec"]["nodeName"], pod::address_of(launcher));
        status["nodeName"] = node.clone();
        status["activePods"] = json!({super::uid(launcher): node});
        status["migrationMethod"] = json!("LiveMigration");
        status["interfaces"] = json!([{"name": "default", "ipAddress": address, "ipAddresses": [address], "mac": "0a:58:0a:82:26:82",
            "podInterfaceName": "eth0", "infoSource": "domain", "linkState": "up", "queueCount": 1}]);
    }
    instance["status"] = status;
    let running = phase == "Running";
    let reason = if running { "" } else { "GuestNotRunning" };
    let message = if running { "" } else { "Guest VM is not reported as running" };
    set_condition(
        instance,
        Condition {
            sort: "Ready",
            status: running,
            reason,
            message,
        },
        at,
    );
    if running {
        set_condition(
            instance,
            Condition {
                sort: "LiveMigratable",
                status: true,
                reason: "",
                message: "",
            },
            at,
        );
        let message = "All of the VMI's DVs are bound and ready";
        set_condition(
            instance,
            Condition {
                sort: "DataVolumesReady",
                status: true,
                reason: "AllDVsReady",
                message,
            },
            at,
        );
    }
}

/// Connects the guest agent of an instance, or loses it.
pub(crate) fn set_agent(instance: &mut Value, connected: bool, at: DateTime<Utc>) {
    if connected {
        set_condition(
            instance,
            Condition {
                sort: "AgentConnected",
                status: true,
                reason: "",
                message: "",
            },
            at,
        );
        instance["status"]["guestOSInfo"] = json!({"id": "rhel", "name": "Red Hat Enterprise Linux", "version": "10.0", "kernelRelease": "6.12.0-55.el10.x86_64",
            "prettyName": "Red Hat Enterprise Linux 10.0 (Coughlan)", "machine": "x86_64"});
    } else {
        drop_condition(instance, "AgentConnected");
        instance["status"]["guestOSInfo"] = json!({});
    }
}

/// Pauses an instance for a reason, or unpauses it. A paused instance keeps its phase.
pub(crate) fn set_paused(instance: &mut Value, reason: Option<(&str, &str)>, at: DateTime<Utc>) {
    match reason {
        Some((reason, message)) => set_condition(
            instance,
            Condition {
                sort: "Paused",
                status: true,
                reason,
                message,
            },
            at,
        ),
        None => drop_condition(instance, "Paused"),
    }
}

/// A whole running instance with its pod, as after a boot that ended before `site.at`.
pub(crate) fn running(site: &mut Site<'_>, machine: &Value) -> (Value, Value) {
    let mut instance = instance(site, machine);
    let mut launcher = launcher(site, &instance);
    let at = site.at;
    pod::set_state(&mut launcher, &pod::PodState::Ready, at + TimeDelta::seconds(8), site.draw);
    for (phase, seconds) in [("Pending", 0), ("Scheduling", 1), ("Scheduled", 8), ("Running", 12)] {
        set_phase(&mut instance, phase, Some(&launcher), at + TimeDelta::seconds(seconds));
    }
    if has_agent(&instance) {
        set_agent(&mut instance, true, at + TimeDelta::seconds(40));
    }
    (instance, launcher)
}
