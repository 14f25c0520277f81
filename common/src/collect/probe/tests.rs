//! Probes against servers on this machine, which stand in for routers.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect};
use axum::routing::get;
use chrono::DateTime;
use serde_json::json;

use super::*;
use crate::objects::network::Content;
use crate::objects::{Assembler, NamespaceSelection};

const STEPS: &str = "Log in to the terminal and follow the steps of the first exercise. ";

fn page(title: &str) -> Html<String> {
    Html(format!(
        "<html><head><title>{title}</title></head><body>{}</body></html>",
        STEPS.repeat(10)
    ))
}

/// Serves until the test ends.
async fn serve(router: Router, tasks: &mut JoinSet<()>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

fn prober(address: SocketAddr) -> Prober {
    rustls::crypto::ring::default_provider().install_default().ok();
    Prober::new(&ProbeSettings {
        overrides: vec![Override {
            domain: "apps.test".to_owned(),
            address,
        }],
        ..ProbeSettings::default()
    })
    .unwrap()
}

fn target(name: &str, showroom: bool) -> Target {
    Target {
        namespace: "lab".to_owned(),
        name: name.to_owned(),
        host: format!("{name}.apps.test"),
        path: "/".to_owned(),
        tls: Tls::Router,
        showroom,
        priority: 0,
    }
}

/// What each probe saw, by target and kind.
async fn probe(prober: &Prober, targets: Vec<Target>) -> (BTreeMap<(String, ProbeKind), Probe>, Vec<String>) {
    let clock = Clock::manual(DateTime::UNIX_EPOCH);
    let probed = prober.run(targets, &clock, Duration::from_mins(1)).await;
    let probes = probed.probes.into_values().flatten();
    let problems = probed.problems.into_iter().map(|problem| problem.detail).collect();
    (probes.map(|probe| ((probe.target.clone(), probe.kind), probe)).collect(), problems)
}

#[tokio::test]
async fn routes_are_asked_by_name_and_followed_at_home() {
    let mut tasks = JoinSet::new();
    let router = Router::new()
        .route(
            "/",
            get(async |headers: HeaderMap| {
                assert!(headers.get(header::AUTHORIZATION).is_none() && headers.get(header::COOKIE).is_none());
                match headers[header::HOST].to_str().unwrap().split('.').next().unwrap() {
                    "fine" => page("Lab").into_response(),
                    "moved" => Redirect::to("/home").into_response(),
                    "sso" => Redirect::to("https://sso.test/login").into_response(),
                    "loop" => Redirect::to("/").into_response(),
                    "private" => StatusCode::UNAUTHORIZED.into_response(),
                    _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                }
            }),
        )
        .route("/home", get(async || page("Home")));
    let prober = prober(serve(router, &mut tasks).await);
    let names = ["fine", "moved", "sso", "loop", "private", "dead"];
    let (probes, problems) = probe(&prober, names.iter().map(|name| target(name, false)).collect()).await;
    let status = |name: &str| probes[&(name.to_owned(), ProbeKind::Route)].status;
    let seen = names.map(status);
    assert_eq!(seen, [Some(200), Some(200), Some(303), Some(303), Some(401), Some(503)]);
    assert_eq!(problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_showroom_is_its_instructions_and_not_its_shell() {
    let shell = || get(async || Html("<html><head><title>Showroom</title></head><div id=root></div></html>"));
    let ready = || get(async || axum::Json(json!({"status": "ok", "service": "nookbag"})));
    let config = || get(async || "type: showroom\n");
    let cases = [
        (
            "built",
            Router::new()
                .route("/", shell())
                .route("/readyz", ready())
                .route("/ui-config.yml", config())
                .route("/www/modules/index.html", get(async || page("Module 1"))),
            Some(Content::Page),
            false,
        ),
        (
            "unbuilt",
            Router::new()
                .route("/", shell())
                .route("/readyz", ready())
                .route("/ui-config.yml", config()),
            Some(Content::Missing),
            false,
        ),
        (
            "classic",
            Router::new().route("/", get(async || page("Lab"))),
            Some(Content::Page),
            true,
        ),
        // Every path is answered with the same page and 200.
        ("catch-all", Router::new().fallback(async || page("Lab")), Some(Content::Page), true),
        (
            "login",
            Router::new().route("/", get(async || Redirect::to("https://sso.test/"))),
            Some(Content::Login),
            true,
        ),
        ("down", Router::new(), None, true),
    ];
    for (name, router, content, fallback) in cases {
        let mut tasks = JoinSet::new();
        let prober = prober(serve(router, &mut tasks).await);
        let (probes, _) = probe(&prober, vec![target("showroom", true)]).await;
        let of = |kind| &probes[&("showroom".to_owned(), kind)];
        assert_eq!(of(ProbeKind::ShowroomContent).content, content, "{name}");
        assert_eq!(of(ProbeKind::ShowroomReadiness).fallback, fallback, "{name}");
        assert_eq!(of(ProbeKind::Route).content, None, "{name}");
    }
}

#[tokio::test]
async fn what_does_not_answer_is_unreachable_and_what_may_not_be_asked_was_not() {
    let mut tasks = JoinSet::new();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let prober = prober(closed);
    let mut loopback = target("local", false);
    loopback.host = "localhost".to_owned();
    let mut address = target("address", false);
    address.host = "127.0.0.1".to_owned();
    let (probes, problems) = probe(&prober, vec![target("gone", false), loopback, address]).await;
    let failure = |name: &str| probes[&(name.to_owned(), ProbeKind::Route)].failure.clone().unwrap();
    let ProbeFailure::Unreachable(why) = failure("gone") else {
        panic!("{:?}", failure("gone"))
    };
    assert!(why.contains("refused"), "{why}");
    assert_eq!(failure("local"), ProbeFailure::NotProbed(UnknownReason::NotProbed));
    assert_eq!(
        failure("address"),
        ProbeFailure::Unreachable("`127.0.0.1` is not a host name".to_owned())
    );
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("for example localhost; name the routers' domains"),
        "{problems:?}"
    );

    // Something that talks, but not HTTP.
    let talker = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = talker.local_addr().unwrap();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = talker.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.9\r\n").await;
        }
    });
    let prober = self::prober(address);
    let mut passthrough = target("ssh", false);
    passthrough.tls = Tls::Passthrough;
    let (probes, _) = probe(&prober, vec![passthrough, target("edge", false)]).await;
    assert_eq!(probes[&("ssh".to_owned(), ProbeKind::Route)].failure, Some(ProbeFailure::NotHttp));
    assert!(matches!(
        probes[&("edge".to_owned(), ProbeKind::Route)].failure,
        Some(ProbeFailure::Unreachable(_))
    ));
}

