//! Where what runs differs from what its definition demands.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use stargate_common::sources::SourceName;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{any_of, any_word};
use crate::QueryState;
use crate::answer::{Ask, List, Scope};
use crate::basis::Basis;
use crate::page::Wanted;
use crate::params::{Limit, StageName, words};
use crate::problem::ApiError;

words! {
    /// How bad a difference is.
    ViolationSeverity {
        /// The lab cannot work like this.
        Critical = "critical",
        /// It may.
        Warning = "warning",
    }
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ViolationRow {
    /// Its id.
    pub id: Uuid,
    /// The instance.
    pub instance_id: Uuid,
    /// Its namespace.
    pub namespace: String,
    /// Its cluster.
    pub cluster: String,
    /// Its lab, as instances are grouped.
    pub lab: String,
    /// Its lab code.
    pub lab_code: Option<String>,
    /// The catalog item that demands it.
    pub catalog_item: String,
    /// What kind of difference: `workload_not_deployed`, `operator_version_drift`, …. May grow.
    #[schema(example = "showroom_wrong_ref")]
    pub kind: String,
    /// What is demanded.
    pub expected: String,
    /// What is there instead.
    pub actual: String,
    /// How bad it is: `critical`, `warning`.
    #[schema(value_type = ViolationSeverity)]
    pub severity: String,
    /// In a sentence.
    pub detail: String,
    /// The stage that it says something about.
    #[schema(value_type = StageName)]
    pub stage: String,
    /// When it was first seen.
    pub detected_at: DateTime<Utc>,
}

/// Parameters of the list of differences.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ViolationParams {
    /// Only of instances of these labs.
    pub lab: Vec<String>,
    /// Only of these instances.
    pub instance: Vec<Uuid>,
    /// Only of these kinds.
    pub kind: Vec<String>,
    /// Only as bad as this.
    #[param(inline)]
    pub severity: Vec<ViolationSeverity>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

#[derive(Debug)]
struct ViolationRecord {
    violation_id: Uuid,
    instance_id: Uuid,
    cluster_id: Uuid,
    namespace: String,
    lab: String,
    lab_code: Option<String>,
    catalog_item: String,
    kind: String,
    expected: String,
    actual: String,
    severity: String,
    detail: String,
    stage: String,
    detected_at: DateTime<Utc>,
}

/// Differences that are there now, newest first.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/constraints/violations", operation_id = "listConstraintViolations", tag = "provisioning", params(ViolationParams),
    responses((status = 200, description = "Differences", body = List<ViolationRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<ViolationParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    for (parameter, words) in [("lab", &params.lab), ("kind", &params.kind)] {
        super::no_nul(parameter, words)?;
    }
    let wanted: Wanted<(DateTime<Utc>, Uuid)> = ask.page(params.limit, params.cursor.as_deref())?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    ask.list(
        &basis,
        Scope::Systems(None, &[SourceName::Agnosticv, SourceName::Babylon]),
        async || {
            let records = read(&mut db, params, &wanted).await?;
            let (records, page) = wanted.cut(records, |record| (record.detected_at, record.violation_id));
            Ok((rows(records, &basis), page))
        },
    )
    .await
}

/// The differences of an instance, worst first.
pub(super) async fn of_instance(db: &mut PgConnection, instance: Uuid, basis: &Basis) -> Result<Vec<ViolationRow>, ApiError> {
    let records = sqlx::query_as!(
        ViolationRecord,
        r#"-- violations::of_instance
        select v.violation_id, v.instance_id, i.cluster_id, i.namespace, i.lab as "lab!", i.lab_code, v.catalog_item, v.type as kind, v.expected,
               v.actual, v.severity, v.detail, v.stage, v.detected_at
        from constraint_violations v join instances i using (instance_id)
        where v.instance_id = $1 and v.cleared_at is null
        order by v.severity, v.detected_at, v.violation_id limit 50"#,
        instance
    )
    .fetch_all(db)
    .await?;
    Ok(rows(records, basis))
}

fn rows(records: Vec<ViolationRecord>, basis: &Basis) -> Vec<ViolationRow> {
    let row = |record: ViolationRecord| ViolationRow {
        id: record.violation_id,
        instance_id: record.instance_id,
        namespace: record.namespace,
        cluster: basis.cluster_name(record.cluster_id),
        lab: record.lab,
        lab_code: record.lab_code,
        catalog_item: record.catalog_item,
        kind: record.kind,
        expected: record.expected,
        actual: record.actual,
        severity: record.severity,
        detail: record.detail,
        stage: record.stage,
        detected_at: record.detected_at,
    };
    records.into_iter().map(row).collect()
}

/// The list's statement in one direction.
macro_rules! select {
    ($name:literal, $compare:literal, $order:literal, $db:expr, $params:expr, $wanted:expr) => {
        sqlx::query_as!(
            ViolationRecord,
            "-- violations::" + $name + "
            select v.violation_id, v.instance_id, i.cluster_id, i.namespace, i.lab as \"lab!\", i.lab_code, v.catalog_item, v.type as kind, v.expected,
                   v.actual, v.severity, v.detail, v.stage, v.detected_at
            from constraint_violations v join instances i using (instance_id)
            where v.cleared_at is null and i.deleted_at is null
              and ($1::text[] is null or i.lab = any($1))
              and ($2::uuid[] is null or v.instance_id = any($2))
              and ($3::text[] is null or v.type = any($3))
              and ($4::text[] is null or v.severity = any($4))
              and ($7::uuid is null or (v.detected_at, v.violation_id) " + $compare + " ($6::timestamptz, $7))
            order by " + $order + "
            limit $5",
            any_of(&$params.lab) as _,
            any_of(&$params.instance) as _,
            any_of(&$params.kind) as _,
            any_word(&$params.severity, ViolationSeverity::as_str) as _,
            $wanted.fetch(),
            $wanted.key().map(|&(at, _)| at) as _,
            $wanted.key().map(|&(_, id)| id) as _,
        )
        .fetch_all($db)
        .await
    };
}

async fn read(
    db: &mut PgConnection,
    params: &ViolationParams,
    wanted: &Wanted<(DateTime<Utc>, Uuid)>,
) -> Result<Vec<ViolationRecord>, sqlx::Error> {
    if wanted.is_ascending(true) {
        select!("oldest_first", ">", "v.detected_at, v.violation_id", db, params, wanted)
    } else {
        select!("newest_first", "<", "v.detected_at desc, v.violation_id desc", db, params, wanted)
    }
}
