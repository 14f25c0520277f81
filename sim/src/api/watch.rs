//! WATCH: a stream of what changes after a version, with bookmarks, and 410 inside of the stream when that is too long ago.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde_json::json;
use tokio::{sync::watch, time::Instant};

use super::{
    error::{ApiError, json_response},
    list::{Form, selectors},
    target::{Query, Resource},
};
use crate::{
    cluster::Cluster,
    object::Object,
    selector::Selector,
    store::{Change, Store},
};

/// How long a watch stays open when the client does not say: API servers pick 30 to 60 minutes.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(45 * 60);
/// Pause between bookmarks, as API servers keep it.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// Why a waiting watch goes on.
enum Wake {
    Changed,
    Bookmark,
    TimedOut,
    Cut,
}

struct Watch {
    cluster: Cluster,
    resource: Resource,
    labels: Selector,
    fields: Selector,
    form: Form,
    bookmarks: bool,
    /// Everything up to here was sent.
    version: u64,
    ready: VecDeque<Bytes>,
    changed: watch::Receiver<u64>,
    down: watch::Receiver<bool>,
    until: Instant,
    next_bookmark: Instant,
    ended: bool,
}

/// Answers a WATCH.
pub(crate) fn watch(cluster: &Cluster, resource: &Resource, query: &Query, form: Form) -> Result<Response, ApiError> {
    let (labels, fields) = selectors(resource.kind, query)?;
    let version: u64 = if query.version.is_empty() {
        0
    } else {
        query
            .version
            .parse()
            .map_err(|_| ApiError::bad_request(format!("invalid resource version \"{}\"", query.version)))?
    };
    let now = Instant::now();
    let mut watch = Watch {
        cluster: cluster.clone(),
        resource: resource.clone(),
        labels,
        fields,
        form,
        bookmarks: query.bookmarks,
        version,
        ready: VecDeque::new(),
        changed: cluster.changes(),
        down: cluster.down(),
        until: now + query.timeout_seconds.map_or(DEFAULT_TIMEOUT, Duration::from_secs),
        next_bookmark: now + BOOKMARK_EVERY,
        ended: false,
    };
    if query.initial_events || version == 0 {
        watch.start_with_everything(query.initial_events);
    }
    let events = stream::unfold(watch, |mut watch| async move {
        let bytes = watch.next().await?;
        Some((Ok::<_, std::io::Error>(bytes), watch))
    });
    Ok(json_response(200, Body::from_stream(events)))
}

impl Watch {
    /// Queues what is there already as ADDED events.
    fn start_with_everything(&mut self, mark_the_end: bool) {
        let objects: Vec<Arc<Object>> = self.cluster.with(|state, _| {
            self.version = state.store.version();
            state.store.objects(self.resource.kind, &self.resource.namespace).cloned().collect()
        });
        let now = self.cluster.now();
        for object in objects {
            if self.wants(&object) {
                self.ready.push_back(self.event("ADDED", &object, now));
            }
        }
        if mark_the_end {
            self.ready.push_back(self.bookmark(true));
        }
    }

    /// The next bytes to send, or none when the watch is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            if self.ended {
                return None;
            }
            // Marks the current version as seen before reading, so that a write in between wakes us again.
            self.changed.borrow_and_update();
            self.read_changes();
            if !self.ready.is_empty() || self.ended {
                continue;
            }
            let wake = tokio::select! {
                changed = self.changed.changed() => if changed.is_ok() { Wake::Changed } else { Wake::Cut },
                _ = self.down.wait_for(|down| *down) => Wake::Cut,
                () = tokio::time::sleep_until(self.next_bookmark), if self.bookmarks => Wake::Bookmark,
                () = tokio::time::sleep_until(self.until) => Wake::TimedOut,
            };
            self.ended = matches!(wake, Wake::Cut | Wake::TimedOut);
            if self.bookmarks && matches!(wake, Wake::Bookmark | Wake::TimedOut) {
                self.next_bookmark += BOOKMARK_EVERY;
                self.ready.push_back(self.bookmark(false));
            }
        }
    }

    fn read_changes(&mut self) {
        let read = |store: &Store| (store.version(), store.changes_after(self.resource.kind, self.version));
        let (version, changes) = self.cluster.with(|state, _| read(&state.store));
        let Some(changes) = changes else {
            let error = ApiError::new(410, "Expired", format!("too old resource version: {} ({version})", self.version));
            self.ready
                .push_back(format!("{}\n", json!({"type": "ERROR", "object": error.status()})).into());
            self.ended = true;
            return;
        };
        let now = self.cluster.now();
        for change in changes {
            if let Some(bytes) = self.event_of(&change, now) {
                self.ready.push_back(bytes);
            }
        }
        self.version = self.version.max(version);
    }

    /// What a change looks like through the selectors: an object that stops matching is deleted, one that starts is added.
    fn event_of(&self, change: &Change, now: DateTime<Utc>) -> Option<Bytes> {
        let before = change.before.as_ref().filter(|object| self.wants(object));
        let after = change.after.as_ref().filter(|object| self.wants(object));
        match (before, after) {
            (None, None) => None,
            (None, Some(object)) => Some(self.event("ADDED", object, now)),
            (Some(_), Some(object)) => Some(self.event("MODIFIED", object, now)),
            (Some(object), None) => Some(self.event("DELETED", object, now)),
        }
    }

    fn wants(&self, object: &Object) -> bool {
        (self.resource.namespace.is_empty() || object.namespace() == self.resource.namespace)
            && self.resource.name.as_deref().is_none_or(|name| object.name() == name)
            && object.matches(&self.labels, &self.fields)
    }

    fn event(&self, sort: &str, object: &Object, now: DateTime<Utc>) -> Bytes {
        let mut out = format!(r#"{{"type":"{sort}","object":"#).into_bytes();
        match self.form {
            Form::Full => object.write_json(&mut out, true, now),
            Form::Metadata => object.write_metadata(&mut out, now),
        }
        out.extend_from_slice(b"}\n");
        out.into()
    }

    fn bookmark(&self, end_of_initial: bool) -> Bytes {
        let info = self.resource.kind.info();
        let mut metadata = json!({"resourceVersion": self.version.to_string(), "creationTimestamp": null});
        if end_of_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = json!({"kind": info.kind, "apiVersion": info.api_version(), "metadata": metadata});
        format!("{}\n", json!({"type": "BOOKMARK", "object": object})).into()
    }
}
