//! What a case, and perhaps one of its variants, says was found.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use serde_yaml::{Location, Spanned};

use super::observed::Observed;
use super::raw::{ClusterFacts, KindOrAll, Raw};
use super::time::When;
use super::{Case, Flaws, Situation, expect};
use crate::evidence::Declared;
use crate::objects::Kind;
use crate::suggest::suggest;
use crate::unknown::UnknownReason;

/// The time of a case that does not say another: 2026-03-02T09:00:00Z.
fn usual_time() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_772_442_000)
}

/// Lists that variants lay over those of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Resources,
    Subjects,
    Probes,
    SmokeRuns,
}

impl List {
    /// What an item is called in `without` and `no_effect`.
    fn name_of(self, item: &Value) -> Option<String> {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
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

/// An item of a list, with its name and its places: where it was first listed, and where a variant patched it.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) list: List,
    pub(super) name: String,
    pub(super) listed: Location,
    pub(super) at: Location,
    pub(super) value: Value,
}

/// Something that is said, and where.
#[derive(Debug, Clone)]
pub(super) struct Said<T> {
    pub(super) at: Location,
    pub(super) value: T,
    /// What the case said before its variant said this.
    pub(super) before: Option<T>,
}

impl<T: Clone> Said<T> {
    fn of(spanned: &Spanned<T>) -> Self {
        Self {
            at: spanned.referenced,
            value: spanned.value.clone(),
            before: None,
        }
    }

    fn over(spanned: &Spanned<T>, before: Option<Self>) -> Self {
        Self {
            before: before.map(|before| before.value),
            ..Self::of(spanned)
        }
    }
}

/// What a case and perhaps a variant say together.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) anchor: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
    pub(super) cluster: String,
    pub(super) namespace: String,
    pub(super) namespace_gone: Option<Said<bool>>,
    pub(super) items: Vec<Item>,
    pub(super) no_effect: Vec<Said<String>>,
    pub(super) read: Option<Said<BTreeSet<Kind>>>,
    pub(super) not_read: BTreeMap<KindOrAll, Said<UnknownReason>>,
    pub(super) declared: Option<Said<Declared>>,
    pub(super) cluster_facts: Option<Said<ClusterFacts>>,
    /// Evidence in place of objects.
    pub(super) observed: Option<Observed>,
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
        namespace_gone: None,
        items: Vec::new(),
        no_effect: Vec::new(),
        read: None,
        not_read: BTreeMap::new(),
        declared: None,
        cluster_facts: None,
        observed: None,
    };
    base.lay_over(raw, flaws);
    let mut situations = Vec::new();
    if raw.expect.is_some() || raw.variants.is_empty() {
        situations.extend(base.clone().situation(raw, raw.title.value.clone(), flaws));
    }
    for variant in &raw.variants {
        if !variant.variants.is_empty() {
            flaws.add(variant.title.referenced, "a variant has no variants of its own: move them up");
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
        said: base,
    })
}

