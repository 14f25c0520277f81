//! Tokens, passwords, kubeconfigs and people's addresses stand in every payload of every source; none reaches the database, logs, events or the API.
//!
//! A source is added to `sources()`: what starts it, and the arguments with which the job reads it. [`plant`] puts the secrets into every object
//! of a payload, as fields of their own and behind text that is there.

#![cfg(test)]

use std::any::Any;
use std::io::Write;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use stargate_common::clock::Clock;
use stargate_query::access::Identity;
use stargate_query::{QueryState, router};
use stargate_tests::TestDb;
use stargate_tests::plane::{self, Plane};
use stargate_tests::system::{Reply, System, collect, collect_settings};
use tower::ServiceExt;

/// What must not be found anywhere. Each has a part that no redaction leaves by chance.
const PLANTED: [&str; 7] = [
    "pw-Zq7hunter2Zq7",
    "sha256~Zq7tokenZq7abcdefghij",
    "eyJhbGciOiJIUzI1NiJ9.eyJacTciOiJacTcifQ.Zq7signatureZq7",
    "Zq7attendee@mail.example.com",
    "apiVersion: v1\nkind: Config\nusers:\n- name: Zq7\n  user:\n    token: Zq7kubeconfigZq7",
    "-----BEGIN PRIVATE KEY-----\nZq7keyZq7\n-----END PRIVATE KEY-----",
    "Zq7 Lovelace",
];
/// All of them hold it, and nothing else does.
const MARK: &str = "Zq7";

/// A source that is started, and how the job reads it. What is in the box stops it when it is dropped.
type Started = (Vec<String>, Box<dyn Any>);
type Start = fn(Clock) -> Pin<Box<dyn Future<Output = Started>>>;

/// Every source with payloads that are full of secrets.
fn sources() -> Vec<(&'static str, Start)> {
    vec![
        ("labagator", |clock| Box::pin(labagator(clock))),
        ("demolition", |clock| Box::pin(demolition(clock))),
        ("babylon", |clock| Box::pin(babylon(clock))),
        ("agnosticv", |clock| Box::pin(agnosticv(clock))),
        ("aap", |clock| Box::pin(aap(clock))),
        ("sandbox-api", |clock| Box::pin(sandbox_api(clock))),
    ]
}

/// Puts secrets into every object: new fields of many names, and behind every text of these fields, which are kept as free text.
fn plant(value: &mut Value, prose: &[&str]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| plant(item, prose)),
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                match value {
                    Value::String(text) if prose.contains(&name.as_str()) => {
                        for secret in &PLANTED[..6] {
                            *text = format!("{text} password={secret}");
                        }
                        *text = format!("{text} token: {} by {}", PLANTED[1], PLANTED[3]);
                    }
                    other => plant(other, prose),
                }
            }
            let names = [
                "password",
                "token",
                "access_token",
                "owner_email",
                "kubeconfig",
                "private_key",
                "lead_developer",
            ];
            for (name, secret) in names.iter().zip(PLANTED) {
                object.entry((*name).to_owned()).or_insert_with(|| secret.into());
            }
            let nested = json!({"credentials": PLANTED, "users": [{"name": PLANTED[6], "email": PLANTED[3]}]});
            object.entry("extra").or_insert(nested);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

async fn labagator(clock: Clock) -> Started {
    let system = System::start(&clock).await;
    let mut labs =
        json!([{"lab_code": "LB0042", "title": "Virtual machines", "status": "planning", "cloud": "CNV", "deploy_mode": "per_attendee"}]);
    let mut sessions = json!([
        {"id": 1, "lab_code": "LB0042", "session_date": "2031-03-05", "start_time": "09:00:00", "room": "Hall 4", "status": "planned"},
        {"id": 2, "lab_code": "LB0042", "session_date": PLANTED[3], "start_time": PLANTED[0]},
        {"id": 3, "lab_code": "LB0042", "session_date": "2031-03-05", "start_time": PLANTED[0]},
    ]);
    plant(&mut labs, &["title", "status", "cloud", "deploy_mode"]);
    plant(&mut sessions, &["room", "status"]);
    system.tell("/labs/", Reply::json(&labs));
    system.tell("/room-sessions/", Reply::json(&sessions));
    (
        vec![
            "--labagator-url".into(),
            system.url.clone(),
            "--labagator-token".into(),
            PLANTED[1].into(),
        ],
        Box::new(system),
    )
}

