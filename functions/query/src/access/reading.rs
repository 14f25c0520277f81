//! The only way to the tables: a read-only snapshot for one request, which shows the labs of who asks.
//!
//! One round trip begins the transaction and says the scope; there is no connection without both. Every statement of a request sees the same
//! moment, so counts that are shown side by side agree, and an answer is never older than its tag.

use std::fmt::Write;
use std::ops::{Deref, DerefMut};

use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};

use super::scope::LabScope;

/// Opens readings. The pool itself is nobody else's.
#[derive(Debug, Clone)]
pub struct Door(PgPool);

impl Door {
    /// A door to these connections, which should be [`ReadOnly`](stargate_common::db::Access::ReadOnly).
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Begins a reading of what `scope` shows.
    ///
    /// # Errors
    /// No connection, or it broke.
    pub async fn read(&self, scope: &LabScope) -> Result<Reading, sqlx::Error> {
        let begin = AssertSqlSafe(beginning(scope));
        Ok(Reading {
            tx: self.0.begin_with(begin).await?,
            scope: scope.clone(),
        })
    }
}

/// The statements that begin a reading, as one: the scope travels in hexadecimal, so whatever it holds, none of it is read as SQL.
fn beginning(scope: &LabScope) -> String {
    let setting = scope.setting();
    let mut hex = String::with_capacity(2 * setting.len());
    for byte in setting.bytes() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    format!(
        "begin isolation level repeatable read read only; \
         select set_config('stargate.lab_scope', convert_from(decode('{hex}', 'hex'), 'UTF8'), true)"
    )
}

/// A snapshot of the tables as one scope shows them. Dropping it ends it; the way back to the pool is not waited for.
#[derive(Debug)]
pub struct Reading {
    tx: Transaction<'static, Postgres>,
    scope: LabScope,
}

impl Reading {
    /// Whose labs it shows.
    #[must_use]
    pub const fn scope(&self) -> &LabScope {
        &self.scope
    }
}

impl Deref for Reading {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.tx
    }
}

impl DerefMut for Reading {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.tx
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_scope_cannot_end_its_own_literal() {
        let hostile = LabScope::Only(BTreeSet::from(["'; drop table instances; --".to_owned()]));
        let sql = beginning(&hostile);
        assert!(!sql.contains("drop"), "{sql}");
        assert!(beginning(&LabScope::All).contains("decode('2a', 'hex')"));
    }
}
