//! Which files of cases there are, and what each must be about. Nothing in a folder of cases is passed over in silence.
//!
//! ```text
//! rubrics/                      a set: every folder of it
//!   <stage>/cases/*.yaml        about that stage
//!   labs/<lab>/cases/*.yaml     about the stages that the lab's rubric extends
//! tests/examples/**/*.yaml      any other folder: about anything
//! ```

use std::path::{Path, PathBuf};

use super::{CaseError, Flaw};
use crate::stage::Stage;

/// Files of cases, and what is wrong with where they are.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    /// The files, sorted, each once.
    pub files: Vec<CaseFile>,
    /// Files that nobody would read, folders without cases.
    pub flaws: Vec<Flaw>,
}

/// One file of cases.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it must be about.
    pub about: About,
}

/// What a file of cases must be about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// The stage in whose folder it is.
    Stage(Stage),
    /// The lab in whose folder it is.
    Lab(String),
    /// Anything: it is not in the folder of a rubric.
    Anything,
}

/// The cases under these paths: sets of rubrics, folders of one rubric, other folders with cases, single files.
///
/// # Errors
/// [`CaseError::Read`] when a path cannot be read. What can be read and is wrong is in [`Suite::flaws`].
pub fn find(paths: &[PathBuf]) -> Result<Suite, CaseError> {
    let mut suite = Suite::default();
    for path in paths {
        let before = (suite.files.len(), suite.flaws.len());
        suite.path(path)?;
        if before == (suite.files.len(), suite.flaws.len()) {
            suite.flaw(
                path,
                "holds no cases: name a rubric's folder, a folder with cases, or a file of cases",
            );
        }
    }
    suite.files.sort();
    suite.files.dedup();
    Ok(suite)
}

/// The rubric set that a path lies in: the nearest folder above it, or itself, that has a `kinds.yaml`.
#[must_use]
pub fn set_of(path: &Path) -> Option<PathBuf> {
    let whole = path.canonicalize().ok()?;
    let found = whole.ancestors().find(|folder| folder.join("kinds.yaml").is_file())?;
    // Told as the caller named it, if it did.
    let named = path
        .ancestors()
        .find(|folder| !folder.as_os_str().is_empty() && folder.canonicalize().is_ok_and(|it| it == found));
    Some(named.unwrap_or(found).to_owned())
}

impl Suite {
    fn path(&mut self, path: &Path) -> Result<(), CaseError> {
        let kind = std::fs::metadata(path).map_err(|source| read_error(path, source))?;
        if kind.is_file() {
            self.file(path, about(path.parent().unwrap_or(path)));
            return Ok(());
        }
        let has_rubrics =
            || std::fs::read_dir(path).is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|it| is_rubric(&it.path()))));
        if is_rubric(path) {
            self.rubric(path)
        } else if path.join("kinds.yaml").is_file() || has_rubrics() {
            self.set(path)
        } else {
            self.cases(path, &about(path))
        }
    }

    /// A folder with one rubric per folder.
    fn set(&mut self, path: &Path) -> Result<(), CaseError> {
        for entry in entries(path)?.into_iter().filter(|entry| entry.is_dir()) {
            let name = name_of(&entry);
            if is_rubric(&entry) {
                self.rubric(&entry)?;
            } else if name == "labs" {
                for lab in entries(&entry)? {
                    if is_rubric(&lab) {
                        self.rubric(&lab)?;
                    } else if name_of(&lab) != "README.md" {
                        self.flaw(&lab, "is no lab's rubric: a lab is a folder with a rubric.yaml");
                    }
                }
            } else if Stage::parse(&name).is_some() || entry.join("cases").is_dir() {
                self.flaw(
                    &entry,
                    "has no rubric.yaml, so nobody judges by its cases: name the folder like its stage and add one",
                );
            }
        }
        Ok(())
    }

    /// A folder with a rubric and its cases.
    fn rubric(&mut self, path: &Path) -> Result<(), CaseError> {
        let cases = path.join("cases");
        for entry in entries(path)? {
            if !matches!(name_of(&entry).as_str(), "rubric.yaml" | "cases" | "README.md") {
                self.flaw(
                    &entry,
                    "is read by nobody: cases belong into the folder `cases`, all else elsewhere",
                );
            }
        }
        if !cases.is_dir() {
            self.flaw(path, "has no folder `cases`: a rubric without cases is not proved");
            return Ok(());
        }
        let before = (self.files.len(), self.flaws.len());
        self.cases(&cases, &about(&cases))?;
        if before == (self.files.len(), self.flaws.len()) {
            self.flaw(&cases, "is empty: a rubric without cases is not proved");
        }
        Ok(())
    }

    /// A folder of cases, with the folders in it.
    fn cases(&mut self, path: &Path, about: &About) -> Result<(), CaseError> {
        for entry in entries(path)? {
            // A link may lead anywhere, also back to where it is.
            let is_link = std::fs::symlink_metadata(&entry).is_ok_and(|it| it.is_symlink());
            if is_link && entry.is_dir() {
                self.flaw(&entry, "is a link to a folder, which is not followed: put the cases here");
            } else if entry.is_dir() {
                self.cases(&entry, about)?;
            } else if name_of(&entry) != "README.md" {
                self.file(&entry, about.clone());
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, about: About) {
        let name = name_of(path);
        if name == "rubric.yaml" {
            self.flaw(path, "is a rubric, not a file of cases: name its folder");
        } else if name.starts_with('.') || path.extension().is_none_or(|extension| extension != "yaml") {
            self.flaw(
                path,
                "is not read as a case: its name must end in `.yaml` and not begin with a dot; rename or remove it",
            );
        } else {
            self.files.push(CaseFile {
                path: path.to_owned(),
                about,
            });
        }
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

fn is_rubric(path: &Path) -> bool {
    path.join("rubric.yaml").is_file()
}

/// What files in that folder must be about: `<stage>/cases`, `labs/<lab>/cases`, or folders in these.
fn about(folder: &Path) -> About {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    for folder in whole.ancestors().filter(|folder| name_of(folder) == "cases") {
        let Some(rubric) = folder.parent() else { continue };
        let name = name_of(rubric);
        if rubric.parent().is_some_and(|parent| name_of(parent) == "labs") {
            return About::Lab(name);
        }
        if let Some(stage) = Stage::parse(&name) {
            return About::Stage(stage);
        }
    }
    About::Anything
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn entries(path: &Path) -> Result<Vec<PathBuf>, CaseError> {
    let read = |source| read_error(path, source);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(read)? {
        entries.push(entry.map_err(read)?.path());
    }
    entries.sort();
    Ok(entries)
}

fn read_error(path: &Path, source: std::io::Error) -> CaseError {
    CaseError::Read {
        path: path.to_owned(),
        source,
    }
}
