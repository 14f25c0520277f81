//! Statements about instances: one list in every order, one by id.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::page::{Direction, Wanted};
use crate::problem::ApiError;

/// An instance as stored.
#[derive(Debug, Clone)]
pub(in crate::api) struct InstanceRecord {
    pub instance_id: Uuid,
    pub cluster_id: Uuid,
    pub namespace: String,
    pub uid: String,
    pub guid: Option<String>,
    pub service_uuid: Option<String>,
    pub suffix: Option<String>,
    pub catalog_item: Option<String>,
    pub lab_code: Option<String>,
    pub lab: String,
    pub kind: String,
    pub intent: String,
    pub phase: String,
    pub state: String,
    pub worst_stage: Option<String>,
    pub failure_class: Option<String>,
    pub sub_class: Option<String>,
    pub failing_since: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub first_seen_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub version: i32,
}

/// Which instances are wanted; `None` is any.
#[derive(Debug)]
pub(super) struct Filter {
    pub labs: Option<Vec<String>>,
    pub clusters: Option<Vec<Uuid>>,
    pub states: Option<Vec<String>>,
    /// Also instances that are gone.
    pub gone: bool,
    /// Clusters whose instances are shown as unknown.
    pub blind: Vec<Uuid>,
    pub stages: Option<Vec<String>>,
    pub classes: Option<Vec<String>>,
    pub kinds: Option<Vec<String>>,
    pub pattern: Option<String>,
}

/// The list's statement in one order. `$after` compares with the key (`$10`) and id (`$11`) of the cursor.
macro_rules! select {
    ($name:literal, $after:literal, $order:literal, $db:expr, $filter:expr, $wanted:expr) => {
        sqlx::query_as!(
            InstanceRecord,
            "-- instances::" + $name + "
            select instance_id, cluster_id, namespace, uid, guid, service_uuid, suffix, catalog_item, lab_code, lab as \"lab!\", kind, intent,
                   phase, state, worst_stage, failure_class, sub_class, failing_since, coalesce(created_at, first_seen_at) as \"created_at!\", first_seen_at, changed_at, deleted_at, version
            from instances
            where (deleted_at is null or $12::bool)
              and ($1::text[] is null or lab = any($1))
              and ($2::uuid[] is null or cluster_id = any($2))
              and ($3::text[] is null
                   or (state = any($3) and not cluster_id = any($4::uuid[]))
                   or ('unknown' = any($3) and cluster_id = any($4::uuid[])))
              and ($5::text[] is null or worst_stage = any($5))
              and ($6::text[] is null or failure_class = any($6))
              and ($7::text[] is null or kind = any($7))
              and ($8::text is null or namespace like $8 or guid like $8)
              and " + $after + "
            order by " + $order + "
            limit $9",
            $filter.labs as _,
            $filter.clusters as _,
            $filter.states as _,
            &$filter.blind,
            $filter.stages as _,
            $filter.classes as _,
            $filter.kinds as _,
            $filter.pattern as _,
            $wanted.fetch(),
            $wanted.key().map(|(key, _)| key) as _,
            $wanted.key().map(|(_, id)| id) as _,
            $filter.gone,
        )
        .fetch_all($db)
        .await
    };
}

pub(super) async fn by_namespace(
    db: &mut PgConnection,
    filter: &Filter,
    wanted: &Wanted<(String, Uuid)>,
    descending: bool,
) -> Result<Vec<InstanceRecord>, sqlx::Error> {
    if wanted.is_ascending(descending) {
        select!(
            "by_namespace",
            "($11::uuid is null or (namespace, instance_id) > ($10::text, $11))",
            "namespace, instance_id",
            db,
            filter,
            wanted
        )
    } else {
        select!(
            "by_namespace_descending",
            "($11::uuid is null or (namespace, instance_id) < ($10::text, $11))",
            "namespace desc, instance_id desc",
            db,
            filter,
            wanted
        )
    }
}

pub(super) async fn by_age(
    db: &mut PgConnection,
    filter: &Filter,
    wanted: &Wanted<(DateTime<Utc>, Uuid)>,
    descending: bool,
) -> Result<Vec<InstanceRecord>, sqlx::Error> {
    if wanted.is_ascending(descending) {
        select!(
            "by_age",
            "($11::uuid is null or (coalesce(created_at, first_seen_at), instance_id) > ($10::timestamptz, $11))",
            "coalesce(created_at, first_seen_at), instance_id",
            db,
            filter,
            wanted
        )
    } else {
        select!(
            "by_age_descending",
            "($11::uuid is null or (coalesce(created_at, first_seen_at), instance_id) < ($10::timestamptz, $11))",
            "coalesce(created_at, first_seen_at) desc, instance_id desc",
            db,
            filter,
            wanted
        )
    }
}

