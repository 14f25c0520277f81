//! The one way to start: settings, logs, database, signals, health, exit code.
//!
//! | Kind | Trait | Started by | Is |
//! |---|---|---|---|
//! | function | [`Function`] | [`function()`] | an event handler behind a Knative Trigger |
//! | job | [`Job`] | [`job()`] | one run of a CronJob |
//! | server | [`Server`] | [`server()`] | an HTTP API |
//!
//! A `main` is one line: `stargate_common::boot::function::<Evaluate>()`. The `stargate` command and `stargate run NAME` in the
//! container image call the same with other arguments; `stargate up` and the tests host [`router`]s and [`run`] jobs in one process.
//!
//! Exit codes: 0 done, 1 failed (Kubernetes may try again), 2 bad settings (it need not).

mod function;
mod health;
mod job;
mod server;
mod shutdown;
mod telemetry;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

pub use function::{Accepts, Function, router};
pub use health::with_health;
pub use job::{Job, run};
pub use server::{Server, serve};
pub use shutdown::on_signal;
pub use telemetry::{init_logs, init_metrics, render_metrics};

use crate::clock::Clock;
use crate::db::{self, Access, PoolSettings};
use crate::events::EventType;
use crate::events::sink::{HttpSink, Sink};
use crate::settings::{self, BaseSettings, ExposeSecret as _, ServeSettings, SettingsError};

/// Everything a function, job or server is given. Cheap to clone as far as its settings are.
#[derive(Debug, Clone)]
pub struct Context<S> {
    /// Its name: in logs, metrics, event sources and `pg_stat_activity`.
    pub name: &'static str,
    /// Its own settings.
    pub settings: S,
    /// Connects on first use.
    pub db: PgPool,
    /// What time it is.
    pub clock: Clock,
    /// Where events go.
    pub sink: Sink,
    /// Cancelled on SIGTERM or Ctrl-C: finish what is begun, begin nothing.
    pub shutdown: CancellationToken,
}

#[derive(Debug, Args)]
struct ServingArgs<S: Args> {
    #[command(flatten)]
    own: S,
    #[command(flatten)]
    serve: ServeSettings,
    #[command(flatten)]
    base: BaseSettings,
}

#[derive(Debug, Args)]
struct JobArgs<S: Args> {
    #[command(flatten)]
    own: S,
    #[command(flatten)]
    base: BaseSettings,
}

/// Runs a function until it is told to stop.
pub fn function<F: Function>() -> ExitCode {
    function_with::<F>(std::env::args_os())
}

/// As [`function()`], with these arguments; the first is the program.
pub fn function_with<F: Function>(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    boot(F::NAME, args, |args: ServingArgs<F::Settings>| {
        let context = context(F::NAME, args.own, &args.base, Access::ReadWrite, F::EMITS);
        (args.base, context, async move |context: Context<F::Settings>| {
            let shutdown = context.shutdown.clone();
            let router = router::<F>(context, args.serve.deadline()).await?;
            serve(with_health(router), args.serve.address(), shutdown).await
        })
    })
}

/// Runs a server until it is told to stop.
pub fn server<S: Server>() -> ExitCode {
    server_with::<S>(std::env::args_os())
}

/// As [`server()`], with these arguments; the first is the program.
pub fn server_with<S: Server>(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    boot(S::NAME, args, |args: ServingArgs<S::Settings>| {
        let context = context(S::NAME, args.own, &args.base, S::ACCESS, S::EMITS);
        (args.base, context, async move |context: Context<S::Settings>| {
            let shutdown = context.shutdown.clone();
            let router = S::start(&context).await?;
            serve(router, args.serve.address(), shutdown).await
        })
    })
}

/// Runs a job once.
pub fn job<J: Job>() -> ExitCode {
    job_with::<J>(std::env::args_os())
}

/// As [`job()`], with these arguments; the first is the program.
pub fn job_with<J: Job>(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    boot(J::NAME, args, |args: JobArgs<J::Settings>| {
        let context = context(J::NAME, args.own, &args.base, Access::ReadWrite, J::EMITS);
        (args.base, context, async move |context: Context<J::Settings>| {
            run::<J>(&context).await
        })
    })
}

