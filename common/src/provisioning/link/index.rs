//! Look-ups over a [`World`]: every join is a few of these, whatever the number of records.

use std::collections::BTreeMap;

use super::World;
use super::edges::Path;
use crate::provisioning::catalog::{CatalogItem, Component, Workshop, WorkshopProvision};
use crate::provisioning::event::Lab;
use crate::provisioning::placement::Placement;
use crate::provisioning::pool::{ResourceClaim, ResourceHandle, ResourcePool, ResourceProvider};
use crate::provisioning::subject::AnarchySubject;
use crate::provisioning::{ObjectRef, Record};

/// A namespace and a name. Names of things that live in one namespace only are looked up by the name alone where the reference has no
/// namespace.
type Name<'a> = (&'a str, &'a str);

/// A cluster of ours and a namespace on it.
type Place<'a> = (&'a str, &'a str);

pub(super) struct Index<'a> {
    pub(super) world: &'a World,
    pub(super) subjects: BTreeMap<Name<'a>, &'a AnarchySubject>,
    pub(super) subjects_by_uuid: BTreeMap<&'a str, Vec<&'a AnarchySubject>>,
    pub(super) subjects_by_guid: BTreeMap<&'a str, Vec<&'a AnarchySubject>>,
    pub(super) subjects_by_place: BTreeMap<Place<'a>, Vec<(&'a AnarchySubject, Path)>>,
    pub(super) placements_by_uuid: BTreeMap<&'a str, Vec<&'a Placement>>,
    pub(super) placements_by_place: BTreeMap<Place<'a>, Vec<(&'a Placement, Path)>>,
    handles: BTreeMap<Name<'a>, &'a ResourceHandle>,
    handles_by_name: BTreeMap<&'a str, Vec<&'a ResourceHandle>>,
    claims: BTreeMap<Name<'a>, &'a ResourceClaim>,
    pools: BTreeMap<Name<'a>, &'a ResourcePool>,
    pools_by_name: BTreeMap<&'a str, Vec<&'a ResourcePool>>,
    pub(super) providers: BTreeMap<&'a str, Vec<&'a ResourceProvider>>,
    /// By governor, and by name.
    pub(super) components: BTreeMap<&'a str, Vec<&'a Component>>,
    pub(super) items: BTreeMap<&'a str, Vec<&'a CatalogItem>>,
    pub(super) workshops: BTreeMap<Name<'a>, &'a Workshop>,
    pub(super) workshops_by_uid: BTreeMap<&'a str, &'a Workshop>,
    pub(super) workshops_by_id: BTreeMap<&'a str, Vec<&'a Workshop>>,
    pub(super) workshops_by_url: BTreeMap<String, Vec<&'a Workshop>>,
    pub(super) workshop_provisions: BTreeMap<Name<'a>, &'a WorkshopProvision>,
    /// By code, in lower case.
    pub(super) labs: BTreeMap<String, &'a Lab>,
    /// Codes of labs that are more than one word.
    pub(super) codes_with_separators: Vec<&'a str>,
}

