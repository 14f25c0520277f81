//! Statements about incidents: one list in every order, one by id, what one covers.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::page::{Direction, Wanted};
use crate::problem::ApiError;

/// An incident as stored, with the clusters and labs of what it covers.
#[derive(Debug, Clone)]
pub(super) struct IncidentRecord {
    pub incident_id: Uuid,
    pub scope: String,
    pub parent_id: Option<Uuid>,
    pub cluster_id: Option<Uuid>,
    pub instance_id: Option<Uuid>,
    pub namespace: Option<String>,
    pub lab: Option<String>,
    pub stage: String,
    pub failure_class: Option<String>,
    pub pattern_class: Option<String>,
    pub sub_class: Option<String>,
    pub class_history: Value,
    pub state: String,
    pub muted: bool,
    pub flapping: bool,
    pub priority: f32,
    pub level: String,
    pub message: String,
    pub onset_at: DateTime<Utc>,
    pub opened_at: DateTime<Utc>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolution: Option<String>,
    pub instances: i32,
    pub revision: i32,
    pub covered_clusters: Option<Vec<Uuid>>,
    pub covered_labs: Option<Vec<String>>,
}

/// Which incidents are wanted; `None` is any.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub states: Vec<String>,
    pub severities: Option<Vec<String>>,
    pub scopes: Option<Vec<String>>,
    pub classes: Option<Vec<String>>,
    pub clusters: Option<Vec<Uuid>>,
    pub labs: Option<Vec<String>>,
    pub stages: Option<Vec<String>>,
    pub instance: Option<Uuid>,
    pub parent: Option<Uuid>,
    pub top_level: bool,
    pub since: Option<DateTime<Utc>>,
}

