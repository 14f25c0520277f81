//! A database of its own for every test: a copy of a migrated template.
//!
//! The template's name holds a digest of all migrations, so a stale one cannot be used; an advisory lock lets one process build it;
//! it is marked as a template last, so a half-built one is thrown away. The database of a failed test is kept and its name printed;
//! those of earlier runs are swept.

use std::fmt::Write;
use std::path::Path;

use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool};
use stargate_common::db::{self, PoolSettings};
use tokio::sync::OnceCell;

use crate::postgres::{Server, server};

/// Arbitrary; "stargate" to people: serializes the building of templates on one server.
const TEMPLATE_LOCK: i64 = 0x57A2_6A7E;

/// A migrated database that lives as long as the test.
#[derive(Debug)]
pub struct TestDb {
    /// Connections to it, as a function would have them.
    pub pool: PgPool,
    /// Its URL, for another process or another pool.
    pub url: String,
    name: String,
    server_url: String,
}

impl TestDb {
    /// A fresh database on the server of this process.
    ///
    /// # Panics
    /// When there is no server, or the migrations fail.
    pub async fn new() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let server = server();
        let template = TEMPLATE.get_or_init(|| template(&server.url)).await;
        Self::copy(&server.url, template).await
    }

    /// A fresh database on a server that the test may crash.
    ///
    /// # Panics
    /// When the migrations fail.
    pub async fn on(server: &Server) -> Self {
        let template = template(&server.url).await;
        Self::copy(&server.url, &template).await
    }

    async fn copy(server_url: &str, template: &str) -> Self {
        let name = format!("stargate_test_{}_{}", std::process::id(), uuid::Uuid::new_v4().simple());
        let mut admin = admin(server_url).await;
        // file_copy: 3 times faster than the default for a small template.
        execute(&mut admin, format!("create database {name} template {template} strategy file_copy")).await;
        let url = of_database(server_url, &name);
        let pool = db::connect(&url, &PoolSettings::read_write("stargate-test"))
            .await
            .expect("opening the test database");
        Self {
            pool,
            url,
            name,
            server_url: server_url.to_owned(),
        }
    }

    /// Another pool on the same database, as a second process would have.
    ///
    /// # Panics
    /// When the server is gone.
    pub async fn another_pool(&self) -> PgPool {
        db::connect(&self.url, &PoolSettings::read_write("stargate-test-other"))
            .await
            .expect("opening the test database")
    }
}

impl TestDb {
    /// A fresh database that is used through one connection, so that its statistics are exact: see [`TestDb::rows_written`].
    ///
    /// # Panics
    /// As [`TestDb::new`].
    pub async fn of_one_connection() -> Self {
        let mut db = Self::new().await;
        db.pool.close().await;
        let settings = PoolSettings {
            connections: 1,
            ..PoolSettings::read_write("stargate-test")
        };
        db.pool = db::connect(&db.url, &settings).await.expect("opening the test database");
        db
    }

    /// Rows written to all tables since the database was made: inserts, updates, deletes. A connection counts what it did only when it
    /// is told to or has been idle for a while, so this is exact only for [`TestDb::of_one_connection`].
    ///
    /// # Panics
    /// When the server is gone.
    pub async fn rows_written(&self) -> i64 {
        assert_eq!(
            self.pool.options().get_max_connections(),
            1,
            "other connections have not told what they wrote"
        );
        let mut conn = self.pool.acquire().await.expect("a connection");
        let flushed = sqlx::query("select pg_stat_force_next_flush()").execute(&mut *conn).await;
        flushed.expect("flushing statistics");
        let counted = sqlx::query_scalar("select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint from pg_stat_user_tables");
        counted.fetch_one(&mut *conn).await.expect("reading statistics")
    }

    /// Waits until PostgreSQL has noticed that whoever held a lease was killed: five seconds at most, as for every lock.
    ///
    /// # Panics
    /// When somebody holds it all the time.
    pub async fn lease_ends(&self, what: &str) {
        let mut tx = self.pool.begin().await.expect("a transaction");
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('stargate/lease/' || $1, 0))")
            .bind(what)
            .execute(&mut *tx)
            .await
            .unwrap_or_else(|error| panic!("the lease on {what} is still held: {error}"));
        tx.rollback().await.expect("giving it back");
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept for inspection: {}", self.url);
            return;
        }
        let (url, name) = (self.server_url.clone(), self.name.clone());
        // The test's runtime may be gone, so this one brings its own; a server that is gone has nothing to drop.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&url).await?;
                admin
                    .execute(AssertSqlSafe(format!("drop database if exists {name} with (force)")))
                    .await
            })?;
            Ok::<_, anyhow::Error>(())
        });
        let _ = dropping.join();
    }
}

/// Name of the migrated template on that server, built when it is not there.
async fn template(server_url: &str) -> String {
    let mut digest = Sha256::new();
    for migration in db::MIGRATIONS.iter() {
        digest.update(migration.version.to_be_bytes());
        digest.update(&migration.checksum);
    }
    let mut name = "stargate_template_".to_owned();
    for byte in digest.finalize().iter().take(8) {
        write!(name, "{byte:02x}").expect("writing to a string");
    }
    let mut admin = admin(server_url).await;
    sqlx::query("select pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut admin)
        .await
        .expect("locking the template");
    sweep(&mut admin).await;
    let ready: Option<bool> = sqlx::query_scalar("select datistemplate from pg_database where datname = $1")
        .bind(&name)
        .fetch_optional(&mut admin)
        .await
        .expect("looking for the template");
    if ready != Some(true) {
        execute(&mut admin, format!("drop database if exists {name} with (force)")).await;
        execute(&mut admin, format!("create database {name}")).await;
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect(&of_database(server_url, &name))
            .await
            .expect("opening the template");
        db::migrate(&pool).await.expect("migrating the template");
        pool.close().await;
        execute(&mut admin, format!("alter database {name} is_template true")).await;
    }
    // Closing the session releases the lock.
    admin.close().await.expect("closing the connection that built the template");
    name
}

/// Drops the databases of test processes that are gone.
async fn sweep(admin: &mut PgConnection) {
    let names: Vec<String> = sqlx::query_scalar("select datname::text from pg_database where datname like 'stargate\\_test\\_%'")
        .fetch_all(&mut *admin)
        .await
        .expect("listing test databases");
    for name in names {
        let process = name.split('_').nth(2).unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            execute(admin, format!("drop database if exists {name} with (force)")).await;
        }
    }
}

async fn admin(server_url: &str) -> PgConnection {
    let options: PgConnectOptions = server_url.parse().expect("STARGATE_TEST_POSTGRES is not a PostgreSQL URL");
    options
        .connect()
        .await
        .unwrap_or_else(|error| panic!("the test server at {server_url}: {error}"))
}

async fn execute(admin: &mut PgConnection, statement: String) {
    // Names of databases cannot be parameters; ours are made of digits and letters above.
    admin
        .execute(AssertSqlSafe(statement.as_str()))
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

fn of_database(server_url: &str, name: &str) -> String {
    let options: PgConnectOptions = server_url.parse().expect("STARGATE_TEST_POSTGRES is not a PostgreSQL URL");
    options.database(name).to_url_lossy().to_string()
}
