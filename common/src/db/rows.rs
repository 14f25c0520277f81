//! Many rows in one parameter: a JSON array that `json_populate_recordset` reads by the names and types of a table's columns.
//!
//! For tables with many columns this is shorter than an array per column and cannot mix two of them up. The struct that serializes
//! must name its fields like the columns; a column it does not name stays null.

use serde::Serialize;

use super::DbError;

/// Rows per statement: some megabytes at most.
pub(crate) const BATCH: usize = 1000;

/// Rows as the JSON that PostgreSQL takes: text without NUL, which it cannot store.
pub(crate) fn to_json<T: Serialize>(rows: &[T]) -> Result<String, DbError> {
    let json = serde_json::to_string(rows).map_err(|error| DbError {
        doing: "writing rows as JSON",
        source: sqlx::Error::Encode(Box::new(error)),
    })?;
    Ok(without_nul(json))
}

/// Replaces every escaped NUL by the replacement character. A backslash that is itself escaped does not begin an escape.
fn without_nul(json: String) -> String {
    const NUL: &str = "\\u0000";
    if !json.contains(NUL) {
        return json;
    }
    let mut clean = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some(backslash) = rest.find('\\') {
        let (before, escape) = rest.split_at(backslash);
        clean.push_str(before);
        if let Some(after) = escape.strip_prefix(NUL) {
            clean.push('\u{FFFD}');
            rest = after;
        } else {
            // JSON text: a backslash always has a character after it, and that one is ASCII.
            let (pair, after) = escape.split_at(escape.len().min(2));
            clean.push_str(pair);
            rest = after;
        }
    }
    clean.push_str(rest);
    clean
}

/// Bytes as `bytea` reads them from text.
pub(crate) fn bytea<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    use std::fmt::Write;

    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    serializer.serialize_str(&text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn only_nul_is_replaced(text in r#"[\x00a\\u0"é]{0,12}"#) {
            let clean = to_json(&[&text]).unwrap();
            let back: Vec<String> = serde_json::from_str(&clean).unwrap();
            prop_assert_eq!(back, vec![text.replace('\0', "\u{FFFD}")]);
        }
    }
}
