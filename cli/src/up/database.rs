//! The database of `stargate up`: one that is given, or a private PostgreSQL in the data directory.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use sqlx::PgPool;
use stargate_common::db::private::{Durability, PrivateServer, home_for};
use stargate_common::db::{self, PoolSettings};
use stargate_common::settings::{ExposeSecret, SecretString};

/// The name of our database on the private server.
pub const NAME: &str = "stargate";
/// Connections for everything that writes in this process. The private server allows a hundred.
const CONNECTIONS: u32 = 20;

/// An open, migrated database.
#[derive(Debug)]
pub struct Database {
    /// For everything that writes.
    pub writer: PgPool,
    /// For the API: a role that can only read.
    pub reader: PgPool,
    server: Option<Arc<PrivateServer>>,
}

impl Database {
    /// Opens the given database, or starts the private one, and brings it up to date. Also says what it did.
    ///
    /// # Errors
    /// What is missing, in use, full or unreachable.
    pub async fn open(url: Option<SecretString>, data_dir: &Path) -> anyhow::Result<(Self, String)> {
        let server = match url {
            Some(_) => None,
            None => Some(start(data_dir).await?),
        };
        let url = match (&server, url) {
            (Some(server), _) => server.url(NAME),
            (None, url) => url.unwrap_or_default(),
        };
        let opened = Self::connect(&url, server.clone()).await;
        if let (Err(_), Some(server)) = (&opened, server) {
            // A server without its database is of no use to anybody.
            stop(server).await.ok();
        }
        opened
    }

    async fn connect(url: &SecretString, server: Option<Arc<PrivateServer>>) -> anyhow::Result<(Self, String)> {
        if let Some(server) = &server {
            create(server).await?;
        }
        let write = PoolSettings {
            connections: CONNECTIONS,
            // One laptop does the work of a cluster: waiting is better than a job that gives up.
            acquire_timeout: Duration::from_secs(30),
            ..PoolSettings::read_write("stargate-up")
        };
        let writer = db::connect(url.expose_secret(), &write).await?;
        db::migrate(&writer).await?;
        let reader = db::connect(url.expose_secret(), &PoolSettings::read_only("stargate-query")).await?;
        let said = match &server {
            Some(server) => format!(
                "PostgreSQL {} in {} on port {}",
                server.version(),
                server.home().display(),
                server.port()
            ),
            None => "the given PostgreSQL".to_owned(),
        };
        Ok((Self { writer, reader, server }, said))
    }

    /// Closes the connections and stops the private server.
    ///
    /// # Errors
    /// When the server does not stop.
    pub async fn close(self) -> anyhow::Result<()> {
        self.reader.close().await;
        self.writer.close().await;
        match self.server {
            Some(server) => stop(server).await,
            None => Ok(()),
        }
    }
}

async fn start(data_dir: &Path) -> anyhow::Result<Arc<PrivateServer>> {
    let home = home_for(&data_dir.join("postgres"));
    let started = tokio::task::spawn_blocking(move || PrivateServer::start(&home, None, Durability::Safe)).await;
    Ok(Arc::new(started.context("starting PostgreSQL")??))
}

async fn stop(server: Arc<PrivateServer>) -> anyhow::Result<()> {
    Ok(tokio::task::spawn_blocking(move || server.stop())
        .await
        .context("stopping PostgreSQL")??)
}

/// Makes the database when the server is new.
async fn create(server: &PrivateServer) -> anyhow::Result<()> {
    let settings = PoolSettings {
        connections: 1,
        ..PoolSettings::read_write("stargate-up")
    };
    let pool = db::connect(server.url("postgres").expose_secret(), &settings).await?;
    let made = sqlx::query("create database stargate").execute(&pool).await;
    pool.close().await;
    match made {
        // 42P04: it is already there.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => Ok(()),
        other => other.map(drop).context("creating the database"),
    }
}
