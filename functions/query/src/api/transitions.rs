//! Transitions: confirmed changes of a stage's outcome.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{any_of, any_word};
use crate::QueryState;
use crate::answer::{Ask, List};
use crate::basis::Basis;
use crate::page::Wanted;
use crate::params::{Limit, Range, StageName, Window, window, words};
use crate::problem::ApiError;
use crate::words::OutcomeName;

words! {
    /// What a change means.
    TransitionDirection {
        /// The first confirmed result is a failure.
        InitialFail = "initial_fail",
        /// It failed.
        Degraded = "degraded",
        /// It no longer fails.
        Recovered = "recovered",
        /// It passes with something to look at.
        Softened = "softened",
        /// It passes again without.
        Cleared = "cleared",
    }
}

/// A confirmed change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TransitionRow {
    /// Its id.
    pub id: Uuid,
    /// When: the observation's time.
    pub at: DateTime<Utc>,
    /// Its cluster.
    #[schema(example = "cnv-west-2")]
    pub cluster: String,
    /// Its instance; null when the cluster itself changed.
    pub instance_id: Option<Uuid>,
    /// The namespace of the instance.
    pub namespace: Option<String>,
    /// The lab of the instance.
    pub lab: Option<String>,
    /// The stage that changed.
    #[schema(value_type = StageName)]
    pub stage: String,
    /// What the change means: `initial_fail`, `degraded`, `recovered`, `softened`, `cleared`. May grow.
    #[schema(value_type = TransitionDirection)]
    pub direction: String,
    /// The outcome before; null at first.
    #[schema(value_type = Option<OutcomeName>)]
    pub from_outcome: Option<String>,
    /// The outcome after.
    #[schema(value_type = OutcomeName)]
    pub to_outcome: String,
    /// The failure class before.
    pub from_class: Option<String>,
    /// The failure class after.
    pub to_class: Option<String>,
    /// The incident it belongs to.
    pub incident_id: Option<Uuid>,
}

words! {
    /// What the list of transitions can be sorted by.
    TransitionSort {
        /// Newest first.
        Newest = "-at",
        /// Oldest first.
        Oldest = "at",
    }
}

