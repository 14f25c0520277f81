//! `stargate labs [CODE]`.

use std::process::ExitCode;

use crate::api::Server;
use crate::output::{self, Column, Format, age, at, column, until, wide};

/// Labs with how many of their instances are ready.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  stargate labs\n  stargate labs --issues\n  stargate labs netbasics -o json")]
pub struct Args {
    /// Show this lab only
    code: Option<String>,
    /// Only labs with something failing
    #[arg(long)]
    issues: bool,
    /// Only labs with instances on this cluster; may be repeated
    #[arg(long)]
    cluster: Vec<String>,
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
    column("LAB", |row| at(row, "/code")),
    column("INSTANCES", |row| at(row, "/instances/total")),
    column("READY", |row| at(row, "/instances/ready")),
    column("FAILING", |row| at(row, "/instances/failing")),
    column("UNKNOWN", |row| at(row, "/instances/unknown")),
    column("STAGE", |row| at(row, "/worst_stage")),
    column("CLASS", |row| at(row, "/top_class")),
    column("SINCE", |row| age(row, "/failing_since")),
    wide("TITLE", |row| at(row, "/title")),
    wide("NEXT SESSION", |row| until(row, "/next_session/starts_at")),
    wide("SESSION", |row| at(row, "/next_session/verdict")),
    wide("INCIDENTS", |row| at(row, "/open_incidents")),
    wide("PROVISIONING", |row| at(row, "/instances/provisioning")),
];

/// Runs the command.
///
/// # Errors
/// When the API says no.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let rows = match &args.code {
        Some(code) => vec![args.server.get(&format!("labs/{code}"), &[])?["data"].take()],
        None => {
            let mut query: Vec<(&str, String)> = args.cluster.iter().map(|cluster| ("cluster", cluster.clone())).collect();
            if args.issues {
                query.push(("health", "issues".to_owned()));
            }
            args.server.list("labs", &query, args.limit)?
        }
    };
    output::rows(args.output, &rows, COLUMNS, |row| format!("lab/{}", at(row, "/code")), "No labs.")?;
    Ok(ExitCode::SUCCESS)
}
