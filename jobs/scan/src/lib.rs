//! Reads one tier of every cluster and stores what changed.
//!
//! In: the Kubernetes API of each cluster; after the largest tier, HTTP and TLS probes of what learners open. Writes: evidence, coverage, instances, scans. Emits: `scan.completed`.
//! Leaves judging to `evaluate`. A cluster that cannot be read costs only itself: that it could not be read is what is stored.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use sqlx::PgPool;
use stargate_common::boot::{Context, Job};
use stargate_common::clock::Clock;
use stargate_common::cluster::{ClusterSettings, ConnectError, ReadClient};
use stargate_common::collect::probe::{ProbeSettings, Prober, targets};
use stargate_common::collect::{self, Collected};
use stargate_common::db::evidence::{Persisted, Reading, persist};
use stargate_common::db::kinds::KindRead;
use stargate_common::db::lease;
use stargate_common::db::scans::Trigger;
use stargate_common::events::EventType;
use stargate_common::objects::{Kind, NamespaceSelection, Snapshot};
use stargate_common::tier::Tier;
use stargate_common::unknown::UnknownReason;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

/// What only this job needs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Scan settings")]
pub struct Settings {
    /// How much to read.
    #[arg(long, value_enum, default_value_t = Tier::Everything)]
    pub tier: Tier,

    /// Only this cluster; may be repeated. By default all that are configured.
    #[arg(long, value_name = "NAME")]
    pub cluster: Vec<String>,

    /// Clusters read at the same time. Each has an API server of its own; memory is what they share.
    #[arg(long, env = "STARGATE_SCAN_CONCURRENCY", value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: u16,

    /// Seconds one cluster may take; what is not read by then is unknown. Stays below the deadline of the CronJob.
    #[arg(long, env = "STARGATE_SCAN_BUDGET_S", value_name = "SECONDS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub budget_s: u64,

    /// Seconds the probes of one cluster may take, which follow the tier `everything`. Zero: no probes; what needs them is unknown.
    #[arg(long, env = "STARGATE_PROBE_BUDGET_S", value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub probe_budget_s: u64,

    /// The clusters are made up: everything that shows them says so.
    #[arg(long)]
    pub simulated: bool,

    /// A person asked for this run.
    #[arg(long, hide = true)]
    pub by_command: bool,

    /// Where the clusters are.
    #[command(flatten)]
    pub clusters: ClusterSettings,

    /// Who may be probed.
    #[command(flatten)]
    pub probes: ProbeSettings,
}

/// The job.
#[derive(Debug)]
pub struct Scan;

impl Job for Scan {
    const NAME: &'static str = "scan";
    const EMITS: &'static [EventType] = &[EventType::ScanCompleted];
    type Settings = Settings;

    async fn run(context: &Context<Settings>) -> anyhow::Result<String> {
        let settings = &context.settings;
        let mut connections = settings.clusters.connect().await?;
        for wanted in &settings.cluster {
            if !connections.contains_key(wanted) {
                let known: Vec<&str> = connections.keys().map(String::as_str).collect();
                anyhow::bail!("--cluster {wanted} is not configured; configured are {}", known.join(", "));
            }
        }
        if !settings.cluster.is_empty() {
            connections.retain(|name, _| settings.cluster.contains(name));
        }
        let prober = Prober::new(&settings.probes)?;
        let turns = Arc::new(Semaphore::new(usize::from(settings.concurrency)));
        let mut running = JoinSet::new();
        for (name, connection) in connections {
            let run = Run {
                name,
                connection,
                settings: settings.clone(),
                prober: prober.clone(),
                db: context.db.clone(),
                clock: context.clock.clone(),
            };
            let turns = Arc::clone(&turns);
            let shutdown = context.shutdown.clone();
            running.spawn(async move {
                let _turn = turns.acquire_owned().await;
                // Told to stop: finish what is begun, begin nothing.
                if shutdown.is_cancelled() {
                    Ok(Ended::NotBegun)
                } else {
                    run.scan().await
                }
            });
        }
        let mut summary = Summary::default();
        while let Some(ended) = running.join_next().await {
            match ended.context("a scan ended without an answer")? {
                Ok(ended) => summary.add(&ended),
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "{error:#}");
                    summary.failures.push(error);
                }
            }
        }
        summary.end()
    }
}

/// One cluster's turn.
struct Run {
    name: String,
    connection: Result<ReadClient, ConnectError>,
    settings: Settings,
    prober: Prober,
    db: PgPool,
    clock: Clock,
}

/// How a cluster's turn ended.
enum Ended {
    Stored(Persisted),
    /// Another process is reading the same tier of this cluster.
    Overlap(String),
    NotBegun,
}

impl Run {
    async fn scan(self) -> anyhow::Result<Ended> {
        let Self { name, db, .. } = &self;
        let what = format!("scan/{name}/{}", self.settings.tier);
        let held = lease::hold(db, &what, self.scan_alone()).await;
        match held.with_context(|| format!("scanning {name}"))? {
            Some(stored) => Ok(Ended::Stored(stored?)),
            None => Ok(Ended::Overlap(self.name)),
        }
    }

