//! The settings of who may come in.

use std::path::PathBuf;

use clap::Args;
use stargate_common::settings::SecretString;

use super::identity::Identity;
use super::proxy::ProxyKind;

/// Who may come in. Nobody, when nothing is set.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Access")]
pub struct AccessSettings {
    /// What only the proxy that signs people in knows, 16 characters at least. A secret.
    #[arg(long, env = "STARGATE_PROXY_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub proxy_secret: Option<SecretString>,

    /// Which proxy it is: what can be believed of its headers.
    #[arg(long, env = "STARGATE_PROXY_KIND", value_enum, default_value_t = ProxyKind::Openshift)]
    pub proxy_kind: ProxyKind,

    /// YAML file that says which group or user has which role.
    #[arg(long, env = "STARGATE_ACCESS_FILE", value_name = "FILE")]
    pub access_file: Option<PathBuf>,

    /// Key of the administrator, 32 characters at least. A secret.
    #[arg(long, env = "STARGATE_ADMIN_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub admin_api_key: Option<SecretString>,

    /// YAML file of further keys, by their hashes.
    #[arg(long, env = "STARGATE_API_KEYS_FILE", value_name = "FILE")]
    pub api_keys_file: Option<PathBuf>,

    /// Requests a second of one identity; bursts of three seconds' worth are let through.
    #[arg(long, env = "STARGATE_RATE_LIMIT", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate_limit: u32,

    /// Everybody is this one: set by `stargate up`, which listens on the loopback interface, and by nothing else.
    #[arg(skip)]
    pub everybody: Option<Identity>,
}

impl AccessSettings {
    /// Whether anything says who may come in.
    #[must_use]
    pub const fn is_given(&self) -> bool {
        self.proxy_secret.is_some() || self.access_file.is_some() || self.admin_api_key.is_some() || self.api_keys_file.is_some()
    }
}
