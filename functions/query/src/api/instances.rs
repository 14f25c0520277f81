//! Instances: one attendee's environment each, with every stage it was judged by.

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;
use stargate_common::stage::Stage;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::incidents::{self, IncidentRow};
use super::transitions::{self, TransitionRow};
use super::{any_of, any_word};
use crate::QueryState;
use crate::answer::{Ask, List, One, Scope};
use crate::basis::Basis;
use crate::counts::effective;
use crate::page::{Direction, Wanted};
use crate::params::{Limit, Needle, NoParams, StageName, words};
use crate::problem::ApiError;
use crate::sources::ClusterSource;

words! {
    /// Where an instance is.
    InstanceState {
        /// Not finished yet, and in time.
        Provisioning = "provisioning",
        /// Every stage that applies passes.
        Ready = "ready",
        /// Ready, with something to look at.
        Warning = "warning",
        /// A required criterion of a stage is known to be false.
        Failing = "failing",
        /// Stopped on purpose.
        Stopped = "stopped",
        /// Being deleted.
        Terminating = "terminating",
        /// Not known.
        Unknown = "unknown",
    }
}

words! {
    /// What kind of lab an instance is.
    KindName {
        /// Virtual machines.
        Vm = "vm",
        /// Containers.
        Container = "container",
        /// Both.
        ContainerVm = "container-vm",
        /// Served models.
        Model = "model",
        /// The instructions of another lab.
        ShowroomTenant = "showroom-tenant",
        /// A cluster inside the cluster.
        NestedCluster = "nested-cluster",
        /// Not known.
        Unknown = "unknown",
    }
}

/// How an instance was joined to its lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mapping {
    /// By a lab code.
    LabCode,
    /// By what was ordered or what the namespace is named for; no lab code is known.
    Catalog,
    /// Not at all.
    None,
}

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InstanceRow {
    /// Its id.
    pub id: Uuid,
    /// Its namespace.
    #[schema(example = "sandbox-q7f2k-netbasics")]
    pub namespace: String,
    /// The guid of the order.
    #[schema(example = "q7f2k")]
    pub guid: Option<String>,
    /// Its cluster.
    #[schema(example = "cnv-west-2")]
    pub cluster: String,
    /// The lab it belongs to.
    #[schema(example = "netbasics")]
    pub lab: String,
    /// How it was joined to its lab.
    pub mapping: Mapping,
    /// What was ordered.
    pub catalog_item: Option<String>,
    /// What kind of lab it is.
    #[schema(example = "container")]
    pub kind: String,
    /// What it should do: `started`, `stopped`, `unknown`.
    pub intent: String,
    /// Where it is on the way: `provisioning`, `started`, ….
    pub phase: String,
    /// Where it stands: `provisioning`, `ready`, `warning`, `failing`, `stopped`, `terminating`, `unknown`. May grow.
    #[schema(example = "failing")]
    pub state: String,
    /// What it was when it was last seen, when that is too long ago to be shown as its state.
    pub last_known_state: Option<String>,
    /// The first stage that fails.
    #[schema(example = "route-ready")]
    pub failing_stage: Option<String>,
    /// What it fails with.
    #[schema(example = "service_has_no_endpoints")]
    pub failure_class: Option<String>,
    /// Finer label under the class.
    pub sub_class: Option<String>,
    /// Since when it fails.
    pub onset_at: Option<DateTime<Utc>>,
    /// When the namespace was created.
    pub created_at: Option<DateTime<Utc>>,
    /// When its state last changed.
    pub changed_at: DateTime<Utc>,
    /// When the namespaces and pods of its cluster were last read completely.
    pub observed_at: Option<DateTime<Utc>>,
    /// Raised with every change.
    pub version: i32,
}

/// A resource that a criterion names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberRow {
    /// Kubernetes kind.
    #[schema(example = "Deployment")]
    pub kind: String,
    /// Name of the object.
    #[schema(example = "web")]
    pub name: String,
    /// What is wrong with it, or why it is left out.
    #[schema(example = "0 of 1 replicas ready")]
    pub reason: String,
}

/// A criterion as it was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CriterionRow {
    /// Its name, as in the rubric.
    #[schema(example = "endpoints_ready")]
    pub name: String,
    /// `entry` or `exit`.
    pub role: String,
    /// Whether the outcome depends on it.
    pub required: bool,
    /// The value: boolean, number or text; null when it is not known.
    pub value: Value,
    /// Why it is not known.
    #[schema(example = "forbidden")]
    pub unknown_reason: Option<String>,
    /// The objects that make it false or unknown, at most 20.
    #[serde(default)]
    pub failing: Vec<MemberRow>,
    /// How many there are, when more than are named.
    #[serde(default)]
    pub failing_count: Option<i64>,
    /// Objects that were left out on purpose, at most 20.
    #[serde(default)]
    pub excluded: Vec<MemberRow>,
}

