//! Label and field selectors, as the API server reads them.

use std::borrow::Cow;

use crate::kinds::Kind;

/// A parsed selector of either sort; all its terms must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Selector {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    pub(crate) fn labels(text: &str) -> Result<Self, String> {
        split_terms(text)
            .into_iter()
            .map(|term| label_term(term.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Reads `a=b,c!=d`; only fields that the kind lets one select are allowed.
    pub(crate) fn fields(text: &str, kind: Kind) -> Result<Self, String> {
        let terms = text.split(',').filter(|term| !term.is_empty()).map(|term| {
            let (key, test) = equality(term).ok_or_else(|| format!("invalid selector: '{text}'; can't understand '{term}'"))?;
            let known = key == "metadata.name" || key == "metadata.namespace" || kind.info().selectable.contains(&key.as_str());
            if known {
                Ok(Term { key, test })
            } else {
                Err(format!("field label not supported: {key}"))
            }
        });
        terms.collect::<Result<_, _>>().map(Self)
    }

    /// Whether all terms hold for the values that `get` finds. `missing_is_empty` is the way of fields, where an unset one equals "".
    pub(crate) fn holds<'a>(&self, missing_is_empty: bool, get: impl Fn(&str) -> Option<Cow<'a, str>>) -> bool {
        self.0.iter().all(|term| {
            let value = get(&term.key).or(if missing_is_empty { Some(Cow::Borrowed("")) } else { None });
            match (&term.test, value) {
                (Test::Exists, value) => value.is_some(),
                (Test::Absent, value) => value.is_none(),
                (Test::In(wanted), value) => value.is_some_and(|value| wanted.iter().any(|one| *one == value)),
                (Test::NotIn(unwanted), value) => value.is_none_or(|value| unwanted.iter().all(|one| *one != value)),
            }
        })
    }
}

/// Splits at commas outside of parentheses.
fn split_terms(text: &str) -> Vec<&str> {
    let (mut terms, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                terms.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(text.get(start..).unwrap_or_default());
    terms.retain(|term| !term.trim().is_empty());
    terms
}

fn label_term(term: &str) -> Result<Term, String> {
    let bad = || format!("unable to parse requirement: '{term}'");
    if let Some(key) = term.strip_prefix('!') {
        return Ok(Term {
            key: label_key(key.trim()).ok_or_else(bad)?,
            test: Test::Absent,
        });
    }
    if let Some((head, list)) = term.split_once('(') {
        let values = list
            .strip_suffix(')')
            .ok_or_else(bad)?
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        let mut words = head.split_whitespace();
        let (key, operator, rest) = (words.next().and_then(label_key).ok_or_else(bad)?, words.next(), words.next());
        return match (operator, rest) {
            (Some("in"), None) => Ok(Term {
                key,
                test: Test::In(values),
            }),
            (Some("notin"), None) => Ok(Term {
                key,
                test: Test::NotIn(values),
            }),
            _ => Err(bad()),
        };
    }
    if let Some((key, test)) = equality(term) {
        return Ok(Term {
            key: label_key(&key).ok_or_else(bad)?,
            test,
        });
    }
    Ok(Term {
        key: label_key(term).ok_or_else(bad)?,
        test: Test::Exists,
    })
}

fn equality(term: &str) -> Option<(String, Test)> {
    let (key, value, equal) = if let Some((key, value)) = term.split_once("!=") {
        (key, value, false)
    } else if let Some((key, value)) = term.split_once("==") {
        (key, value, true)
    } else {
        let (key, value) = term.split_once('=')?;
        (key, value, true)
    };
    let values = vec![value.trim().to_owned()];
    Some((key.trim().to_owned(), if equal { Test::In(values) } else { Test::NotIn(values) }))
}

fn label_key(key: &str) -> Option<String> {
    let valid = !key.is_empty() && key.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter));
    valid.then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, collections::BTreeMap};

    use super::Selector;
    use crate::kinds::Kind;

    fn labels_match(selector: &str) -> bool {
        let labels = BTreeMap::from([("app", "web"), ("tier", "front"), ("example.test/zone", "a")]);
        Selector::labels(selector)
            .unwrap()
            .holds(false, |key| labels.get(key).map(|value| Cow::Borrowed(*value)))
    }

    #[test]
    fn label_selectors_mean_what_the_api_server_says() {
        for selector in [
            "",
            "app=web",
            "app==web,tier!=back",
            "app in (web, api)",
            "app notin (db)",
            "app,!gone",
            "missing!=x",
            "missing notin (x)",
            "example.test/zone=a",
        ] {
            assert!(labels_match(selector), "{selector}");
        }
        for selector in [
            "app=api",
            "app!=web",
            "app in (api)",
            "app notin (web)",
            "!app",
            "missing",
            "missing in (x)",
            "app=web,tier=back",
        ] {
            assert!(!labels_match(selector), "{selector}");
        }
        for selector in ["app in web", "app among (web)", "a b", "=x", "app in (web"] {
            assert!(Selector::labels(selector).is_err(), "{selector}");
        }
    }

    #[test]
    fn field_selectors_know_few_fields() {
        let selector = Selector::fields("status.phase!=Succeeded,metadata.namespace=lab", Kind::Pod).unwrap();
        let get = |phase: &'static str| {
            selector.holds(true, move |key| {
                (key == "metadata.namespace")
                    .then_some(Cow::Borrowed("lab"))
                    .or((key == "status.phase").then_some(Cow::Borrowed(phase)))
            })
        };
        assert!(get("Running"));
        assert!(!get("Succeeded"));
        assert_eq!(
            Selector::fields("spec.replicas=1", Kind::Deployment).unwrap_err(),
            "field label not supported: spec.replicas"
        );
        assert!(Selector::fields("status.phase", Kind::Pod).is_err());
    }
}
