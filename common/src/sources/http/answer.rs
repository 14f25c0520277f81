//! What comes back: a body within bounds, or a failure with its reason and what to do.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{AGE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;

use super::ClientSettings;
use super::list::Page;
use crate::sources::{Missing, redact};
use crate::unknown::UnknownReason;

/// An answer that was read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub body: Vec<u8>,
    /// What was asked.
    what: String,
    /// The setting to look at when it makes no sense.
    url_setting: String,
}

impl Answer {
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Missing> {
        serde_json::from_slice(&self.body).map_err(|error| self.not_understood(&json_error(&error)))
    }

    pub(super) fn page(&self, names: &[&str]) -> Result<Page, Missing> {
        Page::read(&self.body, names).map_err(|why| self.not_understood(&why))
    }

    pub(super) fn text(self) -> Result<String, Missing> {
        let Self { body, what, .. } = self;
        String::from_utf8(body).map_err(|_| Missing {
            reason: UnknownReason::ParseError,
            detail: format!("{what} answered something that is no text"),
        })
    }

    /// Whether it is `[]` and nothing else.
    pub(super) fn is_empty_list(&self) -> bool {
        self.body.trim_ascii() == b"[]"
    }

    fn not_understood(&self, why: &str) -> Missing {
        let what = &self.what;
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        let detail = match first {
            None => format!("{what} answered nothing where JSON was expected"),
            Some(b'<') => format!(
                "{what} answered a web page where JSON was expected: is {} right, and does it need a token?",
                self.url_setting
            ),
            Some(_) => format!("{what} answered JSON that is not understood: {why}; has its version changed?"),
        };
        Missing {
            reason: UnknownReason::ParseError,
            detail,
        }
    }
}

/// What serde says without what the document says: its messages quote values, and those may be secrets.
#[must_use]
pub fn json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // `invalid type: string "hunter2", expected i64 at line 1 column 9`; `unknown variant `hunter2`, expected …`
    let (quote, is_value) = if text.starts_with("unknown variant") {
        ('`', true)
    } else {
        ('"', text.contains('"'))
    };
    let shown = match (text.find(quote), text.rfind(", expected")) {
        (Some(from), Some(to)) if is_value && from < to => format!("{}…{}", &text[..from], &text[to..]),
        (Some(from), _) if is_value => format!("{}… at line {} column {}", &text[..from], error.line(), error.column()),
        _ => text,
    };
    redact::text(&shown, 200)
}

/// A request that came to nothing.
#[derive(Debug)]
pub(super) struct Failure {
    pub missing: Missing,
    /// The same request may work later.
    pub may_pass: bool,
    /// The system asks to wait for so long.
    pub retry_after: Option<Duration>,
}

impl Failure {
    fn new(reason: UnknownReason, detail: String, may_pass: bool) -> Self {
        Self {
            missing: Missing { reason, detail },
            may_pass,
            retry_after: None,
        }
    }

    pub(super) fn out_of_time(what: &str) -> Self {
        let detail = format!("{what} was not asked: the time of this run is over; give it more with STARGATE_COLLECT_BUDGET_S");
        Self::new(UnknownReason::Timeout, detail, false)
    }

    /// No answer, or none that ended.
    pub(super) fn unanswered(what: &str, settings: &ClientSettings, error: reqwest::Error) -> Self {
        let system = &settings.system;
        let error = error.without_url();
        let cause = innermost(&error);
        if error.is_timeout() && !error.is_connect() {
            return Self::new(UnknownReason::Timeout, format!("{what}: {system} did not answer in time"), true);
        }
        if cause.contains("certificate") || cause.contains("UnknownIssuer") {
            let detail = format!(
                "{what}: the certificate of {system} does not verify ({cause}); if it is signed privately, give its authority with {}",
                settings.ca_setting
            );
            return Self::new(UnknownReason::Unreachable, detail, false);
        }
        let detail = if error.is_connect() {
            format!(
                "{what}: no connection to {system} ({cause}); is {} right and the way there open?",
                settings.url_setting
            )
        } else {
            format!("{what}: the answer of {system} broke off ({cause})")
        };
        Self::new(UnknownReason::Unreachable, detail, true)
    }

    /// An answer that is no success. Its body is not looked at: it may quote what was sent.
    pub(super) fn refused(what: &str, settings: &ClientSettings, response: &Response, now: DateTime<Utc>) -> Self {
        use UnknownReason as Why;
        let ClientSettings {
            system,
            url_setting,
            token_setting,
            token,
            ..
        } = settings;
        let status = response.status();
        let (reason, todo, may_pass) = match status {
            StatusCode::UNAUTHORIZED if token.is_none() => (Why::Unauthorized, format!("it wants a token: set {token_setting}"), false),
            StatusCode::UNAUTHORIZED => (
                Why::Unauthorized,
                format!("the token is expired or wrong: renew {token_setting}"),
                false,
            ),
            StatusCode::FORBIDDEN => (
                Why::Forbidden,
                format!("the token ({token_setting}) may not read this: give it permission to read"),
                false,
            ),
            StatusCode::NOT_FOUND | StatusCode::GONE => (
                Why::ApiAbsent,
                format!("{system} has no such address: is {url_setting} right?"),
                false,
            ),
            StatusCode::TOO_MANY_REQUESTS => (Why::Throttled, format!("{system} wants fewer requests"), true),
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => {
                (Why::Timeout, format!("{system} did not answer its gateway in time"), true)
            }
            status if status.is_server_error() => (Why::ServerError, format!("{system} has a problem of its own"), true),
            status if status.is_redirection() => (
                Why::Unreachable,
                format!("it redirects to another host, which is not followed: is {url_setting} right, and does it need a token?"),
                false,
            ),
            _ => (
                Why::ParseError,
                format!("{system} does not take the request: has its version changed?"),
                false,
            ),
        };
        let mut failure = Self::new(reason, format!("{what} answered {}: {todo}", status.as_u16()), may_pass);
        failure.retry_after = retry_after(response.headers(), now).filter(|_| may_pass);
        failure
    }
}

/// Reads a body to its end, within the bound.
pub(super) async fn read(what: &str, settings: &ClientSettings, mut response: Response) -> Result<Answer, Failure> {
    let most = settings.patience.body;
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > most => {
                let detail = format!("{what} answered more than {} MiB, which is not read", most >> 20);
                return Err(Failure::new(UnknownReason::Truncated, detail, false));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(Failure::unanswered(what, settings, error)),
        }
    }
    Ok(Answer {
        body,
        what: what.to_owned(),
        url_setting: settings.url_setting.clone(),
    })
}

/// The cause at the end of the chain, in one line without addresses.
fn innermost(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    redact::text(&last.to_string(), 160)
}

/// When the server says that it answered. Answers from a cache say nothing about its clock.
pub(super) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    if headers.contains_key(AGE) {
        return None;
    }
    http_date(headers.get(DATE)?.to_str().ok()?)
}

/// How long to wait: whole seconds, or until a date.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some((http_date(value)? - now).to_std().unwrap_or_default()),
    }
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}
