//! Times in cases: RFC 3339, or an offset from the time of the evaluation.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// A moment as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// RFC 3339.
    At(DateTime<Utc>),
    /// `-40m`, `+1h30m`.
    Offset(TimeDelta),
}

impl When {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(offset) = offset(text) {
            return Some(Self::Offset(offset));
        }
        let at = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self::At(at.with_timezone(&Utc)))
    }

    /// The moment, counted from `anchor`.
    pub(super) fn from(self, anchor: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Offset(offset) => anchor + offset,
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is neither RFC 3339 nor an offset such as -40m or +1h30m")))
    }
}

/// A sign, then numbers with units d, h, m, s, each at most once in a hundred years.
fn offset(text: &str) -> Option<TimeDelta> {
    let (sign, mut rest) = match text.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+", rest) => (1, rest),
        _ => return None,
    };
    if rest.is_empty() {
        return None;
    }
    let mut seconds: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes()[digits] {
            b'd' => 86_400,
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (seconds <= 36_525 * 86_400).then(|| TimeDelta::seconds(sign * seconds))
}

/// Whether a field of that name holds a moment, in Kubernetes objects or in our own projections.
pub(super) fn is_time(field: &str) -> bool {
    field.ends_with("Timestamp")
        || field.ends_with("Time")
        || field.ends_with("_at")
        || matches!(field, "timestamp" | "startedAt" | "finishedAt" | "at" | "state_since" | "not_after")
}

/// Replaces offsets in time fields by moments. What is no moment is told as path and text.
pub(super) fn resolve(value: &mut Value, anchor: DateTime<Utc>, wrong: &mut Vec<(String, String)>) {
    walk(value, anchor, &mut String::new(), wrong);
}

fn walk(value: &mut Value, anchor: DateTime<Utc>, path: &mut String, wrong: &mut Vec<(String, String)>) {
    let length = path.len();
    match value {
        Value::Object(map) => {
            // Keys of these are anybody's choice.
            for (field, value) in map
                .iter_mut()
                .filter(|(field, _)| !matches!(field.as_str(), "labels" | "annotations"))
            {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(field);
                match value {
                    Value::String(text) if is_time(field) => match When::parse(text) {
                        Some(when) => *text = when.from(anchor).to_rfc3339(),
                        None => wrong.push((path.clone(), text.clone())),
                    },
                    _ => walk(value, anchor, path, wrong),
                }
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter_mut().enumerate() {
                path.push_str(&format!("[{index}]"));
                walk(value, anchor, path, wrong);
                path.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn offsets_have_a_sign_and_units() {
        assert_eq!(offset("-40m"), Some(TimeDelta::minutes(-40)));
        assert_eq!(offset("+1h30m"), Some(TimeDelta::minutes(90)));
        assert_eq!(offset("-2d"), Some(TimeDelta::days(-2)));
        for text in ["", "-", "40m", "-m", "-40", "-40 m", "-4w", "-99999999999d", "-é"] {
            assert_eq!(offset(text), None, "{text}");
        }
    }

    #[test]
    fn only_fields_that_hold_moments_are_resolved() {
        let anchor = DateTime::UNIX_EPOCH + TimeDelta::hours(2);
        let mut object = json!({"metadata": {"creationTimestamp": "-1h", "name": "-1h", "labels": {"at": "-1h"}},
                                "status": {"conditions": [{"lastTransitionTime": "yesterday"}]}});
        let mut wrong = Vec::new();
        resolve(&mut object, anchor, &mut wrong);
        assert_eq!(object["metadata"]["creationTimestamp"], "1970-01-01T01:00:00+00:00");
        assert_eq!(object["metadata"]["name"], "-1h");
        assert_eq!(object["metadata"]["labels"]["at"], "-1h");
        assert_eq!(
            wrong,
            [("status.conditions[0].lastTransitionTime".to_owned(), "yesterday".to_owned())]
        );
    }
}
