//! Writes a recording that [`recorded`](super::recorded) reads back: what a cluster says, with its secrets left out.
//!
//! ```text
//! DIR/<cluster>/nodes.json …                         DIR/<cluster>/namespaces/<namespace>/pods.json …
//! ```
//!
//! Only what is judged by is written: the projections, field by field. No Secrets and ConfigMaps, no environment, commands,
//! images or certificates, and of the annotations a handful. Free text is scrubbed of what looks like a credential. A kind
//! that could not be read is written as the API server's refusal, so that it stays unknown for whoever reads the recording.

pub(crate) mod scrub;

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Collected, Report, Tier};
use crate::clock::Clock;
use crate::cluster::ReadClient;
use crate::objects::api::Resource;
use crate::objects::{ClusterInventory, Inventory, Kind, Listing, NamespaceSelection, Problem, Snapshot};
use crate::unknown::UnknownReason;

/// What was recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The folder of the cluster.
    pub path: PathBuf,
    /// Namespaces in it.
    pub namespaces: usize,
    /// Objects in it.
    pub objects: usize,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// What reading took.
    pub report: Report,
}

/// Why a recording could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is a recording of that cluster already.
    #[error("{} is there already; choose another directory or remove it", path.display())]
    Exists {
        /// The folder of the cluster.
        path: PathBuf,
    },
    /// A name cannot be a folder.
    #[error("`{name}` cannot be the name of a folder")]
    Name {
        /// The name of a cluster or namespace.
        name: String,
    },
    /// The cluster did not answer: there is nothing to record.
    #[error("cluster {cluster} cannot be recorded: {detail}")]
    Unread {
        /// The cluster.
        cluster: String,
        /// What is wrong.
        detail: String,
    },
    /// A file cannot be written.
    #[error("writing {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Reads a cluster, as far as `selection` goes, and writes it into a folder of `directory` that is named for the cluster.
///
/// # Errors
/// The cluster does not answer, or the folder is there already or cannot be written. Nothing is left half written.
pub async fn record(
    client: &ReadClient,
    selection: NamespaceSelection,
    clock: &Clock,
    budget: Duration,
    directory: &Path,
) -> Result<Recorded, RecordError> {
    let free = folder(directory, client.name())?;
    if free.exists() {
        return Err(RecordError::Exists { path: free });
    }
    let Collected { snapshot, report } = super::cluster(client, Tier::Everything, selection, clock, budget).await;
    if let Some(reached) = snapshot
        .cluster
        .reachable
        .as_ref()
        .filter(|reached| !reached.answered || !reached.authorized)
    {
        return Err(RecordError::Unread {
            cluster: client.name().to_owned(),
            detail: reached.detail.clone(),
        });
    }
    let (path, objects) = write(&snapshot, directory)?;
    Ok(Recorded {
        path,
        namespaces: snapshot.namespaces.len(),
        objects,
        problems: snapshot.problems,
        report,
    })
}

/// Writes a snapshot into a folder of `directory` that is named for its cluster; yields the folder and the number of objects.
///
/// # Errors
/// The folder is there already, or cannot be written. Nothing is left half written.
pub fn write(snapshot: &Snapshot, directory: &Path) -> Result<(PathBuf, usize), RecordError> {
    let path = folder(directory, &snapshot.cluster.name)?;
    if path.exists() {
        return Err(RecordError::Exists { path });
    }
    let partial = directory.join(format!(".{}.partial", snapshot.cluster.name));
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| RecordError::Write { path, source }
    };
    // What a run that was killed has left behind.
    match fs::remove_dir_all(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&partial)(error)),
        _ => {}
    }
    let written = write_cluster(snapshot, &partial).and_then(|objects| {
        fs::rename(&partial, &path).map_err(failed(&path))?;
        Ok(objects)
    });
    match written {
        Ok(objects) => Ok((path, objects)),
        Err(error) => {
            // The first error is the one to tell.
            let _ = fs::remove_dir_all(&partial);
            Err(error)
        }
    }
}

/// The folder of that name, if it can be one: names come from files and from the cluster.
fn folder(directory: &Path, name: &str) -> Result<PathBuf, RecordError> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return Err(RecordError::Name { name: name.to_owned() });
    }
    Ok(directory.join(name))
}

fn write_cluster(snapshot: &Snapshot, path: &Path) -> Result<usize, RecordError> {
    let ClusterInventory {
        name: _,
        reachable: _,
        nodes,
        node_metrics,
        operators,
        versions,
        subscriptions,
        critical_alerts: _,
        // Counted, not an object: whoever reads the recording counts the pods in it.
        job_backlogs: _,
    } = &snapshot.cluster;
    let mut writer = Writer {
        path: path.to_owned(),
        objects: 0,
    };
    writer.list(Kind::Node, nodes)?;
    writer.list(Kind::NodeMetrics, node_metrics)?;
    writer.list(Kind::ClusterOperator, operators)?;
    writer.list(Kind::ClusterVersion, versions)?;
    writer.list(Kind::Subscription, subscriptions)?;
    for inventory in snapshot.namespaces.values() {
        writer.path = folder(&path.join("namespaces"), &inventory.name)?;
        writer.inventory(inventory)?;
    }
    Ok(writer.objects)
}

