//! What a file of cases may say, and how it is told what it may not.

use super::*;
use crate::objects::Kind;
use crate::unknown::UnknownReason;

fn flaws(text: &str) -> String {
    parse("case.yaml", text).unwrap_err().to_string()
}

fn one(text: &str) -> Situation {
    let mut case = parse("case.yaml", text).unwrap();
    assert_eq!(case.situations.len(), 1);
    case.situations.remove(0)
}

const WORKER: &str = "
title: A worker
namespace: sandbox-a
resources:
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: worker, creationTimestamp: -40m}
    status: {readyReplicas: 1, conditions: [{type: Progressing, status: 'True', lastTransitionTime: -5m}]}
";

#[test]
fn what_is_not_mentioned_was_read_and_is_not_there() {
    let situation = one(&format!("{WORKER}expect: {{deployment-ready: pass}}"));
    let inventory = &situation.snapshot.namespaces["sandbox-a"];
    assert_eq!(inventory.pods, crate::objects::Listing::complete(Vec::new()));
    assert_eq!(inventory.probes.missing, None);
    assert_eq!(inventory.namespace.items[0].status.phase, "Active");
    assert_eq!(situation.snapshot.cluster.nodes.missing, Some(UnknownReason::NotCollected));
    let worker = &inventory.deployments.items[0];
    assert_eq!(situation.now.to_rfc3339(), "2026-03-02T09:00:00+00:00");
    assert_eq!(
        worker.metadata.creation_timestamp.map(|at| at.to_rfc3339()).as_deref(),
        Some("2026-03-02T08:20:00+00:00")
    );
}

#[test]
fn what_was_not_read_is_unknown_for_its_reason() {
    let situation = one(&format!(
        "{WORKER}read: [pod]\nnot_read: {{route: forbidden}}\nexpect: {{deployment-ready: pass}}"
    ));
    let inventory = &situation.snapshot.namespaces["sandbox-a"];
    assert_eq!(inventory.pods.missing, None);
    assert_eq!(inventory.deployments.missing, None);
    assert_eq!(inventory.routes.missing, Some(UnknownReason::Forbidden));
    assert_eq!(inventory.services.missing, Some(UnknownReason::NotCollected));
    assert_eq!(inventory.namespace.missing, Some(UnknownReason::NotCollected));
}

#[test]
fn a_variant_patches_adds_takes_away_and_moves_the_clock() {
    let case = parse(
        "case.yaml",
        &format!(
            "{WORKER}variants:
  - title: ten minutes later
    at: +10m
    resources: [{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: worker}}, status: {{readyReplicas: 0}}}}]
    expect: {{deployment-ready: {{outcome: fail, class: pods_not_ready}}}}
  - title: gone
    without: [Deployment/worker]
    expect: {{deployment-ready: {{outcome: fail, class: deployment_missing}}}}
"
        ),
    )
    .unwrap();
    let [later, gone] = case.situations.as_slice() else {
        panic!("two variants")
    };
    assert_eq!(later.title, "A worker (ten minutes later)");
    let worker = &later.snapshot.namespaces["sandbox-a"].deployments.items[0];
    assert_eq!(worker.status.ready_replicas, 0);
    assert_eq!(worker.status.conditions.len(), 1, "what the patch does not name stays");
    assert_eq!(
        later.now - worker.metadata.creation_timestamp.unwrap(),
        chrono::TimeDelta::minutes(50)
    );
    assert!(gone.snapshot.namespaces["sandbox-a"].deployments.items.is_empty());
}

#[test]
fn everything_wrong_is_told_with_its_place() {
    for (text, message) in [
        ("title: x\nnamespace: a", "case.yaml:1:8: nothing is expected: add `expect`"),
        (
            "title: x\nnamespace: a\nexpect: {}",
            "case.yaml:3:9: nothing is expected: list at least one stage",
        ),
        ("title: x\nexpect: {run-created: pass}", "case.yaml:1:8: name the `namespace`"),
        (
            "title: x\nnamespace: a\nexpect:\n  run-created: fail",
            "case.yaml:4:16: run-created: say which `class`, or `unclassified`",
        ),
        (
            "title: x\nnamespace: a\nexpect:\n  run-created: indeterminate",
            "case.yaml:4:16: run-created: say the `reason`",
        ),
        (
            "title: x\nnamespace: a\nresources:\n  - {kind: Pod}\nexpect: {run-created: pass}",
            "case.yaml:4:5: an object needs `kind` and `metadata.name`",
        ),
        (
            "title: x\nnamespace: a\nresources:\n  - {apiVersion: v1, kind: Secret, metadata: {name: s}}\nexpect: {run-created: pass}",
            "case.yaml:4:5: v1 Secret is not a kind that StarGate judges by",
        ),
        (
            "title: x\nnamespace: a\nresources:\n  - {apiVersion: v1, kind: Pod, metadata: {name: p}, status: {fase: Running}}\nexpect: {run-created: pass}",
            "case.yaml:4:5: Pod/p: nothing reads the field `status.fase`: misspelt? else leave it out",
        ),
        (
            "title: x\nnamespace: a\nresources:\n  - {apiVersion: v1, kind: Pod, metadata: {name: p, creationTimestamp: 40m}}\nexpect: {run-created: pass}",
            "case.yaml:4:5: Pod/p: metadata.creationTimestamp `40m` is neither RFC 3339 nor an offset such as -40m",
        ),
        (
            "title: x\nnamespace: a\nresources:\n  - {apiVersion: v1, kind: Pod, metadata: {name: p, namespace: b}}\nexpect: {run-created: pass}",
            "case.yaml:4:5: Pod/p is in namespace b; the case is about a",
        ),
        (
            "title: x\nnamespace: a\nwithout: [Pod/p]\nexpect: {run-created: pass}",
            "case.yaml:3:11: there is no `Pod/p` to leave out",
        ),
        (
            "title: x\nnamespace: a\nat: -5m\nexpect: {run-created: pass}",
            "case.yaml:3:5: only a variant's `at` may be an offset; write RFC 3339",
        ),
    ] {
        let found = flaws(text);
        assert!(found.starts_with(message), "{text}\n  gives {found}\n  not   {message}");
    }
}

