//! A control plane is collected as it is; each way in which it can fail keeps what was read before, and says so.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row as _};
use stargate_collect::Collect;
use stargate_common::boot::{Context, Job as _};
use stargate_common::clock::Clock;
use stargate_common::events::sink::Sink;
use stargate_common::settings;
use stargate_tests::TestDb;
use stargate_tests::world::morning;
use tokio_util::sync::CancellationToken;

/// Stands in every place from where nothing may be kept.
const PLANTED: [&str; 6] = [
    "hunter2-password",
    "sha256~planted-token-aaaaaaaaaaaaaaaaaaaa",
    "ada.lovelace@example.test",
    "planted-kubeconfig",
    "Ada Lovelace",
    "planted-callback",
];

/// How a list answers.
#[derive(Debug, Clone)]
enum Fault {
    /// Status and body for one kind, or for all.
    Status(&'static str, u16, &'static str),
    /// Come back in an hour.
    Throttled(&'static str),
    /// No answer.
    Silent(&'static str),
    /// Half of an answer.
    Malformed(&'static str),
    /// The second page says that it is followed by itself.
    Repeats(&'static str),
    /// Status of every object that is asked for alone.
    OfOne(u16),
}

#[derive(Debug, Default)]
struct Plane {
    objects: BTreeMap<&'static str, Vec<Value>>,
    fault: Option<Fault>,
    asked: Vec<String>,
    /// Objects on a page.
    page: usize,
}

type Shared = Arc<Mutex<Plane>>;

async fn list(
    State(plane): State<Shared>,
    Path((_, plural)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let (fault, objects, page) = {
        let mut plane = plane.lock().unwrap();
        plane
            .asked
            .push(format!("{plural}?{}", query.get("labelSelector").cloned().unwrap_or_default()));
        (
            plane.fault.clone(),
            plane.objects.get(plural.as_str()).cloned().unwrap_or_default(),
            plane.page,
        )
    };
    let from: usize = query.get("continue").and_then(|token| token.parse().ok()).unwrap_or_default();
    let end = (from + page).min(objects.len());
    let mut more = (end < objects.len()).then(|| end.to_string());
    match fault {
        Some(Fault::Status(kind, status, message)) if kind.is_empty() || kind == plural => {
            let body = json!({"kind": "Status", "message": message, "code": status});
            return (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response();
        }
        Some(Fault::Throttled(kind)) if kind == plural => {
            return (
                StatusCode::TOO_MANY_REQUESTS,
                [("retry-after", "3600")],
                r#"{"message":"slow down"}"#,
            )
                .into_response();
        }
        Some(Fault::Silent(kind)) if kind == plural => std::future::pending().await,
        Some(Fault::Malformed(kind)) if kind == plural => {
            return format!(r#"{{"metadata":{{}},"items":[{{"metadata":{{"name":"{}"#, PLANTED[0]).into_response();
        }
        Some(Fault::Repeats(kind)) if kind == plural => more = Some(end.to_string()),
        _ => {}
    }
    json!({"kind": "List", "metadata": {"continue": more.unwrap_or_default()}, "items": objects[from.min(end)..end]})
        .to_string()
        .into_response()
}

async fn get(State(plane): State<Shared>, Path((_, namespace, plural, name)): Path<(String, String, String, String)>) -> Response {
    let mut plane = plane.lock().unwrap();
    plane.asked.push(format!("{namespace}/{plural}/{name}"));
    if let Some(Fault::OfOne(status)) = plane.fault {
        return (StatusCode::from_u16(status).unwrap(), "{}").into_response();
    }
    let status = if name == "run-just-ended" {
        StatusCode::OK
    } else {
        StatusCode::NOT_FOUND
    };
    (status, "{}").into_response()
}

/// A control plane, a database, and a clock.
struct World {
    db: TestDb,
    clock: Clock,
    plane: Shared,
    folder: PathBuf,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl World {
    async fn new() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let plane = Shared::new(Mutex::new(Plane {
            page: 2,
            objects: objects(),
            ..Plane::default()
        }));
        let router = Router::new()
            .route("/apis/{group}/v1/{plural}", axum::routing::get(list))
            .route("/apis/{group}/v1/namespaces/{namespace}/{plural}/{name}", axum::routing::get(get))
            .with_state(Arc::clone(&plane));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "it is aborted when the world is dropped")]
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap_or_default() });
        let folder = std::env::temp_dir().join(format!("stargate-babylon-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).unwrap();
        let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://{address}")}}],
            "users": [{"name": "u", "user": {"token": PLANTED[1]}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]});
        std::fs::write(folder.join("control.json"), kubeconfig.to_string()).unwrap();
        Self {
            db: TestDb::new().await,
            clock: Clock::manual(morning()),
            plane,
            folder,
            server,
        }
    }

    fn fault(&self, fault: Option<Fault>) {
        self.plane.lock().unwrap().fault = fault;
    }

    fn change(&self, plural: &'static str, change: impl FnOnce(&mut Vec<Value>)) {
        change(self.plane.lock().unwrap().objects.entry(plural).or_default());
    }

    async fn collect(&self, more: &[&str]) -> String {
        let file = self.folder.join("control.json").display().to_string();
        self.run(&[&["--babylon-kubeconfig", &file], more].concat()).await
    }

    async fn run(&self, args: &[&str]) -> String {
        let budget: &[&str] = if args.contains(&"--budget-s") { &[] } else { &["--budget-s", "5"] };
        let args = ["collect", "--source", "babylon"].iter().chain(budget).chain(args).map(Into::into);
        let context = Context {
            name: "collect",
            settings: settings::read("collect", args).unwrap(),
            db: self.db.pool.clone(),
            clock: self.clock.clone(),
            sink: Sink::Nowhere,
            shutdown: CancellationToken::new(),
        };
        Collect::run(&context).await.unwrap()
    }

    /// Live records by kind.
    async fn live(&self) -> BTreeMap<String, i64> {
        let rows: Vec<(String, i64)> = sqlx::query_as("select kind, count(*) from records where gone_at is null group by kind")
            .fetch_all(&self.db.pool)
            .await
            .unwrap();
        rows.into_iter().collect()
    }

    /// What the source says: its last error, whether it ever worked, when it wants to be asked again.
    async fn source(&self, name: &str) -> (Option<String>, Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        let sql = "select last_error, last_success_at, retry_at from sources where source = $1";
        sqlx::query_as(sql).bind(name).fetch_one(&self.db.pool).await.unwrap()
    }

    async fn newest_run(&self) -> (String, i32, Value) {
        let sql = "select state, changed, problems from collections order by started_at desc, finished_at desc limit 1";
        sqlx::query_as(sql).fetch_one(&self.db.pool).await.unwrap()
    }

    async fn transitions(&self) -> Vec<(Option<String>, String, DateTime<Utc>, Option<DateTime<Utc>>)> {
        let sql = "select from_state, to_state, at, not_before from subject_transitions where subject_key = 's-0' order by at";
        sqlx::query_as(sql).fetch_all(&self.db.pool).await.unwrap()
    }

    async fn doc(&self, kind: &str, key: &str) -> Value {
        let sql = "select doc from records where kind = $1 and key = $2";
        sqlx::query_scalar(sql).bind(kind).bind(key).fetch_one(&self.db.pool).await.unwrap()
    }

    /// Everything in the database, as text.
    async fn everything(&self) -> String {
        let tables: Vec<String> =
            sqlx::query_scalar("select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")
                .fetch_all(&self.db.pool)
                .await
                .unwrap();
        let mut all = String::new();
        for table in tables {
            let rows = sqlx::query(AssertSqlSafe(format!("select t::text from \"{table}\" t")))
                .fetch_all(&self.db.pool)
                .await
                .unwrap();
            for row in rows {
                all.push_str(&row.get::<String, _>(0));
                all.push('\n');
            }
        }
        all
    }
}

fn meta(namespace: &str, name: &str, uid: &str) -> Value {
    json!({"namespace": namespace, "name": name, "uid": uid, "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": PLANTED[0]}],
        "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": PLANTED.join(" "),
            "poolboy.gpte.redhat.com/resource-requester-email": PLANTED[2],
            "poolboy.gpte.redhat.com/resource-requester-name": PLANTED[4],
            "demo.redhat.com/requester": PLANTED[2],
        }, "labels": {"owner": PLANTED[2]}})
}

fn subject(index: usize, state: &str) -> Value {
    let mut metadata = meta("babylon-anarchy-1", &format!("acme.mesh.event-g{index}"), &format!("s-{index}"));
    metadata["finalizers"] = json!(["anarchy.gpte.redhat.com/subject"]);
    metadata["annotations"]["poolboy.gpte.redhat.com/resource-pool-name"] = json!(if index == 2 { "other" } else { "acme-pool" });
    metadata["annotations"]["poolboy.gpte.redhat.com/resource-pool-namespace"] = json!("poolboy");
    json!({"metadata": metadata,
        "spec": {"governor": if index == 2 { "zoo.bike.prod" } else { "acme.mesh.event" }, "varSecrets": [{"name": PLANTED[0]}],
            "vars": {"current_state": state, "desired_state": "started", "healthy": "true",
                "provision_data": {"admin_password": PLANTED[0], "kubeconfig": PLANTED[3]},
                "provision_messages": [PLANTED[0]], "provision_message_body": [PLANTED[2]],
                "job_vars": {"guid": format!("g{index}"), "uuid": format!("u-{index}"), "admin_token": PLANTED[1],
                    "sandbox_openshift_api_url": format!("https://admin:{}@api.lab.example.test:6443", PLANTED[0]),
                    "sandbox_openshift_cluster": "lab-1", "sandbox_openshift_namespace": format!("sandbox-g{index}-x")}}},
        "status": {"runStatus": "failed", "runStatusMessage": format!("login failed with password={}", PLANTED[0]),
            "actions": {"provision": {"startTimestamp": "2026-01-01T00:01:00Z", "completeTimestamp": "2026-01-01T00:40:00Z", "status": "successful"}},
            "towerJobs": {"provision": [{"deployerJob": "12", "towerHost": "aap-a.example.test", "jobStatus": "failed", "startTimestamp": "2026-01-01T00:02:00Z"},
                {"deployerJob": 13, "towerHost": "aap-a.example.test", "towerJobURL": PLANTED[3], "jobStatus": "successful", "startTimestamp": "2026-01-01T00:12:00Z"}]}}})
}

fn handle(index: usize, claimed: bool) -> Value {
    let claim = claimed.then(|| json!({"name": "order-1", "namespace": "user-ada"}));
    json!({"metadata": meta("poolboy", &format!("guid-g{index}"), &format!("h-{index}")),
        "spec": {"resourcePool": {"name": if index == 2 { "other" } else { "acme-pool" }, "namespace": "poolboy"}, "resourceClaim": claim, "vars": {"secret": PLANTED[0]},
            "provider": {"name": "acme.mesh.event", "parameterValues": {"password": PLANTED[0]}}},
        "status": {"healthy": true, "ready": index != 1, "resources": [{"reference": {"kind": "AnarchySubject", "namespace": "babylon-anarchy-1", "name": format!("acme.mesh.event-g{index}")}}]}})
}

/// A small control plane, with something planted wherever nothing may be read.
fn objects() -> BTreeMap<&'static str, Vec<Value>> {
    let mut item = meta("babylon-catalog-event", "acme.mesh.event", "c-1");
    item["annotations"]["babylon.gpte.redhat.com/ops"] = json!(r#"{"status":{"id":"under-maintenance","by":"ada.lovelace@example.test"}}"#);
    item["labels"]["babylon.gpte.redhat.com/stage"] = json!("event");
    let mut claim = meta("user-ada", "order-1", "r-1");
    claim["labels"]["babylon.gpte.redhat.com/catalogItemName"] = json!("acme.mesh.event");
    claim["annotations"]["demo.redhat.com/purpose"] = json!(format!("training for {}", PLANTED[2]));
    let mut run = meta("babylon-anarchy-1", "run-1", "run-1");
    run["labels"]["anarchy.gpte.redhat.com/runner"] = json!("anarchy-runner-9");
    BTreeMap::from([
        (
            "anarchysubjects",
            vec![subject(0, "provisioning"), subject(1, "started"), subject(2, "stopped")],
        ),
        ("resourcehandles", vec![handle(0, true), handle(1, false), handle(2, false)]),
        (
            "resourcepools",
            vec![
                json!({"metadata": meta("poolboy", "acme-pool", "p-1"), "spec": {"minAvailable": "2", "maxUnready": 3, "lifespan": {"unclaimed": "1d 12h"},
                "resources": [{"provider": {"name": "acme.mesh.event"}, "template": {"spec": {"vars": {"password": PLANTED[0]}}}}], "vars": {"password": PLANTED[0]}},
            "status": {"resourceHandleCount": {"available": 1, "ready": 0}, "resourceHandles": [{"name": "guid-g1", "healthy": true, "ready": false}]}}),
            ],
        ),
        (
            "resourceclaims",
            vec![
                json!({"metadata": claim, "spec": {"provider": {"parameterValues": {"password": PLANTED[0], "email": PLANTED[2]}}},
            "status": {"resourceHandle": {"name": "guid-g0", "namespace": "poolboy"}, "resources": [{"validationError": PLANTED[0], "state": subject(0, "started")}],
                "summary": {"state": "started", "provision_data": {"password": PLANTED[0]}}}}),
            ],
        ),
        (
            "resourceproviders",
            vec![
                json!({"metadata": meta("poolboy", "acme.mesh.event", "v-1"), "spec": {"override": {"spec": {"vars": {"token": PLANTED[1]}}}}}),
            ],
        ),
        (
            "catalogitems",
            vec![
                json!({"metadata": item, "spec": {"displayName": "Mesh", "owners": {"maintainer": [{"name": PLANTED[4], "email": PLANTED[2]}]}, "provisionTimeEstimate": "1h30m"}}),
            ],
        ),
        (
            "workshops",
            vec![
                json!({"metadata": meta("user-ada", "w", "w-1"), "spec": {"displayName": "Mesh", "accessPassword": PLANTED[0]},
            "status": {"userAssignments": [{"email": PLANTED[2]}], "workshopURL": "https://shop.example.test/w?token=hunter2-password"}}),
            ],
        ),
        (
            "workshopprovisions",
            vec![json!({"metadata": meta("user-ada", "wp", "wp-1"), "spec": {"count": 3, "parameters": {"password": PLANTED[0]}}})],
        ),
        (
            "anarchyruns",
            vec![
                json!({"metadata": run, "spec": {"subject": {"name": "acme.mesh.event-g0", "vars": {"provision_data": PLANTED[0]}}, "handler": {"vars": {"token": PLANTED[5]}}},
            "status": {"failures": 2, "result": {"statusMessage": format!("Authorization: Bearer {}", PLANTED[1])}}}),
            ],
        ),
        (
            "anarchyrunners",
            vec![
                json!({"metadata": meta("babylon-anarchy-1", "default", "rr-1"), "spec": {"podTemplate": {"env": PLANTED[0]}}, "status": {"pods": [{"name": "anarchy-runner-1"}]}}),
            ],
        ),
    ])
}

#[tokio::test]
async fn a_control_plane_is_kept_as_it_is_and_a_second_look_writes_nothing() {
    let world = World::new().await;
    world.change("anarchysubjects", |subjects| {
        subjects[0]["status"]["runs"] = json!({"active": [{"name": "run-1"}, {"name": "run-lost"}, {"name": "run-just-ended"}]});
    });
    let told = world.collect(&[]).await;
    assert!(told.starts_with("babylon: 13 objects, 13 changed"), "{told}");
    let live = world.live().await;
    assert_eq!(
        (live["subject"], live["resource-handle"], live["anarchy-run"], live.len()),
        (3, 3, 1, 9)
    );

    let subject = world.doc("subject", "s-0").await;
    assert_eq!(
        subject["missing_runs"],
        json!(["run-lost"]),
        "one is listed, one ended well meanwhile"
    );
    assert_eq!(
        (&subject["healthy"], &subject["lab_api_url"]),
        (&json!(true), &json!("https://api.lab.example.test:6443/"))
    );
    assert_eq!(
        (&subject["jobs"]["provision"]["id"], &subject["actions"]["provision"]["state"]),
        (&json!(13), &json!("successful"))
    );
    assert_eq!(world.doc("anarchy-run", "run-1").await["pod_missing"], json!(true));
    let pool = world.doc("resource-pool", "p-1").await;
    assert_eq!(
        (&pool["min_available"], &pool["unclaimed_lifespan_s"], &pool["available"]),
        (&json!(2), &json!(129_600), &json!(1))
    );
    let item = world.doc("catalog-item", "c-1").await;
    assert_eq!(
        (&item["ops_status"], &item["provision_estimate_s"]),
        (&json!("under-maintenance"), &json!(5400))
    );
    let selected = world
        .plane
        .lock()
        .unwrap()
        .asked
        .iter()
        .any(|asked| asked == "anarchyruns?anarchy.gpte.redhat.com/runner notin (successful,canceled)");
    assert!(selected);

    let everything = world.everything().await;
    for planted in PLANTED {
        assert!(!everything.contains(planted) && !told.contains(planted), "{planted} was kept");
    }

    let sample: Vec<(i32, i32, i32, i32, i32)> =
        sqlx::query_as("select usable, available, unready, claimed, min_available from pool_samples")
            .fetch_all(&world.db.pool)
            .await
            .unwrap();
    assert_eq!(sample, [(0, 1, 1, 1, 2)]);
    let first = world.clock.now();
    let created = DateTime::from_timestamp(1_767_225_600, 0);
    assert_eq!(world.transitions().await, [(None, "provisioning".to_owned(), first, created)]);

    world.clock.advance(TimeDelta::minutes(5));
    world.collect(&[]).await;
    let (state, changed, _) = world.newest_run().await;
    assert_eq!((state.as_str(), changed), ("complete", 0));
    assert_eq!(world.transitions().await.len(), 1);

    world.clock.advance(TimeDelta::minutes(55));
    world.change("anarchysubjects", |subjects| {
        subjects[0]["spec"]["vars"]["current_state"] = json!("provision-failed");
        subjects.pop();
    });
    world.collect(&[]).await;
    let second = first + TimeDelta::minutes(5);
    let seen = (
        Some("provisioning".to_owned()),
        "provision-failed".to_owned(),
        world.clock.now(),
        Some(second),
    );
    assert_eq!(world.transitions().await[1..], [seen]);
    assert_eq!(world.live().await["subject"], 2, "the popped one is gone");
    let samples: i64 = sqlx::query_scalar("select count(*) from pool_samples")
        .fetch_one(&world.db.pool)
        .await
        .unwrap();
    assert_eq!(samples, 2, "an hour has passed");
}

#[tokio::test]
async fn every_fault_keeps_what_was_read_and_names_itself() {
    let subjects = "anarchysubjects";
    for (fault, message, state, budget) in [
        (Fault::Status("", 401, "Unauthorized"), "renew its token", "failed", "5"),
        (
            Fault::Status(subjects, 403, "no"),
            "may not list anarchysubjects.anarchy.gpte.redhat.com cluster-wide; grant the collector's role",
            "partial",
            "5",
        ),
        (Fault::Status(subjects, 404, "no"), "does not serve anarchysubjects", "partial", "5"),
        (
            Fault::Status(subjects, 500, "etcd is away"),
            "server_error (500 Internal Server Error: etcd is away)",
            "partial",
            "5",
        ),
        (
            Fault::Throttled(subjects),
            "throttled (429 Too Many Requests: slow down)",
            "partial",
            "5",
        ),
        (Fault::Silent(subjects), "timeout", "partial", "1"),
        (Fault::Malformed(subjects), "is not what was asked for", "partial", "5"),
        (
            Fault::Repeats(subjects),
            "comes back to a page that was read before",
            "partial",
            "5",
        ),
    ] {
        let world = World::new().await;
        world.collect(&[]).await;
        let before = (world.live().await, world.transitions().await);
        let first = world.clock.now();
        world.clock.advance(TimeDelta::minutes(5));
        world.change(subjects, |subjects| subjects.clear());
        world.fault(Some(fault.clone()));
        let told = world.collect(&["--budget-s", budget]).await;
        assert!(told.contains(message), "{fault:?}: {told}");
        let (error, success, retry) = world.source("babylon").await;
        let error = error.unwrap();
        assert!(error.contains(message) && error.contains("subject: "), "{fault:?}: {error}");
        assert_eq!(success, Some(first), "{fault:?}");
        assert_eq!(
            retry,
            matches!(fault, Fault::Throttled(_)).then(|| world.clock.now() + TimeDelta::hours(1)),
            "{fault:?}"
        );
        let (ended, changed, _) = world.newest_run().await;
        assert_eq!((ended.as_str(), changed), (state, 0), "{fault:?}");
        assert_eq!(
            (world.live().await, world.transitions().await),
            before,
            "{fault:?}: what was read stays"
        );
        assert!(!world.everything().await.contains(PLANTED[0]), "{fault:?}");
        // And when it is well again, what is gone goes.
        if !matches!(fault, Fault::Throttled(_)) {
            world.fault(None);
            world.clock.advance(TimeDelta::minutes(5));
            world.collect(&[]).await;
            assert!(!world.live().await.contains_key("subject"), "{fault:?}");
            assert_eq!(world.source("babylon").await, (None, Some(world.clock.now()), None), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_question_about_a_run_without_an_answer_unsays_nothing() {
    let world = World::new().await;
    let waits = |of: usize, runs: &[&str]| {
        let active: Vec<Value> = runs.iter().map(|name| json!({"name": name})).collect();
        world.change("anarchysubjects", |subjects| {
            subjects[of]["status"]["runs"] = json!({"active": active})
        });
    };
    let missing = async |key: &str| world.doc("subject", key).await["missing_runs"].clone();
    waits(0, &["run-1", "run-lost", "run-just-ended"]);
    world.collect(&[]).await;
    assert_eq!((missing("s-0").await, missing("s-1").await), (json!(["run-lost"]), json!([])));

    world.clock.advance(TimeDelta::minutes(5));
    waits(0, &["run-lost", "run-new"]);
    waits(2, &["run-lost-too"]);
    world.fault(Some(Fault::OfOne(403)));
    world.collect(&[]).await;
    assert_eq!(missing("s-0").await, json!(["run-lost"]), "what was known stays");
    assert_eq!(missing("s-2").await, Value::Null, "nothing was known");
    assert_eq!(missing("s-1").await, json!([]), "it waits for nothing");
    let (state, _, problems) = world.newest_run().await;
    assert_eq!(state, "complete");
    assert!(
        problems
            .to_string()
            .contains("whether the active runs of 2 subjects exist was not read; what was known of them stays: forbidden"),
        "{problems}"
    );

    // Nor does a list of runs that cannot be read.
    world.clock.advance(TimeDelta::minutes(5));
    world.fault(Some(Fault::Status("anarchyruns", 403, "no")));
    world.collect(&[]).await;
    assert_eq!((missing("s-0").await, missing("s-2").await), (json!(["run-lost"]), Value::Null));

    // What a subject no longer waits for is not missing.
    world.clock.advance(TimeDelta::minutes(5));
    waits(0, &["run-new"]);
    world.collect(&[]).await;
    assert_eq!(missing("s-0").await, json!([]));
    world.clock.advance(TimeDelta::minutes(5));
    world.fault(None);
    world.collect(&[]).await;
    assert_eq!(
        (missing("s-0").await, missing("s-2").await),
        (json!(["run-new"]), json!(["run-lost-too"]))
    );
}

#[tokio::test]
async fn an_odd_object_costs_only_itself() {
    let world = World::new().await;
    world.collect(&[]).await;
    world.clock.advance(TimeDelta::minutes(5));
    world.change("anarchysubjects", |subjects| {
        subjects[0]["metadata"]["uid"] = Value::Null;
        subjects[1]["spec"]["vars"]["current_state"] = json!({"password": PLANTED[0]});
        subjects[2] = json!({"metadata": {"uid": "s-2", "name": "bare"}});
        subjects.push(subject(3, "levitating"));
    });
    world.collect(&[]).await;
    let (state, _, problems) = world.newest_run().await;
    let problems = problems.to_string();
    assert_eq!(state, "complete");
    for expected in [
        "babylon-anarchy-1/acme.mesh.event-g0",
        "it has no metadata.uid",
        "a text was expected",
        "1 subjects are in the state levitating",
    ] {
        assert!(problems.contains(expected), "{expected} is not in {problems}");
    }
    assert!(!problems.contains(PLANTED[0]), "{problems}");
    assert_eq!(
        world.live().await["subject"],
        4,
        "the two that were not understood stay, one is new"
    );
    assert_eq!(world.doc("subject", "s-0").await["current_state"], "provisioning");
    assert_eq!(
        world.doc("subject", "s-2").await["healthy"],
        Value::Null,
        "what is missing is unknown"
    );
}

#[tokio::test]
async fn a_clock_that_is_ahead_is_told_and_turns_nothing_around() {
    let world = World::new().await;
    world.collect(&[]).await;
    world.clock.advance(TimeDelta::minutes(5));
    let ahead = world.clock.now() + TimeDelta::minutes(30);
    world.change("anarchysubjects", |subjects| {
        let mut new = subject(4, "provisioning");
        new["metadata"]["creationTimestamp"] = json!(ahead.to_rfc3339());
        subjects.push(new);
    });
    let told = world.collect(&[]).await;
    assert!(told.starts_with("babylon: 14 objects, 1 changed"), "{told}");
    let (state, _, problems) = world.newest_run().await;
    assert_eq!(state, "complete");
    assert!(
        problems.to_string().contains("its clock is ahead of ours by at least 1800 s"),
        "{problems}"
    );
    let not_before: Option<DateTime<Utc>> = sqlx::query_scalar("select not_before from subject_transitions where subject_key = 's-4'")
        .fetch_one(&world.db.pool)
        .await
        .unwrap();
    assert!(not_before.is_none_or(|time| time <= world.clock.now()));
}

#[tokio::test]
async fn one_event_narrows_what_is_kept_and_forgets_nothing_else() {
    let world = World::new().await;
    world.collect(&[]).await;
    world.clock.advance(TimeDelta::minutes(5));
    world.change("anarchysubjects", |subjects| {
        subjects.remove(1);
        subjects[1]["spec"]["vars"]["current_state"] = json!("starting");
    });
    world.collect(&["--event-prefix", "acme"]).await;
    assert_eq!(
        world.live().await["subject"],
        2,
        "s-1 of the event is gone, s-2 of another is still there"
    );
    assert_eq!(
        world.doc("subject", "s-2").await["current_state"],
        "stopped",
        "and stays as it was stored"
    );
    let (state, changed, _) = world.newest_run().await;
    assert_eq!((state.as_str(), changed), ("complete", 1));
    // One that ends outside of the event is gone as well.
    world.clock.advance(TimeDelta::minutes(5));
    world.change("anarchysubjects", Vec::clear);
    world.collect(&["--event-prefix", "acme"]).await;
    assert!(!world.live().await.contains_key("subject"));
}

#[tokio::test]
async fn each_control_plane_is_a_source_and_none_is_disabled() {
    let world = World::new().await;
    let told = world.run(&[]).await;
    assert!(told.contains("babylon is not configured"), "{told}");
    std::fs::write(world.folder.join("second.yaml"), format!("users: [{{token: {}", PLANTED[1])).unwrap();
    let folder = world.folder.display().to_string();
    let told = world.run(&["--babylon-kubeconfig-dir", &folder]).await;
    assert!(told.contains("babylon/control: 13 objects"), "{told}");
    let (error, success, _) = world.source("babylon/second").await;
    assert!(
        error.as_ref().is_some_and(|error| error.contains("is not valid at line 1")),
        "{error:?}"
    );
    assert_eq!(success, None);
    assert!(!world.everything().await.contains(PLANTED[1]));
}
