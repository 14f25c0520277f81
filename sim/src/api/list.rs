//! LIST: one snapshot over all pages, tokens that expire, selectors, and bodies that are put together while they are sent.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    error::{ApiError, json_response},
    target::{Query, Resource},
};
use crate::{cluster::Cluster, kinds::Kind, object::Object, selector::Selector, store::Snapshot};

/// Bytes put together before they are handed to the connection.
const CHUNK: usize = 256 * 1024;

/// How the client wants objects written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Full,
    /// `as=PartialObjectMetadata` or `as=PartialObjectMetadataList`.
    Metadata,
}

/// Where the next page starts, as it stands in a `continue` token.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    v: String,
    /// Version of the snapshot; -1 for "whatever is there now", which follows an expired token.
    rv: i64,
    /// Last key sent.
    start: String,
}

impl Token {
    fn encode(version: i64, start: &str) -> String {
        let token = Self {
            v: "meta.k8s.io/v1".to_owned(),
            rv: version,
            start: start.to_owned(),
        };
        URL_SAFE_NO_PAD.encode(serde_json::to_string(&token).unwrap_or_default())
    }

    fn decode(text: &str) -> Result<Self, ApiError> {
        let bad = || ApiError::bad_request("continue key is not valid: encoded continue token is unreadable");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
        serde_json::from_slice(&bytes).map_err(|_| bad())
    }
}

/// The selectors of a request.
pub(crate) fn selectors(kind: Kind, query: &Query) -> Result<(Selector, Selector), ApiError> {
    let labels = Selector::labels(&query.labels).map_err(ApiError::bad_request)?;
    let fields = Selector::fields(&query.fields, kind).map_err(|why| {
        ApiError::bad_request(format!(
            "Unable to find \"{}\" that match field selector \"{}\": {why}",
            kind.info().api_version(),
            query.fields
        ))
    })?;
    Ok((labels, fields))
}

/// Answers a LIST.
pub(crate) fn list(cluster: &Cluster, resource: &Resource, query: &Query, form: Form) -> Result<Response, ApiError> {
    let kind = resource.kind;
    let (labels, fields) = selectors(kind, query)?;
    let (snapshot, start) = snapshot(cluster, kind, query)?;
    // Any age will do: served from the watch cache, which has no pages.
    let limit = if query.version == "0" && query.cont.is_empty() || query.limit == 0 {
        usize::MAX
    } else {
        query.limit
    };

    let after = start.map_or(String::new(), |start| format!("{start}\0"));
    let candidates = snapshot.range(&resource.namespace, &after);
    let everything = labels.is_empty() && fields.is_empty();
    let mut page: Vec<Arc<Object>> = Vec::new();
    let mut seen = 0;
    for object in candidates {
        if page.len() == limit {
            break;
        }
        seen += 1;
        if everything || object.matches(&labels, &fields) {
            page.push(Arc::clone(object));
        }
    }
    let left = candidates.len() - seen;

    let mut metadata = json!({"resourceVersion": snapshot.version.to_string()});
    if kind == Kind::NodeMetrics {
        metadata = json!({});
    }
    if left > 0
        && let Some(last) = candidates.get(seen.saturating_sub(1))
    {
        metadata["continue"] = json!(Token::encode(i64::try_from(snapshot.version).unwrap_or(-1), &last.key));
        if everything {
            metadata["remainingItemCount"] = json!(left);
        }
    }
    Ok(json_response(200, list_body(kind, form, &metadata, page, cluster.now())))
}

/// The snapshot that the request reads, and the key after which the page starts.
fn snapshot(cluster: &Cluster, kind: Kind, query: &Query) -> Result<(Arc<Snapshot>, Option<String>), ApiError> {
    let current = || cluster.with(|state, now| state.store.snapshot(kind, now));
    if !query.cont.is_empty() {
        if !query.version.is_empty() && query.version != "0" {
            return Err(ApiError::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let token = Token::decode(&query.cont)?;
        let Ok(version) = u64::try_from(token.rv) else {
            return Ok((current(), Some(token.start)));
        };
        return match cluster.with(|state, now| state.store.snapshot_at(kind, version, now)) {
            Some(snapshot) => Ok((snapshot, Some(token.start))),
            None => Err(ApiError {
                cont: Some(Token::encode(-1, &token.start)),
                ..ApiError::new(
                    410,
                    "Expired",
                    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
                )
            }),
        };
    }
    if query.version.is_empty() {
        return if query.version_match.is_empty() {
            Ok((current(), None))
        } else {
            Err(ApiError::new(
                400,
                "Invalid",
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
            ))
        };
    }
    let version: u64 = query
        .version
        .parse()
        .map_err(|_| ApiError::bad_request(format!("invalid resource version \"{}\"", query.version)))?;
    let present = cluster.with(|state, _| state.store.version());
    if version > present {
        let message = format!("Too large resource version: {version}, current: {present}");
        return Err(ApiError {
            retry_after: Some(1),
            ..ApiError::new(504, "Timeout", message)
        });
    }
    let exact = query.version_match == "Exact" || query.version_match.is_empty() && query.limit > 0 && version > 0;
    if !exact || version == present {
        return Ok((current(), None));
    }
    let found = cluster.with(|state, now| state.store.snapshot_at(kind, version, now));
    found
        .map(|snapshot| (snapshot, None))
        .ok_or_else(|| ApiError::new(410, "Expired", "The resourceVersion for the provided list is too old."))
}

/// The body of a list, written piece by piece: a list of everything can be larger than memory should be.
fn list_body(kind: Kind, form: Form, metadata: &Value, page: Vec<Arc<Object>>, now: DateTime<Utc>) -> Body {
    let info = kind.info();
    let (api_version, list_kind) = match form {
        Form::Full => (info.api_version(), format!("{}List", info.kind)),
        Form::Metadata => ("meta.k8s.io/v1".to_owned(), "PartialObjectMetadataList".to_owned()),
    };
    let head = format!(r#"{{"kind":"{list_kind}","apiVersion":"{api_version}","metadata":{metadata},"items":["#);
    let with_kind = info.items_carry_kind;
    // State: bytes to send before the next object, and the index of that object; none after the end.
    let pieces = stream::unfold(Some((head.into_bytes(), 0_usize)), move |state| {
        let piece = state.map(|(mut out, mut index)| {
            out.reserve(CHUNK);
            while let Some(object) = page.get(index) {
                if index > 0 {
                    out.push(b',');
                }
                match form {
                    Form::Full => object.write_json(&mut out, with_kind, now),
                    Form::Metadata => object.write_metadata(&mut out, now),
                }
                index += 1;
                if out.len() >= CHUNK {
                    break;
                }
            }
            let next = if index < page.len() {
                Some((Vec::new(), index))
            } else {
                out.extend_from_slice(b"]}\n");
                None
            };
            (Ok::<_, std::io::Error>(Bytes::from(out)), next)
        });
        std::future::ready(piece)
    });
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn tokens_survive_their_encoding() {
        let token = Token::decode(&Token::encode(7, "lab/web")).unwrap();
        assert_eq!((token.rv, token.start.as_str()), (7, "lab/web"));
        assert!(Token::decode("%%%").is_err());
    }
}
