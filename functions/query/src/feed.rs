//! What changed, for live updates: the versions of the read models and the state of the sources, read at most once a second
//! however many people watch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::QueryState;
use crate::basis::Basis;
use crate::problem::ApiError;
use crate::sources::SourceState;

/// How often the tables are looked at.
pub const EVERY: Duration = Duration::from_secs(1);

/// Versions and sources at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When it was.
    pub at: DateTime<Utc>,
    /// Read model to version.
    pub versions: BTreeMap<String, i64>,
    /// Source to state.
    pub sources: BTreeMap<String, SourceState>,
}

type Kept = Option<(Instant, Arc<Moment>)>;

/// The last moment that was read.
#[derive(Debug, Clone, Default)]
pub struct Feed(Arc<Mutex<Kept>>);

impl Feed {
    /// A moment that is at most [`EVERY`] old.
    ///
    /// # Errors
    /// A statement failed.
    pub async fn now(&self, app: &QueryState) -> Result<Arc<Moment>, ApiError> {
        let mut kept = self.0.lock().await;
        if let Some((read, moment)) = kept.as_ref()
            && read.elapsed() < EVERY
        {
            return Ok(Arc::clone(moment));
        }
        let mut db = app.read_for_itself().await?;
        let basis = Basis::read(&mut db, app.clock.now()).await?;
        let versions = basis.versions.iter().map(|view| (view.view.clone(), view.version));
        let sources = basis
            .clusters
            .iter()
            .map(|cluster| (format!("cluster/{}", cluster.name), cluster.state(basis.now)));
        let collectors = basis.collectors.0.iter().map(|row| (row.source.clone(), row.state(basis.now)));
        let moment = Arc::new(Moment {
            at: basis.now,
            versions: versions.collect(),
            sources: sources.chain(collectors).collect(),
        });
        *kept = Some((Instant::now(), Arc::clone(&moment)));
        Ok(moment)
    }
}