/// Where a stage of an instance or cluster stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StageRow {
    /// The stage.
    #[schema(example = "route-ready")]
    pub stage: String,
    /// Its place in the pipeline, from 1.
    #[schema(minimum = 1, maximum = 11)]
    pub order: Option<usize>,
    /// What the newest evaluation said: `pass`, `warn`, `fail`, `indeterminate`, `skipped`. May grow.
    #[schema(example = "fail")]
    pub outcome: String,
    /// Why, when it is indeterminate or skipped.
    #[schema(example = "not_probed")]
    pub reason: Option<String>,
    /// What is confirmed: a first bad result is not yet.
    pub confirmed: Option<String>,
    /// Since when the confirmed outcome holds.
    pub since: Option<DateTime<Utc>>,
    /// Since when nobody knows.
    pub unknown_since: Option<DateTime<Utc>>,
    /// What it fails or warns with.
    pub failure_class: Option<String>,
    /// Finer label under the class.
    pub sub_class: Option<String>,
    /// What the rubric recommends looking at.
    pub recommended_action: Option<String>,
    /// One line for people.
    pub message: String,
    /// Every criterion, in the rubric's order.
    pub criteria: Vec<CriterionRow>,
    /// The incident it belongs to.
    pub incident_id: Option<Uuid>,
    /// It changes so often that its changes are not announced until then.
    pub flapping_until: Option<DateTime<Utc>>,
    /// Which rubric judged it.
    pub rubric_version: String,
    /// The age of the evidence it rests on.
    pub observed_at: DateTime<Utc>,
}

/// An instance with its whole story.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstanceDetail {
    /// As in the list.
    #[serde(flatten)]
    pub row: InstanceRow,
    /// The namespace's uid.
    pub uid: String,
    /// The service's uuid.
    pub service_uuid: Option<String>,
    /// When it was first seen.
    pub first_seen_at: DateTime<Utc>,
    /// When it was gone.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Every stage it was judged by, in pipeline order.
    pub stages: Vec<StageRow>,
    /// Its newest incidents, at most 20.
    pub incidents: Vec<IncidentRow>,
    /// Its newest transitions, at most 50.
    pub transitions: Vec<TransitionRow>,
}

/// What the list of instances can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
pub enum InstanceSort {
    /// By namespace.
    #[default]
    #[serde(rename = "namespace")]
    Namespace,
    /// By namespace, backwards.
    #[serde(rename = "-namespace")]
    NamespaceDescending,
    /// Longest failing first.
    #[serde(rename = "onset_at")]
    Onset,
    /// Newest failing first.
    #[serde(rename = "-onset_at")]
    OnsetDescending,
    /// Longest unchanged first.
    #[serde(rename = "changed_at")]
    Changed,
    /// Newest changed first.
    #[serde(rename = "-changed_at")]
    ChangedDescending,
}

/// Parameters of the list of instances.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InstanceParams {
    /// Only instances of these labs; `unmapped` for those of none.
    pub lab: Vec<String>,
    /// Only instances on these clusters.
    pub cluster: Vec<String>,
    /// Only instances in these states.
    #[param(inline)]
    pub state: Vec<InstanceState>,
    /// Only instances that fail first at these stages.
    #[param(inline)]
    pub stage: Vec<StageName>,
    /// Only instances that fail with these classes.
    pub class: Vec<String>,
    /// Only these kinds of lab.
    #[param(inline)]
    pub kind: Vec<KindName>,
    /// Only instances whose namespace or guid begins with this.
    #[param(inline)]
    pub q: Option<Needle>,
    /// The order.
    #[param(inline)]
    pub sort: InstanceSort,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

