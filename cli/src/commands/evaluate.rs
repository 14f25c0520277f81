//! `stargate evaluate`: verdicts without database or model, on recorded objects or on a live namespace.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::ValueEnum;
use stargate_common::collect::probe::ProbeSettings;
use stargate_common::collect::recorded;
use stargate_common::evaluate::FleetVerdict;
use stargate_common::evaluate::pipeline::evaluate_snapshot;
use stargate_common::evaluate::report::{FailOn, Report};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::objects::{ClusterInventory, Problem, Snapshot};
use stargate_common::unknown::UnknownReason;

use super::live::{self, Live, Looked};
use crate::api::runtime;
use crate::output;

/// How long reading a live namespace may take.
const LIVE_BUDGET: Duration = Duration::from_secs(120);

/// Judge recorded objects: files of `oc get -o json|yaml`, a must-gather, an `oc adm inspect` tree, or an archive of these.
///
/// A kind that is not in the recording was not read: what depends on it is indeterminate, never passed and never failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  judged    1  --fail-on matched    2  bad input or usage

Examples:
  oc get ns,pods,deploy,svc,routes -n my-lab -o json > my-lab/objects.json && stargate evaluate --from my-lab
  stargate evaluate --from must-gather.tar.gz -o wide
  stargate evaluate --kubeconfig ~/.kube/config --namespace sandbox-m4x8d-webshop
  stargate evaluate --from recording --fail-on fail -o junit > readiness.xml")]
pub struct Args {
    /// Directory, file or .tar.gz with recorded objects
    #[arg(
        long,
        value_name = "DIR|FILE",
        required_unless_present = "kubeconfig",
        conflicts_with = "kubeconfig"
    )]
    from: Option<PathBuf>,
    /// Read --namespace of this cluster now instead
    #[arg(long, value_name = "FILE", requires = "namespace", conflicts_with = "at")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig; by default its current one
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    context: Option<String>,
    #[command(flatten)]
    probes: ProbeSettings,
    /// Moment of the recording, RFC 3339; by default the newest time that any object speaks of
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// Only this namespace; may be repeated
    #[arg(long, short, value_name = "NAME")]
    namespace: Vec<String>,
    /// Rubrics to judge by instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    rubrics: Option<PathBuf>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,
    /// Leave with code 1 when a stage comes out like this or worse
    #[arg(long, value_enum, value_name = "OUTCOME")]
    fail_on: Option<FailOnArg>,
}

/// How verdicts are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// What does not pass, one line a stage
    Table,
    /// Every stage with its criteria
    Wide,
    /// For scripts; the fields are an interface
    Json,
    /// The same as YAML
    Yaml,
    /// For test reports
    Junit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOnArg {
    /// A known failure
    Fail,
    /// A failure or a warning
    Warn,
    /// Anything that is not a pass
    Indeterminate,
}

