//! Smoke runs as Demolition may answer them.

use serde_json::json;

use super::*;
use crate::sources::http::fake::{Fake, Reply, run};

async fn collected(replies: impl IntoIterator<Item = Reply>) -> Collected {
    let fake = Fake::start(replies).await;
    let settings = DemolitionSettings {
        url: Some(fake.url.clone()),
        token: None,
        token_file: None,
        ca: None,
    };
    collect(&settings, &run()).await.remove(0)
}

#[tokio::test]
async fn runs_are_read_as_they_are_and_no_more() {
    let all = collected([Reply::json(&json!([
        {"id": 7, "name": "LB0042 morning, by ada@example.com", "status": "completed", "worker_count": 20,
         "workshop_url": "https://robot:hunter2@demo.example.com/workshop/x2z9?userEmail=ada@example.com",
         "last_result": {"total": 20, "completed": 20, "failed": 0, "users": ["ada@example.com"]}, "password": "hunter2"},
        {"id": "8", "workers": 5, "last_result": null},
        {"name": "no id"},
        {"id": 9, "status": "brand_new", "worker_count": -1, "last_result": {"total": "3", "failed": null}},
    ]))])
    .await;
    let reading = all.readings.smoke_sessions.unwrap();
    let mut lines: Vec<String> = reading.items.iter().map(|smoke| serde_json::to_string(smoke).unwrap()).collect();
    lines.extend(
        reading
            .refused
            .iter()
            .map(|problem| format!("{}: {}", problem.subject, problem.detail)),
    );
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"id":7,"name":"LB0042 morning, by [mail]","status":"completed","workers":20,"workshop_url":"https://demo.example.com/workshop/x2z9","total":20,"completed":20,"failed":0}
    {"id":8,"name":"","status":"","workers":5,"workshop_url":"","total":null,"completed":null,"failed":null}
    {"id":9,"name":"","status":"brand_new","workers":null,"workshop_url":"","total":3,"completed":null,"failed":null}
    demolition/sessions/#3: it has no id that is a number
    "#);
}

#[tokio::test]
async fn an_object_around_the_list_is_understood_and_its_pages_are_followed() {
    let all = collected([
        Reply::json(&json!({"sessions": [{"id": 1}], "next": "/api/v1/integration/sessions?page=2"})),
        Reply::json(&json!({"results": [{"id": 2}], "next": null})),
    ])
    .await;
    assert_eq!((all.requests, all.readings.smoke_sessions.unwrap().items.len()), (2, 2));
}

#[tokio::test]
async fn something_else_is_not_understood() {
    let all = collected([Reply::json(&json!({"detail": "hunter2"}))]).await;
    assert_eq!(
        all.readings.smoke_sessions.unwrap().missing.unwrap().detail,
        "GET /api/v1/integration/sessions answered JSON that is not understood: it is an object without results, sessions, items; has its version changed?"
    );
}
