//! What StarGate knows: the stages of the pipeline and the failure classes, each with how the fleet stands there now.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use stargate_common::stage::Stage;
use utoipa::{IntoParams, ToSchema};

use super::clusters;
use crate::QueryState;
use crate::answer::{Ask, List, One, Scope};
use crate::basis::Basis;
use crate::counts::Outcomes;
use crate::fleet::Fleet;
use crate::knowledge::{ClassInfo, CriterionInfo, Knowledge};
use crate::page::{Key, Sort, short};
use crate::params::{Limit, Needle, NoParams, StageName};
use crate::problem::ApiError;
use crate::words::Grade;

/// A stage of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StageInfoRow {
    /// Its name.
    #[schema(value_type = StageName)]
    pub stage: String,
    /// Its place in the pipeline, from 1.
    #[schema(minimum = 1, maximum = 11)]
    pub order: usize,
    /// What it looks for, why that matters, when a fix is unsafe, where its numbers come from.
    pub summary: String,
    /// How long something may be on its way before it counts as failed, in seconds.
    pub timeout_s: Option<u32>,
    /// What it checks, in the rubric's order. A lab may add criteria of its own.
    pub criteria: Vec<CriterionInfoRow>,
    /// Outcomes over the fleet now. `cluster-health` counts clusters, every other stage instances.
    pub outcomes: Outcomes,
}

/// Something that a stage checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CriterionInfoRow {
    /// Its name, as in the criteria of an instance's stage.
    #[schema(example = "desired_replicas_ready")]
    pub name: String,
    /// `entry` or `exit`.
    #[schema(example = "exit")]
    pub role: String,
    /// Whether the outcome depends on it.
    pub required: bool,
    /// What is expected, in a sentence.
    #[schema(example = "Every controller that should run has all its replicas ready.")]
    pub description: String,
}

/// A failure class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClassRow {
    /// Its name.
    #[schema(example = "image_pull_backoff")]
    pub id: String,
    /// The stage whose rubric defines it; null for a class that this build does not know.
    #[schema(example = "deployment-ready")]
    pub stage: Option<String>,
    /// A few words.
    #[schema(example = "Image cannot be pulled")]
    pub title: String,
    /// What it means, usual causes, what to look at.
    pub description: String,
    /// How loud it is: `failure`, `warning`, `informational`. May grow.
    #[schema(value_type = Grade)]
    pub grade: String,
    /// What part of the platform it is about. May grow.
    #[schema(example = "workload")]
    pub area: String,
    /// From 1 (cosmetic) to 10 (nothing works); null for a class that this build does not know.
    #[schema(minimum = 1, maximum = 10)]
    pub severity: Option<u8>,
    /// What looks into it.
    pub recommended_action: Option<String>,
    /// That in a few words.
    #[schema(example = "Read why the image cannot be pulled")]
    pub action_title: Option<String>,
    /// What it looks at, and what to make of it.
    pub action_description: Option<String>,
    /// Instances that fail with it now.
    #[schema(minimum = 0)]
    pub instances: i64,
    /// Clusters they are on.
    pub clusters: Vec<String>,
    /// Labs they belong to.
    #[schema(minimum = 0)]
    pub labs: usize,
}

/// What the list of failure classes can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the field of that name")]
pub enum ClassField {
    Id,
    Severity,
    Instances,
}

/// Parameters of the list of failure classes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ClassParams {
    /// Only classes of these stages.
    #[param(inline)]
    pub stage: Vec<StageName>,
    /// Only classes that an instance fails with now.
    pub active: bool,
    /// Only classes whose id or title contains this, in any case.
    #[param(inline)]
    pub q: Option<Needle>,
    /// Fields, each with `-` for descending: id, severity, instances.
    #[param(value_type = String, example = "-instances,id")]
    pub sort: Sort<ClassField>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for ClassParams {
    fn default() -> Self {
        Self {
            stage: Vec::new(),
            active: false,
            q: None,
            sort: Sort::ascending(ClassField::Id),
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// The eleven stages in pipeline order.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/stages", operation_id = "listStages", tag = "knowledge",
    responses((status = 200, description = "Stages", body = One<Vec<StageInfoRow>>)))]
pub async fn stages(State(app): State<QueryState>, ask: Ask<NoParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    ask.one(&basis, Scope::Fleet, async || {
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let outcomes = clusters::stage_outcomes(&fleet, &basis, |_| true)
            .into_iter()
            .map(|stage| stage.outcomes);
        let row = |(i, (stage, mut outcomes)): (usize, (Stage, Outcomes))| {
            if stage == Stage::ClusterHealth {
                for cluster in &fleet.clusters {
                    outcomes.add(
                        cluster.health.as_deref().unwrap_or("indeterminate"),
                        1,
                        basis.is_blind(cluster.cluster_id),
                    );
                }
            }
            let info = app.knowledge.stages.iter().find(|info| info.stage == stage);
            StageInfoRow {
                stage: stage.as_str().to_owned(),
                order: i + 1,
                summary: info.map_or_else(String::new, |info| info.summary.clone()),
                timeout_s: info.and_then(|info| info.timeout_s),
                criteria: info.map_or_else(Vec::new, |info| info.criteria.iter().map(criterion).collect()),
                outcomes,
            }
        };
        Ok(Stage::ALL.into_iter().zip(outcomes).enumerate().map(row).collect::<Vec<_>>())
    })
    .await
}

/// Failure classes: those this build knows, and those that instances fail with.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/failure-classes", operation_id = "listFailureClasses", tag = "knowledge", params(ClassParams),
    responses((status = 200, description = "Failure classes", body = List<ClassRow>)))]
