//! The manifests hold together: with each other, with the definition of the command line, and with what Tekton refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::{Value, json};
use stargate_common::evaluate::gate::Results;

use crate::runner::{Manifests, Texts, list, needs, substitute, uses};

/// The event with which the listener answers its Broker.
const REPLY: &str = "dev.tekton.event.triggers.accepted.v1";

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn documents(folder: &str) -> Vec<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let yaml = files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    yaml.flat_map(|path| -> Vec<Value> {
        let text = fs::read_to_string(&path).unwrap();
        serde_yaml::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    })
    .collect()
}

pub fn manifests() -> Manifests {
    let mut all = BTreeMap::new();
    for document in ["tekton/tasks", "tekton/pipelines", "tekton/triggers"]
        .into_iter()
        .flat_map(documents)
    {
        let key = (
            document["kind"].as_str().unwrap().to_owned(),
            name(&document["metadata"]).to_owned(),
        );
        assert!(all.insert(key.clone(), document).is_none(), "{key:?} is there twice");
    }
    Manifests(all)
}

fn of_kind<'a>(manifests: &'a Manifests, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    manifests
        .0
        .iter()
        .filter(move |((of, _), _)| of == kind)
        .map(|(_, document)| document)
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap()
}

fn names(value: &Value, field: &str) -> BTreeSet<String> {
    list(value, field).map(|item| name(item).to_owned()).collect()
}

/// Parameters without a default.
fn required(spec: &Value) -> BTreeSet<String> {
    list(spec, "params")
        .filter(|param| param["default"].is_null())
        .map(|param| name(param).to_owned())
        .collect()
}

/// Every `$(…)` in a value, without its brackets.
fn expressions(value: &Value) -> BTreeSet<String> {
    let text = value.to_string();
    text.split("$(")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap().to_owned())
        .collect()
}

fn minutes(text: &str) -> u64 {
    let mut total = 0;
    let mut number = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' => number.push(c),
            'h' => total += 60 * number.split_off(0).parse::<u64>().unwrap(),
            'm' => total += number.split_off(0).parse::<u64>().unwrap(),
            _ => panic!("{text} is not in hours and minutes"),
        }
    }
    total
}

#[test]
fn a_task_runs_the_program_itself_with_arguments_that_it_has() {
    let manifests = manifests();
    assert!(of_kind(&manifests, "Task").count() >= 5);
    for task in of_kind(&manifests, "Task") {
        let (title, spec) = (name(&task["metadata"]), &task["spec"]);
        assert_eq!(task["apiVersion"], "tekton.dev/v1");
        assert!(required(spec).contains("image"), "{title}: whoever uses it says which image");
        let text = task.to_string();
        assert!(!text.contains("\"script\"") && !text.contains("/bin/"), "{title} has a shell");
        let security = &spec["stepTemplate"]["securityContext"];
        let expected = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true,
                              "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
        assert_eq!(*security, expected, "{title}");
        let resources = &spec["stepTemplate"]["computeResources"];
        assert!(
            resources["requests"]["cpu"].is_string() && resources["limits"]["memory"].is_string(),
            "{title}"
        );

        let mut known: Texts = names(spec, "params")
            .into_iter()
            .map(|param| (format!("params.{param}"), sample(&param).to_owned()))
            .collect();
        for workspace in names(spec, "workspaces") {
            known.insert(format!("workspaces.{workspace}.path"), format!("/workspace/{workspace}"));
        }
        let mut used = BTreeSet::new();
        for step in list(spec, "steps") {
            assert_eq!(
                (&step["image"], &step["command"]),
                (&json!("$(params.image)"), &json!(["stargate"])),
                "{title}"
            );
            used.extend(expressions(step));
            let args: Vec<String> = list(step, "args").map(|arg| substitute(arg.as_str().unwrap(), &known)).collect();
            let parsed = stargate_cli::command().try_get_matches_from(std::iter::once("stargate".to_owned()).chain(args.clone()));
            if let Err(error) = parsed {
                panic!("{title}: the program refuses {args:?}: {error}");
            }
            let writes = args.contains(&"--results=/tekton/results".to_owned());
            let told: BTreeSet<String> = Results::default().named().map(|(name, _)| name.to_owned()).into();
            assert_eq!(names(spec, "results"), if writes { told } else { BTreeSet::new() }, "{title}");
        }
        let unused: Vec<_> = known
            .keys()
            .filter(|name| !used.contains(*name) && !name.contains("credentials"))
            .collect();
        assert!(unused.is_empty(), "{title} declares and does not use {unused:?}");
    }
}

