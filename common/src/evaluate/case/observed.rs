//! Evidence in place of objects: what stages observed, to test a rubric's criteria and classes directly.
//!
//! What is not mentioned is unknown as `not_collected`, so that nothing passes by being left out; `rest: true` says the same
//! of every criterion of the stage that is not named. `signals` are what sub-classes are told by.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Deserialize as _;
use serde_json::Value as Json;
use serde_yaml::{Location, Spanned};

use super::super::judge::{self, Upstream};
use super::super::lint::Ordered;
use super::super::rubric::RubricSet;
use super::super::subclass::RawSignal;
use super::super::{FleetVerdict, InstanceVerdict, LabKind, identity::Identity};
use super::raw::{RawFull, RawObservation};
use super::{Flaws, Situation};
use crate::evidence::document::EvidenceDocument;
use crate::evidence::signals::Signal;
use crate::evidence::{self, Lifecycle, MAX_MEMBERS, Member, Observation, StageEvidence, Value};
use crate::stage::Stage;
use crate::suggest::suggest;
use crate::unknown::UnknownReason;

/// Stands for every criterion of the stage that is not named.
const REST: &str = "rest";
/// What sub-classes are told by.
const SIGNALS: &str = "signals";

/// What stages observed. Where something stands makes no difference.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Observed(BTreeMap<Stage, OfStage>);

/// What one stage observed.
#[derive(Debug, Clone, Default)]
struct OfStage {
    values: BTreeMap<&'static str, (Location, Observation)>,
    rest: Option<(Location, Value)>,
    signals: Option<(Location, Vec<Signal>)>,
}

impl PartialEq for OfStage {
    fn eq(&self, other: &Self) -> bool {
        let said = |of: &Self| {
            let values: Vec<_> = of
                .values
                .iter()
                .map(|(name, (_, observation))| (*name, observation.clone()))
                .collect();
            let rest = of.rest.as_ref().map(|(_, value)| value.clone());
            (values, rest, of.signals.as_ref().map(|(_, signals)| signals.clone()))
        };
        said(self) == said(other)
    }
}

/// Something that evidence says of a stage: a value, `rest` or `signals`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Statement {
    stage: Stage,
    name: &'static str,
}

