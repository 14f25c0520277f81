//! What the provisioning systems said, one document an object: written when its content differs, never when it was not read whole.
//!
//! ```text
//! Reading ── hash of each item ── differs from the stored one? ──> upsert      complete, nothing refused, extent whole? ──> the others are gone
//! ```

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgExecutor};

use super::rows::{BATCH, to_json};
use super::{DbError, Doing};
use crate::provisioning::Record;
use crate::sources::{Extent, Reading};

/// What storing a reading changed, by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stored {
    /// Seen for the first time, or back again.
    pub new: Vec<String>,
    /// Stored with another content.
    pub changed: Vec<String>,
    /// No longer there.
    pub gone: Vec<String>,
}

impl Stored {
    /// Rows written.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.new.len() + self.changed.len() + self.gone.len()
    }
}

#[derive(serde::Serialize)]
struct Row<'a, R> {
    key: &'a str,
    /// As PostgreSQL reads a `bytea`.
    content_hash: &'a str,
    doc: &'a R,
}

/// Stores a reading of `source`. The caller's transaction makes it one step; two collections of one source must not overlap (a lease).
///
/// # Errors
/// A statement failed, or a record does not become JSON.
pub async fn store<R: Record>(conn: &mut PgConnection, source: &str, reading: &Reading<R>, now: DateTime<Utc>) -> Result<Stored, DbError> {
    let mut stored = Stored::default();
    if reading.missing.is_some() {
        return Ok(stored);
    }
    let mut known = hashes(conn, R::KIND.as_str(), source).await?;
    let mut write: BTreeMap<String, (String, &R)> = BTreeMap::new();
    for item in &reading.items {
        let (key, hash) = (item.key(), hash(item)?);
        match known.remove(&key) {
            Some((same, false)) if same == hash => continue,
            // Of an object that is read twice, on pages that overlap, the first one was written.
            None if write.contains_key(&key) => continue,
            Some((_, false)) => stored.changed.push(key.clone()),
            Some((_, true)) | None => stored.new.push(key.clone()),
        }
        write.insert(key, (hash, item));
    }
    let rows: Vec<Row<'_, R>> = write
        .iter()
        .map(|(key, (content_hash, doc))| Row {
            key,
            content_hash,
            doc: *doc,
        })
        .collect();
    for some in rows.chunks(BATCH) {
        sqlx::query!(
            "-- records::store
            insert into records as r (kind, key, source, content_hash, doc, first_seen_at, changed_at)
            select $1, n.key, $2, n.content_hash, n.doc, $3, $3
            from json_to_recordset($4::text::json) as n (key text, content_hash bytea, doc jsonb)
            on conflict (kind, key) do update
            set source = excluded.source, content_hash = excluded.content_hash, doc = excluded.doc, changed_at = excluded.changed_at, gone_at = null",
            R::KIND.as_str(),
            source,
            now,
            to_json(some)?
        )
        .execute(&mut *conn)
        .await
        .doing("storing records")?;
    }
    if reading.refused.is_empty() && reading.extent != Extent::Part {
        let stays = |key: &String| matches!(&reading.extent, Extent::Within { others } if others.contains(key));
        let missing = known.into_iter().filter(|(key, (_, gone))| !gone && !stays(key));
        stored.gone = missing.map(|(key, _)| key).collect();
        sqlx::query!(
            "-- records::store (gone)
            update records set gone_at = $3 where kind = $1 and key = any($2)",
            R::KIND.as_str(),
            &stored.gone,
            now
        )
        .execute(conn)
        .await
        .doing("marking records as gone")?;
    }
    Ok(stored)
}

/// Stored hashes by key, each with whether the record is gone.
async fn hashes(conn: &mut PgConnection, kind: &str, source: &str) -> Result<BTreeMap<String, (String, bool)>, DbError> {
    let rows = sqlx::query!(
        r#"-- records::hashes
        select key, content_hash::text as "content_hash!", gone_at is not null as "gone!" from records where kind = $1 and source = $2"#,
        kind,
        source
    )
    .fetch_all(conn)
    .await
    .doing("reading what records are stored")?;
    Ok(rows.into_iter().map(|row| (row.key, (row.content_hash, row.gone))).collect())
}

fn hash<R: Record>(item: &R) -> Result<String, DbError> {
    let bytes = serde_json::to_vec(item).map_err(|error| DbError {
        doing: "writing a record as JSON",
        source: sqlx::Error::Encode(Box::new(error)),
    })?;
    Ok(format!("\\x{:x}", Sha256::digest(bytes)))
}

/// All records of a kind that are there, by key. A document of a newer or older version that is not understood is an error: collect again.
///
/// # Errors
/// The statement failed or a document is not a record.
pub async fn live<R: Record>(db: impl PgExecutor<'_>) -> Result<Vec<R>, DbError> {
    let rows = sqlx::query_scalar!(
        r#"-- records::live
        select doc::text as "doc!" from records where kind = $1 and gone_at is null order by key"#,
        R::KIND.as_str()
    )
    .fetch_all(db)
    .await
    .doing("loading records")?;
    rows.iter()
        .map(|doc| {
            serde_json::from_str(doc).map_err(|error| DbError {
                doing: "reading a stored record",
                source: sqlx::Error::Decode(Box::new(error)),
            })
        })
        .collect()
}

/// How long a record stays after its source no longer had it: long enough to look into what a lab was last month.
pub const KEEP_GONE: TimeDelta = TimeDelta::days(30);
/// How long a job stays, from its end; of one whose end nobody saw from when it was created, or first read. They never go by themselves,
/// because only new ones are read. Source: dashboard-and-query-domain 4.3.
pub const KEEP_JOBS: TimeDelta = TimeDelta::days(90);

/// Forgets records that are gone for long, and jobs of long ago. Returns how many.
///
/// # Errors
/// The statement failed.
pub async fn forget(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> Result<u64, DbError> {
    let forgotten = sqlx::query!(
        "-- records::forget
        delete from records where gone_at < $1 or case when kind = 'aap-job' then
            coalesce((doc ->> 'finished_at')::timestamptz, (doc ->> 'created_at')::timestamptz, first_seen_at) < $2 else false end",
        now - KEEP_GONE,
        now - KEEP_JOBS
    )
    .execute(db)
    .await
    .doing("forgetting old records")?;
    Ok(forgotten.rows_affected())
}
