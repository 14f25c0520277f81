//! The cluster that is swept: a process of its own, so that its work is not counted as ours.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use chrono::TimeDelta;
use stargate_sim::{Fleet, SimClock};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{ROLE, setting};

/// Lab namespaces of the cluster.
pub fn namespaces() -> usize {
    setting("STARGATE_BENCH_NAMESPACES", 3_000)
}

/// Pods of the cluster.
pub fn pods() -> usize {
    setting("STARGATE_BENCH_PODS", 60_000)
}

/// A served cluster; it ends with this value.
pub struct Served {
    _child: Child,
    /// Directory with its kubeconfig.
    pub kubeconfigs: PathBuf,
}

/// Starts the process that serves the cluster and waits until it does.
pub async fn start(directory: &Path) -> Served {
    let kubeconfigs = directory.join("kubeconfigs");
    std::fs::create_dir_all(&kubeconfigs).expect("a directory");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .env(ROLE, "fleet")
        .env("STARGATE_BENCH_KUBECONFIGS", &kubeconfigs)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the fleet's process");
    let mut said = String::new();
    BufReader::new(child.stdout.take().expect("piped"))
        .read_line(&mut said)
        .await
        .expect("its word");
    print!("{said}");
    Served {
        _child: child,
        kubeconfigs,
    }
}

/// The process: serves until its standard input closes, which it does when the parent ends, however that ends.
pub async fn serve() {
    let fleet = Fleet::bench(7, namespaces(), pods(), SimClock::following_real_time(TimeDelta::zero()));
    let running = fleet.serve().await.expect("a port");
    let directory: PathBuf = setting("STARGATE_BENCH_KUBECONFIGS", PathBuf::new());
    running.write_kubeconfigs(&directory).expect("kubeconfigs");
    println!("cluster          {} namespaces, {} pods", namespaces(), pods());
    let mut nothing = Vec::new();
    tokio::io::stdin().read_to_end(&mut nothing).await.ok();
    running.stop().await;
}
