//! The OpenAPI 3.1 document: what the handlers declare, plus what holds for every operation.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::access::Role;
use crate::problem::{Fault, Problem};

/// What the handlers' attributes do not say.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "StarGate query",
        description = "Reads what StarGate knows about labs, demos and workshops: which are ready, which are not, why, and since when. \
            Every answer says in `meta` how old its sources are. Missing data is unknown: never ready, never failing. \
            Words in answers may grow; words in requests are closed lists.",
    ),
    components(schemas(Problem, Fault)),
    tags(
        (name = "overview", description = "The first view"),
        (name = "clusters", description = "Where labs run"),
        (name = "labs", description = "What people ordered"),
        (name = "instances", description = "One attendee's environment each"),
        (name = "provisioning", description = "What was ordered, what is held ready, who is coming"),
        (name = "incidents", description = "What is wrong"),
        (name = "transitions", description = "What changed"),
        (name = "recommendations", description = "What is advised, and what cannot be told"),
        (name = "sources", description = "Where data comes from and how old it is"),
        (name = "knowledge", description = "Stages and failure classes"),
        (name = "interface", description = "This interface"),
    )
)]
pub struct Declared;

/// The document with what holds for every operation.
#[must_use]
pub fn finish(declared: &utoipa::openapi::OpenApi) -> Value {
    let mut document = serde_json::to_value(declared).unwrap_or_default();
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    if let Some(info) = document["info"].as_object_mut() {
        info.remove("license");
    }
    document["components"]["securitySchemes"]["key"] = json!({
        "type": "http", "scheme": "bearer", "description": "An API key. People sign in through the proxy in front instead.",
    });
    document["security"] = json!([{ "key": [] }, {}]);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        name_rows(schemas);
        for (name, schema) in schemas {
            open_objects(schema);
            // Answers hold every field, null when there is nothing to say; problems leave out what does not apply.
            if !matches!(name.as_str(), "Problem" | "Fault") {
                require_all(schema);
            }
        }
    }
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            complete(operation, path);
        }
    }
    document
}

/// Lets envelopes refer to what they hold by its name instead of repeating it, so that clients get one type for one thing.
fn name_rows(schemas: &mut Map<String, Value>) {
    let names: Vec<String> = schemas.keys().cloned().collect();
    for envelope in &names {
        let Some((shape, row)) = envelope.split_once('_').filter(|(shape, _)| matches!(*shape, "List" | "One")) else {
            continue;
        };
        let several = row.strip_prefix("Vec_");
        let row = several.unwrap_or(row);
        if !names.iter().any(|name| name == row) {
            continue;
        }
        let data = &mut schemas[envelope]["properties"]["data"];
        let reference = json!({ "$ref": format!("#/components/schemas/{row}") });
        if shape == "List" || several.is_some() {
            data["items"] = reference;
        } else {
            *data = reference;
        }
    }
}

/// Says of an object without properties that it may hold any: without that, clients take it for one that holds none.
fn open_objects(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| kind == "object") && !object.contains_key("properties") {
                object.entry("additionalProperties").or_insert(json!(true));
            }
            object.values_mut().for_each(open_objects);
        }
        Value::Array(parts) => parts.iter_mut().for_each(open_objects),
        _ => {}
    }
}

/// Marks every property as required, also in the parts of a composed schema.
fn require_all(schema: &mut Value) {
    if let Some(properties) = schema["properties"].as_object() {
        schema["required"] = properties.keys().cloned().collect();
    }
    for part in schema["allOf"].as_array_mut().into_iter().flatten() {
        require_all(part);
    }
    if let Some(object) = schema.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
}

fn complete(operation: &mut Value, path: &str) {
    // What asks for more says so itself.
    if operation["x-required-role"].is_null() {
        operation["x-required-role"] = json!(Role::Viewer.as_str());
    }
    // Rust's section for callers of the function; callers of the interface have the responses below.
    if let Some(text) = operation["description"].as_str() {
        let text = text.split("# Errors").next().unwrap_or_default().trim().to_owned();
        operation["description"] = json!(text);
    }
    if let Some(object) = operation.as_object_mut() {
        object.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
    }
    operation["responses"]["200"]["headers"] = json!({
        "etag": { "description": "Weak tag; give it as If-None-Match", "schema": { "type": "string" } },
        "x-request-id": { "description": "Names the request", "schema": { "type": "string" } },
    });
    operation["responses"]["304"] = json!({ "description": "Nothing changed since the answer with this tag" });
    let mut problems = vec![
        ("400", "A parameter is unknown or not valid, or the cursor does not fit"),
        ("401", "Nobody is signed in, or what should prove who asks does not"),
        ("403", "Who asks has not the role that this needs"),
        ("406", "The wanted media type is not available"),
        ("429", "Who asks does so too often"),
        ("500", "Something is wrong on this side"),
        ("503", "The database does not answer"),
        ("504", "The answer took too long"),
    ];
    if path.contains('{') {
        problems.push(("404", "There is no such thing"));
    }
    for (status, description) in problems {
        operation["responses"][status] = json!({
            "description": description,
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        });
    }
}

/// The role that each path asks for.
#[must_use]
pub fn roles(document: &Value) -> BTreeMap<String, Role> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .filter_map(|(path, item)| Some((path.clone(), Role::parse(item["get"]["x-required-role"].as_str()?)?)))
        .collect()
}

/// Operation ids by path, for metrics: a label from a closed list, never a raw path.
#[must_use]
pub fn operations(document: &Value) -> BTreeMap<String, String> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .filter_map(|(path, item)| Some((path.clone(), item["get"]["operationId"].as_str()?.to_owned())))
        .collect()
}
