//! `stargate subjects [NAME|UID]`.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::Value;

use crate::api::Server;
use crate::output::{self, Column, Format, age, at, column, sources, wide};

/// AnarchySubjects: what was ordered, where it stands, and what does not move.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  stargate subjects --stuck
  stargate subjects --class failed_terminal --lab LB0042
  stargate subjects acme-labs.webshop.event-q7f2k-1      one subject with its changes of state")]
pub struct Args {
    /// Show this subject only: name, guid or uid
    subject: Option<String>,
    /// Only subjects in this state, as the governor writes it; may be repeated
    #[arg(long)]
    state: Vec<String>,
    /// Only subjects whose state means this; may be repeated
    #[arg(long, value_parser = ["initializing", "in_progress", "started", "stopped", "failed_terminal", "failed_retrying", "gone", "unknown"])]
    class: Vec<String>,
    /// Only subjects of this lab; may be repeated
    #[arg(long)]
    lab: Vec<String>,
    /// Only subjects on this cluster; may be repeated
    #[arg(long)]
    cluster: Vec<String>,
    /// Only subjects of this pool; may be repeated
    #[arg(long)]
    pool: Vec<String>,
    /// Only subjects that do not move by themselves
    #[arg(long)]
    stuck: bool,
    /// Order, for example `-changed_at`
    #[arg(long)]
    sort: Option<String>,
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
    column("SUBJECT", |row| at(row, "/name")),
    column("STATE", state),
    column("FOR", |row| age(row, "/state_since")),
    column("LAB", |row| at(row, "/lab_code")),
    column("CLUSTER", |row| at(row, "/cluster")),
    column("STUCK", |row| at(row, "/stuck/kind")),
    column("SINCE", |row| age(row, "/stuck/since")),
    wide("CLASS", |row| at(row, "/class")),
    wide("WANTED", |row| at(row, "/desired_state")),
    wide("WHY", |row| at(row, "/stuck/detail")),
    wide("POOL", |row| at(row, "/pool")),
    wide("CLAIM", |row| at(row, "/claim")),
    wide("NAMESPACE", |row| at(row, "/lab_namespace")),
    wide("UID", |row| at(row, "/uid")),
];

const TRANSITIONS: &[Column] = &[
    column("AGO", |row| age(row, "/at")),
    column("FROM", |row| at(row, "/from_state")),
    column("TO", |row| at(row, "/to_state")),
    wide("AT", |row| at(row, "/at")),
    wide("NOT BEFORE", |row| at(row, "/not_before")),
];

/// The state; what was read too long ago is told as such.
fn state(row: &Value) -> String {
    match at(row, "/state") {
        text if text.is_empty() && !at(row, "/last_known_state").is_empty() => format!("unknown (was {})", at(row, "/last_known_state")),
        text if text.is_empty() => at(row, "/class"),
        text => text,
    }
}

fn name(row: &Value) -> String {
    format!("subject/{}", at(row, "/name"))
}

/// Runs the command.
///
/// # Errors
/// When the API says no, or there is no such subject.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(wanted) = &args.subject {
        return one(args, wanted);
    }
    let mut query: Vec<(&str, String)> = Vec::new();
    for (key, values) in [
        ("state", &args.state),
        ("class", &args.class),
        ("lab", &args.lab),
        ("cluster", &args.cluster),
        ("pool", &args.pool),
    ] {
        query.extend(values.iter().map(|value| (key, value.clone())));
    }
    if args.stuck {
        query.push(("stuck", "true".to_owned()));
    }
    query.extend(args.sort.iter().map(|sort| ("sort", sort.clone())));
    let (rows, meta) = args.server.list_with_meta("subjects", &query, args.limit)?;
    sources(&meta);
    output::rows(args.output, &rows, COLUMNS, name, "No subjects match.")?;
    Ok(ExitCode::SUCCESS)
}

fn one(args: &Args, wanted: &str) -> anyhow::Result<ExitCode> {
    let uid = if uuid::Uuid::try_parse(wanted).is_ok() {
        wanted.to_owned()
    } else {
        let rows = args.server.list("subjects", &[("q", wanted.to_owned())], Some(20))?;
        let exact = rows.iter().find(|row| at(row, "/name") == wanted);
        match (exact, rows.as_slice()) {
            (Some(row), _) => at(row, "/uid"),
            (None, [only]) => at(only, "/uid"),
            (None, []) => bail!("no subject {wanted}: `stargate subjects` lists them; give a name, a guid or a uid"),
            (None, many) => {
                let names: Vec<String> = many.iter().map(|row| format!("  {}", at(row, "/name"))).collect();
                bail!("{wanted} begins the names of several subjects:\n{}", names.join("\n"));
            }
        }
    };
    let mut answer = args.server.get(&format!("subjects/{uid}"), &[])?;
    sources(&answer["meta"]);
    let subject = answer["data"].take();
    output::rows(args.output, std::slice::from_ref(&subject), COLUMNS, name, "")?;
    if matches!(args.output, Format::Table | Format::Wide) {
        let list = |field: &str| subject[field].as_array().cloned().unwrap_or_default();
        output::text("\n")?;
        output::rows(
            args.output,
            &list("transitions"),
            TRANSITIONS,
            |_| String::new(),
            "No change of its state was seen yet.",
        )?;
        output::text("\n")?;
        output::rows(
            args.output,
            &list("jobs"),
            super::provisioning::JOBS,
            |_| String::new(),
            "No AAP job of it is known.",
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_that_is_too_old_is_not_shown_as_the_state() {
        assert_eq!(state(&json!({ "state": "started", "class": "started" })), "started");
        assert_eq!(
            state(&json!({ "state": null, "last_known_state": "started", "class": "unknown" })),
            "unknown (was started)"
        );
        assert_eq!(
            state(&json!({ "state": "", "last_known_state": null, "class": "initializing" })),
            "initializing"
        );
    }
}
