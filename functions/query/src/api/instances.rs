//! Instances: one attendee's environment each, with every stage it was judged by.

pub mod facets;
pub mod stages;
mod store;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use self::stages::StageRow;
pub(super) use self::store::find;
use self::store::{Filter, InstanceRecord, by_age, by_change, by_namespace, by_onset};
use super::incidents::{self, IncidentRow};
use super::transitions::{self, TransitionRow};
use super::{any_of, any_word};
use crate::QueryState;
use crate::answer::{Ask, List, One, Scope};
use crate::basis::Basis;
use crate::counts::effective;
use crate::page::Wanted;
use crate::params::{Limit, Needle, NoParams, StageName, words};
use crate::problem::ApiError;
use crate::words::Intent;

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
        /// No longer there. Shown only when asked for.
        Gone = "gone",
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
    /// The lab it belongs to: its lab code, else what was ordered, else what the namespace is named for, else `unmapped`.
    #[schema(example = "netbasics")]
    pub lab: String,
    /// Its lab code.
    #[schema(example = "LB0001")]
    pub lab_code: Option<String>,
    /// How it was joined to its lab.
    pub mapping: Mapping,
    /// What was ordered.
    pub catalog_item: Option<String>,
    /// What kind of lab it is.
    #[schema(value_type = KindName)]
    pub kind: String,
    /// What it should do: `started`, `stopped`, `unknown`.
    #[schema(value_type = Intent)]
    pub intent: String,
    /// Where it is on the way: `provisioning`, `started`, ….
    pub phase: String,
    /// Where it stands: `provisioning`, `ready`, `warning`, `failing`, `stopped`, `terminating`, `unknown`. May grow.
    #[schema(value_type = InstanceState)]
    pub state: String,
    /// What it was when it was last seen, when that is too long ago to be shown as its state.
    #[schema(value_type = Option<InstanceState>)]
    pub last_known_state: Option<String>,
    /// The first stage that fails.
    #[schema(value_type = Option<StageName>)]
    pub failing_stage: Option<String>,
    /// The failure class it fails with.
    #[schema(example = "service_has_no_endpoints")]
    pub class: Option<String>,
    /// Finer label under the class.
    pub sub_class: Option<String>,
    /// Since when it fails.
    pub onset_at: Option<DateTime<Utc>>,
    /// When the namespace was created, or first seen when that is not known.
    pub created_at: DateTime<Utc>,
    /// When its state last changed.
    pub changed_at: DateTime<Utc>,
    /// How old the newest evidence is that it was judged by.
    pub last_evaluated_at: Option<DateTime<Utc>>,
    /// Raised with every change.
    pub version: i32,
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
    /// Oldest first.
    #[serde(rename = "created_at")]
    Created,
    /// Youngest first.
    #[serde(rename = "-created_at")]
    CreatedDescending,
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

/// The instances that these parameters ask for.
fn filter(params: &InstanceParams, basis: &Basis, clusters: Option<Vec<Uuid>>) -> Filter {
    Filter {
        labs: any_of(&params.lab),
        states: any_word(&params.state, InstanceState::as_str),
        gone: params.state.contains(&InstanceState::Gone),
        blind: basis.blind(),
        stages: any_word(&params.stage, |StageName(stage)| stage.as_str()),
        classes: any_of(&params.class),
        kinds: any_word(&params.kind, KindName::as_str),
        pattern: params.q.as_ref().map(Needle::prefix_pattern),
        clusters,
    }
}

/// Instances.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/instances", operation_id = "listInstances", tag = "instances", params(InstanceParams),
    responses((status = 200, description = "Instances", body = List<InstanceRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<InstanceParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&params.cluster)?;
    let filter = filter(params, &basis, clusters);
    let (sort, limit, cursor) = (params.sort, params.limit, params.cursor.as_deref());
    match sort {
        InstanceSort::Namespace | InstanceSort::NamespaceDescending => {
            let wanted: Wanted<(String, Uuid)> = ask.page(limit, cursor)?;
            ask.list(&basis, filter.clusters.as_deref().into(), async || {
                let records = by_namespace(&mut db, &filter, &wanted, sort == InstanceSort::NamespaceDescending).await?;
                let (records, page) = wanted.cut(records, |record| (record.namespace.clone(), record.instance_id));
                Ok((rows(records, &basis), page))
            })
            .await
        }
        InstanceSort::Changed | InstanceSort::ChangedDescending => {
            let wanted: Wanted<(DateTime<Utc>, Uuid)> = ask.page(limit, cursor)?;
            ask.list(&basis, filter.clusters.as_deref().into(), async || {
                let records = by_change(&mut db, &filter, &wanted, sort == InstanceSort::ChangedDescending).await?;
                let (records, page) = wanted.cut(records, |record| (record.changed_at, record.instance_id));
                Ok((rows(records, &basis), page))
            })
            .await
        }
        InstanceSort::Created | InstanceSort::CreatedDescending => {
            let wanted: Wanted<(DateTime<Utc>, Uuid)> = ask.page(limit, cursor)?;
            ask.list(&basis, filter.clusters.as_deref().into(), async || {
                let records = by_age(&mut db, &filter, &wanted, sort == InstanceSort::CreatedDescending).await?;
                let (records, page) = wanted.cut(records, |record| (record.created_at, record.instance_id));
                Ok((rows(records, &basis), page))
            })
            .await
        }
        InstanceSort::Onset | InstanceSort::OnsetDescending => {
            let wanted: Wanted<(Option<DateTime<Utc>>, Uuid)> = ask.page(limit, cursor)?;
            ask.list(&basis, filter.clusters.as_deref().into(), async || {
                let records = by_onset(&mut db, &filter, &wanted, sort == InstanceSort::OnsetDescending).await?;
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
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let record = find(&mut db, &id).await?;
    ask.one(&basis, Scope::Clusters(&[record.cluster_id]), async || {
        let id = record.instance_id;
        Ok(InstanceDetail {
            uid: record.uid.clone(),
            service_uuid: record.service_uuid.clone(),
            first_seen_at: record.first_seen_at,
            deleted_at: record.deleted_at,
            stages: stages::of_subject(&mut db, id, basis.is_blind(record.cluster_id)).await?,
            incidents: incidents::of_instance(&mut db, id, &basis).await?,
            transitions: transitions::of_instance(&mut db, id, &basis).await?,
            row: row(record, &basis),
        })
    })
    .await
}

/// Instances that are there now and whose namespace or guid matches, for the search box.
pub(super) async fn matching(db: &mut PgConnection, pattern: &str, limit: i64, basis: &Basis) -> Result<Vec<InstanceRow>, ApiError> {
    Ok(rows(store::matching(db, pattern, limit).await?, basis))
}

fn rows(records: Vec<InstanceRecord>, basis: &Basis) -> Vec<InstanceRow> {
    records.into_iter().map(|record| row(record, basis)).collect()
}

pub(super) fn row(record: InstanceRecord, basis: &Basis) -> InstanceRow {
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
        lab_code: record.lab_code,
        catalog_item: record.catalog_item,
        kind: record.kind,
        intent: record.intent,
        phase: record.phase,
        last_known_state: (state != record.state).then_some(record.state),
        state,
        failing_stage: record.worst_stage,
        class: record.failure_class,
        sub_class: record.sub_class,
        onset_at: record.failing_since,
        created_at: record.created_at,
        changed_at: record.changed_at,
        last_evaluated_at: basis.cluster(record.cluster_id).and_then(|cluster| cluster.evaluated_as_of),
        version: record.version,
    }
}
