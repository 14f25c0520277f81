//! One AgnosticVComponent or AgnosticVRepo, from the control plane's JSON to what is kept of it.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::definition;
use crate::objects::meta::null_is_default;
use crate::provisioning::ObjectRef;
use crate::provisioning::catalog::Component;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire<'a> {
    #[serde(deserialize_with = "null_is_default")]
    metadata: Meta,
    #[serde(borrow)]
    spec: Spec<'a>,
    #[serde(deserialize_with = "null_is_default")]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    uid: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec<'a> {
    agnosticv_repo: Option<String>,
    path: Option<String>,
    pull_request_number: Option<i64>,
    #[serde(borrow)]
    definition: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    catalog_item: Option<Target>,
    resource_provider: Option<Target>,
    anarchy_governor: Option<Target>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Target {
    namespace: Option<String>,
    name: Option<String>,
}

impl Target {
    fn named(self) -> Option<ObjectRef> {
        Some(ObjectRef {
            namespace: self.namespace.unwrap_or_default(),
            name: self.name.filter(|name| !name.is_empty())?,
        })
    }
}

/// Reads one component, borrowing its definition from `object`.
///
/// # Errors
/// What is wrong with it, without any of its text: that may be a secret.
pub(super) fn component(object: &str) -> Result<Component, String> {
    let Wire { metadata, spec, status } = serde_json::from_str(object).map_err(|error| place(&error))?;
    if metadata.uid.is_empty() || metadata.name.is_empty() {
        return Err("it has no metadata.uid or no metadata.name".to_owned());
    }
    let Some(raw) = spec.definition else {
        return Err("it has no spec.definition; the AgnosticV operator has not merged it".to_owned());
    };
    let Some(definition) = definition::read(raw) else {
        return Err("its spec.definition is no mapping".to_owned());
    };
    Ok(Component {
        uid: metadata.uid,
        name: metadata.name,
        repo: spec.agnosticv_repo.unwrap_or_default(),
        path: spec.path.unwrap_or_default(),
        pull_request: spec.pull_request_number,
        catalog_item: status.catalog_item.and_then(Target::named),
        provider: status.resource_provider.and_then(Target::named),
        governor: status.anarchy_governor.and_then(Target::named),
        asset_uuid: definition.asset_uuid,
        constraints: definition.constraints,
    })
}

/// A repository whose configuration no longer reaches the catalog.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stuck {
    /// Name of the AgnosticVRepo.
    pub name: String,
    /// What the operator says, not yet redacted.
    pub message: String,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
}

/// Reads one repository: `None` when it is updated as it should be.
///
/// # Errors
/// As [`component`].
pub(super) fn repository(object: &str) -> Result<Option<Stuck>, String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Repo {
        #[serde(deserialize_with = "null_is_default")]
        metadata: Meta,
        #[serde(deserialize_with = "null_is_default")]
        status: RepoStatus,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct RepoStatus {
        error: Option<RepoError>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct RepoError {
        message: Option<String>,
        timestamp: Option<String>,
    }
    let Repo { metadata, status } = serde_json::from_str(object).map_err(|error| place(&error))?;
    let Some(error) = status.error else { return Ok(None) };
    Ok(Some(Stuck {
        name: metadata.name,
        message: error.message.unwrap_or_default(),
        since: error.timestamp.and_then(|time| time.parse().ok()),
    }))
}

/// Where JSON is not what it must be. What serde says beside the place may quote the text.
pub(super) fn place(error: &serde_json::Error) -> String {
    let what = if error.is_data() {
        "a field has another type than it must have"
    } else {
        "it is broken JSON"
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_component_is_its_place_its_products_and_its_demands() {
        let object = json!({
            "metadata": {"uid": "u1", "name": "acme-labs.mesh.prod", "namespace": "babylon-config"},
            "spec": {"agnosticvRepo": "labs", "path": "ACME_LABS/MESH/prod.yaml", "definition": {"cloud_provider": "none"}},
            "status": {"catalogItem": {"namespace": "catalog-prod", "name": "acme-labs.mesh.prod", "uid": "x"}, "anarchyGovernor": {"name": ""}},
        });
        let read = component(&object.to_string()).unwrap();
        assert_eq!(
            (read.uid.as_str(), read.name.as_str(), read.path.as_str()),
            ("u1", "acme-labs.mesh.prod", "ACME_LABS/MESH/prod.yaml")
        );
        assert_eq!(read.catalog_item.unwrap().to_string(), "catalog-prod/acme-labs.mesh.prod");
        assert_eq!(read.governor, None);
    }

    #[test]
    fn what_is_wrong_is_told_without_its_text() {
        for (object, told) in [
            (
                json!({"metadata": {"uid": "u", "name": "n"}, "spec": {}}).to_string(),
                "no spec.definition",
            ),
            (
                json!({"metadata": {"uid": "u"}, "spec": {"definition": {}}}).to_string(),
                "no metadata.name",
            ),
            (
                json!({"metadata": {"uid": "u", "name": "n"}, "spec": {"definition": "planted"}}).to_string(),
                "is no mapping",
            ),
            (
                json!({"metadata": {"uid": "u", "name": "n"}, "spec": "planted"}).to_string(),
                "another type",
            ),
            ("{\"metadata\": planted".to_owned(), "broken JSON"),
        ] {
            let error = component(&object).unwrap_err();
            assert!(error.contains(told) && !error.contains("planted"), "{error}");
        }
    }

    #[test]
    fn a_repository_without_an_error_is_fine() {
        assert_eq!(repository(r#"{"metadata":{"name":"labs"},"status":{}}"#).unwrap(), None);
        let stuck = repository(r#"{"metadata":{"name":"labs"},"status":{"error":{"message":"no","timestamp":"2026-11-23T08:00:00Z"}}}"#);
        assert_eq!(stuck.unwrap().unwrap().since, Some("2026-11-23T08:00:00Z".parse().unwrap()));
    }
}
