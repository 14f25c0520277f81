//! Facts come before words, words before the default; names are no words; and every mistake in the file is found.

use std::sync::{Arc, LazyLock};

use super::*;
use crate::evaluate::lint::{Finding, Report};
use crate::evaluate::rubric::RubricSet;
use crate::evidence::signals::SignalSource;

static SHIPPED: LazyLock<SubClasses> = LazyLock::new(|| RubricSet::embedded().unwrap_or_else(|error| panic!("{error}")).sub_classes);

fn found(class: &str, signals: &[Signal]) -> &'static str {
    SHIPPED.find(class, signals).map_or("none", |sub_class| sub_class.name.as_str())
}

fn pod(name: &str, reason: &str, text: &str) -> Signal {
    Signal {
        source: SignalSource::Waiting,
        reason: reason.to_owned(),
        text: text.to_owned(),
        ..Signal::about("Pod", name)
    }
}

#[test]
fn there_are_the_classes_and_rules_that_operators_know() {
    assert_eq!(SHIPPED.iter().count(), 14);
    assert_eq!(SHIPPED.iter().map(|(_, rules)| rules.len()).sum::<usize>(), 29);
}

#[test]
fn facts_come_before_words_and_words_before_the_default() {
    let importer = pod(
        "importer-prime-1",
        "Unschedulable",
        "0/9 nodes are available: 9 Insufficient memory.",
    );
    let web = pod("web-1", "Unschedulable", "0/9 nodes are available: 9 Insufficient memory.");
    assert_eq!(
        found("scheduling_failed", std::slice::from_ref(&web)),
        "scheduling_insufficient_resources"
    );
    assert_eq!(found("scheduling_failed", &[web, importer]), "scheduling_cdi_importer");
    assert_eq!(found("scheduling_failed", &[]), "none");
    assert_eq!(found("pods_crashlooping", &[]), "crashloop_app_pod");
    assert_eq!(found("pods_not_ready", &[]), "none");
}

#[test]
fn a_name_is_a_fact_and_never_a_word() {
    let named = pod("unauthorized-not-found-1", "ErrImagePull", "the registry does not answer");
    assert_eq!(found("image_pull_backoff", &[named]), "none");
    let told = pod("web-1", "CrashLoopBackOff", "virt-launcher and secret-generator are away");
    assert_eq!(found("pods_crashlooping", &[told]), "crashloop_app_pod");
}

#[test]
fn all_facts_of_one_alternative_are_about_one_signal() {
    let facts = Facts {
        reason: Some("oomkilled".to_owned()),
        exit_code: Some(137),
        ..Facts::default()
    };
    let ended = |reason: &str, code| Signal {
        exit_code: Some(code),
        ..pod("api-1", reason, "")
    };
    assert!(facts.hold(&ended("OOMKilled", 137)));
    assert!(!facts.hold(&ended("OOMKilled", 1)) && !facts.hold(&ended("Error", 137)));
    assert_eq!(facts.to_string(), "reason oomkilled and exit code 137");
}

const SMALL: &str = "\
classes:
  pods_crashlooping:
    source: rubric
    rules:
      - name: big
        description: It is big.
        facts:
          - {reason: Big}
        pattern: huge
        workload: application
        auto_fix_confidence: low
        matches:
          - {kind: Pod, reason: Big}
          - a huge pod
        near_misses: [a small pod]
      - name: other
        description: It is not.
        workload: application
        auto_fix_confidence: low
        matches: [a small pod]
        near_misses: [{reason: big}]
";

fn mistake(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    findings(&SMALL.replacen(from, to, 1))
}

fn findings(text: &str) -> String {
    let raw = crate::yaml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    let mut found: Vec<Finding> = Vec::new();
    SubClasses::compile(&raw, &mut Report::new(&Arc::from("sub-classes.yaml"), &mut found));
    let lines: Vec<String> = found.iter().map(|it| format!("{}:{} {}", it.line, it.column, it.message)).collect();
    lines.join("\n")
}

#[test]
fn every_mistake_is_found_with_its_place() {
    assert_eq!(findings(SMALL), "");
    let found = [
        mistake("name: other", "name: big"),
        mistake("{reason: Big}", "{}"),
        mistake("pattern: huge", "pattern: '(huge'"),
        mistake("          - a huge pod\n", ""),
        mistake("          - {kind: Pod, reason: Big}\n", ""),
        mistake("[a small pod]\n      - name", "[a HUGE pod]\n      - name"),
        mistake("        near_misses: [a small pod]\n", ""),
        mistake("matches: [a small pod]", "matches: [a huge pod]"),
        mistake("        facts:\n          - {reason: Big}\n        pattern: huge\n", ""),
    ];
    insta::assert_snapshot!(found.join("\n"), @"
    16:15 sub-class `big` is defined twice
    8:13 these facts are true of everything
    15:23 this near miss leads to sub-class `big`
    20:19 this signal leads to sub-class `big`, not to `other`
    9:18 `(huge` is not a regular expression that can be used: unclosed group
    9:18 no example shows this pattern
    8:13 no example shows these facts
    15:23 this near miss leads to sub-class `big`
    5:15 sub-class `big` has no near_misses
    20:19 this signal leads to sub-class `big`, not to `other`
    13:15 sub-class `other` can never match: the one above it is the default
    12:23 this near miss leads to sub-class `big`
    17:19 this signal leads to sub-class `big`, not to `other`
    ");
}
