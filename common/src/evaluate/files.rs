//! The files of a rubric set: those this program was built with, those of a directory. Which file is which is told by the end of
//! its path, so that a set means the same wherever it lies.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::embedded::{ACTIONS, FILES};
use super::pattern::Source;
use super::rubric::{LoadError, RubricSet};
use crate::stage::Stage;

/// The folder of lab rubrics.
pub(super) const LABS: &str = "labs/";

/// A file of a rubric set: its path for messages, its text.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Path relative to the set, `<stage>/rubric.yaml`.
    pub path: &'a str,
    /// Content.
    pub text: &'a str,
}

/// How the paths of files begin that a directory did not bring itself.
pub(super) const BUILT_IN: &str = "built-in/";

/// How the names of files of pattern classes begin.
pub(super) const PATTERNS: &str = "patterns/";

/// The files this program was built with.
pub(super) fn embedded() -> Vec<File<'static>> {
    [FILES.as_slice(), &ACTIONS].concat()
}

/// A file of a directory, read.
pub(crate) struct Text {
    /// Path, the directory's included.
    pub(crate) path: String,
    /// Content.
    pub(crate) text: String,
}

/// The files of a directory as they were at one moment, not yet parsed: cheap to compare with those of another moment.
pub struct Texts {
    texts: Vec<Text>,
    fingerprint: [u8; 32],
}

impl Texts {
    /// Reads the files of a directory that looks like `rubrics/`.
    ///
    /// # Errors
    /// [`LoadError::Read`] when the directory or a file cannot be read.
    pub fn read(dir: &Path) -> Result<Self, LoadError> {
        let texts = read_dir(dir)?;
        let mut all = Sha256::new();
        for Text { path, text } in &texts {
            all.update(Sha256::digest(path.as_bytes()));
            all.update(Sha256::digest(text.as_bytes()));
        }
        Ok(Self {
            texts,
            fingerprint: all.finalize().into(),
        })
    }

    /// The same for the same files with the same content.
    #[must_use]
    pub const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// How many files the directory itself brought.
    #[must_use]
    pub fn files(&self) -> usize {
        self.texts.iter().filter(|text| !text.path.starts_with(BUILT_IN)).count()
    }

    /// The set they make.
    ///
    /// # Errors
    /// [`LoadError::Invalid`] with everything that is wrong.
    pub fn load(&self) -> Result<RubricSet, LoadError> {
        RubricSet::from_files(&self.texts.iter().map(Text::file).collect::<Vec<_>>())
    }
}

impl Text {
    /// As part of a set.
    pub(crate) fn file(&self) -> File<'_> {
        File {
            path: &self.path,
            text: &self.text,
        }
    }
}

/// The texts of a directory that looks like `rubrics/`, and of the built-in actions and pattern classes that it does not replace.
pub(super) fn read_dir(dir: &Path) -> Result<Vec<Text>, LoadError> {
    let mut texts = Vec::new();
    for file in FILES.iter().filter(|file| !file.path.starts_with(LABS)) {
        let path = dir.join(file.path);
        match std::fs::read_to_string(&path) {
            Ok(text) => texts.push(Text {
                path: path.display().to_string(),
                text,
            }),
            // Classes of a source that the directory says nothing about are those of the program.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.path.starts_with(PATTERNS) => texts.push(Text {
                path: format!("{BUILT_IN}{}", file.path),
                text: file.text.to_owned(),
            }),
            // The set as a whole says which rubric is missing.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && dir.is_dir() => {}
            Err(source) => return Err(LoadError::Read { path, source }),
        }
    }
    for (name, text) in in_folders(dir, "rubric.yaml")? {
        if Stage::parse(&name).is_none() {
            texts.push(text);
        }
    }
    let labs = dir.join(LABS);
    if labs.is_dir() {
        texts.extend(in_folders(&labs, "rubric.yaml")?.into_iter().map(|(_, text)| text));
    }
    texts.extend(unknown_patterns(&dir.join(PATTERNS))?);
    let remediations = dir.join("remediations");
    let own = if remediations.is_dir() {
        in_folders(&remediations, "action.yaml")?
    } else {
        Vec::new()
    };
    for file in &ACTIONS {
        let replaced = own.iter().any(|(name, _)| file.path.split('/').nth(1) == Some(name));
        if !replaced {
            texts.push(Text {
                path: format!("{BUILT_IN}{}", file.path),
                text: file.text.to_owned(),
            });
        }
    }
    texts.extend(own.into_iter().map(|(_, text)| text));
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(texts)
}

/// Files of pattern classes that belong to no source: read, so that the set can say so.
fn unknown_patterns(dir: &Path) -> Result<Vec<Text>, LoadError> {
    let mut texts = Vec::new();
    if !dir.is_dir() {
        return Ok(texts);
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| LoadError::Read { path, source }
    };
    for entry in std::fs::read_dir(dir).map_err(failed(dir))? {
        let path = entry.map_err(failed(dir))?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "yaml") && Source::parse(stem).is_none() {
            let text = std::fs::read_to_string(&path).map_err(failed(&path))?;
            let path = path.display().to_string();
            texts.push(Text { path, text });
        }
    }
    Ok(texts)
}

/// The file of that name in each folder of a directory that has it, with the folder's name.
pub(crate) fn in_folders(dir: &Path, name: &str) -> Result<Vec<(String, Text)>, LoadError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| LoadError::Read { path, source }
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed(dir))? {
        let folder = entry.map_err(failed(dir))?;
        // A mounted ConfigMap keeps its generations in folders that begin with two dots.
        if folder.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = folder.path().join(name);
        if path.is_file() {
            let text = std::fs::read_to_string(&path).map_err(failed(&path))?;
            let path = path.display().to_string();
            found.push((folder.file_name().to_string_lossy().into_owned(), Text { path, text }));
        }
    }
    Ok(found)
}

/// What is left of a path within its set: enough to tell the files of a set apart, the same wherever the set lies.
pub(super) fn file_name(path: &str) -> &str {
    let mut ends = path.rmatch_indices(['/', '\\']).map(|(at, _)| &path[at + 1..]);
    let mut next = || ends.next().unwrap_or(path);
    let (file, with_folder, with_both) = (next(), next(), next());
    if file == "rubric.yaml" && with_both.starts_with(LABS) {
        with_both
    } else if matches!(file, "rubric.yaml" | "action.yaml") || with_folder.starts_with(PATTERNS) {
        with_folder
    } else {
        file
    }
}
