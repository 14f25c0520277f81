//! Finding PostgreSQL's programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::PrivateError;

/// The oldest major version StarGate's SQL is written for.
const OLDEST: u32 = 15;

/// One installed PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// The folder of `initdb`, `pg_ctl` and `postgres`.
    pub bin: PathBuf,
    /// Major version.
    pub major: u32,
    /// Full version.
    pub version: String,
}

/// All installed servers, newest first: only those in `bin` when it is given, else Debian's, RHEL's and Homebrew's folders and `PATH`.
#[must_use]
pub fn find(bin: Option<&Path>) -> Vec<Tools> {
    let mut folders: Vec<PathBuf> = Vec::new();
    if let Some(bin) = bin {
        folders.push(bin.to_owned());
    } else {
        for (parent, below) in [
            ("/usr/lib/postgresql", "bin"),
            ("/usr", "bin"),
            ("/opt/homebrew/opt", "bin"),
            ("/usr/local/opt", "bin"),
        ] {
            let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
            folders.extend(entries.map(|entry| entry.path().join(below)));
        }
        folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    }
    let mut found: Vec<Tools> = folders.into_iter().filter_map(inspect).collect();
    found.sort_by(|a, b| b.major.cmp(&a.major).then_with(|| a.bin.cmp(&b.bin)));
    found.dedup_by(|a, b| a.version == b.version);
    found
}

/// The one to use: that of the data when there is data, else the newest.
pub(super) fn choose(found: Vec<Tools>, data: Option<u32>, home: &Path) -> Result<Tools, PrivateError> {
    let majors = found.iter().map(|tools| tools.major.to_string()).collect::<Vec<_>>().join(", ");
    let usable = found.into_iter().filter(|tools| tools.major >= OLDEST);
    match data {
        Some(data) => {
            let missing = PrivateError::OtherMajor {
                home: home.to_owned(),
                data,
                found: if majors.is_empty() { "none".into() } else { majors },
            };
            usable.into_iter().find(|tools| tools.major == data).ok_or(missing)
        }
        None => {
            let looked = if majors.is_empty() {
                String::new()
            } else {
                format!(" (only {majors})")
            };
            usable.into_iter().next().ok_or(PrivateError::NotFound { oldest: OLDEST, looked })
        }
    }
}

fn inspect(bin: PathBuf) -> Option<Tools> {
    if !["initdb", "pg_ctl", "postgres"].iter().all(|tool| bin.join(tool).is_file()) {
        return None;
    }
    let said = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let version = said
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?
        .to_owned();
    let major = version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some(Tools { bin, major, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(major: u32) -> Tools {
        Tools {
            bin: format!("/pg/{major}").into(),
            major,
            version: format!("{major}.1"),
        }
    }

    #[test]
    fn the_newest_is_taken_unless_there_is_data() {
        let both = vec![installed(17), installed(15)];
        let home = Path::new("/home");
        assert_eq!(choose(both.clone(), None, home).expect("any"), installed(17));
        assert_eq!(choose(both.clone(), Some(15), home).expect("same major"), installed(15));
        assert_eq!(
            choose(both, Some(16), home).expect_err("not installed").to_string(),
            "the data in /home is of PostgreSQL 16, found is only 17, 15; install 16, or move the folder away to start with none"
        );
    }

    #[test]
    fn what_to_install_is_said() {
        let none = choose(vec![], None, Path::new("/home")).expect_err("nothing there").to_string();
        assert!(
            none.starts_with("no PostgreSQL 15 or newer found; install it: `apt-get install postgresql`"),
            "{none}"
        );
        let old = choose(vec![installed(13)], None, Path::new("/home"))
            .expect_err("too old")
            .to_string();
        assert!(old.starts_with("no PostgreSQL 15 or newer found (only 13); install it"), "{old}");
    }

    #[test]
    fn an_empty_folder_holds_no_server() {
        assert_eq!(find(Some(Path::new("/nonexistent"))), vec![]);
    }
}
