//! Lab rubrics add and take nothing away; whom they are about is never guessed.

use std::path::Path;

use super::*;
use crate::evaluate::case;
use crate::evaluate::files;
use crate::evaluate::rubric::{File, LoadError, RubricSet};
use crate::stage::Stage;

const FILE: &str = "labs/webshop-database/rubric.yaml";

/// The first error of the shipped set with one text replaced in the lab rubric.
fn mistake(from: &str, to: &str) -> String {
    let all = files::embedded();
    let text = all.iter().find(|file| file.path == FILE).unwrap().text;
    assert!(text.contains(from), "{FILE} has no {from:?}");
    let changed = text.replacen(from, to, 1);
    let files: Vec<File<'_>> = all
        .iter()
        .map(|file| File {
            path: file.path,
            text: if file.path == FILE { &changed } else { file.text },
        })
        .collect();
    match RubricSet::from_files(&files) {
        Err(LoadError::Invalid(findings)) => {
            let first = findings.into_iter().find(|finding| finding.file == FILE).unwrap();
            assert!(first.line > 0 && !first.help.is_empty(), "{first}");
            first.message
        }
        other => panic!("loaded in spite of it: {other:?}"),
    }
}

#[test]
fn the_cases_of_the_shipped_lab_rubric_hold() {
    let set = RubricSet::embedded().unwrap();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rubrics/labs/webshop-database/cases");
    let mut situations = 0;
    for file in case::files(&dir).unwrap() {
        let case = case::load(&file).unwrap_or_else(|error| panic!("{error}"));
        let mismatches = case::run(&set, &case);
        assert!(mismatches.is_empty(), "{mismatches:?}");
        situations += case.situations.len();
    }
    assert_eq!(situations, 6);
}

#[test]
fn a_verdict_says_which_rubric_a_criterion_is_from() {
    let set = RubricSet::embedded().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rubrics/labs/webshop-database/cases/database.yaml");
    let situations = case::load(&file).unwrap().situations;
    let judged = case::judge(&set, &situations[1]);
    let verdict = judged.instances[0]
        .1
        .stages
        .iter()
        .find(|verdict| verdict.stage == Stage::DeploymentReady)
        .unwrap();
    let of_lab: Vec<&str> = verdict
        .criteria
        .iter()
        .filter(|criterion| criterion.rubric.as_deref() == Some("webshop-database"))
        .map(|criterion| &*criterion.name)
        .collect();
    assert_eq!(of_lab, ["webshop_database_ready"]);
    assert!(
        verdict.message.contains("webshop_database_ready of webshop-database"),
        "{}",
        verdict.message
    );
    assert_eq!(set.severity("webshop_database_missing"), Some(7), "its classes are known like any");
}

#[test]
fn mistakes_are_found_with_their_place() {
    let nobody = "applies_to:\n  kinds: [container]\n  catalog_items: ['example-labs.webshop.*']\n";
    assert!(mistake(nobody, "applies_to: {}\n").contains("applies_to is empty"));
    assert!(mistake("kinds: [container]", "kinds: []").contains("no lab fits it"));
    assert!(mistake("kinds: [container]", "kinds: [contaner]").contains("no kind `contaner`"));
    assert!(mistake("'example-labs.webshop.*'", "'*'").contains("fits every catalog item"));
    assert!(mistake("  kinds: [container]", "  labels: {}").contains("every lab fits it"));
    assert!(mistake("extends: deployment-ready", "extends: deploymentready").contains("no stage of an instance"));
    assert!(mistake("extends: deployment-ready", "extends: cluster-health").contains("no stage of an instance"));
    assert!(mistake("id: webshop-database", "id: webshop").contains("should be the same word"));
    let restated = mistake(
        "exit_criteria:\n",
        "exit_criteria:\n  - {name: desired_replicas_ready, required: false, description: Weaker.}\n",
    );
    assert!(
        restated.contains("has the criterion `desired_replicas_ready` already"),
        "{restated}"
    );
    let stolen = mistake("  webshop_database_not_ready:", "  pods_crashlooping:");
    assert!(stolen.contains("`pods_crashlooping` is also defined"), "{stolen}");
    assert!(mistake("version: 1.0.0", "version: 1.0.0\nentry_criteria: []").contains("unknown field `entry_criteria`"));
    assert!(mistake("version: 1.0.0", "version: 1.0.0\ntimeout_seconds: 9").contains("unknown field `timeout_seconds`"));
    let forbidden = mistake("allowed_remediations:\n", "allowed_remediations:\n  - delete_namespace\n");
    assert!(forbidden.contains("delete_namespace"), "{forbidden}");
}

