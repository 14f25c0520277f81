//! What the Sandbox API answers, as far as it is read. Resources carry credentials, configurations carry tokens and kubeconfigs: none of
//! these is named here, so none is ever decoded. Source: rhdp-contracts 4.1 and 4.3.

use chrono::{DateTime, Datelike as _, Utc};
use serde::Deserialize;

use crate::objects::Problem;
use crate::provisioning::placement::Placement;
use crate::sources::http::json_error;
use crate::sources::redact;

/// Characters that are kept of an error and of a name.
const ERROR: usize = 500;
const NAME: usize = 300;

/// The answer to a login. No `Debug`: it is a secret.
#[derive(Deserialize)]
pub(super) struct RawLogin {
    pub(super) access_token: Option<String>,
    pub(super) access_token_exp: Option<String>,
}

/// The version. Its shape is not documented: read if it is there.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawVersion {
    pub(super) version: Option<String>,
}

/// A resource of the kind `OcpSandbox`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawResource {
    name: Option<String>,
    kind: Option<String>,
    service_uuid: Option<String>,
    ocp_cluster: Option<String>,
    namespace: Option<String>,
    status: Option<String>,
    error_message: Option<String>,
    api_url: Option<String>,
    annotations: Option<RawAnnotations>,
    no_namespace: Option<bool>,
    cleanup_count: Option<i64>,
    to_cleanup: Option<bool>,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
}

/// Of the annotations only what names no person.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawAnnotations {
    guid: Option<String>,
}

impl RawResource {
    pub(super) fn is_other_kind(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind != "OcpSandbox")
    }

    pub(super) fn placement(self) -> Result<Placement, Problem> {
        let short = |text: Option<String>| redact::shorten(text.unwrap_or_default().trim(), NAME);
        let name = short(self.name);
        let refused = |detail: &str| Problem {
            subject: format!("sandbox-api: placement {name}").trim_end().to_owned(),
            detail: detail.to_owned(),
        };
        if name.is_empty() {
            return Err(refused("it has no name"));
        }
        let status = short(self.status);
        if status.is_empty() {
            return Err(refused("it has no status; what is stored of it stays as it is"));
        }
        Ok(Placement {
            service_uuid: short(self.service_uuid),
            guid: short(self.annotations.unwrap_or_default().guid),
            cluster: short(self.ocp_cluster),
            api_url: redact::url(&self.api_url.unwrap_or_default(), NAME),
            namespace: short(self.namespace),
            no_namespace: self.no_namespace == Some(true),
            status,
            error: redact::text(&self.error_message.unwrap_or_default(), ERROR),
            to_cleanup: self.to_cleanup == Some(true),
            cleanup_count: self.cleanup_count.unwrap_or_default(),
            created_at: real(self.created_at),
            updated_at: real(self.updated_at),
            name,
        })
    }
}

/// A time that was never set comes as the year 1.
fn real(time: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    time.filter(|time| time.year() > 1970)
}

/// The configuration of a shared cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct RawConfiguration {
    pub(super) name: Option<String>,
    pub(super) valid: Option<bool>,
    pub(super) api_url: Option<String>,
    pub(super) max_placements: Option<i64>,
    pub(super) data: Option<RawData>,
}

/// How that cluster stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct RawData {
    pub(super) current_placement_count: Option<i64>,
    pub(super) available_slots: Option<i64>,
    pub(super) connection_status: Option<String>,
}

impl RawConfiguration {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, without its values.
    pub(super) fn read(json: &str) -> Result<Self, String> {
        let raw: Self = serde_json::from_str(json)
            .map_err(|error| format!("a configuration of a cluster is not understood: {}", json_error(&error)))?;
        if raw.name.as_deref().unwrap_or_default().trim().is_empty() {
            return Err("a configuration of a cluster has no name".into());
        }
        Ok(raw)
    }
}
