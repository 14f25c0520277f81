use http::header::CONTENT_TYPE;
use sqlx::postgres::PgPoolOptions;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;
use crate::clock::Clock;
use crate::events::sink::Sink;
use crate::events::{ScanCompleted, outgoing};
use crate::settings::NoSettings;

/// Does what the cluster name of the event says.
struct Obedient;

impl Function for Obedient {
    const NAME: &'static str = "obedient";
    const ACCEPTS: Accepts = Accepts::Only(&[EventType::ScanCompleted]);
    const EMITS: &'static [EventType] = &[];
    type Settings = NoSettings;

    async fn start(_: &Context<NoSettings>) -> anyhow::Result<Self> {
        Ok(Self)
    }

    async fn handle(&self, _: &Context<NoSettings>, event: &CloudEvent) -> Result<(), Failure> {
        match event.payload::<ScanCompleted>()?.cluster.as_str() {
            "reject" => Err(Failure::Reject("no such scan".into())),
            "busy" => Err(Failure::Busy("held elsewhere".into())),
            "limit" => Err(Failure::Limit {
                what: "8 in flight".into(),
                retry_after: Duration::from_secs(7),
            }),
            "retry" => Err(Failure::database("reading the scan", sqlx::Error::PoolTimedOut)),
            "hang" => std::future::pending().await,
            "panic" => panic!("as told"),
            _ => Ok(()),
        }
    }
}

async fn post(request: http::request::Builder, body: impl Into<Body>) -> (u16, Option<String>, String) {
    let context = Context {
        name: Obedient::NAME,
        settings: NoSettings {},
        db: PgPoolOptions::new()
            .connect_lazy("postgres://nobody@127.0.0.1:1/none")
            .expect("lazy"),
        clock: Clock::manual(chrono::DateTime::UNIX_EPOCH),
        sink: Sink::Nowhere,
        shutdown: CancellationToken::new(),
    };
    let router = router::<Obedient>(context, Duration::from_millis(50)).await.expect("starts");
    let response = router
        .oneshot(request.method("POST").uri("/").body(body.into()).expect("a request"))
        .await
        .expect("infallible");
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .map(|value| value.to_str().expect("ASCII").to_owned());
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("in memory");
    (status, retry_after, String::from_utf8(body.to_vec()).expect("text"))
}

async fn deliver(cluster: &str) -> (u16, Option<String>, String) {
    let payload = ScanCompleted {
        scan_id: uuid::Uuid::nil(),
        cluster: cluster.into(),
        tier: "cluster".into(),
    };
    let event = CloudEvent::from(&outgoing("scan", &payload, chrono::DateTime::UNIX_EPOCH).expect("small"));
    let (headers, body) = event.to_binary();
    let mut request = http::Request::builder();
    request.headers_mut().expect("fresh").extend(headers);
    post(request, body).await
}

#[tokio::test]
async fn success_and_what_is_not_for_us_have_no_body() {
    assert_eq!(deliver("fine").await, (204, None, String::new()));
    let other = http::Request::builder()
        .header("ce-specversion", "1.0")
        .header("ce-id", "1")
        .header("ce-source", "/s")
        .header("ce-type", "t");
    assert_eq!(post(other, "{}").await, (204, None, String::new()));
}

#[tokio::test]
async fn each_failure_has_its_status_and_one_line() {
    assert_eq!(deliver("reject").await, (422, None, "no such scan\n".into()));
    assert_eq!(deliver("busy").await, (409, Some("1".into()), "held elsewhere\n".into()));
    assert_eq!(deliver("limit").await, (429, Some("7".into()), "8 in flight\n".into()));
    assert_eq!(deliver("retry").await, (503, Some("1".into()), "reading the scan\n".into()));
    assert_eq!(deliver("hang").await, (503, Some("1".into()), "not done within 0 s\n".into()));
    assert_eq!(
        deliver("panic").await,
        (500, None, "the handler panicked; its log says where\n".into())
    );
}

#[tokio::test]
async fn requests_that_hold_no_event_are_named() {
    let plain = http::Request::builder;
    assert_eq!(post(plain(), "{}").await.0, 400);
    let ours = plain()
        .header("ce-specversion", "1.0")
        .header("ce-id", "1")
        .header("ce-source", "/s");
    let (status, _, text) = post(ours.header("ce-type", "io.stargate.scan.completed.v1"), "{").await;
    assert_eq!(
        (status, text.as_str()),
        (400, "unreadable event: data of io.stargate.scan.completed.v1 is not JSON\n")
    );
    assert_eq!(post(plain().header(CONTENT_TYPE, "application/cloudevents+json"), "{").await.0, 400);
    let (status, _, text) = post(plain().header("ce-specversion", "1.0"), vec![b' '; MAX_INTAKE + 1]).await;
    assert_eq!((status, text.as_str()), (413, "the event is larger than 1048576 bytes\n"));
    let (status, _, text) = post(
        plain()
            .header("ce-specversion", "1.0")
            .header("ce-id", "1")
            .header("ce-source", "/s"),
        "",
    )
    .await;
    assert_eq!(
        (status, text.as_str()),
        (400, "unreadable event: attribute type is missing or empty\n")
    );
    let (status, _, text) = post(
        plain().header(CONTENT_TYPE, "application/cloudevents+json"),
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"io.stargate.scan.completed.v1","data":{"cluster":"c"}}"#,
    )
    .await;
    assert_eq!(status, 422, "{text}");
    assert!(text.contains("scan_id"), "{text}");
}
