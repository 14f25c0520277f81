//! Who is let in, as whom, and what he is told otherwise.

use std::path::PathBuf;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use stargate_common::settings::SecretString;
use stargate_query::access::proxy::ProxyKind;
use stargate_query::access::settings::AccessSettings;
use stargate_query::access::{Guard, Identity, LabScope, Role};
use stargate_query::{QueryState, document, router};

use crate::app::{Answer, App};

const SECRET: &str = "what only the proxy knows";
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A file below the folder of this test run.
pub fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    std::fs::write(&path, text).expect("writing a file");
    path
}

fn settings(name: &str) -> AccessSettings {
    let groups = "
groups:
  - {group: viewers, role: viewer}
  - {group: leads, role: team_lead, labs: [LB0001]}
  - {group: admins, role: admin}
";
    AccessSettings {
        proxy_secret: Some(SecretString::from(SECRET)),
        proxy_kind: ProxyKind::Oauth2Proxy,
        access_file: Some(file(name, groups)),
        admin_api_key: Some(SecretString::from(KEY)),
        api_keys_file: None,
        rate_limit: 1_000,
        everybody: None,
    }
}

async fn guarded(settings: &AccessSettings) -> App {
    let mut app = App::empty().await;
    let mut state = QueryState::new(app.reader.clone(), app.clock.clone());
    state.guard = Guard::new(settings).expect("a guard");
    app.router = router(state);
    app
}

