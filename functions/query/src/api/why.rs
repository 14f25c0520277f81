//! Why one instance is as it is: the whole chain from its namespace to the session that waits for it, and what is not known.

mod assemble;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use stargate_common::sources::SourceName;
use utoipa::ToSchema;
use uuid::Uuid;

use self::assemble::{Facts, gaps, sentence};
use super::incidents::{self, IncidentRow};
use super::instances::{self, InstanceRow, stages, stages::StageRow};
use super::jobs::{self, JobRow};
use super::mappings::StrengthName;
use super::pools::{self, PoolRow};
use super::sessions::{self, SessionRow};
use super::subjects::{self, SubjectRow};
use super::violations::{self, ViolationRow};
use crate::QueryState;
use crate::answer::{Ask, One, Scope};
use crate::basis::Basis;
use crate::params::NoParams;
use crate::problem::ApiError;

/// Everything that has a part in an instance.
const SOURCES: [SourceName; 6] = SourceName::ALL;

/// Something of another system that the instance is joined to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChainRow {
    /// What it is: `subject`, `placement`, `resource-handle`, `resource-claim`, `resource-pool`, `catalog-item`, `workshop`, `lab`.
    #[schema(example = "subject")]
    pub kind: String,
    /// Its key.
    pub key: String,
    /// Its name, for people.
    pub name: String,
    /// How it stands, in its own words.
    pub state: Option<String>,
    /// Which keys joined it, in order.
    #[schema(example = "service_uuid > claim")]
    pub method: String,
    /// How surely: `exact`, `strong`, `weak`.
    #[schema(value_type = StrengthName)]
    pub strength: String,
    /// Since when it is joined.
    pub since: DateTime<Utc>,
}

/// Something that is not known, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gap {
    /// What.
    #[schema(example = "what was ordered")]
    pub what: String,
    /// Why it is not known.
    #[schema(example = "babylon was not read for 2 h")]
    pub why: String,
}

/// Why an instance is as it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Why {
    /// The answer in a sentence.
    #[schema(
        example = "Not ready: provisioning failed 40 min ago in task \"Wait for the operator\"; session LB0042 begins in 25 min for 40 attendees."
    )]
    pub sentence: String,
    /// The instance.
    pub instance: InstanceRow,
    /// What it is joined to, from the namespace to the lab.
    pub chain: Vec<ChainRow>,
    /// Its subjects: one a component.
    pub subjects: Vec<SubjectRow>,
    /// Its pool.
    pub pool: Option<PoolRow>,
    /// Jobs of its subjects, newest first, at most 20 each.
    pub jobs: Vec<JobRow>,
    /// Stages that do not pass, in pipeline order, with the objects that fail.
    pub stages: Vec<StageRow>,
    /// Where it differs from what its definition demands.
    pub violations: Vec<ViolationRow>,
    /// Its open incidents.
    pub incidents: Vec<IncidentRow>,
    /// The session of its lab that runs, or comes next.
    pub next_session: Option<SessionRow>,
    /// What is not known, and why.
    pub not_known: Vec<Gap>,
}

/// Why one instance is as it is.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/instances/{id}/why", operation_id = "getInstanceWhy", tag = "instances",
    params(("id" = Uuid, Path, description = "Id of the instance")),
    responses((status = 200, description = "The chain", body = One<Why>)))]
