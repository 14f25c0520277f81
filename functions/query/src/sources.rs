//! Where data comes from and how old it is: the heading of every answer.
//!
//! A cluster is one source. Its age is that of its backbone, the namespace and pod lists: without them no instance can be judged. Every
//! other kind counts as coverage, because an instance whose route list is missing is already indeterminate by its own verdict.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgExecutor;
use stargate_common::objects::Kind;
use stargate_common::unknown::UnknownReason;
use utoipa::ToSchema;
use uuid::Uuid;

/// Kinds without which nothing on a cluster can be judged.
const BACKBONE: [Kind; 2] = [Kind::Namespace, Kind::Pod];

/// How far a source can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Switched off by a person.
    Disabled,
    /// Read within its interval.
    Fresh,
    /// Older than its interval and a half.
    Late,
    /// The newest attempt failed; what was read before is not stale yet.
    Failed,
    /// Older than twice its interval: what rests on it is unknown.
    Stale,
    /// Not read once.
    Never,
}

impl SourceState {
    /// Whether what rests on it must be shown as unknown.
    #[must_use]
    pub const fn is_blind(self) -> bool {
        matches!(self, Self::Stale | Self::Never)
    }

    /// Whether it tells less than it should.
    #[must_use]
    pub const fn is_partial(self) -> bool {
        matches!(self, Self::Failed | Self::Stale | Self::Never)
    }

    /// The stable snake-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Fresh => "fresh",
            Self::Late => "late",
            Self::Failed => "failed",
            Self::Stale => "stale",
            Self::Never => "never",
        }
    }
}

/// When something was tried and when it worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field says itself; the interval is in seconds")]
pub struct Attempts {
    pub interval_s: i32,
    pub last_success_at: Option<DateTime<Utc>>,
    pub last_failed: bool,
}

impl Attempts {
    /// Late after one and a half intervals: a run may take half of one. Stale after two: a run was missed.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> SourceState {
        let Some(success) = self.last_success_at else {
            return SourceState::Never;
        };
        let age_ms = (now - success).num_milliseconds();
        let interval_ms = i64::from(self.interval_s) * 1000;
        if age_ms > interval_ms * 2 {
            SourceState::Stale
        } else if self.last_failed {
            SourceState::Failed
        } else if age_ms * 2 > interval_ms * 3 {
            SourceState::Late
        } else {
            SourceState::Fresh
        }
    }
}

/// How the newest attempt to read a kind on a cluster went.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct KindReading {
    pub kind: String,
    pub missing: Option<String>,
    pub detail: String,
    pub items: Option<i32>,
    pub interval_s: i32,
    pub last_attempt_at: DateTime<Utc>,
    pub last_success_at: Option<DateTime<Utc>>,
}

impl KindReading {
    /// A resource type that a cluster does not serve is an answer, not a gap.
    fn is_absent(&self) -> bool {
        self.missing.as_deref() == Some(UnknownReason::ApiAbsent.as_str())
    }

    /// How far it can be relied on.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> SourceState {
        let absent = self.is_absent();
        Attempts {
            interval_s: self.interval_s,
            last_success_at: if absent { Some(self.last_attempt_at) } else { self.last_success_at },
            last_failed: self.missing.is_some() && !absent,
        }
        .state(now)
    }
}

/// A cluster as a source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct ClusterSource {
    pub cluster_id: Uuid,
    pub name: String,
    pub enabled: bool,
    pub api_reachable: Option<bool>,
    pub api_detail: String,
    pub evaluated_as_of: Option<DateTime<Utc>>,
    pub kinds: Vec<KindReading>,
}

impl ClusterSource {
    fn backbone(&self) -> impl Iterator<Item = Option<&KindReading>> {
        BACKBONE
            .iter()
            .map(|kind| self.kinds.iter().find(|reading| reading.kind == kind.as_str()))
    }

    /// The interval of what its verdicts rest on, in seconds.
    #[must_use]
    pub fn interval_s(&self) -> Option<i32> {
        self.backbone().flatten().map(|reading| reading.interval_s).max()
    }

