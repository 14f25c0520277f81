//! `stargate incidents [ID]`.

use std::process::ExitCode;

use crate::api::Server;
use crate::output::{self, Column, Format, age, at, column, wide};

/// Incidents, most urgent first.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  stargate incidents\n  stargate incidents --groups          what is wrong, in ten lines\n  stargate incidents --state resolved --limit 20\n  stargate incidents --cluster cnv-east-1 --class pods_crashlooping"
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
    /// The open incidents in at most ten groups, with everybody who is concerned
    #[arg(long, conflicts_with_all = ["id", "state", "severity", "class", "limit"])]
    groups: bool,
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

const GROUPS: &[Column] = &[
    column("PRIORITY", |row| at(row, "/priority")),
    column("SEVERITY", |row| at(row, "/severity")),
    column("WHAT", |row| at(row, "/title")),
    column("INSTANCES", |row| at(row, "/instances")),
    column("CLUSTERS", |row| texts(row, "/clusters").join(",")),
    column("SINCE", |row| age(row, "/onset_at")),
    column("WHO", members),
    wide("LABS", |row| texts(row, "/labs").join(",")),
];

fn texts(row: &serde_json::Value, pointer: &str) -> Vec<String> {
    let list = row.pointer(pointer).and_then(serde_json::Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// The first few namespaces of a group, and how many more there are.
fn members(row: &serde_json::Value) -> String {
    const SHOWN: usize = 3;
    let members = row
        .get("members")
        .and_then(serde_json::Value::as_array)
        .map_or(&[] as &[_], Vec::as_slice);
    let names: Vec<String> = members.iter().take(SHOWN).map(|member| at(member, "/namespace")).collect();
    let all = row.get("instances").and_then(serde_json::Value::as_u64).unwrap_or_default();
    match all.saturating_sub(names.len() as u64) {
        0 => names.join(","),
        more => format!("{} and {more} more", names.join(",")),
    }
}

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
    if args.groups {
        let query: Vec<(&str, String)> = args.cluster.iter().map(|cluster| ("cluster", cluster.clone())).collect();
        let mut answer = args.server.get("overview/groups", &query)?;
        let groups = match answer["data"]["groups"].take() {
            serde_json::Value::Array(groups) => groups,
            _ => Vec::new(),
        };
        output::rows(
            args.output,
            &groups,
            GROUPS,
            |row| format!("group/{}", at(row, "/title")),
            "No incidents.",
        )?;
        return Ok(ExitCode::SUCCESS);
    }
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
