//! A lease that ends with its work: two runs of the same work never overlap, the next may begin when one has reported, and a killed one
//! leaves nothing behind.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::pool::PoolConnection;

use super::{DbError, Doing};

/// How long giving a lease back may take before its connection is cut instead: a statement without work takes milliseconds.
const GIVING_BACK: Duration = Duration::from_secs(5);

/// Does the work under the lease on `what`, and gives the lease back before it answers, however the work ended. None: somebody holds the
/// lease, and the work was not begun.
///
/// Needs a connection of its own to PostgreSQL, not a pooled transaction. When the caller is dropped or killed the connection ends, and with
/// it the lease, as soon as PostgreSQL notices.
///
/// # Errors
/// No connection, or the lease could not be asked for; the work was not begun.
pub async fn hold<T>(pool: &PgPool, what: &str, work: impl Future<Output = T>) -> Result<Option<T>, DbError> {
    let Some(lease) = try_take(pool, what).await? else {
        return Ok(None);
    };
    let done = work.await;
    lease.give_back().await;
    Ok(Some(done))
}

/// The connection that holds a session lock. Dropped, it is cut and never returned to the pool: there may be a lock on it.
#[derive(Debug)]
struct Lease {
    connection: Option<PoolConnection<sqlx::Postgres>>,
    key: String,
}

async fn try_take(pool: &PgPool, what: &str) -> Result<Option<Lease>, DbError> {
    // Made before the lock is asked for: whoever is dropped while PostgreSQL answers may have it.
    let mut lease = Lease {
        connection: Some(pool.acquire().await.doing("taking a lease")?),
        key: format!("stargate/lease/{what}"),
    };
    let Some(connection) = &mut lease.connection else {
        return Ok(None);
    };
    let taken = sqlx::query_scalar!(
        r#"-- lease::try_take
        select pg_try_advisory_lock(hashtextextended($1, 0)) as "taken!""#,
        lease.key
    )
    .fetch_one(&mut **connection)
    .await
    .doing("taking a lease")?;
    if taken {
        return Ok(Some(lease));
    }
    lease.connection.take();
    Ok(None)
}

impl Lease {
    /// Unlocks, and returns the connection to the pool. What was done is done, so a failure is only told: the connection is cut then.
    async fn give_back(mut self) {
        let Some(connection) = &mut self.connection else { return };
        let unlock = sqlx::query_scalar!(
            r#"-- lease::give_back
            select pg_advisory_unlock(hashtextextended($1, 0)) as "given_back!""#,
            self.key
        );
        match tokio::time::timeout(GIVING_BACK, unlock.fetch_one(&mut **connection)).await {
            Ok(Ok(true)) => drop(self.connection.take()),
            Ok(Ok(false)) => tracing::warn!("the lease {} was lost while it was needed", self.key),
            Ok(Err(error)) => tracing::warn!(error = %error, "the lease {} ends with its connection", self.key),
            Err(_) => tracing::warn!("the lease {} ends with its connection: PostgreSQL does not answer", self.key),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}
