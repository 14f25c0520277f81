//! What is offered: catalog item ↔ lab, and which lab a session or a smoke run is about.
//!
//! | Key | Strength |
//! |---|---|
//! | the reviewed table | strong |
//! | Labagator's `ci_name`, which is the item without its stage | strong |
//! | the lab's code as a word of the item's name | weak |
//!
//! An item may be shared by several labs: then every edge is there, and an instance of it belongs to none of them by itself.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::{Edges, Path};
use super::index::{Index, only, plain_url};
use super::orders::Orders;
use crate::provisioning::catalog::Workshop;
use crate::provisioning::event::SmokeSession;
use crate::provisioning::{RecordKind, Strength};

/// Labs of catalog items.
#[derive(Debug, Default)]
pub(super) struct Offers<'a> {
    /// Lab codes by name of the item; all by the surest key there is.
    pub(super) labs: BTreeMap<&'a str, BTreeMap<&'a str, Path>>,
}

impl<'a> Offers<'a> {
    /// The lab of an item, if it is of one alone.
    pub(super) fn lab(&self, item: &str) -> Option<(&'a str, &Path)> {
        let labs = self.labs.get(item).filter(|labs| labs.len() == 1)?;
        labs.iter().next().map(|(code, path)| (*code, path))
    }
}

/// Joins offers.
pub(super) fn join<'a>(index: &Index<'a>, orders: &Orders<'a>, edges: &mut Edges<'a>) -> Offers<'a> {
    let names = names_of_items(index, orders);
    let offers = Offers {
        labs: labs_of_items(index, &names),
    };
    for (item, labs) in &offers.labs {
        for (code, path) in labs {
            edges.add((RecordKind::CatalogItem, *item), (RecordKind::Lab, *code), path.clone());
        }
    }
    for session in &index.world.sessions {
        if let Some(lab) = index.labs.get(&session.lab_code.to_ascii_lowercase()) {
            edges.add(
                (RecordKind::Session, &session.id),
                (RecordKind::Lab, &lab.code),
                Path::of(Strength::Exact, "lab_code"),
            );
        }
    }
    for session in &index.world.smoke_sessions {
        let from = || (RecordKind::SmokeRun, session.id.to_string());
        let workshop = workshop_of(index, session);
        if let Some((workshop, path)) = &workshop {
            edges.add(from(), (RecordKind::Workshop, &workshop.uid), path.clone());
        }
        let lab = workshop.and_then(|(workshop, path)| {
            let (code, of_item) = lab_of_workshop(orders, &offers, workshop)?;
            Some((code, path.and(of_item)))
        });
        if let Some((code, path)) = lab.or_else(|| lab_in_text(index, &session.name)) {
            edges.add(from(), (RecordKind::Lab, code), path);
        }
    }
    offers
}

/// Every item that is offered or was ordered.
fn names_of_items<'a>(index: &Index<'a>, orders: &Orders<'a>) -> BTreeSet<&'a str> {
    let offered = index.items.keys().copied();
    let ordered = orders
        .by_subject
        .values()
        .filter_map(|order| order.item.as_ref().map(|(item, _)| *item));
    let of_workshops = orders.items_of_workshop.values().flatten().copied();
    offered.chain(ordered).chain(of_workshops).collect()
}

fn labs_of_items<'a>(index: &Index<'a>, names: &BTreeSet<&'a str>) -> BTreeMap<&'a str, BTreeMap<&'a str, Path>> {
    let mut by_ci_name: BTreeMap<String, BTreeSet<&'a str>> = BTreeMap::new();
    for lab in &index.world.labs {
        let name = lab.ci_name.trim().to_ascii_lowercase();
        // Without a dot it is no item, but a code of a lab.
        if name.contains('.') {
            by_ci_name.entry(name).or_default().insert(&lab.code);
        }
    }
    let all = |codes: &BTreeSet<&'a str>, key| codes.iter().map(|code| (*code, Path::of(Strength::Strong, key))).collect();
    let labs = |item: &str| -> BTreeMap<&'a str, Path> {
        let name = item.to_ascii_lowercase();
        let (plain, stage) = name.rsplit_once('.').unwrap_or((&name, ""));
        let used = index.world.lab_stages.contains(stage);
        let mappings = &index.world.mappings;
        let settled = mappings.lab(&name).or_else(|| mappings.lab(plain).filter(|_| used));
        if let Some(code) = settled {
            let lab = index.labs.get(&code.to_ascii_lowercase());
            return lab
                .into_iter()
                .map(|lab| (lab.code.as_str(), Path::of(Strength::Strong, "table of labs")))
                .collect();
        }
        if let Some(codes) = by_ci_name.get(&name) {
            return all(codes, "ci_name");
        }
        if !used {
            return BTreeMap::new();
        }
        if let Some(codes) = by_ci_name.get(plain) {
            return all(codes, "ci_name");
        }
        let in_name = codes_in(index, plain).into_iter();
        in_name.map(|code| (code, Path::of(Strength::Weak, "code in item name"))).collect()
    };
    let found = names.iter().map(|item| (*item, labs(item)));
    found.filter(|(_, labs)| !labs.is_empty()).collect()
}

/// Codes of labs that are words of a text.
fn codes_in<'a>(index: &Index<'a>, text: &str) -> BTreeSet<&'a str> {
    let text = text.to_ascii_lowercase();
    let mut found = BTreeSet::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        found.extend(index.labs.get(word).map(|lab| lab.code.as_str()));
    }
    for code in &index.codes_with_separators {
        let at = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_alphanumeric);
        let whole = |(start, word): (usize, &str)| !(at(start + word.len()) || start > 0 && at(start - 1));
        if text.match_indices(code.to_ascii_lowercase().as_str()).any(whole) {
            found.insert(*code);
        }
    }
    found
}

/// The lab that a text names, if it names one alone.
fn lab_in_text<'a>(index: &Index<'a>, text: &str) -> Option<(&'a str, Path)> {
    let codes = codes_in(index, text);
    let code = codes.first().filter(|_| codes.len() == 1)?;
    Some((code, Path::of(Strength::Weak, "code in name")))
}

/// The workshop of a smoke run: the one whose address it was given, or whose id is the last part of it.
fn workshop_of<'a>(index: &Index<'a>, session: &SmokeSession) -> Option<(&'a Workshop, Path)> {
    let url = plain_url(&session.workshop_url)?;
    if let Some(workshop) = only(index.workshops_by_url.get(&url)) {
        return Some((workshop, Path::of(Strength::Strong, "workshop url")));
    }
    let id = url.rsplit_once('/').map(|(_, id)| id)?;
    let workshop = only(index.workshops_by_id.get(id))?;
    Some((workshop, Path::of(Strength::Strong, "workshop id in url")))
}

/// The lab of everything that a workshop was ordered with, if that is one alone.
fn lab_of_workshop<'a, 'b>(orders: &Orders<'a>, offers: &'b Offers<'a>, workshop: &Workshop) -> Option<(&'a str, &'b Path)> {
    let items = orders.items_of_workshop.get(workshop.uid.as_str())?;
    let labs: Vec<Option<(&'a str, &Path)>> = items.iter().map(|item| offers.lab(item)).collect();
    let (code, _) = labs.iter().flatten().next()?;
    let all_one = labs.iter().flatten().all(|(other, _)| other == code);
    all_one.then(|| labs.iter().flatten().copied().min_by_key(|(_, path)| path.strength))?
}
