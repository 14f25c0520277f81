//! Advice comes, changes and goes with what is known; events are delivered again, late, in any order, or not at all.

#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use stargate_common::boot::{self, Context};
use stargate_common::db::sources::{self, Source};
use stargate_common::db::views::{self, View};
use stargate_common::db::{outbox, records};
use stargate_common::events::sink::Sink;
use stargate_common::events::wire::CloudEvent;
use stargate_common::events::{self, CollectionCompleted, EventType, ReadinessChanged};
use stargate_common::policy::rule::RuleSet;
use stargate_common::provisioning::pool::{HandleCondition, ResourcePool};
use stargate_common::settings::NoSettings;
use stargate_common::sources::Reading;
use stargate_common::stage::Stage;
use stargate_recommend::{Done, Recommend, Recommender, refresh, take_event_in};
use stargate_tests::TestWorld;
use stargate_tests::kill::cut_off;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

/// A world with a pool that Babylon tells of.
struct Advised {
    world: TestWorld,
    recommender: Recommender,
}

impl Advised {
    async fn new() -> Self {
        let world = TestWorld::new().await;
        let recommender = Recommender {
            db: world.db.pool.clone(),
            clock: world.clock.clone(),
            rules: Arc::new(RuleSet::embedded().unwrap()),
        };
        Self { world, recommender }
    }

    /// Babylon is read: the pool has that many handles, so many of them ready. Answers the event of it.
    async fn collect(&self, ready: usize, available: usize) -> CloudEvent {
        let now = self.world.clock.now();
        let handle = |number: usize| HandleCondition {
            name: format!("guid-{number}"),
            healthy: None,
            ready: Some(number < ready),
        };
        let pool = ResourcePool {
            uid: "pool-1".to_owned(),
            namespace: "poolboy".to_owned(),
            name: "webshop".to_owned(),
            min_available: 10,
            available: i64::try_from(available).ok(),
            ready: i64::try_from(ready).ok(),
            unclaimed: (0..available).map(handle).collect(),
            ..ResourcePool::default()
        };
        let mut tx = self.world.db.pool.begin().await.unwrap();
        let stored = records::store(&mut tx, "babylon", &Reading::complete(vec![pool]), now)
            .await
            .unwrap();
        let source = Source {
            name: "babylon",
            interval_s: 300,
            attempt_at: now,
            success_at: Some(now),
            error: None,
            expected: 1,
            missing: &[],
            retry_at: None,
        };
        sources::record(&mut *tx, &source).await.unwrap();
        let completed = CollectionCompleted {
            collection_id: Uuid::new_v4(),
            source: "babylon".to_owned(),
        };
        let event = events::outgoing("collect", &completed, now).unwrap();
        outbox::append(&mut tx, std::slice::from_ref(&event), now).await.unwrap();
        views::raise(&mut tx, (stored.rows() > 0).then_some(View::Provisioning), now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        CloudEvent::from(&event)
    }

    async fn deliver(&self, event: &CloudEvent) -> Done {
        take_event_in(&self.recommender, event).await.unwrap()
    }

    /// The advice on the pool, in a line.
    async fn advice(&self) -> String {
        let row: Option<(String, String, i16, i32, String, Option<String>)> = sqlx::query_as(
            "select state, urgency, confidence, revision, decision, unknown_reason from recommendations where rule = 'pool_exhaustion'",
        )
        .fetch_optional(&self.world.db.pool)
        .await
        .unwrap();
        row.map_or_else(String::new, |(state, urgency, confidence, revision, decision, unknown)| {
            let unknown = unknown.map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("{state} {urgency} {confidence} r{revision}{unknown}: {decision}")
        })
    }

    /// What was told of advice so far, in order.
    async fn told(&self) -> Vec<String> {
        let rows: Vec<(String, i32, String)> = sqlx::query_as(
            "select type, (data ->> 'revision')::int, data ->> 'rule' from outbox where type like 'io.stargate.recommendation.%' order by seq",
        )
        .fetch_all(&self.world.db.pool)
        .await
        .unwrap();
        let line = |(kind, revision, rule): (String, i32, String)| {
            let fact = kind.trim_start_matches("io.stargate.recommendation.").trim_end_matches(".v1");
            format!("{rule} {fact} r{revision}")
        };
        rows.into_iter().map(line).collect()
    }

    async fn number(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement).fetch_one(&self.world.db.pool).await.unwrap()
    }

