//! What counts as a change, and who may allow it.

use chrono::NaiveDate;

use super::*;
use crate::evaluate::LabKind;
use crate::evaluate::report::NamespaceReport;
use crate::evidence::Phase;

fn report(outcome: Outcome, class: Option<&str>, message: &str) -> Report {
    let stage = StageReport {
        stage: Stage::RouteReady,
        outcome,
        reason: None,
        failure_class: class.map(str::to_owned),
        class_match: None,
        pattern_class: None,
        sub_class: None,
        recommended_action: None,
        message: message.to_owned(),
        criteria: Vec::new(),
    };
    let namespace = NamespaceReport {
        cluster: "east".into(),
        namespace: "sandbox-m4x8d-webshop".into(),
        uid: String::new(),
        kind: LabKind::Container,
        phase: Phase::Started,
        stages: vec![stage],
    };
    Report {
        clusters: Vec::new(),
        namespaces: vec![namespace],
        problems: Vec::new(),
    }
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()
}

fn changed() -> Vec<Change> {
    let (old, new) = (
        report(Outcome::Pass, None, "a"),
        report(Outcome::Fail, Some("certificate_invalid"), "b"),
    );
    changes("rec", &old, &new, Messages::Ignored)
}

#[test]
fn a_change_is_told_with_both_sides_and_messages_only_when_asked() {
    let found = changed();
    assert_eq!(found.len(), 1);
    assert_eq!(shown(found[0].old.as_ref()), "pass");
    assert_eq!(shown(found[0].new.as_ref()), "fail certificate_invalid");
    let (old, new) = (report(Outcome::Pass, None, "a"), report(Outcome::Pass, None, "b"));
    assert!(changes("rec", &old, &new, Messages::Ignored).is_empty());
    assert_eq!(changes("rec", &old, &new, Messages::Compared).len(), 1);
}

#[test]
fn what_one_set_does_not_judge_is_a_change() {
    let (old, mut new) = (report(Outcome::Pass, None, ""), report(Outcome::Pass, None, ""));
    new.namespaces.clear();
    let found = changes("rec", &old, &new, Messages::Ignored);
    assert_eq!(shown(found[0].new.as_ref()), "not judged");
}

#[test]
fn only_what_is_listed_and_not_over_is_allowed() {
    let entry = |namespace: &str, stage: &str, new: &str, until: &str| {
        format!("- {{namespace: '{namespace}', stage: '{stage}', old: pass, new: {new}, reason: agreed, until: {until}}}\n")
    };
    for (text, allowed) in [
        (entry("sandbox-*", "route-ready", "fail certificate_invalid", "2026-03-02"), true),
        (entry("*-webshop", "*", "fail", "2026-12-31"), true),
        (entry("sandbox-*", "route-ready", "fail route_missing", "2026-12-31"), false),
        (entry("sandbox-*-shop", "route-ready", "fail", "2026-12-31"), false),
        (entry("", "route-ready", "fail", "2026-12-31"), false),
        (entry("sandbox-*", "route-ready", "fail", "2026-03-01"), false),
    ] {
        let mut allow = Allow::parse("allow.yaml", &text).unwrap();
        let mut found = changed();
        allow.apply(&mut found, today());
        assert_eq!(found[0].allowed.is_some(), allowed, "{text}");
        let told = allow.unused(today()).len() + allow.expired(today()).len();
        assert_eq!(told, usize::from(!allowed), "{text}");
    }
}

#[test]
fn an_allow_file_that_is_wrong_is_told_with_its_place() {
    for (text, place) in [
        (
            "- {namespace: a, stage: b, old: pass, new: fial, reason: x}",
            "allow.yaml:1:44: `fial` does not begin with an outcome",
        ),
        (
            "- {namespace: a, stage: b, old: pass, new: fail, reason: ' '}",
            "allow.yaml:1:58: the reason is empty",
        ),
        ("- {namespace: a, stage: b, old: pass, new: fail}", "allow.yaml:1:"),
        (
            "- {namespace: a, stage: b, old: pass, new: fail, reason: x, untill: 2026-01-01}",
            "allow.yaml:1:",
        ),
    ] {
        let error = Allow::parse("allow.yaml", text).unwrap_err().to_string();
        assert!(error.starts_with(place), "{text}\n  gives {error}");
    }
}

#[test]
fn junit_fails_on_what_is_not_allowed() {
    let mut found = changed();
    assert!(junit(&found, 1).contains("failures=\"1\""));
    found[0].allowed = Some("agreed".to_owned());
    let junit = junit(&found, 1);
    assert!(junit.contains("failures=\"0\"") && junit.contains("allowed, agreed"), "{junit}");
}
