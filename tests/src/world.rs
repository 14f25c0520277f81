//! Everything a flow needs in one place: a database, time that stands still, the function that judges, and the events on their way.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use stargate_common::clock::Clock;
use stargate_common::db::evidence::Persisted;
use stargate_common::db::outbox;
use stargate_common::db::scans::Tier;
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::events::EventType;
use stargate_common::events::wire::CloudEvent;
use stargate_common::failure::Failure;
use stargate_evaluate::Evaluator;

use crate::TestDb;
use crate::fleet::TestCluster;

/// When every flow begins.
#[must_use]
pub fn morning() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_780) + TimeDelta::hours(6)
}

/// A small world.
#[derive(Debug)]
pub struct TestWorld {
    /// Its database.
    pub db: TestDb,
    /// What time it is.
    pub clock: Clock,
    /// What judges.
    pub evaluator: Evaluator,
    /// Events that left and nobody here consumes, in order.
    pub heard: Vec<CloudEvent>,
}

impl TestWorld {
    /// A world in the morning.
    ///
    /// # Panics
    /// When there is no database or the rubrics are wrong.
    pub async fn new() -> Self {
        Self::on(TestDb::new().await)
    }

    /// A world on that database.
    ///
    /// # Panics
    /// When the rubrics are wrong.
    #[must_use]
    pub fn on(db: TestDb) -> Self {
        let clock = Clock::manual(morning());
        let rubrics = Arc::new(RubricSet::embedded().expect("the built-in rubrics"));
        let evaluator = Evaluator {
            db: db.pool.clone(),
            clock: clock.clone(),
            rubrics,
        };
        Self {
            db,
            clock,
            evaluator,
            heard: Vec::new(),
        }
    }

    /// What judges, on another pool: another process.
    #[must_use]
    pub fn evaluator_on(&self, pool: PgPool) -> Evaluator {
        Evaluator {
            db: pool,
            ..self.evaluator.clone()
        }
    }

    /// Lets time pass.
    pub fn wait(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
    }

    /// Scans a cluster now. Its event waits in the outbox.
    ///
    /// # Panics
    /// When the reading cannot be stored.
    pub async fn scan(&self, cluster: &TestCluster, tier: Tier) -> Persisted {
        let now = self.clock.now();
        let taken = cluster.take(tier, now);
        taken
            .store(&self.db.pool, now + TimeDelta::seconds(20))
            .await
            .expect("storing a reading")
    }

    /// Scans a cluster and delivers until it is quiet.
    ///
    /// # Panics
    /// When something fails.
    pub async fn scan_and_judge(&mut self, cluster: &TestCluster, tier: Tier) {
        self.scan(cluster, tier).await;
        self.deliver_until_quiet().await;
    }

    /// Takes what waits in the outbox, as a relay does some time later.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn take_events(&self) -> Vec<CloudEvent> {
        let now = self.clock.now() + TimeDelta::days(1);
        let rows = outbox::claim(&self.db.pool, 10_000, TimeDelta::minutes(1), now)
            .await
            .expect("claiming events");
        let Some(token) = rows.first().map(|row| row.token) else {
            return Vec::new();
        };
        let sent: Vec<i64> = rows.iter().map(|row| row.seq).collect();
        outbox::mark_sent(&self.db.pool, &sent, token, now)
            .await
            .expect("marking events as sent");
        rows.iter().map(|row| CloudEvent::from(&row.event)).collect()
    }

    /// Delivers one event to the function that consumes it.
    ///
    /// # Errors
    /// What the function answers.
    pub async fn deliver(&self, event: &CloudEvent) -> Result<(), Failure> {
        if event.event_type == EventType::ScanCompleted.as_str() {
            stargate_evaluate::take_event_in(&self.evaluator, event).await?;
        }
        Ok(())
    }

    /// Delivers everything that waits, and what follows from it.
    ///
    /// # Panics
    /// When a function fails.
    pub async fn deliver_until_quiet(&mut self) {
        loop {
            let events = self.take_events().await;
            if events.is_empty() {
                return;
            }
            for event in events {
                self.deliver(&event).await.expect("delivering an event");
                if event.event_type != EventType::ScanCompleted.as_str() {
                    self.heard.push(event);
                }
            }
        }
    }

    /// Every transition, as lines: minute, namespace, stage, direction, classes.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn transitions(&self) -> Vec<String> {
        self.lines(
            "select format('%s %s %s %s %s -> %s', (extract(epoch from at - $1) / 60)::int, coalesce(namespace, 'cluster'), stage, direction,
                           coalesce(from_class, '-'), coalesce(to_class, '-'))
             from transitions order by at, namespace, stage",
        )
        .await
    }

    /// Every incident, as lines: scope, namespace, stage, class, state, opened and resolved minute, resolution, size.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn incidents(&self) -> Vec<String> {
        self.lines(
            "select format('%s %s %s %s %s %s..%s %s x%s', scope, coalesce(namespace, '-'), stage, coalesce(failure_class, 'unclassified'), state,
                           (extract(epoch from opened_at - $1) / 60)::int, coalesce(((extract(epoch from resolved_at - $1) / 60)::int)::text, ''),
                           coalesce(resolution, ''), instances)
             from incidents order by opened_at, scope, namespace, stage, fingerprint",
        )
        .await
    }

    /// How many instances are in which state, as lines.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn states(&self) -> Vec<String> {
        self.lines("select format('%s %s', state, count(*)) from instances where $1 is not null group by state order by state")
            .await
    }

    async fn lines(&self, statement: &'static str) -> Vec<String> {
        let lines = sqlx::query_scalar(statement).bind(morning()).fetch_all(&self.db.pool).await;
        lines.expect("reading what an operator would see")
    }
}
