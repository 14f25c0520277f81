//! `stargate rubric`: what an author of rubrics needs. One file per verb under `rubric/`.

mod diff;
mod explain;
mod lint;
mod mutate;
mod new;
mod record;
mod schema;
mod test;

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use regex::Regex;

/// Write rubrics, and be sure of them.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Exit codes:
  0  fine    1  judged and not fine    2  bad input or usage

Examples:
  stargate rubric lint rubrics                             what is wrong with a set of rubrics, and where
  stargate rubric explain evidence                         what expressions may ask
  stargate rubric test                                     run every case under ./rubrics
  stargate rubric mutate rubrics                           what their cases would not notice
  stargate rubric record --from DIR --namespace NAME       a recording becomes a case
  stargate rubric diff builtin rubrics --from recordings   which verdicts change"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say which verdicts change between two rubric sets
    Diff(diff::Args),
    /// Check a set of rubrics: every mistake with file, line, column and the fix
    Lint(lint::Args),
    /// What rubrics may ask: the evidence document, its types and fields
    Explain(explain::Args),
    /// Change rubrics in small ways: which changes does no case notice?
    Mutate(mutate::Args),
    /// Write the first files of a rubric, with cases that fail until they are edited
    New(new::Args),
    /// Turn one namespace of a recording into a case, secrets and names removed
    Record(record::Args),
    /// The JSON Schema of rubric files, for editors
    Schema(schema::Args),
    /// Run cases: situations with the verdicts that they must lead to
    Test(test::Args),
}

/// Runs the command.
///
/// # Errors
/// What the verb says: input that cannot be read, or wrong usage.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Diff(args) => diff::run(args),
        Verb::Explain(args) => explain::run(args),
        Verb::Lint(args) => lint::run(args),
        Verb::Mutate(args) => mutate::run(args),
        Verb::New(args) => new::run(args),
        Verb::Record(args) => record::run(args),
        Verb::Schema(args) => schema::run(args),
        Verb::Test(args) => test::run(args),
    }
}

/// The expression that somebody asked for; without one, everything matches.
fn matcher(expression: Option<&str>) -> anyhow::Result<Regex> {
    let expression = expression.unwrap_or_default();
    Regex::new(expression).with_context(|| format!("`{expression}` is not a regular expression"))
}
