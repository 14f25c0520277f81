//! Incidents: open intervals, and the parents that gather them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::{self, BATCH};
use super::{DbError, Doing};
use crate::stage::Stage;
use crate::track::ClassSince;
use crate::track::correlate::{Group, Leaf, Parent, Population};

/// A row of the table.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct Row<'a> {
    pub incident_id: Uuid,
    pub fingerprint: String,
    pub scope: &'static str,
    pub parent_id: Option<Uuid>,
    pub subject_id: Option<Uuid>,
    pub cluster_id: Option<Uuid>,
    pub instance_id: Option<Uuid>,
    pub namespace: Option<&'a str>,
    pub lab: Option<&'a str>,
    pub stage: Stage,
    pub failure_class: Option<&'a str>,
    pub pattern_class: Option<&'a str>,
    pub sub_class: Option<&'a str>,
    pub class_history: &'a [ClassSince],
    pub state: &'static str,
    pub muted: bool,
    pub flapping: bool,
    pub priority: f32,
    pub level: &'static str,
    pub message: &'a str,
    pub onset_at: DateTime<Utc>,
    pub opened_at: DateTime<Utc>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolution: Option<&'static str>,
    pub instances: i32,
    pub clusters: i32,
    pub revision: i32,
    pub updated_at: DateTime<Utc>,
}

/// Writes incidents: new ones, and what changed of open ones. A resolved incident never changes again, and none goes back to an older
/// revision. The parent is set by [`move_to`], the size of a parent by [`resize`].
///
/// # Errors
/// The statement failed; two open incidents of one fingerprint are an error.
pub async fn write(conn: &mut PgConnection, changed: &[Row<'_>]) -> Result<(), DbError> {
    for some in changed.chunks(BATCH) {
        sqlx::query!(
            "-- incidents::write
            insert into incidents as i
                (incident_id, fingerprint, scope, parent_id, subject_id, cluster_id, instance_id, namespace, lab, stage, failure_class,
                 pattern_class, sub_class, class_history, state, muted, flapping, priority, level, message, onset_at, opened_at, resolved_at, resolution,
                 instances, clusters, revision, updated_at)
            select incident_id, fingerprint, scope, parent_id, subject_id, cluster_id, instance_id, namespace, lab, stage, failure_class,
                   pattern_class, sub_class, class_history, state, muted, flapping, priority, level, message, onset_at, opened_at, resolved_at, resolution,
                   instances, clusters, revision, updated_at
            from json_populate_recordset(null::incidents, $1::text::json)
            on conflict (incident_id) do update
            set failure_class = excluded.failure_class, pattern_class = excluded.pattern_class, sub_class = excluded.sub_class,
                class_history = excluded.class_history, state = excluded.state, muted = excluded.muted, flapping = excluded.flapping, priority = excluded.priority,
                level = excluded.level, message = excluded.message, resolved_at = excluded.resolved_at, resolution = excluded.resolution,
                revision = excluded.revision, updated_at = excluded.updated_at
            where i.state = 'open' and i.revision < excluded.revision",
            rows::to_json(some)?
        )
        .execute(&mut *conn)
        .await
        .doing("writing incidents")?;
    }
    Ok(())
}

/// Waits until nobody else sorts incidents under parents. Taken last in a transaction and after the cluster's lock, always in that
/// order, so that two evaluations cannot wait for each other.
///
/// # Errors
/// The statement failed.
pub async fn hold_parents(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query!("-- incidents::hold_parents\nselect pg_advisory_xact_lock(hashtextextended('stargate/incidents', 0))")
        .execute(conn)
        .await
        .doing("waiting for the lock of correlation")?;
    Ok(())
}

/// What correlation reads: open incidents that may have a parent, open parents, and how many instances there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenIncidents {
    /// Incidents of instances and clusters.
    pub leaves: Vec<Leaf>,
    /// Parents, each with what it says of itself.
    pub parents: BTreeMap<Group, Parent>,
    /// Revision and time of the last change of each parent.
    pub revisions: BTreeMap<Uuid, (i32, DateTime<Utc>)>,
    /// Stage of each parent.
    pub stages: BTreeMap<Uuid, Stage>,
    /// How many instances there are.
    pub population: Population,
}