/// Whether a manifest with these arguments and variables starts the function `F`.
///
/// # Errors
/// The line that the function would die with, or the variable it does not know.
pub fn check_function<F: Function>(args: &[String], env: &[(String, String)]) -> Result<(), SettingsError> {
    settings::check::<ServingArgs<F::Settings>>(F::NAME, args, env)
}

/// As [`check_function`], for a server.
///
/// # Errors
/// The line that the server would die with, or the variable it does not know.
pub fn check_server<S: Server>(args: &[String], env: &[(String, String)]) -> Result<(), SettingsError> {
    settings::check::<ServingArgs<S::Settings>>(S::NAME, args, env)
}

/// As [`check_function`], for a job.
///
/// # Errors
/// The line that the job would die with, or the variable it does not know.
pub fn check_job<J: Job>(args: &[String], env: &[(String, String)]) -> Result<(), SettingsError> {
    settings::check::<JobArgs<J::Settings>>(J::NAME, args, env)
}

/// Reads settings, sets the process up, runs `main` on its context, and turns the end into an exit code.
fn boot<A: Args, S, M>(
    name: &'static str,
    args: impl IntoIterator<Item = OsString>,
    prepare: impl FnOnce(A) -> (BaseSettings, Result<Context<S>, SettingsError>, M),
) -> ExitCode
where
    M: AsyncFnOnce(Context<S>) -> anyhow::Result<()>,
{
    let args = match settings::read::<A>(name, args) {
        Ok(args) => args,
        Err(error) => return refuse(name, &error),
    };
    // Before any TLS client is made: without a provider reqwest panics.
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(name, &SettingsError::Wrong(format!("no threads to run on: {error}"))),
    };
    let result = runtime.block_on(async {
        // The pool belongs to the runtime it is made in.
        let (base, context, main) = prepare(args);
        init_logs(&base.log, base.log_format);
        init_metrics();
        let context = context.map_err(Ended::Settings)?;
        on_signal(&context.shutdown);
        let db = context.db.clone();
        let result = main(context).await;
        db.close().await;
        // Some settings can only be judged by starting: a directory that must hold the right files.
        result.map_err(|error| error.downcast().map_or_else(Ended::Failed, Ended::Settings))
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ended::Settings(error)) => refuse(name, &error),
        Err(Ended::Failed(error)) => {
            tracing::error!(error = format!("{error:#}"), "{name} failed: {error:#}");
            ExitCode::from(1)
        }
    }
}

enum Ended {
    Settings(SettingsError),
    Failed(anyhow::Error),
}

#[expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "there are no logs yet, and help is for people"
)]
fn refuse(name: &str, error: &SettingsError) -> ExitCode {
    match error {
        SettingsError::Asked(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        SettingsError::Wrong(line) => {
            eprintln!("stargate {name}: {line}");
            ExitCode::from(2)
        }
    }
}

fn context<S>(name: &'static str, own: S, base: &BaseSettings, access: Access, emits: &[EventType]) -> Result<Context<S>, SettingsError> {
    let wrong = |error: anyhow::Error| SettingsError::Wrong(format!("{error:#}"));
    let pool = match access {
        Access::ReadWrite => PoolSettings::read_write(format!("stargate-{name}")),
        Access::ReadOnly => PoolSettings::read_only(format!("stargate-{name}")),
    };
    let pool = PoolSettings {
        connections: base.db_pool_max,
        ..pool
    };
    let db = db::connect_lazily(base.database_url.expose_secret(), &pool).map_err(|error| wrong(error.into()))?;
    let sink = match &base.sink {
        Some(url) => {
            let ca = Some(base.sink_ca.as_str()).filter(|pem| !pem.trim().is_empty());
            Sink::Http(
                HttpSink::new(url.clone(), base.ce_overrides.clone(), ca)
                    .context("K_CA_CERTS")
                    .map_err(wrong)?,
            )
        }
        None if emits.is_empty() => Sink::Nowhere,
        None => {
            let line = "K_SINK (or --sink) must be set: its events need a broker. In a cluster the SinkBinding sets it, by the Job's label";
            return Err(SettingsError::Wrong(line.into()));
        }
    };
    Ok(Context {
        name,
        settings: own,
        db,
        clock: Clock::System,
        sink,
        shutdown: CancellationToken::new(),
    })
}
