//! The shipped catalog is whole, and mistakes in an action are found with their place.

use super::*;
use crate::evaluate::files;
use crate::evaluate::lint::{Finding, Level};
use crate::evaluate::rubric::{File, LoadError, RubricSet};

const ACTION: &str = "remediations/inspect_quota/action.yaml";

/// The first error of the shipped set with one text replaced in one action.
fn mistake(from: &str, to: &str) -> Finding {
    let all = files::embedded();
    let text = all.iter().find(|file| file.path == ACTION).unwrap().text;
    assert!(text.contains(from), "{ACTION} has no {from:?}");
    let changed = text.replacen(from, to, 1);
    let files: Vec<File<'_>> = all
        .iter()
        .map(|file| File {
            path: file.path,
            text: if file.path == ACTION { &changed } else { file.text },
        })
        .collect();
    match RubricSet::from_files(&files) {
        Err(LoadError::Invalid(findings)) => findings.into_iter().find(|finding| finding.file == ACTION).unwrap(),
        other => panic!("loaded in spite of it: {other:?}"),
    }
}

#[test]
fn every_recommended_action_says_what_to_look_at() {
    let set = RubricSet::embedded().unwrap();
    for class in set.classes() {
        if let Some(id) = &class.recommended_action {
            let action = set.catalog.get(id).unwrap_or_else(|| panic!("{} recommends {id}", class.name));
            assert_eq!(action.mode, Mode::RecommendOnly, "{id}");
            assert!(!action.reads.is_empty() && action.description.len() > 80, "{id}");
        }
    }
}

#[test]
fn the_embedded_catalog_is_that_of_the_directory() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../remediations");
    let mut folders: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        // Folders with only an operation.yaml belong to the catalog of operations.
        .filter(|entry| entry.path().join("action.yaml").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let set = RubricSet::embedded().unwrap();
    assert_eq!(set.catalog.iter().map(|action| action.id.clone()).collect::<Vec<_>>(), folders);
}

#[test]
fn what_can_be_read_is_listed_in_order_and_used() {
    assert!(READS.is_sorted_by_key(|(name, _)| *name));
    let set = RubricSet::embedded().unwrap();
    for (name, _) in READS {
        assert!(set.catalog.iter().any(|action| action.reads.contains(&name)), "{name}");
    }
}

#[test]
fn mistakes_are_found_with_their_place() {
    let read = mistake("quotas, pods", "quotas, pots");
    assert_eq!((read.file.as_str(), read.line), (ACTION, 10), "{read}");
    assert!(
        read.message.contains("nothing to read called `pots`") && read.help.contains("`pods`"),
        "{read}"
    );
    assert!(mistake("quotas, pods", "pods, pods").message.contains("`pods` is listed twice"));
    assert!(
        mistake("id: inspect_quota", "id: inspect_quotas")
            .message
            .contains("should be the same word")
    );
    assert!(
        mistake("mode: recommend_only", "mode: auto_execute")
            .message
            .contains("auto_execute")
    );
    assert!(
        mistake("mode: recommend_only", "mode: never")
            .message
            .contains("never offered, yet")
    );
    assert!(mistake("reads: [", "# reads: [").message.contains("reads nothing"));
    assert!(
        mistake("risk: low", "risk: low\nrisks: low")
            .message
            .contains("unknown field `risks`")
    );
    assert!(
        mistake("title: Look at the quota", "title: ''")
            .message
            .contains("the text is empty")
    );
}

#[test]
fn an_action_that_nobody_names_is_a_warning() {
    let orphan = File {
        path: "remediations/inspect_moon/action.yaml",
        text: "id: inspect_moon\ntitle: Look up\ndescription: Looks at the moon.\nmode: recommend_only\nrisk: low\nscope: cluster\nreads: [nodes]\n",
    };
    let set = RubricSet::from_files(&[files::embedded(), vec![orphan]].concat()).unwrap();
    let [warning] = set.warnings.as_slice() else {
        panic!("{:?}", set.warnings);
    };
    assert_eq!((warning.level, warning.line), (Level::Warning, 1));
    assert!(warning.message.contains("`inspect_moon`"), "{warning}");
    assert_eq!(set.version, RubricSet::embedded().unwrap().version, "no verdict depends on it");
}