    async fn runs(&self) -> i64 {
        self.number("select coalesce(max(run), 0) from policy_state").await
    }
}

const ISSUED: &str = "issued high 95 r1: pool poolboy/webshop: ready 0, existing 4, minimum 10";

#[tokio::test]
async fn advice_is_issued_updated_and_withdrawn_and_nothing_is_said_twice() {
    let it = Advised::new().await;
    let first = it.collect(0, 4).await;
    let done = it.deliver(&first).await;
    assert_eq!((done.runs, done.issued), (1, 1));
    assert_eq!(it.advice().await, ISSUED);
    assert_eq!(it.told().await, ["pool_exhaustion issued r1"]);

    // The same again, and a collection that changed nothing.
    let unchanged = it.collect(0, 4).await;
    for event in [&first, &unchanged, &first, &unchanged, &first] {
        assert_eq!(it.deliver(event).await, Done::default());
    }
    assert_eq!(it.runs().await, 1);
    assert_eq!(it.number("select count(*) from inbox where consumer = 'recommend'").await, 2);

    // Another number in the words: written, and told nobody.
    let done = it.deliver(&it.collect(0, 5).await).await;
    assert_eq!((done.refreshed, done.updated), (1, 0));
    assert_eq!(it.advice().await, ISSUED.replace("existing 4", "existing 5"));
    assert_eq!(it.told().await.len(), 1);

    // One can be handed out: less sure.
    it.deliver(&it.collect(1, 5).await).await;
    assert_eq!(
        it.advice().await,
        "issued high 80 r2: pool poolboy/webshop: ready 1, existing 5, minimum 10"
    );
    it.deliver(&it.collect(10, 10).await).await;
    assert!(it.advice().await.starts_with("withdrawn high 80 r3"), "{}", it.advice().await);
    it.deliver(&it.collect(0, 4).await).await;
    assert_eq!(it.advice().await, ISSUED.replace("r1", "r4"));
    let told = ["issued r1", "issued r2", "withdrawn r3", "issued r4"];
    assert_eq!(it.told().await, told.map(|line| format!("pool_exhaustion {line}")));
    let evidence = it
        .number("select count(*) from recommendations where evidence -> 0 -> 'items' -> 0 ->> 'key' = 'pool-1'")
        .await;
    assert_eq!(evidence, 1);
}

#[tokio::test]
async fn a_source_that_is_away_neither_advises_nor_takes_back() {
    let it = Advised::new().await;
    it.deliver(&it.collect(0, 4).await).await;
    // Nobody else was ever read: reported by rule and reason, not by lab.
    let unknowns = "select count(*) from rule_unknowns where reason = 'not_collected' and rule = 'sandbox_api_degraded' and subjects = 1";
    assert_eq!(it.number(unknowns).await, 1);
    it.world.wait(15);
    // By time alone: no event comes.
    let done = refresh(&it.recommender).await.unwrap();
    assert_eq!((done.runs, done.doubted, done.withdrawn), (1, 1, 0));
    assert_eq!(it.advice().await, ISSUED.replace("r1", "r1 (stale)"));
    let stale = "select count(*) from rule_unknowns where rule = 'pool_exhaustion' and reason = 'stale' and sources = '[\"babylon\"]'
        and examples = '[\"poolboy/webshop\"]'";
    assert_eq!(it.number(stale).await, 1);
    it.world.wait(15);
    assert_eq!(refresh(&it.recommender).await.unwrap().doubted, 0);
    // It answers again, and says the same.
    it.collect(0, 4).await;
    it.world.wait(11);
    it.collect(0, 4).await;
    let done = refresh(&it.recommender).await.unwrap();
    assert_eq!((done.refreshed, done.updated), (1, 0));
    assert_eq!(it.advice().await, ISSUED);
    assert_eq!(it.number(stale).await, 0);
    assert_eq!(it.told().await, ["pool_exhaustion issued r1"]);
    assert_eq!(
        refresh(&it.recommender).await.unwrap(),
        Done::default(),
        "nothing changed, and the newest run is young"
    );
}

