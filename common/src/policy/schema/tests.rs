//! The published schema is that of this program, takes every shipped rule, and refuses what the loader refuses.

use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas};

use super::*;
use crate::evaluate::files::File;
use crate::policy::embedded::FILES;
use crate::policy::rule::RuleSet;

fn compiled() -> (Schemas, SchemaIndex) {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let url = "https://stargate.example.com/rule.json";
    compiler.add_resource(url, rule()).unwrap();
    let index = compiler.compile(url, &mut schemas).unwrap();
    (schemas, index)
}

fn yaml(text: &str) -> Value {
    crate::yaml::from_str(text).unwrap()
}

#[test]
fn the_published_schema_is_current() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/schema");
    for (name, schema) in all() {
        let published = std::fs::read_to_string(dir.join(name)).unwrap_or_default();
        assert!(
            published == crate::evaluate::schema::text(&schema),
            "policies/schema/{name} is out of date: run `cargo run -p stargate-cli -- policy schema --write policies/schema`"
        );
    }
}

#[test]
fn every_shipped_rule_is_valid_and_tells_editors_its_schema() {
    let (schemas, index) = compiled();
    for File { path, text } in FILES {
        let content = yaml(text);
        let valid = schemas.validate(&content, index);
        assert!(valid.is_ok(), "{path}: {}", valid.unwrap_err());
        assert_eq!(
            text.lines().next(),
            Some("# yaml-language-server: $schema=../schema/rule.json"),
            "{path}"
        );
    }
}

#[test]
fn what_the_schema_refuses_the_loader_refuses_too() {
    let (schemas, index) = compiled();
    for (rule, from, to) in [
        ("cluster_capacity", "scope: cluster", "scope: clusters"),
        ("cluster_capacity", "urgency: medium", "urgency: urgent"),
        ("cluster_capacity", "confidence: 0.7", "confidence: 1.7"),
        ("cluster_capacity", "sources: [scan]", "sources: [scanner]"),
        ("cluster_capacity", "evidence: [clusters]", "evidence: [sessions]"),
        ("cluster_capacity", "stages: [cluster-health]", "stages: [cluster]"),
        ("cluster_capacity", "title: A cluster", "titel: A cluster"),
        ("cluster_capacity", "cpu_warn: 70", "cpu_warn: many"),
        ("substrate_routing", "needs: [accelerator_nodes", "needs: [accelerators"),
        ("substrate_routing", "recommend: false", "recommended: false"),
        ("cluster_unreachable", "id: cluster_unreachable", "id: Cluster-Unreachable"),
    ] {
        let path = format!("policies/{rule}/rule.yaml");
        let text = FILES.iter().find(|file| file.path == path).unwrap().text;
        assert!(text.contains(from), "{path} has no {from:?}");
        let changed = text.replacen(from, to, 1);
        assert!(
            schemas.validate(&yaml(&changed), index).is_err(),
            "the schema takes {rule} with {to:?}"
        );
        let file = File {
            path: &path,
            text: &changed,
        };
        assert!(RuleSet::from_files(&[file]).is_err(), "the loader takes {rule} with {to:?}");
    }
}
