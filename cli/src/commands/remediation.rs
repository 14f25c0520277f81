//! `stargate remediation`: what can be done about failures, and whether the catalog that says so is right. Nothing here does any of it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::policy::rule::RuleSet;
use stargate_common::remediation::catalog::{Allowed, Catalog, CatalogError, Diagnosis, Entry};
use stargate_common::suggest::suggest;

use crate::output::{self, Column, Format, column, wide};

/// What can be done about failures: check the catalog, list it, show an entry.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Exit codes:
  0  fine    1  judged and not fine    2  bad input or usage

Examples:
  stargate remediation lint remediations            what is wrong with the catalog, and where
  stargate remediation list                         every change and every diagnosis
  stargate remediation list --class pods_not_ready  what is offered for one failure class
  stargate remediation show restart_showroom        what an entry does, checks, expects and cannot undo"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check the catalog: every mistake with file, line, column and the fix
    Lint {
        /// A folder of entries; by default ./remediations, else the built-in catalog
        dir: Option<PathBuf>,
    },
    /// List what can be done and looked at
    List {
        /// Only changes, or only diagnoses
        #[arg(long)]
        kind: Option<Kind>,
        /// Only what is offered for exactly this failure class
        #[arg(long)]
        class: Option<String>,
        /// A folder of entries; by default the built-in catalog
        #[arg(long, value_name = "DIR")]
        catalog: Option<PathBuf>,
        /// How to print
        #[arg(short, long, value_enum, default_value = "table")]
        output: Format,
    },
    /// Show one entry
    Show {
        /// Its id
        id: String,
        /// A folder of entries; by default the built-in catalog
        #[arg(long, value_name = "DIR")]
        catalog: Option<PathBuf>,
        /// How to print
        #[arg(short, long, value_enum, default_value = "table")]
        output: Format,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// What changes something
    Operation,
    /// What only looks
    Diagnosis,
}

const COLUMNS: &[Column] = &[
    column("ID", |row| text(row, "id")),
    column("KIND", |row| text(row, "kind")),
    column("OPERATION", |row| text(row, "operation")),
    column("RISK", |row| text(row, "risk")),
    column("MODE", |row| text(row, "mode")),
    column("METHOD", |row| text(row, "method")),
    column("FOR", |row| words(row, "for")),
    wide("SCOPE", |row| text(row, "scope")),
    wide("TITLE", |row| text(row, "title")),
];

/// Runs the command.
///
/// # Errors
/// What the verb says: input that cannot be read, or wrong usage.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Lint { dir } => lint(dir.as_deref()),
        Verb::List {
            kind,
            class,
            catalog,
            output,
        } => list(*kind, class.as_deref(), &load(catalog.as_deref())?, *output),
        Verb::Show { id, catalog, output } => show(id, &load(catalog.as_deref())?, *output),
    }
}

fn load(dir: Option<&Path>) -> anyhow::Result<Catalog> {
    Ok(read(dir)??)
}

/// The catalog, or what is wrong with it; apart from that, what is wrong with what this program was built with.
fn read(dir: Option<&Path>) -> anyhow::Result<Result<Catalog, CatalogError>> {
    let (rubrics, rules) = (RubricSet::embedded()?, RuleSet::embedded()?);
    Ok(match dir {
        Some(dir) => Catalog::from_dir(dir, &rubrics, &rules),
        None => Catalog::embedded(&rubrics, &rules),
    })
}

