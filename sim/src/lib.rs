//! A fleet in a box: simulated clusters for tests, demos and benchmarks.
//!
//! A [`Cluster`] is a stateful Kubernetes API server in memory: paged LISTs over snapshots, watches, writes with
//! preconditions, discovery, refusals as Kubernetes writes them, and faults on the wire on demand. A [`Fleet`] is several of
//! them under one [`SimClock`].
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use stargate_sim::{Effect, Fault, Fleet, Kind, SimClock, WireFault};
//!
//! let clock = SimClock::following_real_time(chrono::TimeDelta::zero());
//! let fleet = Fleet::demo(42, clock.clone()); // or Fleet::bench(42, 3_000, 60_000, clock), or Fleet::empty(&["a", "b"], 42, clock)
//! let east = fleet.cluster("cnv-east-1").cloned().ok_or(std::io::ErrorKind::NotFound)?;
//! east.build("sandbox-q7f2k-netbasics", clock.now(), |yard| {
//!     yard.deployment("web", 2).service("web", 8080).route("web", "web").machine("rhel", "rhel").showroom();
//! });
//!
//! // Over sockets, for programs that read kubeconfigs:
//! let mut running = fleet.serve().await?;
//! running.play(stargate_sim::Scenario::new(&fleet, 42)); // faults and labs that come and go
//! running.write_kubeconfigs(std::path::Path::new("/tmp/kubeconfigs"))?;
//! // Or in this process: `kube::Client::new(east.service(), "default")`.
//!
//! east.inject("sandbox-q7f2k-netbasics", Fault::PodsCrashlooping); // and later: heal
//! east.inject_wire(WireFault::on("/api/v1/pods", Effect::CutAfter(4096)).times(1));
//! assert!(east.requests().lists() <= 12);
//! running.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Contents: [`kinds`] the table of kinds · `store` versions, snapshots, history · `object`, `template` how objects are kept ·
//! `api` the API server · [`wire`] faults and request log · [`serve`] sockets and kubeconfigs · [`fleet`] many clusters ·
//! [`clock`], [`seed`] time and chance · [`yard`] builds namespaces · `objects` what they are built of · `generate` whole
//! fleets · `control` what a cluster does by itself · [`record`] recordings · [`web`] what answers behind routes · [`fault`] what can go wrong
//! inside · [`scenario`] faults and labs that come and go · [`story`] who ordered the labs, on a control plane · [`services`] the other
//! systems that know of them.

mod api;
pub mod clock;
pub mod cluster;
mod control;
mod draw;
pub mod fault;
pub mod fleet;
mod generate;
pub mod kinds;
mod managed;
mod object;
mod objects;
pub mod record;
pub mod scenario;
pub mod seed;
mod selector;
pub mod serve;
pub mod services;
mod store;
pub mod story;
mod template;
pub mod web;
pub mod wire;
pub mod yard;

pub use clock::SimClock;
pub use cluster::Cluster;
pub use fault::Fault;
pub use fleet::{Fleet, Lab, LabKind, Storm, is_unhealthy};
pub use kinds::Kind;
pub use record::PodState;
pub use scenario::Scenario;
pub use seed::Seed;
pub use serve::Running;
pub use services::{Role, Service, Services, Twist};
pub use story::Story;
pub use web::Manner;
pub use wire::{Effect, RequestLog, Times, WireFault};
pub use yard::Yard;
