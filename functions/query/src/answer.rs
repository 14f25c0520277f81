//! From a request to an answer: what every operation does before and after its own query.
//!
//! ```text
//! Ask (parameters, time, who) ──> basis (versions, sources) ──ETag matches──> 304, the main query never runs
//!                                        └──> the operation's query ──> {data, page?, meta} + ETag
//! ```
//! The versions are read before the data, so an answer may be newer than its tag says and is then fetched once more; never the other
//! way round.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use stargate_common::sources::SourceName;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::QueryState;
use crate::access::Identity;
use crate::basis::Basis;
use crate::frame::{FullPath, RequestId};
use crate::page::{Page, Wanted};
use crate::params::{self, Limit};
use crate::problem::{ApiError, Fault};
use crate::sources::SourceMeta;

/// A list and where its page stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// The rows of the page.
    pub data: Vec<T>,
    /// Where it stands in the list.
    pub page: Page,
    /// What the answer rests on.
    pub meta: Meta,
}

/// One thing.
#[derive(Debug, Serialize, ToSchema)]
pub struct One<T> {
    /// It.
    pub data: T,
    /// What the answer rests on.
    pub meta: Meta,
}

/// What an answer rests on: every number has an age.
#[derive(Debug, Serialize, ToSchema)]
pub struct Meta {
    /// No source that was ever read is older than this; null when none was read.
    pub as_of: Option<DateTime<Utc>>,
    /// The request's id, as in the `x-request-id` header.
    pub request_id: String,
    /// The sources of the answer.
    pub sources: Vec<SourceMeta>,
    /// Whether a source tells less than it should: what is missing is shown as unknown, never as ready.
    pub partial: bool,
}

/// A request, understood: parameters, time, who asks.
#[derive(Debug)]
pub struct Ask<P> {
    /// The operation's parameters.
    pub params: P,
    /// When it came in. Every age and window of the answer is relative to it.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub identity: Identity,
    request_id: RequestId,
    if_none_match: Option<String>,
    path: String,
    /// Every parameter, sorted: the same question in another order is the same question.
    pairs: Vec<(String, String)>,
}

impl<P: DeserializeOwned> FromRequestParts<QueryState> for Ask<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &QueryState) -> Result<Self, ApiError> {
        let identity = Identity::from_request_parts(parts, app).await?;
        let Query(mut pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, app)
            .await
            .map_err(|_: QueryRejection| {
                ApiError::Parameter(Fault {
                    parameter: "query".to_owned(),
                    code: "invalid",
                    detail: "the query string cannot be read: check its percent encoding".to_owned(),
                    allowed: Vec::new(),
                })
            })?;
        let params = params::parse(&pairs)?;
        pairs.sort();
        let FullPath(path) = parts.extensions.get().cloned().unwrap_or_default();
        Ok(Self {
            params,
            now: app.clock.now(),
            identity,
            request_id: parts.extensions.get::<RequestId>().cloned().unwrap_or_default(),
            if_none_match: header_text(&parts.headers, &header::IF_NONE_MATCH),
            path,
            pairs,
        })
    }
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Which sources an answer rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Every cluster.
    Fleet,
    /// These clusters.
    Clusters(&'a [Uuid]),
    /// These clusters, or all, and these collectors.
    Systems(Option<&'a [Uuid]>, &'a [SourceName]),
    /// Nothing that was collected: definitions.
    Nothing,
}

impl<'a> From<Option<&'a [Uuid]>> for Scope<'a> {
    /// A filter that names no cluster is about all of them.
    fn from(filter: Option<&'a [Uuid]>) -> Self {
        filter.map_or(Self::Fleet, Self::Clusters)
    }
}

impl<P> Ask<P> {
    /// Which page of this list is wanted. A cursor of another path, filter or order is refused.
    ///
    /// # Errors
    /// The cursor does not fit.
    pub fn page<K: Serialize + DeserializeOwned + Clone>(&self, limit: Limit, cursor: Option<&str>) -> Result<Wanted<K>, ApiError> {
        let filters = self.pairs.iter().filter(|(name, _)| name != "cursor" && name != "limit");
        let mut digest = Sha256::new();
        seal(&mut digest, [self.path.as_str()].into_iter());
        seal(&mut digest, filters.flat_map(|(name, value)| [name.as_str(), value.as_str()]));
        Wanted::new(limit, cursor, &URL_SAFE_NO_PAD.encode(&digest.finalize()[..9]))
    }

    /// Whether the client has the answer of that tag already.
    #[must_use]
    pub fn has(&self, tag: &HeaderValue) -> bool {
        self.if_none_match.as_deref().is_some_and(|wanted| matches(wanted, tag))
    }

