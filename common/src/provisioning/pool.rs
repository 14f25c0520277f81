//! Poolboy: pools, handles, claims and providers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Names, ObjectRef, Record, RecordKind};

/// One ResourcePool. Source: rhdp-contracts 2.2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResourcePool {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.creationTimestamp`.
    pub created_at: Option<DateTime<Utc>>,
    /// `metadata.deletionTimestamp`.
    pub deleting_since: Option<DateTime<Utc>>,
    /// `spec.minAvailable`.
    pub min_available: i64,
    /// `spec.maxUnready`; none: no cap.
    pub max_unready: Option<i64>,
    /// `spec.deleteUnhealthyResourceHandles`.
    pub deletes_unhealthy: bool,
    /// `spec.lifespan.unclaimed`, in seconds.
    pub unclaimed_lifespan_s: Option<i64>,
    /// `spec.provider.name` and `spec.resources[].provider.name`.
    pub providers: Vec<String>,
    /// `status.resourceHandleCount.available`: all unclaimed handles, in any condition.
    pub available: Option<i64>,
    /// `status.resourceHandleCount.ready`.
    pub ready: Option<i64>,
    /// `status.resourceHandles`: unclaimed handles.
    pub unclaimed: Vec<HandleCondition>,
}

/// How an unclaimed handle stands, as its pool says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HandleCondition {
    /// Its name.
    pub name: String,
    /// None: not yet known.
    pub healthy: Option<bool>,
    /// None: not yet known.
    pub ready: Option<bool>,
}

impl Record for ResourcePool {
    const KIND: RecordKind = RecordKind::ResourcePool;

    fn key(&self) -> String {
        self.uid.clone()
    }
}

/// One ResourceHandle. Source: rhdp-contracts 2.4.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceHandle {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`: `guid-` and the guid.
    pub name: String,
    /// `metadata.creationTimestamp`.
    pub created_at: Option<DateTime<Utc>>,
    /// `metadata.deletionTimestamp`.
    pub deleting_since: Option<DateTime<Utc>>,
    /// `spec.resourceClaim`; none: unclaimed.
    pub claim: Option<ObjectRef>,
    /// `spec.resourcePool`, else the pool label.
    pub pool: Option<ObjectRef>,
    /// `spec.provider.name` and `spec.resources[].provider.name`.
    pub providers: Vec<String>,
    /// `spec.lifespan.end`.
    pub ends_at: Option<DateTime<Utc>>,
    /// `status.healthy`.
    pub healthy: Option<bool>,
    /// `status.ready`.
    pub ready: Option<bool>,
    /// `status.resources[].reference`, or the deprecated one in the spec: its AnarchySubjects.
    pub subjects: Vec<ObjectRef>,
    /// `status.resources[].waitingFor`, without repetition.
    pub waiting_for: Vec<String>,
}

impl ResourceHandle {
    /// The guid that its name carries.
    #[must_use]
    pub fn guid(&self) -> Option<&str> {
        self.name.strip_prefix("guid-")
    }
}

impl Record for ResourceHandle {
    const KIND: RecordKind = RecordKind::ResourceHandle;

    fn key(&self) -> String {
        self.uid.clone()
    }
}

/// One ResourceClaim. Source: rhdp-contracts 2.5 and 3.2. `status.resources[].state` and `status.summary.provision_data` are never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceClaim {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.creationTimestamp`.
    pub created_at: Option<DateTime<Utc>>,
    /// `metadata.deletionTimestamp`.
    pub deleting_since: Option<DateTime<Utc>>,
    /// `status.resourceHandle`; none: not bound.
    pub handle: Option<ObjectRef>,
    /// `status.resourceHandle.detached`: kept as a record only.
    pub detached: bool,
    /// `status.healthy`.
    pub healthy: Option<bool>,
    /// `status.ready`.
    pub ready: Option<bool>,
    /// `status.summary.state`: the worst of all resources.
    pub state: String,
    /// `status.approval.state`.
    pub approval: String,
    /// Names of resources with a `validationError`, and how many provider errors: it will never provision.
    pub validation_errors: usize,
    /// `spec.lifespan.start`: a scheduled order.
    pub starts_at: Option<DateTime<Utc>>,
    /// `status.lifespan.end`.
    pub ends_at: Option<DateTime<Utc>>,
    /// `status.lifespan.firstReady`.
    pub first_ready_at: Option<DateTime<Utc>>,
    /// Labels `catalogItemNamespace` and `catalogItemName`: what was ordered.
    pub catalog_item: Option<ObjectRef>,
    /// Label `gpte.redhat.com/asset-uuid`.
    pub asset_uuid: String,
    /// Labels `workshop`, `workshop-id`, `workshop-provision`, and the locks, by their full name.
    pub labels: Names,
    /// Annotations `purpose` and `purpose-activity`, by their full name.
    pub annotations: Names,
}

impl Record for ResourceClaim {
    const KIND: RecordKind = RecordKind::ResourceClaim;

    fn key(&self) -> String {
        self.uid.clone()
    }
}

/// Labels of claims that are kept, by their full name. Source: rhdp-contracts 3.2.
pub const CLAIM_LABELS: [&str; 5] = [
    "babylon.gpte.redhat.com/workshop",
    "babylon.gpte.redhat.com/workshop-id",
    "babylon.gpte.redhat.com/workshop-uid",
    "babylon.gpte.redhat.com/workshop-provision",
    "demo.redhat.com/white-glove",
];

/// One ResourceProvider. Source: rhdp-contracts 2.6.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceProvider {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`: the component.
    pub name: String,
    /// `spec.disableCreation`.
    pub disabled: bool,
    /// `spec.approval.required`.
    pub needs_approval: bool,
    /// Labels `catalogItemNamespace` and `catalogItemName`.
    pub catalog_item: Option<ObjectRef>,
    /// `spec.linkedResourceProviders[].name`.
    pub linked: Vec<String>,
}

impl Record for ResourceProvider {
    const KIND: RecordKind = RecordKind::ResourceProvider;

    fn key(&self) -> String {
        self.uid.clone()
    }
}
