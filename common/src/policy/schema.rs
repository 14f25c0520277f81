//! JSON Schema of `rule.yaml`, for editors: `policies/schema/rule.json`. Made from the tables that the loader checks by.

use serde_json::{Value, json};

use super::input::{Basis, Group, inputs};
use super::{Scope, Urgency};
use crate::stage::Stage;

/// Every schema with its file name.
#[must_use]
pub fn all() -> [(&'static str, Value); 1] {
    [("rule.json", rule())]
}

fn rule() -> Value {
    let text = |description: &str| json!({"type": "string", "pattern": "\\S", "description": description});
    let words = |names: Vec<&str>, description: &str| json!({"type": "array", "uniqueItems": true, "items": {"enum": names}, "description": description});
    let urgency = json!({"enum": Urgency::ALL.map(Urgency::as_str), "description": "How soon somebody should look"});
    let confidence = json!({"type": "number", "minimum": 0, "maximum": 1, "description": "How sure the advice is"});
    let condition = text("When: an expression over the facts of the scope (stargate policy explain) and the thresholds");
    let decision = text("The decision in words, with values: {usable}, {unusable_seconds:since}; formats are percent, age, time, since");
    let steps = |value: &Value, description: &str| {
        json!({
            "type": "array",
            "description": description,
            "items": {
                "type": "object", "additionalProperties": false, "required": ["when", "value"],
                "properties": {"when": condition, "value": value},
            },
        })
    };
    let sources = Basis::ALL.map(Basis::as_str).to_vec();
    let stages = Stage::ALL.map(Stage::as_str).to_vec();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Policy rule",
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "scope", "title", "summary", "sources", "when", "decision"],
        "properties": {
            "id": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "description": "Its name, the same as the folder's"},
            "scope": {"enum": Scope::ALL.map(Scope::as_str), "description": "What it is about"},
            "title": text("A few words for a heading"),
            "summary": text("What it looks for, why, when the advice is wrong, where the numbers come from"),
            "sources": words(sources, "What its facts come from"),
            "evidence": words(Group::ALL.map(Group::as_str).to_vec(), "What is shown beside the advice"),
            "stages": words(stages, "The stages that it is about"),
            "thresholds": {
                "type": "object",
                "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
                "additionalProperties": {"type": "number"},
                "description": "Named numbers, for expressions and texts",
            },
            "needs": {"type": "array", "uniqueItems": true, "items": {"type": "string"}, "description": "Facts that must be known, or the rule says nothing"},
            "when": condition,
            "table": {
                "type": "array",
                "description": "What the advice is: the first row that fits; the last has no `when`",
                "items": {
                    "type": "object", "additionalProperties": false, "required": ["name", "recommend", "values"],
                    "properties": {
                        "name": text("What the decision is called"),
                        "when": condition,
                        "recommend": {"type": "boolean", "description": "Whether it is advice, or what is right already"},
                        "values": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Columns, for the text"},
                    },
                },
            },
            "urgency_rules": steps(&urgency, "The first that holds"),
            "urgency": urgency,
            "confidence_rules": steps(&confidence, "The first that holds"),
            "confidence": confidence,
            "decision_rules": steps(&decision, "The first that holds"),
            "decision": decision,
            "key_facts": {"type": "array", "uniqueItems": true, "items": {"type": "string"}, "description": "What makes it another decision when it changes: name or name:format"},
        },
    });
    let by_scope = Scope::ALL.into_iter().map(|scope| {
        let facts: Vec<&str> = inputs(scope).iter().map(|input| input.name).collect();
        let groups = Group::ALL.into_iter().filter(|group| group.scopes().contains(&scope));
        let groups: Vec<&str> = groups.map(Group::as_str).collect();
        json!({
            "if": {"properties": {"scope": {"const": scope.as_str()}}, "required": ["scope"]},
            "then": {"properties": {"needs": {"items": {"enum": facts}}, "evidence": {"items": {"enum": groups}}}},
        })
    });
    schema["allOf"] = by_scope.collect();
    schema
}

#[cfg(test)]
mod tests;
