//! Which sources can be relied on: those that were read within twice their interval. What rests on another is unknown.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use stargate_common::db::DbError;
use stargate_common::policy::input::{Basis, Known};
use stargate_common::sources::SourceName;
use stargate_common::unknown::UnknownReason;

/// Whether each source can be relied on, and when it was last read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    state: BTreeMap<Basis, Known<DateTime<Utc>>>,
}

/// A source as it is stored.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name; of several controllers `aap/<host>`.
    pub source: String,
    /// Whether it is configured.
    pub enabled: bool,
    /// How often it is read, in seconds.
    pub interval_s: i32,
    /// When it was last read to its end.
    pub last_success_at: Option<DateTime<Utc>>,
}

impl Sources {
    /// As of `now`. Of several rows of one source each must be reliable, and the oldest reading counts.
    #[must_use]
    pub fn of(rows: &[Row], now: DateTime<Utc>) -> Self {
        let mut state: BTreeMap<Basis, Known<DateTime<Utc>>> = BTreeMap::new();
        for row in rows {
            let name = row.source.split('/').next().unwrap_or_default();
            let Some(source) = SourceName::parse(name) else { continue };
            // A controller that is no longer configured says nothing of the others.
            if !row.enabled {
                continue;
            }
            let this = match row.last_success_at {
                None => Err(UnknownReason::NotCollected),
                Some(at) if now - at > TimeDelta::seconds(i64::from(row.interval_s) * 2) => Err(UnknownReason::Stale),
                Some(at) => Ok(at),
            };
            state
                .entry(Basis::Provisioning(source))
                .and_modify(|known| {
                    *known = match (*known, this) {
                        (Ok(one), Ok(other)) => Ok(one.min(other)),
                        (Err(reason), _) | (_, Err(reason)) => Err(reason),
                    };
                })
                .or_insert(this);
        }
        Self { state }
    }

    /// When it was last read to its end.
    ///
    /// # Errors
    /// It is not configured, was never read, or too long ago.
    pub fn read_at(&self, source: SourceName) -> Known<DateTime<Utc>> {
        let state = self.state.get(&Basis::Provisioning(source));
        state.copied().unwrap_or(Err(UnknownReason::NotCollected))
    }

    /// A fact that rests on a source.
    ///
    /// # Errors
    /// It cannot be relied on, or the fact itself is unknown.
    pub fn given<T>(&self, source: SourceName, fact: Known<T>) -> Known<T> {
        self.read_at(source).and(fact)
    }
}

pub(super) async fn read(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Sources, DbError> {
    let rows = sqlx::query_as!(
        Row,
        "-- load::sources\nselect source, enabled, interval_s, last_success_at from sources order by source"
    )
    .fetch_all(conn)
    .await
    .map_err(super::doing("reading how sources stand"))?;
    Ok(Sources::of(&rows, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stale_never_read_or_not_configured_is_not_relied_on() {
        let now: DateTime<Utc> = "2026-11-23T08:00:00Z".parse().unwrap();
        let row = |source: &str, enabled, age: Option<i64>| Row {
            source: source.to_owned(),
            enabled,
            interval_s: 300,
            last_success_at: age.map(|age| now - TimeDelta::seconds(age)),
        };
        let rows = [
            row("babylon", true, Some(600)),
            row("labagator", true, Some(601)),
            row("demolition", true, None),
            row("sandbox-api", false, Some(10)),
            row("aap/a", true, Some(60)),
            row("aap/b", true, Some(700)),
            row("aap/c", false, None),
            row("rubrics", true, None),
        ];
        let sources = Sources::of(&rows, now);
        assert_eq!(sources.given(SourceName::Babylon, Ok(1)), Ok(1));
        assert_eq!(
            sources.given::<i64>(SourceName::Babylon, Err(UnknownReason::MissingField)),
            Err(UnknownReason::MissingField)
        );
        assert_eq!(sources.given(SourceName::Labagator, Ok(1)), Err(UnknownReason::Stale));
        assert_eq!(sources.given(SourceName::Demolition, Ok(1)), Err(UnknownReason::NotCollected));
        assert_eq!(sources.given(SourceName::SandboxApi, Ok(1)), Err(UnknownReason::NotCollected));
        assert_eq!(sources.given(SourceName::Aap, Ok(1)), Err(UnknownReason::Stale));
        assert_eq!(sources.given(SourceName::Agnosticv, Ok(1)), Err(UnknownReason::NotCollected));
        let both = Sources::of(&[row("aap/a", true, Some(60)), row("aap/b", true, Some(90))], now);
        assert_eq!(both.read_at(SourceName::Aap), Ok(now - TimeDelta::seconds(90)));
    }
}
