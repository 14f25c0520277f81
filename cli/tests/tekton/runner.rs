//! A small simulation of Tekton: it runs a Pipeline of this repository on this machine, its Tasks as processes of the real program.
//!
//! Faithful to what the Pipelines rely on, and to nothing else: parameters with defaults, workspaces as folders, results as files,
//! order by `runAfter` and by results that are used, `when`, skipped tasks and what depends on them, a failed task that stops the
//! rest, `finally`, and the states `$(tasks.status)` and `$(tasks.NAME.status)`. There is no controller, no pod and no timeout. What
//! a cluster resolver would find is played by a function of the test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

pub type Texts = BTreeMap<String, String>;

/// A Task that the platform has and this repository has not: its results, or none when it fails.
pub type Elsewhere<'a> = dyn Fn(&str, &Texts) -> Option<Texts> + 'a;

/// How a task of a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Succeeded,
    Failed,
    Skipped,
}

impl State {
    fn word(&self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Skipped => "None",
        }
    }
}

/// One process of the real program.
#[derive(Debug)]
pub struct Step {
    pub exit: Option<i32>,
    pub results: Texts,
    pub said: String,
}

/// A run that is over.
#[derive(Debug)]
pub struct Ran {
    /// Succeeded, Failed or Completed (something was skipped).
    pub status: String,
    pub tasks: BTreeMap<String, State>,
    pub results: BTreeMap<String, Texts>,
    pub said: String,
}

/// The manifests of a folder, by kind and name.
pub struct Manifests(pub BTreeMap<(String, String), Value>);

impl Manifests {
    pub fn get(&self, kind: &str, name: &str) -> &Value {
        let key = (kind.to_owned(), name.to_owned());
        self.0.get(&key).unwrap_or_else(|| panic!("there is no {kind} {name}"))
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

pub fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

/// Replaces every `$(name)` that is known; an unknown one is a bug of the manifest.
pub fn substitute(template: &str, known: &Texts) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find("$(") {
        let end = rest[at..].find(')').unwrap_or_else(|| panic!("unclosed $( in {template}")) + at;
        let name = &rest[at + 2..end];
        let value = known
            .get(name)
            .unwrap_or_else(|| panic!("$({name}) in {template} is not known here; known: {:?}", known.keys()));
        out.push_str(&rest[..at]);
        out.push_str(value);
        rest = &rest[end + 1..];
    }
    out + rest
}

/// Parameters as declared, with what was given for them.
fn parameters(declared: &Value, given: &Texts) -> Texts {
    let names: BTreeSet<&str> = list(declared, "params").map(|param| text(param, "name")).collect();
    let unknown: Vec<_> = given.keys().filter(|name| !names.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "parameters that nobody declared: {unknown:?}");
    list(declared, "params")
        .map(|param| {
            let name = text(param, "name");
            let value = given.get(name).cloned().or_else(|| param["default"].as_str().map(str::to_owned));
            (name.to_owned(), value.unwrap_or_else(|| panic!("parameter {name} is missing")))
        })
        .collect()
}

/// Runs a Task: its steps one after the other, until one fails.
pub fn task(task: &Value, given: &Texts, workspaces: &BTreeMap<String, PathBuf>, scratch: &Path) -> Step {
    let spec = &task["spec"];
    let mut known: Texts = parameters(spec, given)
        .into_iter()
        .map(|(name, value)| (format!("params.{name}"), value))
        .collect();
    for workspace in list(spec, "workspaces") {
        let name = text(workspace, "name");
        let optional = workspace["optional"] == true;
        let path = workspaces.get(name);
        assert!(
            optional || path.is_some(),
            "workspace {name} of {} is not bound",
            task["metadata"]["name"]
        );
        known.insert(
            format!("workspaces.{name}.path"),
            path.map(|path| path.display().to_string()).unwrap_or_default(),
        );
    }
    let folder = scratch.join("results");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).unwrap();
    let (mut exit, mut said) = (Some(0), String::new());
    for step in list(spec, "steps") {
        assert_eq!(step["command"], serde_json::json!(["stargate"]));
        let args: Vec<String> = list(step, "args")
            .map(|arg| substitute(arg.as_str().unwrap(), &known).replace("/tekton/results", &folder.display().to_string()))
            .collect();
        let output = Command::new(env!("CARGO_BIN_EXE_stargate"))
            .args(&args)
            .env_clear()
            .output()
            .unwrap();
        said.push_str(&format!(
            "$ stargate {}\n{}{}",
            args.join(" "),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ));
        exit = output.status.code();
        if exit != Some(0) {
            break;
        }
    }
    let declared: BTreeSet<String> = list(spec, "results").map(|result| text(result, "name").to_owned()).collect();
    let written: Texts = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                fs::read_to_string(entry.path()).unwrap(),
            )
        })
        .collect();
    let names: BTreeSet<String> = written.keys().cloned().collect();
    assert_eq!(names, declared, "results that were written and declared differ\n{said}");
    Step {
        exit,
        results: written,
        said,
    }
}

