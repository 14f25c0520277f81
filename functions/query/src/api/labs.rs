//! Labs: what people ordered, and how their instances stand.

pub mod facets;

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use stargate_common::provisioning::session_readiness::Phase;
use stargate_common::sources::SourceName;
use stargate_common::stage::Stage;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::clusters::{ClassCount, top_classes};
use super::instances::{InstanceState, Mapping};
use super::overview::UNMAPPED;
use super::sessions::{self, SessionVerdict};
use crate::QueryState;
use crate::answer::{Ask, List, One, Scope};
use crate::basis::Basis;
use crate::counts::{Counts, Outcomes, effective};
use crate::fleet::{Fleet, InstanceCount};
use crate::page::{Key, Sort, short};
use crate::params::{Limit, Needle, NoParams, StageName, words};
use crate::problem::ApiError;
use crate::supply::Supply;

/// A lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LabRow {
    /// Its code; without one, what was ordered or what its namespaces are named for; `unmapped` for instances of none.
    #[schema(example = "LB0001")]
    pub code: String,
    /// Its title in the schedule.
    pub title: Option<String>,
    /// The session that runs, or comes next.
    pub next_session: Option<NextSession>,
    /// Its newest smoke run.
    pub smoke: Option<SmokeResult>,
    /// How its instances were joined to it.
    pub mapping: Mapping,
    /// Clusters that carry it.
    pub clusters: Vec<String>,
    /// Its instances.
    pub instances: Counts,
    /// The stage at which most of its failing instances fail.
    #[schema(value_type = Option<StageName>)]
    pub worst_stage: Option<String>,
    /// What most of its failing instances fail with.
    #[schema(example = "image_pull_backoff")]
    pub top_class: Option<String>,
    /// Since when the longest failing of its instances fails.
    pub failing_since: Option<DateTime<Utc>>,
    /// Open incidents of its instances.
    #[schema(minimum = 0)]
    pub open_incidents: i64,
}

/// When a lab is given next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextSession {
    /// When it begins; null while no time is set.
    pub starts_at: Option<DateTime<Utc>>,
    /// Where.
    pub room: Option<String>,
    /// How many come.
    pub attendees: Option<i64>,
    /// Whether it is ready: `ready`, `at_risk`, `not_ready`, `unknown`.
    #[schema(value_type = Option<SessionVerdict>)]
    pub verdict: Option<String>,
}

/// What a smoke run came to. Its system does not say when it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SmokeResult {
    /// Its status, as received: `completed` means that it ran.
    pub status: String,
    /// Simulated learners that were sent.
    pub total: Option<i64>,
    /// Those that came to the end.
    pub completed: Option<i64>,
    /// Those that failed.
    pub failed: Option<i64>,
}

/// Instances of a lab on a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LabCluster {
    /// The cluster.
    pub cluster: String,
    /// The lab's instances on it.
    pub instances: Counts,
}

/// A lab in detail.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabDetail {
    /// As in the list.
    #[serde(flatten)]
    pub row: LabRow,
    /// What was ordered.
    pub catalog_items: Vec<String>,
    /// Its instances by cluster.
    pub by_cluster: Vec<LabCluster>,
    /// What its failing instances fail with, most first, at most 10.
    pub top_classes: Vec<ClassCount>,
}

/// A stage of a lab's pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PipelineStage {
    /// The stage.
    #[schema(value_type = StageName)]
    pub stage: String,
    /// Its place in the pipeline, from 1.
    #[schema(minimum = 1, maximum = 11)]
    pub order: usize,
    /// Whether it applies to any instance of the lab. `cluster-health` is judged per cluster, not here.
    pub applicable: bool,
    /// Its outcomes.
    pub outcomes: Outcomes,
    /// Failing share of what is known; null when nothing is.
    #[schema(minimum = 0, maximum = 1)]
    pub share_failing: Option<f64>,
    /// Instances that fail at it, longest first, at most 5.
    pub worst: Vec<WorstInstance>,
}

/// An instance that fails at a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorstInstance {
    /// The instance.
    pub id: Uuid,
    /// Its namespace.
    pub namespace: String,
    /// Its cluster.
    pub cluster: String,
    /// The failure class it fails with.
    pub class: Option<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// One line for people.
    pub message: String,
}