    /// Answers with a list.
    ///
    /// # Errors
    /// A query failed.
    pub async fn list<T: Serialize>(
        &self,
        basis: &Basis,
        scope: Scope<'_>,
        read: impl AsyncFnOnce() -> Result<(Vec<T>, Page), ApiError>,
    ) -> Result<Response, ApiError> {
        self.answer(basis, scope, read, |(data, page), meta| List { data, page, meta })
            .await
    }

    /// Answers with one thing.
    ///
    /// # Errors
    /// A query failed.
    pub async fn one<T: Serialize>(
        &self,
        basis: &Basis,
        scope: Scope<'_>,
        read: impl AsyncFnOnce() -> Result<T, ApiError>,
    ) -> Result<Response, ApiError> {
        self.answer(basis, scope, read, |data, meta| One { data, meta }).await
    }

    async fn answer<T, B: Serialize>(
        &self,
        basis: &Basis,
        scope: Scope<'_>,
        read: impl AsyncFnOnce() -> Result<T, ApiError>,
        wrap: impl FnOnce(T, Meta) -> B,
    ) -> Result<Response, ApiError> {
        let sources = basis.headings(scope);
        let tag = self.tag(basis, &sources);
        let headers = [(header::ETAG, tag.clone())];
        if self.has(&tag) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        let data = read().await?;
        let meta = Meta {
            as_of: sources.iter().filter_map(|source| source.observed_at).min(),
            request_id: self.request_id.as_str().to_owned(),
            partial: sources
                .iter()
                .any(|source| source.state.is_partial() || !source.coverage.missing.is_empty()),
            sources,
        };
        Ok((headers, Json(wrap(data, meta))).into_response())
    }

    /// A weak tag over everything the answer depends on: the question, who asks, the versions of the read models, the state of the
    /// sources (which changes by mere time), and this build.
    fn tag(&self, basis: &Basis, sources: &[SourceMeta]) -> HeaderValue {
        let mut digest = Sha256::new();
        seal(
            &mut digest,
            [env!("CARGO_PKG_VERSION"), &self.identity.seal(), &self.path].into_iter(),
        );
        seal(
            &mut digest,
            self.pairs.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]),
        );
        for view in &basis.versions {
            seal(&mut digest, [view.view.as_str()].into_iter());
            digest.update(view.version.to_be_bytes());
        }
        if let Some(minute) = basis.minute {
            digest.update(minute.to_be_bytes());
            // Such an answer may tell of any collector: it is another one as soon as one of them changes its state.
            for source in basis.collectors.headings(&SourceName::ALL, basis.now) {
                seal(&mut digest, [source.source.as_str(), source.state.as_str()].into_iter());
            }
        }
        for source in sources {
            seal(&mut digest, [source.source.as_str(), source.state.as_str()].into_iter());
            seal(&mut digest, source.coverage.missing.iter().map(String::as_str));
            digest.update(source.observed_at.map_or(0, |at| at.timestamp_micros()).to_be_bytes());
        }
        weak_tag(&digest.finalize())
    }
}

/// The weak tag of a digest; half of it is plenty.
#[must_use]
pub fn weak_tag(digest: &[u8]) -> HeaderValue {
    let tag = format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2]));
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Adds texts to a digest so that no two lists of texts give the same bytes.
fn seal<'a>(digest: &mut Sha256, texts: impl Iterator<Item = &'a str>) {
    for text in texts {
        digest.update(text.len().to_be_bytes());
        digest.update(text);
    }
    digest.update(u64::MAX.to_be_bytes());
}

/// Whether `If-None-Match` names the tag; comparison is weak (RFC 9110, 13.1.2).
fn matches(wanted: &str, tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let tag = opaque(tag.to_str().unwrap_or_default());
    wanted.trim() == "*" || wanted.split(',').any(|one| opaque(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_strong_forms_of_a_tag_match() {
        let tag = HeaderValue::from_static("W/\"abc\"");
        for wanted in ["W/\"abc\"", "\"abc\"", "\"x\", W/\"abc\"", "*"] {
            assert!(matches(wanted, &tag), "{wanted}");
        }
        for wanted in ["", "\"ab\"", "abc", "W/\"abcd\""] {
            assert!(!matches(wanted, &tag), "{wanted}");
        }
    }

    #[test]
    fn sealed_texts_cannot_be_shifted_into_each_other() {
        let digest = |texts: &[&str]| {
            let mut digest = Sha256::new();
            seal(&mut digest, texts.iter().copied());
            digest.finalize()
        };
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["a"]), digest(&["a", ""]));
    }
}
