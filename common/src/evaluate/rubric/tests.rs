//! The embedded rubrics load clean, and every kind of mistake is found with its place and a way out.

use super::*;
use crate::evaluate::embedded;
use crate::evaluate::lint::Level;

/// The embedded set with one text replaced in one file.
fn with(path: &str, from: &str, to: &str) -> Result<RubricSet, LoadError> {
    let all = files::embedded();
    let text = all.iter().find(|file| file.path == path).unwrap().text;
    assert!(text.contains(from), "{path} has no {from:?}");
    let changed = text.replacen(from, to, 1);
    let files: Vec<File<'_>> = all
        .iter()
        .map(|file| File {
            path: file.path,
            text: if file.path == path { &changed } else { file.text },
        })
        .collect();
    RubricSet::from_files(&files)
}

/// The first error of such a set, without its help.
fn mistake(path: &str, from: &str, to: &str) -> String {
    match with(path, from, to) {
        Err(LoadError::Invalid(findings)) => {
            assert!(
                findings.iter().all(|finding| !finding.help.is_empty()),
                "every finding says what to do"
            );
            let Finding { file, line, message, .. } = &findings[0];
            format!("{file}:{line}: {message}")
        }
        other => panic!("loaded in spite of it: {other:?}"),
    }
}

#[test]
fn the_embedded_rubrics_have_no_errors_and_no_warnings() {
    let set = RubricSet::embedded().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(set.warnings, Vec::new());
    assert_eq!(set.rubrics().len(), Stage::ALL.len());
    for stage in Stage::ALL {
        assert_eq!(set.rubric(stage).stage, stage);
    }
    assert_eq!(set.version.len(), 16);
}

#[test]
fn the_embedded_rubrics_are_those_of_the_directory() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rubrics");
    let from_dir = RubricSet::from_dir(&dir).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(from_dir.version, RubricSet::embedded().unwrap().version);
}

#[test]
fn a_missing_directory_is_named() {
    let error = RubricSet::from_dir(Path::new("/nowhere/rubrics")).expect_err("nothing is there");
    assert!(error.to_string().contains("/nowhere/rubrics"), "{error}");
}

#[test]
fn order_is_precedence() {
    let set = RubricSet::embedded().unwrap();
    let names: Vec<&str> = set.rubric(Stage::DeploymentReady).classes.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names[..3], ["oom_killed", "pods_crashlooping", "image_pull_backoff"]);
}

#[test]
fn entry_classes_know_the_action_of_their_definition() {
    let set = RubricSet::embedded().unwrap();
    let entry = &set.rubric(Stage::DeploymentReady).entry[0];
    let class = entry.class.as_ref().unwrap();
    assert_eq!((&*entry.name, class.name.as_str()), ("namespace_exists", "namespace_missing"));
    assert_eq!(class.recommended_action.as_deref(), Some("reclaim_sandbox_placement"));
}

#[test]
fn the_version_follows_the_content() {
    let changed = with("route-ready/rubric.yaml", "version: 1.0.0", "version: 1.0.1").unwrap();
    assert_ne!(changed.version, RubricSet::embedded().unwrap().version);
}

const FILE: &str = "deployment-ready/rubric.yaml";

#[test]
fn finds_unknown_fields_and_doubled_classes() {
    assert!(mistake(FILE, "timeout_seconds:", "timeout_second:").contains("unknown field `timeout_second`"));
    assert!(mistake(FILE, "    title: Out of memory", "    titel: Out of memory").contains("unknown field `titel`"));
    let doubled = mistake(FILE, "  deployment_missing:", "  pods_not_ready:");
    assert!(doubled.ends_with("duplicate mapping key: pods_not_ready"), "{doubled}");
    let elsewhere = mistake(FILE, "  deployment_missing:", "  route_missing:");
    assert!(elsewhere.contains("`route_missing` is also defined by"), "{elsewhere}");
}

#[test]
fn finds_names_that_the_stage_does_not_observe() {
    let said = mistake(FILE, "when: [deployment_exists == false]", "when: [deployment_exist == false]");
    assert!(said.contains("there is no `deployment_exist`"), "{said}");
    let said = mistake(FILE, "  - name: no_crashloop_pods", "  - name: route_exists");
    assert!(said.contains("observes no criterion or fact `route_exists`"), "{said}");
    assert!(mistake(FILE, "stage: deployment-ready", "stage: deployments-ready").contains("no stage `deployments-ready`"));
    assert!(mistake(FILE, "id: deployment-ready", "id: deployments").contains("should be the same word"));
}

