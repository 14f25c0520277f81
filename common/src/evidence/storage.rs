//! Stage 6, storage-clone-ready: are the disks populated?
//!
//! A volume is a name that a VM mounts, or a data volume or claim that an application has for itself. Data volume and
//! claim of one name belong together: CDI may remove a finished data volume, then the claim alone stands for it. Helper
//! claims of a population, and claims that come and go with a pod, are no volumes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::quantify::{Judged, Known, all, inferred_if, negated};
use super::signals::{Signal, Signals, clip};
use super::vm::{Wanted, wanted};
use super::{Declared, MAX_MEMBERS, Observation, StageEvidence, Value, View, entry, pods, thresholds};
use crate::objects::meta::condition;
use crate::objects::{Condition, DataVolume, Inventory, Listing, PersistentVolumeClaim, VirtualMachine};
use crate::stage::Stage;
use crate::unknown::UnknownReason;

/// What this stage can say.
pub const NAMES: &[&str] = &[
    "namespace_exists",
    "datavolume_exists",
    "datavolume_succeeded",
    "pvc_bound",
    "clone_duration_acceptable",
    "no_stalled_clone",
    "datavolume_phase_failed",
];

/// Observes the volumes of one namespace.
#[must_use]
pub fn observe(view: &View) -> StageEvidence {
    let volumes = Volumes::of(view);
    if volumes.by_name.is_empty() && volumes.missing.is_none() && volumes.vms_exist {
        // Container disks alone: there is nothing to populate, the stage does not apply.
        return StageEvidence::default();
    }
    let succeeded = volumes.over(volumes.empty(), |it| it.source_member(it.succeeded(view)));
    let bound = volumes.over(volumes.empty(), |it| it.claim_member(it.bound(view)));
    let signals = signals(view, &volumes, [&succeeded, &bound]);
    let not_collected = Value::Unknown(UnknownReason::NotCollected);
    let observations = [
        ("namespace_exists", entry::namespace_exists(view)),
        (
            "datavolume_exists",
            volumes.over(volumes.empty(), |it| it.source_member(it.exists())),
        ),
        ("datavolume_succeeded", succeeded),
        ("pvc_bound", bound),
        (
            "clone_duration_acceptable",
            volumes.over(not_collected, |it| it.source_member(it.duration_acceptable())),
        ),
        (
            "no_stalled_clone",
            volumes.over(Value::Bool(true), |it| it.source_member(it.not_stalled())),
        ),
        (
            "datavolume_phase_failed",
            negated(volumes.over(Value::Bool(true), |it| it.source_member(it.not_failed()))),
        ),
    ];
    StageEvidence {
        observations: observations.into_iter().collect(),
        signals,
    }
}

/// Whether there is a stored disk to judge: false for a lab whose VMs live on container disks alone.
#[must_use]
pub fn has_volumes(view: &View) -> bool {
    !Volumes::of(view).by_name.is_empty()
}

/// The entry criterion of vm-runtime-ready: the disks of the VMs that should run are populated. True for VMs that live on
/// container disks.
#[must_use]
pub fn disks_of_wanted_vms(view: &View) -> Observation {
    let volumes = Volumes::of(view);
    let members = volumes.by_name.values().filter_map(|volume| {
        let wanted: Vec<Wanted> = volume.vms.iter().map(|vm| wanted(view, vm)).collect();
        if wanted.iter().any(|it| matches!(it, Wanted::Running | Wanted::Restarted)) {
            return Some(volume.source_member(volume.succeeded(view)));
        }
        let undecided = wanted.iter().find_map(|it| match it {
            Wanted::Unknown(reason, why) => Some((*reason, *why)),
            Wanted::Running | Wanted::Restarted | Wanted::Stopped(_) => None,
        });
        let (reason, why) = undecided?;
        Some(volume.source_member(match volume.succeeded(view) {
            Known::False(_) => Known::Unknown(reason, why.to_owned(), None),
            state => state,
        }))
    });
    all(members.collect(), view.inventory.vms.missing, Value::Bool(true))
}

/// An object that may exist, may not, or was not read.
#[derive(Debug, Clone, Copy)]
enum Found<T> {
    There(T),
    Absent,
    Unread(UnknownReason),
}

fn find<T>(listing: &Listing<T>, missing: Option<UnknownReason>, is_it: impl Fn(&T) -> bool) -> Found<&T> {
    match (listing.items.iter().find(|it| is_it(it)), missing) {
        (Some(it), _) => Found::There(it),
        (None, Some(reason)) => Found::Unread(reason),
        (None, None) => Found::Absent,
    }
}