words! {
    /// Which labs.
    LabHealth {
        /// Those with something that fails, warns or is not known.
        Issues = "issues",
        /// All.
        All = "all",
    }
}

/// What the list of labs can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the field of that name")]
pub enum LabField {
    Code,
    Failing,
    Unknown,
    Instances,
    FailingSince,
    OpenIncidents,
}

/// Parameters of the list of labs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LabParams {
    /// Count only instances on these clusters.
    pub cluster: Vec<String>,
    /// Only labs with an instance in one of these states.
    #[param(inline)]
    pub state: Vec<InstanceState>,
    /// Only labs with an instance that fails first at one of these stages.
    #[param(inline)]
    pub stage: Vec<StageName>,
    /// Only labs with an instance that fails with one of these classes.
    pub class: Vec<String>,
    /// Only labs with issues, or all.
    #[param(inline)]
    pub health: LabHealth,
    /// Only labs whose code or title contains this, in any case.
    #[param(inline)]
    pub q: Option<Needle>,
    /// Fields, each with `-` for descending: code, failing, unknown, instances, failing_since, open_incidents.
    #[param(value_type = String, example = "-failing,code")]
    pub sort: Sort<LabField>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for LabParams {
    fn default() -> Self {
        Self {
            cluster: Vec::new(),
            state: Vec::new(),
            stage: Vec::new(),
            class: Vec::new(),
            health: LabHealth::All,
            q: None,
            sort: Sort::descending(LabField::Failing),
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// Labs.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/labs", operation_id = "listLabs", tag = "labs", params(LabParams),
    responses((status = 200, description = "Labs", body = List<LabRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<LabParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let wanted = ask.page(params.limit, params.cursor.as_deref())?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&params.cluster)?;
    ask.list(&basis, clusters.as_deref().into(), async || {
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let supply = app.supply.get(&mut db, &basis).await?;
        let plans = Plans::of(&supply, &fleet, &basis);
        let rows = selected(params, &fleet, &basis, clusters.as_deref(), &plans);
        let rows = rows.into_iter().map(|(row, _)| row).collect();
        Ok(short(rows, &params.sort, &wanted, key, |row| row.code.clone()))
    })
    .await
}

impl LabRow {
    /// Whether anything of it fails, warns or is not known.
    const fn has_issues(&self) -> bool {
        self.instances.failing + self.instances.warning + self.instances.unknown > 0
    }
}

/// The labs that the parameters ask for, each with what it is counted from.
fn selected<'a>(
    params: &LabParams,
    fleet: &'a Fleet,
    basis: &Basis,
    clusters: Option<&[Uuid]>,
    plans: &Plans<'_>,
) -> Vec<(LabRow, Vec<&'a InstanceCount>)> {
    let wanted = |count: &&InstanceCount| clusters.is_none_or(|wanted| wanted.contains(&count.cluster_id));
    by_lab(fleet)
        .map(|counts| counts.iter().filter(wanted).collect::<Vec<_>>())
        .filter(|counts| !counts.is_empty() && matches(params, counts, plans, basis))
        .filter_map(|counts| Some((row(&counts, fleet, basis, clusters, plans)?, counts)))
        .filter(|(row, _)| params.health == LabHealth::All || row.has_issues())
        .collect()
}

/// Whether these instances are known to fail: nobody knows it of a cluster that was not read.
fn known_to_fail(count: &InstanceCount, basis: &Basis) -> bool {
    count.state == "failing" && !basis.is_blind(count.cluster_id)
}

/// What is planned for labs, as far as that is known.
struct Plans<'a> {
    supply: &'a Supply,
    next: BTreeMap<&'a str, NextSession>,
    smoke_is_known: bool,
}

impl<'a> Plans<'a> {
    fn of(supply: &'a Supply, fleet: &Fleet, basis: &Basis) -> Self {
        let mut next: BTreeMap<&str, (Phase, Option<DateTime<Utc>>, NextSession)> = BTreeMap::new();
        let known = basis.known(&[SourceName::Labagator]).is_ok();
        for one in sessions::judged(supply, fleet, basis).into_iter().filter(|_| known) {
            let (phase, starts_at) = (one.readiness.phase, one.session.starts_at);
            let earlier = |(phase_, at, _): &(Phase, Option<DateTime<Utc>>, NextSession)| (*phase_, *at) <= (phase, starts_at);
            if !phase.is_ahead() || next.get(one.session.lab_code.as_str()).is_some_and(earlier) {
                continue;
            }
            let session = NextSession {
                starts_at,
                room: (!one.session.room.is_empty()).then(|| one.session.room.clone()),
                attendees: one.session.attendees,
                verdict: one.readiness.verdict.map(|verdict| verdict.as_str().to_owned()),
            };
            next.insert(one.session.lab_code.as_str(), (phase, starts_at, session));
        }
        Self {
            supply,
            next: next.into_iter().map(|(code, (_, _, session))| (code, session)).collect(),
            smoke_is_known: basis.known(&[SourceName::Demolition]).is_ok(),
        }
    }

    fn title(&self, code: &str) -> Option<String> {
        let title = &self.supply.labs.get(code)?.title;
        (!title.is_empty()).then(|| title.clone())
    }

    fn smoke(&self, code: &str) -> Option<SmokeResult> {
        let run = self.supply.smoke.get(code).filter(|_| self.smoke_is_known)?;
        Some(SmokeResult {
            status: run.status.clone(),
            total: run.total,
            completed: run.completed,
            failed: run.failed,
        })
    }
}

/// The rollup in runs of one lab each; it is sorted by lab.
fn by_lab(fleet: &Fleet) -> impl Iterator<Item = &[InstanceCount]> {
    fleet.instances.chunk_by(|a, b| a.lab == b.lab)
}

/// Whether the lab has what the filters ask for; different filters may be met by different instances.
fn matches(params: &LabParams, counts: &[&InstanceCount], plans: &Plans<'_>, basis: &Basis) -> bool {
    let any = |wanted: &dyn Fn(&InstanceCount) -> bool| counts.iter().any(|count| count.instances > 0 && wanted(count));
    let known_to_fail = |count: &InstanceCount| known_to_fail(count, basis);
    (params.state.is_empty()
        || any(&|count| {
            let state = effective(&count.state, basis.is_blind(count.cluster_id));
            params.state.iter().any(|wanted| wanted.as_str() == state)
        }))
        && (params.stage.is_empty()
            || any(&|count| known_to_fail(count) && params.stage.iter().any(|StageName(stage)| stage.as_str() == count.stage)))
        && (params.class.is_empty() || any(&|count| known_to_fail(count) && params.class.contains(&count.failure_class)))
        && params.q.as_ref().is_none_or(|q| {
            counts.first().is_some_and(|count| {
                let title = plans.title(&count.lab).unwrap_or_default();
                [&count.lab, &title]
                    .into_iter()
                    .any(|text| text.to_lowercase().contains(q.as_str()))
            })
        })
}

fn key(row: &LabRow, field: LabField) -> Key {
    match field {
        LabField::Code => Key::text(Some(&row.code)),
        LabField::Failing => Key::number(Some(row.instances.failing)),
        LabField::Unknown => Key::number(Some(row.instances.unknown)),
        LabField::Instances => Key::number(Some(row.instances.total)),
        LabField::FailingSince => Key::time(row.failing_since),
        LabField::OpenIncidents => Key::number(Some(row.open_incidents)),
    }
}

/// The row of the lab of these counts; `None` when it has no live instance.
fn row(counts: &[&InstanceCount], fleet: &Fleet, basis: &Basis, clusters: Option<&[Uuid]>, plans: &Plans<'_>) -> Option<LabRow> {
    let code = counts.first()?.lab.clone();
    let (mut instances, mut names, mut stages, mut classes) = (Counts::default(), BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
    let mut failing_since = None;
    for count in counts {
        let blind = basis.is_blind(count.cluster_id);
        instances.add(&count.state, count.instances.into(), blind);
        names.insert(basis.cluster_name(count.cluster_id));
        if count.state == "failing" && !blind {
            *stages.entry(count.stage.as_str()).or_insert(0) += count.instances;
            *classes.entry(count.failure_class.as_str()).or_insert(0) += count.instances;
            failing_since = failing_since.into_iter().chain(count.oldest_failing_since).min();
        }
    }
    let open = fleet.open.iter().filter(|open| open.lab.as_deref() == Some(code.as_str()));
    let open = open.filter(|open| clusters.is_none_or(|wanted| open.cluster_id.is_some_and(|id| wanted.contains(&id))));
    let open_incidents = open.map(|open| open.incidents).sum();
    (instances.total > 0).then(|| LabRow {
        title: plans.title(&code),
        next_session: plans.next.get(code.as_str()).cloned(),
        smoke: plans.smoke(&code),
        mapping: if fleet.coded.contains(&code) {
            Mapping::LabCode
        } else if code == UNMAPPED {
            Mapping::None
        } else {
            Mapping::Catalog
        },
        clusters: names.into_iter().collect(),
        instances,
        worst_stage: most(&stages),
        top_class: most(&classes),
        failing_since,
        open_incidents,
        code,
    })
}

/// The word with the highest count; of equals the first in the alphabet.
fn most(counts: &BTreeMap<&str, i32>) -> Option<String> {
    let named = counts.iter().filter(|(word, _)| !word.is_empty());
    named
        .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)))
        .map(|(word, _)| (*word).to_owned())
}