async fn ask(app: &App, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.ask(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn a_user_is_whom_the_proxy_proves_him_to_be() {
    let app = guarded(&settings("proxy")).await;
    let headers = [
        ("x-forwarded-user", "bob"),
        ("x-forwarded-groups", "leads,others"),
        ("x-stargate-proxy-secret", SECRET),
    ];
    let me = ask(&app, "/api/v1/me", &headers).await;
    assert_eq!(me.status, StatusCode::OK, "{:#}", me.body);
    assert_eq!(
        me.body["data"],
        json!({
            "subject": "bob", "display_name": "bob", "roles": ["team_lead"], "lab_scope": ["LB0001"], "demo": false,
            "sign_out_url": "/oauth2/sign_out", "event": { "time_zone": "UTC", "prefix": null },
            "features": { "live_updates": true, "whole_fleet": false },
        })
    );
    // The same headers from whoever reaches the port.
    ask(&app, "/api/v1/me", &headers[..2])
        .await
        .is_problem(401, "identity-not-proven", None);
    let wrong = [headers[0], headers[1], ("x-stargate-proxy-secret", "what only the proxy knowz")];
    ask(&app, "/api/v1/me", &wrong).await.is_problem(401, "identity-not-proven", None);
    // A good key does not mend headers that are not proven.
    let key = format!("Bearer {KEY}");
    let both = [headers[0], ("authorization", key.as_str())];
    ask(&app, "/api/v1/me", &both).await.is_problem(401, "identity-not-proven", None);
}

#[tokio::test]
async fn nobody_a_stranger_and_a_wrong_key_are_told_what_to_do() {
    let app = guarded(&settings("nobody")).await;
    let nobody = ask(&app, "/api/v1/overview", &[]).await;
    nobody.is_problem(401, "unauthenticated", None);
    assert_eq!(nobody.header("www-authenticate"), "Bearer realm=\"stargate\"");
    ask(&app, "/api/v1/overview", &[("authorization", "Bearer nonsense")])
        .await
        .is_problem(401, "api-key-not-valid", None);
    let stranger = [
        ("x-forwarded-user", "eve"),
        ("x-forwarded-groups", "others"),
        ("x-stargate-proxy-secret", SECRET),
    ];
    let refused = ask(&app, "/api/v1/overview", &stranger).await;
    refused.is_problem(403, "forbidden", None);
    assert_eq!(refused.body["required_role"], "viewer");
    // Whether the process lives is nobody's secret.
    assert_eq!(ask(&app, "/health/ready", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_administrators_key_lets_in() {
    let app = guarded(&settings("key")).await;
    let key = format!("Bearer {KEY}");
    let me = ask(&app, "/api/v1/me", &[("authorization", &key)]).await;
    assert_eq!(me.body["data"]["subject"], "key:admin", "{:#}", me.body);
    assert_eq!(me.body["data"]["lab_scope"], json!(null));
    assert_eq!(me.body["data"]["sign_out_url"], json!(null));
}

#[tokio::test(start_paused = true)]
async fn who_asks_too_often_is_told_when_to_come_back_and_others_are_not() {
    let limited = AccessSettings {
        rate_limit: 1,
        ..settings("limit")
    };
    let guard = Guard::new(&limited).expect("a guard");
    let who = |subject: &str| Identity {
        subject: subject.to_owned(),
        ..Identity::local_admin()
    };
    let taken = (0..10).filter(|_| guard.admit(&who("bob"), Role::Viewer).is_ok()).count();
    assert_eq!(taken, 3);
    assert!(guard.admit(&who("bob"), Role::Viewer).is_err());
    guard.admit(&who("alice"), Role::Viewer).expect("her own limit");
}

#[tokio::test]
async fn too_many_requests_are_a_problem_with_a_time_to_retry() {
    let app = guarded(&AccessSettings {
        rate_limit: 1,
        ..settings("often")
    })
    .await;
    let key = format!("Bearer {KEY}");
    let mut refused = None;
    for _ in 0..20 {
        let answer = ask(&app, "/api/v1/me", &[("authorization", &key)]).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("twenty requests at one a second");
    refused.is_problem(429, "rate-limited", None);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.body["retry_after_s"], 1);
}

/// Every operation of the document, asked by every role: who covers the role that it asks for is not refused, everybody else is.
#[tokio::test]
async fn every_operation_lets_in_the_roles_that_it_names() {
    let app = App::empty().await;
    for role in Role::ALL {
        let identity = Identity {
            roles: [role].into(),
            scope: LabScope::All,
            ..Identity::local_admin()
        };
        let router = router(QueryState::new(app.reader.clone(), app.clock.clone()).open_to(identity));
        let asker = App {
            router,
            ..app_of(&app).await
        };
        for (path, item) in document()["paths"].as_object().expect("paths") {
            let wanted = item["get"]["x-required-role"].as_str().and_then(Role::parse).expect("a role");
            let url = path
                .replace("{id}", "none")
                .replace("{name}", "none")
                .replace("{code}", "none")
                .replace("{uid}", "none");
            let response = asker.send(Request::get(&url).body(Body::empty()).expect("a request")).await;
            let refused = response.status() == StatusCode::FORBIDDEN;
            assert_eq!(refused, !role.covers(wanted), "{role} asks {url}: {}", response.status());
        }
    }
}

/// Another asker over the same tables.
async fn app_of(app: &App) -> App {
    App {
        db: stargate_tests::TestDb::new().await,
        clock: app.clock.clone(),
        router: app.router.clone(),
        reader: app.reader.clone(),
    }
}

/// Another site's page can make a browser send a form; whatever the operation, it goes no further.
#[tokio::test]
async fn a_write_that_may_not_be_meant_is_refused_before_any_operation() {
    let app = App::empty().await;
    for (origin, kind, status) in [
        ("https://evil.example.com", "application/json", 403),
        ("https://stargate.example.com", "text/plain", 415),
        ("https://stargate.example.com", "application/json", 405),
    ] {
        let request = Request::post("/api/v1/overview")
            .header("host", "stargate.example.com")
            .header("origin", origin)
            .header("content-type", kind);
        let answer = app.ask(request.body(Body::from("{}")).expect("a request")).await;
        assert_eq!(answer.status.as_u16(), status, "{origin} {kind}: {:#}", answer.body);
    }
}

#[test]
fn a_guard_that_lets_nobody_in_does_not_start() {
    let none = AccessSettings {
        proxy_secret: None,
        access_file: None,
        admin_api_key: None,
        ..settings("none")
    };
    let error = Guard::new(&none).expect_err("nobody could sign in").to_string();
    assert!(error.contains("STARGATE_PROXY_SECRET"), "{error}");
    let half = AccessSettings {
        access_file: None,
        ..settings("half")
    };
    assert!(
        Guard::new(&half)
            .expect_err("no roles")
            .to_string()
            .contains("STARGATE_ACCESS_FILE")
    );
    let openshift = AccessSettings {
        proxy_kind: ProxyKind::Openshift,
        ..settings("openshift")
    };
    let error = Guard::new(&openshift).expect_err("groups that nobody tells").to_string();
    assert!(error.contains("forwards none"), "{error}");
}