impl<'a> Index<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        let place = |name: &str, url: &str, namespace: &'a str| {
            let (cluster, path) = world.aliases.cluster(name, url, &world.clusters)?;
            (!namespace.is_empty()).then_some(((cluster, namespace), path))
        };
        let mut subjects_by_place: BTreeMap<Place<'a>, Vec<_>> = BTreeMap::new();
        for subject in sorted(&world.subjects) {
            if let Some((place, path)) = place(&subject.lab_cluster, &subject.lab_api_url, &subject.lab_namespace) {
                subjects_by_place.entry(place).or_default().push((subject, path));
            }
        }
        let mut placements_by_place: BTreeMap<Place<'a>, Vec<_>> = BTreeMap::new();
        for placement in sorted(&world.placements).into_iter().filter(|placement| !placement.no_namespace) {
            if let Some((place, path)) = place(&placement.cluster, &placement.api_url, &placement.namespace) {
                placements_by_place.entry(place).or_default().push((placement, path));
            }
        }
        let mut components = many(&world.components, |component| component.name.as_str());
        for component in sorted(&world.components) {
            let governor = component.governor.as_ref().map(|governor| governor.name.as_str());
            if let Some(governor) = governor.filter(|name| !name.is_empty() && *name != component.name) {
                components.entry(governor).or_default().push(component);
            }
        }
        let mut workshops_by_url: BTreeMap<String, Vec<&Workshop>> = BTreeMap::new();
        for workshop in sorted(&world.workshops) {
            if let Some(url) = plain_url(&workshop.url) {
                workshops_by_url.entry(url).or_default().push(workshop);
            }
        }
        Self {
            world,
            subjects: named(&world.subjects, |it| (&it.namespace, &it.name)),
            subjects_by_uuid: many(&world.subjects, |it| &it.service_uuid),
            subjects_by_guid: many(&world.subjects, |it| &it.guid),
            subjects_by_place,
            placements_by_uuid: many(&world.placements, |it| &it.service_uuid),
            placements_by_place,
            handles: named(&world.handles, |it| (&it.namespace, &it.name)),
            claims: named(&world.claims, |it| (&it.namespace, &it.name)),
            handles_by_name: many(&world.handles, |it| &it.name),
            pools_by_name: many(&world.pools, |it| &it.name),
            pools: named(&world.pools, |it| (&it.namespace, &it.name)),
            providers: many(&world.providers, |it| &it.name),
            components,
            items: many(&world.catalog_items, |it| &it.name),
            workshops: named(&world.workshops, |it| (&it.namespace, &it.name)),
            workshops_by_uid: world.workshops.iter().map(|it| (it.uid.as_str(), it)).collect(),
            workshops_by_id: many(&world.workshops, |it| &it.workshop_id),
            workshops_by_url,
            workshop_provisions: named(&world.workshop_provisions, |it| (&it.namespace, &it.name)),
            labs: sorted(&world.labs)
                .into_iter()
                .map(|lab| (lab.code.to_ascii_lowercase(), lab))
                .collect(),
            codes_with_separators: world
                .labs
                .iter()
                .map(|lab| lab.code.as_str())
                .filter(|code| !code.is_empty() && code.bytes().any(|byte| !byte.is_ascii_alphanumeric()))
                .collect(),
        }
    }

    /// Which of our clusters that is.
    pub(super) fn cluster(&self, name: &str, api_url: &str) -> Option<(&'a str, Path)> {
        self.world.aliases.cluster(name, api_url, &self.world.clusters)
    }

    /// The handle of that name. Handles live in one namespace, which a reference may leave out.
    pub(super) fn handle(&self, name: &ObjectRef) -> Option<&'a ResourceHandle> {
        match self.handles.get(&(name.namespace.as_str(), name.name.as_str())) {
            Some(handle) => Some(handle),
            None if name.namespace.is_empty() => only(self.handles_by_name.get(name.name.as_str())),
            None => None,
        }
    }

    /// The pool of that name, likewise.
    pub(super) fn pool(&self, name: &ObjectRef) -> Option<&'a ResourcePool> {
        match self.pools.get(&(name.namespace.as_str(), name.name.as_str())) {
            Some(pool) => Some(pool),
            None if name.namespace.is_empty() => only(self.pools_by_name.get(name.name.as_str())),
            None => None,
        }
    }

    /// The claim of that name, unless it is detached: then it is a record of what was, and joins nothing.
    pub(super) fn claim(&self, name: &ObjectRef) -> Option<&'a ResourceClaim> {
        let claim = self.claims.get(&(name.namespace.as_str(), name.name.as_str())).copied();
        claim.filter(|claim| !claim.detached)
    }
}

/// The one there is, if it is only one.
pub(super) fn only<'a, T>(found: Option<&Vec<&'a T>>) -> Option<&'a T> {
    match found.map(Vec::as_slice) {
        Some([one]) => Some(one),
        _ => None,
    }
}

/// By their keys: whatever order they came in, two that share a name are always taken in the same one.
pub(super) fn sorted<R: Record>(all: &[R]) -> Vec<&R> {
    let mut sorted: Vec<&R> = all.iter().collect();
    sorted.sort_by_cached_key(|one| one.key());
    sorted
}

/// By namespace and name.
fn named<'a, R: Record>(all: &'a [R], name: impl Fn(&'a R) -> (&'a String, &'a String)) -> BTreeMap<Name<'a>, &'a R> {
    let entry = |one: &'a R| {
        let (namespace, name) = name(one);
        ((namespace.as_str(), name.as_str()), one)
    };
    sorted(all)
        .into_iter()
        .map(entry)
        .filter(|((_, name), _)| !name.is_empty())
        .collect()
}

/// All that have a key. An empty one is none.
fn many<'a, R: Record>(all: &'a [R], key: impl Fn(&'a R) -> &'a str) -> BTreeMap<&'a str, Vec<&'a R>> {
    let mut found: BTreeMap<&str, Vec<&R>> = BTreeMap::new();
    for one in sorted(all) {
        let key = key(one);
        if !key.is_empty() {
            found.entry(key).or_default().push(one);
        }
    }
    found
}

/// An address without scheme, query and the slash at its end, in lower case.
pub(super) fn plain_url(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    (!rest.is_empty()).then(|| rest.to_ascii_lowercase())
}
