//! Decisions in words: texts with places for bound values, `{usable}`, `{oldest_teardown_seconds:age}`.
//!
//! | Format | A number of seconds, or of anything, as |
//! |---|---|
//! | none | `3`, `72.5`, a text as it is |
//! | `percent` | `72.5 %` |
//! | `age` | `2 h 10 min` |
//! | `time` | the moment so many seconds from now: `2026-11-24 09:00 UTC` |
//! | `since` | the moment so many seconds ago |
//!
//! `time` and `since` say the same in every run, which an age does not. What is not known reads `unknown (stale)`.

use chrono::{DateTime, TimeDelta, Timelike, Utc};

use crate::expr::{Type, Value};

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As it is; numbers with at most one decimal.
    Plain,
    /// With a percent sign.
    Percent,
    /// Seconds as hours and minutes.
    Age,
    /// Seconds from now as a moment.
    Time,
    /// Seconds ago as a moment.
    Since,
}

impl Format {
    /// Every format that has a name, with it.
    pub const NAMED: [(&'static str, Self); 4] = [
        ("age", Self::Age),
        ("percent", Self::Percent),
        ("since", Self::Since),
        ("time", Self::Time),
    ];

    /// Whether a value of that type can be written so.
    #[must_use]
    pub const fn fits(self, ty: Type) -> bool {
        match self {
            Self::Plain => !matches!(ty, Type::Map | Type::Record(_) | Type::List(_)),
            Self::Percent | Self::Age | Self::Time | Self::Since => ty.is_number(),
        }
    }
}

/// A place for a value: the name, how it is written, and where in the text it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Name of a fact, a threshold, a column of the table, or `key`.
    pub name: String,
    /// How it is written.
    pub format: Format,
    /// Byte offset in the text.
    pub offset: usize,
}

/// A text with places for values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Slot(Slot),
}

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    /// Byte offset in the text.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Slot {
    /// Reads `name` or `name:format`.
    ///
    /// # Errors
    /// There is no such format.
    pub fn parse(text: &str, offset: usize) -> Result<Self, TextError> {
        let (name, format) = text.split_once(':').map_or((text, None), |(name, format)| (name, Some(format)));
        let format = match format {
            None => Format::Plain,
            Some(wanted) => {
                let found = Format::NAMED.into_iter().find(|(name, _)| *name == wanted);
                found.map(|(_, format)| format).ok_or_else(|| TextError {
                    offset,
                    message: format!("there is no format `{wanted}`"),
                    help: crate::suggest::suggest(wanted, Format::NAMED.into_iter().map(|(name, _)| name)),
                })?
            }
        };
        Ok(Self {
            name: name.to_owned(),
            format,
            offset,
        })
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A bracket that does not close, or a format that does not exist.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let mut parts = Vec::new();
        let mut rest = text.trim_end();
        let mut offset = 0;
        while let Some(open) = rest.find('{') {
            let Some(length) = rest[open..].find('}') else {
                return Err(TextError {
                    offset: offset + open,
                    message: "a `{` that does not close".to_owned(),
                    help: "write `{name}` or `{name:format}`".to_owned(),
                });
            };
            if open > 0 {
                parts.push(Part::Text(rest[..open].to_owned()));
            }
            parts.push(Part::Slot(Slot::parse(&rest[open + 1..open + length], offset + open + 1)?));
            rest = &rest[open + length + 1..];
            offset += open + length + 1;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Its places for values, in order.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Slot(slot) => Some(slot),
        })
    }

    /// The text with the values that `value` has.
    pub fn render<'v>(&self, now: DateTime<Utc>, value: impl Fn(&str) -> Value<'v>) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Slot(slot) => write(&value(&slot.name), slot.format, now),
        };
        self.parts.iter().map(part).collect()
    }
}

