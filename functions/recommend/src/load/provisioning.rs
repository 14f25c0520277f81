//! Records of the provisioning systems, cut down to what rules ask, and how they belong together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt as _;
use sqlx::PgConnection;
use stargate_common::db::{DbError, pool_samples, records};
use stargate_common::policy::input::Known;
use stargate_common::provisioning::Record;
use stargate_common::provisioning::catalog::{CatalogItem, Component};
use stargate_common::provisioning::event::SmokeSession;
use stargate_common::provisioning::job::{AapJob, Phase};
use stargate_common::provisioning::pool::{ResourceClaim, ResourceHandle, ResourcePool, ResourceProvider};
use stargate_common::provisioning::pool_state;
use stargate_common::provisioning::sli::{self, Outcome};
use stargate_common::provisioning::state::{Action, State, SubjectClass};
use stargate_common::provisioning::subject::AnarchySubject;
use stargate_common::sources::SourceName;

use super::{PoolRow, World, doing};

/// How far back jobs and provisions are looked at. Source: readiness-domain 7.2.
const DAY: TimeDelta = TimeDelta::hours(24);
/// How far back samples of pools are looked at: a velocity needs an hour of them.
const SAMPLES: TimeDelta = TimeDelta::hours(6);

/// What can be ordered.
#[derive(Debug, Default, Clone)]
pub struct Item {
    /// Its lab, when it is of one alone.
    pub lab: Option<String>,
    /// Whether attendees share an instance.
    pub multiuser: bool,
    /// How long provisioning takes, in seconds.
    pub estimate_s: Option<i64>,
}

/// One component of an order: an AnarchySubject, cut down.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its uid.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What people call its state.
    pub state: String,
    /// What that means.
    pub class: SubjectClass,
    /// It was to be destroyed and that failed.
    pub teardown_failed: bool,
    /// It is meant to run.
    pub should_run: bool,
    /// When it was created.
    pub created_at: Option<DateTime<Utc>>,
    /// Since when it is being torn down, as far as it says.
    pub teardown_since: Option<DateTime<Utc>>,
    /// The claim; none while nobody has it.
    pub claim: Option<String>,
    /// What was ordered.
    pub item: String,
    /// UUID of it.
    pub service_uuid: String,
    /// It is not there any more.
    pub gone: bool,
}

/// A provision that ended.
#[derive(Debug, Clone)]
pub struct Provision {
    /// Uid of the subject.
    pub key: String,
    /// Its name.
    pub name: String,
    /// How.
    pub outcome: Outcome,
    /// When.
    pub ended_at: DateTime<Utc>,
}

/// A job that ended.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// `host/id`.
    pub key: String,
    /// What it does.
    pub phase: Phase,
    /// How it ended, as received.
    pub status: String,
    /// When.
    pub finished_at: DateTime<Utc>,
    /// The task that failed it.
    pub task: String,
    /// What was ordered.
    pub item: String,
}

/// A smoke run of a lab.
#[derive(Debug, Clone)]
pub struct SmokeRow {
    /// The run.
    pub run: SmokeSession,
    /// The lab's code.
    pub lab: String,
    /// When its result was first seen.
    pub seen_at: DateTime<Utc>,
}

pub(super) async fn read(conn: &mut PgConnection, world: &mut World, now: DateTime<Utc>) -> Result<(), DbError> {
    world.labs = records::live(&mut *conn).await?;
    world.sessions = records::live(&mut *conn).await?;
    world.sandbox = records::live(&mut *conn).await?;
    let links = links(conn).await?;
    smoke_runs(conn, world, &links).await?;
    items(conn, world, &links).await?;
    for component in records::live::<Component>(&mut *conn).await? {
        world.components.insert(component.name.clone(), component);
    }
    let claimed = claimed_items(conn).await?;
    parts(conn, world, &claimed, now).await?;
    jobs(conn, world, now).await?;
    pools(conn, world, &links, now).await
}

/// Edges between records, by kind of the first, then its key.
type Links = BTreeMap<String, BTreeMap<String, Vec<String>>>;

