//! Takes an evaluation in: everything it changes becomes visible together, or not at all.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use stargate_common::db::clusters;
use stargate_common::db::evidence::AsOf;
use stargate_common::db::incidents::{self, Row as IncidentRow};
use stargate_common::db::outbox::{self, Outgoing};
use stargate_common::db::scans::{self, Waiting};
use stargate_common::db::stage_state::{self, New};
use stargate_common::db::transitions::{self, Row as TransitionRow};
use stargate_common::db::views::{self, View};
use stargate_common::db::{instances, rollups};
use stargate_common::evaluate::Verdict;
use stargate_common::events::{
    self, FailureUnclassified, IncidentOpened, IncidentRef, IncidentResolved, IncidentUpdated, ReadinessChanged,
};
use stargate_common::stage::Stage;
use stargate_common::track::correlate::{self, Fate, Group, Plan};
use stargate_common::track::transition::{DETAIL_EVERY, Key};
use stargate_common::track::triage::{self, Session, Spread};
use stargate_common::track::{ClassSince, IncidentChange, Resolution, Update};
use uuid::Uuid;

use crate::diff::{self, Affected, Before, Changes, Subject};
use crate::judge::Judged;
use crate::{Evaluate, EvaluateError, Evaluated, Evaluator, Receipt};
use stargate_common::boot::Function as _;

/// Why a cluster is evaluated.
#[derive(Debug, Clone, Copy)]
pub enum Cause<'a> {
    /// A scan waits; perhaps an event said so.
    Scan(&'a Waiting, Option<&'a Receipt>),
    /// Time has passed.
    Time,
}

/// Writes what differs. `None` when somebody else has evaluated the cluster meanwhile: then nothing is written.
pub async fn take_in(
    evaluator: &Evaluator,
    as_of: AsOf<'_>,
    judged: &Judged,
    cause: Cause<'_>,
) -> Result<Option<Evaluated>, EvaluateError> {
    let failed = |source| EvaluateError::Transaction {
        cluster: as_of.cluster.name.clone(),
        source,
    };
    let now = evaluator.clock.now();
    let mut tx = evaluator.db.begin().await.map_err(failed)?;
    let conn: &mut PgConnection = &mut tx;
    let cluster = clusters::hold(conn, &as_of.cluster.name, false, now).await?;
    if cluster.evaluated_as_of != as_of.cluster.evaluated_as_of {
        return Ok(None);
    }
    if let Cause::Scan(waiting, receipt) = cause {
        if !scans::mark_evaluated(conn, waiting.id, waiting.started_at, now).await? {
            return Ok(None);
        }
        if let Some(receipt) = receipt {
            receipt.file(conn, now).await?;
        }
    }
    let stored_stages = stage_state::of_cluster(conn, cluster.id, cluster.evaluated_as_of).await?;
    let stored_instances = instances::standings(conn, cluster.id).await?;
    let labs = diff::labs(judged, &stored_instances);
    let before = Before {
        stages: &stored_stages,
        instances: &stored_instances,
        labs: &labs,
    };
    let changes = diff::changes(as_of, judged, before);
    let done = write(conn, evaluator, as_of, judged, &changes, now).await?;
    clusters::set_evaluated(conn, cluster.id, as_of.now).await?;
    tx.commit().await.map_err(failed)?;
    Ok(Some(done))
}

