//! Addresses of git repositories, without the credentials that people put into them, and when two of them mean the same.

/// The longest address that is kept, in bytes. Longer than any that works.
const LONGEST: usize = 300;

/// The address without user, password, query and fragment: each may be a token. `None` for what is no address at all.
///
/// Both ways of writing are taken: `https://host/path` and `user@host:path`.
#[must_use]
pub fn without_credentials(address: &str) -> Option<String> {
    let address = address.trim();
    let address = address.split(['?', '#']).next().unwrap_or_default();
    if address.is_empty() || address.len() > LONGEST || address.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return None;
    }
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, address),
    };
    // A password may hold a slash or an @ that nobody encoded: everything before the last @ goes.
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let separator = if scheme.is_some() { '/' } else { ':' };
    let (host, path) = place.split_once(separator)?;
    if host.is_empty() || path.is_empty() || (scheme.is_none() && host.contains('/')) {
        return None;
    }
    Some(scheme.map_or_else(|| place.to_owned(), |scheme| format!("{}://{place}", scheme.to_ascii_lowercase())))
}

/// Whether two addresses lead to one repository: the way in, the case of the host, `.git` and a slash at the end do not count.
#[must_use]
pub fn is_same(one: &str, other: &str) -> bool {
    match (place(one), place(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Host without its port, and path.
fn place(address: &str) -> Option<(String, String)> {
    let address = without_credentials(address)?;
    let (host, path) = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        None => address.split_once(':')?,
    };
    let host = host.split_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    Some((host, path.to_owned()))
}

/// The name of a branch, a tag or a commit without what git puts before it; `None` when it can be none.
#[must_use]
pub fn reference(text: &str) -> Option<String> {
    let text = text.trim();
    let name = ["refs/heads/", "refs/tags/"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .unwrap_or(text);
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '/' | '+' | '#');
    (!name.is_empty() && name.len() <= LONGEST && name.chars().all(allowed)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_never_stay() {
        for (address, kept) in [
            ("https://git.example.org/acme/lab.git", Some("https://git.example.org/acme/lab.git")),
            (
                "https://bot:ghp_planted@git.example.org/acme/lab",
                Some("https://git.example.org/acme/lab"),
            ),
            (
                "https://bot:p@ss/word@git.example.org/acme/lab",
                Some("https://git.example.org/acme/lab"),
            ),
            (
                "HTTPS://git.example.org/acme/lab?private_token=x#y",
                Some("https://git.example.org/acme/lab"),
            ),
            ("git@git.example.org:acme/lab.git", Some("git.example.org:acme/lab.git")),
            (
                "ssh://git@git.example.org:2222/acme/lab",
                Some("ssh://git.example.org:2222/acme/lab"),
            ),
            ("not an address", None),
            ("REDACTED", None),
            ("", None),
        ] {
            assert_eq!(without_credentials(address).as_deref(), kept, "{address}");
        }
    }

    #[test]
    fn one_repository_has_many_addresses() {
        let lab = "https://git.example.org/acme/lab";
        for same in [
            "https://git.example.org/acme/lab.git",
            "https://GIT.example.org/acme/lab/",
            "git@git.example.org:acme/lab.git",
            "ssh://git@git.example.org:2222/acme/lab.git",
            "https://x:y@git.example.org/acme/lab",
        ] {
            assert!(is_same(lab, same), "{same}");
        }
        for other in [
            "https://git.example.org/acme/lab-two",
            "https://git.example.com/acme/lab",
            "lab",
            "",
        ] {
            assert!(!is_same(lab, other), "{other}");
        }
        assert!(!is_same("", ""), "what is no address is not the same as anything");
    }

    #[test]
    fn references_lose_their_prefix() {
        assert_eq!(reference("refs/heads/main").as_deref(), Some("main"));
        assert_eq!(reference("refs/tags/v1.2+3").as_deref(), Some("v1.2+3"));
        assert_eq!(reference(" feature/x "), Some("feature/x".to_owned()));
        assert_eq!(reference("{{ ref }}"), None);
        assert_eq!(reference(""), None);
    }
}
