//! A push to the repository makes known what a lab demands; what runs otherwise becomes a violation, and advice about it surer. Asked twice,
//! in vain, or while somebody reads already, nothing is lost and nothing happens twice.

#![cfg(test)]

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use chrono::TimeDelta;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use stargate_agnosticv_hook::Hook;
use stargate_collect::{CollectRequested, RequestedSettings, link};
use stargate_common::boot::{Context, Function as _, Job as _, Server as _};
use stargate_common::db::links::Configured;
use stargate_common::db::scans::Tier;
use stargate_common::db::{collection_requests as requests, lease, outbox, records};
use stargate_common::events::sink::Sink;
use stargate_common::events::wire::CloudEvent;
use stargate_common::events::{self, CollectionRequested, EventType};
use stargate_common::failure::Failure;
use stargate_common::objects::Kind;
use stargate_common::policy::rule::RuleSet;
use stargate_common::provisioning::ObjectRef;
use stargate_common::provisioning::catalog::CatalogItem;
use stargate_common::provisioning::pool::{ResourceClaim, ResourceHandle};
use stargate_common::provisioning::subject::AnarchySubject;
use stargate_common::settings;
use stargate_common::sources::Reading;
use stargate_recommend::{Recommender, refresh};
use stargate_sweep::Sweep;
use stargate_tests::TestWorld;
use stargate_tests::fleet::TestCluster;
use stargate_tests::plane::{Plane, component};
use stargate_tests::world::morning;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::Uuid;

const SECRET: &str = "a-secret-of-the-tests-long-enough";
const ITEM: &str = "acme.web.event";

/// A world with a control plane, and what its functions and jobs run with.
struct Watched {
    world: TestWorld,
    plane: Plane,
}

impl Watched {
    async fn new() -> Self {
        let world = TestWorld::new().await;
        let plane = Plane::start(&world.clock, "a-token-of-the-tests").await;
        Self { world, plane }
    }

    fn context<S>(&self, name: &'static str, settings: S) -> Context<S> {
        Context {
            name,
            settings,
            db: self.world.db.pool.clone(),
            clock: self.world.clock.clone(),
            sink: Sink::Nowhere,
            shutdown: CancellationToken::new(),
        }
    }

