//! How numbers went over time, in series that a chart can draw. A bucket in which nobody looked is null; zero is known to be zero.

mod cells;
mod store;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use stargate_common::sources::SourceName;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use self::cells::{Cell, Grid};
use self::store::Filter;
use super::any_of;
use crate::QueryState;
use crate::answer::{Ask, One, Scope};
use crate::basis::Basis;
use crate::params::words;
use crate::problem::{ApiError, Fault};

words! {
    /// What is measured.
    TrendMetric {
        /// Instances that fail, on average over the bucket; `n` is how many failed in it at all.
        InstancesFailing = "instances_failing",
        /// Incidents that were opened, those that others cover among them.
        IncidentsOpened = "incidents_opened",
        /// Incidents that were resolved.
        IncidentsResolved = "incidents_resolved",
        /// How long successful provisions that ended in the bucket took: the median, in seconds.
        TimeToReady = "time_to_ready",
        /// CPU in use, percent of the compute nodes.
        ClusterCpu = "cluster_cpu",
        /// Memory in use, percent of the compute nodes.
        ClusterMemory = "cluster_memory",
        /// Running virtual machines per ready node.
        ClusterVmsPerNode = "cluster_vms_per_node",
    }
}

impl TrendMetric {
    const fn unit(self) -> &'static str {
        match self {
            Self::InstancesFailing => "instances",
            Self::IncidentsOpened | Self::IncidentsResolved => "incidents",
            Self::TimeToReady => "s",
            Self::ClusterCpu | Self::ClusterMemory => "%",
            Self::ClusterVmsPerNode => "VMs per node",
        }
    }

    const fn is_of_clusters(self) -> bool {
        matches!(self, Self::ClusterCpu | Self::ClusterMemory | Self::ClusterVmsPerNode)
    }
}

words! {
    /// What a series is of.
    TrendGroup {
        /// A failure class.
        Class = "class",
        /// A cluster.
        Cluster = "cluster",
        /// A lab.
        Lab = "lab",
    }
}

words! {
    /// A span of time that ends now.
    TrendRange {
        /// Six hours, by five minutes; load of clusters by a quarter of an hour.
        Hours6 = "6h",
        /// A day, by a quarter of an hour.
        Day = "24h",
        /// A week, by hour.
        Days7 = "7d",
        /// Thirty days, by six hours.
        Days30 = "30d",
        /// Ninety days, by day.
        Days90 = "90d",
    }
}

impl TrendRange {
    /// Seconds of the range and of a bucket.
    const fn seconds(self) -> (i64, i64) {
        match self {
            Self::Hours6 => (6 * 3_600, 300),
            Self::Day => (24 * 3_600, 900),
            Self::Days7 => (7 * 86_400, 3_600),
            Self::Days30 => (30 * 86_400, 21_600),
            Self::Days90 => (90 * 86_400, 86_400),
        }
    }
}

/// Series of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Trend {
    /// What is measured.
    #[schema(value_type = TrendMetric)]
    pub metric: &'static str,
    /// In which unit: `instances`, `incidents`, `s`, `%`, `VMs per node`.
    #[schema(value_type = String, example = "instances")]
    pub unit: &'static str,
    /// Length of a bucket, in seconds.
    #[schema(minimum = 300)]
    pub bucket_s: i64,
    /// When the first bucket begins; buckets are aligned to UTC.
    pub from: DateTime<Utc>,
    /// Until when; the last bucket is not over yet.
    pub to: DateTime<Utc>,
    /// The largest first, at most 8, and then `other` if there are more.
    pub series: Vec<TrendSeries>,
    /// Whether the last series, `other`, stands for all that are not shown by themselves.
    pub other: bool,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TrendSeries {
    /// The class, cluster or lab; `none` for what has none.
    #[schema(example = "image_pull_backoff")]
    pub key: String,
    /// Every bucket, oldest first.
    pub points: Vec<TrendPoint>,
}

