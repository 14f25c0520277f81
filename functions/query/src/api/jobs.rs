//! Jobs of the AAP controllers: what they did for which lab, how they ended, and at which task they failed.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use stargate_common::provisioning::job::{AapJob, Phase};
use stargate_common::sources::SourceName;
use utoipa::{IntoParams, ToSchema};

use super::subjects::text;
use super::{any_of, any_word};
use crate::QueryState;
use crate::answer::{Ask, List, Scope};
use crate::basis::Basis;
use crate::page::Wanted;
use crate::params::{Limit, Range, window, words};
use crate::problem::ApiError;

words! {
    /// What a job does.
    JobPhase {
        /// It makes something.
        Provision = "provision",
        /// It takes it away.
        Destroy = "destroy",
        /// It starts what was stopped.
        Start = "start",
        /// It stops it.
        Stop = "stop",
        /// It looks.
        Status = "status",
        /// None of these, or not to be told.
        Other = "other",
    }
}

words! {
    /// How a job ended.
    JobOutcome {
        /// Not yet.
        Active = "active",
        /// Well.
        Successful = "successful",
        /// It ran with failures.
        Failed = "failed",
        /// It could not run.
        Error = "error",
        /// Somebody canceled it.
        Canceled = "canceled",
        /// In a way that we do not know.
        Unknown = "unknown",
    }
}

/// The task that failed a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobFailureRow {
    /// The task.
    #[schema(example = "Wait for the operator")]
    pub task: Option<String>,
    /// Its role.
    pub role: Option<String>,
    /// Its module.
    pub module: Option<String>,
    /// What it said, redacted and shortened.
    pub message: Option<String>,
    /// The controller hides what it said.
    pub censored: bool,
    /// The failure class, by pattern.
    pub class: Option<String>,
    /// Why the evidence could not be read.
    pub unread: Option<String>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobRow {
    /// `controller/id`: ids are unique only on their controller.
    #[schema(example = "aap-1.example.test/4711")]
    pub key: String,
    /// Host of the controller.
    pub controller: String,
    /// Its id there.
    pub id: i64,
    /// Its name: organization, action, uuid.
    pub name: String,
    /// What it does: `provision`, `destroy`, `start`, `stop`, `status`, `other`.
    #[schema(value_type = JobPhase)]
    pub phase: String,
    /// Its status, as received.
    #[schema(example = "failed")]
    pub status: String,
    /// How it ended: `active`, `successful`, `failed`, `error`, `canceled`, `unknown`.
    #[schema(value_type = JobOutcome)]
    pub outcome: String,
    /// When it was queued.
    pub created_at: Option<DateTime<Utc>>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How long it ran, in seconds; of an active one, until now.
    #[schema(minimum = 0)]
    pub duration_s: Option<i64>,
    /// What the controller says about its end: a platform fault where nothing failed.
    pub explanation: Option<String>,
    /// The task that failed it.
    pub failure: Option<JobFailureRow>,
    /// Uid of the subject it ran for.
    pub subject: Option<String>,
    /// The lab of that subject.
    pub lab_code: Option<String>,
}

/// Parameters of the list of jobs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JobParams {
    /// Only jobs that do this.
    #[param(inline)]
    pub phase: Vec<JobPhase>,
    /// Only jobs that ended like this.
    #[param(inline)]
    pub outcome: Vec<JobOutcome>,
    /// Only jobs of these controllers.
    pub controller: Vec<String>,
    /// Only jobs that failed with these classes.
    pub class: Vec<String>,
    /// Only jobs of these labs.
    pub lab: Vec<String>,
    /// Only jobs that began, or were queued, in this span of time up to now.
    #[param(inline)]
    pub range: Option<Range>,
    /// Only at or after this time.
    pub from: Option<DateTime<Utc>>,
    /// Only before this time.
    pub to: Option<DateTime<Utc>>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

