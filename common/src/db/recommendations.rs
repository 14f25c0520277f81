//! Advice of the policy engine, what its rules could not tell, and where its runs stand.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::rows::{self, BATCH, to_json};
use super::{DbError, Doing};
use crate::policy::augment::Context;
use crate::policy::diff::{Stored, Withdrawal};
use crate::policy::evaluate::{Advice, Evidence};
use crate::policy::{Scope, Urgency};
use crate::unknown::UnknownReason;

/// Everything that was ever advised and is not forgotten, without what only people read.
///
/// # Errors
/// The statement failed.
pub async fn stored(db: impl PgExecutor<'_>) -> Result<Vec<Stored>, DbError> {
    let rows = sqlx::query!(
        r#"-- recommendations::stored
        select recommendation_id, rule, scope, scope_key, state, revision, urgency, confidence,
               key_facts as "key_facts: Json<BTreeMap<String, String>>", escalated, content_hash, unknown_reason
        from recommendations order by recommendation_id"#
    )
    .fetch_all(db)
    .await
    .doing("reading what is advised")?;
    let stored = rows.into_iter().filter_map(|row| {
        Some(Stored {
            id: row.recommendation_id,
            rule: row.rule,
            // Of a newer version: none of ours.
            scope: Scope::parse(&row.scope)?,
            key: row.scope_key,
            issued: row.state == "issued",
            revision: row.revision,
            urgency: Urgency::parse(&row.urgency)?,
            confidence: u8::try_from(row.confidence).unwrap_or_default(),
            key_facts: row.key_facts.0,
            escalated: row.escalated,
            content_hash: row.content_hash,
            unknown_reason: row.unknown_reason.as_deref().and_then(UnknownReason::parse),
        })
    });
    Ok(stored.collect())
}

/// Advice as it is written.
#[derive(Debug)]
#[expect(missing_docs, reason = "each field is the column of that name, or that of the advice")]
pub struct Write<'a> {
    pub advice: &'a Advice,
    pub title: &'a str,
    pub content_hash: &'a [u8],
    /// The revision it gets; none keeps what is stored: the same decision in other words.
    pub revision: Option<i32>,
}

#[derive(Serialize)]
struct Row<'a> {
    recommendation_id: Uuid,
    rule: &'a str,
    scope: Scope,
    scope_key: &'a str,
    urgency: Urgency,
    confidence: u8,
    title: &'a str,
    decision: &'a str,
    key_facts: &'a BTreeMap<String, String>,
    sources: &'a [String],
    evidence: &'a [Evidence],
    context: &'a Context,
    escalated: bool,
    #[serde(serialize_with = "rows::bytea")]
    content_hash: &'a [u8],
    revision: Option<i32>,
}

