//! Nothing that is planted comes out, and ordinary messages stay readable.

use proptest::prelude::*;

use super::*;

#[test]
fn ordinary_messages_stay_readable() {
    for message in [
        "pods \"showroom-7d9f8c6b5d-x2x4z\" not found",
        "timed out waiting for namespace sandbox-m4x8d-ocp4-cluster to be ready",
        "password authentication failed for user stargate",
        "openshift-cnv.ocp4-virt-roadshow-cnv.prod: quota exceeded, requested 3, used 12 of 12",
        "service 3f0c2f5e-7a41-5d1b-9a57-6f1d0c9be201 not found",
        "GET /api/v1/placements answered 503",
        "TASK [ocp4_workload_showroom : Wait for route] failed on host bastion",
    ] {
        assert_eq!(text(message, 200), message);
    }
}

#[test]
fn secrets_of_every_form_are_taken_out() {
    let lines: Vec<String> = [
        "login failed: password=hunter2-Zq and more",
        "{\"admin_password\": \"hunter2 Zq\", \"zone\": \"a\"}",
        "msg: {\\\"api_key\\\": \\\"hunter2 Zq\\\", \\\"n\\\": 1}",
        "Authorization: Bearer hunter2-Zq",
        "curl -H 'Authorization: Basic hunter2Zq=' --token hunter2-Zq",
        "the password is hunter2-Zq, log in with it",
        "clone of https://robot:hunter2@Zq@git.example.com/x/y.git?token=hunter2#Zq failed",
        "mail to ada.lovelace@example.com bounced",
        "used ghp_hunter2hunter2Zq and sha256~hunter2Zq",
        "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY----- was refused",
        "-----BEGIN CERTIFICATE-----\nhunter2Zq",
        "client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpodW50ZXIyCg==",
        "key 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 is unknown",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.hunter2Zq expired",
    ]
    .iter()
    .map(|line| text(line, 200))
    .collect();
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("hunter2") || line.contains("Zq") || line.contains("lovelace")),
        "{lines:#?}"
    );
    insta::assert_snapshot!(lines.join("\n"), @r#"
    login failed: password=[redacted] and more
    {"admin_password": [redacted], "zone": "a"}
    msg: {\"api_key\": [redacted], \"n\": 1}
    Authorization: [redacted] [redacted]
    curl -H 'Authorization: [redacted] [redacted]' --token [redacted]
    the password is [redacted] log in with it
    clone of https://git.example.com/x/y.git failed
    mail to [mail] bounced
    used [redacted] and [redacted]
    [redacted] was refused
    [redacted]
    client-key-data: [redacted]
    key [redacted] is unknown
    [redacted] expired
    "#);
}

#[test]
fn text_is_one_short_line() {
    assert_eq!(text("one\n  two\u{7}\tthree", 100), "one two three");
    assert_eq!(text("äöüäöü", 4), "äöü…");
    assert_eq!(text("abc", 0), "");
    assert_eq!(text("at token=hunter2", 15), "at token=…", "no half mark");
}

#[test]
fn an_address_keeps_scheme_host_and_path() {
    assert_eq!(
        url(
            "https://u:hunter2@lab.example.com:8443/workshop/x2?userEmail=ada@example.com#a",
            200
        ),
        "https://lab.example.com:8443/workshop/x2"
    );
    assert_eq!(url("ada@example.com", 200), "");
    assert_eq!(url("mailto:ada@example.com", 200), "");
    assert_eq!(url("", 200), "");
}

proptest! {
    #[test]
    fn whatever_stands_around_it_a_planted_secret_is_gone(
        before in "[a-z .,:\n-]{0,40}",
        secret in "[A-Za-z0-9]{6}Zq7[A-Za-z0-9]{3}",
        after in "[a-z .,\n]{0,40}",
        form in 0_usize..9,
    ) {
        let planted = match form {
            0 => format!("password={secret}"),
            1 => format!("\"client_secret\": \"{secret}\""),
            2 => format!("Bearer {secret}"),
            3 => format!("https://robot:{secret}@git.example.com/a"),
            4 => format!("https://git.example.com/a?access={secret}"),
            5 => format!("{secret}@mail.example.com"),
            6 => format!("-----BEGIN KEY-----\n{secret}\n-----END KEY-----"),
            7 => format!("--api-key {secret}"),
            _ => format!("sha256~{secret}"),
        };
        let clean = text(&format!("{before} {planted} {after}"), 1000);
        prop_assert!(!clean.contains(&secret), "{clean}");
    }

    #[test]
    fn it_never_fails_and_again_changes_nothing(any in "\\PC{0,300}", max in 0_usize..400) {
        let once = text(&any, max);
        prop_assert!(once.chars().count() <= max);
        prop_assert!(!once.contains('\n'));
        prop_assert_eq!(text(&any, 4000), text(&text(&any, 4000), 4000));
    }
}
