//! `stargate rubric diff`: every verdict that changes between two rubric sets over a corpus of recordings.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde_json::json;
use stargate_common::clock::Clock;
use stargate_common::evaluate::diff::{Allow, Change, Messages, changes, junit, shown};
use stargate_common::evaluate::rubric::RubricSet;

use crate::commands::evaluate::{recorded_report, rubrics};
use crate::output;

/// Say which verdicts change between two rubric sets: outcome, reason, classes, recommended action.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  nothing changes, or only what is allowed    1  something else changes    2  bad input, or no namespace to compare

Allow file: a list of
  - {namespace: 'sandbox-*', stage: route-ready, old: pass, new: fail certificate_invalid, reason: why, until: 2026-12-31}

Examples:
  stargate rubric diff builtin rubrics --from recordings
  stargate rubric diff ../released/rubrics rubrics --from monday.tar.gz --from tuesday.tar.gz --allow allow.yaml
  stargate rubric diff builtin rubrics --from recordings -o json --junit diff.xml")]
pub struct Args {
    /// Rubrics as they were: a directory, or `builtin`
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// Rubrics as they are to be: a directory, or `builtin`
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Recordings, as `stargate evaluate --from` takes them; may be repeated
    #[arg(long, required = true, num_args = 1.., value_name = "DIR|FILE")]
    from: Vec<PathBuf>,
    /// Compare the messages, too
    #[arg(long)]
    messages: bool,
    /// Changes that are agreed to
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
    /// Write a JUnit report to this file as well
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Two lines a change
    Table,
    /// For scripts; the fields are an interface
    Json,
    /// The same as YAML
    Yaml,
}

/// Runs the command.
///
/// # Errors
/// When rubrics, recordings or the allow file cannot be read, or the recordings hold no namespace.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (old, new) = (set(&args.old)?, set(&args.new)?);
    let mut allow = match &args.allow {
        None => Allow::default(),
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            Allow::parse(&file.display().to_string(), &text)?
        }
    };
    let (mut found, compared) = compare(args, &old, &new)?;
    let today = Clock::System.now().date_naive();
    allow.apply(&mut found, today);
    if let Some(file) = &args.junit {
        std::fs::write(file, junit(&found, compared)).with_context(|| format!("writing {}", file.display()))?;
    }
    let expired = allow.expired(today);
    for line in allow.unused(today).iter().chain(&expired) {
        output::note(line);
    }
    print(args.output, &found, compared)?;
    let is_fine = expired.is_empty() && found.iter().all(|change| change.allowed.is_some());
    Ok(ExitCode::from(u8::from(!is_fine)))
}

fn set(named: &Path) -> anyhow::Result<RubricSet> {
    rubrics((named != Path::new("builtin")).then_some(named))
}

/// All changes, and how many namespaces were compared.
fn compare(args: &Args, old: &RubricSet, new: &RubricSet) -> anyhow::Result<(Vec<Change>, usize)> {
    let messages = if args.messages { Messages::Compared } else { Messages::Ignored };
    let (mut found, mut compared) = (Vec::new(), 0);
    for from in &args.from {
        let before = recorded_report(old, from, None, &[])?.report;
        let after = recorded_report(new, from, None, &[])?.report;
        if before.namespaces.is_empty() {
            bail!("{} holds no lab namespace: there is nothing to compare", from.display());
        }
        compared += before.namespaces.len();
        found.extend(changes(&from.display().to_string(), &before, &after, messages));
    }
    Ok((found, compared))
}

fn print(format: Format, found: &[Change], compared: usize) -> anyhow::Result<()> {
    let all = json!({"compared": compared, "changes": found});
    match format {
        Format::Json => output::text(&format!("{all:#}\n")),
        Format::Yaml => output::text(&output::yaml(&all)?),
        Format::Table => {
            let text: String = found.iter().map(line).collect();
            let allowed = found.iter().filter(|change| change.allowed.is_some()).count();
            let changes = found.len();
            output::text(&format!(
                "{text}{compared} namespaces compared: {changes} verdicts change, {allowed} of them allowed\n"
            ))
        }
    }
}

fn line(change: &Change) -> String {
    let allowed = change
        .allowed
        .as_ref()
        .map(|reason| format!("  allowed: {reason}"))
        .unwrap_or_default();
    format!(
        "{}  {}  {}{allowed}\n  - {}\n  + {}\n",
        change.recording,
        change.place(),
        change.stage,
        shown(change.old.as_ref()),
        shown(change.new.as_ref())
    )
}
