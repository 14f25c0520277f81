//! Clusters: whether each can carry labs, how full it is, how old that knowledge is.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stargate_common::stage::Stage;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::QueryState;
use crate::answer::{Ask, List, One, Scope};
use crate::api::instances::stages::{self, StageRow};
use crate::basis::Basis;
use crate::counts::{Counts, Outcomes};
use crate::fleet::{ClusterFacts, Fleet, InstanceCount};
use crate::page::{Key, Sort, short};
use crate::params::{Limit, Needle, NoParams, StageName};
use crate::problem::ApiError;
use crate::sources::{ClusterSource, KindReading, SourceState};
use crate::verdict::{Trouble, span};

/// Whether a cluster can carry labs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClusterStatus {
    /// It can.
    Healthy,
    /// It can, with something to look at.
    Warning,
    /// It cannot.
    Critical,
    /// Nobody knows.
    Unknown,
}

impl ClusterStatus {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

/// Nodes of a cluster; null where it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NodeCounts {
    /// All of them.
    pub total: Option<i64>,
    /// Of these, ready ones.
    pub ready: Option<i64>,
    /// Of these, nodes that take no new pods.
    pub unschedulable: Option<i64>,
}

/// A cluster.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ClusterRow {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[schema(example = "cnv-west-2")]
    pub name: String,
    /// Whether it can carry labs.
    pub status: ClusterStatus,
    /// Why it is not healthy.
    pub status_reasons: Vec<String>,
    /// Since when its health is what it is, as far as it was confirmed.
    pub status_since: Option<DateTime<Utc>>,
    /// How far what is shown can be relied on.
    pub source: SourceState,
    /// When namespaces and pods were last read completely.
    pub observed_at: Option<DateTime<Utc>>,
    /// Whether it is read at all.
    pub enabled: bool,
    /// Whether it is part of the demo fleet and exists only in this process.
    pub simulated: bool,
    /// Whether its API answered the newest attempt; null when nobody asked yet.
    pub api_reachable: Option<bool>,
    /// Its OpenShift version.
    pub openshift_version: Option<String>,
    /// Its nodes.
    pub nodes: NodeCounts,
    /// Virtual machines that run.
    pub vms: Option<i32>,
    /// Virtual machines per ready node.
    pub vms_per_node: Option<f64>,
    /// CPU in use, percent of the compute nodes.
    pub cpu_pct: Option<f32>,
    /// Memory in use, percent of the compute nodes.
    pub mem_pct: Option<f32>,
    /// Lab instances on it.
    pub instances: Counts,
    /// Raised with every change.
    pub version: i32,
}

/// A failure class and how many instances it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClassCount {
    /// The failure class.
    #[schema(example = "image_pull_backoff")]
    pub class: String,
    /// Instances that fail with it.
    #[schema(minimum = 1)]
    pub instances: i64,
}

/// Stage outcomes of the instances of a cluster or lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StageOutcomes {
    /// The stage.
    #[schema(value_type = StageName)]
    pub stage: String,
    /// Its outcomes.
    pub outcomes: Outcomes,
}

/// How the newest attempt to read a kind went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KindStatus {
    /// The kind.
    #[schema(example = "virtual-machine")]
    pub kind: String,
    /// How far it can be relied on.
    pub state: SourceState,
    /// Why the newest attempt is not the whole truth; null when it is.
    #[schema(example = "forbidden")]
    pub missing: Option<String>,
    /// What the API said; empty when all is well.
    pub detail: String,
    /// Objects in the newest complete list.
    pub items: Option<i32>,
    /// It should be read every so many seconds.
    pub interval_s: i32,
    /// When it was last tried.
    pub last_attempt_at: DateTime<Utc>,
    /// When it was last read completely.
    pub last_success_at: Option<DateTime<Utc>>,
}

/// A cluster with what its status rests on.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClusterDetail {
    /// As in the list.
    #[serde(flatten)]
    pub row: ClusterRow,
    /// The verdict of its `cluster-health` stage; null before the first.
    pub health: Option<StageRow>,
    /// Every kind that is read.
    pub kinds: Vec<KindStatus>,
    /// What its failing instances fail with, most first, at most 10.
    pub top_classes: Vec<ClassCount>,
    /// Stage outcomes of its instances.
    pub stages: Vec<StageOutcomes>,
}

/// What the list of clusters can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the field of that name")]
pub enum ClusterField {
    Name,
    Status,
    Vms,
    VmsPerNode,
    CpuPct,
    MemPct,
    Instances,
    Failing,
}

