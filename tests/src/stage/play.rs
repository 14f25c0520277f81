//! The fleet, and the programs that read and judge it, one step at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use stargate_collect::Collect;
use stargate_common::boot::{Context, Job};
use stargate_common::clock::Clock;
use stargate_common::events::EventType;
use stargate_common::events::sink::Sink;
use stargate_common::policy::rule::RuleSet;
use stargate_common::settings;
use stargate_common::sources::SourceName;
use stargate_common::tier::Tier;
use stargate_recommend::Recommender;
use stargate_scan::Scan;
use stargate_sim::{Cluster, Fault, Fleet, Kind, Running, Scenario, Services, SimClock, Story};
use tokio_util::sync::CancellationToken;

use super::systems::Access;
use crate::world::morning;
use crate::{TestDb, TestWorld};

/// What happened before the curtain rises: so many rounds, that far apart.
const ROUNDS: u8 = 4;
const ROUND: TimeDelta = TimeDelta::minutes(20);

/// When the curtain rises: early in the working day where the event takes place.
#[must_use]
pub fn curtain() -> DateTime<Utc> {
    morning() + TimeDelta::minutes(9 * 60 + 40)
}

/// The play.
#[derive(Debug)]
pub struct Play {
    world: TestWorld,
    recommender: Recommender,
    fleet: Fleet,
    scenario: Scenario,
    running: Running,
    services: Services,
    access: Access,
    home: PathBuf,
    /// What was broken by command: cluster, namespace, fault.
    broken: Vec<(String, String, Fault)>,
}

/// What a command broke.
#[derive(Debug, Serialize)]
pub struct Broken {
    /// Name of the cluster.
    pub cluster: String,
    /// Namespace of the lab.
    pub namespace: String,
    /// The class that it should be recognised as.
    pub class: &'static str,
    /// Pods that are not well.
    pub pods: Vec<String>,
}

impl Play {
    /// Builds the fleet of that seed, and lets the hours before the curtain pass: everything has been read and judged a few times.
    ///
    /// # Errors
    /// When anything does not start, or the first round fails.
    pub async fn start(db: TestDb, seed: u64) -> anyhow::Result<Self> {
        let before = ROUND * i32::from(ROUNDS);
        let mut world = TestWorld::on(db);
        world.clock.advance(curtain() - before - world.clock.now());
        let clock = SimClock::starting_at(world.clock.now());
        let fleet = Fleet::demo(seed, clock);
        let story = Story::of(&fleet, seed);
        let mut running = fleet.serve().await.context("serving the clusters")?;
        running.add(story.control_plane()).await.context("serving the control plane")?;
        let services = Services::start(&story).await.context("serving the systems around")?;
        let home = std::env::temp_dir().join(format!("stargate-stage-{}", std::process::id()));
        let access = Access::write(&home, &fleet, &running, &services)?;
        let recommender = Recommender {
            db: world.db.pool.clone(),
            clock: world.clock.clone(),
            rules: Arc::new(RuleSet::embedded().context("loading the policies")?),
        };
        world.heard.clear();
        let mut play = Self {
            scenario: Scenario::new(&fleet, seed).with_story(story),
            world,
            recommender,
            fleet,
            running,
            services,
            access,
            home,
            broken: Vec::new(),
        };
        for _ in 0..ROUNDS {
            play.round().await?;
            play.advance(ROUND);
            play.scenario.step();
        }
        play.round().await?;
        Ok(play)
    }

    /// What time it is on the stage.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.world.clock
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &TestDb {
        &self.world.db
    }

    /// Where files may be put; it is removed in the end.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Lets time pass, for everybody.
    pub fn advance(&self, by: TimeDelta) {
        self.fleet.clock.advance(by);
        self.world.clock.advance(by);
    }

    /// Reads everything: clusters, then the systems around them.
    ///
    /// # Errors
    /// When nothing could be stored.
    pub async fn round(&mut self) -> anyhow::Result<()> {
        self.scan(&[]).await?;
        self.collect().await
    }

    /// Reads these clusters (all when there are none) and judges them.
    ///
    /// # Errors
    /// When nothing could be stored.
    pub async fn scan(&mut self, clusters: &[String]) -> anyhow::Result<()> {
        let mut settings = settings::read::<stargate_scan::Settings>("scan", ["scan".into()])?;
        settings.tier = Tier::Everything;
        settings.cluster = clusters.to_vec();
        settings.simulated = true;
        settings.probes = self.access.probes.clone();
        settings.clusters.kubeconfig_dir = Some(self.access.kubeconfigs.clone());
        Scan::run(&self.context(Scan::NAME, settings)).await.context("scanning")?;
        self.tell().await
    }

