//! Versions of the read models: one number per view, raised in the transaction that changes it, the ETag of every answer.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{DbError, Doing};

/// Something people look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is the view of that name")]
pub enum View {
    Clusters,
    Incidents,
    Instances,
    Pools,
    Provisioning,
    Recommendations,
    Scans,
    Sessions,
    Transitions,
}

impl View {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Incidents => "incidents",
            Self::Instances => "instances",
            Self::Pools => "pools",
            Self::Provisioning => "provisioning",
            Self::Recommendations => "recommendations",
            Self::Scans => "scans",
            Self::Sessions => "sessions",
            Self::Transitions => "transitions",
        }
    }
}

/// Raises the versions. The rows are shared by all clusters and held to the end of the transaction: call it last. They are taken in one
/// order, so that two transactions cannot wait for each other.
///
/// # Errors
/// The statement failed.
pub async fn raise(conn: &mut PgConnection, views: impl IntoIterator<Item = View>, now: DateTime<Utc>) -> Result<(), DbError> {
    let mut names: Vec<&str> = views.into_iter().map(View::as_str).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "-- views::raise
        insert into view_versions as v (view, version, changed_at)
        select name, 1, $2 from unnest($1::text[]) as n (name) order by name
        on conflict (view) do update set version = v.version + 1, changed_at = excluded.changed_at",
        &names as &[&str],
        now
    )
    .execute(conn)
    .await
    .doing("raising the versions of views")?;
    Ok(())
}