#[test]
fn one_misspelt_name_is_one_error() {
    let Err(LoadError::Invalid(findings)) = with(FILE, "no_crashloop_pods == false", "no_crashlop_pods == false") else {
        panic!("loaded in spite of it");
    };
    assert_eq!(findings.len(), 1, "{findings:?}");
}

#[test]
fn finds_operators_that_conditions_do_not_have() {
    for wrong in [
        "deployment_exists = false",
        "deployment_exists =~ false",
        "deployment_exists > true",
        "deployment_exists + 1",
        "deployment_exists &&",
        "deployment_exists.all(x, true)",
    ] {
        mistake(FILE, "when: [deployment_exists == false]", &format!("when: ['{wrong}']"));
    }
}

#[test]
fn finds_classes_that_never_match() {
    let contradiction = mistake(
        FILE,
        "when: [deployment_exists == false]",
        "when: [deployment_exists == false, deployment_exists != false]",
    );
    assert!(
        contradiction.contains("`deployment_exists != false` contradicts `deployment_exists == false`"),
        "{contradiction}"
    );
    let shadowed = mistake(
        FILE,
        "when: [no_failed_jobs == false]",
        "when: [no_failed_jobs == false, deployment_exists == false]",
    );
    assert!(
        shadowed.contains("`deployment_missing` above it matches whenever it would"),
        "{shadowed}"
    );
    let together = mistake(
        FILE,
        "when: [no_failed_jobs == false]",
        "when: ['no_failed_jobs == false && (!deployment_exists || deployment_exists && !desired_replicas_ready)']",
    );
    assert!(
        together.contains("whenever it would, one of `pods_not_ready`, `deployment_missing` above it does"),
        "{together}"
    );
    let empty = mistake(
        FILE,
        "when: [no_failed_jobs == false]",
        "when: [no_failed_jobs == false, no_oom_kills || !no_oom_kills]",
    );
    assert!(empty.contains("`no_oom_kills || !no_oom_kills` always holds"), "{empty}");
    let numbers = mistake(
        "cluster-health/rubric.yaml",
        "when: [cluster_reachable == true, no_hot_nodes == false]",
        "when: [cpu_percent > 90, memory_percent < 10, 'cpu_percent < 50 || memory_percent > 20']",
    );
    assert!(
        numbers.contains("contradicts what the conditions above it say together"),
        "{numbers}"
    );
    let nowhere = mistake(FILE, "    when: [no_failed_jobs == false]\n", "");
    assert!(nowhere.contains("has no conditions and no entry criterion names it"), "{nowhere}");
}

#[test]
fn finds_a_criterion_that_is_compared_with_a_number() {
    let said = mistake(FILE, "when: [deployment_exists == false]", "when: [deployment_exists == 0]");
    assert!(
        said.contains("`deployment_exists` is true or false and is compared with int"),
        "{said}"
    );
}

#[test]
fn finds_actions_that_must_not_be_offered() {
    let said = mistake(FILE, "  - inspect_pod_logs\n", "");
    assert!(said.contains("`inspect_pod_logs` is not among the allowed ones"), "{said}");
    let both = mistake(
        FILE,
        "  - delete_source_snapshot",
        "  - delete_source_snapshot\n  - inspect_pod_logs",
    );
    assert!(both.contains("inspect_pod_logs"), "{both}");
}

#[test]
fn every_action_that_a_rubric_names_is_in_the_catalog() {
    let unknown = mistake(FILE, "  - delete_source_snapshot", "  - delete_source_snapshots");
    assert!(unknown.contains("the catalog has no action `delete_source_snapshots`"), "{unknown}");
    let never = mistake(FILE, "  - inspect_pod_logs\n", "  - inspect_pod_logs\n  - create_namespace\n");
    assert!(never.contains("action `create_namespace` may never be offered"), "{never}");
    let Err(LoadError::Invalid(findings)) = with(FILE, "  - inspect_pod_logs\n", "  - inspect_pod_log\n") else {
        panic!("loaded in spite of it");
    };
    assert!(
        findings.iter().any(|finding| finding.help == "did you mean `inspect_pod_logs`?"),
        "{findings:?}"
    );
}

