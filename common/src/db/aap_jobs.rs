//! Jobs of the AAP controllers that are stored: what the next reading has to know.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::{DbError, Doing};
use crate::provisioning::job::AapJob;
use crate::sources::aap::known::{Known, LOOK_BACK};

/// What is stored of each controller, by its host.
///
/// # Errors
/// A statement failed, or a stored job is not understood.
pub async fn known(db: &PgPool, now: DateTime<Utc>) -> Result<BTreeMap<String, Known>, DbError> {
    // A time that lay ahead of ours when it was stored is that of a wrong clock: what came after it would be missed.
    let newest = sqlx::query!(
        r#"-- aap_jobs::known (newest)
        select doc ->> 'controller' as "controller!",
            max(least(greatest((doc ->> 'created_at')::timestamptz, (doc ->> 'finished_at')::timestamptz), changed_at)) as newest
        from records where kind = 'aap-job' and doc ->> 'controller' is not null group by 1"#
    )
    .fetch_all(db)
    .await
    .doing("reading the newest jobs of the controllers")?;
    let jobs = sqlx::query_scalar!(
        r#"-- aap_jobs::known (open and failed)
        select doc::text as "doc!" from records
        where kind = 'aap-job' and coalesce((doc ->> 'created_at')::timestamptz, first_seen_at) >= $1
            and doc ->> 'status' not in ('successful', 'canceled')"#,
        now - LOOK_BACK
    )
    .fetch_all(db)
    .await
    .doing("reading jobs that have not ended and failures")?;
    let mut by_controller: BTreeMap<String, Vec<AapJob>> = BTreeMap::new();
    for doc in &jobs {
        let job: AapJob = serde_json::from_str(doc).map_err(|error| DbError {
            doing: "reading a stored job",
            source: sqlx::Error::Decode(Box::new(error)),
        })?;
        by_controller.entry(job.controller.clone()).or_default().push(job);
    }
    let known = newest.into_iter().map(|row| {
        let jobs = by_controller.remove(&row.controller).unwrap_or_default();
        (row.controller, Known::of(row.newest, jobs, now))
    });
    Ok(known.collect())
}

/// UUIDs of the subjects of one event: what their governor or their pool is called begins with `prefix`.
///
/// # Errors
/// The statement failed.
pub async fn orders_of_event(db: &PgPool, prefix: &str) -> Result<BTreeSet<String>, DbError> {
    let orders = sqlx::query_scalar!(
        r#"-- aap_jobs::orders_of_event
        select doc ->> 'service_uuid' as "order!" from records
        where kind = 'subject' and gone_at is null and doc ->> 'service_uuid' <> ''
            and (starts_with(doc ->> 'governor', $1) or starts_with(doc -> 'pool' ->> 'name', $1))"#,
        prefix
    )
    .fetch_all(db)
    .await
    .doing("reading the orders of the event")?;
    Ok(orders.into_iter().collect())
}
