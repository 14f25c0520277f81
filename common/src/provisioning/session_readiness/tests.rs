use chrono::NaiveTime;

use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-24T08:35:00Z".parse().unwrap()
}

/// Forty attendees, in so many minutes.
fn session(in_minutes: i64) -> Session {
    let start = now() + TimeDelta::minutes(in_minutes);
    Session {
        id: "1".into(),
        lab_code: "LB0042".into(),
        date: start.date_naive(),
        start_time: NaiveTime::from_hms_opt(9, 0, 0),
        end_time: NaiveTime::from_hms_opt(10, 30, 0),
        time_zone: "UTC".into(),
        starts_at: Some(start),
        ends_at: Some(start + TimeDelta::minutes(90)),
        time_note: String::new(),
        room: String::new(),
        attendees: Some(40),
        status: "planned".into(),
        event_id: None,
    }
}

fn seats(ready: i64, starting: i64, failing: i64, unknown: i64) -> Result<Seats, String> {
    Ok(Seats {
        ready,
        starting,
        failing,
        unknown,
    })
}

fn judged(session: &Session, seats: Result<Seats, String>, pool: Result<i64, String>) -> (Option<Verdict>, String) {
    let readiness = judge(
        &Given {
            session,
            seats,
            pool,
            sharing: Sharing::Single,
            provision: Some(TimeDelta::minutes(30)),
        },
        now(),
    );
    (readiness.verdict, readiness.sentence)
}

fn verdict(in_minutes: i64, seats: Result<Seats, String>, pool: Result<i64, String>) -> Verdict {
    judged(&session(in_minutes), seats, pool).0.unwrap()
}

#[test]
fn the_sentence_says_what_is_there_and_how_much_time_is_left() {
    assert_eq!(
        judged(&session(25), seats(12, 3, 5, 0), Ok(4)),
        (
            Some(Verdict::NotReady),
            "12 of 40 ready, 3 starting, 5 failing, 4 usable in pools; begins in 25 min, 35 min past its deadline.".to_owned()
        )
    );
    assert_eq!(
        judged(&session(25), seats(41, 3, 5, 0), Ok(0)).1,
        "41 of 40 ready; begins in 25 min."
    );
    assert_eq!(
        judged(&session(-10), seats(40, 0, 0, 0), Ok(0)).1,
        "40 of 40 ready; running now, since 10 min."
    );
}

#[test]
fn what_is_not_known_never_makes_a_session_ready() {
    let away = || Err("cnv-01 was not read for 2 h".to_owned());
    assert_eq!(verdict(25, Err("no reading".to_owned()), Ok(90)), Verdict::Unknown);
    assert_eq!(verdict(25, seats(39, 0, 0, 1), Ok(0)), Verdict::Unknown);
    assert_eq!(verdict(25, seats(0, 0, 0, 400), Ok(0)), Verdict::Unknown);
    assert_eq!(verdict(25, seats(39, 0, 0, 0), away()), Verdict::Unknown);
    // What is known may be enough, and enough may be missing for sure.
    assert_eq!(verdict(25, seats(40, 0, 0, 9), away()), Verdict::Ready);
    assert_eq!(verdict(25, seats(10, 0, 0, 9), Ok(0)), Verdict::NotReady);
    let mut nobody_says = session(25);
    nobody_says.attendees = None;
    let (verdict, sentence) = judged(&nobody_says, seats(90, 0, 0, 0), Ok(90));
    assert_eq!(verdict, Some(Verdict::Unknown));
    assert_eq!(
        sentence,
        "90 ready; not known how many attendees come; begins in 25 min, 35 min past its deadline."
    );
    nobody_says.attendees = Some(-3);
    assert_eq!(judged(&nobody_says, seats(90, 0, 0, 0), Ok(0)).0, Some(Verdict::Unknown));
}

#[test]
fn what_is_on_its_way_is_a_risk_and_in_a_running_session_too_late() {
    assert_eq!(verdict(25, seats(30, 10, 0, 0), Ok(0)), Verdict::AtRisk);
    assert_eq!(verdict(25, seats(30, 0, 0, 0), Ok(10)), Verdict::AtRisk);
    assert_eq!(verdict(-5, seats(30, 10, 0, 0), Ok(0)), Verdict::NotReady);
    // Half an hour to provision and half an hour of margin: the deadline is an hour before.
    assert_eq!(verdict(61, seats(0, 0, 0, 0), Ok(0)), Verdict::AtRisk);
    assert_eq!(verdict(60, seats(0, 0, 0, 0), Ok(0)), Verdict::NotReady);
}

#[test]
fn a_session_without_attendees_needs_nothing() {
    let mut empty = session(25);
    empty.attendees = Some(0);
    assert_eq!(judged(&empty, seats(0, 0, 0, 0), Ok(0)).0, Some(Verdict::Ready));
}

#[test]
fn phases() {
    let mut it = session(25);
    assert_eq!(Phase::of(&it, now()), Phase::Upcoming);
    for status in ["canceled", "Cancelled"] {
        it.status = status.into();
        assert_eq!(Phase::of(&it, now()), Phase::Canceled);
        assert_eq!(judged(&it, seats(0, 0, 0, 0), Ok(0)), (None, "it was canceled.".to_owned()));
    }
    let mut over = session(-90);
    assert_eq!(Phase::of(&over, now()), Phase::Over, "the end is not part of it");
    assert_eq!(judged(&over, seats(0, 0, 0, 0), Ok(0)).0, None);
    over.ends_at = None;
    assert_eq!(Phase::of(&over, now()), Phase::Running, "nobody said when it ends");
    assert_eq!(Phase::of(&over, now() + LONGEST), Phase::Over);
    let mut open = session(25);
    (open.starts_at, open.ends_at, open.start_time) = (None, None, None);
    assert_eq!(Phase::of(&open, now()), Phase::NoTime);
    let (verdict, sentence) = judged(&open, seats(3, 0, 0, 0), Ok(0));
    assert_eq!(verdict, Some(Verdict::Unknown));
    assert_eq!(sentence, "3 of 40 ready; no time set on 2026-11-24.");
}

#[test]
fn learners_share_instances() {
    assert_eq!(needed(Some(41), Sharing::Shared(20)), Some(3));
    assert_eq!(needed(Some(40), Sharing::Shared(20)), Some(2));
    assert_eq!(needed(Some(i64::MAX), Sharing::Shared(1)), Some(i64::MAX));
    assert_eq!(needed(Some(41), Sharing::Shared(0)), None, "a definition that makes no sense");
    assert_eq!(needed(Some(41), Sharing::Unknown), None);
    assert_eq!(needed(None, Sharing::Single), None);
}
