//! What changes, written with the events that say so: in one transaction, by the one run whose turn it is.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use stargate_common::db::outbox::{self, Outgoing};
use stargate_common::db::recommendations::{self, Counts, PolicyState, RuleUnknown, Sample, Write};
use stargate_common::db::views::{self, View};
use stargate_common::events::{self, RecommendationIssued, RecommendationRef, RecommendationWithdrawn};
use stargate_common::policy::diff::{Change, Stored, diff};
use stargate_common::policy::evaluate::{Advice, Doubt, Evaluated};
use stargate_common::policy::rule::RuleSet;
use stargate_common::unknown::UnknownReason;

use crate::{Done, RecommendError};

/// How long measurements are kept.
const KEPT: TimeDelta = TimeDelta::hours(24);
/// Subjects named of a rule that could not be told.
const EXAMPLES: usize = 10;

/// One run, ready to be written.
#[derive(Debug)]
pub struct Run<'a> {
    /// The rules.
    pub rules: &'a RuleSet,
    /// What they make of everything.
    pub evaluated: &'a Evaluated,
    /// What was measured.
    pub samples: &'a [Sample],
    /// Where it stands.
    pub state: PolicyState,
}

/// Writes a run. `None` when another run has come before it: then nothing is written.
///
/// # Errors
/// A statement failed, or an event cannot be sent.
pub async fn write(conn: &mut PgConnection, run: &Run<'_>, now: DateTime<Utc>) -> Result<Option<Done>, RecommendError> {
    let Run { rules, evaluated, .. } = run;
    let counts = Counts {
        asked: evaluated.asked,
        issued: evaluated.advice.len(),
        unknown: evaluated.doubts.len(),
    };
    if !recommendations::become_newest(conn, &run.state, counts).await? {
        return Ok(None);
    }
    let stored = recommendations::stored(&mut *conn).await?;
    let mut hashes: BTreeMap<uuid::Uuid, Vec<u8>> = BTreeMap::new();
    for advice in &evaluated.advice {
        hashes.insert(advice.id, hash(advice)?);
    }
    let hash_of = |advice: &Advice| hashes.get(&advice.id).cloned().unwrap_or_default();
    let changes = diff(rules, &stored, evaluated, hash_of);
    let mut writes = Vec::new();
    let mut outgoing = Vec::new();
    let mut done = Done {
        runs: 1,
        ..Done::default()
    };
    for change in &changes {
        match change {
            Change::Issue(advice, revision) | Change::Update(advice, revision) => {
                writes.push(prepared(rules, &hashes, advice, Some(*revision)));
                outgoing.push(issued(advice, *revision, now)?);
                if matches!(change, Change::Issue(..)) {
                    done.issued += 1;
                } else {
                    done.updated += 1;
                }
            }
            Change::Refresh(advice) => {
                writes.push(prepared(rules, &hashes, advice, None));
                done.refreshed += 1;
            }
            Change::Withdraw(stored, why, revision) => {
                recommendations::withdraw(conn, stored.id, *why, *revision, now).await?;
                outgoing.push(withdrawn(stored, *revision, now)?);
                done.withdrawn += 1;
            }
            Change::Doubt(stored, doubt) => {
                recommendations::doubt(conn, stored.id, doubt.reason, now).await?;
                done.doubted += 1;
            }
        }
    }
    recommendations::write(conn, &writes, &rules.version, now).await?;
    let unknowns = recommendations::set_unknowns(conn, &unknowns(&evaluated.doubts), now).await?;
    recommendations::keep_samples(conn, run.samples, now - KEPT).await?;
    outbox::append(conn, &outgoing, now).await?;
    let changed = !changes.is_empty() || unknowns > 0;
    views::raise(conn, changed.then_some(View::Recommendations), now).await?;
    Ok(Some(done))
}

fn prepared<'a>(rules: &'a RuleSet, hashes: &'a BTreeMap<uuid::Uuid, Vec<u8>>, advice: &'a Advice, revision: Option<i32>) -> Write<'a> {
    Write {
        advice,
        title: rules.rule(&advice.rule).map(|rule| rule.title.as_str()).unwrap_or_default(),
        content_hash: hashes.get(&advice.id).map(Vec::as_slice).unwrap_or_default(),
        revision,
    }
}

/// Over everything that people see of a piece of advice.
fn hash(advice: &Advice) -> Result<Vec<u8>, RecommendError> {
    let seen = (
        advice.urgency,
        advice.confidence,
        &advice.decision,
        &advice.key_facts,
        &advice.evidence,
        &advice.context,
        &advice.sources,
    );
    let bytes = serde_json::to_vec(&seen).map_err(RecommendError::Json)?;
    Ok(Sha256::digest(bytes).to_vec())
}

fn issued(advice: &Advice, revision: i32, now: DateTime<Utc>) -> Result<Outgoing, RecommendError> {
    let payload = RecommendationIssued(RecommendationRef {
        recommendation_id: advice.id,
        revision,
        rule: advice.rule.clone(),
        scope: advice.scope.to_string(),
        scope_key: advice.key.clone(),
        urgency: advice.urgency.to_string(),
    });
    Ok(events::outgoing(crate::NAME, &payload, now)?)
}

fn withdrawn(stored: &Stored, revision: i32, now: DateTime<Utc>) -> Result<Outgoing, RecommendError> {
    let payload = RecommendationWithdrawn(RecommendationRef {
        recommendation_id: stored.id,
        revision,
        rule: stored.rule.clone(),
        scope: stored.scope.to_string(),
        scope_key: stored.key.clone(),
        urgency: stored.urgency.to_string(),
    });
    Ok(events::outgoing(crate::NAME, &payload, now)?)
}

/// By rule and reason: a source that is away is one line a rule, however many labs there are.
fn unknowns(doubts: &[Doubt]) -> Vec<RuleUnknown> {
    let mut all: BTreeMap<(&str, UnknownReason), RuleUnknown> = BTreeMap::new();
    for doubt in doubts {
        let unknown = all.entry((&doubt.rule, doubt.reason)).or_insert_with(|| RuleUnknown {
            rule: doubt.rule.clone(),
            scope: doubt.scope,
            reason: doubt.reason,
            subjects: 0,
            examples: Vec::new(),
            facts: Vec::new(),
            sources: Vec::new(),
        });
        unknown.subjects = unknown.subjects.saturating_add(1);
        if unknown.examples.len() < EXAMPLES {
            unknown.examples.push(doubt.key.clone());
        }
        unknown.facts.extend(doubt.facts.iter().cloned());
        unknown.sources.extend(doubt.sources.iter().map(ToString::to_string));
    }
    for unknown in all.values_mut() {
        for names in [&mut unknown.facts, &mut unknown.sources] {
            names.sort_unstable();
            names.dedup();
        }
    }
    all.into_values().collect()
}
