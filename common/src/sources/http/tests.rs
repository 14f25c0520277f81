//! What a client does with each way in which a system can fail it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::fake::{Fake, Reply, run, ten_o_clock};
use super::*;
use crate::settings::ExposeSecret as _;

async fn client(replies: impl IntoIterator<Item = Reply>) -> (Fake, Client) {
    let fake = Fake::start(replies).await;
    let client = Client::new(&fake.settings(), &run()).unwrap();
    (fake, client)
}

async fn ask(client: &Client) -> Result<Value, Missing> {
    client.get_json("/labs/", &[("limit", "200")]).await
}

fn told(missing: &Missing) -> String {
    format!("{}: {}", missing.reason, missing.detail)
}

#[tokio::test]
async fn an_answer_is_read_and_counted() {
    let (fake, client) = client([Reply::json(&json!([1, 2]))]).await;
    assert_eq!(ask(&client).await, Ok(json!([1, 2])));
    assert_eq!((client.tally(), client.retry_at(), client.problems()), ((1, 5), None, vec![]));
    assert_eq!(fake.asked(), ["GET /api/v1/labs/?limit=200"]);
}

#[tokio::test]
async fn every_refusal_says_what_to_do() {
    let mut lines = Vec::new();
    for status in [401, 403, 404, 400, 418, 302] {
        let (fake, client) =
            client([Reply::new(status, "token hunter2 of ada@example.com is wrong").with("location", "https://sso.example.com/")]).await;
        lines.push(told(&ask(&client).await.unwrap_err()));
        assert_eq!(fake.asked().len(), 1, "{status} is not tried again");
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    unauthorized: GET /api/v1/labs/ answered 401: it wants a token: set STARGATE_LABAGATOR_TOKEN_FILE
    forbidden: GET /api/v1/labs/ answered 403: the token (STARGATE_LABAGATOR_TOKEN_FILE) may not read this: give it permission to read
    api_absent: GET /api/v1/labs/ answered 404: Labagator has no such address: is STARGATE_LABAGATOR_URL right?
    parse_error: GET /api/v1/labs/ answered 400: Labagator does not take the request: has its version changed?
    parse_error: GET /api/v1/labs/ answered 418: Labagator does not take the request: has its version changed?
    unreachable: GET /api/v1/labs/ answered 302: it redirects to another host, which is not followed: is STARGATE_LABAGATOR_URL right, and does it need a token?
    ");
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let (fake, client) = client([
        Reply::new(503, ""),
        Reply::new(429, "").with("retry-after", "0"),
        Reply::json(&json!("in the end")),
    ])
    .await;
    assert_eq!(ask(&client).await, Ok(json!("in the end")));
    assert_eq!((fake.asked().len(), client.tally().0), (3, 3));
}

#[tokio::test]
async fn a_post_is_never_tried_again() {
    let (fake, client) = client([Reply::new(503, "")]).await;
    let failed = client.post_json::<_, Value>("/login", &json!({})).await.unwrap_err();
    assert_eq!(
        told(&failed),
        "server_error: POST /api/v1/login answered 503: Labagator has a problem of its own"
    );
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn a_system_that_wants_to_be_left_alone_is_left_alone() {
    let (fake, client) = client([Reply::new(429, "").with("retry-after", "900")]).await;
    assert_eq!(
        told(&ask(&client).await.unwrap_err()),
        "throttled: GET /api/v1/labs/ answered 429: Labagator wants fewer requests; it asks to be left alone until 10:15:00 UTC"
    );
    assert_eq!(client.retry_at(), Some(ten_o_clock() + TimeDelta::minutes(15)));
    assert_eq!(
        told(&ask(&client).await.unwrap_err()),
        "throttled: GET /api/v1/labs/ was not asked: Labagator asked to be left alone until 10:15:00 UTC"
    );
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn a_date_to_retry_at_is_read_by_the_systems_own_clock() {
    let reply = Reply::new(503, "")
        .with("date", "Tue, 04 Mar 2031 09:00:00 GMT")
        .with("retry-after", "Tue, 04 Mar 2031 09:20:00 GMT");
    let (_fake, client) = client([reply]).await;
    ask(&client).await.unwrap_err();
    assert_eq!(client.retry_at(), Some(ten_o_clock() + TimeDelta::minutes(20)));
}

#[tokio::test]
async fn no_source_is_left_alone_for_good() {
    let (_fake, client) = client([Reply::new(503, "").with("retry-after", "999999999999")]).await;
    ask(&client).await.unwrap_err();
    assert_eq!(client.retry_at(), Some(ten_o_clock() + TimeDelta::hours(1)));
}

#[tokio::test]
async fn after_three_failures_nothing_more_is_asked() {
    let (fake, client) = client([]).await;
    for _ in 0..3 {
        assert_eq!(
            told(&ask(&client).await.unwrap_err()),
            "server_error: GET /api/v1/labs/ answered 500: Labagator has a problem of its own (3 tries)"
        );
    }
    assert_eq!(
        told(&client.get_text("/metrics", &[]).await.unwrap_err()),
        "server_error: GET /api/v1/metrics was not asked: Labagator failed 3 times in a row, last with: GET /api/v1/labs/ answered 500: \
         Labagator has a problem of its own (3 tries)"
    );
    assert_eq!(fake.asked().len(), 9);
}

#[tokio::test]
async fn a_slow_answer_ends_with_its_time() {
    let fake = Fake::start([Reply::hanging()]).await;
    let mut settings = fake.settings();
    settings.patience.per_request = Duration::from_millis(50);
    settings.patience.tries = 1;
    let client = Client::new(&settings, &run()).unwrap();
    assert_eq!(
        told(&ask(&client).await.unwrap_err()),
        "timeout: GET /api/v1/labs/: Labagator did not answer in time"
    );
}

#[tokio::test]
async fn a_run_without_time_asks_nothing() {
    let fake = Fake::start([]).await;
    let over = Run {
        deadline: Instant::now(),
        ..run()
    };
    let client = Client::new(&fake.settings(), &over).unwrap();
    assert_eq!(
        told(&ask(&client).await.unwrap_err()),
        "timeout: GET /api/v1/labs/ was not asked: the time of this run is over; give it more with STARGATE_COLLECT_BUDGET_S"
    );
    assert_eq!((fake.asked().len(), client.tally()), (0, (0, 0)));
}

#[tokio::test]
async fn nobody_there_is_told_with_the_setting() {
    let fake = Fake::start([]).await;
    let settings = fake.settings();
    drop(fake);
    // The port is free again once the listener is gone.
    let client = Client::new(&settings, &run()).unwrap();
    let mut failed = ask(&client).await.unwrap_err();
    while failed.reason != UnknownReason::Unreachable {
        tokio::task::yield_now().await;
        failed = ask(&Client::new(&settings, &run()).unwrap()).await.unwrap_err();
    }
    assert_eq!(
        told(&failed),
        "unreachable: GET /api/v1/labs/: no connection to Labagator (Connection refused (os error 111)); is STARGATE_LABAGATOR_URL right and the \
         way there open? (3 tries)"
    );
}

#[tokio::test]
async fn what_is_not_json_is_told_without_its_values() {
    let mut lines = Vec::new();
    for body in ["<html>log in</html>", "", "{\"n\": tru", "{\"n\": \"hunter2\"}", "[1, 2"] {
        #[derive(Debug, serde::Deserialize)]
        struct Number {
            #[expect(dead_code, reason = "it is never reached")]
            n: i64,
        }
        let (_fake, client) = client([Reply::new(200, body)]).await;
        lines.push(told(&client.get_json::<Number>("/n", &[]).await.unwrap_err()));
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    parse_error: GET /api/v1/n answered a web page where JSON was expected: is STARGATE_LABAGATOR_URL right, and does it need a token?
    parse_error: GET /api/v1/n answered nothing where JSON was expected
    parse_error: GET /api/v1/n answered JSON that is not understood: EOF while parsing a value at line 1 column 9; has its version changed?
    parse_error: GET /api/v1/n answered JSON that is not understood: invalid type: string …, expected i64 at line 1 column 15; has its version changed?
    parse_error: GET /api/v1/n answered JSON that is not understood: trailing characters at line 1 column 5; has its version changed?
    ");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let fake = Fake::start([Reply::new(200, "x".repeat(3 << 20))]).await;
    let mut settings = fake.settings();
    settings.patience.body = 1 << 20;
    let client = Client::new(&settings, &run()).unwrap();
    assert_eq!(
        told(&ask(&client).await.unwrap_err()),
        "truncated: GET /api/v1/labs/ answered more than 1 MiB, which is not read"
    );
}

#[tokio::test]
async fn a_token_file_that_was_renewed_is_read_again() {
    let file = std::env::temp_dir().join(format!("stargate-token-{}", uuid::Uuid::now_v7()));
    std::fs::write(&file, "old\n").unwrap();
    let fake = Fake::start([
        Reply::json(&json!(1)),
        Reply::new(401, ""),
        Reply::json(&json!(2)),
        Reply::new(401, ""),
    ])
    .await;
    let mut settings = fake.settings();
    settings.token = Some(Token::File(file.clone()));
    let client = Client::new(&settings, &run()).unwrap();
    assert_eq!(ask(&client).await, Ok(json!(1)));
    std::fs::write(&file, "new\n").unwrap();
    assert_eq!(ask(&client).await, Ok(json!(2)));
    assert_eq!(
        told(&ask(&client).await.unwrap_err()),
        "unauthorized: GET /api/v1/labs/ answered 401: the token is expired or wrong: renew STARGATE_LABAGATOR_TOKEN_FILE"
    );
    std::fs::remove_file(&file).unwrap();
    insta::assert_snapshot!(fake.asked().join("\n"), @"
    GET /api/v1/labs/?limit=200 (Bearer old)
    GET /api/v1/labs/?limit=200 (Bearer old)
    GET /api/v1/labs/?limit=200 (Bearer new)
    GET /api/v1/labs/?limit=200 (Bearer new)
    ");
}

#[tokio::test]
async fn a_key_goes_into_the_header_it_belongs_to_and_into_no_text() {
    let fake = Fake::start([Reply::json(&json!(1))]).await;
    let mut settings = fake.settings();
    settings.token = Token::from_settings(Some(&SecretString::from("hunter2")), None);
    settings.header = Header::Named("x-api-key".parse().unwrap());
    let client = Client::new(&settings, &run()).unwrap();
    ask(&client).await.unwrap();
    assert_eq!(fake.asked(), ["GET /api/v1/labs/?limit=200 (hunter2)"]);
    assert!(!format!("{settings:?} {client:?}").contains("hunter2"));
    assert!(Token::from_settings(Some(&SecretString::from(" ")), None).is_none());
    assert!(matches!(Token::from_settings(Some(&SecretString::from("x")), None), Some(Token::Value(x)) if x.expose_secret() == "x"));
}

#[test]
fn settings_that_cannot_work_are_told_before_anything_is_asked() {
    let lines: Vec<String> = [
        "ftp://labs.example.com/",
        "https://robot:hunter2@labs.example.com/",
        "http://labs.example.com/",
    ]
    .iter()
    .map(|url| {
        let mut settings = ClientSettings::new("Labagator", "STARGATE_LABAGATOR", url.parse().unwrap());
        settings.token = Some(Token::Value(SecretString::from("hunter2")));
        told(&Client::new(&settings, &run_of_nothing()).unwrap_err())
    })
    .chain(
        [
            Some(Token::Value(SecretString::from(" "))),
            Some(Token::File("/nowhere/token".into())),
        ]
        .map(|token| {
            let mut settings = ClientSettings::new("Labagator", "STARGATE_LABAGATOR", "https://labs.example.com/".parse().unwrap());
            settings.token = token;
            told(&Client::new(&settings, &run_of_nothing()).unwrap_err())
        }),
    )
    .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    unreachable: STARGATE_LABAGATOR_URL must be an http:// or https:// address of Labagator
    unreachable: STARGATE_LABAGATOR_URL must not hold a user or password: put the token into STARGATE_LABAGATOR_TOKEN_FILE
    unreachable: STARGATE_LABAGATOR_URL is http://, which would send the token in the clear: use https://
    unauthorized: the token of Labagator (STARGATE_LABAGATOR_TOKEN_FILE) is empty
    unauthorized: the token of Labagator (STARGATE_LABAGATOR_TOKEN_FILE) file /nowhere/token cannot be read: No such file or directory (os error 2)
    ");
    for fine in ["http://labagator.events.svc:8080/api/v1", "http://127.0.0.1:8080/", "http://[::1]/"] {
        let mut settings = ClientSettings::new("Labagator", "STARGATE_LABAGATOR", fine.parse().unwrap());
        settings.token = Some(Token::Value(SecretString::from("hunter2")));
        assert!(Client::new(&settings, &run_of_nothing()).is_ok(), "{fine}");
    }
}

fn run_of_nothing() -> Run {
    Run {
        clock: Clock::manual(ten_o_clock()),
        deadline: Instant::now(),
        event_prefix: String::new(),
        resting: Vec::new(),
    }
}

#[tokio::test]
async fn a_bundle_of_certificates_must_be_one() {
    let file = std::env::temp_dir().join(format!("stargate-ca-{}", uuid::Uuid::now_v7()));
    std::fs::write(&file, "no certificate").unwrap();
    let mut settings = ClientSettings::new("Labagator", "STARGATE_LABAGATOR", "https://labs.example.com/".parse().unwrap());
    settings.ca = Some(file.clone());
    let failed = Client::new(&settings, &run()).unwrap_err();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(
        told(&failed),
        format!(
            "unreachable: the certificates of Labagator (STARGATE_LABAGATOR_CA) file {} holds no certificate",
            file.display()
        )
    );
}

#[tokio::test]
async fn pages_stay_with_the_same_host_and_never_repeat() {
    let (fake, client) = client([Reply::json(
        &json!({"results": [{"id": 1}], "next": "/api/v1/labs/?page=2", "count": 3}),
    )])
    .await;
    let page = client.get_list("/labs/", &[], &["results"]).await.unwrap();
    assert_eq!(
        (page.items.len(), page.next.as_deref(), page.count),
        (1, Some("/api/v1/labs/?page=2"), Some(3))
    );
    let base = &fake.url;
    let mut pages = Pages::default();
    assert!(pages.follow(&client, "/api/v1/labs/?page=2").is_ok());
    assert!(pages.follow(&client, &format!("{base}/labs/?page=3")).is_ok());
    let lines: Vec<String> = [
        "/api/v1/labs/?page=2",
        "http://169.254.169.254/latest",
        "//elsewhere.example.com/labs",
        "https://127.0.0.1/labs",
        "http://u:hunter2@127.0.0.1/labs",
    ]
    .iter()
    .map(|link| told(&pages.follow(&client, link).unwrap_err()))
    .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    truncated: /api/v1/labs/ links to a page that was read before: the pages repeat, so the list cannot be read to its end; its paging is broken
    truncated: Labagator links its next page to http://169.254.169.254, which is not followed: is STARGATE_LABAGATOR_URL the address that it knows itself by?
    truncated: Labagator links its next page to http://elsewhere.example.com, which is not followed: is STARGATE_LABAGATOR_URL the address that it knows itself by?
    truncated: Labagator links its next page to https://127.0.0.1, which is not followed: is STARGATE_LABAGATOR_URL the address that it knows itself by?
    truncated: Labagator links its next page to http://127.0.0.1, which is not followed: is STARGATE_LABAGATOR_URL the address that it knows itself by?
    ");
    let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(pages.take("/labs/", ids(&["1", "2"])), Ok(()));
    assert_eq!(pages.take("/labs/", ids(&["2", "3"])), Ok(()), "a row came in between");
    assert_eq!(pages.take("/labs/", ids(&[])), Ok(()), "an empty page is an end");
    assert_eq!(
        told(&pages.take("/labs/", ids(&["3", "1"])).unwrap_err()),
        "truncated: /labs/ answered a page that was read before: the pages repeat, so the list cannot be read to its end; its paging is broken"
    );
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told() {
    let (_fake, client) = client([Reply::json(&json!(1)).with("date", "Tue, 04 Mar 2031 09:50:00 GMT")]).await;
    ask(&client).await.unwrap();
    let collected = client.collected("labagator", Readings::default(), Vec::new());
    let problems: Vec<&str> = collected.problems.iter().map(|problem| problem.detail.as_str()).collect();
    assert_eq!(
        problems,
        ["its clock is 600 s behind ours: ages and times from it are off by as much; set the clocks by NTP on both sides"]
    );
}

#[tokio::test]
async fn what_a_cache_says_about_the_time_is_not_believed() {
    let (_fake, client) = client([Reply::json(&json!(1))
        .with("date", "Tue, 04 Mar 2031 09:50:00 GMT")
        .with("age", "600")])
    .await;
    ask(&client).await.unwrap();
    assert_eq!(client.problems(), vec![]);
}

#[tokio::test]
async fn packed_answers_are_unpacked_within_the_bound() {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![b' '; 4 << 20]).unwrap();
    let bomb = packed.finish().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = ClientSettings::new(
        "Labagator",
        "STARGATE_LABAGATOR",
        format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap(),
    );
    settings.patience.body = 1 << 20;
    let app = axum::Router::new().fallback(move || std::future::ready(([("content-encoding", "gzip")], bomb.clone())));
    let client = Client::new(&settings, &run()).unwrap();
    let failed = tokio::select! {
        served = async { axum::serve(listener, app).await } => panic!("{served:?}"),
        answer = ask(&client) => answer.unwrap_err(),
    };
    assert_eq!(failed.reason, UnknownReason::Truncated);
}
