//! What StarGate links: licences and origins, by the rules of `deny.toml`, for machines without cargo-deny.

#![cfg(test)]

use std::process::Command;

use serde_json::Value;

#[expect(clippy::disallowed_methods, reason = "cargo tells its tests where it is")]
fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .output()
        .expect("running cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// The quoted words of the list `key = [...]` in `deny.toml`.
fn list(rules: &str, key: &str) -> Vec<String> {
    let after = rules
        .split_once(&format!("\n{key} = ["))
        .unwrap_or_else(|| panic!("deny.toml has no {key}"))
        .1;
    let list = after.split_once("\n]").map_or(after, |(list, _)| list);
    let list = list.split_once("]\n").map_or(list, |(list, _)| list);
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What `deny.toml` says the licence of a crate is that does not name its own.
fn clarified(rules: &str, name: &str) -> Option<String> {
    let clarifications = rules.split("[[licenses.clarify]]").skip(1);
    let value = |text: &str, key: &str| Some(text.split_once(&format!("\n{key} = \""))?.1.split('"').next()?.to_owned());
    clarifications
        .filter(|text| value(text, "crate").as_deref() == Some(name))
        .find_map(|text| value(text, "expression"))
}

/// Whether an SPDX expression can be satisfied with allowed licences only. `/` is how old crates write OR.
fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace(['(', ')'], " ").replace('/', " OR ");
    // Parentheses are dropped, so AND binds tighter than it may have been written: stricter, never laxer, for the tree we have.
    expression.split(" OR ").any(|choice| {
        choice
            .split(" AND ")
            .all(|licence| allowed.iter().any(|allowed| allowed == licence.trim()))
    })
}

#[test]
fn licences_are_allowed_and_everything_comes_from_the_registry() {
    let rules = include_str!("../../deny.toml");
    let (allowed, denied) = (list(rules, "allow"), list(rules, "deny"));
    assert!(
        allowed.len() > 5 && denied.iter().any(|name| name == "openssl-sys"),
        "{allowed:?} {denied:?}"
    );
    let metadata = metadata();
    // What is resolved for our platform; `packages` lists every optional dependency of every crate besides.
    let used: Vec<&str> = metadata["resolve"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        if !used.contains(&package["id"].as_str().unwrap_or_default()) {
            continue;
        }
        let name = package["name"].as_str().expect("a name");
        let Some(source) = package["source"].as_str() else { continue };
        let named = package["license"].as_str().map(str::to_owned);
        let licence = named.or_else(|| clarified(rules, name)).unwrap_or_else(|| "none".to_owned());
        if !source.starts_with("registry+") {
            wrong.push(format!("{name} comes from {source}"));
        }
        if denied.iter().any(|denied| denied == name) {
            wrong.push(format!("{name} is banned by deny.toml"));
        }
        if !satisfied(&licence, &allowed) {
            wrong.push(format!("{name} has licence {licence}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn expressions_are_read_as_spdx() {
    let allowed = ["MIT".to_owned(), "Apache-2.0".to_owned()];
    assert!(satisfied("MIT OR GPL-3.0", &allowed));
    assert!(satisfied("Unlicense/MIT", &allowed));
    assert!(satisfied("(MIT OR Apache-2.0) AND MIT", &allowed));
    assert!(!satisfied("MIT AND OpenSSL", &allowed));
    assert!(!satisfied("none", &allowed));
}
