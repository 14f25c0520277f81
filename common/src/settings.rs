//! Settings that every binary shares: flags, each with an environment variable. Nothing else reads the environment.
//!
//! A bad value stops the process before it does anything, with one line on stderr that names the variable. Values of secrets
//! are never part of that line. `docs/configuration.md` lists them all.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Command};
use reqwest::Url;
pub use secrecy::{ExposeSecret, SecretString};

use crate::events::sink::Overrides;

/// What every function, job and server needs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Shared settings")]
pub struct BaseSettings {
    /// PostgreSQL, as `postgres://user:password@host:5432/database?sslmode=verify-full`. A secret.
    #[arg(long, env = "STARGATE_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: SecretString,

    /// Connections one process may hold. Times the largest scale of everything it must stay below PostgreSQL's `max_connections`.
    #[arg(long, env = "STARGATE_DB_POOL_MAX", value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub db_pool_max: u32,

    /// What to log: a level, or directives such as `info,sqlx=debug`.
    #[arg(long, env = "STARGATE_LOG", value_name = "FILTER", default_value = "info", value_parser = log_filter)]
    pub log: String,

    /// How to log.
    #[arg(long, env = "STARGATE_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,

    /// Where events go. A SinkBinding sets it.
    #[arg(long, env = "K_SINK", value_name = "URL", value_parser = sink_url)]
    pub sink: Option<Url>,

    /// Extensions for every event, as `{"extensions":{"name":"value"}}`. A SinkBinding sets it.
    #[arg(long, env = "K_CE_OVERRIDES", value_name = "JSON", default_value = "")]
    pub ce_overrides: Overrides,

    /// Certificates to trust at the sink besides the system's, in PEM. A SinkBinding sets it when the broker speaks TLS.
    #[arg(long, env = "K_CA_CERTS", value_name = "PEM", default_value = "")]
    pub sink_ca: String,
}

/// What a binary that listens needs besides.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server settings")]
pub struct ServeSettings {
    /// Port to listen on. Knative sets it.
    #[arg(long, env = "PORT", value_name = "PORT", default_value_t = 8080)]
    pub port: u16,

    /// Address to listen on: in a pod every one, on a laptop 127.0.0.1.
    #[arg(long, env = "STARGATE_BIND", value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::UNSPECIFIED))]
    pub bind: IpAddr,

    /// Seconds one event may take; then it is given back to the broker. Stays below `timeoutSeconds` of the Knative service,
    /// which would answer for us and let the work go on.
    #[arg(long, env = "STARGATE_DEADLINE_S", value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=580))]
    pub deadline_s: u64,
}

impl ServeSettings {
    /// Where to listen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.bind, self.port)
    }

    /// How long one event may take.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_s)
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Nothing of its own: for a binary that needs only the shared settings.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct NoSettings {}

/// Why a binary does not start.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Help or the version was asked for: print it and leave with 0.
    #[error("{0}")]
    Asked(String),
    /// One line that names the variable.
    #[error("{0}")]
    Wrong(String),
}

/// Reads the settings `S` of the binary `name` from its arguments (the first is the program) and the environment.
///
/// # Errors
/// [`SettingsError::Wrong`] with one line that names what is wrong.
pub fn read<S: Args>(name: &'static str, args: impl IntoIterator<Item = OsString>) -> Result<S, SettingsError> {
    parse(&command::<S>(name), args)
}

/// The same from the arguments alone: no variable counts, so that what is set for real systems never reaches simulated ones.
///
/// # Errors
/// As [`read`].
pub fn read_arguments<S: Args>(name: &'static str, args: impl IntoIterator<Item = OsString>) -> Result<S, SettingsError> {
    parse(&command::<S>(name).mut_args(|arg| arg.env(Resettable::Reset)), args)
}

fn command<S: Args>(name: &'static str) -> Command {
    // The flattened structs would otherwise introduce themselves.
    S::augment_args(Command::new(name))
        .version(env!("CARGO_PKG_VERSION"))
        .about(format!("StarGate's {name}"))
        .long_about(None)
}

