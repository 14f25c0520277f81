//! Advises what the joined facts of labs, pools, clusters and the platform call for. Nothing acts on it but people.
//!
//! In: `collection.completed`, `readiness.changed`. Writes: `recommendations`, `rule_unknowns`, `policy_samples`, `policy_state`. Out:
//! `recommendation.issued`, `recommendation.withdrawn`.
//!
//! ```text
//! versions of what was read differ from those of the newest run? ─ no ──> the event is taken in already
//!     └ yes ─> load.rs: rows of a few fields      no transaction
//!              subjects.rs: rows -> facts          pure
//!              common/policy: rules × facts -> advice, doubts     pure
//!              write.rs: what changes, outbox, inbox              one transaction, if no other run came before
//! ```
//!
//! An event only says that something changed; what counts is the version that was raised in the transaction of the change. So a storm of
//! events about one change costs one run, and a lost event costs nothing: [`refresh`] needs none.

pub mod load;
pub mod subjects;
pub mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use stargate_common::boot::{Accepts, Context, Function};
use stargate_common::clock::Clock;
use stargate_common::db::DbError;
use stargate_common::db::inbox;
use stargate_common::db::recommendations::{self, PolicyState};
use stargate_common::events::wire::CloudEvent;
use stargate_common::events::{EventType, OutgoingError};
use stargate_common::failure::Failure;
use stargate_common::policy::evaluate;
use stargate_common::policy::rule::RuleSet;
use stargate_common::settings::NoSettings;
use tokio::sync::Mutex;

/// Its name: of the binary, in logs, manifests and the inbox.
pub const NAME: &str = "recommend";

/// Advice is looked at anew after so long, whatever changed: sessions come nearer by themselves.
pub const OLDEST_RUN: TimeDelta = TimeDelta::minutes(10);

/// How often a run begins anew because another one came before it.
const ATTEMPTS: usize = 5;

/// The function.
#[derive(Debug)]
pub struct Recommend {
    rules: Arc<RuleSet>,
    /// Events that come together wait for one run instead of making one each.
    turn: Mutex<()>,
}

/// What a run works with.
#[derive(Debug, Clone)]
pub struct Recommender {
    /// The database.
    pub db: PgPool,
    /// What time it is.
    pub clock: Clock,
    /// The rules.
    pub rules: Arc<RuleSet>,
}

/// What runs came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// Runs that were written.
    pub runs: usize,
    /// Advice that is new, or back.
    pub issued: usize,
    /// Advice that is another.
    pub updated: usize,
    /// The same advice in other words.
    pub refreshed: usize,
    /// Advice that was taken back.
    pub withdrawn: usize,
    /// Advice that is in doubt now.
    pub doubted: usize,
}

