//! What a collection adds to the history of subjects and pools, in the transaction that stores the records.
//!
//! The history itself says what was seen last, so that storing a collection twice adds nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use stargate_common::db::records::Stored;
use stargate_common::db::subject_transitions::SubjectTransition;
use stargate_common::db::{DbError, pool_samples, subject_transitions};
use stargate_common::provisioning::Record as _;
use stargate_common::provisioning::pool::{ResourceHandle, ResourcePool};
use stargate_common::provisioning::pool_state::{self, Fill, Sample};
use stargate_common::provisioning::subject::AnarchySubject;
use stargate_common::sources::Reading;

/// Stores a transition for each subject whose state is another than the one that was seen last. `previous` is when the source was last read
/// whole: nothing that is seen now for the first time happened before.
pub(crate) async fn subjects(
    conn: &mut PgConnection,
    reading: &Reading<AnarchySubject>,
    stored: &Stored,
    previous: Option<DateTime<Utc>>,
    observed_at: DateTime<Utc>,
) -> Result<usize, DbError> {
    let written: BTreeSet<&String> = stored.new.iter().chain(&stored.changed).collect();
    if written.is_empty() {
        return Ok(0);
    }
    let keys: Vec<String> = written.iter().map(|key| (*key).clone()).collect();
    let seen = subject_transitions::newest(&mut *conn, &keys).await?;
    let mut transitions: BTreeMap<&str, SubjectTransition<'_>> = BTreeMap::new();
    for subject in reading.items.iter().filter(|subject| written.contains(&subject.uid)) {
        let from_state = seen.get(&subject.uid).map(String::as_str);
        if from_state == Some(subject.current_state.as_str()) {
            continue;
        }
        let transition = SubjectTransition {
            at: observed_at,
            subject_key: &subject.uid,
            name: &subject.name,
            from_state,
            to_state: &subject.current_state,
            // A clock that is ahead must not turn the interval around.
            not_before: previous.max(subject.created_at).filter(|time| *time <= observed_at),
        };
        // Of a subject that is on two pages, the first one was stored.
        transitions.entry(&subject.uid).or_insert(transition);
    }
    let transitions: Vec<SubjectTransition<'_>> = transitions.into_values().collect();
    subject_transitions::insert(conn, &transitions).await?;
    Ok(transitions.len())
}

/// Samples how full each pool is. Without the handles, or without counts in the pool, nobody knows, and there is no sample.
pub(crate) async fn pools(
    conn: &mut PgConnection,
    pools: &Reading<ResourcePool>,
    handles: &Reading<ResourceHandle>,
    observed_at: DateTime<Utc>,
) -> Result<usize, DbError> {
    if pools.missing.is_some() || handles.missing.is_some() {
        return Ok(0);
    }
    let mut by_pool: BTreeMap<&str, Vec<&ResourceHandle>> = BTreeMap::new();
    for handle in &handles.items {
        if let Some(pool) = &handle.pool {
            by_pool.entry(pool.name.as_str()).or_default().push(handle);
        }
    }
    let mut samples = BTreeMap::new();
    let keys: Vec<(String, &ResourcePool)> = pools.items.iter().map(|pool| (pool.key(), pool)).collect();
    for (key, pool) in &keys {
        let handles = by_pool.get(pool.name.as_str()).map_or(&[][..], Vec::as_slice);
        if let Some(sample) = sample(&pool_state::fill_of(pool, handles), observed_at) {
            samples.insert(key.as_str(), sample);
        }
    }
    pool_samples::record(conn, &samples).await
}

fn sample(fill: &Fill, at: DateTime<Utc>) -> Option<Sample> {
    Some(Sample {
        at,
        usable: fill.usable?,
        available: fill.available?,
        unready: fill.unready?,
        claimed: fill.claimed,
        min_available: fill.min_available,
    })
}
