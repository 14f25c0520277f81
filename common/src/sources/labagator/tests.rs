//! Labs and sessions as Labagator may answer them.

use serde_json::{Value, json};

use super::*;
use crate::sources::http::fake::{Fake, Reply, run};
use crate::unknown::UnknownReason;

fn settings(fake: &Fake, zone: &str) -> LabagatorSettings {
    LabagatorSettings {
        url: Some(fake.url.clone()),
        token: None,
        token_file: None,
        ca: None,
        event: None,
        time_zone: zone.parse().unwrap(),
    }
}

/// Labs and sessions of two answers, in the zone.
async fn collected(labs: Reply, sessions: Reply, zone: &str) -> Collected {
    let fake = Fake::start([labs, sessions]).await;
    collect(&settings(&fake, zone), &run()).await.remove(0)
}

async fn sessions(zone: &str, rows: Value) -> Vec<String> {
    let all = collected(Reply::json(&json!([])), Reply::json(&rows), zone).await;
    let reading = all.readings.sessions.unwrap();
    let known = reading.items.iter().map(|session| {
        let moment =
            |at: Option<chrono::DateTime<chrono::Utc>>| at.map_or_else(|| "open".to_owned(), |at| at.format("%m-%dT%H:%M").to_string());
        format!(
            "{}: {}..{} {:?} {}",
            session.id,
            moment(session.starts_at),
            moment(session.ends_at),
            session.attendees,
            session.time_note
        )
        .trim_end()
        .to_owned()
    });
    let refused = reading
        .refused
        .iter()
        .map(|problem| format!("{}: {}", problem.subject, problem.detail));
    known.chain(refused).collect()
}

