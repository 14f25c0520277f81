//! Everything that is joined, out of the database.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use crate::db::kinds::STALE_AFTER;
use crate::db::{DbError, Doing, records};
use crate::evaluate::identity;
use crate::objects::Kind;
use crate::provisioning::RecordKind;
use crate::provisioning::link::clusters::ClusterAliases;
use crate::provisioning::link::mappings::LabMappings;
use crate::provisioning::link::{InstanceNode, JobNode, World};
use crate::provisioning::subject::AnarchySubject;
use crate::sources::SourceName;

/// What people have configured of joins.
#[derive(Debug, Clone, Default)]
pub struct Configured {
    /// What the Sandbox API calls our clusters.
    pub aliases: ClusterAliases,
    /// Labs that people have settled.
    pub mappings: LabMappings,
    /// Stages whose items sessions use.
    pub lab_stages: BTreeSet<String>,
    /// Only a part of what there is, is collected: nothing is missing for being absent from it.
    pub narrowed: bool,
}

/// Loads everything that is there.
///
/// # Errors
/// A statement failed, or a stored record cannot be read.
pub async fn world(conn: &mut PgConnection, configured: &Configured, now: DateTime<Utc>) -> Result<World, DbError> {
    let known = known(conn, configured.narrowed, now).await?;
    let subjects: Vec<AnarchySubject> = records::live(&mut *conn).await?;
    let subjects_read_at = known.get(&RecordKind::Subject).copied();
    Ok(World {
        instances: instances(conn).await?,
        left: left(conn, subjects_read_at.unwrap_or(now)).await?,
        clusters: clusters(conn, now).await?,
        known,
        aliases: configured.aliases.clone(),
        mappings: configured.mappings.clone(),
        lab_stages: configured.lab_stages.clone(),
        jobs: jobs(conn, &subjects).await?,
        subjects,
        handles: records::live(&mut *conn).await?,
        claims: records::live(&mut *conn).await?,
        pools: records::live(&mut *conn).await?,
        providers: records::live(&mut *conn).await?,
        catalog_items: records::live(&mut *conn).await?,
        workshops: records::live(&mut *conn).await?,
        workshop_provisions: records::live(&mut *conn).await?,
        components: records::live(&mut *conn).await?,
        labs: records::live(&mut *conn).await?,
        sessions: records::live(&mut *conn).await?,
        smoke_sessions: records::live(&mut *conn).await?,
        placements: records::live(&mut *conn).await?,
        sandbox_clusters: records::live(&mut *conn).await?,
    })
}

/// Which source reads a kind whole; none of the others is ever missed.
const fn source_of(kind: RecordKind) -> Option<SourceName> {
    match kind {
        RecordKind::Subject
        | RecordKind::AnarchyRun
        | RecordKind::ResourceClaim
        | RecordKind::ResourceHandle
        | RecordKind::ResourcePool
        | RecordKind::ResourceProvider
        | RecordKind::CatalogItem
        | RecordKind::Workshop
        | RecordKind::WorkshopProvision => Some(SourceName::Babylon),
        RecordKind::Lab | RecordKind::Session => Some(SourceName::Labagator),
        RecordKind::SmokeRun => Some(SourceName::Demolition),
        RecordKind::Placement | RecordKind::SandboxCluster => Some(SourceName::SandboxApi),
        RecordKind::Component => Some(SourceName::Agnosticv),
        RecordKind::AapJob => None,
    }
}

/// Up to when each kind is known: its source was read to its end, and not too long ago.
async fn known(conn: &mut PgConnection, narrowed: bool, now: DateTime<Utc>) -> Result<BTreeMap<RecordKind, DateTime<Utc>>, DbError> {
    let rows = sqlx::query!(
        "-- links::known
        select source, interval_s, last_success_at from sources where enabled"
    )
    .fetch_all(conn)
    .await
    .doing("reading which sources are fresh")?;
    let fresh: BTreeMap<String, DateTime<Utc>> = rows
        .into_iter()
        .filter_map(|row| {
            let at = row.last_success_at?;
            (now - at <= TimeDelta::seconds(i64::from(row.interval_s)) * STALE_AFTER).then_some((row.source, at))
        })
        .collect();
    let of = |kind: RecordKind| Some((kind, *fresh.get(source_of(kind).filter(|_| !narrowed)?.as_str())?));
    Ok(RecordKind::ALL.into_iter().filter_map(of).collect())
}

