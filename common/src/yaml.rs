//! YAML as StarGate reads it: one set of options everywhere.
//!
//! `yes` is a word, `012` is a string, and a document may not grow beyond a budget.

use serde::de::DeserializeOwned;

/// Options for every YAML document. Sizes: the largest rubric or recording seen, times twenty.
#[must_use]
pub fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        budget: serde_yaml::budget! { max_nodes: 2_000_000, max_events: 6_000_000, max_aliases: 1_000, max_depth: 100 }
    }
}

/// Parses one document.
///
/// # Errors
/// What is wrong, with line, column and the source around it. Boxed because the error is large.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Box<serde_yaml::Error>> {
    serde_yaml::from_str_with_options(text, options()).map_err(Box::new)
}
