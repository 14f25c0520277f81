//! Whose objects a file holds: which namespaces a list is complete for, and which folder is which cluster.
//!
//! ```text
//! dir/                          one cluster: at most one folder holds nodes or a version
//!   nodes.json  lab1/pods.json
//! dir/                          two clusters, "east" and "west": both hold nodes, and not the same ones
//!   east/nodes.json  east/lab1/pods.json
//!   west/nodes.json  west/lab7/pods.json
//! ```

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::Object;
use crate::objects::assemble::Document;
use crate::objects::{Assembler, Kind, NamespaceSelection, Problem, Snapshot};
use crate::unknown::UnknownReason;

/// What a recorded cluster is called if nothing tells its name.
const NAMELESS: &str = "recorded";

/// The folders of the recording that hold objects, by path.
#[derive(Default)]
pub(super) struct Folders(BTreeMap<String, Folder>);

/// One folder: what its own files hold.
pub(super) struct Folder {
    pub(super) assembler: Assembler,
    /// Namespaces that its files speak of.
    namespaces: BTreeSet<String>,
    /// Whether one of its lists was taken cluster-wide.
    wide: bool,
    /// The namespace whose folder this is in, as must-gather and inspect lay them out.
    namespace: Option<String>,
    /// Statements about kinds of which no object says the namespace.
    empty: Vec<Empty>,
    /// Identities of cluster-level objects.
    identities: BTreeMap<Kind, BTreeSet<String>>,
    /// The name that the cluster gives itself.
    infrastructure: Option<String>,
}

struct Empty {
    kind: Kind,
    missing: Option<UnknownReason>,
    file: String,
}

/// How objects were recorded, with the namespaces they are in.
pub(super) enum Read {
    /// One by one.
    Objects(BTreeSet<String>),
    /// As one list.
    List(BTreeSet<String>),
}

impl Folders {
    /// The folder of a file.
    pub(super) fn at(&mut self, file: &str) -> &mut Folder {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !self.0.contains_key(folder) {
            self.0.insert(folder.to_owned(), Folder::new(folder));
        }
        self.0.entry(folder.to_owned()).or_insert_with(|| Folder::new(folder))
    }

    /// Settles what empty lists are about, and puts folders of one cluster together.
    pub(super) fn finish(mut self, root: &str, at: DateTime<Utc>, problems: &mut Vec<Problem>) -> Vec<Snapshot> {
        self.settle_empty_lists(problems);
        let common = common_folder(self.0.keys());
        let mut tops: BTreeMap<String, Vec<Folder>> = BTreeMap::new();
        for (path, folder) in self.0 {
            let rest = path.get(common.len()..).unwrap_or_default().trim_start_matches('/');
            let top = rest.split('/').next().unwrap_or_default();
            tops.entry(top.to_owned()).or_default().push(folder);
        }
        let own_name = common.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(root);
        clusters(tops, own_name)
            .into_iter()
            .map(|(name, folders)| {
                let mut assembler = Assembler::new(name, NamespaceSelection::Recorded);
                for folder in folders {
                    assembler.absorb(folder.assembler);
                }
                let mut snapshot = assembler.finish(at);
                problems.append(&mut snapshot.problems);
                snapshot
            })
            .collect()
    }

    fn settle_empty_lists(&mut self, problems: &mut Vec<Problem>) {
        let around = self
            .0
            .keys()
            .map(|path| (path.clone(), self.around(path)))
            .collect::<BTreeMap<_, _>>();
        for (path, folder) in &mut self.0 {
            let Some((namespaces, wide)) = around.get(path) else { continue };
            for Empty { kind, missing, file } in std::mem::take(&mut folder.empty) {
                if *wide {
                    folder.mark(kind, missing);
                    continue;
                }
                let named = namespaces.iter().filter(|name| file.contains(name.as_str())).collect::<Vec<_>>();
                match (namespaces.first(), named.as_slice()) {
                    (Some(only), _) if namespaces.len() == 1 => folder.mark_in(kind, only, missing),
                    (_, [only]) => folder.mark_in(kind, only, missing),
                    _ if missing.is_some() => {}
                    _ => problems.push(Problem {
                        subject: file,
                        detail: format!("an empty list of {kind}, and nothing tells which namespace it is about; keep each namespace in a folder of its own"),
                    }),
                }
            }
        }
    }

