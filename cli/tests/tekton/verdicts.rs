//! One namespace, three ways to ask: the verdict is the same. And what a pipeline does with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use stargate_common::boot::{Context, Job};
use stargate_common::clock::Clock;
use stargate_common::cluster::ClusterSettings;
use stargate_common::db::{self, PoolSettings};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::events::sink::Sink;
use stargate_common::settings;
use stargate_query::access::Identity;
use stargate_query::{QueryState, router};
use stargate_scan::Scan;
use stargate_sim::{Fault, Fleet, Running, SimClock};
use stargate_tests::TestWorld;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::manifests::manifests;
use crate::runner::{self, Ran, State, Step, Texts};

const READY: &str = "sandbox-q7f2k-webshop";
const BROKEN: &str = "sandbox-w3h8n-webshop";
const ON_ITS_WAY: &str = "sandbox-z9p4t-webshop";
/// Decided by what is in the namespace; routes of simulated clusters do not resolve.
const STAGES: &str = "namespace-ready,deployment-ready";

/// A cluster with three labs, StarGate watching it, and a folder to work in.
struct Place {
    folder: PathBuf,
    api: String,
    served: Running,
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Place {
    async fn new(name: &str) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let folder = std::env::temp_dir().join(format!("stargate-tekton-{name}-{}", std::process::id()));
        fs::remove_dir_all(&folder).ok();
        for part in ["credentials", "reports", "source", "scratch"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let clock = SimClock::following_real_time(TimeDelta::zero());
        let fleet = Fleet::empty(&["east"], 7, clock.clone());
        let cluster = fleet.cluster("east").unwrap();
        for (namespace, guid) in [(READY, "q7f2k"), (BROKEN, "w3h8n"), (ON_ITS_WAY, "z9p4t")] {
            cluster.build(namespace, clock.now() - TimeDelta::hours(3), |yard| {
                yard.sandbox_labels(guid, guid)
                    .deployment("web", 1)
                    .service("web", 8080)
                    .route("web", "web");
            });
        }
        assert!(cluster.inject_since(BROKEN, Fault::PodsCrashlooping, clock.now() - TimeDelta::hours(1)));
        assert!(cluster.inject(ON_ITS_WAY, Fault::PodsNotReady));
        let served = fleet.serve().await.unwrap();
        served.write_kubeconfigs(&folder.join("credentials")).unwrap();

        // StarGate itself: it scans, judges and answers until the test is over.
        let world = TestWorld::new().await;
        let stop = CancellationToken::new();
        let reader = db::connect(&world.db.url, &PoolSettings::read_only("tekton")).await.unwrap();
        let mut state = QueryState::new(reader, Clock::System).open_to(Identity::local_admin());
        state.knowledge = Arc::new((&RubricSet::embedded().unwrap()).into());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let ended = stop.clone();
        let mut running = JoinSet::new();
        running.spawn(async move {
            axum::serve(listener, router(state))
                .with_graceful_shutdown(ended.cancelled_owned())
                .await
                .unwrap();
        });
        running.spawn(watch(world, folder.join("credentials"), stop.clone()));
        Self {
            folder,
            api,
            served,
            stop,
            running,
        }
    }

    fn workspaces(&self) -> BTreeMap<String, PathBuf> {
        ["credentials", "reports", "source"]
            .map(|name| (name.to_owned(), self.folder.join(name)))
            .into()
    }

    /// The program with these arguments: its exit code and its answer as JSON.
    fn gate(&self, args: &[&str]) -> (Option<i32>, Value) {
        let output = Command::new(env!("CARGO_BIN_EXE_stargate"))
            .arg("gate")
            .args(args)
            .args(["-o", "json"])
            .output()
            .unwrap();
        let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (output.status.code(), answer)
    }

    fn task(&self, name: &str, params: &[(&str, &str)]) -> Step {
        let params: Texts = texts(params);
        runner::task(
            manifests().get("Task", name),
            &params,
            &self.workspaces(),
            &self.folder.join("scratch"),
        )
    }

    fn pipeline(&self, name: &str, params: &[(&str, &str)], elsewhere: &runner::Elsewhere<'_>) -> Ran {
        runner::pipeline(
            &manifests(),
            name,
            &texts(params),
            &self.workspaces(),
            elsewhere,
            &self.folder.join("scratch"),
        )
    }

    fn report(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join("reports").join(name)).unwrap()
    }

