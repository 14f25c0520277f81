//! The other systems around a fleet, over sockets on loopback: they answer from the [`Story`], and go wrong on demand.
//!
//! | Service | Speaks as | Gets in with |
//! |---|---|---|
//! | [`Services::labagator`] | rhdp-contracts 6.1 | anything |
//! | [`Services::demolition`] | 6.2 | anything |
//! | [`Services::aap`] | 5, two controllers | [`Service::token`] |
//! | [`Services::sandbox_api`] | 4 | [`Service::token`], a login token |
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use stargate_sim::{Effect, Fleet, Services, SimClock, Story, Twist, WireFault};
//!
//! let clock = SimClock::following_real_time(chrono::TimeDelta::zero());
//! let story = Story::of(&Fleet::demo(42, clock), 42);
//! let services = Services::start(&story).await?;
//! println!("{} {}", services.labagator().url(), services.aap(0).token());
//! services.labagator().inject(WireFault::on("*/labs/*", Effect::Malformed).times(1));
//! services.aap(1).twist(Twist::RepeatPage);
//! services.stop().await;
//! # Ok(())
//! # }
//! ```

mod aap;
mod demolition;
mod labagator;
mod sandbox_api;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{
    api::{Effects, abort, shape},
    serve,
    story::{Story, job::CONTROLLERS},
    wire::{Line, RequestLog, Wire, WireFault},
};

/// A fault that only a service has: its answers are well formed, and wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Twist {
    /// No object has the field of this name.
    Without(&'static str),
    /// Every page is the first one again, and says that there is another.
    RepeatPage,
    /// The `Date` header is this far off.
    Skew(TimeDelta),
    /// Links to the next page lead to another host.
    ElsewhereNext,
}

/// What the role of a token may do at the Sandbox API. Source: rhdp-contracts 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Accounts and placements by uuid.
    App,
    /// Shared clusters.
    SharedClusterManager,
    /// Everything.
    Admin,
}

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Labagator,
    Demolition,
    SandboxApi,
    /// The controller at this position.
    Aap(usize),
}

/// One served system; clones share it.
#[derive(Clone, Debug)]
pub struct Service(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    which: Which,
    address: SocketAddr,
    story: Story,
    moods: Mutex<Moods>,
    log: Mutex<RequestLog>,
    down: watch::Sender<bool>,
}

/// What is wrong with a service, and who may do what.
#[derive(Debug)]
struct Moods {
    wire: Wire,
    twists: Vec<Twist>,
    role: Role,
    healthy: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    /// Base address, with the path that clients are configured with: Labagator's ends in `/api/v1`, the others are the host alone.
    #[must_use]
    pub fn url(&self) -> String {
        let path = if self.0.which == Which::Labagator { "/api/v1" } else { "" };
        format!("http://{}{path}", self.0.address)
    }

    /// The token that gets in: a personal token of a controller, a login token of the Sandbox API. The others ask for none.
    #[must_use]
    pub fn token(&self) -> String {
        match self.0.which {
            Which::Labagator | Which::Demolition => String::new(),
            Which::SandboxApi => "sim-login-planted".to_owned(),
            Which::Aap(position) => format!("sim-aap-{position}-planted"),
        }
    }

    /// Adds a fault on the wire, as on a cluster's.
    pub fn inject(&self, fault: WireFault) {
        lock(&self.0.moods).wire.add(fault);
    }

    /// Makes answers wrong in a way that only services know.
    pub fn twist(&self, twist: Twist) {
        lock(&self.0.moods).twists.push(twist);
    }

    /// Sets what the Sandbox API's token may do; [`Role::App`] at first.
    pub fn set_role(&self, role: Role) {
        lock(&self.0.moods).role = role;
    }

    /// Sets whether the Sandbox API's health check finds its databases.
    pub fn set_healthy(&self, healthy: bool) {
        lock(&self.0.moods).healthy = healthy;
    }

    /// Refuses every token with 401, or accepts them again.
    pub fn set_token_expired(&self, expired: bool) {
        lock(&self.0.moods).wire.token_expired = expired;
    }

    /// Takes the service down (connections are closed without an answer) or brings it up.
    pub fn set_down(&self, down: bool) {
        lock(&self.0.moods).wire.down = down;
        self.0.down.send_replace(down);
    }