#[test]
fn misspelt_words_are_told_with_their_place() {
    for (text, line, word) in [
        ("title: x\nnamespace: a\nexpect: {}\nexpct: {}", 4, "expct"),
        ("title: x\nnamespace: a\nexpect:\n  deployment-redy: pass", 4, "deployment-redy"),
        ("title: x\nnamespace: a\nexpect:\n  run-created: passes", 4, "passes"),
        (
            "title: x\nnamespace: a\nexpect:\n  run-created: {outcome: pass, clas: x}",
            4,
            "clas",
        ),
        (
            "title: x\nnamespace: a\nexpect:\n  run-created: {outcome: indeterminate, reason: forbiden}",
            4,
            "forbiden",
        ),
        (
            "title: x\nnamespace: a\nexpect:\n  run-created: {outcome: pass, criteria: {a: maybe}}",
            4,
            "maybe",
        ),
        ("title: x\nnamespace: a\nnot_read:\n  podz: forbidden\nexpect: {}", 4, "podz"),
        ("title: x\nnamespace: a\nnot_read:\n  pod: because\nexpect: {}", 4, "because"),
        ("title: x\nnamespace: a\ndeclared: {rutes: [a]}\nexpect: {}", 3, "rutes"),
        ("title: x\ntitle: y", 2, "title"),
    ] {
        let found = flaws(text);
        assert!(found.starts_with(&format!("case.yaml:{line}:")), "{text}\n  gives {found}");
        assert!(found.contains(word), "{text}\n  gives {found}");
    }
}

#[test]
fn kinds_of_the_cluster_are_read_when_given() {
    let situation = one(
        "title: x\nnamespace: a\ncluster: east\nresources:\n  - {apiVersion: v1, kind: Node, metadata: {name: n}}\n\
         cluster_facts: {reachable: {answered: false, detail: refused}, critical_alerts: []}\nexpect: {cluster-health: pass}",
    );
    let cluster = &situation.snapshot.cluster;
    assert_eq!(cluster.name, "east");
    assert_eq!((cluster.nodes.items.len(), cluster.nodes.missing), (1, None));
    assert_eq!(cluster.node_metrics.missing, Some(UnknownReason::NotCollected));
    assert_eq!(cluster.critical_alerts.missing, None);
    assert!(!cluster.reachable.as_ref().unwrap().answered);
    assert!(Kind::ALL.contains(&Kind::Node));
}

#[test]
fn what_the_rubric_says_of_a_class_can_be_expected() {
    let rubrics = RubricSet::embedded().unwrap();
    let said = |fields: &str| {
        let text = format!(
            "title: x\nnamespace: sandbox-a\ndeclared: {{kind: container}}\nexpect:\n  deployment-ready: {{outcome: fail, {fields}}}"
        );
        let case = parse("case.yaml", &text).unwrap_or_else(|error| panic!("{error}"));
        run(&rubrics, &case).iter().map(|miss| miss.detail.clone()).collect::<Vec<_>>()
    };
    let class = "class: deployment_missing";
    assert_eq!(said(&format!("{class}, severity: 6, grade: failure, area: workload")), [""; 0]);
    assert_eq!(said(&format!("{class}, severity: 5")), ["expected severity 5, is 6"]);
    assert_eq!(said(&format!("{class}, grade: warning")), ["expected grade warning, is failure"]);
    assert_eq!(said(&format!("{class}, area: storage")), ["expected area storage, is workload"]);
    assert!(
        flaws("title: x\nnamespace: a\nexpect:\n  run-created: {outcome: pass, severity: 3}")
            .contains("only what fails or warns has a class")
    );
    let alone = flaws("title: x\nnamespace: a\nexpect:\n  run-created: {outcome: fail, class: x, auto_fix_confidence: low}");
    assert!(alone.contains("say which `sub_class` has the confidence"), "{alone}");
}