fn of_lab<'a>(fleet: &'a Fleet, code: &str) -> Vec<&'a InstanceCount> {
    let from = fleet.instances.partition_point(|count| count.lab.as_str() < code);
    fleet.instances[from..].iter().take_while(|count| count.lab == code).collect()
}

fn not_found(code: &str) -> ApiError {
    ApiError::NotFound {
        what: "lab with live instances",
        name: code.to_owned(),
    }
}

/// One lab.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/labs/{code}", operation_id = "getLab", tag = "labs",
    params(("code" = String, Path, description = "Code of the lab")),
    responses((status = 200, description = "The lab", body = One<LabDetail>)))]
pub async fn get(State(app): State<QueryState>, Path(code): Path<String>, ask: Ask<NoParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    ask.one(&basis, Scope::Fleet, async || {
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let supply = app.supply.get(&mut db, &basis).await?;
        let plans = Plans::of(&supply, &fleet, &basis);
        let counts = of_lab(&fleet, &code);
        let mut by_cluster = BTreeMap::<String, Counts>::new();
        for count in &counts {
            let instances = by_cluster.entry(basis.cluster_name(count.cluster_id)).or_default();
            instances.add(&count.state, count.instances.into(), basis.is_blind(count.cluster_id));
        }
        Ok(LabDetail {
            row: row(&counts, &fleet, &basis, None, &plans).ok_or_else(|| not_found(&code))?,
            catalog_items: catalog_items(&mut db, &code).await?,
            by_cluster: by_cluster
                .into_iter()
                .map(|(cluster, instances)| LabCluster { cluster, instances })
                .collect(),
            top_classes: top_classes(&fleet, &basis, |count| count.lab == code),
        })
    })
    .await
}

