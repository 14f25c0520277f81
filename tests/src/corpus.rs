//! The corpus of `tests/corpus`: recorded namespaces, each with what is true of it, and how well StarGate finds that out.
//!
//! ```text
//! 012-name/recording/    what `oc get -o json|yaml`, `oc adm inspect` or `stargate record` wrote
//!          beside.yaml   what other systems say: subjects, probes, smoke runs, declarations; absent when nobody was asked
//!          truth.yaml    what is the matter, written by people who did not look at verdicts
//!          recipe.yaml   how the raw material was made, if it was made
//! ```
//!
//! `truth.rs` says what a truth can say, `score.rs` compares it with verdicts and counts.

pub mod score;
pub mod truth;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use stargate_common::collect::recorded;
use stargate_common::evaluate::FleetVerdict;
use stargate_common::evaluate::pipeline::evaluate_snapshot;
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::evidence::Declared;
use stargate_common::objects::{Inventory, Listing, Probe, Reachability, SmokeRun, Snapshot, Subject};

pub use score::Score;
pub use truth::Truth;

/// The folder of the corpus in this repository.
#[must_use]
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The folders of the cases: those whose name begins with a number, in their order.
///
/// # Errors
/// The directory cannot be read.
pub fn folders(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let numbered = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(|letter: char| letter.is_ascii_digit()));
        if numbered && path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// One recorded namespace and what is true of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The name of its folder.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// What is the matter.
    pub truth: Truth,
    /// Everything that was read.
    pub world: World,
}

/// What verdicts are made from.
#[derive(Debug, Clone)]
pub struct World {
    /// The clusters of the recording, with what other systems say laid in.
    pub snapshots: Vec<Snapshot>,
    /// What the catalog declares of the namespace.
    pub declared: Declared,
}

/// What other systems say of the namespace. A list that is absent was not read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Beside {
    subjects: Option<Vec<Subject>>,
    probes: Option<Vec<Probe>>,
    smoke_runs: Option<Vec<SmokeRun>>,
    declared: Option<Declared>,
    /// About the cluster of the namespace.
    reachable: Option<Reachability>,
    critical_alerts: Option<Vec<String>>,
}

/// Every case of a corpus.
///
/// # Errors
/// A case cannot be read; the error names its folder.
pub fn load(directory: &Path) -> anyhow::Result<Vec<Case>> {
    folders(directory)?.iter().map(|folder| case(folder)).collect()
}

/// The case in a folder.
///
/// # Errors
/// One of its files cannot be read or says something that is not understood.
pub fn case(folder: &Path) -> anyhow::Result<Case> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let truth: Truth = yaml(&folder.join("truth.yaml"))?;
    let world = world(folder, &folder.join("recording"), &truth)?;
    Ok(Case {
        name,
        folder: folder.to_owned(),
        truth,
        world,
    })
}

/// What a recording holds, with what other systems say of the same namespace: `folder` has the latter, `recording` the former.
///
/// # Errors
/// The recording cannot be read, or does not hold the namespace.
pub fn world(folder: &Path, recording: &Path, truth: &Truth) -> anyhow::Result<World> {
    let read = recorded::read(recording, Some(truth.at)).with_context(|| format!("reading {}", recording.display()))?;
    let beside = folder.join("beside.yaml");
    let beside: Beside = if beside.exists() { yaml(&beside)? } else { Beside::default() };
    let mut snapshots = read.clusters;
    let snapshot = snapshots
        .iter_mut()
        .find(|snapshot| snapshot.namespaces.contains_key(&truth.namespace));
    let Snapshot { cluster, namespaces, .. } =
        snapshot.with_context(|| format!("{} does not hold namespace {}", recording.display(), truth.namespace))?;
    let Beside {
        subjects,
        probes,
        smoke_runs,
        declared,
        reachable,
        critical_alerts,
    } = beside;
    if let Some(inventory) = namespaces.get_mut(&truth.namespace) {
        lay(&mut inventory.subjects, subjects);
        lay(&mut inventory.probes, probes);
        lay(&mut inventory.smoke_runs, smoke_runs);
    }
    lay(&mut cluster.critical_alerts, critical_alerts);
    cluster.reachable = cluster.reachable.take().or(reachable);
    Ok(World {
        snapshots,
        declared: declared.unwrap_or_default(),
    })
}

fn lay<T>(listing: &mut Listing<T>, said: Option<Vec<T>>) {
    if let Some(items) = said {
        *listing = Listing::complete(items);
    }
}

fn yaml<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    stargate_common::yaml::from_str(&text).with_context(|| path.display().to_string())
}

/// The verdicts on a world, as `stargate evaluate --from` makes them.
#[must_use]
pub fn judge(rubrics: &RubricSet, world: &World, truth: &Truth) -> FleetVerdict {
    let mut fleet = FleetVerdict::default();
    for snapshot in &world.snapshots {
        let declared = |inventory: &Inventory| (inventory.name == truth.namespace).then_some(&world.declared);
        fleet.merge(evaluate_snapshot(rubrics, snapshot, truth.at, &declared));
    }
    fleet
}