#[test]
fn a_pattern_fits_from_end_to_end() {
    for (pattern, text, fits) in [
        ("acme.web.prod", "acme.web.prod", true),
        ("acme.web.*", "acme.web.prod", true),
        ("acme.web.*", "acme.webshop.prod", false),
        ("*.web.prod", "acme.web.prod", true),
        ("*web*", "acme.webshop.prod", true),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c", false),
        ("ab*ba", "aba", false),
        ("acme", "acme.web", false),
        ("a**b", "ab", true),
    ] {
        assert_eq!(glob(pattern, text), fits, "{pattern} on {text}");
    }
}

#[test]
fn whom_it_is_about_is_unknown_when_what_would_tell_was_not_read() {
    let labels = Labels::from_iter([("team".to_owned(), "blue".to_owned())]);
    let about = About {
        kind: Ok(LabKind::Container),
        catalog_item: Ok(Some("acme.web.prod")),
        labels: Ok(&labels),
    };
    let all = AppliesTo {
        kinds: vec![LabKind::Vm, LabKind::Container],
        catalog_items: vec!["acme.web.*".to_owned()],
        labels: [("team".to_owned(), "blue".to_owned())].into(),
    };
    assert_eq!(all.fits(&about), Match::Yes);
    let unread = UnknownReason::Forbidden;
    let blind = About {
        catalog_item: Err(unread),
        ..about
    };
    assert_eq!(all.fits(&blind), Match::Undecided(unread));
    let other_kind = About {
        kind: Ok(LabKind::Model),
        ..blind
    };
    assert_eq!(all.fits(&other_kind), Match::No, "one answer that does not fit is enough");
    let nameless = About {
        catalog_item: Ok(None),
        ..about
    };
    assert_eq!(all.fits(&nameless), Match::No);
    let by_kind = AppliesTo {
        kinds: vec![LabKind::Container],
        ..AppliesTo::default()
    };
    assert_eq!(by_kind.fits(&blind), Match::Yes, "what is not asked need not be known");
}

#[test]
fn a_lab_rubric_never_makes_a_verdict_better() {
    let set = RubricSet::embedded().unwrap();
    let lab = &set.labs[0];
    let verdict = |outcome: Outcome, class: Option<&str>| Verdict {
        outcome,
        failure_class: class.map(str::to_owned),
        ..crate::evaluate::judge::blank(Stage::DeploymentReady)
    };
    let outcomes = [Outcome::Pass, Outcome::Warn, Outcome::Indeterminate, Outcome::Fail];
    for (worse, extra) in outcomes.into_iter().enumerate() {
        for (bad, own) in outcomes.into_iter().enumerate() {
            let merged = merge(verdict(own, Some("own")), lab, verdict(extra, Some("lab")));
            assert_eq!(merged.outcome, outcomes[worse.max(bad)], "{own} and {extra}");
            let class = if worse > bad { "lab" } else { "own" };
            assert_eq!(merged.failure_class.as_deref(), Some(class), "{own} and {extra}");
        }
    }
    let named = merge(verdict(Outcome::Fail, None), lab, verdict(Outcome::Fail, Some("lab")));
    assert_eq!(named.failure_class.as_deref(), Some("lab"), "a name is better than none");
    let blind = merge(verdict(Outcome::Pass, None), lab, undecided(lab, UnknownReason::Forbidden));
    assert_eq!(blind.reason, Some(Reason::Unknown(UnknownReason::Forbidden)));
}
