//! How full a pool was over time. Samples are written when they differ, so a bucket without one holds what the sample before it said, as
//! long as Babylon was read then; where it was not read, there is a gap.

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use stargate_common::provisioning::Record as _;
use utoipa::{IntoParams, ToSchema};

use super::{SOURCES, named};
use crate::QueryState;
use crate::answer::{Ask, One, Scope};
use crate::basis::Basis;
use crate::params::{Range, window, words};
use crate::problem::ApiError;

words! {
    /// How long a bucket is.
    Bucket {
        /// Five minutes: as often as pools are read.
        Minutes5 = "5m",
        /// A quarter of an hour.
        Minutes15 = "15m",
        /// An hour.
        Hour = "1h",
        /// Six hours.
        Hours6 = "6h",
        /// A day.
        Day = "24h",
    }
}

impl Bucket {
    const fn seconds(self) -> i64 {
        match self {
            Self::Minutes5 => 300,
            Self::Minutes15 => 900,
            Self::Hour => 3_600,
            Self::Hours6 => 21_600,
            Self::Day => 86_400,
        }
    }

    /// The finest that gives no more points than a chart can show.
    fn for_span(span: TimeDelta) -> Self {
        [Self::Minutes5, Self::Minutes15, Self::Hour, Self::Hours6]
            .into_iter()
            .find(|bucket| span.num_seconds() / bucket.seconds() <= MOST / 2)
            .unwrap_or(Self::Day)
    }
}

/// Points of one answer, at most.
const MOST: i64 = 400;

/// Samples are written at least once an hour: one that is older than this says that nobody looked. Source: the collection's schedule, twice.
const HOLDS: TimeDelta = TimeDelta::minutes(70);

/// Numbers of a bucket, smallest and average; null where nobody looked.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PoolPoint {
    /// When the bucket begins.
    pub at: DateTime<Utc>,
    /// Fewest usable handles.
    pub usable_min: Option<i32>,
    /// Usable handles on average of the samples.
    pub usable_avg: Option<f64>,
    /// Fewest unclaimed handles.
    pub available_min: Option<i32>,
    /// Unclaimed handles on average.
    pub available_avg: Option<f64>,
    /// Unready handles on average.
    pub unready_avg: Option<f64>,
    /// Claimed handles on average.
    pub claimed_avg: Option<f64>,
    /// How many it should hold, at the end of the bucket.
    pub min_available: Option<i32>,
    /// Samples in the bucket; 0 where the sample before still holds.
    #[schema(minimum = 0)]
    pub samples: i64,
}

/// How full a pool was.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolSeries {
    /// The pool.
    pub pool: String,
    /// When the first bucket begins; aligned to UTC.
    pub from: DateTime<Utc>,
    /// Until when.
    pub to: DateTime<Utc>,
    /// Length of a bucket, in seconds.
    #[schema(minimum = 300)]
    pub bucket_s: i64,
    /// The buckets, oldest first.
    pub points: Vec<PoolPoint>,
}

/// Parameters of a pool's series.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SeriesParams {
    /// This span of time up to now; 24 h without any.
    #[param(inline)]
    pub range: Option<Range>,
    /// From this time on.
    pub from: Option<DateTime<Utc>>,
    /// Up to this time.
    pub to: Option<DateTime<Utc>>,
    /// Length of a bucket; chosen to fit when it is not given.
    #[param(inline)]
    pub bucket: Option<Bucket>,
}

#[derive(Debug)]
struct Row {
    at: DateTime<Utc>,
    usable: i32,
    available: i32,
    unready: i32,
    claimed: i32,
    min_available: i32,
}

/// How full a pool was over time.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/pools/{name}/series", operation_id = "getPoolSeries", tag = "provisioning",
    params(("name" = String, Path, description = "Name of the pool"), SeriesParams),
    responses((status = 200, description = "The series", body = One<PoolSeries>)))]
