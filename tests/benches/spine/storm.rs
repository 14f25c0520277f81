//! The bad morning of `tests/flow_storm.rs`, measured: ten clusters with 27,929 unhealthy pods, from the first request to the ten lines
//! that an operator reads.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use stargate_common::boot::{Context, Job};
use stargate_common::clock::Clock;
use stargate_common::cluster::ClusterSettings;
use stargate_common::db::{self, PoolSettings};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::events::sink::Sink;
use stargate_common::settings;
use stargate_evaluate::Evaluator;
use stargate_query::access::Identity;
use stargate_query::{QueryState, router};
use stargate_scan::Scan;
use stargate_sim::{Fleet, SimClock};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::measure::Stopwatch;
use crate::sweep::Database;

/// Scans and judges three times, as the first half hour does, and asks for the groups.
pub async fn run() {
    println!("== a storm: 27,929 unhealthy pods on ten clusters");
    let now = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_780);
    let sim_clock = SimClock::starting_at(now);
    let clock = Clock::manual(now);
    let storm = Fleet::storm(7, &sim_clock);
    let served = storm.fleet.serve().await.expect("ports");
    let folder: PathBuf = std::env::temp_dir().join(format!("stargate-bench-storm-{}", std::process::id()));
    served.write_kubeconfigs(&folder).expect("kubeconfigs");
    let database = Database::start("storm").await;
    let mut settings: stargate_scan::Settings = settings::read("scan", ["scan".into()]).expect("settings");
    settings.probe_budget_s = 0;
    settings.clusters = ClusterSettings {
        kubeconfig_dir: Some(folder.clone()),
        ssl_verify: true,
        ..ClusterSettings::default()
    };
    let context = Context {
        name: "scan",
        settings,
        db: database.pool.clone(),
        clock: clock.clone(),
        sink: Sink::Nowhere,
        shutdown: CancellationToken::new(),
    };
    let evaluator = Evaluator {
        db: database.pool.clone(),
        clock: clock.clone(),
        rubrics: Arc::new(RubricSet::embedded().expect("rubrics")),
    };
    for round in ["first", "second", "third"] {
        let watch = Stopwatch::start();
        Scan::run(&context).await.expect("a scan");
        let scanned = watch.stop();
        let mut incidents = 0;
        for cluster in &storm.fleet.clusters {
            let judged = stargate_evaluate::evaluate_cluster(&evaluator, cluster.name())
                .await
                .expect("judging");
            incidents += judged.incidents;
        }
        let all = watch.stop();
        println!(
            "{round:<16} scanned in {:.2} s, judged in {:.2} s (the simulation included: CPU {:.2} s); {incidents} incidents changed",
            scanned.wall.as_secs_f64(),
            (all.wall - scanned.wall).as_secs_f64(),
            all.cpu.as_secs_f64()
        );
        clock.advance(chrono::TimeDelta::minutes(15));
        sim_clock.advance(chrono::TimeDelta::minutes(15));
    }
    let reader = db::connect(&database.url, &PoolSettings::read_only("bench-storm"))
        .await
        .expect("a connection");
    let mut state = QueryState::new(reader.clone(), clock).open_to(Identity::local_admin());
    state.knowledge = Arc::new((&*evaluator.rubrics).into());
    let app = router(state);
    let watch = Stopwatch::start();
    let request = Request::get("/api/v1/overview/groups").body(Body::empty()).expect("a request");
    let response = app.oneshot(request).await.expect("an answer");
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("its body");
    let took = watch.stop();
    let answer: Value = serde_json::from_slice(&body).expect("JSON");
    let groups = answer["data"]["groups"].as_array().map_or(0, Vec::len);
    println!(
        "groups           {groups} groups with {} labs, {} bytes in {:.1} ms",
        answer["data"]["instances"],
        body.len(),
        took.wall.as_secs_f64() * 1e3
    );
    reader.close().await;
    served.stop().await;
    database.stop().await;
    std::fs::remove_dir_all(&folder).ok();
}
