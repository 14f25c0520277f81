//! Demands of a definition that are not met, by instance. Written when they differ; one that is met again is closed, never removed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::rows::to_json;
use super::{DbError, Doing};
use crate::provisioning::catalog::Constraints;

/// What the instances of a cluster are to be compared with.
#[derive(Debug, Default)]
pub struct Demands {
    /// Catalog item of each instance that is surely one of it.
    items: BTreeMap<Uuid, String>,
    /// What each item demands.
    constraints: BTreeMap<String, Constraints>,
}

impl Demands {
    /// The catalog item of an instance and its demands, if both are known.
    #[must_use]
    pub fn of(&self, instance: Uuid) -> Option<(&str, &Constraints)> {
        let item = self.items.get(&instance)?;
        Some((item, self.constraints.get(item)?))
    }
}

/// Loads the demands on the live instances of a cluster. A link that is only guessed counts for nothing.
///
/// # Errors
/// A statement failed, or a stored component is not one.
pub async fn demands(conn: &mut PgConnection, cluster: Uuid) -> Result<Demands, DbError> {
    let links = sqlx::query!(
        r#"-- constraint_violations::demands
        select i.instance_id, l.to_key as item
        from links l join instances i on i.instance_id::text = l.from_key
        where l.from_kind = 'instance' and l.to_kind = 'catalog-item' and l.strength <> 'weak' and i.cluster_id = $1 and i.deleted_at is null"#,
        cluster
    )
    .fetch_all(&mut *conn)
    .await
    .doing("loading the catalog items of instances")?;
    let items: BTreeMap<Uuid, String> = links.into_iter().map(|row| (row.instance_id, row.item)).collect();
    let mut names: Vec<&str> = items.values().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let rows = sqlx::query!(
        r#"-- constraint_violations::constraints
        select doc ->> 'name' as "name!", (doc -> 'constraints')::text as "constraints!"
        from components where gone_at is null and doc ->> 'name' = any($1) and doc -> 'constraints' is not null"#,
        &names as &[&str]
    )
    .fetch_all(conn)
    .await
    .doing("loading constraints")?;
    let mut constraints = BTreeMap::new();
    for row in rows {
        let demanded = serde_json::from_str(&row.constraints).map_err(|error| DbError {
            doing: "reading stored constraints",
            source: sqlx::Error::Decode(Box::new(error)),
        })?;
        constraints.insert(row.name, demanded);
    }
    Ok(Demands { items, constraints })
}

/// One open violation, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Its id.
    pub id: Uuid,
    /// Stable name of its kind.
    pub kind: String,
    /// What is demanded.
    pub expected: String,
    /// What is there instead.
    pub actual: String,
    /// In words.
    pub detail: String,
}

/// Open violations of the instances of a cluster, by instance.
///
/// # Errors
/// The statement failed.
pub async fn open(conn: &mut PgConnection, cluster: Uuid) -> Result<BTreeMap<Uuid, Vec<Open>>, DbError> {
    let rows = sqlx::query!(
        "-- constraint_violations::open
        select v.instance_id, v.violation_id, v.type, v.expected, v.actual, v.detail
        from constraint_violations v join instances i using (instance_id) where v.cleared_at is null and i.cluster_id = $1
        order by v.type, v.expected",
        cluster
    )
    .fetch_all(conn)
    .await
    .doing("loading open violations")?;
    let mut open: BTreeMap<Uuid, Vec<Open>> = BTreeMap::new();
    for row in rows {
        open.entry(row.instance_id).or_default().push(Open {
            id: row.violation_id,
            kind: row.r#type,
            expected: row.expected,
            actual: row.actual,
            detail: row.detail,
        });
    }
    Ok(open)
}

/// A violation to be written: new, or open with another actual value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct Row<'a> {
    pub violation_id: Uuid,
    pub instance_id: Uuid,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub expected: &'a str,
    pub actual: &'a str,
    pub severity: &'static str,
    pub detail: &'a str,
    pub stage: &'static str,
    pub catalog_item: &'a str,
    pub detected_at: DateTime<Utc>,
}

/// Writes violations: a new one is opened, an open one tells what is there now.
///
/// # Errors
/// A statement failed.
pub async fn write(conn: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "-- constraint_violations::write
        insert into constraint_violations as v
            (violation_id, instance_id, type, expected, actual, severity, detail, stage, catalog_item, detected_at)
        select violation_id, instance_id, type, expected, actual, severity, detail, stage, catalog_item, detected_at
        from json_populate_recordset(null::constraint_violations, $1::text::json)
        on conflict (instance_id, type, expected) where cleared_at is null
        do update set actual = excluded.actual, detail = excluded.detail, catalog_item = excluded.catalog_item",
        to_json(rows)?
    )
    .execute(conn)
    .await
    .doing("storing violations")?;
    Ok(())
}

/// Closes violations.
///
/// # Errors
/// The statement failed.
pub async fn clear(db: impl PgExecutor<'_>, ids: &[Uuid], now: DateTime<Utc>) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "-- constraint_violations::clear
        update constraint_violations set cleared_at = $2 where violation_id = any($1) and cleared_at is null",
        ids,
        now
    )
    .execute(db)
    .await
    .doing("closing violations")?;
    Ok(())
}

/// Removes violations that were closed before `before`.
///
/// # Errors
/// The statement failed.
pub async fn forget(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> Result<u64, DbError> {
    let gone = sqlx::query!(
        "-- constraint_violations::forget
        delete from constraint_violations where cleared_at < $1",
        before
    )
    .execute(db)
    .await
    .doing("removing old violations")?;
    Ok(gone.rows_affected())
}
