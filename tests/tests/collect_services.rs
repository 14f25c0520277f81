//! AAP controllers and the Sandbox API of a simulated fleet through the whole job: what is kept, what each fault says, and how the source stands.

#![cfg(test)]

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;
use stargate_collect::{Collect, Settings};
use stargate_common::boot::{Context, Job as _};
use stargate_common::clock::Clock;
use stargate_common::db::records;
use stargate_common::events::sink::Sink;
use stargate_common::provisioning::job::AapJob;
use stargate_common::provisioning::placement::{Placement, SandboxCluster};
use stargate_common::settings;
use stargate_sim::services::{Role, Service, Services, Twist};
use stargate_sim::story::Story;
use stargate_sim::{Effect, Fleet, SimClock, WireFault};
use stargate_tests::TestDb;
use tokio_util::sync::CancellationToken;

struct World {
    db: TestDb,
    clock: Clock,
    sim: SimClock,
    story: Story,
    services: Services,
    dir: PathBuf,
}

/// How a source stands.
#[derive(Debug, PartialEq, Eq)]
struct Stands {
    error: Option<String>,
    success_at: Option<DateTime<Utc>>,
    retry_at: Option<DateTime<Utc>>,
    failures: i32,
}

impl World {
    async fn new(name: &str) -> Self {
        let now: DateTime<Utc> = "2026-11-23T08:00:00Z".parse().expect("a time");
        let sim = SimClock::starting_at(now);
        let story = Story::of(&Fleet::demo(42, sim.clone()), 42);
        let services = Services::start(&story).await.expect("ports");
        let dir = std::env::temp_dir().join(format!("stargate-collect-services-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder");
        let controllers: String = ["/api/v2/", "/api/controller/v2/"]
            .iter()
            .enumerate()
            .map(|(at, prefix)| {
                let file = dir.join(format!("token-{at}"));
                std::fs::write(&file, services.aap(at).token()).expect("a token");
                let host = ["aap-a.example.test", "aap-b.example.test"][at];
                format!(
                    "  - host: {host}\n    url: {}\n    prefix: {prefix}\n    token_file: {}\n",
                    services.aap(at).url(),
                    file.display()
                )
            })
            .collect();
        std::fs::write(dir.join("controllers.yaml"), format!("controllers:\n{controllers}")).expect("the list");
        Self {
            db: TestDb::new().await,
            clock: Clock::manual(now),
            sim,
            story,
            services,
            dir,
        }
    }

    /// Runs the job a quarter of an hour later.
    async fn collect(&self, source: &str) -> String {
        self.clock.advance(TimeDelta::minutes(16));
        self.sim.advance(TimeDelta::minutes(16));
        let controllers = self.dir.join("controllers.yaml");
        let args = [
            "collect",
            "--source",
            source,
            "--budget-s",
            "4",
            "--aap-controllers",
            controllers.to_str().expect("a path"),
            "--sandbox-api-url",
            &self.services.sandbox_api().url(),
            "--sandbox-api-login-token",
            &self.services.sandbox_api().token(),
        ];
        let settings: Settings = settings::read("collect", args.map(Into::into)).unwrap_or_else(|error| panic!("{error}"));
        assert!(
            !format!("{settings:?}").contains("planted"),
            "settings are printed with their secrets"
        );
        let context = Context {
            name: Collect::NAME,
            settings,
            db: self.pool().clone(),
            clock: self.clock.clone(),
            sink: Sink::Nowhere,
            shutdown: CancellationToken::new(),
        };
        Collect::run(&context).await.expect("a source that fails is no failed job")
    }

    fn pool(&self) -> &PgPool {
        &self.db.pool
    }

    async fn stands(&self, source: &str) -> Stands {
        type Row = (Option<String>, Option<DateTime<Utc>>, Option<DateTime<Utc>>, i32);
        let row: Row = sqlx::query_as("select last_error, last_success_at, retry_at, failures from sources where source = $1 and enabled")
            .bind(source)
            .fetch_one(self.pool())
            .await
            .expect("the source");
        Stands {
            error: row.0,
            success_at: row.1,
            retry_at: row.2,
            failures: row.3,
        }
    }

    /// Everything that is kept of a source, with when it was written.
    async fn kept(&self, source: &str) -> Vec<String> {
        sqlx::query_scalar(
            "select format('%s %s %s %s %s', kind, key, doc, gone_at, changed_at) from records where source = $1 order by kind, key",
        )
        .bind(source)
        .fetch_all(self.pool())
        .await
        .expect("records")
    }

    /// What the newest collection of a source told besides.
    async fn problems(&self, source: &str) -> String {
        sqlx::query_scalar("select problems::text from collections where source = $1 order by started_at desc limit 1")
            .bind(source)
            .fetch_one(self.pool())
            .await
            .expect("a collection")
    }

    /// Strikes the path of the service in each way, and shows what is told. What was read before stays, and the next reading heals.
    async fn every_fault(&self, service: &Service, path: &str, source: &str, row: &str) -> Vec<String> {
        let status = |code, retry| Effect::Status { code, retry_after: retry };
        let wire = [
            status(401, None),
            status(403, None),
            status(429, Some(Duration::from_secs(900))),
            Effect::Slow(Duration::from_secs(60)),
            Effect::Malformed,
            Effect::Html,
        ];
        let mut told = Vec::new();
        for effect in wire {
            let what = format!("{effect:?}");
            let (kept, before) = (self.kept(row).await, self.stands(row).await);
            assert!(!kept.is_empty() && before.error.is_none(), "{what}: {before:?}");
            service.inject(WireFault::on(path, effect));
            self.collect(source).await;
            let stands = self.stands(row).await;
            assert_eq!(self.kept(row).await, kept, "{what}: what was read before stays as it is");
            assert_eq!((stands.success_at, stands.failures), (before.success_at, 1), "{what}");
            let rests = stands.retry_at.is_some();
            assert_eq!(rests, what.contains("429"), "{what}: {stands:?}");
            told.push(format!(
                "{}{}",
                stands.error.expect("an error"),
                if rests { " [rests]" } else { "" }
            ));
            service.clear();
            self.collect(source).await;
            let healed = self.stands(row).await;
            assert_eq!((healed.error, healed.failures, healed.retry_at), (None, 0, None), "{what}");
        }
        told
    }

    /// Nothing that was planted, in variables, results, credentials, tokens, kubeconfigs and people's addresses, is anywhere in the database.
    async fn nothing_planted(&self) {
        let rows: String = sqlx::query_scalar("select database_to_xml(true, false, '')::text")
            .fetch_one(self.pool())
            .await
            .expect("a dump");
        assert!(rows.contains("io.stargate.collection.completed.v1"), "the dump holds events");
        for secret in ["planted", "people.example.test", "owner_email", "extra_vars", "kubeconfig"] {
            if let Some(at) = rows.find(secret) {
                let (from, to) = (rows.floor_char_boundary(at.saturating_sub(300)), rows.floor_char_boundary(at + 60));
                panic!("{secret}: …{}", &rows[from..to]);
            }
        }
    }

    async fn stop(self) {
        self.nothing_planted().await;
        self.services.stop().await;
        std::fs::remove_dir_all(&self.dir).expect("the folder goes");
    }
}

/// The error without the times in it, which differ.
fn without_times(told: &[String]) -> String {
    let words = told.iter().map(|line| {
        let words = line
            .split(' ')
            .map(|word| if word.matches(':').count() == 2 { "HH:MM:SS" } else { word });
        words.collect::<Vec<_>>().join(" ")
    });
    words.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn jobs_come_with_what_failed_them_and_events_are_read_once() {
    let world = World::new("jobs").await;
    let line = world.collect("aap").await;
    let jobs: Vec<AapJob> = records::live(world.pool()).await.expect("jobs");
    assert!(jobs.len() > 20, "{line}");
    let hosts: std::collections::BTreeSet<&str> = jobs.iter().map(|job| job.controller.as_str()).collect();
    assert_eq!(hosts.len(), 2, "both controllers: {line}");
    assert!(jobs.iter().all(|job| job.service_uuid.len() == 36), "names end in a UUID");
    // What the story says failed, failed here, and why.
    for told in world.story.jobs() {
        let key = (["aap-a.example.test", "aap-b.example.test"][told.controller], told.id);
        let Some(job) = jobs.iter().find(|job| (job.controller.as_str(), job.id) == key) else {
            continue;
        };
        let Some(failure) = told.failure.filter(|_| matches!(told.status, "failed" | "error")) else {
            assert_eq!(job.failure, None, "{key:?} {}", told.status);
            continue;
        };
        let read = job.failure.as_ref().unwrap_or_else(|| panic!("{key:?} has no failure"));
        assert_eq!(
            (read.task.as_str(), read.role.as_str(), read.unread.as_str()),
            (failure.task, failure.role, ""),
            "{key:?}"
        );
        assert_eq!(read.censored, failure.censored, "{key:?}");
        assert_eq!(read.message.is_empty(), failure.censored, "{key:?}: {read:?}");
        if failure.task.is_empty() {
            assert!(!job.explanation.is_empty() && read.message == job.explanation, "{key:?}: {job:?}");
        }
    }
    let failed = jobs.iter().filter(|job| job.failure.is_some()).count();
    assert!(failed > 0, "nothing failed in the story, so nothing is proven");
    let text = world.kept("aap/aap-a.example.test").await.join("\n") + &world.kept("aap/aap-b.example.test").await.join("\n");
    assert!(
        !text.contains("planted") && !text.contains(".internal") && !text.contains('@'),
        "a secret, a host or a person"
    );
    assert!(
        !text.contains("Use the mirror") && !text.contains("left-over"),
        "what was rescued or ignored failed no job"
    );

    let asked = || -> Vec<String> {
        let services = [world.services.aap(0), world.services.aap(1)];
        services
            .iter()
            .flat_map(|service| service.requests().lines().map(|line| line.path.clone()).collect::<Vec<_>>())
            .collect()
    };
    let first = asked();
    let count = |paths: &[String], part: &str| paths.iter().filter(|path| path.contains(part)).count();
    assert_eq!(
        (count(&first, "or__finished__isnull=true"), count(&first, "job_events") > 0),
        (2, true),
        "{first:?}"
    );
    let kept = world.kept("aap/aap-a.example.test").await;
    world.services.aap(0).reset_requests();
    world.services.aap(1).reset_requests();
    world.collect("aap").await;
    let again = asked();
    assert!(
        count(&again, "or__created__gte") == 2 && count(&again, "job_events") == 0 && count(&again, "isnull") == 0,
        "evidence is read once, and the second reading goes by its watermark: {again:?}"
    );
    let stored: Vec<AapJob> = records::live(world.pool()).await.expect("jobs");
    assert!(stored.len() >= jobs.len(), "nothing goes because it is not read again");
    let same = world
        .kept("aap/aap-a.example.test")
        .await
        .iter()
        .filter(|row| kept.contains(row))
        .count();
    assert!(same + 5 > kept.len(), "{same} of {} rows are as they were", kept.len());
    world.stop().await;
}

#[tokio::test]
async fn every_fault_of_a_controller_costs_only_itself() {
    let world = World::new("aap-faults").await;
    let (row, other) = ("aap/aap-a.example.test", "aap/aap-b.example.test");
    world.collect("aap").await;
    let told = world.every_fault(world.services.aap(0), "*/jobs/", "aap", row).await;
    assert_eq!(world.stands(other).await.failures, 0, "the other controller was read all the time");
    insta::assert_snapshot!(without_times(&told), @"
    aap-job: unauthorized (GET /api/v2/jobs/ answered 401: the token is expired or wrong: renew token_file of aap-a.example.test in STARGATE_AAP_CONTROLLERS)
    aap-job: forbidden (GET /api/v2/jobs/ answered 403: the token (token_file of aap-a.example.test in STARGATE_AAP_CONTROLLERS) may not read this: give it permission to read)
    aap-job: throttled (GET /api/v2/jobs/ answered 429: the controller aap-a.example.test wants fewer requests; it asks to be left alone until HH:MM:SS UTC) [rests]
    aap-job: timeout (GET /api/v2/jobs/: the controller aap-a.example.test did not answer in time)
    aap-job: parse_error (GET /api/v2/jobs/ answered JSON that is not understood: EOF while parsing a string at line 1 column 97; has its version changed?)
    aap-job: parse_error (GET /api/v2/jobs/ answered a web page where JSON was expected: is url or prefix of aap-a.example.test in STARGATE_AAP_CONTROLLERS right, and does it need a token?)
    ");

    // Pages that repeat, answers and objects that lack a field, a clock that is wrong.
    let kept = world.kept(row).await;
    let mut told = Vec::new();
    for twist in [Twist::RepeatPage, Twist::Without("results")] {
        world.services.aap(0).twist(twist);
        world.collect("aap").await;
        told.push(world.stands(row).await.error.unwrap_or_default());
        world.services.aap(0).clear();
    }
    assert_eq!(world.kept(row).await, kept);
    insta::assert_snapshot!(told.join("\n"), @"
    aap-job: truncated (jobs/ answered a page that was read before: the pages repeat, so the list cannot be read to its end; its paging is broken)
    aap-job: parse_error (GET /api/v2/jobs/ answered JSON that is not understood: it is an object without results; has its version changed?)
    ");
    let kept = world.kept(row).await;
    world.services.aap(0).twist(Twist::Without("status"));
    world.collect("aap").await;
    assert_eq!((world.kept(row).await, world.stands(row).await.error), (kept, None));
    let problems = world.problems(row).await;
    assert!(
        problems.contains("it has no status; what is stored of it stays as it is"),
        "{problems}"
    );
    world.services.aap(0).clear();
    world.services.aap(0).twist(Twist::Skew(TimeDelta::hours(2)));
    world.collect("aap").await;
    let problems = world.problems(row).await;
    assert!(problems.contains("its clock is 7200 s ahead of ours"), "{problems}");
    world.services.aap(0).clear();

    // A list of controllers that is wrong is told at each of them.
    std::fs::write(world.dir.join("controllers.yaml"), "controllers:\n  - host: a\n    urll: x\n").expect("the list");
    let before = world.stands(row).await;
    world.collect("aap").await;
    let stands = world.stands(row).await;
    assert!(
        stands
            .error
            .as_deref()
            .is_some_and(|error| error.contains("line 3 column 5: unknown field `urll`")),
        "{stands:?}"
    );
    assert_eq!(stands.success_at, before.success_at);
    world.stop().await;
}

#[tokio::test]
async fn placements_and_limits_are_kept_through_every_fault() {
    let world = World::new("sandbox").await;
    let (api, row) = (world.services.sandbox_api(), "sandbox-api");
    world.collect(row).await;
    assert_eq!(world.stands(row).await.error, None);
    let placements: Vec<Placement> = records::live(world.pool()).await.expect("placements");
    let clusters: Vec<SandboxCluster> = records::live(world.pool()).await.expect("clusters");
    assert!(
        placements.len() > 20 && placements.iter().all(|one| !one.service_uuid.is_empty() && !one.guid.is_empty()),
        "{}",
        placements.len()
    );
    assert!(
        clusters.len() > 3
            && clusters
                .iter()
                .filter(|one| one.name != "*")
                .all(|one| one.rate_limit == Some(10) && one.valid.is_none())
    );
    let whole = clusters.iter().find(|one| one.name == "*").expect("the whole");
    assert!(
        (whole.healthy, whole.rate_limit) == (Some(true), None) && whole.queued_placements.is_some(),
        "{whole:?}"
    );
    let text = world.kept(row).await.join("\n");
    assert!(!text.contains("planted") && !text.contains('@'), "no credentials and no people");
    assert!(
        world.problems(row).await.contains("answered 403"),
        "what the role may not read is said"
    );

    let told = world.every_fault(api, "*/accounts/OcpSandbox", row, row).await;
    insta::assert_snapshot!(without_times(&told), @"
    placement: unauthorized (GET /api/v1/accounts/OcpSandbox answered 401: the token is expired or wrong: renew STARGATE_SANDBOX_API_LOGIN_TOKEN_FILE)
    placement: forbidden (GET /api/v1/accounts/OcpSandbox answered 403: the token (STARGATE_SANDBOX_API_LOGIN_TOKEN_FILE) may not read this: give it permission to read)
    placement: throttled (GET /api/v1/accounts/OcpSandbox answered 429: the Sandbox API wants fewer requests; it asks to be left alone until HH:MM:SS UTC); sandbox-cluster: throttled (GET /api/v1/health was not asked: the Sandbox API asked to be left alone until HH:MM:SS UTC) [rests]
    placement: timeout (GET /api/v1/accounts/OcpSandbox: the Sandbox API did not answer in time); sandbox-cluster: timeout (GET /api/v1/health was not asked: the time of this run is over; give it more with STARGATE_COLLECT_BUDGET_S)
    placement: parse_error (GET /api/v1/accounts/OcpSandbox answered JSON that is not understood: EOF while parsing a string at line 1 column 97; has its version changed?)
    placement: parse_error (GET /api/v1/accounts/OcpSandbox answered a web page where JSON was expected: is STARGATE_SANDBOX_API_URL right, and does it need a token?)
    ");

    // The login itself; then nothing else is asked.
    let kept = world.kept(row).await;
    api.set_token_expired(true);
    world.collect(row).await;
    let stands = world.stands(row).await;
    assert!(
        stands
            .error
            .as_deref()
            .is_some_and(|error| error.contains("GET /api/v1/login answered 401")),
        "{stands:?}"
    );
    assert_eq!(world.kept(row).await, kept);
    api.set_token_expired(false);

    api.twist(Twist::Without("status"));
    world.collect(row).await;
    assert_eq!((world.kept(row).await, world.stands(row).await.error), (kept, None));
    assert!(world.problems(row).await.contains("it has no status"));
    api.clear();

    // A health check that fails is an answer, not a failed reading.
    api.set_healthy(false);
    world.collect(row).await;
    let clusters: Vec<SandboxCluster> = records::live(world.pool()).await.expect("clusters");
    assert_eq!(clusters.iter().find(|one| one.name == "*").and_then(|one| one.healthy), Some(false));
    assert_eq!(world.stands(row).await.error, None);
    api.set_healthy(true);

    // Another role sees more, and still no credentials.
    api.set_role(Role::Admin);
    world.collect(row).await;
    let clusters: Vec<SandboxCluster> = records::live(world.pool()).await.expect("clusters");
    let known = clusters
        .iter()
        .filter(|one| one.valid == Some(true) && one.connection == "ok" && one.api_url.starts_with("https://"));
    assert_eq!(known.count() + 1, clusters.len());
    assert!(!world.kept(row).await.join("\n").contains("planted"));
    world.stop().await;
}
