//! `stargate clusters [NAME]`.

use std::process::ExitCode;

use serde_json::Value;

use crate::api::Server;
use crate::output::{self, Column, Format, age, at, column, wide};

/// Clusters with their health, load and the age of what is known.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  stargate clusters\n  stargate clusters cnv-east-1 -o yaml\n  stargate clusters --status unknown -o name"
)]
pub struct Args {
    /// Show this cluster only
    name: Option<String>,
    /// Only clusters in this status; may be repeated
    #[arg(long, value_parser = ["healthy", "warning", "critical", "unknown"])]
    status: Vec<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(flatten)]
    server: Server,
}

const COLUMNS: &[Column] = &[
    column("NAME", |row| at(row, "/name")),
    column("STATUS", |row| at(row, "/status")),
    column("LABS", |row| at(row, "/instances/total")),
    column("READY", |row| at(row, "/instances/ready")),
    column("FAILING", |row| at(row, "/instances/failing")),
    column("CPU%", |row| percent(row, "/cpu_pct")),
    column("MEM%", |row| percent(row, "/mem_pct")),
    column("VMS/NODE", |row| percent(row, "/vms_per_node")),
    column("READ", |row| age(row, "/observed_at")),
    column("WHY", reasons),
    wide("NODES", |row| format!("{}/{}", at(row, "/nodes/ready"), at(row, "/nodes/total"))),
    wide("VERSION", |row| at(row, "/openshift_version")),
];

fn percent(row: &Value, pointer: &str) -> String {
    row.pointer(pointer)
        .and_then(Value::as_f64)
        .map(|value| format!("{value:.0}"))
        .unwrap_or_default()
}

fn reasons(row: &Value) -> String {
    let reasons: Vec<&str> = row
        .get("status_reasons")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    reasons.join("; ")
}

/// Runs the command.
///
/// # Errors
/// When the API says no.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let rows = match &args.name {
        Some(name) => vec![args.server.get(&format!("clusters/{name}"), &[])?["data"].take()],
        None => args.server.list(
            "clusters",
            &args.status.iter().map(|status| ("status", status.clone())).collect::<Vec<_>>(),
            None,
        )?,
    };
    output::rows(
        args.output,
        &rows,
        COLUMNS,
        |row| format!("cluster/{}", at(row, "/name")),
        "No clusters.",
    )?;
    Ok(ExitCode::SUCCESS)
}
