//! The statements behind [`Supply`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use stargate_common::provisioning::Record;
use stargate_common::provisioning::catalog::{CatalogItem, Component};
use stargate_common::provisioning::event::{Lab, Session, SmokeSession};
use stargate_common::provisioning::job::AapJob;
use stargate_common::provisioning::pool::{ResourceHandle, ResourcePool, ResourceProvider};
use stargate_common::provisioning::pool_state::{Activity, Sample, became_ready, fill};
use stargate_common::provisioning::stuck::{Stuck, stuck};
use stargate_common::provisioning::subject::{AnarchyRun, AnarchySubject};

use super::{Catalog, POOL_WINDOW, PoolFacts, StateCount, Supply, UnmatchedCount, velocity};
use crate::api::document;
use crate::problem::ApiError;

pub(super) async fn supply(db: &mut PgConnection, now: DateTime<Utc>) -> Result<Supply, ApiError> {
    let catalog = catalog(db).await?;
    let mut sessions = live(db).await?;
    sessions.sort_by_key(|session: &Session| (session.starts_at.is_none(), session.starts_at, session.date, session.id.clone()));
    Ok(Supply {
        states: states(db).await?,
        stuck: stuck_subjects(db, now).await?,
        pools: pools(db, &catalog, now).await?,
        sessions,
        labs: by(live(db).await?, |lab: &Lab| lab.code.clone()),
        smoke: smoke(db).await?,
        offers: catalog.offers(),
        sandbox: live(db).await?,
        unmatched: unmatched(db).await?,
    })
}

/// The newest smoke run of each lab: the one with the highest id, for nothing says when one ran.
async fn smoke(db: &mut PgConnection) -> Result<BTreeMap<String, SmokeSession>, ApiError> {
    let rows = sqlx::query!(
        r#"-- supply::smoke
        select l.to_key as lab, r.key, r.doc::text as "doc!" from links l
        join records r on r.kind = 'smoke-run' and r.key = l.from_key and r.gone_at is null
        where l.from_kind = 'smoke-run' and l.to_kind = 'lab'"#
    )
    .fetch_all(db)
    .await?;
    let mut newest: BTreeMap<String, SmokeSession> = BTreeMap::new();
    for row in rows {
        let run: SmokeSession = document(&row.doc, || format!("smoke run {}", row.key))?;
        if newest.get(&row.lab).is_none_or(|known| known.id < run.id) {
            newest.insert(row.lab, run);
        }
    }
    Ok(newest)
}

/// All records of a kind that are there, by key.
async fn live<R: Record>(db: &mut PgConnection) -> Result<Vec<R>, ApiError> {
    let rows = sqlx::query!(
        r#"-- supply::live
        select key, doc::text as "doc!" from records where kind = $1 and gone_at is null order by key"#,
        R::KIND.as_str()
    )
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| document(&row.doc, || format!("{} {}", R::KIND, row.key)))
        .collect()
}

fn by<R>(all: Vec<R>, name: impl Fn(&R) -> String) -> BTreeMap<String, R> {
    all.into_iter().map(|one| (name(&one), one)).collect()
}

async fn states(db: &mut PgConnection) -> Result<Vec<StateCount>, sqlx::Error> {
    sqlx::query_as!(
        StateCount,
        r#"-- supply::states
        select subject_class(doc) as "class!", coalesce(doc ->> 'current_state', '') as "state!", count(*) as "subjects!"
        from subjects where gone_at is null group by 1, 2 order by 1, 2"#
    )
    .fetch_all(db)
    .await
}

/// Of the subjects only those are loaded that an action is about: what just runs, or is off, cannot be stuck.
async fn stuck_subjects(db: &mut PgConnection, now: DateTime<Utc>) -> Result<BTreeMap<String, Stuck>, ApiError> {
    let docs = sqlx::query_scalar!(
        r#"-- supply::subjects_that_move
        select doc::text as "doc!" from subjects
        where gone_at is null and (subject_class(doc) not in ('started', 'stopped', 'gone') or (doc ->> 'ignored')::boolean)"#
    )
    .fetch_all(&mut *db)
    .await?;
    let subjects: Vec<AnarchySubject> = documents(&docs, "a subject")?;
    let named: BTreeSet<String> = subjects
        .iter()
        .flat_map(|subject| subject.jobs.values())
        .filter_map(|job| Some(format!("{}/{}", job.host, job.id?)))
        .collect();
    let named: Vec<String> = named.into_iter().collect();
    let jobs = sqlx::query_scalar!(
        r#"-- supply::jobs_of_subjects
        select doc::text as "doc!" from aap_jobs where kind = 'aap-job' and key = any($1)"#,
        &named
    )
    .fetch_all(&mut *db)
    .await?;
    let jobs: Vec<AapJob> = documents(&jobs, "an AAP job")?;
    let mut runs_of: BTreeMap<String, Vec<AnarchyRun>> = BTreeMap::new();
    for run in live::<AnarchyRun>(db).await? {
        runs_of.entry(run.subject.clone()).or_default().push(run);
    }
    let mut jobs_of: BTreeMap<String, Vec<AapJob>> = BTreeMap::new();
    for job in jobs {
        jobs_of.entry(job.key()).or_default().push(job);
    }
    let verdict = |subject: AnarchySubject| {
        let runs = runs_of.get(&subject.name).map_or(&[] as &[_], Vec::as_slice);
        let keys = subject.jobs.values().filter_map(|job| Some(format!("{}/{}", job.host, job.id?)));
        let jobs: Vec<AapJob> = keys.filter_map(|key| jobs_of.get(&key)).flatten().cloned().collect();
        let stuck = stuck(&subject, runs, &jobs, now)?;
        Some((subject.uid, stuck))
    };
    Ok(subjects.into_iter().filter_map(verdict).collect())
}

