//! What a recipe says.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// How the raw material of one case is made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The namespace.
    pub namespace: String,
    /// When it is recorded; relative times count from here.
    pub at: DateTime<Utc>,
    /// How long before `at` it was made: `-3h`.
    #[serde(default = "three_hours")]
    pub age: String,
    /// How the files are laid out.
    #[serde(default)]
    pub layout: Layout,
    /// What is built, one command a line: see `stage.rs`.
    #[serde(default)]
    pub build: Vec<String>,
    /// The simulator's own faults by name, and since when: `{PodsCrashlooping: -40m}`.
    #[serde(default)]
    pub faults: Vec<BTreeMap<String, String>>,
    /// Pods put into states.
    #[serde(default)]
    pub pods: Vec<PodEdit>,
    /// Events to report.
    #[serde(default)]
    pub events: Vec<Report>,
    /// Changes to single objects.
    #[serde(default)]
    pub edits: Vec<Edit>,
    /// Nodes of the cluster; none are recorded when left out.
    pub nodes: Option<Nodes>,
    /// Kinds, by their plural, of which there is no file.
    #[serde(default)]
    pub leave_out: Vec<String>,
    /// Kinds, by their plural, that the API server refused, with the status code.
    #[serde(default)]
    pub refused: BTreeMap<String, u16>,
    /// Kinds, by their plural, whose list was cut by a limit.
    #[serde(default)]
    pub cut: Vec<String>,
    /// Whole files to write as they are.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What other systems say.
    #[serde(default)]
    pub beside: Beside,
    /// Whether pods leave the normal events of a start; on by default.
    #[serde(default = "yes")]
    pub chatter: bool,
}

fn three_hours() -> String {
    "-3h".to_owned()
}

fn yes() -> bool {
    true
}

/// How the files of a recording are laid out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `oc get KIND -o json > KIND.json`, for every kind.
    #[default]
    Lists,
    /// The same in YAML.
    Yaml,
    /// As the API server sends them: `PodList`, whose items do not name their kind.
    Typed,
    /// `must-gather.local/…/namespaces/NAME/GROUP/PLURAL.yaml`, and pods one by one.
    MustGather,
    /// One file for the common kinds, others beside it.
    OneFile,
    /// Single objects, a file each; lists where there is nothing.
    Objects,
}

/// A pod put into a state.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PodEdit {
    /// Its name, with `*`; `#1` behind it is the second that matches.
    pub pod: String,
    /// State in words: see `stage.rs`.
    pub state: String,
    /// Since when.
    pub since: String,
    /// What the kubelet or scheduler says of it.
    #[serde(default)]
    pub message: String,
    /// Since when its controller has missed it; `since` if left out.
    pub missed: Option<String>,
    /// Creation of the pod, if it is not as old as the namespace.
    pub created: Option<String>,
}

/// An event.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// `Pod/web-*`.
    pub about: String,
    #[serde(default = "warning")]
    pub r#type: String,
    pub reason: String,
    pub message: String,
    /// When it was last seen.
    pub last: String,
    /// When it was first seen; the same if left out.
    pub first: Option<String>,
    #[serde(default = "one")]
    pub count: i64,
    #[serde(default = "kubelet")]
    pub from: String,
}

fn warning() -> String {
    "Warning".to_owned()
}

fn kubelet() -> String {
    "kubelet".to_owned()
}

fn one() -> i64 {
    1
}

/// A change. Exactly one of `on` and `add`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Edit {
    /// `Deployment/web`, `Pod/web-*`, `Pod/web-*#0`.
    pub on: Option<String>,
    /// Path to value: `/status/conditions/Ready/status`.
    pub set: BTreeMap<String, Value>,
    /// Paths to take away.
    pub unset: Vec<String>,
    /// The object goes.
    pub remove: bool,
    /// A copy of it is made, with this name and a uid of its own; `set` is about the copy.
    pub copy: Option<String>,
    /// An object that is added.
    pub add: Option<Value>,
}

/// Nodes of the cluster.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// CPU of the workers in percent, one after the other.
    pub cpu: Vec<i64>,
    /// Memory of the workers in percent.
    pub memory: Vec<i64>,
}

/// What other systems say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Beside {
    /// A healthy subject and a healthy probe of every Route, showroom and model are made; what follows changes them.
    pub healthy: bool,
    /// Only the healthy subject.
    pub provisioned: bool,
    /// By name; laid over the healthy ones.
    pub subjects: Option<Vec<Value>>,
    /// By kind and target; laid over the healthy ones.
    pub probes: Option<Vec<Value>>,
    pub smoke_runs: Option<Vec<Value>>,
    pub declared: Option<Value>,
    /// What the API server said when it was asked for its version.
    pub reachable: Option<Value>,
    pub critical_alerts: Option<Vec<String>>,
}
