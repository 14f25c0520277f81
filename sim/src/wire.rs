//! What can go wrong between a client and an API server, and the record of what clients asked for.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// How often a wire fault strikes before it is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// As many requests.
    Count(usize),
    /// Until it is removed.
    Forever,
}

/// What happens to a request that a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Answered with this status and the error body that Kubernetes sends with it; 429 and 503 may say when to come back.
    Status {
        /// HTTP status: 401, 403, 404, 409, 410, 429, 500, 503 or 504.
        code: u16,
        /// Whole seconds for the `Retry-After` header.
        retry_after: Option<Duration>,
    },
    /// The answer starts this much later.
    Slow(Duration),
    /// The body stops after as many bytes and the connection stays open.
    StallAfter(usize),
    /// The connection is cut after as many bytes of the body.
    CutAfter(usize),
    /// The connection is cut without an answer.
    NoAnswer,
    /// The body ends in the middle of the JSON although the answer looks complete.
    Malformed,
    /// The answer is a page of HTML, as a proxy in between sends it.
    Html,
}

/// A fault on the wire of one cluster.
#[derive(Clone, Debug)]
pub struct WireFault {
    /// Verb to strike (`list`, `get`, `watch`, `create`, `update`, `patch`, `delete`); every verb when none.
    pub verb: Option<&'static str>,
    /// Path to strike, with `*` for any run of characters: `/api/v1/pods`, `*/virtualmachines*`.
    pub path: String,
    /// Requests that pass before the fault strikes: 2 hits the third page of a list.
    pub skip: usize,
    /// How often it strikes.
    pub times: Times,
    /// What it does.
    pub effect: Effect,
}

impl WireFault {
    /// A fault that strikes every request on `path` from now on.
    #[must_use]
    pub fn on(path: &str, effect: Effect) -> Self {
        Self {
            verb: None,
            path: path.to_owned(),
            skip: 0,
            times: Times::Forever,
            effect,
        }
    }

    /// The same, but only `count` times.
    #[must_use]
    pub fn times(self, count: usize) -> Self {
        Self {
            times: Times::Count(count),
            ..self
        }
    }

    /// The same, after letting `count` requests pass.
    #[must_use]
    pub fn after(self, count: usize) -> Self {
        Self { skip: count, ..self }
    }

    /// The same, but only for one verb.
    #[must_use]
    pub fn verb(self, verb: &'static str) -> Self {
        Self { verb: Some(verb), ..self }
    }

    /// Whether this request is struck; counts it.
    fn strikes(&mut self, verb: &str, path: &str) -> bool {
        if self.verb.is_some_and(|wanted| wanted != verb) || !glob(&self.path, path) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        match &mut self.times {
            Times::Forever => true,
            Times::Count(0) => false,
            Times::Count(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// Whether `text` matches a pattern in which `*` stands for any run of characters.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, mut patterns)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(head) else {
        return false;
    };
    while let Some((middle, later)) = patterns.split_once('*') {
        let Some(at) = rest.find(middle) else {
            return false;
        };
        rest = rest.get(at + middle.len()..).unwrap_or_default();
        patterns = later;
    }
    rest.len() >= patterns.len() && rest.ends_with(patterns)
}

/// All that is wrong on one cluster's wire.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    faults: Vec<WireFault>,
    /// No connection gets an answer.
    pub(crate) down: bool,
    /// Every token is refused.
    pub(crate) token_expired: bool,
    /// (verb, `resource` or `resource.group`); `*` for any.
    pub(crate) forbidden: Vec<(String, String)>,
}

impl Wire {
    pub(crate) fn add(&mut self, fault: WireFault) {
        self.faults.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The effects that strike a request, each fault counted.
    pub(crate) fn strike(&mut self, verb: &str, path: &str) -> Vec<Effect> {
        let effects = self
            .faults
            .iter_mut()
            .filter_map(|fault| fault.strikes(verb, path).then(|| fault.effect.clone()))
            .collect();
        self.faults.retain(|fault| fault.times != Times::Count(0));
        effects
    }

    pub(crate) fn forbids(&self, verb: &str, resource: &str) -> bool {
        self.forbidden
            .iter()
            .any(|(a_verb, a_resource)| (a_verb == "*" || a_verb == verb) && (a_resource == "*" || a_resource == resource))
    }
}

/// What was counted for one verb and resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Requests received, failed ones included.
    pub requests: u64,
    /// Bytes of bodies sent.
    pub bytes: u64,
    /// Requests answered with a status from 400 on, or not at all.
    pub failed: u64,
}

/// One request as it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `list`, `get`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; `get` for non-resource paths.
    pub verb: &'static str,
    /// `pods`, `routes.route.openshift.io`; the path itself for what is not a resource.
    pub resource: String,
    /// Path and query.
    pub path: String,
    /// Status sent; 0 when the connection was cut without one.
    pub status: u16,
    /// `User-Agent` of the client.
    pub agent: String,
}