    /// The repository tells of a commit.
    async fn push(&self, commit: &str) {
        let settings = stargate_agnosticv_hook::Settings {
            secret: SECRET.into(),
            repositories: vec!["acme/agnosticv".to_owned()],
            branches: vec!["main".to_owned()],
        };
        let hook = Hook::start(&self.context(Hook::NAME, settings)).await.unwrap();
        let body = format!(r#"{{"ref":"refs/heads/main","after":"{commit}","repository":{{"full_name":"acme/agnosticv"}}}}"#);
        let request = Request::post("/webhook")
            .header("x-github-event", "push")
            .header("x-github-delivery", commit)
            .header("x-hub-signature-256", sign(&body))
            .body(Body::from(body))
            .unwrap();
        assert_eq!(hook.oneshot(request).await.unwrap().status(), StatusCode::ACCEPTED);
    }

    /// Takes one event in, as the function does.
    async fn collect(&self, event: &CloudEvent) -> Result<(), Failure> {
        let kubeconfig = self.plane.kubeconfig();
        self.collect_with(event, &["--babylon-kubeconfig", &kubeconfig]).await
    }

    async fn collect_with(&self, event: &CloudEvent, args: &[&str]) -> Result<(), Failure> {
        let args = ["collect-requested", "--budget-s", "5"].iter().chain(args).map(Into::into);
        let settings: RequestedSettings = settings::read("collect-requested", args).unwrap();
        CollectRequested
            .handle(&self.context(CollectRequested::NAME, settings), event)
            .await
    }

    /// The requests that were sent since the last time; what others are to hear is delivered.
    async fn requested(&mut self) -> Vec<CloudEvent> {
        let mut requested = Vec::new();
        for event in self.world.take_events().await {
            if event.event_type == EventType::CollectionRequested.as_str() {
                requested.push(event);
            } else {
                self.world.deliver(&event).await.unwrap();
            }
        }
        requested
    }

    /// Whether each request is open, the oldest first.
    async fn open(&self) -> Vec<bool> {
        sqlx::query_scalar("select done_at is null from collection_requests order by requested_at")
            .fetch_all(&self.world.db.pool)
            .await
            .unwrap()
    }

    /// Collections so far.
    async fn collections(&self) -> i64 {
        let sql = "select count(*) from collections where source = 'agnosticv'";
        sqlx::query_scalar(sql).fetch_one(&self.world.db.pool).await.unwrap()
    }

    /// Violations: what they are, whether they are open, and the version of the row.
    async fn violations(&self) -> Vec<(String, bool, String)> {
        sqlx::query_as(
            "select format('%s: %s, not %s', type, actual, expected), cleared_at is null, xmin::text from constraint_violations order by detected_at",
        )
        .fetch_all(&self.world.db.pool)
        .await
        .unwrap()
    }

    /// The advice about guest agents: how sure it is, and its words.
    async fn advice(&self) -> (i16, String) {
        let recommender = Recommender {
            db: self.world.db.pool.clone(),
            clock: self.world.clock.clone(),
            rules: Arc::new(RuleSet::embedded().unwrap()),
        };
        refresh(&recommender).await.unwrap();
        let sql = "select confidence, decision from recommendations where rule = 'guest_agent_disconnected' and state = 'issued'";
        sqlx::query_as(sql).fetch_one(&self.world.db.pool).await.unwrap()
    }

    /// An order of the item for the first lab, so that its instance is surely one of it.
    async fn order(&self) {
        let name = |namespace: &str, name: &str| ObjectRef {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let subject = AnarchySubject {
            uid: "subject".to_owned(),
            namespace: "anarchy-1".to_owned(),
            name: format!("{ITEM}-q0000"),
            governor: ITEM.to_owned(),
            current_state: "started".to_owned(),
            guid: "q0000".to_owned(),
            handle: Some(name("poolboy", "guid-q0000")),
            ..AnarchySubject::default()
        };
        let handle = ResourceHandle {
            uid: "handle".to_owned(),
            namespace: "poolboy".to_owned(),
            name: "guid-q0000".to_owned(),
            claim: Some(name("user-1", "order")),
            ..ResourceHandle::default()
        };
        let claim = ResourceClaim {
            uid: "claim".to_owned(),
            namespace: "user-1".to_owned(),
            name: "order".to_owned(),
            handle: Some(name("poolboy", "guid-q0000")),
            catalog_item: Some(name("babylon-catalog-event", ITEM)),
            ..ResourceClaim::default()
        };
        let item = CatalogItem {
            uid: "item".to_owned(),
            name: ITEM.to_owned(),
            ..CatalogItem::default()
        };
        let now = self.world.clock.now();
        let mut tx = self.world.db.pool.begin().await.unwrap();
        records::store(&mut tx, "babylon", &Reading::complete(vec![subject]), now)
            .await
            .unwrap();
        records::store(&mut tx, "babylon", &Reading::complete(vec![handle]), now)
            .await
            .unwrap();
        records::store(&mut tx, "babylon", &Reading::complete(vec![claim]), now)
            .await
            .unwrap();
        records::store(&mut tx, "babylon", &Reading::complete(vec![item]), now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let configured = Configured {
            lab_stages: ["event".to_owned()].into(),
            ..Configured::default()
        };
        link::join(&self.world.db.pool, &self.world.clock, &configured).await.unwrap();
    }
}

/// HMAC-SHA256 as RFC 2104 writes it.
fn sign(body: &str) -> String {
    let mut key = [0_u8; 64];
    key[..SECRET.len()].copy_from_slice(SECRET.as_bytes());
    let padded = |pad: u8| key.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(body).finalize();
    format!(
        "sha256={:x}",
        Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize()
    )
}

/// A cluster whose lab has one machine, a worker, that has lost its guest agent.
fn cluster_with_a_machine() -> TestCluster {
    let mut cluster = TestCluster::new("east", 1, morning());
    let metadata =
        json!({ "name": "worker-1", "namespace": TestCluster::namespace(0), "uid": "vm-1", "creationTimestamp": cluster.created_at });
    let mut owned = metadata.clone();
    owned["ownerReferences"] = json!([{ "kind": "VirtualMachine", "name": "worker-1", "controller": true }]);
    let vm = json!({ "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata,
        "spec": { "runStrategy": "Always", "template": { "spec": { "domain": {} } } },
        "status": { "printableStatus": "Running", "ready": true, "created": true } });
    let vmi = json!({ "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": owned,
        "status": { "phase": "Running", "nodeName": "worker-1", "conditions": [{ "type": "Ready", "status": "True" }],
                    "guestOSInfo": { "name": "Linux" } } });
    cluster.besides = vec![(Kind::VirtualMachine, vm), (Kind::VirtualMachineInstance, vmi)];
    cluster
}

#[tokio::test]
async fn a_push_becomes_a_violation_and_makes_advice_surer_until_it_is_met() {
    let mut it = Watched::new().await;
    let cluster = cluster_with_a_machine();
    it.world.scan_and_judge(&cluster, Tier::Everything).await;
    it.order().await;
    it.world.wait(15);
    it.world.scan_and_judge(&cluster, Tier::Everything).await;
    assert_eq!(it.violations().await, []);
    let (sure, words) = it.advice().await;
    assert_eq!((sure, words.contains("demands")), (70, false), "{words}");

    // The definition begins to demand three workers, and the repository says that it changed.
    it.plane.components(&[component(
        ITEM,
        &json!({"cloud_provider": "openshift_cnv", "worker_instance_count": 3}),
    )]);
    it.push("0123456789abcdef").await;
    let requested = it.requested().await;
    assert_eq!(requested.len(), 1);
    it.world.clock.advance(TimeDelta::seconds(5));
    it.collect(&requested[0]).await.unwrap();
    assert_eq!((it.open().await, it.collections().await), (vec![false], 1));

    // The next look at the cluster finds one.
    it.world.wait(15);
    it.world.scan_and_judge(&cluster, Tier::Everything).await;
    let found = it.violations().await;
    let told: Vec<(&str, bool)> = found.iter().map(|(words, open, _)| (words.as_str(), *open)).collect();
    assert_eq!(told, [("resource_below_spec: 1, not 3 workers", true)]);
    let (sure, words) = it.advice().await;
    assert_eq!(sure, 75);
    assert!(
        words.ends_with("; the definition demands otherwise: resource_below_spec"),
        "{words}"
    );
    let context: serde_json::Value = sqlx::query_scalar("select context -> 'violations' -> 0 from recommendations where confidence = 75")
        .fetch_one(&it.world.db.pool)
        .await
        .unwrap();
    assert_eq!(
        context,
        json!({"violation": "resource_below_spec", "expected": "3 workers", "actual": "1", "severity": "warning",
            "stage": "vm-runtime-ready", "class": "guest_agent_not_connected", "instances": 1})
    );

    // Nothing changed: nothing is written.
    it.world.wait(15);
    it.world.scan_and_judge(&cluster, Tier::Everything).await;
    assert_eq!(it.violations().await, found);

    // The demand is taken back: the violation is closed and the advice is what it was.
    it.plane.components(&[component(
        ITEM,
        &json!({"cloud_provider": "openshift_cnv", "worker_instance_count": 1}),
    )]);
    it.push("fedcba9876543210").await;
    let requested = it.requested().await;
    it.world.clock.advance(TimeDelta::seconds(5));
    it.collect(&requested[0]).await.unwrap();
    it.world.wait(15);
    it.world.scan_and_judge(&cluster, Tier::Everything).await;
    let told: Vec<bool> = it.violations().await.iter().map(|(_, open, _)| *open).collect();
    assert_eq!(told, [false]);
    assert_eq!(it.advice().await.0, 70);
}

#[tokio::test]
async fn a_request_that_comes_again_is_taken_once() {
    let mut it = Watched::new().await;
    it.plane.components(&[component(ITEM, &json!({}))]);
    it.push("0123456789abcdef").await;
    let event = it.requested().await.remove(0);
    it.world.clock.advance(TimeDelta::seconds(5));
    for _ in 0..3 {
        it.collect(&event).await.unwrap();
    }
    assert_eq!((it.collections().await, it.open().await), (1, vec![false]));
    let asked = it.plane.system.asked().len();
    it.collect(&event).await.unwrap();
    assert_eq!(it.plane.system.asked().len(), asked, "nobody is asked for what is done");
}

#[tokio::test]
async fn what_cannot_be_done_now_stays_open_and_is_sent_again_by_sweep() {
    let mut it = Watched::new().await;
    it.push("0123456789abcdef").await;
    let event = it.requested().await.remove(0);
    it.world.clock.advance(TimeDelta::seconds(5));
    // Somebody reads it already: that run may have begun before the push.
    let other = it.world.db.another_pool().await;
    let held = lease::hold(&other, "collect/agnosticv", it.collect(&event)).await.unwrap();
    assert!(matches!(held, Some(Err(Failure::Busy(_)))), "{held:?}");
    assert_eq!((it.open().await, it.collections().await), (vec![true], 0));
    // It is not there (404): read, and in vain.
    it.collect(&event).await.unwrap();
    assert_eq!((it.open().await, it.collections().await), (vec![true], 1));

    let sweep = settings::read("sweep", ["sweep".into()]).unwrap();
    let sweep = it.context(Sweep::NAME, sweep);
    Sweep::run(&sweep).await.unwrap();
    assert_eq!(it.requested().await.len(), 0, "its event may still be on its way");
    it.world.wait(3);
    let told = Sweep::run(&sweep).await.unwrap();
    assert!(told.contains("1 collections requested again"), "{told}");
    let again = it.requested().await;
    assert_eq!(again.len(), 1);
    let payload: CollectionRequested = again[0].payload().unwrap();
    assert_eq!(payload, event.payload().unwrap(), "the same request");
    Sweep::run(&sweep).await.unwrap();
    assert_eq!(it.requested().await.len(), 0, "one at a time");

    it.plane.components(&[component(ITEM, &json!({}))]);
    it.collect(&again[0]).await.unwrap();
    it.world.wait(3);
    Sweep::run(&sweep).await.unwrap();
    assert_eq!((it.open().await, it.requested().await.len()), (vec![false], 0), "it is done");
}

#[tokio::test]
async fn one_of_several_control_planes_that_fails_leaves_a_request_open() {
    let mut it = Watched::new().await;
    it.plane.components(&[component(ITEM, &json!({}))]);
    it.plane.also("second", "another-token");
    std::fs::write(std::path::Path::new(&it.plane.kubeconfigs()).join("broken.json"), "{").unwrap();
    it.push("0123456789abcdef").await;
    let event = it.requested().await.remove(0);
    it.world.clock.advance(TimeDelta::seconds(5));
    let folder = it.plane.kubeconfigs();
    it.collect_with(&event, &["--babylon-kubeconfig-dir", &folder]).await.unwrap();
    let rows: Vec<(String, bool)> = sqlx::query_as("select source, last_error is null from sources where enabled order by source")
        .fetch_all(&it.world.db.pool)
        .await
        .unwrap();
    let row = |name: &str, well| (format!("agnosticv/{name}"), well);
    assert_eq!(rows, [row("broken", false), row("control", true), row("second", true)]);
    assert_eq!(it.open().await, [true]);
    std::fs::remove_file(std::path::Path::new(&folder).join("broken.json")).unwrap();
    it.world.wait(1);
    it.collect_with(&event, &["--babylon-kubeconfig-dir", &folder]).await.unwrap();
    assert_eq!(it.open().await, [false]);
}

#[tokio::test]
async fn a_request_for_what_nobody_knows_is_refused_and_for_what_is_not_configured_ended() {
    let mut it = Watched::new().await;
    let now = it.world.clock.now();
    let asked = async |source: &str| {
        let mut conn = it.world.db.pool.acquire().await.unwrap();
        let (request_id, _) = requests::request(&mut conn, Uuid::now_v7(), source, "a test", now).await.unwrap();
        let payload = CollectionRequested {
            request_id,
            source: source.to_owned(),
        };
        let event = events::outgoing("test", &payload, now).unwrap();
        outbox::append(&mut conn, std::slice::from_ref(&event), now).await.unwrap();
        CloudEvent::from(&event)
    };
    let unknown = asked("carrier-pigeon").await;
    let refused = it.collect(&unknown).await;
    assert!(
        matches!(&refused, Err(Failure::Reject(why)) if why.contains("carrier-pigeon")),
        "{refused:?}"
    );
    let disabled = asked("demolition").await;
    it.collect(&disabled).await.unwrap();
    let open: Vec<String> = sqlx::query_scalar("select source from collection_requests where done_at is null")
        .fetch_all(&it.world.db.pool)
        .await
        .unwrap();
    assert_eq!(open, ["carrier-pigeon"]);
    assert_eq!(it.requested().await.len(), 2);
}