pub async fn series(State(app): State<QueryState>, Path(name): Path<String>, ask: Ask<SeriesParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let range = params
        .range
        .or((params.from.is_none() && params.to.is_none()).then_some(Range::Day));
    let window = window(range, params.from, params.to, ask.now)?;
    let (from, to) = (window.from.unwrap_or(ask.now), window.to.unwrap_or(ask.now).min(ask.now));
    if to <= from {
        return Err(ApiError::invalid("from", "nothing is known of the future"));
    }
    let bucket = params.bucket.unwrap_or_else(|| Bucket::for_span(to - from));
    let length = bucket.seconds();
    if (to - from).num_seconds() / length > MOST {
        return Err(ApiError::invalid(
            "bucket",
            format!("gives more than {MOST} points: take a longer bucket or a shorter range"),
        ));
    }
    let from = DateTime::from_timestamp(from.timestamp().div_euclid(length) * length, 0).unwrap_or(from);
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    ask.one(&basis, Scope::Systems(Some(&[]), &SOURCES), async || {
        let supply = app.supply.get(&mut db, &basis).await?;
        let facts = named(&supply, &name)?;
        let rows = samples(&mut db, &facts.pool.key(), from - HOLDS, to).await?;
        Ok(PoolSeries {
            pool: name.clone(),
            from,
            to,
            bucket_s: length,
            points: buckets(&rows, from, to, TimeDelta::seconds(length)),
        })
    })
    .await
}

async fn samples(db: &mut PgConnection, pool: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "-- pools::samples
        select at, usable, available, unready, claimed, min_available from pool_samples
        where pool_key = $1 and at >= $2 and at < $3 order by at",
        pool,
        from,
        to
    )
    .fetch_all(db)
    .await
}

fn buckets(rows: &[Row], from: DateTime<Utc>, to: DateTime<Utc>, length: TimeDelta) -> Vec<PoolPoint> {
    let mut points = Vec::new();
    let mut at = from;
    while at < to {
        let end = at + length;
        let first = rows.partition_point(|row| row.at < at);
        let last = rows.partition_point(|row| row.at < end);
        let own = &rows[first..last];
        let before = rows[..first].last().filter(|row| at - row.at < HOLDS);
        // What held when the bucket began holds until its first sample.
        let told: Vec<&Row> = before.into_iter().chain(own).collect();
        points.push(point(at, &told, own.len()));
        at = end;
    }
    points
}

fn point(at: DateTime<Utc>, told: &[&Row], samples: usize) -> PoolPoint {
    #[expect(clippy::cast_precision_loss, reason = "a bucket holds few samples")]
    let average = |value: fn(&Row) -> i32| {
        let sum: f64 = told.iter().map(|row| f64::from(value(row))).sum();
        (!told.is_empty()).then(|| (sum / told.len() as f64 * 100.0).round() / 100.0)
    };
    PoolPoint {
        at,
        usable_min: told.iter().map(|row| row.usable).min(),
        usable_avg: average(|row| row.usable),
        available_min: told.iter().map(|row| row.available).min(),
        available_avg: average(|row| row.available),
        unready_avg: average(|row| row.unready),
        claimed_avg: average(|row| row.claimed),
        min_available: told.last().map(|row| row.min_available),
        samples: i64::try_from(samples).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        "2026-11-23T06:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
    }

    fn row(minute: i64, usable: i32) -> Row {
        Row {
            at: at(minute),
            usable,
            available: usable + 1,
            unready: 1,
            claimed: 2,
            min_available: 5,
        }
    }

    #[test]
    fn a_sample_holds_until_the_next_and_a_gap_is_null_not_zero() {
        let rows = [row(-10, 4), row(20, 2), row(25, 0)];
        let points = buckets(&rows, at(0), at(120), TimeDelta::minutes(15));
        let told: Vec<_> = points
            .iter()
            .map(|point| (point.usable_min, point.usable_avg, point.samples))
            .collect();
        assert_eq!(told[0], (Some(4), Some(4.0), 0), "the sample from before holds");
        assert_eq!(told[1], (Some(0), Some(2.0), 2));
        assert_eq!(told[5], (Some(0), Some(0.0), 0), "50 min after the last sample");
        assert_eq!(told[7], (None, None, 0), "nobody looked for 80 min");
        assert_eq!(points.len(), 8);
        assert_eq!(points[7].min_available, None);
    }

    #[test]
    fn buckets_are_as_fine_as_a_chart_can_show() {
        assert_eq!(Bucket::for_span(TimeDelta::hours(6)), Bucket::Minutes5);
        assert_eq!(Bucket::for_span(TimeDelta::hours(24)), Bucket::Minutes15);
        assert_eq!(Bucket::for_span(TimeDelta::days(7)), Bucket::Hour);
        assert_eq!(Bucket::for_span(TimeDelta::days(31)), Bucket::Hours6);
    }
}
