//! From what is written to what was read: the same projections that a live cluster goes through.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use serde_yaml::{Location, Spanned};

use super::raw::{ClusterFacts, KindOrAll, Raw};
use super::time::{self, When};
use super::{Case, Flaws, Situation, expect};
use crate::evidence::Declared;
use crate::objects::api::with_projection;
use crate::objects::{Assembler, Kind, Listing, NamespaceSelection, Probe, SmokeRun, Snapshot, Subject};
use crate::unknown::UnknownReason;

/// Age of what does not say when it was created: older than any settle budget, younger than a day.
const AGE: TimeDelta = TimeDelta::hours(3);
/// Age of a probe that does not say when it was made.
const PROBED: TimeDelta = TimeDelta::minutes(1);

/// The time of a case that does not say another: 2026-03-02T09:00:00Z.
fn usual_time() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_772_442_000)
}

/// Lists that variants lay over those of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Resources,
    Subjects,
    Probes,
    SmokeRuns,
}

impl List {
    /// What an item is called in `without`.
    fn name_of(self, item: &Value) -> Option<String> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(match self {
            Self::Resources => format!("{}/{}", text(&item["kind"])?, text(&item["metadata"]["name"])?),
            Self::Subjects => format!("subject/{}", text(&item["name"])?),
            Self::Probes => format!("probe/{}/{}", text(&item["kind"])?, text(&item["target"])?),
            Self::SmokeRuns => format!("smoke-run/{}", item["id"].as_i64()?),
        })
    }

    const fn needs(self) -> &'static str {
        match self {
            Self::Resources => "an object needs `kind` and `metadata.name`",
            Self::Subjects => "a subject needs a `name`",
            Self::Probes => "a probe needs `kind` and `target`",
            Self::SmokeRuns => "a smoke run needs an `id`",
        }
    }
}

/// An item of a list, with its name and its place.
#[derive(Debug, Clone)]
struct Item {
    list: List,
    name: String,
    at: Location,
    value: Value,
}

/// What a case and perhaps a variant say together.
#[derive(Debug, Clone)]
struct Given {
    anchor: DateTime<Utc>,
    now: DateTime<Utc>,
    cluster: String,
    namespace: String,
    namespace_gone: bool,
    items: Vec<Item>,
    read: Option<BTreeSet<Kind>>,
    not_read: BTreeMap<KindOrAll, UnknownReason>,
    declared: Declared,
    cluster_facts: ClusterFacts,
}

/// Understands a file. What is wrong goes to `flaws`.
pub(super) fn case(raw: &Raw, flaws: &mut Flaws<'_>) -> Option<Case> {
    let at = match &raw.at {
        None => usual_time(),
        Some(at) => match at.value {
            When::At(at) => at,
            When::Offset(_) => {
                flaws.add(at.referenced, "only a variant's `at` may be an offset; write RFC 3339");
                return None;
            }
        },
    };
    let mut base = Given {
        anchor: at,
        now: at,
        cluster: "cluster-a".to_owned(),
        namespace: String::new(),
        namespace_gone: false,
        items: Vec::new(),
        read: None,
        not_read: BTreeMap::new(),
        declared: Declared::default(),
        cluster_facts: ClusterFacts::default(),
    };
    base.lay_over(raw, flaws);
    let mut situations = Vec::new();
    if raw.expect.is_some() || raw.variants.is_empty() {
        situations.extend(base.clone().situation(raw, raw.title.value.clone(), flaws));
    }
    for variant in &raw.variants {
        if !variant.variants.is_empty() {
            flaws.add(variant.title.referenced, "a variant has no variants of its own");
        }
        let mut given = base.clone();
        if let Some(at) = &variant.at {
            given.now = at.value.from(base.anchor);
        }
        given.lay_over(variant, flaws);
        let title = format!("{} ({})", raw.title.value, variant.title.value);
        situations.extend(given.situation(variant, title, flaws));
    }
    Some(Case {
        file: flaws.file.to_owned(),
        title: raw.title.value.clone(),
        situations,
    })
}

impl Given {
    fn lay_over(&mut self, raw: &Raw, flaws: &mut Flaws<'_>) {
        if let Some(cluster) = &raw.cluster {
            self.cluster.clone_from(cluster);
        }
        if let Some(namespace) = &raw.namespace {
            self.namespace.clone_from(namespace);
        }
        if let Some(gone) = raw.namespace_gone {
            self.namespace_gone = gone;
        }
        if let Some(read) = &raw.read {
            self.read = Some(read.iter().copied().collect());
        }
        self.not_read.extend(&raw.not_read);
        if let Some(declared) = &raw.declared {
            self.declared.clone_from(declared);
        }
        if let Some(facts) = &raw.cluster_facts {
            self.cluster_facts = facts.clone();
        }
        for name in &raw.without {
            let before = self.items.len();
            self.items.retain(|item| item.name != name.value);
            if self.items.len() == before {
                flaws.add(name.referenced, format!("there is no `{}` to leave out", name.value));
            }
        }
        let lists = [
            (List::Resources, &raw.resources),
            (List::Subjects, &raw.subjects),
            (List::Probes, &raw.probes),
            (List::SmokeRuns, &raw.smoke_runs),
        ];
        for (list, items) in lists {
            self.lay_items(list, items, flaws);
        }
    }

