//! `stargate rubric lint`: a set of rubrics is checked as it would be when it is loaded, and all findings are told.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Value, json};
use stargate_common::evaluate::lint::{Finding, Level};
use stargate_common::evaluate::rubric::{LoadError, RubricSet};

use crate::output;

/// Check a set of rubrics as a whole: every mistake with file, line, column and the fix.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  no errors, perhaps warnings    1  errors    2  the directory cannot be read

Examples:
  stargate rubric lint                   the built-in rubrics
  stargate rubric lint rubrics           those of a directory
  stargate rubric lint rubrics -o json   for editors and scripts")]
pub struct Args {
    /// Directory of a rubric set: one folder per stage, kinds.yaml, sub-classes.yaml; by default the built-in rubrics
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line a finding, as compilers print them
    Text,
    /// For scripts: a list of file, line, column, level, message and help
    Json,
}

/// Runs the command.
///
/// # Errors
/// When the directory cannot be read.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let loaded = match &args.directory {
        None => RubricSet::embedded(),
        Some(directory) => RubricSet::from_dir(directory),
    };
    let findings = match loaded {
        Ok(set) => set.warnings,
        Err(LoadError::Invalid(findings)) => findings,
        Err(error @ LoadError::Read { .. }) => return Err(error.into()),
    };
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    match args.output {
        Format::Text => {
            output::text(&findings.iter().map(|finding| format!("{finding}\n")).collect::<String>())?;
            let what = args
                .directory
                .as_ref()
                .map_or_else(|| "the built-in rubrics".to_owned(), |directory| directory.display().to_string());
            output::note(&format!("{what}: {errors} errors, {} warnings", findings.len() - errors));
        }
        Format::Json => output::text(&format!("{:#}\n", findings.iter().map(as_json).collect::<Value>()))?,
    }
    Ok(ExitCode::from(u8::from(errors > 0)))
}

fn as_json(finding: &Finding) -> Value {
    let Finding {
        file,
        line,
        column,
        level,
        message,
        help,
    } = finding;
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    json!({"file": file, "line": line, "column": column, "level": level, "message": message, "help": help})
}