async fn links(conn: &mut PgConnection) -> Result<Links, DbError> {
    let rows = sqlx::query!(
        "-- load::links
        select from_kind, from_key, to_key from links
        where (from_kind, to_kind) in (('catalog-item', 'lab'), ('resource-pool', 'catalog-item'), ('smoke-run', 'lab'))
        order by from_kind, from_key, to_key"
    )
    .fetch_all(conn)
    .await
    .map_err(doing("reading how records belong together"))?;
    let mut links = Links::new();
    for row in rows {
        links
            .entry(row.from_kind)
            .or_default()
            .entry(row.from_key)
            .or_default()
            .push(row.to_key);
    }
    Ok(links)
}

fn linked<'l>(links: &'l Links, kind: &str, key: &str) -> &'l [String] {
    links.get(kind).and_then(|of_kind| of_kind.get(key)).map_or(&[], Vec::as_slice)
}

async fn smoke_runs(conn: &mut PgConnection, world: &mut World, links: &Links) -> Result<(), DbError> {
    each::<SmokeSession>(conn, None, |run, seen_at, _| {
        for lab in linked(links, "smoke-run", &run.key()) {
            world.smoke_runs.push(SmokeRow {
                run: run.clone(),
                lab: lab.clone(),
                seen_at,
            });
        }
    })
    .await
}

async fn items(conn: &mut PgConnection, world: &mut World, links: &Links) -> Result<(), DbError> {
    for (name, labs) in links.get("catalog-item").into_iter().flatten() {
        // An item of several labs is of none of them by itself.
        if let [lab] = labs.as_slice() {
            world.items.entry(name.clone()).or_default().lab = Some(lab.clone());
        }
    }
    each::<CatalogItem>(conn, None, |item, _, _| {
        let known = world.items.entry(item.name).or_default();
        known.multiuser |= item.multiuser;
        known.estimate_s = known.estimate_s.max(item.provision_estimate_s);
    })
    .await
}

/// Items that claims ordered, by `namespace/name` of the claim.
async fn claimed_items(conn: &mut PgConnection) -> Result<BTreeMap<String, String>, DbError> {
    let mut items = BTreeMap::new();
    each::<ResourceClaim>(conn, None, |claim, _, _| {
        if let Some(item) = claim.catalog_item {
            items.insert(format!("{}/{}", claim.namespace, claim.name), item.name);
        }
    })
    .await?;
    Ok(items)
}

async fn parts(conn: &mut PgConnection, world: &mut World, claimed: &BTreeMap<String, String>, now: DateTime<Utc>) -> Result<(), DbError> {
    let oldest = now - DAY;
    each::<AnarchySubject>(conn, Some(oldest), |subject, _, gone| {
        let ended = sli::outcome((&subject).into(), Phase::Provision);
        if let Some((outcome, Some(ended_at))) = ended.filter(|(_, at)| at.is_some_and(|at| at >= oldest && at <= now)) {
            world.provisions.push(Provision {
                key: subject.uid.clone(),
                name: subject.name.clone(),
                outcome,
                ended_at,
            });
        }
        world.parts.push(part(subject, claimed, gone));
    })
    .await
}

fn part(subject: AnarchySubject, claimed: &BTreeMap<String, String>, gone: bool) -> Part {
    let class = SubjectClass::of(&subject);
    let claim = subject.claim.as_ref().map(ToString::to_string);
    let ordered = claim.as_ref().and_then(|claim| claimed.get(claim));
    let times = subject.actions.get(Action::Destroy.as_str());
    let began = times.and_then(|times| times.started_at.or(times.completed_at));
    Part {
        teardown_failed: matches!(State::parse(&subject.current_state), Some(State::Ended(Action::Destroy, _)))
            && class != SubjectClass::Gone,
        should_run: matches!(subject.desired_state.as_str(), "started" | "") && subject.deleting_since.is_none(),
        teardown_since: match (subject.deleting_since, began) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        },
        item: ordered.cloned().unwrap_or(subject.governor),
        key: subject.uid,
        name: subject.name,
        state: subject.current_state,
        class,
        created_at: subject.created_at,
        claim,
        service_uuid: subject.service_uuid,
        gone,
    }
}

