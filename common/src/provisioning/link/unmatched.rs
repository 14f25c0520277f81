//! What should have joined something and did not; only where the other side was read after it came to be.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::edges::Edges;
use super::index::Index;
use super::offers::Offers;
use super::places::Places;
use super::{InstanceNode, NodeKind, Unmatched, reason};
use crate::provisioning::RecordKind;
use crate::provisioning::subject::AnarchySubject;

struct Found<'i, 'a> {
    index: &'i Index<'a>,
    all: BTreeMap<(NodeKind, String, NodeKind), String>,
}

impl Found<'_, '_> {
    fn add(&mut self, kind: impl Into<NodeKind>, key: impl Into<String>, wanted: impl Into<NodeKind>, word: &str, detail: &str) {
        let key = (kind.into(), key.into(), wanted.into());
        self.all.entry(key).or_insert_with(|| format!("{word}: {detail}"));
    }

    /// Whether that kind was read to its end lately, and after a moment. One that is not known counts as long ago.
    fn read_after(&self, kind: RecordKind, moment: Option<DateTime<Utc>>) -> bool {
        let known = self.index.world.known.get(&kind);
        known.is_some_and(|known| moment.is_none_or(|moment| moment < *known))
    }

    fn knows(&self, kind: RecordKind) -> bool {
        self.read_after(kind, None)
    }
}

/// Everything that is unmatched, sorted.
pub(super) fn of<'a>(index: &Index<'a>, offers: &Offers<'a>, places: &Places<'a>, edges: &Edges<'a>) -> Vec<Unmatched> {
    let mut found = Found {
        index,
        all: BTreeMap::new(),
    };
    instances(&mut found, places, edges);
    subjects(&mut found);
    placements(&mut found, edges);
    labs(&mut found, offers, places, edges);
    mappings(&mut found);
    clusters(&mut found);
    let unmatched = found
        .all
        .into_iter()
        .map(|((kind, key, wanted), reason)| Unmatched { kind, key, wanted, reason });
    unmatched.collect()
}

fn instances<'a>(found: &mut Found<'_, 'a>, places: &Places<'a>, edges: &Edges<'a>) {
    let ambiguous: BTreeSet<&str> = places.ambiguous.iter().copied().collect();
    for instance in &found.index.world.instances {
        let InstanceNode {
            id,
            cluster,
            namespace,
            service_uuid,
            guid,
            guid_in_name,
            created_at,
        } = instance;
        if edges.any(NodeKind::Instance, id, RecordKind::Subject) || !found.read_after(RecordKind::Subject, *created_at) {
            continue;
        }
        let name = format!("{cluster}/{namespace}");
        let to = NodeKind::Record(RecordKind::Subject);
        if ambiguous.contains(id.as_str()) {
            found.add(
                NodeKind::Instance,
                id,
                to,
                reason::AMBIGUOUS,
                &format!("{name}: several subjects fit its guid alike"),
            );
        } else if edges.any(NodeKind::Instance, id, RecordKind::Placement) {
            let detail = format!("{name} has a placement, but no subject");
            found.add(NodeKind::Instance, id, to, reason::TEARDOWN_LOST, &detail);
        } else if !service_uuid.is_empty() {
            if found.read_after(RecordKind::Placement, *created_at) {
                let detail = format!("{name}: neither a subject nor a placement has its service {service_uuid}");
                found.add(NodeKind::Instance, id, to, reason::LEAKED, &detail);
            } else {
                let detail = format!("{name}: no subject has its service {service_uuid}; placements are not known");
                found.add(NodeKind::Instance, id, to, reason::NOT_FOUND, &detail);
            }
        } else if guid.is_empty() && guid_in_name.is_empty() {
            let detail = format!("{name} carries neither a service nor a guid");
            found.add(NodeKind::Instance, id, to, reason::UNIDENTIFIED, &detail);
        } else {
            let guid = if guid.is_empty() { guid_in_name } else { guid };
            found.add(
                NodeKind::Instance,
                id,
                to,
                reason::NOT_FOUND,
                &format!("{name}: no subject has its guid {guid}"),
            );
        }
    }
}