/// A stored disk.
struct Volume<'a> {
    name: &'a str,
    /// VMs that mount it; empty for an application's own.
    vms: Vec<&'a VirtualMachine>,
    source: Found<&'a DataVolume>,
    claim: Found<&'a PersistentVolumeClaim>,
}

struct Volumes<'a> {
    by_name: BTreeMap<&'a str, Volume<'a>>,
    /// Why there may be more.
    missing: Option<UnknownReason>,
    /// Whether VMs exist: then having no volume is a choice (container disks).
    vms_exist: bool,
    /// Whether VMs that nobody read were concluded to be absent.
    inferred: bool,
}

impl<'a> Volumes<'a> {
    fn of(view: &View<'a>) -> Self {
        let inventory = view.inventory;
        let mut inferred = false;
        let mut unless_none = |missing: Option<UnknownReason>| match missing {
            // A cluster without KubeVirt holds no VM and no data volume, unless the lab is known to need them.
            Some(UnknownReason::ApiAbsent) if !needs_vms(view.declared) => None,
            Some(UnknownReason::NotCollected) if shows_no_vms(view) => {
                inferred = true;
                None
            }
            other => other,
        };
        let missing_vms = unless_none(inventory.vms.missing);
        let missing_sources = unless_none(inventory.data_volumes.missing);
        let missing_claims = inventory.claims.missing;

        let mut mounted_by: BTreeMap<&str, Vec<&VirtualMachine>> = BTreeMap::new();
        for vm in &inventory.vms.items {
            for name in disks(vm) {
                let vms = mounted_by.entry(name).or_default();
                if !vms.iter().any(|it| it.metadata.name == vm.metadata.name) {
                    vms.push(vm);
                }
            }
        }
        for vms in mounted_by.values_mut() {
            vms.sort_by_key(|vm| &vm.metadata.name);
        }
        for source in inventory
            .data_volumes
            .items
            .iter()
            .filter(|it| it.metadata.deletion_timestamp.is_none())
        {
            mounted_by.entry(&source.metadata.name).or_default();
        }
        for claim in inventory.claims.items.iter().filter(|it| is_application_claim(it)) {
            let name = claim.metadata.name.as_str();
            let filled_by = inventory
                .data_volumes
                .items
                .iter()
                .any(|source| claim_name(source) == name && source.metadata.name != name);
            if !filled_by {
                mounted_by.entry(name).or_default();
            }
        }
        let by_name = mounted_by.into_iter().map(|(name, vms)| {
            let source = find(&inventory.data_volumes, missing_sources, |it| {
                it.metadata.name == name || claim_name(it) == name
            });
            let claim = match source {
                Found::There(source) => claim_name(source),
                Found::Absent | Found::Unread(_) => name,
            };
            let claim = find(&inventory.claims, missing_claims, |it| it.metadata.name == claim);
            (name, Volume { name, vms, source, claim })
        });
        Self {
            by_name: by_name.collect(),
            missing: missing_vms.or(missing_sources).or(missing_claims),
            vms_exist: !inventory.vms.items.is_empty(),
            inferred,
        }
    }

