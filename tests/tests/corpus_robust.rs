//! How a recording was put together decides nothing: the order of objects, files that are there twice, files of other things and
//! other namespaces beside it leave every verdict of the corpus as it is. A file that is missing leaves it or makes it unknown.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::evaluate::{Outcome, Verdict};
use stargate_sim::Seed;
use stargate_tests::corpus::{self, Case, World, score};

fn cases() -> Vec<Case> {
    corpus::load(&corpus::directory()).unwrap_or_else(|error| panic!("{error:#}"))
}

fn verdicts(rubrics: &RubricSet, case: &Case, world: &World) -> Vec<Verdict> {
    let fleet = corpus::judge(rubrics, world, &case.truth);
    score::verdicts(&fleet, world, &case.truth.namespace).into_iter().cloned().collect()
}

/// A folder that is removed when the test is done with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("stargate-corpus-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The files of a recording, by their paths inside it.
fn files(folder: &Path, inside: &str, found: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = format!("{inside}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            files(&path, &format!("{name}/"), found);
        } else {
            found.push((name, fs::read(&path).unwrap()));
        }
    }
}

fn recording(case: &Case) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    files(&case.folder.join("recording"), "", &mut found);
    found
}

/// The world of a case as other files tell it.
fn reread(case: &Case, files: &[(String, Vec<u8>)], scratch: &Scratch) -> Option<World> {
    // A recording's clusters may be named for its folder.
    let folder = scratch.0.join(&case.name).join("recording");
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let world = corpus::world(&case.folder, &folder, &case.truth);
    fs::remove_dir_all(&folder).unwrap();
    world.ok()
}

/// What differs between two sets of verdicts.
fn difference(case: &Case, what: &str, before: &[Verdict], after: &[Verdict]) -> Vec<String> {
    assert_eq!(before.len(), after.len(), "{} {what}", case.name);
    let pairs = before.iter().zip(after);
    let differing = pairs.filter(|(before, after)| before != after);
    differing
        .map(|(before, after)| {
            format!(
                "{} {what}: {}: {} [{}], was {} [{}]",
                case.name, before.stage, after.outcome, after.message, before.outcome, before.message
            )
        })
        .collect()
}

fn assert_same(name: &str, change: impl Fn(&Case, Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)>) {
    let rubrics = RubricSet::embedded().unwrap();
    let scratch = Scratch::new(name);
    let mut wrong = Vec::new();
    for case in cases() {
        let files = change(&case, recording(&case));
        let world = reread(&case, &files, &scratch).unwrap_or_else(|| panic!("{}: the namespace is lost", case.name));
        wrong.extend(difference(
            &case,
            name,
            &verdicts(&rubrics, &case, &case.world),
            &verdicts(&rubrics, &case, &world),
        ));
    }
    assert!(wrong.is_empty(), "{} verdicts:\n{}", wrong.len(), wrong.join("\n"));
}

/// The items of every JSON list in another order, conditions and container statuses as well.
fn shuffle(value: &mut Value, seed: &mut Seed) {
    match value {
        Value::Array(items) => {
            for index in (1..items.len()).rev() {
                items.swap(index, seed.below(index + 1));
            }
            items.iter_mut().for_each(|item| shuffle(item, seed));
        }
        Value::Object(fields) => fields.values_mut().for_each(|field| shuffle(field, seed)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_order_of_objects_decides_nothing() {
    assert_same("shuffled", |case, files| {
        let mut seed = Seed::new(11).for_name(&case.name);
        let shuffled = files
            .into_iter()
            .map(|(name, content)| match serde_json::from_slice::<Value>(&content) {
                Ok(mut document) if name.ends_with(".json") => {
                    if let Some(items) = document.get_mut("items") {
                        shuffle(items, &mut seed);
                    }
                    (name, serde_json::to_vec(&document).unwrap())
                }
                _ => (name, content),
            });
        shuffled.collect()
    });
}

#[test]
fn files_that_are_there_twice_decide_nothing() {
    assert_same("duplicated", |_, files| {
        let copies: Vec<_> = files.iter().map(|(name, content)| (copy_of(name), content.clone())).collect();
        files.into_iter().chain(copies).collect()
    });
}

/// The same file once more, beside the first.
fn copy_of(name: &str) -> String {
    let (folder, file) = name.rsplit_once('/').map_or(("", name), |(folder, file)| (folder, file));
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}again-{file}")
}

#[test]
fn files_of_other_things_decide_nothing() {
    let files: [(&str, &str); 6] = [
        ("README.txt", "recorded by hand\n"),
        ("logs/web.log", "2026-03-02 listening on 8080\nerror: CrashLoopBackOff\n"),
        ("picture.png", "\u{89}PNG"),
        ("values.yaml", "replicas: 3\nimage: {tag: latest}\n"),
        (
            "configmaps.json",
            r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"b"}}]}"#,
        ),
        ("notes/empty.yaml", ""),
    ];
    assert_same("with other files", |_, mut recorded| {
        recorded.extend(
            files
                .iter()
                .map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec())),
        );
        recorded
    });
}

#[test]
fn other_namespaces_beside_it_decide_nothing() {
    let neighbours = cases();
    let sick = neighbours.iter().find(|case| case.name.starts_with("001-")).unwrap();
    let neighbour: Vec<_> = recording(sick)
        .into_iter()
        .map(|(name, content)| (format!("neighbour/{name}"), content))
        .collect();
    assert_same("with a neighbour", |case, files| {
        if case.truth.namespace == sick.truth.namespace {
            return files;
        }
        let own = files.into_iter().map(|(name, content)| (format!("own/{name}"), content));
        own.chain(neighbour.clone()).collect()
    });
}

#[test]
fn a_file_that_is_missing_decides_nothing() {
    let rubrics = RubricSet::embedded().unwrap();
    let scratch = Scratch::new("less");
    let mut wrong = Vec::new();
    // Every layout is among them; what each kind means without its file is tested on all cases in memory.
    for case in cases().into_iter().step_by(5) {
        let before = verdicts(&rubrics, &case, &case.world);
        let files = recording(&case);
        for missing in 0..files.len() {
            let mut less = files.clone();
            let (name, _) = less.remove(missing);
            let Some(world) = reread(&case, &less, &scratch) else { continue };
            let after = verdicts(&rubrics, &case, &world);
            for before in &before {
                let Some(after) = after.iter().find(|after| after.stage == before.stage) else {
                    continue;
                };
                let worse = matches!(
                    (before.outcome, after.outcome),
                    (Outcome::Pass | Outcome::Indeterminate, Outcome::Fail | Outcome::Warn)
                        | (Outcome::Fail | Outcome::Indeterminate, Outcome::Pass)
                        | (Outcome::Fail, Outcome::Warn)
                );
                if worse {
                    wrong.push(format!(
                        "{} without {name}: {}: was {} [{}], is {} [{}]",
                        case.name, before.stage, before.outcome, before.message, after.outcome, after.message
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} verdicts:\n{}", wrong.len(), wrong.join("\n"));
}
