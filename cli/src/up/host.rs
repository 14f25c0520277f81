//! The programs of a cluster, hosted in this process.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use sqlx::PgPool;
use stargate_collect::{Collect, CollectRequested};
use stargate_common::boot::{self, Context, Function, Job, Server};
use stargate_common::clock::Clock;
use stargate_common::cluster::ClusterSettings;
use stargate_common::collect::probe::ProbeSettings;
use stargate_common::events::broker::manifest;
use stargate_common::events::broker::{Broker, LocalBroker, Pause, Subscriber};
use stargate_common::events::sink::Sink;
use stargate_common::settings::{self, SettingsError};
use stargate_common::sources::SourceName;
use stargate_common::tier::Tier;
use stargate_query::access::Identity;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::database::Database;
use super::schedule::{self, Schedule};

/// How long a function may take for one event.
const DEADLINE: Duration = Duration::from_secs(120);

/// How a simulated fleet and the systems around it are reached.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// How its routes are probed.
    pub probes: ProbeSettings,
    /// Flags for the collectors.
    pub collect: Vec<OsString>,
}

/// What the API shows to whom.
#[derive(Debug, Clone)]
pub struct Front {
    /// Who everybody is, unless the environment says how people sign in.
    pub everybody: Identity,
    /// Where the dashboard's files lie.
    pub dashboard: Option<PathBuf>,
}

/// Functions behind the embedded broker, and what jobs need.
#[derive(Debug, Clone)]
pub struct Host {
    db: PgPool,
    api: Router,
    clusters: ClusterSettings,
    /// How to reach what is simulated; the real is reached as the environment says.
    simulated: Option<Simulated>,
    /// Rubrics to judge by instead of the built-in ones.
    rubrics: Option<PathBuf>,
    clock: Clock,
    sink: Sink,
    shutdown: CancellationToken,
}

impl Host {
    /// Starts the functions and subscribes them to the broker as the Trigger manifests say. Also says which.
    ///
    /// # Errors
    /// When a function does not start.
    pub async fn start(
        database: &Database,
        clusters: ClusterSettings,
        simulated: Option<Simulated>,
        rubrics: Option<PathBuf>,
        front: Front,
        clock: Clock,
        shutdown: CancellationToken,
    ) -> anyhow::Result<(Self, String)> {
        let broker = Broker::new(manifest::embedded()?, clock.clone(), Pause::Real, shutdown.clone())?;
        let sink = Sink::Local(std::sync::Arc::new(LocalBroker(std::sync::Arc::clone(&broker))));
        let mut host = Self {
            db: database.writer.clone(),
            api: Router::new(),
            clusters,
            simulated,
            rubrics,
            clock,
            sink,
            shutdown,
        };
        let judging = host.with(stargate_evaluate::Evaluate::NAME, host.judging());
        let evaluate = boot::router::<stargate_evaluate::Evaluate>(judging, DEADLINE).await?;
        broker.subscribe(stargate_evaluate::Evaluate::NAME, Subscriber::Local(evaluate));
        let recommend = host.function::<stargate_recommend::Recommend>().await?;
        broker.subscribe(stargate_recommend::Recommend::NAME, Subscriber::Local(recommend));
        let deadletter = host.function::<stargate_deadletter::Deadletter>().await?;
        broker.subscribe(stargate_deadletter::Deadletter::NAME, Subscriber::Local(deadletter));
        let requested = host.with(CollectRequested::NAME, host.collecting(CollectRequested::NAME, &[])?);
        let requested = boot::router::<CollectRequested>(requested, DEADLINE).await?;
        broker.subscribe(CollectRequested::NAME, Subscriber::Local(requested));
        let mut query: Context<<stargate_query::Query as Server>::Settings> = Context {
            db: database.reader.clone(),
            ..host.context::<stargate_query::Query>()?
        };
        query.settings.access.everybody = Some(front.everybody);
        query.settings.dashboard_dir = front.dashboard;
        host.api = stargate_query::Query::start(&query).await?;
        let mut hosted = "evaluate, recommend, deadletter, collect-requested and query".to_owned();
        // Without a secret there is nothing that could be told from a forgery.
        if let Ok(hook) = host.context::<stargate_agnosticv_hook::Hook>() {
            host.api = host
                .api
                .nest("/hooks/agnosticv", stargate_agnosticv_hook::Hook::start(&hook).await?);
            hosted = format!("agnosticv-hook, {hosted}");
        }
        Ok((host, hosted))
    }

    /// The routes of the API.
    pub fn api(&self) -> Router {
        self.api.clone()
    }

    /// Reads everything once and has it judged. Says how much.
    ///
    /// # Errors
    /// When nothing could be stored.
    pub async fn first_round(&self) -> anyhow::Result<((), String)> {
        self.run_job("scan", &["--tier".into(), Tier::Everything.as_str().into()]).await?;
        let total: i64 = self.states().await?.iter().map(|(_, count)| count).sum();
        Ok(((), format!("{total} lab instances judged")))
    }

    /// What an operator wants to know first: how many instances are in which state.
    ///
    /// # Errors
    /// When they cannot be counted.
    pub async fn told(&self) -> anyhow::Result<String> {
        let states = self.states().await?;
        let total: i64 = states.iter().map(|(_, count)| count).sum();
        let counts: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        Ok(format!("{total} lab instances: {}", counts.join(", ")))
    }

    async fn states(&self) -> anyhow::Result<Vec<(String, i64)>> {
        sqlx::query_as::<_, (String, i64)>("select state, sum(instances)::bigint from instance_rollup group by state order by 2 desc")
            .fetch_all(&self.db)
            .await
            .context("counting instances")
    }

