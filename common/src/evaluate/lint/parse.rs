//! From the texts of a set's files to the raw set.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_yaml::Location;
use sha2::{Digest, Sha256};

use super::raw::{RawFile, RawRubric, RawSet};
use super::{Finding, Report};
use crate::evaluate::files::{File, LABS, PATTERNS, file_name};
use crate::evaluate::pattern::Source;
use crate::evaluate::rubric::hex;
use crate::stage::Stage;
use crate::suggest::suggest;
use crate::yaml;

/// Reads the files of a set, each on its own. What could not be understood is missing from the set and told in a finding.
pub(in crate::evaluate) fn parse(files: &[File<'_>]) -> (RawSet, Vec<Finding>) {
    let mut set = RawSet::default();
    let mut findings = Vec::new();
    let mut by_name: Vec<(&str, &str)> = Vec::with_capacity(files.len());
    for file in files {
        let name = file_name(file.path);
        let path: Arc<str> = Arc::from(file.path);
        if !is_action(name) {
            by_name.push((name, file.text));
        }
        let mut report = Report::new(&path, &mut findings);
        match name {
            "sub-classes.yaml" => set.sub_classes = read(file, &path, &mut report),
            "kinds.yaml" => set.kinds = read(file, &path, &mut report),
            name if is_action(name) => {
                let folder = name.split('/').next().unwrap_or_default();
                if let Some(action) = read(file, &path, &mut report) {
                    set.actions.insert(folder.to_owned(), action);
                }
            }
            name if name.starts_with(LABS) => {
                let folder = name.split('/').nth(1).unwrap_or_default();
                if let Some(lab) = read(file, &path, &mut report) {
                    set.labs.insert(folder.to_owned(), lab);
                }
            }
            name if name.starts_with(PATTERNS) => {
                let Some(source) = source_of(name, &mut report) else {
                    continue;
                };
                if let Some(raw) = read(file, &path, &mut report) {
                    set.patterns.add(&raw.content, source, &mut report);
                    set.pattern_files.insert(source, Arc::new(raw));
                }
            }
            name => {
                let folder = name.split('/').next().unwrap_or_default();
                let Some(rubric) = read::<RawRubric>(file, &path, &mut report) else {
                    continue;
                };
                let Some(stage) = stage_of(&rubric.content, folder, &mut report) else {
                    continue;
                };
                if set.rubrics.insert(stage, rubric).is_some() {
                    report.whole_file(&format!("the set has two rubrics for `{stage}`"), "keep one of them");
                }
            }
        }
    }
    // Actions are not part of the version: no verdict depends on what their texts say.
    by_name.sort_unstable();
    set.version = version(by_name.into_iter().map(|(_, text)| text));
    (set, findings)
}

fn is_action(name: &str) -> bool {
    name.ends_with("/action.yaml")
}

/// The first 16 hexadecimal digits of a hash over all texts, in the order of their names within the set.
fn version<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut all = Sha256::new();
    for text in texts {
        all.update(Sha256::digest(text.as_bytes()));
    }
    hex(&all.finalize()[..8])
}

/// Reads one file, or says where it is wrong.
pub(crate) fn read<T: DeserializeOwned>(file: &File<'_>, path: &Arc<str>, report: &mut Report<'_>) -> Option<RawFile<T>> {
    match yaml::from_str(file.text) {
        Ok(content) => Some(RawFile {
            path: Arc::clone(path),
            hash: hex(&Sha256::digest(file.text.as_bytes())),
            content,
        }),
        Err(error) => {
            let at = error.location().unwrap_or(Location::UNKNOWN);
            let what = error.without_snippet().to_string();
            let first = what.lines().next().unwrap_or("not understood").trim_start_matches("error: ");
            // The parser adds the place, which we print ourselves, and its own options.
            let message = first.rsplit_once(" at line ").map_or(first, |(message, _)| message);
            let message = message
                .split_once(", set DuplicateKeyPolicy")
                .map_or(message, |(message, _)| message);
            report.error(at, message, "correct the field; unknown and doubled fields are refused");
            None
        }
    }
}

/// The source whose patterns a file holds: its name says it.
fn source_of(name: &str, report: &mut Report<'_>) -> Option<Source> {
    let stem = name.trim_start_matches(PATTERNS).trim_end_matches(".yaml");
    let source = Source::parse(stem);
    if source.is_none() {
        report.whole_file(
            &format!("there is no source `{stem}`"),
            &suggest(stem, Source::ALL.into_iter().map(Source::as_str)),
        );
    }
    source
}

fn stage_of(rubric: &RawRubric, folder: &str, report: &mut Report<'_>) -> Option<Stage> {
    let named = &rubric.stage;
    let Some(stage) = Stage::parse(&named.value) else {
        let stages = Stage::ALL.into_iter().map(Stage::as_str);
        report.error(
            named.referenced,
            &format!("there is no stage `{}`", named.value),
            &suggest(&named.value, stages),
        );
        return None;
    };
    if rubric.id.value != stage.as_str() || folder != stage.as_str() {
        report.error(
            rubric.id.referenced,
            &format!(
                "folder `{folder}`, id `{}` and stage `{stage}` should be the same word",
                rubric.id.value
            ),
            "name folder and id like the stage",
        );
    }
    Some(stage)
}
