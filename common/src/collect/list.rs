//! One LIST, page by page, with everything that can go wrong on the way.
//!
//! ```text
//! page ── 200 ──> fold ── more? ──> next page
//!   │ 410: go on from the token in the answer once (mixed), else start over once, else truncated
//!   │ 429, 503, 5xx, cut, stalled: wait and try again, bounded by tries and by the run's deadline
//!   │ 401, no connection: the whole cluster stops
//!   └ 403, 404, anything else: this kind is unknown, the others go on
//! ```

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::KindReport;
use super::page::{self, Page, Parse};
use crate::cluster::{Answer, ReadClient};
use crate::objects::api::{Resource, with_projection};
use crate::objects::assemble::AddError;
use crate::objects::{Assembler, Kind};
use crate::unknown::UnknownReason;

/// Objects on one page: what kubectl and client-go use, and measured best for memory against time.
const PAGE: u32 = 500;
/// LISTs in flight to one cluster. More would cost its other users; large LISTs take several of the server's seats.
const IN_FLIGHT: usize = 4;
/// How many fewer once the cluster has throttled us.
const THROTTLED_FEWER: usize = 2;
/// Tries of one page that is throttled (429) or asked to come later (503 with Retry-After).
const TRIES_THROTTLED: u32 = 8;
/// Tries of one page that fails in another way that may pass.
const TRIES: u32 = 3;
/// First wait before another try; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait before another try, whatever the server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Objects that cannot be understood are named up to this many per kind.
const NAMED: usize = 5;
const JSON: &str = "application/json";

/// What the LISTs of one run share.
pub(super) struct Run {
    pub(super) client: ReadClient,
    /// When the run ends, finished or not.
    pub(super) deadline: Instant,
    assembler: Mutex<Assembler>,
    slots: Semaphore,
    /// Slots still to be given up after throttling.
    surplus: AtomicUsize,
    throttled: OnceLock<()>,
    stopped: OnceLock<Failure>,
}

/// Why a kind was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) reason: UnknownReason,
    pub(super) detail: String,
}

