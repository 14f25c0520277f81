//! `stargate rubric mutate`: rubrics are changed in small ways, and what no case notices is told.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum;
use regex::Regex;
use serde_json::{Value, json};
use stargate_common::evaluate::case::{self, Case, CaseError};
use stargate_common::evaluate::lint::raw::RawSet;
use stargate_common::evaluate::mutate::{self, Fate, Mutant, Operator, Score, Trial};

use crate::output;

/// Change rubrics in small ways and run their cases: what no case notices could be wrong today.
///
/// A change that the lints refuse is counted apart, and so is one that provably makes no difference. The score is what cases caught of
/// the rest.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  the score is reached    1  it is not, or there are too few mutants    2  bad input, or a case fails on the unchanged rubrics

Examples:
  stargate rubric mutate rubrics
  stargate rubric mutate rubrics --run '^storage-clone-ready:'
  stargate rubric mutate rubrics --operator swap-classes --all")]
pub struct Args {
    /// Directory of a rubric set with its cases
    #[arg(value_name = "DIR", default_value = "rubrics")]
    directory: PathBuf,
    /// Only mutants whose id matches
    #[arg(long, value_name = "REGEX")]
    run: Option<Regex>,
    /// Only this way to change rubrics; may be repeated
    #[arg(long, value_name = "NAME", value_parser = operator)]
    operator: Vec<Operator>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    /// List every mutant and its fate, not only those that survived
    #[arg(long)]
    all: bool,
    /// Leave with code 1 when cases catch less than this percentage
    #[arg(long, value_name = "PERCENT", default_value_t = 95.0)]
    fail_under: f64,
    /// Leave with code 1 when there are fewer mutants that the lints accept and that make a difference
    #[arg(long, value_name = "COUNT", default_value_t = 500, default_value_ifs = [("run", clap::builder::ArgPredicate::IsPresent, "1"), ("operator", clap::builder::ArgPredicate::IsPresent, "1")])]
    min: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line a mutant, and what to write
    Table,
    /// For scripts
    Json,
    /// The same as YAML
    Yaml,
}

fn operator(name: &str) -> Result<Operator, String> {
    Operator::parse(name).ok_or_else(|| format!("there is no such way; known are {}", Operator::ALL.map(Operator::as_str).join(", ")))
}

/// Runs the command.
///
/// # Errors
/// When rubrics or cases cannot be read, or a case fails on the unchanged rubrics.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let set = RawSet::from_dir(&args.directory).with_context(|| format!("rubrics in {}", args.directory.display()))?;
    let cases = cases(&args.directory)?;
    let trial = Trial::new(&set, &cases)?;
    let wanted = |mutant: &Mutant| {
        let named = args.run.as_ref().is_none_or(|run| run.is_match(&mutant.id));
        named && (args.operator.is_empty() || args.operator.contains(&mutant.operator))
    };
    let mutants: Vec<Mutant> = mutate::mutants(&set).into_iter().filter(wanted).collect();
    let fates = trial.fates(&mutants, &progress(mutants.len()));
    let score = Score::of(&fates);
    let shown: Vec<(&Mutant, &Fate)> = mutants
        .iter()
        .zip(&fates)
        .filter(|(_, fate)| args.all || matches!(fate, Fate::Survived))
        .collect();
    print(args.output, score, &shown)?;
    output::note(&summary(score, &cases));
    let enough = score.decided() >= args.min;
    if !enough {
        output::note(&format!("{} mutants are fewer than the {} asked for", score.decided(), args.min));
    }
    let reached = score.by_cases() >= args.fail_under;
    if !reached {
        output::note(&format!(
            "{:.1} % is less than the {} % asked for",
            score.by_cases(),
            args.fail_under
        ));
    }
    Ok(ExitCode::from(u8::from(!(enough && reached))))
}

fn cases(directory: &Path) -> Result<Vec<Case>, CaseError> {
    mutate::case_files(directory)?.iter().map(|file| case::load(file)).collect()
}

/// Tells a person who waits how far it is.
fn progress(total: usize) -> impl Fn(usize) + Sync {
    let watched = std::io::stderr().is_terminal();
    move |done| {
        if watched && (done % 16 == 0 || done == total) {
            let end = if done == total { "\r\x1b[K" } else { "" };
            write!(std::io::stderr(), "\r{done} of {total} mutants{end}").ok();
        }
    }
}

fn summary(score: Score, cases: &[Case]) -> String {
    let situations: usize = cases.iter().map(|case| case.situations.len()).sum();
    format!(
        "{} mutants against {situations} situations: {} caught, {} survived, {} rejected by lint, {} equivalent; cases catch {:.1} %, lints and cases {:.1} %",
        score.total(),
        score.caught,
        score.survived,
        score.rejected,
        score.equivalent,
        score.by_cases(),
        score.with_lints()
    )
}

fn print(format: Format, score: Score, shown: &[(&Mutant, &Fate)]) -> anyhow::Result<()> {
    match format {
        Format::Table => output::text(&table(shown)),
        Format::Json => output::text(&format!("{:#}\n", document(score, shown))),
        Format::Yaml => output::text(&output::yaml(&document(score, shown))?),
    }
}

fn table(shown: &[(&Mutant, &Fate)]) -> String {
    if shown.is_empty() {
        return String::new();
    }
    let row = |(mutant, fate): &(&Mutant, &Fate)| {
        vec![
            mutant.place.to_string(),
            fate.as_str().to_owned(),
            mutant.operator.to_string(),
            mutant.subject.clone(),
            mutant.was.clone(),
            mutant.now.clone(),
        ]
    };
    let mut text = output::table(
        &["WHERE", "FATE", "OPERATOR", "WHAT", "WAS", "NOW"],
        &shown.iter().map(row).collect::<Vec<_>>(),
    );
    let survivors = shown.iter().filter(|(_, fate)| matches!(fate, Fate::Survived));
    let operators: BTreeSet<Operator> = survivors.map(|(mutant, _)| mutant.operator).collect();
    if !operators.is_empty() {
        text.push_str("\nWhat would notice them:\n");
        for operator in operators {
            text.push_str(&format!("  {operator}: {}\n", operator.hint()));
        }
    }
    text
}

fn document(score: Score, shown: &[(&Mutant, &Fate)]) -> Value {
    let mutants: Vec<Value> = shown
        .iter()
        .map(|(mutant, fate)| {
            let detail = match fate {
                Fate::Caught(by) => json!(by),
                Fate::Rejected(finding) => json!(finding),
                Fate::Equivalent(why) => json!(why),
                Fate::Survived => json!(mutant.operator.hint()),
            };
            json!({
                "id": mutant.id, "operator": mutant.operator, "file": &*mutant.place.file, "line": mutant.place.line,
                "column": mutant.place.column, "subject": mutant.subject, "was": mutant.was, "now": mutant.now,
                "fate": fate.as_str(), "detail": detail,
            })
        })
        .collect();
    json!({
        "total": score.total(), "caught": score.caught, "survived": score.survived, "rejected": score.rejected,
        "equivalent": score.equivalent, "by_cases": score.by_cases(), "with_lints": score.with_lints(), "mutants": mutants,
    })
}
