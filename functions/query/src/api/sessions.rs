//! Sessions: who comes when, and whether what they need is ready.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use stargate_common::provisioning::event::Session;
use stargate_common::provisioning::session_readiness::{Given, Phase, Readiness, Seats, Sharing, Verdict, judge};
use stargate_common::sources::SourceName;
use utoipa::{IntoParams, ToSchema};

use crate::QueryState;
use crate::answer::{Ask, List, Scope};
use crate::basis::Basis;
use crate::counts::effective;
use crate::fleet::Fleet;
use crate::page::{Key, Page, Sort, short};
use crate::params::{Limit, Needle, Range, words};
use crate::problem::{ApiError, Fault};
use crate::supply::{Supply, pool_seats};

/// What sessions rest on, besides the clusters.
pub(super) const SOURCES: [SourceName; 3] = [SourceName::Labagator, SourceName::Babylon, SourceName::Agnosticv];

words! {
    /// Whether a session finds what it needs.
    SessionVerdict {
        /// As many instances are ready as are needed.
        Ready = "ready",
        /// Not yet, and it may still come right.
        AtRisk = "at_risk",
        /// It will not come right by itself.
        NotReady = "not_ready",
        /// It cannot be told.
        Unknown = "unknown",
    }
}

words! {
    /// Where a session stands in time.
    SessionPhase {
        /// It runs now.
        Running = "running",
        /// It begins later.
        Upcoming = "upcoming",
        /// Nobody said when it begins.
        NoTime = "no_time",
        /// It ended.
        Over = "over",
        /// It does not take place.
        Canceled = "canceled",
    }
}

/// A session. Numbers are null when they are not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionRow {
    /// Its id in the schedule.
    pub id: String,
    /// Its lab.
    #[schema(example = "LB0042")]
    pub lab_code: String,
    /// The lab's title.
    pub title: Option<String>,
    /// Id of its event.
    pub event_id: Option<i64>,
    /// Its room.
    pub room: Option<String>,
    /// Its status, as received.
    pub status: String,
    /// Where it stands in time: `running`, `upcoming`, `no_time`, `over`, `canceled`.
    #[schema(value_type = SessionPhase)]
    pub phase: String,
    /// When it begins; null while no time is set.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends.
    pub ends_at: Option<DateTime<Utc>>,
    /// When it should be ready at the latest: its start less the time that provisioning takes and a margin.
    pub deadline: Option<DateTime<Utc>>,
    /// The zone its times were read in: they come without one.
    #[schema(example = "America/New_York")]
    pub time_zone: String,
    /// Its day, as received.
    pub date: NaiveDate,
    /// Its start, as received.
    pub start_time: Option<NaiveTime>,
    /// Its end, as received.
    pub end_time: Option<NaiveTime>,
    /// Why a time could not be resolved exactly.
    pub time_note: Option<String>,
    /// How many come.
    pub attendees: Option<i64>,
    /// Instances they need: fewer where several share one.
    pub needed: Option<i64>,
    /// Instances of the lab that are ready.
    pub ready: Option<i64>,
    /// Instances of the lab that are on their way.
    pub starting: Option<i64>,
    /// Instances of the lab that fail.
    pub failing: Option<i64>,
    /// Instances of the lab of which it is not known.
    pub unknown: Option<i64>,
    /// Seats in the lab's pools that can be claimed now. They are no ready instances yet.
    pub pool_usable: Option<i64>,
    /// `ready`, `at_risk`, `not_ready`, `unknown`; null when it is over or canceled.
    #[schema(value_type = Option<SessionVerdict>)]
    pub verdict: Option<String>,
    /// Why, in a sentence.
    #[schema(example = "38 of 40 ready, 2 failing; begins in 25 min, 95 min past its deadline.")]
    pub sentence: String,
}

/// What the list of sessions can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the field of that name")]
pub enum SessionField {
    StartsAt,
    LabCode,
    Attendees,
    Verdict,
}

