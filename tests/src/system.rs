//! A provisioning system that speaks HTTP and answers each path as it is told, and the job that collects from it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use stargate_collect::{Collect, Settings};
use stargate_common::boot::{Context, Job};
use stargate_common::clock::Clock;
use stargate_common::events::sink::Sink;
use stargate_common::settings;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What one path answers.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    never: bool,
}

impl Reply {
    /// That status and body.
    #[must_use]
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            never: false,
        }
    }

    /// That document.
    #[must_use]
    pub fn json(body: &serde_json::Value) -> Self {
        Self::new(200, body.to_string())
    }

    /// With that header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// No answer at all, for ever.
    #[must_use]
    pub fn never() -> Self {
        Self {
            never: true,
            ..Self::new(200, "")
        }
    }
}

#[derive(Debug)]
struct Told {
    replies: Mutex<BTreeMap<String, Reply>>,
    asked: Mutex<Vec<String>>,
    clock: Clock,
    heard: Notify,
}

/// The system. It stops when it is dropped.
#[derive(Debug)]
pub struct System {
    /// Its address.
    pub url: String,
    told: Arc<Told>,
    server: JoinHandle<()>,
}

impl System {
    /// A system that knows nothing yet: every path answers 404. Its clock is that of the test.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn start(clock: &Clock) -> Self {
        let told = Arc::new(Told {
            replies: Mutex::default(),
            asked: Mutex::default(),
            clock: clock.clone(),
            heard: Notify::new(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&told));
        #[expect(clippy::disallowed_methods, reason = "it is aborted when the system is dropped")]
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("serving") });
        Self { url, told, server }
    }

    /// From now on the path answers so.
    pub fn tell(&self, path: &str, reply: Reply) {
        self.told
            .replies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path.to_owned(), reply);
    }

    /// What was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.told.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until something is asked.
    pub async fn heard(&self) {
        self.told.heard.notified().await;
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(told): State<Arc<Told>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    told.asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(format!("{} {}", request.method(), request.uri()));
    let reply = told.replies.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
    told.heard.notify_one();
    let reply = reply.unwrap_or_else(|| Reply::new(404, ""));
    if reply.never {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(reply.status);
    if !reply.headers.iter().any(|(name, _)| *name == "date") {
        response = response.header("date", http_date(told.clock.now()));
    }
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(reply.body)).expect("a response")
}

/// A time as HTTP writes it.
#[must_use]
pub fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Settings of the job with these arguments.
///
/// # Panics
/// When they are wrong.
#[must_use]
pub fn collect_settings(args: &[&str]) -> Settings {
    let args = std::iter::once("collect").chain(args.iter().copied()).map(Into::into);
    settings::read::<Settings>("collect", args).unwrap_or_else(|error| panic!("{error}"))
}

/// What the job runs with.
#[must_use]
pub fn collect_context(db: &PgPool, clock: &Clock, settings: Settings) -> Context<Settings> {
    Context {
        name: Collect::NAME,
        settings,
        db: db.clone(),
        clock: clock.clone(),
        sink: Sink::Nowhere,
        shutdown: CancellationToken::new(),
    }
}

/// Runs the job once, a quarter of an hour after the last time, and says what it says.
///
/// # Errors
/// What the job says.
pub async fn collect(db: &PgPool, clock: &Clock, settings: Settings) -> anyhow::Result<String> {
    clock.advance(TimeDelta::minutes(15));
    Collect::run(&collect_context(db, clock, settings)).await
}
