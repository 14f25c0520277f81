//! Files that tell the jobs how to get into the simulated clusters and the systems around them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;
use stargate_common::collect::probe::{Override, ProbeSettings};
use stargate_sim::story::CONTROL_PLANE;
use stargate_sim::story::job::CONTROLLERS;
use stargate_sim::story::program::TIME_ZONE;
use stargate_sim::{Fleet, Running, Services};

/// How everything is reached.
#[derive(Debug)]
pub struct Access {
    /// A kubeconfig for each cluster with labs.
    pub kubeconfigs: PathBuf,
    /// How routes are probed: there is no name service for them.
    pub probes: ProbeSettings,
    /// Flags of the collectors.
    pub flags: Vec<OsString>,
}

impl Access {
    /// Writes the files into a directory.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(home: &Path, fleet: &Fleet, running: &Running, services: &Services) -> anyhow::Result<Self> {
        let kubeconfigs = home.join("kubeconfigs");
        let sources = home.join("sources");
        for directory in [&kubeconfigs, &sources] {
            std::fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
        }
        running.write_kubeconfigs(&kubeconfigs).context("writing kubeconfigs")?;
        let control_plane = sources.join("control-plane.yaml");
        running
            .write_kubeconfig(CONTROL_PLANE, &control_plane)
            .context("writing the kubeconfig of the control plane")?;
        let sandbox_token = write(&sources, "sandbox-api.token", &services.sandbox_api().token())?;
        let controllers = CONTROLLERS.iter().enumerate().map(|(position, controller)| {
            let service = services.aap(position);
            let token_file = write(&sources, &format!("{}.token", controller.host), &service.token())?;
            Ok(json!({"host": controller.host, "url": service.url(), "prefix": format!("{}/", controller.prefix), "token_file": token_file}))
        });
        let controllers: Vec<_> = controllers.collect::<anyhow::Result<_>>()?;
        let controllers = write(
            &sources,
            "aap.yaml",
            &serde_yaml::to_string(&json!({ "controllers": controllers }))?,
        )?;
        let flags: [(&str, OsString); 7] = [
            ("--babylon-kubeconfig", control_plane.into()),
            ("--sandbox-api-url", services.sandbox_api().url().into()),
            ("--sandbox-api-login-token-file", sandbox_token.into()),
            ("--aap-controllers", controllers.into()),
            ("--labagator-url", services.labagator().url().into()),
            ("--event-timezone", TIME_ZONE.into()),
            ("--demolition-url", services.demolition().url().into()),
        ];
        Ok(Self {
            kubeconfigs,
            probes: probes(fleet, running),
            flags: flags.into_iter().flat_map(|(flag, value)| [flag.into(), value]).collect(),
        })
    }
}

fn probes(fleet: &Fleet, running: &Running) -> ProbeSettings {
    let overrides = fleet.clusters.iter().filter_map(|cluster| {
        let address = running.probe_address(&format!("any.{}", cluster.domain()))?;
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

fn write(directory: &Path, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let path = directory.join(name);
    std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}
