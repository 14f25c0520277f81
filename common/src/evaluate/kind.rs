//! What kind of lab an instance is, and which stages follow from it. The tables are data: `rubrics/kinds.yaml`.
//!
//! The first source that answers decides: the lab's definition, the base in the namespace's name, the objects found. Objects
//! may add stages to what the others say, never remove any. What nobody can tell stays unknown; nothing is assumed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LabKind;
use super::identity::Identity;
use super::lint::{Ordered, Report};
use crate::evidence::namespace::{self, made_by_sandbox_api};
use crate::evidence::pods::{self, Home, Life};
use crate::evidence::{View, backends, controllers, showroom, storage};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// When a stage applies to a kind of lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Applies {
    /// Always: that nothing is there is a failure.
    Always,
    /// When something is there for it, or declared.
    Data,
    /// Not at all.
    Never,
}

/// Who told the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The lab's definition.
    Declared,
    /// The base in the namespace's name.
    Name,
    /// The objects found.
    Inventory,
    /// Nobody; and whether that is because something could not be read.
    Nobody(Option<UnknownReason>),
}

/// A kind and who told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detected {
    /// What it is.
    pub kind: LabKind,
    /// Says who.
    pub source: Source,
}

impl Detected {
    /// Whether somebody who knows the lab told the kind, so that absent objects are no reason to doubt.
    #[must_use]
    pub const fn is_told(self) -> bool {
        matches!(self.source, Source::Declared | Source::Name)
    }
}

/// Stages that do not depend on what a lab is made of: a table that says otherwise would not be obeyed.
const IN_EVERY_LAB: [Stage; 2] = [Stage::RunCreated, Stage::NamespaceReady];

/// Which stages apply to which kind, and which names tell the kind.
#[derive(Debug, Clone, PartialEq)]
pub struct KindTable {
    applies: BTreeMap<(LabKind, Stage), Applies>,
    /// Name prefix to kind.
    prefixes: Vec<(String, LabKind)>,
    /// Base after the guid, matched whole or up to a dash, to kind.
    bases: Vec<(String, LabKind)>,
}

/// `kinds.yaml` as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawKinds {
    pub(super) stages: Ordered<Ordered<Applies>>,
    pub(super) prefixes: Ordered<LabKind>,
    pub(super) bases: Ordered<LabKind>,
}

impl KindTable {
    pub(super) fn compile(raw: &RawKinds, report: &mut Report<'_>) -> Self {
        let mut applies = BTreeMap::new();
        for (kind, row) in &raw.stages.0 {
            let Some(known) = LabKind::parse(&kind.value) else {
                let kinds: Vec<&str> = LabKind::ALL.into_iter().map(LabKind::as_str).collect();
                report.error(
                    kind.referenced,
                    &format!("there is no kind `{}`", kind.value),
                    &format!("known are: {}", kinds.join(", ")),
                );
                continue;
            };
            for (stage, when) in &row.0 {
                match Stage::parse(&stage.value) {
                    Some(known_stage) => {
                        if *when != Applies::Always && IN_EVERY_LAB.contains(&known_stage) {
                            report.error(
                                stage.referenced,
                                &format!("`{known_stage}` is judged whatever the kind of lab"),
                                "write always",
                            );
                        }
                        applies.insert((known, known_stage), *when);
                    }
                    None => report.error(
                        stage.referenced,
                        &format!("there is no stage `{}`", stage.value),
                        "use the stage's kebab-case name",
                    ),
                }
            }
            for stage in Stage::ALL.into_iter().skip(1) {
                if !applies.contains_key(&(known, stage)) {
                    report.error(
                        kind.referenced,
                        &format!("kind `{known}` says nothing of `{stage}`"),
                        "add always, data or never",
                    );
                }
            }
        }
        let names = |entries: &Ordered<LabKind>| {
            let mut names: Vec<(String, LabKind)> = entries.0.iter().map(|(name, kind)| (name.value.clone(), *kind)).collect();
            names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
            names
        };
        Self {
            applies,
            prefixes: names(&raw.prefixes),
            bases: names(&raw.bases),
        }
    }

    /// When a stage applies to that kind.
    #[must_use]
    pub fn applies(&self, kind: LabKind, stage: Stage) -> Applies {
        self.applies.get(&(kind, stage)).copied().unwrap_or(Applies::Data)
    }

    /// The kind of an instance.
    #[must_use]
    pub fn detect(&self, view: &View<'_>, identity: &Identity) -> Detected {
        if let Some(kind) = view.declared.kind.as_deref().and_then(LabKind::parse) {
            return Detected {
                kind,
                source: Source::Declared,
            };
        }
        let prefix = self
            .prefixes
            .iter()
            .find(|(prefix, _)| view.inventory.name.starts_with(prefix.as_str()));
        let base = || {
            let suffix = identity.suffix.as_deref()?;
            self.bases.iter().find(|(base, _)| starts_with_word(suffix, base))
        };
        if let Some((_, kind)) = prefix.or_else(base) {
            return Detected {
                kind: *kind,
                source: Source::Name,
            };
        }
        from_objects(view)
    }
}