async fn catalog_items(db: &mut PgConnection, lab: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"-- labs::catalog_items
        select distinct catalog_item as "catalog_item!" from instances
        where deleted_at is null and lab = $1 and catalog_item is not null order by 1"#,
        lab
    )
    .fetch_all(db)
    .await
}

/// Parameters of a lab's pipeline.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PipelineParams {
    /// Count only instances on these clusters.
    pub cluster: Vec<String>,
}

/// The eleven stages of a lab, with who fails at each.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/labs/{code}/pipeline", operation_id = "getLabPipeline", tag = "labs",
    params(("code" = String, Path, description = "Code of the lab"), PipelineParams),
    responses((status = 200, description = "The stages in pipeline order", body = One<Vec<PipelineStage>>)))]
pub async fn pipeline(State(app): State<QueryState>, Path(code): Path<String>, ask: Ask<PipelineParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&ask.params.cluster)?;
    ask.one(&basis, clusters.as_deref().into(), async || {
        let fleet = app.fleet.get(&mut db, &basis).await?;
        if of_lab(&fleet, &code).is_empty() {
            return Err(not_found(&code));
        }
        let ids: Vec<Uuid> = clusters
            .clone()
            .unwrap_or_else(|| basis.clusters.iter().map(|cluster| cluster.cluster_id).collect());
        let mut outcomes = outcomes(&mut db, &code, &ids, &basis).await?;
        let mut worst = worst(&mut db, &code, &ids, &basis).await?;
        let stage = |(i, stage): (usize, Stage)| {
            let outcomes = outcomes.remove(stage.as_str()).unwrap_or_default();
            PipelineStage {
                stage: stage.as_str().to_owned(),
                order: i + 1,
                applicable: outcomes.pass + outcomes.warn + outcomes.fail + outcomes.indeterminate > 0,
                share_failing: outcomes.health_rate().map(|rate| 1.0 - rate),
                outcomes,
                worst: worst.remove(stage.as_str()).unwrap_or_default(),
            }
        };
        Ok(Stage::ALL.into_iter().enumerate().map(stage).collect::<Vec<_>>())
    })
    .await
}

