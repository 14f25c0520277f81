//! What the recording of a cluster cannot hold: the subjects of the control plane, StarGate's own probes, smoke runs, and
//! what the catalog declares.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::edit::times;
use crate::recipe::{Beside, Recipe};
use crate::stage::{World, guid, name_of};

/// Writes `beside.yaml`, or removes it when there is nothing to say.
pub fn write(world: &World, recipe: &Recipe, file: &Path) -> anyhow::Result<()> {
    let Beside {
        healthy,
        provisioned,
        subjects,
        probes,
        smoke_runs,
        declared,
        reachable,
        critical_alerts,
    } = &recipe.beside;
    let mut document = Map::new();
    let subject = healthy.then_some(()).or(provisioned.then_some(())).map(|()| vec![well(world)]);
    lay(&mut document, "subjects", subject, subjects.as_ref(), |item| {
        item["name"].to_string()
    });
    let answers = healthy.then(|| answers(world));
    lay(&mut document, "probes", answers, probes.as_ref(), |item| {
        format!("{}{}", item["kind"], item["target"])
    });
    lay(&mut document, "smoke_runs", None, smoke_runs.as_ref(), |item| {
        item["id"].to_string()
    });
    if let Some(declared) = declared {
        document.insert("declared".to_owned(), declared.clone());
    }
    if let Some(reachable) = reachable {
        document.insert("reachable".to_owned(), reachable.clone());
    }
    if let Some(alerts) = critical_alerts {
        document.insert("critical_alerts".to_owned(), json!(alerts));
    }
    if document.is_empty() {
        if file.exists() {
            std::fs::remove_file(file)?;
        }
        return Ok(());
    }
    let mut document = Value::Object(document);
    times(&mut document, world.at);
    Ok(std::fs::write(file, serde_yaml::to_string(&document)?)?)
}

/// Lays items over others that have the same key; an item `{…, gone: true}` takes one away.
fn lay(
    document: &mut Map<String, Value>,
    field: &str,
    base: Option<Vec<Value>>,
    over: Option<&Vec<Value>>,
    key: impl Fn(&Value) -> String,
) {
    if base.is_none() && over.is_none() {
        return;
    }
    let mut items = base.unwrap_or_default();
    for item in over.into_iter().flatten() {
        let same = items.iter().position(|old| key(old) == key(item));
        let gone = item["gone"] == true;
        match same {
            Some(place) if gone => {
                items.remove(place);
            }
            Some(place) => {
                if let (Some(old), Some(new)) = (items.get_mut(place).and_then(Value::as_object_mut), item.as_object()) {
                    old.extend(new.clone());
                    old.retain(|_, value| !value.is_null());
                }
            }
            None if !gone => items.push(item.clone()),
            None => {}
        }
    }
    document.insert(field.to_owned(), json!(items));
}

/// A service that is provisioned and started.
fn well(world: &World) -> Value {
    let namespace = world.objects["Namespace"].first();
    let created = namespace
        .map(|namespace| namespace["metadata"]["creationTimestamp"].clone())
        .unwrap_or_default();
    json!({"name": format!("acme-labs.lab.prod-{}", guid(&world.namespace)), "current_state": "started", "desired_state": "started",
        "provision_job_status": "successful", "provision_job_completed_at": created, "sandbox_api_job": true, "healthy": true,
        "run_status": "successful", "created_at": created, "state_since": created})
}

/// A probe of everything that can be asked, well answered.
fn answers(world: &World) -> Vec<Value> {
    let mut probes = Vec::new();
    let certificate = json!({"valid": true, "not_after": "+60d"});
    for kind in ["Route", "Ingress"] {
        for route in world.objects.get(kind).into_iter().flatten() {
            let name = name_of(route);
            probes.push(
                json!({"kind": "route", "target": name, "at": "-90s", "status": 200, "duration_ms": 110, "certificate": certificate}),
            );
            if name.contains("showroom") {
                probes.push(json!({"kind": "showroom_readiness", "target": name, "at": "-85s", "status": 200, "duration_ms": 40}));
                probes.push(
                    json!({"kind": "showroom_content", "target": name, "at": "-80s", "status": 200, "duration_ms": 130, "content": "page"}),
                );
            }
        }
    }
    for model in world.objects.get("InferenceService").into_iter().flatten() {
        probes.push(
            json!({"kind": "inference", "target": name_of(model), "at": "-70s", "status": 200, "duration_ms": 900, "content": "page"}),
        );
    }
    probes
}
