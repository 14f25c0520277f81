//! Writes with the rules of the API server: names and uids are given once, versions and preconditions are checked,
//! finalizers delay deletion, `status` is written on its own, and evictions ask the disruption budgets.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    error::ApiError,
    target::{Query, Resource},
};
use crate::{clock::stamp, cluster::State, kinds::Kind, selector::Selector};

/// How a patch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchForm {
    /// RFC 7386; strategic merge patches and applies are read the same way.
    Merge,
    /// Like a merge, but creates what is missing.
    Apply,
    /// RFC 6902.
    Json,
}

impl PatchForm {
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/merge-patch+json" | "application/strategic-merge-patch+json" => Some(Self::Merge),
            "application/apply-patch+yaml" | "application/apply-patch+json" => Some(Self::Apply),
            "application/json-patch+json" => Some(Self::Json),
            _ => None,
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn existing(state: &State, resource: &Resource, now: DateTime<Utc>) -> Result<Value, ApiError> {
    let name = resource.name.as_deref().unwrap_or_default();
    let found = state.store.value(resource.kind, &resource.namespace, name, now);
    found.ok_or_else(|| ApiError::not_found(&resource.kind.info().qualified(), name))
}

/// Creates an object in a collection.
pub(crate) fn create(
    state: &mut State,
    resource: &Resource,
    mut object: Value,
    query: &Query,
    now: DateTime<Utc>,
) -> Result<Value, ApiError> {
    let info = resource.kind.info();
    if let Some(kind) = object.get("kind").and_then(Value::as_str)
        && kind != info.kind
    {
        return Err(ApiError::bad_request(format!(
            "{kind} in the body does not match the kind of the collection, {}",
            info.kind
        )));
    }
    if !object.get("metadata").is_some_and(Value::is_object) {
        return Err(ApiError::invalid(info.kind, "", "metadata: Required value"));
    }
    object["apiVersion"] = json!(info.api_version());
    object["kind"] = json!(info.kind);
    if info.namespaced {
        let namespace = text(&object, "/metadata/namespace");
        if !namespace.is_empty() && namespace != resource.namespace {
            return Err(ApiError::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        check_namespace(state, resource, &object, now)?;
        object["metadata"]["namespace"] = json!(resource.namespace);
    }
    let generate = text(&object, "/metadata/generateName").to_owned();
    if text(&object, "/metadata/name").is_empty() {
        if generate.is_empty() {
            return Err(ApiError::invalid(
                info.kind,
                "",
                "metadata.name: Required value: name or generateName is required",
            ));
        }
        object["metadata"]["name"] = json!(format!("{generate}{}", state.draw.suffix()));
    }
    let name = text(&object, "/metadata/name").to_owned();
    let valid = name
        .chars()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter));
    if !valid || name.len() > 253 || name.starts_with(['-', '.']) || name.ends_with(['-', '.']) {
        return Err(ApiError::invalid(
            info.kind,
            &name,
            "metadata.name: Invalid value: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'",
        ));
    }
    if state.store.object(resource.kind, &resource.namespace, &name).is_some() {
        let qualified = info.qualified();
        return Err(ApiError::new(
            409,
            "AlreadyExists",
            format!("{qualified} \"{name}\" already exists"),
        ));
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for given_by_server in [
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "generation",
            "resourceVersion",
            "managedFields",
        ] {
            metadata.remove(given_by_server);
        }
    }
    if info.status
        && let Some(fields) = object.as_object_mut()
    {
        fields.remove("status");
    }
    let object = state.complete(object, now);
    if query.dry_run {
        return Ok(object);
    }
    Ok(state.store.put(resource.kind, object, now).value(now))
}

fn check_namespace(state: &State, resource: &Resource, object: &Value, now: DateTime<Utc>) -> Result<(), ApiError> {
    let namespace = state.store.value(Kind::Namespace, "", &resource.namespace, now);
    let namespace = namespace.ok_or_else(|| ApiError::not_found("namespaces", &resource.namespace))?;
    if namespace.pointer("/metadata/deletionTimestamp").is_some() && resource.kind != Kind::Event {
        let (what, name) = (resource.kind.info().qualified(), text(object, "/metadata/name"));
        let why = format!(
            "unable to create new content in namespace {} because it is being terminated",
            resource.namespace
        );
        let causes = json!([{"reason": "NamespaceTerminating", "message": why, "field": "metadata.namespace"}]);
        return Err(ApiError {
            details: json!({"causes": causes}),
            ..ApiError::new(403, "Forbidden", format!("{what} \"{name}\" is forbidden: {why}"))
        });
    }
    Ok(())
}

/// Replaces an object or its status.
pub(crate) fn update(state: &mut State, resource: &Resource, object: Value, query: &Query, now: DateTime<Utc>) -> Result<Value, ApiError> {
    let before = existing(state, resource, now)?;
    store_over(state, resource, &before, object, query, now)
}

/// Patches an object or its status.
pub(crate) fn patch(
    state: &mut State,
    resource: &Resource,
    patch: &Value,
    form: PatchForm,
    query: &Query,
    now: DateTime<Utc>,
) -> Result<Value, ApiError> {
    let before = match existing(state, resource, now) {
        Err(missing) if form == PatchForm::Apply && missing.code == 404 => {
            let mut object = patch.clone();
            object["metadata"]["name"] = json!(resource.name);
            return create(state, resource, object, query, now);
        }
        found => found?,
    };
    let name = resource.name.as_deref().unwrap_or_default();
    let mut object = before.clone();
    if form == PatchForm::Json {
        let operations: json_patch::Patch =
            serde_json::from_value(patch.clone()).map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}")))?;
        let failed = |error: json_patch::PatchError| {
            ApiError::invalid(resource.kind.info().kind, name, &format!("the patch does not apply: {error}"))
        };
        json_patch::patch(&mut object, &operations).map_err(failed)?;
    } else {
        json_patch::merge(&mut object, patch);
    }
    store_over(state, resource, &before, object, query, now)
}

