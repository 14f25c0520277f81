//! Free text of other systems, made fit to keep: what looks like a secret or a person's address is taken out, and the rest is one short line.
//!
//! An allow-list decides which fields are read at all; this is the second line of defence for the few that are prose, such as messages of
//! failed jobs. When in doubt it takes out too much.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands where something was taken out.
pub const MARK: &str = "[redacted]";

/// Words in the name of a setting whose value is a secret.
const SECRET: &str = r"(?:passwor[dt]|passwd|passphrase|passcode|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|ssh[_-]?key|key[_-]?data|credentials?|authorization|kubeconfig|cookie|htpasswd|pull[_-]?secret|user[_-]?data)";

/// What is taken out, in this order: larger things first, because their parts look like smaller ones.
static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let rules = [
        // Keys and certificates, also when the text ends inside one, and when line ends are written as \n.
        (r"(?s)-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|$)".to_owned(), MARK),
        // A kubeconfig, to the end of the text: nearly everything in it is a secret or a name.
        (r#"(?s)(?:\S*apiVersion\S*\s*:?\s*\S+\s+)?\\*"?\bkind\\*"?\s*:\s*\\*"?Config\b.*"#.to_owned(), MARK),
        // URLs keep scheme, host and path. A password may hold almost anything, so the last @ counts.
        (
            r#"(?i)\b([a-z][a-z0-9+.-]*://)(?:[^\s"'<>]*@)?([^\s?#"'<>@]*)(?:[?#][^\s"'<>]*)?"#.to_owned(),
            "${1}${2}",
        ),
        (r#"(?i)\b(bearer|basic|negotiate)\s+[^\s"',;\\]+"#.to_owned(), "${1} [redacted]"),
        // --password x
        (
            format!(r#"(?i)(--?[\w-]*{SECRET}[\w-]*)[ =]+(?:"[^"]*"|'[^']*'|\S+)"#),
            "${1} [redacted]",
        ),
        // password: x, "password": "x", \"password\": \"x\", PASSWORD=x
        (
            format!(
                r#"(?i)([\w.-]*{SECRET}[\w.-]*\\*["']?\s*(?:=>|:=|[:=])\s*)(?:\\+"(?:[^"\\]|\\+[^"\\])*\\*"?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;}}&]+)"#
            ),
            "${1}[redacted]",
        ),
        // password is x, password "x"
        (
            r#"(?i)\b(passwor[dt]|passwd|passphrase|passcode)(\s+(?:is|was)\s+|\s+["'`])[^\s"'`]+"#.to_owned(),
            "${1}${2}[redacted]",
        ),
        // Tokens that say what they are: JWT, OpenShift, GitHub, GitLab, Slack, AWS, model services.
        (
            r"\beyJ[\w-]{6,}(?:\.[\w-]*)*|\bsha256~[\w-]+|\bgh[pousr]_\w{8,}|\bgithub_pat_\w+|\bglpat-[\w-]{8,}|\bxox[a-z]-[\w-]+|\bA(?:KIA|SIA)[A-Z0-9]{12,}|\bsk-[\w-]{8,}|\$6\$\S+|\$2[aby]\$\S+"
                .to_owned(),
            MARK,
        ),
        (r"[\w.%+'-]+@[\w-]+(?:\.[\w-]+)+".to_owned(), "[mail]"),
    ];
    let compiled = rules.into_iter().filter_map(|(rule, with)| Some((Regex::new(&rule).ok()?, with)));
    compiled.collect()
});

/// Runs of characters that keys, hashes and encoded files are made of.
static RUN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z0-9+/=_-]{20,}").ok());

/// The text without secrets and addresses, in one line of at most `max` characters. Doing it again changes nothing.
#[must_use]
pub fn text(text: &str, max: usize) -> String {
    // What stands far behind the part that is kept cannot matter; regular expressions over megabytes would cost time.
    let most = max.saturating_mul(8).saturating_add(8192);
    let mut clean: String = text.chars().take(most).collect();
    for (rule, with) in RULES.iter() {
        if let Cow::Owned(changed) = rule.replace_all(&clean, *with) {
            clean = changed;
        }
    }
    if let Some(run) = RUN.as_ref()
        && let Cow::Owned(changed) = run.replace_all(&clean, without_key)
    {
        clean = changed;
    }
    shorten(&one_line(&clean), max)
}

/// Names are made of words, and words are short; keys and hashes are long and mix letters with digits.
fn without_key(found: &Captures<'_>) -> String {
    let run = &found[0];
    let long_word = run.split(['-', '_', '/']).any(|word| word.len() >= 16 && mixes(word));
    let (upper, lower) = (
        run.bytes().any(|byte| byte.is_ascii_uppercase()),
        run.bytes().any(|byte| byte.is_ascii_lowercase()),
    );
    let looks_encoded = run.len() >= 24 && upper && lower && run.bytes().any(|byte| byte.is_ascii_digit());
    if long_word || looks_encoded {
        MARK.to_owned()
    } else {
        run.to_owned()
    }
}

fn mixes(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit()) && word.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn one_line(text: &str) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with at most `max` characters; one that is longer ends with an ellipsis.
#[must_use]
pub fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    // Half a mark would look like text.
    if let Some(start) = short.rfind('[')
        && MARK.starts_with(&short[start..])
    {
        short.truncate(start);
    }
    let mut short = short.trim_end().to_owned();
    if max > 0 {
        short.push('…');
    }
    short
}

/// An address without credentials, query and fragment; empty when it is none.
#[must_use]
pub fn url(address: &str, max: usize) -> String {
    let Ok(mut parsed) = reqwest::Url::parse(address.trim()) else {
        return String::new();
    };
    if parsed.cannot_be_a_base() {
        return String::new();
    }
    // Both fail only for addresses that have no host, and those have no credentials either.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.set_query(None);
    parsed.set_fragment(None);
    shorten(parsed.as_str(), max)
}
