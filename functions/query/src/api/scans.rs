//! Scans: every run of a tier on a cluster, and what it came to.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use stargate_common::objects::Problem;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::any_word;
use crate::QueryState;
use crate::answer::{Ask, List};
use crate::basis::Basis;
use crate::page::Wanted;
use crate::params::{Limit, Range, Window, window, words};
use crate::problem::ApiError;

words! {
    /// How much a scan reads.
    TierName {
        /// The cluster itself.
        Cluster = "cluster",
        /// Namespaces, pods and running virtual machines.
        Workloads = "workloads",
        /// Every kind.
        Everything = "everything",
        /// What was ordered: collected, not listed.
        Provisioning = "provisioning",
    }
}

words! {
    /// What a scan came to.
    ScanState {
        /// Every kind was read to its end.
        Complete = "complete",
        /// Some were.
        Partial = "partial",
        /// None was.
        Failed = "failed",
    }
}

words! {
    /// What started a scan.
    ScanTrigger {
        /// Its time had come.
        Schedule = "schedule",
        /// A person asked through the interface.
        Request = "request",
        /// A person asked on the command line.
        Command = "command",
    }
}

/// Something that could not be read or understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScanProblem {
    /// What it is about: `<cluster>/<kind>`.
    #[schema(example = "cnv-west-2/route")]
    pub subject: String,
    /// What is wrong and what to do.
    pub detail: String,
}

/// A run of a tier on a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScanRow {
    /// Its id.
    pub id: Uuid,
    /// The cluster.
    #[schema(example = "cnv-west-2")]
    pub cluster: String,
    /// How much it read. May grow.
    #[schema(value_type = TierName)]
    pub tier: String,
    /// What started it: `schedule`, `request`, `command`. May grow.
    #[schema(value_type = ScanTrigger)]
    pub trigger: String,
    /// What it came to: `complete`, `partial`, `failed`. May grow.
    #[schema(value_type = ScanState)]
    pub state: String,
    /// When it began to read.
    pub observed_at: DateTime<Utc>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When what it read was stored.
    pub finished_at: DateTime<Utc>,
    /// Requests it made.
    #[schema(minimum = 0)]
    pub requests: i32,
    /// Bytes it received.
    #[schema(minimum = 0)]
    pub bytes: i64,
    /// Objects it read.
    #[schema(minimum = 0)]
    pub items: i32,
    /// Lab namespaces it saw.
    #[schema(minimum = 0)]
    pub namespaces: i32,
    /// Documents that had changed.
    #[schema(minimum = 0)]
    pub changed: i32,
    /// What could not be read or understood.
    pub problems: Vec<ScanProblem>,
    /// When it was evaluated; null while it waits.
    pub evaluated_at: Option<DateTime<Utc>>,
}

words! {
    /// What the list of scans can be sorted by.
    ScanSort {
        /// Newest first.
        Newest = "-started_at",
        /// Oldest first.
        Oldest = "started_at",
    }
}

