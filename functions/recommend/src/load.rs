//! What the rules rest on, as it is stored now: rows of a few fields each. Objects are read one at a time and dropped.

mod clusters;
mod provisioning;
mod readiness;
mod sources;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use stargate_common::db::{DbError, recommendations};
use stargate_common::policy::augment::Context;
use stargate_common::policy::input::Known;
use stargate_common::policy::tally;
use stargate_common::provisioning::catalog::Component;
use stargate_common::provisioning::event::{Lab, Session, SmokeSession};
use stargate_common::provisioning::placement::SandboxCluster;
use stargate_common::provisioning::pool::ResourcePool;
use stargate_common::provisioning::pool_state::{Fill, Sample};

pub use self::clusters::ClusterRow;
pub use self::provisioning::{Item, JobRow, Part, Provision, SmokeRow};
pub use self::readiness::{FailingInstance, LabReadiness};
pub use self::sources::{Row as SourceRow, Sources};

/// Everything that rules rest on.
#[derive(Debug, Default)]
pub struct World {
    /// Which sources can be relied on.
    pub sources: Sources,
    /// Labs that are planned.
    pub labs: Vec<Lab>,
    /// Their sessions.
    pub sessions: Vec<Session>,
    /// Smoke runs with a lab.
    pub smoke_runs: Vec<SmokeRow>,
    /// What can be ordered, by name.
    pub items: BTreeMap<String, Item>,
    /// Definitions, by the item's name.
    pub components: BTreeMap<String, Component>,
    /// Components of orders, those of pools included.
    pub parts: Vec<Part>,
    /// Provisions that ended within a day.
    pub provisions: Vec<Provision>,
    /// Pools with how full they are and were, in the order of time.
    pub pools: Vec<PoolRow>,
    /// Jobs that ended within a day and whose order is known, the newest first.
    pub jobs: Vec<JobRow>,
    /// Clusters of the Sandbox API, and `*`.
    pub sandbox: Vec<SandboxCluster>,
    /// Clusters.
    pub clusters: Vec<ClusterRow>,
    /// What verdicts say of labs, by what instances are grouped by.
    pub readiness: BTreeMap<String, LabReadiness>,
    /// What else is known of them.
    pub contexts: BTreeMap<String, Context>,
    /// Measurements over time, by series and key.
    pub samples: BTreeMap<(String, String), Vec<tally::Sample>>,
}

/// A pool, how full it is, and how full it was.
#[derive(Debug)]
pub struct PoolRow {
    /// The pool.
    pub pool: ResourcePool,
    /// Now.
    pub fill: Fill,
    /// Whether one of its providers creates nothing.
    pub creation_disabled: Known<bool>,
    /// Names of the items that it serves.
    pub items: Vec<String>,
    /// The last hours.
    pub samples: Vec<Sample>,
}

/// Reads everything.
///
/// # Errors
/// A statement failed, or a stored record is not one.
pub async fn world(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<World, DbError> {
    let mut world = World {
        sources: sources::read(conn, now).await?,
        samples: recommendations::samples(&mut *conn).await?,
        ..World::default()
    };
    provisioning::read(conn, &mut world, now).await?;
    clusters::read(conn, &mut world).await?;
    readiness::read(conn, &mut world, now).await?;
    Ok(world)
}

/// Names what a statement was for.
fn doing(doing: &'static str) -> impl Fn(sqlx::Error) -> DbError {
    move |source| DbError { doing, source }
}

/// The result of a smoke run, if it has one.
#[must_use]
pub fn has_result(session: &SmokeSession) -> bool {
    session.failed.is_some()
}