#[tokio::test]
async fn labs_and_sessions_are_read_without_people() {
    let all = collected(
        Reply::json(&json!([{
            "lab_code": "LB0042", "title": "Virtual machines, asked by ada@example.com", "status": "in_development", "cloud": "CNV", "deploy_mode": null,
            "ci_name": "summit-2031.lb0042-virt", "event_id": 7, "lead_developer": "Ada Lovelace", "components": ["x"]
        }])),
        Reply::json(&json!({"sessions": [{
            "id": 3, "lab_code": "LB0042", "session_date": "2031-03-04", "start_time": "09:00:00", "end_time": "11:00:00", "room": "Hall 4",
            "attendees": "40", "status": "planned", "event_id": 7, "ops_deploy_person": "Ada Lovelace"
        }]})),
        "Europe/Berlin",
    )
    .await;
    assert_eq!((all.source.as_str(), all.requests, all.problems.len()), ("labagator", 2, 0));
    let kept = serde_json::to_string(&(&all.readings.labs.unwrap().items, &all.readings.sessions.unwrap().items)).unwrap();
    insta::assert_snapshot!(kept, @r#"[[{"code":"LB0042","title":"Virtual machines, asked by [mail]","status":"in_development","cloud":"CNV","deploy_mode":"","ci_name":"summit-2031.lb0042-virt","event_id":7}],[{"id":"3","lab_code":"LB0042","date":"2031-03-04","start_time":"09:00:00","end_time":"11:00:00","time_zone":"Europe/Berlin","starts_at":"2031-03-04T08:00:00Z","ends_at":"2031-03-04T10:00:00Z","time_note":"","room":"Hall 4","attendees":40,"status":"planned","event_id":7}]]"#);
}

#[tokio::test]
async fn times_are_kept_and_resolved_in_the_zone_of_the_event() {
    let row = |id: i64, date: &str, start: Value, end: Value| json!({"id": id, "lab_code": "LB1", "session_date": date, "start_time": start, "end_time": end});
    let rows = json!([
        row(1, "2031-03-04", json!("09:00:00"), json!("11:00")),
        row(2, "2031-07-04T00:00:00", json!("09:00:00"), Value::Null),
        row(3, "2031-03-30", json!("02:30:00"), json!("04:00:00")),
        row(4, "2031-10-26", json!("02:30:00"), json!("04:00:00")),
        row(5, "2031-03-04", json!("22:00:00"), json!("01:00:00")),
        row(6, "2031-03-04", json!("2031-03-04T09:00:00-05:00"), Value::Null),
        row(7, "2031-03-04", json!("nine"), json!("")),
        row(8, "2031-03-04", Value::Null, Value::Null),
    ]);
    insta::assert_snapshot!(sessions("Europe/Berlin", rows).await.join("\n"), @"
    1: 03-04T08:00..03-04T10:00 None
    2: 07-04T07:00..open None
    3: 03-30T01:30..03-30T02:00 None starts at 02:30, which is skipped that day in Europe/Berlin: 03:30 is taken
    4: 10-26T00:30..10-26T03:00 None starts at 02:30, which comes twice that day in Europe/Berlin: the first is taken
    5: 03-04T21:00..03-05T00:00 None ends at 01:00 of the day after
    6: 03-04T14:00..open None
    7: open..open None start_time is not understood
    8: open..open None
    ");
}

#[tokio::test]
async fn without_a_zone_times_are_utc_and_say_so() {
    let row = json!([{"id": 1, "lab_code": "LB1", "session_date": "2031-03-04", "start_time": "09:00:00"}]);
    assert_eq!(sessions("UTC", row).await, ["1: 03-04T09:00..open None"]);
    assert_eq!(
        zone("Berlin").unwrap_err(),
        "not a time zone of the IANA database, such as Europe/Berlin or America/New_York"
    );
}

#[tokio::test]
async fn an_odd_row_costs_only_itself() {
    let rows = json!([
        {"id": 1, "lab_code": "LB1", "session_date": "2031-03-04", "attendees": -4},
        {"id": 2, "session_date": "2031-03-04"},
        {"id": 3, "lab_code": "LB1", "session_date": "soon"},
        "what",
        {"id": 1, "lab_code": "LB2", "session_date": "2031-03-05"},
        {"lab_code": "LB1", "session_date": "2031-03-04", "start_time": "10:00:00", "room": "Hall 1"},
    ]);
    insta::assert_snapshot!(sessions("UTC", rows).await.join("\n"), @r#"
    1: open..open None
    LB1/2031-03-04/10:00:00/Hall 1: 03-04T10:00..open None
    labagator/room-sessions/2: it has no lab_code
    labagator/room-sessions/3: its session_date "soon" is no date such as 2031-03-04
    labagator/room-sessions/#4: it is no object
    "#);
}

fn labs(from: usize, to: usize) -> Value {
    (from..to).map(|n| json!({"lab_code": format!("LB{n:04}")})).collect()
}

#[tokio::test]
async fn a_list_as_long_as_its_limit_is_asked_on() {
    let fake = Fake::start([Reply::json(&labs(0, 200)), Reply::json(&labs(200, 230)), Reply::json(&json!([]))]).await;
    let all = collect(&settings(&fake, "UTC"), &run()).await.remove(0);
    assert_eq!(all.readings.labs.unwrap().items.len(), 230);
    assert_eq!(
        fake.asked(),
        [
            "GET /api/v1/labs/?limit=200",
            "GET /api/v1/labs/?limit=200&offset=200&skip=200",
            "GET /api/v1/room-sessions/?limit=500"
        ]
    );
}

#[tokio::test]
async fn a_page_that_repeats_is_asked_with_a_larger_limit() {
    let fake = Fake::start([
        Reply::json(&labs(0, 200)),
        Reply::json(&labs(0, 200)),
        Reply::json(&labs(0, 260)),
        Reply::json(&json!([])),
    ])
    .await;
    let all = collect(&settings(&fake, "UTC"), &run()).await.remove(0);
    assert_eq!(all.readings.labs.unwrap().items.len(), 260);
}

#[tokio::test]
async fn a_list_that_shows_no_end_is_truncated() {
    let same = || Reply::json(&labs(0, 200));
    let all = collected(same(), same(), "UTC").await;
    assert!(all.readings.labs.unwrap().missing.is_some(), "the fake has no third answer");
    let fake = Fake::start([same(), same(), same(), Reply::json(&json!([]))]).await;
    let all = collect(&settings(&fake, "UTC"), &run()).await.remove(0);
    let labs = all.readings.labs.unwrap();
    let missing = labs.missing.unwrap();
    assert_eq!((missing.reason, labs.items.len()), (UnknownReason::Truncated, 0));
    assert_eq!(
        missing.detail,
        "GET /labs/ answered 200 for limit=200, as many for limit=10000, and the same from offset=200: it may have more than it tells"
    );
    assert!(
        all.readings.sessions.unwrap().missing.is_none(),
        "one list says nothing about the other"
    );
}

#[tokio::test]
async fn a_count_that_is_not_reached_is_truncated() {
    let reply = Reply::json(&json!({"results": [{"lab_code": "LB1"}], "count": 3, "next": null}));
    let all = collected(reply, Reply::json(&json!([])), "UTC").await;
    assert_eq!(
        all.readings.labs.unwrap().missing.unwrap().detail,
        "GET /labs/ says that there are 3 and answered 1: the rest is missing"
    );
}

#[tokio::test]
async fn an_event_leaves_out_what_belongs_to_another_and_nothing_that_may_be_its_own() {
    let fake = Fake::start([
        Reply::json(&json!([
            {"lab_code": "LB1", "ci_name": "summit-2031.lb1", "event_id": 7},
            {"lab_code": "LB2", "ci_name": "partner.lb2", "event_id": 7},
            {"lab_code": "LB3", "ci_name": "LB3"},
            {"lab_code": "LB4", "ci_name": "summit-2031.lb4", "event_id": 8},
        ])),
        Reply::json(&json!([
            {"id": 1, "lab_code": "LB1", "session_date": "2031-03-04"},
            {"id": 2, "lab_code": "LB2", "session_date": "2031-03-04"},
            {"id": 4, "lab_code": "LB4", "session_date": "2031-03-04", "event_id": 8},
        ])),
    ])
    .await;
    let settings = LabagatorSettings {
        event: Some(7),
        ..settings(&fake, "UTC")
    };
    let run = Run {
        event_prefix: "summit-2031".to_owned(),
        ..run()
    };
    let all = collect(&settings, &run).await.remove(0);
    let codes: Vec<String> = all.readings.labs.unwrap().items.iter().map(Lab::key).collect();
    let ids: Vec<String> = all.readings.sessions.unwrap().items.iter().map(Session::key).collect();
    assert_eq!((codes, ids), (vec!["LB1".to_owned(), "LB3".to_owned()], vec!["1".to_owned()]));
    assert_eq!(fake.asked()[0], "GET /api/v1/labs/?event_id=7&limit=200");
}

#[tokio::test]
async fn without_an_address_there_is_nothing_to_collect() {
    let fake = Fake::start([]).await;
    let settings = LabagatorSettings {
        url: None,
        ..settings(&fake, "UTC")
    };
    assert!(collect(&settings, &run()).await.is_empty());
}