/// Parameters of the list of scans.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ScanParams {
    /// Only on these clusters.
    pub cluster: Vec<String>,
    /// Only these tiers.
    #[param(inline)]
    pub tier: Vec<TierName>,
    /// Only those that came to this.
    #[param(inline)]
    pub state: Vec<ScanState>,
    /// Only those that were started so.
    #[param(inline)]
    pub trigger: Vec<ScanTrigger>,
    /// Only in this span of time up to now.
    #[param(inline)]
    pub range: Option<Range>,
    /// Only at or after this time.
    pub from: Option<DateTime<Utc>>,
    /// Only before this time.
    pub to: Option<DateTime<Utc>>,
    /// The order.
    #[param(inline)]
    pub sort: ScanSort,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for ScanParams {
    fn default() -> Self {
        Self {
            cluster: Vec::new(),
            tier: Vec::new(),
            state: Vec::new(),
            trigger: Vec::new(),
            range: None,
            from: None,
            to: None,
            sort: ScanSort::Newest,
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// Scans.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/scans", operation_id = "listScans", tag = "sources", params(ScanParams),
    responses((status = 200, description = "Scans", body = List<ScanRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<ScanParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let wanted: Wanted<(DateTime<Utc>, Uuid)> = ask.page(params.limit, params.cursor.as_deref())?;
    let window = window(params.range, params.from, params.to, ask.now)?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&params.cluster)?;
    let filter = Filter {
        tiers: any_word(&params.tier, TierName::as_str),
        states: any_word(&params.state, ScanState::as_str),
        triggers: any_word(&params.trigger, ScanTrigger::as_str),
        window,
        clusters,
    };
    ask.list(&basis, filter.clusters.as_deref().into(), async || {
        let records = read(&mut db, &filter, &wanted, params.sort == ScanSort::Newest).await?;
        let (records, page) = wanted.cut(records, |record| (record.started_at, record.scan_id));
        let rows: Result<Vec<_>, _> = records.into_iter().map(|record| row(record, &basis)).collect();
        Ok((rows?, page))
    })
    .await
}

#[derive(Debug)]
struct ScanRecord {
    scan_id: Uuid,
    cluster_id: Uuid,
    tier: String,
    trigger: String,
    state: String,
    observed_at: DateTime<Utc>,
    started_at: DateTime<Utc>,
    finished_at: DateTime<Utc>,
    requests: i32,
    bytes: i64,
    items: i32,
    namespaces: i32,
    changed: i32,
    problems: serde_json::Value,
    evaluated_at: Option<DateTime<Utc>>,
}

/// Which scans are wanted; `None` is any.
#[derive(Debug)]
struct Filter {
    clusters: Option<Vec<Uuid>>,
    tiers: Option<Vec<String>>,
    states: Option<Vec<String>>,
    triggers: Option<Vec<String>>,
    window: Window,
}

/// The list's statement in one order. `$after` compares with the time (`$8`) and id (`$9`) of the cursor. The index is on
/// (started_at desc, scan_id), so the id runs against the time.
macro_rules! select {
    ($name:literal, $after:literal, $order:literal, $db:expr, $filter:expr, $wanted:expr) => {
        sqlx::query_as!(
            ScanRecord,
            "-- scans::"
                + $name
                + "
            select scan_id, cluster_id, tier, trigger, state, observed_at, started_at, finished_at, requests, bytes, items, namespaces,
                   changed, problems, evaluated_at
            from scans
            where ($1::uuid[] is null or cluster_id = any($1))
              and ($2::text[] is null or tier = any($2))
              and ($3::text[] is null or state = any($3))
              and ($4::text[] is null or trigger = any($4))
              and ($5::timestamptz is null or started_at >= $5)
              and ($6::timestamptz is null or started_at < $6)
              and ($9::uuid is null or "
                + $after
                + ")
            order by "
                + $order
                + "
            limit $7",
            $filter.clusters as _,
            $filter.tiers as _,
            $filter.states as _,
            $filter.triggers as _,
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
) -> Result<Vec<ScanRecord>, sqlx::Error> {
    if wanted.is_ascending(newest_first) {
        select!(
            "oldest_first",
            "started_at >= $8::timestamptz and (started_at > $8 or scan_id < $9)",
            "started_at, scan_id desc",
            db,
            filter,
            wanted
        )
    } else {
        select!(
            "newest_first",
            "started_at <= $8::timestamptz and (started_at < $8 or scan_id > $9)",
            "started_at desc, scan_id",
            db,
            filter,
            wanted
        )
    }
}

fn row(record: ScanRecord, basis: &Basis) -> Result<ScanRow, ApiError> {
    let problems: Vec<Problem> = serde_json::from_value(record.problems).map_err(|source| ApiError::Document {
        what: format!("the problems of scan {}", record.scan_id),
        source,
    })?;
    Ok(ScanRow {
        id: record.scan_id,
        cluster: basis.cluster_name(record.cluster_id),
        tier: record.tier,
        trigger: record.trigger,
        state: record.state,
        observed_at: record.observed_at,
        started_at: record.started_at,
        finished_at: record.finished_at,
        requests: record.requests,
        bytes: record.bytes,
        items: record.items,
        namespaces: record.namespaces,
        changed: record.changed,
        problems: problems
            .into_iter()
            .map(|Problem { subject, detail }| ScanProblem { subject, detail })
            .collect(),
        evaluated_at: record.evaluated_at,
    })
}
