//! Pages by key, never by offset: a page begins right after the last row of the one before, whatever was added or removed since.
//!
//! The cursor is opaque to clients: base64url of the sort keys and id of a row, the direction, and a seal over the path, filters and
//! order it was made for.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::params::Limit;
use crate::problem::ApiError;

/// Raised when the content of cursors changes; older ones are refused.
const VERSION: u8 = 1;

/// Where a page stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page {
    /// How many rows a page holds at most.
    #[schema(example = 50, minimum = 1, maximum = 200)]
    pub limit: usize,
    /// Give it as `cursor` to get the next page; null on the last.
    pub next_cursor: Option<String>,
    /// Give it as `cursor` to get the page before; null on the first.
    pub prev_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

/// Which way a page lies from the row of its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// The rows after it.
    #[serde(rename = "n")]
    Next,
    /// The rows before it.
    #[serde(rename = "p")]
    Previous,
}

/// A row that a page begins after, or ends before. `K` is its sort keys, the id last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor<K> {
    v: u8,
    #[serde(rename = "d")]
    direction: Direction,
    #[serde(rename = "s")]
    seal: String,
    #[serde(rename = "k")]
    key: K,
}

impl<K: Serialize + DeserializeOwned> Cursor<K> {
    fn encode(&self) -> Option<String> {
        serde_json::to_vec(self).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
    }

    /// The cursor in `text`, which must have been made under `seal`.
    ///
    /// # Errors
    /// It was not, or is not a cursor at all.
    pub fn decode(text: &str, seal: &str) -> Result<Self, ApiError> {
        let cursor: Option<Self> = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok());
        cursor
            .filter(|cursor| cursor.v == VERSION && cursor.seal == seal)
            .ok_or(ApiError::CursorMismatch)
    }
}

/// Which page was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<K> {
    limit: Limit,
    seal: String,
    cursor: Option<Cursor<K>>,
}

impl<K: Serialize + DeserializeOwned + Clone> Wanted<K> {
    /// The page that `limit` and `cursor` ask for in the list of that seal.
    ///
    /// # Errors
    /// The cursor does not fit the list.
    pub fn new(limit: Limit, cursor: Option<&str>, seal: &str) -> Result<Self, ApiError> {
        Ok(Self {
            limit,
            seal: seal.to_owned(),
            cursor: cursor.map(|text| Cursor::decode(text, seal)).transpose()?,
        })
    }

    /// The key the page begins after (or ends before); `None` for the first page.
    #[must_use]
    pub fn key(&self) -> Option<&K> {
        self.cursor.as_ref().map(|cursor| &cursor.key)
    }

    /// Which way to read.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.cursor.as_ref().map_or(Direction::Next, |cursor| cursor.direction)
    }

    /// Whether to read from the small end: a page back of a descending list is a page forward of an ascending one.
    #[must_use]
    pub fn is_ascending(&self, descending: bool) -> bool {
        descending == (self.direction() == Direction::Previous)
    }

    /// How many rows to fetch: one more than the page holds.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        self.limit.and_one()
    }

    /// Makes a page of rows that were fetched in reading direction, at most [`Self::fetch`] of them.
    #[must_use]
    pub fn cut<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> (Vec<T>, Page) {
        let further = rows.len() > self.limit.rows();
        rows.truncate(self.limit.rows());
        let (has_next, has_previous) = match self.direction() {
            Direction::Next => (further, self.cursor.is_some()),
            Direction::Previous => {
                rows.reverse();
                (true, further)
            }
        };
        let seal = |row: Option<&T>, direction| {
            row.and_then(|row| {
                let cursor = Cursor {
                    v: VERSION,
                    direction,
                    seal: self.seal.clone(),
                    key: key(row),
                };
                cursor.encode()
            })
        };
        let next_cursor = has_next.then(|| seal(rows.last(), Direction::Next)).flatten();
        let prev_cursor = has_previous.then(|| seal(rows.first(), Direction::Previous)).flatten();
        let page = Page {
            limit: self.limit.rows(),
            has_more: next_cursor.is_some(),
            next_cursor,
            prev_cursor,
        };
        (rows, page)
    }
}

/// One sort key of a row of a short list that is sorted here. Absent sorts last either way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// A number.
    #[serde(rename = "n")]
    Number(i64),
    /// A text, compared by bytes.
    #[serde(rename = "t")]
    Text(String),
    /// Not known.
    #[serde(rename = "x")]
    Absent,
}

