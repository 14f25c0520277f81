//! What can be wrong with a rubric set, with its place and the way out; and the two steps that find it.
//!
//! ```text
//! files ──parse──> RawSet ──check──> rubrics that can be trusted
//!            └───────┴──> findings: all of them, in the order of file and line
//! ```
//!
//! Nothing is skipped in silence: a rubric that would never match, or that names what its stage does not observe, fails
//! the load. The set in the middle can be changed and checked again: that is how mutants of rubrics are made.
//!
//! | File | What it holds |
//! |---|---|
//! | [`raw`] | the files as they are written, with the place of everything |
//! | `parse` | texts into raw files |
//! | `check` | the set as a whole: what one file says of another |
//! | `stage` | one rubric: its head and its criteria |
//! | `lab` | what a lab adds to a stage |
//! | `class` | its failure classes: conditions, contradictions, precedence |
//! | `expression` | expressions: what they may mention, and where in them something is wrong |

mod check;
mod class;
mod expression;
mod lab;
mod parse;
pub mod raw;
mod stage;

use std::sync::Arc;

use serde_yaml::Location;

pub(super) use self::check::check;
pub(super) use self::expression::documented;
pub use self::expression::when_schema;
pub(crate) use self::expression::{condition, place as text_place};
pub(super) use self::parse::parse;
pub(crate) use self::parse::read;
pub(crate) use self::raw::Ordered;

/// Whether a finding stops the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It does.
    Error,
    /// It does not, but somebody should look.
    Warning,
}

/// Something wrong with a rubric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// File, as the caller named it.
    pub file: String,
    /// Line, from 1; 0 when the whole file is meant.
    pub line: u64,
    /// Column, from 1; 0 when the whole line is meant.
    pub column: u64,
    /// How bad.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        write!(f, ": {level}: {}; {}", self.message, self.help)
    }
}

/// Findings about rubrics as one text, a line each.
#[must_use]
pub fn render(findings: &[Finding]) -> String {
    render_in("rubrics", findings)
}

/// Findings about files of a kind as one text, a line each.
pub(crate) fn render_in(what: &str, findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    format!("{} problem(s) in the {what}:\n{}", findings.len(), lines.join("\n"))
}

/// Where something stands in the files of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// File, as the caller named it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Where findings about one file go.
pub(crate) struct Report<'a> {
    file: Arc<str>,
    findings: &'a mut Vec<Finding>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: &Arc<str>, findings: &'a mut Vec<Finding>) -> Self {
        Self {
            file: Arc::clone(file),
            findings,
        }
    }

    /// The place of something that compiled, for whoever reports on it later.
    pub(crate) fn place(&self, at: Location) -> Place {
        Place {
            file: Arc::clone(&self.file),
            line: at.line(),
            column: at.column(),
        }
    }

    pub(crate) fn error(&mut self, at: Location, message: &str, help: &str) {
        self.push(at, Level::Error, message, help);
    }

    /// How many errors there are so far.
    pub(crate) fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.level == Level::Error).count()
    }

    /// An error at a place within something.
    pub(crate) fn error_inside(&mut self, (line, column): (u64, u64), message: &str, help: &str) {
        self.findings.push(Finding {
            file: self.file.to_string(),
            line,
            column,
            level: Level::Error,
            message: message.to_owned(),
            help: help.to_owned(),
        });
    }

    pub(crate) fn warning(&mut self, at: Location, message: &str, help: &str) {
        self.push(at, Level::Warning, message, help);
    }

    pub(crate) fn whole_file(&mut self, message: &str, help: &str) {
        self.push(Location::UNKNOWN, Level::Error, message, help);
    }

    fn push(&mut self, at: Location, level: Level, message: &str, help: &str) {
        self.findings.push(Finding {
            file: self.file.to_string(),
            line: at.line(),
            column: at.column(),
            level,
            message: message.to_owned(),
            help: help.to_owned(),
        });
    }
}
