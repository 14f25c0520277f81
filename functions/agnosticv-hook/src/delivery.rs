//! What a delivery says, as far as it is read: the event, its id, and of a push the repository, the branch and the commit.

use http::HeaderMap;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The longest id or name that is taken, in bytes.
const LONGEST: usize = 255;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The repository asks whether anybody is there.
    Ping,
    /// Commits on a branch.
    Push(Push),
    /// Something that requests nothing, in words.
    Nothing(String),
}

/// Commits on a branch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Push {
    /// `owner/name`.
    pub repository: String,
    /// Without `refs/heads/`.
    pub branch: String,
    /// The newest commit, shortened.
    pub commit: String,
}

/// Why a delivery is not understood. Without its text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Unreadable {
    #[error("the header {0} is missing or no name")]
    Header(&'static str),
    #[error("the body is not the JSON of a push")]
    Body,
}

const EVENT: &str = "x-github-event";
const ID: &str = "x-github-delivery";

/// Reads a delivery whose signature was found genuine.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Delivery, Unreadable> {
    match name(headers, EVENT)?.as_str() {
        "ping" => Ok(Delivery::Ping),
        "push" => push(body),
        other => Ok(Delivery::Nothing(format!("event {other}"))),
    }
}

/// What makes the delivery the same when it comes again: the sender's id, and the bytes that were signed. The id alone is not signed.
pub(crate) fn identities(headers: &HeaderMap, body: &[u8]) -> Result<[String; 2], Unreadable> {
    Ok([format!("id/{}", name(headers, ID)?), format!("body/{:x}", Sha256::digest(body))])
}

fn name(headers: &HeaderMap, header: &'static str) -> Result<String, Unreadable> {
    let value = headers.get(header).and_then(|value| value.to_str().ok()).unwrap_or_default();
    is_name(value).then(|| value.to_owned()).ok_or(Unreadable::Header(header))
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/+#".contains(&byte);
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(allowed)
}

fn push(body: &[u8]) -> Result<Delivery, Unreadable> {
    #[derive(Deserialize)]
    struct Wire {
        #[serde(rename = "ref")]
        reference: String,
        #[serde(default)]
        after: String,
        #[serde(default)]
        deleted: bool,
        repository: Repository,
    }
    #[derive(Deserialize)]
    struct Repository {
        full_name: String,
    }
    let Wire {
        reference,
        after,
        deleted,
        repository,
    } = serde_json::from_slice(body).map_err(|_| Unreadable::Body)?;
    if !is_name(&reference) || !is_name(&repository.full_name) {
        return Err(Unreadable::Body);
    }
    let Some(branch) = reference.strip_prefix("refs/heads/") else {
        return Ok(Delivery::Nothing(format!("push of {reference}, which is no branch")));
    };
    if deleted {
        return Ok(Delivery::Nothing(format!("branch {branch} was deleted")));
    }
    let commit: String = after.chars().filter(char::is_ascii_hexdigit).take(12).collect();
    Ok(Delivery::Push(Push {
        repository: repository.full_name,
        branch: branch.to_owned(),
        commit,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(event: &str, body: &str) -> Result<Delivery, Unreadable> {
        let mut headers = HeaderMap::new();
        headers.insert(EVENT, HeaderValue::from_str(event).unwrap());
        read(&headers, body.as_bytes())
    }

    #[test]
    fn a_push_names_its_branch() {
        let body = r#"{"ref":"refs/heads/feature/x","after":"0123456789abcdef","repository":{"full_name":"acme/agnosticv"},"pusher":{"email":"planted@example.org"}}"#;
        let push = Push {
            repository: "acme/agnosticv".to_owned(),
            branch: "feature/x".to_owned(),
            commit: "0123456789ab".to_owned(),
        };
        assert_eq!(of("push", body), Ok(Delivery::Push(push)));
    }

    #[test]
    fn other_deliveries_request_nothing() {
        assert_eq!(of("ping", "{}"), Ok(Delivery::Ping));
        assert_eq!(of("issues", "{}"), Ok(Delivery::Nothing("event issues".to_owned())));
        let tag = r#"{"ref":"refs/tags/v1","repository":{"full_name":"a/b"}}"#;
        assert_eq!(
            of("push", tag),
            Ok(Delivery::Nothing("push of refs/tags/v1, which is no branch".to_owned()))
        );
        let gone = r#"{"ref":"refs/heads/old","deleted":true,"repository":{"full_name":"a/b"}}"#;
        assert_eq!(of("push", gone), Ok(Delivery::Nothing("branch old was deleted".to_owned())));
    }

    #[test]
    fn what_is_no_push_is_refused_without_its_text() {
        for body in [
            "",
            "planted",
            "{}",
            r#"{"ref":1,"repository":{"full_name":"a/b"}}"#,
            "{\"ref\":\"refs/heads/a\\nplanted\",\"repository\":{\"full_name\":\"a/b\"}}",
        ] {
            let error = of("push", body).unwrap_err();
            assert!(!error.to_string().contains("planted"), "{error}");
        }
        assert_eq!(read(&HeaderMap::new(), b"{}"), Err(Unreadable::Header(EVENT)));
        assert_eq!(identities(&HeaderMap::new(), b"{}"), Err(Unreadable::Header(ID)));
    }
}
