//! The operations under `/api/v1`, one file each subject: its rows, its statements, its handlers.

pub mod clusters;
pub mod evidence;
pub mod facets;
pub mod incidents;
pub mod instances;
pub mod jobs;
pub mod knowledge;
pub mod labs;
pub mod mappings;
pub mod me;
pub mod nodes;
pub mod overview;
pub mod pools;
pub mod provisioning;
pub mod recommendations;
pub mod scans;
pub mod search;
pub mod sessions;
pub mod sources;
pub mod stream;
pub mod subjects;
pub mod transitions;
pub mod trends;
pub mod violations;
pub mod why;

use axum::Extension;
use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::answer::{Ask, weak_tag};
use crate::params::NoParams;
use crate::problem::ApiError;

/// The OpenAPI document, for the operation that shows it. It changes with the build alone.
#[derive(Debug, Clone)]
pub struct Document {
    json: Bytes,
    tag: HeaderValue,
}

impl Document {
    /// The document as it is sent.
    #[must_use]
    pub fn new(document: &Value) -> Self {
        let json = Bytes::from(document.to_string());
        Self {
            tag: weak_tag(&Sha256::digest(&json)),
            json,
        }
    }
}

/// The OpenAPI document of this interface.
#[utoipa::path(get, path = "/openapi.json", operation_id = "getOpenApi", tag = "interface",
    responses((status = 200, description = "The document", body = Object)))]
pub async fn openapi(Extension(Document { json, tag }): Extension<Document>, ask: Ask<NoParams>) -> Response {
    if ask.has(&tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let kind = HeaderValue::from_static("application/json");
    ([(header::ETAG, tag), (header::CONTENT_TYPE, kind)], json).into_response()
}

/// A stored document as what it is. `what` names it when it is not.
pub(crate) fn document<R: DeserializeOwned>(text: &str, what: impl FnOnce() -> String) -> Result<R, ApiError> {
    serde_json::from_str(text).map_err(|source| ApiError::Document { what: what(), source })
}

/// That no value of a filter has what PostgreSQL's text cannot hold.
fn no_nul(parameter: &str, values: &[String]) -> Result<(), ApiError> {
    if values.iter().any(|value| value.contains('\0')) {
        return Err(ApiError::invalid(parameter, "no name holds a NUL"));
    }
    Ok(())
}

/// A filter for SQL: null, which means any, when nothing was named.
fn any_of<T: Clone>(named: &[T]) -> Option<Vec<T>> {
    (!named.is_empty()).then(|| named.to_vec())
}

/// A filter of words for SQL.
fn any_word<T: Copy>(named: &[T], word: impl Fn(T) -> &'static str) -> Option<Vec<String>> {
    (!named.is_empty()).then(|| named.iter().map(|&one| word(one).to_owned()).collect())
}