/// Live instances, with the labels that their namespaces carry.
async fn instances(conn: &mut PgConnection) -> Result<Vec<InstanceNode>, DbError> {
    let rows = sqlx::query!(
        r#"-- links::instances
        select i.instance_id, c.name as cluster, i.namespace, i.created_at,
               e.doc -> 0 -> 'metadata' -> 'labels' ->> 'serviceUuid' as service_uuid,
               e.doc -> 0 -> 'metadata' -> 'labels' ->> 'guid' as guid
        from instances i join clusters c using (cluster_id)
        left join evidence e on e.instance_id = i.instance_id and e.kind = 'namespace'
        where i.deleted_at is null"#
    )
    .fetch_all(conn)
    .await
    .doing("loading the instances that are joined")?;
    let node = rows.into_iter().map(|row| InstanceNode {
        id: row.instance_id.to_string(),
        cluster: row.cluster,
        guid_in_name: identity::guid_in_name(&row.namespace).unwrap_or_default().to_owned(),
        namespace: row.namespace,
        service_uuid: row.service_uuid.unwrap_or_default(),
        guid: row.guid.unwrap_or_default(),
        created_at: row.created_at,
    });
    Ok(node.collect())
}

/// Namespaces that were seen to be gone after `at`.
async fn left(conn: &mut PgConnection, at: DateTime<Utc>) -> Result<BTreeSet<(String, String)>, DbError> {
    let rows = sqlx::query!(
        "-- links::left
        select c.name, i.namespace from instances i join clusters c using (cluster_id) where i.deleted_at > $1",
        at
    )
    .fetch_all(conn)
    .await
    .doing("looking for instances that went lately")?;
    Ok(rows.into_iter().map(|row| (row.name, row.namespace)).collect())
}

/// Clusters that are scanned, and up to when their namespaces are known.
async fn clusters(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<BTreeMap<String, Option<DateTime<Utc>>>, DbError> {
    let rows = sqlx::query!(
        r#"-- links::clusters
        select c.name, k.interval_s as "interval_s?", k.last_success_at as "last_success_at?", k.missing as "missing?"
        from clusters c left join cluster_kinds k on k.cluster_id = c.cluster_id and k.kind = $1
        where c.enabled"#,
        Kind::Namespace.as_str()
    )
    .fetch_all(conn)
    .await
    .doing("reading which clusters are scanned")?;
    let known = rows.into_iter().map(|row| {
        let interval = TimeDelta::seconds(i64::from(row.interval_s.unwrap_or_default())) * STALE_AFTER;
        let read_at = row.last_success_at.filter(|at| row.missing.is_none() && now - *at <= interval);
        (row.name, read_at)
    });
    Ok(known.collect())
}

/// Jobs that some live subject may have: there are years of others.
async fn jobs(conn: &mut PgConnection, subjects: &[AnarchySubject]) -> Result<Vec<JobNode>, DbError> {
    let named = subjects
        .iter()
        .flat_map(|subject| subject.jobs.values())
        .filter_map(|job| Some(format!("{}/{}", job.host, job.id?)));
    let keys: Vec<String> = named.collect();
    let uuids = subjects.iter().map(|subject| subject.service_uuid.as_str());
    let uuids: Vec<&str> = uuids.filter(|uuid| !uuid.is_empty()).collect();
    let rows = sqlx::query!(
        r#"-- links::jobs
        select key, coalesce(doc ->> 'service_uuid', '') as "service_uuid!" from records
        where kind = 'aap-job' and gone_at is null and (key = any($1) or doc ->> 'service_uuid' = any($2))"#,
        &keys,
        &uuids as &[&str]
    )
    .fetch_all(conn)
    .await
    .doing("loading the jobs that are joined")?;
    let node = rows.into_iter().map(|row| JobNode {
        key: row.key,
        service_uuid: row.service_uuid,
    });
    Ok(node.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_but_jobs_is_read_whole_by_one_source() {
        let without: Vec<RecordKind> = RecordKind::ALL.into_iter().filter(|kind| source_of(*kind).is_none()).collect();
        assert_eq!(without, [RecordKind::AapJob]);
    }
}
