//! Takes what looks like a credential or a mail address out of free text. Better one word too many than one too few.

use serde_json::Value;

/// What a removed word becomes.
const GONE: &str = "[removed]";

/// Names before a `=` or `:` whose value is removed.
const SECRET_NAMES: [&str; 9] = [
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "credential",
    "passwd",
    "password",
    "secret",
    "token",
];

/// Scrubs every text in a value. Names of fields stay.
pub(crate) fn value(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(scrubbed) = scrub(text) {
                *text = scrubbed;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(self::value),
        Value::Object(fields) => fields.values_mut().for_each(self::value),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text without what looks like a credential; `None` if nothing does.
fn scrub(text: &str) -> Option<String> {
    let mut scrubbed = String::with_capacity(text.len());
    let mut changed = false;
    let mut after_scheme = false;
    for piece in text.split_inclusive(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | ',' | ';' | '(' | ')')) {
        let ends = piece
            .char_indices()
            .next_back()
            .filter(|(_, last)| !is_word(*last))
            .map_or(piece.len(), |(at, _)| at);
        let (word, end) = piece.split_at(ends);
        let clean = if after_scheme && word.len() > 7 {
            Some(GONE.to_owned())
        } else {
            without_secret(word)
        };
        after_scheme = matches!(word, "Bearer" | "bearer" | "Basic" | "basic");
        changed |= clean.is_some();
        scrubbed.push_str(clean.as_deref().unwrap_or(word));
        scrubbed.push_str(end);
    }
    changed.then_some(scrubbed)
}

fn is_word(letter: char) -> bool {
    !letter.is_whitespace() && !matches!(letter, '"' | '\'' | ',' | ';' | '(' | ')')
}

fn without_secret(word: &str) -> Option<String> {
    if let Some(clean) = without_user(word) {
        return Some(without_parameters(&clean).unwrap_or(clean));
    }
    // Tokens of service accounts and of OpenShift.
    if (word.contains("eyJ") && word.len() > 40) || word.contains("sha256~") {
        return Some(GONE.to_owned());
    }
    if is_mail(word) {
        return Some(GONE.to_owned());
    }
    without_parameters(word)
}

/// `https://user:password@host` without what is before the `@`.
fn without_user(word: &str) -> Option<String> {
    let (scheme, rest) = word.split_once("://")?;
    let authority_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = rest.get(..authority_ends)?.rfind('@')?;
    Some(format!("{scheme}://{GONE}{}", rest.get(at..)?))
}

/// `…token=value&…` without the value.
fn without_parameters(word: &str) -> Option<String> {
    let mut clean = String::with_capacity(word.len());
    let mut changed = false;
    for parameter in word.split_inclusive(['&', '?']) {
        let end = parameter.trim_end_matches(['&', '?']).len();
        let (body, separator) = parameter.split_at(end);
        match body.split_once(['=', ':']) {
            Some((name, value)) if !value.is_empty() && is_secret_name(name) => {
                changed = true;
                clean.push_str(&body[..=name.len()]);
                clean.push_str(GONE);
            }
            _ => clean.push_str(body),
        }
        clean.push_str(separator);
    }
    changed.then_some(clean)
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| name.ends_with(secret))
}

fn is_mail(word: &str) -> bool {
    word.split_once('@').is_some_and(|(user, host)| {
        let plain = |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || "._+-".contains(letter));
        !user.is_empty() && plain(user) && plain(host) && host.contains('.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_mail_addresses_are_removed_and_the_rest_stays() {
        for (text, expected) in [
            (
                "pulling https://ann:hunter2@registry.example/app:1.2",
                "pulling https://[removed]@registry.example/app:1.2",
            ),
            (
                "sent Authorization: Bearer abcdefghij to api",
                "sent Authorization: Bearer [removed] to api",
            ),
            ("login with token=abc&user=x failed", "login with token=[removed]&user=x failed"),
            (
                "GET \"https://host/p?access_token=abc\": 401",
                "GET \"https://host/p?access_token=[removed]\": 401",
            ),
            ("token sha256~abcdef is bad", "token [removed] is bad"),
            ("owned by ann.lee@example.com, who left", "owned by [removed], who left"),
            ("DB_PASSWORD=hunter2", "DB_PASSWORD=[removed]"),
        ] {
            assert_eq!(scrub(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "Back-off pulling image \"registry.example/app@sha256:0123\"",
            "0/3 nodes are available: 1 node(s) had untolerated taint {node: gone}",
            "secret \"database\" not found",
            "MountVolume.SetUp failed for volume \"x\" : object \"lab\"/\"kube-root-ca.crt\" not registered",
        ] {
            assert_eq!(scrub(text), None, "{text}");
        }
        let token = format!("bad {}", "eyJ".to_owned() + &"x".repeat(60));
        assert_eq!(scrub(&token).as_deref(), Some("bad [removed]"));
    }
}
