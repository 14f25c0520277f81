//! The pool, the migrations, and one file per table.
//!
//! Functions of this module run statements; they never begin, commit or retry. The handler owns the transaction, so that
//! everything one event changes, its inbox row and the events it causes become visible together or not at all.
//! Reads take any executor, writes a connection. Times and ids come from the caller. The first line of every statement is a
//! comment with the function's name: that is what PostgreSQL's log and `pg_stat_activity` show.

pub mod aap_jobs;
pub mod cluster_samples;
pub mod clusters;
pub mod collection_requests;
pub mod collections;
pub mod constraint_violations;
pub mod dead_letters;
pub mod evidence;
pub mod inbox;
pub mod incidents;
pub mod instances;
pub mod kinds;
pub mod lease;
pub mod links;
pub mod outbox;
pub mod partitions;
pub mod pool_samples;
pub mod private;
pub mod recommendations;
pub mod records;
pub mod rollups;
mod rows;
pub mod scans;
pub mod smoke_results;
pub mod sources;
pub mod stage_state;
pub mod subject_states;
pub mod subject_transitions;
pub mod transitions;
pub mod views;

use std::str::FromStr;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// Every migration, embedded: a binary can bring its database up to its own version.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// The role that can only read. `query` works under it, whoever it logged in as.
pub const QUERY_ROLE: &str = "stargate_query";

/// A statement that failed, and what it was for.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct DbError {
    /// What was being done, as a participle phrase: "writing stage state".
    pub doing: &'static str,
    /// What PostgreSQL or the connection said.
    #[source]
    pub source: sqlx::Error,
}

/// Names what a statement was for.
pub(crate) trait Doing<T> {
    /// Wraps the error with `doing`.
    fn doing(self, doing: &'static str) -> Result<T, DbError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, DbError> {
        self.map_err(|source| DbError { doing, source })
    }
}

/// Why the database could not be opened or brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is not one. It is not repeated here: it may hold a password.
    #[error("STARGATE_DATABASE_URL is not a PostgreSQL URL (postgres://user:password@host:5432/database)")]
    Url(#[source] sqlx::Error),
    /// No connection within the deadline.
    #[error("connecting to PostgreSQL at {host}:{port}, database {database}")]
    Connect {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// Database name.
        database: String,
        /// What the connection said.
        #[source]
        source: sqlx::Error,
    },
    /// A migration failed or the database is newer than this binary.
    #[error("migrating the database to version {target}")]
    Migrate {
        /// The newest version this binary knows.
        target: i64,
        /// Which migration, and why.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
}

/// What a pool may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads and writes as the role that logged in.
    ReadWrite,
    /// Works under [`QUERY_ROLE`] in read-only transactions.
    ReadOnly,
}

/// How a binary connects.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// Shown in `pg_stat_activity`: `stargate-evaluate`.
    pub application: String,
    /// Reads and writes, or reads only.
    pub access: Access,
    /// Upper bound of open connections. Functions scale out, so each copy stays small.
    pub connections: u32,
    /// How long a caller waits for a connection before it gets an error that the broker retries.
    pub acquire_timeout: Duration,
    /// One statement may not run longer.
    pub statement_timeout: Duration,
    /// One statement may not wait longer for a lock: better a named refusal than a held pool.
    pub lock_timeout: Duration,
}

impl PoolSettings {
    /// Settings for a function or a job: 5 connections; 60 s for a statement, the longest bulk write measured times thirty;
    /// 5 s for a lock, longer than any transaction of ours should take.
    #[must_use]
    pub fn read_write(application: impl Into<String>) -> Self {
        Self {
            application: application.into(),
            access: Access::ReadWrite,
            connections: 5,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(60),
            lock_timeout: Duration::from_secs(5),
        }
    }

    /// Settings for a reader: a page of the API that needs more than 5 s is a bug, and must not hurt the writers.
    #[must_use]
    pub fn read_only(application: impl Into<String>) -> Self {
        Self {
            access: Access::ReadOnly,
            connections: 10,
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(1),
            ..Self::read_write(application)
        }
    }
}

/// Opens a pool and proves it with one connection.
///
/// # Errors
/// The URL is malformed, or nothing answers there within the acquire timeout.
pub async fn connect(url: &str, settings: &PoolSettings) -> Result<PgPool, OpenError> {
    let options = options(url, settings)?;
    let (host, port) = (options.get_host().to_owned(), options.get_port());
    let database = options.get_database().unwrap_or(options.get_username()).to_owned();
    PgPoolOptions::new()
        .max_connections(settings.connections)
        .acquire_timeout(settings.acquire_timeout)
        .connect_with(options)
        .await
        .map_err(|source| OpenError::Connect {
            host,
            port,
            database,
            source,
        })
}

/// Opens a pool that connects on first use: for servers that must start while the database is away.
///
/// # Errors
/// The URL is malformed.
pub fn connect_lazily(url: &str, settings: &PoolSettings) -> Result<PgPool, OpenError> {
    Ok(PgPoolOptions::new()
        .max_connections(settings.connections)
        .acquire_timeout(settings.acquire_timeout)
        .connect_lazy_with(options(url, settings)?))
}

fn options(url: &str, settings: &PoolSettings) -> Result<PgConnectOptions, OpenError> {
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    let options = PgConnectOptions::from_str(url)
        .map_err(OpenError::Url)?
        .application_name(&settings.application)
        .options([
            ("statement_timeout", milliseconds(settings.statement_timeout)),
            ("lock_timeout", milliseconds(settings.lock_timeout)),
            // A handler that hangs between two statements must not hold its locks for ever.
            ("idle_in_transaction_session_timeout", milliseconds(settings.statement_timeout)),
        ]);
    Ok(match settings.access {
        Access::ReadWrite => options,
        Access::ReadOnly => options.options([
            ("role", QUERY_ROLE),
            ("default_transaction_read_only", "on"),
            // Lists have optional filters: a plan made without their values reads whole tables. Compiling costs more than any page.
            ("plan_cache_mode", "force_custom_plan"),
            ("jit", "off"),
        ]),
    })
}

/// Brings the database to this binary's version. Safe to call from many processes at once: one works, the others wait.
///
/// # Errors
/// A migration failed, was changed after it had been applied, or the database is newer than this binary.
pub async fn migrate(pool: &PgPool) -> Result<(), OpenError> {
    MIGRATIONS.run(pool).await.map_err(|source| OpenError::Migrate {
        target: newest_migration(),
        source,
    })
}

/// Version of the newest migration this binary knows.
#[must_use]
pub fn newest_migration() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}
