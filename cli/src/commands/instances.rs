//! `stargate instances [NAMESPACE|ID]`.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::Value;

use crate::api::Server;
use crate::output::{self, Column, Format, age, at, column, wide};

/// Lab instances: what is not ready, where, why, since when.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  stargate instances --state failing --sort onset_at
  stargate instances --class image_pull_backoff -o name
  stargate instances sandbox-m4x8d-webshop        one instance with its stages and failing criteria")]
pub struct Args {
    /// Show this instance only: namespace name or id
    instance: Option<String>,
    /// Only instances in this state; may be repeated
    #[arg(long, value_parser = ["provisioning", "ready", "warning", "failing", "stopped", "terminating", "gone", "unknown"])]
    state: Vec<String>,
    /// Only instances on this cluster; may be repeated
    #[arg(long)]
    cluster: Vec<String>,
    /// Only instances of this lab; may be repeated
    #[arg(long)]
    lab: Vec<String>,
    /// Only instances failing this stage; may be repeated
    #[arg(long)]
    stage: Vec<String>,
    /// Only instances with this failure class; may be repeated
    #[arg(long)]
    class: Vec<String>,
    /// Only instances whose namespace begins with this
    #[arg(long, short)]
    query: Option<String>,
    /// Order, for example `onset_at` or `-created_at`
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
    column("CLUSTER", |row| at(row, "/cluster")),
    column("NAMESPACE", |row| at(row, "/namespace")),
    column("STATE", |row| at(row, "/state")),
    column("STAGE", |row| at(row, "/failing_stage")),
    column("CLASS", |row| at(row, "/class")),
    column("SINCE", |row| age(row, "/onset_at")),
    wide("SUBCLASS", |row| at(row, "/sub_class")),
    wide("LAB", |row| at(row, "/lab")),
    wide("AGE", |row| age(row, "/created_at")),
    wide("EVALUATED", |row| age(row, "/last_evaluated_at")),
    wide("ID", |row| at(row, "/id")),
];

const STAGES: &[Column] = &[
    column("STAGE", |row| at(row, "/stage")),
    column("OUTCOME", |row| at(row, "/outcome")),
    column("CLASS", |row| at(row, "/class")),
    column("SINCE", |row| age(row, "/since")),
    column("WHY", |row| {
        let message = at(row, "/message");
        if message.is_empty() { at(row, "/reason") } else { message }
    }),
];

/// Runs the command.
///
/// # Errors
/// When the API says no, or there is no such instance.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let name = |row: &Value| format!("instance/{}", at(row, "/namespace"));
    if let Some(wanted) = &args.instance {
        return one(args, wanted);
    }
    let mut query: Vec<(&str, String)> = Vec::new();
    for (key, values) in [
        ("state", &args.state),
        ("cluster", &args.cluster),
        ("lab", &args.lab),
        ("stage", &args.stage),
        ("class", &args.class),
    ] {
        query.extend(values.iter().map(|value| (key, value.clone())));
    }
    query.extend(args.query.iter().map(|text| ("q", text.clone())));
    query.extend(args.sort.iter().map(|sort| ("sort", sort.clone())));
    let rows = args.server.list("instances", &query, args.limit)?;
    output::rows(args.output, &rows, COLUMNS, name, "No instances match.")?;
    Ok(ExitCode::SUCCESS)
}

fn one(args: &Args, wanted: &str) -> anyhow::Result<ExitCode> {
    let found: Vec<Value> = if is_id(wanted) {
        vec![args.server.get(&format!("instances/{wanted}"), &[])?["data"].take()]
    } else {
        let mut query: Vec<(&str, String)> = vec![("q", wanted.to_owned())];
        query.extend(args.cluster.iter().map(|cluster| ("cluster", cluster.clone())));
        let same_name = args
            .server
            .list("instances", &query, None)?
            .into_iter()
            .filter(|row| at(row, "/namespace") == wanted);
        same_name
            .map(|row| Ok(args.server.get(&format!("instances/{}", at(&row, "/id")), &[])?["data"].take()))
            .collect::<anyhow::Result<_>>()?
    };
    if found.is_empty() {
        bail!(
            "no instance {wanted}: `stargate instances -q {}` lists names that begin alike",
            &wanted[..wanted.len().min(8)]
        );
    }
    if !matches!(args.output, Format::Table | Format::Wide) {
        output::rows(
            args.output,
            &found,
            COLUMNS,
            |row| format!("instance/{}", at(row, "/namespace")),
            "",
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    for instance in &found {
        output::rows(args.output, std::slice::from_ref(instance), COLUMNS, |_| String::new(), "")?;
        output::text("\n")?;
        let stages = instance["stages"].as_array().cloned().unwrap_or_default();
        output::rows(args.output, &stages, STAGES, |_| String::new(), "Not evaluated yet.")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the text has the shape of an instance id rather than of a namespace name.
fn is_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}
