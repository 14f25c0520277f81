//! The relay on a real database: everything arrives, in order within a partition, and what does not stays.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use stargate_common::boot::{self, Context, Job};
use stargate_common::clock::Clock;
use stargate_common::db::outbox::{self, Outgoing};
use stargate_common::events::EventType;
use stargate_common::events::relay::{self, Flushed};
use stargate_common::events::sink::{Accept, SendError, Sink};
use stargate_common::events::wire::CloudEvent;
use stargate_common::settings::NoSettings;
use stargate_tests::TestDb;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A sink that keeps what it takes and refuses subjects on a list.
#[derive(Debug, Default)]
struct Picky {
    taken: Mutex<Vec<CloudEvent>>,
    refused: Mutex<BTreeSet<String>>,
    tries: Mutex<usize>,
    away: bool,
}

impl Accept for Picky {
    fn accept(&self, event: CloudEvent) -> Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + '_>> {
        *self.tries.lock().unwrap() += 1;
        Box::pin(async move {
            if self.away {
                return Err(SendError::NoSink);
            }
            if self.refused.lock().unwrap().contains(event.subject.as_deref().unwrap_or_default()) {
                return Err(SendError::Refused(StatusCode::SERVICE_UNAVAILABLE));
            }
            self.taken.lock().unwrap().push(event);
            Ok(())
        })
    }
}

impl Picky {
    /// Subjects per partition, in the order of arrival.
    fn arrived(&self) -> BTreeMap<String, Vec<String>> {
        let mut arrived: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in self.taken.lock().unwrap().iter() {
            arrived
                .entry(event.extensions["partitionkey"].clone())
                .or_default()
                .push(event.subject.clone().unwrap_or_default());
        }
        arrived
    }
}

fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn event(partition: &str, number: usize) -> Outgoing {
    let subject = format!("{partition}/{number}");
    Outgoing {
        event_id: Uuid::new_v5(&Uuid::NAMESPACE_URL, subject.as_bytes()),
        kind: "io.stargate.readiness.changed.v1".to_owned(),
        source: "/stargate/evaluate".to_owned(),
        subject,
        time: noon(),
        partition_key: partition.to_owned(),
        extensions: BTreeMap::new(),
        data: serde_json::json!({}),
    }
}

async fn fill(db: &TestDb, partitions: &[&str], each: usize) {
    let events: Vec<Outgoing> = (0..each)
        .flat_map(|number| partitions.iter().map(move |partition| event(partition, number)))
        .collect();
    let mut conn = db.pool.acquire().await.unwrap();
    outbox::append(&mut conn, &events, noon()).await.unwrap();
}

async fn flush(db: &TestDb, sink: &Arc<Picky>, clock: &Clock) -> Flushed {
    relay::flush(&db.pool, &Sink::Local(sink.clone()), clock, Duration::from_secs(60))
        .await
        .unwrap()
}

#[tokio::test]
async fn everything_arrives_in_the_order_of_its_partition() {
    let (db, sink, clock) = (TestDb::new().await, Arc::new(Picky::default()), Clock::manual(noon()));
    // More partitions than lanes, more events than one claim.
    let partitions: Vec<String> = (0..25).map(|number| format!("p{number}")).collect();
    let partitions: Vec<&str> = partitions.iter().map(String::as_str).collect();
    fill(&db, &partitions, 20).await;
    assert_eq!(flush(&db, &sink, &clock).await, Flushed { sent: 500, failed: 0 });
    let arrived = sink.arrived();
    assert_eq!(arrived.len(), 25);
    for (partition, subjects) in arrived {
        assert_eq!(subjects, (0..20).map(|number| format!("{partition}/{number}")).collect::<Vec<_>>());
    }
    assert_eq!(flush(&db, &sink, &clock).await, Flushed::default());
}

