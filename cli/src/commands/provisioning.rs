//! `stargate provisioning`: how it goes, and the jobs behind it.

use std::process::ExitCode;

use serde_json::Value;

use crate::api::Server;
use crate::output::{self, Column, Format, age, at, column, sources, span, wide};

/// How provisioning goes: states, outcomes, what does not move, queues and limits; and the newest jobs that failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  stargate provisioning
  stargate provisioning --range 7d
  stargate provisioning --jobs --outcome failed --lab LB0042 -o wide")]
pub struct Args {
    /// In which time outcomes are counted
    #[arg(long, value_parser = ["1h", "6h", "24h", "7d"], default_value = "24h")]
    range: String,
    /// List jobs instead of the summary
    #[arg(long)]
    jobs: bool,
    /// Only jobs that do this; may be repeated
    #[arg(long, value_parser = ["provision", "destroy", "start", "stop", "status", "other"], requires = "jobs")]
    phase: Vec<String>,
    /// Only jobs that ended like this; may be repeated
    #[arg(long, value_parser = ["active", "successful", "failed", "error", "canceled", "unknown"], requires = "jobs")]
    outcome: Vec<String>,
    /// Only jobs of this controller; may be repeated
    #[arg(long, requires = "jobs")]
    controller: Vec<String>,
    /// Only jobs that failed with this class; may be repeated
    #[arg(long, requires = "jobs")]
    class: Vec<String>,
    /// Only jobs of this lab; may be repeated
    #[arg(long, requires = "jobs")]
    lab: Vec<String>,
    /// At most this many jobs
    #[arg(long, default_value_t = 50, requires = "jobs")]
    limit: usize,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(flatten)]
    server: Server,
}

pub(super) const JOBS: &[Column] = &[
    column("JOB", |row| at(row, "/key")),
    column("DOES", |row| at(row, "/phase")),
    column("OUTCOME", |row| at(row, "/outcome")),
    column("BEGAN", |row| age(row, "/started_at")),
    column("TOOK", duration),
    column("TASK", |row| at(row, "/failure/task")),
    column("CLASS", |row| at(row, "/failure/class")),
    wide("LAB", |row| at(row, "/lab_code")),
    wide("WHY", why),
    wide("NAME", |row| at(row, "/name")),
];

fn duration(row: &Value) -> String {
    row["duration_s"].as_i64().map(span).unwrap_or_default()
}

/// What the job says itself; what the controller hides is told as hidden.
fn why(row: &Value) -> String {
    let said = [at(row, "/failure/message"), at(row, "/explanation")]
        .into_iter()
        .find(|text| !text.is_empty());
    match said {
        Some(text) => text,
        None if row.pointer("/failure/censored") == Some(&Value::Bool(true)) => "hidden by the controller (no_log)".to_owned(),
        None => at(row, "/failure/unread"),
    }
}

