//! What is wrong, in at most ten lines: open incidents by failure class, the least urgent classes together when there are many.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use stargate_common::track::digest::{Group, Heading, Open, digest};
use stargate_common::track::triage::Level;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::clusters::ClassCount;
use super::{IncidentMember, IncidentSeverity};
use crate::QueryState;
use crate::answer::{Ask, One};
use crate::basis::Basis;
use crate::knowledge::Knowledge;
use crate::problem::ApiError;

/// Groups that an answer has, unless somebody asks for fewer. Source: what fits on a screen and in a head.
const MOST: usize = 10;
/// Members that are named in each group.
const NAMED: usize = 40;
/// Incidents that are looked at, most urgent first. Source: more than the fleet has labs would not help a reader.
const LOOKED_AT: i64 = 25_000;

/// What is wrong, in a few groups.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IncidentGroups {
    /// The groups, most urgent first.
    pub groups: Vec<IncidentGroup>,
    /// Distinct instances with an open incident.
    #[schema(minimum = 0)]
    pub instances: usize,
}

/// Open incidents that are read together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IncidentGroup {
    /// What they have in common: a failure class, or an area when several classes are read together.
    #[schema(example = "image_pull_backoff")]
    pub title: String,
    /// Their failure class; null when there are several, or none.
    #[schema(example = "image_pull_backoff")]
    pub class: Option<String>,
    /// Their classes with the number of incidents, most first.
    pub classes: Vec<ClassCount>,
    /// How soon somebody should look: `critical`, `high`, `medium`, `low`.
    #[schema(value_type = IncidentSeverity)]
    pub severity: String,
    /// The highest priority among them, from 0 to 10.
    #[schema(example = 7.0, minimum = 0, maximum = 10)]
    pub priority: f32,
    /// When the oldest of them began.
    pub onset_at: DateTime<Utc>,
    /// Distinct instances.
    #[schema(minimum = 0)]
    pub instances: usize,
    /// Clusters they are on.
    pub clusters: Vec<String>,
    /// Labs they belong to.
    pub labs: Vec<String>,
    /// Incidents that stand for some of the members: correlated, so likely of one cause.
    pub parents: Vec<Uuid>,
    /// Who is concerned, most urgent first, at most 40; `GET /incidents?class=` has all.
    pub members: Vec<IncidentMember>,
}

/// Parameters of the groups.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GroupParams {
    /// Only on these clusters.
    pub cluster: Vec<String>,
}

/// An open incident as stored.
struct Record {
    incident_id: Uuid,
    parent_id: Option<Uuid>,
    scope: String,
    cluster_id: Option<Uuid>,
    instance_id: Option<Uuid>,
    namespace: Option<String>,
    lab: Option<String>,
    failure_class: Option<String>,
    level: String,
    priority: f32,
    onset_at: DateTime<Utc>,
}

/// What is wrong, in at most ten groups.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/overview/groups", operation_id = "getIncidentGroups", tag = "overview", params(GroupParams),
    responses((status = 200, description = "The groups", body = One<IncidentGroups>)))]
pub async fn groups(State(app): State<QueryState>, ask: Ask<GroupParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&ask.params.cluster)?;
    ask.one(&basis, clusters.as_deref().into(), async || {
        let records = open(&mut db, clusters.as_deref()).await?;
        Ok(grouped(&records, &app.knowledge, &basis))
    })
    .await
}

async fn open(db: &mut PgConnection, clusters: Option<&[Uuid]>) -> Result<Vec<Record>, sqlx::Error> {
    sqlx::query_as!(
        Record,
        "-- groups::open
        select incident_id, parent_id, scope, cluster_id, instance_id, namespace, lab, failure_class, level, priority, onset_at
        from incidents
        where state = 'open' and ($1::uuid[] is null or cluster_id = any($1))
        order by priority desc, onset_at, incident_id
        limit $2",
        clusters as _,
        LOOKED_AT
    )
    .fetch_all(db)
    .await
}

