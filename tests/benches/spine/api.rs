//! The API at 24,000 instances and 90 days of history, over real HTTP at a fixed rate.
//!
//! Requests leave on schedule whether earlier ones were answered or not, so a slow answer is not hidden by asking less.

use std::time::{Duration, Instant};

use stargate_common::boot::{self, Context, Server};
use stargate_common::clock::Clock;
use stargate_common::db::{self, PoolSettings};
use stargate_common::events::sink::Sink;
use stargate_common::settings;
use stargate_query::Query;
use stargate_query::access::Identity;
use stargate_tests::seed::{self, FleetSize};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::measure::{Stopwatch, percentile};
use crate::sweep::Database;

/// How long each rate is held.
const HELD: Duration = Duration::from_secs(10);

/// Measures the pages that everybody opens.
pub async fn run() {
    println!("== API, 24,000 instances, 90 days");
    let database = Database::start("api").await;
    seed::fleet(&database.pool, FleetSize::FULL, Clock::System.now()).await;
    let reader = db::connect(&database.url, &PoolSettings::read_only("stargate-query"))
        .await
        .expect("a connection");
    let shutdown = CancellationToken::new();
    let mut settings = settings::read::<<Query as Server>::Settings>("query", ["query".into()]).expect("settings");
    settings.access.everybody = Some(Identity::local_admin());
    let context = Context {
        name: Query::NAME,
        settings,
        db: reader,
        clock: Clock::System,
        sink: Sink::Nowhere,
        shutdown: shutdown.clone(),
    };
    let router = Query::start(&context).await.expect("the API");
    let probe = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port");
    let mut server = JoinSet::new();
    server.spawn(boot::serve(router, probe, shutdown.clone()));
    let client = reqwest::Client::builder().gzip(false).build().expect("a client");
    let base = format!("http://{probe}/api/v1");
    while client.get(format!("{base}/overview")).send().await.is_err() {
        tokio::task::yield_now().await;
    }
    for path in ["overview", "labs", "instances?state=failing", "incidents?state=open", "clusters"] {
        let url = format!("{base}/{path}");
        let answer = client.get(&url).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let etag = answer.headers().get("etag").cloned();
        let size = answer.bytes().await.expect("a body").len();
        for rate in [200, 1_000] {
            let (taken, cpu) = hold(&client, &url, rate).await;
            println!(
                "{path:<24} {:>5.1} kB  {rate:>4}/s  p50 {:>6.1} ms  p99 {:>6.1} ms  max {:>6.1} ms  CPU {:.1} s of ours and the client's",
                kilobytes(size),
                percentile(&taken, 0.50).as_secs_f64() * 1e3,
                percentile(&taken, 0.99).as_secs_f64() * 1e3,
                percentile(&taken, 1.0).as_secs_f64() * 1e3,
                cpu.as_secs_f64()
            );
        }
        if let Some(etag) = etag {
            let begun = Instant::now();
            let again = client.get(&url).header("if-none-match", etag).send().await.expect("an answer");
            println!(
                "{path:<24} unchanged: {} in {:.1} ms",
                again.status(),
                begun.elapsed().as_secs_f64() * 1e3
            );
        }
    }
    shutdown.cancel();
    while server.join_next().await.is_some() {}
    database.stop().await;
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1e3
}

/// Sends `rate` requests a second; returns how long each took, sorted, and the processor time of this process.
async fn hold(client: &reqwest::Client, url: &str, rate: u32) -> (Vec<Duration>, Duration) {
    let watch = Stopwatch::start();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut asked = JoinSet::new();
    let mut taken = Vec::new();
    let until = Instant::now() + HELD;
    while Instant::now() < until {
        let due = tick.tick().await;
        let request = client.get(url);
        asked.spawn(async move {
            let answer = request.send().await.expect("an answer");
            assert!(answer.status().is_success(), "{}", answer.status());
            answer.bytes().await.expect("a body");
            due.elapsed()
        });
        while let Some(done) = asked.try_join_next() {
            taken.push(done.expect("a request"));
        }
    }
    while let Some(done) = asked.join_next().await {
        taken.push(done.expect("a request"));
    }
    taken.sort_unstable();
    (taken, watch.stop().cpu)
}
