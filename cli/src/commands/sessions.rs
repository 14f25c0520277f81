//! `stargate sessions`.

use std::process::ExitCode;

use serde_json::Value;

use crate::api::Server;
use crate::output::{self, Column, Format, at, column, sources, until, wide};

/// Sessions that run or come, and whether what they need is ready.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  stargate sessions
  stargate sessions --next 24h --verdict not_ready --verdict at_risk
  stargate sessions --lab LB0042 -o wide")]
pub struct Args {
    /// Only sessions of this lab; may be repeated
    #[arg(long)]
    lab: Vec<String>,
    /// Only sessions of the event of this id; may be repeated
    #[arg(long)]
    event: Vec<String>,
    /// Only sessions with this verdict; may be repeated
    #[arg(long, value_parser = ["ready", "at_risk", "not_ready", "unknown"])]
    verdict: Vec<String>,
    /// Only sessions in this phase; may be repeated. Without it, those that are not over or canceled
    #[arg(long, value_parser = ["running", "upcoming", "no_time", "over", "canceled"])]
    phase: Vec<String>,
    /// Only sessions that run at some time in this span from now on
    #[arg(long, value_parser = ["15m", "1h", "6h", "24h", "7d", "30d"])]
    next: Option<String>,
    /// At most this many
    #[arg(long)]
    limit: Option<usize>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(flatten)]
    server: Server,
}

pub(super) const COLUMNS: &[Column] = &[
    column("LAB", |row| at(row, "/lab_code")),
    column("STARTS", starts),
    column("READY", ready),
    column("VERDICT", |row| at(row, "/verdict")),
    column("WHY", |row| at(row, "/sentence")),
    wide("TITLE", |row| at(row, "/title")),
    wide("ROOM", |row| at(row, "/room")),
    wide("BEGINS (UTC)", |row| at(row, "/starts_at")),
    wide("AS RECEIVED", received),
    wide("ATTENDEES", |row| at(row, "/attendees")),
    wide("DEADLINE", |row| at(row, "/deadline")),
    wide("POOLS", |row| at(row, "/pool_usable")),
    wide("ID", |row| at(row, "/id")),
];

fn starts(row: &Value) -> String {
    match at(row, "/phase").as_str() {
        "running" => "running now".to_owned(),
        "no_time" => format!("{}, no time set", at(row, "/date")),
        phase @ ("over" | "canceled") => phase.to_owned(),
        _ => until(row, "/starts_at"),
    }
}

/// `38/40`; a question mark for what is not known.
fn ready(row: &Value) -> String {
    let known = |pointer| match at(row, pointer) {
        text if text.is_empty() => "?".to_owned(),
        text => text,
    };
    format!("{}/{}", known("/ready"), known("/needed"))
}

fn received(row: &Value) -> String {
    let time = at(row, "/start_time");
    let time = if time.is_empty() { "no time".to_owned() } else { time };
    format!("{} {time} {}", at(row, "/date"), at(row, "/time_zone"))
}

/// Runs the command.
///
/// # Errors
/// When the API says no.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut query: Vec<(&str, String)> = Vec::new();
    for (key, values) in [
        ("lab", &args.lab),
        ("event", &args.event),
        ("verdict", &args.verdict),
        ("phase", &args.phase),
    ] {
        query.extend(values.iter().map(|value| (key, value.clone())));
    }
    query.extend(args.next.iter().map(|range| ("range", range.clone())));
    let (rows, meta) = args.server.list_with_meta("sessions", &query, args.limit)?;
    sources(&meta);
    output::rows(
        args.output,
        &rows,
        COLUMNS,
        |row| format!("session/{}", at(row, "/id")),
        "No sessions.",
    )?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_known_is_a_question_mark_and_never_a_zero() {
        assert_eq!(ready(&json!({ "ready": 0, "needed": 40 })), "0/40");
        assert_eq!(ready(&json!({ "ready": null, "needed": 40 })), "?/40");
        assert_eq!(ready(&json!({ "ready": 3, "needed": null })), "3/?");
    }

    #[test]
    fn a_session_without_a_time_says_so() {
        let row = json!({ "phase": "no_time", "date": "2026-11-24", "starts_at": null, "start_time": null, "time_zone": "UTC" });
        assert_eq!(starts(&row), "2026-11-24, no time set");
        assert_eq!(received(&row), "2026-11-24 no time UTC");
        assert_eq!(starts(&json!({ "phase": "running" })), "running now");
    }
}
