use std::collections::VecDeque;

use uuid::Uuid;

use super::manifest::{ManifestError, embedded, read};
use super::*;
use crate::events::sink::{HttpSink, Overrides, Sink};
use crate::events::{ScanCompleted, outgoing};

type Seen = Arc<Mutex<Vec<CloudEvent>>>;

/// A service that answers from a list, then with 204, and keeps what it was sent.
fn service(answers: &[(u16, &'static str)]) -> (Router, Seen) {
    let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
    let seen = Seen::default();
    let kept = seen.clone();
    let handler = async move |request: Request| {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_INTAKE).await.expect("in memory");
        kept.lock()
            .expect("unpoisoned")
            .push(CloudEvent::read(&parts.headers, &body).expect("an event"));
        let (code, text) = answers.lock().expect("unpoisoned").pop_front().unwrap_or((204, ""));
        (StatusCode::from_u16(code).expect("a status"), text)
    };
    (Router::new().route("/", post(handler)), seen)
}

struct World {
    broker: Arc<Broker>,
    evaluate: Seen,
    letters: Seen,
    waits: Arc<Mutex<Vec<Duration>>>,
    shutdown: CancellationToken,
}

fn world(evaluate: &[(u16, &'static str)], deadletter: &[(u16, &'static str)]) -> World {
    rustls::crypto::ring::default_provider().install_default().ok();
    let waits = Arc::new(Mutex::new(Vec::new()));
    let shutdown = CancellationToken::new();
    let clock = Clock::manual(chrono::DateTime::UNIX_EPOCH);
    let broker = Broker::new(embedded().expect("ours"), clock, Pause::Noted(waits.clone()), shutdown.clone()).expect("a client");
    let (router, evaluate) = service(evaluate);
    broker.subscribe("evaluate", Subscriber::Local(router));
    let (router, letters) = service(deadletter);
    broker.subscribe("deadletter", Subscriber::Local(router));
    World {
        broker,
        evaluate,
        letters,
        waits,
        shutdown,
    }
}

impl World {
    fn counts(&self) -> (usize, usize) {
        (
            self.evaluate.lock().expect("unpoisoned").len(),
            self.letters.lock().expect("unpoisoned").len(),
        )
    }

    fn waited(&self) -> Vec<u64> {
        self.waits.lock().expect("unpoisoned").iter().map(Duration::as_secs).collect()
    }
}

fn completed() -> CloudEvent {
    let payload = ScanCompleted {
        scan_id: Uuid::nil(),
        cluster: "demo-1".into(),
        tier: "cluster".into(),
    };
    CloudEvent::from(&outgoing("scan", &payload, chrono::DateTime::UNIX_EPOCH).expect("small"))
}

#[tokio::test]
async fn events_go_where_the_manifests_say() {
    let world = world(&[], &[]);
    world.broker.take(completed()).await.expect("taken");
    world
        .broker
        .take(CloudEvent {
            event_type: "io.stargate.nobody.listens.v1".into(),
            ..completed()
        })
        .await
        .expect("taken by nobody");
    assert_eq!(world.counts(), (1, 0));
    let seen = world.evaluate.lock().expect("unpoisoned")[0].clone();
    assert_eq!(seen.extensions["knativearrivaltime"], "1970-01-01T00:00:00Z");
    assert_eq!((seen.id, seen.data), (completed().id, completed().data));
}

#[tokio::test]
async fn what_may_pass_is_tried_again_with_growing_waits() {
    let world = world(&[(503, "away"), (409, "held"), (500, "panicked")], &[]);
    world.broker.take(completed()).await.expect("taken");
    assert_eq!((world.counts(), world.waited()), ((4, 0), vec![1, 2, 4]));
}

#[tokio::test]
async fn after_the_last_try_the_dead_letter_sink_has_it() {
    let world = world(&[(503, "away"); 6], &[]);
    world.broker.take(completed()).await.expect("kept");
    assert_eq!((world.counts(), world.waited()), ((6, 1), vec![1, 2, 4, 8, 16]));
    let letter = world.letters.lock().expect("unpoisoned")[0].clone();
    assert_eq!(letter.extensions["knativeerrordest"], "http://evaluate.stargate.svc.cluster.local");
    assert_eq!(
        (
            letter.extensions["knativeerrorcode"].as_str(),
            letter.extensions["knativeerrordata"].as_str()
        ),
        ("503", "YXdheQ==")
    );
    assert_eq!(letter.data, completed().data);
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    let world = world(&[(422, "no such scan")], &[]);
    world.broker.take(completed()).await.expect("kept");
    assert_eq!((world.counts(), world.waited()), ((1, 1), vec![]));
}

#[tokio::test]
async fn a_success_with_a_body_is_a_failure() {
    let world = world(&[(200, "{\"status\":\"ok\"}"); 6], &[]);
    world.broker.take(completed()).await.expect("kept");
    assert_eq!(world.counts(), (6, 1));
}

#[tokio::test]
async fn an_event_that_even_the_dead_letter_sink_refuses_stays_with_its_sender() {
    let world = world(&[(422, "")], &[(503, ""); 6]);
    let error = world.broker.take(completed()).await.expect_err("not kept anywhere");
    assert!(error.may_pass());
    assert_eq!(world.counts(), (1, 6));
}

#[tokio::test]
async fn stopping_ends_the_tries_and_leaves_the_event_with_its_sender() {
    let world = world(&[(503, "away"); 6], &[]);
    world.shutdown.cancel();
    assert!(world.broker.take(completed()).await.expect_err("stopping").may_pass());
    assert_eq!(world.counts(), (1, 0));
}

#[tokio::test]
async fn an_event_that_breaks_the_rules_is_refused() {
    let world = world(&[], &[]);
    let mut event = completed();
    event.extensions.insert("snake_case".into(), "x".into());
    let error = world.broker.take(event).await.expect_err("a bad name");
    assert!(matches!(error, SendError::Refused(StatusCode::BAD_REQUEST)) && !error.may_pass());
}

#[tokio::test]
async fn over_http_from_sink_to_function() {
    let World { broker, .. } = world(&[], &[]);
    let (function, seen) = service(&[]);
    broker.subscribe("evaluate", Subscriber::Remote(listen(function).await));
    let url = listen(broker.ingress()).await;
    let overrides: Overrides = r#"{"extensions":{"env":"test"}}"#.parse().expect("JSON");
    let sink = Sink::Http(HttpSink::new(url.clone(), overrides, None).expect("a client"));
    sink.send(&completed()).await.expect("taken");
    let event = seen.lock().expect("unpoisoned")[0].clone();
    assert_eq!((event.extensions["env"].as_str(), event.data), ("test", completed().data));
    // Nobody has to be asked whether this may pass later.
    let nonsense = reqwest::Client::builder()
        .build()
        .expect("a client")
        .post(url)
        .body("{}")
        .send()
        .await
        .expect("answered");
    assert_eq!(nonsense.status(), 400);
}

#[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
async fn listen(router: Router) -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/").parse().expect("a URL")
}