pub async fn get(State(app): State<QueryState>, Path(id): Path<String>, ask: Ask<NoParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    let record = instances::find(&mut db, &id).await?;
    let (id, cluster) = (record.instance_id, record.cluster_id);
    ask.one(&basis, Scope::Systems(Some(&[cluster]), &SOURCES), async || {
        let supply = app.supply.get(&mut db, &basis).await?;
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let judged = sessions::judged(&supply, &fleet, &basis);
        let chain = chain(&mut db, id).await?;
        let keys: Vec<String> = chain
            .iter()
            .filter(|row| row.kind == "subject")
            .map(|row| row.key.clone())
            .collect();
        let (mut subjects, mut jobs) = (Vec::new(), Vec::new());
        for record in subjects::by_keys(&mut db, &keys).await? {
            let subject = record.subject()?;
            jobs.extend(jobs::of_subject(&mut db, &subject.service_uuid, &basis).await?);
            subjects.push(subjects::row(&record, subject, &supply, &basis));
        }
        let named = |name: &str| chain.iter().find(|row| row.kind == "resource-pool" && row.name == name);
        let pool = supply.pools.values().find(|facts| named(&facts.pool.name).is_some());
        let session = judged
            .iter()
            .filter(|one| record.lab_code.as_deref() == Some(one.session.lab_code.as_str()) && one.readiness.phase.is_ahead())
            .min_by_key(|one| (one.readiness.phase, one.session.starts_at));
        let mut stages = stages::of_subject(&mut db, id, basis.is_blind(cluster)).await?;
        stages.retain(|stage| !matches!(stage.outcome.as_str(), "pass" | "skipped"));
        let mut incidents = incidents::of_instance(&mut db, id, &basis).await?;
        incidents.retain(|incident| incident.state == "open");
        let facts = Facts {
            now: basis.now,
            instance: instances::row(record.clone(), &basis),
            chain,
            subjects,
            jobs,
            stages,
            session: session.map(|one| sessions::row(one, &supply)),
            unmatched: unmatched(&mut db, id).await?,
            cluster_trouble: basis.is_blind(cluster).then(|| cluster_trouble(&basis, cluster)),
            troubles: SOURCES
                .iter()
                .filter_map(|&name| Some((name, basis.collectors.trouble(name, basis.now)?)))
                .collect(),
        };
        Ok(Why {
            sentence: sentence(&facts),
            not_known: gaps(&facts),
            pool: pool.map(|facts| pools::row(facts, &judged, &basis)),
            violations: violations::of_instance(&mut db, id, &basis).await?,
            incidents,
            instance: facts.instance,
            chain: facts.chain,
            subjects: facts.subjects,
            jobs: facts.jobs,
            stages: facts.stages,
            next_session: facts.session,
        })
    })
    .await
}

fn cluster_trouble(basis: &Basis, cluster: Uuid) -> String {
    let name = basis.cluster_name(cluster);
    match basis.cluster(cluster).and_then(|cluster| cluster.observed_at()) {
        Some(at) => format!("{name} was not read for {}", crate::verdict::span((basis.now - at).num_seconds())),
        None => format!("{name} was never read"),
    }
}

/// What the instance is joined to, in the order of the path; and the pool that its handle, or else its subject, names.
async fn chain(db: &mut PgConnection, id: Uuid) -> Result<Vec<ChainRow>, sqlx::Error> {
    sqlx::query_as!(
        ChainRow,
        r#"-- why::chain
        with joined as (
            select to_kind as kind, to_key as key, method, strength, since from links where from_kind = 'instance' and from_key = $1
        ), pool as (
            select distinct on (p.key) 'resource-pool' as kind, p.key, j.method || ' > pool' as method, j.strength, j.since
            from joined j
            join records h on h.kind = j.kind and h.key = j.key
            join resource_pools p on p.gone_at is null and p.doc ->> 'name' = h.doc #>> '{pool,name}'
            where j.kind in ('resource-handle', 'subject') order by p.key, j.kind
        )
        select c.kind as "kind!", c.key as "key!",
               coalesce(r.doc ->> 'display_name', r.doc ->> 'name', r.doc ->> 'title', c.key) as "name!",
               coalesce(nullif(r.doc ->> 'current_state', ''), nullif(r.doc ->> 'status', ''), nullif(r.doc ->> 'state', ''),
                        nullif(r.doc ->> 'ops_status', ''),
                        case r.doc -> 'ready' when 'true' then 'ready' when 'false' then 'not ready' end) as state,
               c.method as "method!", c.strength as "strength!", c.since as "since!"
        from (select * from joined union select * from pool) c
        left join lateral (
            select doc from records r where r.kind = c.kind and r.key = c.key
            union all
            select doc from catalog_items i where c.kind = 'catalog-item' and i.doc ->> 'name' = c.key and i.gone_at is null
            limit 1) r on true
        order by array_position(array ['subject', 'placement', 'resource-handle', 'resource-claim', 'resource-pool', 'component',
                                       'catalog-item', 'workshop', 'lab', 'session'], c.kind), c.key"#,
        id.to_string()
    )
    .fetch_all(db)
    .await
}

/// What the instance should have been joined to and was not: what, and why.
async fn unmatched(db: &mut PgConnection, id: Uuid) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        "-- why::unmatched
        select wanted, reason from unmatched where kind = 'instance' and key = $1 order by wanted",
        id.to_string()
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.wanted, row.reason)).collect())
}