struct Writer {
    path: PathBuf,
    objects: usize,
}

impl Writer {
    fn inventory(&mut self, inventory: &Inventory) -> Result<(), RecordError> {
        let Inventory {
            name: _,
            namespace,
            pods,
            deployments,
            stateful_sets,
            daemon_sets,
            deployment_configs,
            jobs,
            services,
            endpoint_slices,
            endpoints,
            routes,
            ingresses,
            vms,
            vmis,
            data_volumes,
            claims,
            quotas,
            inference_services,
            events,
            // Not the cluster's: our own observations, and other systems'.
            probes: _,
            subjects: _,
            smoke_runs: _,
        } = inventory;
        self.list(Kind::Namespace, namespace)?;
        self.list(Kind::Pod, pods)?;
        self.list(Kind::Deployment, deployments)?;
        self.list(Kind::StatefulSet, stateful_sets)?;
        self.list(Kind::DaemonSet, daemon_sets)?;
        self.list(Kind::DeploymentConfig, deployment_configs)?;
        self.list(Kind::Job, jobs)?;
        self.list(Kind::Service, services)?;
        self.list(Kind::EndpointSlice, endpoint_slices)?;
        self.list(Kind::Endpoints, endpoints)?;
        self.list(Kind::Route, routes)?;
        self.list(Kind::Ingress, ingresses)?;
        self.list(Kind::VirtualMachine, vms)?;
        self.list(Kind::VirtualMachineInstance, vmis)?;
        self.list(Kind::DataVolume, data_volumes)?;
        self.list(Kind::PersistentVolumeClaim, claims)?;
        self.list(Kind::ResourceQuota, quotas)?;
        self.list(Kind::InferenceService, inference_services)?;
        self.list(Kind::Event, events)
    }

    /// Writes one kind as the list that `oc get -o json` would have written, or as the refusal that it would have got.
    fn list<T: Serialize>(&mut self, kind: Kind, listing: &Listing<T>) -> Result<(), RecordError> {
        let Some(resource) = kind.resource() else { return Ok(()) };
        let document = match listing.missing {
            // Nobody asked: there is no file.
            Some(UnknownReason::NotCollected) => return Ok(()),
            Some(reason) if listing.items.is_empty() => refusal(resource, reason),
            missing => list(resource, &listing.items, missing.is_some()).map_err(|error| self.failed(error.into()))?,
        };
        self.objects += listing.items.len();
        // Nodes and their metrics share a plural.
        let name = if kind == Kind::NodeMetrics {
            "nodemetrics"
        } else {
            resource.plural
        };
        self.file(&format!("{name}.json"), &document)
    }

    fn file(&self, name: &str, document: &Value) -> Result<(), RecordError> {
        fs::create_dir_all(&self.path).map_err(|error| self.failed(error))?;
        let path = self.path.join(name);
        let written = fs::File::create(&path).and_then(|file| {
            let mut writer = BufWriter::new(file);
            serde_json::to_writer_pretty(&mut writer, document)?;
            writer.flush()
        });
        written.map_err(|source| RecordError::Write { path, source })
    }

    fn failed(&self, source: io::Error) -> RecordError {
        RecordError::Write {
            path: self.path.clone(),
            source,
        }
    }
}

fn list<T: Serialize>(resource: &Resource, items: &[T], cut: bool) -> Result<Value, serde_json::Error> {
    let mut objects = Vec::with_capacity(items.len());
    for item in items {
        let mut object = serde_json::to_value(item)?;
        scrub::value(&mut object);
        object["apiVersion"] = json!(resource.api_version());
        object["kind"] = json!(resource.object);
        objects.push(object);
    }
    let metadata = if cut { json!({"continue": "cut"}) } else { json!({}) };
    Ok(json!({"apiVersion": "v1", "kind": "List", "metadata": metadata, "items": objects}))
}

/// The API server's words for a kind that was not read. What has no status of its own becomes the nearest.
fn refusal(resource: &Resource, reason: UnknownReason) -> Value {
    let (code, word) = match reason {
        UnknownReason::Unauthorized => (401, "Unauthorized"),
        UnknownReason::Forbidden => (403, "Forbidden"),
        UnknownReason::ApiAbsent => (404, "NotFound"),
        UnknownReason::Truncated => (410, "Expired"),
        UnknownReason::Throttled => (429, "TooManyRequests"),
        UnknownReason::Timeout => (504, "Timeout"),
        UnknownReason::ParseError => (406, "NotAcceptable"),
        _ => (503, "ServiceUnavailable"),
    };
    json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": word,
           "message": format!("{} could not be read when this was recorded: {reason}", resource.plural),
           "details": {"kind": resource.plural, "group": resource.group}})
}

#[cfg(test)]
mod tests;
