//! One collection of a large control plane: 20,000 subjects, 20,000 handles, 500 pools. Twice, so that the second shows what an unchanged one costs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use axum::Router;
use axum::extract::{Path as UrlPath, Query};
use axum::routing::get;
use serde_json::{Value, json};
use stargate_collect::Collect;
use stargate_common::boot::{Context, Job};
use stargate_common::clock::Clock;
use stargate_common::db::{self, PoolSettings};
use stargate_common::events::sink::Sink;
use stargate_common::settings;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::measure::{Stopwatch, peak_mib};
use crate::sweep::{Database, child, megabytes, number};
use crate::{ROLE, setting};

/// Handles of a pool.
const EACH: usize = 40;

fn subjects() -> usize {
    setting("STARGATE_BENCH_SUBJECTS", 20_000)
}

/// Collects twice.
pub async fn compare() {
    println!("== one control plane, collected");
    let folder = std::env::temp_dir().join(format!("stargate-bench-plane-{}", std::process::id()));
    let kubeconfigs = folder.join("kubeconfigs");
    std::fs::create_dir_all(&kubeconfigs).expect("a directory");
    let _plane = start(&kubeconfigs).await;
    let database = Database::start("provisioning").await;
    let mut first = 0;
    for collection in ["first", "second"] {
        let (rows, log) = (database.rows_written().await, database.log_bytes().await);
        let did = child("collect", &kubeconfigs, &database.url, &folder).await;
        // Statistics of a backend arrive when it ends.
        database.settle().await;
        let (rows, log) = (database.rows_written().await - rows, database.log_bytes().await - log);
        println!(
            "{collection:<16} {} objects, {} requests, {:.0} MB; wall {:.2} s, CPU {:.2} s, peak {:.0} MiB",
            did["items"],
            did["requests"],
            number(&did, "/bytes") / 1e6,
            number(&did, "/wall"),
            number(&did, "/cpu"),
            number(&did, "/peak_mib")
        );
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        let share = if first == 0 { 100.0 } else { rows as f64 * 100.0 / first as f64 };
        first = first.max(rows);
        println!(
            "                 {rows} rows written = {share:.3} % of the first, {:.2} MB of log",
            megabytes(log)
        );
    }
    database.stop().await;
    std::fs::remove_dir_all(&folder).ok();
}

async fn start(kubeconfigs: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .env(ROLE, "plane")
        .env("STARGATE_BENCH_KUBECONFIGS", kubeconfigs)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the control plane's process");
    let mut said = String::new();
    let stdout = child.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut said).await.expect("its word");
    print!("{said}");
    child
}

/// The process: one collection, as the job does it.
pub async fn run() {
    let url: String = setting("STARGATE_BENCH_URL", String::new());
    let kubeconfigs: PathBuf = setting("STARGATE_BENCH_KUBECONFIGS", PathBuf::new());
    let file = kubeconfigs.join("plane.json");
    let watch = Stopwatch::start();
    let args = [
        "collect".into(),
        "--source".into(),
        "babylon".into(),
        "--babylon-kubeconfig".into(),
        file.into_os_string(),
    ];
    let context = Context {
        name: "collect",
        settings: settings::read("collect", args).expect("settings"),
        db: db::connect(&url, &PoolSettings::read_write("bench-collect"))
            .await
            .expect("a connection"),
        clock: Clock::System,
        sink: Sink::Nowhere,
        shutdown: CancellationToken::new(),
    };
    Collect::run(&context).await.expect("a collection");
    let spent = watch.stop();
    let newest = "select requests, bytes, items, state from collections order by started_at desc limit 1";
    let (requests, bytes, items, state): (i32, i64, i32, String) =
        sqlx::query_as(newest).fetch_one(&context.db).await.expect("the collection");
    assert_eq!(state, "complete", "a part was not read");
    println!(
        "{}",
        json!({"requests": requests, "bytes": bytes, "items": items, "wall": spent.wall.as_secs_f64(), "cpu": spent.cpu.as_secs_f64(), "peak_mib": peak_mib()})
    );
    context.db.close().await;
}