async fn demolition(clock: Clock) -> Started {
    let system = System::start(&clock).await;
    let mut runs = json!([
        {"id": 7, "name": "LB0042", "status": "completed", "worker_count": 20, "last_result": {"total": 20, "completed": 20, "failed": 0},
         "workshop_url": format!("https://robot:{}@demo.example.com/workshop/x2z9?userEmail={}", PLANTED[0], PLANTED[3])},
        {"id": PLANTED[0], "name": "odd"},
    ]);
    plant(&mut runs, &["name", "status"]);
    system.tell("/integration/sessions", Reply::json(&runs));
    (
        vec![
            "--demolition-url".into(),
            system.url.clone(),
            "--demolition-token".into(),
            PLANTED[1].into(),
        ],
        Box::new(system),
    )
}

/// An object of the control plane, with secrets in everything that is not its name.
fn planted(namespace: &str, name: &str, spec: Value, status: Value) -> Value {
    let mut object = json!({"metadata": {"namespace": namespace, "name": name, "uid": format!("uid-{name}"),
        "creationTimestamp": "2031-03-04T09:00:00Z", "labels": {}, "annotations": {}}, "spec": spec, "status": status});
    plant(&mut object, &["runStatusMessage", "statusMessage"]);
    object
}

async fn babylon(clock: Clock) -> Started {
    let plane = Plane::start(&clock, PLANTED[1]).await;
    let item = "acme.web.event";
    let vars = json!({"current_state": "started", "desired_state": "started",
        "job_vars": {"guid": "q0000", "uuid": "3f0c2f5e-7a41-5d1b-9a57-6f1d0c9be201",
            "sandbox_openshift_api_url": format!("https://admin:{}@api.lab.example.test:6443/?token={}", PLANTED[0], PLANTED[1])},
        "provision_data": {"console": PLANTED}, "provision_messages": PLANTED});
    let subject = planted(
        "babylon-anarchy-1",
        "acme.web.event-q0000",
        json!({"governor": item, "vars": vars}),
        json!({"runStatus": "failed", "runStatusMessage": "it failed"}),
    );
    let run = planted(
        "babylon-anarchy-1",
        "run-1",
        json!({"subject": {"name": "acme.web.event-q0000", "vars": {}}}),
        json!({"failures": 2, "result": {"statusMessage": "it failed"}}),
    );
    let claim = json!({"name": "order", "namespace": "user-1"});
    let lists = [
        ("anarchy.gpte.redhat.com/v1/anarchysubjects", subject),
        ("anarchy.gpte.redhat.com/v1/anarchyruns", run),
        (
            "anarchy.gpte.redhat.com/v1/anarchyrunners",
            planted("babylon-anarchy-1", "default", json!({}), json!({"pods": []})),
        ),
        (
            "poolboy.gpte.redhat.com/v1/resourcehandles",
            planted("poolboy", "guid-q0000", json!({"resourceClaim": claim}), json!({"ready": true})),
        ),
        (
            "poolboy.gpte.redhat.com/v1/resourceclaims",
            planted("user-1", "order", json!({}), json!({"summary": {"state": "started"}})),
        ),
        (
            "poolboy.gpte.redhat.com/v1/resourcepools",
            planted("poolboy", "webshop", json!({"minAvailable": 2}), json!({})),
        ),
        (
            "poolboy.gpte.redhat.com/v1/resourceproviders",
            planted("poolboy", item, json!({"override": {}}), json!({})),
        ),
        (
            "babylon.gpte.redhat.com/v1/catalogitems",
            planted("babylon-catalog-event", item, json!({"displayName": "Web"}), json!({})),
        ),
        (
            "babylon.gpte.redhat.com/v1/workshops",
            planted(
                "user-1",
                "w",
                json!({"displayName": "Web", "accessPassword": PLANTED[0]}),
                json!({}),
            ),
        ),
        (
            "babylon.gpte.redhat.com/v1/workshopprovisions",
            planted("user-1", "wp", json!({"count": 3}), json!({})),
        ),
    ];
    for (path, object) in lists {
        plane.system.tell(&format!("/apis/{path}"), plane::list(&[object]));
    }
    (vec!["--babylon-kubeconfig".into(), plane.kubeconfig()], Box::new(plane))
}

