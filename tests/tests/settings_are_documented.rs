//! Every environment variable that a program reads is in docs/configuration.md, and every one there is read by a program.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Names behind `env = "` in all sources of the programs.
fn read_by_programs(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_by_programs(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let found = text.split("env = \"").skip(1).filter_map(|rest| rest.split('"').next());
            names.extend(found.map(str::to_owned));
        }
    }
}

#[test]
fn the_document_and_the_programs_name_the_same_variables() {
    let mut read = BTreeSet::new();
    for folder in ["common/src", "cli/src", "functions", "jobs"] {
        read_by_programs(&root().join(folder), &mut read);
    }
    assert!(read.len() > 10, "the sources were not found: {read:?}");
    let document = fs::read_to_string(root().join("docs/configuration.md")).expect("the document");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert_eq!(documented, read);
}
