//! What an evaluation changes: verdicts against what is stored. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use stargate_common::db::evidence::AsOf;
use stargate_common::db::instances::{Known, Standing as Row};
use stargate_common::db::rollups::{InstanceCounts, InstanceGroup, StageCounts};
use stargate_common::db::stage_state::Stored;
use stargate_common::evaluate::identity::Identity;
use stargate_common::evaluate::{Outcome, Verdict};
use stargate_common::stage::Stage;
use stargate_common::track::standing::{InstanceState, StageNow, standing};
use stargate_common::track::transition::{self, Context, Key, StageState, Transition};
use stargate_common::track::{IncidentChange, witness};
use uuid::Uuid;

use crate::judge::{self, Judged, JudgedInstance};

/// Who a change is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The instance, or the cluster.
    pub id: Uuid,
    /// The instance, its namespace and its lab.
    pub instance: Option<(Uuid, &'a str, &'a str)>,
}

/// A stage to be written.
#[derive(Debug)]
pub struct StageChange<'a> {
    /// Who.
    pub subject: Subject<'a>,
    /// The newest verdict.
    pub judged: &'a judge::Stage,
    /// What the state machine remembers.
    pub state: StageState,
    /// When the evidence was read.
    pub observed_at: DateTime<Utc>,
}

/// A confirmed change.
#[derive(Debug)]
pub struct Confirmed<'a> {
    /// Who.
    pub subject: Subject<'a>,
    /// Which stage.
    pub stage: Stage,
    /// What.
    pub transition: Transition,
}

/// A change of an incident.
#[derive(Debug)]
pub struct Affected<'a> {
    /// Who.
    pub subject: Subject<'a>,
    /// Which stage.
    pub stage: Stage,
    /// What.
    pub change: IncidentChange,
    /// The verdict behind it; none when the subject is gone.
    pub verdict: Option<&'a Verdict>,
}

/// Everything that differs.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    /// Stages judged.
    pub judged: usize,
    /// Stages to be written.
    pub stages: Vec<StageChange<'a>>,
    /// Stages that do not apply any more.
    pub removed: Vec<Key>,
    /// Instances to be written.
    pub instances: Vec<Row>,
    /// Confirmed changes.
    pub transitions: Vec<Confirmed<'a>>,
    /// Changes of incidents.
    pub incidents: Vec<Affected<'a>>,
    /// Counts of instances.
    pub instance_counts: InstanceCounts,
    /// Counts of stage outcomes.
    pub stage_counts: StageCounts,
}

/// What is stored.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// Stages.
    pub stages: &'a BTreeMap<Key, Stored>,
    /// Instances that are not closed.
    pub instances: &'a BTreeMap<Uuid, Known>,
    /// Lab of each instance that is judged, see [`labs`].
    pub labs: &'a BTreeMap<Uuid, String>,
}

/// What each judged instance is grouped by.
#[must_use]
pub fn labs(judged: &Judged) -> BTreeMap<Uuid, String> {
    let lab = |one: &JudgedInstance| {
        let Identity { catalog_item, suffix, .. } = &one.verdict.identity;
        (
            one.instance.id,
            lab_of(one.lab_code.as_ref(), catalog_item.as_ref(), suffix.as_ref()),
        )
    };
    judged.instances.iter().map(lab).collect()
}

/// As the generated column `instances.lab`.
fn lab_of(lab_code: Option<&String>, catalog_item: Option<&String>, suffix: Option<&String>) -> String {
    lab_code
        .or(catalog_item)
        .or(suffix)
        .map_or_else(|| "unmapped".to_owned(), Clone::clone)
}

/// Compares.
#[must_use]
pub fn changes<'a>(as_of: AsOf<'_>, judged: &'a Judged, before: Before<'a>) -> Changes<'a> {
    let mut changes = Changes::default();
    let cluster = Subject {
        id: as_of.cluster.id,
        instance: None,
    };
    let context = |stage: Stage, otherwise: DateTime<Utc>| Context {
        as_of: as_of.now,
        observed_at: witness::observed_at(stage, |kinds| as_of.coverage.newest_attempt(kinds), otherwise),
        identity: &[],
        session_near: false,
        provisioning: false,
    };
    changes.step(cluster, &judged.cluster, before.stages, &context(Stage::ClusterHealth, as_of.now));

    let mut judged_ids = BTreeSet::new();
    for one in &judged.instances {
        let id = one.instance.id;
        judged_ids.insert(id);
        let lab = before.labs.get(&id).map_or("unmapped", String::as_str);
        let subject = Subject {
            id,
            instance: Some((id, &one.instance.namespace, lab)),
        };
        let states: Vec<StageState> = one
            .stages
            .iter()
            .map(|stage| {
                let context = Context {
                    identity: &one.identity,
                    provisioning: one.provisioning,
                    ..context(stage.verdict.stage, one.instance.first_seen_at)
                };
                changes.step(subject, stage, before.stages, &context)
            })
            .collect();
        changes.roll_up(one, &states, lab, before.instances.get(&id).map(|known| &known.standing));
    }

    let populated_at = as_of.populated_at();
    for (id, known) in before.instances {
        let gone = known.deleted_at.is_some_and(|at| Some(at) <= populated_at);
        if gone && !judged_ids.contains(id) {
            changes.retire(*id, known, as_of.now, before.stages);
        }
    }
    changes
}

