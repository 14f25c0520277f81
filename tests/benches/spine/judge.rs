//! Judging alone: one cluster in memory, one core.

use std::time::Duration;

use chrono::TimeDelta;
use stargate_common::clock::Clock;
use stargate_common::cluster::ReadClient;
use stargate_common::collect::{self, Tier};
use stargate_common::evaluate::lint::raw::{RawCriterion, RawSet};
use stargate_common::evaluate::pipeline::evaluate_snapshot;
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::objects::NamespaceSelection;
use stargate_common::stage::Stage;
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
    let now = Clock::System.now();
    let shipped = RubricSet::embedded().expect("rubrics");
    let with_expressions = RubricSet::from_raw(&with_expressions()).expect("rubrics with expressions");
    for (name, rubrics) in [("one core", &shipped), ("with `expr`", &with_expressions)] {
        let mut fastest = Duration::MAX;
        let mut stages = 0;
        for _ in 0..ROUNDS {
            let watch = Stopwatch::start();
            let verdict = evaluate_snapshot(rubrics, &collected.snapshot, now, &|_| None);
            fastest = fastest.min(watch.stop().wall);
            stages = verdict.instances.iter().map(|(_, instance)| instance.stages.len() + 1).sum();
            std::hint::black_box(verdict);
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = stages as f64 / fastest.as_secs_f64();
        println!(
            "{name:<16} {stages} stages of {} instances in {:.0} ms, {rate:.0} stages/s",
            collected.snapshot.namespaces.len(),
            fastest.as_secs_f64() * 1e3
        );
    }
}

/// Criteria as lab developers write them, each over every instance that has the stage.
const EXPRESSIONS: [(Stage, &str, &str); 7] = [
    (Stage::NamespaceReady, "labelled", "has(ns.labels.guid) && !ns.terminating"),
    (Stage::NamespaceReady, "claims_bound", "pvcs.all(c, c.bound || c.age_seconds < 900)"),
    (
        Stage::DeploymentReady,
        "few_restarts",
        "pods.filter(p, !p.terminating).all(p, p.restarts <= 20)",
    ),
    (
        Stage::DeploymentReady,
        "replicated",
        "deployments.all(d, d.ready_replicas >= d.replicas || d.paused)",
    ),
    (
        Stage::DeploymentReady,
        "no_kills",
        "pods.all(p, p.troubled_containers.all(c, !has(c.exit_reason) || c.exit_reason != 'OOMKilled'))",
    ),
    (
        Stage::DeploymentReady,
        "mounted",
        "!events.exists(e, e.reason == 'FailedMount' && e.message.contains('timed out') && e.age_seconds < 600)",
    ),
    (
        Stage::RouteReady,
        "hosts",
        "routes.all(r, r.host.matches('^[a-z0-9.-]+$') && (r.admitted || r.age_seconds < 60))",
    ),
];

/// The shipped rubrics with these criteria.
fn with_expressions() -> RawSet {
    let mut raw = RawSet::embedded().expect("rubrics");
    for (stage, name, expr) in EXPRESSIONS {
        let text = format!("{{name: {name}, description: Measured., expr: \"{expr}\", required: false}}");
        let criterion: RawCriterion = stargate_common::yaml::from_str(&text).expect("a criterion");
        let rubric = raw.rubrics.get_mut(&stage).expect("a rubric for every stage");
        rubric.content.exit_criteria.value.push(criterion);
    }
    raw
}
