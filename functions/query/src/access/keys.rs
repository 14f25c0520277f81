//! API keys. Only their hashes are kept; a key is compared with every one of them, in constant time.
//!
//! ```yaml
//! keys:
//!   - {name: tekton, hash: "sha256:9f86…", role: service, expires: 2027-01-31T00:00:00Z}
//!   - {name: ai-labs, hash: "sha256:60303…", role: team_lead, labs: ["LB2*"]}
//! ```
//! SHA-256 without salt is enough for keys of 32 random bytes, which nobody guesses; `openssl rand -hex 32` makes such.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::guard::Refusal;
use super::identity::{Identity, Via};
use super::people::{check, together};
use super::role::Role;

/// The hash of a secret.
#[derive(Clone, Copy)]
pub struct Hashed([u8; 32]);

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:…")
    }
}

impl Hashed {
    /// The hash of that secret.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Whether both are hashes of the same secret. How long it takes tells nothing.
    #[must_use]
    pub fn is(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }

    /// As the keys file has it.
    #[must_use]
    pub fn text(&self) -> String {
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }

    fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("sha256:")?;
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut hash = [0; 32];
        for (i, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    keys: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    hash: String,
    role: Role,
    labs: Option<BTreeSet<String>>,
    expires: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone)]
struct Key {
    hash: Hashed,
    identity: Identity,
    expires: Option<DateTime<Utc>>,
}

/// The keys that let somebody in.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<Key>);

/// The shortest key that is taken, in characters.
pub const SHORTEST: usize = 32;

impl Keys {
    /// Whether there is any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the administrator's key.
    ///
    /// # Errors
    /// It is too short to be one.
    pub fn add_admin(&mut self, key: &str) -> anyhow::Result<()> {
        let key = key.trim();
        if key.len() < SHORTEST {
            bail!("STARGATE_ADMIN_API_KEY: a key has {SHORTEST} characters at least; `openssl rand -hex 32` makes one");
        }
        self.0.push(Key {
            hash: Hashed::of(key.as_bytes()),
            identity: identity("admin", Role::Admin, None),
            expires: None,
        });
        Ok(())
    }

    /// Adds those of a file.
    ///
    /// # Errors
    /// It cannot be read, is no such file (with line and column), or has an entry that makes no sense.
    pub fn add_file(&mut self, path: &Path) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(path).with_context(|| format!("STARGATE_API_KEYS_FILE: reading {}", path.display()))?;
        self.add(&text)
            .with_context(|| format!("STARGATE_API_KEYS_FILE: {}", path.display()))
    }

    /// Adds those of a file's text.
    ///
    /// # Errors
    /// As [`Self::add_file`].
    pub fn add(&mut self, text: &str) -> anyhow::Result<()> {
        let file: File = stargate_common::yaml::from_str(text).map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut names = BTreeSet::new();
        for entry in file.keys {
            let name = entry.name.trim();
            if name.is_empty() || name.chars().any(char::is_control) {
                bail!("a key has no name");
            }
            if name == "admin" || !names.insert(name.to_owned()) {
                bail!("two keys are named {name:?}");
            }
            check(name, entry.role, entry.labs.as_ref())?;
            let hash = Hashed::parse(&entry.hash).with_context(|| {
                format!("key {name:?}: hash is sha256: and 64 hexadecimal digits, as `printf %s KEY | sha256sum` prints")
            })?;
            self.0.push(Key {
                hash,
                identity: identity(name, entry.role, entry.labs.as_ref()),
                expires: entry.expires,
            });
        }
        Ok(())
    }

    /// Whose key this is.
    ///
    /// # Errors
    /// Nobody's, or it has expired.
    pub fn identify(&self, key: &str, now: DateTime<Utc>) -> Result<Identity, Refusal> {
        let given = Hashed::of(key.as_bytes());
        // Every key is compared, whichever fits.
        let mut found = None;
        for known in &self.0 {
            if bool::from(known.hash.is(&given)) {
                found = Some(known);
            }
        }
        match found {
            None => Err(Refusal::Key),
            Some(known) if known.expires.is_some_and(|at| at <= now) => Err(Refusal::Expired(known.identity.display_name.clone())),
            Some(known) => Ok(known.identity.clone()),
        }
    }
}

fn identity(name: &str, role: Role, labs: Option<&BTreeSet<String>>) -> Identity {
    let (roles, scope) = together(std::iter::once((role, labs)));
    Identity {
        subject: format!("key:{name}"),
        display_name: format!("API key {name}"),
        roles,
        scope,
        via: Via::Key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-23T06:00:00Z".parse().unwrap()
    }

    fn keys(entries: &str) -> anyhow::Result<Keys> {
        let mut keys = Keys::default();
        keys.add(&format!("keys:\n{entries}"))?;
        Ok(keys)
    }

    #[test]
    fn a_key_is_known_by_its_hash_until_it_expires() {
        let hash = Hashed::of(b"a key of a program").text();
        let keys = keys(&format!(
            "  - {{name: ci, hash: '{hash}', role: service, labs: [LB1], expires: 2026-12-01T00:00:00Z}}"
        ))
        .unwrap();
        let ci = keys.identify("a key of a program", now()).unwrap();
        assert_eq!((ci.subject.as_str(), ci.scope.setting().as_str()), ("key:ci", r#"["LB1"]"#));
        assert_eq!(keys.identify("a key of a progran", now()), Err(Refusal::Key));
        assert_eq!(keys.identify("", now()), Err(Refusal::Key));
        let later = "2026-12-01T00:00:00Z".parse().unwrap();
        assert_eq!(
            keys.identify("a key of a program", later),
            Err(Refusal::Expired("API key ci".to_owned()))
        );
        assert!(!format!("{keys:?}").contains(&hash[7..20]), "not even hashes are printed");
    }

    #[test]
    fn the_administrators_key_is_long_enough_and_takes_all() {
        let mut keys = Keys::default();
        assert!(keys.add_admin("short").unwrap_err().to_string().contains("STARGATE_ADMIN_API_KEY"));
        let key = "k".repeat(SHORTEST);
        keys.add_admin(&format!("{key}\n")).unwrap();
        assert!(keys.identify(&key, now()).unwrap().may(Role::Admin));
        assert_eq!(keys.identify(&key[1..], now()), Err(Refusal::Key));
    }

    #[test]
    fn a_file_of_keys_that_is_wrong_says_where() {
        let hash = Hashed::of(b"x").text();
        for (entries, part) in [
            ("  - {name: a, hash: secret, role: viewer}".to_owned(), "64 hexadecimal digits"),
            (format!("  - {{name: a, hash: '{hash}', role: king}}"), "line 2"),
            (format!("  - {{name: a, hash: '{hash}', role: viewer, key: x}}"), "line 2"),
            (format!("  - {{name: a, hash: '{hash}', role: team_lead}}"), "needs labs"),
            (
                format!("  - {{name: a, hash: '{hash}', role: viewer}}\n  - {{name: a, hash: '{hash}', role: viewer}}"),
                "two keys",
            ),
        ] {
            let error = format!("{:#}", keys(&entries).unwrap_err());
            assert!(error.contains(part), "{entries}: {error}");
        }
    }
}