/// A bucket of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct TrendPoint {
    /// When it begins.
    pub t: DateTime<Utc>,
    /// The value; null when it is not known.
    pub value: Option<f64>,
    /// What it is made of: instances, incidents, provisions, samples.
    #[schema(minimum = 0)]
    pub n: i64,
}

/// Parameters of a trend.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TrendParams {
    /// What is measured.
    #[param(inline)]
    pub metric: TrendMetric,
    /// What a series is of; the failure class, or the cluster where a class makes no sense.
    #[serde(default)]
    #[param(inline)]
    pub group_by: Option<TrendGroup>,
    /// Only on these clusters.
    #[serde(default)]
    pub cluster: Vec<String>,
    /// Only with these failure classes.
    #[serde(default)]
    pub class: Vec<String>,
    /// Only of these labs.
    #[serde(default)]
    pub lab: Vec<String>,
    /// The span of time; a day when it is not given.
    #[serde(default)]
    #[param(inline)]
    pub range: Option<TrendRange>,
}

impl TrendParams {
    /// What series are of.
    fn group(&self) -> Result<TrendGroup, ApiError> {
        let (usual, allowed): (_, &[TrendGroup]) = if self.metric.is_of_clusters() {
            (TrendGroup::Cluster, &[TrendGroup::Cluster])
        } else if self.metric == TrendMetric::TimeToReady {
            (TrendGroup::Cluster, &[TrendGroup::Cluster, TrendGroup::Lab])
        } else {
            (TrendGroup::Class, &[TrendGroup::Class, TrendGroup::Cluster, TrendGroup::Lab])
        };
        let group = self.group_by.unwrap_or(usual);
        if !allowed.contains(&group) {
            let allowed: Vec<String> = allowed.iter().map(|group| group.as_str().to_owned()).collect();
            return Err(ApiError::Parameter(Fault {
                parameter: "group_by".to_owned(),
                code: "conflict",
                detail: format!("{} has no {}; it has {}", self.metric.as_str(), group.as_str(), allowed.join(", ")),
                allowed,
            }));
        }
        let refused = |parameter: &str| Fault {
            parameter: parameter.to_owned(),
            code: "conflict",
            detail: format!("{} has no {parameter}", self.metric.as_str()),
            allowed: Vec::new(),
        };
        let classless = self.metric.is_of_clusters() || self.metric == TrendMetric::TimeToReady;
        if classless && !self.class.is_empty() {
            return Err(ApiError::Parameter(refused("class")));
        }
        if self.metric.is_of_clusters() && !self.lab.is_empty() {
            return Err(ApiError::Parameter(refused("lab")));
        }
        Ok(group)
    }

    /// The buckets: the last one began before `now` and is not over, or ends right then.
    fn frame(&self, now: DateTime<Utc>) -> Frame {
        let (range, bucket) = self.range.unwrap_or(TrendRange::Day).seconds();
        let bucket = if self.metric.is_of_clusters() { bucket.max(900) } else { bucket };
        let count = range / bucket;
        let end = ((now.timestamp_micros() - 1).div_euclid(bucket * 1_000_000) + 1) * bucket;
        Frame {
            from: DateTime::from_timestamp(end - count * bucket, 0).unwrap_or(now),
            to: now,
            bucket: TimeDelta::seconds(bucket),
            count: usize::try_from(count).unwrap_or_default(),
        }
    }
}

/// Buckets of one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    bucket: TimeDelta,
    count: usize,
}

impl Frame {
    /// When a bucket begins.
    fn start(&self, index: usize) -> DateTime<Utc> {
        self.from + self.bucket * i32::try_from(index).unwrap_or(i32::MAX)
    }

    /// The bucket that holds a time; `None` outside.
    fn index(&self, at: DateTime<Utc>) -> Option<usize> {
        let index = (at - self.from).num_milliseconds().div_euclid(self.bucket.num_milliseconds());
        usize::try_from(index).ok().filter(|index| *index < self.count)
    }
}