    /// Reads every provisioning system once and joins what they know with what was scanned. A system that cannot be read does not stop the
    /// others; what is wrong with it is in its row of `sources`.
    ///
    /// # Errors
    /// When what came of it cannot be counted.
    pub async fn first_collection(&self) -> anyhow::Result<((), String)> {
        for source in SourceName::ALL {
            if self.shutdown.is_cancelled() {
                break;
            }
            if let Err(error) = self.run_job("collect", &["--source".into(), source.as_str().into()]).await {
                tracing::error!(
                    source = source.as_str(),
                    error = format!("{error:#}"),
                    "collecting {source}: {error:#}"
                );
            }
        }
        let (known, working) = sqlx::query_as::<_, (i64, i64)>(
            "select count(*) filter (where enabled), count(*) filter (where enabled and last_error is null) from sources
             where split_part(source, '/', 1) = any($1)",
        )
        .bind(SourceName::ALL.map(SourceName::as_str).as_slice())
        .fetch_one(&self.db)
        .await
        .context("counting sources")?;
        if known == 0 {
            return Ok(((), "no source is configured".to_owned()));
        }
        let (subjects, sessions) = sqlx::query_as::<_, (i64, i64)>(
            "select count(*) filter (where kind = 'subject'), count(*) filter (where kind = 'session') from records
             where kind in ('subject', 'session') and gone_at is null",
        )
        .fetch_one(&self.db)
        .await
        .context("counting records")?;
        let silent = if working < known {
            format!(" ({} not read)", known - working)
        } else {
            String::new()
        };
        Ok(((), format!("{known} sources{silent}, {subjects} subjects, {sessions} sessions")))
    }

    /// Runs the jobs by their schedules until told to stop; then waits for those that are running.
    ///
    /// # Errors
    /// When a manifest is not understood.
    pub async fn run_schedules(&self, pace: u32) -> anyhow::Result<()> {
        let mut loops = JoinSet::new();
        for schedule in schedule::all()? {
            let host = self.clone();
            loops.spawn(async move { host.repeat(&schedule, pace).await });
        }
        while let Some(ended) = loops.join_next().await {
            ended.context("a schedule ended badly")??;
        }
        Ok(())
    }

    async fn repeat(&self, schedule: &Schedule, pace: u32) -> anyhow::Result<()> {
        loop {
            let now = self.clock.now();
            let wait = (schedule.next(now, pace)? - now).to_std().unwrap_or_default();
            tokio::select! {
                () = self.shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
            let (name, args) = match schedule.args.as_slice() {
                [run, name, args @ ..] if run == "run" => (name, args),
                other => bail!("{}: do not know how to run {other:?}", schedule.name),
            };
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            if let Err(error) = self.run_job(name, &args).await {
                // The next run is the retry, as in a cluster.
                tracing::error!(job = name, error = format!("{error:#}"), "{}: {error:#}", schedule.name);
            }
        }
    }

    async fn run_job(&self, name: &str, args: &[OsString]) -> anyhow::Result<()> {
        match name {
            "scan" => {
                let mut context = self.job::<stargate_scan::Scan>(args)?;
                context.settings.clusters = self.clusters.clone();
                if let Some(simulated) = &self.simulated {
                    context.settings.simulated = true;
                    context.settings.probes = simulated.probes.clone();
                }
                boot::run::<stargate_scan::Scan>(&context).await
            }
            "collect" => {
                let settings = self.collecting(Collect::NAME, args)?;
                boot::run::<Collect>(&self.with(Collect::NAME, settings)).await
            }
            "sweep" => {
                let mut context = self.job::<stargate_sweep::Sweep>(args)?;
                context.settings = self.judging();
                boot::run::<stargate_sweep::Sweep>(&context).await
            }
            "retain" => boot::run::<stargate_retain::Retain>(&self.job::<stargate_retain::Retain>(args)?).await,
            other => bail!("no job {other}"),
        }
    }

    /// Settings of a collection, by schedule or on request. Simulated systems are reached by flags alone: what the environment says is for
    /// real ones.
    fn collecting<S: clap::Args>(&self, name: &'static str, args: &[OsString]) -> Result<S, SettingsError> {
        let args = std::iter::once(OsString::from(name)).chain(args.iter().cloned());
        match &self.simulated {
            Some(simulated) => settings::read_arguments(name, args.chain(simulated.collect.iter().cloned())),
            None => settings::read(name, args),
        }
    }

    fn judging(&self) -> stargate_evaluate::Settings {
        stargate_evaluate::Settings {
            rubrics_dir: self.rubrics.clone(),
        }
    }

    async fn function<F: Function>(&self) -> anyhow::Result<Router> {
        let settings = settings::read::<F::Settings>(F::NAME, [OsString::from(F::NAME)])?;
        boot::router::<F>(self.with(F::NAME, settings), DEADLINE).await
    }

    fn context<S: Server>(&self) -> anyhow::Result<Context<S::Settings>> {
        Ok(self.with(S::NAME, settings::read::<S::Settings>(S::NAME, [OsString::from(S::NAME)])?))
    }

    fn job<J: Job>(&self, args: &[OsString]) -> anyhow::Result<Context<J::Settings>> {
        let args = std::iter::once(OsString::from(J::NAME)).chain(args.iter().cloned());
        Ok(self.with(J::NAME, settings::read::<J::Settings>(J::NAME, args)?))
    }

    fn with<S>(&self, name: &'static str, settings: S) -> Context<S> {
        Context {
            name,
            settings,
            db: self.db.clone(),
            clock: self.clock.clone(),
            sink: self.sink.clone(),
            shutdown: self.shutdown.clone(),
        }
    }
}
