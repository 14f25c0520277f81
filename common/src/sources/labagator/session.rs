//! One session: a date and times without a zone, and the moments they mean.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::objects::Problem;
use crate::provisioning::event::Session;
use crate::sources::http::Fields;
use crate::sources::redact;

/// No zone ever skipped more than a day.
const LONGEST_GAP: TimeDelta = TimeDelta::hours(25);

/// A time of day as it was received.
enum Time {
    /// It is open.
    Open,
    /// Of the event's clock.
    Local(NaiveTime),
    /// It came with a date and an offset of its own.
    Exact(DateTime<chrono::FixedOffset>),
    /// Something else.
    Odd,
}

/// Reads one session.
pub(super) fn session(fields: &Fields<'_>, zone: Tz, problems: &mut Vec<Problem>) -> Result<Session, String> {
    let lab_code = fields.text("lab_code").ok_or("it has no lab_code")?;
    let date = fields.text("session_date").ok_or("it has no session_date")?;
    let date = date
        .get(..10)
        .and_then(|day| day.parse::<NaiveDate>().ok())
        .ok_or_else(|| format!("its session_date {:?} is no date such as 2031-03-04", redact::text(&date, 40)))?;
    let (start, end) = (time(fields, "start_time"), time(fields, "end_time"));
    let room = fields.text("room").map(|room| redact::text(&room, 100)).unwrap_or_default();
    let id = fields.text("id").map_or_else(
        || {
            let start = fields.text("start_time").unwrap_or_default();
            redact::shorten(&format!("{lab_code}/{date}/{start}/{room}"), 300)
        },
        |id| redact::shorten(&id, 100),
    );
    let mut notes = Vec::new();
    for (name, time) in [("start_time", &start), ("end_time", &end)] {
        if matches!(time, Time::Odd) {
            notes.push(format!("{name} is not understood"));
            problems.push(Problem {
                subject: format!("labagator/room-sessions/{}", redact::text(&id, 60)),
                detail: format!("its {name} is no time such as 09:00:00: it is taken as open"),
            });
        }
    }
    let starts_at = moment(&start, date, zone, "starts", &mut notes);
    let mut ends_on = date;
    if let (Time::Local(from), Time::Local(to)) = (&start, &end)
        && to < from
    {
        ends_on = date + Days::new(1);
        notes.push(format!("ends at {} of the day after", to.format("%H:%M")));
    }
    let ends_at = moment(&end, ends_on, zone, "ends", &mut notes);
    Ok(Session {
        id,
        lab_code: redact::shorten(&lab_code, 100),
        date,
        start_time: start.clock(),
        end_time: end.clock(),
        time_zone: zone.name().to_owned(),
        starts_at,
        ends_at,
        time_note: notes.join("; "),
        room,
        attendees: fields.count("attendees"),
        status: fields.text("status").map(|status| redact::text(&status, 60)).unwrap_or_default(),
        event_id: fields.number("event_id"),
    })
}

impl Time {
    fn clock(&self) -> Option<NaiveTime> {
        match self {
            Self::Local(time) => Some(*time),
            Self::Exact(time) => Some(time.time()),
            Self::Open | Self::Odd => None,
        }
    }
}

fn time(fields: &Fields<'_>, name: &str) -> Time {
    let Some(text) = fields.text(name) else { return Time::Open };
    if let Ok(exact) = DateTime::parse_from_rfc3339(&text) {
        return Time::Exact(exact);
    }
    let read = ["%H:%M:%S%.f", "%H:%M"]
        .iter()
        .find_map(|form| NaiveTime::parse_from_str(&text, form).ok());
    read.map_or(Time::Odd, Time::Local)
}

fn moment(time: &Time, date: NaiveDate, zone: Tz, what: &str, notes: &mut Vec<String>) -> Option<DateTime<Utc>> {
    match time {
        Time::Open | Time::Odd => None,
        Time::Exact(exact) => Some(exact.to_utc()),
        Time::Local(time) => resolve(date.and_time(*time), zone, what, notes),
    }
}

/// The moment a local time means. Of a time that comes twice, the first: whoever is early loses nothing. Of one that is skipped, the next that
/// there is, as clocks show it.
fn resolve(local: NaiveDateTime, zone: Tz, what: &str, notes: &mut Vec<String>) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => Some(at.to_utc()),
        LocalResult::Ambiguous(first, _) => {
            notes.push(format!(
                "{what} at {}, which comes twice that day in {}: the first is taken",
                local.format("%H:%M"),
                zone.name()
            ));
            Some(first.to_utc())
        }
        LocalResult::None => {
            let mut later = local;
            while later - local < LONGEST_GAP {
                later += TimeDelta::minutes(15);
                if let Some(at) = zone.from_local_datetime(&later).earliest() {
                    // 02:30 in a gap of an hour from 02:00 means 03:30: as long after midnight as the session was planned.
                    let before = zone.from_local_datetime(&(local - TimeDelta::hours(3))).earliest();
                    let meant = before.map_or(at, |before| before + TimeDelta::hours(3));
                    notes.push(format!(
                        "{what} at {}, which is skipped that day in {}: {} is taken",
                        local.format("%H:%M"),
                        zone.name(),
                        meant.format("%H:%M")
                    ));
                    return Some(meant.to_utc());
                }
            }
            None
        }
    }
}