async fn outcomes(db: &mut PgConnection, lab: &str, clusters: &[Uuid], basis: &Basis) -> Result<BTreeMap<String, Outcomes>, sqlx::Error> {
    let counts = sqlx::query!(
        "-- labs::outcomes
        select cluster_id, stage, outcome, instances from stage_rollup where cluster_id = any($2) and lab = $1",
        lab,
        clusters
    )
    .fetch_all(db)
    .await?;
    let mut outcomes = BTreeMap::<String, Outcomes>::new();
    for count in counts {
        let stage = outcomes.entry(count.stage).or_default();
        stage.add(&count.outcome, count.instances.into(), basis.is_blind(count.cluster_id));
    }
    Ok(outcomes)
}

async fn worst(
    db: &mut PgConnection,
    lab: &str,
    clusters: &[Uuid],
    basis: &Basis,
) -> Result<BTreeMap<String, Vec<WorstInstance>>, sqlx::Error> {
    let seen: Vec<Uuid> = clusters.iter().copied().filter(|&id| !basis.is_blind(id)).collect();
    let rows = sqlx::query!(
        r#"-- labs::worst
        select stage as "stage!", instance_id as "instance_id!", namespace as "namespace!", cluster_id as "cluster_id!", failure_class, since,
               message as "message!"
        from (
            select s.stage, i.instance_id, i.namespace, i.cluster_id, s.failure_class, s.since, s.message,
                   row_number() over (partition by s.stage order by s.since nulls last, i.namespace, i.instance_id) as place
            from instances i join stage_state s on s.subject_id = i.instance_id
            where i.deleted_at is null and i.lab = $1 and i.cluster_id = any($2) and s.observed = 'fail'
        ) failing
        where place <= 5
        order by stage, place"#,
        lab,
        &seen
    )
    .fetch_all(db)
    .await?;
    let mut worst = BTreeMap::<String, Vec<WorstInstance>>::new();
    for row in rows {
        worst.entry(row.stage).or_default().push(WorstInstance {
            id: row.instance_id,
            namespace: row.namespace,
            cluster: basis.cluster_name(row.cluster_id),
            class: row.failure_class,
            since: row.since,
            message: row.message,
        });
    }
    Ok(worst)
}

/// Codes of labs with live instances that contain `needle`, in any case, with their failing instances.
pub(super) fn matching<'a>(fleet: &'a Fleet, needle: &str, basis: &Basis) -> Vec<(&'a str, Counts)> {
    let mut found = Vec::new();
    for counts in by_lab(fleet) {
        let Some(first) = counts.first().filter(|first| first.lab.to_lowercase().contains(needle)) else {
            continue;
        };
        let mut instances = Counts::default();
        for count in counts {
            instances.add(&count.state, count.instances.into(), basis.is_blind(count.cluster_id));
        }
        if instances.total > 0 {
            found.push((first.lab.as_str(), instances));
        }
    }
    found
}