/// Instances that are there now.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/instances", operation_id = "listInstances", tag = "instances", params(InstanceParams),
    responses((status = 200, description = "Instances", body = List<InstanceRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<InstanceParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let basis = Basis::read(&app, ask.now).await?;
    let clusters = basis.cluster_ids(&params.cluster)?;
    let filter = Filter {
        labs: any_of(&params.lab),
        states: any_word(&params.state, InstanceState::as_str),
        blind: basis.blind(),
        stages: any_word(&params.stage, |StageName(stage)| stage.as_str()),
        classes: any_of(&params.class),
        kinds: any_word(&params.kind, KindName::as_str),
        pattern: params.q.as_ref().map(Needle::prefix_pattern),
        clusters,
    };
    let (sort, limit, cursor) = (params.sort, params.limit, params.cursor.as_deref());
    match sort {
        InstanceSort::Namespace | InstanceSort::NamespaceDescending => {
            let wanted: Wanted<(String, Uuid)> = ask.page(limit, cursor)?;
            ask.list(&basis, filter.clusters.as_deref().into(), async || {
                let records = by_namespace(&app.pool, &filter, &wanted, sort == InstanceSort::NamespaceDescending).await?;
                let (records, page) = wanted.cut(records, |record| (record.namespace.clone(), record.instance_id));
                Ok((rows(records, &basis), page))
            })
            .await
        }
        InstanceSort::Changed | InstanceSort::ChangedDescending => {
            let wanted: Wanted<(DateTime<Utc>, Uuid)> = ask.page(limit, cursor)?;
            ask.list(&basis, filter.clusters.as_deref().into(), async || {
                let records = by_change(&app.pool, &filter, &wanted, sort == InstanceSort::ChangedDescending).await?;
                let (records, page) = wanted.cut(records, |record| (record.changed_at, record.instance_id));
                Ok((rows(records, &basis), page))
            })
            .await
        }
        InstanceSort::Onset | InstanceSort::OnsetDescending => {
            let wanted: Wanted<(Option<DateTime<Utc>>, Uuid)> = ask.page(limit, cursor)?;
            ask.list(&basis, filter.clusters.as_deref().into(), async || {
                let records = by_onset(&app.pool, &filter, &wanted, sort == InstanceSort::OnsetDescending).await?;
                let (records, page) = wanted.cut(records, |record| (record.failing_since, record.instance_id));
                Ok((rows(records, &basis), page))
            })
            .await
        }
    }
}

/// One instance: every stage with its criteria, its incidents and transitions.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/instances/{id}", operation_id = "getInstance", tag = "instances",
    params(("id" = Uuid, Path, description = "Id of the instance")),
    responses((status = 200, description = "The instance", body = One<InstanceDetail>)))]
pub async fn get(State(app): State<QueryState>, Path(id): Path<String>, ask: Ask<NoParams>) -> Result<Response, ApiError> {
    let basis = Basis::read(&app, ask.now).await?;
    let record = find(&app.pool, &id).await?;
    ask.one(&basis, Scope::Clusters(&[record.cluster_id]), async || {
        let id = record.instance_id;
        Ok(InstanceDetail {
            uid: record.uid.clone(),
            service_uuid: record.service_uuid.clone(),
            first_seen_at: record.first_seen_at,
            deleted_at: record.deleted_at,
            stages: stages(&app.pool, id, basis.is_blind(record.cluster_id)).await?,
            incidents: incidents::of_instance(&app.pool, id, &basis).await?,
            transitions: transitions::of_instance(&app.pool, id, &basis).await?,
            row: row(record, &basis),
        })
    })
    .await
}

/// An instance as stored.
#[derive(Debug, Clone)]
pub(super) struct InstanceRecord {
    pub instance_id: Uuid,
    pub cluster_id: Uuid,
    namespace: String,
    uid: String,
    guid: Option<String>,
    service_uuid: Option<String>,
    suffix: Option<String>,
    catalog_item: Option<String>,
    lab_code: Option<String>,
    lab: String,
    kind: String,
    intent: String,
    phase: String,
    state: String,
    worst_stage: Option<String>,
    failure_class: Option<String>,
    sub_class: Option<String>,
    failing_since: Option<DateTime<Utc>>,
    created_at: Option<DateTime<Utc>>,
    first_seen_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
    version: i32,
}

/// Which instances are wanted; `None` is any.
#[derive(Debug)]
struct Filter {
    labs: Option<Vec<String>>,
    clusters: Option<Vec<Uuid>>,
    states: Option<Vec<String>>,
    /// Clusters whose instances are shown as unknown.
    blind: Vec<Uuid>,
    stages: Option<Vec<String>>,
    classes: Option<Vec<String>>,
    kinds: Option<Vec<String>>,
    pattern: Option<String>,
}

/// The list's statement in one order. `$after` compares with the key (`$10`) and id (`$11`) of the cursor.
macro_rules! select {
    ($name:literal, $after:literal, $order:literal, $db:expr, $filter:expr, $wanted:expr) => {
        sqlx::query_as!(
            InstanceRecord,
            "-- instances::" + $name + "
            select instance_id, cluster_id, namespace, uid, guid, service_uuid, suffix, catalog_item, lab_code, lab as \"lab!\", kind, intent,
                   phase, state, worst_stage, failure_class, sub_class, failing_since, created_at, first_seen_at, changed_at, deleted_at, version
            from instances
            where deleted_at is null
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
        )
        .fetch_all($db)
        .await
    };
}

