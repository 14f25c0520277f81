//! `stargate sources`.

use std::process::ExitCode;

use crate::api::Server;
use crate::output::{self, Column, Format, age, at, column, wide};

/// Where data comes from: whether it still comes, since when not, and why.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  stargate sources\n  stargate sources -o wide\n  stargate sources --state failed --state stale -o name"
)]
pub struct Args {
    /// Only sources in this state; may be repeated
    #[arg(long, value_parser = ["fresh", "late", "stale", "failed", "never", "disabled"])]
    state: Vec<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(flatten)]
    server: Server,
}

const COLUMNS: &[Column] = &[
    column("SOURCE", |row| at(row, "/source")),
    column("STATE", |row| at(row, "/state")),
    column("READ", |row| age(row, "/last_success_at")),
    column("TRIED", |row| age(row, "/last_attempt_at")),
    column("EVERY", |row| at(row, "/interval_s")),
    column("PARTS", |row| {
        format!("{}/{}", at(row, "/coverage/reporting"), at(row, "/coverage/expected"))
    }),
    column("FAILURES", |row| at(row, "/failures")),
    column("WHY", |row| at(row, "/last_error")),
    wide("RESTS UNTIL", |row| at(row, "/retry_at")),
];

/// Runs the command.
///
/// # Errors
/// When the API says no.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut rows = args.server.list("sources", &[], None)?;
    rows.retain(|row| args.state.is_empty() || args.state.contains(&at(row, "/state")));
    output::rows(
        args.output,
        &rows,
        COLUMNS,
        |row| format!("source/{}", at(row, "/source")),
        "No sources in that state.",
    )?;
    Ok(ExitCode::SUCCESS)
}