pub async fn classes(State(app): State<QueryState>, ask: Ask<ClassParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let wanted = ask.page(params.limit, params.cursor.as_deref())?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    ask.list(&basis, Scope::Fleet, async || {
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let mut rows = class_rows(&app.knowledge, &fleet, &basis);
        rows.retain(|row| {
            let stage = params.stage.is_empty()
                || params
                    .stage
                    .iter()
                    .any(|StageName(stage)| row.stage.as_deref() == Some(stage.as_str()));
            let active = !params.active || row.instances > 0;
            stage && active && params.q.as_ref().is_none_or(|q| mentions(row, q.as_str()))
        });
        let key = |row: &ClassRow, field| match field {
            ClassField::Id => Key::text(Some(&row.id)),
            ClassField::Severity => Key::number(row.severity.map(i64::from)),
            ClassField::Instances => Key::number(Some(row.instances)),
        };
        Ok(short(rows, &params.sort, &wanted, key, |row| row.id.clone()))
    })
    .await
}

/// One failure class.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/failure-classes/{id}", operation_id = "getFailureClass", tag = "knowledge",
    params(("id" = String, Path, description = "Name of the class")),
    responses((status = 200, description = "The failure class", body = One<ClassRow>)))]
pub async fn class(State(app): State<QueryState>, Path(id): Path<String>, ask: Ask<NoParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    ask.one(&basis, Scope::Fleet, async || {
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let row = class_rows(&app.knowledge, &fleet, &basis).into_iter().find(|row| row.id == id);
        row.ok_or(ApiError::NotFound {
            what: "failure class",
            name: id,
        })
    })
    .await
}

pub(super) fn mentions(row: &ClassRow, needle: &str) -> bool {
    row.id.contains(needle) || row.title.to_lowercase().contains(needle)
}

/// Every class that is known or seen, by name.
pub(super) fn class_rows(knowledge: &Knowledge, fleet: &Fleet, basis: &Basis) -> Vec<ClassRow> {
    let mut rows: Vec<ClassRow> = knowledge.classes.iter().map(known).collect();
    let mut seen: Vec<_> = fleet
        .instances
        .iter()
        .filter(|count| count.state == "failing" && !count.failure_class.is_empty() && !basis.is_blind(count.cluster_id))
        .collect();
    // Runs of one class each, and in them runs of one lab.
    seen.sort_by(|a, b| (&a.failure_class, &a.lab).cmp(&(&b.failure_class, &b.lab)));
    for counts in seen.chunk_by(|a, b| a.failure_class == b.failure_class) {
        let class = &counts[0].failure_class;
        let i = rows.iter().position(|row| row.id == *class).unwrap_or_else(|| {
            rows.push(unknown(class));
            rows.len() - 1
        });
        let row = &mut rows[i];
        row.instances = counts.iter().map(|count| i64::from(count.instances)).sum();
        row.labs = counts.chunk_by(|a, b| a.lab == b.lab).count();
        row.clusters = counts.iter().map(|count| basis.cluster_name(count.cluster_id)).collect();
        row.clusters.sort();
        row.clusters.dedup();
    }
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    rows
}

fn criterion(info: &CriterionInfo) -> CriterionInfoRow {
    CriterionInfoRow {
        name: info.name.clone(),
        role: if info.is_entry { "entry" } else { "exit" }.to_owned(),
        required: info.required,
        description: info.description.clone(),
    }
}

fn known(class: &ClassInfo) -> ClassRow {
    ClassRow {
        id: class.name.clone(),
        stage: Some(class.stage.as_str().to_owned()),
        title: class.title.clone(),
        description: class.description.clone(),
        grade: class.grade.clone(),
        area: class.area.clone(),
        severity: Some(class.severity),
        recommended_action: class.recommended_action.as_ref().map(|action| action.id.clone()),
        action_title: class.recommended_action.as_ref().map(|action| action.title.clone()),
        action_description: class.recommended_action.as_ref().map(|action| action.description.clone()),
        instances: 0,
        clusters: Vec::new(),
        labs: 0,
    }
}

/// A class that a newer or older build wrote.
fn unknown(class: &str) -> ClassRow {
    ClassRow {
        id: class.to_owned(),
        stage: None,
        title: class.to_owned(),
        description: "The rubrics of this build do not define it.".to_owned(),
        grade: "failure".to_owned(),
        area: "unknown".to_owned(),
        severity: None,
        recommended_action: None,
        action_title: None,
        action_description: None,
        instances: 0,
        clusters: Vec::new(),
        labs: 0,
    }
}