fn sample(param: &str) -> &'static str {
    match param {
        "api" => "https://stargate.example.com",
        "require" => "pass",
        "wait" => "10m",
        "stages" => "deployment-ready,route-ready",
        _ => "sample",
    }
}

#[test]
fn a_pipeline_refers_only_to_what_is_there() {
    let manifests = manifests();
    for pipeline in of_kind(&manifests, "Pipeline") {
        let (title, spec) = (name(&pipeline["metadata"]), &pipeline["spec"]);
        let tasks: BTreeMap<&str, &Value> = list(spec, "tasks").map(|task| (name(task), task)).collect();
        let mut used = expressions(&spec["results"]);
        for (task, last) in list(spec, "tasks")
            .map(|task| (task, false))
            .chain(list(spec, "finally").map(|task| (task, true)))
        {
            let place = format!("{title}/{}", name(task));
            used.extend(expressions(task));
            assert!(
                !last || (task["runAfter"].is_null() && uses(task).is_empty()),
                "{place}: finally runs always and takes no results"
            );
            for before in needs(task) {
                assert!(
                    tasks.contains_key(before.as_str()),
                    "{place} waits for {before}, which is not there"
                );
            }
            let timeout = minutes(task["timeout"].as_str().unwrap_or_else(|| panic!("{place} has no timeout")));
            let given = names(task, "params");
            if task["taskRef"]["resolver"].is_null() {
                let of = &manifests.get("Task", name(&task["taskRef"]))["spec"];
                let (declared, required) = (names(of, "params"), required(of));
                assert!(
                    given.is_subset(&declared) && required.is_subset(&given),
                    "{place}: takes {declared:?}, needs {required:?}, gets {given:?}"
                );
                let wanted: BTreeSet<String> = list(of, "workspaces")
                    .filter(|workspace| workspace["optional"] != true)
                    .map(|workspace| name(workspace).to_owned())
                    .collect();
                let bound = names(task, "workspaces");
                assert!(
                    wanted.is_subset(&bound) && bound.is_subset(&names(of, "workspaces")),
                    "{place}: {wanted:?} {bound:?}"
                );
                let wait = list(spec, "params").find(|param| name(param) == "wait" && given.contains("wait"));
                let wait = wait.map_or(0, |wait| minutes(wait["default"].as_str().unwrap()));
                assert!(wait < timeout, "{place} waits longer than it may run");
            }
            for workspace in list(task, "workspaces") {
                assert!(
                    names(spec, "workspaces").contains(workspace["workspace"].as_str().unwrap()),
                    "{place}"
                );
            }
        }
        for expression in &used {
            let parts: Vec<&str> = expression.split('.').collect();
            let resolves = match parts.as_slice() {
                ["params", param] => names(spec, "params").contains(*param),
                ["tasks", "status"] | ["context", "pipelineRun", "name"] => true,
                ["tasks", task, "status"] => tasks.contains_key(task),
                ["tasks", task, "results", result] => tasks.get(task).is_some_and(|task| {
                    // What the platform's own Task gives is said in the head of the file.
                    let reference = &task["taskRef"];
                    !reference["resolver"].is_null() || names(&manifests.get("Task", name(reference))["spec"], "results").contains(*result)
                }),
                _ => false,
            };
            assert!(resolves, "{title}: $({expression}) is nothing");
        }
        for param in names(spec, "params") {
            assert!(
                used.contains(&format!("params.{param}")),
                "{title} declares and does not use {param}"
            );
        }
    }
}

