//! What was ordered: from a subject over its handle and claim to the catalog item and the workshop.
//!
//! A claim says what was ordered, by its labels. Without a claim the provider of the handle says it; without that the governor, and only of a
//! subject that is alone: the governor of a linked component names the component, not the order.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::{Edges, Path};
use super::index::{Index, only, sorted};
use crate::provisioning::pool::{ResourceClaim, ResourceHandle};
use crate::provisioning::subject::AnarchySubject;
use crate::provisioning::{ObjectRef, RecordKind, Strength};

const WORKSHOP: &str = "babylon.gpte.redhat.com/workshop";
const WORKSHOP_ID: &str = "babylon.gpte.redhat.com/workshop-id";
const WORKSHOP_UID: &str = "babylon.gpte.redhat.com/workshop-uid";
const WORKSHOP_PROVISION: &str = "babylon.gpte.redhat.com/workshop-provision";

/// What a subject belongs to.
#[derive(Debug, Default)]
pub(super) struct Order<'a> {
    pub(super) handle: Option<(&'a str, Path)>,
    pub(super) claim: Option<(&'a str, Path)>,
    /// Name of the catalog item.
    pub(super) item: Option<(&'a str, Path)>,
    pub(super) workshop: Option<(&'a str, Path)>,
}

/// What was ordered.
#[derive(Debug, Default)]
pub(super) struct Orders<'a> {
    /// By uid of the subject.
    pub(super) by_subject: BTreeMap<&'a str, Order<'a>>,
    /// Names of catalog items that a workshop, by its uid, was ordered with.
    pub(super) items_of_workshop: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

/// Joins orders.
pub(super) fn join<'a>(index: &Index<'a>, edges: &mut Edges<'a>) -> Orders<'a> {
    let mut orders = Orders::default();
    let exact = |key| Path::of(Strength::Exact, key);
    let claims = claims(index, edges, &mut orders);
    for provision in sorted(&index.world.workshop_provisions) {
        let workshop = index.workshops.get(&(provision.namespace.as_str(), provision.workshop.as_str()));
        let item = provision
            .catalog_item
            .as_ref()
            .map(|item| item.name.as_str())
            .filter(|name| !name.is_empty());
        if let Some(workshop) = workshop {
            edges.add(
                (RecordKind::WorkshopProvision, &provision.uid),
                (RecordKind::Workshop, &workshop.uid),
                exact("workshop name"),
            );
            orders.items_of_workshop.entry(&workshop.uid).or_default().extend(item);
        }
        if let Some(item) = item {
            edges.add(
                (RecordKind::WorkshopProvision, &provision.uid),
                (RecordKind::CatalogItem, item),
                exact("catalog item"),
            );
        }
    }
    for pool in &index.world.pools {
        let names: Vec<&str> = pool.providers.iter().map(String::as_str).collect();
        for (item, path) in ordered_providers(index, &names)
            .into_iter()
            .filter_map(|name| item_of_provider(index, name))
        {
            edges.add((RecordKind::ResourcePool, &pool.uid), (RecordKind::CatalogItem, item), path);
        }
    }
    for component in &index.world.components {
        if let Some(item) = component.catalog_item.as_ref().filter(|item| !item.name.is_empty()) {
            edges.add(
                (RecordKind::Component, &component.uid),
                (RecordKind::CatalogItem, &item.name),
                exact("component status"),
            );
        }
    }
    let handles = handles(index, edges, &claims);
    for subject in sorted(&index.world.subjects) {
        let order = order(index, edges, &claims, &handles, subject);
        orders.by_subject.insert(&subject.uid, order);
    }
    orders
}

/// What claims say, by their uid.
struct Claimed<'a> {
    item: Option<(&'a str, Path)>,
    workshop: Option<(&'a str, Path)>,
}

/// Claims by their uid, and which one has a handle.
struct Claims<'a> {
    by_uid: BTreeMap<&'a str, Claimed<'a>>,
    by_handle: BTreeMap<&'a str, Vec<&'a ResourceClaim>>,
}

fn claims<'a>(index: &Index<'a>, edges: &mut Edges<'a>, orders: &mut Orders<'a>) -> Claims<'a> {
    let mut claims = Claims {
        by_uid: BTreeMap::new(),
        by_handle: BTreeMap::new(),
    };
    let exact = |key| Path::of(Strength::Exact, key);
    for claim in sorted(&index.world.claims).into_iter().filter(|claim| !claim.detached) {
        let from = (RecordKind::ResourceClaim, claim.uid.as_str());
        if let Some(handle) = claim.handle.as_ref().and_then(|name| index.handle(name)) {
            edges.add(from, (RecordKind::ResourceHandle, &handle.uid), exact("claim status"));
            claims.by_handle.entry(&handle.uid).or_default().push(claim);
        }
        let item = claim
            .catalog_item
            .as_ref()
            .map(|item| item.name.as_str())
            .filter(|name| !name.is_empty());
        if let Some(item) = item {
            edges.add(from, (RecordKind::CatalogItem, item), exact("catalogItemName"));
        }
        let workshop = workshop(index, claim);
        if let Some((workshop, path)) = &workshop {
            edges.add(from, (RecordKind::Workshop, *workshop), path.clone());
            orders.items_of_workshop.entry(workshop).or_default().extend(item);
        }
        if let Some(provision) = claim.labels.get(WORKSHOP_PROVISION)
            && let Some(provision) = index.workshop_provisions.get(&(claim.namespace.as_str(), provision.as_str()))
        {
            edges.add(from, (RecordKind::WorkshopProvision, &provision.uid), exact("workshop-provision"));
        }
        let claimed = Claimed {
            item: item.map(|item| (item, exact("catalogItemName"))),
            workshop,
        };
        claims.by_uid.insert(&claim.uid, claimed);
    }
    claims
}

fn workshop<'a>(index: &Index<'a>, claim: &'a ResourceClaim) -> Option<(&'a str, Path)> {
    let label = |name: &str| claim.labels.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let exact = |key| Path::of(Strength::Exact, key);
    if let Some(workshop) = label(WORKSHOP_UID).and_then(|uid| index.workshops_by_uid.get(uid)) {
        return Some((&workshop.uid, exact("workshop-uid")));
    }
    if let Some(workshop) = label(WORKSHOP).and_then(|name| index.workshops.get(&(claim.namespace.as_str(), name))) {
        return Some((&workshop.uid, exact("workshop label")));
    }
    let workshop = only(index.workshops_by_id.get(label(WORKSHOP_ID)?))?;
    Some((&workshop.uid, exact("workshop-id")))
}

