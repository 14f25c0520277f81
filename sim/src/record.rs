//! Recordings of a namespace, as `oc get -o json` writes them, and what it takes to stage one: pods put into a state by hand
//! and the status that follows from them.
//!
//! Controllers would bring a staged namespace back in order, so switch them off first ([`Cluster::set_controllers`]).

use std::{fs, io, path::Path};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{cluster::Cluster, control::derive, generate::platform, kinds::Kind, objects::pod, seed::Seed};

pub use crate::objects::pod::PodState;

impl Cluster {
    /// Gives the cluster nodes with `workers` workers among them, their usage, a version, operators and the platform's
    /// namespaces. Pods built from now on are bound to the workers.
    pub fn furnish(&self, workers: usize) {
        let name = self.name().to_owned();
        let mut seed = Seed::new(0).for_name(&name);
        self.with(|state, now| platform::build(state, &name, workers, now, &mut seed));
    }

    /// Sets what a node uses, in percent of what it has.
    pub fn set_usage(&self, node: &str, cpu_percent: i64, memory_percent: i64) {
        self.with(|state, now| platform::set_usage(state, node, cpu_percent, memory_percent, now));
    }

    /// Puts a pod into a state that it has been in since `since`; false when there is no such pod.
    pub fn set_pod(&self, namespace: &str, pod: &str, state: &PodState, since: DateTime<Utc>) -> bool {
        self.with(|cluster, now| {
            let Some(mut object) = cluster.store.value(Kind::Pod, namespace, pod, now) else {
                return false;
            };
            pod::set_state(&mut object, state, since, &mut cluster.draw);
            cluster.store.put(Kind::Pod, object, now);
            true
        })
    }

    /// Brings the status that follows from other objects up to date, as if that had happened at `at`: replica counts,
    /// endpoints, the state of machines.
    pub fn derive_status(&self, namespace: &str, at: DateTime<Utc>) {
        self.with(|state, _| derive::namespace(state, namespace, at));
    }

    /// Writes a namespace into a directory: one file a kind, named for it, each a `List` as `oc get -o json` prints it.
    /// A kind of which there is nothing becomes an empty list. Secrets are left out.
    ///
    /// # Errors
    /// The directory cannot be made or a file in it cannot be written.
    pub fn write_recording(&self, namespace: &str, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        for kind in Kind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.info().namespaced && *kind != Kind::Secret)
        {
            let file = directory.join(format!("{}.json", kind.info().plural));
            fs::write(file, print(&list_of(&self.list(kind, namespace)))?)?;
        }
        let object = self.get(Kind::Namespace, "", namespace);
        fs::write(directory.join("namespaces.json"), print(&list_of(object.as_slice()))?)
    }
}

/// A list of objects of any kind, as `oc get` puts them together.
fn list_of(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}})
}

fn print(document: &Value) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(document)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::clock::SimClock;

    #[test]
    fn a_staged_pod_shows_in_what_is_recorded() {
        let clock = SimClock::starting_at(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
        let cluster = Cluster::new("test", clock.clone(), &Seed::new(1));
        cluster.furnish(2);
        cluster.build("lab", clock.now() - TimeDelta::hours(3), |yard| {
            yard.deployment("web", 2).service("web", 8080);
        });
        cluster.set_controllers(false);
        let pod = cluster.list(Kind::Pod, "lab").remove(0);
        let name = pod["metadata"]["name"].as_str().unwrap();
        assert!(!pod["spec"]["nodeName"].as_str().unwrap().is_empty());
        let since = clock.now() - TimeDelta::minutes(20);
        let unready = PodState::Unready {
            container: "web".to_owned(),
        };
        assert!(cluster.set_pod("lab", name, &unready, since));
        assert!(!cluster.set_pod("lab", "nobody", &PodState::Ready, since));
        cluster.derive_status("lab", since);

        let directory = std::env::temp_dir().join(format!("stargate-sim-record-{}", std::process::id()));
        cluster.write_recording("lab", &directory).unwrap();
        let read = |kind: &str| -> Value { serde_json::from_slice(&fs::read(directory.join(format!("{kind}.json"))).unwrap()).unwrap() };
        assert_eq!(read("deployments")["items"][0]["status"]["readyReplicas"], 1);
        assert_eq!(read("endpointslices")["items"][0]["endpoints"].as_array().unwrap().len(), 2);
        assert_eq!(read("statefulsets")["items"], json!([]));
        assert_eq!(read("namespaces")["items"][0]["metadata"]["name"], "lab");
        assert!(!directory.join("secrets.json").exists() && !directory.join("nodes.json").exists());
        fs::remove_dir_all(directory).unwrap();
    }
}
