//! Changes objects in ways that no simulator would think of, and lets them talk in events.
//!
//! A path goes through maps by key and through lists by index, or by the `type` or `name` of an element; one that is not
//! there is added. `~1` stands for a slash, as in a JSON pointer. Texts that are offsets (`-40m`) become times.

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::recipe::{Edit, Recipe, Report};
use crate::stage::{World, matches, moment, name_of, offset, stamp};

/// Applies the edits and reports the events of a recipe.
pub fn all(world: &mut World, recipe: &Recipe) -> anyhow::Result<()> {
    if recipe.chatter {
        chatter(world);
    }
    for report in &recipe.events {
        event(world, report)?;
    }
    for edit in &recipe.edits {
        apply(world, edit).with_context(|| format!("edit of {}", edit.on.as_deref().unwrap_or("a new object")))?;
    }
    for objects in world.objects.values_mut() {
        objects.iter_mut().for_each(slim);
        objects.sort_by(|one, other| name_of(one).cmp(name_of(other)));
    }
    Ok(())
}

fn apply(world: &mut World, edit: &Edit) -> anyhow::Result<()> {
    let at = world.at;
    if let Some(object) = &edit.add {
        let mut object = object.clone();
        times(&mut object, at);
        complete(world, &mut object)?;
        let kind = text(&object, "/kind").to_owned();
        world.objects.entry(kind).or_default().push(object);
        return Ok(());
    }
    let on = edit.on.as_deref().context("neither `on` nor `add`")?;
    let (kind, mut places) = find(world, on)?;
    if edit.remove {
        places.reverse();
        for place in places {
            world.objects.get_mut(&kind).context("no such kind")?.remove(place);
        }
        return Ok(());
    }
    for place in places {
        let uid = world.seed.uuid();
        let objects = world.objects.get_mut(&kind).context("no such kind")?;
        let target = match &edit.copy {
            Some(name) => {
                let mut copy = objects.get(place).context("no such object")?.clone();
                copy["metadata"]["name"] = json!(name);
                copy["metadata"]["uid"] = json!(uid);
                objects.push(copy);
                objects.len() - 1
            }
            None => place,
        };
        let object = objects.get_mut(target).context("no such object")?;
        for (path, value) in &edit.set {
            let mut value = value.clone();
            times(&mut value, at);
            *reach(object, path)? = value;
        }
        for path in &edit.unset {
            unset(object, path)?;
        }
    }
    Ok(())
}

/// The kind and the places of what `Kind/name` means.
fn find(world: &World, on: &str) -> anyhow::Result<(String, Vec<usize>)> {
    let (kind, name) = on.split_once('/').context("write Kind/name")?;
    let (pattern, index) = name.split_once('#').unwrap_or((name, ""));
    let objects = world.objects.get(kind).map_or(&[][..], Vec::as_slice);
    let mut places: Vec<usize> = (0..objects.len())
        .filter(|&place| objects.get(place).is_some_and(|it| matches(pattern, name_of(it))))
        .collect();
    if !index.is_empty() {
        places = places.get(index.parse::<usize>()?).copied().into_iter().collect();
    }
    if places.is_empty() {
        let names: Vec<&str> = objects.iter().map(name_of).collect();
        bail!("there is no {on}; of that kind there are {names:?}");
    }
    Ok((kind.to_owned(), places))
}

/// What every object has.
fn complete(world: &mut World, object: &mut Value) -> anyhow::Result<()> {
    let uid = world.seed.uuid();
    let created = world.objects["Namespace"]
        .first()
        .map(|namespace| namespace["metadata"]["creationTimestamp"].clone());
    let namespace = world.namespace.clone();
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut).context("no metadata")?;
    metadata.entry("namespace").or_insert_with(|| json!(namespace));
    metadata.entry("uid").or_insert_with(|| json!(uid));
    metadata.entry("creationTimestamp").or_insert_with(|| created.unwrap_or_default());
    Ok(())
}

/// Offsets become times, wherever they are.
pub fn times(value: &mut Value, at: DateTime<Utc>) {
    match value {
        Value::String(text) => {
            if let Some(offset) = offset(text) {
                *text = stamp(at + offset);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| times(item, at)),
        Value::Object(fields) => fields.values_mut().for_each(|field| times(field, at)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn steps(path: &str) -> impl Iterator<Item = String> + '_ {
    path.trim_start_matches('/').split('/').map(|step| step.replace("~1", "/"))
}

/// The place at the end of a path, made if it is not there.
fn reach<'a>(object: &'a mut Value, path: &str) -> anyhow::Result<&'a mut Value> {
    let mut place = object;
    let mut parent = String::new();
    for step in steps(path) {
        if place.is_null() {
            *place = if parent == "conditions" || parent.ends_with("Statuses") || parent == "containers" {
                json!([])
            } else {
                json!({})
            };
        }
        place = match place {
            Value::Object(fields) => fields.entry(step.clone()).or_insert(Value::Null),
            Value::Array(items) => {
                let key = if parent == "conditions" { "type" } else { "name" };
                let index = match step.parse::<usize>() {
                    Ok(index) => index,
                    Err(_) => match items.iter().position(|item| item[key] == step.as_str()) {
                        Some(index) => index,
                        None => {
                            items.push(json!({(key): step.clone()}));
                            items.len() - 1
                        }
                    },
                };
                if index == items.len() {
                    items.push(Value::Null);
                }
                let length = items.len();
                items
                    .get_mut(index)
                    .with_context(|| format!("{path}: there are {length} elements"))?
            }
            other => bail!("{path}: `{step}` goes into {other}"),
        };
        parent = step;
    }
    Ok(place)
}

fn unset(object: &mut Value, path: &str) -> anyhow::Result<()> {
    let (parent, last) = path.rsplit_once('/').context("a path begins with a slash")?;
    let place = if parent.is_empty() { object } else { reach(object, parent)? };
    let last = last.replace("~1", "/");
    match place {
        Value::Object(fields) => {
            fields.remove(&last);
        }
        Value::Array(items) => items.retain(|item| item["type"] != last.as_str() && item["name"] != last.as_str()),
        _ => {}
    }
    Ok(())
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn event(world: &mut World, report: &Report) -> anyhow::Result<()> {
    let Ok((kind, places)) = find(world, &report.about) else {
        // What an event is about may be gone by now.
        let (kind, name) = report.about.split_once('/').context("write Kind/name")?;
        let about = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "uid": world.seed.uuid()}});
        return say(world, &about, report);
    };
    let about: Vec<Value> = places
        .iter()
        .filter_map(|&place| world.objects[&kind].get(place).cloned())
        .collect();
    about.iter().try_for_each(|about| say(world, about, report))
}

