//! Clusters on loopback ports, kubeconfigs to reach them, and a service without a socket for clients in the same process.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, connect_info::Connected},
    middleware::{self, Next},
    response::Response,
    serve::{IncomingStream, Listener},
};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tower::{Service, ServiceExt};

use crate::{
    api::{self, Abort, Access},
    cluster::Cluster,
    scenario::Scenario,
    web,
};

/// Pause between two looks at the controllers and the scenario of a served fleet.
const STEP: Duration = Duration::from_secs(1);

impl Cluster {
    /// The cluster's API as a router that trusts its caller. A cluster that is down answers 502 here; use
    /// [`Cluster::service`] where the client should see a broken connection.
    pub fn router(&self) -> Router {
        api::router(self, Access::Trusted)
    }

    /// The cluster's API as a service for `kube::Client::new(cluster.service(), "default")`: no socket, and a cluster that
    /// is down is a connection error.
    #[must_use]
    pub fn service(&self) -> ClusterService {
        ClusterService(self.router())
    }
}

/// See [`Cluster::service`].
#[derive(Clone, Debug)]
pub struct ClusterService(Router);

impl<B> Service<http::Request<B>> for ClusterService
where
    B: axum::body::HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let router = self.0.clone();
        Box::pin(async move {
            let response = router
                .oneshot(request.map(Body::new))
                .await
                .unwrap_or_else(|never: Infallible| match never {});
            if response.extensions().get::<Abort>().is_some() {
                return Err(io::Error::new(
                    io::ErrorKind::ConnectionRefused,
                    "connection refused by the simulation",
                ));
            }
            Ok(response)
        })
    }
}

/// Clusters that are being served; stops serving when dropped.
#[derive(Debug)]
pub struct Running {
    clusters: BTreeMap<String, (Cluster, SocketAddr)>,
    /// Clusters that are served and have no labs: they are in no directory of kubeconfigs.
    others: BTreeMap<String, (Cluster, SocketAddr)>,
    web: SocketAddr,
    tasks: JoinSet<()>,
    stop: Arc<watch::Sender<bool>>,
}

impl Running {
    /// Serves each cluster on a port of its own on 127.0.0.1, chosen by the system, and what is behind their routes on one more.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(clusters: &[Cluster]) -> io::Result<Self> {
        let web = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut running = Self {
            clusters: BTreeMap::new(),
            others: BTreeMap::new(),
            web: web.local_addr()?,
            tasks: JoinSet::new(),
            stop: Arc::new(watch::Sender::new(false)),
        };
        // Routers stay up when an API server goes down: they close only with everything else.
        let gate = Gate {
            listener: web,
            down: running.stop.subscribe(),
            stop: running.stop.subscribe(),
        };
        running.spawn(gate, web::router(clusters));
        for cluster in clusters {
            let address = running.open(cluster).await?;
            running.clusters.insert(cluster.name().to_owned(), (cluster.clone(), address));
        }
        // Watches learn of what happens by itself only when somebody looks; this is somebody.
        let clusters = clusters.to_vec();
        running.tasks.spawn(async move {
            loop {
                clusters.iter().for_each(Cluster::settle);
                tokio::time::sleep(STEP).await;
            }
        });
        Ok(running)
    }

    /// Serves one cluster more on a port of its own, beside those with labs: the control plane of a [`crate::Story`].
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn add(&mut self, cluster: &Cluster) -> io::Result<()> {
        let address = self.open(cluster).await?;
        self.others.insert(cluster.name().to_owned(), (cluster.clone(), address));
        Ok(())
    }

    async fn open(&mut self, cluster: &Cluster) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let gate = Gate {
            listener,
            down: cluster.down(),
            stop: self.stop.subscribe(),
        };
        self.spawn(gate, api::router(cluster, Access::Token));
        Ok(address)
    }

    fn spawn(&mut self, gate: Gate, router: Router) {
        self.tasks.spawn(keep_serving(gate, router));
    }

    /// Plays a scenario in real time from now on.
    pub fn play(&mut self, mut scenario: Scenario) {
        self.tasks.spawn(async move {
            loop {
                scenario.step();
                tokio::time::sleep(STEP).await;
            }
        });
    }

    /// Base URL of a cluster's API.
    #[must_use]
    pub fn url(&self, cluster: &str) -> Option<String> {
        let found = self.clusters.get(cluster).or_else(|| self.others.get(cluster));
        found.map(|(_, address)| format!("http://{address}"))
    }

    /// Where to send a probe of this host instead of resolving its name: every route of the served clusters answers there,
    /// over plain HTTP with the host in the `Host` header. None for hosts outside of their domains.
    #[must_use]
    pub fn probe_address(&self, host: &str) -> Option<SocketAddr> {
        let mut clusters = self.clusters.values();
        clusters
            .any(|(cluster, _)| host.ends_with(&format!(".{}", cluster.domain())))
            .then_some(self.web)
    }

    /// Writes one kubeconfig a cluster with labs, `<name>.yaml`, and returns the paths.
    ///
    /// # Errors
    /// When the directory cannot be made or written.
    pub fn write_kubeconfigs(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        std::fs::create_dir_all(directory)?;
        let mut paths = Vec::new();
        for (name, (cluster, address)) in &self.clusters {
            let path = directory.join(format!("{name}.yaml"));
            std::fs::write(&path, kubeconfig(cluster, *address)?)?;
            paths.push(path);
        }
        Ok(paths)
    }

    /// Writes the kubeconfig of one cluster, also of one without labs, to a file.
    ///
    /// # Errors
    /// When there is no such cluster or the file cannot be written.
    pub fn write_kubeconfig(&self, cluster: &str, file: &Path) -> io::Result<()> {
        let found = self.clusters.get(cluster).or_else(|| self.others.get(cluster));
        let (cluster, address) = found.ok_or(io::ErrorKind::NotFound)?;
        std::fs::write(file, kubeconfig(cluster, *address)?)
    }

    /// Closes all connections and frees the ports.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        self.tasks.shutdown().await;
    }
}

