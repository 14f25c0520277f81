//! Where each stage of each subject stands: what the state machine remembers and what people see of the newest verdict.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::rows::{self, BATCH};
use super::{DbError, Doing};
use crate::evaluate::CriterionResult;
use crate::stage::Stage;
use crate::track::transition::{Key, Next, Pending, StageState, Standing};
use crate::track::{ClassSince, Incident};

/// A stage as it is stored, without what only people read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What the newest verdict said.
    pub observed: String,
    /// Why, when it is indeterminate or skipped.
    pub reason: Option<String>,
    /// Hash over everything people see of the verdict.
    pub verdict_hash: Vec<u8>,
    /// What the state machine remembers.
    pub state: StageState,
}

/// Everything stored about the stages of a cluster and its instances, open incidents included. `evaluated_at` of the states is the
/// cluster's: whatever is stored is of that evaluation or an earlier one.
///
/// # Errors
/// The statement failed.
pub async fn of_cluster(
    conn: &mut PgConnection,
    cluster: Uuid,
    evaluated_at: Option<DateTime<Utc>>,
) -> Result<BTreeMap<Key, Stored>, DbError> {
    let rows = sqlx::query!(
        r#"-- stage_state::of_cluster
        select s.subject_id, s.stage, s.observed, s.reason, s.confirmed, s.confirmed_class, s.since, s.pending, s.pending_since,
               s.pending_count, s.unknown_since, s.changes, s.flapping_until, s.verdict_hash, s.identity, s.observed_at,
               i.incident_id as "incident_id?", i.failure_class as class, i.pattern_class, i.sub_class,
               i.class_history as "class_history?: Json<Vec<ClassSince>>", i.muted as "muted?", i.flapping as "flapping?",
               i.message as "message?", i.onset_at as "onset_at?", i.opened_at as "opened_at?", i.updated_at as "updated_at?",
               i.revision as "revision?"
        from stage_state s left join incidents i on i.incident_id = s.incident_id and i.state = 'open'
        where s.cluster_id = $1"#,
        cluster
    )
    .fetch_all(conn)
    .await
    .doing("reading where the stages of a cluster stand")?;
    let mut stored = BTreeMap::new();
    for row in rows {
        // A stage of a newer version is none of ours.
        let Some(stage) = Stage::parse(&row.stage) else { continue };
        let incident = match (row.incident_id, row.onset_at, row.opened_at, row.updated_at) {
            (Some(id), Some(onset_at), Some(opened_at), Some(updated_at)) => Some(Incident {
                id,
                class: row.class,
                pattern_class: row.pattern_class,
                sub_class: row.sub_class,
                class_history: row.class_history.map(|history| history.0).unwrap_or_default(),
                muted: row.muted.unwrap_or_default(),
                flapping: row.flapping.unwrap_or_default(),
                message: row.message.unwrap_or_default(),
                onset_at,
                opened_at,
                updated_at,
                revision: row.revision.unwrap_or_default(),
            }),
            _ => None,
        };
        let pending = next_of(row.pending.as_deref()).zip(row.pending_since).map(|(next, since)| Pending {
            next,
            since,
            count: u32::try_from(row.pending_count).unwrap_or_default(),
        });
        let state = StageState {
            evaluated_at: evaluated_at.max(Some(row.observed_at)),
            observed_at: Some(row.observed_at),
            identity: row.identity,
            confirmed: standing_of(row.confirmed.as_deref()).zip(row.since),
            warn_class: row.confirmed_class.filter(|_| row.confirmed.as_deref() == Some("warn")),
            pending,
            unknown_since: row.unknown_since,
            changes: row.changes,
            flapping_until: row.flapping_until,
            incident,
        };
        let value = Stored {
            observed: row.observed,
            reason: row.reason,
            verdict_hash: row.verdict_hash,
            state,
        };
        let subject = row.subject_id;
        stored.insert(Key { subject, stage }, value);
    }
    Ok(stored)
}

fn standing_of(name: Option<&str>) -> Option<Standing> {
    [Standing::Pass, Standing::Warn, Standing::Fail]
        .into_iter()
        .find(|standing| Some(standing.outcome().as_str()) == name)
}

fn next_of(name: Option<&str>) -> Option<Next> {
    match name {
        Some("skipped") => Some(Next::Leaving),
        other => standing_of(other).map(Next::Standing),
    }
}

const fn name_of(next: Next) -> &'static str {
    match next {
        Next::Standing(standing) => standing.outcome().as_str(),
        Next::Leaving => "skipped",
    }
}

/// A row of the table.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    subject_id: Uuid,
    stage: Stage,
    cluster_id: Uuid,
    instance_id: Option<Uuid>,
    observed: &'static str,
    reason: Option<String>,
    confirmed: Option<&'static str>,
    confirmed_class: Option<&'a str>,
    failure_class: Option<&'a str>,
    pattern_class: Option<&'a str>,
    sub_class: Option<&'a str>,
    since: Option<DateTime<Utc>>,
    pending: Option<&'static str>,
    pending_since: Option<DateTime<Utc>>,
    pending_count: u32,
    unknown_since: Option<DateTime<Utc>>,
    changes: &'a [DateTime<Utc>],
    flapping_until: Option<DateTime<Utc>>,
    incident_id: Option<Uuid>,
    recommended_action: Option<&'a str>,
    message: &'a str,
    criteria: &'a [CriterionResult],
    #[serde(serialize_with = "rows::bytea")]
    verdict_hash: &'a [u8],
    #[serde(serialize_with = "rows::bytea")]
    identity: &'a [u8],
    rubric_version: &'a str,
    observed_at: DateTime<Utc>,
}