    fn over(&self, empty: Value, judge: impl Fn(&Volume<'a>) -> Judged) -> Observation {
        inferred_if(self.inferred, all(self.by_name.values().map(judge).collect(), self.missing, empty))
    }

    /// The answer when no volume counts: VMs on container disks have nothing to wait for; no VM and no volume is a lack.
    /// Volumes that are all excluded are claims without data volume, which `pvc_bound` judges.
    fn empty(&self) -> Value {
        Value::Bool(self.vms_exist || !self.by_name.is_empty())
    }
}

/// Whether the definition says that the lab has VMs.
fn needs_vms(declared: &Declared) -> bool {
    !declared.vms.is_empty()
        || declared
            .kind
            .as_deref()
            .is_some_and(|kind| matches!(kind, "vm" | "container-vm" | "nested-cluster"))
}

/// Whether what was read tells that the namespace holds neither VM nor data volume: no pod carries or fills one, no claim
/// was made for one. For recordings of container labs, which hold no files of kinds that the lab does not use.
pub(super) fn shows_no_vms(view: &View) -> bool {
    let Inventory { pods, claims, .. } = view.inventory;
    let made_for_vm = |claim: &PersistentVolumeClaim| {
        let meta = &claim.metadata;
        meta.labels.get("app").is_some_and(|app| app == "containerized-data-importer")
            || meta
                .labels
                .keys()
                .chain(meta.annotations.keys())
                .any(|key| key.contains("kubevirt.io/"))
            || meta
                .owner_references
                .iter()
                .any(|owner| matches!(owner.kind.as_str(), "DataVolume" | "VirtualMachine"))
    };
    !needs_vms(view.declared)
        && view.inventory.vms.items.is_empty()
        && view.inventory.vmis.items.is_empty()
        && view.inventory.data_volumes.items.is_empty()
        && pods.missing.is_none()
        && !pods
            .items
            .iter()
            .any(|pod| matches!(pods::home(pod), pods::Home::Machine | pods::Home::Disk))
        && claims.missing.is_none()
        && !claims.items.iter().any(made_for_vm)
}

/// Names of the stored disks of a VM.
fn disks(vm: &VirtualMachine) -> impl Iterator<Item = &str> {
    let made = vm.spec.data_volume_templates.iter().map(|template| template.metadata.name.as_str());
    let mounted = vm.spec.template.spec.volumes.iter().filter_map(|volume| {
        let source = volume.data_volume.as_ref().map(|source| source.name.as_str());
        source.or_else(|| volume.persistent_volume_claim.as_ref().map(|claim| claim.claim_name.as_str()))
    });
    made.chain(mounted)
}

/// The claim that a data volume fills.
fn claim_name(source: &DataVolume) -> &str {
    source.status.claim_name.as_deref().unwrap_or(&source.metadata.name)
}

/// Whether an application may count on the claim: no helper of a population, nothing that comes and goes with a pod.
fn is_application_claim(claim: &PersistentVolumeClaim) -> bool {
    let meta = &claim.metadata;
    let helper = meta.name.starts_with("prime-") || meta.name.starts_with("tmp-pvc-") || meta.name.ends_with("-scratch");
    let owned = meta
        .owner_references
        .iter()
        .any(|owner| matches!(owner.kind.as_str(), "Pod" | "PersistentVolumeClaim"));
    !helper && !owned && meta.deletion_timestamp.is_none()
}

/// Phases on the way to `Succeeded`; a data volume just made has none. `Paused` is a step of a multi-stage import.
const IN_PROGRESS: [&str; 18] = [
    "",
    "Pending",
    "PVCBound",
    "ImportScheduled",
    "ImportInProgress",
    "CloneScheduled",
    "CloneInProgress",
    "SnapshotForSmartCloneInProgress",
    "CloneFromSnapshotSourceInProgress",
    "SmartClonePVCInProgress",
    "CSICloneInProgress",
    "ExpansionInProgress",
    "NamespaceTransferInProgress",
    "PrepClaimInProgress",
    "RebindInProgress",
    "UploadScheduled",
    "UploadReady",
    "Paused",
];

impl Volume<'_> {
    /// Names the data volume, or the claim where that stands alone.
    fn source_member(&self, state: Known) -> Judged {
        let kind = match (self.source, self.claim) {
            (Found::Absent, Found::There(_)) => "PersistentVolumeClaim",
            _ => "DataVolume",
        };
        self.member(kind, state)
    }

    fn claim_member(&self, state: Known) -> Judged {
        self.member("PersistentVolumeClaim", state)
    }

    fn member(&self, kind: &'static str, state: Known) -> Judged {
        Judged {
            kind,
            name: self.name.to_owned(),
            state,
        }
    }

    fn exists(&self) -> Known {
        match (self.source, self.claim) {
            (Found::There(_), _) | (_, Found::There(_)) => Known::True,
            (Found::Unread(reason), _) | (_, Found::Unread(reason)) => Known::Unknown(reason, "not read".to_owned(), None),
            (Found::Absent, Found::Absent) => Known::False(self.nothing_there()),
        }
    }

    fn nothing_there(&self) -> String {
        let vm = self.vms.iter().map(|vm| vm.metadata.name.as_str()).min().unwrap_or_default();
        format!("VM {vm} mounts it; neither data volume nor claim exists")
    }