/// The process: a control plane that makes its pages when they are asked for. It ends with its standard input.
pub async fn serve() {
    let router = Router::new().route("/apis/{group}/v1/{plural}", get(list));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let server = format!("http://{}", listener.local_addr().expect("an address"));
    let directory: PathBuf = setting("STARGATE_BENCH_KUBECONFIGS", PathBuf::new());
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c", "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "bench"}}], "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]});
    std::fs::write(directory.join("plane.json"), kubeconfig.to_string()).expect("a kubeconfig");
    println!(
        "control plane    {0} subjects of {1:.1} KB, {0} handles of {2:.1} KB, {3} pools",
        subjects(),
        kilobytes(&subject(7)),
        kilobytes(&handle(7)),
        subjects() / EACH
    );
    let mut nothing = Vec::new();
    let mut input = tokio::io::stdin();
    tokio::select! {
        served = axum::serve(listener, router) => served.expect("serving"),
        _ = input.read_to_end(&mut nothing) => {}
    }
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn kilobytes(object: &Value) -> f64 {
    object.to_string().len() as f64 / 1e3
}

async fn list(UrlPath((_, plural)): UrlPath<(String, String)>, Query(query): Query<BTreeMap<String, String>>) -> String {
    let number = |key: &str| query.get(key).and_then(|text| text.parse::<usize>().ok());
    let (make, count): (fn(usize) -> Value, usize) = match plural.as_str() {
        "anarchysubjects" => (subject, subjects()),
        "resourcehandles" => (handle, subjects()),
        "resourcepools" => (pool, subjects() / EACH),
        _ => (pool, 0),
    };
    let from = number("continue").unwrap_or_default();
    let end = (from + number("limit").unwrap_or(500)).min(count);
    let more = if end < count { end.to_string() } else { String::new() };
    let items: Vec<String> = (from..end).map(|index| make(index).to_string()).collect();
    format!(
        r#"{{"kind":"List","metadata":{{"continue":"{more}"}},"items":[{}]}}"#,
        items.join(",")
    )
}

fn guid(index: usize) -> String {
    format!("k{index:05}")
}