/// Handles by the uid of a subject that they refer to, and how many subjects each has.
struct Handles<'a> {
    of_subject: BTreeMap<&'a str, &'a ResourceHandle>,
    subjects: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

fn handles<'a>(index: &Index<'a>, edges: &mut Edges<'a>, claims: &Claims<'a>) -> Handles<'a> {
    let mut handles = Handles {
        of_subject: BTreeMap::new(),
        subjects: BTreeMap::new(),
    };
    for handle in sorted(&index.world.handles) {
        let from = (RecordKind::ResourceHandle, handle.uid.as_str());
        if let Some(pool) = handle.pool.as_ref().and_then(|name| index.pool(name)) {
            edges.add(from, (RecordKind::ResourcePool, &pool.uid), Path::of(Strength::Exact, "pool"));
        }
        for subject in handle
            .subjects
            .iter()
            .filter_map(|name| index.subjects.get(&(name.namespace.as_str(), name.name.as_str())))
        {
            handles.of_subject.insert(&subject.uid, handle);
            handles.subjects.entry(&handle.uid).or_default().insert(&subject.uid);
        }
        if let Some((item, path)) = item_of_handle(index, claims, handle) {
            edges.add(from, (RecordKind::CatalogItem, item), path);
        }
    }
    for subject in &index.world.subjects {
        if let Some(handle) = subject.handle.as_ref().and_then(|name| index.handle(name)) {
            handles.subjects.entry(&handle.uid).or_default().insert(&subject.uid);
        }
    }
    handles
}

/// What was ordered with a handle: what its claim says, else what its providers say.
fn item_of_handle<'a>(index: &Index<'a>, claims: &Claims<'a>, handle: &'a ResourceHandle) -> Option<(&'a str, Path)> {
    let claim = claim_of(index, claims, handle).and_then(|(claim, path)| {
        let (item, label) = claims.by_uid.get(claim.uid.as_str())?.item.as_ref()?;
        Some((*item, path.and(label)))
    });
    claim.or_else(|| {
        let names: Vec<&str> = handle.providers.iter().map(String::as_str).collect();
        let items = ordered_providers(index, &names)
            .into_iter()
            .filter_map(|name| item_of_provider(index, name));
        let items: BTreeMap<&str, Path> = items.collect();
        // Two that are both nobody's component: nothing says which one was ordered.
        (items.len() == 1).then(|| items.into_iter().next())?
    })
}

/// The claim that has a handle: the one the handle names, else the only one that names the handle.
fn claim_of<'a>(index: &Index<'a>, claims: &Claims<'a>, handle: &'a ResourceHandle) -> Option<(&'a ResourceClaim, Path)> {
    let named = handle.claim.as_ref().and_then(|name| index.claim(name));
    let claim = named.or_else(|| only(claims.by_handle.get(handle.uid.as_str())))?;
    Some((claim, Path::of(Strength::Exact, "claim")))
}

