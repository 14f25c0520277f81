//! The one HTTP client of the sources: deadlines, retries with jitter, Retry-After, a circuit breaker, and pages of the same host only.
//!
//! ```text
//! ask ─> once ─┬─ 2xx ──────────────────────────────> body, bounded
//!              ├─ 401 and the token file changed ───> once more
//!              ├─ 429, 5xx, timeout, no connection ─> wait (jitter, Retry-After), at most `tries`; GET only
//!              └─ anything else, or again ──────────> Missing: what was asked, what came back, what to do; never a secret
//! ```
//!
//! Certificates always verify; a source whose certificate is signed privately gets a bundle of its own. Nothing here knows any system.

mod access;
mod all;
mod answer;
#[cfg(test)]
pub(crate) mod fake;
mod lenient;
mod list;
mod pages;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

pub use self::access::{ClientSettings, Header, Patience, Token};
pub use self::answer::json_error;
use self::answer::{Answer, Failure};
pub use self::lenient::Fields;
pub use self::list::Page;
pub use self::pages::Pages;
use super::{Collected, Missing, Readings, Run};
use crate::clock::Clock;
use crate::objects::Problem;
use crate::settings::SecretString;
use crate::unknown::UnknownReason;

/// How far two clocks may differ before people are told. Source: a session's urgency is counted in minutes.
const SKEW: TimeDelta = TimeDelta::minutes(2);
/// For how long a source may ask to be left alone: a header that says "next year" must not end a collection for good.
const LONGEST_REST: Duration = Duration::from_secs(3600);
/// A client of one system for one run.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    settings: ClientSettings,
    clock: Clock,
    deadline: Instant,
    started_at: DateTime<Utc>,
    state: Mutex<State>,
}

/// What happened so far.
#[derive(Debug, Default)]
struct State {
    requests: u32,
    bytes: u64,
    /// Requests in a row that came to nothing.
    failures: u32,
    /// Why nothing more is asked in this run.
    stopped: Option<Missing>,
    retry_at: Option<DateTime<Utc>>,
    /// Its clock against ours: the largest difference that was seen.
    skew: TimeDelta,
    token: Option<SecretString>,
}

impl Client {
    /// A client for one run. Nothing is asked yet.
    ///
    /// # Errors
    /// The address, the token file or the bundle of certificates cannot be used.
    pub fn new(settings: &ClientSettings, run: &Run) -> Result<Self, Missing> {
        // The first one wins; a program has set it long before, a test may not.
        rustls::crypto::ring::default_provider().install_default().ok();
        let token = settings.check()?;
        Ok(Self {
            http: settings.build()?,
            settings: settings.clone(),
            clock: run.clock.clone(),
            deadline: run.deadline,
            started_at: run.clock.now(),
            state: Mutex::new(State { token, ..State::default() }),
        })
    }

    /// Asks for JSON. `path` is below the base address.
    ///
    /// # Errors
    /// What came back instead, and what to do.
    pub async fn get_json<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, Missing> {
        self.ask(Method::GET, self.url(path, query), None).await?.json()
    }

    /// Asks for JSON where a page linked to.
    ///
    /// # Errors
    /// The link leads elsewhere, or what came back instead.
    pub async fn get_link<T: DeserializeOwned>(&self, link: &str) -> Result<T, Missing> {
        self.ask(Method::GET, self.link(link)?, None).await?.json()
    }

    /// Asks for a list: an array, or an object that holds it under one of `names`.
    ///
    /// # Errors
    /// What came back instead, and what to do.
    pub async fn get_list(&self, path: &str, query: &[(&str, &str)], names: &[&str]) -> Result<Page, Missing> {
        let answer = self.ask(Method::GET, self.url(path, query), None).await?;
        answer.page(names)
    }

    /// Asks for the part of a list that a page linked to.
    ///
    /// # Errors
    /// The link leads elsewhere, or what came back instead.
    pub async fn get_list_link(&self, link: &str, names: &[&str]) -> Result<Page, Missing> {
        self.ask(Method::GET, self.link(link)?, None).await?.page(names)
    }