/// Requests that a cluster got, for tests that count them.
#[derive(Clone, Debug, Default)]
pub struct RequestLog {
    counts: BTreeMap<(&'static str, String), Count>,
    lines: VecDeque<Line>,
}

/// Lines kept; the counters go on.
const LINES_KEPT: usize = 5_000;

impl RequestLog {
    pub(crate) fn record(&mut self, line: Line) {
        let count = self.counts.entry((line.verb, line.resource.clone())).or_default();
        count.requests += 1;
        count.failed += u64::from(line.status == 0 || line.status >= 400);
        self.lines.push_back(line);
        if self.lines.len() > LINES_KEPT {
            self.lines.pop_front();
        }
    }

    pub(crate) fn record_bytes(&mut self, verb: &'static str, resource: &str, bytes: u64) {
        self.counts.entry((verb, resource.to_owned())).or_default().bytes += bytes;
    }

    /// Counters by (verb, resource), in order.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<(&'static str, String), Count> {
        &self.counts
    }

    /// Counter of one verb and resource.
    #[must_use]
    pub fn count(&self, verb: &str, resource: &str) -> Count {
        self.counts
            .iter()
            .find(|((a_verb, a_resource), _)| *a_verb == verb && a_resource == resource)
            .map_or_else(Count::default, |(_, count)| *count)
    }

    /// Requests of a verb over all resources.
    #[must_use]
    pub fn requests(&self, verb: &str) -> u64 {
        self.counts
            .iter()
            .filter(|((a_verb, _), _)| *a_verb == verb)
            .map(|(_, count)| count.requests)
            .sum()
    }

    /// LISTs asked for, where the pages of one list count once: pages carry `continue=`.
    #[must_use]
    pub fn lists(&self) -> usize {
        self.lines
            .iter()
            .filter(|line| line.verb == "list" && !line.path.contains("continue="))
            .count()
    }

    /// Bytes sent over all requests.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.counts.values().map(|count| count.bytes).sum()
    }

    /// The newest requests, oldest first (at most 5,000).
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Wire, WireFault, glob};

    #[test]
    fn globs_match_paths() {
        for (pattern, path) in [
            ("*", "/x"),
            ("/api/v1/pods", "/api/v1/pods"),
            ("*/pods*", "/api/v1/namespaces/a/pods/b"),
            ("/apis/*/v1/*", "/apis/g/v1/x"),
            ("a*a", "aa"),
        ] {
            assert!(glob(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [("/api", "/api/v1"), ("*/pods", "/pods/x"), ("a*a", "a")] {
            assert!(!glob(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn faults_skip_strike_and_run_out() {
        let mut wire = Wire::default();
        wire.add(WireFault::on("*/pods", Effect::NoAnswer).after(1).times(2).verb("list"));
        let struck: Vec<bool> = (0..5).map(|_| !wire.strike("list", "/api/v1/pods").is_empty()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(wire.strike("get", "/api/v1/pods").is_empty());
    }
}