fn documents<R: DeserializeOwned>(docs: &[String], what: &str) -> Result<Vec<R>, ApiError> {
    docs.iter().map(|doc| document(doc, || what.to_owned())).collect()
}

async fn catalog(db: &mut PgConnection) -> Result<Catalog, ApiError> {
    let mut catalog = Catalog {
        items: by(live(db).await?, |item: &CatalogItem| item.name.clone()),
        components: by(live(db).await?, |component: &Component| component.name.clone()),
        ..Catalog::default()
    };
    let links = sqlx::query!(
        "-- supply::links
        select from_kind, from_key, to_key from links
        where (from_kind = 'catalog-item' and to_kind = 'lab') or (from_kind = 'resource-pool' and to_kind = 'catalog-item')
        order by from_key, to_key"
    )
    .fetch_all(db)
    .await?;
    for link in links {
        let map = if link.from_kind == "catalog-item" {
            &mut catalog.labs_of
        } else {
            &mut catalog.items_of
        };
        map.entry(link.from_key).or_default().push(link.to_key);
    }
    Ok(catalog)
}

async fn pools(db: &mut PgConnection, catalog: &Catalog, now: DateTime<Utc>) -> Result<BTreeMap<String, PoolFacts>, ApiError> {
    let pools: Vec<ResourcePool> = live(db).await?;
    let providers = by(live(db).await?, |provider: &ResourceProvider| provider.name.clone());
    let docs = sqlx::query_scalar!(
        r#"-- supply::unclaimed_handles
        select doc::text as "doc!" from resource_handles where gone_at is null and doc ->> 'claim' is null"#
    )
    .fetch_all(&mut *db)
    .await?;
    let mut unclaimed: BTreeMap<String, Vec<ResourceHandle>> = BTreeMap::new();
    for handle in documents::<ResourceHandle>(&docs, "a resource handle")? {
        if let Some(pool) = &handle.pool {
            unclaimed.entry(pool.name.clone()).or_default().push(handle);
        }
    }
    let from = now - POOL_WINDOW;
    // Names of pools do not repeat: all pools live in one namespace.
    let counts = sqlx::query!(
        r#"-- supply::handles
        select doc #>> '{pool,name}' as "pool!",
               count(*) filter (where gone_at is null and doc ->> 'claim' is not null) as "claimed!",
               count(*) filter (where (doc ->> 'created_at')::timestamptz >= $1) as "created!",
               count(*) filter (where gone_at >= $1 and doc ->> 'claim' is null) as "deleted!"
        from resource_handles where (gone_at is null or gone_at >= $1) and doc #>> '{pool,name}' is not null group by 1"#,
        from
    )
    .fetch_all(&mut *db)
    .await?;
    let counts: BTreeMap<String, (i64, i64, i64)> = counts
        .into_iter()
        .map(|row| (row.pool, (row.claimed, row.created, row.deleted)))
        .collect();
    let mut samples: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    let rows = sqlx::query!(
        "-- supply::samples
        select pool_key, at, usable, available, unready, claimed, min_available from pool_samples where at >= $1 order by pool_key, at",
        from
    )
    .fetch_all(db)
    .await?;
    let number = |n: i32| u32::try_from(n).unwrap_or_default();
    for row in rows {
        samples.entry(row.pool_key).or_default().push(Sample {
            at: row.at,
            usable: number(row.usable),
            available: number(row.available),
            unready: number(row.unready),
            claimed: number(row.claimed),
            min_available: number(row.min_available),
        });
    }
    let mut facts = BTreeMap::new();
    for pool in pools {
        let key = pool.key();
        let handles = unclaimed.get(&pool.name).map_or(&[] as &[_], Vec::as_slice);
        let (claimed, created, deleted) = counts.get(&pool.name).copied().unwrap_or_default();
        let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        let mut fill = fill(&pool, handles);
        // Claimed handles are counted, not loaded.
        fill.claimed = count(claimed);
        let history = samples.get(&key).map_or(&[] as &[_], Vec::as_slice);
        let items = catalog.items_of.get(&key).cloned().unwrap_or_default();
        let labs: BTreeSet<String> = items
            .iter()
            .filter_map(|item| catalog.labs_of.get(item))
            .flatten()
            .cloned()
            .collect();
        let known: Option<Vec<bool>> = pool
            .providers
            .iter()
            .map(|name| providers.get(name).map(|it| it.disabled))
            .collect();
        let estimates = items.iter().filter_map(|item| catalog.items.get(item)?.provision_estimate_s);
        let provision = estimates.filter(|s| (1..=86_400).contains(s)).max().map(chrono::TimeDelta::seconds);
        facts.insert(
            key,
            PoolFacts {
                fill,
                activity: Activity {
                    window: POOL_WINDOW,
                    created: count(created),
                    deleted: count(deleted),
                    became_ready: became_ready(history),
                },
                velocity: velocity(history),
                sampled_at: history.last().map(|sample| sample.at),
                provider_disabled: known.map(|known| known.contains(&true)),
                labs: labs.into_iter().collect(),
                provision,
                items,
                pool,
            },
        );
    }
    Ok(facts)
}

async fn unmatched(db: &mut PgConnection) -> Result<Vec<UnmatchedCount>, sqlx::Error> {
    sqlx::query_as!(
        UnmatchedCount,
        r#"-- supply::unmatched
        select kind, wanted, count(*) as "things!" from unmatched group by kind, wanted order by kind, wanted"#
    )
    .fetch_all(db)
    .await
}