    /// When what its verdicts rest on was last read completely.
    #[must_use]
    pub fn observed_at(&self) -> Option<DateTime<Utc>> {
        self.backbone()
            .map(|reading| reading.and_then(|reading| reading.last_success_at))
            .min()
            .flatten()
    }

    /// How far it can be relied on.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> SourceState {
        if !self.enabled {
            return SourceState::Disabled;
        }
        let worst = self
            .backbone()
            .map(|reading| reading.map_or(SourceState::Never, |reading| reading.state(now)))
            .max()
            .unwrap_or(SourceState::Never);
        // The cluster tier notices a dead API before the next list of pods is due.
        if self.api_reachable == Some(false) {
            worst.max(SourceState::Failed)
        } else {
            worst
        }
    }

    /// The heading of an answer that rests on it.
    #[must_use]
    pub fn heading(&self, now: DateTime<Utc>) -> SourceMeta {
        let expected = self.kinds.iter().filter(|kind| !kind.is_absent());
        let missing: Vec<String> = expected
            .clone()
            .filter_map(|kind| {
                let state = kind.state(now);
                let why = match (&kind.missing, state.is_blind()) {
                    (Some(missing), _) => missing.as_str(),
                    (None, true) => state.as_str(),
                    (None, false) => return None,
                };
                Some(format!("{}: {why}", kind.kind))
            })
            .collect();
        let expected = expected.count();
        SourceMeta {
            source: format!("cluster/{}", self.name),
            state: self.state(now),
            observed_at: self.observed_at(),
            age_s: self.observed_at().map(|at| (now - at).num_seconds().max(0)),
            coverage: Coverage {
                expected,
                reporting: expected - missing.len(),
                missing,
            },
        }
    }
}

/// A source that an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SourceMeta {
    /// Its name: `cluster/<name>`, or that of a collector.
    #[schema(example = "cluster/cnv-west-2")]
    pub source: String,
    /// How far it can be relied on.
    pub state: SourceState,
    /// When what the answer rests on was last read completely; null when never.
    pub observed_at: Option<DateTime<Utc>>,
    /// How long ago that was, in seconds.
    #[schema(minimum = 0)]
    pub age_s: Option<i64>,
    /// How much of it was read.
    pub coverage: Coverage,
}

/// How much of a source was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Coverage {
    /// Parts there should be; for a cluster, the kinds it serves.
    #[schema(minimum = 0)]
    pub expected: usize,
    /// Parts that were read and are not stale.
    #[schema(minimum = 0)]
    pub reporting: usize,
    /// The others, each with the reason: `route: forbidden`.
    pub missing: Vec<String>,
}