/// Runs a Pipeline.
pub fn pipeline(
    manifests: &Manifests,
    name: &str,
    given: &Texts,
    workspaces: &BTreeMap<String, PathBuf>,
    elsewhere: &Elsewhere<'_>,
    scratch: &Path,
) -> Ran {
    let spec = &manifests.get("Pipeline", name)["spec"];
    let mut known: Texts = parameters(spec, given)
        .into_iter()
        .map(|(name, value)| (format!("params.{name}"), value))
        .collect();
    known.insert("context.pipelineRun.name".to_owned(), format!("{name}-run"));
    let mut ran = Ran {
        status: String::new(),
        tasks: BTreeMap::new(),
        results: BTreeMap::new(),
        said: String::new(),
    };
    let mut waiting: Vec<&Value> = list(spec, "tasks").collect();
    while !waiting.is_empty() {
        let ready = |task: &&Value| needs(task).iter().all(|need| ran.tasks.contains_key(need));
        let position = waiting
            .iter()
            .position(ready)
            .unwrap_or_else(|| panic!("{name}: tasks wait for each other"));
        let task = waiting.remove(position);
        let stopped = ran.tasks.values().any(|state| *state == State::Failed);
        // What needs a result of a task that was skipped is skipped with it; mere order is kept.
        let lacks = uses(task).iter().any(|need| ran.tasks.get(need) != Some(&State::Succeeded));
        let state = if stopped || lacks || !list(task, "when").all(|when| holds(when, &known)) {
            State::Skipped
        } else {
            one(manifests, task, &mut known, workspaces, elsewhere, scratch, &mut ran)
        };
        ran.tasks.insert(text(task, "name").to_owned(), state);
    }
    let has = |state: State| ran.tasks.values().any(|of| *of == state);
    ran.status = match (has(State::Failed), has(State::Skipped)) {
        (true, _) => "Failed",
        (false, true) => "Completed",
        (false, false) => "Succeeded",
    }
    .to_owned();
    known.insert("tasks.status".to_owned(), ran.status.clone());
    for (name, state) in &ran.tasks {
        known.insert(format!("tasks.{name}.status"), state.word().to_owned());
    }
    for task in list(spec, "finally") {
        let state = one(manifests, task, &mut known, workspaces, elsewhere, scratch, &mut ran);
        if state == State::Failed {
            ran.status = "Failed".to_owned();
        }
        ran.tasks.insert(text(task, "name").to_owned(), state);
    }
    ran
}

fn one(
    manifests: &Manifests,
    pipeline_task: &Value,
    known: &mut Texts,
    workspaces: &BTreeMap<String, PathBuf>,
    elsewhere: &Elsewhere<'_>,
    scratch: &Path,
    ran: &mut Ran,
) -> State {
    let name = text(pipeline_task, "name");
    let given: Texts = list(pipeline_task, "params")
        .map(|param| (text(param, "name").to_owned(), substitute(text(param, "value"), known)))
        .collect();
    let reference = &pipeline_task["taskRef"];
    let results = if reference["resolver"].is_null() {
        let bound = list(pipeline_task, "workspaces")
            .filter_map(|bound| Some((text(bound, "name").to_owned(), workspaces.get(text(bound, "workspace"))?.clone())))
            .collect();
        let step = task(manifests.get("Task", text(reference, "name")), &given, &bound, scratch);
        ran.said.push_str(&step.said);
        // A Task that failed keeps its results, but nobody may use them.
        ran.results.insert(name.to_owned(), step.results.clone());
        (step.exit == Some(0)).then_some(step.results)
    } else {
        let named = list(reference, "params").find(|param| param["name"] == "name").unwrap();
        elsewhere(&substitute(text(named, "value"), known), &given)
    };
    let Some(results) = results else { return State::Failed };
    for (result, value) in results {
        known.insert(format!("tasks.{name}.results.{result}"), value);
    }
    State::Succeeded
}

fn holds(when: &Value, known: &Texts) -> bool {
    let input = substitute(text(when, "input"), known);
    let among = list(when, "values").any(|value| value == &Value::from(input.as_str()));
    match text(when, "operator") {
        "in" => among,
        "notin" => !among,
        other => panic!("there is no operator {other}"),
    }
}

/// Tasks whose results a task uses.
pub fn uses(task: &Value) -> BTreeSet<String> {
    let text = task.to_string();
    let uses = text.split("$(tasks.").skip(1).filter_map(|rest| rest.split(')').next());
    uses.filter_map(|rest| rest.split_once(".results.").map(|(name, _)| name.to_owned()))
        .collect()
}

/// Tasks that come before a task.
pub fn needs(task: &Value) -> BTreeSet<String> {
    let mut needs = uses(task);
    needs.extend(list(task, "runAfter").filter_map(|name| name.as_str().map(str::to_owned)));
    needs
}
