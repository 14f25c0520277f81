//! The last step of an answer: faults that strike its body, and the count of its bytes.

use std::{io, time::Duration};

use axum::{
    body::{Body, HttpBody as _},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderValue, StatusCode, header};

use crate::{cluster::Cluster, wire::Effect};

/// Marks an answer that must not be sent: the connection is to be cut instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abort;

/// The effects that strike one request, by the step they strike at.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) no_answer: bool,
    pub(crate) delay: Option<Duration>,
    pub(crate) status: Option<(u16, Option<Duration>)>,
    body: Option<BodyEffect>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyEffect {
    Stall(usize),
    Cut(usize),
    Malformed,
    Html,
}

impl Effects {
    pub(crate) fn of(effects: Vec<Effect>) -> Self {
        let mut all = Self::default();
        for effect in effects {
            match effect {
                Effect::NoAnswer => all.no_answer = true,
                Effect::Slow(delay) => all.delay = Some(delay),
                Effect::Status { code, retry_after } => all.status = Some((code, retry_after)),
                Effect::StallAfter(bytes) => all.body = Some(BodyEffect::Stall(bytes)),
                Effect::CutAfter(bytes) => all.body = Some(BodyEffect::Cut(bytes)),
                Effect::Malformed => all.body = Some(BodyEffect::Malformed),
                Effect::Html => all.body = Some(BodyEffect::Html),
            }
        }
        all
    }
}

/// An answer that makes whoever holds the connection cut it.
pub(crate) fn abort() -> Response {
    let mut response = (StatusCode::BAD_GATEWAY, "").into_response();
    response.extensions_mut().insert(Abort);
    response
}

/// Counts the bytes of the answer and lets body effects strike.
pub(crate) fn send(cluster: &Cluster, verb: &'static str, resource: String, mut response: Response, effects: &Effects) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        "x-kubernetes-pf-flowschema-uid",
        HeaderValue::from_static("6e1ef2a4-9d6b-4f5c-8f0a-2f0d6c1f7a10"),
    );
    headers.insert("cache-control", HeaderValue::from_static("no-cache, private"));
    let meter = cluster.clone();
    shape(response, effects, move |bytes| {
        meter.log(|log| log.record_bytes(verb, &resource, bytes));
    })
}

/// Lets body effects strike, and tells `count` of the bytes that are sent.
pub(crate) fn shape(mut response: Response, effects: &Effects, count: impl Fn(u64) + Send + 'static) -> Response {
    if effects.body == Some(BodyEffect::Html) {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        return response.map(|_| Body::from("<html><body><h1>Sign in</h1></body></html>\n"));
    }
    let effect = effects.body;
    if let (None, Some(length)) = (effect, response.body().size_hint().exact()) {
        count(length);
        return response;
    }
    response.map(|body| {
        let counted = body.into_data_stream().map(move |piece| {
            let piece = piece.map_err(io::Error::other)?;
            count(piece.len() as u64);
            Ok(piece)
        });
        match effect {
            None | Some(BodyEffect::Html) => Body::from_stream(counted),
            Some(BodyEffect::Stall(bytes)) => Body::from_stream(first_bytes(counted, bytes).chain(stream::pending())),
            Some(BodyEffect::Cut(bytes)) => {
                let cut = stream::once(async { Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut by the simulation")) });
                Body::from_stream(first_bytes(counted, bytes).chain(cut))
            }
            // Half of a small body, the start of a large one: never valid JSON.
            Some(BodyEffect::Malformed) => Body::from_stream(first_bytes(counted, 97)),
        }
    })
}

/// The first `count` bytes of a stream.
fn first_bytes(
    source: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    count: usize,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::unfold((Box::pin(source), count), |(mut source, left)| async move {
        if left == 0 {
            return None;
        }
        let piece = source.next().await?.map(|piece| piece.slice(..piece.len().min(left)));
        let sent = piece.as_ref().map_or(0, Bytes::len);
        Some((piece, (source, left - sent)))
    })
}