fn parse<S: Args>(command: &Command, args: impl IntoIterator<Item = OsString>) -> Result<S, SettingsError> {
    let read = command
        .clone()
        .try_get_matches_from(args)
        .and_then(|matches| S::from_arg_matches(&matches));
    read.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => SettingsError::Asked(error.to_string()),
        _ => SettingsError::Wrong(one_line(command, &error)),
    })
}

/// Whether these arguments (without the program) and variables are settings `S` of the binary `name`: what manifests are checked with.
///
/// # Errors
/// What [`read`] would say, or the first variable that is no setting.
pub fn check<S: Args>(name: &'static str, args: &[String], env: &[(String, String)]) -> Result<(), SettingsError> {
    let command = S::augment_args(Command::new(name));
    let mut all = vec![OsString::from(name)];
    for (variable, value) in env {
        let arg = command
            .get_arguments()
            .find(|arg| arg.get_env().is_some_and(|env| env == variable.as_str()));
        let Some(flag) = arg.and_then(clap::Arg::get_long) else {
            return Err(SettingsError::Wrong(format!("{variable} is no setting of {name}")));
        };
        all.push(format!("--{flag}={value}").into());
    }
    all.extend(args.iter().map(OsString::from));
    read::<S>(name, all).map(drop)
}

/// Says in one line which setting is wrong. Clap names only the flag, but in a pod people set variables.
fn one_line(command: &Command, error: &clap::Error) -> String {
    let variable = |flag: &str| {
        let long = flag.trim_start_matches("--").split([' ', '=']).next().unwrap_or_default();
        let env = command
            .get_arguments()
            .find(|arg| arg.get_long() == Some(long))
            .and_then(clap::Arg::get_env);
        env.map_or_else(|| format!("--{long}"), |env| format!("{} (or --{long})", env.to_string_lossy()))
    };
    let names: Vec<String> = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if flag.starts_with("--") => vec![variable(flag)],
        Some(ContextValue::Strings(flags)) => flags.iter().map(|flag| variable(flag)).collect(),
        _ => Vec::new(),
    };
    let value = error.get(ContextKind::InvalidValue).map(ToString::to_string).unwrap_or_default();
    let detail = std::error::Error::source(error).map(ToString::to_string);
    match (error.kind(), names.as_slice()) {
        (ErrorKind::MissingRequiredArgument, [_, ..]) => format!("{} must be set; --help says more", names.join(" and ")),
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, [name]) => {
            let possible = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(values)) if !values.is_empty() => Some(format!("use one of {}", values.join(", "))),
                _ => None,
            };
            let detail = detail.or(possible).unwrap_or_else(|| "must not be empty".into());
            format!("{name} is {value:?}: {detail}")
        }
        _ => error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned(),
    }
}

