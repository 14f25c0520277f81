//! Serves a fleet until interrupted: `cargo run -p stargate-sim --example serve -- DIR [demo | NAMESPACES PODS]`.
//!
//! Writes one kubeconfig a cluster to DIR, for `kubectl --kubeconfig DIR/cnv-east-1.yaml get pods -A`.

use std::{error::Error, path::Path};

use chrono::TimeDelta;
use stargate_sim::{Fleet, SimClock};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let clock = SimClock::following_real_time(TimeDelta::zero());
    let (directory, fleet) = match arguments.as_slice() {
        [directory] => (directory, Fleet::demo(42, clock)),
        [directory, demo] if demo == "demo" => (directory, Fleet::demo(42, clock)),
        [directory, namespaces, pods] => (directory, Fleet::bench(42, namespaces.parse()?, pods.parse()?, clock)),
        _ => return Err("usage: serve DIR [demo | NAMESPACES PODS]".into()),
    };
    let running = fleet.serve().await?;
    for path in running.write_kubeconfigs(Path::new(directory))? {
        println!("{}", path.display());
    }
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}