/// Stores `object` in place of `before`, after the checks that every write passes.
fn store_over(
    state: &mut State,
    resource: &Resource,
    before: &Value,
    mut object: Value,
    query: &Query,
    now: DateTime<Utc>,
) -> Result<Value, ApiError> {
    let info = resource.kind.info();
    let (qualified, name) = (info.qualified(), resource.name.as_deref().unwrap_or_default());
    if !object.get("metadata").is_some_and(Value::is_object) || text(&object, "/metadata/name") != name {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({name})",
            text(&object, "/metadata/name")
        )));
    }
    let version = text(&object, "/metadata/resourceVersion");
    if !version.is_empty() && version != text(before, "/metadata/resourceVersion") {
        return Err(ApiError::conflict(
            &qualified,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        ));
    }
    let uid = text(&object, "/metadata/uid");
    if !uid.is_empty() && uid != text(before, "/metadata/uid") {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            text(before, "/metadata/uid")
        );
        return Err(ApiError::conflict(&qualified, name, &why));
    }
    // What the server gives, the client cannot change.
    for field in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "namespace",
    ] {
        restore(&mut object["metadata"], &before["metadata"], field);
    }
    if info.status {
        match resource.sub.as_deref() {
            Some("status") => {
                let status = object.get("status").cloned().unwrap_or(Value::Null);
                object = before.clone();
                object["status"] = status;
            }
            _ => restore(&mut object, before, "status"),
        }
    }
    if object.get("spec") != before.get("spec")
        && let Some(generation) = before.pointer("/metadata/generation").and_then(Value::as_i64)
    {
        object["metadata"]["generation"] = json!(generation + 1);
    }
    if query.dry_run {
        return Ok(object);
    }
    let leaving = object.pointer("/metadata/deletionTimestamp").is_some() && !has_finalizers(&object) && resource.kind != Kind::Pod;
    if leaving {
        return Ok(state.store.remove(resource.kind, &resource.namespace, name, now).unwrap_or(object));
    }
    Ok(state.store.put(resource.kind, object, now).value(now))
}

/// Gives a field the value it has in `from`, or removes it when it has none there.
fn restore(into: &mut Value, from: &Value, field: &str) {
    if let Some(fields) = into.as_object_mut() {
        match from.get(field) {
            Some(value) => fields.insert(field.to_owned(), value.clone()),
            None => fields.remove(field),
        };
    }
}

fn has_finalizers(object: &Value) -> bool {
    let listed = |pointer| {
        object
            .pointer(pointer)
            .and_then(Value::as_array)
            .is_some_and(|finalizers| !finalizers.is_empty())
    };
    // Namespaces have theirs in the spec as well.
    listed("/metadata/finalizers") || (listed("/spec/finalizers") && object["kind"] == "Namespace")
}

