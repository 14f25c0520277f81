//! Incidents: what is wrong, since when, how much of the fleet it concerns.

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{any_of, any_word};
use crate::QueryState;
use crate::answer::{Ask, List, One, Scope};
use crate::basis::Basis;
use crate::page::{Direction, Wanted};
use crate::params::{Limit, NoParams, StageName, words};
use crate::problem::ApiError;

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
    IncidentLevel {
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
    #[schema(example = "instance")]
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
    #[schema(example = "deployment-ready")]
    pub stage: String,
    /// What it fails with; null when no class fits.
    #[schema(example = "image_pull_backoff")]
    pub failure_class: Option<String>,
    /// Finer label under the class.
    pub sub_class: Option<String>,
    /// `open` or `resolved`. May grow.
    #[schema(example = "open")]
    pub state: String,
    /// How soon somebody should look: `critical`, `high`, `medium`, `low`.
    #[schema(example = "high")]
    pub level: String,
    /// From 0 to 10; the level is cut from it.
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
    pub resolution: Option<String>,
    /// Instances it covers.
    #[schema(minimum = 0)]
    pub instances: i32,
    /// Clusters they are on.
    #[schema(minimum = 0)]
    pub clusters: i32,
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
    #[schema(value_type = Vec<Object>)]
    pub class_history: Value,
    /// The incident that covers it.
    pub parent: Option<IncidentRow>,
    /// The incidents it covers, most urgent first, at most 200.
    pub children: Vec<IncidentRow>,
    /// The instances it covers: its own and those of its children.
    pub members: Vec<IncidentMember>,
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
    /// Only these levels.
    #[param(inline)]
    pub level: Vec<IncidentLevel>,
    /// Only these scopes.
    #[param(inline)]
    pub scope: Vec<IncidentScope>,
    /// Only these failure classes.
    pub class: Vec<String>,
    /// Only on these clusters.
    pub cluster: Vec<String>,
    /// Only of these labs.
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
            level: Vec::new(),
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
    let basis = Basis::read(&app, ask.now).await?;
    let clusters = basis.cluster_ids(&params.cluster)?;
    let states: &[IncidentState] = if params.state.is_empty() {
        &[IncidentState::Open]
    } else {
        &params.state
    };
    let filter = Filter {
        states: states.iter().map(|state| state.as_str().to_owned()).collect(),
        levels: any_word(&params.level, IncidentLevel::as_str),
        scopes: any_word(&params.scope, IncidentScope::as_str),
        classes: any_of(&params.class),
        labs: any_of(&params.lab),
        stages: any_word(&params.stage, |StageName(stage)| stage.as_str()),
        instance: params.instance,
        parent: params.parent,
        top_level: params.top_level,
        since: params.since,
        clusters,
    };
    answer(&app, &ask, &basis, &filter, params.sort, params.limit, params.cursor.as_deref()).await
}

/// Parameters of what needs attention.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AttentionParams {
    /// Only these levels.
    #[param(inline)]
    pub level: Vec<IncidentLevel>,
    /// Only on these clusters.
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
    let basis = Basis::read(&app, ask.now).await?;
    let clusters = basis.cluster_ids(&params.cluster)?;
    let filter = Filter {
        states: vec![IncidentState::Open.as_str().to_owned()],
        levels: any_word(&params.level, IncidentLevel::as_str),
        top_level: true,
        clusters,
        ..Filter::default()
    };
    answer(
        &app,
        &ask,
        &basis,
        &filter,
        IncidentSort::Priority,
        params.limit,
        params.cursor.as_deref(),
    )
    .await
}