/// Issues, updates and refreshes advice.
///
/// # Errors
/// A statement failed.
pub async fn write(conn: &mut PgConnection, all: &[Write<'_>], rules_version: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    let rows: Vec<Row<'_>> = all.iter().map(row).collect();
    for some in rows.chunks(BATCH) {
        sqlx::query!(
            "-- recommendations::write
            insert into recommendations as r
                (recommendation_id, rule, scope, scope_key, state, urgency, confidence, title, decision, key_facts, sources, evidence, context,
                 escalated, content_hash, revision, rules_version, issued_at, updated_at)
            select n.recommendation_id, n.rule, n.scope, n.scope_key, 'issued', n.urgency, n.confidence, n.title, n.decision, n.key_facts,
                   n.sources, n.evidence, n.context, n.escalated, n.content_hash, coalesce(n.revision, 1), $2, $3, $3
            from json_to_recordset($1::text::json) as n (recommendation_id uuid, rule text, scope text, scope_key text, urgency text,
                 confidence smallint, title text, decision text, key_facts jsonb, sources jsonb, evidence jsonb, context jsonb,
                 escalated boolean, content_hash bytea, revision integer)
            on conflict (recommendation_id) do update
            set state = 'issued', urgency = excluded.urgency, confidence = excluded.confidence, title = excluded.title,
                decision = excluded.decision, key_facts = excluded.key_facts, sources = excluded.sources, evidence = excluded.evidence,
                context = excluded.context, escalated = excluded.escalated, content_hash = excluded.content_hash,
                revision = greatest(r.revision, excluded.revision), rules_version = excluded.rules_version,
                issued_at = case when r.state = 'withdrawn' then excluded.issued_at else r.issued_at end,
                updated_at = case when excluded.revision > r.revision then excluded.updated_at else r.updated_at end,
                unknown_reason = null, unknown_since = null, withdrawn_at = null, withdrawal = null",
            to_json(some)?,
            rules_version,
            now
        )
        .execute(&mut *conn)
        .await
        .doing("writing advice")?;
    }
    Ok(())
}

fn row<'a>(write: &'a Write<'_>) -> Row<'a> {
    let advice = write.advice;
    Row {
        recommendation_id: advice.id,
        rule: &advice.rule,
        scope: advice.scope,
        scope_key: &advice.key,
        urgency: advice.urgency,
        confidence: advice.confidence,
        title: write.title,
        decision: &advice.decision,
        key_facts: &advice.key_facts,
        sources: &advice.sources,
        evidence: &advice.evidence,
        context: &advice.context,
        escalated: advice.context.escalated,
        content_hash: write.content_hash,
        revision: write.revision,
    }
}

/// Takes advice back.
///
/// # Errors
/// The statement failed.
pub async fn withdraw(conn: &mut PgConnection, id: Uuid, why: Withdrawal, revision: i32, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "-- recommendations::withdraw
        update recommendations
        set state = 'withdrawn', withdrawn_at = $4, updated_at = $4, withdrawal = $2, revision = $3, unknown_reason = null, unknown_since = null
        where recommendation_id = $1",
        id,
        why.as_str(),
        revision,
        now
    )
    .execute(conn)
    .await
    .doing("taking advice back")?;
    Ok(())
}

/// Marks advice of which it cannot be told whether it still holds. Since when stays when only the reason differs.
///
/// # Errors
/// The statement failed.
pub async fn doubt(conn: &mut PgConnection, id: Uuid, reason: UnknownReason, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "-- recommendations::doubt
        update recommendations set unknown_reason = $2, unknown_since = coalesce(unknown_since, $3) where recommendation_id = $1",
        id,
        reason.as_str(),
        now
    )
    .execute(conn)
    .await
    .doing("marking advice as in doubt")?;
    Ok(())
}

/// What a rule could not tell, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct RuleUnknown {
    pub rule: String,
    pub scope: Scope,
    pub reason: UnknownReason,
    pub subjects: i32,
    pub examples: Vec<String>,
    pub facts: Vec<String>,
    pub sources: Vec<String>,
}

/// Makes the table say what the newest run could not tell. What says so already stays, with its `since`. Answers how many rows it wrote.
///
/// # Errors
/// A statement failed.
pub async fn set_unknowns(conn: &mut PgConnection, unknowns: &[RuleUnknown], now: DateTime<Utc>) -> Result<u64, DbError> {
    let json = to_json(unknowns)?;
    let gone = sqlx::query!(
        "-- recommendations::set_unknowns (gone)
        delete from rule_unknowns u
        where not exists (select from json_to_recordset($1::text::json) as n (rule text, reason text)
                          where n.rule = u.rule and n.reason = u.reason)",
        json
    )
    .execute(&mut *conn)
    .await
    .doing("forgetting what can be told again")?;
    let written = sqlx::query!(
        "-- recommendations::set_unknowns
        insert into rule_unknowns as u (rule, scope, reason, subjects, examples, facts, sources, since)
        select n.rule, n.scope, n.reason, n.subjects, n.examples, n.facts, n.sources, $2
        from json_to_recordset($1::text::json) as n (rule text, scope text, reason text, subjects integer, examples jsonb, facts jsonb,
             sources jsonb)
        on conflict (rule, reason) do update
        set scope = excluded.scope, subjects = excluded.subjects, examples = excluded.examples, facts = excluded.facts,
            sources = excluded.sources
        where (u.scope, u.subjects, u.examples, u.facts, u.sources)
              is distinct from (excluded.scope, excluded.subjects, excluded.examples, excluded.facts, excluded.sources)",
        json,
        now
    )
    .execute(conn)
    .await
    .doing("writing what cannot be told")?;
    Ok(gone.rows_affected() + written.rows_affected())
}

