//! Judges what a scan has stored.
//!
//! In: `scan.completed`. Writes: `stage_state`, `constraint_violations`, `instances`, `transitions`, `incidents`, rollups. Out: `readiness.changed`, `incident.*`,
//! `failure.unclassified`.
//!
//! ```text
//! scans not evaluated, oldest first ─> judge.rs: load the evidence as that scan left it, rubrics -> verdicts     no transaction
//!                                      diff.rs:  verdicts × what is stored -> what differs                       pure
//!                                      write.rs: inbox, state, transitions, incidents, rollups, outbox          one transaction
//!                                        parents.rs: incidents that are one problem     tell.rs: the events
//! ```
//!
//! An event only says that something waits: every scan that waits is taken in, in the order they were stored, so late, repeated and
//! lost events end in the same state. [`evaluate_cluster`] needs no event at all.

mod constraints;
mod diff;
mod judge;
mod parents;
pub mod rubrics;
mod tell;
mod write;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use stargate_common::boot::{Accepts, Context, Function};
use stargate_common::clock::Clock;
use stargate_common::db::clusters::{self, Cluster};
use stargate_common::db::evidence::{AsOf, EvidenceError};
use stargate_common::db::inbox;
use stargate_common::db::kinds::Coverage;
use stargate_common::db::scans;
use stargate_common::db::{DbError, inbox::Novelty};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::events::wire::CloudEvent;
use stargate_common::events::{EventType, OutgoingError, ScanCompleted};
use stargate_common::failure::Failure;
use uuid::Uuid;

use self::rubrics::Rubrics;

/// What only this function needs.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Settings {
    /// A folder of rubrics to judge by instead of those the program was built with. It is followed: a change is in use with the next
    /// evaluation, and one that is wrong changes nothing.
    #[arg(long, env = "STARGATE_RUBRICS_DIR", value_name = "DIR")]
    pub rubrics_dir: Option<PathBuf>,
}

/// The function.
#[derive(Debug, Clone)]
pub struct Evaluate {
    rubrics: Arc<Rubrics>,
}

/// What an evaluation works with.
#[derive(Debug, Clone)]
pub struct Evaluator {
    /// The database.
    pub db: PgPool,
    /// What time it is.
    pub clock: Clock,
    /// What is judged by.
    pub rubrics: Arc<RubricSet>,
}

/// Why an evaluation was not taken in. Nothing is stored then.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// Evidence could not be loaded.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A transaction could not begin or commit.
    #[error("taking in an evaluation of {cluster}")]
    Transaction {
        /// Which cluster.
        cluster: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// An event cannot be sent.
    #[error(transparent)]
    Event(#[from] OutgoingError),
}

impl From<EvaluateError> for Failure {
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Evidence(EvidenceError::Db(error)) | EvaluateError::Db(error) => error.into(),
            EvaluateError::Transaction { source, .. } => Self::database("taking in an evaluation", source),
            // The same documents and verdicts would be refused again.
            error @ (EvaluateError::Evidence(_) | EvaluateError::Event(_)) => Self::Reject(format!("{:#}", anyhow::Error::from(error))),
        }
    }
}

/// What came of evaluating a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evaluated {
    /// Evaluations taken in.
    pub evaluations: usize,
    /// Stages judged.
    pub stages: usize,
    /// Rows written, events included.
    pub written: usize,
    /// Confirmed changes.
    pub transitions: usize,
    /// Incidents opened, changed or resolved.
    pub incidents: usize,
}

impl std::ops::AddAssign for Evaluated {
    fn add_assign(&mut self, more: Self) {
        let Self {
            evaluations,
            stages,
            written,
            transitions,
            incidents,
        } = more;
        self.evaluations += evaluations;
        self.stages += stages;
        self.written += written;
        self.transitions += transitions;
        self.incidents += incidents;
    }
}

impl Function for Evaluate {
    const NAME: &'static str = "evaluate";
    const ACCEPTS: Accepts = Accepts::Only(&[EventType::ScanCompleted]);
    const EMITS: &'static [EventType] = &[
        EventType::ReadinessChanged,
        EventType::IncidentOpened,
        EventType::IncidentUpdated,
        EventType::IncidentResolved,
        EventType::FailureUnclassified,
    ];
    type Settings = Settings;

    async fn start(context: &Context<Settings>) -> anyhow::Result<Self> {
        Ok(Self {
            rubrics: Arc::new(Rubrics::start(&context.settings, context.clock.now())?),
        })
    }

    async fn handle(&self, context: &Context<Settings>, event: &CloudEvent) -> Result<(), Failure> {
        let now = context.clock.now();
        let evaluator = Evaluator {
            db: context.db.clone(),
            clock: context.clock.clone(),
            rubrics: self.rubrics.current(now),
        };
        // Before the evaluation, which raises the versions of the views that people look at.
        self.rubrics.report(&context.db, now).await;
        take_event_in(&evaluator, event).await
    }
}

