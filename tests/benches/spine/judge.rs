//! Judging alone: one cluster in memory, one core.

use std::time::Duration;

use chrono::TimeDelta;
use stargate_common::clock::Clock;
use stargate_common::cluster::ReadClient;
use stargate_common::collect::{self, Tier};
use stargate_common::evaluate::pipeline::evaluate_snapshot;
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::objects::NamespaceSelection;
use stargate_sim::{Fleet, SimClock};

use crate::fleet;
use crate::measure::Stopwatch;

/// How often everything is judged; the fastest counts, the others had company on the machine.
const ROUNDS: u32 = 5;

/// Judges every instance of the cluster.
pub async fn run() {
    println!("== judging");
    let simulated = Fleet::bench(
        7,
        fleet::namespaces(),
        fleet::pods(),
        SimClock::following_real_time(TimeDelta::zero()),
    );
    let cluster = simulated.clusters.first().expect("a cluster");
    let client = ReadClient::new("bench-1", kube::Client::new(cluster.service(), "default"));
    let collected = collect::cluster(
        &client,
        Tier::Everything,
        NamespaceSelection::default(),
        &Clock::System,
        Duration::from_secs(600),
    )
    .await;
    let rubrics = RubricSet::embedded().expect("rubrics");
    let now = Clock::System.now();
    let mut fastest = Duration::MAX;
    let mut stages = 0;
    for _ in 0..ROUNDS {
        let watch = Stopwatch::start();
        let verdict = evaluate_snapshot(&rubrics, &collected.snapshot, now, &|_| None);
        fastest = fastest.min(watch.stop().wall);
        stages = verdict.instances.iter().map(|(_, instance)| instance.stages.len() + 1).sum();
        std::hint::black_box(verdict);
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = stages as f64 / fastest.as_secs_f64();
    println!(
        "one core         {stages} stages of {} instances in {:.0} ms, {rate:.0} stages/s",
        collected.snapshot.namespaces.len(),
        fastest.as_secs_f64() * 1e3
    );
}
