//! How old the results of smoke runs can be. Demolition gives no times: a result came after the last reading that did not have it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use super::rows::{BATCH, to_json};
use super::{DbError, Doing};
use crate::provisioning::Record as _;
use crate::provisioning::event::SmokeSession;

/// Key of the row that says when results were last looked at.
const LOOKED: &str = "*";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Row {
    run_key: String,
    total: Option<i64>,
    completed: Option<i64>,
    failed: Option<i64>,
    not_before: Option<DateTime<Utc>>,
    seen_at: DateTime<Utc>,
}

/// Notes the results of a complete reading. The answer is by key of the run: the earliest time its result can have come, or none when it was
/// there when Demolition was first read. The reading was made at `observed_at`; the same one, or one that is older, changes nothing.
///
/// # Errors
/// A statement failed.
pub async fn note(
    conn: &mut PgConnection,
    runs: &[SmokeSession],
    observed_at: DateTime<Utc>,
) -> Result<BTreeMap<String, Option<DateTime<Utc>>>, DbError> {
    let stored = sqlx::query_as!(
        Row,
        "-- smoke_results::note (stored)
        select run_key, total, completed, failed, not_before, seen_at from smoke_results for update"
    )
    .fetch_all(&mut *conn)
    .await
    .doing("reading the results of smoke runs")?;
    let mut stored: BTreeMap<String, Row> = stored.into_iter().map(|row| (row.run_key.clone(), row)).collect();
    let looked_at = stored.remove(LOOKED).map(|row| row.seen_at);
    let mut ages = BTreeMap::new();
    let mut changed = Vec::new();
    let outdated = looked_at.is_some_and(|looked_at| observed_at <= looked_at);
    for run in runs.iter().filter(|run| run.total.is_some()) {
        let row = Row {
            run_key: run.key(),
            total: run.total,
            completed: run.completed,
            failed: run.failed,
            not_before: looked_at,
            seen_at: observed_at,
        };
        let result = |row: &Row| (row.total, row.completed, row.failed);
        match stored.remove(&row.run_key) {
            Some(known) if outdated || result(&known) == result(&row) => {
                ages.insert(known.run_key, known.not_before);
            }
            _ => {
                ages.insert(row.run_key.clone(), row.not_before);
                changed.push(row);
            }
        }
    }
    if outdated {
        return Ok(ages);
    }
    changed.push(Row {
        run_key: LOOKED.to_owned(),
        total: None,
        completed: None,
        failed: None,
        not_before: None,
        seen_at: observed_at,
    });
    for some in changed.chunks(BATCH) {
        sqlx::query!(
            "-- smoke_results::note
            insert into smoke_results select n.* from json_populate_recordset(null::smoke_results, $1::text::json) n
            on conflict (run_key) do update
            set total = excluded.total, completed = excluded.completed, failed = excluded.failed, not_before = excluded.not_before,
                seen_at = excluded.seen_at",
            to_json(some)?
        )
        .execute(&mut *conn)
        .await
        .doing("noting the results of smoke runs")?;
    }
    let gone: Vec<String> = stored.into_keys().collect();
    sqlx::query!(
        "-- smoke_results::note (gone)\ndelete from smoke_results where run_key = any($1)",
        &gone
    )
    .execute(conn)
    .await
    .doing("forgetting smoke runs that are gone")?;
    Ok(ages)
}
