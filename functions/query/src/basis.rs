//! What every answer begins with: the versions of the read models and the sources, read anew for each request.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use stargate_common::sources::SourceName;
use uuid::Uuid;

use crate::answer::Scope;
use crate::collectors::{self, Collectors};
use crate::problem::{ApiError, Fault};
use crate::sources::{self, ClusterSource, SourceMeta};

/// One read model's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewVersion {
    /// Which read model.
    pub view: String,
    /// Raised with every change of it.
    pub version: i64,
}

/// What an answer is about to be made from.
#[derive(Debug)]
pub struct Basis {
    /// When the request came in.
    pub now: DateTime<Utc>,
    /// Every read model's version, by name.
    pub versions: Vec<ViewVersion>,
    /// Every cluster, by name.
    pub clusters: Vec<ClusterSource>,
    /// Every source that is no cluster.
    pub collectors: Collectors,
    /// Set when the answer tells how long something takes or is away: then it is another one every minute.
    pub minute: Option<i64>,
    by_id: BTreeMap<Uuid, usize>,
}

impl Basis {
    /// Reads it.
    ///
    /// # Errors
    /// A statement failed.
    pub async fn read(db: &mut PgConnection, now: DateTime<Utc>) -> Result<Self, ApiError> {
        let versions = versions(&mut *db).await?;
        let clusters = sources::clusters(&mut *db).await?;
        let collectors = collectors::read(&mut *db).await?;
        Ok(Self {
            collectors,
            minute: None,
            now,
            versions,
            by_id: clusters.iter().enumerate().map(|(i, cluster)| (cluster.cluster_id, i)).collect(),
            clusters,
        })
    }

    /// What an answer is made from that rests on nothing that was collected.
    #[must_use]
    pub fn of_nothing(now: DateTime<Utc>) -> Self {
        Self {
            now,
            versions: Vec::new(),
            clusters: Vec::new(),
            collectors: Collectors::default(),
            minute: None,
            by_id: BTreeMap::new(),
        }
    }

    /// Reads it for an answer that is another one every minute, because it tells how much time is left.
    ///
    /// # Errors
    /// A statement failed.
    pub async fn of_the_minute(db: &mut PgConnection, now: DateTime<Utc>) -> Result<Self, ApiError> {
        let basis = Self::read(db, now).await?;
        Ok(Self {
            minute: Some(now.timestamp() / 60),
            ..basis
        })
    }

    /// Why what rests on one of these sources is not known; the first that has a reason.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn known(&self, names: &[SourceName]) -> Result<(), String> {
        names.iter().try_for_each(|&name| self.collectors.known(name, self.now))
    }

    /// The cluster of that id.
    #[must_use]
    pub fn cluster(&self, id: Uuid) -> Option<&ClusterSource> {
        self.by_id.get(&id).and_then(|&i| self.clusters.get(i))
    }

    /// The name of the cluster of that id; the id itself when it was removed between two statements.
    #[must_use]
    pub fn cluster_name(&self, id: Uuid) -> String {
        self.cluster(id).map_or_else(|| id.to_string(), |cluster| cluster.name.clone())
    }

    /// The cluster of that name.
    ///
    /// # Errors
    /// There is none.
    pub fn cluster_named(&self, name: &str) -> Result<&ClusterSource, ApiError> {
        self.clusters
            .iter()
            .find(|cluster| cluster.name == name)
            .ok_or_else(|| ApiError::NotFound {
                what: "cluster",
                name: name.to_owned(),
            })
    }

    /// The ids of the clusters a filter names; `None` when it names none.
    ///
    /// # Errors
    /// A name is of no cluster.
    pub fn cluster_ids(&self, names: &[String]) -> Result<Option<Vec<Uuid>>, ApiError> {
        if names.is_empty() {
            return Ok(None);
        }
        let id = |name: &String| {
            self.cluster_named(name).map(|cluster| cluster.cluster_id).map_err(|_| {
                let allowed: Vec<String> = self.clusters.iter().map(|cluster| cluster.name.clone()).collect();
                ApiError::Parameter(Fault {
                    parameter: "cluster".to_owned(),
                    code: "invalid",
                    detail: format!("{name:?} is not a cluster of this fleet; it has {}", allowed.join(", ")),
                    allowed,
                })
            })
        };
        names.iter().map(id).collect::<Result<_, _>>().map(Some)
    }

    /// Whether what is known of a cluster is too old to be shown as known.
    #[must_use]
    pub fn is_blind(&self, cluster_id: Uuid) -> bool {
        self.cluster(cluster_id).is_none_or(|cluster| cluster.state(self.now).is_blind())
    }

    /// The clusters whose state is too old to be shown as known.
    #[must_use]
    pub fn blind(&self) -> Vec<Uuid> {
        let blind = self.clusters.iter().filter(|cluster| cluster.state(self.now).is_blind());
        blind.map(|cluster| cluster.cluster_id).collect()
    }

    /// The headings of the sources of an answer.
    #[must_use]
    pub fn headings(&self, scope: Scope<'_>) -> Vec<SourceMeta> {
        let wanted = self.clusters.iter().filter(|cluster| match scope {
            Scope::Fleet => true,
            Scope::Clusters(ids) | Scope::Systems(Some(ids), _) => ids.contains(&cluster.cluster_id),
            Scope::Systems(None, _) => true,
            Scope::Nothing => false,
        });
        let mut headings: Vec<SourceMeta> = wanted.map(|cluster| cluster.heading(self.now)).collect();
        if let Scope::Systems(_, names) = scope {
            headings.extend(self.collectors.headings(names, self.now));
        }
        headings
    }
}

/// Reads the version of every read model.
///
/// # Errors
/// The statement failed.
pub async fn versions(db: impl PgExecutor<'_>) -> Result<Vec<ViewVersion>, sqlx::Error> {
    sqlx::query_as!(
        ViewVersion,
        "-- basis::versions
        select view, version from view_versions order by view"
    )
    .fetch_all(db)
    .await
}
