//! `stargate rubric record`: one namespace of a recording as a case, without what is nobody's business.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use stargate_common::collect::recorded;
use stargate_common::evaluate::case::recording;
use stargate_common::objects::Snapshot;
use stargate_common::stage::Stage;

use crate::commands::evaluate::rubrics;
use crate::output;

/// Turn one namespace of a recording into a case that expects the present verdicts.
///
/// Only what a verdict depends on is kept. Secrets, people's names, uids and names of hosts and nodes are left out; times count
/// from the evaluation. The case is judged before it is printed: it gives the same verdicts as the recording, or there is none.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  written    2  bad input or usage

Examples:
  stargate rubric record --from must-gather.tar.gz --namespace sandbox-m4x8d-webshop
  stargate rubric record --from recording --namespace sandbox-m4x8d-webshop --stage route-ready --out rubrics/route-ready/cases/webshop.yaml")]
pub struct Args {
    /// Recording, as `stargate evaluate --from` takes it
    #[arg(long, value_name = "DIR|FILE")]
    from: PathBuf,
    /// The namespace
    #[arg(long, short, value_name = "NAME")]
    namespace: String,
    /// The cluster, when several of the recording have such a namespace
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// Moment of the recording, RFC 3339; by default the newest time that any object speaks of
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// Expect only the verdict on this stage
    #[arg(long, value_name = "STAGE", value_parser = stage)]
    stage: Option<Stage>,
    /// Rubrics to judge by instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    rubrics: Option<PathBuf>,
    /// Write to this file, which must not be there yet, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn stage(name: &str) -> Result<Stage, String> {
    Stage::parse(name).ok_or_else(|| format!("stages are {}", Stage::ALL.map(Stage::as_str).join(", ")))
}

/// Runs the command.
///
/// # Errors
/// When the recording, the rubrics or the namespace cannot be read, or the file cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let rubrics = rubrics(args.rubrics.as_deref())?;
    let recording = recorded::read(&args.from, args.at)?;
    let snapshot = snapshot(args, &recording.clusters)?;
    let text = recording::record(&rubrics, snapshot, &args.namespace, recording.at, args.stage)?;
    let Some(path) = &args.out else {
        output::text(&text)?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut file = std::fs::File::create_new(path).with_context(|| format!("writing {}", path.display()))?;
    file.write_all(text.as_bytes())
        .with_context(|| format!("writing {}", path.display()))?;
    output::note(&format!("{} written; say in its title what it shows", path.display()));
    Ok(ExitCode::SUCCESS)
}

/// The only cluster that has the namespace.
fn snapshot<'a>(args: &Args, clusters: &'a [Snapshot]) -> anyhow::Result<&'a Snapshot> {
    let asked = |snapshot: &&Snapshot| args.cluster.as_ref().is_none_or(|name| *name == snapshot.cluster.name);
    let with: Vec<&Snapshot> = clusters
        .iter()
        .filter(asked)
        .filter(|snapshot| snapshot.namespaces.contains_key(&args.namespace))
        .collect();
    match with.as_slice() {
        [] => bail!(
            "namespace {} is not in the recording; `stargate evaluate --from` lists those that are",
            args.namespace
        ),
        [one] => Ok(one),
        several => {
            let names: Vec<&str> = several.iter().map(|snapshot| &*snapshot.cluster.name).collect();
            bail!("namespace {} is on {}: say which with --cluster", args.namespace, names.join(", "))
        }
    }
}
