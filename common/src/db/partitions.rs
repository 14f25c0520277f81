//! Partitions of the tables that only grow: made ahead, dropped when their time is over.
//!
//! The work is done by two functions of the database (`migrations/*_manage_partitions.sql`), because partitions are named at run time and
//! statements here never are.

use chrono::{Datelike, Days, Months, NaiveDate};
use sqlx::PgExecutor;

use super::{DbError, Doing};

/// How much time one partition covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// One day.
    Day,
    /// One calendar month.
    Month,
}

impl Period {
    /// The first day of the period that holds `day`.
    #[must_use]
    pub fn first(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => day,
            Self::Month => day.with_day(1).unwrap_or(day),
        }
    }

    /// The first day of the period after the one that begins with `first`.
    #[must_use]
    pub fn next(self, first: NaiveDate) -> NaiveDate {
        match self {
            Self::Day => first + Days::new(1),
            Self::Month => first + Months::new(1),
        }
    }
}

/// A table that is kept in partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitioned {
    /// Its name.
    pub table: &'static str,
    /// The column that it is partitioned by.
    pub column: &'static str,
    /// How much time one partition covers.
    pub period: Period,
    /// How many days rows are kept.
    pub keep_days: u64,
    /// Rows that must outlive that, as SQL. A partition with such a row stays.
    pub keep: &'static str,
}

/// Every partitioned table. Sources of the times: dashboard-and-query-domain 4.3; the outbox keeps what was never sent.
pub const PARTITIONED: [Partitioned; 9] = [
    Partitioned {
        table: "evidence_history",
        column: "replaced_at",
        period: Period::Day,
        keep_days: 14,
        keep: "false",
    },
    Partitioned {
        table: "transitions",
        column: "at",
        period: Period::Month,
        keep_days: 400,
        keep: "false",
    },
    Partitioned {
        table: "scans",
        column: "started_at",
        period: Period::Month,
        keep_days: 90,
        keep: "evaluated_at is null",
    },
    Partitioned {
        table: "outbox",
        column: "created_at",
        period: Period::Day,
        keep_days: 3,
        keep: "sent_at is null",
    },
    Partitioned {
        table: "inbox",
        column: "event_day",
        period: Period::Day,
        keep_days: 7,
        keep: "false",
    },
    Partitioned {
        table: "subject_transitions",
        column: "at",
        period: Period::Month,
        keep_days: 400,
        keep: "false",
    },
    Partitioned {
        table: "pool_samples",
        column: "at",
        period: Period::Day,
        keep_days: 14,
        keep: "false",
    },
    Partitioned {
        table: "cluster_samples",
        column: "at",
        period: Period::Month,
        keep_days: 100,
        keep: "false",
    },
    Partitioned {
        table: "collections",
        column: "started_at",
        period: Period::Month,
        keep_days: 90,
        keep: "false",
    },
];

/// Makes the partition of `table` that begins with `first`, unless it is there. Rows that the default partition took in the meantime move into
/// it. Returns whether it was made.
///
/// # Errors
/// The statement failed; a lock timeout means that the table is busy, and nothing was changed.
pub async fn make(db: impl PgExecutor<'_>, table: &Partitioned, first: NaiveDate) -> Result<bool, DbError> {
    sqlx::query_scalar!(
        r#"-- partitions::make
        select make_partition($1, $2, $3, $4) as "made!""#,
        table.table,
        table.column,
        first,
        table.period.next(first)
    )
    .fetch_one(db)
    .await
    .doing("making a partition")
}

/// Drops the partitions of `table` that ended before `oldest`. Returns how many.
///
/// # Errors
/// The statement failed; nothing was dropped then.
pub async fn drop_before(db: impl PgExecutor<'_>, table: &Partitioned, oldest: NaiveDate) -> Result<i32, DbError> {
    sqlx::query_scalar!(
        r#"-- partitions::drop_before
        select drop_partitions($1, $2, $3, $4) as "dropped!""#,
        table.table,
        table.column,
        oldest,
        table.keep
    )
    .fetch_one(db)
    .await
    .doing("dropping old partitions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_with_its_first_day_and_ends_with_the_next_ones() {
        let day = NaiveDate::from_ymd_opt(2026, 12, 31).unwrap();
        let first = Period::Month.first(day);
        assert_eq!(
            (first.to_string(), Period::Month.next(first).to_string()),
            ("2026-12-01".into(), "2027-01-01".into())
        );
        assert_eq!(Period::Day.next(day).to_string(), "2027-01-01");
    }
}