/// How a number went over time.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/trends", operation_id = "getTrend", tag = "overview", params(TrendParams),
    responses((status = 200, description = "The series", body = One<Trend>)))]
pub async fn get(State(app): State<QueryState>, ask: Ask<TrendParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let group = params.group()?;
    let frame = params.frame(ask.now);
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&params.cluster)?;
    let scope = match params.metric {
        TrendMetric::TimeToReady => Scope::Systems(clusters.as_deref(), &[SourceName::Babylon]),
        _ => clusters.as_deref().into(),
    };
    ask.one(&basis, scope, async || {
        let filter = Filter {
            clusters: clusters
                .clone()
                .unwrap_or_else(|| basis.clusters.iter().map(|cluster| cluster.cluster_id).collect()),
            all_clusters: clusters.is_none(),
            classes: any_of(&params.class),
            labs: any_of(&params.lab),
            group,
        };
        let grid = match params.metric {
            TrendMetric::TimeToReady => {
                let names: Option<Vec<String>> = clusters.as_ref().map(|ids| ids.iter().map(|&id| basis.cluster_name(id)).collect());
                store::provisions(&mut db, &frame, &filter, names.as_deref()).await?
            }
            TrendMetric::ClusterCpu | TrendMetric::ClusterMemory | TrendMetric::ClusterVmsPerNode => {
                store::load(&mut db, &frame, &filter, params.metric).await?
            }
            TrendMetric::InstancesFailing => {
                let looks = store::looks(&mut db, &frame, &filter.clusters).await?;
                store::failing(&mut db, &frame, &filter).await?.known_where(&looks)
            }
            TrendMetric::IncidentsOpened | TrendMetric::IncidentsResolved => {
                let looks = store::looks(&mut db, &frame, &filter.clusters).await?;
                let opened = params.metric == TrendMetric::IncidentsOpened;
                store::incidents(&mut db, &frame, &filter, opened).await?.known_where(&looks)
            }
        };
        let named = |key: &str| name_of(key, group, &basis);
        let (series, other) = series(&grid, &frame, named);
        Ok(Trend {
            metric: params.metric.as_str(),
            unit: params.metric.unit(),
            bucket_s: frame.bucket.num_seconds(),
            from: frame.from,
            to: frame.to,
            series,
            other,
        })
    })
    .await
}

/// Clusters are kept by id and shown by name.
fn name_of(key: &str, group: TrendGroup, basis: &Basis) -> String {
    match key.parse::<Uuid>() {
        Ok(id) if group == TrendGroup::Cluster => basis.cluster_name(id),
        _ => key.to_owned(),
    }
}

/// Series that are shown by themselves.
const MOST: usize = 8;
/// The series of all others.
const OTHER: &str = "other";

/// The largest series by themselves, what is left as one.
fn series(grid: &Grid, frame: &Frame, named: impl Fn(&str) -> String) -> (Vec<TrendSeries>, bool) {
    let mut keyed: Vec<(&String, &Vec<Cell>)> = grid.rows().collect();
    keyed.sort_by(|a, b| weight(b.1).total_cmp(&weight(a.1)).then_with(|| a.0.cmp(b.0)));
    let (shown, rest) = keyed.split_at(keyed.len().min(MOST));
    let points = |cells: &[Cell]| -> Vec<TrendPoint> {
        let point = |(i, cell): (usize, &Cell)| TrendPoint {
            t: frame.start(i),
            value: cell.value(),
            n: cell.n(),
        };
        cells.iter().enumerate().map(point).collect()
    };
    let mut all: Vec<TrendSeries> = shown
        .iter()
        .map(|(key, cells)| TrendSeries {
            key: named(key),
            points: points(cells),
        })
        .collect();
    if !rest.is_empty() {
        let mut sum = vec![Cell::Unknown; frame.count];
        for (_, cells) in rest {
            for (sum, cell) in sum.iter_mut().zip(cells.iter()) {
                sum.merge(cell);
            }
        }
        all.push(TrendSeries {
            key: OTHER.to_owned(),
            points: points(&sum),
        });
    }
    (all, !rest.is_empty())
}