/// Subjects that say they are started, on a cluster whose namespaces were read after that, and theirs was not among them.
fn subjects(found: &mut Found<'_, '_>) {
    let world = found.index.world;
    let there = world
        .instances
        .iter()
        .map(|instance| (instance.cluster.as_str(), instance.namespace.as_str()));
    // Perhaps the subject is gone with it, and was read before that.
    let left = world.left.iter().map(|(cluster, namespace)| (cluster.as_str(), namespace.as_str()));
    let there: BTreeSet<(&str, &str)> = there.chain(left).collect();
    let Some(subjects_read_at) = world.known.get(&RecordKind::Subject) else {
        return;
    };
    for subject in &world.subjects {
        let AnarchySubject {
            lab_namespace,
            lab_cluster,
            lab_api_url,
            ..
        } = subject;
        if subject.current_state != "started" || subject.deleting_since.is_some() || lab_namespace.is_empty() {
            continue;
        }
        let Some((cluster, _)) = found.index.cluster(lab_cluster, lab_api_url) else {
            continue;
        };
        let Some(read_at) = world.clusters.get(cluster).copied().flatten() else {
            continue;
        };
        let known_since = started_at(subject).unwrap_or(*subjects_read_at);
        if known_since < read_at && !there.contains(&(cluster, lab_namespace)) {
            let detail = format!("{} is started, but {cluster} has no lab namespace {lab_namespace}", subject.name);
            found.add(RecordKind::Subject, &subject.uid, NodeKind::Instance, reason::GHOST, &detail);
        }
    }
}

/// When the last action ended that may have started it.
fn started_at(subject: &AnarchySubject) -> Option<DateTime<Utc>> {
    let actions = subject.actions.values().filter_map(|action| action.completed_at);
    let jobs = subject.jobs.values().filter_map(|job| job.completed_at);
    actions.chain(jobs).max()
}

fn placements<'a>(found: &mut Found<'_, 'a>, edges: &Edges<'a>) {
    for placement in &found.index.world.placements {
        // What is being cleaned up has lost its subject as it should.
        let leaving = placement.to_cleanup || placement.status == "deleting" || placement.service_uuid.is_empty();
        if leaving
            || edges.any(RecordKind::Placement, &placement.name, RecordKind::Subject)
            || !found.read_after(RecordKind::Subject, placement.created_at)
        {
            continue;
        }
        let detail = format!("{}: no subject has its service {}", placement.name, placement.service_uuid);
        found.add(
            RecordKind::Placement,
            &placement.name,
            RecordKind::Subject,
            reason::TEARDOWN_LOST,
            &detail,
        );
    }
}

fn labs<'a>(found: &mut Found<'_, 'a>, offers: &Offers<'a>, places: &Places<'a>, edges: &Edges<'a>) {
    let world = found.index.world;
    if found.knows(RecordKind::Lab) {
        for session in &world.sessions {
            if !edges.any(RecordKind::Session, &session.id, RecordKind::Lab) {
                let detail = format!("no lab has the code {:?}", session.lab_code);
                found.add(RecordKind::Session, &session.id, RecordKind::Lab, reason::NOT_FOUND, &detail);
            }
        }
        let live: BTreeSet<&str> = places.items.values().copied().collect();
        for item in live {
            match offers.labs.get(item) {
                None if is_of_labs(found.index, item) => {
                    let detail = format!("{item} has live instances, and no lab names it");
                    found.add(RecordKind::CatalogItem, item, RecordKind::Lab, reason::NOT_FOUND, &detail);
                }
                Some(labs) if labs.len() > 1 => {
                    let codes: Vec<&str> = labs.keys().copied().collect();
                    let detail = format!("{item} is shared by {}; the table of labs can settle it", codes.join(", "));
                    found.add(RecordKind::CatalogItem, item, RecordKind::Lab, reason::AMBIGUOUS, &detail);
                }
                _ => {}
            }
        }
        smoke_runs(found, edges);
    }
    if found.knows(RecordKind::CatalogItem) {
        let offered: BTreeSet<&str> = offers.labs.values().flat_map(|labs| labs.keys().copied()).collect();
        for lab in world.labs.iter().filter(|lab| !offered.contains(lab.code.as_str())) {
            let (word, detail) = match lab.ci_name.trim() {
                "" => (
                    reason::UNIDENTIFIED,
                    "it names no catalog item, and no item carries its code".to_owned(),
                ),
                name => (reason::NOT_FOUND, format!("no catalog item {name:?} is there")),
            };
            found.add(RecordKind::Lab, &lab.code, RecordKind::CatalogItem, word, &detail);
        }
    }
}

