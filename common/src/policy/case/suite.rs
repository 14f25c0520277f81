//! Which files of cases there are. Nothing in a folder of rules is passed over in silence.

use std::path::{Path, PathBuf};

use crate::evaluate::case::{CaseError, Flaw};

/// Files of cases, and what is wrong with where they are.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    /// The files, sorted.
    pub files: Vec<CaseFile>,
    /// Files that nobody would read, rules without cases.
    pub flaws: Vec<Flaw>,
}

/// One file of cases.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseFile {
    /// Where it is.
    pub path: PathBuf,
    /// The rule in whose folder it is.
    pub rule: String,
}

/// The cases of a directory that looks like `policies/`, or of the folder of one rule.
///
/// # Errors
/// [`CaseError::Read`] when a path cannot be read. What can be read and is wrong is in [`Suite::flaws`].
pub fn find(dir: &Path) -> Result<Suite, CaseError> {
    let mut suite = Suite::default();
    if dir.join("rule.yaml").is_file() {
        suite.rule(dir)?;
        return Ok(suite);
    }
    for entry in entries(dir)? {
        let name = name_of(&entry);
        if entry.join("rule.yaml").is_file() {
            suite.rule(&entry)?;
        } else if !matches!(name.as_str(), "README.md" | "schema") && !name.starts_with('.') {
            suite.flaw(&entry, "is no rule: a rule is a folder with a rule.yaml");
        }
    }
    if suite.files.is_empty() && suite.flaws.is_empty() {
        suite.flaw(dir, "holds no rules and no cases");
    }
    Ok(suite)
}

impl Suite {
    fn rule(&mut self, folder: &Path) -> Result<(), CaseError> {
        for entry in entries(folder)? {
            if !matches!(name_of(&entry).as_str(), "rule.yaml" | "cases" | "README.md") {
                self.flaw(&entry, "is read by nobody: cases belong into the folder `cases`");
            }
        }
        let cases = folder.join("cases");
        let files = if cases.is_dir() { entries(&cases)? } else { Vec::new() };
        if files.is_empty() {
            self.flaw(folder, "has no cases: a rule without cases is not proved");
        }
        let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        for path in files {
            if name_of(&path).starts_with('.') || path.extension().is_none_or(|extension| extension != "yaml") || path.is_dir() {
                self.flaw(&path, "is not read as a case: it must be a file whose name ends in `.yaml`");
            } else {
                self.files.push(CaseFile {
                    path,
                    rule: name_of(&whole),
                });
            }
        }
        Ok(())
    }

    fn flaw(&mut self, path: &Path, detail: &str) {
        self.flaws.push(Flaw {
            file: path.display().to_string(),
            line: 0,
            column: 0,
            detail: detail.to_owned(),
        });
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn entries(path: &Path) -> Result<Vec<PathBuf>, CaseError> {
    let read = |source| CaseError::Read {
        path: path.to_owned(),
        source,
    };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(read)? {
        entries.push(entry.map_err(read)?.path());
    }
    entries.sort();
    Ok(entries)
}