async fn write(
    conn: &mut PgConnection,
    evaluator: &Evaluator,
    as_of: AsOf<'_>,
    judged: &Judged,
    changes: &Changes<'_>,
    now: DateTime<Utc>,
) -> Result<Evaluated, EvaluateError> {
    let cluster = as_of.cluster;
    let stage_rows: Vec<stage_state::Row<'_>> = changes
        .stages
        .iter()
        .map(|change| stage_row(evaluator, cluster.id, change))
        .collect();
    stage_state::write(conn, &stage_rows).await?;
    stage_state::remove(conn, &changes.removed).await?;
    instances::write(conn, &changes.instances, as_of.now).await?;
    let transition_rows: Vec<TransitionRow<'_>> = changes
        .transitions
        .iter()
        .map(|confirmed| transition_row(cluster.id, confirmed))
        .collect();
    transitions::append(conn, &transition_rows).await?;
    let incident_rows: Vec<IncidentRow<'_>> = changes
        .incidents
        .iter()
        .map(|affected| incident_row(cluster.id, affected))
        .collect();
    incidents::write(conn, &incident_rows).await?;
    let mut rows = rollups::set_instances(conn, cluster.id, &changes.instance_counts).await?;
    rows += rollups::set_stages(conn, cluster.id, &changes.stage_counts).await?;
    let summary_changed = clusters::set_summary(conn, cluster.id, &judged.summary, now).await?;

    let mut outgoing = outgoing(&cluster.name, changes)?;
    // From here on locks are shared by all clusters.
    let mut parents = 0;
    if !changes.incidents.is_empty() {
        let told = sort_under_parents(conn, as_of.now).await?;
        parents = told.len();
        outgoing.extend(told);
    }
    outbox::append(conn, &outgoing, now).await?;
    let cluster_stage = changes.stages.iter().any(|change| change.subject.instance.is_none());
    let instances_changed =
        rows > 0 || !changes.instances.is_empty() || !changes.removed.is_empty() || changes.stages.len() > usize::from(cluster_stage);
    let mut changed = BTreeSet::from([View::Clusters, View::Scans]);
    changed.extend((instances_changed || summary_changed).then_some(View::Instances));
    changed.extend((!changes.transitions.is_empty()).then_some(View::Transitions));
    changed.extend((!changes.incidents.is_empty()).then_some(View::Incidents));
    let views = changed.len();
    views::raise(conn, changed, now).await?;

    let changed_rows = changes.stages.len()
        + changes.removed.len()
        + changes.instances.len()
        + changes.transitions.len()
        + changes.incidents.len()
        + usize::try_from(rows).unwrap_or_default();
    Ok(Evaluated {
        evaluations: 1,
        stages: changes.judged,
        // The cluster and its scan are always written.
        written: changed_rows + outgoing.len() + parents + views + 2 + usize::from(summary_changed),
        transitions: changes.transitions.len(),
        incidents: changes.incidents.len(),
    })
}

fn stage_row<'a>(evaluator: &'a Evaluator, cluster: Uuid, change: &'a diff::StageChange<'_>) -> stage_state::Row<'a> {
    let verdict = &change.judged.verdict;
    let key = Key {
        subject: change.subject.id,
        stage: verdict.stage,
    };
    New {
        key,
        cluster,
        instance: change.subject.instance.map(|(id, ..)| id),
        verdict,
        verdict_hash: &change.judged.hash,
        state: &change.state,
        rubric_version: &evaluator.rubrics.version,
        observed_at: change.observed_at,
    }
    .into()
}

fn transition_row<'a>(cluster: Uuid, confirmed: &'a diff::Confirmed<'_>) -> TransitionRow<'a> {
    let diff::Confirmed {
        subject,
        stage,
        transition,
    } = confirmed;
    TransitionRow {
        transition_id: transition.id,
        at: transition.at,
        subject_id: subject.id,
        cluster_id: cluster,
        instance_id: subject.instance.map(|(id, ..)| id),
        namespace: subject.instance.map(|(_, namespace, _)| namespace),
        lab: subject.instance.map(|(.., lab)| lab),
        stage: *stage,
        direction: transition.direction.as_str(),
        from_outcome: transition.from.map(|standing| standing.outcome().as_str()),
        to_outcome: transition.to.outcome().as_str(),
        from_class: transition.from_class.as_deref(),
        to_class: transition.to_class.as_deref(),
        incident_id: transition.incident,
    }
}

fn incident_row<'a>(cluster: Uuid, affected: &'a Affected<'_>) -> IncidentRow<'a> {
    let Affected {
        subject, stage, change, ..
    } = affected;
    let incident = change.incident();
    let resolution = match change {
        IncidentChange::Resolved(_, resolution) => Some(*resolution),
        IncidentChange::Opened(_) | IncidentChange::Updated(..) => None,
    };
    let (priority, level) = triage::priority(incident.class.as_deref(), Spread::Single, Session::None);
    IncidentRow {
        incident_id: incident.id,
        fingerprint: format!("{}/{stage}", subject.id),
        scope: if subject.instance.is_some() { "instance" } else { "cluster" },
        parent_id: None,
        subject_id: Some(subject.id),
        cluster_id: Some(cluster),
        instance_id: subject.instance.map(|(id, ..)| id),
        namespace: subject.instance.map(|(_, namespace, _)| namespace),
        lab: subject.instance.map(|(.., lab)| lab),
        stage: *stage,
        failure_class: incident.class.as_deref(),
        sub_class: incident.sub_class.as_deref(),
        class_history: &incident.class_history,
        state: if resolution.is_some() { "resolved" } else { "open" },
        muted: incident.muted,
        flapping: incident.flapping,
        priority,
        level: level.as_str(),
        message: &incident.message,
        onset_at: incident.onset_at,
        opened_at: incident.opened_at,
        resolved_at: resolution.map(|_| incident.updated_at),
        resolution: resolution.map(Resolution::as_str),
        instances: i32::from(subject.instance.is_some()),
        clusters: 1,
        revision: incident.revision,
        updated_at: incident.updated_at,
    }
}