fn lint(named: Option<&Path>) -> anyhow::Result<ExitCode> {
    let usual = Path::new("remediations");
    let dir = named.or_else(|| usual.is_dir().then_some(usual));
    let catalog = match read(dir)? {
        Ok(catalog) => catalog,
        Err(CatalogError::Invalid(findings)) => {
            output::text(&findings.iter().map(|finding| format!("{finding}\n")).collect::<String>())?;
            return Ok(ExitCode::from(1));
        }
        Err(error) => return Err(error.into()),
    };
    if catalog.entries.is_empty() {
        bail!("there is no operation.yaml in any folder of {}", dir.unwrap_or(usual).display());
    }
    output::text(&format!(
        "{} operations, {} diagnoses, version {}\n",
        catalog.entries.len(),
        catalog.diagnoses.len(),
        catalog.version
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn list(kind: Option<Kind>, class: Option<&str>, catalog: &Catalog, format: Format) -> anyhow::Result<ExitCode> {
    let entries = catalog.entries.values().filter(|_| kind != Some(Kind::Diagnosis)).map(of_entry);
    let diagnoses = catalog
        .diagnoses
        .values()
        .filter(|_| kind != Some(Kind::Operation))
        .map(of_diagnosis);
    let offered = |row: &Value| class.is_none_or(|class| row["failure_classes"].as_array().is_some_and(|all| all.contains(&json!(class))));
    let rows: Vec<Value> = entries.chain(diagnoses).filter(offered).collect();
    output::rows(format, &rows, COLUMNS, |row| text(row, "id"), "nothing is offered for that")?;
    Ok(if rows.is_empty() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn of_entry(entry: &Entry) -> Value {
    let mut row = json!(entry);
    row["kind"] = json!("operation");
    row["for"] = json!([entry.failure_classes.as_slice(), &entry.policies, &entry.signals].concat());
    row
}

fn of_diagnosis(diagnosis: &Diagnosis) -> Value {
    let mut row = json!(diagnosis);
    row["kind"] = json!("diagnosis");
    row["for"] = json!(diagnosis.failure_classes);
    row
}

fn show(id: &str, catalog: &Catalog, format: Format) -> anyhow::Result<ExitCode> {
    let row = match (catalog.entries.get(id), catalog.diagnoses.get(id)) {
        (Some(entry), _) if matches!(format, Format::Table | Format::Wide) => {
            output::text(&entry_text(entry))?;
            return Ok(ExitCode::SUCCESS);
        }
        (None, Some(diagnosis)) if matches!(format, Format::Table | Format::Wide) => {
            output::text(&diagnosis_text(diagnosis))?;
            return Ok(ExitCode::SUCCESS);
        }
        (Some(entry), _) => of_entry(entry),
        (None, Some(diagnosis)) => of_diagnosis(diagnosis),
        (None, None) => {
            let known = catalog.entries.keys().chain(catalog.diagnoses.keys());
            bail!("the catalog has no entry `{id}`; {}", suggest(id, known.map(String::as_str)));
        }
    };
    output::rows(format, &[row], COLUMNS, |row| text(row, "id"), "")?;
    Ok(ExitCode::SUCCESS)
}

fn entry_text(entry: &Entry) -> String {
    let mut text = format!(
        "{} (version {}): {}\n\n{}\n\n",
        entry.id, entry.version, entry.title, entry.description
    );
    let approval = if entry.requires_approval { ", a person always decides" } else { "" };
    text += &format!(
        "does      {} on {} through {}\nrisk      {}\nmode      {}{approval}\nscope     {}\n",
        entry.operation,
        entry.kinds.join(", "),
        entry.method,
        entry.risk,
        entry.mode,
        entry.scope
    );
    for (what, names) in [
        ("classes", &entry.failure_classes),
        ("policies", &entry.policies),
        ("signals", &entry.signals),
    ] {
        if !names.is_empty() {
            text += &format!("{what:<9} {}\n", names.join(", "));
        }
    }
    text += &format!("target    {}\n", entry.target.as_str());
    for (name, allowed) in &entry.parameters {
        let allowed = match allowed {
            Allowed::Integer { min, max } => format!("{min} to {max}"),
            Allowed::OneOf(words) => words.join(" or "),
            Allowed::Uuid => "a UUID".to_owned(),
        };
        text += &format!("with      {name}: {allowed}\n");
    }
    text += "\nOnly when:\n";
    for check in &entry.preconditions {
        text += &format!("  {:<26} {}\n", check.as_str(), check.question());
    }
    let verify = &entry.verify;
    let stages: Vec<&str> = verify.stages.iter().map(|stage| stage.as_str()).collect();
    text += &format!(
        "\nAfterwards: {}\n  judged again: {}, after {} s and until {} s\n",
        verify.expect,
        if stages.is_empty() {
            "by what the system itself says".to_owned()
        } else {
            stages.join(", ")
        },
        verify.settle_seconds,
        verify.deadline_seconds
    );
    text += &format!("\nCannot be undone: {}\n", entry.cannot_undo);
    if let Some(undo) = entry.undo {
        text += &format!("  {undo} sets the value back, while nobody else changed it\n");
    }
    text + &format!(
        "\nTried at most {} times in 24 hours, {} minutes apart. Owner {}, read by {}, sha256 {}\n",
        entry.max_attempts,
        entry.cooldown_minutes,
        entry.owner,
        entry.reviewed_by.as_deref().unwrap_or("nobody yet"),
        entry.hash
    )
}

fn diagnosis_text(diagnosis: &Diagnosis) -> String {
    format!(
        "{}: {}\n\n{}\n\nonly looks\nscope     {}\nclasses   {}\nreads     {}\n",
        diagnosis.id,
        diagnosis.title,
        diagnosis.description,
        diagnosis.scope,
        diagnosis.failure_classes.join(", "),
        diagnosis.reads.join(", ")
    )
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}

fn words(row: &Value, key: &str) -> String {
    let words = row[key].as_array().into_iter().flatten().filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(",")
}
