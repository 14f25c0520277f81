//! `make bench-verdicts`: judges the corpus and prints how well: precision and recall per class, and every deviation.
//!
//! Exit codes: 0 every root cause is found and named and nothing else is said, 1 it is not so, 2 the corpus cannot be read.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_tests::corpus::{self, Score};

/// Score the verdicts on a corpus of recorded namespaces.
#[derive(Parser)]
struct Args {
    /// The corpus
    #[arg(long, default_value_os_t = corpus::directory())]
    from: PathBuf,
    /// Rubrics to judge by instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    rubrics: Option<PathBuf>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For scripts
    Json,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            // There is nowhere left to tell that standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<bool> {
    let rubrics = match &args.rubrics {
        None => RubricSet::embedded()?,
        Some(directory) => RubricSet::from_dir(directory)?,
    };
    let score: Score = corpus::score::score(&rubrics, &corpus::load(&args.from)?);
    let text = match args.output {
        Format::Table => score.table(),
        Format::Json => serde_json::to_string_pretty(&score)? + "\n",
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(score.is_perfect())
}