    /// Removes every fault.
    pub fn clear(&self) {
        {
            let mut moods = lock(&self.0.moods);
            moods.wire.clear();
            moods.twists.clear();
            moods.healthy = true;
        }
        self.0.down.send_replace(false);
    }

    /// What clients asked for so far: the resource is the path.
    #[must_use]
    pub fn requests(&self) -> RequestLog {
        lock(&self.0.log).clone()
    }

    /// Starts the request log anew.
    pub fn reset_requests(&self) {
        *lock(&self.0.log) = RequestLog::default();
    }
}

/// All services of a story; they stop when this is dropped.
#[derive(Debug)]
pub struct Services {
    labagator: Service,
    demolition: Service,
    sandbox_api: Service,
    aap: Vec<Service>,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Services {
    /// Serves each on a port of its own on 127.0.0.1, chosen by the system.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(story: &Story) -> io::Result<Self> {
        let (mut tasks, stop) = (JoinSet::new(), watch::Sender::new(false));
        let labagator = start(Which::Labagator, story, &mut tasks, &stop).await?;
        let demolition = start(Which::Demolition, story, &mut tasks, &stop).await?;
        let sandbox_api = start(Which::SandboxApi, story, &mut tasks, &stop).await?;
        let mut aap = Vec::new();
        for position in 0..CONTROLLERS.len() {
            aap.push(start(Which::Aap(position), story, &mut tasks, &stop).await?);
        }
        Ok(Self {
            labagator,
            demolition,
            sandbox_api,
            aap,
            tasks,
            stop,
        })
    }

    /// Labs and sessions.
    #[must_use]
    pub fn labagator(&self) -> &Service {
        &self.labagator
    }

    /// Smoke runs.
    #[must_use]
    pub fn demolition(&self) -> &Service {
        &self.demolition
    }

    /// Placements.
    #[must_use]
    pub fn sandbox_api(&self) -> &Service {
        &self.sandbox_api
    }

    /// The controller at a position of [`CONTROLLERS`]; the last one when there are fewer.
    #[must_use]
    pub fn aap(&self, position: usize) -> &Service {
        self.aap.get(position).or(self.aap.last()).unwrap_or(&self.labagator)
    }

    /// Closes all connections and frees the ports.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        self.tasks.shutdown().await;
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn start(which: Which, story: &Story, tasks: &mut JoinSet<()>, stop: &watch::Sender<bool>) -> io::Result<Service> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let service = Service(Arc::new(Inner {
        which,
        address: listener.local_addr()?,
        story: story.clone(),
        moods: Mutex::new(Moods {
            wire: Wire::default(),
            twists: Vec::new(),
            role: Role::App,
            healthy: true,
        }),
        log: Mutex::default(),
        down: watch::Sender::new(false),
    }));
    let router = Router::new().fallback(handle).with_state(service.clone());
    tasks.spawn(serve::serve(listener, router, service.0.down.subscribe(), stop.subscribe()));
    Ok(service)
}

/// A request as the services read it.
struct Ask {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    bearer: String,
    role: Role,
    healthy: bool,
    now: DateTime<Utc>,
}

impl Ask {
    fn parts(&self) -> Vec<&str> {
        self.path.split('/').filter(|part| !part.is_empty()).collect()
    }

    fn first(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn number(&self, key: &str, default: usize) -> usize {
        self.first(key).and_then(|value| value.parse().ok()).unwrap_or(default)
    }
}

/// An answer before faults strike it.
struct Reply {
    status: u16,
    body: Value,
    /// Text instead of JSON.
    text: Option<(String, &'static str)>,
    location: Option<String>,
}

impl Reply {
    fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            text: None,
            location: None,
        }
    }

    fn ok(body: Value) -> Self {
        Self::json(200, body)
    }
}

