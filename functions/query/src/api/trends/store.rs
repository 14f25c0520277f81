//! Statements behind trends.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use sqlx::PgConnection;
use stargate_common::db::cluster_samples::EVERY;
use uuid::Uuid;

use super::cells::{Cell, Grid};
use super::{Frame, Looks, TrendGroup, TrendMetric};

/// For so long a look is believed after its quarter of an hour: twice the interval of pods and namespaces.
const HOLDS: TimeDelta = TimeDelta::minutes(30);

/// What is wanted.
#[derive(Debug)]
pub(super) struct Filter {
    pub clusters: Vec<Uuid>,
    /// No cluster was named: what belongs to none counts, too.
    pub all_clusters: bool,
    pub classes: Option<Vec<String>>,
    pub labs: Option<Vec<String>>,
    pub group: TrendGroup,
}

impl Filter {
    /// The clusters to ask for; `None` is any.
    fn named_clusters(&self) -> Option<&[Uuid]> {
        (!self.all_clusters).then_some(self.clusters.as_slice())
    }

    /// An empty grid; every wanted cluster has its row.
    fn grid(&self, frame: &Frame) -> Grid {
        let mut grid = Grid::new(frame.count);
        if self.group == TrendGroup::Cluster {
            for id in &self.clusters {
                grid.row(&id.to_string());
            }
        }
        grid
    }
}

/// In which buckets each cluster was looked at.
pub(super) async fn looks(db: &mut PgConnection, frame: &Frame, clusters: &[Uuid]) -> Result<Looks, sqlx::Error> {
    let rows = sqlx::query!(
        "-- trends::looks
        select cluster_id, at from cluster_samples where cluster_id = any($1) and at > $2 and at < $3 and looks > 0",
        clusters,
        frame.from - EVERY - HOLDS,
        frame.to
    )
    .fetch_all(db)
    .await?;
    let mut looks: Looks = clusters.iter().map(|&id| (id, vec![false; frame.count])).collect();
    for row in rows {
        let Some(looked) = looks.get_mut(&row.cluster_id) else { continue };
        let last = frame
            .index(row.at + EVERY + HOLDS - TimeDelta::milliseconds(1))
            .unwrap_or(frame.count - 1);
        let first = frame.index(row.at).unwrap_or(0);
        for bucket in looked.iter_mut().take(last + 1).skip(first) {
            *bucket = true;
        }
    }
    Ok(looks)
}

/// Load of clusters.
pub(super) async fn load(db: &mut PgConnection, frame: &Frame, filter: &Filter, metric: TrendMetric) -> Result<Grid, sqlx::Error> {
    let rows = sqlx::query!(
        r#"-- trends::load
        select cluster_id, at,
               case $4 when 'cluster_cpu' then cpu_sum when 'cluster_memory' then mem_sum else density_sum end as "sum!",
               case $4 when 'cluster_cpu' then cpu_n when 'cluster_memory' then mem_n else density_n end as "n!"
        from cluster_samples where cluster_id = any($1) and at >= $2 and at < $3"#,
        &filter.clusters,
        frame.from,
        frame.to,
        metric.as_str()
    )
    .fetch_all(db)
    .await?;
    let mut grid = filter.grid(frame);
    for row in rows.into_iter().filter(|row| row.n > 0) {
        let sample = Cell::Mean {
            sum: row.sum,
            n: row.n.into(),
        };
        let Some(index) = frame.index(row.at) else { continue };
        if let Some(cell) = grid.row(&row.cluster_id.to_string()).get_mut(index) {
            cell.merge(&sample);
        }
    }
    Ok(grid)
}

