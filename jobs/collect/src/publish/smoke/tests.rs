use super::*;

fn session(id: i64, workers: i64) -> SmokeSession {
    SmokeSession {
        id,
        workers: Some(workers),
        total: Some(12),
        completed: Some(12),
        failed: Some(0),
        ..SmokeSession::default()
    }
}

#[test]
fn the_newest_run_and_the_newest_rehearsal_count() {
    let all = [session(1, 20), session(2, 20), session(3, 2), session(4, 3)];
    assert_eq!(counted(&all.iter().collect::<Vec<_>>()), [2, 4].into());
    assert_eq!(counted(&[]), BTreeSet::new());
}

#[test]
fn a_result_that_is_told_in_part_is_none() {
    let in_part = SmokeSession {
        failed: None,
        ..session(1, 20)
    };
    let run = evidence_of(&in_part, Strength::Strong, None);
    assert_eq!((run.total, run.completed, run.failed), (0, 0, 0));
    let run = evidence_of(&session(1, 20), Strength::Weak, None);
    assert_eq!((run.total, run.guessed, run.finished_at), (12, true, None));
}
