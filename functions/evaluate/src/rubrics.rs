//! The rubrics in use, followed while the program runs: a directory that changes is loaded anew, one that breaks changes nothing.
//!
//! ```text
//! before each evaluation: read the files ─ as before ──────────────────> the set in use
//!                                        ├ another content ── sound ───> that set, from now on
//!                                        │                  └ broken ─┐
//!                                        └ cannot be read ────────────┴> the set in use; log, metric and `sources` say why
//! ```
//!
//! The content is compared, not the time of files: that works for editors, copies and the swapped links of a mounted ConfigMap alike,
//! and there is no watcher that could die. At the start nothing is in use yet, so a broken directory ends the program:
//! docs/decisions/0007.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use stargate_common::db::sources::{self, Source};
use stargate_common::evaluate::rubric::{LoadError, RubricSet, Texts};
use stargate_common::settings::SettingsError;

use crate::Settings;

/// Name of the source that says how the directory stands.
pub const SOURCE: &str = "rubrics";

/// How often the directory is looked at, at least. In truth with every evaluation; but rubrics do not grow old, so a directory that is
/// broken for hours shows as failed, not as stale.
const INTERVAL_S: i32 = 86_400;

/// At most this many findings are told; the log has all.
const TOLD: usize = 20;

/// The rubrics in use.
#[derive(Debug)]
pub struct Rubrics {
    dir: Option<PathBuf>,
    state: Mutex<State>,
}

/// What is in use, and how the directory stands.
#[derive(Debug)]
struct State {
    good: Arc<RubricSet>,
    /// Fingerprint of the files that were looked at last; none when they could not be read.
    seen: Option<[u8; 32]>,
    /// Fingerprint of the files in use.
    in_use: Option<[u8; 32]>,
    files: usize,
    success_at: Option<DateTime<Utc>>,
    problem: Option<Problem>,
}

/// Why the newest files are not in use.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    /// In one line.
    line: String,
    /// Each file and place.
    findings: Vec<String>,
}

/// How the directory stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// How many files it has.
    pub files: usize,
    /// When what is in use was last found to be what the directory holds.
    pub success_at: Option<DateTime<Utc>>,
    /// Why the directory's present content is not in use.
    pub error: Option<String>,
    /// What is wrong with it, by place.
    pub findings: Vec<String>,
}

impl Rubrics {
    /// Loads the rubrics of the directory in the settings, else the built-in ones.
    ///
    /// # Errors
    /// [`SettingsError`] when they are wrong: nothing is in use that could be kept.
    pub fn start(settings: &Settings, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let dir = settings.rubrics_dir.clone();
        let (good, seen, files) = match &dir {
            None => (RubricSet::embedded()?, None, 0),
            Some(dir) => {
                let loaded = read(dir).and_then(|texts| Ok((texts.load()?, Some(texts.fingerprint()), texts.files())));
                loaded.map_err(|error| SettingsError::Wrong(format!("STARGATE_RUBRICS_DIR is {}: {}", dir.display(), told(&error))))?
            }
        };
        info(&good.version, 1.0);
        Ok(Self {
            dir,
            state: Mutex::new(State {
                good: Arc::new(good),
                seen,
                in_use: seen,
                files,
                success_at: Some(now),
                problem: None,
            }),
        })
    }

