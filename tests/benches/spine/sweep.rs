//! A full sweep of one cluster: fetch, project, store, judge. Twice, so that the second shows what an unchanged cluster costs.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::PgPool;
use stargate_common::boot::{Context, Job};
use stargate_common::clock::Clock;
use stargate_common::cluster::ClusterSettings;
use stargate_common::db::private::{Durability, PrivateServer};
use stargate_common::db::{self, PoolSettings};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::events::sink::Sink;
use stargate_common::settings::{self, ExposeSecret};
use stargate_evaluate::Evaluator;
use stargate_scan::Scan;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::measure::{Stopwatch, peak_mib};
use crate::{ROLE, fleet, setting};

/// A durable database for a benchmark, thrown away at its end.
pub struct Database {
    server: Arc<PrivateServer>,
    /// Connections to it.
    pub pool: PgPool,
    /// Its URL.
    pub url: String,
    home: PathBuf,
}

impl Database {
    /// Starts a server with the durability of production and migrates a database on it.
    pub async fn start(name: &str) -> Self {
        let home = std::env::temp_dir().join(format!("stargate-bench-{name}-{}", std::process::id()));
        let folder = home.clone();
        let server = tokio::task::spawn_blocking(move || PrivateServer::start(&folder, None, Durability::Safe))
            .await
            .expect("a thread")
            .expect("PostgreSQL");
        let admin = db::connect(server.url("postgres").expose_secret(), &PoolSettings::read_write("bench"))
            .await
            .expect("a connection");
        sqlx::query("create database bench").execute(&admin).await.expect("a database");
        admin.close().await;
        let url = server.url("bench").expose_secret().to_owned();
        let pool = db::connect(
            &url,
            &PoolSettings {
                connections: 16,
                ..PoolSettings::read_write("bench")
            },
        )
        .await
        .expect("a connection");
        db::migrate(&pool).await.expect("migrations");
        Self {
            server: Arc::new(server),
            pool,
            url,
            home,
        }
    }

    /// Stops the server and removes its files.
    pub async fn stop(self) {
        self.pool.close().await;
        let server = Arc::clone(&self.server);
        tokio::task::spawn_blocking(move || server.stop())
            .await
            .expect("a thread")
            .expect("stopped");
        std::fs::remove_dir_all(&self.home).ok();
    }

    /// Rows written so far, all tables.
    pub async fn rows_written(&self) -> i64 {
        sqlx::query_scalar("select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint from pg_stat_user_tables")
            .fetch_one(&self.pool)
            .await
            .expect("statistics")
    }

