//! `stargate gate`: lets a pipeline go on only when a namespace is ready.
//!
//! ```text
//! source (recording | live namespace | query API) ──> report ──> gate::gate ──> results, JUnit, exit code
//!     ^                                                             │ not yet
//!     └──────────── wait, longer each time, until the deadline ─────┘
//! ```
//!
//! Exit codes: 0 pass, 1 fail, 2 could not evaluate. Results and JUnit are written in every case, before the program ends, so that
//! a pipeline can read them from a Task that failed.

mod source;
mod write;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;
use stargate_common::collect::probe::ProbeSettings;
use stargate_common::evaluate::gate::{Decision, Gate, Require, Results, gate};
use stargate_common::stage::Stage;
use tokio::time::Instant;

use self::source::{Found, Source};
use crate::api::runtime;
use crate::output;

/// The first wait between two looks; doubled each time.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait between two looks. Source: a gate should notice within half a minute, and ten pipelines should not be a load.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Let a pipeline go on only when a namespace is ready: judge it, wait until every asked stage is decided, and say so by exit code.
///
/// A stage that is indeterminate (something is on its way, or was not read) is waited for; a definite failure ends the wait. What cannot
/// be judged until the deadline is not a pass. Empty values count as not given, so that a pipeline can pass its defaults.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  pass    1  fail    2  could not evaluate: bad input, no answer, or not decided until the deadline

Examples:
  stargate gate --from recording --namespace sandbox-m4x8d-webshop
  stargate gate --kubeconfig ~/.kube/config --namespace sandbox-m4x8d-webshop --wait 15m --junit readiness.xml
  stargate gate --api https://stargate.example.com --namespace sandbox-m4x8d-webshop --stage deployment-ready,route-ready")]
pub struct Args {
    /// Judge recorded objects: a directory, file or .tar.gz. Nothing is waited for, for a recording does not change
    #[arg(long, value_name = "DIR|FILE", conflicts_with_all = ["kubeconfig", "api"])]
    from: Option<String>,
    /// Read the namespace of this cluster now, with no database
    #[arg(long, value_name = "FILE", conflicts_with = "api")]
    kubeconfig: Option<String>,
    /// Context of the kubeconfig; by default its current one
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    context: Option<String>,
    /// Ask the query API, and wait for a verdict that was made after now
    #[arg(long, value_name = "URL")]
    api: Option<String>,
    /// File with the key for the API
    #[arg(long, value_name = "FILE", requires = "api")]
    api_key_file: Option<String>,
    /// The namespace; needed unless a recording holds only one
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,
    /// The cluster, when several have a namespace of that name
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// Only these stages, separated by commas; by default all of the namespace that apply and whose source is connected
    #[arg(long, value_name = "STAGE", value_delimiter = ',')]
    stage: Vec<String>,
    /// The worst outcome that is good enough
    #[arg(long, value_enum, default_value = "pass")]
    require: RequireArg,
    /// How long to wait for a decision: 90s, 10m, 1h
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = span)]
    wait: Duration,
    /// Wait on after a failure, too: it may pass until the deadline
    #[arg(long)]
    settle: bool,
    /// Rubrics to judge by instead of the built-in ones; not with --api
    #[arg(long, value_name = "DIR", conflicts_with = "api")]
    rubrics: Option<String>,
    /// Write a JUnit report to this file
    #[arg(long, value_name = "FILE")]
    junit: Option<String>,
    /// Write one file for each result into this directory: verdict, stage, class, message, evaluation
    #[arg(long, value_name = "DIR")]
    results: Option<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(flatten)]
    probes: ProbeSettings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RequireArg {
    /// Nothing but a pass
    Pass,
    /// A warning, too
    Warn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// What does not pass, one line a stage
    Table,
    /// For scripts
    Json,
}

/// How it ended.
struct Ended {
    found: Option<Found>,
    results: Results,
    decision: Decision,
}

