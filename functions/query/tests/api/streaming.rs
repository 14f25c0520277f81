//! Live updates.

use axum::body::Body;
use axum::response::Response;
use http_body_util::BodyExt;

use crate::app::{App, get};

/// Reads events until one has come that contains `wanted`; the stream's own end fails.
async fn until(response: &mut Response, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        let frame = response
            .body_mut()
            .frame()
            .await
            .expect("the stream ended")
            .expect("the stream broke");
        text.push_str(std::str::from_utf8(frame.data_ref().expect("data")).expect("text"));
    }
    text
}

#[tokio::test]
async fn a_change_is_told_and_a_client_that_comes_back_misses_nothing() {
    let app = App::small().await;
    let mut stream = app.send(get("/api/v1/stream").body(Body::empty()).unwrap()).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(stream.headers()["x-accel-buffering"], "no");
    assert!(!stream.headers().contains_key("content-encoding"));
    app.execute("update view_versions set version = 2 where view = 'incidents'").await;
    let text = until(&mut stream, "event: incidents.updated").await;
    assert!(
        text.contains(r#""source":"labagator","state":"stale""#),
        "a system that is not read any more is told of at once: {text}"
    );
    assert!(text.contains("retry: 3000"), "{text}");
    let id = "clusters=1,incidents=2,instances=1,provisioning=1,scans=1,transitions=1";
    assert!(text.contains(&format!("id: {id}")), "{text}");
    drop(stream);

    app.execute("update view_versions set version = 3 where view in ('incidents', 'scans')")
        .await;
    let back = get("/api/v1/stream?topic=incidents")
        .header("last-event-id", id)
        .body(Body::empty())
        .unwrap();
    let mut stream = app.send(back).await;
    let text = until(&mut stream, "\n\n").await;
    assert!(
        text.contains("incidents.updated") && text.contains("\"version\":3") && !text.contains("scans.updated"),
        "{text}"
    );

    let lost = get("/api/v1/stream").header("last-event-id", "17").body(Body::empty()).unwrap();
    let mut stream = app.send(lost).await;
    assert!(until(&mut stream, "\n\n").await.contains("event: reset"));
}