/// Parameters of the list of sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SessionParams {
    /// Only sessions of these events, by id.
    pub event: Vec<String>,
    /// Only sessions of these labs.
    pub lab: Vec<String>,
    /// Only sessions of these statuses, as received.
    pub status: Vec<String>,
    /// Only sessions with these verdicts.
    #[param(inline)]
    pub verdict: Vec<SessionVerdict>,
    /// Only sessions in these phases; without it, those that are not over or canceled, unless `from` is given.
    #[param(inline)]
    pub phase: Vec<SessionPhase>,
    /// Only sessions that run at some time in this span from now on.
    #[param(inline)]
    pub range: Option<Range>,
    /// Only sessions that begin at or after this time.
    pub from: Option<DateTime<Utc>>,
    /// Only sessions that begin before this time.
    pub to: Option<DateTime<Utc>>,
    /// Only sessions whose lab code or title contains this.
    #[param(inline)]
    pub q: Option<Needle>,
    /// Fields, each with `-` for descending: starts_at, lab_code, attendees, verdict.
    #[param(value_type = String, example = "starts_at,-attendees")]
    pub sort: Sort<SessionField>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for SessionParams {
    fn default() -> Self {
        Self {
            event: Vec::new(),
            lab: Vec::new(),
            status: Vec::new(),
            verdict: Vec::new(),
            phase: Vec::new(),
            range: None,
            from: None,
            to: None,
            q: None,
            sort: Sort::ascending(SessionField::StartsAt),
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// Sessions of all labs, next first, each with whether it is ready.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/sessions", operation_id = "listSessions", tag = "provisioning", params(SessionParams),
    responses((status = 200, description = "Sessions", body = List<SessionRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<SessionParams>) -> Result<Response, ApiError> {
    answer(&app, &ask, None).await
}

/// Sessions of one lab, next first.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/labs/{code}/sessions", operation_id = "listLabSessions", tag = "labs",
    params(("code" = String, Path, description = "Code of the lab"), SessionParams),
    responses((status = 200, description = "Sessions of the lab", body = List<SessionRow>)))]
pub async fn of_lab(State(app): State<QueryState>, Path(code): Path<String>, ask: Ask<SessionParams>) -> Result<Response, ApiError> {
    answer(&app, &ask, Some(&code)).await
}

async fn answer(app: &QueryState, ask: &Ask<SessionParams>, lab: Option<&str>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let events = params
        .event
        .iter()
        .map(|id| {
            id.parse::<i64>()
                .map_err(|_| ApiError::invalid("event", format!("{id:?} is not the id of an event")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if params.range.is_some() && (params.from.is_some() || params.to.is_some()) {
        return Err(ApiError::Parameter(Fault {
            parameter: "range".to_owned(),
            code: "conflict",
            detail: "give either range or from and to, not both".to_owned(),
            allowed: Vec::new(),
        }));
    }
    let wanted = ask.page(params.limit, params.cursor.as_deref())?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    ask.list(&basis, Scope::Systems(None, &SOURCES), async || {
        let supply = app.supply.get(&mut db, &basis).await?;
        let fleet = app.fleet.get(&mut db, &basis).await?;
        if let Some(code) = lab
            && !supply.labs.contains_key(code)
            && !fleet.instances.iter().any(|count| count.lab == code)
            && !supply.sessions.iter().any(|session| session.lab_code == code)
        {
            return Err(ApiError::NotFound {
                what: "lab",
                name: code.to_owned(),
            });
        }
        let judged = judged(&supply, &fleet, &basis);
        let rows = judged.iter().filter(|one| {
            let session = one.session;
            lab.is_none_or(|lab| session.lab_code == lab)
                && (params.lab.is_empty() || params.lab.contains(&session.lab_code))
                && (events.is_empty() || session.event_id.is_some_and(|id| events.contains(&id)))
                && (params.status.is_empty() || params.status.contains(&session.status))
                && is_in_time(params, one, ask.now)
        });
        let mut rows: Vec<SessionRow> = rows.map(|one| row(one, &supply)).collect();
        rows.retain(|row| {
            let verdict = row.verdict.as_deref();
            (params.verdict.is_empty() || params.verdict.iter().any(|wanted| Some(wanted.as_str()) == verdict))
                && params.q.as_ref().is_none_or(|q| {
                    let title = row.title.as_deref().unwrap_or_default();
                    [row.lab_code.as_str(), title]
                        .iter()
                        .any(|text| text.to_lowercase().contains(q.as_str()))
                })
        });
        let page: (Vec<SessionRow>, Page) = short(rows, &params.sort, &wanted, key, |row| row.id.clone());
        Ok(page)
    })
    .await
}

fn is_in_time(params: &SessionParams, one: &Judged<'_>, now: DateTime<Utc>) -> bool {
    let phase = one.readiness.phase;
    let start = one.session.starts_at;
    let in_phase = if params.phase.is_empty() {
        phase.is_ahead() || params.from.is_some()
    } else {
        params.phase.iter().any(|wanted| wanted.as_str() == phase.as_str())
    };
    let in_range = params
        .range
        .is_none_or(|range| phase == Phase::Running || start.is_some_and(|start| (now..now + range.length()).contains(&start)));
    in_phase
        && in_range
        && params.from.is_none_or(|from| start.is_some_and(|start| start >= from))
        && params.to.is_none_or(|to| start.is_some_and(|start| start < to))
}

fn key(row: &SessionRow, field: SessionField) -> Key {
    match field {
        SessionField::StartsAt => Key::time(row.starts_at),
        SessionField::LabCode => Key::text(Some(&row.lab_code)),
        SessionField::Attendees => Key::number(row.attendees),
        SessionField::Verdict => Key::text(row.verdict.as_ref()),
    }
}

/// A session with what it comes to.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub session: &'a Session,
    pub seats: Result<Seats, String>,
    pub pool: Result<i64, String>,
    pub readiness: Readiness,
}

/// Judges every session, by start.
pub(super) fn judged<'a>(supply: &'a Supply, fleet: &Fleet, basis: &Basis) -> Vec<Judged<'a>> {
    let seats = seats_by_lab(fleet, basis);
    let schedule = basis.collectors.known(SourceName::Labagator, basis.now);
    let babylon = basis.collectors.known(SourceName::Babylon, basis.now);
    let joins = joins(basis);
    let judge_one = |session: &'a Session| {
        let offer = supply.offers.get(&session.lab_code);
        let of_lab = || seats.get(session.lab_code.as_str()).copied().unwrap_or_default();
        let seats = joins.clone().map(|()| of_lab());
        let pool = babylon.clone().and_then(|()| pool_seats(supply, offer));
        let given = Given {
            session,
            seats: seats.clone(),
            pool: pool.clone(),
            sharing: offer.map_or(Sharing::Single, |offer| offer.sharing()),
            provision: offer.and_then(|offer| offer.provision()),
        };
        let mut readiness = judge(&given, basis.now);
        if let (Err(why), Some(_)) = (&schedule, readiness.verdict) {
            readiness.verdict = Some(Verdict::Unknown);
            readiness.sentence = format!("the schedule is not known: {why}; it said: {}", readiness.sentence);
        }
        Judged {
            session,
            seats,
            pool,
            readiness,
        }
    };
    supply.sessions.iter().map(judge_one).collect()
}

/// Whether instances are joined to labs at all. A join that was made once stays true, so an old reading is as good as a new one here.
fn joins(basis: &Basis) -> Result<(), String> {
    if basis.clusters.is_empty() {
        return Err("no cluster was ever read".to_owned());
    }
    let babylon = basis.collectors.headings(&[SourceName::Babylon], basis.now);
    if babylon
        .iter()
        .any(|source| source.observed_at.is_some() && source.state != crate::sources::SourceState::Disabled)
    {
        return Ok(());
    }
    basis.collectors.known(SourceName::Babylon, basis.now)
}

fn seats_by_lab<'a>(fleet: &'a Fleet, basis: &Basis) -> BTreeMap<&'a str, Seats> {
    let mut labs: BTreeMap<&str, Seats> = BTreeMap::new();
    for count in &fleet.instances {
        let seats = labs.entry(count.lab.as_str()).or_default();
        let n = i64::from(count.instances);
        match effective(&count.state, basis.is_blind(count.cluster_id)) {
            "ready" | "warning" => seats.ready += n,
            "provisioning" => seats.starting += n,
            "failing" => seats.failing += n,
            "stopped" | "terminating" | "gone" => {}
            _ => seats.unknown += n,
        }
    }
    labs
}