/// Incidents that were opened, or resolved.
pub(super) async fn incidents(db: &mut PgConnection, frame: &Frame, filter: &Filter, opened: bool) -> Result<Grid, sqlx::Error> {
    let bucket = frame.bucket;
    // Two statements, each on its own index.
    macro_rules! counted {
        ($name:literal, $at:literal) => {
            sqlx::query_as!(
                Counted,
                "-- trends::"
                    + $name
                    + "
                select case $6 when 'class' then failure_class when 'cluster' then cluster_id::text else lab end as key,
                       date_bin($7, "
                    + $at
                    + ", $1) as \"at!\", count(*) as \"n!\"
                from incidents
                where "
                    + $at
                    + " >= $1 and "
                    + $at
                    + " <= $2 and ($3::uuid[] is null or cluster_id = any($3))
                  and ($4::text[] is null or failure_class = any($4)) and ($5::text[] is null or lab = any($5))
                group by 1, 2",
                frame.from,
                frame.to,
                filter.named_clusters() as _,
                filter.classes.as_deref() as _,
                filter.labs.as_deref() as _,
                filter.group.as_str(),
                bucket as _
            )
            .fetch_all(db)
            .await?
        };
    }
    let rows: Vec<Counted> = if opened {
        counted!("incidents_opened", "opened_at")
    } else {
        counted!("incidents_resolved", "resolved_at")
    };
    let mut grid = filter.grid(frame);
    for row in rows {
        let Some(index) = frame.index(row.at) else { continue };
        #[expect(clippy::cast_precision_loss, reason = "counts of incidents are far below 2^52")]
        let count = Cell::Count {
            sum: row.n as f64,
            n: row.n,
        };
        if let Some(cell) = grid.row(row.key.as_deref().unwrap_or(NONE)).get_mut(index) {
            cell.merge(&count);
        }
    }
    Ok(grid)
}

/// The key of what has none.
const NONE: &str = "none";

struct Counted {
    key: Option<String>,
    at: DateTime<Utc>,
    n: i64,
}

/// Instances that failed, as far as incidents tell: each from its onset to its end.
pub(super) async fn failing(db: &mut PgConnection, frame: &Frame, filter: &Filter) -> Result<Grid, sqlx::Error> {
    let rows = sqlx::query!(
        r#"-- trends::failing
        select case $5 when 'class' then failure_class when 'cluster' then cluster_id::text else lab end as key,
               instance_id as "instance_id!", onset_at as "onset_at!", resolved_at
        from (
            select failure_class, cluster_id, lab, instance_id, onset_at, resolved_at, scope from incidents where state = 'open'
            union all
            select failure_class, cluster_id, lab, instance_id, onset_at, resolved_at, scope from incidents where resolved_at > $1
        ) i
        where scope = 'instance' and instance_id is not null and ($2::uuid[] is null or cluster_id = any($2))
          and ($3::text[] is null or failure_class = any($3)) and ($4::text[] is null or lab = any($4))"#,
        frame.from,
        filter.named_clusters() as _,
        filter.classes.as_deref() as _,
        filter.labs.as_deref() as _,
        filter.group.as_str()
    )
    .fetch_all(db)
    .await?;
    let mut spans: BTreeMap<(String, Uuid), Vec<Span>> = BTreeMap::new();
    for row in rows {
        let span = (row.onset_at.max(frame.from), row.resolved_at.unwrap_or(frame.to).min(frame.to));
        let key = row.key.unwrap_or_else(|| NONE.to_owned());
        spans.entry((key, row.instance_id)).or_default().push(span);
    }
    let mut grid = filter.grid(frame);
    for ((key, _), spans) in spans {
        add_failing(grid.row(&key), frame, spans);
    }
    Ok(grid)
}

/// From when to when.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// Adds one instance's failing times to a row: its share of each bucket. Two failures at the same time are one failing instance.
fn add_failing(row: &mut [Cell], frame: &Frame, mut spans: Vec<Span>) {
    spans.sort_unstable();
    let mut share: BTreeMap<usize, TimeDelta> = BTreeMap::new();
    let mut until = frame.from;
    for (begin, end) in spans {
        let mut at = begin.max(until);
        until = until.max(end);
        while at < end {
            let Some(index) = frame.index(at) else { break };
            let next = (frame.start(index) + frame.bucket).min(end);
            *share.entry(index).or_default() += next - at;
            at = next;
        }
    }
    for (index, length) in share {
        // The last bucket is as long as it already lasts.
        let whole = (frame.start(index) + frame.bucket).min(frame.to) - frame.start(index);
        #[expect(clippy::cast_precision_loss, reason = "a bucket is at most a day")]
        let count = Cell::Count {
            sum: length.num_milliseconds() as f64 / whole.num_milliseconds().max(1) as f64,
            n: 1,
        };
        if let Some(cell) = row.get_mut(index) {
            cell.merge(&count);
        }
    }
}

/// How long successful provisions took.
pub(super) async fn provisions(
    db: &mut PgConnection,
    frame: &Frame,
    filter: &Filter,
    clusters: Option<&[String]>,
) -> Result<Grid, sqlx::Error> {
    let from = frame.from.to_rfc3339_opts(SecondsFormat::Secs, true);
    let rows = sqlx::query!(
        r#"-- trends::provisions
        select s.began, s.ended as "ended!", case $4 when 'lab' then s.lab else s.cluster end as key
        from (
            select coalesce(doc #>> '{actions,provision,started_at}', doc #>> '{jobs,provision,started_at}') as began,
                   coalesce(doc #>> '{actions,provision,completed_at}', doc #>> '{jobs,provision,completed_at}', '') as ended,
                   (select o.to_key from links o where o.from_kind = 'catalog-item' and o.from_key = doc ->> 'governor' and o.to_kind = 'lab'
                    order by 1 limit 1) as lab,
                   coalesce((select o.to_key from links o where o.from_kind = 'sandbox-cluster' and o.from_key = doc ->> 'lab_cluster'
                             and o.to_kind = 'cluster' order by 1 limit 1), doc ->> 'lab_cluster') as cluster
            from subjects
            where coalesce(doc #>> '{actions,provision,completed_at}', doc #>> '{jobs,provision,completed_at}', '') collate "C" >= $1
              and coalesce(doc #>> '{actions,provision,state}', doc #>> '{jobs,provision,status}') = 'successful'
        ) s
        where ($2::text[] is null or s.lab = any($2)) and ($3::text[] is null or s.cluster = any($3))"#,
        from,
        filter.labs.as_deref() as _,
        clusters as _,
        filter.group.as_str()
    )
    .fetch_all(db)
    .await?;
    let mut grid = Grid::new(frame.count);
    for row in rows {
        let (Some(Ok(began)), Ok(ended)) = (
            row.began.as_deref().map(str::parse::<DateTime<Utc>>),
            row.ended.parse::<DateTime<Utc>>(),
        ) else {
            continue;
        };
        let Some(index) = frame.index(ended).filter(|_| ended >= began) else {
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "a provision takes hours, not ages")]
        let took = Cell::Spans(vec![(ended - began).num_seconds() as f64]);
        if let Some(cell) = grid.row(row.key.as_deref().unwrap_or(NONE)).get_mut(index) {
            cell.merge(&took);
        }
    }
    Ok(grid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_counts_for_the_share_of_a_bucket_in_which_it_failed() {
        let from: DateTime<Utc> = "2026-11-23T06:00:00Z".parse().unwrap();
        let at = |minute| from + TimeDelta::minutes(minute);
        let frame = Frame {
            from,
            to: at(50),
            bucket: TimeDelta::minutes(20),
            count: 3,
        };
        let mut row = vec![Cell::Unknown; 3];
        // Two stages fail at once from 10 to 30, then one again in the bucket that is not over.
        add_failing(&mut row, &frame, vec![(at(15), at(30)), (at(10), at(25)), (at(45), at(50))]);
        add_failing(&mut row, &frame, vec![(at(0), at(50))]);
        let told: Vec<_> = row.iter().map(|cell| (cell.value(), cell.n())).collect();
        assert_eq!(told, [(Some(1.5), 2), (Some(1.5), 2), (Some(1.5), 2)]);
    }
}
