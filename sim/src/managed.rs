//! `metadata.managedFields` as the API server keeps them: who wrote which field. A third of what a pod weighs on the wire.

use serde_json::{Map, Value, json};

use crate::objects::text;

/// Adds managed fields to an object: its creator for metadata and spec, its controller for the status.
pub(crate) fn add(object: &mut Value) {
    let is_pod = object["kind"] == "Pod";
    let (creator, reporter) = if is_pod {
        ("kube-controller-manager", "kubelet")
    } else {
        ("kubectl-client-side-apply", "kube-controller-manager")
    };
    let created = text(object, "/metadata/creationTimestamp").to_owned();
    let mut written = Map::new();
    let mut metadata = fields_of(object.get("metadata").unwrap_or(&Value::Null));
    if let Some(fields) = metadata.as_object_mut() {
        fields.retain(|field, _| {
            matches!(
                field.as_str(),
                "f:labels" | "f:annotations" | "f:generateName" | "f:ownerReferences"
            )
        });
    }
    written.insert("f:metadata".to_owned(), metadata);
    for field in ["spec", "data", "endpoints", "ports", "subsets"] {
        if let Some(value) = object.get(field) {
            written.insert(format!("f:{field}"), fields_of(value));
        }
    }
    let api_version = object["apiVersion"].clone();
    let entry = |manager: &str, fields: Value| json!({"manager": manager, "operation": "Update", "apiVersion": api_version, "time": created, "fieldsType": "FieldsV1", "fieldsV1": fields});
    let mut entries = vec![entry(creator, Value::Object(written))];
    if let Some(status) = object.get("status") {
        let mut entry = entry(reporter, json!({"f:status": fields_of(status)}));
        entry["subresource"] = json!("status");
        entries.push(entry);
    }
    if let Some(fields) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        fields.insert("managedFields".to_owned(), Value::Array(entries));
    }
}

/// The set of fields of a value: `f:` names for fields, `k:` keys for list members that have a name.
fn fields_of(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (format!("f:{name}"), fields_of(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(members) => {
            let mut keyed = Map::new();
            for member in members {
                let key = ["name", "type", "ip", "uid", "mountPath"]
                    .into_iter()
                    .find_map(|key| Some(json!({key: member.get(key)?})));
                let Some(key) = key else {
                    return json!({});
                };
                let mut fields = fields_of(member);
                if let Some(fields) = fields.as_object_mut() {
                    fields.insert(".".to_owned(), json!({}));
                }
                keyed.insert(format!("k:{key}"), fields);
            }
            keyed.into()
        }
        _ => json!({}),
    }
}