    async fn end(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended.unwrap();
        }
        self.served.stop().await;
        fs::remove_dir_all(&self.folder).ok();
    }
}

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Scans and judges, again and again.
async fn watch(mut world: TestWorld, kubeconfigs: PathBuf, stop: CancellationToken) {
    world.clock = Clock::System;
    world.evaluator.clock = Clock::System;
    let mut settings: stargate_scan::Settings = settings::read("scan", ["scan".into()]).unwrap();
    settings.probe_budget_s = 0;
    settings.clusters = ClusterSettings {
        kubeconfig_dir: Some(kubeconfigs),
        ssl_verify: true,
        ..ClusterSettings::default()
    };
    let context = Context {
        name: "scan",
        settings,
        db: world.db.pool.clone(),
        clock: Clock::System,
        sink: Sink::Nowhere,
        shutdown: CancellationToken::new(),
    };
    let mut schedule = tokio::time::interval(Duration::from_millis(300));
    while !stop.is_cancelled() {
        schedule.tick().await;
        Scan::run(&context).await.unwrap();
        world.deliver_until_quiet().await;
    }
}

/// What must not depend on who asks.
fn verdict(answer: &Texts) -> (String, String, String) {
    (answer["verdict"].clone(), answer["stage"].clone(), answer["class"].clone())
}

