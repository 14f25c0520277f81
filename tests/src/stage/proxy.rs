//! Who is signed in, as the OAuth proxy in front of the query function would say it: in headers that a browser cannot set, because the proxy
//! takes away what came from outside.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

/// Somebody who has signed in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Their name.
    pub user: String,
    /// Their groups.
    #[serde(default)]
    pub groups: Vec<String>,
}

impl Person {
    /// Who is signed in when nobody else is.
    #[must_use]
    pub fn operator() -> Self {
        Self {
            user: "olivia".to_owned(),
            groups: vec!["operators".to_owned()],
        }
    }
}

/// The proxy. Cloning gives another handle on the same one.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// None: the session has expired.
    signed_in: Arc<Mutex<Option<Person>>>,
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            signed_in: Arc::new(Mutex::new(Some(Person::operator()))),
        }
    }
}

impl Proxy {
    /// From now on requests are theirs; nobody's when there is none.
    pub fn sign_in(&self, person: Option<Person>) {
        *self.signed_in.lock().unwrap_or_else(PoisonError::into_inner) = person;
    }

    fn person(&self) -> Option<Person> {
        self.signed_in.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Says who asks, or answers that nobody does.
pub async fn forward(State(proxy): State<Proxy>, mut request: Request, next: Next) -> Response {
    let Some(person) = proxy.person() else {
        if request.uri().path().starts_with("/api/") {
            return unauthenticated();
        }
        return next.run(request).await;
    };
    forwarded(request.headers_mut(), &person);
    next.run(request).await
}

fn forwarded(headers: &mut HeaderMap, person: &Person) {
    let said = [
        ("x-forwarded-user", person.user.clone()),
        ("x-forwarded-groups", person.groups.join(",")),
    ];
    for (name, value) in said {
        headers.remove(name);
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

fn unauthenticated() -> Response {
    let problem = json!({"type": "/problems/unauthenticated", "title": "Sign in", "status": 401, "detail": "Your session has expired."});
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::UNAUTHORIZED, kind, problem.to_string()).into_response()
}
