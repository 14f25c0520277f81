use super::*;

const ENTRY: &str = include_str!("../../../../remediations/raise_pool_minimum/operation.yaml");
const POD: &str = include_str!("../../../../remediations/restart_crashlooping_pod/operation.yaml");
const DIAGNOSIS: &str = include_str!("../../../../remediations/inspect_dns/diagnosis.yaml");

fn sets() -> (RubricSet, RuleSet) {
    (RubricSet::embedded().unwrap(), RuleSet::embedded().unwrap())
}

/// What is wrong with one file.
fn findings(path: &str, text: &str) -> Vec<String> {
    let (rubrics, rules) = sets();
    match Catalog::from_files(&[File { path, text }], &rubrics, &rules) {
        Ok(_) => Vec::new(),
        Err(CatalogError::Invalid(findings)) => findings.iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

/// The one mistake of an entry that differs from a right one, told with its line.
#[track_caller]
fn refused(file: &str, text: &str, from: &str, to: &str, expected: &str) {
    assert!(text.contains(from), "the text has {from:?}");
    let found = findings(file, &text.replacen(from, to, 1));
    let told = found.iter().find(|finding| finding.contains(expected));
    let told = told.unwrap_or_else(|| panic!("{expected:?} is among {found:#?}"));
    let place = told
        .strip_prefix(&format!("{file}:"))
        .unwrap_or_else(|| panic!("{told} names the file"));
    assert!(place.starts_with(|c: char| c.is_ascii_digit()), "{told} names the line");
}

const POOL_FILE: &str = "remediations/raise_pool_minimum/operation.yaml";
const POD_FILE: &str = "remediations/restart_crashlooping_pod/operation.yaml";

#[test]
fn the_built_in_catalog_is_right_and_complete() {
    let (rubrics, rules) = sets();
    let catalog = Catalog::embedded(&rubrics, &rules).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../remediations");
    let of_disk = Catalog::from_dir(&root, &rubrics, &rules).unwrap();
    assert_eq!(catalog.version, of_disk.version, "a file of remediations/ is not built in");
    for operation in Operation::ALL {
        assert!(
            catalog.entries.values().any(|entry| entry.operation == operation),
            "no entry for {operation}"
        );
    }
    for entry in catalog.entries.values() {
        assert!(
            entry.mode != Mode::AutoExecute || (entry.risk < Risk::High && !entry.requires_approval),
            "{}",
            entry.id
        );
    }
}

#[test]
fn every_failure_class_has_a_diagnosis() {
    let (rubrics, rules) = sets();
    let catalog = Catalog::embedded(&rubrics, &rules).unwrap();
    // Watchdog fires always: there is nothing to look into.
    let of_patterns = rubrics
        .patterns
        .classes()
        .map(|class| class.name.as_str())
        .filter(|class| *class != "watchdog");
    let without: Vec<&str> = of_patterns.filter(|class| catalog.diagnoses_for(class).next().is_none()).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn diagnoses_read_only_what_is_on_the_list() {
    let (rubrics, rules) = sets();
    let catalog = Catalog::embedded(&rubrics, &rules).unwrap();
    assert!(catalog.diagnoses.len() > 60);
    let file = "remediations/inspect_dns/diagnosis.yaml";
    refused(file, DIAGNOSIS, "reads: [routes", "reads: [secrets", "there is no read `secrets`");
    refused(
        file,
        DIAGNOSIS,
        "reads: [routes, route_probe, events]",
        "reads: []",
        "`reads` is empty",
    );
    refused(
        file,
        DIAGNOSIS,
        "scope: namespace",
        "scope: namespace\nrun: oc get all",
        "unknown field",
    );
}

#[test]
fn classes_match_exactly() {
    let (rubrics, rules) = sets();
    let catalog = Catalog::embedded(&rubrics, &rules).unwrap();
    assert_eq!(catalog.for_class("pods").count(), 0);
    assert_eq!(
        catalog
            .for_class("pods_crashlooping")
            .map(|entry| entry.id.as_str())
            .collect::<Vec<_>>(),
        ["restart_crashlooping_pod"]
    );
}

#[test]
fn what_contradicts_the_operation_is_refused() {
    refused(
        POOL_FILE,
        ENTRY,
        "method: rhdp_poolboy",
        "method: kubernetes",
        "`method: kubernetes` contradicts the operation",
    );
    refused(POOL_FILE, ENTRY, "tier: 2", "tier: 1", "`tier` contradicts the operation");
    refused(POOL_FILE, ENTRY, "risk: medium", "risk: low", "is less than the operation has");
    refused(
        POOL_FILE,
        ENTRY,
        "kinds: [ResourcePool]",
        "kinds: [Pod]",
        "there is no kind for this operation `Pod`",
    );
    refused(
        POOL_FILE,
        ENTRY,
        "kinds: [ResourcePool]",
        "kinds: []",
        "an empty list can never mean all",
    );
    refused(
        POD_FILE,
        POD,
        "operation: delete_pod",
        "operation: delete_pods",
        "there is no operation `delete_pods`",
    );
    refused(
        POD_FILE,
        POD,
        "cannot_undo: >-",
        "undo: delete_pod\ncannot_undo: >-",
        "does not undo",
    );
    refused(
        POD_FILE,
        POD,
        "[has_controller, not_ready",
        "[has_controller",
        "precondition `not_ready` is missing",
    );
}

#[test]
fn what_automation_may_not_do_is_refused() {
    refused(POD_FILE, POD, "risk: low", "risk: high", "`mode: auto_execute` with `risk: high`");
    refused(
        POD_FILE,
        POD,
        "risk: low",
        "risk: critical",
        "`mode: auto_execute` with `risk: critical`",
    );
    refused(
        POD_FILE,
        POD,
        "requires_approval: false",
        "requires_approval: true",
        "contradicts `mode: auto_execute`",
    );
    refused(
        POD_FILE,
        POD,
        "max_attempts: 2",
        "max_attempts: 3",
        "`max_attempts` is out of range",
    );
    refused(
        POD_FILE,
        POD,
        "cooldown_minutes: 30",
        "cooldown_minutes: 0",
        "`cooldown_minutes` is out of range",
    );
}

#[test]
fn what_does_not_exist_is_refused() {
    refused(POD_FILE, POD, "[pods_crashlooping]", "[pods]", "there is no failure class `pods`");
    refused(
        POD_FILE,
        POD,
        "failure_classes: [pods_crashlooping]\n",
        "",
        "the entry is for nothing",
    );
    refused(
        POD_FILE,
        POD,
        "stages: [deployment-ready]",
        "stages: [deployment]",
        "there is no stage `deployment`",
    );
    refused(
        POOL_FILE,
        ENTRY,
        "[pool_exhaustion,",
        "[pool_exhausted,",
        "there is no policy rule `pool_exhausted`",
    );
    refused(
        POD_FILE,
        POD,
        "owner: platform",
        "commands: [oc delete pod]\nowner: platform",
        "unknown field",
    );
    refused(POD_FILE, POD, "owner: platform", "owner: platform\nowner: other", "duplicate");
    refused(
        POD_FILE,
        POD,
        "id: restart_crashlooping_pod",
        "id: restart_pod",
        "in the folder `restart_crashlooping_pod`",
    );
    refused(
        POD_FILE,
        POD,
        "title: Delete the pod",
        "title: Delete ${pod}",
        "the text holds `${`",
    );
}

#[test]
fn parameters_are_typed_and_within_range() {
    refused(
        POOL_FILE,
        ENTRY,
        "{min: 1, max: 99}",
        "{min: 1, max: 1000}",
        "the operation allows 1 to 99",
    );
    refused(
        POOL_FILE,
        ENTRY,
        "{min: 1, max: 99}",
        "{min: 0, max: 99}",
        "the operation allows 1 to 99",
    );
    refused(POOL_FILE, ENTRY, "{min: 1, max: 99}", "{uuid: true}", "is of another type");
    refused(
        POOL_FILE,
        ENTRY,
        "  expected_min: {min: 0, max: 99}\n",
        "",
        "`parameters.expected_min` is missing",
    );
    refused(
        POOL_FILE,
        ENTRY,
        "  expected_min:",
        "  selector: {min: 1, max: 2}\n  expected_min:",
        "has no parameter `selector`",
    );
}

#[test]
fn what_cannot_be_verified_is_refused() {
    refused(POD_FILE, POD, "  stages: [deployment-ready]\n", "", "`verify.stages` is empty");
    refused(
        POD_FILE,
        POD,
        "deadline_seconds: 600",
        "deadline_seconds: 120",
        "leaves no time to look",
    );
    let without: String = POD
        .lines()
        .filter(|line| !line.starts_with("verify:") && !line.starts_with("  "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(!findings(POD_FILE, &without).is_empty());
}

#[test]
fn an_id_means_one_thing() {
    let (rubrics, rules) = sets();
    let file = |path| File { path, text: POD };
    let twice = [
        file("a/restart_crashlooping_pod/operation.yaml"),
        file("b/restart_crashlooping_pod/operation.yaml"),
    ];
    let error = Catalog::from_files(&twice, &rubrics, &rules).unwrap_err().to_string();
    assert!(error.contains("there is already an entry `restart_crashlooping_pod`"), "{error}");
    let text = POD.replace("id: restart_crashlooping_pod", "id: inspect_pod_logs");
    let found = findings("remediations/inspect_pod_logs/operation.yaml", &text);
    assert!(
        found.iter().any(|finding| finding.contains("is already advice of the rubrics")),
        "{found:?}"
    );
}
