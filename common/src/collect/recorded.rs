//! Recorded clusters: files of `oc get -o json|yaml`, must-gather and `oc adm inspect` trees, archives of these.
//!
//! ```text
//! files.rs ──> json.rs / yaml.rs ──> one Assembler per folder ──(scope.rs)──> one Snapshot per cluster
//! ```
//!
//! Rules that a recording alone cannot tell:
//!
//! - A kind is read in a namespace only if a file or list of that kind from that namespace is there. A list with objects
//!   of several namespaces was taken cluster-wide. An empty list is about the namespaces that the files around it name.
//! - The clock is the newest moment that any object speaks of, unless the caller says otherwise.
//! - Folders on the top level are clusters of their own if at least two of them hold cluster-level objects (nodes, the
//!   version) and these differ; else everything is one cluster. See `recorded/scope.rs`.

mod files;
mod json;
mod newest;
mod scope;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::objects::assemble::{AddError, Added, Document, TypeMeta};
use crate::objects::{Kind, Problem, Snapshot};
use crate::unknown::UnknownReason;
use files::{Content, Entry, Found};
use scope::{Folders, Read};

/// What a recording holds.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Its clusters by name, at least one.
    pub clusters: Vec<Snapshot>,
    /// Its clock: what "now" means for everything in it.
    pub at: DateTime<Utc>,
    /// Files that were read.
    pub files: usize,
    /// Files that hold no objects by their name: logs, pages, pictures.
    pub skipped: usize,
    /// Objects that were taken.
    pub objects: usize,
    /// Everything that could not be read or is not judged by; the subject is the file. The snapshots repeat none of it.
    pub problems: Vec<Problem>,
}

/// Why a recording cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The path is not there or cannot be opened.
    #[error("opening {}", path.display())]
    Open {
        /// Folder, archive or file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The path is a file of another sort.
    #[error("{} is neither a folder nor a .tar.gz, .tgz, .tar, .json or .yaml file; unpack it first", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
    },
    /// There is not one object in it that StarGate judges by.
    #[error("no Kubernetes objects in {} ({files} files read, {skipped} skipped){}", path.display(), first(problems))]
    NoObjects {
        /// Folder, archive or file.
        path: PathBuf,
        /// Files that were read.
        files: usize,
        /// Files that hold no objects by their name.
        skipped: usize,
        /// What is wrong with those that were read.
        problems: Vec<Problem>,
    },
}

fn first(problems: &[Problem]) -> String {
    problems.first().map_or_else(
        || "; record with `oc get -o json` or `oc adm inspect`".to_owned(),
        |problem| format!("; first problem: {}: {}", problem.subject, problem.detail),
    )
}

/// Reads a folder, an archive (`.tar`, `.tar.gz`, `.tgz`) or one file. `at` replaces the recording's own clock.
///
/// # Errors
/// There is nothing to read, or not one object in it. Everything less is told in [`Recording::problems`].
pub fn read(path: &Path, at: Option<DateTime<Utc>>) -> Result<Recording, ReadError> {
    let mut reading = Reading::default();
    files::walk(path, &mut |found| reading.file(found))?;
    reading.finish(path, at)
}

/// One object in whichever form it was recorded.
enum Object<'a> {
    Text(&'a [u8]),
    Value(&'a serde_json::Value),
}

impl Document for Object<'_> {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        match self {
            Self::Text(text) => text.parse(),
            Self::Value(value) => value.parse(),
        }
    }
}

impl Object<'_> {
    fn newest(&self) -> Option<DateTime<Utc>> {
        match *self {
            Self::Text(text) => newest::newest(&mut serde_json::Deserializer::from_slice(text)),
            Self::Value(value) => newest::newest(value),
        }
    }
}

