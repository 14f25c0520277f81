//! The database that commands write to: the one that is named, or that of the `stargate up` of this directory.

use std::path::PathBuf;

use anyhow::{Context, bail};
use sqlx::PgPool;
use stargate_common::db::private::{home_for, running_url};
use stargate_common::db::{self, PoolSettings};
use stargate_common::settings::{ExposeSecret, SecretString};

/// Where the database is.
#[derive(Debug, clap::Args)]
pub struct Store {
    /// PostgreSQL to use; by default that of a running `stargate up`
    #[arg(long, env = "STARGATE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<SecretString>,
    /// Data directory of that `stargate up`
    #[arg(long, env = "STARGATE_DATA_DIR", default_value = ".stargate", value_name = "DIR")]
    data_dir: PathBuf,
}

impl Store {
    /// Opens it.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn open(&self) -> anyhow::Result<PgPool> {
        let home = home_for(&self.data_dir.join("postgres"));
        let url = match &self.database_url {
            Some(url) => url.clone(),
            None => match running_url(&home, crate::up::DATABASE) {
                Some(url) => url,
                None => bail!(
                    "no database: no `stargate up` runs in {}; start one, or set STARGATE_DATABASE_URL",
                    self.data_dir.display()
                ),
            },
        };
        let settings = PoolSettings {
            connections: 4,
            ..PoolSettings::read_write("stargate")
        };
        db::connect(url.expose_secret(), &settings).await.context("opening the database")
    }
}
