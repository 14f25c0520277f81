//! The evidence of an instance: what its verdict rests on, document by document.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use stargate_common::objects::Kind;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use uuid::Uuid;

use super::any_word;
use crate::QueryState;
use crate::answer::{Ask, One, Scope};
use crate::basis::Basis;
use crate::problem::ApiError;
use crate::sources::{KindReading, SourceState};

/// A larger document is left out of an answer: 256 KiB.
const LARGEST: i32 = 256 << 10;

/// What was read of one kind in an instance.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EvidenceRow {
    /// The kind.
    #[schema(example = "pod")]
    pub kind: String,
    /// How far the cluster's newest list of the kind can be relied on.
    pub state: SourceState,
    /// Why that list is not the whole truth; null when it is.
    pub missing: Option<String>,
    /// When the kind was last read completely.
    pub checked_at: Option<DateTime<Utc>>,
    /// How long ago that was, in seconds.
    #[schema(minimum = 0)]
    pub age_s: Option<i64>,
    /// When the document was first seen as it is; null when there is none.
    pub observed_at: Option<DateTime<Utc>>,
    /// SHA-256 of the document, in hexadecimal; null when there is none.
    pub content_hash: Option<String>,
    /// Size of the document in bytes.
    #[schema(minimum = 0)]
    pub size_bytes: i32,
    /// The objects, slimmed to what criteria read. Empty: the kind was read and there are none. Null: it was never read, or is larger than
    /// an answer may be (`size_bytes` says).
    #[schema(value_type = Option<Vec<Object>>)]
    pub document: Option<Value>,
}

/// A kind in a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct EvidenceKind(pub Kind);

impl PartialSchema for EvidenceKind {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Kind::ALL.map(Kind::as_str)))
            .into()
    }
}

impl ToSchema for EvidenceKind {}

/// Parameters of an instance's evidence.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EvidenceParams {
    /// Only these kinds.
    #[param(inline)]
    pub kind: Vec<EvidenceKind>,
}

/// The evidence an instance is judged by.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/instances/{id}/evidence", operation_id = "getInstanceEvidence", tag = "instances",
    params(("id" = Uuid, Path, description = "Id of the instance"), EvidenceParams),
    responses((status = 200, description = "One document a kind", body = One<Vec<EvidenceRow>>)))]
pub async fn list(State(app): State<QueryState>, Path(id): Path<String>, ask: Ask<EvidenceParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let record = super::instances::find(&mut db, &id).await?;
    let wanted = any_word(&ask.params.kind, |EvidenceKind(kind)| kind.as_str());
    ask.one(&basis, Scope::Clusters(&[record.cluster_id]), async || {
        let mut documents = documents(&mut db, record.instance_id, wanted.as_deref()).await?;
        let readings = basis
            .cluster(record.cluster_id)
            .map(|cluster| cluster.kinds.as_slice())
            .unwrap_or_default();
        let readings = readings
            .iter()
            .filter(|reading| !of_cluster(&reading.kind) && wanted.as_ref().is_none_or(|wanted| wanted.contains(&reading.kind)));
        let mut rows: Vec<EvidenceRow> = readings
            .map(|reading| read(reading, documents.remove(&reading.kind), ask.now))
            .collect();
        // A document of a kind that is not read any more is still what was last known.
        rows.extend(
            documents
                .into_iter()
                .map(|(kind, document)| row(kind, SourceState::Never, Some(document))),
        );
        rows.sort_by(|a, b| a.kind.cmp(&b.kind));
        Ok(rows)
    })
    .await
}

/// Whether objects of the kind belong to the cluster and to no instance.
fn of_cluster(kind: &str) -> bool {
    matches!(
        Kind::parse(kind),
        Some(Kind::Node | Kind::NodeMetrics | Kind::ClusterOperator | Kind::ClusterVersion | Kind::Subscription | Kind::JobBacklog)
    )
}

struct Document {
    content_hash: Vec<u8>,
    observed_at: DateTime<Utc>,
    size_bytes: i32,
    content: Option<Value>,
}

async fn documents(db: &mut PgConnection, instance: Uuid, kinds: Option<&[String]>) -> Result<BTreeMap<String, Document>, ApiError> {
    let records = sqlx::query!(
        r#"-- evidence::documents
        select kind, content_hash, observed_at, octet_length(doc::text) as "size_bytes!",
               case when octet_length(doc::text) <= $3 then doc::text end as content
        from evidence where instance_id = $1 and ($2::text[] is null or kind = any($2))"#,
        instance,
        kinds as _,
        LARGEST
    )
    .fetch_all(db)
    .await?;
    let mut documents = BTreeMap::new();
    for record in records {
        let content = record.content.as_deref().map(serde_json::from_str).transpose();
        let document = Document {
            content: content.map_err(|source| ApiError::Document {
                what: format!("the {} document of {instance}", record.kind),
                source,
            })?,
            content_hash: record.content_hash,
            observed_at: record.observed_at,
            size_bytes: record.size_bytes,
        };
        documents.insert(record.kind, document);
    }
    Ok(documents)
}

fn read(reading: &KindReading, document: Option<Document>, now: DateTime<Utc>) -> EvidenceRow {
    let state = reading.state(now);
    let nothing = document.is_none() && state != SourceState::Never;
    let row = row(reading.kind.clone(), state, document);
    EvidenceRow {
        missing: reading.missing.clone(),
        checked_at: reading.last_success_at,
        age_s: reading.last_success_at.map(|at| (now - at).num_seconds().max(0)),
        document: if nothing { Some(Value::Array(Vec::new())) } else { row.document },
        ..row
    }
}

fn row(kind: String, state: SourceState, document: Option<Document>) -> EvidenceRow {
    EvidenceRow {
        kind,
        state,
        missing: None,
        checked_at: None,
        age_s: None,
        observed_at: document.as_ref().map(|document| document.observed_at),
        content_hash: document.as_ref().map(|document| hex(&document.content_hash)),
        size_bytes: document.as_ref().map_or(0, |document| document.size_bytes),
        document: document.and_then(|document| document.content),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