/// Whether the text is the word, or the word and a dash and more.
fn starts_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn from_objects(view: &View<'_>) -> Detected {
    let inventory = view.inventory;
    let has = |stage| presence(stage, view) == Presence::Found;
    let vms = has(Stage::VmRuntimeReady);
    let is_application = |pod| pods::home(pod) == Home::Workload && matches!(pods::life(pod), Life::Alive | Life::Lost(_));
    let containers = has(Stage::DeploymentReady) || inventory.pods.items.iter().any(is_application);
    let kind = match (vms, containers, has(Stage::ModelEndpointReady)) {
        (true, true, _) => LabKind::ContainerVm,
        (true, false, _) => LabKind::Vm,
        (false, _, true) => LabKind::Model,
        (false, true, false) => LabKind::Container,
        (false, false, false) => LabKind::Unknown,
    };
    let source = if kind != LabKind::Unknown {
        Source::Inventory
    } else if namespace::is_gone(inventory) {
        // Nothing can be learnt from what is gone.
        Source::Nobody(Some(UnknownReason::NotCollected))
    } else {
        let telling = [Stage::DeploymentReady, Stage::VmRuntimeReady, Stage::ModelEndpointReady];
        let unread = telling.into_iter().find_map(|stage| match presence(stage, view) {
            Presence::Unread(reason) => Some(reason),
            Presence::Found | Presence::Absent => None,
        });
        let pods = || match found(false, &[inventory.pods.missing]) {
            Presence::Unread(reason) => Some(reason),
            Presence::Found | Presence::Absent => None,
        };
        // Where nobody looked at anything that tells, nothing was learnt.
        let looked = [
            inventory.pods.missing,
            inventory.deployments.missing,
            inventory.stateful_sets.missing,
            inventory.vms.missing,
            inventory.inference_services.missing,
        ];
        let blind = looked.iter().all(|missing| *missing == Some(UnknownReason::NotCollected));
        let blind = blind.then_some(UnknownReason::NotCollected);
        Source::Nobody(unread.or_else(pods).or(blind))
    };
    Detected { kind, source }
}

/// Whether there is anything for a stage to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Something is there, or declared.
    Found,
    /// Nothing is there, as far as was read.
    Absent,
    /// Nothing was found, but not everything could be read.
    Unread(UnknownReason),
}

/// Whether there is anything for a stage to judge in this instance.
#[must_use]
pub fn presence(stage: Stage, view: &View<'_>) -> Presence {
    let (inventory, declared) = (view.inventory, view.declared);
    match stage {
        Stage::ClusterHealth | Stage::RunCreated | Stage::NamespaceReady => Presence::Found,
        Stage::ProvisionComplete => found(
            !inventory.subjects.items.is_empty() || made_by_sandbox_api(inventory),
            &[inventory.subjects.missing],
        ),
        Stage::DeploymentReady => {
            let controllers = controllers::of(inventory);
            found(declared.bare_pods || !controllers.counted.is_empty(), &[controllers.missing])
        }
        Stage::StorageCloneReady => found(
            storage::has_volumes(view),
            &[inventory.data_volumes.missing, inventory.claims.missing],
        ),
        Stage::RouteReady => {
            let targets = backends::targets(view);
            found(!targets.live.is_empty() || !declared.routes.is_empty(), &[targets.missing])
        }
        Stage::VmRuntimeReady => found(
            !inventory.vms.items.is_empty() || !inventory.vmis.items.is_empty() || !declared.vms.is_empty(),
            &[inventory.vms.missing, inventory.vmis.missing],
        ),
        Stage::SmokeTestReady => found(!inventory.smoke_runs.items.is_empty(), &[inventory.smoke_runs.missing]),
        Stage::ShowroomHealthy => {
            let showrooms = showroom::find(view);
            let service = inventory
                .services
                .items
                .iter()
                .any(|service| showroom::is_showroom(&service.metadata));
            found(!showrooms.targets.is_empty() || service, &[showrooms.missing])
        }
        Stage::ModelEndpointReady => found(
            !inventory.inference_services.items.is_empty() || !declared.models.is_empty(),
            &[inventory.inference_services.missing],
        ),
    }
}

/// Whether it is certain that no disk is stored: VMs, if any, live on container disks. There is nothing to clone then,
/// whatever the kind of lab. A namespace that is gone tells nothing of its disks.
#[must_use]
pub fn has_no_disks(view: &View<'_>) -> bool {
    let inventory = view.inventory;
    let read = inventory.vms.missing.is_none() && inventory.data_volumes.missing.is_none() && inventory.claims.missing.is_none();
    read && !namespace::is_gone(inventory) && !storage::has_volumes(view)
}

/// A list that nobody asked for, or that the cluster does not serve, is no reason for doubt; one that was refused or cut is.
fn found(any: bool, missing: &[Option<UnknownReason>]) -> Presence {
    if any {
        return Presence::Found;
    }
    let doubtful = missing
        .iter()
        .flatten()
        .find(|reason| !matches!(reason, UnknownReason::NotCollected | UnknownReason::ApiAbsent));
    doubtful.map_or(Presence::Absent, |reason| Presence::Unread(*reason))
}

#[cfg(test)]
mod tests;