pub(super) fn row(one: &Judged<'_>, supply: &Supply) -> SessionRow {
    let Judged {
        session,
        seats,
        pool,
        readiness,
    } = one;
    let seats = seats.as_ref().ok();
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    SessionRow {
        id: session.id.clone(),
        lab_code: session.lab_code.clone(),
        title: supply.labs.get(&session.lab_code).and_then(|lab| text(&lab.title)),
        event_id: session.event_id,
        room: text(&session.room),
        status: session.status.clone(),
        phase: readiness.phase.as_str().to_owned(),
        starts_at: session.starts_at,
        ends_at: session.ends_at,
        deadline: readiness.deadline,
        time_zone: session.time_zone.clone(),
        date: session.date,
        start_time: session.start_time,
        end_time: session.end_time,
        time_note: text(&session.time_note),
        attendees: session.attendees,
        needed: readiness.needed,
        ready: seats.map(|seats| seats.ready),
        starting: seats.map(|seats| seats.starting),
        failing: seats.map(|seats| seats.failing),
        unknown: seats.map(|seats| seats.unknown),
        pool_usable: pool.as_ref().ok().copied(),
        verdict: readiness.verdict.map(|verdict| verdict.as_str().to_owned()),
        sentence: readiness.sentence.clone(),
    }
}