async fn by_namespace(
    db: &PgPool,
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

async fn by_change(
    db: &PgPool,
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
async fn by_onset(
    db: &PgPool,
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
pub(super) async fn find(db: &PgPool, id: &str) -> Result<InstanceRecord, ApiError> {
    let missing = || ApiError::NotFound {
        what: "instance",
        name: id.to_owned(),
    };
    let uuid: Uuid = id.parse().map_err(|_| missing())?;
    sqlx::query_as!(
        InstanceRecord,
        r#"-- instances::find
        select instance_id, cluster_id, namespace, uid, guid, service_uuid, suffix, catalog_item, lab_code, lab as "lab!", kind, intent,
               phase, state, worst_stage, failure_class, sub_class, failing_since, created_at, first_seen_at, changed_at, deleted_at, version
        from instances where instance_id = $1"#,
        uuid
    )
    .fetch_optional(db)
    .await?
    .ok_or_else(missing)
}

/// Instances that are there now and whose namespace or guid matches, for the search box.
pub(super) async fn matching(db: &PgPool, pattern: &str, limit: i64, basis: &Basis) -> Result<Vec<InstanceRow>, ApiError> {
    let records = sqlx::query_as!(
        InstanceRecord,
        r#"-- instances::matching
        select instance_id, cluster_id, namespace, uid, guid, service_uuid, suffix, catalog_item, lab_code, lab as "lab!", kind, intent,
               phase, state, worst_stage, failure_class, sub_class, failing_since, created_at, first_seen_at, changed_at, deleted_at, version
        from instances where deleted_at is null and (namespace like $1 or guid like $1)
        order by namespace, instance_id limit $2"#,
        pattern,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows(records, basis))
}

fn rows(records: Vec<InstanceRecord>, basis: &Basis) -> Vec<InstanceRow> {
    records.into_iter().map(|record| row(record, basis)).collect()
}

fn row(record: InstanceRecord, basis: &Basis) -> InstanceRow {
    let blind = basis.is_blind(record.cluster_id);
    let state = effective(&record.state, blind).to_owned();
    InstanceRow {
        id: record.instance_id,
        namespace: record.namespace,
        guid: record.guid,
        cluster: basis.cluster_name(record.cluster_id),
        lab: record.lab,
        mapping: match (&record.lab_code, &record.catalog_item, &record.suffix) {
            (Some(_), ..) => Mapping::LabCode,
            (None, None, None) => Mapping::None,
            _ => Mapping::Catalog,
        },
        catalog_item: record.catalog_item,
        kind: record.kind,
        intent: record.intent,
        phase: record.phase,
        last_known_state: (state != record.state).then_some(record.state),
        state,
        failing_stage: record.worst_stage,
        failure_class: record.failure_class,
        sub_class: record.sub_class,
        onset_at: record.failing_since,
        created_at: record.created_at,
        changed_at: record.changed_at,
        observed_at: basis.cluster(record.cluster_id).and_then(ClusterSource::observed_at),
        version: record.version,
    }
}

/// Every stage of a subject, in pipeline order. What a `blind` cluster's stages say is no longer known.
pub(super) async fn stages(db: &PgPool, subject_id: Uuid, blind: bool) -> Result<Vec<StageRow>, ApiError> {
    let records = sqlx::query!(
        "-- instances::stages
        select stage, observed, reason, confirmed, failure_class, sub_class, since, unknown_since, flapping_until, incident_id,
               recommended_action, message, criteria, rubric_version, observed_at
        from stage_state where subject_id = $1",
        subject_id
    )
    .fetch_all(db)
    .await?;
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let criteria = serde_json::from_value(record.criteria).map_err(|source| ApiError::Document {
            what: format!("the criteria of {} of {subject_id}", record.stage),
            source,
        })?;
        let withheld = blind && record.observed != "skipped";
        rows.push(StageRow {
            order: Stage::parse(&record.stage)
                .and_then(|stage| Stage::ALL.iter().position(|&one| one == stage))
                .map(|i| i + 1),
            stage: record.stage,
            outcome: if withheld { "indeterminate".to_owned() } else { record.observed },
            reason: if withheld { Some("stale".to_owned()) } else { record.reason },
            confirmed: record.confirmed,
            since: record.since,
            unknown_since: record.unknown_since,
            failure_class: record.failure_class,
            sub_class: record.sub_class,
            recommended_action: record.recommended_action,
            message: record.message,
            criteria,
            incident_id: record.incident_id,
            flapping_until: record.flapping_until,
            rubric_version: record.rubric_version,
            observed_at: record.observed_at,
        });
    }
    rows.sort_by_key(|row| row.order.unwrap_or(usize::MAX));
    Ok(rows)
}