    /// Asks for text.
    ///
    /// # Errors
    /// What came back instead, and what to do.
    pub async fn get_text(&self, path: &str, query: &[(&str, &str)]) -> Result<String, Missing> {
        self.ask(Method::GET, self.url(path, query), None).await?.text()
    }

    /// Sends JSON and reads JSON. Never tried twice: what it does may not be the same twice.
    ///
    /// # Errors
    /// What came back instead, and what to do.
    pub async fn post_json<B: Serialize + Sync, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, Missing> {
        let url = self.url(path, &[]);
        let body = serde_json::to_vec(body).map_err(|error| Missing {
            reason: UnknownReason::ParseError,
            detail: format!("POST {}: the request does not become JSON: {}", url.path(), json_error(&error)),
        })?;
        self.ask(Method::POST, url, Some(body)).await?.json()
    }

    /// Goes on with another token, for systems that trade one for another.
    pub fn set_token(&self, token: SecretString) {
        self.state().token = Some(token);
    }

    /// The address below the base.
    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.settings.base.clone();
        let path = format!("{}/{}", url.path().trim_end_matches('/'), path.trim_start_matches('/'));
        url.set_path(&path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Where a page's link leads, if that is the same scheme, host and port.
    ///
    /// # Errors
    /// It leads elsewhere, or it is no link.
    pub fn link(&self, link: &str) -> Result<Url, Missing> {
        let base = &self.settings.base;
        let elsewhere = |what: &str| Missing {
            reason: UnknownReason::Truncated,
            detail: format!(
                "{} links its next page to {what}, which is not followed: is {} the address that it knows itself by?",
                self.settings.system, self.settings.url_setting
            ),
        };
        match base.join(link) {
            Ok(url) if url.origin() == base.origin() && url.username().is_empty() && url.password().is_none() => Ok(url),
            Ok(url) => Err(elsewhere(&url.origin().ascii_serialization())),
            Err(_) => Err(elsewhere("something that is no address")),
        }
    }

    async fn ask(&self, method: Method, url: Url, body: Option<Vec<u8>>) -> Result<Answer, Missing> {
        let what = format!("{method} {}", url.path());
        if let Some(why) = &self.state().stopped {
            return Err(Missing {
                reason: why.reason,
                detail: format!("{what} was not asked: {}", why.detail),
            });
        }
        let patience = &self.settings.patience;
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(patience.first_wait)
            .with_max_delay(patience.longest_wait)
            .with_max_times(patience.tries.saturating_sub(1))
            .with_jitter()
            .build();
        let mut token_is_new = false;
        let mut tries = 0_u32;
        loop {
            tries += 1;
            let failure = match self.once(&method, &url, body.as_deref(), &what).await {
                Ok(answer) => {
                    self.state().failures = 0;
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            if failure.missing.reason == UnknownReason::Unauthorized && !token_is_new && self.read_token_again() {
                token_is_new = true;
                continue;
            }
            let next = if method == Method::GET && failure.may_pass {
                waits.next()
            } else {
                None
            };
            let wait = match (failure.retry_after, next) {
                // Jitter also here: others were told the same number of seconds.
                (Some(after), Some(jitter)) => Some(after + jitter.min(Duration::from_secs(1))),
                (None, next) => next,
                (Some(_), None) => None,
            };
            let in_time =
                wait.is_some_and(|wait| wait <= patience.longest_wait + Duration::from_secs(1) && Instant::now() + wait < self.deadline);
            match wait {
                Some(wait) if in_time => tokio::time::sleep(wait).await,
                _ => return Err(self.give_up(failure, tries)),
            }
        }
    }

    /// Notes that a request came to nothing, and whether anything more is asked.
    fn give_up(&self, failure: Failure, tries: u32) -> Missing {
        let Failure {
            mut missing,
            may_pass,
            retry_after,
        } = failure;
        if tries > 1 {
            missing.detail = format!("{} ({tries} tries)", missing.detail);
        }
        let mut state = self.state();
        let system = &self.settings.system;
        if let Some(after) = retry_after {
            let at = self.clock.now() + after.min(LONGEST_REST);
            state.retry_at = state.retry_at.max(Some(at));
            missing.detail = format!("{}; it asks to be left alone until {}", missing.detail, at.format("%H:%M:%S UTC"));
            state.stopped = Some(Missing {
                reason: missing.reason,
                detail: format!("{system} asked to be left alone until {}", at.format("%H:%M:%S UTC")),
            });
        }
        if may_pass || missing.reason == UnknownReason::Unauthorized {
            state.failures += 1;
        } else {
            // It answered; what it answered is about this request only.
            state.failures = 0;
        }
        if state.failures >= self.settings.patience.failures && state.stopped.is_none() {
            state.stopped = Some(Missing {
                reason: missing.reason,
                detail: format!("{system} failed {} times in a row, last with: {}", state.failures, missing.detail),
            });
        }
        missing
    }

    async fn once(&self, method: &Method, url: &Url, body: Option<&[u8]>, what: &str) -> Result<Answer, Failure> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::out_of_time(what));
        }
        let mut request = self
            .http
            .request(method.clone(), url.clone())
            .timeout(left.min(self.settings.patience.per_request));
        request = request.header(ACCEPT, "application/json, text/plain;q=0.5");
        {
            let state = self.state();
            if let Some(token) = &state.token {
                request = self.settings.header.put(request, token);
            }
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_vec());
        }
        self.state().requests += 1;
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(Failure::unanswered(what, &self.settings, error)),
        };
        let now = self.clock.now();
        let said = answer::date(response.headers());
        if let Some(said) = said {
            let mut state = self.state();
            if (said - now).abs() > state.skew.abs() {
                state.skew = said - now;
            }
        }
        // Some systems answer so when a list is empty. Anything else behind a 404 is no list.
        if response.status() == StatusCode::NOT_FOUND {
            let refused = Failure::refused(what, &self.settings, &response, said.unwrap_or(now));
            let answer = answer::read(what, &self.settings, response).await;
            return answer.ok().filter(Answer::is_empty_list).ok_or(refused);
        }
        if !response.status().is_success() {
            // The server's own clock tells what a date in Retry-After means.
            return Err(Failure::refused(what, &self.settings, &response, said.unwrap_or(now)));
        }
        let read = answer::read(what, &self.settings, response).await;
        let bytes = read.as_ref().map_or(0, |answer| answer.body.len());
        self.state().bytes += bytes as u64;
        read
    }

    /// Reads the token file again. False: there is none, or it says the same.
    fn read_token_again(&self) -> bool {
        let Some(Token::File(_)) = &self.settings.token else { return false };
        let Ok(Some(new)) = self.settings.read_token() else { return false };
        let mut state = self.state();
        let is_new = !access::same(state.token.as_ref(), &new);
        state.token = Some(new);
        is_new
    }

    /// Requests made and bytes received so far.
    pub fn tally(&self) -> (u32, u64) {
        let state = self.state();
        (state.requests, state.bytes)
    }

    /// Until when the system asked to be left alone.
    pub fn retry_at(&self) -> Option<DateTime<Utc>> {
        self.state().retry_at
    }

    /// What people must know about the system itself: that its clock is wrong.
    pub fn problems(&self) -> Vec<Problem> {
        let skew = self.state().skew;
        if skew.abs() <= SKEW {
            return Vec::new();
        }
        let (by, way) = (
            skew.num_seconds().abs(),
            if skew > TimeDelta::zero() { "ahead of" } else { "behind" },
        );
        vec![Problem {
            subject: self.settings.system.clone(),
            detail: format!(
                "its clock is {by} s {way} ours: ages and times from it are off by as much; set the clocks by NTP on both sides"
            ),
        }]
    }

    /// What the run came to, with what this client counted.
    pub fn collected(&self, source: impl Into<String>, readings: Readings, mut problems: Vec<Problem>) -> Collected {
        problems.extend(self.problems());
        let (requests, bytes) = self.tally();
        Collected {
            source: source.into(),
            readings,
            observed_at: self.started_at,
            requests,
            bytes,
            problems,
            retry_at: self.retry_at(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