    /// Reads every system around the clusters, and judges what follows.
    ///
    /// # Errors
    /// When a system cannot be read.
    pub async fn collect(&mut self) -> anyhow::Result<()> {
        for source in SourceName::ALL {
            let args = ["collect", "--source", source.as_str()].map(Into::into);
            let args = args.into_iter().chain(self.access.flags.iter().cloned());
            let settings = settings::read::<stargate_collect::Settings>("collect", args)?;
            Collect::run(&self.context(Collect::NAME, settings))
                .await
                .with_context(|| format!("collecting {}", source.as_str()))?;
        }
        self.tell().await
    }

    /// Breaks something: in that namespace, or in the first lab of the fleet that is well and can break so. The cluster is read and judged a
    /// minute later, and again when a failure that stays is confirmed.
    ///
    /// # Errors
    /// When there is no such fault, or nothing that can break so.
    pub async fn break_lab(&mut self, class: &str, namespace: Option<&str>) -> anyhow::Result<Broken> {
        let fault = Fault::ALL
            .iter()
            .copied()
            .find(|fault| fault.class() == class && !fault.strikes_cluster());
        let fault = fault.with_context(|| format!("no fault of a lab is called {class}"))?;
        let (cluster, namespace) = self
            .strike(fault, namespace)
            .with_context(|| format!("nothing here can break by {class}"))?;
        let (name, cluster) = (cluster.name().to_owned(), cluster.clone());
        self.broken.push((name.clone(), namespace.clone(), fault));
        // What is seen once may pass: it counts when it is seen again.
        for minutes in [1, 5] {
            self.advance(TimeDelta::minutes(minutes));
            self.scan(std::slice::from_ref(&name)).await?;
        }
        let pods = cluster.list(Kind::Pod, &namespace);
        let unwell = pods.iter().filter(|pod| stargate_sim::is_unhealthy(pod));
        let pods = unwell
            .filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned))
            .collect();
        Ok(Broken {
            cluster: name,
            namespace,
            class: fault.class(),
            pods,
        })
    }

    fn strike(&self, fault: Fault, namespace: Option<&str>) -> Option<(Cluster, String)> {
        let labs = self.fleet.labs.iter();
        let mut labs = labs.filter(|lab| namespace.is_none_or(|wanted| wanted == lab.namespace));
        labs.find_map(|lab| {
            let cluster = self.fleet.cluster(&lab.cluster).filter(|cluster| !cluster.is_down())?;
            let is_ill = cluster.ailments().iter().any(|(ill, _, _)| *ill == lab.namespace);
            (!is_ill && cluster.inject(&lab.namespace, fault)).then(|| (cluster.clone(), lab.namespace.clone()))
        })
    }

    /// Heals what was broken by command. Ten minutes later, when everything has started, the clusters are read and judged.
    ///
    /// # Errors
    /// When nothing could be stored.
    pub async fn heal(&mut self) -> anyhow::Result<()> {
        let broken = std::mem::take(&mut self.broken);
        if broken.is_empty() {
            return Ok(());
        }
        let mut clusters = Vec::new();
        for (name, namespace, fault) in broken {
            let Some(cluster) = self.fleet.cluster(&name) else {
                bail!("there is no cluster {name}");
            };
            cluster.heal(&namespace, fault);
            if !clusters.contains(&name) {
                clusters.push(name);
            }
        }
        self.advance(TimeDelta::minutes(10));
        self.scan(&clusters).await
    }

    /// Delivers what was told, until nobody has anything to tell.
    async fn tell(&mut self) -> anyhow::Result<()> {
        loop {
            let events = self.world.take_events().await;
            if events.is_empty() {
                return Ok(());
            }
            for event in &events {
                self.world.deliver(event).await.context("judging")?;
            }
            let advised = [EventType::CollectionCompleted, EventType::ReadinessChanged];
            let newest = events
                .iter()
                .rfind(|event| advised.iter().any(|kind| event.event_type == kind.as_str()));
            if let Some(event) = newest {
                stargate_recommend::take_event_in(&self.recommender, event)
                    .await
                    .context("advising")?;
            }
        }
    }

    fn context<S>(&self, name: &'static str, settings: S) -> Context<S> {
        Context {
            name,
            settings,
            db: self.world.db.pool.clone(),
            clock: self.world.clock.clone(),
            sink: Sink::Nowhere,
            shutdown: CancellationToken::new(),
        }
    }

    /// Stops everything and removes its files.
    ///
    /// # Errors
    /// When the files cannot be removed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.services.stop().await;
        self.running.stop().await;
        std::fs::remove_dir_all(&self.home).with_context(|| format!("removing {}", self.home.display()))
    }
}