/// Those providers that none of the others links to: what was ordered, not what it consists of.
fn ordered_providers<'a>(index: &Index<'a>, names: &[&'a str]) -> BTreeSet<&'a str> {
    let linked: BTreeSet<&str> = names
        .iter()
        .filter_map(|name| index.providers.get(name))
        .flatten()
        .flat_map(|provider| provider.linked.iter().map(String::as_str))
        .collect();
    names
        .iter()
        .copied()
        .filter(|name| !name.is_empty() && !linked.contains(name))
        .collect()
}

fn item_of_provider<'a>(index: &Index<'a>, name: &'a str) -> Option<(&'a str, Path)> {
    let named = |item: &'a ObjectRef| Some(item.name.as_str()).filter(|name| !name.is_empty());
    let labelled = index
        .providers
        .get(name)
        .into_iter()
        .flatten()
        .find_map(|provider| named(provider.catalog_item.as_ref()?));
    if let Some(item) = labelled {
        return Some((item, Path::of(Strength::Strong, "provider")));
    }
    let (item, _) = index.items.get_key_value(name)?;
    Some((item, Path::of(Strength::Strong, "provider name")))
}

fn order<'a>(
    index: &Index<'a>,
    edges: &mut Edges<'a>,
    claims: &Claims<'a>,
    handles: &Handles<'a>,
    subject: &'a AnarchySubject,
) -> Order<'a> {
    let from = (RecordKind::Subject, subject.uid.as_str());
    let exact = |key| Path::of(Strength::Exact, key);
    let annotated = subject
        .handle
        .as_ref()
        .and_then(|name| index.handle(name))
        .map(|handle| (handle, "handle"));
    let handle = annotated.or_else(|| Some((*handles.of_subject.get(subject.uid.as_str())?, "handle reference")));
    let component = only(index.components.get(subject.governor.as_str()));
    let mut order = Order::default();
    if let Some(component) = component {
        edges.add(from, (RecordKind::Component, &component.uid), exact("governor"));
    }
    if let Some((handle, key)) = handle {
        edges.add(from, (RecordKind::ResourceHandle, &handle.uid), exact(key));
        order.handle = Some((&handle.uid, exact(key)));
    }
    let claim = subject
        .claim
        .as_ref()
        .and_then(|name| index.claim(name))
        .map(|claim| (claim, exact("claim")));
    let claim = claim.or_else(|| {
        let (handle, key) = handle?;
        let (claim, path) = claim_of(index, claims, handle)?;
        Some((claim, exact(key).and(&path)))
    });
    if let Some((claim, path)) = claim {
        edges.add(from, (RecordKind::ResourceClaim, &claim.uid), path.clone());
        if let Some(claimed) = claims.by_uid.get(claim.uid.as_str()) {
            order.item = claimed.item.as_ref().map(|(item, label)| (*item, path.and(label)));
            order.workshop = claimed.workshop.as_ref().map(|(workshop, label)| (*workshop, path.and(label)));
        }
        order.claim = Some((&claim.uid, path));
    }
    if order.item.is_none()
        && let Some((handle, key)) = handle
    {
        order.item = item_of_handle(index, claims, handle).map(|(item, path)| (item, exact(key).and(&path)));
    }
    let alone = handle.is_none_or(|(handle, _)| handles.subjects.get(handle.uid.as_str()).is_none_or(|subjects| subjects.len() <= 1));
    if order.item.is_none() && alone && subject.resource_index.unwrap_or_default() == 0 {
        order.item = item_of_governor(index, subject, handle.is_some());
    }
    if let Some((item, path)) = &order.item {
        edges.add(from, (RecordKind::CatalogItem, *item), path.clone());
    }
    if let Some((workshop, path)) = &order.workshop {
        edges.add(from, (RecordKind::Workshop, *workshop), path.clone());
    }
    order
}

/// The item that is named like the governor, or that the governor's component was made into. Whether the subject was ordered by itself is
/// known from its handle only.
fn item_of_governor<'a>(index: &Index<'a>, subject: &'a AnarchySubject, has_handle: bool) -> Option<(&'a str, Path)> {
    let strength = if has_handle { Strength::Strong } else { Strength::Weak };
    let component = only(index.components.get(subject.governor.as_str()));
    if let Some(item) = component
        .and_then(|component| component.catalog_item.as_ref())
        .filter(|item| !item.name.is_empty())
    {
        return Some((&item.name, Path::of(strength, "governor")));
    }
    let (item, _) = index.items.get_key_value(subject.governor.as_str())?;
    Some((item, Path::of(strength, "governor name")))
}
