//! Criteria and conditions that are expressions, from the text of a rubric to the verdict.

use chrono::TimeDelta;

use super::*;
use crate::evaluate::files;
use crate::evaluate::judge::{Upstream, judge};
use crate::evaluate::lint::Finding;
use crate::evaluate::rubric::{File, LoadError, RubricSet};
use crate::evaluate::{ClassMatch, Outcome, Reason, Verdict};
use crate::evidence::document::Lab;
use crate::evidence::testing::*;
use crate::objects::Listing;
use crate::stage::Stage;

const FILE: &str = "deployment-ready/rubric.yaml";

const CRITERIA: &str = "
  - name: few_restarts
    description: No pod restarts more than five times.
    expr: pods.all(p, p.restarts <= 5)
  - name: seeded
    description: The seed Job has run.
    expr: jobs.exists(j, j.name == \"seed\" && j.complete)
    members: jobs.filter(j, !j.complete)
    settle_seconds: 900
    required: false
failure_classes:
  seed_missing:
    title: Not seeded
    description: The seed Job has not run.
    when: [seeded == false, deployment_exists]
    recommended_action: inspect_pod_logs
    severity: 3
    grade: warning
    area: workload
  restarts_often:
    title: Restarts often
    description: A pod restarts often.
    when: ['!few_restarts && pods.exists(p, p.restarts > 5)']
    recommended_action: inspect_pod_logs
    severity: 3
    grade: failure
    area: workload
";

/// The shipped rubrics, deployment-ready with criteria and classes added.
fn load(added: &str) -> Result<RubricSet, LoadError> {
    let all = files::embedded();
    let text = all.iter().find(|file| file.path == FILE).unwrap().text;
    let changed = text.replacen("\nfailure_classes:\n", added, 1);
    assert_ne!(changed, text);
    let files: Vec<File<'_>> = all
        .iter()
        .map(|file| File {
            path: file.path,
            text: if file.path == FILE { &changed } else { file.text },
        })
        .collect();
    RubricSet::from_files(&files)
}

fn verdict(world: &World) -> Verdict {
    let rubrics = load(CRITERIA).unwrap_or_else(|error| panic!("{error}"));
    let view = world.view();
    let evidence = evidence::deployment::observe(&view);
    let document = EvidenceDocument::of_instance(view, Lab::default());
    judge(&rubrics, Stage::DeploymentReady, &evidence, &document, Upstream::default())
}

fn healthy() -> World {
    let mut seed = job("seed");
    seed.status.conditions = vec![condition("Complete", "True", "")];
    World::new()
        .deployments([deployment("web")])
        .pods([pod_of("web", "7d4b9")])
        .jobs([seed])
}

fn restarting() -> World {
    let mut often = pod_of("web", "7d4b9");
    often.status.container_statuses[0].restart_count = 7;
    World {
        inventory: crate::objects::Inventory {
            pods: Listing::complete(vec![often]),
            ..healthy().inventory
        },
        ..healthy()
    }
}

#[test]
fn a_criterion_with_an_expression_is_judged_like_any_other() {
    assert_eq!(verdict(&healthy()).outcome, Outcome::Pass);
    let failed = verdict(&restarting());
    assert_eq!(
        (failed.outcome, failed.failure_class.as_deref()),
        (Outcome::Fail, Some("restarts_often"))
    );
    assert_eq!(failed.class_match, Some(ClassMatch::Strict));
    let name = &restarting().inventory.pods.items[0].metadata.name;
    assert_eq!(
        failed.message,
        format!("failed, restarts_often: few_restarts: Pod {name} (restarts is 7, not <= 5)")
    );
}

#[test]
fn unread_evidence_makes_it_unknown_with_the_reason() {
    let mut world = healthy();
    world.inventory.pods = Listing::unknown(UnknownReason::Forbidden);
    let unread = verdict(&world);
    assert_eq!(unread.outcome, Outcome::Indeterminate);
    assert_eq!(unread.reason, Some(Reason::Unknown(UnknownReason::Forbidden)));
    let criterion = unread.criteria.iter().find(|criterion| criterion.name == "few_restarts").unwrap();
    assert_eq!(criterion.unknown_reason, Some(UnknownReason::Forbidden));
    // What was read is enough for a no.
    world.inventory.pods = Listing {
        items: restarting().inventory.pods.items,
        missing: Some(UnknownReason::Truncated),
    };
    assert_eq!(verdict(&world).outcome, Outcome::Fail);
}

#[test]
fn it_may_settle_after_the_namespace_was_created() {
    let mut world = healthy();
    world.inventory.jobs.items[0].status.conditions.clear();
    let late = verdict(&world);
    assert_eq!((late.outcome, late.failure_class.as_deref()), (Outcome::Warn, Some("seed_missing")));
    let seeded = |verdict: &Verdict| {
        verdict
            .criteria
            .iter()
            .find(|criterion| criterion.name == "seeded")
            .cloned()
            .unwrap()
    };
    assert_eq!(seeded(&late).failing[0].name, "seed");
    assert_eq!(seeded(&late).failing[0].reason, "not complete");

    world.inventory.namespace.items[0].metadata.creation_timestamp = Some(ago(minutes(14)));
    let young = verdict(&world);
    assert_eq!(young.outcome, Outcome::Pass, "{}", young.message);
    assert_eq!(seeded(&young).unknown_reason, Some(UnknownReason::Progressing));
    assert_eq!(seeded(&young).failing.len(), 1, "what is waited for is named");
    world.inventory.namespace.items[0].metadata.creation_timestamp = Some(ago(minutes(15)));
    assert_eq!(verdict(&world).outcome, Outcome::Warn);
}

#[test]
fn a_required_one_that_settles_says_until_when() {
    let required = CRITERIA.replacen("    required: false\n", "", 1);
    let rubrics = load(&required).unwrap_or_else(|error| panic!("{error}"));
    let mut world = healthy();
    world.inventory.jobs = Listing::complete(Vec::new());
    world.inventory.namespace.items[0].metadata.creation_timestamp = Some(ago(minutes(5)));
    let view = world.view();
    let document = EvidenceDocument::of_instance(view, Lab::default());
    let verdict = judge(
        &rubrics,
        Stage::DeploymentReady,
        &evidence::deployment::observe(&view),
        &document,
        Upstream::default(),
    );
    assert_eq!(verdict.reason, Some(Reason::Unknown(UnknownReason::Progressing)));
    assert_eq!(verdict.until, Some(world.now + TimeDelta::minutes(10)));
}

#[test]
fn a_class_matches_in_part_while_some_of_it_is_unknown() {
    // Whether there is a Deployment is not known; that the seed is missing is.
    let mut world = healthy();
    world.inventory.deployments = Listing::unknown(UnknownReason::Timeout);
    world.inventory.stateful_sets = Listing::unknown(UnknownReason::Timeout);
    world.inventory.jobs = Listing::complete(Vec::new());
    world.inventory.pods = restarting().inventory.pods;
    let part = verdict(&world);
    assert_eq!(
        (part.outcome, part.failure_class.as_deref()),
        (Outcome::Fail, Some("restarts_often"))
    );
    let without = CRITERIA.replacen(
        "!few_restarts && pods.exists(p, p.restarts > 5)",
        "!few_restarts && size(routes) > 7",
        1,
    );
    let rubrics = load(&without).unwrap_or_else(|error| panic!("{error}"));
    let view = world.view();
    let document = EvidenceDocument::of_instance(view, Lab::default());
    let observed = evidence::deployment::observe(&view);
    let verdict = judge(&rubrics, Stage::DeploymentReady, &observed, &document, Upstream::default());
    assert_eq!(verdict.failure_class.as_deref(), Some("seed_missing"), "{}", verdict.message);
    assert_eq!(verdict.class_match, Some(ClassMatch::Partial));
}

/// The first finding of a set with that criterion.
fn finding(criterion: &str) -> Finding {
    match load(&format!("\n{criterion}\nfailure_classes:\n")) {
        Err(LoadError::Invalid(findings)) => findings[0].clone(),
        other => panic!("loaded in spite of it: {}", other.is_ok()),
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    let head = "  - name: few_restarts\n    description: x\n";
    for (criterion, message, column) in [
        ("    expr: pods.all(p, p.restart <= 5)", "a Pod has no field `restart`", 24),
        ("    expr: 'pods.all(p, p.restart <= 5)'", "a Pod has no field `restart`", 25),
        ("    expr: pods.all(p, p.restarts <= 5", "syntax error", 0),
        ("    expr: no_crashloop_pods", "there is no `no_crashloop_pods`", 11),
        ("    expr: size(pods)", "yields int", 11),
        ("    expr: size(pods) > 0\n    members: size(pods)", "not a list of records", 0),
        ("    expr: size(pods) > 0\n    settle_seconds: 0", "settle_seconds is 0", 0),
    ] {
        let found = finding(&format!("{head}{criterion}"));
        assert!(found.message.contains(message), "{criterion}: {found}");
        assert!(column == 0 || found.column == column, "{criterion}: {found}");
        assert!(!found.help.is_empty());
    }
    let stray = finding("  - name: no_oom_kills\n    description: x\n    settle_seconds: 5");
    assert!(stray.message.contains("`settle_seconds` without `expr`"), "{stray}");
    let block = finding(&format!("{head}    expr: |\n      size(pods) > 0 &&\n      size(podz) > 0\n"));
    assert!(block.message.contains("there is no `podz`"), "{block}");
    let first = finding(&format!("{head}    expr: sise(pods) > 0"));
    assert_eq!((block.line, block.column), (first.line + 2, 12), "the place within the block");
    for taken in ["pods", "no_oom_kills", "Few-Restarts"] {
        let found = finding(&format!("  - name: {taken}\n    description: x\n    expr: size(pods) > 0"));
        assert!(
            found.message.contains("already") || found.message.contains("snake-case"),
            "{taken}: {found}"
        );
    }
}

#[test]
fn one_mistake_in_an_expression_is_one_error() {
    let Err(LoadError::Invalid(findings)) = load(&CRITERIA.replacen("p.restarts <= 5", "p.restart <= 5", 1)) else {
        panic!("loaded in spite of it");
    };
    assert_eq!(findings.len(), 1, "{findings:?}");
}

#[test]
fn a_cluster_has_no_pods_of_a_lab() {
    let variables: Vec<&str> = lint::documented(Stage::ClusterHealth)
        .iter()
        .map(|variable| &*variable.name)
        .collect();
    assert_eq!(variables, ["cluster", "nodes", "operators"]);
}
