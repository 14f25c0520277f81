//! Connections to clusters: credentials from a directory of kubeconfigs or in-cluster, every request with a deadline.
//!
//! A [`ReadClient`] can only ask. What asks for what is in [`crate::collect`]; nothing here judges an answer.

mod answer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args};
use http::header::{ACCEPT, HeaderValue, USER_AGENT};
use kube::client::{Body, ClientBuilder};
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::time::{Instant, timeout_at};

pub use answer::{Answer, RequestError};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one request may take from the first byte sent to the last received: API servers give up after 60 s themselves.
pub const PER_REQUEST: Duration = Duration::from_secs(60);
/// How long an answer that has begun may pause: what stalls for this long does not come back.
const READ_IDLE: Duration = Duration::from_secs(20);
/// Extensions that a kubeconfig may have after the cluster's name.
const EXTENSIONS: [&str; 6] = [".yaml", ".yml", ".json", ".kubeconfig", ".config", ".conf"];

/// Where the credentials for reading clusters are.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster settings")]
pub struct ClusterSettings {
    /// Directory of kubeconfigs, one a cluster; the file's name without its extension is the cluster's name.
    #[arg(long, env = "STARGATE_KUBECONFIG_DIR", value_name = "DIR")]
    pub kubeconfig_dir: Option<PathBuf>,

    /// One kubeconfig for one cluster, in place of the directory.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Name of the cluster that this runs in, when there is no kubeconfig.
    #[arg(long, env = "STARGATE_CLUSTER_NAME", value_name = "NAME", default_value = "in-cluster")]
    pub cluster_name: String,

    /// Whether certificates of API servers must verify. Turn it off only where you would type the password anyway.
    #[arg(long, env = "STARGATE_SSL_VERIFY", value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub ssl_verify: bool,
}

/// Why there is no connection to a cluster.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The directory cannot be listed.
    #[error("listing the kubeconfigs in {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is not one kubeconfig in the directory.
    #[error("no kubeconfigs in {}; put one file for each cluster there, named for the cluster", path.display())]
    NoFiles {
        /// The directory.
        path: PathBuf,
    },
    /// Two files have the same name but for the extension.
    #[error("{} is a second kubeconfig for the same cluster name; rename or remove one", path.display())]
    Twice {
        /// The second file.
        path: PathBuf,
    },
    /// The kubeconfig cannot be opened.
    #[error("reading kubeconfig {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The kubeconfig is not one. Its text is not shown: it holds credentials.
    #[error("kubeconfig {} is not valid{place}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where, if that is known.
        place: String,
    },
    /// The kubeconfig lacks something, or a file that it names is not there.
    #[error("kubeconfig {} cannot be used: {detail}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is missing.
        detail: String,
    },
    /// The kubeconfig gets its credentials by running a program.
    #[error("kubeconfig {} runs a program for its credentials (exec or auth-provider), which StarGate never does; use a service account token", path.display())]
    Plugin {
        /// The file.
        path: PathBuf,
    },
    /// The kubeconfig turns certificate verification off.
    #[error("kubeconfig {} says insecure-skip-tls-verify; add the certificate authority, or set STARGATE_SSL_VERIFY=false", path.display())]
    Insecure {
        /// The file.
        path: PathBuf,
    },
    /// Neither a kubeconfig nor a service account.
    #[error("no cluster to read: set STARGATE_KUBECONFIG_DIR or --kubeconfig (not running in a pod: {detail})")]
    NotInCluster {
        /// What a pod would have and is missing here.
        detail: String,
    },
    /// The client cannot be built from the credentials.
    #[error("connecting to cluster {cluster}")]
    Client {
        /// The cluster.
        cluster: String,
        /// What kube says.
        source: Box<kube::Error>,
    },
}

/// The clusters by name, each with its connection or the reason why there is none.
pub type Connections = BTreeMap<String, Result<ReadClient, ConnectError>>;

impl ClusterSettings {
    /// Connects to every cluster that is configured. One bad kubeconfig costs only its own cluster.
    ///
    /// # Errors
    /// There is no cluster at all: no directory, no file in it, and this is not a pod.
    pub async fn connect(&self) -> Result<Connections, ConnectError> {
        if let Some(path) = &self.kubeconfig {
            let name = cluster_name(path);
            return Ok(BTreeMap::from([(name.clone(), self.open_file(&name, path).await)]));
        }
        if let Some(path) = &self.kubeconfig_dir {
            return self.open_directory(path).await;
        }
        let config = kube::Config::incluster().map_err(|error| ConnectError::NotInCluster { detail: error.to_string() })?;
        let name = self.cluster_name.clone();
        Ok(BTreeMap::from([(name.clone(), self.client(&name, config))]))
    }

