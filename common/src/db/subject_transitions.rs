//! Every change of a subject's state, as far as collections saw it. Append-only. 400 days.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};

use super::rows::{BATCH, to_json};
use super::{DbError, Doing};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubjectTransition<'a> {
    /// When the collection that saw it began: it happened at some time before.
    pub at: DateTime<Utc>,
    /// Uid of the subject.
    pub subject_key: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The state that was seen before; none when it is seen for the first time.
    pub from_state: Option<&'a str>,
    /// The state it is in now; empty when it has none yet.
    pub to_state: &'a str,
    /// It cannot have happened before that: the collection before, or its creation.
    pub not_before: Option<DateTime<Utc>>,
}

/// The state that was last seen of each of these subjects. One that was never seen is not in it.
///
/// # Errors
/// The statement failed.
pub async fn newest(db: impl PgExecutor<'_>, subjects: &[String]) -> Result<BTreeMap<String, String>, DbError> {
    let rows = sqlx::query!(
        r#"-- subject_transitions::newest
        select asked.key as "key!", newest.to_state as "to_state!" from unnest($1::text[]) as asked (key)
        cross join lateral (
            select t.to_state from subject_transitions t where t.subject_key = asked.key order by t.at desc limit 1
        ) as newest"#,
        subjects
    )
    .fetch_all(db)
    .await
    .doing("reading the newest states of subjects")?;
    Ok(rows.into_iter().map(|row| (row.key, row.to_state)).collect())
}

/// Stores changes. One that is stored already stays as it is.
///
/// # Errors
/// A statement failed.
pub async fn insert(conn: &mut PgConnection, transitions: &[SubjectTransition<'_>]) -> Result<(), DbError> {
    for some in transitions.chunks(BATCH) {
        sqlx::query!(
            "-- subject_transitions::insert
            insert into subject_transitions (at, subject_key, name, from_state, to_state, not_before)
            select n.at, n.subject_key, n.name, n.from_state, n.to_state, n.not_before
            from json_populate_recordset(null::subject_transitions, $1::text::json) as n
            on conflict (subject_key, at) do nothing",
            to_json(some)?
        )
        .execute(&mut *conn)
        .await
        .doing("storing transitions of subjects")?;
    }
    Ok(())
}

/// When a source was last read whole: what a later reading sees for the first time did not happen before.
///
/// # Errors
/// The statement failed.
pub async fn read_before(db: impl PgExecutor<'_>, source: &str) -> Result<Option<DateTime<Utc>>, DbError> {
    let row = sqlx::query_scalar!(
        "-- subject_transitions::read_before
        select last_success_at from sources where source = $1",
        source
    )
    .fetch_optional(db)
    .await
    .doing("reading when a source was last read")?;
    Ok(row.flatten())
}