fn log_filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::builder()
        .parse(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

fn sink_url(text: &str) -> Result<Url, String> {
    if text.is_empty() {
        return Err("the SinkBinding is not resolved: does the Broker exist and is it ready?".into());
    }
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err("must start with http:// or https://".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Args)]
    struct All {
        #[command(flatten)]
        base: BaseSettings,
        #[command(flatten)]
        serve: ServeSettings,
    }

    fn parse(args: &[&str]) -> Result<All, String> {
        let database = if args.contains(&"--no-database") {
            vec![]
        } else {
            vec!["--database-url", "postgres://u:hunter2@h/d"]
        };
        let args = ["test"]
            .iter()
            .chain(&database)
            .chain(args.iter().filter(|arg| **arg != "--no-database"))
            .map(OsString::from);
        read::<All>("test", args).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let all = parse(&[]).expect("a database is enough");
        assert_eq!(
            (all.base.db_pool_max, all.base.log.as_str(), all.base.log_format),
            (4, "info", LogFormat::Json)
        );
        assert_eq!((all.base.sink.clone(), all.base.ce_overrides.clone()), (None, Overrides::default()));
        assert_eq!(all.serve.address().to_string(), "0.0.0.0:8080");
    }

    #[test]
    fn a_bad_value_is_one_line_that_names_the_variable() {
        let lines: Vec<String> = [
            &["--no-database"][..],
            &["--db-pool-max", "many"],
            &["--db-pool-max", "0"],
            &["--port", "70000"],
            &["--log", "loud=very"],
            &["--log-format", "xml"],
            &["--sink", ""],
            &["--sink", "broker.local"],
            &["--ce-overrides", "{"],
            &["--frobnicate"],
            &["stray"],
        ]
        .iter()
        .map(|args| parse(args).expect_err("a bad value"))
        .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
    STARGATE_DATABASE_URL (or --database-url) must be set; --help says more
    STARGATE_DB_POOL_MAX (or --db-pool-max) is "many": invalid digit found in string
    STARGATE_DB_POOL_MAX (or --db-pool-max) is "0": 0 is not in 1..=100
    PORT (or --port) is "70000": 70000 is not in 0..=65535
    STARGATE_LOG (or --log) is "loud=very": error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
    STARGATE_LOG_FORMAT (or --log-format) is "xml": use one of json, text
    K_SINK (or --sink) is "": the SinkBinding is not resolved: does the Broker exist and is it ready?
    K_SINK (or --sink) is "broker.local": relative URL without a base
    K_CE_OVERRIDES (or --ce-overrides) is "{": EOF while parsing an object at line 1 column 1
    unexpected argument '--frobnicate' found
    unexpected argument 'stray' found
    "#);
    }

    #[test]
    fn manifests_are_held_to_the_settings() {
        let database = ("STARGATE_DATABASE_URL".to_owned(), "postgres://h/d".to_owned());
        let checked = |args: &[&str], env: &[(String, String)]| {
            let args: Vec<String> = args.iter().map(ToString::to_string).collect();
            check::<All>("test", &args, env).map_err(|error| error.to_string())
        };
        assert_eq!(checked(&["--port", "8081"], std::slice::from_ref(&database)), Ok(()));
        let misspelt = ("STARGATE_DB_POOL_SIZE".to_owned(), "4".to_owned());
        assert_eq!(
            checked(&[], &[database.clone(), misspelt]),
            Err("STARGATE_DB_POOL_SIZE is no setting of test".into())
        );
        let wrong = ("STARGATE_DEADLINE_S".to_owned(), "2m".to_owned());
        assert_eq!(
            checked(&[], &[database, wrong]),
            Err("STARGATE_DEADLINE_S (or --deadline-s) is \"2m\": invalid digit found in string".into())
        );
    }

    #[test]
    fn arguments_alone_leave_the_environment_out() {
        // Set wherever tests run.
        const SET: &str = "CARGO_PKG_NAME";
        #[derive(Debug, Args)]
        struct Named {
            #[arg(long, env = SET)]
            package: Option<String>,
        }
        let args = |more: &[&str]| -> Vec<OsString> { ["test"].iter().chain(more).map(OsString::from).collect() };
        let by_both = read::<Named>("test", args(&[])).expect("valid");
        assert_eq!(by_both.package.as_deref(), Some("stargate-common"));
        assert_eq!(read_arguments::<Named>("test", args(&[])).expect("valid").package, None);
        let told = read_arguments::<Named>("test", args(&["--package", "x"])).expect("valid");
        assert_eq!(told.package.as_deref(), Some("x"));
        assert!(read_arguments::<Named>("test", args(&["--color"])).is_err());
    }

    #[test]
    fn the_password_is_never_printed() {
        let all = parse(&[]).expect("valid");
        assert!(!format!("{all:?}").contains("hunter2"));
        assert_eq!(all.base.database_url.expose_secret(), "postgres://u:hunter2@h/d");
        assert!(!parse(&["--port", "x"]).expect_err("bad port").contains("hunter2"));
    }
}
