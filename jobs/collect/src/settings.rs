//! Settings of the job: which source, and how each is reached.

use clap::Args;
use stargate_common::sources::SourceName;
use stargate_common::sources::aap::AapSettings;
use stargate_common::sources::agnosticv::AgnosticvSettings;
use stargate_common::sources::babylon::BabylonSettings;
use stargate_common::sources::demolition::DemolitionSettings;
use stargate_common::sources::labagator::LabagatorSettings;
use stargate_common::sources::sandbox_api::SandboxApiSettings;

use crate::link::LinkSettings;

/// What only this job needs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Collect settings")]
pub struct Settings {
    /// Which system to read.
    #[arg(long, value_enum)]
    pub source: SourceName,

    /// A person asked for this run.
    #[arg(long, hide = true)]
    pub by_command: bool,

    /// How they are reached.
    #[command(flatten)]
    pub systems: Systems,
}

/// How every system is reached. One that is not configured is disabled.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Collect settings")]
pub struct Systems {
    /// Only pools, catalog items and labs of one event: what their names begin with. Empty: everything.
    #[arg(long, env = "STARGATE_EVENT_PREFIX", value_name = "PREFIX", default_value = "")]
    pub event_prefix: String,

    /// Seconds one run may take; what is not read by then is unknown. Stays below the deadline of the CronJob.
    #[arg(long, env = "STARGATE_COLLECT_BUDGET_S", value_name = "SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub budget_s: u64,

    /// How what is read is joined.
    #[command(flatten)]
    pub links: LinkSettings,

    /// The control plane.
    #[command(flatten)]
    pub babylon: BabylonSettings,

    /// The Sandbox API.
    #[command(flatten)]
    pub sandbox_api: SandboxApiSettings,

    /// The AAP controllers.
    #[command(flatten)]
    pub aap: AapSettings,

    /// Demolition.
    #[command(flatten)]
    pub demolition: DemolitionSettings,

    /// Labagator.
    #[command(flatten)]
    pub labagator: LabagatorSettings,

    /// AgnosticV.
    #[command(flatten)]
    pub agnosticv: AgnosticvSettings,
}