/// Runs the command.
///
/// # Errors
/// When the API says no.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.jobs {
        let mut query: Vec<(&str, String)> = vec![("range", args.range.clone())];
        for (key, values) in [
            ("phase", &args.phase),
            ("outcome", &args.outcome),
            ("controller", &args.controller),
            ("class", &args.class),
            ("lab", &args.lab),
        ] {
            query.extend(values.iter().map(|value| (key, value.clone())));
        }
        let (rows, meta) = args.server.list_with_meta("provisioning/jobs", &query, Some(args.limit))?;
        sources(&meta);
        output::rows(
            args.output,
            &rows,
            JOBS,
            |row| format!("job/{}", at(row, "/key")),
            "No jobs in that time.",
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut answer = args.server.get("provisioning/summary", &[("range", args.range.clone())])?;
    sources(&answer["meta"]);
    let summary = answer["data"].take();
    if matches!(args.output, Format::Table | Format::Wide) {
        output::text(&text(&summary, &args.range))?;
    } else {
        output::rows(args.output, &[summary], &[], |_| "provisioning/summary".to_owned(), "")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The summary in lines.
fn text(summary: &Value, range: &str) -> String {
    let known = |pointer: &str| match at(summary, pointer) {
        text if text.is_empty() => "unknown".to_owned(),
        text => text,
    };
    let mut lines = vec![format!("Subjects      {}", known("/subjects"))];
    for state in summary["by_state"].as_array().into_iter().flatten() {
        let name = match at(state, "/state") {
            text if text.is_empty() => "(no state yet)".to_owned(),
            text => text,
        };
        lines.push(format!("  {:<20} {:>6}  {}", name, at(state, "/subjects"), at(state, "/class")));
    }
    for (title, field) in [("Provisioned", "provision"), ("Destroyed", "destroy")] {
        lines.push(format!("{title:<13} {}", outcome(&summary[field], range)));
    }
    lines.push(format!("Stuck         {}{}", known("/stuck"), kinds(&summary["stuck_kinds"])));
    lines.push(format!("Overdue       {}", known("/overdue")));
    lines.push(format!(
        "Pools         {}",
        kinds(&summary["pools"]).trim_start_matches(": ").to_owned()
    ));
    lines.push(format!("Queue         {} placements wait", known("/queue_depth")));
    let healthy = match summary.pointer("/sandbox_api/healthy") {
        Some(Value::Bool(true)) => "healthy".to_owned(),
        Some(Value::Bool(false)) => "not healthy".to_owned(),
        _ => match at(summary, "/sandbox_api/unknown_reason") {
            why if why.is_empty() => "unknown".to_owned(),
            why => format!("unknown: {why}"),
        },
    };
    lines.push(format!("Sandbox API   {healthy}"));
    for slot in summary["rate_slots"].as_array().into_iter().flatten() {
        let number = |pointer| match at(slot, pointer) {
            text if text.is_empty() => "?".to_owned(),
            text => text,
        };
        lines.push(format!(
            "  {:<20} {}/{} slots in use",
            at(slot, "/cluster"),
            number("/used"),
            number("/most")
        ));
    }
    let sessions = &summary["sessions"];
    lines.push(match at(sessions, "/unknown_reason") {
        why if why.is_empty() => format!(
            "Sessions      {} in the next {} h: {} ready, {} at risk, {} not ready, {} unknown",
            at(sessions, "/total"),
            at(sessions, "/window_h"),
            at(sessions, "/ready"),
            at(sessions, "/at_risk"),
            at(sessions, "/not_ready"),
            at(sessions, "/unknown")
        ),
        why => format!("Sessions      unknown: {why}"),
    });
    for row in summary["unmatched"].as_array().into_iter().flatten() {
        lines.push(format!(
            "Unmatched     {} {} without {}",
            at(row, "/count"),
            at(row, "/kind"),
            at(row, "/wanted")
        ));
    }
    for why in summary["unknown"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        lines.push(format!("Not known     {why}"));
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn outcome(row: &Value, range: &str) -> String {
    if row.is_null() {
        return "unknown".to_owned();
    }
    let rate = row["rate"]
        .as_f64()
        .map_or_else(|| "no attempt".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
    format!(
        "{rate} of {} in {range} ({} failed, {} could not run, {} canceled)",
        at(row, "/attempts"),
        at(row, "/failed"),
        at(row, "/errors"),
        at(row, "/canceled")
    )
}

fn kinds(list: &Value) -> String {
    let Some(list) = list.as_array() else {
        return ": unknown".to_owned();
    };
    let told: Vec<String> = list
        .iter()
        .map(|row| format!("{} {}", at(row, "/count"), at(row, "/kind")))
        .collect();
    if told.is_empty() {
        String::new()
    } else {
        format!(": {}", told.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_summary_tells_numbers_and_what_is_not_known() {
        let known = json!({
            "subjects": 41, "by_state": [{ "class": "started", "state": "started", "subjects": 40 }, { "class": "initializing", "state": "", "subjects": 1 }],
            "provision": { "attempts": 30, "succeeded": 27, "failed": 2, "errors": 1, "canceled": 4, "rate": 0.9 },
            "destroy": { "attempts": 0, "succeeded": 0, "failed": 0, "errors": 0, "canceled": 0, "rate": null },
            "stuck": 2, "stuck_kinds": [{ "kind": "missed_callback", "count": 2 }], "overdue": 2, "queue_depth": 4,
            "pools": [{ "kind": "healthy", "count": 5 }], "sandbox_api": { "healthy": true }, "unknown": [],
            "rate_slots": [{ "cluster": "ocpv-1", "used": 3, "most": null }],
            "sessions": { "window_h": 24, "total": 3, "ready": 1, "at_risk": 1, "not_ready": 0, "unknown": 1, "unknown_reason": null },
            "unmatched": [{ "kind": "instance", "wanted": "subject", "count": 6 }],
        });
        assert_eq!(
            text(&known, "24h"),
            "Subjects      41\n  started                  40  started\n  (no state yet)            1  initializing
Provisioned   90.0 % of 30 in 24h (2 failed, 1 could not run, 4 canceled)
Destroyed     no attempt of 0 in 24h (0 failed, 0 could not run, 0 canceled)
Stuck         2: 2 missed_callback\nOverdue       2\nPools         5 healthy\nQueue         4 placements wait\nSandbox API   healthy
  ocpv-1               3/? slots in use
Sessions      3 in the next 24 h: 1 ready, 1 at risk, 0 not ready, 1 unknown\nUnmatched     6 instance without subject\n"
        );
        let blind = json!({
            "subjects": null, "by_state": null, "provision": null, "destroy": null, "stuck": null, "stuck_kinds": null, "overdue": null,
            "queue_depth": null, "pools": null, "sandbox_api": { "healthy": null, "unknown_reason": "sandbox-api was never read" }, "rate_slots": [],
            "sessions": { "unknown_reason": "labagator is not collected (disabled)" }, "unmatched": null, "unknown": ["babylon was never read"],
        });
        assert_eq!(
            text(&blind, "24h"),
            "Subjects      unknown\nProvisioned   unknown\nDestroyed     unknown\nStuck         unknown: unknown\nOverdue       unknown
Pools         unknown\nQueue         unknown placements wait\nSandbox API   unknown: sandbox-api was never read
Sessions      unknown: labagator is not collected (disabled)\nNot known     babylon was never read\n"
        );
    }

    #[test]
    fn a_hidden_message_is_told_as_hidden() {
        assert_eq!(
            why(&json!({ "failure": { "message": null, "censored": true } })),
            "hidden by the controller (no_log)"
        );
        assert_eq!(
            why(&json!({ "failure": { "message": "timed out" }, "explanation": "x" })),
            "timed out"
        );
        assert_eq!(
            why(&json!({ "failure": null, "explanation": "the project could not be updated" })),
            "the project could not be updated"
        );
    }
}
