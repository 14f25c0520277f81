//! The simulated fleet of `stargate up` without credentials, with the provisioning systems around it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::TimeDelta;
use stargate_common::cluster::ClusterSettings;
use stargate_common::collect::probe::{Override, ProbeSettings};
use stargate_sim::story::CONTROL_PLANE;
use stargate_sim::story::job::CONTROLLERS;
use stargate_sim::story::program::TIME_ZONE;
use stargate_sim::{Fleet, Running, Scenario, Services, SimClock, Story};

/// A fleet that lives in this process, behind real sockets and kubeconfigs.
#[derive(Debug)]
pub struct Demo {
    fleet: Fleet,
    running: Running,
    services: Services,
    kubeconfigs: PathBuf,
    sources: Sources,
}

/// Files that tell the collectors how to get in.
#[derive(Debug)]
struct Sources {
    /// Kubeconfig of the control plane, apart from those of clusters with labs.
    control_plane: PathBuf,
    sandbox_token: PathBuf,
    controllers: PathBuf,
}

impl Demo {
    /// Makes the fleet, serves it, and writes a kubeconfig for each cluster. Also says what it made.
    ///
    /// # Errors
    /// When no port is to be had or the kubeconfigs cannot be written.
    pub async fn start(seed: u64, data_dir: &Path) -> anyhow::Result<(Self, String)> {
        let fleet = Fleet::demo(seed, SimClock::following_real_time(TimeDelta::zero()));
        let story = Story::of(&fleet, seed);
        let mut running = fleet.serve().await.context("serving the simulated clusters")?;
        running
            .add(story.control_plane())
            .await
            .context("serving the simulated control plane")?;
        let services = Services::start(&story)
            .await
            .context("serving the simulated provisioning systems")?;
        let sources = Sources::write(&data_dir.join("demo").join("sources"), &running, &services)?;
        // Faults come and go, labs are ordered and given back, from now on.
        running.play(Scenario::new(&fleet, seed).with_story(story.clone()));
        let kubeconfigs = data_dir.join("demo").join("kubeconfigs");
        std::fs::create_dir_all(&kubeconfigs).with_context(|| format!("creating {}", kubeconfigs.display()))?;
        running
            .write_kubeconfigs(&kubeconfigs)
            .with_context(|| format!("writing kubeconfigs to {}", kubeconfigs.display()))?;
        let said = format!(
            "{} simulated clusters, {} lab namespaces, {} orders for {} sessions",
            fleet.clusters.len(),
            fleet.labs.len(),
            story.orders().len(),
            story.rooms().len()
        );
        Ok((
            Self {
                fleet,
                running,
                services,
                kubeconfigs,
                sources,
            },
            said,
        ))
    }

    /// How the clusters' routes are reached: there is no name service for them.
    pub fn probes(&self) -> ProbeSettings {
        let overrides = self.fleet.clusters.iter().filter_map(|cluster| {
            let address = self.running.probe_address(&format!("any.{}", cluster.domain()))?;
            Some(Override {
                domain: cluster.domain(),
                address,
            })
        });
        ProbeSettings {
            overrides: overrides.collect(),
            ..ProbeSettings::default()
        }
    }

    /// Where the clusters' credentials are.
    pub fn clusters(&self) -> ClusterSettings {
        ClusterSettings {
            kubeconfig_dir: Some(self.kubeconfigs.clone()),
            kubeconfig: None,
            ssl_verify: true,
            ..ClusterSettings::default()
        }
    }

    /// What tells the collectors where the simulated systems are: flags, beside which the environment does not count.
    pub fn collect_args(&self) -> Vec<OsString> {
        let flags: [(&str, OsString); 7] = [
            ("--babylon-kubeconfig", self.sources.control_plane.clone().into()),
            ("--sandbox-api-url", self.services.sandbox_api().url().into()),
            ("--sandbox-api-login-token-file", self.sources.sandbox_token.clone().into()),
            ("--aap-controllers", self.sources.controllers.clone().into()),
            ("--labagator-url", self.services.labagator().url().into()),
            ("--event-timezone", TIME_ZONE.into()),
            ("--demolition-url", self.services.demolition().url().into()),
        ];
        flags.into_iter().flat_map(|(flag, value)| [flag.into(), value]).collect()
    }

    /// Stops serving.
    pub async fn stop(self) {
        self.services.stop().await;
        self.running.stop().await;
    }
}

impl Sources {
    /// Writes the files into a directory.
    fn write(directory: &Path, running: &Running, services: &Services) -> anyhow::Result<Self> {
        std::fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
        let write = |name: &str, text: &str| {
            let path = directory.join(name);
            std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            anyhow::Ok(path)
        };
        let control_plane = directory.join(format!("{CONTROL_PLANE}.yaml"));
        running
            .write_kubeconfig(CONTROL_PLANE, &control_plane)
            .with_context(|| format!("writing {}", control_plane.display()))?;
        let mut controllers = Vec::new();
        for (position, controller) in CONTROLLERS.iter().enumerate() {
            let service = services.aap(position);
            let token_file = write(&format!("{}.token", controller.host), &service.token())?;
            controllers.push(
                serde_json::json!({"host": controller.host, "url": service.url(), "prefix": format!("{}/", controller.prefix),
                "token_file": token_file}),
            );
        }
        let listed = serde_yaml::to_string(&serde_json::json!({"controllers": controllers})).context("listing the controllers")?;
        Ok(Self {
            control_plane,
            sandbox_token: write("sandbox-api.token", &services.sandbox_api().token())?,
            controllers: write("aap.yaml", &listed)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[tokio::test]
    async fn collectors_understand_what_the_demo_tells_them() -> anyhow::Result<()> {
        let directory = std::env::temp_dir().join(format!("stargate-demo-{}", std::process::id()));
        let (demo, said) = Demo::start(42, &directory).await?;
        assert!(said.contains("orders for"), "{said}");
        for source in stargate_common::sources::SourceName::ALL {
            let args = ["collect", "--source", source.as_str()].map(OsString::from);
            let args = args.into_iter().chain(demo.collect_args());
            let settings = stargate_common::settings::read_arguments::<stargate_collect::Settings>("collect", args)?;
            assert_eq!(settings.source, source);
            assert!(settings.systems.labagator.url.is_some() && settings.systems.babylon.kubeconfig.is_some());
        }
        // Nothing scans the control plane: its kubeconfig is not among those of clusters with labs.
        let scanned: Vec<_> = std::fs::read_dir(directory.join("demo").join("kubeconfigs"))?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<Result<_, _>>()?;
        assert_eq!(scanned.len(), demo.fleet.clusters.len());
        assert!(!scanned.contains(&OsString::from("babylon.yaml")), "{scanned:?}");
        demo.stop().await;
        std::fs::remove_dir_all(&directory)?;
        Ok(())
    }
}