/// How large a series is: the sum of what is known of it.
fn weight(cells: &[Cell]) -> f64 {
    cells.iter().filter_map(Cell::value).sum()
}

/// In which buckets somebody looked, by cluster.
type Looks = BTreeMap<Uuid, Vec<bool>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &[(&str, &str)]) -> TrendParams {
        let pairs: Vec<(String, String)> = query.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        crate::params::parse(&pairs).unwrap()
    }

    #[test]
    fn buckets_are_aligned_and_the_last_one_holds_now() {
        let now: DateTime<Utc> = "2026-11-23T06:07:08Z".parse().unwrap();
        for (range, bucket_s, count, from) in [
            ("6h", 300, 72, "2026-11-23T00:10:00Z"),
            ("24h", 900, 96, "2026-11-22T06:15:00Z"),
            ("7d", 3_600, 168, "2026-11-16T07:00:00Z"),
            ("30d", 21_600, 120, "2026-10-24T12:00:00Z"),
            ("90d", 86_400, 90, "2026-08-26T00:00:00Z"),
        ] {
            let frame = params(&[("metric", "incidents_opened"), ("range", range)]).frame(now);
            assert_eq!((frame.bucket.num_seconds(), frame.count), (bucket_s, count), "{range}");
            assert_eq!(frame.from, from.parse::<DateTime<Utc>>().unwrap(), "{range}");
            assert_eq!(frame.index(now), Some(count - 1));
            assert_eq!(frame.index(frame.from - TimeDelta::seconds(1)), None);
        }
        let sharp = "2026-11-23T06:00:00Z".parse().unwrap();
        let frame = params(&[("metric", "incidents_opened"), ("range", "6h")]).frame(sharp);
        assert_eq!(frame.start(frame.count), sharp, "no bucket has no length");
        let load = params(&[("metric", "cluster_cpu"), ("range", "6h")]).frame(now);
        assert_eq!((load.bucket.num_seconds(), load.count), (900, 24));
    }

    #[test]
    fn a_metric_that_has_no_class_refuses_one() {
        for (query, ok) in [
            (&[("metric", "cluster_cpu")][..], true),
            (&[("metric", "cluster_cpu"), ("group_by", "lab")], false),
            (&[("metric", "cluster_cpu"), ("class", "x")], false),
            (&[("metric", "time_to_ready"), ("group_by", "lab")], true),
            (&[("metric", "time_to_ready"), ("group_by", "class")], false),
            (&[("metric", "incidents_opened"), ("group_by", "lab"), ("class", "x")], true),
        ] {
            assert_eq!(params(query).group().is_ok(), ok, "{query:?}");
        }
    }

    #[test]
    fn more_than_eight_series_are_eight_and_the_others_together() {
        let now: DateTime<Utc> = "2026-11-23T06:07:08Z".parse().unwrap();
        let frame = params(&[("metric", "incidents_opened")]).frame(now);
        let mut grid = Grid::new(frame.count);
        for key in 0..11_u32 {
            *grid.cell(&format!("key{key:02}"), 0) = Cell::Count {
                sum: f64::from(key + 1),
                n: 1,
            };
        }
        let (series, other) = series(&grid, &frame, str::to_owned);
        assert!(other);
        assert_eq!(series.len(), 9);
        assert_eq!(series[0].key, "key10");
        assert_eq!(
            (series[8].key.as_str(), series[8].points[0].value, series[8].points[0].n),
            ("other", Some(6.0), 3)
        );
        assert_eq!(series[8].points[1].value, None);
    }
}
