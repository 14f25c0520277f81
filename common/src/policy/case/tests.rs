//! The shipped cases pass and show everything; what proves nothing is refused.

use super::*;

fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")
}

#[test]
fn every_rule_is_shown_by_cases_that_pass() {
    let rules = RuleSet::embedded().unwrap();
    let suite = find(&shipped()).unwrap();
    let run = run(&rules, &suite);
    let flaws: Vec<String> = run.flaws.iter().map(ToString::to_string).collect();
    assert!(flaws.is_empty(), "{flaws:#?}");
    let failed: Vec<&Tested> = run.tested.iter().filter(|tested| !tested.mismatches.is_empty()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let missing: Vec<String> = run
        .coverage
        .missing()
        .map(|(_, point, place)| format!("{place}: {point}"))
        .collect();
    assert!(missing.is_empty(), "no case shows: {missing:#?}");
    for rule in &rules.rules {
        assert!(run.tested.iter().any(|tested| tested.rule == rule.id), "{} has no case", rule.id);
    }
    assert!(run.tested.len() > 100, "{}", run.tested.len());
}

const CASE: &str = "\
title: Nothing to hand out
given: {minimum: 10, usable: 0, available: 4, unusable_seconds: 300, creation_disabled: false, sessions: 2, next_session_in_seconds: 60}
expect: {outcome: fires, urgency: critical, confidence: 0.95, decision: ready 0}
variants:
  - title: Two of ten
    given: {usable: 2}
    expect: {outcome: quiet}
";

fn ran(text: &str) -> Run {
    let rules = RuleSet::embedded().unwrap();
    let rule = rules.rule("pool_exhaustion").unwrap();
    let mut run = Run {
        coverage: Coverage::of(&rules, std::iter::once("pool_exhaustion")),
        ..Run::default()
    };
    run_text(&mut run, rule, Path::new("case.yaml"), text);
    run
}

#[test]
fn what_proves_nothing_is_refused() {
    assert!(ran(CASE).is_good(), "{:#?}", ran(CASE));
    for (from, to, flaw) in [
        (
            "minimum: 10",
            "minimun: 10",
            "case.yaml:2:9: there is no fact `minimun` of a pool; did you mean `minimum`?",
        ),
        (
            "minimum: 10",
            "minimum: ten",
            "case.yaml:2:18: `minimum` is int, and \"ten\" is not",
        ),
        ("minimum: 10", "minimum: 10, claimed: 3", "the rule does not ask for `claimed`"),
        (
            "minimum: 10",
            "minimum: {unknown: stal}",
            "\"stal\" is no reason; did you mean `stale`?",
        ),
        ("given: {usable: 2}", "given: {usable: 0}", "case.yaml:6:13: `usable` is so already"),
        ("title: Two of ten", "title: Nothing to hand out", "there are two cases"),
        ("title: Two of ten", "title: ' '", "the title is empty"),
        (
            ", decision: ready 0",
            "",
            "case.yaml:3:9: a case that fires says urgency, confidence and a part of the decision",
        ),
        ("decision: ready 0", "decision: ' '", "an empty decision asserts nothing"),
        (
            "decision: ready 0",
            "decision: ready 0, reason: stale",
            "`reason` is for what is indeterminate",
        ),
        (
            "outcome: quiet",
            "outcome: quiet, urgency: high",
            "what does not fire has nothing more to expect",
        ),
        ("outcome: quiet", "outcome: indeterminate", "says the `reason`"),
        ("outcome: quiet", "outcome: silent", "unknown variant"),
        ("variants:", "variant:", "unknown field"),
    ] {
        assert!(CASE.contains(from), "{from:?}");
        let run = ran(&CASE.replacen(from, to, 1));
        let flaws: Vec<String> = run.flaws.iter().map(ToString::to_string).collect();
        assert!(flaws.iter().any(|found| found.contains(flaw)), "{to:?}: {flaws:?}");
        assert!(!run.is_good());
    }
}

#[test]
fn what_comes_out_otherwise_is_told() {
    for (from, to, told) in [
        ("urgency: critical", "urgency: high", "urgency is critical, not high"),
        ("confidence: 0.95", "confidence: 0.9", "confidence is 0.95, not 0.90"),
        (
            "decision: ready 0",
            "decision: ready 1",
            "decision is \"pool example: ready 0, existing 4, minimum 10\", not \"ready 1\"",
        ),
        (
            "outcome: quiet",
            "outcome: indeterminate, reason: stale",
            "outcome is quiet, not indeterminate",
        ),
    ] {
        let run = ran(&CASE.replacen(from, to, 1));
        let mismatches: Vec<&String> = run.tested.iter().flat_map(|tested| &tested.mismatches).collect();
        assert_eq!(mismatches, [told]);
        assert_eq!((run.failed(), run.is_good()), (1, false));
    }
}

#[test]
fn nothing_in_a_folder_is_passed_over() {
    let dir = std::env::temp_dir().join(format!("stargate-policies-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let rule = dir.as_path().join("thin_pool");
    std::fs::create_dir_all(rule.join("cases")).unwrap();
    std::fs::create_dir(dir.as_path().join("stray")).unwrap();
    std::fs::write(rule.join("rule.yaml"), "").unwrap();
    std::fs::write(rule.join("case.yaml"), "").unwrap();
    let told = |dir: &Path| -> Vec<String> { find(dir).unwrap().flaws.iter().map(|flaw| flaw.detail.clone()).collect() };
    assert_eq!(
        told(dir.as_path()),
        [
            "is no rule: a rule is a folder with a rule.yaml",
            "is read by nobody: cases belong into the folder `cases`",
            "has no cases: a rule without cases is not proved",
        ]
    );
    std::fs::remove_file(rule.join("case.yaml")).unwrap();
    std::fs::write(rule.join("cases/a.yml"), "").unwrap();
    assert_eq!(told(&rule), ["is not read as a case: it must be a file whose name ends in `.yaml`"]);
    std::fs::remove_dir(dir.as_path().join("stray")).unwrap();
    std::fs::rename(rule.join("cases/a.yml"), rule.join("cases/a.yaml")).unwrap();
    let suite = find(&rule).unwrap();
    assert_eq!(
        (suite.files.len(), suite.files[0].rule.as_str(), suite.flaws.len()),
        (1, "thin_pool", 0)
    );
    let run = run(&RuleSet::embedded().unwrap(), &suite);
    assert!(run.flaws[0].detail.contains("there is no rule `thin_pool`"), "{:?}", run.flaws);
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(find(&dir).is_err());
}