/// Takes one `scan.completed` in: everything that waits on its cluster is evaluated.
///
/// # Errors
/// As the broker must read them: what may pass is to be delivered again, what cannot is not.
pub async fn take_event_in(evaluator: &Evaluator, event: &CloudEvent) -> Result<(), Failure> {
    let completed: ScanCompleted = event.payload()?;
    let now = evaluator.clock.now();
    let Some(cluster) = clusters::find(&evaluator.db, &completed.cluster).await? else {
        return Err(Failure::Reject(format!(
            "no cluster {:?} is known: the event is of another installation",
            completed.cluster
        )));
    };
    let receipt = Receipt {
        scan: completed.scan_id,
        source: event.source.clone(),
        id: event.id.clone(),
        time: event.time.unwrap_or(now),
    };
    let done = evaluate(evaluator, &cluster.name, Some(&receipt)).await?;
    log(&cluster.name, done);
    Ok(())
}

/// Evaluates everything that waits on a cluster, without an event.
///
/// # Errors
/// What was taken in before stays; the rest still waits.
pub async fn evaluate_cluster(evaluator: &Evaluator, cluster: &str) -> Result<Evaluated, EvaluateError> {
    let done = evaluate(evaluator, cluster, None).await?;
    log(cluster, done);
    Ok(done)
}

/// Evaluates everything that waits on a cluster, and then what is stored as of now: time alone can make evidence stale and end a budget.
///
/// # Errors
/// As [`evaluate_cluster`].
pub async fn refresh_cluster(evaluator: &Evaluator, cluster: &str) -> Result<Evaluated, EvaluateError> {
    let mut done = evaluate(evaluator, cluster, None).await?;
    let Some(cluster) = clusters::find(&evaluator.db, cluster).await? else {
        return Ok(done);
    };
    let now = evaluator.clock.now();
    if let Some(newest) = scans::newest(&evaluator.db, cluster.id).await?
        && cluster.evaluated_as_of.is_some_and(|as_of| as_of < now)
        && let Some(more) = attempt(evaluator, &cluster, now, &newest.coverage, write::Cause::Time).await?
    {
        done += more;
    }
    log(&cluster.name, done);
    Ok(done)
}

/// An event that was received, for the inbox.
#[derive(Debug, Clone)]
struct Receipt {
    scan: Uuid,
    source: String,
    id: String,
    time: DateTime<Utc>,
}

impl Receipt {
    async fn file(&self, conn: &mut sqlx::PgConnection, now: DateTime<Utc>) -> Result<Novelty, DbError> {
        inbox::begin(conn, Evaluate::NAME, &self.source, &self.id, self.time, now).await
    }
}

async fn evaluate(evaluator: &Evaluator, name: &str, receipt: Option<&Receipt>) -> Result<Evaluated, EvaluateError> {
    let mut done = Evaluated::default();
    let mut filed = false;
    while let Some(cluster) = clusters::find(&evaluator.db, name).await? {
        let Some(waiting) = scans::next_waiting(&evaluator.db, cluster.id).await? else {
            break;
        };
        let as_of = later(waiting.observed_at, cluster.evaluated_as_of);
        let receipt = receipt.filter(|receipt| receipt.scan == waiting.id);
        let cause = write::Cause::Scan(&waiting, receipt);
        // Nothing when somebody else was faster: then the next one waits.
        if let Some(more) = attempt(evaluator, &cluster, as_of, &waiting.coverage, cause).await? {
            filed |= receipt.is_some();
            done += more;
        }
    }
    if let Some(receipt) = receipt.filter(|_| !filed) {
        let begun = async {
            let mut tx = evaluator.db.begin().await?;
            Ok((receipt.file(&mut tx, evaluator.clock.now()).await, tx))
        };
        let failed = |source| EvaluateError::Transaction {
            cluster: name.to_owned(),
            source,
        };
        let (filed, tx) = begun.await.map_err(failed)?;
        filed?;
        tx.commit().await.map_err(failed)?;
    }
    Ok(done)
}

/// Scans are taken in one after the other; one that began before the last one that was taken in counts as if right after it.
fn later(observed_at: DateTime<Utc>, evaluated_as_of: Option<DateTime<Utc>>) -> DateTime<Utc> {
    evaluated_as_of.map_or(observed_at, |newest| observed_at.max(newest + TimeDelta::microseconds(1)))
}

async fn attempt(
    evaluator: &Evaluator,
    cluster: &Cluster,
    now: DateTime<Utc>,
    coverage: &Coverage,
    cause: write::Cause<'_>,
) -> Result<Option<Evaluated>, EvaluateError> {
    let as_of = AsOf { cluster, coverage, now };
    let judged = judge::judge(&evaluator.db, &evaluator.rubrics, as_of).await?;
    write::take_in(evaluator, as_of, &judged, cause).await
}

fn log(cluster: &str, done: Evaluated) {
    let Evaluated {
        evaluations,
        stages,
        written,
        transitions,
        incidents,
    } = done;
    if evaluations > 0 {
        tracing::info!(
            cluster.name = cluster,
            "{cluster}: {evaluations} evaluations of {stages} stages, {transitions} transitions, {incidents} incidents changed, {written} rows"
        );
    }
}
