//! Active runs that do not exist, where the control plane could not be asked for them this time.

use std::collections::BTreeMap;

use sqlx::PgPool;
use stargate_common::db::DbError;
use stargate_common::db::subject_states::{self, KnownRuns};
use stargate_common::provisioning::subject::AnarchySubject;
use stargate_common::sources::Collected;

/// Takes over what an earlier reading knew of the runs of these subjects, so that one question without an answer unsays nothing.
pub(crate) async fn keep_known(db: &PgPool, collected: &mut Collected) -> Result<(), DbError> {
    let Some(subjects) = &mut collected.readings.subjects else {
        return Ok(());
    };
    let untold: Vec<&str> = subjects
        .items
        .iter()
        .filter(|one| is_untold(one))
        .map(|one| one.uid.as_str())
        .collect();
    let known = if untold.is_empty() {
        BTreeMap::new()
    } else {
        subject_states::known_runs(db, &untold).await?
    };
    for subject in &mut subjects.items {
        if is_untold(subject) {
            subject.missing_runs = known.get(&subject.uid).and_then(|runs| still(subject, runs));
        } else if subject.missing_runs.is_none() {
            // Without active runs none of them can be missing.
            subject.missing_runs = Some(Vec::new());
        }
    }
    Ok(())
}

fn is_untold(subject: &AnarchySubject) -> bool {
    subject.missing_runs.is_none() && !subject.active_runs.is_empty()
}

/// Those that the subject still waits for. None: nothing is known of what it waits for now.
fn still(subject: &AnarchySubject, known: &KnownRuns) -> Option<Vec<String>> {
    let active = &subject.active_runs;
    let missing: Vec<String> = known.missing.iter().filter(|run| active.contains(run)).cloned().collect();
    (!missing.is_empty() || active.iter().all(|run| known.active.contains(run))).then_some(missing)
}