/// Whether sessions use items of that stage at all.
fn is_of_labs(index: &Index<'_>, item: &str) -> bool {
    item.rsplit_once('.')
        .is_some_and(|(_, stage)| index.world.lab_stages.contains(stage))
}

fn smoke_runs<'a>(found: &mut Found<'_, 'a>, edges: &Edges<'a>) {
    for session in &found.index.world.smoke_sessions {
        let key = session.id.to_string();
        if !edges.any(RecordKind::SmokeRun, key.clone(), RecordKind::Lab) {
            let detail = format!("neither its workshop nor its name {:?} tells one lab", session.name);
            found.add(RecordKind::SmokeRun, key, RecordKind::Lab, reason::NOT_FOUND, &detail);
        }
    }
}

/// Entries of the table of labs that name what is not there.
fn mappings(found: &mut Found<'_, '_>) {
    let index = found.index;
    let stages = |name: &str| {
        index
            .world
            .lab_stages
            .iter()
            .any(|stage| index.items.contains_key(format!("{name}.{stage}").as_str()))
    };
    for (item, code) in index.world.mappings.entries() {
        if found.knows(RecordKind::Lab) && !index.labs.contains_key(&code.to_ascii_lowercase()) {
            let detail = format!("the table of labs gives it the lab {code}, which is not there");
            found.add(RecordKind::CatalogItem, item, RecordKind::Lab, reason::NOT_FOUND, &detail);
        }
        if found.knows(RecordKind::CatalogItem) && !index.items.contains_key(item) && !stages(item) {
            let detail = format!("the table of labs names the item {item}, which is not there");
            found.add(RecordKind::Lab, code, RecordKind::CatalogItem, reason::NOT_FOUND, &detail);
        }
    }
}

/// Clusters of the Sandbox API that hold something, and none of ours is.
fn clusters(found: &mut Found<'_, '_>) {
    let world = found.index.world;
    if world.clusters.is_empty() {
        return;
    }
    let subjects = world
        .subjects
        .iter()
        .map(|subject| (subject.lab_cluster.as_str(), subject.lab_api_url.as_str()));
    let placements = world
        .placements
        .iter()
        .map(|placement| (placement.cluster.as_str(), placement.api_url.as_str()));
    let named: BTreeSet<(&str, &str)> = subjects.chain(placements).filter(|(name, _)| !name.is_empty()).collect();
    let ours: BTreeSet<&str> = named
        .iter()
        .filter(|(name, url)| found.index.cluster(name, url).is_some())
        .map(|(name, _)| *name)
        .collect();
    for (name, _) in named.iter().filter(|(name, _)| !ours.contains(name)) {
        let detail = "no cluster of that name or address is scanned; STARGATE_CLUSTER_ALIASES may name it";
        found.add(RecordKind::SandboxCluster, *name, NodeKind::Cluster, reason::NOT_FOUND, detail);
    }
}