async fn handle(State(service): State<Service>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let text = |name: header::HeaderName| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let path = parts.uri.path().to_owned();
    let verb = match parts.method {
        Method::GET | Method::HEAD => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::DELETE => "delete",
        _ => "patch",
    };
    let line = |status| Line {
        verb,
        resource: path.clone(),
        path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        status,
        agent: text(header::USER_AGENT),
    };
    let (struck, twists, expired, ask, down) = {
        let mut moods = lock(&service.0.moods);
        let struck = Effects::of(moods.wire.strike(verb, &path));
        let ask = Ask {
            method: parts.method.clone(),
            path: path.clone(),
            query: pairs(parts.uri.query().unwrap_or_default()),
            bearer: text(header::AUTHORIZATION).strip_prefix("Bearer ").unwrap_or_default().to_owned(),
            role: moods.role,
            healthy: moods.healthy,
            now: service.0.story.now(),
        };
        (struck, moods.twists.clone(), moods.wire.token_expired, ask, moods.wire.down)
    };
    if struck.no_answer || down {
        lock(&service.0.log).record(line(0));
        return abort();
    }
    if let Some(delay) = struck.delay {
        tokio::time::sleep(delay).await;
    }
    let mut response = match struck.status {
        Some((code, retry_after)) => refusal(service.0.which, code, retry_after.map(|wait| wait.as_secs())),
        None => {
            let mut reply = service.answer(&ask, expired, twists.contains(&Twist::RepeatPage));
            twist(&mut reply, &twists, &ask);
            render(reply)
        }
    };
    let skew = twists.iter().find_map(|twist| match twist {
        Twist::Skew(by) => Some(*by),
        _ => None,
    });
    let date = (ask.now + skew.unwrap_or_default()).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    lock(&service.0.log).record(line(response.status().as_u16()));
    let meter = service.clone();
    shape(response, &struck, move |bytes| lock(&meter.0.log).record_bytes(verb, &path, bytes))
}

impl Service {
    fn answer(&self, ask: &Ask, expired: bool, repeat: bool) -> Reply {
        match self.0.which {
            Which::Labagator => labagator::answer(&self.0.story, ask),
            Which::Demolition => demolition::answer(&self.0.story, ask),
            Which::SandboxApi => sandbox_api::answer(&self.0.story, ask, &self.token(), expired),
            Which::Aap(position) if expired || ask.bearer != self.token() => {
                let open = ask.path.ends_with("/ping/");
                if open && !expired {
                    aap::answer(&self.0.story, position, ask, repeat)
                } else {
                    Reply::json(
                        401,
                        json!({"detail": "Authentication credentials were not provided. To establish a login session, visit /api/login/."}),
                    )
                }
            }
            Which::Aap(position) => aap::answer(&self.0.story, position, ask, repeat),
        }
    }
}

/// Lets the twists that change bodies strike.
fn twist(reply: &mut Reply, twists: &[Twist], ask: &Ask) {
    for twist in twists {
        match twist {
            Twist::Without(field) => without(&mut reply.body, field),
            Twist::ElsewhereNext => {
                if let Some(next) = reply.body.get_mut("next").filter(|next| next.is_string()) {
                    *next = json!(format!("http://elsewhere.example.test{}?page=2", ask.path));
                }
            }
            Twist::RepeatPage | Twist::Skew(_) => {}
        }
    }
}

fn without(value: &mut Value, field: &str) {
    match value {
        Value::Object(fields) => {
            fields.remove(field);
            fields.values_mut().for_each(|value| without(value, field));
        }
        Value::Array(members) => members.iter_mut().for_each(|value| without(value, field)),
        _ => {}
    }
}

fn render(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (body, media) = match reply.text {
        Some((text, media)) => (text, media),
        None => (reply.body.to_string(), "application/json"),
    };
    let mut response = (status, [(header::CONTENT_TYPE, media)], Body::from(body)).into_response();
    if let Some(location) = reply.location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The error body of a service for a status.
fn refusal(which: Which, code: u16, retry_after: Option<u64>) -> Response {
    let words = StatusCode::from_u16(code)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Error");
    let body = match which {
        Which::SandboxApi => json!({"http_code": code, "message": words}),
        _ => json!({"detail": words}),
    };
    let mut response = render(Reply::json(code, body));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The pairs of a query string.
fn pairs(query: &str) -> Vec<(String, String)> {
    let pieces = query.split('&').filter(|piece| !piece.is_empty());
    pieces
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Undoes percent encoding; what is not well formed stays as it is.
fn decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match byte {
            Some(byte) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{decode, pairs};

    #[test]
    fn queries_are_read() {
        assert_eq!(decode("a%2Cb+c%zz"), "a,b c%zz");
        assert_eq!(
            pairs("event__in=a%2Cb&failed=true&x"),
            [("event__in", "a,b"), ("failed", "true"), ("x", "")].map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
