//! What can be ordered and how orders are grouped: catalog items, workshops, AgnosticV components with their constraints.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ObjectRef, Record, RecordKind, Window};

/// One CatalogItem. Source: rhdp-contracts 3.1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogItem {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`: `account.item.stage`.
    pub name: String,
    /// `spec.displayName`.
    pub display_name: String,
    /// `spec.category`.
    pub category: String,
    /// Label `babylon.gpte.redhat.com/stage`.
    pub stage: String,
    /// Label `babylon.gpte.redhat.com/disabled`.
    pub disabled: bool,
    /// Label `gpte.redhat.com/asset-uuid`.
    pub asset_uuid: String,
    /// `status.id` in the annotation `babylon.gpte.redhat.com/ops`, such as `under-maintenance`.
    pub ops_status: String,
    /// `spec.provisionTimeEstimate`, in seconds.
    pub provision_estimate_s: Option<i64>,
    /// `spec.multiuser`.
    pub multiuser: bool,
    /// `spec.workshopUserMode`: `multi`, `single`, `none`.
    pub workshop_user_mode: String,
    /// `spec.externalUrl` is set: nothing to provision.
    pub external: bool,
    /// `spec.lastUpdate.git.hash`.
    pub git_revision: String,
    /// `spec.linkedComponents[].name`.
    pub linked: Vec<String>,
}

impl Record for CatalogItem {
    const KIND: RecordKind = RecordKind::CatalogItem;

    fn key(&self) -> String {
        self.uid.clone()
    }
}

/// One Workshop. Source: rhdp-contracts 3.3. The access password and the assignments of users are never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workshop {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.deletionTimestamp`.
    pub deleting_since: Option<DateTime<Utc>>,
    /// `spec.displayName`.
    pub display_name: String,
    /// Label `babylon.gpte.redhat.com/workshop-id`.
    pub workshop_id: String,
    /// Label `babylon.gpte.redhat.com/multiworkshop`.
    pub multi_workshop: String,
    /// Label `demo.redhat.com/lock-enabled`.
    pub locked: bool,
    /// `spec.provisionDisabled`.
    pub provision_disabled: bool,
    /// `spec.actionSchedule`.
    pub schedule: Window,
    /// `spec.lifespan.start` and `.end`.
    pub lifespan: Window,
    /// `spec.lifespan.readyBy`.
    pub ready_by: Option<DateTime<Utc>>,
    /// `status.provisionCount.ordered`, `.active`, `.failed`.
    pub ordered: Option<i64>,
    /// Working orders.
    pub active: Option<i64>,
    /// Failed orders.
    pub failed: Option<i64>,
    /// `status.userCount.total`.
    pub seats: Option<i64>,
    /// `status.userCount.assigned`.
    pub seats_assigned: Option<i64>,
    /// `status.workshopURL`.
    pub url: String,
}

impl Record for Workshop {
    const KIND: RecordKind = RecordKind::Workshop;

    fn key(&self) -> String {
        self.uid.clone()
    }
}

/// One WorkshopProvision. Source: rhdp-contracts 3.4.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkshopProvision {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `spec.workshopName`, in the same namespace.
    pub workshop: String,
    /// `spec.catalogItem`.
    pub catalog_item: Option<ObjectRef>,
    /// `spec.count`.
    pub count: Option<i64>,
    /// `spec.concurrency`.
    pub concurrency: Option<i64>,
    /// `spec.resourcePool`: a name, or `disabled`.
    pub pool: String,
    /// `status.resourceClaimCount`.
    pub claims: Option<i64>,
    /// `status.activeCount`.
    pub active: Option<i64>,
    /// `status.failedCount`.
    pub failed: Option<i64>,
    /// `status.provisioningCount`.
    pub provisioning: Option<i64>,
}

impl Record for WorkshopProvision {
    const KIND: RecordKind = RecordKind::WorkshopProvision;

    fn key(&self) -> String {
        self.uid.clone()
    }
}

/// One AgnosticVComponent: its place in the repository, what was made of it, and what it demands. Source: rhdp-contracts 3.6 and 7.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Component {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.name`: `account.item.stage`.
    pub name: String,
    /// `spec.agnosticvRepo`.
    pub repo: String,
    /// `spec.path`.
    pub path: String,
    /// `spec.pullRequestNumber`.
    pub pull_request: Option<i64>,
    /// `status.catalogItem`.
    pub catalog_item: Option<ObjectRef>,
    /// `status.resourceProvider`.
    pub provider: Option<ObjectRef>,
    /// `status.anarchyGovernor`.
    pub governor: Option<ObjectRef>,
    /// `__meta__.asset_uuid`.
    pub asset_uuid: String,
    /// What the merged definition demands.
    pub constraints: Constraints,
}

impl Record for Component {
    const KIND: RecordKind = RecordKind::Component;

    fn key(&self) -> String {
        self.uid.clone()
    }
}

/// What an item's merged definition demands of what runs. Source: rhdp-contracts 7.3 and 7.4, readiness-domain 7.4. A value that is a
/// template is [`Wanted::Dynamic`]: never evaluated, never compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constraints {
    /// `cloud_provider`.
    pub cloud_provider: Wanted,
    /// `config`, else `env_type`.
    pub config: Wanted,
    /// `workloads` and `infra_workloads`: exact role names.
    pub workloads: Vec<String>,
    /// `requirements_content.collections[]`: name to version.
    pub collections: BTreeMap<String, String>,
    /// `worker_instance_count`.
    pub worker_count: Option<i64>,
    /// Cores a worker, where it is declared.
    pub worker_cores: Option<i64>,
    /// Memory a worker, in GiB, where it is declared.
    pub worker_memory_gib: Option<i64>,
    /// `host_ocp4_installer_version`, else `ocp4_installer_version`.
    pub openshift_version: Wanted,
    /// `num_users`.
    pub num_users: Option<i64>,
    /// Every key that ends in `_channel`, without templates: key to channel.
    pub channels: BTreeMap<String, String>,
    /// `ocp4_workload_showroom_content_git_repo`, without credentials.
    pub showroom_repo: Wanted,
    /// `ocp4_workload_showroom_content_git_repo_ref`.
    pub showroom_ref: Wanted,
    /// `__meta__.deployer.scm_url`, without credentials.
    pub deployer_url: Wanted,
    /// `__meta__.deployer.scm_ref`.
    pub deployer_ref: Wanted,
    /// `__meta__.tower.timeout`, in seconds.
    pub job_timeout_s: Option<i64>,
    /// `__meta__.components[].item`.
    pub components: Vec<String>,
}

/// A demanded value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Nothing is demanded.
    #[default]
    Nothing,
    /// A template, which only the deployer can evaluate.
    Dynamic,
    /// Exactly this.
    Exactly(String),
}
