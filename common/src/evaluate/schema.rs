//! JSON Schema of the files that people write, for editors: `rubrics/schema/*.json`.
//!
//! Made from the tables that the loader checks by (stages, names a stage observes, kinds, grades, areas, reads), so that an editor
//! suggests what will load. What a schema cannot say (a class that is hidden, an expression that does not fit) only the loader says.

use serde_json::{Value, json};

use super::LabKind;
use super::catalog::{Mode, READS, Risk, Scope};
use super::pattern::{Severity, Source};
use super::rubric::{Area, ClassGrade};
use crate::evidence;
use crate::stage::Stage;

const GRADES: [ClassGrade; 3] = [ClassGrade::Failure, ClassGrade::Warning, ClassGrade::Informational];

const AREAS: [Area; 10] = [
    Area::Cluster,
    Area::Platform,
    Area::Provisioning,
    Area::Workload,
    Area::Storage,
    Area::Network,
    Area::VirtualMachine,
    Area::Showroom,
    Area::Application,
    Area::Model,
];

const SEVERITIES: [Severity; 5] = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// Every schema with its file name.
#[must_use]
pub fn all() -> [(&'static str, Value); 4] {
    [
        ("action.json", action()),
        ("lab.json", lab()),
        ("patterns.json", patterns()),
        ("rubric.json", rubric()),
    ]
}

/// As it is written to a file.
#[must_use]
pub fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

fn rubric() -> Value {
    let mut schema = document(
        "Rubric of a stage",
        json!({
            "id": named(Stage::ALL.map(Stage::as_str).to_vec(), "The stage's name, the same as the folder's"),
            "stage": named(Stage::ALL.map(Stage::as_str).to_vec(), "The stage it judges, the same as the id"),
            "version": version(),
            "summary": text_of("What it looks for, why, when a fix is unsafe, where the numbers come from"),
            "timeout_seconds": {"type": "integer", "minimum": 1, "description": "How long something may be on its way before it counts as failed"},
            "entry_criteria": {"type": "array", "items": criterion(true), "description": "Checked first, in order"},
            "exit_criteria": {"type": "array", "minItems": 1, "items": criterion(false), "description": "All checked"},
            "failure_classes": classes(),
            "allowed_remediations": actions("Actions of the catalog that may be offered"),
            "forbidden_remediations": actions("Actions that must never be offered"),
        }),
        &["id", "version", "stage", "summary", "exit_criteria", "failure_classes"],
    );
    let by_stage: Vec<Value> = Stage::ALL
        .into_iter()
        .map(|stage| {
            let budget = if evidence::settles(stage) {
                json!({"required": ["timeout_seconds"]})
            } else {
                json!({"not": {"required": ["timeout_seconds"]}})
            };
            let then = json!({
                "properties": {
                    "id": {"const": stage.as_str()},
                    "entry_criteria": {"items": observed(stage)},
                    "exit_criteria": {"items": observed(stage)},
                },
                "allOf": [budget],
            });
            json!({"if": {"properties": {"stage": {"const": stage.as_str()}}, "required": ["stage"]}, "then": then})
        })
        .collect();
    schema["allOf"] = Value::Array(by_stage);
    schema
}

fn lab() -> Value {
    let stages: Vec<&str> = Stage::ALL.into_iter().skip(1).map(Stage::as_str).collect();
    let some = |what: Value, description: &str| json!({"type": "array", "minItems": 1, "items": what, "description": description});
    let mut schema = document(
        "Lab rubric: what a lab adds to a stage",
        json!({
            "id": {"type": "string", "minLength": 1, "description": "Its name, the same as the folder's"},
            "version": version(),
            "extends": named(stages, "The stage it adds to"),
            "summary": text_of("What it looks for, why, when a fix is unsafe, where the numbers come from"),
            "applies_to": {
                "type": "object",
                "additionalProperties": false,
                "minProperties": 1,
                "description": "Which instances it is about: all that is written must fit",
                "properties": {
                    "kinds": some(named(LabKind::ALL.map(LabKind::as_str).to_vec(), "A kind of lab"), "One of these kinds"),
                    "catalog_items": some(
                        json!({"type": "string", "pattern": "[^*]"}),
                        "A catalog item that one of these patterns fits, * for any text: acme.webshop.*",
                    ),
                    "labels": {
                        "type": "object",
                        "minProperties": 1,
                        "additionalProperties": {"type": "string"},
                        "description": "All these labels on the namespace",
                    },
                },
            },
            "exit_criteria": {"type": "array", "minItems": 1, "items": criterion(false), "description": "All checked, beside those of the stage"},
            "failure_classes": classes(),
            "allowed_remediations": actions("Actions of the catalog that may be offered"),
        }),
        &[
            "id",
            "version",
            "extends",
            "summary",
            "applies_to",
            "exit_criteria",
            "failure_classes",
        ],
    );
    let by_stage = Stage::ALL.into_iter().skip(1).map(|stage| {
        json!({
            "if": {"properties": {"extends": {"const": stage.as_str()}}, "required": ["extends"]},
            "then": {"properties": {"exit_criteria": {"items": observed(stage)}}},
        })
    });
    schema["allOf"] = by_stage.collect();
    schema
}

fn action() -> Value {
    let reads: Vec<Value> = READS
        .into_iter()
        .map(|(name, meaning)| json!({"const": name, "description": meaning}))
        .collect();
    let mut schema = document(
        "Action of the catalog",
        json!({
            "id": {"type": "string", "pattern": "^[a-z0-9_]+$", "description": "Its name, the same as the folder's"},
            "title": text_of("A few words for a heading"),
            "description": text_of("What it looks at, and what to make of it"),
            "mode": meant(Mode::ALL.map(|(_, name, meaning)| (name, meaning)).as_slice(), "How far automation may go"),
            "risk": meant(Risk::ALL.map(|(_, name, meaning)| (name, meaning)).as_slice(), "What can be lost by it"),
            "scope": meant(Scope::ALL.map(|(_, name, meaning)| (name, meaning)).as_slice(), "How far it reaches"),
            "reads": {"type": "array", "minItems": 1, "uniqueItems": true, "items": {"oneOf": reads}, "description": "What it reads"},
        }),
        &["id", "title", "description", "mode", "risk", "scope"],
    );
    schema["if"] = json!({"properties": {"mode": {"const": "never"}}, "required": ["mode"]});
    schema["then"] = json!({"not": {"required": ["reads"]}});
    schema["else"] = json!({"required": ["reads"]});
    schema
}

fn patterns() -> Value {
    let texts = |description: &str| json!({"type": "array", "items": {"type": "string", "minLength": 1}, "description": description});
    let pattern = object(
        json!({
            "regex": text_of("What is searched, whatever the case of letters"),
            "matches": texts("Texts that it leads from to the class"),
            "near_misses": texts("Texts much like these that are not of the class"),
        }),
        &["regex"],
    );
    let class = object(
        json!({
            "title": text_of("A few words for a heading"),
            "description": text_of("What an operator should know"),
            "severity": named(SEVERITIES.map(Severity::as_str).to_vec(), "How bad it is"),
            "team": text_of("Who looks after it"),
            "area": words(&AREAS, "What part of the platform it is about"),
            "query": text_of("For metrics: the query, over a span of time"),
            "patterns": {"type": "array", "items": pattern, "description": "Any of these is found in a text of the class"},
            "unless": texts("None of these is"),
        }),
        &["title", "description", "severity", "area", "patterns"],
    );
    document(
        "Failure classes by pattern",
        json!({
            "source": named(Source::ALL.map(Source::as_str).to_vec(), "The source's name, the same as the file's"),
            "classes": {
                "type": "object",
                "propertyNames": {"pattern": "^[a-z0-9_]+$"},
                "additionalProperties": class,
                "description": "In order of precedence",
            },
        }),
        &["source", "classes"],
    )
}

fn criterion(is_entry: bool) -> Value {
    let mut properties = json!({
        "name": {"type": "string", "pattern": "^[a-z0-9_]+$", "description": "One of the names that the stage observes; with expr a name of its own"},
        "description": text_of("What it states, for people"),
        "required": {"type": "boolean", "default": true, "description": "Whether the outcome depends on it"},
    });
    let added = if is_entry {
        json!({
            "class": {"type": "string", "description": "What the failure is called"},
            "owner": named(Stage::ALL.map(Stage::as_str).to_vec(), "The earlier stage that states it"),
        })
    } else {
        json!({
            "optional_until_read": {"type": "boolean", "description": "It changes nothing while nobody reads its source"},
            "expr": text_of("What must hold, over the evidence document: stargate rubric explain evidence"),
            "members": text_of("Who is at fault when expr does not hold: a list of records"),
            "settle_seconds": {"type": "integer", "minimum": 1, "description": "How long after the namespace's creation expr need not hold yet"},
        })
    };
    if let (Some(properties), Value::Object(added)) = (properties.as_object_mut(), added) {
        properties.extend(added);
    }
    let mut schema = object(properties, &["name", "description"]);
    if !is_entry {
        schema["dependentRequired"] = json!({"members": ["expr"], "settle_seconds": ["expr"]});
    }
    schema
}

/// A criterion without an expression has one of the names that the stage observes.
fn observed(stage: Stage) -> Value {
    json!({"anyOf": [{"required": ["expr"]}, {"properties": {"name": {"enum": evidence::names(stage)}}}]})
}

fn classes() -> Value {
    let class = object(
        json!({
            "title": text_of("A few words for a heading"),
            "description": text_of("What an operator should know: what it means, usual causes, what to look at"),
            "when": {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "All must hold"},
            "recommended_action": {"type": "string", "pattern": "^[a-z0-9_]+$", "description": "An action that looks into it, one of the allowed ones"},
            "severity": {"type": "integer", "minimum": 1, "maximum": 10, "description": "1 (cosmetic) to 10 (nothing works)"},
            "grade": words(&GRADES, "How loud it is"),
            "area": words(&AREAS, "What part of the platform it is about"),
        }),
        &["title", "description", "severity", "grade", "area"],
    );
    json!({
        "type": "object",
        "propertyNames": {"pattern": "^[a-z0-9_]+$"},
        "additionalProperties": class,
        "description": "In order of precedence",
    })
}

fn document(title: &str, properties: Value, required: &[&str]) -> Value {
    let mut schema = object(properties, required);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(title);
    schema
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
}

fn text_of(description: &str) -> Value {
    json!({"type": "string", "pattern": "\\S", "description": description})
}

fn version() -> Value {
    json!({"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$", "description": "major.minor.patch, for people"})
}

fn actions(description: &str) -> Value {
    json!({"type": "array", "items": {"type": "string", "pattern": "^[a-z0-9_]+$"}, "description": description})
}

fn named(names: Vec<&str>, description: &str) -> Value {
    json!({"enum": names, "description": description})
}

fn meant(names: &[(&str, &str)], description: &str) -> Value {
    let each: Vec<Value> = names
        .iter()
        .map(|(name, meaning)| json!({"const": name, "description": meaning}))
        .collect();
    json!({"oneOf": each, "description": description})
}

/// The words that these variants are written as.
fn words(variants: &[impl serde::Serialize], description: &str) -> Value {
    json!({"enum": variants, "description": description})
}

#[cfg(test)]
mod tests;