/// Parameters of the list of clusters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ClusterParams {
    /// Only these statuses.
    #[param(inline)]
    pub status: Vec<ClusterStatus>,
    /// Only clusters whose name contains this.
    #[param(inline)]
    pub q: Option<Needle>,
    /// Fields, each with `-` for descending: name, status, vms, vms_per_node, cpu_pct, mem_pct, instances, failing.
    #[param(value_type = String, example = "-failing,name")]
    pub sort: Sort<ClusterField>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for ClusterParams {
    fn default() -> Self {
        Self {
            status: Vec::new(),
            q: None,
            sort: Sort::ascending(ClusterField::Name),
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// Clusters of the fleet.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/clusters", operation_id = "listClusters", tag = "clusters", params(ClusterParams),
    responses((status = 200, description = "Clusters", body = List<ClusterRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<ClusterParams>) -> Result<Response, ApiError> {
    let ClusterParams {
        status,
        q,
        sort,
        limit,
        cursor,
    } = &ask.params;
    let wanted = ask.page(*limit, cursor.as_deref())?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    ask.list(&basis, Scope::Fleet, async || {
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let mut rows = rows(&fleet, &basis);
        rows.retain(|row| status.is_empty() || status.contains(&row.status));
        rows.retain(|row| q.as_ref().is_none_or(|q| row.name.contains(q.as_str())));
        Ok(short(rows, sort, &wanted, key, |row| row.name.clone()))
    })
    .await
}

fn key(row: &ClusterRow, field: ClusterField) -> Key {
    match field {
        ClusterField::Name => Key::text(Some(&row.name)),
        ClusterField::Status => Key::number(Some(match row.status {
            ClusterStatus::Healthy => 0,
            ClusterStatus::Warning => 1,
            ClusterStatus::Unknown => 2,
            ClusterStatus::Critical => 3,
        })),
        ClusterField::Vms => Key::number(row.vms.map(i64::from)),
        ClusterField::VmsPerNode => Key::measure(row.vms_per_node),
        ClusterField::CpuPct => Key::measure(row.cpu_pct.map(f64::from)),
        ClusterField::MemPct => Key::measure(row.mem_pct.map(f64::from)),
        ClusterField::Instances => Key::number(Some(row.instances.total)),
        ClusterField::Failing => Key::number(Some(row.instances.failing)),
    }
}

/// One cluster: its verdict with every criterion, what is read of it, what its instances fail with.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/clusters/{name}", operation_id = "getCluster", tag = "clusters",
    params(("name" = String, Path, description = "Name of the cluster")),
    responses((status = 200, description = "The cluster", body = One<ClusterDetail>)))]
pub async fn get(State(app): State<QueryState>, Path(name): Path<String>, ask: Ask<NoParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let source = basis.cluster_named(&name)?;
    let id = source.cluster_id;
    ask.one(&basis, Scope::Clusters(&[id]), async || {
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let row = rows(&fleet, &basis).into_iter().find(|row| row.id == id);
        let health = stages::of_subject(&mut db, id, basis.is_blind(id)).await?;
        Ok(ClusterDetail {
            row: row.ok_or(ApiError::NotFound { what: "cluster", name })?,
            health: health.into_iter().next(),
            kinds: source.kinds.iter().map(|kind| kind_status(kind, ask.now)).collect(),
            top_classes: top_classes(&fleet, &basis, |count| count.cluster_id == id),
            stages: stage_outcomes(&fleet, &basis, |one| one == id),
        })
    })
    .await
}

fn kind_status(kind: &KindReading, now: DateTime<Utc>) -> KindStatus {
    KindStatus {
        kind: kind.kind.clone(),
        state: kind.state(now),
        missing: kind.missing.clone(),
        detail: kind.detail.clone(),
        items: kind.items,
        interval_s: kind.interval_s,
        last_attempt_at: kind.last_attempt_at,
        last_success_at: kind.last_success_at,
    }
}

/// Every cluster of the fleet, by name.
#[must_use]
pub fn rows(fleet: &Fleet, basis: &Basis) -> Vec<ClusterRow> {
    fleet.clusters.iter().map(|facts| row(facts, fleet, basis)).collect()
}

fn row(facts: &ClusterFacts, fleet: &Fleet, basis: &Basis) -> ClusterRow {
    let source = basis.cluster(facts.cluster_id);
    let state = source.map_or(SourceState::Never, |source| source.state(basis.now));
    let observed_at = source.and_then(ClusterSource::observed_at);
    let mut instances = Counts::default();
    for count in fleet.instances.iter().filter(|count| count.cluster_id == facts.cluster_id) {
        instances.add(&count.state, count.instances.into(), state.is_blind());
    }
    let nodes: NodeCounts = serde_json::from_value(facts.nodes.clone()).unwrap_or_default();
    let (status, status_reasons) = status(facts, state, observed_at.map(|at| (basis.now - at).num_seconds()));
    #[expect(clippy::cast_precision_loss, reason = "clusters have fewer than 2^52 nodes")]
    let vms_per_node = match (facts.vms, nodes.ready) {
        (Some(vms), Some(ready)) if ready > 0 => Some(f64::from(vms) / ready as f64),
        _ => None,
    };
    ClusterRow {
        id: facts.cluster_id,
        name: facts.name.clone(),
        status,
        status_reasons,
        status_since: facts.health_since,
        source: state,
        observed_at,
        enabled: facts.enabled,
        simulated: facts.simulated,
        api_reachable: facts.api_reachable,
        openshift_version: facts.openshift_version.clone(),
        nodes,
        vms: facts.vms,
        vms_per_node,
        cpu_pct: facts.cpu_pct,
        mem_pct: facts.mem_pct,
        instances,
        version: facts.version,
    }
}

/// The status is the `cluster-health` rubric's verdict, unless the cluster cannot be seen at all.
fn status(facts: &ClusterFacts, source: SourceState, age_s: Option<i64>) -> (ClusterStatus, Vec<String>) {
    if source == SourceState::Disabled {
        return (ClusterStatus::Unknown, vec!["switched off: it is not read".to_owned()]);
    }
    if facts.api_reachable == Some(false) {
        let reason = if facts.api_detail.is_empty() {
            "its API does not answer".to_owned()
        } else {
            format!("its API does not answer: {}", facts.api_detail)
        };
        return (ClusterStatus::Critical, vec![reason]);
    }
    match (source, age_s) {
        (SourceState::Never, _) => return (ClusterStatus::Unknown, vec!["it was never read".to_owned()]),
        (SourceState::Stale, Some(age_s)) => return (ClusterStatus::Unknown, vec![format!("it was not read for {}", span(age_s))]),
        _ => {}
    }
    let reasons = || {
        let texts = [&facts.health_class, &facts.health_message];
        let texts: Vec<&str> = texts
            .into_iter()
            .flatten()
            .map(String::as_str)
            .filter(|text| !text.is_empty())
            .collect();
        if texts.is_empty() { Vec::new() } else { vec![texts.join(": ")] }
    };
    match facts.health.as_deref() {
        Some("pass") => (ClusterStatus::Healthy, Vec::new()),
        Some("warn") => (ClusterStatus::Warning, reasons()),
        Some("fail") => (ClusterStatus::Critical, reasons()),
        Some(_) => (ClusterStatus::Unknown, reasons()),
        None => (ClusterStatus::Unknown, vec!["it was not judged yet".to_owned()]),
    }
}

/// What is wrong with the clusters of a fleet, by name.
#[must_use]
pub fn troubles(rows: &[ClusterRow], basis: &Basis) -> Vec<(String, Trouble)> {
    let trouble = |row: &ClusterRow| {
        let age_s = row.observed_at.map(|at| (basis.now - at).num_seconds());
        Some(match (row.enabled, row.api_reachable, row.source) {
            (false, ..) => return None,
            (_, Some(false), _) => Trouble::Unreachable(age_s),
            (_, _, SourceState::Never) => Trouble::NeverRead,
            (_, _, SourceState::Stale) => Trouble::Stale(age_s.unwrap_or_default()),
            _ if row.status == ClusterStatus::Critical => Trouble::Critical,
            _ => return None,
        })
    };
    rows.iter()
        .filter_map(|row| trouble(row).map(|trouble| (row.name.clone(), trouble)))
        .collect()
}

/// What failing instances fail with, most first, at most 10.
#[must_use]
pub fn top_classes(fleet: &Fleet, basis: &Basis, wanted: impl Fn(&InstanceCount) -> bool) -> Vec<ClassCount> {
    let mut classes = class_counts(fleet, basis, wanted);
    classes.truncate(10);
    classes
}

/// What failing instances fail with, most first.
#[must_use]
pub fn class_counts(fleet: &Fleet, basis: &Basis, wanted: impl Fn(&InstanceCount) -> bool) -> Vec<ClassCount> {
    let mut counts = BTreeMap::<&str, i64>::new();
    for count in fleet.instances.iter().filter(|count| wanted(count)) {
        if count.state == "failing" && !count.failure_class.is_empty() && !basis.is_blind(count.cluster_id) {
            *counts.entry(&count.failure_class).or_default() += i64::from(count.instances);
        }
    }
    let mut classes: Vec<_> = counts
        .into_iter()
        .map(|(class, instances)| ClassCount {
            class: class.to_owned(),
            instances,
        })
        .collect();
    classes.sort_by(|a, b| b.instances.cmp(&a.instances).then_with(|| a.class.cmp(&b.class)));
    classes
}

/// Outcomes of every stage in pipeline order.
#[must_use]
pub fn stage_outcomes(fleet: &Fleet, basis: &Basis, wanted: impl Fn(Uuid) -> bool) -> Vec<StageOutcomes> {
    let of = |stage: Stage| {
        let mut outcomes = Outcomes::default();
        let counts = fleet.stages.iter().filter(|count| count.stage == stage.as_str());
        for count in counts.filter(|count| wanted(count.cluster_id)) {
            outcomes.add(&count.outcome, count.instances, basis.is_blind(count.cluster_id));
        }
        StageOutcomes {
            stage: stage.as_str().to_owned(),
            outcomes,
        }
    };
    Stage::ALL.into_iter().map(of).collect()
}
