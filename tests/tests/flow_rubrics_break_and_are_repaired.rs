//! Somebody breaks the rubrics of a running `evaluate`, and repairs them: judging goes on, each verdict names its version, and the API
//! shows what is wrong.

#![cfg(test)]

use std::path::{Path, PathBuf};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use stargate_common::boot::{Context, Function};
use stargate_common::db::scans::Tier;
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::events::EventType;
use stargate_common::events::sink::Sink;
use stargate_evaluate::{Evaluate, Settings};
use stargate_query::QueryState;
use stargate_query::access::Identity;
use stargate_tests::TestWorld;
use stargate_tests::fleet::{Condition, TestCluster};
use stargate_tests::world::morning;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

const FILE: &str = "deployment-ready/rubric.yaml";

struct Story {
    world: TestWorld,
    fleet: TestCluster,
    context: Context<Settings>,
    function: Evaluate,
}

impl Story {
    async fn begin(dir: &Path) -> Self {
        let world = TestWorld::new().await;
        let context = Context {
            name: Evaluate::NAME,
            settings: Settings {
                rubrics_dir: Some(dir.to_owned()),
            },
            db: world.db.pool.clone(),
            clock: world.clock.clone(),
            sink: Sink::Nowhere,
            shutdown: CancellationToken::new(),
        };
        let function = Evaluate::start(&context).await.expect("sound rubrics");
        let fleet = TestCluster::new("cnv-1", 3, morning());
        Self {
            world,
            fleet,
            context,
            function,
        }
    }

    /// A scan a quarter of an hour later, judged by the function. The answer: class and rubric version of the lab that changes.
    async fn scan(&mut self, condition: Condition) -> (Option<String>, String) {
        self.fleet.set(1, condition);
        self.world.wait(15);
        self.world.scan(&self.fleet, Tier::Everything).await;
        for event in self.world.take_events().await {
            if event.event_type == EventType::ScanCompleted.as_str() {
                self.function.handle(&self.context, &event).await.expect("judged");
            }
        }
        sqlx::query_as(
            "select s.failure_class, s.rubric_version from stage_state s join instances i using (instance_id)
             where i.namespace = $1 and s.stage = 'deployment-ready'",
        )
        .bind("sandbox-q0001-netbasics")
        .fetch_one(&self.world.db.pool)
        .await
        .expect("a verdict")
    }

    /// The row of the rubrics in the API's list of sources.
    async fn source(&self) -> Value {
        let api =
            stargate_query::router(QueryState::new(self.world.db.pool.clone(), self.world.clock.clone()).open_to(Identity::local_admin()));
        let request = Request::get("/api/v1/sources").body(Body::empty()).expect("a request");
        let answer = api.oneshot(request).await.expect("an answer");
        let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let rows = body["data"].as_array().expect("rows");
        rows.iter().find(|row| row["source"] == "rubrics").expect("the source").clone()
    }
}

fn change(dir: &Path, from: &str, to: &str) {
    let path = dir.join(FILE);
    let text = std::fs::read_to_string(&path).expect("the rubric");
    assert!(text.contains(from), "{FILE} has no {from:?}");
    std::fs::write(path, text.replacen(from, to, 1)).expect("written");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if !from.is_dir() {
            std::fs::copy(from, to).expect("copied");
        } else if !from.ends_with("cases") {
            copy(&from, &to);
        }
    }
}

#[tokio::test]
async fn judging_goes_on_by_the_last_good_rubrics() {
    let dir: PathBuf = std::env::temp_dir().join(format!("stargate-flow-rubrics-{}", std::process::id()));
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rubrics"), &dir);
    let mut story = Story::begin(&dir).await;
    let shipped = RubricSet::embedded().expect("sound").version;

    let (class, version) = story.scan(Condition::CrashLooping).await;
    assert_eq!((class.as_deref(), &version), (Some("pods_crashlooping"), &shipped));
    let source = story.source().await;
    assert_eq!((source["state"].as_str(), &source["last_error"]), (Some("fresh"), &Value::Null));

    change(&dir, "no_crashloop_pods == false", "no_crashlop_pods == false");
    let (class, version) = story.scan(Condition::ImagePull).await;
    assert_eq!(
        (class.as_deref(), &version),
        (Some("image_pull_backoff"), &shipped),
        "by the last good ones"
    );
    let source = story.source().await;
    assert_eq!(source["state"], "failed");
    let error = source["last_error"].as_str().expect("an error");
    assert!(
        error.contains(FILE) && error.contains("no_crashlop_pods") && error.contains(&shipped),
        "{error}"
    );
    assert_eq!(source["coverage"]["missing"].as_array().map(Vec::len), Some(1));
    assert!(source["last_success_at"].as_str() < source["last_attempt_at"].as_str(), "{source}");

    // Repaired, and a severity changed on the way.
    change(&dir, "no_crashlop_pods == false", "no_crashloop_pods == false");
    change(&dir, "severity: 8", "severity: 9");
    let (class, version) = story.scan(Condition::CrashLooping).await;
    assert_eq!(class.as_deref(), Some("pods_crashlooping"));
    assert_eq!(version, RubricSet::from_dir(&dir).expect("sound").version);
    assert_ne!(version, shipped);
    assert_eq!(story.source().await["state"], "fresh");
    std::fs::remove_dir_all(dir).expect("removed");
}
