//! The published schemas are those of this program, take every shipped file, and refuse what the loader refuses.

use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas};

use super::*;
use crate::evaluate::files;
use crate::evaluate::rubric::{File, RubricSet};

/// The schema for a file of a set; none for those that have no schema.
fn schema_of(path: &str) -> Option<&'static str> {
    if path.starts_with("remediations/") {
        Some("action.json")
    } else if path.starts_with("labs/") {
        Some("lab.json")
    } else if path.starts_with("patterns/") {
        Some("patterns.json")
    } else {
        path.ends_with("/rubric.yaml").then_some("rubric.json")
    }
}

fn compiled() -> (Schemas, impl Fn(&str) -> SchemaIndex) {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let indexes = all().map(|(name, schema)| {
        let url = format!("https://stargate.example.com/{name}");
        compiler.add_resource(&url, schema).unwrap();
        (name, compiler.compile(&url, &mut schemas).unwrap())
    });
    let index = move |name: &str| indexes.iter().find(|(other, _)| *other == name).unwrap().1;
    (schemas, index)
}

fn yaml(text: &str) -> Value {
    crate::yaml::from_str(text).unwrap()
}

#[test]
fn the_published_schemas_are_current() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rubrics/schema");
    for (name, schema) in all() {
        let published = std::fs::read_to_string(dir.join(name)).unwrap_or_default();
        assert!(
            published == text(&schema),
            "rubrics/schema/{name} is out of date: run `cargo run -p stargate-cli -- rubric schema --write rubrics/schema`"
        );
    }
}

#[test]
fn every_shipped_file_is_valid_and_tells_editors_its_schema() {
    let (schemas, index) = compiled();
    let mut checked = 0;
    for File { path, text } in files::embedded() {
        let Some(name) = schema_of(path) else { continue };
        let content = yaml(text);
        let valid = schemas.validate(&content, index(name));
        assert!(valid.is_ok(), "{path}: {}", valid.unwrap_err());
        let up = match name {
            "action.json" => "../../rubrics/schema",
            "lab.json" => "../../schema",
            _ => "../schema",
        };
        let header = format!("# yaml-language-server: $schema={up}/{name}");
        assert_eq!(text.lines().next(), Some(header.as_str()), "{path}");
        checked += 1;
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn what_a_schema_refuses_the_loader_refuses_too() {
    let (schemas, index) = compiled();
    let rubric = "deployment-ready/rubric.yaml";
    let action = "remediations/inspect_quota/action.yaml";
    let lab = "labs/webshop-database/rubric.yaml";
    let patterns = "patterns/k8s_events.yaml";
    for (path, from, to) in [
        (rubric, "timeout_seconds: 300\n", ""),
        (rubric, "timeout_seconds: 300", "timeout_seconds: 0"),
        (rubric, "timeout_seconds: 300", "timeout_second: 300"),
        (rubric, "version: 1.0.0", "version: '1.0'"),
        (rubric, "stage: deployment-ready", "stage: deployments-ready"),
        (rubric, "id: deployment-ready", "id: route-ready"),
        (rubric, "- name: no_crashloop_pods", "- name: no_crashlop_pods"),
        (rubric, "severity: 7", "severity: 11"),
        (rubric, "grade: failure", "grade: fatal"),
        (rubric, "area: workload", "area: kitchen"),
        (rubric, "title: Out of memory", "titel: Out of memory"),
        (rubric, "title: Out of memory", "title: ' '"),
        (
            "smoke-test-ready/rubric.yaml",
            "version: 1.0.0",
            "timeout_seconds: 9\nversion: 1.0.0",
        ),
        (action, "mode: recommend_only", "mode: auto_execute"),
        (action, "mode: recommend_only", "mode: never"),
        (action, "risk: low", "risk: none"),
        (action, "reads: [quotas", "reads: [quota"),
        (action, "reads: [", "# reads: ["),
        (lab, "extends: deployment-ready", "extends: cluster-health"),
        (lab, "kinds: [container]", "kinds: []"),
        (lab, "'example-labs.webshop.*'", "'*'"),
        (lab, "    settle_seconds: 600", "    settle_seconds: 0"),
        (lab, "    expr: ", "    # expr: "),
        (patterns, "source: k8s_events", "source: k8s_event"),
    ] {
        let all = files::embedded();
        let text = all.iter().find(|file| file.path == path).unwrap().text;
        assert!(text.contains(from), "{path} has no {from:?}");
        let changed = text.replacen(from, to, 1);
        let content = yaml(&changed);
        let valid = schemas.validate(&content, index(schema_of(path).unwrap()));
        assert!(valid.is_err(), "the schema takes {path} with {to:?}");
        let files: Vec<File<'_>> = all
            .iter()
            .map(|file| File {
                path: file.path,
                text: if file.path == path { &changed } else { file.text },
            })
            .collect();
        assert!(RubricSet::from_files(&files).is_err(), "the loader takes {path} with {to:?}");
    }
}