async fn answer<P>(
    app: &QueryState,
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
                let records = by_priority(&app.pool, filter, &wanted).await?;
                let (records, page) = wanted.cut(records, |record| (record.priority.to_bits(), record.onset_at, record.incident_id));
                Ok((rows(records, basis), page))
            })
            .await
        }
        IncidentSort::Onset | IncidentSort::OnsetDescending => {
            let wanted: Wanted<(DateTime<Utc>, Uuid)> = ask.page(limit, cursor)?;
            ask.list(basis, scope, async || {
                let records = by_onset(&app.pool, filter, &wanted, sort == IncidentSort::OnsetDescending).await?;
                let (records, page) = wanted.cut(records, |record| (record.onset_at, record.incident_id));
                Ok((rows(records, basis), page))
            })
            .await
        }
        IncidentSort::Opened | IncidentSort::OpenedDescending => {
            let wanted: Wanted<(DateTime<Utc>, Uuid)> = ask.page(limit, cursor)?;
            ask.list(basis, scope, async || {
                let records = by_opening(&app.pool, filter, &wanted, sort == IncidentSort::OpenedDescending).await?;
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
    let basis = Basis::read(&app, ask.now).await?;
    let record = find(&app.pool, &id).await?;
    let clusters = record.cluster_id.map(|id| vec![id]);
    ask.one(&basis, clusters.as_deref().into(), async || {
        let parent = match record.parent_id {
            Some(parent) => Some(row(find(&app.pool, &parent.to_string()).await?, &basis)),
            None => None,
        };
        let children = children(&app.pool, record.incident_id).await?;
        let members = std::iter::once(&record)
            .chain(&children)
            .filter_map(|record| member(record, &basis))
            .collect();
        Ok(IncidentDetail {
            class_history: record.class_history.clone(),
            parent,
            members,
            children: rows(children, &basis),
            row: row(record, &basis),
        })
    })
    .await
}

#[derive(Debug, Clone)]
struct IncidentRecord {
    incident_id: Uuid,
    scope: String,
    parent_id: Option<Uuid>,
    cluster_id: Option<Uuid>,
    instance_id: Option<Uuid>,
    namespace: Option<String>,
    lab: Option<String>,
    stage: String,
    failure_class: Option<String>,
    sub_class: Option<String>,
    class_history: Value,
    state: String,
    muted: bool,
    flapping: bool,
    priority: f32,
    level: String,
    message: String,
    onset_at: DateTime<Utc>,
    opened_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    resolution: Option<String>,
    instances: i32,
    clusters: i32,
    revision: i32,
}

/// Which incidents are wanted; `None` is any.
#[derive(Debug, Default)]
struct Filter {
    states: Vec<String>,
    levels: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    classes: Option<Vec<String>>,
    clusters: Option<Vec<Uuid>>,
    labs: Option<Vec<String>>,
    stages: Option<Vec<String>>,
    instance: Option<Uuid>,
    parent: Option<Uuid>,
    top_level: bool,
    since: Option<DateTime<Utc>>,
}

/// The list's statement in one order. `$after` compares with the cursor, from `$13`.
macro_rules! select {
    ($name:literal, $after:literal, $order:literal, $db:expr, $filter:expr, $wanted:expr, $($key:expr),+) => {
        sqlx::query_as!(
            IncidentRecord,
            "-- incidents::" + $name + "
            select incident_id, scope, parent_id, cluster_id, instance_id, namespace, lab, stage, failure_class, sub_class, class_history,
                   state, muted, flapping, priority, level, message, onset_at, opened_at, resolved_at, resolution, instances, clusters, revision
            from incidents
            where state = any($1)
              and ($2::text[] is null or level = any($2))
              and ($3::text[] is null or scope = any($3))
              and ($4::text[] is null or failure_class = any($4))
              and ($5::uuid[] is null or cluster_id = any($5))
              and ($6::text[] is null or lab = any($6))
              and ($7::text[] is null or stage = any($7))
              and ($8::uuid is null or instance_id = $8)
              and ($9::uuid is null or parent_id = $9)
              and (not $10::bool or parent_id is null)
              and ($11::timestamptz is null or opened_at >= $11)
              and " + $after + "
            order by " + $order + "
            limit $12",
            &$filter.states,
            $filter.levels as _,
            $filter.scopes as _,
            $filter.classes as _,
            $filter.clusters as _,
            $filter.labs as _,
            $filter.stages as _,
            $filter.instance as _,
            $filter.parent as _,
            $filter.top_level,
            $filter.since as _,
            $wanted.fetch(),
            $($key as _),+
        )
        .fetch_all($db)
        .await
    };
}

async fn by_priority(
    db: &PgPool,
    filter: &Filter,
    wanted: &Wanted<(u32, DateTime<Utc>, Uuid)>,
) -> Result<Vec<IncidentRecord>, sqlx::Error> {
    let priority = wanted.key().map(|&(bits, ..)| f32::from_bits(bits));
    let onset = wanted.key().map(|&(_, onset, _)| onset);
    let id = wanted.key().map(|&(.., id)| id);
    match wanted.direction() {
        Direction::Next => select!(
            "by_priority",
            "($15::uuid is null or priority < $13::real or (priority = $13 and (onset_at, incident_id) > ($14::timestamptz, $15)))",
            "priority desc, onset_at, incident_id",
            db,
            filter,
            wanted,
            priority,
            onset,
            id
        ),
        Direction::Previous => select!(
            "by_priority_back",
            "($15::uuid is null or priority > $13::real or (priority = $13 and (onset_at, incident_id) < ($14::timestamptz, $15)))",
            "priority, onset_at desc, incident_id desc",
            db,
            filter,
            wanted,
            priority,
            onset,
            id
        ),
    }
}

async fn by_onset(
    db: &PgPool,
    filter: &Filter,
    wanted: &Wanted<(DateTime<Utc>, Uuid)>,
    descending: bool,
) -> Result<Vec<IncidentRecord>, sqlx::Error> {
    let at = wanted.key().map(|&(at, _)| at);
    let id = wanted.key().map(|&(_, id)| id);
    if wanted.is_ascending(descending) {
        select!(
            "by_onset",
            "($14::uuid is null or (onset_at, incident_id) > ($13::timestamptz, $14))",
            "onset_at, incident_id",
            db,
            filter,
            wanted,
            at,
            id
        )
    } else {
        select!(
            "by_onset_descending",
            "($14::uuid is null or (onset_at, incident_id) < ($13::timestamptz, $14))",
            "onset_at desc, incident_id desc",
            db,
            filter,
            wanted,
            at,
            id
        )
    }
}

async fn by_opening(
    db: &PgPool,
    filter: &Filter,
    wanted: &Wanted<(DateTime<Utc>, Uuid)>,
    descending: bool,
) -> Result<Vec<IncidentRecord>, sqlx::Error> {
    let at = wanted.key().map(|&(at, _)| at);
    let id = wanted.key().map(|&(_, id)| id);
    // The index is on (opened_at desc, incident_id), so the id runs against the time.
    if wanted.is_ascending(descending) {
        select!(
            "by_opening",
            "($14::uuid is null or opened_at > $13::timestamptz or (opened_at = $13 and incident_id < $14))",
            "opened_at, incident_id desc",
            db,
            filter,
            wanted,
            at,
            id
        )
    } else {
        select!(
            "by_opening_descending",
            "($14::uuid is null or opened_at < $13::timestamptz or (opened_at = $13 and incident_id > $14))",
            "opened_at desc, incident_id",
            db,
            filter,
            wanted,
            at,
            id
        )
    }
}

async fn find(db: &PgPool, id: &str) -> Result<IncidentRecord, ApiError> {
    let missing = || ApiError::NotFound {
        what: "incident",
        name: id.to_owned(),
    };
    let uuid: Uuid = id.parse().map_err(|_| missing())?;
    sqlx::query_as!(
        IncidentRecord,
        "-- incidents::find
        select incident_id, scope, parent_id, cluster_id, instance_id, namespace, lab, stage, failure_class, sub_class, class_history,
               state, muted, flapping, priority, level, message, onset_at, opened_at, resolved_at, resolution, instances, clusters, revision
        from incidents where incident_id = $1",
        uuid
    )
    .fetch_optional(db)
    .await?
    .ok_or_else(missing)
}

async fn children(db: &PgPool, parent: Uuid) -> Result<Vec<IncidentRecord>, sqlx::Error> {
    sqlx::query_as!(
        IncidentRecord,
        "-- incidents::children
        select incident_id, scope, parent_id, cluster_id, instance_id, namespace, lab, stage, failure_class, sub_class, class_history,
               state, muted, flapping, priority, level, message, onset_at, opened_at, resolved_at, resolution, instances, clusters, revision
        from incidents where parent_id = $1 order by state, priority desc, onset_at, incident_id limit 200",
        parent
    )
    .fetch_all(db)
    .await
}

/// The newest incidents of an instance.
pub(super) async fn of_instance(db: &PgPool, instance: Uuid, basis: &Basis) -> Result<Vec<IncidentRow>, ApiError> {
    let records = sqlx::query_as!(
        IncidentRecord,
        "-- incidents::of_instance
        select incident_id, scope, parent_id, cluster_id, instance_id, namespace, lab, stage, failure_class, sub_class, class_history,
               state, muted, flapping, priority, level, message, onset_at, opened_at, resolved_at, resolution, instances, clusters, revision
        from incidents where instance_id = $1 order by opened_at desc, incident_id limit 20",
        instance
    )
    .fetch_all(db)
    .await?;
    Ok(rows(records, basis))
}

fn rows(records: Vec<IncidentRecord>, basis: &Basis) -> Vec<IncidentRow> {
    records.into_iter().map(|record| row(record, basis)).collect()
}

fn row(record: IncidentRecord, basis: &Basis) -> IncidentRow {
    IncidentRow {
        id: record.incident_id,
        scope: record.scope,
        parent_id: record.parent_id,
        cluster: record.cluster_id.map(|id| basis.cluster_name(id)),
        instance_id: record.instance_id,
        namespace: record.namespace,
        lab: record.lab,
        stage: record.stage,
        failure_class: record.failure_class,
        sub_class: record.sub_class,
        state: record.state,
        level: record.level,
        priority: record.priority,
        muted: record.muted,
        flapping: record.flapping,
        message: record.message,
        onset_at: record.onset_at,
        opened_at: record.opened_at,
        resolved_at: record.resolved_at,
        resolution: record.resolution,
        instances: record.instances,
        clusters: record.clusters,
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