/// Reads what correlation needs, of the whole fleet.
///
/// # Errors
/// A statement failed.
pub async fn open(conn: &mut PgConnection) -> Result<OpenIncidents, DbError> {
    let mut open = OpenIncidents::default();
    let rows = sqlx::query!(
        r#"-- incidents::open
        select i.incident_id, i.fingerprint, i.scope, i.parent_id, i.cluster_id, i.instance_id, i.stage, i.failure_class, i.muted,
               i.onset_at, i.opened_at, i.instances, i.clusters, i.revision, i.updated_at, n.catalog_item as "catalog_item?"
        from incidents i left join instances n on n.instance_id = i.instance_id
        where i.state = 'open'"#
    )
    .fetch_all(&mut *conn)
    .await
    .doing("reading open incidents")?;
    let size = |count: i32| usize::try_from(count).unwrap_or_default();
    let mut failing: BTreeSet<(Uuid, Uuid)> = BTreeSet::new();
    for row in rows {
        let (Some(stage), subject) = (Stage::parse(&row.stage), row.cluster_id) else {
            continue;
        };
        if let Some(group) = Group::parse(&row.fingerprint) {
            let parent = Parent {
                id: row.incident_id,
                opened_at: row.opened_at,
                instances: size(row.instances),
                clusters: size(row.clusters),
                parent: row.parent_id,
            };
            open.parents.insert(group, parent);
            open.revisions.insert(row.incident_id, (row.revision, row.updated_at));
            open.stages.insert(row.incident_id, stage);
        } else if let (Some(cluster), false) = (subject, row.muted) {
            // An instance that fails at two stages is one that fails.
            if row.instance_id.is_some_and(|instance| failing.insert((cluster, instance))) {
                *open.population.failing.entry(cluster).or_default() += 1;
            }
            let Some(class) = row.failure_class else { continue };
            open.leaves.push(Leaf {
                id: row.incident_id,
                cluster,
                instance: row.instance_id,
                catalog_item: row.catalog_item,
                class,
                stage,
                onset_at: row.onset_at,
                opened_at: row.opened_at,
                parent: row.parent_id,
            });
        }
    }
    // The order of rows is PostgreSQL's; decisions shall not depend on it.
    open.leaves.sort_by_key(|leaf| leaf.id);
    let counts = sqlx::query!(
        r#"-- incidents::open
        select cluster_id, catalog_item, count(*) as "instances!" from instances where deleted_at is null group by cluster_id, catalog_item"#
    )
    .fetch_all(conn)
    .await
    .doing("counting instances")?;
    for row in counts {
        let instances = usize::try_from(row.instances).unwrap_or_default();
        *open.population.evaluated.entry(row.cluster_id).or_default() += instances;
        if let Some(item) = row.catalog_item {
            *open.population.of_item.entry(item).or_default() += instances;
        }
    }
    Ok(open)
}

/// Puts incidents under a parent, or under none.
///
/// # Errors
/// The statement failed.
pub async fn move_to(conn: &mut PgConnection, moved: &[(Uuid, Option<Uuid>)]) -> Result<(), DbError> {
    if moved.is_empty() {
        return Ok(());
    }
    let (ids, parents): (Vec<Uuid>, Vec<Option<Uuid>>) = moved.iter().copied().unzip();
    sqlx::query!(
        "-- incidents::move_to
        update incidents i set parent_id = m.parent_id from unnest($1::uuid[], $2::uuid[]) as m (incident_id, parent_id)
        where i.incident_id = m.incident_id",
        &ids,
        &parents as &[Option<Uuid>]
    )
    .execute(conn)
    .await
    .doing("putting incidents under their parents")?;
    Ok(())
}

/// What a parent covers now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// Open instances.
    pub instances: i32,
    /// Clusters.
    pub clusters: i32,
    /// The same for people.
    pub message: String,
    /// Its revision from now on.
    pub revision: i32,
    /// When it was last worth telling.
    pub updated_at: DateTime<Utc>,
}

/// Notes how much a parent covers.
///
/// # Errors
/// The statement failed.
pub async fn resize(conn: &mut PgConnection, id: Uuid, size: &Size) -> Result<(), DbError> {
    sqlx::query!(
        "-- incidents::resize
        update incidents set instances = $2, clusters = $3, message = $4, revision = $5, updated_at = $6
        where incident_id = $1 and state = 'open'",
        id,
        size.instances,
        size.clusters,
        size.message,
        size.revision,
        size.updated_at
    )
    .execute(conn)
    .await
    .doing("noting how much a parent covers")?;
    Ok(())
}

/// Ends a parent whose children have ended. It keeps what it covered last.
///
/// # Errors
/// The statement failed.
pub async fn resolve_parent(conn: &mut PgConnection, id: Uuid, revision: i32, at: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "-- incidents::resolve_parent
        update incidents set state = 'resolved', resolution = 'children_resolved', resolved_at = $3, updated_at = $3, revision = $2
        where incident_id = $1 and state = 'open'",
        id,
        revision,
        at
    )
    .execute(conn)
    .await
    .doing("ending a parent")?;
    Ok(())
}