#[tokio::test]
async fn every_event_thrice_in_any_order_ends_in_the_same_state() {
    for seed in 0..6_usize {
        let it = Advised::new().await;
        let mut events = Vec::new();
        for (ready, available) in [(0, 4), (1, 5), (0, 3)] {
            events.push(it.collect(ready, available).await);
            if seed % 2 == 0 {
                it.deliver(&events[events.len() - 1]).await;
            }
        }
        // Every order of nine deliveries that a step which is prime to nine makes.
        let step = [1, 2, 4, 5, 7, 8][seed];
        for at in 0..9 {
            it.deliver(&events[(at * step + seed) % 9 % 3]).await;
        }
        let advice = it.advice().await;
        assert!(advice.ends_with("ready 0, existing 3, minimum 10"), "{advice}");
        let told = it.told().await;
        let expected = if seed % 2 == 0 { 3 } else { 1 };
        assert_eq!(told.len(), expected, "{seed}: {told:?}");
        assert_eq!(it.number("select count(*) from inbox where consumer = 'recommend'").await, 3);
        assert_eq!(
            it.number("select count(*) from recommendations where rule = 'pool_exhaustion'")
                .await,
            1
        );
    }
}

#[tokio::test]
async fn a_run_that_is_killed_anywhere_leaves_nothing_and_the_next_does_it_whole() {
    let mut killed = 0;
    for polls in 1..40 {
        let it = Advised::new().await;
        let event = it.collect(0, 4).await;
        let ended = cut_off(take_event_in(&it.recommender, &event), polls).await;
        let finished = ended.is_some();
        if let Some(ended) = ended {
            ended.unwrap();
        }
        killed += usize::from(!finished);
        let told = it.told().await.len();
        assert_eq!(told, usize::try_from(it.runs().await).unwrap(), "all of a run or nothing of it");
        it.deliver(&event).await;
        assert_eq!(it.advice().await, ISSUED);
        assert_eq!(it.told().await, ["pool_exhaustion issued r1"]);
        if finished {
            break;
        }
    }
    assert!(killed > 3, "{killed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_at_once_do_not_say_anything_twice() {
    let it = Advised::new().await;
    let event = it.collect(0, 4).await;
    let other = Recommender {
        db: it.world.db.another_pool().await,
        ..it.recommender.clone()
    };
    let (one, two) = tokio::join!(take_event_in(&it.recommender, &event), take_event_in(&other, &event));
    assert_eq!(one.unwrap().issued + two.unwrap().issued, 1);
    assert_eq!(it.told().await, ["pool_exhaustion issued r1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_events_of_one_change_cost_a_few_runs() {
    let it = Advised::new().await;
    it.collect(0, 4).await;
    let now = it.world.clock.now();
    let context = Context {
        name: "recommend",
        settings: NoSettings::default(),
        db: it.world.db.pool.clone(),
        clock: it.world.clock.clone(),
        sink: Sink::Nowhere,
        shutdown: CancellationToken::new(),
    };
    let router = boot::router::<Recommend>(context, Duration::from_secs(120)).await.unwrap();
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let changed = ReadinessChanged {
            transition_id: Uuid::new_v4(),
            subject_id: Uuid::new_v4(),
            cluster: "cnv-01".to_owned(),
            namespace: Some("sandbox-x".to_owned()),
            stage: Stage::RouteReady,
            outcome: "fail".to_owned(),
            failure_class: None,
        };
        let event = CloudEvent::from(&events::outgoing("evaluate", &changed, now).unwrap());
        assert_eq!(event.event_type, EventType::ReadinessChanged.as_str());
        let request = Request::post("/")
            .header("content-type", "application/cloudevents+json")
            .body(Body::from(event.to_structured()))
            .unwrap();
        posts.spawn(router.clone().oneshot(request));
    }
    while let Some(answer) = posts.join_next().await {
        assert_eq!(answer.unwrap().unwrap().status(), StatusCode::NO_CONTENT);
    }
    assert_eq!(it.runs().await, 1);
    assert_eq!(it.number("select count(*) from inbox where consumer = 'recommend'").await, 200);
    assert_eq!(it.told().await, ["pool_exhaustion issued r1"]);
}
