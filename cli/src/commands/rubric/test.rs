//! `stargate rubric test`: rubrics against their cases. What cannot be judged fails, and so does what proves nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde_json::{Value, json};
use stargate_common::evaluate::case::report::junit;
use stargate_common::evaluate::case::runner::{Run, Tested, run_suite};
use stargate_common::evaluate::case::suite;
use stargate_common::evaluate::rubric::RubricSet;

use super::matcher;
use crate::commands::evaluate::rubrics;
use crate::output;

/// Run cases: situations with the verdicts that they must lead to.
///
/// Everything that would let a case pass without proving anything is an error: no cases, names that do not exist, files that
/// nobody reads, objects and statements without effect, expectations that assert nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  all passed    1  a verdict is not as expected, or too little is covered    2  a case is wrong, or there is none

Examples:
  stargate rubric test                                   every case under ./rubrics
  stargate rubric test rubrics/route-ready               one stage
  stargate rubric test rubrics --run 'out of memory'     what is called so, by file and title
  stargate rubric test rubrics --coverage --fail-under 100
  stargate rubric test tests/examples --rubrics ../other/rubrics --junit cases.xml")]
pub struct Args {
    /// Rubric sets, folders of one rubric, other folders with cases, or files of cases; by default ./rubrics
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Rubrics to judge by; by default the set that the cases lie in, else the built-in rubrics
    #[arg(long, value_name = "DIR")]
    rubrics: Option<PathBuf>,
    /// Only cases of which `file: title` matches this regular expression
    #[arg(long, value_name = "REGEX")]
    run: Option<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    /// Write a JUnit report to this file as well
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Say which criteria, classes, sub-classes and kinds no case has shown
    #[arg(long)]
    coverage: bool,
    /// Leave with code 1 when less than this share is covered
    #[arg(long, value_name = "PERCENT", requires = "coverage", value_parser = clap::value_parser!(u8).range(0..=100))]
    fail_under: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// What is wrong, one line each
    Table,
    /// Every case
    Wide,
    /// For scripts; the fields are an interface
    Json,
    /// The same as YAML
    Yaml,
}

/// Runs the command.
///
/// # Errors
/// When cases or rubrics cannot be read, or the expression of `--run` is none.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let paths = paths(&args.paths)?;
    let set = set(args.rubrics.as_deref(), &paths)?;
    let rubrics = rubrics(set.as_deref())?;
    let select = matcher(args.run.as_deref())?;
    let suite = suite::find(&paths)?;
    let run = run_suite(&rubrics, &suite, &|name| select.is_match(name));
    if let Some(file) = &args.junit {
        std::fs::write(file, junit(&run)).with_context(|| format!("writing {}", file.display()))?;
    }
    print(args, &run)?;
    if matches!(args.output, Format::Table | Format::Wide) {
        output::text(&summary(&run, set.as_deref(), &rubrics))?;
    }
    Ok(exit(&run, args.fail_under))
}

fn exit(run: &Run, fail_under: Option<u8>) -> ExitCode {
    let is_thin = fail_under.is_some_and(|percent| run.coverage.percent() < usize::from(percent));
    match (run.flaws.is_empty() && !run.tested.is_empty(), run.is_good() && !is_thin) {
        (false, _) => ExitCode::from(2),
        (true, false) => ExitCode::from(1),
        (true, true) => ExitCode::SUCCESS,
    }
}

/// What to run: what was named, else `./rubrics`.
fn paths(named: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let usual = Path::new("rubrics");
    match named {
        [] if usual.is_dir() => Ok(vec![usual.to_owned()]),
        [] => bail!("there is no ./rubrics here: name a rubric's folder, a folder with cases, or a file of cases"),
        named => Ok(named.to_vec()),
    }
}

