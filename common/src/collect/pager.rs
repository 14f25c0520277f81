//! One LIST, page by page, with everything that can go wrong on the way. Who asks says what becomes of the pages.
//!
//! ```text
//! page ── 200 ──> sink ── more? ──> next page
//!   │ 410: go on from the token in the answer once (mixed), else start over once, else truncated
//!   │ 429, 503, 5xx, cut, stalled: wait and try again, bounded by tries and by the run's deadline
//!   │ 401, no connection: the whole cluster stops
//!   │ a token that was there before: truncated
//!   └ 403, 404, anything else: this kind is unknown, the others go on
//! ```

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::KindReport;
use crate::cluster::{Answer, ReadClient};
use crate::unknown::UnknownReason;

/// Objects on one page: what kubectl and client-go use, and measured best for memory against time.
const PAGE: u32 = 500;
/// How many fewer LISTs are in flight once the cluster has throttled us.
const THROTTLED_FEWER: usize = 2;
/// Tries of one page that is throttled (429) or asked to come later (503 with Retry-After).
const TRIES_THROTTLED: u32 = 8;
/// Tries of one page that fails in another way that may pass.
const TRIES: u32 = 3;
/// First wait before another try; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait before another try, whatever the server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const JSON: &str = "application/json";

/// A collection of the API.
#[derive(Debug, Clone)]
pub(crate) struct Collection {
    /// Its path, or that of one object.
    pub(crate) path: String,
    /// What it is called when permissions are granted: `pods`, `routes.route.openshift.io`.
    pub(crate) name: String,
    /// The namespace that it is read in; none: all.
    pub(crate) namespace: Option<String>,
    /// `fieldSelector` or `labelSelector`, with what is to be left out at the source.
    pub(crate) selector: Option<(&'static str, &'static str)>,
    /// Who may grant what is missing: the end of a sentence.
    pub(crate) grant: &'static str,
}

/// Takes the pages of a LIST.
pub(crate) trait Sink {
    /// Takes the body of a page and says where the next one starts; the error says why it is no page.
    fn page(&mut self, body: &[u8]) -> Result<Taken, String>;

    /// The list is read again from its beginning: what was taken does not count.
    fn forget(&mut self);
}

/// What was taken of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Objects on it.
    pub(crate) items: u64,
    /// Where the next page starts.
    pub(crate) more: Option<String>,
}

/// What the LISTs of one run share.
pub(crate) struct Pager {
    pub(crate) client: ReadClient,
    /// When the run ends, finished or not.
    pub(crate) deadline: Instant,
    /// LISTs at a time, before any throttling.
    in_flight: usize,
    slots: Semaphore,
    /// Slots still to be given up after throttling.
    surplus: AtomicUsize,
    throttled: OnceLock<()>,
    /// Longest wait, in milliseconds, that was asked for when the last try was over; 0: none.
    asked: AtomicU64,
    stopped: OnceLock<Failure>,
}

/// Why a kind was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: UnknownReason,
    pub(crate) detail: String,
}

