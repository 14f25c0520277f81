//! The action catalog: what can be done about a failure, as data in `remediations/<action>/action.yaml`.
//!
//! Rubrics name actions; the catalog says what each looks at, how risky it is and how far automation may go. Nothing here acts.
//! An action that StarGate must never have is listed too, with mode `never`: rubrics can forbid it, and nobody can invent it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_yaml::Spanned;

use super::lint::raw::RawFile;
use super::lint::{Place, Report};
use crate::suggest::suggest;

/// Every action by its id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    actions: BTreeMap<String, Action>,
    /// Actions whose file could not be understood: a finding says so already.
    unread: Vec<String>,
}

/// One action.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Stable snake-case name, the same as the folder's.
    pub id: String,
    /// A few words for a heading.
    pub title: String,
    /// What it looks at, and what to make of it.
    pub description: String,
    /// How far automation may go.
    pub mode: Mode,
    /// What can be lost by it.
    pub risk: Risk,
    /// How far it reaches.
    pub scope: Scope,
    /// What it reads, by the names of [`READS`].
    pub reads: Vec<&'static str>,
    /// SHA-256 of the file, hexadecimal.
    pub hash: String,
    /// Where it is defined.
    pub place: Place,
}

/// How far automation may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is shown to people, who act.
    RecommendOnly,
    /// Neither shown nor done: rubrics name it only to forbid it.
    Never,
}

/// What can be lost by an action. How bad the failure is, the class says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing, or what comes back by itself.
    Low,
    /// Work of the last minutes.
    Medium,
    /// What nobody can bring back.
    High,
}

/// How far an action reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One namespace.
    Namespace,
    /// The cluster, the control plane or a service that many namespaces share.
    Cluster,
}

impl Mode {
    /// Every mode with its name and meaning.
    pub const ALL: [(Self, &'static str, &'static str); 2] = [
        (Self::RecommendOnly, "recommend_only", "it is shown to people, who act"),
        (Self::Never, "never", "StarGate does not have it; rubrics name it only to forbid it"),
    ];
}

impl Risk {
    /// Every risk with its name and meaning.
    pub const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Low, "low", "nothing is lost, or only what comes back by itself"),
        (Self::Medium, "medium", "work of the last minutes can be lost"),
        (Self::High, "high", "something can be lost that nobody brings back"),
    ];
}

impl Scope {
    /// Every scope with its name and meaning.
    pub const ALL: [(Self, &'static str, &'static str); 2] = [
        (Self::Namespace, "namespace", "one namespace"),
        (
            Self::Cluster,
            "cluster",
            "the cluster, the control plane or a service that many namespaces share",
        ),
    ];
}

/// What an action can read, and what that is: a closed list, so that a reader knows what credentials it takes. All are bounded reads;
/// none runs anything in a pod.
pub const READS: [(&str, &str); 29] = [
    ("alerts", "alerts that fire now, from the cluster's Alertmanager"),
    ("anarchy_subjects", "AnarchySubjects on the Babylon control plane"),
    ("automation_jobs", "jobs of Automation Platform with their output"),
    ("config_map_names", "names of ConfigMaps, never their content"),
    ("data_volumes", "DataVolumes"),
    ("deployments", "Deployments and the other controllers of pods"),
    ("endpoint_slices", "EndpointSlices"),
    ("events", "events of the namespace"),
    ("inference_services", "InferenceServices"),
    ("jobs", "Jobs"),
    ("namespaces", "the namespace itself"),
    ("node_metrics", "measured CPU and memory of nodes"),
    ("nodes", "nodes"),
    ("own_records", "what StarGate has stored itself"),
    ("persistent_volume_claims", "PersistentVolumeClaims"),
    ("pod_log", "the last lines of a container's log"),
    ("pods", "pods"),
    ("previous_pod_log", "the last lines of a container's previous run"),
    ("quotas", "ResourceQuotas"),
    ("route_probe", "a bounded request to the lab's own Route"),
    ("routes", "Routes"),
    ("sandbox_placements", "placements of the Sandbox API"),
    ("secret_names", "names of Secrets, never their content"),
    ("service_accounts", "ServiceAccounts"),
    ("services", "Services"),
    ("serving_runtimes", "ServingRuntimes"),
    ("storage_classes", "StorageClasses"),
    ("virtual_machine_instances", "VirtualMachineInstances"),
    ("virtual_machines", "VirtualMachines"),
];

