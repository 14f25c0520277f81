//! Writes the objects of a namespace as people record them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use stargate_sim::Kind;

use crate::recipe::{Layout, Recipe};
use crate::stage::{World, name_of};

/// Kinds that `oc get all` and its relatives put into one file.
const COMMON: [&str; 6] = ["Namespace", "Pod", "Deployment", "Service", "Route", "PersistentVolumeClaim"];
/// Kinds that are only written when there is something of them: nobody records them on purpose.
const INCIDENTAL: [&str; 8] = [
    "ReplicaSet",
    "ConfigMap",
    "ServiceAccount",
    "CronJob",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
    "Build",
    "Secret",
];

/// One kind to be written.
struct Listed<'a> {
    kind: &'a str,
    group: &'a str,
    version: &'a str,
    plural: &'a str,
    items: &'a [Value],
}

/// Writes a recording anew.
pub fn write(world: &World, recipe: &Recipe, folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let mut one = Vec::new();
    for listed in listed(world) {
        if recipe.leave_out.iter().any(|plural| plural == listed.plural) {
            continue;
        }
        if let Some(code) = recipe.refused.get(listed.plural) {
            json_file(&path(&listed, recipe, folder, "json"), &refusal(&listed, *code))?;
            continue;
        }
        let cut = recipe.cut.iter().any(|plural| plural == listed.plural);
        match recipe.layout {
            Layout::Lists => json_file(&path(&listed, recipe, folder, "json"), &list(listed.items, cut))?,
            Layout::Typed => json_file(&path(&listed, recipe, folder, "json"), &typed(&listed, cut))?,
            Layout::Yaml => yaml_file(&path(&listed, recipe, folder, "yaml"), &list(listed.items, cut))?,
            Layout::MustGather => must_gather(&listed, recipe, folder, cut)?,
            Layout::OneFile if COMMON.contains(&listed.kind) => one.extend(listed.items.iter().cloned()),
            Layout::OneFile => json_file(&path(&listed, recipe, folder, "json"), &list(listed.items, cut))?,
            Layout::Objects => objects(&listed, recipe, folder, cut)?,
        }
    }
    if !one.is_empty() {
        json_file(&folder.join("objects.json"), &list(&one, false))?;
    }
    for (name, content) in &recipe.files {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap_or(folder))?;
        fs::write(file, content)?;
    }
    Ok(())
}

fn listed(world: &World) -> Vec<Listed<'_>> {
    let known: BTreeMap<&str, Kind> = Kind::ALL.iter().map(|kind| (kind.info().kind, *kind)).collect();
    let mut listed = Vec::new();
    for (kind, items) in &world.objects {
        let Some(info) = known.get(kind.as_str()).map(|kind| kind.info()) else {
            continue;
        };
        if items.is_empty() && INCIDENTAL.contains(&kind.as_str()) {
            continue;
        }
        listed.push(Listed {
            kind,
            group: info.group,
            version: info.version,
            // Nodes and their metrics have one plural.
            plural: if kind == "NodeMetrics" { "nodemetrics" } else { info.plural },
            items,
        });
    }
    listed
}

fn api_version(listed: &Listed<'_>) -> String {
    if listed.group.is_empty() {
        listed.version.to_owned()
    } else {
        format!("{}/{}", listed.group, listed.version)
    }
}

fn path(listed: &Listed<'_>, recipe: &Recipe, folder: &Path, extension: &str) -> std::path::PathBuf {
    match recipe.layout {
        Layout::MustGather => namespace_folder(recipe, folder)
            .join(group(listed))
            .join(format!("{}.{extension}", listed.plural)),
        _ => folder.join(format!("{}.{extension}", listed.plural)),
    }
}

fn namespace_folder(recipe: &Recipe, folder: &Path) -> std::path::PathBuf {
    folder
        .join("must-gather.local/quay-io-openshift/namespaces")
        .join(&recipe.namespace)
}

fn group<'a>(listed: &Listed<'a>) -> &'a str {
    if listed.group.is_empty() { "core" } else { listed.group }
}

fn list(items: &[Value], cut: bool) -> Value {
    let metadata = if cut {
        json!({"continue": "eyJ2IjoibWV0YSJ9", "remainingItemCount": 12})
    } else {
        json!({"resourceVersion": ""})
    };
    json!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": metadata})
}

fn typed(listed: &Listed<'_>, cut: bool) -> Value {
    let mut items = listed.items.to_vec();
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        item.remove("apiVersion");
        item.remove("kind");
    }
    let metadata = list(&[], cut)["metadata"].clone();
    json!({"apiVersion": api_version(listed), "kind": format!("{}List", listed.kind), "metadata": metadata, "items": items})
}

fn refusal(listed: &Listed<'_>, code: u16) -> Value {
    let (reason, message) = match code {
        401 => ("Unauthorized", "Unauthorized".to_owned()),
        403 => (
            "Forbidden",
            format!(
                "{} is forbidden: User \"system:serviceaccount:stargate:reader\" cannot list resource",
                listed.plural
            ),
        ),
        404 => ("NotFound", "the server could not find the requested resource".to_owned()),
        429 => (
            "TooManyRequests",
            "the server has received too many requests and has asked us to try again later".to_owned(),
        ),
        504 => (
            "Timeout",
            format!(
                "Timeout: request did not complete within the allotted timeout: list {}",
                listed.plural
            ),
        ),
        _ => (
            "InternalError",
            "an error on the server has prevented the request from succeeding".to_owned(),
        ),
    };
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
        "details": {"group": listed.group, "kind": listed.plural}, "code": code})
}

/// As `oc adm inspect` does: lists by group, and each pod once more in a folder of its own.
fn must_gather(listed: &Listed<'_>, recipe: &Recipe, folder: &Path, cut: bool) -> anyhow::Result<()> {
    let namespace = namespace_folder(recipe, folder);
    if listed.kind == "Namespace" {
        for item in listed.items {
            yaml_file(&namespace.join(format!("{}.yaml", recipe.namespace)), item)?;
        }
        return Ok(());
    }
    yaml_file(&path(listed, recipe, folder, "yaml"), &typed_with_kinds(listed, cut))?;
    if listed.kind == "Pod" {
        for pod in listed.items.iter().take(2) {
            let name = name_of(pod);
            yaml_file(&namespace.join("pods").join(name).join(format!("{name}.yaml")), pod)?;
            let log = namespace.join("pods").join(name).join("logs/current.log");
            fs::create_dir_all(log.parent().unwrap_or(&namespace))?;
            fs::write(log, "starting\nlistening on 8080\n")?;
        }
    }
    Ok(())
}

fn typed_with_kinds(listed: &Listed<'_>, cut: bool) -> Value {
    let mut document = typed(listed, cut);
    document["items"] = json!(listed.items);
    document
}

fn objects(listed: &Listed<'_>, recipe: &Recipe, folder: &Path, cut: bool) -> anyhow::Result<()> {
    if listed.items.is_empty() || listed.kind == "Event" || cut {
        return json_file(&path(listed, recipe, folder, "json"), &typed(listed, cut));
    }
    for item in listed.items {
        yaml_file(&folder.join(listed.plural).join(format!("{}.yaml", name_of(item))), item)?;
    }
    Ok(())
}

fn json_file(path: &Path, document: &Value) -> anyhow::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    Ok(fs::write(path, text)?)
}

fn yaml_file(path: &Path, document: &Value) -> anyhow::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    Ok(fs::write(path, serde_yaml::to_string(document)?)?)
}