    /// The namespaces that the folder speaks of, or else the nearest folder around it that speaks of any; and whether
    /// lists there were taken cluster-wide.
    fn around(&self, path: &str) -> (BTreeSet<String>, bool) {
        if let Some(folder) = self.0.get(path).filter(|folder| !folder.namespaces.is_empty()) {
            return (folder.namespaces.clone(), folder.wide);
        }
        let mut outer = path;
        loop {
            let inside =
                |other: &str| outer.is_empty() || other == outer || other.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
            let (mut namespaces, mut wide) = (BTreeSet::new(), false);
            for (_, folder) in self.0.iter().filter(|(other, _)| inside(other)) {
                namespaces.extend(folder.namespaces.iter().cloned());
                wide |= folder.wide;
            }
            if !namespaces.is_empty() || outer.is_empty() {
                return (namespaces, wide);
            }
            outer = outer.rsplit_once('/').map_or("", |(outer, _)| outer);
        }
    }
}

impl Folder {
    fn new(path: &str) -> Self {
        let mut parts = path.split('/').skip_while(|&part| part != "namespaces").skip(1);
        let namespace = parts.next().filter(|&name| name != "all").map(str::to_owned);
        Self {
            assembler: Assembler::new(NAMELESS, NamespaceSelection::Recorded),
            namespaces: namespace.iter().cloned().collect(),
            wide: false,
            namespace,
            empty: Vec::new(),
            identities: BTreeMap::new(),
            infrastructure: None,
        }
    }

    /// A document held objects of that kind, all there were unless `missing` says why not.
    pub(super) fn say(&mut self, kind: Kind, read: Read, missing: Option<UnknownReason>, file: &str) {
        if is_cluster_level(kind) {
            return self.mark(kind, missing);
        }
        let (namespaces, wide) = match read {
            // Namespaces are named one by one: a list of some does not say that there are no others.
            Read::List(namespaces) => (namespaces.clone(), namespaces.len() > 1 && kind != Kind::Namespace),
            Read::Objects(namespaces) => (namespaces, false),
        };
        self.namespaces.extend(namespaces.iter().cloned());
        if wide {
            self.wide = true;
            return self.mark(kind, missing);
        }
        if namespaces.is_empty() {
            return self.lost_or_empty(kind, missing, file);
        }
        for namespace in &namespaces {
            self.mark_in(kind, namespace, missing);
        }
    }

    /// A file that must hold objects of that kind could not be read.
    pub(super) fn lost(&mut self, kind: Kind, reason: UnknownReason, file: &str) {
        if is_cluster_level(kind) {
            self.mark(kind, Some(reason));
        } else {
            self.lost_or_empty(kind, Some(reason), file);
        }
    }

    fn lost_or_empty(&mut self, kind: Kind, missing: Option<UnknownReason>, file: &str) {
        match self.namespace.clone() {
            Some(namespace) => self.mark_in(kind, &namespace, missing),
            None => self.empty.push(Empty {
                kind,
                missing,
                file: file.to_owned(),
            }),
        }
    }

    fn mark(&mut self, kind: Kind, missing: Option<UnknownReason>) {
        match missing {
            None => self.assembler.read(kind),
            Some(reason) => self.assembler.missing(kind, reason),
        }
    }

    fn mark_in(&mut self, kind: Kind, namespace: &str, missing: Option<UnknownReason>) {
        match missing {
            None => self.assembler.read_in(kind, namespace),
            Some(reason) => self.assembler.missing_in(kind, namespace, reason),
        }
    }

    /// Remembers which cluster an object shows this to be.
    pub(super) fn identify(&mut self, kind: Kind, object: &Object<'_>) {
        #[derive(Deserialize)]
        struct Identified {
            metadata: Identity,
        }
        #[derive(Deserialize)]
        struct Identity {
            name: String,
            uid: Option<String>,
        }
        if !is_cluster_level(kind) {
            return;
        }
        if let Ok(Identified { metadata }) = object.parse() {
            // Operators and the version are called the same everywhere; only a uid tells them apart.
            let identity = metadata
                .uid
                .or_else(|| matches!(kind, Kind::Node | Kind::NodeMetrics).then_some(metadata.name));
            self.identities.entry(kind).or_default().extend(identity);
        }
    }