async fn agnosticv(clock: Clock) -> Started {
    let plane = Plane::start(&clock, PLANTED[1]).await;
    let mut definition = json!({"cloud_provider": "none", "workloads": ["acme.web.ocp4_workload_shop"],
        "ocp4_workload_showroom_content_git_repo": format!("https://robot:{}@git.example.org/acme/content.git", PLANTED[0]),
        "__meta__": {"deployer": {"scm_url": format!("https://{}@git.example.org/acme/deployer", PLANTED[0])}}});
    plant(&mut definition, &[]);
    let stuck = json!({"metadata": {"name": "labs"}, "status": {"error": {"timestamp": "2031-03-04T09:00:00Z",
        "message": format!("cloning https://robot:{}@git.example.org/a/b failed: token={} password={}", PLANTED[0], PLANTED[1], PLANTED[0])}}});
    let mut component = plane::component("acme.web.event", &definition);
    plant(&mut component, &[]);
    plane.system.tell(plane::COMPONENTS, plane::list(&[component]));
    plane.system.tell(plane::REPOSITORIES, plane::list(&[stuck]));
    (vec!["--babylon-kubeconfig".into(), plane.kubeconfig()], Box::new(plane))
}

async fn aap(clock: Clock) -> Started {
    let system = System::start(&clock).await;
    let name = "org acme.web.event-q0000-provision-8fj2 3f0c2f5e-7a41-5d1b-9a57-6f1d0c9be201";
    let mut job = json!({"id": 7, "name": name, "status": "failed", "created": "2031-03-04T09:00:00Z", "finished": "2031-03-04T09:30:00Z",
        "job_explanation": "it failed", "extra_vars": PLANTED.join(" "), "event_processing_finished": true});
    plant(&mut job, &["job_explanation"]);
    let mut failed = json!({"event": "runner_on_failed", "failed": true, "counter": 9, "host_name": "bastion", "task": "Order it", "role": "shop",
        "stdout": PLANTED.join("\n"), "event_data": {"task_action": "uri", "res": {"msg": "it answered 500", "invocation": PLANTED}}});
    plant(&mut failed, &["msg"]);
    let stats = json!({"event": "playbook_on_stats", "counter": 10, "event_data": {"failures": {"bastion": 1}}});
    system.tell(
        "/api/v2/jobs/",
        Reply::json(&json!({"count": 1, "next": null, "results": [job.clone()]})),
    );
    system.tell("/api/v2/jobs/7/", Reply::json(&job));
    system.tell(
        "/api/v2/jobs/7/job_events/",
        Reply::json(&json!({"count": 2, "next": null, "results": [stats, failed]})),
    );
    let folder = Folder::new();
    let file = |name: &str, text: String| {
        let path = folder.0.join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let token = file("token", PLANTED[1].to_owned());
    let controllers = format!(
        "controllers:\n  - host: aap-a.example.test\n    url: {}\n    token_file: {token}\n",
        system.url
    );
    let controllers = file("controllers.yaml", controllers);
    (vec!["--aap-controllers".into(), controllers], Box::new((system, folder)))
}

async fn sandbox_api(clock: Clock) -> Started {
    let system = System::start(&clock).await;
    let access = json!({"access_token": PLANTED[2], "access_token_exp": "2031-03-04T14:00:00Z"});
    system.tell("/api/v1/login", Reply::json(&access));
    let mut placements = json!([{"name": "q0000-3f0c2f5e", "kind": "OcpSandbox", "service_uuid": "3f0c2f5e-7a41-5d1b-9a57-6f1d0c9be201",
        "ocp_cluster": "lab-1", "namespace": "sandbox-q0000-web", "status": "error", "error_message": "it failed",
        "annotations": {"guid": "q0000", "owner": PLANTED[6], "owner_email": PLANTED[3]}, "credentials": PLANTED}]);
    plant(&mut placements, &["error_message"]);
    let mut clusters = json!([{"name": "lab-1", "valid": true, "api_url": format!("https://admin:{}@api.lab.example.test:6443", PLANTED[0]),
        "deployer_admin_sa_token": PLANTED[1], "data": {"connection_status": "ok"}}]);
    plant(&mut clusters, &[]);
    system.tell("/api/v1/accounts/OcpSandbox", Reply::json(&placements));
    system.tell("/api/v1/ocp-shared-cluster-configurations", Reply::json(&clusters));
    system.tell("/api/v1/health", Reply::new(200, PLANTED.join(" ")));
    system.tell("/api/v1/version", Reply::json(&json!({"version": "1.2.3", "token": PLANTED[1]})));
    let metrics = format!(
        "sandbox_ratelimit_max{{cluster=\"lab-1\",token=\"{}\"}} 10\nsandbox_queued_placements_total 0\n",
        PLANTED[1]
    );
    system.tell("/metrics", Reply::new(200, metrics));
    let args = ["--sandbox-api-url", &system.url, "--sandbox-api-login-token", PLANTED[1]];
    (args.map(str::to_owned).to_vec(), Box::new(system))
}

/// A folder that goes when the test ends.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("stargate-secrets-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Log lines, in memory.
#[derive(Debug, Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every path of the API that needs no name.
fn paths() -> Vec<String> {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/query/openapi.json");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(document).expect("the document")).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let plain = paths
        .iter()
        .filter(|(path, operations)| !path.contains('{') && operations["get"].is_object() && !path.contains("stream"));
    plain
        .map(|(path, _)| {
            if path.starts_with("/api/") {
                path.clone()
            } else {
                format!("/api/v1{path}")
            }
        })
        .collect()
}

#[tokio::test(flavor = "current_thread")]
async fn nothing_that_was_planted_is_found_anywhere() {
    let logs = Logs::default();
    let writer = logs.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let clock = Clock::manual("2031-03-04T10:00:00Z".parse().expect("a time"));
    let db = TestDb::new().await;
    let mut told = String::new();
    for (source, start) in sources() {
        let (mut args, _running) = start(clock.clone()).await;
        args.extend(["--source".to_owned(), source.to_owned()]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let settings = collect_settings(&args);
        assert!(
            !format!("{settings:?}").contains(MARK),
            "{source}: settings are printed with their secrets"
        );
        let line = collect(&db.pool, &clock, settings).await.expect("a collection");
        assert!(
            !line.contains("not read") && !line.contains(" 0 objects"),
            "{source} was not read, so nothing is proven: {line}"
        );
        told.push_str(&line);
    }
    let rows: String = sqlx::query_scalar("select database_to_xml(true, false, '')::text")
        .fetch_one(&db.pool)
        .await
        .expect("a dump");
    assert!(
        rows.contains("LB0042") && rows.contains("io.stargate.collection.completed.v1"),
        "the dump holds records and events"
    );
    for read in [
        "uid-acme.web.event-q0000",
        "it answered 500",
        "ocp4_workload_shop",
        "sandbox-q0000-web",
        "\"queued_placements\": 0",
    ] {
        assert!(
            rows.contains(read) || rows.contains(&read.replace('"', "&quot;")),
            "{read} was not read, so nothing is proven"
        );
    }
    let mut answers = String::new();
    let app = router(QueryState::new(db.pool.clone(), clock.clone()).open_to(Identity::local_admin()));
    let paths = paths();
    assert!(paths.iter().any(|path| path.ends_with("/sources")), "{paths:?}");
    for path in paths {
        let request = Request::get(&path).body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("an answer");
        let body = to_bytes(response.into_body(), 16 << 20).await.expect("a body");
        answers.push_str(&String::from_utf8_lossy(&body));
    }
    let logged = String::from_utf8_lossy(&logs.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    assert!(logged.contains("insert into records"), "statements are logged at this level");
    for (place, text) in [
        ("the database", &rows),
        ("the API", &answers),
        ("the job's line", &told),
        ("logs", &logged),
    ] {
        if let Some(at) = text.find(MARK) {
            let from = text.floor_char_boundary(at.saturating_sub(300));
            panic!("{place}: …{}", &text[from..text.floor_char_boundary(at + 60)]);
        }
    }
}
