//! Who is signed in, as the OAuth proxy in front of the query function would say it: in headers that a browser cannot set, because the proxy
//! takes away what came from outside.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;
use stargate_query::access::proxy::PROOF;
use uuid::Uuid;

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
    /// What the query function knows it by.
    secret: Arc<str>,
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            signed_in: Arc::new(Mutex::new(Some(Person::operator()))),
            secret: Uuid::new_v4().to_string().into(),
        }
    }
}

impl Proxy {
    /// From now on requests are theirs; nobody's when there is none.
    pub fn sign_in(&self, person: Option<Person>) {
        *self.signed_in.lock().unwrap_or_else(PoisonError::into_inner) = person;
    }

    /// What the query function knows it by.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    fn person(&self) -> Option<Person> {
        self.signed_in.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Says who asks, and proves that it says so; nothing, when nobody is signed in. What the browser says of itself is taken away first.
pub async fn forward(State(proxy): State<Proxy>, mut request: Request, next: Next) -> Response {
    let headers = request.headers_mut();
    for name in ["x-forwarded-user", "x-forwarded-groups", PROOF.as_str()] {
        headers.remove(name);
    }
    if let Some(person) = proxy.person() {
        let said = [
            ("x-forwarded-user", person.user),
            ("x-forwarded-groups", person.groups.join(",")),
            (PROOF.as_str(), proxy.secret().to_owned()),
        ];
        for (name, value) in said {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
    next.run(request).await
}
