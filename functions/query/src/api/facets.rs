//! How often each value of a filter occurs in a list: what a filter can be set to, and what it would leave.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// Values of one filter that are named, at most.
const MOST: usize = 200;

/// A value of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FacetValue {
    /// The value, as the filter takes it.
    #[schema(example = "image_pull_backoff")]
    pub value: String,
    /// Rows of the list that have it.
    #[schema(minimum = 1)]
    pub count: i64,
}

/// Counts values.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<String, i64>);

impl Tally {
    /// Adds `n` rows with a value; an empty value is none.
    pub(super) fn add(&mut self, value: &str, n: i64) {
        if value.is_empty() || n == 0 {
            return;
        }
        match self.0.get_mut(value) {
            Some(count) => *count += n,
            None => {
                self.0.insert(value.to_owned(), n);
            }
        }
    }

    /// The values, most frequent first.
    pub(super) fn values(self) -> Vec<FacetValue> {
        let mut values: Vec<FacetValue> = self.0.into_iter().map(|(value, count)| FacetValue { value, count }).collect();
        // Of equals the first in the alphabet: the sort is stable.
        values.sort_by_key(|value| std::cmp::Reverse(value.count));
        values.truncate(MOST);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_value_comes_first_and_none_is_no_value() {
        let mut tally = Tally::default();
        for (value, n) in [("b", 2), ("", 9), ("a", 2), ("c", 1), ("c", 4), ("d", 0)] {
            tally.add(value, n);
        }
        let told: Vec<(String, i64)> = tally.values().into_iter().map(|one| (one.value, one.count)).collect();
        assert_eq!(told, [("c".to_owned(), 5), ("a".to_owned(), 2), ("b".to_owned(), 2)]);
    }
}
