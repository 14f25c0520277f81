//! Event intake: each event over HTTP semantics through the function's router, taken in once, its effect durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use stargate_common::boot::{self, Context};
use stargate_common::clock::Clock;
use stargate_common::events::sink::Sink;
use stargate_common::settings::NoSettings;
use stargate_deadletter::Deadletter;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::measure::Stopwatch;
use crate::sweep::Database;

/// Events in all.
const EVENTS: usize = 20_000;
/// Events under way at once, as a Knative service with a pool of sixteen would have.
const AT_ONCE: usize = 16;

/// Posts distinct events, then the same again.
pub async fn run() {
    println!("== events, one transaction each, fsync on");
    let database = Database::start("events").await;
    let context = Context {
        name: "deadletter",
        settings: NoSettings {},
        db: database.pool.clone(),
        clock: Clock::System,
        sink: Sink::Nowhere,
        shutdown: CancellationToken::new(),
    };
    let router = boot::router::<Deadletter>(context, Duration::from_secs(30))
        .await
        .expect("the function");
    for round in ["new", "duplicates"] {
        let next = Arc::new(AtomicUsize::new(0));
        let watch = Stopwatch::start();
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (router, next) = (router.clone(), Arc::clone(&next));
            workers.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= EVENTS {
                        return;
                    }
                    let response = router.clone().oneshot(event(number)).await.expect("infallible");
                    assert!(response.status().is_success(), "{}", response.status());
                }
            });
        }
        while let Some(worker) = workers.join_next().await {
            worker.expect("a worker");
        }
        let spent = watch.stop();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = EVENTS as f64 / spent.wall.as_secs_f64();
        println!(
            "{round:<16} {EVENTS} events, {rate:.0}/s, CPU {:.2} s of ours",
            spent.cpu.as_secs_f64()
        );
    }
    let kept: i64 = sqlx::query_scalar("select count(*) from dead_letters")
        .fetch_one(&database.pool)
        .await
        .expect("a count");
    println!("kept             {kept} rows");
    database.stop().await;
}

fn event(number: usize) -> Request<Body> {
    Request::post("/")
        .header("ce-specversion", "1.0")
        .header("ce-id", format!("bench-{number}"))
        .header("ce-source", "/stargate/bench")
        .header("ce-type", "io.stargate.scan.completed.v1")
        .header("content-type", "application/json")
        .body(Body::from(format!("{{\"scan_id\":\"{number}\"}}")))
        .expect("a request")
}