/// `action.yaml` as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAction {
    id: Spanned<String>,
    title: Spanned<String>,
    description: Spanned<String>,
    mode: Mode,
    risk: Risk,
    scope: Scope,
    reads: Option<Spanned<Vec<Spanned<String>>>>,
}

impl Catalog {
    /// The action of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Action> {
        self.actions.get(id)
    }

    /// Every action in the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = &Action> {
        self.actions.values()
    }

    pub(super) fn insert(&mut self, folder: &str, raw: &RawFile<RawAction>, report: &mut Report<'_>) {
        let action = compile(folder, raw, report);
        self.actions.insert(action.id.clone(), action);
    }

    pub(super) fn insert_unread(&mut self, folder: &str) {
        self.unread.push(folder.to_owned());
    }

    /// Checks that rubrics may name an action, in the list of what may be offered or in that of what may not.
    pub(super) fn check(&self, named: &Spanned<String>, list: List, report: &mut Report<'_>) {
        let at = named.referenced;
        match (self.get(&named.value), list) {
            (None, _) if self.unread.contains(&named.value) => {}
            (None, _) => report.error(
                at,
                &format!("the catalog has no action `{}`", named.value),
                &suggest(&named.value, self.actions.keys().map(String::as_str)),
            ),
            (Some(action), List::Allowed) if action.mode == Mode::Never => report.error(
                at,
                &format!("action `{}` may never be offered", named.value),
                "remove it: the catalog lists it only to be forbidden",
            ),
            (Some(_), _) => {}
        }
    }
}

/// The list of a rubric that names an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// What may be offered.
    Allowed,
    /// What must not.
    Forbidden,
}

fn compile(folder: &str, raw: &RawFile<RawAction>, report: &mut Report<'_>) -> Action {
    let RawAction {
        id,
        title,
        description,
        mode,
        risk,
        scope,
        reads,
    } = &raw.content;
    if id.value != folder {
        report.error(
            id.referenced,
            &format!("folder `{folder}` and id `{}` should be the same word", id.value),
            "name the id like the folder",
        );
    }
    for text in [title, description] {
        if text.value.trim().is_empty() {
            report.error(
                text.referenced,
                "the text is empty",
                "operators read it: say what it looks at and what to make of it",
            );
        }
    }
    match (mode, reads) {
        (Mode::RecommendOnly, None) => report.error(
            id.referenced,
            &format!("action `{}` reads nothing", id.value),
            "add `reads`: what a person would look at",
        ),
        (Mode::Never, Some(reads)) => report.error(
            reads.referenced,
            &format!("action `{}` is never offered, yet it reads something", id.value),
            "remove `reads`",
        ),
        (Mode::RecommendOnly, Some(_)) | (Mode::Never, None) => {}
    }
    let mut known: Vec<&'static str> = Vec::new();
    for read in reads.iter().flat_map(|reads| &reads.value) {
        match READS.into_iter().map(|(name, _)| name).find(|name| *name == read.value) {
            Some(name) if known.contains(&name) => report.error(read.referenced, &format!("`{name}` is listed twice"), "remove one"),
            Some(name) => known.push(name),
            None => report.error(
                read.referenced,
                &format!("there is nothing to read called `{}`", read.value),
                &suggest(&read.value, READS.into_iter().map(|(name, _)| name)),
            ),
        }
    }
    if let Some(reads) = reads.as_ref().filter(|reads| reads.value.is_empty()) {
        report.error(reads.referenced, "`reads` is empty", "say what a person would look at");
    }
    Action {
        // Rubrics find it by its folder, also when the id is wrong.
        id: folder.to_owned(),
        title: title.value.trim().to_owned(),
        description: description.value.trim().to_owned(),
        mode: *mode,
        risk: *risk,
        scope: *scope,
        reads: known,
        hash: raw.hash.clone(),
        place: report.place(id.referenced),
    }
}

#[cfg(test)]
mod tests;
