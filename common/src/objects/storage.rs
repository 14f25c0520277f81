//! Data volumes and claims.

use serde::{Deserialize, Serialize};

use super::meta::{Condition, Meta, null_is_default};

/// A CDI DataVolume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataVolume {
    /// Identity and owner.
    pub metadata: Meta,
    /// Phase and progress.
    #[serde(deserialize_with = "null_is_default")]
    pub status: DataVolumeStatus,
}

/// Status of a DataVolume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the CDI status field of that name")]
pub struct DataVolumeStatus {
    pub phase: String,
    /// A percentage such as `40.0%`, or `N/A`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub progress: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub conditions: Vec<Condition>,
}

/// A PersistentVolumeClaim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PersistentVolumeClaim {
    /// Identity, owner, garbage-collection annotation.
    pub metadata: Meta,
    /// Storage class.
    #[serde(deserialize_with = "null_is_default")]
    pub spec: ClaimSpec,
    /// Phase.
    #[serde(deserialize_with = "null_is_default")]
    pub status: ClaimStatus,
}

/// Spec of a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "each field is the Kubernetes spec field of that name")]
pub struct ClaimSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_name: Option<String>,
}

/// Status of a claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimStatus {
    /// `Pending`, `Bound` or `Lost`.
    pub phase: String,
}