/// How far ahead the first view names sessions, and how many.
const NEXT: (TimeDelta, usize) = (TimeDelta::hours(4), 8);

/// The sessions that run, and those that begin in the next hours, by start.
pub(super) fn next(judged: &[Judged<'_>], supply: &Supply, now: DateTime<Utc>) -> Vec<SessionRow> {
    let (ahead, most) = NEXT;
    let wanted = |one: &&Judged<'_>| match one.readiness.phase {
        Phase::Running => true,
        Phase::Upcoming => one.session.starts_at.is_some_and(|at| at - now <= ahead),
        Phase::NoTime | Phase::Over | Phase::Canceled => false,
    };
    judged.iter().filter(wanted).take(most).map(|one| row(one, supply)).collect()
}

/// Sessions that run now or begin soon, counted. Null when the schedule is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct SessionCounts {
    /// Up to how many hours from now they begin.
    pub window_h: i64,
    /// All of them.
    pub total: Option<i64>,
    /// As many instances are ready as are needed.
    pub ready: Option<i64>,
    /// Not yet, and it may still come right.
    pub at_risk: Option<i64>,
    /// It will not come right by itself.
    pub not_ready: Option<i64>,
    /// It cannot be told.
    pub unknown: Option<i64>,
    /// Why the numbers are not known.
    pub unknown_reason: Option<String>,
}

/// How far ahead the overview looks, in hours: today and tomorrow morning.
const AHEAD_H: i64 = 24;

pub(super) fn counts(judged: &[Judged<'_>], basis: &Basis) -> SessionCounts {
    let counts = SessionCounts {
        window_h: AHEAD_H,
        ..SessionCounts::default()
    };
    if let Err(why) = basis.collectors.known(SourceName::Labagator, basis.now) {
        return SessionCounts {
            unknown_reason: Some(why),
            ..counts
        };
    }
    let soon = |one: &&Judged<'_>| match one.readiness.phase {
        Phase::Running => true,
        Phase::Upcoming => one.session.starts_at.is_some_and(|at| at - basis.now <= TimeDelta::hours(AHEAD_H)),
        Phase::NoTime | Phase::Over | Phase::Canceled => false,
    };
    let soon: Vec<Option<Verdict>> = judged.iter().filter(soon).map(|one| one.readiness.verdict).collect();
    let count = |verdict| i64::try_from(soon.iter().filter(|it| **it == Some(verdict)).count()).ok();
    SessionCounts {
        total: i64::try_from(soon.len()).ok(),
        ready: count(Verdict::Ready),
        at_risk: count(Verdict::AtRisk),
        not_ready: count(Verdict::NotReady),
        unknown: count(Verdict::Unknown),
        ..counts
    }
}