    /// The same, by whoever holds the lease on this tier of the cluster.
    async fn scan_alone(&self) -> anyhow::Result<Persisted> {
        let Settings {
            tier,
            budget_s,
            probe_budget_s,
            simulated,
            by_command,
            ..
        } = self.settings;
        let name = &self.name;
        let Collected { mut snapshot, report } = match &self.connection {
            Ok(client) => {
                collect::cluster(
                    client,
                    tier,
                    NamespaceSelection::default(),
                    &self.clock,
                    Duration::from_secs(budget_s),
                )
                .await
            }
            Err(error) => {
                // Stored like any other answer: the operator sees which cluster cannot be read, and why.
                tracing::warn!(cluster.name = name, error = %error, "cluster {name}: {error}");
                collect::unconnected(name, tier, error, self.clock.now())
            }
        };
        let mut kinds: Vec<KindRead> = report
            .kinds
            .iter()
            .map(|(&kind, read)| KindRead {
                kind,
                missing: read.missing,
                detail: read.detail.clone(),
                items: usize::try_from(read.items).unwrap_or(usize::MAX),
                interval_s: Tier::interval_of(kind),
            })
            .collect();
        if tier == Tier::Everything && probe_budget_s > 0 && self.connection.is_ok() {
            let routes = report.kinds.get(&Kind::Route).and_then(|routes| routes.missing);
            // Without the routes nobody knows what there is to probe, and what is stored of earlier probes stays.
            if matches!(routes, None | Some(UnknownReason::ApiAbsent)) {
                kinds.push(self.probe(&mut snapshot, probe_budget_s).await);
            }
        }
        let reading = Reading {
            scan_id: Uuid::now_v7(),
            tier,
            trigger: if by_command { Trigger::Command } else { Trigger::Schedule },
            started_at: report.started_at,
            snapshot: &snapshot,
            kinds: &kinds,
            requests: u32::try_from(report.requests()).unwrap_or(u32::MAX),
            bytes: report.bytes(),
            simulated,
        };
        let doing = || format!("storing the scan of {name}");
        let mut transaction = self.db.begin().await.with_context(doing)?;
        let persisted = persist(&mut transaction, &reading, self.clock.now()).await.with_context(doing)?;
        transaction.commit().await.with_context(doing)?;
        tracing::info!(
            cluster.name = name,
            tier = tier.as_str(),
            requests = report.requests(),
            size_bytes = report.bytes(),
            duration_ms = u64::try_from(report.duration.as_millis()).unwrap_or(u64::MAX),
            namespaces = snapshot.namespaces.len(),
            changed = persisted.changed,
            "cluster {name}: {tier} {}, {} namespaces, {} documents changed",
            persisted.state.as_str(),
            snapshot.namespaces.len(),
            persisted.changed
        );
        Ok(persisted)
    }
}

impl Run {
    /// Visits what learners open, as far as the snapshot names it.
    async fn probe(&self, snapshot: &mut Snapshot, budget_s: u64) -> KindRead {
        let probed = self.prober.run(targets(snapshot), &self.clock, Duration::from_secs(budget_s)).await;
        let read = KindRead {
            kind: Kind::Probe,
            missing: None,
            detail: if probed.late == 0 {
                String::new()
            } else {
                format!("no time for {} of {}", probed.late, probed.late + probed.visited)
            },
            items: probed.visited,
            interval_s: Tier::interval_of(Kind::Probe),
        };
        probed.attach(snapshot);
        read
    }
}

#[derive(Default)]
struct Summary {
    stored: usize,
    new: usize,
    gone: usize,
    changed: usize,
    overlaps: Vec<String>,
    not_begun: usize,
    failures: Vec<anyhow::Error>,
}

impl Summary {
    fn add(&mut self, ended: &Ended) {
        match ended {
            Ended::Stored(persisted) => {
                self.stored += 1;
                self.new += persisted.new;
                self.gone += persisted.gone;
                self.changed += persisted.changed;
            }
            Ended::Overlap(name) => self.overlaps.push(name.clone()),
            Ended::NotBegun => self.not_begun += 1,
        }
    }

    /// A run fails when something could not be stored: then nobody would know of it otherwise.
    fn end(mut self) -> anyhow::Result<String> {
        match self.failures.pop() {
            None => Ok(self.to_string()),
            Some(first) => Err(first.context(format!("{self}, {} not stored", self.failures.len() + 1))),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stored,
            new,
            gone,
            changed,
            overlaps,
            not_begun,
            failures: _,
        } = self;
        write!(
            f,
            "{stored} clusters read, {changed} documents changed, {new} instances new, {gone} gone"
        )?;
        if !overlaps.is_empty() {
            write!(f, ", left to a run that is still going: {}", overlaps.join(", "))?;
        }
        if *not_begun > 0 {
            write!(f, ", {not_begun} not begun because told to stop")?;
        }
        Ok(())
    }
}