async fn jobs(conn: &mut PgConnection, world: &mut World, now: DateTime<Utc>) -> Result<(), DbError> {
    let orders: BTreeMap<&str, &str> = world
        .parts
        .iter()
        .filter(|part| !part.service_uuid.is_empty())
        .map(|part| (part.service_uuid.as_str(), part.item.as_str()))
        .collect();
    let oldest = now - DAY;
    let mut jobs = Vec::new();
    each::<AapJob>(conn, None, |job, _, _| {
        let Some(finished_at) = job.finished_at.filter(|at| *at >= oldest && *at <= now) else {
            return;
        };
        let Some(item) = orders.get(job.service_uuid.as_str()) else {
            return;
        };
        jobs.push(JobRow {
            key: job.key(),
            phase: job.phase,
            status: job.status,
            finished_at,
            task: job.failure.map(|failure| failure.task).unwrap_or_default(),
            item: (*item).to_owned(),
        });
    })
    .await?;
    jobs.sort_by(|a: &JobRow, b: &JobRow| (b.finished_at, &b.key).cmp(&(a.finished_at, &a.key)));
    world.jobs = jobs;
    Ok(())
}

async fn pools(conn: &mut PgConnection, world: &mut World, links: &Links, now: DateTime<Utc>) -> Result<(), DbError> {
    let pools: Vec<ResourcePool> = records::live(&mut *conn).await?;
    let providers: Vec<ResourceProvider> = records::live(&mut *conn).await?;
    let disabled: BTreeSet<&str> = providers.iter().filter(|it| it.disabled).map(|it| it.name.as_str()).collect();
    // One object at a time is read; of those that are kept only the pool's name, the claim and the condition have a size.
    let mut handles: BTreeMap<String, Vec<ResourceHandle>> = BTreeMap::new();
    each::<ResourceHandle>(conn, None, |handle, _, _| {
        if let Some(pool) = &handle.pool {
            handles.entry(pool.name.clone()).or_default().push(handle);
        }
    })
    .await?;
    let mut samples = pool_samples::since(&mut *conn, now - SAMPLES).await?;
    for pool in pools {
        let fill = pool_state::fill(&pool, handles.get(&pool.name).map_or(&[], Vec::as_slice));
        let creation_disabled: Known<bool> = world.sources.given(
            SourceName::Babylon,
            Ok(pool.providers.iter().any(|name| disabled.contains(name.as_str()))),
        );
        world.pools.push(PoolRow {
            fill,
            creation_disabled,
            items: linked(links, "resource-pool", &pool.key()).to_vec(),
            samples: samples.remove(&pool.key()).unwrap_or_default(),
            pool,
        });
    }
    Ok(())
}

/// Hands out the records of a kind one by one, with when their content was first read and whether they are gone; those that went before
/// `gone_since`, or all that are gone without it, are left out.
async fn each<R: Record>(
    conn: &mut PgConnection,
    gone_since: Option<DateTime<Utc>>,
    mut take: impl FnMut(R, DateTime<Utc>, bool),
) -> Result<(), DbError> {
    let mut rows = sqlx::query!(
        r#"-- load::each
        select doc::text as "doc!", changed_at, gone_at from records
        where kind = $1 and (gone_at is null or gone_at >= $2::timestamptz) order by key"#,
        R::KIND.as_str(),
        gone_since
    )
    .fetch(conn);
    while let Some(row) = rows.try_next().await.map_err(doing("loading records"))? {
        let record = serde_json::from_str(&row.doc).map_err(|error| DbError {
            doing: "reading a stored record",
            source: sqlx::Error::Decode(Box::new(error)),
        })?;
        take(record, row.changed_at, row.gone_at.is_some());
    }
    Ok(())
}
