//! The files of a recording: a folder, an archive or a single file, one after the other and never all in memory.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use flate2::read::MultiGzDecoder;

use super::ReadError;

/// What fits in memory at once, in bytes; larger files are read as a stream. Nearly every file of a recording is smaller.
const IN_MEMORY: u64 = 32 << 20;
/// The largest single file inside an archive, in bytes: a guard against archives that unpack without end.
const LARGEST: u64 = 8 << 30;

/// A file of the recording.
pub(super) struct Entry {
    /// Path within the recording, with `/`.
    pub path: String,
    /// When it was written, if that is known.
    pub modified: Option<DateTime<Utc>>,
    /// What is in it.
    pub content: Content,
}

/// What the walk comes upon.
pub(super) enum Found {
    /// A file that may hold objects.
    File(Entry),
    /// A file that holds none by its name: a log, a page, a picture.
    Skipped,
    /// A file that cannot be read, and why.
    Unreadable(String, String),
}

/// The bytes of a file, small ones in memory. Can be read more than once.
pub(super) enum Content {
    /// All of it.
    Memory(Vec<u8>),
    /// To be read from its start.
    Disk(File),
}

/// One reading of a [`Content`].
pub(super) enum Bytes<'a> {
    /// All of it.
    Slice(&'a [u8]),
    /// As a stream.
    Stream(BufReader<&'a mut File>),
}

impl Content {
    /// Starts a reading.
    pub(super) fn bytes(&mut self) -> io::Result<Bytes<'_>> {
        match self {
            Self::Memory(bytes) => Ok(Bytes::Slice(bytes)),
            Self::Disk(file) => {
                file.seek(SeekFrom::Start(0))?;
                let mut mark = [0; 3];
                let length = file.read(&mut mark)?;
                if !mark[..length].starts_with(UTF8_MARK) {
                    file.seek(SeekFrom::Start(0))?;
                }
                Ok(Bytes::Stream(BufReader::with_capacity(1 << 20, file)))
            }
        }
    }

    /// The first byte that is not white space.
    pub(super) fn first_byte(&mut self) -> io::Result<Option<u8>> {
        let first = |bytes: &[u8]| bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        match self.bytes()? {
            Bytes::Slice(bytes) => Ok(first(bytes)),
            Bytes::Stream(mut reader) => {
                let mut head = vec![0; 4096];
                let length = reader.read(&mut head)?;
                Ok(first(&head[..length]))
            }
        }
    }

    /// Takes what a reader yields: into memory as long as it fits, else into an unnamed temporary file.
    fn load(mut reader: impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        reader.by_ref().take(IN_MEMORY).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < IN_MEMORY {
            return Ok(Self::Memory(decode(bytes)));
        }
        let mut file = temporary()?;
        file.write_all(&bytes)?;
        drop(bytes);
        let copied = io::copy(&mut reader.take(LARGEST), &mut file)?;
        if copied == LARGEST {
            return Err(io::Error::other(format!("it unpacks to more than {} GiB", LARGEST >> 30)));
        }
        Ok(Self::Disk(file))
    }
}

const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// Takes off a byte order mark, and turns UTF-16 into UTF-8: what `oc … > file` writes on Windows.
fn decode(mut bytes: Vec<u8>) -> Vec<u8> {
    let units = |from: fn([u8; 2]) -> u16| bytes[2..].chunks_exact(2).map(|pair| from([pair[0], pair[1]])).collect::<Vec<_>>();
    if bytes.starts_with(&[0xFF, 0xFE]) {
        return String::from_utf16_lossy(&units(u16::from_le_bytes)).into_bytes();
    }
    if bytes.starts_with(&[0xFE, 0xFF]) {
        return String::from_utf16_lossy(&units(u16::from_be_bytes)).into_bytes();
    }
    if bytes.starts_with(UTF8_MARK) {
        bytes.drain(..UTF8_MARK.len());
    }
    bytes
}

