//! What is there: instance -> subject and placement, and what follows for the instance; placement and job -> subject.
//!
//! ```text
//! label serviceUuid ── exact ──> subject            else cluster and namespace that the subject says ── exact ──>
//! label guid        ── strong ─> the newest subject that is no younger than the namespace
//! name              ── weak ───> likewise
//! ```

use std::collections::BTreeMap;

use super::edges::{Edges, Path};
use super::index::Index;
use super::offers::Offers;
use super::orders::Orders;
use super::{InstanceNode, NodeKind};
use crate::provisioning::placement::Placement;
use crate::provisioning::subject::AnarchySubject;
use crate::provisioning::{RecordKind, Strength};

/// What instances were joined to.
#[derive(Debug, Default)]
pub(super) struct Places<'a> {
    /// Name of the catalog item by id of the instance.
    pub(super) items: BTreeMap<&'a str, &'a str>,
    /// Instances whose key fits several subjects alike.
    pub(super) ambiguous: Vec<&'a str>,
}

/// Subjects of an instance.
enum Subjects<'a> {
    Found(Vec<(&'a AnarchySubject, Path)>),
    Ambiguous,
}

/// Joins instances, placements and jobs.
pub(super) fn join<'a>(index: &Index<'a>, orders: &Orders<'a>, offers: &Offers<'a>, edges: &mut Edges<'a>) -> Places<'a> {
    let mut places = Places::default();
    for placement in &index.world.placements {
        for subject in index.subjects_by_uuid.get(placement.service_uuid.as_str()).into_iter().flatten() {
            let path = Path::of(Strength::Exact, "service_uuid");
            edges.add((RecordKind::Placement, &placement.name), (RecordKind::Subject, &subject.uid), path);
        }
    }
    jobs(index, edges);
    for instance in &index.world.instances {
        let from = (NodeKind::Instance, instance.id.as_str());
        for (placement, path) in placements(index, instance) {
            edges.add(from, (RecordKind::Placement, &placement.name), path);
        }
        let subjects = match subjects(index, instance) {
            Subjects::Found(subjects) => subjects,
            Subjects::Ambiguous => {
                places.ambiguous.push(&instance.id);
                continue;
            }
        };
        let mut items: BTreeMap<&str, Path> = BTreeMap::new();
        for (subject, path) in subjects {
            edges.add(from, (RecordKind::Subject, &subject.uid), path.clone());
            let Some(order) = orders.by_subject.get(subject.uid.as_str()) else {
                continue;
            };
            for (kind, end) in [
                (RecordKind::ResourceHandle, &order.handle),
                (RecordKind::ResourceClaim, &order.claim),
                (RecordKind::Workshop, &order.workshop),
            ] {
                if let Some((key, next)) = end {
                    edges.add(from, (kind, *key), path.and(next));
                }
            }
            if let Some((item, next)) = &order.item {
                let path = path.and(next);
                let surer = items.get(item).is_none_or(|known| known.strength < path.strength);
                if surer {
                    items.insert(item, path);
                }
            }
        }
        // Of items that are joined alike surely, nobody can tell which one it is.
        let surest = items.values().map(|path| path.strength).max();
        let mut best = items.into_iter().filter(|(_, path)| Some(path.strength) == surest);
        if let (Some((item, path)), None) = (best.next(), best.next()) {
            if let Some((code, next)) = offers.lab(item) {
                edges.add(from, (RecordKind::Lab, code), path.and(next));
            }
            edges.add(from, (RecordKind::CatalogItem, item), path);
            places.items.insert(&instance.id, item);
        }
    }
    places
}

fn subjects<'a>(index: &Index<'a>, instance: &'a InstanceNode) -> Subjects<'a> {
    if !instance.service_uuid.is_empty() {
        let found = index.subjects_by_uuid.get(instance.service_uuid.as_str()).into_iter().flatten();
        let found: Vec<_> = found.map(|subject| (*subject, Path::of(Strength::Exact, "service_uuid"))).collect();
        if !found.is_empty() {
            return Subjects::Found(found);
        }
    }
    // A subject that carries another service's uuid is another one, whatever else fits.
    let fits = |subject: &AnarchySubject| instance.service_uuid.is_empty() || subject.service_uuid.is_empty();
    let place = (instance.cluster.as_str(), instance.namespace.as_str());
    let here = index.subjects_by_place.get(&place).into_iter().flatten();
    let here = here.filter(|(subject, _)| fits(subject) && is_no_younger(subject, instance));
    let here: Vec<_> = here
        .map(|(subject, path)| (*subject, Path::of(Strength::Exact, "namespace").and(path)))
        .collect();
    if !here.is_empty() {
        return Subjects::Found(here);
    }
    if !instance.service_uuid.is_empty() {
        return Subjects::Found(Vec::new());
    }
    let by_label = [(instance.guid.as_str(), Strength::Strong, "guid")];
    // The number at the end of a guid in a name may count namespaces instead of components.
    let whole = instance.guid_in_name.as_str();
    let without_number = whole.split_once('-').map_or("", |(guid, _)| guid);
    let by_name = [
        (whole, Strength::Weak, "guid in name"),
        (without_number, Strength::Weak, "guid in name"),
    ];
    let keys: &[_] = if instance.guid.is_empty() { &by_name } else { &by_label };
    for (guid, strength, key) in keys.iter().filter(|(guid, ..)| !guid.is_empty()) {
        match newest(index, guid, instance) {
            Newest::One(subject) => return Subjects::Found(vec![(subject, Path::of(*strength, key))]),
            Newest::Several => return Subjects::Ambiguous,
            Newest::Nobody => {}
        }
    }
    Subjects::Found(Vec::new())
}

enum Newest<'a> {
    One(&'a AnarchySubject),
    Several,
    Nobody,
}

/// The newest subject with that guid that is no younger than the namespace: guids are used again over the years. Where a time is missing
/// nobody can tell, and only the one there is will do.
fn newest<'a>(index: &Index<'a>, guid: &str, instance: &InstanceNode) -> Newest<'a> {
    let Some(candidates) = index.subjects_by_guid.get(guid) else {
        return Newest::Nobody;
    };
    let timed = instance.created_at.is_some() && candidates.iter().all(|subject| subject.created_at.is_some());
    let older: Vec<&AnarchySubject> = candidates
        .iter()
        .copied()
        .filter(|subject| is_no_younger(subject, instance))
        .collect();
    let newest = older.iter().map(|subject| subject.created_at).max();
    let found: Vec<&AnarchySubject> = older
        .iter()
        .copied()
        .filter(|subject| !timed || Some(subject.created_at) == newest)
        .collect();
    match found.as_slice() {
        [] => Newest::Nobody,
        [one] => Newest::One(one),
        _ => Newest::Several,
    }
}

