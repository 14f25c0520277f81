//! Incidents: what is wrong, since when, how much of the fleet it concerns.

pub mod facets;
pub mod groups;
mod store;

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use self::store::{Filter, IncidentRecord, by_onset, by_opening, by_priority, children, find};
use super::{any_of, any_word};
use crate::QueryState;
use crate::answer::{Ask, List, One, Scope};
use crate::basis::Basis;
use crate::page::Wanted;
use crate::params::{Limit, NoParams, StageName, words};
use crate::problem::ApiError;
use crate::words::Resolution;

words! {
    /// Whether an incident goes on.
    IncidentState {
        /// It does.
        Open = "open",
        /// It is over.
        Resolved = "resolved",
    }
}

words! {
    /// How soon somebody should look.
    IncidentSeverity {
        /// Now.
        Critical = "critical",
        /// Soon.
        High = "high",
        /// Today.
        Medium = "medium",
        /// Some time.
        Low = "low",
    }
}

words! {
    /// What an incident is about.
    IncidentScope {
        /// One instance.
        Instance = "instance",
        /// Instances of one cluster, or the cluster itself.
        Cluster = "cluster",
        /// Instances of one catalog item.
        CatalogItem = "catalog_item",
        /// The whole fleet.
        Fleet = "fleet",
    }
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IncidentRow {
    /// Its id.
    pub id: Uuid,
    /// What it is about: `instance`, `cluster`, `catalog_item`, `fleet`. May grow.
    #[schema(value_type = IncidentScope)]
    pub scope: String,
    /// The incident that covers it.
    pub parent_id: Option<Uuid>,
    /// Its cluster, when it is about one.
    #[schema(example = "cnv-west-2")]
    pub cluster: Option<String>,
    /// Its instance, when it is about one.
    pub instance_id: Option<Uuid>,
    /// The namespace of the instance.
    pub namespace: Option<String>,
    /// The lab, when it is about one.
    pub lab: Option<String>,
    /// The stage that fails.
    #[schema(value_type = StageName)]
    pub stage: String,
    /// The failure class; null when none fits.
    #[schema(example = "image_pull_backoff")]
    pub class: Option<String>,
    /// What the failing members say themselves: a class by the wording of their states and events.
    #[schema(example = "volume_mount_failed")]
    pub pattern_class: Option<String>,
    /// Finer label under the class.
    pub sub_class: Option<String>,
    /// `open` or `resolved`. May grow.
    #[schema(value_type = IncidentState)]
    pub state: String,
    /// How soon somebody should look: `critical`, `high`, `medium`, `low`.
    #[schema(value_type = IncidentSeverity)]
    pub severity: String,
    /// From 0 to 10; the severity is cut from it.
    #[schema(example = 7.0, minimum = 0, maximum = 10)]
    pub priority: f32,
    /// It is not announced: it began while its service was still being made.
    pub muted: bool,
    /// It comes and goes so often that its changes are not announced.
    pub flapping: bool,
    /// One line for people.
    pub message: String,
    /// When it began, as far as evidence tells.
    pub onset_at: DateTime<Utc>,
    /// When it was confirmed.
    pub opened_at: DateTime<Utc>,
    /// When it was over.
    pub resolved_at: Option<DateTime<Utc>>,
    /// How it ended: `self_resolved`, `namespace_recycled`, `children_resolved`. May grow.
    #[schema(value_type = Option<Resolution>)]
    pub resolution: Option<String>,
    /// Instances it covers.
    #[schema(minimum = 0)]
    pub instances: i32,
    /// Clusters they are on.
    pub clusters: Vec<String>,
    /// Labs they belong to.
    pub labs: Vec<String>,
    /// Raised with every change.
    pub version: i32,
}

/// An incident with what it covers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IncidentDetail {
    /// As in the list.
    #[serde(flatten)]
    pub row: IncidentRow,
    /// The classes it had, oldest first.
    pub class_history: Vec<ClassSinceRow>,
    /// The incident that covers it.
    pub parent: Option<IncidentRow>,
    /// The incidents it covers, most urgent first, at most 200.
    pub children: Vec<IncidentRow>,
    /// The instances it covers: its own and those of its children.
    pub members: Vec<IncidentMember>,
}

/// A class an incident had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassSinceRow {
    /// The class; null when none fitted.
    pub class: Option<String>,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// An instance that an incident covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncidentMember {
    /// The instance.
    pub instance_id: Uuid,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its cluster.
    pub cluster: Option<String>,
    /// Its lab.
    pub lab: Option<String>,
    /// Its incident.
    pub incident_id: Uuid,
    /// Whether that goes on.
    #[schema(value_type = IncidentState)]
    pub state: String,
}