/// Deletes an object, or marks it as leaving while finalizers or a grace period hold it.
pub(crate) fn delete(
    state: &mut State,
    resource: &Resource,
    options: &Value,
    query: &Query,
    now: DateTime<Utc>,
) -> Result<Value, ApiError> {
    let mut object = existing(state, resource, now)?;
    let info = resource.kind.info();
    let name = resource.name.as_deref().unwrap_or_default();
    for (field, what) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let (wanted, found) = (
            text(options, &format!("/preconditions/{field}")),
            text(&object, &format!("/metadata/{field}")),
        );
        if !wanted.is_empty() && wanted != found {
            let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}");
            return Err(ApiError::conflict(&info.qualified(), name, &why));
        }
    }
    if query.dry_run || options.get("dryRun").is_some() {
        return Ok(object);
    }
    let asked_grace = options.get("gracePeriodSeconds").and_then(Value::as_i64).or(query.grace_seconds);
    let grace = match resource.kind {
        Kind::Pod if text(&object, "/spec/nodeName").is_empty() => 0,
        Kind::Pod => asked_grace.unwrap_or_else(|| {
            object
                .pointer("/spec/terminationGracePeriodSeconds")
                .and_then(Value::as_i64)
                .unwrap_or(30)
        }),
        _ => 0,
    };
    let propagation = options
        .get("propagationPolicy")
        .and_then(Value::as_str)
        .unwrap_or(&query.propagation)
        .to_owned();
    if propagation == "Orphan" {
        orphan_dependents(state, resource, text(&object, "/metadata/uid"), now);
    }
    if grace <= 0 && !has_finalizers(&object) {
        state.store.remove(resource.kind, &resource.namespace, name, now);
        let details = json!({"name": name, "group": info.group, "kind": info.plural, "uid": object["metadata"]["uid"]});
        return Ok(if resource.kind == Kind::Pod {
            object
        } else {
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
        });
    }
    if object.pointer("/metadata/deletionTimestamp").is_none() {
        object["metadata"]["deletionTimestamp"] = json!(stamp(now + TimeDelta::seconds(grace)));
        object["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
    }
    if resource.kind == Kind::Namespace {
        object["status"]["phase"] = json!("Terminating");
    }
    Ok(state.store.put(resource.kind, object, now).value(now))
}

/// Cuts the ties of what an object owned, so that it survives its owner.
fn orphan_dependents(state: &mut State, resource: &Resource, uid: &str, now: DateTime<Utc>) {
    let mut orphans = Vec::new();
    for kind in Kind::ALL.iter().filter(|kind| kind.info().namespaced) {
        for object in state.store.objects(*kind, &resource.namespace) {
            let mut value = object.value(now);
            if let Some(owners) = value.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut) {
                let count = owners.len();
                owners.retain(|owner| owner["uid"] != uid);
                if owners.len() < count {
                    orphans.push((*kind, value));
                }
            }
        }
    }
    for (kind, value) in orphans {
        state.store.put(kind, value, now);
    }
}

/// Deletes what a list with the same selectors would show.
pub(crate) fn delete_collection(
    state: &mut State,
    resource: &Resource,
    options: &Value,
    query: &Query,
    selectors: &(Selector, Selector),
    now: DateTime<Utc>,
) -> Result<Value, ApiError> {
    let (labels, fields) = selectors;
    let found: Vec<(String, String)> = state
        .store
        .objects(resource.kind, &resource.namespace)
        .filter(|object| object.matches(labels, fields))
        .map(|object| (object.namespace().to_owned(), object.name().to_owned()))
        .collect();
    for (namespace, name) in found {
        let one = Resource {
            namespace,
            name: Some(name),
            sub: None,
            kind: resource.kind,
        };
        delete(state, &one, options, query, now)?;
    }
    let info = resource.kind.info();
    Ok(
        json!({"kind": format!("{}List", info.kind), "apiVersion": info.api_version(), "metadata": {"resourceVersion": state.store.version().to_string()}, "items": []}),
    )
}

/// Reads the scale of a workload.
pub(crate) fn scale(state: &State, resource: &Resource, now: DateTime<Utc>) -> Result<Value, ApiError> {
    existing(state, resource, now).map(|object| scale_of(&object))
}