    fn succeeded(&self, view: &View) -> Known {
        match (self.source, self.claim) {
            (Found::There(source), _) => self.source_succeeded(view, source),
            (Found::Unread(reason), _) | (Found::Absent, Found::Unread(reason)) => Known::Unknown(reason, "not read".to_owned(), None),
            (Found::Absent, Found::Absent) => Known::False(self.nothing_there()),
            (Found::Absent, Found::There(claim)) if claim.status.phase == "Bound" => Known::True,
            (Found::Absent, Found::There(_)) if self.vms.is_empty() => {
                Known::Excluded("a claim without data volume, see pvc_bound".to_owned())
            }
            (Found::Absent, Found::There(claim)) => self.claim_bound(view, claim),
        }
    }

    fn source_succeeded(&self, view: &View, source: &DataVolume) -> Known {
        let created = source.metadata.creation_timestamp;
        let words = words(source);
        match source.status.phase.as_str() {
            "Succeeded" => Known::True,
            "Failed" => Known::False(words),
            "WaitForFirstConsumer" | "PendingPopulation" => self.waits_for_consumer(view, created, words),
            phase if IN_PROGRESS.contains(&phase) => settling(view, created, words),
            _ => Known::Unknown(UnknownReason::UnrecognizedState, words, None),
        }
    }

    fn bound(&self, view: &View) -> Known {
        match (self.claim, self.source) {
            (Found::There(claim), _) => self.claim_bound(view, claim),
            (Found::Unread(reason), _) | (Found::Absent, Found::Unread(reason)) => Known::Unknown(reason, "not read".to_owned(), None),
            (Found::Absent, Found::Absent) => Known::False(self.nothing_there()),
            (Found::Absent, Found::There(source)) => match self.source_succeeded(view, source) {
                Known::True => Known::False("its data volume succeeded, the claim is gone".to_owned()),
                other => other,
            },
        }
    }

    fn claim_bound(&self, view: &View, claim: &PersistentVolumeClaim) -> Known {
        let created = claim.metadata.creation_timestamp;
        let pending = || "Pending".to_owned();
        match claim.status.phase.as_str() {
            "Bound" => Known::True,
            "Lost" => Known::False("Lost: its volume no longer exists".to_owned()),
            "Pending" | "" => match self.source {
                // A claim is Pending while its data volume is being populated: judged together.
                Found::There(source) => match self.source_succeeded(view, source) {
                    Known::True => settling(view, created, pending()),
                    Known::False(detail) => Known::False(format!("Pending, data volume {detail}")),
                    other => other,
                },
                Found::Unread(reason) => Known::Unknown(reason, pending(), None),
                Found::Absent => self.waits_for_consumer(view, created, pending()),
            },
            _ => Known::Unknown(UnknownReason::UnrecognizedState, clip(&claim.status.phase, 40).to_owned(), None),
        }
    }

    /// Not there yet: by design while nothing runs that would use it, else for the settle budget.
    fn waits_for_consumer(&self, view: &View, created: Option<DateTime<Utc>>, detail: String) -> Known {
        let waiting = |detail| Known::Unknown(UnknownReason::WaitingForConsumer, detail, None);
        if self.vms.is_empty() {
            // Among VMs that were not read there may be one that keeps the volume waiting.
            let unread = view
                .inventory
                .vms
                .missing
                .filter(|it| *it != UnknownReason::ApiAbsent && !shows_no_vms(view));
            if let Some(reason) = unread {
                return Known::Unknown(reason, detail, None);
            }
            let pods = &view.inventory.pods;
            return match (pods.items.iter().any(|pod| mounts(pod, self.name)), pods.missing) {
                (true, _) => settling(view, created, detail),
                (false, Some(reason)) => Known::Unknown(reason, detail, None),
                (false, None) => waiting(detail),
            };
        }
        let mut undecided = None;
        for vm in &self.vms {
            match wanted(view, vm) {
                Wanted::Running => return settling(view, created, detail),
                Wanted::Unknown(reason, _) => undecided = Some(reason),
                Wanted::Restarted | Wanted::Stopped(_) => {}
            }
        }
        match undecided {
            Some(reason) => Known::Unknown(reason, detail, None),
            None => waiting(detail),
        }
    }