    /// Remembers the name that a cluster's Infrastructure object gives it.
    pub(super) fn infrastructure(&mut self, object: &Object<'_>) {
        #[derive(Deserialize)]
        struct Infrastructure {
            status: Status,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Status {
            infrastructure_name: String,
        }
        if let Ok(Infrastructure { status }) = object.parse() {
            self.infrastructure = Some(status.infrastructure_name).filter(|name| !name.is_empty());
        }
    }
}

fn is_cluster_level(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Node | Kind::NodeMetrics | Kind::ClusterOperator | Kind::ClusterVersion | Kind::Subscription | Kind::JobBacklog
    )
}

/// Puts top-level folders together that are one cluster, and names the clusters.
fn clusters(tops: BTreeMap<String, Vec<Folder>>, own_name: &str) -> Vec<(String, Vec<Folder>)> {
    let identities = |folders: &[Folder]| {
        let mut all: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
        for folder in folders {
            for (kind, ids) in &folder.identities {
                all.entry(*kind).or_default().extend(ids.iter().cloned());
            }
        }
        all
    };
    let mut known: Vec<(String, BTreeMap<Kind, BTreeSet<String>>)> = Vec::new();
    for (top, folders) in &tops {
        let identities = identities(folders);
        if !identities.is_empty() && !known.iter().any(|(_, other)| !differ(other, &identities)) {
            known.push((top.clone(), identities));
        }
    }
    if known.len() < 2 || known.iter().any(|(top, _)| top.is_empty()) {
        let folders = tops.into_values().flatten().collect::<Vec<_>>();
        let name = match known.first() {
            None => NAMELESS.to_owned(),
            Some(_) => cluster_name(&folders, own_name),
        };
        return vec![(name, folders)];
    }
    let mut clusters: BTreeMap<String, Vec<Folder>> = BTreeMap::new();
    for folders in tops.into_values() {
        let identities = identities(&folders);
        let name = known
            .iter()
            .find(|(_, other)| !identities.is_empty() && !differ(other, &identities))
            .map_or(NAMELESS, |(name, _)| name.as_str());
        clusters.entry(name.to_owned()).or_default().extend(folders);
    }
    clusters.into_iter().collect()
}

/// Whether two folders show different clusters: of some kind both hold objects, and not one in common.
fn differ(one: &BTreeMap<Kind, BTreeSet<String>>, two: &BTreeMap<Kind, BTreeSet<String>>) -> bool {
    let mut compared = one.iter().filter_map(|(kind, ids)| Some((ids, two.get(kind)?)));
    let same = compared.clone().any(|(ids, others)| !ids.is_disjoint(others));
    !same && compared.any(|(ids, others)| !ids.is_empty() && !others.is_empty())
}

fn cluster_name(folders: &[Folder], own_name: &str) -> String {
    if let Some(name) = folders.iter().find_map(|folder| folder.infrastructure.clone()) {
        return name;
    }
    let name = own_name
        .trim_end_matches(".gz")
        .trim_end_matches(".tar")
        .trim_end_matches(".tgz")
        .trim_end_matches(".json")
        .trim_end_matches(".yaml");
    let says_nothing = ["cluster", "cluster-scoped-resources", "namespaces", "core", "tmp", "data", ""].contains(&name)
        || ["must-gather", "inspect", "quay-io", "registry-", ".", "recording"]
            .iter()
            .any(|start| name.starts_with(start));
    if says_nothing { NAMELESS.to_owned() } else { name.to_owned() }
}

/// The longest folder that all of them are in.
fn common_folder<'a>(mut paths: impl Iterator<Item = &'a String>) -> String {
    let Some(first) = paths.next() else { return String::new() };
    let mut common = first.split('/').collect::<Vec<_>>();
    for path in paths {
        let same = common.iter().zip(path.split('/')).take_while(|(a, b)| *a == b).count();
        common.truncate(same);
    }
    common.join("/")
}
