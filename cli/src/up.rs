//! `stargate up`: everything in one process, over real clusters or a simulated fleet.
//!
//! ```text
//! PostgreSQL (up/database.rs)  <── functions behind the embedded broker (up/host.rs) <── jobs by their schedules (up/schedule.rs)
//!      ^                                                                                    │ read
//!      └── query on http://localhost:8090                          clusters, or sim (up/demo.rs)
//! ```
//! The programs are those that a cluster runs, hosted by the same code; only the broker and the scheduler are ours.

mod database;
mod demo;
mod host;
mod progress;
mod schedule;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use stargate_common::boot;
use stargate_common::clock::Clock;
use stargate_common::cluster::ClusterSettings;
use stargate_common::settings::{LogFormat, SecretString};
use stargate_query::access::Identity;
use stargate_query::site;
use tokio_util::sync::CancellationToken;

use self::database::Database;
pub use self::database::NAME as DATABASE;
use self::demo::Demo;
use self::host::{Front, Host, Simulated};
use self::progress::step;
use crate::output;

/// Run everything on this machine: PostgreSQL, the functions, the schedules, the API.
///
/// Without credentials for clusters it watches a simulated fleet, and says so. Ctrl-C stops everything; data stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  stargate up                                        a simulated fleet, API on http://localhost:8090
  STARGATE_KUBECONFIG_DIR=~/clusters stargate up     real clusters, one kubeconfig file each
  stargate up --port 9000 --data-dir /tmp/stargate   beside another one")]
pub struct Args {
    /// Port of the API, on the loopback interface
    #[arg(long, default_value_t = 8090, value_name = "PORT")]
    port: u16,
    /// Where the database and everything else is kept
    #[arg(long, env = "STARGATE_DATA_DIR", default_value = ".stargate", value_name = "DIR")]
    data_dir: PathBuf,
    /// A PostgreSQL to use instead of a private one
    #[arg(long, env = "STARGATE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<SecretString>,
    /// How many times as often as in production the schedules run; by default 20 for the simulated fleet, 1 for real clusters
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=300))]
    pace: Option<u32>,
    /// Which simulated fleet: the same number gives the same one
    #[arg(long, default_value_t = 42, value_name = "N")]
    seed: u64,
    /// A folder of rubrics to judge by instead of the built-in ones; it is followed while this runs
    #[arg(long, env = "STARGATE_RUBRICS_DIR", value_name = "DIR")]
    rubrics: Option<PathBuf>,
    /// Directory of the dashboard's files; by default dashboard/dist below the current directory, where `make dashboard` builds them
    #[arg(long, env = "STARGATE_DASHBOARD_DIR", value_name = "DIR")]
    dashboard_dir: Option<PathBuf>,
    /// What to log: a level, or directives such as `info,sqlx=debug`
    #[arg(long, env = "STARGATE_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
    #[command(flatten)]
    clusters: ClusterSettings,
}

/// How many times as often a simulated fleet is read: its faults come and go within minutes.
const DEMO_PACE: u32 = 20;

/// Runs until Ctrl-C.
///
/// # Errors
/// What cannot be started, and what to do about it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    boot::init_logs(&args.log, LogFormat::Text);
    boot::init_metrics();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(up(args))?;
    Ok(ExitCode::SUCCESS)
}

async fn up(args: Args) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    boot::on_signal(&shutdown);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    free(address)?;
    let is_demo = args.clusters.kubeconfig.is_none() && args.clusters.kubeconfig_dir.is_none();
    output::note(if is_demo {
        "StarGate over a SIMULATED fleet; set STARGATE_KUBECONFIG_DIR to watch real clusters."
    } else {
        "StarGate"
    });

    let database = step("database", Database::open(args.database_url.clone(), &args.data_dir)).await?;
    // From here on, whatever happens, what was started is stopped.
    let ended = serve(&args, is_demo, &database, address, shutdown).await;
    let stopped = database.close().await;
    if ended.is_ok() {
        output::note("Stopped. Data is kept.");
    }
    ended.and(stopped)
}

async fn serve(args: &Args, is_demo: bool, database: &Database, address: SocketAddr, shutdown: CancellationToken) -> anyhow::Result<()> {
    let demo = if is_demo {
        Some(step("fleet", Demo::start(args.seed, &args.data_dir)).await?)
    } else {
        None
    };
    let clusters = demo.as_ref().map_or_else(|| args.clusters.clone(), Demo::clusters);
    let here = std::env::current_dir().context("finding the current directory")?;
    let dashboard = site::find(args.dashboard_dir.as_deref(), &here);
    let pace = args.pace.unwrap_or(if is_demo { DEMO_PACE } else { 1 });
    let host = step(
        "functions",
        Host::start(
            database,
            clusters,
            demo.as_ref().map(|demo| Simulated {
                probes: demo.probes(),
                collect: demo.collect_args(),
            }),
            args.rubrics.clone(),
            Front {
                everybody: if is_demo { Identity::demo() } else { Identity::local_admin() },
                dashboard: dashboard.clone(),
            },
            Clock::System,
            shutdown.clone(),
        ),
    )
    .await?;

    // Whatever ends first takes the other with it.
    let api = async {
        let served = boot::serve(host.api(), address, shutdown.clone()).await;
        shutdown.cancel();
        served
    };
    let work = async {
        let worked = work(&host, address, pace, is_demo, dashboard.is_some()).await;
        shutdown.cancel();
        worked
    };
    let (served, worked) = tokio::join!(api, work);
    if let Some(demo) = demo {
        demo.stop().await;
    }
    worked.and(served)
}

/// Reads and judges everything once, says what came of it, and goes on by the schedules until told to stop.
async fn work(host: &Host, address: SocketAddr, pace: u32, is_demo: bool, has_dashboard: bool) -> anyhow::Result<()> {
    step("first scan", host.first_round()).await?;
    step("provisioning", host.first_collection()).await?;
    let said = host.told().await?;
    let signed_in = if is_demo {
        "Everybody on this machine is signed in as the DEMO USER, an operator of the simulated fleet."
    } else {
        "Everybody on this machine is signed in as the local administrator."
    };
    let page = if has_dashboard {
        ""
    } else {
        "api/v1/overview      (make dashboard builds the pages)"
    };
    output::note(&format!(
        "\n{said}\n{signed_in}\n\n  http://localhost:{}/{page}\n  stargate instances --state failing\n",
        address.port()
    ));
    host.run_schedules(pace).await
}

/// Fails early, before anything is started, when the port is taken.
fn free(address: SocketAddr) -> anyhow::Result<()> {
    match std::net::TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            bail!("port {} is in use by another process; choose another with --port", address.port())
        }
        Err(error) => Err(error).with_context(|| format!("listening on {address}")),
    }
}