    fn duration_acceptable(&self) -> Known {
        let source = match self.source {
            Found::There(source) => source,
            Found::Unread(reason) => return Known::Unknown(reason, "not read".to_owned(), None),
            Found::Absent if self.vms.is_empty() => return Known::Excluded("a claim without data volume".to_owned()),
            Found::Absent => {
                return Known::Unknown(
                    UnknownReason::NotCollected,
                    "its data volume was removed when it had succeeded".to_owned(),
                    None,
                );
            }
        };
        if source.status.phase != "Succeeded" {
            return Known::Unknown(UnknownReason::Progressing, words(source), None);
        }
        let ready = condition(&source.status.conditions, "Ready").filter(|ready| ready.is_true());
        let span = ready.and_then(|ready| Some(ready.last_transition_time? - source.metadata.creation_timestamp?));
        match span {
            Some(span) if span <= thresholds::CLONE_DURATION => Known::True,
            Some(span) => Known::False(format!("took {} min", span.num_minutes())),
            None => Known::Unknown(UnknownReason::NotCollected, "when it was ready is not told".to_owned(), None),
        }
    }

    /// Progress that stands still shows only between two scans; what is not in progress cannot stall.
    fn not_stalled(&self) -> Known {
        match self.source {
            Found::There(source) if source.status.phase != "Succeeded" && IN_PROGRESS.contains(&source.status.phase.as_str()) => {
                Known::Unknown(
                    UnknownReason::NotCollected,
                    format!("{}; its progress in the last scan is not known", words(source)),
                    None,
                )
            }
            Found::Unread(reason) => Known::Unknown(reason, "not read".to_owned(), None),
            Found::There(_) | Found::Absent => Known::True,
        }
    }

    fn not_failed(&self) -> Known {
        match self.source {
            Found::There(source) if source.status.phase == "Failed" => Known::False(words(source)),
            Found::Unread(reason) => Known::Unknown(reason, "not read".to_owned(), None),
            Found::There(_) | Found::Absent => Known::True,
        }
    }
}

/// Whether a pod that is not over mounts the claim.
fn mounts(pod: &crate::objects::Pod, claim: &str) -> bool {
    let mounted = pod.spec.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
    pods::life(pod) == pods::Life::Alive && mounted.into_iter().any(|mounted| mounted.claim_name == claim)
}

/// Phase, progress, and what a condition complains about.
fn words(source: &DataVolume) -> String {
    let status = &source.status;
    let mut words = if status.phase.is_empty() {
        "not started".to_owned()
    } else {
        status.phase.clone()
    };
    if !status.progress.is_empty() && status.progress != "N/A" {
        words = format!("{words} {}", status.progress);
    }
    let complaint = ["Running", "Bound", "Ready"]
        .into_iter()
        .filter_map(|kind| condition(&status.conditions, kind))
        .find(|it| it.is_false() && is_complaint(it));
    complaint.map_or_else(|| words.clone(), |it| format!("{words}: {}", clip(&it.message, 160)))
}

/// CDI also writes what is going well into conditions that are False.
fn is_complaint(condition: &Condition) -> bool {
    !condition.message.is_empty() && !matches!(condition.reason.as_str(), "Completed" | "Bound" | "Pending")
}

/// Under way until the settle budget after creation is spent. What has no age gets no budget.
fn settling(view: &View, created: Option<DateTime<Utc>>, detail: String) -> Known {
    match created.map(|created| created + view.settle.of(Stage::StorageCloneReady)) {
        Some(until) if view.now < until => Known::Unknown(UnknownReason::Progressing, detail, Some(until)),
        _ => Known::False(detail),
    }
}

/// Texts about the failing volumes: their state, events about both objects, and the pods that fill them.
fn signals(view: &View, volumes: &Volumes, observations: [&Observation; 2]) -> Vec<Signal> {
    let mut signals = Signals::default();
    let failing = observations.iter().flat_map(|it| &it.failing);
    for member in failing.take(2 * MAX_MEMBERS) {
        signals.member(member);
        let claim = match volumes.by_name.get(member.name.as_str()).map(|volume| volume.source) {
            Some(Found::There(source)) => claim_name(source),
            _ => &member.name,
        };
        signals.events_where(view, |kind, name| match kind {
            "DataVolume" => name == member.name,
            "PersistentVolumeClaim" => name == claim,
            _ => false,
        });
        let mut workers: Vec<_> = view
            .inventory
            .pods
            .items
            .iter()
            .filter(|pod| pods::home(pod) == pods::Home::Disk)
            .collect();
        workers.retain(|pod| !pods::is_ready(pod) && (mounts(pod, claim) || pods::owner(pod).is_some_and(|owner| owner.name == claim)));
        workers.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        for pod in workers {
            signals.pod(view, pod);
        }
    }
    signals.finish()
}

#[cfg(test)]
mod tests;
