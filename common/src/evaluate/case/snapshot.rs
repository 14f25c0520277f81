//! From what is written to what was read: the same projections that a live cluster goes through.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use serde_yaml::Location;

use super::Flaws;
use super::given::{Given, Item, List};
use super::raw::KindOrAll;
use super::{time, values};
use crate::objects::api::with_projection;
use crate::objects::{Assembler, Kind, Listing, NamespaceSelection, Probe, SmokeRun, Snapshot, Subject};
use crate::unknown::UnknownReason;

/// Age of what does not say when it was created: older than any settle budget, younger than a day.
const AGE: TimeDelta = TimeDelta::hours(3);
/// Age of a probe that does not say when it was made.
const PROBED: TimeDelta = TimeDelta::minutes(1);

impl Given {
    /// What was read. What is wrong goes to `flaws`.
    pub(super) fn snapshot(&self, flaws: &mut Flaws<'_>) -> Snapshot {
        let mut complete = self.clone();
        complete.complete(flaws);
        complete.assemble(flaws)
    }

    /// Fills in what every object has, and turns offsets into moments.
    fn complete(&mut self, flaws: &mut Flaws<'_>) {
        let usual = (self.anchor - AGE).to_rfc3339();
        let probed = (self.anchor - PROBED).to_rfc3339();
        for item in &mut self.items {
            let mut wrong = Vec::new();
            time::resolve(&mut item.value, self.anchor, &mut wrong);
            for (path, text) in wrong {
                flaws.add(
                    item.at,
                    format!("{}: {path} `{text}` is neither RFC 3339 nor an offset such as -40m", item.name),
                );
            }
            match item.list {
                List::Resources => {
                    let namespaced = kind_of(&item.value)
                        .and_then(Kind::resource)
                        .is_some_and(|resource| resource.namespaced);
                    if let Some(metadata) = item.value["metadata"].as_object_mut() {
                        usually(metadata, "creationTimestamp", json!(usual));
                        if namespaced {
                            usually(metadata, "namespace", json!(self.namespace));
                        }
                        let uid = metadata["name"].clone();
                        usually(metadata, "uid", uid);
                    }
                }
                List::Subjects => {
                    if let Some(subject) = item.value.as_object_mut() {
                        usually(subject, "created_at", json!(usual));
                        usually(subject, "state_since", json!(usual));
                    }
                }
                List::Probes => {
                    if let Some(probe) = item.value.as_object_mut() {
                        usually(probe, "at", json!(probed));
                    }
                }
                List::SmokeRuns => {}
            }
        }
    }

    fn assemble(&self, flaws: &mut Flaws<'_>) -> Snapshot {
        let named = NamespaceSelection::Named([self.namespace.clone()].into());
        let mut assembler = Assembler::new(&*self.cluster, named);
        let facts = self.cluster_facts.as_ref().map(|facts| facts.value.clone()).unwrap_or_default();
        if let Some(reachability) = facts.reachability() {
            assembler.reachable(reachability);
        }
        let mut given = BTreeSet::new();
        for item in self.items.iter().filter(|item| item.list == List::Resources) {
            given.extend(kind_of(&item.value));
            self.add(item, &mut assembler, flaws);
        }
        let gone = self.namespace_gone.as_ref().is_some_and(|gone| gone.value);
        if !given.contains(&Kind::Namespace) && !gone && self.missing(Kind::Namespace, &given).is_none() {
            let usual = json!({"apiVersion": "v1", "kind": "Namespace", "status": {"phase": "Active"},
                               "metadata": {"name": self.namespace, "uid": self.namespace, "creationTimestamp": self.anchor - AGE}});
            if let Err(error) = assembler.add_json(&usual) {
                flaws.add(Location::UNKNOWN, error.to_string());
            }
        }
        for kind in Kind::ALL {
            let of_cluster = is_of_cluster(kind);
            match (self.missing(kind, &given), of_cluster) {
                (None, true) => assembler.read(kind),
                (None, false) => assembler.read_in(kind, &self.namespace),
                (Some(reason), true) => assembler.missing(kind, reason),
                (Some(reason), false) => assembler.missing_in(kind, &self.namespace, reason),
            }
        }
        let mut snapshot = assembler.finish(self.now);
        if let Some(inventory) = snapshot.namespaces.get_mut(&self.namespace) {
            inventory.subjects = self.listing::<Subject>(List::Subjects, Kind::Subject, flaws);
            inventory.probes = self.listing::<Probe>(List::Probes, Kind::Probe, flaws);
            inventory.smoke_runs = self.listing::<SmokeRun>(List::SmokeRuns, Kind::SmokeRun, flaws);
        }
        if let Some(alerts) = facts.critical_alerts {
            snapshot.cluster.critical_alerts = Listing::complete(alerts);
        }
        if let Some(backlogs) = facts.job_backlogs {
            snapshot.cluster.job_backlogs = Listing::complete(backlogs);
        }
        snapshot
    }