/// What a parser tells while it goes through a file.
trait Sink {
    /// An object; `list` is the kind of its list's items, empty where the object must say it itself.
    fn object(&mut self, object: Object<'_>, list: &TypeMeta);
    /// The document with the objects since the last end is over.
    fn end(&mut self, document: Ended);
    /// The rest of the document, or one item of it, cannot be parsed.
    fn broken(&mut self, broken: Broken);
}

/// How a document ended.
struct Ended {
    /// What the list says of itself, if the document was one.
    list: Option<ListEnd>,
}

/// What a list says of itself.
struct ListEnd {
    list: TypeMeta,
    /// The server had more: the list was cut by `limit`.
    more: bool,
}

/// Where and why text cannot be parsed.
struct Broken {
    line: u64,
    column: u64,
    detail: String,
}

/// The kind of the items of a list: `PodList` holds `Pod`s, a plain `List` holds anything.
fn item_type(list: &TypeMeta) -> TypeMeta {
    match list.kind.strip_suffix("List") {
        Some(kind) if !kind.is_empty() => TypeMeta {
            api_version: list.api_version.clone(),
            kind: kind.to_owned(),
        },
        _ => TypeMeta::default(),
    }
}

/// Objects of kinds that nobody judges by are named file by file up to this many, then counted.
const NAMED_FILES: usize = 20;
/// A recording holds no moments later than its files were written, but for clocks that differ.
const CLOCK_SLACK: TimeDelta = TimeDelta::days(1);
/// Files said to be older than this have lost their time on the way.
const OLDEST_FILE: i64 = 1_420_070_400; // 2015, the year of Kubernetes 1.0

/// Everything read so far.
#[derive(Default)]
struct Reading {
    folders: Folders,
    files: usize,
    skipped: usize,
    objects: usize,
    problems: Vec<Problem>,
    /// Kinds that nobody judges by, and how many objects of them each file holds.
    other_kinds: BTreeMap<String, BTreeMap<String, usize>>,
    newest: Option<DateTime<Utc>>,
    /// Newest moment that lies after its file was written, and the file.
    implausible: Option<(DateTime<Utc>, String)>,
    newest_file: Option<DateTime<Utc>>,
}

impl Reading {
    fn problem(&mut self, subject: &str, detail: impl Into<String>) {
        self.problems.push(Problem {
            subject: subject.to_owned(),
            detail: detail.into(),
        });
    }

    fn file(&mut self, found: Found) {
        match found {
            Found::Skipped => self.skipped += 1,
            Found::Unreadable(path, why) => {
                self.problem(&path, why);
                if let Some(kind) = kind_of_file(&path) {
                    self.folders.at(&path).lost(kind, UnknownReason::ParseError, &path);
                }
            }
            Found::File(Entry {
                path,
                modified,
                mut content,
            }) => {
                self.files += 1;
                self.newest_file = self.newest_file.max(modified);
                let mut file = FileReading {
                    reading: self,
                    path: &path,
                    modified,
                    document: BTreeMap::new(),
                    refused: BTreeSet::new(),
                    objects: 0,
                    documents: 0,
                    cut: false,
                };
                if let Err(error) = parse(&mut content, &mut file) {
                    file.broken(Broken {
                        line: 0,
                        column: 0,
                        detail: error.to_string(),
                    });
                    file.end(Ended { list: None });
                }
                file.finish();
            }
        }
    }

    fn finish(mut self, path: &Path, at: Option<DateTime<Utc>>) -> Result<Recording, ReadError> {
        for (kind, files) in std::mem::take(&mut self.other_kinds) {
            self.tell_other_kind(&kind, &files);
        }
        if self.objects == 0 {
            return Err(ReadError::NoObjects {
                path: path.to_owned(),
                files: self.files,
                skipped: self.skipped,
                problems: self.problems,
            });
        }
        let at = at.unwrap_or_else(|| self.clock());
        let root = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let clusters = std::mem::take(&mut self.folders).finish(&name, at, &mut self.problems);
        Ok(Recording {
            clusters,
            at,
            files: self.files,
            skipped: self.skipped,
            objects: self.objects,
            problems: self.problems,
        })
    }

    fn clock(&mut self) -> DateTime<Utc> {
        if let Some((moment, file)) = self.implausible.take() {
            if let Some(newest) = self.newest {
                self.problem(
                    &file,
                    format!(
                        "speaks of {moment}, which is after the file was written; the clock is set to {newest}: use --at to set another"
                    ),
                );
            } else {
                return moment;
            }
        }
        self.newest.unwrap_or_else(|| {
            let written = self.newest_file.unwrap_or(DateTime::UNIX_EPOCH);
            self.problem(
                "(recording)",
                format!(
                    "no object says when anything happened; the clock is set to {}, when its newest file was written: use --at to set another",
                    second(written)
                ),
            );
            written
        })
    }