impl Key {
    /// A text that may be absent; times in RFC 3339 with the same precision sort as texts.
    #[must_use]
    pub fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Absent, |text| Self::Text(text.into()))
    }

    /// A whole number that may be absent.
    #[must_use]
    pub fn number(number: Option<i64>) -> Self {
        number.map_or(Self::Absent, Self::Number)
    }

    /// A measurement that may be absent, to the hundredth: finer differences are noise.
    #[must_use]
    pub fn measure(value: Option<f64>) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "percentages and densities are far below 2^53")]
        value.map_or(Self::Absent, |value| Self::Number((value * 100.0).round() as i64))
    }

    /// A time that may be absent.
    #[must_use]
    pub fn time(at: Option<chrono::DateTime<chrono::Utc>>) -> Self {
        Self::number(at.map(|at| at.timestamp_micros()))
    }

    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let ordered = |ordering: Ordering| if descending { ordering.reverse() } else { ordering };
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => ordered(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => ordered(a.cmp(b)),
            (Self::Absent, Self::Absent) => Ordering::Equal,
            (Self::Absent, _) => Ordering::Greater,
            (_, Self::Absent) => Ordering::Less,
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

/// What a short list is sorted by: `-failing,name`. `F` is its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort<F>(Vec<(F, bool)>);

impl<F> Sort<F> {
    /// Largest or newest of `field` first.
    #[must_use]
    pub fn descending(field: F) -> Self {
        Self(vec![(field, true)])
    }

    /// Smallest or oldest of `field` first.
    #[must_use]
    pub fn ascending(field: F) -> Self {
        Self(vec![(field, false)])
    }
}

impl<'de, F: Deserialize<'de>> Deserialize<'de> for Sort<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.split(',')
            .map(|word| {
                let field = word.strip_prefix('-');
                let name: serde::de::value::StringDeserializer<D::Error> = field.unwrap_or(word).to_owned().into_deserializer();
                Ok((F::deserialize(name)?, field.is_some()))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Sort keys of a row of a short list, and its id.
pub type ShortKey = (Vec<Key>, String);

/// Sorts a short list and cuts the wanted page out of it.
#[must_use]
pub fn short<T, F: Copy>(
    mut rows: Vec<T>,
    sort: &Sort<F>,
    wanted: &Wanted<ShortKey>,
    key: impl Fn(&T, F) -> Key,
    id: impl Fn(&T) -> String,
) -> (Vec<T>, Page) {
    let key = |row: &T| -> ShortKey { (sort.0.iter().map(|&(field, _)| key(row, field)).collect(), id(row)) };
    let compare = |a: &ShortKey, b: &ShortKey| {
        let fields = a.0.iter().zip(&b.0).zip(&sort.0);
        fields
            .map(|((a, b), &(_, descending))| a.compare(b, descending))
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| a.1.cmp(&b.1))
    };
    let mut keyed: Vec<(ShortKey, T)> = rows.drain(..).map(|row| (key(&row), row)).collect();
    keyed.sort_by(|(a, _), (b, _)| compare(a, b));
    let rest: Vec<T> = match (wanted.key(), wanted.direction()) {
        (None, _) => keyed.into_iter().map(|(_, row)| row).take(wanted.limit.rows() + 1).collect(),
        (Some(after), Direction::Next) => {
            let from = keyed.partition_point(|(key, _)| compare(key, after).is_le());
            keyed
                .into_iter()
                .skip(from)
                .map(|(_, row)| row)
                .take(wanted.limit.rows() + 1)
                .collect()
        }
        (Some(before), Direction::Previous) => {
            keyed.truncate(keyed.partition_point(|(key, _)| compare(key, before).is_lt()));
            keyed.into_iter().rev().map(|(_, row)| row).take(wanted.limit.rows() + 1).collect()
        }
    };
    wanted.cut(rest, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Field {
        Failing,
        Name,
    }

    type Row = (&'static str, Option<i64>);

    fn list() -> Vec<Row> {
        vec![("d", Some(2)), ("a", None), ("c", Some(2)), ("b", Some(9)), ("e", None)]
    }

    fn read(sort: &Sort<Field>, limit: i64, cursor: Option<&str>) -> (String, Page) {
        let wanted = Wanted::new(Limit::try_from(limit).unwrap(), cursor, "seal").unwrap();
        let (rows, page) = short(
            list(),
            sort,
            &wanted,
            |row, field| match field {
                Field::Failing => Key::number(row.1),
                Field::Name => Key::text(Some(row.0)),
            },
            |row| row.0.to_owned(),
        );
        (rows.iter().map(|row| row.0).collect(), page)
    }

    #[test]
    fn pages_meet_without_gap_or_overlap_forwards_and_backwards() {
        for sort in ["-failing", "failing", "name", "-name", "-failing,-name"] {
            let sort = Sort::<Field>::deserialize(serde_json::Value::from(sort)).unwrap();
            let whole = read(&sort, 200, None).0;
            for limit in 1..=5 {
                let (mut seen, mut page) = read(&sort, limit, None);
                assert_eq!(page.prev_cursor, None);
                let mut pages = vec![seen.clone()];
                while let Some(cursor) = page.next_cursor.clone() {
                    let (rows, next) = read(&sort, limit, Some(&cursor));
                    assert!(!rows.is_empty(), "a next page is never empty");
                    seen.push_str(&rows);
                    pages.push(rows);
                    page = next;
                }
                assert_eq!(seen, whole);
                pages.pop();
                while let Some(cursor) = page.prev_cursor.clone() {
                    let (rows, previous) = read(&sort, limit, Some(&cursor));
                    assert_eq!(Some(rows), pages.pop());
                    page = previous;
                }
                assert!(pages.is_empty());
            }
        }
    }

    #[test]
    fn what_is_absent_comes_last_either_way() {
        assert_eq!(read(&Sort::descending(Field::Failing), 5, None).0, "bcdae");
        assert_eq!(read(&Sort::ascending(Field::Failing), 5, None).0, "cdbae");
    }

    #[test]
    fn a_cursor_of_another_list_or_no_cursor_at_all_is_refused() {
        let page = read(&Sort::ascending(Field::Name), 2, None).1;
        let cursor = page.next_cursor.unwrap();
        assert!(Cursor::<ShortKey>::decode(&cursor, "seal").is_ok());
        assert!(Cursor::<ShortKey>::decode(&cursor, "another").is_err());
        for text in ["", "nonsense", "e30", &cursor[1..]] {
            assert!(Cursor::<ShortKey>::decode(text, "seal").is_err(), "{text}");
        }
        let old = Cursor {
            v: 0,
            direction: Direction::Next,
            seal: "seal".to_owned(),
            key: (vec![Key::Absent], "x".to_owned()),
        };
        assert!(Cursor::<ShortKey>::decode(&old.encode().unwrap(), "seal").is_err());
    }
}