/// Parameters of the list of transitions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TransitionParams {
    /// Only on these clusters.
    pub cluster: Vec<String>,
    /// Only of these labs.
    pub lab: Vec<String>,
    /// Only of this instance.
    pub instance: Option<Uuid>,
    /// Only of these stages.
    #[param(inline)]
    pub stage: Vec<StageName>,
    /// Only these directions.
    #[param(inline)]
    pub direction: Vec<TransitionDirection>,
    /// Only to or from these failure classes.
    pub class: Vec<String>,
    /// Only in this span of time up to now.
    #[param(inline)]
    pub range: Option<Range>,
    /// Only at or after this time.
    pub from: Option<DateTime<Utc>>,
    /// Only before this time.
    pub to: Option<DateTime<Utc>>,
    /// The order.
    #[param(inline)]
    pub sort: TransitionSort,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for TransitionParams {
    fn default() -> Self {
        Self {
            cluster: Vec::new(),
            lab: Vec::new(),
            instance: None,
            stage: Vec::new(),
            direction: Vec::new(),
            class: Vec::new(),
            range: None,
            from: None,
            to: None,
            sort: TransitionSort::Newest,
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// Confirmed changes of stages.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/transitions", operation_id = "listTransitions", tag = "transitions", params(TransitionParams),
    responses((status = 200, description = "Transitions", body = List<TransitionRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<TransitionParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let wanted: Wanted<(DateTime<Utc>, Uuid)> = ask.page(params.limit, params.cursor.as_deref())?;
    let window = window(params.range, params.from, params.to, ask.now)?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&params.cluster)?;
    let filter = Filter {
        labs: any_of(&params.lab),
        instance: params.instance,
        stages: any_word(&params.stage, |StageName(stage)| stage.as_str()),
        directions: any_word(&params.direction, TransitionDirection::as_str),
        classes: any_of(&params.class),
        window,
        clusters,
    };
    ask.list(&basis, filter.clusters.as_deref().into(), async || {
        let records = read(&mut db, &filter, &wanted, params.sort == TransitionSort::Newest).await?;
        let (records, page) = wanted.cut(records, |record| (record.at, record.transition_id));
        Ok((rows(records, &basis), page))
    })
    .await
}

#[derive(Debug)]
struct TransitionRecord {
    transition_id: Uuid,
    at: DateTime<Utc>,
    cluster_id: Uuid,
    instance_id: Option<Uuid>,
    namespace: Option<String>,
    lab: Option<String>,
    stage: String,
    direction: String,
    from_outcome: Option<String>,
    to_outcome: String,
    from_class: Option<String>,
    to_class: Option<String>,
    incident_id: Option<Uuid>,
}

/// Which transitions are wanted; `None` is any.
#[derive(Debug)]
struct Filter {
    clusters: Option<Vec<Uuid>>,
    labs: Option<Vec<String>>,
    instance: Option<Uuid>,
    stages: Option<Vec<String>>,
    directions: Option<Vec<String>>,
    classes: Option<Vec<String>>,
    window: Window,
}

/// The list's statement in one order. `$after` compares with the time (`$10`) and id (`$11`) of the cursor. The index is on
/// (at desc, transition_id), so the id runs against the time.
macro_rules! select {
    ($name:literal, $after:literal, $order:literal, $db:expr, $filter:expr, $wanted:expr) => {
        sqlx::query_as!(
            TransitionRecord,
            "-- transitions::"
                + $name
                + "
            select transition_id, at, cluster_id, instance_id, namespace, lab, stage, direction, from_outcome, to_outcome, from_class,
                   to_class, incident_id
            from transitions
            where ($1::uuid[] is null or cluster_id = any($1))
              and ($2::text[] is null or lab = any($2))
              and ($3::uuid is null or instance_id = $3)
              and ($4::text[] is null or stage = any($4))
              and ($5::text[] is null or direction = any($5))
              and ($6::text[] is null or from_class = any($6) or to_class = any($6))
              and ($7::timestamptz is null or at >= $7)
              and ($8::timestamptz is null or at < $8)
              and ($11::uuid is null or "
                + $after
                + ")
            order by "
                + $order
                + "
            limit $9",
            $filter.clusters as _,
            $filter.labs as _,
            $filter.instance as _,
            $filter.stages as _,
            $filter.directions as _,
            $filter.classes as _,
            $filter.window.from as _,
            $filter.window.to as _,
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
    filter: &Filter,
    wanted: &Wanted<(DateTime<Utc>, Uuid)>,
    newest_first: bool,
) -> Result<Vec<TransitionRecord>, sqlx::Error> {
    if wanted.is_ascending(newest_first) {
        select!(
            "oldest_first",
            "at >= $10::timestamptz and (at > $10 or transition_id < $11)",
            "at, transition_id desc",
            db,
            filter,
            wanted
        )
    } else {
        select!(
            "newest_first",
            "at <= $10::timestamptz and (at < $10 or transition_id > $11)",
            "at desc, transition_id",
            db,
            filter,
            wanted
        )
    }
}

/// The newest transitions of an instance.
pub(super) async fn of_instance(db: &mut PgConnection, instance: Uuid, basis: &Basis) -> Result<Vec<TransitionRow>, ApiError> {
    let records = sqlx::query_as!(
        TransitionRecord,
        "-- transitions::of_instance
        select transition_id, at, cluster_id, instance_id, namespace, lab, stage, direction, from_outcome, to_outcome, from_class,
               to_class, incident_id
        from transitions where instance_id = $1 order by at desc, transition_id limit 50",
        instance
    )
    .fetch_all(db)
    .await?;
    Ok(rows(records, basis))
}

fn rows(records: Vec<TransitionRecord>, basis: &Basis) -> Vec<TransitionRow> {
    let row = |record: TransitionRecord| TransitionRow {
        id: record.transition_id,
        at: record.at,
        cluster: basis.cluster_name(record.cluster_id),
        instance_id: record.instance_id,
        namespace: record.namespace,
        lab: record.lab,
        stage: record.stage,
        direction: record.direction,
        from_outcome: record.from_outcome,
        to_outcome: record.to_outcome,
        from_class: record.from_class,
        to_class: record.to_class,
        incident_id: record.incident_id,
    };
    records.into_iter().map(row).collect()
}