impl Failure {
    fn new(reason: UnknownReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

impl Run {
    pub(super) fn new(client: ReadClient, assembler: Assembler, deadline: Instant) -> Self {
        Self {
            client,
            deadline,
            assembler: Mutex::new(assembler),
            slots: Semaphore::new(IN_FLIGHT),
            surplus: AtomicUsize::new(0),
            throttled: OnceLock::new(),
            stopped: OnceLock::new(),
        }
    }

    /// The assembler. It is never held across a wait.
    pub(super) fn assembler(&self) -> MutexGuard<'_, Assembler> {
        self.assembler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_assembler(self) -> Assembler {
        self.assembler.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the whole cluster is given up, if it is.
    pub(super) fn stopped(&self) -> Option<&Failure> {
        self.stopped.get()
    }

    fn stop(&self, failure: &Failure) {
        // Only the first failure counts; the others follow from it.
        let _ = self.stopped.set(failure.clone());
    }

    fn throttle(&self) {
        if self.throttled.set(()).is_ok() {
            self.surplus.store(THROTTLED_FEWER, Ordering::Relaxed);
        }
    }

    fn release(&self, slot: SemaphorePermit<'_>) {
        let fewer = self
            .surplus
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |surplus| surplus.checked_sub(1));
        if fewer.is_ok() {
            slot.forget();
        }
    }
}

/// Reads one kind, cluster-wide or in one namespace, and tells the assembler how that went.
pub(super) async fn list(run: &Run, resource: &'static Resource, namespace: Option<&str>) -> KindReport {
    let mut report = KindReport::default();
    let outcome = match run.slots.acquire().await {
        Ok(slot) => {
            let begun = Instant::now();
            let outcome = read(run, resource, namespace, &mut report).await;
            report.duration = begun.elapsed();
            run.release(slot);
            outcome
        }
        Err(_) => Err(Failure::new(UnknownReason::NotCollected, "the run was given up")),
    };
    let mut assembler = run.assembler();
    match outcome {
        Ok(()) => match namespace {
            Some(namespace) => assembler.read_in(resource.kind, namespace),
            None => assembler.read(resource.kind),
        },
        Err(Failure { reason, detail }) => {
            match namespace {
                Some(namespace) => assembler.missing_in(resource.kind, namespace, reason),
                None => assembler.missing(resource.kind, reason),
            }
            report.missing = Some(reason);
            // Why the whole cluster stopped is told once, not with each kind.
            if run.stopped().is_none() {
                let subject = match namespace {
                    Some(namespace) => format!("{}/{namespace}/{}", run.client.name(), resource.kind),
                    None => format!("{}/{}", run.client.name(), resource.kind),
                };
                assembler.problem(subject, detail.clone());
            }
            report.detail = detail;
        }
    }
    report
}

async fn read(run: &Run, resource: &Resource, namespace: Option<&str>, report: &mut KindReport) -> Result<(), Failure> {
    if let (Kind::Namespace, Some(name)) = (resource.kind, namespace) {
        return one(run, resource, name, report).await;
    }
    let parse: Parse = with_projection!(resource.kind, T => page::parse::<T>, else return Ok(()));
    let mut selector = selector(resource.kind);
    let mut token: Option<String> = None;
    let (mut started_over, mut went_on) = (false, false);
    let mut refused: Vec<String> = Vec::new();
    let mut refused_count = 0;
    loop {
        let path = page_path(resource, namespace, selector, token.as_deref());
        let answer = ask(run, resource, &path, Some(parse), report).await?;
        match answer {
            Asked::Page(Page {
                items,
                more,
                refused: some,
            }) => {
                report.pages += 1;
                report.items += items;
                refused_count += some.len();
                refused.extend(some.into_iter().take(NAMED.saturating_sub(refused.len())));
                token = more;
                if token.is_none() {
                    break;
                }
            }
            Asked::Refused(answer) if answer.status == StatusCode::GONE => {
                let refusal = answer.refusal();
                match refusal.fresh_token() {
                    Some(fresh) if !went_on && token.is_some() => {
                        went_on = true;
                        report.mixed = true;
                        token = Some(fresh.to_owned());
                    }
                    _ if !started_over => {
                        started_over = true;
                        token = None;
                        start_over(run, resource.kind, report);
                    }
                    _ => return Err(Failure::new(UnknownReason::Truncated, "the list expired twice while it was read")),
                }
            }
            // Not every server can select by every field; then we select ourselves.
            Asked::Refused(answer) if answer.status == StatusCode::BAD_REQUEST && selector.is_some() => {
                selector = None;
                token = None;
                start_over(run, resource.kind, report);
            }
            Asked::Refused(answer) => return Err(refusal(resource, namespace, &answer)),
        }
    }
    if refused_count == 0 {
        return Ok(());
    }
    if refused_count > refused.len() {
        refused.push(format!("and {} more", refused_count - refused.len()));
    }
    Err(Failure::new(UnknownReason::ParseError, refused.join("; ")))
}

/// Reads the one namespace object: who may read a namespace may seldom list them all.
async fn one(run: &Run, resource: &Resource, name: &str, report: &mut KindReport) -> Result<(), Failure> {
    let path = format!("{}/{name}", resource.path());
    match ask(run, resource, &path, None, report).await? {
        Asked::Page(_) => Ok(()),
        // It does not exist, which is an answer.
        Asked::Refused(answer) if answer.status == StatusCode::NOT_FOUND => Ok(()),
        Asked::Refused(answer) => Err(refusal(resource, Some(name), &answer)),
    }
}

fn start_over(run: &Run, kind: Kind, report: &KindReport) {
    if report.pages == 0 {
        return;
    }
    let mut assembler = run.assembler();
    with_projection!(kind, T => assembler.forget::<T>(), else ());
}

/// An answer that ends the tries of a request.
enum Asked {
    /// A page, folded into the assembler already.
    Page(Page),
    /// An error status that another try does not change.
    Refused(Answer),
}

/// Asks until there is an answer that counts.
async fn ask(run: &Run, resource: &Resource, path: &str, parse: Option<Parse>, report: &mut KindReport) -> Result<Asked, Failure> {
    let mut tries = 0;
    loop {
        if let Some(failure) = run.stopped() {
            return Err(failure.clone());
        }
        if Instant::now() >= run.deadline {
            return Err(Failure::new(UnknownReason::Timeout, "the run ended before this was read"));
        }
        tries += 1;
        report.requests += 1;
        let answer = run.client.get(path, JSON, run.deadline).await;
        if let Ok(answer) = &answer {
            report.bytes += answer.body.len() as u64;
        }
        let retry = match answer {
            Ok(answer) if answer.status == StatusCode::OK => match fold(run, &answer, parse) {
                Ok(page) => return Ok(Asked::Page(page)),
                Err(failure) => Retry::few(failure),
            },
            Ok(answer) => match judge(run, answer, report) {
                Ok(asked) => return Ok(asked),
                Err(retry) => retry,
            },
            Err(error) => Retry::few(Failure::new(error.reason(), error.to_string())),
        };
        let Retry { failure, most_tries, wait } = retry;
        if tries >= most_tries {
            if matches!(failure.reason, UnknownReason::Unauthorized | UnknownReason::Unreachable) {
                run.stop(&failure);
            }
            return Err(failure);
        }
        let wait = pause(run.client.name(), resource, tries, wait);
        if Instant::now() + wait >= run.deadline {
            return Err(failure);
        }
        report.retries += 1;
        tokio::time::sleep(wait).await;
    }
}

fn fold(run: &Run, answer: &Answer, parse: Option<Parse>) -> Result<Page, Failure> {
    let invalid = |detail: String| Failure::new(UnknownReason::ParseError, detail);
    let Some(parse) = parse else {
        return match run.assembler().add_raw(&answer.body) {
            Ok(_) => Ok(Page::default()),
            Err(error @ (AddError::Invalid { .. } | AddError::NotAnObject(_) | AddError::Unrecognised { .. })) => {
                Err(invalid(error.to_string()))
            }
        };
    };
    let (page, fold) = parse(&answer.body).map_err(|error| {
        invalid(format!(
            "the answer ({}, {} bytes) is not a list: {error}",
            answer.content_type(),
            answer.body.len()
        ))
    })?;
    fold(&mut run.assembler());
    Ok(page)
}

/// A failure that may pass, and how often and how long to wait for that.
struct Retry {
    failure: Failure,
    most_tries: u32,
    wait: Option<Duration>,
}

impl Retry {
    fn few(failure: Failure) -> Self {
        Self {
            most_tries: match failure.reason {
                // The same connection, the same credential: the second try is for a server that restarts.
                UnknownReason::Unreachable | UnknownReason::Timeout => 2,
                UnknownReason::Unauthorized => 1,
                _ => TRIES,
            },
            failure,
            wait: None,
        }
    }
}

/// What an error status means.
fn judge(run: &Run, answer: Answer, report: &mut KindReport) -> Result<Asked, Retry> {
    let text = |answer: &Answer| format!("{}: {}", answer.status, answer.refusal().message);
    let wait = answer.retry_after();
    match answer.status.as_u16() {
        401 => Err(Retry::few(Failure::new(
            UnknownReason::Unauthorized,
            format!("the credential was refused ({}); renew its token", text(&answer)),
        ))),
        429 => {
            run.throttle();
            report.throttled += 1;
            Err(Retry {
                failure: Failure::new(UnknownReason::Throttled, text(&answer)),
                most_tries: TRIES_THROTTLED,
                wait,
            })
        }
        408 | 504 => Err(Retry::few(Failure::new(UnknownReason::Timeout, text(&answer)))),
        500.. => Err(Retry {
            failure: Failure::new(UnknownReason::ServerError, text(&answer)),
            most_tries: if wait.is_some() { TRIES_THROTTLED } else { TRIES },
            wait,
        }),
        _ => Ok(Asked::Refused(answer)),
    }
}

/// What a refusal that stays means for the kind.
fn refusal(resource: &Resource, namespace: Option<&str>, answer: &Answer) -> Failure {
    let Resource { group, plural, .. } = resource;
    let name = if group.is_empty() {
        (*plural).to_owned()
    } else {
        format!("{plural}.{group}")
    };
    let place = namespace.map_or_else(|| "cluster-wide".to_owned(), |namespace| format!("in {namespace}"));
    match answer.status.as_u16() {
        403 => Failure::new(
            UnknownReason::Forbidden,
            format!("may not list {name} {place}; grant the scanner's role get and list on it"),
        ),
        404 => Failure::new(UnknownReason::ApiAbsent, format!("the cluster does not serve {name}")),
        _ => Failure::new(
            UnknownReason::ParseError,
            format!(
                "unexpected answer to a list of {name}: {}: {}",
                answer.status,
                answer.refusal().message
            ),
        ),
    }
}

/// How long to wait: what the server asks, else longer each time; spread by a quarter so that LISTs do not return together.
fn pause(cluster: &str, resource: &Resource, tries: u32, asked: Option<Duration>) -> Duration {
    let wait = asked.unwrap_or_else(|| FIRST_WAIT.saturating_mul(1 << (tries - 1).min(6)));
    let wait = wait.max(FIRST_WAIT).min(LONGEST_WAIT);
    let mut hasher = DefaultHasher::new();
    (cluster, resource.kind, tries).hash(&mut hasher);
    wait + wait.mul_f64((hasher.finish() % 256) as f64 / 1024.0)
}

/// What is left out at the source: finished pods and events that are no warnings are most of their lists, and nothing is
/// judged by them.
fn selector(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Pod => Some("status.phase!=Succeeded"),
        Kind::Event => Some("type=Warning"),
        _ => None,
    }
}

fn page_path(resource: &Resource, namespace: Option<&str>, selector: Option<&str>, token: Option<&str>) -> String {
    let path = match namespace.filter(|_| resource.namespaced) {
        Some(namespace) => resource.path_in(namespace),
        None => resource.path(),
    };
    let mut query = format!("limit={PAGE}");
    for (key, value) in [("fieldSelector", selector), ("continue", token)] {
        if let Some(value) = value {
            query.push_str(&format!("&{key}={}", encode(value)));
        }
    }
    format!("{path}?{query}")
}

/// Percent-encodes everything that may mean something in a query.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