    fn lay_items(&mut self, list: List, items: &[Spanned<Value>], flaws: &mut Flaws<'_>) {
        let mut new = BTreeSet::new();
        for item in items {
            let Some(name) = list.name_of(&item.value) else {
                flaws.add(item.referenced, list.needs());
                continue;
            };
            if !new.insert(name.clone()) {
                flaws.add(item.referenced, format!("`{name}` is listed twice"));
                continue;
            }
            let same = |old: &&mut Item| old.list == list && old.name == name;
            match self.items.iter_mut().find(same) {
                Some(old) => {
                    patch(&mut old.value, item.value.clone());
                    old.at = item.referenced;
                }
                None => self.items.push(Item {
                    list,
                    name,
                    at: item.referenced,
                    value: item.value.clone(),
                }),
            }
        }
    }

    fn situation(mut self, raw: &Raw, title: String, flaws: &mut Flaws<'_>) -> Option<Situation> {
        if self.namespace.is_empty() {
            flaws.add(raw.title.referenced, "name the `namespace`");
            return None;
        }
        let Some(expect) = &raw.expect else {
            flaws.add(raw.title.referenced, "nothing is expected: add `expect`");
            return None;
        };
        let expect = expect::understand(expect, self.anchor, flaws)?;
        self.complete(flaws);
        Some(Situation {
            title,
            now: self.now,
            snapshot: self.snapshot(flaws),
            declared: self.declared,
            expect,
        })
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

    fn snapshot(&self, flaws: &mut Flaws<'_>) -> Snapshot {
        let named = NamespaceSelection::Named([self.namespace.clone()].into());
        let mut assembler = Assembler::new(&*self.cluster, named);
        if let Some(reachability) = self.cluster_facts.reachability() {
            assembler.reachable(reachability);
        }
        let mut given = BTreeSet::new();
        for item in self.items.iter().filter(|item| item.list == List::Resources) {
            given.extend(kind_of(&item.value));
            self.add(item, &mut assembler, flaws);
        }
        if !given.contains(&Kind::Namespace) && !self.namespace_gone && self.missing(Kind::Namespace, &given).is_none() {
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
        if let Some(alerts) = &self.cluster_facts.critical_alerts {
            snapshot.cluster.critical_alerts = Listing::complete(alerts.clone());
        }
        if let Some(backlogs) = &self.cluster_facts.job_backlogs {
            snapshot.cluster.job_backlogs = Listing::complete(backlogs.clone());
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
            flaws.add(
                item.at,
                format!("{}: nothing reads the field `{field}`: misspelt? else leave it out", item.name),
            );
        }
    }

    /// Why a kind was not read, or not to its end.
    fn missing(&self, kind: Kind, given: &BTreeSet<Kind>) -> Option<UnknownReason> {
        if let Some(reason) = self.not_read.get(&KindOrAll::One(kind)) {
            return Some(*reason);
        }
        if given.contains(&kind) {
            return None;
        }
        if let Some(reason) = self.not_read.get(&KindOrAll::All).filter(|_| !is_of_cluster(kind)) {
            return Some(*reason);
        }
        let read = match &self.read {
            Some(read) => read.contains(&kind),
            None => !is_of_cluster(kind),
        };
        (!read).then_some(UnknownReason::NotCollected)
    }

    fn listing<T: DeserializeOwned>(&self, list: List, kind: Kind, flaws: &mut Flaws<'_>) -> Listing<T> {
        let mut given = BTreeSet::new();
        let mut items = Vec::new();
        for item in self.items.iter().filter(|item| item.list == list) {
            given.insert(kind);
            match T::deserialize(&item.value) {
                Ok(value) => items.push(value),
                Err(error) => flaws.add(item.at, format!("{}: {error}", item.name)),
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
        Kind::Node | Kind::NodeMetrics | Kind::ClusterOperator | Kind::ClusterVersion | Kind::JobBacklog
    )
}

fn kind_of(object: &Value) -> Option<Kind> {
    Kind::recognise(object["apiVersion"].as_str().unwrap_or_default(), object["kind"].as_str()?)
}

fn usually(map: &mut Map<String, Value>, field: &str, value: Value) {
    map.entry(field).or_insert(value);
}

/// JSON merge patch, RFC 7396.
fn patch(target: &mut Value, change: Value) {
    let Value::Object(changes) = change else {
        *target = change;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(map) = target else { return };
    for (field, change) in changes {
        if change.is_null() {
            map.remove(&field);
        } else {
            patch(map.entry(field).or_insert(Value::Null), change);
        }
    }
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
