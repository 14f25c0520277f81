//! Confirmed changes: append-only.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::{self, BATCH};
use super::{DbError, Doing};
use crate::stage::Stage;

/// A row of the table.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct Row<'a> {
    pub transition_id: Uuid,
    pub at: DateTime<Utc>,
    pub subject_id: Uuid,
    pub cluster_id: Uuid,
    pub instance_id: Option<Uuid>,
    pub namespace: Option<&'a str>,
    pub lab: Option<&'a str>,
    pub stage: Stage,
    pub direction: &'static str,
    pub from_outcome: Option<&'static str>,
    pub to_outcome: &'static str,
    pub from_class: Option<&'a str>,
    pub to_class: Option<&'a str>,
    pub incident_id: Option<Uuid>,
}

/// Appends transitions.
///
/// # Errors
/// The statement failed; one that is there already is an error, because it means that an evaluation was taken in twice.
pub async fn append(conn: &mut PgConnection, new: &[Row<'_>]) -> Result<(), DbError> {
    for some in new.chunks(BATCH) {
        sqlx::query!(
            "-- transitions::append
            insert into transitions
                (transition_id, at, subject_id, cluster_id, instance_id, namespace, lab, stage, direction, from_outcome, to_outcome,
                 from_class, to_class, incident_id)
            select transition_id, at, subject_id, cluster_id, instance_id, namespace, lab, stage, direction, from_outcome, to_outcome,
                   from_class, to_class, incident_id
            from json_populate_recordset(null::transitions, $1::text::json)",
            rows::to_json(some)?
        )
        .execute(&mut *conn)
        .await
        .doing("writing transitions")?;
    }
    Ok(())
}
