//! `stargate recommendations [ID]`.

use std::process::ExitCode;

use crate::api::Server;
use crate::output::{self, Column, Format, age, at, column, wide};

/// What is advised, the most urgent first. Nobody acts on it but people.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  stargate recommendations
  stargate recommendations --urgency critical --scope lab
  stargate recommendations --lab WEB-101 -o wide
  stargate recommendations --unknown            what rules cannot tell, and why")]
pub struct Args {
    /// Show this one with everything that it rests on
    id: Option<String>,
    /// Only of this rule; may be repeated
    #[arg(long)]
    rule: Vec<String>,
    /// Only about a lab, pool, cluster or the platform; may be repeated
    #[arg(long)]
    scope: Vec<String>,
    /// Only critical, high, medium or low; may be repeated
    #[arg(long)]
    urgency: Vec<String>,
    /// Only about this lab; may be repeated
    #[arg(long)]
    lab: Vec<String>,
    /// issued or withdrawn; issued unless said
    #[arg(long)]
    state: Vec<String>,
    /// What rules cannot tell instead, and why
    #[arg(long, conflicts_with_all = ["id", "rule", "scope", "urgency", "lab", "state"])]
    unknown: bool,
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
    column("URGENCY", |row| at(row, "/urgency")),
    column("SURE", |row| at(row, "/confidence")),
    column("ABOUT", |row| format!("{}/{}", at(row, "/scope"), at(row, "/scope_key"))),
    column("RULE", |row| at(row, "/rule")),
    column("AGE", |row| age(row, "/issued_at")),
    column("DECISION", decision),
    wide("CHANGED", |row| age(row, "/updated_at")),
    wide("STATE", |row| at(row, "/state")),
    wide("REVISION", |row| at(row, "/revision")),
    wide("ESCALATED", |row| at(row, "/escalated")),
    wide("ID", |row| at(row, "/id")),
];

const UNKNOWN: &[Column] = &[
    column("RULE", |row| at(row, "/rule")),
    column("REASON", |row| at(row, "/reason")),
    column("SUBJECTS", |row| at(row, "/subjects")),
    column("FACTS", |row| words(row, "/facts")),
    column("SOURCES", |row| words(row, "/sources")),
    column("SINCE", |row| age(row, "/since")),
    wide("EXAMPLES", |row| words(row, "/examples")),
];

/// Runs the command.
///
/// # Errors
/// When the API says no.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.unknown {
        let (rows, meta) = args.server.list_with_meta("policy/unknowns", &[], args.limit)?;
        output::sources(&meta);
        let name = |row: &serde_json::Value| format!("rule/{}", at(row, "/rule"));
        output::rows(args.output, &rows, UNKNOWN, name, "Every rule can be told of everything.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let (rows, meta) = match &args.id {
        Some(id) => {
            let mut answer = args.server.get(&format!("recommendations/{id}"), &[])?;
            (vec![answer["data"].take()], answer["meta"].take())
        }
        None => {
            let filters = [
                ("rule", &args.rule),
                ("scope", &args.scope),
                ("urgency", &args.urgency),
                ("lab", &args.lab),
                ("state", &args.state),
            ];
            let each = filters
                .into_iter()
                .flat_map(|(name, values)| values.iter().map(move |value| (name, value.clone())));
            let query: Vec<(&str, String)> = each.collect();
            args.server.list_with_meta("recommendations", &query, args.limit)?
        }
    };
    output::sources(&meta);
    let nothing = "Nothing is advised. What rules cannot tell: stargate recommendations --unknown";
    let name = |row: &serde_json::Value| format!("recommendation/{}", at(row, "/id"));
    output::rows(args.output, &rows, COLUMNS, name, nothing)?;
    if args.id.is_some() && matches!(args.output, Format::Table | Format::Wide) {
        for row in rows.iter().flat_map(|row| row["evidence"].as_array().into_iter().flatten()) {
            output::text(&format!("  {} {} {}\n", at(row, "/group"), at(row, "/key"), at(row, "/detail")))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The words, and whether it cannot be told that they still hold.
fn decision(row: &serde_json::Value) -> String {
    match at(row, "/unknown_reason").as_str() {
        "" => at(row, "/decision"),
        reason => format!("{} (in doubt: {reason})", at(row, "/decision")),
    }
}

fn words(row: &serde_json::Value, pointer: &str) -> String {
    let words = row.pointer(pointer).and_then(serde_json::Value::as_array).into_iter().flatten();
    words.filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(",")
}
