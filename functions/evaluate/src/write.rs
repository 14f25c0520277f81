//! Takes an evaluation in: everything it changes becomes visible together, or not at all.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use stargate_common::db::cluster_samples::{self, Sample};
use stargate_common::db::clusters;
use stargate_common::db::evidence::AsOf;
use stargate_common::db::incidents::{self, Row as IncidentRow};
use stargate_common::db::scans::{self, Waiting};
use stargate_common::db::stage_state::{self, New};
use stargate_common::db::transitions::{self, Row as TransitionRow};
use stargate_common::db::views::{self, View};
use stargate_common::db::{instances, outbox, rollups};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::objects::Kind;
use stargate_common::track::transition::Key;
use stargate_common::track::triage::{self, Session, Spread};
use stargate_common::track::{IncidentChange, Resolution};
use uuid::Uuid;

use crate::diff::{self, Affected, Before, Changes};
use crate::judge::Judged;
use crate::{EvaluateError, Evaluated, Evaluator, Receipt, constraints, parents, tell};

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
        let looked = [Kind::Namespace, Kind::Pod]
            .into_iter()
            .all(|kind| as_of.coverage.until(kind, as_of.now).is_ok());
        cluster_samples::add(conn, cluster.id, Sample::of(&judged.summary, looked), waiting.observed_at).await?;
    }
    let stored_stages = stage_state::of_cluster(conn, cluster.id, cluster.evaluated_as_of).await?;
    let stored_instances = instances::standings(conn, cluster.id).await?;
    let labs = diff::labs(judged);
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
        .map(|affected| incident_row(&evaluator.rubrics, cluster.id, affected))
        .collect();
    incidents::write(conn, &incident_rows).await?;
    let mut rows = rollups::set_instances(conn, cluster.id, &changes.instance_counts).await?;
    rows += rollups::set_stages(conn, cluster.id, &changes.stage_counts).await?;
    let summary_changed = clusters::set_summary(conn, cluster.id, &judged.summary, now).await?;

    let violations = constraints::write(conn, cluster.id, &judged.demanded, as_of.now).await?;

    let mut outgoing = tell::outgoing(&cluster.name, changes, &evaluator.rubrics)?;
    // From here on locks are shared by all clusters.
    let mut told = 0;
    if !changes.incidents.is_empty() {
        let of_parents = parents::sort_under_parents(conn, &evaluator.rubrics, as_of.now).await?;
        told = of_parents.len();
        outgoing.extend(of_parents);
    }
    outbox::append(conn, &outgoing, now).await?;
    let cluster_stage = changes.stages.iter().any(|change| change.subject.instance.is_none());
    let instances_changed =
        rows > 0 || !changes.instances.is_empty() || !changes.removed.is_empty() || changes.stages.len() > usize::from(cluster_stage);
    let mut changed = BTreeSet::from([View::Clusters, View::Scans]);
    changed.extend((instances_changed || summary_changed).then_some(View::Instances));
    changed.extend((!changes.transitions.is_empty()).then_some(View::Transitions));
    changed.extend((!changes.incidents.is_empty()).then_some(View::Incidents));
    changed.extend((violations > 0).then_some(View::Provisioning));
    let views = changed.len();
    views::raise(conn, changed, now).await?;

    let changed_rows = changes.stages.len()
        + changes.removed.len()
        + changes.instances.len()
        + changes.transitions.len()
        + changes.incidents.len()
        + violations
        + usize::try_from(rows).unwrap_or_default();
    Ok(Evaluated {
        evaluations: 1,
        stages: changes.judged,
        // The cluster and its scan are always written.
        written: changed_rows + outgoing.len() + told + views + 2 + usize::from(summary_changed),
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

fn incident_row<'a>(rubrics: &RubricSet, cluster: Uuid, affected: &'a Affected<'_>) -> IncidentRow<'a> {
    let Affected {
        subject, stage, change, ..
    } = affected;
    let incident = change.incident();
    let resolution = match change {
        IncidentChange::Resolved(_, resolution) => Some(*resolution),
        IncidentChange::Opened(_) | IncidentChange::Updated(..) => None,
    };
    let severity = incident.class.as_deref().and_then(|class| rubrics.severity(class));
    let (priority, level) = triage::priority(severity, Spread::Single, Session::None);
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
        pattern_class: incident.pattern_class.as_deref(),
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
