//! A lease that ends with its holder: two runs of the same work never overlap, and a killed one leaves nothing behind.

use sqlx::PgPool;
use sqlx::pool::PoolConnection;

use super::{DbError, Doing};

/// Held until it is dropped. PostgreSQL takes it back when the connection ends, however it ends.
#[derive(Debug)]
pub struct Lease {
    /// Owns the session lock; closed, never returned to the pool with the lock on it.
    _connection: PoolConnection<sqlx::Postgres>,
}

/// Takes the lease on `what`, unless somebody holds it. Needs a connection of its own to PostgreSQL, not a pooled transaction.
///
/// # Errors
/// No connection, or the statement failed.
pub async fn try_take(pool: &PgPool, what: &str) -> Result<Option<Lease>, DbError> {
    let mut connection = pool.acquire().await.doing("taking a lease")?;
    connection.close_on_drop();
    let taken = sqlx::query_scalar!(
        r#"-- lease::try_take
        select pg_try_advisory_lock(hashtextextended($1, 0)) as "taken!""#,
        format!("stargate/lease/{what}")
    )
    .fetch_one(&mut *connection)
    .await
    .doing("taking a lease")?;
    Ok(taken.then_some(Lease { _connection: connection }))
}