/// What is told about the changes.
fn outgoing(cluster: &str, changes: &Changes<'_>) -> Result<Vec<Outgoing>, EvaluateError> {
    let mut outgoing = Vec::new();
    let producer = Evaluate::NAME;
    for diff::Confirmed {
        subject,
        stage,
        transition,
    } in &changes.transitions
    {
        let changed = ReadinessChanged {
            transition_id: transition.id,
            subject_id: subject.id,
            cluster: cluster.to_owned(),
            namespace: namespace_of(*subject),
            stage: *stage,
            outcome: transition.to.outcome().as_str().to_owned(),
            failure_class: transition.to_class.clone(),
        };
        outgoing.push(events::outgoing(producer, &changed, transition.at)?);
    }
    for affected in &changes.incidents {
        let Affected {
            subject,
            stage,
            change,
            verdict,
        } = affected;
        let incident = change.incident();
        let (_, level) = triage::priority(incident.class.as_deref(), Spread::Single, Session::None);
        let told = IncidentRef {
            incident_id: incident.id,
            revision: incident.revision,
            cluster: Some(cluster.to_owned()),
            namespace: namespace_of(*subject),
            stage: *stage,
            level: level.as_str().to_owned(),
            failure_class: incident.class.clone(),
        };
        let at = incident.updated_at;
        outgoing.push(match change {
            IncidentChange::Opened(_) => events::outgoing(producer, &IncidentOpened(told), at)?,
            IncidentChange::Updated(..) => events::outgoing(producer, &IncidentUpdated(told), at)?,
            IncidentChange::Resolved(..) => events::outgoing(producer, &IncidentResolved(told), at)?,
        });
        let new_class = match change {
            IncidentChange::Opened(_) => true,
            IncidentChange::Updated(_, updates) => updates.contains(&Update::ClassChanged),
            IncidentChange::Resolved(..) => false,
        };
        if let (true, None, Some(verdict)) = (new_class, &incident.class, verdict) {
            let unclassified = FailureUnclassified {
                subject_id: subject.id,
                cluster: cluster.to_owned(),
                namespace: namespace_of(*subject),
                stage: *stage,
                signature: signature(verdict),
            };
            outgoing.push(events::outgoing(producer, &unclassified, at)?);
        }
    }
    Ok(outgoing)
}

fn namespace_of(subject: Subject<'_>) -> Option<String> {
    subject.instance.map(|(_, namespace, _)| namespace.to_owned())
}