fn kubeconfig(cluster: &Cluster, address: SocketAddr) -> io::Result<String> {
    let name = cluster.name();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "stargate", "user": {"token": cluster.token()}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "stargate", "namespace": "default"}}],
    });
    serde_yaml::to_string(&config).map_err(io::Error::other)
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Serves a router on a listener until the task ends; nobody is let in while it is down.
pub(crate) async fn serve(listener: TcpListener, router: Router, down: watch::Receiver<bool>, stop: watch::Receiver<bool>) {
    keep_serving(Gate { listener, down, stop }, router).await;
}

async fn keep_serving(gate: Gate, router: Router) {
    let router = router.layer(middleware::from_fn(cut_aborted));
    // Serving ends only with the task; the listener does its own retries.
    let _ = axum::serve(gate, router.into_make_service_with_connect_info::<Cut>()).await;
}

/// Cuts the connection of an answer that is marked so, before a byte of it is sent.
async fn cut_aborted(ConnectInfo(cut): ConnectInfo<Cut>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.extensions().get::<Abort>().is_some() {
        cut.0.store(true, Ordering::SeqCst);
    }
    response
}

/// A listener that lets nobody in while its cluster is down.
struct Gate {
    listener: TcpListener,
    down: watch::Receiver<bool>,
    stop: watch::Receiver<bool>,
}

/// Set to have a connection cut.
#[derive(Clone, Debug, Default)]
struct Cut(Arc<AtomicBool>);

impl Connected<IncomingStream<'_, Gate>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Gate>) -> Self {
        stream.io().cut.clone()
    }
}

impl Listener for Gate {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) if !*self.down.borrow() => {
                    // Answers are written in large pieces, so waiting to fill packets only delays them.
                    let _ = stream.set_nodelay(true);
                    let closed = closed(self.down.clone(), self.stop.clone());
                    return (
                        Connection {
                            stream,
                            cut: Cut::default(),
                            closed: Box::pin(closed),
                        },
                        address,
                    );
                }
                Ok(_) => tracing::debug!("connection refused: the cluster is down"),
                Err(error) => tracing::warn!(%error, "accepting a connection of a simulated cluster"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Ends when the cluster goes down or serving stops.
async fn closed(mut down: watch::Receiver<bool>, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        _ = down.wait_for(|down| *down) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// A connection that can be cut from inside.
struct Connection {
    stream: TcpStream,
    cut: Cut,
    closed: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Connection {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.cut.0.load(Ordering::SeqCst) || self.closed.as_mut().poll(context).is_ready() {
            self.cut.0.store(true, Ordering::SeqCst);
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut by the simulation"));
        }
        Ok(())
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
