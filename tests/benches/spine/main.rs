//! `make bench`: the figures of the spine, measured, never asserted.
//!
//! ```text
//! main ── a private PostgreSQL ── child `fleet`: one simulated cluster over HTTP
//!      ├─ child `parse`  the same bytes, parsed by projection and nothing else: the yardstick
//!      ├─ child `sweep`  scan everything, store it, judge it; twice
//!      ├─ child `plane`, child `collect`  one collection of a control plane; twice
//!      ├─ judging in memory, one core          ├─ events one by one, durable
//!      ├─ a storm: ten clusters, 27,929 unhealthy pods
//!      └─ the API at 24,000 instances
//! ```
//! Each child is this program again, so that processor time and memory are its own. Sizes: `STARGATE_BENCH_NAMESPACES` (3000) and
//! `STARGATE_BENCH_PODS` (60000), `STARGATE_BENCH_SUBJECTS` (20000); `STARGATE_BENCH_ONLY` names the parts to run (`sweep,provisioning,judge,events,storm,api`).

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and stops at the first thing that does not work"
)]

mod api;
mod events;
mod fleet;
mod judge;
mod measure;
mod parse;
mod provisioning;
mod storm;
mod sweep;

use std::process::ExitCode;

/// Which part of the benchmark this process is.
const ROLE: &str = "STARGATE_BENCH_ROLE";

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    match setting(ROLE, String::new()).as_str() {
        "fleet" => runtime.block_on(fleet::serve()),
        "parse" => parse::run(&runtime),
        "sweep" => runtime.block_on(sweep::run()),
        "plane" => runtime.block_on(provisioning::serve()),
        "collect" => runtime.block_on(provisioning::run()),
        _ => runtime.block_on(all()),
    }
    ExitCode::SUCCESS
}

async fn all() {
    let only = setting("STARGATE_BENCH_ONLY", String::new());
    let wanted = |part: &str| only.is_empty() || only.split(',').any(|name| name == part);
    if wanted("sweep") {
        sweep::compare().await;
    }
    if wanted("provisioning") {
        provisioning::compare().await;
    }
    if wanted("judge") {
        judge::run().await;
    }
    if wanted("events") {
        events::run().await;
    }
    if wanted("storm") {
        storm::run().await;
    }
    if wanted("api") {
        api::run().await;
    }
}

/// A setting of the benchmark, or its default.
#[expect(clippy::disallowed_methods, reason = "a benchmark has no settings struct")]
fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
