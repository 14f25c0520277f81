//! An event that its function refuses: it becomes a dead letter, somebody sends it again, and it is handled.

#![cfg(test)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use stargate_common::boot::{Context, Function, router};
use stargate_common::clock::Clock;
use stargate_common::db::{dead_letters, outbox};
use stargate_common::events::broker::manifest::embedded;
use stargate_common::events::broker::{Broker, LocalBroker, Pause, Subscriber};
use stargate_common::events::sink::Sink;
use stargate_common::events::{ScanCompleted, outgoing, relay};
use stargate_common::settings::NoSettings;
use stargate_deadletter::Deadletter;
use stargate_deadletter::replay::{ReplayError, replay};
use stargate_tests::TestDb;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

struct World {
    db: TestDb,
    clock: Clock,
    sink: Sink,
}

/// A broker over the real manifests, the real dead letter function on `letters`, and an `evaluate` that answers from a list, then 204.
async fn world(letters: impl FnOnce(&PgPool) -> PgPool, answers: &[u16]) -> World {
    rustls::crypto::ring::default_provider().install_default().ok();
    let db = TestDb::new().await;
    let clock = Clock::manual("2026-11-23T10:00:00Z".parse().expect("a time"));
    let shutdown = CancellationToken::new();
    let pause = Pause::Noted(Arc::default());
    let broker = Broker::new(embedded().expect("ours"), clock.clone(), pause, shutdown.clone()).expect("a client");
    let context = Context {
        name: Deadletter::NAME,
        settings: NoSettings {},
        db: letters(&db.pool),
        clock: clock.clone(),
        sink: Sink::Nowhere,
        shutdown,
    };
    let deadletter = router::<Deadletter>(context, Duration::from_secs(30)).await.expect("starts");
    broker.subscribe("deadletter", Subscriber::Local(deadletter));
    let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
    let evaluate = async move || {
        let code = answers.lock().expect("unpoisoned").pop_front().unwrap_or(204);
        (
            StatusCode::from_u16(code).expect("a status"),
            if code == 204 { "" } else { "no such scan" },
        )
    };
    broker.subscribe("evaluate", Subscriber::Local(Router::new().route("/", post(evaluate))));
    let sink = Sink::Local(Arc::new(LocalBroker(broker)));
    World { db, clock, sink }
}

impl World {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    async fn scan_completes(&self) {
        let payload = ScanCompleted {
            scan_id: Uuid::from_u128(7),
            cluster: "demo-1".into(),
            tier: "cluster".into(),
        };
        let event = outgoing("scan", &payload, self.now()).expect("small");
        let mut conn = self.db.pool.acquire().await.expect("a connection");
        outbox::append(&mut conn, &[event], self.now()).await.expect("written");
    }

    async fn relay(&self) -> relay::Flushed {
        relay::flush(&self.db.pool, &self.sink, &self.clock, Duration::from_secs(30))
            .await
            .expect("the database is there")
    }

    async fn open(&self) -> Vec<dead_letters::DeadLetter> {
        dead_letters::open(&self.db.pool, None, 10).await.expect("readable")
    }
}

#[tokio::test]
async fn it_is_kept_sent_again_and_handled() {
    // Refused when it is sent, refused when it is sent again, then handled.
    let world = world(Clone::clone, &[422, 422]).await;
    world.scan_completes().await;
    assert_eq!(world.relay().await, relay::Flushed { sent: 1, failed: 0 });
    let letters = world.open().await;
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!(
        (letter.consumer.as_str(), letter.error_code, letter.error.as_deref()),
        ("evaluate", Some(422), Some("no such scan"))
    );
    assert_eq!(letter.event_type, "io.stargate.scan.completed.v1");

    for still_open in [1, 0] {
        world.clock.advance(TimeDelta::minutes(1));
        replay(&world.db.pool, letter.dead_letter_id, world.now()).await.expect("open");
        assert_eq!(world.open().await.len(), 0, "taken while it is on its way");
        assert_eq!(world.relay().await.sent, 1);
        assert_eq!(world.open().await.len(), still_open);
    }
    let again = replay(&world.db.pool, letter.dead_letter_id, world.now()).await;
    assert!(matches!(again, Err(ReplayError::NotOpen(id)) if id == letter.dead_letter_id));
}

#[tokio::test]
async fn without_a_database_for_letters_it_stays_in_the_outbox() {
    let nowhere = |_: &PgPool| {
        let options = PgPoolOptions::new().acquire_timeout(Duration::from_millis(50));
        options.connect_lazy("postgres://nobody@127.0.0.1:1/none").expect("lazy")
    };
    let world = world(nowhere, &[422, 422]).await;
    world.scan_completes().await;
    assert_eq!(world.relay().await, relay::Flushed { sent: 0, failed: 1 });
    assert_eq!(world.relay().await, relay::Flushed::default(), "not before its time");
    let backlog = outbox::backlog(&world.db.pool).await.expect("readable");
    assert_eq!(backlog.events, 1);
    world.clock.advance(TimeDelta::minutes(1));
    assert_eq!(world.relay().await.failed, 1);
    // Then evaluate handles it after all.
    world.clock.advance(TimeDelta::minutes(2));
    assert_eq!(world.relay().await, relay::Flushed { sent: 1, failed: 0 });
}
