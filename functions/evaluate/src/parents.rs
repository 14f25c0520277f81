//! Sorts the open incidents of the fleet under parents, and writes what that changes.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use stargate_common::boot::Function as _;
use stargate_common::db::clusters;
use stargate_common::db::incidents::{self, Row as IncidentRow};
use stargate_common::db::outbox::Outgoing;
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::events::{self, IncidentOpened, IncidentRef, IncidentResolved, IncidentUpdated};
use stargate_common::stage::Stage;
use stargate_common::track::ClassSince;
use stargate_common::track::correlate::{self, Fate, Group, Plan};
use stargate_common::track::transition::DETAIL_EVERY;
use stargate_common::track::triage::{self, Session, Spread};

use crate::{Evaluate, EvaluateError};

/// Sorts the open incidents of the fleet under parents. Returns what is told about parents.
pub async fn sort_under_parents(conn: &mut PgConnection, rubrics: &RubricSet, at: DateTime<Utc>) -> Result<Vec<Outgoing>, EvaluateError> {
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
        let (priority, level) = triage::priority(rubrics.severity(plan.group.class()), Spread::Systemic, Session::None);
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
        pattern_class: None,
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