    fn add(&self, item: &Item, assembler: &mut Assembler, flaws: &mut Flaws<'_>) {
        let added = match assembler.add_json(&item.value) {
            Ok(added) => added,
            Err(error) => return flaws.add(item.at, error.to_string()),
        };
        if let Some(elsewhere) = added.namespace.filter(|namespace| *namespace != self.namespace) {
            flaws.add(
                item.at,
                format!("{} is in namespace {elsewhere}; the case is about {}", item.name, self.namespace),
            );
        }
        for field in unread_fields(added.kind, &item.value) {
            flaws.add(item.at, nothing_reads(&item.name, &field));
        }
        for flaw in values::flaws(added.kind, &item.value, self.now) {
            flaws.add(item.at, format!("{}: {flaw}", item.name));
        }
    }

    /// Why a kind was not read, or not to its end.
    fn missing(&self, kind: Kind, given: &BTreeSet<Kind>) -> Option<UnknownReason> {
        if let Some(reason) = self.not_read.get(&KindOrAll::One(kind)) {
            return Some(reason.value);
        }
        if given.contains(&kind) {
            return None;
        }
        if let Some(reason) = self.not_read.get(&KindOrAll::All).filter(|_| !is_of_cluster(kind)) {
            return Some(reason.value);
        }
        let read = match &self.read {
            Some(read) => read.value.contains(&kind),
            None => !is_of_cluster(kind),
        };
        (!read).then_some(UnknownReason::NotCollected)
    }

    fn listing<T: DeserializeOwned>(&self, list: List, kind: Kind, flaws: &mut Flaws<'_>) -> Listing<T> {
        let mut given = BTreeSet::new();
        let mut items = Vec::new();
        for item in self.items.iter().filter(|item| item.list == list) {
            given.insert(kind);
            let mut unread = Vec::new();
            match serde_ignored::deserialize(&item.value, |path| unread.push(path.to_string().replace(".?", ""))) {
                Ok(value) => items.push(value),
                Err(error) => flaws.add(item.at, format!("{}: {error}", item.name)),
            }
            for field in unread {
                flaws.add(item.at, nothing_reads(&item.name, &field));
            }
        }
        Listing {
            items,
            missing: self.missing(kind, &given),
        }
    }
}

const fn is_of_cluster(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Node | Kind::NodeMetrics | Kind::ClusterOperator | Kind::ClusterVersion | Kind::Subscription | Kind::JobBacklog
    )
}

fn kind_of(object: &Value) -> Option<Kind> {
    Kind::recognise(object["apiVersion"].as_str().unwrap_or_default(), object["kind"].as_str()?)
}

fn usually(map: &mut Map<String, Value>, field: &str, value: Value) {
    map.entry(field).or_insert(value);
}

fn nothing_reads(name: &str, field: &str) -> String {
    format!("{name}: nothing reads the field `{field}`: misspelt? else leave it out")
}

/// Fields that the projection of the kind does not know.
fn unread_fields(kind: Kind, object: &Value) -> Vec<String> {
    let mut unread = Vec::new();
    let mut note = |path: serde_ignored::Path<'_>| {
        // `?` stands for an Option or a newtype on the way.
        let path = path.to_string().replace(".?", "");
        if !matches!(path.as_str(), "apiVersion" | "kind") {
            unread.push(path);
        }
    };
    with_projection!(kind, T => {
        // Whether it can be read at all is the assembler's matter.
        let _: Result<T, _> = serde_ignored::deserialize(object, &mut note);
    }, else {});
    unread
}