fn say(world: &mut World, about: &Value, report: &Report) -> anyhow::Result<()> {
    let last = moment(&report.last, world.at)?;
    let first = report.first.as_ref().map_or(Ok(last), |first| moment(first, world.at))?;
    let name = format!("{}.{:016x}", name_of(about), world.seed.bits());
    let host = text(about, "/spec/nodeName");
    let involved = json!({"apiVersion": about["apiVersion"], "kind": about["kind"], "name": about["metadata"]["name"],
        "namespace": world.namespace, "uid": about["metadata"]["uid"]});
    let object = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": world.namespace, "uid": world.seed.uuid(),
        "creationTimestamp": stamp(first)}, "involvedObject": involved, "type": report.r#type, "reason": report.reason, "message": report.message,
        "count": report.count, "firstTimestamp": stamp(first), "lastTimestamp": stamp(last), "eventTime": null,
        "source": {"component": report.from, "host": host}, "reportingComponent": report.from, "reportingInstance": host});
    world.objects.entry("Event".to_owned()).or_default().push(object);
    Ok(())
}

/// The events of a normal start, of pods that are not much older than events are kept.
fn chatter(world: &mut World) {
    let pods = world.objects.get("Pod").cloned().unwrap_or_default();
    for pod in pods {
        let Ok(created) = DateTime::parse_from_rfc3339(text(&pod, "/metadata/creationTimestamp")) else {
            continue;
        };
        let age = world.at - created.to_utc();
        if age.num_hours() > 3 || text(&pod, "/spec/nodeName").is_empty() {
            continue;
        }
        let image = text(&pod, "/spec/containers/0/image").to_owned();
        let container = text(&pod, "/spec/containers/0/name").to_owned();
        let node = text(&pod, "/spec/nodeName").to_owned();
        let start = |seconds: i64| format!("-{}s", (age.num_seconds() - seconds).max(0));
        let full = format!("{}/{}", world.namespace, name_of(&pod));
        for (reason, message, seconds, from) in [
            (
                "Scheduled",
                format!("Successfully assigned {full} to {node}"),
                0,
                "default-scheduler",
            ),
            (
                "Pulled",
                format!("Container image \"{image}\" already present on machine"),
                5,
                "kubelet",
            ),
            ("Started", format!("Started container {container}"), 6, "kubelet"),
        ] {
            let waits = pod.pointer("/status/containerStatuses/0/state/waiting").is_some();
            if waits && seconds > 0 {
                continue;
            }
            let report = Report {
                about: String::new(),
                r#type: "Normal".to_owned(),
                reason: reason.to_owned(),
                message,
                last: start(seconds),
                first: None,
                count: 1,
                from: from.to_owned(),
            };
            // Its times are in order: they were made here.
            let _ = say(world, &pod, &report);
        }
    }
}

/// What nobody reads and what takes most of the room: environment, mounts, network annotations, copies of pod templates.
fn slim(object: &mut Value) {
    let kind = text(object, "/kind").to_owned();
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !key.starts_with("k8s."));
    }
    for pointer in ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"] {
        let Some(spec) = object.pointer_mut(pointer).and_then(Value::as_object_mut) else {
            continue;
        };
        for list in ["containers", "initContainers"] {
            for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                thin(
                    container,
                    &[
                        "env",
                        "volumeMounts",
                        "livenessProbe",
                        "securityContext",
                        "terminationMessagePath",
                        "terminationMessagePolicy",
                    ],
                );
            }
        }
        spec.remove("tolerations");
        if let Some(volumes) = spec.get_mut("volumes").and_then(Value::as_array_mut) {
            volumes.retain(|volume| volume.get("projected").is_none());
        }
    }
    for list in ["/status/containerStatuses", "/status/initContainerStatuses"] {
        for status in object.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            thin(status, &["volumeMounts", "allocatedResources", "resources"]);
        }
    }
    if matches!(kind.as_str(), "ReplicaSet" | "Deployment") {
        for container in object
            .pointer_mut("/spec/template/spec/containers")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            thin(container, &["resources", "readinessProbe", "ports"]);
        }
    }
}

fn thin(object: &mut Value, fields: &[&str]) {
    if let Some(map) = object.as_object_mut() {
        map.retain(|key, _| !fields.contains(&key.as_str()));
        *map = std::mem::take(map).into_iter().collect::<Map<_, _>>();
    }
}