/// The directory of the rubrics to judge by; none for the built-in ones.
fn set(named: Option<&Path>, paths: &[PathBuf]) -> anyhow::Result<Option<PathBuf>> {
    if let Some(named) = named {
        return Ok(Some(named.to_owned()));
    }
    let mut sets: Vec<Option<PathBuf>> = paths.iter().map(|path| suite::set_of(path)).collect();
    sets.sort();
    sets.dedup();
    if sets.len() > 1 {
        bail!("these cases belong to different rubric sets: say with --rubrics which to judge by, or run them one by one");
    }
    Ok(sets.pop().flatten())
}

fn print(args: &Args, run: &Run) -> anyhow::Result<()> {
    match args.output {
        Format::Table | Format::Wide => {
            let mut text = String::new();
            for tested in &run.tested {
                text += &case_text(tested, args.output == Format::Wide);
            }
            text += &run.flaws.iter().map(|flaw| format!("ERROR {flaw}\n")).collect::<String>();
            if args.coverage {
                text += &coverage_text(run);
            }
            output::text(&text)
        }
        Format::Json => output::text(&format!("{:#}\n", as_json(run, args.coverage))),
        Format::Yaml => output::text(&output::yaml(&as_json(run, args.coverage))?),
    }
}

fn case_text(tested: &Tested, wide: bool) -> String {
    if tested.mismatches.is_empty() {
        return if wide {
            format!("ok    {}:{}: {}\n", tested.file, tested.line, tested.title)
        } else {
            String::new()
        };
    }
    tested.mismatches.iter().map(|mismatch| format!("FAIL  {mismatch}\n")).collect()
}

fn coverage_text(run: &Run) -> String {
    let mut text = String::new();
    for (point, place) in run.coverage.missing() {
        let place = place.map_or_else(|| "(set)".to_owned(), ToString::to_string);
        text += &format!("NOT SHOWN  {place}: {point}\n");
    }
    text + &format!(
        "coverage {} % ({} of {})\n",
        run.coverage.percent(),
        run.coverage.seen(),
        run.coverage.total()
    )
}

fn summary(run: &Run, set: Option<&Path>, rubrics: &RubricSet) -> String {
    let set = set.map_or_else(|| "the built-in rubrics".to_owned(), |set| set.display().to_string());
    let errors = match run.flaws.len() {
        0 => String::new(),
        count => format!(", {count} errors"),
    };
    format!(
        "judged by {set}, version {}\n{} passed, {} failed{errors}\n",
        rubrics.version,
        run.passed(),
        run.failed()
    )
}

fn as_json(run: &Run, coverage: bool) -> Value {
    let cases = run.tested.iter().map(|tested| {
        let details = tested.mismatches.iter().map(|mismatch| {
            json!({"line": mismatch.line, "column": mismatch.column, "stage": mismatch.stage.map(|stage| stage.as_str()),
                   "detail": mismatch.detail})
        });
        json!({"file": tested.file, "line": tested.line, "column": tested.column, "title": tested.title,
               "result": if tested.mismatches.is_empty() { "passed" } else { "failed" }, "mismatches": details.collect::<Vec<_>>()})
    });
    let errors = run.flaws.iter().map(|flaw| {
        let detail = &flaw.detail;
        json!({"file": flaw.file, "line": flaw.line, "column": flaw.column, "detail": detail})
    });
    let mut all: BTreeMap<&str, Value> = BTreeMap::from([
        ("passed", json!(run.passed())),
        ("failed", json!(run.failed())),
        ("cases", cases.collect()),
        ("errors", errors.collect()),
    ]);
    if coverage {
        let missing = run.coverage.missing().map(|(point, place)| {
            json!({"what": point.to_string(), "file": place.map(|place| &*place.file), "line": place.map(|place| place.line)})
        });
        let missing: Value = missing.collect();
        all.insert(
            "coverage",
            json!({"percent": run.coverage.percent(), "seen": run.coverage.seen(), "total": run.coverage.total(), "missing": missing}),
        );
    }
    json!(all)
}