#[tokio::test]
async fn a_refused_event_holds_back_its_own_partition_only() {
    let (db, sink, clock) = (TestDb::new().await, Arc::new(Picky::default()), Clock::manual(noon()));
    fill(&db, &["a", "b"], 3).await;
    sink.refused.lock().unwrap().insert("a/1".to_owned());
    assert_eq!(flush(&db, &sink, &clock).await, Flushed { sent: 4, failed: 2 });
    assert_eq!(sink.arrived()["a"], ["a/0"]);
    assert_eq!(sink.arrived()["b"], ["b/0", "b/1", "b/2"]);

    sink.refused.lock().unwrap().clear();
    assert_eq!(flush(&db, &sink, &clock).await, Flushed::default(), "the wait is not over");
    clock.advance(TimeDelta::minutes(1));
    assert_eq!(flush(&db, &sink, &clock).await, Flushed { sent: 2, failed: 0 });
    assert_eq!(sink.arrived()["a"], ["a/0", "a/1", "a/2"]);
}

#[tokio::test]
async fn a_sink_that_is_away_is_not_asked_for_every_event() {
    let sink = Arc::new(Picky {
        away: true,
        ..Picky::default()
    });
    let (db, clock) = (TestDb::new().await, Clock::manual(noon()));
    fill(&db, &["only"], 100).await;
    assert_eq!(flush(&db, &sink, &clock).await, Flushed { sent: 0, failed: 100 });
    assert_eq!(*sink.tries.lock().unwrap(), 1);
    assert_eq!(outbox::backlog(&db.pool).await.unwrap().events, 100);
}

#[tokio::test]
async fn relays_side_by_side_send_each_event_once() {
    let (db, sink, clock) = (TestDb::new().await, Arc::new(Picky::default()), Clock::manual(noon()));
    fill(&db, &["a", "b", "c", "d"], 150).await;
    let (one, two, three) = tokio::join!(flush(&db, &sink, &clock), flush(&db, &sink, &clock), flush(&db, &sink, &clock));
    assert_eq!(one.sent + two.sent + three.sent, 600);
    let ids: BTreeSet<String> = sink.taken.lock().unwrap().iter().map(|event| event.id.clone()).collect();
    assert_eq!((ids.len(), sink.taken.lock().unwrap().len()), (600, 600));
}

#[tokio::test]
async fn a_relay_that_was_killed_is_replaced_when_its_claim_runs_out() {
    let (db, sink, clock) = (TestDb::new().await, Arc::new(Picky::default()), Clock::manual(noon()));
    fill(&db, &["a"], 2).await;
    // Claimed by a process that is killed before it sends.
    outbox::claim(&db.pool, 10, TimeDelta::minutes(5), clock.now()).await.unwrap();
    assert_eq!(flush(&db, &sink, &clock).await, Flushed::default());
    clock.advance(TimeDelta::minutes(5));
    assert_eq!(flush(&db, &sink, &clock).await, Flushed { sent: 2, failed: 0 });
}

/// Commits an event, then fails.
struct HalfDone;

impl Job for HalfDone {
    const NAME: &'static str = "half-done";
    const EMITS: &'static [EventType] = &[EventType::ReadinessChanged];
    type Settings = NoSettings;

    async fn run(context: &Context<NoSettings>) -> anyhow::Result<String> {
        let mut conn = context.db.acquire().await?;
        outbox::append(&mut conn, &[event("a", 0)], context.clock.now()).await?;
        anyhow::bail!("the second half is missing")
    }
}

#[tokio::test]
async fn what_a_failed_job_had_committed_is_sent() {
    let (db, sink, clock) = (TestDb::new().await, Arc::new(Picky::default()), Clock::manual(noon()));
    let context = Context {
        name: HalfDone::NAME,
        settings: NoSettings {},
        db: db.pool.clone(),
        clock,
        sink: Sink::Local(sink.clone()),
        shutdown: CancellationToken::new(),
    };
    let error = boot::run::<HalfDone>(&context).await.unwrap_err();
    assert_eq!(error.to_string(), "the second half is missing");
    assert_eq!(sink.arrived()["a"], ["a/0"]);
}