/// Runs the command.
///
/// # Errors
/// When the recording or the rubrics cannot be read, or a namespace that was asked for is not there.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let rubrics = rubrics(args.rubrics.as_deref())?;
    let Judged { report, remark, .. } = match (&args.from, &args.kubeconfig) {
        (Some(from), _) => recorded_report(&rubrics, from, args.at, &args.namespace)?,
        (None, Some(kubeconfig)) => {
            let live = Live {
                kubeconfig,
                context: args.context.as_deref(),
                namespaces: &args.namespace,
                probes: Some(&args.probes),
            };
            let looked = runtime()?.block_on(live::look(live, LIVE_BUDGET))?;
            live_report(&rubrics, looked)
        }
        (None, None) => anyhow::bail!("what to judge? Set --from DIR, or --kubeconfig FILE and --namespace NAME"),
    };
    print(args.output, &report)?;
    if matches!(args.output, Format::Table | Format::Wide) {
        output::note(&remark);
    }
    let fail_on = args.fail_on.map(|arg| match arg {
        FailOnArg::Fail => FailOn::Fail,
        FailOnArg::Warn => FailOn::Warn,
        FailOnArg::Indeterminate => FailOn::Indeterminate,
    });
    Ok(if fail_on.is_some_and(|fail_on| report.matches(fail_on)) {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

/// A report, as of when it is, and what to say about it.
#[derive(Debug)]
pub struct Judged {
    /// The verdicts.
    pub report: Report,
    /// The time they hold for.
    pub at: DateTime<Utc>,
    /// One line for people.
    pub remark: String,
}

/// Judges a recording.
///
/// # Errors
/// The recording cannot be read, or does not hold the namespaces.
pub fn recorded_report(
    rubrics: &RubricSet,
    from: &std::path::Path,
    at: Option<DateTime<Utc>>,
    namespaces: &[String],
) -> anyhow::Result<Judged> {
    let recording = recorded::read(from, at)?;
    let mut snapshots = recording.clusters;
    if !namespaces.is_empty() {
        select(&mut snapshots, namespaces)?;
    }
    let report = report(rubrics, recording.at, recording.problems, snapshots);
    let remark = format!(
        "{} namespaces judged as of {}; {} files and {} objects read, {} files held none",
        report.namespaces.len(),
        recording.at.format("%Y-%m-%dT%H:%M:%SZ"),
        recording.files,
        recording.objects,
        recording.skipped
    );
    Ok(Judged {
        report,
        at: recording.at,
        remark,
    })
}

/// Judges what was read of a live cluster.
pub fn live_report(rubrics: &RubricSet, looked: Looked) -> Judged {
    let Looked { snapshot, at } = looked;
    let report = report(rubrics, at, Vec::new(), vec![snapshot]);
    let remark = format!(
        "{} namespaces judged as of {}",
        report.namespaces.len(),
        at.format("%Y-%m-%dT%H:%M:%SZ")
    );
    Judged { report, at, remark }
}

fn report(rubrics: &RubricSet, at: DateTime<Utc>, problems: Vec<Problem>, snapshots: Vec<Snapshot>) -> Report {
    let verdict = judge(rubrics, &snapshots, at);
    let found = snapshots.into_iter().flat_map(|snapshot| snapshot.problems);
    let problems: Vec<Problem> = problems.into_iter().chain(found).collect();
    Report::new(&verdict, &problems)
}

/// The built-in rubrics, or those of a directory.
///
/// # Errors
/// What is wrong with them, by file and line.
pub fn rubrics(dir: Option<&std::path::Path>) -> anyhow::Result<RubricSet> {
    match dir {
        None => RubricSet::embedded().context("the built-in rubrics"),
        Some(dir) => RubricSet::from_dir(dir).with_context(|| format!("rubrics in {}", dir.display())),
    }
}

fn select(snapshots: &mut [Snapshot], wanted: &[String]) -> anyhow::Result<()> {
    for name in wanted {
        if !snapshots.iter().any(|snapshot| snapshot.namespaces.contains_key(name)) {
            let known: Vec<&str> = snapshots
                .iter()
                .flat_map(|snapshot| snapshot.namespaces.keys())
                .map(String::as_str)
                .take(10)
                .collect();
            anyhow::bail!(
                "namespace {name} is not in the recording; it holds {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            );
        }
    }
    for snapshot in snapshots {
        snapshot.namespaces.retain(|name, _| wanted.contains(name));
    }
    Ok(())
}

fn judge(rubrics: &RubricSet, snapshots: &[Snapshot], now: DateTime<Utc>) -> FleetVerdict {
    let mut fleet = FleetVerdict {
        clusters: std::collections::BTreeMap::new(),
        instances: Vec::new(),
    };
    for snapshot in snapshots {
        // What a lab's definition declares comes from the catalog; a recording has none.
        let judged = evaluate_snapshot(rubrics, snapshot, now, &|_| None);
        // A recording of namespaces says nothing about their cluster: there is no such verdict, not an indeterminate one.
        if is_about_cluster(&snapshot.cluster) {
            fleet.clusters.extend(judged.clusters);
        }
        fleet.instances.extend(judged.instances);
    }
    fleet
}

/// Whether anything of the cluster itself was recorded.
fn is_about_cluster(cluster: &ClusterInventory) -> bool {
    let ClusterInventory {
        name: _,
        reachable,
        nodes,
        node_metrics,
        operators,
        versions,
        // They stand in namespaces, and may be recorded with these.
        subscriptions: _,
        critical_alerts,
        // Counted among the pods of namespaces.
        job_backlogs: _,
    } = cluster;
    let missing = [
        nodes.missing,
        node_metrics.missing,
        operators.missing,
        versions.missing,
        critical_alerts.missing,
    ];
    reachable.is_some() || missing.iter().any(|missing| *missing != Some(UnknownReason::NotCollected))
}

fn print(format: Format, report: &Report) -> anyhow::Result<()> {
    match format {
        Format::Table => output::text(&report.table(false)),
        Format::Wide => output::text(&report.table(true)),
        Format::Json => output::text(&(serde_json::to_string_pretty(report)? + "\n")),
        Format::Yaml => output::text(&output::yaml(report)?),
        Format::Junit => output::text(&report.junit()),
    }
}