impl<'a> Changes<'a> {
    /// One stage through the state machine. Returns what it remembers now.
    fn step(
        &mut self,
        subject: Subject<'a>,
        judged: &'a judge::Stage,
        stored: &BTreeMap<Key, Stored>,
        context: &Context<'_>,
    ) -> StageState {
        let verdict = &judged.verdict;
        let key = Key {
            subject: subject.id,
            stage: verdict.stage,
        };
        self.judged += 1;
        let stored = stored.get(&key);
        let unknown = StageState::default();
        let before = stored.map_or(&unknown, |stored| &stored.state);
        let done = transition::step(key, before, verdict, context);
        let stage = verdict.stage;
        self.transitions.extend(done.transition.map(|transition| Confirmed {
            subject,
            stage,
            transition,
        }));
        self.incidents.extend(done.incident.map(|change| Affected {
            subject,
            stage,
            change,
            verdict: Some(verdict),
        }));
        let left = verdict.outcome == Outcome::Skipped && done.state.incident.is_none() && done.state.pending.is_none();
        match stored {
            Some(_) if left => self.removed.push(key),
            None if left => {}
            Some(stored) if stored.verdict_hash == judged.hash && done.state.reads_like(&stored.state) => {}
            _ => self.stages.push(StageChange {
                subject,
                judged,
                state: done.state.clone(),
                observed_at: context.observed_at,
            }),
        }
        done.state
    }

    fn roll_up(&mut self, one: &JudgedInstance, states: &[StageState], lab: &str, stored: Option<&Row>) {
        let now: Vec<StageNow<'_>> = one
            .stages
            .iter()
            .zip(states)
            .map(|(judged, state)| StageNow {
                stage: judged.verdict.stage,
                observed: judged.verdict.outcome,
                reason: judged.verdict.reason,
                state,
            })
            .collect();
        for stage in &now {
            if let Some(outcome) = outcome_of(stage) {
                let key = (lab.to_owned(), stage.stage.as_str().to_owned(), outcome.as_str().to_owned());
                *self.stage_counts.entry(key).or_default() += 1;
            }
        }
        let lifecycle = one.verdict.lifecycle;
        let standing = standing(lifecycle.phase, one.provisioning, &now);
        let Identity {
            guid,
            service_uuid,
            suffix,
            catalog_item,
            ..
        } = &one.verdict.identity;
        let row = Row {
            instance_id: one.instance.id,
            guid: guid.clone(),
            service_uuid: service_uuid.clone(),
            suffix: suffix.clone(),
            catalog_item: catalog_item.clone(),
            lab_code: one.lab_code.clone(),
            kind: word(&one.verdict.kind),
            intent: word(&lifecycle.intent),
            phase: word(&lifecycle.phase),
            state: standing.state.as_str().to_owned(),
            worst_stage: standing.worst_stage.map(|stage| stage.as_str().to_owned()),
            failure_class: standing.failure_class,
            sub_class: standing.sub_class,
            failing_since: standing.failing_since,
        };
        let group = InstanceGroup {
            lab: lab.to_owned(),
            state: row.state.clone(),
            stage: row.worst_stage.clone().unwrap_or_default(),
            failure_class: row.failure_class.clone().unwrap_or_default(),
        };
        let (instances, oldest) = self.instance_counts.entry(group).or_default();
        *instances += 1;
        *oldest = [*oldest, row.failing_since].into_iter().flatten().min();
        if stored != Some(&row) {
            self.instances.push(row);
        }
    }

    /// Closes an instance that is gone.
    fn retire(&mut self, id: Uuid, known: &'a Known, at: DateTime<Utc>, stages: &BTreeMap<Key, Stored>) {
        let subject = Subject {
            id,
            instance: Some((id, &known.namespace, &known.lab)),
        };
        for stage in Stage::ALL {
            let key = Key { subject: id, stage };
            let Some(stored) = stages.get(&key) else { continue };
            let done = transition::retire(&stored.state, at);
            self.incidents.extend(done.incident.map(|change| Affected {
                subject,
                stage,
                change,
                verdict: None,
            }));
            self.removed.push(key);
        }
        self.instances.push(Row {
            state: InstanceState::Gone.as_str().to_owned(),
            worst_stage: None,
            failure_class: None,
            sub_class: None,
            failing_since: None,
            ..known.standing.clone()
        });
    }
}

/// What a pipeline shows for a stage: what is confirmed, unless nothing is known; nothing when it does not apply.
fn outcome_of(now: &StageNow<'_>) -> Option<Outcome> {
    let confirmed = now.state.confirmed.map(|(standing, _)| standing.outcome());
    match now.observed {
        Outcome::Skipped => None,
        _ if confirmed == Some(Outcome::Fail) => confirmed,
        Outcome::Indeterminate => Some(Outcome::Indeterminate),
        Outcome::Pass | Outcome::Warn | Outcome::Fail => Some(confirmed.unwrap_or(Outcome::Indeterminate)),
    }
}

/// The word that a unit variant serializes to.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "unknown".to_owned(),
    }
}