impl std::fmt::Display for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` of the evidence for {}", self.name, self.stage)
    }
}

impl Observed {
    /// What `raw` says, laid over what is there already.
    pub(super) fn lay(&mut self, raw: &Spanned<Ordered<Ordered<RawObservation>>>, anchor: DateTime<Utc>, flaws: &mut Flaws<'_>) {
        if raw.value.0.is_empty() {
            flaws.add(raw.referenced, "no evidence is given: name at least one stage");
        }
        for (name, said) in &raw.value.0 {
            let Some(stage) = Stage::parse(&name.value) else {
                let stages = Stage::ALL.into_iter().map(Stage::as_str);
                flaws.add(
                    name.referenced,
                    format!("there is no stage `{}`; {}", name.value, suggest(&name.value, stages)),
                );
                continue;
            };
            if said.0.is_empty() {
                flaws.add(
                    name.referenced,
                    format!("{stage}: no evidence is given: name at least one criterion"),
                );
            }
            let of_stage = self.0.entry(stage).or_default();
            for (name, observation) in &said.0 {
                if let Err(flaw) = of_stage.lay(stage, name, observation, anchor) {
                    flaws.add(name.referenced, format!("{stage}: {flaw}"));
                }
            }
        }
    }

    /// The stages that there is evidence for.
    pub(super) fn stages(&self) -> BTreeSet<Stage> {
        self.0.keys().copied().collect()
    }

    /// Everything that is said, and where.
    pub(super) fn statements(&self) -> Vec<(Statement, Location)> {
        let mut all = Vec::new();
        for (stage, OfStage { values, rest, signals }) in &self.0 {
            let mut say = |name: &'static str, at: Location| all.push((Statement { stage: *stage, name }, at));
            values.iter().for_each(|(name, (at, _))| say(name, *at));
            rest.iter().for_each(|(at, _)| say(REST, *at));
            signals.iter().for_each(|(at, _)| say(SIGNALS, *at));
        }
        all
    }

    /// The same without that statement, and the same with its opposite.
    pub(super) fn otherwise(&self, statement: &Statement) -> Vec<Self> {
        let with = |change: &dyn Fn(&mut OfStage)| {
            let mut other = self.clone();
            if let Some(of_stage) = other.0.get_mut(&statement.stage) {
                change(of_stage);
            }
            other
        };
        match statement.name {
            REST => vec![with(&|of| of.rest = None)],
            SIGNALS => vec![with(&|of| of.signals = None)],
            name => vec![
                with(&|of| drop(of.values.remove(name))),
                with(&|of| {
                    if let Some((_, observation)) = of.values.get_mut(name) {
                        observation.value = opposite(&observation.value);
                    }
                }),
            ],
        }
    }

    /// What the stages say of it, each by its rubric and by how the earlier ones came out.
    pub(super) fn judge(&self, rubrics: &RubricSet, situation: &Situation) -> FleetVerdict {
        let mut upstream = Upstream::default();
        let mut fleet = FleetVerdict {
            clusters: BTreeMap::new(),
            instances: Vec::new(),
        };
        let mut stages = Vec::new();
        for (stage, of_stage) in &self.0 {
            // There are no objects here: what expressions ask of them is unknown.
            let document = EvidenceDocument::unread(situation.now);
            let verdict = judge::judge(rubrics, *stage, &of_stage.evidence(rubrics, *stage), &document, upstream);
            upstream.record(&verdict);
            match stage {
                Stage::ClusterHealth => drop(fleet.clusters.insert(situation.given.cluster.clone(), verdict)),
                _ => stages.push(verdict),
            }
        }
        let instance = InstanceVerdict {
            namespace: situation.given.namespace.clone(),
            uid: String::new(),
            identity: Identity::default(),
            kind: LabKind::Unknown,
            lifecycle: Lifecycle::default(),
            stages,
        };
        fleet.instances.push((situation.given.cluster.clone(), instance));
        fleet
    }
}

impl OfStage {
    fn lay(&mut self, stage: Stage, name: &Spanned<String>, said: &RawObservation, anchor: DateTime<Utc>) -> Result<(), String> {
        let at = name.referenced;
        match (name.value.as_str(), said) {
            (SIGNALS, RawObservation::List(items)) => {
                let signals = items.iter().map(signal).collect::<Result<Vec<_>, _>>()?;
                if signals.is_empty() {
                    return Err("`signals` is empty: leave it out".to_owned());
                }
                self.signals = Some((at, signals));
            }
            (SIGNALS, _) => return Err("`signals` is a list of texts".to_owned()),
            (other, RawObservation::List(_)) => return Err(format!("`{other}` is one value, not a list")),
            (REST, said) => {
                let observation = observation(said, anchor)?;
                if !observation.failing.is_empty() || !matches!(observation.value, Value::Bool(_) | Value::Unknown(_)) {
                    return Err("`rest` is true, false, or {unknown: <reason>}".to_owned());
                }
                self.rest = Some((at, observation.value));
            }
            (name, said) => {
                let names = evidence::names(stage);
                let Some(known) = names.iter().find(|known| **known == name) else {
                    let near = suggest(name, names.iter().copied().chain([REST, SIGNALS]));
                    return Err(format!("nobody observes `{name}`; {near}"));
                };
                self.values.insert(known, (at, observation(said, anchor)?));
            }
        }
        Ok(())
    }

    fn evidence(&self, rubrics: &RubricSet, stage: Stage) -> StageEvidence {
        let rubric = rubrics.rubric(stage);
        let rest = self
            .rest
            .as_ref()
            .map_or(Value::Unknown(UnknownReason::NotCollected), |(_, value)| value.clone());
        let mut evidence = StageEvidence::default();
        for criterion in rubric.entry.iter().chain(&rubric.exit) {
            if let Cow::Borrowed(observed) = criterion.name {
                evidence.observations.insert(observed, Observation::of(rest.clone()));
            }
        }
        for (name, (_, observation)) in &self.values {
            evidence.observations.insert(name, observation.clone());
        }
        if let Some((_, signals)) = &self.signals {
            evidence.signals.clone_from(signals);
        }
        evidence
    }
}

fn opposite(value: &Value) -> Value {
    match value {
        Value::Bool(known) => Value::Bool(!known),
        Value::Number(number) => Value::Number(number + 1e9),
        Value::Text(_) | Value::Unknown(_) => Value::Bool(false),
    }
}

fn observation(said: &RawObservation, anchor: DateTime<Utc>) -> Result<Observation, String> {
    match said {
        RawObservation::Plain(value) => Ok(Observation::of(value_of(value)?)),
        RawObservation::List(_) => Err("this is one value, not a list".to_owned()),
        RawObservation::Full(RawFull {
            value,
            unknown,
            failing,
            excluded,
            until,
        }) => {
            let mut observation = match (value, unknown) {
                (Some(value), None) => Observation::of(value_of(value)?),
                (None, Some(reason)) => Observation::unknown(*reason),
                _ => return Err("say either `value` or `unknown`".to_owned()),
            };
            observation.failing_count = failing.len();
            observation.failing = members(failing)?;
            observation.excluded = members(excluded)?;
            observation.until = until.map(|until| until.from(anchor));
            Ok(observation)
        }
    }
}

fn value_of(value: &Json) -> Result<Value, String> {
    match value {
        Json::Bool(known) => Ok(Value::Bool(*known)),
        Json::Number(number) => number.as_f64().map(Value::Number).ok_or_else(|| format!("{number} is too large")),
        Json::String(text) if UnknownReason::ALL.iter().any(|reason| reason.as_str() == text) => {
            Err(format!("what is not known is written {{unknown: {text}}}"))
        }
        Json::String(text) => Ok(Value::Text(text.clone())),
        Json::Null | Json::Array(_) | Json::Object(_) => Err(format!("{value} is not true, false, a number or a word")),
    }
}

/// Members named `Kind/name`, sorted, as many as evidence names.
fn members(names: &[String]) -> Result<Vec<Member>, String> {
    let mut members = Vec::new();
    for name in names {
        let Some((kind, name)) = name.split_once('/') else {
            return Err(format!("name the member as Kind/name, not `{name}`"));
        };
        members.push(Member {
            kind: kind.to_owned(),
            name: name.to_owned(),
            reason: String::new(),
        });
    }
    members.sort();
    members.truncate(MAX_MEMBERS);
    Ok(members)
}

fn signal(item: &Json) -> Result<Signal, String> {
    let says = match item {
        Json::String(text) => !text.trim().is_empty(),
        Json::Object(parts) => !parts.is_empty(),
        _ => false,
    };
    let said = says.then(|| RawSignal::deserialize(item).map(|RawSignal(signal)| signal));
    match said {
        Some(Ok(signal)) => Ok(signal),
        Some(Err(error)) => Err(format!("a signal of a member: {error}")),
        None => Err(format!("a signal is a text that some member gives, or its parts, not {item}")),
    }
}