impl Given {
    fn lay_over(&mut self, raw: &Raw, flaws: &mut Flaws<'_>) {
        if raw.title.value.trim().is_empty() {
            flaws.add(raw.title.referenced, "the title is empty: say what the case is about");
        }
        if let Some(cluster) = &raw.cluster {
            self.cluster.clone_from(&cluster.value);
        }
        if let Some(namespace) = &raw.namespace {
            if namespace.value.is_empty() {
                flaws.add(namespace.referenced, "name the `namespace`");
            }
            self.namespace.clone_from(&namespace.value);
        }
        if let Some(gone) = &raw.namespace_gone {
            self.namespace_gone = Some(Said::of(gone));
        }
        if let Some(read) = &raw.read {
            let mut kinds = BTreeSet::new();
            for kind in &read.value {
                if !kinds.insert(kind.value) {
                    flaws.add(kind.referenced, format!("`{}` is listed twice", kind.value));
                }
            }
            self.read = Some(Said {
                at: read.referenced,
                value: kinds,
                before: None,
            });
        }
        for (kind, reason) in raw.not_read.iter().flat_map(|not_read| &not_read.0) {
            let at = kind.referenced;
            match KindOrAll::parse(&kind.value) {
                Ok(known) => drop(self.not_read.insert(
                    known,
                    Said {
                        at,
                        value: *reason,
                        before: None,
                    },
                )),
                Err(why) => flaws.add(at, why),
            }
        }
        if let Some(declared) = &raw.declared {
            self.declared = Some(Said::over(declared, self.declared.take()));
        }
        if let Some(facts) = &raw.cluster_facts {
            self.cluster_facts = Some(Said::over(facts, self.cluster_facts.take()));
        }
        for name in &raw.without {
            let before = self.items.len();
            self.items.retain(|item| item.name != name.value);
            if self.items.len() == before {
                let known = self.items.iter().map(|item| item.name.as_str());
                flaws.add(
                    name.referenced,
                    format!("there is no `{}` to leave out; {}", name.value, suggest(&name.value, known)),
                );
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
        self.no_effect.extend(raw.no_effect.iter().map(Said::of));
        if let Some(evidence) = &raw.evidence {
            self.observed.get_or_insert_default().lay(evidence, self.anchor, flaws);
        }
    }

    fn lay_items(&mut self, list: List, items: &[Spanned<Value>], flaws: &mut Flaws<'_>) {
        let mut new = BTreeSet::new();
        for item in items {
            let at = item.referenced;
            let Some(name) = list.name_of(&item.value) else {
                flaws.add(at, list.needs());
                continue;
            };
            if !new.insert(name.clone()) {
                flaws.add(at, format!("`{name}` is listed twice"));
                continue;
            }
            let same = |old: &&mut Item| old.list == list && old.name == name;
            match self.items.iter_mut().find(same) {
                Some(old) => {
                    let before = old.value.clone();
                    patch(&mut old.value, item.value.clone());
                    if old.value == before {
                        flaws.add(
                            at,
                            format!("`{name}` is so already: the patch changes nothing, remove it or change something"),
                        );
                    }
                    old.at = at;
                }
                None => self.items.push(Item {
                    list,
                    name,
                    listed: at,
                    at,
                    value: item.value.clone(),
                }),
            }
        }
    }

    fn situation(mut self, raw: &Raw, title: String, flaws: &mut Flaws<'_>) -> Option<Situation> {
        let at = raw.title.referenced;
        if self.namespace.is_empty() {
            if self.observed.is_none() {
                flaws.add(at, "name the `namespace`");
                return None;
            }
            "evidence".clone_into(&mut self.namespace);
        }
        let Some(expect) = &raw.expect else {
            flaws.add(at, "nothing is expected: add `expect`");
            return None;
        };
        self.contradictions(flaws);
        let expect = expect::understand(expect, self.anchor, flaws)?;
        if let Some(observed) = &self.observed {
            self.only_evidence(observed, &expect, flaws);
        }
        Some(Situation {
            title,
            line: at.line(),
            column: at.column(),
            now: self.now,
            snapshot: self.snapshot(flaws),
            declared: self.declared.as_ref().map(|declared| declared.value.clone()).unwrap_or_default(),
            expect,
            given: self,
        })
    }

    /// Statements of which one would silently win over the other.
    fn contradictions(&self, flaws: &mut Flaws<'_>) {
        let namespace = self
            .items
            .iter()
            .find(|item| item.name == "Namespace/".to_owned() + &self.namespace);
        if let (Some(gone), Some(_)) = (self.namespace_gone.as_ref().filter(|gone| gone.value), namespace) {
            flaws.add(
                gone.at,
                "the namespace is gone, and it is among the `resources`: remove one of the two",
            );
        }
        let read = self.read.iter().flat_map(|read| read.value.iter().map(|kind| (kind, read.at)));
        for (kind, _) in read {
            if let Some(not_read) = self.not_read.get(&KindOrAll::One(*kind)) {
                flaws.add(
                    not_read.at,
                    format!("`{kind}` is both `read` and `not_read`: remove it from one of them"),
                );
            }
        }
        for name in &self.no_effect {
            let not_read = KindOrAll::parse(&name.value).is_ok_and(|kind| self.not_read.contains_key(&kind));
            if !not_read && !self.items.iter().any(|item| item.name == name.value) {
                let known = self.items.iter().map(|item| item.name.as_str());
                flaws.add(
                    name.at,
                    format!(
                        "there is no `{}` that could have no effect; {}",
                        name.value,
                        suggest(&name.value, known)
                    ),
                );
            }
        }
    }

    /// Evidence stands in place of everything that it is otherwise made of.
    fn only_evidence(&self, observed: &Observed, expect: &expect::Expectation, flaws: &mut Flaws<'_>) {
        let stray = [
            self.items.first().map(|item| item.at),
            self.not_read.values().next().map(|said| said.at),
            self.read.as_ref().map(|said| said.at),
            self.declared.as_ref().map(|said| said.at),
            self.cluster_facts.as_ref().map(|said| said.at),
            self.namespace_gone.as_ref().map(|said| said.at),
        ];
        for at in stray.into_iter().flatten() {
            flaws.add(at, "a case with `evidence` is judged by that alone: remove this, or the evidence");
        }
        if expect.kind.is_some() || expect.phase.is_some() || expect.others != expect::Others::Any {
            let at = "evidence says nothing about kind, phase and other stages: remove `kind`, `phase` and `others`";
            flaws.at_line(expect.line, expect.column, at);
        }
        let given = observed.stages();
        for stage in expect.stages.iter().filter(|stage| !given.contains(&stage.stage)) {
            let known = given.iter().map(|stage| stage.as_str());
            flaws.at_line(
                stage.line,
                stage.column,
                format!(
                    "there is no `evidence` for {}; {}",
                    stage.stage,
                    suggest(stage.stage.as_str(), known)
                ),
            );
        }
    }
}

/// JSON merge patch, RFC 7396.
pub(super) fn patch(target: &mut Value, change: Value) {
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