fn metadata(namespace: &str, name: &str, kind: u32, index: usize) -> Value {
    let paths: serde_json::Map<String, Value> = (0..40)
        .map(|field| (format!("f:some-field-of-the-object-{field}"), json!({".": {}, "f:value": {}})))
        .collect();
    json!({"namespace": namespace, "name": name, "uid": format!("{kind:08x}-0000-4000-8000-{index:012x}"), "creationTimestamp": "2026-01-01T00:00:00Z",
        "resourceVersion": index.to_string(), "generation": 3,
        "managedFields": [{"manager": "kopf", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:metadata": paths.clone()}},
            {"manager": "python", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:spec": paths}}]})
}

fn subject(index: usize) -> Value {
    let guid = guid(index);
    let governor = format!("acme.item-{}.event", index % 97);
    let mut metadata = metadata(&format!("babylon-anarchy-{}", index % 7), &format!("{governor}-{guid}"), 1, index);
    metadata["finalizers"] = json!(["anarchy.gpte.redhat.com", "anarchy.gpte.redhat.com/subject"]);
    metadata["labels"] = json!({"state": "started", "anarchy.gpte.redhat.com/governor": governor});
    metadata["annotations"] = json!({
        "poolboy.gpte.redhat.com/resource-handle-name": format!("guid-{guid}"), "poolboy.gpte.redhat.com/resource-handle-namespace": "poolboy",
        "poolboy.gpte.redhat.com/resource-pool-name": format!("pool-{}", index / EACH), "poolboy.gpte.redhat.com/resource-pool-namespace": "poolboy",
        "poolboy.gpte.redhat.com/resource-requester-email": "somebody@example.test",
    });
    let users: Vec<Value> = (0..20)
        .map(|user| json!({"user": format!("user{user}"), "password": "a-password-of-some-length", "lab_ui_url": format!("https://showroom-{guid}-user{user}.apps.lab.example.test/")}))
        .collect();
    let times = json!({"startTimestamp": "2026-01-01T00:01:00Z", "completeTimestamp": "2026-01-01T00:50:00Z", "state": "successful"});
    json!({"apiVersion": "anarchy.gpte.redhat.com/v1", "kind": "AnarchySubject", "metadata": metadata,
        "spec": {"governor": governor, "vars": {"current_state": "started", "desired_state": "started", "healthy": true,
            "provision_data": {"users": users, "kubeconfig": "x".repeat(1200)}, "provision_messages": ["y".repeat(600)],
            "job_vars": {"guid": guid, "uuid": format!("00000000-0000-5000-8000-{index:012x}"), "cloud_provider": "openshift_cnv",
                "sandbox_openshift_cluster": format!("lab-cluster-{}", index % 8), "sandbox_openshift_namespace": format!("sandbox-{guid}-ocp4-cluster"),
                "sandbox_openshift_api_url": format!("https://api.lab-cluster-{}.example.test:6443", index % 8)}}},
        "status": {"runStatus": "successful", "supportedActions": {"start": {}, "stop": {}, "status": {}}, "diffBase": "z".repeat(900),
            "actions": {"provision": times},
            "towerJobs": {"provision": {"deployerJob": 40_000 + index, "towerHost": "aap-a.example.test", "jobStatus": "successful",
                "startTimestamp": "2026-01-01T00:02:00Z", "completeTimestamp": "2026-01-01T00:50:00Z"}}}})
}

fn handle(index: usize) -> Value {
    let guid = guid(index);
    let governor = format!("acme.item-{}.event", index % 97);
    let claimed =
        (!index.is_multiple_of(4)).then(|| json!({"name": format!("order-{index}"), "namespace": format!("user-{}", index % 900)}));
    json!({"apiVersion": "poolboy.gpte.redhat.com/v1", "kind": "ResourceHandle", "metadata": metadata("poolboy", &format!("guid-{guid}"), 2, index),
        "spec": {"resourcePool": {"name": format!("pool-{}", index / EACH), "namespace": "poolboy"}, "resourceClaim": claimed,
            "provider": {"name": governor, "parameterValues": {"purpose": "w".repeat(300)}}, "lifespan": {"end": "2026-12-01T00:00:00Z"},
            "resources": [{"name": governor, "provider": {"name": governor}, "template": {"spec": {"vars": {"job_vars": {"text": "v".repeat(1000)}}}}}]},
        "status": {"healthy": true, "ready": true, "diffBase": "u".repeat(600),
            "resources": [{"name": governor, "healthy": true, "ready": true, "reference": {"apiVersion": "anarchy.gpte.redhat.com/v1",
                "kind": "AnarchySubject", "namespace": format!("babylon-anarchy-{}", index % 7), "name": format!("{governor}-{guid}")}}]}})
}

fn pool(index: usize) -> Value {
    let unclaimed: Vec<Value> = (0..EACH)
        .step_by(4)
        .map(|handle| json!({"name": format!("guid-{}", guid(index * EACH + handle)), "healthy": true, "ready": true}))
        .collect();
    json!({"apiVersion": "poolboy.gpte.redhat.com/v1", "kind": "ResourcePool", "metadata": metadata("poolboy", &format!("pool-{index}"), 3, index),
        "spec": {"minAvailable": 10, "maxUnready": 3, "provider": {"name": format!("acme.item-{}.event", index % 97)}, "lifespan": {"unclaimed": "7d"}},
        "status": {"resourceHandleCount": {"available": unclaimed.len(), "ready": unclaimed.len()}, "resourceHandles": unclaimed}})
}
