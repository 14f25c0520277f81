//! `stargate run NAME`: what a container of the cluster runs. One image holds one binary with every capability.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ValueEnum;
use stargate_common::boot;

/// Run one function or job as the cluster does: settings from flags and the environment. `stargate run NAME --help` lists them.
#[derive(Debug, clap::Args)]
#[command(
    // `--help` belongs to the program that is run.
    disable_help_flag = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  stargate run evaluate --help\n  stargate run scan --tier cluster --kubeconfig-dir /etc/stargate/kubeconfigs"
)]
pub struct Args {
    /// Which one
    #[arg(value_enum)]
    name: Capability,
    /// Its own arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Capability {
    /// Function: judges what a scan stored
    Evaluate,
    /// Function: advises what the facts of labs, pools and clusters call for
    Recommend,
    /// Function: keeps events that nobody could handle
    Deadletter,
    /// Function: reads a provisioning system that somebody asked for
    CollectRequested,
    /// Server: takes pushes to the AgnosticV repository
    AgnosticvHook,
    /// Server: the read-only API
    Query,
    /// Job: reads clusters
    Scan,
    /// Job: reads a provisioning system
    Collect,
    /// Job: sends what was not sent, judges what was not judged
    Sweep,
    /// Job: makes partitions and drops old ones
    Retain,
}

/// Runs it until it is done or told to stop.
pub fn run(args: Args) -> ExitCode {
    let capability = args.name;
    let name = capability
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default();
    let args = std::iter::once(OsString::from(format!("stargate run {name}"))).chain(args.args);
    match capability {
        Capability::Evaluate => boot::function_with::<stargate_evaluate::Evaluate>(args),
        Capability::Recommend => boot::function_with::<stargate_recommend::Recommend>(args),
        Capability::Deadletter => boot::function_with::<stargate_deadletter::Deadletter>(args),
        Capability::CollectRequested => boot::function_with::<stargate_collect::CollectRequested>(args),
        Capability::AgnosticvHook => boot::server_with::<stargate_agnosticv_hook::Hook>(args),
        Capability::Query => boot::server_with::<stargate_query::Query>(args),
        Capability::Scan => boot::job_with::<stargate_scan::Scan>(args),
        Capability::Collect => boot::job_with::<stargate_collect::Collect>(args),
        Capability::Sweep => boot::job_with::<stargate_sweep::Sweep>(args),
        Capability::Retain => boot::job_with::<stargate_retain::Retain>(args),
    }
}
