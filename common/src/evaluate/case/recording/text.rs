//! The text of a case that was made from a recording.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::{Expected, value_of};
use crate::evaluate::{ClassMatch, Outcome, Verdict};
use crate::objects::Kind;

/// The case.
pub(super) fn of(draft: &Draft, expected: &Expected<'_>) -> String {
    let mut out = String::from("# Made from a recording by `stargate rubric record`. Say in the title what it shows.\n");
    let title = match expected.stage {
        Some(stage) => format!("{} of {}, as recorded", stage, draft.namespace),
        None => format!("{}, as recorded", draft.namespace),
    };
    section(&mut out, "title", json!(title));
    section(&mut out, "namespace", json!(draft.namespace));
    if draft.gone {
        section(&mut out, "namespace_gone", json!(true));
    }
    let kinds: Vec<&str> = draft
        .read
        .iter()
        .copied()
        .filter(|kind| *kind != Kind::Namespace)
        .map(Kind::as_str)
        .collect();
    let kinds = if draft.gone || draft.read.contains(&Kind::Namespace) {
        [vec!["namespace"], kinds].concat()
    } else {
        kinds
    };
    section(&mut out, "read", json!(kinds));
    if !draft.not_read.is_empty() {
        section(&mut out, "not_read", json!(draft.not_read));
    }
    if !draft.cluster_facts.is_empty() {
        section(&mut out, "cluster_facts", json!(draft.cluster_facts));
    }
    for (name, items) in [
        ("subjects", &draft.subjects),
        ("resources", &draft.resources),
        ("probes", &draft.probes),
        ("smoke_runs", &draft.smoke_runs),
    ] {
        if !items.is_empty() {
            section(&mut out, name, json!(items));
        }
    }
    let names: Vec<&str> = draft.no_effect.iter().map(|name| name.trim_start_matches("not_read: ")).collect();
    if !names.is_empty() {
        section(&mut out, "no_effect", json!(names));
    }
    section(&mut out, "expect", expectation(expected));
    out
}

fn section(out: &mut String, name: &str, value: Value) {
    let mut map = Map::new();
    map.insert(name.to_owned(), value);
    // A JSON value can always be written as YAML, and a string can always be written to.
    if let Ok(text) = serde_yaml::to_string(&Value::Object(map)) {
        let _ = writeln!(out, "{}", text.trim_end());
    }
}

fn expectation(expected: &Expected<'_>) -> Value {
    let mut map = Map::new();
    if let Some((_, instance)) = expected.verdict.instances.first() {
        map.insert("kind".to_owned(), json!(instance.kind));
        map.insert("phase".to_owned(), json!(instance.lifecycle.phase));
    }
    for verdict in expected.verdicts(expected.verdict) {
        map.insert(verdict.stage.as_str().to_owned(), of_stage(verdict));
    }
    Value::Object(map)
}

fn of_stage(verdict: &Verdict) -> Value {
    let mut map = Map::new();
    let mut say = |field: &str, value: Value| drop(map.insert(field.to_owned(), value));
    say("outcome", json!(verdict.outcome));
    if let Some(reason) = verdict.reason {
        say("reason", json!(reason.to_string()));
    }
    if matches!(verdict.outcome, Outcome::Fail | Outcome::Warn) {
        say("class", json!(verdict.failure_class.as_deref().unwrap_or("unclassified")));
        if verdict.class_match == Some(ClassMatch::Partial) {
            say("class_match", json!("partial"));
        }
        for (field, value) in [
            ("pattern_class", &verdict.pattern_class),
            ("sub_class", &verdict.sub_class),
            ("recommended_action", &verdict.recommended_action),
        ] {
            if let Some(value) = value {
                say(field, json!(value));
            }
        }
    }
    let criteria: Map<String, Value> = verdict
        .criteria
        .iter()
        .filter_map(|criterion| Some((criterion.name.to_string(), value_of(criterion)?)))
        .collect();
    if !criteria.is_empty() {
        say("criteria", Value::Object(criteria));
    }
    Value::Object(map)
}