fn scale_of(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let selector: Vec<String> = object
        .pointer("/spec/selector/matchLabels")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let kept = json!({"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"], "creationTimestamp": metadata["creationTimestamp"]});
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": kept, "spec": {"replicas": object.pointer("/spec/replicas").cloned().unwrap_or(json!(1))},
        "status": {"replicas": object.pointer("/status/replicas").cloned().unwrap_or(json!(0)), "selector": selector.join(",")}})
}

/// Changes the scale of a workload; `change` makes the new scale of the present one.
pub(crate) fn rescale(
    state: &mut State,
    resource: &Resource,
    change: impl FnOnce(Value) -> Result<Value, ApiError>,
    query: &Query,
    now: DateTime<Utc>,
) -> Result<Value, ApiError> {
    let before = existing(state, resource, now)?;
    let wanted = change(scale_of(&before))?;
    let name = resource.name.as_deref().unwrap_or_default();
    let replicas = wanted
        .pointer("/spec/replicas")
        .and_then(Value::as_i64)
        .filter(|replicas| *replicas >= 0);
    let replicas = replicas.ok_or_else(|| ApiError::invalid("Scale", name, "spec.replicas: must be greater than or equal to 0"))?;
    let mut object = before.clone();
    object["spec"]["replicas"] = json!(replicas);
    // The preconditions of the scale are those of the object.
    for field in ["resourceVersion", "uid"] {
        object["metadata"][field] = wanted["metadata"]
            .get(field)
            .cloned()
            .unwrap_or_else(|| before["metadata"][field].clone());
    }
    let object = store_over(
        state,
        &Resource {
            sub: None,
            ..resource.clone()
        },
        &before,
        object,
        query,
        now,
    )?;
    Ok(scale_of(&object))
}

/// Evicts a pod, unless a disruption budget says no.
pub(crate) fn evict(
    state: &mut State,
    resource: &Resource,
    eviction: &Value,
    query: &Query,
    now: DateTime<Utc>,
) -> Result<Value, ApiError> {
    let pod = existing(state, resource, now)?;
    let labels = pod.pointer("/metadata/labels").and_then(Value::as_object);
    let selected = |budget: &Value| {
        let wanted = budget.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
        wanted.is_some_and(|wanted| {
            wanted
                .iter()
                .all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
        })
    };
    let budgets: Vec<Value> = state
        .store
        .objects(Kind::PodDisruptionBudget, &resource.namespace)
        .map(|object| object.value(now))
        .filter(selected)
        .collect();
    if let [_, _, ..] = budgets.as_slice() {
        return Err(ApiError::new(
            500,
            "InternalError",
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        ));
    }
    if let Some(mut budget) = budgets.into_iter().next() {
        let allowed = budget.pointer("/status/disruptionsAllowed").and_then(Value::as_i64).unwrap_or(0);
        if allowed <= 0 {
            let message = format!(
                "The disruption budget {} needs {} healthy pods and has {} currently",
                text(&budget, "/metadata/name"),
                budget.pointer("/status/desiredHealthy").unwrap_or(&Value::Null),
                budget.pointer("/status/currentHealthy").unwrap_or(&Value::Null)
            );
            let details = json!({"causes": [{"reason": "DisruptionBudget", "message": message}]});
            return Err(ApiError {
                details,
                ..ApiError::new(
                    429,
                    "TooManyRequests",
                    "Cannot evict pod as it would violate the pod's disruption budget.",
                )
            });
        }
        if !query.dry_run {
            budget["status"]["disruptionsAllowed"] = json!(allowed - 1);
            state.store.put(Kind::PodDisruptionBudget, budget, now);
        }
    }
    let options = eviction.get("deleteOptions").cloned().unwrap_or(Value::Null);
    delete(
        state,
        &Resource {
            sub: None,
            ..resource.clone()
        },
        &options,
        query,
        now,
    )?;
    Ok(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}))
}

/// Reads a body as JSON, or as YAML where an apply may be written so.
pub(crate) fn parse_body(bytes: &[u8], yaml: bool) -> Result<Value, ApiError> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let unreadable = |error: Cow<'_, str>| ApiError::bad_request(format!("the object provided is unrecognized: {error}"));
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(value),
        Err(_) if yaml => serde_yaml::from_slice(bytes).map_err(|error| unreadable(error.to_string().into())),
        Err(error) => Err(unreadable(error.to_string().into())),
    }
}