words! {
    /// What the list of incidents can be sorted by.
    IncidentSort {
        /// Most urgent first; of these, the oldest.
        Priority = "-priority,onset_at",
        /// Oldest first.
        Onset = "onset_at",
        /// Newest first.
        OnsetDescending = "-onset_at",
        /// First confirmed first.
        Opened = "opened_at",
        /// Last confirmed first.
        OpenedDescending = "-opened_at",
    }
}

/// Parameters of the list of incidents.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IncidentParams {
    /// Only incidents in these states; open ones when absent.
    #[param(inline)]
    pub state: Vec<IncidentState>,
    /// Only these severities.
    #[param(inline)]
    pub severity: Vec<IncidentSeverity>,
    /// Only these scopes.
    #[param(inline)]
    pub scope: Vec<IncidentScope>,
    /// Only these failure classes.
    pub class: Vec<String>,
    /// Only on these clusters, themselves or what they cover.
    pub cluster: Vec<String>,
    /// Only of these labs, themselves or what they cover.
    pub lab: Vec<String>,
    /// Only at these stages.
    #[param(inline)]
    pub stage: Vec<StageName>,
    /// Only of this instance.
    pub instance: Option<Uuid>,
    /// Only those covered by this incident.
    pub parent: Option<Uuid>,
    /// Leave out what another incident covers.
    pub top_level: bool,
    /// Only those that were confirmed at or after this time.
    pub since: Option<DateTime<Utc>>,
    /// The order.
    #[param(inline)]
    pub sort: IncidentSort,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for IncidentParams {
    fn default() -> Self {
        Self {
            state: Vec::new(),
            severity: Vec::new(),
            scope: Vec::new(),
            class: Vec::new(),
            cluster: Vec::new(),
            lab: Vec::new(),
            stage: Vec::new(),
            instance: None,
            parent: None,
            top_level: false,
            since: None,
            sort: IncidentSort::Priority,
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// Incidents.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/incidents", operation_id = "listIncidents", tag = "incidents", params(IncidentParams),
    responses((status = 200, description = "Incidents", body = List<IncidentRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<IncidentParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&params.cluster)?;
    let filter = filter(params, clusters);
    answer(&mut db, &ask, &basis, &filter, params.sort, params.limit, params.cursor.as_deref()).await
}

/// The incidents that these parameters ask for.
fn filter(params: &IncidentParams, clusters: Option<Vec<Uuid>>) -> Filter {
    let states: &[IncidentState] = if params.state.is_empty() {
        &[IncidentState::Open]
    } else {
        &params.state
    };
    Filter {
        states: states.iter().map(|state| state.as_str().to_owned()).collect(),
        severities: any_word(&params.severity, IncidentSeverity::as_str),
        scopes: any_word(&params.scope, IncidentScope::as_str),
        classes: any_of(&params.class),
        labs: any_of(&params.lab),
        stages: any_word(&params.stage, |StageName(stage)| stage.as_str()),
        instance: params.instance,
        parent: params.parent,
        top_level: params.top_level,
        since: params.since,
        clusters,
    }
}

/// Parameters of what needs attention.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AttentionParams {
    /// Only these severities.
    #[param(inline)]
    pub severity: Vec<IncidentSeverity>,
    /// Only on these clusters, themselves or what they cover.
    pub cluster: Vec<String>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

/// What needs attention: open incidents that no other covers, most urgent first.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/overview/attention", operation_id = "listAttention", tag = "overview", params(AttentionParams),
    responses((status = 200, description = "Incidents", body = List<IncidentRow>)))]
pub async fn attention(State(app): State<QueryState>, ask: Ask<AttentionParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&params.cluster)?;
    let filter = Filter {
        severities: any_word(&params.severity, IncidentSeverity::as_str),
        ..needing_attention(clusters)
    };
    answer(
        &mut db,
        &ask,
        &basis,
        &filter,
        IncidentSort::Priority,
        params.limit,
        params.cursor.as_deref(),
    )
    .await
}

/// Open incidents that no other covers.
fn needing_attention(clusters: Option<Vec<Uuid>>) -> Filter {
    Filter {
        states: vec![IncidentState::Open.as_str().to_owned()],
        top_level: true,
        clusters,
        ..Filter::default()
    }
}

/// The most urgent of what needs attention.
pub(super) async fn most_urgent(
    db: &mut PgConnection,
    basis: &Basis,
    clusters: Option<&[Uuid]>,
    limit: Limit,
) -> Result<Vec<IncidentRow>, ApiError> {
    let first = Wanted::new(limit, None, "")?;
    let mut records = by_priority(db, &needing_attention(clusters.map(<[Uuid]>::to_vec)), &first).await?;
    records.truncate(limit.rows());
    Ok(rows(records, basis))
}

