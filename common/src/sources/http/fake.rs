//! A system that answers as it is told, for the tests of clients.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use reqwest::Url;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{ClientSettings, Patience};
use crate::clock::Clock;
use crate::sources::Run;

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// The body never ends.
    hangs: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            hangs: false,
        }
    }

    pub(crate) fn json(body: &serde_json::Value) -> Self {
        Self::new(200, body.to_string())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn hanging() -> Self {
        Self {
            hangs: true,
            ..Self::new(200, "[")
        }
    }
}

#[derive(Debug, Default)]
struct Told {
    replies: VecDeque<Reply>,
    asked: Vec<String>,
}

/// The system. It stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) url: Url,
    told: Arc<Mutex<Told>>,
    server: JoinHandle<()>,
}

impl Fake {
    /// Answers the first request with the first reply and so on, and 500 when there is none left.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let told = Arc::new(Mutex::new(Told {
            replies: replies.into_iter().collect(),
            asked: Vec::new(),
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v1", listener.local_addr().unwrap()).parse().unwrap();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&told));
        #[expect(clippy::disallowed_methods, reason = "it is aborted when the fake is dropped")]
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, told, server }
    }

    /// What was asked so far: method, path with query, and the token that was sent.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).asked.clone()
    }

    /// Settings of a client that asks it and does not wait long.
    pub(crate) fn settings(&self) -> ClientSettings {
        ClientSettings {
            patience: quick(),
            ..ClientSettings::new("Labagator", "STARGATE_LABAGATOR", self.url.clone())
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Patience for tests: waits that are too short to notice.
pub(crate) fn quick() -> Patience {
    Patience {
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_secs(2),
        ..Patience::default()
    }
}

/// A run that has a minute, at ten o'clock.
pub(crate) fn run() -> Run {
    Run {
        clock: Clock::manual(ten_o_clock()),
        deadline: Instant::now() + Duration::from_secs(60),
        event_prefix: String::new(),
        resting: Vec::new(),
    }
}

/// When runs of tests begin.
pub(crate) fn ten_o_clock() -> DateTime<Utc> {
    "2031-03-04T10:00:00Z".parse().unwrap()
}

async fn answer(State(told): State<Arc<Mutex<Told>>>, request: Request) -> Response {
    let reply = {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let headers = request.headers();
        let token = ["authorization", "x-api-key"].iter().find_map(|name| headers.get(*name));
        let token = token.map(|value| format!(" ({})", value.to_str().unwrap())).unwrap_or_default();
        told.asked.push(format!("{} {}{token}", request.method(), request.uri()));
        told.replies.pop_front()
    };
    let reply = reply.unwrap_or_else(|| Reply::new(500, "nothing was expected any more"));
    let mut response = Response::builder().status(reply.status);
    if !reply.headers.iter().any(|(name, _)| *name == "date") {
        response = response.header("date", "Tue, 04 Mar 2031 10:00:00 GMT");
    }
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    let body = if reply.hangs {
        use futures_util::StreamExt as _;
        let first = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from(reply.body))]);
        Body::from_stream(first.chain(futures_util::stream::pending()))
    } else {
        Body::from(reply.body)
    };
    response.body(body).unwrap()
}
