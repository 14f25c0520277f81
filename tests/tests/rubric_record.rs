//! `stargate rubric record`: a recording becomes a case that gives the same verdicts, and nobody's secrets are in it.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use stargate_common::collect::recorded::{self, Recording};
use stargate_common::evaluate::case::recording::record;
use stargate_common::evaluate::case::{audit, parse, run};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::objects::{Condition, Snapshot};

static RUBRICS: LazyLock<RubricSet> = LazyLock::new(|| RubricSet::embedded().unwrap());

fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What is wrong with the cases that the namespaces of a recording become.
fn wrong(recording: &Recording) -> Vec<String> {
    let mut wrong = Vec::new();
    for snapshot in &recording.clusters {
        for namespace in snapshot.namespaces.keys() {
            wrong.extend(of_namespace(snapshot, namespace, recording));
        }
    }
    wrong
}

fn of_namespace(snapshot: &Snapshot, namespace: &str, recording: &Recording) -> Vec<String> {
    let text = match record(&RUBRICS, snapshot, namespace, recording.at, None) {
        Ok(text) => text,
        Err(error) => return vec![format!("{namespace}: {error}")],
    };
    let case = match parse(namespace, &text) {
        Ok(case) => case,
        Err(error) => return vec![error.to_string()],
    };
    let mismatches = run(&RUBRICS, &case).into_iter().map(|mismatch| mismatch.to_string());
    mismatches.chain(audit(&RUBRICS, &case).iter().map(ToString::to_string)).collect()
}

/// Every fifth recording of the corpus: enough of each fault, in seconds.
fn corpus() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(tests().join("corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("recording"))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.into_iter().step_by(5).collect()
}

#[test]
fn recordings_of_the_corpus_become_cases_with_the_same_verdicts() {
    let folders = corpus();
    assert!(folders.len() > 20, "{} recordings", folders.len());
    let mut all = Vec::new();
    for folder in folders {
        let recording = recorded::read(&folder, None).unwrap();
        let name = folder
            .parent()
            .and_then(Path::file_name)
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        all.extend(wrong(&recording).into_iter().map(|wrong| format!("{name}: {wrong}")));
    }
    assert!(all.is_empty(), "{}:\n{}", all.len(), all.join("\n"));
}

#[test]
fn real_recordings_become_cases_with_the_same_verdicts() {
    let shared = tests().join("../../shared/recorded");
    for folder in ["container", "vm-and-container"] {
        let path = shared.join(folder);
        if path.is_dir() {
            let recording = recorded::read(&path, None).unwrap();
            let wrong = wrong(&recording);
            assert!(wrong.is_empty(), "{folder}:\n{}", wrong.join("\n"));
        }
    }
}

#[test]
fn planted_secrets_and_names_do_not_survive() {
    let folder = tests().join("corpus/001-worker-crashes-beside-shop/recording");
    let mut recording = recorded::read(&folder, None).unwrap();
    let snapshot = &mut recording.clusters[0];
    let namespace = snapshot.namespaces.keys().next().unwrap().clone();
    let inventory = snapshot.namespaces.get_mut(&namespace).unwrap();
    for pod in &mut inventory.pods.items {
        pod.metadata.uid = "0b7e5b1c-planted-uid".to_owned();
        pod.metadata
            .labels
            .insert("example.com/owner".to_owned(), "planted-owner".to_owned());
        pod.spec.node_name = Some("planted-node.example.org".to_owned());
        pod.status.message = "login with password=planted-password for planted.person@example.org".to_owned();
        for status in &mut pod.status.container_statuses {
            if let Some(waiting) = &mut status.state.waiting {
                waiting.message = format!("{} token=planted-token", waiting.message);
            }
        }
    }
    for namespace in &mut inventory.namespace.items {
        namespace
            .metadata
            .labels
            .insert("created-by".to_owned(), "planted-creator".to_owned());
        namespace
            .metadata
            .labels
            .insert("serviceUuid".to_owned(), "planted-uuid".to_owned());
    }
    for deployment in &mut inventory.deployments.items {
        deployment.status.conditions.push(Condition {
            kind: "Progressing".to_owned(),
            status: "True".to_owned(),
            message: "Authorization: Bearer planted-bearer".to_owned(),
            ..Condition::default()
        });
    }
    for route in &mut inventory.routes.items {
        route.spec.host = "planted-host.example.org".to_owned();
    }
    let text = record(&RUBRICS, &recording.clusters[0], &namespace, recording.at, None).unwrap();
    assert!(!text.contains("planted"), "{text}");
    assert!(text.contains("resources:") && text.contains("expect:"), "{text}");
}