/// Reads every cluster with its kinds, by name.
///
/// # Errors
/// The statement failed.
pub async fn clusters(db: impl PgExecutor<'_>) -> Result<Vec<ClusterSource>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"-- sources::clusters
        select c.cluster_id, c.name, c.enabled, c.api_reachable, c.api_detail, c.evaluated_as_of,
               k.kind as "kind?", k.missing, k.detail as "detail?", k.items, k.interval_s as "interval_s?",
               k.last_attempt_at as "last_attempt_at?", k.last_success_at
        from clusters c left join cluster_kinds k on k.cluster_id = c.cluster_id
        order by c.name, k.kind"#
    )
    .fetch_all(db)
    .await?;
    let mut clusters: Vec<ClusterSource> = Vec::new();
    for row in rows {
        if clusters.last().is_none_or(|last| last.cluster_id != row.cluster_id) {
            clusters.push(ClusterSource {
                cluster_id: row.cluster_id,
                name: row.name,
                enabled: row.enabled,
                api_reachable: row.api_reachable,
                api_detail: row.api_detail,
                evaluated_as_of: row.evaluated_as_of,
                kinds: Vec::new(),
            });
        }
        if let (Some(cluster), Some(kind), Some(detail), Some(interval_s), Some(last_attempt_at)) =
            (clusters.last_mut(), row.kind, row.detail, row.interval_s, row.last_attempt_at)
        {
            cluster.kinds.push(KindReading {
                kind,
                missing: row.missing,
                detail,
                items: row.items,
                interval_s,
                last_attempt_at,
                last_success_at: row.last_success_at,
            });
        }
    }
    Ok(clusters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn now() -> DateTime<Utc> {
        "2026-11-23T06:00:00Z".parse().unwrap()
    }

    fn kind(kind: Kind, age_s: i64) -> KindReading {
        KindReading {
            kind: kind.as_str().to_owned(),
            missing: None,
            detail: String::new(),
            items: Some(3),
            interval_s: 900,
            last_attempt_at: now() - TimeDelta::seconds(age_s),
            last_success_at: Some(now() - TimeDelta::seconds(age_s)),
        }
    }

    fn cluster(kinds: Vec<KindReading>) -> ClusterSource {
        ClusterSource {
            cluster_id: Uuid::nil(),
            name: "cnv-1".to_owned(),
            enabled: true,
            api_reachable: Some(true),
            api_detail: String::new(),
            evaluated_as_of: None,
            kinds,
        }
    }

    #[test]
    fn a_source_ages_from_fresh_to_late_to_stale() {
        let state = |age_s| kind(Kind::Pod, age_s).state(now());
        assert_eq!(state(0), SourceState::Fresh);
        assert_eq!(state(1350), SourceState::Fresh);
        assert_eq!(state(1351), SourceState::Late);
        assert_eq!(state(1800), SourceState::Late);
        assert_eq!(state(1801), SourceState::Stale);
    }

    #[test]
    fn a_failed_attempt_shows_at_once_and_never_read_is_not_stale() {
        let mut pods = kind(Kind::Pod, 60);
        pods.missing = Some("timeout".to_owned());
        assert_eq!(pods.state(now()), SourceState::Failed);
        pods.last_success_at = None;
        assert_eq!(pods.state(now()), SourceState::Never);
        pods.missing = Some("api_absent".to_owned());
        assert_eq!(pods.state(now()), SourceState::Fresh, "an absent API was asked and answered");
    }

    #[test]
    fn a_cluster_is_as_old_as_the_older_of_its_namespace_and_pod_lists() {
        let it = cluster(vec![kind(Kind::Namespace, 2000), kind(Kind::Pod, 10), kind(Kind::Route, 9000)]);
        assert_eq!(it.state(now()), SourceState::Stale);
        assert_eq!(it.heading(now()).age_s, Some(2000));
        assert_eq!(cluster(vec![kind(Kind::Pod, 10)]).state(now()), SourceState::Never);
        assert_eq!(cluster(vec![]).observed_at(), None);
    }

    #[test]
    fn another_kind_that_is_missing_is_coverage() {
        let mut routes = kind(Kind::Route, 60);
        routes.missing = Some("forbidden".to_owned());
        let mut models = kind(Kind::InferenceService, 60);
        models.missing = Some("api_absent".to_owned());
        let it = cluster(vec![
            kind(Kind::Namespace, 60),
            kind(Kind::Pod, 60),
            routes,
            models,
            kind(Kind::Service, 4000),
        ]);
        let heading = it.heading(now());
        assert_eq!(heading.state, SourceState::Fresh);
        assert_eq!((heading.coverage.expected, heading.coverage.reporting), (4, 2));
        assert_eq!(heading.coverage.missing, ["route: forbidden", "service: stale"]);
    }

    #[test]
    fn an_api_that_does_not_answer_is_failed_before_it_is_stale() {
        let mut it = cluster(vec![kind(Kind::Namespace, 60), kind(Kind::Pod, 60)]);
        it.api_reachable = Some(false);
        assert_eq!(it.state(now()), SourceState::Failed);
        it.enabled = false;
        assert_eq!(it.state(now()), SourceState::Disabled);
    }
}