async fn answer<P>(
    db: &mut PgConnection,
    ask: &Ask<P>,
    basis: &Basis,
    filter: &Filter,
    sort: IncidentSort,
    limit: Limit,
    cursor: Option<&str>,
) -> Result<Response, ApiError>
where
    P: serde::de::DeserializeOwned,
{
    let scope: Scope<'_> = filter.clusters.as_deref().into();
    match sort {
        IncidentSort::Priority => {
            // The priority's bits: a number in JSON would not come back exactly.
            let wanted: Wanted<(u32, DateTime<Utc>, Uuid)> = ask.page(limit, cursor)?;
            ask.list(basis, scope, async || {
                let records = by_priority(db, filter, &wanted).await?;
                let (records, page) = wanted.cut(records, |record| (record.priority.to_bits(), record.onset_at, record.incident_id));
                Ok((rows(records, basis), page))
            })
            .await
        }
        IncidentSort::Onset | IncidentSort::OnsetDescending => {
            let wanted: Wanted<(DateTime<Utc>, Uuid)> = ask.page(limit, cursor)?;
            ask.list(basis, scope, async || {
                let records = by_onset(db, filter, &wanted, sort == IncidentSort::OnsetDescending).await?;
                let (records, page) = wanted.cut(records, |record| (record.onset_at, record.incident_id));
                Ok((rows(records, basis), page))
            })
            .await
        }
        IncidentSort::Opened | IncidentSort::OpenedDescending => {
            let wanted: Wanted<(DateTime<Utc>, Uuid)> = ask.page(limit, cursor)?;
            ask.list(basis, scope, async || {
                let records = by_opening(db, filter, &wanted, sort == IncidentSort::OpenedDescending).await?;
                let (records, page) = wanted.cut(records, |record| (record.opened_at, record.incident_id));
                Ok((rows(records, basis), page))
            })
            .await
        }
    }
}

/// One incident with what it covers.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/incidents/{id}", operation_id = "getIncident", tag = "incidents",
    params(("id" = Uuid, Path, description = "Id of the incident")),
    responses((status = 200, description = "The incident", body = One<IncidentDetail>)))]
pub async fn get(State(app): State<QueryState>, Path(id): Path<String>, ask: Ask<NoParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let record = find(&mut db, &id).await?;
    let clusters = record.cluster_id.map(|id| vec![id]);
    ask.one(&basis, clusters.as_deref().into(), async || {
        let parent = match record.parent_id {
            Some(parent) => Some(row(find(&mut db, &parent.to_string()).await?, &basis)),
            None => None,
        };
        let class_history = serde_json::from_value(record.class_history.clone()).map_err(|source| ApiError::Document {
            what: format!("the classes of incident {id}"),
            source,
        })?;
        let children = children(&mut db, record.incident_id).await?;
        let members = std::iter::once(&record)
            .chain(&children)
            .filter_map(|record| member(record, &basis))
            .collect();
        Ok(IncidentDetail {
            class_history,
            parent,
            members,
            children: rows(children, &basis),
            row: row(record, &basis),
        })
    })
    .await
}

/// The newest incidents of an instance.
pub(super) async fn of_instance(db: &mut PgConnection, instance: Uuid, basis: &Basis) -> Result<Vec<IncidentRow>, ApiError> {
    Ok(rows(store::of_instance(db, instance).await?, basis))
}

fn rows(records: Vec<IncidentRecord>, basis: &Basis) -> Vec<IncidentRow> {
    records.into_iter().map(|record| row(record, basis)).collect()
}

fn row(record: IncidentRecord, basis: &Basis) -> IncidentRow {
    let ids = record.covered_clusters.into_iter().flatten().chain(record.cluster_id);
    let clusters: BTreeSet<String> = ids.map(|id| basis.cluster_name(id)).collect();
    let labs: BTreeSet<String> = record.covered_labs.into_iter().flatten().chain(record.lab.clone()).collect();
    IncidentRow {
        id: record.incident_id,
        scope: record.scope,
        parent_id: record.parent_id,
        cluster: record.cluster_id.map(|id| basis.cluster_name(id)),
        instance_id: record.instance_id,
        namespace: record.namespace,
        lab: record.lab,
        stage: record.stage,
        class: record.failure_class,
        pattern_class: record.pattern_class,
        sub_class: record.sub_class,
        state: record.state,
        severity: record.level,
        priority: record.priority,
        muted: record.muted,
        flapping: record.flapping,
        message: record.message,
        onset_at: record.onset_at,
        opened_at: record.opened_at,
        resolved_at: record.resolved_at,
        resolution: record.resolution,
        instances: record.instances,
        clusters: clusters.into_iter().collect(),
        labs: labs.into_iter().collect(),
        version: record.revision,
    }
}

fn member(record: &IncidentRecord, basis: &Basis) -> Option<IncidentMember> {
    record.instance_id.map(|instance_id| IncidentMember {
        instance_id,
        namespace: record.namespace.clone(),
        cluster: record.cluster_id.map(|id| basis.cluster_name(id)),
        lab: record.lab.clone(),
        incident_id: record.incident_id,
        state: record.state.clone(),
    })
}