    fn tell_other_kind(&mut self, kind: &str, files: &BTreeMap<String, usize>) {
        for (file, count) in files.iter().take(NAMED_FILES) {
            let objects = if *count == 1 { "object" } else { "objects" };
            let detail = match kind {
                "v1 Secret" => {
                    format!("holds {count} Secret {objects}, which StarGate never reads; take them out before you pass the recording on")
                }
                _ => format!("holds {count} {objects} of {kind}, which StarGate does not judge by"),
            };
            self.problem(file, detail);
        }
        if let Some(more) = files.len().checked_sub(NAMED_FILES).filter(|&more| more > 0) {
            self.problem(
                "(recording)",
                format!("{more} more files hold objects of {kind}, which StarGate does not judge by"),
            );
        }
    }
}

fn parse(content: &mut Content, sink: &mut dyn Sink) -> std::io::Result<()> {
    match content.first_byte()? {
        None => Ok(()),
        // A YAML file may hold JSON, and a file named .json may hold YAML.
        Some(b'{' | b'[') => json::read(content, sink),
        Some(_) => yaml::read(content, sink),
    }
}

/// One file while it is read.
struct FileReading<'a> {
    reading: &'a mut Reading,
    path: &'a str,
    modified: Option<DateTime<Utc>>,
    /// Kinds in the current document, and the namespaces of their objects.
    document: BTreeMap<Kind, BTreeSet<String>>,
    /// Kinds of which some object of the current document was not understood.
    refused: BTreeSet<Kind>,
    objects: usize,
    documents: usize,
    /// Text of the current document could not be parsed.
    cut: bool,
}

impl Sink for FileReading<'_> {
    fn object(&mut self, object: Object<'_>, list: &TypeMeta) {
        let moment = object.newest();
        match self.reading.folders.at(self.path).assembler.add_document(&object, list) {
            Ok(Added { kind, namespace }) => {
                self.objects += 1;
                self.document.entry(kind).or_default().extend(namespace);
                self.moment(moment);
                self.reading.folders.at(self.path).identify(kind, &object);
            }
            Err(AddError::Unrecognised { object: kind, .. }) if kind == "Status" => self.status(&object),
            Err(AddError::Unrecognised { object: kind, .. }) if kind == "Table" => {
                self.tell("is a printed table; record it with -o json or -o yaml");
                self.lost(UnknownReason::ParseError);
            }
            Err(AddError::Unrecognised { api_version, object: kind }) => {
                self.moment(moment);
                if kind == "Infrastructure" {
                    self.reading.folders.at(self.path).infrastructure(&object);
                }
                let files = self.reading.other_kinds.entry(format!("{api_version} {kind}")).or_default();
                *files.entry(self.path.to_owned()).or_default() += 1;
            }
            Err(error) => {
                if let AddError::Invalid { kind, .. } = &error {
                    self.refused.insert(*kind);
                    self.document.entry(*kind).or_default();
                }
                self.tell(error.to_string());
            }
        }
    }

    fn end(&mut self, Ended { list }: Ended) {
        self.documents += 1;
        let kinds = std::mem::take(&mut self.document);
        let refused = std::mem::take(&mut self.refused);
        let cut = std::mem::take(&mut self.cut);
        let more = list.as_ref().is_some_and(|list| list.more);
        if more {
            self.tell("the list was cut by a limit: there are more objects than it holds; record without --limit or page to the end");
        }
        if kinds.is_empty() {
            if cut {
                self.lost(UnknownReason::ParseError);
            } else if let Some(ListEnd { list, more }) = list {
                self.empty_list(&list, more);
            }
            return;
        }
        for (kind, namespaces) in kinds {
            let missing = if cut || refused.contains(&kind) {
                Some(UnknownReason::ParseError)
            } else {
                more.then_some(UnknownReason::Truncated)
            };
            let read = if cut || list.is_some() {
                Read::List(namespaces)
            } else {
                Read::Objects(namespaces)
            };
            self.say(kind, read, missing);
        }
    }

    fn broken(&mut self, Broken { line, column, detail }: Broken) {
        self.cut = true;
        if line == 0 {
            self.tell(detail);
        } else {
            self.tell(format!("line {line} column {column}: {detail}"));
        }
    }
}