/// The newest run.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct PolicyState {
    pub run: i64,
    pub inputs: BTreeMap<String, i64>,
    pub as_of: DateTime<Utc>,
    pub rules_version: String,
}

/// The newest run; none before the first.
///
/// # Errors
/// The statement failed.
pub async fn newest_run(db: impl PgExecutor<'_>) -> Result<Option<PolicyState>, DbError> {
    let row = sqlx::query!(
        r#"-- recommendations::newest_run
        select run, inputs as "inputs: Json<BTreeMap<String, i64>>", as_of, rules_version from policy_state"#
    )
    .fetch_optional(db)
    .await
    .doing("reading the newest run of the policies")?;
    Ok(row.map(|row| PolicyState {
        run: row.run,
        inputs: row.inputs.0,
        as_of: row.as_of,
        rules_version: row.rules_version,
    }))
}

/// How many things a run asked, advised and could not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct Counts {
    pub asked: usize,
    pub issued: usize,
    pub unknown: usize,
}

/// Makes `state` the newest run if the one before it still is the newest; then nobody else becomes so before the transaction ends.
///
/// # Errors
/// The statement failed.
pub async fn become_newest(conn: &mut PgConnection, state: &PolicyState, counts: Counts) -> Result<bool, DbError> {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let done = sqlx::query!(
        "-- recommendations::become_newest
        insert into policy_state as s (run, inputs, as_of, rules_version, asked, issued, unknown) values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (one) do update
        set run = excluded.run, inputs = excluded.inputs, as_of = excluded.as_of, rules_version = excluded.rules_version,
            asked = excluded.asked, issued = excluded.issued, unknown = excluded.unknown
        where s.run = excluded.run - 1",
        state.run,
        Json(&state.inputs) as _,
        state.as_of,
        state.rules_version,
        count(counts.asked),
        count(counts.issued),
        count(counts.unknown)
    )
    .execute(conn)
    .await
    .doing("taking the turn of the policies")?;
    Ok(done.rows_affected() == 1)
}

/// Versions of what rules rest on, by view. Raised in the transactions that change it: the same versions, the same answers.
///
/// # Errors
/// The statement failed.
pub async fn input_versions(db: impl PgExecutor<'_>) -> Result<BTreeMap<String, i64>, DbError> {
    let rows = sqlx::query!(
        "-- recommendations::input_versions
        select view, version from view_versions where view in ('clusters', 'incidents', 'instances', 'provisioning', 'transitions')"
    )
    .fetch_all(db)
    .await
    .doing("reading the versions of what policies rest on")?;
    Ok(rows.into_iter().map(|row| (row.view, row.version)).collect())
}

/// A measurement.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct Sample {
    pub series: String,
    pub key: String,
    pub at: DateTime<Utc>,
    pub value: f64,
}

/// Keeps measurements that are not kept yet, and forgets those before `oldest`.
///
/// # Errors
/// A statement failed.
pub async fn keep_samples(conn: &mut PgConnection, samples: &[Sample], oldest: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "-- recommendations::keep_samples
        insert into policy_samples select n.* from json_populate_recordset(null::policy_samples, $1::text::json) n on conflict do nothing",
        to_json(samples)?
    )
    .execute(&mut *conn)
    .await
    .doing("keeping measurements")?;
    sqlx::query!(
        "-- recommendations::keep_samples (old)\ndelete from policy_samples where at < $1",
        oldest
    )
    .execute(conn)
    .await
    .doing("forgetting old measurements")?;
    Ok(())
}

/// Measurements by series and key, in the order of time.
pub type Samples = BTreeMap<(String, String), Vec<(DateTime<Utc>, f64)>>;

/// The measurements that are kept.
///
/// # Errors
/// The statement failed.
pub async fn samples(db: impl PgExecutor<'_>) -> Result<Samples, DbError> {
    let rows = sqlx::query!("-- recommendations::samples\nselect series, key, at, value from policy_samples order by series, key, at")
        .fetch_all(db)
        .await
        .doing("reading measurements")?;
    let mut all = Samples::new();
    for row in rows {
        all.entry((row.series, row.key)).or_default().push((row.at, row.value));
    }
    Ok(all)
}
