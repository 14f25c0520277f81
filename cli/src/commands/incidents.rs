//! `stargate incidents [ID]`.

use std::process::ExitCode;

use crate::api::Server;
use crate::output::{self, Column, Format, age, at, column, wide};

/// Incidents, most urgent first.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  stargate incidents\n  stargate incidents --state resolved --limit 20\n  stargate incidents --cluster cnv-east-1 --class pods_crashlooping"
)]
pub struct Args {
    /// Show this incident only
    id: Option<String>,
    /// Only incidents in this state; may be repeated
    #[arg(long, value_parser = ["open", "resolved"], default_value = "open")]
    state: Vec<String>,
    /// Only incidents of this severity; may be repeated
    #[arg(long, value_parser = ["critical", "high", "medium", "low"])]
    severity: Vec<String>,
    /// Only incidents of this failure class; may be repeated
    #[arg(long)]
    class: Vec<String>,
    /// Only incidents on this cluster; may be repeated
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
    column("PRIORITY", |row| at(row, "/priority")),
    column("SEVERITY", |row| at(row, "/severity")),
    column("CLASS", |row| at(row, "/class")),
    column("WHERE", place),
    column("INSTANCES", |row| at(row, "/instances")),
    column("SINCE", |row| age(row, "/onset_at")),
    column("STATE", |row| at(row, "/state")),
    wide("SCOPE", |row| at(row, "/scope")),
    wide("STAGE", |row| at(row, "/stage")),
    wide("MESSAGE", |row| at(row, "/message")),
    wide("ID", |row| at(row, "/id")),
];

fn place(row: &serde_json::Value) -> String {
    let clusters: Vec<&str> = row
        .get("clusters")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str)
        .collect();
    match at(row, "/namespace") {
        namespace if namespace.is_empty() => clusters.join(","),
        namespace => format!("{}/{namespace}", clusters.join(",")),
    }
}

/// Runs the command.
///
/// # Errors
/// When the API says no.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let rows = match &args.id {
        Some(id) => vec![args.server.get(&format!("incidents/{id}"), &[])?["data"].take()],
        None => {
            let mut query: Vec<(&str, String)> = Vec::new();
            for (key, values) in [
                ("state", &args.state),
                ("severity", &args.severity),
                ("class", &args.class),
                ("cluster", &args.cluster),
            ] {
                query.extend(values.iter().map(|value| (key, value.clone())));
            }
            args.server.list("incidents", &query, args.limit)?
        }
    };
    output::rows(
        args.output,
        &rows,
        COLUMNS,
        |row| format!("incident/{}", at(row, "/id")),
        "No incidents.",
    )?;
    Ok(ExitCode::SUCCESS)
}
