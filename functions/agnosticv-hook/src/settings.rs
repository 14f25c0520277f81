//! Settings of the hook.

use clap::Args;
use stargate_common::settings::{ExposeSecret as _, SecretString, SettingsError};

/// The shortest secret that is taken, in bytes: what can be guessed would let anybody make the control plane be read.
const SHORTEST: usize = 16;

/// What only this server needs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "AgnosticV webhook settings")]
pub struct Settings {
    /// What the repository signs its deliveries with; several, separated by commas, while one is replaced. A secret.
    #[arg(
        long = "webhook-secret",
        env = "STARGATE_AGNOSTICV_WEBHOOK_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub secret: SecretString,

    /// Repositories whose pushes count, as `owner/name`, separated by commas. Empty: every one that signs.
    #[arg(
        long = "repositories",
        env = "STARGATE_AGNOSTICV_REPOSITORIES",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub repositories: Vec<String>,

    /// Branches whose pushes count, separated by commas. Empty: every branch.
    #[arg(
        long = "branches",
        env = "STARGATE_AGNOSTICV_BRANCHES",
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "main"
    )]
    pub branches: Vec<String>,
}

impl Settings {
    /// The secrets, of which any may have signed.
    ///
    /// # Errors
    /// There is none, or one that can be guessed.
    pub fn secrets(&self) -> Result<Vec<SecretString>, SettingsError> {
        let secrets: Vec<&str> = self
            .secret
            .expose_secret()
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .collect();
        if secrets.is_empty() || secrets.iter().any(|one| one.len() < SHORTEST) {
            return Err(SettingsError::Wrong(format!(
                "STARGATE_AGNOSTICV_WEBHOOK_SECRET must hold secrets of {SHORTEST} characters at least; make one with `openssl rand -hex 32`"
            )));
        }
        Ok(secrets.into_iter().map(SecretString::from).collect())
    }

    /// Whether pushes to this branch of this repository count.
    #[must_use]
    pub fn wants(&self, repository: &str, branch: &str) -> bool {
        let among = |names: &[String], wanted: &str, same: fn(&str, &str) -> bool| {
            let mut named = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).peekable();
            named.peek().is_none() || named.any(|name| same(name, wanted))
        };
        among(&self.repositories, repository, str::eq_ignore_ascii_case) && among(&self.branches, branch, |one, other| one == other)
    }
}