fn as_texts(answer: &Value) -> Texts {
    let fields = answer.as_object().unwrap();
    fields
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_verdict_is_the_same_from_the_command_line_the_api_and_a_task() {
    let place = Place::new("same").await;
    tokio::task::block_in_place(|| {
        for (namespace, exit, expected) in [
            (READY, 0, ("pass", "namespace-ready", "")),
            (BROKEN, 1, ("fail", "deployment-ready", "pods_crashlooping")),
            (ON_ITS_WAY, 2, ("indeterminate", "deployment-ready", "progressing")),
        ] {
            let kubeconfig = place.folder.join("credentials/east.yaml");
            let recording = place.folder.join("source").join(namespace);
            let recorded = Command::new(env!("CARGO_BIN_EXE_stargate"))
                .args(["record", "--namespace", namespace, "--kubeconfig"])
                .args([&kubeconfig, &recording])
                .output();
            assert!(recorded.unwrap().status.success());
            let short = if exit == 2 { "7s" } else { "60s" };
            let from = |source: &[&str]| place.gate(&[source, &["--namespace", namespace, "--stage", STAGES, "--wait", short]].concat());
            let shared = [("image", "any"), ("namespace", namespace), ("stages", STAGES)];
            let with = |more: &[(&str, &str)]| -> Vec<(String, String)> {
                shared
                    .iter()
                    .chain(more)
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect()
            };
            let run = |task: &str, more: &[(&str, &str)]| {
                let params = with(more);
                let params: Vec<(&str, &str)> = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                place.task(task, &params)
            };
            let kubeconfig = kubeconfig.display().to_string();
            let recording = recording.display().to_string();
            let said = [
                from(&["--from", &recording]),
                from(&["--kubeconfig", &kubeconfig]),
                from(&["--api", &place.api]),
            ];
            let tasks = [
                run("stargate-evaluate-recording", &[("path", namespace)]),
                run("stargate-evaluate-live", &[("kubeconfig", "east.yaml"), ("wait", short)]),
                run("stargate-evaluate-namespace", &[("api", &place.api), ("wait", short)]),
            ];
            let mut answers: Vec<(Option<i32>, Texts)> = said.iter().map(|(exit, answer)| (*exit, as_texts(answer))).collect();
            answers.extend(tasks.iter().map(|step| (step.exit, step.results.clone())));
            let (outcome, stage, class) = expected;
            for (way, (code, answer)) in answers.iter().enumerate() {
                assert_eq!(
                    verdict(answer),
                    (outcome.to_owned(), stage.to_owned(), class.to_owned()),
                    "{namespace}, way {way}: {answer:?}"
                );
                assert_eq!(*code, Some(exit), "{namespace}, way {way}");
                let bytes: usize = answer.values().map(String::len).sum();
                assert!(bytes < 1024 && answer.values().all(|text| !text.ends_with('\n')), "{answer:?}");
                assert!(answer["evaluation"].contains('@'), "{answer:?}");
            }
            let junit = place.report("readiness.xml");
            assert_eq!(junit.contains("<failure"), exit == 1, "{junit}");
            assert!(junit.contains(namespace));
        }
    });
    place.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_cannot_be_read_is_no_pass_and_says_why() {
    let place = Place::new("unread").await;
    tokio::task::block_in_place(|| {
        let image = ("image", "any");
        let nothing = place.task("stargate-evaluate-recording", &[image, ("path", "not-there")]);
        let broken = place.folder.join("source/broken");
        fs::create_dir_all(&broken).unwrap();
        fs::write(broken.join("pods.json"), "{\"kind\": \"PodList\", \"items\": [").unwrap();
        let unreadable = place.task("stargate-evaluate-recording", &[image, ("path", "broken")]);
        let no_kubeconfig = place.task("stargate-evaluate-live", &[image, ("namespace", READY), ("kubeconfig", "none")]);
        let no_api = place.task(
            "stargate-evaluate-namespace",
            &[image, ("namespace", READY), ("api", "http://127.0.0.1:9"), ("wait", "0s")],
        );
        let no_stage = place.task("stargate-evaluate-recording", &[image, ("stages", "rout-ready")]);
        for step in [nothing, unreadable, no_kubeconfig, no_api, no_stage] {
            assert_eq!(step.exit, Some(2), "{}", step.said);
            assert_eq!(
                (step.results["verdict"].as_str(), step.results["class"].as_str()),
                ("indeterminate", "not_evaluated"),
                "{}",
                step.said
            );
            assert!(!step.results["message"].is_empty());
            assert!(place.report("readiness.xml").contains("<error"));
        }
    });
    place.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pipelines_go_on_only_with_what_is_ready_and_always_tell_how_it_ended() {
    let place = Place::new("pipelines").await;
    tokio::task::block_in_place(|| {
        let provision = |namespace: &'static str| {
            let order = move |task: &str, params: &Texts| {
                assert_eq!((task, params["catalog-item"].as_str()), ("order-lab", "webshop"));
                Some(texts(&[("namespace", namespace), ("cluster", "east")]))
            };
            let params = [
                ("image", "any"),
                ("api", place.api.as_str()),
                ("catalog-item", "webshop"),
                ("order-task", "order-lab"),
                ("stages", STAGES),
                ("wait", "30s"),
            ];
            place.pipeline("stargate-provision", &params, &order)
        };
        let ready = provision(READY);
        assert_eq!(ready.status, "Succeeded", "{}", ready.said);
        assert!(outcome(&place.folder)["passed"] == true);
        let broken = provision(BROKEN);
        assert_eq!(
            (broken.status.as_str(), &broken.tasks["evaluate"]),
            ("Failed", &State::Failed),
            "{}",
            broken.said
        );
        assert_eq!(broken.results["evaluate"]["class"], "pods_crashlooping");
        assert_eq!(broken.tasks["publish"], State::Succeeded, "{}", broken.said);
        assert!(outcome(&place.folder)["passed"] == false);

        let promote = |integration: &str, target: &str, rubrics: &str| {
            let promoted = std::cell::RefCell::new(Vec::new());
            let ran = {
                let task = |_: &str, params: &Texts| {
                    promoted.borrow_mut().push(params["stage"].clone());
                    Some(Texts::new())
                };
                let params = [
                    ("image", "any"),
                    ("revision", "0123456789abcdef0123456789abcdef01234567"),
                    ("dev-api", place.api.as_str()),
                    ("dev-namespace", READY),
                    ("integration-api", place.api.as_str()),
                    ("integration-namespace", integration),
                    ("stages", STAGES),
                    ("wait", "30s"),
                    ("target", target),
                    ("promote-task", "agnosticv-promote"),
                    ("rubrics", rubrics),
                ];
                place.pipeline("stargate-promote", &params, &task)
            };
            (ran.status, promoted.into_inner())
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            promote(READY, "prod", ""),
            ("Completed".to_owned(), words(&["integration", "prod"])),
            "only the rubrics were skipped"
        );
        assert_eq!(promote(READY, "integration", ""), ("Completed".to_owned(), words(&["integration"])));
        assert_eq!(
            promote(BROKEN, "prod", ""),
            ("Failed".to_owned(), words(&["integration"])),
            "never to prod"
        );
        // The change brings rubrics: sound ones first, then a folder that holds none.
        let (source, rubrics) = (place.folder.join("source"), crate::manifests::root().join("rubrics"));
        copy(&rubrics, &source.join("rubrics"));
        fs::create_dir_all(source.join("empty")).unwrap();
        assert_eq!(
            promote(READY, "prod", "rubrics"),
            ("Succeeded".to_owned(), words(&["integration", "prod"]))
        );
        assert!(place.report("rubrics.xml").contains("<testcase"));
        assert_eq!(
            promote(READY, "prod", "empty"),
            ("Failed".to_owned(), words(&[])),
            "rubrics that cannot be tested stop all"
        );
    });
    place.end().await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn outcome(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("reports/outcome.json")).unwrap()).unwrap()
}
