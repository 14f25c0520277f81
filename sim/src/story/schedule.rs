//! Who is coming: sessions of the event, as many attendees as make some of them ready, some at risk and one clearly short.

use chrono::{DateTime, TimeDelta, Timelike, Utc};

use super::{plot::Plot, program::ITEMS};

/// A session of a lab in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its id in Labagator.
    pub id: i64,
    /// Its lab.
    pub code: String,
    /// When it begins.
    pub starts: DateTime<Utc>,
    /// How long it lasts.
    pub minutes: i64,
    /// Where.
    pub room: String,
    /// How many are expected.
    pub attendees: i64,
    /// `planned` or `canceled`.
    pub status: &'static str,
    /// Its time is not decided: Labagator says the day only.
    pub open: bool,
}

/// When sessions of a lab begin, in minutes from now: rows are dealt to the labs in turn.
const BEGINNINGS: [&[i64]; 6] = [
    &[-35, 290, 1410],
    &[40, 420],
    &[85, 1500],
    &[110, 350],
    &[200, 1380, 1620],
    &[250, 1560],
];
/// The lab that is clearly short: far more people than instances, soon.
const SHORT: &str = "LB1303";
/// Labs that a little is missing for, so that it depends on what is still on its way.
const AT_RISK: [&str; 4] = ["LB1102", "LB1205", "LB1304", "LB1501"];
/// Rooms.
const ROOMS: [&str; 8] = [
    "Saguaro 1",
    "Saguaro 2",
    "Ocotillo A",
    "Ocotillo B",
    "Mesquite",
    "Palo Verde",
    "Agave 101",
    "Agave 102",
];

impl Plot {
    /// Plans the sessions around `now`.
    pub(crate) fn plan_sessions(&mut self, now: DateTime<Utc>) {
        let quarter = now
            .with_minute(now.minute() / 15 * 15)
            .and_then(|at| at.with_second(0))
            .and_then(|at| at.with_nanosecond(0))
            .unwrap_or(now);
        let coded = ITEMS.iter().enumerate().filter_map(|(item, one)| Some((item, one.code?)));
        for (index, (item, code)) in coded.enumerate() {
            let beginnings = BEGINNINGS.get(index % BEGINNINGS.len()).copied().unwrap_or_default();
            let (instances, seats) = (i64::try_from(self.usable(item)).unwrap_or(0), Self::seats(item));
            for (number, minutes) in beginnings.iter().enumerate() {
                let attendees = match code {
                    SHORT => instances * 2 + 14,
                    "LB1701" => 24,
                    code if AT_RISK.contains(&code) => instances + 2,
                    // A tenth of all labs is broken or stopped at any time; these sessions bear it.
                    _ => (instances * seats * 7 / 10 - i64::try_from(number).unwrap_or(0)).max(1),
                };
                let minutes = if code == SHORT && number == 0 { 75 } else { *minutes };
                self.rooms.push(Room {
                    id: 4100 + i64::try_from(self.rooms.len()).unwrap_or(0),
                    code: code.to_owned(),
                    // What begins soon keeps its distance; what is later begins on the quarter of an hour.
                    starts: quarter + TimeDelta::minutes(minutes.div_euclid(15) * 15 + if minutes > 0 { 15 } else { 0 }),
                    minutes: if index % 3 == 0 { 120 } else { 90 },
                    room: ROOMS.get((index + number) % ROOMS.len()).copied().unwrap_or_default().to_owned(),
                    attendees,
                    status: if code == "LB1206" && number == 1 { "canceled" } else { "planned" },
                    open: code == "LB1601" && number == 1,
                });
            }
        }
        // A second lab on the same item, later than the first.
        if let Some(twin) = self.rooms.iter().find(|room| room.code == "LB1403").cloned() {
            self.rooms.push(Room {
                id: 4199,
                code: "LB1407".to_owned(),
                starts: twin.starts + TimeDelta::hours(5),
                attendees: (twin.attendees / 2).max(1),
                ..twin
            });
        }
        // Planned, but nobody has said what it is made of.
        self.rooms.push(Room {
            id: 4198,
            code: "LB1999".to_owned(),
            starts: quarter + TimeDelta::hours(26),
            minutes: 90,
            room: "Mesquite".to_owned(),
            attendees: 30,
            status: "planned",
            open: false,
        });
    }

    /// Moves sessions that are long over to the same time tomorrow, so that there is always something to come.
    pub(crate) fn roll_sessions(&mut self, now: DateTime<Utc>) {
        let mut newest = self.rooms.iter().map(|room| room.id).max().unwrap_or(0);
        for room in &mut self.rooms {
            if room.starts + TimeDelta::minutes(room.minutes) + TimeDelta::hours(3) < now {
                newest += 1;
                room.id = newest;
                room.starts += TimeDelta::hours(24);
            }
        }
    }
}
