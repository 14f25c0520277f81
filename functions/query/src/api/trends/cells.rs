//! The buckets of series while they are computed.

use std::collections::BTreeMap;

/// A bucket of a series.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Cell {
    /// Nothing is known.
    #[default]
    Unknown,
    /// A count, or an average of counts: others add up.
    Count { sum: f64, n: i64 },
    /// A mean of measurements: others are more measurements.
    Mean { sum: f64, n: i64 },
    /// Lengths of time, of which the median is told.
    Spans(Vec<f64>),
}

impl Cell {
    /// The value, with two decimals.
    pub(super) fn value(&self) -> Option<f64> {
        let value = match self {
            Self::Unknown => return None,
            Self::Count { sum, .. } => *sum,
            #[expect(clippy::cast_precision_loss, reason = "a bucket holds few measurements")]
            Self::Mean { sum, n } => (*n > 0).then(|| sum / *n as f64)?,
            Self::Spans(spans) => median(spans)?,
        };
        Some((value * 100.0).round() / 100.0)
    }

    /// Of how many things it is made.
    pub(super) fn n(&self) -> i64 {
        match self {
            Self::Unknown => 0,
            Self::Count { n, .. } | Self::Mean { n, .. } => *n,
            Self::Spans(spans) => i64::try_from(spans.len()).unwrap_or(i64::MAX),
        }
    }

    /// Takes another series' bucket in.
    pub(super) fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (_, Self::Unknown) => {}
            (Self::Count { sum, n }, Self::Count { sum: more, n: of }) | (Self::Mean { sum, n }, Self::Mean { sum: more, n: of }) => {
                *sum += more;
                *n += of;
            }
            (Self::Spans(spans), Self::Spans(more)) => spans.extend(more),
            // All cells of a metric are of one kind.
            (this, other) => *this = other.clone(),
        }
    }
}

fn median(spans: &[f64]) -> Option<f64> {
    let mut sorted = spans.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    sorted.get(middle.checked_sub(1)?).map(|lower| f64::midpoint(*lower, upper))
}

/// Buckets by key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    count: usize,
    rows: BTreeMap<String, Vec<Cell>>,
}

impl Grid {
    pub(super) const fn new(count: usize) -> Self {
        Self {
            count,
            rows: BTreeMap::new(),
        }
    }

    /// Makes sure that a key has a row.
    pub(super) fn row(&mut self, key: &str) -> &mut Vec<Cell> {
        let count = self.count;
        self.rows.entry(key.to_owned()).or_insert_with(|| vec![Cell::Unknown; count])
    }

    /// A bucket of a key, which is less than the count.
    #[cfg(test)]
    pub(super) fn cell(&mut self, key: &str, index: usize) -> &mut Cell {
        &mut self.row(key)[index]
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (&String, &Vec<Cell>)> {
        self.rows.iter()
    }

    /// Where somebody looked and nothing was counted, it is known to be none. A row of a cluster needs a look at that cluster, any other
    /// row at any of them.
    pub(super) fn known_where(mut self, looks: &super::Looks) -> Self {
        let anywhere: Vec<bool> = (0..self.count)
            .map(|i| looks.values().any(|looked| looked.get(i) == Some(&true)))
            .collect();
        for (key, cells) in &mut self.rows {
            let own = key.parse().ok().and_then(|id: uuid::Uuid| looks.get(&id));
            for (cell, &looked) in cells.iter_mut().zip(own.unwrap_or(&anywhere)) {
                if looked && *cell == Cell::Unknown {
                    *cell = Cell::Count { sum: 0.0, n: 0 };
                } else if !looked {
                    // What was open before and after says nothing of a time in which nobody looked.
                    *cell = Cell::Unknown;
                }
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_of_nothing_is_not_zero() {
        assert_eq!(Cell::Spans(Vec::new()).value(), None);
        assert_eq!(Cell::Spans(vec![9.0, 1.0, 2.0]).value(), Some(2.0));
        assert_eq!(Cell::Spans(vec![4.0, 1.0]).value(), Some(2.5));
    }

    #[test]
    fn measurements_of_several_are_a_mean_and_counts_add_up() {
        let mut mean = Cell::Mean { sum: 10.0, n: 1 };
        mean.merge(&Cell::Mean { sum: 60.0, n: 2 });
        mean.merge(&Cell::Unknown);
        assert_eq!((mean.value(), mean.n()), (Some(23.33), 3));
        let mut count = Cell::Unknown;
        count.merge(&Cell::Count { sum: 2.0, n: 2 });
        count.merge(&Cell::Count { sum: 3.0, n: 4 });
        assert_eq!((count.value(), count.n()), (Some(5.0), 6));
    }

    #[test]
    fn none_is_known_only_where_somebody_looked() {
        let (one, two) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let looks = BTreeMap::from([(one, vec![true, false, false]), (two, vec![false, true, false])]);
        let mut grid = Grid::new(3);
        grid.row(&one.to_string());
        *grid.cell("crash", 0) = Cell::Count { sum: 2.0, n: 2 };
        *grid.cell("crash", 2) = Cell::Count { sum: 2.0, n: 2 };
        let grid = grid.known_where(&looks);
        let values = |key: &str| -> Vec<Option<f64>> { grid.rows[key].iter().map(Cell::value).collect() };
        assert_eq!(values(&one.to_string()), [Some(0.0), None, None]);
        assert_eq!(values("crash"), [Some(2.0), Some(0.0), None]);
    }
}