    async fn open_directory(&self, directory: &Path) -> Result<Connections, ConnectError> {
        let failed = |source| ConnectError::Directory {
            path: directory.to_owned(),
            source,
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // Mounted secrets hold their versions in hidden folders, and links to the current ones.
            let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
            if !hidden && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        let mut connections = Connections::new();
        for path in files {
            let name = cluster_name(&path);
            let connection = match connections.remove(&name) {
                Some(_) => Err(ConnectError::Twice { path }),
                None => self.open_file(&name, &path).await,
            };
            connections.insert(name, connection);
        }
        if connections.is_empty() {
            return Err(ConnectError::NoFiles {
                path: directory.to_owned(),
            });
        }
        Ok(connections)
    }

    /// Connects by one kubeconfig, in one of its contexts: by default the one that is current there.
    ///
    /// # Errors
    /// The file cannot be read or used, or it has no such context.
    pub async fn open(path: &Path, context: Option<&str>, ssl_verify: bool) -> Result<ReadClient, ConnectError> {
        let settings = Self {
            ssl_verify,
            ..Self::default()
        };
        settings.open_context(&cluster_name(path), path, context).await
    }

    async fn open_file(&self, name: &str, path: &Path) -> Result<ReadClient, ConnectError> {
        self.open_context(name, path, None).await
    }

    async fn open_context(&self, name: &str, path: &Path, wanted: Option<&str>) -> Result<ReadClient, ConnectError> {
        let mut kubeconfig = read_kubeconfig(path)?;
        if let Some(wanted) = wanted {
            if !kubeconfig.contexts.iter().any(|context| context.name == wanted) {
                let known: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
                return Err(ConnectError::Unusable {
                    path: path.to_owned(),
                    detail: format!("it has no context {wanted}; it has {}", known.join(", ")),
                });
            }
            kubeconfig.current_context = Some(wanted.to_owned());
        }
        let unusable = |error: kube::config::KubeconfigError| ConnectError::Unusable {
            path: path.to_owned(),
            detail: error.to_string(),
        };
        let current = kubeconfig.current_context.clone().unwrap_or_default();
        let context = kubeconfig
            .contexts
            .iter()
            .find(|context| context.name == current)
            .and_then(|context| context.context.as_ref());
        let user = context.and_then(|context| {
            kubeconfig
                .auth_infos
                .iter()
                .find(|user| Some(&user.name) == context.user.as_ref())
                .and_then(|user| user.auth_info.as_ref())
        });
        if user.is_some_and(|user| user.exec.is_some() || user.auth_provider.is_some()) {
            return Err(ConnectError::Plugin { path: path.to_owned() });
        }
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .map_err(unusable)?;
        if config.accept_invalid_certs && self.ssl_verify {
            return Err(ConnectError::Insecure { path: path.to_owned() });
        }
        self.client(name, config)
    }

    fn client(&self, name: &str, mut config: kube::Config) -> Result<ReadClient, ConnectError> {
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = None;
        config.write_timeout = Some(READ_IDLE);
        // Retries are ours: they are counted, and they end with the run.
        config.default_retry = false;
        config.accept_invalid_certs = !self.ssl_verify;
        let agent = HeaderValue::from_static(concat!("stargate/", env!("CARGO_PKG_VERSION"), " (read)"));
        config.headers.push((USER_AGENT, agent));
        let client = ClientBuilder::try_from(config)
            .map_err(|source| ConnectError::Client {
                cluster: name.to_owned(),
                source: Box::new(source),
            })?
            .build();
        Ok(ReadClient::new(name, client))
    }
}

/// Reads a kubeconfig without ever showing its text: what is wrong with it is told by line and column.
fn read_kubeconfig(path: &Path) -> Result<Kubeconfig, ConnectError> {
    let unreadable = |source| ConnectError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let invalid = |place: String| ConnectError::Invalid {
        path: path.to_owned(),
        place,
    };
    if let Err(error) = crate::yaml::from_str::<Kubeconfig>(&text) {
        let place = error
            .location()
            .map(|location| format!(" at line {} column {}", location.line(), location.column()));
        return Err(invalid(place.unwrap_or_default()));
    }
    // Once more through kube, which makes paths in it relative to the file.
    Kubeconfig::read_from(path).map_err(|_| invalid(String::new()))
}

fn cluster_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = EXTENSIONS
        .iter()
        .find_map(|extension| name.strip_suffix(extension))
        .unwrap_or(&name);
    stem.to_owned()
}

/// A connection to one cluster that can only read.
#[derive(Clone)]
pub struct ReadClient {
    name: String,
    client: kube::Client,
}

impl std::fmt::Debug for ReadClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadClient").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ReadClient {
    /// A connection through a client that was made elsewhere: for tests and simulations,
    /// `ReadClient::new("east", kube::Client::new(router, "default"))`.
    #[must_use]
    pub fn new(name: impl Into<String>, client: kube::Client) -> Self {
        Self { name: name.into(), client }
    }

    /// The cluster's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks for a path, with its query, and takes the whole answer.
    ///
    /// The request ends at `deadline`, after [`PER_REQUEST`], or when the answer pauses for too long, whichever is first.
    ///
    /// # Errors
    /// There was no answer, or not a whole one. An answer with an error status is an answer.
    pub async fn get(&self, path: &str, accept: &'static str, deadline: Instant) -> Result<Answer, RequestError> {
        let request = http::Request::get(path)
            .header(ACCEPT, accept)
            .body(Body::empty())
            .map_err(|error| RequestError::Unreachable(error.to_string()))?;
        let deadline = deadline.min(Instant::now() + PER_REQUEST);
        match timeout_at(deadline, self.client.send(request)).await {
            Err(_) => Err(RequestError::Timeout("no answer in time".to_owned())),
            Ok(Err(error)) => Err(RequestError::of(&error)),
            Ok(Ok(response)) => answer::take(response, deadline, READ_IDLE).await,
        }
    }
}

#[cfg(test)]
mod tests;
