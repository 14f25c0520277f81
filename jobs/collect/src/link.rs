//! What was collected, joined: records and instances -> `links`, `unmatched`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use sqlx::PgPool;
use stargate_common::boot::Context;
use stargate_common::clock::Clock;
use stargate_common::db::links::{self, Configured, Written};
use stargate_common::db::views::{self, View};
use stargate_common::provisioning::link::clusters::ClusterAliases;
use stargate_common::provisioning::link::mappings::LabMappings;
use stargate_common::provisioning::link::{Resolved, World, resolve};

use crate::Settings;

/// How joins are made.
#[derive(Debug, Clone, Args)]
pub struct LinkSettings {
    /// Clusters that the Sandbox API calls by another name, or the hosts of their API servers, each with the name they are scanned by:
    /// `sandbox-name=stargate-name,api.host.example=stargate-name`. Clusters of the same name need none.
    #[arg(long, env = "STARGATE_CLUSTER_ALIASES", value_name = "NAME=NAME,...", default_value = "")]
    pub cluster_aliases: ClusterAliases,

    /// A YAML file that says which lab a catalog item belongs to, where Labagator does not say it or several labs share the item.
    #[arg(long, env = "STARGATE_LAB_MAPPINGS", value_name = "FILE")]
    pub lab_mappings: Option<PathBuf>,

    /// Stages of catalog items that sessions use: an item of another stage is of no lab, unless it is named with its stage.
    #[arg(
        long,
        env = "STARGATE_LAB_STAGES",
        value_name = "STAGE,...",
        value_delimiter = ',',
        default_value = "event,prod"
    )]
    pub lab_stages: Vec<String>,
}

impl LinkSettings {
    /// Reads what these settings name.
    ///
    /// # Errors
    /// The table of labs cannot be read or is wrong.
    pub fn read(&self, event_prefix: &str) -> anyhow::Result<Configured> {
        let stages = self.lab_stages.iter().map(|stage| stage.trim().to_ascii_lowercase());
        Ok(Configured {
            aliases: self.cluster_aliases.clone(),
            mappings: self.lab_mappings.as_deref().map(table).transpose()?.unwrap_or_default(),
            lab_stages: stages.filter(|stage| !stage.is_empty()).collect::<BTreeSet<_>>(),
            narrowed: !event_prefix.is_empty(),
        })
    }
}

fn table(path: &Path) -> anyhow::Result<LabMappings> {
    let yaml = std::fs::read_to_string(path).with_context(|| format!("STARGATE_LAB_MAPPINGS: reading {}", path.display()))?;
    LabMappings::parse(&yaml).with_context(|| format!("STARGATE_LAB_MAPPINGS: {}", path.display()))
}

/// What was joined.
#[derive(Debug)]
pub struct Joined {
    /// Everything there is.
    pub world: World,
    /// What joins what.
    pub resolved: Resolved,
    /// What that changed.
    pub written: Written,
}

/// Joins everything that is stored and writes what differs.
///
/// # Errors
/// The database; nothing is written then, and the next collection joins again.
pub async fn join(db: &PgPool, clock: &Clock, configured: &Configured) -> anyhow::Result<Joined> {
    let now = clock.now();
    let mut tx = db.begin().await?;
    links::hold(&mut tx).await?;
    let world = links::world(&mut tx, configured, now).await?;
    let resolved = resolve(&world);
    let written = links::write(&mut tx, &resolved, now).await?;
    views::raise(&mut tx, (written.rows() > 0).then_some(View::Provisioning), now).await?;
    tx.commit().await.context("storing what was joined")?;
    Ok(Joined { world, resolved, written })
}

/// As [`join`], and says what changed.
pub(crate) async fn join_and_tell(context: &Context<Settings>, configured: &Configured) -> anyhow::Result<Joined> {
    let joined = join(&context.db, &context.clock, configured)
        .await
        .context("joining what was collected")?;
    let Written {
        linked,
        unlinked,
        unmatched,
    } = joined.written;
    if joined.written.rows() > 0 {
        tracing::info!("joined {linked} more, {unlinked} no longer, {unmatched} changes of what is unmatched");
    }
    Ok(joined)
}
