//! `stargate rubric schema`: what editors need to know of rubric files.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use stargate_common::evaluate::schema;

use crate::output;

/// Write the JSON Schema of rubrics, lab rubrics, actions and patterns.
///
/// Editors find them through the first line of each file: `# yaml-language-server: $schema=../schema/rubric.json`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  stargate rubric schema                          the four schemas as one JSON object
  stargate rubric schema --write rubrics/schema   as files")]
pub struct Args {
    /// Directory to write them to, a file each
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(dir) = &args.write else {
        let all: serde_json::Map<String, serde_json::Value> =
            schema::all().into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
        output::text(&schema::text(&all.into()))?;
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    for (name, schema) in schema::all() {
        let path = dir.join(name);
        std::fs::write(&path, schema::text(&schema)).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