    /// The rubrics to judge by now, after a look at the directory. Some dozens of small local files are read.
    pub fn current(&self, now: DateTime<Utc>) -> Arc<RubricSet> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dir) = &self.dir {
            match read(dir) {
                Ok(texts) => state.look_at(&texts, || read(dir), now),
                Err(error) => state.refuse(None, &error),
            }
        }
        Arc::clone(&state.good)
    }

    /// How the directory stood at the last look; nothing when the built-in rubrics are in use.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.dir.as_ref()?;
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Status {
            files: state.files,
            success_at: state.success_at,
            error: state.problem.as_ref().map(|problem| {
                format!(
                    "{}; judging goes on by version {}, the last good one",
                    problem.line, state.good.version
                )
            }),
            findings: state.problem.as_ref().map_or_else(Vec::new, |problem| problem.findings.clone()),
        })
    }

    /// Stores how the directory stands as a source. What cannot be stored now is stored with the next evaluation.
    pub async fn report(&self, db: &PgPool, now: DateTime<Utc>) {
        let Some(status) = self.status() else { return };
        let source = Source {
            name: SOURCE,
            interval_s: INTERVAL_S,
            attempt_at: now,
            success_at: status.success_at,
            error: status.error.as_deref(),
            expected: status.files.max(status.findings.len()),
            missing: &status.findings,
            retry_at: None,
        };
        if let Err(error) = sources::record(db, &source).await {
            let error = anyhow::Error::from(error);
            tracing::warn!(error = format!("{error:#}"), "the state of the rubrics is not stored: {error:#}");
        }
    }
}

impl State {
    /// Takes a look at the directory in: `again` reads it once more.
    fn look_at(&mut self, texts: &Texts, again: impl FnOnce() -> Result<Texts, LoadError>, now: DateTime<Utc>) {
        let fingerprint = texts.fingerprint();
        if self.seen == Some(fingerprint) {
            if self.problem.is_none() {
                self.success_at = Some(now);
            }
            return;
        }
        // Files that are being written, or that a ConfigMap swaps just now, would make a set that nobody meant.
        if !again().is_ok_and(|again| again.fingerprint() == fingerprint) {
            tracing::info!("the rubrics are being changed: the next evaluation looks at them again");
            return;
        }
        self.files = texts.files();
        let loaded = if self.in_use == Some(fingerprint) {
            Ok(Arc::clone(&self.good))
        } else {
            texts.load().map(Arc::new)
        };
        match loaded {
            Ok(set) => {
                let (version, before) = (&set.version, &self.good.version);
                tracing::info!(rubric.version = version, "rubrics {version} are in use, before {before}");
                info(before, 0.0);
                info(version, 1.0);
                self.good = set;
                self.seen = Some(fingerprint);
                self.in_use = self.seen;
                self.success_at = Some(now);
                self.problem = None;
            }
            Err(error) => self.refuse(Some(fingerprint), &error),
        }
    }

    /// Keeps what is in use. Told once for each content that is wrong.
    fn refuse(&mut self, seen: Option<[u8; 32]>, error: &LoadError) {
        let problem = Problem {
            line: told(error),
            findings: findings(error),
        };
        self.seen = seen;
        if self.problem.as_ref() == Some(&problem) {
            return;
        }
        let version = &self.good.version;
        tracing::error!(
            rubric.version = version,
            error = %error,
            "the rubrics are wrong, judging goes on by version {version}: {error}"
        );
        metrics::counter!("stargate_rubrics_load_failures_total").increment(1);
        self.problem = Some(problem);
    }
}

fn read(dir: &std::path::Path) -> Result<Texts, LoadError> {
    Texts::read(dir)
}

/// The version that is in use has the value 1, those before it 0.
fn info(version: &str, value: f64) {
    metrics::gauge!("stargate_rubrics_info", "version" => version.to_owned()).set(value);
}

/// The error in one line.
fn told(error: &LoadError) -> String {
    match error {
        LoadError::Read { source, .. } => format!("{error}: {source}"),
        LoadError::Invalid(findings) => match findings.as_slice() {
            [] => "the rubrics are wrong".to_owned(),
            [only] => only.to_string(),
            [first, ..] => format!("{first} (and {} more: `stargate rubric lint` shows all)", findings.len() - 1),
        },
    }
}

fn findings(error: &LoadError) -> Vec<String> {
    match error {
        LoadError::Read { path, source } => vec![format!("{}: {source}", path.display())],
        LoadError::Invalid(findings) => findings.iter().take(TOLD).map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests;
