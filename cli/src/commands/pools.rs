//! `stargate pools [NAME]`.

use std::process::ExitCode;

use serde_json::Value;

use crate::api::Server;
use crate::output::{self, Column, Format, age, at, column, sources, wide};

/// Resource pools: what can be claimed from them now, whether they fill, and why not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  stargate pools
  stargate pools --state exhausted --state blocked
  stargate pools acme-labs.webshop.event      one pool, with its last 24 hours")]
pub struct Args {
    /// Show this pool only
    name: Option<String>,
    /// Only pools in this state; may be repeated
    #[arg(long, value_parser = ["healthy", "filling", "blocked", "churning", "exhausted", "empty_by_design", "provider_disabled", "unknown"])]
    state: Vec<String>,
    /// Only pools that serve this lab; may be repeated
    #[arg(long)]
    lab: Vec<String>,
    /// How far back one pool's history goes
    #[arg(long, value_parser = ["1h", "6h", "24h", "7d", "30d"], default_value = "24h", requires = "name")]
    range: String,
    /// At most this many
    #[arg(long)]
    limit: Option<usize>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(flatten)]
    server: Server,
}

const COLUMNS: &[Column] = &[
    column("POOL", |row| at(row, "/name")),
    column("STATE", |row| at(row, "/state")),
    column("USABLE", |row| known(row, "/usable")),
    column("MIN", |row| known(row, "/min_available")),
    column("UNREADY", |row| known(row, "/unready")),
    column("CLAIMED", |row| known(row, "/claimed")),
    column("WANTED", |row| known(row, "/wanted")),
    column("WHY", |row| at(row, "/reason")),
    wide("AVAILABLE", |row| known(row, "/available")),
    wide("PER HOUR", |row| at(row, "/velocity/per_hour")),
    wide("TREND", |row| at(row, "/velocity/trend")),
    wide("EMPTY IN", empty_in),
    wide("LABS", |row| names(row, "/labs")),
];

const POINTS: &[Column] = &[
    column("SINCE", |row| age(row, "/at")),
    column("USABLE", |row| known(row, "/usable_min")),
    column("AVAILABLE", |row| known(row, "/available_min")),
    column("UNREADY", |row| known(row, "/unready_avg")),
    column("CLAIMED", |row| known(row, "/claimed_avg")),
    column("MIN", |row| known(row, "/min_available")),
];

/// A number; a question mark when it is not known.
fn known(row: &Value, pointer: &str) -> String {
    match at(row, pointer) {
        text if text.is_empty() => "?".to_owned(),
        text => text,
    }
}

fn names(row: &Value, pointer: &str) -> String {
    let list = row.pointer(pointer).and_then(Value::as_array);
    let names: Vec<&str> = list.into_iter().flatten().filter_map(Value::as_str).collect();
    names.join(",")
}

fn empty_in(row: &Value) -> String {
    match at(row, "/velocity/hours_to_empty") {
        hours if hours.is_empty() => String::new(),
        hours => format!("{hours} h"),
    }
}

/// Runs the command.
///
/// # Errors
/// When the API says no.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let name = |row: &Value| format!("pool/{}", at(row, "/name"));
    let Some(wanted) = &args.name else {
        let mut query: Vec<(&str, String)> = Vec::new();
        for (key, values) in [("state", &args.state), ("lab", &args.lab)] {
            query.extend(values.iter().map(|value| (key, value.clone())));
        }
        let (rows, meta) = args.server.list_with_meta("pools", &query, args.limit)?;
        sources(&meta);
        output::rows(args.output, &rows, COLUMNS, name, "No pools.")?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut answer = args.server.get(&format!("pools/{wanted}"), &[])?;
    sources(&answer["meta"]);
    let pool = answer["data"].take();
    output::rows(args.output, &[pool], COLUMNS, name, "")?;
    if matches!(args.output, Format::Table | Format::Wide) {
        let mut series = args
            .server
            .get(&format!("pools/{wanted}/series"), &[("range", args.range.clone())])?;
        let points = series["data"]["points"].as_array_mut().map(std::mem::take).unwrap_or_default();
        output::text("\n")?;
        output::rows(args.output, &changes(points), POINTS, |_| String::new(), "No history.")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Of points that follow each other and say the same only the first: a chart is no table.
fn changes(points: Vec<Value>) -> Vec<Value> {
    let told = |point: &Value| -> Vec<String> { POINTS[1..].iter().map(|column| (column.cell)(point)).collect() };
    let mut kept: Vec<Value> = Vec::new();
    for point in points {
        if kept.last().is_none_or(|last| told(last) != told(&point)) {
            kept.push(point);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_gap_in_the_history_is_a_question_mark_and_repetitions_are_left_out() {
        let point = |usable: Option<i64>| json!({ "at": "2026-11-23T06:00:00Z", "usable_min": usable });
        let kept = changes(vec![point(Some(3)), point(Some(3)), point(None), point(Some(0)), point(Some(0))]);
        let cells: Vec<String> = kept.iter().map(|row| known(row, "/usable_min")).collect();
        assert_eq!(cells, ["3", "?", "0"]);
    }
}