impl FileReading<'_> {
    fn tell(&mut self, detail: impl Into<String>) {
        self.reading.problem(self.path, detail);
    }

    fn say(&mut self, kind: Kind, read: Read, missing: Option<UnknownReason>) {
        self.reading.folders.at(self.path).say(kind, read, missing, self.path);
    }

    /// What the file's name promises could not be read.
    fn lost(&mut self, reason: UnknownReason) {
        if let Some(kind) = kind_of_file(self.path) {
            self.reading.folders.at(self.path).lost(kind, reason, self.path);
        }
    }

    fn moment(&mut self, moment: Option<DateTime<Utc>>) {
        let Some(moment) = moment else { return };
        let written = self.modified.filter(|written| written.timestamp() >= OLDEST_FILE);
        if written.is_none_or(|written| moment <= written + CLOCK_SLACK) {
            self.reading.newest = self.reading.newest.max(Some(moment));
        } else if self.reading.implausible.as_ref().is_none_or(|(newest, _)| moment > *newest) {
            self.reading.implausible = Some((moment, self.path.to_owned()));
        }
    }

    /// A list without items says that there are none, if it says of what.
    fn empty_list(&mut self, list: &TypeMeta, more: bool) {
        let items = item_type(list);
        let kind = if items.kind.is_empty() {
            kind_of_file(self.path)
        } else {
            Kind::recognise(&items.api_version, &items.kind)
        };
        match kind {
            Some(kind) => {
                self.reading.objects += 1;
                self.say(kind, Read::List(BTreeSet::new()), more.then_some(UnknownReason::Truncated));
            }
            None if items.kind.is_empty() => {
                self.tell("an empty list that does not say of what; name the file for its kind, as in pods.json");
            }
            None => {
                let files = self
                    .reading
                    .other_kinds
                    .entry(format!("{} {}", items.api_version, items.kind))
                    .or_default();
                files.entry(self.path.to_owned()).or_default();
            }
        }
    }

    /// The API server's refusal in place of an answer: why the kind is not there.
    fn status(&mut self, object: &Object<'_>) {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Status {
            code: u16,
            message: String,
            reason: String,
            details: Option<Details>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Details {
            kind: String,
        }
        let status: Status = object.parse().unwrap_or_default();
        let reason = reason_of_code(status.code);
        // That the cluster does not serve a kind is an answer, and no problem.
        if reason != UnknownReason::ApiAbsent {
            self.tell(format!(
                "holds the API server's refusal ({} {}: {}), so this kind counts as {reason}",
                status.code, status.reason, status.message
            ));
        }
        let said = status.details.and_then(|details| Kind::from_resource_name(&details.kind));
        if let Some(kind) = kind_of_file(self.path).or(said) {
            self.reading.folders.at(self.path).lost(kind, reason, self.path);
        }
    }

    fn finish(mut self) {
        if self.documents == 0 {
            self.tell("is empty: nothing was recorded");
        }
        self.reading.objects += self.objects;
    }
}

fn second(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What an HTTP status says of a kind that was asked for.
fn reason_of_code(code: u16) -> UnknownReason {
    match code {
        401 => UnknownReason::Unauthorized,
        403 => UnknownReason::Forbidden,
        404 => UnknownReason::ApiAbsent,
        408 | 504 => UnknownReason::Timeout,
        410 => UnknownReason::Truncated,
        429 => UnknownReason::Throttled,
        500.. => UnknownReason::ServerError,
        _ => UnknownReason::ParseError,
    }
}

/// The kind that a file is named for: `pods.json`, `lab1-pods.yaml`, `oc-get-pvc.json`.
fn kind_of_file(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    Kind::from_resource_name(stem).or_else(|| stem.rsplit(['-', '_']).find_map(Kind::from_resource_name))
}

#[cfg(test)]
mod tests;