#[test]
fn finds_numbers_and_words_out_of_range() {
    assert!(mistake(FILE, "severity: 7", "severity: 11").contains("severity is out of range"));
    assert!(mistake(FILE, "timeout_seconds: 300", "timeout_seconds: 0").contains("timeout_seconds is 0"));
    assert!(mistake(FILE, "timeout_seconds: 300\n", "").contains("timeout_seconds is missing"));
    let idle = mistake(
        "smoke-test-ready/rubric.yaml",
        "version: 1.0.0",
        "timeout_seconds: 60\nversion: 1.0.0",
    );
    assert!(idle.contains("timeout_seconds changes nothing"), "{idle}");
    assert!(mistake(FILE, "version: 1.0.0", "version: '1.0'").contains("not major.minor.patch"));
    assert!(mistake(FILE, "area: workload", "area: kitchen").contains("kitchen"));
    assert!(mistake(FILE, "class: namespace_missing", "class: namespace_mising").contains("no rubric has a class"));
    assert!(mistake(FILE, "owner: namespace-ready", "owner: route-ready").contains("not an earlier stage"));
}

#[test]
fn says_where_and_suggests_the_nearest_name() {
    let Err(LoadError::Invalid(findings)) = with(FILE, "deployment_exists == false", "deploymnt_exists == false") else {
        panic!("loaded in spite of it");
    };
    let text = embedded::FILES.iter().find(|file| file.path == FILE).unwrap().text;
    let line = text.lines().position(|line| line.contains("deployment_exists == false")).unwrap() + 1;
    assert_eq!(findings[0].line, u64::try_from(line).unwrap());
    assert!(findings[0].column > 1);
    assert_eq!(findings[0].help, "did you mean `deployment_exists`?");
}

#[test]
fn a_required_criterion_without_class_is_a_warning_only() {
    let set = with(
        FILE,
        "when: [deployment_exists == false]",
        "when: [no_config_errors == false, no_oom_kills == false]",
    )
    .unwrap();
    assert_eq!(set.warnings, Vec::new(), "other classes mention deployment_exists");
    let set = with(
        "model-endpoint-ready/rubric.yaml",
        ", test_inference_succeeded == false]",
        ", model_loaded == false]",
    )
    .unwrap();
    assert_eq!(set.warnings.len(), 1);
    assert_eq!(set.warnings[0].level, Level::Warning);
    assert!(set.warnings[0].message.contains("test_inference_succeeded"));
}

#[test]
fn finds_mistakes_in_the_other_files() {
    let regex = mistake("sub-classes.yaml", "pattern: multi-attach\n", "pattern: '(multi-attach'\n");
    assert!(regex.contains("is not a regular expression"), "{regex}");
    let class = mistake("sub-classes.yaml", "  pods_crashlooping:", "  pods_crashloping:");
    assert!(class.contains("no rubric has a class `pods_crashloping`"), "{class}");
    let unreachable = with("sub-classes.yaml", "        pattern: multi-attach\n", "")
        .expect_err("the default is not the last")
        .to_string();
    assert!(
        unreachable.contains("can never match: the one above it is the default"),
        "{unreachable}"
    );
    let pattern = mistake("sub-classes.yaml", "  sync_failed:", "  sink_failed:");
    assert!(pattern.contains("`k8s_events` has no class `sink_failed`"), "{pattern}");
    assert!(mistake("kinds.yaml", "  vm:\n", "  wm:\n").contains("no kind `wm`"));
    assert!(mistake("kinds.yaml", "    route-ready: data\n", "").contains("says nothing of `route-ready`"));
    let never = mistake("kinds.yaml", "    namespace-ready: always\n", "    namespace-ready: never\n");
    assert!(never.contains("`namespace-ready` is judged whatever the kind of lab"), "{never}");
}

#[test]
fn finds_mistakes_in_pattern_classes() {
    let shadowed = mistake("patterns/alertmanager.yaml", "\\bcve-[0-9]{4}-[0-9]+", "");
    assert!(shadowed.starts_with("patterns/alertmanager.yaml:"), "{shadowed}");
    assert!(shadowed.contains("this near miss is of class `insights_cve`"), "{shadowed}");
    let files: Vec<File<'_>> = files::embedded()
        .into_iter()
        .map(|file| match file.path {
            "patterns/aap.yaml" => File {
                path: "patterns/app.yaml",
                ..file
            },
            _ => file,
        })
        .collect();
    let error = RubricSet::from_files(&files).expect_err("misspelt").to_string();
    assert!(error.contains("patterns/app.yaml: error: there is no source `app`"), "{error}");
    assert!(error.contains("patterns/aap.yaml: error: the file is missing"), "{error}");
}

#[test]
fn a_set_is_whole() {
    let files: Vec<File<'_>> = files::embedded().into_iter().filter(|file| file.path != FILE).collect();
    let error = RubricSet::from_files(&files).expect_err("one is missing").to_string();
    assert!(
        error.contains("deployment-ready/rubric.yaml: error: the rubric is missing"),
        "{error}"
    );
}