pub(super) async fn by_change(
    db: &mut PgConnection,
    filter: &Filter,
    wanted: &Wanted<(DateTime<Utc>, Uuid)>,
    descending: bool,
) -> Result<Vec<InstanceRecord>, sqlx::Error> {
    if wanted.is_ascending(descending) {
        select!(
            "by_change",
            "($11::uuid is null or (changed_at, instance_id) > ($10::timestamptz, $11))",
            "changed_at, instance_id",
            db,
            filter,
            wanted
        )
    } else {
        select!(
            "by_change_descending",
            "($11::uuid is null or (changed_at, instance_id) < ($10::timestamptz, $11))",
            "changed_at desc, instance_id desc",
            db,
            filter,
            wanted
        )
    }
}

/// What does not fail comes last either way, so the two directions are not each other's mirror.
pub(super) async fn by_onset(
    db: &mut PgConnection,
    filter: &Filter,
    wanted: &Wanted<(Option<DateTime<Utc>>, Uuid)>,
    descending: bool,
) -> Result<Vec<InstanceRecord>, sqlx::Error> {
    match (descending, wanted.direction()) {
        (false, Direction::Next) => select!(
            "by_onset",
            "($11::uuid is null or (coalesce(failing_since, 'infinity'), instance_id) > (coalesce($10::timestamptz, 'infinity'), $11))",
            "coalesce(failing_since, 'infinity'), instance_id",
            db,
            filter,
            wanted
        ),
        (false, Direction::Previous) => select!(
            "by_onset_back",
            "($11::uuid is null or (coalesce(failing_since, 'infinity'), instance_id) < (coalesce($10::timestamptz, 'infinity'), $11))",
            "coalesce(failing_since, 'infinity') desc, instance_id desc",
            db,
            filter,
            wanted
        ),
        (true, Direction::Next) => select!(
            "by_onset_descending",
            "($11::uuid is null or (coalesce(failing_since, '-infinity'), instance_id) < (coalesce($10::timestamptz, '-infinity'), $11))",
            "coalesce(failing_since, '-infinity') desc, instance_id desc",
            db,
            filter,
            wanted
        ),
        (true, Direction::Previous) => select!(
            "by_onset_descending_back",
            "($11::uuid is null or (coalesce(failing_since, '-infinity'), instance_id) > (coalesce($10::timestamptz, '-infinity'), $11))",
            "coalesce(failing_since, '-infinity'), instance_id",
            db,
            filter,
            wanted
        ),
    }
}

/// The instance of that id, gone or not.
pub(in crate::api) async fn find(db: &mut PgConnection, id: &str) -> Result<InstanceRecord, ApiError> {
    let missing = || ApiError::NotFound {
        what: "instance",
        name: id.to_owned(),
    };
    let uuid: Uuid = id.parse().map_err(|_| missing())?;
    sqlx::query_as!(
        InstanceRecord,
        r#"-- instances::find
        select instance_id, cluster_id, namespace, uid, guid, service_uuid, suffix, catalog_item, lab_code, lab as "lab!", kind, intent,
               phase, state, worst_stage, failure_class, sub_class, failing_since, coalesce(created_at, first_seen_at) as "created_at!", first_seen_at, changed_at, deleted_at, version
        from instances where instance_id = $1"#,
        uuid
    )
    .fetch_optional(db)
    .await?
    .ok_or_else(missing)
}

/// Instances that are there now and whose namespace or guid matches, for the search box.
pub(super) async fn matching(db: &mut PgConnection, pattern: &str, limit: i64) -> Result<Vec<InstanceRecord>, sqlx::Error> {
    sqlx::query_as!(
        InstanceRecord,
        r#"-- instances::matching
        select instance_id, cluster_id, namespace, uid, guid, service_uuid, suffix, catalog_item, lab_code, lab as "lab!", kind, intent,
               phase, state, worst_stage, failure_class, sub_class, failing_since, coalesce(created_at, first_seen_at) as "created_at!", first_seen_at, changed_at, deleted_at, version
        from instances where deleted_at is null and (namespace like $1 or guid like $1)
        order by namespace, instance_id limit $2"#,
        pattern,
        limit
    )
    .fetch_all(db)
    .await
}