fn grouped(records: &[Record], knowledge: &Knowledge, basis: &Basis) -> IncidentGroups {
    let areas: BTreeMap<&str, &str> = knowledge
        .classes
        .iter()
        .map(|class| (class.name.as_str(), class.area.as_str()))
        .collect();
    // What another incident of the same instance causes is read with that one.
    let causes: BTreeSet<Uuid> = records
        .iter()
        .filter(|record| record.scope == "instance")
        .map(|record| record.incident_id)
        .collect();
    let records: Vec<&Record> = records
        .iter()
        .filter(|record| record.parent_id.is_none_or(|parent| !causes.contains(&parent)))
        .collect();
    let parents: BTreeSet<Uuid> = records.iter().filter_map(|record| record.parent_id).collect();
    let open: Vec<Open<'_>> = records
        .iter()
        .map(|record| Open {
            class: record.failure_class.as_deref(),
            area: record
                .failure_class
                .as_deref()
                .and_then(|class| areas.get(class).copied())
                .unwrap_or_default(),
            priority: record.priority,
            is_parent: record.scope != "instance" && (record.cluster_id.is_none() || parents.contains(&record.incident_id)),
        })
        .collect();
    IncidentGroups {
        groups: digest(&open, MOST).iter().map(|group| row(group, &records, basis)).collect(),
        instances: records
            .iter()
            .filter_map(|record| record.instance_id)
            .collect::<BTreeSet<_>>()
            .len(),
    }
}

fn row(group: &Group, records: &[&Record], basis: &Basis) -> IncidentGroup {
    // Positions follow urgency, because the records do.
    let of = |positions: &[usize]| {
        let positions: BTreeSet<usize> = positions.iter().copied().collect();
        positions
            .into_iter()
            .filter_map(|position| records.get(position).copied())
            .collect::<Vec<&Record>>()
    };
    let (members, parents) = (of(&group.members), of(&group.parents));
    let all = || members.iter().chain(&parents);
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for member in &members {
        *counts.entry(member.failure_class.as_deref().unwrap_or("unclassified")).or_default() += 1;
    }
    let mut classes: Vec<ClassCount> = counts
        .into_iter()
        .map(|(class, instances)| ClassCount {
            class: class.to_owned(),
            instances,
        })
        .collect();
    classes.sort_by(|left, right| right.instances.cmp(&left.instances).then_with(|| left.class.cmp(&right.class)));
    let class = match &group.heading {
        Heading::Class(class) => class.clone(),
        Heading::Area(_) | Heading::Rest => None,
    };
    let title = match &group.heading {
        Heading::Class(None) => "unclassified".to_owned(),
        Heading::Class(Some(class)) => class.clone(),
        Heading::Area(area) if area.is_empty() => "other areas".to_owned(),
        Heading::Area(area) => format!("{area}, several classes"),
        Heading::Rest => "less urgent, several areas".to_owned(),
    };
    let worst = all().max_by(|left, right| left.priority.total_cmp(&right.priority));
    let clusters: BTreeSet<String> = all()
        .filter_map(|record| record.cluster_id)
        .map(|id| basis.cluster_name(id))
        .collect();
    let labs: BTreeSet<&String> = members.iter().filter_map(|record| record.lab.as_ref()).collect();
    let instances: BTreeSet<Uuid> = members.iter().filter_map(|record| record.instance_id).collect();
    IncidentGroup {
        title,
        class,
        classes,
        severity: worst.map_or_else(|| Level::Low.as_str().to_owned(), |record| record.level.clone()),
        priority: group.priority,
        onset_at: all().map(|record| record.onset_at).min().unwrap_or(basis.now),
        instances: instances.len(),
        clusters: clusters.into_iter().collect(),
        labs: labs.into_iter().cloned().collect(),
        parents: parents.iter().map(|record| record.incident_id).collect(),
        members: members.iter().filter_map(|record| member(record, basis)).take(NAMED).collect(),
    }
}

fn member(record: &Record, basis: &Basis) -> Option<IncidentMember> {
    record.instance_id.map(|instance_id| IncidentMember {
        instance_id,
        namespace: record.namespace.clone(),
        cluster: record.cluster_id.map(|id| basis.cluster_name(id)),
        lab: record.lab.clone(),
        incident_id: record.incident_id,
        state: "open".to_owned(),
    })
}
