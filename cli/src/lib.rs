//! The `stargate` command line, also callable as `kubectl stargate`.
//!
//! Every subcommand is one file under `commands/`. Exit codes: 0 done, 1 the answer is "no" (`--fail-on` matched, nothing
//! found by that name), 2 bad usage or input.

mod api;
mod commands;
mod output;
mod store;
mod up;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Continuous operations for labs, demos and workshops: what is not ready, where, why, since when.
#[derive(Debug, Parser)]
#[command(name = "stargate", version, propagate_version = true, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  stargate up                                  run everything here, over a simulated fleet
  stargate evaluate --from must-gather.tar.gz  judge recorded objects; no cluster, database or network needed
  stargate instances --state failing           what is not ready, where, why, since when
  stargate explain pods_crashlooping           what a failure class means and what to look at";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on this machine: database, functions, schedules, API
    Up(up::Args),
    /// Judge recorded objects, or one live cluster, without a database
    Evaluate(commands::evaluate::Args),
    /// Let a pipeline go on only when a namespace is ready
    Gate(commands::gate::Args),
    /// Write what a pipeline run came to
    Outcome(commands::outcome::Args),
    /// Write the objects of live clusters to a directory, secrets removed
    Record(commands::record::Args),
    /// Scan clusters now and store what changed
    Scan(commands::scan::Args),
    /// Read provisioning systems now and store what changed
    Collect(Box<commands::collect::Args>),
    /// List sources: whether data still comes, and why not
    Sources(commands::sources::Args),
    /// List clusters, or show one
    Clusters(commands::clusters::Args),
    /// List labs, or show one
    Labs(commands::labs::Args),
    /// List lab instances, or show one with its stages and criteria
    Instances(commands::instances::Args),
    /// Tell why one instance is as it is: from what was ordered to who waits for it
    Why(commands::why::Args),
    /// List sessions that run or come, and whether they are ready
    Sessions(commands::sessions::Args),
    /// List resource pools, or show one with its history
    Pools(commands::pools::Args),
    /// List AnarchySubjects, or show one with its story
    Subjects(commands::subjects::Args),
    /// Tell how provisioning goes, or list its jobs
    Provisioning(commands::provisioning::Args),
    /// List incidents, or show one
    Incidents(commands::incidents::Args),
    /// List what is advised, or show one
    Recommendations(commands::recommendations::Args),
    /// Check policy rules, and prove them on cases
    Policy(commands::policy::Args),
    /// What can be done about failures: check the catalog, list it, show an entry
    Remediation(commands::remediation::Args),
    /// Check rubrics, and prove them on cases
    Rubric(commands::rubric::Args),
    /// Explain a failure class, criterion, stage or reason
    Explain(commands::explain::Args),
    /// List events that no function could handle, and send them again
    Deadletters(commands::deadletters::Args),
    /// Run one function or job as the cluster does
    Run(commands::run::Args),
    /// Print a completion script
    Completion(commands::completion::Args),
}

/// The definition of the command line, for whoever checks that a manifest's arguments fit.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    // Every HTTP client needs it, and building one without it panics.
    rustls::crypto::ring::default_provider().install_default().ok();
    let result = match Cli::parse().command {
        Command::Up(args) => up::run(args),
        Command::Evaluate(args) => commands::evaluate::run(&args),
        Command::Gate(args) => commands::gate::run(&args),
        Command::Outcome(args) => commands::outcome::run(&args),
        Command::Record(args) => commands::record::run(&args),
        Command::Scan(args) => commands::scan::run(args),
        Command::Collect(args) => commands::collect::run(*args),
        Command::Sources(args) => commands::sources::run(&args),
        Command::Clusters(args) => commands::clusters::run(&args),
        Command::Labs(args) => commands::labs::run(&args),
        Command::Instances(args) => commands::instances::run(&args),
        Command::Why(args) => commands::why::run(&args),
        Command::Sessions(args) => commands::sessions::run(&args),
        Command::Pools(args) => commands::pools::run(&args),
        Command::Subjects(args) => commands::subjects::run(&args),
        Command::Provisioning(args) => commands::provisioning::run(&args),
        Command::Incidents(args) => commands::incidents::run(&args),
        Command::Recommendations(args) => commands::recommendations::run(&args),
        Command::Policy(args) => commands::policy::run(&args),
        Command::Remediation(args) => commands::remediation::run(&args),
        Command::Rubric(args) => commands::rubric::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Deadletters(args) => commands::deadletters::run(&args),
        Command::Run(args) => return commands::run::run(args),
        Command::Completion(args) => commands::completion::run(&args, &mut Cli::command()),
    };
    result.unwrap_or_else(|error| {
        output::error(&error);
        ExitCode::from(2)
    })
}