#[derive(Debug)]
struct JobRecord {
    key: String,
    began: String,
    doc: String,
    subject: Option<String>,
    lab_code: Option<String>,
}

/// Jobs of the AAP controllers, newest first.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/provisioning/jobs", operation_id = "listProvisioningJobs", tag = "provisioning", params(JobParams),
    responses((status = 200, description = "Jobs", body = List<JobRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<JobParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    for (parameter, words) in [("controller", &params.controller), ("class", &params.class), ("lab", &params.lab)] {
        super::no_nul(parameter, words)?;
    }
    let wanted: Wanted<(String, String)> = ask.page(params.limit, params.cursor.as_deref())?;
    let window = window(params.range, params.from, params.to, ask.now)?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    ask.list(&basis, Scope::Systems(Some(&[]), &[SourceName::Aap]), async || {
        let records = read(&mut db, params, window.from, window.to, &wanted).await?;
        let (records, page) = wanted.cut(records, |record| (record.began.clone(), record.key.clone()));
        let rows = records.into_iter().map(|record| row(record, &basis)).collect::<Result<_, _>>()?;
        Ok((rows, page))
    })
    .await
}

/// The list's statement in one direction. Times are stored in UTC as RFC 3339, which sorts as text.
macro_rules! select {
    ($name:literal, $after:literal, $order:literal, $db:expr, $params:expr, $from:expr, $to:expr, $wanted:expr) => {
        sqlx::query_as!(
            JobRecord,
            "-- jobs::" + $name + "
            select j.key, coalesce(j.doc ->> 'started_at', j.doc ->> 'created_at', '') as \"began!\", j.doc::text as \"doc!\",
                   s.to_key as \"subject?\",
                   (select o.to_key from subjects u join links o on o.from_kind = 'catalog-item' and o.from_key = u.doc ->> 'governor' and o.to_kind = 'lab'
                    where u.kind = 'subject' and u.key = s.to_key order by 1 limit 1) as lab_code
            from aap_jobs j
            left join lateral (select l.to_key from links l where l.from_kind = 'aap-job' and l.from_key = j.key and l.to_kind = 'subject'
                               order by 1 limit 1) s on true
            where j.gone_at is null
              and ($1::text[] is null or j.doc ->> 'phase' = any($1))
              and ($2::text[] is null
                   or case when j.doc ->> 'status' in ('new', 'pending', 'waiting', 'running') then 'active'
                           when j.doc ->> 'status' in ('successful', 'failed', 'error', 'canceled') then j.doc ->> 'status' else 'unknown' end = any($2))
              and ($3::text[] is null or j.doc ->> 'controller' = any($3))
              and ($4::text[] is null or j.doc #>> '{failure,class}' = any($4))
              and ($5::text[] is null
                   or j.doc ->> 'service_uuid' = any(array(
                       select u.service_uuid from links o, lateral (
                           select s.doc ->> 'service_uuid' as service_uuid from subjects s where s.doc ->> 'governor' = o.from_key and s.gone_at is null offset 0) u
                       where o.to_kind = 'lab' and o.to_key = any($5) and o.from_kind = 'catalog-item')))
              and ($6::text is null or coalesce(j.doc ->> 'started_at', j.doc ->> 'created_at', '') collate \"C\" >= $6)
              and ($7::text is null or coalesce(j.doc ->> 'started_at', j.doc ->> 'created_at', '') collate \"C\" < $7)
              and ($10::text is null or " + $after + ")
            order by " + $order + "
            limit $8",
            any_word(&$params.phase, JobPhase::as_str) as _,
            any_word(&$params.outcome, JobOutcome::as_str) as _,
            any_of(&$params.controller) as _,
            any_of(&$params.class) as _,
            any_of(&$params.lab) as _,
            $from.map(|at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true)) as _,
            $to.map(|at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true)) as _,
            $wanted.fetch(),
            $wanted.key().map(|(key, _)| key) as _,
            $wanted.key().map(|(_, id)| id) as _,
        )
        .fetch_all($db)
        .await
    };
}

async fn read(
    db: &mut PgConnection,
    params: &JobParams,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    wanted: &Wanted<(String, String)>,
) -> Result<Vec<JobRecord>, sqlx::Error> {
    // The index is on (time desc, key), so the key runs against the time.
    if wanted.is_ascending(true) {
        select!(
            "oldest_first",
            "coalesce(j.doc ->> 'started_at', j.doc ->> 'created_at', '') collate \"C\" >= $9::text collate \"C\"
                   and (coalesce(j.doc ->> 'started_at', j.doc ->> 'created_at', '') collate \"C\" > $9 or j.key < $10 collate \"C\")",
            "coalesce(j.doc ->> 'started_at', j.doc ->> 'created_at', '') collate \"C\", j.key desc",
            db,
            params,
            from,
            to,
            wanted
        )
    } else {
        select!(
            "newest_first",
            "coalesce(j.doc ->> 'started_at', j.doc ->> 'created_at', '') collate \"C\" <= $9::text collate \"C\"
                   and (coalesce(j.doc ->> 'started_at', j.doc ->> 'created_at', '') collate \"C\" < $9 or j.key > $10 collate \"C\")",
            "coalesce(j.doc ->> 'started_at', j.doc ->> 'created_at', '') collate \"C\" desc, j.key",
            db,
            params,
            from,
            to,
            wanted
        )
    }
}

/// The jobs of a subject, newest first, by the uuid that ends their names.
pub(super) async fn of_subject(db: &mut PgConnection, service_uuid: &str, basis: &Basis) -> Result<Vec<JobRow>, ApiError> {
    if service_uuid.is_empty() {
        return Ok(Vec::new());
    }
    let records = sqlx::query_as!(
        JobRecord,
        r#"-- jobs::of_subject
        select key, coalesce(doc ->> 'started_at', doc ->> 'created_at', '') as "began!", doc::text as "doc!", null::text as "subject?",
               null::text as "lab_code?"
        from aap_jobs where doc ->> 'service_uuid' = $1
        order by coalesce(doc ->> 'started_at', doc ->> 'created_at', '') collate "C" desc, key limit 20"#,
        service_uuid
    )
    .fetch_all(db)
    .await?;
    records.into_iter().map(|record| row(record, basis)).collect()
}

fn row(record: JobRecord, basis: &Basis) -> Result<JobRow, ApiError> {
    let job: AapJob = super::document(&record.doc, || format!("AAP job {}", record.key))?;
    let outcome = match job.status.as_str() {
        "new" | "pending" | "waiting" | "running" => "active",
        status @ ("successful" | "failed" | "error" | "canceled") => status,
        _ => "unknown",
    };
    let runs = outcome == "active";
    let until = job.finished_at.or_else(|| runs.then_some(basis.now));
    let measured = job.started_at.zip(until).map(|(from, until)| (until - from).num_seconds().max(0));
    Ok(JobRow {
        phase: phase(job.phase).to_owned(),
        outcome: outcome.to_owned(),
        duration_s: if runs { measured } else { job.elapsed_s.or(measured) },
        explanation: text(job.explanation),
        failure: job.failure.map(|failure| JobFailureRow {
            task: text(failure.task),
            role: text(failure.role),
            module: text(failure.module),
            message: text(failure.message),
            censored: failure.censored,
            class: failure.class,
            unread: text(failure.unread),
        }),
        key: record.key,
        controller: job.controller,
        id: job.id,
        name: job.name,
        status: job.status,
        created_at: job.created_at,
        started_at: job.started_at,
        finished_at: job.finished_at,
        subject: record.subject,
        lab_code: record.lab_code,
    })
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Provision => "provision",
        Phase::Destroy => "destroy",
        Phase::Start => "start",
        Phase::Stop => "stop",
        Phase::Status => "status",
        Phase::Other => "other",
    }
}
