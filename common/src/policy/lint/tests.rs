//! The shipped rules load; whatever is wrong with a rule is told with its place.

use super::*;
use crate::policy::embedded::FILES;

const RULE: &str = "\
id: thin_pool
scope: pool
title: A pool is thin
summary: For tests.
sources: [babylon]
evidence: [pools]
thresholds:
  least: 3
when: minimum > 0 && usable < least
urgency_rules:
  - {when: usable == 0, value: critical}
  - {when: usable == 1, value: high}
urgency: medium
confidence: 0.8
decision: 'pool {key}: {usable} of {minimum}, at least {least}'
key_facts: [minimum]
";

fn wrong(from: &str, to: &str) -> String {
    assert!(RULE.contains(from), "{from:?}");
    let text = RULE.replacen(from, to, 1);
    let file = File {
        path: "policies/thin_pool/rule.yaml",
        text: &text,
    };
    match load(&[file]) {
        Ok(_) => format!("{to:?} is taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_shipped_rules_load_without_a_warning() {
    let set = load(&FILES).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(set.rules.len(), FILES.len());
    let warnings: Vec<String> = set.warnings.iter().map(ToString::to_string).collect();
    // Two rows of the routing table give the same advice for different reasons.
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let file = File {
        path: "policies/thin_pool/rule.yaml",
        text: RULE,
    };
    assert!(load(&[file]).is_ok());
    for (from, to, finding) in [
        ("usable < least", "usabel < least", "rule.yaml:9:22: error: there is no"),
        ("usable < least", "usable < 'x'", "rule.yaml:9:"),
        (
            "usable < least",
            "usable < least && usable > 5",
            "rule.yaml:9:7: error: the condition can never be true",
        ),
        (
            "minimum > 0 && usable < least",
            "usable < least || usable >= 3",
            "rule.yaml:9:7: error: the condition is always true",
        ),
        ("usable == 1", "usable == 0", "rule.yaml:12:12: error: this is never reached"),
        (
            "sources: [babylon]",
            "sources: [babylonia]",
            "rule.yaml:5:11: error: there is no source `babylonia`; did you mean `babylon`?",
        ),
        (
            "sources: [babylon]",
            "sources: [babylon, aap]",
            "rule.yaml:5:20: error: nothing in the rule comes from aap",
        ),
        (
            "sources: [babylon]",
            "sources: [aap]",
            "rule.yaml:5:10: error: `minimum` comes from babylon",
        ),
        (
            "{usable} of",
            "{usabel} of",
            "rule.yaml:15:25: error: the text names `usabel`, which is not known here; did you mean `usable`?",
        ),
        ("{usable} of", "{usable:ages} of", "there is no format `ages`; did you mean `age`?"),
        ("{usable} of", "{key:age} of", "`key` is string, which is not written so"),
        ("{usable} of", "{usable of", "the text names `usable of {minimum`"),
        ("at least {least}'", "at least {least'", "a `{` that does not close"),
        (
            "key_facts: [minimum]",
            "key_facts: [minimal]",
            "rule.yaml:16:13: error: the text names `minimal`",
        ),
        (
            "evidence: [pools]",
            "evidence: [teardowns]",
            "rule.yaml:6:12: error: there is no evidence of this scope `teardowns`",
        ),
        (
            "  least: 3",
            "  least: 3\n  most: 9",
            "rule.yaml:9:3: error: no expression and no text uses `most`",
        ),
        ("  least: 3", "  usable: 3", "`usable` is already a fact of this scope"),
        ("  least: 3", "  at_least: 3", "there is no"),
        (
            "scope: pool",
            "scope: pond",
            "rule.yaml:2:8: error: there is no scope `pond`; did you mean `pool`?",
        ),
        (
            "value: high",
            "value: hihg",
            "rule.yaml:12:32: error: there is no urgency `hihg`; did you mean `high`?",
        ),
        (
            "confidence: 0.8",
            "confidence: 8",
            "rule.yaml:14:13: error: a confidence is between 0 and 1",
        ),
        (
            "id: thin_pool",
            "id: thin_pools",
            "folder `thin_pool` and id `thin_pools` should be the same word",
        ),
        ("summary: For tests.", "summary: ' '", "the summary is empty"),
        ("title: A", "titel: A", "rule.yaml:3:1: error: unknown field"),
        ("urgency: medium", "urgency: medium\nurgency: low", "duplicate"),
    ] {
        let text = wrong(from, to);
        assert!(text.contains(finding), "{to:?}: {text}");
    }
}

#[test]
fn a_rule_that_is_there_twice_and_no_rule_at_all_are_refused() {
    let file = |path| File { path, text: RULE };
    let error = load(&[file("a/thin_pool/rule.yaml"), file("b/thin_pool/rule.yaml")]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("b/thin_pool/rule.yaml:1:5: error: there are two rules `thin_pool`, the other is in a/"),
        "{error}"
    );
    assert!(load(&[]).unwrap_err().to_string().contains("there is no rule"));
}

#[test]
fn names_of_thresholds_become_numbers_only_where_they_are_names() {
    let thresholds = [
        Threshold {
            name: "low".to_owned(),
            number: Number::Fraction(2.0),
        },
        Threshold {
            name: "x".to_owned(),
            number: Number::Whole(-1),
        },
    ];
    let checked = Checked {
        schema: &Schema::default(),
        thresholds: &thresholds,
    };
    assert_eq!(
        checked.with_numbers("a.low < low && lower > x || t == 'low x'"),
        "a.low < 2.0 && lower > -1 || t == 'low x'"
    );
}