/// A value in that format.
#[must_use]
pub fn write(value: &Value<'_>, format: Format, now: DateTime<Utc>) -> String {
    let number = match value {
        Value::Unknown(reason) => return format!("unknown ({reason})"),
        Value::Bool(value) => return if *value { "yes" } else { "no" }.to_owned(),
        Value::Text(text) => return text.to_string(),
        #[expect(clippy::cast_precision_loss, reason = "seconds and counts are far below 2^52")]
        Value::Int(number) => *number as f64,
        Value::Double(number) => *number,
        Value::Map(_) | Value::Record(_) | Value::List(_) => return String::new(),
    };
    #[expect(clippy::cast_possible_truncation, reason = "saturates; ages are below 2^53 seconds")]
    let seconds = number as i64;
    match format {
        Format::Plain => plain(number),
        Format::Percent => format!("{} %", plain(number)),
        Format::Age => age(seconds),
        Format::Time => moment(now, seconds),
        Format::Since => moment(now, -seconds),
    }
}

fn plain(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn age(seconds: i64) -> String {
    let minutes = seconds.max(0) / 60;
    match (minutes / (24 * 60), minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// To the nearest minute: a moment that is computed anew in every run is the same in every run.
fn moment(now: DateTime<Utc>, seconds: i64) -> String {
    let at = now
        .checked_add_signed(TimeDelta::try_seconds(seconds).unwrap_or_default())
        .and_then(|at| at.checked_add_signed(TimeDelta::seconds(30)))
        .and_then(|at| at.with_second(0));
    at.map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_for_people() {
        let now = "2026-11-23T08:59:40.7Z".parse().unwrap();
        for (value, format, text) in [
            (Value::Int(3), Format::Plain, "3"),
            (Value::Double(72.0), Format::Percent, "72 %"),
            (Value::Double(92.96), Format::Percent, "93 %"),
            (Value::Double(-1.25), Format::Plain, "-1.2"),
            (Value::Int(7800), Format::Age, "2 h 10 min"),
            (Value::Int(59), Format::Age, "0 min"),
            (Value::Int(200_000), Format::Age, "2 d 7 h"),
            (Value::Int(86_419), Format::Time, "2026-11-24 09:00 UTC"),
            (Value::Int(3600), Format::Since, "2026-11-23 08:00 UTC"),
            (Value::Unknown(crate::unknown::UnknownReason::Stale), Format::Age, "unknown (stale)"),
            (Value::Bool(true), Format::Plain, "yes"),
        ] {
            assert_eq!(write(&value, format, now), text);
        }
    }

    #[test]
    fn a_moment_is_the_same_in_every_run() {
        let starts: DateTime<Utc> = "2026-11-24T09:00:00Z".parse().unwrap();
        for milliseconds in [0, 1, 499, 500, 999, 30_001, 3_600_017] {
            let now = starts - TimeDelta::hours(30) + TimeDelta::milliseconds(milliseconds);
            let value = Value::Int((starts - now).num_seconds());
            assert_eq!(write(&value, Format::Time, now), "2026-11-24 09:00 UTC", "{milliseconds}");
        }
    }

    #[test]
    fn a_template_says_where_it_is_wrong() {
        let template = Template::parse("pool {key}: ready {usable}, since {unusable_seconds:since}\n").unwrap();
        let names: Vec<&str> = template.slots().map(|slot| slot.name.as_str()).collect();
        assert_eq!(names, ["key", "usable", "unusable_seconds"]);
        let text = template.render(DateTime::UNIX_EPOCH, |name| match name {
            "key" => Value::text("a/b"),
            _ => Value::Int(0),
        });
        assert_eq!(text, "pool a/b: ready 0, since 1970-01-01 00:00 UTC");
        assert_eq!(Template::parse("x {usable").unwrap_err().offset, 2);
        let error = Template::parse("x {usable:ages}").unwrap_err();
        assert_eq!((error.offset, error.help.as_str()), (3, "did you mean `age`?"));
    }
}
