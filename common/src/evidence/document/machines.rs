//! Machines, their disks, and models.

use super::{condition, object};
use crate::expr::{Type, Value};
use crate::objects::meta::{self, Condition};
use crate::objects::{DataVolume, InferenceService, PersistentVolumeClaim, VirtualMachine, VirtualMachineInstance};
use crate::unknown::UnknownReason;

object! {
    pub(super) static PVC for PersistentVolumeClaim as "PersistentVolumeClaim", "A claim of storage.";
    "phase": Type::Text, "Pending, Bound or Lost." => |it, _| Value::text_if_set(&it.status.phase);
    "bound": Type::Bool, "Whether its phase is Bound." => |it, _| Value::Bool(it.status.phase == "Bound");
    "storage_class": Type::Text, "Its storage class." => |it, _| Value::or_absent(it.spec.storage_class_name.as_deref(), Value::text);
}

object! {
    pub(super) static DATA_VOLUME for DataVolume as "DataVolume", "A disk that is copied or imported.";
    "phase": Type::Text, "For example CloneInProgress or Succeeded." => |it, _| Value::text_if_set(&it.status.phase);
    "progress_percent": Type::Double, "How much is copied; absent while nobody says." => |it, _| percent(&it.status.progress);
}

/// `40.0%` as a number; `N/A` says nothing.
fn percent(text: &str) -> Value<'_> {
    match text.strip_suffix('%').map(str::parse::<f64>) {
        Some(Ok(number)) if number.is_finite() => Value::Double(number),
        Some(_) => Value::Unknown(UnknownReason::ParseError),
        None => Value::ABSENT,
    }
}

object! {
    pub(super) static VM for VirtualMachine as "VirtualMachine", "A virtual machine, whether it runs or not.";
    "status": Type::Text, "What KubeVirt prints, for example Running, Stopped or ErrorUnschedulable." => |it, _| Value::text_if_set(&it.status.printable_status);
    "run_strategy": Type::Text, "For example Always or Halted; absent where the older field `running` is used."
        => |it, _| Value::or_absent(it.spec.run_strategy.as_deref(), Value::text);
    "running_wanted": Type::Bool, "The older field `running`; absent where a run strategy is used." => |it, _| Value::or_absent(it.spec.running, Value::Bool);
    "ready": Type::Bool, "Condition Ready." => |it, _| condition(&it.status.conditions, "Ready");
}

object! {
    pub(super) static VMI for VirtualMachineInstance as "VirtualMachineInstance", "A virtual machine that runs.";
    "phase": Type::Text, "For example Scheduling, Running or Failed." => |it, _| Value::text_if_set(&it.status.phase);
    "node": Type::Text, "Node that it runs on." => |it, _| Value::or_absent(it.status.node_name.as_deref(), Value::text);
    "ready": Type::Bool, "Condition Ready." => |it, _| condition(&it.status.conditions, "Ready");
    "paused": Type::Bool, "Whether its condition Paused is true." => |it, _| is_true(&it.status.conditions, "Paused");
    "agent_connected": Type::Bool, "Whether its condition AgentConnected is true." => |it, _| is_true(&it.status.conditions, "AgentConnected");
    "guest_os": Type::Text, "Name of the guest's system, from its agent." => |it, _| Value::text_if_set(&it.status.guest_os_info.name);
}

/// A condition that KubeVirt takes away when it no longer holds.
fn is_true<'v>(conditions: &[Condition], kind: &str) -> Value<'v> {
    Value::Bool(meta::condition(conditions, kind).is_some_and(Condition::is_true))
}

object! {
    pub(super) static MODEL for InferenceService as "InferenceService", "A model that is served.";
    "ready": Type::Bool, "Condition Ready." => |it, _| condition(&it.status.conditions, "Ready");
    "url": Type::Text, "Where it answers." => |it, _| Value::or_absent(it.status.url.as_deref(), Value::text);
    "model_state": Type::Text, "State of the active model, for example Loaded." => |it, _| Value::text_if_set(&it.status.model_status.states.active_model_state);
    "target_model_state": Type::Text, "State of the model that is coming." => |it, _| Value::text_if_set(&it.status.model_status.states.target_model_state);
}
