//! Sources that are no clusters: what a collector tells, how old it is, and why what rests on it is not known.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use stargate_common::sources::SourceName;

use crate::sources::{Attempts, Coverage, SourceMeta, SourceState};
use crate::verdict::span;

/// A collector's row. AAP has one for each controller: `aap/<host>`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct Collector {
    pub source: String,
    pub enabled: bool,
    pub interval_s: i32,
    pub last_attempt_at: Option<DateTime<Utc>>,
    pub last_success_at: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
    pub coverage: Coverage,
}

impl Collector {
    /// How far it can be relied on.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> SourceState {
        if !self.enabled {
            return SourceState::Disabled;
        }
        Attempts {
            interval_s: self.interval_s,
            last_success_at: self.last_success_at,
            last_failed: self.last_attempt_at > self.last_success_at,
        }
        .state(now)
    }

    /// The heading of an answer that rests on it.
    #[must_use]
    pub fn heading(&self, now: DateTime<Utc>) -> SourceMeta {
        SourceMeta {
            source: self.source.clone(),
            state: self.state(now),
            observed_at: self.last_success_at,
            age_s: self.last_success_at.map(|at| (now - at).num_seconds().max(0)),
            coverage: self.coverage.clone(),
        }
    }

    /// Why what rests on it is not known; none when it is.
    fn trouble(&self, now: DateTime<Utc>) -> Option<String> {
        let error = self.last_error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
        match self.state(now) {
            SourceState::Fresh | SourceState::Late | SourceState::Failed => None,
            SourceState::Disabled => Some(format!("{} is not collected (disabled)", self.source)),
            SourceState::Never => Some(format!("{} was never read{error}", self.source)),
            SourceState::Stale => {
                let age = self.last_success_at.map(|at| span((now - at).num_seconds())).unwrap_or_default();
                Some(format!("{} was not read for {age}{error}", self.source))
            }
        }
    }
}

/// Every collector there is a row of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collectors(pub Vec<Collector>);

impl Collectors {
    fn of(&self, name: SourceName) -> impl Iterator<Item = &Collector> {
        let part = format!("{name}/");
        // A row of the whole stands for itself only where there is none of a part.
        let parts = self.0.iter().any(|row| row.source.starts_with(&part));
        self.0
            .iter()
            .filter(move |row| row.source.starts_with(&part) || (!parts && row.source == name.as_str()))
    }

    /// The headings of these sources; one that has no row was never read.
    #[must_use]
    pub fn headings(&self, names: &[SourceName], now: DateTime<Utc>) -> Vec<SourceMeta> {
        let mut headings = Vec::new();
        for &name in names {
            let before = headings.len();
            headings.extend(self.of(name).map(|row| row.heading(now)));
            if headings.len() == before {
                headings.push(SourceMeta {
                    source: name.as_str().to_owned(),
                    state: SourceState::Never,
                    observed_at: None,
                    age_s: None,
                    coverage: Coverage::default(),
                });
            }
        }
        headings
    }

    /// Why what rests on this source is not known; none when it is. Of several controllers one that tells is something.
    #[must_use]
    pub fn trouble(&self, name: SourceName, now: DateTime<Utc>) -> Option<String> {
        let mut rows = self.of(name).peekable();
        if rows.peek().is_none() {
            return Some(format!("{name} was never read"));
        }
        let troubles: Vec<Option<String>> = rows.map(|row| row.trouble(now)).collect();
        troubles.into_iter().collect::<Option<Vec<_>>>().map(|all| all.join("; "))
    }

    /// [`Self::trouble`] as an error: nothing that rests on the source is known.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn known(&self, name: SourceName, now: DateTime<Utc>) -> Result<(), String> {
        self.trouble(name, now).map_or(Ok(()), Err)
    }
}

/// Reads them, by name.
///
/// # Errors
/// The statement failed.
pub async fn read(db: impl PgExecutor<'_>) -> Result<Collectors, sqlx::Error> {
    let rows = sqlx::query!(
        "-- collectors::read
        select source, enabled, interval_s, last_attempt_at, last_success_at, last_error, expected, reporting, missing
        from sources order by source"
    )
    .fetch_all(db)
    .await?;
    let count = |n: Option<i32>| usize::try_from(n.unwrap_or_default()).unwrap_or_default();
    Ok(Collectors(
        rows.into_iter()
            .map(|row| Collector {
                source: row.source,
                enabled: row.enabled,
                interval_s: row.interval_s,
                last_attempt_at: row.last_attempt_at,
                last_success_at: row.last_success_at,
                last_error: row.last_error,
                coverage: Coverage {
                    expected: count(row.expected),
                    reporting: count(row.reporting),
                    missing: serde_json::from_value(row.missing).unwrap_or_default(),
                },
            })
            .collect(),
    ))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-23T06:00:00Z".parse().unwrap()
    }

    fn row(source: &str, minutes_ago: Option<i64>, enabled: bool) -> Collector {
        let at = minutes_ago.map(|minutes| now() - TimeDelta::minutes(minutes));
        Collector {
            source: source.to_owned(),
            enabled,
            interval_s: 900,
            last_attempt_at: at,
            last_success_at: at,
            last_error: None,
            coverage: Coverage::default(),
        }
    }

    #[test]
    fn what_was_not_read_says_why_and_what_was_read_says_nothing() {
        let rows = Collectors(vec![
            row("babylon", Some(120), true),
            row("demolition", Some(1), false),
            row("labagator", Some(5), true),
            row("sandbox-api", None, true),
        ]);
        let trouble = |name| rows.trouble(name, now());
        assert_eq!(trouble(SourceName::Labagator), None);
        assert_eq!(trouble(SourceName::Babylon).unwrap(), "babylon was not read for 2 h");
        assert_eq!(trouble(SourceName::Demolition).unwrap(), "demolition is not collected (disabled)");
        assert_eq!(trouble(SourceName::SandboxApi).unwrap(), "sandbox-api was never read");
        assert_eq!(trouble(SourceName::Agnosticv).unwrap(), "agnosticv was never read", "it has no row");
    }

    #[test]
    fn of_several_controllers_one_that_tells_is_something() {
        let mut rows = Collectors(vec![
            row("aap", None, false),
            row("aap/a.test", Some(2000), true),
            row("aap/b.test", Some(1), true),
        ]);
        assert_eq!(rows.trouble(SourceName::Aap, now()), None);
        let names: Vec<String> = rows.headings(&[SourceName::Aap], now()).into_iter().map(|row| row.source).collect();
        assert_eq!(
            names,
            ["aap/a.test", "aap/b.test"],
            "the row from before there were controllers says nothing"
        );
        rows.0.pop();
        assert_eq!(rows.trouble(SourceName::Aap, now()).unwrap(), "aap/a.test was not read for 33 h");
    }
}