/// Whether the subject may have made the namespace.
fn is_no_younger(subject: &AnarchySubject, instance: &InstanceNode) -> bool {
    match (subject.created_at, instance.created_at) {
        (Some(subject), Some(namespace)) => subject <= namespace,
        _ => true,
    }
}

/// Placements of an instance: those of its service that say this namespace or none, else those that say this namespace.
fn placements<'a>(index: &Index<'a>, instance: &'a InstanceNode) -> Vec<(&'a Placement, Path)> {
    if instance.service_uuid.is_empty() {
        let place = (instance.cluster.as_str(), instance.namespace.as_str());
        let here = index.placements_by_place.get(&place).into_iter().flatten();
        return here
            .map(|(placement, path)| (*placement, Path::of(Strength::Exact, "namespace").and(path)))
            .collect();
    }
    let of_service = index.placements_by_uuid.get(instance.service_uuid.as_str()).into_iter().flatten();
    let elsewhere = |placement: &Placement| {
        let other = !placement.namespace.is_empty() && placement.namespace != instance.namespace;
        let cluster = index.cluster(&placement.cluster, &placement.api_url);
        placement.no_namespace || other || cluster.is_some_and(|(cluster, _)| cluster != instance.cluster)
    };
    let here = of_service.filter(|placement| !elsewhere(placement));
    here.map(|placement| (*placement, Path::of(Strength::Exact, "service_uuid")))
        .collect()
}

fn jobs<'a>(index: &Index<'a>, edges: &mut Edges<'a>) {
    let keys: BTreeMap<&str, &'a str> = index.world.jobs.iter().map(|job| (job.key.as_str(), job.key.as_str())).collect();
    for subject in &index.world.subjects {
        let named = subject.jobs.values().filter_map(|job| Some(format!("{}/{}", job.host, job.id?)));
        for key in named.filter_map(|key| keys.get(key.as_str()).copied()) {
            edges.add(
                (RecordKind::AapJob, key),
                (RecordKind::Subject, &subject.uid),
                Path::of(Strength::Exact, "towerJobs"),
            );
        }
    }
    for job in &index.world.jobs {
        for subject in index.subjects_by_uuid.get(job.service_uuid.as_str()).into_iter().flatten() {
            edges.add(
                (RecordKind::AapJob, &job.key),
                (RecordKind::Subject, &subject.uid),
                Path::of(Strength::Exact, "uuid in job name"),
            );
        }
    }
}
