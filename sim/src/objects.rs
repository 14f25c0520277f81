//! Builders of healthy objects, as the platform and its operators write them, and the states they can be put in.
//!
//! Each builder takes a [`Site`] (whose namespace, when) and returns the object as JSON, ready for the store.

pub(crate) mod machine;
pub(crate) mod model;
pub(crate) mod network;
pub(crate) mod platform;
pub(crate) mod pod;
pub(crate) mod storage;
pub(crate) mod workload;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::{clock::stamp, draw::Draw, kinds::Kind};

/// Where and when an object comes into being.
pub(crate) struct Site<'a> {
    pub(crate) draw: &'a mut Draw,
    /// Empty for cluster-scoped objects.
    pub(crate) namespace: &'a str,
    pub(crate) at: DateTime<Utc>,
}

impl Site<'_> {
    /// An object of a kind with its metadata; `fields` are merged in beside it.
    pub(crate) fn object(&mut self, kind: Kind, name: &str, labels: &Value, fields: Value) -> Value {
        let info = kind.info();
        let mut metadata = json!({"name": name, "uid": self.draw.uid(), "creationTimestamp": stamp(self.at)});
        if info.namespaced {
            metadata["namespace"] = json!(self.namespace);
        }
        if labels.as_object().is_some_and(|labels| !labels.is_empty()) {
            metadata["labels"] = labels.clone();
        }
        if fields.get("spec").is_some() {
            metadata["generation"] = json!(1);
        }
        let mut object = json!({"apiVersion": info.api_version(), "kind": info.kind, "metadata": metadata});
        if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
            object.extend(fields);
        }
        object
    }
}

/// A reference to the controller of an object.
pub(crate) fn owner_of(owner: &Value) -> Value {
    json!([{"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true}])
}

/// The string at a pointer, empty when there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The number at a pointer, or `default`.
pub(crate) fn number(object: &Value, pointer: &str, default: i64) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(default)
}

/// The array at a pointer, empty when there is none.
pub(crate) fn array<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Name of an object.
pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// Uid of an object.
pub(crate) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// Whether an object is being deleted.
pub(crate) fn is_leaving(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some()
}

/// Whether the controller of an object has this uid.
pub(crate) fn is_owned_by(object: &Value, owner_uid: &str) -> bool {
    array(object, "/metadata/ownerReferences")
        .iter()
        .any(|owner| owner["uid"] == owner_uid)
}

/// Whether labels hold all of a selector's pairs. An empty selector selects nothing, as in a Service.
pub(crate) fn selects(selector: Option<&Map<String, Value>>, labels: Option<&Map<String, Value>>) -> bool {
    let selector = selector.filter(|selector| !selector.is_empty());
    selector.is_some_and(|selector| {
        selector
            .iter()
            .all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
    })
}

/// A condition: its type, status, reason and message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition<'a> {
    pub(crate) sort: &'a str,
    pub(crate) status: bool,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
}

/// The status of a condition in a list of them.
pub(crate) fn condition_status<'a>(object: &'a Value, sort: &str) -> Option<&'a str> {
    array(object, "/status/conditions")
        .iter()
        .find(|condition| condition["type"] == sort)
        .and_then(|condition| condition["status"].as_str())
}

/// Sets a condition in `status.conditions`; its transition time moves only when its status does.
pub(crate) fn set_condition(object: &mut Value, wanted: Condition<'_>, at: DateTime<Utc>) {
    if !object.pointer("/status/conditions").is_some_and(Value::is_array) {
        object["status"]["conditions"] = json!([]);
    }
    let status = if wanted.status { "True" } else { "False" };
    let Some(conditions) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut) else {
        return;
    };
    let before = conditions.iter().position(|condition| condition["type"] == wanted.sort);
    let same = |condition: &Value| {
        condition["status"] == status && text(condition, "/reason") == wanted.reason && text(condition, "/message") == wanted.message
    };
    if before.and_then(|index| conditions.get(index)).is_some_and(same) {
        return;
    }
    let since = before
        .and_then(|index| conditions.get(index))
        .filter(|condition| condition["status"] == status);
    let since = since.map_or_else(|| json!(stamp(at)), |condition| condition["lastTransitionTime"].clone());
    let mut condition = json!({"type": wanted.sort, "status": status, "lastTransitionTime": since});
    if !wanted.reason.is_empty() {
        condition["reason"] = json!(wanted.reason);
    }
    if !wanted.message.is_empty() {
        condition["message"] = json!(wanted.message);
    }
    match before.and_then(|index| conditions.get_mut(index)) {
        Some(place) => *place = condition,
        None => conditions.push(condition),
    }
}

/// Removes a condition.
pub(crate) fn drop_condition(object: &mut Value, sort: &str) {
    if let Some(conditions) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut) {
        conditions.retain(|condition| condition["type"] != sort);
    }
}

/// What an event says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    /// `Normal` or `Warning`.
    pub(crate) sort: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
    /// Component that reports: `kubelet`, `default-scheduler`.
    pub(crate) from: &'a str,
    pub(crate) count: i64,
}

impl Site<'_> {
    /// An event about an object, seen from `first` until the site's time.
    pub(crate) fn event(&mut self, about: &Value, first: DateTime<Utc>, report: Report<'_>) -> Value {
        let involved = json!({"apiVersion": about["apiVersion"], "kind": about["kind"], "name": about["metadata"]["name"],
            "namespace": self.namespace, "uid": about["metadata"]["uid"], "resourceVersion": about["metadata"]["resourceVersion"]});
        let event_name = format!("{}.{:016x}", name(about), self.draw.seed.bits());
        let host = text(about, "/spec/nodeName");
        let source = if host.is_empty() {
            json!({"component": report.from})
        } else {
            json!({"component": report.from, "host": host})
        };
        self.object(
            Kind::Event,
            &event_name,
            &Value::Null,
            json!({"involvedObject": involved, "type": report.sort, "reason": report.reason, "message": report.message, "count": report.count,
                "firstTimestamp": stamp(first), "lastTimestamp": stamp(self.at), "eventTime": null, "source": source,
                "reportingComponent": report.from, "reportingInstance": host}),
        )
    }
}
