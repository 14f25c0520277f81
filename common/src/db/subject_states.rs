//! When subjects entered the state they are in, as far as collections saw it happen.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use super::{DbError, Doing};

/// The last change of a state that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// The state that was entered.
    pub state: String,
    /// When it was seen.
    pub at: DateTime<Utc>,
}

/// How far back changes are looked for: a state that is older than a quarter is as good as for ever, and only some partitions are read.
const BACK: TimeDelta = TimeDelta::days(90);

/// The last change of each of these subjects, by its key. A change from nothing is when it was first seen, which tells nothing.
///
/// # Errors
/// The statement failed.
pub async fn entered(db: impl PgExecutor<'_>, subjects: &[&str], now: DateTime<Utc>) -> Result<BTreeMap<String, Entered>, DbError> {
    let rows = sqlx::query!(
        r#"-- subject_states::entered
        select s.key as "key!", t.to_state, t.at
        from unnest($1::text[]) as s (key)
        cross join lateral (
            select to_state, from_state, at from subject_transitions where subject_key = s.key and at > $2 order by at desc limit 1
        ) t
        where t.from_state is not null"#,
        subjects as &[&str],
        now - BACK
    )
    .fetch_all(db)
    .await
    .doing("reading when subjects entered their state")?;
    let entered = rows.into_iter().map(|row| {
        let entered = Entered {
            state: row.to_state,
            at: row.at,
        };
        (row.key, entered)
    });
    Ok(entered.collect())
}

/// What an earlier reading knew of the active runs of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRuns {
    /// Those that it asked about.
    pub active: Vec<String>,
    /// Those of them that do not exist.
    pub missing: Vec<String>,
}

/// What is stored of the active runs of these subjects, by the subject's key; a subject of which that was never known is left out.
///
/// # Errors
/// The statement failed.
pub async fn known_runs(db: impl PgExecutor<'_>, subjects: &[&str]) -> Result<BTreeMap<String, KnownRuns>, DbError> {
    let rows = sqlx::query!(
        r#"-- subject_states::known_runs
        select key, array(select jsonb_array_elements_text(doc -> 'missing_runs')) as "missing!",
            array(select jsonb_array_elements_text(doc -> 'active_runs')) as "active!"
        from records where kind = 'subject' and key = any($1) and gone_at is null
            and jsonb_typeof(doc -> 'missing_runs') = 'array' and jsonb_typeof(doc -> 'active_runs') = 'array'"#,
        subjects as &[&str]
    )
    .fetch_all(db)
    .await
    .doing("reading which active runs do not exist")?;
    let known = rows.into_iter().map(|row| {
        let runs = KnownRuns {
            active: row.active,
            missing: row.missing,
        };
        (row.key, runs)
    });
    Ok(known.collect())
}
