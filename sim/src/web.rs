//! What answers behind the routes of a fleet: one HTTP server that stands in for every router and every application.
//!
//! It looks at the cluster that the host belongs to: a route that is not there, not admitted or without a ready endpoint
//! gets the router's "not available" page with 503; otherwise the showroom, the model or the application answers, in the
//! manner that was set for the host. Probes are pointed at it with [`crate::Running::probe_address`]; it speaks plain HTTP
//! whatever the route's TLS says.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::{Request, State as Shared},
    response::{Html, IntoResponse, Response},
};
use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, State},
    kinds::Kind,
    objects::{array, text},
    selector::Selector,
};

/// How the application behind a host behaves while its pods are ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Answers after this long.
    Slow(Duration),
    /// Answers everything with this status.
    Status(u16),
    /// A showroom that serves its shell but not its content.
    ContentMissing,
    /// A showroom whose `/readyz` says 503.
    NotReady,
    /// The connection is closed without an answer.
    NoAnswer,
}

impl Cluster {
    /// Sets how the application behind a route's host behaves, or back to normal.
    pub fn set_manner(&self, host: &str, manner: Option<Manner>) {
        self.with(|state, _| state.set_manner(host, manner));
    }

    /// Hosts of the routes in a namespace, in order of the routes' names.
    #[must_use]
    pub fn hosts(&self, namespace: &str) -> Vec<String> {
        self.list(Kind::Route, namespace)
            .iter()
            .map(|route| text(route, "/spec/host").to_owned())
            .collect()
    }
}

impl State {
    pub(crate) fn set_manner(&mut self, host: &str, manner: Option<Manner>) {
        match manner {
            Some(manner) => self.manners.insert(host.to_owned(), manner),
            None => self.manners.remove(host),
        };
    }
}

/// The server for the routes of these clusters.
pub(crate) fn router(clusters: &[Cluster]) -> Router {
    Router::new().fallback(answer).with_state(clusters.to_vec())
}

/// Whether a host is a route's in one of these clusters' domains.
pub(crate) fn owner<'a>(clusters: &'a [Cluster], host: &str) -> Option<&'a Cluster> {
    clusters.iter().find(|cluster| host.ends_with(&format!(".{}", cluster.domain())))
}

/// What is behind a host.
enum Backend {
    Nothing,
    Showroom { namespace: String },
    Model { name: String },
    Application { service: String },
}

async fn answer(Shared(clusters): Shared<Vec<Cluster>>, request: Request) -> Response {
    let named = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri().host())
        .unwrap_or_default();
    let host = named.rsplit_once(':').map_or(named, |(host, _)| host).to_owned();
    let Some(cluster) = owner(&clusters, &host) else {
        return not_available();
    };
    let (backend, manner) = cluster.with(|state, now| (backend(state, &host, now), state.manners.get(&host).copied()));
    if matches!(backend, Backend::Nothing) {
        return not_available();
    }
    match manner {
        Some(Manner::Slow(delay)) => tokio::time::sleep(delay).await,
        Some(Manner::Status(code)) => {
            let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (code, Html(page("Error", "The application could not handle the request."))).into_response();
        }
        Some(Manner::NoAnswer) => {
            let mut response = StatusCode::BAD_GATEWAY.into_response();
            response.extensions_mut().insert(crate::api::Abort);
            return response;
        }
        Some(Manner::ContentMissing | Manner::NotReady) | None => {}
    }
    match backend {
        Backend::Showroom { namespace } => showroom(request.uri().path(), &namespace, manner),
        Backend::Model { name } => model(request.uri().path(), &name),
        Backend::Application { service } => application(request.uri().path(), &service),
        Backend::Nothing => not_available(),
    }
}

fn backend(state: &State, host: &str, now: chrono::DateTime<chrono::Utc>) -> Backend {
    let Ok(wanted) = Selector::fields(&format!("spec.host={host}"), Kind::Route) else {
        return Backend::Nothing;
    };
    let Some(route) = state
        .store
        .objects(Kind::Route, "")
        .find(|route| route.matches(&Selector::default(), &wanted))
    else {
        return Backend::Nothing;
    };
    let namespace = route.namespace().to_owned();
    let route = route.value(now);
    let admitted = array(&route, "/status/ingress")
        .iter()
        .any(|ingress| ingress["conditions"][0]["status"] == "True");
    let service = text(&route, "/spec/to/name").to_owned();
    let slices = state.store.objects(Kind::EndpointSlice, &namespace).map(|slice| slice.value(now));
    let ready = slices
        .filter(|slice| text(slice, "/metadata/labels/kubernetes.io~1service-name") == service)
        .any(|slice| {
            array(&slice, "/endpoints")
                .iter()
                .any(|endpoint| endpoint["conditions"]["ready"] == true)
        });
    let exists = state.store.object(Kind::Service, &namespace, &service).is_some();
    if !admitted || !exists || !ready {
        return Backend::Nothing;
    }
    match service.strip_suffix("-predictor") {
        Some(name) => Backend::Model { name: name.to_owned() },
        None if service == "showroom" => Backend::Showroom { namespace },
        None => Backend::Application { service },
    }
}