/// Why a run was not taken in. Nothing is stored then.
#[derive(Debug, thiserror::Error)]
pub enum RecommendError {
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A connection could not be had, or a transaction not begun or committed.
    #[error("taking in a run of the policies")]
    Transaction(#[source] sqlx::Error),
    /// Advice does not become JSON.
    #[error("writing advice as JSON")]
    Json(#[source] serde_json::Error),
    /// An event cannot be sent.
    #[error(transparent)]
    Event(#[from] OutgoingError),
    /// Others were faster, again and again.
    #[error("other runs of the policies came first {ATTEMPTS} times")]
    Overtaken,
}

impl From<RecommendError> for Failure {
    fn from(error: RecommendError) -> Self {
        match error {
            RecommendError::Db(error) => error.into(),
            RecommendError::Transaction(source) => Self::database("taking in a run of the policies", source),
            RecommendError::Overtaken => Self::Busy(error.to_string()),
            // The same facts would be refused again.
            error @ (RecommendError::Json(_) | RecommendError::Event(_)) => Self::Reject(format!("{:#}", anyhow::Error::from(error))),
        }
    }
}

impl Function for Recommend {
    const NAME: &'static str = NAME;
    const ACCEPTS: Accepts = Accepts::Only(&[EventType::CollectionCompleted, EventType::ReadinessChanged]);
    const EMITS: &'static [EventType] = &[EventType::RecommendationIssued, EventType::RecommendationWithdrawn];
    type Settings = NoSettings;

    async fn start(_: &Context<NoSettings>) -> anyhow::Result<Self> {
        Ok(Self {
            rules: Arc::new(RuleSet::embedded().context("loading the policies")?),
            turn: Mutex::new(()),
        })
    }

    async fn handle(&self, context: &Context<NoSettings>, event: &CloudEvent) -> Result<(), Failure> {
        let recommender = Recommender {
            db: context.db.clone(),
            clock: context.clock.clone(),
            rules: Arc::clone(&self.rules),
        };
        let _turn = self.turn.lock().await;
        take_event_in(&recommender, event).await?;
        Ok(())
    }
}

/// Takes one event in: a run if what it tells of is newer than what the newest run has read.
///
/// # Errors
/// Nothing of it is stored.
pub async fn take_event_in(recommender: &Recommender, event: &CloudEvent) -> Result<Done, RecommendError> {
    run(recommender, Some(event), |newest, inputs, _| newest.inputs != *inputs).await
}

/// Runs if anything changed since the newest run, or that is long ago. For whoever cannot wait for an event.
///
/// # Errors
/// Nothing of it is stored.
pub async fn refresh(recommender: &Recommender) -> Result<Done, RecommendError> {
    let is_due = |newest: &PolicyState, inputs: &BTreeMap<String, i64>, now: DateTime<Utc>| {
        newest.inputs != *inputs || now - newest.as_of > OLDEST_RUN
    };
    run(recommender, None, is_due).await
}

async fn run(
    recommender: &Recommender,
    event: Option<&CloudEvent>,
    is_due: impl Fn(&PolicyState, &BTreeMap<String, i64>, DateTime<Utc>) -> bool,
) -> Result<Done, RecommendError> {
    for _ in 0..ATTEMPTS {
        let now = recommender.clock.now();
        let mut conn = recommender.db.acquire().await.map_err(RecommendError::Transaction)?;
        let newest = recommendations::newest_run(&mut *conn).await?;
        // Before anything is loaded: what is raised later makes another run, even when its rows were seen already.
        let inputs = recommendations::input_versions(&mut *conn).await?;
        let other_rules = |newest: &PolicyState| newest.rules_version != recommender.rules.version;
        if newest
            .as_ref()
            .is_some_and(|newest| !other_rules(newest) && !is_due(newest, &inputs, now))
        {
            drop(conn);
            file(recommender, event, now).await?;
            return Ok(Done::default());
        }
        let world = load::world(&mut conn, now).await?;
        drop(conn);
        let samples = subjects::samples(&world);
        let world = with_samples(world, &samples);
        let subjects = subjects::all(&world, now);
        drop(world);
        let evaluated = evaluate::evaluate(&recommender.rules, &subjects, now);
        drop(subjects);
        let run = write::Run {
            rules: &recommender.rules,
            evaluated: &evaluated,
            samples: &samples,
            state: PolicyState {
                run: newest.map_or(0, |newest| newest.run) + 1,
                inputs,
                as_of: now,
                rules_version: recommender.rules.version.clone(),
            },
        };
        let mut tx = recommender.db.begin().await.map_err(RecommendError::Transaction)?;
        let Some(done) = write::write(&mut tx, &run, now).await? else {
            continue;
        };
        receipt(&mut tx, event, now).await?;
        tx.commit().await.map_err(RecommendError::Transaction)?;
        log(&evaluated, done);
        return Ok(done);
    }
    Err(RecommendError::Overtaken)
}

/// What is measured now counts with what was measured before.
fn with_samples(mut world: load::World, samples: &[recommendations::Sample]) -> load::World {
    for sample in samples {
        let kept = world.samples.entry((sample.series.clone(), sample.key.clone())).or_default();
        if kept.iter().all(|(at, _)| *at != sample.at) {
            kept.push((sample.at, sample.value));
            kept.sort_by_key(|(at, _)| *at);
        }
    }
    world
}

async fn file(recommender: &Recommender, event: Option<&CloudEvent>, now: DateTime<Utc>) -> Result<(), RecommendError> {
    if event.is_none() {
        return Ok(());
    }
    let mut tx = recommender.db.begin().await.map_err(RecommendError::Transaction)?;
    receipt(&mut tx, event, now).await?;
    tx.commit().await.map_err(RecommendError::Transaction)
}

async fn receipt(conn: &mut sqlx::PgConnection, event: Option<&CloudEvent>, now: DateTime<Utc>) -> Result<(), DbError> {
    if let Some(event) = event {
        // Whether it was seen before does not matter: a run reads what is true now.
        inbox::begin(conn, NAME, &event.source, &event.id, event.time.unwrap_or(now), now).await?;
    }
    Ok(())
}

fn log(evaluated: &evaluate::Evaluated, done: Done) {
    let Done {
        issued,
        updated,
        withdrawn,
        doubted,
        ..
    } = done;
    tracing::info!(
        "{} questions asked, {} pieces of advice: {issued} new, {updated} changed, {withdrawn} withdrawn, {doubted} in doubt; {} could not be told",
        evaluated.asked,
        evaluated.advice.len(),
        evaluated.doubts.len()
    );
}
