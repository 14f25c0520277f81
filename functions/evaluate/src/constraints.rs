//! What the definitions of the instances demand, compared with the evidence that is in memory, and what differs from the stored violations.
//!
//! A violation never changes an outcome. One that nobody could look at again stays as it is; an instance that is on its way up or down is
//! not compared.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use stargate_common::db::DbError;
use stargate_common::db::constraint_violations::{self as stored, Demands, Open, Row};
use stargate_common::evidence::Phase;
use stargate_common::objects::{ClusterInventory, Inventory};
use stargate_common::provisioning::constraint::{self, Compared};
use uuid::Uuid;

use crate::judge::JudgedInstance;

/// One instance against its demands.
#[derive(Debug)]
pub enum Found {
    /// It is being made, stopped or removed: what is stored stays.
    Unsettled,
    /// It was compared with what this catalog item demands; an empty name: with nothing.
    Compared(String, Compared),
}

/// Compares one instance.
pub fn compare(demands: &Demands, judged: &JudgedInstance, inventory: &Inventory, cluster: &ClusterInventory) -> Found {
    let Some((item, wanted)) = demands.of(judged.instance.id) else {
        return Found::Compared(String::new(), Compared::default());
    };
    let deleting = inventory
        .namespace
        .items
        .iter()
        .any(|namespace| namespace.metadata.deletion_timestamp.is_some());
    let settled = matches!(judged.verdict.lifecycle.phase, Phase::Started | Phase::Unknown) && !judged.provisioning;
    if deleting || !settled {
        return Found::Unsettled;
    }
    Found::Compared(item.to_owned(), constraint::compare(wanted, inventory, cluster))
}

/// What is to be written, and what is to be closed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Differences<'a> {
    write: Vec<Row<'a>>,
    clear: Vec<Uuid>,
}

/// Writes what differs. The answer is the number of rows.
///
/// # Errors
/// A statement failed.
pub async fn write(conn: &mut PgConnection, cluster: Uuid, found: &BTreeMap<Uuid, Found>, now: DateTime<Utc>) -> Result<usize, DbError> {
    let open = stored::open(conn, cluster).await?;
    let Differences { write, clear } = differences(found, &open, now);
    stored::write(conn, &write).await?;
    stored::clear(conn, &clear, now).await?;
    Ok(write.len() + clear.len())
}

fn differences<'a>(found: &'a BTreeMap<Uuid, Found>, open: &BTreeMap<Uuid, Vec<Open>>, now: DateTime<Utc>) -> Differences<'a> {
    let mut differences = Differences::default();
    for (&instance, found) in found {
        let Found::Compared(item, compared) = found else { continue };
        let open = open.get(&instance).map_or(&[][..], Vec::as_slice);
        for violation in &compared.violations {
            let same = |one: &&Open| one.kind == violation.kind.as_str() && one.expected == violation.expected;
            let stored = open.iter().find(same);
            if stored.is_some_and(|one| one.actual == violation.actual && one.detail == violation.detail) {
                continue;
            }
            differences.write.push(Row {
                violation_id: stored.map_or_else(Uuid::now_v7, |one| one.id),
                instance_id: instance,
                kind: violation.kind.as_str(),
                expected: &violation.expected,
                actual: &violation.actual,
                severity: violation.kind.severity(),
                detail: &violation.detail,
                stage: violation.kind.stage().as_str(),
                catalog_item: item,
                detected_at: now,
            });
        }
        let still = |one: &Open| {
            let mut violations = compared.violations.iter();
            violations.any(|it| it.kind.as_str() == one.kind && it.expected == one.expected)
                || compared.leaves_open(&one.kind, &one.expected)
        };
        differences.clear.extend(open.iter().filter(|one| !still(one)).map(|one| one.id));
    }
    // Instances that are there no more.
    let gone = open.iter().filter(|(instance, _)| !found.contains_key(instance));
    differences.clear.extend(gone.flat_map(|(_, open)| open.iter().map(|one| one.id)));
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use stargate_common::provisioning::constraint::{Unchecked, Violation, ViolationKind};

    fn violation(actual: &str) -> Violation {
        Violation {
            kind: ViolationKind::ShowroomWrongRef,
            expected: "main".to_owned(),
            actual: actual.to_owned(),
            detail: "Deployment showroom clones it".to_owned(),
        }
    }

    fn open(expected: &str, actual: &str) -> Open {
        Open {
            id: Uuid::from_u128(7),
            kind: "showroom_wrong_ref".to_owned(),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
            detail: "Deployment showroom clones it".to_owned(),
        }
    }

    fn of(found: Option<Found>, stored: Vec<Open>) -> (Vec<(Uuid, String)>, Vec<Uuid>) {
        let instance = Uuid::from_u128(1);
        let found = found.into_iter().map(|found| (instance, found)).collect();
        let stored = BTreeMap::from([(instance, stored)]);
        let differences = differences(&found, &stored, DateTime::UNIX_EPOCH);
        let written = differences.write.iter().map(|row| (row.violation_id, row.actual.to_owned()));
        (written.collect(), differences.clear)
    }

    fn compared(violations: Vec<Violation>, unchecked: Vec<Unchecked>) -> Option<Found> {
        Some(Found::Compared("acme.mesh.prod".to_owned(), Compared { violations, unchecked }))
    }

    #[test]
    fn only_differences_are_written() {
        let id = Uuid::from_u128(7);
        assert_eq!(
            of(compared(vec![violation("v2")], vec![]), vec![open("main", "v2")]),
            (vec![], vec![])
        );
        let changed = of(compared(vec![violation("v3")], vec![]), vec![open("main", "v2")]);
        assert_eq!(changed, (vec![(id, "v3".to_owned())], vec![]), "the same row");
        assert_eq!(of(compared(vec![violation("v2")], vec![]), vec![]).0.len(), 1);
        assert_eq!(
            of(compared(vec![], vec![]), vec![open("main", "v2")]),
            (vec![], vec![id]),
            "met again"
        );
    }

    #[test]
    fn what_nobody_could_look_at_stays_and_what_is_gone_goes() {
        let id = Uuid::from_u128(7);
        let unchecked = |expected: &str| {
            vec![Unchecked {
                kind: ViolationKind::ShowroomWrongRef,
                expected: expected.to_owned(),
                reason: "Deployments were not read: forbidden".to_owned(),
            }]
        };
        assert_eq!(of(compared(vec![], unchecked("main")), vec![open("main", "v2")]), (vec![], vec![]));
        assert_eq!(
            of(compared(vec![], unchecked("v9")), vec![open("main", "v2")]).1,
            [id],
            "another demand now"
        );
        assert_eq!(of(Some(Found::Unsettled), vec![open("main", "v2")]), (vec![], vec![]));
        assert_eq!(of(None, vec![open("main", "v2")]).1, [id], "the instance is gone");
    }
}