    /// Waits until nobody else is connected: a backend reports what it wrote when it ends.
    pub async fn settle(&self) {
        let others = "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'bench-collect'";
        while sqlx::query_scalar::<_, i64>(others)
            .fetch_one(&self.pool)
            .await
            .expect("statistics")
            > 0
        {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Bytes of write-ahead log so far.
    pub async fn log_bytes(&self) -> i64 {
        sqlx::query_scalar("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
            .fetch_one(&self.pool)
            .await
            .expect("a position")
    }
}

/// Sweeps twice and compares with the yardstick.
pub async fn compare() {
    println!("== one cluster, swept");
    let folder = std::env::temp_dir().join(format!("stargate-bench-pages-{}", std::process::id()));
    let served = fleet::start(&folder).await;
    let parsed = child("parse", &served.kubeconfigs, "", &folder.join("pages")).await;
    std::fs::remove_dir_all(folder.join("pages")).ok();
    let yardstick = number(&parsed, "/seconds");
    println!(
        "bare parse       {} objects, {:.0} MB, {yardstick:.2} s of one core",
        parsed["items"],
        number(&parsed, "/bytes") / 1e6
    );

    let database = Database::start("sweep").await;
    let mut first_writes = 0;
    for sweep in ["first sweep", "second sweep"] {
        let (rows, log) = (database.rows_written().await, database.log_bytes().await);
        let did = child("sweep", &served.kubeconfigs, &database.url, &folder).await;
        let (rows, log) = (database.rows_written().await - rows, database.log_bytes().await - log);
        let cpu = number(&did, "/cpu");
        println!(
            "{sweep:<16} {} requests, {:.0} MB; wall {:.2} s, CPU {cpu:.2} s = {:.2} x bare parse, peak {:.0} MiB",
            did["requests"],
            number(&did, "/bytes") / 1e6,
            number(&did, "/wall"),
            cpu / yardstick,
            number(&did, "/peak_mib")
        );
        println!(
            "                 of that: read and stored in {:.2} s (CPU {:.2} s), judged in {:.2} s (CPU {:.2} s)",
            number(&did, "/scan_wall"),
            number(&did, "/scan_cpu"),
            number(&did, "/wall") - number(&did, "/scan_wall"),
            cpu - number(&did, "/scan_cpu")
        );
        if first_writes == 0 {
            first_writes = rows;
            println!("                 {rows} rows written, {:.1} MB of log", megabytes(log));
        } else {
            #[expect(clippy::cast_precision_loss, reason = "a share for people")]
            let share = rows as f64 * 100.0 / first_writes as f64;
            println!(
                "                 {rows} rows written = {share:.2} % of the first, {:.1} MB of log",
                megabytes(log)
            );
        }
    }
    let lists: Vec<(String, i32)> = sqlx::query_as("select kind, items from cluster_kinds where missing is null order by items desc")
        .fetch_all(&database.pool)
        .await
        .expect("kinds");
    println!(
        "kinds            {}",
        lists
            .iter()
            .map(|(kind, items)| format!("{kind} {items}"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    database.stop().await;
    std::fs::remove_dir_all(&folder).ok();
}

/// Bytes in millions.
#[expect(clippy::cast_precision_loss, reason = "a size for people")]
pub fn megabytes(bytes: i64) -> f64 {
    bytes as f64 / 1e6
}

/// A figure of a child.
pub fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// Runs this program in another role and takes its figures.
pub async fn child(role: &str, kubeconfigs: &Path, url: &str, folder: &Path) -> Value {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .env(ROLE, role)
        .env("STARGATE_BENCH_KUBECONFIGS", kubeconfigs)
        .env("STARGATE_BENCH_URL", url)
        .env("STARGATE_BENCH_FOLDER", folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .expect("a process");
    assert!(
        output.status.success(),
        "{role} failed: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    serde_json::from_slice(&output.stdout).expect("its figures")
}

/// The process: one sweep, as the job and the function do it.
pub async fn run() {
    let url: String = setting("STARGATE_BENCH_URL", String::new());
    let watch = Stopwatch::start();
    let mut settings: stargate_scan::Settings = settings::read("scan", ["scan".into()]).expect("settings");
    // The hosts of a simulated cluster do not resolve, and waiting for that is not what is measured.
    settings.probe_budget_s = 0;
    settings.clusters = ClusterSettings {
        kubeconfig_dir: Some(setting("STARGATE_BENCH_KUBECONFIGS", PathBuf::new())),
        ssl_verify: true,
        ..ClusterSettings::default()
    };
    let context = Context {
        name: "scan",
        settings,
        db: db::connect(&url, &PoolSettings::read_write("bench-sweep"))
            .await
            .expect("a connection"),
        clock: Clock::System,
        sink: Sink::Nowhere,
        shutdown: CancellationToken::new(),
    };
    Scan::run(&context).await.expect("a scan");
    let scanned = watch.stop();
    let evaluator = Evaluator {
        db: context.db.clone(),
        clock: Clock::System,
        rubrics: Arc::new(RubricSet::embedded().expect("rubrics")),
    };
    let judged = stargate_evaluate::evaluate_cluster(&evaluator, "bench-1")
        .await
        .expect("an evaluation");
    let all = watch.stop();
    let (requests, bytes): (i32, i64) = sqlx::query_as("select requests, bytes from scans order by started_at desc limit 1")
        .fetch_one(&context.db)
        .await
        .expect("the scan");
    println!(
        "{}",
        json!({
            "requests": requests, "bytes": bytes, "stages": judged.stages, "wall": all.wall.as_secs_f64(), "cpu": all.cpu.as_secs_f64(),
            "scan_wall": scanned.wall.as_secs_f64(), "scan_cpu": scanned.cpu.as_secs_f64(), "peak_mib": peak_mib(),
        })
    );
    context.db.close().await;
}