/// The router's page for a route without a backend.
fn not_available() -> Response {
    let body = page(
        "Application is not available",
        "The application is currently not serving requests at this endpoint. It may not have been started or is still starting.",
    );
    (StatusCode::SERVICE_UNAVAILABLE, Html(body)).into_response()
}

/// A page of HTML of a few kilobytes.
fn page(title: &str, text: &str) -> String {
    let styles = ".step{margin:1rem;padding:1rem;border:1px solid #ccc}\n".repeat(24);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{styles}</style></head><body><h1>{title}</h1><p>{text}</p></body></html>\n"
    )
}

fn showroom(path: &str, namespace: &str, manner: Option<Manner>) -> Response {
    let missing = manner == Some(Manner::ContentMissing);
    match path {
        "/ping" => "OK".into_response(),
        "/healthz" => json_answer(StatusCode::OK, &json!({"status": "ok", "service": "nookbag-healthz"})),
        "/readyz" => {
            let ready = manner != Some(Manner::NotReady);
            let content = json!({"reachable": !missing, "statusCode": if missing { 404 } else { 200 }, "path": "/www/modules/index.html"});
            let body = json!({"status": if ready { "ok" } else { "degraded" }, "service": "nookbag", "configFile": "ui-config.yml", "content": content,
                "tabs": [{"name": "Terminal", "url": "/wetty", "reachable": ready, "statusCode": if ready { 200 } else { 502 }, "iframeBlocked": false}]});
            json_answer(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
        }
        "/ui-config.yml" if !missing => {
            let config =
                "type: showroom\nantora:\n  name: modules\n  dir: www\ndefault_width: 40\ntabs:\n  - name: Terminal\n    path: /wetty\n";
            ([(header::CONTENT_TYPE, "text/yaml")], config).into_response()
        }
        "/" | "/index.html" | "/content/" | "/www/modules/index.html" if !missing => {
            let steps: String = (1..=20)
                .map(|step| format!("Step {step}: log in to the terminal on the right and follow the instructions of {namespace}. "))
                .collect();
            Html(page("Welcome to the lab", &steps)).into_response()
        }
        // The proxy serves, the content was never built.
        "/" | "/index.html" => Html("<html><head><title>404 Not Found</title></head><body>nginx</body></html>".to_owned()).into_response(),
        "/wetty" | "/terminal" | "/terminal/" => Html(page("Terminal", "")).into_response(),
        _ => (StatusCode::NOT_FOUND, Html(page("404 Not Found", ""))).into_response(),
    }
}

fn model(path: &str, name: &str) -> Response {
    match path {
        "/v1/models" => json_answer(
            StatusCode::OK,
            &json!({"object": "list", "data": [{"id": name, "object": "model"}]}),
        ),
        "/v1/completions" | "/v1/chat/completions" => {
            let message = json!({"role": "assistant", "content": "Ready."});
            json_answer(
                StatusCode::OK,
                &json!({"id": "cmpl-1", "object": "chat.completion", "model": name, "choices": [{"index": 0, "text": "Ready.", "message": message, "finish_reason": "stop"}]}),
            )
        }
        "/health" | "/ping" | "/" => "".into_response(),
        path if path.ends_with(":predict") || path.ends_with("/infer") => {
            json_answer(StatusCode::OK, &json!({"predictions": [[0.93, 0.07]]}))
        }
        _ => json_answer(StatusCode::NOT_FOUND, &json!({"detail": "Not Found"})),
    }
}

fn application(path: &str, service: &str) -> Response {
    match path {
        "/healthz" | "/health" | "/readyz" | "/livez" => "ok".into_response(),
        "/" => Html(page(service, &format!("{service} is up."))).into_response(),
        _ => (StatusCode::NOT_FOUND, Html(page("Not found", ""))).into_response(),
    }
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
