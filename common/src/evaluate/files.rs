//! The files of a rubric set: those this program was built with, those of a directory. Which file is which is told by the end of
//! its path, so that a set means the same wherever it lies.

use std::path::Path;

use super::embedded::{ACTIONS, FILES};
use super::rubric::LoadError;
use crate::stage::Stage;

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

/// The files this program was built with.
pub(super) fn embedded() -> Vec<File<'static>> {
    [FILES.as_slice(), &ACTIONS].concat()
}

/// A file of a directory, read.
pub(super) struct Text {
    /// Path, the directory's included.
    pub(super) path: String,
    /// Content.
    pub(super) text: String,
}

impl Text {
    /// As part of a set.
    pub(super) fn file(&self) -> File<'_> {
        File {
            path: &self.path,
            text: &self.text,
        }
    }
}

/// The texts of a directory that looks like `rubrics/`, and of the built-in actions that it does not replace.
pub(super) fn read_dir(dir: &Path) -> Result<Vec<Text>, LoadError> {
    let mut texts = Vec::new();
    for file in &FILES {
        let path = dir.join(file.path);
        match std::fs::read_to_string(&path) {
            Ok(text) => texts.push(Text {
                path: path.display().to_string(),
                text,
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

/// The file of that name in each folder of a directory that has it, with the folder's name.
fn in_folders(dir: &Path, name: &str) -> Result<Vec<(String, Text)>, LoadError> {
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

/// The last two parts of a path: enough to tell the files of a set apart, the same wherever the set lies.
pub(super) fn file_name(path: &str) -> &str {
    let mut slashes = path.rmatch_indices(['/', '\\']);
    let parts = usize::from(path.ends_with("/rubric.yaml") || path.ends_with("/action.yaml"));
    slashes.nth(parts).map_or(path, |(at, _)| &path[at + 1..])
}
