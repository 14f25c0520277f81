//! Labagator: labs, their sessions, events. Times come without a zone; a `limit` truncates and says nothing. Source: rhdp-contracts 6.1.

use chrono::FixedOffset;
use serde_json::{Value, json};

use super::{Ask, Reply};
use crate::{
    seed::Seed,
    story::{
        Story, person,
        program::{EVENT_ID, ITEMS, Item, Seats, TIME_ZONE_HOURS},
        schedule::Room,
    },
};

/// Rows it sends when nobody says how many.
const LIMIT: usize = 100;

pub(super) fn answer(story: &Story, ask: &Ask) -> Reply {
    let parts = ask.parts();
    let wanted = ask.first("event_id").and_then(|id| id.parse::<i64>().ok());
    if wanted.is_none() && ask.first("event_id").is_some() {
        return Reply::json(
            422,
            json!({"detail": [{"loc": ["query", "event_id"], "msg": "value is not a valid integer", "type": "type_error.integer"}]}),
        );
    }
    let ours = wanted.is_none_or(|id| id == EVENT_ID);
    let limit = ask.number("limit", LIMIT);
    let cut = |rows: Vec<Value>| -> Vec<Value> {
        rows.into_iter()
            .filter(|_| ours)
            .skip(ask.number("offset", 0))
            .take(limit)
            .collect()
    };
    match parts.as_slice() {
        ["api", "v1", "labs" | "room-sessions" | "events"] if !ask.path.ends_with('/') => Reply {
            location: Some(format!("{}/", ask.path)),
            ..Reply::json(307, Value::Null)
        },
        ["api", "v1", "labs"] => Reply::ok(cut(labs()).into()),
        ["api", "v1", "room-sessions"] => {
            let rooms = story.rooms();
            Reply::ok(json!({"results": cut(rooms.iter().map(session).collect())}))
        }
        ["api", "v1", "events"] => Reply::ok(
            json!([{"id": EVENT_ID, "name": "TechFest 2026", "slug": "techfest-2026", "timezone": null}, {"id": 5, "name": "TechFest 2025", "slug": "techfest-2025"}]),
        ),
        ["api", "v1", "ops", "dashboard", id] if id.parse() == Ok(EVENT_ID) => {
            Reply::ok(json!({"event_id": EVENT_ID, "sessions": story.rooms().len()}))
        }
        _ => Reply::json(404, json!({"detail": "Not Found"})),
    }
}

fn labs() -> Vec<Value> {
    let coded = ITEMS.iter().filter_map(|item| Some((item, item.code?)));
    let mut rows: Vec<Value> = coded.map(|(item, code)| lab(code, item, item.title)).collect();
    // Two labs on one item; one whose item nobody has named.
    if let Some(item) = ITEMS.iter().find(|item| item.code == Some("LB1403")) {
        rows.push(lab("LB1407", item, "Zero touch operations, the short version"));
    }
    let mut open = rows.first().cloned().unwrap_or_default();
    for (field, value) in [
        ("lab_code", json!("LB1999")),
        ("title", json!("To be announced")),
        ("status", json!("planning")),
        ("ci_name", Value::Null),
        ("deploy_mode", Value::Null),
    ] {
        open[field] = value;
    }
    rows.push(open);
    for (id, row) in rows.iter_mut().enumerate() {
        row["id"] = json!(300 + id);
    }
    rows
}

fn lab(code: &str, item: &Item, title: &str) -> Value {
    let mut seed = Seed::new(20).for_name(code);
    let (lead, rhdp, ops) = (person(&mut seed), person(&mut seed), person(&mut seed));
    // The form that is asked for is `account.item`; some write what they know.
    let ci_name = if code == "LB1206" {
        code.to_owned()
    } else {
        format!("{}.{}", item.account, item.short)
    };
    let cloud = match item.cloud {
        "openshift_cnv" => "CNV",
        "ec2" => "AWS",
        _ => "Tenant Namespace",
    };
    json!({"lab_code": code, "title": title, "status": "in_development", "cloud": cloud,
        "deploy_mode": if matches!(item.seats, Seats::Shared(_)) { "shared" } else { "per_attendee" }, "ci_name": ci_name, "env_type": item.base, "components": item.linked,
        "lead_developer": {"name": lead.0, "email": lead.1}, "rhdp_developer": rhdp.1, "ops_assigned": ops.0, "event_id": EVENT_ID})
}

fn session(room: &Room) -> Value {
    let zone = FixedOffset::east_opt(TIME_ZONE_HOURS * 3600);
    let local = |at: chrono::DateTime<chrono::Utc>| zone.map_or_else(|| at.naive_utc(), |zone| at.with_timezone(&zone).naive_local());
    let (starts, ends) = (local(room.starts), local(room.starts + chrono::TimeDelta::minutes(room.minutes)));
    // Labagator has one day a session: what would end after midnight is written down as ending at midnight.
    let ends = if ends.date() == starts.date() {
        ends.format("%H:%M:%S").to_string()
    } else {
        "23:59:00".to_owned()
    };
    let open = |time: String| if room.open { Value::Null } else { json!(time) };
    let ops = person(&mut Seed::new(21).for_index(room.id.unsigned_abs()));
    json!({"id": room.id, "lab_code": room.code, "session_date": starts.format("%Y-%m-%d").to_string(), "start_time": open(starts.format("%H:%M:%S").to_string()),
        "end_time": open(ends), "room": room.room, "attendees": room.attendees, "status": room.status, "ops_deploy_person": ops.0, "notes": format!("ask {}", ops.1), "event_id": EVENT_ID})
}
