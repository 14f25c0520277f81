//! The file that lists the controllers. Ids of jobs are unique only on one, and each has its own address, prefix and token.
//!
//! ```yaml
//! controllers:
//!   - host: aap-east.example.test          # as AnarchySubjects name it in status.towerJobs; default: the host of the address
//!     url: https://aap-east.example.test
//!     prefix: /api/controller/v2/          # behind a gateway; default: /api/v2/
//!     token_file: /etc/stargate/aap/east   # a personal access token with scope read
//!     ca_file: /etc/stargate/aap/ca.pem    # to trust besides the system's
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::Url;
use serde::Deserialize;

/// The API of a controller itself; behind a gateway it is `/api/controller/v2/`. Source: rhdp-contracts 5.1.
const DIRECT_PREFIX: &str = "/api/v2/";

/// One controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controller {
    /// Its name: the host by which subjects name it.
    pub host: String,
    /// Where its API begins, with a slash at the end.
    pub api: Url,
    /// File of the token.
    pub token_file: PathBuf,
    /// File of certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

impl Controller {
    /// Its row in `sources`.
    #[must_use]
    pub fn source(&self) -> String {
        source(&self.host)
    }
}

/// Row in `sources` of the controller of that name.
pub(super) fn source(host: &str) -> String {
    format!("aap/{host}")
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    controllers: Vec<RawController>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawController {
    host: Option<String>,
    url: String,
    prefix: Option<String>,
    token_file: PathBuf,
    ca_file: Option<PathBuf>,
}

/// Why the file is no list of controllers, in words that name the file and the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ControllersError(String);

/// Reads the file.
///
/// # Errors
/// It cannot be read, or something in it is wrong: the message names the file, and the line or the controller.
pub fn load(path: &Path) -> Result<Vec<Controller>, ControllersError> {
    let told = |wrong: String| ControllersError(format!("{}: {wrong}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    parse(&text).map_err(told)
}

/// The controllers that a text lists.
fn parse(text: &str) -> Result<Vec<Controller>, String> {
    // The first line says what and where; the others show the file.
    let first = |error: String| error.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let raw: RawFile = crate::yaml::from_str(text).map_err(|error| first(error.to_string()))?;
    if raw.controllers.is_empty() {
        return Err("`controllers` is empty; leave STARGATE_AAP_CONTROLLERS unset to disable AAP".into());
    }
    let mut hosts = BTreeSet::new();
    let mut controllers = Vec::new();
    for (at, raw) in raw.controllers.into_iter().enumerate() {
        let controller = one(raw).map_err(|wrong| format!("controller {}: {wrong}", at + 1))?;
        if !hosts.insert(controller.host.clone()) {
            return Err(format!("controller {}: host {} is listed twice", at + 1, controller.host));
        }
        controllers.push(controller);
    }
    Ok(controllers)
}

fn one(raw: RawController) -> Result<Controller, String> {
    let RawController {
        host,
        url,
        prefix,
        token_file,
        ca_file,
    } = raw;
    let base = Url::parse(&url).map_err(|error| format!("url {url:?}: {error}"))?;
    let of_url = base.host_str().unwrap_or_default().to_owned();
    if !matches!(base.scheme(), "http" | "https") || of_url.is_empty() {
        return Err(format!("url {url:?} must start with https://"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err("url holds a user or a password; a token in token_file is the only way in".into());
    }
    if base.path() != "/" || base.query().is_some() || base.fragment().is_some() {
        return Err(format!("url {url:?} must end after the host; what follows belongs into prefix"));
    }
    let host = host.unwrap_or(of_url);
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
        return Err(format!("host {host:?} is not the name of a host"));
    }
    let prefix = prefix.unwrap_or_else(|| DIRECT_PREFIX.into());
    if !(prefix.starts_with('/') && prefix.ends_with('/')) {
        return Err(format!("prefix {prefix:?} must start and end with a slash, like {DIRECT_PREFIX}"));
    }
    let api = base.join(&prefix).map_err(|error| format!("prefix {prefix:?}: {error}"))?;
    if api.host() != base.host() {
        return Err(format!("prefix {prefix:?} leads to another host"));
    }
    Ok(Controller {
        host,
        api,
        token_file,
        ca_file,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "controllers:
  - host: aap-east.example.test
    url: https://gateway.example.test
    prefix: /api/controller/v2/
    token_file: /etc/stargate/aap/east
    ca_file: /etc/stargate/aap/ca.pem
  - url: https://aap-west.example.test
    token_file: /etc/stargate/aap/west
";

    #[test]
    fn each_controller_has_its_own_prefix_and_name() {
        let all = parse(GOOD).unwrap();
        let told: Vec<String> = all.iter().map(|one| format!("{} {}", one.source(), one.api)).collect();
        assert_eq!(
            told,
            [
                "aap/aap-east.example.test https://gateway.example.test/api/controller/v2/",
                "aap/aap-west.example.test https://aap-west.example.test/api/v2/",
            ]
        );
        assert_eq!(
            (all[0].ca_file.as_deref(), all[1].ca_file.as_deref()),
            (Some(Path::new("/etc/stargate/aap/ca.pem")), None)
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let changed = |from: &str, to: &str| parse(&GOOD.replacen(from, to, 1)).unwrap_err();
        let all = [
            changed("    prefix:", "    prefiks:"),
            changed("    token_file: /etc/stargate/aap/east\n", ""),
            changed("https://gateway.example.test", "gateway.example.test"),
            changed("https://gateway.example.test", "https://user:pw@gateway.example.test"),
            changed("https://gateway.example.test", "https://gateway.example.test/api"),
            changed("/api/controller/v2/", "/api/controller/v2"),
            changed("/api/controller/v2/", "//elsewhere.example.test/"),
            changed("host: aap-east.example.test", "host: aap-west.example.test"),
            changed("host: aap-east.example.test", "host: a/b"),
            parse("controllers: []").unwrap_err(),
            parse("controllers:\n\t- x").unwrap_err(),
            parse("").unwrap_err(),
        ];
        insta::assert_snapshot!(all.join("\n"), @r#"
        line 4 column 5: unknown field `prefiks`, expected one of host, url, prefix, token_file, ca_file
        line 5 column 5: missing field `token_file`
        controller 1: url "gateway.example.test": relative URL without a base
        controller 1: url holds a user or a password; a token in token_file is the only way in
        controller 1: url "https://gateway.example.test/api" must end after the host; what follows belongs into prefix
        controller 1: prefix "/api/controller/v2" must start and end with a slash, like /api/v2/
        controller 1: prefix "//elsewhere.example.test/" leads to another host
        controller 2: host aap-west.example.test is listed twice
        controller 1: host "a/b" is not the name of a host
        `controllers` is empty; leave STARGATE_AAP_CONTROLLERS unset to disable AAP
        line 2 column 2: tabs disallowed within this context (block indentation)
        unexpected end of input at line 1, column 1
        "#);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = load(Path::new("/nowhere/controllers.yaml")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/nowhere/controllers.yaml: No such file or directory (os error 2)"
        );
    }
}
