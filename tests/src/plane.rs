//! A control plane in a few words: a system that answers lists of the Kubernetes API, and the kubeconfig that leads there.

use std::path::PathBuf;

use serde_json::{Value, json};
use stargate_common::clock::Clock;

use crate::system::{Reply, System};

/// Where components are.
pub const COMPONENTS: &str = "/apis/gpte.redhat.com/v1/agnosticvcomponents";
/// Where repositories are.
pub const REPOSITORIES: &str = "/apis/gpte.redhat.com/v1/agnosticvrepos";

/// A control plane. It stops when it is dropped.
#[derive(Debug)]
pub struct Plane {
    /// What answers.
    pub system: System,
    folder: PathBuf,
}

impl Plane {
    /// A control plane that serves nothing yet. The token stands in its kubeconfig.
    ///
    /// # Panics
    /// When no port is to be had, or no file can be written.
    pub async fn start(clock: &Clock, token: &str) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let system = System::start(clock).await;
        let folder = std::env::temp_dir().join(format!("stargate-plane-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let plane = Self { system, folder };
        plane.also("control", token);
        plane
    }

    /// One more kubeconfig in the folder that leads there: another control plane, for all that StarGate knows.
    ///
    /// # Panics
    /// When no file can be written.
    pub fn also(&self, name: &str, token: &str) {
        let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": self.system.url}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]});
        std::fs::write(self.folder.join(format!("{name}.json")), kubeconfig.to_string()).expect("a kubeconfig");
    }

    /// Its kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        self.folder.join("control.json").display().to_string()
    }

    /// The folder of all kubeconfigs.
    #[must_use]
    pub fn kubeconfigs(&self) -> String {
        self.folder.display().to_string()
    }

    /// From now on it serves these components, and no repository has trouble.
    pub fn components(&self, items: &[Value]) {
        self.system.tell(COMPONENTS, list(items));
        self.system.tell(REPOSITORIES, list(&[]));
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// A list that is whole.
#[must_use]
pub fn list(items: &[Value]) -> Reply {
    Reply::json(&json!({"kind": "List", "metadata": {}, "items": items}))
}

/// A component with its merged definition.
#[must_use]
pub fn component(name: &str, definition: &Value) -> Value {
    json!({"metadata": {"name": name, "namespace": "babylon-config", "uid": format!("uid-{name}")},
        "spec": {"agnosticvRepo": "labs", "path": "ACME/WEB/event.yaml", "definition": definition}})
}
