//! The Sandbox API: placements, and the clusters they go to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Record, RecordKind};

/// One placement of one resource. Source: rhdp-contracts 4.3. Credentials are never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Placement {
    /// `name` of the resource: unique.
    pub name: String,
    /// `service_uuid`.
    pub service_uuid: String,
    /// `annotations.guid`.
    pub guid: String,
    /// `ocp_cluster`: the Sandbox API's name of the cluster.
    pub cluster: String,
    /// `api_url`.
    pub api_url: String,
    /// `namespace`.
    pub namespace: String,
    /// There is no namespace to look at.
    pub no_namespace: bool,
    /// `status`, as received.
    pub status: String,
    /// `error_message`, redacted and shortened.
    pub error: String,
    /// `to_cleanup`.
    pub to_cleanup: bool,
    /// `cleanup_count`.
    pub cleanup_count: i64,
    /// `created_at`.
    pub created_at: Option<DateTime<Utc>>,
    /// `updated_at`.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Record for Placement {
    const KIND: RecordKind = RecordKind::Placement;

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// How one shared cluster stands in the Sandbox API: from its metrics, and its configuration where that may be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxCluster {
    /// Its name there. The row `*` is the Sandbox API as a whole.
    pub name: String,
    /// `api_url`, where the configuration may be read.
    pub api_url: String,
    /// Whether placements go there.
    pub valid: Option<bool>,
    /// Connection status there.
    pub connection: String,
    /// `max_placements`.
    pub max_placements: Option<i64>,
    /// `data.current_placement_count`: placements that are there.
    pub placements: Option<i64>,
    /// `data.available_slots`: placements that still fit; none when there is no limit, too.
    pub slots_free: Option<i64>,
    /// `sandbox_ratelimit_max`.
    pub rate_limit: Option<i64>,
    /// `sandbox_ratelimit_provision_count`.
    pub rate_used: Option<i64>,
    /// `sandbox_ratelimit_available_slots`.
    pub rate_free: Option<i64>,
    /// `sandbox_queued_placements_total`; only of the whole.
    pub queued_placements: Option<i64>,
    /// `sandbox_queued_resources_total`; only of the whole.
    pub queued_resources: Option<i64>,
    /// Version of the Sandbox API; only of the whole.
    pub version: String,
    /// Whether the authenticated health check answered 200; only of the whole.
    pub healthy: Option<bool>,
    /// Replicas that are ready, of its Deployment; only of the whole.
    pub replicas_ready: Option<i64>,
    /// Replicas there should be; only of the whole.
    pub replicas_wanted: Option<i64>,
}

impl Record for SandboxCluster {
    const KIND: RecordKind = RecordKind::SandboxCluster;

    fn key(&self) -> String {
        self.name.clone()
    }
}