impl Failure {
    pub(crate) fn new(reason: UnknownReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

impl Pager {
    /// With so many LISTs in flight at a time.
    pub(crate) fn new(client: ReadClient, in_flight: usize, deadline: Instant) -> Self {
        Self {
            client,
            deadline,
            in_flight,
            slots: Semaphore::new(in_flight),
            surplus: AtomicUsize::new(0),
            throttled: OnceLock::new(),
            asked: AtomicU64::new(0),
            stopped: OnceLock::new(),
        }
    }

    /// Why the whole cluster is given up, if it is.
    pub(crate) fn stopped(&self) -> Option<&Failure> {
        self.stopped.get()
    }

    /// How long the server wants to be left alone, if that is why something was given up.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        Some(self.asked.load(Ordering::Relaxed))
            .filter(|asked| *asked > 0)
            .map(Duration::from_millis)
    }

    /// Reads a collection to its end, when it is its turn.
    pub(crate) async fn list(&self, of: &Collection, sink: &mut (impl Sink + Send), report: &mut KindReport) -> Result<(), Failure> {
        let slot = match timeout_at(self.deadline, self.slots.acquire()).await {
            Ok(Ok(slot)) => slot,
            Ok(Err(_)) => return Err(Failure::new(UnknownReason::NotCollected, "the run was given up")),
            Err(_) => return Err(Failure::new(UnknownReason::Timeout, "the run ended before this was read")),
        };
        let begun = Instant::now();
        let outcome = self.pages(of, sink, report).await;
        report.duration = begun.elapsed();
        self.release(slot);
        outcome
    }

    async fn pages(&self, of: &Collection, sink: &mut (impl Sink + Send), report: &mut KindReport) -> Result<(), Failure> {
        let mut selector = of.selector;
        let mut token: Option<String> = None;
        let mut seen = BTreeSet::new();
        let (mut started_over, mut went_on) = (false, false);
        loop {
            let path = page_path(of, selector, token.as_deref());
            match self.ask(of, &path, Some(&mut *sink), report).await? {
                Asked::Page(page) => {
                    report.pages += 1;
                    report.items += page.items;
                    let Some(more) = page.more else {
                        return Ok(());
                    };
                    if !seen.insert(hash(&more)) {
                        let detail = format!(
                            "the list of {} comes back to a page that was read before, after {} pages",
                            of.name, report.pages
                        );
                        return Err(Failure::new(UnknownReason::Truncated, detail));
                    }
                    token = Some(more);
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
                            seen.clear();
                            sink.forget();
                        }
                        _ => return Err(Failure::new(UnknownReason::Truncated, "the list expired twice while it was read")),
                    }
                }
                // Not every server can select by every field; then we select ourselves.
                Asked::Refused(answer) if answer.status == StatusCode::BAD_REQUEST && selector.is_some() => {
                    selector = None;
                    token = None;
                    seen.clear();
                    sink.forget();
                }
                Asked::Refused(answer) => return Err(refusal(of, &answer)),
            }
        }
    }

    /// Reads one object by its path: who may read one may seldom list them all. False: it does not exist, which is an answer.
    pub(crate) async fn one(&self, of: &Collection, sink: &mut (impl Sink + Send), report: &mut KindReport) -> Result<bool, Failure> {
        match self.ask(of, &of.path, Some(sink), report).await? {
            Asked::Page(_) => Ok(true),
            Asked::Refused(answer) if answer.status == StatusCode::NOT_FOUND => Ok(false),
            Asked::Refused(answer) => Err(refusal(of, &answer)),
        }
    }

    /// Asks until there is an answer that counts.
    async fn ask<S: Sink + Send>(
        &self,
        of: &Collection,
        path: &str,
        mut sink: Option<&mut S>,
        report: &mut KindReport,
    ) -> Result<Asked, Failure> {
        let mut tries = 0;
        loop {
            if let Some(failure) = self.stopped() {
                return Err(failure.clone());
            }
            if Instant::now() >= self.deadline {
                return Err(Failure::new(UnknownReason::Timeout, "the run ended before this was read"));
            }
            tries += 1;
            report.requests += 1;
            let answer = self.client.get(path, JSON, self.deadline).await;
            if let Ok(answer) = &answer {
                report.bytes += answer.body.len() as u64;
            }
            let retry = match answer {
                Ok(answer) if answer.status == StatusCode::OK => {
                    let taken = sink
                        .as_deref_mut()
                        .map_or_else(|| Ok(Taken::default()), |sink| sink.page(&answer.body));
                    match taken {
                        Ok(page) => return Ok(Asked::Page(page)),
                        Err(detail) => Retry::few(Failure::new(
                            UnknownReason::ParseError,
                            format!(
                                "the answer ({}, {} bytes) is not what was asked for: {detail}",
                                answer.content_type(),
                                answer.body.len()
                            ),
                        )),
                    }
                }
                Ok(answer) => match self.judge(answer, report) {
                    Ok(asked) => return Ok(asked),
                    Err(retry) => retry,
                },
                Err(error) => Retry::few(Failure::new(error.reason(), error.to_string())),
            };
            let Retry { failure, most_tries, wait } = retry;
            let asked = wait.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            if tries >= most_tries {
                self.asked.fetch_max(asked, Ordering::Relaxed);
                if matches!(failure.reason, UnknownReason::Unauthorized | UnknownReason::Unreachable) {
                    self.stop(&failure);
                }
                return Err(failure);
            }
            let wait = pause(self.client.name(), &of.name, tries, wait);
            if Instant::now() + wait >= self.deadline {
                self.asked.fetch_max(asked, Ordering::Relaxed);
                return Err(failure);
            }
            report.retries += 1;
            tokio::time::sleep(wait).await;
        }
    }

    /// What an error status means.
    fn judge(&self, answer: Answer, report: &mut KindReport) -> Result<Asked, Retry> {
        let text = |answer: &Answer| format!("{}: {}", answer.status, answer.refusal().message);
        let wait = answer.retry_after();
        match answer.status.as_u16() {
            401 => Err(Retry::few(Failure::new(
                UnknownReason::Unauthorized,
                format!("the credential was refused ({}); renew its token", text(&answer)),
            ))),
            429 => {
                self.throttle();
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

    fn stop(&self, failure: &Failure) {
        // Only the first failure counts; the others follow from it.
        let _ = self.stopped.set(failure.clone());
    }

    fn throttle(&self) {
        if self.throttled.set(()).is_ok() {
            // One stays, or whoever comes next would wait for ever.
            self.surplus
                .store(THROTTLED_FEWER.min(self.in_flight.saturating_sub(1)), Ordering::Relaxed);
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

/// An answer that ends the tries of a request.
enum Asked {
    /// A page, taken already.
    Page(Taken),
    /// An error status that another try does not change.
    Refused(Answer),
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

/// What a refusal that stays means for the kind.
fn refusal(of: &Collection, answer: &Answer) -> Failure {
    let Collection {
        name, namespace, grant, ..
    } = of;
    let place = namespace
        .as_ref()
        .map_or_else(|| "cluster-wide".to_owned(), |namespace| format!("in {namespace}"));
    match answer.status.as_u16() {
        403 => Failure::new(UnknownReason::Forbidden, format!("may not list {name} {place}; {grant}")),
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
fn pause(cluster: &str, name: &str, tries: u32, asked: Option<Duration>) -> Duration {
    let wait = asked.unwrap_or_else(|| FIRST_WAIT.saturating_mul(1 << (tries - 1).min(6)));
    let wait = wait.max(FIRST_WAIT).min(LONGEST_WAIT);
    wait + wait.mul_f64((hash(&(cluster, name, tries)) % 256) as f64 / 1024.0)
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn page_path(of: &Collection, selector: Option<(&'static str, &'static str)>, token: Option<&str>) -> String {
    let mut query = format!("limit={PAGE}");
    for (key, value) in selector.into_iter().chain(token.map(|token| ("continue", token))) {
        query.push_str(&format!("&{key}={}", encode(value)));
    }
    format!("{}?{query}", of.path)
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