#[test]
fn a_run_that_an_event_starts_has_what_the_pipeline_needs() {
    let manifests = manifests();
    for listener in of_kind(&manifests, "EventListener") {
        for trigger in list(&listener["spec"], "triggers") {
            let binding = manifests.get("TriggerBinding", list(trigger, "bindings").next().unwrap()["ref"].as_str().unwrap());
            let template = manifests.get("TriggerTemplate", trigger["template"]["ref"].as_str().unwrap());
            let bound = names(&binding["spec"], "params");
            assert_eq!(bound, names(&template["spec"], "params"));
            for run in list(&template["spec"], "resourcetemplates") {
                let tt: BTreeSet<String> = expressions(run)
                    .into_iter()
                    .map(|text| text.trim_start_matches("tt.params.").to_owned())
                    .collect();
                assert_eq!(tt, bound, "every value is used, and there is no other");
                let of = &manifests.get("Pipeline", name(&run["spec"]["pipelineRef"]))["spec"];
                let given = names(&run["spec"], "params");
                assert!(given.is_subset(&names(of, "params")) && required(of).is_subset(&given), "{given:?}");
                assert_eq!(names(&run["spec"], "workspaces"), names(of, "workspaces"));
                let budget = &run["spec"]["timeouts"];
                let of = |field: &str| minutes(budget[field].as_str().unwrap());
                assert_eq!(of("pipeline"), of("tasks") + of("finally"));
            }
        }
    }
}

#[test]
fn no_value_of_an_event_reaches_a_run_unchecked() {
    let manifests = manifests();
    let mut checked = 0;
    for listener in of_kind(&manifests, "EventListener") {
        for trigger in list(&listener["spec"], "triggers") {
            let cel = list(trigger, "interceptors").next().unwrap();
            let filter = list(cel, "params").find(|param| name(param) == "filter").unwrap()["value"]
                .as_str()
                .unwrap();
            assert!(
                filter.contains("header.match('ce-type', 'io.stargate.") && !filter.contains("||"),
                "{filter}"
            );
            let binding = manifests.get("TriggerBinding", list(trigger, "bindings").next().unwrap()["ref"].as_str().unwrap());
            for source in expressions(&binding["spec"]) {
                let pattern = filter
                    .split(&format!("{source}.matches('"))
                    .nth(1)
                    .and_then(|rest| rest.split("')").next());
                let pattern = pattern.unwrap_or_else(|| panic!("{source} is not checked"));
                assert!(
                    pattern.starts_with('^') && pattern.ends_with('$'),
                    "{source}: {pattern} is not over the whole text"
                );
                let regex = Regex::new(pattern).unwrap();
                for bad in [
                    "",
                    "a b",
                    "a\nb",
                    "lab\n",
                    "a: b",
                    "\"",
                    "'",
                    "$(context.pipelineRun.name)",
                    "a,b",
                    "../x",
                    "-n",
                    "x#",
                ] {
                    assert!(!regex.is_match(bad), "{source} lets {bad:?} through");
                }
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 4);
}

#[test]
fn nobody_routes_the_answer_of_a_listener() {
    let triggers: Vec<Value> = ["knative", "tekton/triggers"]
        .into_iter()
        .flat_map(documents)
        .filter(|document| document["kind"] == "Trigger")
        .collect();
    assert!(triggers.len() >= 2);
    for trigger in triggers {
        let spec = &trigger["spec"];
        let of_type = spec["filter"]["attributes"]["type"].as_str().unwrap_or_default();
        assert!(
            spec["filters"].is_null() && of_type.starts_with("io.stargate.") && of_type != REPLY,
            "{}",
            trigger["metadata"]["name"]
        );
    }
}
