//! The OpenAPI document is what the code says, and what the code does.

use std::collections::BTreeSet;

use serde_json::Value;
use stargate_query::document;

use crate::app::App;
use crate::schema::faults;

/// To accept what changed: `BLESS=1 cargo test -p stargate-query --test api the_committed_document_is_current`.
#[test]
fn the_committed_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let current = format!("{:#}\n", document());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &current).expect("writing the document");
    }
    assert!(
        std::fs::read_to_string(path).expect("reading the document") == current,
        "functions/query/openapi.json is out of date: \
         BLESS=1 cargo test -p stargate-query --test api the_committed_document_is_current"
    );
}

/// A client's types are made from the document: one type for one thing, nothing without a type, words as they are sent.
#[test]
fn the_document_gives_clients_good_types() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for (name, schema) in schemas {
        let Some((shape, row)) = name.split_once('_') else {
            for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
                let typed = ["type", "$ref", "oneOf", "allOf"].iter().any(|key| !schema[key].is_null());
                assert!(typed, "{name}.{property} has no type");
            }
            continue;
        };
        let data = &schema["properties"]["data"];
        let several = shape == "List" || row.starts_with("Vec_");
        let reference = if several { &data["items"]["$ref"] } else { &data["$ref"] };
        let row = row.trim_start_matches("Vec_");
        assert_eq!(reference, &format!("#/components/schemas/{row}"), "{name}");
        assert!(schemas.contains_key(row), "{name}");
    }
    // Ids of words are lower case with dashes or underscores; a capital letter is a name of this side.
    let capitals = |words: &Value| -> Vec<String> {
        let words = words.as_array().into_iter().flatten().filter_map(Value::as_str);
        words
            .filter(|word| word.chars().any(char::is_uppercase))
            .map(str::to_owned)
            .collect()
    };
    for (name, schema) in schemas {
        assert_eq!(capitals(&schema["enum"]), [""; 0], "{name}");
    }
    for item in document["paths"].as_object().expect("paths").values() {
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            let schema = &parameter["schema"];
            assert_eq!(capitals(&schema["enum"]), [""; 0], "{}", parameter["name"]);
            assert_eq!(capitals(&schema["items"]["enum"]), [""; 0], "{}", parameter["name"]);
        }
    }
}

#[test]
fn every_operation_has_an_id_a_text_and_every_problem() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let operation = &item["get"];
        let id = operation["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{path} has no operationId"));
        assert!(ids.insert(id.to_owned()), "{id} is used twice");
        assert!(
            operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
            "{id} has no summary"
        );
        assert!(
            !operation["description"].to_string().contains("# Errors"),
            "{id} tells of Rust's errors"
        );
        assert_eq!(operation["x-required-role"], "viewer");
        for status in ["200", "304", "400", "401", "403", "406", "429", "500", "503", "504"] {
            assert!(operation["responses"][status].is_object(), "{id} does not document {status}");
        }
        assert_eq!(operation["responses"]["404"].is_object(), path.contains('{'), "{id}: 404");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = &parameter["name"];
            assert!(
                parameter["description"].as_str().is_some_and(|text| !text.is_empty()),
                "{id}: {name} has no description"
            );
        }
    }
    assert_eq!(ids.len(), 43);
}

/// Asks every operation of the document, with an id that exists where one is needed, and compares the answer with its schema.
#[tokio::test]
async fn every_operation_answers_as_documented() {
    let app = App::small().await;
    let instance = app
        .text("select instance_id::text from instances where state = 'failing' limit 1")
        .await;
    let subject = app
        .text("select key from subjects where doc ->> 'current_state' = 'provision-failed' limit 1")
        .await;
    let incident = app
        .text("select incident_id::text from incidents where scope = 'cluster' limit 1")
        .await;
    let advice = app.text("select recommendation_id::text from recommendations limit 1").await;
    let document = document();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let schema = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let url = match path.as_str() {
            "/api/v1/stream" => continue, // events have a test of their own
            // Nothing of the seed differs from what it should be; what differs has a test of its own.
            "/api/v1/constraints/violations" => continue,
            path if path.contains("/subjects/{uid}") => path.replace("{uid}", &subject),
            path if path.contains("/pools/{name}") => path.replace("{name}", "acme-labs.topic-001.event"),
            "/api/v1/search" => "/api/v1/search?q=lb".to_owned(),
            "/api/v1/trends" => "/api/v1/trends?metric=instances_failing".to_owned(),
            path if path.contains("/instances/{id}") => path.replace("{id}", &instance),
            path if path.contains("/recommendations/{id}") => path.replace("{id}", &advice),
            path if path.contains("/incidents/{id}") => path.replace("{id}", &incident),
            path if path.contains("/failure-classes/{id}") => path.replace("{id}", "pods_crashlooping"),
            path => path.replace("{name}", "cnv-01").replace("{code}", "LB0001"),
        };
        assert!(!url.contains('{'), "{url}: no value for the path's parameter");
        let body = app.ok(&url).await;
        assert_eq!(faults(&document, schema, &body), [""; 0], "{url}");
        // A list that is empty shows nothing about its rows.
        assert_ne!(body["data"], serde_json::json!([]), "{url} is empty");
    }
}

#[tokio::test]
async fn a_problem_has_the_documented_shape() {
    let app = App::empty().await;
    let document = document();
    let schema = serde_json::json!({ "$ref": "#/components/schemas/Problem" });
    for path in [
        "/api/v1/labs?limit=0",
        "/api/v1/labs?colour=red",
        "/api/v1/nothing",
        "/api/v1/instances/7",
    ] {
        let answer = app.get(path).await;
        assert!(answer.status.is_client_error());
        assert_eq!(faults(&document, &schema, &answer.body), [""; 0], "{path}");
    }
}
