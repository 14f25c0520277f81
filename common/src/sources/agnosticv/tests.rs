use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::*;
use crate::clock::Clock;
use crate::provisioning::catalog::Wanted;

/// Answers of the components' LIST in their order, each with a status; then empty lists.
#[derive(Clone)]
struct Plane {
    components: Arc<Mutex<VecDeque<(u16, String)>>>,
    repositories: Arc<(u16, String)>,
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

fn list(items: &[Value], more: &str) -> (u16, String) {
    (200, json!({"metadata": {"continue": more}, "items": items}).to_string())
}

fn component(name: &str, definition: Value) -> Value {
    json!({"metadata": {"name": name, "uid": format!("uid-{name}")}, "spec": {"agnosticvRepo": "labs", "path": "A/B/prod.yaml", "definition": definition}})
}

async fn read_from(components: Vec<(u16, String)>, repositories: (u16, String)) -> (Collected, Vec<Option<String>>) {
    type Asked = Query<std::collections::BTreeMap<String, String>>;
    let plane = Plane {
        components: Arc::new(Mutex::new(components.into())),
        repositories: Arc::new(repositories),
        asked: Arc::default(),
    };
    let answer = |(status, body): (u16, String)| {
        let headers = [("content-type", "application/json"), ("retry-after", "1")];
        (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
    };
    let of_components = move |State(plane): State<Plane>, Query(query): Asked| async move {
        plane.asked.lock().unwrap().push(query.get("continue").cloned());
        let next = plane.components.lock().unwrap().pop_front();
        answer(next.unwrap_or_else(|| list(&[], "")))
    };
    let of_repositories = move |State(plane): State<Plane>| async move { answer((*plane.repositories).clone()) };
    let router = Router::new()
        .route("/apis/gpte.redhat.com/v1/agnosticvcomponents", get(of_components))
        .route("/apis/gpte.redhat.com/v1/agnosticvrepos", get(of_repositories))
        .with_state(plane.clone());
    let client = ReadClient::new("babylon", kube::Client::new(router, "default"));
    let run = Run {
        clock: Clock::manual("2026-11-23T12:00:00Z".parse().unwrap()),
        deadline: Instant::now() + Duration::from_secs(600),
        event_prefix: "summit".to_owned(),
        resting: Vec::new(),
    };
    let collected = read("agnosticv", &client, &run).await;
    let asked = plane.asked.lock().unwrap().clone();
    (collected, asked)
}

/// What is wrong, as `sources` shows it.
fn missing(collected: &Collected) -> String {
    let reading = collected.readings.components.as_ref().unwrap();
    assert!(reading.items.is_empty(), "a list that was not read to its end tells nothing");
    let missing = reading.missing.as_ref().expect("something is missing");
    format!("{}: {}", missing.reason, missing.detail)
}

#[tokio::test(start_paused = true)]
async fn all_pages_are_read_and_one_broken_object_costs_only_itself() {
    let mut lacks = component("acme.lacks.prod", json!({}));
    lacks["spec"]["definition"] = Value::Null;
    let first = [
        component("acme.mesh.prod", json!({"cloud_provider": "none", "secret_token": "planted"})),
        lacks,
    ];
    let second = [
        json!({"metadata": {"name": "acme.odd.prod", "uid": "u"}, "spec": "planted"}),
        component("acme.web.dev", json!({})),
    ];
    let (collected, asked) = read_from(vec![list(&first, "next"), list(&second, "")], list(&[], "")).await;
    let reading = collected.readings.components.unwrap();
    let names: Vec<&str> = reading.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["acme.mesh.prod", "acme.web.dev"]);
    assert_eq!(reading.items[0].constraints.cloud_provider, Wanted::Exactly("none".to_owned()));
    assert_eq!(reading.missing, None);
    let refused: Vec<String> = reading
        .refused
        .iter()
        .map(|problem| format!("{}: {}", problem.subject, problem.detail))
        .collect();
    assert_eq!(
        refused[0],
        "agnosticvcomponents/acme.lacks.prod: cannot be understood: it has no spec.definition; the AgnosticV operator has not merged it"
    );
    assert!(
        refused[1].starts_with("agnosticvcomponents/acme.odd.prod: cannot be understood: a field has another type"),
        "{}",
        refused[1]
    );
    assert!(!refused[1].contains("planted") && refused.len() == 2);
    assert_eq!(asked, [None, Some("next".to_owned())]);
    assert_eq!(collected.requests, 3);
}

#[tokio::test(start_paused = true)]
async fn refusals_say_what_to_do_and_change_nothing() {
    let said = |code: u16, reason: &str| {
        (
            code,
            json!({"kind": "Status", "code": code, "reason": reason, "message": "no"}).to_string(),
        )
    };
    let (collected, _) = read_from(vec![said(401, "Unauthorized")], list(&[], "")).await;
    assert!(missing(&collected).starts_with("unauthorized: "), "{}", missing(&collected));
    let (collected, _) = read_from(vec![said(403, "Forbidden")], list(&[], "")).await;
    let forbidden = missing(&collected);
    assert!(
        forbidden.starts_with("forbidden: ") && forbidden.contains("agnosticvcomponents.gpte.redhat.com"),
        "{forbidden}"
    );
    let (collected, _) = read_from(vec![said(429, "TooManyRequests"); 20], list(&[], "")).await;
    assert!(missing(&collected).starts_with("throttled: "), "{}", missing(&collected));
    let (collected, asked) = read_from(
        vec![said(429, "TooManyRequests"), list(&[component("a.b.c", json!({}))], "")],
        list(&[], ""),
    )
    .await;
    assert_eq!(
        (collected.readings.components.unwrap().items.len(), asked.len()),
        (1, 2),
        "asked again, and then it came"
    );
}

#[tokio::test(start_paused = true)]
async fn broken_pages_and_pages_that_repeat_are_not_the_whole_truth() {
    let page = list(&[component("a.b.c", json!({}))], "again");
    let (collected, _) = read_from(vec![(200, "{\"metadata\":{},\"items\":[planted".to_owned()); 9], list(&[], "")).await;
    let broken = missing(&collected);
    assert!(broken.starts_with("parse_error: ") && !broken.contains("planted"), "{broken}");
    let (collected, asked) = read_from(vec![page; 9], list(&[], "")).await;
    assert!(missing(&collected).starts_with("truncated: "), "{}", missing(&collected));
    assert!(asked.len() < 5, "it stops at the first page that repeats");
}

#[tokio::test]
async fn a_repository_that_no_longer_updates_is_late_and_its_components_are_kept() {
    let stuck = json!({"metadata": {"name": "labs"}, "status": {"error": {
        "message": "cloning https://bot:planted@git.example.org/a/b failed, token=planted", "timestamp": "2026-11-23T08:30:00Z"}}});
    let fine = json!({"metadata": {"name": "others"}, "status": {}});
    let (collected, _) = read_from(vec![list(&[component("a.b.c", json!({}))], "")], list(&[stuck, fine], "")).await;
    assert_eq!(collected.readings.components.unwrap().items.len(), 1);
    assert_eq!(
        collected.readings.late,
        ["repository labs: its configuration no longer updates since 2026-11-23 08:30 UTC (3 h 30 min)"]
    );
    let problem = &collected.problems[0];
    assert_eq!(problem.subject, "agnosticvrepos/labs");
    assert!(
        problem.detail.contains("git.example.org") && !problem.detail.contains("planted"),
        "{}",
        problem.detail
    );
}

#[tokio::test]
async fn repositories_that_cannot_be_read_are_unknown_and_cost_nothing_else() {
    let forbidden = (403, json!({"kind": "Status", "reason": "Forbidden", "message": "no"}).to_string());
    let (collected, _) = read_from(vec![list(&[component("a.b.c", json!({}))], "")], forbidden).await;
    assert_eq!(collected.readings.components.unwrap().items.len(), 1);
    assert!(collected.readings.late.is_empty());
    assert!(
        collected.problems[0]
            .detail
            .starts_with("whether the configuration still updates is unknown: ")
    );
}

#[tokio::test]
async fn without_a_control_plane_it_is_disabled_and_with_a_broken_credential_it_is_not() {
    let run = Run {
        clock: Clock::System,
        deadline: Instant::now(),
        event_prefix: String::new(),
        resting: Vec::new(),
    };
    let on = AgnosticvSettings { enabled: true };
    let none = BabylonSettings::default();
    assert!(collect(&on, &none, &run).await.is_empty());
    let gone = BabylonSettings {
        kubeconfig: Some("/nowhere/babylon.yaml".into()),
        ..BabylonSettings::default()
    };
    assert!(collect(&AgnosticvSettings { enabled: false }, &gone, &run).await.is_empty());
    let collected = collect(&on, &gone, &run).await;
    assert!(
        missing(&collected[0]).contains("/nowhere/babylon.yaml"),
        "{}",
        missing(&collected[0])
    );
}

#[tokio::test]
async fn each_control_plane_of_a_directory_is_a_source() {
    let folder = std::env::temp_dir().join(format!("stargate-agnosticv-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["east.yaml", "west.yaml"] {
        std::fs::write(folder.join(file), "users: [{token: planted").unwrap();
    }
    let run = Run {
        clock: Clock::System,
        deadline: Instant::now(),
        event_prefix: String::new(),
        resting: vec!["agnosticv/west".to_owned()],
    };
    let settings = BabylonSettings {
        kubeconfig_dir: Some(folder.clone()),
        ..BabylonSettings::default()
    };
    let collected = collect(&AgnosticvSettings { enabled: true }, &settings, &run).await;
    std::fs::remove_dir_all(&folder).unwrap();
    let sources: Vec<&str> = collected.iter().map(|one| one.source.as_str()).collect();
    assert_eq!(sources, ["agnosticv/east"], "the other one asked to be left alone");
    assert!(!missing(&collected[0]).contains("planted"), "{}", missing(&collected[0]));
}