/// The list's statement in one order. `$after` compares with the cursor, from `$13`. An incident is also where what it covers is, and
/// of the lab that its instance was joined to only after it began.
macro_rules! select {
    ($name:literal, $after:literal, $order:literal, $db:expr, $filter:expr, $wanted:expr, $($key:expr),+) => {
        sqlx::query_as!(
            IncidentRecord,
            "-- incidents::" + $name + "
            select incident_id, scope, parent_id, cluster_id, instance_id, namespace, lab, stage, failure_class, pattern_class, sub_class,
                   class_history, state, muted, flapping, priority, level, message, onset_at, opened_at, resolved_at, resolution, instances, revision,
                   (select array_agg(distinct c.cluster_id) from incidents c where c.parent_id = i.incident_id and c.cluster_id is not null)
                       as covered_clusters,
                   (select array_agg(distinct c.lab) from incidents c where c.parent_id = i.incident_id and c.lab is not null) as covered_labs
            from incidents i
            where state = any($1)
              and ($2::text[] is null or level = any($2))
              and ($3::text[] is null or scope = any($3))
              and ($4::text[] is null or failure_class = any($4))
              and ($5::uuid[] is null or cluster_id = any($5)
                   or exists (select from incidents c where c.parent_id = i.incident_id and c.cluster_id = any($5)))
              and ($6::text[] is null or lab = any($6)
                   or exists (select from instances n where n.instance_id = i.instance_id and n.lab = any($6))
                   or exists (select from incidents c left join instances n on n.instance_id = c.instance_id
                              where c.parent_id = i.incident_id and (c.lab = any($6) or n.lab = any($6))))
              and ($7::text[] is null or stage = any($7))
              and ($8::uuid is null or instance_id = $8)
              and ($9::uuid is null or parent_id = $9)
              and (not $10::bool or parent_id is null)
              and ($11::timestamptz is null or opened_at >= $11)
              and " + $after + "
            order by " + $order + "
            limit $12",
            &$filter.states,
            $filter.severities as _,
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

pub(super) async fn by_priority(
    db: &mut PgConnection,
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

pub(super) async fn by_onset(
    db: &mut PgConnection,
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

pub(super) async fn by_opening(
    db: &mut PgConnection,
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

pub(super) async fn find(db: &mut PgConnection, id: &str) -> Result<IncidentRecord, ApiError> {
    let missing = || ApiError::NotFound {
        what: "incident",
        name: id.to_owned(),
    };
    let uuid: Uuid = id.parse().map_err(|_| missing())?;
    sqlx::query_as!(
        IncidentRecord,
        "-- incidents::find
        select incident_id, scope, parent_id, cluster_id, instance_id, namespace, lab, stage, failure_class, pattern_class, sub_class,
               class_history, state, muted, flapping, priority, level, message, onset_at, opened_at, resolved_at, resolution, instances, revision,
               (select array_agg(distinct c.cluster_id) from incidents c where c.parent_id = i.incident_id and c.cluster_id is not null)
                   as covered_clusters,
               (select array_agg(distinct c.lab) from incidents c where c.parent_id = i.incident_id and c.lab is not null) as covered_labs
        from incidents i where incident_id = $1",
        uuid
    )
    .fetch_optional(db)
    .await?
    .ok_or_else(missing)
}

pub(super) async fn children(db: &mut PgConnection, parent: Uuid) -> Result<Vec<IncidentRecord>, sqlx::Error> {
    sqlx::query_as!(
        IncidentRecord,
        "-- incidents::children
        select incident_id, scope, parent_id, cluster_id, instance_id, namespace, lab, stage, failure_class, pattern_class, sub_class,
               class_history, state, muted, flapping, priority, level, message, onset_at, opened_at, resolved_at, resolution, instances, revision,
               (select array_agg(distinct c.cluster_id) from incidents c where c.parent_id = i.incident_id and c.cluster_id is not null)
                   as covered_clusters,
               (select array_agg(distinct c.lab) from incidents c where c.parent_id = i.incident_id and c.lab is not null) as covered_labs
        from incidents i where parent_id = $1 order by state, priority desc, onset_at, incident_id limit 200",
        parent
    )
    .fetch_all(db)
    .await
}

/// The newest incidents of an instance.
pub(super) async fn of_instance(db: &mut PgConnection, instance: Uuid) -> Result<Vec<IncidentRecord>, sqlx::Error> {
    sqlx::query_as!(
        IncidentRecord,
        "-- incidents::of_instance
        select incident_id, scope, parent_id, cluster_id, instance_id, namespace, lab, stage, failure_class, pattern_class, sub_class,
               class_history, state, muted, flapping, priority, level, message, onset_at, opened_at, resolved_at, resolution, instances, revision,
               (select array_agg(distinct c.cluster_id) from incidents c where c.parent_id = i.incident_id and c.cluster_id is not null)
                   as covered_clusters,
               (select array_agg(distinct c.lab) from incidents c where c.parent_id = i.incident_id and c.lab is not null) as covered_labs
        from incidents i where instance_id = $1 order by opened_at desc, incident_id limit 20",
        instance
    )
    .fetch_all(db)
    .await
}

/// Incidents that have one value of one filter; all other fields are null.
#[derive(Debug)]
pub(super) struct FacetCount {
    pub state: Option<String>,
    pub level: Option<String>,
    pub scope: Option<String>,
    pub failure_class: Option<String>,
    pub cluster_id: Option<Uuid>,
    pub lab: Option<String>,
    pub stage: Option<String>,
    pub incidents: i64,
}

/// How often each value occurs in the list, whatever its order.
pub(super) async fn facet_counts(db: &mut PgConnection, filter: &Filter) -> Result<Vec<FacetCount>, sqlx::Error> {
    sqlx::query_as!(
        FacetCount,
        r#"-- incidents::facet_counts
        select state as "state?", level as "level?", scope as "scope?", failure_class, cluster_id, lab, stage as "stage?", count(*) as "incidents!"
        from (
            select state, level, scope, failure_class, cluster_id, lab, stage
            from incidents i
            where state = any($1)
              and ($2::text[] is null or level = any($2))
              and ($3::text[] is null or scope = any($3))
              and ($4::text[] is null or failure_class = any($4))
              and ($5::uuid[] is null or cluster_id = any($5)
                   or exists (select from incidents c where c.parent_id = i.incident_id and c.cluster_id = any($5)))
              and ($6::text[] is null or lab = any($6)
                   or exists (select from instances n where n.instance_id = i.instance_id and n.lab = any($6))
                   or exists (select from incidents c left join instances n on n.instance_id = c.instance_id
                              where c.parent_id = i.incident_id and (c.lab = any($6) or n.lab = any($6))))
              and ($7::text[] is null or stage = any($7))
              and ($8::uuid is null or instance_id = $8)
              and ($9::uuid is null or parent_id = $9)
              and (not $10::bool or parent_id is null)
              and ($11::timestamptz is null or opened_at >= $11)
        ) wanted
        group by grouping sets ((state), (level), (scope), (failure_class), (cluster_id), (lab), (stage))"#,
        &filter.states,
        filter.severities.as_deref() as _,
        filter.scopes.as_deref() as _,
        filter.classes.as_deref() as _,
        filter.clusters.as_deref() as _,
        filter.labs.as_deref() as _,
        filter.stages.as_deref() as _,
        filter.instance as _,
        filter.parent as _,
        filter.top_level,
        filter.since as _
    )
    .fetch_all(db)
    .await
}