#[tokio::test]
async fn targets_without_time_say_so() {
    let prober = prober("127.0.0.1:9".parse().unwrap());
    let clock = Clock::manual(DateTime::UNIX_EPOCH);
    let probed = prober.run(vec![target("showroom", true)], &clock, Duration::ZERO).await;
    assert_eq!((probed.visited, probed.late), (0, 1));
    let late = Some(ProbeFailure::NotProbed(UnknownReason::Timeout));
    assert!(probed.probes["lab"].iter().all(|probe| probe.failure == late));
    assert_eq!(probed.probes["lab"].len(), 3);
    assert_eq!(probed.problems.len(), 1);
}

#[test]
fn targets_are_admitted_routes_and_ingresses_of_their_own() {
    let admitted = json!({"ingress": [{"routerName": "shard", "conditions": [{"type": "Admitted", "status": "False"}]},
                                      {"routerName": "default", "conditions": [{"type": "Admitted", "status": "True"}]}]});
    let route = |name: &str, host: &str, status: &serde_json::Value| {
        json!({"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": {"name": name, "namespace": "lab"},
               "spec": {"host": host, "to": {"kind": "Service", "name": name}, "tls": {"termination": "passthrough"}}, "status": status})
    };
    let ingress = |name: &str| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": "lab"},
               "spec": {"rules": [{"host": format!("{name}.test")}]}})
    };
    let mut generated = route("made-x7", "made.test", &admitted);
    generated["metadata"]["ownerReferences"] = json!([{"kind": "Ingress", "name": "made"}]);
    let mut leaving = route("leaving", "leaving.test", &admitted);
    leaving["metadata"]["deletionTimestamp"] = json!("2026-03-01T08:00:00Z");
    let service = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "guide", "namespace": "lab", "labels": {"app.kubernetes.io/name": "showroom"}}});
    let mut assembler = Assembler::new("east", NamespaceSelection::Recorded);
    for object in [
        route("guide", "guide.test", &admitted),
        route("refused", "refused.test", &json!({})),
        route("nameless", "", &admitted),
        generated,
        leaving,
        ingress("made"),
        ingress("own"),
        service,
    ] {
        assembler.add_json(&object).unwrap();
    }
    let targets = targets(&assembler.finish(DateTime::UNIX_EPOCH));
    let seen = targets
        .iter()
        .map(|target| (target.name.as_str(), target.tls, target.showroom))
        .collect::<Vec<_>>();
    assert_eq!(
        seen,
        [
            ("guide", Tls::Passthrough, true),
            ("made-x7", Tls::Passthrough, false),
            ("own", Tls::None, false)
        ]
    );
}