#[test]
fn manifests_are_read_strictly() {
    let broker = "kind: Broker\nmetadata: {name: b}\nspec: {delivery: {retry: 3, backoffPolicy: linear, backoffDelay: PT0.5S}}\n";
    let reference = "{ref: {apiVersion: v1, kind: Service, name: s}}";
    let trigger =
        |spec: &str| format!("{broker}---\nkind: Trigger\nmetadata: {{name: t}}\nspec: {{broker: b, subscriber: {reference}, {spec}}}\n");
    let parsed = read(&[("f", &trigger("delivery: {retry: 1}, filters: [{exact: {type: a}}]"))]).expect("valid");
    let delivery = &parsed.triggers[0].delivery;
    assert_eq!(
        (delivery.retry, delivery.wait(0), delivery.wait(3)),
        (Some(1), Duration::ZERO, Duration::from_millis(1500))
    );

    let error = |text: &str| read(&[("f.yaml", text)]).expect_err("malformed").to_string();
    assert!(error(&trigger("delivery: {backoffDelay: 200ms}")).contains("\"200ms\" is not an ISO 8601 duration"));
    assert!(error(&trigger("delivery: {retries: 1}")).starts_with("f.yaml: unknown field `retries`"));
    assert!(error(&trigger("filters: [{exact: {a: b}, prefix: {a: b}}]")).starts_with("f.yaml: "));
    assert!(matches!(read(&[]), Err(ManifestError::Brokers(0))));
    assert_eq!(parsed.triggers.len(), 1);
}