/// The same criteria failing for the same reasons have the same signature, whichever members it is this time.
fn signature(verdict: &Verdict) -> String {
    let mut digest = Sha256::new();
    for criterion in verdict
        .criteria
        .iter()
        .filter(|criterion| criterion.value == serde_json::Value::Bool(false))
    {
        digest.update(criterion.name.as_bytes());
        for member in &criterion.failing {
            digest.update([0]);
            digest.update(member.kind.as_bytes());
            digest.update(member.reason.as_bytes());
        }
        digest.update([1]);
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Sorts the open incidents of the fleet under parents. Returns what is told about parents.
async fn sort_under_parents(conn: &mut PgConnection, at: DateTime<Utc>) -> Result<Vec<Outgoing>, EvaluateError> {
    incidents::hold_parents(conn).await?;
    let open = incidents::open(conn).await?;
    let correlation = correlate::correlate(&open.leaves, &open.parents, &open.population, at);
    let names = clusters::names(&mut *conn).await?;
    let mut told = Vec::new();
    let mut moved = correlation.moved;
    for plan in &correlation.parents {
        let Some(stage) = plan.stage.or_else(|| open.stages.get(&plan.id).copied()) else {
            continue;
        };
        let (revision, updated_at) = open.revisions.get(&plan.id).copied().unwrap_or((0, at));
        let cluster = match &plan.group {
            Group::Cluster(id, _) => names.get(id).cloned(),
            Group::CatalogItem(..) | Group::Fleet(_) => None,
        };
        let (priority, level) = triage::priority(Some(plan.group.class()), Spread::Systemic, Session::None);
        let reference = |revision| IncidentRef {
            incident_id: plan.id,
            revision,
            cluster: cluster.clone(),
            namespace: None,
            stage,
            level: level.as_str().to_owned(),
            failure_class: Some(plan.group.class().to_owned()),
        };
        let message = message(plan, cluster.as_deref());
        match plan.fate {
            Fate::Open => {
                let history = [ClassSince {
                    class: Some(plan.group.class().to_owned()),
                    since: at,
                }];
                incidents::write(conn, &[parent_row(plan, stage, priority, level.as_str(), &message, &history)]).await?;
                told.push(events::outgoing(Evaluate::NAME, &IncidentOpened(reference(1)), at)?);
            }
            Fate::Resize => {
                // Its size follows at once; people are told hourly at most.
                let tell = at - updated_at >= DETAIL_EVERY;
                let size = incidents::Size {
                    instances: int(plan.instances),
                    clusters: int(plan.clusters),
                    message,
                    revision: revision + i32::from(tell),
                    updated_at: if tell { at } else { updated_at },
                };
                incidents::resize(conn, plan.id, &size).await?;
                if tell {
                    told.push(events::outgoing(Evaluate::NAME, &IncidentUpdated(reference(size.revision)), at)?);
                }
            }
            Fate::Resolve => {
                incidents::resolve_parent(conn, plan.id, revision + 1, at).await?;
                told.push(events::outgoing(Evaluate::NAME, &IncidentResolved(reference(revision + 1)), at)?);
            }
            Fate::Keep => {}
        }
        let stored_parent = open.parents.get(&plan.group).and_then(|parent| parent.parent);
        if plan.fate != Fate::Resolve && plan.parent != stored_parent {
            moved.push((plan.id, plan.parent));
        }
    }
    incidents::move_to(conn, &moved).await?;
    Ok(told)
}

fn parent_row<'a>(
    plan: &'a Plan,
    stage: Stage,
    priority: f32,
    level: &'static str,
    message: &'a str,
    class_history: &'a [ClassSince],
) -> IncidentRow<'a> {
    let (scope, cluster) = match &plan.group {
        Group::Cluster(id, _) => ("cluster", Some(*id)),
        Group::CatalogItem(..) => ("catalog_item", None),
        Group::Fleet(_) => ("fleet", None),
    };
    IncidentRow {
        incident_id: plan.id,
        fingerprint: plan.group.fingerprint(),
        scope,
        // Set once all parents are there.
        parent_id: None,
        subject_id: None,
        cluster_id: cluster,
        instance_id: None,
        namespace: None,
        lab: None,
        stage,
        failure_class: Some(plan.group.class()),
        sub_class: None,
        class_history,
        state: "open",
        muted: false,
        flapping: false,
        priority,
        level,
        message,
        onset_at: plan.onset_at,
        opened_at: plan.opened_at,
        resolved_at: None,
        resolution: None,
        instances: int(plan.instances),
        clusters: int(plan.clusters),
        revision: 1,
        updated_at: plan.opened_at,
    }
}

fn message(plan: &Plan, cluster: Option<&str>) -> String {
    let class = plan.group.class();
    let Plan { instances, clusters, .. } = plan;
    match &plan.group {
        Group::Cluster(..) => format!("{class} on {instances} instances of {}", cluster.unwrap_or("one cluster")),
        Group::CatalogItem(item, _) if *clusters > 1 => format!("{class} on {instances} instances of {item} on {clusters} clusters"),
        Group::CatalogItem(item, _) => format!("{class} on {instances} instances of {item}"),
        Group::Fleet(_) if *clusters >= correlate::PLATFORM_CLUSTERS => format!("{class} on {clusters} clusters: likely the platform"),
        Group::Fleet(_) => format!("{class} on {clusters} clusters"),
    }
}

fn int(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
