//! Small changes to the text of a condition, token by token: they work on `name op literal` as on any expression, and whatever
//! does not compile afterwards is refused by the lints as an author's mistake would be.

use super::Operator;

/// A changed text and what was changed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) operator: Operator,
    /// The condition after the change.
    pub(super) text: String,
    /// What the change is about: the word left of a comparison, or the token itself.
    pub(super) about: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Number,
    Text,
    Sign,
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    at: usize,
    /// How many brackets are open around it.
    depth: usize,
}

/// Every small change to a condition.
pub(super) fn changes(text: &str) -> Vec<Changed> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|index| tokens.get(index));
        let next = tokens.get(index + 1);
        let mut put = |operator: Operator, token: &Token<'_>, now: &str| {
            found.push(Changed {
                operator,
                text: format!("{}{now}{}", &text[..token.at], &text[token.at + token.text.len()..]),
                about: about(&tokens, index),
            });
        };
        match (token.kind, token.text) {
            (Kind::Word, "true") => put(Operator::Flip, token, "false"),
            (Kind::Word, "false") => put(Operator::Flip, token, "true"),
            (Kind::Word, "all") if is_call(previous, next) => put(Operator::Quantifier, token, "exists"),
            (Kind::Word, "exists") if is_call(previous, next) => put(Operator::Quantifier, token, "all"),
            // Turning the literal around says the same.
            (Kind::Sign, "==" | "!=") if next.is_some_and(|next| matches!(next.text, "true" | "false")) => {}
            (Kind::Sign, sign) => {
                if let Some(other) = turned(sign) {
                    put(Operator::Flip, token, other);
                } else if let "&&" | "||" = sign {
                    if token.depth > 0 || sign == "&&" {
                        put(Operator::Connective, token, if sign == "&&" { "||" } else { "&&" });
                    }
                } else if sign == "!" {
                    put(Operator::Negate, token, "");
                }
            }
            (Kind::Number, number) => {
                for now in neighbours(number) {
                    put(Operator::Shift, token, &now);
                }
            }
            (Kind::Word | Kind::Text, _) => {}
        }
    }
    for (sign, operator) in [("||", Operator::Narrow), ("&&", Operator::Drop)] {
        let parts = outer_parts(text, &tokens, sign);
        for dropped in 0..parts.len() {
            if parts.len() > 1 {
                let kept: Vec<&str> = parts
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| *at != dropped)
                    .map(|(_, part)| *part)
                    .collect();
                found.push(Changed {
                    operator,
                    text: kept.join(&format!(" {sign} ")),
                    about: first_word(parts[dropped]),
                });
            }
        }
    }
    found
}

/// A regular expression without each of its alternatives; nothing when it has but one.
pub(super) fn narrowed(pattern: &str) -> Vec<String> {
    let parts = alternatives(pattern);
    let without = |dropped: usize| {
        let kept: Vec<&str> = parts
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != dropped)
            .map(|(_, part)| *part)
            .collect();
        kept.join("|")
    };
    (0..parts.len()).map(without).collect()
}