/// What a row is made of.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// Subject and stage.
    pub key: Key,
    /// Where the subject is.
    pub cluster: Uuid,
    /// The instance, unless the subject is the cluster.
    pub instance: Option<Uuid>,
    /// The newest verdict.
    pub verdict: &'a crate::evaluate::Verdict,
    /// Hash over everything people see of it.
    pub verdict_hash: &'a [u8],
    /// What the state machine remembers.
    pub state: &'a StageState,
    /// Which rubrics judged it.
    pub rubric_version: &'a str,
    /// When the evidence was read, should the state not say.
    pub observed_at: DateTime<Utc>,
}

impl<'a> From<New<'a>> for Row<'a> {
    fn from(new: New<'a>) -> Self {
        let New {
            key,
            cluster,
            instance,
            verdict,
            verdict_hash,
            state,
            rubric_version,
            observed_at,
        } = new;
        let incident = state.incident.as_ref();
        let confirmed_class = incident.map_or(state.warn_class.as_deref(), |incident| incident.class.as_deref());
        // While nothing is known, the last thing that was known stays on the page.
        let definite = !matches!(verdict.outcome, crate::evaluate::Outcome::Indeterminate);
        let failure_class = if definite {
            verdict.failure_class.as_deref()
        } else {
            confirmed_class
        };
        let (pattern_class, sub_class) = if definite {
            (verdict.pattern_class.as_deref(), verdict.sub_class.as_deref())
        } else {
            let known = |label: fn(&Incident) -> &Option<String>| incident.and_then(|incident| label(incident).as_deref());
            (known(|incident| &incident.pattern_class), known(|incident| &incident.sub_class))
        };
        Self {
            subject_id: key.subject,
            stage: key.stage,
            cluster_id: cluster,
            instance_id: instance,
            observed: verdict.outcome.as_str(),
            reason: verdict.reason.map(|reason| reason.to_string()),
            confirmed: state.confirmed.map(|(standing, _)| standing.outcome().as_str()),
            confirmed_class,
            failure_class,
            pattern_class,
            sub_class,
            since: state.confirmed.map(|(_, since)| since),
            pending: state.pending.map(|pending| name_of(pending.next)),
            pending_since: state.pending.map(|pending| pending.since),
            pending_count: state.pending.map_or(0, |pending| pending.count),
            unknown_since: state.unknown_since,
            changes: &state.changes,
            flapping_until: state.flapping_until,
            incident_id: incident.map(|incident| incident.id),
            recommended_action: verdict.recommended_action.as_deref(),
            message: &verdict.message,
            criteria: &verdict.criteria,
            verdict_hash,
            identity: &state.identity,
            rubric_version,
            observed_at: state.observed_at.unwrap_or(observed_at),
        }
    }
}

/// Writes rows. One that rests on newer evidence already is left alone.
///
/// # Errors
/// The statement failed.
pub async fn write(conn: &mut PgConnection, new: &[Row<'_>]) -> Result<(), DbError> {
    for some in new.chunks(BATCH) {
        sqlx::query!(
            "-- stage_state::write
            insert into stage_state as s
                (subject_id, stage, cluster_id, instance_id, observed, reason, confirmed, confirmed_class, failure_class,
                 pattern_class, sub_class, since, pending, pending_since, pending_count, unknown_since, changes, flapping_until, incident_id, recommended_action, message,
                 criteria, verdict_hash, identity, rubric_version, observed_at)
            select subject_id, stage, cluster_id, instance_id, observed, reason, confirmed, confirmed_class, failure_class,
                   pattern_class, sub_class, since, pending, pending_since, pending_count, unknown_since, changes, flapping_until, incident_id, recommended_action, message,
                   criteria, verdict_hash, identity, rubric_version, observed_at
            from json_populate_recordset(null::stage_state, $1::text::json)
            on conflict (subject_id, stage) do update
            set observed = excluded.observed, reason = excluded.reason, confirmed = excluded.confirmed,
                confirmed_class = excluded.confirmed_class, failure_class = excluded.failure_class,
                pattern_class = excluded.pattern_class, sub_class = excluded.sub_class, since = excluded.since, pending = excluded.pending, pending_since = excluded.pending_since,
                pending_count = excluded.pending_count, unknown_since = excluded.unknown_since, changes = excluded.changes,
                flapping_until = excluded.flapping_until, incident_id = excluded.incident_id,
                recommended_action = excluded.recommended_action, message = excluded.message, criteria = excluded.criteria,
                verdict_hash = excluded.verdict_hash, identity = excluded.identity, rubric_version = excluded.rubric_version,
                observed_at = excluded.observed_at
            where s.observed_at <= excluded.observed_at",
            rows::to_json(some)?
        )
        .execute(&mut *conn)
        .await
        .doing("writing where stages stand")?;
    }
    Ok(())
}

/// Forgets stages that do not apply any more.
///
/// # Errors
/// The statement failed.
pub async fn remove(conn: &mut PgConnection, keys: &[Key]) -> Result<(), DbError> {
    if keys.is_empty() {
        return Ok(());
    }
    let subjects: Vec<Uuid> = keys.iter().map(|key| key.subject).collect();
    let stages: Vec<&str> = keys.iter().map(|key| key.stage.as_str()).collect();
    sqlx::query!(
        "-- stage_state::remove
        delete from stage_state s using unnest($1::uuid[], $2::text[]) as k (subject_id, stage)
        where s.subject_id = k.subject_id and s.stage = k.stage",
        &subjects,
        &stages as &[&str]
    )
    .execute(conn)
    .await
    .doing("forgetting stages that do not apply any more")?;
    Ok(())
}
