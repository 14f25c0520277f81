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
use stargate_query::{QueryState, router};
use stargate_tests::TestDb;
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
    let mut answers = String::new();
    let app = router(QueryState::new(db.pool.clone(), clock.clone()));
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