/// Runs the command.
///
/// # Errors
/// When results or the report cannot be written: a gate that cannot say what it found has not evaluated.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let ended = decide(args).unwrap_or_else(|error| {
        output::error(&error);
        Ended {
            found: None,
            results: Results::not_evaluated(&format!("{error:#}")),
            decision: Decision::Undecided,
        }
    });
    if let Some(path) = given(args.junit.as_ref()) {
        write::junit(
            &PathBuf::from(path),
            ended.found.as_ref().map(|found| &found.report),
            &ended.results,
        )?;
    }
    if let Some(directory) = given(args.results.as_ref()) {
        write::results(&PathBuf::from(directory), &ended.results)?;
    }
    match args.output {
        Format::Json => output::text(&(serde_json::to_string_pretty(&ended.results)? + "\n"))?,
        Format::Table => {
            if let Some(found) = &ended.found {
                output::text(&found.report.table(false))?;
            }
            let Results {
                verdict, stage, message, ..
            } = &ended.results;
            let place = if stage.is_empty() { String::new() } else { format!("{stage}: ") };
            output::note(&format!("gate: {verdict}; {place}{message}"));
        }
    }
    Ok(match ended.decision {
        Decision::Open => ExitCode::SUCCESS,
        Decision::Closed => ExitCode::from(1),
        Decision::Undecided => ExitCode::from(2),
    })
}

/// Looks until it is decided or the deadline is reached.
fn decide(args: &Args) -> anyhow::Result<Ended> {
    let asked = stages(&args.stage)?;
    let require = match args.require {
        RequireArg::Pass => Require::Pass,
        RequireArg::Warn => Require::Warn,
    };
    let source = Source::of(args)?;
    let runtime = runtime()?;
    let deadline = Instant::now() + args.wait;
    let mut wait = FIRST_WAIT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let looked = source.look(&runtime, left);
        let now = Instant::now();
        let last = !source.changes() || now >= deadline;
        match looked {
            Ok(found) => {
                let seen = gate(&found.stages, &asked, require);
                let goes_on = match seen.decision {
                    Decision::Open => false,
                    Decision::Closed => args.settle && !last,
                    Decision::Undecided => !last,
                };
                if !goes_on {
                    let decision = seen.decision;
                    let results = told(&seen, &found, args, source.changes());
                    return Ok(Ended {
                        found: Some(found),
                        results,
                        decision,
                    });
                }
            }
            // What cannot be read now may be there in a moment: a namespace that is still being made, an API that restarts.
            Err(error) if last || source.is_misused(&error) => return Err(error),
            Err(error) => output::note(&format!("gate: not yet: {error:#}")),
        }
        let pause = wait.min(deadline.saturating_duration_since(now));
        runtime.block_on(async { tokio::time::sleep(pause).await });
        wait = wait.saturating_mul(2).min(LONGEST_WAIT);
    }
}

fn told(seen: &Gate<'_>, found: &Found, args: &Args, changes: bool) -> Results {
    let mut results = Results::of(seen, &found.evaluation);
    if seen.decision == Decision::Undecided && changes {
        results.message = format!("not decided within {} s: {}", args.wait.as_secs(), results.message);
    }
    results
}

/// The stages of that names; empty ones do not count.
fn stages(names: &[String]) -> anyhow::Result<Vec<Stage>> {
    let named = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
    named
        .map(|name| {
            Stage::parse(name).ok_or_else(|| {
                let known: Vec<&str> = Stage::ALL.iter().map(|stage| stage.as_str()).collect();
                anyhow::anyhow!("--stage {name} is no stage; there are {}", known.join(", "))
            })
        })
        .collect()
}

/// A value that was given and is not empty: what a pipeline's default passes on is empty.
fn given(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|text| !text.is_empty())
}

/// A time as people write it: a whole number and s, m or h.
fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is not a time; write a whole number and s, m or h, such as 90s, 10m or 1h");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return Err(wrong()),
    };
    let number: u64 = text.trim_end_matches(unit).parse().map_err(|_| wrong())?;
    number
        .checked_mul(seconds)
        .filter(|seconds| *seconds <= 24 * 3600)
        .map(Duration::from_secs)
        .ok_or_else(|| format!("{text} is more than a day"))
}

/// The namespace, where one is needed.
fn needed<'a>(namespace: Option<&'a str>, what: &str) -> anyhow::Result<&'a str> {
    match namespace {
        Some(namespace) => Ok(namespace),
        None => bail!("{what} needs --namespace NAME"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_numbers_with_a_unit() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("1h", 3600), ("0s", 0), ("24h", 86_400)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "10", "m", "-1m", "1.5h", "10 m", "25h", "99999999999999999999s", "10ms"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn empty_stages_are_none_and_unknown_ones_are_told() {
        let named = |names: &[&str]| stages(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(named(&[""]).unwrap(), []);
        assert_eq!(
            named(&["route-ready", " deployment-ready"]).unwrap(),
            [Stage::RouteReady, Stage::DeploymentReady]
        );
        assert!(
            named(&["rout-ready"])
                .unwrap_err()
                .to_string()
                .contains("there are cluster-health,")
        );
    }
}
