//! Virtual machines and their running instances.

use serde::{Deserialize, Serialize};

use super::meta::{Condition, Meta, null_is_default};
use super::workload::ClaimRef;

/// A KubeVirt VirtualMachine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VirtualMachine {
    /// Identity and the original-run-strategy annotation.
    pub metadata: Meta,
    /// Whether it should run, and on which volumes.
    #[serde(deserialize_with = "null_is_default")]
    pub spec: VmSpec,
    /// What KubeVirt prints about it.
    #[serde(deserialize_with = "null_is_default")]
    pub status: VmStatus,
}

/// Spec of a VM. `running` and `run_strategy` exclude each other; live labs use both styles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the KubeVirt spec field of that name")]
pub struct VmSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_strategy: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub data_volume_templates: Vec<DataVolumeTemplate>,
    #[serde(deserialize_with = "null_is_default")]
    pub template: VmTemplate,
}

/// A DataVolume that the VM makes for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataVolumeTemplate {
    /// Its name.
    pub metadata: Meta,
}

/// `spec.template` of a VM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the KubeVirt field of that name")]
pub struct VmTemplate {
    #[serde(deserialize_with = "null_is_default")]
    pub metadata: Meta,
    #[serde(deserialize_with = "null_is_default")]
    pub spec: VmTemplateSpec,
}

/// `spec.template.spec` of a VM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the KubeVirt field of that name")]
pub struct VmTemplateSpec {
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub volumes: Vec<VmVolume>,
    #[serde(skip_serializing_if = "Domain::is_empty", deserialize_with = "null_is_default")]
    pub domain: Domain,
}

/// How large a VM is: what is written in it. One that follows an instance type says nothing here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the KubeVirt field of that name")]
pub struct Domain {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<DomainCpu>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<DomainMemory>,
}

/// `domain.cpu`: its cores are the product; what is absent is 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the KubeVirt field of that name")]
pub struct DomainCpu {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sockets: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<i64>,
}

/// `domain.memory`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainMemory {
    /// A quantity, such as `64Gi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<String>,
}

impl Domain {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Cores that the guest sees, if the VM says so.
    #[must_use]
    pub fn cores(&self) -> Option<i64> {
        let DomainCpu { cores, sockets, threads } = self.cpu.as_ref()?;
        let given = [cores, sockets, threads];
        given
            .iter()
            .any(|part| part.is_some())
            .then(|| given.iter().map(|part| part.unwrap_or(1)).product())
    }
}

/// A volume of a VM, as far as it names stored disks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the KubeVirt field of that name")]
pub struct VmVolume {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_volume: Option<DataVolumeRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<ClaimRef>,
}

/// A reference to a DataVolume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataVolumeRef {
    /// Its name.
    pub name: String,
}

/// Status of a VM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the KubeVirt status field of that name")]
pub struct VmStatus {
    pub printable_status: String,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
}

/// A KubeVirt VirtualMachineInstance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VirtualMachineInstance {
    /// Identity and owner.
    pub metadata: Meta,
    /// Phase, conditions, guest.
    #[serde(deserialize_with = "null_is_default")]
    pub status: VmiStatus,
}

/// Status of a VMI.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the KubeVirt status field of that name")]
pub struct VmiStatus {
    pub phase: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
    #[serde(rename = "guestOSInfo", deserialize_with = "null_is_default")]
    pub guest_os_info: GuestOsInfo,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub phase_transition_timestamps: Vec<PhaseTransition>,
}

/// What the guest agent says of the guest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the KubeVirt status field of that name")]
pub struct GuestOsInfo {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// When a VMI entered a phase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the KubeVirt status field of that name")]
pub struct PhaseTransition {
    pub phase: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_transition_timestamp: Option<chrono::DateTime<chrono::Utc>>,
}
