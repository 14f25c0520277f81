//! Live updates as server-sent events: what to fetch again, never the data itself.
//!
//! An event's id is the version of every read model. A client that comes back with it is told at once what changed meanwhile, so
//! nothing has to be kept for it. Streams end before the platform cuts them; clients come back by themselves.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior};
use utoipa::{IntoParams, ToSchema};

use crate::QueryState;
use crate::access::limits::Place;
use crate::answer::Ask;
use crate::feed::{self, Moment};
use crate::params::words;
use crate::problem::ApiError;
use crate::sources::SourceState;

/// A comment in between keeps proxies from closing a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Streams end by themselves before the platform's request timeout of five minutes would cut them in the middle of an event.
const LONGEST: Duration = Duration::from_secs(270);

/// How long a client should wait before it comes back.
const RETRY: Duration = Duration::from_secs(3);

words! {
    /// What to be told of.
    Topic {
        /// Clusters.
        Clusters = "clusters",
        /// Incidents.
        Incidents = "incidents",
        /// Instances, labs, and the overview.
        Instances = "instances",
        /// Pools and what is in them.
        Pools = "pools",
        /// What was ordered: subjects, jobs, how they join.
        Provisioning = "provisioning",
        /// Advice.
        Recommendations = "recommendations",
        /// Scans.
        Scans = "scans",
        /// Labs and sessions of the schedule.
        Sessions = "sessions",
        /// Transitions.
        Transitions = "transitions",
        /// Sources that become late, stale or fresh again.
        Sources = "sources",
    }
}

/// Parameters of the stream.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamParams {
    /// Only these topics; all when absent.
    #[param(inline)]
    pub topic: Vec<Topic>,
}

/// The data of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
    /// What changed: `<topic>.updated`, `source.changed`, or `reset`: fetch everything again.
    #[serde(rename = "type")]
    #[schema(example = "incidents.updated")]
    pub kind: String,
    /// When it was noticed.
    pub at: DateTime<Utc>,
    /// Which one, when it is one: `source` and `state`.
    #[schema(value_type = Object)]
    pub keys: Value,
    /// The version of the read model.
    pub version: Option<i64>,
}

/// Live updates. Each event's data is a `Change`; fetch what it names with the tag you have.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/stream", operation_id = "stream", tag = "interface", params(StreamParams),
    responses((status = 200, description = "Events until the stream ends after 4 min 30 s; then come back with Last-Event-ID",
        body = Change, content_type = "text/event-stream")))]
pub async fn stream(State(app): State<QueryState>, headers: HeaderMap, ask: Ask<StreamParams>) -> Result<Response, ApiError> {
    let place = app.guard.stream(&ask.identity)?;
    let moment = app.feed.now(&app).await?;
    let last = headers.get("last-event-id").map(|id| id.to_str().ok().and_then(versions_of));
    let mut tick = tokio::time::interval(feed::EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (seen, waiting) = begin(last, &moment);
    let watch = Watch {
        _counted: Counted::new(),
        _place: place,
        ends: Instant::now() + LONGEST,
        topics: ask.params.topic,
        tick,
        seen,
        waiting,
        app,
    };
    let events = stream::unfold(watch, async |mut watch| {
        watch.next().await.map(|event| (Ok::<_, Infallible>(event), watch))
    });
    let keep_alive = KeepAlive::new().interval(HEARTBEAT);
    Ok(([("x-accel-buffering", "no")], Sse::new(events).keep_alive(keep_alive)).into_response())
}

/// Where a stream begins: from the versions of the last event, if the client has one. A last id that cannot be read means that
/// nothing is known about what the client has.
fn begin(last: Option<Option<BTreeMap<String, i64>>>, moment: &Moment) -> (Moment, VecDeque<Change>) {
    // Sources that are not fresh are told of once in the beginning.
    let start = |versions| Moment {
        at: moment.at,
        versions,
        sources: BTreeMap::new(),
    };
    match last {
        None => (start(moment.versions.clone()), VecDeque::new()),
        Some(Some(versions)) => (start(versions), VecDeque::new()),
        Some(None) => (
            start(moment.versions.clone()),
            VecDeque::from([change("reset", moment.at, json!({}), None)]),
        ),
    }
}

fn change(kind: &str, at: DateTime<Utc>, keys: Value, version: Option<i64>) -> Change {
    Change {
        kind: kind.to_owned(),
        at,
        keys,
        version,
    }
}

/// What changed from one moment to another.
fn changes(seen: &Moment, now: &Moment) -> VecDeque<Change> {
    let views = now
        .versions
        .iter()
        .filter(|&(view, version)| seen.versions.get(view) != Some(version));
    let views = views.map(|(view, &version)| change(&format!("{view}.updated"), now.at, json!({}), Some(version)));
    let before = |source: &String| seen.sources.get(source).copied().unwrap_or(SourceState::Fresh);
    let sources = now.sources.iter().filter(|&(source, &state)| before(source) != state);
    let sources = sources.map(|(source, state)| change("source.changed", now.at, json!({ "source": source, "state": state }), None));
    views.chain(sources).collect()
}

/// The versions as an event id: `clusters=4,incidents=17`.
fn id_of(versions: &BTreeMap<String, i64>) -> String {
    let pairs: Vec<String> = versions.iter().map(|(view, version)| format!("{view}={version}")).collect();
    pairs.join(",")
}

fn versions_of(id: &str) -> Option<BTreeMap<String, i64>> {
    let pair = |pair: &str| {
        let (view, version) = pair.split_once('=')?;
        Some((view.to_owned(), version.parse().ok()?))
    };
    id.split(',').filter(|part| !part.is_empty()).map(pair).collect()
}

/// One client's stream.
struct Watch {
    app: QueryState,
    topics: Vec<Topic>,
    tick: tokio::time::Interval,
    ends: Instant,
    seen: Moment,
    waiting: VecDeque<Change>,
    _counted: Counted,
    _place: Option<Place>,
}

impl Watch {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(change) = self.waiting.pop_front() {
                let event = Event::default().event(&change.kind).id(id_of(&self.seen.versions)).retry(RETRY);
                // A change is plain data: it always becomes JSON.
                if let Ok(event) = event.json_data(&change) {
                    return Some(event);
                }
            }
            tokio::select! {
                () = self.app.shutdown.cancelled() => return None,
                () = tokio::time::sleep_until(self.ends) => return None,
                _ = self.tick.tick() => {}
            }
            match self.app.feed.now(&self.app).await {
                Ok(now) => {
                    self.waiting = changes(&self.seen, &now);
                    let topics = &self.topics;
                    self.waiting
                        .retain(|change| topics.is_empty() || topics.iter().any(|topic| is_about(change, *topic)));
                    self.seen = Arc::unwrap_or_clone(now);
                }
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "a stream sees no changes for now"),
            }
        }
    }
}