/// A file that has no name any more and goes away with its handle.
fn temporary() -> io::Result<File> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("stargate-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// Whether the name promises objects, and whether the file is compressed.
fn promise(path: &str) -> Option<Packing> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if name.starts_with('.') {
        return None;
    }
    let (name, packing) = name
        .strip_suffix(".gz")
        .map_or((name.as_str(), Packing::Plain), |name| (name, Packing::Gzip));
    [".json", ".yaml", ".yml"]
        .iter()
        .any(|extension| name.ends_with(extension))
        .then_some(packing)
}

#[derive(Clone, Copy, PartialEq)]
enum Packing {
    Plain,
    Gzip,
}

/// Calls `each` for every file, in a stable order. `root` is a folder, a `.tar`, `.tar.gz` or `.tgz`, or one file.
///
/// # Errors
/// `root` is not there, is none of these, or cannot be opened. A file inside that cannot be read is told to `each`.
pub(super) fn walk(root: &Path, each: &mut dyn FnMut(Found)) -> Result<(), ReadError> {
    let open = |source| ReadError::Open {
        path: root.to_owned(),
        source,
    };
    let metadata = fs::metadata(root).map_err(open)?;
    if metadata.is_dir() {
        return folder(root, "", each).map_err(open);
    }
    let name = root.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if name.ends_with(".tar.gz") || name.ends_with(".tgz") || name.ends_with(".tar") {
        let file = File::open(root).map_err(open)?;
        let modified = metadata.modified().ok().map(DateTime::from);
        let reader = BufReader::with_capacity(1 << 18, file);
        if name.ends_with(".tar") {
            archive(reader, modified, each);
        } else {
            archive(MultiGzDecoder::new(reader), modified, each);
        }
        Ok(())
    } else if promise(&name).is_some() {
        each(plain(root, name, &metadata));
        Ok(())
    } else {
        Err(ReadError::Unsupported { path: root.to_owned() })
    }
}

fn folder(path: &Path, within: &str, each: &mut dyn FnMut(Found)) -> io::Result<()> {
    let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let inner = if within.is_empty() { name } else { format!("{within}/{name}") };
        // A link to a folder is not followed: it may lead anywhere, or in a circle.
        if entry.file_type()?.is_dir() {
            if let Err(error) = folder(&entry.path(), &inner, each) {
                each(Found::Unreadable(inner, error.to_string()));
            }
            continue;
        }
        match fs::metadata(entry.path()) {
            Ok(metadata) if metadata.is_file() => each(plain(&entry.path(), inner, &metadata)),
            Ok(_) => each(Found::Skipped),
            Err(error) => each(Found::Unreadable(inner, error.to_string())),
        }
    }
    Ok(())
}

fn plain(path: &Path, within: String, metadata: &fs::Metadata) -> Found {
    let Some(packing) = promise(&within) else {
        return Found::Skipped;
    };
    let content = File::open(path).and_then(|file| match packing {
        Packing::Gzip => Content::load(MultiGzDecoder::new(BufReader::new(file))),
        Packing::Plain if metadata.len() < IN_MEMORY => Content::load(file),
        Packing::Plain => Ok(Content::Disk(file)),
    });
    match content {
        Ok(content) => Found::File(Entry {
            path: within,
            modified: metadata.modified().ok().map(DateTime::from),
            content,
        }),
        Err(error) => Found::Unreadable(within, error.to_string()),
    }
}

fn archive(reader: impl Read, written: Option<DateTime<Utc>>, each: &mut dyn FnMut(Found)) {
    let mut archive = tar::Archive::new(reader);
    let cut = |error: io::Error| {
        let detail = format!("the archive ends early or is damaged; what came before was read: {error}");
        Found::Unreadable("(archive)".to_owned(), detail)
    };
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return each(cut(error)),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return each(cut(error)),
        };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        let Some(packing) = promise(&path) else {
            each(Found::Skipped);
            continue;
        };
        let seconds = entry.header().mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
        let modified = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).max(written);
        let content = match packing {
            Packing::Gzip => Content::load(MultiGzDecoder::new(entry)),
            Packing::Plain => Content::load(entry),
        };
        each(match content {
            Ok(content) => Found::File(Entry { path, modified, content }),
            Err(error) => Found::Unreadable(path, error.to_string()),
        });
    }
}