/// The alternatives of a regular expression at its top level, when it has more than one.
fn alternatives(pattern: &str) -> Vec<&str> {
    let (mut depth, mut in_set, mut escaped, mut start) = (0_usize, false, false, 0);
    let mut parts = Vec::new();
    for (at, c) in pattern.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_set = true,
            ']' => in_set = false,
            _ if in_set => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(&pattern[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !parts.is_empty() {
        parts.push(&pattern[start..]);
    }
    parts
}

/// The first name in a piece of a condition.
pub(super) fn first_word(text: &str) -> String {
    let word = tokens(text).into_iter().find(|token| token.kind == Kind::Word);
    word.map_or_else(|| text.to_owned(), |token| token.text.to_owned())
}

/// What a change at a token is about: the nearest name to its left, else to its right.
fn about(tokens: &[Token<'_>], index: usize) -> String {
    let is_name = |token: &&Token<'_>| token.kind == Kind::Word && !matches!(token.text, "true" | "false" | "all" | "exists");
    let left = tokens[..index].iter().rev().find(is_name);
    left.or_else(|| tokens[index..].iter().find(is_name))
        .map_or_else(|| tokens[index].text.to_owned(), |token| token.text.to_owned())
}

fn is_call(previous: Option<&Token<'_>>, next: Option<&Token<'_>>) -> bool {
    previous.is_some_and(|token| token.text == ".") && next.is_some_and(|token| token.text == "(")
}

fn turned(sign: &str) -> Option<&'static str> {
    Some(match sign {
        "==" => "!=",
        "!=" => "==",
        ">=" => "<",
        "<" => ">=",
        "<=" => ">",
        ">" => "<=",
        _ => return None,
    })
}

fn neighbours(number: &str) -> Vec<String> {
    match number.parse::<i64>() {
        Ok(whole) => [whole.checked_sub(1), whole.checked_add(1)]
            .into_iter()
            .flatten()
            .map(|n| n.to_string())
            .collect(),
        Err(_) => match number.parse::<f64>() {
            Ok(broken) => vec![format!("{:?}", broken - 1.0), format!("{:?}", broken + 1.0)],
            Err(_) => Vec::new(),
        },
    }
}

/// The parts between a sign outside of all brackets.
fn outer_parts<'a>(text: &'a str, tokens: &[Token<'a>], sign: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut start = 0;
    // `a || b && c` has no outer `&&`.
    let outer: Vec<&Token<'_>> = tokens.iter().filter(|token| token.depth == 0).collect();
    if sign == "&&" && outer.iter().any(|token| matches!(token.text, "||" | "?")) {
        return parts;
    }
    for token in outer.into_iter().filter(|token| token.text == sign) {
        parts.push(text[start..token.at].trim());
        start = token.at + token.text.len();
    }
    parts.push(text[start..].trim());
    parts
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let run = |keep: fn(char) -> bool| rest.find(|c| !keep(c)).unwrap_or(rest.len());
        let (kind, length) = match c {
            _ if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '"' | '\'' => (Kind::Text, quoted(rest)),
            _ if c.is_ascii_digit() => (Kind::Number, run(|c| c.is_ascii_digit() || c == '.')),
            _ if c.is_alphabetic() || c == '_' => (Kind::Word, run(|c| c.is_alphanumeric() || c == '_')),
            _ => (Kind::Sign, sign_length(rest)),
        };
        let text = &rest[..length];
        if matches!(text, ")" | "]" | "}") {
            depth = depth.saturating_sub(1);
        }
        found.push(Token { kind, text, at, depth });
        if matches!(text, "(" | "[" | "{") {
            depth += 1;
        }
        at += length;
    }
    found
}

/// Length of the sign that a text begins with.
fn sign_length(text: &str) -> usize {
    let long = ["==", "!=", ">=", "<=", "&&", "||"];
    if long.iter().any(|sign| text.starts_with(sign)) {
        2
    } else {
        text.chars().next().map_or(1, char::len_utf8)
    }
}

/// Length of the quoted text at the start, its quotes included.
fn quoted(text: &str) -> usize {
    let mut characters = text.char_indices();
    let quote = characters.next().map(|(_, c)| c);
    let mut escaped = false;
    for (at, c) in characters {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if Some(c) == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(&'static str, String)> {
        changes(text)
            .into_iter()
            .map(|change| (change.operator.as_str(), change.text))
            .collect()
    }

    fn list(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        pairs.iter().map(|(operator, text)| (*operator, (*text).to_owned())).collect()
    }

    #[test]
    fn a_boolean_is_flipped_once() {
        assert_eq!(all("route_exists == true"), list(&[("flip", "route_exists == false")]));
        assert_eq!(changes("route_exists == true")[0].about, "route_exists");
    }

    #[test]
    fn a_number_moves_and_its_comparison_turns() {
        assert_eq!(
            all("ready_endpoint_count >= 1"),
            list(&[
                ("flip", "ready_endpoint_count < 1"),
                ("shift", "ready_endpoint_count >= 0"),
                ("shift", "ready_endpoint_count >= 2"),
            ])
        );
    }

    #[test]
    fn alternatives_are_dropped_one_by_one() {
        assert_eq!(
            all("a == false || b == false"),
            list(&[
                ("flip", "a == true || b == false"),
                ("flip", "a == false || b == true"),
                ("narrow", "b == false"),
                ("narrow", "a == false"),
            ])
        );
    }

    #[test]
    fn expressions_lose_sides_signs_and_quantifiers() {
        assert_eq!(
            all("pods.exists(p, p.phase == 'a || 1' && !p.ready) && size(pods) > 2"),
            list(&[
                ("quantifier", "pods.all(p, p.phase == 'a || 1' && !p.ready) && size(pods) > 2"),
                ("flip", "pods.exists(p, p.phase != 'a || 1' && !p.ready) && size(pods) > 2"),
                ("connective", "pods.exists(p, p.phase == 'a || 1' || !p.ready) && size(pods) > 2"),
                ("negate", "pods.exists(p, p.phase == 'a || 1' && p.ready) && size(pods) > 2"),
                ("connective", "pods.exists(p, p.phase == 'a || 1' && !p.ready) || size(pods) > 2"),
                ("flip", "pods.exists(p, p.phase == 'a || 1' && !p.ready) && size(pods) <= 2"),
                ("shift", "pods.exists(p, p.phase == 'a || 1' && !p.ready) && size(pods) > 1"),
                ("shift", "pods.exists(p, p.phase == 'a || 1' && !p.ready) && size(pods) > 3"),
                ("drop", "size(pods) > 2"),
                ("drop", "pods.exists(p, p.phase == 'a || 1' && !p.ready)"),
            ])
        );
    }

    #[test]
    fn a_pattern_is_split_only_at_its_top() {
        assert_eq!(alternatives(r"a(b|c)|[|]d|e\|f"), ["a(b|c)", "[|]d", r"e\|f"]);
        assert_eq!(alternatives("a(b|c)"), [""; 0]);
        assert_eq!(narrowed("a|b|(c|d)"), ["b|(c|d)", "a|(c|d)", "a|b"]);
    }
}