fn is_about(change: &Change, topic: Topic) -> bool {
    match topic {
        Topic::Sources => change.kind == "source.changed",
        view => change.kind.strip_suffix(".updated") == Some(view.as_str()),
    }
}

/// Counts the clients that watch.
struct Counted(());

impl Counted {
    fn new() -> Self {
        metrics::gauge!("stargate_sse_clients").increment(1.0);
        Self(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("stargate_sse_clients").decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(versions: &[(&str, i64)], sources: &[(&str, SourceState)]) -> Moment {
        Moment {
            at: DateTime::UNIX_EPOCH,
            versions: versions.iter().map(|&(view, version)| (view.to_owned(), version)).collect(),
            sources: sources.iter().map(|&(source, state)| (source.to_owned(), state)).collect(),
        }
    }

    fn kinds(changes: &VecDeque<Change>) -> Vec<&str> {
        changes.iter().map(|change| change.kind.as_str()).collect()
    }

    #[test]
    fn an_id_comes_back_as_it_was_and_nonsense_does_not() {
        let versions = moment(&[("clusters", 4), ("incidents", 17)], &[]).versions;
        assert_eq!(id_of(&versions), "clusters=4,incidents=17");
        assert_eq!(versions_of(&id_of(&versions)), Some(versions));
        assert_eq!(versions_of(""), Some(BTreeMap::new()));
        for id in ["17", "clusters=", "clusters=x,incidents=1"] {
            assert_eq!(versions_of(id), None, "{id}");
        }
    }

    #[test]
    fn a_client_that_comes_back_is_told_what_changed_meanwhile() {
        let now = moment(&[("clusters", 4), ("incidents", 18)], &[]);
        let (seen, waiting) = begin(Some(versions_of("clusters=4,incidents=17")), &now);
        assert_eq!(kinds(&waiting), [""; 0]);
        assert_eq!(kinds(&changes(&seen, &now)), ["incidents.updated"]);
        let (seen, waiting) = begin(None, &now);
        assert_eq!((kinds(&waiting), kinds(&changes(&seen, &now))), (vec![], vec![]));
        let (_, waiting) = begin(Some(None), &now);
        assert_eq!(kinds(&waiting), ["reset"]);
    }

    #[test]
    fn a_source_that_is_not_fresh_is_told_of_at_once_and_when_it_recovers() {
        let fresh = moment(&[], &[("cluster/a", SourceState::Fresh)]);
        let stale = moment(&[], &[("cluster/a", SourceState::Stale)]);
        let (start, _) = begin(None, &stale);
        assert_eq!(kinds(&changes(&start, &stale)), ["source.changed"]);
        assert_eq!(kinds(&changes(&stale, &stale)), [""; 0]);
        assert_eq!(changes(&stale, &fresh)[0].keys, json!({ "source": "cluster/a", "state": "fresh" }));
    }

    #[test]
    fn topics_select() {
        let updated = change("incidents.updated", DateTime::UNIX_EPOCH, json!({}), Some(1));
        assert!(is_about(&updated, Topic::Incidents));
        assert!(!is_about(&updated, Topic::Sources));
    }
}
